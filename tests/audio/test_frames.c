/* SPDX-License-Identifier: MIT */
/* Spectra, bands, logarithms and cosine transforms of blocks of frames: every processor path against double precision and
 * against the plain kernels. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"
#include "base/rng.h"

enum { MOST_LANES = 16 };

/* The vector paths of this machine; each context is freed by the caller. */
static size_t fast_contexts(am_context *out[AM_TEST_CPUS]) {
  const char *names[AM_TEST_CPUS];
  size_t n = 0, all = am_test_cpus(names);
  for (size_t i = 0; i < all; i++)
    if (strcmp(names[i], "plain")) out[n++] = am_test_context(1, names[i]);
  return n;
}

/* Its own allocation, aligned and of the exact size, so that a sanitizer sees what is past the end. */
static float *aligned(size_t n) {
  void *p = NULL;
  assert_int_equal(posix_memalign(&p, 64, n * sizeof(float)), 0);
  return p;
}

static float *noise(am_rng *rng, size_t n) {
  float *x = malloc(n * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++) x[i] = (float)am_rng_normal(rng);
  return x;
}

/* |X[k]|^2 by the definition. */
static double exact_power(const float *x, const float *window, int n, int k) {
  const double pi = 3.14159265358979323846;
  double re = 0, im = 0;
  for (int i = 0; i < n; i++) {
    const double v = (double)x[i] * window[i], turn = 2 * pi * (double)((int64_t)i * k % n) / n;
    re += v * cos(turn), im -= v * sin(turn);
  }
  return re * re + im * im;
}

static void check_power(am_context *ctx, int n, size_t stride) {
  am_error err = AM_ERROR_INIT;
  const am_frame_kernels *kernels = am_frame_kernels_of(ctx);
  const size_t lanes = (size_t)kernels->lanes, bins = (size_t)n / 2 + 1;
  am_rng rng = am_rng_stream(3, AM_FOR_SYNTH, (uint64_t)n, stride, 0);
  float *x = noise(&rng, (lanes - 1) * stride + (size_t)n), *window = noise(&rng, (size_t)n);
  float *work = aligned(lanes * (size_t)n), *power = aligned(lanes * bins);
  am_frame_fft *fft;
  am_test_ok(am_frame_fft_create(ctx, n, window, &fft, &err), &err);
  assert_non_null(fft);
  kernels->power(fft, x, stride, work, power);
  for (size_t l = 0; l < lanes; l += lanes - 1) { /* the first and the last */
    double total = 0;
    for (int i = 0; i < n; i++) total += pow((double)x[l * stride + (size_t)i] * window[i], 2);
    for (size_t k = 0; k<bins; k += n> 1024 ? 37 : 1) {
      const double exact = sqrt(exact_power(x + l * stride, window, n, (int)k)), got = sqrt(power[k * lanes + l]);
      const double bound = 3e-7 * sqrt(total) * log2(n); /* of the magnitude: rounding of each pass */
      if (!(fabs(got - exact) <= bound)) fail_msg("n %d, bin %zu, frame %zu: %g, wanted %g", n, k, l, got, exact);
    }
  }
  am_frame_fft_free(fft);
  free(x), free(window), free(work), free(power);
}

static void test_power(void **state) {
  (void)state;
  am_context *ctx[AM_TEST_CPUS];
  for (size_t i = 0, paths = fast_contexts(ctx); i < paths; i++) {
    for (int n = AM_FRAME_FFT_LEAST; n <= AM_FRAME_FFT_MOST; n *= 2) check_power(ctx[i], n, (size_t)n / 2 + 3);
    am_context_free(ctx[i]);
  }
}

static void test_lengths_without_a_form(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  float window[400] = {0};
  const int lengths[] = {16, 32, 96, 400, 2 * AM_FRAME_FFT_MOST};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    am_frame_fft *fft;
    am_test_ok(am_frame_fft_create(ctx, lengths[i], window, &fft, &err), &err);
    assert_null(fft);
  }
  am_context_free(ctx);
}

/* Filters of 0 to 40 bins, any number of them and of frames, each path by the sum in double. */
static void check_bands(am_context *ctx, int n) {
  enum { BINS = 64 };
  const am_frame_kernels *kernels = am_frame_kernels_of(ctx);
  const int lanes = kernels->lanes;
  am_rng rng = am_rng_stream(4, AM_FOR_SYNTH, (uint64_t)n, 0, 0);
  int first[70], count[70], total = 0;
  for (int i = 0; i < n; i++) {
    count[i] = (int)am_rng_below(&rng, i % 5 ? 4 : 41);
    first[i] = (int)am_rng_below(&rng, (uint64_t)(BINS - count[i] + 1));
    total += count[i];
  }
  float *weights = noise(&rng, (size_t)total + 1), *power = noise(&rng, (size_t)(BINS * lanes));
  for (int frames = 1; frames <= lanes; frames++) {
    float *out = malloc((size_t)(frames * n) * sizeof *out), *w = weights;
    assert_non_null(out);
    kernels->bands(&(am_bands){.n = n, .first = first, .count = count, .weights = weights}, power, frames, out);
    for (int i = 0; i < n; w += count[i++])
      for (int l = 0; l < frames; l++) {
        double sum = 0, size = 0;
        for (int k = 0; k < count[i]; k++) {
          const double part = (double)w[k] * power[(first[i] + k) * lanes + l];
          sum += part, size += fabs(part);
        }
        assert_true(fabs(out[l * n + i] - sum) <= 1e-6 * size);
      }
    free(out);
  }
  free(weights), free(power);
}

static void test_bands(void **state) {
  (void)state;
  const char *names[AM_TEST_CPUS];
  for (size_t i = 0, paths = am_test_cpus(names); i < paths; i++) {
    am_context *ctx = am_test_context(1, names[i]);
    for (int n = 1; n <= 70; n += n < 35 ? 1 : 5) check_bands(ctx, n);
    am_context_free(ctx);
  }
}

static double ulps(float got, double exact) {
  return fabs((double)got - exact) / (double)(nextafterf(fabsf((float)exact), INFINITY) - fabsf((float)exact));
}

/* Positive normal floats, 2.1 million of them in steps that meet every exponent and mantissas all over. */
static void check_logarithms(am_context *ctx, double most_ln, double most_decibel) {
  enum { BLOCK = 4099 };
  const am_frame_kernels *kernels = am_frame_kernels_of(ctx);
  const float least = 1.17549435e-38f;
  static float x[BLOCK], a[BLOCK], b[BLOCK];
  double worst_ln = 0, worst_decibel = 0;
  for (uint32_t bits = 0x00800000u; bits < 0x7f800000u - 1009u * BLOCK;) {
    for (int i = 0; i < BLOCK; i++, bits += 1009) memcpy(x + i, &bits, sizeof *x);
    memcpy(a, x, sizeof x);
    memcpy(b, x, sizeof x);
    kernels->ln(BLOCK, least, a);
    kernels->decibel(BLOCK, least, 0, -HUGE_VALF, b);
    for (int i = 0; i < BLOCK; i++) {
      worst_ln = fmax(worst_ln, ulps(a[i], log((double)x[i])));
      worst_decibel = fmax(worst_decibel, ulps(b[i], 10 * log10((double)x[i])));
    }
  }
  print_message("# %s: ln %.2f ulp, decibel %.2f ulp\n", am_context_cpu(ctx), worst_ln, worst_decibel);
  assert_true(worst_ln <= most_ln);
  assert_true(worst_decibel <= most_decibel);
}

static void test_logarithms(void **state) {
  (void)state;
  const char *names[AM_TEST_CPUS];
  for (size_t i = 0, paths = am_test_cpus(names); i < paths; i++) {
    am_context *ctx = am_test_context(1, names[i]);
    check_logarithms(ctx, 4, 4);
    am_context_free(ctx);
  }
}

/* Any number of values: floors, references, the largest; NaN passes as it does in the plain kernels. */
static void test_logarithms_of_odd_sizes(void **state) {
  (void)state;
  am_context *ctx[AM_TEST_CPUS];
  const am_frame_kernels *plain = am_frame_kernels_plain();
  am_rng rng = am_rng_stream(5, AM_FOR_SYNTH, 0, 0, 0);
  for (size_t i = 0, paths = fast_contexts(ctx); i < paths; i++) {
    const am_frame_kernels *fast = am_frame_kernels_of(ctx[i]);
    for (size_t n = 0; n < 70; n++) {
      float *x = noise(&rng, n), *y = malloc(n * sizeof *y + 1);
      if (n > 2) x[n / 2] = NAN;
      assert_true(fast->largest(n, x, 1e-3f) == plain->largest(n, x, 1e-3f));
      memcpy(y, x, n * sizeof *y);
      fast->decibel(n, 1e-5f, 3, -20, x);
      plain->decibel(n, 1e-5f, 3, -20, y);
      for (size_t k = 0; k < n; k++) assert_true(isnan(y[k]) ? isnan(x[k]) : fabsf(x[k] - y[k]) <= 1e-5f);
      for (size_t k = 0; k < n; k++) x[k] = y[k] = isnan(y[k]) ? NAN : y[k] * y[k];
      fast->ln(n, 1e-5f, x);
      plain->ln(n, 1e-5f, y);
      for (size_t k = 0; k < n; k++) assert_true(isnan(y[k]) ? isnan(x[k]) : fabsf(x[k] - y[k]) <= 2e-6f);
      free(x), free(y);
    }
    am_context_free(ctx[i]);
  }
}

static void check_cosines(const am_frame_kernels *fast, am_rng *rng, size_t rows, int n, int keep) {
  const size_t wide = (size_t)keep + 3;
  float *x = noise(rng, rows * (size_t)n), *y = noise(rng, rows * wide), *z = malloc(rows * wide * sizeof *z);
  double *table = malloc((size_t)(n * keep) * sizeof *table);
  memcpy(z, y, rows * wide * sizeof *z);
  for (int i = 0; i < n * keep; i++) table[i] = am_rng_normal(rng);
  fast->cosines(rows, n, keep, table, x, y, wide);
  am_frame_kernels_plain()->cosines(rows, n, keep, table, x, z, wide);
  for (size_t i = 0; i < rows * wide; i++)
    if (!(fabsf(y[i] - z[i]) <= 2e-7f * (float)n)) fail_msg("%zu x %d x %d: %g, wanted %g", rows, n, keep, y[i], z[i]);
  free(x), free(y), free(z), free(table);
}

static void test_cosines(void **state) {
  (void)state;
  am_context *ctx[AM_TEST_CPUS];
  am_rng rng = am_rng_stream(6, AM_FOR_SYNTH, 0, 0, 0);
  for (size_t i = 0, paths = fast_contexts(ctx); i < paths; i++) {
    for (size_t rows = 1; rows < 10; rows++)
      for (int keep = 1; keep < 43; keep += rows % 3 ? 3 : 1)
        check_cosines(am_frame_kernels_of(ctx[i]), &rng, rows, 44, keep);
    am_context_free(ctx[i]);
  }
}

/* What the vector paths make of a sound is what the plain one makes of it, and the same bits on all of them that fuse
 * multiplications with additions; a frame does not depend on the frames beside it. */
static void check_features(const char *options, float decibels) {
  am_context *ctx[AM_TEST_CPUS], *plain = am_test_context(1, "plain");
  const size_t paths = fast_contexts(ctx);
  size_t n;
  int t, f;
  float *x = golden_sound(&n), *first = NULL;
  am_features *fx = make_features(plain, options);
  for (size_t length = 1; length <= n; length += length / 2 + 997) {
    float *wanted = compute(fx, x, length, 1, &t, &f);
    for (size_t i = 0; i < paths; i++) {
      am_features *fast = make_features(ctx[i], options);
      float *got = compute(fast, x, length, 1, &t, &f);
      for (int k = 0; k < t * f; k++)
        if (!(fabsf(got[k] - wanted[k]) <= decibels)) fail_msg("%s [%d]: %g, wanted %g", options, k, got[k], wanted[k]);
      if (first) assert_memory_equal(got, first, (size_t)(t * f) * sizeof *got);
      else first = malloc((size_t)(t * f) * sizeof *first + 1), memcpy(first, got, (size_t)(t * f) * sizeof *got);
      free(got);
      am_features_free(fast);
    }
    free(first), first = NULL;
    free(wanted);
  }
  free(x);
  am_features_free(fx);
  am_context_free(plain);
  for (size_t i = 0; i < paths; i++) am_context_free(ctx[i]);
}

static void test_features(void **state) {
  (void)state;
  check_features("n_fft=512 hop=256 mels=100", 2e-3f);
  check_features("n_fft=1024 hop=333 mels=40 center=false window=700", 2e-3f);
  check_features("n_fft=400 hop=160 mels=23", 2e-3f); /* a length that FFTW transforms */
  check_features("n_fft=512 hop=256 n_fft_also=2048", 2e-3f);
  check_features("kind=mfcc mfcc=13 deltas=delta_delta n_fft=512 hop=600", 5e-3f);
  check_features("log=natural amin=1e-8 n_fft=64 hop=7 mels=8", 1e-3f);
}

static void test_frames_are_independent(void **state) {
  (void)state;
  am_context *ctx[AM_TEST_CPUS];
  size_t n;
  int t, f, all;
  float *x = golden_sound(&n);
  for (size_t i = 0, paths = fast_contexts(ctx); i < paths; i++) {
    am_features *fx = make_features(ctx[i], "kind=mel n_fft=512 hop=128 center=false");
    float *whole = compute(fx, x, n, 1, &all, &f);
    for (int from = 1; from < 40; from += 3) { /* the frames of a sound that begins some frames later */
      float *part = compute(fx, x + from * 128, n - (size_t)from * 128, 1, &t, &f);
      assert_int_equal(t, all - from);
      assert_memory_equal(part, whole + from * f, (size_t)(t * f) * sizeof *part);
      free(part);
    }
    free(whole);
    am_features_free(fx);
    am_context_free(ctx[i]);
  }
  free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_power),    cmocka_unit_test(test_lengths_without_a_form),
      cmocka_unit_test(test_bands),    cmocka_unit_test(test_logarithms),
      cmocka_unit_test(test_cosines),  cmocka_unit_test(test_logarithms_of_odd_sizes),
      cmocka_unit_test(test_features), cmocka_unit_test(test_frames_are_independent),
  };
  return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
