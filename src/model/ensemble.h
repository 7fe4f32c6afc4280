/* SPDX-License-Identifier: MIT */
/* model/ensemble.h - models that are asked together: the mean of their probabilities. */
#ifndef AM_ENSEMBLE_H
#define AM_ENSEMBLE_H

#include "audiomood/stream.h"
#include "model/fusion.h"

am_context *am_ensemble_context(const am_ensemble *e);
am_checkpoint *am_ensemble_model(const am_ensemble *e, size_t i);
/* What finds speech for its streams, borrowed; NULL: level does.  Of who shares the ensemble (share.h). */
void am_ensemble_set_detector(am_ensemble *e, am_checkpoint *detector);
am_checkpoint *am_ensemble_detector(const am_ensemble *e);
const char *am_ensemble_name(const am_ensemble *e, size_t i); /* what messages call model i */

/* The mean of what the models say, each asked once and in order: the one place where models become one.  What is asked are single
 * models: of a fused one its members, which become one by am_fusion_ask.  `one` has room for `numbers`, too; of one model it is
 * not used, and may be NULL.  After a failure all are NaN. */
am_status am_ensemble_mean(const am_ensemble *e, size_t numbers, am_ask_fn ask, void *user, float *mean, float *one,
                           am_error *err);

/* AM_E_USAGE unless there is a model, and all have one rate. */
am_status am_ensemble_check(const am_ensemble *e, am_error *err);
/* The stream that am_ensemble_windows hears a sound by; `teller` outlives it. */
typedef struct am_window_teller {
  am_window_fn each;
  void *user;
} am_window_teller;
am_status am_ensemble_windows_open(am_ensemble *e, double window, double hop, const am_window_teller *teller,
                                   am_stream **out, am_error *err);
/* AM_E_USAGE unless model i takes sounds at the rate of the first one. */
am_status am_ensemble_check_rate(const am_ensemble *e, size_t i, am_error *err);

#endif
