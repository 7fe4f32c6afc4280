/* SPDX-License-Identifier: MIT */
/* synth/synth.h - the embedded demo corpus: a seeded voice synthesiser.
 *
 * Source-filter speech: glottal pulses through the formants of a sentence's
 * vowels, with emotion as pitch level and range, tempo, energy, jitter and
 * spectral tilt.  Its sound is synthetic and is called so wherever its
 * results appear. */
#ifndef AM_SYNTH_H
#define AM_SYNTH_H

#include "audiomood/audio.h"

typedef struct am_synth_clip {
  int emotion;    /* RAVDESS code 1..8 */
  int intensity;  /* 1 normal, 2 strong */
  int statement;  /* 1, 2 */
  int repetition; /* 1, 2 */
  int actor;      /* 1..24; odd male, even female */
} am_synth_clip;

/* One clip at `rate` Hz, a pure function of seed and clip; *samples with am_free. */
am_status am_synth_voice(am_context *ctx, uint64_t seed, const am_synth_clip *clip, double rate, float **samples,
                         size_t *n, am_error *err);

typedef struct am_synth_options {
  uint64_t seed;
  int actors;      /* 1..24 */
  int repetitions; /* 1..2 */
  double rate;     /* Hz */
} am_synth_options;

/* Writes DIR/Actor_NN/03-01-EE-II-SS-RR-AA.wav for all clips (RAVDESS naming; neutral has
 * no strong intensity) and DIR/README.txt + DIR/SYNTHETIC that mark it as synthetic.  Existing files are
 * replaced only when DIR/SYNTHETIC says we made them.  All cores. */
am_status am_synth_corpus(am_context *ctx, const char *dir, const am_synth_options *options, size_t *clips,
                          am_error *err);

#endif
