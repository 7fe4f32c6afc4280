/* SPDX-License-Identifier: MIT */
/* ranks/ranks_sum.c - sums over all ranks, in the order of the tree.
 *
 * Piece p of an array is rank p's: all send it theirs, it adds them in the order of the tree, and all get the result from it.
 * So a rank sends and gets 2 (R-1)/R of the array.  A small array goes whole to all, and each rank adds for itself: that is more
 * bytes, and one message on the way in place of two.  The bits are the same. */
#include "ranks/ranks_inside.h"

#include <string.h>

enum { SMALL = 4096 }; /* bytes of an array that goes whole */

typedef enum sum_state { COMING, ADDING, GOING, DONE } sum_state;

/* What goes on with one rank: requests, and whether they are open. */
typedef struct lane {
  uint64_t out, in, result_out, result_in;
  bool sends, gets, sends_result, gets_result;
  bool result; /* its piece is here, or asked for */
} lane;

struct sum {
  sum *next;
  bool doubles, whole;
  sum_state state;
  char *values;
  size_t n, unit; /* of numbers; bytes of one */
  int tag, present;
  char *buffer; /* what came: a place a rank */
  size_t room;
  lane *lanes;
};

static size_t piece_at(const am_ranks *ranks, const sum *s, int rank) {
  const size_t each = s->n / (size_t)ranks->link.size, more = s->n % (size_t)ranks->link.size, r = (size_t)rank;
  return each * r + (r < more ? r : more);
}

static size_t piece_count(const am_ranks *ranks, const sum *s, int rank) {
  return piece_at(ranks, s, rank + 1) - piece_at(ranks, s, rank);
}

/* What this rank adds: numbers, and where they are in its array. */
static size_t own_count(const am_ranks *ranks, const sum *s) {
  return s->whole ? s->n : piece_count(ranks, s, ranks->link.rank);
}
static char *own_values(const am_ranks *ranks, const sum *s) {
  return s->values + (s->whole ? 0 : piece_at(ranks, s, ranks->link.rank) * s->unit);
}
static char *place_of(const am_ranks *ranks, const sum *s, int rank) {
  return rank == ranks->link.rank ? own_values(ranks, s) : s->buffer + (size_t)rank * own_count(ranks, s) * s->unit;
}

/* ---- adding ---- */

static void add_reals(am_real *to, const am_real *from, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] += from[i];
}
static void add_doubles(double *to, const double *from, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] += from[i];
}

/* Block by block, so that each is in the nearest cache until all ranks' are added. */
static void add_all(const am_ranks *ranks, const sum *s) {
  enum { BLOCK = 1024 };
  const size_t n = own_count(ranks, s);
  char *sum_at = place_of(ranks, s, 0), *own = own_values(ranks, s);
  for (size_t at = 0; at < n; at += BLOCK) {
    const size_t count = n - at < BLOCK ? n - at : BLOCK, offset = at * s->unit;
    for (int m = 0; m < ranks->link.size - 1; m++) {
      const am_ranks_merge *merge = &ranks->merges[m];
      if (merge->from >= s->present) continue; /* it has no leaves: the left one alone is the sum */
      char *to = place_of(ranks, s, merge->to) + offset;
      const char *from = place_of(ranks, s, merge->from) + offset;
      if (s->doubles) add_doubles((double *)(void *)to, (const double *)(const void *)from, count);
      else add_reals((am_real *)(void *)to, (const am_real *)(const void *)from, count);
    }
    if (sum_at != own) memcpy(own + offset, sum_at + offset, count * s->unit);
  }
}

/* ---- one sum ---- */

static void begin(am_ranks *ranks, sum *s) {
  const int me = ranks->link.rank, n = ranks->link.size;
  const size_t own = own_count(ranks, s) * s->unit;
  memset(s->lanes, 0, (size_t)n * sizeof *s->lanes);
  for (int k = 1; k < n && !ranks->fault.status; k++) {
    const int to = (me + k) % n, from = (me + n - k) % n;
    const size_t first = s->whole ? 0 : piece_at(ranks, s, to);
    const size_t count = s->whole ? s->n : piece_count(ranks, s, to);
    lane *in = &s->lanes[from], *out = &s->lanes[to];
    if (from < s->present && own)
      in->gets = am_ranks_receive(ranks, place_of(ranks, s, from), own, from, s->tag, &in->in);
    if (me < s->present && count)
      out->sends = am_ranks_send(ranks, s->values + first * s->unit, count * s->unit, to, s->tag, &out->out);
  }
}

/* The result of a piece comes to where it was sent from, so that has to be done. */
static void ask_for_result(am_ranks *ranks, sum *s, int rank) {
  lane *l = &s->lanes[rank];
  const size_t bytes = piece_count(ranks, s, rank) * s->unit;
  l->result = true;
  if (bytes)
    l->gets_result =
        am_ranks_receive(ranks, s->values + piece_at(ranks, s, rank) * s->unit, bytes, rank, s->tag + 1, &l->result_in);
}

static void send_results(am_ranks *ranks, sum *s) {
  const int me = ranks->link.rank, n = ranks->link.size;
  const size_t bytes = own_count(ranks, s) * s->unit;
  for (int k = 1; k < n && bytes && !ranks->fault.status; k++) {
    lane *l = &s->lanes[(me + k) % n];
    l->sends_result = am_ranks_send(ranks, own_values(ranks, s), bytes, (me + k) % n, s->tag + 1, &l->result_out);
  }
}

static void look(am_ranks *ranks, int peer, uint64_t *request, bool *open) {
  if (*open && am_ranks_test(ranks, peer, request)) *open = false;
}

/* With the lock, which is let go of while it adds. true: it added, so what was known before may be old. */
static bool go_on(am_ranks *ranks, sum *s) {
  bool come = true, all = true;
  for (int p = 0; p < ranks->link.size && !ranks->fault.status; p++) {
    lane *l = &s->lanes[p];
    if (p == ranks->link.rank) continue;
    look(ranks, p, &l->out, &l->sends);
    look(ranks, p, &l->in, &l->gets);
    look(ranks, p, &l->result_out, &l->sends_result);
    look(ranks, p, &l->result_in, &l->gets_result);
    if (!s->whole && !l->sends && !l->result) ask_for_result(ranks, s, p);
    come = come && !l->gets && !(s->whole && l->sends);
    all = all && !l->gets && !l->sends && !l->sends_result && !l->gets_result;
  }
  if (ranks->fault.status) return false;
  if (s->state == COMING && come) {
    s->state = ADDING;
    pthread_mutex_unlock(&ranks->lock);
    add_all(ranks, s);
    pthread_mutex_lock(&ranks->lock);
    s->state = s->whole ? DONE : GOING;
    if (!s->whole) send_results(ranks, s);
    return true;
  }
  if (s->state == GOING && all) s->state = DONE;
  return false;
}

/* ---- all of them ---- */

static bool all_done(am_ranks *ranks, void *arg) {
  (void)arg;
  for (const sum *s = ranks->begun; s; s = s->next)
    if (s->state != DONE) return false;
  return true;
}

void am_ranks_sums_go_on(am_ranks *ranks) {
  enum { AT_ONCE = 8 }; /* a link moves on all requests at each look at one: the first sums are enough to look at */
  int open = 0;
  for (sum *s = ranks->begun; s && open < AT_ONCE && !ranks->fault.status; s = s->next) {
    if (s->state == DONE) continue;
    open++;
    if (s->state != ADDING) go_on(ranks, s);
  }
  if (ranks->under_way_since > 0 && all_done(ranks, NULL)) {
    const double now = am_now(),
                 from = ranks->waiting_since > ranks->under_way_since ? ranks->waiting_since : ranks->under_way_since;
    const double waits = ranks->waiting_since > 0 ? now - from : 0;
    const double hidden = now - ranks->under_way_since - ranks->waited_meanwhile - waits;
    if (hidden > 0) ranks->count.hidden += hidden;
    ranks->under_way_since = 0;
  }
}

static void settle_one(am_ranks *ranks, int peer, uint64_t *request, bool *open, bool cancel) {
  look(ranks, peer, request, open);
  if (*open && cancel) ranks->link.cancel(&ranks->link, request), *open = false;
}

bool am_ranks_sums_settle(am_ranks *ranks, bool cancel) {
  bool all = true;
  for (sum *s = ranks->begun; s; s = s->next) {
    all = all && s->state != ADDING;
    for (int p = 0; p < ranks->link.size; p++) {
      lane *l = &s->lanes[p];
      settle_one(ranks, p, &l->out, &l->sends, cancel);
      settle_one(ranks, p, &l->in, &l->gets, cancel);
      settle_one(ranks, p, &l->result_out, &l->sends_result, cancel);
      settle_one(ranks, p, &l->result_in, &l->gets_result, cancel);
      all = all && !l->sends && !l->gets && !l->sends_result && !l->gets_result;
    }
  }
  return all;
}

static void let_go(am_ranks *ranks, sum *s) {
  am_free_aligned(ranks->ctx, s->buffer);
  am_free(ranks->ctx, s->lanes);
  am_free(ranks->ctx, s);
}

void am_ranks_sums_free(am_ranks *ranks) {
  for (int list = 0; list < 2; list++)
    for (sum *s = list ? ranks->spare : ranks->begun, *next; s; s = next) {
      next = s->next;
      let_go(ranks, s);
    }
}

/* A spare one with room enough, else any, else a new one; so a step takes no memory after the first. */
static am_status take(am_ranks *ranks, size_t bytes, sum **out, am_error *err) {
  sum **best = NULL;
  for (sum **at = &ranks->spare; *at; at = &(*at)->next)
    if (!best || ((*at)->room >= bytes ? (*best)->room < bytes || (*at)->room < (*best)->room
                                       : (*best)->room < bytes && (*at)->room > (*best)->room))
      best = at;
  sum *s = best ? *best : am_alloc(ranks->ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  if (best) *best = s->next;
  s->next = NULL;
  if (!s->lanes) s->lanes = am_alloc(ranks->ctx, (size_t)ranks->link.size, sizeof *s->lanes);
  if (s->lanes && s->room < bytes) {
    am_free_aligned(ranks->ctx, s->buffer);
    s->buffer = am_alloc_aligned(ranks->ctx, bytes);
    s->room = s->buffer ? bytes : 0;
  }
  if (s->lanes && s->room >= bytes) return *out = s, AM_OK;
  let_go(ranks, s);
  return am_no_memory(err);
}

static am_status begin_one(am_ranks *ranks, char *values, size_t n, bool doubles, am_error *err) {
  sum shape = {.values = values, .n = n, .doubles = doubles, .unit = doubles ? sizeof(double) : sizeof(am_real)};
  shape.whole = n * shape.unit <= SMALL || n < (size_t)ranks->link.size;
  sum *s = NULL, **end = &ranks->begun;
  pthread_mutex_lock(&ranks->lock);
  am_status status = am_ranks_fault(ranks, err);
  if (!status)
    status = take(ranks, am_mul(am_mul(own_count(ranks, &shape), shape.unit), (size_t)ranks->link.size), &s, err);
  if (!status) {
    shape.lanes = s->lanes;
    shape.buffer = s->buffer;
    shape.room = s->room;
    shape.tag = am_ranks_tag(ranks);
    shape.present = ranks->present;
    *s = shape;
    begin(ranks, s);
    while (*end) end = &(*end)->next;
    *end = s;
    if (!(ranks->under_way_since > 0)) {
      ranks->under_way_since = am_now();
      ranks->waited_meanwhile = 0;
    }
    pthread_cond_signal(&ranks->wake);
    status = am_ranks_fault(ranks, err);
  }
  if (status) am_ranks_settle(ranks);
  pthread_mutex_unlock(&ranks->lock);
  return status;
}

/* A large array is cut, so that adding and sending back what has come go on beside what still comes.  A message is short, too: the
 * words by which an MPI agrees on the next one wait behind it on the same connection.  Whole arrays went over TCP in one direction
 * after the other, and took twice as long. */
static am_status begin_sum(am_ranks *ranks, void *values, size_t n, bool doubles, am_error *err) {
  enum { PIECE = 1 << 19 }; /* bytes of one rank's */
  am_status status = AM_OK;
  if (!ranks->present) return am_fail(err, AM_E_USAGE, "a sum before am_ranks_batch");
  const size_t unit = doubles ? sizeof(double) : sizeof(am_real), most = PIECE / unit * (size_t)ranks->link.size;
  for (size_t at = 0; at < n && !status && ranks->link.size > 1; at += most)
    status = begin_one(ranks, (char *)values + at * unit, n - at < most ? n - at : most, doubles, err);
  return status;
}

am_status am_ranks_sum(am_ranks *ranks, am_real *values, size_t n, am_error *err) {
  return ranks ? begin_sum(ranks, values, n, false, err) : AM_OK;
}

am_status am_ranks_finish(am_ranks *ranks, am_error *err) {
  if (!ranks) return AM_OK;
  pthread_mutex_lock(&ranks->lock);
  const am_status status = am_ranks_wait(ranks, all_done, NULL, "a sum", err);
  sum *last = ranks->begun;
  while (last && last->next) last = last->next;
  if (!status && last) { /* where it failed, messages may still come into their places */
    last->next = ranks->spare;
    ranks->spare = ranks->begun;
    ranks->begun = NULL;
  }
  pthread_mutex_unlock(&ranks->lock);
  return status;
}

void am_ranks_drop(am_ranks *ranks) {
  if (!ranks) return;
  pthread_mutex_lock(&ranks->lock);
  am_ranks_settle(ranks);
  pthread_mutex_unlock(&ranks->lock);
}

static bool doubles_done(am_ranks *ranks, void *arg) {
  (void)arg;
  for (const sum *s = ranks->begun; s; s = s->next)
    if (s->doubles && s->state != DONE) return false;
  return true;
}

am_status am_ranks_sum_doubles(am_ranks *ranks, double *values, size_t n, am_error *err) {
  if (!ranks) return AM_OK;
  am_status status = begin_sum(ranks, values, n, true, err);
  if (status) return status;
  pthread_mutex_lock(&ranks->lock);
  status = am_ranks_wait(ranks, doubles_done, NULL, "a sum", err);
  for (sum **at = &ranks->begun; !status && *at;) {
    sum *s = *at;
    if (!s->doubles) {
      at = &s->next;
      continue;
    }
    *at = s->next;
    s->next = ranks->spare;
    ranks->spare = s;
  }
  pthread_mutex_unlock(&ranks->lock);
  return status;
}

/* ---- who has which leaves ---- */

static am_status plan(am_ranks *ranks, size_t groups, size_t *first, am_ranks_merge *merges, am_error *err) {
  if (am_ranks_plan(groups, ranks->link.size, first, merges)) return AM_OK;
  /* All find it alike, and one tells. */
  am_error mine = AM_ERROR_INIT;
  (void)am_fail(
      &mine, AM_E_USAGE,
      "%d ranks, but a batch has %zu group%s, so %zu rank%s of use; start fewer ranks, or take a larger batch",
      ranks->link.size, groups, am_count(groups, "", "s"), groups, am_count(groups, " is", "s are"));
  pthread_mutex_lock(&ranks->lock);
  am_ranks_known(ranks, AM_E_USAGE, &mine);
  pthread_mutex_unlock(&ranks->lock);
  return am_fail(err, AM_E_USAGE, "%s", mine.message);
}

am_status am_ranks_leaves(am_ranks *ranks, size_t groups, size_t *first, size_t *count, am_error *err) {
  *first = 0;
  *count = groups;
  if (!ranks) return AM_OK;
  size_t *all = am_alloc(ranks->ctx, (size_t)ranks->link.size + 1, sizeof *all);
  if (!all) return am_no_memory(err);
  const am_status status = plan(ranks, groups, all, NULL, err);
  if (!status) {
    *first = all[ranks->link.rank];
    *count = all[ranks->link.rank + 1] - *first;
  }
  am_free(ranks->ctx, all);
  return status;
}

am_status am_ranks_batch(am_ranks *ranks, size_t groups, size_t leaves, size_t *first, size_t *count, am_error *err) {
  size_t begin_at = 0, end_at = leaves;
  if (ranks) {
    if (!leaves || leaves > groups)
      return am_fail(err, AM_E_USAGE, "a batch of %zu leaves; wanted 1 to %zu", leaves, groups);
    pthread_mutex_lock(&ranks->lock);
    am_status status = ranks->begun ? am_fail(err, AM_E_USAGE, "a batch begins while sums are under way") : AM_OK;
    pthread_mutex_unlock(&ranks->lock);
    if (!status && ranks->groups != groups) status = plan(ranks, groups, ranks->first, ranks->merges, err);
    pthread_mutex_lock(&ranks->lock);
    if (!status) {
      ranks->groups = groups;
      ranks->present = 0;
      while (ranks->present < ranks->link.size && ranks->first[ranks->present] < leaves) ranks->present++;
      begin_at = ranks->first[ranks->link.rank];
      end_at = ranks->first[ranks->link.rank + 1];
      if (begin_at > leaves) begin_at = leaves;
      if (end_at > leaves) end_at = leaves;
    }
    pthread_mutex_unlock(&ranks->lock);
    if (status) return status;
  }
  if (first) *first = begin_at;
  if (count) *count = end_at - begin_at;
  return AM_OK;
}
