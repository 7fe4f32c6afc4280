/* SPDX-License-Identifier: MIT */
/* tensor/half.c - float16 and back, by whole numbers; the plain twins of the kernels with float16 weights. */
#include <string.h>

#include "tensor/tables.h"

/* float: 1 bit sign, 8 exponent (bias 127), 23 fraction; half: 1, 5 (bias 15), 10. */
uint16_t am_half_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff)); /* NaN, its top bits kept */
  if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and beyond: halfway to 65536, which is even */
  uint32_t fraction = magnitude & 0x7fffff, shift = 13, exponent = 0;
  if (magnitude >= 0x38800000) { /* 2^-14, the smallest normal half */
    exponent = (magnitude >> 23) - 112;
  } else {
    if (magnitude < 0x33000000) return (uint16_t)sign; /* below 2^-25: less than half of the smallest */
    fraction |= 0x800000;
    shift = 126 - (magnitude >> 23);
  }
  const uint32_t kept = fraction >> shift, rest = fraction & ((1u << shift) - 1), half = 1u << (shift - 1);
  const uint32_t up = rest > half || (rest == half && (kept & 1));
  return (uint16_t)(sign | ((exponent << 10) + kept + up)); /* what is carried over makes the next exponent */
}

float am_half_to(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
  uint32_t bits;
  if (exponent == 31) bits = sign | 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0);
  else if (exponent) bits = sign | (exponent + 112) << 23 | fraction << 13;
  else {
    const float small = (float)fraction / (1 << 24); /* exact */
    memcpy(&bits, &small, sizeof bits);
    bits |= sign;
  }
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

void am_half_product_plain(int rows, int k, int n, const am_real *x, int ldx, const uint16_t *w, am_real *y, int ldy) {
  for (ptrdiff_t r = 0; r < rows; r++)
    for (ptrdiff_t i = 0; i < k; i++)
      for (ptrdiff_t j = 0; j < n; j++) y[r * ldy + j] += x[r * ldx + i] * (am_real)am_half_to(w[i * n + j]);
}

void am_halve_plain(size_t n, const am_real *x, uint16_t *half) {
  for (size_t i = 0; i < n; i++) half[i] = am_half_of((float)x[i]);
}
