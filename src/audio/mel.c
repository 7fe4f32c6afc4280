/* SPDX-License-Identifier: MIT */
/* audio/mel.c - triangular mel filters, as librosa.filters.mel builds them.
 *
 * Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz at 200/3 Hz a mel,
 * then logarithmic, 27 mels for a factor 6.4.  HTK's: 2595 log10(1 + f/700). */
#include "audio/mel.h"

#include "audio/features.h"

#include <math.h>
#include <string.h>

static const double slaney_hz_per_mel = 200.0 / 3.0;
static const double slaney_knee_hz = 1000.0;

static double mel_of_hz(double hz, bool htk) {
  if (htk) return 2595.0 * log10(1.0 + hz / 700.0);
  if (hz < slaney_knee_hz) return hz / slaney_hz_per_mel;
  return slaney_knee_hz / slaney_hz_per_mel + log(hz / slaney_knee_hz) / (log(6.4) / 27.0);
}

static double hz_of_mel(double mel, bool htk) {
  if (htk) return 700.0 * (pow(10.0, mel / 2595.0) - 1.0);
  double knee = slaney_knee_hz / slaney_hz_per_mel;
  return mel < knee ? mel * slaney_hz_per_mel : slaney_knee_hz * exp(log(6.4) / 27.0 * (mel - knee));
}

/* Jaitly & Hinton, "Vocal tract length perturbation improves speech recognition" (2013): linear up to
 * a boundary near 4.8 kHz (the top formant), then a second line that keeps half the rate where it is.
 * At low rates the boundary stays below 0.85 of half the rate. */
static double warp_hz(double hz, double warp, double half) {
  double high = fmin(4800.0, 0.85 * half) * fmin(warp, 1.0);
  double knee = high / warp;
  if (hz <= knee) return hz * warp;
  return half - (half - high) / (half - knee) * (half - hz);
}

/* Corner i of mels + 2, in Hz; filter i rises from corner i to i+1 and falls to i+2. */
static double corner_hz(const am_mel_options *o, int i, double warp) {
  double low = mel_of_hz(o->f_min, o->htk), high = mel_of_hz(o->f_max, o->htk);
  double step = (high - low) / (o->mels + 1);
  double hz = hz_of_mel(i == o->mels + 1 ? high : i * step + low, o->htk);
  return warp == 1 ? hz : warp_hz(hz, warp, o->rate / 2);
}

void am_mel_centres(const am_mel_options *o, double *hertz) {
  for (int i = 0; i < o->mels; i++) hertz[i] = corner_hz(o, i + 1, 1);
}

static double weight(double hz, const double corner[3]) {
  double rise = (hz - corner[0]) / (corner[1] - corner[0]), fall = (corner[2] - hz) / (corner[2] - corner[1]);
  return fmax(0, fmin(rise, fall));
}

/* Weights of one filter for bins [first, first + count) into out (may be NULL to only count). */
static int fill_filter(const am_mel_options *o, const double corner[3], int *first, float *out) {
  int bins = o->n_fft / 2 + 1, count = 0;
  double hz_per_bin = o->rate / o->n_fft, last = ceil(corner[2] / hz_per_bin) + 1;
  int from = (int)fmax(0, floor(corner[0] / hz_per_bin) - 1), to = last < bins ? (int)last : bins;
  double area = o->slaney_norm ? 2.0 / (corner[2] - corner[0]) : 1.0;
  *first = 0;
  for (int k = from; k < to; k++) {
    float w = (float)weight(k * hz_per_bin, corner);
    if (w <= 0) continue;
    if (count == 0) *first = k;
    if (out) out[k - *first] = (float)(w * area);
    count = k - *first + 1;
  }
  return count;
}

am_status am_mel_init(am_context *ctx, am_mel *m, const am_mel_options *o, double warp, am_error *err) {
  *m = (am_mel){.ctx = ctx, .mels = o->mels, .bins = o->n_fft / 2 + 1};
  m->first = am_alloc(ctx, (size_t)o->mels, sizeof *m->first);
  m->count = am_alloc(ctx, (size_t)o->mels, sizeof *m->count);
  double *corner = am_alloc(ctx, (size_t)o->mels + 2, sizeof *corner);
  size_t total = 0;
  if (m->first && m->count && corner) {
    for (int i = 0; i < o->mels + 2; i++) corner[i] = corner_hz(o, i, warp);
    for (int i = 0; i < o->mels; i++) total += (size_t)(m->count[i] = fill_filter(o, corner + i, &m->first[i], NULL));
    float *w = m->weights = am_alloc(ctx, total + 1, sizeof *m->weights);
    for (int i = 0; w && i < o->mels; i++) w += fill_filter(o, corner + i, &m->first[i], w);
  }
  am_free(ctx, corner);
  if (m->weights) return AM_OK;
  am_mel_free(m);
  return am_no_memory(err);
}

void am_mel_free(am_mel *m) {
  if (!m->ctx) /* never initialised */
    return;
  am_free(m->ctx, m->first);
  am_free(m->ctx, m->count);
  am_free(m->ctx, m->weights);
  m->first = m->count = NULL;
  m->weights = NULL;
}

void am_mel_apply(const am_mel *m, const am_frame_kernels *kernels, const float *power, int frames, float *out) {
  const am_bands bands = {.n = m->mels, .first = m->first, .count = m->count, .weights = m->weights};
  kernels->bands(&bands, power, frames, out);
}

am_status am_mel_check(const am_mel_options *o, double warp, am_error *err) {
  if (!(o->rate >= 1) || o->n_fft < 2 || o->n_fft % 2 || o->mels < 1)
    return am_fail(
        err, AM_E_USAGE,
        "mel filters: %d filters of an FFT of %d at %g Hz: give an even FFT size, a filter and a rate of 1 Hz, or more",
        o->mels, o->n_fft, o->rate);
  if (!(o->f_min >= 0 && o->f_min < o->f_max && o->f_max <= o->rate / 2))
    return am_fail(err, AM_E_CONFIG,
                   "mel filters: f_min %g and f_max %g Hz must satisfy 0 <= f_min < f_max <= %g (half the "
                   "rate of the filters)",
                   o->f_min, o->f_max, o->rate / 2);
  if (!(warp >= 0.5 && warp <= 2))
    return am_fail(err, AM_E_USAGE, "mel filters: warp factor %g is outside 0.5 to 2", warp);
  return AM_OK;
}

am_status am_mel_filters(double rate, int n_fft, int mels, double f_min, double f_max, bool htk, bool slaney_norm,
                         double warp, float *filters, am_error *err) {
  am_mel_options o = {rate, n_fft, mels, f_min, f_max, htk, slaney_norm};
  am_status status = am_mel_check(&o, warp, err);
  if (status) return status;
  size_t bins = (size_t)n_fft / 2 + 1;
  memset(filters, 0, (size_t)mels * bins * sizeof *filters);
  for (int i = 0; i < mels; i++) {
    double corner[3] = {corner_hz(&o, i, warp), corner_hz(&o, i + 1, warp), corner_hz(&o, i + 2, warp)};
    int first;
    if (fill_filter(&o, corner, &first, NULL)) fill_filter(&o, corner, &first, filters + (size_t)i * bins + first);
  }
  return AM_OK;
}
