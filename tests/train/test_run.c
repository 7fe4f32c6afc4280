/* SPDX-License-Identifier: MIT */
/* tests/train/test_run.c - whole runs on a made-up corpus of sines. */
#include "testing.h"

#include "io/h5.h"
#include "io/json.h"
#include "model/evaluate.h"
#include "run/predictions.h"
#include "run_world.h"

/* ---- learning ---- */

static void overfits(void **state) {
  (void)state;
  world w = world_make(2);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  overrides s = {{"train.epochs=40", "train.optimiser.learning_rate=0.05", "train.monitor=validation_accuracy"}};
  am_test_ok(train_with(&w, "run", (am_run_options){0}, s, &r, &err), &err);
  assert_int_equal(r.epochs_run, 40);
  assert_int_equal(r.steps, 40 * 4); /* 2 speakers of 9 clips in batches of 5 */
  assert_non_null(r.validation);
  assert_non_null(r.test);
  assert_int_equal(r.test->n, 9);
  assert_true(r.validation->accuracy == 1);
  assert_true(r.test->accuracy == 1);
  am_run_result_free(&r);
  static const char *const files[] = {"config.yaml", "run.json", "log.txt",         "history.csv",
                                      "last.h5",     "best.h5",  "predictions.csv", "predictions-validation.csv",
                                      "metrics.json"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) assert_true(am_file_exists(file_in(&w, "run", files[i])));
  assert_false(am_file_exists(file_in(&w, "run", "last-1.h5")));

  /* The last row of the history says that every training clip is right. */
  am_tree *tree;
  am_test_ok(am_json_read_file(w.ctx, file_in(&w, "run", "metrics.json"), &tree, &err), &err);
  const am_value *test = am_value_get(am_tree_root(tree), "test");
  assert_string_equal(am_value_find(test, "accuracy")->text, "1");
  assert_string_equal(am_value_find(test, "per_class.low.support")->text, "3");
  am_tree_free(tree);
  world_free(&w);
}

/* One clip a prediction: the same as the same clip in a batch of the evaluation. */
static void predicts_as_it_evaluates(void **state) {
  (void)state;
  world w = world_make(2);
  train_ok(&w, "run", (overrides){{"train.epochs=8"}});
  am_checkpoint *c = load(&w, "run", "best.h5");
  assert_int_equal(c->classes, 3);
  assert_true(c->speaker_independent);
  assert_false(c->synthetic);
  assert_false(c->resumable);
  am_error err = AM_ERROR_INIT;
  am_dataset *d;
  am_features *fx;
  am_store *store;
  am_test_ok(am_dataset_load(w.ctx, &c->config->data, &d, &err), &err);
  am_test_ok(am_features_create(w.ctx, &c->config->features, &fx, &err), &err);
  am_test_ok(am_store_create(w.ctx, d, fx, &c->config->data, "", false, &store, &err), &err);
  uint32_t clips[36];
  float all[36 * 3], one[3];
  for (uint32_t i = 0; i < 36; i++) clips[i] = 35 - i;
  am_test_ok(am_evaluate(w.ctx, c, d, store, clips, 36, all, &err), &err);
  for (size_t i = 0; i < 36; i++) {
    am_sound sound = {.size = sizeof sound};
    am_test_ok(am_sound_read(w.ctx, d->clips[clips[i]].path, 16000, 0, &sound, &err), &err);
    am_test_ok(am_predict_sound(c, sound.samples, sound.n, one, &err), &err);
    assert_allclose_f(one, all + 3 * i, 3, 1e-5, 1e-6);
    am_sound_free(&sound);
  }
  am_test_fails(am_predict_sound(c, NULL, 0, one, &err), AM_E_USAGE, &err, "0 samples");
  am_store_free(store);
  am_features_free(fx);
  am_dataset_free(d);
  am_checkpoint_free(c);
  world_free(&w);
}

/* ---- the same result whatever happens ---- */

static void threads_do_not_matter(void **state) {
  (void)state;
  world w = world_make(1);
  train_ok(&w, "run1", everything);
  for (int threads = 2; threads <= 4; threads += 2) {
    world other = w;
    other.ctx = am_test_context(threads, NULL);
    const char *name = threads == 2 ? "run2" : "run4";
    train_ok(&other, name, everything);
    same_run(&other, "run1", name);
    am_context_free(other.ctx);
  }
  world_free(&w);
}

/* All in memory, or nothing: the same run.  The second of each two finds a cache. */
static void memory_does_not_matter(void **state) {
  (void)state;
  static const char *const augments[] = {"augment={freq_masks: 1, freq_width: 3, mixup: 0.2}",
                                         "augment={speed: [0.9, 1.1], noise_snr: [10, 20]}",
                                         "augment={copies: 2, copies_probability: 1, speed: [0.9, 1.1]}"};
  static const char *const normalise[] = {"features.normalise=train", "features.normalise=clip",
                                          "features.normalise=speaker"};
  static const char *const runs[] = {"all", "none", "none-again", "all-again"};
  for (int i = 0; i < 3; i++) {
    world w = world_make(2);
    char cache[256];
    snprintf(cache, sizeof cache, "cache=%s", am_test_path(w.folder, "cache"));
    for (int k = 0; k < 4; k++) {
      overrides s = {{"train.epochs=2", "train.balance=label", "train.bucket=true", augments[i], normalise[i]}};
      s = with(s, k % 3 ? "data.memory=1" : "data.memory=1GB");
      train_ok(&w, runs[k], k ? with(s, cache) : s);
      if (k) same_run(&w, runs[0], runs[k]);
    }
    world_free(&w);
  }
}

/* It says how a run is kept, not what it is: a run may go on where there is less. */
static void a_run_goes_on_with_less_memory(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  char cache[256];
  snprintf(cache, sizeof cache, "cache=%s", am_test_path(w.folder, "cache"));
  train_ok(&w, "whole", (overrides){{"train.epochs=2"}});
  am_test_fails(
      train_with(&w, "run", (am_run_options){0}, (overrides){{"train.epochs=2", "train.max_steps=3"}}, &r, &err),
      AM_E_STOPPED, &err, "after step 3");
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true},
                        (overrides){{"train.epochs=2", "data.memory=1", cache}}, &r, &err),
             &err);
  am_run_result_free(&r);
  same_run(&w, "whole", "run");
  world_free(&w);
}

/* Steps in bfloat16 give other weights than float32's, the same ones whenever; the checkpoint says so, and all that is measured
 * of it is what float32 gives. */
static void trains_in_bfloat16(void **state) {
  (void)state;
  world w = world_make(1), other = w;
  other.ctx = am_test_context(3, NULL);
  const char *layers =
      "model={layers: [{conv2d: {filters: 16, padding: same, activation: relu}}, {conv2d: {filters: 16}}, "
      "global_average_pool, {dense: {}}]}";
  overrides s = {{"train.epochs=2", layers, "train.precision=bf16"}};
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_test_ok(train_with(&w, "rounded", (am_run_options){0}, s, &r, &err), &err);
  train_ok(&other, "again", s);
  same_run(&w, "rounded", "again");
  train_ok(&w, "float32", (overrides){{"train.epochs=2", layers}});
  assert_int_not_equal(digest(&w, "rounded", "last.h5"), digest(&w, "float32", "last.h5"));
  am_run_result part = {.size = sizeof part};
  am_test_fails(train_with(&w, "paused", (am_run_options){0}, with(s, "train.max_steps=3"), &part, &err), AM_E_STOPPED,
                &err, "");
  am_run_result_free(&part);
  am_test_ok(train_with(&w, "paused", (am_run_options){.resume = true}, s, &part, &err), &err);
  am_run_result_free(&part);
  same_run(&w, "rounded", "paused");
  am_checkpoint *c = load(&w, "rounded", "best.h5");
  assert_int_equal(c->config->train.precision, AM_PRECISION_BF16);
  am_predictions p;
  am_test_ok(am_predictions_read(w.ctx, file_in(&w, "rounded", "predictions.csv"), &p, &err), &err);
  assert_int_equal(p.n, 9);
  am_dataset *d;
  am_features *fx;
  am_store *store;
  am_test_ok(am_dataset_load(w.ctx, &c->config->data, &d, &err), &err);
  am_test_ok(am_features_create(w.ctx, &c->config->features, &fx, &err), &err);
  am_test_ok(am_store_create(w.ctx, d, fx, &c->config->data, "", false, &store, &err), &err);
  for (uint32_t i = 0; i < (uint32_t)d->n; i++)
    for (size_t k = 0; k < p.n; k++)
      if (!strcmp(d->clips[i].name, p.at[k].clip)) {
        float one[3];
        am_test_ok(am_evaluate(w.ctx, c, d, store, &i, 1, one, &err), &err);
        assert_allclose_f(p.probabilities + 3 * k, one, 3, 1e-5, 1e-6);
      }
  am_store_free(store);
  am_features_free(fx);
  am_dataset_free(d);
  am_predictions_free(&p);
  am_checkpoint_free(c);
  am_run_result_free(&r);
  am_context_free(other.ctx);
  world_free(&w);
}

/* ---- the run folder ---- */

static void refuses_a_folder_in_use(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  overrides s = {{"train.epochs=2", "train.max_steps=3"}};
  am_test_fails(train_with(&w, "run", (am_run_options){0}, s, &r, &err), AM_E_STOPPED, &err, "after step 3");
  am_test_fails(train_with(&w, "run", (am_run_options){0}, s, &r, &err), AM_E_USAGE, &err, "holds a run already");
  am_test_fails(train_with(&w, "none", (am_run_options){.resume = true}, s, &r, &err), AM_E_USAGE, &err,
                "no run to resume");
  assert_false(am_folder_exists(am_test_path(w.folder, "none")));

  am_lock *lock;
  am_test_ok(am_lock_take(w.ctx, file_in(&w, "run", "lock"), &lock, &err), &err);
  am_test_fails(train_with(&w, "run", (am_run_options){.resume = true}, s, &r, &err), AM_E_IO, &err,
                "in use by process");
  am_test_fails(train_with(&w, "run", (am_run_options){.resume = true, .patience = -1}, s, &r, &err), AM_E_USAGE, &err,
                "am_run_options.patience is -1");
  am_lock_release(lock);

  overrides other = {{"train.epochs=2", "train.batch=6"}};
  am_test_fails(train_with(&w, "run", (am_run_options){.resume = true}, other, &r, &err), AM_E_CONFIG, &err,
                "train.batch is 6, the run has 5");
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, (overrides){{"train.epochs=2"}}, &r, &err), &err);
  am_run_result_free(&r);
  am_test_fails(train_with(&w, "run", (am_run_options){.resume = true}, (overrides){{"train.epochs=2"}}, &r, &err),
                AM_E_USAGE, &err, "is finished after 2 epochs");
  world_free(&w);
}

static void refuses_the_folder_of_a_cross_validation(void **state) {
  (void)state;
  static const char *const marks[] = {"crossval.yaml", "crossval.json"};
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  for (size_t i = 0; i < 2; i++) {
    mkdir(w.run, 0777);
    am_test_file(file_in(&w, "run", marks[i]), "x", 1);
    am_test_fails(train_with(&w, "run", (am_run_options){0}, (overrides){{0}}, &r, &err), AM_E_USAGE, &err,
                  "run holds a cross-validation (crossval.");
    assert_false(am_file_exists(file_in(&w, "run", "lock")));
    am_test_folder_remove(w.run);
  }
  world_free(&w);
}

/* While the best weights are evaluated on the test part, another folder takes the run's name. */
static void exchange_folder(void *user, const am_progress *progress) {
  world *w = user;
  if (strcmp(progress->task, "test") || !progress->finished) return;
  assert_int_equal(rename(w->run, am_test_path(w->folder, "moved")), 0);
  assert_int_equal(mkdir(w->run, 0777), 0);
}

static void writes_nothing_into_a_folder_that_is_not_its_own(void **state) {
  (void)state;
  world w = world_make(1);
  am_context *outer = w.ctx;
  am_settings settings = {.size = sizeof settings, .threads = 1, .progress = exchange_folder, .user = &w};
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_context_create(&settings, &w.ctx, &err), &err);
  am_test_fails(train_with(&w, "run", (am_run_options){0}, (overrides){{"train.epochs=1"}}, &r, &err), AM_E_IO, &err,
                "its folder was removed, moved or replaced");
  assert_true(am_file_exists(file_in(&w, "moved", "predictions-validation.csv")));
  am_names names;
  am_test_ok(am_folder_list(w.ctx, w.run, &names, &err), &err);
  assert_int_equal(names.n, 0);
  am_names_free(w.ctx, &names);
  am_context_free(w.ctx);
  w.ctx = outer;
  world_free(&w);
}

static void dry_run_writes_nothing(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_test_ok(train_with(&w, "run", (am_run_options){.dry_run = true, .profile = true}, (overrides){{0}}, &r, &err),
             &err);
  assert_int_equal(r.steps, 1);
  assert_false(am_folder_exists(am_test_path(w.folder, "run")));
  world_free(&w);
}

static void bad_data_leaves_no_folder(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_test_file(am_test_path(w.corpus, "s0_low_0.wav"), "not a sound", 11);
  am_test_fails(train_with(&w, "run", (am_run_options){0}, (overrides){{0}}, &r, &err), AM_E_FORMAT, &err,
                "s0_low_0.wav");
  assert_false(am_folder_exists(am_test_path(w.folder, "run")));
  world_free(&w);
}

/* A corpus of `n` empty files with as many labels, of `bytes` bytes each. */
static void many_labels(world *w, int n, int bytes) {
  FILE *manifest = fopen(am_test_path(w->corpus, "manifest.csv"), "w");
  assert_non_null(manifest);
  fprintf(manifest, "path,label,speaker\n");
  for (int i = 0; i < n; i++) {
    char name[32];
    snprintf(name, sizeof name, "empty%d.wav", i);
    am_test_file(am_test_path(w->corpus, name), "", 0);
    fprintf(manifest, "%s,%0*d,speaker%d\n", name, bytes, i, i % 20);
  }
  fclose(manifest);
}

/* Labels that no checkpoint could hold are refused before a sound is opened: the sounds are empty, which is not said. */
static void labels_that_cannot_be_kept_are_refused(void **state) {
  (void)state;
  static const struct {
    int n, bytes;
    am_status status;
    const char *words;
  } cases[] = {{1025, 6, AM_E_DATA, "the clips have 1025 different labels (000000, ...), at most 1024"},
               {1024, 6, AM_E_FORMAT, "is empty"},
               {61, 1000, AM_E_DATA, "61 labels of up to 1000 bytes (0000"},
               {60, 1000, AM_E_FORMAT, "is empty"}};
  world w = world_make(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int dry = 0; dry < 2; dry++) {
      am_run_result r = {.size = sizeof r};
      am_error err;
      many_labels(&w, cases[i].n, cases[i].bytes);
      am_test_fails(train_with(&w, "run", (am_run_options){.dry_run = dry}, (overrides){{0}}, &r, &err),
                    cases[i].status, &err, cases[i].words);
      if (cases[i].status == AM_E_DATA) assert_non_null(strstr(err.message, "the right one?"));
      assert_false(am_folder_exists(w.run));
    }
  world_free(&w);
}

/* ---- stopping, freezing, starting from elsewhere ---- */

static void stops_early(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  overrides s = {{"train.epochs=50", "train.optimiser.learning_rate=0", "train.early_stopping=2",
                  "train.monitor=validation_accuracy"}};
  am_test_ok(train_with(&w, "run", (am_run_options){0}, s, &r, &err), &err);
  assert_true(r.stopped_early);
  assert_true(r.epochs_run < 50);
  assert_int_equal(r.epochs_run, r.best_epoch + 2);
  am_run_result_free(&r);
  world_free(&w);
}

/* Of the file itself: a checkpoint whose weights are not finite is none to be loaded. */
static uint32_t bytes_of(world *w, const char *run, const char *name) {
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(w->ctx, file_in(w, run, name), 1 << 24, &data, &bytes, &err), &err);
  uint32_t crc = am_crc32c(0, data, bytes);
  am_free(w->ctx, data);
  return crc;
}

static void nan_stops_and_names_the_layer(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  overrides s = {{"train.optimiser.learning_rate=1e30"}};
  am_test_fails(train_with(&w, "run", (am_run_options){0}, s, &r, &err), AM_E_NUMERIC, &err,
                "step 2 (epoch 1): the loss is");
  assert_non_null(strstr(err.message, "first in dense_1")); /* 1e30 by 1e30; before it all is finite */
  assert_non_null(strstr(err.message, "no checkpoint had been written yet"));

  s = (overrides){{"train.optimiser.learning_rate=1e38"}};
  am_test_fails(train_with(&w, "run2", (am_run_options){0}, s, &r, &err), AM_E_NUMERIC, &err, "first in conv2d_1");

  /* A run whose state goes bad leaves the files of the last save alone. */
  am_test_fails(train_with(&w, "kept", (am_run_options){0}, (overrides){{"train.max_steps=3"}}, &r, &err), AM_E_STOPPED,
                &err, "after step 3");
  am_error fresh = AM_ERROR_INIT;
  am_h5 *file;
  size_t four = 4;
  float bias[4] = {0, NAN, 0, 0};
  am_test_ok(am_h5_open(w.ctx, file_in(&w, "kept", "last.h5"), AM_H5_UPDATE, &file, &fresh), &fresh);
  am_test_ok(am_h5_write(file, "weights/conv2d_1/bias", AM_H5_F32, 1, &four, bias, &fresh), &fresh);
  am_h5_close(file);
  uint32_t before = bytes_of(&w, "kept", "last.h5");
  am_test_fails(train_with(&w, "kept", (am_run_options){.resume = true}, (overrides){{0}}, &r, &err), AM_E_NUMERIC,
                &err, "step 4 (epoch 1): the loss is not a number, first in conv2d_1");
  assert_non_null(strstr(err.message, "the state after step 3 is kept in"));
  assert_int_equal(bytes_of(&w, "kept", "last.h5"), before);
  world_free(&w);
}

/* Puts numbers in place of an array of a run's last.h5. */
static void put_array(world *w, const char *run, const char *name, const float *values, size_t n) {
  am_h5 *file;
  am_h5_info info;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_open(w->ctx, file_in(w, run, "last.h5"), AM_H5_UPDATE, &file, &err), &err);
  am_test_ok(am_h5_get_info(file, name, &info, &err), &err);
  assert_int_equal(info.count, n);
  am_test_ok(am_h5_write(file, name, AM_H5_F32, info.rank, info.dims, values, &err), &err);
  am_h5_close(file);
}

/* A run that stopped after step 3 of 4, goes on in a world of put_array's making, and fails. */
static void begin_bad(world *w, const char *run) {
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_test_fails(train_with(w, run, (am_run_options){0}, (overrides){{"train.max_steps=3"}}, &r, &err), AM_E_STOPPED,
                &err, "after step 3");
}

static void goes_bad(world *w, const char *run, const char *words, const char *more) {
  am_run_result r = {.size = sizeof r};
  am_error err;
  uint32_t before = bytes_of(w, run, "last.h5");
  am_test_fails(train_with(w, run, (am_run_options){.resume = true}, (overrides){{0}}, &r, &err), AM_E_NUMERIC, &err,
                words);
  if (!strstr(err.message, more)) fail_msg("\"%s\" lacks \"%s\"", err.message, more);
  assert_non_null(strstr(err.message, "the state after step 3 is kept in"));
  assert_int_equal(bytes_of(w, run, "last.h5"), before);
}

/* The loss is finite, for the last layer sees only zeros; what goes back through its weights is not: of the layers
 * whose gradients are bad it is the last, and where it began. */
static void a_bad_gradient_names_where_it_began(void **state) {
  (void)state;
  world w = world_make(1);
  static float zeros[4], kernel[40 * 3];
  begin_bad(&w, "run");
  put_array(&w, "run", "weights/batch_norm_1/gamma", zeros, 4);
  put_array(&w, "run", "weights/batch_norm_1/beta", zeros, 4);
  for (size_t i = 0; i < 40 * 3; i++) kernel[i] = i % 3 == i / 3 % 3 ? -3e38f : 3e38f; /* bad for every label */
  put_array(&w, "run", "weights/dense_1/kernel", kernel, 40 * 3);
  goes_bad(&w, "run", "step 4 (epoch 1): a gradient is not finite", "first in dense_1;");
  world_free(&w);
}

/* The running variance is no part of training; validation uses it. */
static void a_bad_validation_names_clip_and_layer(void **state) {
  (void)state;
  world w = world_make(1);
  float variance[4] = {1, 1, NAN, 1};
  begin_bad(&w, "run");
  put_array(&w, "run", "statistics/batch_norm_1/variance", variance, 4);
  goes_bad(&w, "run", "step 4 (epoch 1): the validation loss is not a number at clip s", "first in batch_norm_1;");
  char *init = strdup(file_in(&w, "run", "last.h5"));
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_test_fails(train_with(&w, "next", (am_run_options){.init = init}, (overrides){{0}}, &r, &err), AM_E_NUMERIC, &err,
                "last.h5: statistics/batch_norm_1/variance: number 3 of 4 is not a number");
  free(init);
  world_free(&w);
}

static void freezes_and_starts_from_a_file(void **state) {
  (void)state;
  world w = world_make(1);
  train_ok(&w, "first", (overrides){{"train.epochs=2"}});
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  char *init = strdup(file_in(&w, "first", "best.h5"));
  overrides s = {{"train.epochs=1", "train.optimiser.freeze=\"conv2d*\"", "seed=7"}};
  am_test_ok(train_with(&w, "second", (am_run_options){.init = init}, s, &r, &err), &err);
  am_run_result_free(&r);
  am_checkpoint *a = load(&w, "first", "best.h5"), *b = load(&w, "second", "best.h5");
  size_t n;
  const am_real *x = am_model_weights(a->model, &n), *y = am_model_weights(b->model, &n);
  for (size_t i = 0; i < am_model_weight_count(a->model); i++) {
    am_array_info info = *am_model_weight_info(a->model, i);
    bool same = !memcmp(x + info.offset, y + info.offset, info.count * sizeof *x);
    assert_int_equal(same, strstr(info.name, "conv2d") != NULL);
  }

  /* Another model: what fits is taken, the rest is listed. */
  am_init_report report;
  am_config *other = made_up_config(w.ctx, w.corpus, (const char *const[]){"model.layers.0.conv2d.filters=5"}, 1);
  am_model *model;
  am_test_ok(am_config_model(other, 16, 20, true, 2, &model, &err), &err);
  am_model_initialise(model, 1);
  am_test_fails(made_up_init(w.ctx, init, model, &report, &err), AM_E_DATA, &err, "no array has the name and shape");
  am_model_free(model);
  am_config_free(other);
  other = made_up_config(w.ctx, w.corpus, (const char *const[]){"model.layers.6={dense: {units: 2, name: head}}"}, 1);
  am_test_ok(am_config_model(other, 16, 20, true, 2, &model, &err), &err);
  am_model_initialise(model, 1);
  am_test_ok(made_up_init(w.ctx, init, model, &report, &err), &err);
  assert_int_equal(report.n_matched, 7);
  assert_non_null(strstr(report.matched.data, "conv2d_1/kernel"));
  assert_int_equal(report.n_missing, 2);
  assert_non_null(strstr(report.missing.data, "head/kernel"));
  assert_int_equal(report.n_unused, 2);
  assert_int_equal(report.n_reshaped, 0);
  am_init_report_free(w.ctx, &report);
  am_model_free(model);
  am_config_free(other);
  am_checkpoint_free(a);
  am_checkpoint_free(b);
  free(init);
  world_free(&w);
}

static void trains_without_validation(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  overrides s = {{"split={kind: speaker, test: 0.25, validation: 0}", "train.epochs=2", "train.class_weights=balanced",
                  "train.loss.divide_by=weights", "features.normalise=train"}};
  am_test_ok(train_with(&w, "run", (am_run_options){0}, s, &r, &err), &err);
  assert_null(r.validation);
  assert_non_null(r.test);
  am_run_result_free(&r);
  am_checkpoint *c = load(&w, "run", "best.h5");
  assert_int_equal(c->normaliser.kind, AM_NORMALISE_TRAIN);
  assert_int_equal(c->normaliser.f, 20);
  assert_non_null(c->normaliser.mean);
  am_checkpoint_free(c);
  world_free(&w);
}

/* With two thirds of the clips of one class, a step that adjusts for it leaves more for the other. */
static void adjusts_for_frequent_classes(void **state) {
  (void)state;
  world w = world_make(2);
  double rare[2];
  for (int tau = 0; tau < 2; tau++) {
    am_run_result r = {.size = sizeof r};
    am_error err = AM_ERROR_INIT;
    const char *folder = tau ? "adjusted" : "plain";
    overrides s = {{"train.epochs=1", "data.merge={middle: low}",
                    tau ? "train.loss.prior_adjust=1" : "train.loss.prior_adjust=0"}};
    am_test_ok(train_with(&w, folder, (am_run_options){0}, s, &r, &err), &err);
    am_run_result_free(&r);
    am_predictions p;
    am_test_ok(am_predictions_read(w.ctx, file_in(&w, folder, "predictions.csv"), &p, &err), &err);
    const size_t high = (size_t)am_predictions_class(&p, "high");
    rare[tau] = 0;
    for (size_t i = 0; i < p.n; i++) rare[tau] += (double)p.probabilities[i * (size_t)p.classes + high] / (double)p.n;
    am_predictions_free(&p);
  }
  if (!(rare[1] > rare[0])) fail_msg("mean probability of the rare class %g, adjusted %g", rare[0], rare[1]);
  world_free(&w);
}

/* A checkpoint whose batch norm is plain has no count of its batches: that is no array to be warned of. */
static void starts_from_plain_statistics(void **state) {
  (void)state;
  world w = world_make(1);
  const char *plain = "model.layers.1={batch_norm: {statistics: plain}}";
  train_ok(&w, "plain", (overrides){{"train.epochs=1", plain}});
  am_init_report report;
  am_error err = AM_ERROR_INIT;
  am_config *config = made_up_config(w.ctx, w.corpus, NULL, 0);
  am_model *model;
  size_t n;
  am_test_ok(am_config_model(config, 16, 20, true, 3, &model, &err), &err);
  am_model_initialise(model, 1);
  am_test_ok(made_up_init(w.ctx, file_in(&w, "plain", "best.h5"), model, &report, &err), &err);
  assert_int_equal(report.n_missing, 0);
  assert_int_equal(report.n_anew, 1);
  assert_non_null(strstr(report.matched.data, "batch_norm_1/variance"));
  const am_real *flat = am_model_statistics(model, &n);
  for (size_t i = 0; i < am_model_statistic_count(model); i++) {
    am_array_info info = *am_model_statistic_info(model, i);
    if (strstr(info.name, "updates")) assert_true(flat[info.offset] == 0);
  }
  am_init_report_free(w.ctx, &report);
  am_model_free(model);
  am_config_free(config);
  world_free(&w);
}

/* Wherever memory runs out, the run ends with an error and leaves nothing behind in memory; a dry one no folder either. */
static void fail_allocations(bool dry) {
  world w = world_make(1);
  am_context *outer = w.ctx;
  bool fired = true;
  for (long n = 1; fired; n = made_up_next_failure(n)) {
    am_test_memory memory;
    am_run_result r = {.size = sizeof r};
    char name[32];
    am_error err = AM_ERROR_INIT;
    snprintf(name, sizeof name, "run%ld", n);
    w.ctx = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    am_config *config =
        made_up_config(w.ctx, w.corpus,
                       (const char *const[]){"train.epochs=1", "train.ema=0.9", "train.auxiliary.speaker=-0.1",
                                             "train.loss.contrastive=0.1"},
                       4);
    char *out = strdup(am_test_path(w.folder, name));
    am_test_memory_arm(&memory, n);
    am_status status =
        am_train_run(config, &(am_run_options){.size = sizeof(am_run_options), .out = out, .dry_run = dry}, &r, &err);
    fired = am_test_memory_fired(&memory);
    am_test_memory_arm(&memory, 0);
    if (!fired) assert_int_equal(status, AM_OK);
    if (status) assert_true(err.message[0] != '\0');
    am_run_result_free(&r);
    am_config_free(config);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(w.ctx);
    if (dry) assert_false(am_folder_exists(out));
    free(out);
  }
  w.ctx = outer;
  world_free(&w);
}

static void survives_failed_allocations(void **state) {
  (void)state;
  fail_allocations(false);
}

/* What comes before the first step and that step, where nothing is written that could hide a loss. */
static void survives_failed_allocations_in_a_step(void **state) {
  (void)state;
  fail_allocations(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(overfits),
      cmocka_unit_test(predicts_as_it_evaluates),
      cmocka_unit_test(threads_do_not_matter),
      cmocka_unit_test(memory_does_not_matter),
      cmocka_unit_test(a_run_goes_on_with_less_memory),
      cmocka_unit_test(trains_in_bfloat16),
      cmocka_unit_test(refuses_a_folder_in_use),
      cmocka_unit_test(refuses_the_folder_of_a_cross_validation),
      cmocka_unit_test(writes_nothing_into_a_folder_that_is_not_its_own),
      cmocka_unit_test(dry_run_writes_nothing),
      cmocka_unit_test(bad_data_leaves_no_folder),
      cmocka_unit_test(labels_that_cannot_be_kept_are_refused),
      cmocka_unit_test(stops_early),
      cmocka_unit_test(nan_stops_and_names_the_layer),
      cmocka_unit_test(a_bad_gradient_names_where_it_began),
      cmocka_unit_test(a_bad_validation_names_clip_and_layer),
      cmocka_unit_test(freezes_and_starts_from_a_file),
      cmocka_unit_test(adjusts_for_frequent_classes),
      cmocka_unit_test(starts_from_plain_statistics),
      cmocka_unit_test(trains_without_validation),
      cmocka_unit_test(survives_failed_allocations),
      cmocka_unit_test(survives_failed_allocations_in_a_step),
  };
  return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
