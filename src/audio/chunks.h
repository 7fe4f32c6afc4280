/* SPDX-License-Identifier: MIT */
/* audio/chunks.h - sound files that are chunks of an id, a size and content. */
#ifndef AM_CHUNKS_H
#define AM_CHUNKS_H

#include "audio/container.h"

/* Formats that are chunks of an id, a size and content, from c->at to the end. */
bool am_chunks_begin(const unsigned char *data, size_t bytes);
am_status am_chunks_read(const am_container *c, am_part *part, am_error *err);

#endif
