/* data/corpora/manifest.c - any corpus in any language: a CSV file that names its
 * clips.  Columns: path and label; speaker, split, group, start, seconds,
 * utterance when there are any.  Other columns are traits of the clips. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/value.h"
#include "data/corpora/corpus.h"
#include "data/names.h"
#include "data/places.h"
#include "io/csv.h"

typedef struct manifest {
  am_corpus *corpus;
  am_csv *csv;
  const char *file;
  char *folder; /* of the manifest: paths are relative to it, or to the root */
  int path, label, speaker, split, group, start, seconds, utterance; /* columns, -1 absent */
  int trait[AM_MOST_TRAITS];                                         /* columns of the traits */
  am_place_set seen;                                                 /* of every row: a clip is listed once */
  am_name_set texts; /* labels, speakers and the like, which many rows share */
} manifest;

static const char *field(const manifest *m, size_t row, int column) {
  return column < 0 ? "" : am_csv_get(m->csv, row, (size_t)column);
}

static const char *kept(manifest *m, const char *text, am_error *err) {
  const char *copy = am_tree_string(m->corpus->d->strings, text);
  if (!copy) am_no_memory(err);
  return copy;
}

/* The column's text, NULL when empty or absent. */
static const char *text_of(manifest *m, size_t row, int column, am_error *err) {
  const char *text = field(m, row, column);
  return *text ? kept(m, text, err) : NULL;
}

/* The same where other rows will have it, too. */
static const char *shared_text(manifest *m, size_t row, int column, am_error *err) {
  const char *text = field(m, row, column);
  const int known = am_name_set_find(&m->texts, text);
  if (known >= 0) return m->texts.at[known];
  text = text_of(m, row, column, err);
  if (text && am_name_set_add(&m->texts, text) < 0) am_no_memory(err);
  return text;
}

static am_status read_seconds(const manifest *m, size_t row, int column, double *out, am_error *err) {
  const char *text = field(m, row, column);
  *out = 0;
  if (!*text || (am_text_to_real(text, out) && *out >= 0 && *out < 1e9)) return AM_OK;
  return am_csv_fail(m->csv, row, err, "%s is \"%s\", wanted seconds such as 1.25", am_csv_name(m->csv, (size_t)column),
                     text);
}

static am_status read_part(const manifest *m, size_t row, am_part *out, am_error *err) {
  static const struct {
    const char *word;
    am_part part;
  } words[] = {{"train", AM_PART_TRAIN},
               {"training", AM_PART_TRAIN},
               {"validation", AM_PART_VALIDATION},
               {"valid", AM_PART_VALIDATION},
               {"val", AM_PART_VALIDATION},
               {"dev", AM_PART_VALIDATION},
               {"development", AM_PART_VALIDATION},
               {"test", AM_PART_TEST},
               {"testing", AM_PART_TEST},
               {"eval", AM_PART_TEST}};
  const char *text = field(m, row, m->split);
  *out = AM_PART_NONE;
  if (!*text) return AM_OK;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strcasecmp(text, words[i].word)) {
      *out = words[i].part;
      return AM_OK;
    }
  return am_csv_fail(m->csv, row, err, "split is \"%s\", wanted train, validation, test, or nothing", text);
}

/* Beside the manifest, else below the root; NULL when the file is in neither place or memory is out. */
static const char *locate(manifest *m, const char *name, am_file_id *id, am_error *err) {
  const char *folders[] = {m->folder, m->corpus->d->root};
  const char *out = NULL;
  for (int i = 0; i < 2 && !out; i++) {
    char *path = am_path_join(m->corpus->ctx, folders[i], name);
    if (!path) am_no_memory(err);
    else if (am_file_exists_as(path, id)) out = kept(m, path, err);
    am_free(m->corpus->ctx, path);
  }
  return out;
}

static am_status fail_absent(const manifest *m, size_t row, const char *name, am_error *err) {
  if (*name == '/') return am_csv_fail(m->csv, row, err, "no file %s", name);
  return am_csv_fail(m->csv, row, err, "no file %s in %s%s%s", name, *m->folder ? m->folder : ".",
                     strcmp(m->folder, m->corpus->d->root) ? " or " : "",
                     strcmp(m->folder, m->corpus->d->root) ? m->corpus->d->root : "");
}

/* One file has many names (a/../b, links). */
static am_status check_twice(manifest *m, size_t row, const am_file_id *id, const am_entry *e, am_error *err) {
  const am_place place = am_place_in(id, e->start, e->seconds);
  size_t before = row;
  am_status status = am_place_set_add(&m->seen, &place, row, &before, err);
  if (status || before == row) return status;
  const char *name = field(m, before, m->path);
  bool same = !strcmp(name, e->name);
  return am_csv_fail(m->csv, row, err, "%s is listed already, in line %d%s%s", e->name, am_csv_line(m->csv, before),
                     same ? "" : ", as ", same ? "" : name);
}

static am_status read_row(manifest *m, size_t row, am_error *err) {
  am_error why = AM_ERROR_INIT; /* of the calls that give NULL both for "nothing" and for no memory */
  am_entry e = {.name = text_of(m, row, m->path, &why),
                .label = shared_text(m, row, m->label, &why),
                .speaker = shared_text(m, row, m->speaker, &why),
                .group = shared_text(m, row, m->group, &why),
                .utterance = text_of(m, row, m->utterance, &why),
                .line = am_csv_line(m->csv, row)};
  for (size_t k = 0; k < m->corpus->n_traits; k++) e.traits[k] = shared_text(m, row, m->trait[k], &why);
  if (why.status) return am_no_memory(err);
  if (!e.name) return am_csv_fail(m->csv, row, err, "path is empty");
  if (!e.label) return am_csv_fail(m->csv, row, err, "label is empty for %s", e.name);
  am_file_id id;
  e.path = locate(m, e.name, &id, &why);
  if (why.status) return am_no_memory(err);
  if (!e.path) return fail_absent(m, row, e.name, err);
  am_status status = read_part(m, row, &e.part, err);
  if (!status) status = read_seconds(m, row, m->start, &e.start, err);
  if (!status) status = read_seconds(m, row, m->seconds, &e.seconds, err);
  if (!status) status = check_twice(m, row, &id, &e, err);
  return status ? status : am_corpus_add(m->corpus, &e, err);
}

/* The group, and every column that is nothing else. */
static am_status find_traits(manifest *m, am_error *err) {
  static const char *const known[] = {"path", "label", "speaker", "split", "start", "seconds", "utterance"};
  for (size_t i = 0; i < am_csv_columns(m->csv); i++) {
    const char *name = am_csv_name(m->csv, i);
    size_t k = 0;
    while (k < sizeof known / sizeof *known && strcmp(known[k], name)) k++;
    if (k < sizeof known / sizeof *known || !*name) continue;
    const char *copy = am_corpus_text(m->corpus, err, "%s", name); /* the table goes before the corpus */
    if (!copy) return AM_E_NOMEM;
    int trait = am_corpus_trait(m->corpus, copy);
    if (trait >= 0) m->trait[trait] = (int)i;
    else
      am_log(m->corpus->ctx, AM_LOG_INFO, "%s: column %s is left alone: %d others are kept already", m->file, name,
             (int)AM_MOST_TRAITS);
  }
  return AM_OK;
}

static am_status read_rows(manifest *m, am_error *err) {
  am_status status = am_csv_need(m->csv, "path", &m->path, err);
  if (!status) status = am_csv_need(m->csv, "label", &m->label, err);
  if (status) return status;
  m->speaker = am_csv_column(m->csv, "speaker");
  m->split = am_csv_column(m->csv, "split");
  m->group = am_csv_column(m->csv, "group");
  m->start = am_csv_column(m->csv, "start");
  m->seconds = am_csv_column(m->csv, "seconds");
  m->utterance = am_csv_column(m->csv, "utterance");
  if ((status = find_traits(m, err))) return status;
  if (!am_csv_rows(m->csv)) return am_fail(err, AM_E_DATA, "%s: no clips, only a header; wanted a row a clip", m->file);
  for (size_t row = 0; row < am_csv_rows(m->csv) && !status; row++) status = read_row(m, row, err);
  return status;
}

/* Which file, and the folder that relative paths start from. */
static am_status find_file(manifest *m, const am_data_options *o, am_error *err) {
  am_corpus *corpus = m->corpus;
  if (!*o->root && !*o->manifest)
    return am_fail(err, AM_E_CONFIG,
                   "data.manifest is not set: wanted a CSV file with the columns path, label, speaker");
  m->file = *o->manifest ? o->manifest : am_corpus_text(corpus, err, "%s/manifest.csv", o->root);
  if (!m->file) return AM_E_NOMEM;
  if (!am_file_exists(m->file))
    return am_fail(err, AM_E_DATA, "%s: %s; wanted a CSV file with the columns path, label, speaker (data.manifest)",
                   m->file, am_folder_exists(m->file) ? "a folder" : "no such file");
  size_t n = (size_t)(am_path_base(m->file) - m->file);
  m->folder = am_format(corpus->ctx, "%.*s", (int)(n > 1 ? n - 1 : n), m->file);
  if (!m->folder) return am_no_memory(err);
  corpus->d->root = am_corpus_text(corpus, err, "%s", *o->root ? o->root : *m->folder ? m->folder : ".");
  return corpus->d->root ? AM_OK : AM_E_NOMEM;
}

/* What the config says of the clips; the file itself has no place for it. */
static am_status describe(am_corpus *corpus, const am_data_options *o, const char *file, am_error *err) {
  am_dataset *d = corpus->d;
  d->title = am_corpus_text(corpus, err, "%s", o->title && *o->title ? o->title : am_path_base(file));
  if (d->title && o->licence && *o->licence && !(d->licence = am_corpus_text(corpus, err, "%s", o->licence)))
    return AM_E_NOMEM;
  if (d->title && o->citation && *o->citation && !(d->citation = am_corpus_text(corpus, err, "%s", o->citation)))
    return AM_E_NOMEM;
  return d->title ? AM_OK : AM_E_NOMEM;
}

static am_status load_manifest(am_corpus *corpus, const am_data_options *o, am_error *err) {
  manifest m = {.corpus = corpus, .seen = {.ctx = corpus->ctx}, .texts = {.ctx = corpus->ctx}};
  am_status status = find_file(&m, o, err);
  if (!status) status = am_csv_read_file(corpus->ctx, m.file, 0, &m.csv, err);
  if (!status) {
    corpus->list = m.file;
    status = describe(corpus, o, m.file, err);
  }
  if (!status) status = read_rows(&m, err);
  corpus->distinct = true;
  if (!status) status = am_corpus_find_mark(corpus, err);
  am_csv_free(m.csv);
  am_place_set_free(&m.seen);
  am_name_set_free(&m.texts);
  am_free(corpus->ctx, m.folder);
  return status;
}

#define AT(member) offsetof(am_data_options, member)
static const am_option own_table[] = {
    {"manifest", AM_OPT_TEXT, AT(manifest), "", 0, 0, NULL, "CSV file of clips; default <root>/manifest.csv"},
    {"title", AM_OPT_TEXT, AT(title), "", 0, 0, NULL,
     "what the clips are, for results and checkpoints; default: the file's name"},
    {"licence", AM_OPT_TEXT, AT(licence), "", 0, 0, NULL, "of the clips, which every checkpoint trained on them names"},
    {"citation", AM_OPT_TEXT, AT(citation), "", 0, 0, NULL, "whom those who pass such a checkpoint on have to name"},
    AM_OPTION_END};
#undef AT

const am_corpus_class am_corpus_manifest = {
    .is = {"manifest", "a CSV file with the columns path, label, speaker and more", own_table},
    .load = load_manifest,
};
