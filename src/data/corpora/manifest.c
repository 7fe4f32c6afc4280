/* SPDX-License-Identifier: MIT */
/* data/corpora/manifest.c - any corpus in any language: a list that names its
 * clips, as AudioMood's own CSV file or as that of another program (list.h).
 * Columns: path and label; speaker, split, group, start, seconds, utterance
 * when there are any, and those of data.dimensions.  Other columns are traits of the clips. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/value.h"
#include "data/corpora/corpus.h"
#include "data/corpora/list.h"
#include "data/dimensions.h"
#include "data/names.h"
#include "data/places.h"
#include "io/csv.h"

typedef struct manifest {
  am_corpus *corpus;
  const am_data_options *o;
  am_list list;      /* whose relative paths start from its folder, or from the root */
  const am_csv *csv; /* its table */
  const char *file;
  int path, label, speaker, split, group, start, seconds, utterance; /* columns, -1 absent */
  int trait[AM_MOST_TRAITS];                                         /* columns of the traits */
  int dimension[AM_MOST_DIMENSIONS];                                 /* and of the dimensions */
  am_place_set seen;                                                 /* of every row: a clip is listed once */
  int corrected, labelled_by;                                        /* a column, and a trait; -1 absent */
  bool uncorrected_out;
  size_t by_person, by_model; /* labels, where there is such a column */
  am_name_set texts;          /* labels, speakers and the like, which many rows share */
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
  const char *folders[] = {m->list.folder, m->corpus->d->root};
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
  const char *folder = m->list.folder, *root = m->corpus->d->root;
  const bool two = strcmp(folder, root) && strcmp(*folder ? folder : ".", root);
  const char *more = m->list.foreign && !two ? "; data.root says where its relative paths start from" : "";
  return am_csv_fail(m->csv, row, err, "no file %s in %s%s%s%s", name, *folder ? folder : ".", two ? " or " : "",
                     two ? root : "", more);
}

/* ---- labels of a model that a person went through ---- */

/* Blanks around it are not of the label. */
static const char *trimmed(const manifest *m, size_t row, size_t *n) {
  const char *text = field(m, row, m->corrected);
  text += strspn(text, " \t");
  *n = strlen(text);
  while (*n && strchr(" \t\r\n", text[*n - 1])) --*n;
  return text;
}

/* What a person wrote over the label of a model, and who the label is of; *why (NULL: it counts) is why the clip does not. */
static am_status correct(manifest *m, size_t row, am_entry *e, const char **why, am_error *err) {
  size_t n;
  const char *text = trimmed(m, row, &n);
  *why = n == 1 && *text == '-'     ? "a person left it out (-)"
         : !n && m->uncorrected_out ? "nobody corrected its label (data.uncorrected)"
                                    : NULL;
  if (n && !*why) {
    e->label = am_corpus_text(m->corpus, err, "%.*s", (int)n, text);
    if (!e->label) return AM_E_NOMEM;
  }
  if (m->labelled_by >= 0) e->traits[m->labelled_by] = n ? "person" : "model";
  m->by_person += n && !*why;
  m->by_model += !n && !*why;
  return AM_OK;
}

/* A class may well be new to the model; mostly it is a slip of the hand. */
static am_status say_new_labels(manifest *m, am_error *err) {
  am_name_set labels = {.ctx = m->corpus->ctx}, said = {.ctx = m->corpus->ctx};
  am_status status = AM_OK;
  for (size_t row = 0; row < am_csv_rows(m->csv) && !status; row++)
    if (am_name_set_add(&labels, field(m, row, m->label)) < 0) status = am_no_memory(err);
  for (size_t row = 0; row < am_csv_rows(m->csv) && !status; row++) {
    size_t n;
    const char *text = trimmed(m, row, &n);
    char *word = am_format(m->corpus->ctx, "%.*s", (int)n, text);
    if (!word) status = am_no_memory(err);
    else if (n && strcmp(word, "-") && am_name_set_find(&labels, word) < 0 && am_name_set_find(&said, text) < 0) {
      const char *near = am_nearest(word, labels.at, labels.n, sizeof *labels.at);
      am_log(m->corpus->ctx, AM_LOG_WARNING, "%s:%d: \"%s\" is a new label, which no row has in the column label%s%s%s",
             m->file, am_csv_line(m->csv, row), word, near ? "; did you mean \"" : "", near ? near : "",
             near ? "\"?" : "");
      if (am_name_set_add(&said, text) < 0) status = am_no_memory(err);
    }
    am_free(m->corpus->ctx, word);
  }
  am_name_set_free(&labels);
  am_name_set_free(&said);
  return status;
}

/* The column `corrected` makes it such a list; the numbers beside it are of the model. */
static am_status find_corrected(manifest *m, const am_data_options *o, am_error *err) {
  m->corrected = m->list.foreign ? -1 : am_csv_column(m->csv, "corrected");
  m->labelled_by = -1;
  m->uncorrected_out = o->uncorrected == AM_UNCORRECTED_LEAVE_OUT;
  if (m->uncorrected_out && m->corrected < 0)
    return am_fail(err, AM_E_CONFIG, "%s: no column \"corrected\", and data.uncorrected is leave_out", m->file);
  return AM_OK;
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

static am_status read_values(manifest *m, size_t row, am_entry *e, am_error *err) {
  const size_t n = m->corpus->n_dimensions;
  if (!n) return AM_OK;
  double *values = am_tree_take(m->corpus->d->strings, n, sizeof *values);
  if (!values) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) {
    const char *text = field(m, row, m->dimension[i]), *name = m->corpus->dimensions[i];
    const char *wrong = am_dimension_read(m->o, name, text, &values[i]);
    if (wrong)
      return am_csv_fail(m->csv, row, err, "%s is \"%s\", %s", am_csv_name(m->csv, (size_t)m->dimension[i]), text,
                         wrong);
  }
  e->values = values;
  return AM_OK;
}

static am_status read_row(manifest *m, size_t row, am_error *err) {
  am_error why = AM_ERROR_INIT; /* of the calls that give NULL both for "nothing" and for no memory */
  am_entry e = {.name = text_of(m, row, m->path, &why),
                .label = shared_text(m, row, m->label, &why),
                .speaker = shared_text(m, row, m->speaker, &why),
                .group = shared_text(m, row, m->group, &why),
                .utterance = text_of(m, row, m->utterance, &why),
                .line = m->list.foreign ? 0 : am_csv_line(m->csv, row)};
  for (size_t k = 0; k < m->corpus->n_traits; k++) e.traits[k] = shared_text(m, row, m->trait[k], &why);
  if (why.status) return am_no_memory(err);
  if (!e.name) return am_csv_fail(m->csv, row, err, "path is empty");
  if (m->corrected >= 0) {
    const char *out;
    am_status corrected = correct(m, row, &e, &out, err);
    if (corrected) return corrected;
    if (out) return am_corpus_leave_out(m->corpus, out, e.name, err);
  }
  if (!e.label && m->o->target == AM_TARGET_DIMENSIONS) e.label = AM_UNLABELLED;
  if (!e.label && m->list.foreign) return am_corpus_leave_out(m->corpus, "the list gives no label", e.name, err);
  if (!e.label) return am_csv_fail(m->csv, row, err, "label is empty for %s", e.name);
  if (m->list.inside && !am_list_stays_inside(e.name))
    return am_csv_fail(m->csv, row, err, "%s leads out of the folder of the list; wanted a relative path below it",
                       e.name);
  am_file_id id;
  e.path = locate(m, e.name, &id, &why);
  if (why.status) return am_no_memory(err);
  if (!e.path) return fail_absent(m, row, e.name, err);
  am_status status = read_part(m, row, &e.part, err);
  if (!status) status = read_seconds(m, row, m->start, &e.start, err);
  if (!status) status = read_seconds(m, row, m->seconds, &e.seconds, err);
  if (!status) status = read_values(m, row, &e, err);
  if (!status) status = check_twice(m, row, &id, &e, err);
  return status ? status : am_corpus_add(m->corpus, &e, err);
}

/* Values of a column of another program's that is a trait, and not a text or a number of each clip. */
enum { MOST_VALUES = 64, FEW_VALUES = 4 };

static am_status has_few_values(const manifest *m, size_t column, bool *few, am_error *err) {
  am_name_set values = {.ctx = m->corpus->ctx};
  am_status status = AM_OK;
  for (size_t row = 0; row < am_csv_rows(m->csv) && values.n <= MOST_VALUES && !status; row++)
    if (am_name_set_add(&values, am_csv_get(m->csv, row, column)) < 0) status = am_no_memory(err);
  *few = values.n <= MOST_VALUES && (values.n <= FEW_VALUES || 2 * values.n <= am_csv_rows(m->csv)) &&
         (values.n > 1 || (values.n && *values.at[0]));
  am_name_set_free(&values);
  return status;
}

static bool is_column(const manifest *m, int column) {
  const int known[] = {m->path, m->label, m->speaker, m->split, m->start, m->seconds, m->utterance};
  for (size_t k = 0; k < sizeof known / sizeof *known; k++)
    if (known[k] == column) return true;
  if (m->corrected < 0) return false;
  static const char *const of_model[] = {"corrected", "probability", "margin", "entropy"};
  for (size_t k = 0; k < sizeof of_model / sizeof *of_model; k++)
    if (!strcmp(am_csv_name(m->csv, (size_t)column), of_model[k])) return true;
  return false;
}

/* Dimensions that are wanted; the group, and every column that is nothing else, are traits. */
static am_status find_traits(manifest *m, am_error *err) {
  for (size_t i = 0; i < am_csv_columns(m->csv); i++) {
    const char *name = (int)i == m->group ? "group" : am_csv_name(m->csv, i);
    bool few = true;
    if (am_dimension_wanted(m->o, name)) {
      const char *dimension = am_corpus_text(m->corpus, err, "%s", name);
      const int at = dimension ? am_corpus_dimension(m->corpus, dimension) : -1;
      if (!dimension) return AM_E_NOMEM;
      if (at >= 0) m->dimension[at] = (int)i;
      continue;
    }
    am_status status = m->list.foreign ? has_few_values(m, i, &few, err) : AM_OK;
    if (status) return status;
    if (is_column(m, (int)i) || !*name || !few) continue;
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

/* The column that means this: the table's own word for it, unless data.columns names another of a CSV file. */
static am_status find_column(const manifest *m, am_list_column column, bool needed, int *out, am_error *err) {
  const char *const word[] = {am_list_word(column), NULL};
  if (!m->list.foreign) {
    am_status status = am_list_column_of(&m->list, m->csv, column, word, out, err);
    return status || *out >= 0 || !needed ? status : am_csv_need(m->csv, word[0], out, err);
  }
  *out = am_csv_column(m->csv, word[0]);
  return AM_OK;
}

static am_status read_rows(manifest *m, const am_data_options *o, am_error *err) {
  int *const columns[AM_LIST_KNOWN] = {&m->path,  &m->label, &m->speaker, &m->split,
                                       &m->group, &m->start, &m->seconds, &m->utterance};
  const int last_needed = o->target == AM_TARGET_DIMENSIONS ? AM_LIST_LABEL - 1 : AM_LIST_LABEL;
  am_status status = AM_OK;
  for (int k = 0; k < AM_LIST_KNOWN && !status; k++)
    status = find_column(m, (am_list_column)k, k <= last_needed, columns[k], err);
  if (!status) status = find_corrected(m, o, err);
  if (!status) status = find_traits(m, err);
  if (!status && m->corrected >= 0) m->labelled_by = am_corpus_trait(m->corpus, "labelled_by");
  if (m->labelled_by >= 0) m->trait[m->labelled_by] = -1; /* no column */
  if (!status && !am_csv_rows(m->csv))
    status = am_fail(err, AM_E_DATA, "%s: no clips, only a header; wanted a row a clip", m->file);
  for (size_t row = 0; row < am_csv_rows(m->csv) && !status; row++) status = read_row(m, row, err);
  if (!status && m->corrected >= 0)
    am_log(m->corpus->ctx, AM_LOG_INFO, "%s: %zu %s by a person, %zu by a model", m->file, m->by_person,
           am_count(m->by_person, "label", "labels"), m->by_model);
  return status || m->corrected < 0 ? status : say_new_labels(m, err);
}

/* What the config says of the clips, else the list, if its format has a place for it. */
static am_status describe(const manifest *m, const am_data_options *o, am_error *err) {
  am_dataset *d = m->corpus->d;
  const am_list *list = &m->list;
  const struct {
    const char *said, *listed, **out;
  } facts[] = {{o->title, list->title, &d->title},
               {o->licence, list->licence, &d->licence},
               {o->citation, list->citation, &d->citation},
               {NULL, list->language, &d->language}};
  for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
    const char *text = facts[i].said && *facts[i].said ? facts[i].said : facts[i].listed;
    if (!text || !*text) text = i ? NULL : am_path_base(m->file);
    if (text && !(*facts[i].out = am_corpus_text(m->corpus, err, "%s", text))) return AM_E_NOMEM;
  }
  return AM_OK;
}

static am_status load_manifest(am_corpus *corpus, const am_data_options *o, am_error *err) {
  manifest m = {.corpus = corpus, .o = o, .seen = {.ctx = corpus->ctx}, .texts = {.ctx = corpus->ctx}};
  am_status status = am_list_open(corpus->ctx, o, &m.list, err);
  if (status) return status;
  m.csv = m.list.table;
  m.file = corpus->list = am_corpus_text(corpus, err, "%s", m.list.path);
  corpus->d->root = am_corpus_text(corpus, err, "%s", *o->root ? o->root : *m.list.folder ? m.list.folder : ".");
  if (!m.file || !corpus->d->root) status = AM_E_NOMEM;
  if (!status) status = describe(&m, o, err);
  if (!status) status = read_rows(&m, o, err);
  corpus->distinct = true;
  if (!status) status = am_corpus_find_mark(corpus, err);
  am_list_close(&m.list);
  am_place_set_free(&m.seen);
  am_name_set_free(&m.texts);
  return status;
}

#define AT(member) offsetof(am_data_options, member)
static const am_option own_table[] = {
    {"manifest", AM_OPT_TEXT, AT(manifest), "", 0, 0, NULL,
     "file or folder of the list of clips; default <root>/manifest.csv, or what list is found in <root>"},
    {"format", AM_OPT_CHOICE, AT(format), "auto", 0, 0, AM_WORDS(AM_LIST_FORMATS),
     "whose list it is: csv: AudioMood's own; audformat: db.yaml and its tables; kaldi: wav.scp, utt2emo, utt2spk; "
     "audiofolder: metadata.csv or .jsonl of Hugging Face; emobox: JSON lines of EmoBox; nkululeko: CSV with file and "
     "emotion; speechbrain: its JSON or CSV of a part; auto: by what is in it",
     .before = "csv"},
    {"columns", AM_OPT_MAP, AT(columns), "", 0, 0, NULL,
     "path, label, speaker, split, group, start, seconds, utterance -> what the list calls its column"},
    {"tables", AM_OPT_TEXTS, AT(tables), "[]", 0, 0, NULL,
     "audformat: tables that give the labels; [] the only one with emotions. nkululeko, speechbrain: files of the "
     "folder, "
     "by their names without .csv or .json; [] those of the parts, such as NAME_train.csv"},
    {"uncorrected", AM_OPT_CHOICE, AT(uncorrected), "keep", 0, 0, AM_WORDS(AM_UNCORRECTED),
     "of a list with a column corrected (docs/how-to.md): whether clips count whose label no person corrected",
     .before = "keep"},
    {"title", AM_OPT_TEXT, AT(title), "", 0, 0, NULL,
     "what the clips are, for results and checkpoints; default: the file's name"},
    {"licence", AM_OPT_TEXT, AT(licence), "", 0, 0, NULL, "of the clips, which every checkpoint trained on them names"},
    {"citation", AM_OPT_TEXT, AT(citation), "", 0, 0, NULL, "whom those who pass such a checkpoint on have to name"},
    AM_OPTION_END};
#undef AT

const am_corpus_class am_corpus_manifest = {
    .is = {"manifest", "a list of clips: a CSV with path, label, speaker, or the list of another program", own_table},
    .load = load_manifest,
};
