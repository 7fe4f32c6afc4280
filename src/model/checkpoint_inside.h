/* SPDX-License-Identifier: MIT */
/* model/checkpoint_inside.h - what the files that read a checkpoint share. */
#ifndef AM_CHECKPOINT_INSIDE_H
#define AM_CHECKPOINT_INSIDE_H

#include "io/h5.h"
#include "model/checkpoint.h"

/* An attribute that is a whole number from 0 on, and one that is a truth value. */
am_status am_checkpoint_get_count(am_h5 *file, const char *object, const char *name, uint64_t *out, am_error *err);
am_status am_checkpoint_get_bool(am_h5 *file, const char *object, const char *name, bool *out, am_error *err);
/* Labels and their number into c, checked. */
am_status am_checkpoint_read_labels(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err);
/* Whether the array in the file has the model's shape; texts of both for the message. */
bool am_checkpoint_same_shape(const am_h5_info *found, const am_array_info *wanted, char found_text[96],
                              char wanted_text[96]);
/* All weights, or all statistics, into a buffer laid out as the model's. */
am_status am_checkpoint_read_group(am_context *ctx, am_h5 *file, const char *group, am_model *model, bool statistics,
                                   am_real *flat, am_error *err);
/* A slot of an optimiser of this model: am_optimiser_room numbers in `room`. */
am_status am_checkpoint_read_slot(am_context *ctx, am_h5 *file, const char *group, am_model *model, am_optimiser *o,
                                  int slot, am_real *room, am_error *err);
/* Both, into the model. */
am_status am_checkpoint_read_arrays(am_context *ctx, am_h5 *file, am_model *model, am_error *err);

#endif
