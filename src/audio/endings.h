/* SPDX-License-Identifier: MIT */
/* audio/endings.h - what the ending of a file's name says.  The one list, for training and for prediction;
 * what is in a file its content says (container.h). */
#ifndef AM_ENDINGS_H
#define AM_ENDINGS_H

#include "base/base.h"

/* Does `name`, or a path, end as files do that am_sound_read reads?  Any case; a name that is nothing but an
 * ending
 * (".wav") has none. */
bool am_sound_ending_known(const char *name);
/* Does it end as sounds and films do that am_sound_read does not read (m4a, mp4, webm, wma, aac, amr ...)?
 * Such files in a folder are worth a word: somebody who has them takes them for sounds. */
bool am_sound_ending_unread(const char *name);
/* The lists of both, without dots, NULL at the end. */
extern const char *const am_sound_endings[], *const am_sound_endings_unread[];

#endif
