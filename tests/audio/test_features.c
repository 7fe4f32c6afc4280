/* SPDX-License-Identifier: MIT */
/* Features against librosa's numbers (tools/golden-audio.py), and their properties. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"

/* |difference| <= 1e-3 dB above -60 dB of the clip's maximum, 5e-3 below; mean 1e-4. */
static void assert_decibels(const float *got, const float *wanted, size_t n) {
  float peak = wanted[0];
  double sum = 0;
  for (size_t i = 0; i < n; i++) peak = wanted[i] > peak ? wanted[i] : peak;
  am_test_worst worst = {0};
  for (size_t i = 0; i < n; i++) {
    am_test_compare(&worst, i, got[i], wanted[i], wanted[i] > peak - 60 ? 1e-3 : 5e-3);
    sum += fabs((double)got[i] - wanted[i]);
  }
  am_test_close_report(__FILE__, __LINE__, "decibels", n, &worst);
  if (!(sum / (double)n <= 1e-4)) fail_msg("mean difference %.3g dB is over 1e-4", sum / (double)n);
}

static void check_golden(const char *name, const char *options, bool decibels) {
  am_context *ctx = am_test_context(1, NULL);
  size_t n;
  int t, f;
  float *x = golden_sound(&n);
  am_features *fx = make_features(ctx, options);
  float *got = compute(fx, x, n, 1, &t, &f);
  am_npy wanted = golden(name, "f4");
  assert_int_equal(t, wanted.shape[0]);
  assert_int_equal(f, wanted.shape[1]);
  if (decibels) assert_decibels(got, wanted.data, wanted.n);
  else assert_allclose_f(got, (float *)wanted.data, wanted.n, 1e-6, 1e-3);
  am_npy_free(&wanted);
  free(got);
  free(x);
  am_features_free(fx);
  am_context_free(ctx);
}

static void test_log_mel_2048(void **state) {
  (void)state;
  check_golden("logmel2048", "n_fft=2048 hop=512 mels=128", true);
}
static void test_mel_rate_apart(void **state) {
  (void)state;
  check_golden("melrate", "mel_rate=30000 n_fft=2048 hop=1024", true);
}
static void test_mfcc_40(void **state) {
  (void)state;
  check_golden("mfcc40", "kind=mfcc mfcc=40 ref=one", false);
}
static void test_deltas(void **state) {
  (void)state;
  check_golden("deltas", "kind=mfcc mfcc=13 ref=one deltas=delta_delta", false);
}
static void test_trimmed(void **state) {
  (void)state;
  check_golden("trimmel", "trim_db=30 n_fft=512 hop=512 mels=32", true);
}

static void test_htk_ref_one_no_floor(void **state) {
  (void)state;
  check_golden("htk", "mels=64 mel_scale=htk mel_norm=none ref=one top_db=0 f_min=50 f_max=8000 window=1024", true);
}

static void test_natural_uncentred_pre_emphasis(void **state) {
  (void)state;
  check_golden("natural", "n_fft=512 hop=400 mels=40 center=false pre_emphasis=0.97 log=natural amin=1e-8", false);
}

/* The published experiment's shape: 128 mels, 549 frames, the clip padded to 140,526 samples. */
static void test_log_mel_512_padded(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  size_t n;
  int t, f;
  float *x = golden_sound(&n), kept[21 * 128];
  am_features *fx = make_features(ctx, "n_fft=512 hop=256 samples=140526");
  assert_int_equal(am_features_fixed_frames(fx), 549);
  float *got = compute(fx, x, n, 1, &t, &f);
  assert_int_equal(t, 549);
  assert_int_equal(f, 128);
  am_npy wanted = golden("logmel512", "f4");
  assert_int_equal(wanted.n, 21 * 128);
  for (int row = 0; row < 21; row++) {
    int from = row < 19 ? 3 * row : row == 19 ? 100 : 548;
    memcpy(kept + row * 128, got + from * 128, 128 * sizeof *got);
  }
  assert_decibels(kept, wanted.data, wanted.n);
  am_npy_free(&wanted);
  free(got);
  free(x);
  am_features_free(fx);
  am_context_free(ctx);
}

static void test_mean_over_time(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  size_t n;
  int t, f;
  float *x = golden_sound(&n);
  am_features *fx = make_features(ctx, "kind=mfcc mfcc=40 ref=one mean_over_time=true divide=255");
  assert_int_equal(am_features_fixed_frames(fx), 40);
  float *got = compute(fx, x, n, 1, &t, &f);
  am_npy wanted = golden("meanmfcc", "f4");
  assert_int_equal(t, 40);
  assert_int_equal(f, 1);
  assert_allclose_f(got, (float *)wanted.data, 40, 1e-6, 1e-6);
  am_npy_free(&wanted);
  free(got);
  free(x);
  am_features_free(fx);
  am_context_free(ctx);
}

static void test_power_mel(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  size_t n;
  int t, f;
  float *x = golden_sound(&n);
  am_features *fx = make_features(ctx, "kind=mel n_fft=1024 hop=512 mels=32");
  float *got = compute(fx, x, n, 1, &t, &f);
  am_npy wanted = golden("power", "f4");
  assert_int_equal((size_t)t * (size_t)f, wanted.n);
  assert_allclose_f(got, (float *)wanted.data, wanted.n, 2e-5, 1e-9);
  am_npy_free(&wanted);
  free(got);
  free(x);
  am_features_free(fx);
  am_context_free(ctx);
}

static void check_filters(const char *name, bool htk, bool norm) {
  am_error err = AM_ERROR_INIT;
  float got[20 * 129];
  am_npy wanted = golden(name, "f4");
  assert_int_equal(wanted.n, 20 * 129);
  am_test_ok(am_mel_filters(16000, 256, 20, 20, 7600, htk, norm, 1, got, &err), &err);
  assert_allclose_f(got, (float *)wanted.data, wanted.n, 1e-6, 1e-7);
  am_npy_free(&wanted);
}

static void test_filters(void **state) {
  (void)state;
  check_filters("filters-slaney", false, true);
  check_filters("filters-htk", true, false);
}

/* A filter's centre moves by the warp factor below the boundary and never above half the rate. */
static void test_warped_filters(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  enum { BINS = 1025, MELS = 40 };
  float *plain = calloc(BINS * MELS, sizeof *plain), *warped = calloc(BINS * MELS, sizeof *warped);
  assert_non_null(plain);
  assert_non_null(warped);
  am_test_ok(am_mel_filters(22050, 2048, MELS, 0, 11025, false, false, 1, plain, &err), &err);
  am_test_ok(am_mel_filters(22050, 2048, MELS, 0, 11025, false, false, 1.1, warped, &err), &err);
  for (int m = 0; m < MELS; m++) {
    double a = 0, b = 0, wa = 0, wb = 0;
    for (int k = 0; k < BINS; k++) {
      a += k * (double)plain[m * BINS + k];
      wa += plain[m * BINS + k];
      b += k * (double)warped[m * BINS + k];
      wb += warped[m * BINS + k];
    }
    double hz = 22050.0 / 2048, from = a / wa * hz, to = b / wb * hz;
    if (from < 3500) assert_true(fabs(to - 1.1 * from) < hz);
    assert_true(to > from && to < 11025);
  }
  assert_true(plain[(MELS - 1) * BINS + 1023] > 0 && warped[(MELS - 1) * BINS + 1023] > 0);
  am_test_fails(am_mel_filters(22050, 2048, MELS, 5000, 4000, false, false, 1, plain, &err), AM_E_CONFIG, &err,
                "f_min 5000");
  am_test_fails(am_mel_filters(22050, 2048, MELS, 0, 4000, false, false, 3, plain, &err), AM_E_USAGE, &err,
                "warp factor 3");
  free(plain);
  free(warped);
}

static void test_hann(void **state) {
  (void)state;
  float w[8];
  am_hann(w, 8);
  for (int i = 0; i < 8; i++) assert_true(fabs(w[i] - pow(sin(3.14159265358979323846 * i / 8), 2)) < 1e-7);
}

static void check_power_to_db(const am_frame_kernels *kernels) {
  float x[] = {1, 10, 100, 1e-3f, 0, 2}, y[6];
  memcpy(y, x, sizeof x);
  am_power_to_db(kernels, y, 6, true, 1e-10, 80);
  const float max_floor[] = {-20, -10, 0, -50, -80, -16.9897f};
  assert_allclose_f(y, max_floor, 6, 0, 2e-5);
  memcpy(y, x, sizeof x);
  am_power_to_db(kernels, y, 6, false, 1e-10, 0);
  const float one_open[] = {0, 10, 20, -30, -100, 3.0103f};
  assert_allclose_f(y, one_open, 6, 0, 2e-5);
  for (int e = -300; e <= 300; e++) { /* the logarithm over its range */
    float p = (float)pow(10, e / 10.0), got = p;
    am_power_to_db(kernels, &got, 1, false, 1e-30, 0);
    assert_true(fabs(got - 10 * log10((double)p)) < 2e-5);
  }
}

static void test_power_to_db(void **state) {
  (void)state;
  const char *names[AM_TEST_CPUS];
  for (size_t i = 0, n = am_test_cpus(names); i < n; i++) {
    am_context *ctx = am_test_context(1, names[i]);
    check_power_to_db(am_frame_kernels_of(ctx));
    am_context_free(ctx);
  }
}

static void check_delta(int width) {
  char name[16];
  snprintf(name, sizeof name, "delta%d", width);
  am_npy wanted = golden(name, "f4"); /* (3, T, F): input, first order, second order */
  size_t n = (size_t)width * 5;
  const float *x = wanted.data;
  float got[9 * 5];
  for (int order = 1; order <= 2; order++) {
    am_delta(x, width, 5, order, got);
    assert_allclose_f(got, x + (size_t)order * n, n, 1e-5, 1e-4);
  }
  am_npy_free(&wanted);
}

static void test_short_deltas(void **state) {
  (void)state;
  check_delta(3);
  check_delta(6);
  check_delta(9);
  float two[] = {1, 5}, got[] = {9, 9};
  am_delta(two, 2, 1, 1, got);
  assert_true(got[0] == 0 && got[1] == 0);
}

static void test_dct_is_orthonormal(void **state) {
  (void)state;
  double table[16 * 16];
  float unit[16], rows[16][16];
  am_dct2_table(table, 16, 16);
  for (int i = 0; i < 16; i++) {
    memset(unit, 0, sizeof unit);
    unit[i] = 1;
    am_dct2_ortho(unit, 16, 16, table, rows[i]);
  }
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) {
      double dot = 0;
      for (int k = 0; k < 16; k++) dot += (double)rows[i][k] * rows[j][k];
      assert_true(fabs(dot - (i == j)) < 1e-6);
    }
}

/* Very short clips give one frame, or as many as their padding; never an error. */
static void test_short_clips(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const char *options[] = {"",
                           "center=false",
                           "kind=mfcc deltas=delta_delta",
                           "samples=4000",
                           "trim_db=30 pre_emphasis=0.5",
                           "kind=mfcc mean_over_time=true"};
  float x[] = {0.5f, -0.25f, 0.125f};
  for (size_t o = 0; o < sizeof options / sizeof *options; o++)
    for (size_t n = 0; n <= 3; n++) {
      am_features *fx = make_features(ctx, options[o]);
      int t, f;
      float *got = compute(fx, x, n, 1, &t, &f);
      assert_true(t >= 1);
      for (int i = 0; i < t * f; i++) assert_true(isfinite(got[i]));
      free(got);
      am_features_free(fx);
    }
  am_context_free(ctx);
}

static void test_max_frames_and_cut(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  size_t n;
  int t, f, all_t;
  float *x = golden_sound(&n);
  am_features *fx = make_features(ctx, "kind=mel max_frames=7"), *all = make_features(ctx, "kind=mel");
  am_features *cut = make_features(ctx, "kind=mel samples=3072");
  float *a = compute(fx, x, n, 1, &t, &f), *b = compute(all, x, n, 1, &all_t, &f);
  assert_int_equal(t, 7);
  assert_int_equal(all_t, 26);
  assert_memory_equal(a, b, sizeof *a * 7 * 128);
  free(a);
  free(b);
  a = compute(cut, x, n, 1, &t, &f);
  b = compute(all, x, 3072, 1, &all_t, &f);
  assert_int_equal(t, 7);
  assert_int_equal(all_t, 7);
  assert_memory_equal(a, b, sizeof *a * 7 * 128); /* cutting is the same as a shorter clip */
  free(a);
  free(b);
  free(x);
  am_features_free(fx);
  am_features_free(all);
  am_features_free(cut);
  am_context_free(ctx);
}

typedef struct many {
  const am_features *fx;
  const float *x;
  size_t n;
  float *out;
  size_t each;
  atomic_int failed;
} many;

static void one_of_many(void *arg, size_t piece, int worker) {
  (void)worker;
  many *m = arg;
  int t;
  if (am_features_compute(m->fx, m->x + piece, m->n - 64, 1, m->out + piece * m->each, &t, NULL))
    atomic_store(&m->failed, 1);
}

/* One am_features shared by threads gives each clip the same bits as alone. */
static void test_threads_share(void **state) {
  (void)state;
  am_context *ctx = am_test_context(4, NULL);
  size_t n;
  int t, f;
  float *x = golden_sound(&n);
  am_features *fx = make_features(ctx, "n_fft=512 hop=256");
  am_features_shape(fx, n - 64, &t, &f);
  many m = {.fx = fx, .x = x, .n = n, .each = (size_t)t * (size_t)f};
  m.out = malloc(64 * m.each * sizeof *m.out);
  assert_non_null(m.out);
  atomic_init(&m.failed, 0);
  am_parallel_for(ctx, 64, one_of_many, &m);
  assert_int_equal(atomic_load(&m.failed), 0);
  for (size_t i = 0; i < 64; i++) {
    float *alone = compute(fx, x + i, n - 64, 1, &t, &f);
    assert_memory_equal(alone, m.out + i * m.each, m.each * sizeof *alone);
    free(alone);
  }
  free(m.out);
  free(x);
  am_features_free(fx);
  am_context_free(ctx);
}

static void test_bad_options(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  refuse_features(ctx, "n_fft=513", "must be even");
  refuse_features(ctx, "n_fft=512 window=600", "do not fit into n_fft 512");
  refuse_features(ctx, "kind=mfcc mfcc=41 mels=40", "at least as many mels");
  refuse_features(ctx, "f_max=12000", "half the rate");
  refuse_features(ctx, "f_min=9000 f_max=8000", "f_min < f_max");
  refuse_features(ctx, "kind=mfccs", "mfcc");
  refuse_features(ctx, "hop=0", "hop");
  am_context_free(ctx);
}

/* What a config cannot say, a program can: its options do not pass through the table. */
static void options_of_programs_are_checked_too(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_features *fx = make_features(ctx, "mels=8"), *none;
  am_feature_options good = *am_features_options(fx), o = good;
  o.kind = AM_FEATURE_WAVEFORM;
  am_test_fails(am_features_create(ctx, &o, &none, &err), AM_E_CONFIG, &err, "waveforms are read directly");
  o = good;
  o.hop = 0;
  am_test_fails(am_features_create(ctx, &o, &none, &err), AM_E_CONFIG, &err, "features.hop: 0 must be at least 1");
  o = good;
  o.mels = 0;
  am_test_fails(am_features_create(ctx, &o, &none, &err), AM_E_USAGE, &err, "0 filters of an FFT of 2048");
  float x[600] = {0}, out[16];
  int t;
  am_test_fails(am_features_compute(fx, x, 600, 3, out, &t, &err), AM_E_USAGE, &err, "warp factor 3 is outside");
  am_features_free(fx);
  am_context_free(ctx);
}

static void test_bad_samples(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_features *fx = make_features(ctx, "mels=8");
  float x[600] = {0}, out[16];
  int t;
  x[321] = NAN;
  am_test_fails(am_features_compute(fx, x, 600, 1, out, &t, &err), AM_E_NUMERIC, &err, "sample 321");
  x[321] = 1e20f;
  am_test_fails(am_features_compute(fx, x, 600, 1, out, &t, &err), AM_E_NUMERIC, &err, "sample 321");
  am_features_free(fx);
  am_context_free(ctx);
}

static void test_normalise(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  float x[] = {1, 10, 5, 2, 20, 5, 3, 60, 5, 6, 70, 5}, mean[3], inverse[3]; /* (4, 3); the last bin is constant */
  am_norm_stats all, a, b;
  am_test_ok(am_norm_init(ctx, &all, 3, &err), &err);
  am_test_ok(am_norm_init(ctx, &a, 3, &err), &err);
  am_test_ok(am_norm_init(ctx, &b, 3, &err), &err);
  am_norm_merge(&a, &b); /* both empty */
  am_norm_add(&all, x, 4);
  am_norm_add(&a, x, 1);
  am_norm_add(&b, x + 3, 3);
  am_norm_merge(&a, &b);
  for (int j = 0; j < 3; j++) assert_true(fabs(a.mean[j] - all.mean[j]) < 1e-12 && fabs(a.m2[j] - all.m2[j]) < 1e-9);
  am_norm_finish(&all, false, mean, inverse);
  const float wanted_mean[] = {3, 40, 5}, wanted_inverse[] = {(float)(1 / sqrt(3.5)), (float)(1 / sqrt(650)), 1};
  assert_allclose_f(mean, wanted_mean, 3, 1e-7, 0);
  assert_allclose_f(inverse, wanted_inverse, 3, 1e-6, 0);
  am_norm_apply(x, 4, 3, mean, inverse);
  assert_true(x[2] == 0 && fabs(x[0] + 2 / sqrt(3.5)) < 1e-6);
  am_norm_finish(&all, true, mean, inverse); /* numbers of all bins: mean 16, mean square 662.83 */
  assert_true(mean[0] == 16 && mean[2] == 16 &&
              fabs(inverse[1] - 1 / sqrt((1 + 100 + 25 + 4 + 400 + 25 + 9 + 3600 + 25 + 36 + 4900 + 25) / 12.0 - 256)) <
                  1e-7);
  am_norm_free(ctx, &all);
  am_norm_free(ctx, &a);
  am_norm_free(ctx, &b);
  am_context_free(ctx);
}

static void test_rows_of_seconds(void **state) {
  static const struct {
    const char *options;
    double seconds, rows;
  } cases[] = {
      {"sample_rate=16000 hop=256", 12.8, 800},
      {"sample_rate=22050 hop=441", 2, 100},
      {"kind=functionals sample_rate=16000", 6.4, 2},     /* a row a clip of 3.2 s */
      {"kind=mfcc mfcc=40 mean_over_time=true", 3.2, 40}, /* a clip is a column */
      {"kind=functionals", 0, 0},
  };
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_feature_options options;
    am_tree *tree;
    am_error err = AM_ERROR_INIT;
    am_test_ok(read_options(ctx, am_feature_table, cases[i].options, &options, &tree, &err), &err);
    const double rows = am_feature_rows(&options, cases[i].seconds);
    if (fabs(rows - cases[i].rows) > 1e-9) fail_msg("%s: %g rows, wanted %g", cases[i].options, rows, cases[i].rows);
    am_tree_free(tree);
  }
  am_context_free(ctx);
}

/* Every allocation fails once: an error, nothing leaked, *out NULL. */
static void test_allocation_failures(void **state) {
  (void)state;
  float x[5000];
  for (int i = 0; i < 5000; i++) x[i] = (float)((i * 7919 % 200) - 100) / 100;
  am_feature_options options;
  am_context *plain = am_test_context(1, NULL);
  am_tree *tree;
  am_error err = AM_ERROR_INIT;
  am_test_ok(
      read_options(
          plain, am_feature_table,
          "kind=mfcc mels=20 mfcc=10 deltas=delta mean_over_time=true pre_emphasis=0.9 prosody=true n_fft_also=512",
          &options, &tree, &err),
      &err);
  bool fired = true;
  for (long n = 1; fired; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_features *fx = NULL;
    float out[50];
    int t;
    am_error error = AM_ERROR_INIT;
    am_test_memory_arm(&m, n);
    am_status status = am_features_create(ctx, &options, &fx, &error);
    if (status) assert_null(fx);
    if (!status) status = am_features_compute(fx, x, 5000, 1.05, out, &t, &error);
    am_norm_stats stats = {0};
    if (!status) status = am_norm_init(ctx, &stats, 20, &error);
    fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_test_memory_arm(&m, 0);
    am_norm_free(ctx, &stats);
    am_features_free(fx);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
  }
  am_tree_free(tree);
  am_context_free(plain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_mel_2048),
      cmocka_unit_test(test_log_mel_512_padded),
      cmocka_unit_test(test_mel_rate_apart),
      cmocka_unit_test(test_mfcc_40),
      cmocka_unit_test(test_deltas),
      cmocka_unit_test(test_trimmed),
      cmocka_unit_test(test_htk_ref_one_no_floor),
      cmocka_unit_test(test_natural_uncentred_pre_emphasis),
      cmocka_unit_test(test_mean_over_time),
      cmocka_unit_test(test_rows_of_seconds),
      cmocka_unit_test(test_power_mel),
      cmocka_unit_test(test_filters),
      cmocka_unit_test(test_warped_filters),
      cmocka_unit_test(test_hann),
      cmocka_unit_test(test_power_to_db),
      cmocka_unit_test(test_short_deltas),
      cmocka_unit_test(test_dct_is_orthonormal),
      cmocka_unit_test(test_short_clips),
      cmocka_unit_test(test_max_frames_and_cut),
      cmocka_unit_test(test_threads_share),
      cmocka_unit_test(test_bad_options),
      cmocka_unit_test(options_of_programs_are_checked_too),
      cmocka_unit_test(test_bad_samples),
      cmocka_unit_test(test_normalise),
      cmocka_unit_test(test_allocation_failures),
  };
  return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
