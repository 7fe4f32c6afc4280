/* SPDX-License-Identifier: MIT */
/* Bins of prosody beside those of the spectrum. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/prosody.h"
#include "audio/sounds.h"

static const double pi = 3.14159265358979323846;
enum { RATE = 16000, MELS = 20, WIDE = MELS + AM_PROSODY_BINS };
#define BASE "sample_rate=16000 n_fft=512 hop=256 mels=20 ref=one top_db=0 "

/* n samples of a tone with ten harmonics. */
static void voice(float *x, size_t n, double hertz) {
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (int h = 1; h <= 10; h++) sum += sin(2 * pi * hertz * h * (double)i / RATE) / h;
    x[i] = (float)(0.2 * sum);
  }
}

static double semitones(double hertz) { return 12 * log2(hertz / 27.5); }

static float *prosody_of(am_context *ctx, const char *options, const float *x, size_t n, int *t) {
  am_features *fx = make_features(ctx, options);
  int f;
  float *out = compute(fx, x, n, 1, t, &f);
  assert_int_equal(f, WIDE);
  am_features_free(fx);
  return out;
}

static float at(const float *x, int t, am_prosody_bin bin) { return x[(size_t)t * WIDE + MELS + bin]; }

static void a_steady_voice(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  static float x[RATE];
  voice(x, RATE, 200);
  double power = 0;
  for (int i = 0; i < RATE; i++) power += (double)x[i] * x[i] / RATE;
  const char *options[] = {BASE "prosody=true", BASE "prosody=true center=false"};
  for (int o = 0; o < 2; o++) {
    int t;
    float *got = prosody_of(ctx, options[o], x, RATE, &t);
    for (int i = 3; i < t - 3; i++) {
      assert_true(fabs(at(got, i, AM_PROSODY_F0) - semitones(200)) < 0.05);
      assert_true(at(got, i, AM_PROSODY_VOICING) > 0.99f && at(got, i, AM_PROSODY_VOICED) == 1);
      assert_true(at(got, i, AM_PROSODY_HNR) > 20);
      assert_true(fabs(at(got, i, AM_PROSODY_ENERGY) - 10 * log10(power)) < 0.2);
    }
    free(got);
  }
  am_context_free(ctx);
}

/* 0.4 s at 150 Hz, 0.4 s of silence, 0.4 s at 300 Hz: F0 crosses the gap on a line, each frame at its own time. */
static void between_voiced_stretches(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  enum { PART = 6400 };
  static float x[3 * PART];
  voice(x, PART, 150);
  voice(x + 2 * PART, PART, 300);
  int t;
  float *got = prosody_of(ctx, BASE "prosody=true", x, 3 * PART, &t);
  const double low = semitones(150), high = semitones(300);
  for (int i = 1; i < t; i++) {
    const double seconds = i * 256.0 / RATE, f0 = at(got, i, AM_PROSODY_F0);
    if (seconds < 0.36) assert_true(fabs(f0 - low) < 0.3);
    else if (seconds > 0.84) assert_true(fabs(f0 - high) < 0.3);
    else if (seconds > 0.44 && seconds < 0.76)
      assert_true(fabs(f0 - (low + (seconds - 0.4) / 0.4 * (high - low))) < 0.6);
    if (seconds < 0.44 || seconds > 0.76) continue;
    assert_true(at(got, i, AM_PROSODY_VOICED) == 0 && at(got, i, AM_PROSODY_HNR) == 0);
    assert_true(at(got, i, AM_PROSODY_ENERGY) < -99);
  }
  free(got);
  am_context_free(ctx);
}

/* What is padded is silent: F0 goes on, the rest does not. */
static void beyond_the_end(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  static float x[8000];
  voice(x, 8000, 220);
  int t;
  float *got = prosody_of(ctx, BASE "prosody=true samples=16000", x, 8000, &t);
  assert_int_equal(t, 63);
  for (int i = 32; i < t; i++) {
    assert_true(fabs(at(got, i, AM_PROSODY_F0) - semitones(220)) < 0.3);
    assert_true(at(got, i, AM_PROSODY_VOICED) == 0 && at(got, i, AM_PROSODY_VOICING) == 0);
    assert_true(at(got, i, AM_PROSODY_ENERGY) < -99);
  }
  free(got);
  am_context_free(ctx);
}

/* The other bins are what they were, and VTLP and pre-emphasis, which are of the spectrum, leave these. */
static void beside_the_spectrum(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const char *kinds[] = {"", "kind=mel ", "kind=mfcc mfcc=20 "};
  static float x[RATE];
  voice(x, RATE, 170);
  for (int k = 0; k < 3; k++) {
    char text[256];
    int t, f;
    snprintf(text, sizeof text, "%s%s", BASE, kinds[k]);
    am_features *plain = make_features(ctx, text);
    snprintf(text, sizeof text, "%s%sprosody=true", BASE, kinds[k]);
    am_features *with = make_features(ctx, text);
    snprintf(text, sizeof text, "%s%sprosody=true pre_emphasis=0.9", BASE, kinds[k]);
    am_features *emphasised = make_features(ctx, text);
    float *a = compute(plain, x, RATE, 1, &t, &f), *b = compute(with, x, RATE, 1, &t, &f);
    float *warped = compute(with, x, RATE, 1.1, &t, &f), *sharp = compute(emphasised, x, RATE, 1, &t, &f);
    for (int i = 0; i < t; i++) {
      const size_t row = (size_t)i * WIDE, bytes = AM_PROSODY_BINS * sizeof *b;
      assert_memory_equal(b + row, a + (size_t)i * MELS, MELS * sizeof *a);
      assert_memory_equal(warped + row + MELS, b + row + MELS, bytes);
      assert_memory_equal(sharp + row + MELS, b + row + MELS, bytes);
      assert_memory_not_equal(warped + row, b + row, MELS * sizeof *b);
    }
    free(a), free(b), free(warped), free(sharp);
    am_features_free(plain), am_features_free(with), am_features_free(emphasised);
  }
  am_context_free(ctx);
}

static void deltas_and_names(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  enum { N = 9000 };
  static float x[N];
  voice(x, N, 170);
  am_features *fx = make_features(ctx, BASE "prosody=true deltas=delta divide=2"),
              *plain = make_features(ctx, BASE "prosody=true");
  const am_feature_options *o = am_features_options(fx);
  int t, f, all;
  float *got = compute(fx, x, N, 1, &t, &all), *base = compute(plain, x, N, 1, &t, &f);
  assert_int_equal(all, 2 * WIDE);
  float *delta = malloc((size_t)t * WIDE * sizeof *delta);
  assert_non_null(delta);
  am_delta(base, t, WIDE, 1, delta);
  for (int i = 0; i < t; i++)
    for (int j = 0; j < WIDE; j++) {
      assert_true(got[(size_t)i * 2 * WIDE + (size_t)j] == base[(size_t)i * WIDE + (size_t)j] / 2);
      assert_true(got[(size_t)i * 2 * WIDE + WIDE + (size_t)j] == delta[(size_t)i * WIDE + (size_t)j] / 2);
    }
  const struct {
    int bin;
    const char *name;
  } names[] = {
      {0, "mel0"}, {MELS, "f0"}, {MELS + 4, "energy"}, {WIDE, "mel0_delta"}, {WIDE + MELS + 1, "voicing_delta"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char name[AM_FEATURE_NAME];
    am_feature_name(o, names[i].bin, name);
    assert_string_equal(name, names[i].name);
  }
  free(got), free(base), free(delta);
  am_features_free(fx), am_features_free(plain);
  am_context_free(ctx);
}

/* Silence, noise, too short, too loud, cut to nothing by trimming: numbers, and F0 within what a voice has. */
static void hostile_sounds(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const char *options[] = {
      "", "center=false ", "trim_db=30 ", "samples=5000 ", "mean_over_time=true deltas=delta_delta ", "max_frames=2 "};
  const size_t lengths[] = {0, 1, 2, 159, 160, 400, 8000};
  static float x[8000];
  for (int kind = 0; kind < 4; kind++) {
    uint32_t noise = 1;
    for (int i = 0; i < 8000; i++) {
      noise = noise * 1664525u + 1013904223u;
      const float white = (float)(int32_t)noise / 2147483648.0f;
      x[i] = kind == 0 ? 0 : kind == 1 ? 0.5f : kind == 2 ? white : 1e12f * white;
    }
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
      for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        char text[256];
        int t, f;
        snprintf(text, sizeof text, "%s%sprosody=true", BASE, options[o]);
        am_features *fx = make_features(ctx, text);
        float *got = compute(fx, x, lengths[l], 1, &t, &f);
        for (int i = 0; i < t * f; i++) assert_true(isfinite(got[i]));
        if (kind == 0 && f == WIDE) assert_true(at(got, t - 1, AM_PROSODY_F0) == AM_PROSODY_F0_UNKNOWN);
        free(got);
        am_features_free(fx);
      }
  }
  am_context_free(ctx);
}

/* Bins of the second transform are those of a spectrogram with it alone. */
static void two_resolutions(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  static float x[RATE];
  voice(x, RATE, 170);
  const char *kinds[] = {"mels=20", "kind=mel mels=20", "kind=mfcc mels=24 mfcc=20"};
  const double warps[] = {1, 1.1};
  for (int k = 0; k < 12; k++) { /* the latter six without prosody */
    const bool prosody = k < 6;
    char text[256];
    int t, f, all, last = MELS * 2 + 3;
    snprintf(text, sizeof text, "sample_rate=16000 n_fft=256 hop=200 %s", kinds[k % 6 / 2]);
    am_features *narrow = make_features(ctx, text);
    snprintf(text, sizeof text, "sample_rate=16000 n_fft=1024 hop=200 %s", kinds[k % 6 / 2]);
    am_features *wide = make_features(ctx, text);
    snprintf(text, sizeof text, "sample_rate=16000 n_fft=256 n_fft_also=1024 prosody=%s hop=200 %s",
             prosody ? "true" : "false", kinds[k % 6 / 2]);
    am_features *both = make_features(ctx, text);
    float *a = compute(narrow, x, RATE, warps[k % 2], &t, &f), *b = compute(wide, x, RATE, warps[k % 2], &t, &f);
    float *c = compute(both, x, RATE, warps[k % 2], &t, &all);
    assert_int_equal(all, 2 * MELS + (prosody ? (int)AM_PROSODY_BINS : 0));
    for (int i = 0; i < t; i++) {
      const float *row = c + (size_t)i * (size_t)all;
      assert_memory_equal(row, a + (size_t)i * MELS, MELS * sizeof *a);
      assert_memory_equal(row + MELS, b + (size_t)i * MELS, MELS * sizeof *b);
      if (prosody && i > 2 && i < t - 3) assert_true(fabs(row[2 * MELS] - semitones(170)) < 0.05);
    }
    char name[AM_FEATURE_NAME];
    if (prosody) {
      am_feature_name(am_features_options(both), last, name);
      assert_string_equal(name, "hnr");
    }
    am_feature_name(am_features_options(both), MELS + 3, name);
    assert_string_equal(name, k % 6 < 4 ? "mel3_fft1024" : "mfcc3_fft1024");
    free(a), free(b), free(c);
    am_features_free(narrow), am_features_free(wide), am_features_free(both);
  }
  refuse_features(ctx, "n_fft_also=301", "features.n_fft_also: 301 must be even");
  refuse_features(ctx, "n_fft_also=2048", "is n_fft itself");
  refuse_features(ctx, "n_fft_also=256 center=false", "set center: true");
  am_context_free(ctx);
}

static void of_functionals_refused(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  refuse_features(ctx, "kind=functionals prosody=true", "features.prosody: functionals are one vector a clip");
  refuse_features(ctx, "kind=functionals n_fft_also=512", "features.n_fft_also: functionals");
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_steady_voice),   cmocka_unit_test(between_voiced_stretches),
      cmocka_unit_test(beyond_the_end),   cmocka_unit_test(beside_the_spectrum),
      cmocka_unit_test(deltas_and_names), cmocka_unit_test(hostile_sounds),
      cmocka_unit_test(two_resolutions),  cmocka_unit_test(of_functionals_refused),
  };
  return cmocka_run_group_tests_name("prosody", tests, NULL, NULL);
}
