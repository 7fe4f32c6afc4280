/* SPDX-License-Identifier: MIT */
/* tests/fuzz/onnx.c - ONNX import: an input is the file.  What was imported is used (h5use.h), exported again, and imported again. */
#include "exchange/onnx.h"
#include "exchange/onnx_import.h"
#include "fuzz/h5use.h"

static const char *const labels[] = {"calm", "happy", "sad", "angry"};
static const char features[] =
    "name: fuzz\ndata: {corpus: manifest, root: nowhere, labels: [calm, happy, sad, angry]}\n"
    "split: {kind: speaker, test: 0.25}\n"
    "features: {kind: log_mel, sample_rate: 16000, n_fft: 64, hop: 32, mels: 6, max_frames: 40}\n"
    "train: {epochs: 1, batch: 4}\n";

/* Clips of any length, and of one: the inputs of the models in tests/exchange/golden/onnx. */
static const char *const sets[] = {"features.samples=0", "features.samples=736"};

/* A model that has just been imported is in order; only its numbers may be such that the result is not finite. */
static void use(am_context *ctx, const char *path, am_import_source *again) {
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c = NULL;
  char exported[300], out[300];
  am_status status = am_checkpoint_load(ctx, path, &c, &err);
  if (status) fprintf(stderr, "an imported model is refused: %s\n", err.message);
  fuzz_require(!status);
  h5use_corpus(ctx, labels, sizeof labels / sizeof *labels);
  h5use_predict(ctx, c);
  snprintf(exported, sizeof exported, "%s/exported.onnx", fuzz_folder());
  snprintf(out, sizeof out, "%s/again.h5", fuzz_folder());
  status = am_onnx_export(ctx, &path, 1, &(am_exchange_options){0}, exported, &err);
  fuzz_check(status, &err);
  if (!status) status = am_onnx_import(ctx, exported, again, &(am_exchange_options){0}, out, &err);
  fuzz_check(status, &err);
  am_checkpoint_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT;
  char path[300], out[300], config[300];
  snprintf(path, sizeof path, "%s", fuzz_file("model.onnx", data, bytes));
  snprintf(config, sizeof config, "%s", fuzz_file("features.yaml", features, sizeof features - 1));
  snprintf(out, sizeof out, "%s/imported.h5", fuzz_folder());
  h5use_describe(ctx, am_onnx_describe, path);
  am_import_source o = {.config = config, .n_overrides = 1};
  am_status status = AM_E_SHAPE;
  for (size_t i = 0; i < 2 && status == AM_E_SHAPE; i++) {
    err = (am_error)AM_ERROR_INIT;
    o.overrides = &sets[i];
    status = am_onnx_import(ctx, path, &o, &(am_exchange_options){0}, out, &err);
    fuzz_check(status, &err);
  }
  if (!status) {
    fuzz_allow(64 << 20); /* of use: the largest clips that the model takes */
    use(ctx, out, &o);
  }
  fuzz_end();
  return 0;
}
