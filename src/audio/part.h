/* SPDX-License-Identifier: MIT */
/* audio/part.h - a file as a row of parts, each for one decoder.
 *
 * Most files are one part.  Ogg files may be chained, a tag may be before or after, and a header may hold
 * a length that its writer never filled in: what a decoder sees is the bytes of its part alone, with such
 * lengths corrected. */
#ifndef AM_PART_H
#define AM_PART_H

#include "audio/passing.h"

typedef enum am_codec { AM_DECODE_SNDFILE, AM_DECODE_MPEG, AM_DECODE_VORBIS, AM_DECODE_OPUS, AM_DECODE_MEDIA } am_codec;

/* Bytes that the decoder reads in place of what the file has there. */
typedef struct am_patch {
  size_t at;
  int n;
  unsigned char to[8];
} am_patch;

enum { AM_PATCHES = 6 };

typedef struct am_part {
  am_codec codec;
  const unsigned char *data; /* borrowed from the file, or .own */
  size_t bytes;
  am_patch patch[AM_PATCHES];
  int patches;
  uint64_t promised;   /* samples of each channel that a header promises and the decoder does not see; 0: none */
  am_passing *passing; /* hears what was copied; NULL: nobody */
  int track;           /* of a film or the like, from 1 on; 0: its first of sound */
  void *own;           /* memory that holds what had to be put together (am_free), or NULL */
} am_part;

/* Copies n bytes of the part from `at` on, as the decoder is to see them; at + n <= bytes. */
void am_part_copy(const am_part *part, size_t at, void *to, size_t n);
void am_part_patch(am_part *part, size_t at, uint64_t value, int n, bool big);

#endif
