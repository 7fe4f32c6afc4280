/* train/train.h - config, optimisers, metrics, checkpoints, the training loop. */
#ifndef AM_TRAIN_H
#define AM_TRAIN_H

#include "audiomood/predict.h"
#include "audiomood/train.h"
#include "audio/augment.h"
#include "base/file.h"
#include "data/loader.h"
#include "nn/loss.h"
#include "nn/model.h"

/* What the labels of a run may be: the readers of its results take so many classes, and a checkpoint keeps the labels, and
 * other names, in one attribute, each as long as the longest (am_h5_set_texts). */
enum { AM_MAX_LABEL_BYTES = 60000 };

/* ---- config.c: the whole configuration file ---- */

typedef struct am_optimiser_options {
  int kind;              /* "sgd|adam|adamw" */
  double learning_rate;  /* 0.001 */
  double momentum;       /* sgd */
  bool nesterov;
  double beta1, beta2, epsilon; /* 0.9 0.999 1e-7 */
  int epsilon_mode;      /* "keras|pytorch": where epsilon stands relative to bias correction; both written in optimiser.h */
  double weight_decay;   /* adamw: decoupled, times the learning rate; sgd, adam: added to the gradient */
  double clip_norm;      /* global norm; 0 off */
  const am_value *rates; /* map: name pattern (glob) -> factor on the learning rate; 0 freezes */
  am_texts freeze;       /* name patterns */
} am_optimiser_options;

typedef struct am_schedule_options {
  int kind;             /* "constant|step|cosine|one_cycle|plateau" */
  double warmup_epochs; /* linear from 0 */
  double minimum;       /* factor of the learning rate at the end: cosine, one_cycle, plateau floor */
  int64_t step_epochs;  /* step */
  double factor;        /* step, plateau */
  int64_t patience;     /* plateau, epochs */
  double peak_at;       /* one_cycle: share of the run at the peak; 0.3 */
} am_schedule_options;

typedef struct am_train_options {
  int64_t epochs, batch;
  int monitor; /* am_monitor, "validation_loss|validation_accuracy|validation_uar|train_loss|last": chooses best.h5; the
                * first three become train_loss, with a warning, where there is no validation part */
  int class_weights;     /* "none|balanced" */
  bool balanced_sampler;
  bool bucket;
  double ema;            /* decay of averaged weights, 0 off; evaluation then uses the average */
  int64_t early_stopping; /* patience in epochs; 0 off */
  double save_minutes;   /* also save last.h5 every so many minutes; 0: at ends of epochs only */
  double save_seconds;   /* the end of an epoch is saved when the last save is so old: epochs of a small model take
                            milliseconds, saving after each would take longer than training */
  int64_t max_steps;     /* stop after so many steps (tests, verify); 0 off */
  const am_value *loss, *optimiser, *schedule; /* sub-sections */
} am_train_options;

/* Everything of a config file, checked. Owned strings live in `tree`. */
struct am_config {
  am_context *ctx;
  am_tree *tree;            /* the file with --set applied */
  am_tree *effective;       /* with every default filled in; what runs and checkpoints keep */
  const char *file;
  const char *name, *description;
  uint64_t seed;
  const char *cache;        /* folder of the feature cache; "" none; default "cache" */
  am_data_options data;
  am_split_options split;
  am_feature_options features;
  am_augment_options augment;
  am_train_options train;
  am_loss_options loss;
  am_optimiser_options optimiser;
  am_schedule_options schedule;
  const am_value *layers;   /* model.layers */
};

/* The tables of the sections that belong to this room, for --help; `train` holds loss, optimiser, schedule. */
extern const am_option am_config_table[], am_model_table[], am_train_table[], am_optimiser_table[], am_schedule_table[];

/* A config that a run or a checkpoint keeps, with every option written out: one that is not there is younger than the file,
 * and means what was done then (am_option.before).  A config of a user's own means the default by leaving it out. */
am_status am_config_load_stored(am_context *ctx, const char *file, const char *const *overrides, size_t n,
                                am_config **out, am_error *err);
am_status am_config_from_stored(am_context *ctx, const char *yaml, const char *name, const char *const *overrides,
                                size_t n, am_config **out, am_error *err);
/* A config of which only the data and how they are split are wanted: it need not have a model, and then has `trained`'s. */
am_status am_config_load_data(am_context *ctx, const char *file, const am_config *trained, const char *const *overrides, size_t n,
                              am_config **out, am_error *err);
/* Whether "key=value" says where something is and nothing else: data.root, data.manifest, data.description, the same of one of
 * data.corpora ("data.corpora.0.root"), and cache. */
bool am_config_is_place(const char *setting);
/* The same of a description of a corpus (data.corpus described) instead of a config; data.root is to be among the overrides. */
am_status am_config_of_description(am_context *ctx, const char *file, const am_config *trained, const char *const *overrides,
                                   size_t n, am_config **out, am_error *err);
am_status am_config_text(am_config *config, am_buffer *yaml, am_error *err); /* effective, as YAML */

/* ---- metrics.c ---- */

/* The clips with one value of a trait (gender: female). */
typedef struct am_group {
  char *trait, *value;
  size_t n;
  double accuracy, uar;
  int scored; /* classes that occur among them, which uar is a mean over */
} am_group;

/* What a person would notice, in one sentence with its figure. */
typedef struct am_diagnosis {
  const char *kind; /* "below_chance", "one_answer", "exchanged_labels", "one_speaker" */
  char *text;
  double figure;    /* average recall; share of the answers; average recall with the names exchanged; share of the class */
} am_diagnosis;

struct am_metrics {
  am_context *ctx;
  int classes;
  int scored;           /* classes that occur among the clips: those that uar and macro_f1 are means over */
  size_t n;
  double loss, accuracy, uar, macro_f1;
  double ece;           /* expected calibration error, 15 equal-width bins of confidence */
  double *precision, *recall, *f1; /* (K); NaN where undefined (no support / never predicted counts 0 precision) */
  uint64_t *support;    /* (K) */
  uint64_t *confusion;  /* (K,K) rows true */
  double low, high;     /* 95 % interval of the accuracy */
  double uar_low, uar_high;
  const char *interval; /* "bootstrap over 24 speakers" or "Wilson" ; text owned */
  char interval_text[64];
  am_group *groups; /* those of one trait together, two or more */
  size_t n_groups;
  am_diagnosis *diagnoses;
  size_t n_diagnoses;
  struct am_metrics *per_utterance; /* owned; NULL: each clip is an utterance of its own */
};
/* probabilities (n,K), labels (n), speakers (n) or NULL (-1 unknown). */
am_status am_metrics_compute(am_context *ctx, const float *probabilities, const int *labels, const int *speakers, size_t n,
                             int classes, uint64_t seed, am_metrics **out, am_error *err);
/* utterance.c: sets m->per_utterance when clips (m->n of them, with their probabilities and labels as above) are chunks of
 * utterances: the mean probability of an utterance's chunks in the list decides. */
am_status am_metrics_add_utterances(am_metrics *m, const am_dataset *d, const uint32_t *clips, const float *probabilities,
                                    const int *labels, uint64_t seed, am_error *err);
/* groups.c: sets m->groups, for each trait of which the clips (m->n) have 2 to 12 values. */
am_status am_metrics_add_groups(am_metrics *m, const am_dataset *d, const uint32_t *clips, const float *probabilities,
                                const int *labels, am_error *err);
/* diagnose.c: sets m->diagnoses, of truth and speakers (m->n, -1 unknown) as above; labels (K), names of the speakers. */
am_status am_metrics_diagnose(am_metrics *m, const int *truth, const int *speakers, char *const *labels,
                              const char *const *names, am_error *err);
void am_metrics_free(am_metrics *m);
/* The average recall of guessing among the classes that occur, which is also that of one answer for all; NaN without clips. */
double am_metrics_chance(const am_metrics *m);

/* ---- checkpoint.c ---- */

/* What a checkpoint file holds beside weights; all a prediction needs. */
struct am_checkpoint {
  am_config *config;      /* effective config of the run that made it */
  am_model *model;        /* built, weights and statistics loaded */
  char **labels;          /* (K) */
  int classes;
  am_normaliser normaliser; /* kind train: statistics; kind speaker: none, predict needs --speaker data */
  am_shape input;
  const char *corpus, *licence, *citation; /* of the training data, owned by config->tree */
  bool synthetic, speaker_independent;
  uint64_t digest;        /* of the training data (am_data_digest); 0: not known */
  am_names before;        /* corpora that the model it began from had been trained on (origin.h) */
  uint64_t epoch, step;   /* done by the run that made it; 0 of an imported model */
  bool resumable;         /* has optimiser state */
  struct am_predictor *predictor; /* made by the first am_predict_sound */
};

/* ---- statistics.c ---- */

/* A part of the start in moving statistics that is worth a warning: a variance that began at 1 is off by 0.01 then. */
#define AM_START_SHARE 0.01
/* Whether the moving statistics of a model after `steps` steps are so much what they began with; then `text` says it. */
bool am_start_doubt(const am_model *model, uint64_t steps, char *text, size_t size);

/* ---- trainer.c ---- */

typedef struct am_epoch {
  uint64_t epoch; /* from 1 */
  double train_loss, train_accuracy, validation_loss, validation_accuracy, validation_uar, learning_rate, seconds, clips_per_second;
} am_epoch;

/* ---- environment.c ---- */

/* Version, processor path and libraries, on which the last bits of a result depend. */
enum { AM_FACTS = 9 };
typedef struct am_environment {
  struct { const char *key; char text[160]; } facts[AM_FACTS];
} am_environment;
void am_environment_get(am_context *ctx, am_environment *out);

/* ---- run_folder.c ---- */

/* The first file found that makes `folder` the folder of a run, or of a cross-validation: what another run must not write
 * over; NULL: there is none. */
const char *am_run_folder_holds(am_context *ctx, const char *folder);
const char *am_crossval_folder_holds(am_context *ctx, const char *folder);

/* ---- evaluate.c ---- */

/* Probabilities (n,K) of the given clips. */
am_status am_evaluate(am_context *ctx, am_checkpoint *c, const am_dataset *d, const am_store *store,
                      const uint32_t *clips, size_t n, float *probabilities, am_error *err);
/* How clips were held out and what they are: what a reader must know beside the figures. */
typedef struct am_protocol {
  const char *split;        /* "test" */
  const char *corpus;       /* of these clips; NULL: not said */
  const am_left_outs *left_out; /* clips of the part that were not scored, by reason; NULL: none */
  int models;               /* whose mean probability is scored; 0 is 1 */
  bool speaker_independent; /* no speaker of these clips was trained on; false also when that is not known */
  bool synthetic;           /* computed speech */
  bool transductive;        /* normalised per speaker by statistics of the very clips that are scored */
} am_protocol;
/* The JSON object of `evaluate --json`: n, labels, accuracy, uar, macro_f1, per_class, confusion, ... */
am_status am_metrics_json(am_context *ctx, const am_metrics *m, char *const *labels, const am_protocol *protocol,
                          am_buffer *out, am_error *err);
/* predictions.csv: clip, speaker, fold, true, predicted, p_<label>..., and the corpus's traits (gender, ...) */
am_status am_predictions_write(am_context *ctx, am_whose whose, const char *path, const am_dataset *d,
                               const uint32_t *clips, size_t n, char *const *labels, int classes, const float *probabilities, am_error *err);

#endif
