/* SPDX-License-Identifier: MIT */
/* tests/fuzz/safetensors.c - a safetensors file, as a state dict of PyTorch for the nets of tests/exchange/golden, or with a config
 * of its own.  What was imported is used (h5use.h), goes out under both kinds of names, and comes in again. */
#define _GNU_SOURCE
#include "exchange/safetensors.h"
#include "exchange/keras.h"
#include "fuzz/fuzz.h"
#include "fuzz/h5use.h"

static const char *const labels[] = {"calm", "happy", "sad", "angry"};
static const char map[] =
    "conv2d_1: features.conv\nbatch_norm_1: norm\nlstm_1: rnn\nattention_pool_1.hidden: attend\n"
    "attention_pool_1.score: pool\ndense_1: head\nleave_out: [speaker]\n";

static const struct {
  const char *config; /* NULL: its own */
  bool mapped;
  int layout, sequence;
} ways[] = {{NULL, false, 0, 0},
            {"order", false, AM_KERAS_MEL_TIME, AM_TORCH_CHANNELS_MEL},
            {"map", true, AM_KERAS_MEL_TIME, AM_TORCH_CHANNELS_MEL},
            {"names", false, AM_KERAS_TIME_MEL, AM_TORCH_MEL_CHANNELS}};
enum { WAYS = sizeof ways / sizeof *ways };

static void again(am_context *ctx, const char *checkpoint, int names) {
  char out[300], back[300];
  am_error err = AM_ERROR_INIT;
  const am_exchange_options options = {.names = names};
  snprintf(out, sizeof out, "%s/exported.safetensors", fuzz_folder());
  snprintf(back, sizeof back, "%s/again.h5", fuzz_folder());
  am_status status = am_safetensors_export(ctx, checkpoint, &options, out, &err);
  fuzz_check(status, &err);
  if (status) return;
  const char *const plain[] = {"features.normalise=none"}; /* which a state dict does not hold */
  am_import_source source = {.overrides = plain, .n_overrides = names == AM_NAMES_PYTORCH};
  status = am_safetensors_import(ctx, out, &source, &(am_exchange_options){0}, back, &err);
  if (status) fprintf(stderr, "what was exported is refused: %s\n", err.message);
  fuzz_require(!status);
}

static void use(am_context *ctx, const char *path) {
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c = NULL;
  am_status status = am_checkpoint_load(ctx, path, &c, &err);
  if (status) fprintf(stderr, "an imported model is refused: %s\n", err.message);
  fuzz_require(!status);
  fuzz_allow(64 << 20);
  if (!h5use_takes_long(&c->config->features)) {
    h5use_corpus(ctx, labels, sizeof labels / sizeof *labels);
    h5use_predict(ctx, c);
    am_config *config = h5use_config(ctx, c);
    if (config) h5use_evaluate(ctx, c, config);
    am_config_free(config);
  }
  am_checkpoint_free(c);
  again(ctx, path, AM_NAMES_AUDIOMOOD);
  again(ctx, path, AM_NAMES_PYTORCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  /* A config of its own may rightly ask for much. */
  const bool own = memmem(data, bytes, AM_TEXT_CONFIG, strlen(AM_TEXT_CONFIG)) != NULL;
  am_context *ctx = fuzz_begin(bytes, !own);
  char path[300], out[300], names[300];
  am_status status = AM_E_SHAPE;
  snprintf(path, sizeof path, "%s", fuzz_file("in.safetensors", data, bytes));
  snprintf(names, sizeof names, "%s", fuzz_file("map.yaml", map, sizeof map - 1));
  snprintf(out, sizeof out, "%s/imported.h5", fuzz_folder());
  h5use_describe(ctx, am_safetensors_describe, path);
  for (size_t i = own ? 0 : 1; i < WAYS && status; i++) {
    char config[400];
    am_error err = AM_ERROR_INIT;
    snprintf(config, sizeof config, AM_SOURCE_ROOT "/tests/exchange/golden/torch_%s.yaml",
             ways[i].config ? ways[i].config : "");
    const am_import_source source = {.config = ways[i].config ? config : NULL};
    const am_exchange_options options = {
        .map = ways[i].mapped ? names : NULL, .layout = ways[i].layout, .sequence = ways[i].sequence};
    status = am_safetensors_import(ctx, path, &source, &options, out, &err);
    fuzz_check(status, &err);
  }
  if (!status) use(ctx, out);
  fuzz_end();
  return 0;
}
