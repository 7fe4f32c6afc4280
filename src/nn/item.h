/* SPDX-License-Identifier: MIT */
/* nn/item.h - one item of the config's list of layers, taken apart: for block.c, which makes steps of it, and
 * fill.c, which writes it back in full. */
#ifndef AM_ITEM_H
#define AM_ITEM_H

#include "nn/plan.h"

enum { AM_NAME_MAX = 200, AM_NAME_TEXT = AM_NAME_MAX + 64 }; /* with prefix; with room for what steps append */

/* The list being read; blocks nest. */
typedef struct am_scope {
  am_tree *tree;   /* what is read or made belongs to it */
  am_model *model; /* NULL: the list is only filled */
  const am_value *list;
  const char *prefix; /* "residual_1/" */
  int depth;
  /* Maps.  Names of the items so far, without prefix; those that the config gives in this list; types of unnamed items,
   * and (as `count`) the last number that one got. */
  am_value *names, *given, *numbers;
} am_scope;

/* Fills in the maps. */
am_status am_scope_begin(am_scope *scope, am_error *err);

typedef struct am_item {
  const am_value *at;                 /* for messages */
  const char *type, *own_name, *name; /* name: own_name with the prefix */
  am_value *options;                  /* map without the keys common to all */
  const am_value *activation;
} am_item;

/* What is listed like a layer and becomes several steps (block.c). */
typedef struct am_block {
  const char *type, *help;
  const am_option *table;
  size_t options_size;
  int nests;              /* its AM_OPT_LIST: 0, it has none; 1, a list of layers; 2, a list of such lists */
  const char *activation; /* that follows when none is given; NULL: none does */
  am_status (*expand)(am_scope *scope, am_item *item, int *tensor, am_error *err);
} am_block;

/* "residual_1/", before the names of the layers of an item's first list, or "residual_1/shortcut/" of its list `shortcut`. */
void am_item_prefix(char prefix[AM_NAME_TEXT], const am_item *it, const char *list);

/* The keys common to all items, for help. */
/* All but none are layers of that name. */
#define AM_ACTIVATIONS(X) \
  X(AM_ACTIVATION_NONE, "none") \
  X(AM_ACTIVATION_RELU, "relu") \
  X(AM_ACTIVATION_LEAKY_RELU, "leaky_relu") \
  X(AM_ACTIVATION_GELU, "gelu") \
  X(AM_ACTIVATION_SILU, "silu") \
  X(AM_ACTIVATION_TANH, "tanh") \
  X(AM_ACTIVATION_SIGMOID, "sigmoid") \
  X(AM_ACTIVATION_SOFTMAX, "softmax")
typedef enum am_activation { AM_ACTIVATIONS(AM_WORD_NAME) } am_activation;
extern const am_option am_item_table[];

am_status am_item_read(const am_scope *scope, const am_value *entry, am_item *item, am_error *err);
/* The layer of an item that is no block: unknown ones get a "did you mean", joins are refused. */
am_status am_item_class(const am_scope *scope, const am_item *item, const am_layer_class **cls, am_error *err);
/* The scope of a list inside the item's block. */
am_status am_item_scope(const am_scope *scope, const am_value *list, const char *prefix, am_scope *inner,
                        am_error *err);
/* Takes apart what follows a layer or block: `relu`, `{leaky_relu: {alpha: 0.1}}` or `none`; *cls NULL: none. */
am_status am_item_activation(const am_item *item, const am_value *given, const am_layer_class **cls,
                             const am_value **options, am_error *err);

/* Appends one step over tensors `inputs`; *out gets its tensor.  name NULL is passed through as failure;
 * options: a map, or NULL for all defaults. */
am_status am_step_add(am_model *model, const am_layer_class *cls, const char *name, const am_value *options,
                      const am_value *at, const int *inputs, int n_in, int *out, am_error *err);

#endif
