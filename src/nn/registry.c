/* nn/registry.c - every layer there is.  A new layer adds one line here. */
#include "nn/layer.h"
#include "nn/registry.h"

#include <string.h>

static const am_layer_class *const classes[] = {
    &am_conv1d,
    &am_conv2d,
    &am_max_pool1d,
    &am_max_pool2d,
    &am_average_pool1d,
    &am_average_pool2d,
    &am_global_average_pool,
    &am_global_max_pool,
    &am_dense,
    &am_flatten,
    &am_to_sequence,
    &am_dropout,
    &am_relu,
    &am_leaky_relu,
    &am_gelu,
    &am_silu,
    &am_tanh,
    &am_sigmoid,
    &am_softmax,
    &am_log_probabilities,
    &am_batch_norm,
    &am_layer_norm,
    &am_lstm,
    &am_gru,
    &am_attention_pool,
    &am_join_add,
    &am_join_concat,
    &am_join_scale,
};

const am_layer_class *am_layer_find(const char *type) {
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    if (!strcmp(classes[i]->type, type)) return classes[i];
  return NULL;
}

const am_layer_class *const *am_layer_all(size_t *n) {
  *n = sizeof classes / sizeof *classes;
  return classes;
}
