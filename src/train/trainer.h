/* SPDX-License-Identifier: MIT */
/* train/trainer.h - one run: its objects, its folder, its steps.  For train/ only. */
#ifndef AM_TRAINER_H
#define AM_TRAINER_H

#include "model/evaluate.h"
#include "model/metrics.h"
#include "run/digests.h"
#include "run/facts.h"
#include "train/heads.h"
#include "train/share.h"

/* Where the seconds went that the session's steps do not account for, and what the session did. */
typedef struct am_profile {
  double data; /* waiting for batches */
  double optimiser, validation, checkpoint;
  double clips, steps; /* trained: clips of full length, batches */
  float *took;         /* s of each step with the wait for its batch, of n_took; under options->profile */
  size_t n_took, room;
} am_profile;

typedef struct am_trainer {
  am_context *ctx;
  am_config *config;
  const am_run_options *options;
  /* setup.c */
  am_dataset *dataset;
  am_split *split;
  bool by_speaker;          /* the split holds speakers out, whatever else makes its results dependent on them */
  size_t unheard[3];        /* clips of each part that left it, as there is nothing to hear in them */
  am_left_outs left_out[3]; /* of each part, by reason */
  am_names trained_before;  /* speakers the weights knew when the run began (origin.h) */
  am_credit credit_before;  /* what they owed then */
  am_features *fx;
  am_store *store;
  am_normaliser normaliser;
  am_model *model;
  am_share share;        /* of this process in a batch */
  am_session *session;   /* training */
  am_session *inference; /* for validation and test */
  am_optimiser *optimiser;
  am_loader *loader;
  double *class_weights; /* (K) or NULL */
  am_real *prior_shift;  /* (K) of the loss's prior_adjust, or NULL */
  am_real *adjusted;     /* (batch,K) logits with it, or NULL */
  am_real *dlogits;      /* (batch,K) */
  am_heads heads;        /* of train.auxiliary */
  am_real *dembedding;   /* (batch,width) gradient of what is beside the loss of the logits; NULL: there is nothing */
  size_t embedding_bytes;
  int embedding;              /* width */
  double *contrastive_memory; /* of train.loss.contrastive (nn/contrastive.h), and the labels of a batch; or NULL */
  int *labels;
  float *logits;    /* (validation,K) */
  int classes;      /* outputs: classes, or dimensions */
  bool values;      /* the latter */
  size_t per_epoch; /* steps */
  am_monitor monitor;
  double temperature;       /* of the weights validated last, then of the best ones; 0: none (train.calibrate) */
  am_thresholds thresholds; /* the same (train.wanted_precision) */
  /* where the run is */
  am_training_state state;
  am_digests digests;  /* by step */
  uint64_t begun_step; /* where this process began or resumed */
  double rate;         /* learning rate of the last step */
  double clips_per_second;
  am_profile profile;
  double began, saved;   /* when this process began to train; when last.h5 was written (am_now) */
  uint64_t saved_step;   /* of last.h5; 0: none yet */
  double seconds_before; /* of earlier processes of this run */
  bool fell_back;        /* last.h5 is damaged: this process resumed from last-1.h5 and has not saved since */
  am_run_folder folder;
} am_trainer;

/* setup.c: everything up to the first step, in the order data, split, features, model, optimiser. */
am_status am_trainer_setup(am_trainer *t, am_error *err);
void am_trainer_free(am_trainer *t);

/* run.json, as far as the run is. */
am_status am_trainer_facts(am_trainer *t, const char *state, am_error *err);
/* history.csv, log.txt and the file for TensorBoard. */
am_status am_trainer_history(am_trainer *t, am_error *err);

/* step.c: one batch forward, backward, optimiser; the sums of state follow. AM_E_NUMERIC names step and layer. */
am_status am_trainer_step(am_trainer *t, const am_loader_batch *b, am_error *err);
/* The loss of the logits (n,K) of a batch, summed over it.  `beside` gets the sum of the losses of its embedding (n,width), which
 * are no part of it. */
double am_trainer_loss(am_trainer *t, const am_loader_batch *b, const am_real *logits, const am_real *embedding,
                       double *beside);
/* The backward pass of both, of clips from `first` on. */
am_status am_trainer_backward(am_trainer *t, am_session *session, int first, am_error *err);
/* numeric.c: AM_E_NUMERIC with the step, the layer whose output or gradient was the first to be invalid, and the checkpoint that is
 * kept.  Whatever was bad is computed once more with all tensors kept. */
am_status am_trainer_bad_loss(am_trainer *t, const am_batch *batch, double loss, am_error *err);
am_status am_trainer_bad_gradient(am_trainer *t, const am_batch *batch, const am_loader_batch *b, am_error *err);
am_status am_trainer_bad_weight(am_trainer *t, am_error *err); /* optimiser->bad_array */
am_status am_trainer_bad_head(am_trainer *t, const char *trait, am_error *err);
am_status am_trainer_bad_validation(am_trainer *t, double loss,
                                    am_error *err); /* logits are those of the validation part */

/* profile.c: counts a batch; notes what its step took; and all times since t->began as log lines, which add up to the whole. */
void am_trainer_profile_step(am_trainer *t, const am_loader_batch *b);
void am_trainer_profile_took(am_trainer *t, double seconds);
void am_trainer_profile(am_trainer *t, bool all_well); /* all_well: in all processes */

/* statistics.c */
void am_trainer_say_start(am_trainer *t); /* warns as am_model_start_doubt of the best epoch's weights */
void am_trainer_say_lone(am_trainer *t);  /* warns of a batch norm over one value a channel */

/* resume.c */
am_status am_trainer_resume(am_trainer *t, am_error *err);

/* Looks whether speakers that are held out here may be among `trained_before`; `file` is where they are from. */
am_status am_trainer_doubt(am_trainer *t, const char *file, am_error *err);
/* Whether a checkpoint is of this very config and these very clips. */
am_status am_trainer_check_origin(am_trainer *t, am_h5 *file, am_error *err);
/* A digest of the weights as they are. */
am_status am_trainer_digest(am_trainer *t, am_error *err);

/* calibrate.c: AM_E_CONFIG where clips to calibrate on are wanted, and there are none. */
am_status am_trainer_check_calibration(const am_trainer *t, am_error *err);
/* Temperature and thresholds for `logits`, the validation part's by the weights in the model. */
am_status am_trainer_fit_calibration(am_trainer *t, am_error *err);
/* The same where these logits are not known yet. */
am_status am_trainer_calibrate(am_trainer *t, am_error *err);
void am_trainer_say_calibration(am_trainer *t);

/* finish.c: best weights on validation and test, metrics.json, predictions, last.h5 without slots. */
am_status am_trainer_finish(am_trainer *t, am_run_result *result, am_error *err);
/* trainer.c */
/* Trains on to step `steps` in memory, as no folder is opened; digests has what a run would have noted, and that after the
 * last step. */
am_status am_trainer_rehearse(am_trainer *t, uint64_t steps, am_error *err);
/* After what was done with the average of the weights in the model, with this status. */
am_status am_trainer_swap_back(am_trainer *t, am_status status, am_error *err);
am_status am_trainer_save(am_trainer *t, const char *path, const char *keep, bool with_state, am_error *err);

#endif
