/* SPDX-License-Identifier: MIT */
/* Augmentation: what each operation promises, and that a seed fixes it. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/augment.h"
#include "audio/sounds.h"
#include "audio/vocoder.h"

static const double rate = 22050;

typedef struct augmenter {
  am_context *ctx;
  am_tree *tree;
  am_augment_options o;
} augmenter;

static augmenter make(const char *text) {
  augmenter a = {.ctx = am_test_context(1, NULL)};
  am_error err = AM_ERROR_INIT;
  am_test_ok(read_options(a.ctx, am_augment_table, text, &a.o, &a.tree, &err), &err);
  am_test_ok(am_augment_check(&a.o, &err), &err);
  return a;
}

static void done(augmenter *a) {
  am_tree_free(a->tree);
  am_context_free(a->ctx);
}

static am_rng keyed(uint64_t draw) { return am_rng_stream(7, AM_FOR_AUGMENT, 1, 2, draw); }

/* A copy of x changed by the options, with am_alloc's memory. */
static float *changed(const augmenter *a, uint64_t draw, const float *x, size_t n, size_t *out_n, double *warp) {
  am_error err = AM_ERROR_INIT;
  am_rng rng = keyed(draw);
  float *y = am_alloc(a->ctx, n + 1, sizeof *y);
  assert_non_null(y);
  memcpy(y, x, n * sizeof *x);
  *out_n = n;
  am_test_ok(am_augment_sound(a->ctx, &a->o, &rng, rate, &y, out_n, warp, &err), &err);
  return y;
}

static double power(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
  return sum / (double)n;
}

/* Frequency of a sine from its zero crossings between samples from and to. */
static double pitch_of(const float *x, size_t from, size_t to) {
  double first = 0, last = 0;
  size_t count = 0;
  for (size_t i = from; i + 1 < to; i++)
    if (x[i] < 0 && x[i + 1] >= 0) {
      last = (double)i + x[i] / (x[i] - (double)x[i + 1]);
      if (count++ == 0) first = last;
    }
  return count > 1 ? rate * (double)(count - 1) / (last - first) : 0;
}

static void test_off_changes_nothing(void **state) {
  (void)state;
  augmenter a = make("");
  size_t n, m;
  double warp;
  float *x = golden_sound(&n), *y = changed(&a, 0, x, n, &m, &warp);
  assert_false(am_augment_any(&a.o));
  assert_false(am_augment_needs_sound(&a.o));
  assert_int_equal(m, n);
  assert_memory_equal(x, y, n * sizeof *x);
  assert_true(warp == 1);
  am_rng rng = keyed(0);
  int t = (int)n / 10;
  am_augment_frames(&a.o, &rng, y, &t, 10);
  assert_int_equal(t, (int)n / 10);
  assert_memory_equal(x, y, n * sizeof *x);
  assert_true(am_augment_mixup(&a.o, &rng) == 1);
  am_free(a.ctx, y);
  free(x);
  done(&a);
}

static void test_noise_has_its_snr(void **state) {
  (void)state;
  size_t n, m;
  float *x = golden_sound(&n);
  double warp, tilt_least = 1e9, tilt_most = 0;
  for (int snr = 0; snr <= 30; snr += 10) {
    char text[64];
    snprintf(text, sizeof text, "noise_snr=%d,%d", snr, snr);
    augmenter a = make(text);
    assert_true(am_augment_needs_sound(&a.o));
    for (uint64_t draw = 0; draw < 10; draw++) {
      float *y = changed(&a, draw, x, n, &m, &warp);
      double steps = 0;
      for (size_t i = 0; i < n; i++) y[i] -= x[i];
      for (size_t i = 1; i < n; i++) steps += (double)(y[i] - y[i - 1]) * (y[i] - y[i - 1]);
      double noise = power(y, n), measured = 10 * log10(power(x, n) / noise);
      if (fabs(measured - snr) > 0.01) fail_msg("wanted %d dB, measured %.4f", snr, measured);
      double tilt = steps / (double)n / noise; /* 2 for white noise, less for pink */
      tilt_least = fmin(tilt_least, tilt);
      tilt_most = fmax(tilt_most, tilt);
      am_free(a.ctx, y);
    }
    done(&a);
  }
  assert_true(tilt_most > 1.5 && tilt_most < 2.1);
  assert_true(tilt_least < 1.0);
  free(x);
}

static void test_noise_leaves_silence(void **state) {
  (void)state;
  augmenter a = make("noise_snr=10");
  float x[500] = {0};
  size_t m;
  double warp;
  float *y = changed(&a, 1, x, 500, &m, &warp);
  assert_memory_equal(x, y, sizeof x);
  am_free(a.ctx, y);
  done(&a);
}

static void test_gain(void **state) {
  (void)state;
  augmenter a = make("gain=-6,6");
  float *x = sine(440, rate, 4000, 0.3);
  size_t m;
  double warp, least = 99, most = -99;
  for (uint64_t draw = 0; draw < 100; draw++) {
    float *y = changed(&a, draw, x, 4000, &m, &warp);
    double db = 10 * log10(power(y, 4000) / power(x, 4000));
    least = fmin(least, db);
    most = fmax(most, db);
    assert_true(fabs(y[1234] - x[1234] * pow(10, db / 20)) < 1e-6);
    am_free(a.ctx, y);
  }
  assert_true(least >= -6.0001 && least < -5 && most <= 6.0001 && most > 5);
  free(x);
  done(&a);
}

static void test_shift(void **state) {
  (void)state;
  float x[1000];
  for (int i = 0; i < 1000; i++) x[i] = (float)(i + 1);
  const struct {
    const char *text;
    int by;
  } cases[] = {{"shift=0.01", 221}, {"shift=-0.01", -221}, {"shift=1", 1000}, {"shift=-1", -1000}};
  for (size_t c = 0; c < 4; c++) { /* 0.01 s are 220.5 samples, rounded to even */
    augmenter a = make(cases[c].text);
    size_t m;
    double warp;
    float *y = changed(&a, 0, x, 1000, &m, &warp);
    int by = abs(cases[c].by) == 221 ? cases[c].by / 221 * 220 : cases[c].by;
    assert_int_equal(m, 1000);
    for (int i = 0; i < 1000; i++) assert_true(y[i] == (i - by >= 0 && i - by < 1000 ? x[i - by] : 0));
    am_free(a.ctx, y);
    done(&a);
  }
}

/* {option, length factor, frequency factor, level in dB} on a sine of 440 Hz. The phase vocoder loses level
 * when it slows down: librosa's numbers for the same sine are -0.83, 0 and -0.83. */
static void test_speed_stretch_pitch(void **state) {
  (void)state;
  const struct {
    const char *text;
    double length, pitch, level;
  } cases[] = {{"speed=1.25", 1 / 1.25, 1.25, 0},  {"speed=0.8", 1 / 0.8, 0.8, 0},  {"stretch=1.25", 1 / 1.25, 1, 0},
               {"stretch=0.7", 1 / 0.7, 1, -0.83}, {"pitch=4", 1, 1.259921, -0.83}, {"pitch=-3", 1, 0.840896, 0}};
  float *x = sine(440, rate, 30000, 0.3);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    augmenter a = make(cases[c].text);
    size_t m;
    double warp;
    float *y = changed(&a, 0, x, 30000, &m, &warp);
    if (fabs((double)m - 30000 * cases[c].length) > 1) fail_msg("%s gave %zu samples", cases[c].text, m);
    double hz = pitch_of(y, 4000, m - 4000), db = 10 * log10(power(y + 4000, m - 8000) / power(x, 30000));
    if (fabs(hz / 440 / cases[c].pitch - 1) > 2e-3) fail_msg("%s gave %.2f Hz", cases[c].text, hz);
    if (fabs(db - cases[c].level) > 0.05) fail_msg("%s changed the level by %.3f dB", cases[c].text, db);
    am_free(a.ctx, y);
    done(&a);
  }
  free(x);
}

static void test_stretch_equals_librosa(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  size_t n, m;
  float *x = golden_sound(&n), *y;
  am_test_ok(am_time_stretch(ctx, x, n, 1.25, &y, &m, &err), &err);
  assert_int_equal(m, 10584);
  am_npy wanted = golden("stretch", "f4"); /* samples 3000 to 6000 */
  assert_tensor_f(y + 3000, (float *)wanted.data, wanted.n, 1e-3);
  am_npy_free(&wanted);
  am_free(ctx, y);
  free(x);
  am_context_free(ctx);
}

static void test_short_sounds(void **state) {
  (void)state;
  const char *texts[] = {"speed=0.5,2", "stretch=0.5,2", "pitch=-5,5", "shift=-1,1", "noise_snr=5", "gain=3"};
  float x[] = {0.1f, -0.2f, 0.3f};
  for (size_t c = 0; c < sizeof texts / sizeof *texts; c++)
    for (size_t n = 0; n <= 3; n++) {
      augmenter a = make(texts[c]);
      size_t m;
      double warp;
      float *y = changed(&a, n, x, n, &m, &warp);
      for (size_t i = 0; i < m; i++) assert_true(isfinite(y[i]));
      am_free(a.ctx, y);
      done(&a);
    }
}

static const char *const everything =
    "noise_snr=10,30 gain=-6,6 shift=-0.1,0.1 speed=0.9,1.1 pitch=-2,2 stretch=0.9,1.1 vtlp=0.9,1.1 "
    "room=0.2,0.6 telephone=1";

static void test_seed_fixes_all(void **state) {
  (void)state;
  augmenter a = make(everything);
  size_t n, m1, m2, m3;
  double w1, w2, w3;
  float *x = golden_sound(&n);
  float *y1 = changed(&a, 5, x, n, &m1, &w1), *y2 = changed(&a, 5, x, n, &m2, &w2),
        *y3 = changed(&a, 6, x, n, &m3, &w3);
  assert_int_equal(m1, m2);
  assert_true(w1 == w2 && w1 != w3 && w1 >= 0.9 && w1 <= 1.1);
  assert_memory_equal(y1, y2, m1 * sizeof *y1);
  assert_true(m1 != m3 || memcmp(y1, y3, m1 * sizeof *y1) != 0);
  am_free(a.ctx, y1);
  am_free(a.ctx, y2);
  am_free(a.ctx, y3);
  free(x);
  done(&a);
}

/* The words taken from the caller's generator do not depend on what is on, nor does one operation's draw
 * depend on the others. */
static void test_words_consumed(void **state) {
  (void)state;
  const char *texts[] = {"", "vtlp=0.9,1.1", everything, "probability=0.5 vtlp=0.9,1.1 gain=1"};
  float x[3000] = {0.5f};
  double warp[4];
  for (size_t c = 0; c < 4; c++) {
    augmenter a = make(texts[c]);
    am_error err = AM_ERROR_INIT;
    am_rng rng = keyed(3);
    uint64_t start = rng.position;
    size_t n = 3000;
    float *y = am_alloc(a.ctx, n, sizeof *y);
    memcpy(y, x, sizeof x);
    am_test_ok(am_augment_sound(a.ctx, &a.o, &rng, rate, &y, &n, &warp[c], &err), &err);
    assert_int_equal(rng.position - start, 18);
    int t = 100;
    am_augment_frames(&a.o, &rng, y, &t, 5);
    assert_int_equal(rng.position - start, 24);
    am_augment_mixup(&a.o, &rng);
    assert_int_equal(rng.position - start, 26);
    am_free(a.ctx, y);
    done(&a);
  }
  assert_true(warp[1] == warp[2] && warp[1] != 1);
}

/* A telephone line comes with its own chance, and takes what is above 3400 Hz; a room sounds on. */
static void test_channels(void **state) {
  (void)state;
  enum { N = 8000 };
  const struct {
    const char *text;
    double hertz;
    int least, most; /* of 200 draws, how many are changed */
  } cases[] = {{"telephone=0.3 probability=1", 5000, 35, 85},
               {"telephone=1 probability=0.01", 5000, 200, 200},
               {"room=0.3", 440, 200, 200},
               {"room=0.3 probability=0.3", 440, 35, 85}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    augmenter a = make(cases[c].text);
    float *x = sine(cases[c].hertz, rate, N, 0.3);
    memset(x + N / 2, 0, N / 2 * sizeof *x);
    int changes = 0;
    assert_true(am_augment_needs_sound(&a.o));
    for (uint64_t d = 0; d < 200; d++) {
      size_t n;
      double warp;
      float *y = changed(&a, d, x, N, &n, &warp);
      assert_int_equal(n, N);
      const double before = power(x, N / 2), after = power(y, N / 2), tail = power(y + N / 2, N / 8);
      if (memcmp(x, y, N * sizeof *x)) {
        changes++;
        if (cases[c].hertz == 440) assert_true(tail > 0.01 * before);
        else assert_true(after < 0.01 * before);
      }
      am_free(a.ctx, y);
    }
    assert_in_range(changes, cases[c].least, cases[c].most);
    free(x);
    done(&a);
  }
}

static void test_probability(void **state) {
  (void)state;
  augmenter a = make("probability=0.3 vtlp=0.8,0.9");
  int changes = 0;
  for (uint64_t draw = 0; draw < 2000; draw++) {
    float x[1] = {0.5f};
    size_t m;
    double warp;
    am_free(a.ctx, changed(&a, draw, x, 1, &m, &warp));
    changes += warp != 1;
  }
  assert_true(changes > 520 && changes < 680); /* 600, deviation 20 */
  done(&a);
}

static void test_crop(void **state) {
  (void)state;
  augmenter a = make("crop_frames=30");
  bool first = false, last = false;
  for (uint64_t draw = 0; draw < 300; draw++) {
    float x[40 * 3];
    for (int i = 0; i < 120; i++) x[i] = (float)i;
    int t = 40;
    am_rng rng = keyed(draw);
    am_augment_frames(&a.o, &rng, x, &t, 3);
    assert_int_equal(t, 30);
    assert_true(fmod(x[0], 3) == 0);
    for (int i = 1; i < 90; i++) assert_true(x[i] == x[i - 1] + 1);
    first = first || x[0] == 0;
    last = last || x[0] == 30;
    t = 20; /* shorter clips stay whole */
    am_augment_frames(&a.o, &rng, x, &t, 3);
    assert_int_equal(t, 20);
  }
  assert_true(first && last);
  done(&a);
}

/* Masks are whole rows or columns of the value asked for, within their widths; the rest is untouched. */
static void check_masks(const char *text, float value, int most_rows, int most_columns) {
  augmenter a = make(text);
  enum { T = 50, F = 20 };
  int widest_row = 0, widest_column = 0;
  for (uint64_t draw = 0; draw < 200; draw++) {
    float x[T * F];
    for (int i = 0; i < T * F; i++) x[i] = (float)(i % 7 + 1); /* least 1 */
    x[3] = -5;
    double mean = 0;
    for (int i = 0; i < T * F; i++) mean += x[i] / (T * F);
    float wanted = isnan(value) ? (float)mean : value, before[T * F];
    memcpy(before, x, sizeof x);
    am_rng rng = keyed(draw);
    int t = T, rows = 0, columns = 0;
    am_augment_frames(&a.o, &rng, x, &t, F);
    assert_int_equal(t, T);
    bool row[T], column[F];
    for (int i = 0; i < T; i++) {
      row[i] = true;
      for (int j = 0; j < F; j++) row[i] = row[i] && fabs(x[i * F + j] - wanted) < 1e-5;
      rows += row[i];
    }
    for (int j = 0; j < F; j++) {
      column[j] = true;
      for (int i = 0; i < T; i++) column[j] = column[j] && fabs(x[i * F + j] - wanted) < 1e-5;
      columns += column[j];
    }
    for (int i = 0; i < T; i++)
      for (int j = 0; j < F; j++)
        if (!row[i] && !column[j]) assert_true(x[i * F + j] == before[i * F + j]);
    assert_true(rows <= most_rows && columns <= most_columns);
    widest_row = rows > widest_row ? rows : widest_row;
    widest_column = columns > widest_column ? columns : widest_column;
  }
  assert_true(widest_row >= most_rows * 3 / 4 && widest_column >= most_columns * 3 / 4);
  done(&a);
}

static void test_masks(void **state) {
  (void)state;
  check_masks("freq_masks=2 freq_width=4 mask_value=zero", 0, 0, 8);
  check_masks("time_masks=1 time_width=9 mask_value=min", -5, 9, 0);
  check_masks("time_masks=2 time_width=40 time_fraction=0.1 freq_masks=1 freq_width=3", NAN, 10, 3);
}

static void test_mixup(void **state) {
  (void)state;
  const struct {
    const char *text;
    double mean;
  } cases[] = {/* E max(l, 1-l): 3/4 for the uniform Beta(1, 1); 1/2 + 1/pi for Beta(1/2, 1/2); 11/16 for Beta(2, 2) */
               {"mixup=1", 0.75},
               {"mixup=0.5", 0.818310},
               {"mixup=2", 0.6875},
               {"mixup=0.01", 0.993}};
  for (size_t c = 0; c < 4; c++) {
    augmenter a = make(cases[c].text);
    double sum = 0;
    for (uint64_t draw = 0; draw < 20000; draw++) {
      am_rng rng = keyed(draw);
      double l = am_augment_mixup(&a.o, &rng);
      assert_true(l >= 0.5 && l <= 1);
      sum += l / 20000;
    }
    if (fabs(sum - cases[c].mean) > 0.005)
      fail_msg("%s: mean lambda %.4f, wanted %.4f", cases[c].text, sum, cases[c].mean);
    done(&a);
  }
}

static void refuse(const char *text, const char *words) {
  am_context *ctx = am_test_context(1, NULL);
  am_tree *tree;
  am_augment_options o;
  am_error err = AM_ERROR_INIT;
  am_status status = read_options(ctx, am_augment_table, text, &o, &tree, &err);
  if (!status) status = am_augment_check(&o, &err);
  assert_int_equal(status, AM_E_CONFIG);
  if (!strstr(err.message, words)) fail_msg("\"%s\" lacks \"%s\"", err.message, words);
  am_tree_free(tree);
  am_context_free(ctx);
}

static void test_bad_options(void **state) {
  (void)state;
  refuse("gain=6,-6", "low before high");
  refuse("gain=1,2,3", "3 numbers");
  refuse("speed=0.1,1", "speed");
  refuse("freq_masks=2", "freq_width");
  refuse("time_masks=2", "time_width");
  refuse("mask_value=max", "mask_value");
}

static void test_allocation_failures(void **state) {
  (void)state;
  augmenter a = make(everything);
  bool fired = true;
  for (long k = 1; fired; k++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_error err = AM_ERROR_INIT;
    am_rng rng = keyed(1);
    size_t n = 5000;
    double warp;
    float *x = am_alloc(ctx, n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (float)(i % 50) / 50;
    am_test_memory_arm(&m, k);
    am_status status = am_augment_sound(ctx, &a.o, &rng, rate, &x, &n, &warp, &err);
    fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_test_memory_arm(&m, 0);
    am_free(ctx, x);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
  }
  done(&a);
}

/* By seed, sound and number alone; and the key tells apart what they are made by. */
static void copies_are_drawn_by_what_names_them(void **state) {
  (void)state;
  static const char *const same[] = {
      "copies_probability=1 noise_snr=5,20 gain=-6,6", "copies_probability=1 noise_snr=5,20 gain=-6,6",
      "copies_probability=1 noise_snr=5,20 gain=-6,6 copies=9 probability=0.1 freq_masks=1 freq_width=3"};
  static const char *const other[] = {"copies_probability=1 noise_snr=5,20 gain=-6,6 copies_seed=2",
                                      "copies_probability=1 noise_snr=5,20 gain=-6,7",
                                      "copies_probability=1 noise_snr=5,20 room=0.2,0.4",
                                      "copies_probability=0.9 noise_snr=5,20 gain=-6,6",
                                      "copies_probability=1 noise_snr=5,20 gain=-6,6 telephone=0.3",
                                      "copies_probability=1 noise_snr=5,20 gain=-6,6 shift=0.01",
                                      "copies_probability=1 noise_snr=5,20"};
  enum { N = 4000, SAME = 3, OTHER = sizeof other / sizeof *other };
  float x[N], first[N];
  uint64_t keys[SAME + OTHER + 1];
  for (int i = 0; i < N; i++) x[i] = (float)sin(0.1 * i) * 0.3f;
  for (int k = 0; k < SAME + OTHER; k++) {
    am_error err = AM_ERROR_INIT;
    float *y;
    size_t n;
    double warp;
    augmenter a = make(k < SAME ? same[k] : other[k - SAME]);
    am_test_ok(am_augment_copy(a.ctx, &a.o, 5, 1, rate, x, N, &y, &n, &warp, &err), &err);
    assert_int_equal(n, N);
    assert_true(memcmp(y, x, sizeof x) != 0);
    if (!k) memcpy(first, y, sizeof first);
    assert_int_equal(memcmp(y, first, sizeof first) == 0, k < SAME);
    keys[k] = am_augment_copy_key(&a.o, 1, 77);
    am_free(a.ctx, y);
    for (int what = 0; what < 2 && !k; what++) { /* another sound, another number */
      am_test_ok(am_augment_copy(a.ctx, &a.o, what ? 5 : 6, what ? 2 : 1, rate, x, N, &y, &n, &warp, &err), &err);
      assert_true(memcmp(y, first, sizeof first) != 0);
      am_free(a.ctx, y);
      assert_true(am_augment_copy_key(&a.o, what ? 2 : 1, what ? 77 : 78) != keys[0]);
    }
    for (int i = 0; i < k; i++) assert_int_equal(keys[i] == keys[k], k < SAME);
    done(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_off_changes_nothing),
      cmocka_unit_test(test_noise_has_its_snr),
      cmocka_unit_test(test_noise_leaves_silence),
      cmocka_unit_test(test_gain),
      cmocka_unit_test(test_shift),
      cmocka_unit_test(test_speed_stretch_pitch),
      cmocka_unit_test(test_stretch_equals_librosa),
      cmocka_unit_test(test_short_sounds),
      cmocka_unit_test(test_seed_fixes_all),
      cmocka_unit_test(test_words_consumed),
      cmocka_unit_test(test_channels),
      cmocka_unit_test(test_probability),
      cmocka_unit_test(test_crop),
      cmocka_unit_test(test_masks),
      cmocka_unit_test(test_mixup),
      cmocka_unit_test(test_bad_options),
      cmocka_unit_test(test_allocation_failures),
      cmocka_unit_test(copies_are_drawn_by_what_names_them),
  };
  return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
