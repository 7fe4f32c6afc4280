/* SPDX-License-Identifier: MIT */
/* tests/train/test_verify.c - digests of the weights, and runs held against them. */
#include "testing.h"

#include "io/json.h"
#include "run/environment.h"
#include "run_world.h"
#include "train/trainer.h"
#include "train/verify.h"

enum { MOST = 8 };

/* Trains 4 steps an epoch; `stop` steps (0: to the end). */
static void train(world *w, const char *const *more, size_t n, int stop, bool resume, const char *init) {
  const char *all[MOST];
  char limit[40];
  am_error err = AM_ERROR_INIT;
  am_run_result r = {.size = sizeof r};
  snprintf(limit, sizeof limit, "train.max_steps=%d", stop);
  for (size_t i = 0; i < n; i++) all[i] = more[i];
  all[n] = limit;
  am_config *config = made_up_config(w->ctx, w->corpus, all, n + 1);
  am_run_options options = {.size = sizeof options, .out = w->run, .resume = resume, .init = init};
  am_status status = am_train_run(config, &options, &r, &err);
  if (status != (stop ? AM_E_STOPPED : AM_OK)) fail_msg("training: %s", err.message);
  am_run_result_free(&r);
  am_config_free(config);
}

static am_verify_report verify(world *w, uint64_t epochs) {
  am_verify_report report;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_run_verify(w->ctx, w->run, NULL, 0, epochs, &report, &err), &err);
  return report;
}

static const char *const settings[] = {"train.epochs=4", "train.ema=0.9", "train.schedule.kind=plateau",
                                       "train.schedule.patience=1",
                                       "augment={freq_masks: 1, freq_width: 3, mixup: 0.2}"};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* Copies come from a cache that is not there when the run is made, and from none. */
static void a_run_with_copies_agrees_and_goes_on(void **state) {
  (void)state;
  world w = world_make(2);
  char cache[600];
  snprintf(cache, sizeof cache, "cache=%s", am_test_path(w.folder, "cache"));
  const char *const copies[] = {"train.epochs=4", "train.bucket=true", "features.normalise=train",
                                "augment={copies: 2, noise_snr: [0, 10], speed: [0.7, 0.9], mixup: 0.2}", cache};
  uint32_t crc[4];
  for (int k = 0; k < 4; k++) { /* computed; stopped and resumed from the cache; another thread; without copies */
    if (k == 2) {
      am_context_free(w.ctx);
      w.ctx = am_test_context(1, NULL);
    }
    if (k == 1) train(&w, copies, 5, 6, false, NULL);
    train(&w, copies, k < 3 ? 5 - (k == 2) : 3, 0, k == 1, NULL);
    am_verify_report r = verify(&w, 4);
    assert_int_equal(r.n, 6);
    assert_int_equal(r.n_equal, 6);
    crc[k] = r.rows[5].found;
    if (k < 3) assert_int_equal(crc[k], crc[0]);
    else assert_int_not_equal(crc[k], crc[0]);
    am_verify_report_free(w.ctx, &r);
    am_test_folder_remove(w.run);
  }
  world_free(&w);
}

static char *read_text(world *w, const char *name) {
  char *text, relative[64];
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  snprintf(relative, sizeof relative, "run/%s", name);
  am_test_ok(am_file_read(w->ctx, am_test_path(w->folder, relative), 1 << 20, &text, &bytes, &err), &err);
  return text;
}

static void a_run_keeps_digests(void **state) {
  (void)state;
  world w = world_make(2);
  train(&w, settings, SETTINGS, 0, false, NULL);
  static const uint64_t steps[] = {0, 4, 8, 10, 12, 16}, epochs[] = {0, 1, 2, 2, 3, 4};
  am_digests d;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_digests_read(w.ctx, w.run, &d, &err), &err);
  assert_int_equal(d.n, 6);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(d.at[i].step, steps[i]);
    assert_int_equal(d.at[i].epoch, epochs[i]);
    for (size_t k = 0; k < i; k++) assert_int_not_equal(d.at[k].crc, d.at[i].crc);
  }
  am_free(w.ctx, d.at);
  world_free(&w);
}

static void an_honest_run_agrees(void **state) {
  (void)state;
  world w = world_make(2);
  train(&w, settings, SETTINGS, 0, false, NULL);
  am_verify_report r = verify(&w, 0);
  assert_int_equal(r.n, 4); /* steps 0, 4, 8, 10 */
  assert_int_equal(r.rows[3].step, 10);
  assert_int_equal(r.n_equal, 4);
  assert_int_equal(r.changes.used, 0);
  am_verify_report_free(w.ctx, &r);
  r = verify(&w, 4); /* the plateau needs the validation part */
  assert_int_equal(r.n, 6);
  assert_int_equal(r.n_equal, 6);
  am_verify_report_free(w.ctx, &r);
  am_error err;
  am_test_fails(am_run_verify(w.ctx, w.run, NULL, 0, 5, &r, &err), AM_E_USAGE, &err,
                "there are digests of 4 epochs, not of 5");
  world_free(&w);
}

/* The digests of steps that were lost are dropped, those before are kept. */
static void resumed_and_begun_from_a_file(void **state) {
  (void)state;
  world w = world_make(2);
  train(&w, settings, SETTINGS, 0, false, NULL);
  char *whole = read_text(&w, "digests.csv"), *init = strdup(am_test_path(w.folder, "init.h5"));
  assert_int_equal(rename(am_test_path(w.folder, "run/best.h5"), init), 0);
  am_test_folder_remove(w.run);
  train(&w, settings, SETTINGS, 5, false, NULL);
  train(&w, settings, SETTINGS, 11, true, NULL);
  assert_int_equal(remove(am_test_path(w.folder, "run/last.h5")), 0); /* back to step 5 */
  train(&w, settings, SETTINGS, 0, true, NULL);
  char *again = read_text(&w, "digests.csv");
  assert_string_equal(again, whole);
  am_free(w.ctx, again);
  am_free(w.ctx, whole);

  am_test_folder_remove(w.run);
  train(&w, settings, SETTINGS, 6, false, init);
  train(&w, settings, SETTINGS, 0, true, NULL);
  am_verify_report r = verify(&w, 0);
  assert_int_equal(r.n, 4);
  assert_int_equal(r.n_equal, 4);
  am_verify_report_free(w.ctx, &r);
  free(init);
  world_free(&w);
}

/* Writes run.json or digests.csv with one text exchanged for another. */
static void exchange(world *w, const char *name, const char *from, const char *to) {
  char *text = read_text(w, name), *at = strstr(text, from), relative[64];
  assert_non_null(at);
  am_buffer b = {0};
  am_buffer_append(w->ctx, &b, text, (size_t)(at - text));
  am_buffer_printf(w->ctx, &b, "%s%s", to, at + strlen(from));
  snprintf(relative, sizeof relative, "run/%s", name);
  am_test_file(am_test_path(w->folder, relative), b.data, b.used);
  am_buffer_free(w->ctx, &b);
  am_free(w->ctx, text);
}

static void what_differs_is_named(void **state) {
  (void)state;
  world w = world_make(2);
  train(&w, settings, SETTINGS, 0, false, NULL);
  am_digests d;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_digests_read(w.ctx, w.run, &d, &err), &err);
  char right[16], hdf5[192];
  snprintf(right, sizeof right, "%08x", (unsigned)d.at[2].crc);
  exchange(&w, "digests.csv", right, d.at[2].crc == 0x12345678 ? "12345679" : "12345678");
  am_free(w.ctx, d.at);
  am_environment now;
  am_environment_get(w.ctx, &now);
  for (size_t i = 0; i < AM_FACTS; i++) { /* each is told, with a name and a version */
    assert_non_null(now.facts[i].key);
    assert_true(now.facts[i].text[0] != '\0');
  }
  snprintf(hdf5, sizeof hdf5, "\"hdf5\": \"%s\"", now.facts[8].text);
  exchange(&w, "run.json", hdf5, "\"hdf5\": \"0.9\"");
  am_verify_report r = verify(&w, 0);
  assert_int_equal(r.n_equal, 3);
  assert_int_not_equal(r.rows[2].recorded, r.rows[2].found);
  assert_non_null(strstr(r.changes.data, "hdf5: 0.9 then, "));
  assert_null(strstr(r.changes.data, "openblas"));
  am_verify_report_free(w.ctx, &r);
  world_free(&w);
}

static void another_processor_path_is_named(void **state) {
  (void)state;
  const char *cpus[AM_TEST_CPUS];
  world w = world_make(2);
  size_t n = am_test_cpus(cpus);
  train(&w, settings, SETTINGS, 0, false, NULL);
  world other = w;
  other.ctx = am_test_context(2, "plain");
  am_verify_report r = verify(&other, 0);
  char line[64] = "";
  if (n > 1) snprintf(line, sizeof line, "cpu: %s then, plain now", am_context_cpu(w.ctx));
  assert_non_null(strstr(r.changes.data ? r.changes.data : "", line));
  assert_int_equal(r.rows[0].recorded, r.rows[0].found); /* drawn, not computed */
  if (n > 1) assert_true(r.n_equal < r.n);
  am_verify_report_free(other.ctx, &r);
  am_context_free(other.ctx);
  world_free(&w);
}

/* Cosine depends on the length of the run, so each step is trained again with the length that held then. */
static const char *const cosine3[] = {"train.epochs=3", "train.schedule.kind=cosine"};
static const char *const cosine6[] = {"train.epochs=6", "train.schedule.kind=cosine"};
static const char *const one_cycle2[] = {"train.epochs=2", "train.schedule.kind=one_cycle"};
static const char *const one_cycle4[] = {"train.epochs=4", "train.schedule.kind=one_cycle"};

static void agrees(world *w, uint64_t epochs, size_t n) {
  am_verify_report r = verify(w, epochs);
  assert_int_equal(r.n, n);
  assert_int_equal(r.n_equal, n);
  assert_false(r.epochs_unknown);
  am_verify_report_free(w->ctx, &r);
}

static void a_run_made_longer_or_shorter_agrees(void **state) {
  (void)state;
  world w = world_make(2);
  train(&w, cosine3, 2, 5, false, NULL);
  train(&w, cosine6, 2, 9, true, NULL);
  assert_int_equal(remove(am_test_path(w.folder, "run/last.h5")), 0); /* back to step 5 */
  train(&w, cosine6, 2, 0, true, NULL);
  am_tree *tree;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_json_read_file(w.ctx, am_test_path(w.folder, "run/run.json"), &tree, &err), &err);
  const am_value *list = am_value_get(am_tree_root(tree), "train_epochs");
  assert_int_equal(list->count, 2);
  assert_string_equal(am_value_get(list->first, "from_step")->text, "0");
  assert_string_equal(am_value_get(list->first, "epochs")->text, "3");
  assert_string_equal(am_value_get(list->last, "from_step")->text, "5");
  assert_string_equal(am_value_get(list->last, "epochs")->text, "6");
  am_tree_free(tree);
  agrees(&w, 0, 4); /* steps 0, 4, 8, 10 */
  agrees(&w, 6, 8);

  am_test_folder_remove(w.run);
  train(&w, one_cycle2, 2, 8, false, NULL); /* all its steps, but the last epoch is not judged */
  train(&w, one_cycle4, 2, 0, true, NULL);
  agrees(&w, 4, 6);
  am_test_folder_remove(w.run);
  train(&w, cosine6, 2, 13, false, NULL);
  train(&w, cosine3, 2, 0, true, NULL); /* ends at once */
  agrees(&w, 3, 5);
  world_free(&w);
}

static void exchange(world *w, const char *name, const char *from, const char *to);

/* run.json of an earlier version does not say; that matters only where the schedule depends on it. */
static void a_length_that_was_not_recorded_is_said(void **state) {
  (void)state;
  world w = world_make(2);
  train(&w, cosine3, 2, 5, false, NULL);
  exchange(&w, "run.json", "\"train_epochs\"", "\"unheard_of\"");
  train(&w, cosine6, 2, 0, true, NULL);
  am_verify_report r = verify(&w, 0);
  assert_true(r.n_equal < r.n);
  assert_true(r.epochs_unknown);
  am_verify_report_free(w.ctx, &r);

  am_test_folder_remove(w.run);
  train(&w, settings, SETTINGS, 0, false, NULL);
  exchange(&w, "run.json", "\"train_epochs\"", "\"unheard_of\"");
  agrees(&w, 4, 6);
  world_free(&w);
}

/* run.json names an environment once, with the step from which on it was used. */
static void environments_are_listed_once(void **state) {
  (void)state;
  world w = world_make(2);
  train(&w, settings, SETTINGS, 3, false, NULL);
  train(&w, settings, SETTINGS, 6, true, NULL);
  exchange(&w, "run.json", "\"version\": \"" AM_VERSION "\",\n      \"compiler\"",
           "\"version\": \"0.0.9\",\n      \"compiler\"");
  train(&w, settings, SETTINGS, 9, true, NULL);
  train(&w, settings, SETTINGS, 0, true, NULL);
  am_tree *tree;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_json_read_file(w.ctx, am_test_path(w.folder, "run/run.json"), &tree, &err), &err);
  const am_value *list = am_value_get(am_tree_root(tree), "environments");
  assert_int_equal(list->count, 2);
  assert_string_equal(am_value_get(list->first, "version")->text, "0.0.9");
  assert_string_equal(am_value_get(list->first, "from_step")->text, "0");
  assert_string_equal(am_value_get(list->last, "version")->text, am_version());
  assert_string_equal(am_value_get(list->last, "from_step")->text, "6");
  am_tree_free(tree);
  world_free(&w);
}

static void what_cannot_be_verified_is_said(void **state) {
  (void)state;
  world w = world_make(2);
  am_verify_report r;
  am_error err;
  am_test_fails(am_run_verify(w.ctx, w.run, NULL, 0, 0, &r, &err), AM_E_USAGE, &err, "there is no run to verify");
  train(&w, settings, SETTINGS, 0, false, NULL);
  static const char *const other[][2] = {{"train.batch=6", "train.batch is 6, the run has 5"},
                                         {"train.epochs=7", "train.epochs is 7, the run has 4"},
                                         {"train.early_stopping=2", "train.early_stopping is 2, the run has 0"},
                                         {"train.max_steps=4", "train.max_steps is 4, the run has 0"},
                                         {"name=other", "name is other, the run has made-up"},
                                         {"data.min_seconds=0.1", "data.min_seconds is 0.1, the run has 0"}};
  for (size_t i = 0; i < sizeof other / sizeof *other; i++)
    am_test_fails(am_run_verify(w.ctx, w.run, other[i], 1, 0, &r, &err), AM_E_CONFIG, &err, other[i][1]);
  const char *root = am_test_path(w.folder, "run/../corpus"), *places[3];
  char moved[512], manifest_at[512];
  snprintf(moved, sizeof moved, "data.root=%s", root);
  snprintf(manifest_at, sizeof manifest_at, "data.manifest=%s/manifest.csv", w.corpus);
  places[0] = moved, places[1] = manifest_at, places[2] = "cache=";
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_run_verify(w.ctx, w.run, places, 3, 0, &r, &err), &err);
  assert_int_equal(r.n_equal, r.n);
  am_verify_report_free(w.ctx, &r);

  char *manifest;
  size_t bytes;
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_read(w.ctx, am_test_path(w.corpus, "manifest.csv"), 1 << 16, &manifest, &bytes, &err), &err);
  *strrchr(manifest, '\n') = '\0';
  am_test_file(am_test_path(w.corpus, "manifest.csv"), manifest,
               (size_t)(strrchr(manifest, '\n') + 1 - manifest)); /* a clip less */
  am_free(w.ctx, manifest);
  am_test_fails(am_run_verify(w.ctx, w.run, NULL, 0, 0, &r, &err), AM_E_DATA, &err,
                "are not those that this run began with");

  exchange(&w, "digests.csv", "\n10,", "\n7,");
  am_test_fails(am_run_verify(w.ctx, w.run, NULL, 0, 0, &r, &err), AM_E_FORMAT, &err,
                "digests.csv:5: step 7 after step 8");
  exchange(&w, "digests.csv", "\n0,0,", "\n0,0,xyz");
  am_test_fails(am_run_verify(w.ctx, w.run, NULL, 0, 0, &r, &err), AM_E_FORMAT, &err, "8 hexadecimal digits");
  remove(am_test_path(w.folder, "run/digests.csv"));
  am_test_fails(am_run_verify(w.ctx, w.run, NULL, 0, 0, &r, &err), AM_E_IO, &err, "digests.csv");
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_keeps_digests),
      cmocka_unit_test(an_honest_run_agrees),
      cmocka_unit_test(a_run_with_copies_agrees_and_goes_on),
      cmocka_unit_test(resumed_and_begun_from_a_file),
      cmocka_unit_test(what_differs_is_named),
      cmocka_unit_test(another_processor_path_is_named),
      cmocka_unit_test(a_run_made_longer_or_shorter_agrees),
      cmocka_unit_test(a_length_that_was_not_recorded_is_said),
      cmocka_unit_test(environments_are_listed_once),
      cmocka_unit_test(what_cannot_be_verified_is_said),
  };
  return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
