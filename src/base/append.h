/* SPDX-License-Identifier: MIT */
/* base/append.h - a file that grows by whole rows, over several runs of a program.
 *
 * What is put in is written at its end in one piece, and synced at least once a second.  What a kill or a full disk leaves of a
 * piece is at the end alone, so whoever opens the file again finds where the last whole row ends and cuts there. */
#ifndef AM_APPEND_H
#define AM_APPEND_H

#include "base/base.h"

typedef struct am_append am_append;

/* An ordinary file, which is made if it is not there; a link is followed.  AM_E_IO: another process appends to it, or it cannot be
 * written; AM_E_USAGE: a folder, a device or a pipe. */
am_status am_append_open(am_context *ctx, const char *path, am_append **out, am_error *err);
uint64_t am_append_bytes(const am_append *append); /* that it has */
/* Up to `room` bytes from `offset` on; *got less: it ends there. */
am_status am_append_read(const am_append *append, uint64_t offset, void *data, size_t room, size_t *got, am_error *err);
/* Only the first `bytes` of it stay. */
am_status am_append_cut(am_append *append, uint64_t bytes, am_error *err);
/* After a failure none of it is in the file, as far as the system lets it be cut. */
am_status am_append_put(am_append *append, const void *data, size_t bytes, am_error *err);
am_status am_append_sync(am_append *append, am_error *err); /* now */
void am_append_close(am_append *append);                    /* what was not synced may get lost; NULL is allowed */

#endif
