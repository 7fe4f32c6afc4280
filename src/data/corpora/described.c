/* SPDX-License-Identifier: MIT */
/* data/corpora/described.c - the clips of a corpus that a YAML file describes
 * (described_file.c), found by the patterns of their names, or by a table. */
#include "data/corpora/described.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "audio/endings.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/corpora/corpus.h"
#include "data/corpora/described_table.h"
#include "data/dimensions.h"
#include "data/names.h"
#include "io/csv.h"

typedef struct search {
  am_corpus *corpus;
  const am_description *d;
  am_name_set seen; /* matched parts of names, when they are to be unique */
  am_name_set labels, speakers;
  am_name_set texts, intensities, takes; /* codes that are no numbers count from 1 as they come */
  size_t matched;                        /* sound files that a pattern or the table knows */
  char archive[128];                     /* a zip that was not unpacked */
  am_csv *csv;                           /* all tables; NULL: there is none */
  const am_data_options *o;
  int column[AM_FIELDS + AM_MOST_TRAITS];
  int dimension[AM_MOST_DIMENSIONS]; /* columns, in the order of the corpus's dimensions */
  am_name_set rows;                  /* paths of the table without extension */
  uint32_t *first, *next; /* first: (rows) the first row of a path; next: (rows of the table) another of it, 0 none */
  bool *row_used;         /* (rows) */
  am_csv *people;         /* NULL: there is none */
  am_name_set persons;    /* of it, by row */
  am_name_set excluded;   /* paths without extension */
  const char **reasons;   /* (excluded) */
} search;

/* Codes of one file, NULL where nothing says; in the dataset's memory. */
typedef struct codes {
  const double *values; /* of the corpus's dimensions */
  const char *at[AM_FIELDS + AM_MOST_TRAITS];
  double start, seconds; /* of a stretch of the file; seconds 0: to its end */
} codes;

/* A path without what the names of sounds and films end with. */
static const char *stem(am_corpus *corpus, const char *name, am_error *err) {
  const char *base = am_path_base(name);
  const bool ends = am_sound_ending_known(base) || am_sound_ending_unread(base);
  const char *dot = ends ? strrchr(name, '.') : name + strlen(name);
  return am_corpus_text(corpus, err, "%.*s", (int)(dot - name), name);
}

/* The table */

static am_status find_columns(search *s, am_error *err) {
  static const struct {
    am_field field;
    am_table_column column;
  } known[] = {{AM_FIELD_LABEL, AM_TABLE_LABEL},
               {AM_FIELD_SPEAKER, AM_TABLE_SPEAKER},
               {AM_FIELD_GROUP, AM_TABLE_GROUP},
               {AM_FIELD_PART, AM_TABLE_PART}};
  am_status status = AM_OK;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) s->column[known[i].field] = known[i].column;
  for (size_t t = 0; t < s->d->n_tables; t++)
    for (size_t i = 0; i < s->d->tables[t].columns.n && !status; i++)
      for (size_t k = 0; k < s->d->n_names && !status; k++)
        if (!strcmp(s->d->names[k], s->d->tables[t].columns.at[i]))
          status = am_csv_need(s->csv, s->d->names[k], &s->column[AM_FIELDS + k], err);
  for (const am_value *v = s->d->dimensions ? s->d->dimensions->first : NULL; v && !status; v = v->next) {
    const char *name = am_corpus_text(s->corpus, err, "%s", v->key);
    const int at = name ? am_corpus_dimension(s->corpus, name) : -1; /* the description has few enough */
    status = at < 0 ? am_no_memory(err) : am_csv_need(s->csv, v->text, &s->dimension[at], err);
    const am_data_options own = {.scale = s->d->scale, .scales = s->d->scales};
    if (!status) s->corpus->scale[at] = am_dimension_scale(&own, name);
  }
  return status;
}

static am_status read_values(search *s, uint32_t row, codes *c, am_error *err) {
  const size_t n = s->corpus->n_dimensions;
  const am_data_options own = {.scale = s->d->scale, .scales = s->d->scales};
  if (!n) return AM_OK;
  double *values = am_tree_take(s->corpus->d->strings, n, sizeof *values);
  if (!values) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) {
    const char *text = am_csv_get(s->csv, row, (size_t)s->dimension[i]);
    const am_scale scale = s->corpus->scale[i];
    if (am_dimension_read(&own, s->corpus->dimensions[i], text, &values[i]))
      return am_csv_fail(s->csv, row, err, "%s is \"%s\", wanted a number from %g to %g, or nothing",
                         am_csv_name(s->csv, (size_t)s->dimension[i]), text, scale.low, scale.high);
  }
  c->values = values;
  return AM_OK;
}

/* Rows of one path are stretches of a file, and else a mistake. */
static am_status add_path(search *s, uint32_t row, uint32_t *last, am_error *err) {
  const char *name = am_csv_get(s->csv, row, AM_TABLE_PATH), *start = am_csv_get(s->csv, row, AM_TABLE_START);
  while (!strncmp(name, "./", 2)) name += 2;
  const char *key = stem(s->corpus, name, err);
  if (!key) return AM_E_NOMEM;
  int before = am_name_set_find(&s->rows, key);
  if (before < 0) {
    if ((before = am_name_set_add(&s->rows, key)) < 0) return am_no_memory(err);
    s->first[before] = last[before] = row;
    return AM_OK;
  }
  if (!*start && !*am_csv_get(s->csv, row, AM_TABLE_SECONDS))
    return am_csv_fail(s->csv, row, err, "%s is listed already, in line %d", name,
                       am_csv_line(s->csv, s->first[before]));
  s->next[last[before]] = row; /* row 0 is nobody's next */
  last[before] = row;
  return AM_OK;
}

static am_status read_table(search *s, am_error *err) {
  am_context *ctx = s->corpus->ctx;
  am_status status = am_description_tables(ctx, s->d, s->corpus->d->root, &s->csv, err);
  if (!status) status = find_columns(s, err);
  if (status) return status;
  const size_t n = am_csv_rows(s->csv);
  uint32_t *last = am_alloc(ctx, n + 1, sizeof *last);
  s->first = am_alloc(ctx, n + 1, sizeof *s->first);
  s->next = am_alloc(ctx, n + 1, sizeof *s->next);
  s->row_used = am_alloc(ctx, n + 1, sizeof *s->row_used);
  if (!last || !s->first || !s->next || !s->row_used) status = am_no_memory(err);
  for (size_t row = 0; row < n && !status; row++) status = add_path(s, (uint32_t)row, last, err);
  am_free(ctx, last);
  return status;
}

/* The path of a file in the table: all of it, or the last parts; -1: it is in none. */
static int look_up(search *s, const char *path) {
  int found = -1;
  for (const char *at = path; at && found < 0; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
    found = am_name_set_find(&s->rows, at);
  if (found >= 0) s->row_used[found] = true;
  return found;
}

/* What a row says goes before the name. */
static am_status read_row(search *s, uint32_t row, const char *path, codes *c, am_error *err) {
  for (int f = 0; f < AM_FIELDS + AM_MOST_TRAITS; f++) {
    const char *text = s->column[f] < 0 ? "" : am_csv_get(s->csv, row, (size_t)s->column[f]);
    if (*text && !(c->at[f] = am_corpus_text(s->corpus, err, "%s", text))) return AM_E_NOMEM;
  }
  if (!c->at[AM_FIELD_LABEL] && s->o->target != AM_TARGET_DIMENSIONS)
    return am_csv_fail(s->csv, row, err, "the label of %s is empty", path);
  am_status status = am_csv_real(s->csv, row, AM_TABLE_START, &c->start, err);
  if (!status) status = am_csv_real(s->csv, row, AM_TABLE_SECONDS, &c->seconds, err);
  if (!(c->start > 0)) c->start = 0; /* NaN: not said */
  if (!(c->seconds > 0)) c->seconds = 0;
  return status ? status : read_values(s, row, c, err);
}

/* Who the speakers are. */

static am_status read_people(search *s, am_error *err) {
  const am_description_people *is = &s->d->people;
  int code, column;
  if (!s->d->people_map) return AM_OK;
  am_status status = am_table_read(s->corpus->ctx, s->corpus->d->root, is->file, "table of people", &s->people, err);
  if (!status) status = am_csv_need(s->people, is->speaker, &code, err);
  for (size_t i = 0; i < is->columns.n && !status; i++)
    status = am_csv_need(s->people, is->columns.at[i], &column, err);
  for (size_t row = 0; !status && row < am_csv_rows(s->people); row++) {
    const char *name = am_csv_get(s->people, row, (size_t)code);
    if (am_name_set_find(&s->persons, name) >= 0) status = am_csv_fail(s->people, row, err, "%s is listed twice", name);
    else if (am_name_set_add(&s->persons, name) < 0) status = am_no_memory(err);
  }
  return status;
}

static am_status put_person(search *s, codes *c, am_error *err) {
  const char *code = c->at[AM_FIELD_SPEAKER];
  const int row = code && s->people ? am_name_set_find(&s->persons, code) : -1;
  for (size_t k = 0; k < s->d->n_names && row >= 0; k++) {
    const int column = am_csv_column(s->people, s->d->names[k]);
    const char *text = column < 0 || c->at[AM_FIELDS + k] ? "" : am_csv_get(s->people, (size_t)row, (size_t)column);
    bool named = false;
    for (size_t i = 0; i < s->d->people.columns.n; i++) named |= !strcmp(s->d->people.columns.at[i], s->d->names[k]);
    if (named && *text && !(c->at[AM_FIELDS + k] = am_corpus_text(s->corpus, err, "%s", text))) return AM_E_NOMEM;
  }
  return AM_OK;
}

static am_status report_rows(search *s, am_error *err) {
  am_status status = AM_OK;
  for (size_t row = 0; s->csv && row < s->rows.n && !status; row++)
    if (!s->row_used[row])
      status = am_corpus_leave_out(s->corpus, "row of the table without a file", s->rows.at[row], err);
  return status;
}

/* Names */

static am_status match(search *s, const char *path, codes *c, bool *matched, const char **part, am_error *err) {
  const am_description *d = s->d;
  *matched = !d->files.n;
  *part = path;
  for (size_t i = 0; i < d->files.n; i++) {
    size_t start, length;
    am_status status = am_pattern_match(d->patterns[i], path, matched, &start, err);
    if (status) return am_error_prefix(err, "%s: files, pattern %zu", d->name, i + 1), status;
    if (!*matched) continue;
    *part = path + start;
    for (size_t g = 0; am_pattern_group(d->patterns[i], g); g++) {
      if (!am_pattern_caught(d->patterns[i], g, &start, &length) || !length) continue;
      c->at[d->fields[i][g]] = am_corpus_text(s->corpus, err, "%.*s", (int)length, path + start);
      if (!c->at[d->fields[i][g]]) return AM_E_NOMEM;
    }
    return AM_OK;
  }
  return AM_OK;
}

/* A code as a number: by the map, by its digits, else in the order they come. 0: nothing said. */
static am_status number(const am_value *map, am_name_set *set, const char *code, int *out, am_error *err) {
  int64_t value;
  *out = 0;
  if (!code) return AM_OK;
  const am_value *v = am_value_get(map, code);
  if (v ? am_value_to_int(v, &value) : am_text_to_int(code, &value) && value >= 0 && value <= INT32_MAX) {
    *out = (int)value;
    return AM_OK;
  }
  *out = am_name_set_add(set, code) + 1;
  return *out ? AM_OK : am_no_memory(err);
}

static am_status fill_numbers(search *s, const codes *c, am_entry *e, am_error *err) {
  am_status status = number(s->d->intensities, &s->intensities, c->at[AM_FIELD_INTENSITY], &e->intensity, err);
  if (!status) status = number(NULL, &s->texts, c->at[AM_FIELD_TEXT], &e->statement, err);
  if (!status) status = number(NULL, &s->takes, c->at[AM_FIELD_TAKE], &e->repetition, err);
  return status;
}

static am_part part_of(const search *s, const char *word) {
  static const struct {
    const char *word;
    am_part part;
  } words[] = {{"train", AM_PART_TRAIN},    {"validation", AM_PART_VALIDATION}, {"valid", AM_PART_VALIDATION},
               {"val", AM_PART_VALIDATION}, {"dev", AM_PART_VALIDATION},        {"test", AM_PART_TEST}};
  const am_value *meaning = word ? am_value_get(s->d->parts, word) : NULL;
  if (meaning) word = meaning->text; /* NULL: in none */
  for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
    if (!strcasecmp(word, words[i].word)) return words[i].part;
  return AM_PART_NONE;
}

/* What the codes of a trait mean. */
static am_status put_trait(search *s, const char *trait, const char *code, am_entry *e, am_error *err) {
  const am_value *meaning = am_value_get(am_value_get(s->d->traits, trait), code);
  const char *name = am_corpus_text(s->corpus, err, "%s", trait); /* the description goes before the corpus */
  const char *value = am_corpus_text(s->corpus, err, "%s", meaning ? meaning->text : code);
  if (!name || !value) return AM_E_NOMEM;
  int at = am_corpus_trait(s->corpus, name);
  if (at >= 0) e->traits[at] = value;
  return AM_OK;
}

static am_status fill_traits(search *s, const codes *c, am_entry *e, am_error *err) {
  static const struct {
    am_field field;
    const char *name;
  } known[] = {{AM_FIELD_SESSION, "session"},
               {AM_FIELD_GROUP, "group"},
               {AM_FIELD_TEXT, "text"},
               {AM_FIELD_INTENSITY, "intensity"}};
  am_status status = AM_OK;
  for (size_t i = 0; i < s->d->n_names && !status; i++)
    if (c->at[AM_FIELDS + i]) status = put_trait(s, s->d->names[i], c->at[AM_FIELDS + i], e, err);
  for (size_t i = 0; i < sizeof known / sizeof *known && !status; i++)
    if (c->at[known[i].field]) status = put_trait(s, known[i].name, c->at[known[i].field], e, err);
  return status;
}

static am_status add(search *s, const char *name, const codes *c, const char *label, am_error *err) {
  am_corpus *corpus = s->corpus;
  const char *code = c->at[AM_FIELD_SPEAKER];
  const am_value *speaker = code ? am_value_get(s->d->speakers, code) : NULL;
  am_entry e = {.name = am_corpus_text(corpus, err, "%s", name),
                .path = am_corpus_text(corpus, err, "%s/%s", corpus->d->root, name),
                .label = am_corpus_text(corpus, err, "%s", label),
                .group = c->at[AM_FIELD_GROUP] ? c->at[AM_FIELD_GROUP] : c->at[AM_FIELD_SESSION],
                .utterance = c->at[AM_FIELD_UTTERANCE],
                .values = c->values,
                .start = c->start,
                .seconds = c->seconds,
                .part = part_of(s, c->at[AM_FIELD_PART])};
  if (speaker && speaker->kind == AM_NULL) code = NULL;
  if (code) e.speaker = am_corpus_text(corpus, err, "%s%s", s->d->speaker_prefix, speaker ? speaker->text : code);
  if (!e.name || !e.path || !e.label || (code && !e.speaker)) return AM_E_NOMEM;
  if (e.speaker && am_name_set_add(&s->speakers, e.speaker) < 0) return am_no_memory(err);
  am_status status = fill_numbers(s, c, &e, err);
  if (!status) status = fill_traits(s, c, &e, err);
  return status ? status : am_corpus_add(corpus, &e, err);
}

/* The label of a code, and else why there is none. */
static am_status read_label(search *s, const char *name, const codes *c, am_error *err) {
  char reason[320];
  const char *code = c->at[AM_FIELD_LABEL];
  const am_value *v = code ? am_value_get(s->d->labels, code) : NULL;
  const bool needed = s->o->target != AM_TARGET_DIMENSIONS;
  if (!code && !needed) return add(s, name, c, AM_UNLABELLED, err);
  if (!code) return am_corpus_leave_out(s->corpus, "the name gives no label", name, err);
  if (!s->d->labels) return add(s, name, c, code, err);
  if (v && v->kind == AM_SCALAR) return add(s, name, c, v->text, err);
  if (!needed) return add(s, name, c, AM_UNLABELLED, err);
  snprintf(reason, sizeof reason,
           v ? "label code \"%.200s\" is left out by the description"
             : "label code \"%.200s\" is not among the description's labels",
           code);
  return am_corpus_leave_out(s->corpus, reason, name, err);
}

static am_status add_clip(search *s, const char *name, codes *c, am_error *err) {
  am_status status = put_person(s, c, err);
  return status ? status : read_label(s, name, c, err);
}

static am_status read_exclusions(search *s, am_error *err) {
  const am_value *map = s->d->exclude;
  if (!map || !map->first) return AM_OK;
  s->reasons = am_alloc(s->corpus->ctx, map->count, sizeof *s->reasons);
  if (!s->reasons) return am_no_memory(err);
  for (const am_value *v = map->first; v; v = v->next) {
    const char *key = stem(s->corpus, v->key, err);
    int k = key ? am_name_set_add(&s->excluded, key) : -1;
    if (k < 0) return am_no_memory(err);
    if (!s->reasons[k]) s->reasons[k] = v->text;
  }
  return AM_OK;
}

/* Why a file is left out, by its path or the last parts of it; NULL: it is not. */
static const char *exclusion(const search *s, const char *path) {
  int first = -1;
  for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
    int k = am_name_set_find(&s->excluded, at);
    if (k >= 0 && (first < 0 || k < first)) first = k;
  }
  return first < 0 ? NULL : s->reasons[first];
}

static am_status on_file(void *user, const char *name, am_error *err) {
  search *s = user;
  am_corpus *corpus = s->corpus;
  const char *base = am_path_base(name), *dot = strrchr(base, '.'), *part;
  codes c = {0};
  bool matched = false;
  int listed = -1;
  if (!strcmp(base, "SYNTHETIC")) corpus->d->synthetic = true;
  if (dot && !strcasecmp(dot, ".zip") && !*s->archive) snprintf(s->archive, sizeof s->archive, "%s", name);
  const bool film = !am_sound_ending_known(base);
  if (film && !(s->csv && am_sound_ending_unread(base))) return AM_OK; /* a film counts where the table names it */
  if (!strncmp(base, "._", 2)) return am_corpus_leave_out(corpus, "AppleDouble file (._*), not a sound", name, err);
  if (am_utf8_wrong(name)) return am_corpus_leave_out(corpus, "name is not UTF-8", name, err);
  const char *path = stem(corpus, name, err);
  am_status status = path ? match(s, path, &c, &matched, &part, err) : AM_E_NOMEM;
  if (!status && s->csv && matched) listed = look_up(s, path);
  if (!status && film && listed < 0) return AM_OK;
  if (!status && !matched) return am_corpus_leave_out(corpus, "name matches no pattern of the description", name, err);
  if (!status && s->csv && listed < 0) return am_corpus_leave_out(corpus, "not in the table", name, err);
  if (status) return status;
  s->matched++;
  const char *reason = exclusion(s, path);
  if (reason) {
    char text[320];
    snprintf(text, sizeof text, "excluded: %.300s", reason);
    return am_corpus_leave_out(corpus, text, name, err);
  }
  if (s->d->unique && am_name_set_find(&s->seen, part) >= 0)
    return am_corpus_leave_out(corpus, "copy of a clip that was found already", name, err);
  if (s->d->unique && am_name_set_add(&s->seen, part) < 0) return am_no_memory(err);
  if (listed < 0) return add_clip(s, name, &c, err);
  uint32_t row = s->first[listed];
  do {
    codes own = c;
    status = read_row(s, row, path, &own, err);
    if (!status) status = add_clip(s, name, &own, err);
    row = s->next[row];
  } while (row && !status);
  return status;
}

/* Such a thing is no sound even under a clip's name, and reading it might never end. */
static am_status on_special(void *user, const char *name, am_error *err) {
  search *s = user;
  return am_corpus_leave_out(s->corpus, "a pipe or a device, not a file", name, err);
}

/* What is known of the corpus */

static am_status describe(search *s, am_error *err) {
  am_corpus *corpus = s->corpus;
  am_dataset *out = corpus->d;
  const am_description *d = s->d;
  out->corpus = am_corpus_text(corpus, err, "%s", d->name);
  if (!out->synthetic) out->identity = am_corpus_text(corpus, err, "%s", *d->part_of ? d->part_of : d->name);
  out->title = am_corpus_text(corpus, err, "%s", d->title);
  out->licence = am_corpus_text(corpus, err, "%s", d->licence);
  out->citation = am_corpus_text(corpus, err, "%s", d->citation);
  out->language = am_corpus_text(corpus, err, "%s", d->language);
  if (d->folds && d->folds->first && !(out->folds = am_value_copy(out->strings, d->folds))) return am_no_memory(err);
  return out->corpus && (out->identity || out->synthetic) && out->title && out->licence && out->citation &&
                 out->language
             ? AM_OK
             : AM_E_NOMEM;
}

/* Labels in the order of the map, speakers of the folds: of those some may have no clip here. */
static am_status list_names(search *s, am_error *err) {
  am_corpus *corpus = s->corpus;
  am_name_set known = {.ctx = corpus->ctx};
  am_status status = AM_OK;
  for (const am_value *v = s->d->labels ? s->d->labels->first : NULL; v && !status; v = v->next)
    if (v->kind == AM_SCALAR && am_name_set_add(&s->labels, v->text) < 0) status = am_no_memory(err);
  for (const am_value *f = corpus->d->folds ? corpus->d->folds->first : NULL; f && !status; f = f->next)
    for (const am_value *v = f->first; v && !status; v = v->next)
      if (am_name_set_add(&known, v->text) < 0) status = am_no_memory(err);
  const char **labels = am_tree_take(corpus->d->strings, s->labels.n + 1, sizeof *labels);
  const char **speakers = am_tree_take(corpus->d->strings, known.n + 1, sizeof *speakers);
  if (!status && (!labels || !speakers)) status = am_no_memory(err);
  for (size_t i = 0; i < s->labels.n && !status; i++)
    if (!(labels[i] = am_corpus_text(corpus, err, "%s", s->labels.at[i]))) status = AM_E_NOMEM;
  for (size_t i = 0; i < known.n && !status; i++) speakers[i] = known.at[i]; /* texts of the copied folds */
  if (!status && s->labels.n) {
    corpus->labels = labels;
    corpus->n_labels = s->labels.n;
  }
  corpus->speakers = speakers;
  corpus->n_speakers = status ? 0 : known.n;
  am_name_set_free(&known);
  return status;
}

/* Warns when the counts are not those of the complete corpus; nothing stops, parts of a corpus are useful. */
static am_status check_counts(search *s, am_error *err) {
  const am_description_expected *x = &s->d->expected;
  am_context *ctx = s->corpus->ctx;
  am_buffer text = {0};
  size_t n = s->corpus->n;
  am_name_set labels = {.ctx = ctx};
  if (s->corpus->d->synthetic) return AM_OK;
  for (const am_value *v = x->labels ? x->labels->first : NULL; v; v = v->next)
    if (am_name_set_add(&labels, v->key) < 0) text.failed = true;
  size_t *found = am_alloc(ctx, labels.n + 1, sizeof *found);
  for (size_t i = 0; found && i < n; i++) {
    int k = am_name_set_find(&labels, s->corpus->at[i].label);
    if (k >= 0) found[k]++;
  }
  if (x->clips && (size_t)x->clips != n) am_buffer_printf(ctx, &text, ", %zu clips of %lld", n, (long long)x->clips);
  for (const am_value *v = x->labels ? x->labels->first : NULL; v && found && !text.failed; v = v->next) {
    int64_t wanted = 0;
    size_t there = found[am_name_set_find(&labels, v->key)];
    if (am_value_to_int(v, &wanted) && (size_t)wanted != there)
      am_buffer_printf(ctx, &text, ", %s %zu of %s", v->key, there, v->text);
  }
  am_name_set_free(&labels);
  if (x->speakers && (size_t)x->speakers != s->speakers.n)
    am_buffer_printf(ctx, &text, ", %zu speakers of %lld", s->speakers.n, (long long)x->speakers);
  const bool failed = text.failed || !found;
  if (text.data && !failed)
    am_log(ctx, AM_LOG_WARNING, "%s: other counts than the complete corpus has: %s", s->d->name, text.data + 2);
  am_buffer_free(ctx, &text);
  am_free(ctx, found);
  return failed ? am_no_memory(err) : AM_OK;
}

static am_status fail_nothing(const search *s, const am_walk *walk, am_error *err) {
  char more[256] = "";
  const am_corpus *c = s->corpus;
  if (*s->archive) snprintf(more, sizeof more, "; unpack %s first", s->archive);
  else if (c->n_left_out)
    snprintf(more, sizeof more, "; %zu left out: %s, e.g. %.100s", c->left_out[0].count, c->left_out[0].reason,
             c->left_out[0].example);
  return am_fail(err, AM_E_DATA,
                 "%s: no clip of %s: looked to %d folders deep for sound files %s%s%s, found %zu files%s%s "
                 "in %zu folders%s; set data.root%s%s",
                 c->d->root, s->d->title, AM_WALK_DEPTH, s->d->files.n ? "named like " : "that its table names",
                 s->d->files.n ? s->d->files.at[0] : "", s->d->files.n > 1 ? " (and more patterns)" : "", walk->files,
                 *walk->first_file ? " such as " : "", walk->first_file, walk->folders, more,
                 *s->d->home ? "; to be had from " : "", s->d->home);
}

static am_status run(search *s, am_error *err) {
  am_corpus *corpus = s->corpus;
  am_walk walk = {.ctx = corpus->ctx, .root = corpus->d->root, .file = on_file, .special = on_special, .user = s};
  am_status status = s->d->n_tables ? read_table(s, err) : AM_OK;
  if (!status) status = read_people(s, err);
  if (!status) status = read_exclusions(s, err);
  if (!status) status = am_walk_run(&walk, err);
  if (!status) status = report_rows(s, err);
  if (status) return status;
  if (!s->matched) return fail_nothing(s, &walk, err);
  status = am_corpus_find_mark(corpus, err);
  if (!status) status = describe(s, err);
  if (!status) status = list_names(s, err);
  if (!status) status = check_counts(s, err);
  return status;
}

static am_status check_root(am_corpus *corpus, const am_data_options *o, const am_description *d, am_error *err) {
  const char *wanted = am_corpus_text(corpus, err, "that holds %s", d->title);
  const char *more = am_corpus_text(corpus, err, "%s%s", *d->home ? ", to be had from " : "", d->home);
  return wanted && more ? am_corpus_root(corpus, o->root, wanted, more, err) : AM_E_NOMEM;
}

static am_status load_described(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_description *d = NULL;
  if (!*o->description)
    return am_fail(err, AM_E_CONFIG,
                   "data.description is not set: wanted the YAML file that describes the corpus, such as "
                   "datasets/emodb.yaml");
  am_status status = am_description_load(corpus->ctx, o->description, &d, err);
  if (!status) status = check_root(corpus, o, d, err);
  if (!status) {
    am_context *ctx = corpus->ctx;
    search s = {.corpus = corpus,
                .o = o,
                .d = d,
                .seen = {.ctx = ctx},
                .labels = {.ctx = ctx},
                .speakers = {.ctx = ctx},
                .texts = {.ctx = ctx},
                .excluded = {.ctx = ctx},
                .intensities = {.ctx = ctx},
                .takes = {.ctx = ctx},
                .persons = {.ctx = ctx},
                .rows = {.ctx = ctx}};
    for (int f = 0; f < AM_FIELDS + AM_MOST_TRAITS; f++) s.column[f] = -1;
    status = run(&s, err);
    am_name_set *sets[] = {&s.seen,  &s.labels, &s.speakers, &s.texts,  &s.intensities,
                           &s.takes, &s.rows,   &s.excluded, &s.persons};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) am_name_set_free(sets[i]);
    am_csv_free(s.csv);
    am_csv_free(s.people);
    am_free(ctx, s.first);
    am_free(ctx, s.next);
    am_free(ctx, s.row_used);
    am_free(ctx, s.reasons);
  }
  am_description_free(d);
  return status;
}

#define AT(member) offsetof(am_data_options, member)
static const am_option own_table[] = {{"description", AM_OPT_TEXT, AT(description), "", 0, 0, NULL,
                                       "YAML file that describes the corpus, e.g. datasets/emodb.yaml"},
                                      AM_OPTION_END};
#undef AT

const am_corpus_class am_corpus_described = {
    .is = {"described", "labels in the names, or in a table: a YAML file says how (datasets/*.yaml)", own_table},
    .load = load_described,
};
