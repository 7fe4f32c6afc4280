/* nn/layers/dropout.h - what a convolution needs to know of a dropout to take it in. */
#ifndef AM_DROPOUT_H
#define AM_DROPOUT_H

#include "nn/layer.h"

/* In training: to = from keep / (1 - rate) for elements [first, first + n) of clip b; from may be to. */
void am_dropout_apply(const am_layer *dropout, const am_pass *pass, size_t b, size_t first, size_t n,
                      const am_real *from, am_real *to);
/* 1 / (1 - rate) */
am_real am_dropout_scale(const am_layer *dropout);

#endif
