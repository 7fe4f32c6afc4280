/* SPDX-License-Identifier: MIT */
/* data/sklearn.h - scikit-learn's draws of test parts, number by number. */
#ifndef AM_SKLEARN_H
#define AM_SKLEARN_H

#include "base/base.h"

/* scikit-learn's draw of n_test of n items: plain (labels NULL) or stratified.  train (n - n_test), test (n_test). */
am_status am_draw_test(am_context *ctx, size_t n, size_t n_test, uint32_t seed, const int *labels, uint32_t *train,
                       uint32_t *test, am_error *err);
/* ceil(share * n), as scikit-learn rounds. */
size_t am_share_count(double share, size_t n);

#endif
