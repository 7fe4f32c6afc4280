/* SPDX-License-Identifier: MIT */
/* base/rng.h - random numbers.
 *
 * Training draws from Philox4x32-10 (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3"), a pure function of key and counter: what an
 * element receives does not depend on threads, batches or resuming.
 * NumPy's legacy MT19937 exists only to draw scikit-learn's splits. */
#ifndef AM_RNG_H
#define AM_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a number is for; part of the key, so purposes never share numbers. */
typedef enum am_purpose {
  AM_FOR_INIT = 1,
  AM_FOR_ORDER,
  AM_FOR_DROPOUT,
  AM_FOR_AUGMENT,
  AM_FOR_MIXUP,
  AM_FOR_SYNTH,
  AM_FOR_BOOTSTRAP,
  AM_FOR_SPLIT,
  AM_FOR_CONDITION,
  AM_FOR_COPY,
  AM_FOR_COPY_DRAWN,
  AM_FOR_TUNE
} am_purpose;

/* A stream: key from (seed, purpose), fixed counter words from (a, b), and a position. */
typedef struct am_rng {
  uint32_t key[2];
  uint32_t fixed[2];
  uint64_t position; /* in 32-bit words; counter = position / 4 */
} am_rng;

/* Philox4x32-10: out = f(counter, key). */
void am_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Stream for (seed, purpose, a, b, c): e.g. dropout has a = layer, b = epoch, c = sample.
 * Seed and purpose are mixed into the 64 bits of the key, a, b and c into 64 bits of the counter
 * (splitmix64), so two different tuples share a stream with a chance of 2^-64. */
am_rng am_rng_stream(uint64_t seed, am_purpose purpose, uint64_t a, uint64_t b, uint64_t c);
uint32_t am_rng_u32(am_rng *rng);
void am_rng_fill(am_rng *rng, uint32_t *out, size_t n); /* the next n of am_rng_u32, four at a time */
double am_rng_uniform(am_rng *rng);                     /* [0, 1), 53 bits */
double am_rng_range(am_rng *rng, double low, double high);
double am_rng_normal(am_rng *rng);                           /* mean 0, variance 1 (Box-Muller, no state) */
uint64_t am_rng_below(am_rng *rng, uint64_t n);              /* unbiased, n > 0 */
void am_rng_shuffle(am_rng *rng, uint32_t *items, size_t n); /* Fisher-Yates */

/* numpy.random.RandomState(seed): MT19937, legacy seeding and permutation. */
typedef struct am_mt19937 {
  uint32_t state[624];
  int index;
} am_mt19937;
void am_mt_seed(am_mt19937 *mt, uint32_t seed);
uint32_t am_mt_u32(am_mt19937 *mt);
/* RandomState.permutation(n) into out[n]. */
void am_mt_permutation(am_mt19937 *mt, uint32_t *out, size_t n);

#endif
