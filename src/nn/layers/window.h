/* SPDX-License-Identifier: MIT */
/* nn/layers/window.h - windows that slide over time and frequency: the options and
 * shapes that convolution and pooling share. */
#ifndef AM_WINDOW_H
#define AM_WINDOW_H

#include "nn/layer.h"

/* Per dimension: [0] time, [1] frequency. */
typedef struct am_window {
  int size[2], stride[2], dilation[2], pad[2];
  am_padding padding;
} am_window;

/* Reads "3" or "[3, 5]" of option `name` into out: one number for both dimensions of a map (rank 3), one
 * alone for a sequence (rank 2), whose frequency entry is `other`.  An empty list is `fallback`'s values. */
am_status am_window_pair(const am_layer *layer, const char *name, am_ints list, const int fallback[2], int other,
                         int out[2], am_error *err);

/* Checks that layer->in[0] has rank `rank` (2 or 3), that the window fits, and sets out->t and out->f. */
am_status am_window_shape(const am_layer *layer, const am_window *w, int rank, am_shape *out, am_error *err);

/* Frames out for frames in. */
int am_window_frames(const am_window *w, int frames);

/* One clip of `frames` frames, in.f bins and ci channels to co channels. */
am_conv am_window_clip(const am_window *w, am_shape in, int co, int frames);

#endif
