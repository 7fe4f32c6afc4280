/* SPDX-License-Identifier: MIT */
/* audio/pitch.h - fundamental frequency, from autocorrelation with a path through the candidates.
 *
 * P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
 * sampled sound", Proc. Institute of Phonetic Sciences 17, 97-110 (1993). */
#ifndef AM_PITCH_H
#define AM_PITCH_H

#include "audio/fft.h"

#define AM_PITCH_FLOOR 75.0    /* Hz; three periods of it are the window */
#define AM_PITCH_CEILING 600.0 /* Hz */
enum { AM_PITCH_CANDIDATES = 15 /* of a frame, the unvoiced one among them */ };

typedef struct am_pitch {
  am_context *ctx;
  double rate;
  int window, n_fft, n_lags; /* samples; lags are looked up at AM_PITCH_OVERSAMPLE to the sample */
  int first, last;           /* lags (oversampled) of the ceiling and the floor */
  float *hann;               /* (window) */
  float *inverse;            /* (last + 2): 1 / autocorrelation of the window */
  am_fft *forward, *back;
} am_pitch;

am_status am_pitch_init(am_context *ctx, am_pitch *p, double rate, am_error *err);
void am_pitch_free(am_pitch *p);

/* x (n); frame i is centred on sample (i + 1) * hop.  f0 (frames), Hz, 0 where unvoiced; strength (frames): the normalised
 * autocorrelation at the period that was taken, or where unvoiced of the strongest candidate, 0 to 1. */
am_status am_pitch_track(const am_pitch *p, const float *x, size_t n, int hop, size_t frames, float *f0,
                         float *strength, am_error *err);

#endif
