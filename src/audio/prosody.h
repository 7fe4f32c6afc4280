/* SPDX-License-Identifier: MIT */
/* audio/prosody.h - melody, voicing and loudness of speech as bins beside those of a spectrogram. */
#ifndef AM_PROSODY_H
#define AM_PROSODY_H

#include "audio/lld.h"
#include "base/words.h"

/* The bins in their order.  Values are those of the descriptors (audio/lld.h), every 10 ms, on lines between them.
 *   f0      semitones above 27.5 Hz.  In unvoiced frames on the line between the voiced ones around them, before the first
 *           and after the last as there; AM_PROSODY_F0_UNKNOWN where nothing is voiced
 *   voicing the normalised autocorrelation at the period, or the largest of an unvoiced frame
 *   voiced  1 or 0
 *   hnr     harmonics to noise, dB; 0 where unvoiced
 *   energy  mean square; the features make decibels of it */
#define AM_PROSODIES(X) \
  X(AM_PROSODY_F0, "f0") \
  X(AM_PROSODY_VOICING, "voicing") \
  X(AM_PROSODY_VOICED, "voiced") X(AM_PROSODY_HNR, "hnr") X(AM_PROSODY_ENERGY, "energy")
typedef enum am_prosody_bin { AM_PROSODIES(AM_WORD_NAME) AM_PROSODY_BINS } am_prosody_bin;

/* 156 Hz: between the voices of men and women. */
#define AM_PROSODY_F0_UNKNOWN 30.0f

/* Bin `bin` of t frames of x (n), frame i centred on sample first + i * hop, to out[i * stride + bin].  A frame beyond the end of
 * x is silent. */
am_status am_prosody_compute(const am_lld *l, const float *x, size_t n, size_t first, size_t hop, size_t t, float *out,
                             size_t stride, am_error *err);
const char *am_prosody_name(int bin);

#endif
