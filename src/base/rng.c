/* SPDX-License-Identifier: MIT */
/* base/rng.c - Philox4x32-10, and NumPy's MT19937 for scikit-learn's splits. */
#include "base/rng.h"

#include <assert.h>
#include <math.h>

/* Constants of Salmon et al. 2011, table 2 and section 4.3. */
void am_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u; /* golden ratio */
    k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* Steele, Lea and Flood 2014: a bijection of 64 bits that mixes well. */
static uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

am_rng am_rng_stream(uint64_t seed, am_purpose purpose, uint64_t a, uint64_t b, uint64_t c) {
  uint64_t key = splitmix64(splitmix64(seed) + (uint64_t)purpose);
  uint64_t fixed = splitmix64(splitmix64(splitmix64(a) + b) + c);
  return (am_rng){.key = {(uint32_t)key, (uint32_t)(key >> 32)}, .fixed = {(uint32_t)fixed, (uint32_t)(fixed >> 32)}};
}

static void block_at(const am_rng *rng, uint64_t block, uint32_t out[4]) {
  const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), rng->fixed[0], rng->fixed[1]};
  am_philox(counter, rng->key, out);
}

uint32_t am_rng_u32(am_rng *rng) {
  uint32_t out[4];
  block_at(rng, rng->position / 4, out);
  return out[rng->position++ % 4];
}

void am_rng_fill(am_rng *rng, uint32_t *out, size_t n) {
  size_t i = 0;
  while (i < n && rng->position % 4) out[i++] = am_rng_u32(rng);
  for (; n - i >= 4; i += 4, rng->position += 4) block_at(rng, rng->position / 4, out + i);
  while (i < n) out[i++] = am_rng_u32(rng);
}

/* Two words, high one first, whatever the position. */
static uint64_t u64(am_rng *rng) {
  uint32_t words[2];
  am_rng_fill(rng, words, 2);
  return (uint64_t)words[0] << 32 | words[1];
}

double am_rng_uniform(am_rng *rng) { return (double)(u64(rng) >> 11) * 0x1p-53; }

double am_rng_range(am_rng *rng, double low, double high) { return low + (high - low) * am_rng_uniform(rng); }

double am_rng_normal(am_rng *rng) {
  double u = 1 - am_rng_uniform(rng); /* (0, 1]: the logarithm is finite */
  double v = am_rng_uniform(rng);
  return sqrt(-2 * log(u)) * cos(6.283185307179586476925 * v);
}

uint64_t am_rng_below(am_rng *rng, uint64_t n) {
  assert(n > 0);
  if (n <= 1) return 0;
  /* Rejects the few values above the largest multiple of n. */
  if (n <= UINT32_MAX) {
    uint32_t small = (uint32_t)n, excess = (uint32_t)(-small) % small, word;
    do word = am_rng_u32(rng);
    while (word > UINT32_MAX - excess);
    return word % small;
  }
  uint64_t excess = (-n) % n, word;
  do word = u64(rng);
  while (word > UINT64_MAX - excess);
  return word % n;
}

void am_rng_shuffle(am_rng *rng, uint32_t *items, size_t n) {
  for (size_t i = n; i > 1; i--) {
    size_t j = (size_t)am_rng_below(rng, i);
    uint32_t kept = items[i - 1];
    items[i - 1] = items[j];
    items[j] = kept;
  }
}

/* Matsumoto and Nishimura 1998, with the seeding of 2002 that NumPy's RandomState uses. */
void am_mt_seed(am_mt19937 *mt, uint32_t seed) {
  mt->state[0] = seed;
  for (uint32_t i = 1; i < 624; i++) mt->state[i] = 1812433253u * (mt->state[i - 1] ^ (mt->state[i - 1] >> 30)) + i;
  mt->index = 624;
}

uint32_t am_mt_u32(am_mt19937 *mt) {
  uint32_t *s = mt->state;
  if (mt->index >= 624) {
    for (int i = 0; i < 624; i++) {
      uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % 624] & 0x7fffffffu);
      s[i] = s[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    mt->index = 0;
  }
  uint32_t y = s[mt->index++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

/* NumPy's random_interval for a maximum below 2^32: masked rejection. */
static uint32_t interval(am_mt19937 *mt, uint32_t max) {
  uint32_t mask = max, value;
  mask |= mask >> 1;
  mask |= mask >> 2;
  mask |= mask >> 4;
  mask |= mask >> 8;
  mask |= mask >> 16;
  do value = am_mt_u32(mt) & mask;
  while (value > max);
  return value;
}

void am_mt_permutation(am_mt19937 *mt, uint32_t *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = (uint32_t)i;
  for (size_t i = n; i > 1; i--) {
    uint32_t j = interval(mt, (uint32_t)(i - 1)), kept = out[i - 1];
    out[i - 1] = out[j];
    out[j] = kept;
  }
}
