/* SPDX-License-Identifier: MIT */
/* audio/functionals.c - from samples to the functionals of a clip. */
#include "audio/functionals.h"

#include "audio/contour.h"
#include "audio/lld.h"
#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double step = 0.01; /* s from frame to frame */

static const char *const functional_names[] = {
#define NAME(id, word) word,
    AM_FUNCTIONALS(NAME)
#undef NAME
};
/* What each descriptor that unvoiced frames have, too, gets besides. */
static const char *const voiced_names[] = {"voiced_mean", "voiced_stddev", "unvoiced_mean"};
enum { VOICED = 3 };
static const char *const clip_names[] = {
    "voiced_ratio",       "voiced_segments",       "voiced_segment_mean",     "voiced_segment_stddev",
    "voiced_segment_max", "unvoiced_segment_mean", "unvoiced_segment_stddev", "unvoiced_segment_max",
    "log_seconds"};
enum { CLIP = sizeof clip_names / sizeof *clip_names, ORDERS = 2 };

struct am_functionals {
  am_context *ctx;
  am_lld lld;
};

am_status am_functionals_create(am_context *ctx, double rate, am_functionals **out, am_error *err) {
  *out = NULL;
  am_functionals *f = am_alloc(ctx, 1, sizeof *f);
  if (!f) return am_no_memory(err);
  f->ctx = ctx;
  am_status status = am_lld_init(ctx, &f->lld, rate, err);
  if (status) am_functionals_free(f);
  else *out = f;
  return status;
}

void am_functionals_free(am_functionals *f) {
  if (!f) return;
  am_lld_free(&f->lld);
  am_free(f->ctx, f);
}

static int of_descriptor(int lld) { return AM_FUNCTIONALS_COUNT * ORDERS + (lld < AM_LLD_VOICED ? VOICED : 0); }

int am_functionals_count(void) {
  int n = CLIP;
  for (int i = 0; i < AM_LLDS; i++) n += of_descriptor(i);
  return n;
}

void am_functionals_name(int i, char name[AM_FUNCTIONALS_NAME]) {
  char lld[AM_LLD_NAME];
  int d = 0;
  for (; d < AM_LLDS && i >= of_descriptor(d); d++) i -= of_descriptor(d);
  if (d == AM_LLDS) {
    snprintf(name, AM_FUNCTIONALS_NAME, "%s", clip_names[i]);
    return;
  }
  am_lld_name(d, lld);
  const char *word = i < AM_FUNCTIONALS_COUNT * ORDERS ? functional_names[i % AM_FUNCTIONALS_COUNT]
                                                       : voiced_names[i - AM_FUNCTIONALS_COUNT * ORDERS];
  bool delta = i >= AM_FUNCTIONALS_COUNT && i < AM_FUNCTIONALS_COUNT * ORDERS;
  snprintf(name, AM_FUNCTIONALS_NAME, "%s_%s%s", lld, delta ? "delta_" : "", word);
}

static void smooth(const float *x, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    size_t from = i > 0 ? i - 1 : 0, to = i + 2 < n ? i + 2 : n;
    double sum = 0;
    for (size_t k = from; k < to; k++) sum += x[k];
    out[i] = (float)(sum / (double)(to - from));
  }
}

/* Slope of the line through five frames, of a frame; beyond its ends the contour stays as it is there. */
static void slopes(const float *x, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    double one = (double)x[i + 1 < n ? i + 1 : n - 1] - x[i >= 1 ? i - 1 : 0];
    double two = (double)x[i + 2 < n ? i + 2 : n - 1] - x[i >= 2 ? i - 2 : 0];
    out[i] = (float)((one + 2 * two) / 10);
  }
}

typedef struct work {
  float *llds;                       /* (AM_LLDS, frames) */
  bool *voiced;                      /* (frames) */
  float *smoothed, *slopes, *sorted; /* (frames) */
} work;

static void place(am_arena *a, size_t frames, work *w) {
  w->llds = am_arena_take(a, am_mul(AM_LLDS, frames), sizeof(float));
  w->smoothed = am_arena_take(a, frames, sizeof(float));
  w->slopes = am_arena_take(a, frames, sizeof(float));
  w->sorted = am_arena_take(a, frames, sizeof(float));
  w->voiced = am_arena_take(a, frames, sizeof(bool));
}

/* Smoothed contour and slopes of the voiced frames alone, each voiced run for itself; how many frames. */
static size_t voiced_contours(const float *x, const work *w, size_t frames) {
  size_t n = 0;
  for (size_t t = 0; t < frames; t++) {
    if (!w->voiced[t]) continue;
    size_t from = t;
    while (t < frames && w->voiced[t]) t++;
    smooth(x + from, t - from, w->smoothed + n);
    slopes(w->smoothed + n, t - from, w->slopes + n);
    n += t - from;
  }
  return n;
}

static void by_voicing(const work *w, size_t frames, float out[VOICED]) {
  double sum[2] = {0}, squares = 0, n[2] = {0};
  for (size_t t = 0; t < frames; t++) {
    n[w->voiced[t]] += 1;
    sum[w->voiced[t]] += w->smoothed[t];
  }
  /* Where there are none, the mean of all stands in. */
  double all = (sum[0] + sum[1]) / (double)frames, mean = n[1] > 0 ? sum[1] / n[1] : all;
  for (size_t t = 0; t < frames; t++)
    if (w->voiced[t]) squares += (w->smoothed[t] - mean) * (w->smoothed[t] - mean);
  out[0] = (float)mean;
  out[1] = n[1] > 0 ? (float)sqrt(squares / n[1]) : 0;
  out[2] = n[0] > 0 ? (float)(sum[0] / n[0]) : (float)all;
}

typedef struct lengths {
  double n, sum, squares, most; /* s */
} lengths;

static void add_length(lengths *l, size_t frames) {
  double seconds = (double)frames * step;
  l->n += 1;
  l->sum += seconds;
  l->squares += seconds * seconds;
  l->most = fmax(l->most, seconds);
}

static void describe_lengths(const lengths *l, float out[3]) {
  double mean = l->n > 0 ? l->sum / l->n : 0;
  out[0] = (float)mean;
  out[1] = l->n > 0 ? (float)sqrt(fmax(0, l->squares / l->n - mean * mean)) : 0;
  out[2] = (float)l->most;
}

static void clip(const work *w, size_t frames, size_t n, double rate, float out[CLIP]) {
  lengths runs[2] = {{0}, {0}};
  for (size_t t = 0; t < frames;) {
    bool voiced = w->voiced[t];
    size_t from = t;
    while (t < frames && w->voiced[t] == voiced) t++;
    add_length(&runs[voiced], t - from);
  }
  double seconds = (double)frames * step;
  out[0] = (float)(runs[1].sum / seconds);
  out[1] = (float)(runs[1].n / seconds);
  describe_lengths(&runs[1], out + 2);
  describe_lengths(&runs[0], out + 5);
  out[8] = (float)log(fmax(step, (double)n / rate));
}

static void functionals(const am_functionals *f, const work *w, size_t frames, size_t n, float *out) {
  double values[AM_FUNCTIONALS_COUNT];
  for (int d = 0; d < AM_LLDS; d++) {
    const float *x = w->llds + (size_t)d * frames;
    size_t length = frames;
    if (d >= AM_LLD_VOICED) {
      length = voiced_contours(x, w, frames);
    } else {
      smooth(x, frames, w->smoothed);
      slopes(w->smoothed, frames, w->slopes);
    }
    for (int order = 0; order < ORDERS; order++) {
      am_contour_functionals(order ? w->slopes : w->smoothed, length, step, w->sorted, values);
      for (int i = 0; i < AM_FUNCTIONALS_COUNT; i++) *out++ = (float)values[i];
    }
    if (d >= AM_LLD_VOICED) continue;
    by_voicing(w, frames, out);
    out += VOICED;
  }
  clip(w, frames, n, f->lld.rate, out);
}

am_status am_functionals_compute(const am_functionals *f, const float *x, size_t n, float *out, am_error *err) {
  size_t frames = am_lld_frames(&f->lld, n);
  am_arena arena = {0};
  work w;
  place(&arena, frames, &w);
  arena = (am_arena){.base = am_alloc_aligned(f->ctx, arena.used), .size = arena.used};
  if (!arena.base) return am_no_memory(err);
  place(&arena, frames, &w);
  am_status status = am_lld_compute(&f->lld, x, n, w.llds, w.voiced, err);
  if (!status) functionals(f, &w, frames, n, out);
  am_free_aligned(f->ctx, arena.base);
  return status;
}
