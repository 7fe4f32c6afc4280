/* SPDX-License-Identifier: MIT */
/* model/agreement.c - see agreement.h. */
#include "model/agreement.h"

#include <math.h>

void am_moments_add(am_moments *m, double predicted, double truth, double from) {
  const double y = predicted - from, t = truth - from;
  m->n++;
  m->y += y;
  m->t += t;
  m->yy += y * y;
  m->tt += t * t;
  m->yt += y * t;
  m->errors += fabs(y - t);
}

void am_moments_join(am_moments *to, const am_moments *from) {
  to->n += from->n;
  to->y += from->y;
  to->t += from->t;
  to->yy += from->yy;
  to->tt += from->tt;
  to->yt += from->yt;
  to->errors += from->errors;
}

/* A constant has no variance but what rounding leaves. */
static double variance(double square, double mean) {
  const double v = square - mean * mean;
  return v > 1e-13 * square ? v : 0;
}

am_agreement am_agreement_of(const am_moments *m) {
  am_agreement a = {.n = (size_t)m->n, .ccc = NAN, .pearson = NAN, .rmse = NAN, .mae = NAN};
  if (!(m->n > 0)) return a;
  const double n = m->n, y = m->y / n, t = m->t / n, vy = variance(m->yy / n, y), vt = variance(m->tt / n, t),
               cov = vy > 0 && vt > 0 ? m->yt / n - y * t : 0, all = vy + vt + (y - t) * (y - t),
               square = (m->yy - 2 * m->yt + m->tt) / n;
  a.rmse = square > 0 ? sqrt(square) : 0;
  a.mae = m->errors / n;
  if (a.n >= 2 && all > 0) a.ccc = 2 * cov / all;
  if (vy > 0 && vt > 0) a.pearson = cov / sqrt(vy * vt);
  return a;
}

double am_agreement_mean(const double *ccc, size_t n, size_t stride) {
  double sum = 0;
  size_t known = 0;
  for (size_t k = 0; k < n; k++) {
    const double value = *(const double *)(const void *)((const char *)ccc + k * stride);
    if (isnan(value)) continue;
    sum += value;
    known++;
  }
  return known ? sum / (double)known : NAN;
}
