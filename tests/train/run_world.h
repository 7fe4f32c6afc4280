/* SPDX-License-Identifier: MIT */
/* tests/train/run_world.h - a corpus of sines, a folder for runs, and what is asked of the runs in it. */
#ifndef AM_TEST_RUN_WORLD_H
#define AM_TEST_RUN_WORLD_H

#include "base/file.h"
#include "model/checkpoint.h"
#include "model/made_up.h"

/* A context, a corpus and a folder for runs. */
typedef struct world {
  am_context *ctx;
  char *folder, *corpus, *run; /* run: "<folder>/run", not made yet */
} world;

static inline world world_make(int threads) {
  world w = {.ctx = am_test_context(threads, NULL), .folder = am_test_folder()};
  w.corpus = strdup(am_test_path(w.folder, "corpus"));
  w.run = strdup(am_test_path(w.folder, "run"));
  mkdir(w.corpus, 0777);
  made_up_corpus(w.ctx, w.corpus, 4, 3);
  return w;
}

static inline void world_free(world *w) {
  am_test_folder_remove(w->folder);
  free(w->folder);
  free(w->corpus);
  free(w->run);
  am_context_free(w->ctx);
}

typedef struct overrides {
  const char *at[12];
} overrides;

/* Runs into <folder>/<name>; the result is the caller's. */
static inline am_status train_with(world *w, const char *name, am_run_options options, overrides s,
                                   am_run_result *result, am_error *err) {
  size_t n = 0;
  while (n < 12 && s.at[n]) n++;
  am_config *config = made_up_config(w->ctx, w->corpus, s.at, n);
  char *out = strdup(am_test_path(w->folder, name));
  options.size = sizeof options;
  options.out = out;
  am_status status = am_train_run(config, &options, result, err);
  am_config_free(config);
  free(out);
  return status;
}

static inline void train_ok(world *w, const char *name, overrides s) {
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_test_ok(train_with(w, name, (am_run_options){0}, s, &r, &err), &err);
  am_run_result_free(&r);
}

/* "<folder>/<run>/<name>" */
static inline const char *file_in(world *w, const char *run, const char *name) {
  char relative[512];
  snprintf(relative, sizeof relative, "%s/%s", run, name);
  return am_test_path(w->folder, relative);
}

static inline am_checkpoint *load(world *w, const char *run, const char *name) {
  am_checkpoint *c;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_checkpoint_load(w->ctx, file_in(w, run, name), &c, &err), &err);
  return c;
}

static inline uint32_t digest(world *w, const char *run, const char *name) {
  am_checkpoint *c = load(w, run, name);
  uint32_t crc = am_checkpoint_digest(c->model);
  am_checkpoint_free(c);
  return crc;
}

/* The columns of history.csv that do not depend on the clock: all before the seconds. */
static inline char *history(world *w, const char *run) {
  char *text, *out;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(w->ctx, file_in(w, run, "history.csv"), 1 << 20, &text, &bytes, &err), &err);
  out = calloc(1, bytes + 1);
  int columns = 1; /* before the seconds: history of dimensions has fewer */
  for (const char *at = text; at < strstr(text, ",seconds"); at++) columns += *at == ',';
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    char *end = line;
    for (int column = 0; column < columns; column++) end = strchr(end, ',') + 1;
    strncat(out, line, (size_t)(end - line));
    strcat(out, "\n");
  }
  am_free(w->ctx, text);
  return out;
}

static inline void same_run(world *w, const char *a, const char *b) {
  char *x = history(w, a), *y = history(w, b);
  assert_string_equal(x, y);
  assert_int_equal(digest(w, a, "last.h5"), digest(w, b, "last.h5"));
  assert_int_equal(digest(w, a, "best.h5"), digest(w, b, "best.h5"));
  free(x);
  free(y);
}

/* Settings that use what a run has to keep: a moving average, the state of a schedule, random draws. */
static const overrides everything = {{"train.epochs=3", "train.ema=0.9", "train.optimiser.clip_norm=1",
                                      "train.schedule.kind=plateau", "train.schedule.patience=1",
                                      "train.optimiser.weight_decay=0.01",
                                      "augment={freq_masks: 1, freq_width: 3, mixup: 0.2}"}};

static inline overrides with(overrides s, const char *more) {
  size_t n = 0;
  while (s.at[n]) n++;
  s.at[n] = more;
  return s;
}

#endif
