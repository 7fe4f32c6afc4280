/* SPDX-License-Identifier: MIT */
/* synth/voice.h - control frames to sound: glottal source and formants. */
#ifndef AM_SYNTH_VOICE_H
#define AM_SYNTH_VOICE_H

#include "synth/parts.h"

/* out (N) = the voice at `rate`, N = am_synth_length. */
size_t am_synth_length(size_t frames, double rate);
void am_synth_voice_run(am_rng rng, const am_synth_frame *frames, size_t n_frames, const am_synth_source *source,
                        double rate, float *out, size_t n);

#endif
