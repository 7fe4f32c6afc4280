/* SPDX-License-Identifier: MIT */
/* exchange/values.c - see values.h. */
#include "exchange/values.h"

#include <string.h>

#include "base/base.h"
#include "nn/layer.h"

/* Of the rows of an array, whose columns are the outputs. */
static void apply(am_model *model, const am_array_info *info, const am_scale *scale, bool to, bool shift) {
  am_real *at = am_model_weights(model, NULL) + info->offset;
  const size_t K = (size_t)info->dims[info->rank - 1];
  for (size_t i = 0; i < info->count; i++) {
    const am_scale s = scale[i % K];
    const double half = (s.high - s.low) / 2, middle = (s.low + s.high) / 2;
    const double factor = to ? half : 1 / half, more = to ? middle : -middle / half;
    at[i] = (am_real)((double)at[i] * factor + (shift ? more : 0));
  }
}

/* The outputs, from -1 to 1, become values on their scales, or values become outputs. */
static am_status change(am_model *model, const char *file, const am_scale *scale, bool to, am_error *err) {
  const am_layer *last = &am_model_step(model, am_model_steps(model) - 1)->layer;
  const size_t n = strlen(last->name);
  const am_array_info *kernel = NULL, *bias = NULL;
  bool centred = true; /* the middle of each scale is 0 */
  for (size_t i = 0; i < am_model_weight_count(model) && last->cls == &am_dense; i++) {
    const am_array_info *info = am_model_weight_info(model, i);
    if (strncmp(info->name, last->name, n) || info->name[n] != '/') continue;
    if (!strcmp(info->name + n + 1, "kernel")) kernel = info;
    if (!strcmp(info->name + n + 1, "bias")) bias = info;
  }
  for (int k = 0; kernel && k < kernel->dims[kernel->rank - 1]; k++) centred &= scale[k].low + scale[k].high == 0;
  if (!kernel || (!bias && !centred))
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: the model ends in %s (layer %s); in other programs values are on their scale, which only a dense "
        "layer with a bias and without an activation can bring them to",
        file, last->cls->type, last->name);
  apply(model, kernel, scale, to, false);
  if (bias) apply(model, bias, scale, to, true);
  return AM_OK;
}

am_status am_values_to_scale(am_model *model, const char *file, const am_scale *scale, am_error *err) {
  return change(model, file, scale, true, err);
}

am_status am_values_from_scale(am_model *model, const char *file, const am_scale *scale, am_error *err) {
  return change(model, file, scale, false, err);
}
