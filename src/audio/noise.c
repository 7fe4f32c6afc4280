/* SPDX-License-Identifier: MIT */
/* audio/noise.c - white and pink noise (Kellet's three-pole filter). */
#include "audio/noise.h"

#include <math.h>

static double power(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
  return n ? sum / (double)n : 0;
}

am_status am_noise_add(am_context *ctx, am_rng *rng, double colour, double snr, float *x, size_t n, am_error *err) {
  double sound = power(x, n);
  if (sound == 0) return AM_OK;
  float *noise = am_alloc(ctx, n, sizeof *noise);
  if (!noise) return am_no_memory(err);
  double a = 0, b = 0, c = 0;
  for (size_t i = 0; i < n; i++) {
    double white = am_rng_normal(rng);
    a = 0.99765 * a + 0.0990460 * white;
    b = 0.96300 * b + 0.2965164 * white;
    c = 0.57000 * c + 1.0526913 * white;
    double pink = (a + b + c + 0.1848 * white) / 3; /* about the power of white */
    noise[i] = (float)((1 - colour) * white + colour * pink);
  }
  double scale = sqrt(sound / power(noise, n) / pow(10, snr / 10));
  for (size_t i = 0; i < n; i++) x[i] += (float)(scale * noise[i]);
  am_free(ctx, noise);
  return AM_OK;
}
