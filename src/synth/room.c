/* SPDX-License-Identifier: MIT */
/* synth/room.c - the recording: tone, reverberation, noise, level. */
#include <math.h>
#include <string.h>

#include "synth/parts.h"
#include "synth/room.h"

static const double pi = 3.14159265358979323846;

/* y = x + (gain - 1) low(x): lifts what lies below `hz`. */
static void shelf(float *x, size_t n, double hz, double rate, double gain) {
  double a = 1 - exp(-2 * pi * hz / rate), low = 0;
  for (size_t i = 0; i < n; i++) {
    low += a * (x[i] - low);
    x[i] = (float)(x[i] + (gain - 1) * low);
  }
}

/* Adds three damped feedback combs of unrelated delays (Schroeder 1962) to x; dry (N) is the direct
 * sound, comb (N) work memory.  Each echo is weaker and duller than the one before. */
static void reverberate(float *x, const float *dry, float *comb, size_t n, double rate, double wet, double decay_s) {
  static const double delays_s[3] = {0.0197, 0.0271, 0.0353};
  for (int k = 0; k < 3; k++) {
    size_t delay = (size_t)(delays_s[k] * rate);
    double feedback = pow(10, -3 * delays_s[k] / decay_s), step = 1 - exp(-2 * pi * 2500 / rate), low = 0;
    for (size_t i = 0; i < n; i++) {
      low += step * ((i < delay ? 0 : comb[i - delay]) - low);
      comb[i] = (float)((i < delay ? 0 : dry[i - delay]) + feedback * low);
      x[i] = (float)(x[i] + wet * comb[i]);
    }
  }
}

/* Root mean square `gain`, whatever the vowels, the voice and the room made of it. */
static void level(float *x, size_t n, double gain) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
  gain /= sqrt(sum / (double)n + 1e-20);
  for (size_t i = 0; i < n; i++) x[i] = (float)(x[i] * gain);
}

void am_synth_room_run(am_rng rng, const am_synth_room *room, double rate, float *samples, float *scratch, size_t n) {
  memcpy(scratch, samples, n * sizeof *scratch);
  reverberate(samples, scratch, scratch + n, n, rate, room->wet, room->decay_s);
  shelf(samples, n, 1000, rate, pow(10, -room->tone_db / 20)); /* duller below is brighter above */
  shelf(samples, n, 400, rate, pow(10, room->bass_db / 20));
  level(samples, n, pow(10, room->energy_db / 20));
  /* Neutral speech lies near -34 dB of full scale, as RAVDESS's quieter actors do, which leaves room for
   * loud takes of loud actors. */
  double gain = pow(10, (room->gain_db - 34) / 20), noise = pow(10, room->noise_db / 20);
  double pole = room->noise_tone, scale = sqrt(12 * (1 - pole * pole)), low = 0;
  for (size_t i = 0; i < n; i++) {
    double white = am_rng_u32(&rng) / 4294967296.0 - 0.5;
    low = pole * low + scale * white; /* unit variance */
    samples[i] = (float)(gain * (samples[i] + noise * low));
  }
  float peak = 0;
  for (size_t i = 0; i < n; i++) peak = fmaxf(peak, fabsf(samples[i]));
  if (peak > 0.98f) /* the recordist turned the level down */
    for (size_t i = 0; i < n; i++) samples[i] *= 0.98f / peak;
}
