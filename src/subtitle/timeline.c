/* SPDX-License-Identifier: MIT */
/* subtitle/timeline.c - both rows of stretches are walked from change to change. */
#include "subtitle/timeline.h"

#include <math.h>
#include <string.h>

bool am_timeline_is_emotion(const char *label) {
  static const char *const none[] = {"", "neutral", "calm", "uncertain", "silent"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (!strcmp(label, none[i])) return false;
  return true;
}

static am_timeline_label *find(am_timeline *t, const char *name) {
  for (size_t i = 0; i < t->n_labels; i++)
    if (!strcmp(t->labels[i].name, name)) return &t->labels[i];
  if (t->n_labels == AM_TIMELINE_LABELS) return NULL;
  t->labels[t->n_labels] = (am_timeline_label){.name = name};
  return &t->labels[t->n_labels++];
}

/* The emotion at a time, NULL: none; *until: when that may change.  *i: the stretch that ends after it. */
static const char *at(const am_stretch *x, size_t n, size_t *i, double time, double *until) {
  while (*i < n && x[*i].end <= time) ++*i;
  if (*i == n) return NULL;
  const bool inside = x[*i].start <= time;
  *until = fmin(*until, inside ? x[*i].end : x[*i].start);
  return inside && am_timeline_is_emotion(x[*i].label) ? x[*i].label : NULL;
}

am_status am_timeline_add(am_timeline *t, const am_stretch *truth, size_t n_truth, const am_stretch *said,
                          size_t n_said, double seconds, am_error *err) {
  size_t i = 0, k = 0;
  for (size_t s = 0; s < n_said; s++) t->tags += am_timeline_is_emotion(said[s].label);
  double time = 0, until = 0;
  while (time < seconds) {
    until = seconds;
    const char *is = at(truth, n_truth, &i, time, &until), *told = at(said, n_said, &k, time, &until);
    const double d = until - time;
    am_timeline_label *of_truth = is ? find(t, is) : NULL, *of_said = told ? find(t, told) : NULL;
    if ((is && !of_truth) || (told && !of_said))
      return am_fail(err, AM_E_DATA, "more than %d emotions", (int)AM_TIMELINE_LABELS);
    const bool right = is && told && !strcmp(is, told);
    if (is) of_truth->truth += d, t->emotion += d;
    if (told) of_said->said += d;
    if (right) of_truth->both += d;
    if (is && !told) t->missed += d;
    if (!is && told) t->false_alarm += d;
    if (is && told && !right) t->confused += d;
    time = until;
  }
  t->seconds += seconds;
  return AM_OK;
}

double am_timeline_rate(const am_timeline *t) {
  return t->emotion > 0 ? (t->missed + t->false_alarm + t->confused) / t->emotion : NAN;
}
