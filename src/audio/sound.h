/* audio/sound.h - the clips of a corpus: am_sound_read and am_sound_inspect of ordinary files alone.  A pipe or a device
 * that somebody names is read by those two; one among thousands of clips is there by accident, and might never end. */
#ifndef AM_SOUND_H
#define AM_SOUND_H

#include "audiomood/audio.h"
#include "base/file.h"

am_status am_sound_read_clip(am_context *ctx, const char *path, double rate, double max_seconds, am_sound *out,
                             am_error *err);
am_status am_sound_inspect_clip(am_context *ctx, const char *path, am_sound_info *out, am_error *err);
/* am_sound_write of a path that may be a name of our own. */
am_status am_sound_write_as(am_context *ctx, am_whose whose, const char *path, const float *samples, size_t n,
                            double rate, bool pcm16, am_error *err);

#endif
