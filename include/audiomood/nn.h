/* SPDX-License-Identifier: MIT */
/** @file audiomood/nn.h
 * models: layers, shapes, sessions.
 *
 * Layout.  A clip is a matrix or a map that grows over time: (T), (T,C) or
 * (T,F,C), channels innermost, so that the frames of a clip are one contiguous
 * prefix of its memory and a shorter clip simply ends earlier.  A batch stores
 * B such clips side by side at the stride of the longest allowed.  Letters:
 * B batch, T frames, F mel or cepstral bins, C channels, H hidden, K classes.
 *
 * Every tensor of rank 2 or 3 carries a length per clip; elements past it are
 * zero in every tensor and every gradient up to the longest clip of the batch,
 * so a clip alone and the same clip in a padded batch give equal outputs and
 * gradients.  Beyond the longest clip memory is undefined and never read; where
 * the shape is not variable, elements past a length are zero to the end.
 *
 * Weights belong to the model and are shared.  Activations belong to a session,
 * one for each thread.  am_config_model (train.h) resolves all shapes and checks
 * them; am_session_create allocates all memory.  After these, forward and
 * backward allocate nothing and fail only for wrong arguments.  Getters of NULL
 * return 0 or NULL.
 */
#ifndef AUDIOMOOD_NN_H
#define AUDIOMOOD_NN_H

#include "audiomood/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A number of a tensor: float in the library; the gradient tests compile tensor/ and nn/ a second time with double. */
#ifdef AM_REAL_DOUBLE
typedef double am_real;
#else
typedef float am_real;
#endif

/** Shape of one clip. Unused dimensions are 1. rank 1: (C); 2: (T,C); 3: (T,F,C). */
typedef struct am_shape {
  int rank;      /**< 1 to 3 */
  int t;         /**< T, the most frames */
  int f;         /**< F */
  int c;         /**< C */
  bool variable; /**< T may differ from clip to clip, up to t */
} am_shape;

/** What the outputs of a trained model say of a clip. */
typedef enum am_target {
  AM_TARGET_EMOTION,   /**< one of K classes: probabilities */
  AM_TARGET_DIMENSIONS /**< values of K dimensions (valence, arousal, dominance ...), on a scale */
} am_target;

/** Layers and their weights. */
typedef struct am_model am_model;
/** Memory that runs a model. */
typedef struct am_session am_session;

/** A named array of the model: a weight, or a statistic that is stored but not
 * trained (batch norm).  dims are those of the canonical layout, e.g. conv2d
 * kernel (kt,kf,Cin,Cout), dense kernel (in,out). */
typedef struct am_array_info {
  size_t size;      /**< sizeof(am_array_info) of the library: members up to there are filled in */
  const char *name; /**< "conv2d_1/kernel"; owned by the model */
  int rank;         /**< 1 to 4 */
  int dims[4];      /**< dims past the rank are 1 */
  size_t offset;    /**< of its first number in the flat buffer, in numbers */
  size_t count;     /**< its numbers */
  bool decay;       /**< weight decay applies (kernels yes; biases and norm scales no) */
} am_array_info;

/** Frees a model, whose sessions have been freed; that of a checkpoint is the checkpoint's.
 * @param model  the model; NULL is allowed */
AM_API void am_model_free(am_model *model);
/** Shape of a clip of the input.
 * @param model  the model
 * @return the shape; t is the most frames */
AM_API am_shape am_model_input(const am_model *model);
/** Shape of a clip's logits.
 * @param model  the model
 * @return the shape: rank 1, c = K */
AM_API am_shape am_model_output(const am_model *model);

/** All weights in layer order, one flat buffer.  Every array begins at a multiple of
 * 64 bytes; the gaps are zero, stay zero (their gradients are) and are counted in *count, which may be NULL.
 * @param model       the model
 * @param[out] count  numbers in the buffer, gaps included
 * @return the buffer, owned by the model */
AM_API am_real *am_model_weights(am_model *model, size_t *count);
/** All statistics, laid out as the weights are.
 * @param model       the model
 * @param[out] count  numbers in the buffer, gaps included
 * @return the buffer, owned by the model */
AM_API am_real *am_model_statistics(am_model *model, size_t *count);
/** Arrays of weights.
 * @param model  the model
 * @return how many */
AM_API size_t am_model_weight_count(const am_model *model);
/** An array of weights.
 * @param model  the model
 * @param i      its number, from 0
 * @return the array, owned by the model; NULL where there is none */
AM_API const am_array_info *am_model_weight_info(const am_model *model, size_t i);
/** Arrays of statistics.
 * @param model  the model
 * @return how many */
AM_API size_t am_model_statistic_count(const am_model *model);
/** An array of statistics.
 * @param model  the model
 * @param i      its number, from 0
 * @return the array, owned by the model; NULL where there is none */
AM_API const am_array_info *am_model_statistic_info(const am_model *model, size_t i);
/** Draws all weights from `seed` by each layer's initialisers; resets statistics.
 * @param model  the model
 * @param seed   equal seeds give equal weights */
AM_API void am_model_initialise(am_model *model, uint64_t seed);

/** A session holds activations for at most max_batch clips; `training` also
 * gradients and what backward needs.  Several sessions may run at once on one
 * model in inference; training updates statistics, so one at a time.
 * @param model      the model, which outlives the session
 * @param max_batch  clips of the largest batch, at least 1
 * @param training   whether it can go backward
 * @param[out] out   the session; am_session_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE, AM_E_SHAPE: larger than anything this runs on; AM_E_NOMEM */
AM_API am_status am_session_create(am_model *model, int max_batch, bool training, am_session **out, am_error *err);
/** Frees a session, not its model.
 * @param session  the session; NULL is allowed */
AM_API void am_session_free(am_session *session);
/** What a session of this kind takes, without the model's weights.
 * @param model      the model
 * @param max_batch  clips of the largest batch
 * @param training   whether it can go backward
 * @return bytes; SIZE_MAX when they cannot be computed */
AM_API size_t am_session_bytes(const am_model *model, int max_batch, bool training);

/** One batch.
 *
 * x (B,T,F,C) has stride t*f*c of the model's input shape.  It is zero past each length, at least up to the longest
 * one, and is borrowed until backward has run.  lengths (B) are in frames; NULL when all clips are full.  A length
 * below 0 counts as 0, one above t as t.  draws (B) give each clip's position in the epoch's order (NULL: 0, 1, 2,
 * ...).  With epoch and seed they are the key of dropout; inference does not use them. */
typedef struct am_batch {
  size_t size;           /**< sizeof(am_batch) */
  int n;                 /**< B, 0 to max_batch */
  const am_real *x;      /**< (B,T,F,C) */
  const int *lengths;    /**< (B) frames; NULL: all full */
  uint64_t seed;         /**< key of dropout */
  uint64_t epoch;        /**< key of dropout, too */
  const uint64_t *draws; /**< (B), or NULL */
} am_batch;

/** Logits (B,K) are in am_session_output until the next call.  `training` uses batch
 * statistics and dropout and keeps what backward needs.  AM_E_USAGE, and nothing is done:
 * n is not 0 to max_batch, x is NULL, or `training` in a session that was not made for it.
 * @param session   the session
 * @param batch     the clips
 * @param training  whether a backward pass follows
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK, AM_E_USAGE */
AM_API am_status am_session_forward(am_session *session, const am_batch *batch, bool training, am_error *err);
/** The logits of the last forward.
 * @param session  the session
 * @return (B,K), owned by the session; valid until its next call */
AM_API const am_real *am_session_output(const am_session *session);
/** Adds the gradients of the last training forward into am_session_gradients. dlogits (B,K), borrowed for the call.
 * AM_E_USAGE: there was no such forward, or its backward has already run.
 * @param session  the session
 * @param dlogits  (B,K), gradient of the loss by the logits
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK, AM_E_USAGE */
AM_API am_status am_session_backward(am_session *session, const am_real *dlogits, am_error *err);
/** The gradients of the weights.
 * @param session  the session
 * @return flat, as am_model_weights; owned by the session; NULL in one for inference */
AM_API am_real *am_session_gradients(am_session *session);
/** Sets the gradients to zero, as at the start of a step.
 * @param session  the session; NULL is allowed */
AM_API void am_session_zero_gradients(am_session *session);

#ifdef __cplusplus
}
#endif
#endif
