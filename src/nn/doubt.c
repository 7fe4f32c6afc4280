/* SPDX-License-Identifier: MIT */
/* nn/doubt.c - what the numbers are that a model hands to the loss, which takes logits and lays a softmax over them. */
#include "nn/doubt.h"

#include <stdio.h>

#include "nn/plan.h"

/* Layers after which an activation's values are still values of that kind: none mixes them by weights of its own sign. */
static bool carries(const am_layer *layer) {
  static const am_layer_class *const carriers[] = {&am_flatten,        &am_to_sequence,         &am_dropout,
                                                   &am_max_pool1d,     &am_max_pool2d,          &am_average_pool1d,
                                                   &am_average_pool2d, &am_global_average_pool, &am_global_max_pool,
                                                   &am_attention_pool};
  for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
    if (layer->cls == carriers[i]) return true;
  return false;
}

/* Do outputs that sum to 1 over the channels still do so after this layer? A mean of such does; places side by side and
 * maxima do not. */
static bool keeps_sum(const am_layer *layer) {
  if (layer->cls == &am_max_pool1d || layer->cls == &am_max_pool2d || layer->cls == &am_global_max_pool) return false;
  return layer->out.c == layer->in[0].c;
}

const am_layer *am_model_limited(const am_model *model, bool *distribution) {
  static const am_layer_class *const limiting[] = {&am_softmax, &am_sigmoid, &am_relu, &am_tanh, &am_gelu, &am_silu};
  int at = (int)model->n_steps;
  if (at && model->steps[at - 1].layer.cls == &am_log_probabilities) at = model->steps[at - 1].inputs[0];
  *distribution = true;
  for (; at && carries(&model->steps[at - 1].layer); at = model->steps[at - 1].inputs[0])
    *distribution &= keeps_sum(&model->steps[at - 1].layer);
  const am_layer *layer = at ? &model->steps[at - 1].layer : NULL;
  *distribution &= layer && layer->cls == &am_softmax;
  for (size_t i = 0; layer && i < sizeof limiting / sizeof *limiting; i++)
    if (layer->cls == limiting[i]) return layer;
  return NULL;
}

bool am_model_output_doubt(const am_model *model, char *text, size_t size) {
  bool distribution;
  const am_layer *by = am_model_limited(model, &distribution);
  if (!by || am_model_ends_in_log(model)) return false;
  if (distribution)
    snprintf(text, size,
             "layer %s makes probabilities, and the loss and predictions lay another softmax over them; leave it "
             "out, or put log_probabilities at the end",
             by->name);
  else
    snprintf(text, size,
             "layer %s (%s) limits what the model gives, and the loss and predictions lay a softmax over that, "
             "which can then not tell classes far apart; end with dense without an activation",
             by->name, by->cls->type);
  return true;
}

bool am_model_values_doubt(const am_model *model, char *text, size_t size) {
  bool distribution;
  const am_layer *by = am_model_limited(model, &distribution);
  if (by && by->cls == &am_tanh) return false;
  if (by)
    snprintf(text, size,
             "layer %s (%s) limits what the model gives, and so it does not reach all of the scale; end with dense "
             "without an activation",
             by->name, by->cls->type);
  else if (am_model_ends_in_log(model))
    snprintf(text, size, "log_probabilities at the end is of classes; end with dense without an activation");
  return by || am_model_ends_in_log(model);
}

bool am_model_ends_in_log(const am_model *model) {
  return model->n_steps && model->steps[model->n_steps - 1].layer.cls == &am_log_probabilities;
}

bool am_model_start_doubt(const am_model *model, uint64_t steps, char *text, size_t size) {
  const char *layer = NULL;
  const double share = steps ? am_model_start_share(model, steps, &layer) : 0; /* no step: they came from elsewhere */
  if (share < AM_START_SHARE) return false;
  snprintf(
      text, size,
      "%s: after %llu steps its moving mean and variance are still %.0f %% what they began with, so another "
      "network is evaluated than was trained; batch_norm: {statistics: corrected} has no such start, more steps or "
      "a lower momentum forget it",
      layer, (unsigned long long)steps, 100 * share);
  return true;
}
