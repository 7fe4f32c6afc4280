/* tests/fuzz/checkpoint.c - a checkpoint, or edits of one (h5edit.h).  Whatever is loaded predicts a short sound, evaluates a
 * tiny corpus, begins a training, is resumed, and goes out to Keras; each of these may fail, and then says why. */
#include <math.h>

#include "audiomood/audio.h"
#include "fuzz/h5edit.h"
#include "train/keras.h"
#include "train/origin.h"

enum { RATE = 16000, SAMPLES = 1600, SPEAKERS = 4, TAKES = 3 };

static float samples[SAMPLES];

/* Clips named as those that checkpoint-1.0.h5 was trained on, by which it knows them again (am_data_digest); "<folder>/corpus". */
static const char *corpus(am_context *ctx) {
  static const char *const labels[] = {"low", "middle", "high"};
  static char root[300], manifest[4096];
  if (*root) return root;
  snprintf(root, sizeof root, "%s/corpus", fuzz_folder());
  size_t used = (size_t)snprintf(manifest, sizeof manifest, "path,label,speaker\n");
  for (int s = 0; s < SPEAKERS; s++)
    for (int k = 0; k < 3; k++)
      for (int take = 0; take < TAKES; take++) {
        char name[64];
        for (int i = 0; i < SAMPLES; i++) samples[i] = 0.3f * sinf((0.1f + 0.3f * (float)k + 0.01f * (float)(s + take)) * (float)i);
        used += (size_t)snprintf(manifest + used, sizeof manifest - used, "s%d_%s_%d.wav,%s,speaker%d\n", s, labels[k], take,
                                 labels[k], s);
        snprintf(name, sizeof name, "corpus/s%d_%s_%d.wav", s, labels[k], take);
        fuzz_require(am_sound_write(ctx, fuzz_file(name, "", 0), samples, SAMPLES, RATE, true, NULL) == AM_OK);
      }
  fuzz_file("corpus/manifest.csv", manifest, used);
  return root;
}

/* A config of this kind may rightly ask for minutes of Fourier transforms. */
static bool takes_long(const am_feature_options *o) {
  return o->sample_rate / (double)o->hop * (double)o->n_fft > 2e7 || o->samples > 100000 || o->mels > 256;
}

/* The checkpoint's config for the corpus here, one or two steps of it. */
static am_config *config_here(am_context *ctx, const am_checkpoint *c) {
  char root[400];
  snprintf(root, sizeof root, "data.root=%s", corpus(ctx));
  const char *const here[] = {root, "data.manifest=", "data.corpus=manifest", "cache=", "train.max_steps=6", "train.batch=5"};
  am_error err = AM_ERROR_INIT;
  am_buffer text = {0};
  am_config *config = NULL;
  am_status status = am_config_text(c->config, &text, &err);
  if (!status) status = am_config_from_text(ctx, text.data, "here", here, sizeof here / sizeof *here, &config, &err);
  fuzz_check(status, &err);
  am_buffer_free(ctx, &text);
  return config;
}

static void predict(am_context *ctx, am_checkpoint *c) {
  am_error err = AM_ERROR_INIT;
  float sum = 0, *p = am_alloc(ctx, (size_t)c->classes, sizeof *p);
  if (!p) return;
  am_status status = am_predict_sound(ctx, c, samples, SAMPLES, p, &err);
  fuzz_check(status, &err);
  for (int k = 0; k < c->classes; k++) sum += p[k];
  fuzz_require(status || fabsf(sum - 1) < 1e-3f);
  am_free(ctx, p);
}

static void evaluate(am_context *ctx, am_checkpoint *c, const am_config *config) {
  enum { CLIPS = SPEAKERS * 3 * TAKES };
  am_error err = AM_ERROR_INIT;
  am_dataset *d = NULL;
  am_features *fx = NULL;
  am_store *store = NULL;
  uint32_t clips[CLIPS];
  float *p = am_alloc(ctx, am_mul(CLIPS, (size_t)c->classes), sizeof *p);
  am_status status = p ? am_dataset_load(ctx, &config->data, &d, &err) : am_no_memory(&err);
  if (!status) status = am_features_create(ctx, &c->config->features, &fx, &err);
  if (!status) status = am_store_create(ctx, d, fx, &config->data, "", false, &store, &err);
  size_t n = 0;
  for (size_t i = 0; store && i < d->n && n < CLIPS; i++)
    if (am_store_ok(store, (uint32_t)i)) clips[n++] = (uint32_t)i;
  if (!status) status = am_evaluate(ctx, c, d, store, clips, n, p, &err);
  fuzz_check(status, &err);
  am_store_free(store);
  am_features_free(fx);
  am_dataset_free(d);
  am_free(ctx, p);
}

/* `init` or, with NULL, a run that has been paused. */
static void train(am_config *config, const char *init, const char *run) {
  am_error err = AM_ERROR_INIT;
  am_run_result result;
  am_run_options options = {.size = sizeof options, .out = run, .init = init, .dry_run = init != NULL, .resume = !init};
  fuzz_check(am_train_run(config, &options, &result, &err), &err);
  am_run_result_free(&result);
}

static void resume(am_config *config, const char *file, size_t size) {
  char run[300], *data = malloc(size + 1);
  FILE *from = fopen(file, "rb");
  fuzz_require(data && from && fread(data, 1, size, from) == size);
  fclose(from);
  fuzz_remove("run");
  fuzz_file("run/last.h5", data, size);
  fuzz_file("run/config.yaml", "", 0); /* the caller reads it; here it only says that there is a run */
  free(data);
  snprintf(run, sizeof run, "%s/run", fuzz_folder());
  train(config, NULL, run);
}

static void use(am_context *ctx, am_checkpoint *c, const char *path, size_t size) {
  char out[300];
  am_error err = AM_ERROR_INIT;
  snprintf(out, sizeof out, "%s/keras.h5", fuzz_folder());
  if (!takes_long(&c->config->features)) {
    corpus(ctx);
    predict(ctx, c);
    am_config *config = config_here(ctx, c);
    if (config) {
      evaluate(ctx, c, config);
      train(config, path, "nowhere");
      resume(config, path, size);
    }
    am_config_free(config);
  }
  am_keras_export_options options = {.frames = 20};
  fuzz_check(am_keras_export(ctx, path, &options, out, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  size_t size;
  char path[300];
  snprintf(path, sizeof path, "%s", h5edit_file(data, bytes, "checkpoint.h5", &size));
  am_context *ctx = fuzz_begin(size, true);
  am_error err = AM_ERROR_INIT, other = AM_ERROR_INIT;
  am_checkpoint *c = NULL;
  am_origin origin;
  am_status status = am_checkpoint_load(ctx, path, &c, &err);
  fuzz_check(status, &err);
  fuzz_require(!status == (c != NULL));
  fuzz_check(am_checkpoint_origin(ctx, path, &origin, &other), &other);
  am_origin_free(ctx, &origin);
  if (c) {
    fuzz_allow(64 << 20); /* its config may ask for a large batch, or long clips */
    use(ctx, c, path, size);
  }
  am_checkpoint_free(ctx, c);
  fuzz_end();
  return 0;
}
