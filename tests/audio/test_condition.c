/* SPDX-License-Identifier: MIT */
/* What each condition does to a sound, measured; equal bits whoever asks. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/condition.h"
#include "audio/fft.h"
#include "audio/sounds.h"

enum { RATE = 16000, N = 2 * RATE };
static const double pi = 3.14159265358979323846;

typedef struct changed {
  float *x;
  size_t n;
} changed;

static changed under(am_context *ctx, const char *name, uint64_t seed, const float *x, size_t n) {
  am_error err = AM_ERROR_INIT;
  const am_condition *c;
  changed out;
  am_test_ok(am_condition_find(name, &c, &err), &err);
  am_test_ok(am_condition_apply(ctx, c, seed, RATE, x, n, &out.x, &out.n, &err), &err);
  return out;
}

static void done(am_context *ctx, changed c) { am_free(ctx, c.x); }

static double power(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
  return sum / (double)n;
}

static double decibels(double ratio) { return 10 * log10(ratio); }

/* dB of x at `hertz`, of the middle of it: a sine of amplitude 1 has 0. */
static double tone(const float *x, size_t n, double hertz) {
  double re = 0, im = 0, sum = 0;
  for (size_t i = 0; i < n; i++) {
    double w = 0.5 - 0.5 * cos(2 * pi * (double)i / (double)n), a = 2 * pi * hertz * (double)i / RATE;
    re += w * x[i] * cos(a), im += w * x[i] * sin(a), sum += w;
  }
  return decibels((re * re + im * im) * 4 / (sum * sum));
}

static void levels(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const struct {
    const char *name;
    double amplitude, by;
  } cases[] = {{"level-30", 0.9, -30}, {"level-20", 0.9, -20}, {"level-10", 0.9, -10}, {"level+10", 0.2, 10}};
  for (size_t i = 0; i < 4; i++) {
    float *x = sine(440, RATE, N, cases[i].amplitude);
    changed c = under(ctx, cases[i].name, 1, x, N);
    assert_int_equal(c.n, N);
    assert_true(fabs(decibels(power(c.x, N) / power(x, N)) - cases[i].by) < 0.01);
    for (size_t k = 0; k < N; k++) assert_true(c.x[k] * 32768 == rintf(c.x[k] * 32768)); /* as 16 bits hold it */
    done(ctx, c);
    free(x);
  }
  float *loud = sine(440, RATE, N, 0.9);
  changed c = under(ctx, "level+10", 1, loud, N);
  size_t full = 0;
  for (size_t k = 0; k < N; k++) {
    assert_true(fabsf(c.x[k]) <= 1);
    full += fabsf(c.x[k]) == 1;
  }
  assert_true(full > N / 2); /* 2.8 of full scale: cut off for three quarters of a period */
  done(ctx, c);
  free(loud);
  am_context_free(ctx);
}

/* The ratio is met; white noise is as strong in an octave above as its width says, pink equally in each. */
static void noises(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const struct {
    const char *name;
    double snr, octave;
  } cases[] = {{"white20", 20, 3}, {"white10", 10, 3}, {"white5", 5, 3},
               {"pink20", 20, 0},  {"pink10", 10, 0},  {"pink5", 5, 0}};
  enum { LONG = 1 << 16 };
  am_error err = AM_ERROR_INIT;
  am_fft *fft;
  am_test_ok(am_fft_create(ctx, LONG, &fft, &err), &err);
  float *x = sine(440, RATE, LONG, 0.1), *spectrum = am_alloc_aligned(ctx, (LONG + 2) * sizeof *spectrum);
  float *noise = am_alloc_aligned(ctx, LONG * sizeof *noise);
  assert_non_null(spectrum);
  assert_non_null(noise);
  for (size_t i = 0; i < 6; i++) {
    changed c = under(ctx, cases[i].name, 7, x, LONG);
    for (size_t k = 0; k < LONG; k++) noise[k] = c.x[k] - x[k];
    assert_true(fabs(decibels(power(x, LONG) / power(noise, LONG)) - cases[i].snr) < 0.05);
    am_fft_forward(fft, noise, spectrum);
    double low = 0, high = 0; /* 500 to 1000 Hz, and 1000 to 2000 */
    for (int k = LONG / 32; k < LONG / 8; k++)
      *(k < LONG / 16 ? &low : &high) +=
          (double)spectrum[2 * k] * spectrum[2 * k] + (double)spectrum[2 * k + 1] * spectrum[2 * k + 1];
    if (!(fabs(decibels(high / low) - cases[i].octave) < 0.8))
      fail_msg("%s: an octave has %g dB more than the one below", cases[i].name, decibels(high / low));
    done(ctx, c);
  }
  am_free_aligned(ctx, spectrum);
  am_free_aligned(ctx, noise);
  am_fft_free(fft);
  free(x);
  am_context_free(ctx);
}

/* What lies in the band passes, what does not is gone. */
static void bands(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const struct {
    const char *name;
    double hertz, least, most; /* dB of what was 0 */
  } cases[] = {{"telephone", 1000, -0.5, 0.5}, {"telephone", 100, -90, -30}, {"telephone", 3200, -3, 0.5},
               {"telephone", 5000, -300, -40}, {"mp3", 250, -0.5, 0.5},      {"mp3", 3000, -1, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    float *x = sine(cases[i].hertz, RATE, N, 0.5);
    changed c = under(ctx, cases[i].name, 1, x, N);
    assert_int_equal(c.n, N);
    const double got = tone(c.x, N, cases[i].hertz) - tone(x, N, cases[i].hertz);
    if (!(got >= cases[i].least && got <= cases[i].most))
      fail_msg("%s at %g Hz: %g dB", cases[i].name, cases[i].hertz, got);
    if (cases[i].hertz == 250) { /* MP3 comes when it came, within a sample or two */
      double dot = 0;
      for (size_t k = 0; k < N; k++) dot += (double)c.x[k] * x[k];
      assert_true(dot / N / sqrt(power(c.x, N) * power(x, N)) > 0.98);
    }
    done(ctx, c);
    free(x);
  }
  am_context_free(ctx);
}

/* Of a click: the click and, as strong, a noise that falls by 60 dB in half a second. */
static void a_room(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  float *x = sine(0, RATE, 70000, 0);
  x[100] = 0.5f;
  changed c = under(ctx, "room", 3, x, 70000);
  assert_int_equal(c.n, 70000);
  assert_true(fabs(decibels(power(c.x, 70000) / power(x, 70000))) < 0.01);
  const double direct = (double)c.x[100] * c.x[100], tail = power(c.x + 101, 8000) * 8000;
  assert_true(fabs(decibels(tail / direct)) < 0.01);
  const double early = power(c.x + 101, 800), late = power(c.x + 101 + 4000, 800); /* 0.25 s later: 30 dB */
  assert_true(fabs(decibels(early / late) - 30) < 1.5);
  for (size_t i = 0; i < 70000; i++)
    if (i < 100 || i > 8200) assert_true(fabsf(c.x[i]) < 1e-5f);
  done(ctx, c);
  /* Blocks meet: a sound of several is the sum of its parts. */
  for (size_t i = 0; i < 70000; i++) x[i] = i == 100 || i == 61000 ? 0.5f : 0;
  c = under(ctx, "room", 3, x, 70000);
  for (size_t i = 0; i < 8000; i++) assert_true(fabsf(c.x[61000 + i] - c.x[100 + i]) < 1e-5f);
  done(ctx, c);
  free(x);
  am_context_free(ctx);
}

static void speeds(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  float *x = sine(1000, RATE, N, 0.5);
  changed slow = under(ctx, "speed0.9", 1, x, N), fast = under(ctx, "speed1.1", 1, x, N);
  assert_true(fabs((double)slow.n - N / 0.9) <= 1 && fabs((double)fast.n - N / 1.1) <= 1);
  assert_true(fabs(tone(slow.x, slow.n, 900) - tone(x, N, 1000)) < 0.1);
  assert_true(fabs(tone(fast.x, fast.n, 1100) - tone(x, N, 1000)) < 0.1);
  done(ctx, slow), done(ctx, fast);
  free(x);
  am_context_free(ctx);
}

typedef struct asked {
  const float *x;
  am_context *ctx;
  const am_condition *c;
  float *out[4];
  size_t n[4];
  am_status status[4];
} asked;

static void ask(void *arg, size_t piece, int worker) {
  (void)worker;
  asked *a = arg;
  a->status[piece] = am_condition_apply(a->ctx, a->c, 5 + piece / 2, RATE, a->x, N, &a->out[piece], &a->n[piece], NULL);
}

/* The same sound becomes the same with the same seed, alone and beside others; silence and next to nothing stay sounds. */
static void every_condition(void **state) {
  (void)state;
  am_context *ctx = am_test_context(4, NULL);
  size_t n;
  const am_condition *all = am_condition_all(&n);
  float *x = sine(300, RATE, N, 0.3), silence[400] = {0};
  for (size_t i = 0; i < n; i++) {
    asked a = {.x = x, .ctx = ctx, .c = &all[i]};
    am_parallel_for(ctx, 4, ask, &a);
    changed alone = under(ctx, all[i].name, 5, x, N);
    for (int k = 0; k < 4; k++) {
      assert_int_equal(a.status[k], AM_OK);
      const bool same = a.n[k] == alone.n && !memcmp(a.out[k], alone.x, alone.n * sizeof *alone.x);
      const bool drawn = all[i].value == 0.5 || all[i].name[0] == 'w' || all[i].name[0] == 'p';
      assert_true(same == (k < 2 || !drawn));
      am_free(ctx, a.out[k]);
    }
    done(ctx, alone);
    for (size_t few = 0; few <= 400; few += few < 3 ? 1 : 397) {
      changed c = under(ctx, all[i].name, 5, silence, few);
      for (size_t k = 0; k < c.n; k++) assert_true(fabsf(c.x[k]) < 1e-3f);
      done(ctx, c);
    }
  }
  free(x);
  am_error err = AM_ERROR_INIT;
  const am_condition *none;
  am_test_fails(am_condition_find("white", &none, &err), AM_E_USAGE, &err, "wanted one of level-30, level-20");
  assert_non_null(strstr(err.message, "speed1.1"));
  am_context_free(ctx);
}

static void no_memory(void **state) {
  (void)state;
  size_t n;
  const am_condition *all = am_condition_all(&n);
  float *x = sine(300, RATE, 2000, 0.3);
  for (size_t i = 0; i < n; i++) {
    bool fired = true;
    for (long k = 1; fired; k++) {
      am_test_memory m;
      am_context *ctx = am_test_memory_context(&m, 1);
      am_error err = AM_ERROR_INIT;
      float *out = NULL;
      size_t out_n;
      am_test_memory_arm(&m, k);
      am_status status = am_condition_apply(ctx, &all[i], 5, RATE, x, 2000, &out, &out_n, &err);
      fired = am_test_memory_fired(&m);
      if (status != (fired ? AM_E_NOMEM : AM_OK)) fail_msg("%s, allocation %ld: %s", all[i].name, k, err.message);
      am_test_memory_arm(&m, 0);
      if (status) assert_null(out);
      am_free(ctx, out);
      am_context_free(ctx);
      assert_int_equal(atomic_load(&m.alive), 0);
    }
  }
  free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(levels),    cmocka_unit_test(noises), cmocka_unit_test(bands),
      cmocka_unit_test(a_room),    cmocka_unit_test(speeds), cmocka_unit_test(every_condition),
      cmocka_unit_test(no_memory),
  };
  return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
