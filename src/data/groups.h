/* SPDX-License-Identifier: MIT */
/* data/groups.h - items side by side with those of their group; for data/ only. */
#ifndef AM_GROUPS_H
#define AM_GROUPS_H

#include "base/base.h"

/* Group g has the items members[first[g] .. first[g + 1]), in their order. */
typedef struct am_groups {
  uint32_t *members;
  size_t *first; /* (groups + 1) */
} am_groups;

/* of[i], below `groups`, is the group of item i; below 0: it is in none.  Takes time in proportion to n + groups.  On failure there is
 * nothing to free. */
am_status am_groups_make(am_context *ctx, const int *of, size_t n, size_t groups, am_groups *out, am_error *err);
void am_groups_free(am_context *ctx, am_groups *g);

#endif
