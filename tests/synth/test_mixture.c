/* SPDX-License-Identifier: MIT */
/* tests/synth/test_mixture.c - generated noises, and speech in them of which it is known where it is. */
#include "testing.h"

#include "data/dataset.h"
#include "synth/mixture.h"
#include "synth/synth.h"

enum { RATE = 16000, N = 4 * RATE, SHORT = RATE };

typedef struct things {
  am_context *ctx;
  am_dataset *d;
  char *folder;
  uint32_t *clips;
} things;

static am_status load(am_context *ctx, const char *folder, am_dataset **out, am_error *err) {
  am_data_options o = {.root = folder, .manifest = "", .description = "", .max_seconds = 600};
  o.parts = 1u << AM_RAVDESS_SPEECH;
  o.intensity = 3;
  return am_dataset_load(ctx, &o, out, err);
}

static int make(void **state) {
  things *t = calloc(1, sizeof *t);
  am_error err = AM_ERROR_INIT;
  size_t clips;
  t->ctx = am_test_context(1, "plain");
  t->folder = am_test_folder();
  const am_synth_options o = {.seed = 5, .actors = 2, .repetitions = 1, .rate = RATE};
  am_test_ok(am_synth_corpus(t->ctx, t->folder, &o, &clips, &err), &err);
  am_test_ok(load(t->ctx, t->folder, &t->d, &err), &err);
  assert_int_equal(t->d->n, clips);
  t->clips = calloc(clips, sizeof *t->clips);
  for (size_t i = 0; i < clips; i++) t->clips[i] = (uint32_t)i;
  *state = t;
  return 0;
}

static int end(void **state) {
  things *t = *state;
  am_dataset_free(t->d);
  am_context_free(t->ctx);
  am_test_folder_remove(t->folder);
  free(t->folder);
  free(t->clips);
  free(t);
  return 0;
}

static double power_of(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
  return sum / (double)n;
}

static void families_are_many_and_seeded(void **state) {
  (void)state;
  float *x = calloc(SHORT, sizeof *x), *again = calloc(SHORT, sizeof *x);
  size_t held_out = 0, n = 0;
  for (; am_noise_family_at(n); n++) {
    const am_noise_family *f = am_noise_family_at(n);
    assert_ptr_equal(am_noise_family_find(f->name), f); /* no name twice */
    assert_true(*f->help);
    held_out += f->held_out;
    if (!f->fill) continue;
    for (uint64_t seed = 0; seed < 4; seed++) {
      am_rng rng = am_rng_stream(seed, AM_FOR_SYNTH, 0, 0, 0), same = rng,
             other = am_rng_stream(seed + 100, AM_FOR_SYNTH, 0, 0, 0);
      f->fill(&rng, RATE, x, SHORT);
      f->fill(&same, RATE, again, SHORT);
      assert_memory_equal(x, again, SHORT * sizeof *x);
      for (size_t i = 0; i < SHORT; i++) assert_true(isfinite(x[i]));
      if (!strcmp(f->name, "silence")) continue;
      if (!(power_of(x, SHORT) > 0)) fail_msg("%s is silent with seed %d", f->name, (int)seed);
      f->fill(&other, RATE, again, SHORT);
      assert_memory_not_equal(x, again, SHORT * sizeof *x);
    }
  }
  assert_int_equal(held_out, 4);
  assert_true(n - held_out >= 12);
  assert_null(am_noise_family_find("street"));
  free(x);
  free(again);
}

/* Two bursts, a pause that counts, one that does not, and a click. */
static void marks_are_where_the_sound_is(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  static const struct {
    double from, to;
    float level;
  } parts[] = {{0.5, 1, 0.3f}, {1.06, 1.5, 0.1f}, {2, 2.4, 0.02f}, {2.8, 2.81, 0.3f}, {3, 3.5, 0.001f}};
  float *x = calloc(N, sizeof *x);
  uint8_t speech[400];
  for (size_t p = 0; p < 5; p++)
    for (size_t i = (size_t)(parts[p].from * RATE); i < (size_t)(parts[p].to * RATE); i++)
      x[i] = parts[p].level * (float)sin(6.283185307179586 * 400 * (double)i / RATE);
  am_test_ok(am_mixture_mark(t->ctx, x, N, RATE, speech, 400, &err), &err);
  for (int k = 0; k < 400; k++) {
    const bool wanted = (k >= 50 && k < 150) || (k >= 200 && k < 240);
    const bool near = abs(k - 50) < 3 || abs(k - 150) < 3 || abs(k - 200) < 3 || abs(k - 240) < 3;
    if (!near && speech[k] != wanted) fail_msg("%.2f s: %d", k / 100.0, speech[k]);
  }
  memset(x, 0, N * sizeof *x);
  am_test_ok(am_mixture_mark(t->ctx, x, N, RATE, speech, 400, &err), &err);
  for (int k = 0; k < 400; k++) assert_int_equal(speech[k], 0);
  free(x);
}

static am_mixture_options options(const am_noise_family *const *families, size_t n, const double *snr) {
  return (am_mixture_options){.seed = 3,
                              .seconds = 5,
                              .rate = RATE,
                              .max_seconds = 600,
                              .families = families,
                              .n_families = n,
                              .snr = snr,
                              .n_snr = 1};
}

static void a_mixture_is_as_loud_as_it_says(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  static const double ratios[] = {0, 10, 20};
  const am_noise_family *hum = am_noise_family_find("hum");
  for (size_t r = 0; r < 3; r++)
    for (size_t number = 0; number < 2; number++) {
      const am_mixture_options o = options(&hum, 1, &ratios[r]);
      am_mixture m;
      double loud = 0, soft = 0;
      size_t n_loud = 0, n_soft = 0;
      am_test_ok(am_mixture_make(t->ctx, t->d, t->clips, t->d->n, &o, number, &m, &err), &err);
      assert_int_equal(m.n, 5 * RATE);
      assert_int_equal(m.steps, 500);
      assert_true(m.speaker >= 0 && m.snr == ratios[r] && m.family == hum);
      for (size_t k = 0; k < m.steps; k++) {
        const double p = power_of(m.samples + k * 160, 160);
        if (m.speech[k]) loud += p, n_loud++;
        else if (p > 0) soft += p, n_soft++; /* an end may be silent */
      }
      assert_true(n_loud > 50 && n_soft > 30);
      const double found = 10 * log10(loud / (double)n_loud / (soft / (double)n_soft)),
                   wanted = 10 * log10(1 + pow(10, ratios[r] / 10));
      if (fabs(found - wanted) > 3.5)
        fail_msg("%g dB, number %zu: %.1f, wanted %.1f", ratios[r], number, found, wanted);
      for (size_t i = 0; i < m.n; i++) assert_true(fabsf(m.samples[i]) <= 0.981f);
      am_mixture_free(t->ctx, &m);
    }
}

static void mixtures_are_seeded(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  const double snr = 5;
  const am_noise_family *families[] = {am_noise_family_find("babble"), am_noise_family_find("rain")};
  am_mixture_options o = options(families, 2, &snr);
  am_mixture a, b;
  for (size_t number = 0; number < 2; number++) {
    o.two = number ? 1 : 0;
    am_test_ok(am_mixture_make(t->ctx, t->d, t->clips, t->d->n, &o, number, &a, &err), &err);
    am_test_ok(am_mixture_make(t->ctx, t->d, t->clips, t->d->n, &o, number, &b, &err), &err);
    assert_ptr_equal(a.family, families[number]);
    assert_memory_equal(a.samples, b.samples, a.n * sizeof *a.samples);
    assert_memory_equal(a.speech, b.speech, a.steps);
    am_mixture_free(t->ctx, &b);
    o.seed++;
    am_test_ok(am_mixture_make(t->ctx, t->d, t->clips, t->d->n, &o, number, &b, &err), &err);
    assert_memory_not_equal(a.samples, b.samples, a.n * sizeof *a.samples);
    am_mixture_free(t->ctx, &a);
    am_mixture_free(t->ctx, &b);
  }
  o.empty = 1;
  am_test_ok(am_mixture_make(t->ctx, t->d, t->clips, t->d->n, &o, 1, &a, &err), &err);
  assert_true(a.speaker == -1 && isnan(a.snr) && power_of(a.samples, a.n) > 0);
  for (size_t k = 0; k < a.steps; k++) assert_int_equal(a.speech[k], 0);
  am_mixture_free(t->ctx, &a);
}

static void a_speaker_has_to_be_known(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  const double snr = 5;
  const am_noise_family *rain = am_noise_family_find("rain");
  const am_mixture_options o = options(&rain, 1, &snr);
  am_mixture m;
  const int before = t->d->clips[0].speaker;
  t->d->clips[0].speaker = -1;
  am_test_fails(am_mixture_make(t->ctx, t->d, t->clips, 1, &o, 0, &m, &err), AM_E_DATA, &err, "known speaker");
  t->d->clips[0].speaker = before;
  assert_null(m.samples);
}

static void every_allocation_may_fail(void **state) {
  const things *t = *state;
  const double snr = 5;
  const am_noise_family *families[] = {am_noise_family_find("rain"), am_noise_family_find("babble")};
  am_mixture_options o = options(families, 2, &snr);
  o.seconds = 2;
  o.two = 1;
  for (long i = 1;; i++) {
    am_test_memory memory;
    am_error err = AM_ERROR_INIT;
    am_context *ctx = am_test_memory_context(&memory, 1);
    am_mixture m;
    am_test_memory_arm(&memory, i);
    const am_status status = am_mixture_make(ctx, t->d, t->clips, t->d->n, &o, 0, &m, &err);
    const bool fired = am_test_memory_fired(&memory);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_mixture_free(ctx, &m);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&memory.alive), 0);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(families_are_many_and_seeded),    cmocka_unit_test(marks_are_where_the_sound_is),
      cmocka_unit_test(a_mixture_is_as_loud_as_it_says), cmocka_unit_test(mixtures_are_seeded),
      cmocka_unit_test(a_speaker_has_to_be_known),       cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
