/* SPDX-License-Identifier: MIT */
/** @file audiomood/train.h
 * configs, and training from them.
 *
 * A config is the YAML file that the command takes; every key is documented by
 * `audiomood inspect CONFIG --effective` and docs/.  Objects here belong to one
 * thread at a time.
 */
#ifndef AUDIOMOOD_TRAIN_H
#define AUDIOMOOD_TRAIN_H

#include "audiomood/metrics.h"
#include "audiomood/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a config file says. */
typedef struct am_config am_config;

/** Reads a config file with `n` overrides ("train.epochs=3") applied.  Unknown keys, values out of range and the like
 * are AM_E_CONFIG with file, line and column.  Free with am_config_free; on failure *out is NULL.
 * @param ctx        gives memory and threads, and outlives it
 * @param file       the file
 * @param overrides  (n) texts "key=value"
 * @param n          how many
 * @param[out] out   the config
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_IO, AM_E_CONFIG, AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_config_load(am_context *ctx, const char *file, const char *const *overrides, size_t n,
                                am_config **out, am_error *err);
/** The same from text; messages use `name` as the file name.
 * @param ctx        as am_config_load
 * @param yaml       the text, YAML
 * @param name       file name for messages; may be NULL
 * @param overrides  as am_config_load
 * @param n          how many
 * @param[out] out   the config
 * @param[out] err  the message of a failure, or NULL
 * @return as am_config_load */
AM_API am_status am_config_from_text(am_context *ctx, const char *yaml, const char *name, const char *const *overrides,
                                     size_t n, am_config **out, am_error *err);
/** Frees a config.
 * @param config  the config; NULL is allowed */
AM_API void am_config_free(am_config *config);

/** Makes the config's untrained model, for clips of at most `frames` frames of `bins` bins; `variable`: clips may be
 * shorter. Its input is the map (T,F,1), or the sequence (T,F) if the first layer refuses a map.  am_model_initialise
 * draws its weights.  Free with am_model_free.
 * @param config    the config
 * @param frames    T, the most frames of a clip
 * @param bins      F
 * @param variable  whether clips may be shorter
 * @param classes   K
 * @param[out] out  the model; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_SHAPE, AM_E_CONFIG: its layers do not fit; AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_config_model(const am_config *config, int frames, int bins, bool variable, int classes,
                                 am_model **out, am_error *err);

/** Computes the features of a sound by the config's section `features`, not normalised.
 * @param config   the config
 * @param samples  (n) mono samples at features.sample_rate
 * @param n        samples, at least 1
 * @param[out] out (T,F), or NULL: nothing is computed
 * @param room     length of `out`, in numbers
 * @param[out] t   frames, T; with `out` NULL the largest possible number
 * @param[out] f   bins, F
 * @param[out] err the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: too little room, or a NULL; AM_E_NUMERIC: samples that are not finite; AM_E_NOMEM */
AM_API am_status am_config_features(const am_config *config, const float *samples, size_t n, float *out, size_t room,
                                    int *t, int *f, am_error *err);

/** The name of a bin of those features, as the table of `audiomood features --csv` has it: "mel12", "mfcc3_delta", or of
 * kind functionals "loudness_iqr1_3".
 * @param config    the config
 * @param bin       0 to F - 1; of features.mean_over_time 0 to T - 1, where the means lie along T
 * @param[out] name the name, ended by 0
 * @param room      bytes of `name`; 64 are enough for every name
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: there is no such bin, too little room, or a NULL */
AM_API am_status am_config_feature_name(const am_config *config, int bin, char *name, size_t room, am_error *err);

/** Where and how to train.  Zero or NULL in any member but `out` means its default. */
typedef struct am_run_options {
  size_t size;      /**< sizeof(am_run_options) */
  const char *out;  /**< run folder, created; one that holds a run or a cross-validation is refused, unless resuming */
  const char *init; /**< checkpoint whose weights are used where names and shapes agree; NULL: none */
  bool resume;      /**< resume the run in `out`; the config must be its config.yaml */
  bool profile;     /**< log the time of each layer at the end */
  /** Do everything up to the first step, run it and time it.  No run is written, but computed features are stored in
   * the cache if its folder exists. */
  bool dry_run;
  /** How many seconds to wait for the run to resume while another process has it; it is then refused.  A file server may
   * keep the locks of a host that is gone for a while. */
  double patience;
  /** Pause after so many epochs, or when train.early_stopping would end the run: AM_E_STOPPED, and nothing but the validation part
   * was evaluated.  Resumed, the run has the bits of one that was not paused.  0: train to the end. */
  uint64_t pause_after;
  bool quiet; /**< of the lines that log.txt gets only warnings and errors go to the log of the context, too */
} am_run_options;

/** What came of a training.  Start from a struct that is zero but for its size. */
typedef struct am_run_result {
  size_t size;              /**< sizeof(am_run_result) */
  uint64_t epochs_run;      /**< of the whole run, also of what it went on with */
  uint64_t best_epoch;      /**< whose weights are in best.h5 */
  uint64_t steps;           /**< of the whole run */
  bool stopped_early;       /**< by train.early_stopping */
  bool interrupted;         /**< the call returned AM_E_STOPPED */
  am_metrics *validation;   /**< of best.h5; NULL without such a part; am_run_result_free frees them */
  am_metrics *test;         /**< likewise */
  double seconds;           /**< of the whole run */
  bool synthetic;           /**< the corpus is computed speech: its figures say nothing about people */
  bool speaker_independent; /**< no speaker of the held-out parts was trained on; false also when that is not known */
} am_run_result;

/** Trains.  am_context_stop ends the run after its current step with AM_E_STOPPED.  Its state is saved, and the message
 * says how to resume.  A run that reaches train.max_steps ends in the same way.  AM_E_NUMERIC names the step and the
 * first layer with invalid values.  `result` (its `size` set) is overwritten: epochs_run, best_epoch, steps,
 * interrupted and seconds always, validation, test, synthetic and speaker_independent only with AM_OK.
 * @param config       the config
 * @param options      where and how
 * @param[out] result  the result; am_run_result_free
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_STOPPED, AM_E_NUMERIC, AM_E_DATA, AM_E_CONFIG, AM_E_IO, AM_E_FORMAT, AM_E_SHAPE, AM_E_USAGE,
 *         AM_E_NOMEM */
AM_API am_status am_train_run(am_config *config, const am_run_options *options, am_run_result *result, am_error *err);
/** Frees what am_train_run filled in, not the struct.
 * @param result  the result; NULL is allowed */
AM_API void am_run_result_free(am_run_result *result);

#ifdef __cplusplus
}
#endif
#endif
