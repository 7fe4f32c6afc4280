/* train/trainer.h - one run: its objects, its folder, its steps.  For trainer.c, setup.c, step.c, profile.c,
 * run_folder.c and finish.c only. */
#ifndef AM_TRAINER_H
#define AM_TRAINER_H

#include "base/file.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"

/* The weights and statistics after a step, as a crc32c (am_checkpoint_digest). */
typedef struct am_digest {
  uint64_t step, epoch; /* done */
  uint32_t crc;
} am_digest;
typedef struct am_digests { am_digest *at; size_t n; } am_digests;
/* Where the seconds went that the session's steps do not account for, and what the session did. */
typedef struct am_profile {
  double data;       /* waiting for batches */
  double optimiser, validation, checkpoint;
  double clips, steps; /* trained: clips of full length, batches */
} am_profile;

typedef struct am_trainer {
  am_context *ctx;
  am_config *config;
  const am_run_options *options;
  /* setup.c */
  am_dataset *dataset;
  am_split *split;
  bool by_speaker; /* the split holds speakers out, whatever else makes its results dependent on them */
  size_t unheard[3];     /* clips of each part that left it, as there is nothing to hear in them */
  am_left_outs left_out[3]; /* of each part, by reason */
  am_names trained_before; /* corpora the weights had been trained on when the run began (origin.h) */
  am_features *fx;
  am_store *store;
  am_normaliser normaliser;
  am_model *model;
  am_session *session;   /* training */
  am_session *inference; /* for validation and test */
  am_optimiser *optimiser;
  am_loader *loader;
  double *class_weights; /* (K) or NULL */
  am_real *dlogits;      /* (batch,K) */
  float *logits;         /* (validation,K) */
  int classes;
  size_t per_epoch;      /* steps */
  am_monitor monitor;
  /* where the run is */
  am_training_state state;
  am_digests digests;    /* by step */
  uint64_t begun_step;   /* where this process began or resumed */
  bool rehearsal;        /* of verify: all is as in a run, but nothing is written */
  const am_value *epochs_then; /* of a rehearsal: "train_epochs" of run.json; NULL: not there */
  double rate;           /* learning rate of the last step */
  double clips_per_second;
  am_profile profile;
  double began, saved;   /* when this process began to train; when last.h5 was written (am_now) */
  uint64_t saved_step;   /* of last.h5; 0: none yet */
  double seconds_before; /* of earlier processes of this run */
  /* run_folder.c */
  am_lock *lock;
  am_tree *before;       /* run.json as the process before this one left it; NULL: none */
  am_buffer log;         /* all of log.txt */
  char *last, *previous, *best; /* paths of last.h5, last-1.h5, best.h5 */
  bool fell_back;        /* last.h5 is damaged: this process resumed from last-1.h5 and has not saved since */
  bool folder_ready;     /* from here on things are written */
  char started[32];
} am_trainer;

/* setup.c: everything up to the first step, in the order data, split, features, model, optimiser. */
am_status am_trainer_setup(am_trainer *t, am_error *err);
void am_trainer_free(am_trainer *t);

/* run_folder.c */
am_status am_run_folder_check(am_trainer *t, am_error *err);  /* refuses a folder that holds a run, or lacks one to resume */
am_status am_run_folder_open(am_trainer *t, am_error *err);   /* creates it, locks it, reads the old log and run.json */
am_status am_run_folder_begin(am_trainer *t, am_error *err);  /* config.yaml and run.json */
am_status am_run_folder_history(am_trainer *t, am_error *err); /* history.csv and log.txt */
am_status am_run_folder_facts(am_trainer *t, const char *state, am_error *err); /* run.json */
/* The file the weights came from (--init), of this process or of the first one; NULL: none. */
const char *am_run_folder_init(const am_trainer *t);
am_status am_run_folder_write(am_trainer *t, const char *name, const am_buffer *text, am_error *err);
/* To the log sink and to log.txt. */
void am_trainer_log(am_trainer *t, am_log_level level, const char *format, ...) AM_PRINTF(3, 4);
/* To log.txt alone: what the results that the caller is given say themselves. */
void am_trainer_note(am_trainer *t, am_log_level level, const char *format, ...) AM_PRINTF(3, 4);

/* step.c: one batch forward, backward, optimiser; the sums of state follow. AM_E_NUMERIC names step and layer. */
am_status am_trainer_step(am_trainer *t, const am_loader_batch *b, am_error *err);
/* numeric.c: AM_E_NUMERIC with the step, the layer whose output or gradient first went bad, and the checkpoint that is
 * kept.  Whatever was bad is computed once more with all tensors kept. */
bool am_all_finite(const am_real *x, size_t n);
am_status am_trainer_bad_loss(am_trainer *t, const am_batch *batch, double loss, am_error *err);
am_status am_trainer_bad_gradient(am_trainer *t, const am_batch *batch, const am_loader_batch *b, am_error *err);
am_status am_trainer_bad_weight(am_trainer *t, am_error *err); /* optimiser->bad_array */
am_status am_trainer_bad_validation(am_trainer *t, double loss, am_error *err); /* logits are those of the validation part */

/* profile.c: counts a batch; and all times since t->began as log lines, which add up to the whole. */
void am_trainer_profile_step(am_trainer *t, const am_loader_batch *b);
void am_trainer_profile(am_trainer *t);

/* statistics.c */
void am_trainer_say_start(am_trainer *t); /* warns as am_start_doubt of the best epoch's weights */
void am_trainer_say_lone(am_trainer *t);  /* warns of a batch norm over one value a channel */

/* resume.c */
am_status am_trainer_resume(am_trainer *t, am_error *err);

/* Looks whether the corpora of `trained_before` may have speakers that are held out here; `file` is where they are from. */
am_status am_trainer_doubt(am_trainer *t, const char *file, am_error *err);
/* Whether a checkpoint is of this very config and these very clips. */
am_status am_trainer_check_origin(am_trainer *t, const char *path, am_error *err);
/* AM_E_CONFIG unless two configs differ in nothing but where things are (am_config_is_place). */
am_status am_config_check_places(const am_config *saved, const am_config *now, am_error *err);

/* digests.c: what `verify` holds a second training against; kept in digests.csv of the run folder. */
enum { AM_DIGEST_STEP = 10 }; /* digests are taken before the first step, after this one, and at the end of each epoch */
am_status am_digests_note(am_trainer *t, am_error *err); /* of the weights as they are */
am_status am_digests_write(am_trainer *t, am_error *err);
/* AM_E_IO when there is no such file. am_free out->at */
am_status am_digests_read(am_context *ctx, const char *run, am_digests *out, am_error *err);
/* For resuming: those up to the step resumed from; a damaged or missing file is said and begun anew. */
am_status am_digests_resume(am_trainer *t, am_error *err);

/* environment.c */
/* "environments" of run.json: a row for each that processes of the run had, with the step from which on. */
void am_environment_write(am_trainer *t, am_json *j);
/* What differs between the environment in which run.json says that `step` was trained and this one, a line each
 * ("cpu: avx512 then, avx2 now"); empty: nothing. */
void am_environment_compare(am_context *ctx, const am_value *facts, uint64_t step, am_buffer *out);
/* "train_epochs" of run.json: each value that train.epochs had, with the step from which on. */
void am_epochs_write(am_trainer *t, am_json *j);
/* The value with which step `step` (from 0) was trained, by such a list; 0: it does not say. */
int64_t am_epochs_at(const am_value *list, uint64_t step);

/* finish.c: best weights on validation and test, metrics.json, predictions, last.h5 without slots. */
am_status am_trainer_finish(am_trainer *t, am_run_result *result, am_error *err);
/* trainer.c */
/* Trains the first `steps` steps in memory; digests has what a run would have noted, and that after the last step. */
am_status am_trainer_rehearse(am_trainer *t, uint64_t steps, am_error *err);
am_status am_trainer_save(am_trainer *t, const char *path, const char *keep, bool with_state, am_error *err);

#endif
