/* SPDX-License-Identifier: MIT */
/* nn/doubt.h - what is doubtful about a model, as sentences for whoever wrote its config. */
#ifndef AM_DOUBT_H
#define AM_DOUBT_H

#include "nn/model.h"

/* The activation whose values the output still is but for pooling, flatten and dropout after it: softmax,
 * sigmoid, relu, ...; NULL when weights are in between, as they should: the loss takes logits.  A log_probabilities at
 * the end is looked past.  *distribution: it is a softmax, and what is after it keeps the sum over the classes. */
const am_layer *am_model_limited(const am_model *model, bool *distribution);
bool am_model_ends_in_log(const am_model *model); /* in log_probabilities */
/* am_model_limited as a sentence for whoever wrote the config; false when there is nothing to say. */
bool am_model_output_doubt(const am_model *model, char *text, size_t size);

/* The same of a model of values, to which no softmax is laid: -1 to 1 is the scale, so that tanh limits nothing. */
bool am_model_values_doubt(const am_model *model, char *text, size_t size);

/* A part of the start in moving statistics that is worth a warning: a variance that began at 1 is off by 0.01 then. */
#define AM_START_SHARE 0.01
/* Whether the moving statistics of a model after `steps` steps are so much what they began with; then `text` says it. */
bool am_model_start_doubt(const am_model *model, uint64_t steps, char *text, size_t size);

#endif
