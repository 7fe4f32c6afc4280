/* SPDX-License-Identifier: MIT */
/* io/csv.c - RFC 4180 tables. The text is unquoted in place and cut into terminated fields. */
#include "io/csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/utf8.h"
#include "base/value.h"

enum { MAX_COLUMNS = 10000 };

struct am_csv {
  am_context *ctx;
  char *source, *text;
  char **fields;   /* rows x columns, the header first */
  char **header;   /* (columns) the first row, where it stays: `fields` of a table that is put together moves */
  char ***by_name; /* (columns) places in the header, by name and then from left to right */
  int *lines;
  const char **sources; /* (rows) of a table that was put together, as `lines`; NULL: `source` */
  am_tree *made;        /* owns the texts of such a table */
  size_t source_room;
  size_t columns, rows, field_room, line_room, used; /* rows counts the header; used: fields so far */
};

typedef struct cursor {
  char *at, *end, *put; /* read from `at`, write unquoted text to `put` */
  char delimiter;
  int line;
} cursor;

void am_csv_free(am_csv *csv) {
  if (!csv) return;
  if (csv->made) am_tree_free(csv->made);
  am_free(csv->ctx, csv->sources);
  am_free(csv->ctx, csv->lines);
  am_free(csv->ctx, csv->by_name);
  am_free(csv->ctx, csv->fields);
  am_free(csv->ctx, csv->text);
  am_free(csv->ctx, csv->source);
  am_free(csv->ctx, csv);
}

static am_status fail_line(const am_csv *csv, int line, am_error *err, const char *text) {
  return am_fail(err, AM_E_FORMAT, "%s:%d: %s", csv->source, line, text);
}

static bool at_line_end(const cursor *c) { return c->at == c->end || *c->at == '\n' || *c->at == '\r'; }

static void skip_line_end(cursor *c) {
  if (c->at < c->end && *c->at == '\r') c->at++;
  if (c->at < c->end && *c->at == '\n') c->at++;
  c->line++;
}

/* The text between quotes; doubled quotes are one. */
static am_status read_quoted(const am_csv *csv, cursor *c, am_error *err) {
  int opened = c->line;
  for (c->at++;; c->at++) {
    if (c->at == c->end) return fail_line(csv, opened, err, "a quote (\") is opened here and never closed");
    if (*c->at == '"') {
      if (c->at + 1 == c->end || c->at[1] != '"') break;
      c->at++;
    } else if (*c->at == '\n') {
      c->line++;
    }
    *c->put++ = *c->at;
  }
  c->at++;
  if (!at_line_end(c) && *c->at != c->delimiter)
    return fail_line(csv, c->line, err, "text after a closing quote; double the quotes (\"\") inside a field");
  return AM_OK;
}

static am_status read_field(const am_csv *csv, cursor *c, am_error *err) {
  if (c->at < c->end && *c->at == '"') return read_quoted(csv, c, err);
  for (; !at_line_end(c) && *c->at != c->delimiter; c->at++) {
    if (*c->at == '"') return fail_line(csv, c->line, err, "a quote (\") inside a field that does not begin with one");
    *c->put++ = *c->at;
  }
  return AM_OK;
}

static am_status add_field(am_csv *csv, char *field, am_error *err) {
  if (am_grow(csv->ctx, &csv->fields, &csv->field_room, csv->used + 1, sizeof *csv->fields, err)) return AM_E_NOMEM;
  csv->fields[csv->used++] = field;
  return AM_OK;
}

/* What a first row is that does not look like one which names columns; "": nothing strange. */
static const char *header_hint(const am_csv *csv) {
  const char *first = csv->fields[0];
  if (*first == '#')
    return "; the first row begins with '#', but comments are not read: the first row names the columns";
  if (!strncasecmp(first, "sep=", 4))
    return "; the first row is Excel's sep= line, which only a .csv or .tsv file of yours may have";
  for (size_t i = 0; i < csv->columns; i++)
    if (strpbrk(csv->fields[i], ";\t,|"))
      return "; the columns seem to be separated by more than one sign; use ',' or ';' or tabs alone";
  return csv->columns == 1 ? "; the first row names the columns" : "";
}

static am_status end_row(am_csv *csv, size_t width, int line, am_error *err) {
  if (!csv->rows) csv->columns = width;
  if (width != csv->columns)
    return am_fail(err, AM_E_FORMAT, "%s:%d: %zu fields, but the header has %zu%s", csv->source, line, width,
                   csv->columns, header_hint(csv));
  if (am_grow(csv->ctx, &csv->lines, &csv->line_room, csv->rows + 1, sizeof *csv->lines, err)) return AM_E_NOMEM;
  csv->lines[csv->rows++] = line;
  return AM_OK;
}

/* The terminator of a field lands at most on the character read after it, so
 * that one is remembered first. */
static am_status read_row(am_csv *csv, cursor *c, am_error *err) {
  int line = c->line;
  for (size_t width = 1;; width++) {
    char *field = c->put;
    am_status status = read_field(csv, c, err);
    if (!status) status = add_field(csv, field, err);
    if (status) return status;
    bool more = c->at < c->end && *c->at == c->delimiter;
    if (more) c->at++;
    else skip_line_end(c);
    *c->put++ = '\0';
    if (!more) return end_row(csv, width, line, err);
  }
}

static int line_of(const cursor *c, const char *at) {
  int line = c->line;
  for (const char *p = c->at; p < at; p++) line += *p == '\n' || (*p == '\r' && p[1] != '\n');
  return line;
}

/* Bytes that are not UTF-8 would be other texts in JSON, which replaces them, than in tables, which do not. */
static am_status check_text(const am_csv *csv, const cursor *c, am_error *err) {
  const char *wrong = memchr(c->at, 0, (size_t)(c->end - c->at));
  if (wrong) return fail_line(csv, line_of(c, wrong), err, "a NUL byte; this is not a text file");
  wrong = am_utf8_wrong(c->at);
  return wrong ? fail_line(csv, line_of(c, wrong), err, "not UTF-8; save it as UTF-8") : AM_OK;
}

static int by_name(const void *a, const void *b) {
  char **x = *(char **const *)a, **y = *(char **const *)b;
  int order = strcmp(*x, *y);
  return order ? order : (x > y) - (x < y);
}

/* Sorted, for am_csv_column, and so that ten thousand columns do not take a hundred million comparisons. */
static am_status sort_columns(am_csv *csv, am_error *err) {
  char **again = NULL; /* the first column from the left whose name was there before */
  csv->by_name = am_alloc(csv->ctx, csv->columns, sizeof *csv->by_name);
  if (!csv->by_name) return am_no_memory(err);
  for (size_t i = 0; i < csv->columns; i++) csv->by_name[i] = &csv->header[i];
  qsort(csv->by_name, csv->columns, sizeof *csv->by_name, by_name);
  for (size_t i = 1; i < csv->columns; i++)
    if (!strcmp(*csv->by_name[i - 1], *csv->by_name[i]) && (!again || csv->by_name[i] < again)) again = csv->by_name[i];
  if (!again) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s:%d: two columns are called \"%s\"", csv->source, csv->lines[0], *again);
}

static bool ends_with(const char *text, const char *tail) {
  size_t n = strlen(text), m = strlen(tail);
  return n >= m && !strcasecmp(text + n - m, tail);
}

/* How often `sign` is in the first row, quotes aside. */
static size_t count_sign(const char *at, char sign) {
  size_t n = 0;
  for (bool quoted = false; *at && (quoted || (*at != '\n' && *at != '\r')); at++) {
    quoted ^= *at == '"';
    n += !quoted && *at == sign;
  }
  return n;
}

/* Excel writes "sep=;" before the first row where its list separator is not the comma. */
static bool take_sep_line(cursor *c) {
  if (c->end - c->at < 5 || strncasecmp(c->at, "sep=", 4) || !strchr(",;\t|", c->at[4])) return false;
  if (c->end - c->at > 5 && c->at[5] != '\r' && c->at[5] != '\n') return false;
  c->delimiter = c->at[4];
  c->at += 5;
  skip_line_end(c);
  return true;
}

/* What separates the columns, when the caller does not say: what the file's ending promises, or, where the first row has none of
 * that, the one other sign that it does have. */
static void find_delimiter(const am_csv *csv, cursor *c) {
  static const char signs[] = ",;\t";
  if (take_sep_line(c)) return;
  const char *row = c->at + strspn(c->at, "\r\n");
  c->delimiter = ends_with(csv->source, ".tsv") || ends_with(csv->source, ".tab") ? '\t' : ',';
  if (count_sign(row, c->delimiter)) return;
  char other = 0;
  for (const char *sign = signs; *sign; sign++) {
    if (!count_sign(row, *sign)) continue;
    if (other) return;
    other = *sign;
  }
  if (other) c->delimiter = other;
}

/* `delimiter` 0: to be found. */
static am_status read_rows(am_csv *csv, size_t bytes, char delimiter, am_error *err) {
  cursor c = {csv->text, csv->text + bytes, csv->text, delimiter, 1};
  if (bytes >= 2 && (!memcmp(c.at, "\xff\xfe", 2) || !memcmp(c.at, "\xfe\xff", 2)))
    return am_fail(err, AM_E_FORMAT, "%s: the text is UTF-16; save it as UTF-8", csv->source);
  if (bytes >= 3 && !memcmp(c.at, "\xef\xbb\xbf", 3)) c.at += 3;
  am_status status = check_text(csv, &c, err);
  if (status) return status;
  if (!delimiter) find_delimiter(csv, &c);
  while (c.at < c.end) {
    if (at_line_end(&c)) {
      skip_line_end(&c);
      continue;
    }
    if ((status = read_row(csv, &c, err))) return status;
  }
  if (!csv->rows) return am_fail(err, AM_E_FORMAT, "%s: empty; wanted a first row that names the columns", csv->source);
  if (csv->columns > MAX_COLUMNS)
    return am_fail(err, AM_E_FORMAT, "%s:%d: %zu columns; at most %d are read", csv->source, csv->lines[0],
                   csv->columns, (int)MAX_COLUMNS);
  csv->header = csv->fields;
  return sort_columns(csv, err);
}

/* `text` becomes the table's. */
static am_status parse(am_context *ctx, char *text, size_t bytes, const char *source, char delimiter, am_csv **out,
                       am_error *err) {
  am_csv *csv = am_alloc(ctx, 1, sizeof *csv);
  char *name = am_strdup(ctx, source);
  if (!csv || !name) {
    am_free(ctx, csv);
    am_free(ctx, name);
    am_free(ctx, text);
    return am_no_memory(err);
  }
  *csv = (am_csv){.ctx = ctx, .source = name, .text = text};
  am_status status = read_rows(csv, bytes, delimiter, err);
  if (status) am_csv_free(csv);
  else *out = csv;
  return status;
}

am_status am_csv_read_text(am_context *ctx, const char *text, size_t bytes, const char *source, char delimiter,
                           am_csv **out, am_error *err) {
  *out = NULL;
  char *copy = am_resize(ctx, NULL, am_add(bytes, 1), 1);
  if (!copy) return am_no_memory(err);
  if (bytes) memcpy(copy, text, bytes);
  copy[bytes] = '\0';
  return parse(ctx, copy, bytes, source, delimiter, out, err);
}

am_status am_csv_read_file(am_context *ctx, const char *path, char delimiter, am_csv **out, am_error *err) {
  *out = NULL;
  char *text;
  size_t bytes;
  am_status status = am_file_read(ctx, path, AM_CSV_BYTES, &text, &bytes, err);
  return status ? status : parse(ctx, text, bytes, path, delimiter, out, err);
}

size_t am_csv_rows(const am_csv *csv) { return csv->rows - 1; }
size_t am_csv_columns(const am_csv *csv) { return csv->columns; }
const char *am_csv_name(const am_csv *csv, size_t column) { return csv->fields[column]; }
int am_csv_line(const am_csv *csv, size_t row) { return csv->lines[row + 1]; }
const char *am_csv_source(const am_csv *csv, size_t row) { return csv->sources ? csv->sources[row + 1] : csv->source; }

const char *am_csv_get(const am_csv *csv, size_t row, size_t column) {
  return csv->fields[(row + 1) * csv->columns + column];
}

int am_csv_column(const am_csv *csv, const char *name) {
  size_t from = 0, until = csv->columns;
  while (from < until) {
    size_t middle = from + (until - from) / 2;
    int order = strcmp(*csv->by_name[middle], name);
    if (!order) return (int)(csv->by_name[middle] - csv->header);
    if (order < 0) from = middle + 1;
    else until = middle;
  }
  return -1;
}

am_status am_csv_need(const am_csv *csv, const char *name, int *column, am_error *err) {
  *column = am_csv_column(csv, name);
  if (*column >= 0) return AM_OK;
  char there[512] = "";
  for (size_t i = 0; i < csv->columns; i++) {
    size_t used = strlen(there);
    snprintf(there + used, sizeof there - used, "%s%s", i ? ", " : "", csv->fields[i]);
  }
  const char *meant = am_nearest(name, (const char *const *)csv->fields, csv->columns, sizeof *csv->fields);
  return am_fail(err, AM_E_FORMAT, "%s:%d: no column \"%s\"; there are: %s%s%s%s%s", csv->source, csv->lines[0], name,
                 there, header_hint(csv), meant ? "; rename \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

am_status am_csv_fail(const am_csv *csv, size_t row, am_error *err, const char *format, ...) {
  char text[sizeof err->message];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const int line = am_csv_line(csv, row);
  if (!csv->sources) return fail_line(csv, line, err, text);
  const char *source = csv->sources[row + 1];
  return line ? am_fail(err, AM_E_FORMAT, "%s:%d: %s", source, line, text)
              : am_fail(err, AM_E_FORMAT, "%s: %s", source, text);
}

/* ---- put together ---- */

static am_status keep_source(am_csv *csv, const char *source, am_error *err) {
  if (am_grow(csv->ctx, &csv->sources, &csv->source_room, csv->rows + 1, sizeof *csv->sources, err)) return AM_E_NOMEM;
  const char *last = csv->rows ? csv->sources[csv->rows - 1] : NULL;
  csv->sources[csv->rows] = last && !strcmp(last, source) ? last : am_tree_string(csv->made, source);
  return csv->sources[csv->rows] ? AM_OK : am_no_memory(err);
}

am_status am_csv_add(am_csv *csv, const char *const *fields, const char *source, int line, am_error *err) {
  am_status status = keep_source(csv, source, err);
  for (size_t i = 0; i < csv->columns && !status; i++) {
    static char nothing[1];
    char *field = fields[i] && *fields[i] ? (char *)am_tree_string(csv->made, fields[i]) : nothing;
    status = field ? add_field(csv, field, err) : am_no_memory(err);
  }
  return status ? status : end_row(csv, csv->columns, line, err);
}

am_status am_csv_create(am_context *ctx, const char *source, const char *const *names, size_t n, am_csv **out,
                        am_error *err) {
  *out = NULL;
  am_csv *csv = am_alloc(ctx, 1, sizeof *csv);
  if (!csv) return am_no_memory(err);
  *csv = (am_csv){.ctx = ctx, .source = am_strdup(ctx, source), .columns = n};
  am_status status = csv->source ? am_tree_create(ctx, &csv->made, err) : am_no_memory(err);
  if (!status && n > MAX_COLUMNS)
    status = am_fail(err, AM_E_FORMAT, "%s: %zu columns; at most %d are read", source, n, (int)MAX_COLUMNS);
  if (!status) status = am_csv_add(csv, names, source, 1, err);
  if (!status && !(csv->header = am_tree_take(csv->made, n + 1, sizeof *csv->header))) status = am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) csv->header[i] = csv->fields[i];
  if (!status) status = sort_columns(csv, err);
  if (status) am_csv_free(csv);
  else *out = csv;
  return status;
}

am_status am_csv_real(const am_csv *csv, size_t row, int column, double *out, am_error *err) {
  const char *text = am_csv_get(csv, row, (size_t)column);
  *out = NAN;
  if (!*text || am_text_to_real(text, out)) return AM_OK;
  return am_csv_fail(csv, row, err, "%s is '%s', wanted a number", am_csv_name(csv, (size_t)column), text);
}

void am_csv_put(am_csv_writer *w, const char *text) {
  char delimiter = w->delimiter ? w->delimiter : ',';
  if (w->filled) am_buffer_append(w->ctx, w->out, &delimiter, 1);
  const char special[] = {delimiter, '"', '\n', '\r', '\0'};
  /* A lone empty field would be a blank line, which readers skip. */
  bool quote = strpbrk(text, special) || (!w->filled && !*text);
  w->filled = true;
  if (!quote) {
    am_buffer_append(w->ctx, w->out, text, strlen(text));
    return;
  }
  am_buffer_append(w->ctx, w->out, "\"", 1);
  for (; *text; text++) am_buffer_append(w->ctx, w->out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
  am_buffer_append(w->ctx, w->out, "\"", 1);
}

void am_csv_put_int(am_csv_writer *w, int64_t number) {
  char text[32];
  snprintf(text, sizeof text, "%" PRId64, number);
  am_csv_put(w, text);
}

void am_csv_put_real(am_csv_writer *w, double number) {
  char text[32] = "";
  if (!isnan(number)) am_real_to_text(number, text);
  am_csv_put(w, text);
}

void am_csv_end_row(am_csv_writer *w) {
  am_buffer_append(w->ctx, w->out, "\n", 1);
  w->filled = false;
}
