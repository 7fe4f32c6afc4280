/* SPDX-License-Identifier: MIT */
/* A folder of its own for each case. */
#ifndef AM_FOLDER_FIXTURE_H
#define AM_FOLDER_FIXTURE_H

#include "testing.h"

#include "base/file.h"

typedef struct fixture {
  am_context *ctx;
  char *folder;
} fixture;

static int begin(void **state) {
  fixture *f = calloc(1, sizeof *f);
  f->ctx = am_test_context(1, NULL);
  f->folder = am_test_folder();
  *state = f;
  return 0;
}

static int end(void **state) {
  fixture *f = *state;
  am_test_folder_remove(f->folder);
  am_context_free(f->ctx);
  free(f->folder);
  free(f);
  return 0;
}

/* The folder is the current one, so that names can be short. */
static int begin_inside(void **state) { return begin(state) || chdir(((fixture *)*state)->folder); }

static int end_inside(void **state) { return chdir("/") || end(state); }

static void check_content(fixture *f, const char *path, const char *wanted) {
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(f->ctx, path, 1000, &data, &bytes, &err), &err);
  assert_string_equal(data, wanted);
  assert_int_equal(bytes, strlen(wanted));
  am_free(f->ctx, data);
}

#endif
