/* SPDX-License-Identifier: MIT */
/* What the tests of Keras models share: each is one program of its own. */
#include "testing.h"

#include "base/file.h"
#include "exchange/keras.h"
#include "io/h5.h"
#include "model/checkpoint.h"

static am_context *ctx;
static char *folder;
static am_error err;

/* For all cases of a program. */
static inline int begin(void **state) {
  (void)state;
  ctx = am_test_context(2, NULL);
  folder = am_test_folder();
  return 0;
}

static inline int end(void **state) {
  (void)state;
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
  return 0;
}

static inline const char *in_folder(const char *name) { return am_test_path(folder, name); }

static inline am_status import(const char *file, const char *out, int layout, int mels, int frames) {
  char mel[32], samples[48];
  snprintf(mel, sizeof mel, "features.mels=%d", mels);
  snprintf(samples, sizeof samples, "features.samples=%d", 32 * (frames - 1)); /* hop 32, centred */
  const char *const set[] = {mel, samples};
  am_import_source o = {
      .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = set, .n_overrides = 2};
  return am_keras_import(ctx, file, &o, &(am_exchange_options){.layout = layout}, out, &err);
}

/* Probabilities (n,K) of raw inputs (n,T,F,C). */
static inline void forward(am_model *model, const float *x, int n, float *out) {
  am_session *session;
  am_test_ok(am_session_create(model, n, false, &session, &err), &err);
  am_batch batch = {.size = sizeof batch, .n = n, .x = x};
  am_session_forward(session, &batch, false, NULL);
  am_softmax_rows(am_session_output(session), n, am_model_output(model).c, out);
  am_session_free(session);
}

static inline void same_arrays(const char *a, const char *b) {
  am_checkpoint *one, *two;
  size_t n, m;
  am_test_ok(am_checkpoint_load(ctx, a, &one, &err), &err);
  am_test_ok(am_checkpoint_load(ctx, b, &two, &err), &err);
  assert_int_equal(am_model_weight_count(one->model), am_model_weight_count(two->model));
  for (size_t i = 0; i < am_model_weight_count(one->model); i++)
    assert_string_equal(am_model_weight_info(one->model, i)->name, am_model_weight_info(two->model, i)->name);
  const float *x = am_model_weights(one->model, &n), *y = am_model_weights(two->model, &m);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n * sizeof *x);
  x = am_model_statistics(one->model, &n), y = am_model_statistics(two->model, &m);
  assert_int_equal(n, m);
  if (n) assert_memory_equal(x, y, n * sizeof *x);
  am_checkpoint_free(one);
  am_checkpoint_free(two);
}

/* One of tests/exchange/golden; what it answers is in it, or beside it in NAME.io.h5. */
static inline const char *golden_file(const char *name, const char *end) {
  char path[96];
  snprintf(path, sizeof path, "tests/exchange/golden/%s%s", name, end);
  return am_test_source(path);
}

/* `turned`: the input of the file is (n,F,T) and ours (n,T,F); `back`: the name of the file that it is exported to. */
static inline void check_golden_as(const char *file, const char *io, int layout, int mels, int frames, bool turned,
                                   const char *back) {
  am_h5 *h5;
  am_h5_info shape, outputs;
  void *x, *y;
  am_test_ok(am_h5_open(ctx, io, AM_H5_FOREIGN, &h5, &err), &err);
  am_test_ok(am_h5_read_new(h5, "golden/x", AM_H5_F32, &shape, &x, &err), &err);
  am_test_ok(am_h5_read_new(h5, "golden/y", AM_H5_F32, &outputs, &y, &err), &err);
  am_h5_close(h5);
  const int n = (int)shape.dims[0], k = (int)outputs.dims[1];
  const size_t clip = (size_t)mels * (size_t)frames;
  assert_int_equal(shape.count, (size_t)n * clip);
  float *ours = calloc(shape.count, sizeof *ours), *got = calloc(outputs.count, sizeof *got);
  for (int i = 0; i < n; i++)
    am_keras_turn((const float *)x + (size_t)i * clip, turned ? mels : 1, turned ? frames : (int)clip, 1,
                  ours + (size_t)i * clip);
  /* some models end in logits */
  double sum = 0;
  for (int i = 0; i < k; i++) sum += (double)((float *)y)[i];
  if (fabs(sum - 1) > 1e-3) am_softmax_rows(y, n, k, y);

  am_checkpoint *c;
  am_test_ok(import(file, in_folder("a.h5"), layout, mels, frames), &err);
  am_test_ok(am_checkpoint_verify(ctx, in_folder("a.h5"), &err), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("a.h5"), &c, &err), &err);
  assert_int_equal(c->classes, k);
  assert_string_equal(c->labels[1], "happy");
  forward(c->model, ours, n, got);
  assert_allclose_f(got, y, outputs.count, 0, 1e-5);
  am_checkpoint_free(c);

  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){.layout = layout}, in_folder(back), &err),
             &err);
  am_test_ok(import(in_folder(back), in_folder("c.h5"), layout, mels, frames), &err);
  same_arrays(in_folder("a.h5"), in_folder("c.h5"));
  free(ours);
  free(got);
  am_free_aligned(ctx, x);
  am_free_aligned(ctx, y);
}

static inline void check_golden(const char *name, int layout, int mels, int frames, bool turned) {
  char *file = strdup(golden_file(name, ".h5"));
  check_golden_as(file, file, layout, mels, frames, turned, "b.h5");
  free(file);
}

/* A list of layers as a config has it, of one that is written without its braces: "a: {}, b" becomes "{a: {}}, {b}". */
static inline void braced(const char *layers, char *at) {
  int depth = 0;
  *at++ = '{';
  for (const char *c = layers; *c; c++) {
    depth += *c == '{' || *c == '[';
    depth -= *c == '}' || *c == ']';
    if (*c == ',' && !depth) {
      strcpy(at, "}, {");
      at += 4;
      c++;
    } else {
      *at++ = *c;
    }
  }
  strcpy(at, "}");
}

static inline void write_keras(const char *path, const char *config) {
  am_h5 *h5;
  am_test_ok(am_h5_create_aside(ctx, path, &h5, &err), &err);
  am_test_ok(am_h5_group(h5, "model_weights", &err), &err);
  am_test_ok(am_h5_set_text(h5, "/", "model_config", config, &err), &err);
  am_test_ok(am_h5_commit(h5, &err), &err);
}

/* A checkpoint of drawn weights with these layers and this input. */
static inline void make_checkpoint(const char *path, const char *layers, am_shape in) {
  char yaml[1024];
  snprintf(yaml, sizeof yaml,
           "data: {corpus: manifest, root: nowhere, labels: [calm, happy, sad, angry]}\n"
           "features: {sample_rate: 16000, n_fft: 64, hop: 32, mels: %d}\nmodel: {layers: [%s]}\n",
           in.f * in.c, layers);
  static const char *const labels[] = {"calm", "happy", "sad", "angry"};
  am_config *config;
  am_model *model;
  am_test_ok(am_config_from_text(ctx, yaml, "made-up.yaml", NULL, 0, &config, &err), &err);
  am_test_ok(am_model_create(ctx, config->layers, in, 4, &model, &err), &err);
  am_model_initialise(model, 5);
  am_dataset dataset = {.corpus = "manifest"};
  am_split split = {0};
  am_normaliser normaliser = {.f = in.f * in.c};
  am_save save = {.config = config,
                  .model = model,
                  .labels = (char *const *)labels,
                  .classes = 4,
                  .normaliser = &normaliser,
                  .dataset = &dataset,
                  .split = &split};
  am_test_ok(am_checkpoint_save(ctx, path, NULL, &save, &err), &err);
  am_model_free(model);
  am_config_free(config);
}
