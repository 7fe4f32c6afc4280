/* SPDX-License-Identifier: MIT */
/* nn/layers/pool.c - max and average pooling over windows of time and frequency. */
#include <string.h>

#include "nn/layers/pool.h"

typedef struct pool_options {
  am_ints size, stride, pad;
  int padding;
  bool count_include_pad;
  am_window window; /* set by build */
} pool_options;

#define POOL_OPTIONS \
  {"size", AM_OPT_INTS, offsetof(pool_options, size), "2", 1, 1 << 20, NULL, "window: n, or [time, frequency]"}, \
      {"stride", AM_OPT_INTS, offsetof(pool_options, stride), "[]", 1, 1 << 20, NULL, "step; [] is the size"}, \
      {"padding", \
       AM_OPT_CHOICE, \
       offsetof(pool_options, padding), \
       "valid", \
       0, \
       0, \
       AM_WORDS(AM_PADDINGS), \
       "valid: whole windows only; same: ceil(n/stride) of them; explicit: pad elements at both ends"}, \
  { \
    "pad", AM_OPT_INTS, offsetof(pool_options, pad), "0", 0, 1 << 20, NULL, "elements at both ends for explicit" \
  }

static const am_option max_table[] = {POOL_OPTIONS, AM_OPTION_END};
static const am_option average_table[] = {
    POOL_OPTIONS,
    {"count_include_pad", AM_OPT_BOOL, offsetof(pool_options, count_include_pad), "false", 0, 0, NULL,
     "divide by the whole window even where it hangs over the edge (false: Keras; true: PyTorch's default)"},
    AM_OPTION_END};

static const am_window *window_of(const am_layer *layer) { return &((const pool_options *)layer->options)->window; }

const am_window *am_max_pool_window(const am_layer *layer) {
  return layer->cls == &am_max_pool1d || layer->cls == &am_max_pool2d ? window_of(layer) : NULL;
}

static bool is_max(const am_layer *layer) { return am_max_pool_window(layer) != NULL; }

static am_status build(am_layer *layer, int rank, am_error *err) {
  pool_options *o = layer->options;
  am_window *w = &o->window;
  static const int one[2] = {1, 1}, none[2] = {0, 0};
  *w = (am_window){.dilation = {1, 1}, .padding = (am_padding)o->padding};
  am_status status = am_window_pair(layer, "size", o->size, one, 1, w->size, err);
  if (!status) status = am_window_pair(layer, "stride", o->stride, w->size, 1, w->stride, err);
  if (!status) status = am_window_pair(layer, "pad", o->pad, none, 0, w->pad, err);
  if (!status) status = am_window_shape(layer, w, rank, &layer->out, err);
  if (status) return status;
  for (int d = 0; d < 2; d++) {
    if (w->padding != AM_PAD_EXPLICIT || w->pad[d] <= w->size[d] / 2) continue;
    return am_layer_fail(layer, err, AM_E_CONFIG,
                         "pad %d is more than half of the window's %d: some windows would hold "
                         "nothing but padding",
                         w->pad[d], w->size[d]);
  }
  if (is_max(layer)) {
    if ((int64_t)w->size[0] * w->size[1] > 256)
      return am_layer_fail(layer, err, AM_E_UNSUPPORTED,
                           "a window of %d x %d is more than 256 elements: pool in two "
                           "steps, or use global_max_pool",
                           w->size[0], w->size[1]);
    layer->cache_per_clip = am_shape_count(layer->out); /* number of the maximum in its window, a byte each */
  }
  return AM_OK;
}

static am_status build_1d(am_layer *layer, am_error *err) { return build(layer, 2, err); }
static am_status build_2d(am_layer *layer, am_error *err) { return build(layer, 3, err); }

static int pool_length(const am_layer *layer, int length) { return am_window_frames(window_of(layer), length); }

/* One clip of a batch: its shape and its place in x, y and the cache. */
typedef struct clip {
  am_conv c;
  size_t x, y;           /* offsets */
  size_t x_used, y_used; /* of the clip itself */
  size_t x_most, y_most; /* of the longest clip */
} clip;

typedef struct job {
  const am_layer *layer;
  const am_pass *pass;
} job;

static clip clip_of(const job *j, size_t b) {
  const am_layer *layer = j->layer;
  am_shape in = layer->in[0], out = layer->out;
  clip p = {.c = am_window_clip(window_of(layer), in, in.c, j->pass->x_len[0][b])};
  p.c.to = j->pass->y_len[b];
  p.x = b * am_shape_count(in);
  p.y = b * am_shape_count(out);
  p.x_used = am_frames_count(in, p.c.ti);
  p.y_used = am_frames_count(out, p.c.to);
  p.x_most = am_frames_count(in, j->pass->x_most[0]);
  p.y_most = am_frames_count(out, j->pass->y_most);
  return p;
}

static void zero_rest(am_real *values, size_t used, size_t most) {
  memset(values + used, 0, (most - used) * sizeof *values);
}

static void max_forward_piece(void *arg, size_t b, int worker) {
  const job *j = arg;
  (void)worker;
  clip p = clip_of(j, b);
  uint8_t *index = j->pass->training && j->pass->cache ? (uint8_t *)j->pass->cache + p.y : NULL;
  am_kernels_of(j->layer->ctx)->max_pool(&p.c, j->pass->x[0] + p.x, j->pass->y + p.y, index);
  zero_rest(j->pass->y + p.y, p.y_used, p.y_most);
}

/* y = max over the window of x: dy goes to the element that was it */
static void max_backward_piece(void *arg, size_t b, int worker) {
  const job *j = arg;
  (void)worker;
  clip p = clip_of(j, b);
  am_kernels_of(j->layer->ctx)
      ->max_pool_back(&p.c, j->pass->dy + p.y, (const uint8_t *)j->pass->cache + p.y, j->pass->dx[0] + p.x);
  zero_rest(j->pass->dx[0] + p.x, p.x_used, p.x_most);
}

/* The part of a window that lies inside the clip. */
typedef struct span {
  int t0, t1, f0, f1;
} span;

static span inside(const am_conv *c, int t, int f) {
  int t0 = t * c->st - c->pt, f0 = f * c->sf - c->pf;
  return (span){t0 < 0 ? 0 : t0, t0 + c->kt > c->ti ? c->ti : t0 + c->kt, f0 < 0 ? 0 : f0,
                f0 + c->kf > c->fi ? c->fi : f0 + c->kf};
}

/* 1 / elements that the average divides by. */
static am_real share(const job *j, const am_conv *c, span s) {
  const pool_options *o = j->layer->options;
  int count = o->count_include_pad ? c->kt * c->kf : (s.t1 - s.t0) * (s.f1 - s.f0);
  return count > 0 ? 1 / (am_real)count : 0;
}

static size_t at(int t, int f, int bins, int channels) {
  return ((size_t)t * (size_t)bins + (size_t)f) * (size_t)channels;
}

/* y = share * sum of x over the window */
static void average_forward_piece(void *arg, size_t b, int worker) {
  const job *j = arg;
  (void)worker;
  clip p = clip_of(j, b);
  const am_conv *c = &p.c;
  const am_real *x = j->pass->x[0] + p.x;
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++) {
      am_real *y = j->pass->y + p.y + at(t, f, c->fo, c->co);
      span s = inside(c, t, f);
      am_real part = share(j, c, s);
      memset(y, 0, (size_t)c->co * sizeof *y);
      for (int row = s.t0; row < s.t1; row++)
        for (int bin = s.f0; bin < s.f1; bin++) {
          const am_real *from = x + at(row, bin, c->fi, c->ci);
          for (int i = 0; i < c->ci; i++) y[i] += from[i];
        }
      for (int i = 0; i < c->ci; i++) y[i] *= part;
    }
  zero_rest(j->pass->y + p.y, p.y_used, p.y_most);
}

/* dx = sum of share * dy over the windows that hold x */
static void average_backward_piece(void *arg, size_t b, int worker) {
  const job *j = arg;
  (void)worker;
  clip p = clip_of(j, b);
  const am_conv *c = &p.c;
  am_real *dx = j->pass->dx[0] + p.x;
  memset(dx, 0, p.x_most * sizeof *dx);
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++) {
      const am_real *dy = j->pass->dy + p.y + at(t, f, c->fo, c->co);
      span s = inside(c, t, f);
      am_real part = share(j, c, s);
      for (int row = s.t0; row < s.t1; row++)
        for (int bin = s.f0; bin < s.f1; bin++) {
          am_real *to = dx + at(row, bin, c->fi, c->ci);
          for (int i = 0; i < c->ci; i++) to[i] += part * dy[i];
        }
    }
}

static void run(const am_layer *layer, const am_pass *pass, am_piece_fn piece) {
  job j = {layer, pass};
  am_parallel_for(layer->ctx, (size_t)pass->batch, piece, &j);
}

static void max_forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, max_forward_piece); }
static void average_forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, average_forward_piece); }

static void max_backward(const am_layer *layer, const am_pass *pass) {
  if (pass->dx[0]) run(layer, pass, max_backward_piece);
}
static void average_backward(const am_layer *layer, const am_pass *pass) {
  if (pass->dx[0]) run(layer, pass, average_backward_piece);
}

#define POOL_CLASS(name, text, options, build_fn, kind) \
  const am_layer_class am_##name = {.type = #name, \
                                    .help = text, \
                                    .table = options, \
                                    .options_size = sizeof(pool_options), \
                                    .min_inputs = 1, \
                                    .max_inputs = 1, \
                                    .build = build_fn, \
                                    .length = pool_length, \
                                    .forward = kind##_forward, \
                                    .backward = kind##_backward}

POOL_CLASS(max_pool1d, "maximum over windows of frames", max_table, build_1d, max);
POOL_CLASS(max_pool2d, "maximum over windows of time and frequency", max_table, build_2d, max);
POOL_CLASS(average_pool1d, "mean over windows of frames", average_table, build_1d, average);
POOL_CLASS(average_pool2d, "mean over windows of time and frequency", average_table, build_2d, average);
