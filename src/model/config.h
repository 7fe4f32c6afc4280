/* SPDX-License-Identifier: MIT */
/* model/config.h - the whole configuration file, checked. */
#ifndef AM_CONFIG_H
#define AM_CONFIG_H

#include "audio/augment.h"
#include "audio/features.h"
#include "audiomood/train.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "data/split.h"
#include "nn/loss.h"
#include "nn/model.h"
#include "optim/optimiser.h"
#include "optim/schedule.h"

/* What the labels of a run may be: the readers of its results take so many classes, and a checkpoint keeps the labels, and
 * other names, in one attribute, each as long as the longest (am_h5_set_texts). */
enum { AM_MAX_LABEL_BYTES = 60000 };

#define AM_CLASS_WEIGHTS(X) X(AM_CLASS_WEIGHTS_NONE, "none") X(AM_CLASS_WEIGHTS_BALANCED, "balanced")
typedef enum am_class_weighting { AM_CLASS_WEIGHTS(AM_WORD_NAME) } am_class_weighting;
#define AM_CALIBRATIONS(X) X(AM_CALIBRATE_NONE, "none") X(AM_CALIBRATE_TEMPERATURE, "temperature")
typedef enum am_calibration { AM_CALIBRATIONS(AM_WORD_NAME) } am_calibration;

/* How the weights of train.auxiliary begin: as they are, or those below 0 at 0 (am_heads_ramp). */
#define AM_AUXILIARY_RAMPS(X) X(AM_AUXILIARY_RAMP_NONE, "none") X(AM_AUXILIARY_RAMP_REVERSED, "reversed")
typedef enum am_auxiliary_ramp { AM_AUXILIARY_RAMPS(AM_WORD_NAME) } am_auxiliary_ramp;

typedef struct am_train_options {
  int64_t epochs, batch;
  int64_t groups;        /* of a batch (nn/groups.h) */
  bool split_slots;      /* each of several processes keeps the optimiser's slots of a part of the weights */
  int monitor;           /* am_monitor: chooses best.h5; the
                * first three become train_loss, with a warning, where there is no validation part */
  int class_weights;     /* am_class_weighting */
  bool balanced_sampler; /* what `balance: label` was called before */
  uint64_t balance;      /* set of am_balanced (loader.h), that of balanced_sampler included */
  bool bucket;
  double ema;                /* decay of averaged weights, 0 off; evaluation then uses the average */
  int64_t early_stopping;    /* patience in epochs; 0 off */
  double save_minutes;       /* also save last.h5 every so many minutes; 0: at ends of epochs only */
  double save_seconds;       /* the end of an epoch is saved when the last save is so old: epochs of a small model take
                            milliseconds, saving after each would take longer than training */
  bool tensorboard;          /* the history also as events (run/events.h) */
  int64_t max_steps;         /* stop after so many steps (tests, verify); 0 off */
  int calibrate;             /* am_calibration: what is fitted to the validation part for best.h5 (calibration.h) */
  double wanted_precision;   /* of answers above thresholds that are fitted to it, too; 0: every answer is given */
  const am_value *auxiliary; /* map: trait of the clips -> weight of a head that predicts it (nn/head.h); NULL: none */
  int auxiliary_ramp;        /* am_auxiliary_ramp */
  int precision;             /* am_precision of the convolutions, while it trains */
  const char *targets, *targets_digest; /* train/targets.h; "": none */
  double targets_share, targets_temperature;
  const am_value *loss, *optimiser, *schedule; /* sub-sections */
} am_train_options;

/* Everything of a config file, checked. Owned strings live in `tree`. */
struct am_config {
  am_context *ctx;
  am_tree *tree;      /* the file with the overrides applied */
  am_tree *effective; /* with every default filled in; what runs and checkpoints keep */
  const char *file;
  const char *name, *description;
  uint64_t seed;
  const char *cache; /* folder of the feature cache; "" none; default "cache" */
  am_data_options data;
  am_split_options split;
  am_feature_options features;
  am_augment_options augment;
  am_train_options train;
  am_loss_options loss;
  am_optimiser_options optimiser;
  am_schedule_options schedule;
  const am_value *layers; /* model.layers */
  const am_value
      *tune; /* section tune, for study/tune.h; NULL: there is none.  It is no part of what is trained, and not kept */
};

/* What messages name in place of a file when a value came from an override (key=value). The command prints its flag for it. */
#define AM_CONFIG_OVERRIDE "override"

/* The tables of the sections that belong to this room. The tables of loss, optimiser and schedule, which are inside of `train`,
 * are declared with them. */
extern const am_option am_config_table[], am_model_table[], am_train_table[];

/* A config that a run or a checkpoint keeps, with every option written out: one that is not there is younger than the file,
 * and means what was done then (am_option.before).  A config of a user's own means the default by leaving it out. */
am_status am_config_load_stored(am_context *ctx, const char *file, const char *const *overrides, size_t n,
                                am_config **out, am_error *err);
am_status am_config_from_stored(am_context *ctx, const char *yaml, const char *name, const char *const *overrides,
                                size_t n, am_config **out, am_error *err);
/* A config of which only the data and how they are split are wanted: it need not have a model, and then has `trained`'s
 * (NULL: one that is good for nothing). */
am_status am_config_load_data(am_context *ctx, const char *file, const am_config *trained, const char *const *overrides,
                              size_t n, am_config **out, am_error *err);
/* The same of what describes a corpus or lists its clips instead of a config: `corpus` is a word of data.corpus, and `key` the
 * setting of data that names the file, such as "described" and "description"; data.root may be among the overrides. */
am_status am_config_of_corpus(am_context *ctx, const char *corpus, const char *key, const char *file,
                              const am_config *trained, const char *const *overrides, size_t n, am_config **out,
                              am_error *err);
am_status am_config_text(am_config *config, am_buffer *yaml, am_error *err); /* effective, as YAML */
/* config_target.c: AM_E_CONFIG for a setting of classes where dimensions are told, and the other way round. */
am_status am_config_check_target(const am_config *config, am_error *err);
bool am_config_calibrates(const am_config *config); /* whether anything is fitted to validation clips beside weights */

/* ---- config_places.c ---- */

/* Whether "key=value" says where something is and nothing else: data.root, data.manifest, data.description, train.targets, the same of one of
 * data.corpora ("data.corpora.0.root"), and cache. */
bool am_config_is_place(const char *setting);
/* AM_E_CONFIG unless two configs differ in nothing but where things are. */
am_status am_config_check_places(const am_config *saved, const am_config *now, am_error *err);
/* AM_E_CONFIG unless they differ in nothing but that and how long a run takes and is kept safe: one goes on as the other.  Their
 * names may differ, too. */
am_status am_config_check_same_run(const am_config *saved, const am_config *now, am_error *err);

#endif
