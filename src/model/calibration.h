/* SPDX-License-Identifier: MIT */
/* model/calibration.h - probabilities that mean what they say, and answers that are left out where they say too little.
 *
 * Temperature scaling (Guo et al. 2017): a model's logits are divided by one number, the temperature, before the softmax.  It is
 * chosen on clips that the model was not trained on.  Above 1 it makes a model less sure, below 1 surer; the order of the classes
 * stays.
 *
 * Thresholds (selective classification, El-Yaniv & Wiener 2010): the most probable class is the answer from a probability on that
 * was chosen on such clips, too; below it, there is none. */
#ifndef AM_CALIBRATION_H
#define AM_CALIBRATION_H

#include "data/dataset.h"
#include "tensor/tensor.h"

/* Temperatures that are fitted and read. */
#define AM_LOWEST_TEMPERATURE 0.01
#define AM_HIGHEST_TEMPERATURE 100.0

/* The temperature with the least mean negative log-likelihood of the labels (n, each 0 to classes - 1) by the logits (n,K), which
 * may as well be log-probabilities.  In 1 / temperature this is convex.  Logits that say nothing of the labels, or the wrong
 * thing, get the highest temperature, at which all classes are about as probable.  False, and a temperature of 1, where the
 * clips do not say: all of them are right, so the least is at 0; all logits are equal; there is no clip; or a logit is
 * not finite. */
bool am_calibration_fit(const am_real *logits, const int *labels, size_t n, int classes, double *temperature);

/* Probabilities (rows,K) of logits at a temperature; at 1 the bits are those of am_softmax_rows.  Both may be one array. */
void am_calibration_softmax(const am_real *logits, int rows, int classes, double temperature, am_real *probabilities);

/* Whether a temperature is one that is fitted. */
bool am_calibration_allows(double temperature);

/* From which probability on a class is the answer.  All zero: every answer is given. */
typedef struct am_thresholds {
  double precision;          /* share of the answers that is wanted to be right; 0: there are no thresholds */
  double at[AM_MAX_CLASSES]; /* (K) 0 to 1, or AM_NEVER */
} am_thresholds;
#define AM_NEVER 2.0 /* no probability is enough */

/* Those at which, of the answers to clips like these, the wanted share (above 0, below 1) is right; probabilities (n,K).
 *
 * All classes get the lowest threshold from which on the one-sided 90 % limit (Clopper & Pearson 1934) of the share that is right is
 * at least `precision`: the share itself would be too hopeful, as the threshold is chosen by it.  A class of which ten answers or
 * more are left gets a higher one where too few of them are right: the lowest with the wanted share of its own.  That is
 * AM_NEVER where there is none.  Between the probabilities of two clips it is the middle. */
am_status am_thresholds_fit(am_context *ctx, const float *probabilities, const int *labels, size_t n, int classes,
                            double precision, am_thresholds *out, am_error *err);
/* The most probable class, or AM_UNCERTAIN (-1) where its probability is below its threshold, or not a number. */
int am_thresholds_decide(const am_thresholds *t, const float *probabilities, int classes);
/* Whether they could have been fitted. */
bool am_thresholds_allow(const am_thresholds *t, int classes);

#endif
