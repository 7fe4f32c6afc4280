/* SPDX-License-Identifier: MIT */
/* tensor/simd_conv_win_w.c - the gradient of a 3 x 3 kernel by Winograd's convolution (simd_win.h).
 *
 * From y = A' ((G g G') . (B' d B)) A:
 *
 *   dg = G' (sum over patches of (B' d B) . (A dy A')) G
 *
 * The sums over patches are matrix products, one a frequency, of input by output channels. */
#include "tensor/simd_win.h"

enum {
  SUM_REALS =
      LANES == 16 ? 262144 : 131072, /* of transformed x; many patches a sum, for its result is transformed once */
  MOST_SUMMED = 256,
  FEW_OUTPUTS = 256,
  GROUP = 3 * MOST /* input channels whose sums are transformed together, while they are near */
};

/* Few tiles pay less for larger transforms than for more products, and have rounding errors of their own. */
static bool small_tiles(const am_conv *c, int t0, int t1) { return (int64_t)(t1 - t0) * c->fo < FEW_OUTPUTS; }

static int room_of(const am_conv *c, int frequencies) {
  int n = SUM_REALS / (frequencies * win_channels(c));
  return n < 16 ? 16 : n > MOST_SUMMED ? MOST_SUMMED : n;
}
static int group_of(const am_conv *c) { return c->ci < GROUP ? c->ci : GROUP; }

static size_t scratch_by(const am_conv *c, int frequencies) {
  return (size_t)frequencies *
         ((size_t)room_of(c, frequencies) * (size_t)(win_channels(c) + BLOCK) + (size_t)group_of(c) * BLOCK);
}

size_t AM_SIMD(am_conv_win_w_scratch)(const am_conv *c) {
  size_t large = scratch_by(c, win_frequencies(win_rows(), win_sum_bins(c))),
         small = scratch_by(c, win_frequencies(2, 2));
  return large > small ? large : small;
}

typedef struct win_sum {
  win_patches patches;
  const float *dy;
  int t1;
  float *products; /* A dy A' of a block: [frequency][patch][BLOCK] */
  float *sums;     /* [frequency][input channel of the group][BLOCK] */
} win_sum;

/* A dy A' of n patches in a block of output channels. */
AM_INLINE void spread_by(const int rows, const int bins, const win_sum *s, int from, int n, int block) {
  const win_patches *p = &s->patches;
  const am_conv *c = p->c;
  const ptrdiff_t frequency = (ptrdiff_t)p->room * BLOCK, line = (ptrdiff_t)c->fo * c->co;
  int vectors = block_vectors(c, block), columns = block_columns(c, block), row, bin;
  for (int i = 0; i < n; i++) {
    win_patch_at(p, from + i, &row, &bin);
    const float *dy = s->dy + row * line + (ptrdiff_t)bin * c->co + block * BLOCK;
    int a1 = s->t1 - row < rows ? s->t1 - row : rows, b1 = c->fo - bin < bins ? c->fo - bin : bins;
    for (int v = 0; v < vectors; v++) {
      vf q[MOST_REACH][MOST_REACH];
      if (a1 == rows && b1 == bins && lanes_used(columns, v) == LANES) {
        win_plane(WIN_OUTPUT_BACK, rows, bins, dy + v * LANES, line, c->co, q);
      } else {
        float padded[16 * LANES] = {0};
        for (int a = 0; a < a1; a++)
          for (int b = 0; b < b1; b++)
            store(padded + (a * bins + b) * LANES, load_columns(dy + a * line + b * c->co, columns, v));
        win_plane(WIN_OUTPUT_BACK, rows, bins, padded, (ptrdiff_t)bins * LANES, LANES, q);
      }
      float *to = s->products + (ptrdiff_t)i * BLOCK + v * LANES;
      AM_UNROLL for (int a = 0; a < rows + 2; a++) {
        AM_UNROLL for (int b = 0; b < bins + 2; b++) store(to + (a * (bins + 2) + b) * frequency, q[a][b]);
      }
    }
  }
}
static void spread_2_2(const win_sum *s, int from, int n, int block) { spread_by(2, 2, s, from, n, block); }
static void spread_2_4(const win_sum *s, int from, int n, int block) { spread_by(2, 4, s, from, n, block); }
static void spread_4_2(const win_sum *s, int from, int n, int block) { spread_by(4, 2, s, from, n, block); }
static void spread_4_4(const win_sum *s, int from, int n, int block) { spread_by(4, 4, s, from, n, block); }

/* dkernel of input channels [i0, i1) and a block += G' sums G. */
AM_INLINE void gather_by(const int rows, const int bins, const win_sum *s, int i0, int i1, int block, float *dkernel) {
  const am_conv *c = s->patches.c;
  const ptrdiff_t frequency = (ptrdiff_t)group_of(c) * BLOCK, tap = (ptrdiff_t)c->ci * c->co;
  int vectors = block_vectors(c, block), columns = block_columns(c, block);
  for (int i = i0; i < i1; i++) {
    float *to = dkernel + (ptrdiff_t)i * c->co + block * BLOCK;
    for (int v = 0; v < vectors; v++) {
      vf g[MOST_REACH][MOST_REACH];
      win_plane(WIN_WEIGHTS_BACK, rows, bins, s->sums + (ptrdiff_t)(i - i0) * BLOCK + v * LANES, (bins + 2) * frequency,
                frequency, g);
      AM_UNROLL for (int a = 0; a < 3; a++) {
        AM_UNROLL for (int b = 0; b < 3; b++) {
          float *at = to + (3 * a + b) * tap;
          store_columns(at, load_columns(at, columns, v) + g[a][b], columns, v);
        }
      }
    }
  }
}
#define GATHER(rows, bins) \
  static void gather_##rows##_##bins(const win_sum *s, int i0, int i1, int block, float *dkernel) { \
    gather_by(rows, bins, s, i0, i1, block, dkernel); \
  }
GATHER(2, 2)
GATHER(2, 4)
GATHER(4, 2)
GATHER(4, 4)

static void sum_block(const win_sum *s, int block, int n, float *dkernel) {
  static void (*const gather[2][2])(const win_sum *s, int i0, int i1, int block, float *dkernel) = {
      {gather_2_2, gather_2_4}, {gather_4_2, gather_4_4}};
  const win_patches *p = &s->patches;
  const am_conv *c = p->c;
  const int vectors = block_vectors(c, block), channels = win_channels(c), group = group_of(c);
  const int frequencies = win_frequencies(p->rows, p->bins);
  for (int i = 0; i < c->ci; i += group) {
    int end = i + group < c->ci ? i + group : c->ci;
    for (int q = 0; q < frequencies; q++) {
      sum_tile t = {.x = p->patches + (ptrdiff_t)q * p->room * channels + i,
                    .dy = s->products + (ptrdiff_t)q * p->room * BLOCK,
                    .rows = 1,
                    .pixels = n,
                    .x_step = channels,
                    .dy_step = BLOCK,
                    .dkernel = s->sums + (ptrdiff_t)q * group * BLOCK,
                    .d_step = BLOCK,
                    .columns = vectors * LANES,
                    .fresh = true};
      AM_SIMD(am_conv_sum_terms)(&t, end - i, vectors);
    }
    gather[p->rows == 4][p->bins == 4](s, i, end, block, dkernel);
  }
}

void AM_SIMD(am_conv_win_backward_w)(const am_conv *c, const float *x, const float *dy, int t0, int t1, float *dkernel,
                                     float *scratch) {
  static void (*const spread[2][2])(const win_sum *s, int from, int n, int block) = {{spread_2_2, spread_2_4},
                                                                                     {spread_4_2, spread_4_4}};
  const int rows = small_tiles(c, t0, t1) ? 2 : win_rows(), bins = small_tiles(c, t0, t1) ? 2 : win_sum_bins(c);
  const int frequencies = win_frequencies(rows, bins), room = room_of(c, frequencies);
  win_sum s = {.patches = {c, x, rows, bins, t0, (c->fo + bins - 1) / bins, room, scratch}, .dy = dy, .t1 = t1};
  const win_patches *p = &s.patches;
  s.products = scratch + (ptrdiff_t)frequencies * room * win_channels(c);
  s.sums = s.products + (ptrdiff_t)frequencies * room * BLOCK;
  int count = (t1 - t0 + rows - 1) / rows * p->wide, parts = (count + room - 1) / room;
  for (int k = 0; k < parts; k++) {
    int from = (int)((int64_t)count * k / parts), n = (int)((int64_t)count * (k + 1) / parts) - from;
    AM_SIMD(am_conv_win_patches)(p, from, n);
    for (int b = 0; b < block_count(c); b++) {
      spread[rows == 4][bins == 4](&s, from, n, b);
      sum_block(&s, b, n, dkernel);
    }
  }
}
