/* SPDX-License-Identifier: MIT */
/* tests/fuzz/h5use.c - see h5use.h. */
#include "fuzz/h5use.h"

#include <math.h>

#include "audiomood/audio.h"
#include "exchange/keras.h"
#include "model/evaluate.h"

enum { RATE = 16000, SAMPLES = 1600, SPEAKERS = 4, TAKES = 3, MOST_CLIPS = 64 };

static char root[300];

static void make_sound(float *samples, int speaker, int label, int take) {
  const float step = 0.1f + 0.3f * (float)label + 0.01f * (float)(speaker + take);
  for (int i = 0; i < SAMPLES; i++) samples[i] = 0.3f * sinf(step * (float)i);
}

void h5use_corpus(am_context *ctx, const char *const *labels, int n) {
  static char manifest[4096];
  float samples[SAMPLES];
  if (*root) return;
  fuzz_require(SPEAKERS * n * TAKES <= MOST_CLIPS);
  snprintf(root, sizeof root, "%s/corpus", fuzz_folder());
  size_t used = (size_t)snprintf(manifest, sizeof manifest, "path,label,speaker\n");
  for (int s = 0; s < SPEAKERS; s++)
    for (int k = 0; k < n; k++)
      for (int take = 0; take < TAKES; take++) {
        char name[64];
        make_sound(samples, s, k, take);
        used += (size_t)snprintf(manifest + used, sizeof manifest - used, "s%d_%s_%d.wav,%s,speaker%d\n", s, labels[k],
                                 take, labels[k], s);
        snprintf(name, sizeof name, "corpus/s%d_%s_%d.wav", s, labels[k], take);
        fuzz_require(am_sound_write(ctx, fuzz_file(name, "", 0), samples, SAMPLES, RATE, true, NULL) == AM_OK);
      }
  fuzz_file("corpus/manifest.csv", manifest, used);
}

bool h5use_takes_long(const am_feature_options *o) {
  return o->sample_rate / (double)o->hop * (double)o->n_fft > 2e7 || o->samples > 100000 || o->mels > 256;
}

am_config *h5use_config(am_context *ctx, const am_checkpoint *c) {
  char here_root[400];
  snprintf(here_root, sizeof here_root, "data.root=%s", root);
  const char *const here[] = {here_root, "data.manifest=",    "data.corpus=manifest",
                              "cache=",  "train.max_steps=6", "train.batch=5"};
  am_error err = AM_ERROR_INIT;
  am_buffer text = {0};
  am_config *config = NULL;
  am_status status = am_config_text(c->config, &text, &err);
  if (!status) status = am_config_from_text(ctx, text.data, "here", here, sizeof here / sizeof *here, &config, &err);
  fuzz_check(status, &err);
  am_buffer_free(ctx, &text);
  return config;
}

static void predict(am_checkpoint *c, const float *samples, float *p) {
  am_error err = AM_ERROR_INIT;
  float sum = 0;
  am_status status = am_predict_sound(c, samples, SAMPLES, p, &err);
  fuzz_check(status, &err);
  for (int k = 0; k < c->classes; k++) sum += p[k];
  fuzz_require(status || fabsf(sum - 1) < 1e-3f);
  fuzz_require(am_checkpoint_decide(c, p) < c->classes && am_checkpoint_threshold(c, 0) <= 2);
}

/* Of a voice that is not known, and of one that is. */
void h5use_predict(am_context *ctx, am_checkpoint *c) {
  am_error err = AM_ERROR_INIT;
  float samples[SAMPLES], *p = am_alloc(ctx, (size_t)c->classes, sizeof *p);
  if (!p) return;
  make_sound(samples, SPEAKERS - 1, 2, TAKES - 1);
  predict(c, samples, p);
  if (am_checkpoint_uses_speaker(c)) {
    fuzz_check(am_checkpoint_add_speaker(c, samples, SAMPLES, &err), &err);
    predict(c, samples, p);
    am_checkpoint_forget_speaker(c);
  }
  am_free(ctx, p);
}

static void evaluate(am_context *ctx, am_checkpoint *c, const am_config *config) {
  am_error err = AM_ERROR_INIT;
  am_dataset *d = NULL;
  am_features *fx = NULL;
  am_store *store = NULL;
  uint32_t clips[MOST_CLIPS];
  float *p = am_alloc(ctx, am_mul(MOST_CLIPS, (size_t)c->classes), sizeof *p);
  am_status status = p ? am_dataset_load(ctx, &config->data, &d, &err) : am_no_memory(&err);
  if (!status) status = am_features_create(ctx, &c->config->features, &fx, &err);
  if (!status) status = am_store_create(ctx, d, fx, &config->data, "", false, &store, &err);
  size_t n = 0;
  for (size_t i = 0; store && i < d->n && n < MOST_CLIPS; i++)
    if (am_store_ok(store, (uint32_t)i)) clips[n++] = (uint32_t)i;
  if (!status) status = am_evaluate(ctx, c, d, store, clips, n, p, &err);
  fuzz_check(status, &err);
  am_store_free(store);
  am_features_free(fx);
  am_dataset_free(d);
  am_free(ctx, p);
}

void h5use_evaluate(am_context *ctx, am_checkpoint *c, const am_config *config) {
  for (size_t i = 0; i < am_checkpoint_members(c); i++) evaluate(ctx, am_checkpoint_member(c, i), config);
}

bool h5use_export(am_context *ctx, const am_checkpoint *c, const char *path) {
  char out[300];
  am_error err = AM_ERROR_INIT;
  am_exchange_options options = {.frames = c->model && am_model_input(c->model).variable ? 20 : 0};
  snprintf(out, sizeof out, "%s/exported.h5", fuzz_folder());
  am_status status = am_keras_export(ctx, path, &options, out, &err);
  fuzz_check(status, &err);
  return !status;
}

void h5use_describe(am_context *ctx,
                    am_status (*describe)(am_context *ctx, const char *path, am_described *d, am_error *err),
                    const char *path) {
  am_described d;
  am_error err = AM_ERROR_INIT;
  am_status status = am_describe_begin(ctx, &d, &err);
  if (!status) status = describe(ctx, path, &d, &err);
  status = am_describe_end(&d, status, &err);
  fuzz_check(status, &err);
  am_described_free(&d);
}
