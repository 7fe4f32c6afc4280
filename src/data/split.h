/* data/split.h - what the split files share; for data/ only. */
#ifndef AM_SPLIT_H
#define AM_SPLIT_H

#include "data/dataset.h"

/* scikit-learn's draw of n_test of n items: plain (labels NULL) or stratified.  train (n - n_test), test (n_test). */
am_status am_draw_test(am_context *ctx, size_t n, size_t n_test, uint32_t seed, const int *labels, uint32_t *train,
                       uint32_t *test, am_error *err);
/* split_balance.c: scikit-learn's StratifiedGroupKFold(k, shuffle=True, random_state=seed).  table (groups,classes): clips; no
 * class without one; k at most `groups`.  fold_of (groups). */
am_status am_stratified_folds(am_context *ctx, const uint32_t *table, size_t groups, size_t classes, size_t k, uint32_t seed,
                              int *fold_of, am_error *err);
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

/* ceil(share * n), as scikit-learn rounds. */
size_t am_share_count(double share, size_t n);

/* Kinds that cut by speaker: sets `role` (n_speakers), and `fold_of` (n_speakers) to the fold in which a speaker is
 * tested, or -1.  `s` receives n_folds, fold and the first words of its note. */
am_status am_split_speakers(am_context *ctx, const am_dataset *d, const am_split_options *o, am_part *role, int *fold_of,
                            am_split *s, am_error *err);

#endif
