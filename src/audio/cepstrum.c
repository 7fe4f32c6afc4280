/* SPDX-License-Identifier: MIT */
/* audio/cepstrum.c - DCT-II and deltas along time. */
#include "audio/features.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* table (n, keep): row i holds what in[i] adds to each coefficient, so that the sum over i runs
 * over contiguous memory. scipy.fftpack.dct(type=2, norm="ortho"). */
void am_dct2_table(double *table, int n, int keep) {
  const double pi = 3.14159265358979323846;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < keep; k++)
      table[(size_t)i * (size_t)keep + (size_t)k] =
          sqrt((k == 0 ? 1.0 : 2.0) / n) * cos(pi * k * (2 * i + 1) / (2.0 * n));
}

void am_dct2_ortho(const float *in, int n, int keep, const double *table, float *out) {
  am_frame_kernels_plain()->cosines(1, n, keep, table, in, out, (size_t)keep);
}

/* Weights of the Savitzky-Golay derivative over 2*half+1 frames: slope of the least-squares line
 * (order 1), twice the leading coefficient of the least-squares parabola (order 2). */
static void delta_weights(int half, int order, double *w) {
  double squares = 0, fourth = 0, width = 2 * half + 1;
  for (int k = -half; k <= half; k++) squares += k * k;
  double mean = squares / width;
  for (int k = -half; k <= half; k++) fourth += (k * k - mean) * (k * k - mean);
  for (int k = -half; k <= half; k++) w[k + half] = order == 1 ? k / squares : 2 * (k * k - mean) / fourth;
}

void am_delta(const float *x, int t, int f, int order, float *out) {
  assert(order == 1 || order == 2);
  int half = t >= 9 ? 4 : (t - 1) / 2;
  if (half < 1) {
    memset(out, 0, (size_t)t * (size_t)f * sizeof *out);
    return;
  }
  double w[9] = {0};
  delta_weights(half, order, w);
  for (int i = 0; i < t; i++) {
    /* mode "interp": the edge frames lie on the polynomial of the outermost full window, whose
     * derivative of its own degree is constant. */
    int at = i < half ? half : i >= t - half ? t - 1 - half : i;
    for (int j = 0; j < f; j++) {
      double sum = 0;
      for (int k = -half; k <= half; k++) sum += w[k + half] * x[(size_t)(at + k) * (size_t)f + (size_t)j];
      out[(size_t)i * (size_t)f + (size_t)j] = (float)sum;
    }
  }
}
