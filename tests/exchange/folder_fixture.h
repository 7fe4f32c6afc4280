/* SPDX-License-Identifier: MIT */
/* What tests of exchange/ begin with: a context of two threads, a folder of their own, the message of the last failure. */
#ifndef EXCHANGE_FIXTURE_H
#define EXCHANGE_FIXTURE_H

#include "testing.h"

static am_context *ctx;
static char *folder;
static am_error err;

static inline int begin(void **state) {
  (void)state;
  ctx = am_test_context(2, NULL);
  folder = am_test_folder();
  return 0;
}

static inline int end(void **state) {
  (void)state;
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
  return 0;
}

static inline const char *in_folder(const char *name) { return am_test_path(folder, name); }

#endif
