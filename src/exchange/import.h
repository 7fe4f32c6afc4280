/* SPDX-License-Identifier: MIT */
/* exchange/import.h - what importing a model takes beside reading its file: the config, labels, the length of clips, the
 * checkpoint. */
#ifndef AM_IMPORT_H
#define AM_IMPORT_H

#include "exchange/format.h"
#include "model/checkpoint.h"

typedef struct am_import {
  am_context *ctx;
  const char *file, *program; /* "Keras"; both for messages */
  const am_import_source *source;
  am_config *config;
  const char **labels; /* (classes), owned by config->tree */
  size_t classes;
  am_shape input;
  am_model *model;
  const char *config_text; /* the config that the file has, which counts where the source names none; NULL: none */
  float *mean, *inverse;   /* (bins) of features.normalise train or corpus, where the file has them; NULL: it has not */
  am_credit credit;        /* what the weights owe, as the file says */
  bool synthetic;          /* whether they were trained on synthetic speech, likewise */
  double temperature;      /* of a model that was exported from here; 0: none */
  /* (classes) of a model of dimensions, as the file says, or then data.scale and data.scales; NULL: not known yet */
  am_scale *scale;
} am_import;

void am_import_free(am_import *j);
/* The source's config with these layers (JSON), in place of the one before; NULL: with its own. */
am_status am_import_config(am_import *j, const char *layers, am_error *err);
/* The names of the model's outputs, `units` of them (0: not known yet). */
am_status am_import_labels(am_import *j, int64_t units, am_error *err);
/* Whether the config wants a model of dimensions, whose outputs data.dimensions names. */
bool am_import_tells_values(const am_import *j);
/* What the file says of itself has to be what the config wants. */
am_status am_import_check_target(const am_import *j, bool values, am_error *err);
/* The scales of values, once the labels are there: what the file says ("[1, 5]", or of each dimension, in the order of the outputs,
 * {"valence": [-3, 3], ...}), or NULL: data.scales and data.scale. */
am_status am_import_scale(am_import *j, const char *said, am_error *err);
/* One for all that the file says as two numbers. */
am_status am_import_one_scale(am_import *j, am_scale scale, am_error *err);
/* The model was made by another program, which gives values on their scale (values.h). */
am_status am_import_from_scale(am_import *j, am_error *err);
/* Names that the file has for its outputs, as they are; they live as long as the config.  `from`: what messages call them. */
am_status am_import_take_labels(am_import *j, const char *from, const char *const *names, size_t n, am_error *err);
/* What the features of the config give: frames of a clip (0: as many as it is long), bins of a frame. */
am_status am_import_features(am_import *j, int *fixed, int *bins, am_error *err);
/* Chooses the frames of j->input: those that the file wants (-1: any), those of the features. */
am_status am_import_frames(am_import *j, int64_t wanted, int fixed, am_error *err);
/* A layer of j->model by its name; NULL: none. */
const am_layer *am_import_layer(const am_import *j, const char *name);
/* A weight or statistic "kernel" of a layer: what it is, and its numbers. False: there is none. */
bool am_import_array(am_import *j, const char *layer, const char *name, bool statistic, am_array_info *info,
                     am_real **at);
/* Gives what a file may leave out the numbers that stand for that: scales of 1, all else 0. */
void am_import_begin_weights(am_import *j);
/* Writes the checkpoint, and the config where the source wants it. */
am_status am_import_save(am_import *j, const char *out, am_error *err);

#endif
