/* SPDX-License-Identifier: MIT */
/* synth/noises.h - generated sounds that are no speech, to teach a speech detector and to measure it.
 *
 * A family is a kind of sound; what is drawn for one recording is its pitch, pace, colour and more.  They sound like what they are
 * named after as far as a page of arithmetic can: they are no recordings, and no street. */
#ifndef AM_NOISES_H
#define AM_NOISES_H

#include "base/base.h"
#include "base/rng.h"

typedef struct am_noise_family {
  const char *name, *help;
  bool held_out; /* never trained on, so that it can be measured what a detector makes of noise that is new to it */
  /* Fills x (n) at `rate` Hz, at any level; NULL: of voices (synth/mixture.h). */
  void (*fill)(am_rng *rng, double rate, float *x, size_t n);
} am_noise_family;

/* NULL from the first that there is not. */
const am_noise_family *am_noise_family_at(size_t i);
const am_noise_family *am_noise_family_find(const char *name);

/* ---- between noises.c, noises_events.c and noises_tones.c ---- */

void am_noise_keyboard(am_rng *rng, double rate, float *x, size_t n);
void am_noise_rain(am_rng *rng, double rate, float *x, size_t n);
void am_noise_drums(am_rng *rng, double rate, float *x, size_t n);
void am_noise_crackle(am_rng *rng, double rate, float *x, size_t n);
void am_noise_hum(am_rng *rng, double rate, float *x, size_t n);
void am_noise_engine(am_rng *rng, double rate, float *x, size_t n);
void am_noise_alarm(am_rng *rng, double rate, float *x, size_t n);
void am_noise_music(am_rng *rng, double rate, float *x, size_t n);
void am_noise_birds(am_rng *rng, double rate, float *x, size_t n);
void am_noise_bells(am_rng *rng, double rate, float *x, size_t n);

/* A resonance: two poles. */
typedef struct am_resonance {
  double a, b, gain, y[2];
} am_resonance;
am_resonance am_resonance_at(double hz, double width, double rate);
double am_resonance_run(am_resonance *r, double x);
/* A number that wanders about 0 with deviation 1 and takes some `seconds` to change; `state` begins at 0. */
double am_wander(am_rng *rng, double *state, double seconds, double rate);
/* low to high, each octave as likely. */
double am_rng_octaves(am_rng *rng, double low, double high);

#endif
