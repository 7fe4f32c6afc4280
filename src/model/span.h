/* SPDX-License-Identifier: MIT */
/* model/span.h - stretches of speech, from how likely each step of a sound is to be some.
 *
 * Speech begins with the first step of at least `threshold`, ends when no step has been above `threshold` - 0.15 for min_silence,
 * and counts when it lasts min_speech.  Both ends are moved out by `padding`.  What goes on for `longest` is cut at the longest of
 * its pauses in the later half, or where it stands. */
#ifndef AM_SPAN_H
#define AM_SPAN_H

#include "base/base.h"

/* In samples. */
typedef struct am_span_options {
  float threshold;
  uint64_t min_speech, min_silence, padding, longest;
} am_span_options;

typedef enum am_span_news { AM_SPAN_NO_NEWS, AM_SPAN_BEGINS, AM_SPAN_ENDS, AM_SPAN_CUT } am_span_news;

typedef struct am_spans {
  am_span_options options;
  bool maybe, open;    /* there is a step of speech; it counts */
  bool quiet;          /* the last step was none */
  uint64_t first;      /* of speech, without padding */
  uint64_t quiet_from; /* of the present pause */
  uint64_t pause[2];   /* the longest so far, in the later half */
  uint64_t free_from;  /* where the last stretch ended, which padding does not go beyond */
  uint64_t start, end; /* by news: of what begins; of what ends */
  uint64_t next;       /* AM_SPAN_CUT: where the next stretch, which has begun, starts */
} am_spans;

void am_spans_init(am_spans *s, const am_span_options *options);
/* The next step, samples `from` to `to`. */
am_span_news am_spans_hear(am_spans *s, uint64_t from, uint64_t to, float score);
/* The sound ends at sample `at`: whether a stretch ends by that (s->end). */
bool am_spans_end(am_spans *s, uint64_t at);
/* The first sample that a stretch may still begin with, when `at` have been heard. */
uint64_t am_spans_needed(const am_spans *s, uint64_t at);

#endif
