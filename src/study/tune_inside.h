/* SPDX-License-Identifier: MIT */
/* study/tune_inside.h - what the files of a search share; for study/tune*.c only. */
#ifndef AM_TUNE_INSIDE_H
#define AM_TUNE_INSIDE_H

#include "study/tune.h"

/* tune.c */
am_status am_tune_make_room(am_tune *t, am_error *err); /* folders and values of the trials */
am_status am_tune_check_own(const am_tune *t, am_error *err);
am_status am_tune_begin(am_tune *t, am_error *err); /* writes config and plan, under the folder's lock */
am_status am_tune_stopped(const am_tune *t, am_error *err);
bool am_tune_wants(const am_tune *t, size_t trial, size_t rung); /* it has not done that rung, and could */
/* Trains a trial to a rung, and keeps what came of it in `t`; nothing is written but the trial's folder. */
am_status am_tune_train_trial(am_tune *t, size_t trial, size_t rung, am_error *err);
/* The trials of a rung, rising; *n of them.  AM_E_DATA: none can go on. */
am_status am_tune_rung(am_tune *t, size_t rung, size_t *out, size_t *n, am_error *err);
/* best.yaml, and the winner's run finished, where the test part is evaluated, which was not before. */
am_status am_tune_finish_winner(am_tune *t, am_error *err);

/* tune_jobs.c: the search by this process and others */
am_status am_tune_join(am_tune *t, am_error *err);
am_status am_tune_climb_together(am_tune *t, size_t *alive, am_error *err);
am_status am_tune_finish_together(am_tune *t, am_error *err);

#endif
