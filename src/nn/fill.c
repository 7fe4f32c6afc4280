/* SPDX-License-Identifier: MIT */
/* nn/fill.c - the config's list of layers with everything written out: names, defaults, activations. */
#include <stdio.h>
#include <string.h>

#include "nn/block.h"
#include "nn/fill.h"
#include "nn/item.h"

static am_status fill_list(const am_scope *s, am_value **out, am_error *err);

/* A block's list of layers. */
static am_status fill_layers(const am_scope *s, const am_value *list, const char *prefix, am_value **out,
                             am_error *err) {
  am_scope inner;
  am_status status = am_item_scope(s, list, prefix, &inner, err);
  return status ? status : fill_list(&inner, out, err);
}

/* A block's list of lists.  What is no list stays for the model to refuse. */
static am_status fill_branches(const am_scope *s, const am_item *it, const am_value *branches, am_value **out,
                               am_error *err) {
  char prefix[AM_NAME_TEXT];
  int n = 0;
  *out = am_value_new(s->tree, AM_LIST);
  if (!*out) return am_no_memory(err);
  for (const am_value *branch = branches->first; branch; branch = branch->next) {
    am_value *filled = NULL;
    snprintf(prefix, sizeof prefix, "%s/branch_%d/", it->name, ++n);
    am_status status = AM_OK;
    if (branch->kind == AM_LIST) status = fill_layers(s, branch, prefix, &filled, err);
    else filled = am_value_copy(s->tree, branch);
    if (!status) status = am_value_add(s->tree, *out, NULL, filled, err);
    if (status) return status;
  }
  return AM_OK;
}

/* An item that is a block. */
typedef struct nested {
  const am_item *item;
  const am_block *block;
} nested;

/* Fills the lists inside a block's options. */
static am_status fill_nested(const am_scope *s, const am_item *it, const am_block *block, void *options,
                             am_error *err) {
  const am_option *first = NULL;
  for (const am_option *o = block->table; o->name; o++) {
    if (o->type != AM_OPT_LIST) continue;
    const am_value **held = (const am_value **)((char *)options + o->offset);
    am_value *filled = NULL;
    char prefix[AM_NAME_TEXT];
    if (!first) first = o;
    if (!*held) continue;
    am_item_prefix(prefix, it, o == first ? "" : o->name);
    am_status status =
        block->nests == 1 ? fill_layers(s, *held, prefix, &filled, err) : fill_branches(s, it, *held, &filled, err);
    if (status) return status;
    *held = filled;
  }
  return AM_OK;
}

/* All options of a table, read from `given`, as a map. */
static am_status read_filled(const am_scope *s, const am_option *table, size_t size, const am_value *given,
                             const char *name, const nested *in, am_value **out, am_error *err) {
  static const am_option none[] = {AM_OPTION_END};
  void *options = am_tree_take(s->tree, 1, size + 1);
  if (!options) return am_no_memory(err);
  if (!table) table = none;
  am_status status = am_options_read(s->tree, table, given, name, options, err);
  if (!status && in) status = fill_nested(s, in->item, in->block, options, err);
  return status ? status : am_options_emit(s->tree, table, options, out, err);
}

/* Every option of the layer or block, in `out` after what is there. */
static am_status fill_options(const am_scope *s, const am_item *it, am_value *out, am_error *err) {
  const am_block *block = am_block_find(it->type);
  const am_layer_class *cls = NULL;
  const nested in = {it, block};
  am_value *all = NULL;
  am_status status = block ? AM_OK : am_item_class(s, it, &cls, err);
  if (status) return status;
  if (block) status = read_filled(s, block->table, block->options_size, it->options, it->name, &in, &all, err);
  else status = read_filled(s, cls->table, cls->options_size, it->options, it->name, NULL, &all, err);
  for (am_value *child = status ? NULL : all->first, *next; child && !status; child = next) {
    next = child->next;
    status = am_value_add(s->tree, out, child->key, child, err);
  }
  return status;
}

/* "relu", or {leaky_relu: {alpha: 0.01}} where there are options. */
static am_status fill_activation(const am_scope *s, const am_item *it, am_value *out, am_error *err) {
  const am_layer_class *cls;
  const am_value *given;
  am_status status = am_item_activation(it, it->activation, &cls, &given, err);
  if (status) return status;
  am_value *filled = am_value_text(s->tree, cls ? cls->type : "none", true), *all = NULL;
  if (cls) {
    char name[AM_NAME_TEXT];
    snprintf(name, sizeof name, "%s/%s", it->name, cls->type);
    status = read_filled(s, cls->table, cls->options_size, given, name, NULL, &all, err);
  }
  if (!status && all && all->count) {
    filled = am_value_new(s->tree, AM_MAP);
    status = am_value_add(s->tree, filled, cls->type, all, err);
  }
  return status ? status : am_value_add(s->tree, out, "activation", filled, err);
}

static am_status fill_item(const am_scope *s, const am_value *entry, am_value *list, am_error *err) {
  am_item it;
  am_status status = am_item_read(s, entry, &it, err);
  if (status) return status;
  am_value *whole = am_value_new(s->tree, AM_MAP), *inside = am_value_new(s->tree, AM_MAP);
  if (!whole || !inside) return am_no_memory(err);
  status = am_value_add(s->tree, inside, "name", am_value_text(s->tree, it.own_name, true), err);
  if (!status) status = fill_options(s, &it, inside, err);
  if (!status && it.activation) status = fill_activation(s, &it, inside, err);
  if (!status) status = am_value_add(s->tree, whole, it.type, inside, err);
  return status ? status : am_value_add(s->tree, list, NULL, whole, err);
}

static am_status fill_list(const am_scope *s, am_value **out, am_error *err) {
  *out = am_value_new(s->tree, AM_LIST);
  am_status status = *out ? AM_OK : am_no_memory(err);
  for (const am_value *entry = s->list->first; entry && !status; entry = entry->next)
    status = fill_item(s, entry, *out, err);
  return status;
}

am_status am_layers_fill(am_tree *tree, const am_value *layers, am_value **out, am_error *err) {
  am_scope s = {.tree = tree, .list = layers, .prefix = ""};
  *out = NULL;
  am_status status = am_scope_begin(&s, err);
  return status ? status : fill_list(&s, out, err);
}
