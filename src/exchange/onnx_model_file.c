/* SPDX-License-Identifier: MIT */
/* exchange/onnx_model_file.c - ONNX models to files and back, by protobuf-c and the messages of onnx.proto. */
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "exchange/onnx_model.h"
#include "onnx.pb-c.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw_data is little-endian");

/* ---- writing: messages that borrow what the model has ---- */

typedef struct writer {
  am_tree *tree;
  bool failed;
} writer;

static void *take(writer *w, size_t count, size_t bytes) {
  void *piece = w->failed ? NULL : am_tree_take(w->tree, count ? count : 1, bytes);
  if (!piece) w->failed = true;
  return piece;
}

/* (n) pointers to as many messages, begun as `like`. */
#define MESSAGES(w, array, n, Type, like) \
  do { \
    Type *all_ = take(w, n, sizeof *all_); \
    (array) = take(w, n, sizeof *(array)); \
    for (size_t k_ = 0; k_ < (n) && !(w)->failed; k_++) (array)[k_] = &all_[k_], all_[k_] = (Type)like; \
  } while (0)

/* protobuf-c's texts and arrays are not const; packing does not write to them. */
static char *text(const char *t) { return t && *t ? (char *)(uintptr_t)t : NULL; }
static char *text_always(const char *t) { return (char *)(uintptr_t)(t ? t : ""); }
static void *array(const void *a) { return (void *)(uintptr_t)a; }
static ProtobufCBinaryData bytes_of(const char *t) {
  return (ProtobufCBinaryData){.len = strlen(t), .data = (uint8_t *)(uintptr_t)t};
}

static void put_tensor(const am_onnx_tensor *t, Onnx__TensorProto *p) {
  p->name = text(t->name);
  p->n_dims = (size_t)t->rank;
  p->dims = array(t->dims);
  p->has_data_type = p->has_raw_data = 1;
  p->data_type = t->type;
  p->raw_data = (ProtobufCBinaryData){.len = t->count * am_onnx_type_bytes(t->type), .data = array(t->data)};
}

static void put_attribute(writer *w, const am_onnx_attribute *a, Onnx__AttributeProto *p) {
  p->name = text_always(a->name);
  p->has_type = 1;
  p->type = (int32_t)a->kind;
  switch (a->kind) {
    case AM_ONNX_KIND_FLOAT: p->has_f = 1, p->f = a->f; break;
    case AM_ONNX_KIND_INT: p->has_i = 1, p->i = a->i; break;
    case AM_ONNX_KIND_TEXT: p->has_s = 1, p->s = bytes_of(a->text); break;
    case AM_ONNX_KIND_FLOATS: p->n_floats = a->n, p->floats = array(a->floats); break;
    case AM_ONNX_KIND_INTS: p->n_ints = a->n, p->ints = array(a->ints); break;
    case AM_ONNX_KIND_TEXTS:
      p->n_strings = a->n;
      p->strings = take(w, a->n, sizeof *p->strings);
      for (size_t i = 0; i < a->n && !w->failed; i++) p->strings[i] = bytes_of(a->texts[i]);
      break;
    case AM_ONNX_KIND_TENSOR:
      p->t = take(w, 1, sizeof *p->t);
      if (!p->t) break;
      *p->t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
      put_tensor(a->tensor, p->t);
      break;
    case AM_ONNX_KIND_GRAPH:
      p->has_g = 1;
      p->g = (ProtobufCBinaryData){.len = a->graph_bytes, .data = array(a->graph)};
      break;
    case AM_ONNX_KIND_NONE: break;
  }
}

static void put_node(writer *w, const am_onnx_node *n, Onnx__NodeProto *p) {
  p->name = text(n->name);
  p->op_type = text(n->op);
  p->domain = text(n->domain);
  p->n_input = n->n_inputs;
  p->input = array(n->inputs);
  p->n_output = n->n_outputs;
  p->output = array(n->outputs);
  p->n_attribute = n->n_attributes;
  MESSAGES(w, p->attribute, n->n_attributes, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);
  for (size_t i = 0; i < n->n_attributes && !w->failed; i++) put_attribute(w, &n->attributes[i], p->attribute[i]);
}

static void put_value(writer *w, const am_onnx_value *v, Onnx__ValueInfoProto *p) {
  p->name = text(v->name);
  p->doc_string = text(v->doc);
  p->type = take(w, 1, sizeof *p->type);
  Onnx__TypeProto__Tensor *tensor = take(w, 1, sizeof *tensor);
  Onnx__TensorShapeProto *shape = take(w, 1, sizeof *shape);
  if (w->failed) return;
  *p->type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
  *tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
  *shape = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
  p->type->tensor_type = tensor;
  tensor->has_elem_type = 1;
  tensor->elem_type = v->type;
  if (v->rank < 0) return;
  tensor->shape = shape;
  shape->n_dim = (size_t)v->rank;
  MESSAGES(w, shape->dim, shape->n_dim, Onnx__TensorShapeProto__Dimension, ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);
  for (size_t i = 0; i < shape->n_dim && !w->failed; i++) {
    shape->dim[i]->has_dim_value = v->dims[i] >= 0;
    shape->dim[i]->dim_value = v->dims[i];
    if (v->dims[i] < 0) shape->dim[i]->dim_param = text(v->symbols[i]);
  }
}

static void put_graph(writer *w, const am_onnx_graph *g, Onnx__GraphProto *p) {
  p->name = text_always(*g->name ? g->name : "audiomood");
  p->doc_string = text(g->doc);
  p->n_node = g->n_nodes;
  p->n_initializer = g->n_initialisers;
  p->n_input = g->n_inputs;
  p->n_output = g->n_outputs;
  p->n_value_info = g->n_values;
  MESSAGES(w, p->node, g->n_nodes, Onnx__NodeProto, ONNX__NODE_PROTO__INIT);
  MESSAGES(w, p->initializer, g->n_initialisers, Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);
  MESSAGES(w, p->input, g->n_inputs, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
  MESSAGES(w, p->output, g->n_outputs, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
  MESSAGES(w, p->value_info, g->n_values, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
  if (w->failed) return;
  for (size_t i = 0; i < g->n_nodes; i++) put_node(w, &g->nodes[i], p->node[i]);
  for (size_t i = 0; i < g->n_initialisers; i++) put_tensor(&g->initialisers[i], p->initializer[i]);
  for (size_t i = 0; i < g->n_inputs; i++) put_value(w, &g->inputs[i], p->input[i]);
  for (size_t i = 0; i < g->n_outputs; i++) put_value(w, &g->outputs[i], p->output[i]);
  for (size_t i = 0; i < g->n_values; i++) put_value(w, &g->values[i], p->value_info[i]);
}

static void put_model(writer *w, const am_onnx_model *m, Onnx__ModelProto *p) {
  *p = (Onnx__ModelProto)ONNX__MODEL_PROTO__INIT;
  p->has_ir_version = 1;
  p->ir_version = m->ir;
  p->producer_name = text(m->producer);
  p->producer_version = text(m->version);
  p->doc_string = text(m->doc);
  p->n_opset_import = 1;
  p->n_metadata_props = m->n_props;
  MESSAGES(w, p->opset_import, 1, Onnx__OperatorSetIdProto, ONNX__OPERATOR_SET_ID_PROTO__INIT);
  MESSAGES(w, p->metadata_props, m->n_props, Onnx__StringStringEntryProto, ONNX__STRING_STRING_ENTRY_PROTO__INIT);
  p->graph = take(w, 1, sizeof *p->graph);
  if (w->failed) return;
  p->opset_import[0]->domain = text_always("");
  p->opset_import[0]->has_version = 1;
  p->opset_import[0]->version = m->opset;
  for (size_t i = 0; i < m->n_props; i++) {
    p->metadata_props[i]->key = text_always(m->props[i].key);
    p->metadata_props[i]->value = text_always(m->props[i].value);
  }
  *p->graph = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
  put_graph(w, &m->graph, p->graph);
}

am_status am_onnx_write(const am_onnx_model *m, const char *path, am_error *err) {
  writer w = {0};
  Onnx__ModelProto model;
  if (m->failed) return am_no_memory(err);
  am_status status = am_tree_create(m->ctx, &w.tree, err);
  if (status) return status;
  put_model(&w, m, &model);
  size_t bytes = w.failed ? 0 : protobuf_c_message_get_packed_size(&model.base);
  uint8_t *packed = NULL;
  if (w.failed) status = am_no_memory(err);
  else if (bytes > AM_ONNX_MOST)
    status =
        am_fail(err, AM_E_UNSUPPORTED, "%s: the model has %zu bytes, and a file of ONNX less than 2 GiB", path, bytes);
  else if (!(packed = am_alloc(m->ctx, bytes, 1))) status = am_no_memory(err);
  else {
    protobuf_c_message_pack(&model.base, packed);
    status = am_file_write(m->ctx, path, packed, bytes, err);
  }
  am_free(m->ctx, packed);
  am_tree_free(w.tree);
  return status;
}

/* ---- reading ---- */

/* One message as protobuf-c unpacked it; a model has one, and one for each graph of an attribute that was asked for. */
typedef struct piece {
  struct piece *next;
  am_context *ctx;
  ProtobufCAllocator allocator;
  ProtobufCMessage *message;
  size_t room; /* bytes that may still be taken: small parts of a file need much more memory than they have bytes */
  bool no_memory, too_much;
} piece;

enum { HEAD = 16 }; /* before each allocation, its size; as malloc aligns */

static void *piece_alloc(void *user, size_t bytes) {
  piece *p = user;
  p->too_much |= bytes > p->room - (p->room < HEAD ? p->room : HEAD);
  size_t *at = p->too_much ? NULL : am_alloc(p->ctx, bytes + HEAD, 1);
  if (!at) {
    p->no_memory |= !p->too_much;
    return NULL;
  }
  *at = bytes + HEAD;
  p->room -= *at;
  return (char *)at + HEAD;
}

static void piece_free(void *user, void *pointer) {
  piece *p = user;
  if (!pointer) return;
  size_t *at = (size_t *)(void *)((char *)pointer - HEAD);
  p->room += *at;
  am_free(p->ctx, at);
}

static void free_pieces(am_onnx_model *m) {
  for (piece *p = m->packed, *next; p; p = next) {
    next = p->next;
    if (p->message) protobuf_c_message_free_unpacked(p->message, &p->allocator);
    am_free(m->ctx, p);
  }
}

static am_status unpack(am_onnx_model *m, const ProtobufCMessageDescriptor *type, const void *data, size_t bytes,
                        const char *path, ProtobufCMessage **out, am_error *err) {
  piece *p = am_alloc(m->ctx, 1, sizeof *p);
  if (!p) return am_no_memory(err);
  const size_t small = am_add(am_mul(32, bytes), 64 << 10), large = am_add(am_mul(2, bytes), 64 << 20);
  *p = (piece){.next = m->packed, .ctx = m->ctx, .room = small < large ? small : large};
  p->allocator = (ProtobufCAllocator){piece_alloc, piece_free, p};
  m->packed = p;
  m->unpacked = free_pieces;
  *out = p->message = protobuf_c_message_unpack(type, &p->allocator, bytes, data);
  if (*out) return AM_OK;
  if (p->no_memory) return am_no_memory(err);
  if (p->too_much)
    return am_fail(err, AM_E_FORMAT, "%s: the file consists of too many small parts for a model of ONNX", path);
  return am_fail(err, AM_E_FORMAT, "%s: not a model of ONNX, or cut off", path);
}

typedef struct reader {
  am_onnx_model *m;
  const char *path;
  am_error *err;
} reader;

static const char *read_text(const char *t) { return t ? t : ""; }

/* NULL: no memory, and *r->err says so.  Of none at all a pointer all the same. */
static void *room(reader *r, size_t count, size_t bytes) {
  void *at = am_tree_take(r->m->tree, count ? count : 1, bytes);
  if (!at) am_no_memory(r->err);
  return at;
}

/* The numbers of a tensor that are not raw, as many as `*n`. */
static const void *typed_data(const Onnx__TensorProto *p, int type, size_t *n) {
  switch (type) {
    case AM_ONNX_FLOAT: *n = p->n_float_data; return p->float_data;
    case AM_ONNX_DOUBLE: *n = p->n_double_data; return p->double_data;
    case AM_ONNX_INT64: *n = p->n_int64_data; return p->int64_data;
    case AM_ONNX_UINT64: *n = p->n_uint64_data; return p->uint64_data;
    case AM_ONNX_UINT32: *n = p->n_uint64_data; return NULL;
    default: *n = p->n_int32_data; return type == AM_ONNX_INT32 ? p->int32_data : NULL;
  }
}

/* Those that are stored wider than they are. */
static am_status narrow_data(reader *r, const Onnx__TensorProto *p, am_onnx_tensor *t) {
  const size_t bytes = am_onnx_type_bytes(t->type);
  char *data = room(r, t->count, bytes);
  if (!data) return AM_E_NOMEM;
  for (size_t i = 0; i < t->count; i++) {
    uint32_t value = t->type == AM_ONNX_UINT32 ? (uint32_t)p->uint64_data[i] : (uint32_t)p->int32_data[i];
    memcpy(data + i * bytes, &value, bytes); /* the low bytes */
  }
  t->data = data;
  return AM_OK;
}

static am_status read_external(reader *r, const Onnx__TensorProto *p, am_onnx_tensor *t) {
  for (size_t i = 0; i < p->n_external_data; i++) {
    const char *key = read_text(p->external_data[i]->key), *value = read_text(p->external_data[i]->value);
    int64_t *number = !strcmp(key, "offset") ? &t->offset : !strcmp(key, "length") ? &t->length : NULL;
    if (!strcmp(key, "location")) t->location = value;
    if (number && (!am_text_to_int(value, number) || *number < 0))
      return am_fail(r->err, AM_E_FORMAT, "%s: tensor \"%s\": its %s in another file is \"%s\"; wanted a number",
                     r->path, t->name, key, value);
  }
  if (!t->location || !*t->location)
    return am_fail(r->err, AM_E_FORMAT, "%s: tensor \"%s\" is in another file, of which there is no name", r->path,
                   t->name);
  return AM_OK;
}

static am_status read_data(reader *r, const Onnx__TensorProto *p, am_onnx_tensor *t) {
  const size_t bytes = am_onnx_type_bytes(t->type);
  if (p->data_location == 1) return read_external(r, p, t);
  if (!bytes) return AM_OK; /* whoever wants it says that it cannot be had */
  size_t n = 0;
  const void *typed = typed_data(p, t->type, &n);
  static const double nothing = 0;
  if (p->has_raw_data && (p->raw_data.len || !n)) {
    if (p->raw_data.len != am_mul(t->count, bytes))
      return am_fail(r->err, AM_E_FORMAT, "%s: tensor \"%s\" has %zu bytes, and its dimensions want %zu", r->path,
                     t->name, p->raw_data.len, am_mul(t->count, bytes));
    t->data = t->count ? (const void *)p->raw_data.data : &nothing;
    return AM_OK;
  }
  if (n != t->count)
    return am_fail(r->err, AM_E_FORMAT, "%s: tensor \"%s\" has %zu numbers, and its dimensions want %zu", r->path,
                   t->name, n, t->count);
  t->data = typed ? typed : &nothing;
  return typed || !n ? AM_OK : narrow_data(r, p, t);
}

static am_status read_tensor(reader *r, const Onnx__TensorProto *p, am_onnx_tensor *t) {
  *t = (am_onnx_tensor){.name = read_text(p->name), .type = p->data_type, .count = 1, .offset = -1, .length = -1};
  if (p->n_dims > AM_ONNX_RANK)
    return am_fail(r->err, AM_E_UNSUPPORTED, "%s: tensor \"%s\" has %zu dimensions; at most %d are read", r->path,
                   t->name, p->n_dims, AM_ONNX_RANK);
  t->rank = (int)p->n_dims;
  for (int i = 0; i < AM_ONNX_RANK; i++) {
    t->dims[i] = i < t->rank ? p->dims[i] : 1;
    if (t->dims[i] < 0)
      return am_fail(r->err, AM_E_FORMAT, "%s: tensor \"%s\" has a dimension of %" PRId64, r->path, t->name,
                     t->dims[i]);
    t->count = am_mul(t->count, (size_t)t->dims[i]);
  }
  return read_data(r, p, t);
}

static const char *copy_text(reader *r, ProtobufCBinaryData b) {
  char *copy = room(r, b.len + 1, 1);
  if (copy && b.len) memcpy(copy, b.data, b.len);
  return copy;
}

static am_status read_texts(reader *r, const Onnx__AttributeProto *p, am_onnx_attribute *a) {
  const char **texts = room(r, p->n_strings, sizeof *texts);
  if (!texts) return AM_E_NOMEM;
  for (size_t i = 0; i < p->n_strings; i++)
    if (!(texts[i] = copy_text(r, p->strings[i]))) return AM_E_NOMEM;
  a->n = p->n_strings;
  a->texts = texts;
  return AM_OK;
}

/* Early files leave the type out. */
static am_onnx_kind kind_of(const Onnx__AttributeProto *p) {
  if (p->has_type && p->type)
    return p->type > 0 && p->type <= AM_ONNX_KIND_TEXTS ? (am_onnx_kind)p->type : AM_ONNX_KIND_NONE;
  return p->has_f       ? AM_ONNX_KIND_FLOAT
         : p->has_i     ? AM_ONNX_KIND_INT
         : p->has_s     ? AM_ONNX_KIND_TEXT
         : p->t         ? AM_ONNX_KIND_TENSOR
         : p->has_g     ? AM_ONNX_KIND_GRAPH
         : p->n_floats  ? AM_ONNX_KIND_FLOATS
         : p->n_ints    ? AM_ONNX_KIND_INTS
         : p->n_strings ? AM_ONNX_KIND_TEXTS
                        : AM_ONNX_KIND_NONE;
}

static am_status read_attribute(reader *r, const Onnx__AttributeProto *p, am_onnx_attribute *a) {
  *a = (am_onnx_attribute){.name = read_text(p->name),
                           .kind = kind_of(p),
                           .reference = read_text(p->ref_attr_name),
                           .i = p->i,
                           .f = p->f,
                           .text = ""};
  am_onnx_tensor *tensor = NULL;
  switch (a->kind) {
    case AM_ONNX_KIND_TEXT: return (a->text = copy_text(r, p->s)) ? AM_OK : AM_E_NOMEM;
    case AM_ONNX_KIND_FLOATS: a->n = p->n_floats, a->floats = p->floats; return AM_OK;
    case AM_ONNX_KIND_INTS: a->n = p->n_ints, a->ints = p->ints; return AM_OK;
    case AM_ONNX_KIND_TEXTS: return read_texts(r, p, a);
    case AM_ONNX_KIND_GRAPH: a->graph = p->g.data, a->graph_bytes = p->g.len; return AM_OK;
    case AM_ONNX_KIND_TENSOR:
      if (!p->t) return am_fail(r->err, AM_E_FORMAT, "%s: the attribute \"%s\" has no tensor", r->path, a->name);
      if (!(a->tensor = tensor = room(r, 1, sizeof *tensor))) return AM_E_NOMEM;
      return read_tensor(r, p->t, tensor);
    default: return AM_OK;
  }
}

static const char **read_names(reader *r, char *const *names, size_t n) {
  const char **out = room(r, n, sizeof *out);
  for (size_t i = 0; out && i < n; i++) out[i] = read_text(names[i]);
  return out;
}

static am_status read_nodes(reader *r, Onnx__NodeProto *const *from, size_t n, am_onnx_node **out) {
  am_onnx_node *nodes = *out = room(r, n, sizeof *nodes);
  if (!nodes) return AM_E_NOMEM;
  for (size_t i = 0; i < n; i++) {
    const Onnx__NodeProto *p = from[i];
    am_onnx_node *node = &nodes[i];
    *node = (am_onnx_node){.op = read_text(p->op_type),
                           .domain = read_text(p->domain),
                           .name = read_text(p->name),
                           .n_inputs = p->n_input,
                           .n_outputs = p->n_output,
                           .n_attributes = p->n_attribute};
    node->inputs = read_names(r, p->input, p->n_input);
    node->outputs = read_names(r, p->output, p->n_output);
    node->attributes = room(r, p->n_attribute, sizeof *node->attributes);
    if (!node->inputs || !node->outputs || !node->attributes) return AM_E_NOMEM;
    for (size_t k = 0; k < p->n_attribute; k++) {
      am_status status = read_attribute(r, p->attribute[k], &node->attributes[k]);
      if (status) return status;
    }
  }
  return AM_OK;
}

static am_status read_values(reader *r, Onnx__ValueInfoProto *const *from, size_t n, am_onnx_value **out) {
  am_onnx_value *values = *out = room(r, n, sizeof *values);
  if (!values) return AM_E_NOMEM;
  for (size_t i = 0; i < n; i++) {
    am_onnx_value *v = &values[i];
    *v = (am_onnx_value){.name = read_text(from[i]->name), .doc = read_text(from[i]->doc_string), .rank = -1};
    const Onnx__TypeProto__Tensor *tensor = from[i]->type ? from[i]->type->tensor_type : NULL;
    if (!tensor) continue;
    v->type = tensor->elem_type;
    if (!tensor->shape) continue;
    if (tensor->shape->n_dim > AM_ONNX_RANK)
      return am_fail(r->err, AM_E_UNSUPPORTED, "%s: \"%s\" has %zu dimensions; at most %d are read", r->path, v->name,
                     tensor->shape->n_dim, AM_ONNX_RANK);
    v->rank = (int)tensor->shape->n_dim;
    for (int k = 0; k < v->rank; k++) {
      const Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[k];
      v->dims[k] = dim->has_dim_value && dim->dim_value >= 0 ? dim->dim_value : -1;
      v->symbols[k] = dim->dim_param;
    }
  }
  return AM_OK;
}

static am_status read_graph(reader *r, const Onnx__GraphProto *p, am_onnx_graph *g) {
  *g = (am_onnx_graph){.name = read_text(p->name),
                       .doc = read_text(p->doc_string),
                       .n_nodes = p->n_node,
                       .n_initialisers = p->n_initializer,
                       .n_inputs = p->n_input,
                       .n_outputs = p->n_output,
                       .n_values = p->n_value_info,
                       .n_sparse = p->n_sparse_initializer,
                       .depth = g->depth};
  am_status status = read_nodes(r, p->node, p->n_node, &g->nodes);
  if (!status) status = read_values(r, p->input, p->n_input, &g->inputs);
  if (!status) status = read_values(r, p->output, p->n_output, &g->outputs);
  if (!status) status = read_values(r, p->value_info, p->n_value_info, &g->values);
  if (status) return status;
  g->initialisers = room(r, p->n_initializer, sizeof *g->initialisers);
  if (!g->initialisers) return AM_E_NOMEM;
  for (size_t i = 0; i < p->n_initializer && !status; i++)
    status = read_tensor(r, p->initializer[i], &g->initialisers[i]);
  return status;
}

static am_status read_functions(reader *r, const Onnx__ModelProto *p) {
  am_onnx_model *m = r->m;
  m->functions = room(r, p->n_functions, sizeof *m->functions);
  if (!m->functions) return AM_E_NOMEM;
  for (size_t i = 0; i < p->n_functions; i++, m->n_functions++) {
    const Onnx__FunctionProto *from = p->functions[i];
    am_onnx_function *f = &m->functions[i];
    *f = (am_onnx_function){.name = read_text(from->name),
                            .domain = read_text(from->domain),
                            .n_inputs = from->n_input,
                            .n_outputs = from->n_output,
                            .n_attributes = from->n_attribute,
                            .n_nodes = from->n_node};
    f->inputs = read_names(r, from->input, from->n_input);
    f->outputs = read_names(r, from->output, from->n_output);
    f->attributes = read_names(r, from->attribute, from->n_attribute);
    if (!f->inputs || !f->outputs || !f->attributes) return AM_E_NOMEM;
    am_status status = read_nodes(r, from->node, from->n_node, &f->nodes);
    if (status) return status;
  }
  return AM_OK;
}

static am_status read_model(reader *r, const Onnx__ModelProto *p) {
  am_onnx_model *m = r->m;
  m->ir = p->ir_version;
  m->opset = 0;
  m->producer = read_text(p->producer_name);
  m->version = read_text(p->producer_version);
  m->doc = read_text(p->doc_string);
  if (!p->graph || !p->has_ir_version)
    return am_fail(r->err, AM_E_FORMAT, "%s: not a model of ONNX: it has no %s", r->path,
                   p->graph ? "version" : "graph");
  m->props = room(r, p->n_metadata_props, sizeof *m->props);
  m->domains = room(r, p->n_opset_import, sizeof *m->domains);
  if (!m->props || !m->domains) return AM_E_NOMEM;
  m->n_props = p->n_metadata_props;
  for (size_t i = 0; i < m->n_props; i++)
    m->props[i] = (am_onnx_entry){read_text(p->metadata_props[i]->key), read_text(p->metadata_props[i]->value)};
  for (size_t i = 0; i < p->n_opset_import; i++) {
    const char *domain = read_text(p->opset_import[i]->domain);
    if (!*domain || !strcmp(domain, "ai.onnx")) m->opset = p->opset_import[i]->version;
    else {
      const char *version = am_onnx_text(m, "%" PRId64, p->opset_import[i]->version);
      m->domains[m->n_domains++] = (am_onnx_entry){domain, version};
    }
  }
  if (m->failed) return am_no_memory(r->err);
  am_status status = read_functions(r, p);
  return status ? status : read_graph(r, p->graph, &m->graph);
}

am_status am_onnx_read(am_context *ctx, const char *path, am_onnx_model **out, am_error *err) {
  char *data = NULL;
  size_t bytes = 0;
  ProtobufCMessage *message = NULL;
  *out = NULL;
  am_error own = AM_ERROR_INIT;
  am_onnx_model *m;
  am_status status = am_onnx_create(ctx, &m, err);
  if (status) return status;
  status = am_file_read_ordinary(ctx, path, "a model of ONNX", AM_ONNX_MOST, &data, &bytes, err);
  if (!status) status = unpack(m, &onnx__model_proto__descriptor, data, bytes, path, &message, err);
  am_free(ctx, data); /* what was unpacked is a copy */
  reader r = {m, path, err ? err : &own};
  if (!status) status = read_model(&r, (const Onnx__ModelProto *)message);
  if (status) {
    am_onnx_free(m);
    return status;
  }
  *out = m;
  return AM_OK;
}

am_status am_onnx_subgraph(am_onnx_model *m, const am_onnx_graph *within, const am_onnx_attribute *attribute,
                           const char *path, am_onnx_graph **out, am_error *err) {
  ProtobufCMessage *message = NULL;
  am_error own = AM_ERROR_INIT;
  reader r = {m, path, err ? err : &own};
  *out = NULL;
  if (within->depth >= AM_ONNX_DEPTH)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: graphs in graphs, more than %d deep", path, AM_ONNX_DEPTH);
  am_status status =
      unpack(m, &onnx__graph_proto__descriptor, attribute->graph, attribute->graph_bytes, path, &message, err);
  am_onnx_graph *g = status ? NULL : room(&r, 1, sizeof *g);
  if (!g) return status ? status : AM_E_NOMEM;
  g->depth = within->depth + 1;
  status = read_graph(&r, (const Onnx__GraphProto *)message, g);
  if (!status) *out = g;
  return status;
}
