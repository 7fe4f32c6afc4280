/* SPDX-License-Identifier: MIT */
/* audio/channel.c - rooms and telephone lines. */
#include "audio/channel.h"

#include "audio/fft.h"
#include "audio/resample.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static double power(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
  return sum;
}

/* ---- rooms ---- */

/* h (taps) convolved with x (n), the first n samples of it into y: blocks whose ends overlap (Stockham 1966). */
typedef struct convolution {
  am_fft *forward, *back;
  int n_fft;
  float *frame, *spectrum, *response; /* (n_fft), (n_fft / 2 + 1) pairs each */
} convolution;

static void convolution_free(am_context *ctx, convolution *c) {
  am_fft_free(c->forward);
  am_fft_free(c->back);
  am_free_aligned(ctx, c->frame);
  am_free_aligned(ctx, c->spectrum);
  am_free_aligned(ctx, c->response);
}

static am_status convolution_init(am_context *ctx, convolution *c, size_t taps, am_error *err) {
  *c = (convolution){.n_fft = 1024};
  while ((size_t)c->n_fft < 4 * taps) c->n_fft *= 2;
  const size_t bytes = ((size_t)c->n_fft + 2) * sizeof(float);
  c->frame = am_alloc_aligned(ctx, bytes);
  c->spectrum = am_alloc_aligned(ctx, bytes);
  c->response = am_alloc_aligned(ctx, bytes);
  if (!c->frame || !c->spectrum || !c->response) return am_no_memory(err);
  am_status status = am_fft_create(ctx, c->n_fft, &c->forward, err);
  return status ? status : am_fft_create_inverse(ctx, c->n_fft, &c->back, err);
}

static void convolve(const convolution *c, const float *x, size_t n, size_t taps, float *y) {
  const size_t n_fft = (size_t)c->n_fft, step = n_fft - taps + 1;
  memset(y, 0, n * sizeof *y);
  for (size_t from = 0; from < n; from += step) {
    const size_t some = n - from < step ? n - from : step, all = n - from < n_fft ? n - from : n_fft;
    memset(c->frame, 0, n_fft * sizeof *c->frame);
    memcpy(c->frame, x + from, some * sizeof *x);
    am_fft_forward(c->forward, c->frame, c->spectrum);
    for (size_t k = 0; k <= n_fft / 2; k++) {
      float *a = c->spectrum + 2 * k, real = a[0];
      const float *b = c->response + 2 * k;
      a[0] = real * b[0] - a[1] * b[1];
      a[1] = real * b[1] + a[1] * b[0];
    }
    am_fft_inverse(c->back, c->spectrum, c->frame);
    for (size_t i = 0; i < all; i++) y[from + i] += c->frame[i] / (float)n_fft;
  }
}

am_status am_room(am_context *ctx, am_rng *rng, double t60, double rate, float *x, size_t n, am_error *err) {
  const size_t taps = (size_t)(t60 * rate) + 1;
  const double before = power(x, n);
  if (before == 0) return AM_OK;
  convolution c;
  am_status status = convolution_init(ctx, &c, taps, err);
  float *y = status ? NULL : am_alloc(ctx, n, sizeof *y);
  if (!status && !y) status = am_no_memory(err);
  if (!status) {
    memset(c.frame, 0, (size_t)c.n_fft * sizeof *c.frame);
    for (size_t i = 1; i < taps; i++) c.frame[i] = (float)(am_rng_normal(rng) * pow(10, -3 * (double)i / (t60 * rate)));
    const double tail = power(c.frame, taps);
    for (size_t i = 1; i < taps; i++) c.frame[i] = (float)(c.frame[i] / sqrt(tail));
    c.frame[0] = 1;
    am_fft_forward(c.forward, c.frame, c.response);
    convolve(&c, x, n, taps, y);
    const double scale = sqrt(before / power(y, n));
    for (size_t i = 0; i < n; i++) x[i] = (float)(y[i] * scale);
  }
  am_free(ctx, y);
  convolution_free(ctx, &c);
  return status;
}

/* ---- telephone lines ---- */

/* A filter of second order (R. Bristow-Johnson's cookbook): Butterworth's of fourth order is two with these qualities. */
static void filter(float *x, size_t n, double hertz, double rate, double quality, bool high) {
  const double w = 2 * pi * hertz / rate, alpha = sin(w) / (2 * quality), a0 = 1 + alpha;
  const double b1 = (high ? -1 - cos(w) : 1 - cos(w)) / a0, b0 = fabs(b1) / 2, a1 = -2 * cos(w) / a0,
               a2 = (1 - alpha) / a0;
  double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
  for (size_t i = 0; i < n; i++) {
    const double y = b0 * x[i] + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2;
    x2 = x1, x1 = x[i], y2 = y1, y1 = y;
    x[i] = (float)y;
  }
}

/* Through 255 levels, close to each other where sound is soft. */
static float mu_law(float x) {
  const double mu = 255, size = fmin(1, fabs(x)), level = round(127 * log1p(mu * size) / log1p(mu)) / 127;
  return (float)copysign(expm1(level * log1p(mu)) / mu, x);
}

am_status am_telephone(am_context *ctx, double rate, float *x, size_t n, am_error *err) {
  const double line = 8000, qualities[] = {0.54119610, 1.30656296};
  float *narrow = NULL, *back = NULL;
  size_t n_narrow = 0, n_back = 0;
  am_status status = am_resample(ctx, x, n, rate, line, &narrow, &n_narrow, err);
  if (!status) {
    for (int i = 0; i < 2; i++) {
      filter(narrow, n_narrow, 300, line, qualities[i], true);
      filter(narrow, n_narrow, 3400, line, qualities[i], false);
    }
    for (size_t i = 0; i < n_narrow; i++) narrow[i] = mu_law(narrow[i]);
    status = am_resample(ctx, narrow, n_narrow, line, rate, &back, &n_back, err);
  }
  for (size_t i = 0; !status && i < n; i++) x[i] = i < n_back ? back[i] : 0;
  am_free(ctx, narrow);
  am_free(ctx, back);
  return status;
}
