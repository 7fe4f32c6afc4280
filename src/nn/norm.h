/* nn/norm.h - what a convolution needs to know of a batch norm to take it in. */
#ifndef AM_NORM_H
#define AM_NORM_H

#include "nn/layer.h"

/* The line y = x scale + shift (C) that the batch norm is in inference; statistics: its mean and variance. */
void am_batch_norm_line(const am_layer *norm, const am_real *gamma, const am_real *beta,
                        const am_real *const statistics[2], double *scale, double *shift);

#endif
