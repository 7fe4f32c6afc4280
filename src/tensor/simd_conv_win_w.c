/* tensor/simd_conv_win_w.c - the gradient of a 3 x 3 kernel by Winograd's F(2x2, 3x3).
 *
 * From y = A' ((G g G') . (B' d B)) A (simd_conv_win.c):
 *
 *   dg = G' (sum over patches of (B' d B) . (A dy A')) G
 *
 * The sums over patches are 16 matrix products, of input by output channels. */
#include "tensor/simd_tiles.h"

enum {
  FREQUENCIES = 16,
  SUM_REALS = 131072, /* of transformed x: 512 KB; many patches a sum, for its result is transformed once */
  MOST_SUMMED = 256
};

static int patches_of(const am_conv *c) {
  int n = SUM_REALS / (FREQUENCIES * am_padded_channels(c));
  return n < 16 ? 16 : n > MOST_SUMMED ? MOST_SUMMED : n;
}

size_t AM_SIMD(am_conv_win_w_scratch)(const am_conv *c) {
  return (size_t)FREQUENCIES *
         ((size_t)patches_of(c) * (size_t)(am_padded_channels(c) + BLOCK) + (size_t)c->ci * BLOCK);
}

typedef struct win_sum {
  patch_rows rows;
  const float *dy;
  int t1;
  float *products; /* A dy A' of a block: [frequency][patch][BLOCK] */
  float *sums;     /* [frequency][input channel][BLOCK] */
} win_sum;

/* A dy A' of one vector of output channels. */
AM_INLINE void spread_vector(const vf dy[2][2], float *to, ptrdiff_t frequency) {
  AM_UNROLL for (int i = 0; i < 4; i++) {
    vf row[2];
    AM_UNROLL for (int k = 0; k < 2; k++) row[k] = i == 0   ? dy[0][k]
                                                   : i == 1 ? dy[0][k] + dy[1][k]
                                                   : i == 2 ? dy[0][k] - dy[1][k]
                                                            : -dy[1][k];
    float *at = to + 4 * i * frequency;
    store(at, row[0]);
    store(at + frequency, row[0] + row[1]);
    store(at + 2 * frequency, row[0] - row[1]);
    store(at + 3 * frequency, -row[1]);
  }
}

static void spread_patch(const win_sum *s, int patch, int block, float *to) {
  const am_conv *c = s->rows.c;
  int row, bin, columns = block_columns(c, block);
  patch_at(&s->rows, patch, &row, &bin);
  for (int v = 0; v < block_vectors(c, block); v++) {
    vf dy[2][2];
    for (int a = 0; a < 2; a++)
      for (int e = 0; e < 2; e++) {
        const float *from = s->dy + ((ptrdiff_t)(row + a) * c->fo + bin + e) * c->co + block * BLOCK;
        dy[a][e] = row + a < s->t1 && bin + e < c->fo ? load_columns(from, columns, v) : (vf){0};
      }
    spread_vector(dy, to + v * LANES, (ptrdiff_t)s->rows.room * BLOCK);
  }
}

/* dkernel of one input channel and block += G' sums G; taps `tap` apart. */
static void gather_sums(const float *sums, ptrdiff_t frequency, int vectors, int columns, float *dkernel,
                        ptrdiff_t tap) {
  for (int v = 0; v < vectors; v++) {
    vf rows[3][4];
    AM_UNROLL for (int k = 0; k < 4; k++) {
      const float *u = sums + k * frequency + v * LANES;
      vf u1 = load(u + 4 * frequency), u2 = load(u + 8 * frequency), half = 0.5f * (u1 + u2);
      rows[0][k] = load(u) + half;
      rows[1][k] = 0.5f * (u1 - u2);
      rows[2][k] = half + load(u + 12 * frequency);
    }
    AM_UNROLL for (int i = 0; i < 3; i++) {
      vf half = 0.5f * (rows[i][1] + rows[i][2]);
      vf g[3] = {rows[i][0] + half, 0.5f * (rows[i][1] - rows[i][2]), half + rows[i][3]};
      AM_UNROLL for (int k = 0; k < 3; k++) {
        float *to = dkernel + (3 * i + k) * tap;
        store_columns(to, load_columns(to, columns, v) + g[k], columns, v);
      }
    }
  }
}

static void sum_block(const win_sum *s, int block, int n, float *dkernel) {
  const am_conv *c = s->rows.c;
  const int vectors = block_vectors(c, block), channels = am_padded_channels(c);
  const ptrdiff_t frequency = (ptrdiff_t)c->ci * BLOCK;
  for (int q = 0; q < FREQUENCIES; q++) {
    sum_tile t = {.x = s->rows.patches + (ptrdiff_t)q * s->rows.room * channels,
                  .dy = s->products + (ptrdiff_t)q * s->rows.room * BLOCK,
                  .rows = 1,
                  .pixels = n,
                  .x_step = channels,
                  .dy_step = BLOCK,
                  .dkernel = s->sums + q * frequency,
                  .d_step = BLOCK,
                  .columns = vectors * LANES,
                  .fresh = true};
    AM_SIMD(am_conv_sum_terms)(&t, c->ci, vectors);
  }
  for (int i = 0; i < c->ci; i++)
    gather_sums(s->sums + (ptrdiff_t)i * BLOCK, frequency, vectors, block_columns(c, block),
                dkernel + (ptrdiff_t)i * c->co + block * BLOCK, (ptrdiff_t)c->ci * c->co);
}

void AM_SIMD(am_conv_win_backward_w)(const am_conv *c, const float *x, const float *dy, int t0, int t1, float *dkernel,
                                     float *scratch) {
  win_sum s = {.rows = {c, x, t0, (c->fo + 1) / 2, patches_of(c), scratch}, .dy = dy, .t1 = t1};
  s.products = scratch + (ptrdiff_t)FREQUENCIES * s.rows.room * am_padded_channels(c);
  s.sums = s.products + (ptrdiff_t)FREQUENCIES * s.rows.room * BLOCK;
  int count = (t1 - t0 + 1) / 2 * s.rows.wide, parts = (count + s.rows.room - 1) / s.rows.room;
  for (int k = 0; k < parts; k++) {
    int from = (int)((int64_t)count * k / parts), n = (int)((int64_t)count * (k + 1) / parts) - from;
    AM_SIMD(am_conv_win_patches)(&s.rows, from, n);
    for (int b = 0; b < block_count(c); b++) {
      for (int i = 0; i < n; i++) spread_patch(&s, from + i, b, s.products + (ptrdiff_t)i * BLOCK);
      sum_block(&s, b, n, dkernel);
    }
  }
}
