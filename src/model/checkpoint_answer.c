/* model/checkpoint_answer.c - what the outputs of a checkpoint's model mean: one of classes, or values of dimensions. */
#include "model/calibration.h"
#include "model/checkpoint.h"

void am_values_from_outputs(const am_real *outputs, size_t n, const double scale[2], am_real *values) {
  const double middle = (scale[0] + scale[1]) / 2, half = (scale[1] - scale[0]) / 2;
  for (size_t i = 0; i < n; i++) values[i] = (am_real)(middle + half * (double)outputs[i]);
}

void am_checkpoint_answer(const am_checkpoint *c, const am_real *outputs, int rows, am_real *told) {
  if (c->values) am_values_from_outputs(outputs, (size_t)rows * (size_t)c->classes, c->scale, told);
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

void am_checkpoint_scale(const am_checkpoint *c, double *low, double *high) {
  if (low) *low = c ? c->scale[0] : 0;
  if (high) *high = c ? c->scale[1] : 0;
}
