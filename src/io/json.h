/* SPDX-License-Identifier: MIT */
/* io/json.h - JSON text to the value tree (jansson), and JSON text written.
 *
 * jansson keeps no positions, so values read from JSON have line 0; mistakes
 * in the text itself are reported with line and column. */
#ifndef AM_JSON_H
#define AM_JSON_H

#include "base/value.h"

enum { AM_JSON_BYTES = 64 << 20 /* of a file */ };

/* As am_yaml_read_text. Strings become quoted scalars. Duplicate keys are refused. */
am_status am_json_read_text(am_tree *tree, const char *text, size_t bytes, const char *source, am_value **out,
                            am_error *err);
am_status am_json_read_file(am_context *ctx, const char *path, am_tree **out, am_error *err);

/* Writes JSON into a buffer, one call a value:
 *
 *   am_json j = am_json_begin(ctx, &buffer, 2);      indent 2; 0: all in one line
 *   am_json_open(&j, NULL, '{');
 *   am_json_text(&j, "file", path);                  `key` is NULL inside arrays
 *   am_json_open(&j, "probabilities", '{');
 *   am_json_real(&j, "happy", 0.25);
 *   am_json_close(&j);
 *   am_json_close(&j);
 *
 * Failure (out of memory) shows in buffer.failed.  Strings are escaped, bytes
 * that are not UTF-8 become U+FFFD; reals are the shortest that read back the
 * same; NaN and infinities are null.  am_json_values writes a list of numbers
 * in one line.  At most AM_JSON_DEPTH levels may be open. */
enum { AM_JSON_DEPTH = 128 };
typedef struct am_json {
  am_context *ctx;
  am_buffer *out;
  int indent, depth;
  bool filled[AM_JSON_DEPTH]; /* something was written on this level */
  char closer[AM_JSON_DEPTH];
} am_json;
am_json am_json_begin(am_context *ctx, am_buffer *out, int indent);
void am_json_open(am_json *j, const char *key, char kind); /* '{' or '[' */
void am_json_close(am_json *j);
void am_json_text(am_json *j, const char *key, const char *text); /* NULL: null */
void am_json_int(am_json *j, const char *key, int64_t number);
void am_json_real(am_json *j, const char *key, double number);
/* As many digits as tell a float from its neighbours. */
void am_json_float(am_json *j, const char *key, float number);
void am_json_bool(am_json *j, const char *key, bool truth);
void am_json_null(am_json *j, const char *key);
void am_json_reals(am_json *j, const char *key, const double *numbers, size_t n);
void am_json_ints(am_json *j, const char *key, const int64_t *numbers, size_t n);
/* A tree: unquoted numbers, true and false as such, other scalars as strings. */
void am_json_value(am_json *j, const char *key, const am_value *value);

const char *am_json_library(void); /* version of jansson in use */

#endif
