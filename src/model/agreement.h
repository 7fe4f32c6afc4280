/* SPDX-License-Identifier: MIT */
/* model/agreement.h - how well values agree with true ones: concordance, correlation, errors.
 *
 * Of true values t and predicted values y, with means, variances and covariance over n (population moments):
 *   ccc      2 cov(y,t) / (var y + var t + (mean y - mean t)^2)          concordance: Lin 1989
 *   pearson  cov(y,t) / sqrt(var y var t)
 *   rmse     sqrt(mean (y - t)^2)
 *   mae      mean |y - t|
 * All follow from sums over the clips, so those of any draw of speakers follow from the speakers' sums. */
#ifndef AM_AGREEMENT_H
#define AM_AGREEMENT_H

#include "base/base.h"

/* Sums over clips, of values less `from`, which is near them: nothing of their spread is lost. */
typedef struct am_moments {
  double n, y, t, yy, tt, yt, errors;
} am_moments;

/* What is not defined is NaN: ccc of fewer than two clips, or where both are one and the same constant; pearson where one of
 * both is constant; all of no clip. */
typedef struct am_agreement {
  size_t n; /* clips whose true value is known */
  double ccc, pearson, rmse, mae;
} am_agreement;

void am_moments_add(am_moments *m, double predicted, double truth, double from);
void am_moments_join(am_moments *to, const am_moments *from);
am_agreement am_agreement_of(const am_moments *m);
/* The mean of those that are numbers of n concordances, each `stride` bytes after the last; NaN: none is. */
double am_agreement_mean(const double *ccc, size_t n, size_t stride);

#endif
