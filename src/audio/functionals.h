/* SPDX-License-Identifier: MIT */
/* audio/functionals.h - one vector a clip: functionals of the contours of low-level descriptors.
 *
 * Each descriptor is smoothed over three frames; its slope over five frames (delta) is a contour of its own.  The functionals of
 * F0 and its kin are of the voiced frames alone; of the others the mean and deviation over voiced and the mean over unvoiced
 * frames come after their functionals.  docs/functionals.md defines every number. */
#ifndef AM_FUNCTIONALS_H
#define AM_FUNCTIONALS_H

#include "base/base.h"

/* Raise when any number that this code gives changes: what is cached under another one is computed anew. */
#define AM_FUNCTIONALS_VERSION 1

typedef struct am_functionals am_functionals; /* read-only after creation, shared by threads */

am_status am_functionals_create(am_context *ctx, double rate, am_functionals **out, am_error *err);
void am_functionals_free(am_functionals *f);

/* How many numbers a clip has; a constant of the program. */
int am_functionals_count(void);
enum { AM_FUNCTIONALS_NAME = 64 };
/* The published name of number i: "mfcc3_delta_iqr1_3". */
void am_functionals_name(int i, char name[AM_FUNCTIONALS_NAME]);

/* Of x (n) into out (am_functionals_count), finite for finite x of any length. */
am_status am_functionals_compute(const am_functionals *f, const float *x, size_t n, float *out, am_error *err);

#endif
