/* SPDX-License-Identifier: MIT */
/* audio/condition.h - recordings of other kinds than those of the training: how a model stands under them is measured by what
 * each does to a sound (`evaluate --under`).
 *
 * The samples that a 16-bit file could not hold, beyond full scale, are cut off. */
#ifndef AM_CONDITION_H
#define AM_CONDITION_H

#include "base/base.h"
#include "base/rng.h"

typedef struct am_condition {
  const char *name; /* "white10" */
  const char *help; /* one line */
  double value;     /* dB, s or a factor */
  /* Changes *samples (am_resize'd where the length changes). */
  am_status (*change)(am_context *ctx, const struct am_condition *c, am_rng *rng, double rate, float **samples,
                      size_t *n, am_error *err);
} am_condition;

const am_condition *am_condition_all(size_t *n);
/* By its name; AM_E_USAGE names them all. */
am_status am_condition_find(const char *name, const am_condition **out, am_error *err);
/* What x (n) becomes, into *out (am_free).  Equal sounds with equal seeds become equal. */
am_status am_condition_apply(am_context *ctx, const am_condition *c, uint64_t seed, double rate, const float *x,
                             size_t n, float **out, size_t *out_n, am_error *err);

#endif
