/* nn/registry.h - all layers there are. */
#ifndef AM_LAYER_REGISTRY_H
#define AM_LAYER_REGISTRY_H

#include "nn/layer.h"

const am_layer_class *am_layer_find(const char *type);
const am_layer_class *const *am_layer_all(size_t *n);

#endif
