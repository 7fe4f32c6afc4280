/* SPDX-License-Identifier: MIT */
/* audio/decoder_media.h - whether films and the like are decoded. */
#ifndef AM_DECODER_MEDIA_H
#define AM_DECODER_MEDIA_H

#include "base/base.h"

/* It was built in; AM_MEDIA=none in the environment denies it. */
bool am_media_is_built(void);
/* And its libraries, which are loaded by this question, are on this machine.  Where they alone are missing, `why` (may be NULL)
 * tells which. */
bool am_media_is_there(am_error *why);

/* Version of FFmpeg, whose libraries are loaded by this. AM_E_UNSUPPORTED: they are missing, here or in the build. */
am_status am_media_library(char *out, size_t room, am_error *err);

#endif
