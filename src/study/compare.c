/* SPDX-License-Identifier: MIT */
/* study/compare.c - is one classifier better than another on the same clips? */
#include "study/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { DRAWS = 10000 };

/* ---- McNemar ---- */

/* P(X = m) and P(X <= m) of Binomial(n, 1/2), each term from the one above it. */
static double tail(uint64_t m, uint64_t n, double *point) {
  int sign;
  double N = (double)n, M = (double)m;
  double term = exp(lgamma_r(N + 1, &sign) - lgamma_r(M + 1, &sign) - lgamma_r(N - M + 1, &sign) - N * log(2));
  double sum = 0;
  *point = term;
  for (uint64_t k = m;; k--) {
    sum += term;
    if (!k || term < sum * 1e-18) return sum;
    term *= (double)k / (double)(n - k + 1);
  }
}

am_mcnemar am_mcnemar_test(uint64_t only_a, uint64_t only_b) {
  am_mcnemar t = {only_a, only_b, 1, 1};
  uint64_t n = only_a + only_b, m = only_a < only_b ? only_a : only_b;
  double point;
  if (only_a == only_b) return t; /* as even as can be, or no clip to tell them apart */
  double below = tail(m, n, &point);
  t.exact = fmin(1, 2 * below);
  t.mid = 2 * below - point;
  return t;
}

/* ---- the paired bootstrap ---- */

/* What a unit (a speaker, or a clip) adds to a class. */
typedef struct cell {
  double clips, a, b;
} cell;

typedef struct draws {
  am_context *ctx;
  cell *table; /* (units, K) */
  cell *total; /* (K) */
  size_t units;
  int classes;
} draws;

static void add(cell *to, const cell *from) {
  to->clips += from->clips;
  to->a += from->a;
  to->b += from->b;
}

/* Differences of accuracy and of UAR, over the classes that were drawn, and how many these are. */
static int differences(const draws *d, double *accuracy, double *uar) {
  cell all = {0};
  int classes = 0;
  *uar = 0;
  for (int k = 0; k < d->classes; k++) {
    const cell *c = &d->total[k];
    add(&all, c);
    if (!(c->clips > 0)) continue;
    *uar += (c->b - c->a) / c->clips;
    classes++;
  }
  *accuracy = (all.b - all.a) / all.clips;
  *uar /= classes;
  return classes;
}

static void draw(draws *d, uint64_t seed, size_t index, double *accuracy, double *uar) {
  am_rng rng = am_rng_stream(seed, AM_FOR_BOOTSTRAP, index, 1, 0);
  size_t K = (size_t)d->classes;
  memset(d->total, 0, K * sizeof *d->total);
  for (size_t u = 0; u < d->units; u++) {
    const cell *row = d->table + am_rng_below(&rng, d->units) * K;
    for (size_t k = 0; k < K; k++) add(&d->total[k], &row[k]);
  }
  differences(d, accuracy, uar);
}

static am_status intervals(draws *d, uint64_t seed, am_paired *out, am_error *err) {
  double *accuracy = am_alloc(d->ctx, 2 * DRAWS, sizeof *accuracy);
  if (!accuracy) return am_no_memory(err);
  double *uar = accuracy + DRAWS;
  for (size_t i = 0; i < DRAWS; i++) draw(d, seed, i, &accuracy[i], &uar[i]);
  am_metrics_percentiles(accuracy, DRAWS, &out->accuracy_low, &out->accuracy_high);
  am_metrics_percentiles(uar, DRAWS, &out->uar_low, &out->uar_high);
  am_free(d->ctx, accuracy);
  return AM_OK;
}

/* Speakers are numbered from 0 here; how many, and whether all are known. */
static size_t count_speakers(const int *speakers, size_t n, bool *known) {
  int most = -1;
  *known = true;
  for (size_t i = 0; i < n; i++) {
    if (speakers[i] < 0) *known = false;
    if (speakers[i] > most) most = speakers[i];
  }
  return (size_t)(most + 1);
}

am_status am_paired_bootstrap(am_context *ctx, const int *labels, const int *speakers, const double *right_a,
                              const double *right_b, size_t n, int classes, uint64_t seed, am_paired *out,
                              am_error *err) {
  *out = (am_paired){0};
  if (!n) return AM_OK;
  bool known;
  size_t found = count_speakers(speakers, n, &known), K = (size_t)classes;
  out->by_speaker = known && found >= 2;
  out->units = out->by_speaker ? found : n;
  draws d = {.ctx = ctx, .units = out->units, .classes = classes};
  d.table = am_alloc(ctx, am_mul(d.units, K), sizeof *d.table);
  d.total = am_alloc(ctx, K, sizeof *d.total);
  am_status status = d.table && d.total ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) {
    const cell one = {1, right_a[i], right_b[i]};
    size_t unit = out->by_speaker ? (size_t)speakers[i] : i;
    add(&d.table[unit * K + (size_t)labels[i]], &one);
    add(&d.total[labels[i]], &one);
  }
  if (!status) {
    out->scored = differences(&d, &out->accuracy, &out->uar);
    status = intervals(&d, seed, out, err);
  }
  am_free(ctx, d.total);
  am_free(ctx, d.table);
  return status;
}

/* ---- the paired bootstrap of concordance ---- */

typedef struct pair_sums {
  am_moments a, b;
} pair_sums;

typedef struct value_draws {
  pair_sums *table, *total; /* (units,K), (K) */
  size_t units, K;
  double *differences; /* (K + 1, DRAWS): of each dimension, of the mean */
} value_draws;

static void differ(const pair_sums *total, size_t K, double *a, double *b) {
  for (size_t k = 0; k < K; k++) {
    a[k] = am_agreement_of(&total[k].a).ccc;
    b[k] = am_agreement_of(&total[k].b).ccc;
  }
  a[K] = am_agreement_mean(a, K, sizeof *a);
  b[K] = am_agreement_mean(b, K, sizeof *b);
}

static void join(pair_sums *to, const pair_sums *from) {
  am_moments_join(&to->a, &from->a);
  am_moments_join(&to->b, &from->b);
}

static void draw_values(const value_draws *d, uint64_t seed, size_t index) {
  am_rng rng = am_rng_stream(seed, AM_FOR_BOOTSTRAP, index, 3, 0);
  double a[AM_MOST_DIMENSIONS + 1], b[AM_MOST_DIMENSIONS + 1];
  memset(d->total, 0, d->K * sizeof *d->total);
  for (size_t u = 0; u < d->units; u++) {
    const pair_sums *row = d->table + am_rng_below(&rng, d->units) * d->K;
    for (size_t k = 0; k < d->K; k++) join(&d->total[k], &row[k]);
  }
  differ(d->total, d->K, a, b);
  for (size_t k = 0; k <= d->K; k++) d->differences[k * DRAWS + index] = b[k] - a[k];
}

static void interval_of(double *values, struct am_paired_value *out) {
  size_t n = 0;
  out->low = out->high = NAN;
  for (size_t i = 0; i < DRAWS; i++)
    if (isfinite(values[i])) values[n++] = values[i];
  if (n) am_metrics_percentiles(values, n, &out->low, &out->high);
}

static void sum_up(value_draws *d, const float *truth, const float *a, const float *b, const int *speakers, size_t n,
                   bool by_speaker) {
  const size_t K = d->K;
  double from[AM_MOST_DIMENSIONS] = {0}; /* a true value, that all are near */
  for (size_t i = n * K; i-- > 0;)
    if (!isnan(truth[i])) from[i % K] = (double)truth[i];
  for (size_t i = 0; i < n * K; i++) {
    if (isnan(truth[i])) continue;
    const size_t k = i % K, unit = by_speaker ? (size_t)speakers[i / K] : i / K;
    pair_sums *at = &d->table[unit * K + k];
    const double t = (double)truth[i];
    am_moments_add(&at->a, (double)a[i], t, from[k]);
    am_moments_add(&at->b, (double)b[i], t, from[k]);
  }
  for (size_t u = 0; u < d->units; u++)
    for (size_t k = 0; k < K; k++) join(&d->total[k], &d->table[u * K + k]);
}

am_status am_paired_concordance(am_context *ctx, const float *truth, const float *a, const float *b,
                                const int *speakers, size_t n, int dimensions, uint64_t seed, am_paired_values *out,
                                am_error *err) {
  *out = (am_paired_values){.dimensions = dimensions};
  if (!n) return AM_OK;
  bool known;
  const size_t found = count_speakers(speakers, n, &known);
  out->by_speaker = known && found >= 2;
  out->units = out->by_speaker ? found : n;
  value_draws d = {.units = out->units, .K = (size_t)dimensions};
  d.table = am_alloc(ctx, am_mul(d.units, d.K), sizeof *d.table);
  d.total = am_alloc(ctx, d.K, sizeof *d.total);
  d.differences = am_alloc(ctx, (d.K + 1) * DRAWS, sizeof *d.differences);
  am_status status = d.table && d.total && d.differences ? AM_OK : am_no_memory(err);
  if (!status) {
    double of_a[AM_MOST_DIMENSIONS + 1], of_b[AM_MOST_DIMENSIONS + 1];
    sum_up(&d, truth, a, b, speakers, n, out->by_speaker);
    differ(d.total, d.K, of_a, of_b);
    for (size_t i = 0; i < DRAWS; i++) draw_values(&d, seed, i);
    for (size_t k = 0; k <= d.K; k++) {
      struct am_paired_value *to = k == d.K ? &out->mean : &out->of[k];
      *to = (struct am_paired_value){.a = of_a[k], .b = of_b[k], .difference = of_b[k] - of_a[k]};
      interval_of(d.differences + k * DRAWS, to);
    }
  }
  am_free(ctx, d.differences);
  am_free(ctx, d.total);
  am_free(ctx, d.table);
  return status;
}
