/* train/work.h - what a step of a model has to compute and to move, for profiles and benchmarks. */
#ifndef AM_WORK_H
#define AM_WORK_H

#include "nn/model.h"

/* Floating-point operations (a multiply-add is two, of the direct definition: no kernel's short cuts are counted) and
 * bytes of arrays that are read or written once each.  A fused plan moves less than `bytes`. */
typedef struct am_work {
  double forward_flops, backward_flops, forward_bytes, backward_bytes;
} am_work;

/* Of step `i` in `calls` batches that hold `clips` clips of full length together.  Without `training` the backward
 * members are 0. */
am_work am_work_of_step(const am_model *model, size_t i, double clips, double calls, bool training);
am_work am_work_of_model(const am_model *model, double clips, double calls, bool training);

#endif
