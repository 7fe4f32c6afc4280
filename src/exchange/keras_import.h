/* SPDX-License-Identifier: MIT */
/* exchange/keras_import.h - between the two halves of import: keras_import.c (config, input, labels, checkpoint) and
 * keras_import_weights.c. */
#ifndef AM_KERAS_IMPORT_H
#define AM_KERAS_IMPORT_H

#include "exchange/import.h"
#include "exchange/keras_file.h"
#include "exchange/keras_read.h"

/* Fills the weights of the model; those that Keras left out stay as they are. */
am_status am_keras_take_weights(am_import *is, const am_keras_file *from, const am_keras_model *keras, am_error *err);

#endif
