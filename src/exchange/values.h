/* SPDX-License-Identifier: MIT */
/* exchange/values.h - models of dimensions in other programs: there a model gives values on their scale, here -1 for the lowest of it
 * and 1 for the highest (am_values_from_outputs).  Weight and bias of the dense layer at the end hold the difference. */
#ifndef AM_EXCHANGE_VALUES_H
#define AM_EXCHANGE_VALUES_H

#include "data/scale.h"
#include "nn/model.h"

/* AM_E_UNSUPPORTED: the model does not end in a dense layer without an activation, or that has no bias and the scale no middle of
 * 0; `file` is for the message.  A scale for each of its outputs. */
am_status am_values_to_scale(am_model *model, const char *file, const am_scale *scale, am_error *err);
am_status am_values_from_scale(am_model *model, const char *file, const am_scale *scale, am_error *err);

#endif
