/* SPDX-License-Identifier: MIT */
/* io/json.c - reading JSON by jansson. */
#include "io/json.h"

#include <jansson.h>
#include <string.h>

enum { DEPTH = 64 };

typedef struct reader {
  am_tree *tree;
  const char *source;
  am_error *err;
} reader;

static am_status convert(const reader *r, const json_t *json, int depth, am_value **out);

static am_status convert_children(const reader *r, const json_t *json, int depth, am_value *parent) {
  if (json_is_array(json)) {
    for (size_t i = 0; i < json_array_size(json); i++) {
      am_value *item = NULL;
      am_status status = convert(r, json_array_get(json, i), depth + 1, &item);
      if (!status) status = am_value_add(r->tree, parent, NULL, item, r->err);
      if (status) return status;
    }
    return AM_OK;
  }
  const char *key;
  json_t *child;
  json_object_foreach((json_t *)json, key, child) {
    am_value *item = NULL;
    am_status status = convert(r, child, depth + 1, &item);
    if (!status) status = am_value_add(r->tree, parent, key, item, r->err);
    if (status) return status;
  }
  return AM_OK;
}

static am_status convert(const reader *r, const json_t *json, int depth, am_value **out) {
  if (depth > DEPTH) return am_fail(r->err, AM_E_CONFIG, "%s: nested deeper than %d levels", r->source, (int)DEPTH);
  bool nested = false;
  switch (json_typeof(json)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
      *out = am_value_new(r->tree, json_is_array(json) ? AM_LIST : AM_MAP);
      nested = true;
      break;
    case JSON_STRING: *out = am_value_text(r->tree, json_string_value(json), true); break;
    case JSON_INTEGER: *out = am_value_int(r->tree, json_integer_value(json)); break;
    case JSON_REAL: *out = am_value_real(r->tree, json_real_value(json)); break;
    case JSON_TRUE: *out = am_value_bool(r->tree, true); break;
    case JSON_FALSE: *out = am_value_bool(r->tree, false); break;
    case JSON_NULL: *out = am_value_new(r->tree, AM_NULL); break;
  }
  if (!*out) return am_no_memory(r->err);
  (*out)->source = r->source;
  return nested ? convert_children(r, json, depth, *out) : AM_OK;
}

/* jansson makes the whole tree before it can be looked at, so its values are counted first: each but the first follows
 * one of these characters outside of texts. */
static size_t count_values(const char *text, size_t bytes) {
  size_t n = 1;
  bool inside = false;
  for (const char *at = text, *end = text + bytes; at < end; at++) {
    if (inside && *at == '\\') at++;
    else if (*at == '"') inside = !inside;
    else if (!inside) n += *at == '[' || *at == '{' || *at == ',';
  }
  return n;
}

am_status am_json_read_text(am_tree *tree, const char *text, size_t bytes, const char *source, am_value **out,
                            am_error *err) {
  *out = NULL;
  reader r = {tree, am_tree_string(tree, source), err};
  if (!r.source) return am_no_memory(err);
  if (am_mul(count_values(text, bytes), AM_TREE_VALUE_BYTES) > am_tree_most(bytes))
    return am_fail(err, AM_E_CONFIG, "%s: too many values for a text of %zu bytes", source, bytes);
  json_error_t problem;
  json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
  if (!json) {
    if (json_error_code(&problem) == json_error_out_of_memory) return am_no_memory(err);
    return am_fail(err, AM_E_CONFIG, "%s:%d:%d: %s", source, problem.line > 0 ? problem.line : 1,
                   problem.column > 0 ? problem.column : 1, problem.text);
  }
  am_value *root = NULL;
  am_status status = convert(&r, json, 1, &root);
  json_decref(json);
  if (!status) *out = root;
  return status;
}

am_status am_json_read_file(am_context *ctx, const char *path, am_tree **out, am_error *err) {
  return am_tree_read_file(ctx, path, AM_JSON_BYTES, am_json_read_text, out, err);
}

const char *am_json_library(void) { return jansson_version_str(); }
