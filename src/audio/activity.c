/* SPDX-License-Identifier: MIT */
/* audio/activity.c - a level detector that follows the noise. */
#include "audio/activity.h"

#include <math.h>

static const double hop_seconds = 0.01;
static const double corner = 100;      /* Hz: hum and rumble below are no speech */
static const double least_level = -65; /* dB of full scale: nothing below is speech */
static const double start_level = -50; /* the noise is no louder before it is known: a sound may begin with a word */
static const double least_step = 6, most_step = 15,
                    share = 0.3;    /* dB above the noise, and of its distance to the peak */
static const double decay = 2;      /* dB a second by which the peak falls */
static const double softness = 1.5; /* dB for which the score goes from 0.5 to 0.73 */

enum { SMOOTHED = 3, PARTS = 5, PART = 50 }; /* hops of a level; parts of the 2.5 s, and hops of each */

struct am_activity {
  am_context *ctx;
  size_t hop;
  double pole, x[2], y[2]; /* of the high pass, two alike, with their last inputs and outputs */
  double power[SMOOTHED];  /* of the last hops, by turns */
  double lowest[PARTS];    /* level of each part, by turns; the present one among them */
  double peak;
  uint64_t hops;
};

am_status am_activity_create(am_context *ctx, double rate, am_activity **out, am_error *err) {
  *out = NULL;
  am_activity *a = am_alloc(ctx, 1, sizeof *a);
  if (!a) return am_no_memory(err);
  a->ctx = ctx;
  a->hop = (size_t)llround(fmax(1, hop_seconds * rate));
  a->pole = exp(-6.283185307179586 * corner / rate);
  for (int i = 0; i < PARTS; i++) a->lowest[i] = start_level;
  a->peak = start_level;
  *out = a;
  return AM_OK;
}

void am_activity_free(am_activity *a) {
  if (a) am_free(a->ctx, a);
}

size_t am_activity_hop(const am_activity *a) { return a->hop; }

/* Of the last three hops, dB. */
static double next_level(am_activity *a, const float *samples) {
  double sum = 0, all = 0;
  for (size_t i = 0; i < a->hop; i++) {
    double x = (double)samples[i];
    for (int stage = 0; stage < 2; stage++) {
      a->y[stage] = x - a->x[stage] + a->pole * a->y[stage];
      a->x[stage] = x;
      x = a->y[stage];
    }
    sum += x * x;
  }
  a->power[a->hops % SMOOTHED] = sum / (double)a->hop;
  const int n = a->hops < SMOOTHED ? (int)a->hops + 1 : SMOOTHED;
  for (int i = 0; i < n; i++) all += a->power[i];
  return 10 * log10(all / n + 1e-12);
}

float am_activity_hear(am_activity *a, const float *samples) {
  const double level = next_level(a, samples);
  double *part = &a->lowest[a->hops / PART % PARTS], noise = level;
  if (a->hops && a->hops % PART == 0) *part = level;
  *part = fmin(*part, level);
  for (int i = 0; i < PARTS; i++) noise = fmin(noise, a->lowest[i]);
  a->peak = fmax(level, a->peak - decay * hop_seconds);
  a->hops++;
  const double step = fmin(most_step, fmax(least_step, share * (a->peak - noise)));
  return (float)(1 / (1 + exp((fmax(noise + step, least_level) - level) / softness)));
}
