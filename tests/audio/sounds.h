/* SPDX-License-Identifier: MIT */
/* tests/audio/sounds.h - what the audio tests share. Include after testing.h and testing_npy.h. */
#ifndef AM_TEST_SOUNDS_H
#define AM_TEST_SOUNDS_H

#include "audio/features.h"

static inline am_npy golden(const char *name, const char *type) {
  char path[256];
  snprintf(path, sizeof path, "tests/audio/golden/%s.npy", name);
  return am_npy_read(am_test_source(path), type);
}

/* The made-up sound of tools/golden-audio.py: 0.6 s at 22,050 Hz. Freed by the caller. */
static inline float *golden_sound(size_t *n) {
  am_npy pcm = golden("sound", "i2");
  float *x = malloc(pcm.n * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < pcm.n; i++) x[i] = (float)((int16_t *)pcm.data)[i] / 32768.0f;
  *n = pcm.n;
  am_npy_free(&pcm);
  return x;
}

static inline float *sine(double hz, double rate, size_t n, double amplitude) {
  float *x = malloc((n + 1) * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++) x[i] = (float)(amplitude * sin(2 * 3.14159265358979323846 * hz * (double)i / rate));
  return x;
}

/* Reads "key=value key=value" by `table` into `out`; the tree owns lists and stays with the caller. */
static inline am_status read_options(am_context *ctx, const am_option *table, const char *text, void *out,
                                     am_tree **tree, am_error *err) {
  char copy[512], *save = NULL;
  snprintf(copy, sizeof copy, "%s", text);
  am_test_ok(am_tree_create(ctx, tree, err), err);
  am_value *map = am_value_new(*tree, AM_MAP);
  for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    char *equals = strchr(word, '='), *part = NULL;
    assert_non_null(equals);
    *equals = 0;
    am_value *value = strchr(equals + 1, ',') ? am_value_new(*tree, AM_LIST) : NULL;
    if (!value) {
      value = am_value_text(*tree, equals + 1, false);
    } else {
      for (char *item = strtok_r(equals + 1, ",", &part); item; item = strtok_r(NULL, ",", &part))
        am_test_ok(am_value_add(*tree, value, NULL, am_value_text(*tree, item, false), err), err);
    }
    am_test_ok(am_value_add(*tree, map, word, value, err), err);
  }
  return am_options_read(*tree, table, map, "section", out, err);
}

static inline am_status try_features(am_context *ctx, const char *text, am_features **fx, am_error *err) {
  am_feature_options options;
  am_tree *tree;
  am_status status = read_options(ctx, am_feature_table, text, &options, &tree, err);
  if (!status) status = am_features_create(ctx, &options, fx, err);
  am_tree_free(tree);
  return status;
}

static inline am_features *make_features(am_context *ctx, const char *text) {
  am_error err = AM_ERROR_INIT;
  am_features *fx = NULL;
  am_test_ok(try_features(ctx, text, &fx, &err), &err);
  return fx;
}

/* Features of x (n); checks the promised shape. Freed by the caller. */
static inline float *compute(const am_features *fx, const float *x, size_t n, double warp, int *t, int *f) {
  am_error err = AM_ERROR_INIT;
  int room;
  am_features_shape(fx, n, &room, f);
  float *out = malloc((size_t)room * (size_t)*f * sizeof *out);
  assert_non_null(out);
  am_test_ok(am_features_compute(fx, x, n, warp, out, t, &err), &err);
  if (am_features_options(fx)->trim_db > 0) assert_true(*t <= room);
  else assert_int_equal(*t, room);
  return out;
}

static inline void refuse_features(am_context *ctx, const char *options, const char *words) {
  am_error err = AM_ERROR_INIT;
  am_features *fx = NULL;
  am_test_fails(try_features(ctx, options, &fx, &err), AM_E_CONFIG, &err, words);
  assert_null(fx);
}

#endif
