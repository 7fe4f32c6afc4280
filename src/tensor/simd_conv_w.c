/* SPDX-License-Identifier: MIT */
/* tensor/simd_conv_w.c - the gradient of a convolution's kernel.
 *
 * A tile of terms (tap and input channel) by two vectors of output channels stays
 * in registers and sums x(term) dy(channel) over the pixels of a chunk. */
#include "tensor/simd_tiles.h"

enum {
  PIXELS = 256,    /* of a chunk: x and dy stay near */
  FEW_CHANNELS = 8 /* below it one tap cannot fill a tile */
};

AM_INLINE void run_sum_tile(const int P, const int V, const sum_tile *t) {
  vf sum[MOST][2];
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] =
        !t->fresh ? load_columns(t->dkernel + p * t->d_step, t->columns, v) : (vf){0};
  }
  for (int r = 0; r < t->rows; r++) {
    const float *x = t->x + r * t->x_row, *dy = t->dy + r * t->dy_row;
    for (int i = 0; i < t->pixels; i++, x += t->x_step, dy += t->dy_step) {
      vf grad[2];
      AM_UNROLL for (int v = 0; v < V; v++) grad[v] = load(dy + v * LANES);
      AM_UNROLL for (int p = 0; p < P; p++) {
        vf value = splat(x[p]);
        AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] += value * grad[v];
      }
    }
  }
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) store_columns(t->dkernel + p * t->d_step, sum[p][v], t->columns, v);
  }
}

#define SUM_FUNCTION(P, V) \
  static void sum_##P##_##V(const sum_tile *t) { run_sum_tile(P, V, t); }
EACH_TILE(SUM_FUNCTION, 1)
EACH_TILE(SUM_FUNCTION, 2)
#define SUM_NAME(P, V) sum_##P##_##V,
static void (*const sum_tiles[2][MOST])(const sum_tile *t) = {{EACH_TILE(SUM_NAME, 1)}, {EACH_TILE(SUM_NAME, 2)}};

/* A chunk of outputs: rows [t0,t1), bins [f0,f1); dy of one block of channels at dy(row, bin). */
typedef struct chunk {
  const geometry *g;
  const float *x, *dy;
  ptrdiff_t dy_row, dy_step;
  int t0, t1, f0, f1;
  float *dkernel; /* of the block */
  int vectors, columns;
} chunk;

/* All `n` terms side by side from `t`, in tiles of even size. */
void AM_SIMD(am_conv_sum_terms)(sum_tile *t, int n, int vectors) {
  const float *x = t->x;
  float *dkernel = t->dkernel;
  int count = (n + MOST - 1) / MOST;
  for (int i = 0; i < count; i++) {
    int from = (int)((int64_t)n * i / count), to = (int)((int64_t)n * (i + 1) / count);
    t->x = x + from;
    t->dkernel = dkernel + from * t->d_step;
    sum_tiles[vectors - 1][to - from - 1](t);
  }
}

/* First output whose element at tap k is inside, and one past the last, within [o0,o1). */
static void outputs_inside(int k, int stride, int dilation, int before, int n, int *o0, int *o1) {
  int shift = before - k * dilation; /* element = o stride - shift */
  int first = shift <= 0 ? 0 : (shift + stride - 1) / stride;
  int last = n - 1 + shift < 0 ? 0 : (n - 1 + shift) / stride + 1;
  if (first > *o0) *o0 = first;
  if (last < *o1) *o1 = last;
}

/* The n terms from tap (kt, kf) on, at outputs [f0,f1). */
static void sum_tap(const chunk *k, int kt, int kf, int n, int f0, int f1) {
  const am_conv *c = &k->g->c;
  int t0 = k->t0, t1 = k->t1;
  outputs_inside(kt, c->st, c->dt, c->pt, c->ti, &t0, &t1);
  if (t0 >= t1 || f0 >= f1) return;
  ptrdiff_t row = (ptrdiff_t)t0 * c->st + kt * c->dt - c->pt, bin = (ptrdiff_t)f0 * c->sf + kf * c->df - c->pf;
  sum_tile t = {.x = k->x + (row * c->fi + bin) * c->ci,
                .dy = k->dy + (t0 - k->t0) * k->dy_row + (f0 - k->f0) * k->dy_step,
                .rows = t1 - t0,
                .pixels = f1 - f0,
                .x_row = (ptrdiff_t)c->st * c->fi * c->ci,
                .x_step = (ptrdiff_t)c->sf * c->ci,
                .dy_row = k->dy_row,
                .dy_step = k->dy_step,
                .dkernel = k->dkernel + (ptrdiff_t)(kt * c->kf + kf) * c->ci * c->co,
                .d_step = c->co,
                .columns = k->columns};
  AM_SIMD(am_conv_sum_terms)(&t, n, k->vectors);
}

/* Tap by tap: the outputs whose element is padding are left out.  With few channels the taps of a row go
 * together where all are inside, and one by one at the edges. */
static void sum_taps(const chunk *k) {
  const am_conv *c = &k->g->c;
  int in0 = k->f0, in1 = k->f1;
  bool together = c->ci < FEW_CHANNELS && c->df == 1 && c->kf > 1;
  if (together) {
    outputs_inside(0, c->sf, 1, c->pf, c->fi, &in0, &in1);
    outputs_inside(c->kf - 1, c->sf, 1, c->pf, c->fi, &in0, &in1);
    if (in0 >= in1) together = false;
  }
  for (int kt = 0; kt < c->kt; kt++) {
    if (together) sum_tap(k, kt, 0, c->kf * c->ci, in0, in1);
    for (int kf = 0; kf < c->kf; kf++) {
      int f0 = k->f0, f1 = k->f1;
      outputs_inside(kf, c->sf, c->df, c->pf, c->fi, &f0, &f1);
      if (!together) sum_tap(k, kt, kf, c->ci, f0, f1);
      else {
        sum_tap(k, kt, kf, c->ci, f0, f1 < in0 ? f1 : in0);
        sum_tap(k, kt, kf, c->ci, f0 > in1 ? f0 : in1, f1);
      }
    }
  }
}

/* dy of a block that ends inside a vector, padded with zeros, so that whole vectors can be read. */
static void copy_block(const chunk *k, const float *dy, float *to) {
  int pixels = k->f1 - k->f0, width = k->vectors * LANES;
  for (int t = 0; t < k->t1 - k->t0; t++)
    for (int f = 0; f < pixels; f++, to += width) {
      copy_floats(to, dy + t * k->dy_row + f * k->dy_step, k->columns);
      zero_floats(to + k->columns, width - k->columns);
    }
}

static void sum_chunk(chunk k, const float *dy, float *dkernel) {
  const am_conv *c = &k.g->c;
  float padded[PIXELS * BLOCK];
  const float *first = dy + ((ptrdiff_t)k.t0 * c->fo + k.f0) * c->co;
  for (int b = 0; b < block_count(c); b++) {
    k.vectors = block_vectors(c, b);
    k.columns = block_columns(c, b);
    k.dkernel = dkernel + b * BLOCK;
    k.dy = first + b * BLOCK;
    k.dy_row = (ptrdiff_t)c->fo * c->co;
    k.dy_step = c->co;
    if (k.columns % LANES) {
      copy_block(&k, k.dy, padded);
      k.dy = padded;
      k.dy_step = k.vectors * LANES;
      k.dy_row = k.dy_step * (k.f1 - k.f0);
    }
    sum_taps(&k);
  }
}

void AM_SIMD(am_conv_backward_w)(const am_conv *conv, const float *x, const float *dy, int t0, int t1, float *dkernel,
                                 float *scratch) {
  if (AM_SIMD(am_conv_is_win)(conv)) {
    if (t0 < t1) AM_SIMD(am_conv_win_backward_w)(conv, x, dy, t0, t1, dkernel, scratch);
    return;
  }
  geometry g = geometry_of(conv, 1, 1, t0, t1);
  int bins = g.f1 - g.f0;
  if (bins <= 0) return;
  if (AM_SIMD(am_conv_is_one)(&g)) {
    AM_SIMD(am_conv_one_backward_w)(&g, x, dy, dkernel);
    return;
  }
  int rows = bins >= PIXELS ? 1 : PIXELS / bins;
  if (bins > PIXELS) bins = PIXELS;
  for (int t = g.t0; t < g.t1; t += rows)
    for (int f = g.f0; f < g.f1; f += bins) {
      chunk k = {.g = &g,
                 .x = x,
                 .t0 = t,
                 .t1 = t + rows < g.t1 ? t + rows : g.t1,
                 .f0 = f,
                 .f1 = f + bins < g.f1 ? f + bins : g.f1};
      sum_chunk(k, dy, dkernel);
    }
}
