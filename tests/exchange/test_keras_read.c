/* SPDX-License-Identifier: MIT */
/* What Keras 3 writes: goldens of 3.6 and 3.15 (tools/golden-keras.py), keys, Functional models, where probabilities are made,
 * names, types of numbers. */
#include "keras_fixture.h"

static void golden_map(void **state) {
  (void)state;
  check_golden("new_map", AM_KERAS_MEL_TIME, 7, 11, true);
}

/* A Functional chain that ends in logits. */
static void golden_chain(void **state) {
  (void)state;
  check_golden("new_chain", AM_KERAS_MEL_TIME, 5, 6, false);
}

/* Softmax of each frame, their mean, dropout; weights in float16. */
static void golden_frames(void **state) {
  (void)state;
  check_golden("new_frames", AM_KERAS_MEL_TIME, 5, 9, false);
}

/* Attention over frames, weights in bfloat16. */
static void golden_attention(void **state) {
  (void)state;
  check_golden("new_attention", AM_KERAS_MEL_TIME, 5, 9, false);
}

/* Keras 3.6: a Cast behind the input, which has no name in its config; weights in float16. */
static void golden_cast(void **state) {
  (void)state;
  check_golden("cast_half", AM_KERAS_MEL_TIME, 5, 9, false);
}

/* ---- goldens with another model_config ---- */

static const char *edited(const char *name, const char *from, const char *to, int which) {
  char path[64], *config, *data;
  size_t n;
  snprintf(path, sizeof path, "tests/exchange/golden/%s.h5", name);
  am_test_ok(am_file_read(ctx, am_test_source(path), 1 << 20, &data, &n, &err), &err);
  am_test_file(in_folder("edited.h5"), data, n);
  am_free(ctx, data);
  am_h5 *h5;
  am_test_ok(am_h5_open(ctx, in_folder("edited.h5"), AM_H5_FOREIGN | AM_H5_UPDATE, &h5, &err), &err);
  am_test_ok(am_h5_get_text(h5, "/", "model_config", &config, &err), &err);
  char *at = strstr(config, from);
  while (at && --which) at = strstr(at + 1, from);
  if (!at) fail_msg("%s has no %s", name, from);
  char *text = am_format(ctx, "%.*s%s%s", (int)(at - config), config, to, at + strlen(from));
  am_test_ok(am_h5_set_text(h5, "/", "model_config", text, &err), &err);
  am_free(ctx, text);
  am_free(ctx, config);
  am_h5_close(h5);
  return in_folder("edited.h5");
}

static void keys(void **state) {
  (void)state;
  static const struct {
    const char *model, *from, *to;
    int which;         /* of the places where `from` stands */
    const char *words; /* of the refusal; NULL: it imports */
  } cases[] = {
      {"new_map", "\"optional\": false", "\"optional\": true", 1, "(InputLayer): option optional is true; only false"},
      {"new_map", "\"quantization_config\": null", "\"quantization_config\": {\"bits\": 8}", 1,
       "(Dense): option quantization_config is an object; only null"},
      {"new_map", "\"renorm\": false", "\"renorm\": true", 1, "option renorm is true"},
      {"new_map", "\"renorm_momentum\": 0.99", "\"renorm_momentum\": 0.5", 1, NULL},
      {"new_map", "\"renorm\": false", "\"renorm\": false, \"wobble\": null", 1, NULL},
      {"new_map", "\"renorm\": false", "\"renorm\": false, \"wobble\": false", 1, NULL},
      {"new_map", "\"renorm\": false", "\"renorm\": false, \"wobble\": true", 1, "not known here: wobble"},
      {"new_map", "\"renorm\": false", "\"renorm\": false, \"wobble\": 0.5", 1, "not known here: wobble"},
      {"new_map", "{\"name\": \"float32\"}", "{\"name\": \"int8_from_float32\"}", 2,
       "option dtype is int8_from_float32"},
      {"new_map", "{\"name\": \"float32\"}", "{\"name\": \"mixed_float16\"}", 2, NULL},
      {"new_map", "\"kernel_constraint\": null", "\"kernel_constraint\": {\"class_name\": \"NonNeg\"}", 1, NULL},
      {"new_chain", "\"go_backwards\": true", "\"go_backwards\": false", 1,
       "backward_layer is not its layer run backward (go_backwards"},
      {"new_chain", "\"units\": 2", "\"units\": 3", 2, "backward_layer is not its layer run backward (units"},
      {"new_chain", "\"merge_mode\": \"concat\"", "\"merge_mode\": null", 1,
       "option merge_mode is null; only concat, sum, mul or ave can be imported"},
      {"new_chain", "\"merge_mode\": \"concat\"", "\"merge_mode\": \"mul\"", 1, "does not have the shape"},
      {"new_chain", "\"merge_mode\": \"concat\"", "\"merge_mode\": \"sum\"", 1, "does not have the shape"},
      {"new_chain", "\"kwargs\": {", "\"kwargs\": {\"no\": false, \"yes\": true, ", 1, "is called with yes"},
      {"new_chain", "\"kwargs\": {", "\"kwargs\": {\"no\": false, \"null\": null, ", 1, NULL},
      {"new_chain", "\"keras_history\": [\"lstm\", 0, 0]", "\"keras_history\": [\"lstm\", 1, 0]", 1, "another output"},
      {"new_chain", "\"keras_history\": [\"lstm\", 0, 0]", "\"keras_history\": [\"dense\", 0, 0]", 1,
       "comes after itself"},
      {"new_chain", "\"keras_history\": [\"lstm\", 0, 0]", "\"keras_history\": [\"other\", 0, 0]", 1,
       "other, which is not there"},
      {"new_attention", "\"axis\": 1", "\"axis\": -1", 1, "option axis is -1; only 1, the frames,"},
      {"new_attention", "\"normalize\": false", "\"normalize\": true", 1, "option normalize is true"},
      {"new_attention", "\"axes\": 1", "\"axes\": 2", 1, "option axes is 2"},
      {"new_attention", "\"axes\": 1", "\"axes\": [1, 2]", 1, "option axes is a list"},
      {"new_attention", "\"axes\": 1", "\"axes\": [1, 1]", 1, NULL},
      {"new_attention", "\"use_bias\": false", "\"use_bias\": true", 1, "option use_bias is true"},
      {"cast_half", "\"dtype\": \"float16\"", "\"dtype\": \"int8\"", 1, "layer cast (Cast): option dtype is int8"},
      {"cast_half", "\"dtype\": \"float16\"", "\"dtype\": \"bfloat16\"", 1, NULL},
      {"new_attention", "\"activation\": \"tanh\"", "\"activation\": \"relu\"", 1, "option activation is relu"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *file = edited(cases[i].model, cases[i].from, cases[i].to, cases[i].which);
    int mels = !strcmp(cases[i].model, "new_map") ? 7 : 5, frames = mels == 7                              ? 11
                                                                    : !strcmp(cases[i].model, "new_chain") ? 6
                                                                                                           : 9;
    err = (am_error)AM_ERROR_INIT;
    am_status status = import(file, in_folder("x.h5"), 0, mels, frames);
    if (!cases[i].words) am_test_ok(status, &err);
    else if (status == AM_OK || !strstr(err.message, cases[i].words))
      fail_msg("%s, wanted %s, found %s", cases[i].to, cases[i].words, status ? err.message : "no error");
  }
}

/* ---- models without weights ---- */

#define SEQUENTIAL(shape, layers) \
  "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": [" \
  "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, " shape "], \"name\": \"in\"}}, " layers \
  "]}}"
#define LAYER(type, name, options) "{\"class_name\": \"" type "\", \"config\": {\"name\": \"" name "\"" options "}}"
#define SOFTMAX LAYER("Softmax", "soft", "")
#define MEAN LAYER("GlobalAveragePooling1D", "mean", "")

static void refuses_config(const char *config, int mels, int frames, am_status wanted, const char *words) {
  write_keras(in_folder("r.h5"), config);
  am_test_fails(import(in_folder("r.h5"), in_folder("none.h5"), 0, mels, frames), wanted, &err, words);
  assert_false(am_file_exists(in_folder("none.h5")));
}

static void names(void **state) {
  (void)state;
  write_keras(in_folder("n.h5"),
              SEQUENTIAL("8, 4", LAYER("Dropout", "rnn.1", "") ", " LAYER("Dropout", "rnn 1", "") ", " LAYER(
                                     "Dropout", "rnn_1_3", "") ", " LAYER("GlobalAveragePooling1D", "log_probabilities",
                                                                          "") ", " LAYER("Softmax", "rnn\u00e9", "")));
  am_checkpoint *c;
  am_test_ok(import(in_folder("n.h5"), in_folder("names.h5"), 0, 4, 8), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("names.h5"), &c, &err), &err);
  static const char *const wanted[] = {"rnn_1_2", "rnn_1_3_", "rnn_1_3", "log_probabilities_5"};
  assert_int_equal(am_model_steps(c->model), 4);
  /* of the two that become rnn_1 one keeps it, by place in the list; the other's number is taken, too */
  assert_string_equal(am_model_step(c->model, 0)->layer.name, "rnn_1");
  for (size_t i = 1; i < 4; i++) assert_string_equal(am_model_step(c->model, i)->layer.name, wanted[i]);
  am_checkpoint_free(c);
  refuses_config(SEQUENTIAL("8, 4", LAYER("Dropout", "twice", "") ", " MEAN ", " LAYER("Softmax", "twice", "")), 4, 8,
                 AM_E_FORMAT, "two layers are called \"twice\" (a ");
}

/* A layer of a Functional model called with others. */
#define CALLED(type, name, from) \
  "{\"class_name\": \"" type "\", \"name\": \"" name "\", \"config\": {\"name\": \"" name \
  "\"}, \"inbound_nodes\": [" from "]}"
#define FROM(name) "[[\"" name "\", 0, 0, {}]]"
#define FUNCTIONAL(layers, input, output) \
  "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [{\"class_name\": \"InputLayer\", " \
  "\"config\": " \
  "{\"batch_shape\": [null, 8, 4], \"name\": \"in\"}, \"inbound_nodes\": []}, " layers "], \"input_layers\": " input \
  ", \"output_layers\": " output "}}"

static void functional(void **state) {
  (void)state;
  static const struct {
    const char *config, *words;
  } cases[] = {
      {FUNCTIONAL(CALLED("Softmax", "soft", FROM("mean")) ", " CALLED("GlobalAveragePooling1D", "mean", FROM("in")),
                  "[\"in\", 0, 0]", "[\"soft\", 0, 0]"),
       NULL}, /* in any order */
      {FUNCTIONAL(CALLED("Softmax", "soft", FROM("mean")) ", " CALLED("GlobalAveragePooling1D", "mean",
                                                                      FROM("in") ", " FROM("in")),
                  "[[\"in\", 0, 0]]", "[[\"soft\", 0, 0]]"),
       "layer mean (GlobalAveragePooling1D) is used more than once"},
      {FUNCTIONAL(
           CALLED("Softmax", "soft", FROM("sum")) ", " CALLED("Add", "sum", "[[\"in\", 0, 0, {}], [\"in\", 0, 0, {}]]"),
           "[[\"in\", 0, 0]]", "[[\"soft\", 0, 0]]"),
       "layer sum (Add) adds a tensor to itself"},
      {FUNCTIONAL(CALLED("Softmax", "soft", FROM("mean")) ", " CALLED(
                      "GlobalAveragePooling1D", "mean", FROM("in")) ", " CALLED("Flatten", "side", FROM("in")),
                  "[[\"in\", 0, 0]]", "[[\"soft\", 0, 0]]"),
       "layer side (Flatten) is not on the way"},
      {FUNCTIONAL(CALLED("Softmax", "soft", ""), "[[\"in\", 0, 0]]", "[[\"soft\", 0, 0]]"),
       "layer soft (Softmax) is not called"},
      {FUNCTIONAL(CALLED("Softmax", "soft", FROM("in")), "[[\"in\", 0, 0], [\"in\", 0, 0]]", "[[\"soft\", 0, 0]]"),
       "one input and one output"},
      {FUNCTIONAL(CALLED("Softmax", "soft", "[[\"in\", 0, 0, {\"training\": true}]]"), "[[\"in\", 0, 0]]",
                  "[[\"soft\", 0, 0]]"),
       "is called with training"},
      {FUNCTIONAL(
           CALLED("Flatten", "flat", FROM("dot")) ", " CALLED(
               "Dot", "dot", "[[\"in\", 0, 0, {}], [\"in\", 0, 0, {}]]") ", " CALLED("Softmax", "soft", FROM("flat")),
           "[[\"in\", 0, 0]]", "[[\"soft\", 0, 0]]"),
       "layer dot (Dot) is not the product of frames and their weights"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (cases[i].words) {
      refuses_config(cases[i].config, 4, 8, AM_E_UNSUPPORTED, cases[i].words);
      continue;
    }
    write_keras(in_folder("f.h5"), cases[i].config);
    am_test_ok(import(in_folder("f.h5"), in_folder("x.h5"), 0, 4, 8), &err);
  }
}

/* ---- where probabilities are made ---- */

static void softmax_inside(void **state) {
  (void)state;
  write_keras(in_folder("s.h5"),
              SEQUENTIAL("8, 4", SOFTMAX ", " MEAN ", " LAYER("Dropout", "drop", ", \"rate\": 0.5")));
  float x[32], p[32], wanted[4] = {0}, got[4], back[4];
  for (int i = 0; i < 32; i++) x[i] = (float)(3 * sin(1.7 * i * i));
  am_softmax_rows(x, 8, 4, p);
  for (int i = 0; i < 32; i++) wanted[i % 4] += p[i] / 8;
  am_checkpoint *c;
  am_test_ok(import(in_folder("s.h5"), in_folder("a.h5"), 0, 4, 8), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("a.h5"), &c, &err), &err);
  forward(c->model, x, 1, got);
  am_checkpoint_free(c);
  assert_allclose_f(got, wanted, 4, 0, 1e-6);
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("b.h5"), &err), &err);
  am_test_ok(import(in_folder("b.h5"), in_folder("c.h5"), 0, 4, 8), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("c.h5"), &c, &err), &err);
  forward(c->model, x, 1, back);
  am_checkpoint_free(c);
  assert_memory_equal(got, back, sizeof got);
}

static void softmax_misplaced(void **state) {
  (void)state;
  static const struct {
    const char *config;
    int mels, frames;
    const char *words;
  } cases[] = {{SEQUENTIAL("8, 4", SOFTMAX ", " LAYER("GlobalMaxPooling1D", "top", "")), 4, 8,
                "layer soft makes probabilities (softmax), and after top"},
               {SEQUENTIAL("8, 4", SOFTMAX
                           ", " LAYER("MaxPooling1D", "top", ", \"pool_size\": [2], \"padding\": \"valid\"") ", " MEAN),
                4, 8, "layer soft makes probabilities (softmax), and after top"},
               {SEQUENTIAL("2, 2", SOFTMAX ", " LAYER("Flatten", "flat", "")), 2, 2,
                "layer soft makes probabilities (softmax) of several places"},
               {SEQUENTIAL("8, 4", LAYER("Activation", "gate", ", \"activation\": \"sigmoid\"") ", " MEAN), 4, 8,
                "the model ends in sigmoid (layer gate)"},
               {SEQUENTIAL("8, 4", LAYER("ReLU", "rect", "") ", " MEAN ", " LAYER("Dropout", "drop", "")), 4, 8,
                "the model ends in relu (layer rect)"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuses_config(cases[i].config, cases[i].mels, cases[i].frames, AM_E_UNSUPPORTED, cases[i].words);
  /* Keras's own second softmax is what its user gets */
  write_keras(in_folder("s.h5"), SEQUENTIAL("8, 4", SOFTMAX ", " MEAN ", " LAYER("Softmax", "again", "")));
  am_test_ok(import(in_folder("s.h5"), in_folder("x.h5"), 0, 4, 8), &err);
}

/* ---- numbers ---- */

static const char *with_array(am_h5_type type, const void *data) {
  const char *name = "model_weights/dense/new_map/dense/bias";
  edited("new_map", "new_map", "new_map", 1);
  am_h5 *h5;
  am_test_ok(am_h5_open(ctx, in_folder("edited.h5"), AM_H5_FOREIGN | AM_H5_UPDATE, &h5, &err), &err);
  am_test_ok(am_h5_delete(h5, name, &err), &err);
  am_test_ok(am_h5_write(h5, name, type, 1, (size_t[]){4}, data, &err), &err);
  am_h5_close(h5);
  return in_folder("edited.h5");
}

static void numbers(void **state) {
  (void)state;
  am_test_ok(import(with_array(AM_H5_F64, (double[]){0, 1, 2, 3}), in_folder("x.h5"), 0, 7, 11), &err);
  am_test_fails(import(with_array(AM_H5_F32, (float[]){0, 1, NAN, 3}), in_folder("none.h5"), 0, 7, 11), AM_E_NUMERIC,
                &err, "dense/bias: number 3 of 4 is not a number");
  am_test_fails(import(with_array(AM_H5_F32, (float[]){0, 1, 2, -INFINITY}), in_folder("none.h5"), 0, 7, 11),
                AM_E_NUMERIC, &err, "dense/bias: number 4 of 4 is infinite");
  am_test_fails(import(with_array(AM_H5_F64, (double[]){1e300, 1, 2, 3}), in_folder("none.h5"), 0, 7, 11), AM_E_NUMERIC,
                &err, "too large");
  am_test_fails(import(with_array(AM_H5_I32, (int32_t[]){0, 1, 2, 3}), in_folder("none.h5"), 0, 7, 11),
                AM_E_UNSUPPORTED, &err, "dense/bias does not hold floating-point numbers");
  assert_false(am_file_exists(in_folder("none.h5")));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(golden_map),     cmocka_unit_test(golden_chain),
                                     cmocka_unit_test(golden_frames),  cmocka_unit_test(golden_attention),
                                     cmocka_unit_test(golden_cast),    cmocka_unit_test(keys),
                                     cmocka_unit_test(names),          cmocka_unit_test(functional),
                                     cmocka_unit_test(softmax_inside), cmocka_unit_test(softmax_misplaced),
                                     cmocka_unit_test(numbers)};
  return cmocka_run_group_tests(tests, begin, end);
}
