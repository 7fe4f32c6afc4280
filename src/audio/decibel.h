/* audio/decibel.h - powers as decibels and logarithms. */
#ifndef AM_DECIBEL_H
#define AM_DECIBEL_H

#include <stdbool.h>
#include <stddef.h>

/* librosa.power_to_db. */
void am_power_to_db(float *x, size_t n, bool ref_max, double amin, double top_db);
/* x = ln(max(x, amin)), amin a normal float. */
void am_ln_floor(float *x, size_t n, double amin);

#endif
