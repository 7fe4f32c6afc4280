/* SPDX-License-Identifier: MIT */
/* data/dataset.c - the option table, the loaders, and what they share. */
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/alike.h"
#include "data/corpora/registry.h"
#include "data/credit.h"
#include "data/dimensions.h"
#include "data/filter.h"
#include "data/names.h"
#include "data/spelling.h"
#include "data/twins.h"

#define AT(member) offsetof(am_data_options, member)
const am_option am_data_table[] = {
    {"corpus", AM_OPT_CHOICE, AT(corpus), NULL, .variants = am_corpora,
     .help = "kind of corpus: how files and labels are found"},
    {"root", AM_OPT_TEXT, AT(root), "", 0, 0, NULL,
     "folder of the corpus; of several: where relative paths of `corpora` start from"},
    {"target", AM_OPT_CHOICE, AT(target), "emotion", 0, 0, AM_WORDS(AM_TARGETS),
     "what a model tells: the emotion, one of `labels`, or values of `dimensions`"},
    {"dimensions", AM_OPT_TEXTS, AT(dimensions), "[]", 0, 0, NULL,
     "valence, arousal, dominance or others that the corpus says of its clips; of target dimensions [] is those of "
     "these "
     "three that there are"},
    {"scale", AM_OPT_REALS, AT(scale), "[]", -1e6, 1e6, NULL,
     "[lowest, highest] value of the dimensions; [] as the corpus knows it"},
    {"scales", AM_OPT_MAP, AT(scales), "", 0, 0, NULL,
     "dimension -> [lowest, highest] of those whose scale is another: {valence: [-3, 3]}"},
    {"labels", AM_OPT_TEXTS, AT(labels), "[]", 0, 0, NULL,
     "classes in order; others are left out; [] all, in the corpus's order"},
    {"merge_alike", AM_OPT_CHOICE, AT(merge_alike), "invisible", 0, 0, AM_WORDS(AM_ALIKES),
     "labels, speakers and groups that are one: invisible: those that differ in blanks at the ends or the Unicode form "
     "of "
     "a letter; case: in case and width, too",
     .before = "none"},
    {"vocabulary", AM_OPT_CHOICE, AT(vocabulary), "own", 0, 0, AM_WORDS(AM_VOCABULARIES),
     "common: one word for one emotion, whichever the corpus uses: neutral, calm, happy (joy, happiness), sad, angry, "
     "fearful, disgust, surprised, bored, excited, frustrated, contempt; before `merge` and `labels`"},
    {"merge", AM_OPT_MAP, AT(merge), "", 0, 0, NULL, "label -> label it counts as, before `labels`"},
    {"rename", AM_OPT_MAP, AT(rename), "", 0, 0, NULL, "label -> name shown in results"},
    {"speakers", AM_OPT_TEXTS, AT(speakers), "[]", 0, 0, NULL, "keep only these speakers; [] all"},
    {"exclude", AM_OPT_TEXTS, AT(exclude), "[]", 0, 0, NULL,
     "names of clips to leave out, with or without folder and extension"},
    {"max_seconds", AM_OPT_REAL, AT(max_seconds), "600", 0.01, 86400, NULL, "longest sound file that is decoded, s"},
    {"min_seconds", AM_OPT_REAL, AT(min_seconds), "0", 0, 86400, NULL, "shorter clips are left out, s"},
    {"skip_unreadable", AM_OPT_BOOL, AT(skip_unreadable), "false", 0, 0, NULL,
     "leave out files that cannot be read (named and counted) instead of stopping"},
    {"unheard", AM_OPT_CHOICE, AT(unheard), "leave_out", 0, 0, AM_WORDS(AM_DATA_UNHEARDS),
     "clips in which there is nothing to hear: silent, or shorter than 0.1 s", .before = "keep"},
    {"memory", AM_OPT_BYTES, AT(memory), "0", 1, 9.2e18, NULL,
     "features and sounds kept in memory at most, such as 400MB or 2GB; the others are read from the cache when they "
     "are needed; 0: a quarter of the machine's memory"},
    AM_OPTION_END};
#undef AT

const char *am_part_name(am_part part) {
  static const char *const names[] = {"train", "validation", "test"};
  return part >= AM_PART_TRAIN && part <= AM_PART_TEST ? names[part] : "none";
}

void am_left_outs_add(am_left_outs *list, const char *reason, size_t count, const char *example) {
  size_t i = 0;
  while (i < list->n && strcmp(list->at[i].reason, reason)) i++;
  if (!count || i == AM_LEFT_OUT_REASONS) return;
  if (i == list->n) list->at[list->n++] = (am_left_out){.reason = reason, .example = example};
  list->at[i].count += count;
}

/* Of a single corpus; several.c joins those of its parts. */
static am_status credit(am_corpus *corpus, am_error *err) {
  am_dataset *d = corpus->d;
  char *line;
  if (d->attribution) return AM_OK;
  am_status status = am_credit_line(corpus->ctx, d->title, d->licence, d->citation, &line, err);
  if (status) return status;
  d->licences = *d->licence ? d->licence : "not known";
  d->attribution = am_corpus_text(corpus, err, "%s", line);
  am_free(corpus->ctx, line);
  return d->attribution ? AM_OK : AM_E_NOMEM;
}

static am_status load(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_dataset *d = corpus->d;
  const am_corpus_class *cls = am_corpus_class_of(o);
  d->corpus = cls->is.name;
  d->title = d->corpus;
  d->licence = d->citation = d->language = d->missing_note = "";
  am_status status = am_dimension_check_scale(o, err);
  if (!status) status = cls->load(corpus, o, err);
  if (!status) status = credit(corpus, err);
  if (!d->n_corpora) {
    d->n_corpora = 1;
    d->corpora = &d->corpus;
    d->identities = &d->identity;
  }
  am_data_options own = *o;
  if (!status && corpus->classes.n) {
    own.labels = corpus->classes;
    own.merge = corpus->merge;
  }
  if (!status) status = am_corpus_join_alike(corpus, &own, err);
  if (!status) status = am_corpus_finish(corpus, &own, err);
  return status || corpus->distinct ? status : am_dataset_check_files(d, err);
}

am_status am_dataset_load(am_context *ctx, const am_data_options *options, am_dataset **out, am_error *err) {
  *out = NULL;
  am_dataset *d = am_alloc(ctx, 1, sizeof *d);
  if (!d) return am_no_memory(err);
  d->ctx = ctx;
  am_corpus corpus = {.ctx = ctx, .d = d, .reasons = {.ctx = ctx}};
  const double began = am_now();
  am_status status = am_tree_create(ctx, &d->strings, err);
  if (!status) status = load(&corpus, options, err);
  if (!status)
    am_log(ctx, AM_LOG_DEBUG, "%s: %zu clips of %d labels and %d speakers in %s, found in %.2f s", d->corpus, d->n,
           d->n_labels, d->n_speakers, d->root, am_now() - began);
  am_free(ctx, corpus.at);
  am_free(ctx, corpus.left_out);
  am_name_set_free(&corpus.reasons);
  if (status) am_dataset_free(d);
  else *out = d;
  return status;
}

void am_dataset_free(am_dataset *d) {
  if (!d) return;
  if (d->strings) am_tree_free(d->strings);
  am_free(d->ctx, d);
}

int am_dataset_speaker(const am_dataset *d, const char *name) {
  if (!d->by_name) { /* a dataset that no corpus was read for */
    int at = -1;
    for (int i = d->n_known_speakers; i-- > 0;)
      if (am_name_matches(d->speakers[i], name) && (at < 0 || strcmp(d->speakers[at], name))) at = i;
    return at;
  }
  const am_value *found = am_value_get(d->by_name, name);
  if (!found) found = am_value_get(d->by_number, am_name_plain(name));
  return found ? (int)found->count : -1;
}

/* The name that a speaker has in a corpus of several (several.c), "" where it is joined to one of another. */
static const char *own_name(const am_dataset *d, const am_clip *clip) {
  const char *name = clip->speaker < 0 ? "" : d->speakers[clip->speaker], *prefix = d->corpora[clip->corpus];
  if (d->corpora == &d->corpus) return name;
  size_t n = strlen(prefix);
  return !strncmp(name, prefix, n) && name[n] == '/' ? name + n + 1 : "";
}

am_status am_dataset_corpora(am_context *ctx, const am_dataset *d, int *whole, int *n, am_error *err) {
  am_name_set names = {.ctx = ctx};
  am_status status = AM_OK;
  *n = d->n_corpora > 1 ? 0 : 1;
  for (int i = 0; i < d->n_corpora; i++) whole[i] = *n - 1;
  for (size_t i = 0; i < d->n && d->n_corpora > 1 && !status; i++) {
    const int corpus = d->clips[i].corpus;
    if (whole[corpus] >= 0) continue;
    const char *identity = d->identities ? d->identities[corpus] : NULL;
    whole[corpus] = am_name_set_add(&names, identity ? identity : d->corpora[corpus]);
    if (whole[corpus] < 0) status = am_no_memory(err);
    else *n = (int)names.n;
  }
  am_name_set_free(&names);
  return status;
}

const char *am_clip_person(const am_dataset *d, const am_clip *clip, am_tree *memory) {
  if (!d->identities || !d->identities[clip->corpus]) return AM_PERSON_UNKNOWN;
  const char *corpus = am_spelling_clean(memory, d->identities[clip->corpus]),
             *name = am_spelling_clean(memory, own_name(d, clip));
  if (!corpus || !name) return NULL;
  name = am_name_plain(name);
  size_t tab = strlen(corpus), n = tab + 1 + strlen(name);
  char *text = am_tree_take(memory, n + 1, 1);
  if (text) snprintf(text, n + 1, "%s\t%s", corpus, name);
  for (size_t i = 0; text && i < n; i++)
    if (i != tab && (unsigned char)text[i] < ' ') text[i] = ' ';
  return text;
}

/* ---- what a model tells of a clip ---- */

int am_dataset_outputs(const am_dataset *d) {
  return d->target == AM_TARGET_DIMENSIONS ? d->n_dimensions : d->n_labels;
}

const char *const *am_dataset_output_names(const am_dataset *d) {
  return d->target == AM_TARGET_DIMENSIONS ? d->dimensions : d->labels;
}

float am_dataset_unit(const am_dataset *d, const am_clip *clip, int dimension) {
  return clip->values ? (float)am_scale_unit(d->scale[dimension], (double)clip->values[dimension]) : NAN;
}
