/* SPDX-License-Identifier: MIT */
/* nn/model.c - creating a model and its flat buffers. */
#include "nn/block.h"
#include "nn/initialise.h"
#include "nn/layers/norm.h"
#include "nn/packs.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* "34.2 GiB" for messages. */
static const char *bytes_text(size_t bytes, char out[32]) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double n = (double)bytes;
  size_t u = 0;
  for (; n >= 1024 && u + 1 < sizeof units / sizeof *units; u++) n /= 1024;
  snprintf(out, 32, u ? "%.1f %s" : "%.0f %s", n, units[u]);
  return out;
}

static am_status check_input(am_shape s, int classes, am_error *err) {
  if (classes < 1) return am_fail(err, AM_E_USAGE, "a model for %d classes; wanted at least 1", classes);
  bool dims = s.t >= 1 && s.f >= 1 && s.c >= 1;
  if (dims && ((s.rank == 1 && s.t == 1 && s.f == 1 && !s.variable) || (s.rank == 2 && s.f == 1) || s.rank == 3))
    return am_shape_count(s) <= INT_MAX
               ? AM_OK
               : am_fail(err, AM_E_SHAPE, "the model's input of %d x %d x %d is too large", s.t, s.f, s.c);
  return am_fail(err, AM_E_SHAPE,
                 "the model's input has rank %d and shape (%d, %d, %d); wanted (C), (T, C) or (T, F, C)", s.rank, s.t,
                 s.f, s.c);
}

/* A softmax at the very end belongs to the loss. */
static void strip_softmax(am_model *model, int *last) {
  if (!model->n_steps || *last != (int)model->n_steps || model->steps[*last - 1].layer.cls != &am_softmax) return;
  *last = model->steps[--model->n_steps].inputs[0];
  model->had_softmax = true;
}

static am_status check_output(const am_model *model, const am_value *layers, int last, am_error *err) {
  am_shape out = am_tensor_shape(model, last);
  char text[AM_SHAPE_TEXT];
  if (!last) return am_fail_at(err, layers, "the model has no layers; wanted at least a dense one");
  if (out.rank == 1 && out.c == model->classes) return AM_OK;
  return am_fail_at(
      err, layers,
      "the last layer, %s, gives %s, wanted (%d), one value for each class or dimension: end with %sdense "
      "without units",
      model->steps[last - 1].layer.name, am_shape_text(out, text), model->classes,
      out.rank == 1 ? "" : "flatten or pooling over time, and ");
}

/* Where several inputs meet, they must have equal lengths for clips of every length. */
static am_status check_joins(const am_model *model, am_error *err) {
  bool joins = false;
  for (size_t i = 0; i < model->n_steps; i++) joins |= model->steps[i].layer.n_in > 1;
  if (!model->input.variable || !joins) return AM_OK;
  int *length = am_alloc(model->ctx, model->n_steps + 1, sizeof *length);
  if (!length) return am_no_memory(err);
  am_status status = AM_OK;
  for (int n = 1; n <= model->input.t && !status; n++) {
    length[0] = n;
    for (size_t i = 0; i < model->n_steps && !status; i++) {
      const am_step *step = &model->steps[i];
      const am_layer *layer = &step->layer;
      for (int k = 1; k < layer->n_in; k++)
        if (layer->in[k].rank > 1 && length[step->inputs[k]] != length[step->inputs[0]])
          status = am_layer_fail(layer, err, AM_E_SHAPE,
                                 "a clip of %d frames would come with %d and with %d frames; the ways that meet here "
                                 "must shorten a clip alike",
                                 n, length[step->inputs[0]], length[step->inputs[k]]);
      length[i + 1] = layer->cls->length ? layer->cls->length(layer, length[step->inputs[0]]) : length[step->inputs[0]];
    }
  }
  am_free(model->ctx, length);
  return status;
}

/* Flat buffers */

static am_status place_array(am_model *model, const am_layer *layer, am_array *array, size_t *used, am_array_info *info,
                             am_error *err) {
  char name[256], bytes[32];
  array->offset = *used;
  size_t padded = am_add(array->count, AM_ALIGN_REALS - 1);
  *used = am_add(*used, padded / AM_ALIGN_REALS * AM_ALIGN_REALS);
  if (am_mul(*used, sizeof(am_real)) > AM_LARGEST_BYTES)
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         "its %s of %d x %d x %d x %d brings the model to %s; nothing that large runs here",
                         array->name, array->dims[0], array->dims[1], array->dims[2], array->dims[3],
                         bytes_text(am_mul(*used, sizeof(am_real)), bytes));
  snprintf(name, sizeof name, "%s/%s", layer->name, array->name);
  *info = (am_array_info){.size = sizeof *info,
                          .name = am_tree_string(model->tree, name),
                          .rank = array->rank,
                          .offset = array->offset,
                          .count = array->count,
                          .decay = array->decay};
  memcpy(info->dims, array->dims, sizeof info->dims);
  return info->name ? AM_OK : am_no_memory(err);
}

static am_status place_arrays(am_model *model, size_t most, am_error *err) {
  size_t weights = 0, statistics = 0;
  for (size_t i = 0; i < model->n_steps; i++) {
    weights += (size_t)model->steps[i].layer.n_weights;
    statistics += (size_t)model->steps[i].layer.n_statistics;
  }
  model->weight_infos = am_tree_take(model->tree, weights + 1, sizeof(am_array_info));
  model->statistic_infos = am_tree_take(model->tree, statistics + 1, sizeof(am_array_info));
  if (!model->weight_infos || !model->statistic_infos) return am_no_memory(err);
  am_status status = AM_OK;
  for (size_t i = 0; i < model->n_steps; i++) {
    am_layer *layer = &model->steps[i].layer;
    for (int k = 0; k < layer->n_weights && !status; k++)
      status = place_array(model, layer, &layer->weights[k], &model->n_weights,
                           &model->weight_infos[model->n_weight_infos++], err);
    for (int k = 0; k < layer->n_statistics && !status; k++)
      status = place_array(model, layer, &layer->statistics[k], &model->n_statistics,
                           &model->statistic_infos[model->n_statistic_infos++], err);
    if (status) return status;
  }
  size_t numbers = 0;
  for (size_t i = 0; i < model->n_weight_infos; i++) numbers = am_add(numbers, model->weight_infos[i].count);
  for (size_t i = 0; i < model->n_statistic_infos; i++) numbers = am_add(numbers, model->statistic_infos[i].count);
  if (numbers > most)
    return am_fail(err, AM_E_SHAPE, "the model takes %zu numbers, and the file that should hold them has %zu", numbers,
                   most);
  model->weights = am_alloc_aligned(model->ctx, am_mul(model->n_weights, sizeof(am_real)));
  model->statistics = am_alloc_aligned(model->ctx, am_mul(model->n_statistics, sizeof(am_real)));
  if (model->weights && model->statistics) return AM_OK;
  char bytes[32];
  return am_fail(err, AM_E_NOMEM, "out of memory: the weights of this model take %s",
                 bytes_text(am_mul(am_add(model->n_weights, model->n_statistics), sizeof(am_real)), bytes));
}

static am_status build(am_model *model, const am_value *layers, size_t most, am_error *err) {
  int last = 0;
  am_status status = am_tree_create(model->ctx, &model->tree, err);
  if (!status) status = am_model_expand(model, layers, &last, err);
  if (status) return status;
  strip_softmax(model, &last);
  status = check_output(model, layers, last, err);
  if (!status) status = check_joins(model, err);
  if (!status) status = place_arrays(model, most, err);
  return status;
}

#ifndef AM_REAL_DOUBLE
static am_status exchange_kernels(am_model *model, am_error *err) {
  model->bf16 = am_alloc(model->ctx, 1, sizeof *model->bf16);
  if (!model->bf16) return am_no_memory(err);
  *model->bf16 = am_kernels_bf16(model->ctx);
  return AM_OK;
}
#endif

static am_status create(am_context *ctx, const am_value *layers, am_shape input, int classes, am_precision precision,
                        size_t most, am_model **out, am_error *err) {
  *out = NULL;
  am_status status = check_input(input, classes, err);
  if (status) return status;
  am_model *model = am_alloc(ctx, 1, sizeof *model);
  if (!model) return am_no_memory(err);
  *model = (am_model){.ctx = ctx, .input = input, .classes = classes};
  pthread_mutex_init(&model->packing, NULL);
#ifndef AM_REAL_DOUBLE
  model->fusion = true;
  if (precision == AM_PRECISION_BF16) status = exchange_kernels(model, err);
#else
  (void)precision;
#endif
  if (!status) status = build(model, layers, most, err);
  if (status) {
    am_model_free(model);
    return status;
  }
  *out = model;
  return AM_OK;
}

am_status am_model_create(am_context *ctx, const am_value *layers, am_shape input, int classes, am_model **out,
                          am_error *err) {
  return am_model_create_within(ctx, layers, input, classes, SIZE_MAX, out, err);
}

am_status am_model_create_within(am_context *ctx, const am_value *layers, am_shape input, int classes, size_t most,
                                 am_model **out, am_error *err) {
  return create(ctx, layers, input, classes, AM_PRECISION_FLOAT32, most, out, err);
}

am_status am_model_create_precise(am_context *ctx, const am_value *layers, am_shape input, int classes,
                                  am_precision precision, am_model **out, am_error *err) {
  return create(ctx, layers, input, classes, precision, SIZE_MAX, out, err);
}

void am_model_free(am_model *model) {
  if (!model) return;
  am_packs_free(model);
  pthread_mutex_destroy(&model->packing);
  am_free_aligned(model->ctx, model->weights);
  am_free_aligned(model->ctx, model->statistics);
  am_free(model->ctx, model->steps);
  am_tree_free(model->tree);
  am_free(model->ctx, model->bf16);
  am_free(model->ctx, model);
}

void am_model_initialise(am_model *model, uint64_t seed) {
  if (!model) return;
  model->frozen = 0;
  for (size_t i = 0; i < model->n_steps; i++) {
    const am_layer *layer = &model->steps[i].layer;
    am_real *w[AM_MAX_ARRAYS] = {NULL};
    for (int k = 0; k < layer->n_weights; k++) {
      w[k] = model->weights + layer->weights[k].offset;
      am_array_initialise(&layer->weights[k], w[k], seed, layer->id, k);
    }
    if (layer->cls->initialise) layer->cls->initialise(layer, w, seed);
    for (int k = 0; k < layer->n_statistics; k++)
      am_array_initialise(&layer->statistics[k], model->statistics + layer->statistics[k].offset, seed, layer->id, k);
  }
}

am_shape am_model_input(const am_model *model) { return model ? model->input : (am_shape){0}; }
am_shape am_model_output(const am_model *model) {
  return model ? am_tensor_shape(model, (int)model->n_steps) : (am_shape){0};
}
am_status am_model_embedding(const am_model *model, int *width, am_error *err) {
  const am_layer *last = &model->steps[model->n_steps - 1].layer;
  bool learns = false;
  for (size_t i = 0; i + 1 < model->n_steps; i++) learns |= model->steps[i].layer.n_weights > 0;
  if (last->cls != &am_dense || last->in[0].rank != 1)
    return am_fail(
        err, AM_E_CONFIG,
        "the last layer, %s, is not a dense one that reads one vector a clip; end with flatten or pooling over "
        "time, and dense",
        last->name);
  if (!learns)
    return am_fail(err, AM_E_CONFIG, "no layer before the last one, %s, has weights that could learn by it",
                   last->name);
  if (width) *width = last->in[0].c;
  return AM_OK;
}

size_t am_model_steps(const am_model *model) { return model->n_steps; }
const am_step *am_model_step(const am_model *model, size_t i) { return &model->steps[i]; }
bool am_model_had_softmax(const am_model *model) { return model->had_softmax; }
void am_model_set_fusion(am_model *model, bool on) { model->fusion = on; }
void am_model_set_keep(am_model *model, bool on) { model->keep = on; }

void am_model_freeze(am_model *model) {
  if (!model->frozen) model->frozen = ++model->freezes;
}

am_status am_model_set_half(am_model *model, bool on, am_error *err) {
  enum { MOST = 65504 };
  for (size_t i = 0; i < model->n_steps; i++) {
    const am_layer *layer = &model->steps[i].layer;
    if (!on || !am_dense_is_large(layer)) continue;
    const am_array *kernel = &layer->weights[0];
    for (size_t k = 0; k < kernel->count; k++)
      if (!(fabs((double)model->weights[kernel->offset + k]) <= MOST))
        return am_fail(err, AM_E_NUMERIC, "layer %s: a weight of %g; float16 holds numbers up to %d", layer->name,
                       (double)model->weights[kernel->offset + k], (int)MOST);
  }
  for (size_t i = 0; i < model->n_steps; i++)
    model->steps[i].layer.half = on && am_dense_is_large(&model->steps[i].layer);
  model->frozen = 0;
  return AM_OK;
}

/* Whoever has the pointer may write. */
am_real *am_model_weights(am_model *model, size_t *count) {
  if (model) model->frozen = 0;
  if (count) *count = model ? model->n_weights : 0;
  return model ? model->weights : NULL;
}
am_real *am_model_statistics(am_model *model, size_t *count) {
  if (model) model->frozen = 0;
  if (count) *count = model ? model->n_statistics : 0;
  return model ? model->statistics : NULL;
}
size_t am_model_weight_count(const am_model *model) { return model ? model->n_weight_infos : 0; }
size_t am_model_statistic_count(const am_model *model) { return model ? model->n_statistic_infos : 0; }
const am_array_info *am_model_weight_info(const am_model *model, size_t i) {
  return model && i < model->n_weight_infos ? &model->weight_infos[i] : NULL;
}
const am_array_info *am_model_statistic_info(const am_model *model, size_t i) {
  return model && i < model->n_statistic_infos ? &model->statistic_infos[i] : NULL;
}

double am_model_start_share(const am_model *model, uint64_t updates, const char **layer) {
  double most = 0;
  *layer = NULL;
  for (size_t i = 0; i < model->n_steps; i++) {
    double share = am_batch_norm_start(&model->steps[i].layer, updates);
    if (share > most) most = share, *layer = model->steps[i].layer.name;
  }
  return most;
}

const char *am_model_lone_norm(const am_model *model, int clips, int frames) {
  for (size_t i = 0; i < model->n_steps; i++) {
    const am_layer *layer = &model->steps[i].layer;
    const am_shape in = layer->in[0];
    if (layer->cls != &am_batch_norm) continue;
    const int length = in.rank < 2   ? 1
                       : in.variable ? am_model_length(model, 0, model->steps[i].inputs[0], frames)
                                     : in.t;
    if (clips == 1 && length == 1 && in.f == 1) return layer->name;
  }
  return NULL;
}

size_t am_step_weights(const am_step *step) {
  size_t n = 0;
  for (int k = 0; k < step->layer.n_weights; k++) n += step->layer.weights[k].count;
  return n;
}

double am_step_operations(const am_step *step) {
  return step->layer.cls->operations ? step->layer.cls->operations(&step->layer) : 0;
}
