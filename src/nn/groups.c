/* SPDX-License-Identifier: MIT */
/* nn/groups.c - sums over the groups of a batch. */
#include "nn/groups.h"

void am_groups_fold(const am_kernels *k, size_t groups, size_t stride, size_t n, am_real *parts) {
  for (size_t step = 1; step < groups; step *= 2)
    for (size_t g = 0; g + step < groups; g += 2 * step) k->add(n, parts + (g + step) * stride, parts + g * stride);
}

void am_groups_fold_doubles(size_t groups, size_t stride, size_t n, double *parts) {
  for (size_t step = 1; step < groups; step *= 2)
    for (size_t g = 0; g + step < groups; g += 2 * step)
      for (size_t i = 0; i < n; i++) parts[g * stride + i] += parts[(g + step) * stride + i];
}

void am_groups_sum(const am_pass *pass, size_t n, double *clips) {
  const size_t groups = am_groups_of(pass);
  for (size_t g = 0; g < groups; g++) {
    double *sum = clips + am_group_first(pass, g) * n;
    for (size_t b = am_group_first(pass, g) + 1; b < am_group_end(pass, g); b++)
      for (size_t i = 0; i < n; i++) sum[i] += clips[b * n + i];
  }
  am_groups_fold_doubles(groups, (size_t)pass->group * n, n, clips);
  if (pass->join) pass->join(pass->join_arg, clips, n);
}

void am_groups_gradient(const am_layer *layer, const am_pass *pass, size_t n, const double *clips, am_real *groups) {
  for (size_t g = 0; g < am_groups_of(pass); g++)
    for (size_t i = 0; i < n; i++) {
      double sum = 0;
      for (size_t b = am_group_first(pass, g); b < am_group_end(pass, g); b++) sum += clips[b * n + i];
      groups[g * n + i] = (am_real)sum;
    }
  am_groups_add(layer, pass, n, groups);
}

void am_groups_add(const am_layer *layer, const am_pass *pass, size_t n, am_real *groups) {
  const am_kernels *k = am_kernels_of(layer->ctx);
  am_groups_fold(k, am_groups_of(pass), n, n, groups);
  for (int i = 0; i < layer->n_weights; groups += layer->weights[i++].count)
    k->add(layer->weights[i].count, groups, pass->dw[i]);
}

am_pair_sum am_pair_begin(const am_kernels *kernels, size_t n, am_real *memory) {
  am_pair_sum sum = {.kernels = kernels, .n = n};
  for (size_t i = 0; i < AM_PAIR_LEVELS; i++) sum.node[i] = memory + i * n;
  return sum;
}

am_real *am_pair_next(am_pair_sum *sum) { return sum->node[0]; }

/* As a counter carries: a node waits for the one to its right, then both are one of the level above. */
void am_pair_add(am_pair_sum *sum) {
  size_t level = 1;
  for (; sum->count >> (level - 1) & 1; level++) {
    sum->kernels->add(sum->n, sum->node[0], sum->node[level]);
    am_real *both = sum->node[level];
    sum->node[level] = sum->node[0];
    sum->node[0] = both;
  }
  am_real *spent = sum->node[level];
  sum->node[level] = sum->node[0];
  sum->node[0] = spent;
  sum->count++;
}

const am_real *am_pair_root(am_pair_sum *sum) {
  am_real *right = NULL;
  for (size_t level = 1; sum->count >> (level - 1); level++) {
    if (!(sum->count >> (level - 1) & 1)) continue;
    if (right) sum->kernels->add(sum->n, right, sum->node[level]);
    right = sum->node[level];
  }
  return right;
}
