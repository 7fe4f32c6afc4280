/* SPDX-License-Identifier: MIT */
/* audio/tags.h - what programs that keep titles and pictures put before, between and after sound: ID3, APE,
 * Lyrics3. */
#ifndef AM_TAGS_H
#define AM_TAGS_H

#include "base/base.h"

/* Bytes of a tag that begins here (more than `bytes` when the file ends inside), 0: none does. */
size_t am_tag_at(const unsigned char *data, size_t bytes);
/* Bytes of the tags that end with the file. */
size_t am_tags_behind(const unsigned char *data, size_t bytes);

#endif
