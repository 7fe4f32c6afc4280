/* SPDX-License-Identifier: MIT */
/* ONNX models of PyTorch and tf2onnx become checkpoints that answer as ONNX Runtime does (tools/golden-onnx.py). */
#include "testing.h"

#include "exchange/onnx.h"
#include "onnx_import_fixture.h"
#include "onnx_nets.h"

#include "folder_fixture.h"

static const char *golden(const char *name, const char *end) {
  char path[96];
  snprintf(path, sizeof path, "tests/exchange/golden/onnx/%s%s", name, end);
  return am_test_source(path);
}

static const char *const any[] = {"features.mels=6", "features.samples=0", "features.max_frames=40"};
static const char *const fixed[] = {"features.mels=6", "features.samples=736"}; /* 24 frames */

static am_status import_in(am_context *in, const char *file, const char *out, bool variable, int layout,
                           am_error *why) {
  am_import_source o = {.config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml",
                        .overrides = variable ? any : fixed,
                        .n_overrides = variable ? 3 : 2};
  return am_onnx_import(in, file, &o, &(am_exchange_options){.layout = layout}, out, why);
}

static am_status import(const char *file, const char *out, bool variable, int layout) {
  return import_in(ctx, file, out, variable, layout, &err);
}

static am_checkpoint *imported(const char *name, bool variable) {
  am_checkpoint *c;
  am_test_ok(import(golden(name, ".onnx"), in_folder("a.h5"), variable, AM_ONNX_AUTO), &err);
  am_test_ok(am_checkpoint_verify(ctx, in_folder("a.h5"), &err), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("a.h5"), &c, &err), &err);
  return c;
}

static void answers(const char *name, bool variable) {
  double worst;
  am_checkpoint *c = imported(name, variable);
  am_test_ok(compare_with(ctx, c, golden(name, ".f32"), &worst, &err), &err);
  if (!(worst < 1e-5)) fail_msg("%s: probabilities differ by %g", name, worst);
  assert_int_equal(c->input.variable, variable);
  am_checkpoint_free(c);
}

static void answers_of_pytorch(void **state) {
  (void)state;
  static const char *const names[] = {"cnn2d",
                                      "cnn1d",
                                      "gelu",
                                      "gelu20_dynamo",
                                      "norm13",
                                      "bilstm_last",
                                      "bilstm_two_dynamo",
                                      "gru_dynamo",
                                      "gru_first",
                                      "crnn",
                                      "crnn_reshape_dynamo",
                                      "resnet",
                                      "excite",
                                      "inception",
                                      "attention_dynamo",
                                      "heads",
                                      "half",
                                      "lstm_minus",
                                      "cnn2d_time_dynamo",
                                      "mlp_blocks_dynamo",
                                      "glu2d",
                                      "glu_dynamo",
                                      "product",
                                      "halves",
                                      "causal",
                                      "padded",
                                      "padded_uneven_dynamo"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) answers(names[i], true);
  answers("cnn2d_flat", false);
}

static void answers_of_tf2onnx(void **state) {
  (void)state;
  static const char *const names[] = {"k_bilstm", "k_product", "k_causal",    "k_padded",
                                      "k_gru",    "k_norm",    "k_attention", "k_excite"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) answers(names[i], true);
  answers("k_cnn2d", false);
}

/* A mask made of lengths is what our layers do anyway. */
static void masks_fall_away(void **state) {
  (void)state;
  answers("masked", true);
  am_checkpoint *c = imported("masked", true);
  static const char *const wanted[] = {"conv1d", "relu", "global_average_pool", "dense"};
  assert_int_equal(am_model_steps(c->model), 4);
  for (size_t i = 0; i < 4; i++) assert_string_equal(am_model_step(c->model, i)->layer.cls->type, wanted[i]);
  am_checkpoint_free(c);
}

/* What several operators compute becomes the one layer that it is, and names are those of the file. */
static void layers_are_recognised(void **state) {
  (void)state;
  static const struct {
    const char *model, *layer, *type;
  } cases[] = {{"gelu", "gelu_1", "gelu"},
               {"norm13", "norm", "layer_norm"},
               {"k_norm", "gelu_1", "gelu"},
               {"crnn", "rnn", "lstm"},
               {"resnet", "residual_2/projection", "conv2d"},
               {"excite", "squeeze_excite_1/reduce", "dense"},
               {"attention_dynamo", "attention_pool_1", "attention_pool"},
               {"mlp_blocks_dynamo", "residual_2/two_a", "dense"},
               {"inception", "parallel_1/branch_3/d", "conv1d"},
               {"glu2d", "glu_2", "glu"},
               {"product", "glu_1", "glu"},
               {"halves", "parallel_1/branch_1/silu_1", "silu"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_checkpoint *c = imported(cases[i].model, true);
    const char *found = NULL;
    for (size_t k = 0; k < am_model_steps(c->model); k++)
      if (!strcmp(am_model_step(c->model, k)->layer.name, cases[i].layer))
        found = am_model_step(c->model, k)->layer.cls->type;
    if (!found) fail_msg("%s has no layer %s", cases[i].model, cases[i].layer);
    assert_string_equal(found, cases[i].type);
    am_checkpoint_free(c);
  }
  static const char *const causal[] = {"causal", "k_causal"};
  for (size_t i = 0; i < 2; i++) {
    am_checkpoint *c = imported(causal[i], true);
    const am_layer *first = &am_model_step(c->model, 0)->layer;
    assert_string_equal(first->cls->type, "conv1d");
    assert_int_equal(first->weights[0].count, 3 * first->in[0].c * first->out.c); /* no more taps than the file has */
    assert_int_equal(first->out.t, first->in[0].t);
    am_checkpoint_free(c);
  }
}

static void layouts(void **state) {
  (void)state;
  /* frames, batch, bins: told by the names of the axes; what contradicts it is said */
  am_test_ok(import(golden("gru_first", ".onnx"), in_folder("b.h5"), true, AM_ONNX_FRAMES_FIRST), &err);
  am_test_fails(import(golden("gru_first", ".onnx"), in_folder("c.h5"), true, AM_ONNX_TIME_MEL), AM_E_UNSUPPORTED, &err,
                "does not run along the frames");
  am_test_fails(import(golden("k_cnn2d", ".onnx"), in_folder("c.h5"), false, AM_ONNX_TIME_MEL), AM_E_SHAPE, &err,
                "wants 24 bins a frame");
  assert_false(am_file_exists(in_folder("c.h5")));
}

static void features_must_fit(void **state) {
  (void)state;
  const char *const set[] = {"features.mels=7", "features.samples=0", "features.max_frames=40"};
  am_import_source o = {
      .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = set, .n_overrides = 3};
  am_test_fails(
      am_onnx_import(ctx, golden("gru_dynamo", ".onnx"), &o, &(am_exchange_options){0}, in_folder("d.h5"), &err),
      AM_E_SHAPE, &err, "axes of -1 and 6, and the features of");
  o.overrides = any;
  o.labels = "a,b,c";
  am_test_fails(
      am_onnx_import(ctx, golden("gru_dynamo", ".onnx"), &o, &(am_exchange_options){0}, in_folder("d.h5"), &err),
      AM_E_SHAPE, &err, "4 outputs, and there are 3 labels");
  o.labels = "a,b,c,d";
  am_buffer text = {0};
  o.config_text = &text;
  am_test_ok(am_onnx_import(ctx, golden("gru_dynamo", ".onnx"), &o, &(am_exchange_options){0}, in_folder("d.h5"), &err),
             &err);
  assert_non_null(strstr(text.data, "gru_1"));
  am_buffer_free(ctx, &text);
  assert_false(am_file_exists(in_folder("c.h5")));
}

static void same_numbers(const char *name, const am_real *a, const am_real *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (a[i] != b[i]) fail_msg("%s: number %zu is %g and was %g", name, i, (double)b[i], (double)a[i]);
}

/* Where `other` has an array of that name. */
static const am_real *array_in(am_model *other, const char *name, bool statistic) {
  const size_t n = statistic ? am_model_statistic_count(other) : am_model_weight_count(other);
  for (size_t i = 0; i < n; i++) {
    const am_array_info *info = statistic ? am_model_statistic_info(other, i) : am_model_weight_info(other, i);
    const am_real *all = statistic ? am_model_statistics(other, NULL) : am_model_weights(other, NULL);
    if (!strcmp(info->name, name)) return all + info->offset;
  }
  fail_msg("%s is missing", name);
  return NULL;
}

static void comes_back(const net *n) {
  am_checkpoint *a, *b;
  const char *const none[] = {"data.labels=[]", "features.max_frames=0"}; /* then the file says what it was made for */
  am_import_source o = {.config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml",
                        .overrides = none,
                        .n_overrides = n->fixed ? 1 : 2};
  const char *from = in_folder("net.h5");
  am_test_ok(net_save(ctx, n, 1.7, from, &err), &err);
  am_test_ok(am_onnx_export(ctx, &from, 1, &(am_exchange_options){0}, in_folder("net.onnx"), &err), &err);
  am_test_ok(am_onnx_import(ctx, in_folder("net.onnx"), &o, &(am_exchange_options){0}, in_folder("back.h5"), &err),
             &err);
  am_test_ok(am_checkpoint_load(ctx, from, &a, &err), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("back.h5"), &b, &err), &err);
  assert_int_equal(am_model_weight_count(a->model), am_model_weight_count(b->model));
  for (size_t i = 0; i < am_model_weight_count(a->model); i++) {
    const am_array_info *info = am_model_weight_info(a->model, i);
    same_numbers(info->name, am_model_weights(a->model, NULL) + info->offset, array_in(b->model, info->name, false),
                 info->count);
  }
  for (size_t i = 0; i < am_model_statistic_count(a->model); i++) {
    const am_array_info *info = am_model_statistic_info(a->model, i);
    if (strstr(info->name, "/updates")) continue; /* only training counts them */
    same_numbers(info->name, am_model_statistics(a->model, NULL) + info->offset, array_in(b->model, info->name, true),
                 info->count);
  }
  assert_true(a->any.temperature == b->any.temperature);
  for (int k = 0; k < a->classes; k++) assert_string_equal(a->labels[k], b->labels[k]);
  assert_true(a->input.rank == b->input.rank && a->input.t == b->input.t && a->input.f == b->input.f);
  am_checkpoint_free(a);
  am_checkpoint_free(b);
}

static void exports_come_back(void **state) {
  (void)state;
  static const char *const names[] = {
      "conv1d_same_strides",  "conv2d_fixed", "norms",    "lstm_both",      "gru_before",
      "attention_deviations", "residual",     "parallel", "squeeze_excite", "glu",
      "glu_product",          "by_clip"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t k = 0;
    while (k < sizeof nets / sizeof *nets && strcmp(nets[k].name, names[i]) != 0) k++;
    assert_true(k < sizeof nets / sizeof *nets);
    comes_back(&nets[k]);
  }
  const char *const others[] = {"data.labels=[a, b, c, d]"};
  am_import_source o = {
      .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = others, .n_overrides = 1};
  am_test_fails(am_onnx_import(ctx, in_folder("net.onnx"), &o, &(am_exchange_options){0}, in_folder("f.h5"), &err),
                AM_E_CONFIG, &err, "its output 1 is \"calm\", and label 1 of");
}

static void cut_files_are_refused(void **state) {
  (void)state;
  char *data;
  size_t bytes;
  am_test_ok(am_file_read(ctx, golden("resnet", ".onnx"), 1 << 20, &data, &bytes, &err), &err);
  for (size_t n = 0; n < bytes; n += getenv("AM_VALGRIND") ? 997 : 97) {
    err = (am_error)AM_ERROR_INIT;
    am_test_ok(am_file_write(ctx, in_folder("cut.onnx"), data, n, &err), &err);
    assert_int_not_equal(import(in_folder("cut.onnx"), in_folder("cut.h5"), true, 0), AM_OK);
    assert_true(*err.message);
    assert_false(am_file_exists(in_folder("cut.h5")));
  }
  am_free(ctx, data);
}

static const char *failing;

static am_status import_failing(am_context *in, am_error *why) {
  return import_in(in, golden(failing, ".onnx"), in_folder("e.h5"), true, 0, why);
}

static void allocations_fail(void **state) {
  (void)state;
  static const char *const names[] = {"norm13", "excite", "halves", "glu2d"};
  for (size_t i = 0; i < (getenv("AM_VALGRIND") ? 1 : 4); i++) {
    failing = names[i];
    am_test_each_allocation(import_failing);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(answers_of_pytorch),
                                     cmocka_unit_test(answers_of_tf2onnx),
                                     cmocka_unit_test(masks_fall_away),
                                     cmocka_unit_test(layers_are_recognised),
                                     cmocka_unit_test(layouts),
                                     cmocka_unit_test(features_must_fit),
                                     cmocka_unit_test(exports_come_back),
                                     cmocka_unit_test(cut_files_are_refused),
                                     cmocka_unit_test(allocations_fail)};
  return cmocka_run_group_tests(tests, begin, end);
}
