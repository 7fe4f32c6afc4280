/* SPDX-License-Identifier: MIT */
/* tests/serve/schema.h - the part of JSON Schema that docs/openapi.yaml and docs/asyncapi.yaml use. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "base/value.h"

typedef struct schema {
  const am_value *root;  /* of the document, for $ref */
  const am_value **seen; /* (n_seen) properties that some value had; free */
  size_t n_seen;
  char why[400]; /* of the first fault */
} schema;

/* Where "$ref" leads, or the value itself. */
const am_value *schema_follow(const schema *s, const am_value *at);
bool schema_holds(schema *s, const am_value *is, const am_value *value, const char *where);
/* Properties below `at` that no value had; each is printed. */
size_t schema_unseen(const schema *s, const am_value *at, const char *where);

#endif
