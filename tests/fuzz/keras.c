/* tests/fuzz/keras.c - Keras import: an input that begins with '{' is the model_config of a file that is otherwise
 * in order, any other the file itself. */
#include "fuzz/fuzz.h"
#include "io/h5.h"
#include "train/keras.h"

static const char features[] = "name: fuzz\ndata: {corpus: manifest, root: nowhere, labels: [calm, happy, sad, angry]}\n"
                               "split: {kind: speaker, test: 0.25}\n"
                               "features: {kind: log_mel, sample_rate: 16000, n_fft: 64, hop: 32, mels: 7, samples: 320}\n"
                               "train: {epochs: 1, batch: 4}\n";

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  bool json = bytes && data[0] == '{' && bytes < 50000;
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT;
  char out[300];
  snprintf(out, sizeof out, "%s/imported.h5", fuzz_folder());
  const char *path = json ? wrap(ctx, data, bytes) : fuzz_file("keras.h5", data, bytes);
  am_keras_import_options o = {.config = fuzz_file("features.yaml", features, sizeof features - 1),
                               .layout = AM_KERAS_MEL_TIME};
  fuzz_check(am_keras_import(ctx, path, &o, out, &err), &err);
  fuzz_end();
  return 0;
}
