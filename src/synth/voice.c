/* SPDX-License-Identifier: MIT */
/* synth/voice.c - source and filter.
 *
 * Glottal flow after KLGLOTT88 (Klatt & Klatt 1990; Rosenberg 1971): in the
 * open part of the cycle U(x) = x^2 (1 - x) * 27/4, x in [0,1]; radiation at
 * the lips turns flow into its derivative.  A one-pole low-pass rounds the
 * closure (spectral tilt).  Voicing and aspiration pass a cascade of formant
 * resonators, frication its own (Klatt 1980). */
#include <math.h>

#include "synth/parts.h"
#include "synth/voice.h"

#define FORMANTS 8
static const double pi = 3.14159265358979323846;
/* Bandwidths of F1..F8 in Hz, after Klatt (1980) and, above F4, by radiation losses. */
static const double widths[FORMANTS] = {70, 90, 140, 220, 300, 400, 500, 600};

/* y[i] = a x[i] + b y[i-1] + c y[i-2], gain 1 at 0 Hz (Klatt 1980, eq. 1-2). */
typedef struct resonator {
  double a, b, c, y1, y2;
} resonator;

static void resonator_tune(resonator *r, double hz, double width, double rate) {
  double radius = exp(-pi * width / rate);
  r->c = -radius * radius;
  r->b = 2 * radius * cos(2 * pi * hz / rate);
  r->a = 1 - r->b - r->c;
}

static double resonator_run(resonator *r, double x) {
  double y = r->a * x + r->b * r->y1 + r->c * r->y2;
  r->y2 = r->y1;
  r->y1 = y;
  return y;
}

/* Pole of y = (1-p) x + p y' that loses `db` at 3 kHz. */
static double tilt_pole(double db, double rate) {
  if (db < 0.1) return 0;
  double g = pow(10, -db / 10), c = cos(2 * pi * fmin(3000, 0.4 * rate) / rate);
  double h = 1 - g * c;
  return (h - sqrt(fmax(0, h * h - (1 - g) * (1 - g)))) / (1 - g);
}

typedef struct voice {
  resonator tract[FORMANTS], hiss;
  int formants;
  double at;       /* samples since the cycle began */
  double period;   /* of this cycle, samples */
  double strength; /* of this cycle */
  double low;      /* state of the tilt filter */
  double pole;
  bool odd; /* cycles alternate in creak */
  am_rng rng;
} voice;

static double flow(double x) { return x <= 0 || x >= 1 ? 0 : 6.75 * x * x * (1 - x); }

static void cycle_begin(voice *v, const am_synth_frame *f, const am_synth_source *s, double rate) {
  v->odd = !v->odd;
  double swing = f->creak * (v->odd ? 1 : -1);
  v->period = rate / f->pitch_hz * (1 + s->jitter / 100 * am_rng_normal(&v->rng) + 0.12 * swing);
  v->period = fmax(v->period, 4);
  v->strength = pow(10, s->shimmer_db / 20 * am_rng_normal(&v->rng)) * (1 - 0.35 * fmax(0, swing));
}

/* Mean of the flow's derivative over one sample, scaled so that the slope at
 * closure does not depend on the period: exact averaging keeps aliases down. */
static double glottis(voice *v, const am_synth_frame *f, const am_synth_source *s, double rate, double *open_now) {
  if (v->at >= v->period) {
    v->at -= v->period;
    cycle_begin(v, f, s, rate);
  }
  double span = s->open * v->period;
  double before = flow(v->at / span), after = flow((v->at + 1) / span);
  v->at += 1;
  *open_now = after;
  double pulse = (after - before) * span / 6.75 * v->strength;
  v->low = (1 - v->pole) * pulse + v->pole * v->low;
  return v->low;
}

static void tract_tune(voice *v, const am_synth_frame *f, const am_synth_source *s, double rate) {
  for (int k = 0; k < v->formants; k++) {
    double hz = k < 3 ? f->formant[k] : s->higher * (k + 0.5);
    resonator_tune(&v->tract[k], hz, widths[k] * s->damping, rate);
  }
  resonator_tune(&v->hiss, fmin(f->hiss_hz, 0.42 * rate), f->hiss_width, rate);
}

size_t am_synth_length(size_t frames, double rate) { return (size_t)floor((double)frames * AM_SYNTH_FRAME * rate); }

void am_synth_voice_run(am_rng rng, const am_synth_frame *frames, size_t n_frames, const am_synth_source *source,
                        double rate, float *out, size_t n) {
  voice v = {.rng = rng, .pole = tilt_pole(source->tilt_db, rate)};
  for (v.formants = 3; v.formants < FORMANTS && source->higher * (v.formants + 0.5) < 0.46 * rate; v.formants++)
    ;
  cycle_begin(&v, &frames[0], source, rate);
  size_t tuned = (size_t)-1;
  double hiss_before = 0;
  for (size_t i = 0; i < n; i++) {
    double where = (double)i / rate / AM_SYNTH_FRAME;
    size_t k = (size_t)where < n_frames - 1 ? (size_t)where : n_frames - 1;
    const am_synth_frame *f = &frames[k], *next = &frames[k + 1 < n_frames ? k + 1 : k];
    if (k != tuned) tract_tune(&v, f, source, rate), tuned = k;
    double part = where - (double)k;
    double voicing = f->voice + part * (next->voice - f->voice), open_now;
    double breath = f->breath + part * (next->breath - f->breath), hiss = f->hiss + part * (next->hiss - f->hiss);
    double noise = am_rng_u32(&v.rng) / 2147483648.0 - 1;
    double x = voicing * glottis(&v, f, source, rate, &open_now) + breath * noise * (0.4 + 0.6 * open_now);
    for (int j = 0; j < v.formants; j++) x = resonator_run(&v.tract[j], x);
    /* Frication is made in front of the tongue: its own resonance, and no low frequencies. */
    double blown = resonator_run(&v.hiss, noise * hiss), front = blown - hiss_before;
    hiss_before = blown;
    out[i] = (float)(x + front);
  }
}
