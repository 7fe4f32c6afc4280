/* SPDX-License-Identifier: MIT */
/* nn/layers/global_pool.c - averages and maxima over all frames of a clip.
 *
 * x (T,C) or (T,F,C).  over: all -> (C), over frames and bins; over: time ->
 * (F*C), over frames alone.  Only the clip's own frames count.  A clip without
 * frames gives zeros and receives a zero gradient. */
#include <math.h>
#include <string.h>

#include "nn/layer.h"

#define OVERS(X) X(OVER_ALL, "all") X(OVER_TIME, "time")
typedef enum pooled_over { OVERS(AM_WORD_NAME) } pooled_over;

typedef struct global_options {
  int over; /* pooled_over */
} global_options;

static const am_option global_table[] = {
    {"over", AM_OPT_CHOICE, offsetof(global_options, over), "all", 0, 0, AM_WORDS(OVERS),
     "all: frames and bins, gives (C); time: frames alone, gives (F*C)"},
    AM_OPTION_END,
};

/* A clip is read as rows of `width` numbers, each column pooled by itself. */
typedef struct global_job {
  const am_layer *layer;
  const am_pass *pass;
  size_t width;
} global_job;

static size_t pool_width(const am_layer *layer) { return (size_t)layer->out.c; }

static size_t clip_rows(const global_job *job, size_t b) {
  const am_shape *in = &job->layer->in[0];
  return (size_t)job->pass->x_len[0][b] * ((size_t)in->f * (size_t)in->c / job->width);
}

static size_t used_of(const global_job *job) { return am_frames_count(job->layer->in[0], job->pass->x_most[0]); }

static am_status pool_build(am_layer *layer, am_error *err) {
  const global_options *o = layer->options;
  const am_shape in = layer->in[0];
  if (in.rank < 2)
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         "there are no frames to pool over: wanted (T,C) or (T,F,C); remove this layer or "
                         "move it before flatten");
  const int width = o->over == OVER_TIME ? in.f * in.c : in.c;
  layer->out = (am_shape){.rank = 1, .t = 1, .f = 1, .c = width};
  return AM_OK;
}

static am_status average_build(am_layer *layer, am_error *err) {
  am_status status = pool_build(layer, err);
  if (status) return status;
  layer->scratch_per_clip = pool_width(layer) * sizeof(double);
  return AM_OK;
}

/* Sums in double: a clip can have 70,000 positions. */
static void average_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const global_job *job = arg;
  const size_t width = job->width, rows = clip_rows(job, b);
  const am_real *x = job->pass->x[0] + b * am_shape_count(job->layer->in[0]);
  am_real *y = job->pass->y + b * width;
  double *sum = (double *)job->pass->scratch + b * width;
  memset(sum, 0, width * sizeof *sum);
  for (size_t r = 0; r < rows; r++, x += width)
    for (size_t c = 0; c < width; c++) sum[c] += (double)x[c];
  for (size_t c = 0; c < width; c++) y[c] = rows ? (am_real)(sum[c] / (double)rows) : 0;
}

static void average_forward(const am_layer *layer, const am_pass *pass) {
  global_job job = {layer, pass, pool_width(layer)};
  am_parallel_for(layer->ctx, (size_t)pass->batch, average_clip, &job);
}

/* y = sum(x) / rows, so every row of dx is dy / rows. */
static void average_clip_back(void *arg, size_t b, int worker) {
  (void)worker;
  const global_job *job = arg;
  const size_t width = job->width, rows = clip_rows(job, b), all = am_shape_count(job->layer->in[0]);
  const am_real *dy = job->pass->dy + b * width;
  am_real *dx = job->pass->dx[0] + b * all;
  for (size_t c = 0; rows && c < width; c++) dx[c] = dy[c] / (am_real)rows;
  for (size_t r = 1; r < rows; r++) memcpy(dx + r * width, dx, width * sizeof *dx);
  memset(dx + rows * width, 0, (used_of(job) - rows * width) * sizeof *dx);
}

static void average_backward(const am_layer *layer, const am_pass *pass) {
  global_job job = {layer, pass, pool_width(layer)};
  if (pass->dx[0]) am_parallel_for(layer->ctx, (size_t)pass->batch, average_clip_back, &job);
}

const am_layer_class am_global_average_pool = {
    .type = "global_average_pool",
    .help = "mean over the frames (and bins) of each clip",
    .table = global_table,
    .options_size = sizeof(global_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = average_build,
    .forward = average_forward,
    .backward = average_backward,
};

/* Maximum. The cache keeps the row of each column's maximum, (B,width). */

static am_status max_build(am_layer *layer, am_error *err) {
  am_status status = pool_build(layer, err);
  if (status) return status;
  layer->cache_per_clip = pool_width(layer) * sizeof(uint32_t);
  return AM_OK;
}

/* The first maximum wins; NaN wins over all. */
static void max_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const global_job *job = arg;
  const size_t width = job->width, rows = clip_rows(job, b);
  const am_real *x = job->pass->x[0] + b * am_shape_count(job->layer->in[0]);
  am_real *y = job->pass->y + b * width;
  uint32_t *row = (uint32_t *)job->pass->cache + b * width;
  memset(row, 0, width * sizeof *row);
  if (!rows) {
    memset(y, 0, width * sizeof *y);
    return;
  }
  memcpy(y, x, width * sizeof *y);
  for (size_t r = 1; r < rows; r++) {
    x += width;
    for (size_t c = 0; c < width; c++)
      if (x[c] > y[c] || (isnan(x[c]) && !isnan(y[c]))) {
        y[c] = x[c];
        row[c] = (uint32_t)r;
      }
  }
}

static void max_forward(const am_layer *layer, const am_pass *pass) {
  global_job job = {layer, pass, pool_width(layer)};
  am_parallel_for(layer->ctx, (size_t)pass->batch, max_clip, &job);
}

/* y[c] = x[row[c]][c] */
static void max_clip_back(void *arg, size_t b, int worker) {
  (void)worker;
  const global_job *job = arg;
  const size_t width = job->width, rows = clip_rows(job, b), all = am_shape_count(job->layer->in[0]);
  const am_real *dy = job->pass->dy + b * width;
  const uint32_t *row = (const uint32_t *)job->pass->cache + b * width;
  am_real *dx = job->pass->dx[0] + b * all;
  memset(dx, 0, used_of(job) * sizeof *dx);
  for (size_t c = 0; rows && c < width; c++) dx[row[c] * width + c] = dy[c];
}

static void max_backward(const am_layer *layer, const am_pass *pass) {
  global_job job = {layer, pass, pool_width(layer)};
  if (pass->dx[0]) am_parallel_for(layer->ctx, (size_t)pass->batch, max_clip_back, &job);
}

const am_layer_class am_global_max_pool = {
    .type = "global_max_pool",
    .help = "largest value over the frames (and bins) of each clip",
    .table = global_table,
    .options_size = sizeof(global_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = max_build,
    .forward = max_forward,
    .backward = max_backward,
};
