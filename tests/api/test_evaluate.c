/* SPDX-License-Identifier: MIT */
/* tests/api/test_evaluate.c - models on the clips of a corpus, by the public call. */
#include "testing.h"

#include <math.h>

#include "audiomood/audiomood.h"
#include "train/run_world.h"

/* Two runs of a corpus, by different seeds. */
typedef struct things {
  world w;
  am_run_result first; /* what the training of the first says */
  am_checkpoint *one, *two;
} things;

static int make(void **state) {
  things *t = calloc(1, sizeof *t);
  am_error err = AM_ERROR_INIT;
  t->w = world_make(1);
  t->first = (am_run_result){.size = sizeof t->first};
  am_test_ok(train_with(&t->w, "one", (am_run_options){0}, (overrides){{"train.epochs=2"}}, &t->first, &err), &err);
  train_ok(&t->w, "two", (overrides){{"train.epochs=1", "seed=5"}});
  t->one = load(&t->w, "one", "best.h5");
  t->two = load(&t->w, "two", "best.h5");
  *state = t;
  return 0;
}

static int end(void **state) {
  things *t = *state;
  am_checkpoint_free(t->one);
  am_checkpoint_free(t->two);
  am_run_result_free(&t->first);
  world_free(&t->w);
  free(t);
  return 0;
}

static am_status evaluate(const things *t, am_checkpoint *a, am_checkpoint *b, const am_evaluate_options *o,
                          am_metrics **out, am_error *err) {
  am_ensemble *e;
  am_error why = AM_ERROR_INIT;
  am_test_ok(am_ensemble_create(t->w.ctx, &e, &why), &why);
  am_test_ok(am_ensemble_add(e, a, "a", &why), &why);
  if (b) am_test_ok(am_ensemble_add(e, b, "b", &why), &why);
  *out = (am_metrics *)1;
  am_status status = am_ensemble_evaluate(e, o, out, err);
  am_ensemble_free(e);
  return status;
}

static am_metrics *figures(const things *t, am_checkpoint *a, am_checkpoint *b, const am_evaluate_options *o) {
  am_metrics *m;
  am_error err = AM_ERROR_INIT;
  am_test_ok(evaluate(t, a, b, o, &m, &err), &err);
  return m;
}

static void same(const am_metrics *a, const am_metrics *b) {
  assert_int_equal(am_metrics_clips(a), am_metrics_clips(b));
  assert_true(am_metrics_loss(a) == am_metrics_loss(b));
  assert_true(am_metrics_accuracy(a) == am_metrics_accuracy(b));
  for (int k = 0; k < 9; k++)
    assert_int_equal(am_metrics_confusion(a, k / 3, k % 3), am_metrics_confusion(b, k / 3, k % 3));
}

/* To the last bit, as the features, the batches and the weights are the same. */
static void a_part_has_the_figures_of_the_training(void **state) {
  const things *t = *state;
  am_evaluate_options o = {.size = sizeof o};
  am_metrics *m = figures(t, t->one, NULL, NULL);
  same(m, t->first.test);
  assert_string_equal(am_metrics_label(m, 0), am_checkpoint_label(t->one, 0));
  am_metrics_free(m);
  o.part = "validation";
  same(m = figures(t, t->one, NULL, &o), t->first.validation);
  am_metrics_free(m);
  size_t parts = 0;
  for (int i = 0; i < 4; i++) {
    o.part = (const char *const[]){"train", "validation", "test", "all"}[i];
    m = figures(t, t->one, NULL, &o);
    if (i < 3) parts += am_metrics_clips(m);
    else assert_int_equal(am_metrics_clips(m), 36);
    am_metrics_free(m);
  }
  assert_int_equal(parts, 36);
}

static void several_are_their_mean(void **state) {
  const things *t = *state;
  const am_evaluate_options all = {.size = sizeof all, .part = "all"};
  am_metrics *one = figures(t, t->one, NULL, &all), *two = figures(t, t->two, NULL, &all);
  am_metrics *twice = figures(t, t->one, t->one, &all), *both = figures(t, t->one, t->two, &all);
  same(one, twice); /* (p + p) / 2 */
  const double mean = (am_metrics_loss(one) + am_metrics_loss(two)) / 2;
  assert_true(am_metrics_loss(one) != am_metrics_loss(two));
  assert_true(am_metrics_loss(both) < mean); /* the logarithm of a mean is above the mean of the logarithms */
  am_metrics_free(one), am_metrics_free(two), am_metrics_free(twice), am_metrics_free(both);
}

/* By the names of its labels. */
static void another_config_says_which_clips(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  am_config *config = made_up_config(t->w.ctx, t->w.corpus, (const char *const[]){"data.labels=[high, low]"}, 1);
  am_evaluate_options o = {.size = sizeof o, .config = config, .part = "all"};
  m = figures(t, t->one, NULL, &o);
  assert_int_equal(am_metrics_clips(m), 24);
  assert_int_equal(am_metrics_classes(m), 3);
  const int low = am_checkpoint_class(t->one, "low"), middle = am_checkpoint_class(t->one, "middle");
  assert_int_equal(am_metrics_support(m, low), 12);
  assert_int_equal(am_metrics_support(m, middle), 0);
  am_metrics_free(m);
  am_config_free(config);

  config = made_up_config(t->w.ctx, t->w.corpus, (const char *const[]){"data.rename={low: deep, high: shrill}"}, 1);
  o.config = config;
  am_test_fails(evaluate(t, t->one, NULL, &o, &m, &err), AM_E_CONFIG, &err,
                "24 of 36 clips would be left out, as their label is no class of the model");
  assert_null(m);
  o.partial = true;
  m = figures(t, t->one, NULL, &o);
  assert_int_equal(am_metrics_clips(m), 12);
  assert_int_equal(am_metrics_support(m, middle), 12);
  am_metrics_free(m);
  am_config_free(config);

  config = made_up_config(t->w.ctx, "/nonexistent", NULL, 0);
  o.config = config;
  am_test_fails(evaluate(t, t->one, NULL, &o, &m, &err), AM_E_DATA, &err, "/nonexistent/manifest.csv: no such file");
  assert_null(m);
  am_config_free(config);

  config = made_up_config(t->w.ctx, t->w.corpus, (const char *const[]){"split.test=0"}, 1);
  o = (am_evaluate_options){.size = sizeof o, .config = config, .part = "test"};
  am_test_fails(evaluate(t, t->one, NULL, &o, &m, &err), AM_E_DATA, &err, "the split has no test part");
  o.part = NULL;
  m = figures(t, t->one, NULL, &o); /* the validation part */
  assert_true(am_metrics_clips(m) > 0 && am_metrics_clips(m) < 36);
  am_metrics_free(m);
  am_config_free(config);
}

static void what_is_wrong_is_refused(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_evaluate_options o = {.size = sizeof o, .part = "half"};
  am_ensemble *e;
  am_metrics *m;
  am_test_ok(am_ensemble_create(t->w.ctx, &e, &err), &err);
  am_test_fails(am_ensemble_evaluate(NULL, &o, &m, &err), AM_E_USAGE, &err, "ensemble may not be NULL");
  assert_null(m);
  am_test_fails(am_ensemble_evaluate(e, &o, NULL, &err), AM_E_USAGE, &err, "out may not be NULL");
  am_test_fails(am_ensemble_evaluate(e, &o, &m, &err), AM_E_USAGE, &err, "without a model");
  am_ensemble_free(e);
  am_test_fails(evaluate(t, t->one, NULL, &o, &m, &err), AM_E_USAGE, &err,
                "part half: wanted train, validation, test or all");
  assert_null(m);
  o.size = 4;
  am_test_fails(evaluate(t, t->one, NULL, &o, &m, &err), AM_E_USAGE, &err, "am_evaluate_options.size is 4");
  o = (am_evaluate_options){.size = sizeof o, .part = "all"};
  am_context_stop(t->w.ctx);
  am_test_fails(evaluate(t, t->one, t->two, &o, &m, &err), AM_E_STOPPED, &err, "");
  assert_null(m);
  am_context_resume(t->w.ctx);
}

/* A speaker's other clips tell the voice, as `evaluate --enrol-seconds` has it. */
static void voices_can_be_enrolled(void **state) {
  things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  train_ok(&t->w, "voices", (overrides){{"train.epochs=2", "features.normalise=speaker"}});
  am_checkpoint *c = load(&t->w, "voices", "best.h5");
  am_evaluate_options o = {.size = sizeof o, .part = "all"};
  am_metrics *all = figures(t, c, NULL, &o);
  o.enrol_seconds = INFINITY;
  am_metrics *whole = figures(t, c, NULL, &o);
  o.enrol_seconds = 0.1;
  am_metrics *little = figures(t, c, NULL, &o), *other;
  assert_true(am_metrics_clips(whole) < am_metrics_clips(all)); /* half of each speaker's nine */
  assert_int_equal(am_metrics_clips(whole), 4 * 5);
  assert_int_equal(am_metrics_clips(little), am_metrics_clips(whole));
  assert_true(am_metrics_loss(little) != am_metrics_loss(whole));
  o.enrol_seed = 1; /* the default */
  other = figures(t, c, NULL, &o);
  assert_true(am_metrics_loss(other) == am_metrics_loss(little));
  am_metrics_free(other);
  o.enrol_seed = 2;
  other = figures(t, c, NULL, &o);
  assert_true(am_metrics_loss(other) != am_metrics_loss(little));
  am_metrics_free(other);
  am_test_fails(evaluate(t, t->one, NULL, &o, &m, &err), AM_E_USAGE, &err, "no model here normalises per speaker");
  o.enrol_seconds = -1;
  am_test_fails(evaluate(t, c, NULL, &o, &m, &err), AM_E_USAGE, &err, "enrol_seconds is -1");
  o.enrol_seconds = NAN;
  am_test_fails(evaluate(t, c, NULL, &o, &m, &err), AM_E_USAGE, &err, "enrol_seconds is");
  o.enrol_seconds = 0, o.known_voices = true;
  other = figures(t, c, NULL, &o); /* of a model that always needs a voice it changes nothing */
  assert_true(am_metrics_loss(other) == am_metrics_loss(all));
  am_metrics_free(other);
  am_test_fails(evaluate(t, t->one, NULL, &o, &m, &err), AM_E_USAGE, &err, "known_voices: no model here normalises");
  o.enrol_seconds = 1;
  am_test_fails(evaluate(t, c, NULL, &o, &m, &err), AM_E_USAGE, &err, "known_voices or enrol_seconds, not both");
  o.size = offsetof(am_evaluate_options, enrol_seconds); /* a caller of before: what it lacks is its default */
  am_metrics *before = figures(t, c, NULL, &o);
  assert_true(am_metrics_loss(before) == am_metrics_loss(all));
  am_metrics_free(before);
  am_metrics_free(all);
  am_metrics_free(whole);
  am_metrics_free(little);
  am_checkpoint_free(c);
}

static void memory_may_run_out(void **state) {
  const things *t = *state;
  bool fired = true;
  for (long n = 1; fired; n = made_up_next_failure(n)) {
    am_test_memory memory;
    am_error err = AM_ERROR_INIT;
    am_context *ctx = am_test_memory_context(&memory, 1);
    am_checkpoint *c[2] = {NULL};
    am_ensemble *e;
    am_metrics *m;
    am_test_ok(am_ensemble_create(ctx, &e, &err), &err);
    for (int i = 0; i < 2; i++) {
      am_test_ok(am_checkpoint_load(ctx, file_in((world *)&t->w, i ? "two" : "one", "best.h5"), &c[i], &err), &err);
      am_test_ok(am_ensemble_add(e, c[i], "it", &err), &err);
    }
    am_test_memory_arm(&memory, n);
    am_status status = am_ensemble_evaluate(e, NULL, &m, &err);
    fired = am_test_memory_fired(&memory);
    if (status != (fired ? AM_E_NOMEM : AM_OK)) fail_msg("%ld: %d, %s", n, (int)status, err.message);
    assert_true(fired ? !m : m != NULL);
    am_metrics_free(m);
    am_ensemble_free(e);
    for (int i = 0; i < 2; i++) am_checkpoint_free(c[i]);
    am_context_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_part_has_the_figures_of_the_training),
      cmocka_unit_test(several_are_their_mean),
      cmocka_unit_test(another_config_says_which_clips),
      cmocka_unit_test(what_is_wrong_is_refused),
      cmocka_unit_test(voices_can_be_enrolled),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, make, end);
}
