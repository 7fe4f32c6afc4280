/* SPDX-License-Identifier: MIT */
/* audio/auditory.h - auditory spectra of perceptual linear prediction, RASTA filtering, loudness and sharpness, and cepstra.
 *
 * H. Hermansky, "Perceptual linear predictive (PLP) analysis of speech", JASA 87(4), 1990; H. Hermansky & N. Morgan, "RASTA
 * processing of speech", IEEE Trans. Speech and Audio Processing 2(4), 1994. */
#ifndef AM_AUDITORY_H
#define AM_AUDITORY_H

#include "audio/mel.h"

enum { AM_AUDITORY_BANDS = 26, AM_AUDITORY_CEPSTRA = 14 };

typedef struct am_auditory {
  am_mel mel; /* 26 triangles even on HTK's mel scale, 20 Hz to 8 kHz or half the rate */
  double equal_loudness[AM_AUDITORY_BANDS], sharpness[AM_AUDITORY_BANDS];
  double cosines[AM_AUDITORY_BANDS * (AM_AUDITORY_CEPSTRA + 1)], lifter[AM_AUDITORY_CEPSTRA + 1];
} am_auditory;

am_status am_auditory_init(am_context *ctx, am_auditory *a, double rate, int n_fft, am_error *err);
void am_auditory_free(am_auditory *a);

/* All of (…, frames) with contours along the rows.  bands (26, frames): power of the filters; changed to its natural logarithm. */
typedef struct am_auditory_out {
  float *loudness, *loudness_rasta, *sharpness; /* (frames) */
  float *rasta;                                 /* (26, frames) */
  float *mfcc;                                  /* (14, frames): coefficients 1 to 14 */
} am_auditory_out;
void am_auditory_describe(const am_auditory *a, float *bands, size_t frames, const am_auditory_out *out);

/* y (n): 0.1 (2 x[t+2] + x[t+1] - x[t-1] - 2 x[t-2]) + 0.94 y[t-1], with x going on as it begins and ends. */
void am_rasta(const float *x, size_t n, float *y);

#endif
