/* SPDX-License-Identifier: MIT */
/* nn/contrastive.c - see contrastive.h; in double.  With unit vectors z_a = x_a / |x_a|, s_ia = z_i z_a / t, p_ia = softmax over
 * a != i, and P_i the other clips of the class of i:
 *
 *   loss = sum_i (log sum_a exp(s_ia) - mean_P s_ip)
 *   g_ia = (p_ia - [a in P_i] / |P_i|) / t
 *   dz_i += sum_a g_ia z_a,  dz_a += g_ia z_i,  dx = (dz - z (z dz)) / |x| */
#include "nn/contrastive.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

typedef struct job {
  const int *labels;
  size_t batch, width;
  double temperature;
  double *z, *dz;   /* (batch, width) */
  double *norm, *s; /* (batch) norm 0: left out */
} job;

size_t am_contrastive_memory(int batch, int width) { return am_mul(2 * (size_t)batch, am_add((size_t)width, 1)); }

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void add(double *to, double factor, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] += factor * x[i];
}

static void scale(const job *j, const am_real *x) {
  for (size_t b = 0; b < j->batch; b++) {
    double *z = j->z + b * j->width;
    for (size_t i = 0; i < j->width; i++) z[i] = (double)x[b * j->width + i];
    j->norm[b] = sqrt(dot(z, z, j->width));
    for (size_t i = 0; i < j->width && j->norm[b] != 0; i++) z[i] /= j->norm[b];
  }
}

/* Clips that count beside clip i; those of its class. */
static bool other(const job *j, size_t i, size_t a) { return a != i && j->norm[a] != 0; }

/* The loss of one clip, and what it adds to dz. */
static double of_clip(const job *j, size_t i) {
  const double *zi = j->z + i * j->width;
  double most = -INFINITY, total = 0, mean = 0;
  size_t alike = 0;
  for (size_t a = 0; a < j->batch; a++) {
    if (!other(j, i, a)) continue;
    j->s[a] = dot(zi, j->z + a * j->width, j->width) / j->temperature;
    if (j->s[a] > most || isnan(j->s[a])) most = j->s[a];
    if (j->labels[a] == j->labels[i]) mean += j->s[a], alike++;
  }
  if (!alike) return 0;
  mean /= (double)alike;
  for (size_t a = 0; a < j->batch; a++)
    if (other(j, i, a)) total += exp(j->s[a] - most);
  for (size_t a = 0; a < j->batch; a++) {
    if (!other(j, i, a)) continue;
    const double wanted = j->labels[a] == j->labels[i] ? 1 / (double)alike : 0;
    const double g = (exp(j->s[a] - most) / total - wanted) / j->temperature;
    add(j->dz + i * j->width, g, j->z + a * j->width, j->width);
    add(j->dz + a * j->width, g, zi, j->width);
  }
  return most + log(total) - mean;
}

double am_contrastive_loss(const am_real *x, const int *labels, int batch, int width, double temperature, double factor,
                           double *memory, am_real *dx) {
  const size_t n = (size_t)batch * (size_t)width;
  const job j = {.labels = labels,
                 .batch = (size_t)batch,
                 .width = (size_t)width,
                 .temperature = temperature,
                 .z = memory,
                 .dz = memory + n,
                 .norm = memory + 2 * n,
                 .s = memory + 2 * n + (size_t)batch};
  double sum = 0;
  scale(&j, x);
  memset(j.dz, 0, n * sizeof *j.dz);
  for (size_t i = 0; i < j.batch; i++)
    if (j.norm[i] != 0) sum += of_clip(&j, i);
  for (size_t b = 0; dx && b < j.batch; b++) {
    const double *z = j.z + b * j.width, *dz = j.dz + b * j.width, along = dot(z, dz, j.width);
    for (size_t i = 0; i < j.width && j.norm[b] != 0; i++)
      dx[b * j.width + i] += (am_real)(factor * (dz[i] - z[i] * along) / j.norm[b]);
  }
  return sum;
}
