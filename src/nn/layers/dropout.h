/* SPDX-License-Identifier: MIT */
/* nn/layers/dropout.h - what a convolution needs to know of a dropout to take it in. */
#ifndef AM_DROPOUT_H
#define AM_DROPOUT_H

#include "nn/layer.h"

/* In training: to = from keep / (1 - rate) for elements [first, first + n) of clip b; from may be to. */
void am_dropout_apply(const am_layer *dropout, const am_pass *pass, size_t b, size_t first, size_t n,
                      const am_real *from, am_real *to);
/* 1 / (1 - rate) */
am_real am_dropout_scale(const am_layer *dropout);

/* Which of a clip's first n elements (order t, f, c) the layer keeps, 1 or 0 each, for the draw:
 * what forward and backward use, and what a comparison feeds to another framework. */
void am_dropout_mask(const am_layer *layer, uint64_t seed, uint64_t epoch, uint64_t draw, size_t n, uint8_t *keep);

#endif
