/* SPDX-License-Identifier: MIT */
/* audio/mpeg.h - the frames of MPEG audio (layers 1 to 3), counted from their headers without
 * decoding. */
#ifndef AM_MPEG_H
#define AM_MPEG_H

#include "audio/passing.h"

/* A stretch of frames of one encoder: joined files are several, each perhaps with a table (Xing, Info, VBRI)
 * in front. */
typedef struct am_mpeg_stretch {
  size_t from, to;       /* bytes */
  double rate;           /* Hz */
  int channels, samples; /* of each channel in a frame */
  uint64_t frames;       /* that are whole, the table's own left out; 0 for free format, whose frames tell no length */
  bool table;
  uint64_t table_bytes, table_frames; /* 0: the table does not say */
  size_t odd;                         /* bytes before or between the frames that are neither frame nor tag */
  size_t cut, cut_of;                 /* the last frame has only so many of so many bytes; 0: it is complete */
} am_mpeg_stretch;

/* The next stretch from *at on, which moves past it; false: no more frames (*at does not move). */
bool am_mpeg_next(const unsigned char *data, size_t bytes, am_passing *passing, size_t *at, am_mpeg_stretch *out);
/* Does MPEG audio begin here (a frame, and another after it or the end), or within the first 64 kB by a row
 * of frames? */
bool am_mpeg_begins(const unsigned char *data, size_t bytes);

#endif
