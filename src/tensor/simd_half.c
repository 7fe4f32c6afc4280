/* SPDX-License-Identifier: MIT */
/* tensor/simd_half.c - products with a matrix of float16 that is too large for any cache: half the bytes to read.
 *
 * A half becomes a float on the way into the register, which is exact, and the multiply-adds are those of
 * simd_product.c in the same order.  So the results are the bits of am_wide_product with the rounded matrix. */
#include "tensor/simd_tiles.h"

#if AM_LANES == 4
#include <arm_neon.h>
#endif

enum {
  ROW_VECTORS = 8,                     /* of columns that one row meets at a time */
  COLUMNS = ROW_VECTORS * LANES,       /* at most 128 */
  AHEAD = 4096 / (int)sizeof(uint16_t) /* halves: what is read so much later is fetched now */
};

#if AM_LANES == 16
AM_INLINE vf load_half(const uint16_t *p) { return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
AM_INLINE void store_half(uint16_t *p, vf v) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
#elif AM_LANES == 8
AM_INLINE vf load_half(const uint16_t *p) { return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
AM_INLINE void store_half(uint16_t *p, vf v) {
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
}
#else
AM_INLINE vf load_half(const uint16_t *p) { return (vf)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
AM_INLINE void store_half(uint16_t *p, vf v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)v))); }
#endif

AM_INLINE int least(int a, int b) { return a < b ? a : b; }

/* One row by COLUMNS columns: y += x w over `terms` rows of w, n apart. */
static void row_product(int terms, int n, const float *x, const uint16_t *w, float *y) {
  const ptrdiff_t ahead = (ptrdiff_t)(AHEAD / n + 1) * n;
  vf sum[ROW_VECTORS];
  AM_UNROLL for (int v = 0; v < ROW_VECTORS; v++) sum[v] = (vf){0};
  for (int i = 0; i < terms; i++, w += n) {
    const vf value = splat(x[i]);
    AM_UNROLL for (int v = 0; v < ROW_VECTORS; v++) {
      if (v * LANES % 32 == 0) __builtin_prefetch(w + ahead + v * LANES); /* a line of 32 halves */
      sum[v] += value * load_half(w + v * LANES);
    }
  }
  AM_UNROLL for (int v = 0; v < ROW_VECTORS; v++) store(y + v * LANES, load(y + v * LANES) + sum[v]);
}

static void widen(int n, const uint16_t *half, float *x) {
  int i = 0;
  for (; i + LANES <= n; i += LANES) store(x + i, load_half(half + i));
  for (; i < n; i++) x[i] = am_half_to(half[i]);
}

/* Several rows, or fewer columns: a block of w is made floats, which all rows meet. */
static void block_product(int rows, int terms, int columns, int n, const float *x, int ldx, const uint16_t *w, float *y,
                          int ldy) {
  float block[WIDE_TERMS * COLUMNS];
  for (int i = 0; i < terms; i++) widen(columns, w + (ptrdiff_t)i * n, block + (ptrdiff_t)i * columns);
  AM_SIMD(am_wide_product)(rows, terms, columns, x, ldx, block, columns, y, ldy);
}

void AM_SIMD(am_half_product)(int rows, int k, int n, const float *x, int ldx, const uint16_t *w, float *y, int ldy) {
  for (int at = 0; at < k; at += WIDE_TERMS, w += (ptrdiff_t)WIDE_TERMS * n)
    for (int j = 0; j < n; j += COLUMNS) {
      const int terms = least(k - at, WIDE_TERMS), columns = least(n - j, COLUMNS);
      if (rows == 1 && columns == COLUMNS) row_product(terms, n, x + at, w + j, y + j);
      else block_product(rows, terms, columns, n, x + at, ldx, w + j, y + j, ldy);
    }
}

void AM_SIMD(am_halve)(size_t n, const float *x, uint16_t *half) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store_half(half + i, load(x + i));
  for (; i < n; i++) half[i] = am_half_of(x[i]);
}
