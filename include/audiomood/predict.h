/* audiomood/predict.h - a trained model, and what it hears in a sound.
 *
 *   am_checkpoint *c;
 *   am_sound sound = {.size = AM_SOUND_INIT_SIZE};
 *   am_checkpoint_load(ctx, "best.h5", &c, &err);
 *   am_sound_read(ctx, "voice.wav", am_checkpoint_rate(c), 0, &sound, &err);
 *   if (am_sound_unheard(sound.samples, sound.n, sound.rate)) puts("nothing to hear");
 *   else am_predict_sound(ctx, c, sound.samples, sound.n, probabilities, &err);
 *
 * A checkpoint holds all that a prediction needs: features, normalisation, weights, labels.  It belongs to one thread at a
 * time; load it once a thread to predict in parallel.
 */
#ifndef AUDIOMOOD_PREDICT_H
#define AUDIOMOOD_PREDICT_H

#include "audiomood/audio.h"
#include "audiomood/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct am_checkpoint am_checkpoint;

/* Reads a checkpoint (checkpoints/README.md).  A damaged one, one of a newer major version and one whose shapes do not fit are
 * AM_E_FORMAT, naming file and array; one made to crash HDF5 is refused where am_settings.read_in_child is set.  Free with am_checkpoint_free; on failure *out is NULL. */
AM_API am_status am_checkpoint_load(am_context *ctx, const char *path, am_checkpoint **out, am_error *err);
AM_API void am_checkpoint_free(am_checkpoint *checkpoint); /* NULL is allowed */

AM_API int am_checkpoint_classes(const am_checkpoint *checkpoint);
/* Name of class k, owned by the checkpoint; NULL where there is none. */
AM_API const char *am_checkpoint_label(const am_checkpoint *checkpoint, int k);
/* Sample rate, Hz, of the sounds am_predict_sound wants. */
AM_API double am_checkpoint_rate(const am_checkpoint *checkpoint);
/* Whether it was trained on synthetic speech, which says nothing about people. */
AM_API bool am_checkpoint_synthetic(const am_checkpoint *checkpoint);
/* Its model, owned by the checkpoint. */
AM_API am_model *am_checkpoint_model(am_checkpoint *checkpoint);

/* probabilities (K) of n mono samples at am_checkpoint_rate.  A sound with nothing to hear (am_sound_unheard: silent, or too
 * short) is AM_E_DATA: to tell it from other failures, ask am_sound_unheard before.  Noise, music and whatever else is no
 * speech get probabilities, too.  Of a sound longer than the model's input (am_model_input: t
 * frames), or than features.samples or features.max_frames of its config, only the start is heard; a warning in the log says
 * so, once a checkpoint.  What the features are measured against, as the loudest frame or a clip's mean, is of the whole sound
 * all the same.  n = 0, and a model that normalises per speaker, are AM_E_USAGE; an output that is not finite is
 * AM_E_NUMERIC.  After a failure the probabilities are NaN, or not finite. */
AM_API am_status am_predict_sound(am_context *ctx, am_checkpoint *checkpoint, const float *samples, size_t n,
                                  float *probabilities, am_error *err);

#ifdef __cplusplus
}
#endif
#endif
