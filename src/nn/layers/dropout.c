/* SPDX-License-Identifier: MIT */
/* nn/layers/dropout.c - inverted dropout: y = x keep / (1 - rate), keep drawn again for each clip and epoch.
 *
 * Element i of a clip takes word i of the Philox stream (seed, DROPOUT, layer,
 * epoch, draw) and is kept when the word is at least rate 2^32, so the mask
 * depends neither on the batch nor on threads.  Nothing is stored: backward
 * draws the same words again, which costs less than the memory would. */
#include "nn/layers/dropout.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2 1
#endif

enum { CHUNK = 1024, PIECE = 1 << 15 }; /* elements; multiples of 16 */

typedef struct dropout_options {
  double rate;
} dropout_options;

static const am_option table[] = {
    {"rate", AM_OPT_REAL, offsetof(dropout_options, rate), "0.5", 0, 0.999, .help = "share of values set to zero"},
    AM_OPTION_END};

static double rate_of(const am_layer *layer) { return ((const dropout_options *)layer->options)->rate; }
static uint32_t threshold_of(const am_layer *layer) { return (uint32_t)(rate_of(layer) * 4294967296.0); }

static am_status build(am_layer *layer, am_error *err) {
  (void)err;
  layer->out = layer->in[0];
  layer->in_place = true;
  return AM_OK;
}

/* keep[0..n) for the words from 4 * block on. */
static void mask_plain(const am_rng *rng, uint64_t block, uint32_t threshold, size_t n, uint8_t *keep) {
  for (size_t i = 0; i < n; i += 4, block++) {
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), rng->fixed[0], rng->fixed[1]};
    uint32_t words[4];
    am_philox(counter, rng->key, words);
    for (size_t k = 0; k < 4 && i + k < n; k++) keep[i + k] = words[k] >= threshold;
  }
}

/* to = from times scale where kept.  A product, so that NaN passes even where it is dropped. */
static inline __attribute__((always_inline)) void apply(const uint8_t *keep, am_real scale, size_t n,
                                                        const am_real *from, am_real *to) {
  for (size_t i = 0; i < n; i++) to[i] = from[i] * ((am_real)keep[i] * scale);
}

static void apply_plain(const uint8_t *keep, am_real scale, size_t n, const am_real *from, am_real *to) {
  apply(keep, scale, n, from, to);
}

#ifdef HAVE_AVX2
__attribute__((target("avx2"))) static void apply_avx2(const uint8_t *keep, am_real scale, size_t n,
                                                       const am_real *from, am_real *to) {
  apply(keep, scale, n, from, to);
}

/* Four blocks of a counter, one to a 64-bit lane of which the low half counts:
 * the product instruction reads only low halves, so nothing need be masked. */
typedef struct lanes {
  __m256i c0, c1, c2, c3;
} lanes;

__attribute__((target("avx2"))) static inline lanes lanes_start(const am_rng *rng, uint64_t block) {
  __m256i low = _mm256_add_epi64(_mm256_set1_epi64x((long long)block), _mm256_setr_epi64x(0, 1, 2, 3));
  return (lanes){low, _mm256_srli_epi64(low, 32), _mm256_set1_epi64x(rng->fixed[0]), _mm256_set1_epi64x(rng->fixed[1])};
}

__attribute__((target("avx2"))) static inline lanes lanes_round(lanes l, __m256i k0, __m256i k1) {
  __m256i p0 = _mm256_mul_epu32(l.c0, _mm256_set1_epi64x(0xD2511F53));
  __m256i p1 = _mm256_mul_epu32(l.c2, _mm256_set1_epi64x(0xCD9E8D57));
  return (lanes){_mm256_xor_si256(_mm256_srli_epi64(p1, 32), _mm256_xor_si256(l.c1, k0)), p1,
                 _mm256_xor_si256(_mm256_srli_epi64(p0, 32), _mm256_xor_si256(l.c3, k1)), p0};
}

/* 1 in the byte `bit` shifts to where word >= least, as max(word, least) == word. */
__attribute__((target("avx2"))) static inline __m256i kept(__m256i word, __m256i least, int bit) {
  return _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(word, least), word), _mm256_set1_epi32(1 << bit));
}

/* The four words of a block become its four bytes. */
__attribute__((target("avx2"))) static inline void lanes_store(lanes l, __m256i least, uint8_t *keep) {
  __m256i k = _mm256_or_si256(_mm256_or_si256(kept(l.c0, least, 0), kept(l.c1, least, 8)),
                              _mm256_or_si256(kept(l.c2, least, 16), kept(l.c3, least, 24)));
  __m256i low_halves = _mm256_permutevar8x32_epi32(k, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
  _mm_storeu_si128((__m128i *)(void *)keep, _mm256_castsi256_si128(low_halves));
}

/* Two fours at a time, since a round waits for its products. */
__attribute__((target("avx2"))) static void mask_avx2(const am_rng *rng, uint64_t block, uint32_t threshold, size_t n,
                                                      uint8_t *keep) {
  const __m256i least = _mm256_set1_epi32((int)threshold);
  size_t i = 0;
  for (; i + 32 <= n; i += 32, block += 8) {
    lanes a = lanes_start(rng, block), b = lanes_start(rng, block + 4);
    uint32_t k0 = rng->key[0], k1 = rng->key[1];
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      __m256i key0 = _mm256_set1_epi64x(k0), key1 = _mm256_set1_epi64x(k1);
      a = lanes_round(a, key0, key1);
      b = lanes_round(b, key0, key1);
    }
    lanes_store(a, least, keep + i);
    lanes_store(b, least, keep + i + 16);
  }
  if (i < n) mask_plain(rng, block, threshold, n - i, keep + i);
}

/* The same with eight blocks to a register. */
typedef struct wide {
  __m512i c0, c1, c2, c3;
} wide;

__attribute__((target("avx512f"))) static inline wide wide_start(const am_rng *rng, uint64_t block) {
  __m512i low = _mm512_add_epi64(_mm512_set1_epi64((long long)block), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
  return (wide){low, _mm512_srli_epi64(low, 32), _mm512_set1_epi64(rng->fixed[0]), _mm512_set1_epi64(rng->fixed[1])};
}

/* 0x96: the exclusive or of three */
__attribute__((target("avx512f"))) static inline wide wide_round(wide l, __m512i k0, __m512i k1) {
  __m512i p0 = _mm512_mul_epu32(l.c0, _mm512_set1_epi64(0xD2511F53));
  __m512i p1 = _mm512_mul_epu32(l.c2, _mm512_set1_epi64(0xCD9E8D57));
  return (wide){_mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), l.c1, k0, 0x96), p1,
                _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), l.c3, k1, 0x96), p0};
}

__attribute__((target("avx512f"))) static inline __m512i wide_kept(__m512i word, __m512i least, int bit) {
  return _mm512_maskz_set1_epi32(_mm512_cmpge_epu32_mask(word, least), 1 << bit);
}

__attribute__((target("avx512f"))) static inline void wide_store(wide l, __m512i least, uint8_t *keep) {
  __m512i k = _mm512_or_si512(_mm512_or_si512(wide_kept(l.c0, least, 0), wide_kept(l.c1, least, 8)),
                              _mm512_or_si512(wide_kept(l.c2, least, 16), wide_kept(l.c3, least, 24)));
  _mm256_storeu_si256((__m256i *)(void *)keep, _mm512_cvtepi64_epi32(k));
}

__attribute__((target("avx512f"))) static void mask_avx512(const am_rng *rng, uint64_t block, uint32_t threshold,
                                                           size_t n, uint8_t *keep) {
  const __m512i least = _mm512_set1_epi32((int)threshold);
  size_t i = 0;
  for (; i + 64 <= n; i += 64, block += 16) {
    wide a = wide_start(rng, block), b = wide_start(rng, block + 8);
    uint32_t k0 = rng->key[0], k1 = rng->key[1];
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      __m512i key0 = _mm512_set1_epi64(k0), key1 = _mm512_set1_epi64(k1);
      a = wide_round(a, key0, key1);
      b = wide_round(b, key0, key1);
    }
    wide_store(a, least, keep + i);
    wide_store(b, least, keep + i + 32);
  }
  if (i < n) mask_avx2(rng, block, threshold, n - i, keep + i);
}
#else
#define apply_avx2 apply_plain
#define mask_avx2 mask_plain
#define mask_avx512 mask_plain
#endif

/* All paths draw the same masks. */
static bool is_plain(const am_layer *layer) { return am_context_cpu_id(layer->ctx) == AM_CPU_PLAIN; }

/* Elements [first, first + n) of the clip's mask; first is a multiple of 4. */
static void mask(const am_layer *layer, const am_rng *rng, size_t first, size_t n, uint8_t *keep) {
  bool widest = am_context_cpu_id(layer->ctx) == AM_CPU_AVX512;
  (is_plain(layer) ? mask_plain : widest ? mask_avx512 : mask_avx2)(rng, first / 4, threshold_of(layer), n, keep);
}

void am_dropout_mask(const am_layer *layer, uint64_t seed, uint64_t epoch, uint64_t draw, size_t n, uint8_t *keep) {
  am_rng rng = am_rng_stream(seed, AM_FOR_DROPOUT, layer->id, epoch, draw);
  mask(layer, &rng, 0, n, keep);
}

am_real am_dropout_scale(const am_layer *layer) { return (am_real)(1 / (1 - rate_of(layer))); }

/* Padding is zero and stays it. */
void am_dropout_apply(const am_layer *layer, const am_pass *pass, size_t b, size_t first, size_t n, const am_real *from,
                      am_real *to) {
  am_rng rng = am_rng_stream(pass->seed, AM_FOR_DROPOUT, layer->id, pass->epoch, pass->draws[b]);
  uint8_t keep[CHUNK];
  for (size_t at = 0, some; at < n; at += some) {
    size_t skip = (first + at) % 4; /* words come in fours */
    some = n - at < CHUNK - skip ? n - at : CHUNK - skip;
    mask(layer, &rng, first + at - skip, skip + some, keep);
    (is_plain(layer) ? apply_plain : apply_avx2)(keep + skip, am_dropout_scale(layer), some, from + at, to + at);
  }
}

typedef struct job {
  const am_layer *layer;
  const am_pass *pass;
  const am_real *from;
  am_real *to;
  size_t used, pieces; /* of a clip: elements in use, and what they are cut into */
} job;

static void drop_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  size_t b = piece / j->pieces, count = am_shape_count(j->layer->in[0]);
  size_t at = piece % j->pieces * PIECE, end = at + PIECE < j->used ? at + PIECE : j->used;
  am_dropout_apply(j->layer, j->pass, b, at, end - at, j->from + b * count + at, j->to + b * count + at);
}

static void copy_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const job *j = arg;
  size_t at = b * am_shape_count(j->layer->in[0]);
  memcpy(j->to + at, j->from + at, j->used * sizeof *j->to);
}

static void run(const am_layer *layer, const am_pass *pass, const am_real *from, am_real *to) {
  size_t used = am_frames_count(layer->in[0], pass->x_most[0]);
  job j = {layer, pass, from, to, used, (used + PIECE - 1) / PIECE};
  if (!to) return;
  if (pass->training && threshold_of(layer))
    am_parallel_for(layer->ctx, (size_t)pass->batch * j.pieces, drop_piece, &j);
  else if (to != from) am_parallel_for(layer->ctx, (size_t)pass->batch, copy_clip, &j);
}

/* y = x keep / (1 - rate); dx = dy keep / (1 - rate) */
static void forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, pass->x[0], pass->y); }
static void backward(const am_layer *layer, const am_pass *pass) { run(layer, pass, pass->dy, pass->dx[0]); }

const am_layer_class am_dropout = {.type = "dropout",
                                   .help = "sets a share of the values to zero while training",
                                   .table = table,
                                   .options_size = sizeof(dropout_options),
                                   .min_inputs = 1,
                                   .max_inputs = 1,
                                   .build = build,
                                   .forward = forward,
                                   .backward = backward};
