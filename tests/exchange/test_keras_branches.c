/* SPDX-License-Identifier: MIT */
/* Functional models with branches, models in models, and what older Kerases wrote: goldens of Keras 2.3 and 2.6
 * (tools/golden-keras.py), blocks of ours out and in again, refusals. */
#include "keras_fixture.h"

static void golden_of_2_3(void **state) {
  (void)state;
  check_golden("keras23", AM_KERAS_MEL_TIME, 5, 9, false);
}

/* A Functional model as a layer of another, whose calls Keras 2 counts from 1; TimeDistributed of BatchNormalization. */
static void golden_of_2_6(void **state) {
  (void)state;
  check_golden("keras26", AM_KERAS_MEL_TIME, 5, 9, false);
}

/* CuDNNLSTM in both directions and CuDNNGRU, whose matrices lie the other way. */
static void golden_cudnn(void **state) {
  (void)state;
  check_golden("cudnn", AM_KERAS_MEL_TIME, 5, 6, false);
}

/* ---- blocks of ours ---- */

static const am_shape map = {.rank = 3, .t = 11, .f = 7, .c = 1};

static void same_weights(const char *a, const char *b) {
  am_checkpoint *one, *two;
  size_t n, m;
  am_test_ok(am_checkpoint_load(ctx, a, &one, &err), &err);
  am_test_ok(am_checkpoint_load(ctx, b, &two, &err), &err);
  const float *x = am_model_weights(one->model, &n), *y = am_model_weights(two->model, &m);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n * sizeof *x);
  am_checkpoint_free(one);
  am_checkpoint_free(two);
}

static void blocks_come_back(void **state) {
  (void)state;
  static const char *const layers[] = {
      "residual: {layers: [conv2d: {filters: 4, kernel: 3, padding: same, activation: relu}, batch_norm, conv2d: "
      "{filters: 4, kernel: 3, padding: same, stride: [1, 2]}]}, global_average_pool",
      "to_sequence, residual: {activation: none, layers: [dense: {units: 7, activation: tanh}, lstm: {units: 7}]}, "
      "gru: {units: 2, return: last}",
      "residual: {layers: [conv2d: {filters: 3}, batch_norm], shortcut: [conv2d: {filters: 3}, batch_norm]}, "
      "global_max_pool",
      "conv2d: {filters: 4}, squeeze_excite: {reduction: 2}, to_sequence, squeeze_excite: {reduction: 3}, "
      "attention_pool: {units: 2}",
      "parallel: {branches: [[conv2d: {filters: 2, kernel: 3, padding: same}], [], [conv2d: {filters: 1, kernel: 1}, "
      "residual: {layers: [conv2d: {filters: 1, kernel: 1}]}]]}, global_average_pool",
      "parallel: {branches: [[conv2d: {filters: 2}, global_max_pool], [flatten, dense: {units: 3}], [to_sequence, gru: "
      "{units: 2, return: last}]]}",
      "to_sequence, lstm: {units: 2, layers: 2, bidirectional: true}, glu: {gate: none}, parallel: {branches: [[], "
      "[gru: "
      "{units: 3, bidirectional: true}, glu: {gate: none}]]}, gru: {units: 2, bidirectional: true, return: last}, glu: "
      "{gate: none}",
      "to_sequence, lstm: {units: 2, layers: 3}, gru: {units: 3, layers: 2, bidirectional: true, return: last}"};
  float x[2 * 77], before[8], after[8];
  for (int i = 0; i < 154; i++) x[i] = (float)sin(1.7 * i * i);
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (int layout = 0; layout < 2; layout++) {
      char list[1024];
      am_checkpoint *c;
      const am_exchange_options o = {.layout = layout};
      braced(layers[i], list);
      strcat(list, ", dense");
      make_checkpoint(in_folder("a.h5"), list, map);
      am_test_ok(am_checkpoint_load(ctx, in_folder("a.h5"), &c, &err), &err);
      forward(c->model, x, 2, before);
      am_checkpoint_free(c);
      am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &o, in_folder("b.h5"), &err), &err);
      am_test_ok(import(in_folder("b.h5"), in_folder("c.h5"), layout, 7, 11), &err);
      am_test_ok(am_checkpoint_load(ctx, in_folder("c.h5"), &c, &err), &err);
      forward(c->model, x, 2, after);
      am_checkpoint_free(c);
      assert_memory_equal(before, after, sizeof before);
      /* names settle, and with them everything */
      am_test_ok(am_keras_export(ctx, in_folder("c.h5"), &o, in_folder("d.h5"), &err), &err);
      am_test_ok(import(in_folder("d.h5"), in_folder("e.h5"), layout, 7, 11), &err);
      same_arrays(in_folder("c.h5"), in_folder("e.h5"));
      if (strstr(layers[i], "parallel")) continue; /* Keras sorts layers, and names of branches are by their order */
      same_weights(in_folder("a.h5"), in_folder("c.h5"));
    }
}

/* ---- refusals ---- */

#define IN \
  "{\"class_name\": \"InputLayer\", \"name\": \"in\", \"config\": {\"batch_input_shape\": [null, 8, 4], \"name\": " \
  "\"in\"}, \"inbound_nodes\": []}"
#define LAYER(type, name, options, from) \
  ", {\"class_name\": \"" type "\", \"config\": {\"name\": \"" name "\"" options "}, \"inbound_nodes\": [[" from "]]}"
#define FROM(name) "[\"" name "\", 0, 0, {}]"
#define MODEL(layers, out) \
  "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [" IN layers \
  "], \"input_layers\": [[\"in\", 0, 0]], \"output_layers\": [[\"" out "\", 0, 0]]}}"
#define TANH(name, from) LAYER("Activation", name, ", \"activation\": \"tanh\"", FROM(from))
#define MEAN(from) LAYER("GlobalAveragePooling1D", "mean", "", FROM(from))
#define TIMED(inner) \
  "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"InputLayer\", \"config\": " \
  "{\"batch_input_shape\": [null, 8, 4], \"name\": \"in\"}}, {\"class_name\": \"TimeDistributed\", \"config\": " \
  "{\"name\": " \
  "\"each\", \"layer\": {\"class_name\": \"" inner "\", \"config\": {\"name\": \"inside\"}}}}]}"

static void refuses(void **state) {
  (void)state;
  static const struct {
    const char *config;
    am_status status;
    const char *words; /* NULL: it imports */
  } cases[] = {
      {MODEL(TANH("a", "in") LAYER("Add", "sum", "", FROM("a") ", " FROM("in")) MEAN("sum"), "mean"), AM_OK, NULL},
      {MODEL(TANH("a", "in") LAYER("Add", "sum", "", FROM("a") ", " FROM("in") ", " FROM("in")) MEAN("sum"), "mean"),
       AM_OK, NULL},
      {MODEL(TANH("a", "in") LAYER("TFOpLambda", "tf.add", ", \"function\": \"__operators__.add\"",
                                   "[\"a\", 0, 0, {\"y\": [\"in\", 0, 0], \"name\": null}]") MEAN("tf.add"),
             "mean"),
       AM_OK, NULL},
      {MODEL(TANH("a", "in") LAYER("TFOpLambda", "tf.add", ", \"function\": \"__operators__.add\"",
                                   "[\"a\", 0, 0, {\"y\": 2.0, \"name\": null}]") MEAN("tf.add"),
             "mean"),
       AM_E_UNSUPPORTED, "layer tf.add (Add) is called with y"},
      {MODEL(TANH("a", "in") LAYER("Average", "both", "", FROM("a") ", " FROM("in")) MEAN("both"), "mean"),
       AM_E_UNSUPPORTED, "layer both (Average) has 2 inputs; of layers that join branches only Add"},
      {MODEL(TANH("a", "in") LAYER("Concatenate", "both", ", \"axis\": 1", FROM("a") ", " FROM("in")) MEAN("both"),
             "mean"),
       AM_E_UNSUPPORTED, "layer both (Concatenate): option axis is 1"},
      {MODEL(TANH("a", "in") LAYER("Multiply", "both", "", FROM("a") ", " FROM("in")) MEAN("both"), "mean"),
       AM_E_UNSUPPORTED, "layer both (Multiply) is not the product of its input and a gate"},
      /* crosswise: b belongs to both */
      {MODEL(TANH("a", "in") TANH("b", "in") LAYER("Add", "x", "", FROM("a") ", " FROM("b"))
                 LAYER("Add", "y", "", FROM("b") ", " FROM("x")) MEAN("y"),
             "mean"),
       AM_E_UNSUPPORTED, "layer b (Activation) belongs to two branches"},
      {MODEL(TANH("a", "b") TANH("b", "a") MEAN("b"), "mean"), AM_E_UNSUPPORTED, "comes after itself"},
      {MODEL(TANH("a", "in") LAYER("GlobalMaxPooling1D", "m", "", FROM("in"))
                 LAYER("Add", "sum", "", FROM("a") ", " FROM("m")) MEAN("sum"),
             "mean"),
       AM_E_UNSUPPORTED, "layer sum (Add): its branches end in tensors of different kinds"},
      {TIMED("Conv1D"), AM_E_UNSUPPORTED, "layer each (TimeDistributed) holds Conv1D; only Dense, Dropout"},
      {MODEL(LAYER("Masking", "mask", ", \"mask_value\": 0.0", FROM("in")) MEAN("mask"), "mean"), AM_E_UNSUPPORTED,
       "layer mask (Masking) leaves frames out"},
      {MODEL(TANH("a", "in") LAYER("Masking", "mask", ", \"mask_value\": 0.0", FROM("a")) MEAN("mask"), "mean"),
       AM_E_UNSUPPORTED, "layer mask (Masking) comes after other layers"},
      {MODEL(LAYER("Masking", "mask", ", \"mask_value\": 0.0", FROM("in"))
                 LAYER("GlobalMaxPooling1D", "top", "", FROM("mask")),
             "top"),
       AM_E_UNSUPPORTED, "layer top (GlobalMaxPooling1D) comes after mask (Masking)"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_keras(in_folder("r.h5"), cases[i].config);
    if (!cases[i].words) am_test_ok(import(in_folder("r.h5"), in_folder("x.h5"), 0, 4, 8), &err);
    else am_test_fails(import(in_folder("r.h5"), in_folder("y.h5"), 0, 4, 8), cases[i].status, &err, cases[i].words);
    assert_false(am_file_exists(in_folder("y.h5")));
  }
}

/* Of clips that differ in length, padding is no frame here, and to Masking it is none either. */
static void masking_of_any_length(void **state) {
  (void)state;
  static const char config[] =
      "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Masking\", \"config\": {\"batch_input_shape\": "
      "[null, null, 4], \"name\": \"mask\", \"mask_value\": 0.0}}, {\"class_name\": \"Softmax\", \"config\": "
      "{\"name\": "
      "\"soft\"}}, {\"class_name\": \"GlobalAveragePooling1D\", \"config\": {\"name\": \"mean\"}}]}";
  const char *const set[] = {"features.mels=4", "features.samples=0", "features.max_frames=20"};
  am_import_source o = {
      .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = set, .n_overrides = 3};
  am_checkpoint *c;
  write_keras(in_folder("m.h5"), config);
  am_test_ok(am_keras_import(ctx, in_folder("m.h5"), &o, &(am_exchange_options){0}, in_folder("x.h5"), &err), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("x.h5"), &c, &err), &err);
  assert_true(am_model_input(c->model).variable);
  am_checkpoint_free(c);
}

/* save_weights("x.h5") of Keras 2: the groups at the root, named as that model's layers are, in their order. */
static void weights_of_old(void **state) {
  (void)state;
  float kernel[16], bias[4] = {0.5f, -1, 2, 0}, x[32], y[4], wanted[4];
  for (int i = 0; i < 16; i++) kernel[i] = (float)cos(3.1 * i * i);
  for (int i = 0; i < 32; i++) x[i] = (float)sin(1.3 * i * i);
  am_h5 *h5;
  am_test_ok(am_h5_create_aside(ctx, in_folder("w.h5"), &h5, &err), &err);
  am_test_ok(am_h5_set_texts(h5, "/", "layer_names", (const char *[]){"drop", "answer"}, 2, &err), &err);
  am_test_ok(am_h5_group(h5, "drop", &err), &err);
  am_test_ok(am_h5_set_real(h5, "drop", "weight_names", 0, &err), &err); /* as Keras: no text */
  am_test_ok(am_h5_write(h5, "answer/d/kernel:0", AM_H5_F32, 2, (size_t[]){4, 4}, kernel, &err), &err);
  am_test_ok(am_h5_write(h5, "answer/d/bias:0", AM_H5_F32, 1, (size_t[]){4}, bias, &err), &err);
  am_test_ok(am_h5_set_texts(h5, "answer", "weight_names", (const char *[]){"d/kernel:0", "d/bias:0"}, 2, &err), &err);
  am_test_ok(am_h5_commit(h5, &err), &err);
  const char *const set[] = {"features.mels=4", "features.samples=224",
                             "model.layers=[to_sequence, {dropout: {rate: 0.5}}, global_average_pool, dense]"};
  am_import_source o = {
      .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = set, .n_overrides = 3};
  am_checkpoint *c;
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_keras_import(ctx, in_folder("w.h5"), &o, &(am_exchange_options){.layout = AM_KERAS_TIME_MEL},
                             in_folder("x.h5"), &err),
             &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("x.h5"), &c, &err), &err);
  for (int k = 0; k < 4; k++) {
    double sum = bias[k];
    for (int i = 0; i < 32; i++) sum += (double)x[i] * kernel[4 * (i % 4) + k] / 8;
    wanted[k] = (float)sum;
  }
  am_softmax_rows(wanted, 1, 4, wanted);
  forward(c->model, x, 1, y);
  assert_allclose_f(y, wanted, 4, 0, 1e-6);
  am_checkpoint_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(golden_of_2_3), cmocka_unit_test(golden_of_2_6),
                                     cmocka_unit_test(golden_cudnn),  cmocka_unit_test(blocks_come_back),
                                     cmocka_unit_test(refuses),       cmocka_unit_test(masking_of_any_length),
                                     cmocka_unit_test(weights_of_old)};
  return cmocka_run_group_tests(tests, begin, end);
}
