/* SPDX-License-Identifier: MIT */
/* model/detector.h - where somebody speaks, step by step: by a trained model, or by level alone (audio/activity.h).
 *
 * Such a model is an ordinary checkpoint whose labels are "other" and "speech" (configs/speech_detector.yaml).  Of the last seconds of
 * a sound it says whether somebody spoke in the AM_DETECTOR_STEP that ended AM_DETECTOR_LOOK before their end.  How many seconds
 * these are is its features.samples.  Before its beginning and after its end a sound is silent. */
#ifndef AM_DETECTOR_H
#define AM_DETECTOR_H

#include "audiomood/predict.h"

#define AM_DETECTOR_WINDOW 0.64 /* s, that ours hears */
#define AM_DETECTOR_LOOK 0.12
#define AM_DETECTOR_STEP 0.03
#define AM_DETECTOR_SPEECH "speech"
#define AM_DETECTOR_OTHER "other"

typedef struct am_detector am_detector;

/* AM_E_USAGE unless the model is one that detects speech. */
am_status am_detector_check(const am_checkpoint *model, am_error *err);
/* `model` is borrowed; NULL: by level.  `rate`: Hz of the sound, any. */
am_status am_detector_create(am_context *ctx, am_checkpoint *model, double rate, am_detector **out, am_error *err);
void am_detector_free(am_detector *d);
/* The next samples; all steps that are due are to be asked for before more come. */
am_status am_detector_push(am_detector *d, const float *samples, size_t n, am_error *err);
/* The sound is over: steps up to its end become due. */
am_status am_detector_end(am_detector *d, am_error *err);
/* Whether the next step can be asked for, and the sample at the sound's rate that it ends before. */
bool am_detector_due(const am_detector *d, uint64_t *end);
/* That step: 0 to 1, how likely it is speech. */
am_status am_detector_next(am_detector *d, float *score, am_error *err);

#endif
