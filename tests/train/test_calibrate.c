/* SPDX-License-Identifier: MIT */
/* tests/train/test_calibrate.c - runs with train.calibrate: what they fit, where it is kept, and that nothing else changes. */
#include "testing.h"

#include "audiomood/evaluate.h"
#include "io/h5.h"
#include "io/json.h"
#include "model/calibration.h"
#include "model/evaluate.h"
#include "run_world.h"

#define CALIBRATE "train.calibrate=temperature"

/* Logits of the validation part by the uncalibrated model of a file, the temperature that they give, and the mean negative
 * log-likelihood at it. */
static double fitted(world *w, const char *run, double *loss) {
  am_checkpoint *c = load(w, run, "best.h5");
  am_error err = AM_ERROR_INIT;
  am_dataset *d;
  am_split *split;
  am_features *fx;
  am_store *store;
  am_test_ok(am_dataset_load(w->ctx, &c->config->data, &d, &err), &err);
  am_test_ok(am_split_make(w->ctx, d, &c->config->split, &split, &err), &err);
  am_test_ok(am_features_create(w->ctx, &c->config->features, &fx, &err), &err);
  am_test_ok(am_store_create(w->ctx, d, fx, &c->config->data, "", false, &store, &err), &err);
  const size_t n = split->n[AM_PART_VALIDATION];
  const uint32_t *clips = split->at[AM_PART_VALIDATION];
  float logits[64 * 3];
  int labels[64];
  double t;
  assert_true(n > 0 && n <= 64);
  c->any.temperature = 1;
  am_test_ok(am_evaluate(w->ctx, c, d, store, clips, n, logits, &err), &err);
  for (size_t i = 0; i < 3 * n; i++) logits[i] = logf(logits[i]); /* as good as logits */
  for (size_t i = 0; i < n; i++) labels[i] = d->clips[clips[i]].label;
  assert_true(am_calibration_fit(logits, labels, n, 3, &t));
  am_calibration_softmax(logits, (int)n, 3, t, logits);
  *loss = 0;
  for (size_t i = 0; i < n; i++) *loss -= log(logits[3 * i + (size_t)labels[i]]) / (double)n;
  am_store_free(store);
  am_features_free(fx);
  am_split_free(w->ctx, split);
  am_dataset_free(d);
  am_checkpoint_free(c);
  return t;
}

static double temperature(world *w, const char *run, const char *file) {
  am_checkpoint *c = load(w, run, file);
  const double t = am_checkpoint_temperature(c);
  am_checkpoint_free(c);
  return t;
}

static double figure(world *w, const char *run, const char *key) {
  am_tree *tree;
  am_error err = AM_ERROR_INIT;
  double number = NAN;
  am_test_ok(am_json_read_file(w->ctx, file_in(w, run, "metrics.json"), &tree, &err), &err);
  const am_value *v = am_value_find(am_tree_root(tree), key);
  if (v) assert_true(am_value_to_real(v, &number));
  am_tree_free(tree);
  return number;
}

/* Too short to be right on all of the validation part. */
static const overrides brief = {{"train.epochs=2", "train.optimiser.learning_rate=0.004"}};

static void only_the_probabilities_change(void **state) {
  (void)state;
  world w = world_make(2);
  train_ok(&w, "plain", brief);
  train_ok(&w, "warm", with(brief, CALIBRATE));
  same_run(&w, "plain", "warm");
  double loss, t = fitted(&w, "warm", &loss);
  const double kept = temperature(&w, "warm", "best.h5");
  assert_true(temperature(&w, "plain", "best.h5") == 1);
  assert_true(kept != 1);
  if (!(fabs(kept / t - 1) < 1e-4)) fail_msg("%.9g kept, %.9g of its logits", kept, t);
  assert_true(temperature(&w, "warm", "last.h5") == 1); /* it is not of those weights */
  assert_true(figure(&w, "warm", "temperature") == kept);
  assert_true(isnan(figure(&w, "plain", "temperature")));
  assert_true(figure(&w, "warm", "validation.loss") < figure(&w, "plain", "validation.loss"));
  assert_true(fabs(figure(&w, "warm", "validation.loss") - loss) < 1e-5);
  static const char *const same[] = {"validation.accuracy", "validation.uar", "test.accuracy", "test.uar"};
  for (size_t i = 0; i < 4; i++) assert_true(figure(&w, "warm", same[i]) == figure(&w, "plain", same[i]));
  assert_true(figure(&w, "warm", "test.loss") != figure(&w, "plain", "test.loss"));

  am_ensemble *e; /* what evaluates the checkpoint agrees with its run */
  am_metrics *m;
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c = load(&w, "warm", "best.h5");
  am_test_ok(am_ensemble_create(w.ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, c, "warm", &err), &err);
  am_test_ok(am_ensemble_evaluate(e, NULL, &m, &err), &err);
  assert_true(fabs(am_metrics_loss(m) - figure(&w, "warm", "test.loss")) < 1e-6);
  assert_true(fabs(am_metrics_calibration_error(m) - figure(&w, "warm", "test.ece")) < 1e-6);
  am_metrics_free(m);
  am_ensemble_free(e);
  am_checkpoint_free(c);
  world_free(&w);
}

/* Resumed after the best epoch or before it, with averaged weights: the same bits. */
static void resuming_keeps_it(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  const overrides plain = with(with(brief, "train.ema=0.5"), "train.save_seconds=0"), s = with(plain, CALIBRATE);
  train_ok(&w, "whole", s);
  const double whole = temperature(&w, "whole", "best.h5");
  assert_true(whole != 1);
  static const char *const pauses[] = {"train.max_steps=2", "train.max_steps=6"};
  for (int i = 0; i < 2; i++) {
    char name[16];
    snprintf(name, sizeof name, "paused%d", i);
    am_test_fails(train_with(&w, name, (am_run_options){0}, with(s, pauses[i]), &r, &err), AM_E_STOPPED, &err,
                  "after step");
    am_error fresh = AM_ERROR_INIT;
    am_test_ok(train_with(&w, name, (am_run_options){.resume = true}, s, &r, &fresh), &fresh);
    am_run_result_free(&r);
    same_run(&w, "whole", name);
    assert_true(temperature(&w, name, "best.h5") == whole);
    assert_true(figure(&w, name, "test.loss") == figure(&w, "whole", "test.loss"));
  }
  am_test_fails(train_with(&w, "paused0", (am_run_options){.resume = true}, plain, &r, &err), AM_E_CONFIG, &err,
                "train.calibrate is none, the run has temperature");
  world_free(&w);
}

/* best.h5 was lost, or its temperature is none, so the last weights take its place, with a temperature of their own. */
static void weights_that_take_the_best_ones_place_are_calibrated(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  const overrides s = with(with(brief, CALIBRATE), "train.save_seconds=0");
  overrides shorter = s;
  shorter.at[0] = "train.epochs=1";
  for (int damaged = 0; damaged < 2; damaged++) {
    const char *name = damaged ? "damaged" : "lost";
    am_test_fails(train_with(&w, name, (am_run_options){0}, with(s, "train.max_steps=5"), &r, &err), AM_E_STOPPED, &err,
                  "after step 5");
    am_error fresh = AM_ERROR_INIT;
    if (damaged) {
      am_h5 *file;
      am_test_ok(am_h5_open(w.ctx, file_in(&w, name, "best.h5"), AM_H5_UPDATE, &file, &fresh), &fresh);
      am_test_ok(am_h5_set_real(file, "/", "temperature", -1, &fresh), &fresh);
      am_h5_close(file);
    } else {
      assert_int_equal(unlink(file_in(&w, name, "best.h5")), 0);
    }
    am_test_ok(train_with(&w, name, (am_run_options){.resume = true}, shorter, &r, &fresh), &fresh);
    am_run_result_free(&r);
    double loss, t = fitted(&w, name, &loss);
    const double kept = temperature(&w, name, "best.h5");
    if (!(kept != 1 && fabs(kept / t - 1) < 1e-4)) fail_msg("%s: %.9g kept, %.9g of its logits", name, kept, t);
    assert_true(fabs(figure(&w, name, "validation.loss") - loss) < 1e-5);
  }
  world_free(&w);
}

static void wants_a_validation_part(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  const overrides s = {{CALIBRATE, "split={kind: speaker, test: 0.25, validation: 0}"}};
  am_test_fails(train_with(&w, "run", (am_run_options){0}, s, &r, &err), AM_E_CONFIG, &err,
                "train.calibrate: a temperature is fitted to validation clips, and there are none");
  assert_non_null(strstr(err.message, "split.validation"));
  err = (am_error)AM_ERROR_INIT;
  const overrides p = {{"train.wanted_precision=0.8", "split={kind: speaker, test: 0.25, validation: 0}"}};
  am_test_fails(train_with(&w, "run", (am_run_options){0}, p, &r, &err), AM_E_CONFIG, &err,
                "train.wanted_precision: thresholds are fitted to validation clips, and there are none");
  assert_false(am_folder_exists(w.run));
  world_free(&w);
}

/* A part on which everything is right says only that the model may be surer than it is. */
static void nothing_is_fitted_where_all_is_right(void **state) {
  (void)state;
  world w = world_make(2);
  const overrides s = {{"train.epochs=40", "train.optimiser.learning_rate=0.05", CALIBRATE}};
  train_ok(&w, "run", s);
  assert_true(figure(&w, "run", "validation.accuracy") == 1);
  assert_true(temperature(&w, "run", "best.h5") == 1);
  char *log;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(w.ctx, file_in(&w, "run", "log.txt"), 1 << 20, &log, &bytes, &err), &err);
  assert_non_null(strstr(log, "no temperature could be fitted"));
  am_free(w.ctx, log);
  world_free(&w);
}

/* Nine validation clips, all right: by them 70 % can be promised, and 90 % cannot. */
static void thresholds_are_fitted(void **state) {
  (void)state;
  world w = world_make(2);
  const overrides s = {{"train.epochs=40", "train.optimiser.learning_rate=0.05"}};
  const float sure[] = {1, 0, 0}, even[] = {0.34f, 0.33f, 0.33f};
  train_ok(&w, "plain", s);
  train_ok(&w, "can", with(s, "train.wanted_precision=0.7"));
  train_ok(&w, "cannot", with(s, "train.wanted_precision=0.9"));
  for (int cannot = 0; cannot < 2; cannot++) {
    const char *run = cannot ? "cannot" : "can";
    same_run(&w, "plain", run);
    am_checkpoint *best = load(&w, run, "best.h5"), *last = load(&w, run, "last.h5");
    assert_int_equal(am_checkpoint_decide(best, sure), cannot ? AM_UNCERTAIN : 0);
    assert_int_equal(am_checkpoint_decide(best, even), cannot ? AM_UNCERTAIN : 0);
    assert_true(last->any.thresholds.precision == 0); /* they are not of those weights */
    am_checkpoint_free(best);
    am_checkpoint_free(last);
    assert_true(figure(&w, run, "validation.answered.coverage") == !cannot);
    assert_true(figure(&w, run, "validation.answered.wanted_precision") == (cannot ? 0.9 : 0.7));
    char *log;
    size_t bytes;
    am_error err = AM_ERROR_INIT;
    am_test_ok(am_file_read(w.ctx, file_in(&w, run, "log.txt"), 1 << 20, &log, &bytes, &err), &err);
    assert_non_null(
        strstr(log, cannot ? "every answer of this model is uncertain" : "thresholds for a precision of 0.7"));
    am_free(w.ctx, log);
  }
  assert_true(isnan(figure(&w, "plain", "validation.answered.coverage")));
  assert_true(figure(&w, "plain", "validation.aurc") == 0);
  world_free(&w);
}

/* After the temperature; by what evaluates the checkpoint, and after a pause, the same. */
static void thresholds_are_of_calibrated_probabilities(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err, fresh = AM_ERROR_INIT;
  const overrides s = with(with(brief, CALIBRATE), "train.wanted_precision=0.3");
  train_ok(&w, "whole", s);
  am_checkpoint *c = load(&w, "whole", "best.h5");
  assert_true(c->any.temperature != 1 && c->any.thresholds.precision == 0.3);
  am_ensemble *e;
  am_metrics *m;
  double share, precision;
  am_evaluate_options validation = {.size = sizeof validation, .part = "validation"};
  am_test_ok(am_ensemble_create(w.ctx, &e, &fresh), &fresh);
  am_test_ok(am_ensemble_add(e, c, "whole", &fresh), &fresh);
  am_test_ok(am_ensemble_evaluate(e, &validation, &m, &fresh), &fresh);
  am_metrics_answered(m, &share, &precision);
  assert_true(share > 0 && precision >= 0.3);
  assert_true(share == figure(&w, "whole", "validation.answered.coverage"));
  assert_true(precision == figure(&w, "whole", "validation.answered.precision"));
  am_metrics_free(m);
  am_ensemble_free(e);
  am_test_fails(train_with(&w, "paused", (am_run_options){0}, with(s, "train.max_steps=2"), &r, &err), AM_E_STOPPED,
                &err, "after step");
  am_test_ok(train_with(&w, "paused", (am_run_options){.resume = true}, s, &r, &fresh), &fresh);
  am_run_result_free(&r);
  am_checkpoint *resumed = load(&w, "paused", "best.h5");
  assert_memory_equal(&resumed->any.thresholds, &c->any.thresholds, sizeof c->any.thresholds);
  am_checkpoint_free(resumed);
  am_checkpoint_free(c);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_the_probabilities_change),
      cmocka_unit_test(resuming_keeps_it),
      cmocka_unit_test(weights_that_take_the_best_ones_place_are_calibrated),
      cmocka_unit_test(wants_a_validation_part),
      cmocka_unit_test(nothing_is_fitted_where_all_is_right),
      cmocka_unit_test(thresholds_are_fitted),
      cmocka_unit_test(thresholds_are_of_calibrated_probabilities),
  };
  return cmocka_run_group_tests_name("calibrate", tests, NULL, NULL);
}
