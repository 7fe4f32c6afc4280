/* SPDX-License-Identifier: MIT */
/* io/yaml.c - reading YAML by libyaml's events. */
#include "io/yaml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
  yaml_parser_t parser;
  am_tree *tree;
  const char *source; /* the tree's copy */
  /* A map: by the name of an anchor (&name) an entry whose `first` is the last value of that name, `count` how many
   * values stand in it, `line` on how many levels. */
  am_value *anchors;
  size_t most; /* bytes that the tree may have taken at the end */
  am_error *err;
} reader;

static am_status fail_mark(reader *r, yaml_mark_t mark, const char *text) {
  return am_fail(r->err, AM_E_CONFIG, "%s:%zu:%zu: %s", r->source, mark.line + 1, mark.column + 1, text);
}

static am_status next_event(reader *r, yaml_event_t *event) {
  if (yaml_parser_parse(&r->parser, event)) return AM_OK;
  const yaml_parser_t *p = &r->parser;
  if (p->error == YAML_MEMORY_ERROR) return am_no_memory(r->err);
  if (p->error == YAML_READER_ERROR)
    return am_fail(r->err, AM_E_CONFIG, "%s: byte %zu: %s; write the file as UTF-8 text", r->source, p->problem_offset,
                   p->problem ? p->problem : "not text");
  return am_fail(r->err, AM_E_CONFIG, "%s:%zu:%zu: %s%s%s", r->source, p->problem_mark.line + 1,
                 p->problem_mark.column + 1, p->problem ? p->problem : "not YAML", p->context ? ", " : "",
                 p->context ? p->context : "");
}

static bool is_null(const char *text) {
  return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") || !strcmp(text, "NULL");
}

/* Holds a value against the limits, so that neither a file nor its aliases grow without bound. */
static am_status check_limits(reader *r, yaml_mark_t mark, size_t values, size_t depth) {
  if (depth > AM_YAML_DEPTH)
    return am_fail(r->err, AM_E_CONFIG, "%s:%zu:%zu: nested deeper than %d levels", r->source, mark.line + 1,
                   mark.column + 1, (int)AM_YAML_DEPTH);
  if (am_add(am_tree_bytes(r->tree), am_mul(values, AM_TREE_VALUE_BYTES)) > r->most)
    return am_fail(r->err, AM_E_CONFIG,
                   "%s:%zu:%zu: too many values for a text of this size, counting what aliases (*name) repeat",
                   r->source, mark.line + 1, mark.column + 1);
  return AM_OK;
}

static void measure(const am_value *v, size_t depth, size_t *values, size_t *deepest) {
  ++*values;
  if (depth > *deepest) *deepest = depth;
  for (const am_value *child = v->first; child; child = child->next) measure(child, depth + 1, values, deepest);
}

static am_status read_alias(reader *r, const yaml_event_t *event, size_t depth, am_value **out) {
  const am_value *a = am_value_get(r->anchors, (const char *)event->data.alias.anchor);
  if (!a) return fail_mark(r, event->start_mark, "this alias (*name) has no finished anchor (&name) before it");
  am_status status = check_limits(r, event->start_mark, a->count, depth + (size_t)a->line);
  if (status) return status;
  *out = am_value_repeat(r->tree, a->first);
  return *out ? AM_OK : am_no_memory(r->err);
}

static am_status keep_anchor(reader *r, const yaml_char_t *name, am_value *value) {
  if (!name) return AM_OK;
  if (!r->anchors && !(r->anchors = am_value_new(r->tree, AM_MAP))) return am_no_memory(r->err);
  am_value *a = am_value_get(r->anchors, (const char *)name);
  if (!a) {
    a = am_value_new(r->tree, AM_NULL);
    am_status status = am_value_add(r->tree, r->anchors, (const char *)name, a, r->err);
    if (status) return status;
  }
  size_t values = 0, levels = 0;
  measure(value, 0, &values, &levels);
  a->first = value;
  a->count = values;
  a->line = (int)levels;
  return AM_OK;
}

static am_status read_scalar(reader *r, const yaml_event_t *event, am_value **out) {
  const char *text = (const char *)event->data.scalar.value;
  if (strlen(text) != event->data.scalar.length) return fail_mark(r, event->start_mark, "a text may not hold \\0");
  bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  *out = plain && is_null(text) ? am_value_new(r->tree, AM_NULL) : am_value_text(r->tree, text, !plain);
  return *out ? AM_OK : am_no_memory(r->err);
}

static am_status read_node(reader *r, const yaml_event_t *event, size_t depth, am_value **out);

static am_status read_next(reader *r, size_t depth, yaml_event_type_t end, am_value **out) {
  yaml_event_t event;
  *out = NULL;
  am_status status = next_event(r, &event);
  if (status) return status;
  if (event.type != end) status = read_node(r, &event, depth, out);
  yaml_event_delete(&event);
  return status;
}

static am_status read_items(reader *r, am_value *list, size_t depth) {
  for (;;) {
    am_value *item;
    am_status status = read_next(r, depth + 1, YAML_SEQUENCE_END_EVENT, &item);
    if (status || !item) return status;
    status = am_value_add(r->tree, list, NULL, item, r->err);
    if (status) return status;
  }
}

static int by_key(const void *a, const void *b) {
  const am_value *x = *(const am_value *const *)a, *y = *(const am_value *const *)b;
  int order = strcmp(x->key, y->key);
  if (order) return order;
  if (x->key_line != y->key_line) return x->key_line < y->key_line ? -1 : 1;
  return (x->key_column > y->key_column) - (x->key_column < y->key_column);
}

/* Sorted, so a map of a million keys does not take a million million comparisons. */
static am_status refuse_duplicates(reader *r, const am_value *map) {
  if (map->count < 2) return AM_OK;
  const am_value **sorted = am_tree_take(r->tree, map->count, sizeof *sorted);
  if (!sorted) return am_no_memory(r->err);
  size_t n = 0;
  for (const am_value *entry = map->first; entry; entry = entry->next) sorted[n++] = entry;
  qsort(sorted, n, sizeof *sorted, by_key);
  const am_value *first = NULL;
  int line = 0;
  for (size_t i = 1; i < n; i++) {
    if (strcmp(sorted[i - 1]->key, sorted[i]->key)) continue;
    if (first && by_key(&first, &sorted[i]) && sorted[i]->key_line >= first->key_line) continue;
    first = sorted[i];
    line = sorted[i - 1]->key_line;
  }
  if (!first) return AM_OK;
  return am_fail_at_key(r->err, first, "key \"%s\" is given twice (first in line %d)", first->key, line);
}

static am_status read_entries(reader *r, am_value *map, size_t depth) {
  for (;;) {
    am_value *key, *item;
    am_status status = read_next(r, depth + 1, YAML_MAPPING_END_EVENT, &key);
    if (status) return status;
    if (!key) return refuse_duplicates(r, map);
    if (key->kind != AM_SCALAR) return am_fail_at(r->err, key, "a key has to be a word; quote it if it is meant so");
    if (!key->quoted && !strcmp(key->text, "<<"))
      return am_fail_at(r->err, key, "merge keys (<<) are not supported; write the keys out");
    status = read_next(r, depth + 1, YAML_NO_EVENT, &item);
    if (!status) status = am_value_add(r->tree, map, key->text, item, r->err);
    if (status) return status;
    assert(item); /* libyaml gives every key a value */
    item->key_line = key->line;
    item->key_column = key->column;
  }
}

static am_status read_node(reader *r, const yaml_event_t *event, size_t depth, am_value **out) {
  if (event->type == YAML_ALIAS_EVENT) return read_alias(r, event, depth, out);
  bool scalar = event->type == YAML_SCALAR_EVENT, list = event->type == YAML_SEQUENCE_START_EVENT;
  const yaml_char_t *tag = scalar ? event->data.scalar.tag
                           : list ? event->data.sequence_start.tag
                                  : event->data.mapping_start.tag;
  const yaml_char_t *name = scalar ? event->data.scalar.anchor
                            : list ? event->data.sequence_start.anchor
                                   : event->data.mapping_start.anchor;
  if (tag) return fail_mark(r, event->start_mark, "tags (!name) are not supported; quote a text that starts with !");
  am_status status = check_limits(r, event->start_mark, 1, depth);
  am_value *v = NULL;
  if (!status && scalar) status = read_scalar(r, event, &v);
  if (!status && !scalar && !(v = am_value_new(r->tree, list ? AM_LIST : AM_MAP))) status = am_no_memory(r->err);
  if (status) return status;
  v->source = r->source;
  v->line = (int)event->start_mark.line + 1;
  v->column = (int)event->start_mark.column + 1;
  if (!scalar) status = list ? read_items(r, v, depth) : read_entries(r, v, depth);
  if (!status) status = keep_anchor(r, name, v);
  if (!status) *out = v;
  return status;
}

/* stream start, at most one document, stream end */
static am_status read_stream(reader *r, am_value **out) {
  for (bool seen = false;;) {
    yaml_event_t event;
    am_status status = next_event(r, &event);
    if (status) return status;
    yaml_event_type_t type = event.type;
    if (type == YAML_DOCUMENT_START_EVENT) {
      if (seen) status = fail_mark(r, event.start_mark, "a second document (---); only one is read from a file");
      else status = read_next(r, 1, YAML_NO_EVENT, out);
      seen = true;
    }
    yaml_event_delete(&event);
    if (status || type == YAML_STREAM_END_EVENT) return status;
  }
}

/* libyaml compares every %TAG line with all before it, and only then gives the first event. */
static am_status check_directives(const char *text, size_t bytes, const char *source, am_error *err) {
  enum { MOST = 16 };
  int n = 0, line = 1;
  for (const char *at = text, *end = text + bytes; at < end; line++) {
    if (*at == '%' && ++n > MOST)
      return am_fail(err, AM_E_CONFIG, "%s:%d:1: more than %d lines that begin with %%", source, line, (int)MOST);
    const char *next = memchr(at, '\n', (size_t)(end - at));
    at = next ? next + 1 : end;
  }
  return AM_OK;
}

am_status am_yaml_read_text(am_tree *tree, const char *text, size_t bytes, const char *source, am_value **out,
                            am_error *err) {
  *out = NULL;
  am_status status = check_directives(text, bytes, source, err);
  if (status) return status;
  reader r = {.tree = tree,
              .source = am_tree_string(tree, source),
              .err = err,
              .most = am_add(am_tree_bytes(tree), am_tree_most(bytes))};
  if (!r.source || !yaml_parser_initialize(&r.parser)) return am_no_memory(err);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, bytes);
  am_value *root = NULL;
  status = read_stream(&r, &root);
  yaml_parser_delete(&r.parser);
  if (status) return status;
  if (!root) {
    root = am_value_new(tree, AM_NULL);
    if (!root) return am_no_memory(err);
    root->source = r.source;
    root->line = root->column = 1;
  }
  *out = root;
  return AM_OK;
}

am_status am_yaml_read_file(am_context *ctx, const char *path, am_tree **out, am_error *err) {
  return am_tree_read_file(ctx, path, AM_YAML_BYTES, am_yaml_read_text, out, err);
}

const char *am_yaml_library(void) { return yaml_get_version_string(); }
