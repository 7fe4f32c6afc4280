/* SPDX-License-Identifier: MIT */
/* What tells features in the cache apart: the keys of their options, and numbers that stay those of a version. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"

static void test_keys(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const char *same[] = {"", "mel_rate=22050", "f_max=11025", "window=2048", "normalise=train", "normalise_by=all"};
  const char *other[] = {"kind=mel",
                         "mel_rate=22000",
                         "n_fft=1024",
                         "hop=256",
                         "window=1000",
                         "mels=64",
                         "f_min=1",
                         "f_max=9000",
                         "mel_scale=htk",
                         "mel_norm=none",
                         "center=false",
                         "log=natural",
                         "ref=one",
                         "top_db=60",
                         "amin=1e-9",
                         "kind=mfcc",
                         "kind=mfcc deltas=delta",
                         "mean_over_time=true",
                         "samples=9",
                         "max_frames=3",
                         "trim_db=30",
                         "pre_emphasis=0.9",
                         "divide=255",
                         "sample_rate=16000"};
  enum { OTHERS = sizeof other / sizeof *other };
  uint64_t keys[OTHERS + 1], audio = 0;
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    am_features *fx = make_features(ctx, same[i]);
    if (i == 0) keys[OTHERS] = am_features_key(fx), audio = am_features_audio_key(fx);
    assert_true(am_features_key(fx) == keys[OTHERS]);
    am_features_free(fx);
  }
  for (size_t i = 0; i < OTHERS; i++) {
    am_features *fx = make_features(ctx, other[i]);
    keys[i] = am_features_key(fx);
    assert_true((am_features_audio_key(fx) == audio) == (i != OTHERS - 1)); /* the rate alone shapes cached sound */
    for (size_t j = 0; j < i; j++) assert_true(keys[i] != keys[j]);
    assert_true(keys[i] != keys[OTHERS]);
    am_features_free(fx);
  }
  am_context_free(ctx);
}

/* Another value than the default, with which features can still be made. */
static bool change(am_context *ctx, const am_option *o, am_feature_options *options, int attempt) {
  void *member = (char *)options + o->offset;
  am_features *fx;
  const double reals[] = {1, o->max / 2, 0.5, 8000};
  if (o->type == AM_OPT_BOOL) *(bool *)member = !*(bool *)member;
  else if (o->type == AM_OPT_INT) *(int64_t *)member += attempt ? -2 : 2;
  else if (o->type == AM_OPT_CHOICE) *(int *)member = 1;
  else if (o->type == AM_OPT_REAL) *(double *)member = *(double *)member == reals[attempt] ? 2 : reals[attempt];
  else fail_msg("%s: keys hold flags, numbers and words", o->name);
  if (am_features_create(ctx, options, &fx, NULL)) return false;
  am_features_free(fx);
  return true;
}

static void test_no_option_is_forgotten_in_the_key(void **state) {
  (void)state;
  enum { MOST = 64 };
  am_context *ctx = am_test_context(1, NULL);
  am_features *fx = make_features(ctx, "");
  const am_feature_options by_default = *am_features_options(fx);
  uint64_t keys[MOST] = {am_features_key(fx)};
  size_t n = 1;
  am_features_free(fx);
  for (const am_option *o = am_feature_table; o->name; o++) {
    am_feature_options changed = by_default;
    int attempt = 0;
    while (!change(ctx, o, &changed, attempt) && ++attempt < 4) changed = by_default;
    if (attempt == 4) fail_msg("%s: no other value is allowed", o->name);
    am_error err = AM_ERROR_INIT;
    am_test_ok(am_features_create(ctx, &changed, &fx, &err), &err);
    keys[n] = am_features_key(fx);
    am_features_free(fx);
    if (!strcmp(o->name, "normalise") || !strcmp(o->name, "normalise_by") ||
        !strcmp(o->name, "shrink")) { /* done afterwards */
      assert_true(keys[n] == keys[0]);
      continue;
    }
    for (size_t i = 0; i < n; i++)
      if (keys[i] == keys[n]) fail_msg("%s: the key is that of other features", o->name);
    assert_in_range(++n, 2, MOST - 1);
  }
  am_context_free(ctx);
}

/* An option of the future, at the end of the table. */
static void test_a_new_option_is_in_the_key(void **state) {
  (void)state;
  typedef struct future {
    am_feature_options options;
    int lifter;
    double power;
    bool odd;
  } future;
  static const am_option added[] = {
      {"lifter", AM_OPT_CHOICE, offsetof(future, lifter), "sine", 0, 0, "none|sine", "", "none"},
      {"power", AM_OPT_REAL, offsetof(future, power), "2", 0, 9, NULL, ""},
      {"odd", AM_OPT_BOOL, offsetof(future, odd), "false", 0, 0, NULL, ""},
      AM_OPTION_END};
  am_option table[64];
  size_t n = 0;
  while (am_feature_table[n].name) n++;
  assert_in_range(n, 1, 60);
  memcpy(table, am_feature_table, n * sizeof *table);
  memcpy(table + n, added, sizeof added);
  am_context *ctx = am_test_context(1, NULL);
  am_features *fx = make_features(ctx, "mels=64");
  const future as_before = {.options = *am_features_options(fx), .power = 2};
  future changed[] = {as_before, as_before, as_before};
  changed[0].lifter = 1;
  changed[1].power = 1;
  changed[2].odd = true;
  uint64_t keys[4] = {am_feature_key(am_features_options(fx))}, sound = am_features_audio_key(fx);
  assert_true(am_feature_options_key(table, &as_before.options, sound) == keys[0]);
  for (size_t i = 0; i < 3; i++) {
    keys[i + 1] = am_feature_options_key(table, &changed[i].options, sound);
    for (size_t k = 0; k <= i; k++) assert_true(keys[k] != keys[i + 1]);
  }
  am_features_free(fx);
  am_context_free(ctx);
}

/* The options of PINNED in tools/golden-audio.py; every fifth value of each. */
static void test_version_digest(void **state) {
  (void)state;
  const char *pinned[] = {"n_fft=512 hop=256 max_frames=20 mels=24 f_min=100",
                          "kind=mfcc mfcc=12 deltas=delta window=400 n_fft=512 hop=400",
                          "log=natural mels=16 hop=1500 trim_db=25 pre_emphasis=0.9"};
  char name[32], path[96];
  snprintf(name, sizeof name, "digest-v%d", AM_FEATURES_VERSION);
  snprintf(path, sizeof path, "tests/audio/golden/%s.npy", name);
  if (access(am_test_source(path), R_OK) != 0)
    fail_msg("%s is missing: after raising AM_FEATURES_VERSION run tools/golden-audio.py pin", path);
  am_context *ctx = am_test_context(1, NULL);
  am_npy wanted = golden(name, "f4");
  size_t n, at = 0;
  float *x = golden_sound(&n);
  for (size_t i = 0; i < 3; i++) {
    int t, f;
    am_features *fx = make_features(ctx, pinned[i]);
    float *got = compute(fx, x, n, 1, &t, &f);
    for (int k = 0; k < t * f; k += 5, at++) {
      assert_true(at < wanted.n);
      double old = ((float *)wanted.data)[at];
      double bound = 1e-3; /* processors of x86-64, where they are from, differ by less than a tenth of this */
#ifndef __x86_64__
      /* FFTW rounds in another order there. In float that is 1e-8 of the loudest: 0.0012 dB in a band 79 dB below it
       * (NEON), 4e-6 dB in all others. */
      if (i == 0 && old < -70) bound = 2e-3;
#endif
      if (!(fabs(got[k] - old) <= bound))
        fail_msg(
            "features have changed ('%s' [%d]: %.7g, version %d gave %.7g): cached features of users "
            "are now wrong. "
            "If the change is meant, raise AM_FEATURES_VERSION in src/audio/features.h and run "
            "tools/golden-audio.py pin",
            pinned[i], k, (double)got[k], AM_FEATURES_VERSION, old);
    }
    free(got);
    am_features_free(fx);
  }
  assert_int_equal(at, wanted.n);
  am_npy_free(&wanted);
  free(x);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_no_option_is_forgotten_in_the_key),
      cmocka_unit_test(test_a_new_option_is_in_the_key),
      cmocka_unit_test(test_version_digest),
  };
  return cmocka_run_group_tests_name("feature keys", tests, NULL, NULL);
}
