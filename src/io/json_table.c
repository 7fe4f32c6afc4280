/* SPDX-License-Identifier: MIT */
/* io/json_table.c - see json_table.h. */
#include "io/json_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/json.h"

typedef struct record {
  const am_value *map;
  const char *name; /* NULL: of a list or a line */
  int line;
} record;

typedef struct reader {
  am_context *ctx;
  const char *source;
  am_tree *tree;
  record *records;
  size_t n, room;
  am_value *columns; /* a map: name of a column, and its number */
} reader;

static am_status keep(reader *r, const am_value *map, const char *name, int line, am_error *err) {
  if (map->kind != AM_MAP) {
    if (line) return am_fail(err, AM_E_FORMAT, "%s:%d: wanted an object, {...}, in each line", r->source, line);
    return am_fail(err, AM_E_FORMAT, "%s: record %zu is no object, {...}", r->source, r->n + 1);
  }
  if (am_grow(r->ctx, &r->records, &r->room, r->n + 1, sizeof *r->records, err)) return AM_E_NOMEM;
  r->records[r->n++] = (record){map, name, line};
  return AM_OK;
}

/* One document: a list or a map of records, or a single one. */
static am_status read_document(reader *r, const char *text, size_t bytes, am_error *err) {
  am_value *root;
  am_status status = am_json_read_text(r->tree, text, bytes, r->source, &root, err);
  if (status) return status;
  if (root->kind != AM_LIST && root->kind != AM_MAP)
    return am_fail(err, AM_E_FORMAT, "%s: wanted a list or a map of records", r->source);
  if (root->kind == AM_MAP && root->first && root->first->kind != AM_MAP) return keep(r, root, NULL, 1, err);
  for (const am_value *v = root->first; v && !status; v = v->next) status = keep(r, v, v->key, 0, err);
  return status;
}

static am_status read_lines(reader *r, const char *text, size_t bytes, am_error *err) {
  const char *end = text + bytes;
  am_status status = AM_OK;
  int line = 1;
  for (const char *at = text; at < end && !status; line++) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t n = (size_t)((stop ? stop : end) - at);
    const size_t blank = strspn(at, " \t\r");
    if (blank < n) {
      am_value *map;
      char place[32];
      am_error why = AM_ERROR_INIT;
      status = am_json_read_text(r->tree, at, n, r->source, &map, &why);
      snprintf(place, sizeof place, ":%d", line);
      if (status == AM_E_NOMEM) return am_no_memory(err);
      if (status) return am_fail(err, AM_E_FORMAT, "%s%s: not a line of JSON (%s)", r->source, place, why.message);
      if (am_tree_bytes(r->tree) > am_tree_most(bytes))
        return am_fail(err, AM_E_FORMAT, "%s: too many values for a text of %zu bytes", r->source, bytes);
      status = keep(r, map, NULL, line, err);
    }
    at = stop ? stop + 1 : end;
  }
  return status;
}

/* JSON Lines: the first line is an object by itself, and more follows. */
static bool is_lines(const char *text) {
  const char *at = text + strspn(text, " \t\r\n"), *stop = strchr(at, '\n');
  if (*at != '{' || !stop) return false;
  while (stop > at && strchr(" \t\r", stop[-1])) stop--;
  const char *next = stop + strspn(stop, " \t\r\n");
  return stop[-1] == '}' && stop - at > 2 && *next;
}

static am_status add_column(reader *r, const char *name, am_error *err) {
  if (am_value_get(r->columns, name)) return AM_OK;
  return am_value_add(r->tree, r->columns, name, am_value_int(r->tree, (int64_t)r->columns->count), err);
}

static am_status find_columns(reader *r, am_error *err) {
  am_status status = (r->columns = am_value_new(r->tree, AM_MAP)) ? AM_OK : am_no_memory(err);
  if (!status && r->n && r->records[0].name) status = add_column(r, AM_JSON_NAME, err);
  for (size_t i = 0; i < r->n && !status; i++)
    for (const am_value *v = r->records[i].map->first; v && !status; v = v->next)
      if (v->kind == AM_SCALAR || v->kind == AM_NULL) status = add_column(r, v->key, err);
  if (!status && !r->columns->count)
    status = am_fail(err, AM_E_FORMAT, "%s: empty; wanted objects with the names of columns as keys", r->source);
  return status;
}

static am_status put_rows(reader *r, am_csv *csv, const char **fields, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < r->n && !status; i++) {
    const record *of = &r->records[i];
    char place[64];
    memset(fields, 0, r->columns->count * sizeof *fields);
    for (const am_value *v = of->map->first; v; v = v->next) {
      int64_t column;
      const am_value *number = am_value_get(r->columns, v->key);
      if (v->kind == AM_SCALAR && number && am_value_to_int(number, &column)) fields[column] = v->text;
    }
    if (of->name) fields[0] = of->name;
    snprintf(place, sizeof place, ", record %zu", i + 1);
    const char *source = r->source;
    if (!of->line && !(source = am_format(r->ctx, "%s%s", r->source, place))) return am_no_memory(err);
    status = am_csv_add(csv, fields, source, of->line, err);
    if (!of->line) am_free(r->ctx, (char *)source);
  }
  return status;
}

/* Records that have no keys in common make a table of the square of their number. */
enum { CELLS = 1 << 20, CELLS_OF_BYTE = 16 };

static am_status make_table(reader *r, size_t bytes, am_csv **out, am_error *err) {
  am_status status = find_columns(r, err);
  if (status) return status;
  if (am_mul(r->columns->count, r->n) > am_add(CELLS, am_mul(bytes, CELLS_OF_BYTE)))
    return am_fail(err, AM_E_FORMAT, "%s: %zu records with %zu different keys; wanted records with the same keys",
                   r->source, r->n, r->columns->count);
  const char **fields = am_alloc(r->ctx, r->columns->count, sizeof *fields);
  if (!fields) return am_no_memory(err);
  size_t n = 0;
  for (const am_value *v = r->columns->first; v; v = v->next) fields[n++] = v->key;
  am_csv *csv = NULL;
  status = am_csv_create(r->ctx, r->source, fields, n, &csv, err);
  if (!status) status = put_rows(r, csv, fields, err);
  am_free(r->ctx, fields);
  if (status) am_csv_free(csv);
  else *out = csv;
  return status;
}

am_status am_json_table_read_text(am_context *ctx, const char *text, size_t bytes, const char *source, am_csv **out,
                                  am_error *err) {
  *out = NULL;
  reader r = {.ctx = ctx, .source = source};
  am_status status = am_tree_create(ctx, &r.tree, err);
  if (status) return status;
  if (bytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) text += 3, bytes -= 3;
  if (memchr(text, 0, bytes)) status = am_fail(err, AM_E_FORMAT, "%s: a NUL byte; this is not a text file", source);
  if (!status) status = is_lines(text) ? read_lines(&r, text, bytes, err) : read_document(&r, text, bytes, err);
  if (!status) status = make_table(&r, bytes, out, err);
  am_free(ctx, r.records);
  am_tree_free(r.tree);
  return status;
}

am_status am_json_table_read_file(am_context *ctx, const char *path, am_csv **out, am_error *err) {
  *out = NULL;
  char *text;
  size_t bytes;
  am_status status = am_file_read_ordinary(ctx, path, "a list of clips", AM_JSON_BYTES, &text, &bytes, err);
  if (!status) status = am_json_table_read_text(ctx, text, bytes, path, out, err);
  am_free(ctx, text);
  return status;
}
