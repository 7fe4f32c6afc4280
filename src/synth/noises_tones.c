/* SPDX-License-Identifier: MIT */
/* synth/noises_tones.c - noises that have a pitch: machines, alarms, music, birds, bells. */
#include <math.h>
#include <string.h>

#include "synth/noises.h"

static const double turn = 6.283185307179586;

void am_noise_hum(am_rng *rng, double rate, float *x, size_t n) {
  enum { TONES = 24 };
  const double hz = (am_rng_uniform(rng) < 0.5 ? 50 : 60) * am_rng_range(rng, 0.995, 1.005),
               fall = am_rng_range(rng, 0.3, 1.5);
  const double hiss = am_rng_octaves(rng, 0.001, 0.05);
  double level[TONES], phase[TONES];
  for (size_t k = 0; k < TONES; k++) {
    level[k] = am_rng_range(rng, 0.1, 1) * pow((double)(k + 1), -fall);
    phase[k] = am_rng_range(rng, 0, turn);
  }
  for (size_t i = 0; i < n; i++) {
    double sum = hiss * am_rng_normal(rng);
    for (size_t k = 0; k < TONES; k++) sum += level[k] * sin(phase[k] += turn * hz * (double)(k + 1) / rate);
    x[i] = (float)sum;
  }
}

/* Firing strokes, uneven in time and strength, through what resonates; the speed wanders. */
void am_noise_engine(am_rng *rng, double rate, float *x, size_t n) {
  const double hz = am_rng_octaves(rng, 18, 140), change = am_rng_range(rng, 0.02, 0.35),
               slow = am_rng_range(rng, 0.5, 3);
  am_resonance low = am_resonance_at(am_rng_octaves(rng, 60, 300), am_rng_range(rng, 20, 120), rate);
  am_resonance high = am_resonance_at(am_rng_octaves(rng, 400, 2500), am_rng_range(rng, 200, 900), rate);
  const double bright = am_rng_octaves(rng, 0.1, 2), air = am_rng_octaves(rng, 0.02, 0.3);
  double phase = 0, speed = 0, stroke = 0;
  for (size_t i = 0; i < n; i++) {
    const double w = am_rng_normal(rng);
    phase += hz * exp(change * am_wander(rng, &speed, slow, rate)) / rate;
    if (phase >= 1) {
      phase -= 1;
      stroke = am_rng_range(rng, 0.7, 1.3);
    }
    const double push = stroke * (1 + 0.5 * w);
    stroke *= 0.9;
    x[i] = (float)(am_resonance_run(&low, push) + bright * am_resonance_run(&high, push) + 0.1 * air * w);
  }
}

/* Tones on and off, two by turns, a siren, a telephone, fast sweeps, or chimes that die away; round, or with overtones. */
void am_noise_alarm(am_rng *rng, double rate, float *x, size_t n) {
  enum { BEEPS, TWO_TONES, SIREN, TELEPHONE, SWEEPS, CHIMES, KINDS };
  const double hz = am_rng_octaves(rng, 350, 3200), on = am_rng_octaves(rng, 0.05, 1),
               share = am_rng_range(rng, 0.3, 0.9);
  const double other = am_rng_range(rng, 1, 1.5), edge = am_rng_range(rng, 0, 1), ring = am_rng_range(rng, 15, 30);
  const double glide = am_rng_range(rng, -0.6, 1), decay = am_rng_octaves(rng, 0.05, 1);
  const int kind = (int)am_rng_below(rng, KINDS);
  double phase = 0;
  for (size_t i = 0; i < n; i++) {
    const double t = (double)i / rate, where = fmod(t, on / share) * share / on, since = where * on / share;
    double f = hz, level = where < share ? 1 : 0;
    if (kind == TWO_TONES) f = where < 0.5 ? hz : hz * other, level = 1;
    if (kind == SIREN) f = hz * (1 + 0.3 * sin(turn * t / (4 * on))), level = 1;
    if (kind == TELEPHONE) level = fmod(t, 3) < 1.2 ? 0.6 + 0.4 * sin(turn * ring * t) : 0;
    if (kind == SWEEPS) f = hz * (1 + glide * where);
    if (kind == CHIMES)
      f = where < 0.5 ? hz : hz / other, level = exp(-(where < 0.5 ? since : since - 0.5 * on / share) / decay);
    phase += turn * f / rate;
    x[i] = (float)(level * (sin(phase) + edge * (sin(3 * phase) / 3 + sin(5 * phase) / 5)));
  }
}

/* ---- music ---- */

enum { OVERTONES = 12 };
typedef struct voice {
  size_t n; /* overtones */
  double level[OVERTONES];
  double attack, decay, vibrato; /* s, s, share of the pitch */
} voice;

static voice voice_drawn(am_rng *rng) {
  voice v = {.n = 1 + (size_t)am_rng_below(rng, OVERTONES)};
  const double fall = am_rng_range(rng, 3, 12); /* dB an octave */
  for (size_t k = 0; k < v.n; k++) v.level[k] = pow((double)(k + 1), -fall / 6.02);
  v.attack = am_rng_octaves(rng, 0.003, 0.1);
  v.decay = am_rng_octaves(rng, 0.15, 3);
  v.vibrato = am_rng_uniform(rng) < 0.5 ? am_rng_range(rng, 0, 0.015) : 0;
  return v;
}

/* A note of so many samples at `at`; what it has of overtones ends below half of the rate. */
static void add_note(double rate, float *x, size_t n, size_t at, size_t length, double hz, double level,
                     const voice *v) {
  double phase = 0;
  const size_t end = at + length < n ? at + length : n;
  for (size_t i = at; i < end; i++) {
    const double t = (double)(i - at) / rate, left = (double)(at + length - i) / rate;
    double sum = 0;
    phase += turn * hz * (1 + v->vibrato * sin(turn * 5.5 * t)) / rate;
    for (size_t k = 0; k < v->n && (double)(k + 1) * hz < 0.45 * rate; k++)
      sum += v->level[k] * sin((double)(k + 1) * phase);
    x[i] += (float)(level * fmin(1, t / v->attack) * fmin(1, left / 0.02) * exp(-t / v->decay) * sum);
  }
}

/* Chords of a key, a bass on their root, and a melody of chord and scale tones. */
void am_noise_music(am_rng *rng, double rate, float *x, size_t n) {
  static const int scale[] = {0, 2, 4, 5, 7, 9, 11}, roots[] = {0, 3, 4, 5, 1};
  const double beat = 60 / am_rng_range(rng, 60, 160), key = am_rng_octaves(rng, 110, 220);
  const double solo = am_rng_range(rng, 0, 1.5), chords = am_rng_range(rng, 0.1, 1), bass = am_rng_range(rng, 0, 1);
  const voice of_chords = voice_drawn(rng), of_solo = voice_drawn(rng), of_bass = voice_drawn(rng);
  const size_t bar = (size_t)(4 * beat * rate);
  memset(x, 0, n * sizeof *x);
  for (size_t at = 0; at < n; at += bar) {
    const int root = roots[am_rng_below(rng, 5)];
    for (int k = 0; k < 3; k++) {
      const int step = root + 2 * k;
      add_note(rate, x, n, at, bar, key * pow(2, (scale[step % 7] + 12 * (step / 7)) / 12.0), chords / 3, &of_chords);
    }
    add_note(rate, x, n, at, bar, key / 2 * pow(2, scale[root] / 12.0), bass, &of_bass);
    for (size_t from = at; from < at + bar && from < n;) {
      const size_t length = (size_t)(beat * rate / (double)(1 + am_rng_below(rng, 3)));
      const int step = root + (int)am_rng_below(rng, 8);
      if (am_rng_uniform(rng) < 0.8)
        add_note(rate, x, n, from, length, 2 * key * pow(2, (scale[step % 7] + 12 * (step / 7)) / 12.0), solo,
                 &of_solo);
      from += length;
    }
  }
}

/* ---- birds and bells ---- */

/* Songs of short whistles that glide or trill. */
void am_noise_birds(am_rng *rng, double rate, float *x, size_t n) {
  const double hz = am_rng_octaves(rng, 1800, 5000), far = am_rng_octaves(rng, 0.001, 0.03),
               pace = am_rng_range(rng, 0.08, 0.3);
  for (size_t i = 0; i < n; i++) x[i] = (float)(far * am_rng_normal(rng));
  for (double at = am_rng_range(rng, 0, 1); at * rate < (double)n; at += am_rng_range(rng, 0.3, 2)) {
    const double first = hz * am_rng_octaves(rng, 0.7, 1.4), glide = am_rng_range(rng, -0.4, 0.4),
                 trill = am_rng_range(rng, 0, 0.1);
    const double shake = am_rng_range(rng, 20, 60), length = am_rng_range(rng, 0.04, 0.2),
                 level = am_rng_octaves(rng, 0.2, 1);
    for (size_t whistles = 1 + (size_t)am_rng_below(rng, 8); whistles; whistles--, at += pace) {
      double phase = 0;
      for (size_t i = (size_t)(at * rate); i < n && (double)i < (at + length) * rate; i++) {
        const double t = ((double)i / rate - at) / length;
        phase += turn * first * (1 + glide * t + trill * sin(turn * shake * t * length)) / rate;
        x[i] += (float)(level * sin(0.5 * turn * t) * sin(phase));
      }
    }
  }
}

/* Partials that fit no harmonic row and decay each at its own pace. */
void am_noise_bells(am_rng *rng, double rate, float *x, size_t n) {
  static const double partials[] = {0.5, 1, 1.19, 1.56, 2, 2.51, 2.66, 3.01, 4.1, 5.4};
  enum { PARTIALS = sizeof partials / sizeof *partials };
  const double hz = am_rng_octaves(rng, 250, 2000), decay = am_rng_octaves(rng, 0.3, 3);
  memset(x, 0, n * sizeof *x);
  for (double at = am_rng_range(rng, 0, 1); at * rate < (double)n; at += am_rng_octaves(rng, 0.25, 2)) {
    const double struck = hz * pow(2, (double)am_rng_below(rng, 8) / 12), hard = am_rng_range(rng, 0.4, 1);
    for (size_t k = 0; k < PARTIALS && struck * partials[k] < 0.45 * rate; k++) {
      const double level = hard * am_rng_range(rng, 0.2, 1), keep = decay / partials[k], f = struck * partials[k];
      for (size_t i = (size_t)(at * rate); i < n; i++) {
        const double t = (double)i / rate - at;
        if (t > 7 * keep) break;
        x[i] += (float)(level * exp(-t / keep) * sin(turn * f * t));
      }
    }
  }
}
