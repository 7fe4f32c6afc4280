/* SPDX-License-Identifier: MIT */
/** @file audiomood/predict.h
 * trained models, and prediction with them.
 *
 * @code
 *   #include <audiomood/audiomood.h>
 *   #include <stdio.h>
 *
 *   int main(int argc, char **argv) {
 *     am_error err = AM_ERROR_INIT;
 *     am_context *ctx = NULL;
 *     am_checkpoint *model = NULL;
 *     am_sound sound = AM_SOUND_INIT;
 *     float p[100];
 *     if (argc == 3 && !am_context_create(NULL, &ctx, &err) && !am_checkpoint_load(ctx, argv[1], &model, &err) &&
 *         !am_sound_read(ctx, argv[2], am_checkpoint_rate(model), 0, &sound, &err) && am_checkpoint_classes(model) <= 100 &&
 *         !am_predict_sound(model, sound.samples, sound.n, p, &err))
 *       for (int k = 0; k < am_checkpoint_classes(model); k++) printf("%s %.3f\n", am_checkpoint_label(model, k), p[k]);
 *     fputs(err.message, stderr);
 *     am_sound_free(&sound);
 *     am_checkpoint_free(model);
 *     am_context_free(ctx);
 *     return err.status != AM_OK;
 *   }
 * @endcode
 *
 * A checkpoint has everything that a prediction needs: features, normalisation, weights, labels.  Only one thread may
 * use it at a time.  To predict in parallel, load it once for each thread.
 */
#ifndef AUDIOMOOD_PREDICT_H
#define AUDIOMOOD_PREDICT_H

#include "audiomood/audio.h"
#include "audiomood/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A trained model with everything that a prediction needs. */
typedef struct am_checkpoint am_checkpoint;

/** Reads a checkpoint (checkpoints/README.md).  AM_E_FORMAT: it is damaged, of a newer major version, or its shapes do
 * not fit; the message names file and array.  A file that makes HDF5 crash is refused if am_settings.read_in_child is
 * set.  Free with am_checkpoint_free; on failure *out is NULL.
 * @param ctx       gives memory and threads, and outlives the checkpoint
 * @param path      the file
 * @param[out] out  the checkpoint
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_IO, AM_E_FORMAT, AM_E_SHAPE, AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_checkpoint_load(am_context *ctx, const char *path, am_checkpoint **out, am_error *err);
/** Reads a checkpoint from memory, such as one that is part of the program itself.
 * @param ctx       gives memory and threads
 * @param data      the bytes of the file, borrowed for the call
 * @param bytes     how many
 * @param name      its name in messages; NULL: "(a checkpoint in memory)"
 * @param[out] out  the checkpoint; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return as am_checkpoint_load */
AM_API am_status am_checkpoint_from_memory(am_context *ctx, const void *data, size_t bytes, const char *name,
                                           am_checkpoint **out, am_error *err);
/** Where the model is that comes with AudioMood: the file that the environment variable AUDIOMOOD_MODEL names (empty: none); else
 * ravdess-nemo.h5 in ../share/audiomood from the running program, or in the data folder that AudioMood was built for
 * (/usr/local/share/audiomood).  Beside it are its card (MODEL_CARD.md) and its licence, which is not that of the library:
 * show am_checkpoint_licence and am_checkpoint_attribution to whoever uses it.
 * @param ctx        for memory
 * @param[out] path  the path; "" on failure
 * @param room       bytes that it has room for
 * @param[out] err   the message of a failure, or NULL
 * @return AM_OK; AM_E_IO: there is none; AM_E_USAGE: the room is too small; AM_E_NOMEM */
AM_API am_status am_checkpoint_shipped_path(am_context *ctx, char *path, size_t room, am_error *err);
/** Reads that model.
 * @param ctx       gives memory and threads, and outlives the checkpoint
 * @param[out] out  the checkpoint; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return as am_checkpoint_shipped_path and am_checkpoint_load */
AM_API am_status am_checkpoint_shipped(am_context *ctx, am_checkpoint **out, am_error *err);
/** Reads the speech detector that comes with AudioMood, for am_stream_options.detector: the file that the environment variable
 * AUDIOMOOD_DETECTOR names (empty: none); else speech_detector.h5 in the places of am_checkpoint_shipped_path.  Its licence is not
 * that of the library either.
 * @param ctx       gives memory and threads, and outlives the checkpoint
 * @param[out] out  the detector; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return as am_checkpoint_shipped */
AM_API am_status am_checkpoint_shipped_detector(am_context *ctx, am_checkpoint **out, am_error *err);
/** Frees a checkpoint with its model.
 * @param checkpoint  the checkpoint; NULL is allowed */
AM_API void am_checkpoint_free(am_checkpoint *checkpoint);

/** Classes, K.
 * @param checkpoint  the checkpoint
 * @return how many; 0 of NULL */
AM_API int am_checkpoint_classes(const am_checkpoint *checkpoint);
/** Name of a class.
 * @param checkpoint  the checkpoint
 * @param k           class, 0 to K - 1
 * @return the name, owned by the checkpoint; NULL where there is none */
AM_API const char *am_checkpoint_label(const am_checkpoint *checkpoint, int k);
/** The class of that name, e.g. of a label of another corpus; -1 if there is none.
 * @param checkpoint  the checkpoint
 * @param label       the name, compared byte for byte
 * @return 0 to K - 1, or -1 */
AM_API int am_checkpoint_class(const am_checkpoint *checkpoint, const char *label);
/** What it tells of a sound.  Of a model of dimensions, "classes" and "labels" here are dimensions and their names, and
 * "probabilities" are values on its scale (am_checkpoint_scale), which the model may also leave by a little; am_checkpoint_decide
 * never names one.  Such models have no thresholds and no temperature, and find no segments (segment.h).
 * @param checkpoint  the checkpoint
 * @return AM_TARGET_EMOTION or AM_TARGET_DIMENSIONS */
AM_API am_target am_checkpoint_target(const am_checkpoint *checkpoint);
/** The scale of the dimensions that it tells: that of the corpus it was trained on, 1 to 5 of IEMOCAP.  Where each dimension has a
 * scale of its own (am_checkpoint_dimension_scale) it is from the lowest of all of them to the highest.
 * @param checkpoint  the checkpoint
 * @param[out] low    the lowest value, or NULL; 0 of a model of classes
 * @param[out] high   the highest value, or NULL; 0 of a model of classes */
AM_API void am_checkpoint_scale(const am_checkpoint *checkpoint, double *low, double *high);
/** The scale of one dimension that it tells: the same for all of them, unless the corpus has several.
 * @param checkpoint  the checkpoint
 * @param dimension   0 to K - 1, in the order of am_checkpoint_label
 * @param[out] low    its lowest value, or NULL; 0 of a model of classes, and where there is no such dimension
 * @param[out] high   its highest value, or NULL; likewise */
AM_API void am_checkpoint_dimension_scale(const am_checkpoint *checkpoint, int dimension, double *low, double *high);
/** Sample rate of the sounds that am_predict_sound takes.  Of a fused model it is the highest of its members' rates; sounds are
 * brought down to those of the others.
 * @param checkpoint  the checkpoint
 * @return Hz */
AM_API double am_checkpoint_rate(const am_checkpoint *checkpoint);
/** Temperature of its probabilities: the model's output is divided by it before the softmax, in every prediction and
 * evaluation.  It is fitted to the validation part by train.calibrate: temperature (Guo et al. 2017).  Of a fused model with two
 * sets of weights (am_checkpoint_members) it is that of the set in force.
 * @param checkpoint  the checkpoint
 * @return 0.01 to 100; 1 of a model that is not calibrated, and of NULL */
AM_API double am_checkpoint_temperature(const am_checkpoint *checkpoint);
/** What am_checkpoint_decide returns where the model does not say a class. */
#define AM_UNCERTAIN (-1)
/** The answer to a sound: the most probable class, or none where its probability is below the threshold of that class.  The
 * thresholds are fitted to the validation part by train.wanted_precision, so that this share of the answers is right
 * (docs/protocols.md).  A model without thresholds always answers.  They are of this model alone, not of a mean of several; of a
 * fused model with two sets of weights (am_checkpoint_members) they are those of the set in force.
 * @param checkpoint     the checkpoint
 * @param probabilities  (K) of am_predict_sound
 * @return the class, 0 to K - 1, or AM_UNCERTAIN; AM_UNCERTAIN of probabilities that are not numbers, and of NULL */
AM_API int am_checkpoint_decide(const am_checkpoint *checkpoint, const float *probabilities);
/** The probability from which on a class is the answer.
 * @param checkpoint  the checkpoint
 * @param k           class, 0 to K - 1
 * @return 0 to 1; 2: the class is never the answer; 0 of a model that always answers, and of NULL */
AM_API double am_checkpoint_threshold(const am_checkpoint *checkpoint, int k);
/** Whether it was trained on synthetic speech, which says nothing about people.
 * @param checkpoint  the checkpoint
 * @return whether it was */
AM_API bool am_checkpoint_synthetic(const am_checkpoint *checkpoint);
/** What it is, in a few words: the description of the config it was made from, or its name.
 * @param checkpoint  the checkpoint
 * @return the text, owned by the checkpoint; NULL of NULL */
AM_API const char *am_checkpoint_title(const am_checkpoint *checkpoint);
/** The licences of all corpora that its weights were trained on, also of the model that they began from, each once, with
 * "; " between them: "CC BY-NC-SA 4.0".  Whoever passes the checkpoint on keeps to all of them.
 * @param checkpoint  the checkpoint
 * @return the text, owned by the checkpoint; "" and "not known": not told; NULL of NULL */
AM_API const char *am_checkpoint_licence(const am_checkpoint *checkpoint);
/** Whether one of these licences is for non-commercial use alone, as far as its name says so ("NC").
 * @param checkpoint  the checkpoint
 * @return whether it is; false where licences are not known, and of NULL */
AM_API bool am_checkpoint_noncommercial(const am_checkpoint *checkpoint);
/** Whom to name: a line for each of these corpora, with its title, licence and citation.
 * @param checkpoint  the checkpoint
 * @return the lines, owned by the checkpoint; NULL of NULL */
AM_API const char *am_checkpoint_attribution(const am_checkpoint *checkpoint);
/** How many models it holds: 1, or the members of a fused one.  A fused checkpoint (made by the command `fuse`) holds several,
 * which may hear different features at different rates.  Everything that predicts or evaluates treats it as one model: with p_i
 * what member i says, its probabilities are proportional to the product of p_i ^ (w_i / T), with the members' weights w_i and its
 * own temperature T.
 *
 * A fused checkpoint may have two sets of weights, temperature and thresholds, where some members normalise by speaker and others
 * do not: one for a voice that is not known, in which the former have the weight 0 and are not asked, and one for a voice that is.
 * The second is in force from am_checkpoint_add_speaker or am_checkpoint_enrol on (am_checkpoint_knows_speaker), until
 * am_checkpoint_forget_speaker; am_checkpoint_weight, _temperature, _threshold and _decide tell of the set in force.
 * @param checkpoint  the checkpoint
 * @return how many; 0 of NULL */
AM_API size_t am_checkpoint_members(const am_checkpoint *checkpoint);
/** A member as a model by itself.
 * @param checkpoint  the checkpoint
 * @param i           which, from 0 on
 * @return the member, owned by the checkpoint; of one that is not fused the checkpoint itself; NULL where there is none */
AM_API am_checkpoint *am_checkpoint_member(am_checkpoint *checkpoint, size_t i);
/** The weight of a member, in the set in force.
 * @param checkpoint  the checkpoint
 * @param i           which, from 0 on
 * @return 0 to 1, all of them of sum 1; 0: with two sets, the member is not asked; 1 of one that is not fused; 0 where there is
 * none */
AM_API double am_checkpoint_weight(const am_checkpoint *checkpoint, size_t i);
/** Its model.
 * @param checkpoint  the checkpoint
 * @return the model, owned by the checkpoint; NULL of a fused one, whose members have models */
AM_API am_model *am_checkpoint_model(am_checkpoint *checkpoint);

/** How inference keeps the kernels of large dense layers, whose time is that of reading them. */
typedef enum am_storage {
  AM_STORE_FLOAT32, /**< as they are */
  AM_STORE_FLOAT16  /**< rounded to 11 bits: half the bytes to read, and probabilities change a little */
} am_storage;
/** Sets it for all models of the checkpoint.  They are rounded once, by the first prediction; their float32 weights stay, so
 * am_checkpoint_model gives the same ones.  Before the first prediction, and before it is shared.
 * @param checkpoint  the checkpoint
 * @param storage     how
 * @param[out] err    the message of a failure, or NULL
 * @return AM_OK; AM_E_NUMERIC: a weight is beyond 65504, what float16 holds; AM_E_USAGE */
AM_API am_status am_checkpoint_set_storage(am_checkpoint *checkpoint, am_storage storage, am_error *err);

/** Predicts the probabilities (K) of n mono samples at am_checkpoint_rate.
 *
 * A sound that is silent or too short is AM_E_DATA.  To tell this from other failures, call am_sound_unheard first.
 * Noise, music and everything else that is not speech get probabilities, too.
 *
 * A sound may be longer than the model's input (am_model_input: t frames), or than features.samples or
 * features.max_frames of its config.  Then only its start is used, and a warning in the log says so, once for each
 * checkpoint.  The features still use the whole sound as their reference (the loudest frame, or a clip's mean).
 *
 * n = 0, and a model that wants a speaker (am_checkpoint_wants_speaker) and knows none, are AM_E_USAGE.  Samples (of what is not too short) and outputs that are not finite are AM_E_NUMERIC.  After
 * a failure the probabilities are NaN, or not finite.
 * @param checkpoint          the model
 * @param samples             (n) mono samples at am_checkpoint_rate
 * @param n                   samples, at least 1
 * @param[out] probabilities  (K), of sum 1
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK, AM_E_DATA, AM_E_USAGE, AM_E_NUMERIC, AM_E_NOMEM */
AM_API am_status am_predict_sound(am_checkpoint *checkpoint, const float *samples, size_t n, float *probabilities,
                                  am_error *err);

/** How much of a sound was used. */
typedef struct am_heard {
  size_t size;        /**< sizeof(am_heard) */
  am_unheard unheard; /**< why it has no probabilities (they are then NaN); AM_HEARD: it has */
  bool cut;           /**< its end was not used */
  double seconds;     /**< length that was used, without trimmed and cut parts */
} am_heard;

/** Like am_predict_sound, but returns in `heard` what that would log, and does not fail when there is nothing to hear.
 * @param checkpoint          the model
 * @param samples             (n) mono samples at am_checkpoint_rate
 * @param n                   samples, at least 1
 * @param[out] probabilities  (K), of sum 1; NaN where there are none
 * @param[out] heard          how much of the sound was used; the caller sets its size
 * @param[out] err            the message of a failure, or NULL
 * @return AM_OK, also when there is nothing to hear; else as am_predict_sound */
AM_API am_status am_predict_heard(am_checkpoint *checkpoint, const float *samples, size_t n, float *probabilities,
                                  am_heard *heard, am_error *err);

/* ---- a speaker's own statistics ---- */

/** Whether the model normalises by the statistics of each speaker, and so needs am_checkpoint_add_speaker first.  A fused model with
 * two sets of weights (am_checkpoint_members) does not need it: it has a set for voices that are not known.
 * @param checkpoint  the model
 * @return whether it does */
AM_API bool am_checkpoint_wants_speaker(const am_checkpoint *checkpoint);
/** Whether what it says changes with what is known of the speaker: it needs a speaker (am_checkpoint_wants_speaker), or has a set of
 * weights for a voice that is known.  am_checkpoint_add_speaker, am_profile_of_model and am_checkpoint_enrol serve such models.
 * @param checkpoint  the model
 * @return whether it does */
AM_API bool am_checkpoint_uses_speaker(const am_checkpoint *checkpoint);
/** Whether a voice is known to it, by am_checkpoint_add_speaker or am_checkpoint_enrol.
 * @param checkpoint  the model
 * @return whether something of a voice was heard; false of a model that does not use it */
AM_API bool am_checkpoint_knows_speaker(const am_checkpoint *checkpoint);
/** Adds a sound to the statistics that normalise all later sounds.  Add as many sounds of one speaker as there are, at
 * best all that will be predicted.  A sound with nothing to hear adds nothing.  A model that does not use it
 * (am_checkpoint_uses_speaker) ignores it.
 * @param checkpoint  the model
 * @param samples     (n) mono samples at am_checkpoint_rate
 * @param n           samples
 * @param[out] err    the message of a failure, or NULL
 * @return AM_OK; AM_E_NUMERIC: samples that are not finite; AM_E_USAGE; AM_E_NOMEM */
AM_API am_status am_checkpoint_add_speaker(am_checkpoint *checkpoint, const float *samples, size_t n, am_error *err);
/** Removes these statistics: the sounds added next are of another speaker.
 * @param checkpoint  the model; NULL is allowed */
AM_API void am_checkpoint_forget_speaker(am_checkpoint *checkpoint);

/** The features that the model sees, normalised.
 * @param checkpoint  the model
 * @param samples     (n) mono samples at am_checkpoint_rate
 * @param n           samples, at least 1
 * @param[out] out    (T,F), or NULL: nothing is computed
 * @param room        length of `out`, in numbers
 * @param[out] t      frames, T; with `out` NULL the largest possible number
 * @param[out] f      bins, F
 * @param[out] err    the message of a failure, or NULL
 * @return as am_config_features (train.h) */
AM_API am_status am_checkpoint_features(const am_checkpoint *checkpoint, const float *samples, size_t n, float *out,
                                        size_t room, int *t, int *f, am_error *err);

/* ---- several models, and windows ---- */

/** One or several models with the same classes in the same order and the same sample rate.  The models are borrowed and
 * outlive the ensemble.  am_ensemble_windows needs an ensemble also for one model.  Only one thread at a time may use
 * it and its models. */
typedef struct am_ensemble am_ensemble;

/** Makes an ensemble without a model.
 * @param ctx       gives memory and threads, and outlives it
 * @param[out] out  the ensemble; am_ensemble_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_ensemble_create(am_context *ctx, am_ensemble **out, am_error *err);
/** Frees it, not its models.
 * @param ensemble  the ensemble; NULL is allowed */
AM_API void am_ensemble_free(am_ensemble *ensemble);
/** Adds a model.
 * @param ensemble  the ensemble
 * @param model     the model, borrowed
 * @param name      its name in messages, copied; NULL: "a model"
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: it has other classes than the first one; AM_E_NOMEM */
AM_API am_status am_ensemble_add(am_ensemble *ensemble, am_checkpoint *model, const char *name, am_error *err);
/** Models that were added.
 * @param ensemble  the ensemble
 * @return how many; 0 of NULL */
AM_API size_t am_ensemble_models(const am_ensemble *ensemble);
/** The mean of the models' probabilities.
 * @param ensemble            one model or several
 * @param samples             (n) mono samples at am_checkpoint_rate
 * @param n                   samples, at least 1
 * @param[out] probabilities  (K), of sum 1; NaN where there are none
 * @param[out] heard          how much of the sound was used, the least by any model; the caller sets its size; or NULL
 * @param[out] err            the message of a failure, or NULL
 * @return as am_predict_heard; also AM_E_USAGE: there is no model, or the models have several rates */
AM_API am_status am_ensemble_predict(am_ensemble *ensemble, const float *samples, size_t n, float *probabilities,
                                     am_heard *heard, am_error *err);

/** A part of a sound; valid during the call of am_window_fn. */
typedef struct am_window {
  size_t size;                /**< sizeof(am_window) of the library */
  size_t index;               /**< 0, 1, ... */
  double start;               /**< s, from the start of the sound */
  double end;                 /**< s */
  double seconds;             /**< s, from start to end */
  bool last;                  /**< no other follows */
  const float *probabilities; /**< (K), the mean of the models'; NaN where there is nothing to hear */
  am_heard heard;             /**< how much of it was used */
} am_window;

/** Receives each window in order.
 * @param user      what am_ensemble_windows was given
 * @param window    the window
 * @param[out] err  for the message of a failure
 * @return AM_OK to continue; any other status ends am_ensemble_windows, which returns it */
typedef am_status (*am_window_fn)(void *user, const am_window *window, am_error *err);

/** Predicts from windows of a sound.  They begin a hop apart.  The last one ends with the sound, so all are equally
 * long.  A sound shorter than a window is one window.
 * @param ensemble  one model or several
 * @param samples   (n) mono samples at am_checkpoint_rate
 * @param n         samples, at least 1
 * @param window    length, s; 0: the whole sound as one
 * @param hop       from the start of one to that of the next, s; ignored when window is 0
 * @param each      called for each window
 * @param user      passed to it
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_STOPPED: am_context_stop; what `each` returned; else as am_predict_heard */
AM_API am_status am_ensemble_windows(am_ensemble *ensemble, const float *samples, size_t n, double window, double hop,
                                     am_window_fn each, void *user, am_error *err);

#ifdef __cplusplus
}
#endif
#endif
