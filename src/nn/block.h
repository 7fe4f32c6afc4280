/* SPDX-License-Identifier: MIT */
/* nn/block.h - blocks, which are listed like a layer and become several steps. */
#ifndef AM_BLOCK_H
#define AM_BLOCK_H

#include "nn/item.h"

const am_block *am_block_find(const char *type);
const am_block *am_block_all(size_t *n);

/* Frames of a clip of `length` frames after the steps that lead from tensor `from` to tensor `to`. */
int am_model_length(const am_model *model, int from, int to, int length);
/* Appends the steps of the config list `layers`, which start from tensor *at and end in *at. */
am_status am_model_expand(am_model *model, const am_value *layers, int *at, am_error *err);

#endif
