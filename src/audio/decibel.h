#ifndef AM_DECIBEL_H
#define AM_DECIBEL_H

#include <stddef.h>

/* x = ln(max(x, amin)), amin a normal float. am_power_to_db stands in features.h. */
void am_ln_floor(float *x, size_t n, double amin);

#endif
