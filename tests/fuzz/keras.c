/* SPDX-License-Identifier: MIT */
/* tests/fuzz/keras.c - Keras import: an input that begins with '{' is the model_config of a file that is otherwise
 * in order; one that begins with '<' is the config.json of an archive, and behind a zero byte its model.weights.h5, since no
 * changed byte of an archive gets past its checksums; any other is the file itself, or edits of one (h5edit.h).  What was
 * imported is used (h5use.h), and read again from what it was exported to. */
#define _GNU_SOURCE
#include "exchange/keras.h"
#include "exchange/archive.h"
#include "fuzz/h5edit.h"
#include "fuzz/h5use.h"
#include "io/h5.h"

static const char *const labels[] = {"calm", "happy", "sad", "angry"};
static const char features[] =
    "name: fuzz\ndata: {corpus: manifest, root: nowhere, labels: [calm, happy, sad, angry]}\n"
    "split: {kind: speaker, test: 0.25}\n"
    "features: {kind: log_mel, sample_rate: 16000, n_fft: 64, hop: 32, mels: 7, samples: 320}\n"
    "train: {epochs: 1, batch: 4}\n";

/* The inputs of the models in tests/exchange/golden, as these files state them and as features. */
static const struct {
  const char *shape, *set[2];
} inputs[] = {{"[null, 7, 11, 1]", {"features.mels=7", "features.samples=320"}},
              {"[null, 13, 5]", {"features.mels=5", "features.samples=384"}},
              {"[null, 6, 5]", {"features.mels=5", "features.samples=160"}},
              {"[null, 6, 9, 1]", {"features.mels=6", "features.samples=256"}},
              {"[null, 9, 5]", {"features.mels=5", "features.samples=256"}}};
enum { INPUTS = sizeof inputs / sizeof *inputs };

/* Which of them the file speaks of; each that does not fit costs a whole opening of the file. */
static size_t likely_input(const char *path) {
  static char text[1 << 17];
  FILE *file = fopen(path, "rb");
  size_t n = file ? fread(text, 1, sizeof text, file) : 0, k = 0;
  if (file) fclose(file);
  while (k < INPUTS && !memmem(text, n, inputs[k].shape, strlen(inputs[k].shape))) k++;
  return k % INPUTS;
}

/* A text beyond what an attribute may hold is not written. */
static const char *wrap(am_context *ctx, const uint8_t *data, size_t bytes) {
  am_h5 *file = NULL;
  char path[300], *json = fuzz_text(data, bytes);
  snprintf(path, sizeof path, "%s/keras.h5", fuzz_folder());
  fuzz_require(am_h5_create_aside(ctx, path, &file, NULL) == AM_OK);
  fuzz_require(am_h5_group(file, "model_weights", NULL) == AM_OK);
  bool fits = am_h5_set_text(file, "/", "model_config", json, NULL) == AM_OK && am_h5_commit(file, NULL) == AM_OK;
  if (!fits) fuzz_file("keras.h5", "", 0);
  free(json);
  static char kept[300];
  memcpy(kept, path, sizeof kept);
  return kept;
}

/* Left out in a build without archives. */
static const char *wrap_archive(am_context *ctx, const uint8_t *data, size_t bytes) {
  static char path[300];
  const uint8_t *end = memchr(data, 0, bytes);
  const size_t json = end ? (size_t)(end - data) : bytes, rest = end ? json + 1 : bytes;
  const am_archive_part parts[] = {{"config.json", data, json}, {"model.weights.h5", data + rest, bytes - rest}};
  snprintf(path, sizeof path, "%s/keras.keras", fuzz_folder());
  if (am_archive_write(ctx, path, parts, 2, NULL)) fuzz_file("keras.keras", "", 0);
  return path;
}

/* A model that has just been imported is in order; only its numbers may be such that the result is not finite. */
static void use(am_context *ctx, const char *path, am_import_source *again) {
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c = NULL;
  am_status status = am_checkpoint_load(ctx, path, &c, &err);
  if (status) fprintf(stderr, "an imported model is refused: %s\n", err.message);
  fuzz_require(!status);
  h5use_corpus(ctx, labels, sizeof labels / sizeof *labels);
  h5use_predict(ctx, c);
  if (h5use_export(ctx, c, path)) {
    char exported[300], out[300];
    snprintf(exported, sizeof exported, "%s/exported.h5", fuzz_folder());
    snprintf(out, sizeof out, "%s/again.h5", fuzz_folder());
    status = am_keras_import(ctx, exported, again, &(am_exchange_options){0}, out, &err);
    if (status) fprintf(stderr, "what was exported is refused: %s\n", err.message);
    fuzz_require(!status);
  }
  fuzz_allow(64 << 20); /* of evaluation: a batch of the longest clips that the model takes */
  am_config *config = h5use_config(ctx, c);
  fuzz_require(config);
  h5use_evaluate(ctx, c, config);
  am_config_free(config);
  am_checkpoint_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  bool json = bytes && data[0] == '{' && bytes < 50000, wrapped = bytes && data[0] == '<';
  bool archive = wrapped || (bytes > 1 && !memcmp(data, "PK", 2));
  size_t size = bytes;
  const char *path = json || wrapped ? NULL : h5edit_file(data, bytes, "keras.h5", &size);
  const size_t unpacked = 100000; /* some is always allowed, since what is small may be packed tightly */
  am_context *ctx = fuzz_begin(archive ? size + unpacked : size, true);
  am_error err = AM_ERROR_INIT;
  char out[300], config[300];
  snprintf(out, sizeof out, "%s/imported.h5", fuzz_folder());
  snprintf(config, sizeof config, "%s", fuzz_file("features.yaml", features, sizeof features - 1));
  if (json) path = wrap(ctx, data, bytes);
  if (wrapped) path = wrap_archive(ctx, data + 1, bytes - 1);
  h5use_describe(ctx, am_keras_describe, path);
  am_import_source o = {.config = config};
  am_status status = AM_E_SHAPE;
  for (size_t i = 0, first = likely_input(path); i < INPUTS && status == AM_E_SHAPE; i++) {
    err = (am_error)AM_ERROR_INIT;
    o.overrides = inputs[(first + i) % INPUTS].set;
    o.n_overrides = 2;
    status = am_keras_import(ctx, path, &o, &(am_exchange_options){0}, out, &err);
    fuzz_check(status, &err);
  }
  if (!status) use(ctx, out, &o);
  fuzz_end();
  return 0;
}
