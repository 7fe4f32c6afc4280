/* SPDX-License-Identifier: MIT */
/* exchange/state_dict.h - the tensors of a state dict of PyTorch find the layers of a model (docs/safetensors.md). */
#ifndef AM_STATE_DICT_H
#define AM_STATE_DICT_H

#include "exchange/torch.h"
#include "io/safetensors.h"

/* Reads the tensors of a state dict into the model's layers, which torch->model has.  `map`: the root of that file, or NULL. */
am_status am_state_dict_take(am_torch *torch, const am_safetensors *file, const am_value *map, am_error *err);

#endif
