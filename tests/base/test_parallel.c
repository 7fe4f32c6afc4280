/* SPDX-License-Identifier: MIT */
/* The thread pool: every piece once, nesting, turns, any number of threads. Also run under TSan by hand. */
#include "testing.h"

#include <pthread.h>

#include "base/base.h"

static const int thread_counts[] = {1, 2, 4, 7};
enum { COUNTS = sizeof thread_counts / sizeof *thread_counts, MOST = 5000 };

typedef struct job {
  am_context *ctx;
  atomic_int runs[MOST];
  atomic_int busy[8]; /* by worker: no two pieces at once */
  atomic_int errors;
} job;

static void count_piece(void *arg, size_t piece, int worker) {
  job *j = arg;
  if (worker < 0 || worker >= am_context_threads(j->ctx)) {
    atomic_fetch_add(&j->errors, 1);
    return;
  }
  if (atomic_fetch_add(&j->busy[worker], 1)) atomic_fetch_add(&j->errors, 1);
  atomic_fetch_add(&j->runs[piece], 1);
  atomic_fetch_sub(&j->busy[worker], 1);
}

static void every_piece_runs_once(void **state) {
  (void)state;
  const size_t sizes[] = {0, 1, 2, 3, 8, 100, MOST};
  for (int t = 0; t < COUNTS; t++) {
    am_context *ctx = am_test_context(thread_counts[t], NULL);
    assert_int_equal(am_context_threads(ctx), thread_counts[t]);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      job *j = calloc(1, sizeof *j);
      j->ctx = ctx;
      const unsigned before = am_context_worked(ctx);
      am_parallel_for(ctx, sizes[s], count_piece, j);
      assert_int_equal(am_context_worked(ctx) - before, sizes[s]);
      for (size_t i = 0; i < MOST; i++) assert_int_equal(atomic_load(&j->runs[i]), i < sizes[s]);
      assert_int_equal(atomic_load(&j->errors), 0);
      free(j);
    }
    am_context_free(ctx);
  }
}

typedef struct nest {
  am_context *ctx;
  int outer_worker;
  atomic_int *total, *errors;
  int depth;
  size_t expected;
} nest;

static void nested_piece(void *arg, size_t piece, int worker) {
  nest *n = arg;
  if (n->depth > 0) { /* inside: in order, by the same worker */
    if (worker != n->outer_worker || piece != n->expected++) atomic_fetch_add(n->errors, 1);
  }
  if (n->depth == 2) {
    atomic_fetch_add(n->total, 1);
    return;
  }
  nest inner = *n;
  inner.depth++;
  inner.outer_worker = worker;
  inner.expected = 0;
  am_parallel_for(n->ctx, 5, nested_piece, &inner);
}

static void nested_calls_run_in_the_same_worker(void **state) {
  (void)state;
  for (int t = 0; t < COUNTS; t++) {
    am_context *ctx = am_test_context(thread_counts[t], NULL);
    atomic_int total = 0, errors = 0;
    nest n = {.ctx = ctx, .total = &total, .errors = &errors};
    am_parallel_for(ctx, 40, nested_piece, &n);
    assert_int_equal(atomic_load(&total), 40 * 5 * 5);
    assert_int_equal(atomic_load(&errors), 0);
    am_context_free(ctx);
  }
}

static void *outside_caller(void *arg) {
  job *j = arg;
  for (int i = 0; i < 300; i++) am_parallel_for(j->ctx, 1 + (size_t)i % 20, count_piece, j);
  return NULL;
}

static void outside_callers_take_turns(void **state) {
  (void)state;
  for (int t = 0; t < COUNTS; t++) {
    job *j = calloc(1, sizeof *j); /* one job for all: `busy` sees any two pieces of one worker at once */
    j->ctx = am_test_context(thread_counts[t], NULL);
    pthread_t callers[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&callers[i], NULL, outside_caller, j), 0);
    for (int i = 0; i < 4; i++) pthread_join(callers[i], NULL);
    int total = 0;
    for (int i = 0; i < 20; i++) total += atomic_load(&j->runs[i]);
    assert_int_equal(total, 4 * 15 * (20 * 21 / 2));
    assert_int_equal(atomic_load(&j->errors), 0);
    am_context_free(j->ctx);
    free(j);
  }
}

typedef struct sums {
  double *parts;
  const double *x;
} sums;

static void sum_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  sums *s = arg;
  for (size_t i = piece * 100; i < piece * 100 + 100; i++) s->parts[piece] += s->x[i];
}

/* What pieces wrote is seen by the caller, and does not depend on the number of threads. */
static void results_do_not_depend_on_threads(void **state) {
  (void)state;
  static double x[10000];
  double first[100] = {0};
  for (size_t i = 0; i < 10000; i++) x[i] = sin((double)i) * 1e6;
  for (int t = 0; t < COUNTS; t++) {
    am_context *ctx = am_test_context(thread_counts[t], NULL);
    double parts[100] = {0};
    am_parallel_for(ctx, 100, sum_piece, &(sums){parts, x});
    if (!t) memcpy(first, parts, sizeof parts);
    assert_memory_equal(first, parts, sizeof parts);
    am_context_free(ctx);
  }
}

typedef struct pair {
  am_context *other;
  atomic_int total;
} pair;

static void other_inner(void *arg, size_t piece, int worker) {
  (void)piece;
  (void)worker;
  atomic_fetch_add(&((pair *)arg)->total, 1);
}

static void other_piece(void *arg, size_t piece, int worker) {
  (void)piece;
  (void)worker;
  am_parallel_for(((pair *)arg)->other, 10, other_inner, arg);
}

static void pools_of_two_contexts_nest(void **state) {
  (void)state;
  am_context *a = am_test_context(3, NULL);
  pair p = {.other = am_test_context(3, NULL)};
  am_parallel_for(a, 50, other_piece, &p);
  assert_int_equal(atomic_load(&p.total), 500);
  am_context_free(p.other);
  am_context_free(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_piece_runs_once),      cmocka_unit_test(nested_calls_run_in_the_same_worker),
      cmocka_unit_test(outside_callers_take_turns), cmocka_unit_test(results_do_not_depend_on_threads),
      cmocka_unit_test(pools_of_two_contexts_nest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
