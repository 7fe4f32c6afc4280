/* SPDX-License-Identifier: MIT */
/* nn/flops.h - what a step of a model has to compute and to move, for profiles and benchmarks. */
#ifndef AM_FLOPS_H
#define AM_FLOPS_H

#include "nn/model.h"

/* Floating-point operations (a multiply-add is two, of the direct definition: no kernel's short cuts are counted) and
 * bytes of arrays that are read or written once each.  A fused plan moves less than `bytes`. */
typedef struct am_flops {
  double forward_flops, backward_flops, forward_bytes, backward_bytes;
} am_flops;

/* Of step `i` in `calls` batches that hold `clips` clips of full length together.  Without `training` the backward
 * members are 0. */
am_flops am_flops_of_step(const am_model *model, size_t i, double clips, double calls, bool training);

#endif
