/* SPDX-License-Identifier: MIT */
/* data/corpora/described_file.c - reading and checking the YAML file that describes a corpus. */
#include <stdio.h>
#include <string.h>

#include "data/corpora/described.h"
#include "data/corpora/described_table.h"
#include "data/dimensions.h"
#include "data/names.h"
#include "io/yaml.h"

#define AT(member) offsetof(am_description, member)
const am_option am_description_options[] = {
    {"name", AM_OPT_TEXT, AT(name), NULL, 0, 0, NULL, "short name, as in results"},
    {"part_of", AM_OPT_TEXT, AT(part_of), "", 0, 0, NULL,
     "the corpus that this is a part or another form of, and whose speakers it has; \"\": one of its own"},
    {"title", AM_OPT_TEXT, AT(title), "", 0, 0, NULL, "full name"},
    {"language", AM_OPT_TEXT, AT(language), "", 0, 0, NULL, "language that is spoken"},
    {"licence", AM_OPT_TEXT, AT(licence), NULL, 0, 0, NULL, "licence of the recordings; is stored in every checkpoint"},
    {"citation", AM_OPT_TEXT, AT(citation), "", 0, 0, NULL, "the paper to cite"},
    {"home", AM_OPT_TEXT, AT(home), "", 0, 0, NULL, "where to get it"},
    {"files", AM_OPT_TEXTS, AT(files), "[]", 0, 0, NULL, "patterns (PCRE2) of paths without extension, tried in order"},
    {"labels", AM_OPT_MAP, AT(labels), "", 0, 0, NULL, "code -> label, in the order of classes; ~ leaves the code out"},
    {"speakers", AM_OPT_MAP, AT(speakers), "", 0, 0, NULL, "code -> name of the speaker, ~: nobody knows who"},
    {"speaker_prefix", AM_OPT_TEXT, AT(speaker_prefix), "", 0, 0, NULL, "goes before every speaker's name"},
    {"intensities", AM_OPT_MAP, AT(intensities), "", 0, 0, NULL, "code -> whole number"},
    {"groups", AM_OPT_MAP, AT(traits), "", 0, 0, NULL,
     "groups of the patterns' own (gender, age ...) -> what their codes mean, or ~"},
    {"exclude", AM_OPT_MAP, AT(exclude), "", 0, 0, NULL, "name -> why it is left out"},
    {"unique", AM_OPT_BOOL, AT(unique), "false", 0, 0, NULL, "of files whose names match alike only the first counts"},
    {"parts", AM_OPT_MAP, AT(parts), "", 0, 0, NULL, "code -> train, validation or test, ~: in none of them"},
    {"table", AM_OPT_MAP, AT(table_map), "", 0, 0, NULL, "a CSV, TSV or JSON file below the root that gives labels"},
    {"tables", AM_OPT_LIST, AT(table_list), "", 0, 0, NULL, "several of these"},
    {"people", AM_OPT_MAP, AT(people_map), "", 0, 0, NULL, "a file below the root that says who the speakers are"},
    {"dimensions", AM_OPT_MAP, AT(dimensions), "", 0, 0, NULL,
     "valence, arousal, dominance or others -> column of a table with their values"},
    {"scale", AM_OPT_REALS, AT(scale), "[]", -1e6, 1e6, NULL, "[lowest, highest] of these values"},
    {"scales", AM_OPT_MAP, AT(scales), "", 0, 0, NULL,
     "dimension -> [lowest, highest] of those whose scale is another"},
    {"expected", AM_OPT_MAP, AT(expected_map), "", 0, 0, NULL, "counts of the complete corpus"},
    {"sound", AM_OPT_MAP, AT(sound_map), "", 0, 0, NULL, "rate, channels and lengths of its files"},
    {"folds", AM_OPT_LIST, AT(folds), "", 0, 0, NULL, "fixed folds: a list of speakers for each"},
    AM_OPTION_END};
#undef AT
#define AT(member) offsetof(am_description_table, member)
const am_option am_description_table_options[] = {
    {"file", AM_OPT_TEXT, AT(file), NULL, 0, 0, NULL, "CSV, TSV, JSON or JSON Lines, relative to the root"},
    {"path", AM_OPT_TEXT, AT(path), "path", 0, 0, NULL,
     "column of the files' names, or a text with columns in braces: dia{Dialogue_ID}_utt{Utterance_ID}"},
    {"label", AM_OPT_TEXT, AT(label), "", 0, 0, NULL, "column of the label codes"},
    {"scores", AM_OPT_TEXTS, AT(scores), "[]", 0, 0, NULL,
     "instead of label: columns with a number for each emotion, the highest of which is the code; none: all are 0; "
     "tie: several are the highest"},
    {"speaker", AM_OPT_TEXT, AT(speaker), "", 0, 0, NULL, "column of the speaker codes"},
    {"group", AM_OPT_TEXT, AT(group), "", 0, 0, NULL, "column of sessions or dialogues"},
    {"part", AM_OPT_TEXT, AT(part), "", 0, 0, NULL, "column that says train, validation or test"},
    {"all", AM_OPT_TEXT, AT(all), "", 0, 0, NULL, "the part of all its rows: train, validation or test"},
    {"start", AM_OPT_TEXT, AT(start), "", 0, 0, NULL, "column of where in the file a clip begins, s"},
    {"end", AM_OPT_TEXT, AT(end), "", 0, 0, NULL, "column of where it ends, s"},
    {"seconds", AM_OPT_TEXT, AT(seconds), "", 0, 0, NULL, "or column of how long it is, s"},
    {"columns", AM_OPT_TEXTS, AT(columns), "[]", 0, 0, NULL, "further columns, by which results are told apart"},
    AM_OPTION_END};
#undef AT
#define AT(member) offsetof(am_description_people, member)
const am_option am_description_people_options[] = {
    {"file", AM_OPT_TEXT, AT(file), NULL, 0, 0, NULL, "CSV, TSV, JSON or JSON Lines, relative to the root"},
    {"speaker", AM_OPT_TEXT, AT(speaker), "speaker", 0, 0, NULL, "column of the speaker codes"},
    {"columns", AM_OPT_TEXTS, AT(columns), NULL, 0, 0, NULL, "columns, by which results are told apart: gender, age"},
    AM_OPTION_END};
#undef AT
#define AT(member) offsetof(am_description_expected, member)
const am_option am_description_expected_options[] = {
    {"clips", AM_OPT_INT, AT(clips), "0", 0, 1e9, NULL, "clips of the complete corpus; 0 not said"},
    {"speakers", AM_OPT_INT, AT(speakers), "0", 0, 1e6, NULL, "speakers; 0 not said"},
    {"labels", AM_OPT_MAP, AT(labels), "", 0, 0, NULL, "label -> clips"},
    AM_OPTION_END};
#undef AT
#define AT(member) offsetof(am_description_sound, member)
const am_option am_description_sound_options[] = {
    {"rate", AM_OPT_REAL, AT(rate), "0", 0, 1e6, NULL, "Hz; 0 not said"},
    {"channels", AM_OPT_INT, AT(channels), "0", 0, 64, NULL, "channels; 0 not said"},
    {"seconds", AM_OPT_REALS, AT(seconds), "[]", 0, 86400, NULL, "[shortest, longest] that is in order, s"},
    AM_OPTION_END};
#undef AT

static const char *const field_names[AM_FIELDS] = {"label", "speaker",   "group",     "session", "text",
                                                   "take",  "intensity", "utterance", "part"};

/* Values of a map must be texts; `empty` allows ~. */
static am_status check_texts(const am_value *map, const char *key, bool empty, am_error *err) {
  for (const am_value *v = map ? map->first : NULL; v; v = v->next)
    if (!(v->kind == AM_SCALAR && *v->text) && !(empty && v->kind == AM_NULL))
      return am_fail_at(err, v, "%s.%s: wanted a text%s", key, v->key, empty ? ", or ~ to leave it out" : "");
  return AM_OK;
}

static am_status check_numbers(const am_value *map, const char *key, am_error *err) {
  for (const am_value *v = map ? map->first : NULL; v; v = v->next) {
    int64_t number;
    if (v->kind != AM_SCALAR || !am_value_to_int(v, &number) || number < 0 || number > INT32_MAX)
      return am_fail_at(err, v, "%s.%s: wanted a whole number from 0", key, v->key);
  }
  return AM_OK;
}

static am_status check_expected(const am_description *d, am_error *err) {
  am_status status = check_numbers(d->expected.labels, "expected.labels", err);
  am_name_set known = {.ctx = d->ctx};
  for (const am_value *v = d->labels ? d->labels->first : NULL; v && !status; v = v->next)
    if (v->kind == AM_SCALAR && am_name_set_add(&known, v->text) < 0) status = am_no_memory(err);
  for (const am_value *v = d->expected.labels ? d->expected.labels->first : NULL; v && d->labels && !status;
       v = v->next)
    if (am_name_set_find(&known, v->key) < 0)
      status = am_fail_at_key(err, v, "expected.labels: no code in labels means \"%s\"", v->key);
  am_name_set_free(&known);
  return status;
}

static am_status check_folds(const am_description *d, am_error *err) {
  for (const am_value *fold = d->folds ? d->folds->first : NULL; fold; fold = fold->next) {
    if (fold->kind != AM_LIST || !fold->first)
      return am_fail_at(err, fold, "folds: wanted a list of lists of speakers");
    for (const am_value *v = fold->first; v; v = v->next)
      if (v->kind != AM_SCALAR || !*v->text) return am_fail_at(err, v, "folds: wanted a speaker");
  }
  return AM_OK;
}

/* `given`: the key scale; `at`: the dimensions. */
static am_status check_scales(const am_description *d, const am_value *given, const am_value *at, am_error *err) {
  const am_data_options own = {.scale = d->scale, .scales = d->scales};
  am_scale s;
  for (const am_value *v = d->scales ? d->scales->first : NULL; v; v = v->next) {
    if (!am_value_get(d->dimensions, v->key))
      return am_fail_at_key(err, v, "scales: %s is none of the dimensions (%s, ...)", v->key,
                            d->dimensions->first ? d->dimensions->first->key : "there are none");
    if (!am_scale_read(v, &s))
      return am_fail_at(err, v, "scales.%s: wanted [lowest, highest], such as [-3, 3]", v->key);
  }
  bool all = d->dimensions->first && (!d->scale.n || (d->scale.n == 2 && d->scale.at[0] < d->scale.at[1]));
  for (const am_value *v = d->dimensions->first; v && all; v = v->next)
    all = am_scale_good(am_dimension_scale(&own, v->key));
  if (all) return AM_OK;
  return am_fail_at(err, given ? given : at,
                    "scale: wanted [lowest, highest] of the values of the dimensions, such as [1, 5]");
}

static am_status check_dimensions(const am_description *d, am_error *err) {
  const am_value *root = am_tree_root(d->tree), *at = am_value_get(root, "dimensions");
  if (!d->dimensions) return AM_OK;
  if (!d->n_tables) return am_fail_at(err, at, "dimensions: they are columns of a table, and there is no table");
  if (d->dimensions->count > AM_MOST_DIMENSIONS)
    return am_fail_at(err, at, "dimensions: wanted at most %d", (int)AM_MOST_DIMENSIONS);
  am_status status = check_scales(d, am_value_get(root, "scale"), at, err);
  return status ? status : check_texts(d->dimensions, "dimensions", false, err);
}

static am_status check_sound(const am_description *d, am_error *err) {
  const am_reals *s = &d->sound.seconds;
  if (!s->n || (s->n == 2 && s->at[0] <= s->at[1])) return AM_OK;
  return am_fail_at(err, am_value_get(d->sound_map, "seconds"), "sound.seconds: wanted [shortest, longest]");
}

/* A misspelt name of a known group: its letters in another order, or one letter too many, too few or another. */
static bool misspelt(const char *name, const char *known) {
  size_t n = strlen(name), m = strlen(known), least = n < m ? n : m, head = 0, tail = 0;
  int count[256] = {0};
  while (head < least && name[head] == known[head]) head++;
  while (tail < least - head && name[n - 1 - tail] == known[m - 1 - tail]) tail++;
  if ((n > m ? n : m) - head - tail <= 1) return true;
  for (size_t i = 0; i < n; i++) count[(unsigned char)name[i]]++;
  for (size_t i = 0; i < m; i++) count[(unsigned char)known[i]]--;
  for (int i = 0; i < 256; i++)
    if (count[i]) return false;
  return true;
}

/* The number of a trait, added when new. */
static am_status trait_of(am_description *d, const char *name, const am_value *at, int *out, am_error *err) {
  size_t i = 0;
  while (i < d->n_names && strcmp(d->names[i], name)) i++;
  if (i == AM_MOST_TRAITS) return am_fail_at(err, at, "more than %d groups of your own", (int)AM_MOST_TRAITS);
  if (i == d->n_names) d->names[d->n_names++] = name;
  *out = AM_FIELDS + (int)i;
  return AM_OK;
}

/* A group of the pattern's own, unless it is a known one misspelt; what stands under `groups` never is. */
static am_status own_group(am_description *d, const char *name, const am_value *at, int *out, am_error *err) {
  for (int f = 0; f < AM_FIELDS && !am_value_get(d->traits, name); f++)
    if (misspelt(name, field_names[f]))
      return am_fail_at(
          err, at,
          "files: unknown group \"%s\"; did you mean \"%s\"? (known are label, speaker, group, session, text, "
          "take, intensity, utterance, part; one of your own so near to them is named under groups, too)",
          name, field_names[f]);
  return trait_of(d, name, at, out, err);
}

static am_status read_fields(am_description *d, size_t i, const am_value *at, am_error *err) {
  const char *name;
  bool label = d->dimensions != NULL;
  for (size_t k = 0; k < d->n_tables; k++) label |= am_table_has_label(&d->tables[k]);
  for (size_t g = 0; (name = am_pattern_group(d->patterns[i], g)); g++) {
    int f = 0;
    if (g >= sizeof *d->fields / sizeof **d->fields)
      return am_fail_at(err, at, "files: more than %zu named groups", sizeof *d->fields / sizeof **d->fields);
    while (f < AM_FIELDS && strcmp(field_names[f], name)) f++;
    am_status status = f == AM_FIELDS ? own_group(d, name, at, &f, err) : AM_OK;
    if (status) return status;
    d->fields[i][g] = f;
    label |= f == AM_FIELD_LABEL;
  }
  if (!label)
    return am_fail_at(err, at, "files: nothing gives the label; name the group of its code, as in (?<label>[A-Z])");
  return AM_OK;
}

static am_status read_patterns(am_description *d, am_error *err) {
  const am_value *files = am_value_get(am_tree_root(d->tree), "files");
  const am_value *at = files && files->kind == AM_LIST ? files->first : files;
  d->patterns = am_tree_take(d->tree, d->files.n + 1, sizeof *d->patterns);
  d->fields = am_tree_take(d->tree, d->files.n + 1, sizeof *d->fields);
  if (!d->patterns || !d->fields) return am_no_memory(err);
  am_status status = AM_OK;
  for (size_t i = 0; i < d->files.n && at && !status; i++, at = at->next) {
    am_error why = AM_ERROR_INIT;
    status = am_pattern_create(d->ctx, d->files.at[i], &d->patterns[i], &why);
    if (status == AM_E_CONFIG) return am_fail_at(err, at, "files: %s", why.message);
    if (status) return am_no_memory(err);
    status = read_fields(d, i, at, err);
  }
  return status;
}

/* What stands under `groups` must be a group of a pattern or a column, and its codes mean texts. */
static am_status check_traits(am_description *d, am_error *err) {
  am_status status = AM_OK;
  int number;
  for (size_t k = 0; k < d->n_tables; k++)
    for (size_t i = 0; i < d->tables[k].columns.n && !status; i++)
      status = trait_of(d, d->tables[k].columns.at[i], am_tree_root(d->tree), &number, err);
  for (size_t i = 0; d->people_map && i < d->people.columns.n && !status; i++)
    status = trait_of(d, d->people.columns.at[i], d->people_map, &number, err);
  for (const am_value *v = d->traits ? d->traits->first : NULL; v && !status; v = v->next) {
    bool known = false;
    for (size_t i = 0; i < d->n_names; i++) known |= !strcmp(d->names[i], v->key);
    for (int f = AM_FIELD_GROUP; f <= AM_FIELD_INTENSITY; f++)
      known |= f != AM_FIELD_TAKE && !strcmp(field_names[f], v->key);
    if (!known)
      return am_fail_at_key(err, v, "groups.%s: no pattern has a group of this name, and no table a column", v->key);
    if (v->kind != AM_MAP && v->kind != AM_NULL)
      return am_fail_at(err, v, "groups.%s: wanted a map of codes and what they mean, or ~", v->key);
    status = check_texts(v->kind == AM_MAP ? v : NULL, v->key, false, err);
  }
  return status;
}

static am_status check_parts(const am_description *d, am_error *err) {
  static const char *const parts[] = {"train", "validation", "test"};
  for (const am_value *v = d->parts ? d->parts->first : NULL; v; v = v->next) {
    size_t i = 0;
    while (i < 3 && !(v->kind == AM_SCALAR && !strcmp(v->text, parts[i]))) i++;
    if (i == 3 && v->kind != AM_NULL)
      return am_fail_at(err, v, "parts.%s: wanted train, validation or test, or ~ for none of them", v->key);
  }
  return AM_OK;
}

static am_status read_table(am_description *d, const am_value *map, const char *section, am_error *err) {
  am_description_table *t = &d->tables[d->n_tables++];
  if (map->kind != AM_MAP) return am_fail_at(err, map, "%s: wanted a map, such as {file: labels.csv}", section);
  am_status status = am_options_read(d->tree, am_description_table_options, map, section, t, err);
  if (!status && *t->label && t->scores.n)
    status = am_fail_at(err, map, "%s: label or scores gives the label, not both", section);
  if (!status && *t->part && *t->all) status = am_fail_at(err, map, "%s: part or all says the part, not both", section);
  if (!status && *t->end && *t->seconds)
    status = am_fail_at(err, map, "%s: end or seconds says how long a clip is, not both", section);
  return status;
}

static am_status read_tables(am_description *d, am_error *err) {
  const size_t n = (d->table_map ? 1 : 0) + (d->table_list ? d->table_list->count : 0);
  if (n > AM_DESCRIPTION_TABLES)
    return am_fail_at(err, d->table_list, "tables: more than %d", (int)AM_DESCRIPTION_TABLES);
  d->tables = am_tree_take(d->tree, n + 1, sizeof *d->tables);
  if (!d->tables) return am_no_memory(err);
  am_status status = d->table_map ? read_table(d, d->table_map, "table", err) : AM_OK;
  for (const am_value *v = d->table_list ? d->table_list->first : NULL; v && !status; v = v->next)
    status = read_table(d, v, "tables", err);
  if (!status && d->people_map)
    status = am_options_read(d->tree, am_description_people_options, d->people_map, "people", &d->people, err);
  return status;
}

/* Without patterns each table has to say what its rows are. */
static am_status check_tables(const am_description *d, am_error *err) {
  const am_value *root = am_tree_root(d->tree);
  if (!d->files.n && !d->n_tables)
    return am_fail_at(err, root, "the description needs files (patterns of names) or table, or both");
  for (size_t i = 0; i < d->n_tables && !d->files.n && !d->dimensions; i++)
    if (!am_table_has_label(&d->tables[i]))
      return am_fail_at(err, d->table_map ? d->table_map : d->table_list,
                        "table.label is missing: wanted the column of the labels");
  return AM_OK;
}

static am_status read_root(am_description *d, const char *path, am_error *err) {
  am_tree *tree = d->tree;
  const am_value *root = am_tree_root(tree);
  if (!root || root->kind != AM_MAP)
    return am_fail(err, AM_E_CONFIG, "%s: wanted a map of keys and values that describes a corpus", path);
  am_status status = am_options_read(tree, am_description_options, root, "the description", d, err);
  if (!status) status = read_tables(d, err);
  if (!status)
    status = am_options_read(tree, am_description_expected_options, d->expected_map, "expected", &d->expected, err);
  if (!status) status = am_options_read(tree, am_description_sound_options, d->sound_map, "sound", &d->sound, err);
  if (status) return status;
  if ((status = check_tables(d, err))) return status;
  if (!*d->title) d->title = d->name;
  status = check_texts(d->labels, "labels", true, err);
  if (!status) status = check_texts(d->speakers, "speakers", true, err);
  if (!status) status = check_parts(d, err);
  if (!status) status = check_texts(d->exclude, "exclude", false, err);
  if (!status) status = check_numbers(d->intensities, "intensities", err);
  if (!status) status = check_expected(d, err);
  if (!status) status = check_dimensions(d, err);
  if (!status) status = check_sound(d, err);
  if (!status) status = check_folds(d, err);
  if (!status) status = read_patterns(d, err);
  return status ? status : check_traits(d, err);
}

am_status am_description_load(am_context *ctx, const char *path, am_description **out, am_error *err) {
  *out = NULL;
  am_description *d = am_alloc(ctx, 1, sizeof *d);
  if (!d) return am_no_memory(err);
  d->ctx = ctx;
  am_status status = am_yaml_read_file(ctx, path, &d->tree, err);
  if (!status) status = read_root(d, path, err);
  if (status) am_description_free(d);
  else *out = d;
  return status;
}

void am_description_free(am_description *d) {
  if (!d) return;
  for (size_t i = 0; d->patterns && i < d->files.n; i++) am_pattern_free(d->patterns[i]);
  am_tree_free(d->tree);
  am_free(d->ctx, d);
}

bool am_description_is(const am_value *root) {
  return (am_value_get(root, "files") || am_value_get(root, "table") || am_value_get(root, "tables")) &&
         !am_value_get(root, "data");
}
