/* SPDX-License-Identifier: MIT */
/* synth/noises_events.c - noises made of many short ones: strokes, drops, beats. */
#include <math.h>
#include <string.h>

#include "synth/noises.h"

static const double turn = 6.283185307179586;

/* A burst of noise through a resonance, which decays. */
typedef struct burst {
  double hz, width, decay, level; /* Hz, Hz, s, - */
} burst;

static void add_burst(am_rng *rng, double rate, float *x, size_t n, size_t at, const burst *b) {
  am_resonance r = am_resonance_at(fmin(b->hz, 0.45 * rate), b->width, rate);
  const double keep = exp(-1 / (b->decay * rate));
  double level = b->level / sqrt(r.gain);
  for (size_t i = at; i < n && level > 1e-4; i++, level *= keep)
    x[i] += (float)(level * am_resonance_run(&r, am_rng_normal(rng)));
}

/* From one event to the next, s: at random, `pace` a second. */
static double until_next(am_rng *rng, double pace) { return -log(1 - am_rng_uniform(rng)) / pace; }

static size_t after(double seconds, double rate) { return 1 + (size_t)(seconds * rate); }

/* Words of strokes, each a click and a thump, with pauses. */
void am_noise_keyboard(am_rng *rng, double rate, float *x, size_t n) {
  const double pace = am_rng_range(rng, 4, 12), hz = am_rng_octaves(rng, 1200, 5000),
               low = am_rng_octaves(rng, 120, 400);
  const double floor_level = am_rng_octaves(rng, 0.0005, 0.02);
  for (size_t i = 0; i < n; i++) x[i] = (float)(floor_level * am_rng_normal(rng));
  for (size_t at = after(am_rng_range(rng, 0, 0.5), rate); at < n;) {
    const double hard = am_rng_octaves(rng, 0.4, 1.5);
    add_burst(rng, rate, x, n, at,
              &(burst){hz * am_rng_range(rng, 0.8, 1.2), hz / 2, am_rng_range(rng, 0.002, 0.008), hard});
    add_burst(rng, rate, x, n, at, &(burst){low, low / 2, 0.015, 0.5 * hard});
    at += after(0.04 + until_next(rng, pace) + (am_rng_uniform(rng) < 0.1 ? am_rng_range(rng, 0.3, 1.5) : 0), rate);
  }
}

/* A hiss, and drops on what they fall on. */
void am_noise_rain(am_rng *rng, double rate, float *x, size_t n) {
  const double pace = am_rng_octaves(rng, 15, 300), hz = am_rng_octaves(rng, 600, 5000),
               hiss = am_rng_octaves(rng, 0.01, 0.5);
  const double pole = am_rng_range(rng, 0, 0.9);
  double low = 0;
  for (size_t i = 0; i < n; i++) x[i] = (float)(hiss * (low = pole * low + (1 - pole) * am_rng_normal(rng)));
  for (size_t at = 0; at < n; at += after(until_next(rng, pace), rate))
    add_burst(rng, rate, x, n, at,
              &(burst){hz * am_rng_octaves(rng, 0.5, 2), hz / 3, am_rng_octaves(rng, 0.001, 0.012),
                       am_rng_octaves(rng, 0.1, 1)});
}

/* Sharp clicks of any size over a faint hiss, at times many at once. */
void am_noise_crackle(am_rng *rng, double rate, float *x, size_t n) {
  const double pace = am_rng_octaves(rng, 8, 60), hiss = am_rng_octaves(rng, 0.003, 0.05);
  double low = 0, mood = 0;
  for (size_t i = 0; i < n; i++) x[i] = (float)(hiss * (low += 0.3 * (am_rng_normal(rng) - low)));
  for (size_t at = 0; at < n;) {
    const double wait = until_next(rng, pace * exp(am_wander(rng, &mood, 0.5, pace)));
    add_burst(rng, rate, x, n, at,
              &(burst){am_rng_octaves(rng, 800, 7000), 2500, am_rng_octaves(rng, 0.0003, 0.004),
                       am_rng_octaves(rng, 0.05, 2)});
    at += after(wait, rate);
  }
}

static void kick(double rate, float *x, size_t n, size_t at, double hz, double level) {
  double phase = 0;
  for (size_t i = at; i < n && i < at + (size_t)(0.4 * rate); i++) {
    const double t = (double)(i - at) / rate;
    phase += turn * hz * (1 + 3 * exp(-t / 0.03)) / rate;
    x[i] += (float)(level * exp(-t / 0.12) * sin(phase));
  }
}

/* Eighths with a drum, a snare and a cymbal, whose pattern of two bars is drawn. */
void am_noise_drums(am_rng *rng, double rate, float *x, size_t n) {
  enum { STEPS = 16 };
  const double eighth = 30 / am_rng_range(rng, 70, 170), hz = am_rng_range(rng, 45, 80),
               tone = am_rng_range(rng, 150, 350);
  const double ring = am_rng_octaves(rng, 0.02, 0.15);
  bool low[STEPS], snare[STEPS], hat[STEPS];
  for (size_t i = 0; i < STEPS; i++) {
    low[i] = am_rng_uniform(rng) < (i % 4 == 0 ? 0.9 : 0.2);
    snare[i] = am_rng_uniform(rng) < (i % 4 == 2 ? 0.9 : 0.1);
    hat[i] = am_rng_uniform(rng) < 0.7;
  }
  memset(x, 0, n * sizeof *x);
  for (size_t step = 0, at = 0; at < n; step++, at = (size_t)((double)step * eighth * rate)) {
    const double hard = am_rng_range(rng, 0.6, 1);
    if (low[step % STEPS]) kick(rate, x, n, at, hz, hard);
    if (snare[step % STEPS]) {
      add_burst(rng, rate, x, n, at, &(burst){2500, 4000, 0.08, 0.4 * hard});
      kick(rate, x, n, at, tone, 0.3 * hard);
    }
    if (hat[step % STEPS]) add_burst(rng, rate, x, n, at, &(burst){6500, 3000, ring, 0.2 * hard});
  }
}
