/* SPDX-License-Identifier: MIT */
/* model/predict.h - the prediction of one sound. */
#ifndef AM_PREDICT_H
#define AM_PREDICT_H

#include "model/fusion.h"

/* Kept in a checkpoint between predictions: session, features and room for one clip. */
typedef struct am_predictor am_predictor;
void am_predictor_free(am_context *ctx, am_predictor *p);

/* What a single model's net gets of n samples at its own rate: x, of its input's shape, and *length frames of it. */
am_status am_predict_input(am_checkpoint *c, const float *samples, size_t n, float *x, int *length, am_error *err);
/* A sound as a model wants it: where the rates are equal it is `samples` itself, else *made (am_free). */
am_status am_sound_for(am_context *ctx, const float *samples, double from, double to, float **made, const float **out,
                       size_t *n, am_error *err);

/* A sound, and what became of it: of what several models heard the least is told. */
typedef struct am_hearing {
  const float *samples;
  size_t n;
  double rate; /* of the samples */
  am_heard heard;
  bool begun;
  struct am_listening *listening; /* of am_hearing_listen; NULL: each model listens when it is asked */
  size_t models;
} am_hearing;
/* The n models that will be asked, none of them of members, listen at the same time: features are computed by one thread, and
 * of a sound for two models that is most of the time.  What fails is told by the model that is asked. */
am_status am_hearing_listen(am_context *ctx, am_hearing *h, am_checkpoint *const *models, size_t n, am_error *err);
void am_hearing_end(am_context *ctx, am_hearing *h);
/* An am_ask_fn of one: probabilities (K). */
am_status am_predict_ask(void *hearing, size_t i, am_checkpoint *m, float *probabilities, am_error *err);

#endif
