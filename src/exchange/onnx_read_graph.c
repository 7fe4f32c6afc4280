/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_graph.c - node by node through the graph of an ONNX model, from its inputs to the output that is wanted. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "exchange/onnx_read.h"

enum { MOST_NODES = 50000 };

/* ---- messages ---- */

am_status am_onnx_no_memory(am_onnx_reader *r) { return am_no_memory(r->err); }

am_status am_onnx_refuse(am_onnx_reader *r, am_status status, const char *format, ...) {
  char text[768];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  const am_onnx_node *node = r->node;
  if (!node) return am_fail(r->err, status, "%s: %s", r->import->file, text);
  const char *name = *node->name ? node->name : node->n_outputs ? node->outputs[0] : "";
  return am_fail(r->err, status, "%s: node \"%.120s\" (%.60s): %s", r->import->file, name, node->op, text);
}

/* ---- attributes ---- */

int64_t am_onnx_attribute_int(const am_onnx_reader *r, const char *name, int64_t fallback) {
  const am_onnx_attribute *a = am_onnx_attribute_find(r->node, name);
  return a && a->kind == AM_ONNX_KIND_INT ? a->i : fallback;
}

double am_onnx_attribute_real(const am_onnx_reader *r, const char *name, double fallback) {
  const am_onnx_attribute *a = am_onnx_attribute_find(r->node, name);
  return a && a->kind == AM_ONNX_KIND_FLOAT ? (double)a->f : fallback;
}

const char *am_onnx_attribute_text(const am_onnx_reader *r, const char *name, const char *fallback) {
  const am_onnx_attribute *a = am_onnx_attribute_find(r->node, name);
  return a && a->kind == AM_ONNX_KIND_TEXT ? a->text : fallback;
}

bool am_onnx_attribute_ints(const am_onnx_reader *r, const char *name, const int64_t **at, size_t *n) {
  const am_onnx_attribute *a = am_onnx_attribute_find(r->node, name);
  if (!a || a->kind != AM_ONNX_KIND_INTS || a->n > AM_ONNX_RANK) return false;
  *at = a->ints;
  *n = a->n;
  return true;
}

int am_onnx_axis_number(am_onnx_reader *r, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    am_onnx_refuse(r, AM_E_FORMAT, "axis %lld is not one of %d", (long long)axis, rank);
    return -1;
  }
  return (int)(axis < 0 ? axis + rank : axis);
}

am_status am_onnx_axes_of(am_onnx_reader *r, am_onnx_thing **in, size_t n_in, size_t input, int rank, int64_t *axes,
                          size_t *n, bool *given) {
  const int64_t *at;
  (void)rank;
  *n = 0;
  *given = am_onnx_attribute_ints(r, "axes", &at, n);
  if (*given) memcpy(axes, at, *n * sizeof *axes);
  if (*given || input >= n_in || in[input]->is == AM_ONNX_IS_NOTHING) return AM_OK;
  *given = true;
  if (in[input]->is != AM_ONNX_IS_KNOWN)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes are not known before the clip is");
  return am_onnx_ints_of(r, in[input]->known, "axes", axes, AM_ONNX_RANK, n) ? AM_OK : AM_E_UNSUPPORTED;
}

/* ---- names ---- */

typedef struct entry {
  const char *name;
  am_onnx_thing *thing; /* NULL: nothing gives it yet */
  bool needed;
} entry;

struct am_onnx_names {
  size_t room; /* a power of two */
  size_t used;
  entry *at;
};

/* Where a name is, or will be; NULL: no memory. */
static entry *find(am_onnx_reader *r, const char *name) {
  struct am_onnx_names *names = r->names;
  size_t i = (size_t)am_hash64((uintptr_t)names, name, strlen(name)) & (names->room - 1);
  while (names->at[i].name && strcmp(names->at[i].name, name) != 0) i = (i + 1) & (names->room - 1);
  if (!names->at[i].name) {
    names->used++; /* there is room for all that the graph can name */
    names->at[i].name = name;
  }
  return &names->at[i];
}

static am_status give(am_onnx_reader *r, const char *name, const am_onnx_thing *thing) {
  if (!*name) return AM_OK;
  entry *e = find(r, name);
  if (e->thing)
    return r->node ? am_onnx_refuse(r, AM_E_FORMAT, "its output \"%.120s\" is that of another node, too", name)
                   : am_fail(r->err, AM_E_FORMAT, "%s: two tensors are called \"%.120s\"", r->import->file, name);
  e->thing = am_tree_take(r->tree, 1, sizeof *e->thing);
  if (!e->thing) return am_onnx_no_memory(r);
  *e->thing = *thing;
  return AM_OK;
}

am_status am_onnx_give(am_onnx_reader *r, const char *name, const am_onnx_thing *thing) { return give(r, name, thing); }

/* ---- nodes ---- */

static am_status read_constant(am_onnx_reader *r, am_onnx_thing *out) {
  static const char *const names[] = {"value", "value_float", "value_int", "value_floats", "value_ints"};
  const am_onnx_attribute *a = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !a; i++) a = am_onnx_attribute_find(r->node, names[i]);
  am_onnx_known *k = NULL;
  if (a && a->kind == AM_ONNX_KIND_TENSOR && a->tensor) k = am_onnx_known_of(r, a->tensor);
  else if (a && (a->kind == AM_ONNX_KIND_FLOAT || a->kind == AM_ONNX_KIND_INT || a->kind == AM_ONNX_KIND_FLOATS ||
                 a->kind == AM_ONNX_KIND_INTS)) {
    const bool list = a->kind == AM_ONNX_KIND_FLOATS || a->kind == AM_ONNX_KIND_INTS;
    const bool real = a->kind == AM_ONNX_KIND_FLOATS || a->kind == AM_ONNX_KIND_FLOAT;
    k = am_onnx_known_new(r, real ? AM_KNOWN_REAL : AM_KNOWN_INT, list, true);
    if (!k) return AM_E_NOMEM;
    if (list) k->dims[0][0] = (int64_t)a->n;
    am_status status = am_onnx_known_room(r, k, 0);
    if (status) return status;
    for (size_t i = 0; i < k->count[0]; i++)
      k->at[0][i] = list ? (real ? (double)a->floats[i] : (double)a->ints[i]) : real ? (double)a->f : (double)a->i;
  } else return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it holds no numbers");
  *out = (am_onnx_thing){.is = AM_ONNX_IS_KNOWN, .known = k};
  return k ? AM_OK : AM_E_NOMEM;
}

static const am_onnx_operator *const lists[] = {am_onnx_window_operators,    am_onnx_layer_operators,
                                                am_onnx_recurrent_operators, am_onnx_single_operators,
                                                am_onnx_join_operators,      am_onnx_shape_operators};
enum { LISTS = sizeof lists / sizeof *lists };

static const am_onnx_operator *find_operator(const char *name) {
  for (size_t i = 0; i < LISTS; i++)
    for (const am_onnx_operator *o = lists[i]; o->name; o++)
      if (!strcmp(o->name, name)) return o;
  return NULL;
}

bool am_onnx_ours(const am_onnx_node *node) { return !*node->domain || !strcmp(node->domain, "ai.onnx"); }

am_status am_onnx_refuse_operator(am_onnx_reader *r) {
  char list[600] = "";
  size_t used = 0;
  if (!am_onnx_ours(r->node))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "an operator of \"%.100s\", not of ONNX; it cannot be imported",
                          r->node->domain);
  for (size_t i = 0; i < LISTS; i++)
    for (const am_onnx_operator *o = lists[i]; o->name && used < sizeof list; o++)
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", o->name);
  return am_onnx_refuse(r, AM_E_UNSUPPORTED, "there is no layer for this operator; those that can be imported are %s",
                        list);
}

/* Attributes that the operator's function does not know could change what it computes. */
static am_status check_node(am_onnx_reader *r, const am_onnx_operator *o) {
  char wanted[96];
  for (size_t i = 0; i < r->node->n_attributes; i++) {
    const am_onnx_attribute *a = &r->node->attributes[i];
    snprintf(wanted, sizeof wanted, "|%.90s|", a->name);
    if (!strstr(o->attributes, wanted))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute %.60s is not known here", a->name);
  }
  if (r->node->n_inputs < (size_t)o->least || r->node->n_inputs > (size_t)o->most)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it has %zu inputs; wanted %d to %d", r->node->n_inputs, o->least,
                          o->most);
  return AM_OK;
}

static am_status read_operator(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  const am_onnx_operator *o = am_onnx_ours(r->node) ? find_operator(r->node->op) : NULL;
  if (!o) return am_onnx_refuse_operator(r);
  am_status status = check_node(r, o);
  return status ? status : o->read(r, in, n, out);
}

static am_status read_node(am_onnx_reader *r) {
  static am_onnx_thing nothing;
  am_onnx_thing *in[AM_ONNX_MOST_IN], *known[AM_ONNX_MOST_IN], out[AM_ONNX_MOST_OUT] = {{0}};
  const am_onnx_node *node = r->node;
  bool all_known = node->n_inputs > 0;
  if (node->n_inputs > AM_ONNX_MOST_IN || node->n_outputs > AM_ONNX_MOST_IN)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it has %zu inputs; at most %d are read", node->n_inputs,
                          AM_ONNX_MOST_IN);
  for (size_t i = 0; i < node->n_inputs; i++) {
    in[i] = *node->inputs[i] ? find(r, node->inputs[i])->thing : &nothing;
    if (!in[i])
      return am_onnx_refuse(r, AM_E_FORMAT,
                            "it reads \"%.120s\", which is no input, no constant, and no output of a node before "
                            "it",
                            node->inputs[i]);
    known[i] = in[i]->is ? in[i] : NULL;
    all_known = all_known && (!in[i]->is || in[i]->is == AM_ONNX_IS_KNOWN);
  }
  am_status status;
  if (am_onnx_ours(node) && !strcmp(node->op, "Constant")) status = read_constant(r, &out[0]);
  else if (all_known && am_onnx_ours(node)) status = am_onnx_compute(r, known, node->n_inputs, &out[0]);
  else status = read_operator(r, in, node->n_inputs, out);
  for (size_t i = 0; i < node->n_outputs && !status; i++)
    status = give(r, node->outputs[i], i < AM_ONNX_MOST_OUT ? &out[i] : &nothing);
  return status;
}

/* ---- the graph ---- */

static am_status begin_names(am_onnx_reader *r) {
  const am_onnx_graph *g = &r->model->graph;
  size_t most = am_add(g->n_initialisers, am_add(g->n_inputs, 16));
  if (g->n_nodes > MOST_NODES)
    return am_fail(r->err, AM_E_UNSUPPORTED, "%s: the model has %zu nodes; at most %d are read", r->import->file,
                   g->n_nodes, MOST_NODES);
  for (size_t i = 0; i < g->n_nodes; i++) most = am_add(most, am_add(g->nodes[i].n_inputs, g->nodes[i].n_outputs));
  struct am_onnx_names *names = r->names = am_tree_take(r->tree, 1, sizeof *names);
  if (!names) return am_onnx_no_memory(r);
  for (names->room = 64; names->room < am_mul(2, most); names->room *= 2) {}
  names->at = am_tree_take(r->tree, names->room, sizeof *names->at);
  return names->at ? AM_OK : am_onnx_no_memory(r);
}

static am_status give_constants(am_onnx_reader *r) {
  const am_onnx_graph *g = &r->model->graph;
  am_status status = AM_OK;
  for (size_t i = 0; i < g->n_initialisers && !status; i++) {
    am_onnx_thing thing = {.is = AM_ONNX_IS_KNOWN, .known = am_onnx_known_of(r, &g->initialisers[i])};
    status = thing.known ? give(r, g->initialisers[i].name, &thing) : AM_E_NOMEM;
  }
  return status;
}

am_status am_onnx_begin_graph(am_onnx_reader *r) {
  am_status status = begin_names(r);
  if (!status && r->model->graph.n_sparse)
    status =
        am_fail(r->err, AM_E_UNSUPPORTED, "%s: it has sparse constants, which cannot be imported", r->import->file);
  return status ? status : give_constants(r);
}

am_status am_onnx_read_graph(am_onnx_reader *r, const char *output, am_onnx_thing *out) {
  const am_onnx_graph *g = &r->model->graph;
  bool *needed = am_alloc(r->import->ctx, g->n_nodes + 1, sizeof *needed);
  if (!needed) return am_onnx_no_memory(r);
  find(r, output)->needed = true;
  for (size_t i = g->n_nodes; i-- > 0;) {
    for (size_t k = 0; k < g->nodes[i].n_outputs; k++)
      needed[i] |= *g->nodes[i].outputs[k] && find(r, g->nodes[i].outputs[k])->needed;
    for (size_t k = 0; k < g->nodes[i].n_inputs && needed[i]; k++)
      if (*g->nodes[i].inputs[k]) find(r, g->nodes[i].inputs[k])->needed = true;
  }
  am_status status = AM_OK;
  for (size_t i = 0; i < g->n_nodes && !status; i++) {
    if (!needed[i]) continue;
    r->node = &g->nodes[i];
    status = read_node(r);
  }
  am_free(r->import->ctx, needed);
  if (status) return status;
  const entry *e = find(r, output);
  if (!e->thing || e->thing->is == AM_ONNX_IS_NOTHING)
    return am_fail(r->err, AM_E_FORMAT, "%s: no node gives the model's output \"%.120s\"", r->import->file, output);
  *out = *e->thing;
  return AM_OK;
}
