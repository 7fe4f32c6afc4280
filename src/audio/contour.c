/* SPDX-License-Identifier: MIT */
/* audio/contour.c - moments, percentiles, times and positions. */
#include "audio/contour_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

double am_contour_quantile(const float *sorted, size_t n, double q) {
  double at = q * (double)(n - 1);
  size_t i = (size_t)at;
  if (i + 1 >= n) return sorted[n - 1];
  return sorted[i] + (at - (double)i) * ((double)sorted[i + 1] - sorted[i]);
}

static void percentiles(const float *sorted, size_t n, double *out) {
  const double q[5] = {0.01, 0.25, 0.5, 0.75, 0.99};
  double v[5];
  for (int i = 0; i < 5; i++) out[AM_FUN_PERCENTILE_1 + i] = v[i] = am_contour_quantile(sorted, n, q[i]);
  out[AM_FUN_IQR_1_2] = v[2] - v[1];
  out[AM_FUN_IQR_2_3] = v[3] - v[2];
  out[AM_FUN_IQR_1_3] = v[3] - v[1];
  out[AM_FUN_PERCENTILE_RANGE] = v[4] - v[0];
  out[AM_FUN_RANGE] = (double)sorted[n - 1] - sorted[0];
}

static void moments(const float *x, size_t n, double *out) {
  double mean = 0, square = 0, m2 = 0, m3 = 0, m4 = 0;
  for (size_t i = 0; i < n; i++) {
    mean += x[i];
    square += (double)x[i] * x[i];
  }
  mean /= (double)n;
  for (size_t i = 0; i < n; i++) {
    double d = x[i] - mean, d2 = d * d;
    m2 += d2;
    m3 += d2 * d;
    m4 += d2 * d2;
  }
  m2 /= (double)n;
  m3 /= (double)n;
  m4 /= (double)n;
  out[AM_FUN_MEAN] = mean;
  out[AM_FUN_STDDEV] = sqrt(m2);
  out[AM_FUN_RQMEAN] = sqrt(square / (double)n);
  /* What single precision leaves of a constant is no shape. */
  if (!(m2 > 1e-12 * (mean * mean) && m2 > 1e-30)) return;
  out[AM_FUN_SKEWNESS] = m3 / (m2 * sqrt(m2));
  out[AM_FUN_KURTOSIS] = m4 / (m2 * m2);
}

static double share(size_t count, size_t n) { return n > 0 ? (double)count / (double)n : 0; }

/* Times above levels of the range [low, high], of rising, falling and bending upwards. */
static void times(const float *x, size_t n, double low, double high, double *out) {
  static const double level[4] = {0.25, 0.5, 0.75, 0.9};
  size_t above[4] = {0}, rising = 0, falling = 0, left = 0;
  for (size_t i = 0; i < n; i++)
    for (int k = 0; k < 4; k++) above[k] += x[i] > low + level[k] * (high - low);
  for (size_t i = 1; i < n; i++) {
    rising += x[i] > x[i - 1];
    falling += x[i] < x[i - 1];
  }
  for (size_t i = 1; i + 1 < n; i++) left += x[i + 1] - x[i] > x[i] - x[i - 1];
  for (int k = 0; k < 4; k++) out[AM_FUN_UP_LEVEL_25 + k] = share(above[k], n);
  out[AM_FUN_RISE_TIME] = share(rising, n - 1);
  out[AM_FUN_FALL_TIME] = share(falling, n - 1);
  out[AM_FUN_LEFT_CURVE_TIME] = share(left, n > 2 ? n - 2 : 0);
}

static void positions(const float *x, size_t n, double *out) {
  size_t low = 0, high = 0;
  double sum = 0, weighted = 0, last = n > 1 ? (double)(n - 1) : 1;
  for (size_t i = 1; i < n; i++) {
    if (x[i] < x[low]) low = i;
    if (x[i] > x[high]) high = i;
  }
  for (size_t i = 0; i < n; i++) {
    double w = (double)x[i] - x[low];
    sum += w;
    weighted += w * (double)i;
  }
  out[AM_FUN_MIN_POSITION] = (double)low / last;
  out[AM_FUN_MAX_POSITION] = (double)high / last;
  out[AM_FUN_CENTROID] = sum > 0 ? weighted / sum / last : 0.5;
}

void am_contour_functionals(const float *x, size_t n, double step, float *sorted, double *out) {
  memset(out, 0, AM_FUNCTIONALS_COUNT * sizeof *out);
  if (n == 0) return;
  memcpy(sorted, x, n * sizeof *x);
  qsort(sorted, n, sizeof *sorted, ascending);
  moments(x, n, out);
  percentiles(sorted, n, out);
  times(x, n, sorted[0], sorted[n - 1], out);
  positions(x, n, out);
  am_contour_regression(x, n, step, out);
  am_contour_prediction(x, n, out);
  am_contour_peaks(x, n, step, out);
  am_contour_segments(x, n, step, out);
}

void am_running_add(am_running *r, double x) {
  r->n += 1;
  r->sum += x;
  r->squares += x * x;
}

double am_running_mean(const am_running *r) { return r->n > 0 ? r->sum / r->n : 0; }

double am_running_stddev(const am_running *r) {
  double mean = am_running_mean(r);
  return r->n > 1 ? sqrt(fmax(0, r->squares / r->n - mean * mean)) : 0;
}
