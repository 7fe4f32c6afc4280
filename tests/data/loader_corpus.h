/* SPDX-License-Identifier: MIT */
/* A small corpus of tones, its features and loaders over it, for the tests of batches. */
#pragma once
#include "corpora.h"

#include "data/batch.h"
#include "data/loader.h"

enum { CLIPS = 23, BINS = 20 };

typedef struct fixture {
  am_context *ctx;
  kept_log log;
  am_error err;
  char *folder;
  am_tree *tree[3];
  am_data_options data;
  am_feature_options fo;
  am_augment_options augment;
  am_features *fx;
  am_dataset *d;
  am_store *store;
  am_normaliser nz;
  uint32_t clips[CLIPS];
} fixture;

static fixture f;

static inline const char *in(const char *name) { return am_test_path(f.folder, name); }

static inline void normalise(const char *how) {
  am_normaliser_free(f.ctx, &f.nz);
  f.fo.normalise = am_choice_index(AM_WORDS(AM_NORMALISES), how);
  am_test_ok(am_normaliser_fit(f.ctx, f.store, f.d, &f.fo, f.clips, CLIPS / 2, &f.nz, &f.err), &f.err);
}

static inline void start(int threads) {
  f.ctx = logging_context(&f.log, threads);
  f.err = (am_error)AM_ERROR_INIT;
  f.tree[0] = read_section(f.ctx, am_data_table, "{corpus: manifest}", &f.data);
  f.tree[1] = read_section(f.ctx, am_feature_table, "{sample_rate: 8000, n_fft: 256, hop: 128, mels: 20}", &f.fo);
  f.tree[2] = read_section(f.ctx, am_augment_table, "{}", &f.augment);
  f.data.root = f.folder;
  am_test_ok(am_features_create(f.ctx, &f.fo, &f.fx, &f.err), &f.err);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
  am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, true, &f.store, &f.err), &f.err);
  normalise("none");
}

static inline void finish(void) {
  am_normaliser_free(f.ctx, &f.nz);
  am_store_free(f.store);
  am_dataset_free(f.d);
  am_features_free(f.fx);
  for (int i = 0; i < 3; i++) am_tree_free(f.tree[i]);
  am_context_free(f.ctx);
}

/* Classes a, b, c in proportions 15 : 6 : 2; three speakers; lengths from 0.1 to 0.4 s. */
static inline int setup(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  f.folder = am_test_folder();
  f.ctx = am_test_context(1, NULL);
  am_buffer csv = {0};
  am_buffer_printf(f.ctx, &csv, "path,label,speaker\n");
  for (uint32_t i = 0; i < CLIPS; i++) {
    char name[32];
    snprintf(name, sizeof name, "%02u.wav", i);
    write_tone(f.ctx, in(name), 200 + 50 * i, 0.1 + 0.3 * (i * 7 % CLIPS) / CLIPS, 8000);
    am_buffer_printf(f.ctx, &csv, "%s,%s,s%u\n", name, i < 15 ? "a" : i < 21 ? "b" : "c", i % 3);
    f.clips[i] = i;
  }
  am_test_file(in("manifest.csv"), csv.data, csv.used);
  am_buffer_free(f.ctx, &csv);
  am_context_free(f.ctx);
  start(2);
  return 0;
}

static inline int teardown(void **state) {
  (void)state;
  finish();
  am_test_folder_remove(f.folder);
  free(f.folder);
  return 0;
}

static inline void augment(const char *yaml) {
  am_tree_free(f.tree[2]);
  f.tree[2] = read_section(f.ctx, am_augment_table, yaml, &f.augment);
}

static inline am_loader *make(am_loader_options o) {
  am_loader *l = NULL;
  if (!o.batch) o.batch = 4;
  am_test_ok(am_loader_create(f.ctx, f.store, f.d, &f.nz, f.fx, &f.augment, f.clips, CLIPS, &o, &l, &f.err), &f.err);
  return l;
}

static inline const am_loader_batch *next(am_loader *l) {
  const am_loader_batch *b;
  am_test_ok(am_loader_next(l, &b, &f.err), &f.err);
  return b;
}

static inline void begin(am_loader *l, uint64_t epoch, size_t first) {
  am_test_ok(am_loader_start(l, epoch, first, &f.err), &f.err);
}

/* Everything an epoch gives, as one hash a batch. */
static inline size_t hash_epoch(am_loader *l, uint64_t epoch, size_t first, uint64_t hashes[16], int t) {
  size_t n = first;
  begin(l, epoch, first);
  for (const am_loader_batch *b; (b = next(l)); n++) {
    uint64_t h = am_hash64(0, b->x, (size_t)b->n * (size_t)t * BINS * sizeof(float));
    h = am_hash64(h, b->lengths, (size_t)b->n * sizeof(int));
    h = am_hash64(h, b->targets, (size_t)(b->n * f.d->n_labels) * sizeof(float));
    h = am_hash64(h, b->draws, (size_t)b->n * sizeof *b->draws);
    h = am_hash64(h, b->clips, (size_t)b->n * sizeof *b->clips);
    if (b->weights) h = am_hash64(h, b->weights, (size_t)b->n * sizeof(float));
    assert_true(n < 16);
    hashes[n] = h;
  }
  return n;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
