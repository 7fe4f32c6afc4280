/* SPDX-License-Identifier: MIT */
/* data/groups.c - see groups.h. */
#include "data/groups.h"

am_status am_groups_make(am_context *ctx, const int *of, size_t n, size_t groups, am_groups *out, am_error *err) {
  *out = (am_groups){am_alloc(ctx, n + 1, sizeof *out->members), am_alloc(ctx, groups + 2, sizeof *out->first)};
  if (!out->members || !out->first) {
    am_groups_free(ctx, out);
    return am_no_memory(err);
  }
  size_t *begin = out->first + 1; /* of a group, until its members are there: then of the next one */
  for (size_t i = 0; i < n; i++)
    if (of[i] >= 0) begin[of[i] + 1]++;
  for (size_t g = 0; g < groups; g++) begin[g + 1] += begin[g];
  for (size_t i = 0; i < n; i++)
    if (of[i] >= 0) out->members[begin[of[i]]++] = (uint32_t)i;
  return AM_OK;
}

void am_groups_free(am_context *ctx, am_groups *g) {
  am_free(ctx, g->members);
  am_free(ctx, g->first);
  *g = (am_groups){0};
}
