/* SPDX-License-Identifier: MIT */
/* audio/contour_shape.c - regression lines and parabolas, linear prediction. */
#include "audio/contour_inside.h"

#include <math.h>

/* Least squares in the orthogonal polynomials of n evenly spaced points (of mean 0): p1 = u, p2 = u^2 - mean u^2. */
void am_contour_regression(const float *x, size_t n, double step, double *out) {
  double mean = out[AM_FUN_MEAN], half = (double)(n - 1) / 2, count = (double)n;
  double u2 = (count * count - 1) / 12, s1 = 0, s2 = 0, n2 = 0, squares = 0;
  for (size_t i = 0; i < n; i++) {
    double u = (double)i - half, p2 = u * u - u2, d = x[i] - mean;
    s1 += u * d;
    s2 += p2 * d;
    n2 += p2 * p2;
    squares += d * d;
  }
  double b = n > 1 ? s1 / (count * u2) : 0, a = n > 2 ? s2 / n2 : 0;
  double linear = fmax(0, squares - b * s1), seconds = half * step;
  out[AM_FUN_LINEAR_SLOPE] = b / step;
  out[AM_FUN_LINEAR_OFFSET] = mean - b * half;
  out[AM_FUN_LINEAR_ERROR] = linear / count;
  /* a (u^2 - u2) + b u + mean, as a polynomial of the seconds since the first frame */
  double qa = a / (step * step), qb = b / step - 2 * qa * seconds;
  out[AM_FUN_QUADRATIC_A] = qa;
  out[AM_FUN_QUADRATIC_B] = qb;
  out[AM_FUN_QUADRATIC_OFFSET] = mean - b * half + a * (half * half - u2);
  out[AM_FUN_QUADRATIC_ERROR] = fmax(0, linear - a * s2) / count;
}

/* Levinson-Durbin on the autocorrelation of the contour without its mean: x[t] is predicted as the sum of lpc_k x[t - k]. */
void am_contour_prediction(const float *x, size_t n, double *out) {
  enum { ORDER = AM_FUN_LPC_5 - AM_FUN_LPC_1 + 1 };
  double r[ORDER + 1] = {0}, a[ORDER] = {0}, mean = out[AM_FUN_MEAN];
  for (size_t k = 0; k <= ORDER; k++)
    for (size_t i = k; i < n; i++) r[k] += (x[i] - mean) * (x[i - k] - mean);
  if (!(r[0] > 1e-12 * (double)n * mean * mean && r[0] > 1e-30)) return;
  double error = r[0] *= 1 + 1e-9;
  for (int i = 0; i < ORDER; i++) {
    double sum = r[i + 1], old[ORDER];
    for (int k = 0; k < i; k++) sum -= a[k] * r[i - k];
    double reflection = sum / error;
    for (int k = 0; k < i; k++) old[k] = a[k];
    for (int k = 0; k < i; k++) a[k] -= reflection * old[i - 1 - k];
    a[i] = reflection;
    error *= 1 - reflection * reflection;
  }
  out[AM_FUN_LPC_GAIN] = 10 * log10(r[0] / fmax(error, 1e-9 * r[0]));
  for (int i = 0; i < ORDER; i++) out[AM_FUN_LPC_1 + i] = a[i];
}
