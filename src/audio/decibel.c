/* SPDX-License-Identifier: MIT */
/* audio/decibel.c - librosa.power_to_db. */
#include "audio/decibel.h"

#include <math.h>

void am_power_to_db(const am_frame_kernels *kernels, float *x, size_t n, bool ref_max, double amin, double top_db) {
  const float least = (float)amin;
  float top = kernels->largest(n, x, least);
  kernels->decibel(1, least, 0, -HUGE_VALF, &top);
  const float ref = ref_max ? top : 0;
  const float low = top_db > 0 ? top - ref - (float)top_db : -HUGE_VALF;
  kernels->decibel(n, least, ref, low, x);
}
