/* SPDX-License-Identifier: MIT */
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

/* What is wanted of a sound. */
typedef struct am_sound_want {
  double rate;        /* Hz; 0: its own */
  double max_seconds; /* longest sound */
  int channel;        /* that is heard, from 1 on; 0: the mean of all */
  int track;          /* of a film or the like, from 1 on; 0: the first of sound */
  bool count;         /* only what there is */
  int patience;       /* ms that a child may say nothing; 0: a minute */
  bool check;         /* samples are handed on once all of it was found to be whole, which takes a second look */
  am_sound_fn each;   /* gets the samples; NULL: they are kept in the sound */
  void *user;
} am_sound_want;

/* As am_sound_feed, of any of that.  Where the context has read_in_child an ordinary file is read by a child, which keeps some
 * megabytes of it at a time: it may be of any size, and crash or hang the decoder. */
am_status am_sound_stream(am_context *ctx, const char *path, const am_sound_want *want, am_sound *out, am_error *err);
am_status am_sound_stream_decoded(am_context *ctx, const void *data, size_t bytes, const char *name,
                                  const am_sound_want *want, am_sound *out, am_error *err);

#endif
