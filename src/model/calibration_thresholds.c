/* SPDX-License-Identifier: MIT */
/* model/calibration_thresholds.c - from which probability on a class is the answer (calibration.h). */
#include <math.h>

#include "audiomood/predict.h"
#include "base/number.h"
#include "model/calibration.h"
#include "model/coverage.h"

enum { FEW = 10 };               /* answers of a class that say nothing of it alone */
static const double DOUBT = 0.1; /* that the precision is not reached */

/* Whether at least `right` of n draws, each right with `precision`, are too improbable: then more than that is right.  The sum of
 * the binomial distribution from `right` on, of which each term is smaller than the one before. */
static bool surely_reached(size_t right, size_t n, double precision) {
  const double N = (double)n, q = 1 - precision;
  int sign;
  if ((double)right <= N * precision) return false;
  double k = (double)right, term = exp(lgamma_r(N + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(N - k + 1, &sign) +
                                       k * log(precision) + (N - k) * log(q));
  double sum = term;
  for (; k < N && term > 1e-9 * sum && sum <= DOUBT; k++) sum += term *= (N - k) / (k + 1) * precision / q;
  return sum <= DOUBT;
}

static bool reached(size_t right, size_t n, double precision) { return (double)right / (double)n >= precision; }

/* The lowest threshold from which on answers (n, surest first) reach the precision. */
static double lowest(const am_answer *at, size_t n, double precision,
                     bool (*enough)(size_t right, size_t n, double precision)) {
  double threshold = AM_NEVER;
  size_t right = 0;
  for (size_t i = 0; i < n; i++) {
    const bool last = i + 1 == n;
    right += at[i].right;
    if ((!last && at[i + 1].p == at[i].p) || !enough(right, i + 1, precision)) continue;
    threshold = last ? 0 : (at[i].p + at[i + 1].p) / 2;
  }
  return threshold;
}

/* Of the answers those of a class that a threshold leaves, into `own`. */
static size_t left(const am_answer *at, size_t n, int class, double threshold, am_answer *own) {
  size_t count = 0;
  for (size_t i = 0; i < n && at[i].p >= threshold; i++)
    if (at[i].class == class) own[count++] = at[i];
  return count;
}

static void fit(am_answer *at, size_t n, int classes, am_answer *own, am_thresholds *out) {
  am_answers_sort(at, n);
  const double all = lowest(at, n, out->precision, surely_reached);
  for (int k = 0; k < classes; k++) {
    const size_t count = left(at, n, k, all, own);
    out->at[k] = count < FEW ? all : fmax(all, lowest(own, count, out->precision, reached));
  }
}

am_status am_thresholds_fit(am_context *ctx, const float *probabilities, const int *labels, size_t n, int classes,
                            double precision, am_thresholds *out, am_error *err) {
  am_answer *at = am_alloc(ctx, am_add(am_mul(2, n), 1), sizeof *at); /* of all, and of one class */
  if (!at) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) at[i] = am_answer_of(probabilities + i * (size_t)classes, classes, labels[i]);
  *out = (am_thresholds){.precision = precision};
  fit(at, n, classes, at + n, out);
  am_free(ctx, at);
  return AM_OK;
}

int am_thresholds_decide(const am_thresholds *t, const float *probabilities, int classes) {
  const int class = am_largest(probabilities, classes);
  return (double)probabilities[class] >= t->at[class] ? class : AM_UNCERTAIN;
}

bool am_thresholds_allow(const am_thresholds *t, int classes) {
  if (!(t->precision > 0 && t->precision < 1)) return false;
  for (int k = 0; k < classes; k++)
    if (!((t->at[k] >= 0 && t->at[k] <= 1) || t->at[k] == AM_NEVER)) return false;
  return true;
}
