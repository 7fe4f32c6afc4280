/* train/keras.h - Keras models in and out (docs/keras.md).
 *
 * Import reads what model.save("x.h5") of Keras 2 writes: `model_config`, the JSON of a Sequential model, and
 * /model_weights/<layer>/<names in its attribute weight_names>.  Export writes the same.
 *
 * Keras sees a picture of shape (height, width, channels) where we have (T,F,C).  With layout mel_time, what
 * the published models use, height is F and width T: windows and kernels of 2-D layers are turned, and so are
 * the rows of what stands behind a Flatten, (F,T,C) there, (T,F,C) here.  time_mel needs no turning, nor do
 * sequences (T,C).
 *
 * What cannot be carried over exactly is AM_E_UNSUPPORTED, naming layer and option. */
#ifndef AM_KERAS_H
#define AM_KERAS_H

#include "io/json.h"
#include "train/train.h"

typedef enum am_keras_layout { AM_KERAS_MEL_TIME, AM_KERAS_TIME_MEL } am_keras_layout;
#define AM_KERAS_LAYOUTS "mel_time|time_mel"

typedef struct am_keras_import_options {
  const char *config;           /* file with data and features; its model.layers, if any, are replaced */
  const char *const *overrides; /* "key=value" */
  size_t n_overrides;
  const char *labels;           /* "calm,happy,...", the order of the model's outputs; NULL: data.labels */
  int layout;                   /* am_keras_layout, for 2-D inputs */
} am_keras_import_options;

/* Writes the checkpoint `out`. On failure `out` is as it was. */
am_status am_keras_import(am_context *ctx, const char *file, const am_keras_import_options *options,
                          const char *out, am_error *err);

typedef struct am_keras_export_options {
  int layout; /* am_keras_layout, for 2-D inputs */
  int frames; /* of a model for clips of any length: the one length to export it for; 0: such models are
                 refused */
} am_keras_export_options;

am_status am_keras_export(am_context *ctx, const char *checkpoint, const am_keras_export_options *options,
                          const char *out, am_error *err);

/* ---- shared by keras_import.c, keras_layers.c and keras_export.c ---- */

/* The two outer dimensions exchanged: from (a, b, block), to (b, a, block). */
void am_keras_turn(const float *from, int a, int b, size_t block, float *to);

/* The weights of one Keras layer, in Keras's order. */
enum { AM_KERAS_ARRAYS = 6 };
typedef struct am_keras_array {
  const char *keras;  /* "moving_mean" */
  const char *ours;   /* "mean", of our layer */
  bool statistic;
} am_keras_array;

typedef struct am_keras_layer {
  const char *name;   /* ours */
  const char *keras;  /* Keras's, which may hold other characters */
  int n_arrays;
  am_keras_array arrays[AM_KERAS_ARRAYS];
  bool turned;        /* conv2d over a turned map */
  const char *flat;   /* name of the flatten of a turned map that its input comes from; NULL: none */
  int64_t reshape[2]; /* (T, F*C) that to_sequence must give, -1: anything; 0: nothing to check */
} am_keras_layer;

/* A Keras model taken apart. */
typedef struct am_keras_model {
  am_tree *tree;       /* owns all strings */
  am_buffer layers;    /* our list of layers, as JSON */
  am_keras_layer *at;  /* layers with weights, or something to check; am_free */
  size_t n;
  int rank;            /* of the input without the batch: 1 to 3 */
  int64_t dims[3];     /* -1: any */
  int64_t units;       /* outputs; 0 unknown */
} am_keras_model;

/* From the JSON, layer by layer. `file` is for messages. */
typedef struct am_keras_reader {
  am_context *ctx;
  const char *file;
  am_keras_model *model;
  am_json json;
  bool turned;            /* maps are (F,T,C) in Keras */
  int rank;               /* of the tensor between layers: 1 (C), 2 (T,C), 3 map */
  const char *flat;       /* the flatten of a turned map behind which we are */
  const char *activation; /* of the last layer; "" none */
} am_keras_reader;

/* keras_layers.c: one layer of the JSON's list, appended to r->model. */
am_status am_keras_read_layer(am_keras_reader *r, const am_value *layer, am_error *err);
/* A flatten of ours that Keras does not have. */
void am_keras_add_flatten(am_keras_reader *r, const char *name);

#endif
