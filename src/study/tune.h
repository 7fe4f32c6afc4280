/* SPDX-License-Identifier: MIT */
/* study/tune.h - a search over settings of a config, by successive halving (Jamieson & Talwalkar 2016) on the validation part.
 *
 * Every trial is a run with settings of its own, drawn from the config's section `tune` by its seed.  All are trained to the first
 * rung, the best 1/reduction of them on to the next, and so on up to train.epochs.  A rung is a pause of the run
 * (am_run_options.pause_after), so a trial that gets to the end has the bits of a run that was trained at once: its schedule is that
 * of all epochs from the start.
 *
 * What is compared is train.monitor, of the validation part.  The test part is evaluated once, when the winner is finished;
 * until then no run has been.
 *
 * A folder of a search holds tune.yaml (the config it began from), tune.json (plan and results, written again after every step of a
 * trial), tune.csv, best.yaml (the winner's config), and a run folder for each trial, trial-001 ...  What is in it decides how it
 * goes on, so one that was killed has the same results.
 *
 * Several processes may work on one folder (`job`), which share nothing else.  Each takes trials of the rung that nobody has, under
 * the lock `job` of the trial's folder, and adds what came of them to tune.json under the lock of the search's.  A rung begins when the
 * one before has ended, so what is trained does not depend on who trains it, nor on how many there are. */
#ifndef AM_TUNE_H
#define AM_TUNE_H

#include "base/lock.h"
#include "model/config.h"
#include "run/results.h"

/* The config section `tune`. */
typedef struct am_tune_options {
  int64_t trials, reduction, min_epochs;
  const am_value *search; /* map: key of the config -> list of values, or map of from, to and scale */
} am_tune_options;
extern const am_option am_tune_table[];

typedef struct am_trial {
  const char **settings; /* (n_keys) as they stand in a config */
  char *folder;
  double *values; /* (n_rungs) of train.monitor, the best so far; NaN: not there yet */
  size_t rungs;   /* that it has done */
  uint64_t epochs, best_epoch;
  double seconds;
  const char *failed; /* why it could not go on; NULL: it could */
} am_trial;

typedef struct am_tune {
  am_context *ctx;
  am_config *config;  /* borrowed, or `own` */
  am_config *own;     /* of am_tune_load; else NULL */
  const char *folder; /* borrowed */
  bool is_job;        /* see am_tune_run_options.job */
  double patience;
  am_lock *lock;
  am_tree *texts; /* of all below */
  const char **keys;
  size_t n_keys;
  am_trial *trials;
  size_t n_trials;
  int64_t reduction;
  uint64_t *rungs; /* (n_rungs) epochs, rising; the last is train.epochs */
  size_t n_rungs;
  uint64_t seed;
  size_t winner;      /* SIZE_MAX: not known yet */
  am_results results; /* of the winner, when it has finished; else empty */
} am_tune;

typedef struct am_tune_run_options {
  const char *out;
  bool resume;     /* go on with the search in `out` */
  double patience; /* s to wait while another process has it */
  bool
      job; /* this process is one of several with the same config: it begins the search, or joins it, or goes on with it */
} am_tune_run_options;

/* tune.c: trains what is not trained yet.  am_context_stop ends it with AM_E_STOPPED; the message says how to go on.
 * `config` must outlive the result.  On failure *out has what is known, or is NULL; am_tune_free. */
am_status am_tune_run(am_config *config, const am_tune_run_options *options, am_tune **out, am_error *err);
void am_tune_free(am_tune *t);
const char *am_tune_monitor(const am_tune *t);             /* the word of train.monitor */
bool am_tune_better(const am_tune *t, double a, double b); /* of that; NaN is worse than all */
/* Indices of the trials that go on from rung to rung; of rung 0 all.  The best first.  Room for n_trials; their number. */
size_t am_tune_alive(const am_tune *t, size_t rung, size_t *out);

double am_tune_figure(const am_tune *t, const am_epoch *e); /* of train.monitor */
/* The first rung that not all of its trials (*n of alive, with room for n_trials) have done; n_rungs: all have. */
size_t am_tune_at(const am_tune *t, size_t *alive, size_t *n);
/* "winner", "left behind", "going on", "failed"; alive and n by am_tune_at. */
const char *am_tune_state(const am_tune *t, size_t trial, const size_t *alive, size_t n);
/* Indices of all trials (n_trials), who got further first, and then who was better there. */
void am_tune_order(const am_tune *t, size_t *out);
double am_tune_last(const am_trial *x); /* its value at the last rung that it has done; NaN: none */
const am_part_results *am_tune_part(const am_tune *t, const char *name); /* of the winner's results; NULL: none */

/* tune_space.c */
/* AM_E_CONFIG with the place of what is wrong in the section. */
am_status am_tune_check_space(const am_config *config, const am_tune_options *o, am_error *err);
/* Keys and settings of the trials, no two alike; fewer than o->trials where there are no more. */
am_status am_tune_draw(am_tune *t, const am_tune_options *o, am_error *err);

/* tune_results.c */
am_status am_tune_write(am_tune *t, am_error *err); /* tune.json, tune.csv */
am_status am_tune_json(const am_tune *t, am_buffer *out, am_error *err);
am_status am_tune_read(am_tune *t, am_error *err); /* plan and results of tune.json, checked; winner as it says */
/* The search in `folder` (borrowed) as far as it has come, which another process may be at.  On failure *out is NULL. */
am_status am_tune_load(am_context *ctx, const char *folder, am_tune **out, am_error *err);

#endif
