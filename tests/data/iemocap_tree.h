/* SPDX-License-Identifier: MIT */
/* tests/data/iemocap_tree.h - trees in IEMOCAP's shape for the tests of its loader. */
#ifndef TEST_IEMOCAP_TREE_H
#define TEST_IEMOCAP_TREE_H

#include "corpora.h"

#include "synth/iemocap.h"

static char *made_up; /* the tree of `synth --layout iemocap`, seed 1 */
static am_context *ctx;
static kept_log log_kept;
static am_error err;
static char *folder; /* for trees of a test's own */

static inline int setup_all(void **state) {
  (void)state;
  am_context *own = am_test_context(2, NULL);
  am_error why = AM_ERROR_INIT;
  size_t clips;
  made_up = am_test_folder();
  am_test_ok(am_synth_iemocap(own, made_up, 1, &clips, &why), &why);
  am_context_free(own);
  return 0;
}

static inline int teardown_all(void **state) {
  (void)state;
  am_test_folder_remove(made_up);
  free(made_up);
  return 0;
}

static inline int setup(void **state) {
  (void)state;
  ctx = logging_context(&log_kept, 1);
  err = (am_error)AM_ERROR_INIT;
  folder = am_test_folder();
  return 0;
}

static inline int teardown(void **state) {
  (void)state;
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
  return 0;
}

static inline const char *in(const char *name) { return am_test_path(folder, name); }

static inline am_status load_from(const char *root, const char *yaml, am_dataset **d) {
  am_data_options o;
  char text[512];
  snprintf(text, sizeof text, "{corpus: iemocap%s%s}", *yaml ? ", " : "", yaml);
  am_tree *tree = read_section(ctx, am_data_table, text, &o);
  o.root = root;
  *d = NULL;
  am_status status = am_dataset_load(ctx, &o, d, &err);
  am_tree_free(tree);
  return status;
}

static inline am_dataset *load_made_up(const char *yaml) {
  am_dataset *d;
  am_test_ok(load_from(made_up, yaml, &d), &err);
  return d;
}

static inline am_dataset *load_ok(const char *yaml) {
  am_dataset *d;
  am_test_ok(load_from(folder, yaml, &d), &err);
  return d;
}

static inline void load_fails(const char *yaml, am_status status, const char *words) {
  am_dataset *d;
  am_test_fails(load_from(folder, yaml, &d), status, &err, words);
  assert_null(d);
}

static inline size_t count(const am_dataset *d, const char *label) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++) n += !strcmp(d->labels[d->clips[i].label], label);
  return n;
}

static inline size_t left_out(const am_dataset *d, const char *words) {
  for (size_t i = 0; i < d->n_left_out; i++)
    if (strstr(d->left_out[i].reason, words)) return d->left_out[i].count;
  return 0;
}

/* The clip whose file is <id>.wav, or chunk "<id>.wav#1". */
static inline const am_clip *find(const am_dataset *d, const char *name) {
  for (size_t i = 0; i < d->n; i++)
    if (!strcmp(am_path_base(d->clips[i].name), name)) return &d->clips[i];
  fail_msg("no clip %s", name);
  return NULL;
}

static inline bool has(const am_dataset *d, const char *name) {
  for (size_t i = 0; i < d->n; i++)
    if (!strcmp(am_path_base(d->clips[i].name), name)) return true;
  return false;
}

static inline void is_near(const float *got, const double *wanted, int n) {
  for (int k = 0; k < n; k++) assert_true(fabs((double)got[k] - wanted[k]) < 1e-6);
}

static inline void write_labels(const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "Session1/dialog/EmoEvaluation/%s", name);
  touch(ctx, folder, path);
  am_test_file(in(path), text, strlen(text));
}

static inline void sound(const char *id) {
  char path[256];
  int dialogue = (int)(strrchr(id, '_') - id);
  snprintf(path, sizeof path, "Session%c/sentences/wav/%.*s/%s.wav", id[4], dialogue, id, id);
  touch(ctx, folder, path);
}

#define GOOD \
  "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n" \
  "[6.2 - 8.2]\tSes01F_impro01_F000\tneu\t[2.5, 2.5, 2.5]\n"

#endif
