/* SPDX-License-Identifier: MIT */
/* audio/contour_peaks.c - peaks, valleys and segments of a contour. */
#include "audio/contour_inside.h"

#include <math.h>
#include <stdbool.h>

typedef struct state {
  am_running distances, peaks, valleys, rising, falling;
  double step;
  bool up;          /* the contour was last seen to rise */
  double high, low; /* the extremes since it last turned, and where */
  size_t high_at, low_at;
  double peak, valley; /* the last of each, and where */
  size_t peak_at, valley_at;
  double most, least; /* of the peaks */
} state;

static void peak(state *s) {
  if (s->peaks.n > 0) am_running_add(&s->distances, (double)(s->high_at - s->peak_at) * s->step);
  if (s->valleys.n > 0)
    am_running_add(&s->rising, (s->high - s->valley) / ((double)(s->high_at - s->valley_at) * s->step));
  if (s->peaks.n == 0 || s->high > s->most) s->most = s->high;
  if (s->peaks.n == 0 || s->high < s->least) s->least = s->high;
  am_running_add(&s->peaks, s->high);
  s->peak = s->high;
  s->peak_at = s->high_at;
}

static void valley(state *s) {
  if (s->peaks.n > 0) am_running_add(&s->falling, (s->low - s->peak) / ((double)(s->low_at - s->peak_at) * s->step));
  am_running_add(&s->valleys, s->low);
  s->valley = s->low;
  s->valley_at = s->low_at;
}

/* A peak is where the contour turns from rising to falling by more than a tenth of its percentile range, so that the ripple on
 * a rise is none; a valley likewise.  The ends are neither. */
void am_contour_peaks(const float *x, size_t n, double step, double *out) {
  double least = 0.1 * out[AM_FUN_PERCENTILE_RANGE];
  state s = {.step = step, .high = x[0], .low = x[0]};
  bool turned = false; /* it has moved by `least` at all */
  for (size_t i = 1; i < n && least > 0; i++) {
    if (x[i] > s.high) s.high = x[i], s.high_at = i;
    if (x[i] < s.low) s.low = x[i], s.low_at = i;
    if ((!turned || s.up) && s.high - x[i] > least) {
      if (turned) peak(&s);
      turned = true;
      s.up = false;
      s.low = x[i], s.low_at = i;
    } else if ((!turned || !s.up) && x[i] - s.low > least) {
      if (turned) valley(&s);
      turned = true;
      s.up = true;
      s.high = x[i], s.high_at = i;
    }
  }
  out[AM_FUN_PEAKS] = s.peaks.n / ((double)n * step);
  out[AM_FUN_PEAK_DISTANCE] = am_running_mean(&s.distances);
  out[AM_FUN_PEAK_DISTANCE_STDDEV] = am_running_stddev(&s.distances);
  /* Without a peak the mean stands in for one: 0 would be a value of its own. */
  out[AM_FUN_PEAK_MEAN] = s.peaks.n > 0 ? am_running_mean(&s.peaks) : out[AM_FUN_MEAN];
  out[AM_FUN_PEAK_OVER_MEAN] = out[AM_FUN_PEAK_MEAN] - out[AM_FUN_MEAN];
  out[AM_FUN_PEAK_RANGE] = s.most - s.least;
  out[AM_FUN_VALLEY_MEAN] = s.valleys.n > 0 ? am_running_mean(&s.valleys) : out[AM_FUN_MEAN];
  out[AM_FUN_RISING_SLOPE] = am_running_mean(&s.rising);
  out[AM_FUN_RISING_SLOPE_STDDEV] = am_running_stddev(&s.rising);
  out[AM_FUN_FALLING_SLOPE] = am_running_mean(&s.falling);
  out[AM_FUN_FALLING_SLOPE_STDDEV] = am_running_stddev(&s.falling);
}

void am_contour_segments(const float *x, size_t n, double step, double *out) {
  double middle = 0.5 * (out[AM_FUN_PERCENTILE_1] + out[AM_FUN_PERCENTILE_99]), most = 0, least = 0;
  am_running lengths = {0};
  for (size_t i = 0; i < n; i++) {
    if (!(x[i] > middle)) continue;
    size_t from = i;
    while (i < n && x[i] > middle) i++;
    double seconds = (double)(i - from) * step;
    most = fmax(most, seconds);
    least = lengths.n > 0 ? fmin(least, seconds) : seconds;
    am_running_add(&lengths, seconds);
  }
  out[AM_FUN_SEGMENTS] = lengths.n / ((double)n * step);
  out[AM_FUN_SEGMENT_MEAN] = am_running_mean(&lengths);
  out[AM_FUN_SEGMENT_STDDEV] = am_running_stddev(&lengths);
  out[AM_FUN_SEGMENT_MAX] = most;
  out[AM_FUN_SEGMENT_MIN] = least;
}
