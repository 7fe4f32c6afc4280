/* SPDX-License-Identifier: MIT */
/* tests/train/test_values.c - runs that tell dimensions (data.target), and heads that do: what they write, and that neither cuts
 * nor threads change a bit, though values are missing. */
#include "testing.h"

#include "io/h5.h"
#include "run/predictions.h"
#include "run_world.h"

/* The made-up corpus, with a pitch and a loudness that are not known of every clip. */
static world values_world(int threads) {
  world w = world_make(threads);
  char line[256], *path = strdup(am_test_path(w.corpus, "manifest.csv"));
  am_buffer text = {0};
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  for (int i = 0; fgets(line, sizeof line, file); i++) {
    line[strcspn(line, "\n")] = '\0';
    const double pitch = strstr(line, "low") ? 1.5 : strstr(line, "middle") ? 3 : 4.5;
    if (!i) am_buffer_printf(w.ctx, &text, "%s,pitch,take\n", line);
    else if (i % 5 == 3) am_buffer_printf(w.ctx, &text, "%s,,%d\n", line, 1 + i % 3);
    else if (i % 7 == 2) am_buffer_printf(w.ctx, &text, "%s,%g,\n", line, pitch);
    else am_buffer_printf(w.ctx, &text, "%s,%g,%d\n", line, pitch + 0.1 * (i % 3), 1 + i % 3);
  }
  fclose(file);
  am_test_file(path, text.data, text.used);
  am_buffer_free(w.ctx, &text);
  free(path);
  return w;
}

#define VALUES "data.target=dimensions", "data.dimensions=[pitch, take]", "data.scale=[1, 5]"

static void cuts_and_threads_do_not_matter(void **state) {
  (void)state;
  world w = values_world(1), two = w;
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  const overrides s = {{VALUES, "train.monitor=validation_ccc", "train.auxiliary={emotion: 0.2}", "augment.mixup=0.2"}};
  train_ok(&w, "whole", s);
  two.ctx = am_test_context(2, NULL);
  train_ok(&two, "threads", s);
  same_run(&w, "whole", "threads");
  am_test_fails(train_with(&w, "cut", (am_run_options){0}, with(s, "train.max_steps=5"), &r, &err), AM_E_STOPPED, &err,
                "--resume");
  am_test_ok(train_with(&w, "cut", (am_run_options){.resume = true}, s, &r, &err), &err);
  assert_true(isfinite(am_metrics_ccc(r.test, NULL, NULL)) && isnan(am_metrics_uar(r.test)));
  am_run_result_free(&r);
  same_run(&w, "whole", "cut");
  am_context_free(two.ctx);
  world_free(&w);
}

/* On the corpus's scale, missing ones empty, and of the checkpoint by itself the same. */
static void files_of_such_a_run(void **state) {
  (void)state;
  world w = values_world(2);
  am_error err = AM_ERROR_INIT;
  am_run_result r = {.size = sizeof r};
  const overrides s = {{VALUES, "train.loss.kind=mse", "train.epochs=16"}};
  am_test_ok(train_with(&w, "run", (am_run_options){0}, s, &r, &err), &err);
  assert_true(am_metrics_dimension_ccc(r.test, 0, NULL, NULL) > 0.8); /* a tone's height is easily heard */
  assert_true(am_metrics_dimension_rmse(r.test, 0, NULL, NULL) < 0.8);
  am_predictions p;
  am_test_fails(am_predictions_read(w.ctx, file_in(&w, "run", "predictions.csv"), &p, &err), AM_E_FORMAT, &err,
                "values of dimensions; wanted predictions of emotions");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_predictions_read_any(w.ctx, file_in(&w, "run", "predictions.csv"), &p, &err), &err);
  assert_int_equal(p.n, am_metrics_clips(r.test));
  assert_int_equal(p.classes, 2);
  assert_string_equal(p.labels[0], "pitch");
  size_t unknown = 0;
  for (size_t i = 0; i < p.n * 2; i++) unknown += isnan(p.values[i]);
  assert_true(unknown > 0);
  am_metrics *m;
  am_test_ok(am_predictions_metrics(&p, 1, &m, &err), &err); /* the file says all of it */
  for (int k = 0; k < 2; k++) {
    assert_true(fabs(am_metrics_dimension_ccc(m, k, NULL, NULL) - am_metrics_dimension_ccc(r.test, k, NULL, NULL)) <
                1e-12);
    assert_int_equal(am_metrics_dimension_clips(m, k), am_metrics_dimension_clips(r.test, k));
  }
  am_metrics_free(m);
  am_checkpoint *c;
  double low, high;
  am_test_ok(am_checkpoint_load(w.ctx, file_in(&w, "run", "best.h5"), &c, &err), &err);
  am_checkpoint_scale(c, &low, &high);
  assert_true(am_checkpoint_target(c) == AM_TARGET_DIMENSIONS && low == 1 && high == 5);
  assert_string_equal(am_checkpoint_label(c, 1), "take");
  float values[2];
  am_sound sound = AM_SOUND_INIT;
  am_test_ok(am_sound_read(w.ctx, am_test_path(w.corpus, p.at[0].clip), am_checkpoint_rate(c), 0, &sound, &err), &err);
  am_test_ok(am_predict_sound(c, sound.samples, sound.n, values, &err), &err);
  for (int k = 0; k < 2; k++) assert_true(fabsf(values[k] - p.probabilities[k]) < 1e-4F);
  assert_int_equal(am_checkpoint_decide(c, values), AM_UNCERTAIN);
  am_sound_free(&sound);
  am_checkpoint_free(c);
  am_predictions_free(&p);
  am_run_result_free(&r);
  world_free(&w);
}

static void version_is(world *w, const char *run, const char *wanted) {
  am_error err = AM_ERROR_INIT;
  am_h5 *file;
  char *version;
  am_test_ok(am_h5_open(w->ctx, file_in(w, run, "best.h5"), AM_H5_READ, &file, &err), &err);
  am_test_ok(am_h5_get_text(file, "/", "version", &version, &err), &err);
  assert_string_equal(version, wanted);
  am_free(w->ctx, version);
  am_h5_close(file);
}

/* As a file has them that is damaged, or is of another program. */
static void refused_scales(const world *w, const char *path, const double *scales, size_t n, const char *words) {
  am_error err = AM_ERROR_INIT;
  am_h5 *file;
  am_checkpoint *c;
  am_test_ok(am_h5_open(w->ctx, path, AM_H5_UPDATE, &file, &err), &err);
  am_test_ok(am_h5_write(file, "scales", AM_H5_F64, 2, (const size_t[]){n, 2}, scales, &err), &err);
  am_h5_close(file);
  const am_status status = am_checkpoint_load(w->ctx, path, &c, &err);
  assert_true(status == AM_E_FORMAT || status == AM_E_SHAPE);
  if (!strstr(err.message, words)) fail_msg("%s, wanted %s", err.message, words);
}

/* What a model tells is on the scale of each dimension.  Only a file of several scales is of version 3. */
static void a_scale_for_each(void **state) {
  (void)state;
  world w = values_world(2);
  am_error err = AM_ERROR_INIT;
  const overrides one = {{VALUES, "train.epochs=2"}};
  const overrides each = {{VALUES, "train.epochs=2", "data.scales={take: [-1, 7]}"}};
  train_ok(&w, "one", one);
  train_ok(&w, "each", each); /* take is 1 to 3 */
  version_is(&w, "one", "2.0");
  version_is(&w, "each", "3.0");
  am_predictions p;
  am_test_ok(am_predictions_read_any(w.ctx, file_in(&w, "each", "predictions.csv"), &p, &err), &err);
  for (size_t i = 0; i < p.n; i++) /* as the list says them */
    assert_true(isnan(p.values[2 * i + 1]) || (p.values[2 * i + 1] >= 1 && p.values[2 * i + 1] <= 3));
  am_checkpoint *c;
  double low, high;
  am_test_ok(am_checkpoint_load(w.ctx, file_in(&w, "each", "best.h5"), &c, &err), &err);
  am_checkpoint_dimension_scale(c, 0, &low, &high);
  assert_true(low == 1 && high == 5);
  am_checkpoint_dimension_scale(c, 1, &low, &high);
  assert_true(low == -1 && high == 7);
  am_checkpoint_scale(c, &low, &high);
  assert_true(low == -1 && high == 7);
  am_checkpoint_dimension_scale(c, 2, &low, &high);
  assert_true(low == 0 && high == 0);
  float values[2];
  am_sound sound = AM_SOUND_INIT;
  am_test_ok(am_sound_read(w.ctx, am_test_path(w.corpus, p.at[0].clip), am_checkpoint_rate(c), 0, &sound, &err), &err);
  am_test_ok(am_predict_sound(c, sound.samples, sound.n, values, &err), &err);
  for (int k = 0; k < 2; k++) assert_true(fabsf(values[k] - p.probabilities[k]) < 1e-4F);
  am_sound_free(&sound);
  am_checkpoint_free(c);
  am_predictions_free(&p);
  char *path = strdup(file_in(&w, "each", "best.h5"));
  refused_scales(&w, path, (const double[]){1, 5, 7, -1}, 2, "its scale is 7 to -1, wanted a lower and a higher");
  refused_scales(&w, path, (const double[]){1, 5, NAN, 7}, 2, "its scale is nan to 7");
  refused_scales(&w, path, (const double[]){1, 5, 1, 5, 1, 5}, 3, "scales");
  free(path);
  world_free(&w);
}

/* A head for a value beside classes; looking alone changes nothing of the net. */
static void heads_tell_values(void **state) {
  (void)state;
  world w = values_world(2);
  am_error err = AM_ERROR_INIT;
  am_run_result r = {.size = sizeof r};
  const overrides s = {{"data.dimensions=[pitch, take]", "data.scale=[1, 5]"}};
  train_ok(&w, "without", s);
  train_ok(&w, "looking", with(s, "train.auxiliary={pitch: 0, take: 0}"));
  same_run(&w, "without", "looking");
  const overrides led = with(s, "train.auxiliary={pitch: 0.3}");
  train_ok(&w, "led", led);
  assert_int_not_equal(digest(&w, "led", "last.h5"), digest(&w, "without", "last.h5"));
  am_test_fails(train_with(&w, "cut", (am_run_options){0}, with(led, "train.max_steps=6"), &r, &err), AM_E_STOPPED,
                &err, "--resume");
  am_test_ok(train_with(&w, "cut", (am_run_options){.resume = true}, led, &r, &err), &err);
  am_run_result_free(&r);
  same_run(&w, "led", "cut");
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cuts_and_threads_do_not_matter),
      cmocka_unit_test(files_of_such_a_run),
      cmocka_unit_test(a_scale_for_each),
      cmocka_unit_test(heads_tell_values),
  };
  return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
