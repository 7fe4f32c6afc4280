/* audio/synth_room.c - the recording: tone, reverberation, noise, level. */
#include <math.h>

#include "audio/synth_parts.h"

static const double pi = 3.14159265358979323846;

/* y = x + (gain - 1) low(x): lifts what lies below `hz`. */
static void shelf(float *x, size_t n, double hz, double rate, double gain) {
  double a = 1 - exp(-2 * pi * hz / rate), low = 0;
  for (size_t i = 0; i < n; i++) {
    low += a * (x[i] - low);
    x[i] = (float)(x[i] + (gain - 1) * low);
  }
}

/* Adds the echoes of three damped feedback combs of unrelated delays (Schroeder 1962) to x; `dry` is the
 * direct sound.  Each echo is weaker and duller than the one before. */
static void reverberate(float *x, const float *dry, size_t n, double rate, double wet, double decay_s) {
  static const double delays_s[3] = {0.0197, 0.0271, 0.0353};
  for (int k = 0; k < 3; k++) {
    size_t delay = (size_t)(delays_s[k] * rate);
    double feedback = pow(10, -3 * delays_s[k] / decay_s), gain = wet, dull = 0.6;
    for (size_t echo = 1; echo * delay < n && gain > 1e-3 * wet; echo++, gain *= feedback, dull *= 0.6) {
      double low = 0, step = 0.2 + 0.8 * dull;
      for (size_t i = echo * delay; i < n; i++) {
        low += step * (dry[i - echo * delay] - low);
        x[i] = (float)(x[i] + gain * low);
      }
    }
  }
}

void am_synth_room_run(am_rng rng, const am_synth_room *room, double rate, float *samples, float *scratch,
                       size_t n) {
  for (size_t i = 0; i < n; i++)
    scratch[i] = samples[i];
  reverberate(samples, scratch, n, rate, room->wet, room->decay_s);
  double tone = pow(10, room->tone_db / 20);
  shelf(samples, n, 1000, rate, 1 / tone);
  shelf(samples, n, 400, rate, pow(10, room->bass_db / 20));
  /* Neutral speech lies near -36 dB of full scale, as in RAVDESS's quieter actors, which leaves
   * room for loud takes of loud actors. */
  double gain = pow(10, (room->gain_db - 36) / 20), noise = pow(10, room->noise_db / 20);
  double pole = room->noise_tone, scale = sqrt(12 * (1 - pole * pole)), low = 0;
  for (size_t i = 0; i < n; i++) {
    double white = am_rng_u32(&rng) / 4294967296.0 - 0.5;
    low = pole * low + scale * white; /* unit variance */
    samples[i] = (float)(gain * (samples[i] + noise * low));
  }
  float peak = 0;
  for (size_t i = 0; i < n; i++)
    peak = fmaxf(peak, fabsf(samples[i]));
  if (peak > 0.98f) /* the recordist turned the level down */
    for (size_t i = 0; i < n; i++)
      samples[i] *= 0.98f / peak;
}
