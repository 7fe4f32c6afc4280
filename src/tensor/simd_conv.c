/* tensor/simd_conv.c - convolution as an implicit matrix product.
 *
 * Forward: a register tile of up to MOST pixels by two vectors of output channels;
 * for every tap and input channel the weights are two vectors and each pixel's x is
 * broadcast.  Taps that lie side by side in x (dilation 1) run as one loop.
 * Tiles that meet the padding and tiles across short rows first gather their part of x
 * into a small buffer, zeros included.
 *
 * Backward to x is a forward convolution of dy with the kernel flipped and
 * transposed; a stride then means zeros between the elements of dy (`ut`, `uf`), of
 * which a tile of every uf-th pixel meets none.
 *
 * Every output is one chain of multiply-adds in the order of taps and channels,
 * whatever the tile, so it does not depend on how rows are cut into pieces. */
#include "tensor/simd_tiles.h"

enum {
  GATHER = 4096,            /* floats of x gathered for a tile */
  WEIGHTS_IN_CACHE = 65536, /* floats of packed weights that stay in L2 while a row is made */
  FEW_TERMS = 64            /* below it an output costs less than gathering its x */
};

/* The compiler must keep p in a register as it is, not recompute it from others. */
#define OPAQUE(p) __asm__("" : "+r"(p))

/* One tile of forward: pixels at x + p * step, summed over outer * inner runs of n numbers. */
typedef struct tile {
  const float *x;
  ptrdiff_t step;
  int outer, inner, n;
  ptrdiff_t outer_step, inner_step;
  const float *weights; /* of a run: [n][V * LANES] */
  ptrdiff_t weights_outer, weights_inner; /* from run to run */
  const float *bias;    /* of the block, or NULL */
  float *y;             /* of the block; pixels at y + p * y_step */
  ptrdiff_t y_step;
  int columns;          /* output channels that exist, <= V * LANES */
  bool resume;          /* y holds a partial sum: no bias */
  bool relu;
} tile;

AM_INLINE void run_tile(const int P, const int V, const tile *t) {
  vf sum[MOST][2];
  AM_UNROLL for (int v = 0; v < V; v++) {
    vf bias = t->bias && !t->resume ? load_columns(t->bias, t->columns, v) : (vf){0};
    AM_UNROLL for (int p = 0; p < P; p++) sum[p][v] = bias;
  }
  if (t->resume) {
    AM_UNROLL for (int p = 0; p < P; p++) {
      AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] = load_columns(t->y + p * t->y_step, t->columns, v);
    }
  }
  const ptrdiff_t step = t->step;
  for (int o = 0; o < t->outer; o++)
    for (int i = 0; i < t->inner; i++) {
      const float *x = t->x + o * t->outer_step + i * t->inner_step;
      const float *w = t->weights + o * t->weights_outer + i * t->weights_inner;
      const float *at[(MOST + 2) / 3]; /* three pixels each: base, base + step, base + 2 step */
      AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) at[p] = x + 3 * p * step;
      for (int k = 0; k < t->n; k++, w += V * LANES) {
        vf weight[2];
        AM_UNROLL for (int v = 0; v < V; v++) weight[v] = load(w + v * LANES);
        AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) OPAQUE(at[p]);
        AM_UNROLL for (int p = 0; p < P; p++) {
          vf value = splat(at[p / 3][p % 3 * step]);
          AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] += value * weight[v];
        }
        AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) at[p]++;
      }
    }
  const bool relu = t->relu;
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) {
      vf y = sum[p][v];
      if (relu) y = (vf)((vi)y & ~(y < (vf){0})); /* NaN stays */
      store_columns(t->y + p * t->y_step, y, t->columns, v);
    }
  }
}

#define TILE_FUNCTION(P, V) static void tile_##P##_##V(const tile *t) { run_tile(P, V, t); }
EACH_TILE(TILE_FUNCTION, 1)
EACH_TILE(TILE_FUNCTION, 2)
#define TILE_NAME(P, V) tile_##P##_##V,
static void (*const tiles[2][MOST])(const tile *t) = {{EACH_TILE(TILE_NAME, 1)}, {EACH_TILE(TILE_NAME, 2)}};

/* The convolution that takes dy to dx. */
static am_conv backward_conv(const am_conv *c) {
  return (am_conv){.ti = c->to, .fi = c->fo, .ci = c->co, .to = c->ti, .fo = c->fi, .co = c->ci, .kt = c->kt,
                   .kf = c->kf, .st = 1, .sf = 1, .dt = c->dt, .df = c->df, .pt = (c->kt - 1) * c->dt - c->pt,
                   .pf = (c->kf - 1) * c->df - c->pf};
}

/* Element of x that position r meets, or -1: r counts zeros between the elements when up > 1. */
AM_INLINE int element_at(int r, int up, int n) {
  if (r < 0) return -1;
  if (up > 1) {
    if (r % up) return -1;
    r /= up;
  }
  return r < n ? r : -1;
}

/* All terms of the sum at output (t, f) where the taps of a row are neighbours in x. */
static void gather_rows(const geometry *g, const float *x, int t, int f, float *to) {
  const am_conv *c = &g->c;
  int bin = f * c->sf - c->pf, width = c->kf * c->ci;
  int from = bin < 0 ? (-bin < c->kf ? -bin : c->kf) : 0, end = c->fi - bin < c->kf ? c->fi - bin : c->kf;
  if (end < from) end = from;
  for (int kt = 0; kt < c->kt; kt++, to += width) {
    int row = element_at(t * c->st + kt * c->dt - c->pt, g->ut, c->ti);
    if (row < 0 || from == end) {
      zero_floats(to, width);
      continue;
    }
    zero_floats(to, from * c->ci);
    copy_floats(to + from * c->ci, x + ((ptrdiff_t)row * c->fi + bin + from) * c->ci, (end - from) * c->ci);
    zero_floats(to + end * c->ci, (c->kf - end) * c->ci);
  }
}

/* Terms [k0,k1) of the sum at output (t, f), in the order (kt, kf, ci). */
static void gather_pixel(const geometry *g, const float *x, int t, int f, int k0, int k1, float *to) {
  const am_conv *c = &g->c;
  if (k0 == 0 && k1 == c->kt * c->kf * c->ci && c->df == 1 && g->uf == 1) {
    gather_rows(g, x, t, f, to);
    return;
  }
  int tap = k0 / c->ci, from = k0 % c->ci;
  int kt = tap / c->kf, kf = tap % c->kf;
  for (int k = k0; k < k1;) {
    int row = element_at(t * c->st + kt * c->dt - c->pt, g->ut, c->ti);
    const float *line = row < 0 ? x : x + (ptrdiff_t)row * c->fi * c->ci;
    for (; kf < c->kf && k < k1; kf++, from = 0) {
      int n = c->ci - from < k1 - k ? c->ci - from : k1 - k;
      int bin = element_at(f * c->sf + kf * c->df - c->pf, g->uf, c->fi);
      if (row < 0 || bin < 0) zero_floats(to, n);
      else copy_floats(to, line + (ptrdiff_t)bin * c->ci + from, n);
      to += n;
      k += n;
    }
    kf = 0;
    kt++;
  }
}

/* Taps first, first + step, ... that meet an element. */
typedef struct progression { int first, step, count; } progression;

/* Taps k of `taps` for which r + k dilation is a multiple of up: element (r + k dilation) / up. */
static progression taps_that_meet(int r, int dilation, int up, int taps) {
  progression p = {0, 1, taps};
  if (up == 1) return p;
  p.count = 0;
  for (int k = 0; k < taps; k++) {
    if ((r + k * dilation) % up) continue;
    if (p.count == 0) p.first = k;
    if (p.count == 1) p.step = k - p.first;
    p.count++;
  }
  return p;
}

/* Without those whose element is outside n. */
static progression taps_inside(int r, int dilation, int up, int taps, int n) {
  progression p = taps_that_meet(r, dilation, up, taps);
  while (p.count && r + p.first * dilation < 0) p.first += p.step, p.count--;
  while (p.count && (r + (p.first + (p.count - 1) * p.step) * dilation) / up >= n) p.count--;
  return p;
}

typedef struct forward_job {
  geometry g;
  const float *x, *packed, *bias;
  float *y;
  bool relu;
  int block0, block1; /* output channels being made */
} forward_job;

/* The part of a tile that depends on the block of output channels; k: first term of the sum. */
static void run_block(const forward_job *j, tile *t, int block, int k, ptrdiff_t output, int pixels) {
  const am_conv *c = &j->g.c;
  int vectors = block_vectors(c, block), width = vectors * LANES;
  t->weights = j->packed + (ptrdiff_t)block * BLOCK * terms(c) + (ptrdiff_t)k * width;
  t->bias = j->bias ? j->bias + block * BLOCK : NULL;
  t->y = j->y + output * c->co + block * BLOCK;
  t->columns = block_columns(c, block);
  tiles[vectors - 1][pixels - 1](t);
}

/* Output channels [block0,block1) of `pixels` outputs from number `first` (t * fo + f), every `stride`-th, by a
 * gathered copy of x. */
static void gathered_tile(const forward_job *j, ptrdiff_t first, int stride, int pixels) {
  const am_conv *c = &j->g.c;
  float x[GATHER];
  int all = terms(c), chunk = GATHER / pixels < all ? GATHER / pixels : all;
  for (int k = 0; k < all; k += chunk) {
    int n = all - k < chunk ? all - k : chunk;
    for (int p = 0; p < pixels; p++) {
      ptrdiff_t output = first + (ptrdiff_t)p * stride;
      gather_pixel(&j->g, j->x, (int)(output / c->fo), (int)(output % c->fo), k, k + n, x + (ptrdiff_t)p * n);
    }
    tile t = {.x = x, .step = n, .outer = 1, .inner = 1, .n = n, .y_step = (ptrdiff_t)stride * c->co, .resume = k > 0,
              .relu = j->relu && k + n == all};
    for (int b = j->block0; b < j->block1; b++) run_block(j, &t, b, k, first, pixels);
  }
}

/* The same where every bin that the pixels meet is inside x. kt, kf: the taps that count. */
static void inner_tile(const forward_job *j, int row, int f, int pixels, progression kt, progression kf) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  int line = c->fi * c->ci, top = (row * c->st + kt.first * c->dt - c->pt) / g->ut;
  int left = (f * c->sf + kf.first * c->df - c->pf) / g->uf, k = (kt.first * c->kf + kf.first) * c->ci;
  bool together = c->df == 1 && g->uf == 1; /* the taps of a row are neighbours in x */
  tile t = {.x = kt.count ? j->x + (ptrdiff_t)top * line + (ptrdiff_t)left * c->ci : j->x,
            .step = g->uf > 1 ? c->ci : (ptrdiff_t)c->sf * c->ci, .outer = kt.count,
            .inner = together ? 1 : kf.count, .n = together ? c->kf * c->ci : c->ci,
            .outer_step = (ptrdiff_t)(kt.step * c->dt / g->ut) * line,
            .inner_step = (ptrdiff_t)(kf.step * c->df / g->uf) * c->ci,
            .y_step = (ptrdiff_t)g->uf * c->co, .relu = j->relu};
  for (int b = j->block0; b < j->block1; b++) {
    ptrdiff_t width = block_vectors(c, b) * LANES;
    t.weights_outer = (ptrdiff_t)kt.step * c->kf * c->ci * width;
    t.weights_inner = (ptrdiff_t)kf.step * c->ci * width;
    run_block(j, &t, b, kt.count ? k : 0, (ptrdiff_t)row * c->fo + f, pixels);
  }
}

/* `pixels` outputs of a row from bin f, uf apart. */
static void make_tile(const forward_job *j, int row, progression kt, int f, int pixels) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  int first = f * c->sf - c->pf, last = (f + (pixels - 1) * g->uf) * c->sf - c->pf;
  progression kf = taps_that_meet(first, c->df, g->uf, c->kf);
  bool inside = first + kf.first * c->df >= 0 &&
                (last + (kf.first + (kf.count - 1) * kf.step) * c->df) / g->uf < c->fi;
  if (inside || !kf.count) inner_tile(j, row, f, pixels, kt, kf);
  else gathered_tile(j, (ptrdiff_t)row * c->fo + f, g->uf, pixels);
}

/* `count` outputs from bin f, uf apart, in tiles of even size. */
static void make_run(const forward_job *j, int row, progression kt, int f, int count) {
  int n = (count + MOST - 1) / MOST;
  for (int i = 0; i < n; i++) {
    int from = (int)((int64_t)count * i / n), to = (int)((int64_t)count * (i + 1) / n);
    make_tile(j, row, kt, f + from * j->g.uf, to - from);
  }
}

static void make_row(const forward_job *j, int row) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  progression kt = taps_inside(row * c->st - c->pt, c->dt, g->ut, c->kt, c->ti);
  for (int phase = 0; phase < g->uf; phase++) {
    int f = g->f0 + phase, count = (g->f1 - f + g->uf - 1) / g->uf;
    int before = 0, after = 0;
    if (terms(c) < FEW_TERMS && g->uf == 1) { /* keep what must be gathered apart */
      int reach = (c->kf - 1) * c->df - c->pf;
      while (before < count && (f + before) * c->sf - c->pf < 0) before++;
      while (after < count - before && (f + count - 1 - after) * c->sf + reach >= c->fi) after++;
    }
    make_run(j, row, kt, f, before);
    make_run(j, row, kt, f + before * g->uf, count - before - after);
    make_run(j, row, kt, f + (count - after) * g->uf, after);
  }
}

/* Rows too short to fill a tile: tiles run on into the next row. */
static void make_short_rows(const forward_job *j) {
  const am_conv *c = &j->g.c;
  ptrdiff_t end = (ptrdiff_t)j->g.t1 * c->fo;
  for (ptrdiff_t i = (ptrdiff_t)j->g.t0 * c->fo; i < end; i += MOST)
    gathered_tile(j, i, 1, end - i < MOST ? (int)(end - i) : MOST);
}

static void forward(forward_job *j) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  int64_t block_reals = (int64_t)terms(c) * BLOCK;
  int group = block_reals > WEIGHTS_IN_CACHE ? 1 : (int)(WEIGHTS_IN_CACHE / block_reals), blocks = block_count(c);
  bool one_row = g->t1 - g->t0 == 1;
  for (int b = 0; b < blocks; b += group) {
    j->block0 = b;
    j->block1 = b + group < blocks ? b + group : blocks;
    if (c->fo < MOST / 2 && !one_row && g->ut == 1 && g->uf == 1) make_short_rows(j);
    else
      for (int t = g->t0; t < g->t1; t++) make_row(j, t);
  }
}

void AM_SIMD(am_conv_forward)(const am_conv *c, const float *x, const float *packed, const float *bias, am_epilogue epilogue,
                         int t0, int t1, float *y) {
  forward_job j = {.g = geometry_of(c, 1, 1, t0, t1), .x = x, .packed = packed, .bias = bias, .y = y,
                   .relu = epilogue == AM_EPILOGUE_RELU};
  forward(&j);
}

void AM_SIMD(am_conv_backward_x)(const am_conv *c, const float *dy, const float *packed_back, int t0, int t1, float *dx) {
  am_conv back = backward_conv(c);
  forward_job j = {.g = geometry_of(&back, c->st, c->sf, t0, t1), .x = dy, .packed = packed_back, .y = dx};
  forward(&j);
}

/* Packed weights: blocks of output channels; in each [term][channel], padded with zeros to whole vectors. */

size_t AM_SIMD(am_conv_packed_count)(const am_conv *c) {
  return (size_t)terms(c) * (((size_t)c->co + LANES - 1) / LANES * LANES);
}

void AM_SIMD(am_conv_pack)(const am_conv *c, const float *kernel, float *packed) {
  int all = terms(c);
  for (int b = 0; b < block_count(c); b++) {
    size_t width = (size_t)block_vectors(c, b) * LANES, columns = (size_t)block_columns(c, b);
    for (int k = 0; k < all; k++, packed += width) {
      memcpy(packed, kernel + (size_t)k * (size_t)c->co + (size_t)b * BLOCK, columns * sizeof *packed);
      memset(packed + columns, 0, (width - columns) * sizeof *packed);
    }
  }
}

size_t AM_SIMD(am_conv_packed_back_count)(const am_conv *c) {
  am_conv back = backward_conv(c);
  return AM_SIMD(am_conv_packed_count)(&back);
}

/* Term (kt,kf,o), channel i from kernel (taps-1-kt, taps-1-kf, i, o). */
void AM_SIMD(am_conv_pack_back)(const am_conv *c, const float *kernel, float *packed) {
  am_conv back = backward_conv(c);
  int taps = c->kt * c->kf;
  for (int b = 0; b < block_count(&back); b++) {
    int width = block_vectors(&back, b) * LANES, columns = block_columns(&back, b);
    for (int tap = taps - 1; tap >= 0; tap--)
      for (int o = 0; o < c->co; o++, packed += width) {
        const float *from = kernel + ((size_t)tap * (size_t)c->ci + (size_t)b * BLOCK) * (size_t)c->co + o;
        for (int i = 0; i < width; i++) packed[i] = i < columns ? from[(size_t)i * (size_t)c->co] : 0;
      }
  }
}
