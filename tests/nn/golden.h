/* SPDX-License-Identifier: MIT */
/* tests/nn/golden.h - comparing with stored tensors. */
#ifndef AM_TESTS_GOLDEN_H
#define AM_TESTS_GOLDEN_H

#include "harness.h"

static const double bound = 1e-5;

/* From a clip's end to the longest clip's a tensor must be zero, not merely small.  What is beyond is
 * undefined, and becomes the zeros that the stored tensors hold there. */
static inline void check_padding(const char *what, am_shape s, const int *lengths, int clips, am_real *values) {
  const int most = longest(s, lengths, clips);
  for (int b = 0; b < clips; b++) {
    const am_real *clip = values + (size_t)b * am_shape_count(s);
    for (size_t i = valid_count(s, lengths, b); i < am_frames_count(s, most); i++)
      if (clip[i] != 0) fail_msg("%s: clip %d past its end at %zu: %g, wanted 0", what, b, i, (double)clip[i]);
  }
  clear_unused(s, most, clips, values);
}

/* Times `scale`: what was stored. */
static inline double check_tensor(const golden_case *c, const char *cpu, const char *name, const am_real *got, size_t n,
                                  double scale) {
  const golden_tensor *wanted = golden_find(c, name);
  if (!wanted) fail_msg("%s: no golden %s", c->name, name);
  if (wanted->count != n) fail_msg("%s: %s has %zu numbers, the golden %zu", c->name, name, n, wanted->count);
  double largest = 0, worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)wanted->data[i]));
  for (size_t i = 0; i < n; i++) {
    const double difference = fabs((double)got[i] / scale - (double)wanted->data[i]);
    if (!(difference <= worst)) {
      worst = difference;
      at = i;
      if (isnan(difference)) break;
    }
  }
  const double error = largest > 0 ? worst / largest : worst;
  if (!(error <= bound))
    fail_msg("%s on %s: %s[%zu] is %.9g, wanted %.9g: error %.3g of the largest value %.3g, allowed %.0e", c->name, cpu,
             name, at, (double)got[at] / scale, (double)wanted->data[at], error, largest, bound);
  return error;
}

#endif
