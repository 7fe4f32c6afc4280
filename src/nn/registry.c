/* SPDX-License-Identifier: MIT */
/* nn/registry.c - every layer there is.  A new layer of the library adds one line here; those of programs are a
 * context's. */
#include "nn/registry.h"
#include "nn/block.h"

#include <string.h>

#define LAYERS(X) \
  X(am_conv1d) \
  X(am_conv2d) \
  X(am_max_pool1d) \
  X(am_max_pool2d) \
  X(am_average_pool1d) \
  X(am_average_pool2d) \
  X(am_global_average_pool) \
  X(am_global_max_pool) \
  X(am_dense) \
  X(am_flatten) \
  X(am_to_sequence) \
  X(am_bins) \
  X(am_glu) \
  X(am_dropout) \
  X(am_relu) \
  X(am_leaky_relu) \
  X(am_gelu) \
  X(am_silu) \
  X(am_tanh) \
  X(am_sigmoid) \
  X(am_softmax) \
  X(am_log_probabilities) \
  X(am_batch_norm) \
  X(am_layer_norm) \
  X(am_lstm) \
  X(am_gru) \
  X(am_attention_pool) \
  X(am_join_add) \
  X(am_join_concat) \
  X(am_join_scale)

#define DECLARE(layer) extern const am_layer_class layer;
#define POINTER(layer) &(layer),
LAYERS(DECLARE)

static const am_layer_class *const classes[] = {LAYERS(POINTER)};

/* One piece of memory: the class and, behind it, its table. */
typedef struct custom {
  am_added head;
  am_layer_class cls;
  am_option table[];
} custom;

static const am_layer_class *find_added(const am_added *row, const char *type) {
  for (; row; row = row->next) {
    const am_layer_class *cls = &((const custom *)row)->cls;
    if (!strcmp(cls->type, type)) return cls;
  }
  return NULL;
}

const am_layer_class *am_layer_find(const am_context *ctx, const char *type) {
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    if (!strcmp(classes[i]->type, type)) return classes[i];
  return ctx ? find_added(am_context_added(ctx), type) : NULL;
}

size_t am_layer_added(const am_context *ctx, const char **types, size_t most) {
  size_t n = 0;
  for (const am_added *row = am_context_added(ctx); row && n < most; row = row->next)
    types[n++] = ((const custom *)row)->cls.type;
  return n;
}

const am_layer_class *const *am_layer_all(size_t *n) {
  *n = sizeof classes / sizeof *classes;
  return classes;
}

/* ---- layers of programs ---- */

enum { MOST_OPTIONS = 64, TYPE_MAX = 40, LARGEST_OPTIONS = 1 << 20 };

static bool is_name(const char *text) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", more[] = "0123456789_";
  if (!text || !*text || !strchr(letters, *text) || strlen(text) > TYPE_MAX) return false;
  for (; *text; text++)
    if (!strchr(letters, *text) && !strchr(more, *text)) return false;
  return true;
}

/* What an option of a program is here, and the member that it is read into. */
static const struct {
  am_option_type type;
  size_t bytes;
} kinds[] = {
    [AM_LAYER_BOOL] = {AM_OPT_BOOL, sizeof(bool)},    [AM_LAYER_INT] = {AM_OPT_INT, sizeof(int64_t)},
    [AM_LAYER_REAL] = {AM_OPT_REAL, sizeof(double)},  [AM_LAYER_TEXT] = {AM_OPT_TEXT, sizeof(const char *)},
    [AM_LAYER_CHOICE] = {AM_OPT_CHOICE, sizeof(int)},
};

static am_status check_option(const am_custom_layer *layer, size_t k, am_error *err) {
  const am_layer_option *o = &layer->options[k];
  const char *fault = NULL;
  if (!is_name(o->name)) fault = "its name is not a letter, then letters, digits and _, 40 at most";
  for (const am_option *common = am_item_table; !fault && common->name; common++)
    if (!strcmp(o->name, common->name)) fault = "every layer has an option of that name";
  for (size_t i = 0; i < k && !fault; i++)
    if (!strcmp(o->name, layer->options[i].name)) fault = "two options have that name";
  if (!fault && (size_t)o->type >= sizeof kinds / sizeof *kinds) fault = "its type is no am_layer_option_type";
  if (!fault && o->type == AM_LAYER_CHOICE && (!o->choices || !*o->choices)) fault = "a choice without choices";
  if (!fault && (o->offset % kinds[o->type].bytes || am_add(o->offset, kinds[o->type].bytes) > layer->options_size))
    fault = "its member is not inside of options_size";
  if (!fault) return AM_OK;
  return am_fail(err, AM_E_USAGE, "layer %s, option %zu (%s): %s", layer->type, k + 1, o->name ? o->name : "NULL",
                 fault);
}

static am_status check_layer(const am_custom_layer *layer, size_t *n_options, am_error *err) {
  am_status status = AM_OK;
  *n_options = 0;
  if (!is_name(layer->type))
    return am_fail(err, AM_E_USAGE,
                   "a layer of type \"%.60s\"; wanted a letter, then letters, digits and _, %d at most",
                   layer->type ? layer->type : "", (int)TYPE_MAX);
  if (!layer->build || !layer->forward || !layer->backward)
    return am_fail(err, AM_E_USAGE, "layer %s: build, forward and backward may not be NULL", layer->type);
  if (layer->options_size > LARGEST_OPTIONS)
    return am_fail(err, AM_E_USAGE, "layer %s: options_size is %zu; wanted at most %zu", layer->type,
                   layer->options_size, (size_t)LARGEST_OPTIONS);
  for (; layer->options && layer->options[*n_options].name && !status; ++*n_options) {
    if (*n_options == MOST_OPTIONS)
      return am_fail(err, AM_E_USAGE, "layer %s: its table does not end within %d options", layer->type,
                     (int)MOST_OPTIONS);
    status = check_option(layer, *n_options, err);
  }
  return status;
}

static void fill(custom *row, const am_custom_layer *layer, size_t n_options) {
  row->cls = (am_layer_class){.type = layer->type,
                              .help = layer->help ? layer->help : "",
                              .table = row->table,
                              .options_size = layer->options_size,
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .build = layer->build,
                              .length = layer->length,
                              .initialise = layer->initialise,
                              .forward = layer->forward,
                              .backward = layer->backward,
                              .operations = layer->operations,
                              .custom = true};
  for (size_t i = 0; i < n_options; i++) {
    const am_layer_option *o = &layer->options[i];
    row->table[i] = (am_option){.name = o->name,
                                .type = kinds[o->type].type,
                                .offset = o->offset,
                                .fallback = o->fallback,
                                .min = o->min,
                                .max = o->max,
                                .choices = o->choices,
                                .help = o->help ? o->help : ""};
  }
}

am_status am_layer_register(am_context *ctx, const am_custom_layer *given, am_error *err) {
  am_custom_layer layer;
  size_t n_options;
  am_status status = AM_NEED(err, ctx);
  if (!status) status = am_size_take(&layer, sizeof layer, given, sizeof layer, "am_custom_layer", err);
  if (!status) status = check_layer(&layer, &n_options, err);
  if (status) return status;
  custom *row = am_alloc(ctx, 1, sizeof *row + (n_options + 1) * sizeof *row->table);
  if (!row) return am_no_memory(err);
  fill(row, &layer, n_options);
  const am_added *seen;
  do {
    seen = am_context_added(ctx);
    const bool added = find_added(seen, layer.type) != NULL;
    if (!added && !am_layer_find(NULL, layer.type) && !am_block_find(layer.type)) continue;
    am_free(ctx, row);
    return am_fail(err, AM_E_USAGE, "a layer of type %s is there already, %s; give yours another name", layer.type,
                   added ? "registered before" : "the library's own");
  } while (!am_context_add(ctx, &row->head, seen));
  return AM_OK;
}
