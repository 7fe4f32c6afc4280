/* SPDX-License-Identifier: MIT */
/* tensor/simd_win.h - Winograd's convolutions F(m x n, 3 x 3), which two files share.
 *
 * m outputs of a row of m + 2 inputs d and 3 taps g are m + 2 products of polynomials' values at m + 1 points
 * and infinity (Lavin and Gray 2016; Toom and Cook):
 *
 *   y = A' ((G g) . (B' d))
 *
 * and in two dimensions Y = A' ((G g G') . (B' d B)) A.  The points for m = 2 are 0 and +-1, for m = 4 they
 * are 0, +-sqrt(1/2) and +-sqrt(2): their product is 1, so that no transform has a large number, and errors are half
 * of those at 0, +-1 and +-2 (docs/mathematics.md has all of them). */
#ifndef AM_SIMD_WIN_H
#define AM_SIMD_WIN_H

#include "tensor/simd_tiles.h"

enum { MOST_REACH = 6, MOST_FREQUENCIES = MOST_REACH * MOST_REACH };

#define ROOT_HALF 0.70710678f
#define ROOT_TWO 1.41421356f
#define THIRD 0.33333333f

/* Patches of x, each of which makes a tile of outputs; tiles lie side by side. */
typedef struct win_patches {
  const am_conv *c;
  const float *x;
  int rows, bins;  /* of a tile: 2 or 4 */
  int first, wide; /* output row of the first tiles; tiles in a row */
  int room;        /* patches transformed at once */
  float *patches;  /* B' d B: [frequency][patch][padded channel] */
} win_patches;

AM_INLINE int win_channels(const am_conv *c) { return (c->ci + LANES - 1) / LANES * LANES; }
AM_INLINE int win_frequencies(int rows, int bins) { return (rows + 2) * (bins + 2); }
/* First output of a patch. */
AM_INLINE void win_patch_at(const win_patches *p, int patch, int *row, int *bin) {
  *row = p->first + patch / p->wide * p->rows;
  *bin = patch % p->wide * p->bins;
}

/* v (m + 2) = B' d (m + 2) */
AM_INLINE void win_input(const int m, const vf *d, vf *v) {
  if (m == 2) {
    v[0] = d[0] - d[2], v[1] = d[1] + d[2], v[2] = d[2] - d[1], v[3] = d[1] - d[3];
    return;
  }
  vf even = d[4] - 2 * d[2], odd = d[3] - 2 * d[1];
  v[1] = even + ROOT_HALF * odd, v[2] = even - ROOT_HALF * odd;
  even = d[4] - 0.5f * d[2], odd = d[3] - 0.5f * d[1];
  v[3] = even + ROOT_TWO * odd, v[4] = even - ROOT_TWO * odd;
  v[0] = d[0] + d[4] - 2.5f * d[2];
  v[5] = d[1] + d[5] - 2.5f * d[3];
}

/* u (m + 2) = G g (3) */
AM_INLINE void win_weights(const int m, const vf *g, vf *u) {
  if (m == 2) {
    vf even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
    u[0] = g[0], u[1] = even + odd, u[2] = even - odd, u[3] = g[2];
    return;
  }
  vf even = THIRD * (-2 * g[0] - g[2]), odd = (ROOT_TWO * THIRD) * g[1];
  u[1] = even - odd, u[2] = even + odd;
  even = THIRD * (0.5f * g[0] + g[2]), odd = (ROOT_HALF * THIRD) * g[1];
  u[3] = even + odd, u[4] = even - odd;
  u[0] = g[0], u[5] = g[2];
}

/* g (3) = G' u (m + 2) */
AM_INLINE void win_weights_back(const int m, const vf *u, vf *g) {
  if (m == 2) {
    vf even = 0.5f * (u[1] + u[2]);
    g[0] = u[0] + even, g[1] = 0.5f * (u[1] - u[2]), g[2] = even + u[3];
    return;
  }
  vf low = u[1] + u[2], high = u[3] + u[4];
  g[0] = u[0] + THIRD * (0.5f * high - 2 * low);
  g[1] = (ROOT_HALF * THIRD) * ((u[3] - u[4]) - 2 * (u[1] - u[2]));
  g[2] = u[5] + THIRD * (high - low);
}

/* y (m) = A' p (m + 2) */
AM_INLINE void win_output(const int m, const vf *p, vf *y) {
  if (m == 2) {
    y[0] = p[0] + p[1] + p[2], y[1] = p[1] - p[2] - p[3];
    return;
  }
  vf low = p[1] + p[2], high = p[3] + p[4], low_odd = p[1] - p[2], high_odd = p[3] - p[4];
  y[0] = p[0] + low + high;
  y[1] = ROOT_HALF * (low_odd + 2 * high_odd);
  y[2] = 0.5f * low + 2 * high;
  y[3] = p[5] + (0.5f * ROOT_HALF) * low_odd + (2 * ROOT_TWO) * high_odd;
}

/* q (m + 2) = A dy (m) */
AM_INLINE void win_output_back(const int m, const vf *dy, vf *q) {
  if (m == 2) {
    q[0] = dy[0], q[1] = dy[0] + dy[1], q[2] = dy[0] - dy[1], q[3] = -dy[1];
    return;
  }
  vf even = dy[0] + 0.5f * dy[2], odd = dy[1] + 0.5f * dy[3];
  q[1] = even + ROOT_HALF * odd, q[2] = even - ROOT_HALF * odd;
  even = dy[0] + 2 * dy[2], odd = dy[1] + 2 * dy[3];
  q[3] = even + ROOT_TWO * odd, q[4] = even - ROOT_TWO * odd;
  q[0] = dy[0], q[5] = dy[3];
}

typedef enum win_transform { WIN_INPUT, WIN_WEIGHTS, WIN_WEIGHTS_BACK, WIN_OUTPUT, WIN_OUTPUT_BACK } win_transform;

AM_INLINE void win_line(const win_transform kind, const int m, const vf *from, vf *to) {
  switch (kind) {
    case WIN_INPUT: win_input(m, from, to); break;
    case WIN_WEIGHTS: win_weights(m, from, to); break;
    case WIN_WEIGHTS_BACK: win_weights_back(m, from, to); break;
    case WIN_OUTPUT: win_output(m, from, to); break;
    case WIN_OUTPUT_BACK: win_output_back(m, from, to); break;
  }
}

/* Numbers that a transform takes (`after`: makes) along a line whose tile has m outputs. */
AM_INLINE int win_length(const win_transform kind, const int m, bool after) {
  switch (kind) {
    case WIN_INPUT: return m + 2;
    case WIN_WEIGHTS: return after ? m + 2 : 3;
    case WIN_WEIGHTS_BACK: return after ? 3 : m + 2;
    case WIN_OUTPUT: return after ? m : m + 2;
    default: return after ? m + 2 : m;
  }
}

/* In two dimensions: element (row, bin) of a vector of channels at from + row * line + bin * step; to[row][bin]. */
AM_INLINE void win_plane(const win_transform kind, const int rows, const int bins, const float *from, ptrdiff_t line,
                         ptrdiff_t step, vf to[MOST_REACH][MOST_REACH]) {
  vf across[MOST_REACH][MOST_REACH];
  AM_UNROLL for (int b = 0; b < win_length(kind, bins, false); b++) {
    vf in[MOST_REACH], out[MOST_REACH];
    AM_UNROLL for (int r = 0; r < win_length(kind, rows, false); r++) in[r] = load(from + r * line + b * step);
    win_line(kind, rows, in, out);
    AM_UNROLL for (int r = 0; r < win_length(kind, rows, true); r++) across[r][b] = out[r];
  }
  AM_UNROLL for (int r = 0; r < win_length(kind, rows, true); r++) win_line(kind, bins, across[r], to[r]);
}

/* The outputs of a tile, 2 or 4 in each direction: what takes the least time by the shape of a row alone, since outputs
 * must not depend on how many rows are made at once.  A tile of 4 bins has 6 frequencies for two tiles of 2 with
 * 4 each, and less to transform; its weights are half as many again, which costs more than it saves where they leave
 * the cache, and its errors are twice as large, which few channels do not average.  (bench_conv compares the tiles in builds with -DAM_WIN_ROWS=2 and the like.) */
#ifndef AM_WIN_ROWS
#define AM_WIN_ROWS 4
#endif
AM_INLINE int win_rows(void) { return AM_WIN_ROWS; }
/* Of a kernel's gradient, whose sums are over patches. */
AM_INLINE int win_sum_bins(const am_conv *c) {
#ifdef AM_WIN_BINS
  (void)c;
  return AM_WIN_BINS;
#else
  enum { MOST_PAIRS = 32768 }; /* of channels: 4.5 MB of weights */
  return (int64_t)c->ci * c->co > MOST_PAIRS || 6 * ((c->fo + 3) / 4) > 4 * ((c->fo + 1) / 2) ? 2 : 4;
#endif
}
AM_INLINE int win_bins(const am_conv *c) {
  enum { FEW_CHANNELS = 32 };
  return c->ci < FEW_CHANNELS ? 2 : win_sum_bins(c);
}

/* simd_conv_win.c: patches [from, from + n) */
void AM_SIMD(am_conv_win_patches)(const win_patches *p, int from, int n);

#endif
