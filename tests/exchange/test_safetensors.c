/* SPDX-License-Identifier: MIT */
/* State dicts of PyTorch in and out: goldens saved by PyTorch 2.15 (tools/golden-safetensors.py), which module is which layer,
 * our own arrays and all that they carry, refusals, damage. */
#include "folder_fixture.h"

#include "base/file.h"
#include "exchange/keras.h"
#include "exchange/safetensors.h"
#include "model/checkpoint.h"

static const char *golden(const char *name, const char *ending) {
  char path[96];
  snprintf(path, sizeof path, "tests/exchange/golden/torch_%s%s", name, ending);
  return am_test_source(path);
}

/* ---- goldens ---- */

static float *numbers(const char *path, const char *name, size_t dims[4]) {
  am_safetensors *file;
  am_test_ok(am_safetensors_open(ctx, path, &file, &err), &err);
  const am_tensor *t = am_safetensors_find(file, name);
  assert_non_null(t);
  memcpy(dims, t->dims, 4 * sizeof *dims);
  float *out = calloc(t->count, sizeof *out);
  am_test_ok(am_safetensors_read(file, t, out, &err), &err);
  am_safetensors_close(file);
  return out;
}

static am_status import(const char *file, const char *config, const char *map, int layout, int sequence,
                        const char *out) {
  am_import_source source = {.config = config};
  am_exchange_options options = {.layout = layout, .sequence = sequence, .map = map};
  err = (am_error)AM_ERROR_INIT;
  return am_safetensors_import(ctx, file, &source, &options, out, &err);
}

static am_checkpoint *loaded(const char *path) {
  am_checkpoint *c;
  am_test_ok(am_checkpoint_load(ctx, path, &c, &err), &err);
  return c;
}

static void same_numbers(const char *a, const char *b) {
  am_checkpoint *one = loaded(a), *two = loaded(b);
  size_t n, m;
  const float *x = am_model_weights(one->model, &n), *y = am_model_weights(two->model, &m);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n * sizeof *x);
  x = am_model_statistics(one->model, &n), y = am_model_statistics(two->model, &m);
  assert_int_equal(n, m);
  if (n) assert_memory_equal(x, y, n * sizeof *x);
  for (int k = 0; k < one->classes; k++) assert_string_equal(one->labels[k], two->labels[k]);
  am_checkpoint_free(one);
  am_checkpoint_free(two);
}

/* PyTorch's outputs; then out as a state dict and in again, and out as our own arrays and in again without a config. */
static void check_golden(const char *name, const char *map, int layout, int sequence) {
  char *file = strdup(golden(name, ".safetensors")), *xy = strdup(golden(name, "_xy.safetensors")),
       *config = strdup(golden(name, ".yaml"));
  size_t shape[4], outputs[4];
  float *x = numbers(xy, "x", shape), *y = numbers(xy, "y", outputs);
  const int n = (int)shape[0], k = (int)outputs[1];
  float *got = calloc((size_t)n * (size_t)k, sizeof *got);
  am_test_ok(import(file, config, map, layout, sequence, in_folder("a.h5")), &err);
  am_test_ok(am_checkpoint_verify(ctx, in_folder("a.h5"), &err), &err);
  am_checkpoint *c = loaded(in_folder("a.h5"));
  am_session *session;
  assert_string_equal(c->labels[1], "happy");
  am_test_ok(am_session_create(c->model, n, false, &session, &err), &err);
  am_session_forward(session, &(am_batch){.size = sizeof(am_batch), .n = n, .x = x}, false, NULL);
  am_softmax_rows(am_session_output(session), n, k, got);
  assert_allclose_f(got, y, (size_t)n * (size_t)k, 0, 1e-5);
  am_session_free(session);
  am_checkpoint_free(c);

  const am_exchange_options torch = {.names = AM_NAMES_PYTORCH, .layout = 1 - layout, .sequence = 1 - sequence};
  am_test_ok(am_safetensors_export(ctx, in_folder("a.h5"), &torch, in_folder("b.safetensors"), &err), &err);
  am_test_ok(import(in_folder("b.safetensors"), NULL, NULL, layout, sequence, in_folder("c.h5")),
             &err); /* as it says */
  same_numbers(in_folder("a.h5"), in_folder("c.h5"));
  am_test_ok(am_safetensors_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("d.safetensors"), &err),
             &err);
  am_test_ok(import(in_folder("d.safetensors"), NULL, NULL, 0, 0, in_folder("e.h5")), &err);
  same_numbers(in_folder("a.h5"), in_folder("e.h5"));
  free(file), free(xy), free(config), free(x), free(y), free(got);
}

static const char own_map[] =
    "conv2d_1: features.conv\nbatch_norm_1: norm\nlstm_1: rnn\nattention_pool_1.hidden: attend\n"
    "attention_pool_1.score.weight: pool.weight\nattention_pool_1.score: nothing\ndense_1: head\nleave_out: "
    "[speaker]\n";

static const char *map_of(const char *text) {
  const char *path = in_folder("map.yaml");
  am_test_file(path, text, strlen(text));
  return path;
}

static void golden_by_order(void **state) {
  (void)state;
  check_golden("order", NULL, AM_KERAS_MEL_TIME, AM_TORCH_CHANNELS_MEL);
}

static void golden_by_map(void **state) {
  (void)state;
  check_golden("map", map_of(own_map), AM_KERAS_MEL_TIME, AM_TORCH_CHANNELS_MEL);
}

static void golden_by_names(void **state) {
  (void)state;
  check_golden("names", NULL, AM_KERAS_TIME_MEL, AM_TORCH_MEL_CHANNELS);
}

/* The same numbers in another order are another model: the options are heard. */
static void layouts_differ(void **state) {
  (void)state;
  char *file = strdup(golden("names", ".safetensors")), *config = strdup(golden("names", ".yaml"));
  am_test_ok(import(file, config, NULL, AM_KERAS_TIME_MEL, AM_TORCH_MEL_CHANNELS, in_folder("one.h5")), &err);
  am_test_ok(import(file, config, NULL, AM_KERAS_TIME_MEL, AM_TORCH_CHANNELS_MEL, in_folder("two.h5")), &err);
  am_checkpoint *one = loaded(in_folder("one.h5")), *two = loaded(in_folder("two.h5"));
  assert_int_not_equal(am_checkpoint_digest(one->model), am_checkpoint_digest(two->model));
  am_checkpoint_free(one);
  am_checkpoint_free(two);
  am_test_fails(
      import(file, config, NULL, AM_KERAS_MEL_TIME, 0, in_folder("no.h5")), AM_E_SHAPE, &err,
      "is (3, 1, 3, 2), and layer conv2d_1 wants (3, 1, 2, 3) as PyTorch has it; is the option layout right?");
  assert_false(am_file_exists(in_folder("no.h5")));
  free(file), free(config);
}

/* ---- what a state dict is refused for ---- */

typedef struct tensor {
  const char *name;
  int rank;
  size_t dims[4];
} tensor;

/* A file of these tensors, each number 0.25. */
static const char *written(const tensor *tensors, size_t n) {
  const char *path = in_folder("made.safetensors");
  am_safetensors_writer w;
  am_safetensors_begin(ctx, &w);
  for (size_t i = 0; i < n; i++) {
    float *to = am_safetensors_put(&w, tensors[i].name, tensors[i].rank, tensors[i].dims);
    assert_non_null(to);
    for (size_t k = 0; k < am_product(tensors[i].rank, tensors[i].dims); k++) to[k] = 0.25f;
  }
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_safetensors_write(&w, path, &err), &err);
  am_safetensors_end(&w);
  return path;
}

#define CONV(name) \
  {name ".weight", 4, {2, 1, 3, 3}}, { \
    name ".bias", 1, { 2 } \
  }
#define CONV_TOO(name) \
  {name ".weight", 4, {2, 2, 3, 3}}, { \
    name ".bias", 1, { 2 } \
  }
#define HEAD(name) \
  {name ".weight", 2, {4, 2}}, { \
    name ".bias", 1, { 4 } \
  }

static const char *config_of(const char *layers) {
  char text[1024];
  const char *path = in_folder("config.yaml");
  snprintf(text, sizeof text,
           "data: {corpus: manifest, root: nowhere, labels: [calm, happy, sad, angry]}\n"
           "features: {sample_rate: 16000, n_fft: 64, hop: 32, mels: 12, samples: 320}\nmodel: {layers: [%s]}\n",
           layers);
  am_test_file(path, text, strlen(text));
  return path;
}

static const char three[] =
    "{conv2d: {filters: 2, kernel: 3}}, {conv2d: {filters: 2, kernel: 3}}, {conv2d: {filters: 2, kernel: 3}}, "
    "global_average_pool, dense";

/* refused(LAYERS, MAP or NULL, STATUS, WORDS, TENSORS...) */
#define refused(layers, map, status, words, ...) \
  do { \
    static const tensor list[] = {__VA_ARGS__}; \
    const char *made = written(list, sizeof list / sizeof *list); \
    char *at = strdup(made), *config = strdup(config_of(layers)), *names = (map) ? strdup(map_of(map)) : NULL; \
    am_test_fails(import(at, config, names, 0, 0, in_folder("no.h5")), status, &err, words); \
    assert_false(am_file_exists(in_folder("no.h5"))); \
    free(at), free(config), free(names); \
  } while (0)

static void what_does_not_fit_is_named(void **state) {
  (void)state;
  static const char one[] = "{conv2d: {filters: 2, kernel: 3}}, global_average_pool, dense";
  refused(one, NULL, AM_E_SHAPE,
          "made.safetensors: tensor 0.weight is (3, 1, 3, 3), and layer conv2d_1 wants (2, 1, 3, 3)",
          {"0.weight", 4, {3, 1, 3, 3}}, {"0.bias", 1, {2}}, HEAD("1"));
  refused(one, NULL, AM_E_SHAPE, "tensor 0.bias is (2, 1, 1, 2)", {"0.weight", 4, {2, 1, 3, 3}},
          {"0.bias", 4, {2, 1, 1, 2}}, HEAD("1"));
  refused(one, NULL, AM_E_SHAPE, "1 layer for Conv2d of PyTorch, and the file 2, the first 0;", CONV("0"),
          CONV_TOO("1"), HEAD("2"));
  refused(one, NULL, AM_E_SHAPE, "1 layer for Linear of PyTorch, and the file 0;", CONV("0"));
  refused(one, NULL, AM_E_SHAPE, "0 layers for LSTM or GRU of PyTorch, and the file 1, the first rnn;", CONV("0"),
          HEAD("1"), {"rnn.weight_ih_l0", 2, {8, 2}}, {"rnn.weight_hh_l0", 2, {8, 2}});
  refused(one, NULL, AM_E_SHAPE, "tensor scale, (), belongs to no layer", CONV("0"), HEAD("1"), {"scale", 0, {0}});
  refused("{conv2d: {filters: 2, kernel: 3, bias: false}}, global_average_pool, dense", NULL, AM_E_SHAPE,
          "tensor 0.bias, (2), belongs to no layer of the config", CONV("0"), HEAD("1"));
  refused(
      "{conv2d: {filters: 2, kernel: 3}}, to_sequence, {gru: {units: 2, reset_after: false}}, global_average_pool, "
      "dense",
      NULL, AM_E_UNSUPPORTED, "layer gru_1 (gru): PyTorch's GRU resets after", CONV("0"));
  refused("{conv2d: {filters: 2, kernel: 3}}, to_sequence, glu, global_average_pool, dense", NULL, AM_E_UNSUPPORTED,
          "layer glu_1 (glu): which of its inputs it takes is not known", CONV("0"), HEAD("1"));
  refused("to_sequence, {lstm: {units: 2}}, flatten, dense", NULL, AM_E_UNSUPPORTED,
          "layer flatten_1 (flatten): of a sequence", HEAD("0"));
}

/* Modules that differ in a number are in its order; of others of one shape nobody knows. */
static void order_is_not_guessed(void **state) {
  (void)state;
  refused(three, NULL, AM_E_UNSUPPORTED,
          "decoder and encoder have one shape, (2, 2, 3, 3), and nothing says which comes first", CONV("a"),
          CONV_TOO("encoder"), CONV_TOO("decoder"), HEAD("head"));
  static const tensor numbered[] = {CONV("conv2"), CONV_TOO("conv10"), CONV_TOO("conv9"), HEAD("head")};
  static const float ninth = 9;
  const char *path = written(numbered, sizeof numbered / sizeof *numbered);
  char *config = strdup(config_of(three)), *at = strdup(path);
  am_safetensors *file;
  am_test_ok(am_safetensors_open(ctx, at, &file, &err), &err);
  const uint64_t place = am_safetensors_find(file, "conv9.bias")->begin;
  am_safetensors_close(file);
  FILE *f = fopen(at, "r+b");
  assert_true(f && fseek(f, (long)place, SEEK_SET) == 0 && fwrite(&ninth, sizeof ninth, 1, f) == 1 && fclose(f) == 0);
  am_test_ok(import(at, config, NULL, 0, 0, in_folder("numbered.h5")), &err);
  am_checkpoint *c = loaded(in_folder("numbered.h5"));
  for (size_t i = 0; i < am_model_weight_count(c->model); i++) {
    const am_array_info *info = am_model_weight_info(c->model, i);
    const float *w = am_model_weights(c->model, NULL) + info->offset;
    if (!strcmp(info->name, "conv2d_2/bias")) assert_true(w[0] == 9); /* 9 is before 10 */
    else assert_true(w[0] == 0.25f);
  }
  am_checkpoint_free(c);
  free(config), free(at);
}

static void maps_are_checked(void **state) {
  (void)state;
  refused(three, "conv2d_4: a\n", AM_E_CONFIG, "map.yaml:1:1: there is no layer with weights conv2d_4 in the config",
          CONV("a"));
  refused(three, "conv2d_1.wait: a\n", AM_E_CONFIG, "no layer with weights conv2d_1.wait", CONV("a"));
  refused(three, "conv2d_1: [a]\n", AM_E_CONFIG, "map.yaml:1:11: conv2d_1: wanted the name of a module", CONV("a"));
  refused(three, "leave_out: a\n", AM_E_CONFIG, "leave_out: wanted a list", CONV("a"));
  refused(three, "- a\n", AM_E_CONFIG, "map.yaml:1:1: wanted a map", CONV("a"));
  refused(three, "conv2d_1: a\nconv2d_2: b\nconv2d_3: c\ndense_1: d\n", AM_E_FORMAT,
          "there is no tensor b.weight, which layer conv2d_2 wants as (2, 2, 3, 3)", CONV("a"), HEAD("d"));
  am_test_fails(
      import(written((tensor[]){CONV("a")}, 2), config_of(three), in_folder("none.yaml"), 0, 0, in_folder("no.h5")),
      AM_E_IO, &err, "none.yaml");
}

/* ---- our own arrays ---- */

/* A checkpoint of drawn weights with everything that a file has a place for. */
static void make_checkpoint(const char *path, const char *layers, const char *features) {
  char yaml[1024];
  snprintf(yaml, sizeof yaml,
           "data: {corpus: manifest, root: nowhere, labels: [calm, happy, sad, angry]}\n"
           "features: {sample_rate: 16000, n_fft: 64, hop: 32, mels: 5%s}\nmodel: {layers: [%s]}\n",
           features, layers);
  static const char *const labels[] = {"calm", "\"glad\", or so", "sad", "angry"};
  static float mean[5] = {1, -2, 3, -4, 5}, inverse[5] = {0.5f, 1, 2, 4, 8};
  am_config *config;
  am_model *model;
  const am_shape in = {.rank = 3, .t = 20, .f = 5, .c = 1, .variable = true};
  am_test_ok(am_config_from_text(ctx, yaml, "made-up.yaml", NULL, 0, &config, &err), &err);
  am_test_ok(am_model_create(ctx, config->layers, in, 4, &model, &err), &err);
  am_model_initialise(model, 5);
  am_dataset dataset = {.corpus = "manifest"};
  am_split split = {0};
  const bool train = config->features.normalise == AM_NORMALISE_TRAIN;
  am_normaliser normaliser = {
      .kind = config->features.normalise, .f = 5, .mean = train ? mean : NULL, .inverse = train ? inverse : NULL};
  am_credit credit = {.licence = (char *)"CC BY 4.0", .attribution = (char *)"Somebody: a corpus\n"};
  am_save save = {.config = config,
                  .model = model,
                  .labels = (char *const *)labels,
                  .classes = 4,
                  .normaliser = &normaliser,
                  .dataset = &dataset,
                  .split = &split,
                  .credit_before = &credit,
                  .temperature = 1.5};
  am_test_ok(am_checkpoint_save(ctx, path, NULL, &save, &err), &err);
  am_model_free(model);
  am_config_free(config);
}

static const char varied[] =
    "{conv2d: {filters: 3, kernel: 2}}, {batch_norm: {statistics: corrected}}, to_sequence, {gru: {units: 3, "
    "reset_after: false}}, "
    "{attention_pool: {units: 2}}, dense";

static void our_own_arrays_carry_all(void **state) {
  (void)state;
  make_checkpoint(in_folder("m.h5"), varied, ", normalise: train");
  am_test_ok(am_safetensors_export(ctx, in_folder("m.h5"), &(am_exchange_options){0}, in_folder("m.safetensors"), &err),
             &err);
  am_test_ok(import(in_folder("m.safetensors"), NULL, NULL, 0, 0, in_folder("n.h5")), &err);
  same_numbers(in_folder("m.h5"), in_folder("n.h5"));
  am_checkpoint *c = loaded(in_folder("n.h5"));
  assert_true(c->any.temperature == 1.5);
  assert_string_equal(c->labels[1], "\"glad\", or so");
  assert_true(c->normaliser.mean[3] == -4 && c->normaliser.inverse[4] == 8);
  assert_true(c->input.t == 20 && c->input.variable);
  assert_string_equal(am_checkpoint_licence(c), "CC BY 4.0");
  assert_non_null(strstr(am_checkpoint_attribution(c), "Somebody"));
  am_checkpoint_free(c);
  /* the caller's word is the last one */
  am_import_source source = {.labels = "a,b,c,d"};
  am_test_ok(am_safetensors_import(ctx, in_folder("m.safetensors"), &source, &(am_exchange_options){0},
                                   in_folder("o.h5"), &err),
             &err);
  c = loaded(in_folder("o.h5"));
  assert_string_equal(c->labels[1], "b");
  am_checkpoint_free(c);
  am_test_fails(import(in_folder("m.safetensors"), NULL, map_of("conv2d_1: a\n"), 0, 0, in_folder("no.h5")), AM_E_USAGE,
                &err, "leave option map out");
}

/* Written by version 0.1, and never changed: every later version reads it. */
static void old_files_are_read(void **state) {
  (void)state;
  const char *file = am_test_source("tests/exchange/golden/own-1.safetensors");
  am_test_ok(import(file, NULL, NULL, 0, 0, in_folder("old.h5")), &err);
  am_checkpoint *c = loaded(in_folder("old.h5"));
  assert_true(c->any.temperature == 1.5 && c->normaliser.inverse[4] == 8 && c->classes == 4);
  am_checkpoint_free(c);
  make_checkpoint(in_folder("m.h5"), varied, ", normalise: train"); /* which draws the same numbers */
  same_numbers(in_folder("m.h5"), in_folder("old.h5"));
}

/* Exports what is refused by name, and a file without a config. */
static void what_has_no_place_is_named(void **state) {
  (void)state;
  const am_exchange_options torch = {.names = AM_NAMES_PYTORCH};
  make_checkpoint(in_folder("m.h5"), varied, "");
  am_test_fails(am_safetensors_export(ctx, in_folder("m.h5"), &torch, in_folder("no.safetensors"), &err),
                AM_E_UNSUPPORTED, &err, "m.h5: layer gru_1 (gru): PyTorch's GRU");
  assert_false(am_file_exists(in_folder("no.safetensors")));
  am_test_fails(import(written((tensor[]){CONV("a")}, 2), NULL, NULL, 0, 0, in_folder("no.h5")), AM_E_USAGE, &err,
                "does not hold its features and labels");
}

static void texts_of_a_file_are_checked(void **state) {
  (void)state;
  static const struct {
    const char *key, *text, *words;
  } cases[] = {{AM_TEXT_NAMES, "mine", "audiomood_names is \"mine\""},
               {AM_TEXT_LAYOUT, "mine", "audiomood_layout is \"mine\""},
               {AM_TEXT_LABELS, "[\"a\", \"a\"]", "\"a\" is listed twice"},
               {AM_TEXT_LABELS, "[\"a\", \"\"]", "label 2 is empty"},
               {AM_TEXT_LABELS, "[]", "is not a list of texts"},
               {AM_TEXT_LABELS, "[1]", "is not a list of texts"},
               {AM_TEXT_LABELS, "[", "audiomood_labels:1:"},
               {AM_TEXT_TEMPERATURE, "hot", "wanted a number"},
               {AM_TEXT_TEMPERATURE, "-1", "temperature"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_safetensors_writer w;
    am_safetensors_begin(ctx, &w);
    am_safetensors_put_text(&w, cases[i].key, cases[i].text);
    am_test_ok(am_safetensors_write(&w, in_folder("t.safetensors"), &err), &err);
    am_safetensors_end(&w);
    am_test_fails(import(in_folder("t.safetensors"), config_of(three), NULL, 0, 0, in_folder("no.h5")), AM_E_FORMAT,
                  &err, cases[i].words);
  }
}

/* ---- memory ---- */

static char *from, *config, *map, *to, *exported;

static am_status there_and_back(am_context *small, am_error *why) {
  am_import_source source = {.config = config};
  am_exchange_options options = {.map = map, .names = AM_NAMES_PYTORCH};
  am_status status = am_safetensors_import(small, from, &source, &options, to, why);
  if (!status) status = am_safetensors_export(small, to, &options, exported, why);
  return status;
}

/* HDF5 has memory of its own, so the work may succeed all the same. */
static void survives_failed_allocations(void **state) {
  (void)state;
  from = strdup(golden("map", ".safetensors")), config = strdup(golden("map", ".yaml")), map = strdup(map_of(own_map));
  to = strdup(in_folder("mem.h5")), exported = strdup(in_folder("mem.safetensors"));
  bool fired = true;
  for (long n = 1; fired; n += AM_UNDER_TSAN || getenv("AM_VALGRIND") ? 97 : n < 60 ? 1 : 13) {
    am_test_memory memory;
    am_context *small = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    am_error why = AM_ERROR_INIT;
    am_test_memory_arm(&memory, n);
    const am_status status = there_and_back(small, &why);
    fired = am_test_memory_fired(&memory);
    if (status) assert_int_equal(status, AM_E_NOMEM);
    am_test_memory_arm(&memory, 0);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(small);
    assert_int_equal(atomic_load(&memory.alive), 0);
  }
  free(from), free(config), free(map), free(to), free(exported);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(golden_by_order),
      cmocka_unit_test(golden_by_map),
      cmocka_unit_test(golden_by_names),
      cmocka_unit_test(layouts_differ),
      cmocka_unit_test(what_does_not_fit_is_named),
      cmocka_unit_test(order_is_not_guessed),
      cmocka_unit_test(maps_are_checked),
      cmocka_unit_test(our_own_arrays_carry_all),
      cmocka_unit_test(old_files_are_read),
      cmocka_unit_test(what_has_no_place_is_named),
      cmocka_unit_test(texts_of_a_file_are_checked),
      cmocka_unit_test(survives_failed_allocations),
  };
  return cmocka_run_group_tests_name("safetensors", tests, begin, end);
}
