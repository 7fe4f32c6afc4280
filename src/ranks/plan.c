/* SPDX-License-Identifier: MIT */
/* ranks/plan.c - see plan.h. */
#include "ranks/plan.h"

#include <assert.h>

typedef struct plan {
  size_t leaves, *first;
  am_ranks_merge *next;
} plan;

/* The node that begins at leaf `at` and has room for `wide` leaves, for the ranks from `rank` on. */
static void split(plan *p, size_t at, size_t wide, int rank, int ranks) {
  if (ranks == 1) {
    p->first[rank] = at;
    return;
  }
  const size_t half = wide / 2;
  if (at + half >= p->leaves) { /* there is no right child */
    split(p, at, half, rank, ranks);
    return;
  }
  const size_t there = p->leaves - at < wide ? p->leaves - at : wide, right = there - half, m = (size_t)ranks;
  assert(half > 0 && there > half);
  size_t share = (2 * m * half + there) / (2 * there); /* rounded */
  if (share + right < m) share = m - right;
  if (share > half) share = half;
  if (share > m - 1) share = m - 1;
  if (share < 1) share = 1;
  split(p, at, half, rank, (int)share);
  split(p, at + half, half, rank + (int)share, ranks - (int)share);
  if (p->next) *p->next++ = (am_ranks_merge){rank, rank + (int)share};
}

bool am_ranks_plan(size_t leaves, int ranks, size_t *first, am_ranks_merge *merges) {
  if (ranks < 1 || leaves < (size_t)ranks || leaves > INT32_MAX) return false;
  size_t wide = 1;
  while (wide < leaves) wide *= 2;
  plan p = {leaves, first, merges};
  split(&p, 0, wide, 0, ranks);
  first[ranks] = leaves;
  return true;
}
