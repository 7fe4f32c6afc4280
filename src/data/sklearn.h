/* data/sklearn.h - scikit-learn's draws of test parts, number by number. */
#ifndef AM_SKLEARN_H
#define AM_SKLEARN_H

#include "base/base.h"

/* scikit-learn's train_test_split indices: test gets ceil(test_size*n) entries. stratify labels NULL or (n). */
am_status am_train_test_split(am_context *ctx, size_t n, double test_size, uint32_t seed, const int *stratify, uint32_t *train,
                              size_t *n_train, uint32_t *test, size_t *n_test, am_error *err);

/* scikit-learn's draw of n_test of n items: plain (labels NULL) or stratified.  train (n - n_test), test (n_test). */
am_status am_draw_test(am_context *ctx, size_t n, size_t n_test, uint32_t seed, const int *labels, uint32_t *train,
                       uint32_t *test, am_error *err);
/* ceil(share * n), as scikit-learn rounds. */
size_t am_share_count(double share, size_t n);

#endif
