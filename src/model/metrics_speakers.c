/* SPDX-License-Identifier: MIT */
/* model/metrics_speakers.c - results of each speaker apart. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "data/names.h"
#include "model/metrics.h"

/* By average recall, then accuracy; names make the order one only. */
static int worst_first(const void *a, const void *b) {
  const am_speaker *x = a, *y = b;
  if (x->uar != y->uar) return x->uar < y->uar ? -1 : 1;
  if (x->accuracy != y->accuracy) return x->accuracy < y->accuracy ? -1 : 1;
  return am_natural_compare(x->name, y->name);
}

/* table (K,2): right and all clips of each class. */
static void score(const size_t *table, size_t K, am_speaker *out) {
  size_t right = 0;
  for (size_t k = 0; k < K; k++) {
    if (!table[2 * k + 1]) continue;
    right += table[2 * k];
    out->n += table[2 * k + 1];
    out->uar += (double)table[2 * k] / (double)table[2 * k + 1];
    out->scored++;
  }
  out->uar /= out->scored;
  out->accuracy = (double)right / (double)out->n;
}

static am_status keep(am_metrics *m, const size_t *table, size_t n, const char *const *names, am_error *err) {
  const size_t width = 2 * (size_t)m->classes;
  for (size_t s = 0; s < n; s++) {
    const size_t *row = table + s * width;
    am_speaker one = {0};
    bool any = false;
    for (size_t k = 1; k < width; k += 2) any |= row[k] > 0;
    if (!any) continue;
    score(row, (size_t)m->classes, &one);
    one.name = am_strdup(m->ctx, names[s]);
    if (!one.name) return am_no_memory(err);
    m->speakers[m->n_speakers++] = one;
  }
  if (m->n_speakers) qsort(m->speakers, m->n_speakers, sizeof *m->speakers, worst_first);
  return AM_OK;
}

am_status am_metrics_add_speakers(am_metrics *m, const float *probabilities, const int *truth, const int *speakers,
                                  const char *const *names, am_error *err) {
  const size_t K = (size_t)m->classes;
  size_t n = 0;
  for (size_t i = 0; i < m->n; i++)
    if (speakers[i] >= 0 && (size_t)speakers[i] >= n) n = (size_t)speakers[i] + 1;
  if (!n) return AM_OK;
  size_t *table = am_alloc(m->ctx, am_mul(n, 2 * K), sizeof *table);
  m->speakers = am_alloc(m->ctx, n, sizeof *m->speakers);
  am_status status = table && m->speakers ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < m->n && !status; i++) {
    if (speakers[i] < 0) continue;
    size_t *cell = table + ((size_t)speakers[i] * K + (size_t)truth[i]) * 2;
    cell[0] += am_largest(probabilities + i * K, m->classes) == truth[i];
    cell[1]++;
  }
  if (!status) status = keep(m, table, n, names, err);
  am_free(m->ctx, table);
  return status;
}

double am_metrics_median_speaker(const am_metrics *m) {
  const size_t n = m->n_speakers;
  if (!n) return NAN;
  return n % 2 ? m->speakers[n / 2].uar : (m->speakers[n / 2 - 1].uar + m->speakers[n / 2].uar) / 2;
}

/* ---- all that is said of clips ---- */

am_status am_metrics_of_clips(const am_dataset *d, const am_scored_clips *of, bool utterances, uint64_t seed,
                              am_metrics **out, am_error *err) {
  am_metrics *m = NULL;
  if (of->truth) return am_metrics_of_values(d, of, utterances, seed, out, err);
  am_status status = am_metrics_compute(d->ctx, of->probabilities, of->labels, of->speakers, of->n, of->names,
                                        of->classes, seed, &m, err);
  if (!status && utterances)
    status = am_metrics_add_utterances(m, d, of->clips, of->probabilities, of->labels, seed, err);
  if (!status) status = am_metrics_add_groups(m, d, of->clips, of->probabilities, of->labels, err);
  if (!status) status = am_metrics_add_speakers(m, of->probabilities, of->labels, of->speakers, d->speakers, err);
  if (!status) status = am_metrics_diagnose(m, of->labels, of->speakers, d->speakers, err);
  if (status) am_metrics_free(m), m = NULL;
  *out = m;
  return status;
}
