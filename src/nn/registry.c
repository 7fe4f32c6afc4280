/* nn/registry.c - every layer there is.  A new layer adds one line here. */
#include "nn/registry.h"
#include "nn/layer.h"

#include <string.h>

#define LAYERS(X) \
  X(am_conv1d) \
  X(am_conv2d) \
  X(am_max_pool1d) \
  X(am_max_pool2d) \
  X(am_average_pool1d) \
  X(am_average_pool2d) \
  X(am_global_average_pool) \
  X(am_global_max_pool) \
  X(am_dense) \
  X(am_flatten) \
  X(am_to_sequence) \
  X(am_dropout) \
  X(am_relu) \
  X(am_leaky_relu) \
  X(am_gelu) \
  X(am_silu) \
  X(am_tanh) \
  X(am_sigmoid) \
  X(am_softmax) \
  X(am_log_probabilities) \
  X(am_batch_norm) \
  X(am_layer_norm) \
  X(am_lstm) \
  X(am_gru) \
  X(am_attention_pool) \
  X(am_join_add) \
  X(am_join_concat) \
  X(am_join_scale)

#define DECLARE(layer) extern const am_layer_class layer;
#define POINTER(layer) &(layer),
LAYERS(DECLARE)

static const am_layer_class *const classes[] = {LAYERS(POINTER)};

const am_layer_class *am_layer_find(const char *type) {
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    if (!strcmp(classes[i]->type, type)) return classes[i];
  return NULL;
}

const am_layer_class *const *am_layer_all(size_t *n) {
  *n = sizeof classes / sizeof *classes;
  return classes;
}
