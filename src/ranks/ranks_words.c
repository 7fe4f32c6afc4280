/* SPDX-License-Identifier: MIT */
/* ranks/ranks_words.c - what ranks tell each other beside sums. */
#include "ranks/ranks_inside.h"

#include <stdio.h>
#include <string.h>

/* ---- bytes from rank 0 to all ---- */

static bool sent_or_here(am_ranks *ranks, void *arg) {
  const int *n = arg;
  bool all = true;
  for (int i = 0; i < *n; i++) {
    message *m = &ranks->messages[i];
    if (m->on && am_ranks_test(ranks, m->peer, &m->request)) m->on = false;
    all = all && !m->on;
  }
  return all;
}

/* What one message may have of so much. */
static size_t part(size_t bytes) { return bytes < AM_LINK_MOST_BYTES ? bytes : AM_LINK_MOST_BYTES; }

/* A block of at most AM_LINK_MOST_BYTES, by a tree of pairs: whoever has it gives it to the one twice as far. */
static am_status broadcast_block(am_ranks *ranks, void *data, size_t bytes, am_error *err) {
  const int me = ranks->link.rank, n = ranks->link.size;
  int step = 1, messages = 0;
  pthread_mutex_lock(&ranks->lock);
  const int tag = am_ranks_tag(ranks);
  am_status status = am_ranks_fault(ranks, err);
  if (!status && me) {
    while (step * 2 <= me) step *= 2;
    message *m = &ranks->messages[messages++];
    m->peer = me - step;
    m->on = am_ranks_receive(ranks, data, bytes, m->peer, tag, &m->request);
    status = am_ranks_wait(ranks, sent_or_here, &messages, "what rank 0 has", err);
    step *= 2;
    messages = 0;
  }
  for (; !status && me + step < n && !ranks->fault.status; step *= 2) {
    message *m = &ranks->messages[messages++];
    m->peer = me + step;
    m->on = am_ranks_send(ranks, data, bytes, m->peer, tag, &m->request);
  }
  if (!status) status = am_ranks_wait(ranks, sent_or_here, &messages, "what rank 0 has", err);
  pthread_mutex_unlock(&ranks->lock);
  return status;
}

am_status am_ranks_broadcast(am_ranks *ranks, void *data, size_t bytes, am_error *err) {
  am_status status = AM_OK;
  if (!ranks || ranks->link.size == 1) return AM_OK;
  for (size_t at = 0; at < bytes && !status; at += AM_LINK_MOST_BYTES)
    status = broadcast_block(ranks, (char *)data + at, part(bytes - at), err);
  return status;
}

/* ---- the blocks of all to all ---- */

/* One round: of each rank's block what is between `at` and at + AM_LINK_MOST_BYTES, to one rank or to all. */
static am_status collect_round(am_ranks *ranks, const char *mine, char *all, const size_t *ends, size_t at, int whom,
                               am_error *err) {
  const int me = ranks->link.rank, n = ranks->link.size;
  const size_t own = ends[me] - (me ? ends[me - 1] : 0);
  int messages = 2 * n;
  pthread_mutex_lock(&ranks->lock);
  const int tag = am_ranks_tag(ranks);
  for (int k = 1; k < n && !ranks->fault.status; k++) {
    const int to = (me + k) % n, from = (me + n - k) % n;
    message *out = &ranks->messages[2 * to], *in = &ranks->messages[2 * from + 1];
    const size_t begin = from ? ends[from - 1] : 0, theirs = ends[from] - begin;
    out->peer = to;
    in->peer = from;
    if (theirs > at && (whom == AM_RANKS_ALL || whom == me))
      in->on = am_ranks_receive(ranks, all + begin + at, part(theirs - at), from, tag, &in->request);
    if (own > at && (whom == AM_RANKS_ALL || whom == to))
      out->on = am_ranks_send(ranks, mine + at, part(own - at), to, tag, &out->request);
  }
  const am_status status = am_ranks_wait(ranks, sent_or_here, &messages, "what all have", err);
  pthread_mutex_unlock(&ranks->lock);
  return status;
}

am_status am_ranks_collect(am_ranks *ranks, const void *mine, void *whole, const size_t *ends, int whom,
                           am_error *err) {
  const int n = am_ranks_size(ranks), me = am_ranks_rank(ranks);
  const size_t begin = me ? ends[me - 1] : 0, own = ends[me] - begin;
  am_status status = AM_OK;
  size_t most = 0;
  if (own && (whom == AM_RANKS_ALL || whom == me) && mine != (char *)whole + begin)
    memcpy((char *)whole + begin, mine, own);
  for (int r = 0; r < n; r++) {
    const size_t theirs = ends[r] - (r ? ends[r - 1] : 0);
    if (theirs > most) most = theirs;
  }
  for (size_t at = 0; at < most && n > 1 && !status; at += AM_LINK_MOST_BYTES)
    status = collect_round(ranks, mine, whole, ends, at, whom, err);
  return status;
}

/* The first message has the size of the block, and its first bytes: of small ones it is the only one. */
typedef struct head {
  uint64_t bytes;
  char first[FIRST_BYTES];
} head;

am_status am_ranks_gather(am_ranks *ranks, am_context *ctx, const void *mine, size_t bytes, void **all, size_t *ends,
                          am_error *err) {
  const int n = am_ranks_size(ranks);
  head own = {.bytes = bytes};
  const size_t few = bytes < sizeof own.first ? bytes : sizeof own.first;
  size_t most = bytes, whole = 0;
  *all = NULL;
  if (few) memcpy(own.first, mine, few);
  head *heads = ranks ? (head *)(void *)ranks->heads : &own;
  am_status status = AM_OK;
  if (n > 1) {
    const size_t sent = offsetof(head, first) + few;
    status = am_ranks_exchange(ranks, am_ranks_tag(ranks), &own, sent, heads, sizeof own, "what all have", err);
  } else if (ranks) {
    *heads = own;
  }
  for (int r = 0; r < n && !status; r++) {
    whole = am_add(whole, (size_t)heads[r].bytes);
    ends[r] = whole;
    if (heads[r].bytes > most) most = (size_t)heads[r].bytes;
  }
  char *to = status ? NULL : am_resize(ctx, NULL, whole, 1);
  if (!status && !to) status = am_no_memory(err);
  for (int r = 0; r < n && !status; r++) {
    const size_t theirs = (size_t)heads[r].bytes, begin = ends[r] - theirs;
    if (r == am_ranks_rank(ranks) && bytes) memcpy(to + begin, mine, bytes);
    else if (theirs) memcpy(to + begin, heads[r].first, theirs < sizeof own.first ? theirs : sizeof own.first);
  }
  for (size_t at = sizeof own.first; at < most && n > 1 && !status; at += AM_LINK_MOST_BYTES)
    status = collect_round(ranks, mine, to, ends, at, AM_RANKS_ALL, err);
  if (!status) *all = to;
  else am_free(ctx, to);
  return status;
}

/* ---- small words ---- */

am_status am_ranks_any(am_ranks *ranks, bool *any, am_error *err) {
  const int n = am_ranks_size(ranks);
  if (n == 1) return AM_OK;
  const char mine = *any;
  const am_status status =
      am_ranks_exchange(ranks, am_ranks_tag(ranks), &mine, 1, ranks->kept, 1, "whether any has", err);
  for (int r = 0; r < n && !status; r++) *any = *any || ranks->kept[r];
  return status;
}

am_status am_ranks_barrier(am_ranks *ranks, am_error *err) {
  bool none = false;
  return am_ranks_any(ranks, &none, err);
}

/* The first line in which two texts differ: both begin there, and their lengths. */
static void find_difference(const char **a, const char **b, int *a_bytes, int *b_bytes) {
  size_t line = 0;
  for (size_t i = 0; (*a)[i] && (*a)[i] == (*b)[i]; i++)
    if ((*a)[i] == '\n') line = i + 1;
  *a += line;
  *b += line;
  *a_bytes = (int)strcspn(*a, "\n");
  *b_bytes = (int)strcspn(*b, "\n");
}

am_status am_ranks_same(am_ranks *ranks, const char *what, const char *text, am_error *err) {
  const int n = am_ranks_size(ranks);
  void *all = NULL;
  if (n == 1) return AM_OK;
  size_t *ends = am_alloc(ranks->ctx, (size_t)n, sizeof *ends);
  if (!ends) return am_no_memory(err);
  am_status status = am_ranks_gather(ranks, ranks->ctx, text, strlen(text) + 1, &all, ends, err);
  for (int r = 1; r < n && !status; r++) {
    const char *first = all, *other = first + ends[r - 1];
    int first_bytes, other_bytes;
    if (ends[r] - ends[r - 1] == ends[0] && !memcmp(first, other, ends[0])) continue;
    find_difference(&first, &other, &first_bytes, &other_bytes);
    status = am_fail(err, AM_E_USAGE, "rank %d on %s has another %s than rank 0 on %s: %.*s, not %.*s", r,
                     am_ranks_host(ranks, r), what, am_ranks_host(ranks, 0), other_bytes, other, first_bytes, first);
  }
  am_free(ranks->ctx, all);
  am_free(ranks->ctx, ends);
  return am_ranks_known(ranks, status, err);
}
