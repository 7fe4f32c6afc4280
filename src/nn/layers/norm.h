/* SPDX-License-Identifier: MIT */
/* nn/layers/norm.h - what others need to know of a batch norm. */
#ifndef AM_NORM_H
#define AM_NORM_H

#include "nn/layer.h"

/* The line y = x scale + shift (C) that the batch norm is in inference; statistics: its mean and variance. */
void am_batch_norm_line(const am_layer *norm, const am_real *gamma, const am_real *beta,
                        const am_real *const statistics[2], double *scale, double *shift);
/* The share of its start that the moving statistics of a plain batch norm hold after so many updates; 0 of any other layer. */
double am_batch_norm_start(const am_layer *norm, uint64_t updates);
/* Whether a statistic ("batch_norm_1/updates") is the count of a corrected batch norm, which plain ones lack. */
bool am_batch_norm_counts(const char *statistic);

#endif
