/* SPDX-License-Identifier: MIT */
/* audio/normalise.h - mean and standard deviation of features, and their use. */
#ifndef AM_NORMALISE_H
#define AM_NORMALISE_H

#include "base/base.h"

/* Normalisation: mean and standard deviation per bin (or one pair for all). */
typedef struct am_norm_stats { /* streaming, double, Welford; merge order fixed by caller */
  int f;
  double count;
  double *mean, *m2; /* (F) each, owned */
} am_norm_stats;
am_status am_norm_init(am_context *ctx, am_norm_stats *s, int f, am_error *err);
void am_norm_free(am_context *ctx, am_norm_stats *s);
void am_norm_add(am_norm_stats *s, const float *x, int t); /* x (T,F) */
void am_norm_merge(am_norm_stats *into, const am_norm_stats *from);
/* mean and 1/deviation as float (F) each; by_all pools the bins; deviation below 1e-6 counts as 1. */
void am_norm_finish(const am_norm_stats *s, bool by_all, float *mean, float *inverse);
/* The same of statistics shrunk towards those of `prior`: as if `frames` frames with its mean and deviation had been heard, too.
 * `prior` NULL, or without a frame: as am_norm_finish, to the bit.  The one way from what was heard of a speaker to what normalises
 * him, for training, evaluation and prediction. */
void am_norm_shrink(const am_norm_stats *s, const am_norm_stats *prior, double frames, bool by_all, float *mean,
                    float *inverse);
void am_norm_apply(float *x, int t, int f, const float *mean, const float *inverse);

#endif
