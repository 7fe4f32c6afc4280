/* SPDX-License-Identifier: MIT */
/* audio/sound_inside.h - what the files of sound.h share: one way to hear a container, here or in a child. */
#ifndef AM_SOUND_INSIDE_H
#define AM_SOUND_INSIDE_H

#include "audio/container.h"
#include "audio/sound.h"

/* In this process.  `out` and `info` are set, also after a failure, when there is no sound. */
am_status am_sound_hear(am_container *c, const am_sound_want *want, am_sound *out, am_sound_info *info, am_error *err);
/* In a child, which may decode films and the like (c->unread says when that is wanted); the samples come through a pipe.
 * `file`: it is open, and is to be read in place of c->data; else -1. */
am_status am_sound_hear_in_child(am_container *c, int file, size_t bytes, const am_sound_want *want, am_sound *out,
                                 am_sound_info *info, am_error *err);

#endif
