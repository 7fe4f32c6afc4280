/* tensor/simd_conv_win.c - 3 x 3 convolution by Winograd's F(2x2, 3x3).
 *
 * Four outputs (2 x 2) of a 4 x 4 patch d of x take 16 multiplications a pair of
 * channels instead of 36 (Lavin and Gray 2016):
 *
 *   Y = A' ((G g G') . (B' d B)) A
 *
 * so a block of patches becomes 16 matrix products over the channels.  The
 * transforms have no factor but 1/2, and the sums are a ninth as long: rounding errors
 * are a little smaller than the direct sum's.  A NaN reaches one output more.
 *
 * Patches lie at even distances from `anchor`, so an output does not depend on how rows
 * are cut into pieces. */
#include "tensor/simd_tiles.h"

enum {
  FREQUENCIES = 16,
  LEAST_CHANNELS = 24, /* below it the transforms cost more than they save */
  PATCH_REALS = 65536, /* of transformed x: 256 KB, in L2 */
  MOST_PATCHES = 4 * MOST
};

/* Patches transformed at once. */
static int patches_of(const am_conv *c) {
  int n = PATCH_REALS / (FREQUENCIES * am_padded_channels(c)) / MOST * MOST;
  return n < MOST ? MOST : n > MOST_PATCHES ? MOST_PATCHES : n;
}

bool AM_SIMD(am_conv_is_win)(const am_conv *c) {
  return c->kt == 3 && c->kf == 3 && c->st == 1 && c->sf == 1 && c->dt == 1 && c->df == 1 && c->ci >= LEAST_CHANNELS &&
         c->co >= LEAST_CHANNELS && c->fi > 1 && c->fo > 1;
}

size_t AM_SIMD(am_conv_win_scratch)(const am_conv *c) {
  return (size_t)FREQUENCIES * (size_t)patches_of(c) * (size_t)(am_padded_channels(c) + BLOCK);
}

/* Weights: of a block [frequency][input channel][width]. */

/* U (16, width) = G g G' of the taps g (9, BLOCK) of one input channel. */
static void transform_weights(const float *g, int vectors, float *u, ptrdiff_t frequency) {
  for (int v = 0; v < vectors; v++) {
    vf rows[4][3];
    for (int k = 0; k < 3; k++) {
      vf a = load(g + k * BLOCK + v * LANES), b = load(g + (3 + k) * BLOCK + v * LANES);
      vf c = load(g + (6 + k) * BLOCK + v * LANES), half = 0.5f * (a + c);
      rows[0][k] = a, rows[1][k] = half + 0.5f * b, rows[2][k] = half - 0.5f * b, rows[3][k] = c;
    }
    for (int i = 0; i < 4; i++) {
      vf half = 0.5f * (rows[i][0] + rows[i][2]), b = 0.5f * rows[i][1];
      float *to = u + 4 * i * frequency + v * LANES;
      store(to, rows[i][0]);
      store(to + frequency, half + b);
      store(to + 2 * frequency, half - b);
      store(to + 3 * frequency, rows[i][2]);
    }
  }
}

size_t AM_SIMD(am_conv_win_packed)(const am_conv *c) {
  return (size_t)FREQUENCIES * (size_t)c->ci * (((size_t)c->co + LANES - 1) / LANES * LANES);
}

/* Weight (tap, i, o) at kernel[tap * tap_step + i * i_step + o * o_step]. */
void AM_SIMD(am_conv_win_pack)(const am_conv *c, const float *kernel, ptrdiff_t tap_step, ptrdiff_t i_step,
                               ptrdiff_t o_step, float *packed) {
  for (int b = 0; b < block_count(c); b++) {
    int vectors = block_vectors(c, b), columns = block_columns(c, b), width = vectors * LANES;
    for (int i = 0; i < c->ci; i++) {
      float g[9 * BLOCK] = {0};
      for (int tap = 0; tap < 9; tap++)
        for (int o = 0; o < columns; o++)
          g[tap * BLOCK + o] = kernel[tap * tap_step + i * i_step + (b * BLOCK + o) * o_step];
      transform_weights(g, vectors, packed + (ptrdiff_t)i * width, (ptrdiff_t)c->ci * width);
    }
    packed += (ptrdiff_t)FREQUENCIES * c->ci * width;
  }
}

/* Patches */

/* B' d B of a vector of channels; d (4,4). */
AM_INLINE void transform_vector(const vf d[4][4], float *to, ptrdiff_t frequency) {
  vf r[4][4];
  AM_UNROLL for (int k = 0; k < 4; k++) {
    r[0][k] = d[0][k] - d[2][k];
    r[1][k] = d[1][k] + d[2][k];
    r[2][k] = d[2][k] - d[1][k];
    r[3][k] = d[1][k] - d[3][k];
  }
  AM_UNROLL for (int i = 0; i < 4; i++) {
    float *at = to + 4 * i * frequency;
    store(at, r[i][0] - r[i][2]);
    store(at + frequency, r[i][1] + r[i][2]);
    store(at + 2 * frequency, r[i][2] - r[i][1]);
    store(at + 3 * frequency, r[i][1] - r[i][3]);
  }
}

static void transform_patch(const patch_rows *j, int row, int bin, float *to) {
  const am_conv *c = j->c;
  const ptrdiff_t frequency = (ptrdiff_t)j->room * am_padded_channels(c), line = (ptrdiff_t)c->fi * c->ci;
  int r = row - c->pt, b = bin - c->pf;
  bool inside = r >= 0 && r + 4 <= c->ti && b >= 0 && b + 4 <= c->fi;
  const float *x = j->x + r * line + (ptrdiff_t)b * c->ci;
  vf d[4][4];
  int i = 0;
  for (; inside && i + LANES <= c->ci; i += LANES, x += LANES, to += LANES) {
    AM_UNROLL for (int a = 0; a < 4; a++) {
      AM_UNROLL for (int e = 0; e < 4; e++) d[a][e] = load(x + a * line + e * c->ci);
    }
    transform_vector(d, to, frequency);
  }
  for (; i < c->ci; i += LANES, x += LANES, to += LANES) {
    size_t n = c->ci - i < LANES ? (size_t)(c->ci - i) : (size_t)LANES;
    for (int a = 0; a < 4; a++)
      for (int e = 0; e < 4; e++) {
        bool in = r + a >= 0 && r + a < c->ti && b + e >= 0 && b + e < c->fi;
        const float *at = x + a * line + e * c->ci;
        d[a][e] = in ? n == LANES ? load(at) : load_some(at, n) : (vf){0};
      }
    transform_vector(d, to, frequency);
  }
}

/* Patches [from, from + n). */
void AM_SIMD(am_conv_win_patches)(const patch_rows *p, int from, int n) {
  int row, bin;
  for (int i = 0; i < n; i++) {
    patch_at(p, from + i, &row, &bin);
    transform_patch(p, row, bin, p->patches + (ptrdiff_t)i * am_padded_channels(p->c));
  }
}

/* Forward */

typedef struct win_job {
  patch_rows rows;
  const float *packed, *bias;
  float *y;
  bool relu;
  int t0, t1;      /* rows to make */
  float *products; /* of a block: [frequency][patch][BLOCK] */
} win_job;

/* The 2 x 2 outputs of a patch, one vector of channels; m: product of frequency 0. */
AM_INLINE void output_vector(const float *m, ptrdiff_t frequency, vf bias, bool relu, vf y[2][2]) {
  vf r[2][4];
  AM_UNROLL for (int k = 0; k < 4; k++) {
    vf m0 = load(m + k * frequency), m1 = load(m + (4 + k) * frequency), m2 = load(m + (8 + k) * frequency);
    vf m3 = load(m + (12 + k) * frequency);
    r[0][k] = m0 + m1 + m2;
    r[1][k] = m1 - m2 - m3;
  }
  AM_UNROLL for (int i = 0; i < 2; i++) {
    y[i][0] = r[i][0] + r[i][1] + r[i][2] + bias;
    y[i][1] = r[i][1] - r[i][2] - r[i][3] + bias;
    AM_UNROLL for (int k = 0; k < 2; k++) {
      if (relu) y[i][k] = (vf)((vi)y[i][k] & ~(y[i][k] < (vf){0})); /* NaN stays */
    }
  }
}

static void write_patch(const win_job *j, int row, int bin, int block, const float *products) {
  const am_conv *c = j->rows.c;
  int vectors = block_vectors(c, block), columns = block_columns(c, block);
  for (int v = 0; v < vectors; v++) {
    vf y[2][2], bias = j->bias ? load_columns(j->bias + block * BLOCK, columns, v) : (vf){0};
    output_vector(products + v * LANES, (ptrdiff_t)j->rows.room * BLOCK, bias, j->relu, y);
    for (int a = 0; a < 2; a++)
      for (int e = 0; e < 2; e++) {
        int t = row + a, f = bin + e;
        if (t < j->t0 || t >= j->t1 || f >= c->fo) continue;
        store_columns(j->y + ((ptrdiff_t)t * c->fo + f) * c->co + block * BLOCK, y[a][e], columns, v);
      }
  }
}

/* Products of all frequencies of a block of output channels over n patches. */
static void multiply(const win_job *j, int block, int n) {
  const am_conv *c = j->rows.c;
  const int vectors = block_vectors(c, block), width = vectors * LANES, channels = am_padded_channels(c);
  const float *weights = j->packed + (ptrdiff_t)FREQUENCIES * c->ci * BLOCK * block;
  conv_tile t = {.step = channels, .outer = 1, .inner = 1, .n = c->ci, .y_step = BLOCK, .columns = width};
  int parts = (n + MOST - 1) / MOST;
  for (int q = 0; q < FREQUENCIES; q++)
    for (int i = 0; i < parts; i++) {
      int from = n * i / parts, to = n * (i + 1) / parts;
      t.x = j->rows.patches + ((ptrdiff_t)q * j->rows.room + from) * channels;
      t.weights = weights + (ptrdiff_t)q * c->ci * width;
      t.y = j->products + ((ptrdiff_t)q * j->rows.room + from) * BLOCK;
      AM_SIMD(am_conv_tile)(&t, to - from, vectors);
    }
}

void AM_SIMD(am_conv_win_forward)(const am_conv *c, const float *x, const float *packed, const float *bias, bool relu,
                                  int t0, int t1, int anchor, float *y, float *scratch) {
  if (t1 <= t0) return;
  win_job j = {.rows = {c, x, t0 - ((t0 - anchor) & 1), (c->fo + 1) / 2, patches_of(c), scratch},
               .packed = packed,
               .bias = bias,
               .y = y,
               .relu = relu,
               .t0 = t0,
               .t1 = t1};
  j.products = scratch + (ptrdiff_t)FREQUENCIES * j.rows.room * am_padded_channels(c);
  int count = (t1 - j.rows.first + 1) / 2 * j.rows.wide, parts = (count + j.rows.room - 1) / j.rows.room, row, bin;
  for (int k = 0; k < parts; k++) {
    int from = (int)((int64_t)count * k / parts), n = (int)((int64_t)count * (k + 1) / parts) - from;
    AM_SIMD(am_conv_win_patches)(&j.rows, from, n);
    for (int b = 0; b < block_count(c); b++) {
      multiply(&j, b, n);
      for (int i = 0; i < n; i++) {
        patch_at(&j.rows, from + i, &row, &bin);
        write_patch(&j, row, bin, b, j.products + (ptrdiff_t)i * BLOCK);
      }
    }
  }
}
