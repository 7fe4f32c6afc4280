/* SPDX-License-Identifier: MIT */
/* audio/fft.h - the Fourier transform of real frames, single precision. */
#ifndef AM_FFT_H
#define AM_FFT_H

#include "base/base.h"

/* A plan for one size and one way, forward or inverse; read-only after creation, shared by threads. */
typedef struct am_fft am_fft;

am_status am_fft_create(am_context *ctx, int n, am_fft **out, am_error *err);
am_status am_fft_create_inverse(am_context *ctx, int n, am_fft **out, am_error *err);
void am_fft_free(am_fft *fft);
/* in (n) -> out (n/2+1) pairs re, im; keeps `in`.  All arrays 64-byte aligned (am_alloc_aligned). */
void am_fft_forward(const am_fft *fft, const float *in, float *out);
/* in (n/2+1) pairs -> out (n), not divided by n; destroys `in`. */
void am_fft_inverse(const am_fft *fft, float *in, float *out);

/* The version of the library in use; borrowed. */
const char *am_fft_library(void);

#endif
