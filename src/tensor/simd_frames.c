/* SPDX-License-Identifier: MIT */
/* tensor/simd_frames.c - the Fourier transform of a vector of real frames, filters over its bins, logarithms and cosine
 * transforms; and their table of this processor path. */
#include "tensor/frames_tables.h"
#include "tensor/simd.h"

/* Two vectors as one row of pairs: a0 b0 a1 b1 ..., its first and its second half. */
#if AM_LANES == 16
#define FIRST 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SECOND 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif AM_LANES == 8
#define FIRST 0, 8, 1, 9, 2, 10, 3, 11
#define SECOND 4, 12, 5, 13, 6, 14, 7, 15
#else
#define FIRST 0, 4, 1, 5
#define SECOND 2, 6, 3, 7
#endif
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vi){__VA_ARGS__})
#endif

/* Each stage moves one bit of the number of the row into the number of the lane. */
AM_INLINE void transpose(vf row[LANES]) {
  vf next[LANES];
  AM_UNROLL
  for (int stage = 1; stage < LANES; stage *= 2) {
    AM_UNROLL
    for (int i = 0; i < LANES / 2; i++) {
      next[2 * i] = SHUFFLE(row[i], row[i + LANES / 2], FIRST);
      next[2 * i + 1] = SHUFFLE(row[i], row[i + LANES / 2], SECOND);
    }
    AM_UNROLL
    for (int i = 0; i < LANES; i++) row[i] = next[i];
  }
}

/* A complex value of all frames: two rows of a block. */
typedef struct vc {
  vf re, im;
} vc;

AM_INLINE vc load_c(const float *p) { return (vc){load(p), load(p + LANES)}; }
AM_INLINE void store_c(float *p, vc v) {
  store(p, v.re);
  store(p + LANES, v.im);
}
AM_INLINE vc plus(vc a, vc b) { return (vc){a.re + b.re, a.im + b.im}; }
AM_INLINE vc minus(vc a, vc b) { return (vc){a.re - b.re, a.im - b.im}; }
AM_INLINE vc minus_i(vc a) { return (vc){a.im, -a.re}; }
AM_INLINE vc times(vc a, const float w[2]) { return (vc){a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]}; }

/* Samples 2j and 2j+1 become real and imaginary part of value j. */
static void load_frames(const am_frame_fft *fft, const float *x, size_t stride, float *to) {
  for (int i = 0; i < fft->n; i += LANES) {
    vf row[LANES];
    const vf window = load(fft->window + i);
    AM_UNROLL
    for (int l = 0; l < LANES; l++) row[l] = load(x + (size_t)l * stride + i) * window;
    transpose(row);
    AM_UNROLL
    for (int l = 0; l < LANES; l++) store(to + (i + l) * LANES, row[l]);
  }
}

/* One butterfly of radix 4, of values q rows of complex values apart; w NULL: all factors are 1. */
AM_INLINE void butterfly(float *at, size_t q, const float *w) {
  const vc a = load_c(at), b = load_c(at + q), c = load_c(at + 2 * q), d = load_c(at + 3 * q);
  const vc even = plus(a, c), odd = plus(b, d), lean = minus(a, c), turned = minus_i(minus(b, d));
  const vc one = plus(lean, turned), two = minus(even, odd), three = minus(lean, turned);
  store_c(at, plus(even, odd));
  store_c(at + q, w ? times(one, w) : one);
  store_c(at + 2 * q, w ? times(two, w + 2) : two);
  store_c(at + 3 * q, w ? times(three, w + 4) : three);
}

/* The complex transform of n/2 values, in place, its frequencies where `order` says; returns the factors after its own. */
static const float *transform(const am_frame_fft *fft, float *z) {
  enum { ROW = 2 * LANES };
  const int half = fft->n / 2;
  const float *w = fft->twiddle;
  int length = half;
  for (; length > 4; length /= 4) {
    const int q = length / 4;
    for (int block = 0; block < half; block += length)
      for (int k = 0; k < q; k++) butterfly(z + (block + k) * ROW, (size_t)q * ROW, w + 6 * k);
    w += 6 * q;
  }
  for (int block = 0; length == 4 && block < half; block += 4) butterfly(z + block * ROW, ROW, NULL);
  for (int block = 0; length == 2 && block < half; block += 2) {
    const vc a = load_c(z + block * ROW), b = load_c(z + (block + 1) * ROW);
    store_c(z + block * ROW, plus(a, b));
    store_c(z + (block + 1) * ROW, minus(a, b));
  }
  return w;
}

AM_INLINE vf square(vc v) { return v.re * v.re + v.im * v.im; }

/* The spectrum X of the real frames from that of the pairs: X[k] = e + w^k o and X[n/2-k] = conj(e - w^k o), with e and o
 * of the even and the odd samples; both are halved by the window. */
static void power(const am_frame_fft *fft, const float *x, size_t stride, float *z, float *out) {
  enum { ROW = 2 * LANES };
  const int half = fft->n / 2;
  load_frames(fft, x, stride, z);
  const float *w = transform(fft, z);
  const vc zero = load_c(z), middle = load_c(z + fft->order[half / 2] * ROW);
  const vf sum = 2.0f * (zero.re + zero.im), difference = 2.0f * (zero.re - zero.im);
  store(out, sum * sum);
  store(out + half * LANES, difference * difference);
  store(out + half / 2 * LANES, 4.0f * square(middle));
  for (int k = 1; k < half / 2; k++) {
    const vc a = load_c(z + fft->order[k] * ROW), b = load_c(z + fft->order[half - k] * ROW);
    const vc even = {a.re + b.re, a.im - b.im}, odd = times((vc){a.im + b.im, b.re - a.re}, w + 2 * k);
    store(out + k * LANES, square(plus(even, odd)));
    store(out + (half - k) * LANES, square(minus(even, odd)));
  }
}

AM_INLINE vf band(int count, const float *w, const float *p) {
  vf sum = {0}, second = {0}, third = {0}, fourth = {0};
  int k = 0;
  for (; k + 4 <= count; k += 4, p += 4 * LANES) {
    sum += w[k] * load(p);
    second += w[k + 1] * load(p + LANES);
    third += w[k + 2] * load(p + 2 * LANES);
    fourth += w[k + 3] * load(p + 3 * LANES);
  }
  for (; k < count; k++, p += LANES) sum += w[k] * load(p);
  return (sum + second) + (third + fourth);
}

static void bands(const am_bands *b, const float *spectrum, int frames, float *out) {
  const float *w = b->weights;
  for (int i = 0; i < b->n; i += LANES) {
    const int some = b->n - i < LANES ? b->n - i : LANES;
    vf row[LANES];
    for (int l = 0; l < LANES; l++) {
      row[l] = (vf){0};
      if (l >= some) continue;
      row[l] = band(b->count[i + l], w, spectrum + b->first[i + l] * LANES);
      w += b->count[i + l];
    }
    transpose(row);
    for (int l = 0; l < frames; l++) {
      float *to = out + (size_t)l * (size_t)b->n + i;
      if (some == LANES) store(to, row[l]);
      else store_some(to, row[l], (size_t)some);
    }
  }
}

/* ln(x) = exponent ln 2 + mantissa of a positive normal x, as the plain kernels split it (Cephes' logf). */
AM_INLINE vf ln_split(vf x, vf *exponent) {
  const vi e = ((vi)x - 0x3f3504f3) >> 23; /* arithmetic */
  const vf m = (vf)((vi)x - (e << 23)) - 1.0f, square = m * m;
  vf p = m * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  *exponent = __builtin_convertvector(e, vf);
  return m + square * (p * m - 0.5f);
}

AM_INLINE vf at_least(vf x, vf least) { return pick(x < least, least, x); } /* NaN stays */

AM_INLINE vf decibel_of(vf x, vf least, vf ref, vf low) {
  vf e, m = ln_split(at_least(x, least), &e);
  return at_least((e * 3.0102999566f + m * 4.3429448190f) - ref, low);
}

static void decibel(size_t n, float least, float ref, float low, float *x) {
  const vf l = splat(least), r = splat(ref), f = splat(low);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(x + i, decibel_of(load(x + i), l, r, f));
  if (i < n) store_some(x + i, decibel_of(load_some(x + i, n - i), l, r, f), n - i);
}

AM_INLINE vf ln_of(vf x, vf least) {
  vf e, m = ln_split(at_least(x, least), &e);
  return e * 0.69314718056f + m;
}

static void ln(size_t n, float least, float *x) {
  const vf l = splat(least);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(x + i, ln_of(load(x + i), l));
  if (i < n) store_some(x + i, ln_of(load_some(x + i, n - i), l), n - i);
}

AM_INLINE vf larger(vf x, vf best) { return pick(x > best, x, best); } /* NaN is passed over */

static float largest(size_t n, const float *x, float least) {
  vf best = splat(least), other = best;
  size_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    best = larger(load(x + i), best);
    other = larger(load(x + i + LANES), other);
  }
  best = larger(other, best);
  for (; i < n; i++) least = x[i] > least ? x[i] : least;
  for (int l = 0; l < LANES; l++) least = best[l] > least ? best[l] : least;
  return least;
}

enum { HALF = LANES / 2, TALL = 4 };
typedef float vh __attribute__((vector_size(AM_LANES * 2), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(AM_LANES * 4)));
typedef double vd_anywhere __attribute__((vector_size(AM_LANES * 4), aligned(8), may_alias));

/* TALL rows (less: the last one again) of one or two vectors of columns. */
AM_INLINE void cosines_tile(size_t rows, int n, int keep, int vectors, const double *table, const float *x, float *y,
                            size_t wide) {
  vd sum[TALL][2] = {0};
  const float *row[TALL];
  for (size_t r = 0; r < TALL; r++) row[r] = x + (r < rows ? r : rows - 1) * (size_t)n;
  for (int i = 0; i < n; i++, table += keep) {
    AM_UNROLL
    for (int v = 0; v < vectors; v++) {
      const vd of = *(const vd_anywhere *)(table + v * HALF);
      AM_UNROLL
      for (int r = 0; r < TALL; r++) sum[r][v] += of * (double)row[r][i];
    }
  }
  for (size_t r = 0; r < rows && r < TALL; r++)
    for (int v = 0; v < vectors; v++) *(vh *)(y + r * wide + (size_t)v * HALF) = __builtin_convertvector(sum[r][v], vh);
}

static void cosines(size_t rows, int n, int keep, const double *table, const float *x, float *y, size_t wide) {
  for (; rows; x += TALL * (size_t)n, y += TALL * wide, rows -= rows < TALL ? rows : TALL) {
    int k = 0;
    for (; k + 2 * HALF <= keep; k += 2 * HALF) cosines_tile(rows, n, keep, 2, table + k, x, y + k, wide);
    for (; k + HALF <= keep; k += HALF) cosines_tile(rows, n, keep, 1, table + k, x, y + k, wide);
    for (; k < keep; k++)
      for (size_t r = 0; r < rows && r < TALL; r++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += table[(size_t)i * (size_t)keep + (size_t)k] * x[r * (size_t)n + (size_t)i];
        y[r * wide + (size_t)k] = (float)sum;
      }
  }
}

const am_frame_kernels AM_SIMD(am_frame_table) = {
    .rounding = 1,
    .lanes = LANES,
    .power = power,
    .bands = bands,
    .largest = largest,
    .decibel = decibel,
    .ln = ln,
    .cosines = cosines,
};
