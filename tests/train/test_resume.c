/* SPDX-License-Identifier: MIT */
/* tests/train/test_resume.c - runs that are stopped, cut short or damaged end as if nothing had happened. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "testing.h"

#include <errno.h>

#include "base/system.h"
#include "io/h5.h"
#include "run_world.h"
#include "train/verify.h"

static void resuming_changes_nothing(void **state) {
  (void)state;
  world w = world_make(2);
  train_ok(&w, "whole", everything);
  /* 4 steps an epoch: within the first, at its end, after one step of the second, at the end of all. */
  static const int cuts[] = {1, 4, 5, 12};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    char name[32], steps[32];
    am_run_result r = {.size = sizeof r};
    am_error err;
    snprintf(name, sizeof name, "cut%d", cuts[i]);
    snprintf(steps, sizeof steps, "train.max_steps=%d", cuts[i]);
    am_test_fails(train_with(&w, name, (am_run_options){0}, with(everything, steps), &r, &err), AM_E_STOPPED, &err,
                  "--resume");
    assert_true(r.interrupted);
    assert_int_equal(r.steps, cuts[i]);
    assert_false(am_file_exists(file_in(&w, name, "metrics.json")));
    am_test_ok(train_with(&w, name, (am_run_options){.resume = true}, everything, &r, &err), &err);
    assert_int_equal(r.steps, 12);
    am_run_result_free(&r);
    same_run(&w, "whole", name);
  }
  world_free(&w);
}

static const char plain[] = "model.layers.1.batch_norm.statistics=plain";

/* Takes the line that holds `words` out of a text. */
static void cut_line(char *text, const char *words) {
  char *at = strstr(text, words);
  assert_non_null(at);
  while (at > text && at[-1] != '\n') at--;
  char *end = strchr(at, '\n');
  memmove(at, end + 1, strlen(end));
}

/* What a file of a run said before there were two kinds of moving statistics. */
static void as_before(world *w, const char *run, const char *name) {
  am_error err = AM_ERROR_INIT;
  char *path = strdup(file_in(w, run, name)), *text;
  size_t bytes;
  if (strstr(name, ".h5")) {
    am_h5 *file;
    am_test_ok(am_h5_open(w->ctx, path, AM_H5_UPDATE, &file, &err), &err);
    am_test_ok(am_h5_read_text(file, "config", &text, &err), &err);
    cut_line(text, "statistics: plain");
    am_test_ok(am_h5_write_text(file, "config", text, &err), &err);
    am_h5_close(file);
  } else {
    am_test_ok(am_file_read(w->ctx, path, 1 << 20, &text, &bytes, &err), &err);
    cut_line(text, "statistics: plain");
    am_test_ok(am_file_write(w->ctx, path, text, strlen(text), &err), &err);
  }
  am_free(w->ctx, text);
  free(path);
}

/* A run that began when moving statistics had a start, and nothing said so, goes on with it, and verifies; a config of
 * the user's own that does not say means the new kind. */
static void statistics_of_before_stay_plain(void **state) {
  (void)state;
  world w = world_make(2);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  train_ok(&w, "new", (overrides){{NULL}});
  train_ok(&w, "whole", (overrides){{plain}});
  assert_int_not_equal(digest(&w, "new", "last.h5"), digest(&w, "whole", "last.h5"));
  am_test_fails(train_with(&w, "old", (am_run_options){0}, (overrides){{plain, "train.max_steps=5"}}, &r, &err),
                AM_E_STOPPED, &err, "after step 5");
  static const char *const files[] = {"config.yaml", "last.h5", "best.h5"};
  for (int i = 0; i < 3; i++) as_before(&w, "old", files[i]);
  const char *const go[] = {"train.max_steps=0"};
  char *out = strdup(am_test_path(w.folder, "old"));
  am_config *config;
  am_test_ok(am_config_load_stored(w.ctx, file_in(&w, "old", "config.yaml"), go, 1, &config, &err), &err);
  assert_string_equal(am_value_find(config->layers, "1.batch_norm.statistics")->text, "plain");
  am_test_ok(
      am_train_run(config, &(am_run_options){.size = sizeof(am_run_options), .out = out, .resume = true}, &r, &err),
      &err);
  am_run_result_free(&r);
  am_config_free(config);
  same_run(&w, "whole", "old");
  for (int i = 0; i < 3; i++) as_before(&w, "old", files[i]);
  am_verify_report report;
  am_test_ok(am_run_verify(w.ctx, out, NULL, 0, 3, &report, &err), &err);
  assert_int_equal(report.n, 5); /* step 0, the ends of three epochs, step 10 */
  assert_int_equal(report.n_equal, 5);
  am_verify_report_free(w.ctx, &report);
  free(out);
  world_free(&w);
}

/* Runs written before the layers of the effective config were filled in have them as the user wrote them, in config.yaml
 * and in the checkpoints: they resume, and what they are told to change in the model is refused, as ever. */
static void layers_as_they_were_written_resume(void **state) {
  (void)state;
  world w = world_make(2);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  char *text, *out = strdup(am_test_path(w.folder, "before"));
  size_t bytes;
  train_ok(&w, "whole", (overrides){{plain}});
  am_config *config = made_up_config(w.ctx, w.corpus, (const char *[]){"train.max_steps=5", plain}, 2);
  am_value *layers = am_value_copy(config->effective, config->layers);
  am_test_ok(am_value_set(config->effective, "model.layers", layers, &err), &err);
  am_test_fails(am_train_run(config, &(am_run_options){.size = sizeof(am_run_options), .out = out}, &r, &err),
                AM_E_STOPPED, &err, "after step 5");
  am_config_free(config);
  am_test_ok(am_file_read(w.ctx, file_in(&w, "before", "config.yaml"), 1 << 20, &text, &bytes, &err), &err);
  assert_null(strstr(text, "dense_1"));
  am_free(w.ctx, text);
  const char *const other[] = {"train.max_steps=0", "model.layers.0.conv2d.stride=2"};
  for (size_t n = 2; n >= 1; n--) {
    am_test_ok(am_config_load_stored(w.ctx, file_in(&w, "before", "config.yaml"), other, n, &config, &err), &err);
    am_run_options go_on = {.size = sizeof go_on, .out = out, .resume = true};
    if (n == 1) am_test_ok(am_train_run(config, &go_on, &r, &err), &err);
    else am_test_fails(am_train_run(config, &go_on, &r, &err), AM_E_CONFIG, &err, "model.layers is something else");
    am_config_free(config);
  }
  am_run_result_free(&r);
  same_run(&w, "whole", "before");
  am_test_ok(am_file_read(w.ctx, file_in(&w, "before", "config.yaml"), 1 << 20, &text, &bytes, &err), &err);
  assert_non_null(strstr(text, "dense_1")); /* from now on in full */
  am_free(w.ctx, text);
  free(out);
  world_free(&w);
}

/* Stops from a log or progress sink, as Ctrl-C would. */
typedef struct stopper {
  am_context *ctx;
  const char *task;
  int after;
} stopper;

static void stop_at(void *user, const am_progress *p) {
  stopper *s = user;
  if (s->ctx && strstr(p->task, s->task) && --s->after == 0) am_context_stop(s->ctx);
}

static void stopping_at_any_moment_is_safe(void **state) {
  (void)state;
  world w = world_make(2);
  train_ok(&w, "whole", everything);
  static const struct {
    const char *task, *name;
    int after;
  } moments[] = {{"epoch 1/3", "a", 1}, {"epoch 2/3", "b", 1}, {"validation", "c", 1}, {"epoch 3/3", "d", 2}};
  for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
    stopper s = {.task = moments[i].task, .after = moments[i].after};
    am_settings settings = {.size = sizeof settings, .threads = 2, .progress = stop_at, .user = &s};
    am_error err = AM_ERROR_INIT;
    am_run_result r = {.size = sizeof r};
    world other = w;
    am_test_ok(am_context_create(&settings, &other.ctx, &err), &err);
    s.ctx = other.ctx;
    am_test_fails(train_with(&other, moments[i].name, (am_run_options){0}, everything, &r, &err), AM_E_STOPPED, &err,
                  "stopped after step");
    am_context_free(other.ctx);
    am_test_ok(train_with(&w, moments[i].name, (am_run_options){.resume = true}, everything, &r, &err), &err);
    am_run_result_free(&r);
    same_run(&w, "whole", moments[i].name);
  }
  world_free(&w);
}

/* ---- damage ---- */

static void flip_byte(const char *path, long from_end) {
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  long at = ftell(file) - from_end;
  fseek(file, at, SEEK_SET);
  int byte = fgetc(file);
  fseek(file, at, SEEK_SET);
  fputc(byte ^ 0x5a, file);
  fclose(file);
}

static void damaged_last_falls_back(void **state) {
  (void)state;
  world w = world_make(2);
  am_run_result r = {.size = sizeof r};
  am_error err;
  train_ok(&w, "whole", everything);
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(everything, "train.max_steps=5"), &r, &err),
                AM_E_STOPPED, &err, "after step 5");
  am_test_fails(
      train_with(&w, "run", (am_run_options){.resume = true}, with(everything, "train.max_steps=7"), &r, &err),
      AM_E_STOPPED, &err, "after step 7");
  assert_true(am_file_exists(file_in(&w, "run", "last-1.h5")));

  /* Cut short: the checkpoint before it is taken, and the run ends as if nothing had happened. */
  struct stat info;
  assert_int_equal(stat(file_in(&w, "run", "last.h5"), &info), 0);
  assert_int_equal(truncate(file_in(&w, "run", "last.h5"), info.st_size / 2), 0);
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &err), &err);
  am_run_result_free(&r);
  same_run(&w, "whole", "run");
  char *log;
  size_t bytes;
  am_test_ok(am_file_read(w.ctx, file_in(&w, "run", "log.txt"), 1 << 20, &log, &bytes, &err), &err);
  assert_non_null(strstr(log, "going on from the checkpoint before it"));
  am_free(w.ctx, log);
  world_free(&w);
}

/* Steps, epochs and batches that do not fit together: a position beyond the epoch would be read beyond the clips. */
static void steps_that_do_not_fit_fall_back(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  train_ok(&w, "whole", everything);
  am_test_fails(train_with(&w, "run", (am_run_options){0},
                           with(with(everything, "train.max_steps=6"), "train.save_seconds=0"), &r, &err),
                AM_E_STOPPED, &err, "--resume");
  assert_true(am_file_exists(file_in(&w, "run", "last-1.h5")));
  am_h5 *file;
  am_test_ok(am_h5_open(w.ctx, file_in(&w, "run", "last.h5"), AM_H5_UPDATE, &file, &err), &err);
  am_test_ok(am_h5_set_int(file, "training", "position", 5, &err), &err);
  am_h5_close(file);
  am_test_ok(
      train_with(&w, "run", (am_run_options){.resume = true}, with(everything, "train.save_seconds=0"), &r, &err),
      &err);
  am_run_result_free(&r);
  char *log;
  size_t bytes;
  am_test_ok(am_file_read(w.ctx, file_in(&w, "run", "log.txt"), 1 << 20, &log, &bytes, &err), &err);
  assert_non_null(
      strstr(log,
             "it says step 6 after 1 epochs and 5 batches; an epoch has 4 batches; going on from the checkpoint "
             "before it"));
  am_free(w.ctx, log);
  same_run(&w, "whole", "run");
  world_free(&w);
}

static void both_damaged_is_said(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(everything, "train.max_steps=2"), &r, &err),
                AM_E_STOPPED, &err, "after step 2");
  am_test_file(file_in(&w, "run", "last.h5"), "nothing", 7);
  am_test_file(file_in(&w, "run", "last-1.h5"), "nothing", 7);
  am_test_fails(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &err), AM_E_FORMAT, &err,
                "and the checkpoint before it");
  world_free(&w);
}

static int no_space(int fd) {
  (void)fd;
  errno = ENOSPC;
  return -1;
}

/* From the moment the last epoch begins, no file can be synced any more. */
static void fill_disk(void *user, const am_progress *p) {
  static am_system full;
  stopper *s = user;
  if (!s->ctx || !strstr(p->task, s->task)) return;
  full = am_system_real;
  full.fsync = no_space;
  am_context_set_system(s->ctx, &full);
}

static void full_disk_keeps_what_was_saved(void **state) {
  (void)state;
  world w = world_make(2);
  train_ok(&w, "whole", everything);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(everything, "train.max_steps=5"), &r, &err),
                AM_E_STOPPED, &err, "after step 5");
  uint32_t before = digest(&w, "run", "last.h5");
  stopper s = {.task = "epoch 3/3"};
  am_settings settings = {.size = sizeof settings, .threads = 2, .progress = fill_disk, .user = &s};
  world other = w;
  am_error fresh = AM_ERROR_INIT;
  am_test_ok(am_context_create(&settings, &other.ctx, &fresh), &fresh);
  s.ctx = other.ctx;
  /* Epoch 2 is not saved, however slow the machine is. */
  am_test_fails(train_with(&other, "run", (am_run_options){.resume = true}, with(everything, "train.save_seconds=1000"),
                           &r, &err),
                AM_E_IO, &err, "No space left on device");
  am_context_free(other.ctx);
  assert_int_equal(digest(&w, "run", "last.h5"), before);
  assert_false(am_file_exists(file_in(&w, "run", "last.h5.new")));
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &err), &err);
  am_run_result_free(&r);
  same_run(&w, "whole", "run");
  world_free(&w);
}

static void damaged_best_is_chosen_anew(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(everything, "train.max_steps=9"), &r, &err),
                AM_E_STOPPED, &err, "after step 9");
  am_test_file(file_in(&w, "run", "best.h5"), "nothing", 7);
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &err), &err);
  assert_int_equal(r.best_epoch, 3);
  am_run_result_free(&r);
  world_free(&w);
}

static void reading_checks_every_array(void **state) {
  (void)state;
  world w = world_make(1);
  train_ok(&w, "run", (overrides){{"train.epochs=1"}});
  const char *path = strdup(file_in(&w, "run", "best.h5"));
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_checkpoint_verify(w.ctx, path, &err), &err);
  struct stat info;
  stat(path, &info);
  /* A byte of the conv kernel, found by its first weight. */
  am_checkpoint *c = load(&w, "run", "best.h5"), *none;
  size_t n;
  am_real first = am_model_weights(c->model, &n)[am_model_weight_info(c->model, 0)->offset];
  am_checkpoint_free(c);
  char *data;
  size_t bytes;
  am_test_ok(am_file_read(w.ctx, path, 1 << 24, &data, &bytes, &err), &err);
  size_t at = 0;
  while (at + 4 <= bytes && memcmp(data + at, &first, 4)) at++;
  am_free(w.ctx, data);
  assert_true(at + 4 <= bytes);
  flip_byte(path, info.st_size - (long)at);
  am_test_fails(am_checkpoint_verify(w.ctx, path, &err), AM_E_FORMAT, &err, "conv2d_1/kernel");
  am_test_fails(am_checkpoint_load(w.ctx, path, &none, &err), AM_E_FORMAT, &err, "conv2d_1/kernel");
  assert_null(none);
  free((char *)path);
  world_free(&w);
}

static int no_rename(const char *from, const char *to) {
  if (!strstr(from, "last.h5.new") || strstr(from, ".tmp")) return am_system_real.rename(from, to);
  errno = EIO;
  return -1;
}

/* The old file has got its second name already when the new one cannot take its place: it gets its first one back. */
static void failed_rename_keeps_last(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_system system = am_system_real;
  system.rename = no_rename;
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(everything, "train.max_steps=2"), &r, &err),
                AM_E_STOPPED, &err, "after step 2");
  uint32_t before = digest(&w, "run", "last.h5");
  am_context_set_system(w.ctx, &system);
  am_test_fails(
      train_with(&w, "run", (am_run_options){.resume = true}, with(everything, "train.max_steps=3"), &r, &err), AM_E_IO,
      &err, "cannot rename");
  am_context_set_system(w.ctx, &am_system_real);
  assert_int_equal(digest(&w, "run", "last.h5"), before);
  world_free(&w);
}

/* After falling back to last-1.h5 the damaged last.h5 must not take its place, when the new one fails to come. */
static void a_damaged_last_never_pushes_out_the_good_one(void **state) {
  (void)state;
  world w = world_make(2);
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_system system = am_system_real;
  system.rename = no_rename;
  train_ok(&w, "whole", everything);
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(everything, "train.max_steps=5"), &r, &err),
                AM_E_STOPPED, &err, "after step 5");
  am_test_fails(
      train_with(&w, "run", (am_run_options){.resume = true}, with(everything, "train.max_steps=7"), &r, &err),
      AM_E_STOPPED, &err, "after step 7");
  uint32_t good = digest(&w, "run", "last-1.h5");
  am_test_file(file_in(&w, "run", "last.h5"), "damaged", 7);
  am_context_set_system(w.ctx, &system);
  am_test_fails(
      train_with(&w, "run", (am_run_options){.resume = true}, with(everything, "train.max_steps=7"), &r, &err), AM_E_IO,
      &err, "cannot rename");
  am_context_set_system(w.ctx, &am_system_real);
  assert_int_equal(digest(&w, "run", "last-1.h5"), good);
  am_test_fails(
      train_with(&w, "run", (am_run_options){.resume = true}, with(everything, "train.max_steps=8"), &r, &err),
      AM_E_STOPPED, &err, "after step 8");
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &err), &err);
  am_run_result_free(&r);
  same_run(&w, "whole", "run");
  world_free(&w);
}

static bool metrics_written;

static int no_facts(const char *from, const char *to) {
  if (strstr(to, "metrics.json")) metrics_written = true;
  if (!metrics_written || !strstr(to, "run.json")) return am_system_real.rename(from, to);
  errno = EIO;
  return -1;
}

/* Stopped between the end that last.h5 knows and the end that run.json tells: resuming does the rest. */
static void a_finish_cut_short_is_completed(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_system system = am_system_real;
  system.rename = no_facts;
  metrics_written = false;
  train_ok(&w, "whole", everything);
  am_context_set_system(w.ctx, &system);
  am_test_fails(train_with(&w, "run", (am_run_options){0}, everything, &r, &err), AM_E_IO, &err, "run.json");
  am_context_set_system(w.ctx, &am_system_real);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &err), &err);
  assert_non_null(r.test);
  am_run_result_free(&r);
  same_run(&w, "whole", "run");
  assert_false(am_file_exists(file_in(&w, "run", "last-1.h5")));
  am_test_fails(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &err), AM_E_USAGE, &err,
                "is finished");
  world_free(&w);
}

/* --init is not part of the config: without a checkpoint the run cannot go on as it began. */
static void a_run_from_a_file_is_not_begun_again_without(void **state) {
  (void)state;
  world w = world_make(1);
  train_ok(&w, "first", (overrides){{"train.epochs=1"}});
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  char *init = strdup(file_in(&w, "first", "best.h5"));
  am_system system = am_system_real;
  system.rename = no_rename; /* last.h5 cannot be saved */
  am_context_set_system(w.ctx, &system);
  am_test_fails(train_with(&w, "run", (am_run_options){.init = init}, (overrides){{0}}, &r, &err), AM_E_IO, &err,
                "rename");
  am_context_set_system(w.ctx, &am_system_real);
  assert_false(am_file_exists(file_in(&w, "run", "last.h5")));
  am_test_fails(train_with(&w, "run", (am_run_options){.resume = true}, (overrides){{0}}, &r, &err), AM_E_USAGE, &err,
                "began with the weights of");
  free(init);
  world_free(&w);
}

/* Half-written files of processes that are gone do not pile up; those of living ones stay. */
static void resuming_cleans_up(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  am_test_fails(train_with(&w, "run", (am_run_options){0}, (overrides){{"train.max_steps=2"}}, &r, &err), AM_E_STOPPED,
                &err, "after step 2");
  char mine[64];
  snprintf(mine, sizeof mine, "report.html.%ld.audiomood.tmp", (long)getpid());
  /* 4194304 is the largest process id of Linux plus one. */
  static const char *const gone[] = {"last.h5.new", "best.h5.new", "last.h5.new.4194305.audiomood.tmp",
                                     "run.json.4194305.audiomood.tmp", "plots/accuracy.svg.4194305.audiomood.tmp"};
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_folder_create(w.ctx, file_in(&w, "run", "plots"), &err), &err);
  const struct timespec ahead[2] = {{.tv_sec = time(NULL) + 1000},
                                    {.tv_sec = time(NULL) + 1000}}; /* the clock was set back */
  for (size_t i = 0; i < 5; i++) {
    am_test_file(file_in(&w, "run", gone[i]), "half", 4);
    assert_int_equal(utimensat(AT_FDCWD, file_in(&w, "run", gone[i]), ahead, 0), 0);
  }
  am_test_file(file_in(&w, "run", mine), "half", 4);
  am_test_file(file_in(&w, "run", "thesis.4194305.tmp"), "mine", 4);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, (overrides){{0}}, &r, &err), &err);
  am_run_result_free(&r);
  for (size_t i = 0; i < 5; i++) assert_false(am_file_exists(file_in(&w, "run", gone[i])));
  assert_true(am_file_exists(file_in(&w, "run", mine)));
  assert_true(am_file_exists(file_in(&w, "run", "thesis.4194305.tmp")));
  world_free(&w);
}

/* With fewer epochs than before, best.h5 may be of an epoch that does not come again. */
static void a_best_of_a_later_epoch_is_replaced(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  overrides s = {{"train.monitor=train_loss"}};
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(s, "train.max_steps=9"), &r, &err), AM_E_STOPPED, &err,
                "after step 9");
  train_ok(&w, "later", with(s, "train.epochs=3"));
  err = (am_error)AM_ERROR_INIT;
  char *data;
  size_t bytes;
  am_test_ok(am_file_read(w.ctx, file_in(&w, "later", "best.h5"), 1 << 24, &data, &bytes, &err), &err);
  am_test_file(file_in(&w, "run", "best.h5"), data, bytes);
  am_free(w.ctx, data);
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, with(s, "train.epochs=2"), &r, &err), &err);
  assert_int_equal(r.epochs_run, 2);
  assert_int_equal(r.best_epoch, 2);
  am_run_result_free(&r);
  assert_int_equal(digest(&w, "run", "best.h5"), digest(&w, "run", "last.h5"));
  world_free(&w);
}

/* Stopped while the results are computed: all is saved, and resuming computes them. */
static void stopping_in_the_evaluation_is_safe(void **state) {
  (void)state;
  world w = world_make(1);
  stopper s = {.task = "validation", .after = 4}; /* the first three are the epochs' */
  am_settings settings = {.size = sizeof settings, .threads = 1, .progress = stop_at, .user = &s};
  am_error err = AM_ERROR_INIT;
  am_run_result r = {.size = sizeof r};
  world other = w;
  train_ok(&w, "whole", everything);
  am_test_ok(am_context_create(&settings, &other.ctx, &err), &err);
  s.ctx = other.ctx;
  am_test_fails(train_with(&other, "run", (am_run_options){0}, everything, &r, &err), AM_E_STOPPED, &err, "--resume");
  am_context_free(other.ctx);
  assert_false(am_file_exists(file_in(&w, "run", "metrics.json")));
  am_error fresh = AM_ERROR_INIT;
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, everything, &r, &fresh), &fresh);
  am_run_result_free(&r);
  same_run(&w, "whole", "run");
  world_free(&w);
}

/* Saved is what is at least save_seconds old: nothing before the end, or every epoch. */
/* The file for TensorBoard has each epoch once, whatever stopped the run, and may be wished for later. */
static void events_are_not_doubled(void **state) {
  (void)state;
  world w = world_make(2);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  const char *const on = "train.tensorboard=true";
  train_ok(&w, "whole", with(everything, on));
  am_file_id whole, now;
  am_test_ok(am_file_identify(file_in(&w, "whole", "events.out.tfevents.audiomood"), &whole, &err), &err);
  assert_true(whole.size > 3 * 200);
  static const struct {
    const char *name;
    int steps;
    bool from_the_start, killed;
  } cases[] = {{"cut", 5, true, false}, {"late", 9, false, false}, {"killed", 9, true, true}};
  for (size_t i = 0; i < 3; i++) {
    char steps[32];
    snprintf(steps, sizeof steps, "train.max_steps=%d", cases[i].steps);
    overrides first = with(everything, steps);
    am_test_fails(
        train_with(&w, cases[i].name, (am_run_options){0}, cases[i].from_the_start ? with(first, on) : first, &r, &err),
        AM_E_STOPPED, &err, "--resume");
    char *events = strdup(file_in(&w, cases[i].name, "events.out.tfevents.audiomood"));
    assert_int_equal(am_file_exists(events), cases[i].from_the_start);
    if (cases[i].killed) { /* while the third epoch was written, which last.h5 does not have */
      char *text;
      size_t bytes;
      am_test_ok(
          am_file_read(w.ctx, file_in(&w, "whole", "events.out.tfevents.audiomood"), 1 << 20, &text, &bytes, &err),
          &err);
      am_test_ok(am_file_write(w.ctx, events, text, bytes - 7, &err), &err);
      am_free(w.ctx, text);
    }
    am_test_ok(train_with(&w, cases[i].name, (am_run_options){.resume = true}, with(everything, on), &r, &err), &err);
    am_run_result_free(&r);
    am_test_ok(am_file_identify(events, &now, &err), &err);
    assert_int_equal(now.size, whole.size); /* of as many records, since all are of one length */
    same_run(&w, "whole", cases[i].name);
    free(events);
  }
  world_free(&w);
}

static void saves_as_often_as_configured(void **state) {
  (void)state;
  world w = world_make(1);
  am_run_result r = {.size = sizeof r};
  am_error err;
  for (int often = 0; often < 2; often++) {
    const char *name = often ? "often" : "seldom";
    stopper s = {.task = "epoch 3/3", .after = 1};
    am_settings settings = {.size = sizeof settings, .threads = 1, .progress = fill_disk, .user = &s};
    world other = w;
    am_error fresh = AM_ERROR_INIT;
    am_test_ok(am_context_create(&settings, &other.ctx, &fresh), &fresh);
    s.ctx = other.ctx;
    overrides o = {{often ? "train.save_seconds=0" : "train.save_seconds=1000"}};
    am_test_fails(train_with(&other, name, (am_run_options){0}, o, &r, &err), AM_E_IO, &err, "No space left");
    am_context_free(other.ctx);
    assert_int_equal(am_file_exists(file_in(&w, name, "last.h5")), often);
    if (often) {
      am_checkpoint *c = load(&w, name, "last.h5");
      assert_int_equal(c->epoch, 2);
      am_checkpoint_free(c);
    }
  }
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(resuming_changes_nothing),
      cmocka_unit_test(statistics_of_before_stay_plain),
      cmocka_unit_test(layers_as_they_were_written_resume),
      cmocka_unit_test(stopping_at_any_moment_is_safe),
      cmocka_unit_test(damaged_last_falls_back),
      cmocka_unit_test(steps_that_do_not_fit_fall_back),
      cmocka_unit_test(both_damaged_is_said),
      cmocka_unit_test(full_disk_keeps_what_was_saved),
      cmocka_unit_test(damaged_best_is_chosen_anew),
      cmocka_unit_test(reading_checks_every_array),
      cmocka_unit_test(failed_rename_keeps_last),
      cmocka_unit_test(a_damaged_last_never_pushes_out_the_good_one),
      cmocka_unit_test(a_finish_cut_short_is_completed),
      cmocka_unit_test(a_run_from_a_file_is_not_begun_again_without),
      cmocka_unit_test(resuming_cleans_up),
      cmocka_unit_test(a_best_of_a_later_epoch_is_replaced),
      cmocka_unit_test(stopping_in_the_evaluation_is_safe),
      cmocka_unit_test(events_are_not_doubled),
      cmocka_unit_test(saves_as_often_as_configured),
  };
  return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
