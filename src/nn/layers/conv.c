/* SPDX-License-Identifier: MIT */
/* nn/layers/conv.c - convolution over time (conv1d) and over time and frequency (conv2d).
 *
 *   y(t,f,o) = bias(o) + sum over kt, kf, i of
 *              x(t st + kt dt - pt, f sf + kf df - pf, i) kernel(kt,kf,i,o)
 *
 * kernel (kt,kf,Cin,Cout), for conv1d (k,Cin,Cout); bias (Cout).  As in Keras
 * and PyTorch this is cross-correlation.  `same` pads total/2 (rounded down)
 * before and the rest after, Keras's rule, from each clip's own length;
 * `causal` pads all of (k-1) dt before.
 *
 * The work is cut into blocks of rows of y (and the rows of x under them),
 * small enough for the cache.  A ReLU, a dropout and a max pooling that follow
 * can be fused (conv.h): then a block's map lives only in a worker's scratch, or, where kernels
 * make convolution and pooling together (conv_pools), nowhere. */
#include "nn/layers/conv.h"

#include <string.h>

#include "nn/groups.h"
#include "nn/layers/dropout.h"
#include "nn/layers/norm.h"
#include "nn/layers/pool.h"

typedef struct conv_options {
  int64_t filters;
  am_ints kernel, stride, dilation, pad;
  int padding, initialiser;
  bool bias;
  /* Set by build. */
  am_window window;
  am_shape map; /* of the convolution alone; layer->out is after the fused pooling */
  bool relu;
  const am_layer *dropout, *norm; /* that are fused, or NULL */
  bool pooled;                    /* a max pooling is fused: */
  am_window pool;
  int rows, blocks; /* rows of the map in a block, blocks of a clip of full length */
  int union_rows;   /* most rows of the map's gradient that one block's backward needs */
} conv_options;

#define CONV_OPTIONS(paddings, and_so) \
  {"filters", AM_OPT_INT, offsetof(conv_options, filters), NULL, 1, 1 << 20, NULL, "output channels"}, \
      {"kernel", AM_OPT_INTS, offsetof(conv_options, kernel), "3", 1, 1 << 16, NULL, "taps: n, or [time, frequency]"}, \
      {"stride", AM_OPT_INTS, offsetof(conv_options, stride), "1", 1, 1 << 16, NULL, "step: n, or [time, frequency]"}, \
      {"dilation", AM_OPT_INTS, offsetof(conv_options, dilation), "1", 1, 1 << 16, NULL, "elements from tap to tap"}, \
      {"padding", \
       AM_OPT_CHOICE, \
       offsetof(conv_options, padding), \
       "valid", \
       0, \
       0, \
       AM_WORDS(paddings), \
       "valid: whole windows only; same: ceil(n/stride) outputs (Keras); explicit: pad zeros at both ends " \
       "(PyTorch)" and_so}, \
      {"pad", AM_OPT_INTS, offsetof(conv_options, pad), "0", 0, 1 << 16, NULL, "zeros at both ends for explicit"}, \
      {"bias", AM_OPT_BOOL, offsetof(conv_options, bias), "true", 0, 0, NULL, "adds a number to each output channel"}, \
  { \
    "initialiser", AM_OPT_CHOICE, offsetof(conv_options, initialiser), "glorot_uniform", 0, 0, \
        AM_WORDS(AM_INITIALISERS), \
        "of the kernel (Keras: glorot_uniform; PyTorch: uniform_fan_in); the bias starts at zero" \
  }

static const am_option conv1d_table[] = {
    CONV_OPTIONS(AM_PADDINGS_IN_TIME, "; causal: as many outputs as same, of which none hears later frames (Keras)"),
    AM_OPTION_END};
static const am_option conv2d_table[] = {CONV_OPTIONS(AM_PADDINGS, ""), AM_OPTION_END};

enum {
  BLOCK_REALS = 32768,   /* of the map in a block: 128 KB */
  PIECE_WORK = 1 << 18,  /* multiply-adds worth handing to another thread */
  MOST_BEFORE = 1 << 16, /* frames that causal padding puts before a clip */
  PARTS = 2,             /* of a group, of which each has a partial sum of the kernel's gradient, */
  PART_REALS = 1 << 19,  /* where these are small: so there is work for more threads than groups */
  REDUCE_REALS = 1 << 14 /* of the kernel's gradient in a piece of the final sum */
};

static int smaller(int a, int b) { return a < b ? a : b; }
static int larger(int a, int b) { return a > b ? a : b; }
static int divide_up(int a, int b) { return (a + b - 1) / b; }
static int divide_down(int a, int b) { return a >= 0 ? a / b : -divide_up(-a, b); } /* b > 0 */

static const conv_options *options_of(const am_layer *layer) { return layer->options; }

static am_conv clip_conv(const am_layer *layer, int frames) {
  const conv_options *o = options_of(layer);
  return am_window_clip(&o->window, layer->in[0], o->map.c, frames);
}

/* The fused pooling over `frames` rows of the map, the first a multiple of its stride. */
static am_conv pool_rows(const conv_options *o, int frames) {
  return am_window_clip(&o->pool, o->map, o->map.c, frames);
}

static size_t kernel_count(const am_layer *layer) { return layer->weights[0].count; }
static size_t row_reals(const conv_options *o) { return (size_t)o->map.f * (size_t)o->map.c; }

/* Partial sums: kernel and bias gradient, one after the other. */
static size_t partial_count(const am_layer *layer) {
  return am_add(kernel_count(layer), (size_t)options_of(layer)->map.c);
}
static size_t parts_of(const am_layer *layer) { return partial_count(layer) <= PART_REALS ? PARTS : 1; }

/* What a call takes from the pass's scratch. */
typedef struct conv_scratch {
  am_real *packed, *packed_back, *partials;
  am_real *map, *pooled, *work; /* a part per worker; `work` is the convolution kernels' own */
  size_t map_reals, pooled_reals, work_reals;
  am_real *kernel, *bias; /* with the batch norm in them */
  double *line;           /* scale and shift of the batch norm (2,Cout) */
} conv_scratch;

/* Those of training, which may round to bfloat16; all other passes have am_kernels_of the context. */
static const am_kernels *training_kernels(const am_layer *layer) {
  am_conv c = clip_conv(layer, layer->in[0].t);
  return layer->bf16 && am_conv_takes_bf16(&c) ? layer->bf16 : am_kernels_of(layer->ctx);
}

static size_t most_of(size_t a, size_t b) { return a > b ? a : b; }

static conv_scratch place(const am_layer *layer, size_t groups, am_arena *arena) {
  const conv_options *o = options_of(layer);
  const am_kernels *k = am_kernels_of(layer->ctx), *t = training_kernels(layer);
  am_conv c = clip_conv(layer, layer->in[0].t);
  size_t workers = (size_t)am_context_threads(layer->ctx);
  conv_scratch s = {0};
  s.packed = am_arena_take(arena, most_of(k->conv_packed_count(&c), t->conv_packed_count(&c)), sizeof(am_real));
  s.packed_back =
      am_arena_take(arena, most_of(k->conv_packed_back_count(&c), t->conv_packed_back_count(&c)), sizeof(am_real));
  s.work_reals = most_of(k->conv_scratch_count(&c), t->conv_scratch_count(&c));
  s.work = am_arena_take(arena, workers * s.work_reals, sizeof(am_real));
  if (o->relu || o->pooled) {
    s.map_reals = (size_t)o->union_rows * row_reals(o);
    s.map = am_arena_take(arena, workers * s.map_reals, sizeof(am_real));
  }
  if (o->relu && o->pooled) {
    int rows = o->union_rows / o->pool.stride[0] + 2;
    s.pooled_reals = (size_t)rows * (size_t)layer->out.f * (size_t)layer->out.c;
    s.pooled = am_arena_take(arena, workers * s.pooled_reals, sizeof(am_real));
  }
  if (o->norm) {
    s.kernel = am_arena_take(arena, kernel_count(layer), sizeof(am_real));
    s.bias = am_arena_take(arena, (size_t)o->map.c, sizeof(am_real));
    s.line = am_arena_take(arena, 2 * (size_t)o->map.c, sizeof(double));
  }
  s.partials = am_arena_take(arena, am_mul(groups * parts_of(layer), partial_count(layer)), sizeof(am_real));
  return s;
}

static conv_scratch scratch_of(const am_layer *layer, const am_pass *pass, bool backward) {
  am_arena arena = {pass->scratch, SIZE_MAX / 2, 0};
  return place(layer, backward ? am_groups_of(pass) : 0, &arena);
}

/* Cuts the map into blocks and asks for memory; again whenever something is fused. */
static void set_memory(am_layer *layer) {
  conv_options *o = layer->options;
  const am_window *w = &o->window;
  int t = o->map.t, step = o->pooled ? o->pool.stride[0] : 1;
  while (step % 4) step *= 2; /* kernels may make four rows at once */
  int rows = (int)smaller(t, (int)((size_t)BLOCK_REALS / row_reals(o)));
  o->rows = divide_up(larger(rows, 1), step) * step;
  o->blocks = divide_up(t, o->rows);
  /* The rows of x under a block meet (kt-1) dt / st rows of dy more, moved by the padding. */
  const int64_t window = (int64_t)(w->size[0] - 1) * w->dilation[0];
  const int64_t reach = window + (w->padding == AM_PAD_CAUSAL ? window : w->pad[0]);
  int64_t most = o->rows + reach / w->stride[0] + 2 + 2 * (int64_t)step;
  o->union_rows = most > t + step ? t + step : (int)most;
  layer->cache_per_clip = o->pooled ? am_shape_count(layer->out) : 0; /* number of the maximum in its window */
  am_arena count = {0}, group = {0};
  place(layer, 0, &count);
  am_arena_take(&group, am_mul(parts_of(layer), partial_count(layer)), sizeof(am_real));
  layer->scratch_once = count.used;
  layer->scratch_per_group = group.used;
}

static am_status build(am_layer *layer, int rank, am_error *err) {
  conv_options *o = layer->options;
  am_window *w = &o->window;
  static const int one[2] = {1, 1}, none[2] = {0, 0};
  *w = (am_window){.padding = (am_padding)o->padding};
  o->relu = o->pooled = false;
  o->dropout = o->norm = NULL;
  am_status status = am_window_pair(layer, "kernel", o->kernel, one, 1, w->size, err);
  if (!status) status = am_window_pair(layer, "stride", o->stride, one, 1, w->stride, err);
  if (!status) status = am_window_pair(layer, "dilation", o->dilation, one, 1, w->dilation, err);
  if (!status) status = am_window_pair(layer, "pad", o->pad, none, 0, w->pad, err);
  if (!status) status = am_window_shape(layer, w, rank, &o->map, err);
  if (status) return status;
  if (w->padding != AM_PAD_EXPLICIT) w->pad[0] = w->pad[1] = 0;
  if (w->padding == AM_PAD_CAUSAL && (int64_t)(w->size[0] - 1) * w->dilation[0] > MOST_BEFORE)
    return am_layer_fail(layer, err, AM_E_SHAPE, "kernel %d and dilation %d reach %lld frames back, wanted at most %d",
                         w->size[0], w->dilation[0], (long long)(w->size[0] - 1) * w->dilation[0], MOST_BEFORE);
  int ci = layer->in[0].c, co = (int)o->filters, taps = w->size[0] * w->size[1];
  if ((int64_t)w->size[0] * w->size[1] * ci * co > (int64_t)1 << 30)
    return am_layer_fail(layer, err, AM_E_SHAPE, "a kernel of %d x %d x %d x %d is too large", w->size[0], w->size[1],
                         ci, co);
  o->map.c = co;
  layer->out = o->map;
  int dims2[4] = {w->size[0], w->size[1], ci, co}, dims1[3] = {w->size[0], ci, co};
  am_layer_weight(layer, "kernel", (am_initialiser)o->initialiser, rank + 1, rank == 3 ? dims2 : dims1, taps * ci,
                  taps * co, true);
  if (o->bias) am_layer_weight(layer, "bias", AM_INIT_ZERO, 1, &co, taps * ci, taps * co, false);
  layer->backward_needs_x = true;
  set_memory(layer);
  return AM_OK;
}

static am_status build_1d(am_layer *layer, am_error *err) { return build(layer, 2, err); }
static am_status build_2d(am_layer *layer, am_error *err) { return build(layer, 3, err); }

static bool is_conv(const am_layer *layer) { return layer->cls == &am_conv1d || layer->cls == &am_conv2d; }

bool am_conv_fuse_relu(am_layer *layer) {
  if (!is_conv(layer)) return false;
  conv_options *o = layer->options;
  if (o->relu) return false;
  o->relu = true;
  layer->backward_needs_y = true;
  set_memory(layer);
  return true;
}

bool am_conv_fuse_max_pool(am_layer *layer, const am_layer *pool) {
  const am_window *w = am_max_pool_window(pool);
  if (!is_conv(layer) || !w) return false;
  conv_options *o = layer->options;
  if (o->pooled || w->stride[0] < w->size[0] || w->stride[1] < w->size[1]) return false;
  if (w->padding == AM_PAD_EXPLICIT || (w->padding == AM_PAD_SAME && w->size[0] > 2)) return false;
  o->pooled = true;
  o->pool = *w;
  layer->out = pool->out;
  set_memory(layer);
  return true;
}

bool am_conv_fuse_dropout(am_layer *layer, const am_layer *dropout) {
  if (!is_conv(layer) || dropout->cls != &am_dropout) return false;
  conv_options *o = layer->options;
  if (!o->relu || o->pooled || o->dropout) return false;
  o->dropout = dropout;
  return true;
}

bool am_conv_fuse_norm(am_layer *layer, const am_layer *norm) {
  if (!is_conv(layer) || norm->cls != &am_batch_norm) return false;
  conv_options *o = layer->options;
  if (o->relu || o->pooled || o->norm) return false;
  o->norm = norm;
  for (int i = 0; i < norm->n_weights; i++) layer->weights[layer->n_weights++] = norm->weights[i];
  for (int i = 0; i < norm->n_statistics; i++) layer->statistics[layer->n_statistics++] = norm->statistics[i];
  set_memory(layer);
  return true;
}

static bool conv_fuse(am_layer *layer, const am_layer *next, bool training) {
  if (next->cls == &am_relu) return am_conv_fuse_relu(layer);
  if (next->cls == &am_dropout) return am_conv_fuse_dropout(layer, next);
  if (next->cls == &am_batch_norm) return !training && am_conv_fuse_norm(layer, next);
  return am_conv_fuse_max_pool(layer, next);
}

static int map_frames(const am_layer *layer, int frames) {
  return am_window_frames(&options_of(layer)->window, frames);
}

static int conv_length(const am_layer *layer, int frames) {
  const conv_options *o = options_of(layer);
  int map = map_frames(layer, frames);
  return o->pooled ? am_window_frames(&o->pool, map) : map;
}

static double conv_operations(const am_layer *layer) {
  const conv_options *o = options_of(layer);
  return (double)o->map.t * o->map.f * (double)kernel_count(layer);
}

/* One call of forward or backward. */
typedef struct conv_job {
  const am_layer *layer;
  const conv_options *o;
  const am_pass *pass;
  const am_kernels *k;
  conv_scratch s;
  size_t blocks, group; /* of the batch; in a piece; forward */
  size_t groups, parts; /* of the batch (groups.h); of a group; backward */
  const am_real *bias;  /* forward; NULL: none */
} conv_job;

static conv_job job_of(const am_layer *layer, const am_pass *pass, bool backward) {
  const conv_options *o = options_of(layer);
  return (conv_job){.layer = layer,
                    .o = o,
                    .pass = pass,
                    .k = pass->training ? training_kernels(layer) : am_kernels_of(layer->ctx),
                    .s = scratch_of(layer, pass, backward),
                    .blocks = (size_t)pass->batch * (size_t)o->blocks,
                    .group = 1,
                    .groups = backward ? am_groups_of(pass) : 0,
                    .parts = parts_of(layer),
                    .bias = o->bias ? pass->w[1] : NULL};
}

static am_real *zero_rows(am_real *base, int from, int to, size_t row) {
  if (to > from) memset(base + (size_t)from * row, 0, (size_t)(to - from) * row * sizeof *base);
  return base;
}

static am_real *kernel_scratch(const conv_job *j, int worker) { return j->s.work + (size_t)worker * j->s.work_reals; }

/* The part of a clip's convolution that makes rows [r0,r1) of the map, counted from r0. */
static am_conv window_rows(am_conv c, int r0, int r1) {
  c.pt -= r0 * c.st;
  c.to = r1 - r0;
  return c;
}

/* Rows of the map from r0 on, made from 0 to rows. */
static void drop_rows(const conv_job *j, size_t b, int r0, int rows, am_real *map) {
  size_t row = row_reals(j->o);
  if (j->o->dropout && j->pass->training)
    am_dropout_apply(j->o->dropout, j->pass, b, (size_t)r0 * row, (size_t)rows * row, map, map);
}

/* Block `i` of clip `b`: map rows [r0,r1), of which the clip has some. */
static void forward_block(const conv_job *j, size_t b, int i, int worker) {
  const am_layer *layer = j->layer;
  const conv_options *o = j->o;
  const am_pass *pass = j->pass;
  am_epilogue epilogue = o->relu ? AM_EPILOGUE_RELU : AM_EPILOGUE_NONE;
  const am_real *x = pass->x[0] + b * am_shape_count(layer->in[0]);
  am_real *scratch = kernel_scratch(j, worker);
  am_real *y = pass->y + b * am_shape_count(layer->out);
  size_t y_row = (size_t)layer->out.f * (size_t)layer->out.c;
  am_conv c = clip_conv(layer, pass->x_len[0][b]);
  int r0 = i * o->rows, r1 = smaller(r0 + o->rows, c.to);
  int step = o->pooled ? o->pool.stride[0] : 1;
  int y0 = r0 / step, y1 = i == o->blocks - 1 ? layer->out.t : smaller((r0 + o->rows) / step, layer->out.t);
  int y_used = larger(y0, smaller(y1, pass->y_len[b]));
  zero_rows(y, y_used, smaller(y1, pass->y_most), y_row);
  if (y_used <= y0) return;
  if (!o->pooled) {
    j->k->conv_forward(&c, x, j->s.packed, j->bias, epilogue, r0, r1, y, scratch);
    drop_rows(j, b, r0, r1 - r0, y + (size_t)r0 * y_row);
    return;
  }
  am_conv rows = window_rows(c, r0, r1), pool = pool_rows(o, r1 - r0);
  pool.to = y_used - y0;
  y += (size_t)y0 * y_row;
  uint8_t *index = NULL;
  if (pass->training && pass->cache)
    index = (uint8_t *)pass->cache + b * am_shape_count(layer->out) + (size_t)y0 * y_row;
  if (!(o->dropout && pass->training) && j->k->conv_pools(&rows, &pool)) {
    j->k->conv_pool_forward(&rows, &pool, x, j->s.packed, j->bias, epilogue, y, index);
    return;
  }
  am_real *map = j->s.map + (size_t)worker * j->s.map_reals;
  j->k->conv_forward(&rows, x, j->s.packed, j->bias, epilogue, 0, rows.to, map, scratch);
  drop_rows(j, b, r0, rows.to, map);
  j->k->max_pool(&pool, map, y, index);
}

static void forward_piece(void *arg, size_t piece, int worker) {
  const conv_job *j = arg;
  size_t blocks = (size_t)j->o->blocks;
  for (size_t n = piece * j->group; n < (piece + 1) * j->group && n < j->blocks; n++)
    forward_block(j, n / blocks, (int)(n % blocks), worker);
}

/* The kernel and bias that convolve and normalise: norm(x K + b) = x (K scale) + (b scale + shift). */
static const am_real *fold_norm(conv_job *j) {
  const am_pass *pass = j->pass;
  const am_real *const *norm = pass->w + (j->o->bias ? 2 : 1); /* gamma, beta */
  const am_real *const statistics[2] = {pass->statistics[0], pass->statistics[1]};
  size_t co = (size_t)j->o->map.c, n = kernel_count(j->layer);
  double *scale = j->s.line, *shift = scale + co;
  am_batch_norm_line(j->o->norm, norm[0], norm[1], statistics, scale, shift);
  for (size_t i = 0; i < n; i += co)
    for (size_t k = 0; k < co; k++) j->s.kernel[i + k] = (am_real)((double)pass->w[0][i + k] * scale[k]);
  for (size_t k = 0; k < co; k++)
    j->s.bias[k] = (am_real)((j->o->bias ? (double)pass->w[1][k] * scale[k] : 0) + shift[k]);
  j->bias = j->s.bias;
  return j->s.kernel;
}

/* Once for all passes (packs.h): the packed kernel, and with a norm its bias. */
static am_real *place_packed(const am_layer *layer, am_arena *arena, am_real **bias) {
  am_conv c = clip_conv(layer, layer->in[0].t);
  am_real *packed = am_arena_take(arena, am_kernels_of(layer->ctx)->conv_packed_count(&c), sizeof(am_real));
  if (options_of(layer)->norm) *bias = am_arena_take(arena, (size_t)options_of(layer)->map.c, sizeof(am_real));
  return packed;
}

static size_t conv_packed_bytes(const am_layer *layer) {
  am_arena count = {0};
  am_real *bias;
  place_packed(layer, &count, &bias);
  return count.used;
}

static void pack(conv_job *j) {
  am_conv c = clip_conv(j->layer, j->layer->in[0].t);
  j->k->conv_pack(&c, j->o->norm ? fold_norm(j) : j->pass->w[0], j->s.packed);
}

static void conv_pack(const am_layer *layer, const am_pass *pass, void *packed) {
  conv_job j = job_of(layer, pass, false);
  am_arena arena = {packed, conv_packed_bytes(layer), 0};
  j.s.packed = place_packed(layer, &arena, &j.s.bias);
  pack(&j);
}

static void conv_forward(const am_layer *layer, const am_pass *pass) {
  conv_job j = job_of(layer, pass, false);
  if (pass->packed) {
    am_arena arena = {(void *)(uintptr_t)pass->packed, conv_packed_bytes(layer), 0};
    am_real *bias = (am_real *)(uintptr_t)j.bias;
    j.s.packed = place_packed(layer, &arena, &bias);
    j.bias = bias;
  } else {
    pack(&j);
  }
  double work = (double)j.o->rows * j.o->map.f * (double)kernel_count(layer);
  j.group = work >= PIECE_WORK ? 1 : (size_t)(PIECE_WORK / work) + 1;
  am_parallel_for(layer->ctx, (j.blocks + j.group - 1) / j.group, forward_piece, &j);
}

/* dx = dy where y = max(x, 0) was positive; a dropout after it kept y then. */
static void relu_gradient(const conv_job *j, size_t n, const am_real *y, const am_real *dy, am_real *dx) {
  j->k->relu_back(n, y, dy, dx);
  if (!j->o->dropout) return;
  const am_real scale = am_dropout_scale(j->o->dropout);
  for (size_t i = 0; i < n; i++) dx[i] *= scale;
}

/* The gradient of a ReLU's input at elements [from, from + n) of y: dy itself where there is none, else in `to`. */
static const am_real *before_relu(const conv_job *j, size_t from, size_t n, am_real *to) {
  if (!j->o->relu) return j->pass->dy + from;
  relu_gradient(j, n, j->pass->y + from, j->pass->dy + from, to); /* pooled: y = max(max over window, 0) */
  return to;
}

/* What was pooled of rows [u0,u1) of clip b's map: the pooling, where it is in y, its gradient without the ReLU. */
typedef struct pooled_rows {
  am_conv pool;
  size_t from;
  const am_real *dy;
} pooled_rows;

static pooled_rows pooled_gradient(const conv_job *j, size_t b, int u0, int u1, int worker) {
  const am_layer *layer = j->layer;
  const conv_options *o = j->o;
  pooled_rows p = {.pool = pool_rows(o, u1 - u0)};
  size_t row = (size_t)layer->out.f * (size_t)layer->out.c;
  int y0 = u0 / o->pool.stride[0];
  p.pool.to = larger(0, smaller(p.pool.to, j->pass->y_len[b] - y0));
  p.from = b * am_shape_count(layer->out) + (size_t)y0 * row;
  p.dy = before_relu(j, p.from, (size_t)p.pool.to * row, j->s.pooled + (size_t)worker * j->s.pooled_reals);
  return p;
}

/* The gradient of rows [u0,u1) of clip b's map: dy itself, or what ReLU and pooling make of it, in the
 * worker's scratch.  u0 is a multiple of the pooling's stride, and so is u1 unless it is the clip's end. */
static const am_real *map_gradient(const conv_job *j, size_t b, int u0, int u1, int worker) {
  const am_layer *layer = j->layer;
  am_real *map = j->s.map + (size_t)worker * j->s.map_reals;
  size_t row = (size_t)layer->out.f * (size_t)layer->out.c;
  if (!j->o->pooled) {
    size_t from = b * am_shape_count(layer->out) + (size_t)u0 * row;
    return before_relu(j, from, (size_t)(u1 - u0) * row, map);
  }
  pooled_rows p = pooled_gradient(j, b, u0, u1, worker);
  j->k->max_pool_back(&p.pool, p.dy, (const uint8_t *)j->pass->cache + p.from, map);
  return map;
}

/* Where no dx is wanted and the kernels can, the gradient of the map is never made. */
static bool backward_pooled(const conv_job *j, size_t b, int r0, int r1, int worker, am_real *partial) {
  const conv_options *o = j->o;
  am_conv c = clip_conv(j->layer, j->pass->x_len[0][b]);
  if (!o->pooled || j->pass->dx[0] || r1 <= r0) return false;
  am_conv rows = window_rows(c, r0, r1), pool = pool_rows(o, r1 - r0);
  if (!j->k->conv_pools(&rows, &pool)) return false;
  pooled_rows p = pooled_gradient(j, b, r0, r1, worker);
  const am_real *x = j->pass->x[0] + b * am_shape_count(j->layer->in[0]);
  j->k->conv_pool_backward_w(&rows, &p.pool, x, p.dy, (const uint8_t *)j->pass->cache + p.from, partial);
  if (o->bias)
    j->k->column_sums((size_t)p.pool.to * (size_t)p.pool.fo, (size_t)c.co, p.dy, partial + kernel_count(j->layer));
  return true;
}

/* Block `i` of clip `b`: adds map rows [r0,r1) into `partial`, writes the rows [x0,x1) of dx under them. */
static void backward_block(const conv_job *j, size_t b, int i, int worker, am_real *partial) {
  const am_layer *layer = j->layer;
  const conv_options *o = j->o;
  int frames = j->pass->x_len[0][b], step = o->pooled ? o->pool.stride[0] : 1;
  am_conv c = clip_conv(layer, frames);
  int r0 = smaller(i * o->rows, c.to), r1 = smaller((i + 1) * o->rows, c.to);
  if (backward_pooled(j, b, r0, r1, worker, partial)) return;
  int x0 = smaller(i * o->rows * c.st, layer->in[0].t);
  int x1 = i == o->blocks - 1 ? layer->in[0].t : smaller((i + 1) * o->rows * c.st, layer->in[0].t);
  int x_used = larger(x0, smaller(x1, frames));
  am_real *dx = j->pass->dx[0] ? j->pass->dx[0] + b * am_shape_count(layer->in[0]) : NULL;
  size_t x_row = (size_t)layer->in[0].f * (size_t)layer->in[0].c;
  if (dx) zero_rows(dx, x_used, smaller(x1, j->pass->x_most[0]), x_row);
  /* Rows of the map that met [x0,x_used): t st + k dt - pt in it for some tap k. */
  int u0 = r0, u1 = r1;
  if (dx && x_used > x0) {
    int first = larger(0, -divide_down(-(x0 + c.pt - (c.kt - 1) * c.dt), c.st));
    int last = smaller(c.to, divide_down(x_used - 1 + c.pt, c.st) + 1);
    if (first < last) {
      u0 = r1 > r0 ? smaller(u0, first) : first;
      u1 = r1 > r0 ? larger(u1, last) : last;
    }
  }
  u0 = u0 / step * step;
  u1 = smaller(c.to, divide_up(u1, step) * step);
  if (u1 < u0) u1 = u0;
  const am_real *dy = map_gradient(j, b, u0, u1, worker);
  am_conv rows = window_rows(c, u0, u1);
  if (dx && x_used > x0) j->k->conv_backward_x(&rows, dy, j->s.packed_back, x0, x_used, dx, kernel_scratch(j, worker));
  if (r1 <= r0) return;
  const am_real *x = j->pass->x[0] + b * am_shape_count(layer->in[0]);
  j->k->conv_backward_w(&rows, x, dy, r0 - u0, r1 - u0, partial, kernel_scratch(j, worker));
  if (o->bias)
    j->k->column_sums((size_t)(r1 - r0) * (size_t)c.fo, (size_t)c.co, dy + (size_t)(r0 - u0) * row_reals(o),
                      partial + kernel_count(layer));
}

/* The partial sum of one part of a group, kernel and bias. */
static am_real *partial_of(const conv_job *j, size_t group, size_t part) {
  return j->s.partials + (group * j->parts + part) * partial_count(j->layer);
}

static void backward_piece(void *arg, size_t piece, int worker) {
  const conv_job *j = arg;
  const size_t g = piece / j->parts, part = piece % j->parts, blocks = (size_t)j->o->blocks;
  const size_t first = am_group_first(j->pass, g) * blocks, count = am_group_end(j->pass, g) * blocks - first;
  am_real *partial = partial_of(j, g, part);
  memset(partial, 0, partial_count(j->layer) * sizeof *partial);
  for (size_t n = first + part * count / j->parts; n < first + (part + 1) * count / j->parts; n++)
    backward_block(j, n / blocks, (int)(n % blocks), worker, partial);
}

/* Elements [from, from + n) of all partial sums: those of a group, then the groups, then dw += */
static void reduce(const conv_job *j, size_t from, size_t n, am_real *dw) {
  for (size_t g = 0; g < j->groups; g++)
    for (size_t part = 1; part < j->parts; part++)
      j->k->add(n, partial_of(j, g, part) + from, partial_of(j, g, 0) + from);
  am_groups_fold(j->k, j->groups, j->parts * partial_count(j->layer), n, j->s.partials + from);
  j->k->add(n, j->s.partials + from, dw);
}

static void reduce_piece(void *arg, size_t piece, int worker) {
  const conv_job *j = arg;
  (void)worker;
  const size_t kernel = kernel_count(j->layer), from = piece * REDUCE_REALS;
  reduce(j, from, kernel - from < REDUCE_REALS ? kernel - from : REDUCE_REALS, j->pass->dw[0] + from);
  if (piece == 0 && j->o->bias) reduce(j, kernel, partial_count(j->layer) - kernel, j->pass->dw[1]);
}

static void conv_backward(const am_layer *layer, const am_pass *pass) {
  conv_job j = job_of(layer, pass, true);
  am_conv c = clip_conv(layer, layer->in[0].t);
  if (pass->dx[0]) j.k->conv_pack_back(&c, pass->w[0], j.s.packed_back);
  am_parallel_for(layer->ctx, j.groups * j.parts, backward_piece, &j);
  am_parallel_for(layer->ctx, (kernel_count(layer) + REDUCE_REALS - 1) / REDUCE_REALS, reduce_piece, &j);
}

#define CONV_CLASS(name, text, build_fn) \
  const am_layer_class am_##name = {.type = #name, \
                                    .help = text, \
                                    .table = name##_table, \
                                    .options_size = sizeof(conv_options), \
                                    .min_inputs = 1, \
                                    .max_inputs = 1, \
                                    .build = build_fn, \
                                    .length = conv_length, \
                                    .packed_bytes = conv_packed_bytes, \
                                    .pack = conv_pack, \
                                    .forward = conv_forward, \
                                    .backward = conv_backward, \
                                    .fuse = conv_fuse, \
                                    .operations = conv_operations}

CONV_CLASS(conv1d, "convolution over time", build_1d);
CONV_CLASS(conv2d, "convolution over time and frequency", build_2d);
