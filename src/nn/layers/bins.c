/* SPDX-License-Identifier: MIT */
/* nn/layers/bins.c - some of the bins: x (T,F,C) -> (T,count,C), of a sequence (T,F) -> (T,count).
 *
 * y(t,f,:) = x(t,first+f,:); dx is dy there and 0 elsewhere. */
#include "nn/layer.h"

#include <string.h>

typedef struct bins_options {
  int64_t first, count;
} bins_options;

static const am_option bins_table[] = {
    {"first", AM_OPT_INT, offsetof(bins_options, first), "0", 0, 1 << 30, NULL, "the first bin that is kept, from 0"},
    {"count", AM_OPT_INT, offsetof(bins_options, count), "0", 0, 1 << 30, NULL, "how many are; 0: all that follow"},
    AM_OPTION_END,
};

static am_status build(am_layer *layer, am_error *err) {
  bins_options *o = layer->options;
  am_shape out = layer->in[0];
  if (out.rank < 2) return am_layer_fail(layer, err, AM_E_SHAPE, "there are no bins: wanted (T, F, C) or (T, F)");
  int *dim = out.rank == 3 ? &out.f : &out.c;
  const int64_t count = o->count > 0 ? o->count : *dim - o->first;
  if (count < 1 || o->first + count > *dim)
    return am_layer_fail(layer, err, AM_E_SHAPE, "bins %lld to %lld are wanted of %d, 0 to %d", (long long)o->first,
                         (long long)(o->first + (count > 0 ? count : 1) - 1), *dim, *dim - 1);
  *dim = (int)count;
  layer->out = out;
  return AM_OK;
}

typedef struct job {
  const am_layer *layer;
  const am_pass *pass;
} job;

/* Of one clip: numbers of a frame in x and y, and where y's begin among x's. */
typedef struct rows {
  size_t n, x_wide, y_wide, first, x, y;
} rows;

static rows rows_of(const job *j, size_t b) {
  const am_shape in = j->layer->in[0], out = j->layer->out;
  const bins_options *o = j->layer->options;
  return (rows){.n = (size_t)j->pass->x_most[0],
                .x_wide = (size_t)in.f * (size_t)in.c,
                .y_wide = (size_t)out.f * (size_t)out.c,
                .first = (size_t)o->first * (in.rank == 3 ? (size_t)in.c : 1),
                .x = b * am_shape_count(in),
                .y = b * am_shape_count(out)};
}

static void forward_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const job *j = arg;
  const rows r = rows_of(j, b);
  const am_real *x = j->pass->x[0] + r.x + r.first;
  am_real *y = j->pass->y + r.y;
  for (size_t t = 0; t < r.n; t++) memcpy(y + t * r.y_wide, x + t * r.x_wide, r.y_wide * sizeof *y);
}

static void backward_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const job *j = arg;
  const rows r = rows_of(j, b);
  const am_real *dy = j->pass->dy + r.y;
  am_real *dx = j->pass->dx[0] + r.x;
  memset(dx, 0, r.n * r.x_wide * sizeof *dx);
  for (size_t t = 0; t < r.n; t++) memcpy(dx + t * r.x_wide + r.first, dy + t * r.y_wide, r.y_wide * sizeof *dx);
}

static void forward(const am_layer *layer, const am_pass *pass) {
  job j = {layer, pass};
  am_parallel_for(layer->ctx, (size_t)pass->batch, forward_clip, &j);
}

static void backward(const am_layer *layer, const am_pass *pass) {
  job j = {layer, pass};
  if (pass->dx[0]) am_parallel_for(layer->ctx, (size_t)pass->batch, backward_clip, &j);
}

const am_layer_class am_bins = {
    .type = "bins",
    .help = "some of the bins of each frame, for branches of parallel",
    .table = bins_table,
    .options_size = sizeof(bins_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
    .forward = forward,
    .backward = backward,
};
