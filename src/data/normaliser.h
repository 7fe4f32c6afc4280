/* SPDX-License-Identifier: MIT */
/* data/normaliser.h - how features become what a model sees: by clip, by speaker, by corpus, by the training part. */
#ifndef AM_NORMALISER_H
#define AM_NORMALISER_H

#include "data/store.h"

/* Normalisation of one run: how x (T,F) becomes what the model sees. */
typedef struct am_normaliser {
  int kind; /* am_normalise */
  bool by_all;
  int f;
  float *mean,
      *inverse; /* (F); train: of the training part; corpus: the mean over its corpora, for sounds of any other */
  int n_copies; /* of am_store_add_copies: a voice, or a corpus, has rows of its own for the copies of each number */
  int n_speakers;
  float *speaker_mean, *speaker_inverse; /* speaker: (1 + n_copies, n_speakers, F) */
  int n_corpora;
  float *corpus_mean, *corpus_inverse; /* corpus: (1 + n_copies, n_corpora, F); parts of one corpus have the same */
  am_norm_stats
      training; /* speaker: of the training part, for voices of which little is heard (am_norm_shrink); f 0: not known */
} am_normaliser;

/* Statistics from the given clips (the training part) and their copies for kind train; from all clips of each speaker or corpus for
 * kinds speaker and corpus, and apart from these from the copies of one number. */
am_status am_normaliser_fit(am_context *ctx, const am_store *store, const am_dataset *d, const am_feature_options *o,
                            const uint32_t *train, size_t n_train, am_normaliser *out, am_error *err);
/* Kind speaker, from the clips `heard` alone: what of a voice there is before the clips that it is wanted for.  Shrunk towards
 * `training` (f 0: not at all) by o->shrink. */
am_status am_normaliser_enrol(am_context *ctx, const am_store *store, const am_dataset *d, const am_feature_options *o,
                              const am_norm_stats *training, const uint32_t *heard, size_t n_heard, am_normaliser *out,
                              am_error *err);
/* Whether what is scored has a part in what normalises it: all clips of a speaker, or of a corpus. */
bool am_normalise_transductive(int kind);
/* Whose statistics a clip is normalised by: its speaker or corpus, or -1. */
int am_normaliser_whose(const am_normaliser *nz, const am_clip *clip);
/* The same of a copy (am_store_copy) of this number. */
int am_normaliser_whose_copy(const am_normaliser *nz, const am_clip *clip, int number);
void am_normaliser_apply(const am_normaliser *nz, int whose, float *x, int t);
void am_normaliser_free(am_context *ctx, am_normaliser *nz);

#endif
