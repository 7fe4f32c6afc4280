/* SPDX-License-Identifier: MIT */
/* A cache that commit 6b097bc wrote (tools/make-cache-before): what it holds is found, and is what is computed now.  That
 * commit rounded on every processor path as the plain one does today; another path finds what does not depend on it. */
#include "corpora.h"

#include "audio/features.h"
#include "data/cache.h"

enum { SAMPLES = 600, SETS = 19 };
static const uint64_t FILE_KEY = 0x5eed5eed5eed5eecu;

/* Whole numbers until the last step: the same everywhere. */
static void make_sound(float x[SAMPLES]) {
  for (int i = 0; i < SAMPLES; i++) x[i] = (float)((i * 37 % 200 - 100) * (1 + i % 61)) / 8192;
}

static void check_entry(am_context *ctx, am_cache *cache, const char *set, const float *x) {
  am_error err = AM_ERROR_INIT;
  am_feature_options o;
  am_features *fx;
  am_tree *tree = read_section(ctx, am_feature_table, set, &o);
  am_test_ok(am_features_create(ctx, &o, &fx, &err), &err);
  int64_t rows, columns;
  am_cache_facts facts;
  am_cache_place place;
  int t, f;
  uint64_t key = am_cache_entry_key(FILE_KEY, 0, 0, am_feature_key(&o));
  if (!am_cache_find(cache, key, &rows, &columns, &facts)) fail_msg("not found: %s", set);
  const bool same_bits = am_context_cpu_id(ctx) == AM_CPU_PLAIN || o.kind == AM_FEATURE_FUNCTIONALS;
  assert_true(same_bits == (am_feature_key(&o) == am_features_key(fx)));
  am_features_shape(fx, SAMPLES, &t, &f);
  float *now = calloc((size_t)t * (size_t)f, sizeof *now), *then = calloc((size_t)rows * (size_t)columns, sizeof *then);
  am_test_ok(am_features_compute(fx, x, SAMPLES, 1, now, &t, &err), &err);
  assert_int_equal(rows, t);
  assert_int_equal(columns, f);
  assert_int_equal(facts.digest, 7);
  am_test_ok(am_cache_read(cache, key, then, &place, &err), &err);
  assert_allclose_f(now, then, (size_t)t * (size_t)f, 1e-3, 5e-3);
  free(now);
  free(then);
  am_features_free(fx);
  am_tree_free(tree);
}

static void check_path(const char *cpu) {
  am_context *ctx = am_test_context(1, cpu);
  am_error err = AM_ERROR_INIT;
  am_cache *cache;
  char *folder = am_test_folder(), *text;
  size_t bytes, n = 0;
  float x[SAMPLES];
  make_sound(x);
  am_names names;
  am_test_ok(am_folder_list(ctx, am_test_source("tests/data/golden/cache"), &names, &err), &err);
  for (size_t i = 0; i < names.n; i++) { /* the folder of a cache is written to */
    char *from = am_path_join(ctx, am_test_source("tests/data/golden/cache"), names.at[i]);
    am_test_ok(am_file_read(ctx, from, 1 << 20, &text, &bytes, &err), &err);
    am_test_file(am_test_path(folder, names.at[i]), text, bytes);
    am_free(ctx, text);
    am_free(ctx, from);
  }
  am_names_free(ctx, &names);
  am_test_ok(am_cache_open(ctx, folder, &cache, &err), &err);
  am_test_ok(am_file_read(ctx, am_test_source("tests/data/golden/sets.txt"), 1 << 20, &text, &bytes, &err), &err);
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), n++) check_entry(ctx, cache, line, x);
  assert_int_equal(n, SETS);
  am_free(ctx, text);
  am_cache_close(cache);
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
}

static void a_cache_of_before_is_found(void **state) {
  (void)state;
  const char *names[AM_TEST_CPUS];
  for (size_t i = 0, n = am_test_cpus(names); i < n; i++) check_path(names[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_cache_of_before_is_found)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
