/* SPDX-License-Identifier: MIT */
/** @file audiomood/profile.h
 * a voice that a model is told of before it hears what it is asked: enrolment.
 *
 * A model that was trained with features.normalise speaker hears a sound against the mean and the deviation of its speaker's voice.
 * A profile holds these of one voice: of each feature bin the mean and the sum of the squared deviations over all frames heard, how
 * many frames and seconds these were, and which features they are of.  It holds no sound, and no name but the one given to
 * am_profile_rename.  It is about a person all the same: keep it where recordings of that person may be kept, and delete it by
 * deleting its file.
 *
 * @code
 *   am_profile *voice = NULL;
 *   am_status st = am_profile_of_model(model, &voice, &err);             // or am_profile_load, of a file
 *   if (!st) st = am_profile_add(voice, samples, n, &err);               // about a minute, of whatever emotions
 *   if (!st) st = am_checkpoint_enrol(model, voice, &err);               // from now on it hears this voice
 *   if (!st) st = am_predict_sound(model, other, n_other, p, &err);
 *   am_profile_free(voice);
 * @endcode
 *
 * A profile belongs to one thread at a time.
 */
#ifndef AUDIOMOOD_PROFILE_H
#define AUDIOMOOD_PROFILE_H

#include "audiomood/predict.h"
#include "audiomood/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is known of one voice. */
typedef struct am_profile am_profile;

/** An empty profile of the features that a model hears, whatever it normalises by; of a fused model those of the members that
 * normalise by speaker.
 * @param model     the model; need not outlive it
 * @param[out] out  the profile; am_profile_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: a NULL; AM_E_NOMEM */
AM_API am_status am_profile_of_model(const am_checkpoint *model, am_profile **out, am_error *err);
/** An empty profile of the features of a config.
 * @param config    the config; need not outlive it
 * @param[out] out  the profile; am_profile_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_CONFIG: features that cannot be made; AM_E_USAGE: a NULL; AM_E_NOMEM */
AM_API am_status am_profile_of_config(const am_config *config, am_profile **out, am_error *err);
/** Adds a sound of the voice.
 * @param profile   the profile
 * @param samples   (n) mono samples at am_profile_rate
 * @param n         samples, at least 1
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_DATA: there is nothing to hear (am_sound_unheard), and nothing is added; AM_E_NUMERIC: samples that are not
 * finite; AM_E_USAGE: a NULL, no samples; AM_E_NOMEM */
AM_API am_status am_profile_add(am_profile *profile, const float *samples, size_t n, am_error *err);
/** Adds what another profile has heard, as if `into` had heard it.
 * @param into      the profile that is added to
 * @param from      the other, which stays as it is
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: one is NULL; AM_E_SHAPE: they are of other features, and the message says of which */
AM_API am_status am_profile_merge(am_profile *into, const am_profile *from, am_error *err);
/** Names the voice.
 * @param profile   the profile
 * @param name      UTF-8 of at most 200 bytes, copied; NULL or "": none
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: too long, or no UTF-8; AM_E_NOMEM */
AM_API am_status am_profile_rename(am_profile *profile, const char *name, am_error *err);

/** Writes it into a file (docs/commands.md says what is in it).  A new file may be read by its owner alone (mode 0600); one that is
 * replaced keeps its mode.
 * @param profile   the profile
 * @param path      the file
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_DATA: nothing has been heard; AM_E_NUMERIC: what was heard has no finite statistics; AM_E_IO,
 * AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_profile_save(const am_profile *profile, const char *path, am_error *err);
/** Reads one.
 * @param ctx       gives memory, and outlives it
 * @param path      the file, which may come from anywhere (am_settings.read_in_child)
 * @param[out] out  the profile; am_profile_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_FORMAT: no profile, a damaged one, or one of a newer major version; AM_E_IO, AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_profile_load(am_context *ctx, const char *path, am_profile **out, am_error *err);
/** Frees a profile.
 * @param profile  the profile, or NULL */
AM_API void am_profile_free(am_profile *profile);

/** Which sounds a profile takes.
 * @param profile  the profile
 * @return the sample rate in Hz; 0 of NULL */
AM_API double am_profile_rate(const am_profile *profile);
/** How much of the voice was heard.
 * @param profile  the profile
 * @return seconds, without what was trimmed or cut; 0 of NULL */
AM_API double am_profile_seconds(const am_profile *profile);
/** What the voice is called.
 * @param profile  the profile
 * @return the name, owned by the profile; "" when it has none */
AM_API const char *am_profile_name(const am_profile *profile);

/** From now on the model hears sounds of this voice, until am_checkpoint_forget_speaker or another voice.  The statistics are shrunk
 * towards those of the training part: features.shrink seconds of it count beside those heard (0: none), so that little of a voice is
 * better than nothing.  A checkpoint that does not hold them (of before version 1.2) takes the voice as it was heard, and an entry of
 * the log says so.  A fused model with two sets of weights (am_checkpoint_members) takes that for a known voice.  A model that does
 * not use it (am_checkpoint_uses_speaker) ignores it.
 * @param checkpoint  the model
 * @param profile     the voice, which need not outlive the call
 * @param[out] err    the message of a failure, or NULL
 * @return AM_OK; AM_E_SHAPE: the profile is of other features, and the message says of which; AM_E_DATA: nothing has been heard;
 * AM_E_USAGE: a NULL; AM_E_NOMEM */
AM_API am_status am_checkpoint_enrol(am_checkpoint *checkpoint, const am_profile *profile, am_error *err);

#ifdef __cplusplus
}
#endif
#endif
