/* SPDX-License-Identifier: MIT */
/* tests/model/make_checkpoint.c - makes tests/model/golden/checkpoint-1.0.h5, the file of format version 1 that
 * every later version must read.  It is not made again: a change of format gets a file of its own beside it.
 *
 *     make_checkpoint FOLDER        trains five steps on sines, relative to FOLDER, which must be empty
 *     make_checkpoint FOLDER lstm   another model, golden/lstm-clip.h5: for tests/fuzz, which edits it */
#include "made_up.h"

int main(int argc, char **argv) {
  const bool lstm = argc == 3 && !strcmp(argv[2], "lstm");
  if ((argc != 2 && !lstm) || chdir(argv[1])) {
    fprintf(stderr, "wanted an empty folder\n");
    return 2;
  }
  am_context *ctx = am_test_context(1, "plain");
  const char *const more[] = {"train.max_steps=5", "train.ema=0.9", "features.normalise=train"};
  const char *const small[] = {
      "train.max_steps=5", "features.normalise=clip", "train.optimiser={kind: sgd, learning_rate: 0.02}",
      "model.layers=[to_sequence, {lstm: {units: 2, bidirectional: true}}, global_average_pool, "
      "{dense: {units: 0}}]"};
  am_error err = AM_ERROR_INIT;
  am_run_result result = {.size = sizeof result};
  mkdir("corpus", 0777);
  made_up_corpus(ctx, "corpus", 4, 3);
  am_config *config = lstm ? made_up_config(ctx, "corpus", small, 4) : made_up_config(ctx, "corpus", more, 3);
  am_status status =
      am_train_run(config, &(am_run_options){.size = sizeof(am_run_options), .out = "run"}, &result, &err);
  fprintf(stderr, "%s\n", err.message);
  am_config_free(config);
  am_context_free(ctx);
  return status == AM_E_STOPPED ? 0 : 1;
}
