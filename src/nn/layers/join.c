/* SPDX-License-Identifier: MIT */
/* nn/layers/join.c - what blocks end in: add, concat over channels, scale by a value per channel. */
#include "nn/layer.h"

#include <limits.h>
#include <string.h>

/* Pieces: a clip each, or a part of one of PIECE elements where it is large; of its frames in use alone. */
enum { PIECE = 1 << 15 };

typedef struct job {
  const am_layer *layer;
  const am_pass *pass;
  size_t pieces; /* of a clip */
} job;

static void run(const am_layer *layer, const am_pass *pass, size_t pieces, am_piece_fn fn) {
  job j = {layer, pass, pieces};
  am_parallel_for(layer->ctx, (size_t)pass->batch * pieces, fn, &j);
}

/* add: y = x0 + x1; dx_i = dy.  A ReLU that follows is taken in: y = max(x0 + x1, 0), dx_i = y > 0 ? dy : 0 */

typedef struct add_options {
  bool relu; /* set by build and fuse */
} add_options;

static bool has_relu(const am_layer *layer) { return ((const add_options *)layer->options)->relu; }

static am_status add_build(am_layer *layer, am_error *err) {
  am_shape a = layer->in[0], b = layer->in[1];
  if (a.rank != b.rank || a.t != b.t || a.f != b.f || a.c != b.c)
    return am_layer_fail(layer, err, AM_E_SHAPE, "wanted equal shapes");
  layer->out = layer->in[0];
  layer->in_place = true;
  ((add_options *)layer->options)->relu = false;
  return AM_OK;
}

static bool add_fuse(am_layer *layer, const am_layer *next, bool training) {
  (void)training;
  if (next->cls != &am_relu || has_relu(layer)) return false;
  layer->backward_needs_y = true;
  return ((add_options *)layer->options)->relu = true;
}

/* Where in a tensor piece `piece` begins, and its elements. */
static size_t part_of(const job *j, size_t piece, size_t *n) {
  am_shape s = j->layer->in[0];
  size_t used = am_frames_count(s, j->pass->x_most[0]), first = piece % j->pieces * PIECE;
  *n = used - first < PIECE ? used - first : PIECE;
  return piece / j->pieces * am_shape_count(s) + first;
}

static size_t parts(const am_layer *layer, const am_pass *pass) {
  return (am_frames_count(layer->in[0], pass->x_most[0]) + PIECE - 1) / PIECE;
}

static void add_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const am_kernels *k = am_kernels_of(j->layer->ctx);
  size_t n, at = part_of(j, piece, &n);
  (has_relu(j->layer) ? k->add_relu : k->sum)(n, j->pass->x[0] + at, j->pass->x[1] + at, j->pass->y + at);
}

static void add_forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, parts(layer, pass), add_piece); }

static void add_back_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const am_pass *pass = j->pass;
  size_t n, at = part_of(j, piece, &n);
  const am_real *dy = pass->dy + at;
  for (int i = j->layer->n_in - 1; i >= 0; i--) { /* the first last, since it may be dy */
    am_real *dx = pass->dx[i] ? pass->dx[i] + at : NULL;
    if (dx && has_relu(j->layer)) am_kernels_of(j->layer->ctx)->relu_back(n, pass->y + at, dy, dx);
    else if (dx && dx != dy) memcpy(dx, dy, n * sizeof *dx);
  }
}

static void add_backward(const am_layer *layer, const am_pass *pass) {
  run(layer, pass, parts(layer, pass), add_back_piece);
}

const am_layer_class am_join_add = {.type = "add",
                                    .help = "sum of equal shapes; ends a residual block",
                                    .options_size = sizeof(add_options),
                                    .min_inputs = 2,
                                    .max_inputs = 2,
                                    .build = add_build,
                                    .forward = add_forward,
                                    .backward = add_backward,
                                    .fuse = add_fuse};

/* concat: y(t,f,:) = x0(t,f,:), x1(t,f,:), ... */

static am_status concat_build(am_layer *layer, am_error *err) {
  am_shape out = layer->in[0];
  size_t channels = 0;
  for (int i = 0; i < layer->n_in; i++) {
    am_shape in = layer->in[i];
    if (in.rank != out.rank || in.t != out.t || in.f != out.f)
      return am_layer_fail(layer, err, AM_E_SHAPE, "wanted shapes that differ in channels only");
    channels += (size_t)in.c;
  }
  if (channels > INT_MAX) return am_layer_fail(layer, err, AM_E_SHAPE, "%zu channels are too many", channels);
  out.c = (int)channels;
  layer->out = out;
  return AM_OK;
}

/* Copies each input's channels into y (to_y), or out of dy. */
static void concat_move(const job *j, size_t b, bool to_y) {
  const am_layer *layer = j->layer;
  size_t width = (size_t)layer->out.c, at = 0, all = am_shape_count(layer->out) / width;
  size_t rows = am_frames_count(layer->out, j->pass->y_most) / width; /* in use */
  for (int i = 0; i < layer->n_in; i++) {
    size_t c = (size_t)layer->in[i].c, clip = b * all;
    if (to_y)
      for (size_t r = 0; r < rows; r++)
        memcpy(j->pass->y + (clip + r) * width + at, j->pass->x[i] + (clip + r) * c, c * sizeof(am_real));
    else if (j->pass->dx[i])
      for (size_t r = 0; r < rows; r++)
        memcpy(j->pass->dx[i] + (clip + r) * c, j->pass->dy + (clip + r) * width + at, c * sizeof(am_real));
    at += c;
  }
}

static void concat_piece(void *arg, size_t b, int worker) {
  (void)worker;
  concat_move(arg, b, true);
}
static void concat_back_piece(void *arg, size_t b, int worker) {
  (void)worker;
  concat_move(arg, b, false);
}
static void concat_forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, 1, concat_piece); }
static void concat_backward(const am_layer *layer, const am_pass *pass) { run(layer, pass, 1, concat_back_piece); }

const am_layer_class am_join_concat = {.type = "concat",
                                       .help = "joins channels; ends a parallel block",
                                       .min_inputs = 1,
                                       .max_inputs = AM_MAX_INPUTS,
                                       .build = concat_build,
                                       .forward = concat_forward,
                                       .backward = concat_backward};

/* scale: y(t,f,c) = x(t,f,c) s(c); dx = dy s, ds(c) = sum over t,f of dy x */

static am_status scale_build(am_layer *layer, am_error *err) {
  if (layer->in[0].rank < 2 || layer->in[1].rank != 1 || layer->in[1].c != layer->in[0].c)
    return am_layer_fail(layer, err, AM_E_SHAPE, "wanted (T, C) or (T, F, C), and a factor per channel (C)");
  layer->out = layer->in[0];
  layer->backward_needs_x = true;
  return AM_OK;
}

static void scale_piece(void *arg, size_t b, int worker) {
  (void)worker;
  const job *j = arg;
  am_shape s = j->layer->in[0];
  size_t c = (size_t)s.c, rows = (size_t)j->pass->x_most[0] * (size_t)s.f, at = b * am_shape_count(s);
  const am_real *x = j->pass->x[0] + at, *factor = j->pass->x[1] + b * c;
  am_real *y = j->pass->y + at;
  for (size_t r = 0; r < rows; r++, x += c, y += c)
    for (size_t k = 0; k < c; k++) y[k] = x[k] * factor[k];
}

static void scale_back_piece(void *arg, size_t b, int worker) {
  (void)worker;
  const job *j = arg;
  am_shape s = j->layer->in[0];
  size_t c = (size_t)s.c, rows = (size_t)j->pass->x_most[0] * (size_t)s.f, at = b * am_shape_count(s);
  const am_real *x = j->pass->x[0] + at, *dy = j->pass->dy + at, *factor = j->pass->x[1] + b * c;
  am_real *dx = j->pass->dx[0] ? j->pass->dx[0] + at : NULL, *ds = j->pass->dx[1] ? j->pass->dx[1] + b * c : NULL;
  if (ds) memset(ds, 0, c * sizeof *ds);
  for (size_t r = 0; r < rows; r++) {
    if (dx)
      for (size_t k = 0; k < c; k++) dx[r * c + k] = dy[r * c + k] * factor[k];
    if (ds)
      for (size_t k = 0; k < c; k++) ds[k] += dy[r * c + k] * x[r * c + k];
  }
}

static void scale_forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, 1, scale_piece); }
static void scale_backward(const am_layer *layer, const am_pass *pass) { run(layer, pass, 1, scale_back_piece); }

const am_layer_class am_join_scale = {.type = "scale",
                                      .help = "each channel times a factor per clip; ends squeeze_excite",
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .build = scale_build,
                                      .forward = scale_forward,
                                      .backward = scale_backward};
