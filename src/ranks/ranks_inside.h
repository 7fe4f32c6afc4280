/* SPDX-License-Identifier: MIT */
/* ranks/ranks_inside.h - what the files of this room share.
 *
 * One lock is around all calls of the link and around all that changes.  Who waits takes it, moves on what can be moved
 * (am_ranks_pump), lets go of it and sleeps.  The watching thread (ranks_watch.c) does the same while sums are under way and
 * nobody waits, so they go on behind the computing. */
#ifndef AM_RANKS_INSIDE_H
#define AM_RANKS_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"
#include "ranks/plan.h"
#include "ranks/ranks.h"

enum { TAG_CONTROL = 0, TAG_HELLO = 1, TAG_FIRST = 2, TAG_SLOTS = 8192, PHASES = 2 };
enum { HOST_ROOM = 256, ALL = -1, FIRST_BYTES = 4096 - 8 };

/* ---- what is said beside the sums ---- */

typedef enum control_kind { SAY_BEAT, SAY_BYE, SAY_GONE } control_kind;
/* Written as it is in memory: the hello has made sure that all ranks are of one protocol. Of a beat only the head is sent. */
typedef struct control {
  int32_t kind, rank;
  int32_t status; /* of SAY_BYE: how its work ended */
  int32_t origin; /* and of whom that is: itself, or the rank whose failure was told to it; ALL: all know it alike */
  float still;    /* of SAY_BEAT: s in which its program has done nothing */
  char host[HOST_ROOM];
  char message[sizeof((am_error *)0)->message];
} control;

typedef struct rank_state {
  char host[HOST_ROOM];
  double heard;
  float still; /* as it said last */
  bool bye, gone, lost;
  control word;           /* its bye */
  uint64_t beat, said[2]; /* requests: our beat to it, our bye, and that we are gone */
  bool beating, saying[2];
} rank_state;

/* A send or receive of a call that waits. */
typedef struct message {
  uint64_t request;
  int peer;
  bool on;
} message;

typedef struct sum sum; /* ranks_sum.c */

struct am_ranks {
  am_context *ctx;
  am_link link;
  pthread_mutex_t lock;
  pthread_cond_t wake; /* of the watching thread: a sum was begun, or it is over */
  pthread_t watch;
  bool watched, over, greeted, left, unclean, told;
  bool met;                   /* all have said how they ended, and only the end is left */
  atomic_int waiting;         /* a call waits, and pumps */
  double patience, beat_each; /* s */
  double hang;                /* s without progress that are too many; 0: none are */
  double still, looked;       /* s in which this program was seen to do nothing; when that was looked at last */
  unsigned worked, calls;     /* what was known of it then; calls that wait, which began and ended */
  char host[HOST_ROOM];       /* its own */
  rank_state *peers;
  am_error fault; /* why nothing goes on; `origin` has it from */
  int origin;
  char known[sizeof((am_error *)0)->message]; /* the failure that all ranks know alike */
  control heard, beat, last[2];               /* what comes; what is said: bye, and gone */
  uint64_t hearing;
  bool hears;
  unsigned sequence; /* of calls */
  /* the batch */
  size_t groups;
  size_t *first; /* of `groups` */
  am_ranks_merge *merges;
  int present; /* ranks 0 to present - 1 have leaves in it */
  /* sums */
  sum *begun, *spare;
  double under_way_since;  /* 0: none is */
  double waiting_since;    /* 0: no call waits */
  double waited_meanwhile; /* of the time since then, without the present wait */
  am_ranks_count count;
  message *messages; /* of the call that waits, two a rank */
  char *kept;        /* the words of all: ranks * sizeof(control) */
  char *heads;       /* ranks * (8 + FIRST_BYTES): the first bytes of all's blocks */
};

double am_ranks_patience(void), am_ranks_hang(void); /* s, of the environment */
/* Of ranks that would all tell of a loss, each waits a turn longer than the one before it, by when the launcher has ended it if that
 * one did tell: so many s before the one whose turn it is, from 0, tells of what is lost after `seconds`. */
double am_ranks_until_turn(int turn, double seconds);

/* All with the lock held. */
am_status am_ranks_fault(am_ranks *ranks, am_error *err);                         /* AM_OK: there is none */
am_status am_ranks_known(am_ranks *ranks, am_status status, const am_error *err); /* gives `status` */
void am_ranks_break(am_ranks *ranks, int origin, am_status status, const char *format, ...) AM_PRINTF(4, 5);
/* What a code of the link means, of a message from or to that rank. */
void am_ranks_lose(am_ranks *ranks, int peer, int code);
bool am_ranks_send(am_ranks *ranks, const void *data, size_t bytes, int to, int tag, uint64_t *request);
bool am_ranks_receive(am_ranks *ranks, void *data, size_t room, int from, int tag, uint64_t *request);
bool am_ranks_test(am_ranks *ranks, int peer, uint64_t *request); /* whether it is done */
void am_ranks_pump(am_ranks *ranks);
void am_ranks_hear(am_ranks *ranks);       /* ranks_watch.c: words of others */
void am_ranks_sums_go_on(am_ranks *ranks); /* ranks_sum.c; it lets go of the lock while it adds */
/* After a failure nothing may be read or written that the caller may free: what is under way gets a moment to be done, as
 * others do the same, and then is given up. */
void am_ranks_settle(am_ranks *ranks);
bool am_ranks_sums_settle(am_ranks *ranks, bool cancel); /* ranks_sum.c: whether nothing of them is open any more */
int am_ranks_tag(am_ranks *ranks);                       /* of the next call; it has PHASES tags */

/* Waits until `done` says so (with the lock held), or there is a fault; then nothing that was begun is open any more. */
am_status am_ranks_wait(am_ranks *ranks, bool (*done)(am_ranks *ranks, void *arg), void *arg, const char *what,
                        am_error *err);
/* Sends so much to each and gets at most `room` bytes of each, into places that are `room` bytes apart in the order of the ranks;
 * its own is copied. */
am_status am_ranks_exchange(am_ranks *ranks, int tag, const void *mine, size_t bytes, void *all, size_t room,
                            const char *what, am_error *err);

am_status am_ranks_watch_start(am_ranks *ranks, am_error *err); /* ranks_watch.c */
void am_ranks_watch_end(am_ranks *ranks);
void am_ranks_sums_free(am_ranks *ranks);
/* A sleep that grows from turn to turn, up to 1 ms; the first ones only let others run. */
void am_ranks_rest(unsigned turn);

#endif
