/* exchange/keras.h - Keras models in and out (docs/keras.md).
 *
 * Import reads what model.save("x.h5") of Keras 2 and 3 writes: `model_config`, the JSON of a Sequential model or of a
 * Functional one whose layers form a chain, and /model_weights/<layer>/<names in its attribute weight_names>.
 * Export writes the same.
 *
 * Keras sees a picture of shape (height, width, channels) where we have (T,F,C).  With layout mel_time, what
 * the published models use, height is F and width T: windows and kernels of 2-D layers are turned, and so are
 * the rows of what follows a Flatten, (F,T,C) there, (T,F,C) here.  time_mel needs no turning, nor do
 * sequences (T,C).
 *
 * What cannot be carried over exactly is AM_E_UNSUPPORTED, naming layer and option. */
#ifndef AM_KERAS_H
#define AM_KERAS_H

#include "model/checkpoint.h"

#define AM_KERAS_LAYOUTS(X) X(AM_KERAS_MEL_TIME, "mel_time") X(AM_KERAS_TIME_MEL, "time_mel")
typedef enum am_keras_layout { AM_KERAS_LAYOUTS(AM_WORD_NAME) } am_keras_layout;

typedef struct am_keras_import_options {
  const char *config;           /* file with data and features; its model.layers, if any, are replaced */
  const char *const *overrides; /* "key=value" */
  size_t n_overrides;
  const char *labels;     /* "calm,happy,...", the order of the model's outputs; NULL: data.labels */
  int layout;             /* am_keras_layout, for 2-D inputs */
  am_buffer *config_text; /* gets the effective config, with the imported layers; NULL: not wanted */
} am_keras_import_options;

/* Writes the checkpoint `out`. On failure `out` is as it was. */
am_status am_keras_import(am_context *ctx, const char *file, const am_keras_import_options *options, const char *out,
                          am_error *err);

typedef struct am_keras_export_options {
  int layout; /* am_keras_layout, for 2-D inputs */
  int frames; /* of a model for clips of any length: the one length to export it for; 0: such models are
                 refused */
} am_keras_export_options;

am_status am_keras_export(am_context *ctx, const char *checkpoint, const am_keras_export_options *options,
                          const char *out, am_error *err);

/* The two outer dimensions exchanged: from (a, b, block), to (b, a, block). */
void am_keras_turn(const float *from, int a, int b, size_t block, float *to);

#endif
