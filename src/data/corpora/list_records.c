/* SPDX-License-Identifier: MIT */
/* data/corpora/list_records.c - lists with a record a clip: metadata.csv or .jsonl of Hugging Face's audiofolder, the JSON
 * lines of EmoBox, the CSV files of nkululeko, SpeechBrain's JSON.  The parts of a corpus have files of their own, whose rows
 * become one table. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "data/corpora/list.h"
#include "data/names.h"
#include "io/json_table.h"

enum { MOST_FILES = 16, MOST_USUAL = 8 };

/* What a format calls its columns. */
typedef struct format {
  const char *usual[AM_LIST_KNOWN][MOST_USUAL]; /* each ended by NULL */
  const char *end[MOST_USUAL];                  /* where a clip ends, s */
  const char *idle[MOST_USUAL];                 /* that say nothing of the clips */
  const char *refused[MOST_USUAL];              /* that say what is not read */
  const char *endings[MOST_USUAL];              /* of the files of parts in one folder */
  bool clock;                                   /* times may be those of pandas */
  bool roots;                                   /* a path may begin with a variable that stands for a folder */
} format;

static const format audiofolder = {
    .usual = {[AM_LIST_PATH] = {"file_name"},
              [AM_LIST_LABEL] = {"label", "emotion", "emo"},
              [AM_LIST_SPEAKER] = {"speaker", "speaker_id", "spk"},
              [AM_LIST_SPLIT] = {"split"},
              [AM_LIST_GROUP] = {"group", "session", "dialogue"},
              [AM_LIST_START] = {"start", "start_time"},
              [AM_LIST_SECONDS] = {"seconds"},
              [AM_LIST_UTTERANCE] = {"utterance", "utterance_id"}},
    .end = {"end", "end_time"},
};
static const format emobox = {
    .usual = {[AM_LIST_PATH] = {"wav"},
              [AM_LIST_LABEL] = {"emo"},
              [AM_LIST_SPEAKER] = {"spk", "speaker"},
              [AM_LIST_START] = {"start_time"}},
    .end = {"end_time"},
    .idle = {"key", "dataset", "type", "sample_rate", "num_frame", "task", "length", "channel"},
};

/* A table of audformat without its database. */
static const format nkululeko = {
    .usual = {[AM_LIST_PATH] = {"file"},
              [AM_LIST_LABEL] = {"emotion", "label", "emo"},
              [AM_LIST_SPEAKER] = {"speaker"},
              [AM_LIST_SPLIT] = {"split"},
              [AM_LIST_START] = {"start"}},
    .end = {"end"},
    .endings = {".csv"},
    .clock = true,
};
static const format speechbrain = {
    .usual = {[AM_LIST_PATH] = {"wav"},
              [AM_LIST_LABEL] = {"emo", "emotion", "label"},
              [AM_LIST_SPEAKER] = {"spk_id", "spk", "speaker", "speaker_id"},
              [AM_LIST_SPLIT] = {"split"}},
    .idle = {AM_JSON_NAME, "ID", "length", "duration", "wav_format", "wav_opts"},
    .refused = {"start", "stop"},
    .endings = {".json", ".csv"},
    .roots = true,
};

typedef struct part {
  am_csv *table;
  const char *split;  /* of all its rows; NULL: a column's, if there is one */
  const char *folder; /* before its paths; "" the list's */
  int column[AM_LIST_KNOWN], end;
} part;

typedef struct records {
  am_list *list;
  const format *is;
  part parts[MOST_FILES];
  size_t n;
  am_name_set more; /* further columns */
} records;

static am_status add_file(records *r, const char *path, const char *split, const char *folder, am_error *err) {
  if (r->n == MOST_FILES) return am_fail(err, AM_E_DATA, "%s: more than %d lists of one corpus", path, (int)MOST_FILES);
  part *p = &r->parts[r->n];
  *p = (part){.split = split, .folder = folder, .end = -1};
  if (am_text_ends(path, ".parquet"))
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: Parquet is not read; save the table as CSV or JSON Lines (pandas: "
                   "read_parquet(...).to_csv(...))",
                   path);
  am_status status = am_list_records(r->list, path, &p->table, err);
  if (!status) r->n++;
  return status;
}

/* ---- columns ---- */

static bool listed(const char *const *names, const char *name) {
  for (size_t i = 0; i < MOST_USUAL && names[i]; i++)
    if (!strcmp(names[i], name)) return true;
  return false;
}

static am_status check_refused(const records *r, const part *p, am_error *err) {
  for (size_t i = 0; r->is->refused[i]; i++) {
    const int column = am_csv_column(p->table, r->is->refused[i]);
    for (size_t row = 0; column >= 0 && row < am_csv_rows(p->table); row++)
      if (*am_csv_get(p->table, row, (size_t)column))
        return am_csv_fail(p->table, row, err,
                           "%s counts samples of a rate that the list does not say; wanted whole files, or a CSV of "
                           "AudioMood's own with start and seconds",
                           r->is->refused[i]);
  }
  return AM_OK;
}

static am_status find_columns(records *r, part *p, am_error *err) {
  am_status status = check_refused(r, p, err);
  for (int k = 0; k < AM_LIST_KNOWN && !status; k++)
    status = am_list_column_of(r->list, p->table, (am_list_column)k, r->is->usual[k], &p->column[k], err);
  for (size_t i = 0; r->is->end[i] && p->end < 0; i++) p->end = am_csv_column(p->table, r->is->end[i]);
  if (!status && p->column[AM_LIST_PATH] < 0)
    status = am_csv_need(p->table, r->is->usual[AM_LIST_PATH][0], &p->column[AM_LIST_PATH], err);
  if (!status && p->column[AM_LIST_LABEL] < 0) {
    char there[256] = "";
    for (size_t i = 0; i < am_csv_columns(p->table); i++) {
      size_t used = strlen(there);
      snprintf(there + used, sizeof there - used, "%s%s", i ? ", " : "", am_csv_name(p->table, i));
    }
    status =
        am_fail(err, AM_E_FORMAT, "%s: which column is the label? there are %s; data.columns: {label: NAME} says it",
                r->list->path, there);
  }
  return status;
}

/* Columns that are nothing known, in the order they come. */
static am_status find_more(records *r, const part *p, am_error *err) {
  for (size_t i = 0; i < am_csv_columns(p->table); i++) {
    const char *name = am_csv_name(p->table, i);
    bool known = !*name || listed(r->is->idle, name) || p->end == (int)i;
    for (int k = 0; k < AM_LIST_KNOWN; k++) known |= p->column[k] == (int)i;
    for (int k = 0; k < AM_LIST_KNOWN; k++) known |= !strcmp(name, am_list_word((am_list_column)k));
    if (!known && am_name_set_add(&r->more, name) < 0) return am_no_memory(err);
  }
  return AM_OK;
}

/* ---- rows ---- */

/* Seconds by start and end, where the list gives those. */
static am_status find_length(records *r, const part *p, size_t row, const char **fields, am_error *err) {
  double start = 0, end = 0;
  if (r->is->clock) return am_list_put_times(r->list, p->table, row, p->column[AM_LIST_START], p->end, fields, err);
  if (p->end < 0 || p->column[AM_LIST_SECONDS] >= 0) return AM_OK;
  const char *text = am_csv_get(p->table, row, (size_t)p->end);
  if (!*text) return AM_OK;
  am_status status = am_csv_real(p->table, row, p->end, &end, err);
  if (!status && p->column[AM_LIST_START] >= 0 && *fields[AM_LIST_START])
    status = am_csv_real(p->table, row, p->column[AM_LIST_START], &start, err);
  if (status) return status;
  if (!(end > start)) return am_csv_fail(p->table, row, err, "ends at %s s, and begins at %g s", text, start);
  fields[AM_LIST_SECONDS] = am_list_seconds(r->list, end - start);
  return fields[AM_LIST_SECONDS] ? AM_OK : am_no_memory(err);
}

/* What follows "{data_root}/" or "$data_root/": such a path starts from data.root. */
static const char *without_root(const char *path) {
  const char *end = *path == '{' ? strstr(path, "}/") : *path == '$' ? strchr(path, '/') : NULL;
  return !end ? path : *end == '}' ? end + 2 : end + 1;
}

static am_status add_row(records *r, const part *p, size_t row, const char **fields, am_error *err) {
  char *joined = NULL;
  for (int k = 0; k < AM_LIST_KNOWN; k++)
    fields[k] = p->column[k] < 0 ? "" : am_csv_get(p->table, row, (size_t)p->column[k]);
  for (size_t k = 0; k < r->more.n; k++) {
    const int column = am_csv_column(p->table, r->more.at[k]);
    fields[AM_LIST_KNOWN + k] = column < 0 ? "" : am_csv_get(p->table, row, (size_t)column);
  }
  if (p->split) fields[AM_LIST_SPLIT] = p->split;
  if (r->is->roots) fields[AM_LIST_PATH] = without_root(fields[AM_LIST_PATH]);
  am_status status = find_length(r, p, row, fields, err);
  if (!status && *p->folder && *fields[AM_LIST_PATH] && am_list_stays_inside(fields[AM_LIST_PATH])) {
    joined = am_path_join(r->list->ctx, p->folder, fields[AM_LIST_PATH]);
    if (!joined) return am_no_memory(err);
    fields[AM_LIST_PATH] = joined;
  }
  if (!status)
    status = am_csv_add(r->list->table, fields, am_csv_source(p->table, row), am_csv_line(p->table, row), err);
  am_free(r->list->ctx, joined);
  return status;
}

static am_status put_together(records *r, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < r->n && !status; i++) status = find_columns(r, &r->parts[i], err);
  for (size_t i = 0; i < r->n && !status; i++) status = find_more(r, &r->parts[i], err);
  if (!status) status = am_list_begin(r->list, r->more.at, r->more.n, err);
  const char **fields = am_alloc(r->list->ctx, AM_LIST_KNOWN + r->more.n, sizeof *fields);
  if (!fields && !status) status = am_no_memory(err);
  for (size_t i = 0; i < r->n && !status; i++)
    for (size_t row = 0; row < am_csv_rows(r->parts[i].table) && !status; row++)
      status = add_row(r, &r->parts[i], row, fields, err);
  am_free(r->list->ctx, fields);
  return status;
}

static am_status finish(records *r, am_status status, am_error *err) {
  if (!status) status = put_together(r, err);
  for (size_t i = 0; i < r->n; i++) am_csv_free(r->parts[i].table);
  am_name_set_free(&r->more);
  return status;
}

/* ---- which files ---- */

/* The table of one folder, whatever its ending; none is fine. */
static am_status add_metadata(records *r, const char *folder, const char *split, const char *below, am_error *err) {
  static const char *const names[] = {"metadata.csv", "metadata.jsonl", "metadata.parquet"};
  am_status status = AM_OK;
  bool found = false;
  for (size_t i = 0; i < sizeof names / sizeof *names && !found && !status; i++) {
    char *path;
    status = am_list_file(r->list->ctx, folder, names[i], &path, err);
    if (path) status = add_file(r, path, split, below, err);
    found = path != NULL;
    am_free(r->list->ctx, path);
  }
  return status;
}

am_status am_list_read_audiofolder(am_list *list, am_error *err) {
  records r = {.list = list, .is = &audiofolder, .more = {.ctx = list->ctx}};
  am_status status = AM_OK;
  if (!am_folder_exists(list->path)) return finish(&r, add_file(&r, list->path, NULL, "", err), err);
  status = add_metadata(&r, list->path, NULL, "", err);
  for (size_t i = 0; am_list_parts[i] && !status; i++) {
    char *folder = am_path_join(list->ctx, list->path, am_list_parts[i]);
    if (!folder) status = am_no_memory(err);
    else if (am_folder_exists(folder)) status = add_metadata(&r, folder, am_list_parts[i], am_list_parts[i], err);
    am_free(list->ctx, folder);
  }
  if (!status && !r.n)
    status = am_fail(err, AM_E_DATA,
                     "%s: no metadata.csv or metadata.jsonl in this folder, nor in train, validation or test of it",
                     list->path);
  return finish(&r, status, err);
}

/* The part that NAME_train_fold_1.jsonl is of; NULL: it is no such name. */
static const char *fold_part(const char *name) {
  const char *fold = strstr(name, "_fold_");
  for (size_t i = 0; fold && am_list_parts[i]; i++) {
    const size_t n = strlen(am_list_parts[i]);
    if ((size_t)(fold - name) > n && fold[-(ptrdiff_t)n - 1] == '_' && !memcmp(fold - n, am_list_parts[i], n))
      return am_list_parts[i];
  }
  return NULL;
}

/* A fold's parts are files beside each other; the same list is there as .json and .jsonl. */
static am_status add_folds(records *r, am_error *err) {
  am_context *ctx = r->list->ctx;
  am_names names;
  am_status status = am_folder_list(ctx, r->list->path, &names, err);
  if (status) return status;
  const char *first = NULL;
  for (size_t i = 0; i < names.n && !status; i++) {
    const char *split = am_text_ends(names.at[i], ".jsonl") ? fold_part(names.at[i]) : NULL;
    if (!split) continue;
    const char *fold = strstr(names.at[i], "_fold_");
    if (first && strcmp(strstr(first, "_fold_"), fold)) {
      status = am_fail(err, AM_E_DATA, "%s: %s and %s are of two folds; wanted the files of one", r->list->path, first,
                       names.at[i]);
      continue;
    }
    if (!first) first = names.at[i];
    char *path = am_path_join(ctx, r->list->path, names.at[i]);
    status = path ? add_file(r, path, split, "", err) : am_no_memory(err);
    am_free(ctx, path);
  }
  if (!status && !r->n)
    status = am_fail(err, AM_E_DATA,
                     "%s: no file NAME_train_fold_1.jsonl in this folder; wanted a fold of EmoBox, or "
                     "one of its files",
                     r->list->path);
  am_names_free(ctx, &names);
  return status;
}

am_status am_list_read_emobox(am_list *list, am_error *err) {
  list->inside = false; /* its scripts may have been run with any place of the recordings */
  records r = {.list = list, .is = &emobox, .more = {.ctx = list->ctx}};
  const bool folder = am_folder_exists(list->path);
  return finish(&r, folder ? add_folds(&r, err) : add_file(&r, list->path, NULL, "", err), err);
}

/* ---- a file a part: NAME_train.csv, NAME_dev.csv, NAME_test.csv, or without NAME ---- */

/* Whether data.tables names the file, by its name without the ending. */
static bool is_named(const am_list *list, const char *name, const char *ending) {
  const size_t n = strlen(name) - strlen(ending);
  for (size_t i = 0; i < list->tables.n; i++)
    if (strlen(list->tables.at[i]) == n && !memcmp(list->tables.at[i], name, n)) return true;
  return false;
}

/* Whether both are files of one list: the same up to the word of the part. */
static bool is_beside(const char *a, const char *part_a, const char *b, const char *part_b, const char *ending) {
  const size_t n = strlen(a) - strlen(part_a) - strlen(ending);
  return n == strlen(b) - strlen(part_b) - strlen(ending) && !memcmp(a, b, n);
}

static am_status add_named(records *r, const am_names *names, const char *ending, am_error *err) {
  const am_list *list = r->list;
  const char *first = NULL, *first_part = NULL;
  am_status status = AM_OK;
  for (size_t i = 0; i < names->n && !status; i++) {
    const char *name = names->at[i], *word = am_list_part_of(name, ending);
    if (list->tables.n ? !am_text_ends(name, ending) || !is_named(list, name, ending) : !word) continue;
    if (!list->tables.n && first && !is_beside(first, first_part, name, word, ending))
      return am_fail(err, AM_E_DATA, "%s: %s and %s are of two lists; data.tables names the files of one: [%.*s, ...]",
                     list->path, first, name, (int)(strlen(first) - strlen(ending)), first);
    first = name;
    first_part = word;
    char *path = am_path_join(list->ctx, list->path, name);
    status = path ? add_file(r, path, word, "", err) : am_no_memory(err);
    am_free(list->ctx, path);
  }
  return status;
}

static am_status add_parts(records *r, am_error *err) {
  am_list *list = r->list;
  am_names names;
  am_status status = am_folder_list(list->ctx, list->path, &names, err);
  if (status) return status;
  for (size_t i = 0; r->is->endings[i] && !r->n && !status; i++) status = add_named(r, &names, r->is->endings[i], err);
  am_names_free(list->ctx, &names);
  const char *ending = r->is->endings[0];
  if (!status && list->tables.n && r->n != list->tables.n)
    return am_fail(err, AM_E_CONFIG, "data.tables: %s has %zu of these %zu files; wanted names without %s", list->path,
                   r->n, list->tables.n, ending);
  if (!status && !r->n)
    return am_fail(err, AM_E_DATA, "%s: no file train%s, NAME_train%s or the like in this folder", list->path, ending,
                   ending);
  return status;
}

static am_status read_toolkit(am_list *list, const format *is, am_error *err) {
  list->inside = false; /* these programs write where the sounds are on one's disk */
  records r = {.list = list, .is = is, .more = {.ctx = list->ctx}};
  const bool folder = am_folder_exists(list->path);
  return finish(&r, folder ? add_parts(&r, err) : add_file(&r, list->path, NULL, "", err), err);
}

am_status am_list_read_nkululeko(am_list *list, am_error *err) { return read_toolkit(list, &nkululeko, err); }
am_status am_list_read_speechbrain(am_list *list, am_error *err) { return read_toolkit(list, &speechbrain, err); }
