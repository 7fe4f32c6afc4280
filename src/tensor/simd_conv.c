/* SPDX-License-Identifier: MIT */
/* tensor/simd_conv.c - convolution as an implicit matrix product.
 *
 * 3 x 3 convolutions of many channels go to simd_conv_win.c, those of one to simd_conv_one.c.
 * Forward: a register tile of up to MOST pixels by two vectors of output channels;
 * for every tap and input channel the weights are two vectors and each pixel's x is
 * broadcast.  Taps that lie side by side in x (dilation 1) run as one loop.  The
 * pixels of a tile lie along the bins of a row; bins that meet the padding, and rows
 * too short to fill a tile, are made in tiles along time.
 *
 * Padding is never read nor copied: a tile of which some pixels miss a tap adds that
 * tap to the others alone, its sums going through y in between.
 *
 * Backward to x is a forward convolution of dy with the kernel flipped and
 * transposed; a stride then means zeros between the elements of dy (`ut`, `uf`), of
 * which a tile of every uf-th pixel meets none.
 *
 * Every output is one chain of multiply-adds in the order of the taps inside x and of
 * the channels, whatever the tile, so it does not depend on how rows are cut into pieces. */
#include "tensor/simd_tiles.h"

enum {
  WEIGHTS_IN_CACHE = 65536, /* floats of packed weights that stay in L2 while a row is made */
  FEW_ROWS = 4              /* below it tiles along time do not pay */
};

AM_INLINE void run_tile(const int P, const int V, const conv_tile *t) {
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
  if (t->adds) {
    AM_UNROLL for (int p = 0; p < P; p++) {
      AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] += load_columns(t->y + p * t->y_step, t->columns, v);
    }
  }
  const bool relu = t->relu;
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) {
      vf y = sum[p][v];
      if (relu) y = positive(y);
      store_columns(t->y + p * t->y_step, y, t->columns, v);
    }
  }
}

#define TILE_FUNCTION(P, V) \
  static void tile_##P##_##V(const conv_tile *t) { run_tile(P, V, t); }
EACH_TILE(TILE_FUNCTION, 1)
EACH_TILE(TILE_FUNCTION, 2)
#define TILE_NAME(P, V) tile_##P##_##V,
static void (*const tiles[2][MOST])(const conv_tile *t) = {{EACH_TILE(TILE_NAME, 1)}, {EACH_TILE(TILE_NAME, 2)}};

void AM_SIMD(am_conv_tile)(const conv_tile *t, int pixels, int vectors) { tiles[vectors - 1][pixels - 1](t); }

/* Taps first, first + step, ... that meet an element. */
typedef struct progression {
  int first, step, count;
} progression;

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

/* Outputs that one tile makes: from (row, bin) on, every ut-th row or every uf-th bin.  kt, kf: the taps that
 * count; across the line those inside x, along it those that meet elements anywhere. */
typedef struct line {
  int row, bin, pixels;
  bool along_time;
  progression kt, kf;
} line;

typedef struct range {
  int from, to;
} range;

/* Element of x that tap k of output o meets, inside or not. */
static int element_of(int o, int stride, int k, int dilation, int before, int up) {
  return (o * stride + k * dilation - before) / up;
}
/* Elements from pixel to pixel. */
static int pixel_step(int stride, int up) { return up > 1 ? 1 : stride; }

/* Pixels of a line that meet an element at tap number i of its own direction. */
static range pixels_inside(const geometry *g, const line *l, int i) {
  const am_conv *c = &g->c;
  int first = l->along_time ? element_of(l->row, c->st, l->kt.first + i * l->kt.step, c->dt, c->pt, g->ut)
                            : element_of(l->bin, c->sf, l->kf.first + i * l->kf.step, c->df, c->pf, g->uf);
  int n = l->along_time ? c->ti : c->fi, step = l->along_time ? pixel_step(c->st, g->ut) : pixel_step(c->sf, g->uf);
  range r = {first < 0 ? (-first + step - 1) / step : 0, first < n ? (n - first + step - 1) / step : 0};
  if (r.to > l->pixels) r.to = l->pixels;
  if (r.from > r.to) r.from = r.to;
  return r;
}

/* Adds the taps kt x kf to the pixels `r` of a line.  resume: onto what stands in y. */
static void run_taps(const forward_job *j, const line *l, range r, progression kt, progression kf, bool resume,
                     bool relu) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  int row = l->row + (l->along_time ? r.from * g->ut : 0), bin = l->bin + (l->along_time ? 0 : r.from * g->uf);
  ptrdiff_t x_row = (ptrdiff_t)c->fi * c->ci;
  bool together = c->df == 1 && g->uf == 1; /* the taps of a row are neighbours in x */
  bool any = kt.count && kf.count;
  conv_tile t = {.x = j->x,
                 .outer = any ? kt.count : 0,
                 .inner = together ? 1 : kf.count,
                 .n = together ? kf.count * c->ci : c->ci,
                 .outer_step = kt.step * c->dt / g->ut * x_row,
                 .inner_step = (ptrdiff_t)(kf.step * c->df / g->uf) * c->ci,
                 .resume = resume,
                 .relu = relu};
  if (any)
    t.x += element_of(row, c->st, kt.first, c->dt, c->pt, g->ut) * x_row +
           (ptrdiff_t)element_of(bin, c->sf, kf.first, c->df, c->pf, g->uf) * c->ci;
  t.step = l->along_time ? pixel_step(c->st, g->ut) * x_row : (ptrdiff_t)pixel_step(c->sf, g->uf) * c->ci;
  t.y_step = l->along_time ? (ptrdiff_t)g->ut * c->fo * c->co : (ptrdiff_t)g->uf * c->co;
  for (int b = j->block0; b < j->block1; b++) {
    int vectors = block_vectors(c, b);
    ptrdiff_t width = vectors * LANES;
    t.weights = j->packed + (ptrdiff_t)b * BLOCK * terms(c) + (ptrdiff_t)(kt.first * c->kf + kf.first) * c->ci * width;
    t.weights_outer = (ptrdiff_t)kt.step * c->kf * c->ci * width;
    t.weights_inner = (ptrdiff_t)kf.step * c->ci * width;
    t.bias = j->bias ? j->bias + b * BLOCK : NULL;
    t.y = j->y + ((ptrdiff_t)row * c->fo + bin) * c->co + b * BLOCK;
    t.columns = block_columns(c, b);
    tiles[vectors - 1][r.to - r.from - 1](&t);
  }
}

/* Taps [i,end) of a progression. */
static progression part_of(progression p, int i, int end) {
  return (progression){p.first + i * p.step, p.step, end - i};
}

/* Adds the taps kt x kf, in groups along the line that the same pixels meet.  On a row, kt is one tap, so that
 * every pixel meets them in their order. */
static void add_taps(const forward_job *j, const line *l, progression kt, progression kf) {
  int n = l->along_time ? kt.count : kf.count;
  for (int i = 0, end; i < n; i = end) {
    range r = pixels_inside(&j->g, l, i), next;
    for (end = i + 1; end < n; end++) {
      next = pixels_inside(&j->g, l, end);
      if (next.from != r.from || next.to != r.to) break;
    }
    if (r.from == r.to) continue;
    run_taps(j, l, r, l->along_time ? part_of(kt, i, end) : kt, l->along_time ? kf : part_of(kf, i, end), true, false);
  }
}

static void make_line(const forward_job *j, const line *l) {
  static const progression none = {0, 1, 0};
  int n = l->along_time ? l->kt.count : l->kf.count;
  range all = {0, l->pixels};
  bool inside = true;
  for (int i = 0; i < n; i++) {
    range r = pixels_inside(&j->g, l, i);
    inside = inside && r.from == 0 && r.to == l->pixels;
  }
  if (inside) {
    run_taps(j, l, all, l->kt, l->kf, false, j->relu);
    return;
  }
  run_taps(j, l, all, none, none, false, false);
  if (l->along_time) add_taps(j, l, l->kt, l->kf);
  else
    for (int i = 0; i < l->kt.count; i++) add_taps(j, l, part_of(l->kt, i, i + 1), l->kf);
  if (j->relu) run_taps(j, l, all, none, none, true, true);
}

/* A long line in tiles of even size. */
static void make_lines(const forward_job *j, line l) {
  int count = l.pixels, n = (count + MOST - 1) / MOST, row = l.row, bin = l.bin;
  for (int i = 0; i < n; i++) {
    int from = (int)((int64_t)count * i / n), to = (int)((int64_t)count * (i + 1) / n);
    if (l.along_time) l.row = row + from * j->g.ut;
    else l.bin = bin + from * j->g.uf;
    l.pixels = to - from;
    make_line(j, &l);
  }
}

/* Bin f of all rows. */
static void make_bin(const forward_job *j, int f) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  progression kf = taps_inside(f * c->sf - c->pf, c->df, g->uf, c->kf, c->fi);
  for (int phase = 0; phase < g->ut && g->t0 + phase < g->t1; phase++) {
    int t = g->t0 + phase;
    make_lines(j, (line){t, f, (g->t1 - t + g->ut - 1) / g->ut, true,
                         taps_that_meet(t * c->st - c->pt, c->dt, g->ut, c->kt), kf});
  }
}

static bool bin_inside(const geometry *g, int f) {
  const am_conv *c = &g->c;
  int r = f * c->sf - c->pf;
  return taps_inside(r, c->df, g->uf, c->kf, c->fi).count == taps_that_meet(r, c->df, g->uf, c->kf).count;
}

/* Bins f, f + uf, ... of all rows. */
static void make_phase(const forward_job *j, int f) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  int count = (g->f1 - f + g->uf - 1) / g->uf, before = 0, after = 0, rows = (g->t1 - g->t0) / g->ut;
  if (rows >= FEW_ROWS) {
    while (before < count && !bin_inside(g, f + before * g->uf)) before++;
    while (after < count - before && !bin_inside(g, f + (count - 1 - after) * g->uf)) after++;
    int inside = count - before - after;
    if (inside < MOST && inside < rows) before = count, after = 0;
  }
  for (int i = 0; i < before; i++) make_bin(j, f + i * g->uf);
  for (int i = count - after; i < count; i++) make_bin(j, f + i * g->uf);
  line l = {0,     f + before * g->uf, count - before - after,
            false, {0, 1, 0},          taps_that_meet((f + before * g->uf) * c->sf - c->pf, c->df, g->uf, c->kf)};
  for (l.row = g->t0; l.row < g->t1; l.row++) {
    l.kt = taps_inside(l.row * c->st - c->pt, c->dt, g->ut, c->kt, c->ti);
    make_lines(j, l);
  }
}

static void forward(forward_job *j) {
  const geometry *g = &j->g;
  const am_conv *c = &g->c;
  int64_t block_reals = (int64_t)terms(c) * BLOCK;
  int group = block_reals > WEIGHTS_IN_CACHE ? 1 : (int)(WEIGHTS_IN_CACHE / block_reals), blocks = block_count(c);
  for (int b = 0; b < blocks; b += group) {
    j->block0 = b;
    j->block1 = b + group < blocks ? b + group : blocks;
    for (int phase = 0; phase < g->uf && g->f0 + phase < g->f1; phase++) make_phase(j, g->f0 + phase);
  }
}

void AM_SIMD(am_conv_forward)(const am_conv *c, const float *x, const float *packed, const float *bias,
                              am_epilogue epilogue, int t0, int t1, float *y, float *scratch) {
  if (AM_SIMD(am_conv_is_win)(c)) {
    /* Pieces of a clip that begin at a multiple of 4 rows have all its tiles. */
    AM_SIMD(am_conv_win_forward)(c, x, packed, bias, epilogue == AM_EPILOGUE_RELU, t0, t1, c->pt & ~3, y, scratch);
    return;
  }
  forward_job j = {.g = geometry_of(c, 1, 1, t0, t1),
                   .x = x,
                   .packed = packed,
                   .bias = bias,
                   .y = y,
                   .relu = epilogue == AM_EPILOGUE_RELU};
  if (AM_SIMD(am_conv_is_one)(&j.g)) AM_SIMD(am_conv_one_forward)(&j.g, x, packed, bias, j.relu, y);
  else forward(&j);
}

void AM_SIMD(am_conv_backward_x)(const am_conv *c, const float *dy, const float *packed_back, int t0, int t1, float *dx,
                                 float *scratch) {
  am_conv back = am_conv_backward(c);
  if (AM_SIMD(am_conv_is_win)(c)) {
    AM_SIMD(am_conv_win_forward)(&back, dy, packed_back, NULL, false, t0, t1, 0, dx, scratch);
    return;
  }
  forward_job j = {.g = geometry_of(&back, c->st, c->sf, t0, t1), .x = dy, .packed = packed_back, .y = dx};
  forward(&j);
}

/* Packed weights: blocks of output channels; in each [term][channel], padded with zeros to whole vectors. */

size_t AM_SIMD(am_conv_packed_count)(const am_conv *c) {
  if (AM_SIMD(am_conv_is_win)(c)) return AM_SIMD(am_conv_win_packed)(c);
  return (size_t)terms(c) * (((size_t)c->co + LANES - 1) / LANES * LANES);
}

void AM_SIMD(am_conv_pack)(const am_conv *c, const float *kernel, float *packed) {
  int all = terms(c);
  if (AM_SIMD(am_conv_is_win)(c)) {
    AM_SIMD(am_conv_win_pack)(c, kernel, (ptrdiff_t)c->ci * c->co, c->co, 1, packed);
    return;
  }
  for (int b = 0; b < block_count(c); b++) {
    size_t width = (size_t)block_vectors(c, b) * LANES, columns = (size_t)block_columns(c, b);
    for (int k = 0; k < all; k++, packed += width) {
      memcpy(packed, kernel + (size_t)k * (size_t)c->co + (size_t)b * BLOCK, columns * sizeof *packed);
      memset(packed + columns, 0, (width - columns) * sizeof *packed);
    }
  }
}

size_t AM_SIMD(am_conv_packed_back_count)(const am_conv *c) {
  am_conv back = am_conv_backward(c);
  return AM_SIMD(am_conv_packed_count)(&back);
}

/* Term (kt,kf,o), channel i from kernel (taps-1-kt, taps-1-kf, i, o). */
void AM_SIMD(am_conv_pack_back)(const am_conv *c, const float *kernel, float *packed) {
  am_conv back = am_conv_backward(c);
  int taps = c->kt * c->kf;
  if (AM_SIMD(am_conv_is_win)(c)) {
    ptrdiff_t tap = (ptrdiff_t)c->ci * c->co; /* flipped: from the last on */
    AM_SIMD(am_conv_win_pack)(&back, kernel + 8 * tap, -tap, 1, c->co, packed);
    return;
  }
  for (int b = 0; b < block_count(&back); b++) {
    int width = block_vectors(&back, b) * LANES, columns = block_columns(&back, b);
    for (int tap = taps - 1; tap >= 0; tap--)
      for (int o = 0; o < c->co; o++, packed += width) {
        const float *from = kernel + ((size_t)tap * (size_t)c->ci + (size_t)b * BLOCK) * (size_t)c->co + o;
        for (int i = 0; i < width; i++) packed[i] = i < columns ? from[(size_t)i * (size_t)c->co] : 0;
      }
  }
}

size_t AM_SIMD(am_conv_scratch_count)(const am_conv *c) {
  am_conv back = am_conv_backward(c);
  if (!AM_SIMD(am_conv_is_win)(c)) return 0;
  size_t forward_count = AM_SIMD(am_conv_win_scratch)(c), back_count = AM_SIMD(am_conv_win_scratch)(&back);
  size_t count = AM_SIMD(am_conv_win_w_scratch)(c);
  if (forward_count > count) count = forward_count;
  return back_count > count ? back_count : count;
}
