/* SPDX-License-Identifier: MIT */
/* ranks/ranks.c - see ranks.h: what all calls are made of, joining over a link, and leaving. */
#include "ranks/ranks_inside.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROTOCOL = 2 };

int am_ranks_rank(const am_ranks *ranks) { return ranks ? ranks->link.rank : 0; }
int am_ranks_size(const am_ranks *ranks) { return ranks ? ranks->link.size : 1; }
const char *am_ranks_library(const am_ranks *ranks) { return ranks ? ranks->link.name : ""; }
const char *am_ranks_host(const am_ranks *ranks, int rank) {
  return ranks && rank >= 0 && rank < ranks->link.size ? ranks->peers[rank].host : "";
}
am_ranks_count am_ranks_counts(const am_ranks *ranks) {
  am_ranks_count count = {0};
  if (!ranks) return count;
  am_ranks *r = (am_ranks *)ranks;
  pthread_mutex_lock(&r->lock);
  count = r->count;
  pthread_mutex_unlock(&r->lock);
  return count;
}

/* ---- failures ---- */

am_status am_ranks_fault(am_ranks *ranks, am_error *err) {
  return ranks->fault.status ? am_fail(err, ranks->fault.status, "%s", ranks->fault.message) : AM_OK;
}

am_status am_ranks_known(am_ranks *ranks, am_status status, const am_error *err) {
  if (status)
    snprintf(ranks->known, sizeof ranks->known, "%s", err && err->status ? err->message : am_status_name(status));
  return status;
}

void am_ranks_break(am_ranks *ranks, int origin, am_status status, const char *format, ...) {
  if (ranks->fault.status) return;
  char text[sizeof ranks->fault.message];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  (void)am_fail(&ranks->fault, status, "%s", text);
  ranks->origin = origin;
  ranks->unclean = true;
}

void am_ranks_lose(am_ranks *ranks, int peer, int code) {
  char why[200] = "";
  ranks->link.why(&ranks->link, code, why, sizeof why);
  if (peer < 0) {
    am_ranks_break(ranks, ranks->link.rank, AM_E_IO, "%s failed between the ranks: %s", ranks->link.name, why);
    return;
  }
  ranks->peers[peer].lost = true;
  am_ranks_break(ranks, peer, AM_E_IO, "rank %d on %s: the connection to it is lost: %s", peer, ranks->peers[peer].host,
                 why);
}

/* ---- messages ---- */

bool am_ranks_send(am_ranks *ranks, const void *data, size_t bytes, int to, int tag, uint64_t *request) {
  const int code = ranks->link.isend(&ranks->link, data, bytes, to, tag, request);
  if (code) return am_ranks_lose(ranks, to, code), false;
  ranks->count.bytes += bytes;
  ranks->count.messages++;
  return true;
}

bool am_ranks_receive(am_ranks *ranks, void *data, size_t room, int from, int tag, uint64_t *request) {
  const int code = ranks->link.irecv(&ranks->link, data, room, from, tag, request);
  if (code) am_ranks_lose(ranks, from, code);
  return !code;
}

bool am_ranks_test(am_ranks *ranks, int peer, uint64_t *request) {
  bool done = false;
  const int code = ranks->link.test(&ranks->link, request, &done);
  if (code) am_ranks_lose(ranks, peer, code);
  return !code && done;
}

void am_ranks_pump(am_ranks *ranks) {
  am_ranks_hear(ranks);
  am_ranks_sums_go_on(ranks);
}

void am_ranks_rest(unsigned turn) {
  enum { YIELDS = 20, FIRST_NS = 20000, MOST_NS = 1000000, TURNS_TO_DOUBLE = 4, DOUBLINGS = 6 };
  if (turn < YIELDS) {
    sched_yield();
    return;
  }
  const unsigned doublings = (turn - YIELDS) / TURNS_TO_DOUBLE;
  long ns = doublings < DOUBLINGS ? (long)FIRST_NS << doublings : MOST_NS;
  nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* A rank that left while others wait for a word of it, which it may have sent before: it gets some time to come. */
static void look_for_gone(am_ranks *ranks, double since, const char *what) {
  if (am_now() - since < ranks->patience / 2) return;
  for (int p = 0; p < ranks->link.size; p++)
    if (p != ranks->link.rank && ranks->peers[p].bye)
      am_ranks_break(ranks, p, AM_E_IO, "rank %d on %s: ended while others wait for it (%s)", p, ranks->peers[p].host,
                     what);
}

static bool messages_settle(am_ranks *ranks, bool cancel) {
  bool all = true;
  for (int i = 0; i < 2 * ranks->link.size; i++) {
    message *m = &ranks->messages[i];
    if (m->on && am_ranks_test(ranks, m->peer, &m->request)) m->on = false;
    if (m->on && cancel) ranks->link.cancel(&ranks->link, &m->request);
    m->on = m->on && !cancel;
    all = all && !m->on;
  }
  return all;
}

void am_ranks_settle(am_ranks *ranks) {
  const double moment = 0.25; /* s */
  const double since = am_now();
  for (unsigned turn = 0;; turn++) {
    const bool over = am_now() - since > moment;
    am_ranks_hear(ranks);
    const bool sums = am_ranks_sums_settle(ranks, over), messages = messages_settle(ranks, over);
    if (sums && messages) return;
    ranks->unclean = true;
    pthread_mutex_unlock(&ranks->lock);
    am_ranks_rest(turn);
    pthread_mutex_lock(&ranks->lock);
  }
}

am_status am_ranks_wait(am_ranks *ranks, bool (*done)(am_ranks *ranks, void *arg), void *arg, const char *what,
                        am_error *err) {
  const double since = am_now();
  am_status status = am_ranks_fault(ranks, err);
  atomic_fetch_add(&ranks->waiting, 1);
  ranks->waiting_since = since;
  ranks->calls++;
  for (unsigned turn = 0; !status; turn++) {
    am_ranks_pump(ranks);
    if (done(ranks, arg)) break; /* first: those that have it, too, may have left by it */
    look_for_gone(ranks, since, what);
    status = am_ranks_fault(ranks, err);
    if (status) break;
    pthread_mutex_unlock(&ranks->lock);
    am_ranks_rest(turn);
    pthread_mutex_lock(&ranks->lock);
  }
  if (status) am_ranks_settle(ranks);
  atomic_fetch_sub(&ranks->waiting, 1);
  const double now = am_now(), from = since > ranks->under_way_since ? since : ranks->under_way_since;
  ranks->count.waited += now - since;
  if (ranks->under_way_since > 0) ranks->waited_meanwhile += now - from;
  ranks->waiting_since = 0;
  ranks->calls++;
  return status;
}

int am_ranks_tag(am_ranks *ranks) { return TAG_FIRST + PHASES * (int)(ranks->sequence++ % TAG_SLOTS); }

static bool all_here(am_ranks *ranks, void *arg) {
  (void)arg;
  bool all = true;
  for (int i = 0; i < 2 * ranks->link.size; i++) {
    message *m = &ranks->messages[i];
    if (m->on && am_ranks_test(ranks, m->peer, &m->request)) m->on = false;
    all = all && !m->on;
  }
  return all;
}

am_status am_ranks_exchange(am_ranks *ranks, int tag, const void *mine, size_t bytes, void *all, size_t room,
                            const char *what, am_error *err) {
  const int me = ranks->link.rank, n = ranks->link.size;
  pthread_mutex_lock(&ranks->lock);
  for (int k = 1; k < n && !ranks->fault.status;
       k++) { /* each begins with its neighbour, so that not all talk to one */
    const int to = (me + k) % n, from = (me + n - k) % n;
    message *out = &ranks->messages[2 * to], *in = &ranks->messages[2 * from + 1];
    out->peer = to;
    in->peer = from;
    in->on = am_ranks_receive(ranks, (char *)all + (size_t)from * room, room, from, tag, &in->request);
    out->on = am_ranks_send(ranks, mine, bytes, to, tag, &out->request);
  }
  if (bytes) memcpy((char *)all + (size_t)me * room, mine, bytes);
  const am_status status = am_ranks_wait(ranks, all_here, NULL, what, err);
  pthread_mutex_unlock(&ranks->lock);
  return status;
}

/* ---- joining ---- */

typedef struct hello {
  char magic[8];
  uint32_t protocol, real;
  char version[32];
  char host[HOST_ROOM];
} hello;

static am_status greet(am_ranks *ranks, am_error *err) {
  hello mine = {.magic = "amranks", .protocol = PROTOCOL, .real = sizeof(am_real), .version = AM_VERSION};
  snprintf(mine.host, sizeof mine.host, "%s", ranks->host);
  const int n = ranks->link.size;
  hello *all = am_alloc(ranks->ctx, (size_t)n, sizeof *all);
  if (!all) return am_no_memory(err);
  am_status status = am_ranks_exchange(ranks, TAG_HELLO, &mine, sizeof mine, all, sizeof mine, "joining", err);
  for (int r = 0; r < n && !status; r++) {
    all[r].host[HOST_ROOM - 1] = '\0';
    if (memcmp(&all[r], &all[0], offsetof(hello, host)))
      status = am_fail(err, AM_E_USAGE,
                       "rank %d on %s runs another build of audiomood than rank 0 on %s; start the same one "
                       "on all hosts",
                       r, all[r].host, all[0].host);
  }
  pthread_mutex_lock(&ranks->lock);
  for (int r = 0; r < n && !status; r++) memcpy(ranks->peers[r].host, all[r].host, HOST_ROOM);
  ranks->greeted = !status;
  pthread_mutex_unlock(&ranks->lock);
  am_free(ranks->ctx, all);
  return status;
}

static void release(am_ranks *ranks) {
  if (!ranks) return;
  am_context *ctx = ranks->ctx;
  am_ranks_sums_free(ranks);
  am_free(ctx, ranks->peers);
  am_free(ctx, ranks->first);
  am_free(ctx, ranks->merges);
  am_free(ctx, ranks->messages);
  am_free(ctx, ranks->kept);
  am_free(ctx, ranks->heads);
  pthread_mutex_destroy(&ranks->lock);
  pthread_cond_destroy(&ranks->wake);
  am_free(ctx, ranks);
}

static am_ranks *make(am_context *ctx, const am_link *link) {
  const size_t n = (size_t)link->size;
  am_ranks *ranks = am_alloc(ctx, 1, sizeof *ranks);
  if (!ranks) return NULL;
  pthread_condattr_t how;
  ranks->ctx = ctx;
  ranks->link = *link;
  ranks->fault = (am_error)AM_ERROR_INIT;
  pthread_mutex_init(&ranks->lock, NULL);
  pthread_condattr_init(&how);
  pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
  pthread_cond_init(&ranks->wake, &how);
  pthread_condattr_destroy(&how);
  ranks->peers = am_alloc(ctx, n, sizeof *ranks->peers);
  ranks->first = am_alloc(ctx, n + 1, sizeof *ranks->first);
  ranks->merges = am_alloc(ctx, n, sizeof *ranks->merges);
  ranks->messages = am_alloc(ctx, 2 * n, sizeof *ranks->messages);
  ranks->kept = am_alloc(ctx, n, sizeof(control));
  ranks->heads = am_alloc(ctx, n, sizeof(uint64_t) + FIRST_BYTES);
  if (!ranks->peers || !ranks->first || !ranks->merges || !ranks->messages || !ranks->kept || !ranks->heads)
    return release(ranks), NULL;
  if (gethostname(ranks->host, sizeof ranks->host - 1)) memcpy(ranks->host, "?", 2);
  for (size_t r = 0; r < n; r++) memcpy(ranks->peers[r].host, "a host unknown", sizeof "a host unknown");
  return ranks;
}

/* From the environment; what is no number from 0 on counts as not given. */
static double seconds_in(const char *variable, double otherwise) {
  const char *text = getenv(variable);
  char *end = NULL;
  const double seconds = text ? strtod(text, &end) : 0;
  return text && end != text && seconds >= 0 ? seconds : otherwise;
}

double am_ranks_patience(void) {
  const double seconds = seconds_in("AM_RANKS_PATIENCE", 0);
  return seconds > 0 ? seconds : 20;
}
double am_ranks_hang(void) { return seconds_in("AM_RANKS_HANG", 1.25 * am_ranks_patience()); }

double am_ranks_until_turn(int turn, double seconds) {
  enum { MOST_TURNS = 5, LEAST = 5 /* s: a launcher on a busy machine needed more than 1 to end the others */ };
  const double each = seconds > 4 * LEAST ? seconds / 4 : LEAST;
  return seconds + each * (turn < MOST_TURNS ? turn : MOST_TURNS);
}

am_status am_ranks_join_over(am_context *ctx, const am_link *link, am_ranks **out, am_error *err) {
  enum { BEATS = 20, BEATS_IN_HANG = 8 };
  *out = NULL;
  if (link->size < 1 || link->rank < 0 || link->rank >= link->size)
    return am_fail(err, AM_E_IO, "%s: rank %d of %d", link->name, link->rank, link->size);
  am_ranks *ranks = make(ctx, link);
  if (!ranks) return am_no_memory(err);
  ranks->patience = am_ranks_patience();
  ranks->hang = am_ranks_hang();
  ranks->beat_each = ranks->patience / BEATS;
  if (ranks->hang > 0 && ranks->beat_each > ranks->hang / BEATS_IN_HANG) ranks->beat_each = ranks->hang / BEATS_IN_HANG;
  am_status status = am_ranks_watch_start(ranks, err);
  if (status) return release(ranks), status;
  status = greet(ranks, err);
  if (status) { /* as all ranks see it alike, they end alike */
    status = am_ranks_leave(ranks, status, err);
    am_ranks_free(ranks);
    return status;
  }
  *out = ranks;
  return AM_OK;
}

/* ---- leaving ---- */

static void say_last(am_ranks *ranks, int which, const control *word) {
  ranks->last[which] = *word;
  for (int p = 0; p < ranks->link.size; p++) {
    rank_state *to = &ranks->peers[p];
    if (p == ranks->link.rank || to->lost) continue;
    to->saying[which] = am_ranks_send(ranks, &ranks->last[which], sizeof *word, p, TAG_CONTROL, &to->said[which]);
  }
}

static bool all_said(am_ranks *ranks, int which) {
  bool all = true;
  for (int p = 0; p < ranks->link.size; p++) {
    rank_state *to = &ranks->peers[p];
    if (to->saying[which] && am_ranks_test(ranks, p, &to->said[which])) to->saying[which] = false;
    if (to->beating && am_ranks_test(ranks, p, &to->beat)) to->beating = false;
    all = all && (!(to->saying[which] || to->beating) || to->lost);
  }
  return all;
}

/* Waits until all others that are not lost have said their last word; after `limit` seconds it is enough, if there was a failure. */
static bool wait_for_last(am_ranks *ranks, int which, double limit) {
  const double since = am_now();
  for (unsigned turn = 0;; turn++) {
    am_ranks_pump(ranks);
    bool all = all_said(ranks, which), failed = ranks->unclean;
    for (int p = 0; p < ranks->link.size; p++) {
      const rank_state *of = &ranks->peers[p];
      if (p == ranks->link.rank || of->lost) continue;
      all = all && (which ? of->gone : of->bye);
      failed = failed || (of->bye && of->word.status);
    }
    if (all || (failed && am_now() - since > limit)) return all;
    pthread_mutex_unlock(&ranks->lock);
    am_ranks_rest(turn);
    pthread_mutex_lock(&ranks->lock);
  }
}

/* The one failure that all tell, of the words of all ranks that there are. */
static am_status first_failure(am_ranks *ranks, const control *const *words, am_error *err) {
  const int n = ranks->link.size;
  int first = -1, first_own = -1;
  bool alike = true;
  for (int r = 0; r < n; r++) {
    if (!words[r] || !words[r]->status) {
      alike = false;
      continue;
    }
    if (first < 0) first = r;
    if (first_own < 0 && words[r]->origin == r) first_own = r;
    if (strcmp(words[r]->message, words[first]->message)) alike = false;
  }
  if (first < 0) return AM_OK;
  const int r = first_own >= 0 ? first_own : first;
  const control *w = words[r];
  if (err) { /* what this rank said itself may be another failure */
    err->status = AM_OK;
    err->message[0] = '\0';
  }
  if (alike || w->origin != r) return am_fail(err, (am_status)w->status, "%s", w->message);
  return am_fail(err, (am_status)w->status, "rank %d on %s: %s", r, ranks->peers[r].host, w->message);
}

/* What this rank has to say. With the lock held: the fault is looked at. */
static control word_of(am_ranks *ranks, control_kind kind, am_status status, const am_error *err) {
  control w = {.kind = kind, .rank = ranks->link.rank, .status = status, .origin = ranks->link.rank};
  const char *text = err && err->status ? err->message : am_status_name(status);
  snprintf(w.host, sizeof w.host, "%s", ranks->host);
  if (status) snprintf(w.message, sizeof w.message, "%s", text);
  /* A failure that was told to it is that of another. */
  if (ranks->fault.status && status && ranks->origin != ranks->link.rank && !strcmp(text, ranks->fault.message))
    w.origin = ranks->origin;
  else if (status && *ranks->known && !strcmp(text, ranks->known)) w.origin = ALL;
  return w;
}

am_status am_ranks_agree(am_ranks *ranks, am_status status, am_error *err) {
  if (!ranks) return status;
  const int n = ranks->link.size;
  pthread_mutex_lock(&ranks->lock);
  const control mine = word_of(ranks, SAY_BEAT, status, err);
  pthread_mutex_unlock(&ranks->lock);
  am_error other = AM_ERROR_INIT;
  control *all = (control *)ranks->kept;
  const am_status broken = am_ranks_exchange(ranks, am_ranks_tag(ranks), &mine, sizeof mine, all, sizeof mine,
                                             "whether all is well", &other);
  if (broken && status) return status; /* its own failure is the better news; leaving sorts them out */
  if (broken) return am_fail(err, broken, "%s", other.message);
  const control **words = am_alloc(ranks->ctx, (size_t)n, sizeof *words);
  if (!words) return am_no_memory(err);
  for (int r = 0; r < n; r++) words[r] = &all[r];
  status = first_failure(ranks, words, err);
  am_free(ranks->ctx, words);
  return am_ranks_known(ranks, status, err);
}

static void tell(am_ranks *ranks, am_status status, const am_error *err) {
  am_log(ranks->ctx, AM_LOG_ERROR, "%s", err && err->status ? err->message : am_status_name(status));
  ranks->told = true;
}

am_status am_ranks_leave(am_ranks *ranks, am_status status, am_error *err) {
  if (!ranks || ranks->left) return status;
  ranks->left = true;
  const int n = ranks->link.size, me = ranks->link.rank;
  pthread_mutex_lock(&ranks->lock);
  atomic_fetch_add(&ranks->waiting, 1);
  const control mine = word_of(ranks, SAY_BYE, status, err);
  if (status) ranks->unclean = true;
  say_last(ranks, 0, &mine);
  if (status) am_ranks_settle(ranks);
  ranks->waiting_since = am_now();
  const bool all = wait_for_last(ranks, 0, ranks->patience);
  ranks->waiting_since = 0;
  const control **words = am_alloc(ranks->ctx, (size_t)n, sizeof *words);
  int speaker = me;
  for (int p = n - 1; words && p >= 0; p--) {
    const bool here = p == me || ranks->peers[p].bye;
    words[p] = p == me ? &mine : here ? &ranks->peers[p].word : NULL;
    if (here && p < speaker) speaker = p;
  }
  am_status whole = words ? first_failure(ranks, words, err) : am_no_memory(err);
  if (!whole) whole = am_ranks_fault(ranks, err);
  am_free(ranks->ctx, words);
  if (!all) ranks->unclean = true;
  ranks->met = all;
  atomic_fetch_sub(&ranks->waiting, 1);
  pthread_mutex_unlock(&ranks->lock);
  if (whole && speaker == me && me > 0) tell(ranks, whole, err); /* rank 0 would; it is not here */
  return whole;
}

void am_ranks_free(am_ranks *ranks) {
  if (!ranks) return;
  const int me = ranks->link.rank;
  if (!ranks->left) (void)am_ranks_leave(ranks, AM_OK, NULL);
  pthread_mutex_lock(&ranks->lock);
  atomic_fetch_add(&ranks->waiting, 1);
  const control word = {.kind = SAY_GONE, .rank = ranks->link.rank};
  say_last(ranks, 1, &word);
  const bool all = wait_for_last(ranks, 1, am_ranks_until_turn(me, ranks->patience * (ranks->met ? 1 : 0.25)));
  const bool told = ranks->told || me == 0 || ranks->peers[0].gone;
  pthread_mutex_unlock(&ranks->lock);
  bool lost = false;
  for (int p = 0; p < ranks->link.size; p++) lost = lost || ranks->peers[p].lost;
  am_ranks_watch_end(ranks);
  if (!all && !told) tell(ranks, AM_E_IO, &ranks->fault);
  if (!all) ranks->link.abort(&ranks->link, 1);
  ranks->link.finish(&ranks->link, !ranks->unclean ? AM_LINK_DONE : lost ? AM_LINK_LOST : AM_LINK_FAILED);
  release(ranks);
}
