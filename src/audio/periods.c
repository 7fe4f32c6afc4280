/* SPDX-License-Identifier: MIT */
/* audio/periods.c - periods by cross-correlation with the one before, as the manual of Praat describes it ("Sound & Pitch: To
 * PointProcess (cc)"; P. Boersma & D. Weenink). */
#include "audio/periods.h"

#include "audio/pitch.h"

#include <math.h>
#include <string.h>

static const double shortest = 0.8, longest = 1.25; /* the next period, of what F0 says */
static const double least_correlation = 0.3;
static const double factor_limit = 1.3; /* neighbours further apart than this are no two periods of one voice */

size_t am_periods_room(size_t n, double rate) {
  return (size_t)((double)n / (rate / AM_PITCH_CEILING * shortest)) + 16;
}

typedef struct voice {
  const float *x;
  size_t n;
  double from, to; /* samples of the voiced run */
  double rate;
  const float *f0;
  size_t first, last; /* frames of the run */
  int hop;
} voice;

static double period_at(const voice *v, double sample) {
  double frame = sample / v->hop - 1;
  size_t i = frame <= (double)v->first ? v->first : frame >= (double)v->last ? v->last : (size_t)frame;
  if (i >= v->last) return v->rate / v->f0[v->last];
  double part = fmax(0, frame - (double)i);
  return v->rate / ((1 - part) * v->f0[i] + part * v->f0[i + 1]);
}

/* Correlation of the `width` samples around sample a with those around b. */
static double correlation(const voice *v, ptrdiff_t a, ptrdiff_t b, ptrdiff_t width) {
  a -= width / 2;
  b -= width / 2;
  ptrdiff_t low = a < b ? a : b, high = a < b ? b : a;
  if (low < 0 || high + width > (ptrdiff_t)v->n) return 0;
  double ab = 0, aa = 0, bb = 0;
  for (ptrdiff_t i = 0; i < width; i++) {
    double p = v->x[a + i], q = v->x[b + i];
    ab += p * q;
    aa += p * p;
    bb += q * q;
  }
  return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* From the mark at `at` to the next one in `direction` (1 or -1); NAN where the wave does not go on. */
static double step(const voice *v, double at, int direction) {
  double period = period_at(v, at);
  ptrdiff_t width = (ptrdiff_t)(period + 0.5), here = (ptrdiff_t)(at + 0.5);
  ptrdiff_t from = (ptrdiff_t)(shortest * period), to = (ptrdiff_t)ceil(longest * period), best = 0;
  double most = -1;
  for (ptrdiff_t lag = from; lag <= to; lag++) {
    double r = correlation(v, here, here + direction * lag, width);
    if (r <= most) continue;
    most = r;
    best = lag;
  }
  if (most < least_correlation) return NAN;
  double before = correlation(v, here, here + direction * (best - 1), width);
  double after = correlation(v, here, here + direction * (best + 1), width), bend = before - 2 * most + after;
  double shift = bend < 0 ? 0.5 * (before - after) / bend : 0;
  /* The lag is of the wave around `here`; what `at` lies beside it, the next mark does as well. */
  return at + direction * ((double)best + fmax(-0.5, fmin(0.5, shift)));
}

/* The absolute extremum within a period around the middle of the run. */
static double start_of(const voice *v) {
  double middle = 0.5 * (v->from + v->to), half = 0.5 * period_at(v, middle);
  ptrdiff_t from = (ptrdiff_t)fmax(0, middle - half), to = (ptrdiff_t)fmin((double)v->n - 1, middle + half),
            best = from;
  for (ptrdiff_t i = from; i <= to; i++)
    if (fabsf(v->x[i]) > fabsf(v->x[best])) best = i;
  return (double)best;
}

static double height(const voice *v, double at, double length) {
  ptrdiff_t from = (ptrdiff_t)fmax(0, at), to = (ptrdiff_t)fmin((double)v->n, at + length);
  float low = v->x[from], high = low;
  for (ptrdiff_t i = from; i < to; i++) {
    low = fminf(low, v->x[i]);
    high = fmaxf(high, v->x[i]);
  }
  return (double)high - low;
}

/* Marks of one voiced run into marks, in order; their number. */
static size_t mark(const voice *v, size_t room, am_period *marks) {
  double start = start_of(v);
  size_t n = 0;
  for (double at = start; n < room && at >= v->from;) { /* leftwards, then turned round */
    marks[n++].at = at;
    at = step(v, at, -1);
    if (isnan(at)) break;
  }
  for (size_t i = 0; i < n / 2; i++) {
    double at = marks[i].at;
    marks[i].at = marks[n - 1 - i].at;
    marks[n - 1 - i].at = at;
  }
  for (double at = step(v, start, 1); n < room && at <= v->to; at = step(v, at, 1)) marks[n++].at = at;
  return n;
}

size_t am_periods_find(const float *x, size_t n, double rate, const float *f0, size_t frames, int hop, am_period *out) {
  size_t count = 0, room = am_periods_room(n, rate);
  for (size_t t = 0; t < frames; t++) {
    if (f0[t] <= 0) continue;
    voice v = {.x = x, .n = n, .rate = rate, .f0 = f0, .first = t, .hop = hop};
    while (t + 1 < frames && f0[t + 1] > 0) t++;
    v.last = t;
    v.from = ((double)v.first + 0.5) * hop;
    v.to = fmin(((double)v.last + 1.5) * hop, (double)n - 1);
    size_t marks = v.from < v.to ? mark(&v, room - count, out + count) : 0;
    if (marks < 2) continue;
    for (size_t i = 0; i + 1 < marks; i++) {
      am_period *p = out + count + i;
      p->length = p[1].at - p->at;
      p->height = height(&v, p->at, p->length);
      p->joined = i > 0 && p->length < factor_limit * p[-1].length && p[-1].length < factor_limit * p->length;
    }
    count += marks - 1;
  }
  return count;
}

typedef struct sums {
  double length, height, difference, second, height_difference;
  int n, differences, seconds;
} sums;

static void add(sums *s, const am_period *p, bool two_before) {
  s->length += p->length;
  s->height += p->height;
  s->n++;
  if (!p->joined || s->n < 2) return;
  s->difference += fabs(p->length - p[-1].length);
  s->height_difference += fabs(p->height - p[-1].height);
  s->differences++;
  if (!two_before || !p[-1].joined || s->n < 3) return;
  s->second += fabs(p->length - 2 * p[-1].length + p[-2].length);
  s->seconds++;
}

void am_periods_vary(const am_period *periods, size_t n, double rate, size_t frames, int hop, float *jitter,
                     float *jitter_ddp, float *shimmer) {
  size_t first = 0;
  for (size_t t = 0; t < frames; t++) {
    double centre = (double)(t + 1) * hop, from = centre - 0.03 * rate, to = centre + 0.03 * rate;
    while (first < n && periods[first].at < from) first++;
    sums s = {0};
    for (size_t i = first; i < n && periods[i].at + periods[i].length <= to; i++) add(&s, periods + i, i >= first + 2);
    double length = s.n ? s.length / s.n : 0, high = s.n ? s.height / s.n : 0;
    jitter[t] = s.differences && length > 0 ? (float)(s.difference / s.differences / length) : 0;
    jitter_ddp[t] = s.seconds && length > 0 ? (float)(s.second / s.seconds / length) : 0;
    shimmer[t] = s.differences && high > 0 ? (float)(s.height_difference / s.differences / high) : 0;
  }
}
