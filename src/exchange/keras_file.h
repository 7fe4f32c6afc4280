/* SPDX-License-Identifier: MIT */
/* exchange/keras_file.h - a file of Keras, of whatever kind, opened: its config and its arrays.
 *
 *   .h5           attribute model_config, group model_weights (Keras 2 and 3)
 *   .keras        a zip of config.json, metadata.json and model.weights.h5 (Keras 2.12 and later)
 *   weights only  what save_weights writes: .h5 with the groups of model_weights at its root, or .weights.h5, the HDF5 of an
 *                 archive by itself; no config */
#ifndef AM_KERAS_FILE_H
#define AM_KERAS_FILE_H

#include "base/value.h"
#include "io/h5.h"

typedef struct am_keras_file {
  am_context *ctx;
  const char *path; /* borrowed, for messages */
  am_h5 *h5;        /* what has the arrays */
  char *image;      /* the memory that it is in, of an archive; NULL: it is the file */
  char *name;       /* of that, for messages */
  char *config;     /* JSON; NULL: weights only */
  bool bare;        /* weights only, whatever `config` then becomes */
  bool store;       /* arrays are layers/<class>_<n>/vars/<i>, else <root>/<layer>/<a name of its weight_names> */
  const char *root; /* "model_weights/"; "": of weights only */
} am_keras_file;

/* am_keras_close also after failure. */
am_status am_keras_open(am_context *ctx, const char *path, am_keras_file *out, am_error *err);
void am_keras_close(am_keras_file *file);

/* Whether a model is written as an archive, by the name of its file. */
bool am_keras_is_archive(const char *path);

/* "layers/dense_2", the group of the third Dense of a model in an archive, with `before` in front; NULL: no memory. */
char *am_keras_store_name(am_tree *tree, const char *before, const char *class, size_t number);

#define AM_KERAS_CONFIG "config.json"
#define AM_KERAS_METADATA "metadata.json"
#define AM_KERAS_WEIGHTS "model.weights.h5"

#endif
