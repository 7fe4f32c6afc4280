/* SPDX-License-Identifier: MIT */
/* nn/model.h - from the config section `model` to steps over numbered tensors.
 *
 * Config: a list of layers, each a map of one entry `type: {options}` (or the
 * bare word `flatten`).  Options common to all: `name`, and `activation` (a
 * layer of that type follows).  Blocks expand to steps and never reach the
 * kernels:
 *   residual:  {layers: [...], shortcut: [...], projection: auto|none, activation: relu}
 *              y = act(body(x) + shortcut(x)); without one x itself, through a 1x1 convolution
 *              (conv2d/conv1d/dense) with the body's stride where shapes differ and projection is auto
 *   squeeze_excite: {reduction: 8}      x * sigmoid(W2 relu(W1 mean_tf(x)))
 *   parallel:  {branches: [[...], [...]]}   outputs concatenated over channels
 * A softmax at the very end is taken into the loss: the session's output is logits.  Where a softmax must stand further
 * in (a mean of each frame's probabilities), log_probabilities at the end makes logits of them. */
#ifndef AM_MODEL_H
#define AM_MODEL_H

#include "nn/fill.h"
#include "nn/layer.h"
#include "nn/session.h"

typedef struct am_step {
  am_layer layer;
  int inputs[AM_MAX_INPUTS]; /* tensor numbers; 0 is the model's input */
  int output;
} am_step;

/* `layers` is the list of the config (AM_LIST). input.variable says that clips
 * differ in length.  classes: K.  The tree need not outlive the call. */
am_status am_model_create(am_context *ctx, const am_value *layers, am_shape input, int classes, am_model **out,
                          am_error *err);
/* The same with at most `most` weights and statistics, for a file that says what its model is: it holds no more. */
am_status am_model_create_within(am_context *ctx, const am_value *layers, am_shape input, int classes, size_t most,
                                 am_model **out, am_error *err);
/* am_model_create, with convolutions in that precision in passes of training. Weights, all other numbers and all other
 * passes are float32. */
am_status am_model_create_precise(am_context *ctx, const am_value *layers, am_shape input, int classes,
                                  am_precision precision, am_model **out, am_error *err);
size_t am_model_steps(const am_model *model);
const am_step *am_model_step(const am_model *model, size_t i);
bool am_model_had_softmax(const am_model *model);

/* The embedding of a model is what its last layer reads, one vector a clip; losses beside that of the logits are of it
 * (nn/head.h).  `width` (or NULL) gets its length.  AM_E_CONFIG: the last layer is not a dense one over such a vector, or no
 * layer before it has weights. */
am_status am_model_embedding(const am_model *model, int *width, am_error *err);

/* The largest share of their start that moving statistics of the model hold after `updates` steps of training, 0 to 1, and
 * the layer whose they are (norm.c, `statistics: plain`); 0 and NULL: there is no such layer. */
double am_model_start_share(const am_model *model, uint64_t updates, const char **layer);
/* The first batch norm that takes its moments of one value a channel in a batch of so many clips of so many frames, and
 * then gives beta whatever it hears; NULL: none does. */
const char *am_model_lone_norm(const am_model *model, int clips, int frames);
/* Turns plan fusion off (tests compare). Before any session is created. */
void am_model_set_fusion(am_model *model, bool on);

/* Sessions created from now on keep every tensor and gradient, each in memory of its own (tests, NaN hunts). */
void am_model_set_keep(am_model *model, bool on);
/* Promises that weights and statistics stay as they are, until they are asked for by am_model_weights or am_model_statistics,
 * drawn anew, or trained.  Sessions for inference made from now on share what layers make of them (packs.h), once. */
void am_model_freeze(am_model *model);
/* From the next freeze on sessions for inference read the kernels of large dense layers (dense.c), whose time is that of
 * reading them, as float16.  AM_E_NUMERIC: one of their numbers is beyond 65504. */
am_status am_model_set_half(am_model *model, bool on, am_error *err);
/* For inspect: weights of a step, without padding, and its multiply-adds for one clip of full length. */
size_t am_step_weights(const am_step *step);
double am_step_operations(const am_step *step);

#endif
