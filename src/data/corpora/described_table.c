/* SPDX-License-Identifier: MIT */
/* data/corpora/described_table.c - see described_table.h. */
#include "data/corpora/described_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "data/names.h"
#include "io/json_table.h"

#define COLUMN_WORD(name, word) word,
static const char *const words[] = {AM_TABLE_COLUMNS(COLUMN_WORD)};

typedef struct part {
  const am_description_table *is;
  am_csv *csv;
  int column[AM_TABLE_KNOWN], end;
} part;

typedef struct tables {
  am_context *ctx;
  const am_description *d;
  part parts[AM_DESCRIPTION_TABLES];
  size_t n;
  am_name_set names; /* of the files' own columns */
  am_csv *out;
  am_tree *texts; /* of one row after another */
} tables;

bool am_table_has_label(const am_description_table *table) { return *table->label || table->scores.n; }

am_status am_table_read(am_context *ctx, const char *root, const char *file, const char *what, am_csv **out,
                        am_error *err) {
  char *path = am_path_join(ctx, root, file), *text = NULL;
  size_t bytes = 0;
  *out = NULL;
  am_status status = path ? AM_OK : am_no_memory(err);
  if (!status && !am_file_exists(path))
    status = am_fail(err, AM_E_DATA, "%s: no such file; wanted the %s, relative to data.root", path, what);
  if (!status) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a %s", what);
    status = am_file_read_ordinary(ctx, path, wanted, AM_CSV_BYTES, &text, &bytes, err);
  }
  const bool json = am_text_ends(file, ".json") || am_text_ends(file, ".jsonl");
  if (!status)
    status = json ? am_json_table_read_text(ctx, text, bytes, path, out, err)
                  : am_csv_read_text(ctx, text, bytes, path, 0, out, err);
  am_free(ctx, text);
  am_free(ctx, path);
  return status;
}

/* ---- columns ---- */

static am_status need(const part *p, const char *name, int *column, am_error *err) {
  *column = -1;
  return *name ? am_csv_need(p->csv, name, column, err) : AM_OK;
}

/* The column of a name in braces, {Dialogue_ID}; *end is behind it.  NULL *end: the text has no more of them. */
static am_status next_brace(const part *p, const char *at, const char **open, const char **end, int *column,
                            am_error *err) {
  char name[256];
  *open = strchr(at, '{');
  *end = *open ? strchr(*open, '}') : NULL;
  if (!*end) return AM_OK;
  snprintf(name, sizeof name, "%.*s", (int)(*end - *open - 1), *open + 1);
  ++*end;
  return am_csv_need(p->csv, name, column, err);
}

static am_status find_path(part *p, am_error *err) {
  const char *open, *end = p->is->path;
  int column;
  if (!strchr(p->is->path, '{')) return need(p, p->is->path, &p->column[AM_TABLE_PATH], err);
  p->column[AM_TABLE_PATH] = -1;
  am_status status = AM_OK;
  while (end && !status) status = next_brace(p, end, &open, &end, &column, err);
  return status;
}

static am_status find_columns(tables *t, part *p, am_error *err) {
  const am_description_table *is = p->is;
  const struct {
    am_table_column column;
    const char *name;
  } wanted[] = {{AM_TABLE_LABEL, is->label}, {AM_TABLE_SPEAKER, is->speaker}, {AM_TABLE_GROUP, is->group},
                {AM_TABLE_PART, is->part},   {AM_TABLE_START, is->start},     {AM_TABLE_SECONDS, is->seconds}};
  int column;
  am_status status = find_path(p, err);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted && !status; i++)
    status = need(p, wanted[i].name, &p->column[wanted[i].column], err);
  if (!status) status = need(p, is->end, &p->end, err);
  for (size_t i = 0; i < is->scores.n && !status; i++) status = am_csv_need(p->csv, is->scores.at[i], &column, err);
  for (size_t i = 0; i < is->columns.n && !status; i++) status = am_csv_need(p->csv, is->columns.at[i], &column, err);
  for (size_t i = 0; i < am_csv_columns(p->csv) && !status; i++) {
    const char *name = am_csv_name(p->csv, i);
    bool own = *name != '\0';
    for (int k = 0; k < AM_TABLE_KNOWN; k++) own &= strcmp(name, words[k]) != 0;
    if (own && am_name_set_add(&t->names, name) < 0) status = am_no_memory(err);
  }
  return status;
}

/* ---- rows ---- */

static am_status put_path(tables *t, const part *p, size_t row, const char **out, am_error *err) {
  am_buffer text = {0};
  const char *at = p->is->path, *open, *end;
  if (p->column[AM_TABLE_PATH] >= 0) {
    *out = am_csv_get(p->csv, row, (size_t)p->column[AM_TABLE_PATH]);
    return **out ? AM_OK : am_csv_fail(p->csv, row, err, "%s is empty", p->is->path);
  }
  am_status status = AM_OK;
  for (;; at = end) {
    int column = -1;
    status = next_brace(p, at, &open, &end, &column, err);
    if (status || !end) break;
    const char *field = am_csv_get(p->csv, row, (size_t)column);
    if (!*field) status = am_csv_fail(p->csv, row, err, "%s is empty", am_csv_name(p->csv, (size_t)column));
    if (status) break;
    am_buffer_append(t->ctx, &text, at, (size_t)(open - at));
    am_buffer_append(t->ctx, &text, field, strlen(field));
  }
  am_buffer_append(t->ctx, &text, at, strlen(at));
  if (!status) status = text.failed ? am_no_memory(err) : AM_OK;
  if (!status && !(*out = am_tree_string(t->texts, text.data))) status = am_no_memory(err);
  am_buffer_free(t->ctx, &text);
  return status;
}

/* The column with the highest number. */
static am_status put_score(const part *p, size_t row, const char **out, am_error *err) {
  double highest = -INFINITY;
  for (size_t i = 0; i < p->is->scores.n; i++) {
    double value;
    const char *name = p->is->scores.at[i];
    am_status status = am_csv_real(p->csv, row, am_csv_column(p->csv, name), &value, err);
    if (status) return status;
    if (isnan(value)) return am_csv_fail(p->csv, row, err, "%s is empty; wanted a number", name);
    if (value >= highest) *out = value > highest ? name : AM_SCORES_TIE;
    if (value > highest) highest = value;
  }
  if (highest <= 0) *out = AM_SCORES_NONE;
  return AM_OK;
}

/* What begins before the file does (CMU-MOSEI) begins with it. */
static am_status put_times(tables *t, const part *p, size_t row, const char **fields, am_error *err) {
  double start = 0, end = NAN;
  char text[32];
  am_status status = AM_OK;
  if (p->column[AM_TABLE_START] >= 0) status = am_csv_real(p->csv, row, p->column[AM_TABLE_START], &start, err);
  if (!status && p->end >= 0) status = am_csv_real(p->csv, row, p->end, &end, err);
  if (status) return status;
  if (!(start > 0)) start = 0;
  if (end <= start) return am_csv_fail(p->csv, row, err, "ends at %g s, and begins at %g s", end, start);
  am_real_to_text(start, text);
  if (start > 0 && !(fields[AM_TABLE_START] = am_tree_string(t->texts, text))) return am_no_memory(err);
  if (start <= 0) fields[AM_TABLE_START] = "";
  if (isnan(end)) return AM_OK;
  am_real_to_text(end - start, text);
  fields[AM_TABLE_SECONDS] = am_tree_string(t->texts, text);
  return fields[AM_TABLE_SECONDS] ? AM_OK : am_no_memory(err);
}

static am_status add_row(tables *t, const part *p, size_t row, const char **fields, am_error *err) {
  for (int k = 0; k < AM_TABLE_KNOWN; k++)
    fields[k] = p->column[k] < 0 ? "" : am_csv_get(p->csv, row, (size_t)p->column[k]);
  for (size_t k = 0; k < t->names.n; k++) {
    const int column = am_csv_column(p->csv, t->names.at[k]);
    fields[AM_TABLE_KNOWN + k] = column < 0 ? "" : am_csv_get(p->csv, row, (size_t)column);
  }
  am_status status = put_path(t, p, row, &fields[AM_TABLE_PATH], err);
  if (!status && p->is->scores.n) status = put_score(p, row, &fields[AM_TABLE_LABEL], err);
  if (*p->is->all) fields[AM_TABLE_PART] = p->is->all;
  if (!status) status = put_times(t, p, row, fields, err);
  return status ? status : am_csv_add(t->out, fields, am_csv_source(p->csv, row), am_csv_line(p->csv, row), err);
}

static am_status put_together(tables *t, am_error *err) {
  const size_t n = AM_TABLE_KNOWN + t->names.n;
  const char **fields = am_alloc(t->ctx, n, sizeof *fields);
  if (!fields) return am_no_memory(err);
  memcpy(fields, words, sizeof words);
  if (t->names.n) memcpy(fields + AM_TABLE_KNOWN, t->names.at, t->names.n * sizeof *fields);
  am_status status = am_csv_create(t->ctx, t->parts[0].is->file, fields, n, &t->out, err);
  for (size_t i = 0; i < t->n && !status; i++)
    for (size_t row = 0; row < am_csv_rows(t->parts[i].csv) && !status; row++)
      status = add_row(t, &t->parts[i], row, fields, err);
  am_free(t->ctx, fields);
  return status;
}

am_status am_description_tables(am_context *ctx, const am_description *d, const char *root, am_csv **out,
                                am_error *err) {
  tables t = {.ctx = ctx, .d = d, .names = {.ctx = ctx}};
  *out = NULL;
  am_status status = am_tree_create(ctx, &t.texts, err);
  for (; t.n < d->n_tables && !status; t.n += !status) {
    part *p = &t.parts[t.n];
    *p = (part){.is = &d->tables[t.n]};
    status = am_table_read(ctx, root, p->is->file, "table of labels", &p->csv, err);
  }
  for (size_t i = 0; i < t.n && !status; i++) status = find_columns(&t, &t.parts[i], err);
  if (!status) status = put_together(&t, err);
  for (size_t i = 0; i < t.n; i++) am_csv_free(t.parts[i].csv);
  am_name_set_free(&t.names);
  if (t.texts) am_tree_free(t.texts);
  if (status) am_csv_free(t.out);
  else *out = t.out;
  return status;
}
