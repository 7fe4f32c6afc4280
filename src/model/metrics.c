/* SPDX-License-Identifier: MIT */
/* model/metrics.c - how good predictions are, and how sure one can be of it.
 *
 * Accuracy, recall, precision and F1 as scikit-learn defines them.  Both means are over the classes that occur among
 * the clips, and over no other: the unweighted average recall (balanced_accuracy_score) and macro F1 (f1_score with
 * average="macro" and those classes as labels).  Such a mean says little without their number (m->scored).
 * Calibration error: Guo et al. 2017, 15 bins of equal width.  Risk and coverage: coverage.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/rng.h"
#include "model/coverage.h"
#include "model/metrics.h"

enum { BINS = 15, DRAWS = 2000 };
static const double Z = 1.959963984540054; /* 97.5 % point of the normal distribution */

/* ---- points ---- */

static am_status check_row(const float *p, int label, size_t row, int classes, am_error *err) {
  if (label < 0 || label >= classes)
    return am_fail(err, AM_E_DATA, "metrics: clip %zu has label %d, wanted 0 to %d", row, label, classes - 1);
  for (int k = 0; k < classes; k++)
    if (!isfinite(p[k]))
      return am_fail(err, AM_E_NUMERIC, "metrics: the probability of class %d for clip %zu is %g", k, row, p[k]);
  return AM_OK;
}

static int count_answer(am_metrics *m, const float *scores, int truth) {
  int guess = am_largest(scores, m->classes);
  m->confusion[truth * m->classes + guess]++;
  m->support[truth]++;
  return guess;
}

/* Confusion, loss and calibration in one walk. */
static am_status count(am_metrics *m, const float *probabilities, const int *labels, am_error *err) {
  double confidence[BINS] = {0}, correct[BINS] = {0}, loss = 0;
  int K = m->classes;
  for (size_t i = 0; i < m->n; i++) {
    const float *p = probabilities + i * (size_t)K;
    am_status status = check_row(p, labels[i], i, K, err);
    if (status) return status;
    int guess = count_answer(m, p, labels[i]);
    double truth = p[labels[i]];
    loss -= log(truth > 1e-38 ? truth : 1e-38);
    int bin = (int)ceil(p[guess] * BINS) - 1; /* from 0 to 1: check_row */
    bin = bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
    confidence[bin] += p[guess];
    correct[bin] += guess == labels[i];
  }
  m->loss = m->n ? loss / (double)m->n : NAN;
  for (int b = 0; b < BINS; b++) m->ece += fabs(correct[b] - confidence[b]);
  m->ece = m->n ? m->ece / (double)m->n : NAN;
  return AM_OK;
}

/* What the surest answers come to. */
static am_status count_surest(am_metrics *m, const float *probabilities, const int *labels, am_error *err) {
  static const double precisions[AM_COVERAGES] = {0.8, 0.9};
  am_answer *at = am_alloc(m->ctx, m->n + 1, sizeof *at);
  if (!at) return am_no_memory(err);
  for (size_t i = 0; i < m->n; i++) at[i] = am_answer_of(probabilities + i * (size_t)m->classes, m->classes, labels[i]);
  am_answers_sort(at, m->n);
  m->aurc = am_answers_area(at, m->n);
  for (int i = 0; i < AM_COVERAGES; i++) {
    am_coverage *c = &m->coverage[i];
    c->precision = precisions[i];
    c->share = am_answers_coverage(at, m->n, c->precision, &c->threshold);
  }
  am_free(m->ctx, at);
  return AM_OK;
}

void am_metrics_set_answered(am_metrics *m, const float *probabilities, const int *labels, const am_thresholds *t) {
  m->answered = (am_answered){.known = true, .wanted = t->precision};
  for (size_t i = 0; i < m->n; i++) {
    const int answer = am_thresholds_decide(t, probabilities + i * (size_t)m->classes, m->classes);
    m->answered.given += answer >= 0;
    m->answered.right += answer == labels[i];
  }
}

static void summarise(am_metrics *m) {
  int K = m->classes;
  uint64_t right = 0;
  for (int k = 0; k < K; k++) {
    uint64_t hits = m->confusion[k * K + k], predicted = 0;
    for (int j = 0; j < K; j++) predicted += m->confusion[j * K + k];
    uint64_t support = m->support[k];
    right += hits;
    m->recall[k] = support ? (double)hits / (double)support : NAN;
    m->precision[k] = predicted ? (double)hits / (double)predicted : support ? 0 : NAN;
    m->f1[k] = support + predicted ? 2 * (double)hits / (double)(support + predicted) : NAN;
    if (!support) continue;
    m->uar += m->recall[k];
    m->macro_f1 += m->f1[k];
    m->scored++;
  }
  m->accuracy = m->n ? (double)right / (double)m->n : NAN;
  m->uar = m->scored ? m->uar / m->scored : NAN;
  m->macro_f1 = m->scored ? m->macro_f1 / m->scored : NAN;
}

/* ---- intervals ---- */

/* Wilson 1927. */
static void wilson(double share, double n, double *low, double *high) {
  double z2 = Z * Z, middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  double half = Z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  *low = middle - half > 0 ? middle - half : 0;
  *high = middle + half < 1 ? middle + half : 1;
}

/* The mean of independent recalls from their Wilson limits: Zou & Donner 2008 (MOVER). */
static void wilson_all(am_metrics *m) {
  double below = 0, above = 0;
  int classes = 0;
  snprintf(m->interval_text, sizeof m->interval_text, "Wilson");
  m->low = m->high = m->uar_low = m->uar_high = NAN;
  if (!m->n) return;
  wilson(m->accuracy, (double)m->n, &m->low, &m->high);
  for (int k = 0; k < m->classes; k++) {
    double low, high;
    if (!m->support[k]) continue;
    wilson(m->recall[k], (double)m->support[k], &low, &high);
    below += (m->recall[k] - low) * (m->recall[k] - low);
    above += (high - m->recall[k]) * (high - m->recall[k]);
    classes++;
  }
  m->uar_low = m->uar - sqrt(below) / classes;
  m->uar_high = m->uar + sqrt(above) / classes;
}

/* Linear between order statistics, as numpy.percentile. */
static double quantile(const double *sorted, size_t n, double q) {
  double at = q * (double)(n - 1);
  size_t i = (size_t)at;
  return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

void am_metrics_percentiles(double *values, size_t n, double *low, double *high) {
  qsort(values, n, sizeof *values, am_rising);
  *low = quantile(values, n, 0.025);
  *high = quantile(values, n, 0.975);
}

/* Clips of one speaker resemble each other, so whole speakers are drawn with replacement.
 * table (S,K,2): right and all clips per speaker and class; total (K,2) is scratch. */
static void draw(am_metrics *m, const uint64_t *table, uint64_t *total, size_t speakers, uint64_t seed, size_t index,
                 double *accuracy, double *uar) {
  size_t width = (size_t)m->classes * 2;
  memset(total, 0, width * sizeof *total);
  am_rng rng = am_rng_stream(seed, AM_FOR_BOOTSTRAP, index, 0, 0);
  for (size_t s = 0; s < speakers; s++) {
    const uint64_t *row = table + am_rng_below(&rng, speakers) * width;
    for (size_t k = 0; k < width; k++) total[k] += row[k];
  }
  uint64_t right = 0, all = 0;
  int classes = 0;
  *uar = 0;
  for (size_t k = 0; k < width; k += 2) {
    right += total[k];
    all += total[k + 1];
    if (!total[k + 1]) continue;
    *uar += (double)total[k] / (double)total[k + 1];
    classes++;
  }
  *accuracy = (double)right / (double)all;
  *uar /= classes;
}

static am_status bootstrap(am_metrics *m, const uint64_t *table, size_t speakers, uint64_t seed, am_error *err) {
  double *values = am_alloc(m->ctx, 2 * DRAWS, sizeof *values);
  uint64_t *total = am_alloc(m->ctx, (size_t)m->classes * 2, sizeof *total);
  am_status status = values && total ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < DRAWS && !status; i++)
    draw(m, table, total, speakers, seed, i, &values[i], &values[DRAWS + i]);
  if (!status) {
    am_metrics_percentiles(values, DRAWS, &m->low, &m->high);
    am_metrics_percentiles(values + DRAWS, DRAWS, &m->uar_low, &m->uar_high);
    snprintf(m->interval_text, sizeof m->interval_text, "bootstrap over %zu speakers", speakers);
  }
  am_free(m->ctx, values);
  am_free(m->ctx, total);
  return status;
}

am_status am_metrics_number_speakers(const am_metrics *m, const int *speakers, size_t **slot, size_t *found,
                                     am_error *err) {
  int largest = -1;
  *found = 0;
  *slot = NULL;
  for (size_t i = 0; i < m->n; i++) {
    if (speakers[i] < 0) return AM_OK;
    if (speakers[i] > largest) largest = speakers[i];
  }
  *slot = am_alloc(m->ctx, (size_t)largest + 2, sizeof **slot);
  if (!*slot) return am_no_memory(err);
  for (size_t i = 0; i < m->n; i++) (*slot)[speakers[i]] = 1;
  for (int s = 0; s <= largest; s++)
    if ((*slot)[s]) (*slot)[s] = (*found)++;
  return AM_OK;
}

static am_status interval(am_metrics *m, const float *probabilities, const int *labels, const int *speakers,
                          uint64_t seed, am_error *err) {
  size_t *slot = NULL, found = 0;
  am_status status = speakers && m->n ? am_metrics_number_speakers(m, speakers, &slot, &found, err) : AM_OK;
  if (!status && found >= 2) {
    size_t K = (size_t)m->classes;
    uint64_t *table = am_alloc(m->ctx, am_mul(found, K * 2), sizeof *table);
    if (!table) status = am_no_memory(err);
    for (size_t i = 0; i < m->n && table; i++) {
      uint64_t *cell = table + (slot[speakers[i]] * K + (size_t)labels[i]) * 2;
      cell[0] += am_largest(probabilities + i * K, m->classes) == labels[i];
      cell[1]++;
    }
    if (table) status = bootstrap(m, table, found, seed, err);
    am_free(m->ctx, table);
  } else if (!status) {
    wilson_all(m);
  }
  am_free(m->ctx, slot);
  return status;
}

/* ---- all ---- */

am_status am_metrics_create(am_context *ctx, const char *const *labels, int classes, am_metrics **out, am_error *err) {
  *out = NULL;
  am_metrics *m = am_alloc(ctx, 1, sizeof *m);
  if (!m) return am_no_memory(err);
  size_t K = (size_t)classes;
  m->ctx = ctx;
  m->classes = classes;
  m->labels = am_alloc(ctx, K, sizeof *m->labels);
  m->precision = am_alloc(ctx, K, sizeof *m->precision);
  m->recall = am_alloc(ctx, K, sizeof *m->recall);
  m->f1 = am_alloc(ctx, K, sizeof *m->f1);
  m->support = am_alloc(ctx, K, sizeof *m->support);
  m->confusion = am_alloc(ctx, am_mul(K, K), sizeof *m->confusion);
  m->interval = m->interval_text;
  bool all = m->labels && m->precision && m->recall && m->f1 && m->support && m->confusion;
  for (size_t k = 0; k < K && all; k++) all = (m->labels[k] = am_strdup(ctx, labels[k])) != NULL;
  if (!all) {
    am_metrics_free(m);
    return am_no_memory(err);
  }
  *out = m;
  return AM_OK;
}

am_status am_metrics_score(am_context *ctx, const float *scores, const int *truth, size_t n, const char *const *labels,
                           int classes, am_metrics **out, am_error *err) {
  am_status status = am_metrics_create(ctx, labels, classes, out, err);
  if (status) return status;
  (*out)->n = n;
  for (size_t i = 0; i < n; i++) count_answer(*out, scores + i * (size_t)classes, truth[i]);
  summarise(*out);
  return AM_OK;
}

am_status am_metrics_compute(am_context *ctx, const float *probabilities, const int *truth, const int *speakers,
                             size_t n, const char *const *labels, int classes, uint64_t seed, am_metrics **out,
                             am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, labels);
  if (!status && n) status = AM_NEED(err, probabilities);
  if (!status && n) status = AM_NEED(err, truth);
  if (!status && classes < 1) status = am_fail(err, AM_E_USAGE, "metrics of %d classes; wanted at least 1", classes);
  if (!status) status = am_metrics_create(ctx, labels, classes, out, err);
  if (status) return status;
  am_metrics *m = *out;
  m->n = n;
  status = count(m, probabilities, truth, err);
  if (!status) status = count_surest(m, probabilities, truth, err);
  if (!status) {
    summarise(m);
    status = interval(m, probabilities, truth, speakers, seed, err);
  }
  if (!status) return AM_OK;
  am_metrics_free(m);
  *out = NULL;
  return status;
}

void am_metrics_free(am_metrics *m) {
  if (!m) return;
  am_metrics_free(m->per_utterance);
  for (size_t i = 0; i < m->n_groups; i++) {
    am_free(m->ctx, m->groups[i].trait);
    am_free(m->ctx, m->groups[i].value);
    am_free(m->ctx, m->groups[i].of);
  }
  am_free(m->ctx, m->groups);
  for (size_t i = 0; i < m->n_speakers; i++) {
    am_free(m->ctx, m->speakers[i].name);
    am_free(m->ctx, m->speakers[i].of);
  }
  am_free(m->ctx, m->speakers);
  for (size_t i = 0; i < m->n_diagnoses; i++) am_free(m->ctx, m->diagnoses[i].text);
  am_free(m->ctx, m->diagnoses);
  for (int k = 0; m->dimension && k < m->dimensions; k++) am_free(m->ctx, m->dimension[k].name);
  am_free(m->ctx, m->dimension);
  for (int k = 0; m->labels && k < m->classes; k++) am_free(m->ctx, m->labels[k]);
  am_free(m->ctx, m->labels);
  am_free(m->ctx, m->precision);
  am_free(m->ctx, m->recall);
  am_free(m->ctx, m->f1);
  am_free(m->ctx, m->support);
  am_free(m->ctx, m->confusion);
  am_free(m->ctx, m);
}

size_t am_metrics_clips(const am_metrics *m) { return m ? m->n : 0; }
int am_metrics_classes(const am_metrics *m) { return m ? m->classes : 0; }
double am_metrics_macro_f1(const am_metrics *m) { return m ? m->macro_f1 : NAN; }
double am_metrics_loss(const am_metrics *m) { return m ? m->loss : NAN; }
double am_metrics_calibration_error(const am_metrics *m) { return m ? m->ece : NAN; }
double am_metrics_aurc(const am_metrics *m) { return m ? m->aurc : NAN; }

void am_metrics_answered(const am_metrics *m, double *coverage, double *precision) {
  const am_answered a = m ? m->answered : (am_answered){0};
  if (coverage) *coverage = a.known && m->n ? (double)a.given / (double)m->n : NAN;
  if (precision) *precision = a.given ? (double)a.right / (double)a.given : NAN;
}

void am_metrics_interval(const am_metrics *m, double *low, double *high) {
  if (low) *low = m ? m->low : NAN;
  if (high) *high = m ? m->high : NAN;
}

static bool has(const am_metrics *m, int k) { return m && k >= 0 && k < m->classes; }
const char *am_metrics_label(const am_metrics *m, int k) { return has(m, k) ? m->labels[k] : NULL; }
double am_metrics_precision(const am_metrics *m, int k) { return has(m, k) ? m->precision[k] : NAN; }
double am_metrics_recall(const am_metrics *m, int k) { return has(m, k) ? m->recall[k] : NAN; }
double am_metrics_f1(const am_metrics *m, int k) { return has(m, k) ? m->f1[k] : NAN; }
uint64_t am_metrics_support(const am_metrics *m, int k) { return has(m, k) ? m->support[k] : 0; }
uint64_t am_metrics_confusion(const am_metrics *m, int truth, int predicted) {
  return has(m, truth) && has(m, predicted) ? m->confusion[truth * m->classes + predicted] : 0;
}
double am_metrics_accuracy(const am_metrics *m) { return m ? m->accuracy : NAN; }
double am_metrics_chance(const am_metrics *m) { return m && m->scored ? 1.0 / m->scored : NAN; }
double am_metrics_uar(const am_metrics *m) { return m ? m->uar : NAN; }
