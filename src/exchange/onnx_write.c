/* SPDX-License-Identifier: MIT */
/* exchange/onnx_write.c - the steps of a model of ours as nodes of ONNX: tensors, their lengths, constants, options. */
#include "exchange/onnx_write.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "nn/block.h"

typedef am_onnx_writer writer;

/* ---- constants ---- */

static const char *known(const writer *w, const char *name) {
  const am_onnx_tensor *t = am_onnx_initialiser_find(&w->m->graph, name);
  return t ? t->name : NULL;
}

const char *am_onnx_k_ints(writer *w, size_t n, const int64_t *values) {
  char name[128] = "ints";
  for (size_t i = 0, at = 4; i < n && at < sizeof name; i++)
    at += (size_t)snprintf(name + at, sizeof name - at, "/%lld", (long long)values[i]);
  const char *there = known(w, name);
  return there ? there : am_onnx_ints(w->m, name, n, values);
}

const char *am_onnx_k_int(writer *w, int64_t value) {
  char name[64];
  snprintf(name, sizeof name, "int/%lld", (long long)value);
  const char *there = known(w, name);
  return there ? there : am_onnx_int(w->m, name, value);
}

const char *am_onnx_k_float(writer *w, double value) {
  char name[64];
  snprintf(name, sizeof name, "float/%.9g", value);
  const char *there = known(w, name);
  return there ? there : am_onnx_float(w->m, name, (float)value);
}

float *am_onnx_room(writer *w, size_t count) {
  float *at = w->m->failed ? NULL : am_tree_take(w->tree, count, sizeof *at);
  if (!at) w->m->failed = true;
  return at;
}

const char *am_onnx_array_put(writer *w, const char *name, int rank, const int64_t *dims, const float *data) {
  return data ? am_onnx_floats(w->m, am_onnx_text(w->m, "%s%s/%s", w->prefix, w->layer->name, name), rank, dims, data)
              : "";
}

const am_real *am_onnx_weight(const writer *w, int i) {
  return am_model_weights(w->model, NULL) + w->layer->weights[i].offset;
}

const am_real *am_onnx_statistic(const writer *w, int i) {
  return am_model_statistics(w->model, NULL) + w->layer->statistics[i].offset;
}

const char *am_onnx_weight_put(writer *w, int i, const int *order) {
  const am_array *a = &w->layer->weights[i];
  int64_t dims[AM_MAX_DIMS] = {1, 1, 1, 1};
  size_t stride[AM_MAX_DIMS] = {0}, of[AM_MAX_DIMS] = {0};
  for (int d = a->rank - 1; d >= 0; d--) of[d] = d + 1 < a->rank ? of[d + 1] * (size_t)a->dims[d + 1] : 1;
  for (int d = 0; d < a->rank; d++) {
    dims[d] = a->dims[order ? order[d] : d];
    stride[d] = of[order ? order[d] : d];
  }
  const am_real *from = am_onnx_weight(w, i);
  float *to = am_onnx_room(w, a->count), *next = to;
  for (int64_t p = 0; to && p < dims[0]; p++)
    for (int64_t q = 0; q < dims[1]; q++)
      for (int64_t r = 0; r < dims[2]; r++)
        for (int64_t s = 0; s < dims[3]; s++)
          *next++ = (float)
              from[(size_t)p * stride[0] + (size_t)q * stride[1] + (size_t)r * stride[2] + (size_t)s * stride[3]];
  return am_onnx_array_put(w, a->name, a->rank, dims, to);
}

/* ---- options ---- */

const char *am_onnx_option(const writer *w, const char *key) {
  const am_value *v = am_value_get(w->options, key);
  return v && v->kind == AM_SCALAR ? v->text : "";
}

bool am_onnx_option_yes(const writer *w, const char *key) { return !strcmp(am_onnx_option(w, key), "true"); }

int64_t am_onnx_option_int(const writer *w, const char *key) {
  int64_t number = 0;
  const am_value *v = am_value_get(w->options, key);
  if (v) am_value_to_int(v, &number);
  return number;
}

double am_onnx_option_real(const writer *w, const char *key) {
  double number = 0;
  const am_value *v = am_value_get(w->options, key);
  if (v) am_value_to_real(v, &number);
  return number;
}

void am_onnx_option_pair(const writer *w, const char *key, const char *fallback, int64_t out[2]) {
  const am_value *v = am_value_get(w->options, key);
  if (v && v->kind == AM_LIST && !v->count && fallback) v = am_value_get(w->options, fallback);
  const am_value *a = v && v->kind == AM_LIST ? v->first : v, *b = v && v->kind == AM_LIST ? v->last : v;
  out[0] = out[1] = 0;
  if (a) am_value_to_int(a, &out[0]);
  if (b) am_value_to_int(b, &out[1]);
}

/* ---- lengths ---- */

am_onnx_times *am_onnx_times_new(writer *w, const char *lengths) {
  am_onnx_times *t = w->m->failed ? NULL : am_tree_take(w->tree, 1, sizeof *t);
  if (t) t->lengths = lengths;
  else w->m->failed = true;
  return t;
}

const char *am_onnx_extent(writer *w, const char *x, int axis) {
  const char *shape = am_onnx_call(w->m, "Shape", x);
  am_onnx_set_int(w->m, "start", axis);
  am_onnx_set_int(w->m, "end", axis + 1);
  return am_onnx_call(w->m, "Squeeze", shape, am_onnx_k(w, 0));
}

const char *am_onnx_before(writer *w, const char *x, int axis, const char *lengths) {
  const char *frames =
      am_onnx_call(w->m, "Range", am_onnx_k_int(w, 0), am_onnx_extent(w, x, axis), am_onnx_k_int(w, 1));
  return am_onnx_call(w->m, "Less", am_onnx_call(w->m, "Unsqueeze", frames, am_onnx_k(w, 0)),
                      am_onnx_call(w->m, "Unsqueeze", lengths, am_onnx_k(w, 1)));
}

const char *am_onnx_some(writer *w, am_onnx_times *times) {
  if (!times->some)
    times->some = am_onnx_call(w->m, "Greater", am_onnx_call(w->m, "Unsqueeze", times->lengths, am_onnx_k(w, 1)),
                               am_onnx_k_int(w, 0));
  return times->some;
}

static int time_axis(am_onnx_order order) { return order == AM_ONNX_LAST ? 1 : 2; }

const char *am_onnx_mask(writer *w, int tensor, am_onnx_order order) {
  const am_onnx_made *t = &w->at[tensor];
  am_onnx_times *times = t->times;
  if (!times) return "";
  const char **at = &times->at[t->shape.rank == 3][order], *made = *at;
  if (made) return made;
  if (!times->mask) {
    const am_onnx_order there = t->name[order][0] ? order : !order;
    times->mask = am_onnx_before(w, t->name[there][0], time_axis(there), times->lengths);
  }
  const char *axes = t->shape.rank == 3 ? order == AM_ONNX_LAST ? am_onnx_k(w, 2, 3) : am_onnx_k(w, 1, 3)
                                        : am_onnx_k(w, order == AM_ONNX_LAST ? 2 : 1);
  return *at = am_onnx_call(w->m, "Unsqueeze", times->mask, axes);
}

/* ---- tensors ---- */

bool am_onnx_is_clean(const writer *w, int tensor) {
  const am_onnx_made *t = &w->at[tensor];
  return !t->times || t->name[0][1] || t->name[1][1];
}

const char *am_onnx_fill(writer *w, int tensor, am_onnx_order order, const char *value) {
  return am_onnx_call(w->m, "Where", am_onnx_mask(w, tensor, order), am_onnx_in(w, tensor, order, false), value);
}

/* Clean ones are given first: they are as good as any. */
const char *am_onnx_in(writer *w, int tensor, am_onnx_order order, bool clean) {
  am_onnx_made *t = &w->at[tensor];
  const am_onnx_order other = order == AM_ONNX_LAST ? AM_ONNX_FIRST : AM_ONNX_LAST;
  if (t->name[order][1]) return t->name[order][1];
  if (clean && t->times) return t->name[order][1] = am_onnx_fill(w, tensor, order, am_onnx_k_float(w, 0));
  if (t->name[order][0]) return t->name[order][0];
  const bool of_clean = t->name[other][1] != NULL;
  const char *from = of_clean ? t->name[other][1] : t->name[other][0];
  if (!from) { /* only after memory was out */
    w->m->failed = true;
    return "";
  }
  static const int64_t orders[2][2][4] = {{{0, 2, 1}, {0, 2, 3, 1}}, {{0, 2, 1}, {0, 3, 1, 2}}};
  const char *turned = am_onnx_call(w->m, "Transpose", from);
  am_onnx_set_ints(w->m, "perm", (size_t)t->shape.rank + 1, orders[order][t->shape.rank == 3]);
  return t->name[order][of_clean] = turned;
}

void am_onnx_out(writer *w, int tensor, am_onnx_order order, const char *name, bool clean) {
  am_onnx_made *t = &w->at[tensor];
  if (t->shape.rank == 1) t->name[0][0] = t->name[0][1] = t->name[1][0] = t->name[1][1] = name;
  else {
    t->name[order][0] = name;
    if (clean || !t->times) t->name[order][1] = name;
  }
}

/* ---- the model ---- */

static am_status write_step(writer *w, const am_step *step, am_error *err) {
  const am_layer *layer = &step->layer;
  am_onnx_layer_fn *write = am_onnx_layer_of(layer->cls);
  if (!write)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s): there are no operators of ONNX for it here", w->file,
                   layer->name, layer->cls->type);
  am_value *options = NULL;
  am_status status =
      layer->cls->table ? am_options_emit(w->tree, layer->cls->table, layer->options, &options, err) : AM_OK;
  if (status) return status;
  const am_onnx_step s = {layer, step->inputs, step->output};
  w->layer = layer;
  w->options = options;
  w->at[s.out] = (am_onnx_made){.shape = layer->out, .times = layer->out.rank > 1 ? w->at[s.in[0]].times : NULL};
  am_onnx_scope(w->m, am_onnx_text(w->m, "%s%s", w->prefix, layer->name));
  write(w, &s);
  return w->m->failed ? am_no_memory(err) : AM_OK;
}

/* The fewest frames of which each layer has a frame left: operators of ONNX refuse shorter ones, ours have none then. */
static int fewest_frames(const am_model *model) {
  const am_shape in = am_model_input(model);
  int n = 1;
  for (size_t i = 0; i < am_model_steps(model); i++) {
    const am_step *step = am_model_step(model, i);
    if (step->layer.out.rank < 2) continue;
    while (n < in.t && am_model_length(model, 0, step->output, n) < 1) n++;
  }
  return n;
}

/* features (B,T,...) with at least so many frames. */
static const char *at_least(writer *w, const char *features, int rank, int frames) {
  assert(rank == 2 || rank == 3); /* what has frames */
  if (frames < 2) return features;
  const char *more =
      am_onnx_call(w->m, "Max", am_onnx_call(w->m, "Sub", am_onnx_k_int(w, frames), am_onnx_extent(w, features, 1)),
                   am_onnx_k_int(w, 0));
  const char *before = am_onnx_k_ints(w, (size_t)rank + 2, (int64_t[]){0, 0, 0, 0, 0});
  const char *pads = am_onnx_call(w->m, "Concat", before, am_onnx_call(w->m, "Unsqueeze", more, am_onnx_k(w, 0)),
                                  am_onnx_k_ints(w, (size_t)rank - 1, (int64_t[]){0, 0}));
  am_onnx_set_int(w->m, "axis", 0);
  return am_onnx_call(w->m, "Pad", features, pads, am_onnx_k_float(w, 0));
}

am_status am_onnx_write_model(writer *w, const char *features, const char *lengths, const char **out, am_error *err) {
  const size_t steps = am_model_steps(w->model);
  const am_shape in = am_model_input(w->model);
  am_status status = AM_OK;
  w->at = am_tree_take(w->tree, steps + 1, sizeof *w->at);
  if (!w->at) return am_no_memory(err);
  am_onnx_scope(w->m, am_onnx_text(w->m, "%sinput", w->prefix));
  w->at[0] = (am_onnx_made){.shape = in};
  if (in.variable) {
    lengths = am_onnx_call(w->m, "Min", lengths, am_onnx_extent(w, features, 1));
    features = at_least(w, features, in.rank, fewest_frames(w->model));
    if (!(w->at[0].times = am_onnx_times_new(w, lengths))) return am_no_memory(err);
  }
  am_onnx_out(w, 0, AM_ONNX_LAST, features, false);
  for (size_t i = 0; i < steps && !status; i++) status = write_step(w, am_model_step(w->model, i), err);
  if (!status) *out = am_onnx_in(w, am_model_step(w->model, steps - 1)->output, AM_ONNX_LAST, false);
  return status;
}
