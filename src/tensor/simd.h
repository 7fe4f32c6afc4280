/* SPDX-License-Identifier: MIT */
/* tensor/simd.h - vectors of float for the fast kernels.
 *
 * The files simd_*.c exist once and are compiled once per processor path, with
 * AM_LANES (4, 8 or 16 floats a vector) and AM_PATH (neon, avx2, avx512) defined; only
 * GCC's and clang's vector extensions are used (and masks), so the flags of the file
 * choose the instructions.  Multiply-add contraction is on in these files. */
#ifndef AM_SIMD_H
#define AM_SIMD_H

#if AM_LANES > 4
#include <immintrin.h>
#endif
#include <string.h>

#include "tensor/tables.h"

enum { LANES = AM_LANES };

typedef float vf __attribute__((vector_size(AM_LANES * 4)));
typedef int32_t vi __attribute__((vector_size(AM_LANES * 4)));
typedef float vf_anywhere __attribute__((vector_size(AM_LANES * 4), aligned(4), may_alias));

#define AM_JOIN_(a, b) a##_##b
#define AM_JOIN(a, b) AM_JOIN_(a, b)
#define AM_SIMD(name) AM_JOIN(name, AM_PATH)

/* Loops over registers must unroll whole, or the registers become memory. */
#ifdef __clang__
#define AM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define AM_UNROLL _Pragma("GCC unroll 16")
#endif
#define AM_INLINE static inline __attribute__((always_inline))

AM_INLINE vf load(const float *p) { return *(const vf_anywhere *)p; }
AM_INLINE void store(float *p, vf v) { *(vf_anywhere *)p = v; }
AM_INLINE vf splat(float s) { return s - (vf){0}; }
/* a where the mask (of a comparison) is set, else b */
AM_INLINE vf pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

/* max(v, 0), where NaN stays */
AM_INLINE vf positive(vf v) {
#if AM_LANES == 16
  return (vf)_mm512_max_ps(_mm512_setzero_ps(), (__m512)v); /* the second where one is NaN */
#elif AM_LANES == 8
  return (vf)_mm256_max_ps(_mm256_setzero_ps(), (__m256)v);
#else
  return (vf)((vi)v & ~(v < (vf){0}));
#endif
}

/* The first n < LANES floats; the rest of the vector is zero. */
#if AM_LANES == 16
AM_INLINE vf load_some(const float *p, size_t n) { return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
AM_INLINE void store_some(float *p, vf v, size_t n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v); }
#elif AM_LANES == 8
AM_INLINE __m256i first_lanes(size_t n) {
  static const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (__m256i)(lane < (vi){0} + (int32_t)n);
}
AM_INLINE vf load_some(const float *p, size_t n) { return (vf)_mm256_maskload_ps(p, first_lanes(n)); }
AM_INLINE void store_some(float *p, vf v, size_t n) { _mm256_maskstore_ps(p, first_lanes(n), (__m256)v); }
#else
AM_INLINE vf load_some(const float *p, size_t n) {
  return (vf){n > 0 ? p[0] : 0, n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, 0};
}
AM_INLINE void store_some(float *p, vf v, size_t n) {
  if (n > 0) p[0] = v[0];
  if (n > 1) p[1] = v[1];
  if (n > 2) p[2] = v[2];
}
#endif

/* simd_conv.c */
size_t AM_SIMD(am_conv_packed_count)(const am_conv *c);
size_t AM_SIMD(am_conv_scratch_count)(const am_conv *c);
void AM_SIMD(am_conv_pack)(const am_conv *c, const float *kernel, float *packed);
size_t AM_SIMD(am_conv_packed_back_count)(const am_conv *c);
void AM_SIMD(am_conv_pack_back)(const am_conv *c, const float *kernel, float *packed);
void AM_SIMD(am_conv_forward)(const am_conv *c, const float *x, const float *packed, const float *bias,
                              am_epilogue epilogue, int t0, int t1, float *y, float *scratch);
void AM_SIMD(am_conv_backward_x)(const am_conv *c, const float *dy, const float *packed_back, int t0, int t1, float *dx,
                                 float *scratch);
void AM_SIMD(am_conv_backward_w)(const am_conv *c, const float *x, const float *dy, int t0, int t1, float *dkernel,
                                 float *scratch);
/* simd_conv_pool.c */
bool AM_SIMD(am_conv_pools)(const am_conv *c, const am_conv *pool);
void AM_SIMD(am_conv_pool_forward)(const am_conv *c, const am_conv *pool, const float *x, const float *packed,
                                   const float *bias, am_epilogue epilogue, float *y, uint8_t *index);
void AM_SIMD(am_conv_pool_backward_w)(const am_conv *c, const am_conv *pool, const float *x, const float *dy,
                                      const uint8_t *index, float *dkernel);
/* simd_product.c */
size_t AM_SIMD(am_packed_count)(int k, int n);
void AM_SIMD(am_pack)(bool trans, int k, int n, const float *b, int ldb, float *packed);
void AM_SIMD(am_product)(int rows, int k, int n, const float *a, int lda, const float *packed, bool add, float *c,
                         int ldc);
void AM_SIMD(am_wide_product)(int rows, int k, int n, const float *x, int ldx, const float *w, int ldw, float *y,
                              int ldy);
void AM_SIMD(am_wide_back)(int rows, int k, int n, int group, const float *x, int ldx, const float *w,
                           const float *dy_packed, const float *dy_across, float *dw, float *dx, int lddx);
void AM_SIMD(am_outer_product)(int rows, int m, int n, const float *a, int lda, const float *b, int ldb, float *c,
                               int ldc);
/* simd_recurrent.c */
size_t AM_SIMD(am_recurrent_count)(int gates, int h);
void AM_SIMD(am_recurrent_pack)(int gates, int h, const float *u, float *packed);
void AM_SIMD(am_lstm)(const am_recurrence *r);
void AM_SIMD(am_gru)(const am_recurrence *r);
/* simd_half.c */
void AM_SIMD(am_half_product)(int rows, int k, int n, const float *x, int ldx, const uint16_t *w, float *y, int ldy);
void AM_SIMD(am_halve)(size_t n, const float *x, uint16_t *half);
/* simd_pool.c */
void AM_SIMD(am_max_pool)(const am_conv *c, const float *x, float *y, uint8_t *index);
void AM_SIMD(am_max_pool_back)(const am_conv *c, const float *dy, const uint8_t *index, float *dx);
/* simd_norm.c */
void AM_SIMD(am_column_moments)(size_t rows, size_t columns, const float *x, double *mean, double *squares);
void AM_SIMD(am_norm_forward)(size_t rows, size_t columns, const am_norm *n, const float *x, float *y);
void AM_SIMD(am_norm_back_sums)(size_t rows, size_t columns, const am_norm *n, const float *x, const float *dy,
                                double *sum, double *product);
void AM_SIMD(am_norm_back)(size_t rows, size_t columns, const am_norm *n, const double *of_x, const double *constant,
                           const float *x, const float *dy, float *dx);
void AM_SIMD(am_norm_rows)(size_t rows, size_t columns, const float *gamma, const float *beta, double epsilon,
                           const float *x, double *moments, float *y);
void AM_SIMD(am_norm_rows_back)(size_t rows, size_t columns, const float *gamma, const double *moments, const float *x,
                                const float *dy, double *dgamma, double *dbeta, float *dx);

#endif
