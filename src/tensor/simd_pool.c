/* SPDX-License-Identifier: MIT */
/* tensor/simd_pool.c - max pooling, a vector of channels at a time. */
#include "tensor/simd_pick.h"

/* Taps [t0,t1) x [f0,f1) of one window lie inside x, whose first is at `x`. */
typedef struct window {
  int t0, t1, f0, f1;
  ptrdiff_t offset; /* of tap (t0, f0) in x */
} window;

static window window_at(const am_conv *c, int t, int f) {
  int row = t * c->st - c->pt, bin = f * c->sf - c->pf;
  window w = {row < 0 ? -row : 0, row + c->kt > c->ti ? c->ti - row : c->kt, bin < 0 ? -bin : 0,
              bin + c->kf > c->fi ? c->fi - bin : c->kf, 0};
  w.offset = ((ptrdiff_t)(row + w.t0) * c->fi + (bin + w.f0)) * c->ci;
  return w;
}

/* Channels [i, i+n) of one output. */
AM_INLINE void pool_vector(const am_conv *c, const window *w, const float *x, size_t n, float *y, uint8_t *index) {
  vf best = {0};
  vi which = {0};
  const ptrdiff_t line = (ptrdiff_t)c->fi * c->ci;
  bool first = true;
  for (int kt = w->t0; kt < w->t1; kt++, x += line) {
    const float *at = x;
    for (int kf = w->f0; kf < w->f1; kf++, at += c->ci) {
      vf v = n == LANES ? load(at) : load_some(at, n);
      int tap = kt * c->kf + kf;
      if (first) best = v, which = (vi){0} + tap;
      else take_larger(v, tap, &best, &which);
      first = false;
    }
  }
  if (n == LANES) store(y, best);
  else store_some(y, best, n);
  if (index) store_bytes(index, which, n);
}

/* Windows of 2 x 2 that tile the map. */
AM_INLINE void pool_2_2(const am_conv *c, const float *x, size_t n, float *y, uint8_t *index) {
  const float *below = x + (ptrdiff_t)c->fi * c->ci;
  vf best = n == LANES ? load(x) : load_some(x, n);
  vi which = {0};
  take_larger(n == LANES ? load(x + c->ci) : load_some(x + c->ci, n), 1, &best, &which);
  take_larger(n == LANES ? load(below) : load_some(below, n), 2, &best, &which);
  take_larger(n == LANES ? load(below + c->ci) : load_some(below + c->ci, n), 3, &best, &which);
  if (n == LANES) store(y, best);
  else store_some(y, best, n);
  if (index) store_bytes(index, which, n);
}

static void pool_tiles(const am_conv *c, const float *x, float *y, uint8_t *index) {
  const int ci = c->ci;
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++, y += ci) {
      const float *at = x + ((ptrdiff_t)(2 * t) * c->fi + 2 * f) * ci;
      int i = 0;
      for (; i + LANES <= ci; i += LANES) pool_2_2(c, at + i, LANES, y + i, index ? index + i : NULL);
      if (i < ci) pool_2_2(c, at + i, (size_t)(ci - i), y + i, index ? index + i : NULL);
      if (index) index += ci;
    }
}

void AM_SIMD(am_max_pool)(const am_conv *c, const float *x, float *y, uint8_t *index) {
  const int ci = c->ci;
  if (am_pools_by_two(c)) {
    pool_tiles(c, x, y, index);
    return;
  }
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++, y += ci) {
      window w = window_at(c, t, f);
      int i = 0;
      for (; i + LANES <= ci; i += LANES) pool_vector(c, &w, x + w.offset + i, LANES, y + i, index ? index + i : NULL);
      if (i < ci) pool_vector(c, &w, x + w.offset + i, (size_t)(ci - i), y + i, index ? index + i : NULL);
      if (index) index += ci;
    }
}

/* dx of the window's taps = (or, where windows overlap, +=) dy at the tap that was the maximum. */
AM_INLINE void unpool_vector(const am_conv *c, const window *w, vf dy, vi which, bool adds, size_t n, float *dx) {
  const ptrdiff_t line = (ptrdiff_t)c->fi * c->ci;
  for (int kt = w->t0; kt < w->t1; kt++, dx += line) {
    float *at = dx;
    for (int kf = w->f0; kf < w->f1; kf++, at += c->ci) {
      vf part = (vf)((vi)dy & (which == (vi){0} + (kt * c->kf + kf)));
      if (adds) part += n == LANES ? load(at) : load_some(at, n);
      if (n == LANES) store(at, part);
      else store_some(at, part, n);
    }
  }
}

/* Zeros what no window covers when windows tile the map. */
static void zero_uncovered(const am_conv *c, float *dx) {
  int rows = c->to * c->kt < c->ti ? c->to * c->kt : c->ti, bins = c->fo * c->kf < c->fi ? c->fo * c->kf : c->fi;
  size_t line = (size_t)c->fi * (size_t)c->ci, used = (size_t)bins * (size_t)c->ci;
  for (int t = 0; used < line && t < rows; t++) memset(dx + (size_t)t * line + used, 0, (line - used) * sizeof *dx);
  memset(dx + (size_t)rows * line, 0, (size_t)(c->ti - rows) * line * sizeof *dx);
}

void AM_SIMD(am_max_pool_back)(const am_conv *c, const float *dy, const uint8_t *index, float *dx) {
  const int ci = c->ci;
  bool tiles = c->st == c->kt && c->sf == c->kf && c->pt == 0 && c->pf == 0;
  if (tiles) zero_uncovered(c, dx);
  else memset(dx, 0, (size_t)c->ti * (size_t)c->fi * (size_t)ci * sizeof *dx);
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++, dy += ci, index += ci) {
      window w = window_at(c, t, f);
      int i = 0;
      for (; i + LANES <= ci; i += LANES)
        unpool_vector(c, &w, load(dy + i), load_bytes(index + i, LANES), !tiles, LANES, dx + w.offset + i);
      size_t n = (size_t)(ci - i);
      if (n) unpool_vector(c, &w, load_some(dy + i, n), load_bytes(index + i, n), !tiles, n, dx + w.offset + i);
    }
}
