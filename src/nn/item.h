/* nn/item.h - one item of the config's list of layers, taken apart; block.c and item.c share it. */
#ifndef AM_ITEM_H
#define AM_ITEM_H

#include "nn/plan.h"

enum {
  AM_NAME_MAX = 200,
  AM_NAME_TEXT = AM_NAME_MAX + 64
}; /* with prefix; with room for what steps append */

/* The list being read; blocks nest. */
typedef struct am_scope {
  am_model *model;
  const am_value *list;
  const char *prefix; /* "residual_1/" */
  int depth;
  am_value *described;
} am_scope;

typedef struct am_item {
  const am_value *at;      /* for messages */
  const char *type, *name; /* name with prefix */
  am_value *options;       /* map without the keys common to all */
  const am_value *activation;
  am_value *described; /* the map {name, ...} to which the options are written back */
} am_item;

am_status am_item_read(const am_scope *scope, const am_value *entry, am_item *item, am_error *err);
am_status am_item_unknown(const am_item *item, am_error *err); /* "did you mean" */
/* `activation: relu` or `{leaky_relu: {alpha: 0.1}}` or none, after any layer or block. */
am_status am_item_activate(am_model *model, const am_item *item, const am_value *given, int *tensor,
                           am_error *err);
/* Writes the options back behind the name. */
am_status am_item_describe(am_model *model, const am_item *item, const am_option *table, const void *options,
                           am_error *err);

/* Appends one step over tensors `inputs`; *out gets its tensor.  name NULL is passed through as failure;
 * options: a map, or NULL for all defaults. */
am_status am_step_add(am_model *model, const am_layer_class *cls, const char *name, const am_value *options,
                      const am_value *at, const int *inputs, int n_in, int *out, am_error *err);

#endif
