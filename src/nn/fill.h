/* SPDX-License-Identifier: MIT */
/* nn/fill.h - the list of layers written out. */
#ifndef AM_FILL_H
#define AM_FILL_H

#include "nn/layer.h"

/* The list of layers with every name and option present, for the effective config: it makes the same model, also
 * when a default has changed since.  Types, keys and values are checked; shapes only a model can check. */
am_status am_layers_fill(am_tree *tree, const am_value *layers, am_value **out, am_error *err);

#endif
