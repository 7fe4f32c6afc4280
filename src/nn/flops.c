/* SPDX-License-Identifier: MIT */
/* nn/flops.c - operations and bytes of a model's steps. */
#include "nn/flops.h"

/* Whether anything before tensor `number` has weights, so that its gradient is computed. */
static bool has_weights_before(const am_model *model, int number) {
  if (!number) return false;
  const am_step *step = am_model_step(model, (size_t)number - 1);
  if (step->layer.n_weights) return true;
  for (int k = 0; k < step->layer.n_in; k++)
    if (has_weights_before(model, step->inputs[k])) return true;
  return false;
}

am_flops am_flops_of_step(const am_model *model, size_t i, double clips, double calls, bool training) {
  const am_step *step = am_model_step(model, i);
  const am_layer *layer = &step->layer;
  double flops = 2 * am_step_operations(step) * clips, weights = (double)am_step_weights(step) * calls;
  double in = 0, out = (double)am_shape_count(layer->out) * clips, passed_on = 0;
  for (int k = 0; k < layer->n_in; k++) {
    double count = (double)am_shape_count(layer->in[k]) * clips;
    in += count;
    if (has_weights_before(model, step->inputs[k])) passed_on += count;
  }
  am_flops w = {.forward_flops = flops, .forward_bytes = (in + out + weights) * sizeof(am_real)};
  if (!training || !(weights > 0 || passed_on > 0)) return w;
  w.backward_flops = flops * ((weights > 0) + (passed_on > 0));
  /* reads dy, x and w; writes dx; adds into dw */
  w.backward_bytes = (out + in + passed_on + (passed_on > 0 ? 3 : 2) * weights) * sizeof(am_real);
  return w;
}
