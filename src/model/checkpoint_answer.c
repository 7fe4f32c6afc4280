/* SPDX-License-Identifier: MIT */
/* model/checkpoint_answer.c - what the outputs of a checkpoint's model mean: one of classes, or values of dimensions. */
#include "model/calibration.h"
#include "model/checkpoint.h"

#include <math.h>

void am_values_from_outputs(const am_real *outputs, size_t rows, size_t K, const am_scale *scale, am_real *values) {
  for (size_t i = 0; i < rows * K; i++) values[i] = (am_real)am_scale_value(scale[i % K], (double)outputs[i]);
}

void am_checkpoint_answer(const am_checkpoint *c, const am_real *outputs, int rows, am_real *told) {
  if (c->values) am_values_from_outputs(outputs, (size_t)rows, (size_t)c->classes, c->scale, told);
  else am_calibration_softmax(outputs, rows, c->classes, c->any.temperature, told);
}

am_status am_checkpoint_need_classes(const am_checkpoint *c, const char *what, am_error *err) {
  if (!c->values) return AM_OK;
  return am_fail(err, AM_E_USAGE, "%s%swanted a model of emotions; this one tells values of dimensions (%s, ...)", what,
                 *what ? ": " : "", c->labels[0]);
}

am_target am_checkpoint_target(const am_checkpoint *c) {
  return c && c->values ? AM_TARGET_DIMENSIONS : AM_TARGET_EMOTION;
}

static void give(am_scale s, double *low, double *high) {
  if (low) *low = s.low;
  if (high) *high = s.high;
}

void am_checkpoint_scale(const am_checkpoint *c, double *low, double *high) {
  am_scale all = c && c->scale ? c->scale[0] : (am_scale){0};
  for (int k = 1; c && c->scale && k < c->classes; k++)
    all = (am_scale){fmin(all.low, c->scale[k].low), fmax(all.high, c->scale[k].high)};
  give(all, low, high);
}

void am_checkpoint_dimension_scale(const am_checkpoint *c, int dimension, double *low, double *high) {
  const bool has = c && c->scale && dimension >= 0 && dimension < c->classes;
  give(has ? c->scale[dimension] : (am_scale){0}, low, high);
}
