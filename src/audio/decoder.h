/* SPDX-License-Identifier: MIT */
/* audio/decoder.h - what each library of sound formats is to sound.c: samples of a part, a block at a time.
 */
#ifndef AM_DECODER_H
#define AM_DECODER_H

#include "audio/part.h"

typedef struct am_decoder am_decoder;

struct am_decoder {
  am_context *ctx; /* ctx, part, name and quiet are filled in before opening */
  const am_part *part;
  const char *name; /* of the file, for messages */
  bool quiet;       /* no warnings */
  double rate;      /* Hz and channels of what was read last; from open on, of what comes first */
  int channels;
  uint64_t promised;     /* samples of each channel by the header, 0 when it does not know */
  bool exact;            /* fewer than `promised` are a truncated file */
  bool early;            /* no more than `promised` will come */
  const char *refusal;   /* the library's words, when opening fails because it does not know the format */
  int holes;             /* gaps that were passed over so far */
  size_t samples_a_byte; /* no more of each channel come out of an honest file */
  /* Up to `floats` / channels frames, interleaved, of one rate and number of channels (which may be others
   * than before); *frames 0: the end.  `floats` is enough for 120 ms of as many channels as any format has.
   */
  am_status (*read)(am_decoder *d, float *to, size_t floats, size_t *frames, am_error *err);
  /* Why what was read is not all, for a message; NULL when nothing is known to be wrong. */
  const char *(*trouble)(am_decoder *d);
  void (*close)(am_decoder *d);
  void *library, *state;
};

/* Each fills in the rest, or fails (AM_E_FORMAT, AM_E_NOMEM) with nothing to close. */
am_status am_sndfile_open(am_decoder *d, am_error *err);
am_status am_mpeg_open(am_decoder *d, am_error *err);
am_status am_vorbis_open(am_decoder *d, am_error *err);
am_status am_opus_open(am_decoder *d, am_error *err);
am_status am_media_open(am_decoder *d, am_error *err);

/* The version of libsndfile in use; borrowed. */
const char *am_sound_library(void);

#endif
