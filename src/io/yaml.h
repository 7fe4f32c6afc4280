/* SPDX-License-Identifier: MIT */
/* io/yaml.h - YAML text to the value tree and back (libyaml).
 *
 * One document of maps, lists and scalars; anchors and aliases are expanded
 * within the limits, so no small file grows without bound.  Refused with
 * file, line and column: duplicate keys, keys that are not scalars, tags,
 * merge keys (<<), several documents, more than AM_YAML_DEPTH levels or
 * more values than am_tree_most allows.  Plain `~`, `null` and nothing become AM_NULL. */
#ifndef AM_YAML_H
#define AM_YAML_H

#include "base/value.h"

enum {
  AM_YAML_DEPTH = 64,
  AM_YAML_BYTES = 16 << 20 /* of a file */
};

/* Values are made in `tree`, `source` (copied) names them in messages; empty text gives AM_NULL.
 * The tree's root is left alone.  This also reads the value of `--set key=value`. */
am_status am_yaml_read_text(am_tree *tree, const char *text, size_t bytes, const char *source, am_value **out,
                            am_error *err);
/* A new tree with the file as its root; am_tree_free. */
am_status am_yaml_read_file(am_context *ctx, const char *path, am_tree **out, am_error *err);
/* Appends block YAML that reads back equal (lists of scalars in brackets); see out->failed. */
void am_yaml_write(am_context *ctx, const am_value *root, am_buffer *out);

const char *am_yaml_library(void); /* version of libyaml in use */

#endif
