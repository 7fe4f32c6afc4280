/* SPDX-License-Identifier: MIT */
/* run/environment.h - what the last bits of a result depend on beside config, seed and data. */
#ifndef AM_ENVIRONMENT_H
#define AM_ENVIRONMENT_H

#include "io/json.h"

/* Version, processor path, libraries, and how sums over a batch are taken. */
enum { AM_FACTS = 10 };
typedef struct am_environment {
  struct {
    const char *key;
    char text[160];
  } facts[AM_FACTS];
} am_environment;
void am_environment_get(am_context *ctx, am_environment *out);

/* Two lists of run.json with a row for each that processes of the run had, and the step from which on: "environments" and
 * "train_epochs", the values of train.epochs.  `before` is the run.json of the process before, NULL: none; rows of steps from
 * `step` on, where this process began, are dropped: they are trained again. */
void am_environment_write(am_context *ctx, const am_tree *before, uint64_t step, am_json *j);
void am_epochs_write(const am_tree *before, uint64_t step, int64_t epochs, am_json *j);

/* What differs between the environment in which run.json says that `step` was trained and this one, a line each
 * ("cpu: avx512 then, avx2 now"); empty: nothing. */
void am_environment_compare(am_context *ctx, const am_value *facts, uint64_t step, am_buffer *out);
/* The value with which step `step` (from 0) was trained, by such a list; 0: it does not say. */
int64_t am_epochs_at(const am_value *list, uint64_t step);

#endif
