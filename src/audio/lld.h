/* SPDX-License-Identifier: MIT */
/* audio/lld.h - low-level descriptors of speech, one contour each, every 10 ms. */
#ifndef AM_LLD_H
#define AM_LLD_H

#include "audio/auditory.h"
#include "audio/pitch.h"
#include "audio/spectrum.h"
#include "audio/stft.h"

typedef enum am_lld_index {
  AM_LLD_LOUDNESS,
  AM_LLD_LOUDNESS_RASTA,
  AM_LLD_RMS,
  AM_LLD_ZERO_CROSSINGS,
  AM_LLD_SHARPNESS,
  AM_LLD_SPECTRAL,
  AM_LLD_RASTA = AM_LLD_SPECTRAL + AM_SPECTRALS,
  AM_LLD_LOG_BAND = AM_LLD_RASTA + AM_AUDITORY_BANDS,
  AM_LLD_MFCC = AM_LLD_LOG_BAND + AM_AUDITORY_BANDS,
  AM_LLD_VOICING = AM_LLD_MFCC + AM_AUDITORY_CEPSTRA,
  AM_LLD_VOICED, /* from here on only voiced frames have a value */
  AM_LLD_F0 = AM_LLD_VOICED,
  AM_LLD_JITTER,
  AM_LLD_JITTER_DDP,
  AM_LLD_SHIMMER,
  AM_LLD_HNR,
  AM_LLDS
} am_lld_index;

typedef struct am_lld {
  am_context *ctx;
  double rate;
  am_stft stft; /* Hann windows of 25 ms every 10 ms */
  am_auditory auditory;
  am_pitch pitch;
} am_lld;

enum { AM_LLD_NAME = 32 };
/* The published name of descriptor i into name: "mfcc3". */
void am_lld_name(int i, char name[AM_LLD_NAME]);
am_status am_lld_init(am_context *ctx, am_lld *l, double rate, am_error *err);
void am_lld_free(am_lld *l);
/* Frames of n samples, at least 1: frame i is centred on sample (i + 1) * hop. */
size_t am_lld_frames(const am_lld *l, size_t n);
/* Contours of x (n) into out (AM_LLDS, frames).  F0 in semitones above 27.5 Hz; where a frame is unvoiced F0 is 0, and so are the
 * others from AM_LLD_VOICED on.  voiced (frames). */
am_status am_lld_compute(const am_lld *l, const float *x, size_t n, float *out, bool *voiced, am_error *err);

#endif
