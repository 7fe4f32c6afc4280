/* SPDX-License-Identifier: MIT */
/* exchange/onnx_model.h - an ONNX model in memory: built (onnx_model.c), written to a file and read from one
 * (onnx_model_file.c, the one file that sees protobuf-c; without it onnx_model_absent.c).
 *
 * What is read has been checked: every tensor has as much data as its dimensions say, no pointer that should be there is
 * NULL, names that are missing are "".  What the numbers mean (whether there is such an operator, an input of that name) is for
 * the reader of the graph to check.  Texts may hold any bytes but NUL; messages show them as am_fail does.
 *
 * All of a model lasts until am_onnx_free. */
#ifndef AM_ONNX_MODEL_H
#define AM_ONNX_MODEL_H

#include "base/value.h"

/* TensorProto.DataType, those that have a size. */
typedef enum am_onnx_type {
  AM_ONNX_FLOAT = 1,
  AM_ONNX_UINT8 = 2,
  AM_ONNX_INT8 = 3,
  AM_ONNX_UINT16 = 4,
  AM_ONNX_INT16 = 5,
  AM_ONNX_INT32 = 6,
  AM_ONNX_INT64 = 7,
  AM_ONNX_STRING = 8, /* never with data here */
  AM_ONNX_BOOL = 9,
  AM_ONNX_FLOAT16 = 10,
  AM_ONNX_DOUBLE = 11,
  AM_ONNX_UINT32 = 12,
  AM_ONNX_UINT64 = 13,
  AM_ONNX_BFLOAT16 = 16
} am_onnx_type;

/* AttributeProto.AttributeType */
typedef enum am_onnx_kind {
  AM_ONNX_KIND_NONE = 0, /* one that is not known here */
  AM_ONNX_KIND_FLOAT = 1,
  AM_ONNX_KIND_INT = 2,
  AM_ONNX_KIND_TEXT = 3,
  AM_ONNX_KIND_TENSOR = 4,
  AM_ONNX_KIND_GRAPH = 5,
  AM_ONNX_KIND_FLOATS = 6,
  AM_ONNX_KIND_INTS = 7,
  AM_ONNX_KIND_TEXTS = 8
} am_onnx_kind;

enum { AM_ONNX_RANK = 8, AM_ONNX_DEPTH = 8 /* of graphs in graphs */ };

typedef struct am_onnx_tensor {
  const char *name;
  int type; /* am_onnx_type, or a number that is not known here: then there is no data */
  int rank;
  int64_t dims[AM_ONNX_RANK]; /* 0 or more; those past the rank are 1 */
  size_t count;               /* their product */
  const void *data;       /* `count` elements of the type, aligned, in the order of this machine; NULL: see location */
  const char *location;   /* file that has them, as the model says: not checked; NULL: there is none */
  int64_t offset, length; /* in that file, bytes; -1: not said */
} am_onnx_tensor;

typedef struct am_onnx_attribute {
  const char *name;
  am_onnx_kind kind;
  const char *reference; /* in a function: the attribute of the node that is meant; "": none */
  int64_t i;
  float f;
  const char *text;
  size_t n; /* of the following */
  const int64_t *ints;
  const float *floats;
  const char *const *texts;
  const am_onnx_tensor *tensor;
  const void *graph; /* packed (am_onnx_subgraph), `graph_bytes` */
  size_t graph_bytes;
} am_onnx_attribute;

typedef struct am_onnx_node {
  const char *op, *domain, *name; /* domain "" or "ai.onnx": ONNX's own */
  size_t n_inputs, n_outputs, n_attributes, room;
  const char **inputs, **outputs; /* "": one that is left out */
  am_onnx_attribute *attributes;
} am_onnx_node;

typedef struct am_onnx_value {
  const char *name;
  int type;                          /* 0: not said, or no tensor */
  int rank;                          /* -1: not said */
  int64_t dims[AM_ONNX_RANK];        /* -1: any */
  const char *symbols[AM_ONNX_RANK]; /* name of a dimension that is any; NULL: none */
  const char *doc;
} am_onnx_value;

typedef struct am_onnx_graph {
  const char *name, *doc;
  am_onnx_node *nodes;
  am_onnx_tensor *initialisers;
  am_onnx_value *inputs, *outputs, *values; /* of a file of IR 3 or less, inputs name initialisers, too */
  size_t n_nodes, n_initialisers, n_inputs, n_outputs, n_values;
  size_t n_sparse; /* sparse initialisers, which are not read */
  size_t room_nodes, room_initialisers, room_inputs, room_outputs;
  int depth; /* 0: the model's own */
} am_onnx_graph;

typedef struct am_onnx_function {
  const char *name, *domain;
  size_t n_inputs, n_outputs, n_attributes, n_nodes;
  const char **inputs, **outputs, **attributes;
  am_onnx_node *nodes;
} am_onnx_function;

typedef struct am_onnx_entry {
  const char *key, *value;
} am_onnx_entry;

typedef struct am_onnx_model am_onnx_model;
struct am_onnx_model {
  am_context *ctx;
  am_tree *tree;     /* owns what is not an array of its own */
  int64_t ir, opset; /* opset: of ONNX's own operators; 0: the file names none */
  const char *producer, *version, *doc;
  am_onnx_graph graph;
  am_onnx_entry *props; /* metadata_props */
  am_onnx_function *functions;
  am_onnx_entry *domains; /* of other operators that the file says it has; value: version */
  size_t n_props, n_functions, n_domains, room_props;
  bool failed; /* memory was out while it was built; am_onnx_write says so */

  /* While it is built. */
  const char *scope;
  size_t scope_begin; /* first node of it */
  /* What was read: of protobuf-c, and the end of it. */
  void *packed;
  void (*unpacked)(am_onnx_model *m);
};

/* An empty model of IR version 8 and opset 17. */
am_status am_onnx_create(am_context *ctx, am_onnx_model **out, am_error *err);
void am_onnx_free(am_onnx_model *m);

/* ---- building ----
 *
 * Each copies what it is given.  Where memory is out they return "" and set m->failed, which is looked at once, at the end. */

/* Text that lasts as long as the model. */
const char *am_onnx_text(am_onnx_model *m, const char *format, ...) AM_PRINTF(2, 3);
/* What follows is named after it: "conv2d_1".  Each scope is begun once. */
void am_onnx_scope(am_onnx_model *m, const char *name);
/* The graph's.  A dimension of -1 has a symbol: "batch". */
void am_onnx_input(am_onnx_model *m, const am_onnx_value *value);
void am_onnx_output(am_onnx_model *m, const am_onnx_value *value);
/* Constants, and the names under which nodes read them: "conv2d_1/kernel". */
const char *am_onnx_constant(am_onnx_model *m, const char *name, am_onnx_type type, int rank, const int64_t *dims,
                             const void *data);
const char *am_onnx_floats(am_onnx_model *m, const char *name, int rank, const int64_t *dims, const float *data);
const char *am_onnx_ints(am_onnx_model *m, const char *name, size_t n, const int64_t *data); /* (n) */
const char *am_onnx_int(am_onnx_model *m, const char *name, int64_t value);                  /* () */
const char *am_onnx_float(am_onnx_model *m, const char *name, float value);                  /* () */
/* A node of one output, whose name it returns: "conv2d_1/Conv".  inputs ends with NULL; "" is one that is left out. */
const char *am_onnx_node_add(am_onnx_model *m, const char *op, const char *const *inputs);
#define am_onnx_call(m, op, ...) am_onnx_node_add(m, op, (const char *const[]){__VA_ARGS__, NULL})
/* A node of several; outputs (n) get their names. */
void am_onnx_node_many(am_onnx_model *m, const char *op, const char *const *inputs, size_t n, const char **outputs);
/* A node whose output has a name of its own. */
void am_onnx_node_named(am_onnx_model *m, const char *op, const char *const *inputs, const char *output);
/* Attributes of the last node. */
void am_onnx_set_int(am_onnx_model *m, const char *name, int64_t value);
void am_onnx_set_ints(am_onnx_model *m, const char *name, size_t n, const int64_t *values);
void am_onnx_set_float(am_onnx_model *m, const char *name, float value);
void am_onnx_set_text(am_onnx_model *m, const char *name, const char *value);
void am_onnx_set_texts(am_onnx_model *m, const char *name, size_t n, const char *const *values);
void am_onnx_prop(am_onnx_model *m, const char *key, const char *value);

/* ---- what is there ---- */

const am_onnx_attribute *am_onnx_attribute_find(const am_onnx_node *node, const char *name);  /* NULL: none */
const am_onnx_tensor *am_onnx_initialiser_find(const am_onnx_graph *graph, const char *name); /* NULL: none */
const char *am_onnx_prop_find(const am_onnx_model *m, const char *key);                       /* NULL: none */
size_t am_onnx_type_bytes(int type);                                                          /* 0: not known */

/* ---- files ---- */

enum { AM_ONNX_MOST = INT32_MAX }; /* bytes of a file: what protobuf allows */
/* Writes it aside and renames.  AM_E_UNSUPPORTED: this program was built without protobuf-c, or the model has 2 GiB. */
am_status am_onnx_write(const am_onnx_model *m, const char *path, am_error *err);
/* AM_E_FORMAT: it is no ONNX model, or says what cannot be. */
am_status am_onnx_read(am_context *ctx, const char *path, am_onnx_model **out, am_error *err);
/* The graph of an attribute (the body of an If), into memory of the model's. */
am_status am_onnx_subgraph(am_onnx_model *m, const am_onnx_graph *within, const am_onnx_attribute *attribute,
                           const char *path, am_onnx_graph **out, am_error *err);

#endif
