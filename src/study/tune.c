/* SPDX-License-Identifier: MIT */
/* study/tune.c - the trials of a search, rung after rung. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "run/folder.h"
#include "run/history.h"
#include "study/tune_inside.h"

const char *am_tune_monitor(const am_tune *t) {
  static const char *const words[] = {"validation_loss", "validation_accuracy", "validation_uar", "train_loss", "last",
                                      "validation_ccc"};
  return words[t->config->train.monitor];
}

bool am_tune_better(const am_tune *t, double a, double b) {
  if (isnan(a) || isnan(b)) return !isnan(a) && isnan(b);
  return t->config->train.monitor == AM_MONITOR_VALIDATION_LOSS ? a < b : a > b;
}

/* ---- the plan ---- */

static am_status check_monitor(const am_config *c, am_error *err) {
  if (c->train.monitor == AM_MONITOR_TRAIN_LOSS || c->train.monitor == AM_MONITOR_LAST)
    return am_fail(err, AM_E_CONFIG,
                   "%s: train.monitor is %s, and trials are compared on clips that they are not trained on; set it to "
                   "validation_uar, validation_accuracy or validation_loss",
                   c->file, c->train.monitor == AM_MONITOR_LAST ? "last" : "train_loss");
  if (c->train.max_steps)
    return am_fail(err, AM_E_CONFIG, "%s: train.max_steps is of a single run; leave it out", c->file);
  return AM_OK;
}

/* Without decoding any sound. */
static am_status check_split(const am_config *c, am_error *err) {
  am_dataset *d = NULL;
  am_split *s = NULL;
  am_status status = am_dataset_load(c->ctx, &c->data, &d, err);
  if (!status) status = am_split_make(c->ctx, d, &c->split, &s, err);
  if (!status && !s->n[AM_PART_VALIDATION])
    status =
        am_fail(err, AM_E_CONFIG,
                "%s: the split has no validation part (%s), which trials are compared on; hold speakers out for it "
                "(split.validation, validation_speakers or validation_speakers_count)",
                c->file, s->note);
  if (!status && !s->n[AM_PART_TEST])
    am_log(c->ctx, AM_LOG_WARNING,
           "the split has no test part: the figure of the winner will be the one by which it was chosen, and too good");
  if (!status && s->speakers_known && !s->speaker_independent)
    am_log(c->ctx, AM_LOG_WARNING,
           "speakers of the validation or test part are also trained on: trials are compared by how well they know "
           "voices");
  am_split_free(c->ctx, s);
  am_dataset_free(d);
  return status;
}

static am_status plan_rungs(am_tune *t, int64_t first, am_error *err) {
  const uint64_t all = (uint64_t)t->config->train.epochs;
  t->rungs = am_tree_take(t->texts, 64, sizeof *t->rungs); /* of a reduction by 2 or more */
  if (!t->rungs) return am_no_memory(err);
  for (uint64_t epochs = (uint64_t)first; epochs < all; epochs *= (uint64_t)t->reduction)
    t->rungs[t->n_rungs++] = epochs;
  t->rungs[t->n_rungs++] = all;
  return AM_OK;
}

am_status am_tune_make_room(am_tune *t, am_error *err) {
  for (size_t i = 0; i < t->n_trials; i++) {
    am_trial *x = &t->trials[i];
    char *name = am_format(t->ctx, "%s/trial-%03zu", t->folder, i + 1);
    x->folder = (char *)(name ? am_tree_string(t->texts, name) : NULL);
    am_free(t->ctx, name);
    const bool read = x->values != NULL; /* what a search that goes on has of them */
    if (!read) x->values = am_tree_take(t->texts, t->n_rungs, sizeof *x->values);
    if (!x->folder || !x->values) return am_no_memory(err);
    for (size_t r = 0; r < t->n_rungs && !read; r++) x->values[r] = NAN;
  }
  return AM_OK;
}

static am_status make_plan(am_tune *t, am_error *err) {
  am_tune_options o;
  if (!t->config->tune)
    return am_fail(err, AM_E_CONFIG,
                   "%s: there is no section tune, which says what is tried, as in tune: {search: "
                   "{train.optimiser.learning_rate: {from: 0.0001, to: 0.01, scale: log}}}",
                   t->config->file);
  am_status status = am_options_read(t->config->tree, am_tune_table, t->config->tune, "tune", &o, err);
  if (!status) status = am_tune_check_space(t->config, &o, err);
  if (status) return status;
  t->seed = t->config->seed;
  t->reduction = o.reduction;
  status = am_tune_draw(t, &o, err);
  if (!status) status = plan_rungs(t, o.min_epochs, err);
  return status ? status : am_tune_make_room(t, err);
}

static am_status trial_config(const am_tune *t, size_t i, am_config **out, am_error *err) {
  const am_trial *x = &t->trials[i];
  am_buffer text = {0};
  char **over = am_alloc(t->ctx, t->n_keys, sizeof *over);
  am_status status = over ? am_config_text(t->config, &text, err) : am_no_memory(err);
  for (size_t k = 0; k < t->n_keys && !status; k++)
    if (!(over[k] = am_format(t->ctx, "%s=%s", t->keys[k], x->settings[k]))) status = am_no_memory(err);
  if (!status)
    status = am_config_from_stored(t->ctx, text.data, t->config->file, (const char *const *)over, t->n_keys, out, err);
  for (size_t k = 0; k < t->n_keys && over; k++) am_free(t->ctx, over[k]);
  am_free(t->ctx, over);
  am_buffer_free(t->ctx, &text);
  return status;
}

/* What a config refuses is known before hours of training. */
static am_status check_trials(const am_tune *t, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < t->n_trials && !status; i++) {
    am_config *config = NULL;
    status = trial_config(t, i, &config, err);
    if (status) am_error_prefix(err, "tune.search, trial %zu", i + 1);
    am_config_free(config);
  }
  return status;
}

/* ---- the folder ---- */

static am_status check_folder(const am_tune *t, const am_tune_run_options *o, am_error *err) {
  const bool begun = am_run_file_there(t->ctx, t->folder, AM_FILE_TUNE_RESULTS);
  const char *run = am_run_folder_holds(t->ctx, t->folder), *crossval = am_crossval_folder_holds(t->ctx, t->folder);
  if (run || crossval)
    return am_fail(err, AM_E_USAGE, "%s holds a %s already (%s); choose another folder", t->folder,
                   run ? "run" : "cross-validation", run ? run : crossval);
  if (o->resume && !begun)
    return am_fail(err, AM_E_USAGE,
                   "%s: there is no search to go on with: wanted a folder with tune.yaml and tune.json", t->folder);
  if (!o->resume && !o->job && begun)
    return am_fail(err, AM_E_USAGE,
                   "%s holds a search already; choose another folder, or go on with it: audiomood tune --resume %s",
                   t->folder, t->folder);
  return AM_OK;
}

static am_status write_config(const am_tune *t, am_config *config, am_run_file file, am_error *err) {
  char *path = am_run_file_path(t->ctx, t->folder, file);
  am_buffer text = {0};
  am_status status = path ? am_config_text(config, &text, err) : am_no_memory(err);
  if (!status) status = am_file_write_own(t->ctx, path, NULL, text.data, text.used, err);
  am_buffer_free(t->ctx, &text);
  am_free(t->ctx, path);
  return status;
}

am_status am_tune_check_own(const am_tune *t, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < t->n_trials && !status; i++)
    status = am_folder_check_own(t->ctx, t->folder, t->trials[i].folder + strlen(t->folder) + 1, err);
  return status;
}

am_status am_tune_begin(am_tune *t, am_error *err) {
  const am_status status = write_config(t, t->config, AM_FILE_TUNE, err);
  return status ? status : am_tune_write(t, err);
}

static am_status open_folder(am_tune *t, const am_tune_run_options *o, am_error *err) {
  char *lock = am_run_file_path(t->ctx, t->folder, AM_FILE_LOCK);
  am_status status = lock ? am_folder_create(t->ctx, t->folder, err) : am_no_memory(err);
  if (!status) status = am_lock_wait(t->ctx, lock, o->patience, &t->lock, err);
  am_free(t->ctx, lock);
  if (!status) status = check_folder(t, o, err); /* again: another process may have been here meanwhile */
  if (!status) am_folder_clean(t->ctx, t->folder, 0);
  if (!status && o->resume) status = am_tune_read(t, err);
  if (!status && o->resume) status = am_tune_make_room(t, err);
  if (!status) status = am_tune_check_own(t, err);
  return status || o->resume ? status : am_tune_begin(t, err);
}

/* ---- trials ---- */

am_status am_tune_stopped(const am_tune *t, am_error *err) {
  if (err) *err = (am_error)AM_ERROR_INIT; /* the run's own advice would go on with that trial only */
  if (t->is_job)
    return am_fail(err, AM_E_STOPPED, "stopped; all is saved in %s; the same command goes on with it", t->folder);
  return am_fail(err, AM_E_STOPPED, "stopped; all is saved in %s; go on with: audiomood tune --resume %s", t->folder,
                 t->folder);
}

double am_tune_figure(const am_tune *t, const am_epoch *e) {
  switch (t->config->train.monitor) {
    case AM_MONITOR_VALIDATION_LOSS: return e->validation_loss;
    case AM_MONITOR_VALIDATION_CCC: return e->validation_ccc;
    case AM_MONITOR_VALIDATION_ACCURACY: return e->validation_accuracy;
    default: return e->validation_uar;
  }
}

/* Of the best epoch, as best.h5 has it. */
static am_status read_value(const am_tune *t, am_trial *x, size_t rung, am_error *err) {
  am_history h = {0};
  char *path = am_run_file_path(t->ctx, x->folder, AM_FILE_HISTORY);
  am_status status = path ? am_history_read(t->ctx, path, &h, err) : am_no_memory(err);
  x->values[rung] = NAN;
  for (size_t i = 0; i < h.n && !status; i++)
    if (h.at[i].epoch == x->best_epoch) x->values[rung] = am_tune_figure(t, &h.at[i]);
  am_free(t->ctx, h.at);
  am_free(t->ctx, path);
  return status;
}

/* Faults of the settings, and not of the machine: the other trials go on. */
static bool is_of_settings(am_status status) {
  return status == AM_E_NUMERIC || status == AM_E_SHAPE || status == AM_E_CONFIG;
}

static void say_trial(const am_tune *t, size_t i, size_t rung) {
  const am_trial *x = &t->trials[i];
  if (x->failed) am_log(t->ctx, AM_LOG_WARNING, "trial %zu ends: %s", i + 1, x->failed);
  else
    am_log(t->ctx, AM_LOG_INFO, "trial %zu of %zu, %llu of %lld epochs: %s %.4f in epoch %llu", i + 1, t->n_trials,
           (unsigned long long)t->rungs[rung], (long long)t->config->train.epochs, am_tune_monitor(t), x->values[rung],
           (unsigned long long)x->best_epoch);
}

bool am_tune_wants(const am_tune *t, size_t trial, size_t rung) {
  return !t->trials[trial].failed && t->trials[trial].rungs <= rung;
}

am_status am_tune_train_trial(am_tune *t, size_t i, size_t rung, am_error *err) {
  am_trial *x = &t->trials[i];
  am_config *config = NULL;
  am_error why = AM_ERROR_INIT;
  am_run_result result = {.size = sizeof result};
  const am_run_options options = {.size = sizeof options,
                                  .out = x->folder,
                                  .resume = am_run_file_there(t->ctx, x->folder, AM_FILE_CONFIG),
                                  .patience = t->is_job ? t->patience : 0,
                                  .pause_after = t->rungs[rung],
                                  .quiet = true};
  am_status status = trial_config(t, i, &config, err);
  if (status) return status;
  status = am_train_run(config, &options, &result, &why);
  am_run_result_free(&result);
  am_config_free(config);
  if (am_context_stopping(t->ctx)) return am_tune_stopped(t, err);
  if (is_of_settings(status)) {
    if (!(x->failed = am_tree_string(t->texts, why.message))) return am_no_memory(err);
  } else if (status != AM_E_STOPPED) {
    return am_fail(err, status, "trial %zu: %s", i + 1, why.message);
  }
  x->epochs = result.epochs_run;
  x->best_epoch = result.best_epoch;
  x->seconds = result.seconds;
  status = x->failed ? AM_OK : read_value(t, x, rung, err);
  if (status) return status;
  x->rungs = rung + 1;
  say_trial(t, i, rung);
  return AM_OK;
}

/* ---- rungs ---- */

/* Of trials that reached a rung, which is the better one there. */
static bool comes_first(const am_tune *t, size_t a, size_t b, size_t rung) {
  const am_trial *x = &t->trials[a], *y = &t->trials[b];
  const double u = x->failed ? NAN : x->values[rung], v = y->failed ? NAN : y->values[rung];
  if (am_tune_better(t, u, v)) return true;
  return !am_tune_better(t, v, u) && a < b;
}

size_t am_tune_alive(const am_tune *t, size_t rung, size_t *out) {
  size_t n = t->n_trials;
  for (size_t i = 0; i < n; i++) out[i] = i;
  for (size_t r = 0; r < rung; r++) {
    for (size_t i = 1; i < n; i++) { /* by insertion: equal ones keep the order of their numbers */
      const size_t x = out[i];
      size_t at = i;
      for (; at && comes_first(t, x, out[at - 1], r); at--) out[at] = out[at - 1];
      out[at] = x;
    }
    const size_t keep = n / (size_t)t->reduction;
    n = keep ? keep : 1;
    while (n > 1 && t->trials[out[n - 1]].failed) n--;
  }
  return n;
}

static int by_number(const void *a, const void *b) {
  const size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return x < y ? -1 : x > y;
}

am_status am_tune_rung(am_tune *t, size_t rung, size_t *out, size_t *n, am_error *err) {
  *n = am_tune_alive(t, rung, out);
  if (t->trials[out[0]].failed)
    return am_fail(err, AM_E_DATA, "no trial can go on; the first: %s", t->trials[out[0]].failed);
  qsort(out, *n, sizeof *out, by_number);
  am_log(t->ctx, AM_LOG_INFO, "rung %zu of %zu: %zu %s, up to epoch %llu", rung + 1, t->n_rungs, *n,
         am_count(*n, "trial", "trials"), (unsigned long long)t->rungs[rung]);
  return AM_OK;
}

static am_status climb(am_tune *t, size_t *alive, am_error *err) {
  am_status status = AM_OK;
  for (size_t r = 0; r < t->n_rungs && !status; r++) {
    size_t n;
    status = am_tune_rung(t, r, alive, &n, err);
    for (size_t k = 0; k < n && !status; k++) {
      if (!am_tune_wants(t, alive[k], r)) continue;
      status = am_tune_train_trial(t, alive[k], r, err);
      if (!status) status = am_tune_write(t, err);
    }
  }
  return status;
}

am_status am_tune_finish_winner(am_tune *t, am_error *err) {
  am_trial *x = &t->trials[t->winner];
  if (x->failed) return am_fail(err, AM_E_DATA, "no trial got to the end; the best one: %s", x->failed);
  am_config *config = NULL;
  am_status status = trial_config(t, t->winner, &config, err);
  if (!status) status = write_config(t, config, AM_FILE_TUNE_BEST, err);
  if (!status && !am_run_file_there(t->ctx, x->folder, AM_FILE_METRICS)) {
    am_run_result result = {.size = sizeof result};
    const am_run_options options = {
        .size = sizeof options, .out = x->folder, .resume = true, .patience = t->is_job ? t->patience : 0};
    am_log(t->ctx, AM_LOG_INFO, "trial %zu has won; it is evaluated on the test part", t->winner + 1);
    status = am_train_run(config, &options, &result, err);
    am_run_result_free(&result);
  }
  am_config_free(config);
  if (status == AM_E_STOPPED) return am_tune_stopped(t, err);
  return status ? status : am_results_read(t->ctx, x->folder, &t->results, err);
}

static am_status finish(am_tune *t, am_error *err) {
  const am_status status = am_tune_finish_winner(t, err);
  return status ? status : am_tune_write(t, err);
}

/* ---- the whole ---- */

void am_tune_free(am_tune *t) {
  if (!t) return;
  am_results_free(&t->results);
  am_lock_release(t->lock);
  am_tree_free(t->texts);
  am_config_free(t->own);
  am_free(t->ctx, t);
}

/* The folder is this process's alone until the search has ended. */
static am_status alone(am_tune *t, const am_tune_run_options *o, size_t **alive, am_error *err) {
  am_status status = open_folder(t, o, err);
  if (!status && !(*alive = am_alloc(t->ctx, t->n_trials, sizeof **alive))) status = am_no_memory(err);
  if (!status) status = climb(t, *alive, err);
  if (status) return status;
  (void)am_tune_alive(t, t->n_rungs, *alive);
  t->winner = (*alive)[0];
  return finish(t, err);
}

static am_status together(am_tune *t, size_t **alive, am_error *err) {
  am_status status = am_tune_join(t, err);
  if (!status && !(*alive = am_alloc(t->ctx, t->n_trials, sizeof **alive))) status = am_no_memory(err);
  if (!status) status = am_tune_climb_together(t, *alive, err);
  if (status) return status;
  (void)am_tune_alive(t, t->n_rungs, *alive);
  t->winner = (*alive)[0];
  return am_tune_finish_together(t, err);
}

am_status am_tune_run(am_config *config, const am_tune_run_options *o, am_tune **out, am_error *err) {
  am_tune *t = *out = am_alloc(config->ctx, 1, sizeof *t);
  if (!t) return am_no_memory(err);
  *t = (am_tune){.ctx = config->ctx,
                 .config = config,
                 .folder = o->out,
                 .is_job = o->job,
                 .patience = o->patience,
                 .winner = SIZE_MAX};
  size_t *alive = NULL;
  am_status status = am_tree_create(t->ctx, &t->texts, err);
  if (!status) status = check_folder(t, o, err);
  if (!status) status = check_monitor(config, err);
  if (!status && !o->resume) status = make_plan(t, err);
  if (!status && !o->resume) status = check_trials(t, err);
  if (!status) status = check_split(config, err);
  if (!status) status = o->job ? together(t, &alive, err) : alone(t, o, &alive, err);
  am_free(t->ctx, alive);
  return status;
}
