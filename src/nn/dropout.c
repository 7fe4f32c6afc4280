/* nn/dropout.c - inverted dropout: y = x keep / (1 - rate), keep drawn anew for each clip and epoch.
 *
 * Element i of a clip takes word i of the Philox stream (seed, DROPOUT, layer,
 * epoch, draw) and is kept when the word is at least rate 2^32, so the mask
 * depends neither on the batch nor on threads.  Nothing is stored: backward
 * draws the same words again, which costs less than the memory would. */
#include "nn/layer.h"

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

#ifdef HAVE_AVX2
/* Four blocks at once, one to a 64-bit lane of which the low half counts: the
 * product instruction reads only low halves, so nothing need be masked. */
__attribute__((target("avx2"))) static void mask_avx2(const am_rng *rng, uint64_t block, uint32_t threshold, size_t n,
                                                      uint8_t *keep) {
  const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57);
  const __m256i least = _mm256_set1_epi32((int)threshold), low_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
  size_t i = 0;
  for (; i + 16 <= n; i += 16, block += 4) {
    __m256i c0 = _mm256_add_epi64(_mm256_set1_epi64x((long long)block), _mm256_setr_epi64x(0, 1, 2, 3));
    __m256i c1 = _mm256_srli_epi64(c0, 32);
    __m256i c2 = _mm256_set1_epi64x(rng->fixed[0]), c3 = _mm256_set1_epi64x(rng->fixed[1]);
    uint32_t k0 = rng->key[0], k1 = rng->key[1];
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      __m256i p0 = _mm256_mul_epu32(c0, m0), p1 = _mm256_mul_epu32(c2, m1);
      c0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c1), _mm256_set1_epi64x(k0));
      c2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c3), _mm256_set1_epi64x(k1));
      c1 = p1;
      c3 = p0;
    }
    /* word >= threshold as max(word, threshold) == word; the four words of a block become its four bytes. */
    __m256i k = _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c0, least), c0), _mm256_set1_epi32(1));
    k = _mm256_or_si256(
        k, _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c1, least), c1), _mm256_set1_epi32(1 << 8)));
    k = _mm256_or_si256(
        k, _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c2, least), c2), _mm256_set1_epi32(1 << 16)));
    k = _mm256_or_si256(
        k, _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c3, least), c3), _mm256_set1_epi32(1 << 24)));
    _mm_storeu_si128((__m128i *)(void *)(keep + i), _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(k, low_halves)));
  }
  if (i < n) mask_plain(rng, block, threshold, n - i, keep + i);
}
#endif

/* Elements [first, first + n) of the clip's mask; first is a multiple of 4. */
static void mask(const am_layer *layer, const am_rng *rng, size_t first, size_t n, uint8_t *keep) {
  uint32_t threshold = threshold_of(layer);
#ifdef HAVE_AVX2
  if (am_context_cpu_id(layer->ctx) != AM_CPU_PLAIN) {
    mask_avx2(rng, first / 4, threshold, n, keep);
    return;
  }
#endif
  mask_plain(rng, first / 4, threshold, n, keep);
}

void am_dropout_mask(const am_layer *layer, uint64_t seed, uint64_t epoch, uint64_t draw, size_t n, uint8_t *keep) {
  am_rng rng = am_rng_stream(seed, AM_FOR_DROPOUT, layer->id, epoch, draw);
  mask(layer, &rng, 0, n, keep);
}

typedef struct job {
  const am_layer *layer;
  const am_pass *pass;
  const am_real *from;
  am_real *to;
  size_t pieces; /* of a clip */
} job;

static void drop_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const am_pass *pass = j->pass;
  size_t b = piece / j->pieces, count = am_shape_count(j->layer->in[0]);
  size_t at = piece % j->pieces * PIECE, end = at + PIECE < count ? at + PIECE : count;
  const am_real *from = j->from + b * count;
  am_real *to = j->to + b * count, scale = (am_real)(1 / (1 - rate_of(j->layer)));
  am_rng rng = am_rng_stream(pass->seed, AM_FOR_DROPOUT, j->layer->id, pass->epoch, pass->draws[b]);
  uint8_t keep[CHUNK];
  for (; at < end; at += CHUNK) {
    size_t n = end - at < CHUNK ? end - at : CHUNK;
    mask(j->layer, &rng, at, n, keep);
    /* A product, so that NaN passes even where it is dropped.  Padding is zero and stays it. */
    for (size_t i = 0; i < n; i++) to[at + i] = from[at + i] * ((am_real)keep[i] * scale);
  }
}

static void run(const am_layer *layer, const am_pass *pass, const am_real *from, am_real *to) {
  size_t count = am_shape_count(layer->in[0]);
  if (!to) return;
  if (pass->training && threshold_of(layer)) {
    job j = {layer, pass, from, to, (count + PIECE - 1) / PIECE};
    am_parallel_for(layer->ctx, (size_t)pass->batch * j.pieces, drop_piece, &j);
  } else if (to != from) {
    memcpy(to, from, (size_t)pass->batch * count * sizeof *to);
  }
}

/* y = x keep / (1 - rate); dx = dy keep / (1 - rate) */
static void forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, pass->x[0], pass->y); }
static void backward(const am_layer *layer, const am_pass *pass) { run(layer, pass, pass->dy, pass->dx[0]); }

const am_layer_class am_dropout = {
    .type = "dropout", .help = "sets a share of the values to zero while training", .table = table,
    .options_size = sizeof(dropout_options), .min_inputs = 1, .max_inputs = 1, .build = build,
    .forward = forward, .backward = backward};
