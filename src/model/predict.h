/* model/predict.h - what a model hears in one sound. */
#ifndef AM_PREDICT_H
#define AM_PREDICT_H

#include "model/checkpoint.h"

/* Kept in a checkpoint between predictions: session, features and room for one clip. */
typedef struct am_predictor am_predictor;
/* What became of a sound: why it has no probabilities (they are NaN then), or how much of it the model heard. */
typedef struct am_heard {
  am_unheard unheard;
  bool cut;       /* its end was not heard */
  double seconds; /* heard; without what was trimmed, too */
} am_heard;
/* am_predict_sound, which logs and fails where this one tells. */
am_status am_predict_heard(am_context *ctx, am_checkpoint *c, const float *samples, size_t n, float *probabilities,
                           am_heard *heard, am_error *err);
void am_predictor_free(am_context *ctx, am_predictor *p);

#endif
