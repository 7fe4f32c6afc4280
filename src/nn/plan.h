/* SPDX-License-Identifier: MIT */
/* nn/plan.h - inside of a model, and the plan a session runs.
 *
 * The model is a list of steps over numbered tensors.  The plan is a list of
 * ops, each one step or several fused ones, and says where in one slab every
 * value, gradient, cache and scratch stands.  Time runs from op 0 to op n-1
 * forward and from time n (the last op) to 2n-1 (op 0) backward; a region of
 * memory lives from `birth` to `death`, both included, and shares its bytes
 * with regions that live at other times. */
#ifndef AM_PLAN_H
#define AM_PLAN_H

#include <pthread.h>

#include "nn/model.h"

/* No machine this is for has more (1 TiB); what asks for it is a mistake in the config. */
#define AM_LARGEST_BYTES ((size_t)1 << 40)
enum { AM_ALIGN_REALS = 64 / sizeof(am_real) }; /* arrays of the flat buffers start at multiples */

struct am_model {
  am_context *ctx;
  am_tree *tree;   /* names and options */
  am_value *names; /* of the steps: a map */
  am_shape input;
  int classes;
  bool had_softmax, fusion, keep;
  am_kernels *bf16; /* which its convolutions are trained by; NULL: am_kernels_of the context */
  am_step *steps;   /* step i writes tensor i + 1; tensor 0 is the input */
  size_t n_steps, capacity;
  am_array_info *weight_infos, *statistic_infos;
  size_t n_weight_infos, n_statistic_infos;
  am_real *weights, *statistics;
  size_t n_weights, n_statistics; /* reals, padding included */
  unsigned frozen, freezes; /* number of the freeze that holds, 0: none; and of freezes so far (am_model_freeze) */
  pthread_mutex_t packing;  /* guards packs */
  struct am_packs *packs;   /* packs.h */
};

static inline am_shape am_tensor_shape(const am_model *model, int number) {
  return number ? model->steps[number - 1].layer.out : model->input;
}

typedef struct am_region {
  size_t bytes, offset;
  int birth, death;
} am_region;

enum { AM_NO_REGION = -1 };

typedef struct am_op {
  const am_layer *layer; /* whose functions run: its step's, or `fused` */
  am_layer *fused;       /* a copy of the plan's own that has taken the steps after it in; or NULL */
  int step;              /* times are booked here */
  int inputs[AM_MAX_INPUTS], output;
  int cache, scratch_forward, scratch_backward; /* regions */
  int dx[AM_MAX_INPUTS];                        /* region each input's gradient is written to */
  bool adds[AM_MAX_INPUTS];                     /* it is a piece, to be added to the tensor's gradient after the op */
} am_op;

typedef struct am_plan {
  am_context *ctx;
  size_t n_ops, n_tensors;
  am_op *ops;
  int *value;    /* (tensors) region; tensor 0 and tensors inside a fused op have none */
  int *valid;    /* (tensors) last time at which the region still holds this tensor */
  int *gradient; /* (tensors) region; the output's gradient is the caller's */
  bool *needed;  /* (tensors) something before it has weights */
  am_region *regions;
  size_t n_regions, capacity;
  size_t bytes; /* of the slab that all regions share */
} am_plan;

/* groups: of the largest batch of a training (groups.h); 0: there is no backward pass. */
am_status am_plan_create(const am_model *model, int max_batch, int groups, am_plan **out, am_error *err);
void am_plan_free(am_plan *plan);

#endif
