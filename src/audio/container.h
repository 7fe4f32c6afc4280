/* SPDX-License-Identifier: MIT */
/* audio/container.h - what the bytes of a sound file say about themselves, apart from the libraries that
 * decode them. */
#ifndef AM_CONTAINER_H
#define AM_CONTAINER_H

#include "audio/part.h"

typedef struct am_container {
  am_context *ctx;
  const unsigned char *data;
  size_t bytes;
  const char *name; /* of the file, in messages */
  bool is_path;     /* the name is one that a command can be given */
  bool quiet;       /* no warnings */
  size_t at;        /* where the next part begins; 0 at first */
  int parts;
  am_passing *passing; /* hears what was looked at; NULL: nobody */
  bool may_be_media; /* what is of another kind may be given to the decoder of films (in a child: it may do anything) */
  bool media;        /* all of it is one part for the decoder of films */
  int track;         /* of that, from 1 on; 0: the first of sound */
  bool unread;       /* set: it is sound, or a film, of a kind that the other decoders do not read */
} am_container;

/* The next part; *more false: there is none.  Headers are held against the bytes that are there, which no
 * library does: AM_E_FORMAT when sound is missing (truncated), and for what no library here reads or one
 * prints about (MIDI sample dumps, damaged ALAC).  A length that was never filled in becomes the one that is
 * there.  What is left out is warned of. */
am_status am_container_next(am_container *c, am_part *part, bool *more, am_error *err);

/* Why `c` is no sound that is read: empty, a git-lfs pointer, text, another format (with the line to type
 * that converts it), or bytes of no known format (container_describe.c).  `reason`: the library's words. */
am_status am_container_describe(const am_container *c, const char *reason, am_error *err);
/* The same of a part that its library did not want. */
am_status am_container_refused(am_container *c, const am_part *part, const char *reason, am_error *err);
/* Whether it is of a well-known format, or a WAV of a codec, that has sound and is not read by the decoders of sound files. */
bool am_container_unread(const unsigned char *data, size_t bytes);
/* What a file of a well-known format is that is not read here, NULL: none of them. */
const char *am_container_foreign(const unsigned char *data, size_t bytes);
/* The end of a message: "; to convert it: ffmpeg -i X -ac 1 X.wav", in a buffer of `room` bytes. */
const char *am_container_advice(const am_container *c, char *line, size_t room);

#endif
