/* SPDX-License-Identifier: MIT */
/* train.c CONFIG FOLDER - trains by a config file, and says how good the model is.  Ctrl-C saves and ends. */
#include <audiomood/audiomood.h>
#include <signal.h>
#include <stdio.h>

static am_context *ctx;

static void stop(int number) {
  (void)number;
  am_context_stop(ctx); /* may be called from here */
}

static void tell(void *user, am_log_level level, const char *line) {
  (void)user;
  if (level <= AM_LOG_INFO) fprintf(stderr, "%s\n", line);
}

static void show(const am_metrics *m) {
  printf("accuracy %.3f, average recall %.3f of %zu clips\n", am_metrics_accuracy(m), am_metrics_uar(m),
         am_metrics_clips(m));
  for (int k = 0; k < am_metrics_classes(m); k++) {
    printf("%-10s recall %.3f |", am_metrics_label(m, k), am_metrics_recall(m, k));
    for (int j = 0; j < am_metrics_classes(m); j++) printf(" %3d", (int)am_metrics_confusion(m, k, j));
    printf("\n");
  }
}

int main(int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_settings settings = {.size = sizeof settings, .log = tell};
  am_config *config = NULL;
  am_run_result result = {.size = sizeof result};
  if (argc != 3) return fprintf(stderr, "usage: train CONFIG FOLDER\n"), 2;
  am_run_options options = {.size = sizeof options, .out = argv[2]};
  am_status status = am_context_create(&settings, &ctx, &err);
  if (!status) signal(SIGINT, stop);
  if (!status) status = am_config_load(ctx, argv[1], NULL, 0, &config, &err);
  if (!status) status = am_train_run(config, &options, &result, &err);
  if (!status) show(result.test ? result.test : result.validation);
  if (status) fprintf(stderr, "train: %s\n", err.message);
  signal(SIGINT, SIG_DFL);
  am_run_result_free(&result);
  am_config_free(config);
  am_context_free(ctx);
  return status ? 1 : 0;
}
