/* SPDX-License-Identifier: MIT */
/* subtitle/stitch.h - recordings put together from the clips of a corpus, of which it is known what is said when.
 *
 * Each is of one speaker: moods of one to three clips, each without emotion (neutral, calm) or with one, as likely as each other, with
 * pauses between clips, and noise over all if wanted.  Clips lose the silence at their ends.  They are no conversation: nobody
 * answers, and emotions change at once. */
#ifndef AM_STITCH_H
#define AM_STITCH_H

#include "data/dataset.h"
#include "subtitle/timeline.h"

typedef struct am_stitch_options {
  uint64_t seed;
  double seconds; /* at least so long */
  double rate;    /* Hz */
  double snr;     /* dB, of noise between white and pink; NaN: none */
  double max_seconds;
} am_stitch_options;

typedef struct am_stitched {
  float *samples; /* (n) */
  size_t n, room;
  am_stretch *truth; /* (n_truth) labels borrowed from the dataset */
  size_t n_truth, truth_room;
  int speaker;
} am_stitched;

/* Recording `number` of clips (n), which are of known speakers: speakers take turns.  The same seed and number give the same sound. */
am_status am_stitch(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n,
                    const am_stitch_options *options, size_t number, am_stitched *out, am_error *err);
void am_stitched_free(am_context *ctx, am_stitched *s);

#endif
