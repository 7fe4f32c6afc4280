/* optim/optimiser.h - one step of SGD, Adam or AdamW over the flat weights.
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

#define AM_OPTIMISERS(X) X(AM_SGD, "sgd") X(AM_ADAM, "adam") X(AM_ADAMW, "adamw")
#define AM_EPSILON_MODES(X) X(AM_EPSILON_KERAS, "keras") X(AM_EPSILON_PYTORCH, "pytorch")
typedef enum am_optimiser_kind { AM_OPTIMISERS(AM_WORD_NAME) } am_optimiser_kind;
typedef enum am_epsilon_mode { AM_EPSILON_MODES(AM_WORD_NAME) } am_epsilon_mode;

/* The config section train.optimiser. */
typedef struct am_optimiser_options {
  int kind;              /* am_optimiser_kind */
  double learning_rate;  /* 0.001 */
  double momentum;       /* sgd */
  bool nesterov;
  double beta1, beta2, epsilon; /* 0.9 0.999 1e-7 */
  int epsilon_mode;      /* am_epsilon_mode: where epsilon stands relative to bias correction; see above */
  double weight_decay;   /* adamw: decoupled, times the learning rate; sgd, adam: added to the gradient */
  double clip_norm;      /* global norm; 0 off */
  const am_value *rates; /* map: name pattern (glob) -> factor on the learning rate; 0 freezes */
  am_texts freeze;       /* name patterns */
} am_optimiser_options;
extern const am_option am_optimiser_table[];

typedef struct am_optimiser {
  am_context *ctx;
  am_optimiser_options options;
  const am_kernels *kernels;
  double ema_decay;      /* 0: no average */
  size_t n;              /* reals in each flat buffer */
  am_real *m, *v;        /* slots; NULL where the kind has none (sgd: m is the velocity) */
  am_real *ema;          /* averaged weights or NULL */
  uint64_t step;         /* steps done */
  size_t n_arrays, n_frozen;
  double *factors;       /* (arrays) on the learning rate */
  struct am_piece *pieces; /* cut by shape, so results do not depend on threads */
  size_t n_pieces;
  double *sums;          /* (pieces) squares, for the norm */
  bool *bad;             /* (pieces) a weight is no finite number */
  long bad_array;        /* first array that went bad in the last step, -1 none */
} am_optimiser;

/* Slots start at zero; the average starts as a copy of the weights at the first step.  A pattern of `rates` or
 * `freeze` that matches no array is AM_E_CONFIG. */
am_status am_optimiser_create(am_context *ctx, const am_optimiser_options *options, double ema_decay, am_model *model,
                              am_optimiser **out, am_error *err);
void am_optimiser_free(am_optimiser *o);
/* w -= ... with the gradients g divided by `divisor`, at learning rate `rate`; leaves g zero, in the same pass.
 * Returns the norm before clipping (0 when clip_norm is off: it is not computed then).  A weight that is not finite
 * afterwards sets bad_array; so does a norm that is not finite, and then nothing else is done. */
double am_optimiser_step(am_optimiser *o, am_real *w, am_real *g, double divisor, double rate);
/* Exchanges the model's weights and their average, for evaluation, and back. */
void am_optimiser_swap_average(am_optimiser *o, am_real *w);

#endif
