/* SPDX-License-Identifier: MIT */
/* ONNX models that are not imported: operators, attributes and shapes that there is no layer for, and files that no exporter
 * writes. */
#include "folder_fixture.h"

#include <math.h>

#include "base/file.h"
#include "exchange/onnx_import.h"
#include "exchange/onnx_model.h"

static am_onnx_model *m;

/* A model with the input x (batch, frames, 6), or of these axes. */
static void start_with(int rank, const int64_t *dims) {
  am_test_ok(am_onnx_create(ctx, &m, &err), &err);
  am_onnx_value in = {.name = "x", .type = AM_ONNX_FLOAT, .rank = rank, .symbols = {"batch", "frames"}};
  for (int i = 0; i < rank; i++) in.dims[i] = dims[i];
  am_onnx_input(m, &in);
  am_onnx_scope(m, "odd");
}
static void start(void) { start_with(3, (int64_t[]){-1, -1, 6}); }

static am_status import_it(bool variable) {
  const char *const any[] = {"features.mels=6", "features.samples=0", "features.max_frames=40"};
  const char *const fixed[] = {"features.mels=6", "features.samples=736"};
  am_import_source o = {.config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml",
                        .overrides = variable ? any : fixed,
                        .n_overrides = variable ? 3 : 2};
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_onnx_write(m, in_folder("m.onnx"), &err), &err);
  am_onnx_free(m);
  return am_onnx_import(ctx, in_folder("m.onnx"), &o, &(am_exchange_options){0}, in_folder("m.h5"), &err);
}

static void finish(const char *y) {
  am_onnx_node_named(m, "Identity", (const char *const[]){y, NULL}, "y");
  am_onnx_output(
      m, &(am_onnx_value){.name = "y", .type = AM_ONNX_FLOAT, .rank = 2, .dims = {-1, 4}, .symbols = {"batch"}});
}

/* The mean over frames, and four numbers of it. */
static void finish_mean(const char *y, int64_t width) {
  float kernel[64] = {0.5F};
  const char *mean = am_onnx_call(m, "ReduceMean", y);
  am_onnx_set_ints(m, "axes", 1, (int64_t[]){1});
  am_onnx_set_int(m, "keepdims", 0);
  finish(am_onnx_call(m, "MatMul", mean, am_onnx_floats(m, "last", 2, (int64_t[]){width, 4}, kernel)));
}

static void refused(am_status status, const char *words) {
  am_test_fails(import_it(true), status, &err, words);
  assert_false(am_file_exists(in_folder("m.h5")));
}

static const float numbers[1024] = {0.25F, -0.5F};
static const char *constant(const char *name, int rank, const int64_t *dims) {
  return am_onnx_floats(m, name, rank, dims, numbers);
}

static void operators(void **state) {
  (void)state;
  static const struct {
    const char *op, *words;
  } cases[] = {
      {"Einsum", "node \"odd/Einsum\" (Einsum): there is no layer for this operator; those that can be imported are"},
      {"Elu", "(Elu): there is no layer"},
      {"ArgMax", "(ArgMax): there is no layer"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    start();
    finish_mean(am_onnx_call(m, cases[i].op, "x"), 6);
    refused(AM_E_UNSUPPORTED, cases[i].words);
  }
  start();
  finish_mean(am_onnx_call(m, "Relu", "x"), 6);
  m->graph.nodes[0].domain = "com.example";
  refused(AM_E_UNSUPPORTED, "an operator of \"com.example\", not of ONNX");
}

/* (frames are not among the channels) */
static void functions_of_numbers(void **state) {
  (void)state;
  start();
  const char *x = am_onnx_call(m, "Clip", "x", am_onnx_float(m, "zero", 0), am_onnx_float(m, "six", 6));
  finish_mean(x, 6);
  refused(AM_E_UNSUPPORTED, "node \"odd/Clip\" (Clip): it ends a computation that is none of relu");
  start();
  am_onnx_call(m, "Gelu", "x");
  am_onnx_set_text(m, "approximate", "tanh");
  finish_mean("odd/Gelu", 6);
  refused(AM_E_UNSUPPORTED, "attribute approximate is tanh; only the exact GELU can be imported");
  start();
  finish_mean(am_onnx_call(m, "PRelu", "x", constant("slopes", 1, (int64_t[]){6})), 6);
  refused(AM_E_UNSUPPORTED, "slopes differ from channel to channel");
  start();
  finish_mean(am_onnx_call(m, "Add", "x", constant("position", 2, (int64_t[]){40, 6})), 6);
  refused(AM_E_SHAPE, "its constants do not have the shape of its input");
  start();
  x = am_onnx_call(m, "ReduceMean", "x");
  am_onnx_set_ints(m, "axes", 1, (int64_t[]){2});
  finish_mean(x, 1);
  refused(AM_E_UNSUPPORTED, "takes one number of all channels");
}

static void convolution(const char *attribute, size_t n, const int64_t *values, const char *words) {
  start();
  const char *turned = am_onnx_call(m, "Transpose", "x");
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){0, 2, 1});
  const char *y = am_onnx_call(m, "Conv", turned, constant("kernel", 3, (int64_t[]){5, 6, 3}));
  if (n) am_onnx_set_ints(m, attribute, n, values);
  else am_onnx_set_int(m, attribute, *values);
  y = am_onnx_call(m, "Transpose", y);
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){0, 2, 1});
  finish_mean(y, 5);
  refused(AM_E_UNSUPPORTED, words);
}

static void attributes(void **state) {
  (void)state;
  convolution("group", 0, (int64_t[]){2}, "node \"odd/Conv\" (Conv): attribute group is 2; only 1 can be imported");
  convolution("pads", 2, (int64_t[]){4, 0}, "attribute pads is [4, ...] before and [0, ...] after");
  start(); /* as `same` for some lengths of clips, and not for others */
  const char *across = am_onnx_call(m, "Transpose", "x");
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){0, 2, 1});
  across = am_onnx_call(m, "MaxPool", across);
  am_onnx_set_ints(m, "kernel_shape", 1, (int64_t[]){2});
  am_onnx_set_ints(m, "strides", 1, (int64_t[]){2});
  am_onnx_set_ints(m, "pads", 2, (int64_t[]){0, 1});
  across = am_onnx_call(m, "Transpose", across);
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){0, 2, 1});
  finish_mean(across, 6);
  refused(AM_E_UNSUPPORTED, "attribute pads is [0, ...] before and [1, ...] after");
  convolution("strides", 1, (int64_t[]){0}, "attribute strides holds 0");
  convolution("strides", 1, (int64_t[]){1 << 20}, "attribute strides holds 1048576");
  convolution("wobble", 0, (int64_t[]){1}, "attribute wobble is not known here");
  start();
  const char *out[2];
  const char *turned = am_onnx_call(m, "Transpose", "x");
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){1, 0, 2});
  const char *w = constant("w", 3, (int64_t[]){1, 8, 6}), *u = constant("u", 3, (int64_t[]){1, 8, 2});
  am_onnx_node_many(m, "LSTM", (const char *const[]){turned, w, u, NULL}, 2, out);
  am_onnx_set_int(m, "hidden_size", 2);
  am_onnx_set_text(m, "direction", "reverse");
  finish(out[1]);
  refused(AM_E_UNSUPPORTED, "attribute direction is reverse");
}

/* Of (batch, channels, frames): what comes behind zeros that are put around. */
static const char *padded(const char *mode, float value, const int64_t pads[6]) {
  start();
  const char *x = am_onnx_call(m, "Transpose", "x");
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){0, 2, 1});
  x = am_onnx_call(m, "Pad", x, am_onnx_ints(m, "pads", 6, pads), am_onnx_float(m, "value", value));
  am_onnx_set_text(m, "mode", mode);
  return x;
}

static void refused_behind(const char *x, const char *op, int64_t width, const char *words) {
  if (!strcmp(op, "Conv")) x = am_onnx_call(m, op, x, constant("kernel", 3, (int64_t[]){width, 6, 3}));
  else x = am_onnx_call(m, op, x);
  if (strstr(op, "Pool")) am_onnx_set_ints(m, "kernel_shape", 1, (int64_t[]){3});
  if (!strcmp(op, "AveragePool")) am_onnx_set_ints(m, "pads", 2, (int64_t[]){1, 1});
  x = am_onnx_call(m, "Transpose", x);
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){0, 2, 1});
  finish_mean(x, width);
  refused(AM_E_UNSUPPORTED, words);
}

static void zeros_around(void **state) {
  (void)state;
  static const int64_t one[6] = {0, 0, 1, 0, 0, 1}, cut[6] = {0, 0, -1, 0, 0, 0}, channels[6] = {0, 1, 0, 0, 0, 0};
  refused_behind(padded("reflect", 0, one), "Conv", 5,
                 "node \"odd/Pad\" (Pad): attribute mode is reflect; there is no layer that puts anything but zeros");
  refused_behind(padded("constant", 1, one), "Conv", 5, "(Pad): it puts another constant around frames and bins");
  refused_behind(padded("constant", 0, cut), "Conv", 5, "(Pad): it puts -1 places around an axis");
  refused_behind(padded("constant", 0, channels), "Conv", 5, "(Conv): zeros were put around its channels (Pad)");
  refused_behind(padded("constant", 0, one), "Relu", 6,
                 "(Relu): zeros were put around its input (Pad), which only Conv");
  refused_behind(padded("constant", 0, one), "MaxPool", 6,
                 "(MaxPool): zeros were put around its input (Pad), which are no");
  refused_behind(padded("constant", 0, one), "AveragePool", 6, "and padding of its own, which does not");
  const char *x = padded("constant", 0, one);
  x = am_onnx_call(m, "Reshape", x, am_onnx_ints(m, "shape", 3, (int64_t[]){0, 6, -1}));
  refused_behind(x, "Conv", 5, "(Reshape): zeros were put around its input (Pad)");
  x = padded("constant", 0, one);
  x = am_onnx_call(m, "Slice", x, am_onnx_ints(m, "from", 1, (int64_t[]){1}), am_onnx_ints(m, "to", 1, (int64_t[]){3}),
                   am_onnx_ints(m, "axis", 1, (int64_t[]){2}));
  refused_behind(x, "Conv", 5, "(Slice): zeros were put around its input (Pad)");
}

/* Parts of what a dense layer of six numbers gives. */
static void split(size_t n, const char **out) {
  start();
  const char *x = am_onnx_call(m, "MatMul", "x", constant("w", 2, (int64_t[]){6, 6}));
  am_onnx_node_many(m, "Split", (const char *const[]){x, NULL}, n, out);
  am_onnx_set_int(m, "axis", 2);
}

static void parts(void **state) {
  (void)state;
  const char *out[5];
  split(2, out); /* the gate is the first half */
  finish_mean(am_onnx_call(m, "Mul", am_onnx_call(m, "Sigmoid", out[0]), out[1]), 3);
  refused(AM_E_UNSUPPORTED, "node \"odd/Mul\" (Mul): it multiplies two results");
  split(2, out); /* a half by itself */
  finish_mean(am_onnx_call(m, "Mul", out[1], out[1]), 3);
  refused(AM_E_UNSUPPORTED, "(Mul): it ends a computation that is none of relu");
  split(5, out);
  finish_mean(out[0], 2);
  refused(AM_E_UNSUPPORTED, "node \"odd/Split\" (Split): it has 5 outputs; 1 to 3 can be imported");
  start();
  const char *sizes = am_onnx_ints(m, "sizes", 2, (int64_t[]){4, 4});
  am_onnx_node_many(m, "Split", (const char *const[]){"x", sizes, NULL}, 2, out);
  am_onnx_set_int(m, "axis", 2);
  finish_mean(out[0], 4);
  refused(AM_E_FORMAT, "its parts are not those of an axis of 6");
  start(); /* halves of an LSTM of one direction, at its last frame and at its first */
  const char *turned = am_onnx_call(m, "Transpose", "x");
  am_onnx_set_ints(m, "perm", 3, (int64_t[]){1, 0, 2});
  const char *w = constant("w", 3, (int64_t[]){1, 8, 6}), *u = constant("u", 3, (int64_t[]){1, 8, 2});
  const char *z = am_onnx_call(m, "LSTM", turned, w, u);
  am_onnx_set_int(m, "hidden_size", 2);
  z = am_onnx_call(m, "Squeeze", z, am_onnx_ints(m, "directions", 1, (int64_t[]){1}));
  am_onnx_node_many(m, "Split", (const char *const[]){z, NULL}, 2, out);
  am_onnx_set_int(m, "axis", 2);
  const char *last = am_onnx_call(m, "Gather", out[0], am_onnx_int(m, "end", -1));
  const char *first = am_onnx_call(m, "Gather", out[1], am_onnx_int(m, "begin", 0));
  z = am_onnx_call(m, "Mul", last, first);
  finish(am_onnx_call(m, "MatMul", z, constant("last", 2, (int64_t[]){1, 4})));
  refused(AM_E_UNSUPPORTED, "(Mul): it takes a part of an axis");
  start_with(4, (int64_t[]){-1, 1, -1, 6});
  const char *y = am_onnx_call(m, "Conv", "x", constant("kernel", 4, (int64_t[]){4, 1, 3, 3}));
  am_onnx_node_many(m, "Split", (const char *const[]){y, NULL}, 2, out);
  am_onnx_set_int(m, "axis", 1);
  y = am_onnx_call(m, "ReduceMean", am_onnx_call(m, "Add", out[0], out[1]));
  am_onnx_set_ints(m, "axes", 2, (int64_t[]){2, 3});
  am_onnx_set_int(m, "keepdims", 0);
  finish(am_onnx_call(m, "MatMul", y, constant("last", 2, (int64_t[]){2, 4})));
  refused(AM_E_UNSUPPORTED, "a half of the channels that is multiplied by the other (glu) can be taken");
}

static void shapes(void **state) {
  (void)state;
  start();
  finish_mean(am_onnx_call(m, "Reshape", "x", am_onnx_ints(m, "halves", 3, (int64_t[]){0, -1, 12})), 12);
  refused(AM_E_UNSUPPORTED, "mixes or cuts frames, bins and channels");
  start();
  const char *y = am_onnx_call(m, "Slice", "x", am_onnx_ints(m, "a", 1, (int64_t[]){3}),
                               am_onnx_ints(m, "b", 1, (int64_t[]){9}), am_onnx_ints(m, "c", 1, (int64_t[]){1}));
  finish_mean(y, 6);
  refused(AM_E_UNSUPPORTED, "it takes a part of an axis");
  start();
  finish_mean(am_onnx_call(m, "MatMul", "x", "x"), 6);
  refused(AM_E_UNSUPPORTED, "it multiplies two results of the clip");
  start();
  finish(am_onnx_call(m, "Relu", "x"));
  refused(AM_E_UNSUPPORTED, "not one number for each label");
  start_with(4, (int64_t[]){-1, 3, 6, -1});
  finish(am_onnx_call(m, "Relu", "x"));
  refused(AM_E_UNSUPPORTED, "has 3 channels beside frames and bins");
  start_with(3, (int64_t[]){-1, 6, 6});
  finish(am_onnx_call(m, "Relu", "x"));
  refused(AM_E_CONFIG, "set the option layout to mel_time, time_mel or frames_first");
  start_with(5, (int64_t[]){-1, 1, 1, 6, -1});
  finish(am_onnx_call(m, "Relu", "x"));
  refused(AM_E_UNSUPPORTED, "has 5 axes; wanted 2 to 4");
}

static void ends(void **state) {
  (void)state;
  start();
  const char *mean = am_onnx_call(m, "ReduceMean", "x");
  am_onnx_set_ints(m, "axes", 1, (int64_t[]){1});
  am_onnx_set_int(m, "keepdims", 0);
  const char *y = am_onnx_call(m, "MatMul", mean, constant("last", 2, (int64_t[]){6, 4}));
  finish(am_onnx_call(m, "Sigmoid", y));
  refused(AM_E_UNSUPPORTED, "the model ends in sigmoid");
}

/* Paths that part and meet in another way than blocks do. */
static void paths(void **state) {
  (void)state;
  start();
  const char *a = am_onnx_call(m, "MatMul", "x", constant("a", 2, (int64_t[]){6, 6}));
  const char *b = am_onnx_call(m, "MatMul", "x", constant("b", 2, (int64_t[]){6, 6}));
  finish_mean(am_onnx_call(m, "Add", am_onnx_call(m, "Tanh", a), am_onnx_call(m, "Tanh", b)), 6);
  refused(AM_E_UNSUPPORTED, "it adds two paths that both have layers");
  start();
  a = am_onnx_call(m, "Tanh", am_onnx_call(m, "MatMul", "x", constant("a", 2, (int64_t[]){6, 6})));
  b = am_onnx_call(m, "Tanh",
                   am_onnx_call(m, "MatMul", am_onnx_call(m, "Add", a, "x"), constant("b", 2, (int64_t[]){6, 6})));
  const char *c = am_onnx_call(m, "Concat", b, a);
  am_onnx_set_int(m, "axis", 2);
  finish_mean(c, 12);
  refused(AM_E_UNSUPPORTED, "what it gives is read in more than one place");
}

/* ---- files that no exporter writes ---- */

static void broken_graphs(void **state) {
  (void)state;
  start();
  finish_mean("nowhere", 6);
  refused(AM_E_FORMAT, "it reads \"nowhere\", which is no input, no constant, and no output of a node before it");
  start(); /* a circle */
  am_onnx_node_named(m, "Relu", (const char *const[]){"second", NULL}, "first");
  am_onnx_node_named(m, "Relu", (const char *const[]){"first", NULL}, "second");
  finish_mean("second", 6);
  refused(AM_E_FORMAT, "it reads \"second\"");
  start();
  am_onnx_node_named(m, "Relu", (const char *const[]){"x", NULL}, "twice");
  am_onnx_node_named(m, "Tanh", (const char *const[]){"x", NULL}, "twice");
  finish_mean("twice", 6);
  refused(AM_E_FORMAT, "its output \"twice\" is that of another node, too");
  start();
  constant("same", 1, (int64_t[]){6});
  constant("same", 1, (int64_t[]){6});
  finish_mean(am_onnx_call(m, "Add", "x", "same"), 6);
  refused(AM_E_FORMAT, "two tensors are called \"same\"");
  start();
  finish_mean(am_onnx_call(m, "Relu", "x"), 6);
  m->graph.n_outputs = 0;
  refused(AM_E_UNSUPPORTED, "it has no output");
  start();
  finish_mean(am_onnx_call(m, "Relu", ""), 6);
  refused(AM_E_UNSUPPORTED, "node \"odd/Relu\" (Relu)");
}

static void large_numbers(void **state) {
  (void)state;
  start(); /* a constant of 10^18 numbers, made of a shape */
  const char *shape = am_onnx_ints(m, "large", 3, (int64_t[]){1000000, 1000000, 1000000});
  finish_mean(am_onnx_call(m, "Add", "x", am_onnx_call(m, "ConstantOfShape", shape)), 6);
  refused(AM_E_UNSUPPORTED, "it computes more numbers beside those of the clip than are followed here");
  start();
  shape = am_onnx_ints(m, "minus", 2, (int64_t[]){0, -5});
  finish_mean(am_onnx_call(m, "Add", "x", am_onnx_call(m, "ConstantOfShape", shape)), 6);
  refused(AM_E_FORMAT, "negative size");
  start();
  finish_mean(am_onnx_call(m, "Reshape", "x", am_onnx_ints(m, "s", 3, (int64_t[]){0, 0, INT64_MAX})), 6);
  refused(AM_E_UNSUPPORTED, "mixes or cuts");
  start();
  finish_mean(am_onnx_call(m, "Squeeze", "x", am_onnx_ints(m, "axis", 1, (int64_t[]){INT64_MIN})), 6);
  refused(AM_E_FORMAT, "is not one of 3");
  start();
  const float nan[6] = {0, 0, NAN};
  finish_mean(am_onnx_call(m, "Add", "x", am_onnx_floats(m, "nan", 1, (int64_t[]){6}, nan)), 6);
  refused(AM_E_NUMERIC, "number 3 of its constants is not a number");
  start(); /* finite numbers, of which a weight is made that is not */
  static const float huge[36] = {1, -1e30F};
  const char *y = am_onnx_call(m, "MatMul", "x", am_onnx_floats(m, "huge", 2, (int64_t[]){6, 6}, huge));
  finish_mean(am_onnx_call(m, "Mul", y, am_onnx_floats(m, "too", 1, (int64_t[]){1}, (float[]){1e30F})), 6);
  refused(AM_E_NUMERIC, "/kernel: number 2 of 36 is infinite");
  start_with(3, (int64_t[]){-1, 0, 6});
  finish(am_onnx_call(m, "Relu", "x"));
  refused(AM_E_FORMAT, "has an axis of 0");
}

/* Many layers, and an expression that never ends. */
static void long_graphs(void **state) {
  (void)state;
  start();
  const char *y = "x";
  for (int i = 0; i < 300; i++) y = am_onnx_call(m, "Relu", y);
  finish_mean(y, 6);
  am_test_ok(import_it(true), &err); /* a relu of a relu is one */
  assert_int_equal(remove(in_folder("m.h5")), 0);
  start();
  y = "x";
  for (int i = 0; i < 2100; i++) y = am_onnx_call(m, "LogSoftmax", y);
  finish_mean(y, 6);
  refused(AM_E_UNSUPPORTED, "the model has more than 2000 layers");
  start();
  y = "x";
  for (int i = 0; i < 200; i++) y = am_onnx_call(m, "Mul", y, y);
  finish_mean(y, 6);
  refused(AM_E_UNSUPPORTED, "it ends a computation that is none of relu");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(operators),     cmocka_unit_test(functions_of_numbers),
                                     cmocka_unit_test(attributes),    cmocka_unit_test(zeros_around),
                                     cmocka_unit_test(parts),         cmocka_unit_test(shapes),
                                     cmocka_unit_test(ends),          cmocka_unit_test(paths),
                                     cmocka_unit_test(broken_graphs), cmocka_unit_test(large_numbers),
                                     cmocka_unit_test(long_graphs)};
  return cmocka_run_group_tests(tests, begin, end);
}
