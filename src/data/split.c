/* SPDX-License-Identifier: MIT */
/* data/split.c - the split table, random and given splits, and the note that
 * says whether a speaker is on both sides. */
#include "data/split.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "data/names.h"
#include "data/sklearn.h"
#include "data/split_speaker.h"

#define AT(member) offsetof(am_split_options, member)
const am_option am_split_table[] = {
    {"kind", AM_OPT_CHOICE, AT(kind), "random", 0, 0, AM_WORDS(AM_SPLIT_KINDS),
     "how clips are divided; random and stratified as scikit-learn's train_test_split"},
    {"test", AM_OPT_REAL, AT(test), "0", 0, 0.99, NULL,
     "share of clips (random, stratified) or speakers (speaker) for testing"},
    {"validation", AM_OPT_REAL, AT(validation), "0.25", 0, 0.99, NULL, "the same for validation"},
    {"seed", AM_OPT_INT, AT(seed), "42", 0, 4294967295.0, NULL, "of the draw (scikit-learn's random_state)"},
    {"folds", AM_OPT_INT, AT(folds), "5", 2, 1000, NULL, "kfold: number of folds, by speaker"},
    {"fold", AM_OPT_INT, AT(fold), "0", 0, 100000, NULL, "which fold, from 0, is the test part"},
    {"test_speakers", AM_OPT_TEXTS, AT(test_speakers), "[]", 0, 0, NULL, "fixed: speakers of the test part"},
    {"validation_speakers", AM_OPT_TEXTS, AT(validation_speakers), "[]", 0, 0, NULL,
     "fixed: speakers of the validation part"},
    {"fold_lists", AM_OPT_LIST, AT(fold_lists), "", 0, 0, NULL, "fixed: a list of speakers for each fold"},
    {"validation_speakers_count", AM_OPT_INT, AT(validation_speakers_count), "0", 0, 1000, NULL,
     "kfold, leave_one_speaker_out, leave_one_group_out, leave_one_corpus_out, fixed: speakers moved from training to "
     "validation"},
    {"stratify_by_speaker_sex", AM_OPT_BOOL, AT(stratify_by_speaker_sex), "false", 0, 0, NULL,
     "by speaker: as many odd as even speakers (RAVDESS: male, female)"},
    {"stratify_by_label", AM_OPT_BOOL, AT(stratify_by_label), "false", 0, 0, NULL,
     "by speaker: parts and folds of whole speakers that resemble the corpus, or each of several, in their labels"},
    {"validation_same_group", AM_OPT_BOOL, AT(validation_same_group), "false", 0, 0, NULL,
     "leave_one_speaker_out: the others of the speaker's group (IEMOCAP: session) validate"},
    AM_OPTION_END};
#undef AT

/* What a random split draws: clips of the complete list, or utterances.  A unit has the clips
 * members[first[u] .. first[u+1]), none when the folder lacks it. */
typedef struct units {
  size_t n;
  int *label;
  uint32_t *first, *members;
  uint32_t *order[3]; /* units of each part as drawn */
  size_t count[3];
  uint32_t *slab;
} units;

static uint32_t unit_of(const am_dataset *d, bool by_utterance, size_t i) {
  return d->complete_index ? d->complete_index[i] : by_utterance ? (uint32_t)d->clips[i].utterance : (uint32_t)i;
}

/* Utterances keep their numbers (the index of their first clip); those in between have no clips and are squeezed out. */
static am_status make_units(am_context *ctx, const am_dataset *d, bool by_utterance, units *u, am_error *err) {
  size_t room = d->n_complete > d->n ? d->n_complete : d->n;
  u->slab = am_alloc(ctx, am_mul(6, room + 1), sizeof *u->slab);
  u->label = am_alloc(ctx, room + 1, sizeof *u->label);
  if (!u->slab || !u->label) return am_no_memory(err);
  u->first = u->slab;
  u->members = u->slab + (room + 1);
  for (int p = 0; p < 3; p++) u->order[p] = u->slab + (size_t)(2 + p) * (room + 1);
  uint32_t *number = u->slab + 5 * (room + 1); /* unit_of -> unit + 1 */
  if (d->complete_index) {
    u->n = d->n_complete;
    for (size_t i = 0; i < u->n; i++) {
      number[i] = (uint32_t)i + 1;
      u->label[i] = d->complete_label[i];
    }
  }
  for (size_t i = 0; i < d->n; i++) {
    uint32_t at = unit_of(d, by_utterance, i);
    if (number[at]) continue;
    u->label[u->n] = d->clips[i].label;
    number[at] = (uint32_t)++u->n;
  }
  for (size_t i = 0; i < d->n; i++) u->first[number[unit_of(d, by_utterance, i)]]++; /* counts, one place up */
  for (size_t i = 0; i < u->n; i++) u->first[i + 1] += u->first[i];
  uint32_t *fill = u->order[0]; /* free until the draw */
  memcpy(fill, u->first, u->n * sizeof *fill);
  for (size_t i = 0; i < d->n; i++) u->members[fill[number[unit_of(d, by_utterance, i)] - 1]++] = (uint32_t)i;
  return AM_OK;
}

/* Test first, then validation from what is left, each as one train_test_split. */
static am_status draw(am_context *ctx, const am_split_options *o, units *u, am_error *err) {
  size_t wanted[3] = {0, am_share_count(o->validation, u->n), am_share_count(o->test, u->n)};
  uint32_t *train = u->order[AM_PART_TRAIN], *left = am_alloc(ctx, u->n + 1, sizeof *left);
  int *labels = am_alloc(ctx, u->n + 1, sizeof *labels);
  am_status status = left && labels ? AM_OK : am_no_memory(err);
  size_t n = u->n;
  for (uint32_t i = 0; i < n; i++) train[i] = i;
  for (int part = AM_PART_TEST; part >= AM_PART_VALIDATION && !status; part--) {
    if (!wanted[part]) continue;
    for (size_t i = 0; i < n && !status; i++) {
      left[i] = train[i];
      labels[i] = u->label[left[i]];
    }
    status = am_draw_test(ctx, n, wanted[part], (uint32_t)o->seed, o->kind == AM_SPLIT_STRATIFIED ? labels : NULL,
                          train, u->order[part], err);
    if (status) break;
    n -= wanted[part];
    for (size_t i = 0; i < n; i++) train[i] = left[train[i]];
    for (size_t i = 0; i < wanted[part]; i++) u->order[part][i] = left[u->order[part][i]];
    u->count[part] = wanted[part];
  }
  u->count[AM_PART_TRAIN] = n;
  am_free(ctx, labels);
  am_free(ctx, left);
  return status;
}

static am_status split_random(am_context *ctx, am_dataset *d, const am_split_options *o, am_split *s, am_error *err) {
  units u = {0};
  am_status status = make_units(ctx, d, o->kind == AM_SPLIT_STRATIFIED, &u, err);
  if (!status) status = draw(ctx, o, &u, err);
  for (int part = 0; part < 3 && !status; part++)
    for (size_t i = 0; i < u.count[part]; i++)
      for (uint32_t k = u.first[u.order[part][i]]; k < u.first[u.order[part][i] + 1]; k++) {
        d->clips[u.members[k]].part = (am_part)part;
        s->at[part][s->n[part]++] = u.members[k];
      }
  am_free(ctx, u.slab);
  am_free(ctx, u.label);
  snprintf(s->note, sizeof s->note, "%s split%s", o->kind == AM_SPLIT_RANDOM ? "random" : "stratified",
           d->complete_index ? " of the complete corpus, restricted to the clips here" : "");
  return status;
}

static void list_parts(const am_dataset *d, am_split *s) {
  for (size_t i = 0; i < d->n; i++)
    if (d->clips[i].part != AM_PART_NONE) s->at[d->clips[i].part][s->n[d->clips[i].part]++] = (uint32_t)i;
}

static am_status split_corpus(am_dataset *d, am_split *s, am_error *err) {
  size_t given = 0;
  for (size_t i = 0; i < d->n; i++) {
    d->clips[i].part = d->clips[i].corpus_part;
    given += d->clips[i].part != AM_PART_NONE;
  }
  if (!given)
    return am_fail(err, AM_E_DATA,
                   "%s: no clip says which part it belongs to; split.kind corpus wants a split column with "
                   "train, validation, test",
                   d->root);
  list_parts(d, s);
  if (given < d->n) snprintf(s->note, sizeof s->note, "the corpus's own split, %zu clips in no part", d->n - given);
  else snprintf(s->note, sizeof s->note, "the corpus's own split");
  return AM_OK;
}

static am_status split_by_speaker(am_context *ctx, am_dataset *d, const am_split_options *o, am_split *s,
                                  am_error *err) {
  am_part *role = am_alloc(ctx, (size_t)d->n_speakers + 1, sizeof *role);
  int *fold_of = am_alloc(ctx, (size_t)d->n_speakers + 1, sizeof *fold_of);
  am_status status = role && fold_of ? am_split_speakers(ctx, d, o, role, fold_of, s, err) : am_no_memory(err);
  for (size_t i = 0; i < d->n && !status; i++) {
    d->clips[i].part = role[d->clips[i].speaker];
    d->clips[i].fold = fold_of[d->clips[i].speaker];
  }
  if (!status) list_parts(d, s);
  am_free(ctx, fold_of);
  am_free(ctx, role);
  return status;
}

/* In parts of one corpus (of several) a speaker is there under a name for each: all get the bits of all. */
static am_status join_persons(am_context *ctx, const am_dataset *d, unsigned char *in, am_error *err) {
  am_tree *memory = NULL;
  am_name_set persons = {.ctx = ctx};
  int *person = am_alloc(ctx, (size_t)d->n_speakers + 1, sizeof *person); /* of a speaker, from 1 */
  unsigned char *all = am_alloc(ctx, (size_t)d->n_speakers + 1, 1);       /* bits of a person */
  am_status status = person && all ? am_tree_create(ctx, &memory, err) : am_no_memory(err);
  for (size_t i = 0; i < d->n && !status; i++) {
    const am_clip *c = &d->clips[i];
    if (c->speaker < 0 || person[c->speaker]) continue;
    const char *name = am_clip_person(d, c, memory), *tab = name ? strchr(name, '\t') : NULL;
    if (!name) status = am_no_memory(err);
    if (!tab || !tab[1]) continue;
    person[c->speaker] = am_name_set_add(&persons, name) + 1;
    if (person[c->speaker]) all[person[c->speaker] - 1] |= in[c->speaker];
    else status = am_no_memory(err);
  }
  for (int s = 0; s < d->n_speakers && !status; s++)
    if (person[s] && in[s]) in[s] = all[person[s] - 1];
  am_name_set_free(&persons);
  am_tree_free(memory);
  am_free(ctx, all);
  am_free(ctx, person);
  return status;
}

/* Parts that a speaker's clips are in, as bits. */
static am_status check_sides(am_context *ctx, const am_dataset *d, am_split *s, am_error *err) {
  unsigned char *in = am_alloc(ctx, (size_t)d->n_speakers + 1, 1);
  if (!in) return am_no_memory(err);
  s->speakers_known = true;
  for (size_t i = 0; i < d->n; i++) {
    const am_clip *c = &d->clips[i];
    if (c->part == AM_PART_NONE) continue;
    if (c->speaker < 0) s->speakers_known = false;
    else in[c->speaker] |= (unsigned char)(1u << c->part);
  }
  am_status status = d->n_corpora > 1 ? join_persons(ctx, d, in, err) : AM_OK;
  int shared = 0, count[3] = {0};
  for (int i = 0; i < d->n_speakers; i++) {
    shared += (in[i] & 1) && (in[i] & 6);
    for (int p = 0; p < 3; p++) count[p] += in[i] >> p & 1;
  }
  am_free(ctx, in);
  if (status) return status;
  bool held_out = s->n[AM_PART_VALIDATION] || s->n[AM_PART_TEST];
  s->speaker_independent = s->speakers_known && !shared && held_out;
  size_t used = strlen(s->note), room = sizeof s->note - used;
  char *at = s->note + used;
  if (!held_out) snprintf(at, room, ": nothing is held out");
  else if (!s->speakers_known)
    snprintf(at, room, ": not every speaker is known, so a speaker may be on both sides; not speaker-independent");
  else if (shared) snprintf(at, room, ": the same speakers are on both sides; not speaker-independent");
  else
    snprintf(at, room, ": %d speakers train, %d validate, %d test; speaker-independent", count[0], count[1], count[2]);
  return AM_OK;
}

/* Parts that were asked for must have clips. */
static am_status check_asked(const am_split_options *o, const am_split *s, am_error *err) {
  bool by_share = o->kind <= AM_SPLIT_SPEAKER, by_fold = o->kind == AM_SPLIT_KFOLD || o->kind == AM_SPLIT_LOSO ||
                                                         o->kind == AM_SPLIT_LOGO || o->kind == AM_SPLIT_LOCO;
  bool test = by_share ? o->test > 0 : by_fold || (o->kind == AM_SPLIT_FIXED && (s->n_folds || o->test_speakers.n));
  bool validation = by_share ? o->validation > 0 : o->kind == AM_SPLIT_FIXED && o->validation_speakers.n;
  if (test && !s->n[AM_PART_TEST])
    return am_fail(err, AM_E_DATA, "the test part of the split has no clip (%s)", s->note);
  if (validation && !s->n[AM_PART_VALIDATION])
    return am_fail(err, AM_E_DATA, "the validation part of the split has no clip (%s)", s->note);
  if (!s->n[AM_PART_TRAIN]) return am_fail(err, AM_E_DATA, "the training part of the split has no clip (%s)", s->note);
  return AM_OK;
}

static am_status make(am_context *ctx, am_dataset *d, const am_split_options *o, am_split *s, am_error *err) {
  if (o->kind <= AM_SPLIT_SPEAKER && o->test + o->validation >= 1)
    return am_fail(err, AM_E_CONFIG, "split.test %g and split.validation %g leave nothing to train on", o->test,
                   o->validation);
  if (o->stratify_by_label && (o->kind <= AM_SPLIT_STRATIFIED || o->kind == AM_SPLIT_CORPUS))
    return am_fail(err, AM_E_CONFIG,
                   "split.stratify_by_label is for kinds that divide speakers (speaker, kfold, ...); clips are "
                   "divided by their labels with split.kind stratified");
  for (int p = 0; p < 3; p++)
    if (!(s->at[p] = am_alloc(ctx, d->n + 1, sizeof *s->at[p]))) return am_no_memory(err);
  for (size_t i = 0; i < d->n; i++) {
    d->clips[i].part = AM_PART_NONE;
    d->clips[i].fold = -1;
  }
  am_status status;
  if (o->kind <= AM_SPLIT_STRATIFIED) status = split_random(ctx, d, o, s, err);
  else if (o->kind == AM_SPLIT_CORPUS) status = split_corpus(d, s, err);
  else status = split_by_speaker(ctx, d, o, s, err);
  if (!status) status = check_sides(ctx, d, s, err);
  return status ? status : check_asked(o, s, err);
}

am_status am_split_make(am_context *ctx, am_dataset *d, const am_split_options *options, am_split **out,
                        am_error *err) {
  *out = NULL;
  am_split *s = am_alloc(ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  am_status status = make(ctx, d, options, s, err);
  if (status) am_split_free(ctx, s);
  else *out = s;
  return status;
}

void am_split_free(am_context *ctx, am_split *s) {
  if (!s) return;
  for (int p = 0; p < 3; p++) am_free(ctx, s->at[p]);
  am_free(ctx, s);
}

void am_class_weights(const am_dataset *d, const uint32_t *clips, size_t n, double *weights) {
  for (int k = 0; k < d->n_labels; k++) weights[k] = 0;
  for (size_t i = 0; i < n; i++) weights[d->clips[clips[i]].label]++; /* whole numbers are exact */
  for (int k = 0; k < d->n_labels; k++)
    weights[k] = weights[k] > 0 ? (double)n / ((double)d->n_labels * weights[k]) : 0;
}
