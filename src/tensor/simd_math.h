/* SPDX-License-Identifier: MIT */
/* tensor/simd_math.h - exp, tanh and the logistic function of vectors, each within a few ulp.
 *
 * Reduction and polynomial are of Moshier's Cephes (expf).  tanh and the logistic function are quotients of what it gives. */
#ifndef AM_SIMD_MATH_H
#define AM_SIMD_MATH_H

#include "tensor/simd.h"

typedef uint32_t vu __attribute__((vector_size(AM_LANES * 4)));

AM_INLINE vf magnitude(vf x) { return (vf)((vi)x & 0x7fffffff); }

/* NaN stays */
#if AM_LANES == 16
AM_INLINE vf clamp(vf x, float low, float high) {
  return (vf)_mm512_min_ps((__m512)splat(high), _mm512_max_ps((__m512)splat(low), (__m512)x));
}
#else
AM_INLINE vf clamp(vf x, float low, float high) {
  x = pick(x < splat(low), splat(low), x);
  return pick(x > splat(high), splat(high), x);
}
#endif

/* exp(x) = 2^n (1 + q): n whole, q = exp(r) - 1, r = x - n ln 2.  Of |x| < 2^21; q keeps its accuracy near 0. */
AM_INLINE vf exp_parts(vf x, vf *n) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: adding it leaves the nearest integer */
  *n = (x * 1.44269504088896341f + magic) - magic;
  vf r = x - *n * 0.693359375f;
  r = r - *n * -2.12194440e-4f;
  vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * (r * r) + r;
}

/* x 2^n, which may be too small or too large for a float, as may be 2^n. */
#if AM_LANES == 16
AM_INLINE vf scale(vf x, vf n) { return (vf)_mm512_scalef_ps((__m512)x, (__m512)n); }
#else
AM_INLINE vf power_of_2(vi n) { return (vf)(((vu)n + 127u) << 23); }
AM_INLINE vf scale(vf x, vf n) {
  vi whole = __builtin_convertvector(pick(n == n, n, (vf){0}), vi), half = whole >> 1;
  return x * power_of_2(half) * power_of_2(whole - half);
}
#endif

AM_INLINE vf exp_of(vf x) {
  vf n, q = exp_parts(clamp(x, -104.0f, 89.0f), &n);
  return scale(1.0f + q, n);
}

/* 1 / d of a d that is far from 0 and from the largest float: within 1 ulp. */
#if AM_LANES == 16
AM_INLINE vf inverse(vf d) {
  vf y = (vf)_mm512_rcp14_ps((__m512)d);
  return y + y * (1.0f - d * y);
}
#else
AM_INLINE vf inverse(vf d) { return 1.0f / d; }
#endif

/* (E - 1) / (E + 1) with E = exp(2|x|): E - 1 = 2^n q + (2^n - 1). */
AM_INLINE vf tanh_of(vf x) {
  vf n, a = magnitude(x), q = exp_parts(clamp(a + a, 0, 40.0f), &n);
  vf power = scale(splat(1), n), less = power * q + (power - 1.0f);
  vf y = less * inverse(less + 2.0f);
  return (vf)((vi)y | ((vi)x & (vi)splat(-0.0f)));
}

/* 1 / (1 + exp(-x)); 0 where that would be no normal number. */
AM_INLINE vf sigmoid_of(vf x) {
  vf n, q = exp_parts(-clamp(x, -88.0f, 88.0f), &n);
  vf y = inverse(1.0f + scale(1.0f + q, n));
  return pick(x < splat(-87.3f), (vf){0}, y);
}

/* The first n floats; the rest of the vector is zero. */
AM_INLINE vf get(const float *p, size_t n) { return n == LANES ? load(p) : load_some(p, n); }
AM_INLINE void put(float *p, vf v, size_t n) {
  if (n == LANES) store(p, v);
  else store_some(p, v, n);
}

#endif
