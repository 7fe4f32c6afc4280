/* SPDX-License-Identifier: MIT */
/* train/verify.h - training the first steps of a run again, and comparing the weights with its digests. */
#ifndef AM_VERIFY_H
#define AM_VERIFY_H

#include "model/config.h"

typedef struct am_verify_row {
  uint64_t step, epoch;
  uint32_t recorded, found;
} am_verify_row;

typedef struct am_verify_report {
  am_verify_row *rows; /* in the order of steps */
  size_t n, n_equal;
  am_buffer changes;     /* what is not as it was then, a line each: version, processor path, libraries,
                        * recordings */
  bool recordings_known; /* the run kept digests of its recordings */
  bool epochs_unknown;   /* the schedule depends on train.epochs, and run.json does not say what it was at first */
} am_verify_report;

/* Reads config.yaml, run.json, digests.csv and last.h5 of the folder `run`, applies `overrides` (of data.root, data.manifest
 * and cache, else AM_E_CONFIG), and trains, in memory, up to step 10, or to the end of epoch `epochs` when that is not 0, each
 * step with the train.epochs that it had then.  AM_OK also when digests differ: the report says so.  Other clips, or another
 * config, than the run's are an error. */
am_status am_run_verify(am_context *ctx, const char *run, const char *const *overrides, size_t n, uint64_t epochs,
                        am_verify_report *out, am_error *err);
void am_verify_report_free(am_context *ctx, am_verify_report *report);

#endif
