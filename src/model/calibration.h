/* model/calibration.h - probabilities that mean what they say: temperature scaling (Guo et al. 2017).
 *
 * A model's logits are divided by one number, the temperature, before the softmax.  It is chosen on clips that the model was
 * not trained on.  Above 1 it makes a model less sure, below 1 surer; the order of the classes stays. */
#ifndef AM_CALIBRATION_H
#define AM_CALIBRATION_H

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

#endif
