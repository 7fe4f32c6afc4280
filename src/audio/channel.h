/* SPDX-License-Identifier: MIT */
/* audio/channel.h - what lies between a voice and a file: a room, a telephone line, an MP3 encoder.
 *
 * Each changes x (n) in place and keeps its length. */
#ifndef AM_CHANNEL_H
#define AM_CHANNEL_H

#include "base/base.h"
#include "base/rng.h"

/* A room whose sound falls by 60 dB in t60 s: x and, as loud, white noise that falls so, convolved with x.  The power of x is
 * kept; what sounds on after n samples is left out. */
am_status am_room(am_context *ctx, am_rng *rng, double t60, double rate, float *x, size_t n, am_error *err);
/* 300 to 3400 Hz at 8 kHz, 8 bits a sample by mu-law (ITU-T G.711). */
am_status am_telephone(am_context *ctx, double rate, float *x, size_t n, am_error *err);
/* Encoded as MP3 of so many kbit/s (constant) and decoded.  AM_E_UNSUPPORTED: the library cannot, or not at this rate. */
am_status am_mp3(am_context *ctx, int kbits, double rate, float *x, size_t n, am_error *err);

#endif
