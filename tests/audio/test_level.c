/* SPDX-License-Identifier: MIT */
/* features.level: what a model hears does not depend on how loud it was recorded. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/level.h"
#include "audio/sounds.h"

enum { RATE = 16000, N = RATE };

/* A voice of some harmonics in syllables, with pauses of a hundredth of its amplitude. */
static void speak(float *x, double amplitude) {
  for (int i = 0; i < N; i++) {
    const double loud = (i / 1600) % 2 ? 0.01 : 1;
    double sum = 0;
    for (int h = 1; h <= 8; h++) sum += sin(6.283185307179586 * 180 * h * i / RATE) / h;
    x[i] = (float)(amplitude * loud * sum);
  }
}

static void pauses_do_not_count(void **state) {
  (void)state;
  static float x[2 * N];
  double power = 0;
  for (int h = 1; h <= 8; h++) power += 0.5 / (h * h);
  speak(x, 0.1);
  const double voice = 10 * log10(0.01 * power);
  assert_true(fabs(am_level(x, N, RATE) - voice) < 0.1);
  assert_true(fabs(am_level(x, 2 * N, RATE) - voice) < 0.1); /* followed by a second of silence */
  speak(x, 0.001);
  assert_true(fabs(am_level(x, N, RATE) - (voice - 40)) < 0.1);
  assert_true(am_level(x + N, N, RATE) == -INFINITY);
  assert_true(am_level(x, 0, RATE) == -INFINITY);
  assert_true(isfinite(am_level(x, 1, 8)) || am_level(x, 1, 8) == -INFINITY);
}

static double difference(const char *options) {
  static float x[N], soft[N];
  am_context *ctx = am_test_context(1, NULL);
  am_features *fx = make_features(ctx, options);
  double worst = 0;
  int t, u, f;
  speak(x, 0.1);
  for (int i = 0; i < N; i++) soft[i] = x[i] / 64; /* exact */
  float *a = compute(fx, x, N, 1, &t, &f), *b = compute(fx, soft, N, 1, &u, &f);
  assert_int_equal(t, u);
  for (int i = 0; i < t * f; i++) worst = fmax(worst, fabs(a[i] - (double)b[i]));
  free(a);
  free(b);
  am_features_free(fx);
  am_context_free(ctx);
  return worst;
}

static void softer_sounds_have_the_same_features(void **state) {
  (void)state;
  static const char *const kinds[] = {"ref=one top_db=0 amin=1e-8 ",
                                      "kind=mfcc mfcc=12 ref=one top_db=0 pre_emphasis=0.97 ",
                                      "ref=one top_db=0 amin=1e-8 prosody=true trim_db=30 ", "kind=functionals "};
  for (int k = 0; k < 4; k++) {
    char options[200];
    snprintf(options, sizeof options, "sample_rate=16000 n_fft=512 hop=256 mels=20 %s", kinds[k]);
    assert_true(difference(options) > 5);
    strcat(options, "level=-25");
    assert_true(difference(options) < 1e-2);
  }
}

/* The voice is at that level in what is computed, and silence is still silence. */
static void the_level_is_the_one_wanted(void **state) {
  (void)state;
  static float x[N];
  am_context *ctx = am_test_context(1, NULL);
  am_features *fx = make_features(ctx, "sample_rate=16000 n_fft=512 hop=256 mels=20 ref=one top_db=0 level=-40"),
              *plain = make_features(ctx, "sample_rate=16000 n_fft=512 hop=256 mels=20 ref=one top_db=0");
  int t, f;
  speak(x, 0.1);
  const double by = -40 - am_level(x, N, RATE);
  float *a = compute(fx, x, N, 1, &t, &f), *b = compute(plain, x, N, 1, &t, &f);
  for (int i = 0; i < t * f; i++) assert_true(b[i] < -60 || fabs(a[i] - b[i] - by) < 1e-2);
  free(a);
  free(b);
  memset(x, 0, sizeof x);
  a = compute(fx, x, N, 1, &t, &f);
  b = compute(plain, x, N, 1, &t, &f);
  assert_memory_equal(a, b, (size_t)(t * f) * sizeof *a);
  free(a);
  free(b);
  x[5] = 1e-40f;
  a = compute(fx, x, N, 1, &t, &f);
  for (int i = 0; i < t * f; i++) assert_true(isfinite(a[i]));
  free(a);
  am_features_free(fx);
  am_features_free(plain);
  am_context_free(ctx);
}

static void it_is_in_the_key(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  uint64_t keys[3];
  static const char *const options[] = {"n_fft=512", "n_fft=512 level=0", "n_fft=512 level=-25"};
  for (int k = 0; k < 3; k++) {
    am_features *fx = make_features(ctx, options[k]);
    keys[k] = am_features_key(fx);
    am_features_free(fx);
  }
  assert_true(keys[0] == keys[1] && keys[0] != keys[2]);
  am_context_free(ctx);
}

static void memory_runs_out_cleanly(void **state) {
  (void)state;
  static float x[N], out[256 * 20];
  speak(x, 0.1);
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *small = am_test_memory_context(&m, 1);
    am_error err = AM_ERROR_INIT;
    am_features *fx = make_features(small, "sample_rate=16000 n_fft=512 hop=256 mels=20 level=-25");
    int t;
    am_test_memory_arm(&m, n);
    am_status status = am_features_compute(fx, x, N, 1, out, &t, &err);
    bool fired = am_test_memory_fired(&m);
    am_test_memory_arm(&m, 0);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_features_free(fx);
    am_context_free(small);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pauses_do_not_count),         cmocka_unit_test(softer_sounds_have_the_same_features),
      cmocka_unit_test(the_level_is_the_one_wanted), cmocka_unit_test(it_is_in_the_key),
      cmocka_unit_test(memory_runs_out_cleanly),
  };
  return cmocka_run_group_tests_name("level", tests, NULL, NULL);
}
