/* SPDX-License-Identifier: MIT */
/* audio/periods.h - the single periods of a voice: their lengths and heights, and how these vary (jitter, shimmer). */
#ifndef AM_PERIODS_H
#define AM_PERIODS_H

#include "base/base.h"

typedef struct am_period {
  double at;     /* sample, between samples too, where it begins */
  double length; /* samples to where the next one begins */
  double height; /* highest less lowest sample of it */
  bool joined;   /* it begins where the one before ends */
} am_period;

/* Most periods that n samples at `rate` can have. */
size_t am_periods_room(size_t n, double rate);
/* The periods of the voiced frames of x (n): f0 (frames), Hz, frame i centred on sample (i + 1) * hop.  How many were found. */
size_t am_periods_find(const float *x, size_t n, double rate, const float *f0, size_t frames, int hop, am_period *out);
/* jitter, jitter_ddp, shimmer (frames): over the periods within 60 ms around each frame, 0 where there are too few.
 * jitter: mean difference of lengths next to each other, over the mean length; jitter_ddp: the same of the differences;
 * shimmer: as jitter, of heights. */
void am_periods_vary(const am_period *periods, size_t n, double rate, size_t frames, int hop, float *jitter,
                     float *jitter_ddp, float *shimmer);

#endif
