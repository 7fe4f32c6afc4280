/* SPDX-License-Identifier: MIT */
/* nn/layer.h - the library's own layers.
 *
 * A layer is a const table of functions over its options; the model finds it
 * by type name in registry.c.  A new layer is one file, one registry line and
 * its tests.  Programs add layers by the same functions (audiomood/layer.h, which has am_layer, am_pass and the rules
 * that every layer keeps).  Beside those rules:
 *  - dx[i] NULL: not wanted; the plan gives a tensor with several readers one dx each and sums them in a fixed order.
 *  - pieces of am_parallel_for are cut by shape, sums over pieces run in a fixed order, so results do not depend on the
 *    number of threads.
 *  - NaN passes through: max(x, NaN) is NaN.
 *  - y is x[0] unchanged in another shape (flatten): `view`; the two may share memory for ever; implies in_place.
 */
#ifndef AM_LAYER_H
#define AM_LAYER_H

#include "audiomood/layer.h"
#include "base/arena.h"
#include "base/option.h"
#include "base/rng.h"
#include "tensor/tensor.h"

/* The words of am_initialiser, in its order (held by initialise.c). */
#define AM_INITIALISERS(X) \
  X(AM_INIT_ZERO, "zeros") \
  X(AM_INIT_ONE, "ones") \
  X(AM_INIT_GLOROT_UNIFORM, "glorot_uniform") \
  X(AM_INIT_GLOROT_NORMAL, "glorot_normal") \
  X(AM_INIT_HE_UNIFORM, "he_uniform") \
  X(AM_INIT_HE_NORMAL, "he_normal") \
  X(AM_INIT_ORTHOGONAL, "orthogonal") \
  X(AM_INIT_UNIFORM_FAN_IN, "uniform_fan_in")

typedef struct am_layer_class {
  const char *type;       /* "conv2d" */
  const char *help;       /* one line */
  const am_option *table; /* NULL: no options */
  size_t options_size;
  int min_inputs, max_inputs; /* 1,1 for all but add, concat, scale */
  /* Checks in[] and options; sets out, weights, statistics, cache and scratch. */
  am_status (*build)(am_layer *layer, am_error *err);
  int (*length)(const am_layer *layer, int length); /* frames out for frames in; NULL: the same */
  /* Overrides the declared initialisers (LSTM forget bias); NULL: none. w per array. */
  void (*initialise)(const am_layer *layer, am_real *const *w, uint64_t seed);
  void (*forward)(const am_layer *layer, const am_pass *pass);
  void (*backward)(const am_layer *layer, const am_pass *pass);
  /* Takes the layer that alone reads y into `layer`, a copy of the plan's own: forward and backward are then those
   * of both, and out, memory and needs are set to match.  False, and nothing changed, where that cannot be.
   * training: what the plan is for.  NULL: it never can. */
  bool (*fuse)(am_layer *layer, const am_layer *next, bool training);
  /* For inference over weights that no longer change (packs.h): bytes of what `pack` makes of a layer's weights and statistics,
   * which forward then gets as am_pass.packed; where that is NULL it makes the same itself.  NULL: nothing. */
  size_t (*packed_bytes)(const am_layer *layer);
  void (*pack)(const am_layer *layer, const am_pass *pass, void *packed); /* of pass: w, statistics and scratch */
  /* Multiply-adds of one clip of full length, for inspect and profiles. NULL: none worth counting. */
  double (*operations)(const am_layer *layer);
  bool joins;  /* sums over the whole batch within a pass (am_groups_sum) */
  bool custom; /* a program's own (registry.c), whose shapes and lengths are checked */
} am_layer_class;

/* "(T<=549, 128, 32)" when clips differ in length, else "(549, 128, 32)"; returns the buffer. */
enum { AM_SHAPE_TEXT = 64 };
const char *am_shape_text(am_shape shape, char buffer[AM_SHAPE_TEXT]);

/* Saturating: a shape may come from a file.  Those of a model that was made are below INT_MAX. */
static inline size_t am_shape_count(am_shape s) { return am_mul(am_mul((size_t)s.t, (size_t)s.f), (size_t)s.c); }
/* Numbers in the first `frames` frames of a clip. */
static inline size_t am_frames_count(am_shape s, int frames) {
  return s.rank < 2 ? am_shape_count(s) : (size_t)frames * (size_t)s.f * (size_t)s.c;
}

/* glu.c: whether the second half goes through a gate. */
bool am_glu_has_gate(const am_layer *layer);

/* dense.c: whether its kernel is too large for any cache, and is read in place. */
bool am_dense_is_large(const am_layer *layer);

/* Layers that other files name; registry.c has all. */
extern const am_layer_class am_conv1d, am_conv2d, am_max_pool1d, am_max_pool2d, am_average_pool1d, am_average_pool2d,
    am_global_average_pool, am_global_max_pool, am_dense, am_flatten, am_dropout, am_relu, am_leaky_relu, am_gelu,
    am_silu, am_tanh, am_sigmoid, am_softmax, am_log_probabilities, am_batch_norm, am_layer_norm, am_lstm, am_gru,
    am_attention_pool, am_join_add, am_join_concat, am_join_scale, am_to_sequence, am_bins, am_glu;

#endif
