/* SPDX-License-Identifier: MIT */
/* base/child.h - a copy of this process that does what may crash, hang or take up memory.
 *
 * A copy of a process with several threads has only the one that forked; what another thread held at that moment is held for
 * ever in the copy.  glibc sees to its own locks, but not every allocator does so (the address sanitizer's of gcc 12 does not),
 * and a child that waits for one would wait for ever: am_child_nanoseconds tells whether it moves. */
#ifndef AM_CHILD_H
#define AM_CHILD_H

#include <sys/types.h>

#include "base/base.h"

typedef struct am_child_limits {
  uint64_t seconds; /* of processor */
  uint64_t bytes;   /* that may be taken beyond what the process has; where there is no /proc there is no limit */
} am_child_limits;

/* In the child: signals are as in a new program, nothing is said on standard error, memory is malloc's, so that the limit is
 * heard of where it is met.  The context is the child's own; whoever has set sinks for it does so after this. */
void am_child_become(am_context *ctx, const am_child_limits *limits);
/* Also in the child: what `log` gets is what the context logs from now on; NULL: nobody does. */
void am_child_log(am_context *ctx, void (*log)(void *user, am_log_level level, const char *line), void *user);
/* Also in the child: closes what the parent has open but for the standard streams and `keep`. */
void am_child_close_all_but(int keep);

/* A pipe whose writing end is none of the standard streams: where those are closed it would get their numbers, and the child
 * makes standard error its own.  -1 and errno on failure. */
int am_child_pipe(int ends[2]);
/* Time of a processor that it has used so far; -1: it is not known. */
long long am_child_nanoseconds(pid_t child);

#endif
