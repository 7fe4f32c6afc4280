/* SPDX-License-Identifier: MIT */
/* ONNX models in memory and in files: what is built comes back, and what a damaged or hostile file says is refused. */
#include "folder_fixture.h"

#include "base/file.h"
#include "exchange/onnx_model.h"

/* y = Conv(x, kernel) of a graph with everything that the layer writes. */
static am_onnx_model *small(void) {
  am_onnx_model *m;
  am_test_ok(am_onnx_create(ctx, &m, &err), &err);
  m->producer = "audiomood";
  am_onnx_input(
      m, &(am_onnx_value){.name = "x", .type = AM_ONNX_FLOAT, .rank = 3, .dims = {-1, 2, 5}, .symbols = {"batch"}});
  am_onnx_scope(m, "conv");
  const char *kernel = am_onnx_floats(m, "conv/kernel", 3, (int64_t[]){1, 2, 2}, (float[]){1, -2, 3.5F, 0});
  am_onnx_call(m, "Relu", "x");
  const char *relu = am_onnx_call(m, "Relu", "x");
  assert_string_equal(relu, "conv/Relu_1");
  am_onnx_call(m, "Conv", relu, kernel, "");
  am_onnx_set_ints(m, "strides", 1, (int64_t[]){1});
  am_onnx_set_text(m, "auto_pad", "NOTSET");
  am_onnx_set_int(m, "group", 1);
  am_onnx_set_float(m, "odd", 0.25F);
  am_onnx_set_texts(m, "words", 2, (const char *const[]){"one", "two"});
  am_onnx_node_named(m, "Identity", (const char *const[]){"conv/Conv", NULL}, "y");
  am_onnx_ints(m, "sizes", 2, (int64_t[]){3, -4});
  am_onnx_output(
      m, &(am_onnx_value){.name = "y", .type = AM_ONNX_FLOAT, .rank = 3, .dims = {-1, 1, 4}, .symbols = {"batch"}});
  am_onnx_prop(m, "labels", "calm\nhappy");
  assert_false(m->failed);
  return m;
}

static void comes_back(void **state) {
  (void)state;
  const char *path = in_folder("small.onnx");
  am_onnx_model *m = small(), *r;
  am_test_ok(am_onnx_write(m, path, &err), &err);
  am_onnx_free(m);
  am_test_ok(am_onnx_read(ctx, path, &r, &err), &err);
  assert_int_equal(r->ir, 8);
  assert_int_equal(r->opset, 17);
  assert_string_equal(r->producer, "audiomood");
  assert_string_equal(am_onnx_prop_find(r, "labels"), "calm\nhappy");
  assert_null(am_onnx_prop_find(r, "label"));
  const am_onnx_graph *g = &r->graph;
  assert_int_equal(g->n_nodes, 4);
  const am_onnx_node *conv = &g->nodes[2];
  assert_string_equal(conv->op, "Conv");
  assert_string_equal(conv->name, "conv/Conv");
  assert_int_equal(conv->n_inputs, 3);
  assert_string_equal(conv->inputs[0], "conv/Relu_1");
  assert_string_equal(conv->inputs[2], "");
  assert_string_equal(conv->outputs[0], "conv/Conv");
  assert_int_equal(am_onnx_attribute_find(conv, "strides")->ints[0], 1);
  assert_string_equal(am_onnx_attribute_find(conv, "auto_pad")->text, "NOTSET");
  assert_int_equal(am_onnx_attribute_find(conv, "group")->i, 1);
  assert_true(am_onnx_attribute_find(conv, "odd")->f == 0.25F);
  assert_string_equal(am_onnx_attribute_find(conv, "words")->texts[1], "two");
  const am_onnx_tensor *kernel = am_onnx_initialiser_find(g, "conv/kernel");
  assert_int_equal(kernel->count, 4);
  assert_true(((const float *)kernel->data)[2] == 3.5F);
  assert_int_equal(((const int64_t *)am_onnx_initialiser_find(g, "sizes")->data)[1], -4);
  assert_int_equal(g->inputs[0].dims[0], -1);
  assert_string_equal(g->inputs[0].symbols[0], "batch");
  assert_int_equal(g->inputs[0].dims[2], 5);
  assert_string_equal(g->outputs[0].name, "y");
  am_onnx_free(r);
}

static void write_bytes(const char *path, const void *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  assert_int_equal(fclose(file), 0);
}

/* Reads a file of these bytes. */
static am_status reads(const char *bytes, size_t n, am_onnx_model **out) {
  const char *path = in_folder("bytes.onnx");
  write_bytes(path, bytes, n);
  return am_onnx_read(ctx, path, out, &err);
}

#define READS(text, out) reads(text, sizeof(text) - 1, out)

static void refusals(void **state) {
  (void)state;
  am_onnx_model *m;
  am_test_fails(READS("not a model", &m), AM_E_FORMAT, &err, "not a model of ONNX, or cut off");
  am_test_fails(READS("", &m), AM_E_FORMAT, &err, "it has no graph");
  am_test_fails(READS("\x3a\x00", &m), AM_E_FORMAT, &err, "it has no version");
  /* graph { initializer { dims, data_type FLOAT, raw_data } } */
  am_test_fails(READS("\x08\x08\x3a\x09\x2a\x07\x08\x02\x10\x01\x4a\x01x", &m), AM_E_FORMAT, &err,
                "has 1 bytes, and its dimensions want 8");
  am_test_fails(READS("\x08\x08\x3a\x06\x2a\x04\x08\x02\x10\x01", &m), AM_E_FORMAT, &err,
                "has 0 numbers, and its dimensions want 2");
  am_test_fails(READS("\x08\x08\x3a\x0f\x2a\x0d\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x01", &m), AM_E_FORMAT,
                &err, "a dimension of -1");
  am_test_fails(READS("\x08\x08\x3a\x18\x2a\x16\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01"
                      "\x10\x01\x1a\x00",
                      &m),
                AM_E_UNSUPPORTED, &err, "9 dimensions");
  /* data_location EXTERNAL, without and with a name, and with an offset that is none */
  am_test_fails(READS("\x08\x08\x3a\x06\x2a\x04\x10\x01\x70\x01", &m), AM_E_FORMAT, &err, "of which there is no name");
  am_test_fails(READS("\x08\x08\x3a\x17\x2a\x15\x10\x01\x70\x01\x6a\x0f\x0a\x06offset\x12\x05wrong", &m), AM_E_FORMAT,
                &err, "its offset in another file is \"wrong\"");
  am_test_ok(READS("\x08\x08\x3a\x17\x2a\x15\x10\x01\x70\x01\x6a\x0f\x0a\x08location\x12\x03w.d", &m), &err);
  assert_string_equal(m->graph.initialisers[0].location, "w.d");
  assert_null(m->graph.initialisers[0].data);
  am_onnx_free(m);
}

/* Half precision and whole numbers of few bits may stand in int32_data. */
static void narrow(void **state) {
  (void)state;
  am_onnx_model *m;
  am_test_ok(READS("\x08\x08\x3a\x0a\x2a\x08\x08\x02\x10\x03\x2a\x02\x07\x09", &m), &err);
  const am_onnx_tensor *t = &m->graph.initialisers[0];
  assert_int_equal(t->type, AM_ONNX_INT8);
  assert_int_equal(((const int8_t *)t->data)[0], 7);
  assert_int_equal(((const int8_t *)t->data)[1], 9);
  am_onnx_free(m);
}

/* Nodes of two bytes each, which take a hundred in memory: refused before they take it. */
static void many_parts(void **state) {
  (void)state;
  enum { NODES = 1 << 17 };
  static char bytes[8 + 2 * NODES];
  memcpy(bytes, "\x08\x08\x3a\x80\x80\x10", 6); /* a graph of 2 * NODES bytes */
  for (size_t i = 0; i < NODES; i++) memcpy(bytes + 6 + 2 * i, "\x0a\x00", 2);
  am_onnx_model *m;
  am_test_fails(reads(bytes, 6 + 2 * NODES, &m), AM_E_FORMAT, &err, "too many small parts");
}

/* An If in an If in an If: the file is read all the same, and its graphs one level at a time, to a limit. */
static void graphs_in_graphs(void **state) {
  (void)state;
  char bytes[512] = "", inner[512];
  size_t n = 0;
  for (int level = 0; level < 11; level++) { /* graph { node { attribute { g, type GRAPH } } } */
    memcpy(inner, bytes, n);
    char *to = bytes;
    *to++ = 0x0a, *to++ = (char)(n + 7), *to++ = 0x2a, *to++ = (char)(n + 5);
    *to++ = 0x32, *to++ = (char)n;
    memcpy(to, inner, n);
    to += n;
    memcpy(to, "\xa0\x01\x05", 3);
    n += 9;
  }
  memmove(bytes + 4, bytes, n);
  memcpy(bytes, "\x08\x08\x3a", 3);
  bytes[3] = (char)n;
  am_onnx_model *m;
  am_test_ok(reads(bytes, n + 4, &m), &err);
  am_onnx_graph *g = &m->graph;
  am_status status = AM_OK;
  int deep = 0;
  err = (am_error)AM_ERROR_INIT;
  for (; !status && deep < 20; deep++)
    status = am_onnx_subgraph(m, g, &g->nodes[0].attributes[0], "bytes.onnx", &g, &err);
  assert_int_equal(deep, AM_ONNX_DEPTH + 1);
  assert_int_equal(status, AM_E_UNSUPPORTED);
  assert_non_null(strstr(err.message, "graphs in graphs, more than 8 deep"));
  err = (am_error)AM_ERROR_INIT;
  am_onnx_free(m);
}

/* Each of the bytes lost, and each changed: read or refused, and nothing is read outside of it (valgrind, ASan). */
static void damage(void **state) {
  (void)state;
  char *good;
  size_t n;
  am_onnx_model *m = small();
  am_test_ok(am_onnx_write(m, in_folder("good.onnx"), &err), &err);
  am_onnx_free(m);
  am_test_ok(am_file_read(ctx, in_folder("good.onnx"), 1 << 20, &good, &n, &err), &err);
  for (size_t i = 0; i < 2 * n; i += getenv("AM_VALGRIND") ? 16 : 1) {
    am_error refused = AM_ERROR_INIT;
    char *bytes = malloc(n);
    memcpy(bytes, good, n);
    if (i >= n) bytes[i - n] ^= (char)(1 << i % 8);
    write_bytes(in_folder("hurt.onnx"), bytes, i < n ? i : n);
    free(bytes);
    am_status status = am_onnx_read(ctx, in_folder("hurt.onnx"), &m, &refused);
    assert_true(status == AM_OK || status == AM_E_FORMAT || status == AM_E_UNSUPPORTED);
    if (!status) am_onnx_free(m);
  }
  am_free(ctx, good);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_back), cmocka_unit_test(refusals),         cmocka_unit_test(narrow),
      cmocka_unit_test(many_parts), cmocka_unit_test(graphs_in_graphs), cmocka_unit_test(damage),
  };
  return cmocka_run_group_tests_name("onnx_model", tests, begin, end);
}
