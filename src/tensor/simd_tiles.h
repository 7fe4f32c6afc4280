/* SPDX-License-Identifier: MIT */
/* tensor/simd_tiles.h - what the convolution kernels share: sizes of register tiles,
 * the geometry they run over, blocks of output channels. */
#ifndef AM_SIMD_TILES_H
#define AM_SIMD_TILES_H

#include "tensor/simd.h"

#if AM_LANES == 16
enum { MOST = 14 }; /* 28 sums, 2 weights and 1 broadcast in 32 registers */
#define EACH_TILE(M, V) \
  M(1, V) M(2, V) M(3, V) M(4, V) M(5, V) M(6, V) M(7, V) M(8, V) M(9, V) M(10, V) M(11, V) M(12, V) M(13, V) M(14, V)
#elif AM_LANES == 4
enum { MOST = 10 }; /* 20 sums, 2 weights, 10 broadcasts in 32 registers */
#define EACH_TILE(M, V) M(1, V) M(2, V) M(3, V) M(4, V) M(5, V) M(6, V) M(7, V) M(8, V) M(9, V) M(10, V)
#else
enum { MOST = 6 }; /* 12 sums in 16 registers */
#define EACH_TILE(M, V) M(1, V) M(2, V) M(3, V) M(4, V) M(5, V) M(6, V)
#endif

/* The compiler must keep p in a register as it is, not recompute it from others. */
#define OPAQUE(p) __asm__("" : "+r"(p))

enum { BLOCK = 2 * LANES }; /* output channels of a tile and of a block of packed weights */

AM_INLINE size_t lanes_used(int columns, int v) {
  int left = columns - v * LANES;
  return left >= LANES ? (size_t)LANES : (size_t)left;
}
AM_INLINE vf load_columns(const float *p, int columns, int v) {
  size_t n = lanes_used(columns, v);
  return n == LANES ? load(p + v * LANES) : load_some(p + v * LANES, n);
}
AM_INLINE void store_columns(float *p, vf x, int columns, int v) {
  size_t n = lanes_used(columns, v);
  if (n == LANES) store(p + v * LANES, x);
  else store_some(p + v * LANES, x, n);
}

enum { WIDE_TERMS = 128 }; /* rows at a time of a matrix too large for any cache: they stay in L2 */

/* A convolution as the tiles see it. Row of x that output row t meets at tap k: r = t st + k dt - pt, which
 * exists when r is a multiple of ut and r / ut is inside x; bins likewise. */
typedef struct geometry {
  am_conv c;
  int ut, uf;
  int f0, f1; /* bins of the rows to make */
  int t0, t1;
} geometry;

/* A sequence is one row of frames: then tiles lie along time. */
AM_INLINE geometry geometry_of(const am_conv *c, int ut, int uf, int t0, int t1) {
  if (c->fi == 1 && c->fo == 1 && c->kf == 1 && c->sf == 1 && c->pf == 0 && uf == 1) {
    am_conv s = {.ti = 1,
                 .fi = c->ti,
                 .ci = c->ci,
                 .to = 1,
                 .fo = c->to,
                 .co = c->co,
                 .kt = 1,
                 .kf = c->kt,
                 .st = 1,
                 .sf = c->st,
                 .dt = 1,
                 .df = c->dt,
                 .pt = 0,
                 .pf = c->pt};
    return (geometry){s, 1, ut, t0, t1, 0, 1};
  }
  return (geometry){*c, ut, uf, 0, c->fo, t0, t1};
}

AM_INLINE int terms(const am_conv *c) { return c->kt * c->kf * c->ci; }

AM_INLINE int block_count(const am_conv *c) { return (c->co + BLOCK - 1) / BLOCK; }
/* Vectors of output channels in a block. */
AM_INLINE int block_vectors(const am_conv *c, int block) { return c->co - block * BLOCK > LANES ? 2 : 1; }
AM_INLINE int block_columns(const am_conv *c, int block) {
  return c->co - block * BLOCK < BLOCK ? c->co - block * BLOCK : BLOCK;
}

AM_INLINE void copy_floats(float *to, const float *from, int n) {
  for (; n >= LANES; n -= LANES, to += LANES, from += LANES) store(to, load(from));
  for (; n > 0; n--) *to++ = *from++;
}
AM_INLINE void zero_floats(float *to, int n) {
  for (int i = 0; i < n; i++) to[i] = 0;
}

/* One tile of forward: pixels at x + p * step, summed over outer * inner runs of n numbers. */
typedef struct conv_tile {
  const float *x;
  ptrdiff_t step;
  int outer, inner, n;
  ptrdiff_t outer_step, inner_step;
  const float *weights;                   /* of a run: [n][V * LANES] */
  ptrdiff_t weights_outer, weights_inner; /* from run to run */
  const float *bias;                      /* of the block, or NULL */
  float *y;                               /* of the block; pixels at y + p * y_step */
  ptrdiff_t y_step;
  int columns; /* output channels that exist, <= V * LANES */
  bool resume; /* y holds a partial sum that goes on: no bias */
  bool adds;   /* the sum is made by itself and added to y: shorter chains have smaller errors */
  bool relu;
} conv_tile;

/* dkernel (P terms, V vectors of output channels) += sum over pixels of x(term) dy(channel). */
typedef struct sum_tile {
  const float *x, *dy;
  int rows, pixels;
  ptrdiff_t x_row, x_step, dy_row, dy_step;
  float *dkernel;
  ptrdiff_t d_step;
  int columns;
  bool fresh; /* dkernel is written, not added to */
} sum_tile;

/* simd_conv.c */
void AM_SIMD(am_conv_tile)(const conv_tile *t, int pixels, int vectors);
/* simd_conv_w.c: all `n` terms side by side from `t`, in tiles of even size */
void AM_SIMD(am_conv_sum_terms)(sum_tile *t, int n, int vectors);
/* simd_conv_win.c, for the convolutions that it takes (and then for their backward, too) */
bool AM_SIMD(am_conv_is_win)(const am_conv *c);
size_t AM_SIMD(am_conv_win_scratch)(const am_conv *c);
size_t AM_SIMD(am_conv_win_packed)(const am_conv *c);
void AM_SIMD(am_conv_win_pack)(const am_conv *c, const float *kernel, ptrdiff_t tap_step, ptrdiff_t i_step,
                               ptrdiff_t o_step, float *packed);
void AM_SIMD(am_conv_win_forward)(const am_conv *c, const float *x, const float *packed, const float *bias, bool relu,
                                  int t0, int t1, int anchor, float *y, float *scratch);
/* simd_conv_win_w.c, for the same */
size_t AM_SIMD(am_conv_win_w_scratch)(const am_conv *c);
void AM_SIMD(am_conv_win_backward_w)(const am_conv *c, const float *x, const float *dy, int t0, int t1, float *dkernel,
                                     float *scratch);
/* simd_conv_one.c, for the convolutions that it takes */
bool AM_SIMD(am_conv_is_one)(const geometry *g);
void AM_SIMD(am_conv_one_forward)(const geometry *g, const float *x, const float *packed, const float *bias, bool relu,
                                  float *y);
void AM_SIMD(am_conv_one_backward_w)(const geometry *g, const float *x, const float *dy, float *dkernel);

#endif
