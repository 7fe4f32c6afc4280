/* SPDX-License-Identifier: MIT */
/* exchange/keras_write.h - from our model to the layers of a Keras model: shared by keras_write.c (one layer), keras_write_model.c
 * (all of them, in Keras's order) and keras_export.c (the file). */
#ifndef AM_KERAS_WRITE_H
#define AM_KERAS_WRITE_H

#include "exchange/keras_file.h"
#include "exchange/keras_read.h"

/* A layer of Keras. */
typedef struct am_keras_out {
  const char *class, *name;
  const char *store; /* its group in an archive */
  am_buffer config;  /* JSON */
  size_t inputs[AM_MAX_INPUTS];
  int n_in;
  const am_layer *layer; /* ours, whose arrays are its weights */
  am_keras_array arrays[AM_KERAS_ARRAYS];
  int n_arrays;
  const char *const *cells; /* of each direction, what is between its name and its arrays' in a .h5; NULL: nothing */
  am_shape flat;            /* of the turned map whose flatten it follows; t 0: none */
  size_t depth, visit;      /* longest way to the output, and when a walk from there first comes by */
} am_keras_out;

typedef struct am_keras_writer {
  am_context *ctx;
  const char *file; /* the checkpoint, for messages */
  am_checkpoint *checkpoint;
  am_model *model;
  am_tree *tree; /* options and names */
  am_json json;  /* the layer being written */
  am_keras_out *out;
  size_t n_out, most;
  size_t now;      /* the layer whose output goes on */
  size_t *at;      /* by tensor: the layer that makes it */
  am_shape *flats; /* by tensor: the turned map that is flattened in it; t 0: none */
  am_shape flat;   /* and of the step being written */
  bool turned;     /* maps are (F,T,C) in Keras */
  bool values;     /* of dimensions, so without a softmax */
  int frames;      /* of the input; 0: any */
} am_keras_writer;

/* keras_write_model.c: all layers of the model, sorted as Keras will, with the softmax that the loss has here.  In any case
 * am_keras_write_free. */
am_status am_keras_write_model(am_keras_writer *w, am_error *err);
void am_keras_write_free(am_keras_writer *w);
/* The JSON of model_config or, of an archive, of config.json. */
am_status am_keras_write_config(am_keras_writer *w, bool archive, am_buffer *out, am_error *err);
/* All arrays, as a .h5 or an archive has them. */
am_status am_keras_write_weights(am_keras_writer *w, am_h5 *h5, bool archive, am_error *err);

/* keras_write.c: the input; step *i and what is taken into it, which *i then is; and the softmax at the end. */
am_status am_keras_write_input(am_keras_writer *w, am_error *err);
am_status am_keras_write_step(am_keras_writer *w, size_t *i, am_error *err);
am_status am_keras_write_softmax(am_keras_writer *w, am_error *err);

#endif
