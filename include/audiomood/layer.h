/* SPDX-License-Identifier: MIT */
/** @file audiomood/layer.h
 * layers of a program's own.
 *
 * A layer is a table of functions.  Once am_layer_register has taken it, configs name it by its type as they name the
 * library's own, and models with it train, predict, and stand in checkpoints:
 *
 * @code
 *   model:
 *     layers:
 *       - conv2d: {filters: 16, kernel: 3}
 *       - swish: {start: 1.5}              # a layer of examples/custom_layer.c
 * @endcode
 *
 * It stands in the list of layers; the key `activation` of another layer takes the library's own alone.
 *
 * `build` runs once a model and may fail.  `forward` and `backward` run every batch; they cannot fail, and take no
 * memory: what they need is asked for by `build`.  examples/custom_layer.c is a whole one.  Rules that every layer
 * keeps:
 *
 * - Numbers stand as nn.h says: (B,T,F,C), clip b at b * t * f * c.  The clips of a batch differ in length.  Of a clip
 *   only the frames before its length count.  From there to the longest clip (x_most, y_most frames) x and dy are zero,
 *   and y and dx must be.  Frames beyond that are nobody's: they need not be written, and hold anything.
 * - `backward` ADDS into dw, and WRITES dx.
 * - A layer of fixed pieces (am_parallel_for) whose sums run in a fixed order gives equal results for any number of
 *   threads.
 * - A batch is cut into groups of `group` clips.  A training over several processes gives the bits of one alone if y and
 *   dx of a clip do not depend on the clips beside it, and dw is summed in each group by itself, from zero, and then over
 *   the groups in pairs: 0 and 1, 2 and 3, ..., then the sums of these.
 * - Outside of training nothing is written but y, cache and scratch: several sessions may run one model at once.
 *
 * am_model_check_gradients tells whether `backward` fits `forward`.
 */
#ifndef AUDIOMOOD_LAYER_H
#define AUDIOMOOD_LAYER_H

#include "audiomood/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  AM_MAX_INPUTS = 8,     /**< inputs of a layer; a program's own has one */
  AM_MAX_ARRAYS = 16,    /**< weights of a layer */
  AM_MAX_STATISTICS = 4, /**< statistics of a layer */
  AM_MAX_DIMS = 4        /**< dimensions of a weight or statistic */
};

/** How a weight begins.  Those named after a scheme are scaled by fan_in and fan_out (am_layer_weight). */
typedef enum am_initialiser {
  AM_INIT_ZERO,
  AM_INIT_ONE,
  AM_INIT_GLOROT_UNIFORM,
  AM_INIT_GLOROT_NORMAL,
  AM_INIT_HE_UNIFORM,
  AM_INIT_HE_NORMAL,
  AM_INIT_ORTHOGONAL,    /**< rows or columns of length 1 at right angles */
  AM_INIT_UNIFORM_FAN_IN /**< PyTorch's default: within 1/sqrt(fan_in) of 0 */
} am_initialiser;

/** A weight or statistic, as declared by am_layer_weight or am_layer_statistic: to be read, not set. */
typedef struct am_array {
  const char *name;      /**< "kernel" */
  int rank;              /**< 1 to AM_MAX_DIMS */
  int dims[AM_MAX_DIMS]; /**< those past the rank are 1 */
  am_initialiser init;   /**< how it begins */
  int fan_in;            /**< inputs of one unit */
  int fan_out;           /**< outputs that one input goes to */
  bool decay;            /**< weight decay applies */
  size_t count;          /**< product of dims */
  size_t offset;         /**< into the model's flat buffer, once the model is made */
} am_array;

/** A layer of a model: made by the library, completed by `build`. */
typedef struct am_layer {
  size_t size;      /**< sizeof(am_layer) of the library; members before `cls` may be used */
  am_context *ctx;  /**< for am_parallel_for */
  const char *name; /**< "swish_1", or what the config says; "residual_1/swish_1" inside a block */
  uint32_t id;      /**< hash of the name: tells the random numbers of layers apart */
  void *options;    /**< options_size bytes, read by the table; members that no option names are 0, for `build` */
  int classes;      /**< K, of the data */
  int n_in;         /**< inputs, 1 */
  am_shape in[AM_MAX_INPUTS]; /**< shape of each input */

  /* What `build` sets.  All is 0 before. */
  am_shape out; /**< shape of y */
  size_t
      cache_per_clip; /**< bytes of am_pass.cache, for each clip of the largest batch; kept from forward to backward */
  size_t cache_once;  /**< and so many bytes more */
  size_t scratch_per_clip; /**< bytes of am_pass.scratch, likewise; it lasts for one call */
  size_t scratch_once;     /**< and so many bytes more */
  bool in_place; /**< forward may be given y == x[0], and backward dx[0] == dy: it reads a number before it writes it */
  bool backward_needs_x; /**< backward reads x; else it may be gone by then */
  bool backward_needs_y; /**< backward reads y; else it may be gone by then */

  /* The library's own, which may change from version to version. */
  const struct am_layer_class *cls;       /**< not to be used, nor what follows it */
  bool view;                              /**< inside */
  const char *refused;                    /**< inside */
  const struct am_kernels *bf16;          /**< inside */
  int n_weights;                          /**< inside */
  int n_statistics;                       /**< inside */
  am_array weights[AM_MAX_ARRAYS];        /**< inside */
  am_array statistics[AM_MAX_STATISTICS]; /**< inside */
  bool half;                              /**< inside */
  size_t
      scratch_per_group; /**< what `build` may set, too: bytes of am_pass.scratch for each group (am_pass.group) of the
                               largest batch, after the rest; backward only */
} am_layer;

/** One call of forward or backward.  Arrays are per input, or per weight or statistic in the order of declaration. */
typedef struct am_pass {
  size_t size;                     /**< sizeof(am_pass) of the library */
  int batch;                       /**< B, clips */
  bool training;                   /**< a backward pass follows */
  uint64_t seed;                   /**< of am_batch: with epoch, draws and am_layer.id the key of random numbers */
  uint64_t epoch;                  /**< of am_batch */
  const uint64_t *draws;           /**< (B) */
  const am_real *x[AM_MAX_INPUTS]; /**< (B, in[i]) */
  const int *x_len[AM_MAX_INPUTS]; /**< (B) frames of each clip; of rank 1 it is not to be used */
  int x_most[AM_MAX_INPUTS];       /**< frames in use: the longest of x_len, or t where clips do not differ */
  am_real *y;                      /**< (B, out) */
  const int *y_len;                /**< as x_len, of y */
  int y_most;                      /**< as x_most, of y */
  const am_real *w[AM_MAX_ARRAYS]; /**< weights */
  am_real *dw[AM_MAX_ARRAYS];      /**< their gradients, to be added to; backward only */
  am_real *statistics[AM_MAX_STATISTICS]; /**< to be written only in training */
  const am_real *dy;                      /**< (B, out), backward only */
  am_real *dx[AM_MAX_INPUTS];             /**< (B, in[i]), to be written; NULL: not wanted; backward only */
  void
      *cache; /**< 64-byte aligned; the same memory in forward and backward; outside of training only during the call */
  void *scratch;      /**< 64-byte aligned */
  const void *packed; /**< inside */
  int group; /**< clips of a group; the last one may have fewer.  Sums over clips are taken in each group alone,
                         and then in pairs */
  void (*join)(void *arg, double *values, size_t n); /**< inside */
  void *join_arg;                                    /**< inside */
} am_pass;

/** What an option of a layer is, and its member in the layer's struct of options. */
typedef enum am_layer_option_type {
  AM_LAYER_BOOL,  /**< bool */
  AM_LAYER_INT,   /**< int64_t */
  AM_LAYER_REAL,  /**< double */
  AM_LAYER_TEXT,  /**< const char *, owned by the model; not to be written to */
  AM_LAYER_CHOICE /**< int: index into `choices` */
} am_layer_option_type;

/** An option of a layer.  A table of them ends with AM_LAYER_OPTION_END. */
typedef struct am_layer_option {
  const char *name;          /**< the key in configs */
  am_layer_option_type type; /**< what it is */
  size_t offset;             /**< of the member in the layer's struct of options */
  const char *fallback;      /**< the default as configs write it ("0.1", "same"); NULL: a config must give it */
  double min;                /**< of numbers */
  double max;                /**< of numbers; min and max 0: no range */
  const char *choices;       /**< "a|b|c", of AM_LAYER_CHOICE */
  const char *help;          /**< one line, for messages; or NULL */
} am_layer_option;

/** Ends a table of options. */
#ifdef __cplusplus
#define AM_LAYER_OPTION_END \
  {}
#else
#define AM_LAYER_OPTION_END \
  { 0 }
#endif

/** A layer of a program's own.  Functions and texts outlive the context. */
typedef struct am_custom_layer {
  size_t size;                    /**< sizeof(am_custom_layer) */
  const char *type;               /**< the name in configs: a letter, then letters, digits and _; at most 40 */
  const char *help;               /**< one line; or NULL */
  const am_layer_option *options; /**< its table; NULL: no options */
  size_t options_size;            /**< sizeof of its struct of options */
  /** Checks in[0] and the options, sets `out` and whatever else am_layer says, declares weights.  It fails by
   * am_layer_fail. */
  am_status (*build)(am_layer *layer, am_error *err);
  /** Frames that a clip of `length` frames (0 to in[0].t) has after it: 0 to out.t.  NULL: as many. */
  int (*length)(const am_layer *layer, int length);
  /** Changes weights w, an array each, that have been begun as declared; the same numbers for the same seed.  NULL:
   * they stay. */
  void (*initialise)(const am_layer *layer, am_real *const *w, uint64_t seed);
  void (*forward)(const am_layer *layer, const am_pass *pass);  /**< y of x */
  void (*backward)(const am_layer *layer, const am_pass *pass); /**< dx and dw of dy */
  double (*operations)(
      const am_layer *layer); /**< multiply-adds of a clip of full length, for profiles; NULL: not counted */
} am_custom_layer;

/** Makes a layer known to a context, for every config, model and checkpoint of it from then on: register before
 * am_config_load and am_checkpoint_load.  It stays until am_context_free.  Any thread may call this at any time.
 * @param ctx       the context
 * @param layer     the layer, copied with its table of options
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: a member is missing or wrong, or the library or the context has a layer or block of this
 * type already; AM_E_NOMEM */
AM_API am_status am_layer_register(am_context *ctx, const am_custom_layer *layer, am_error *err);

/** Declares a weight, for `build`: am_pass.w[i] and dw[i] of the i-th call.  A declaration that is wrong (too many, a
 * size below 1, a name that is taken) makes the model fail with AM_E_USAGE, so `build` need not look at what is
 * returned.
 * @param layer    the layer
 * @param name     in checkpoints, after the layer's: "beta"; outlives the context
 * @param init     how it begins
 * @param rank     1 to AM_MAX_DIMS
 * @param dims     (rank) sizes
 * @param fan_in   inputs of one unit, for the scaled initialisers
 * @param fan_out  outputs that one input goes to, likewise
 * @param decay    whether weight decay applies
 * @return the weight, owned by the layer; NULL where the declaration is wrong */
AM_API am_array *am_layer_weight(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims,
                                 int fan_in, int fan_out, bool decay);
/** Declares a statistic: numbers that checkpoints keep and forward changes in training, such as a moving mean.
 * @param layer  the layer
 * @param name   as am_layer_weight
 * @param init   AM_INIT_ZERO or AM_INIT_ONE
 * @param rank   1 to AM_MAX_DIMS
 * @param dims   (rank) sizes
 * @return as am_layer_weight; am_pass.statistics[i] of the i-th call */
AM_API am_array *am_layer_statistic(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims);
/** Fails from `build`: "layer swish_1, input (T<=549, 128, 32): ...".
 * @param layer     the layer
 * @param[out] err  the message, or NULL
 * @param status    what is returned: AM_E_SHAPE where the input does not fit, AM_E_CONFIG where the options do not
 * @param format    as printf: what was found, what was wanted, what to do
 * @return `status` */
AM_API am_status am_layer_fail(const am_layer *layer, am_error *err, am_status status, const char *format, ...)
    AM_PRINTF(4, 5);

/** What am_model_check_gradients found. */
typedef struct am_gradient_report {
  size_t size;        /**< sizeof(am_gradient_report) */
  double worst;       /**< the largest difference, as a share of the usual size of that array's gradients */
  char array[128];    /**< where: "swish_1/beta", or "input" */
  double backward;    /**< the slope there by backward */
  double differences; /**< the slope there by differences of forward */
} am_gradient_report;

/** Compares what backward gives with differences of forward, for each weight and for the input, on a batch of random
 * clips of several lengths.  The numbers of an array are moved in at most 64 groups, each of them in one, and the slope
 * of a random sum of the logits is taken along each.
 *
 * Where the layers are smooth, `worst` is below 0.001 in float when gradients are right, and mostly above 0.1 when
 * they are not.  Weights that are moved across a kink (relu, max_pool2d) come out worse, so put the layer that is
 * checked between smooth ones: silu, dense, global_average_pool.  The model's weights and statistics are as before when
 * this returns; nobody else may use the model meanwhile.
 * @param model        the model, initialised
 * @param seed         of clips and groups
 * @param[out] report  what was found; its size is set by the caller
 * @param[out] err     the message of a failure, or NULL
 * @return AM_OK, whatever was found; AM_E_NUMERIC: an output or gradient that is not finite; AM_E_USAGE, AM_E_SHAPE,
 * AM_E_NOMEM */
AM_API am_status am_model_check_gradients(am_model *model, uint64_t seed, am_gradient_report *report, am_error *err);

#ifdef __cplusplus
}
#endif
#endif
