/* SPDX-License-Identifier: MIT */
/* synth/mixture.h - speech in noise of which it is known where the speech is.
 *
 * A recording is of one speaker's clips with pauses, over one generated noise (synth/noises.h), as loud as the signal-to-noise ratio
 * says; some have no speech.  Where the speech is, is told by the clips alone, before the noise comes: their level in steps of 10 ms. */
#ifndef AM_MIXTURE_H
#define AM_MIXTURE_H

#include "data/dataset.h"
#include "synth/noises.h"

typedef struct am_mixture_options {
  uint64_t seed;
  double seconds, rate;
  double max_seconds;                     /* of a clip's file */
  const am_noise_family *const *families; /* (n_families), which take turns */
  size_t n_families;
  const double *snr; /* (n_snr) dB, of which one is drawn */
  size_t n_snr;
  double empty; /* share of recordings without speech */
  double two;   /* share with a second noise, which is softer */
} am_mixture_options;

enum { AM_MIXTURE_STEPS = 100 }; /* a second */

typedef struct am_mixture {
  float *samples; /* (n) */
  size_t n;
  uint8_t *speech; /* (steps) of 10 ms: 1 where somebody speaks */
  size_t steps;
  int speaker; /* -1: nobody speaks */
  const am_noise_family *family;
  double snr;  /* dB: power where somebody speaks over that of all of the noise; NaN: no speech, or no noise */
  double gain; /* dB of full scale: power of what was just described */
} am_mixture;

/* Recording `number` of clips (n), of which some have a known speaker: families take turns.  The same seed and
 * number give the same sound.  AM_E_DATA: no speaker is known. */
am_status am_mixture_make(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n,
                          const am_mixture_options *options, size_t number, am_mixture *out, am_error *err);
void am_mixture_free(am_context *ctx, am_mixture *m);

/* Marks steps of x (n) where the level is within 35 dB of the loudest, pauses below 0.1 s among them, and nothing shorter than 0.05 s. */
am_status am_mixture_mark(am_context *ctx, const float *x, size_t n, double rate, uint8_t *speech, size_t steps,
                          am_error *err);

#endif
