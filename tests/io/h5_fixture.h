/* SPDX-License-Identifier: MIT */
/* tests/io/h5_fixture.h - a folder and a file in it, for the tests of io/h5.h. */
#ifndef AM_TEST_H5_FIXTURE_H
#define AM_TEST_H5_FIXTURE_H

#include "testing.h"

#include "io/h5.h"

typedef struct fixture {
  am_context *ctx;
  char *folder;
  char path[1024];
} fixture;

static inline int begin(void **state) {
  fixture *f = calloc(1, sizeof *f);
  f->ctx = am_test_context(1, NULL);
  f->folder = am_test_folder();
  snprintf(f->path, sizeof f->path, "%s/x.h5", f->folder);
  *state = f;
  return 0;
}

static inline int end(void **state) {
  fixture *f = *state;
  am_test_folder_remove(f->folder);
  am_context_free(f->ctx);
  free(f->folder);
  free(f);
  return 0;
}

static inline am_h5 *create(fixture *f) {
  am_h5 *file;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_create_aside(f->ctx, f->path, &file, &err), &err);
  return file;
}

static inline am_h5 *reopen(fixture *f, am_h5 *file, unsigned flags) {
  am_error err = AM_ERROR_INIT;
  if (file) am_test_ok(am_h5_commit(file, &err), &err);
  am_test_ok(am_h5_open(f->ctx, f->path, flags, &file, &err), &err);
  return file;
}

static const float weights[6] = {0.5f, -1, 3e-8f, 4, NAN, INFINITY};

/* Reads the whole file, changes a byte of the first place `needle` stands in, writes it back. */
static inline void damage(const char *path, const void *needle, size_t n, size_t at) {
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  static char bytes[16 << 20];
  size_t size = fread(bytes, 1, sizeof bytes, file);
  size_t i = 0;
  while (i + n <= size && memcmp(bytes + i, needle, n)) i++;
  assert_true(i + n <= size);
  fseek(file, (long)(i + at), SEEK_SET);
  fputc(bytes[i + at] ^ 0x10, file);
  fclose(file);
}

#endif
