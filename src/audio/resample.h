#ifndef AM_RESAMPLE_H
#define AM_RESAMPLE_H

#include "base/base.h"

/* n samples at `from` Hz into a new array of ceil(n * to / from) samples (am_free), by libsoxr's HQ recipe:
 * librosa.resample(res_type="soxr_hq", fix=True). */
am_status am_resample(am_context *ctx, const float *x, size_t n, double from, double to, float **out,
                      size_t *out_n, am_error *err);

#endif
