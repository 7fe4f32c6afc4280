/* SPDX-License-Identifier: MIT */
/* data/corpora/list_audformat.c - a database of audformat (https://audeering.github.io/audformat): db.yaml and its tables
 * db.NAME.csv.  One table, or those that data.tables names, gives the labels; a speaker may be in another one. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/value.h"
#include "data/corpora/list.h"
#include "data/names.h"
#include "io/yaml.h"

enum { MOST_TABLES = 64 };

typedef struct source {
  const char *name;
  const am_value *is; /* its entry in the header */
  am_csv *table;
  int label, speaker, file, start, end;
  const char *split; /* word of a part; "" none */
} source;

typedef struct database {
  am_list *list;
  am_tree *tree;
  const am_value *root, *tables, *schemes;
  const char *folder;
  source labels[MOST_TABLES];
  size_t n;
  am_csv *speakers; /* another table with a speaker for each file; NULL */
  int speaker, file;
  am_name_set files;   /* of `speakers`, by row */
  am_csv *people;      /* the table that the scheme of speakers leads to: who they are; NULL */
  am_name_set persons; /* of `people`, by row */
  am_name_set more;    /* columns and attributes of speakers that are kept as traits */
} database;

static const char *text_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  return v && v->kind == AM_SCALAR ? v->text : "";
}

/* ---- which tables ---- */

/* A column of a table whose scheme, or else name, is this one; NULL none. */
static const char *column_of(const am_value *table, const char *const *wanted) {
  const am_value *columns = am_value_get(table, "columns");
  for (; *wanted; wanted++)
    for (const am_value *v = columns && columns->kind == AM_MAP ? columns->first : NULL; v; v = v->next)
      if (!strcmp(text_of(v, "scheme_id"), *wanted) || !strcmp(v->key, *wanted)) return v->key;
  return NULL;
}

static const char *label_column(const database *d, const am_value *table) {
  static const char *const usual[] = {"emotion", "label", "emo", NULL};
  const am_value *said = am_value_get(d->list->columns, "label");
  const char *const own[] = {said ? said->text : NULL, NULL};
  return column_of(table, said ? own : usual);
}

static const char *speaker_column(const database *d, const am_value *table) {
  static const char *const usual[] = {"speaker", "speaker_id", NULL};
  const am_value *said = am_value_get(d->list->columns, "speaker");
  const char *const own[] = {said ? said->text : NULL, NULL};
  return column_of(table, said ? own : usual);
}

/* The same table as pandas keeps it for itself. */
static am_status check_other(const database *d, const char *name, am_error *err) {
  static const char *const kinds[][2] = {{"parquet", "Parquet is"}, {"pkl", "pickles are"}};
  am_status status = AM_OK;
  for (int i = 0; i < 2 && !status; i++) {
    char *path = am_format(d->list->ctx, "%s/db.%s.%s", d->folder, name, kinds[i][0]);
    if (!path) status = am_no_memory(err);
    else if (am_file_exists(path))
      status = am_fail(err, AM_E_UNSUPPORTED,
                       "%s: %s not read; save the database as CSV (audformat: db.save(folder, storage_format='csv'))",
                       path, kinds[i][1]);
    am_free(d->list->ctx, path);
  }
  return status;
}

static am_status read_table(database *d, const char *name, am_csv **out, am_error *err) {
  am_context *ctx = d->list->ctx;
  char *path = am_format(ctx, "%s/db.%s.csv", d->folder, name);
  am_status status = path ? AM_OK : am_no_memory(err);
  if (!status && strchr(name, '/'))
    status = am_fail(err, AM_E_FORMAT, "%s: tables.%s: a name with a / in it", d->list->path, name);
  if (!status && !am_file_exists(path)) status = check_other(d, name, err);
  if (!status) status = am_csv_read_file(ctx, path, ',', out, err);
  am_free(ctx, path);
  return status;
}

static am_status add_labels(database *d, const am_value *is, am_error *err) {
  const char *label = label_column(d, is), *speaker = speaker_column(d, is);
  if (d->n == MOST_TABLES) return am_fail(err, AM_E_CONFIG, "data.tables: more than %d tables", (int)MOST_TABLES);
  if (!label)
    return am_fail(err, AM_E_FORMAT,
                   "%s: tables.%s: which column is the emotion? no scheme or column is called emotion; data.columns: "
                   "{label: NAME} says it",
                   d->list->path, is->key);
  source *s = &d->labels[d->n];
  *s = (source){.name = is->key, .is = is, .speaker = -1, .split = ""};
  am_status status = read_table(d, is->key, &s->table, err);
  if (status) return status;
  d->n++;
  status = am_csv_need(s->table, "file", &s->file, err);
  if (!status) status = am_csv_need(s->table, label, &s->label, err);
  if (!status && speaker) status = am_csv_need(s->table, speaker, &s->speaker, err);
  s->start = am_csv_column(s->table, "start");
  s->end = am_csv_column(s->table, "end");
  const char *split = text_of(is, "split_id");
  const char *type = text_of(am_value_get(am_value_get(d->root, "splits"), split), "type");
  for (size_t i = 0; am_list_parts[i]; i++)
    if (!strcmp(type, am_list_parts[i])) s->split = am_list_parts[i];
  return status;
}

/* Without data.tables: the only one that has an emotion. */
static am_status find_labels(database *d, am_error *err) {
  char there[256] = "";
  const am_value *only = NULL;
  size_t n = 0;
  for (const am_value *v = d->tables ? d->tables->first : NULL; v; v = v->next) {
    if (!label_column(d, v)) continue;
    size_t used = strlen(there);
    snprintf(there + used, sizeof there - used, "%s%s", n++ ? ", " : "", v->key);
    only = v;
  }
  if (n == 1) return add_labels(d, only, err);
  if (n)
    return am_fail(err, AM_E_CONFIG, "%s: %zu tables have emotions: %s; data.tables says which of them to read",
                   d->list->path, n, there);
  return am_fail(err, AM_E_FORMAT,
                 "%s: no table has a column or a scheme called emotion; data.columns: {label: NAME} says which it is",
                 d->list->path);
}

static am_status choose_labels(database *d, am_error *err) {
  am_status status = d->list->tables.n ? AM_OK : find_labels(d, err);
  for (size_t i = 0; i < d->list->tables.n && !status; i++) {
    const am_value *v = am_value_get(d->tables, d->list->tables.at[i]);
    status = v ? add_labels(d, v, err)
               : am_fail(err, AM_E_CONFIG, "data.tables: %s has no table \"%s\"", d->list->path, d->list->tables.at[i]);
  }
  return status;
}

/* Another table by files that says who speaks, when those of the labels do not. */
static am_status find_speakers(database *d, am_error *err) {
  for (size_t i = 0; i < d->n; i++)
    if (d->labels[i].speaker >= 0) return AM_OK;
  const am_value *v = d->tables->first;
  while (v && (strcmp(text_of(v, "type"), "filewise") || !speaker_column(d, v))) v = v->next;
  if (!v) return AM_OK;
  am_status status = read_table(d, v->key, &d->speakers, err);
  if (!status) status = am_csv_need(d->speakers, "file", &d->file, err);
  if (!status) status = am_csv_need(d->speakers, speaker_column(d, v), &d->speaker, err);
  for (size_t row = 0; !status && row < am_csv_rows(d->speakers); row++) {
    const char *file = am_csv_get(d->speakers, row, (size_t)d->file);
    if (am_name_set_find(&d->files, file) >= 0) return am_csv_fail(d->speakers, row, err, "%s is listed twice", file);
    if (am_name_set_add(&d->files, file) < 0) return am_no_memory(err);
  }
  return status;
}

/* ---- values ---- */

/* What the scheme of the labels says a code means: {0: anger}.  A code without a text is its own meaning. */
static const char *meaning(const database *d, const source *s, const char *code) {
  const char *column = am_csv_name(s->table, (size_t)s->label);
  const char *scheme = text_of(am_value_get(am_value_get(s->is, "columns"), column), "scheme_id");
  const am_value *v = am_value_get(am_value_get(am_value_get(d->schemes, scheme), "labels"), code);
  return v && v->kind == AM_SCALAR ? v->text : code;
}

static const am_value *speaker_labels(const database *d) {
  const am_value *said = am_value_get(d->list->columns, "speaker");
  return am_value_get(am_value_get(d->schemes, said ? said->text : "speaker"), "labels");
}

/* What is known of a speaker: in the scheme itself ({ann: {gender: female}}), or in the table that it names. */
static const char *attribute(const database *d, const char *speaker, const char *name) {
  if (!d->people) return text_of(am_value_get(speaker_labels(d), speaker), name);
  const int row = am_name_set_find(&d->persons, speaker), column = am_csv_column(d->people, name);
  return row < 0 || column < 0 ? "" : am_csv_get(d->people, (size_t)row, (size_t)column);
}

static am_status read_people(database *d, am_error *err) {
  const am_value *labels = speaker_labels(d);
  if (!labels || labels->kind != AM_SCALAR || !am_value_get(am_value_get(d->root, "misc_tables"), labels->text))
    return AM_OK;
  am_status status = read_table(d, labels->text, &d->people, err);
  for (size_t row = 0; !status && row < am_csv_rows(d->people); row++) {
    const char *name = am_csv_get(d->people, row, 0);
    if (am_name_set_find(&d->persons, name) >= 0) status = am_csv_fail(d->people, row, err, "%s is listed twice", name);
    else if (am_name_set_add(&d->persons, name) < 0) status = am_no_memory(err);
  }
  return status;
}

/* ---- rows ---- */

static am_status find_more(database *d, am_error *err) {
  const am_value *people = speaker_labels(d);
  bool failed = false;
  for (size_t i = 1; d->people && i < am_csv_columns(d->people); i++)
    if (*am_csv_name(d->people, i)) failed |= am_name_set_add(&d->more, am_csv_name(d->people, i)) < 0;
  for (const am_value *v = people && people->kind == AM_MAP ? people->first : NULL; v; v = v->next)
    for (const am_value *a = v->kind == AM_MAP ? v->first : NULL; a; a = a->next)
      if (a->kind == AM_SCALAR) failed |= am_name_set_add(&d->more, a->key) < 0;
  for (size_t i = 0; i < d->n; i++) {
    const source *s = &d->labels[i];
    for (size_t k = 0; k < am_csv_columns(s->table); k++) {
      const int column = (int)k;
      bool known =
          column == s->label || column == s->speaker || column == s->file || column == s->start || column == s->end;
      const char *name = am_csv_name(s->table, k);
      for (int w = 0; w < AM_LIST_KNOWN; w++) known |= !strcmp(name, am_list_word((am_list_column)w));
      if (!known && *name) failed |= am_name_set_add(&d->more, name) < 0;
    }
  }
  return failed ? am_no_memory(err) : AM_OK;
}

static const char *speaker_of(const database *d, const source *s, size_t row, const char *file) {
  if (s->speaker >= 0) return am_csv_get(s->table, row, (size_t)s->speaker);
  const int at = d->speakers ? am_name_set_find(&d->files, file) : -1;
  return at < 0 ? "" : am_csv_get(d->speakers, (size_t)at, (size_t)d->speaker);
}

static am_status add_row(database *d, const source *s, size_t row, const char **fields, am_error *err) {
  const char *file = am_csv_get(s->table, row, (size_t)s->file);
  memset(fields, 0, AM_LIST_KNOWN * sizeof *fields);
  fields[AM_LIST_PATH] = file;
  fields[AM_LIST_LABEL] = meaning(d, s, am_csv_get(s->table, row, (size_t)s->label));
  fields[AM_LIST_SPEAKER] = speaker_of(d, s, row, file);
  fields[AM_LIST_SPLIT] = s->split;
  for (size_t k = 0; k < d->more.n; k++) {
    const int column = am_csv_column(s->table, d->more.at[k]);
    fields[AM_LIST_KNOWN + k] =
        column >= 0 ? am_csv_get(s->table, row, (size_t)column) : attribute(d, fields[AM_LIST_SPEAKER], d->more.at[k]);
  }
  am_status status = am_list_put_times(d->list, s->table, row, s->start, s->end, fields, err);
  if (status) return status;
  return am_csv_add(d->list->table, fields, am_csv_source(s->table, row), am_csv_line(s->table, row), err);
}

static am_status put_rows(database *d, am_error *err) {
  am_status status = find_more(d, err);
  if (!status) status = am_list_begin(d->list, d->more.at, d->more.n, err);
  const char **fields = am_alloc(d->list->ctx, AM_LIST_KNOWN + d->more.n, sizeof *fields);
  if (!fields && !status) status = am_no_memory(err);
  for (size_t i = 0; i < d->n && !status; i++)
    for (size_t row = 0; row < am_csv_rows(d->labels[i].table) && !status; row++)
      status = add_row(d, &d->labels[i], row, fields, err);
  am_free(d->list->ctx, fields);
  return status;
}

/* ---- the header ---- */

/* What the header says of the database goes into checkpoints. */
static am_status describe(database *d, am_error *err) {
  am_list *list = d->list;
  const char *name = text_of(d->root, "name"), *author = text_of(d->root, "author"),
             *origin = text_of(d->root, "source"), *licence = text_of(d->root, "license");
  const am_value *languages = am_value_get(d->root, "languages");
  char *citation = am_format(list->ctx, "%s%s%s%s%s", author, *author ? ": " : "", name, *origin ? ", " : "", origin);
  if (!citation) return am_no_memory(err);
  list->title = am_tree_string(list->texts, name);
  list->licence = am_tree_string(list->texts, licence);
  list->citation = am_tree_string(list->texts, citation);
  list->language =
      am_tree_string(list->texts, languages && languages->kind == AM_LIST && languages->first && languages->first->text
                                      ? languages->first->text
                                      : "");
  am_free(list->ctx, citation);
  return list->title && list->licence && list->citation && list->language ? AM_OK : am_no_memory(err);
}

static am_status read_header(database *d, am_error *err) {
  const am_list *list = d->list;
  char *path =
      am_folder_exists(list->path) ? am_path_join(list->ctx, list->path, "db.yaml") : am_strdup(list->ctx, list->path);
  if (!path) return am_no_memory(err);
  am_status status = am_yaml_read_file(list->ctx, path, &d->tree, err);
  am_free(list->ctx, path);
  if (status) return status;
  d->root = am_tree_root(d->tree);
  d->tables = am_value_get(d->root, "tables");
  d->schemes = am_value_get(d->root, "schemes");
  if (d->tables && d->tables->kind == AM_MAP) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: no header of an audformat database: wanted a map with the key tables",
                 list->path);
}

am_status am_list_read_audformat(am_list *list, am_error *err) {
  database d = {.list = list,
                .folder = *list->folder ? list->folder : ".",
                .files = {.ctx = list->ctx},
                .persons = {.ctx = list->ctx},
                .more = {.ctx = list->ctx}};
  am_status status = read_header(&d, err);
  if (!status) status = choose_labels(&d, err);
  if (!status) status = find_speakers(&d, err);
  if (!status) status = read_people(&d, err);
  if (!status) status = put_rows(&d, err);
  if (!status) status = describe(&d, err);
  for (size_t i = 0; i < d.n; i++) am_csv_free(d.labels[i].table);
  am_csv_free(d.speakers);
  am_csv_free(d.people);
  am_name_set_free(&d.persons);
  am_name_set_free(&d.files);
  am_name_set_free(&d.more);
  if (d.tree) am_tree_free(d.tree);
  return status;
}
