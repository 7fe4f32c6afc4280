/* SPDX-License-Identifier: MIT */
/* tests/data/cache_fixture.h - some clips, their front end, and a folder for their feature cache. */
#ifndef AM_TEST_CACHE_FIXTURE_H
#define AM_TEST_CACHE_FIXTURE_H

#ifndef CACHE_THREADS
#define CACHE_THREADS 2
#endif
#include "corpora.h"

#include "data/cache.h"
#include "data/loader.h"

enum { CLIPS = 6 };

typedef struct fixture {
  am_context *ctx;
  kept_log log;
  am_error err;
  char *folder;
  char cache[1024];
  am_tree *tree[2];
  am_data_options data;
  am_feature_options fo;
  am_features *fx;
  am_dataset *d;
} fixture;

static fixture f;

static inline const char *in(const char *name) { return am_test_path(f.folder, name); }

/* `count` short tones listed by a manifest, and small features. */
static inline int setup(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  f.ctx = logging_context(&f.log, CACHE_THREADS);
  f.err = (am_error)AM_ERROR_INIT;
  f.folder = am_test_folder();
  snprintf(f.cache, sizeof f.cache, "%s/cache", f.folder);
  am_buffer csv = {0};
  am_buffer_printf(f.ctx, &csv, "path,label,speaker\n");
  for (int i = 0; i < CLIPS; i++) {
    char name[32];
    snprintf(name, sizeof name, "%d.wav", i);
    write_tone(f.ctx, in(name), 200 + 100 * i, 0.3 + 0.05 * i, 8000);
    am_buffer_printf(f.ctx, &csv, "%s,%s,s%d\n", name, i % 2 ? "b" : "a", i % 3);
  }
  am_test_file(in("manifest.csv"), csv.data, csv.used);
  am_buffer_free(f.ctx, &csv);
  f.tree[0] = read_section(f.ctx, am_data_table, "{corpus: manifest}", &f.data);
  f.tree[1] = read_section(f.ctx, am_feature_table, "{sample_rate: 8000, n_fft: 256, hop: 128, mels: 20}", &f.fo);
  f.data.root = f.folder;
  am_test_ok(am_features_create(f.ctx, &f.fo, &f.fx, &f.err), &f.err);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
  return 0;
}

static inline int teardown(void **state) {
  (void)state;
  am_dataset_free(f.d);
  am_features_free(f.fx);
  am_tree_free(f.tree[0]);
  am_tree_free(f.tree[1]);
  am_test_folder_remove(f.folder);
  free(f.folder);
  am_context_free(f.ctx);
  return 0;
}

static inline am_store *make_store(bool sound) {
  am_store *s = NULL;
  am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, sound, &s, &f.err), &f.err);
  return s;
}

/* The features that no cache had a hand in. */
static inline am_store *make_fresh(void) {
  am_store *s = NULL;
  am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, true, &s, &f.err), &f.err);
  return s;
}

static inline void assert_same(const am_store *a, const am_store *b, bool sound) {
  assert_int_equal(am_store_max_frames(a), am_store_max_frames(b));
  for (uint32_t i = 0; i < f.d->n; i++) {
    assert_int_equal(am_store_frames(a, i), am_store_frames(b, i));
    assert_memory_equal(am_store_features(a, i), am_store_features(b, i),
                        (size_t)am_store_frames(a, i) * (size_t)am_store_bins(a) * sizeof(float));
    assert_true(am_store_seconds(a, i) == am_store_seconds(b, i));
    size_t n, m;
    const float *x = am_store_sound(a, i, &n), *y = am_store_sound(b, i, &m);
    if (!sound) continue;
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n * sizeof *x);
  }
}

static inline void assert_counts(const am_store *s, size_t from_cache, size_t computed) {
  am_store_counts c = am_store_counted(s);
  if (c.from_cache != from_cache || c.computed != computed)
    fail_msg("%zu from the cache and %zu computed, wanted %zu and %zu; %s", c.from_cache, c.computed, from_cache,
             computed, f.log.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
