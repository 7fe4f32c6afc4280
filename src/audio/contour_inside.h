/* SPDX-License-Identifier: MIT */
/* audio/contour_inside.h - the families of functionals, for contour.c alone.  n >= 1; out is that of am_contour_functionals,
 * whose moments and percentiles are done before the others. */
#ifndef AM_CONTOUR_INSIDE_H
#define AM_CONTOUR_INSIDE_H

#include "audio/contour.h"

/* contour_shape.c */
void am_contour_regression(const float *x, size_t n, double step, double *out);
void am_contour_prediction(const float *x, size_t n, double *out);
/* contour_peaks.c */
void am_contour_peaks(const float *x, size_t n, double step, double *out);
void am_contour_segments(const float *x, size_t n, double step, double *out);

/* Mean and deviation of what was added one by one. */
typedef struct am_running {
  double n, sum, squares;
} am_running;
void am_running_add(am_running *r, double x);
double am_running_mean(const am_running *r);
double am_running_stddev(const am_running *r);

#endif
