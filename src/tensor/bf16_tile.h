/* SPDX-License-Identifier: MIT */
/* tensor/bf16_tile.h - sums of products of bfloat16 numbers in float, by the processor or by its plain twin.
 *
 * A bfloat16 is the upper half of a float.  Two of them, neighbours along the sum, are a pair: a uint32_t whose lower half
 * comes first.  The instruction (VDPBF16PS of AVX512-BF16) adds the products of a pair to a float: the upper ones first,
 * then the lower ones, each as one fused multiply-add, rounded to nearest even.  Subnormal numbers are zero, as they
 * go in and as they come out (Intel, Instruction Set Extensions Programming Reference).  VCVTNEPS2BF16 makes a bfloat16
 * of a float: nearest even, subnormal numbers are zero, a NaN becomes a quiet one.
 *
 * bf16_conv.c is compiled with this twice: for the instruction, and in plain C that gives the same bits on any
 * processor, the twin. */
#ifndef AM_BF16_TILE_H
#define AM_BF16_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* C(p, columns) = sum over pairs of A(p, pair) B(pair, columns); A at a + p a_row + pair a_step, B at b + pair BLOCK. */
typedef struct dot_tile {
  int pairs, columns; /* columns that exist, at most BLOCK */
  const uint32_t *a, *b;
  ptrdiff_t a_row, a_step;
  float *c;
  ptrdiff_t c_row;
  bool add; /* to what stands in C; else from zero on */
} dot_tile;

#ifdef __AVX512BF16__

#include "tensor/simd_tiles.h"

AM_INLINE void run_tile(const int P, const int V, const dot_tile *t) {
  vf sum[MOST][2];
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] =
        t->add ? load_columns(t->c + p * t->c_row, t->columns, v) : (vf){0};
  }
  const ptrdiff_t row = t->a_row, step = t->a_step;
  const uint32_t *b = t->b, *at[(MOST + 2) / 3]; /* three rows each: base, base + row, base + 2 row */
  AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) at[p] = t->a + 3 * p * row;
  for (int k = 0; k < t->pairs; k++, b += BLOCK) {
    __m512i column[2];
    AM_UNROLL for (int v = 0; v < V; v++) column[v] = _mm512_loadu_si512(b + v * LANES);
    AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) OPAQUE(at[p]);
    AM_UNROLL for (int p = 0; p < P; p++) {
      __m512i value = _mm512_set1_epi32((int)at[p / 3][p % 3 * row]);
      AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] =
          (vf)_mm512_dpbf16_ps((__m512)sum[p][v], (__m512bh)value, (__m512bh)column[v]);
    }
    AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) at[p] += step;
  }
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) store_columns(t->c + p * t->c_row, sum[p][v], t->columns, v);
  }
}

#define TILE_FUNCTION(P, V) \
  static void tile_##P##_##V(const dot_tile *t) { run_tile(P, V, t); }
EACH_TILE(TILE_FUNCTION, 1)
EACH_TILE(TILE_FUNCTION, 2)
#define TILE_NAME(P, V) tile_##P##_##V,
static void (*const tiles[2][MOST])(const dot_tile *t) = {{EACH_TILE(TILE_NAME, 1)}, {EACH_TILE(TILE_NAME, 2)}};

/* `rows` of C, at most MOST. */
static void sum_tile_rows(const dot_tile *t, int rows) { tiles[t->columns > LANES][rows - 1](t); }

static void round_numbers(uint16_t *to, const float *from, int n) {
  for (; n >= LANES; n -= LANES, to += LANES, from += LANES)
    _mm256_storeu_si256((__m256i *)(void *)to, (__m256i)_mm512_cvtneps_pbh((__m512)load(from)));
  if (n > 0)
    _mm256_mask_storeu_epi16(to, (__mmask16)((1u << n) - 1),
                             (__m256i)_mm512_cvtneps_pbh((__m512)load_some(from, (size_t)n)));
}

#else

#include <float.h>
#include <math.h>
#include <string.h>

#include "tensor/tables.h"

enum { LANES = 16, BLOCK = 2 * LANES, MOST = 14 };

static float without_subnormal(float x) { return fabsf(x) < FLT_MIN ? copysignf(0, x) : x; }

static float of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* One fused multiply-add of bfloat16 numbers.  Their product has 16 bits, so it is exact as a float, and the sum is rounded
 * once; but where it is too small or too large for a float, the sum is exact enough as a double: a product that small
 * only tells on which side of s the sum lies. */
static float add_product(float s, float a, float b) {
  const float product = a * b;
  if (fabsf(product) >= FLT_MIN && fabsf(product) <= FLT_MAX) return without_subnormal(s + product);
  const double sum = (double)s + (double)a * (double)b;
  /* Rounded as if there were smaller numbers, then looked at: what rounds up to the smallest normal number stays. */
  if (fabs(sum) < (double)FLT_MIN * (1 - 0x1p-25)) return copysignf(0, (float)sum);
  return (float)sum;
}

static float add_pair(float s, uint32_t a, uint32_t b) {
  s = add_product(without_subnormal(s), without_subnormal(of_bits(a & 0xffff0000u)),
                  without_subnormal(of_bits(b & 0xffff0000u)));
  return add_product(s, without_subnormal(of_bits(a << 16)), without_subnormal(of_bits(b << 16)));
}

/* Whether add_product would do more than a multiplication and an addition: then some number is subnormal, or the product is
 * no float. */
static int subnormal(float x) { return (fabsf(x) < FLT_MIN) & (x != 0); }
static int odd_product(float a, float b, float product) {
  return subnormal(b) | subnormal(product) | ((product == 0) & (a != 0) & (b != 0)) | !(fabsf(product) <= FLT_MAX);
}

/* add_pair for columns of C; all of them as compilers make it wide, again one by one where any is odd. */
static void add_pairs(int columns, uint32_t a, const uint32_t *b, float *c) {
  const float upper = without_subnormal(of_bits(a & 0xffff0000u)), lower = without_subnormal(of_bits(a << 16));
  float sum[BLOCK];
  int odd = 0;
  for (int i = 0; i < columns; i++) {
    const float b1 = of_bits(b[i] & 0xffff0000u), b2 = of_bits(b[i] << 16), p1 = upper * b1, p2 = lower * b2;
    const float first = c[i] + p1;
    sum[i] = first + p2;
    odd |= subnormal(c[i]) | odd_product(upper, b1, p1) | subnormal(first) | odd_product(lower, b2, p2) |
           subnormal(sum[i]);
  }
  /* cppcheck-suppress uninitvar ; a column or more */
  if (!odd) memcpy(c, sum, (size_t)columns * sizeof *c);
  else
    for (int i = 0; i < columns; i++) c[i] = add_pair(c[i], a, b[i]);
}

static void sum_tile_rows(const dot_tile *t, int rows) {
  for (int p = 0; p < rows; p++) {
    float *c = t->c + p * t->c_row;
    if (!t->add) memset(c, 0, (size_t)t->columns * sizeof *c);
    const uint32_t *a = t->a + p * t->a_row, *b = t->b;
    for (int k = 0; k < t->pairs; k++, a += t->a_step, b += BLOCK) add_pairs(t->columns, *a, b, c);
  }
}

static uint16_t rounded(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7f800000u) == 0) return (uint16_t)(bits >> 16 & 0x8000u);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static void round_numbers(uint16_t *to, const float *from, int n) {
  for (int i = 0; i < n; i++) to[i] = rounded(from[i]);
}

#endif
#endif
