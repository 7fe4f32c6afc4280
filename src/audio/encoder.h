/* SPDX-License-Identifier: MIT */
/* audio/encoder.h - a sound as a file in memory.
 *
 * x (n) is mono, full scale 1; what is made is appended to an empty `out`.  AM_E_UNSUPPORTED: the library cannot write this, or not at
 * this rate (Hz). */
#ifndef AM_ENCODER_H
#define AM_ENCODER_H

#include "base/base.h"

/* Without loss at 16 bits, in about half of a WAV file; what is louder than full scale is clipped. */
am_status am_encode_flac(am_context *ctx, const float *x, size_t n, double rate, am_buffer *out, am_error *err);
/* Of so many kbit/s, constant. */
am_status am_encode_mp3(am_context *ctx, int kbits, const float *x, size_t n, double rate, am_buffer *out,
                        am_error *err);

#endif
