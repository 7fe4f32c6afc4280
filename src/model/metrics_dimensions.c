/* SPDX-License-Identifier: MIT */
/* model/metrics_dimensions.c - how good values of dimensions are, and how sure one can be of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/names.h"
#include "model/metrics.h"

enum { DRAWS = 2000, FIGURES = 4 /* of a dimension: ccc, pearson, rmse, mae */ };

/* ---- making them ---- */

static am_agreement undefined(void) { return (am_agreement){.ccc = NAN, .pearson = NAN, .rmse = NAN, .mae = NAN}; }

am_status am_metrics_create_dimensions(am_context *ctx, const char *const *names, int dimensions, am_metrics **out,
                                       am_error *err) {
  am_metrics *m = *out = am_alloc(ctx, 1, sizeof *m);
  if (!m) return am_no_memory(err);
  *m = (am_metrics){.ctx = ctx,
                    .dimensions = dimensions,
                    .ccc = NAN,
                    .ccc_low = NAN,
                    .ccc_high = NAN,
                    .loss = NAN,
                    .accuracy = NAN,
                    .uar = NAN,
                    .macro_f1 = NAN,
                    .ece = NAN,
                    .aurc = NAN,
                    .low = NAN,
                    .high = NAN,
                    .uar_low = NAN,
                    .uar_high = NAN};
  for (int i = 0; i < AM_COVERAGES; i++) m->coverage[i] = (am_coverage){NAN, NAN, NAN};
  m->interval = m->interval_text;
  m->dimension = am_alloc(ctx, (size_t)dimensions, sizeof *m->dimension);
  bool all = m->dimension != NULL;
  for (int k = 0; k < dimensions && all; k++) {
    m->dimension[k] = (am_dimension){.name = am_strdup(ctx, names[k]),
                                     .is = undefined(),
                                     .low = undefined(),
                                     .high = undefined(),
                                     .mean = NAN,
                                     .deviation = NAN,
                                     .true_mean = NAN,
                                     .true_deviation = NAN};
    all = m->dimension[k].name != NULL;
  }
  if (all) return AM_OK;
  am_metrics_free(m);
  *out = NULL;
  return am_no_memory(err);
}

/* ---- points ---- */

/* What sums are taken from: the mean of the true values of a dimension. */
static double origin_of(const float *truth, size_t n, size_t K, size_t k) {
  double sum = 0;
  size_t known = 0;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i * K + k])) sum += (double)truth[i * K + k], known++;
  return known ? sum / (double)known : 0;
}

static am_moments moments_of(const float *values, const float *truth, size_t n, size_t K, size_t k, double from) {
  am_moments m = {0};
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i * K + k])) am_moments_add(&m, (double)values[i * K + k], (double)truth[i * K + k], from);
  return m;
}

double am_metrics_concordance(const float *values, const float *truth, size_t n, int dimensions, double from) {
  const size_t K = (size_t)dimensions;
  double ccc[AM_MAX_CLASSES];
  for (size_t k = 0; k < K; k++) {
    const am_moments m = moments_of(values, truth, n, K, k, from);
    ccc[k] = am_agreement_of(&m).ccc;
  }
  return am_agreement_mean(ccc, K, sizeof *ccc);
}

static double deviation(double square, double mean) {
  const double v = square - mean * mean;
  return v > 0 ? sqrt(v) : 0;
}

static void describe(am_dimension *d, const am_moments *m, double from) {
  d->is = am_agreement_of(m);
  if (!(m->n > 0)) return;
  const double y = m->y / m->n, t = m->t / m->n;
  d->mean = from + y;
  d->true_mean = from + t;
  d->deviation = deviation(m->yy / m->n, y);
  d->true_deviation = deviation(m->tt / m->n, t);
}

static am_status check_values(const am_metrics *m, const float *values, am_error *err) {
  const size_t K = (size_t)m->dimensions;
  for (size_t i = 0; i < m->n * K; i++)
    if (!isfinite(values[i]))
      return am_fail(err, AM_E_NUMERIC, "metrics: the %s of clip %zu is %g", m->dimension[i % K].name, i / K,
                     (double)values[i]);
  return AM_OK;
}

/* ---- intervals ---- */

/* Clips of one speaker resemble each other, so whole speakers are drawn with replacement. */
typedef struct draws {
  size_t units, K;
  am_moments *table, *total; /* (units,K), (K) */
  double *values;            /* (K * FIGURES + 1, DRAWS) */
} draws;

static void draw(const draws *d, uint64_t seed, size_t index) {
  am_rng rng = am_rng_stream(seed, AM_FOR_BOOTSTRAP, index, 2, 0);
  double ccc[AM_MAX_CLASSES];
  memset(d->total, 0, d->K * sizeof *d->total);
  for (size_t u = 0; u < d->units; u++) {
    const am_moments *row = d->table + am_rng_below(&rng, d->units) * d->K;
    for (size_t k = 0; k < d->K; k++) am_moments_join(&d->total[k], &row[k]);
  }
  for (size_t k = 0; k < d->K; k++) {
    const am_agreement a = am_agreement_of(&d->total[k]);
    const double figures[FIGURES] = {a.ccc, a.pearson, a.rmse, a.mae};
    ccc[k] = a.ccc;
    for (size_t f = 0; f < FIGURES; f++) d->values[(k * FIGURES + f) * DRAWS + index] = figures[f];
  }
  d->values[d->K * FIGURES * DRAWS + index] = am_agreement_mean(ccc, d->K, sizeof *ccc);
}

/* Of the draws in which the figure is defined. */
static void percentiles(double *values, double *low, double *high) {
  size_t n = 0;
  for (size_t i = 0; i < DRAWS; i++)
    if (isfinite(values[i])) values[n++] = values[i];
  if (n) am_metrics_percentiles(values, n, low, high);
}

static void set_intervals(am_metrics *m, const draws *d) {
  for (size_t k = 0; k < d->K; k++) {
    am_agreement *low = &m->dimension[k].low, *high = &m->dimension[k].high;
    double *at = d->values + k * FIGURES * DRAWS;
    percentiles(at, &low->ccc, &high->ccc);
    percentiles(at + DRAWS, &low->pearson, &high->pearson);
    percentiles(at + 2 * DRAWS, &low->rmse, &high->rmse);
    percentiles(at + 3 * DRAWS, &low->mae, &high->mae);
  }
  percentiles(d->values + d->K * FIGURES * DRAWS, &m->ccc_low, &m->ccc_high);
}

static am_status bootstrap(am_metrics *m, const float *values, const float *truth, const double *from,
                           const size_t *unit, size_t units, uint64_t seed, am_error *err) {
  const size_t K = (size_t)m->dimensions;
  draws d = {.units = units, .K = K};
  d.table = am_alloc(m->ctx, am_mul(units, K), sizeof *d.table);
  d.total = am_alloc(m->ctx, K, sizeof *d.total);
  d.values = am_alloc(m->ctx, (K * FIGURES + 1) * DRAWS, sizeof *d.values);
  am_status status = d.table && d.total && d.values ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < m->n * K && !status; i++)
    if (!isnan(truth[i]))
      am_moments_add(&d.table[unit[i / K] * K + i % K], (double)values[i], (double)truth[i], from[i % K]);
  for (size_t i = 0; i < DRAWS && !status; i++) draw(&d, seed, i);
  if (!status) set_intervals(m, &d);
  am_free(m->ctx, d.values);
  am_free(m->ctx, d.total);
  am_free(m->ctx, d.table);
  return status;
}

static am_status intervals(am_metrics *m, const float *values, const float *truth, const double *from,
                           const int *speakers, uint64_t seed, am_error *err) {
  size_t units = 0, *slot = NULL, *unit = am_alloc(m->ctx, m->n + 1, sizeof *unit);
  am_status status = unit ? AM_OK : am_no_memory(err);
  if (!status && speakers && m->n) status = am_metrics_number_speakers(m, speakers, &slot, &units, err);
  const bool by_speaker = units >= 2;
  for (size_t i = 0; i < m->n && !status; i++) unit[i] = by_speaker ? slot[speakers[i]] : i;
  if (!by_speaker) units = m->n;
  snprintf(m->interval_text, sizeof m->interval_text, "bootstrap over %zu %s", units,
           by_speaker ? "speakers" : am_count(units, "clip", "clips"));
  if (!status && units) status = bootstrap(m, values, truth, from, unit, units, seed, err);
  am_free(m->ctx, slot);
  am_free(m->ctx, unit);
  return status;
}

static am_status compute(am_metrics *m, const float *values, const float *truth, const int *speakers, uint64_t seed,
                         am_error *err) {
  const size_t K = (size_t)m->dimensions;
  double *from = am_alloc(m->ctx, K, sizeof *from);
  if (!from) return am_no_memory(err);
  for (size_t k = 0; k < K; k++) {
    from[k] = origin_of(truth, m->n, K, k);
    const am_moments of = moments_of(values, truth, m->n, K, k, from[k]);
    describe(&m->dimension[k], &of, from[k]);
  }
  m->ccc = am_agreement_mean(&m->dimension[0].is.ccc, K, sizeof *m->dimension);
  am_status status = intervals(m, values, truth, from, speakers, seed, err);
  am_free(m->ctx, from);
  return status;
}

am_status am_metrics_compute_dimensions(am_context *ctx, const float *predicted, const float *truth,
                                        const int *speakers, size_t n, const char *const *names, int dimensions,
                                        uint64_t seed, am_metrics **out, am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, names);
  if (!status && n) status = AM_NEED(err, predicted);
  if (!status && n) status = AM_NEED(err, truth);
  if (!status && (dimensions < 1 || dimensions > AM_MAX_CLASSES))
    status = am_fail(err, AM_E_USAGE, "metrics of %d dimensions; wanted 1 to %d", dimensions, (int)AM_MAX_CLASSES);
  if (!status) status = am_metrics_create_dimensions(ctx, names, dimensions, out, err);
  if (status) return status;
  (*out)->n = n;
  status = check_values(*out, predicted, err);
  if (!status) status = compute(*out, predicted, truth, speakers, seed, err);
  if (!status) return AM_OK;
  am_metrics_free(*out);
  *out = NULL;
  return status;
}

bool am_metrics_scales(const am_metrics *m, const char **names, am_scale *scales) {
  bool all = m->dimensions > 0;
  for (int k = 0; k < m->dimensions; k++) {
    names[k] = m->dimension[k].name;
    scales[k] = m->dimension[k].scale;
    all &= am_scale_good(scales[k]);
  }
  return all;
}

/* ---- some clips apart ---- */

double am_metrics_mean_rmse(const am_agreement *of, int dimensions) {
  return am_agreement_mean(&of->rmse, (size_t)dimensions, sizeof *of);
}

/* Sums of the clips by a number that each has, 0 to `values` - 1, or -1: none. */
typedef struct tally {
  am_moments *of; /* (values, K) */
  size_t *n;      /* (values) clips */
} tally;

static void tally_free(am_context *ctx, tally *t) {
  am_free(ctx, t->of);
  am_free(ctx, t->n);
}

/* which: of the clips (m->n), or, with `clips`, of those of the dataset. */
static am_status tally_make(const am_metrics *m, const am_scored_clips *of, const uint32_t *clips, const int *which,
                            size_t values, tally *t, am_error *err) {
  const size_t K = (size_t)m->dimensions;
  *t = (tally){am_alloc(m->ctx, am_mul(values + 1, K), sizeof *t->of), am_alloc(m->ctx, values + 1, sizeof *t->n)};
  if (!t->of || !t->n) return am_no_memory(err);
  for (size_t i = 0; i < m->n; i++) {
    const int value = which[clips ? clips[i] : i];
    if (value < 0) continue;
    t->n[value]++;
    for (size_t k = 0; k < K; k++)
      if (!isnan(of->truth[i * K + k]))
        am_moments_add(&t->of[(size_t)value * K + k], (double)of->probabilities[i * K + k],
                       (double)of->truth[i * K + k], m->dimension[k].true_mean);
  }
  return AM_OK;
}

/* NULL: no memory. */
static am_agreement *agreements(const am_metrics *m, const tally *t, size_t value) {
  const size_t K = (size_t)m->dimensions;
  am_agreement *of = am_alloc(m->ctx, K, sizeof *of);
  for (size_t k = 0; k < K && of; k++) of[k] = am_agreement_of(&t->of[value * K + k]);
  return of;
}

enum { FEWEST = 2, MOST = 12 }; /* as metrics_groups.c */

static am_status add_groups(am_metrics *m, const am_trait *trait, const tally *t, am_error *err) {
  size_t here = 0;
  for (int v = 0; v < trait->n; v++) here += t->n[v] > 0;
  if (here < FEWEST || here > MOST) return AM_OK;
  am_group *moved = am_resize(m->ctx, m->groups, m->n_groups + here, sizeof *moved);
  if (!moved) return am_no_memory(err);
  m->groups = moved;
  for (int v = 0; v < trait->n; v++) {
    if (!t->n[v]) continue;
    am_group *g = &m->groups[m->n_groups++];
    *g = (am_group){.n = t->n[v], .accuracy = NAN, .uar = NAN};
    g->of = agreements(m, t, (size_t)v);
    g->trait = am_strdup(m->ctx, trait->name);
    g->value = am_strdup(m->ctx, trait->values[v]);
    if (!g->of || !g->trait || !g->value) return am_no_memory(err);
  }
  return AM_OK;
}

static am_status add_trait(am_metrics *m, const am_scored_clips *of, const am_trait *trait, am_error *err) {
  tally t;
  am_status status = tally_make(m, of, of->clips, trait->of, (size_t)trait->n, &t, err);
  if (!status) status = add_groups(m, trait, &t, err);
  tally_free(m->ctx, &t);
  return status;
}

/* By the mean error; names make the order one only. */
typedef struct ranked {
  am_speaker speaker;
  double error;
} ranked;

static int worst_first(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->error != y->error) return x->error > y->error ? -1 : 1;
  return am_natural_compare(x->speaker.name, y->speaker.name);
}

static am_status rank_speakers(am_metrics *m, const tally *t, size_t speakers, const char *const *names, ranked *all,
                               am_error *err) {
  size_t n = 0;
  bool failed = false;
  for (size_t s = 0; s < speakers; s++) {
    if (!t->n[s]) continue;
    am_speaker *one = &all[n].speaker;
    *one = (am_speaker){.n = t->n[s], .accuracy = NAN, .uar = NAN, .name = am_strdup(m->ctx, names[s])};
    one->of = agreements(m, t, s);
    failed |= !one->name || !one->of;
    const double error = one->of ? am_metrics_mean_rmse(one->of, m->dimensions) : NAN;
    all[n++].error = isnan(error) ? -1 : error; /* none of the values is known */
  }
  if (!failed && n) qsort(all, n, sizeof *all, worst_first);
  for (size_t i = 0; i < n; i++) m->speakers[m->n_speakers++] = all[i].speaker;
  return failed ? am_no_memory(err) : AM_OK;
}

am_status am_metrics_add_value_speakers(am_metrics *m, const am_scored_clips *of, const char *const *names,
                                        am_error *err) {
  size_t speakers = 0;
  for (size_t i = 0; i < m->n; i++)
    if (of->speakers[i] >= 0 && (size_t)of->speakers[i] >= speakers) speakers = (size_t)of->speakers[i] + 1;
  if (!speakers) return AM_OK;
  tally t;
  am_status status = tally_make(m, of, NULL, of->speakers, speakers, &t, err);
  ranked *all = am_alloc(m->ctx, speakers, sizeof *all);
  m->speakers = am_alloc(m->ctx, speakers, sizeof *m->speakers);
  if (!status && !(all && m->speakers)) status = am_no_memory(err);
  if (!status) status = rank_speakers(m, &t, speakers, names, all, err);
  am_free(m->ctx, all);
  tally_free(m->ctx, &t);
  return status;
}

/* ---- what stands out ---- */

static am_status note(am_metrics *m, const char *kind, double figure, char *text, am_error *err) {
  am_diagnosis *moved = text ? am_resize(m->ctx, m->diagnoses, m->n_diagnoses + 1, sizeof *moved) : NULL;
  if (!moved) {
    am_free(m->ctx, text);
    return am_no_memory(err);
  }
  m->diagnoses = moved;
  m->diagnoses[m->n_diagnoses++] = (am_diagnosis){kind, text, figure};
  return AM_OK;
}

/* An answer that hardly varies may have a small error all the same, and a scale that was read upside down hides in no other figure. */
static am_status diagnose(am_metrics *m, am_error *err) {
  static const double narrow = 0.25, reversed = -0.2;
  am_status status = AM_OK;
  for (int k = 0; k < m->dimensions && !status; k++) {
    const am_dimension *d = &m->dimension[k];
    if (d->is.n >= 20 && d->deviation < narrow * d->true_deviation)
      status = note(m, "narrow", d->deviation,
                    am_format(m->ctx,
                              "the predicted %s hardly varies: its standard deviation is %.3g, that of the "
                              "true values %.3g",
                              d->name, d->deviation, d->true_deviation),
                    err);
    if (!status && d->is.n >= 20 && d->is.pearson < reversed)
      status = note(m, "reversed", d->is.pearson,
                    am_format(m->ctx,
                              "the predicted %s goes against the true values (correlation %.2f); is its scale "
                              "the right way round?",
                              d->name, d->is.pearson),
                    err);
  }
  return status;
}

/* ---- all that is said of clips ---- */

/* Where clips are chunks of utterances: the mean of an utterance's chunks. */
static am_status add_utterances(am_metrics *m, const am_dataset *d, const am_scored_clips *of, uint64_t seed,
                                am_error *err) {
  const size_t K = (size_t)m->dimensions, n = m->n;
  float *values = am_alloc(m->ctx, am_mul(n + 1, K), sizeof *values),
        *truth = am_alloc(m->ctx, am_mul(n + 1, K), sizeof *truth);
  int *speakers = am_alloc(m->ctx, n + 1, sizeof *speakers);
  uint32_t *slot = am_alloc(m->ctx, d->n + 1, sizeof *slot), *count = am_alloc(m->ctx, n + 1, sizeof *count);
  size_t used = 0;
  am_status status = values && truth && speakers && slot && count ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) {
    uint32_t *at = &slot[d->clips[of->clips[i]].utterance];
    if (!*at) {
      *at = (uint32_t)++used;
      speakers[used - 1] = of->speakers[i];
      memcpy(truth + (used - 1) * K, of->truth + i * K, K * sizeof *truth);
    }
    count[*at - 1]++;
    for (size_t k = 0; k < K; k++) values[(*at - 1) * K + k] += of->probabilities[i * K + k];
  }
  for (size_t i = 0; i < used * K && !status; i++) values[i] /= (float)count[i / K];
  if (!status && used < n)
    status = am_metrics_compute_dimensions(m->ctx, values, truth, speakers, used, of->names, m->dimensions, seed,
                                           &m->per_utterance, err);
  am_free(m->ctx, count);
  am_free(m->ctx, slot);
  am_free(m->ctx, speakers);
  am_free(m->ctx, truth);
  am_free(m->ctx, values);
  return status;
}

am_status am_metrics_of_values(const am_dataset *d, const am_scored_clips *of, bool utterances, uint64_t seed,
                               am_metrics **out, am_error *err) {
  am_metrics *m = NULL;
  am_status status = am_metrics_compute_dimensions(d->ctx, of->probabilities, of->truth, of->speakers, of->n, of->names,
                                                   of->classes, seed, &m, err);
  for (int k = 0; k < of->classes && !status && of->scale; k++) m->dimension[k].scale = of->scale[k];
  if (!status && utterances) status = add_utterances(m, d, of, seed, err);
  for (size_t t = 0; t < d->n_traits && !status; t++) status = add_trait(m, of, &d->traits[t], err);
  if (!status) status = am_metrics_add_value_speakers(m, of, d->speakers, err);
  if (!status) status = diagnose(m, err);
  if (status) am_metrics_free(m), m = NULL;
  *out = m;
  return status;
}

/* ---- asked for ---- */

int am_metrics_dimensions(const am_metrics *m) { return m ? m->dimensions : 0; }

static const am_dimension *dimension(const am_metrics *m, int k) {
  return m && k >= 0 && k < m->dimensions ? &m->dimension[k] : NULL;
}

const char *am_metrics_dimension(const am_metrics *m, int k) { return dimension(m, k) ? dimension(m, k)->name : NULL; }

size_t am_metrics_dimension_clips(const am_metrics *m, int k) { return dimension(m, k) ? dimension(m, k)->is.n : 0; }

double am_metrics_ccc(const am_metrics *m, double *low, double *high) {
  const bool has = m && m->dimensions;
  if (low) *low = has ? m->ccc_low : NAN;
  if (high) *high = has ? m->ccc_high : NAN;
  return has ? m->ccc : NAN;
}

/* A member of am_agreement: of the figure and of the ends of its interval. */
static double figure(const am_metrics *m, int k, size_t member, double *low, double *high) {
  const am_dimension *d = dimension(m, k);
  const am_agreement none = undefined(), *at[3] = {d ? &d->is : &none, d ? &d->low : &none, d ? &d->high : &none};
  double value[3];
  for (int i = 0; i < 3; i++) value[i] = *(const double *)(const void *)((const char *)at[i] + member);
  if (low) *low = value[1];
  if (high) *high = value[2];
  return value[0];
}

double am_metrics_dimension_ccc(const am_metrics *m, int k, double *low, double *high) {
  return figure(m, k, offsetof(am_agreement, ccc), low, high);
}

double am_metrics_dimension_pearson(const am_metrics *m, int k, double *low, double *high) {
  return figure(m, k, offsetof(am_agreement, pearson), low, high);
}

double am_metrics_dimension_rmse(const am_metrics *m, int k, double *low, double *high) {
  return figure(m, k, offsetof(am_agreement, rmse), low, high);
}

double am_metrics_dimension_mae(const am_metrics *m, int k, double *low, double *high) {
  return figure(m, k, offsetof(am_agreement, mae), low, high);
}
