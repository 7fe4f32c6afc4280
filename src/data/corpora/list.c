/* SPDX-License-Identifier: MIT */
/* data/corpora/list.c - finds a list of clips, tells which program's it is, and has it read. */
#include "data/corpora/list.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "io/json_table.h"

#define COLUMN_WORD(name, word) word,
static const char *const column_words[] = {AM_LIST_COLUMNS(COLUMN_WORD)};
const char *const am_list_parts[] = {"train", "training", "validation", "valid", "val",
                                     "dev",   "test",     "testing",    "eval",  NULL};

const char *am_list_word(am_list_column column) { return column_words[column]; }

static am_status read_csv(am_list *list, am_error *err) {
  list->foreign = list->inside = false;
  if ((list->table = list->known)) {
    list->known = NULL;
    return AM_OK;
  }
  return am_csv_read_file(list->ctx, list->path, 0, &list->table, err);
}

/* By AM_LIST_FORMATS (dataset.h). */
static am_list_reader *const readers[] = {
    [AM_LIST_CSV] = read_csv,
    [AM_LIST_AUDFORMAT] = am_list_read_audformat,
    [AM_LIST_KALDI] = am_list_read_kaldi,
    [AM_LIST_AUDIOFOLDER] = am_list_read_audiofolder,
    [AM_LIST_EMOBOX] = am_list_read_emobox,
    [AM_LIST_NKULULEKO] = am_list_read_nkululeko,
    [AM_LIST_SPEECHBRAIN] = am_list_read_speechbrain,
};

bool am_list_stays_inside(const char *path) {
  if (*path == '/') return false;
  for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
    if (!strncmp(at, "..", 2) && (!at[2] || at[2] == '/')) return false;
  return true;
}

am_status am_list_file(am_context *ctx, const char *folder, const char *name, char **path, am_error *err) {
  *path = am_path_join(ctx, folder, name);
  if (!*path) return am_no_memory(err);
  if (am_file_exists(*path)) return AM_OK;
  am_free(ctx, *path);
  *path = NULL;
  return AM_OK;
}

am_status am_list_records(am_list *list, const char *path, am_csv **out, am_error *err) {
  const bool json = am_text_ends(path, ".jsonl") || am_text_ends(path, ".json");
  if (list->known && !strcmp(path, list->path)) {
    *out = list->known;
    list->known = NULL;
    return AM_OK;
  }
  return json ? am_json_table_read_file(list->ctx, path, out, err) : am_csv_read_file(list->ctx, path, 0, out, err);
}

/* ---- which format ---- */

static am_status has(am_context *ctx, const char *folder, const char *name, bool *out, am_error *err) {
  char *path;
  am_status status = am_list_file(ctx, folder, name, &path, err);
  *out = path != NULL;
  am_free(ctx, path);
  return status;
}

/* `name` in the folder, or in one of those of the parts. */
static am_status has_in_parts(am_context *ctx, const char *folder, const char *name, bool *out, am_error *err) {
  am_status status = has(ctx, folder, name, out, err);
  for (size_t i = 0; am_list_parts[i] && !*out && !status; i++) {
    char *below = am_path_join(ctx, folder, am_list_parts[i]);
    status = below ? has(ctx, below, name, out, err) : am_no_memory(err);
    am_free(ctx, below);
  }
  return status;
}

const char *am_list_part_of(const char *name, const char *ending) {
  if (!am_text_ends(name, ending)) return NULL;
  const size_t whole = strlen(name) - strlen(ending);
  for (size_t i = 0; am_list_parts[i]; i++) {
    const size_t n = strlen(am_list_parts[i]);
    if (whole >= n && !memcmp(name + whole - n, am_list_parts[i], n) && (whole == n || name[whole - n - 1] == '_'))
      return am_list_parts[i];
  }
  return NULL;
}

/* By files that only their names mark: NAME_train_fold_1.jsonl, train.json, NAME_train.csv. */
static am_status find_parts(am_context *ctx, const char *folder, int *format, am_error *err) {
  am_names names;
  am_status status = am_folder_list(ctx, folder, &names, err);
  bool fold = false, json = false, csv = false;
  if (status) return status;
  for (size_t i = 0; i < names.n; i++) {
    const char *name = names.at[i], *part;
    fold |= strstr(name, "_fold_") && (am_text_ends(name, ".jsonl") || am_text_ends(name, ".json"));
    json |= (part = am_list_part_of(name, ".json")) && !strncmp(part, "train", 5);
    csv |= (part = am_list_part_of(name, ".csv")) && !strncmp(part, "train", 5);
  }
  am_names_free(ctx, &names);
  *format = fold ? AM_LIST_EMOBOX : json ? AM_LIST_SPEECHBRAIN : csv ? AM_LIST_NKULULEKO : AM_LIST_AUTO;
  return AM_OK;
}

static const struct {
  const char *name;
  bool parts; /* may be in folders of the parts */
  int format;
} marks[] = {{"manifest.csv", false, AM_LIST_CSV},
             {"db.yaml", false, AM_LIST_AUDFORMAT},
             {"wav.scp", true, AM_LIST_KALDI},
             {"metadata.csv", true, AM_LIST_AUDIOFOLDER},
             {"metadata.jsonl", true, AM_LIST_AUDIOFOLDER},
             {"metadata.parquet", true, AM_LIST_AUDIOFOLDER}};

/* AM_LIST_AUTO: of none of them. */
static am_status find_mark(am_context *ctx, const char *folder, int *format, am_error *err) {
  bool there = false;
  am_status status = AM_OK;
  *format = AM_LIST_AUTO;
  for (size_t i = 0; i < sizeof marks / sizeof *marks && !status && !there; i++) {
    status = (marks[i].parts ? has_in_parts : has)(ctx, folder, marks[i].name, &there, err);
    if (there) *format = marks[i].format;
  }
  return status || there ? status : find_parts(ctx, folder, format, err);
}

static am_status recognise_folder(am_list *list, int *format, am_error *err) {
  am_status status = find_mark(list->ctx, list->path, format, err);
  if (status || *format != AM_LIST_AUTO) return status;
  return am_fail(err, AM_E_DATA,
                 "%s: no list of clips in this folder; looked for manifest.csv, db.yaml (audformat), wav.scp (Kaldi), "
                 "metadata.csv or .jsonl (audiofolder), NAME_train_fold_1.jsonl (EmoBox), train.json (SpeechBrain) and "
                 "NAME_train.csv (nkululeko); name the file by data.manifest",
                 list->path);
}

/* SpeechBrain names every clip; so does EmoBox, whose records also name their corpus. */
static bool is_map_of_clips(const am_csv *table) {
  return am_csv_column(table, AM_JSON_NAME) >= 0 && am_csv_column(table, "dataset") < 0;
}

static am_status recognise_records(am_list *list, int *format, am_error *err) {
  am_csv *table;
  const bool json = am_text_ends(list->path, ".jsonl") || am_text_ends(list->path, ".json");
  am_status status = am_list_records(list, list->path, &table, err);
  if (status) return status;
  list->known = table;
  const bool wav = am_csv_column(table, "wav") >= 0, own = am_csv_column(table, "path") >= 0;
  if (wav && (json ? is_map_of_clips(table) : am_csv_column(table, "ID") >= 0)) *format = AM_LIST_SPEECHBRAIN;
  else if (json && wav && am_csv_column(table, "emo") >= 0) *format = AM_LIST_EMOBOX;
  else if (am_csv_column(table, "file_name") >= 0 && (json || !own)) *format = AM_LIST_AUDIOFOLDER;
  else if (!json && !own && am_csv_column(table, "file") >= 0 && !am_value_get(list->columns, "path"))
    *format = AM_LIST_NKULULEKO;
  else if (!json) *format = AM_LIST_CSV;
  else
    status = am_fail(err, AM_E_FORMAT,
                     "%s: no list of clips that is known: wanted the keys file_name (audiofolder) or wav and emo "
                     "(EmoBox, SpeechBrain) in each record",
                     list->path);
  return status;
}

/* By what the file is called where the programs prescribe it, else by what is in it. */
static am_status recognise(am_list *list, int *format, am_error *err) {
  const char *base = am_path_base(list->path);
  if (am_folder_exists(list->path)) return recognise_folder(list, format, err);
  *format = AM_LIST_CSV;
  if (am_text_ends(base, ".yaml") || am_text_ends(base, ".yml")) *format = AM_LIST_AUDFORMAT;
  else if (am_text_ends(base, ".scp") || !strcmp(base, "segments") || !strncmp(base, "utt2", 4))
    *format = AM_LIST_KALDI;
  else if (am_text_ends(base, ".parquet")) *format = AM_LIST_AUDIOFOLDER;
  else if (am_file_exists(list->path)) return recognise_records(list, format, err);
  return AM_OK;
}

am_status am_list_is(am_context *ctx, const char *path, bool *yes, am_error *err) {
  static const char *const endings[] = {".csv", ".tsv", ".jsonl", ".scp", ".parquet"};
  const char *base = am_path_base(path);
  *yes = !strcmp(base, "db.yaml") || am_list_part_of(base, ".json");
  if (am_folder_exists(path)) {
    int format;
    am_status status = find_mark(ctx, path, &format, err);
    *yes = !status && format != AM_LIST_AUTO;
    return status;
  }
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) *yes |= am_text_ends(base, endings[i]);
  return AM_OK;
}

/* ---- reading ---- */

static const char *keep(am_list *list, am_error *err, const char *text, size_t n) {
  char *copy = am_tree_take(list->texts, n + 1, 1);
  if (copy) memcpy(copy, text, n);
  else am_no_memory(err);
  return copy;
}

/* Which file or folder, and the folder that relative paths start from.  A folder's own list is its manifest.csv. */
static am_status find(am_list *list, const am_data_options *o, am_error *err) {
  if (!*o->root && !*o->manifest)
    return am_fail(err, AM_E_CONFIG,
                   "data.manifest is not set: wanted a CSV file with the columns path, label, speaker");
  list->path = *o->manifest ? o->manifest : o->root;
  const bool folder = am_folder_exists(list->path), own = o->format == AM_LIST_AUTO || o->format == AM_LIST_CSV;
  if (folder ? own : !*o->manifest) {
    char *file = am_path_join(list->ctx, list->path, "manifest.csv");
    if (file && (am_file_exists(file) || !folder)) list->path = keep(list, err, file, strlen(file));
    am_free(list->ctx, file);
    if (!file || !list->path) return am_no_memory(err);
  }
  size_t n = (size_t)(am_path_base(list->path) - list->path);
  if (am_folder_exists(list->path)) {
    n = strlen(list->path);
    while (n > 1 && list->path[n - 1] == '/') n--;
    list->path = keep(list, err, list->path, n);
    list->folder = list->path;
  } else {
    list->folder = keep(list, err, list->path, n > 1 ? n - 1 : n);
  }
  return list->path && list->folder ? AM_OK : AM_E_NOMEM;
}

static am_status check_place(const am_list *list, int format, am_error *err) {
  const bool folder = am_folder_exists(list->path);
  if (am_file_exists(list->path) || (folder && format != AM_LIST_CSV)) return AM_OK;
  return am_fail(err, AM_E_DATA, "%s: %s; wanted a CSV file with the columns path, label, speaker (data.manifest)",
                 list->path, folder ? "a folder" : "no such file");
}

static am_status check_columns(const am_value *columns, am_error *err) {
  for (const am_value *v = columns ? columns->first : NULL; v; v = v->next) {
    size_t i = 0;
    while (i < AM_LIST_KNOWN && strcmp(column_words[i], v->key)) i++;
    if (i == AM_LIST_KNOWN)
      return am_fail_at_key(err, v,
                            "data.columns: unknown column \"%s\"; known are path, label, speaker, split, group, start, "
                            "seconds, utterance",
                            v->key);
    if (v->kind != AM_SCALAR || !*v->text)
      return am_fail_at(err, v, "data.columns.%s: wanted the name of a column of the list", v->key);
  }
  return AM_OK;
}

am_status am_list_open(am_context *ctx, const am_data_options *o, am_list *out, am_error *err) {
  *out = (am_list){.ctx = ctx, .columns = o->columns, .tables = o->tables, .inside = true, .foreign = true};
  int format = o->format;
  am_status status = am_tree_create(ctx, &out->texts, err);
  if (!status) status = check_columns(o->columns, err);
  if (!status) status = find(out, o, err);
  if (!status && format == AM_LIST_AUTO) status = recognise(out, &format, err);
  if (!status) status = check_place(out, format, err);
  const bool folder = !status && am_folder_exists(out->path),
             parts = format == AM_LIST_NKULULEKO || format == AM_LIST_SPEECHBRAIN;
  if (!status && o->tables.n && format != AM_LIST_AUDFORMAT && !(folder && parts))
    status = am_fail(err, AM_E_CONFIG,
                     "data.tables: %s has one table; only an audformat database has several, or a folder of nkululeko "
                     "or SpeechBrain",
                     out->path);
  if (!status) status = readers[format](out, err);
  if (status) am_list_close(out);
  return status;
}

void am_list_close(am_list *list) {
  am_csv_free(list->table);
  am_csv_free(list->known);
  if (list->texts) am_tree_free(list->texts);
  list->table = list->known = NULL;
  list->texts = NULL;
}

/* ---- for the readers ---- */

am_status am_list_column_of(const am_list *list, const am_csv *table, am_list_column column, const char *const *usual,
                            int *out, am_error *err) {
  const am_value *said = am_value_get(list->columns, column_words[column]);
  *out = -1;
  if (said) return am_csv_need(table, said->text, out, err);
  for (; *usual && *out < 0; usual++) *out = am_csv_column(table, *usual);
  return AM_OK;
}

am_status am_list_begin(am_list *list, const char *const *more, size_t n, am_error *err) {
  const char **names = am_tree_take(list->texts, AM_LIST_KNOWN + n, sizeof *names);
  if (!names) return am_no_memory(err);
  memcpy(names, column_words, sizeof column_words);
  if (n) memcpy(names + AM_LIST_KNOWN, more, n * sizeof *names);
  return am_csv_create(list->ctx, list->path, names, AM_LIST_KNOWN + n, &list->table, err);
}

const char *am_list_seconds(am_list *list, double seconds) {
  char text[32];
  am_real_to_text(seconds, text);
  return am_tree_string(list->texts, text);
}

/* What is empty or NaT is 0, and *said then false. */
static am_status read_time(const am_csv *table, size_t row, int column, double *out, bool *said, am_error *err) {
  const char *text = column < 0 ? "" : am_csv_get(table, row, (size_t)column), *at = text;
  double days = 0, hours, minutes, seconds;
  char *colon, number[64];
  *out = 0;
  *said = *text && strcmp(text, "NaT");
  if (!*said) return AM_OK;
  const char *space = strstr(at, " days"); /* pandas leaves the rest out where no row of a table has one: "0 days" */
  if (space && (size_t)(space - at) < sizeof number && (!space[5] || space[5] == ' ')) {
    snprintf(number, sizeof number, "%.*s", (int)(space - at), at);
    if (!am_text_to_real(number, &days)) days = -1;
    at = space[5] ? space + 6 : "00:00:00";
  }
  snprintf(number, sizeof number, "%s", at);
  bool good = days >= 0 && strlen(at) < sizeof number;
  if ((colon = strchr(number, ':'))) {
    char *second = strchr(colon + 1, ':');
    if (second) *colon = *second = '\0';
    good &= second && am_text_to_real(number, &hours) && am_text_to_real(colon + 1, &minutes) &&
            am_text_to_real(second + 1, &seconds) && hours >= 0 && minutes >= 0 && seconds >= 0;
    *out = good ? days * 86400 + hours * 3600 + minutes * 60 + seconds : 0;
  } else {
    good &= am_text_to_real(number, out) && *out >= 0;
  }
  if (good && *out < 1e9) return AM_OK;
  return am_csv_fail(table, row, err, "%s is \"%s\", wanted a time such as 0 days 00:00:01.250000",
                     am_csv_name(table, (size_t)column), text);
}

am_status am_list_put_times(am_list *list, const am_csv *table, size_t row, int start, int end, const char **fields,
                            am_error *err) {
  double from, to;
  bool said, ends;
  am_status status = read_time(table, row, start, &from, &said, err);
  if (!status) status = read_time(table, row, end, &to, &ends, err);
  if (status) return status;
  if (ends && !(to > from)) return am_csv_fail(table, row, err, "ends at %g s, and begins at %g s", to, from);
  fields[AM_LIST_START] = from > 0 ? am_list_seconds(list, from) : "";
  fields[AM_LIST_SECONDS] = ends ? am_list_seconds(list, to - from) : "";
  return fields[AM_LIST_START] && fields[AM_LIST_SECONDS] ? AM_OK : am_no_memory(err);
}
