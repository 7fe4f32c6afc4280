/* data/split.h - what the split files share; for data/ only. */
#ifndef AM_SPLIT_H
#define AM_SPLIT_H

#include "data/dataset.h"

/* scikit-learn's draw of n_test of n items: plain (labels NULL) or stratified.  train (n - n_test), test (n_test). */
am_status am_draw_test(am_context *ctx, size_t n, size_t n_test, uint32_t seed, const int *labels, uint32_t *train,
                       uint32_t *test, am_error *err);
/* ceil(share * n), as scikit-learn rounds. */
size_t am_share_count(double share, size_t n);

/* Kinds that cut by speaker: sets `role` (n_speakers), and `fold_of` (n_speakers) to the fold in which a speaker is
 * tested, or -1.  `s` receives n_folds, fold and the first words of its note. */
am_status am_split_speakers(am_context *ctx, const am_dataset *d, const am_split_options *o, am_part *role, int *fold_of,
                            am_split *s, am_error *err);

#endif
