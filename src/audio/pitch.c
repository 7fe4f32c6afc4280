/* SPDX-License-Identifier: MIT */
/* audio/pitch.c - fundamental frequency (Boersma 1993). */
#include "audio/pitch.h"

#include "audio/stft.h"
#include "base/arena.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
/* The parameters of the paper, with the values that Praat's manual gives for speech; costs are for frames 10 ms apart. */
static const double silence_threshold = 0.03, voicing_threshold = 0.45, octave_cost = 0.01, octave_jump_cost = 0.35,
                    voiced_unvoiced_cost = 0.14;
enum { OVERSAMPLE = 4 };

typedef struct candidate {
  double hertz; /* 0: unvoiced */
  double strength;
  double score; /* of the best path up to here */
  int from;     /* the candidate before, on that path */
} candidate;

typedef struct frame {
  candidate at[AM_PITCH_CANDIDATES];
  int n;
} frame;

/* The window's own autocorrelation at `lag`, of its length (eq. 8 of the paper). */
static double window_autocorrelation(double lag) {
  return (1 - lag) * (2.0 / 3 + cos(2 * pi * lag) / 3) + sin(2 * pi * lag) / (2 * pi);
}

am_status am_pitch_init(am_context *ctx, am_pitch *p, double rate, am_error *err) {
  *p = (am_pitch){.ctx = ctx, .rate = rate};
  p->window = (int)(3 * rate / AM_PITCH_FLOOR);
  p->last = (int)(OVERSAMPLE * rate / AM_PITCH_FLOOR);
  p->first = (int)ceil(OVERSAMPLE * rate / AM_PITCH_CEILING);
  /* Zeros after the window keep the lags that are looked at clear of the circle's other end. */
  for (p->n_fft = 16; p->n_fft < p->window + p->window / 2;) p->n_fft *= 2;
  p->hann = am_alloc(ctx, (size_t)p->window, sizeof *p->hann);
  p->inverse = am_alloc(ctx, (size_t)p->last + 2, sizeof *p->inverse);
  if (!p->hann || !p->inverse) {
    am_pitch_free(p);
    return am_no_memory(err);
  }
  for (int i = 0; i < p->window; i++) p->hann[i] = (float)(0.5 - 0.5 * cos(2 * pi * (i + 0.5) / p->window));
  for (int i = 0; i < p->last + 2; i++)
    p->inverse[i] = (float)(1 / window_autocorrelation(i / (double)OVERSAMPLE / p->window));
  am_status status = am_fft_create(ctx, p->n_fft, &p->forward, err);
  if (!status) status = am_fft_create_inverse(ctx, p->n_fft * OVERSAMPLE, &p->back, err);
  if (status) am_pitch_free(p);
  return status;
}

void am_pitch_free(am_pitch *p) {
  if (!p->ctx) /* never initialised */
    return;
  am_fft_free(p->forward);
  am_fft_free(p->back);
  am_free(p->ctx, p->hann);
  am_free(p->ctx, p->inverse);
  p->forward = p->back = NULL;
  p->hann = p->inverse = NULL;
}

typedef struct work {
  float *frame;    /* (n_fft) */
  float *spectrum; /* (n_fft * OVERSAMPLE / 2 + 1) pairs; those above n_fft / 2 stay 0 */
  float *lags;     /* (n_fft * OVERSAMPLE): autocorrelation */
  frame *frames;
} work;

static void place(const am_pitch *p, am_arena *a, size_t frames, work *w) {
  w->frame = am_arena_take(a, (size_t)p->n_fft, sizeof(float));
  w->spectrum = am_arena_take(a, (size_t)p->n_fft * OVERSAMPLE + 2, sizeof(float));
  w->lags = am_arena_take(a, (size_t)p->n_fft * OVERSAMPLE, sizeof(float));
  w->frames = am_arena_take(a, frames, sizeof(frame));
}

static double peak_of(const float *x, size_t n, double mean) {
  double peak = 0;
  for (size_t i = 0; i < n; i++) peak = fmax(peak, fabs(x[i] - mean));
  return peak;
}

static double mean_of(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return n > 0 ? sum / (double)n : 0;
}

/* The samples of x around `centre` that the window covers, without their mean, windowed, into w->frame.  The absolute peak
 * in the middle. */
static double cut(const am_pitch *p, const float *x, size_t n, size_t centre, work *w) {
  ptrdiff_t from = (ptrdiff_t)centre - p->window / 2, lo = from < 0 ? -from : 0, hi = (ptrdiff_t)n - from;
  memset(w->frame, 0, (size_t)p->n_fft * sizeof *w->frame);
  if (hi > p->window) hi = p->window;
  if (hi <= lo) return 0;
  const float *source = x + from;
  double mean = mean_of(source + lo, (size_t)(hi - lo));
  for (ptrdiff_t i = lo; i < hi; i++) w->frame[i] = (source[i] - (float)mean) * p->hann[i];
  /* Of the period of the floor in the middle: what the window lets through. */
  ptrdiff_t third = p->window / 3, begin = lo > third ? lo : third,
            end = hi < p->window - third ? hi : p->window - third;
  return begin < end ? peak_of(source + begin, (size_t)(end - begin), mean) : 0;
}

/* r(lag) of the windowed frame over that of the window, at OVERSAMPLE lags a sample: the inverse transform of the power spectrum
 * with zeros above it is the band-limited interpolation.  False for a frame of zeros. */
static bool autocorrelate(const am_pitch *p, work *w) {
  am_fft_forward(p->forward, w->frame, w->spectrum);
  for (int k = 0; k <= p->n_fft / 2; k++) {
    float *at = w->spectrum + 2 * k;
    at[0] = at[0] * at[0] + at[1] * at[1];
    at[1] = 0;
  }
  memset(w->spectrum + p->n_fft + 2, 0, (size_t)(p->n_fft * (OVERSAMPLE - 1)) * sizeof(float));
  am_fft_inverse(p->back, w->spectrum, w->lags);
  if (!(w->lags[0] > 0)) return false;
  const float scale = 1 / w->lags[0];
  for (int i = 0; i < p->last + 2; i++) w->lags[i] *= scale * p->inverse[i];
  return true;
}

/* Keeps the strongest, with what octave_cost takes from a low one. */
static void add_candidate(frame *f, double hertz, double r) {
  double strength = r - octave_cost * log2(AM_PITCH_FLOOR / hertz);
  int weakest = 1;
  if (f->n < AM_PITCH_CANDIDATES) {
    weakest = f->n++;
  } else {
    for (int i = 2; i < f->n; i++)
      if (f->at[i].score < f->at[weakest].score) weakest = i;
    if (f->at[weakest].score >= strength) return;
  }
  f->at[weakest] = (candidate){.hertz = hertz, .strength = r, .score = strength};
}

static void find_candidates(const am_pitch *p, const float *r, double loudness, frame *f) {
  double silence = loudness / (silence_threshold / (1 + voicing_threshold));
  f->n = 1;
  f->at[0] = (candidate){.score = voicing_threshold + fmax(0, 2 - silence)};
  for (int i = p->first > 1 ? p->first : 1; loudness > 0 && i <= p->last; i++) {
    if (!(r[i] > r[i - 1] && r[i] >= r[i + 1] && r[i] > 0.5 * voicing_threshold)) continue;
    double left = r[i] - r[i - 1], right = r[i] - r[i + 1], shift = 0.5 * (left - right) / (left + right);
    double top = r[i] + 0.25 * (left - right) * shift, hertz = p->rate * OVERSAMPLE / (i - shift);
    if (top > 1) top = 1 / top; /* what interpolation gives too much */
    if (hertz <= AM_PITCH_CEILING) add_candidate(f, hertz, top);
  }
}

static double jump(double a, double b) {
  if (a == 0 && b == 0) return 0;
  if (a == 0 || b == 0) return voiced_unvoiced_cost;
  return octave_jump_cost * fabs(log2(a / b));
}

/* The path of most strength less the costs of its jumps (Viterbi). */
static void find_path(frame *frames, size_t n, float *f0, float *strength) {
  for (size_t t = 1; t < n; t++)
    for (int i = 0; i < frames[t].n; i++) {
      candidate *to = &frames[t].at[i];
      double best = -HUGE_VAL;
      for (int k = 0; k < frames[t - 1].n; k++) {
        const candidate *from = &frames[t - 1].at[k];
        double score = from->score - jump(from->hertz, to->hertz);
        if (score <= best) continue;
        best = score;
        to->from = k;
      }
      to->score += best;
    }
  int i = 0;
  for (int k = 1; k < frames[n - 1].n; k++)
    if (frames[n - 1].at[k].score > frames[n - 1].at[i].score) i = k;
  for (size_t t = n; t-- > 0;) {
    const candidate *c = &frames[t].at[i];
    f0[t] = (float)c->hertz;
    double r = c->strength;
    for (int k = 0; c->hertz == 0 && k < frames[t].n; k++) r = fmax(r, frames[t].at[k].strength);
    strength[t] = (float)r;
    i = c->from;
  }
}

am_status am_pitch_track(const am_pitch *p, const float *x, size_t n, int hop, size_t frames, float *f0,
                         float *strength, am_error *err) {
  am_arena arena = {0};
  work w;
  place(p, &arena, frames, &w);
  arena = (am_arena){.base = am_alloc_aligned(p->ctx, arena.used), .size = arena.used};
  if (!arena.base) return am_no_memory(err);
  place(p, &arena, frames, &w);
  double peak = peak_of(x, n, mean_of(x, n));
  for (size_t t = 0; t < frames; t++) {
    double local = cut(p, x, n, (t + 1) * (size_t)hop, &w);
    bool heard = local > 0 && autocorrelate(p, &w);
    find_candidates(p, w.lags, heard ? fmin(1, local / peak) : 0, &w.frames[t]);
  }
  find_path(w.frames, frames, f0, strength);
  am_free_aligned(p->ctx, arena.base);
  return AM_OK;
}
