/* SPDX-License-Identifier: MIT */
/* tensor/simd_pick.h - the steps of max pooling, a vector of channels at a time, and numbers of taps as bytes. */
#ifndef AM_SIMD_PICK_H
#define AM_SIMD_PICK_H

#include "tensor/simd.h"

#if AM_LANES != 16
typedef uint8_t vb __attribute__((vector_size(AM_LANES)));
#endif

/* Windows of 2 x 2 side by side, all of them inside the map. */
AM_INLINE bool am_pools_by_two(const am_conv *pool) {
  return pool->kt == 2 && pool->kf == 2 && pool->st == 2 && pool->sf == 2 && pool->dt == 1 && pool->df == 1 &&
         pool->pt == 0 && pool->pf == 0 && 2 * pool->to <= pool->ti && 2 * pool->fo <= pool->fi;
}

/* The first n <= LANES bytes as numbers. */
#if AM_LANES == 16
AM_INLINE vi load_bytes(const uint8_t *p, size_t n) {
  return (vi)_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), p));
}
AM_INLINE void store_bytes(uint8_t *p, vi v, size_t n) {
  _mm512_mask_cvtepi32_storeu_epi8(p, (__mmask16)((1u << n) - 1), (__m512i)v);
}
#else
AM_INLINE vi load_bytes(const uint8_t *p, size_t n) {
  vb b = {0};
  if (n == LANES) memcpy(&b, p, sizeof b);
  else memcpy(&b, p, n);
  return __builtin_convertvector(b, vi);
}
AM_INLINE void store_bytes(uint8_t *p, vi v, size_t n) {
  vb b = __builtin_convertvector(v, vb);
  if (n == LANES) memcpy(p, &b, sizeof b);
  else memcpy(p, &b, n);
}
#endif

/* The larger of best and v, best if they are equal, NaN if one is; `which` becomes tap where v is taken. */
AM_INLINE void take_larger(vf v, int tap, vf *best, vi *which) {
#if AM_LANES == 16
  __mmask16 number = _mm512_cmp_ps_mask((__m512)*best, (__m512)*best, _CMP_ORD_Q);
  __mmask16 take = _mm512_mask_cmp_ps_mask(number, (__m512)v, (__m512)*best, _CMP_NLE_UQ);
  *best = (vf)_mm512_mask_mov_ps((__m512)*best, take, (__m512)v);
  *which = (vi)_mm512_mask_mov_epi32((__m512i)*which, take, _mm512_set1_epi32(tap));
#elif AM_LANES == 8
  __m256 take = _mm256_and_ps(_mm256_cmp_ps((__m256)v, (__m256)*best, _CMP_NLE_UQ),
                              _mm256_cmp_ps((__m256)*best, (__m256)*best, _CMP_ORD_Q));
  *best = (vf)_mm256_blendv_ps((__m256)*best, (__m256)v, take);
  *which = (vi)_mm256_blendv_ps((__m256)*which, (__m256)((vi){0} + tap), take);
#else
  vi take = (v > *best) | ((v != v) & (*best == *best));
  *best = pick(take, v, *best);
  *which = (take & ((vi){0} + tap)) | (~take & *which);
#endif
}

#endif
