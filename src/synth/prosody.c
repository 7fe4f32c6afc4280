/* SPDX-License-Identifier: MIT */
/* synth/prosody.c - voices, rooms and the delivery of emotions.
 *
 * Directions of the cues follow the reviews of Scherer (2003) and Juslin &
 * Laukka (2003; calm after their tenderness) and, for disgust and the loudness
 * of anger and fear, Banse & Scherer (1996).  Accent shapes, focus and creak,
 * and every size, are ours: set so that distributions overlap and no cue
 * decides alone. */
#include <math.h>

#include "synth/parts.h"
#include "synth/prosody.h"

/* Neutral delivery, the spread of a cue (one standard deviation), and how far
 * each emotion moves it from neutral, in the cue's unit. */
static const struct {
  double neutral, spread, shift[7];
} cues[AM_CUES] = {
    /*               neutral spread   calm  happy   sad  angry  fear disgust surprise */
    [AM_CUE_LEVEL] = {0, 1.6, {-0.5, 2.2, -0.3, 2.2, 2.6, -0.3, 2.4}},
    [AM_CUE_ACCENT] = {2.6, 1.1, {-0.9, 2.4, -1.2, 2.2, -0.6, 1, 2}},
    [AM_CUE_SKEW] = {0, 0.35, {0.2, 0.6, 0, -0.7, 0, -0.6, 0.4}},
    [AM_CUE_FOCUS] = {0, 0.28, {0, -0.2, 0, 0, 0, -0.45, 0.45}},
    [AM_CUE_SLOPE] = {-3, 1.8, {1.5, 1.5, -1.5, 0.5, 4, 0, 2.5}},
    [AM_CUE_FINAL] = {-2, 1.9, {1.2, 1.5, 0, -2, 2, -1.5, 4.5}},
    [AM_CUE_TEMPO] = {0, 0.1, {-0.14, 0.12, -0.2, 0.1, 0.2, -0.06, 0.05}},
    [AM_CUE_ACCEL] = {0, 0.16, {0, 0, -0.2, 0, 0.25, 0, -0.2}},
    [AM_CUE_DRAWL] = {0, 0.15, {0.1, 0, 0.1, -0.1, -0.1, 0.35, 0.1}},
    [AM_CUE_PAUSE] = {-0.05, 0.06, {0, 0, 0.13, -0.05, 0.1, 0, 0}},
    [AM_CUE_ENERGY] = {0, 2.5, {-3, 3, -3, 5, 1, 0, 2.5}},
    [AM_CUE_PUNCH] = {4, 1.9, {-2.5, 1, -1.5, 3.4, -1, 1.5, 0}},
    [AM_CUE_FADE] = {4, 2.6, {-2, -2, 3.5, -3, -2, 1, -4}},
    [AM_CUE_ATTACK] = {0, 0.55, {0.9, 0, 0.8, -1, 0, 0, -0.4}},
    [AM_CUE_TREMOR] = {0.12, 0.2, {0, 0, 0.2, 0, 0.4, 0, 0.1}},
    [AM_CUE_JITTER] = {0.7, 0.3, {0, 0, 0.3, 0.4, 0.7, 0.6, 0}},
    [AM_CUE_BREATH] = {-24, 3, {4, 0, 5, -2, 3, 0, 2}},
    [AM_CUE_OPEN] = {0.6, 0.05, {0.04, 0, 0.05, -0.08, 0, -0.03, 0}},
    [AM_CUE_TILT] = {6, 3, {2.5, -2.5, 3, -4, 0, 0, -1.5}},
    [AM_CUE_CREAK] = {0.1, 0.22, {0, 0, 0, 0, 0, 0.45, 0}},
    [AM_CUE_SMILE] = {0, 1.5, {0, 2, -1, 0, 0, -1.5, 0}},
};

/* Parts of a cue's spread: the speaker's habit, his way with this emotion, and
 * the take.  They set how hard the corpus is; docs/synthetic-corpus.md says how
 * they were chosen. */
static const double habit_part = 0.35;
static const double manner_part = 0.3;
static const double take_part = 0.68;

am_rng am_synth_stream(uint64_t seed, const am_synth_clip *clip, int draw) {
  int take = clip->emotion * 64 + clip->intensity * 16 + clip->statement * 4 + clip->repetition;
  return am_rng_stream(seed, AM_FOR_SYNTH, (uint64_t)clip->actor, (uint64_t)take, (uint64_t)draw);
}

/* Normal, cut at two standard deviations so that no clip is a caricature. */
static double draw_normal(am_rng *rng) {
  double x = am_rng_normal(rng);
  return x > 2 ? 2 : x < -2 ? -2 : x;
}

am_synth_speaker am_synth_speaker_draw(uint64_t seed, int actor) {
  am_rng rng = am_rng_stream(seed, AM_FOR_SYNTH, (uint64_t)actor, 0, AM_SYNTH_DRAW_VOICE);
  bool man = actor % 2 == 1;
  am_synth_speaker s = {0};
  /* Mean pitch 110 and 200 Hz, two semitones of spread; women's formants 17 % higher (Hillenbrand 1995). */
  s.pitch_hz = (man ? 110 : 200) * exp2(2.0 / 12 * draw_normal(&rng));
  s.tract = (man ? 1.0 : 1.16) * (1 + 0.035 * draw_normal(&rng));
  s.higher = 1 + 0.03 * draw_normal(&rng);
  s.vowels[0] = 1 + 0.05 * draw_normal(&rng);
  s.vowels[1] = 1 + 0.05 * draw_normal(&rng);
  s.expression = 1 + 0.1 * draw_normal(&rng);
  for (int i = 0; i < AM_CUES; i++) s.cue[i] = habit_part * cues[i].spread * draw_normal(&rng);
  s.cue[AM_CUE_LEVEL] = 0; /* pitch_hz already varies */
  return s;
}

void am_synth_delivery_draw(uint64_t seed, const am_synth_clip *clip, const am_synth_speaker *speaker,
                            double cue[AM_CUES]) {
  am_rng manner =
      am_rng_stream(seed, AM_FOR_SYNTH, (uint64_t)clip->actor, (uint64_t)clip->emotion, AM_SYNTH_DRAW_HABIT);
  am_rng take = am_synth_stream(seed, clip, AM_SYNTH_DRAW_DELIVERY);
  double strength = speaker->expression * (clip->intensity == 2 ? 1.2 : 0.9);
  for (int i = 0; i < AM_CUES; i++) {
    double chance = manner_part * draw_normal(&manner) + take_part * draw_normal(&take);
    double shift = clip->emotion == 1 ? 0 : cues[i].shift[clip->emotion - 2];
    cue[i] = cues[i].neutral + strength * shift + speaker->cue[i] + cues[i].spread * chance;
  }
  static const struct {
    int cue;
    double low, high;
  } bounds[] = {
      {AM_CUE_ACCENT, 0.3, 12},  {AM_CUE_SKEW, -1, 1},      {AM_CUE_FOCUS, -0.9, 0.9}, {AM_CUE_TEMPO, -0.4, 0.45},
      {AM_CUE_ACCEL, -0.5, 0.5}, {AM_CUE_DRAWL, -0.3, 0.8}, {AM_CUE_PAUSE, -1, 0.25},  {AM_CUE_ATTACK, -1.6, 2},
      {AM_CUE_TREMOR, 0, 1.2},   {AM_CUE_JITTER, 0.1, 3},   {AM_CUE_BREATH, -40, -8},  {AM_CUE_OPEN, 0.35, 0.8},
      {AM_CUE_TILT, 0, 24},      {AM_CUE_CREAK, 0, 1},
  };
  for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
    double *x = &cue[bounds[i].cue];
    *x = fmin(fmax(*x, bounds[i].low), bounds[i].high);
  }
}

am_synth_room am_synth_room_draw(uint64_t seed, const am_synth_clip *clip) {
  am_rng rng = am_rng_stream(seed, AM_FOR_SYNTH, (uint64_t)clip->actor, 0, AM_SYNTH_DRAW_ROOM);
  am_synth_room room = {0};
  room.gain_db = am_rng_range(&rng, -9, 9); /* RAVDESS: about 18 dB between actors */
  room.tone_db = am_rng_range(&rng, -6, 6);
  room.bass_db = am_rng_range(&rng, -5, 5);
  room.noise_db = am_rng_range(&rng, -44, -28);
  room.noise_tone = am_rng_range(&rng, 0.3, 0.95);
  room.wet = am_rng_range(&rng, 0.01, 0.06);
  room.decay_s = am_rng_range(&rng, 0.1, 0.3);
  am_rng take = am_synth_stream(seed, clip, AM_SYNTH_DRAW_ROOM);
  room.gain_db += 1.5 * draw_normal(&take); /* the distance to the microphone */
  room.tone_db += 2.0 * draw_normal(&take); /* and the direction of the mouth */
  room.bass_db += 1.5 * draw_normal(&take);
  room.noise_db += 1.0 * draw_normal(&take);
  return room;
}
