/* SPDX-License-Identifier: MIT */
/* tests/fuzz/checkpoint.c - a checkpoint, or edits of one (h5edit.h).  Whatever is loaded predicts a short sound, evaluates a
 * tiny corpus, begins a training, is resumed, and goes out to Keras; each of these may fail, and then says why. */
#include "fuzz/h5edit.h"
#include "fuzz/h5use.h"
#include "model/origin.h"

/* With those of h5use_corpus the clips that checkpoint-1.0.h5 was trained on, by which it knows them again (am_data_digest). */
static const char *const labels[] = {"low", "middle", "high"};

/* `init` or, with NULL, a run that has been paused. */
static void train(am_config *config, const char *init, const char *run) {
  am_error err = AM_ERROR_INIT;
  am_run_result result = {.size = sizeof result};
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
  bool takes_long = false;
  for (size_t i = 0; i < am_checkpoint_members(c); i++)
    takes_long |= h5use_takes_long(&am_checkpoint_member(c, i)->config->features);
  if (!takes_long) {
    h5use_corpus(ctx, labels, sizeof labels / sizeof *labels);
    h5use_predict(ctx, c);
    am_config *config = h5use_config(ctx, c);
    if (config) {
      h5use_evaluate(ctx, c, config);
      train(config, path, "nowhere");
      resume(config, path, size);
    }
    am_config_free(config);
  }
  h5use_export(ctx, c, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  size_t size;
  char path[300];
  snprintf(path, sizeof path, "%s", h5edit_file(data, bytes, "checkpoint.h5", &size));
  am_context *ctx = fuzz_begin(size, true);
  am_error err = AM_ERROR_INIT, other = AM_ERROR_INIT;
  am_checkpoint *c = NULL;
  am_origin origin;
  am_h5 *file;
  am_status status = am_checkpoint_load(ctx, path, &c, &err);
  fuzz_check(status, &err);
  fuzz_require(!status == (c != NULL));
  status = am_checkpoint_open(ctx, path, &file, &other);
  fuzz_check(status, &other);
  if (!status) {
    fuzz_check(am_checkpoint_origin(ctx, file, &origin, &other), &other);
    am_origin_free(ctx, &origin);
    am_h5_close(file);
  }
  if (c) {
    fuzz_allow(64 << 20); /* its config may ask for a large batch, or long clips */
    use(ctx, c, path, size);
  }
  am_checkpoint_free(c);
  fuzz_end();
  return 0;
}
