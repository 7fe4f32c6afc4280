/* SPDX-License-Identifier: MIT */
/* nn/registry.h - all layers there are: of the library, and of programs. */
#ifndef AM_LAYER_REGISTRY_H
#define AM_LAYER_REGISTRY_H

#include "nn/layer.h"

/* Of the library, and of what programs registered in the context; NULL: the library's alone. */
const am_layer_class *am_layer_find(const am_context *ctx, const char *type);
/* The types of those that programs registered, the last first, `most` at most; returns how many. */
size_t am_layer_added(const am_context *ctx, const char **types, size_t most);
/* Those of the library. */
const am_layer_class *const *am_layer_all(size_t *n);

#endif
