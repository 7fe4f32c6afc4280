/* SPDX-License-Identifier: MIT */
/* model/coverage.c - see coverage.h. */
#include "model/coverage.h"

#include <math.h>
#include <stdlib.h>

#include "base/number.h"

am_answer am_answer_of(const float *probabilities, int classes, int label) {
  const int class = am_largest(probabilities, classes);
  return (am_answer){(double)probabilities[class], class, class == label};
}

static int surest_first(const void *a, const void *b) {
  const am_answer *x = a, *y = b;
  return (x->p < y->p) - (x->p > y->p);
}

void am_answers_sort(am_answer *at, size_t n) {
  if (n) qsort(at, n, sizeof *at, surest_first);
}

/* The end of those that are as sure as answer i. */
static size_t end_of(const am_answer *at, size_t n, size_t i, size_t *wrong) {
  const double p = at[i].p;
  for (*wrong = 0; i < n && at[i].p == p; i++) *wrong += !at[i].right;
  return i;
}

/* Of the risks of the first 1, 2, ... n answers the sum; and each into out, unless NULL. */
static double walk(const am_answer *at, size_t n, double *out) {
  double before = 0, sum = 0;
  for (size_t i = 0, wrong; i < n; before += (double)wrong) {
    const size_t first = i, end = end_of(at, n, i, &wrong);
    for (; i < end; i++) {
      const double so_far = before + (double)wrong * (double)(i + 1 - first) / (double)(end - first);
      sum += so_far / (double)(i + 1);
      if (out) out[i] = so_far / (double)(i + 1);
    }
  }
  return sum;
}

void am_answers_risk(const am_answer *at, size_t n, double *out) { (void)walk(at, n, out); }

double am_answers_area(const am_answer *at, size_t n) { return n ? walk(at, n, NULL) / (double)n : NAN; }

double am_answers_coverage(const am_answer *at, size_t n, double precision, double *threshold) {
  size_t most = 0, all_wrong = 0;
  for (size_t i = 0, wrong; i < n;) {
    i = end_of(at, n, i, &wrong);
    all_wrong += wrong;
    if ((double)(i - all_wrong) / (double)i >= precision) most = i;
  }
  *threshold = most ? at[most - 1].p : NAN;
  return n ? (double)most / (double)n : NAN;
}
