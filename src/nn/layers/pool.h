/* SPDX-License-Identifier: MIT */
/* nn/layers/pool.h - what the plan needs to know of max pooling to fuse it. */
#ifndef AM_POOL_H
#define AM_POOL_H

#include "nn/layers/window.h"

/* The window of a max_pool1d or max_pool2d layer that was built; NULL for any other layer. */
const am_window *am_max_pool_window(const am_layer *layer);

#endif
