/* SPDX-License-Identifier: MIT */
/* tensor/simd_one.h - a map of one channel with its padding, as the convolutions of it take it. */
#ifndef AM_SIMD_ONE_H
#define AM_SIMD_ONE_H

#include "tensor/simd_tiles.h"

enum {
  PADDED = 4096, /* floats of x copied at once */
  BINS = 1024    /* outputs of a row, at most, whose x is copied at once */
};

/* x (t1-t0+kt-1, line) of the outputs in rows [t0,t1), bins [f0,f1). */
typedef struct padded {
  int t0, t1, f0, f1, line;
  float x[PADDED];
} padded;

AM_INLINE void copy_padded(const geometry *g, const float *x, padded *p) {
  const am_conv *c = &g->c;
  float *to = p->x;
  int bin = p->f0 - c->pf, from = bin < 0 ? -bin : 0;
  p->line = p->f1 - p->f0 + c->kf - 1;
  int end = c->fi - bin < p->line ? c->fi - bin : p->line;
  for (int row = p->t0 - c->pt; row < p->t1 + c->kt - 1 - c->pt; row++, to += p->line) {
    zero_floats(to, p->line);
    if (row >= 0 && row < c->ti && from < end)
      copy_floats(to + from, x + (ptrdiff_t)row * c->fi + bin + from, end - from);
  }
}

/* Calls `use` with all outputs, part by part, whose rows and bins are multiples of `grain` from the first on; every part
 * is at least MOST bins wide where the map is. */
AM_INLINE void each_part(const geometry *g, int grain, const float *x, void (*use)(const padded *p, const void *job),
                         const void *job) {
  int wide = (g->f1 - g->f0) / grain, parts = (wide * grain + BINS - 1) / BINS;
  padded p;
  for (int i = 0; i < parts; i++) {
    p.f0 = g->f0 + (int)((int64_t)wide * i / parts) * grain;
    p.f1 = g->f0 + (int)((int64_t)wide * (i + 1) / parts) * grain;
    int rows = (PADDED / (p.f1 - p.f0 + g->c.kf - 1) - (g->c.kt - 1)) / grain * grain;
    for (p.t0 = g->t0; p.t0 < g->t1; p.t0 = p.t1) {
      p.t1 = p.t0 + rows < g->t1 ? p.t0 + rows : g->t1;
      copy_padded(g, x, &p);
      use(&p, job);
    }
  }
}

#endif
