/* SPDX-License-Identifier: MIT */
/* study/held_out.h - what models said of clips that they were not trained on, as their folders keep it: a run of its validation
 * part, a cross-validation of every clip by the run that it was held out of. */
#ifndef AM_HELD_OUT_H
#define AM_HELD_OUT_H

#include "run/results.h"

typedef struct am_held_clip {
  const char *clip, *speaker, *fold; /* borrowed from the results */
  int copy;                          /* of clips with one name (chunks): 0, 1 ... */
  int truth;                         /* -1 of values */
  int index;                         /* in the dataset; -1: it is not there */
} am_held_clip;

typedef struct am_held_out {
  am_context *ctx;
  const char *folder; /* borrowed */
  am_results results;
  am_predictions *of; /* the part's */
  int classes;
  size_t seeds; /* of a cross-validation; of a run 1 */
  size_t n;
  am_held_clip *at; /* (n) by clip, copy */
  double *logs;     /* (n,K) logarithms of the probabilities, the mean over the seeds; of values 0 */
  double *mean;     /* (n,K) of the probabilities themselves, or of values */
  am_dataset *d;    /* NULL: the corpus is not where the config says */
} am_held_out;

/* Of a cross-validation, or of a run with a validation part; with the classes, or of `values` the dimensions, `labels` (K) in this
 * order.  A crossval is wanted, or a run; one that is not finished is AM_E_DATA.  On failure *out is empty. */
am_status am_held_out_read(am_context *ctx, const char *folder, bool crossval, bool values, const char *const *labels,
                           int classes, am_held_out *out, am_error *err);
/* AM_E_DATA unless b says something of the very clips of a, with the same labels. */
am_status am_held_out_same(const am_held_out *a, const am_held_out *b, am_error *err);
/* AM_E_DATA when a model that said it knew a speaker of the clips that it was asked, as far as its best.h5 tells.  Adds the
 * speakers to `speakers`. */
am_status am_held_out_check(const am_held_out *h, am_names *speakers, am_error *err);
/* The same, and AM_E_DATA when one of them knows, by itself or by the model it began from, somebody who is not among `allowed`;
 * each run has to have its best.h5.  `whose` ("the training part of small.yaml"). */
am_status am_held_out_check_known(const am_held_out *h, const am_names *allowed, const char *whose, am_error *err);
/* With {0} nothing is done. */
void am_held_out_free(am_held_out *h);

#endif
