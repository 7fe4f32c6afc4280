/* SPDX-License-Identifier: MIT */
/* synth/speech.h - what is said: sentence and delivery to control frames. */
#ifndef AM_SYNTH_SPEECH_H
#define AM_SYNTH_SPEECH_H

#include "synth/parts.h"

/* Frames of the utterance with silence at both ends; *frames with am_free. */
am_status am_synth_speak(am_context *ctx, uint64_t seed, const am_synth_clip *clip, const am_synth_speaker *speaker,
                         const double cue[AM_CUES], am_synth_frame **frames, size_t *n, am_error *err);

#endif
