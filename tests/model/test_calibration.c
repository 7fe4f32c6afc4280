/* SPDX-License-Identifier: MIT */
/* tests/model/test_calibration.c - the temperature: found where it is known, kept in a checkpoint, used in predictions. */
#include "testing.h"

#include "base/file.h"
#include "golden_metrics.h"
#include "io/h5.h"
#include "made_up.h"
#include "model/calibration.h"
#include "model/ensemble.h"
#include "nn/loss.h"

/* ---- the fit ---- */

/* Ten clips for each of 50 distributions, with labels as often as the distribution says: the logits mean what they say, so
 * the temperature is 1; of `by` times these logits it is `by`. */
enum { CLIPS = 500 };
static double fitted(double by, bool *determined) {
  static am_real logits[CLIPS * 3];
  static int labels[CLIPS];
  for (int i = 0; i < CLIPS; i++) {
    int g = i / 10, tenth = i % 10, share[3];
    share[0] = 1 + g % 8;
    share[1] = 1 + (g / 8) % (9 - share[0]);
    share[2] = 10 - share[0] - share[1];
    for (int k = 0; k < 3; k++) logits[3 * i + k] = (am_real)(by * (log(share[k] / 10.0) + 7 * sin(g)));
    labels[i] = tenth < share[0] ? 0 : tenth < share[0] + share[1] ? 1 : 2;
  }
  double t;
  *determined = am_calibration_fit(logits, labels, CLIPS, 3, &t);
  return t;
}

static void finds_a_known_temperature(void **state) {
  (void)state;
  static const double by[] = {1, 0.02, 0.5, 1.7, 3, 25, 90};
  for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
    bool determined;
    double t = fitted(by[i], &determined);
    assert_true(determined);
    if (!(fabs(t / by[i] - 1) < 1e-5)) fail_msg("%g of %g", t, by[i]);
  }
}

/* scipy's minimum of the same (tools/golden-metrics.py, temperature). */
static void equals_scipy(void **state) {
  (void)state;
  am_real logits[GOLDEN_N * GOLDEN_K];
  double t;
  for (int i = 0; i < GOLDEN_N * GOLDEN_K; i++)
    logits[i] = (am_real)(2.5 * (log(golden_probabilities[i]) + (i % GOLDEN_K == 3 ? 29 : 0)));
  assert_true(am_calibration_fit(logits, golden_truth, GOLDEN_N, GOLDEN_K, &t));
  if (!(fabs(t / golden_temperature - 1) < 1e-6)) fail_msg("%.10g, scipy %.10g", t, golden_temperature);
}

static void says_when_there_is_none(void **state) {
  (void)state;
  const int labels[] = {0, 1, 0, 1}, wrong[] = {1, 0, 1, 0};
  const am_real sure[] = {2, 1, 1, 3, 5, 0, 0, 1}, flat[8] = {0};
  am_real bad[] = {2, 1, 1, 3, 5, NAN, 0, 1};
  double t = 7;
  assert_false(am_calibration_fit(sure, labels, 4, 2, &t)); /* all right: the colder the better */
  assert_true(t == 1);
  assert_true(am_calibration_fit(sure, wrong, 4, 2, &t)); /* all wrong: the warmer the better */
  assert_true(t == AM_HIGHEST_TEMPERATURE);
  assert_false(am_calibration_fit(flat, labels, 4, 2, &t));
  assert_true(t == 1);
  assert_false(am_calibration_fit(bad, (const int[]){0, 1, 1, 1}, 4, 2, &t));
  assert_true(t == 1);
  bad[5] = INFINITY;
  assert_false(am_calibration_fit(bad, (const int[]){0, 1, 1, 1}, 4, 2, &t));
  assert_false(am_calibration_fit(sure, labels, 0, 2, &t));
  assert_true(t == 1);
  bool determined;
  assert_true(fitted(150, &determined) == AM_HIGHEST_TEMPERATURE && determined);
  const am_real huge[] = {3e38f, -3e38f, 1, 0, 0, 1};
  (void)am_calibration_fit(huge, (const int[]){0, 1, 1}, 3, 2, &t); /* nothing overflows */
  assert_true(am_calibration_allows(t));
}

/* ---- probabilities ---- */

static void softmax_at_a_temperature(void **state) {
  (void)state;
  am_real z[] = {1, 2.5f, -3, 100, 99, -1000}, p[6], q[6];
  am_softmax_rows(z, 2, 3, p);
  am_calibration_softmax(z, 2, 3, 1, q);
  assert_memory_equal(p, q, sizeof p);
  am_calibration_softmax(z, 2, 3, 2, q);
  for (int r = 0; r < 2; r++) {
    double sum = 0;
    for (int k = 0; k < 3; k++) sum += exp((z[3 * r + k] - z[3 * r + (r ? 0 : 1)]) / 2);
    for (int k = 0; k < 3; k++)
      assert_true(fabs(q[3 * r + k] - exp((z[3 * r + k] - z[3 * r + (r ? 0 : 1)]) / 2) / sum) < 1e-6);
  }
  am_calibration_softmax(z, 2, 3, 2, z); /* in place */
  assert_memory_equal(z, q, sizeof q);
  am_real far[] = {3e38f, -3e38f};
  am_calibration_softmax(far, 1, 2, AM_LOWEST_TEMPERATURE, far);
  assert_true(far[0] == 1 && far[1] == 0);
  am_real none[] = {0, NAN, 5};
  am_calibration_softmax(none, 1, 3, 2, none);
  for (int k = 0; k < 3; k++) assert_true(isnan(none[k]));
}

/* ---- the checkpoint ---- */

static const char GOLDEN[] = "tests/model/golden/checkpoint-1.0.h5";

static am_checkpoint *load(am_context *ctx, const char *path) {
  am_checkpoint *c;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_checkpoint_load(ctx, path, &c, &err), &err);
  return c;
}

static const uint32_t no_clips[1];
static const am_dataset nobody = {.corpus = "manifest"};
static const am_split nothing = {.note = "none",
                                 .at = {(uint32_t *)no_clips, (uint32_t *)no_clips, (uint32_t *)no_clips}};

/* The golden checkpoint as it would be written now, with a temperature; 0: none. */
static void write_with(am_context *ctx, const char *path, double temperature) {
  am_checkpoint *c = load(ctx, am_test_source(GOLDEN));
  am_error err = AM_ERROR_INIT;
  am_save save = {.config = c->config,
                  .model = c->model,
                  .labels = c->labels,
                  .classes = c->classes,
                  .normaliser = &c->normaliser,
                  .dataset = &nobody,
                  .split = &nothing,
                  .epoch = c->epoch,
                  .temperature = temperature};
  am_test_ok(am_checkpoint_save(ctx, path, NULL, &save, &err), &err);
  am_checkpoint_free(c);
}

static void tone(am_checkpoint *c, float p[3]) {
  static float samples[4000];
  am_error err = AM_ERROR_INIT;
  for (int i = 0; i < 4000; i++) samples[i] = (float)(0.3 * sin(6.283185307179586 * 900 * i / 16000));
  am_test_ok(am_predict_sound(c, samples, 4000, p, &err), &err);
}

static bool has_attribute(am_context *ctx, const char *path) {
  am_h5 *file;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_open(ctx, path, AM_H5_READ, &file, &err), &err);
  bool has = am_h5_has(file, "/", "temperature");
  am_h5_close(file);
  return has;
}

static void a_checkpoint_keeps_its_temperature(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  char *folder = am_test_folder();
  char *warm = strdup(am_test_path(folder, "warm.h5")), *plain = strdup(am_test_path(folder, "plain.h5"));
  const double temperature = 2.0 / 3 + 1;
  float p[3], before[3], q[3], both[3];
  am_error err = AM_ERROR_INIT;
  am_checkpoint *old = load(ctx, am_test_source(GOLDEN)); /* of version 1.0 */
  assert_true(am_checkpoint_temperature(old) == 1);
  tone(old, before);
  write_with(ctx, plain, 0);
  assert_false(has_attribute(ctx, plain));
  am_checkpoint *same = load(ctx, plain);
  tone(same, p);
  assert_memory_equal(p, before, sizeof p);
  write_with(ctx, warm, temperature);
  am_checkpoint *c = load(ctx, warm);
  assert_true(am_checkpoint_temperature(c) == temperature); /* to the last bit */
  tone(c, q);
  double sum = 0;
  for (int k = 0; k < 3; k++) sum += pow(before[k], 1 / temperature);
  for (int k = 0; k < 3; k++) assert_true(fabs(q[k] - pow(before[k], 1 / temperature) / sum) < 1e-5);
  double read = 0;
  uint64_t epoch;
  am_test_ok(am_checkpoint_weights(ctx, warm, c->model, &epoch, NULL, &read, NULL, &err), &err);
  assert_true(read == temperature);
  am_test_ok(am_checkpoint_weights(ctx, plain, c->model, NULL, NULL, &read, NULL, &err), &err);
  assert_true(read == 1);
  assert_true(am_checkpoint_temperature(NULL) == 1);

  am_ensemble *e; /* each member's own */
  static float samples[4000];
  for (int i = 0; i < 4000; i++) samples[i] = (float)(0.3 * sin(6.283185307179586 * 900 * i / 16000));
  am_test_ok(am_ensemble_create(ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, c, "warm", &err), &err);
  am_test_ok(am_ensemble_add(e, same, "plain", &err), &err);
  am_test_ok(am_ensemble_predict(e, samples, 4000, both, NULL, &err), &err);
  for (int k = 0; k < 3; k++) assert_true(fabs(both[k] - (p[k] + q[k]) / 2) < 1e-6);
  am_ensemble_free(e);
  am_checkpoint_free(old);
  am_checkpoint_free(same);
  am_checkpoint_free(c);
  free(warm);
  free(plain);
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
}

static void damaged_temperatures_are_refused(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  char *folder = am_test_folder(), *path = strdup(am_test_path(folder, "bad.h5"));
  const double bad[] = {0, -1, NAN, INFINITY, 1e-300, 0.0099, 101};
  for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
    am_h5 *file;
    am_checkpoint *c;
    am_error err = AM_ERROR_INIT, why = AM_ERROR_INIT;
    write_with(ctx, path, 0);
    am_test_ok(am_h5_open(ctx, path, AM_H5_UPDATE, &file, &err), &err);
    const bool text = i == sizeof bad / sizeof *bad;
    if (text) am_test_ok(am_h5_set_text(file, "/", "temperature", "warm", &err), &err);
    else am_test_ok(am_h5_set_real(file, "/", "temperature", bad[i], &err), &err);
    am_h5_close(file);
    am_test_fails(am_checkpoint_load(ctx, path, &c, &why), AM_E_FORMAT, &why, "temperature");
    assert_non_null(strstr(why.message, "bad.h5"));
    assert_null(c);
  }
  free(path);
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_a_known_temperature),
      cmocka_unit_test(equals_scipy),
      cmocka_unit_test(says_when_there_is_none),
      cmocka_unit_test(softmax_at_a_temperature),
      cmocka_unit_test(a_checkpoint_keeps_its_temperature),
      cmocka_unit_test(damaged_temperatures_are_refused),
  };
  return cmocka_run_group_tests_name("calibration", tests, NULL, NULL);
}
