/* SPDX-License-Identifier: MIT */
/* Keras models in and out: goldens saved by Keras 2.15 (tools/golden-keras.py), the way back, refusals,
 * damage. */
#include "keras_fixture.h"
#include "model/evaluate.h"
#include "model/metrics.h"

/* ---- goldens ---- */

static void golden_conv2d(void **state) {
  (void)state;
  check_golden("conv2d", AM_KERAS_MEL_TIME, 7, 11, true);
}

/* The same file read as (frames, mel, 1) is another model of ours with the same outputs. */
static void golden_conv2d_time_mel(void **state) {
  (void)state;
  check_golden("conv2d", AM_KERAS_TIME_MEL, 11, 7, false);
}

static void golden_permute(void **state) {
  (void)state;
  check_golden("permute", AM_KERAS_MEL_TIME, 6, 9, true);
  const char *file = am_test_source("tests/exchange/golden/permute.h5");
  am_test_fails(import(file, in_folder("d.h5"), AM_KERAS_TIME_MEL, 9, 6), AM_E_UNSUPPORTED, &err, "Reshape");
}

static void golden_conv1d(void **state) {
  (void)state;
  check_golden("conv1d", AM_KERAS_MEL_TIME, 5, 13, false);
}

static void golden_bidirectional(void **state) {
  (void)state;
  check_golden("bidirectional", AM_KERAS_MEL_TIME, 5, 6, false);
}

/* ---- features and labels that do not fit ---- */

static void config_must_fit(void **state) {
  (void)state;
  const char *file = am_test_source("tests/exchange/golden/conv1d.h5"), *out = in_folder("fitted.h5");
  am_test_fails(import(file, out, 0, 6, 13), AM_E_SHAPE, &err, "wants 5 bins");
  am_test_fails(import(file, out, 0, 5, 12), AM_E_SHAPE, &err, "wants clips of 13 frames");
  am_import_source o = {.config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .labels = "a,b,c"};
  am_test_fails(am_keras_import(ctx, file, &o, &(am_exchange_options){0}, out, &err), AM_E_SHAPE, &err,
                "4 outputs, and there are 3 labels");
  const char *const set[] = {"features.mels=5", "features.samples=384", "features.normalise=train"};
  o = (am_import_source){.config = o.config, .overrides = set, .n_overrides = 3};
  am_test_fails(am_keras_import(ctx, file, &o, &(am_exchange_options){0}, out, &err), AM_E_CONFIG, &err,
                "features.normalise is train");
  assert_false(am_file_exists(out));
  o.n_overrides = 2;
  o.labels = "one,two,three,four";
  am_test_ok(am_keras_import(ctx, file, &o, &(am_exchange_options){0}, out, &err), &err);
  am_checkpoint *c;
  am_test_ok(am_checkpoint_load(ctx, out, &c, &err), &err);
  assert_string_equal(c->labels[3], "four");
  am_checkpoint_free(c);
}

static void labels_must_differ(void **state) {
  (void)state;
  static const struct {
    const char *labels, *more, *message; /* NULL: calm, happy, sad, angry of the config */
  } cases[] = {
      {"a,b,a,c", NULL, "option labels: \"a\" is listed twice"},
      {"a,b,c,", NULL, "option labels: label 4 is empty"},
      {",b,c,d", NULL, "option labels: label 1 is empty"},
      {NULL, "data.labels=[a, b, b, c]", "data.labels: \"b\" is listed twice"},
      {NULL, "data.labels=[a, '', b, c]", "data.labels: label 2 is empty"},
      {NULL, "data.rename={calm: well, sad: well}", "data.rename: \"calm\" and \"sad\" are both renamed to \"well\""},
      {NULL, "data.rename={angry: calm}", "data.rename: \"calm\" and \"angry\" are both renamed to \"calm\""},
      {"one,two,three,four", "data.rename={two: ''}", "data.rename: \"two\" is renamed to nothing"}};
  const char *file = am_test_source("tests/exchange/golden/conv1d.h5"), *out = in_folder("differ.h5");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *const set[] = {"features.mels=5", "features.samples=384", cases[i].more};
    am_import_source o = {.config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml",
                          .overrides = set,
                          .n_overrides = cases[i].more ? 3 : 2,
                          .labels = cases[i].labels};
    am_test_fails(am_keras_import(ctx, file, &o, &(am_exchange_options){0}, out, &err), AM_E_CONFIG, &err,
                  cases[i].message);
    assert_false(am_file_exists(out));
  }
  const char *const swap[] = {"features.mels=5", "features.samples=384", "data.rename={calm: sad, sad: calm}"};
  am_import_source o = {
      .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = swap, .n_overrides = 3};
  am_checkpoint *c;
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_keras_import(ctx, file, &o, &(am_exchange_options){0}, out, &err), &err);
  am_test_ok(am_checkpoint_load(ctx, out, &c, &err), &err);
  assert_string_equal(c->labels[0], "sad");
  assert_string_equal(c->labels[2], "calm");
  am_checkpoint_free(c);
}

/* ---- refusals of Keras models ---- */

static void refuses(const char *layer, int input_rank, am_status wanted, const char *words) {
  static const char *const shapes[] = {"null, 8", "null, 8, 5", "null, 5, 8, 1"};
  char config[2048];
  snprintf(config, sizeof config,
           "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": ["
           "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [%s], \"name\": \"in\"}}, %s]}}",
           shapes[input_rank - 1], layer);
  write_keras(in_folder("r.h5"), config);
  am_test_fails(import(in_folder("r.h5"), in_folder("x.h5"), 0, 5, 8), wanted, &err, words);
  assert_false(am_file_exists(in_folder("x.h5")));
}

#define LAYER(type, options) "{\"class_name\": \"" type "\", \"config\": {\"name\": \"odd\"" options "}}"
#define NEXT(type, options) "{\"class_name\": \"" type "\", \"config\": {\"name\": \"next\"" options "}}"
#define CONV ", \"filters\": 2, \"kernel_size\": [3], \"strides\": [1], \"dilation_rate\": [1]"

static void refuses_layers(void **state) {
  (void)state;
  static const struct {
    const char *layer;
    int rank;
    const char *words;
  } cases[] = {
      {LAYER("Embedding", ""), 2, "layer odd is a Embedding"},
      {LAYER("SeparableConv1D", ""), 2, "SeparableConv1D"},
      {LAYER("Conv1D", CONV ", \"padding\": \"full\""), 2, "layer odd (Conv1D): option padding is full"},
      {LAYER("Conv2D",
             ", \"filters\": 2, \"kernel_size\": [3, 3], \"strides\": [1, 1], \"dilation_rate\": [1, 1], "
             "\"padding\": \"causal\""),
       3, "option padding is causal; only valid or same"},
      {LAYER("MaxPooling1D", ", \"pool_size\": [2], \"padding\": \"causal\""), 2, "option padding is causal"},
      {LAYER("ZeroPadding1D", ", \"padding\": [1, 1]"), 2,
       "layer odd (ZeroPadding) is followed by nothing (the output)"},
      {LAYER("ZeroPadding1D", ", \"padding\": [1, -1]"), 2, "option padding is a list"},
      {LAYER("ZeroPadding1D", ", \"padding\": 1") ", " NEXT("Flatten", ""), 2, "followed by next (Flatten)"},
      {LAYER("ZeroPadding1D", ", \"padding\": 1") ", " NEXT("Conv1D", CONV ", \"padding\": \"same\""), 2,
       "option padding is same; only valid, behind a ZeroPadding, can"},
      {LAYER("ZeroPadding1D", ", \"padding\": [0, 2]") ", " NEXT("Conv1D", CONV ", \"padding\": \"valid\""), 2,
       "puts 0 before and 2 after"},
      {LAYER("ZeroPadding1D", ", \"padding\": [1, 0]") ", " NEXT("Conv1D", CONV ", \"padding\": \"valid\""), 2,
       "puts 1 before and 0 after"},
      {LAYER("ZeroPadding2D", ", \"padding\": [[1, 1], [3, 2]]") ", " NEXT(
           "AveragePooling2D", ", \"pool_size\": [3, 3], \"strides\": [1, 1], \"padding\": \"valid\""),
       3, "puts 3 before and 2 after"},
      {LAYER("ZeroPadding1D", ", \"padding\": 1") ", " NEXT("MaxPooling1D",
                                                            ", \"pool_size\": [3], \"padding\": \"valid\""),
       2, "zeros change no maximum only behind a relu"},
      /* a normalisation between the relu and the zeros moves them */
      {"{\"class_name\": \"ReLU\", \"config\": {\"name\": \"first\"}}, "
       "{\"class_name\": \"BatchNormalization\", \"config\": {\"name\": \"second\", \"axis\": 2}}, " LAYER(
           "ZeroPadding1D", ", \"padding\": 1") ", " NEXT("MaxPooling1D",
                                                          ", \"pool_size\": [3], \"padding\": \"valid\""),
       2, "zeros change no maximum only behind a relu"},
      {LAYER("Conv1D", CONV ", \"padding\": \"same\", \"groups\": 2"), 2, "option groups is 2"},
      {LAYER("Conv1D", CONV ", \"padding\": \"same\", \"data_format\": \"channels_first\""), 2, "channels_first"},
      {LAYER("Conv1D", CONV ", \"padding\": \"same\", \"activation\": \"selu\""), 2, "option activation is selu"},
      {LAYER("Conv1D", CONV ", \"padding\": \"same\", \"wobble\": 1"), 2, "not known here: wobble"},
      {LAYER("Conv1D", ", \"filters\": -1"), 2, "option filters is -1"},
      {LAYER("Conv1D", ", \"filters\": 2, \"kernel_size\": [3, 3]"), 2, "option kernel_size is a list"},
      {LAYER("Dropout", ", \"rate\": 0.5, \"noise_shape\": [1]"), 2, "noise_shape"},
      {LAYER("ReLU", ", \"max_value\": 6.0"), 2, "option max_value is 6"},
      {LAYER("Softmax", ", \"axis\": 1"), 2, "option axis is 1"},
      {LAYER("BatchNormalization", ", \"axis\": [1]"), 3, "option axis is a list"},
      {LAYER("LSTM", ", \"units\": 3, \"activation\": \"relu\""), 2, "option activation is relu"},
      {LAYER("LSTM", ", \"units\": 3, \"recurrent_activation\": \"hard_sigmoid\""), 2, "hard_sigmoid"},
      {LAYER("LSTM", ", \"units\": 3, \"go_backwards\": true"), 2, "go_backwards"},
      {LAYER("GRU", ", \"units\": 3, \"stateful\": true"), 2, "stateful"},
      {LAYER("Bidirectional", ", \"merge_mode\": null, \"layer\": " LAYER("LSTM", ", \"units\": 3")), 2,
       "merge_mode is null"},
      {LAYER("Bidirectional", ", \"layer\": " LAYER("SimpleRNN", "")), 2, "holds SimpleRNN"},
      {LAYER("Bidirectional", ", \"layer\": " LAYER("LSTM", ", \"units\": 3, \"go_backwards\": true")), 2,
       "go_backwards"},
      {LAYER("Permute", ", \"dims\": [1, 2, 3]"), 3, "option dims"},
      {LAYER("Reshape", ", \"target_shape\": [5, 8]"), 3, "Permute((2, 1, 3))"},
      {LAYER("Dense", ", \"units\": 4, \"activation\": \"sigmoid\""), 2, "the model ends in sigmoid"},
      {LAYER("Flatten", ""), 3, "no Dense layer after odd"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuses(cases[i].layer, cases[i].rank, AM_E_UNSUPPORTED, cases[i].words);
  refuses(LAYER("Conv2D", ""), 2, AM_E_SHAPE, "wants 3 dimensions without the batch, and is given 2");
  refuses("{\"class_name\": \"Dense\"}", 2, AM_E_FORMAT, "without class_name or name");
}

static void refuses_models(void **state) {
  (void)state;
  static const struct {
    const char *config;
    am_status status;
    const char *words;
  } cases[] = {{"{\"class_name\": \"Functional\", \"config\": {}}", AM_E_FORMAT, "no layers"},
               {"{\"class_name\": \"Siamese\", \"config\": {}}", AM_E_UNSUPPORTED, "the model is a Siamese"},
               {"{\"class_name\": \"Sequential\", \"config\": {\"layers\": []}}", AM_E_FORMAT, "no layers"},
               {"{\"class_name\": \"Sequential\", \"config\": {\"layers\": [" LAYER("Flatten", "") "]}}",
                AM_E_UNSUPPORTED, "batch_input_shape"},
               {"[1, 2]", AM_E_UNSUPPORTED, "without class_name"},
               {"{\"class_name\": ", AM_E_FORMAT, "model_config"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_keras(in_folder("r.h5"), cases[i].config);
    am_test_fails(import(in_folder("r.h5"), in_folder("x.h5"), 0, 5, 8), cases[i].status, &err, cases[i].words);
  }
}

/* A vector is the features one frame after the other; names may hold what ours may not. */
static void vector_input(void **state) {
  (void)state;
  static const char config[] =
      "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Dense\", \"config\": "
      "{\"name\": \"a.b\", \"batch_input_shape\": [null, 40], \"units\": 4, \"activation\": \"softmax\"}}]}";
  const char *path = in_folder("vector.h5"), *out = in_folder("vector-ours.h5");
  float kernel[40 * 4], bias[4] = {0.5f, -1, 2, 0}, x[40], wanted[4], got[4];
  for (int i = 0; i < 160; i++) kernel[i] = (float)cos(3.1 * i * i);
  for (int i = 0; i < 40; i++) x[i] = (float)sin(1.3 * i * i);
  write_keras(path, config);
  am_h5 *h5;
  am_test_ok(am_h5_open(ctx, path, AM_H5_UPDATE, &h5, &err), &err);
  am_test_ok(am_h5_write(h5, "model_weights/a.b/x/kernel:0", AM_H5_F32, 2, (size_t[]){40, 4}, kernel, &err), &err);
  am_test_ok(am_h5_write(h5, "model_weights/a.b/x/bias:0", AM_H5_F32, 1, (size_t[]){4}, bias, &err), &err);
  am_test_ok(
      am_h5_set_texts(h5, "model_weights/a.b", "weight_names", (const char *[]){"x/kernel:0", "x/bias:0"}, 2, &err),
      &err);
  am_h5_close(h5);
  for (int k = 0; k < 4; k++) {
    double sum = bias[k];
    for (int i = 0; i < 40; i++) sum += (double)x[i] * kernel[4 * i + k];
    wanted[k] = (float)sum;
  }
  am_softmax_rows(wanted, 1, 4, wanted);
  am_checkpoint *c;
  am_test_ok(import(path, out, 0, 5, 8), &err);
  am_test_ok(am_checkpoint_load(ctx, out, &c, &err), &err);
  assert_string_equal(am_model_weight_info(c->model, 0)->name, "a_b/kernel");
  forward(c->model, x, 1, got);
  assert_allclose_f(got, wanted, 4, 0, 1e-6);
  am_checkpoint_free(c);
  am_test_fails(import(path, in_folder("x.h5"), 0, 5, 9), AM_E_SHAPE, &err, "wants 40 numbers a clip");
}

/* ---- damage ---- */

static void copy(const char *to) {
  char *data;
  size_t n;
  am_test_ok(am_file_read(ctx, am_test_source("tests/exchange/golden/conv1d.h5"), 1 << 20, &data, &n, &err), &err);
  am_test_file(to, data, n);
  am_free(ctx, data);
}

static am_h5 *open_copy(const char *path) {
  am_h5 *h5;
  copy(path);
  am_test_ok(am_h5_open(ctx, path, AM_H5_FOREIGN | AM_H5_UPDATE, &h5, &err), &err);
  return h5;
}

static void damaged_files(void **state) {
  (void)state;
  const char *path = in_folder("damaged.h5"), *out = in_folder("x.h5"), *name = "model_weights/conv1d/conv1d/kernel:0";
  static const float zeros[6 * 6];
  am_h5 *h5 = open_copy(path);
  am_test_ok(am_h5_delete(h5, name, &err), &err);
  am_h5_close(h5);
  am_test_fails(import(path, out, 0, 5, 13), AM_E_FORMAT, &err, "kernel:0 is missing");

  h5 = open_copy(path);
  am_test_ok(am_h5_delete(h5, name, &err), &err);
  am_test_ok(am_h5_write(h5, name, AM_H5_F32, 2, (size_t[]){6, 6}, zeros, &err), &err);
  am_h5_close(h5);
  am_test_fails(import(path, out, 0, 5, 13), AM_E_SHAPE, &err, "does not have the shape");

  h5 = open_copy(path);
  am_test_ok(am_h5_set_texts(h5, "model_weights/conv1d", "weight_names", (const char *[]){"conv1d/kernel:0"}, 1, &err),
             &err);
  am_h5_close(h5);
  am_test_fails(import(path, out, 0, 5, 13), AM_E_FORMAT, &err, "has 1 weights, wanted 2");

  h5 = open_copy(path);
  am_test_ok(am_h5_set_texts(h5, "model_weights/conv1d", "weight_names",
                             (const char *[]){"conv1d/bias:0", "conv1d/kernel:0"}, 2, &err),
             &err);
  am_h5_close(h5);
  am_test_fails(import(path, out, 0, 5, 13), AM_E_FORMAT, &err, "is conv1d/bias:0, wanted kernel");

  h5 = open_copy(path);
  am_test_ok(am_h5_delete(h5, "model_weights", &err), &err);
  am_h5_close(h5);
  am_test_fails(import(path, out, 0, 5, 13), AM_E_FORMAT, &err, "no group model_weights");
  assert_false(am_file_exists(out));
}

static void cut_files(void **state) {
  (void)state;
  char *data;
  size_t n;
  am_test_ok(am_file_read(ctx, am_test_source("tests/exchange/golden/conv1d.h5"), 1 << 20, &data, &n, &err), &err);
  for (size_t part = 0; part < 16; part++) {
    am_error why = AM_ERROR_INIT;
    am_test_file(in_folder("cut.h5"), data, n * part / 16);
    err = why;
    assert_int_not_equal(import(in_folder("cut.h5"), in_folder("x.h5"), 0, 5, 13), AM_OK);
    assert_true(strlen(err.message) > 10);
    assert_false(am_file_exists(in_folder("x.h5")));
  }
  am_free(ctx, data);
  am_test_fails(import(in_folder("none.h5"), in_folder("x.h5"), 0, 5, 13), AM_E_IO, &err, "none.h5");
  am_test_ok(import(am_test_source("tests/exchange/golden/conv1d.h5"), in_folder("ours.h5"), 0, 5, 13), &err);
  am_test_fails(import(in_folder("ours.h5"), in_folder("x.h5"), 0, 5, 13), AM_E_FORMAT, &err, "no model_config");
}

/* ---- models of ours ---- */

static const am_shape map = {.rank = 3, .t = 11, .f = 7, .c = 1};

/* Out and in again it computes the same numbers, by either layout. */
static void way_back(void **state) {
  (void)state;
  static const char *const layers[] = {
      "conv2d: {filters: 3, kernel: [3, 2], stride: [1, 2], activation: {leaky_relu: {alpha: 0.1}}}, "
      "batch_norm: {activation: silu, statistics: plain}, global_average_pool",
      "conv2d: {filters: 2, kernel: [2, 3], padding: same, bias: false}, "
      "max_pool2d: {size: [3, 2], stride: [2, 1]}, to_sequence, layer_norm, "
      "lstm: {units: 3, bidirectional: true}, gru: {units: 2, return: last, reset_after: false}",
      "conv2d: {filters: 2, kernel: [4, 2], dilation: [2, 1], activation: relu}, flatten, "
      "dropout: {rate: 0.1}, dense: {units: 5, activation: tanh}",
      "dense: {units: 3, bias: false}, tanh, average_pool2d: {size: [2, 3], padding: same}, global_max_pool",
      "conv2d: {filters: 2, kernel: 3}, global_average_pool: {over: time}, dense: {units: 3}",
      "conv2d: {filters: 2, kernel: [1, 3]}, global_max_pool: {over: time}, dropout: {rate: 0.1}",
      "to_sequence, gru: {units: 3}, attention_pool: {units: 4, heads: 2}, dense: {units: 5, activation: relu}",
      "conv2d: {filters: 2}, to_sequence, attention_pool: {heads: 3}, batch_norm: {statistics: plain}"};
  float x[2 * 77], before[8], after[8];
  for (int i = 0; i < 154; i++) x[i] = (float)sin(1.7 * i * i);
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (int layout = 0; layout < 2; layout++) {
      char list[1024];
      braced(layers[i], list);
      strcat(list, ", {dense: {units: 4}}, softmax");
      make_checkpoint(in_folder("a.h5"), list, map);
      am_checkpoint *c;
      am_test_ok(am_checkpoint_load(ctx, in_folder("a.h5"), &c, &err), &err);
      forward(c->model, x, 2, before);
      am_checkpoint_free(c);
      am_test_ok(
          am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){.layout = layout}, in_folder("b.h5"), &err),
          &err);
      am_test_ok(import(in_folder("b.h5"), in_folder("c.h5"), layout, 7, 11), &err);
      same_arrays(in_folder("a.h5"), in_folder("c.h5"));
      am_test_ok(am_checkpoint_load(ctx, in_folder("c.h5"), &c, &err), &err);
      forward(c->model, x, 2, after);
      am_checkpoint_free(c);
      assert_memory_equal(before, after, sizeof before);
    }
}

static bool has_temperature(const char *file) {
  am_h5 *h5;
  am_test_ok(am_h5_open(ctx, file, AM_H5_FOREIGN, &h5, &err), &err);
  const bool has = am_h5_has(h5, "/", "audiomood_temperature");
  am_h5_close(h5);
  return has;
}

static void set_temperature(const char *file, const char *name, double t) {
  am_h5 *h5;
  am_test_ok(am_h5_open(ctx, file, AM_H5_UPDATE, &h5, &err), &err);
  am_test_ok(am_h5_set_real(h5, "/", name, t, &err), &err);
  am_h5_close(h5);
}

/* A Keras model has no layer for a temperature: the last dense layer takes it in, and the probabilities are the same. */
static void a_temperature_goes_into_the_last_layer(void **state) {
  (void)state;
  am_checkpoint *c;
  float x[2 * 77], out[2][8];
  for (int i = 0; i < 154; i++) x[i] = (float)sin(1.7 * i * i);
  make_checkpoint(in_folder("a.h5"), "{conv2d: {filters: 2}}, global_average_pool, {dense: {units: 4}}", map);
  set_temperature(in_folder("a.h5"), "temperature", 0.25);
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("b.h5"), &err), &err);
  assert_false(has_temperature(in_folder("b.h5")));
  am_test_ok(import(in_folder("b.h5"), in_folder("c.h5"), 0, 7, 11), &err);
  for (int i = 0; i < 2; i++) {
    am_test_ok(am_checkpoint_load(ctx, in_folder(i ? "c.h5" : "a.h5"), &c, &err), &err);
    assert_true(am_checkpoint_temperature(c) == (i ? 1 : 0.25));
    forward(c->model, x, 2, out[i]);
    am_checkpoint_free(c);
  }
  for (int row = 0; row < 2; row++) { /* p^(1/T), of sum 1 */
    double sum = 0;
    for (int k = 0; k < 4; k++) sum += pow((double)out[0][4 * row + k], 1 / 0.25);
    for (int k = 0; k < 4; k++)
      assert_true(fabs(pow((double)out[0][4 * row + k], 1 / 0.25) / sum - (double)out[1][4 * row + k]) < 1e-5);
  }
}

/* Where the last layer is no dense one, it goes along as an attribute, and comes back. */
static void a_temperature_goes_along(void **state) {
  (void)state;
  am_checkpoint *c;
  make_checkpoint(in_folder("a.h5"), "{conv2d: {filters: 4}}, global_average_pool", map);
  set_temperature(in_folder("a.h5"), "temperature", 1.75);
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("b.h5"), &err), &err);
  assert_true(has_temperature(in_folder("b.h5")));
  am_test_ok(import(in_folder("b.h5"), in_folder("c.h5"), 0, 7, 11), &err);
  same_arrays(in_folder("a.h5"), in_folder("c.h5"));
  am_test_ok(am_checkpoint_load(ctx, in_folder("c.h5"), &c, &err), &err);
  assert_true(am_checkpoint_temperature(c) == 1.75);
  am_checkpoint_free(c);
  set_temperature(in_folder("b.h5"), "audiomood_temperature", -2);
  am_test_fails(import(in_folder("b.h5"), in_folder("d.h5"), 0, 7, 11), AM_E_FORMAT, &err, "its temperature is -2");
  assert_false(am_file_exists(in_folder("d.h5")));
}

static void set_text(const char *file, const char *name, const char *text) {
  am_h5 *h5;
  am_test_ok(am_h5_open(ctx, file, AM_H5_UPDATE, &h5, &err), &err);
  am_test_ok(am_h5_set_text(h5, "/", name, text, &err), &err);
  am_h5_close(h5);
}

static void has_text(const char *file, const char *name, const char *text) {
  am_h5 *h5;
  char *found;
  am_test_ok(am_h5_open(ctx, file, AM_H5_FOREIGN, &h5, &err), &err);
  am_test_ok(am_h5_get_text(h5, "/", name, &found, &err), &err);
  assert_string_equal(found, text);
  am_free(ctx, found);
  am_h5_close(h5);
}

/* Whoever has nothing but the file has to know. */
static void what_the_weights_owe_goes_along(void **state) {
  (void)state;
  static const char licence[] = "CC BY-NC-SA 4.0; CC0",
                    lines[] = "Voices (CC BY-NC-SA 4.0): A. \xc3\x98rsted (2024)\nMore voices (CC0): B";
  am_checkpoint *c;
  am_h5 *h5;
  make_checkpoint(in_folder("a.h5"), "{conv2d: {filters: 2}}, global_average_pool, {dense: {units: 4}}", map);
  set_text(in_folder("a.h5"), "licence", licence);
  set_text(in_folder("a.h5"), "attribution", lines);
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("b.h5"), &err), &err);
  has_text(in_folder("b.h5"), "audiomood_licence", licence);
  has_text(in_folder("b.h5"), "audiomood_attribution", lines);
  am_test_ok(import(in_folder("b.h5"), in_folder("c.h5"), 0, 7, 11), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("c.h5"), &c, &err), &err);
  assert_string_equal(am_checkpoint_licence(c), licence);
  assert_string_equal(am_checkpoint_attribution(c), lines);
  assert_true(am_checkpoint_noncommercial(c));
  am_checkpoint_free(c);
  set_text(in_folder("a.h5"), "licence", ""); /* nothing is known: nothing is said */
  set_text(in_folder("a.h5"), "attribution", "");
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("b.h5"), &err), &err);
  am_test_ok(am_h5_open(ctx, in_folder("b.h5"), AM_H5_FOREIGN, &h5, &err), &err);
  assert_false(am_h5_has(h5, "/", "audiomood_licence") || am_h5_has(h5, "/", "audiomood_attribution"));
  am_h5_close(h5);
}

static void export_refuses(void **state) {
  (void)state;
  static const struct {
    const char *layers, *words;
  } cases[] = {
      {"to_sequence, attention_pool: {statistics: mean_std}, dense",
       "layer attention_pool_1 (attention_pool): Keras has no layer for the root"},
      {"to_sequence, lstm: {units: 2, bidirectional: true}, glu, flatten, dense",
       "layer glu_1 (glu): Keras has no gated linear unit; only gate: none right behind a bidirectional lstm or gru"},
      {"to_sequence, lstm: {units: 2}, glu: {gate: none}, flatten, dense", "layer glu_1 (glu): Keras has no"},
      {"to_sequence, dense: {units: 2}, glu: {gate: none}, flatten, dense", "layer glu_1 (glu): Keras has no"},
      {"to_sequence, lstm: {units: 2, bidirectional: true}, parallel: {branches: [[glu: {gate: none}], [dense: {units: "
       "2}]]}, flatten, dense",
       "layer parallel_1/branch_1/glu_1 (glu): Keras has no"},
      {"parallel: {branches: [[flatten], [flatten]]}, dense", "layer parallel_1/concat (concat): flattened maps"},
      {"max_pool2d: {size: 3, padding: explicit, pad: 1}, flatten, dense", "no padding: explicit"},
      {"relu, average_pool2d: {size: 3, padding: explicit, pad: 1}, flatten, dense", "no padding: explicit"},
      {"conv2d: {filters: 1, kernel: 2, stride: 2, dilation: 2}, flatten, dense", "stride and dilation"},
      {"average_pool2d: {padding: same, count_include_pad: true}, flatten, dense", "count_include_pad"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make_checkpoint(in_folder("a.h5"), cases[i].layers, map);
    am_test_fails(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("x.h5"), &err),
                  AM_E_UNSUPPORTED, &err, cases[i].words);
    assert_false(am_file_exists(in_folder("x.h5")));
  }
}

static void export_of_any_length(void **state) {
  (void)state;
  am_shape any = map;
  any.variable = true;
  make_checkpoint(in_folder("a.h5"), "to_sequence, gru: {units: 3, return: last}, dense", any);
  am_exchange_options o = {0};
  am_test_fails(am_keras_export(ctx, in_folder("a.h5"), &o, in_folder("x.h5"), &err), AM_E_UNSUPPORTED, &err,
                "option frames");
  o.frames = 6;
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &o, in_folder("b.h5"), &err), &err);
  am_test_ok(import(in_folder("b.h5"), in_folder("c.h5"), 0, 7, 6), &err);
  same_arrays(in_folder("a.h5"), in_folder("c.h5"));
  make_checkpoint(in_folder("a.h5"), "flatten, dense", map);
  am_test_fails(am_keras_export(ctx, in_folder("a.h5"), &o, in_folder("x.h5"), &err), AM_E_USAGE, &err, "11 frames");
}

/* ---- memory ---- */

static void with_each_failing(const char *file, int mels, int frames) {
  am_context *old = ctx;
  for (long n = 1;; n += getenv("AM_ALL_ALLOCATIONS") || n < 40 ? 1 : 7) {
    am_test_memory m;
    ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_error fresh = AM_ERROR_INIT;
    err = fresh;
    am_status status = import(file, in_folder("m.h5"), 0, mels, frames);
    if (!status) status = am_keras_export(ctx, in_folder("m.h5"), &(am_exchange_options){0}, in_folder("k.h5"), &err);
    bool fired = am_test_memory_fired(&m);
    if (!fired) am_test_ok(status, &err);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  ctx = old;
}

static void allocations_fail(void **state) {
  (void)state;
  with_each_failing(AM_SOURCE_ROOT "/tests/exchange/golden/permute.h5", 6, 9);
}

/* Functional, attention, bfloat16. */
static void allocations_fail_in_attention(void **state) {
  (void)state;
  with_each_failing(AM_SOURCE_ROOT "/tests/exchange/golden/new_attention.h5", 5, 9);
}

/* ---- the published model ---- */

static double accuracy(am_checkpoint *c, const am_dataset *d, const am_store *store, const am_split *split,
                       am_part part) {
  size_t n = split->n[part];
  float *p = calloc(n * 6, sizeof *p);
  int *labels = calloc(n, sizeof *labels);
  am_metrics *m;
  am_test_ok(am_evaluate(ctx, c, d, store, split->at[part], n, p, &err), &err);
  for (size_t i = 0; i < n; i++) labels[i] = d->clips[split->at[part][i]].label;
  am_test_ok(am_metrics_compute(ctx, p, labels, NULL, n, d->labels, 6, 1, &m, &err), &err);
  double share = am_metrics_accuracy(m);
  am_metrics_free(m);
  free(labels);
  free(p);
  return share;
}

static void published_model(void **state) {
  (void)state;
  const char *file, *root;
  am_test_need_shared(file, "data/seed/RAVDESS_model2.h5");
  am_test_need_shared(root, "data/ravdess");
  char data_root[2200];
  snprintf(data_root, sizeof data_root, "data.root=%s", root);
  const char *const set[] = {data_root};
  am_import_source o = {.config = AM_SOURCE_ROOT "/configs/ravdess_model2.yaml", .overrides = set, .n_overrides = 1};
  am_checkpoint *c;
  am_dataset *d;
  am_split *split;
  am_features *fx;
  am_store *store;
  am_test_ok(am_keras_import(ctx, file, &o, &(am_exchange_options){0}, in_folder("seed.h5"), &err), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("seed.h5"), &c, &err), &err);
  size_t weights = 0;
  for (size_t i = 0; i < am_model_weight_count(c->model); i++) weights += am_model_weight_info(c->model, i)->count;
  assert_int_equal(weights, 14822);
  am_test_ok(am_dataset_load(ctx, &c->config->data, &d, &err), &err);
  am_test_ok(am_split_make(ctx, d, &c->config->split, &split, &err), &err);
  am_test_ok(am_features_create(ctx, &c->config->features, &fx, &err), &err);
  am_test_ok(am_store_create(ctx, d, fx, &c->config->data, "", false, &store, &err), &err);
  double train = accuracy(c, d, store, split, AM_PART_TRAIN),
         validation = accuracy(c, d, store, split, AM_PART_VALIDATION);
  print_message("# published model: %.1f %% of %zu training, %.1f %% of %zu validation clips\n", 100 * train,
                split->n[AM_PART_TRAIN], 100 * validation, split->n[AM_PART_VALIDATION]);
  assert_true(train > 0.94);
  assert_true(validation > 0.65 && validation < train);
  am_store_free(store);
  am_features_free(fx);
  am_split_free(ctx, split);
  am_dataset_free(d);
  am_checkpoint_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(golden_conv2d),
                                     cmocka_unit_test(golden_conv2d_time_mel),
                                     cmocka_unit_test(golden_permute),
                                     cmocka_unit_test(golden_conv1d),
                                     cmocka_unit_test(golden_bidirectional),
                                     cmocka_unit_test(config_must_fit),
                                     cmocka_unit_test(labels_must_differ),
                                     cmocka_unit_test(refuses_layers),
                                     cmocka_unit_test(refuses_models),
                                     cmocka_unit_test(vector_input),
                                     cmocka_unit_test(damaged_files),
                                     cmocka_unit_test(cut_files),
                                     cmocka_unit_test(way_back),
                                     cmocka_unit_test(a_temperature_goes_into_the_last_layer),
                                     cmocka_unit_test(a_temperature_goes_along),
                                     cmocka_unit_test(what_the_weights_owe_goes_along),
                                     cmocka_unit_test(export_refuses),
                                     cmocka_unit_test(export_of_any_length),
                                     cmocka_unit_test(allocations_fail),
                                     cmocka_unit_test(allocations_fail_in_attention),
                                     cmocka_unit_test(published_model)};
  return cmocka_run_group_tests(tests, begin, end);
}
