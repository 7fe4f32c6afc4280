/* SPDX-License-Identifier: MIT */
/* nn/item.c - one item of the config's list, `type: {options}` or the bare word `type`:
 * its name, its options, its step, its activation. */
#include "nn/item.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "nn/block.h"
#include "nn/registry.h"

/* The plan of a model compares all pairs of the pieces of memory that its layers need. */
enum { DEPTH_MAX = 16, MOST_STEPS = 2000 };

/* Names */

/* Is `name` among the names given in this list, or among those of its items so far? */
static bool taken_in_list(const am_scope *s, const char *name) {
  return am_value_get(s->given, name) || am_value_get(s->names, name);
}

am_status am_scope_begin(am_scope *s, am_error *err) {
  am_tree *tree = s->tree;
  s->names = am_value_new(tree, AM_MAP);
  s->given = am_value_new(tree, AM_MAP);
  s->numbers = am_value_new(tree, AM_MAP);
  am_status status = s->names && s->given && s->numbers ? AM_OK : am_no_memory(err);
  for (const am_value *entry = s->list->first; entry && !status; entry = entry->next) {
    const am_value *name = entry->kind == AM_MAP ? am_value_get(entry->first, "name") : NULL;
    if (name && name->kind == AM_SCALAR && !am_value_get(s->given, name->text))
      status = am_value_add(tree, s->given, name->text, am_value_new(tree, AM_NULL), err);
  }
  return status;
}

static const char *prefixed(const am_scope *s, const char *name) {
  char text[AM_NAME_TEXT];
  snprintf(text, sizeof text, "%s%s", s->prefix, name);
  return am_tree_string(s->tree, text);
}

/* The name the config gives, checked. */
static am_status read_name(const am_scope *s, const am_value *given, am_error *err) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  if (given->kind != AM_SCALAR || !*given->text || strspn(given->text, allowed) != strlen(given->text))
    return am_fail_at(err, given, "a layer's name is made of letters, digits, '_' and '-'; found \"%s\"",
                      given->kind == AM_SCALAR ? given->text : "a list or map");
  if (strlen(s->prefix) + strlen(given->text) > AM_NAME_MAX)
    return am_fail_at(err, given, "the name %.40s... is longer than %d characters", given->text, AM_NAME_MAX);
  const am_value *other = am_value_get(s->names, given->text);
  if (other)
    return am_fail_at(err, given, "two layers are called \"%s\" (the first in line %d); names must differ", given->text,
                      other->line);
  return AM_OK;
}

/* "conv2d_1": the first number that is free.  Each unnamed item before took one, and left none below it free. */
static am_status make_name(const am_scope *s, const char *type, char out[AM_NAME_MAX], const am_value *at,
                           am_error *err) {
  am_value *last = am_value_get(s->numbers, type);
  if (!last) {
    last = am_value_new(s->tree, AM_NULL);
    am_status status = am_value_add(s->tree, s->numbers, type, last, err);
    if (status) return status;
  }
  do snprintf(out, AM_NAME_MAX, "%s_%zu", type, ++last->count);
  while (taken_in_list(s, out));
  if (strlen(s->prefix) + strlen(out) <= AM_NAME_MAX) return AM_OK;
  return am_fail_at(err, at, "the name of this layer inside its blocks is longer than %d characters", AM_NAME_MAX);
}

/* Taking an item apart */

const am_option am_item_table[] = {
    {"name", AM_OPT_TEXT, 0, "", .help = "letters, digits, _ and -; when not given, the type and a number: dense_1"},
    {"activation", AM_OPT_CHOICE, 0, "none", .choices = AM_WORDS(AM_ACTIVATIONS),
     .help = "a layer of this type follows; with options: {leaky_relu: {alpha: 0.1}}"},
    AM_OPTION_END};

static am_status unknown(const am_scope *s, const am_item *item, am_error *err) {
  const am_value *at = item->at;
  const char *type = item->type;
  const char *names[128];
  size_t n, known = 0;
  const am_block *blocks = am_block_all(&n);
  for (size_t i = 0; i < n; i++) names[known++] = blocks[i].type;
  const am_layer_class *const *all = am_layer_all(&n);
  for (size_t i = 0; i < n; i++)
    if (all[i]->max_inputs == 1) names[known++] = all[i]->type;
  known += am_layer_added(am_tree_context(s->tree), names + known, sizeof names / sizeof *names - known);
  if (am_tree_stored(s->tree))
    return am_fail_at(
        err, at,
        "unknown layer \"%s\": the program that wrote this has a layer of its own, or is a newer version; a "
        "program that registers the layer (am_layer_register) can read it",
        type);
  const char *meant = am_nearest(type, names, known, sizeof *names);
  if (meant) return am_fail_at(err, at, "unknown layer \"%s\"; did you mean \"%s\"?", type, meant);
  char list[512] = "";
  for (size_t i = 0; i < known && strlen(list) + strlen(names[i]) + 3 < sizeof list; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  return am_fail_at(err, at, "unknown layer \"%s\"; known are %s", type, list);
}

am_status am_item_class(const am_scope *scope, const am_item *item, const am_layer_class **cls, am_error *err) {
  *cls = am_layer_find(am_tree_context(scope->tree), item->type);
  if (!*cls) return unknown(scope, item, err);
  if ((*cls)->max_inputs == 1) return AM_OK;
  return am_fail_at(err, item->at,
                    "%s joins several tensors and is allowed only inside a block (residual, parallel, "
                    "squeeze_excite)",
                    item->type);
}

am_status am_item_scope(const am_scope *scope, const am_value *list, const char *prefix, am_scope *inner,
                        am_error *err) {
  if (scope->depth + 1 > DEPTH_MAX) return am_fail_at(err, list, "blocks are nested deeper than %d", DEPTH_MAX);
  *inner = (am_scope){scope->tree, scope->model, list, am_tree_string(scope->tree, prefix), .depth = scope->depth + 1};
  return inner->prefix ? am_scope_begin(inner, err) : am_no_memory(err);
}

void am_item_prefix(char prefix[AM_NAME_TEXT], const am_item *it, const char *list) {
  snprintf(prefix, AM_NAME_TEXT, "%s/%s%s", it->name, list, *list ? "/" : "");
}

static am_status find_type(const am_value *entry, am_item *it, const am_value **options, am_error *err) {
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
    return am_fail_at(err, entry,
                      "a layer is one entry `type: {options}`, found %zu (\"%s\"%s%s%s): put the options "
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

am_status am_item_read(const am_scope *s, const am_value *entry, am_item *it, am_error *err) {
  am_tree *tree = s->tree;
  const am_value *options;
  char name[AM_NAME_MAX];
  *it = (am_item){0};
  am_status status = find_type(entry, it, &options, err);
  if (status) return status;
  const am_value *given = am_value_get(options, "name");
  it->activation = am_value_get(options, "activation");
  const am_block *block = am_block_find(it->type);
  if (!it->activation && block && block->activation && !(it->activation = am_value_text(tree, block->activation, true)))
    return am_no_memory(err);
  status = given ? read_name(s, given, err) : make_name(s, it->type, name, entry, err);
  if (status) return status;
  it->options = am_value_new(tree, AM_MAP);
  it->own_name = am_tree_string(tree, given ? given->text : name);
  it->name = prefixed(s, given ? given->text : name);
  if (!it->options || !it->own_name || !it->name) return am_no_memory(err);
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
  if (status) return status;
  am_value *used = am_value_new(tree, AM_NULL);
  if (used && given) used->line = given->line;
  return am_value_add(tree, s->names, it->own_name, used, err);
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
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         "nothing would be left of its output (%d, %d, %d); the input is too "
                         "small for so much pooling and striding",
                         s.t, s.f, s.c);
  return am_layer_fail(layer, err, AM_E_SHAPE,
                       "its output (%d, %d, %d) would take %zu bytes a clip; wanted at most %zu", s.t, s.f, s.c,
                       am_mul(count, sizeof(am_real)), (size_t)INT_MAX * sizeof(am_real));
}

/* A layer of a program is held to its word: what it gets wrong would be read and written as memory. */
static am_status check_custom(const am_layer *layer, am_error *err) {
  const am_shape s = layer->out;
  if ((s.rank != 1 || s.t != 1 || s.f != 1 || s.variable) && (s.rank != 2 || s.f != 1) && s.rank != 3)
    return am_layer_fail(layer, err, AM_E_USAGE,
                         "its output has rank %d and shape (%d, %d, %d); wanted (C), (T, C) or (T, F, C)", s.rank, s.t,
                         s.f, s.c);
  if (s.rank == 1) return AM_OK;
  for (int n = 0; n <= layer->in[0].t; n++) {
    const int after = layer->cls->length ? layer->cls->length(layer, n) : n;
    if (after < 0 || after > s.t)
      return am_layer_fail(layer, err, AM_E_USAGE,
                           "a clip of %d frames has %d frames after it; wanted 0 to %d, the frames of its output", n,
                           after, s.t);
  }
  return AM_OK;
}

static am_status build_layer(am_layer *layer, am_error *err) {
  am_status status = layer->cls->build(layer, err);
  if (!status) status = check_shape(layer, err);
  if (!status && layer->refused)
    status = am_layer_fail(layer, err, AM_E_USAGE, "its build declares %s", layer->refused);
  if (!status && layer->cls->custom) status = check_custom(layer, err);
  return status;
}

/* Appends one step over tensors `inputs`; *out gets its tensor.  options: a map, or NULL for all defaults. */
am_status am_step_add(am_model *model, const am_layer_class *cls, const char *name, const am_value *options,
                      const am_value *at, const int *inputs, int n_in, int *out, am_error *err) {
  static const am_option none[] = {AM_OPTION_END};
  if (!name) return am_no_memory(err);
  if (!model->names && !(model->names = am_value_new(model->tree, AM_MAP))) return am_no_memory(err);
  if (am_value_get(model->names, name))
    return am_fail_at(err, at, "two layers are called \"%s\"; names must differ", name);
  if (model->n_steps == MOST_STEPS)
    return am_fail_at(err, at, "more than %d layers, counting those of blocks and activations", (int)MOST_STEPS);
  am_status status = am_value_add(model->tree, model->names, name, am_value_new(model->tree, AM_NULL), err);
  if (!status)
    status = am_grow(model->ctx, &model->steps, &model->capacity, model->n_steps + 1, sizeof *model->steps, err);
  if (status) return status;
  am_step *step = &model->steps[model->n_steps];
  *step = (am_step){.output = (int)model->n_steps + 1};
  am_layer *layer = &step->layer;
  *layer = (am_layer){.size = sizeof *layer,
                      .cls = cls,
                      .ctx = model->ctx,
                      .name = name,
                      .classes = model->classes,
                      .n_in = n_in,
                      .bf16 = model->bf16};
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
  status = build_layer(layer, err);
  if (status) return at_line(at, status, err);
  model->n_steps++;
  *out = step->output;
  return AM_OK;
}

am_status am_item_activation(const am_item *it, const am_value *given, const am_layer_class **cls,
                             const am_value **options, am_error *err) {
  static const char *const names[] = {AM_ACTIVATIONS(AM_WORD_ITEM)};
  const char *type = NULL;
  *cls = NULL;
  *options = NULL;
  if (given->kind == AM_SCALAR) type = given->text;
  if (given->kind == AM_MAP && given->count == 1) {
    type = given->first->key;
    *options = given->first;
  }
  if (!type)
    return am_fail_at(err, given, "activation of %s: wanted a word such as relu, or {leaky_relu: {alpha: 0.1}}",
                      it->name);
  const int which = am_choice_index(AM_WORDS(AM_ACTIVATIONS), type);
  if (which < 0) {
    const char *meant = am_nearest(type, names, sizeof names / sizeof *names, sizeof *names);
    if (meant)
      return am_fail_at(err, given, "activation of %s: found \"%s\"; did you mean \"%s\"?", it->name, type, meant);
    return am_fail_at(err, given,
                      "activation of %s: found \"%s\", wanted relu, leaky_relu, gelu, silu, tanh, sigmoid, "
                      "softmax or none",
                      it->name, type);
  }
  if (which != AM_ACTIVATION_NONE) *cls = am_layer_find(NULL, type);
  return AM_OK;
}
