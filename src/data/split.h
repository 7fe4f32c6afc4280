/* SPDX-License-Identifier: MIT */
/* data/split.h - training, validation and test part. */
#ifndef AM_SPLIT_H
#define AM_SPLIT_H

#include "data/dataset.h"

/* The config section `split`. */
#define AM_SPLIT_KINDS(X) \
  X(AM_SPLIT_RANDOM, "random") \
  X(AM_SPLIT_STRATIFIED, "stratified") \
  X(AM_SPLIT_SPEAKER, "speaker") \
  X(AM_SPLIT_KFOLD, "kfold") \
  X(AM_SPLIT_LOSO, "leave_one_speaker_out") \
  X(AM_SPLIT_FIXED, "fixed") \
  X(AM_SPLIT_CORPUS, "corpus") \
  X(AM_SPLIT_LOGO, "leave_one_group_out") \
  X(AM_SPLIT_LOCO, "leave_one_corpus_out")
typedef enum am_split_kind { AM_SPLIT_KINDS(AM_WORD_NAME) } am_split_kind;
typedef struct am_split_options {
  int kind;                /* am_split_kind */
  double test, validation; /* share of clips (random, stratified) or of speakers (speaker) */
  int64_t seed;            /* random_state; 42 */
  int64_t folds, fold;     /* kfold by speaker (GroupKFold-like, balanced); which fold is the test part */
  am_texts test_speakers, validation_speakers; /* fixed */
  const am_value *fold_lists;        /* list of lists of speakers: fixed folds; with `fold`; absent: the corpus's */
  int64_t validation_speakers_count; /* kfold, loso, fixed folds: speakers taken from training for choosing the epoch */
  bool stratify_by_speaker_sex;      /* speaker: keep odd/even actors balanced (RAVDESS) */
  bool
      stratify_by_label; /* kinds by speaker: each part has the labels (of each corpus, and sex) as the whole has them, as far
                           * as whole speakers allow; kfold then is scikit-learn's StratifiedGroupKFold */
  bool validation_same_group; /* leave_one_speaker_out: the other speakers of the group (session) validate */
} am_split_options;
extern const am_option am_split_table[];

typedef struct am_split {
  size_t n[3];     /* train, validation, test */
  uint32_t *at[3]; /* clip indices in drawn order; owned */
  uint64_t digest; /* am_data_digest as it was before clips with nothing to hear left their parts; 0: none did */
  bool speaker_independent; /* no speaker of validation or test is in train */
  bool speakers_known;
  int n_folds, fold;
  char note[256]; /* one line for output and results */
} am_split;

/* `random` is scikit-learn's train_test_split: the first ceil(test n) entries of RandomState(seed).permutation(n)
 * are the test part, the rest in that order training; with test 0 and validation > 0 the held-out part is called
 * validation (the published experiments).  All clips of an utterance go to one side, except in `random`. Sets clip.part. */
am_status am_split_make(am_context *ctx, am_dataset *d, const am_split_options *options, am_split **out, am_error *err);
void am_split_free(am_context *ctx, am_split *s);
/* Clips of a part by label (n_labels), am_free, NULL when memory is out; and how many labels have one there. */
size_t *am_split_clips(const am_dataset *d, const am_split *s, am_part part);
int am_split_classes(const am_dataset *d, const am_split *s, am_part part);
int am_split_part_speakers(const am_dataset *d, const am_split *s, am_part part); /* known ones */
double am_split_share(const am_split *s, am_part part);                           /* of the clips of all parts */
/* "train part: 864 clips (60.0 %) of 14 speakers: calm 115, ..." */
void am_split_describe(const am_dataset *d, const am_split *s, am_part part, am_buffer *out);
/* What a person would be told before such a split is trusted: parts without clips of a class, shares that are not those asked
 * for, little to train on, a class that is mostly one speaker's; a line each. */
am_status am_split_doubts(const am_dataset *d, const am_split_options *o, const am_split *s,
                          void (*say)(void *user, const char *line), void *user, am_error *err);

/* scikit-learn's class_weight="balanced": n / (classes * count). weights (n_labels). */
void am_class_weights(const am_dataset *d, const uint32_t *clips, size_t n, double *weights);

#endif
