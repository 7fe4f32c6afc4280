/* SPDX-License-Identifier: MIT */
/* ranks/link.h - what a module of messages between processes offers: a table over MPI, or over a test's own sockets.
 *
 * A module knows no more than this; what is summed, in which order and when, is told by the files of this room alone.  A
 * module may have been built at another time than the program, so the table has a number, which is raised at every change. */
#ifndef AM_RANKS_LINK_H
#define AM_RANKS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AM_LINK_ABI = 3, AM_LINK_ANY = -1 };
enum { AM_LINK_MOST_BYTES = 1 << 30, AM_LINK_MOST_TAG = 32767 }; /* of one message */

/* How the ranks end: all requests done and all ranks here; all ranks here, after a failure, so requests may be left; or some are lost. */
typedef enum am_link_end { AM_LINK_DONE, AM_LINK_FAILED, AM_LINK_LOST } am_link_end;

/* One thread at a time calls the functions.  Those that give an int give 0, or a code that `why` puts into words. */
typedef struct am_link am_link;
struct am_link {
  uint32_t abi;   /* AM_LINK_ABI */
  int rank, size; /* of this process, and of all */
  char name[128]; /* the library and its version */
  void *user;     /* the module's */
  /* Begin to send or to receive; the memory is the module's until the request is done.  Messages of one rank under one tag
   * come in the order in which they were sent.  What comes may be shorter than what there is room for. */
  int (*isend)(am_link *link, const void *data, size_t bytes, int to, int tag, uint64_t *request);
  int (*irecv)(am_link *link, void *data, size_t room, int from, int tag, uint64_t *request);
  int (*test)(am_link *link, uint64_t *request, bool *done); /* moves on all others, too */
  /* Of one that will not be done any more: its memory is the caller's again.  What comes later is lost. */
  void (*cancel)(am_link *link, uint64_t *request);
  void (*why)(am_link *link, int code, char *out, size_t room);
  void (*abort)(am_link *link, int code);         /* ends all processes of the job; does not return */
  void (*finish)(am_link *link, am_link_end end); /* the last call */
};

/* For so many seconds (0: for ever) a module waits until all processes are there.  Then it calls `late`, from a thread of its own, and ends the
 * process, by which the launcher ends the others: MPI itself would wait for ever. */
typedef struct am_link_start {
  double patience;
  void (*late)(void *arg);
  void *arg;
} am_link_start;

/* The one symbol of a module: fills *out; false: why it cannot. */
#define AM_LINK_OPEN "am_link_open"
__attribute__((visibility("default"))) bool am_link_open(am_link *out, const am_link_start *start, char *why,
                                                         size_t room);

#endif
