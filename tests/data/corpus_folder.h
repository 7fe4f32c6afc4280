/* SPDX-License-Identifier: MIT */
/* tests/data/corpus_folder.h - an empty folder for a made-up corpus, new for each case, and a context that keeps warnings. */
#ifndef AM_TEST_CORPUS_FOLDER_H
#define AM_TEST_CORPUS_FOLDER_H

#include "corpora.h"

static am_context *ctx;
static kept_log log_kept;
static am_error err;
static char *folder;

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

#endif
