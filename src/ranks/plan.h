/* SPDX-License-Identifier: MIT */
/* ranks/plan.h - who has which leaves of a batch, and how what they have becomes the whole.
 *
 * A batch is cut into leaves, numbered from 0.  Node (0, i) is leaf i; node (k, i) is node (k-1, 2i) + node (k-1, 2i+1), or the
 * first of them alone, bit for bit, where there is no second.  So a sum depends on the leaves alone, and not on who computed
 * them.  Each rank has one node whole: its leaves are a range that begins at a multiple of a power of two, and it sums them as
 * if they were all there are. */
#ifndef AM_RANKS_PLAN_H
#define AM_RANKS_PLAN_H

#include "base/base.h"

/* Two nodes that become one: the value of rank `to` += that of rank `from`. */
typedef struct am_ranks_merge {
  int to, from;
} am_ranks_merge;

/* The shares of `ranks` ranks: rank r has the leaves first[r] to first[r + 1] - 1, so `first` has ranks + 1 places.  Then
 * `merges` (ranks - 1 places, or NULL) are the sums above them, in order; the last one makes the whole in rank 0.  At a node
 * with m ranks the left child gets a share of them in proportion to its leaves, and at least one each.  false: fewer leaves
 * than ranks. */
bool am_ranks_plan(size_t leaves, int ranks, size_t *first, am_ranks_merge *merges);

#endif
