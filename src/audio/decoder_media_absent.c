/* SPDX-License-Identifier: MIT */
/* audio/decoder_media_absent.c - in place of decoder_media.c where libavformat was not there to build with. */
#include "audio/decoder.h"
#include "audio/decoder_media.h"

bool am_media_is_built(void) { return false; }

bool am_media_is_there(am_error *why) {
  (void)why;
  return false;
}

am_status am_media_open(am_decoder *d, am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: its tracks are read through libavformat, which this build is without (docs/build.md)", d->name);
}

am_status am_media_library(char *out, size_t room, am_error *err) {
  (void)out, (void)room;
  return am_fail(err, AM_E_UNSUPPORTED,
                 "the sound of films is read through libavformat, which this build is without (docs/build.md)");
}
