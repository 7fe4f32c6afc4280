/* SPDX-License-Identifier: MIT */
/* base/trail.h - which folders a walk through a tree has searched, so that a link never leads it into one twice, nor
 * round in a circle. */
#ifndef AM_TRAIL_H
#define AM_TRAIL_H

#include "base/base.h"

/* Folders by device and inode, in a hash table of `room` places, a power of two. */
typedef struct am_trail {
  am_context *ctx;
  struct am_trail_folder {
    uint64_t device, inode;
    int depth;
    bool used;
  } * at;
  size_t n, room;
} am_trail;

/* Begins in `root`, at depth 0.  The folders above it count as searched as well: a link to one of them leads back into
 * `root`.  To be ended whether it could begin or not. */
am_status am_trail_begin(am_context *ctx, const char *root, am_trail *out, am_error *err);

/* What the walk finds at a folder.  One that searches to a fixed depth may find more below a folder when it comes there
 * on a shorter way: NEARER, at most once for each depth. */
typedef enum am_trail_step { AM_TRAIL_KNOWN, AM_TRAIL_NEARER, AM_TRAIL_NEW } am_trail_step;
/* At `depth` below the root, by whatever name; from now on the folder is known there and deeper. */
am_status am_trail_enter(am_trail *trail, const char *folder, int depth, am_trail_step *step, am_error *err);
void am_trail_end(am_trail *trail);

#endif
