/* SPDX-License-Identifier: MIT */
/* model/metrics_diagnose.c - what a person would notice in a confusion matrix, said with its figure. */
#include <math.h>
#include <string.h>

#include "model/metrics.h"

/* Fewer clips or speakers show nothing.  The shares are round numbers; below them a matrix does not look odd. */
enum { FEW_CLIPS = 10, FEW_OF_CLASS = 10, FEW_SPEAKERS = 3 };
static const double NEARLY_ALL = 0.9, MOST = 0.75, HALF = 0.5;
static const double SWAPPED = 0.4; /* what exchanging two names has to add to the sum of their recalls */

static am_status note(am_metrics *m, const char *kind, double figure, am_buffer *text, am_error *err) {
  char *copy = text->failed ? NULL : am_strdup(m->ctx, text->data);
  text->used = 0;
  if (!copy) return am_no_memory(err);
  m->diagnoses[m->n_diagnoses++] = (am_diagnosis){kind, copy, figure};
  return AM_OK;
}

static am_status below_chance(am_metrics *m, am_buffer *text, am_error *err) {
  double chance = am_metrics_chance(m);
  if (m->scored < 2 || !(m->uar < chance - 1e-9)) return AM_OK;
  am_buffer_printf(m->ctx, text,
                   "below chance: the average recall is %.1f %%, and guessing among the %d classes gives %.1f %%",
                   100 * m->uar, m->scored, 100 * chance);
  return note(m, "below_chance", m->uar, text, err);
}

static am_status one_answer(am_metrics *m, am_buffer *text, am_error *err) {
  size_t K = (size_t)m->classes, most = 0;
  uint64_t given = 0;
  for (size_t k = 0; k < K; k++) {
    uint64_t sum = 0;
    for (size_t i = 0; i < K; i++) sum += m->confusion[i * K + k];
    if (sum > given) given = sum, most = k;
  }
  double share = (double)given / (double)m->n, truth = (double)m->support[most] / (double)m->n;
  if (m->scored < 2 || share < NEARLY_ALL || truth >= MOST) return AM_OK;
  am_buffer_printf(m->ctx, text, "one answer for %s: %.1f %% of the clips are called \"%s\", and %.1f %% are it",
                   given == m->n ? "everything" : "nearly everything", 100 * share, m->labels[most], 100 * truth);
  return note(m, "one_answer", share, text, err);
}

/* Whether the clips of class a are called b more often than anything else. */
static bool mostly_called(const am_metrics *m, size_t a, size_t b) {
  size_t K = (size_t)m->classes;
  for (size_t k = 0; k < K; k++)
    if (k != b && m->confusion[a * K + k] >= m->confusion[a * K + b]) return false;
  return true;
}

/* What the recalls of a and b gain when the names of the answers a and b are exchanged. */
static double gain(const am_metrics *m, size_t a, size_t b) {
  size_t K = (size_t)m->classes;
  double now_a = m->recall[a], now_b = m->recall[b], then_a = (double)m->confusion[a * K + b] / (double)m->support[a],
         then_b = (double)m->confusion[b * K + a] / (double)m->support[b];
  return mostly_called(m, a, b) && mostly_called(m, b, a) ? then_a + then_b - now_a - now_b : 0;
}

static am_status exchanged(am_metrics *m, am_buffer *text, am_error *err) {
  size_t K = (size_t)m->classes, a = 0, b = 0;
  double most = 0;
  for (size_t i = 0; i < K; i++)
    for (size_t k = i + 1; k < K; k++) {
      if (m->support[i] < FEW_OF_CLASS || m->support[k] < FEW_OF_CLASS || gain(m, i, k) <= most) continue;
      most = gain(m, i, k);
      a = i, b = k;
    }
  if (most < SWAPPED) return AM_OK;
  double uar = m->uar + most / m->scored;
  am_buffer_printf(m->ctx, text,
                   "\"%s\" and \"%s\" look exchanged: with these two names swapped the average recall would be %.1f %% "
                   "instead of %.1f %%; are the labels of these clips, or their codes, the right way round?",
                   m->labels[a], m->labels[b], 100 * uar, 100 * m->uar);
  return note(m, "exchanged_labels", uar, text, err);
}

/* Of each class the speaker with most clips; a part of one or two speakers is theirs anyhow.  count (speakers) is scratch. */
static am_status one_speaker(am_metrics *m, const int *truth, const int *speakers, size_t *count, size_t n_speakers,
                             const char *const *names, am_buffer *text, am_error *err) {
  am_status status = AM_OK;
  for (int k = 0; k < m->classes && !status; k++) {
    size_t most = 0;
    if (m->support[k] < FEW_CLIPS) continue;
    memset(count, 0, n_speakers * sizeof *count);
    for (size_t i = 0; i < m->n; i++)
      if (truth[i] == k && speakers[i] >= 0 && ++count[speakers[i]] > count[most]) most = (size_t)speakers[i];
    double share = (double)count[most] / (double)m->support[k];
    if (share < HALF) continue;
    am_buffer_printf(m->ctx, text,
                     "\"%s\" is mostly one speaker's: %zu of its %llu clips (%.1f %%) are of %s, so its recall says "
                     "more of that voice than of the label",
                     m->labels[k], count[most], (unsigned long long)m->support[k], 100 * share, names[most]);
    status = note(m, "one_speaker", share, text, err);
  }
  return status;
}

static am_status speakers_of_classes(am_metrics *m, const int *truth, const int *speakers, const char *const *names,
                                     am_buffer *text, am_error *err) {
  size_t n = 0, found = 0;
  for (size_t i = 0; i < m->n; i++)
    if (speakers[i] >= (int)n) n = (size_t)speakers[i] + 1;
  if (n < FEW_SPEAKERS) return AM_OK;
  size_t *count = am_alloc(m->ctx, n, sizeof *count);
  if (!count) return am_no_memory(err);
  for (size_t i = 0; i < m->n; i++)
    if (speakers[i] >= 0) found += !count[speakers[i]]++;
  am_status status = found < FEW_SPEAKERS ? AM_OK : one_speaker(m, truth, speakers, count, n, names, text, err);
  am_free(m->ctx, count);
  return status;
}

am_status am_metrics_diagnose(am_metrics *m, const int *truth, const int *speakers, const char *const *names,
                              am_error *err) {
  am_buffer text = {0};
  if (m->n < FEW_CLIPS) return AM_OK;
  m->diagnoses = am_alloc(m->ctx, (size_t)m->classes + 3, sizeof *m->diagnoses);
  if (!m->diagnoses) return am_no_memory(err);
  am_status status = below_chance(m, &text, err);
  if (!status) status = one_answer(m, &text, err);
  if (!status) status = exchanged(m, &text, err);
  if (!status && speakers) status = speakers_of_classes(m, truth, speakers, names, &text, err);
  am_buffer_free(m->ctx, &text);
  return status;
}
