/* tests/fuzz/data.h - the options of a data section, for the targets that load a corpus. */
#ifndef AM_FUZZ_DATA_H
#define AM_FUZZ_DATA_H

#include "data/dataset.h"
#include "fuzz/fuzz.h"
#include "io/yaml.h"

static inline void fuzz_load(am_context *ctx, const char *corpus, const char *root, const char *manifest,
                             const char *description) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree = NULL;
  am_value *section = NULL;
  am_data_options o;
  am_dataset *d = NULL;
  char text[64];
  snprintf(text, sizeof text, "corpus: %s", corpus);
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
  }
  am_dataset_free(d);
  am_tree_free(tree);
}

#endif
