/* SPDX-License-Identifier: MIT */
/* tensor/simd_conv_win.c - 3 x 3 convolution by Winograd's F(4x4, 3x3) and its smaller relatives (simd_win.h).
 *
 * A tile of 4 x 4 outputs, of a 6 x 6 patch d of x, takes 36 multiplications a pair of channels instead of 144.
 * A block of patches becomes 36 matrix products over the channels.  A NaN reaches the whole of each tile
 * whose patch it is in.
 *
 * Tiles lie at multiples of their size from `anchor`, so an output does not depend on how rows
 * are cut into pieces. */
#include "tensor/simd_win.h"

enum {
  LEAST_CHANNELS = 24,                        /* below it the transforms cost more than they save */
  PATCH_REALS = LANES == 16 ? 131072 : 65536, /* of transformed x, in L2 */
  MOST_PATCHES = 4 * MOST,
  /* Channels summed in a row; fewer than twice as many in two halves, or one where tiles are small.  Chains of 8 round
   * least; those of 32 are faster on the widest path. */
  MOST_CHAIN = LANES == 16 ? 32 : 8
};

/* Patches transformed at once. */
static int room_of(const am_conv *c) {
  int n = PATCH_REALS / (win_frequencies(win_rows(), win_bins(c)) * win_channels(c)) / MOST * MOST;
  return n < MOST ? MOST : n > MOST_PATCHES ? MOST_PATCHES : n;
}

bool AM_SIMD(am_conv_is_win)(const am_conv *c) {
  return c->kt == 3 && c->kf == 3 && c->st == 1 && c->sf == 1 && c->dt == 1 && c->df == 1 && c->ci >= LEAST_CHANNELS &&
         c->co >= LEAST_CHANNELS && c->fi > 1 && c->fo > 1;
}

static size_t frequencies_of(const am_conv *c) { return (size_t)win_frequencies(win_rows(), win_bins(c)); }

size_t AM_SIMD(am_conv_win_scratch)(const am_conv *c) {
  return frequencies_of(c) * (size_t)room_of(c) * (size_t)(win_channels(c) + BLOCK);
}

/* Weights: of a block [frequency][input channel][width]. */

/* U (frequencies, width) = G g G' of the taps g (9, BLOCK) of one input channel. */
AM_INLINE void weights_by(const int rows, const int bins, const float *g, int vectors, float *to, ptrdiff_t frequency) {
  for (int v = 0; v < vectors; v++) {
    vf u[MOST_REACH][MOST_REACH];
    win_plane(WIN_WEIGHTS, rows, bins, g + v * LANES, 3 * BLOCK, BLOCK, u);
    AM_UNROLL for (int a = 0; a < rows + 2; a++) {
      AM_UNROLL for (int b = 0; b < bins + 2; b++) store(to + v * LANES + (a * (bins + 2) + b) * frequency, u[a][b]);
    }
  }
}
static void weights_2_2(const float *g, int v, float *to, ptrdiff_t q) { weights_by(2, 2, g, v, to, q); }
static void weights_2_4(const float *g, int v, float *to, ptrdiff_t q) { weights_by(2, 4, g, v, to, q); }
static void weights_4_2(const float *g, int v, float *to, ptrdiff_t q) { weights_by(4, 2, g, v, to, q); }
static void weights_4_4(const float *g, int v, float *to, ptrdiff_t q) { weights_by(4, 4, g, v, to, q); }

size_t AM_SIMD(am_conv_win_packed)(const am_conv *c) {
  return frequencies_of(c) * (size_t)c->ci * (((size_t)c->co + LANES - 1) / LANES * LANES);
}

/* Weight (tap, i, o) at kernel[tap * tap_step + i * i_step + o * o_step]. */
void AM_SIMD(am_conv_win_pack)(const am_conv *c, const float *kernel, ptrdiff_t tap_step, ptrdiff_t i_step,
                               ptrdiff_t o_step, float *packed) {
  static void (*const transforms[2][2])(const float *g, int vectors, float *to, ptrdiff_t frequency) = {
      {weights_2_2, weights_2_4}, {weights_4_2, weights_4_4}};
  const int rows = win_rows(), bins = win_bins(c);
  for (int b = 0; b < block_count(c); b++) {
    int vectors = block_vectors(c, b), columns = block_columns(c, b), width = vectors * LANES;
    for (int i = 0; i < c->ci; i++) {
      float g[9 * BLOCK] = {0};
      for (int tap = 0; tap < 9; tap++)
        for (int o = 0; o < columns; o++)
          g[tap * BLOCK + o] = kernel[tap * tap_step + i * i_step + (b * BLOCK + o) * o_step];
      transforms[rows == 4][bins == 4](g, vectors, packed + (ptrdiff_t)i * width, (ptrdiff_t)c->ci * width);
    }
    packed += (ptrdiff_t)win_frequencies(rows, bins) * c->ci * width;
  }
}

/* Patches */

/* B' d B of a vector of channels. */
AM_INLINE void transform_vector(const int rows, const int bins, const float *x, ptrdiff_t line, ptrdiff_t step,
                                float *to, ptrdiff_t frequency) {
  vf v[MOST_REACH][MOST_REACH];
  win_plane(WIN_INPUT, rows, bins, x, line, step, v);
  AM_UNROLL for (int a = 0; a < rows + 2; a++) {
    AM_UNROLL for (int b = 0; b < bins + 2; b++) store(to + (a * (bins + 2) + b) * frequency, v[a][b]);
  }
}

static int limit(int value, int least, int most) { return value < least ? least : value > most ? most : value; }

AM_INLINE void transform_patch(const int rows, const int bins, const win_patches *p, int row, int bin, float *to) {
  const am_conv *c = p->c;
  const ptrdiff_t frequency = (ptrdiff_t)p->room * win_channels(c), line = (ptrdiff_t)c->fi * c->ci;
  row -= c->pt, bin -= c->pf;
  const float *x = p->x + row * line + (ptrdiff_t)bin * c->ci;
  int a0 = limit(-row, 0, rows + 2), a1 = limit(c->ti - row, a0, rows + 2);
  int b0 = limit(-bin, 0, bins + 2), b1 = limit(c->fi - bin, b0, bins + 2);
  int i = 0;
  if (a0 == 0 && a1 == rows + 2 && b0 == 0 && b1 == bins + 2)
    for (; i + LANES <= c->ci; i += LANES) transform_vector(rows, bins, x + i, line, c->ci, to + i, frequency);
  if (i == c->ci) return;
  float padded[MOST_FREQUENCIES * LANES] = {0};
  for (; i < c->ci; i += LANES) {
    size_t n = c->ci - i < LANES ? (size_t)(c->ci - i) : (size_t)LANES;
    for (int a = a0; a < a1; a++)
      for (int b = b0; b < b1; b++) {
        const float *at = x + a * line + b * c->ci + i;
        store(padded + (a * (bins + 2) + b) * LANES, n == LANES ? load(at) : load_some(at, n));
      }
    transform_vector(rows, bins, padded, (ptrdiff_t)(bins + 2) * LANES, LANES, to + i, frequency);
  }
}

AM_INLINE void patches_by(const int rows, const int bins, const win_patches *p, int from, int n) {
  int row, bin;
  for (int i = 0; i < n; i++) {
    win_patch_at(p, from + i, &row, &bin);
    transform_patch(rows, bins, p, row, bin, p->patches + (ptrdiff_t)i * win_channels(p->c));
  }
}
static void patches_2_2(const win_patches *p, int from, int n) { patches_by(2, 2, p, from, n); }
static void patches_2_4(const win_patches *p, int from, int n) { patches_by(2, 4, p, from, n); }
static void patches_4_2(const win_patches *p, int from, int n) { patches_by(4, 2, p, from, n); }
static void patches_4_4(const win_patches *p, int from, int n) { patches_by(4, 4, p, from, n); }

void AM_SIMD(am_conv_win_patches)(const win_patches *p, int from, int n) {
  static void (*const transforms[2][2])(const win_patches *p, int from, int n) = {{patches_2_2, patches_2_4},
                                                                                  {patches_4_2, patches_4_4}};
  transforms[p->rows == 4][p->bins == 4](p, from, n);
}

/* Forward */

typedef struct win_job {
  win_patches patches;
  const float *packed, *bias;
  float *y;
  bool relu;
  int t0, t1;      /* rows to make */
  float *products; /* of a block: [frequency][patch][BLOCK] */
} win_job;

/* The outputs of n patches from `from` on in a block of channels. */
AM_INLINE void outputs_by(const int rows, const int bins, const win_job *j, int from, int n, int block) {
  const win_patches *p = &j->patches;
  const am_conv *c = p->c;
  const ptrdiff_t frequency = (ptrdiff_t)p->room * BLOCK;
  int vectors = block_vectors(c, block), columns = block_columns(c, block), row, bin;
  for (int i = 0; i < n; i++) {
    win_patch_at(p, from + i, &row, &bin);
    for (int v = 0; v < vectors; v++) {
      vf y[MOST_REACH][MOST_REACH], bias = j->bias ? load_columns(j->bias + block * BLOCK, columns, v) : (vf){0};
      win_plane(WIN_OUTPUT, rows, bins, j->products + (ptrdiff_t)i * BLOCK + v * LANES, (bins + 2) * frequency,
                frequency, y);
      AM_UNROLL for (int a = 0; a < rows; a++) {
        AM_UNROLL for (int b = 0; b < bins; b++) {
          vf out = y[a][b] + bias;
          if (j->relu) out = positive(out);
          if (row + a < j->t0 || row + a >= j->t1 || bin + b >= c->fo) continue;
          store_columns(j->y + ((ptrdiff_t)(row + a) * c->fo + bin + b) * c->co + block * BLOCK, out, columns, v);
        }
      }
    }
  }
}
static void outputs_2_2(const win_job *j, int from, int n, int block) { outputs_by(2, 2, j, from, n, block); }
static void outputs_2_4(const win_job *j, int from, int n, int block) { outputs_by(2, 4, j, from, n, block); }
static void outputs_4_2(const win_job *j, int from, int n, int block) { outputs_by(4, 2, j, from, n, block); }
static void outputs_4_4(const win_job *j, int from, int n, int block) { outputs_by(4, 4, j, from, n, block); }

static void make_outputs(const win_job *j, int from, int n, int block) {
  static void (*const transforms[2][2])(const win_job *j, int from, int n, int block) = {{outputs_2_2, outputs_2_4},
                                                                                         {outputs_4_2, outputs_4_4}};
  transforms[j->patches.rows == 4][j->patches.bins == 4](j, from, n, block);
}

/* Products of all frequencies of a block of output channels over n patches.  Transforms multiply rounding errors, so
 * a sum over many channels is one of several shorter sums. */
static void multiply(const win_job *j, int block, int n) {
  const win_patches *p = &j->patches;
  const am_conv *c = p->c;
  const int vectors = block_vectors(c, block), width = vectors * LANES, channels = win_channels(c);
  const int frequencies = win_frequencies(p->rows, p->bins), parts = (n + MOST - 1) / MOST;
  const int chains = c->ci < 2 * MOST_CHAIN ? p->bins / 2 : (c->ci + MOST_CHAIN - 1) / MOST_CHAIN;
  const float *weights = j->packed + (ptrdiff_t)frequencies * c->ci * BLOCK * block;
  conv_tile t = {.step = channels, .outer = 1, .inner = 1, .y_step = BLOCK, .columns = width};
  for (int q = 0; q < frequencies; q++, weights += (ptrdiff_t)c->ci * width)
    for (int i = 0; i < parts; i++) {
      int from = n * i / parts, to = n * (i + 1) / parts;
      const float *x = p->patches + ((ptrdiff_t)q * p->room + from) * channels;
      t.y = j->products + ((ptrdiff_t)q * p->room + from) * BLOCK;
      for (int k = 0; k < chains; k++) {
        int first = c->ci * k / chains;
        t.x = x + first;
        t.weights = weights + (ptrdiff_t)first * width;
        t.n = c->ci * (k + 1) / chains - first;
        t.adds = k > 0;
        AM_SIMD(am_conv_tile)(&t, to - from, vectors);
      }
    }
}

void AM_SIMD(am_conv_win_forward)(const am_conv *c, const float *x, const float *packed, const float *bias, bool relu,
                                  int t0, int t1, int anchor, float *y, float *scratch) {
  if (t1 <= t0) return;
  win_job j = {
      .patches = {.c = c, .x = x, .rows = win_rows(), .bins = win_bins(c), .room = room_of(c), .patches = scratch},
      .packed = packed,
      .bias = bias,
      .y = y,
      .relu = relu,
      .t0 = t0,
      .t1 = t1};
  win_patches *p = &j.patches;
  p->wide = (c->fo + p->bins - 1) / p->bins;
  p->first = t0 - ((t0 - anchor) & (p->rows - 1));
  j.products = scratch + (ptrdiff_t)win_frequencies(p->rows, p->bins) * p->room * win_channels(c);
  int count = (t1 - p->first + p->rows - 1) / p->rows * p->wide, parts = (count + p->room - 1) / p->room;
  for (int k = 0; k < parts; k++) {
    int from = (int)((int64_t)count * k / parts), n = (int)((int64_t)count * (k + 1) / parts) - from;
    AM_SIMD(am_conv_win_patches)(p, from, n);
    for (int b = 0; b < block_count(c); b++) {
      multiply(&j, b, n);
      make_outputs(&j, from, n, b);
    }
  }
}
