/* SPDX-License-Identifier: MIT */
/* exchange/keras.h - Keras models in and out (docs/keras.md).
 *
 * Import reads what model.save() of Keras 2 and 3 writes: x.h5 with `model_config`, the JSON of the model, and
 * /model_weights/<layer>/<names in its attribute weight_names>, or x.keras, a zip with config.json and model.weights.h5.  The
 * model is a Sequential one, or a Functional one that is a chain with branches.  Export writes the same, by the file's name.
 *
 * Keras sees a picture of shape (height, width, channels) where we have (T,F,C).  With layout mel_time, what
 * the published models use, height is F and width T: windows and kernels of 2-D layers are turned, and so are
 * the rows of what follows a Flatten, (F,T,C) there, (T,F,C) here.  time_mel needs no turning, nor do
 * sequences (T,C).
 *
 * What cannot be carried over exactly is AM_E_UNSUPPORTED, naming layer and option. */
#ifndef AM_KERAS_H
#define AM_KERAS_H

#include "exchange/format.h"
#include "model/checkpoint.h"

#define AM_KERAS_LAYOUTS(X) X(AM_KERAS_MEL_TIME, "mel_time") X(AM_KERAS_TIME_MEL, "time_mel")
typedef enum am_keras_layout { AM_KERAS_LAYOUTS(AM_WORD_NAME) } am_keras_layout;

/* The row of Keras (format.h): `options->layout` is an am_keras_layout; a model for clips of any length is refused without
 * `options->frames`.  On failure `out` is as it was. */
am_status am_keras_import(am_context *ctx, const char *file, const am_import_source *source,
                          const am_exchange_options *options, const char *out, am_error *err);
am_status am_keras_export(am_context *ctx, const char *checkpoint, const am_exchange_options *options, const char *out,
                          am_error *err);

/* An archive by its ending, or an HDF5 file with what Keras writes; never a checkpoint of ours. */
bool am_keras_is_of(am_context *ctx, const char *path);
/* The row's `describe` (format.h): layers and arrays of any Keras model, whether it can be imported or not. */
am_status am_keras_describe(am_context *ctx, const char *path, am_described *d, am_error *err);

/* The two outer dimensions exchanged: from (a, b, block), to (b, a, block). */
void am_keras_turn(const float *from, int a, int b, size_t block, float *to);

/* Attributes of the file that Keras has no place for: the licences of all that the weights were trained on, and whom to name. */
#define AM_KERAS_SCALE_LOW "audiomood_scale_low" /* of values of dimensions */
#define AM_KERAS_SCALE_HIGH "audiomood_scale_high"
#define AM_KERAS_SCALES "audiomood_scales" /* of each, where they differ: {"valence": [-3, 3], ...} */
#define AM_KERAS_DIMENSIONS "audiomood_dimensions"
#define AM_KERAS_LICENCE "audiomood_licence"
#define AM_KERAS_ATTRIBUTION "audiomood_attribution"

#endif
