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
  am_status status = am_fft_create(ctx, n_fft, &s->fft, err);
  if (status) am_stft_free(s);
  return status;
}

void am_stft_free(am_stft *s) {
  if (!s->ctx) /* never initialised */
    return;
  am_fft_free(s->fft);
  am_free(s->ctx, s->window);
  s->fft = NULL;
  s->window = NULL;
}

size_t am_stft_frames(const am_stft *s, size_t n) {
  if (s->center) return 1 + n / (size_t)s->hop;
  return n < (size_t)s->n_fft ? 1 : 1 + (n - (size_t)s->n_fft) / (size_t)s->hop;
}

bool am_stft_frame(const am_stft *s, const float *x, size_t n, size_t t, float *frame) {
  ptrdiff_t size = s->n_fft, from = (ptrdiff_t)t * s->hop - (s->center ? s->n_fft / 2 : 0);
  /* frame[lo, hi) comes from x, the rest is outside it */
  ptrdiff_t lo = from < 0 ? -from : 0, hi = (ptrdiff_t)n - from;
  lo = lo < size ? lo : size;
  hi = hi < size ? hi : size;
  if (hi <= lo) return false;
  memset(frame, 0, (size_t)lo * sizeof *frame);
  const float *source = x + from + lo, *window = s->window + lo;
  float *to = frame + lo;
  for (ptrdiff_t i = 0; i < hi - lo; i++) to[i] = source[i] * window[i];
  memset(frame + hi, 0, (size_t)(size - hi) * sizeof *frame);
  return true;
}

void am_stft_power(const am_stft *s, const float *frame, float *spectrum, float *power, size_t stride) {
  am_fft_forward(s->fft, frame, spectrum);
  for (size_t k = 0; k < (size_t)s->bins; k++)
    power[k * stride] = spectrum[2 * k] * spectrum[2 * k] + spectrum[2 * k + 1] * spectrum[2 * k + 1];
}
