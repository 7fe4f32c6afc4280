/* SPDX-License-Identifier: MIT */
/* synth/room.h - the sound in a room: tone, reverberation, noise, level. */
#ifndef AM_SYNTH_ROOM_H
#define AM_SYNTH_ROOM_H

#include "synth/parts.h"

/* Puts samples (N) into the room, in place; `scratch` holds 2 N. */
void am_synth_room_run(am_rng rng, const am_synth_room *room, double rate, float *samples, float *scratch, size_t n);

#endif
