/* SPDX-License-Identifier: MIT */
/* audio/ogg.h - the pages of an Ogg file, which say where one of several chained streams ends and the next
 * begins. */
#ifndef AM_OGG_H
#define AM_OGG_H

#include "audio/passing.h"

typedef enum am_ogg_kind {
  AM_OGG_OTHER,
  AM_OGG_VORBIS,
  AM_OGG_OPUS,
  AM_OGG_FLAC,
  AM_OGG_SPEEX,
  AM_OGG_FILM
} am_ogg_kind;

typedef struct am_ogg_link {
  size_t to;          /* where the link ends */
  am_ogg_kind kind;   /* of its first stream of sound; else of its first */
  char first[9];      /* letters that the stream begins with, printable */
  uint32_t stream;    /* its serial number */
  int others;         /* streams of sound beside it */
  uint64_t last;      /* position of its last page, in samples */
  bool ended;         /* its last page says that it is the last */
  size_t odd;         /* bytes between pages that are no pages */
  size_t cut, cut_of; /* the last page has only so many of at least so many bytes; 0: it is complete */
} am_ogg_link;

/* The link that begins at the first byte; false: no page begins there. */
bool am_ogg_read(const unsigned char *data, size_t bytes, am_passing *passing, am_ogg_link *out);
/* What the pages of a link's stream hold, without the pages, into `to` (link->to bytes are enough); how much
 * it is. */
size_t am_ogg_unpack(const unsigned char *data, const am_ogg_link *link, unsigned char *to);

#endif
