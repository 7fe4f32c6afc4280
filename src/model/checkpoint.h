/* SPDX-License-Identifier: MIT */
/* model/checkpoint.h - what is in a checkpoint, and how it is kept safe.
 *
 * The format is described for its readers in checkpoints/README.md.  Nothing
 * is lost by a crash, a full disk or a bad sector:
 *   - a file is written as <path>.new, synced, read back and compared with its crc32c, and only then renamed;
 *   - the previous last.h5 is kept as last-1.h5 until the next save, and resuming falls back to it;
 *   - best.h5 is written before the last.h5 that names its epoch and digest. */
#ifndef AM_CHECKPOINT_H
#define AM_CHECKPOINT_H

#include "audiomood/predict.h"
#include "base/file.h"
#include "data/credit.h"
#include "data/loader.h"
#include "io/h5.h"
#include "model/calibration.h"
#include "model/config.h"
#include "model/epoch.h"
#include "model/origin.h"

#define AM_CHECKPOINT_FORMAT "audiomood-checkpoint"
/* A model of dimensions is of major version 2: whoever reads 1 alone would take its values for logits of classes.  Where its dimensions
 * have several scales it is 3: whoever reads 2 knows one for all. */
enum {
  AM_CHECKPOINT_MAJOR = 1,
  AM_CHECKPOINT_MINOR = 5,
  AM_CHECKPOINT_VALUES_MAJOR = 2,
  AM_CHECKPOINT_SCALES_MAJOR = 3,
  AM_CHECKPOINT_VALUES_MINOR = 0 /* of both */
};
enum { AM_CHECKPOINT_FRAMES = 1 << 24 }; /* of a model's input: hours of sound; a file that says more is not ours */

/* How the members of a fused file become one (fusion.h). */
typedef struct am_fusion_set {
  double *weights;    /* (n_members) at least 0, of sum 1; a member of weight 0 is not asked.  NULL of one model */
  double temperature; /* that logits, or weighted logarithms, are divided by (calibration.h); 1: it is not calibrated */
  am_thresholds thresholds; /* below which there is no answer */
} am_fusion_set;

/* What a checkpoint file holds beside weights; all a prediction needs.
 *
 * A fused file (fusion.h) has members and neither a model nor a normaliser or input of its own; config is that of the first. */
struct am_checkpoint {
  am_context *ctx;
  am_checkpoint **members; /* (n_members) */
  size_t n_members;        /* 0: it is one model */
  am_config *config;       /* effective config of the run that made it */
  am_model *model;         /* built, weights and statistics loaded */
  char **labels;           /* (K) of classes, or dimensions */
  int classes;
  bool values;     /* it tells dimensions: am_checkpoint_answer */
  am_scale *scale; /* (K) of them, owned by config->tree; NULL: it tells classes */
  am_normaliser
      normaliser; /* kind train: statistics; kind speaker: those of the training part, and of a voice once it is heard */
  am_shape input;
  /* Owned by config->tree: the corpus; what the model is; the licences of all that its weights were trained on, and whom to
   * name, a line for each corpus (data/credit.h). */
  const char *corpus, *title, *licence, *attribution;
  bool synthetic, speaker_independent;
  uint64_t digest;                /* of the training data (am_data_digest); 0: not known */
  am_names seen, before;          /* speakers that it and the model it began from know (origin.h) */
  uint64_t epoch, step;           /* done by the run that made it; 0 of an imported model */
  bool resumable;                 /* has optimiser state */
  am_norm_stats speaker;          /* of the sounds of am_checkpoint_add_speaker, or a profile's; f 0: none */
  bool enrolled;                  /* a profile's: shrunk by features.shrink (am_norm_shrink) */
  struct am_predictor *predictor; /* made by the first am_predict_sound */
  bool told;                      /* that longer sounds are cut */
  am_fusion_set
      any; /* of a fused file with two sets: for a voice that is not known; members that normalise by speaker have 0 */
  am_fusion_set *known; /* for a voice that is; NULL: the one set is for all voices */
  bool heard;           /* with two sets: a voice is known, and the second is in force */
};

/* am_checkpoint_load of a file that is ours and of nobody else (model/shipped.c): HDF5 is trusted with it. */
am_status am_checkpoint_load_ours(am_context *ctx, const char *path, am_checkpoint **out, am_error *err);

/* That which is in force, and the one for a voice that is known or is not. */
const am_fusion_set *am_checkpoint_set(const am_checkpoint *c);
const am_fusion_set *am_checkpoint_set_for(const am_checkpoint *c, bool known);

/* What the outputs (rows,K) of its model mean, into `told` (rows,K), which may be the same memory: probabilities, or values of
 * dimensions on their scale. */
void am_checkpoint_answer(const am_checkpoint *c, const am_real *outputs, int rows, am_real *told);
/* Of outputs (rows,K) as training has them (am_dataset_unit). */
void am_values_from_outputs(const am_real *outputs, size_t rows, size_t K, const am_scale *scale, am_real *values);
/* AM_E_USAGE where it tells dimensions; `what` wants classes ("segments"), or "". */
am_status am_checkpoint_need_classes(const am_checkpoint *c, const char *what, am_error *err);

/* Where a run is: everything that shapes the rest of it, beside weights and optimiser slots. Random
 * numbers are counted by seed, epoch and draw, so they have no state. */
typedef struct am_training_state {
  uint64_t step;                /* optimiser steps done */
  uint64_t epoch;               /* finished epochs */
  uint64_t position;            /* batches done of the epoch after them */
  double loss_sum, divisor_sum; /* sums over those batches */
  double contrastive_sum;       /* likewise; 0 without train.loss.contrastive */
  uint64_t correct, clips;
  double epoch_seconds, run_seconds;
  am_schedule_state schedule;
  uint32_t best_digest; /* of the weights in best.h5; 0: none yet */
  bool finished;
  size_t n_history;
  am_epoch *history; /* a row a finished epoch; am_free */
} am_training_state;

/* Where a head of train.auxiliary is: what last.h5 has of it.  A prediction needs nothing of it. */
typedef struct am_head_state {
  const char *trait;
  uint64_t digest; /* of its classes, clip by clip */
  am_model *model; /* and optimiser: borrowed */
  am_optimiser *optimiser;
  double loss_sum; /* sums over the batches of the epoch that has begun, of clips with the trait */
  uint64_t correct, clips;
} am_head_state;

/* What is written. `optimiser` and `state` NULL: weights only. */
typedef struct am_save {
  am_config *config;
  am_model *model;
  char *const *labels;
  int classes;
  const am_scale *scale; /* (classes) of dimensions; NULL: of classes */
  const am_normaliser *normaliser;
  const am_dataset *dataset;
  const am_split *split;
  const am_names *before;         /* speakers known before (origin.h); NULL: none */
  const am_credit *credit_before; /* what those weights owe; NULL: nothing */
  uint64_t epoch, step;
  const am_optimiser *optimiser;
  const am_training_state *state;
  const am_head_state *heads; /* written with the optimiser */
  size_t n_heads;
  double temperature;              /* 0: not calibrated */
  const am_thresholds *thresholds; /* NULL, or of precision 0: none */
} am_save;

/* Of the names and the order of the clips in all parts: a run is only resumed on the very same.  Clips with nothing to hear
 * count, though they leave their parts once the sounds are read: who has not read them gets the same digest. */
uint64_t am_data_digest(const am_dataset *d, const am_split *split);
/* Writes, syncs and verifies <path>.new; `keep` (or NULL) is the name the old file gets; then it becomes `path`.
 * On failure `path` is as it was.  It is a name of our own: a link in its place is replaced. */
am_status am_checkpoint_save(am_context *ctx, const char *path, const char *keep, const am_save *save, am_error *err);
/* To a path given by the user: of a link the file it leads to is replaced. */
am_status am_checkpoint_save_given(am_context *ctx, const char *path, const am_save *save, am_error *err);
/* crc32c over all weights and statistics in layer order. */
uint32_t am_checkpoint_digest(am_model *model);
/* Reads every array of a file and compares it with its crc32c. */
am_status am_checkpoint_verify(am_context *ctx, const char *path, am_error *err);

/* What a file is, before anything of it is read; and all that a prediction needs of it, into c, which is empty. */
am_status am_checkpoint_check_head(am_context *ctx, am_h5 *file, am_error *err);
am_status am_checkpoint_read(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err);
/* A checkpoint of one model to be read, its format and version checked; am_h5_close.  NULL on failure.  What is asked of one file
 * is asked of one handle: it is opened once, and all is of the same file. */
am_status am_checkpoint_open(am_context *ctx, const char *path, am_h5 **file, am_error *err);
/* For resuming: weights, statistics, slots and state of a file into objects made from the same config.  `optimiser`
 * may be NULL for a finished run, which has no heads either. */
am_status am_checkpoint_resume(am_context *ctx, am_h5 *file, am_model *model, am_optimiser *optimiser,
                               am_head_state *heads, size_t n_heads, am_training_state *state, am_error *err);
/* Weights and statistics only (best.h5); `epoch`, `digest`, `temperature` and `thresholds` (or NULL) get the file's and theirs. */
am_status am_checkpoint_weights(am_context *ctx, const char *path, am_model *model, uint64_t *epoch, uint32_t *digest,
                                double *temperature, am_thresholds *thresholds, am_error *err);
/* What its weights were trained on; am_origin_free. */
am_status am_checkpoint_origin(am_context *ctx, am_h5 *file, am_origin *out, am_error *err);
/* checkpoint_check.c: everything in a file that is used together is held together here, once, when it is loaded.  `path` is for
 * the message. */
am_status am_checkpoint_check_labels(const char *path, const am_names *labels, am_error *err);
/* The shape in itself, and with what the features give. */
am_status am_checkpoint_check_input(const char *path, const am_feature_options *features, am_shape in, am_error *err);
/* Kind, way and bins, before its arrays are read; then their numbers. */
am_status am_checkpoint_check_normaliser(const char *path, const am_feature_options *features, am_shape in,
                                         const am_normaliser *nz, am_error *err);
am_status am_checkpoint_check_means(const char *path, const am_normaliser *nz, am_error *err);
am_status am_checkpoint_check_training(const char *path, const am_norm_stats *s, am_error *err);
/* Whether the weights and statistics that were read into the model are numbers; AM_E_NUMERIC names the array. */
am_status am_checkpoint_check_finite(am_context *ctx, const char *path, am_model *model, am_error *err);
/* Whether they could have been fitted. */
am_status am_checkpoint_check_temperature(const char *path, double temperature, am_error *err);
/* `name`: "thresholds". */
am_status am_checkpoint_read_thresholds(am_h5 *file, const char *name, int classes, am_thresholds *t, am_error *err);
am_status am_checkpoint_write_thresholds(am_h5 *file, const char *name, const am_thresholds *t, size_t classes,
                                         am_error *err);
/* The version, and, of a model of dimensions (scale not NULL), what it tells, at the root. */
am_status am_checkpoint_write_target(am_h5 *file, const am_scale *scale, int classes, am_error *err);
am_status am_checkpoint_check_thresholds(const char *path, const am_thresholds *t, int classes, am_error *err);
/* Counts and sums; whether they fit the run's batches is looked at when it is resumed. */
am_status am_training_state_check(const char *path, const am_training_state *t, am_error *err);
am_status am_head_state_check(const char *path, const am_head_state *h, am_error *err);
/* --init: arrays of the same name and shape are taken; the others are listed. */
typedef struct am_init_report {
  am_buffer matched, missing, reshaped, unused; /* names, separated by ", " */
  size_t n_matched, n_missing, n_reshaped, n_unused;
  size_t n_anew; /* batch norms whose statistics are taken, and lack the count that the model's have (nn/norm.c) */
} am_init_report;
am_status am_checkpoint_init(am_context *ctx, am_h5 *file, am_model *model, am_init_report *report, am_error *err);
void am_init_report_free(am_context *ctx, am_init_report *report);

#endif
