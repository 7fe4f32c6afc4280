/* SPDX-License-Identifier: MIT */
/* tests/study/test_crossval.c - cross-validation on a made-up corpus, and the comparison of runs. */
#include "testing.h"

#include "golden_compare.h"
#include "io/json.h"
#include "study/compare.h"
#include "study/crossval.h"
#include "train/run_world.h"

/* ---- statistics ---- */

static void mcnemar_equals_scipy(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof golden_mcnemar / sizeof *golden_mcnemar; i++) {
    am_mcnemar t = am_mcnemar_test(golden_mcnemar[i].b, golden_mcnemar[i].c);
    assert_int_equal(t.only_a, golden_mcnemar[i].b);
    assert_int_equal(t.only_b, golden_mcnemar[i].c);
    assert_true(fabs(t.exact - golden_mcnemar[i].exact) < 1e-10 * golden_mcnemar[i].exact);
    assert_true(fabs(t.mid - golden_mcnemar[i].mid) < 1e-10 * golden_mcnemar[i].mid);
  }
}

static bool near(double a, double b) { return fabs(a - b) < 1e-12; }

/* Each of the 27 draws of three speakers has probability 1/27 > 2.5 %, so the interval ends at the extreme
 * ones. */
static void bootstrap_draws_speakers(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_paired p;
  for (uint64_t seed = 1; seed < 6; seed++) {
    am_test_ok(
        am_paired_bootstrap(ctx, golden_labels, golden_speakers, golden_a, golden_b, GOLDEN_N, 3, seed, &p, &err),
        &err);
    assert_true(p.by_speaker);
    assert_int_equal(p.units, 3);
    assert_true(near(p.accuracy, golden_accuracy[0]) && near(p.uar, golden_uar[0]));
    assert_true(near(p.accuracy_low, golden_accuracy[1]) && near(p.accuracy_high, golden_accuracy[2]));
    assert_true(near(p.uar_low, golden_uar[1]) && near(p.uar_high, golden_uar[2]));
  }
  /* The other way round is the same with the sign changed. */
  am_paired q;
  am_test_ok(am_paired_bootstrap(ctx, golden_labels, golden_speakers, golden_b, golden_a, GOLDEN_N, 3, 5, &q, &err),
             &err);
  assert_true(near(q.uar, -p.uar) && near(q.uar_low, -p.uar_high) && near(q.uar_high, -p.uar_low));
  am_context_free(ctx);
}

static void bootstrap_of_equals_is_zero(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_paired p;
  int unknown[GOLDEN_N];
  for (int i = 0; i < GOLDEN_N; i++) unknown[i] = i == 4 ? -1 : golden_speakers[i];
  am_test_ok(am_paired_bootstrap(ctx, golden_labels, unknown, golden_a, golden_a, GOLDEN_N, 3, 1, &p, &err), &err);
  assert_false(p.by_speaker);
  assert_int_equal(p.units, GOLDEN_N);
  assert_true(p.uar == 0 && p.uar_low == 0 && p.uar_high == 0 && p.accuracy_low == 0 && p.accuracy_high == 0);
  am_context_free(ctx);
}

static void spread_is_of_what_there_is(void **state) {
  (void)state;
  am_metrics m[] = {{.accuracy = 1}, {.accuracy = NAN}, {.accuracy = 2}, {.accuracy = 4.5}};
  am_crossval_run runs[5] = {{0}}; /* the last one is not finished */
  for (int i = 0; i < 4; i++) runs[i].metrics = &m[i];
  am_crossval x = {.runs = runs, .n_seeds = 1, .n_folds = 5};
  am_spread s = am_crossval_spread(&x, AM_OVER_FOLDS, AM_FIGURE_ACCURACY);
  assert_int_equal(s.n, 3);
  assert_true(near(s.mean, 2.5) && near(s.sd, sqrt(3.25)) && s.least == 1 && s.most == 4.5);
  x.n_folds = 1;
  s = am_crossval_spread(&x, AM_OVER_FOLDS, AM_FIGURE_ACCURACY);
  assert_true(s.mean == 1 && isnan(s.sd));
  x.runs = &runs[1];
  assert_true(isnan(am_crossval_spread(&x, AM_OVER_FOLDS, AM_FIGURE_ACCURACY).mean));
}

/* ---- cross-validation ---- */

static const char *const four_folds = "split={kind: kfold, folds: 4, validation_speakers_count: 1}";

/* Into <folder>/<name>; `more` NULL: no other setting. The result is not kept. */
static am_status crossval(world *w, const char *name, const char *split, const char *more, am_crossval_options o,
                          am_error *err) {
  const char *const settings[] = {split, "train.epochs=2", more};
  am_config *config = made_up_config(w->ctx, w->corpus, settings, more ? 3 : 2);
  char *out = strdup(am_test_path(w->folder, name));
  am_crossval *x = NULL;
  o.out = out;
  if (!o.seeds) o.seeds = 1;
  am_status status = am_crossval_train(config, &o, &x, err);
  assert_true((x != NULL) == (status == AM_OK));
  am_crossval_free(x);
  am_config_free(config);
  free(out);
  return status;
}

static char *text_of(world *w, const char *run, const char *name) {
  char *text;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(w->ctx, file_in(w, run, name), 1 << 22, &text, &bytes, &err), &err);
  return text;
}

static void same_text(world *w, const char *a, const char *b, const char *name) {
  char *x = text_of(w, a, name), *y = text_of(w, b, name);
  assert_string_equal(x, y);
  am_free(w->ctx, x);
  am_free(w->ctx, y);
}

static am_tree *json_of(world *w, const char *run, const char *name) {
  am_tree *tree;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_json_read_file(w->ctx, file_in(w, run, name), &tree, &err), &err);
  return tree;
}

static double number(const am_tree *tree, const char *path) {
  double value = NAN;
  const am_value *v = am_value_find(am_tree_root((am_tree *)tree), path);
  if (!v || !am_value_to_real(v, &value)) fail_msg("no number at %s", path);
  return value;
}

static void every_clip_is_tested_once(void **state) {
  (void)state;
  world w = world_make(2);
  am_error err = AM_ERROR_INIT;
  am_test_ok(crossval(&w, "cv", four_folds, NULL, (am_crossval_options){0}, &err), &err);
  am_csv *csv;
  am_test_ok(am_csv_read_file(w.ctx, file_in(&w, "cv", "predictions.csv"), 0, &csv, &err), &err);
  assert_int_equal(am_csv_rows(csv), 36);
  assert_int_equal(am_csv_columns(csv), 5 + 3);
  for (size_t i = 0; i < 36; i++)
    for (size_t k = 0; k < i; k++) assert_string_not_equal(am_csv_get(csv, i, 0), am_csv_get(csv, k, 0));
  am_csv_free(csv);

  /* Figures of a fold are those of its own run; means and pooled ones follow from them. */
  am_tree *all = json_of(&w, "cv", "crossval.json");
  double accuracy = 0, squares = 0;
  for (int fold = 0; fold < 4; fold++) {
    char folder[32], path[64];
    snprintf(folder, sizeof folder, "cv/fold-%d", fold);
    am_tree *one = json_of(&w, folder, "metrics.json");
    snprintf(path, sizeof path, "runs.%d.accuracy", fold);
    assert_true(near(number(all, path), number(one, "test.accuracy")));
    accuracy += number(all, path) / 4;
    squares += number(all, path) * number(all, path);
    snprintf(path, sizeof path, "runs.%d.uar", fold);
    assert_true(near(number(all, path), number(one, "test.uar")));
    assert_int_equal((int)number(one, "validation.n"), 9); /* a training speaker chooses the epoch */
    am_tree_free(one);
  }
  assert_true(near(number(all, "over_folds.accuracy.mean"), accuracy));
  assert_true(fabs(number(all, "over_folds.accuracy.sd") - sqrt((squares - 4 * accuracy * accuracy) / 3)) < 1e-9);
  assert_true(near(number(all, "pooled.accuracy"), accuracy)); /* folds of equal size */
  assert_int_equal((int)number(all, "pooled.n"), 36);
  assert_string_equal(am_value_find(am_tree_root(all), "state")->text, "finished");
  assert_null(am_value_find(am_tree_root(all), "over_seeds"));
  assert_null(am_value_find(am_tree_root(all), "mean_of_seeds"));
  am_tree_free(all);
  world_free(&w);
}

/* Stops when the epoch named by `task` begins for the `after`-th time, as Ctrl-C would. */
typedef struct stopper {
  am_context *ctx;
  const char *task;
  int after;
  bool inside;
} stopper;

static void stop_at(void *user, const am_progress *p) {
  stopper *s = user;
  bool inside = strstr(p->task, s->task) != NULL;
  if (s->ctx && inside && !s->inside && --s->after == 0) am_context_stop(s->ctx);
  s->inside = inside;
}

static void resuming_changes_nothing(void **state) {
  (void)state;
  world w = world_make(2);
  am_error err = AM_ERROR_INIT;
  am_test_ok(crossval(&w, "whole", four_folds, NULL, (am_crossval_options){0}, &err), &err);

  stopper s = {.task = "epoch 2/2", .after = 2}; /* in the second fold */
  am_settings settings = {.size = sizeof settings, .threads = 2, .progress = stop_at, .user = &s};
  world other = w;
  am_test_ok(am_context_create(&settings, &other.ctx, &err), &err);
  s.ctx = other.ctx;
  am_test_fails(crossval(&other, "cut", four_folds, NULL, (am_crossval_options){0}, &err), AM_E_STOPPED, &err,
                "audiomood crossval --resume");
  assert_non_null(strstr(err.message, "1 of 4 runs finished"));
  am_context_free(other.ctx);
  assert_true(am_file_exists(file_in(&w, "cut", "fold-1/last.h5")));
  assert_false(am_file_exists(file_in(&w, "cut", "fold-1/metrics.json")));
  am_tree *part = json_of(&w, "cut", "crossval.json");
  assert_string_equal(am_value_find(am_tree_root(part), "state")->text, "running");
  assert_int_equal((int)number(part, "pooled.n"), 9);
  am_tree_free(part);

  struct stat before, after;
  assert_int_equal(stat(file_in(&w, "cut", "fold-0/best.h5"), &before), 0);
  am_test_ok(crossval(&w, "cut", four_folds, NULL, (am_crossval_options){.resume = true}, &err), &err);
  assert_int_equal(stat(file_in(&w, "cut", "fold-0/best.h5"), &after), 0);
  assert_true(before.st_ino == after.st_ino && before.st_mtime == after.st_mtime);
  same_text(&w, "whole", "cut", "predictions.csv");

  /* A lost fold is trained again, and what is written stays in the order of the folds. */
  assert_int_equal(remove(file_in(&w, "cut", "fold-1/metrics.json")), 0);
  assert_int_equal(rename(file_in(&w, "cut", "fold-1"), am_test_path(w.folder, "gone")), 0);
  am_test_ok(crossval(&w, "cut", four_folds, NULL, (am_crossval_options){.resume = true}, &err), &err);
  same_text(&w, "whole", "cut", "predictions.csv");
  world_free(&w);
}

static void seeds_have_folders_of_their_own(void **state) {
  (void)state;
  world w = world_make(2);
  am_error err = AM_ERROR_INIT;
  static const int first[] = {0}, both[] = {0, 1};
  const char *two = "split={kind: fixed, fold_lists: [[speaker0, speaker1], [speaker2, speaker3]]}";
  am_test_ok(crossval(&w, "cv", two, "seed=7", (am_crossval_options){.seeds = 2, .folds = first, .n_folds = 1}, &err),
             &err);
  assert_true(am_file_exists(file_in(&w, "cv", "seed-8/fold-0/metrics.json")));
  assert_false(am_file_exists(file_in(&w, "cv", "seed-8/fold-1/metrics.json")));
  /* More folds later. */
  am_test_ok(
      crossval(&w, "cv", two, "seed=7", (am_crossval_options){.resume = true, .folds = both, .n_folds = 2}, &err),
      &err);
  am_tree *all = json_of(&w, "cv", "crossval.json");
  assert_int_equal((int)number(all, "runs_finished"), 4);
  assert_int_equal((int)number(all, "pooled.n"), 72);
  assert_int_equal((int)number(all, "over_folds.uar.n"), 4);
  assert_int_equal((int)number(all, "over_seeds.uar.n"), 2);
  assert_true(near(number(all, "over_seeds.accuracy.mean"), number(all, "pooled.accuracy")));
  am_tree_free(all);
  am_csv *csv;
  am_test_ok(am_csv_read_file(w.ctx, file_in(&w, "cv", "predictions.csv"), 0, &csv, &err), &err);
  int seed;
  am_test_ok(am_csv_need(csv, "seed", &seed, &err), &err);
  assert_int_equal(am_csv_rows(csv), 72);
  assert_string_equal(am_csv_get(csv, 0, (size_t)seed), "7");
  assert_string_equal(am_csv_get(csv, 71, (size_t)seed), "8");
  am_csv_free(csv);
  assert_true(am_file_exists(file_in(&w, "cv", "seed-7/predictions.csv")));
  world_free(&w);
}

/* Rows of predictions.csv that the mean of two files' probabilities has right. */
static size_t right_together(world *w, const char *one, const char *other) {
  am_error err = AM_ERROR_INIT;
  enum { CLASSES = 3 };
  static const char *const names[CLASSES] = {"p_low", "p_middle", "p_high"};
  am_csv *csv[2];
  int truth, column[2][CLASSES];
  for (int i = 0; i < 2; i++) {
    am_test_ok(am_csv_read_file(w->ctx, file_in(w, "cv", i ? other : one), 0, &csv[i], &err), &err);
    for (int k = 0; k < CLASSES; k++) am_test_ok(am_csv_need(csv[i], names[k], &column[i][k], &err), &err);
  }
  am_test_ok(am_csv_need(csv[0], "true", &truth, &err), &err);
  size_t right = 0;
  for (size_t row = 0; row < am_csv_rows(csv[0]); row++) {
    double p[CLASSES] = {0};
    int best = 0;
    for (int k = 0; k < CLASSES; k++) {
      for (int i = 0; i < 2; i++) p[k] += atof(am_csv_get(csv[i], row, (size_t)column[i][k]));
      if (p[k] > p[best]) best = k;
    }
    right += !strcmp(am_csv_get(csv[0], row, (size_t)truth), names[best] + 2);
  }
  for (int i = 0; i < 2; i++) am_csv_free(csv[i]);
  return right;
}

static void seeds_are_one_model_together(void **state) {
  (void)state;
  world w = world_make(2);
  am_error err = AM_ERROR_INIT;
  const char *two = "split={kind: fixed, fold_lists: [[speaker0, speaker1], [speaker2, speaker3]]}";
  am_test_ok(crossval(&w, "cv", two, NULL, (am_crossval_options){.seeds = 2}, &err), &err);
  am_tree *all = json_of(&w, "cv", "crossval.json");
  assert_int_equal((int)number(all, "mean_of_seeds.n"), 36);
  assert_int_equal((int)number(all, "mean_of_seeds.over_folds.uar.n"), 2);
  size_t right = right_together(&w, "seed-42/predictions.csv", "seed-43/predictions.csv");
  assert_true(near(number(all, "mean_of_seeds.accuracy"), (double)right / 36));
  assert_true(near(number(all, "mean_of_seeds.over_folds.accuracy.mean"), (double)right / 36)); /* equal folds */
  am_tree_free(all);
  world_free(&w);
}

static void refuses_what_cannot_be_done(void **state) {
  (void)state;
  world w = world_make(2);
  am_error err;
  static const int ninth[] = {9}, one[] = {0};
  am_crossval_options plain = {0}, resume = {.resume = true}, only = {.folds = one, .n_folds = 1};
  am_test_fails(crossval(&w, "cv", "split={kind: random}", NULL, plain, &err), AM_E_CONFIG, &err, "no folds");
  am_test_fails(crossval(&w, "cv", "split={kind: fixed, test_speakers: [speaker1]}", NULL, plain, &err), AM_E_CONFIG,
                &err, "fold_lists");
  am_test_fails(crossval(&w, "cv", four_folds, NULL, (am_crossval_options){.folds = ninth, .n_folds = 1}, &err),
                AM_E_USAGE, &err, "no fold 9; the folds of this split are 0 to 3");
  am_test_fails(crossval(&w, "cv", "split={kind: fixed, fold_lists: [[speaker0], [], [speaker1]]}", NULL, plain, &err),
                AM_E_DATA, &err, "fold 1 of 3 has no clip");
  am_test_fails(crossval(&w, "cv", four_folds, NULL, resume, &err), AM_E_USAGE, &err,
                "no cross-validation to go on with");
  assert_false(am_folder_exists(am_test_path(w.folder, "cv")));

  am_test_ok(crossval(&w, "cv", four_folds, NULL, only, &err), &err);
  am_test_fails(crossval(&w, "cv", four_folds, NULL, plain, &err), AM_E_USAGE, &err,
                "holds a cross-validation already");
  am_test_fails(crossval(&w, "cv/fold-0", four_folds, NULL, plain, &err), AM_E_USAGE, &err, "holds a single run");
  am_test_fails(crossval(&w, "cv", four_folds, "seed=5", resume, &err), AM_E_CONFIG, &err, "it began with seed 42");
  am_test_ok(crossval(&w, "cv", four_folds, NULL, resume, &err), &err);

  /* A finished fold that has lost its last row. */
  char *rows = text_of(&w, "cv/fold-0", "predictions.csv");
  size_t bytes = strlen(rows);
  do bytes--;
  while (rows[bytes - 1] != '\n');
  am_test_file(file_in(&w, "cv/fold-0", "predictions.csv"), rows, bytes);
  am_test_fails(crossval(&w, "cv", four_folds, NULL, resume, &err), AM_E_DATA, &err,
                "8 clips, and fold 0 of the corpus now has 9");
  /* One whose rows are not where they should be. */
  memcpy(strstr(rows, "\ns") + 1, "t", 1);
  am_test_file(file_in(&w, "cv/fold-0", "predictions.csv"), rows, strlen(rows));
  am_test_fails(crossval(&w, "cv", four_folds, NULL, resume, &err), AM_E_FORMAT, &err, "is not where fold 0");
  am_free(w.ctx, rows);

  /* A finished fold whose clips have changed since: the first low tone of every speaker has another label. */
  char *manifest = text_of(&w, "corpus", "manifest.csv");
  FILE *changed = fopen(file_in(&w, "corpus", "manifest.csv"), "w");
  for (char *line = strtok(manifest, "\n"); line; line = strtok(NULL, "\n")) {
    char *at = strstr(line, "_low_0.wav,low");
    if (at) fprintf(changed, "%.*s_low_0.wav,middle%s\n", (int)(at - line), line, at + strlen("_low_0.wav,low"));
    else fprintf(changed, "%s\n", line);
  }
  fclose(changed);
  am_free(w.ctx, manifest);
  am_test_fails(crossval(&w, "cv", four_folds, NULL, resume, &err), AM_E_DATA, &err, "are not those that");
  world_free(&w);
}

/* ---- comparison ---- */

static void compares_clip_by_clip(void **state) {
  (void)state;
  world w = world_make(2);
  am_error err = AM_ERROR_INIT;
  static const int some[] = {1, 2};
  am_test_ok(crossval(&w, "a", four_folds, NULL, (am_crossval_options){0}, &err), &err);
  am_test_ok(crossval(&w, "b", four_folds, "train.optimiser.learning_rate=0.0001",
                      (am_crossval_options){.folds = some, .n_folds = 2}, &err),
             &err);
  am_compared runs[2];
  am_comparison c;
  char *a = strdup(am_test_path(w.folder, "a")), *b = strdup(am_test_path(w.folder, "b"));
  am_test_ok(am_compared_read(w.ctx, a, &runs[0], &err), &err);
  am_test_ok(am_compared_read(w.ctx, b, &runs[1], &err), &err);
  assert_true(runs[0].crossval && runs[0].complete && runs[0].n == 36 && runs[0].n_seeds == 1);

  am_test_ok(am_compare(&runs[0], &runs[0], 1, &c, &err), &err);
  assert_int_equal(c.common, 36);
  assert_int_equal(c.only_a + c.only_b + c.relabelled, 0);
  assert_true(c.mcnemar.mid == 1 && c.paired.uar == 0 && c.paired.uar_high == 0 && c.paired.units == 4);

  am_test_ok(am_compare(&runs[0], &runs[1], 1, &c, &err), &err);
  assert_int_equal(c.common, 18);
  assert_int_equal(c.only_a, 18);
  assert_int_equal(c.only_b, 0);
  assert_int_equal(c.paired.units, 2);
  double right[2] = {0};
  for (size_t i = 0; i < runs[1].n; i++) right[1] += runs[1].verdicts[i].right;
  for (size_t i = 0; i < runs[0].n; i++)
    for (size_t k = 0; k < runs[1].n; k++)
      if (!strcmp(runs[0].verdicts[i].clip, runs[1].verdicts[k].clip)) right[0] += runs[0].verdicts[i].right;
  assert_true(near(c.paired.accuracy, (right[1] - right[0]) / 18));
  assert_true(near((double)c.mcnemar.only_b - (double)c.mcnemar.only_a, right[1] - right[0]));

  am_settings_table table;
  am_test_ok(am_compare_settings(w.ctx, runs, 2, &table, &err), &err);
  assert_int_equal(table.n, 1);
  assert_string_equal(table.at[0].path, "train.optimiser.learning_rate");
  assert_string_equal(table.at[0].text[0], "0.02");
  assert_string_equal(table.at[0].text[1], "0.0001");
  am_settings_table_free(&table);
  am_compared_free(&runs[0]);
  am_compared_free(&runs[1]);
  am_test_fails(am_compared_read(w.ctx, w.corpus, &runs[0], &err), AM_E_IO, &err, "config.yaml: not there");
  free(a);
  free(b);
  world_free(&w);
}

/* Reading and comparing what is finished, with every allocation failing in turn. */
static void survives_failed_allocations(void **state) {
  (void)state;
  world w = world_make(2);
  am_error err = AM_ERROR_INIT;
  am_test_ok(crossval(&w, "a", four_folds, NULL, (am_crossval_options){.seeds = 2}, &err), &err);
  char *a = strdup(am_test_path(w.folder, "a"));
  am_context *outer = w.ctx;
  bool fired = true;
  for (long n = 1; fired; n += 1 + n / 16) {
    am_test_memory memory;
    w.ctx = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    am_compared run;
    am_comparison c;
    am_settings_table table;
    am_crossval *x = NULL;
    am_crossval_options o = {.out = a, .resume = true};
    am_config *config = made_up_config(w.ctx, w.corpus, (const char *const[]){four_folds, "train.epochs=2"}, 2);
    am_test_memory_arm(&memory, n);
    err = (am_error)AM_ERROR_INIT;
    am_status status = am_crossval_train(config, &o, &x, &err);
    am_crossval_free(x);
    if (!status) status = am_compared_read(w.ctx, a, &run, &err);
    if (!status) {
      status = am_compare(&run, &run, 1, &c, &err);
      if (!status) status = am_compare_settings(w.ctx, &run, 1, &table, &err);
      if (!status) am_settings_table_free(&table);
      am_compared_free(&run);
    }
    fired = am_test_memory_fired(&memory);
    if (status) assert_true(fired && err.message[0] != '\0');
    am_config_free(config);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(w.ctx);
  }
  w.ctx = outer;
  free(a);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mcnemar_equals_scipy),
      cmocka_unit_test(bootstrap_draws_speakers),
      cmocka_unit_test(bootstrap_of_equals_is_zero),
      cmocka_unit_test(spread_is_of_what_there_is),
      cmocka_unit_test(every_clip_is_tested_once),
      cmocka_unit_test(resuming_changes_nothing),
      cmocka_unit_test(seeds_have_folders_of_their_own),
      cmocka_unit_test(seeds_are_one_model_together),
      cmocka_unit_test(refuses_what_cannot_be_done),
      cmocka_unit_test(compares_clip_by_clip),
      cmocka_unit_test(survives_failed_allocations),
  };
  return cmocka_run_group_tests_name("crossval", tests, NULL, NULL);
}
