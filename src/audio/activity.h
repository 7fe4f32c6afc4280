/* SPDX-License-Identifier: MIT */
/* audio/activity.h - speech activity by level alone: how far each 10 ms of a sound are above the noise around them.
 *
 * The noise is the lowest level of the last 2.5 s, after Martin (2001), "Noise power spectral density estimation based on optimal
 * smoothing and minimum statistics", of the whole band instead of each bin.  What is louder than it by a share of the
 * distance to the loudest of late counts as speech, whatever it is: music, a door and a bark, too. */
#ifndef AM_ACTIVITY_H
#define AM_ACTIVITY_H

#include "base/base.h"

typedef struct am_activity am_activity;

/* rate: Hz of the sound. */
am_status am_activity_create(am_context *ctx, double rate, am_activity **out, am_error *err);
void am_activity_free(am_activity *a);
/* Samples of a hop. */
size_t am_activity_hop(const am_activity *a);
/* The next hop: 0 to 1, from 0.5 on it is speech. */
float am_activity_hear(am_activity *a, const float *samples);

#endif
