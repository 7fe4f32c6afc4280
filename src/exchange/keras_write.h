/* exchange/keras_write.h - from our model to the JSON and the arrays of a Keras model: shared by keras_write.c (the layers)
 * and keras_export.c (the file). */
#ifndef AM_KERAS_WRITE_H
#define AM_KERAS_WRITE_H

#include "exchange/keras.h"
#include "io/h5.h"
#include "io/json.h"

typedef struct am_keras_writer {
  am_context *ctx;
  const char *file; /* the checkpoint, for messages */
  am_checkpoint *checkpoint;
  am_model *model;
  am_h5 *h5;
  am_tree *tree; /* options and names */
  am_buffer text;
  am_json json;
  const char **names; /* of the Keras layers so far */
  size_t n_names;
  bool functional; /* a Functional model, whose layers say what they are called with; else Sequential */
  const char *now, *before, *second; /* the layer being written, the one it is called with, and another one, or NULL */
  bool turned;                       /* maps are (F,T,C) in Keras */
  am_shape flat;                     /* of the turned map after whose flatten we are; t 0: none */
  int frames;                        /* of the input */
} am_keras_writer;

void am_keras_write_input(am_keras_writer *w);
/* Step *i and what is taken into it, which *i then is. */
am_status am_keras_write_step(am_keras_writer *w, size_t *i, am_error *err);
/* The softmax that the loss has here.  One further in (`inside`) is in the model itself, and its logarithm is left
 * out. */
am_status am_keras_write_softmax(am_keras_writer *w, bool inside, am_error *err);

#endif
