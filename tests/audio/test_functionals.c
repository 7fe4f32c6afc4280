/* SPDX-License-Identifier: MIT */
/* Functionals against independent programs (tools/golden-functionals.py), and their properties. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"

#include "audio/contour.h"
#include "audio/functionals.h"
#include "audio/lld.h"
#include "audio/periods.h"

static const double pi = 3.14159265358979323846;

static int number_of(const char *wanted) {
  char name[AM_FUNCTIONALS_NAME];
  for (int i = 0; i < am_functionals_count(); i++) {
    am_functionals_name(i, name);
    if (strcmp(name, wanted) == 0) return i;
  }
  fail_msg("no functional is called %s", wanted);
  return -1;
}

static int ascending(const void *a, const void *b) { return strcmp(a, b); }

/* Each number has a name of its own that CSV, R and Python take as it is. */
static void names_are_distinct(void **state) {
  (void)state;
  int n = am_functionals_count();
  char(*names)[AM_FUNCTIONALS_NAME] = calloc((size_t)n, sizeof *names);
  assert_non_null(names);
  for (int i = 0; i < n; i++) {
    am_functionals_name(i, names[i]);
    assert_true(strlen(names[i]) > 0 && strlen(names[i]) < AM_FUNCTIONALS_NAME - 1);
    assert_int_equal(strspn(names[i], "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(names[i]));
  }
  qsort(names, (size_t)n, sizeof *names, ascending);
  for (int i = 1; i < n; i++)
    if (strcmp(names[i - 1], names[i]) == 0) fail_msg("two functionals are called %s", names[i]);
  free(names);
  number_of("mfcc3_delta_iqr1_3");
  number_of("loudness_voiced_mean");
  number_of("f0_quartile2");
  number_of("voiced_segment_mean");
}

static float *functionals_of(am_context *ctx, double rate, const float *x, size_t n) {
  am_error err = AM_ERROR_INIT;
  am_functionals *f = NULL;
  float *out = malloc((size_t)am_functionals_count() * sizeof *out);
  assert_non_null(out);
  am_test_ok(am_functionals_create(ctx, rate, &f, &err), &err);
  am_test_ok(am_functionals_compute(f, x, n, out, &err), &err);
  am_functionals_free(f);
  for (int i = 0; i < am_functionals_count(); i++)
    if (!isfinite(out[i])) {
      char name[AM_FUNCTIONALS_NAME];
      am_functionals_name(i, name);
      fail_msg("%s of %zu samples at %g Hz is %g", name, n, rate, (double)out[i]);
    }
  return out;
}

/* Silence, an offset, one frame and less, a click, clipping, noise too loud for any recorder: numbers all the same. */
static void hostile_sounds_give_numbers(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  enum { N = 16000 };
  static float x[N];
  const size_t lengths[] = {0, 1, 2, 159, 160, 161, 319, 320, 321, 400, 480, 640, 800, 1600, N};
  const double rates[] = {1000, 8000, 16000, 22050, 48000};
  for (int kind = 0; kind < 7; kind++) {
    uint32_t noise = 1;
    for (int i = 0; i < N; i++) {
      noise = noise * 1664525u + 1013904223u;
      float white = (float)(int32_t)noise / 2147483648.0f, tone = (float)sin(2 * pi * 200 * i / 16000.0);
      x[i] = kind == 0   ? 0
             : kind == 1 ? 0.25f
             : kind == 2 ? (i == N / 2)
             : kind == 3 ? (tone > 0 ? 1.0f : -1.0f)
             : kind == 4 ? 1e12f * white
             : kind == 5 ? 1e-20f * white
                         : fmaxf(-1, fminf(1, 30 * tone + white));
    }
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) free(functionals_of(ctx, 16000, x, lengths[l]));
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) free(functionals_of(ctx, rates[r], x, N));
  }
  am_context_free(ctx);
}

/* A tone of 200 Hz and its harmonics: its F0, and what is level stays level. */
static void a_steady_tone(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  enum { N = 16000 };
  static float x[N];
  for (int i = 0; i < N; i++)
    for (int k = 1; k <= 10; k++) x[i] += (float)(0.1 / k * sin(2 * pi * 200 * k * i / 16000.0));
  float *out = functionals_of(ctx, 16000, x, N);
  const double semitones = 12 * log2(200 / 27.5);
  assert_true(fabs(out[number_of("f0_mean")] - semitones) < 0.01);
  assert_true(out[number_of("f0_stddev")] < 0.01);
  assert_true(out[number_of("voiced_ratio")] > 0.95);
  assert_true(out[number_of("jitter_mean")] < 1e-3);
  assert_true(out[number_of("shimmer_mean")] < 1e-2);
  assert_true(out[number_of("hnr_mean")] > 30);
  assert_true(fabs(out[number_of("rms_linreg_slope")]) < 1e-3);
  assert_true(fabs(out[number_of("log_seconds")]) < 1e-6);
  free(out);
  am_context_free(ctx);
}

/* Loudness of the whole clip does not change the shape of what is in it. */
static void twice_as_loud(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  size_t n;
  float *x = golden_sound(&n);
  float *once = functionals_of(ctx, 22050, x, n);
  for (size_t i = 0; i < n; i++) x[i] *= 2;
  float *twice = functionals_of(ctx, 22050, x, n);
  const char *const same[] = {"f0_mean", "jitter_mean", "shimmer_mean", "centroid_mean", "rolloff50_quartile2"};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    double a = once[number_of(same[i])], b = twice[number_of(same[i])];
    assert_true(fabs(a - b) <= 1e-4 * fabs(a));
  }
  assert_true(fabs(twice[number_of("rms_mean")] - 2 * once[number_of("rms_mean")]) < 1e-6);
  free(once);
  free(twice);
  free(x);
  am_context_free(ctx);
}

/* As features.kind: one vector a clip of any length, with what comes before and after it. */
static void as_a_kind_of_features(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  size_t n;
  int t, f;
  float *x = golden_sound(&n), *longer = calloc(n + 5000, sizeof *longer);
  assert_non_null(longer);
  memcpy(longer, x, n * sizeof *x);
  am_features *plain = make_features(ctx, "kind=functionals"), *padded = NULL, *divided = NULL;
  char text[64];
  snprintf(text, sizeof text, "kind=functionals samples=%zu", n + 5000);
  padded = make_features(ctx, text);
  divided = make_features(ctx, "kind=functionals divide=4");
  assert_int_equal(am_features_fixed_frames(plain), 1);
  assert_int_equal(am_feature_bins(am_features_options(plain)), am_functionals_count());
  float *a = compute(plain, x, n, 1, &t, &f), *alone = functionals_of(ctx, 22050, x, n);
  assert_int_equal(t, 1);
  assert_int_equal(f, am_functionals_count());
  assert_memory_equal(a, alone, (size_t)f * sizeof *a);
  float *b = compute(padded, x, n, 1, &t, &f), *c = compute(plain, longer, n + 5000, 1, &t, &f);
  assert_memory_equal(b, c, (size_t)f * sizeof *b);
  float *quarter = compute(divided, x, n, 1, &t, &f);
  for (int i = 0; i < f; i++) assert_true(quarter[i] == a[i] / 4);
  bool cut = true;
  assert_int_equal(am_features_heard(plain, x, n, 1, &cut), n);
  assert_false(cut);
  am_error err = AM_ERROR_INIT;
  am_test_fails(am_features_compute(plain, x, n, 1.1, a, &t, &err), AM_E_CONFIG, &err, "augment.vtlp");
  char name[AM_FEATURE_NAME];
  am_feature_name(am_features_options(plain), number_of("rms_mean"), name);
  assert_string_equal(name, "rms_mean");
  free(a), free(alone), free(b), free(c), free(quarter), free(longer), free(x);
  am_features_free(plain);
  am_features_free(padded);
  am_features_free(divided);
  am_context_free(ctx);
}

static void options_without_a_meaning_are_refused(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  refuse_features(ctx, "kind=functionals deltas=delta", "features.deltas: functionals are one vector a clip");
  refuse_features(ctx, "kind=functionals mean_over_time=true", "features.mean_over_time");
  refuse_features(ctx, "kind=functionals max_frames=9", "features.max_frames");
  am_context_free(ctx);
}

static void test_allocation_failures(void **state) {
  (void)state;
  enum { N = 4000 };
  static float x[N];
  for (int i = 0; i < N; i++) x[i] = (float)(i * 7919 % 80 - 40) / 100;
  float *out = malloc((size_t)am_functionals_count() * sizeof *out);
  assert_non_null(out);
  bool fired = true;
  for (long n = 1; fired; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_functionals *f = NULL;
    am_error err = AM_ERROR_INIT;
    am_test_memory_arm(&m, n);
    am_status status = am_functionals_create(ctx, 16000, &f, &err);
    if (status) assert_null(f);
    if (!status) status = am_functionals_compute(f, x, N, out, &err);
    fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_test_memory_arm(&m, 0);
    am_functionals_free(f);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
  }
  free(out);
}

static am_npy golden_of(const char *name, const char *type) {
  char whole[64];
  snprintf(whole, sizeof whole, "functionals-%s", name);
  return golden(whole, type);
}

/* The made-up voice of tools/golden-functionals.py: 1 s at 16 kHz.  Freed by the caller. */
static float *golden_voice(size_t *n) {
  am_npy pcm = golden_of("voice", "i2");
  float *x = malloc(pcm.n * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < pcm.n; i++) x[i] = (float)((int16_t *)pcm.data)[i] / 32768.0f;
  *n = pcm.n;
  am_npy_free(&pcm);
  return x;
}

/* The contours of the made-up voice. */
typedef struct contours {
  am_context *ctx;
  am_lld lld;
  float *x, *of; /* samples; (AM_LLDS, frames) */
  size_t n, frames;
  bool *voiced;
} contours;

static contours contours_of_the_voice(void) {
  contours c = {.ctx = am_test_context(1, NULL)};
  am_error err = AM_ERROR_INIT;
  c.x = golden_voice(&c.n);
  am_test_ok(am_lld_init(c.ctx, &c.lld, 16000, &err), &err);
  c.frames = am_lld_frames(&c.lld, c.n);
  c.of = malloc(AM_LLDS * c.frames * sizeof *c.of);
  c.voiced = malloc(c.frames * sizeof *c.voiced);
  assert_non_null(c.of);
  assert_non_null(c.voiced);
  am_test_ok(am_lld_compute(&c.lld, c.x, c.n, c.of, c.voiced, &err), &err);
  return c;
}

static void contours_free(contours *c) {
  free(c->x);
  free(c->of);
  free(c->voiced);
  am_lld_free(&c->lld);
  am_context_free(c->ctx);
}

static int lld_of(const char *wanted) {
  char name[AM_LLD_NAME];
  for (int i = 0; i < AM_LLDS; i++) {
    am_lld_name(i, name);
    if (strcmp(name, wanted) == 0) return i;
  }
  fail_msg("no descriptor is called %s", wanted);
  return -1;
}

/* What may lie between our single precision and their double: a part of the value, or so much. */
static const struct tolerance {
  const char *name; /* of a descriptor, or how those of a row begin */
  double relative, absolute;
} tolerances[] = {
    {"rms", 1e-5, 1e-7},      {"zero_crossings", 0, 1e-6}, {"rolloff", 0, 1e-6},     {"band_", 0, 1e-3},
    {"flux", 0, 1e-4},        {"centroid", 1e-4, 0},       {"entropy", 1e-4, 0},     {"variance", 1e-4, 1e-6},
    {"skewness", 1e-3, 1e-4}, {"kurtosis", 1e-3, 1e-4},    {"slope", 1e-3, 1e-3},    {"harmonicity", 0, 5e-3},
    {"alpha_ratio", 0, 1e-3}, {"hammarberg", 0, 1e-3},     {"loudness", 1e-4, 1e-6}, {"sharpness", 1e-4, 0},
    {"rasta", 1e-3, 1e-6},    {"band", 0, 1e-3},           {"mfcc", 1e-4, 1e-2},
};

static void descriptors_by_librosa_numpy_scipy(void **state) {
  (void)state;
  contours c = contours_of_the_voice();
  am_npy wanted = golden_of("lld", "f4");
  char line[AM_LLD_NAME + 2];
  FILE *names = fopen(am_test_source("tests/audio/golden/functionals-lld.txt"), "r");
  assert_non_null(names);
  assert_int_equal(wanted.shape[1], c.frames);
  int held = 0;
  for (; fgets(line, sizeof line, names); held++) {
    line[strcspn(line, "\n")] = 0;
    const float *ours = c.of + (size_t)lld_of(line) * c.frames,
                *theirs = (float *)wanted.data + (size_t)held * c.frames;
    const struct tolerance *t = tolerances;
    while (strncmp(line, t->name, strlen(t->name)) != 0) t++;
    am_test_worst worst = {0};
    for (size_t i = 0; i < c.frames; i++)
      am_test_compare(&worst, i, ours[i], theirs[i], t->absolute + t->relative * fabs((double)theirs[i]));
    am_test_close_report(__FILE__, __LINE__, line, c.frames, &worst);
  }
  assert_int_equal(held, wanted.shape[0]);
  assert_int_equal(held, AM_LLD_VOICING); /* all but what Praat says */
  fclose(names);
  am_npy_free(&wanted);
  contours_free(&c);
}

/* Praat interpolates the autocorrelation by sines over x, we by the inverse transform of zeros and a parabola. */
static void f0_by_praat(void **state) {
  (void)state;
  contours c = contours_of_the_voice();
  am_npy wanted = golden_of("f0", "f4");
  const float *f0 = wanted.data, *strength = f0 + c.frames;
  int apart = 0, both = 0;
  for (size_t i = 0; i < c.frames; i++) {
    if (i == 0 || i + 1 == c.frames) continue; /* there Praat has no frame: its window would stand over */
    if ((f0[i] > 0) != c.voiced[i]) {
      apart++;
      continue;
    }
    if (!c.voiced[i]) continue;
    both++;
    double hertz = 27.5 * pow(2, c.of[AM_LLD_F0 * c.frames + i] / 12), r = c.of[AM_LLD_VOICING * c.frames + i];
    if (fabs(hertz - f0[i]) > 0.005 * f0[i]) fail_msg("frame %zu: F0 %g Hz, Praat's %g", i, hertz, (double)f0[i]);
    if (fabs(r - strength[i]) > 0.01) fail_msg("frame %zu: strength %g, Praat's %g", i, r, (double)strength[i]);
    double hnr = 10 * log10(r / (1 - r));
    assert_true(fabs(c.of[AM_LLD_HNR * c.frames + i] - hnr) < 1e-3 * fabs(hnr) + 1e-4);
  }
  assert_true(both > 50);
  if (apart > 1) fail_msg("%d frames are voiced for one of the two alone", apart);
  am_npy_free(&wanted);
  contours_free(&c);
}

/* Of the whole sound, as Praat gives them. */
static void jitter_and_shimmer_by_praat(void **state) {
  (void)state;
  contours c = contours_of_the_voice();
  am_npy wanted = golden_of("voice-quality", "f8");
  am_period *p = malloc(am_periods_room(c.n, 16000) * sizeof *p);
  float *hertz = malloc(c.frames * sizeof *hertz);
  assert_non_null(p);
  assert_non_null(hertz);
  for (size_t i = 0; i < c.frames; i++)
    hertz[i] = c.voiced[i] ? (float)(27.5 * pow(2, c.of[AM_LLD_F0 * c.frames + i] / 12)) : 0;
  size_t n = am_periods_find(c.x, c.n, 16000, hertz, c.frames, 160, p);
  /* One frame around all of it. */
  double jitter = 0, ddp = 0, shimmer = 0, length = 0, height = 0;
  int differences = 0, seconds = 0;
  for (size_t i = 0; i < n; i++) {
    length += p[i].length;
    height += p[i].height;
    if (i < 1 || !p[i].joined) continue;
    jitter += fabs(p[i].length - p[i - 1].length);
    shimmer += fabs(p[i].height - p[i - 1].height);
    differences++;
    if (i < 2 || !p[i - 1].joined) continue;
    ddp += fabs(p[i].length - 2 * p[i - 1].length + p[i - 2].length);
    seconds++;
  }
  assert_true(n > 80 && differences > 80 && seconds > 80);
  jitter /= differences * length / (double)n;
  ddp /= seconds * length / (double)n;
  shimmer /= differences * height / (double)n;
  const double *praat = wanted.data;
  if (!(fabs(jitter - praat[0]) < 0.1 * praat[0])) fail_msg("jitter %g, Praat's %g", jitter, praat[0]);
  if (!(fabs(ddp - praat[1]) < 0.1 * praat[1])) fail_msg("jitter ddp %g, Praat's %g", ddp, praat[1]);
  if (!(fabs(shimmer - praat[2]) < 0.3 * praat[2])) fail_msg("shimmer %g, Praat's %g", shimmer, praat[2]);
  free(p);
  free(hertz);
  am_npy_free(&wanted);
  contours_free(&c);
}

static const char *const words[] = {
#define WORD(id, word) word,
    AM_FUNCTIONALS(WORD)
#undef WORD
};

static void functionals_by_numpy_scipy(void **state) {
  (void)state;
  for (int k = 0; k < 3; k++) {
    char name[32];
    snprintf(name, sizeof name, "contour%d", k);
    am_npy x = golden_of(name, "f4");
    snprintf(name, sizeof name, "numbers%d", k);
    am_npy wanted = golden_of(name, "f8");
    assert_int_equal(wanted.n, AM_FUNCTIONALS_COUNT);
    double got[AM_FUNCTIONALS_COUNT];
    float *sorted = malloc(x.n * sizeof *sorted);
    assert_non_null(sorted);
    am_contour_functionals(x.data, x.n, 0.01, sorted, got);
    for (int i = 0; i < AM_FUNCTIONALS_COUNT; i++) {
      double theirs = ((double *)wanted.data)[i];
      if (!(fabs(got[i] - theirs) <= 1e-6 + 1e-6 * fabs(theirs)))
        fail_msg("%s of contour %d is %.9g, numpy's %.9g", words[i], k, got[i], theirs);
    }
    free(sorted);
    am_npy_free(&x);
    am_npy_free(&wanted);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_distinct),
      cmocka_unit_test(hostile_sounds_give_numbers),
      cmocka_unit_test(a_steady_tone),
      cmocka_unit_test(twice_as_loud),
      cmocka_unit_test(as_a_kind_of_features),
      cmocka_unit_test(options_without_a_meaning_are_refused),
      cmocka_unit_test(descriptors_by_librosa_numpy_scipy),
      cmocka_unit_test(f0_by_praat),
      cmocka_unit_test(jitter_and_shimmer_by_praat),
      cmocka_unit_test(functionals_by_numpy_scipy),
      cmocka_unit_test(test_allocation_failures),
  };
  return cmocka_run_group_tests_name("functionals", tests, NULL, NULL);
}
