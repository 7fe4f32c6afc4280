/* model/predict.h - the prediction of one sound. */
#ifndef AM_PREDICT_H
#define AM_PREDICT_H

#include "model/checkpoint.h"

/* Kept in a checkpoint between predictions: session, features and room for one clip. */
typedef struct am_predictor am_predictor;
void am_predictor_free(am_context *ctx, am_predictor *p);

#endif
