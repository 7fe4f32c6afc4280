/* SPDX-License-Identifier: MIT */
#ifndef AM_VOCODER_H
#define AM_VOCODER_H

#include "base/base.h"

/* librosa.effects.time_stretch (n_fft 2048, hop 512): x (n) played `factor` times as fast with its pitch
 * kept. *out (am_free) has round(n / factor) samples. factor 0.25 to 4. */
am_status am_time_stretch(am_context *ctx, const float *x, size_t n, double factor, float **out, size_t *out_n,
                          am_error *err);
/* librosa.effects.pitch_shift at 12 steps an octave: the pitch moves, n stays. */
am_status am_pitch_shift(am_context *ctx, const float *x, size_t n, double rate, double semitones, float **out,
                         am_error *err);

#endif
