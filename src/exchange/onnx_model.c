/* SPDX-License-Identifier: MIT */
/* exchange/onnx_model.c - building an ONNX model in memory. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exchange/onnx_model.h"

am_status am_onnx_create(am_context *ctx, am_onnx_model **out, am_error *err) {
  am_onnx_model *m = *out = am_alloc(ctx, 1, sizeof *m);
  if (!m) return am_no_memory(err);
  *m = (am_onnx_model){.ctx = ctx, .ir = 8, .opset = 17, .producer = "", .version = "", .doc = "", .scope = ""};
  m->graph.name = m->graph.doc = "";
  am_status status = am_tree_create(ctx, &m->tree, err);
  if (!status) return AM_OK;
  am_onnx_free(m);
  *out = NULL;
  return status;
}

void am_onnx_free(am_onnx_model *m) {
  if (!m) return;
  am_context *ctx = m->ctx;
  if (m->unpacked) m->unpacked(m);
  am_tree_free(m->tree);
  am_free(ctx, m);
}

static void *take(am_onnx_model *m, size_t count, size_t bytes) {
  void *piece = m->failed ? NULL : am_tree_take(m->tree, count, bytes);
  if (!piece) m->failed = true;
  return piece;
}

/* Room for one more in an array; the old one stays in the tree. */
static bool grow(am_onnx_model *m, void *array, size_t *room, size_t n, size_t bytes) {
  if (n < *room) return !m->failed;
  size_t more = *room ? 2 * *room : 16;
  void *old, *new = take(m, more, bytes);
  if (!new) return false;
  memcpy(&old, array, sizeof old);
  if (n) memcpy(new, old, n * bytes);
  memcpy(array, &new, sizeof new);
  *room = more;
  return true;
}

static const char *keep(am_onnx_model *m, const char *text) {
  const char *kept = m->failed ? NULL : am_tree_string(m->tree, text ? text : "");
  if (!kept) m->failed = true;
  return kept ? kept : "";
}

static void *keep_data(am_onnx_model *m, const void *data, size_t count, size_t bytes) {
  void *kept = take(m, count, bytes);
  return kept && count ? memcpy(kept, data, count * bytes) : kept;
}

const char *am_onnx_text(am_onnx_model *m, const char *format, ...) {
  char text[1024];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (n >= 0 && (size_t)n < sizeof text) return keep(m, text);
  char *longer = n < 0 ? NULL : take(m, (size_t)n + 1, 1);
  if (!longer) return "";
  va_start(list, format);
  vsnprintf(longer, (size_t)n + 1, format, list);
  va_end(list);
  return longer;
}

void am_onnx_scope(am_onnx_model *m, const char *name) {
  m->scope = keep(m, name);
  m->scope_begin = m->graph.n_nodes;
}

static void add_value(am_onnx_model *m, am_onnx_value **at, size_t *n, size_t *room, const am_onnx_value *value) {
  if (!grow(m, at, room, *n, sizeof **at)) return;
  am_onnx_value *v = &(*at)[(*n)++];
  *v = *value;
  v->name = keep(m, value->name);
  v->doc = keep(m, value->doc);
  for (int i = 0; i < v->rank && i < AM_ONNX_RANK; i++)
    if (v->symbols[i]) v->symbols[i] = keep(m, v->symbols[i]);
}

void am_onnx_input(am_onnx_model *m, const am_onnx_value *value) {
  add_value(m, &m->graph.inputs, &m->graph.n_inputs, &m->graph.room_inputs, value);
}

void am_onnx_output(am_onnx_model *m, const am_onnx_value *value) {
  add_value(m, &m->graph.outputs, &m->graph.n_outputs, &m->graph.room_outputs, value);
}

size_t am_onnx_type_bytes(int type) {
  switch (type) {
    case AM_ONNX_UINT8:
    case AM_ONNX_INT8:
    case AM_ONNX_BOOL: return 1;
    case AM_ONNX_UINT16:
    case AM_ONNX_INT16:
    case AM_ONNX_FLOAT16:
    case AM_ONNX_BFLOAT16: return 2;
    case AM_ONNX_FLOAT:
    case AM_ONNX_INT32:
    case AM_ONNX_UINT32: return 4;
    case AM_ONNX_INT64:
    case AM_ONNX_UINT64:
    case AM_ONNX_DOUBLE: return 8;
    default: return 0;
  }
}

const char *am_onnx_constant(am_onnx_model *m, const char *name, am_onnx_type type, int rank, const int64_t *dims,
                             const void *data) {
  am_onnx_graph *g = &m->graph;
  am_onnx_tensor t = {.type = type, .rank = rank, .count = 1, .offset = -1, .length = -1};
  for (int i = 0; i < AM_ONNX_RANK; i++) t.dims[i] = i < rank ? dims[i] : 1;
  for (int i = 0; i < rank; i++) t.count = am_mul(t.count, (size_t)dims[i]);
  t.name = keep(m, name);
  t.data = keep_data(m, data, t.count, am_onnx_type_bytes(type));
  if (!grow(m, &g->initialisers, &g->room_initialisers, g->n_initialisers, sizeof t)) return "";
  g->initialisers[g->n_initialisers++] = t;
  return t.name;
}

const char *am_onnx_floats(am_onnx_model *m, const char *name, int rank, const int64_t *dims, const float *data) {
  return am_onnx_constant(m, name, AM_ONNX_FLOAT, rank, dims, data);
}

const char *am_onnx_ints(am_onnx_model *m, const char *name, size_t n, const int64_t *data) {
  return am_onnx_constant(m, name, AM_ONNX_INT64, 1, (int64_t[]){(int64_t)n}, data);
}

const char *am_onnx_int(am_onnx_model *m, const char *name, int64_t value) {
  return am_onnx_constant(m, name, AM_ONNX_INT64, 0, NULL, &value);
}

const char *am_onnx_float(am_onnx_model *m, const char *name, float value) {
  return am_onnx_constant(m, name, AM_ONNX_FLOAT, 0, NULL, &value);
}

static bool taken(const am_onnx_graph *g, const char *name) {
  for (size_t i = g->n_nodes; i-- > 0;)
    if (!strcmp(g->nodes[i].name, name)) return true;
  return false;
}

/* "scope/Conv", and from the second one in its scope on "scope/Conv_1". */
static const char *node_name(am_onnx_model *m, const char *op) {
  size_t same = 0;
  for (size_t i = m->scope_begin; i < m->graph.n_nodes; i++) same += !strcmp(m->graph.nodes[i].op, op);
  const char *slash = *m->scope ? "/" : "";
  const char *name =
      same ? am_onnx_text(m, "%s%s%s_%zu", m->scope, slash, op, same) : am_onnx_text(m, "%s%s%s", m->scope, slash, op);
  while (!m->failed && taken(&m->graph, name)) name = am_onnx_text(m, "%s%s%s_%zu", m->scope, slash, op, ++same);
  return name;
}

/* Its outputs are for the caller to name. */
static am_onnx_node *add_node(am_onnx_model *m, const char *op, const char *const *inputs, size_t n_outputs) {
  am_onnx_graph *g = &m->graph;
  am_onnx_node node = {.op = keep(m, op), .domain = "", .name = node_name(m, op), .n_outputs = n_outputs};
  while (inputs[node.n_inputs]) node.n_inputs++;
  node.inputs = take(m, node.n_inputs + 1, sizeof *node.inputs);
  node.outputs = take(m, n_outputs, sizeof *node.outputs);
  if (!grow(m, &g->nodes, &g->room_nodes, g->n_nodes, sizeof node)) return NULL;
  for (size_t i = 0; i < node.n_inputs; i++) node.inputs[i] = keep(m, inputs[i]);
  g->nodes[g->n_nodes] = node;
  return &g->nodes[g->n_nodes++];
}

const char *am_onnx_node_add(am_onnx_model *m, const char *op, const char *const *inputs) {
  am_onnx_node *node = add_node(m, op, inputs, 1);
  return node ? (node->outputs[0] = node->name) : "";
}

void am_onnx_node_named(am_onnx_model *m, const char *op, const char *const *inputs, const char *output) {
  am_onnx_node *node = add_node(m, op, inputs, 1);
  if (node) node->outputs[0] = keep(m, output);
}

void am_onnx_node_many(am_onnx_model *m, const char *op, const char *const *inputs, size_t n, const char **outputs) {
  am_onnx_node *node = add_node(m, op, inputs, n);
  for (size_t i = 0; i < n; i++) {
    outputs[i] = node ? am_onnx_text(m, "%s:%zu", node->name, i) : "";
    if (node) node->outputs[i] = outputs[i];
  }
}

static am_onnx_attribute *set(am_onnx_model *m, const char *name, am_onnx_kind kind) {
  am_onnx_node *node = m->failed ? NULL : &m->graph.nodes[m->graph.n_nodes - 1];
  if (!node || !grow(m, &node->attributes, &node->room, node->n_attributes, sizeof *node->attributes)) return NULL;
  am_onnx_attribute *a = &node->attributes[node->n_attributes++];
  *a = (am_onnx_attribute){.name = keep(m, name), .kind = kind, .reference = "", .text = ""};
  return a;
}

void am_onnx_set_int(am_onnx_model *m, const char *name, int64_t value) {
  am_onnx_attribute *a = set(m, name, AM_ONNX_KIND_INT);
  if (a) a->i = value;
}

void am_onnx_set_float(am_onnx_model *m, const char *name, float value) {
  am_onnx_attribute *a = set(m, name, AM_ONNX_KIND_FLOAT);
  if (a) a->f = value;
}

void am_onnx_set_text(am_onnx_model *m, const char *name, const char *value) {
  am_onnx_attribute *a = set(m, name, AM_ONNX_KIND_TEXT);
  if (a) a->text = keep(m, value);
}

void am_onnx_set_ints(am_onnx_model *m, const char *name, size_t n, const int64_t *values) {
  am_onnx_attribute *a = set(m, name, AM_ONNX_KIND_INTS);
  if (!a) return;
  a->n = n;
  a->ints = keep_data(m, values, n, sizeof *values);
}

void am_onnx_set_texts(am_onnx_model *m, const char *name, size_t n, const char *const *values) {
  am_onnx_attribute *a = set(m, name, AM_ONNX_KIND_TEXTS);
  const char **texts = a ? take(m, n, sizeof *texts) : NULL;
  if (!texts) return;
  for (size_t i = 0; i < n; i++) texts[i] = keep(m, values[i]);
  a->n = n;
  a->texts = texts;
}

void am_onnx_prop(am_onnx_model *m, const char *key, const char *value) {
  if (!grow(m, &m->props, &m->room_props, m->n_props, sizeof *m->props)) return;
  m->props[m->n_props++] = (am_onnx_entry){keep(m, key), keep(m, value)};
}

const am_onnx_attribute *am_onnx_attribute_find(const am_onnx_node *node, const char *name) {
  for (size_t i = 0; i < node->n_attributes; i++)
    if (!strcmp(node->attributes[i].name, name)) return &node->attributes[i];
  return NULL;
}

const am_onnx_tensor *am_onnx_initialiser_find(const am_onnx_graph *graph, const char *name) {
  for (size_t i = 0; i < graph->n_initialisers; i++)
    if (!strcmp(graph->initialisers[i].name, name)) return &graph->initialisers[i];
  return NULL;
}

const char *am_onnx_prop_find(const am_onnx_model *m, const char *key) {
  for (size_t i = 0; i < m->n_props; i++)
    if (!strcmp(m->props[i].key, key)) return m->props[i].value;
  return NULL;
}
