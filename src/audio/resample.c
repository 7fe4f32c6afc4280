/* SPDX-License-Identifier: MIT */
/* audio/resample.c - libsoxr, the only file that knows it. */
#include "audio/resample.h"

#include "audiomood/audio.h"

#include <math.h>
#include <soxr.h>
#include <string.h>

const char *am_resample_library(void) { return soxr_version(); }

/* Between 1 Hz and 10 MHz libsoxr 0.1.3 does not come to an end. */
static const double most_ratio = 1000;

static am_status check_rates(double from, double to, am_error *err) {
  if (!(from >= 1 && to >= 1 && from <= 1e7 && to <= 1e7))
    return am_fail(err, AM_E_USAGE, "cannot resample from %g Hz to %g Hz: rates lie between 1 Hz and 10 MHz", from, to);
  if (!(to / from <= most_ratio && from / to <= most_ratio))
    return am_fail(err, AM_E_USAGE, "cannot resample from %g Hz to %g Hz: one is more than %g times the other", from,
                   to, most_ratio);
  return AM_OK;
}

static am_status fail_resampling(size_t n, double from, double to, soxr_error_t error, am_error *err) {
  return am_fail(err, AM_E_NOMEM, "resampling %zu samples from %g Hz to %g Hz failed: %s", n, from, to, error);
}

am_status am_resample(am_context *ctx, const float *x, size_t n, double from, double to, float **out, size_t *out_n,
                      am_error *err) {
  *out = NULL;
  *out_n = 0;
  double want = ceil((double)n * (to / from));
  if (want > 1e10 && from >= 1 && to <= 1e7)
    return am_fail(err, AM_E_USAGE, "resampling %zu samples from %g Hz to %g Hz would give %g samples", n, from, to,
                   want);
  am_status status = check_rates(from, to, err);
  if (status) return status;
  /* soxr may be some samples short of it: the rest stays zero, as librosa.util.fix_length leaves it */
  float *y = am_alloc(ctx, (size_t)want + 1, sizeof *y);
  if (!y) return am_no_memory(err);
  soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_error_t error = NULL;
  size_t used = 0, made = 0;
  if (n > 0) error = soxr_oneshot(from, to, 1, x, n, &used, y, (size_t)want, &made, NULL, &quality, NULL);
  if (error) {
    am_free(ctx, y);
    return fail_resampling(n, from, to, error, err);
  }
  *out = y;
  *out_n = (size_t)want;
  return AM_OK;
}

struct am_resampler {
  am_context *ctx;
  soxr_t library;
  double from, to;
  size_t taken, given;
};

am_status am_resampler_create(am_context *ctx, double from, double to, am_resampler **out, am_error *err) {
  *out = NULL;
  am_status status = check_rates(from, to, err);
  if (status) return status;
  am_resampler *r = am_alloc(ctx, 1, sizeof *r);
  if (!r) return am_no_memory(err);
  *r = (am_resampler){.ctx = ctx, .from = from, .to = to};
  soxr_error_t error = NULL;
  soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  r->library = soxr_create(from, to, 1, &error, NULL, &quality, NULL);
  if (error || !r->library) {
    am_free(ctx, r);
    return fail_resampling(0, from, to, error ? error : "no memory", err);
  }
  *out = r;
  return AM_OK;
}

void am_resampler_free(am_resampler *r) {
  if (!r) return;
  soxr_delete(r->library);
  am_free(r->ctx, r);
}

am_status am_resampler_run(am_resampler *r, const float *x, size_t n, size_t *used, float *to, size_t room,
                           size_t *made, am_error *err) {
  *used = *made = 0;
  size_t left = SIZE_MAX;
  if (!x) left = (size_t)ceil((double)r->taken * (r->to / r->from)) - r->given;
  if (left < room) room = left;
  if (!room) return AM_OK;
  soxr_error_t error = soxr_process(r->library, x, x ? n : 0, x ? used : NULL, to, room, made);
  if (error) return fail_resampling(r->taken + n, r->from, r->to, error, err);
  if (!x && !*made) { /* soxr may be some samples short: zeros, as in am_resample */
    memset(to, 0, room * sizeof *to);
    *made = room;
  }
  r->taken += *used;
  r->given += *made;
  return AM_OK;
}

am_status am_sound_resample(am_context *ctx, am_sound *sound, double rate, am_error *err) {
  float *y;
  size_t n;
  am_status status = AM_NEED(err, ctx);
  if (!status) status = am_size_check(sound, SIZE_MAX, offsetof(am_sound, file_rate), "am_sound", err);
  if (status || rate == sound->rate) return status;
  status = am_resample(ctx, sound->samples, sound->n, sound->rate, rate, &y, &n, err);
  if (status) return status;
  if (sound->context) am_free(sound->context, sound->samples);
  sound->context = ctx;
  sound->samples = y;
  sound->n = n;
  sound->rate = rate;
  return AM_OK;
}
