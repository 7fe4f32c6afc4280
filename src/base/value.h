/* SPDX-License-Identifier: MIT */
/* base/value.h - the value tree that YAML, JSON and checkpoints become.
 *
 * Scalars keep their text: what `no` or `1e3` means is decided by the option
 * that reads it.  Every value knows its file, line and column (from 1; 0 when
 * it came from elsewhere, e.g. --set). */
#ifndef AM_VALUE_H
#define AM_VALUE_H

#include "base/base.h"
#include "base/number.h"

typedef enum am_kind { AM_NULL, AM_SCALAR, AM_LIST, AM_MAP } am_kind;

typedef struct am_value am_value;
struct am_value {
  am_kind kind;
  bool quoted; /* a scalar written in quotes: always text, never a number */
  int line, column;
  const char *source; /* file name, or what an override is called; owned by the tree */
  const char *key;    /* name of this entry when the parent is a map, else NULL */
  int key_line, key_column;
  const char *text;              /* AM_SCALAR */
  am_value *first, *last, *next; /* children of lists and maps, in order */
  size_t count;                  /* number of children */
  struct am_value_index *index;  /* of a map with many keys: finds them by a hash */
};

/* Owns all values of one document. Freed as a whole. */
typedef struct am_tree am_tree;
am_status am_tree_create(am_context *ctx, am_tree **out, am_error *err);
void am_tree_free(am_tree *tree);
am_context *am_tree_context(const am_tree *tree);
/* Says that its values are a config which a program kept: it wrote out every option, so one that is not there is younger
 * than that program, and means what the program did then (am_option.before). */
void am_tree_set_stored(am_tree *tree);
bool am_tree_stored(const am_tree *tree);
am_value *am_tree_root(am_tree *tree); /* NULL until set */
void am_tree_set_root(am_tree *tree, am_value *root);
size_t am_tree_bytes(const am_tree *tree); /* that it has taken so far */
/* How many it may take for a text of `bytes` bytes, and about how many a value takes, with its text. */
enum { AM_TREE_VALUE_BYTES = 128 };
size_t am_tree_most(size_t bytes);
/* Reads text into values of the tree; `source` is what messages call it. */
typedef am_status am_tree_reader(am_tree *tree, const char *text, size_t bytes, const char *source, am_value **out,
                                 am_error *err);
/* A new tree with the root that `read` makes of a file of at most `most` bytes; am_tree_free. */
am_status am_tree_read_file(am_context *ctx, const char *path, size_t most, am_tree_reader *read, am_tree **out,
                            am_error *err);

/* New values inside the tree; NULL when memory is out.  Strings are copied. */
am_value *am_value_new(am_tree *tree, am_kind kind);
am_value *am_value_text(am_tree *tree, const char *text, bool quoted);
am_value *am_value_int(am_tree *tree, int64_t number);
am_value *am_value_real(am_tree *tree, double number); /* shortest text that reads back the same */
am_value *am_value_bool(am_tree *tree, bool truth);
const char *am_tree_string(am_tree *tree, const char *text);
/* Zeroed memory that lives as long as the tree; NULL when memory is out. */
void *am_tree_take(am_tree *tree, size_t count, size_t bytes);
/* A small text in YAML's flow syntax, for defaults in option tables: a scalar,
 * plain or quoted, or a list of such in brackets; "" gives AM_NULL.  NULL when
 * memory is out or the text is not of that form. */
am_value *am_value_flow(am_tree *tree, const char *text);
/* Appends; `key` is copied and must be NULL for lists. `item` NULL is passed through as failure. */
am_status am_value_add(am_tree *tree, am_value *parent, const char *key, am_value *item, am_error *err);
/* Takes a child out of its list or map. */
void am_value_remove(am_value *parent, const am_value *child);
am_value *am_value_copy(am_tree *tree, const am_value *value); /* deep, keeps lines */
/* The same for a value of the same tree, whose texts both then share. */
am_value *am_value_repeat(am_tree *tree, const am_value *value);

/* Child of a map by key, NULL when absent or not a map. */
am_value *am_value_get(const am_value *map, const char *key);
/* By dotted path "train.optimiser.kind"; list items by index "model.layers.0". */
am_value *am_value_find(const am_value *root, const char *path);
/* Sets a dotted path, creating maps on the way: `--set key=value`. */
am_status am_value_set(am_tree *tree, const char *path, am_value *item, am_error *err);
bool am_value_equal(const am_value *a, const am_value *b); /* same content, lines aside */

/* Fails with "file:line:column: message" (or "source: message" where there is no line). */
am_status am_fail_at(am_error *err, const am_value *at, const char *format, ...) AM_PRINTF(3, 4);
/* The same at the place of the value's key. */
am_status am_fail_at_key(am_error *err, const am_value *at, const char *format, ...) AM_PRINTF(3, 4);
#ifdef __clang_analyzer__ /* see base.h */
#define am_fail_at(err, ...) (am_fail_at(err, __VA_ARGS__), AM_E_CONFIG)
#define am_fail_at_key(err, ...) (am_fail_at_key(err, __VA_ARGS__), AM_E_CONFIG)
#endif

/* Scalar readers: false when the text is not wholly such a value. */
bool am_value_to_bool(const am_value *v, bool *out);   /* true/false/yes/no/on/off */
bool am_value_to_int(const am_value *v, int64_t *out); /* decimal, sign, nothing after it */
bool am_value_to_real(const am_value *v, double *out); /* strtod in the C locale's syntax, nothing after it */

#endif
