/* SPDX-License-Identifier: MIT */
/* run/metrics.h - metrics.json: what a finished run came to, written and read; its parts with all their figures are read by
 * results.h. */
#ifndef AM_RUN_METRICS_H
#define AM_RUN_METRICS_H

#include "data/split.h"
#include "model/metrics.h"
#include "run/folder.h"

/* What is written. All borrowed. */
typedef struct am_run_metrics {
  const char *name;
  const am_dataset *dataset;
  const am_split *split;
  uint64_t epochs, steps, best_epoch;
  bool stopped_early, transductive;
  double seconds;
  const size_t *unheard;        /* (3) clips of each part with nothing to hear: in no part */
  const am_left_outs *left_out; /* (3) of each part, by reason */
  const am_metrics *of[3];      /* of each part; NULL: none */
  double temperature;           /* that calibrates the best model; 0: none was fitted for (train.calibrate) */
} am_run_metrics;

am_status am_run_metrics_write(am_run_folder *f, const am_run_metrics *r, am_error *err);

/* What is read without the parts. */
typedef struct am_run_summary {
  uint64_t epochs, best_epoch;
  double seconds;
  size_t unheard_test;  /* 0 where versions before did not say it */
  am_answered answered; /* of the part that predictions.csv is of: test, or validation where there is none */
} am_run_summary;

/* What a part of metrics.json, or the pooled figures of crossval.json, says of thresholds. */
am_answered am_run_answered(const am_value *part);

/* Of the run in `folder`. */
am_status am_run_summary_read(am_context *ctx, const char *folder, am_run_summary *out, am_error *err);

#endif
