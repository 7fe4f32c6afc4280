/* SPDX-License-Identifier: MIT */
/* run/facts.h - run.json: what a run is, on what machine, and how far it is. */
#ifndef AM_RUN_FACTS_H
#define AM_RUN_FACTS_H

#include "model/checkpoint.h"
#include "run/folder.h"

/* What is written. All borrowed. */
typedef struct am_run_facts {
  const am_config *config;
  const am_dataset *dataset;
  const am_split *split;
  const am_model *model;
  const am_training_state *state;
  uint64_t begun_step; /* where this process began or resumed */
  double seconds;      /* of all processes of the run */
} am_run_facts;

/* `state`: "running", "interrupted", "failed", "finished". */
am_status am_run_facts_write(am_run_folder *f, const am_run_facts *r, const char *state, am_error *err);

#endif
