/* SPDX-License-Identifier: MIT */
#include "audio/stft.h"

#include "audio/features.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* scipy.signal.get_window("hann", n, fftbins=True) */
void am_hann(float *window, size_t n) {
  for (size_t i = 0; i < n; i++) window[i] = (float)(0.5 - 0.5 * cos(2 * pi * (double)i / (double)n));
}

am_status am_stft_init(am_context *ctx, am_stft *s, int n_fft, int hop, int window, bool center, am_error *err) {
  assert(n_fft > 0 && n_fft % 2 == 0 && hop > 0 && window > 0 && window <= n_fft);
  *s = (am_stft){.ctx = ctx, .n_fft = n_fft, .hop = hop, .bins = n_fft / 2 + 1, .center = center};
  s->window = am_alloc(ctx, (size_t)n_fft, sizeof *s->window);
  if (!s->window) return am_no_memory(err);
  am_hann(s->window + (n_fft - window) / 2, (size_t)window); /* librosa.util.pad_center */
  s->kernels = am_frame_kernels_of(ctx);
  am_status status = am_fft_create(ctx, n_fft, &s->fft, err);
  if (!status && s->kernels->power) status = am_frame_fft_create(ctx, n_fft, s->window, &s->block, err);
  if (status) am_stft_free(s);
  return status;
}

void am_stft_free(am_stft *s) {
  if (!s->ctx) /* never initialised */
    return;
  am_fft_free(s->fft);
  am_frame_fft_free(s->block);
  am_free(s->ctx, s->window);
  s->fft = NULL;
  s->block = NULL;
  s->window = NULL;
}

size_t am_stft_frames(const am_stft *s, size_t n) {
  if (s->center) return 1 + n / (size_t)s->hop;
  return n < (size_t)s->n_fft ? 1 : 1 + (n - (size_t)s->n_fft) / (size_t)s->hop;
}

static ptrdiff_t begin_of(const am_stft *s, size_t t) { return (ptrdiff_t)t * s->hop - (s->center ? s->n_fft / 2 : 0); }

/* x[from + i] for i in [0, n_fft), zeros outside x (n), times window (NULL: as they are). False when nothing is of x. */
static bool cut(const am_stft *s, const float *x, size_t n, ptrdiff_t from, const float *window, float *frame) {
  ptrdiff_t size = s->n_fft;
  /* frame[lo, hi) comes from x, the rest is outside it */
  ptrdiff_t lo = from < 0 ? -from : 0, hi = (ptrdiff_t)n - from;
  lo = lo < size ? lo : size;
  hi = hi < size ? hi : size;
  if (hi <= lo) return false;
  memset(frame, 0, (size_t)lo * sizeof *frame);
  const float *source = x + from;
  if (window)
    for (ptrdiff_t i = lo; i < hi; i++) frame[i] = source[i] * window[i];
  else memcpy(frame + lo, source + lo, (size_t)(hi - lo) * sizeof *frame);
  memset(frame + hi, 0, (size_t)(size - hi) * sizeof *frame);
  return true;
}

bool am_stft_frame(const am_stft *s, const float *x, size_t n, size_t t, float *frame) {
  return cut(s, x, n, begin_of(s, t), s->window, frame);
}

void am_stft_power(const am_stft *s, const float *frame, float *spectrum, float *power, size_t stride) {
  am_fft_forward(s->fft, frame, spectrum);
  for (size_t k = 0; k < (size_t)s->bins; k++)
    power[k * stride] = spectrum[2 * k] * spectrum[2 * k] + spectrum[2 * k + 1] * spectrum[2 * k + 1];
}

static size_t rounded(size_t floats) { return (floats + 15) / 16 * 16; }

/* Of a block: its values, and its frames where they do not lie in x; else a frame and its spectrum. */
size_t am_stft_work(const am_stft *s) {
  const size_t size = (size_t)s->n_fft, lanes = (size_t)s->kernels->lanes;
  return s->block ? 2 * lanes * size : rounded(size) + 2 * (size_t)s->bins;
}

static bool block_powers(const am_stft *s, const float *x, size_t n, size_t t, size_t frames, float *work,
                         float *power) {
  const size_t size = (size_t)s->n_fft, lanes = (size_t)s->kernels->lanes;
  const ptrdiff_t first = begin_of(s, t), last = begin_of(s, t + lanes - 1) + s->n_fft;
  float *own = work + lanes * size;
  if (frames == lanes && first >= 0 && last <= (ptrdiff_t)n) {
    s->kernels->power(s->block, x + first, (size_t)s->hop, work, power);
    return true;
  }
  size_t heard = 0;
  for (size_t l = 0; l < lanes; l++) {
    const bool some = l < frames && cut(s, x, n, begin_of(s, t + l), NULL, own + l * size);
    if (!some) memset(own + l * size, 0, size * sizeof *own);
    heard += some;
  }
  if (heard) s->kernels->power(s->block, own, size, work, power);
  return heard > 0;
}

bool am_stft_powers(const am_stft *s, const float *x, size_t n, size_t t, size_t frames, float *work, float *power) {
  const size_t lanes = (size_t)s->kernels->lanes;
  if (s->block) return block_powers(s, x, n, t, frames, work, power);
  size_t heard = 0;
  memset(power, 0, (size_t)s->bins * lanes * sizeof *power);
  for (size_t l = 0; l < frames; l++) {
    if (!am_stft_frame(s, x, n, t + l, work)) continue;
    am_stft_power(s, work, work + rounded((size_t)s->n_fft), power + l, lanes);
    heard++;
  }
  return heard > 0;
}
