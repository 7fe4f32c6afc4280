/* SPDX-License-Identifier: MIT */
/* tensor/plain_frames.c - bands, logarithms and cosine transforms, the reference. */
#include <string.h>

#include "tensor/frames_tables.h"

enum { LANES = 8 };

static void bands(const am_bands *b, const float *power, int frames, float *out) {
  const float *w = b->weights;
  for (int i = 0; i < b->n; i++) {
    const float *p = power + (size_t)b->first[i] * LANES;
    float sum[LANES] = {0};
    for (int k = 0; k < b->count[i]; k++, p += LANES)
      for (int l = 0; l < LANES; l++) sum[l] += w[k] * p[l];
    for (int l = 0; l < frames; l++) out[(size_t)l * (size_t)b->n + (size_t)i] = sum[l];
    w += b->count[i];
  }
}

/* ln(x) = exponent * ln 2 + mantissa, for normal positive x; the mantissa part by the polynomial of
 * Cephes' logf (Moshier), error below 1e-7.  Written without branches so that compilers vectorise it. */
static inline float ln_split(float x, float *exponent) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23; /* of sqrt(1/2): mantissa in [sqrt(1/2), sqrt 2) */
  bits -= (uint32_t)e << 23;
  float m;
  memcpy(&m, &bits, sizeof m);
  m -= 1.0f;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  *exponent = (float)e;
  return m + (p * m * m * m - 0.5f * m * m);
}

static void ln(size_t n, float least, float *x) {
  for (size_t i = 0; i < n; i++) {
    float e, m = ln_split(x[i] < least ? least : x[i], &e);
    x[i] = e * 0.69314718056f + m;
  }
}

static float largest(size_t n, const float *x, float least) {
  for (size_t i = 0; i < n; i++) least = x[i] > least ? x[i] : least;
  return least;
}

static void decibel(size_t n, float least, float ref, float low, float *x) {
  for (size_t i = 0; i < n; i++) {
    float e, m = ln_split(x[i] < least ? least : x[i], &e);
    const float db = e * 3.0102999566f + m * 4.3429448190f - ref;
    x[i] = db < low ? low : db;
  }
}

static void cosines(size_t rows, int n, int keep, const double *table, const float *x, float *y, size_t wide) {
  enum { BLOCK = 64 };
  for (size_t r = 0; r < rows; r++, x += n, y += wide)
    for (int from = 0; from < keep; from += BLOCK) {
      const int size = keep - from < BLOCK ? keep - from : BLOCK;
      double sum[BLOCK] = {0};
      for (int i = 0; i < n; i++) {
        const double *row = table + (size_t)i * (size_t)keep + from, v = x[i];
        for (int k = 0; k < size; k++) sum[k] += v * row[k];
      }
      for (int k = 0; k < size; k++) y[from + k] = (float)sum[k];
    }
}

const am_frame_kernels am_frame_table_plain = {
    .lanes = LANES, .bands = bands, .largest = largest, .decibel = decibel, .ln = ln, .cosines = cosines};
