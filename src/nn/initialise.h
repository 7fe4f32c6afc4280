/* SPDX-License-Identifier: MIT */
/* nn/initialise.h - the first values of weights. */
#ifndef AM_INITIALISE_H
#define AM_INITIALISE_H

#include "nn/layer.h"

/* Fills one array. Element i of an array draws from stream (seed, INIT, layer id, array index). */
void am_array_initialise(const am_array *array, am_real *w, uint64_t seed, uint32_t layer_id, int index);

#endif
