/* SPDX-License-Identifier: MIT */
/* tests/data/corpora.h - made-up corpora for the tests of data/. */
#ifndef TEST_CORPORA_H
#define TEST_CORPORA_H

#include "testing.h"

#include "audiomood/audio.h"
#include "base/file.h"
#include "base/option.h"
#include "data/dataset.h"
#include "io/yaml.h"

/* A context whose warnings are kept, so tests can read them. */
typedef struct kept_log {
  char text[16384];
  int lines;
} kept_log;

static inline void keep_line(void *user, am_log_level level, const char *line) {
  kept_log *log = user;
  if (level > AM_LOG_WARNING) return;
  size_t used = strlen(log->text);
  snprintf(log->text + used, sizeof log->text - used, "%s\n", line);
  log->lines++;
}

static inline am_context *logging_context(kept_log *log, int threads) {
  *log = (kept_log){0};
  am_settings settings = {.size = sizeof settings, .threads = threads, .log = keep_line, .user = log};
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  am_test_ok(am_context_create(&settings, &ctx, &err), &err);
  return ctx;
}

/* A section of a config, read from YAML by its table. Free the tree after use. */
static inline am_tree *read_section(am_context *ctx, const am_option *table, const char *yaml, void *out) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree;
  am_value *map;
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  am_test_ok(am_yaml_read_text(tree, yaml, strlen(yaml), "test.yaml", &map, &err), &err);
  am_test_ok(am_options_read(tree, table, map, "section", out, &err), &err);
  return tree;
}

static inline void make_folder(am_context *ctx, const char *path) {
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_folder_create(ctx, path, &err), &err);
}

/* An empty file, for what never opens its clips. */
static inline void touch(am_context *ctx, const char *folder, const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  *strrchr(path, '/') = '\0';
  make_folder(ctx, path);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  am_test_file(path, "", 0);
}

/* RAVDESS's names below `folder` (empty files): the whole speech or song part, actors 1..last. */
static inline int touch_part(am_context *ctx, const char *folder, int channel, int last, const char *extension) {
  int n = 0;
  char path[4096];
  for (int actor = 1; actor <= last; actor++) {
    if (channel == 2 && actor == 18) continue;
    snprintf(path, sizeof path, "%s/Actor_%02d", folder, actor);
    make_folder(ctx, path);
    for (int e = 1; e <= (channel == 2 ? 6 : 8); e++)
      for (int i = 1; i <= (e == 1 ? 1 : 2); i++)
        for (int s = 1; s <= 2; s++)
          for (int r = 1; r <= 2; r++) {
            snprintf(path, sizeof path, "%s/Actor_%02d/03-%02d-%02d-%02d-%02d-%02d-%02d.%s", folder, actor, channel, e,
                     i, s, r, actor, extension);
            am_test_file(path, "", 0);
            n++;
          }
  }
  return n;
}

static inline void write_samples(am_context *ctx, const char *path, float *x, size_t n, double rate, bool pcm16) {
  am_error err = AM_ERROR_INIT;
  assert_non_null(x);
  am_test_ok(am_sound_write(ctx, path, x, n, rate, pcm16, &err), &err);
  free(x);
}

/* A tone with a little of its own, so that every clip differs. */
static inline void write_tone(am_context *ctx, const char *path, double hz, double seconds, double rate) {
  size_t n = (size_t)(seconds * rate);
  float *x = malloc(n * sizeof *x);
  for (size_t i = 0; x && i < n; i++) x[i] = (float)(0.3 * sin(6.283185307179586 * hz * (double)i / rate));
  write_samples(ctx, path, x, n, rate, true);
}
/* A tone in noise, at a level. */
static inline void write_noisy_tone(am_context *ctx, const char *path, double hz, double seconds, double rate,
                                    double level) {
  size_t n = (size_t)(seconds * rate);
  float *x = malloc(n * sizeof *x);
  uint32_t noise = 1;
  for (size_t i = 0; x && i < n; i++) {
    noise = noise * 1664525u + 1013904223u;
    x[i] = (float)(level * (sin(6.283185307179586 * hz * (double)i / rate) + noise / 4294967296.0 - 0.5));
  }
  write_samples(ctx, path, x, n, rate, false);
}

#endif
