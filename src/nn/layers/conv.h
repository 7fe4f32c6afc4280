/* SPDX-License-Identifier: MIT */
/* nn/layers/conv.h - taking what follows a convolution into it.
 *
 * A convolution writes a big map that ReLU and pooling read straight away.
 * Fused, the map is made and used by blocks of rows that stay in cache.  The
 * plan calls these after build() of the layers and before it asks the
 * convolution for its memory; it then drops the fused steps, and the convolution's output
 * tensor is that of the last of them: `layer->out`, cache, scratch, length()
 * and backward_needs_y of the convolution are set to match.  Forward gets and backward
 * differentiates the fused result:
 *
 *   conv2d, relu              am_conv_fuse_relu(conv)
 *   conv2d, relu, max_pool2d  am_conv_fuse_relu(conv), then am_conv_fuse_max_pool(conv, pool)
 *   conv2d, max_pool2d, relu  the same two calls (ReLU is monotonic, so the order does not matter)
 *   conv2d, max_pool2d        am_conv_fuse_max_pool(conv, pool)
 *
 * Only the convolution itself may have read the dropped tensors.
 * A dropout between ReLU and pooling (am_conv_fuse_dropout) draws its mask by element number, as alone; where
 * y is positive the element was kept and the ReLU was open, so backward needs no mask.  A batch norm right after
 * the convolution is taken into kernel and bias in inference (am_conv_fuse_norm).
 * The plan comes here through the class's fuse(). */
#ifndef AM_CONV_H
#define AM_CONV_H

#include "nn/layer.h"

/* False, and nothing changed, when `conv` is no convolution or has this already. */
bool am_conv_fuse_relu(am_layer *conv);
/* False, and nothing changed, unless `pool` is a max pooling over conv's output whose windows do not
 * overlap and have no padding before the first frame. */
bool am_conv_fuse_max_pool(am_layer *conv, const am_layer *pool);
/* False, and nothing changed, unless a ReLU is fused and no pooling yet.  The dropout must outlive conv. */
bool am_conv_fuse_dropout(am_layer *conv, const am_layer *dropout);
/* For inference alone.  False, and nothing changed, unless nothing is fused yet.  Must outlive conv, too: its
 * weights and statistics follow those of the convolution in the pass. */
bool am_conv_fuse_norm(am_layer *conv, const am_layer *norm);

#endif
