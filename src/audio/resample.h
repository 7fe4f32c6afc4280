/* SPDX-License-Identifier: MIT */
/* audio/resample.h - sound at another rate, by libsoxr. */
#ifndef AM_RESAMPLE_H
#define AM_RESAMPLE_H

#include "base/base.h"

/* n samples at `from` Hz into a new array of ceil(n * to / from) samples (am_free), by libsoxr's HQ recipe:
 * librosa.resample(res_type="soxr_hq", fix=True).  AM_E_USAGE: rates beyond 1 Hz to 10 MHz or more than 1000
 * times apart, over 1e10 samples; AM_E_NOMEM. */
am_status am_resample(am_context *ctx, const float *x, size_t n, double from, double to, float **out, size_t *out_n,
                      am_error *err);

/* The same a block at a time: bit for bit the same samples, however they are cut. */
typedef struct am_resampler am_resampler;
am_status am_resampler_create(am_context *ctx, double from, double to, am_resampler **out, am_error *err);
void am_resampler_free(am_resampler *r);
/* Takes up to n samples of x (*used of them) and gives up to `room` (*made).  x NULL: the end; call until
 * *made is 0, which then comes after ceil(all * to / from) samples in all. */
am_status am_resampler_run(am_resampler *r, const float *x, size_t n, size_t *used, float *to, size_t room,
                           size_t *made, am_error *err);

/* The version of the library in use; borrowed. */
const char *am_resample_library(void);

#endif
