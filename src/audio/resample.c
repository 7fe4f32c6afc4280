/* audio/resample.c - libsoxr, the only file that knows it. */
#include "audio/resample.h"

#include "audio/libraries.h"
#include "audiomood/audio.h"

#include <math.h>
#include <soxr.h>

const char *am_resample_library(void) { return soxr_version(); }

/* Between 1 Hz and 10 MHz libsoxr 0.1.3 does not come to an end. */
static const double most_ratio = 1000;

am_status am_resample(am_context *ctx, const float *x, size_t n, double from, double to, float **out,
                      size_t *out_n, am_error *err) {
  *out = NULL;
  *out_n = 0;
  if (!(from >= 1 && to >= 1 && from <= 1e7 && to <= 1e7))
    return am_fail(err, AM_E_USAGE, "cannot resample from %g Hz to %g Hz: rates lie between 1 Hz and 10 MHz",
                   from, to);
  double want = ceil((double)n * (to / from));
  if (want > 1e10)
    return am_fail(err, AM_E_USAGE, "resampling %zu samples from %g Hz to %g Hz would give %g samples", n,
                   from, to, want);
  if (!(to / from <= most_ratio && from / to <= most_ratio))
    return am_fail(err, AM_E_USAGE, "cannot resample from %g Hz to %g Hz: one is more than %g times the other", from, to,
                   most_ratio);
  /* soxr may be some samples short of it: the rest stays zero, as librosa.util.fix_length leaves it */
  float *y = am_alloc(ctx, (size_t)want + 1, sizeof *y);
  if (!y) return am_no_memory(err);
  soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_error_t error = NULL;
  size_t used = 0, made = 0;
  if (n > 0) error = soxr_oneshot(from, to, 1, x, n, &used, y, (size_t)want, &made, NULL, &quality, NULL);
  if (error) {
    am_free(ctx, y);
    return am_fail(err, AM_E_NOMEM, "resampling %zu samples from %g Hz to %g Hz failed: %s", n, from, to,
                   error);
  }
  *out = y;
  *out_n = (size_t)want;
  return AM_OK;
}

am_status am_sound_resample(am_context *ctx, am_sound *sound, double rate, am_error *err) {
  if (rate == sound->rate) return AM_OK;
  float *y;
  size_t n;
  am_status status = am_resample(ctx, sound->samples, sound->n, sound->rate, rate, &y, &n, err);
  if (status) return status;
  am_free(ctx, sound->samples);
  sound->samples = y;
  sound->n = n;
  sound->rate = rate;
  return AM_OK;
}
