/* SPDX-License-Identifier: MIT */
/* tests/bench/ranks_ping.c MEGABYTES [SECONDS] - what sums and words between ranks cost, for tools/ranks-scaling: started by mpirun.
 *
 * A line for each kind and size, by rank 0: WHAT BYTES MEDIAN LEAST CPU, in seconds a call; CPU is processor time of rank 0.  Sizes of
 * sums go up to so many megabytes; each is measured for about SECONDS (0.5).  `word` is the least that ranks say to each other, and
 * `late` what a word takes beyond the computing before it: no rank computes as long as another, and who waits long sleeps.
 * `beside` is what computing takes longer because of a sum of 16 MB, if alone it takes as long as the sum alone. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "ranks/ranks.h"

enum { WORDS = 20, BESIDE = 16 << 20 }; /* words of one measurement of late ones; bytes of a sum beside computing */
static const double WORK = 0.002;       /* s before each */

typedef struct ping {
  am_context *ctx;
  am_ranks *ranks;
  am_real *values;
  double seconds;
  double work; /* s of processor time beside a sum */
} ping;

static void log_errors(void *user, am_log_level level, const char *line) {
  (void)user;
  if (level == AM_LOG_ERROR) fprintf(stderr, "ranks_ping: %s\n", line);
}

static double used(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef am_status action(ping *p, size_t bytes, am_error *err);

static am_status a_word(ping *p, size_t bytes, am_error *err) {
  (void)bytes;
  return am_ranks_barrier(p->ranks, err);
}
/* Processor time of the other ranks on the same cores is no part of it. */
static am_status words_late(ping *p, size_t bytes, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < bytes && !status; i++) {
    for (const double until = used() + WORK; used() < until;) continue;
    status = am_ranks_barrier(p->ranks, err);
  }
  return status;
}
static double used_by_thread(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static am_status computing_beside(ping *p, size_t bytes, am_error *err) {
  am_status status = am_ranks_sum(p->ranks, p->values, bytes / sizeof(am_real), err);
  for (const double until = used_by_thread() + p->work; used_by_thread() < until;) continue;
  return status ? status : am_ranks_finish(p->ranks, err);
}
static am_status a_sum(ping *p, size_t bytes, am_error *err) {
  am_status status = am_ranks_sum(p->ranks, p->values, bytes / sizeof(am_real), err);
  return status ? status : am_ranks_finish(p->ranks, err);
}

/* What is measured: `turns` in one call, and the seconds of computing before or beside each, which are no part of it. */
typedef struct kind {
  const char *what;
  action *act;
  size_t bytes, turns;
  double work;
} kind;

/* All ranks stop after the same turn: rank 0 says after which. */
static am_status measure(ping *p, kind k, am_error *err) {
  enum { MOST = 4000, LEAST = 5 };
  static double took[MOST];
  int n = 0;
  const double from = am_now(), turns = (double)k.turns;
  double cpu = 0;
  bool over = false;
  am_status status = k.act(p, k.bytes, err); /* memory is taken, connections are made */
  while (!status && !over) {
    status = am_ranks_barrier(p->ranks, err);
    const double begun = am_now(), before = used();
    if (!status) status = k.act(p, k.bytes, err);
    took[n++] = am_now() - begun;
    cpu += used() - before;
    over = am_ranks_first(p->ranks) && (n == MOST || (n >= LEAST && am_now() - from > p->seconds));
    if (!status) status = am_ranks_any(p->ranks, &over, err);
  }
  if (status || !am_ranks_first(p->ranks)) return status;
  const double cores = (double)sysconf(_SC_NPROCESSORS_ONLN), ranks = am_ranks_size(p->ranks);
  const double work = k.work * (ranks > cores ? ranks / cores : 1); /* ranks share the cores */
  for (int i = 0; i < n; i++) took[i] = took[i] / turns > work ? took[i] / turns - work : 0;
  qsort(took, (size_t)n, sizeof *took, by_size);
  if (k.act == a_sum && k.bytes == BESIDE) p->work = took[n / 2];
  printf("%s %zu %.9f %.9f %.9f\n", k.what, k.bytes, took[n / 2], took[0], cpu / n / turns - k.work);
  return AM_OK;
}

int main(int n, char **arguments) {
  am_settings settings = {.size = sizeof settings, .threads = 1, .log = log_errors};
  ping p = {.seconds = n > 2 ? strtod(arguments[2], NULL) : 0.5};
  am_error err = AM_ERROR_INIT;
  const size_t most = n > 1 ? (size_t)strtol(arguments[1], NULL, 10) << 20 : 0;
  if (!most) return 2;
  am_status status = am_context_create(&settings, &p.ctx, &err);
  if (!status) status = am_ranks_join(p.ctx, &p.ranks, &err);
  if (!status) p.values = am_alloc_aligned(p.ctx, most);
  if (!status && !p.values) status = am_no_memory(&err);
  const size_t ranks = (size_t)am_ranks_size(p.ranks);
  if (!status) status = am_ranks_batch(p.ranks, ranks, ranks, NULL, NULL, &err);
  if (!status) status = measure(&p, (kind){"word", a_word, 1, 1, 0}, &err);
  if (!status) status = measure(&p, (kind){"late", words_late, WORDS, WORDS, WORK}, &err);
  for (size_t bytes = 1024; bytes <= most && !status; bytes *= 4)
    status = measure(&p, (kind){"sum", a_sum, bytes, 1, 0}, &err);
  /* All have the time of rank 0, and the same work. */
  if (!status) status = am_ranks_broadcast(p.ranks, &p.work, sizeof p.work, &err);
  if (!status && most >= BESIDE) status = measure(&p, (kind){"beside", computing_beside, BESIDE, 1, p.work}, &err);
  status = am_ranks_leave(p.ranks, status, &err);
  if (status) fprintf(stderr, "ranks_ping: %s\n", err.message);
  am_ranks_free(p.ranks);
  if (p.ctx) am_free_aligned(p.ctx, p.values);
  am_context_free(p.ctx);
  return status ? 1 : 0;
}
