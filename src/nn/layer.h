/* nn/layer.h - what a layer is.
 *
 * A layer is a const table of functions over its options; the model finds it
 * by type name in registry.c.  A new layer is one file, one registry line and
 * its tests.  build() runs once and may fail; forward() and backward() run
 * every batch, cannot fail and cannot allocate.
 *
 * Rules every layer keeps:
 *  - x is zero from each clip's length to the longest of the batch, and y must be; dy is, and dx must be.
 *    Beyond x_most and y_most frames memory is undefined: nobody reads it, nobody need write it.
 *  - backward ADDS into dw and WRITES dx (the plan gives a tensor with several
 *    readers one dx each and sums them in a fixed order).  dx[i] NULL: not wanted.
 *  - pieces of am_parallel_for are cut by shape, sums over pieces run in a fixed
 *    order, so results do not depend on the number of threads.
 *  - NaN passes through: max(x, NaN) is NaN.
 *  - inference never writes to the layer, the weights or the statistics.
 */
#ifndef AM_LAYER_H
#define AM_LAYER_H

#include "audiomood/nn.h"
#include "base/arena.h"
#include "base/option.h"
#include "base/rng.h"
#include "tensor/tensor.h"

enum { AM_MAX_INPUTS = 8, AM_MAX_ARRAYS = 16 };

/* uniform_fan_in is PyTorch's default: +-1/sqrt(fan_in) */
#define AM_INITIALISERS(X) \
  X(AM_INIT_ZERO, "zeros") \
  X(AM_INIT_ONE, "ones") \
  X(AM_INIT_GLOROT_UNIFORM, "glorot_uniform") \
  X(AM_INIT_GLOROT_NORMAL, "glorot_normal") \
  X(AM_INIT_HE_UNIFORM, "he_uniform") \
  X(AM_INIT_HE_NORMAL, "he_normal") \
  X(AM_INIT_ORTHOGONAL, "orthogonal") \
  X(AM_INIT_UNIFORM_FAN_IN, "uniform_fan_in")
typedef enum am_initialiser { AM_INITIALISERS(AM_WORD_NAME) } am_initialiser;

/* A weight or statistic declared by build(). */
typedef struct am_array {
  const char *name; /* "kernel", a literal */
  int rank, dims[4];
  am_initialiser init;
  int fan_in, fan_out; /* of one unit, for the scaled initialisers */
  bool decay;
  size_t count;  /* product of dims */
  size_t offset; /* into the model's flat buffer, set by the model */
} am_array;

typedef struct am_layer am_layer;
typedef struct am_pass am_pass;

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
  /* Multiply-adds of one clip of full length, for inspect and profiles. NULL: none worth counting. */
  double (*operations)(const am_layer *layer);
} am_layer_class;

struct am_layer {
  const am_layer_class *cls;
  am_context *ctx;
  const char *name; /* "conv2d_1", or what the config says; "res1/conv2d_1" inside a block */
  uint32_t id;      /* hash of the name: keys this layer's random numbers */
  void *options;    /* of options_size, read by the table */
  int classes;      /* K of the data, for units: 0 */
  int n_in;
  am_shape in[AM_MAX_INPUTS];
  am_shape out;
  int n_weights, n_statistics;
  am_array weights[AM_MAX_ARRAYS];
  am_array statistics[4];
  /* Memory in bytes for max_batch clips, asked by build as "per clip" and "once";
   * cache lives from forward to backward, scratch only during a call. */
  size_t cache_per_clip, cache_once;
  size_t scratch_per_clip, scratch_once;
  bool in_place; /* forward may be given y == x[0] and backward dx[0] == dy (elementwise layers) */
  bool backward_needs_x, backward_needs_y; /* else the plan may reuse their memory */
  bool view; /* y is x[0] unchanged in another shape (flatten): the two may share memory for ever; implies in_place */
};

/* One call. Arrays are per input; w, dw, statistics per declared array. */
struct am_pass {
  int batch;
  bool training;
  uint64_t seed, epoch;
  const uint64_t *draws;           /* (B) */
  const am_real *x[AM_MAX_INPUTS]; /* (B, in[i]) */
  const int *x_len[AM_MAX_INPUTS]; /* (B), frames; never NULL for rank >= 2 */
  int x_most[AM_MAX_INPUTS];       /* frames in use: the longest of x_len, or t where clips do not differ */
  am_real *y;                      /* (B, out) */
  const int *y_len;
  int y_most;
  const am_real *w[AM_MAX_ARRAYS];
  am_real *dw[AM_MAX_ARRAYS];
  am_real *statistics[4]; /* written only in training */
  const am_real *dy;
  am_real *dx[AM_MAX_INPUTS];
  void *cache; /* 64-byte aligned; same memory in forward and backward; in an inference session only during the call */
  void *scratch; /* 64-byte aligned */
};

/* "(T<=549, 128, 32)" when clips differ in length, else "(549, 128, 32)"; returns the buffer. */
enum { AM_SHAPE_TEXT = 64 };
const char *am_shape_text(am_shape shape, char buffer[AM_SHAPE_TEXT]);

/* Saturating: a shape may come from a file.  Those of a model that was made are below INT_MAX. */
static inline size_t am_shape_count(am_shape s) { return am_mul(am_mul((size_t)s.t, (size_t)s.f), (size_t)s.c); }
/* Numbers in the first `frames` frames of a clip. */
static inline size_t am_frames_count(am_shape s, int frames) {
  return s.rank < 2 ? am_shape_count(s) : (size_t)frames * (size_t)s.f * (size_t)s.c;
}

/* Helpers for build(). add_* returns NULL past AM_MAX_ARRAYS (own bug, asserted). */
am_array *am_layer_weight(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims, int fan_in,
                          int fan_out, bool decay);
am_array *am_layer_statistic(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims);
/* "layer conv2d_1, input (T<=549, 128, 32): ..." */
am_status am_layer_fail(const am_layer *layer, am_error *err, am_status status, const char *format, ...)
    AM_PRINTF(4, 5);

/* Layers that other files name; registry.c has all. */
extern const am_layer_class am_conv1d, am_conv2d, am_max_pool1d, am_max_pool2d, am_average_pool1d, am_average_pool2d,
    am_global_average_pool, am_global_max_pool, am_dense, am_flatten, am_dropout, am_relu, am_leaky_relu, am_gelu,
    am_silu, am_tanh, am_sigmoid, am_softmax, am_log_probabilities, am_batch_norm, am_layer_norm, am_lstm, am_gru,
    am_attention_pool, am_join_add, am_join_concat, am_join_scale, am_to_sequence;

#endif
