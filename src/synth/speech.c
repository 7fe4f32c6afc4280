/* SPDX-License-Identifier: MIT */
/* synth/speech.c - a sentence and a delivery become control frames. */
#include <math.h>
#include <string.h>

#include "synth/parts.h"
#include "synth/prosody.h"
#include "synth/speech.h"

/* A piece of sound with its targets for an average man. Vowels: Peterson &
 * Barney (1952); consonant loci and noise bands: Klatt (1980), Stevens (1998). */
typedef struct phone {
  const char *name;
  double seconds;
  double formant[3];
  double voice, breath, hiss; /* amplitudes relative to a stressed vowel's voicing */
  double hiss_hz, hiss_width;
  bool vowel; /* stretches with tempo and drawl; consonants less */
} phone;

enum {
  P_KID_CLOSURE,
  P_KID_BURST,
  P_IH,
  P_D_CLOSURE,
  P_D_BURST,
  P_Z,
  P_AA,
  P_R,
  P_T_CLOSURE,
  P_T_BURST,
  P_AO,
  P_K_CLOSURE,
  P_K_BURST,
  P_NG,
  P_B_CLOSURE,
  P_B_BURST,
  P_AY_A,
  P_AY_I,
  P_DH,
  P_SCHWA,
  P_G_CLOSURE,
  P_S,
  P_FLAP
};

static const phone phones[] = {
    /*                      seconds  F1    F2    F3   voice breath hiss  hiss Hz, width, vowel */
    [P_KID_CLOSURE] = {"k-", 0.055, {250, 2000, 2500}, 0, 0, 0, 2000, 500, false},
    [P_KID_BURST] = {"k(i)", 0.050, {300, 2000, 2600}, 0, 0.5, 0.30, 2400, 600, false},
    [P_IH] = {"ih", 0.115, {390, 1990, 2550}, 1, 1, 0, 2000, 500, true},
    [P_D_CLOSURE] = {"d-", 0.045, {220, 1700, 2650}, 0.12, 0, 0, 3500, 1500, false},
    [P_D_BURST] = {"d", 0.012, {250, 1700, 2650}, 0.3, 0.2, 0.25, 3800, 1200, false},
    [P_Z] = {"z", 0.070, {270, 1550, 2550}, 0.25, 0.1, 0.30, 5200, 1200, false},
    [P_AA] = {"aa", 0.075, {700, 1150, 2450}, 0.8, 1, 0, 2000, 500, true},
    [P_R] = {"r", 0.065, {470, 1300, 1690}, 0.6, 1, 0, 2000, 500, true},
    [P_T_CLOSURE] = {"t-", 0.055, {250, 1700, 2650}, 0, 0, 0, 4000, 1500, false},
    [P_T_BURST] = {"t", 0.050, {350, 1600, 2600}, 0, 0.5, 0.35, 4300, 1300, false},
    [P_AO] = {"ao", 0.140, {590, 880, 2420}, 1, 1, 0, 2000, 500, true},
    [P_K_CLOSURE] = {"k-", 0.055, {300, 1500, 2300}, 0, 0, 0, 1800, 500, false},
    [P_K_BURST] = {"k", 0.030, {320, 1800, 2400}, 0, 0.4, 0.25, 2000, 600, false},
    [P_NG] = {"ng", 0.075, {260, 1900, 2500}, 0.3, 0.5, 0, 2000, 500, true},
    [P_B_CLOSURE] = {"b-", 0.055, {200, 900, 2200}, 0.12, 0, 0, 1000, 500, false},
    [P_B_BURST] = {"b", 0.008, {250, 1000, 2250}, 0.3, 0.1, 0.12, 1000, 800, false},
    [P_AY_A] = {"ay", 0.095, {720, 1200, 2450}, 1, 1, 0, 2000, 500, true},
    [P_AY_I] = {"ay", 0.060, {400, 1950, 2550}, 0.8, 1, 0, 2000, 500, true},
    [P_DH] = {"dh", 0.040, {280, 1300, 2550}, 0.3, 0.3, 0.06, 5500, 2500, false},
    [P_SCHWA] = {"ax", 0.055, {500, 1400, 2450}, 0.7, 1, 0, 2000, 500, true},
    [P_G_CLOSURE] = {"g-", 0.050, {250, 1500, 2200}, 0.12, 0, 0, 1700, 600, false},
    [P_S] = {"s", 0.105, {320, 1600, 2600}, 0, 0.1, 0.45, 5500, 1200, false},
    [P_FLAP] = {"dx", 0.030, {280, 1700, 2650}, 0.25, 0.3, 0, 3500, 1500, false},
};

typedef struct syllable {
  double stress;
  bool word;    /* a pause may stand before it */
  int phone[6]; /* ends at -1 */
} syllable;

#define SYLLABLES 7
static const syllable sentences[2][SYLLABLES] = {
    /* Kids are talking by the door */
    {{1.0, true, {P_KID_CLOSURE, P_KID_BURST, P_IH, P_D_CLOSURE, P_Z, -1}},
     {0.3, false, {P_AA, P_R, -1}},
     {1.0, true, {P_T_CLOSURE, P_T_BURST, P_AO, P_K_CLOSURE, P_K_BURST, -1}},
     {0.3, false, {P_IH, P_NG, -1}},
     {0.6, true, {P_B_CLOSURE, P_B_BURST, P_AY_A, P_AY_I, -1}},
     {0.2, false, {P_DH, P_SCHWA, -1}},
     {1.0, true, {P_D_CLOSURE, P_D_BURST, P_AO, P_R, -1}}},
    /* Dogs are sitting by the door */
    {{1.0, true, {P_D_CLOSURE, P_D_BURST, P_AO, P_G_CLOSURE, P_Z, -1}},
     {0.3, false, {P_AA, P_R, -1}},
     {1.0, true, {P_S, P_IH, P_FLAP, -1}},
     {0.3, false, {P_IH, P_NG, -1}},
     {0.6, true, {P_B_CLOSURE, P_B_BURST, P_AY_A, P_AY_I, -1}},
     {0.2, false, {P_DH, P_SCHWA, -1}},
     {1.0, true, {P_D_CLOSURE, P_D_BURST, P_AO, P_R, -1}}},
};

#define PIECES 48 /* phones and pauses of the longest sentence, with room */
typedef struct piece {
  const phone *sound; /* NULL: silence */
  int syllable;
  double start, seconds;
} piece;

typedef struct score {
  piece piece[PIECES];
  int n;
  double start, end;                     /* of speech */
  double total;                          /* with silence at both ends */
  double from[SYLLABLES], to[SYLLABLES]; /* the vowels of each syllable */
  double height[SYLLABLES];              /* st of its accent */
  double weight[SYLLABLES];              /* dB */
} score;

static void score_add(score *s, const phone *sound, int syllable_index, double *at, double seconds) {
  s->piece[s->n++] = (piece){sound, syllable_index, *at, seconds};
  *at += seconds;
}

static double phone_seconds(am_rng *rng, const phone *p, const syllable *y, int index, const double *cue) {
  double u = index / (double)(SYLLABLES - 1);
  double rate = cue[AM_CUE_TEMPO] + cue[AM_CUE_ACCEL] * (u - 0.5);
  double stretch = -rate * (p->vowel ? 1.0 : 0.6);
  if (p->vowel && y->stress > 0.5) stretch += cue[AM_CUE_DRAWL];
  if (index == SYLLABLES - 1 && p->vowel) stretch += 0.45; /* final lengthening (Klatt 1976) */
  return p->seconds * exp2(stretch + 0.08 * am_rng_normal(rng));
}

/* When everything happens. */
static void score_write(am_rng *rng, score *s, const syllable *sentence, const double *cue) {
  double at = 0;
  s->n = 0;
  score_add(s, NULL, 0, &at, am_rng_range(rng, 0.10, 0.28));
  s->start = at;
  for (int i = 0; i < SYLLABLES; i++) {
    const syllable *y = &sentence[i];
    double pause = cue[AM_CUE_PAUSE] + 0.04 * am_rng_normal(rng);
    if (i > 0 && y->word && pause > 0.03) score_add(s, NULL, i, &at, fmin(pause, 0.2));
    s->from[i] = -1;
    for (int k = 0; y->phone[k] >= 0; k++) {
      const phone *p = &phones[y->phone[k]];
      double seconds = phone_seconds(rng, p, y, i, cue);
      if (p->vowel && s->from[i] < 0) s->from[i] = at;
      score_add(s, p, i, &at, seconds);
      if (p->vowel) s->to[i] = at;
    }
    double u = i / (double)(SYLLABLES - 1);
    s->height[i] =
        cue[AM_CUE_ACCENT] * y->stress * (1 + cue[AM_CUE_FOCUS] * (2 * u - 1)) * (1 + 0.15 * am_rng_normal(rng));
    s->weight[i] = cue[AM_CUE_PUNCH] * (y->stress - 0.7) + am_rng_normal(rng);
  }
  s->end = at;
  score_add(s, NULL, SYLLABLES - 1, &at, am_rng_range(rng, 0.10, 0.28));
  s->total = at;
}

/* An accent: rises to its peak and falls, the steep side given by skew. */
static double accent(double t, double from, double to, double skew) {
  double length = to - from, peak = from + length * (0.5 + 0.42 * skew);
  double width = length * (t < peak ? 0.55 + 0.35 * skew : 0.55 - 0.35 * skew);
  double x = (t - peak) / fmax(width, 0.02);
  return exp(-0.5 * x * x);
}

/* Semitones above the speaker's mean at time t (Fujisaki 1983 in spirit: phrase + accents). */
static double contour(const score *s, const double *cue, double t) {
  double u = fmin(fmax((t - s->start) / (s->end - s->start), 0), 1);
  double st = cue[AM_CUE_LEVEL] + cue[AM_CUE_SLOPE] * (u - 0.5);
  double mean = 0;
  for (int i = 0; i < SYLLABLES; i++) {
    st += s->height[i] * accent(t, s->from[i], s->to[i], cue[AM_CUE_SKEW]);
    mean += s->height[i];
  }
  int last = SYLLABLES - 1;
  double f = fmin(fmax((t - s->from[last]) / (s->to[last] - s->from[last]), 0), 1);
  /* Less half of what the accents add, so that lively is not the same as high. */
  return st + cue[AM_CUE_FINAL] * f * f - 0.25 * mean / 2;
}

typedef struct performance {
  const score *score;
  const am_synth_speaker *speaker;
  const double *cue;
  double tremor_hz, phase, drift_hz, drift_phase;
} performance;

static void frame_targets(const performance *p, const piece *now, double t, am_synth_frame *f) {
  const double *cue = p->cue;
  const score *s = p->score;
  double u = fmin(fmax((t - s->start) / (s->end - s->start), 0), 1);
  double shake = sin(p->phase + 6.283185307179586 * p->tremor_hz * t);
  double st = contour(s, cue, t) + cue[AM_CUE_TREMOR] * shake +
              0.25 * sin(p->drift_phase + 6.283185307179586 * p->drift_hz * t);
  f->pitch_hz = (float)fmin(fmax(p->speaker->pitch_hz * exp2(st / 12), 55), 650);
  f->creak = (float)(cue[AM_CUE_CREAK] * fmin(1, fmax(0, (u - 0.35) / 0.4)));
  double db = cue[AM_CUE_FADE] * (0.5 - u) + s->weight[now->syllable] + 1.5 * cue[AM_CUE_TREMOR] * shake;
  double gain = pow(10, db / 20);
  const phone *sound = now->sound;
  f->voice = sound ? (float)(gain * sound->voice) : 0;
  f->breath = sound ? (float)(gain * sound->breath * pow(10, cue[AM_CUE_BREATH] / 20)) : 0;
  if (sound && !sound->vowel) f->breath = (float)(gain * sound->breath * 0.06);
  f->hiss = sound ? (float)(gain * sound->hiss * 0.13) : 0;
}

/* Mean over `half` frames to either side, of the float at `offset` in each frame; `copy` holds n. */
static void smooth(am_synth_frame *frames, size_t offset, size_t n, size_t half, float *copy) {
  for (size_t i = 0; i < n; i++) memcpy(&copy[i], (const char *)&frames[i] + offset, sizeof(float));
  for (size_t i = 0; i < n; i++) {
    size_t low = i > half ? i - half : 0, high = i + half < n ? i + half : n - 1;
    float sum = 0;
    for (size_t j = low; j <= high; j++) sum += copy[j];
    float mean = sum / (float)(high - low + 1);
    memcpy((char *)&frames[i] + offset, &mean, sizeof mean);
  }
}

/* Amplitudes cannot jump: they follow with one time constant up and another down. */
static void follow(am_synth_frame *frames, size_t n, double attack_s, double release_s) {
  double up = 1 - exp(-AM_SYNTH_FRAME / attack_s), down = 1 - exp(-AM_SYNTH_FRAME / release_s);
  double voice = 0, breath = 0;
  for (size_t i = 0; i < n; i++) {
    voice += (frames[i].voice > voice ? up : down) * (frames[i].voice - voice);
    breath += (frames[i].breath > breath ? up : down) * (frames[i].breath - breath);
    frames[i].voice = (float)voice;
    frames[i].breath = (float)breath;
  }
}

static void fill_frames(const performance *p, am_synth_frame *frames, size_t n) {
  const score *s = p->score;
  double tract = p->speaker->tract * (1 + p->cue[AM_CUE_SMILE] / 100);
  int k = 0;
  for (size_t i = 0; i < n; i++) {
    double t = (double)i * AM_SYNTH_FRAME;
    while (k + 1 < s->n && t >= s->piece[k + 1].start) k++;
    const piece *now = &s->piece[k];
    frame_targets(p, now, t, &frames[i]);
    /* In silence the mouth gets ready for what follows, or rests as it was. */
    const phone *shape = now->sound ? now->sound : k + 1 < s->n ? s->piece[k + 1].sound : s->piece[k - 1].sound;
    frames[i].formant[0] = (float)(shape->formant[0] * tract * p->speaker->vowels[0]);
    frames[i].formant[1] = (float)(shape->formant[1] * tract * p->speaker->vowels[1]);
    frames[i].formant[2] = (float)(shape->formant[2] * tract);
    frames[i].hiss_hz = (float)(shape->hiss_hz * tract);
    frames[i].hiss_width = (float)shape->hiss_width;
  }
}

am_status am_synth_speak(am_context *ctx, uint64_t seed, const am_synth_clip *clip, const am_synth_speaker *speaker,
                         const double cue[AM_CUES], am_synth_frame **frames, size_t *n, am_error *err) {
  am_rng rng = am_synth_stream(seed, clip, AM_SYNTH_DRAW_TIMING);
  score s;
  score_write(&rng, &s, sentences[clip->statement - 1], cue);
  performance p = {&s,
                   speaker,
                   cue,
                   am_rng_range(&rng, 7, 10),
                   am_rng_range(&rng, 0, 6.28),
                   am_rng_range(&rng, 1, 2.5),
                   am_rng_range(&rng, 0, 6.28)};
  *n = (size_t)(s.total / AM_SYNTH_FRAME);
  *frames = am_alloc(ctx, *n, sizeof **frames);
  float *copy = am_alloc(ctx, *n, sizeof *copy);
  if (!*frames || !copy) {
    am_free(ctx, copy);
    am_free(ctx, *frames);
    *frames = NULL;
    return am_no_memory(err);
  }
  fill_frames(&p, *frames, *n);
  /* Coarticulation: the tongue takes about 50 ms from target to target. */
  for (int k = 0; k < 3; k++)
    for (int pass = 0; pass < 2; pass++)
      smooth(*frames, offsetof(am_synth_frame, formant) + (size_t)k * sizeof(float), *n, 9, copy);
  smooth(*frames, offsetof(am_synth_frame, hiss), *n, 2, copy);
  follow(*frames, *n, 0.015 * exp2(cue[AM_CUE_ATTACK]), 0.012);
  am_free(ctx, copy);
  return AM_OK;
}
