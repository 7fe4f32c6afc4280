/* SPDX-License-Identifier: MIT */
/* audio/noise.h - noise added to sound. */
#ifndef AM_NOISE_H
#define AM_NOISE_H

#include "base/base.h"
#include "base/rng.h"

/* Adds noise between white (colour 0) and pink (colour 1, 3 dB an octave) to x (n), scaled so that the power of x over that of
 * the noise, both over all of x, is snr dB.  A silent x stays silent. */
am_status am_noise_add(am_context *ctx, am_rng *rng, double colour, double snr, float *x, size_t n, am_error *err);

#endif
