/* base/trail.h - where a walk through a tree of folders stands, so that a link never leads it round in a circle. */
#ifndef AM_TRAIL_H
#define AM_TRAIL_H

#include "base/base.h"

/* The folders from the top of the file system to the one where the walk stands. */
typedef struct am_trail {
  am_context *ctx;
  struct am_trail_folder { uint64_t device, inode; } *at;
  size_t n, room;
} am_trail;

/* Stands in `root`.  The folders above it count as well: a link to one of them leads back into `root`.  To be ended
 * whether it could begin or not. */
am_status am_trail_begin(am_context *ctx, const char *root, am_trail *out, am_error *err);
/* *entered: false when the walk is inside this folder already, by whatever name; else leave it when done with it. */
am_status am_trail_enter(am_trail *trail, const char *folder, bool *entered, am_error *err);
void am_trail_leave(am_trail *trail);
void am_trail_end(am_trail *trail);

#endif
