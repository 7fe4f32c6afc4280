/* SPDX-License-Identifier: MIT */
/* tests/tensor/compare.h - what the tensor tests share: random numbers, exact-size buffers, paths. */
#ifndef AM_TEST_COMPARE_H
#define AM_TEST_COMPARE_H

#include "testing.h"

#include "base/rng.h"
#include "tensor/tensor.h"

/* The fast kernels that this machine can run. */
static inline size_t fast_kernels(const am_kernels *kernels[AM_TEST_CPUS - 1]) {
  const char *names[AM_TEST_CPUS];
  size_t n = 0, all = am_test_cpus(names);
  for (size_t i = 0; i < all; i++) {
    am_context *ctx = am_test_context(1, names[i]);
    const am_kernels *k = am_kernels_of(ctx);
    assert_string_equal(k->name, names[i]);
    if (k != am_kernels_plain()) kernels[n++] = k;
    am_context_free(ctx);
  }
  return n;
}

/* Its own allocation, so that a sanitizer sees a read or write past the end. Unit variance. */
static inline float *random_reals(am_rng *rng, size_t n) {
  float *values = malloc(n * sizeof *values + 1);
  assert_non_null(values);
  for (size_t i = 0; i < n; i++) values[i] = (float)am_rng_normal(rng);
  return values;
}

static inline float *copy_reals(const float *from, size_t n) {
  float *values = malloc(n * sizeof *values + 1);
  assert_non_null(values);
  memcpy(values, from, n * sizeof *values);
  return values;
}

/* low..high inclusive */
static inline int draw(am_rng *rng, int low, int high) {
  return low + (int)am_rng_below(rng, (uint64_t)(high - low + 1));
}

#endif
