/* SPDX-License-Identifier: MIT */
/* study/crossval.h - cross-validation: one run a fold (and seed), and their results together.
 *
 * The folds are those of the config's split (kfold, leave_one_speaker_out, leave_one_group_out, fixed with
 * fold_lists), numbered from 0 as split.fold.  A folder of a cross-validation holds
 *   crossval.yaml         the effective config; split.fold and seed are replaced in every run
 *   crossval.json         plan and results, written again after every run
 *   predictions.csv       every test clip once a seed
 *   fold-K/               a run folder as of `train`
 * With several seeds these are seed-S/fold-K/, and seed-S/predictions.csv is next to them.  A run is
 * finished when its metrics.json is there; finished ones are never trained again.
 *
 * Several processes that a launcher started together (ranks/ranks.h) share out the runs, each of which one of them trains alone:
 * rank r has the runs r, r + their number, ...  The first one has the folder's lock, writes its files, and has all results.
 *
 * The runs may also be the work of several processes (`jobs`), which share nothing but the folder: the first of them writes the plan,
 * under the folder's lock, and each trains the runs it was given, under the locks of their folders.  What is of all runs is
 * then written by am_crossval_collect. */
#ifndef AM_CROSSVAL_H
#define AM_CROSSVAL_H

#include "base/file.h"
#include "model/config.h"
#include "model/metrics.h"

typedef struct am_crossval_options {
  const char *out;
  bool resume;      /* go on with the cross-validation in `out`, with the seeds and folds it began with */
  int64_t seeds;    /* runs of every fold, with the config's seed, seed + 1 ...; at least 1 */
  const int *folds; /* only these, rising; n_folds 0: all; when resuming they are added to those begun with */
  size_t n_folds;
  /* This process is one of several with the same config, seeds and folds, and trains only these of am_crossval.runs.  What is
   * begun goes on; what another process has is waited for, so many seconds.  n_jobs 0: it trains all, alone. */
  const int *jobs;
  size_t n_jobs;
  double patience;
} am_crossval_options;

typedef struct am_crossval_run {
  uint64_t seed;
  int fold;
  char *folder;
  bool finished;
  /* of a finished run */
  uint64_t best_epoch, epochs;
  double seconds;
  size_t unheard;       /* clips of its fold with nothing to hear: they have no row */
  size_t first, n;      /* its rows */
  am_answered answered; /* above the thresholds of its model */
  am_metrics *metrics;
} am_crossval_run;

/* Mean, standard deviation (n - 1; NaN below two) and range of the finite ones among values. */
typedef struct am_spread {
  size_t n;
  double mean, sd, least, most;
} am_spread;

typedef struct am_crossval {
  am_context *ctx;
  am_config *config;  /* borrowed */
  const char *folder; /* borrowed */
  bool is_job;        /* see am_crossval_options.jobs */
  am_lock *lock;
  am_dataset *dataset; /* split: clip.fold says where a clip is tested */
  am_split *split;     /* of the first fold */
  int *folds;          /* (n_folds) rising */
  size_t n_folds, n_seeds;
  am_crossval_run *runs; /* (n_seeds * n_folds) seed by seed */
  size_t n_finished;
  /* rows: the test clips of the finished runs, one run after the other */
  size_t n_rows, room;
  uint32_t *clips; /* index into dataset */
  int *labels, *speakers;
  int64_t *seeds;
  float *probabilities; /* (n_rows,K), or values of dimensions */
  float *truth;         /* (n_rows,K) true values of dimensions, NaN not known; NULL: classes are told */
  am_metrics *pooled;   /* of all rows; NULL before the first run is finished */
  am_metrics **by_seed; /* (n_seeds) pooled over the folds of one seed; NULL without a finished run */
  am_metrics *together; /* of the seeds' mean probabilities, where every seed has the fold; NULL with one seed */
  am_metrics **together_by_fold; /* (n_folds) the same of each fold */
} am_crossval;

/* crossval.c: trains what is not finished yet.  am_context_stop ends it with AM_E_STOPPED; the message says
 * how to go on.  `config` must outlive the result. On failure *out is NULL.  Of several processes all make the call, and all
 * get the failure of the first one that failed, when each is done with its runs. */
am_status am_crossval_train(am_config *config, const am_crossval_options *options, am_crossval **out, am_error *err);
/* What is finished of the one in `folder`, which jobs may still be at: its files are written as if one process had trained these runs.
 * The log names those that are missing (n_finished says how many are there). */
am_status am_crossval_collect(am_config *config, const char *folder, am_crossval **out, am_error *err);
void am_crossval_free(am_crossval *x);

/* crossval_results.c */
/* A finished run's rows and figures. */
am_status am_crossval_read_run(am_crossval *x, am_crossval_run *run, am_error *err);
am_status am_crossval_summarise(am_crossval *x, am_error *err); /* all figures from the rows */
am_status am_crossval_write(am_crossval *x, am_error *err);     /* crossval.json, predictions.csv */
am_status am_crossval_json(const am_crossval *x, am_buffer *out, am_error *err);
/* Over the finished runs. A figure is one of these, or k: the recall of class k, or the concordance of dimension k. */
enum {
  AM_FIGURE_ACCURACY = -1,
  AM_FIGURE_UAR = -2,
  AM_FIGURE_MACRO_F1 = -3,
  AM_FIGURE_UTTERANCE_ACCURACY = -4, /* by the mean of an utterance's chunks; NaN where clips are whole */
  AM_FIGURE_UTTERANCE_UAR = -5,
  AM_FIGURE_SCORED = -6, /* classes that occur, which UAR and macro F1 are means over */
  AM_FIGURE_CHANCE = -7, /* the UAR of guessing among them */
  AM_FIGURE_CCC = -8,    /* the mean concordance of the dimensions */
  AM_FIGURE_UTTERANCE_CCC = -9
};
bool am_crossval_has_chunks(const am_crossval *x);
/* What a spread is over: all finished runs; the folds of the seeds' mean probabilities; the seeds' pooled figures (one seed has
 * no spread). */
typedef enum am_over { AM_OVER_FOLDS, AM_OVER_FOLDS_TOGETHER, AM_OVER_SEEDS } am_over;
am_spread am_crossval_spread(const am_crossval *x, am_over over, int figure);

#endif
