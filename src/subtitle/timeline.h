/* SPDX-License-Identifier: MIT */
/* subtitle/timeline.h - what was said over time against what is true: the emotion diarisation error rate.
 *
 * Wang, Ravanelli, Nfissi, Yacoubi (2023), "Speech emotion diarization: which emotion appears when?": the time in which an emotion
 * was missed, said where there is none, or mistaken for another, over the time in which there is one.  Here for any number of
 * emotions in a recording; what is neutral, calm, uncertain or nobody's counts as no emotion. */
#ifndef AM_TIMELINE_H
#define AM_TIMELINE_H

#include "base/base.h"

typedef struct am_stretch {
  double start, end;
  const char *label;
} am_stretch;

typedef struct am_timeline_label {
  const char *name;         /* borrowed from the stretches */
  double truth, said, both; /* s */
} am_timeline_label;

enum { AM_TIMELINE_LABELS = 64 };
typedef struct am_timeline {
  double seconds;                               /* of all recordings */
  double emotion;                               /* s with one, by the reference */
  double missed, false_alarm, confused;         /* s */
  size_t tags;                                  /* stretches of an emotion that were said */
  am_timeline_label labels[AM_TIMELINE_LABELS]; /* emotions, as they came up */
  size_t n_labels;
} am_timeline;

bool am_timeline_is_emotion(const char *label);
/* Adds a recording: what is true and what was said, each in order and not overlapping; the names outlive t.  AM_E_DATA: more than
 * AM_TIMELINE_LABELS emotions. */
am_status am_timeline_add(am_timeline *t, const am_stretch *truth, size_t n_truth, const am_stretch *said,
                          size_t n_said, double seconds, am_error *err);
double am_timeline_rate(const am_timeline *t); /* NaN without emotion */

#endif
