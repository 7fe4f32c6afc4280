#ifndef AM_RESAMPLE_H
#define AM_RESAMPLE_H

#include "base/base.h"

/* n samples at `from` Hz into a new array of ceil(n * to / from) samples (am_free), by libsoxr's HQ recipe:
 * librosa.resample(res_type="soxr_hq", fix=True).  AM_E_USAGE: rates beyond 1 Hz to 10 MHz or more than 1000 times apart,
 * over 1e10 samples; AM_E_NOMEM. */
am_status am_resample(am_context *ctx, const float *x, size_t n, double from, double to, float **out,
                      size_t *out_n, am_error *err);

#endif
