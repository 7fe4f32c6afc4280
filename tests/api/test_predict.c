/* SPDX-License-Identifier: MIT */
/* tests/api/test_predict.c - predictions by the public calls: a checkpoint in memory, an ensemble, windows, a speaker's own
 * statistics, features, metrics. */
#include "testing.h"

#include <math.h>

#include "audiomood/audiomood.h"
#include "base/file.h"
#include "model/checkpoint.h"

#define GOLDEN AM_SOURCE_ROOT "/tests/model/golden/checkpoint-1.0.h5"
enum { MOST = 64, N = 12000 };

typedef struct things {
  am_context *ctx;
  am_checkpoint *c;
  float tone[N];
  int classes;
} things;

static int make(void **state) {
  things *t = calloc(1, sizeof *t);
  am_error err = AM_ERROR_INIT;
  t->ctx = am_test_context(1, "plain");
  am_test_ok(am_checkpoint_load(t->ctx, GOLDEN, &t->c, &err), &err);
  t->classes = am_checkpoint_classes(t->c);
  assert_true(t->classes <= MOST);
  for (int i = 0; i < N; i++) t->tone[i] = 0.3f * sinf(0.2f * (float)i) * (float)(1 + i % 4000) / 4000;
  *state = t;
  return 0;
}

static int end(void **state) {
  things *t = *state;
  am_checkpoint_free(t->c);
  am_context_free(t->ctx);
  free(t);
  return 0;
}

static void a_checkpoint_in_memory_is_that_of_the_file(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  char *data;
  size_t bytes;
  float p[MOST], q[MOST];
  am_checkpoint *c;
  am_test_ok(am_file_read(t->ctx, GOLDEN, SIZE_MAX, &data, &bytes, &err), &err);
  am_settings settings = {.size = sizeof settings, .threads = 1, .cpu = "plain"};
  am_test_ok(am_predict_sound(t->c, t->tone, N, p, &err), &err);
  for (int child = 0; child < 2; child++) {
    am_context *ctx;
    settings.read_in_child = child;
    am_test_ok(am_context_create(&settings, &ctx, &err), &err);
    am_test_ok(am_checkpoint_from_memory(ctx, data, bytes, NULL, &c, &err), &err);
    am_test_ok(am_predict_sound(c, t->tone, N, q, &err), &err);
    assert_memory_equal(p, q, (size_t)t->classes * sizeof *p);
    am_checkpoint_free(c);
    for (size_t cut = 0; cut < bytes; cut += bytes / 7 + 1) {
      err = (am_error)AM_ERROR_INIT;
      am_test_fails(am_checkpoint_from_memory(ctx, data, cut, "half.h5", &c, &err), AM_E_FORMAT, &err, "half.h5: ");
      assert_null(c);
    }
    err = (am_error)AM_ERROR_INIT;
    am_context_free(ctx);
  }
  am_test_fails(am_checkpoint_from_memory(t->ctx, NULL, 5, "x", &c, &err), AM_E_USAGE, &err, "data may not be NULL");
  am_free(t->ctx, data);
}

static void a_model_comes_with_it(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  char path[sizeof GOLDEN + 1];
  float p[MOST], q[MOST];
  am_checkpoint *c;
  setenv("AUDIOMOOD_MODEL", GOLDEN, 1);
  am_test_ok(am_checkpoint_shipped_path(t->ctx, path, sizeof GOLDEN, &err), &err);
  assert_string_equal(path, GOLDEN);
  assert_int_equal(am_checkpoint_shipped_path(t->ctx, path, sizeof GOLDEN - 1, NULL), AM_E_USAGE);
  assert_string_equal(path, "");
  am_test_ok(am_checkpoint_shipped(t->ctx, &c, &err), &err);
  am_test_ok(am_predict_sound(t->c, t->tone, N, p, &err), &err);
  am_test_ok(am_predict_sound(c, t->tone, N, q, &err), &err);
  assert_memory_equal(p, q, (size_t)t->classes * sizeof *p);
  am_checkpoint_free(c);
  static const char *const bad[] = {"", "/none.h5", AM_SOURCE_ROOT};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    setenv("AUDIOMOOD_MODEL", bad[i], 1);
    assert_int_equal(am_checkpoint_shipped(t->ctx, &c, &err), AM_E_IO);
    assert_null(c);
    assert_non_null(strstr(err.message, "AUDIOMOOD_MODEL"));
    assert_int_equal(am_checkpoint_shipped_path(t->ctx, path, sizeof path, NULL), AM_E_IO);
  }
  unsetenv("AUDIOMOOD_MODEL");
}

static void memory_may_run_out(void **state) {
  const things *t = *state;
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(t->ctx, GOLDEN, SIZE_MAX, &data, &bytes, &err), &err);
  bool fired = true;
  for (long n = 1; fired; n++) {
    am_test_memory memory;
    am_settings settings = {.size = sizeof settings, .threads = 1, .resize = am_test_resize, .memory_user = &memory};
    am_context *ctx;
    am_checkpoint *c = NULL;
    am_ensemble *e = NULL;
    int frames, bins;
    float p[MOST];
    atomic_init(&memory.count, 0), atomic_init(&memory.fail_at, 0), atomic_init(&memory.alive, 0);
    err = (am_error)AM_ERROR_INIT;
    am_test_ok(am_context_create(&settings, &ctx, &err), &err);
    const long before = atomic_load(&memory.alive);
    am_test_memory_arm(&memory, n);
    am_status status = am_checkpoint_from_memory(ctx, data, bytes, "x", &c, &err);
    if (!status) status = am_ensemble_create(ctx, &e, &err);
    if (!status) status = am_ensemble_add(e, c, "x", &err);
    if (!status) status = am_ensemble_predict(e, t->tone, N, p, NULL, &err);
    if (!status) status = am_checkpoint_features(c, t->tone, N, NULL, 0, &frames, &bins, &err);
    fired = am_test_memory_fired(&memory);
    am_test_memory_arm(&memory, 0);
    if (!fired) assert_int_equal(status, AM_OK);
    am_ensemble_free(e);
    am_checkpoint_free(c);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(ctx);
  }
  am_free(t->ctx, data);
}

static void models_are_asked_together(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_checkpoint *other, *stranger;
  am_ensemble *e;
  float p[MOST], q[MOST], mean[MOST];
  am_heard heard = {.size = sizeof heard};
  am_test_ok(am_checkpoint_load(t->ctx, GOLDEN, &other, &err), &err);
  size_t count;
  am_real *weights = am_model_weights(am_checkpoint_model(other), &count);
  for (size_t i = 0; i < count; i++) weights[i] *= 1.5f;
  am_test_ok(am_predict_sound(t->c, t->tone, N, p, &err), &err);
  am_test_ok(am_predict_sound(other, t->tone, N, q, &err), &err);
  am_test_ok(am_ensemble_create(t->ctx, &e, &err), &err);
  am_test_fails(am_ensemble_predict(e, t->tone, N, mean, NULL, &err), AM_E_USAGE, &err, "without a model");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_ensemble_add(e, t->c, "one", &err), &err);
  am_test_ok(am_ensemble_add(e, other, "two", &err), &err);
  assert_int_equal(am_ensemble_models(e), 2);
  am_test_ok(am_ensemble_predict(e, t->tone, N, mean, &heard, &err), &err);
  for (int k = 0; k < t->classes; k++) assert_true(mean[k] == (p[k] + q[k]) / 2);
  assert_int_equal(heard.unheard, AM_HEARD);
  am_test_ok(am_checkpoint_load(t->ctx, GOLDEN, &stranger, &err), &err);
  stranger->labels[0][0] ^= 1;
  am_test_fails(am_ensemble_add(e, stranger, "three", &err), AM_E_USAGE, &err, "three: it has other classes");
  assert_int_equal(am_ensemble_models(e), 2);
  static const float silence[N];
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_ensemble_predict(e, silence, N, mean, &heard, &err), &err);
  assert_int_equal(heard.unheard, AM_UNHEARD_SILENT);
  assert_true(isnan(mean[0]));
  am_ensemble_free(e);
  am_checkpoint_free(stranger);
  am_checkpoint_free(other);
}

/* A sample that is no number in an otherwise silent sound is a fault of the sound, and no silence. */
static void a_broken_sample_is_no_silence(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_ensemble *e;
  float q[MOST];
  am_heard heard = {.size = sizeof heard};
  static float broken[N];
  broken[4321] = NAN;
  am_test_ok(am_ensemble_create(t->ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, t->c, "one", &err), &err);
  am_test_fails(am_predict_sound(t->c, broken, N, q, &err), AM_E_NUMERIC, &err, "sample 4321");
  am_test_fails(am_predict_heard(t->c, broken, N, q, &heard, &err), AM_E_NUMERIC, &err, "sample 4321");
  am_test_fails(am_ensemble_predict(e, broken, N, q, &heard, &err), AM_E_NUMERIC, &err, "sample 4321");
  am_ensemble_free(e);
}

typedef struct seen {
  size_t n, stop_at;
  double end;
  bool last;
  float first[MOST];
  int classes;
} seen;

static am_status see(void *user, const am_window *w, am_error *err) {
  seen *s = user;
  (void)err;
  assert_int_equal(w->index, s->n);
  assert_false(s->last);
  if (!s->n++) memcpy(s->first, w->probabilities, (size_t)s->classes * sizeof *s->first);
  s->end = w->end;
  s->last = w->last;
  return s->n == s->stop_at ? AM_E_IO : AM_OK;
}

static void windows_cover_the_sound(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_ensemble *e;
  float p[MOST];
  const double rate = am_checkpoint_rate(t->c), window = 4000 / rate;
  am_test_ok(am_ensemble_create(t->ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, t->c, NULL, &err), &err);
  seen s = {.classes = t->classes};
  am_test_ok(am_ensemble_windows(e, t->tone, N, window, 3000 / rate, see, &s, &err), &err);
  assert_int_equal(s.n, 4); /* 0, 3000, 6000, and 8000 instead of 9000 */
  assert_true(s.last && s.end == N / rate);
  am_test_ok(am_predict_sound(t->c, t->tone, 4000, p, &err), &err);
  assert_memory_equal(p, s.first, (size_t)t->classes * sizeof *p);
  s = (seen){.classes = t->classes};
  am_test_ok(am_ensemble_windows(e, t->tone, N, 0, 0, see, &s, &err), &err);
  assert_int_equal(s.n, 1);
  s = (seen){.classes = t->classes, .stop_at = 2};
  assert_int_equal(am_ensemble_windows(e, t->tone, N, window, window, see, &s, &err), AM_E_IO);
  assert_int_equal(s.n, 2);
  s = (seen){.classes = t->classes};
  am_context_stop(t->ctx);
  am_test_fails(am_ensemble_windows(e, t->tone, N, window, window, see, &s, &err), AM_E_STOPPED, &err, "stopped after");
  am_context_resume(t->ctx);
  static const double bad[][2] = {{NAN, 1}, {-1, 1}, {0.5, 0}, {0.5, NAN}, {0.5, -1}, {HUGE_VAL, 1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err = (am_error)AM_ERROR_INIT;
    am_test_fails(am_ensemble_windows(e, t->tone, N, bad[i][0], bad[i][1], see, &s, &err), AM_E_USAGE, &err, "windows");
  }
  am_ensemble_free(e);
}

static void a_speaker_has_statistics_of_his_own(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  float p[MOST], q[MOST];
  am_test_ok(am_predict_sound(t->c, t->tone, N, q, &err), &err);
  assert_false(am_checkpoint_wants_speaker(t->c));
  am_test_ok(am_checkpoint_add_speaker(t->c, t->tone, N, &err), &err); /* is not looked at */
  t->c->normaliser.kind = AM_NORMALISE_SPEAKER;
  assert_true(am_checkpoint_wants_speaker(t->c));
  am_test_fails(am_predict_sound(t->c, t->tone, N, p, &err), AM_E_USAGE, &err, "normalises by speaker");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_checkpoint_add_speaker(t->c, t->tone, N / 2, &err), &err);
  am_test_ok(am_predict_sound(t->c, t->tone, N, p, &err), &err);
  am_test_ok(am_checkpoint_add_speaker(t->c, t->tone + N / 2, N / 2, &err), &err);
  am_test_ok(am_predict_sound(t->c, t->tone, N, q, &err), &err);
  assert_memory_not_equal(p, q, (size_t)t->classes * sizeof *p);
  am_checkpoint_forget_speaker(t->c);
  am_test_fails(am_predict_sound(t->c, t->tone, N, q, &err), AM_E_USAGE, &err, "normalises by speaker");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_checkpoint_add_speaker(t->c, t->tone, N / 2, &err), &err);
  am_test_ok(am_predict_sound(t->c, t->tone, N, q, &err), &err);
  assert_memory_equal(p, q, (size_t)t->classes * sizeof *p);
}

static void features_and_classes(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  int frames, bins, most;
  am_test_ok(am_checkpoint_features(t->c, t->tone, N, NULL, 0, &most, &bins, &err), &err);
  const size_t room = (size_t)most * (size_t)bins;
  float *x = calloc(room, sizeof *x), *y = calloc(room, sizeof *y);
  am_test_fails(am_checkpoint_features(t->c, t->tone, N, x, room - 1, &frames, &bins, &err), AM_E_USAGE, &err,
                "room for");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_checkpoint_features(t->c, t->tone, N, x, room, &frames, &bins, &err), &err);
  assert_true(frames > 0 && frames <= most);
  am_test_ok(am_config_features(t->c->config, t->tone, N, y, room, &frames, &bins, &err), &err);
  am_normaliser_apply(&t->c->normaliser, 0, y, frames);
  assert_memory_equal(x, y, (size_t)frames * (size_t)bins * sizeof *x);
  free(x), free(y);
  for (int k = 0; k < t->classes; k++) assert_int_equal(am_checkpoint_class(t->c, am_checkpoint_label(t->c, k)), k);
  assert_int_equal(am_checkpoint_class(t->c, "no such label"), -1);
  assert_null(am_checkpoint_label(t->c, t->classes));
  assert_null(am_checkpoint_label(t->c, -1));
}

/* The features of a config, and their names, as any program gets them. */
static void functionals_have_names(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_config *config;
  am_test_ok(am_config_from_text(t->ctx,
                                 "data: {corpus: ravdess, root: nowhere}\n"
                                 "features: {kind: functionals, sample_rate: 16000}\n"
                                 "model: {layers: [flatten, dense]}\n",
                                 NULL, NULL, 0, &config, &err),
             &err);
  int frames, bins;
  am_test_ok(am_config_features(config, t->tone, N, NULL, 0, &frames, &bins, &err), &err);
  assert_int_equal(frames, 1);
  float *x = calloc((size_t)bins, sizeof *x);
  assert_non_null(x);
  am_test_ok(am_config_features(config, t->tone, N, x, (size_t)bins, &frames, &bins, &err), &err);
  char name[64];
  int rms = 0;
  do am_test_ok(am_config_feature_name(config, rms, name, sizeof name, &err), &err);
  while (strcmp(name, "rms_rqmean") && ++rms < bins);
  assert_true(rms < bins && x[rms] > 0 && x[rms] <= 1);
  am_test_fails(am_config_feature_name(config, bins, name, sizeof name, &err), AM_E_USAGE, &err, "there is no bin");
  am_test_fails(am_config_feature_name(config, -1, name, sizeof name, &err), AM_E_USAGE, &err, "there is no bin -1");
  am_test_fails(am_config_feature_name(config, 0, name, 5, &err), AM_E_USAGE, &err, "room for 5 bytes");
  am_test_fails(am_config_feature_name(NULL, 0, name, 5, &err), AM_E_USAGE, &err, "config");
  free(x);
  am_config_free(config);
}

static void metrics_have_getters(void **state) {
  const things *t = *state;
  static const float p[] = {0.9f, 0.1f, 0.8f, 0.2f, 0.3f, 0.7f, 0.6f, 0.4f};
  static const int truth[] = {0, 0, 1, 1};
  static const char *const labels[] = {"calm", "sad"};
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  double low, high;
  am_test_ok(am_metrics_compute(t->ctx, p, truth, NULL, 4, labels, 2, 1, &m, &err), &err);
  assert_int_equal(am_metrics_clips(m), 4);
  assert_int_equal(am_metrics_classes(m), 2);
  assert_string_equal(am_metrics_label(m, 1), "sad");
  assert_true(am_metrics_accuracy(m) == 0.75 && am_metrics_uar(m) == 0.75);
  assert_true(am_metrics_recall(m, 0) == 1 && am_metrics_recall(m, 1) == 0.5 && am_metrics_precision(m, 1) == 1);
  assert_int_equal(am_metrics_confusion(m, 1, 0), 1);
  assert_int_equal(am_metrics_support(m, 1), 2);
  am_metrics_interval(m, &low, &high);
  assert_true(low < 0.75 && high > 0.75);
  assert_true(isnan(am_metrics_f1(m, 2)) && isnan(am_metrics_recall(m, -1)) && isnan(am_metrics_loss(NULL)));
  assert_null(am_metrics_label(m, 2));
  assert_int_equal(am_metrics_confusion(m, 2, 0), 0);
  am_metrics_free(m);
  am_test_fails(am_metrics_compute(t->ctx, NULL, truth, NULL, 4, labels, 2, 1, &m, &err), AM_E_USAGE, &err,
                "probabilities may not be NULL");
  assert_null(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_checkpoint_in_memory_is_that_of_the_file, make, end),
      cmocka_unit_test_setup_teardown(a_model_comes_with_it, make, end),
      cmocka_unit_test_setup_teardown(memory_may_run_out, make, end),
      cmocka_unit_test_setup_teardown(models_are_asked_together, make, end),
      cmocka_unit_test_setup_teardown(a_broken_sample_is_no_silence, make, end),
      cmocka_unit_test_setup_teardown(windows_cover_the_sound, make, end),
      cmocka_unit_test_setup_teardown(a_speaker_has_statistics_of_his_own, make, end),
      cmocka_unit_test_setup_teardown(features_and_classes, make, end),
      cmocka_unit_test_setup_teardown(functionals_have_names, make, end),
      cmocka_unit_test_setup_teardown(metrics_have_getters, make, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
