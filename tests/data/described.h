/* SPDX-License-Identifier: MIT */
/* tests/data/described.h - corpora by description in the folder of the case, and what is asked of them. */
#ifndef AM_TEST_DESCRIBED_H
#define AM_TEST_DESCRIBED_H

#include "corpus_folder.h"

#include "data/corpora/described.h"

static inline void put(const char *name) { touch(ctx, folder, name); }

static inline void put_all(const char *const *names) {
  for (; *names; names++) put(*names);
}

static inline am_status load(const char *yaml, am_dataset **d) {
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table, yaml, &o);
  if (!*o.root && !o.corpora) o.root = folder;
  am_status status = am_dataset_load(ctx, &o, d, &err);
  am_tree_free(tree);
  return status;
}

/* A description of the tree, or one written into the folder. */
static inline am_status load_shipped(const char *name, am_dataset **d) {
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{corpus: described, description: %s/datasets/%s.yaml}", AM_SOURCE_ROOT, name);
  return load(yaml, d);
}

static inline am_status load_written(const char *text, am_dataset **d) {
  char yaml[512];
  am_test_file(in("x.yaml"), text, strlen(text));
  snprintf(yaml, sizeof yaml, "{corpus: described, description: %s}", in("x.yaml"));
  return load(yaml, d);
}

static inline void shipped(const char *name, am_dataset **d) { am_test_ok(load_shipped(name, d), &err); }
static inline void written(const char *text, am_dataset **d) { am_test_ok(load_written(text, d), &err); }

static inline void fails(const char *text, am_status status, const char *words) {
  am_dataset *d = NULL;
  am_test_fails(load_written(text, &d), status, &err, words);
  assert_null(d);
}

static inline const am_clip *clip(const am_dataset *d, const char *name) {
  for (size_t i = 0; i < d->n; i++)
    if (!strcmp(d->clips[i].name, name)) return &d->clips[i];
  fail_msg("no clip %s", name);
  return NULL;
}

static inline void says(const am_dataset *d, const char *name, const char *label, const char *speaker) {
  const am_clip *c = clip(d, name);
  assert_string_equal(d->labels[c->label], label);
  assert_string_equal(c->speaker < 0 ? "nobody" : d->speakers[c->speaker], speaker);
}

static inline void speaks(const am_dataset *d, const char *name, const char *person) {
  am_tree *memory;
  am_test_ok(am_tree_create(ctx, &memory, &err), &err);
  const char *said = am_clip_person(d, clip(d, name), memory);
  assert_non_null(said);
  assert_string_equal(said, person);
  am_tree_free(memory);
}

static inline size_t left_out(const am_dataset *d, const char *words) {
  for (size_t i = 0; i < d->n_left_out; i++)
    if (strstr(d->left_out[i].reason, words)) return d->left_out[i].count;
  return 0;
}

static inline bool warned(const char *words) { return strstr(log_kept.text, words) != NULL; }

#endif
