/* SPDX-License-Identifier: MIT */
/* audio/contour.h - functionals: what one number says of a contour.
 *
 * The statistics of the ComParE set, from their published definitions: F. Weninger, F. Eyben, B. Schuller, M. Mortillaro &
 * K. Scherer, "On the acoustics of emotion in audio", Frontiers in Psychology 4:292 (2013); B. Schuller et al., "The
 * INTERSPEECH 2013 / 2016 computational paralinguistics challenge". */
#ifndef AM_CONTOUR_H
#define AM_CONTOUR_H

#include <stddef.h>

/* Positions are shares of the contour's length, 0 to 1; times are shares of it, too; slopes are of a second. */
#define AM_FUNCTIONALS(X) \
  X(AM_FUN_MEAN, "mean") \
  X(AM_FUN_STDDEV, "stddev") \
  X(AM_FUN_SKEWNESS, "skewness") \
  X(AM_FUN_KURTOSIS, "kurtosis") \
  X(AM_FUN_RQMEAN, "rqmean")     /* root of the mean square */ \
  X(AM_FUN_CENTROID, "centroid") /* position of the mean of time weighted by the value above the minimum */ \
  X(AM_FUN_PERCENTILE_1, "percentile1") \
  X(AM_FUN_QUARTILE_1, "quartile1") \
  X(AM_FUN_QUARTILE_2, "quartile2") \
  X(AM_FUN_QUARTILE_3, "quartile3") \
  X(AM_FUN_PERCENTILE_99, "percentile99") \
  X(AM_FUN_IQR_1_2, "iqr1_2") \
  X(AM_FUN_IQR_2_3, "iqr2_3") \
  X(AM_FUN_IQR_1_3, "iqr1_3") \
  X(AM_FUN_PERCENTILE_RANGE, "pctlrange1_99") \
  X(AM_FUN_RANGE, "range") \
  X(AM_FUN_MIN_POSITION, "min_position") \
  X(AM_FUN_MAX_POSITION, "max_position") \
  X(AM_FUN_UP_LEVEL_25, "uptime25") /* time above 25 % of the range */ \
  X(AM_FUN_UP_LEVEL_50, "uptime50") \
  X(AM_FUN_UP_LEVEL_75, "uptime75") \
  X(AM_FUN_UP_LEVEL_90, "uptime90") \
  X(AM_FUN_RISE_TIME, "risetime") \
  X(AM_FUN_FALL_TIME, "falltime") \
  X(AM_FUN_LEFT_CURVE_TIME, "leftcurvetime") /* time of positive curvature */ \
  X(AM_FUN_LINEAR_SLOPE, "linreg_slope") \
  X(AM_FUN_LINEAR_OFFSET, "linreg_offset") \
  X(AM_FUN_LINEAR_ERROR, "linreg_error") /* mean square */ \
  X(AM_FUN_QUADRATIC_A, "qreg_a") \
  X(AM_FUN_QUADRATIC_B, "qreg_b") \
  X(AM_FUN_QUADRATIC_OFFSET, "qreg_offset") \
  X(AM_FUN_QUADRATIC_ERROR, "qreg_error") \
  X(AM_FUN_PEAKS, "peaks")                      /* a second */ \
  X(AM_FUN_PEAK_DISTANCE, "peak_distance_mean") /* s */ \
  X(AM_FUN_PEAK_DISTANCE_STDDEV, "peak_distance_stddev") \
  X(AM_FUN_PEAK_MEAN, "peak_mean") \
  X(AM_FUN_PEAK_OVER_MEAN, "peak_over_mean") /* mean of the peaks less the mean */ \
  X(AM_FUN_PEAK_RANGE, "peak_range") \
  X(AM_FUN_VALLEY_MEAN, "valley_mean") \
  X(AM_FUN_RISING_SLOPE, "rising_slope_mean") /* from a valley to the peak after it */ \
  X(AM_FUN_RISING_SLOPE_STDDEV, "rising_slope_stddev") \
  X(AM_FUN_FALLING_SLOPE, "falling_slope_mean") \
  X(AM_FUN_FALLING_SLOPE_STDDEV, "falling_slope_stddev") \
  X(AM_FUN_SEGMENTS, "segments")         /* a second; segments are runs above the middle of the range */ \
  X(AM_FUN_SEGMENT_MEAN, "segment_mean") /* s */ \
  X(AM_FUN_SEGMENT_STDDEV, "segment_stddev") \
  X(AM_FUN_SEGMENT_MAX, "segment_max") \
  X(AM_FUN_SEGMENT_MIN, "segment_min") \
  X(AM_FUN_LPC_GAIN, "lp_gain") /* dB of the contour's variance over that of the error of linear prediction */ \
  X(AM_FUN_LPC_1, "lpc1") \
  X(AM_FUN_LPC_2, "lpc2") \
  X(AM_FUN_LPC_3, "lpc3") \
  X(AM_FUN_LPC_4, "lpc4") \
  X(AM_FUN_LPC_5, "lpc5")

#define AM_FUN_ID(name, word) name,
typedef enum am_functional { AM_FUNCTIONALS(AM_FUN_ID) AM_FUNCTIONALS_COUNT } am_functional;

/* The functionals of x (n), values every `step` seconds, into out (AM_FUNCTIONALS_COUNT).  All are 0 for n = 0, and finite for
 * finite x; those of shape that n is too short for are 0.  sorted (n) is work. */
void am_contour_functionals(const float *x, size_t n, double step, float *sorted, double *out);

/* Share q (0 to 1) of sorted (n), between two values by the straight line (numpy's default). */
double am_contour_quantile(const float *sorted, size_t n, double q);

#endif
