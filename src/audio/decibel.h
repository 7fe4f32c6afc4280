/* SPDX-License-Identifier: MIT */
/* audio/decibel.h - powers as decibels and logarithms. */
#ifndef AM_DECIBEL_H
#define AM_DECIBEL_H

#include "tensor/frames.h"

/* librosa.power_to_db. */
void am_power_to_db(const am_frame_kernels *kernels, float *x, size_t n, bool ref_max, double amin, double top_db);

#endif
