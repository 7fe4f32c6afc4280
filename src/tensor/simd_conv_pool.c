/* SPDX-License-Identifier: MIT */
/* tensor/simd_conv_pool.c - a 3 x 3 convolution of one channel and the max pooling of its map, together.
 *
 * The map of a first layer is the largest of a net, and the nine terms of an element cost less than to write it and
 * read it again.  Here a window of 2 x 2 is made in registers and only its maximum is written.  Backward, one element of
 * each window and channel has a gradient: a quarter of the sums are left, once the four x that a tap meets in the
 * window stand side by side, so that each channel can pick its own. */
#include "tensor/simd_one.h"
#include "tensor/simd_pick.h"

/* Windows of a tile of two vectors: LANES 16 has 24 sums in 32 registers, 8 has 8 in 16, 4 has 16 in 32. */
enum { WINDOWS = LANES == 16 ? 3 : LANES == 8 ? 1 : 2 };

static geometry pooled_part(const am_conv *c, const am_conv *pool) {
  return (geometry){*c, 1, 1, 0, 2 * pool->fo, 0, 2 * pool->to};
}

bool AM_SIMD(am_conv_pools)(const am_conv *c, const am_conv *pool) {
  return c->ci == 1 && c->kt == 3 && c->kf == 3 && c->st == 1 && c->sf == 1 && c->dt == 1 && c->df == 1 &&
         am_pools_by_two(pool) && c->fo >= MOST && pool->fo >= WINDOWS;
}

typedef struct pool_job {
  const am_conv *c, *pool;
  const float *packed, *bias, *dy;
  float *y, *dkernel;
  const uint8_t *taken;
  uint8_t *index;
  bool relu;
} pool_job;

/* Forward */

/* WINDOWS windows by V vectors of output channels; the sums are those of simd_conv_one.c, tap by tap. */
AM_INLINE void run_windows(const int V, const pool_job *j, const float *x, ptrdiff_t line, int block, float *y,
                           uint8_t *index) {
  const int columns = block_columns(j->c, block);
  const float *weights = j->packed + block * BLOCK * 9, *bias = j->bias ? j->bias + block * BLOCK : NULL;
  vf sum[2][2 * WINDOWS][2];
  AM_UNROLL for (int v = 0; v < V; v++) {
    vf first = bias ? load_columns(bias, columns, v) : (vf){0};
    AM_UNROLL for (int p = 0; p < 2 * WINDOWS; p++) sum[0][p][v] = sum[1][p][v] = first;
  }
  AM_UNROLL for (int k = 0; k < 9; k++, weights += V * LANES) {
    AM_UNROLL for (int r = 0; r < 2; r++) {
      AM_UNROLL for (int p = 0; p < 2 * WINDOWS; p++) {
        vf value = splat(x[(r + k / 3) * line + p + k % 3]);
        AM_UNROLL for (int v = 0; v < V; v++) sum[r][p][v] += value * load(weights + v * LANES);
      }
    }
  }
  AM_UNROLL for (int w = 0; w < WINDOWS; w++) {
    AM_UNROLL for (int v = 0; v < V; v++) {
      vf best = {0};
      vi which = {0};
      AM_UNROLL for (int tap = 0; tap < 4; tap++) {
        vf out = sum[tap / 2][2 * w + tap % 2][v];
        if (j->relu) out = positive(out);
        if (tap == 0) best = out;
        else take_larger(out, tap, &best, &which);
      }
      store_columns(y + (ptrdiff_t)w * j->c->co, best, columns, v);
      if (index) store_bytes(index + (ptrdiff_t)w * j->c->co + v * LANES, which, lanes_used(columns, v));
    }
  }
}

/* The last tile of a row makes some windows again. */
static void forward_part(const padded *p, const void *job) {
  const pool_job *j = job;
  const am_conv *c = j->c;
  const int end = p->f1 / 2;
  for (int t = p->t0 / 2; t < p->t1 / 2; t++)
    for (int f = p->f0 / 2; f < end; f += WINDOWS) {
      if (f > end - WINDOWS) f = end - WINDOWS;
      const float *x = p->x + (2 * t - p->t0) * p->line + 2 * f - p->f0;
      const ptrdiff_t at = ((ptrdiff_t)t * j->pool->fo + f) * c->co;
      for (int b = 0; b < block_count(c); b++) {
        float *y = j->y + at + b * BLOCK;
        uint8_t *index = j->index ? j->index + at + b * BLOCK : NULL;
        if (block_vectors(c, b) == 2) run_windows(2, j, x, p->line, b, y, index);
        else run_windows(1, j, x, p->line, b, y, index);
      }
    }
}

void AM_SIMD(am_conv_pool_forward)(const am_conv *c, const am_conv *pool, const float *x, const float *packed,
                                   const float *bias, am_epilogue epilogue, float *y, uint8_t *index) {
  pool_job j = {.c = c,
                .pool = pool,
                .packed = packed,
                .bias = bias,
                .y = y,
                .index = index,
                .relu = epilogue == AM_EPILOGUE_RELU};
  geometry g = pooled_part(c, pool);
  each_part(&g, 2, x, forward_part, &j);
}

/* The kernel's gradient */

/* Of each channel the one of four numbers that `which` (0 to 3) names. */
AM_INLINE vf one_of_four(const float *four, vi which) {
#if AM_LANES == 16
  return (vf)_mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(four)), (__m512i)which);
#elif AM_LANES == 8
  const vf both = {four[0], four[1], four[2], four[3], four[0], four[1], four[2], four[3]};
  return (vf)_mm256_permutevar_ps((__m256)both, (__m256i)which);
#else
  return pick(which < 2, pick(which == 0, splat(four[0]), splat(four[1])),
              pick(which == 2, splat(four[2]), splat(four[3])));
#endif
}

enum { FOURS = 512 }; /* x that are placed side by side at once: 8 KB, in L1 */

/* Of the windows [f0, f1) of row t: for each column of x three times (rows kt = 0, 1, 2) the four numbers
 * x(row, column), x(row, column + 1), and those below. */
static void place_fours(const padded *p, int t, int f0, int f1, float fours[FOURS][4]) {
  const float *x = p->x + (2 * t - p->t0) * p->line + 2 * f0 - p->f0;
  float(*to)[4] = fours;
  for (int i = 0; i < 2 * (f1 - f0) + 1; i++)
    for (int kt = 0; kt < 3; kt++, to++) {
      const float *at = x + kt * p->line + i;
      memcpy(*to, at, 2 * sizeof *at);
      memcpy(*to + 2, at + p->line, 2 * sizeof *at);
    }
}

/* The sums of all taps by V vectors of output channels from o on stay in registers for a row of windows. */
AM_INLINE void sum_windows(const int V, const pool_job *j, float fours[FOURS][4], ptrdiff_t at, int windows, int o) {
  const am_conv *c = j->c;
  const int columns = c->co - o < V * LANES ? c->co - o : V * LANES;
  const float *dy = j->dy + at + o;
  const uint8_t *taken = j->taken + at + o;
  float *dkernel = j->dkernel + o;
  vf sum[9][2];
  AM_UNROLL for (int k = 0; k < 9; k++) {
    AM_UNROLL for (int v = 0; v < V; v++) sum[k][v] = load_columns(dkernel + (ptrdiff_t)k * c->co, columns, v);
  }
  for (int w = 0; w < windows; w++, fours += 6, dy += c->co, taken += c->co) {
    AM_UNROLL for (int v = 0; v < V; v++) {
      vf grad = load_columns(dy, columns, v);
      vi which = load_bytes(taken + v * LANES, lanes_used(columns, v));
      AM_UNROLL for (int k = 0; k < 9; k++) sum[k][v] += one_of_four(fours[k % 3 * 3 + k / 3], which) * grad;
    }
  }
  AM_UNROLL for (int k = 0; k < 9; k++) {
    AM_UNROLL for (int v = 0; v < V; v++) store_columns(dkernel + (ptrdiff_t)k * c->co, sum[k][v], columns, v);
  }
}

static void sum_part(const padded *p, const void *job) {
  enum { MOST_WINDOWS = (FOURS / 3 - 1) / 2, V = LANES == 8 ? 1 : 2 };
  const pool_job *j = job;
  float fours[FOURS][4];
  for (int t = p->t0 / 2; t < p->t1 / 2; t++)
    for (int f0 = p->f0 / 2, f1; f0 < p->f1 / 2; f0 = f1) {
      f1 = f0 + MOST_WINDOWS < p->f1 / 2 ? f0 + MOST_WINDOWS : p->f1 / 2;
      place_fours(p, t, f0, f1, fours);
      const ptrdiff_t at = ((ptrdiff_t)t * j->pool->fo + f0) * j->c->co;
      int o = 0;
      for (; o + LANES < j->c->co; o += V * LANES) sum_windows(V, j, fours, at, f1 - f0, o);
      if (o < j->c->co) sum_windows(1, j, fours, at, f1 - f0, o);
    }
}

void AM_SIMD(am_conv_pool_backward_w)(const am_conv *c, const am_conv *pool, const float *x, const float *dy,
                                      const uint8_t *index, float *dkernel) {
  pool_job j = {.c = c, .pool = pool, .dy = dy, .taken = index, .dkernel = dkernel};
  geometry g = pooled_part(c, pool);
  each_part(&g, 2, x, sum_part, &j);
}
