/* SPDX-License-Identifier: MIT */
/* tests/tree_fixture.h - a context and an empty value tree for each test, made by begin and freed by end. */
#ifndef AM_TREE_FIXTURE_H
#define AM_TREE_FIXTURE_H

#include "testing.h"

#include "base/value.h"

typedef struct fixture {
  am_context *ctx;
  am_tree *tree;
} fixture;

static int begin(void **state) {
  fixture *f = calloc(1, sizeof *f);
  am_error err = AM_ERROR_INIT;
  f->ctx = am_test_context(1, NULL);
  am_test_ok(am_tree_create(f->ctx, &f->tree, &err), &err);
  *state = f;
  return 0;
}

static int end(void **state) {
  fixture *f = *state;
  am_tree_free(f->tree);
  am_context_free(f->ctx);
  free(f);
  return 0;
}

#endif
