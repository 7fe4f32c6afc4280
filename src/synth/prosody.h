/* SPDX-License-Identifier: MIT */
/* synth/prosody.h - who speaks and how: draws of voice, room and delivery. */
#ifndef AM_SYNTH_PROSODY_H
#define AM_SYNTH_PROSODY_H

#include "synth/parts.h"

am_rng am_synth_stream(uint64_t seed, const am_synth_clip *clip, int draw);
am_synth_speaker am_synth_speaker_draw(uint64_t seed, int actor);
am_synth_room am_synth_room_draw(uint64_t seed, const am_synth_clip *clip);
/* The delivery of a clip: emotion, intensity, speaker and chance. */
void am_synth_delivery_draw(uint64_t seed, const am_synth_clip *clip, const am_synth_speaker *speaker,
                            double cue[AM_CUES]);

#endif
