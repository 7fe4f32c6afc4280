/* SPDX-License-Identifier: MIT */
/* model/why.h - which frames and bins of a sound moved a model's answer, by occlusion (Zeiler & Fergus 2014).
 *
 * A patch of what the net hears, its features after normalisation, is replaced by the mean of each bin over the sound, so it says no
 * more than any other moment of this bin.  What the log-odds of a class then lose is the effect of the patch: above 0 it spoke for the
 * class, below 0 against it.  Of a model of dimensions it is the value that is looked at, on its scale.  Patches are two cells wide and two high and begin a cell apart, so each cell is in four of them and gets
 * their mean.  It is the answer itself that is asked, batch norm and dropout as in a prediction, so it holds for every net; gradients
 * would be those of a training step. */
#ifndef AM_WHY_H
#define AM_WHY_H

#include "model/checkpoint.h"

typedef struct am_why {
  int t, f;              /* frames with sound, and bins */
  float *x;              /* (t,f) what the net hears */
  float *effect;         /* (t,f) log-odds, or of the value */
  float *by_frame;       /* (t) the same of patches of all bins, */
  float *by_bin;         /* (f) and of all frames */
  double figure;         /* log-odds of the class, or value of the dimension, by this model alone */
  double start, seconds; /* of the frames within the sound, s */
  double *hertz;         /* (f) centres of the bins, rising; NULL: they are no frequencies, or not these alone */
} am_why;

/* What is asked of the outputs. */
typedef struct am_why_question {
  int output;            /* which class or dimension */
  double temperature;    /* of the probabilities */
  const am_scale *scale; /* of the value of a dimension; NULL: it is the log-odds of a class */
} am_why_question;

/* Of a model that hears frames: `length` of them in x (T,F), padded with zeros as its input is.  start, seconds and hertz are the
 * caller's. */
am_status am_why_scan(am_context *ctx, am_model *model, const float *x, int length, const am_why_question *of,
                      am_why *out, am_error *err);
/* Of a single model (am_checkpoint_member) and n samples at its own rate.  AM_E_UNSUPPORTED: it hears one vector of the whole sound;
 * AM_E_DATA: there is nothing to hear. */
am_status am_why_sound(am_checkpoint *member, const float *samples, size_t n, int output, am_why *out, am_error *err);
void am_why_free(am_context *ctx, am_why *why);

#endif
