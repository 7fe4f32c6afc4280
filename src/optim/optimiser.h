/* SPDX-License-Identifier: MIT */
/* optim/optimiser.h - one step of an optimiser over the flat weights.
 *
 * An optimiser is a const table of functions over its options, which registry.c lists.  A new one is one file and one line
 * there.  Checkpoints keep its slots by their names.
 *
 * Let g be the gradient divided once (by the batch or its weights) and clipped, lr the
 * learning rate of this step times the array's factor, t the step from 1.
 *
 * sgd    g += decay w;  v = momentum v + g;  w -= lr v,  nesterov: w -= lr (g + momentum v)
 *        (PyTorch's form; Keras keeps lr inside v, which is the same while lr does not change.)
 * adam   g += decay w;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2      (Kingma & Ba 2015)
 *   keras:   w -= lr sqrt(1-b2^t)/(1-b1^t) m / (sqrt(v) + epsilon)
 *   pytorch: w -= lr/(1-b1^t) m / (sqrt(v/(1-b2^t)) + epsilon)
 *            = lr sqrt(1-b2^t)/(1-b1^t) m / (sqrt(v) + epsilon sqrt(1-b2^t))
 * adamw  w -= lr decay w, then adam without decay                        (Loshchilov & Hutter 2019)
 *
 * decay is applied only to arrays whose info.decay is set (kernels; not biases or norm scales).
 * A frozen array (factor 0) is left alone altogether: no decay, and no part in the norm.
 * The average of weights is a <- d a + (1-d) w after each step with d = min(decay, (1+t)/(10+t)),
 * TensorFlow's ExponentialMovingAverage with num_updates, so that a short run is not ruled by its start.
 */
#ifndef AM_OPTIMISER_H
#define AM_OPTIMISER_H

#include "base/option.h"
#include "nn/model.h"
#include "ranks/ranks.h"

#define AM_EPSILON_MODES(X) X(AM_EPSILON_KERAS, "keras") X(AM_EPSILON_PYTORCH, "pytorch")
typedef enum am_epsilon_mode { AM_EPSILON_MODES(AM_WORD_NAME) } am_epsilon_mode;

/* The config section train.optimiser. */
typedef struct am_optimiser_options {
  int kind;             /* which of the registry of optimisers */
  double learning_rate; /* 0.001 */
  double momentum;      /* sgd */
  bool nesterov;
  double beta1, beta2, epsilon; /* 0.9 0.999 1e-7 */
  int epsilon_mode;             /* am_epsilon_mode: where epsilon stands relative to bias correction; see above */
  double weight_decay;          /* adamw: decoupled, times the learning rate; sgd, adam: added to the gradient */
  double clip_norm;             /* global norm; 0 off */
  const am_value *rates;        /* map: name pattern (glob) -> factor on the learning rate; 0 freezes */
  am_texts freeze;              /* name patterns */
} am_optimiser_options;
extern const am_option am_optimiser_table[]; /* with the registry of optimisers */

/* One step, the same for all weights. */
typedef struct am_step_rates {
  double scale;      /* of the gradient: division and clipping together */
  double rate;       /* learning rate, which `begin` may correct */
  double plain_rate; /* learning rate as it is: what decoupled decay is multiplied by */
  double epsilon;
} am_step_rates;

/* A stretch of one array. */
typedef struct am_step_piece {
  size_t n;
  am_real *w, *g;
  am_real *const *slots; /* NULL those that the options leave out */
  double factor;         /* of the array, on the learning rate; not 0 */
  bool decay;            /* whether weight decay is for this array */
} am_step_piece;

enum { AM_MOST_SLOTS = 4 };
/* A row of the registry (registry.h). */
typedef struct am_optimiser_class {
  am_variant is; /* name; help; the options that this one alone has, members of am_optimiser_options */
  const char *const
      *slots; /* names of its flat buffers of one number a weight, zero at first; at most AM_MOST_SLOTS, NULL ends */
  int (*slots_used)(const am_optimiser_options *o); /* how many of them the options need, from the first; NULL: all */
  am_status (*check)(const am_optimiser_options *o, const am_value *section,
                     am_error *err); /* of options together; NULL: none */
  void (*begin)(const am_optimiser_options *o, uint64_t step, am_step_rates *rates); /* step from 1; NULL: nothing */
  void (*step)(const am_optimiser_options *o, const am_kernels *kernels, const am_step_rates *rates,
               const am_step_piece *piece);
} am_optimiser_class;

/* What the table cannot say; `section` is where messages point. */
am_status am_optimiser_check(const am_optimiser_options *options, const am_value *section, am_error *err);

typedef struct am_optimiser {
  am_context *ctx;
  am_optimiser_options options;
  const am_kernels *kernels;
  double ema_decay; /* 0: no average */
  size_t n;         /* reals in each flat buffer of the model */
  const am_optimiser_class *cls;
  /* Those of [begin, end) of the model's flat buffers: of all of it, or of this rank's part. */
  am_real *slots[AM_MOST_SLOTS]; /* of cls->slots; NULL those that the options leave out */
  am_real *ema;                  /* averaged weights or NULL */
  size_t begin, end;
  uint64_t step; /* steps done */
  size_t n_arrays, n_frozen;
  double *factors;         /* (arrays) on the learning rate */
  struct am_piece *pieces; /* cut by shape, so results do not depend on threads */
  size_t n_pieces;
  double *sums;   /* (pieces) squares, for the norm */
  bool *bad;      /* (pieces) a weight is no finite number */
  long bad_array; /* first array that was not finite in the last step, -1 none */
  /* of several processes that split the slots */
  am_ranks *ranks;                  /* NULL: this one has all */
  size_t *bounds, *ends;            /* (ranks) reals, where each one's part ends; room for am_ranks_collect */
  size_t first_piece, n_own, array; /* pieces of this rank; reals of the largest array */
  bool owes;                        /* weights of the last step are to be exchanged */
} am_optimiser;

/* Slots start at zero; the average starts as a copy of the weights at the first step.  A pattern of `rates` or
 * `freeze` that matches no array is AM_E_CONFIG. */
am_status am_optimiser_create(am_context *ctx, const am_optimiser_options *options, double ema_decay, am_model *model,
                              am_optimiser **out, am_error *err);
/* The same of one of several processes (NULL: of one alone) that split slots and average: each keeps those of some of the pieces
 * into which arrays are cut, and takes their step.  The bits are the same.  All make the calls that can fail for it. */
am_status am_optimiser_create_split(am_context *ctx, const am_optimiser_options *options, double ema_decay,
                                    am_model *model, am_ranks *ranks, am_optimiser **out, am_error *err);
void am_optimiser_free(am_optimiser *o);
/* w -= ... with the gradients g divided by `divisor`, at learning rate `rate`; leaves g zero, in the same pass.
 * Returns the norm before clipping (0 when clip_norm is off: it is not computed then).  A weight that is not finite
 * afterwards sets bad_array; so does a norm that is not finite, and then nothing else is done. */
double am_optimiser_step(am_optimiser *o, am_real *w, am_real *g, double divisor, double rate);
/* After a step: w has the new weights of all processes, and bad_array is the same in all. */
am_status am_optimiser_exchange(am_optimiser *o, am_real *w, am_error *err);
/* Exchanges the model's weights and their average, for evaluation, and back. */
am_status am_optimiser_swap_average(am_optimiser *o, am_real *w, am_error *err);

/* For checkpoints: slots, and after them the average, by their numbers from 0.  NULL: there are no more. */
const char *am_optimiser_slot_name(const am_optimiser *o, int slot);
/* Rows of an array (of dims[0]) that are put together at once where others have some of them, so that it takes little memory. */
size_t am_optimiser_rows(const am_optimiser *o, const am_array_info *info);
/* Numbers of the largest of these blocks, and of the largest array; 0: none is put together. */
size_t am_optimiser_block(const am_optimiser *o, const am_model *model);
size_t am_optimiser_room(const am_optimiser *o);
/* The slot of `count` weights of the flat buffer from `first` on, in rank 0 (in others *at is NULL): where it is, or in `room`. */
am_status am_optimiser_slot(const am_optimiser *o, int slot, size_t first, size_t count, am_real *room,
                            const am_real **at, am_error *err);
/* Where the slot of one array is to be read into: its place, or `room` (for am_optimiser_room); then am_optimiser_slot_take keeps
 * this rank's part. */
am_real *am_optimiser_slot_place(am_optimiser *o, int slot, const am_array_info *info, am_real *room);
void am_optimiser_slot_take(am_optimiser *o, int slot, const am_array_info *info, const am_real *room);
/* The part that ranks other than 0 have in writing all slots, array by array and block by block. */
am_status am_optimiser_give(const am_optimiser *o, const am_model *model, am_error *err);

#endif
