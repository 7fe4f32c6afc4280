/* SPDX-License-Identifier: MIT */
/* ranks/ranks.h - training by several processes, the ranks, which mpirun or srun started: they train as one, with the same bits.
 *
 * A batch is cut into `groups` leaves of a fixed tree (plan.h).  Each rank computes the leaves that are its own and sums them in
 * the tree's order; am_ranks_sum sums what the ranks have in the same tree, so all have the sum that one process alone would
 * have.  The plan depends on the numbers of leaves and of ranks, and on nothing else.
 *
 * `ranks` may be NULL everywhere: one process alone, whose sums are what they were.
 *
 * All ranks make the same calls in the same order; what is said of a sum (its size, the batch) is the same for all.  One thread
 * at a time makes them; it need not be the same one.  A call that waits sleeps, and no rank waits for ever: a small thread of each
 * rank says every second that it is alive.  A rank that is not heard of for 20 s (AM_RANKS_PATIENCE, in seconds) ends the job, with one line of
 * the log (AM_LOG_ERROR, by rank 0; by the next one if that is the one) that names it and its host: who sets the sinks leaves
 * errors on in every rank.  So does a rank that is heard of, but has done nothing for 25 s (AM_RANKS_HANG; 0: never) while another
 * waits for it: it made no call, its context was not used (am_context_worked), and none of its threads waits for a disk or a file
 * server, which is waited for.  A rank that fails alone leaves (am_ranks_leave), and every call of the others fails with its
 * message. */
#ifndef AM_RANKS_H
#define AM_RANKS_H

#include "audiomood/nn.h"
#include "ranks/link.h"

typedef struct am_ranks am_ranks;

/* ---- joining and leaving ---- */

/* Joins the job whose launcher's marks are in the environment: of Open MPI, or of MPICH and Slurm (PMI).  Without any *out is
 * NULL.  It loads a module (AM_MPI_MODULE: its path); where that is missing and there is more than one rank, AM_E_UNSUPPORTED
 * says what to install.  Before it nothing may have been written that the ranks share. */
am_status am_ranks_join(am_context *ctx, am_ranks **out, am_error *err);
/* The i-th MPI that there may be a module for, and where that is (am_free; NULL: this build has none); NULL: no more. */
const char *am_ranks_module(am_context *ctx, size_t i, char **path);
/* Processes that a launcher started with this one, and it; 0: there is no launcher. */
int am_ranks_started(void);
/* Whether this is the process that tells why joining failed: the first of those started, or the only one. */
bool am_ranks_started_first(void);
/* The same over a table of the caller's, which is copied. */
am_status am_ranks_join_over(am_context *ctx, const am_link *link, am_ranks **out, am_error *err);
/* The last common word: each rank says how its work ended, and all get the failure of the first one that failed, as
 * am_ranks_agree does.  It may be called whatever the others do: those that wait for this rank fail with its message.  No other
 * call than those below and am_ranks_free after it.  NULL gives `status`. */
am_status am_ranks_leave(am_ranks *ranks, am_status status, am_error *err);
/* Ends the connection, when all ranks are here: what rank 0 has to print it prints before, as launchers end a job when its first
 * process fails. */
void am_ranks_free(am_ranks *ranks);

int am_ranks_rank(const am_ranks *ranks); /* 0 of NULL */
int am_ranks_size(const am_ranks *ranks); /* 1 of NULL */
/* Of rank 0 and of NULL: who writes the run folder, logs and prints. */
static inline bool am_ranks_first(const am_ranks *ranks) { return am_ranks_rank(ranks) == 0; }
const char *am_ranks_host(const am_ranks *ranks, int rank); /* "" of NULL */
const char *am_ranks_library(const am_ranks *ranks);        /* "MPICH 4.0.2"; "" of NULL */

/* ---- sums ---- */

/* The leaves of this rank of so many, in a full batch.  AM_E_USAGE: there are more ranks than leaves.  Any thread. */
am_status am_ranks_leaves(am_ranks *ranks, size_t groups, size_t *first, size_t *count, am_error *err);
/* Begins a batch, of which a short one has fewer `leaves` than `groups`: what follows are sums over it.  *first and *count
 * (may be NULL) are the leaves of this rank in it; without any (count 0) its values count for nothing in the sums, but it makes all calls. */
am_status am_ranks_batch(am_ranks *ranks, size_t groups, size_t leaves, size_t *first, size_t *count, am_error *err);
/* Begins to sum an array, of which the rank has the sum of its leaves.  It is not to be touched, or freed, until am_ranks_finish,
 * am_ranks_drop or am_ranks_leave has returned. */
am_status am_ranks_sum(am_ranks *ranks, am_real *values, size_t n, am_error *err);
/* Waits for all sums that were begun. */
am_status am_ranks_finish(am_ranks *ranks, am_error *err);
/* Gives up sums that are under way, after a failure of this rank's own: their arrays may be freed then, and all that is left is to
 * leave.  A call that failed has done so itself. */
void am_ranks_drop(am_ranks *ranks);
/* Sums at once; sums that were begun go on meanwhile. */
am_status am_ranks_sum_doubles(am_ranks *ranks, double *values, size_t n, am_error *err);

/* ---- other words ---- */

/* All get what rank 0 has. */
am_status am_ranks_broadcast(am_ranks *ranks, void *data, size_t bytes, am_error *err);
/* All get the blocks of all in the order of the ranks, one behind the other, in *all (am_free); that of rank r ends at ends[r]
 * (room for am_ranks_size). The context is for NULL. */
am_status am_ranks_gather(am_ranks *ranks, am_context *ctx, const void *mine, size_t bytes, void **all, size_t *ends,
                          am_error *err);
/* Of an array whose part r, which ends at byte ends[r], is rank r's: rank `whom`, or all (AM_RANKS_ALL), get the whole.  What a
 * rank has itself may be at its place in `whole`. */
enum { AM_RANKS_ALL = -1 };
am_status am_ranks_collect(am_ranks *ranks, const void *mine, void *whole, const size_t *ends, int whom, am_error *err);
/* Each says how its work went.  If it went wrong for any, all get the status and the message of the first one that failed, with
 * "rank N on HOST: " before it unless all say the same.  So nobody goes on alone. */
am_status am_ranks_agree(am_ranks *ranks, am_status status, am_error *err);
/* *any (in: of this rank) becomes whether it is true for any. */
am_status am_ranks_any(am_ranks *ranks, bool *any, am_error *err);
/* Refuses what must be the same and is not (AM_E_USAGE): which rank on which host has another text than rank 0, and the
 * first line of both that differs. */
am_status am_ranks_same(am_ranks *ranks, const char *what, const char *text, am_error *err);
am_status am_ranks_barrier(am_ranks *ranks, am_error *err);

/* ---- what it took ---- */

typedef struct am_ranks_count {
  uint64_t bytes, messages; /* that this rank sent */
  double waited;            /* s in which a call waited */
  double hidden;            /* s in which sums were under way and no call waited */
} am_ranks_count;
am_ranks_count am_ranks_counts(const am_ranks *ranks);

#endif
