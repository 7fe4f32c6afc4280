/* SPDX-License-Identifier: MIT */
/* data/store_share.c - the store of processes that train as one (ranks/ranks.h): each computes a share of the clips, and all get all.
 *
 * Every process looks into the cache by itself.  What one of them lacks is given to it by the first that has it; what none has is
 * computed by one, in turns.  Chunk by chunk what was made goes to all as it is, so the stores have the bits of one process's.  The
 * first process alone has the lock and writes the cache; it tells the others the names of the shards, as on a network file system
 * a folder may look older on another host. */
#include <stdio.h>
#include <string.h>

#include "data/store_inside.h"

static int size_of(const job *j) { return am_ranks_size(j->ranks); }

/* What each has to say in so many bytes, in the order of the ranks. */
static am_status gather(job *j, am_ranks *ranks, const void *mine, size_t bytes, void **all, size_t **ends,
                        am_error *err) {
  am_context *ctx = j->store->ctx;
  *all = NULL;
  *ends = am_alloc(ctx, (size_t)am_ranks_size(ranks), sizeof **ends);
  if (!*ends) return am_no_memory(err);
  am_status status = am_ranks_gather(ranks, ctx, mine, bytes, all, *ends, err);
  if (!status) return AM_OK;
  am_free(ctx, *ends);
  *ends = NULL;
  return status;
}

/* ---- who fills together ---- */

/* The first process whose files are not those of rank 0, or 0. */
static am_status find_other(job *j, am_ranks *ranks, int *other, am_error *err) {
  void *all;
  size_t *ends;
  am_status status = gather(j, ranks, &j->files, sizeof j->files, &all, &ends, err);
  *other = 0;
  for (int r = am_ranks_size(ranks) - 1; r > 0 && !status; r--)
    if (memcmp(all, (char *)all + (size_t)r * sizeof j->files, sizeof j->files) != 0) *other = r;
  am_free(j->store->ctx, all);
  am_free(j->store->ctx, ends);
  return status;
}

/* Keys have the device in them, so those of one host are not those of another. */
static am_status share_keys(job *j, am_error *err) {
  const size_t n = j->store->n;
  uint64_t *keys = am_alloc(j->store->ctx, n + 1, sizeof *keys);
  if (!keys) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) keys[i] = j->known[i].file;
  am_status status = am_ranks_broadcast(j->ranks, keys, n * sizeof *keys, err);
  for (size_t i = 0; i < n; i++) j->known[i].file = keys[i];
  am_free(j->store->ctx, keys);
  return status;
}

am_status am_store_share_begin(job *j, am_error *err) {
  am_ranks *ranks = am_context_ranks(j->store->ctx);
  int other;
  if (am_ranks_size(ranks) == 1) return AM_OK;
  am_status status = find_other(j, ranks, &other, err);
  if (status) return status;
  if (other) {
    am_log(j->store->ctx, AM_LOG_WARNING,
           "rank %d on %s does not read the same files as rank 0 on %s, so each process computes the features of all "
           "clips; a corpus on a file system that all hosts share is computed once",
           other, am_ranks_host(ranks, other), am_ranks_host(ranks, 0));
    return AM_OK;
  }
  j->ranks = ranks;
  return share_keys(j, err);
}

/* ---- who gives what ---- */

static bool bit(const uint8_t *bits, size_t i) { return bits[i / 8] >> (i % 8) & 1; }

/* The k-th clip that is to be computed: in turns, of which every other one goes backwards, as long clips may come at regular
 * places. */
static int turn_of(size_t k, int ranks) {
  const int at = (int)(k % (size_t)ranks);
  return k / (size_t)ranks % 2 ? ranks - 1 - at : at;
}

am_status am_store_survey(job *j, am_error *err) {
  am_context *ctx = j->store->ctx;
  const size_t bytes = j->n_todo / 8 + 1;
  uint8_t *mine = am_alloc(ctx, bytes, 1);
  void *all;
  size_t *ends;
  if (!mine) return am_no_memory(err);
  for (size_t i = 0; i < j->n_todo; i++) mine[i / 8] |= (uint8_t)(j->store->items[j->todo[i]].ok << i % 8);
  am_status status = gather(j, j->ranks, mine, bytes, &all, &ends, err);
  am_free(ctx, mine);
  if (status) return status;
  j->missing = 0;
  for (size_t i = 0; i < j->n_todo; i++) {
    giver g = {0};
    for (int r = size_of(j) - 1; r >= 0; r--) {
      const bool has = bit((uint8_t *)all + (size_t)r * bytes, i);
      if (has) g.has = true, g.rank = r;
      else g.lacked = true;
    }
    if (!g.has) g.rank = turn_of(j->missing++, size_of(j));
    j->givers[i] = g;
  }
  am_free(ctx, all);
  am_free(ctx, ends);
  return AM_OK;
}

/* ---- from one to all ---- */

/* Before the numbers of a clip, or the words of its failure. */
typedef struct parcel {
  item it;
  uint64_t at;              /* in todo */
  uint64_t numbers, sounds; /* floats that follow */
  uint64_t words;           /* bytes that follow instead */
  int64_t status;
  bool for_cache;
} parcel;

static size_t even(size_t bytes) { return am_mul(am_add(bytes, 7) / 8, 8); }

static size_t length_of(const parcel *p) {
  const size_t floats = am_add(even(am_mul(p->numbers, sizeof(float))), even(am_mul(p->sounds, sizeof(float))));
  return am_add(am_add(sizeof *p, even(p->words)), floats);
}

static parcel parcel_of(const job *j, size_t at) {
  const am_store *s = j->store;
  const uint32_t clip = j->todo[at];
  const outcome *o = &j->outcomes[at - j->first];
  parcel p = {.it = s->items[clip], .at = at, .status = o->status, .for_cache = j->known[clip].file != 0};
  if (o->status) p.words = strlen(o->err.message);
  else p.numbers = am_mul((size_t)p.it.t, (size_t)s->bins);
  if (!o->status && s->sounds) p.sounds = s->sounds[clip].n;
  return p;
}

static am_status put_numbers(const job *j, const numbers *x, size_t count, char *to, am_error *err) {
  const am_cache_place place = {x->is.at, x->crc, x->file - 1};
  const am_cache_files *files = j->cache ? am_cache_get_files(j->cache) : j->store->files;
  if (x->file) return am_cache_files_read(files, &place, (float *)(void *)to, count, err);
  if (count) memcpy(to, x->is.x, count * sizeof(float));
  return AM_OK;
}

static am_status put(const job *j, const parcel *p, char *to, am_error *err) {
  const am_store *s = j->store;
  const uint32_t clip = j->todo[p->at];
  memcpy(to, p, sizeof *p);
  to += sizeof *p;
  if (p->words) memcpy(to, j->outcomes[p->at - j->first].err.message, p->words);
  am_status status = put_numbers(j, &s->items[clip].x, p->numbers, to, err);
  if (!status && p->sounds)
    status = put_numbers(j, &s->sounds[clip].x, p->sounds, to + even(p->numbers * sizeof(float)), err);
  return status;
}

/* Whether this process gives the clip to the others. */
static bool gives(const job *j, size_t at) { return j->givers[at].rank == am_ranks_rank(j->ranks); }

static am_status pack(const job *j, char **out, size_t *bytes, am_error *err) {
  am_status status = AM_OK;
  *bytes = 0;
  for (size_t at = j->first; at < j->end; at++)
    if (gives(j, at)) {
      const parcel p = parcel_of(j, at);
      *bytes = am_add(*bytes, length_of(&p));
    }
  *out = am_alloc(j->store->ctx, *bytes + 1, 1);
  if (!*out) return am_no_memory(err);
  char *to = *out;
  for (size_t at = j->first; at < j->end && !status; at++)
    if (gives(j, at)) {
      const parcel p = parcel_of(j, at);
      status = put(j, &p, to, err);
      to += length_of(&p);
    }
  return status;
}

static am_status take_numbers(am_context *ctx, const char *from, size_t count, numbers *x, am_error *err) {
  float *data = am_resize(ctx, NULL, count, sizeof *data);
  if (!data) return am_no_memory(err);
  if (count) memcpy(data, from, count * sizeof *data);
  *x = (numbers){.is.x = data};
  return AM_OK;
}

static am_status take(job *j, const parcel *p, const char *from, am_error *err) {
  am_store *s = j->store;
  const uint32_t clip = j->todo[p->at];
  outcome *o = &j->outcomes[p->at - j->first];
  item *it = &s->items[clip];
  if (it->ok) return AM_OK; /* from the cache */
  if (!p->for_cache) j->known[clip].file = 0;
  *it = p->it;
  it->x = (numbers){0};
  o->status = (am_status)p->status;
  if (p->status) return (void)am_fail(&o->err, o->status, "%.*s", (int)p->words, from), AM_OK;
  am_status status = take_numbers(s->ctx, from, p->numbers, &it->x, err);
  if (!status && s->sounds) {
    s->sounds[clip].n = p->sounds;
    status = take_numbers(s->ctx, from + even(p->numbers * sizeof(float)), p->sounds, &s->sounds[clip].x, err);
  }
  o->came = !status;
  return status;
}

am_status am_store_exchange(job *j, am_error *err) {
  am_context *ctx = j->store->ctx;
  char *mine;
  void *all = NULL;
  size_t bytes, *ends = NULL;
  if (!j->ranks) return AM_OK;
  am_status status = pack(j, &mine, &bytes, err);
  if (!status) status = gather(j, j->ranks, mine, bytes, &all, &ends, err);
  am_free(ctx, mine);
  const int me = am_ranks_rank(j->ranks);
  for (int r = 0; r < size_of(j) && !status; r++)
    for (size_t at = r ? ends[r - 1] : 0; at < ends[r] && r != me && !status;) {
      const parcel *p = (const parcel *)(const void *)((char *)all + at);
      status = take(j, p, (char *)all + at + sizeof *p, err);
      at += length_of(p);
    }
  am_free(ctx, all);
  am_free(ctx, ends);
  return status;
}

/* ---- the cache ---- */

am_status am_store_share_shard(job *j, bool *written, am_error *err) {
  char name[256] = "";
  am_error why = AM_ERROR_INIT;
  if (!j->ranks) return AM_OK;
  if (*written) snprintf(name, sizeof name, "%s", am_cache_last(j->cache));
  am_status status = am_ranks_broadcast(j->ranks, name, sizeof name, err);
  if (status || am_ranks_first(j->ranks)) return status;
  *written = *name && j->cache && am_cache_take(j->cache, name, &why) == AM_OK;
  if (*name && j->cache && !*written)
    am_log(j->store->ctx, AM_LOG_DEBUG, "feature cache: %s; its clips stay in memory", why.message);
  return AM_OK;
}
