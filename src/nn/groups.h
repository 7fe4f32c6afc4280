/* SPDX-License-Identifier: MIT */
/* nn/groups.h - the groups of a batch, and sums over them.
 *
 * A batch of a training is cut into groups of consecutive clips, am_pass.group each.  Whatever is summed over clips is
 * summed in each group alone, from zero, and the groups in pairs:
 *
 *   node(0,g) = group g,   node(k,i) = node(k-1,2i) + node(k-1,2i+1), or the first alone where there is no second
 *
 * So several processes may share a batch: one that has groups 4 to 7 has node(2,1), and what they add to one another is
 * what one process adds by itself, bit for bit.  The tree depends on the number of groups alone. */
#ifndef AM_GROUPS_H
#define AM_GROUPS_H

#include "audiomood/layer.h"
#include "tensor/tensor.h"

enum {
  AM_GROUPS = 8,       /* of a batch, unless somebody wants others (am_session_create_grouped) */
  AM_MOST_GROUPS = 256 /* so a tree has at most 9 levels */
};

/* Groups of the pass's batch; clips [first, end) of group g. */
static inline size_t am_groups_of(const am_pass *pass) {
  return ((size_t)pass->batch + (size_t)pass->group - 1) / (size_t)pass->group;
}
static inline size_t am_group_first(const am_pass *pass, size_t g) { return g * (size_t)pass->group; }
static inline size_t am_group_end(const am_pass *pass, size_t g) {
  const size_t end = (g + 1) * (size_t)pass->group;
  return end < (size_t)pass->batch ? end : (size_t)pass->batch;
}

/* Clips of a group where a batch of `batch` is cut into `groups`. */
static inline int am_group_size(int batch, int groups) { return (batch + groups - 1) / groups; }

/* Sums `groups` arrays of n numbers, each `stride` after the one before; the sum is in the first, the others are spent. */
void am_groups_fold(const am_kernels *k, size_t groups, size_t stride, size_t n, am_real *parts);
void am_groups_fold_doubles(size_t groups, size_t stride, size_t n, double *parts);

/* (B,n): sums of each clip become the sum of the whole batch, in the first row; with join, of the batch of all processes. */
void am_groups_sum(const am_pass *pass, size_t n, double *clips);

/* Gradients of all weights of a layer, one after the other, for each group (G,n): their sum is added to dw. */
void am_groups_add(const am_layer *layer, const am_pass *pass, size_t n, am_real *groups);
/* The same from sums of each clip (B,n), of which those of each group, as real numbers, are made in `groups` first. */
void am_groups_gradient(const am_layer *layer, const am_pass *pass, size_t n, const double *clips, am_real *groups);

/* The same of arrays of n numbers that are made one after the other, in memory (AM_PAIR_LEVELS,n): each is made in
 * am_pair_next, which is not cleared, and am_pair_add takes it in.  am_pair_root is the sum, NULL where there was none. */
enum { AM_PAIR_LEVELS = 10 };
typedef struct am_pair_sum {
  const am_kernels *kernels;
  am_real *node[AM_PAIR_LEVELS]; /* the next array; then one of each level, where bit `level` of count is set */
  size_t n, count;
} am_pair_sum;
am_pair_sum am_pair_begin(const am_kernels *kernels, size_t n, am_real *memory);
am_real *am_pair_next(am_pair_sum *sum);
void am_pair_add(am_pair_sum *sum);
const am_real *am_pair_root(am_pair_sum *sum);

#endif
