/* SPDX-License-Identifier: MIT */
/* data/split_balance.h - groups dealt to folds and parts so that each has its share of every class; for data/ only. */
#ifndef AM_SPLIT_BALANCE_H
#define AM_SPLIT_BALANCE_H

#include "data/dataset.h"

/* scikit-learn's StratifiedGroupKFold(k, shuffle=True, random_state=seed).  table (groups,classes): clips; no
 * class without one; k at most `groups`.  fold_of (groups). */
am_status am_stratified_folds(am_context *ctx, const uint32_t *table, size_t groups, size_t classes, size_t k,
                              uint32_t seed, int *fold_of, am_error *err);
/* Groups that are in a part already change places, or (`moves`) go to another one, as long as that brings clips of a class into a
 * part that has none, or else each class's share in each part nearer to the part's. */
typedef struct am_balance {
  const uint32_t *table; /* (groups,classes) clips */
  size_t classes;
  double share[3]; /* of each part; 0: not wanted */
  bool moves;      /* parts may change their number of groups */
  am_part *role;   /* (groups) */
} am_balance;
/* order (n): the groups that take part, in the order they are tried. */
am_status am_balance_parts(am_context *ctx, const am_balance *b, const uint32_t *order, size_t n, am_error *err);

#endif
