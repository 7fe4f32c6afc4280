/* SPDX-License-Identifier: MIT */
#include "audio/level.h"

#include <math.h>

/* Of the blocks whose power is at least `gate`; the last one may be short. */
static double mean_power(const float *x, size_t n, size_t block, double gate) {
  double sum = 0;
  size_t counted = 0;
  for (size_t from = 0; from < n; from += block) {
    const size_t to = n - from < block ? n : from + block;
    double power = 0;
    for (size_t i = from; i < to; i++) power += (double)x[i] * x[i];
    if (power < gate * (double)(to - from)) continue;
    sum += power;
    counted += to - from;
  }
  return counted ? sum / (double)counted : 0;
}

double am_level(const float *x, size_t n, double rate) {
  const size_t block = rate > 100 ? (size_t)(0.02 * rate) : 1;
  const double all = mean_power(x, n, block, 0);
  return 10 * log10(mean_power(x, n, block, all / 10));
}

am_status am_level_bring(am_context *ctx, const float *x, size_t n, double rate, double level, float **out,
                         am_error *err) {
  const double now = am_level(x, n, rate);
  const double silent = -200; /* dB: no recording has so little, and what lifts it would not be finite */
  const float factor = (float)(now > silent ? pow(10, (level - now) / 20) : 1);
  *out = am_alloc(ctx, n + 1, sizeof **out);
  if (!*out) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) (*out)[i] = x[i] * factor;
  return AM_OK;
}
