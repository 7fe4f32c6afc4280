/* SPDX-License-Identifier: MIT */
/* data/split_speaker.c - splits that keep every speaker on one side. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/names.h"
#include "data/sklearn.h"
#include "data/split.h"
#include "data/split_balance.h"
#include "data/split_speaker.h"

typedef struct cut {
  am_context *ctx;
  const am_dataset *d;
  const am_split_options *o;
  am_part *role;
  int *fold_of;
  am_split *s;
  int *sex;      /* 1 odd (male), 0 even (female), by RAVDESS's numbering; all 0 when it does not matter */
  size_t *clips; /* of each speaker */
  uint32_t *order, *train, *test; /* (n_speakers) scratch */
  uint32_t *table;                /* (n_speakers,classes) clips by what is to be balanced; NULL: nothing is */
  size_t classes;
} cut;

static size_t speakers(const cut *c) { return (size_t)c->d->n_speakers; }

static am_status read_sexes(cut *c, am_error *err) {
  for (size_t i = 0; i < speakers(c) && c->o->stratify_by_speaker_sex; i++) {
    const char *name = c->d->speakers[i];
    size_t n = strlen(name);
    if (!n || name[n - 1] < '0' || name[n - 1] > '9')
      return am_fail(err, AM_E_CONFIG,
                     "split.stratify_by_speaker_sex: speaker \"%s\" does not end in a number; the option "
                     "is for corpora whose odd speakers are male and even ones female (RAVDESS)",
                     name);
    c->sex[i] = (name[n - 1] - '0') % 2;
  }
  return AM_OK;
}

/* What is balanced: labels, of each corpus and sex where those count.  Combinations without a clip take no part. */
static am_status count_classes(cut *c, am_error *err) {
  const am_dataset *d = c->d;
  size_t corpora = d->n_corpora > 1 ? (size_t)d->n_corpora : 1, all = am_mul(am_mul((size_t)d->n_labels, corpora), 2);
  uint32_t *number = am_alloc(c->ctx, all, sizeof *number);
  if (!number) return am_no_memory(err);
#define CLASS_OF(clip) \
  (((size_t)(clip)->label * corpora + (size_t)(clip)->corpus) * 2 + (size_t)c->sex[(clip)->speaker])
  for (size_t i = 0; i < d->n; i++) number[CLASS_OF(&d->clips[i])] = 1;
  for (size_t i = 0; i < all; i++)
    if (number[i]) number[i] = (uint32_t)c->classes++;
  c->table = am_alloc(c->ctx, am_mul(speakers(c) + 1, c->classes), sizeof *c->table);
  for (size_t i = 0; i < d->n && c->table; i++)
    c->table[(size_t)d->clips[i].speaker * c->classes + number[CLASS_OF(&d->clips[i])]]++;
#undef CLASS_OF
  am_free(c->ctx, number);
  return c->table ? AM_OK : am_no_memory(err);
}

/* Speakers in drawn order, each to the part that lacks most clips; a part that was asked for never stays empty, if there
 * are speakers enough.  Then they change places while that brings the parts nearer to the corpus. */
static am_status cut_balanced(cut *c, am_error *err) {
  size_t n = speakers(c), empty = 0;
  const double share[3] = {1 - c->o->test - c->o->validation, c->o->validation, c->o->test};
  double given[3] = {0}, all = 0;
  am_mt19937 *mt = am_alloc(c->ctx, 1, sizeof *mt);
  if (!mt) return am_no_memory(err);
  am_mt_seed(mt, (uint32_t)c->o->seed);
  am_mt_permutation(mt, c->order, n);
  am_free(c->ctx, mt);
  for (int part = 0; part < 3; part++) empty += share[part] > 0;
  for (size_t i = 0; i < n; i++) all += (double)c->clips[i];
  if (n < empty)
    return am_fail(err, AM_E_CONFIG, "split: %zu speakers are too few for %zu parts of whole speakers", n, empty);
  for (size_t i = 0; i < n; i++) {
    int best = -1;
    for (int part = 0; part < 3; part++) {
      if (!(share[part] > 0) || (n - i <= empty && given[part] > 0)) continue;
      if (best < 0 || share[part] - given[part] > share[best] - given[best]) best = part;
    }
    empty -= !(given[best] > 0);
    given[best] += (double)c->clips[c->order[i]] / all;
    c->role[c->order[i]] = (am_part)best;
  }
  am_balance b = {.table = c->table,
                  .classes = c->classes,
                  .share = {share[0], share[1], share[2]},
                  .moves = true,
                  .role = c->role};
  snprintf(c->s->note, sizeof c->s->note, "split by speaker, balanced by label");
  return am_balance_parts(c->ctx, &b, c->order, n, err);
}

/* Shares of speakers; plain is scikit-learn's GroupShuffleSplit. */
static am_status cut_shares(cut *c, am_error *err) {
  size_t n = speakers(c), n_test = am_share_count(c->o->test, n), n_validation = am_share_count(c->o->validation, n);
  uint32_t seed = (uint32_t)c->o->seed;
  const int *sex = c->o->stratify_by_speaker_sex ? c->sex : NULL;
  snprintf(c->s->note, sizeof c->s->note, "split by speaker");
  for (int pass = 0; pass < 2; pass++) {
    size_t count = pass ? n_validation : n_test, left = 0;
    if (!count) continue;
    int *labels = am_alloc(c->ctx, n, sizeof *labels);
    if (!labels) return am_no_memory(err);
    for (uint32_t i = 0; i < n; i++)
      if (c->role[i] == AM_PART_TRAIN) {
        labels[left] = c->sex[i];
        c->order[left++] = i;
      }
    am_status status = am_draw_test(c->ctx, left, count, seed, sex ? labels : NULL, c->train, c->test, err);
    am_free(c->ctx, labels);
    if (status) return status;
    for (size_t i = 0; i < count; i++) c->role[c->order[c->test[i]]] = pass ? AM_PART_VALIDATION : AM_PART_TEST;
  }
  return AM_OK;
}

typedef struct lot {
  size_t clips, turn;
  uint32_t speaker;
} lot;

/* Equal counts stay in drawn order. */
static int most_first(const void *a, const void *b) {
  const lot *x = a, *y = b;
  if (x->clips != y->clips) return x->clips > y->clips ? -1 : 1;
  return x->turn < y->turn ? -1 : 1;
}

/* Most clips first, each to the lightest fold (GroupKFold); the seed breaks ties between speakers. */
static am_status fill_folds(cut *c, am_error *err) {
  size_t n = speakers(c), k = (size_t)c->o->folds;
  am_mt19937 *mt = am_alloc(c->ctx, 1, sizeof *mt);
  size_t *load = am_alloc(c->ctx, am_mul(3, k), sizeof *load); /* [fold][all, even, odd] */
  lot *drawn = am_alloc(c->ctx, n + 1, sizeof *drawn);
  if (!mt || !load || !drawn) {
    am_free(c->ctx, drawn);
    am_free(c->ctx, mt);
    am_free(c->ctx, load);
    return am_no_memory(err);
  }
  am_mt_seed(mt, (uint32_t)c->o->seed);
  am_mt_permutation(mt, c->order, n);
  for (size_t i = 0; i < n; i++) drawn[i] = (lot){c->clips[c->order[i]], i, c->order[i]};
  qsort(drawn, n, sizeof *drawn, most_first);
  for (size_t i = 0; i < n; i++) c->order[i] = drawn[i].speaker;
  for (size_t i = 0; i < n; i++) {
    uint32_t speaker = c->order[i];
    size_t best = 0, own = 1 + (size_t)c->sex[speaker];
    for (size_t f = 1; f < k; f++)
      if (load[3 * f + own] < load[3 * best + own] ||
          (load[3 * f + own] == load[3 * best + own] && load[3 * f] < load[3 * best]))
        best = f;
    load[3 * best] += c->clips[speaker];
    load[3 * best + own] += c->clips[speaker];
    c->fold_of[speaker] = (int)best;
  }
  am_free(c->ctx, drawn);
  am_free(c->ctx, load);
  am_free(c->ctx, mt);
  c->s->n_folds = (int)k;
  return AM_OK;
}

/* scikit-learn's StratifiedGroupKFold. */
static am_status fill_balanced(cut *c, am_error *err) {
  c->s->n_folds = (int)c->o->folds;
  return am_stratified_folds(c->ctx, c->table, speakers(c), c->classes, (size_t)c->o->folds, (uint32_t)c->o->seed,
                             c->fold_of, err);
}

/* Folds count from 0, as split.fold, folders and --folds do. */
static am_status test_fold(cut *c, const char *how, am_error *err) {
  if (c->o->fold < 0 || c->o->fold >= c->s->n_folds)
    return am_fail(err, AM_E_CONFIG, "split.fold is %d; wanted 0 to %d", (int)c->o->fold, c->s->n_folds - 1);
  c->s->fold = (int)c->o->fold;
  for (size_t i = 0; i < speakers(c); i++)
    if (c->fold_of[i] == c->s->fold) c->role[i] = AM_PART_TEST;
  snprintf(c->s->note, sizeof c->s->note, "fold %d of %d%s", c->s->fold, c->s->n_folds, how);
  return AM_OK;
}

static am_status cut_folds(cut *c, am_error *err) {
  if ((size_t)c->o->folds > speakers(c))
    return am_fail(err, AM_E_CONFIG, "split.folds is %zu and the corpus has %zu speakers; wanted at most as many folds",
                   (size_t)c->o->folds, speakers(c));
  am_status status = c->table ? fill_balanced(c, err) : fill_folds(c, err);
  return status ? status : test_fold(c, c->table ? ", balanced by label" : "", err);
}

static am_status fail_speaker(const cut *c, const char *key, const char *name, am_error *err) {
  const am_dataset *d = c->d;
  return am_fail(err, AM_E_CONFIG, "%s: the corpus has no speaker \"%s\"; it has %d, from %s to %s", key, name,
                 d->n_known_speakers, d->speakers[0], d->speakers[d->n_known_speakers - 1]);
}

/* Fixed lists: speakers of the corpus that have no clip here are passed over. */
static am_status set_role(cut *c, const char *key, const char *name, am_part part, am_error *err) {
  int i = am_dataset_speaker(c->d, name);
  if (i < 0) return fail_speaker(c, key, name, err);
  if (i >= c->d->n_speakers) return AM_OK;
  if (c->role[i] != AM_PART_TRAIN && c->role[i] != part)
    return am_fail(err, AM_E_CONFIG, "%s: speaker %s is in the %s part already", key, name, am_part_name(c->role[i]));
  c->role[i] = part;
  return AM_OK;
}

static am_status read_fold(cut *c, const am_value *list, int fold, am_error *err) {
  if (list->kind != AM_LIST) return am_fail_at(err, list, "split.fold_lists: wanted a list of lists of speakers");
  for (const am_value *v = list->first; v; v = v->next) {
    if (v->kind != AM_SCALAR) return am_fail_at(err, v, "split.fold_lists: wanted a speaker");
    int i = am_dataset_speaker(c->d, v->text);
    if (i < 0) return am_fail_at(err, v, "split.fold_lists: the corpus has no speaker \"%s\"", v->text);
    if (i >= c->d->n_speakers) continue;
    if (c->fold_of[i] >= 0)
      return am_fail_at(err, v, "split.fold_lists: speaker %s is in two folds, %d and %d", v->text, c->fold_of[i],
                        fold);
    c->fold_of[i] = fold;
  }
  return AM_OK;
}

static am_status cut_fold_lists(cut *c, const am_value *lists, am_error *err) {
  am_status status = AM_OK;
  int fold = 0;
  for (const am_value *v = lists->first; v && !status; v = v->next) status = read_fold(c, v, fold++, err);
  if (status) return status;
  for (size_t i = 0; i < speakers(c); i++)
    if (c->fold_of[i] < 0)
      am_log(c->ctx, AM_LOG_WARNING, "split.fold_lists: speaker %s is in no fold and always trains", c->d->speakers[i]);
  c->s->n_folds = fold;
  return test_fold(c, "", err);
}

static am_status cut_fixed(cut *c, am_error *err) {
  const am_split_options *o = c->o;
  am_status status = AM_OK;
  const am_value *lists = o->fold_lists && o->fold_lists->first ? o->fold_lists : NULL;
  if (!lists && !o->test_speakers.n) lists = c->d->folds;
  if (lists) {
    status = cut_fold_lists(c, lists, err);
  } else {
    if (!o->test_speakers.n && !o->validation_speakers.n)
      return am_fail(err, AM_E_CONFIG,
                     "split.kind fixed needs split.test_speakers, split.validation_speakers or split.fold_lists");
    snprintf(c->s->note, sizeof c->s->note, "fixed speakers");
    for (size_t i = 0; i < o->test_speakers.n && !status; i++)
      status = set_role(c, "split.test_speakers", o->test_speakers.at[i], AM_PART_TEST, err);
  }
  for (size_t i = 0; i < o->validation_speakers.n && !status; i++)
    status = set_role(c, "split.validation_speakers", o->validation_speakers.at[i], AM_PART_VALIDATION, err);
  return status;
}

static am_status cut_loso(cut *c, am_error *err) {
  for (size_t i = 0; i < speakers(c); i++) c->fold_of[i] = (int)i;
  c->s->n_folds = (int)speakers(c);
  am_status status = test_fold(c, "", err);
  if (!status)
    snprintf(c->s->note, sizeof c->s->note, "speaker %.64s left out (fold %d of %d)", c->d->speakers[c->s->fold],
             c->s->fold, c->s->n_folds);
  return status;
}

/* Who shares a group with the left-out speaker: of a dialogue of two, the partner. */
static am_status validate_on_group(cut *c, am_error *err) {
  const am_dataset *d = c->d;
  const char *name = d->speakers[c->s->fold];
  int group = -1, taken = 0;
  for (size_t i = 0; i < d->n && group < 0; i++)
    if (d->clips[i].speaker == c->s->fold) group = d->clips[i].group;
  if (group < 0)
    return am_fail(err, AM_E_CONFIG,
                   "split.validation_same_group: the corpus gives no group (session) for "
                   "speaker %s",
                   name);
  for (size_t i = 0; i < d->n; i++) {
    if (d->clips[i].group != group || c->role[d->clips[i].speaker] != AM_PART_TRAIN) continue;
    c->role[d->clips[i].speaker] = AM_PART_VALIDATION;
    taken++;
  }
  if (!taken)
    return am_fail(err, AM_E_DATA, "split.validation_same_group: speaker %s is alone in %s", name, d->groups[group]);
  return AM_OK;
}

/* A group (session) is tested with all its speakers, who must be in no other. */
static am_status cut_groups(cut *c, am_error *err) {
  const am_dataset *d = c->d;
  for (size_t i = 0; i < d->n; i++) {
    const am_clip *clip = &d->clips[i];
    int *fold = &c->fold_of[clip->speaker];
    if (clip->group < 0)
      return am_fail(err, AM_E_DATA,
                     "%s: the corpus gives no group (session) for this clip, and split.kind "
                     "leave_one_group_out needs one; use leave_one_speaker_out",
                     clip->name);
    if (*fold >= 0 && *fold != clip->group)
      return am_fail(err, AM_E_DATA,
                     "split.kind leave_one_group_out: speaker %s is in the groups %s and %s and "
                     "would be on both sides; use leave_one_speaker_out",
                     d->speakers[clip->speaker], d->groups[*fold], d->groups[clip->group]);
    *fold = clip->group;
  }
  if (d->n_groups < 2)
    return am_fail(err, AM_E_DATA, "split.kind leave_one_group_out: the clips are all of one group, %s", d->groups[0]);
  c->s->n_folds = d->n_groups;
  am_status status = test_fold(c, "", err);
  if (!status)
    snprintf(c->s->note, sizeof c->s->note, "%.64s left out (fold %d of %d)", d->groups[c->s->fold], c->s->fold,
             c->s->n_folds);
  return status;
}

/* Each of several corpora is tested by a model of the others; parts of one corpus are left out together. */
static am_status cut_corpora(cut *c, am_error *err) {
  const am_dataset *d = c->d;
  const char *name = "";
  int *whole = am_alloc(c->ctx, (size_t)d->n_corpora + 1, sizeof *whole);
  am_status status = whole ? am_dataset_corpora(c->ctx, d, whole, &c->s->n_folds, err) : am_no_memory(err);
  if (!status && c->s->n_folds < 2)
    status =
        am_fail(err, AM_E_DATA,
                "split.kind leave_one_corpus_out: the clips are all of one corpus; wanted data.corpus several with "
                "two corpora or more");
  for (size_t i = 0; i < d->n && !status; i++) {
    const am_clip *clip = &d->clips[i];
    const int fold = whole[clip->corpus];
    if (fold == c->o->fold && !*name) name = d->corpora[clip->corpus];
    c->fold_of[clip->speaker] = fold;
  }
  am_free(c->ctx, whole);
  if (!status) status = test_fold(c, "", err);
  if (!status)
    snprintf(c->s->note, sizeof c->s->note, "%.64s left out (fold %d of %d)", name, c->s->fold, c->s->n_folds);
  return status;
}

/* Speakers taken from the training part for choosing the epoch, turn by turn from each sex where that matters. */
static am_status take_validation(cut *c, am_error *err) {
  size_t left = 0, wanted = (size_t)c->o->validation_speakers_count;
  for (uint32_t i = 0; i < speakers(c); i++)
    if (c->role[i] == AM_PART_TRAIN) c->order[left++] = i;
  if (wanted >= left)
    return am_fail(err, AM_E_CONFIG,
                   "split.validation_speakers_count is %zu and %zu speakers are left for training; wanted fewer",
                   wanted, left);
  am_rng rng = am_rng_stream((uint64_t)c->o->seed, AM_FOR_SPLIT, (uint64_t)c->s->fold, 0, 0);
  am_rng_shuffle(&rng, c->order, left);
  if (c->table && wanted) {
    am_balance b = {.table = c->table, .classes = c->classes, .role = c->role};
    b.share[AM_PART_VALIDATION] = (double)wanted / (double)left;
    b.share[AM_PART_TRAIN] = 1 - b.share[AM_PART_VALIDATION];
    for (size_t i = 0; i < wanted; i++) c->role[c->order[i]] = AM_PART_VALIDATION;
    return am_balance_parts(c->ctx, &b, c->order, left, err);
  }
  int turn = left ? c->sex[c->order[0]] : 0;
  size_t next[2] = {0, 0}; /* the first of each sex who still trains */
  for (size_t taken = 0; taken < wanted; taken++) {
    for (int sex = 0; sex < 2; sex++)
      while (next[sex] < left && (c->role[c->order[next[sex]]] != AM_PART_TRAIN || c->sex[c->order[next[sex]]] != sex))
        next[sex]++;
    size_t pick = next[turn] < left ? next[turn] : next[!turn];
    c->role[c->order[pick]] = AM_PART_VALIDATION;
    if (c->o->stratify_by_speaker_sex) turn = !turn;
  }
  return AM_OK;
}

static am_status run(cut *c, am_error *err) {
  am_status status = read_sexes(c, err);
  if (!status && c->o->stratify_by_label) status = count_classes(c, err);
  if (status) return status;
  switch (c->o->kind) {
    case AM_SPLIT_SPEAKER: return c->table ? cut_balanced(c, err) : cut_shares(c, err);
    case AM_SPLIT_KFOLD: status = cut_folds(c, err); break;
    case AM_SPLIT_LOSO:
      status = cut_loso(c, err);
      if (!status && c->o->validation_same_group) status = validate_on_group(c, err);
      break;
    case AM_SPLIT_LOGO: status = cut_groups(c, err); break;
    case AM_SPLIT_LOCO: status = cut_corpora(c, err); break;
    default: status = cut_fixed(c, err);
  }
  return status ? status : c->o->validation_speakers_count ? take_validation(c, err) : AM_OK;
}

am_status am_split_speakers(am_context *ctx, const am_dataset *d, const am_split_options *o, am_part *role,
                            int *fold_of, am_split *s, am_error *err) {
  size_t n = (size_t)d->n_speakers;
  for (size_t i = 0; i < d->n; i++)
    if (d->clips[i].speaker < 0)
      return am_fail(err, AM_E_DATA,
                     "%s: the corpus does not say who speaks, and this split is by speaker; use split.kind "
                     "random or stratified, or give a manifest with a speaker column",
                     d->clips[i].name);
  cut c = {.ctx = ctx, .d = d, .o = o, .role = role, .fold_of = fold_of, .s = s};
  c.sex = am_alloc(ctx, n + 1, sizeof *c.sex);
  c.clips = am_alloc(ctx, n + 1, sizeof *c.clips);
  c.order = am_alloc(ctx, n + 1, sizeof *c.order);
  c.train = am_alloc(ctx, n + 1, sizeof *c.train);
  c.test = am_alloc(ctx, n + 1, sizeof *c.test);
  am_status status = c.sex && c.clips && c.order && c.train && c.test ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) {
    role[i] = AM_PART_TRAIN;
    fold_of[i] = -1;
  }
  for (size_t i = 0; i < d->n && !status; i++) c.clips[d->clips[i].speaker]++;
  if (!status) status = run(&c, err);
  am_free(ctx, c.table);
  am_free(ctx, c.test);
  am_free(ctx, c.train);
  am_free(ctx, c.order);
  am_free(ctx, c.clips);
  am_free(ctx, c.sex);
  return status;
}
