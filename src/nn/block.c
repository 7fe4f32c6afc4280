/* nn/block.c - from the config's list of layers and blocks to steps.
 *
 * Every item is `type: {options}` or the bare word `type`.  Each is also
 * written back, with all options present, for am_model_describe. */
#include "nn/plan.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { NAME_MAX_LENGTH = 200, DEPTH_MAX = 16 };

/* The list being read; blocks nest. */
typedef struct scope {
  am_model *model;
  const am_value *list;
  const char *prefix; /* "residual_1/" */
  int depth;
  am_value *described;
} scope;

/* One item of a list, taken apart. */
typedef struct item {
  const am_value *at;      /* for messages */
  const char *type, *name; /* name with prefix */
  am_value *options;       /* map without the keys common to all */
  const am_value *activation;
  am_value *described;     /* the map {name, ...} to which the options are written back */
} item;

static am_status expand(scope *s, int *at, am_error *err);

/* Names */

static bool taken(const am_model *model, const char *name) {
  for (size_t i = 0; i < model->n_steps; i++)
    if (!strcmp(model->steps[i].layer.name, name)) return true;
  return false;
}

/* Is `name` among the names given in this list, or already in the described part of it? */
static bool taken_in_list(const scope *s, const char *name) {
  for (const am_value *entry = s->list->first; entry; entry = entry->next) {
    const am_value *given = entry->kind == AM_MAP ? am_value_get(entry->first, "name") : NULL;
    if (given && given->kind == AM_SCALAR && !strcmp(given->text, name)) return true;
  }
  for (const am_value *entry = s->described->first; entry; entry = entry->next) {
    const am_value *given = am_value_get(entry->first, "name");
    if (given && !strcmp(given->text, name)) return true;
  }
  return false;
}

static const char *prefixed(const scope *s, const char *name) {
  char text[NAME_MAX_LENGTH + 64];
  snprintf(text, sizeof text, "%s%s", s->prefix, name);
  return am_tree_string(s->model->tree, text);
}

/* The name the config gives, checked. */
static am_status read_name(const scope *s, const am_value *given, am_error *err) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  if (given->kind != AM_SCALAR || !*given->text || strspn(given->text, allowed) != strlen(given->text))
    return am_fail_at(err, given, "a layer's name is made of letters, digits, '_' and '-'; found \"%s\"",
                      given->kind == AM_SCALAR ? given->text : "a list or map");
  if (strlen(s->prefix) + strlen(given->text) > NAME_MAX_LENGTH)
    return am_fail_at(err, given, "the name %.40s... is longer than %d characters", given->text, NAME_MAX_LENGTH);
  for (const am_value *entry = s->list->first; entry; entry = entry->next) {
    const am_value *other = entry->kind == AM_MAP ? am_value_get(entry->first, "name") : NULL;
    if (other == given) break;
    if (other && other->kind == AM_SCALAR && !strcmp(other->text, given->text))
      return am_fail_at(err, given, "two layers are called \"%s\" (the first in line %d); names must differ",
                        given->text, other->line);
  }
  return AM_OK;
}

/* "conv2d_1": the first number that is free. */
static am_status make_name(const scope *s, const char *type, char out[NAME_MAX_LENGTH], const am_value *at,
                           am_error *err) {
  int n = 0;
  do snprintf(out, NAME_MAX_LENGTH, "%s_%d", type, ++n);
  while (taken_in_list(s, out));
  if (strlen(s->prefix) + strlen(out) <= NAME_MAX_LENGTH) return AM_OK;
  return am_fail_at(err, at, "the name of this layer inside its blocks is longer than %d characters", NAME_MAX_LENGTH);
}

/* Taking an item apart */

static am_status fail_unknown(const am_value *at, const char *type, am_error *err) {
  const char *names[64] = {"residual", "squeeze_excite", "parallel"};
  size_t n, known = 3;
  const am_layer_class *const *all = am_layer_all(&n);
  for (size_t i = 0; i < n && known < 64; i++)
    if (all[i]->max_inputs == 1) names[known++] = all[i]->type;
  const char *meant = am_nearest(type, names, known, sizeof *names);
  if (meant) return am_fail_at(err, at, "unknown layer \"%s\"; did you mean \"%s\"?", type, meant);
  char list[512] = "";
  for (size_t i = 0; i < known && strlen(list) + strlen(names[i]) + 3 < sizeof list; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  return am_fail_at(err, at, "unknown layer \"%s\"; known are %s", type, list);
}

static am_status find_type(const am_value *entry, item *it, const am_value **options, am_error *err) {
  *options = NULL;
  it->at = entry;
  if (entry->kind == AM_SCALAR) {
    it->type = entry->text;
    return AM_OK;
  }
  if (entry->kind != AM_MAP)
    return am_fail_at(err, entry, "found %s in the list of layers, wanted `type: {options}` or a bare type",
                      entry->kind == AM_LIST ? "a list" : "nothing");
  if (entry->count != 1)
    return am_fail_at(err, entry, "a layer is one entry `type: {options}`, found %zu (\"%s\"%s%s%s): put the options "
                                  "inside braces, or indent them deeper than their layer",
                      entry->count, entry->count ? entry->first->key : "", entry->count > 1 ? ", \"" : "",
                      entry->count > 1 ? entry->first->next->key : "", entry->count > 1 ? "\", ..." : "");
  it->type = entry->first->key;
  if (entry->first->kind == AM_MAP) *options = entry->first;
  else if (entry->first->kind != AM_NULL)
    return am_fail_at(err, entry->first, "the options of %s are a map {key: value, ...}, found %s", it->type,
                      entry->first->kind == AM_LIST ? "a list" : entry->first->text);
  return AM_OK;
}

static am_status take_apart(const scope *s, const am_value *entry, item *it, am_error *err) {
  am_tree *tree = s->model->tree;
  const am_value *options;
  char name[NAME_MAX_LENGTH];
  *it = (item){0};
  am_status status = find_type(entry, it, &options, err);
  if (status) return status;
  const am_value *given = am_value_get(options, "name");
  it->activation = am_value_get(options, "activation");
  status = given ? read_name(s, given, err) : make_name(s, it->type, name, entry, err);
  if (status) return status;
  it->options = am_value_new(tree, AM_MAP);
  it->described = am_value_new(tree, AM_MAP);
  it->name = prefixed(s, given ? given->text : name);
  if (!it->options || !it->described || !it->name) return am_no_memory(err);
  const am_value *place = options ? options : entry;
  it->options->line = place->line;
  it->options->column = place->column;
  if (place->source && !(it->options->source = am_tree_string(tree, place->source))) return am_no_memory(err);
  for (const am_value *child = options ? options->first : NULL; child && !status; child = child->next) {
    bool common = !strcmp(child->key, "name") || !strcmp(child->key, "activation");
    if (common && am_value_get(options, child->key) != child)
      return am_fail_at_key(err, child, "key \"%s\" of %s is given twice", child->key, it->name);
    if (!common) status = am_value_add(tree, it->options, child->key, am_value_copy(tree, child), err);
  }
  if (!status) status = am_value_add(tree, it->described, "name", am_value_text(tree, given ? given->text : name, true), err);
  return status;
}

/* Steps */

/* Text before a message that has no line of its own yet. */
static am_status at_line(const am_value *at, am_status status, am_error *err) {
  if (status && at->source && at->line) am_error_prefix(err, "%s:%d:%d", at->source, at->line, at->column);
  else if (status && at->source) am_error_prefix(err, "%s", at->source);
  return status;
}

static am_status check_shape(const am_layer *layer, am_error *err) {
  am_shape s = layer->out;
  bool fits = s.t >= 1 && s.f >= 1 && s.c >= 1;
  size_t count = fits ? am_mul(am_mul((size_t)s.t, (size_t)s.f), (size_t)s.c) : 0;
  if (fits && count <= INT_MAX) return AM_OK;
  if (!fits)
    return am_layer_fail(layer, err, AM_E_SHAPE, "nothing would be left of its output (%d, %d, %d); the input is too "
                                                 "small for so much pooling and striding",
                         s.t, s.f, s.c);
  return am_layer_fail(layer, err, AM_E_SHAPE, "its output (%d, %d, %d) would take %zu bytes a clip; wanted at most %zu",
                       s.t, s.f, s.c, am_mul(count, sizeof(am_real)), (size_t)INT_MAX * sizeof(am_real));
}

static am_status grow(am_model *model, am_error *err) {
  if (model->n_steps < model->capacity) return AM_OK;
  size_t capacity = model->capacity ? model->capacity * 2 : 16;
  am_step *steps = am_resize(model->ctx, model->steps, capacity, sizeof *steps);
  if (!steps) return am_no_memory(err);
  model->steps = steps;
  model->capacity = capacity;
  return AM_OK;
}

/* Appends one step over tensors `inputs`; *out gets its tensor.  options: a map, or NULL for all defaults. */
static am_status add_step(am_model *model, const am_layer_class *cls, const char *name, const am_value *options,
                          const am_value *at, const int *inputs, int n_in, int *out, am_error *err) {
  static const am_option none[] = {AM_OPTION_END};
  if (!name) return am_no_memory(err);
  if (taken(model, name)) return am_fail_at(err, at, "two layers are called \"%s\"; names must differ", name);
  am_status status = grow(model, err);
  if (status) return status;
  am_step *step = &model->steps[model->n_steps];
  *step = (am_step){.output = (int)model->n_steps + 1};
  am_layer *layer = &step->layer;
  *layer = (am_layer){.cls = cls, .ctx = model->ctx, .name = name, .classes = model->classes, .n_in = n_in};
  uint64_t hash = am_hash64(0, name, strlen(name));
  layer->id = (uint32_t)(hash ^ hash >> 32);
  for (int i = 0; i < n_in; i++) {
    step->inputs[i] = inputs[i];
    layer->in[i] = am_tensor_shape(model, inputs[i]);
  }
  layer->options = am_tree_take(model->tree, 1, cls->options_size ? cls->options_size : 1);
  if (!layer->options) return am_no_memory(err);
  status = am_options_read(model->tree, cls->table ? cls->table : none, options, name, layer->options, err);
  if (status) return status;
  status = cls->build(layer, err);
  if (!status) status = check_shape(layer, err);
  if (status) return at_line(at, status, err);
  model->n_steps++;
  *out = step->output;
  return AM_OK;
}

/* add_step for one input, named `<prefix><name>`, with at most one whole-number option. */
static am_status add_small(am_model *model, const am_layer_class *cls, const char *prefix, const char *name,
                           const char *key, int64_t value, const am_value *at, int *tensor, am_error *err) {
  char text[NAME_MAX_LENGTH + 64];
  snprintf(text, sizeof text, "%s/%s", prefix, name);
  am_value *options = am_value_new(model->tree, AM_MAP);
  if (!options) return am_no_memory(err);
  am_status status = key ? am_value_add(model->tree, options, key, am_value_int(model->tree, value), err) : AM_OK;
  if (status) return status;
  return add_step(model, cls, am_tree_string(model->tree, text), options, at, tensor, 1, tensor, err);
}

/* `activation: relu` or `{leaky_relu: {alpha: 0.1}}` or none, after any layer or block. */
static am_status add_activation(am_model *model, const item *it, const am_value *given, int *tensor, am_error *err) {
  static const char *const names[] = {"relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "softmax", "none"};
  size_t n_names = sizeof names / sizeof *names;
  const am_value *options = NULL;
  const char *type = NULL;
  if (given->kind == AM_SCALAR) type = given->text;
  if (given->kind == AM_MAP && given->count == 1) {
    type = given->first->key;
    options = given->first;
  }
  if (!type) return am_fail_at(err, given, "activation of %s: wanted a word such as relu, or {leaky_relu: {alpha: 0.1}}", it->name);
  bool known = false;
  for (size_t i = 0; i < n_names; i++) known |= !strcmp(type, names[i]);
  if (!known) {
    const char *meant = am_nearest(type, names, n_names, sizeof *names);
    if (meant) return am_fail_at(err, given, "activation of %s: found \"%s\"; did you mean \"%s\"?", it->name, type, meant);
    return am_fail_at(err, given, "activation of %s: found \"%s\", wanted relu, leaky_relu, gelu, silu, tanh, sigmoid, "
                                  "softmax or none", it->name, type);
  }
  am_tree *tree = model->tree;
  am_value *described = am_value_text(tree, type, true);
  if (strcmp(type, "none")) {
    const am_layer_class *cls = am_layer_find(type);
    char name[NAME_MAX_LENGTH + 64];
    snprintf(name, sizeof name, "%s/%s", it->name, type);
    am_status status = add_step(model, cls, am_tree_string(tree, name), options, given, tensor, 1, tensor, err);
    if (status) return status;
    if (cls->table) {
      am_value *all;
      described = am_value_new(tree, AM_MAP);
      status = am_options_emit(tree, cls->table, model->steps[model->n_steps - 1].layer.options, &all, err);
      if (!status) status = am_value_add(tree, described, type, all, err);
      if (status) return status;
    }
  }
  return am_value_add(tree, it->described, "activation", described, err);
}

/* Writes the options back behind the name. */
static am_status describe_options(am_model *model, const item *it, const am_option *table, const void *options,
                                  am_error *err) {
  am_value *all;
  am_status status = am_options_emit(model->tree, table, options, &all, err);
  for (am_value *child = status ? NULL : all->first, *next; child && !status; child = next) {
    next = child->next;
    const char *key = child->key;
    status = am_value_add(model->tree, it->described, key, child, err);
  }
  return status;
}

static am_status expand_layer(scope *s, item *it, int *tensor, am_error *err) {
  const am_layer_class *cls = am_layer_find(it->type);
  if (!cls) return fail_unknown(it->at, it->type, err);
  if (cls->min_inputs > 1 || cls->max_inputs > 1)
    return am_fail_at(err, it->at, "%s joins several tensors and stands only inside a block (residual, parallel, "
                                   "squeeze_excite)", it->type);
  am_status status = add_step(s->model, cls, it->name, it->options, it->at, tensor, 1, tensor, err);
  if (!status && cls->table)
    status = describe_options(s->model, it, cls->table, s->model->steps[s->model->n_steps - 1].layer.options, err);
  return status;
}

/* Blocks */

typedef struct residual_options {
  const am_value *layers;
  int projection;
} residual_options;

static const am_option residual_table[] = {
    {"layers", AM_OPT_LIST, offsetof(residual_options, layers), NULL, .help = "the body"},
    {"projection", AM_OPT_CHOICE, offsetof(residual_options, projection), "auto", .choices = "auto|none",
     .help = "1x1 convolution on the shortcut where the body changes the shape"},
    AM_OPTION_END};

typedef struct squeeze_options {
  int64_t reduction;
} squeeze_options;

static const am_option squeeze_table[] = {
    {"reduction", AM_OPT_INT, offsetof(squeeze_options, reduction), "8", 1, 65536,
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
static am_status expand_inner(const scope *s, const am_value *list, const char *prefix, int *tensor,
                              am_value **described, am_error *err) {
  if (s->depth + 1 > DEPTH_MAX) return am_fail_at(err, list, "blocks are nested deeper than %d", DEPTH_MAX);
  scope inner = {s->model, list, am_tree_string(s->model->tree, prefix), s->depth + 1,
                 am_value_new(s->model->tree, AM_LIST)};
  if (!inner.prefix || !inner.described) return am_no_memory(err);
  *described = inner.described;
  return expand(&inner, tensor, err);
}

/* Frames of a clip of `length` frames after the steps that lead from tensor `from` to tensor `to`. */
static int length_after(const am_model *model, int from, int to, int length) {
  if (to == from) return length;
  const am_step *step = &model->steps[to - 1];
  int before = length_after(model, from, step->inputs[0], length);
  return step->layer.cls->length ? step->layer.cls->length(&step->layer, before) : before;
}

/* The stride of a 1x1 window that shortens like the body does, for clips of every length; 0: none does. */
static int stride_of(const am_model *model, int from, int to) {
  int in = am_tensor_shape(model, from).t, out = am_tensor_shape(model, to).t;
  for (int stride = 1; stride <= in; stride++) {
    if (am_window_length(in, 1, stride, 1, AM_PAD_VALID, 0) != out) continue;
    int n = 1;
    while (n <= in && am_window_length(n, 1, stride, 1, AM_PAD_VALID, 0) == length_after(model, from, to, n)) n++;
    if (n > in) return stride;
  }
  return 0;
}

/* Along bins there are no lengths: the first stride that fits. */
static int stride_along(int in, int out) {
  for (int stride = 1; stride <= in; stride++)
    if (am_window_length(in, 1, stride, 1, AM_PAD_VALID, 0) == out) return stride;
  return 0;
}

static am_status add_projection(am_model *model, const item *it, int body, int *shortcut, am_error *err) {
  am_tree *tree = model->tree;
  am_shape from = am_tensor_shape(model, *shortcut), to = am_tensor_shape(model, body);
  char a[AM_SHAPE_TEXT], b[AM_SHAPE_TEXT], name[NAME_MAX_LENGTH + 64];
  snprintf(name, sizeof name, "%s/projection", it->name);
  int st = from.rank > 1 && from.rank == to.rank ? stride_of(model, *shortcut, body) : 1;
  int sf = from.rank == 3 ? stride_along(from.f, to.f) : 1;
  if (from.rank != to.rank || !st || !sf)
    return am_fail_at(err, it->at, "residual %s: its body makes %s of %s, which no 1x1 convolution on the shortcut can "
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
  return add_step(model, from.rank == 3 ? &am_conv2d : &am_conv1d, am_tree_string(tree, name), options, it->at, shortcut,
                  1, shortcut, err);
}

/* y = act(body(x) + x) */
static am_status expand_residual(scope *s, item *it, int *tensor, am_error *err) {
  am_model *model = s->model;
  residual_options o;
  int join[2] = {*tensor, *tensor}; /* body, shortcut */
  char text[NAME_MAX_LENGTH + 64];
  am_value *inner = NULL;
  am_status status = am_options_read(model->tree, residual_table, it->options, it->name, &o, err);
  if (status) return status;
  if (!o.layers->count) return am_fail_at(err, o.layers, "residual %s has no layers; wanted at least one", it->name);
  snprintf(text, sizeof text, "%s/", it->name);
  status = expand_inner(s, o.layers, text, &join[0], &inner, err);
  if (status) return status;
  am_shape x = am_tensor_shape(model, join[1]), y = am_tensor_shape(model, join[0]);
  bool differ = x.rank != y.rank || x.t != y.t || x.f != y.f || x.c != y.c;
  if (differ && o.projection == 0) status = add_projection(model, it, join[0], &join[1], err);
  snprintf(text, sizeof text, "%s/add", it->name);
  if (!status) status = add_step(model, &am_join_add, am_tree_string(model->tree, text), NULL, it->at, join, 2, tensor, err);
  o.layers = inner;
  return status ? status : describe_options(model, it, residual_table, &o, err);
}

/* x * sigmoid(W2 relu(W1 mean(x))) */
static am_status expand_squeeze(scope *s, item *it, int *tensor, am_error *err) {
  am_model *model = s->model;
  squeeze_options o;
  char text[NAME_MAX_LENGTH + 64];
  am_status status = am_options_read(model->tree, squeeze_table, it->options, it->name, &o, err);
  if (status) return status;
  am_shape x = am_tensor_shape(model, *tensor);
  if (x.rank < 2)
    return am_fail_at(err, it->at, "squeeze_excite %s: its input is %s, wanted (T, C) or (T, F, C)", it->name,
                      am_shape_text(x, text));
  int gate = *tensor, hidden = x.c / (int)o.reduction;
  status = add_small(model, &am_global_average_pool, it->name, "squeeze", NULL, 0, it->at, &gate, err);
  if (!status) status = add_small(model, &am_dense, it->name, "reduce", "units", hidden ? hidden : 1, it->at, &gate, err);
  if (!status) status = add_small(model, &am_relu, it->name, "reduce/relu", NULL, 0, it->at, &gate, err);
  if (!status) status = add_small(model, &am_dense, it->name, "expand", "units", x.c, it->at, &gate, err);
  if (!status) status = add_small(model, &am_sigmoid, it->name, "expand/sigmoid", NULL, 0, it->at, &gate, err);
  if (status) return status;
  int join[2] = {*tensor, gate};
  snprintf(text, sizeof text, "%s/scale", it->name);
  status = add_step(model, &am_join_scale, am_tree_string(model->tree, text), NULL, it->at, join, 2, tensor, err);
  return status ? status : describe_options(model, it, squeeze_table, &o, err);
}

static am_status expand_parallel(scope *s, item *it, int *tensor, am_error *err) {
  am_model *model = s->model;
  parallel_options o;
  int join[AM_MAX_INPUTS], n = 0;
  char text[NAME_MAX_LENGTH + 64];
  am_status status = am_options_read(model->tree, parallel_table, it->options, it->name, &o, err);
  if (status) return status;
  if (o.branches->count < 1 || o.branches->count > AM_MAX_INPUTS)
    return am_fail_at(err, o.branches, "parallel %s has %zu branches, wanted 1 to %d", it->name, o.branches->count,
                      AM_MAX_INPUTS);
  am_value *described = am_value_new(model->tree, AM_LIST);
  for (const am_value *branch = o.branches->first; branch; branch = branch->next, n++) {
    am_value *inner = NULL;
    if (branch->kind != AM_LIST)
      return am_fail_at(err, branch, "branch %d of %s is not a list of layers", n + 1, it->name);
    join[n] = *tensor;
    snprintf(text, sizeof text, "%s/branch_%d/", it->name, n + 1);
    status = expand_inner(s, branch, text, &join[n], &inner, err);
    if (!status) status = am_value_add(model->tree, described, NULL, inner, err);
    if (status) return status;
  }
  snprintf(text, sizeof text, "%s/concat", it->name);
  status = add_step(model, &am_join_concat, am_tree_string(model->tree, text), NULL, it->at, join, n, tensor, err);
  o.branches = described;
  return status ? status : describe_options(model, it, parallel_table, &o, err);
}

static am_status expand_item(scope *s, const am_value *entry, int *tensor, am_error *err) {
  item it;
  am_status status = take_apart(s, entry, &it, err);
  if (status) return status;
  bool residual = !strcmp(it.type, "residual");
  if (residual) status = expand_residual(s, &it, tensor, err);
  else if (!strcmp(it.type, "squeeze_excite")) status = expand_squeeze(s, &it, tensor, err);
  else if (!strcmp(it.type, "parallel")) status = expand_parallel(s, &it, tensor, err);
  else status = expand_layer(s, &it, tensor, err);
  if (!status && residual && !it.activation && !(it.activation = am_value_text(s->model->tree, "relu", true)))
    status = am_no_memory(err);
  if (!status && it.activation) status = add_activation(s->model, &it, it.activation, tensor, err);
  am_value *whole = status ? NULL : am_value_new(s->model->tree, AM_MAP);
  if (!status) status = am_value_add(s->model->tree, whole, it.type, it.described, err);
  if (!status) status = am_value_add(s->model->tree, s->described, NULL, whole, err);
  return status;
}

static am_status expand(scope *s, int *tensor, am_error *err) {
  am_status status = AM_OK;
  for (const am_value *entry = s->list->first; entry && !status; entry = entry->next)
    status = expand_item(s, entry, tensor, err);
  return status;
}

am_status am_model_expand(am_model *model, const am_value *layers, int *at, am_error *err) {
  if (!layers || layers->kind != AM_LIST)
    return layers ? am_fail_at(err, layers, "the model's layers are a list, found %s",
                               layers->kind == AM_MAP ? "a map" : layers->kind == AM_NULL ? "nothing" : layers->text)
                  : am_fail(err, AM_E_CONFIG, "the model has no list of layers");
  model->described = am_value_new(model->tree, AM_LIST);
  if (!model->described) return am_no_memory(err);
  scope s = {model, layers, "", 0, model->described};
  return expand(&s, at, err);
}
