/* SPDX-License-Identifier: MIT */
/* synth/noises.c - the table of generated noises, and those that are filtered noise. */
#include "synth/noises.h"

#include <math.h>
#include <string.h>

static const double turn = 6.283185307179586;

am_resonance am_resonance_at(double hz, double width, double rate) {
  const double r = exp(-0.5 * turn * width / rate);
  return (am_resonance){.a = 2 * r * cos(turn * hz / rate), .b = -r * r, .gain = 1 - r};
}

double am_resonance_run(am_resonance *r, double x) {
  const double y = r->gain * x + r->a * r->y[0] + r->b * r->y[1];
  r->y[1] = r->y[0];
  r->y[0] = y;
  return y;
}

double am_wander(am_rng *rng, double *state, double seconds, double rate) {
  const double keep = exp(-1 / (seconds * rate));
  return *state = keep * *state + sqrt(1 - keep * keep) * am_rng_normal(rng);
}

double am_rng_octaves(am_rng *rng, double low, double high) { return exp(am_rng_range(rng, log(low), log(high))); }

static void silence(am_rng *rng, double rate, float *x, size_t n) {
  (void)rng;
  (void)rate;
  memset(x, 0, n * sizeof *x);
}

/* White, pink and brown noise, and all between: a sum of one-pole filters (Kellet's for pink). */
static void coloured(am_rng *rng, double rate, float *x, size_t n) {
  const double colour = am_rng_range(rng, 0, 2);
  const double white = fmax(0, 1 - colour), brown = fmax(0, colour - 1), pink = 1 - white - brown;
  double a = 0, b = 0, c = 0, d = 0;
  (void)rate;
  for (size_t i = 0; i < n; i++) {
    const double w = am_rng_normal(rng);
    a = 0.99765 * a + 0.0990460 * w;
    b = 0.96300 * b + 0.2965164 * w;
    c = 0.57000 * c + 1.0526913 * w;
    d = 0.995 * d + 0.1 * w;
    x[i] = (float)(white * w + pink * (a + b + c + 0.1848 * w) / 3 + brown * d);
  }
}

/* What a quiet room sounds like: noise that falls off early, a resonance or two, some hum. */
static void room(am_rng *rng, double rate, float *x, size_t n) {
  const double pole = exp(-turn * am_rng_octaves(rng, 40, 1500) / rate), hiss = am_rng_octaves(rng, 0.003, 0.2);
  const double hz = am_rng_uniform(rng) < 0.5 ? 50 : 60, hum = am_rng_range(rng, 0, 0.6);
  am_resonance mode = am_resonance_at(am_rng_octaves(rng, 60, 400), 30, rate);
  double low = 0;
  for (size_t i = 0; i < n; i++) {
    const double w = am_rng_normal(rng);
    low = pole * low + (1 - pole) * w;
    x[i] = (float)(low + hiss * w * 0.2 + am_resonance_run(&mode, w) + 0.1 * hum * sin(turn * hz * (double)i / rate));
  }
}

/* Broad noise of turning blades, their tone and its octaves, both a little uneven. */
static void fan(am_rng *rng, double rate, float *x, size_t n) {
  am_resonance low = am_resonance_at(am_rng_octaves(rng, 80, 400), am_rng_range(rng, 60, 300), rate);
  am_resonance high = am_resonance_at(am_rng_octaves(rng, 500, 3000), am_rng_range(rng, 500, 2000), rate);
  const double blade = am_rng_octaves(rng, 40, 300), tone = am_rng_range(rng, 0, 0.5), air = am_rng_range(rng, 0.2, 2);
  const double depth = am_rng_range(rng, 0, 0.4), pace = am_rng_octaves(rng, 0.3, 12);
  double uneven = 0, phase = 0;
  for (size_t i = 0; i < n; i++) {
    const double w = am_rng_normal(rng), t = (double)i / rate;
    phase += turn * blade * (1 + 0.01 * am_wander(rng, &uneven, 0.5, rate)) / rate;
    const double hiss = am_resonance_run(&low, w) + air * am_resonance_run(&high, w);
    x[i] = (float)((1 + depth * sin(turn * pace * t)) * hiss + 0.1 * tone * (sin(phase) + 0.5 * sin(2 * phase)));
  }
}

/* Low noise in gusts, which whistles a little when it is strong. */
static void wind(am_rng *rng, double rate, float *x, size_t n) {
  const double pace = am_rng_octaves(rng, 0.15, 1), gusts = am_rng_range(rng, 0.5, 1.3),
               whistle = am_rng_range(rng, 0, 1);
  const double pole = exp(-turn * am_rng_octaves(rng, 60, 500) / rate), hz = am_rng_octaves(rng, 300, 1200);
  am_resonance tone = am_resonance_at(hz, hz / 6, rate);
  double strength = 0, inner = 0, low = 0, lower = 0;
  for (size_t i = 0; i < n; i++) {
    const double w = am_rng_normal(rng);
    low = pole * low + (1 - pole) * w;
    lower = pole * lower + (1 - pole) * low;
    const double gust = exp(gusts * am_wander(rng, &strength, pace, rate) + 0.3 * am_wander(rng, &inner, 0.05, rate));
    x[i] = (float)(gust * (lower + 0.02 * low + 0.05 * whistle * gust * am_resonance_run(&tone, w)));
  }
}

/* Waves on a beach, or applause far away: noise that swells and ebbs, with a grain. */
static void surf(am_rng *rng, double rate, float *x, size_t n) {
  const double every = am_rng_range(rng, 1.5, 6), sharp = am_rng_range(rng, 1, 4),
               grain = am_rng_octaves(rng, 0.002, 0.02);
  const double bright = am_rng_range(rng, 0.2, 0.9), start = am_rng_uniform(rng), least = am_rng_range(rng, 0.05, 0.4);
  double low = 0, rough = 0;
  for (size_t i = 0; i < n; i++) {
    const double w = am_rng_normal(rng), t = start + (double)i / rate / every;
    const double swell = least + (1 - least) * pow(0.5 + 0.5 * sin(turn * t), sharp);
    const double open = fmin(0.98, bright * (0.5 + 0.5 * swell));
    low += open * (w * exp(0.5 * am_wander(rng, &rough, grain, rate)) - low);
    x[i] = (float)(swell * low);
  }
}

static const am_noise_family families[] = {
    {"silence", "nothing at all", false, silence},
    {"room", "a quiet room", false, room},
    {"coloured", "white, pink and brown noise, and all between", false, coloured},
    {"hum", "mains hum and its overtones", false, am_noise_hum},
    {"fan", "a fan or a ventilation", false, fan},
    {"keyboard", "typing and other clicks", false, am_noise_keyboard},
    {"rain", "drops on a roof", false, am_noise_rain},
    {"wind", "wind in gusts", false, wind},
    {"engine", "a motor that changes its speed", false, am_noise_engine},
    {"alarm", "beeps, rings, sirens and chimes", false, am_noise_alarm},
    {"music", "chords, a bass and a melody", false, am_noise_music},
    {"drums", "drums in a pattern", false, am_noise_drums},
    {"babble", "several people who speak at once", false, NULL},
    {"crackle", "a fire or an old record", true, am_noise_crackle},
    {"birds", "chirps and trills", true, am_noise_birds},
    {"bells", "struck bells and glasses", true, am_noise_bells},
    {"surf", "waves on a beach", true, surf},
};

const am_noise_family *am_noise_family_at(size_t i) {
  return i < sizeof families / sizeof *families ? &families[i] : NULL;
}

const am_noise_family *am_noise_family_find(const char *name) {
  for (size_t i = 0; am_noise_family_at(i); i++)
    if (!strcmp(families[i].name, name)) return &families[i];
  return NULL;
}
