/* SPDX-License-Identifier: MIT */
/* tests/tensor/convs.h - what the tests of convolutions share: their sizes, and a convolution from what configs say. */
#ifndef AM_TEST_CONVS_H
#define AM_TEST_CONVS_H

#include "compare.h"

static inline size_t x_count(const am_conv *c) { return (size_t)c->ti * (size_t)c->fi * (size_t)c->ci; }
static inline size_t y_count(const am_conv *c) { return (size_t)c->to * (size_t)c->fo * (size_t)c->co; }
static inline size_t w_count(const am_conv *c) { return (size_t)c->kt * (size_t)c->kf * (size_t)c->ci * (size_t)c->co; }

static inline const char *describe(const am_conv *c) {
  static char text[256];
  snprintf(text, sizeof text, "x (%d,%d,%d) y (%d,%d,%d) kernel %dx%d stride %d,%d dilation %d,%d before %d,%d", c->ti,
           c->fi, c->ci, c->to, c->fo, c->co, c->kt, c->kf, c->st, c->sf, c->dt, c->df, c->pt, c->pf);
  return text;
}

/* `before` and lengths as the layers set them. */
static inline am_conv conv_of(int ti, int fi, int ci, int co, int kt, int kf, int st, int sf, int dt, int df,
                              am_padding padding, int pad) {
  bool sequence = fi == 1 && kf == 1;
  return (am_conv){ti,
                   fi,
                   ci,
                   am_window_length(ti, kt, st, dt, padding, pad),
                   am_window_length(fi, kf, sf, df, padding, sequence ? 0 : pad),
                   co,
                   kt,
                   kf,
                   st,
                   sf,
                   dt,
                   df,
                   am_window_before(ti, kt, st, dt, padding, pad),
                   am_window_before(fi, kf, sf, df, padding, sequence ? 0 : pad)};
}

#endif
