/* SPDX-License-Identifier: MIT */
/* data/store.c - features (and sound) of every clip: from the cache where it has
 * them, else decoded and computed on all cores and added to it.
 *
 *   plan      which arrays each clip needs, and their cache keys
 *   recall    what the cache has, read in clip order
 *   compute   the rest, in pieces of one clip; the first bad clip in clip order is the one named.  Processes that train as one
 *             compute a share each, and give it to the others (store_share.c); the first of them writes the cache
 *
 * What does not fit data.memory stays in the files of the cache, and is read from there (store_read.c).  Every entry is read once
 * here all the same, so a damaged one is computed again before anything is trained. */
#include "data/loader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "data/store_inside.h"

enum { CHUNK = 32, MOST = 512, NAMED = 5 }; /* clips of a chunk: of each process, of all together; clips named */
/* Of data.memory an eighth is for what waits to be written as a shard, within these, and as much for the shard as it is made. */
static const size_t least_shard = 8 << 20, most_shard = 64 << 20;

/* The cache failing is no reason to stop: features are computed and kept in memory.  What it has is still read from it. */
static void leave_cache(job *j) {
  if (j->cache) j->store->files = am_cache_take_files(j->cache);
  am_cache_close(j->cache);
  j->cache = NULL;
}

static void give_up_cache(job *j, const char *message) {
  am_log(j->store->ctx, AM_LOG_WARNING, "feature cache: %s; continuing without it", message);
  leave_cache(j);
}

/* Whole files have their length in the cache, for too_long.  Parts do not have that of their file: their entries are for
 * the limit under which it was decoded. */
static uint64_t entry_key(const job *j, uint32_t clip, uint64_t features) {
  const am_clip *c = &j->store->how.d->clips[clip];
  double limit = j->data->max_seconds;
  if (am_clip_is_part(c)) features = am_hash64(features, &limit, sizeof limit);
  return am_cache_entry_key(j->known[clip].file, c->start, c->seconds, features);
}

uint64_t am_store_x_key(const job *j, uint32_t clip) { return entry_key(j, clip, j->x_key); }
uint64_t am_store_sound_key(const job *j, uint32_t clip) { return entry_key(j, clip, j->sound_key); }

/* Of a whole file with so many seconds after resampling, which rounds up: by less than a sample this may say so of a
 * file within the limit. */
static bool too_long(const job *j, uint32_t clip, double seconds) {
  return !am_clip_is_part(&j->store->how.d->clips[clip]) && seconds > j->data->max_seconds;
}

static void set_facts(item *it, const am_cache_facts *facts) {
  it->seconds = facts->seconds;
  it->file_rate = facts->file_rate;
  it->digest = facts->digest;
  it->unheard = (uint8_t)facts->unheard;
}

static am_cache_facts facts_of(const item *it) {
  return (am_cache_facts){
      .seconds = it->seconds, .file_rate = it->file_rate, .unheard = it->unheard, .digest = it->digest};
}

static numbers placed(job *j, am_cache_place place) {
  j->on_disk = true;
  return (numbers){.is.at = place.at, .crc = place.crc, .file = place.file + 1};
}

/* Recall */

/* Memory for numbers that stay, or with too little room for them what is used for all in turn; NULL: there is none. */
static float *memory_for(job *j, size_t count, bool *stays) {
  am_context *ctx = j->store->ctx;
  *stays = am_add(j->store->held, am_mul(count, sizeof(float))) <= j->room;
  if (*stays) return am_resize(ctx, NULL, count, sizeof(float));
  return am_grow(ctx, &j->scratch, &j->scratch_room, count, sizeof(float), NULL) ? NULL : j->scratch;
}

/* One array of the cache: true when it is there and whole. */
static bool recall(job *j, uint64_t key, const char *name, numbers *out, int64_t *rows, int64_t *columns,
                   am_cache_facts *facts) {
  if (!am_cache_find(j->cache, key, rows, columns, facts)) return false;
  const size_t count = am_mul((size_t)*rows, (size_t)*columns);
  bool stays;
  float *data = memory_for(j, count, &stays);
  am_error why = AM_ERROR_INIT;
  am_cache_place place = {0};
  if (!data) return false;
  if (am_cache_read(j->cache, key, data, &place, &why)) {
    am_log(j->store->ctx, AM_LOG_WARNING, "feature cache: %s; computing %s again", why.message, name);
    if (stays) am_free(j->store->ctx, data);
    return false;
  }
  *out = (numbers){.is.x = data};
  if (stays) j->store->held += count * sizeof *data;
  else *out = placed(j, place);
  return true;
}

static void release(am_store *s, numbers *x, size_t count) {
  if (!x->file && x->is.x) s->held -= count * sizeof(float);
  am_numbers_free(s->ctx, x);
}

/* All that is wanted of a clip; nothing is kept when a part is missing.  What is too long is left to
 * the decoder, which refuses it as it would without a cache. */
static bool recall_clip(job *j, uint32_t clip) {
  am_store *s = j->store;
  item *it = &s->items[clip];
  waveform *sound = s->sounds ? &s->sounds[clip] : NULL;
  int64_t rows, columns, samples, one;
  am_cache_facts facts;
  const char *name = s->how.d->clips[clip].name;
  uint64_t key = am_store_x_key(j, clip);
  if (am_cache_find(j->cache, key, &rows, &columns, &facts) && too_long(j, clip, facts.seconds)) return false;
  if (!recall(j, key, name, &it->x, &rows, &columns, &facts)) return false;
  bool fits = columns == s->bins && rows < INT32_MAX;
  it->t = (int)rows;
  set_facts(it, &facts);
  if (fits && (!sound || recall(j, am_store_sound_key(j, clip), name, &sound->x, &samples, &one, &facts))) {
    if (sound) sound->n = (size_t)samples;
    it->ok = true;
    return true;
  }
  release(s, &it->x, (size_t)(rows * columns));
  return false;
}

static uint64_t stamp_of(const am_file_id *id) { return am_hash64(0, id, sizeof *id); }

/* Hosts have numbers of their own for the device that a file is on. */
static uint64_t add_file(uint64_t files, am_file_id id) {
  id.device = 0;
  return am_hash64(files, &id, sizeof id);
}

static void identify(job *j) {
  const am_clip *clips = j->store->how.d->clips;
  am_cache_folder folder = {.ctx = j->store->ctx};
  for (uint32_t i = 0; i < j->store->n; i++) {
    known *k = &j->known[i];
    am_file_id id = {0};
    if (i && !strcmp(clips[i].path, clips[i - 1].path)) { /* parts of one file stand together */
      *k = k[-1];
      continue;
    }
    const bool there = !am_file_identify(clips[i].path, &id, NULL);
    j->files = add_file(j->files, id);
    k->stamp = stamp_of(&id);
    if (!there || !j->cache || !am_cache_file_key(&folder, clips[i].path, &id, &k->file)) k->file = 0;
  }
  am_cache_folder_end(&folder);
}

static void recall_all(job *j) {
  if (!j->cache || j->store->how.under) return;
  for (size_t i = 0; i < j->n_todo; i++) {
    const uint32_t clip = j->todo[i];
    if (!j->store->items[clip].ok && j->known[clip].file) recall_clip(j, clip);
  }
}

/* Jobs that begin together want the same features: one computes them, and the others find them in the cache.  Where there is no
 * lock to be had they are computed all the same. */
static am_status wait_for_turn(job *j, const char *cache_dir, am_error *err) {
  enum { PATIENCE = 300 }; /* seconds: far more than a chunk takes, also where files come slowly */
  am_context *ctx = j->store->ctx;
  char *path = am_format(ctx, "%s/computing-%016llx.lock", cache_dir, (unsigned long long)j->x_key);
  am_error why = AM_ERROR_INIT;
  am_status status = path ? am_lock_wait(ctx, path, PATIENCE, &j->turn, &why) : am_no_memory(&why);
  am_free(ctx, path);
  if (status == AM_E_NOMEM || status == AM_E_STOPPED) return am_fail(err, status, "%s", why.message);
  if (status)
    am_log(ctx, AM_LOG_WARNING, "feature cache: %s; what is missing is computed here, perhaps a second time",
           why.message);
  if (am_lock_doubt(j->turn))
    am_log(ctx, AM_LOG_WARNING, "feature cache: %s: %s; other jobs may compute the same features meanwhile", cache_dir,
           am_lock_doubt(j->turn));
  return AM_OK;
}

/* Of processes that fill their stores together one waits for all; what came into the cache meanwhile is there. */
static am_status take_turn(job *j, const char *cache_dir, am_error *err) {
  am_status status = AM_OK;
  if (!j->missing || j->store->how.under) return AM_OK;
  if (j->cache && am_ranks_first(j->ranks)) status = wait_for_turn(j, cache_dir, err);
  status = am_ranks_agree(j->ranks, status, err);
  if (status || !j->cache) return status;
  const int before = am_cache_count(j->cache);
  am_error why = AM_ERROR_INIT;
  status = am_cache_refresh(j->cache, &why);
  if (status == AM_E_NOMEM) return am_no_memory(err);
  if (status) give_up_cache(j, why.message);
  else if (am_cache_count(j->cache) > before) recall_all(j);
  return AM_OK;
}

/* Leaves in todo what some process lacks. */
static am_status plan(job *j, const char *cache_dir, am_error *err) {
  am_status status = am_store_survey(j, err);
  if (!status && j->missing) {
    status = take_turn(j, cache_dir, err);
    if (!status) status = am_store_survey(j, err);
  }
  if (status) return status;
  size_t left = 0;
  for (size_t i = 0; i < j->n_todo; i++) {
    if (!j->givers[i].lacked) continue;
    j->givers[left] = j->givers[i];
    j->todo[left++] = j->todo[i];
  }
  j->store->counts.from_cache = j->n_todo - j->missing;
  j->n_todo = left;
  return AM_OK;
}

/* Compute */

static void compute_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  job *j = arg;
  am_store *s = j->store;
  const size_t at = j->mine[piece];
  const uint32_t clip = j->todo[at];
  outcome *o = &j->outcomes[at - j->first];
  item *it = &s->items[clip];
  computed c;
  o->status = am_store_compute(s->ctx, &s->how, clip, &c, &o->err);
  o->came = it->ok = !o->status;
  it->x.is.x = c.x;
  it->t = c.t;
  set_facts(it, &c.facts);
  if (s->sounds) s->sounds[clip] = (waveform){.x.is.x = c.sound, .n = c.n};
  am_file_id now;
  known *k = &j->known[clip];
  if (k->file && (am_file_identify(s->how.d->clips[clip].path, &now, NULL) || stamp_of(&now) != k->stamp))
    k->file = 0; /* changed under our hands: not for the cache */
}

static size_t cells_of(const am_store *s, uint32_t clip) { return (size_t)s->items[clip].t * (size_t)s->bins; }

/* The last: never recalled. */
static bool is_for_cache(const job *j, uint32_t clip) {
  const item *it = &j->store->items[clip];
  return j->known[clip].file && it->ok && !too_long(j, clip, it->seconds);
}

static void move_out(job *j, numbers *x, size_t count, uint64_t key) {
  am_cache_place place;
  if (x->file || !am_cache_written(j->cache, key, &place)) return;
  release(j->store, x, count);
  *x = placed(j, place);
}

/* What is on disk goes from memory, as far as there is too much of it. */
static void settle(job *j, size_t end) {
  am_store *s = j->store;
  for (; j->settled < end; j->settled++) {
    const uint32_t clip = j->todo[j->settled];
    if (s->held <= j->room || !is_for_cache(j, clip)) continue;
    move_out(j, &s->items[clip].x, cells_of(s, clip), am_store_x_key(j, clip));
    if (s->sounds) move_out(j, &s->sounds[clip].x, s->sounds[clip].n, am_store_sound_key(j, clip));
  }
}

/* Item i of todo, which came: it goes into the cache, of several processes by the first. */
static void remember(job *j, size_t i) {
  am_store *s = j->store;
  const uint32_t clip = j->todo[i];
  item *it = &s->items[clip];
  waveform *sound = s->sounds ? &s->sounds[clip] : NULL;
  s->held += (cells_of(s, clip) + (sound ? sound->n : 0)) * sizeof(float);
  if (!j->cache || !is_for_cache(j, clip) || !am_ranks_first(j->ranks)) return;
  const am_cache_facts facts = facts_of(it);
  am_error why = AM_ERROR_INIT;
  am_status status = am_cache_add(j->cache, am_store_x_key(j, clip), it->t, s->bins, &facts, it->x.is.x, &why);
  if (!status && sound)
    status = am_cache_add(j->cache, am_store_sound_key(j, clip), (int64_t)sound->n, 1, &facts, sound->x.is.x, &why);
  if (status) give_up_cache(j, why.message);
}

/* A shard, when there is enough for one, or of all that is left. */
static am_status write_shard(job *j, bool last, am_error *err) {
  const size_t pending = j->cache ? am_cache_pending(j->cache) : 0;
  bool written = pending > (last ? 0 : j->shard);
  am_error why = AM_ERROR_INIT;
  if (written && am_cache_flush(j->cache, &why)) {
    give_up_cache(j, why.message);
    written = false;
  }
  am_status status = am_store_share_shard(j, &written, err);
  if (!status && written) settle(j, j->end);
  return status;
}

/* More than was allowed is in memory, since there is nothing it could be read from. */
static void say_too_much(job *j) {
  const am_store *s = j->store;
  char limit[32];
  if (j->said || j->cache || s->held <= s->limit) return;
  j->said = true;
  am_bytes_to_text((int64_t)s->limit, limit);
  am_log(s->ctx, AM_LOG_WARNING,
         "the clips take more memory than data.memory allows (%s), and there is no cache that they could be read from: "
         "all stay in memory; give a folder with room for them (cache)",
         limit);
}

static void report(const job *j, bool finished) {
  const am_store *s = j->store;
  const am_augment_options *augment = s->how.augment;
  char copies[32];
  snprintf(copies, sizeof copies, "copies %d/%d", s->how.number, augment ? (int)augment->copies : 0);
  am_progress p = {.size = sizeof p,
                   .task = augment ? copies : "features",
                   .unit = "clips",
                   .done = s->counts.from_cache + j->done,
                   .total = s->counts.from_cache + j->missing,
                   .seconds = am_now() - j->began,
                   .finished = finished,
                   .note = s->counts.from_cache && !j->missing ? "from the cache" : NULL};
  am_progress_emit(s->ctx, &p);
}

/* Item i of todo, which could not be made. */
static am_status skip(job *j, size_t i, am_error *err) {
  am_store *s = j->store;
  const uint32_t clip = j->todo[i];
  am_error *why = &j->outcomes[i - j->first].err;
  const am_status status = j->outcomes[i - j->first].status;
  bool file_is_bad = status == AM_E_IO || status == AM_E_FORMAT || status == AM_E_NUMERIC || status == AM_E_DATA;
  const bool ends = !j->data->skip_unreadable || !file_is_bad || s->how.augment;
  if (ends && j->ranks) { /* it may be the host, and not the file */
    const int rank = j->givers[i].rank;
    am_error_prefix(why, "rank %d on %s", rank, am_ranks_host(j->ranks, rank));
  }
  if (s->how.augment) return am_fail(err, status, "%s", why->message); /* the clip itself could be read */
  if (ends) {
    am_status failed = am_fail(err, status, "%s", why->message);
    if (err && strstr(why->message, "the limit of") &&
        strlen(err->message) < 800) /* of what is too long (audio/sound.c) */
      strcat(err->message, ", or raise data.max_seconds");
    if (err && file_is_bad && strlen(err->message) < 900)
      strcat(err->message, " (data.skip_unreadable: true leaves such files out)");
    return failed;
  }
  am_log(s->ctx, AM_LOG_WARNING, "left out %s: %s", j->store->how.d->clips[clip].name, why->message);
  s->counts.skipped++;
  return AM_OK;
}

static void begin_chunk(job *j) {
  const size_t left = j->n_todo - j->first;
  const int me = am_ranks_rank(j->ranks);
  j->end = j->first + (left < j->chunk ? left : j->chunk);
  j->n_mine = 0;
  for (size_t i = j->first; i < j->end; i++) {
    j->outcomes[i - j->first] = (outcome){.err = AM_ERROR_INIT};
    if (!j->givers[i].has && j->givers[i].rank == me) j->mine[j->n_mine++] = i;
  }
}

static am_status compute_chunk(job *j, am_error *err) {
  begin_chunk(j);
  am_parallel_for(j->store->ctx, j->n_mine, compute_piece, j);
  j->store->counts.here += j->n_mine;
  am_status status = am_store_exchange(j, err);
  for (size_t i = j->first; i < j->end && !status; i++) {
    const outcome *o = &j->outcomes[i - j->first];
    if (o->status) status = skip(j, i, err);
    else if (o->came) remember(j, i);
    j->done += !j->givers[i].has;
  }
  return status;
}

static am_status stopped(const job *j, am_error *err) {
  const am_store_counts *n = &j->store->counts;
  return am_fail(err, AM_E_STOPPED, "stopped while computing features: %zu of %zu clips have theirs%s",
                 n->from_cache + j->done, n->from_cache + j->missing,
                 j->cache && !j->store->how.under ? "; the cache keeps them, and the next call goes on with it" : "");
}

static am_status compute_all(job *j, am_error *err) {
  am_context *ctx = j->store->ctx;
  report(j, !j->n_todo);
  am_status status = AM_OK;
  for (j->first = 0; j->first < j->n_todo && !status; j->first = j->end) {
    bool stopping = am_context_stopping(ctx);
    status = am_ranks_any(j->ranks, &stopping, err);
    if (!status && stopping) status = stopped(j, err);
    if (!status) status = compute_chunk(j, err);
    status = am_ranks_agree(j->ranks, status, err); /* so that all tell it alike */
    if (!status) status = write_shard(j, false, err);
    am_lock_touch(j->turn);
    say_too_much(j);
    report(j, status || j->end == j->n_todo);
  }
  return status;
}

/* What is done is kept, also when the rest failed or was stopped. */
static am_status keep_cache(job *j, am_status status, am_error *err) {
  am_error why = AM_ERROR_INIT;
  if (!status) status = write_shard(j, true, err);
  else if (j->cache && am_cache_flush(j->cache, &why)) give_up_cache(j, why.message);
  if (j->cache) leave_cache(j);
  return status;
}

/* Clips with nothing to hear: named, and with data.unheard leave_out put aside. */
static void judge_unheard(job *j) {
  am_store *s = j->store;
  bool keep = j->data->unheard == AM_UNHEARD_KEEP;
  for (uint32_t i = 0; i < s->n; i++) {
    item *it = &s->items[i];
    if (!it->ok || !it->unheard) continue;
    if (s->counts.unheard++ < NAMED)
      am_log(s->ctx, AM_LOG_WARNING, "%s %s: it is %s", keep ? "kept" : "left out", j->store->how.d->clips[i].name,
             am_unheard_name((am_unheard)it->unheard));
    if (keep) continue;
    it->ok = false;
    release(s, &it->x, cells_of(s, i));
    it->t = 0;
    if (!s->sounds) continue;
    release(s, &s->sounds[i].x, s->sounds[i].n);
    s->sounds[i].n = 0;
  }
  if (s->counts.unheard > NAMED)
    am_log(s->ctx, AM_LOG_WARNING, "%s %zu clips in all that are silent or shorter than 0.1 s",
           keep ? "kept" : "left out", s->counts.unheard);
}

/* Sounds of a lower rate than the features are made for lack their upper frequencies: a model hears them as another kind of
 * recording. */
static void say_low_rates(job *j) {
  const am_store *s = j->store;
  const double needed = am_features_rate_needed(am_features_options(s->how.fx));
  size_t n = 0;
  uint32_t example = 0;
  for (uint32_t i = (uint32_t)s->n; i-- > 0;)
    if (s->items[i].ok && s->items[i].file_rate > 0 && s->items[i].file_rate < needed) n++, example = i;
  if (n)
    am_log(s->ctx, AM_LOG_WARNING,
           "%zu of %zu clips %s a lower rate than the %g Hz that features.sample_rate makes use of, "
           "e.g. %s (%g Hz): what is missing in %s costs accuracy",
           n, s->n, am_count(n, "has", "have"), needed, j->store->how.d->clips[example].name,
           s->items[example].file_rate, am_count(n, "it", "them"));
}

static void find_longest(am_store *s) {
  s->max_frames = 0;
  for (size_t i = 0; i < s->n; i++)
    if (s->items[i].ok && s->items[i].t > s->max_frames) s->max_frames = s->items[i].t;
}

/* A chunk is the work of all processes between two exchanges. */
static am_status make_chunk(job *j, am_error *err) {
  am_context *ctx = j->store->ctx;
  const size_t ranks = (size_t)am_ranks_size(j->ranks), all = CHUNK * ranks;
  j->chunk = all < MOST ? all : ranks > MOST ? ranks : MOST;
  j->outcomes = am_alloc(ctx, j->chunk, sizeof *j->outcomes);
  j->mine = am_alloc(ctx, j->chunk, sizeof *j->mine);
  return j->outcomes && j->mine ? AM_OK : am_no_memory(err);
}

static am_status fill(job *j, const char *cache_dir, am_error *err) {
  am_store *s = j->store;
  am_error why = AM_ERROR_INIT;
  if (cache_dir && *cache_dir && am_cache_open(s->ctx, cache_dir, &j->cache, &why)) give_up_cache(j, why.message);
  if (j->cache || am_context_ranks(s->ctx)) identify(j);
  am_status status = am_store_share_begin(j, err);
  if (!status) status = make_chunk(j, err);
  if (!status) recall_all(j);
  if (!status) status = plan(j, cache_dir, err);
  if (!status) status = compute_all(j, err);
  status = keep_cache(j, status, err);
  am_lock_remove(j->turn);
  if (!j->on_disk) {
    am_cache_files_free(s->files);
    s->files = NULL;
  }
  if (status) return status;
  s->counts.computed = j->missing - s->counts.skipped;
  s->counts.seconds = am_now() - j->began;
  find_longest(s);
  if (s->how.augment) return AM_OK; /* the rest was said of the clips themselves */
  am_log(s->ctx, AM_LOG_DEBUG, "features of %zu clips: %zu from the cache (%s), %zu computed, in %.2f s", s->n,
         s->counts.from_cache, cache_dir && *cache_dir ? cache_dir : "none", s->counts.computed, s->counts.seconds);
  if (s->counts.skipped == s->n)
    return am_fail(err, AM_E_DATA, "%s: none of the %zu files could be read", s->how.d->root, s->n);
  judge_unheard(j);
  if (s->counts.skipped + s->counts.unheard == s->n && j->data->unheard == AM_UNHEARD_LEAVE_OUT)
    return s->n == 1 ? am_fail(err, AM_E_DATA, "%s: its only clip is silent or shorter than 0.1 s", s->how.d->root)
                     : am_fail(err, AM_E_DATA,
                               "%s: none of the %zu clips has anything to hear: %zu %s silent or shorter "
                               "than 0.1 s",
                               s->how.d->root, s->n, s->counts.unheard, am_count(s->counts.unheard, "is", "are"));
  find_longest(s);
  say_low_rates(j);
  return AM_OK;
}

static size_t limit_of(const am_data_options *data) {
  const uint64_t quarter = am_machine_memory() / 4;
  if (data->memory > 0) return (size_t)data->memory;
  return quarter && quarter < SIZE_MAX ? (size_t)quarter : SIZE_MAX; /* not known: as much as there are */
}

static void make_keys(job *j) {
  const recipe *how = &j->store->how;
  const uint64_t key = am_features_key(how->fx);
  j->x_key = how->augment ? am_augment_copy_key(how->augment, how->number, key) : key;
  j->sound_key = am_features_audio_key(how->fx);
}

static am_status make_room(am_store *s, job *j, am_error *err) {
  am_context *ctx = s->ctx;
  int t;
  am_features_shape(s->how.fx, 1, &t, &s->bins);
  j->began = am_now();
  j->shard = s->limit / 8 < least_shard ? least_shard : s->limit / 8 > most_shard ? most_shard : s->limit / 8;
  j->room = s->limit > 2 * j->shard ? s->limit - 2 * j->shard : 0;
  s->items = am_alloc(ctx, s->n + 1, sizeof *s->items);
  if (s->how.keep_sound) s->sounds = am_alloc(ctx, s->n + 1, sizeof *s->sounds);
  mending *m = am_alloc(ctx, 1, sizeof *m);
  if (m) pthread_mutex_init(&m->lock, NULL);
  s->mending = m;
  j->known = am_alloc(ctx, s->n + 1, sizeof *j->known);
  const bool all = s->items && (s->sounds || !s->how.keep_sound) && m && j->known && j->givers && j->todo;
  return all ? AM_OK : am_no_memory(err);
}

/* Of n `clips`, or with NULL of all. */
static am_status create(am_context *ctx, const recipe *how, const am_data_options *data, size_t limit,
                        const uint32_t *clips, size_t n, const char *cache_dir, am_store **out, am_error *err) {
  *out = NULL;
  am_store *s = am_alloc(ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  s->ctx = ctx;
  s->n = how->d->n;
  s->how = *how;
  s->how.max_seconds = data->max_seconds;
  s->limit = limit;
  if (how->augment) {
    s->augment = *how->augment;
    s->how.augment = &s->augment;
  }
  job j = {.store = s,
           .data = data,
           .n_todo = n,
           .todo = am_alloc(ctx, n + 1, sizeof *j.todo),
           .givers = am_alloc(ctx, n + 1, sizeof *j.givers)};
  for (size_t i = 0; j.todo && i < n; i++) j.todo[i] = clips ? clips[i] : (uint32_t)i;
  make_keys(&j);
  am_status status = make_room(s, &j, err);
  if (!status) status = fill(&j, cache_dir, err);
  s->how.under = NULL; /* the caller's; only what is from a cache is computed later, and that has none */
  am_free(ctx, j.scratch);
  am_free(ctx, j.givers);
  am_free(ctx, j.outcomes);
  am_free(ctx, j.mine);
  am_free(ctx, j.known);
  am_free(ctx, j.todo);
  if (status) am_store_free(s);
  else *out = s;
  return status;
}

am_status am_store_create(am_context *ctx, const am_dataset *d, const am_features *fx, const am_data_options *data,
                          const char *cache_dir, bool keep_sound, am_store **out, am_error *err) {
  const recipe how = {.d = d, .fx = fx, .keep_sound = keep_sound};
  return create(ctx, &how, data, limit_of(data), NULL, d->n, cache_dir, out, err);
}

am_status am_store_create_under(am_context *ctx, const am_dataset *d, const am_features *fx,
                                const am_data_options *data, const am_condition *under, const uint32_t *clips, size_t n,
                                am_store **out, am_error *err) {
  const recipe how = {.d = d, .fx = fx, .under = under};
  return create(ctx, &how, data, limit_of(data), clips, n, NULL, out, err);
}

am_status am_store_add_copies(am_store *s, const am_dataset *d, const am_features *fx, const am_data_options *data,
                              const char *cache_dir, const am_augment_options *o, const uint32_t *clips, size_t n,
                              am_error *err) {
  if (o->copies < 1) return AM_OK;
  am_status status = AM_OK;
  s->copies = am_alloc(s->ctx, (size_t)o->copies, sizeof *s->copies);
  if (!s->copies) return am_no_memory(err);
  for (int number = 1; number <= o->copies && !status; number++) {
    const recipe how = {.d = d, .fx = fx, .augment = o, .number = number};
    const size_t held = am_store_held(s), left = s->limit > held ? s->limit - held : 0;
    am_store *copy;
    status = create(s->ctx, &how, data, left, clips, n, cache_dir, &copy, err);
    if (!status) s->copies[s->n_copies++] = copy;
  }
  if (status) am_store_free_copies(s);
  return status;
}
