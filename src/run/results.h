/* SPDX-License-Identifier: MIT */
/* run/results.h - what the folder of a run, or of a cross-validation, says: settings, histories, metrics
 * and predictions, checked. */
#ifndef AM_RESULTS_H
#define AM_RESULTS_H

#include "model/checkpoint.h"
#include "model/metrics.h"
#include "run/history.h"
#include "run/predictions.h"

/* A held-out part of the data, with what the best weights made of it. */
typedef struct am_part_results {
  const char *name;      /* "test", "validation"; of a cross-validation "pooled" */
  const am_value *value; /* what the file says of it */
  am_metrics *metrics;
  am_metrics utterances;      /* n (0: clips are whole), loss, accuracy, uar, macro_f1 by the mean of chunks */
  am_predictions predictions; /* metrics->n of its classes */
} am_part_results;

/* One planned run of a cross-validation. */
typedef struct am_fold {
  int64_t seed, fold;
  const char *folder; /* below the cross-validation's */
  bool finished;
  /* of a finished run */
  uint64_t clips;
  int classes, scored; /* scored: that occur in it; both 0: it does not say */
  double accuracy, uar, macro_f1, best_epoch, epochs, seconds;
  double ccc, of[AM_MOST_DIMENSIONS]; /* of dimensions: the mean concordance, and each one's; else NaN */
  size_t first, n;                    /* its epochs, in the history */
} am_fold;

typedef struct am_results {
  am_context *ctx;
  const char *folder;
  char *config_text;
  am_config *config;
  am_tree *facts;     /* run.json; of a cross-validation that of the run written last, or NULL */
  am_tree *metrics;   /* metrics.json, crossval.json */
  am_history history; /* of a cross-validation run by run */
  int n_parts;
  am_part_results parts[2]; /* the page is about the first: test, or validation where there is no test part */
  bool crossval;
  size_t n_folds, n_finished; /* runs of a cross-validation, seed by seed */
  am_fold *folds;
} am_results;

/* Any of config.yaml, history.csv, metrics.json, run.json or predictions missing or damaged is an error that
 * names the file; of a cross-validation crossval.yaml, crossval.json, predictions.csv and of each finished
 * run history.csv and run.json.  On failure *out is empty. `folder` is borrowed. */
am_status am_results_read(am_context *ctx, const char *folder, am_results *out, am_error *err);
/* What a part of metrics.json, or such an object in it, says: all but groups, speakers, utterances and what stands out. */
am_status am_results_figures(am_context *ctx, const am_value *part, am_metrics **out, am_error *err);
void am_results_free(am_results *r);

/* By dotted path in run.json and metrics.json; what is not there (or has no tree) is NULL, NaN or false. */
const char *am_results_text(const am_tree *tree, const char *path);
double am_results_number(const am_tree *tree, const char *path);
bool am_results_true(const am_tree *tree, const char *path);

#endif
