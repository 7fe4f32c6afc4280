/* SPDX-License-Identifier: MIT */
/* exchange/onnx_describe.c - what an ONNX model holds, for `inspect`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/onnx.h"
#include "exchange/onnx_import.h"
#include "exchange/onnx_import_own.h"

enum { MOST_VALUES = 64 /* inputs that are shown */ };

/* Names as ONNX's own texts have them, in small letters. */
static const char *type_name(int type, char text[32]) {
  static const struct {
    int type;
    const char *name;
  } names[] = {{AM_ONNX_FLOAT, "float"},   {AM_ONNX_UINT8, "uint8"},      {AM_ONNX_INT8, "int8"},
               {AM_ONNX_UINT16, "uint16"}, {AM_ONNX_INT16, "int16"},      {AM_ONNX_INT32, "int32"},
               {AM_ONNX_INT64, "int64"},   {AM_ONNX_STRING, "string"},    {AM_ONNX_BOOL, "bool"},
               {AM_ONNX_DOUBLE, "double"}, {AM_ONNX_FLOAT16, "float16"},  {AM_ONNX_UINT32, "uint32"},
               {AM_ONNX_UINT64, "uint64"}, {AM_ONNX_BFLOAT16, "bfloat16"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].type == type) return names[i].name;
  snprintf(text, 32, type ? "type %d" : "no tensor", type);
  return text;
}

/* "(batch, frames, 40)"; a dimension of any size without a name is "?". */
static void put_dims(char *out, size_t size, int rank, const int64_t *dims, const char *const *symbols) {
  size_t used = (size_t)snprintf(out, size, "(");
  for (int i = 0; i < rank && used < size; i++) {
    const char *comma = i ? ", " : "";
    if (dims[i] >= 0) used += (size_t)snprintf(out + used, size - used, "%s%lld", comma, (long long)dims[i]);
    else used += (size_t)snprintf(out + used, size - used, "%s%.40s", comma, symbols && symbols[i] ? symbols[i] : "?");
  }
  if (used < size) snprintf(out + used, size - used, ")");
}

/* Of a file of IR 3 or less, inputs name constants, too. */
static void put_values(am_described *d, const am_onnx_model *m, const char *name, const am_onnx_value *values,
                       size_t n) {
  char dims[512], type[32];
  int shown = 0;
  for (size_t i = 0; i < n && shown < MOST_VALUES; i++) {
    const am_onnx_value *v = &values[i];
    if (m->ir <= 3 && am_onnx_initialiser_find(&m->graph, v->name)) continue;
    shown++;
    if (v->rank >= 0) put_dims(dims, sizeof dims, v->rank, v->dims, v->symbols);
    else snprintf(dims, sizeof dims, "of any shape");
    am_describe_fact(d, name, "%.200s: %s %s", v->name, type_name(v->type, type), dims);
  }
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Operators, each with the number of its nodes; those that are not ONNX's own with their domain. */
static am_status put_operators(am_described *d, const am_onnx_graph *g, am_error *err) {
  const char **all = am_alloc(d->ctx, g->n_nodes + 1, sizeof *all);
  if (!all) return am_no_memory(err);
  for (size_t i = 0; i < g->n_nodes; i++) {
    const am_onnx_node *n = &g->nodes[i];
    const bool own = !*n->domain || !strcmp(n->domain, "ai.onnx");
    char text[400];
    snprintf(text, sizeof text, "%.190s%s%.190s", own ? "" : n->domain, own ? "" : "::", n->op);
    if (!(all[i] = am_tree_string(d->tree, text))) all[i] = "", d->failed = true;
  }
  qsort(all, g->n_nodes, sizeof *all, by_text);
  am_describe_table(d, "operator", NULL, NULL, "nodes");
  for (size_t i = 0, n; i < g->n_nodes; i += n) {
    for (n = 1; i + n < g->n_nodes && !strcmp(all[i], all[i + n]);) n++;
    am_describe_row(d, all[i], NULL, NULL, (double)n);
  }
  am_free(d->ctx, all);
  return AM_OK;
}

static bool is_weight(const am_onnx_tensor *t) {
  return t->count > 1 && (t->type == AM_ONNX_FLOAT || t->type == AM_ONNX_DOUBLE || t->type == AM_ONNX_FLOAT16 ||
                          t->type == AM_ONNX_BFLOAT16);
}

/* Weights one by one; the constants that are sizes, axes and single numbers as one row. */
static void put_constants(am_described *d, const am_onnx_graph *g) {
  char dims[300], type[32], what[400];
  size_t others = 0;
  double numbers = 0;
  am_describe_table(d, "constant", "type", "dimensions", "numbers");
  for (size_t i = 0; i < g->n_initialisers; i++) {
    const am_onnx_tensor *t = &g->initialisers[i];
    if (!is_weight(t)) {
      others++;
      numbers += (double)t->count;
      continue;
    }
    put_dims(dims, sizeof dims, t->rank, t->dims, NULL);
    snprintf(what, sizeof what, "%s%s%.300s", type_name(t->type, type), t->location ? ", in " : "",
             t->location ? t->location : "");
    am_describe_row(d, t->name, what, dims, (double)t->count);
  }
  snprintf(what, sizeof what, "%zu of whole numbers, or of one number", others);
  if (others) am_describe_row(d, what, "", "", numbers);
}

/* A file of ours says by itself what cannot come back. */
static void put_import(am_described *d, const am_onnx_model *m) {
  const char *input = am_onnx_prop_find(m, "input_is");
  d->import = AM_IMPORT_FEATURES;
  if (am_onnx_is_own(m) || strcmp(m->producer, "audiomood") != 0 || !input) return;
  d->import = AM_IMPORT_REFUSED;
  d->refused = strcmp(input, "samples") != 0
                   ? "a graph of several models; import the checkpoints that it was made of"
                   : "a graph that makes the features, too; import the checkpoints that it was made of";
}

am_status am_onnx_describe(am_context *ctx, const char *path, am_described *d, am_error *err) {
  am_onnx_model *m = NULL;
  am_status status = am_onnx_read(ctx, path, &m, err);
  if (status) return status;
  const am_onnx_graph *g = &m->graph;
  am_describe_fact(d, "format", "ONNX, IR version %lld, opset %lld", (long long)m->ir, (long long)m->opset);
  for (size_t i = 0; i < m->n_domains; i++) {
    const bool own = !*m->domains[i].key || !strcmp(m->domains[i].key, "ai.onnx");
    if (!own) am_describe_fact(d, "operators of", "%.200s, version %.20s", m->domains[i].key, m->domains[i].value);
  }
  am_describe_fact(d, "written by", "%.200s%s%.100s",
                   *m->producer ? m->producer : "a program that does not say its name", *m->version ? " " : "",
                   m->version);
  am_describe_text(d, "graph", g->name);
  am_describe_text(d, "note", m->doc);
  put_values(d, m, "input", g->inputs, g->n_inputs);
  put_values(d, m, "output", g->outputs, g->n_outputs);
  for (size_t i = 0; i < m->n_props; i++) am_describe_text(d, m->props[i].key, m->props[i].value);
  if (m->n_functions) am_describe_fact(d, "functions", "%zu", m->n_functions);
  put_import(d, m);
  status = put_operators(d, g, err);
  if (!status) put_constants(d, g);
  am_onnx_free(m);
  return status;
}
