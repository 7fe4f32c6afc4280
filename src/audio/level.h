/* SPDX-License-Identifier: MIT */
/* audio/level.h - how loud the voice in a sound is. */
#ifndef AM_LEVEL_H
#define AM_LEVEL_H

#include "base/base.h"

/* dB of full scale: the mean power of x (n) over the blocks of 20 ms that are less than 10 dB below the mean of all, so that
 * pauses do not count (the relative gate of EBU R 128, without its weighting).  -INFINITY: it is silent. */
double am_level(const float *x, size_t n, double rate);
/* x at the level of so many dB, in new memory (am_free); silence stays what it is. */
am_status am_level_bring(am_context *ctx, const float *x, size_t n, double rate, double level, float **out,
                         am_error *err);

#endif
