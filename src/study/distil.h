/* SPDX-License-Identifier: MIT */
/* study/distil.h - one model learns what several others say of its training clips, each clip asked of models that were not trained
 * on it.
 *
 * A teacher is a finished cross-validation.  Whoever its models know has to be in the training part of the student: then what is
 * held out of the student is unknown to them, too, and its checkpoint names everybody it knows. */
#ifndef AM_DISTIL_H
#define AM_DISTIL_H

#include "model/config.h"

/* Writes OUT/targets.csv, the mean of what the teachers say of the clips of the corpus that all of them say something of, and trains
 * `config` on it in OUT.  `overrides` are those that config was made with.  `result`: am_run_result_free. */
am_status am_distil(am_config *config, const char *const *teachers, size_t n, const char *out, am_run_result *result,
                    am_error *err);

#endif
