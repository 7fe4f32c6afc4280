/* SPDX-License-Identifier: MIT */
/* audio/unheard.c - sounds in which there is nothing to hear. */
#include <math.h>

#include "audiomood/audio.h"

/* Half of a phoneme, and less than two frames of the usual features. */
static const double shortest = 0.1;
/* Six steps of 16 bits: silence with dither is within it, the quietest speech that was recorded on purpose far above. */
static const float smallest_span = 2e-4f;
/* Full scale is 1.  What stays beyond this is no silence, but numbers that the features refuse. */
static const float largest_offset = 1000;

/* NaN is above and below nothing, so it is in no span: no silence either, but a sample that the features refuse. */
static bool has_nan(const float *samples, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (isnan(samples[i])) return true;
  return false;
}

am_unheard am_sound_unheard(const float *samples, size_t n, double rate) {
  enum { STRETCH = 1024 }; /* after which it is asked whether that is enough: most sounds show it at once */
  if (!samples || !n || (double)n < shortest * rate - 0.5)
    return AM_UNHEARD_TOO_SHORT; /* 0.1 s, rounded to samples, is long enough */
  float low = samples[0], high = samples[0];
  for (size_t i = 1; i < n && !(high - low >= smallest_span);) {
    const size_t end = n - i < STRETCH ? n : i + STRETCH;
    for (; i < end; i++) {
      low = samples[i] < low ? samples[i] : low;
      high = samples[i] > high ? samples[i] : high;
    }
  }
  const bool still = high - low < smallest_span && high < largest_offset && low > -largest_offset;
  return still && !has_nan(samples, n) ? AM_UNHEARD_SILENT : AM_HEARD;
}

const char *am_unheard_name(am_unheard reason) {
  return reason == AM_UNHEARD_SILENT ? "silent" : reason == AM_UNHEARD_TOO_SHORT ? "too short" : "";
}
