/* SPDX-License-Identifier: MIT */
/* nn/layers/flatten.c - reshapes that move nothing: flatten, and a map as a sequence. */
#include "nn/layer.h"

#include <limits.h>
#include <string.h>

static am_status check_size(const am_layer *layer, size_t count, am_error *err) {
  if (count <= INT_MAX) return AM_OK;
  return am_layer_fail(layer, err, AM_E_SHAPE, "%zu values a clip are too many for one dimension", count);
}

static void set_view(am_layer *layer, am_shape out) {
  layer->out = out;
  layer->in_place = layer->view = true;
}

static am_status flatten_build(am_layer *layer, am_error *err) {
  am_shape in = layer->in[0];
  size_t count = am_shape_count(in);
  if (in.variable)
    return am_layer_fail(
        layer, err, AM_E_SHAPE,
        "clips differ in length, so flattened they would not fit one dense layer; pool over time first "
        "(global_average_pool, attention_pool) or give all clips one length in the features");
  if (check_size(layer, count, err)) return AM_E_SHAPE;
  set_view(layer, (am_shape){.rank = 1, .t = 1, .f = 1, .c = (int)count});
  return AM_OK;
}

static am_status to_sequence_build(am_layer *layer, am_error *err) {
  am_shape in = layer->in[0];
  if (in.rank != 3) return am_layer_fail(layer, err, AM_E_SHAPE, "wanted a map (T, F, C)");
  size_t count = am_mul((size_t)in.f, (size_t)in.c);
  if (check_size(layer, count, err)) return AM_E_SHAPE;
  set_view(layer, (am_shape){.rank = 2, .t = in.t, .f = 1, .c = (int)count, .variable = in.variable});
  return AM_OK;
}

/* A view: the plan mostly gives both sides the same memory. */
static void move(const am_layer *layer, const am_pass *pass, const am_real *from, am_real *to) {
  size_t all = am_shape_count(layer->in[0]), used = am_frames_count(layer->in[0], pass->x_most[0]);
  for (size_t b = 0; to && to != from && b < (size_t)pass->batch; b++)
    memcpy(to + b * all, from + b * all, used * sizeof *to);
}

static void forward(const am_layer *layer, const am_pass *pass) { move(layer, pass, pass->x[0], pass->y); }
static void backward(const am_layer *layer, const am_pass *pass) { move(layer, pass, pass->dy, pass->dx[0]); }

const am_layer_class am_flatten = {.type = "flatten",
                                   .help = "(T, F, C) to (T*F*C), for clips of one length",
                                   .min_inputs = 1,
                                   .max_inputs = 1,
                                   .build = flatten_build,
                                   .forward = forward,
                                   .backward = backward};

const am_layer_class am_to_sequence = {
    .type = "to_sequence",
    .help = "(T, F, C) to (T, F*C): bins and channels of a frame become its channels",
    .min_inputs = 1,
    .max_inputs = 1,
    .build = to_sequence_build,
    .forward = forward,
    .backward = backward};
