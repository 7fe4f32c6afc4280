/* audio/container.h - what the bytes of a sound file say about themselves, apart from libsndfile. */
#ifndef AM_CONTAINER_H
#define AM_CONTAINER_H

#include "base/base.h"

/* libsndfile quietly shortens WAV, AIFF and Ogg files whose end is missing.  Fails (AM_E_FORMAT) when the
 * header promises sound data beyond the end of the file; true lengths are left to the decoder.  Fails for MIDI sample
 * dumps as well: what is wrong in one libsndfile prints on standard output, where results go. */
am_status am_container_check(const unsigned char *data, size_t bytes, const char *name, am_error *err);
/* Why `data` is no sound file: empty, a git-lfs pointer, text, or bytes that nobody knows. */
am_status am_container_describe(const unsigned char *data, size_t bytes, const char *name, const char *reason,
                                am_error *err);

#endif
