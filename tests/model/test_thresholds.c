/* SPDX-License-Identifier: MIT */
/* tests/model/test_thresholds.c - answers that are left out: thresholds by an independent program, in a checkpoint, and risk by
 * coverage. */
#include "testing.h"

#include "golden_metrics.h"
#include "io/h5.h"
#include "made_up.h"
#include "model/calibration.h"
#include "model/coverage.h"

static const float *probabilities(void) {
  static float p[GOLDEN_N * GOLDEN_K];
  for (int i = 0; i < GOLDEN_N * GOLDEN_K; i++) p[i] = (float)golden_probabilities[i];
  return p;
}

/* ---- the fit ---- */

/* By the beta distribution of scipy (tools/golden-metrics.py, thresholds). */
static void equal_scipy(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  for (int i = 0; i < GOLDEN_PRECISIONS; i++) {
    static am_thresholds t;
    const double precision = golden_precisions[i];
    am_test_ok(am_thresholds_fit(ctx, probabilities(), golden_truth, GOLDEN_N, GOLDEN_K, precision, &t, &err), &err);
    assert_true(t.precision == precision && am_thresholds_allow(&t, GOLDEN_K));
    for (int k = 0; k < GOLDEN_K; k++)
      if (!(fabs(t.at[k] - golden_thresholds[i * GOLDEN_K + k]) < 1e-12))
        fail_msg("precision %g, class %d: %.17g, scipy %.17g", precision, k, t.at[k],
                 golden_thresholds[i * GOLDEN_K + k]);
  }
  am_context_free(ctx);
}

/* Two classes, answers of falling probability; of class 1 those from `wrong` on are wrong. */
enum { MANY = 200 };
static am_thresholds fitted(size_t n, size_t wrong, double precision) {
  static float p[2 * MANY];
  static int labels[MANY];
  static am_thresholds t;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  for (size_t i = 0; i < n; i++) {
    const int class = (int)(i % 2);
    p[2 * i + (size_t) class] = 1 - 0.002f * (float)i;
    p[2 * i + (size_t) !class] = 1 - p[2 * i + (size_t) class];
    labels[i] = class && i >= wrong ? 0 : class;
  }
  am_test_ok(am_thresholds_fit(ctx, p, labels, n, 2, precision, &t, &err), &err);
  am_context_free(ctx);
  return t;
}

static void few_clips_prove_nothing(void **state) {
  (void)state;
  am_thresholds t = fitted(10, 10, 0.8); /* 10 of 10 right: the limit is 0.1^(1/10) = 0.794 */
  assert_true(t.at[0] == AM_NEVER && t.at[1] == AM_NEVER);
  t = fitted(11, 11, 0.8); /* 0.811 */
  assert_true(t.at[0] == 0 && t.at[1] == 0);
  t = fitted(0, 0, 0.8);
  assert_true(t.at[0] == AM_NEVER);
  t = fitted(MANY, MANY, 0.99); /* 0.1^(1/200) = 0.9886 */
  assert_true(t.at[0] == AM_NEVER);
  t = fitted(MANY, MANY, 0.98);
  assert_true(t.at[0] == 0);
}

/* Of class 1 the first 20 of 100 are right: half of the answers may be wrong, but not of one class. */
static void a_class_that_is_mostly_wrong_gets_its_own(void **state) {
  (void)state;
  am_thresholds t = fitted(MANY, 40, 0.5);
  assert_true(t.at[0] == 0);
  assert_true(t.at[1] > 0.8 && t.at[1] < 0.9); /* of 40 answers 20 are right: from 1 - 0.002 * 79 on */
  assert_true(fabs(t.at[1] - (1 - 0.002 * 80)) < 1e-5);
  t = fitted(MANY, 0, 0.4);
  assert_true(t.at[0] < 1 && t.at[1] == AM_NEVER);
}

/* ---- the answer ---- */

static void decides(void **state) {
  (void)state;
  am_thresholds t = {.precision = 0.8, .at = {0.5, 0.7, AM_NEVER}};
  assert_int_equal(am_thresholds_decide(&t, (const float[]){0.5f, 0.3f, 0.2f}, 3), 0); /* at the threshold */
  assert_int_equal(am_thresholds_decide(&t, (const float[]){0.49f, 0.3f, 0.21f}, 3), AM_UNCERTAIN);
  assert_int_equal(am_thresholds_decide(&t, (const float[]){0.3f, 0.6f, 0.1f}, 3), AM_UNCERTAIN);
  assert_int_equal(am_thresholds_decide(&t, (const float[]){0.2f, 0.8f, 0}, 3), 1);
  assert_int_equal(am_thresholds_decide(&t, (const float[]){0, 0, 1}, 3), AM_UNCERTAIN);
  assert_int_equal(am_thresholds_decide(&t, (const float[]){NAN, NAN, NAN}, 3), AM_UNCERTAIN);
  t = (am_thresholds){0};
  assert_int_equal(am_thresholds_decide(&t, (const float[]){0.3f, 0.3f, 0.4f}, 3), 2);
  assert_int_equal(am_checkpoint_decide(NULL, (const float[]){1}), AM_UNCERTAIN);
  assert_true(am_checkpoint_threshold(NULL, 0) == 0);
}

/* ---- the checkpoint ---- */

static const uint32_t no_clips[1];
static const am_dataset nobody = {.corpus = "manifest"};
static const am_split nothing = {.note = "none",
                                 .at = {(uint32_t *)no_clips, (uint32_t *)no_clips, (uint32_t *)no_clips}};

static am_checkpoint *load(am_context *ctx, const char *path) {
  am_checkpoint *c;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_checkpoint_load(ctx, path, &c, &err), &err);
  return c;
}

/* The golden checkpoint, of three classes, as it would be written now. */
static void write_with(am_context *ctx, const char *path, const am_thresholds *thresholds) {
  am_checkpoint *c = load(ctx, am_test_source("tests/model/golden/checkpoint-1.0.h5"));
  am_error err = AM_ERROR_INIT;
  assert_true(c->any.thresholds.precision == 0); /* of version 1.0 */
  am_save save = {.config = c->config,
                  .model = c->model,
                  .labels = c->labels,
                  .classes = c->classes,
                  .normaliser = &c->normaliser,
                  .dataset = &nobody,
                  .split = &nothing,
                  .thresholds = thresholds};
  am_test_ok(am_checkpoint_save(ctx, path, NULL, &save, &err), &err);
  am_checkpoint_free(c);
}

static void a_checkpoint_keeps_them(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  char *folder = am_test_folder(), *path = strdup(am_test_path(folder, "a.h5"));
  static const am_thresholds some = {.precision = 0.85, .at = {1.0 / 3, 0, AM_NEVER}}, none;
  const am_thresholds *const written[] = {&some, &none, NULL};
  for (int i = 0; i < 3; i++) {
    am_error err = AM_ERROR_INIT;
    static am_thresholds t;
    write_with(ctx, path, written[i]);
    am_checkpoint *c = load(ctx, path);
    assert_true(c->any.thresholds.precision == (i ? 0 : 0.85));
    for (int k = 0; k < 3; k++) assert_true(am_checkpoint_threshold(c, k) == (i ? 0 : some.at[k]));
    assert_int_equal(am_checkpoint_decide(c, (const float[]){0.34f, 0.33f, 0.33f}), 0);
    assert_int_equal(am_checkpoint_decide(c, (const float[]){0, 0, 1}), i ? 2 : AM_UNCERTAIN);
    am_test_ok(am_checkpoint_weights(ctx, path, c->model, NULL, NULL, NULL, &t, &err), &err);
    assert_memory_equal(t.at, c->any.thresholds.at, 3 * sizeof *t.at);
    am_checkpoint_free(c);
  }
  free(path);
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
}

static void damaged_ones_are_refused(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  char *folder = am_test_folder(), *path = strdup(am_test_path(folder, "bad.h5"));
  const struct {
    double at, precision; /* precision 0: the attribute is missing */
    size_t n;
    am_status status;
  } bad[] = {{-0.1, 0.8, 3, AM_E_FORMAT}, {1.1, 0.8, 3, AM_E_FORMAT},      {NAN, 0.8, 3, AM_E_FORMAT},
             {0.5, 1, 3, AM_E_FORMAT},    {0.5, NAN, 3, AM_E_FORMAT},      {0.5, 0, 3, AM_E_FORMAT},
             {0.5, -0.5, 3, AM_E_FORMAT}, {INFINITY, 0.8, 3, AM_E_FORMAT}, {0.5, 0.8, 2, AM_E_SHAPE},
             {0.5, 0.8, 4, AM_E_SHAPE}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    am_h5 *file;
    am_checkpoint *c;
    am_error err = AM_ERROR_INIT, why = AM_ERROR_INIT;
    const double at[4] = {0.5, bad[i].at, 0.5, 0.5};
    write_with(ctx, path, NULL);
    am_test_ok(am_h5_open(ctx, path, AM_H5_UPDATE, &file, &err), &err);
    am_test_ok(am_h5_write(file, "thresholds", AM_H5_F64, 1, &bad[i].n, at, &err), &err);
    if (bad[i].precision != 0)
      am_test_ok(am_h5_set_real(file, "thresholds", "precision", bad[i].precision, &err), &err);
    am_h5_close(file);
    am_test_fails(am_checkpoint_load(ctx, path, &c, &why), bad[i].status, &why,
                  bad[i].precision != 0 ? "thresholds" : "precision");
    assert_non_null(strstr(why.message, "bad.h5"));
    assert_null(c);
  }
  free(path);
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
}

/* ---- risk by coverage ---- */

static void figures_equal_numpy(void **state) {
  (void)state;
  static const char *const labels[] = {"a", "b", "c", "d", "e"};
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  am_test_ok(am_metrics_compute(ctx, probabilities(), golden_truth, NULL, GOLDEN_N, labels, GOLDEN_K, 1, &m, &err),
             &err);
  assert_true(fabs(am_metrics_aurc(m) - golden_aurc) < 1e-15);
  for (int i = 0; i < AM_COVERAGES; i++) {
    assert_true(fabs(m->coverage[i].share - golden_coverage[2 * i]) < 1e-15);
    assert_true(fabs(m->coverage[i].threshold - golden_coverage[2 * i + 1]) < 1e-12);
  }
  double share, precision;
  am_metrics_answered(m, &share, &precision);
  assert_true(isnan(share) && isnan(precision));
  am_thresholds t = {0}; /* of the surest that are right to 80 %: as many are answered, as often right */
  for (int k = 0; k < GOLDEN_K; k++) t.at[k] = m->coverage[0].threshold;
  am_metrics_set_answered(m, probabilities(), golden_truth, &t);
  am_metrics_answered(m, &share, &precision);
  assert_true(share == m->coverage[0].share && precision >= 0.8);
  am_metrics_free(m);
  am_context_free(ctx);
}

/* Equally sure answers have no order, so neither curve nor area depends on it. */
static void ties_have_no_order(void **state) {
  (void)state;
  am_answer at[] = {{0.5, 0, true}, {0.9, 0, true}, {0.5, 0, false}, {0.5, 0, false}, {0.5, 0, true}};
  am_answer turned[] = {{0.5, 0, false}, {0.5, 0, false}, {0.5, 0, true}, {0.5, 0, true}, {0.9, 0, true}};
  double risk[5], other[5], threshold;
  am_answers_sort(at, 5);
  am_answers_sort(turned, 5);
  am_answers_risk(at, 5, risk);
  am_answers_risk(turned, 5, other);
  assert_memory_equal(risk, other, sizeof risk);
  const double wanted[] = {0, 0.5 / 2, 1.0 / 3, 1.5 / 4, 2.0 / 5};
  double sum = 0;
  for (int i = 0; i < 5; i++) {
    assert_true(fabs(risk[i] - wanted[i]) < 1e-15);
    sum += wanted[i];
  }
  assert_true(fabs(am_answers_area(at, 5) - sum / 5) < 1e-15);
  assert_true(am_answers_coverage(at, 5, 0.8, &threshold) == 0.2 && threshold == 0.9); /* never a part of the four */
  assert_true(am_answers_coverage(at, 5, 0.6, &threshold) == 1 && threshold == 0.5);
  am_answer wrong[] = {{0.9, 0, false}};
  assert_true(am_answers_coverage(wrong, 1, 0.6, &threshold) == 0 && isnan(threshold));
  assert_true(isnan(am_answers_area(at, 0)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_scipy),
      cmocka_unit_test(few_clips_prove_nothing),
      cmocka_unit_test(a_class_that_is_mostly_wrong_gets_its_own),
      cmocka_unit_test(decides),
      cmocka_unit_test(a_checkpoint_keeps_them),
      cmocka_unit_test(damaged_ones_are_refused),
      cmocka_unit_test(figures_equal_numpy),
      cmocka_unit_test(ties_have_no_order),
  };
  return cmocka_run_group_tests_name("thresholds", tests, NULL, NULL);
}
