/* SPDX-License-Identifier: MIT */
/* nn/block.c - from the config's list of layers and blocks to steps. */
#include "nn/block.h"
#include "nn/item.h"

#include <stdio.h>
#include <string.h>

static am_status expand(am_scope *s, int *at, am_error *err);

/* am_step_add for one input, named `<prefix><name>`, with at most one whole-number option. */
static am_status add_small(am_model *model, const am_layer_class *cls, const char *prefix, const char *name,
                           const char *key, int64_t value, const am_value *at, int *tensor, am_error *err) {
  char text[AM_NAME_TEXT];
  snprintf(text, sizeof text, "%s/%s", prefix, name);
  am_value *options = am_value_new(model->tree, AM_MAP);
  if (!options) return am_no_memory(err);
  am_status status = key ? am_value_add(model->tree, options, key, am_value_int(model->tree, value), err) : AM_OK;
  if (status) return status;
  return am_step_add(model, cls, am_tree_string(model->tree, text), options, at, tensor, 1, tensor, err);
}

static am_status expand_layer(am_scope *s, am_item *it, int *tensor, am_error *err) {
  const am_layer_class *cls;
  am_status status = am_item_class(s, it, &cls, err);
  return status ? status : am_step_add(s->model, cls, it->name, it->options, it->at, tensor, 1, tensor, err);
}

/* The layer that follows an item. */
static am_status activate(am_model *model, const am_item *it, const am_value *given, int *tensor, am_error *err) {
  const am_layer_class *cls;
  const am_value *options;
  char name[AM_NAME_TEXT];
  am_status status = am_item_activation(it, given, &cls, &options, err);
  if (status || !cls) return status;
  snprintf(name, sizeof name, "%s/%s", it->name, cls->type);
  return am_step_add(model, cls, am_tree_string(model->tree, name), options, given, tensor, 1, tensor, err);
}

/* Blocks */

#define PROJECTIONS(X) X(PROJECT_AUTO, "auto") X(PROJECT_NONE, "none")
typedef enum projection { PROJECTIONS(AM_WORD_NAME) } projection;

typedef struct residual_options {
  const am_value *layers, *shortcut; /* NULL: x itself, or its projection */
  int projection;                    /* enum projection */
} residual_options;

static const am_option residual_table[] = {
    {"layers", AM_OPT_LIST, offsetof(residual_options, layers), NULL, .help = "the body"},
    {"shortcut", AM_OPT_LIST, offsetof(residual_options, shortcut), "",
     .help = "layers on the shortcut, in place of a projection; not given: none"},
    {"projection", AM_OPT_CHOICE, offsetof(residual_options, projection), "auto", .choices = AM_WORDS(PROJECTIONS),
     .help = "1x1 convolution on the shortcut where the body changes the shape"},
    AM_OPTION_END};

typedef struct squeeze_options {
  int64_t reduction;
} squeeze_options;

static const am_option squeeze_table[] = {{"reduction", AM_OPT_INT, offsetof(squeeze_options, reduction), "8", 1, 65536,
                                           .help = "channels over hidden units of the gate"},
                                          AM_OPTION_END};

typedef struct parallel_options {
  const am_value *branches;
} parallel_options;

static const am_option parallel_table[] = {
    {"branches", AM_OPT_LIST, offsetof(parallel_options, branches), NULL,
     .help = "lists of layers, each fed the block's input; an empty one passes it on"},
    AM_OPTION_END};

/* Expands a list inside a block from *tensor on. */
static am_status expand_inner(const am_scope *s, const am_value *list, const char *prefix, int *tensor, am_error *err) {
  am_scope inner;
  am_status status = am_item_scope(s, list, prefix, &inner, err);
  return status ? status : expand(&inner, tensor, err);
}

int am_model_length(const am_model *model, int from, int to, int length) {
  if (to == from) return length;
  const am_step *step = &model->steps[to - 1];
  int before = am_model_length(model, from, step->inputs[0], length);
  return step->layer.cls->length ? step->layer.cls->length(&step->layer, before) : before;
}

/* The stride of a 1x1 window that shortens like the body does, for clips of every length; 0: none does.  A window of
 * stride s gives a second frame at s + 1 frames, so only one can be it. */
static int stride_of(const am_model *model, int from, int to) {
  int in = am_tensor_shape(model, from).t, stride = 1;
  while (stride < in && am_model_length(model, from, to, stride + 1) < 2) stride++;
  for (int n = 1; n <= in; n++)
    if (am_window_length(n, 1, stride, 1, AM_PAD_VALID, 0) != am_model_length(model, from, to, n)) return 0;
  return stride;
}

/* Along bins there are no lengths: the first stride that fits. */
static int stride_along(int in, int out) {
  for (int stride = 1; stride <= in; stride++)
    if (am_window_length(in, 1, stride, 1, AM_PAD_VALID, 0) == out) return stride;
  return 0;
}

static am_status add_projection(am_model *model, const am_item *it, int body, int *shortcut, am_error *err) {
  am_tree *tree = model->tree;
  am_shape from = am_tensor_shape(model, *shortcut), to = am_tensor_shape(model, body);
  char a[AM_SHAPE_TEXT], b[AM_SHAPE_TEXT], name[AM_NAME_TEXT];
  snprintf(name, sizeof name, "%s/projection", it->name);
  int st = from.rank > 1 && from.rank == to.rank ? stride_of(model, *shortcut, body) : 1;
  int sf = from.rank == 3 ? stride_along(from.f, to.f) : 1;
  if (from.rank != to.rank || !st || !sf)
    return am_fail_at(err, it->at,
                      "residual %s: its body makes %s of %s, which no 1x1 convolution on the shortcut can "
                      "follow; use `same` padding and strides in the body",
                      it->name, am_shape_text(to, b), am_shape_text(from, a));
  if (from.rank == 1) return add_small(model, &am_dense, it->name, "projection", "units", to.c, it->at, shortcut, err);
  am_value *options = am_value_new(tree, AM_MAP), *stride = am_value_new(tree, AM_LIST);
  am_status status = am_value_add(tree, options, "filters", am_value_int(tree, to.c), err);
  if (!status) status = am_value_add(tree, options, "kernel", am_value_int(tree, 1), err);
  if (!status) status = am_value_add(tree, stride, NULL, am_value_int(tree, st), err);
  if (!status && from.rank == 3) status = am_value_add(tree, stride, NULL, am_value_int(tree, sf), err);
  if (!status) status = am_value_add(tree, options, "stride", stride, err);
  if (status) return status;
  return am_step_add(model, from.rank == 3 ? &am_conv2d : &am_conv1d, am_tree_string(tree, name), options, it->at,
                     shortcut, 1, shortcut, err);
}

/* y = act(body(x) + shortcut(x)) */
static am_status expand_residual(am_scope *s, am_item *it, int *tensor, am_error *err) {
  am_model *model = s->model;
  residual_options o;
  int join[2] = {*tensor, *tensor}; /* body, shortcut */
  char text[AM_NAME_TEXT];
  am_status status = am_options_read(model->tree, residual_table, it->options, it->name, &o, err);
  if (status) return status;
  if (!o.layers->count) return am_fail_at(err, o.layers, "residual %s has no layers; wanted at least one", it->name);
  am_item_prefix(text, it, "");
  status = expand_inner(s, o.layers, text, &join[0], err);
  am_item_prefix(text, it, "shortcut");
  if (!status && o.shortcut) status = expand_inner(s, o.shortcut, text, &join[1], err);
  if (status) return status;
  am_shape x = am_tensor_shape(model, join[1]), y = am_tensor_shape(model, join[0]);
  bool differ = x.rank != y.rank || x.t != y.t || x.f != y.f || x.c != y.c;
  if (differ && !o.shortcut && o.projection == PROJECT_AUTO) status = add_projection(model, it, join[0], &join[1], err);
  if (status) return status;
  snprintf(text, sizeof text, "%s/add", it->name);
  return am_step_add(model, &am_join_add, am_tree_string(model->tree, text), NULL, it->at, join, 2, tensor, err);
}

/* x * sigmoid(W2 relu(W1 mean(x))) */
static am_status expand_squeeze(am_scope *s, am_item *it, int *tensor, am_error *err) {
  am_model *model = s->model;
  squeeze_options o;
  char text[AM_NAME_TEXT];
  am_status status = am_options_read(model->tree, squeeze_table, it->options, it->name, &o, err);
  if (status) return status;
  am_shape x = am_tensor_shape(model, *tensor);
  if (x.rank < 2)
    return am_fail_at(err, it->at, "squeeze_excite %s: its input is %s, wanted (T, C) or (T, F, C)", it->name,
                      am_shape_text(x, text));
  int gate = *tensor, hidden = x.c / (int)o.reduction;
  status = add_small(model, &am_global_average_pool, it->name, "squeeze", NULL, 0, it->at, &gate, err);
  if (!status)
    status = add_small(model, &am_dense, it->name, "reduce", "units", hidden ? hidden : 1, it->at, &gate, err);
  if (!status) status = add_small(model, &am_relu, it->name, "reduce/relu", NULL, 0, it->at, &gate, err);
  if (!status) status = add_small(model, &am_dense, it->name, "expand", "units", x.c, it->at, &gate, err);
  if (!status) status = add_small(model, &am_sigmoid, it->name, "expand/sigmoid", NULL, 0, it->at, &gate, err);
  if (status) return status;
  int join[2] = {*tensor, gate};
  snprintf(text, sizeof text, "%s/scale", it->name);
  return am_step_add(model, &am_join_scale, am_tree_string(model->tree, text), NULL, it->at, join, 2, tensor, err);
}

static am_status expand_parallel(am_scope *s, am_item *it, int *tensor, am_error *err) {
  am_model *model = s->model;
  parallel_options o;
  int join[AM_MAX_INPUTS], n = 0;
  char text[AM_NAME_TEXT];
  am_status status = am_options_read(model->tree, parallel_table, it->options, it->name, &o, err);
  if (status) return status;
  if (o.branches->count < 1 || o.branches->count > AM_MAX_INPUTS)
    return am_fail_at(err, o.branches, "parallel %s has %zu branches, wanted 1 to %d", it->name, o.branches->count,
                      AM_MAX_INPUTS);
  for (const am_value *branch = o.branches->first; branch; branch = branch->next, n++) {
    if (branch->kind != AM_LIST)
      return am_fail_at(err, branch, "branch %d of %s is not a list of layers", n + 1, it->name);
    join[n] = *tensor;
    snprintf(text, sizeof text, "%s/branch_%d/", it->name, n + 1);
    status = expand_inner(s, branch, text, &join[n], err);
    if (status) return status;
  }
  snprintf(text, sizeof text, "%s/concat", it->name);
  return am_step_add(model, &am_join_concat, am_tree_string(model->tree, text), NULL, it->at, join, n, tensor, err);
}

static const am_block blocks[] = {
    {"residual",
     "y = activation(body(x) + x), with layers of its own on the shortcut, or a projection where the body changes the "
     "shape",
     residual_table, sizeof(residual_options), 1, "relu", expand_residual},
    {"squeeze_excite", "each channel times a gate computed from the means of all channels", squeeze_table,
     sizeof(squeeze_options), 0, NULL, expand_squeeze},
    {"parallel", "branches side by side, their outputs concatenated over channels", parallel_table,
     sizeof(parallel_options), 2, NULL, expand_parallel},
};

const am_block *am_block_all(size_t *n) {
  *n = sizeof blocks / sizeof *blocks;
  return blocks;
}

const am_block *am_block_find(const char *type) {
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    if (!strcmp(blocks[i].type, type)) return &blocks[i];
  return NULL;
}

static am_status expand_item(am_scope *s, const am_value *entry, int *tensor, am_error *err) {
  am_item it;
  am_status status = am_item_read(s, entry, &it, err);
  if (status) return status;
  const am_block *block = am_block_find(it.type);
  status = block ? block->expand(s, &it, tensor, err) : expand_layer(s, &it, tensor, err);
  return !status && it.activation ? activate(s->model, &it, it.activation, tensor, err) : status;
}

static am_status expand(am_scope *s, int *tensor, am_error *err) {
  am_status status = AM_OK;
  for (const am_value *entry = s->list->first; entry && !status; entry = entry->next)
    status = expand_item(s, entry, tensor, err);
  return status;
}

am_status am_model_expand(am_model *model, const am_value *layers, int *at, am_error *err) {
  if (!layers || layers->kind != AM_LIST)
    return layers ? am_fail_at(err, layers, "the model's layers are a list, found %s",
                               layers->kind == AM_MAP    ? "a map"
                               : layers->kind == AM_NULL ? "nothing"
                                                         : layers->text)
                  : am_fail(err, AM_E_CONFIG, "the model has no list of layers");
  am_scope s = {.tree = model->tree, .model = model, .list = layers, .prefix = ""};
  am_status status = am_scope_begin(&s, err);
  return status ? status : expand(&s, at, err);
}
