/* SPDX-License-Identifier: MIT */
/* tests/fuzz/data.h - the options of a data section, for the targets that load a corpus. */
#ifndef AM_FUZZ_DATA_H
#define AM_FUZZ_DATA_H

#include "data/dataset.h"
#include "fuzz/fuzz.h"
#include "io/yaml.h"

/* `more` settings, ", key: value". */
static inline void fuzz_load_with(am_context *ctx, const char *corpus, const char *more, const char *root,
                                  const char *manifest, const char *description) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree = NULL;
  am_value *section = NULL;
  am_data_options o;
  am_dataset *d = NULL;
  char text[128];
  snprintf(text, sizeof text, "{corpus: %s%s}", corpus, more);
  fuzz_require(am_tree_create(ctx, &tree, &err) == AM_OK);
  fuzz_require(am_yaml_read_text(tree, text, strlen(text), "data", &section, &err) == AM_OK);
  fuzz_require(am_options_read(tree, am_data_table, section, "data", &o, &err) == AM_OK);
  o.root = root;
  o.manifest = manifest;
  o.description = description;
  fuzz_check(am_dataset_load(ctx, &o, &d, &err), &err);
  for (size_t i = 0; d && i < d->n; i++) {
    fuzz_require(d->clips[i].label >= 0 && d->clips[i].label < d->n_labels);
    fuzz_require(d->clips[i].speaker >= -1 && d->clips[i].speaker < d->n_speakers);
    fuzz_require(d->clips[i].path && d->clips[i].name);
    for (int k = 0; k < d->n_dimensions; k++) { /* on the scale, or not known */
      const float v = am_dataset_unit(d, &d->clips[i], k);
      fuzz_require(!(v < -1.0001F || v > 1.0001F));
    }
  }
  am_dataset_free(d);
  am_tree_free(tree);
}

/* For emotions, and for dimensions. */
static inline void fuzz_load(am_context *ctx, const char *corpus, const char *root, const char *manifest,
                             const char *description) {
  fuzz_load_with(ctx, corpus, "", root, manifest, description);
  fuzz_load_with(ctx, corpus, ", target: dimensions, scale: [1, 5]", root, manifest, description);
}

#endif
