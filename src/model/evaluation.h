/* SPDX-License-Identifier: MIT */
/* model/evaluation.h - models and the clips of a corpus that they are scored on: which clips, what each model says, the
 * figures.
 *
 * am_ensemble_evaluate (audiomood/evaluate.h) does all of it.  The command does it in steps, for what it tells beside.
 * */
#ifndef AM_EVALUATION_H
#define AM_EVALUATION_H

#include "audiomood/evaluate.h"
#include "data/split.h"
#include "data/store.h"
#include "model/metrics.h"

typedef struct am_evaluation {
  am_context *ctx;
  am_ensemble *ensemble;           /* borrowed, as are the next three */
  const am_checkpoint *checkpoint; /* the first of them */
  const am_config *config;         /* the one whose data section is read */
  am_dataset *d;
  bool other;      /* it is another corpus than that of the training */
  am_split *split; /* NULL: all of another corpus */
  am_part part;
  const char *part_name; /* "test" */
  uint32_t *clips;       /* (n) those that are scored */
  size_t n;
  struct am_enrolment
      *enrolment; /* borrowed; what is heard of each voice before, by models that normalise by speaker; NULL: all of
                                     it is in the clips scored (transductive) */
  bool
      known; /* models with two sets of weights are asked as of voices that are known, by `enrolment` or by all of their clips */
  const am_condition *under;       /* what the sounds become before; NULL: they stay */
  int *label_of;                   /* corpus label, or dimension, -> model class, or dimension, or -1 */
  const am_thresholds *thresholds; /* below which there is no answer, borrowed; NULL: those of a model that is alone */
  am_left_outs left_out;           /* clips of the part that are not scored, by reason */
  /* By am_evaluation_ask: */
  float *probabilities;   /* (n,K) */
  int *labels, *speakers; /* (n) true classes, NULL of models of dimensions; numbers of speakers */
  float *truth;           /* (n,K) of models of dimensions the true values, NaN not known; else NULL */
} am_evaluation;

/* Chooses the clips.  other: all of them unless options->part says so, and each label is logged with its class. */
am_status am_evaluation_create(am_ensemble *ensemble, const am_config *config, am_dataset *d, bool other,
                               const am_evaluate_options *options, am_evaluation **out, am_error *err);
/* Called with each model before it is asked, when its features are there: m is model `model` of the ensemble, or a member of it. */
typedef am_status (*am_evaluation_fn)(void *user, const am_evaluation *e, size_t model, const am_checkpoint *m,
                                      const am_store *store, am_error *err);
/* The mean of the models' probabilities; each may be NULL. */
am_status am_evaluation_ask(am_evaluation *e, am_evaluation_fn each, void *user, am_error *err);
/* The figures of what was asked, with utterances, groups and what stands out. */
am_status am_evaluation_metrics(const am_evaluation *e, am_metrics **out, am_error *err);
void am_evaluation_free(am_evaluation *e);

#endif
