/* SPDX-License-Identifier: MIT */
/* model/calibration.c - temperature scaling: Guo, Pleiss, Sun & Weinberger 2017, On calibration of modern neural networks. */
#include "model/calibration.h"

#include <math.h>

#include "nn/loss.h"

enum { MOST_STEPS = 200 };
static const double FLOOR = -1e4; /* exp of it is 0; float32 holds it */

bool am_calibration_allows(double temperature) {
  return temperature >= AM_LOWEST_TEMPERATURE && temperature <= AM_HIGHEST_TEMPERATURE;
}

/* Of one clip, by b = 1 / temperature: log sum_k exp(b z_k) - b z_y has the slope E[z] - z_y and the curvature Var[z],
 * with z distributed as softmax(b z).  Logits are taken from the largest, so that nothing overflows. */
static void add_clip(const am_real *z, int label, int classes, double b, double *slope, double *curvature) {
  double most = z[0], sum = 0, first = 0, second = 0;
  for (int k = 1; k < classes; k++)
    if (z[k] > most) most = z[k];
  for (int k = 0; k < classes; k++) {
    const double d = z[k] - most, e = exp(b * d);
    sum += e;
    first += e * d;
    second += e * d * d;
  }
  const double mean = first / sum;
  *slope += mean - (z[label] - most);
  *curvature += second / sum - mean * mean;
}

static double slope_at(const am_real *logits, const int *labels, size_t n, int classes, double b, double *curvature) {
  double slope = 0;
  *curvature = 0;
  for (size_t i = 0; i < n; i++) add_clip(logits + i * (size_t)classes, labels[i], classes, b, &slope, curvature);
  return slope;
}

/* Newton's method between limits that hold the root; where a step leaves them, they are halved (in ratio). */
bool am_calibration_fit(const am_real *logits, const int *labels, size_t n, int classes, double *temperature) {
  double low = 1 / AM_HIGHEST_TEMPERATURE, high = 1 / AM_LOWEST_TEMPERATURE, b = 1, curvature;
  *temperature = 1;
  for (size_t i = 0; i < n * (size_t)classes; i++)
    if (!isfinite(logits[i])) return false;
  if (!(slope_at(logits, labels, n, classes, high, &curvature) > 0)) return false;
  if (slope_at(logits, labels, n, classes, low, &curvature) >= 0) {
    *temperature = AM_HIGHEST_TEMPERATURE;
    return true;
  }
  for (int step = 0; step < MOST_STEPS; step++) {
    const double slope = slope_at(logits, labels, n, classes, b, &curvature);
    if (slope < 0) low = b;
    else high = b;
    const double move = -slope / curvature, next = b + move;
    if (fabs(move) <= 1e-12 * b) break;
    b = next > low && next < high ? next : sqrt(low * high);
  }
  *temperature = 1 / b;
  return true;
}

void am_calibration_softmax(const am_real *logits, int rows, int classes, double temperature, am_real *probabilities) {
  if (temperature == 1) {
    am_softmax_rows(logits, rows, classes, probabilities);
    return;
  }
  for (int r = 0; r < rows; r++) {
    const am_real *z = logits + (size_t)r * (size_t)classes;
    am_real *p = probabilities + (size_t)r * (size_t)classes;
    am_real most = z[0];
    for (int k = 1; k < classes; k++)
      if (z[k] > most || isnan(z[k])) most = z[k];
    for (int k = 0; k < classes; k++) {
      const double d = ((double)z[k] - (double)most) / temperature;
      p[k] = (am_real)(d < FLOOR ? FLOOR : d); /* what is not a number stays so */
    }
    am_softmax_rows(p, 1, classes, p);
  }
}
