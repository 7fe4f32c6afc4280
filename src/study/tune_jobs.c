/* SPDX-License-Identifier: MIT */
/* study/tune_jobs.c - a search by several processes, which share nothing but its folder. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/folder.h"
#include "study/tune_inside.h"

static am_status take_lock(am_tune *t, am_error *err) {
  char *path = am_run_file_path(t->ctx, t->folder, AM_FILE_LOCK);
  am_status status = path ? am_lock_wait(t->ctx, path, t->patience, &t->lock, err) : am_no_memory(err);
  am_free(t->ctx, path);
  return status == AM_E_STOPPED ? am_tune_stopped(t, err) : status;
}

static void drop_lock(am_tune *t) {
  am_lock_release(t->lock);
  t->lock = NULL;
}

/* ---- what the others have done ---- */

static bool same_texts(const char *const *a, const char *const *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(a[i], b[i])) return false;
  return true;
}

static bool same_plan(const am_tune *a, const am_tune *b) {
  if (a->n_trials != b->n_trials || a->n_keys != b->n_keys || a->n_rungs != b->n_rungs || a->reduction != b->reduction)
    return false;
  if (memcmp(a->rungs, b->rungs, a->n_rungs * sizeof *a->rungs) || !same_texts(a->keys, b->keys, a->n_keys))
    return false;
  for (size_t i = 0; i < a->n_trials; i++)
    if (!same_texts(a->trials[i].settings, b->trials[i].settings, a->n_keys)) return false;
  return true;
}

static am_status take(am_tune *t, am_trial *to, const am_trial *from, am_error *err) {
  if (from->rungs <= to->rungs) return AM_OK;
  to->rungs = from->rungs;
  to->epochs = from->epochs;
  to->best_epoch = from->best_epoch;
  to->seconds = from->seconds;
  memcpy(to->values, from->values, t->n_rungs * sizeof *to->values);
  if (from->failed && !(to->failed = am_tree_string(t->texts, from->failed))) return am_no_memory(err);
  return AM_OK;
}

/* tune.json is exchanged whole, so that it can be read while another process has the lock. */
static am_status catch_up(am_tune *t, am_error *err) {
  am_tune there = {.ctx = t->ctx, .config = t->config, .folder = t->folder};
  am_status status = am_tree_create(t->ctx, &there.texts, err);
  if (!status) status = am_tune_read(&there, err);
  if (!status && !same_plan(t, &there))
    status = am_fail(err, AM_E_USAGE,
                     "%s was begun with %zu %s in %zu %s, and this job would search others; give all jobs the same "
                     "config (section tune, seed)",
                     t->folder, there.n_trials, am_count(there.n_trials, "trial", "trials"), there.n_rungs,
                     am_count(there.n_rungs, "rung", "rungs"));
  for (size_t i = 0; i < t->n_trials && !status; i++) status = take(t, &t->trials[i], &there.trials[i], err);
  am_tree_free(there.texts);
  return status;
}

/* ---- the folder ---- */

static am_status check_same_settings(const am_tune *t, am_error *err) {
  char *yaml = am_run_file_path(t->ctx, t->folder, AM_FILE_TUNE);
  am_config *saved = NULL;
  am_status status = yaml ? am_config_load_stored(t->ctx, yaml, NULL, 0, &saved, err) : am_no_memory(err);
  if (!status && am_config_check_same_run(saved, t->config, err))
    status = am_error_prefix(err, "%s: its jobs are all of one config", t->folder);
  am_config_free(saved);
  am_free(t->ctx, yaml);
  return status;
}

/* The first of the jobs writes the plan, the others compare theirs.  Who has which trial is told by locks alone. */
am_status am_tune_join(am_tune *t, am_error *err) {
  am_status status = am_folder_create(t->ctx, t->folder, err);
  if (!status) status = take_lock(t, err);
  if (!status && am_lock_doubt(t->lock))
    status = am_fail(err, AM_E_UNSUPPORTED,
                     "%s: %s; several processes would train the same trials there: search with one process, without "
                     "the option job",
                     t->folder, am_lock_doubt(t->lock));
  if (!status) status = am_tune_check_own(t, err);
  if (!status && am_run_file_there(t->ctx, t->folder, AM_FILE_TUNE_RESULTS)) {
    status = check_same_settings(t, err);
    if (!status) status = catch_up(t, err);
  } else if (!status) {
    am_folder_clean(t->ctx, t->folder, 0);
    status = am_tune_begin(t, err);
  }
  drop_lock(t);
  return status;
}

static am_status publish(am_tune *t, am_error *err) {
  am_status status = take_lock(t, err);
  if (!status) status = catch_up(t, err);
  if (!status) status = am_tune_write(t, err);
  drop_lock(t);
  return status;
}

/* ---- trials ---- */

/* The trial is this process's until the lock is released, or the process is gone; *lock is NULL when another one has it. */
static am_status claim(const am_tune *t, size_t trial, am_lock **lock, am_error *err) {
  const char *folder = t->trials[trial].folder;
  char *path = am_run_file_path(t->ctx, folder, AM_FILE_JOB);
  am_error why = AM_ERROR_INIT;
  *lock = NULL;
  am_status status = path ? am_folder_create(t->ctx, folder, err) : am_no_memory(err);
  if (!status) {
    status = am_lock_take(t->ctx, path, lock, &why);
    if (status == AM_E_IO && access(path, R_OK | W_OK) == 0) status = AM_OK; /* it could be opened: it is taken */
    if (status) status = am_fail(err, status, "%s", why.message);
  }
  am_free(t->ctx, path);
  return status;
}

/* Whoever had the trial before may have done the rung meanwhile. */
static am_status train_claimed(am_tune *t, size_t trial, size_t rung, am_error *err) {
  am_status status = catch_up(t, err);
  if (status || !am_tune_wants(t, trial, rung)) return status;
  status = am_tune_train_trial(t, trial, rung, err);
  return status ? status : publish(t, err);
}

/* One look at the trials (n) of a rung: trains those that nobody has. *left: others are at it; *did: something was done. */
static am_status train_free_ones(am_tune *t, const size_t *trials, size_t n, size_t rung, size_t *left, bool *did,
                                 am_error *err) {
  am_status status = AM_OK;
  *left = 0;
  *did = false;
  for (size_t k = 0; k < n && !status; k++) {
    am_lock *lock;
    if (!am_tune_wants(t, trials[k], rung)) continue;
    if (am_context_stopping(t->ctx)) return am_tune_stopped(t, err);
    status = claim(t, trials[k], &lock, err);
    if (status || !lock) {
      ++*left;
      continue;
    }
    *did = true;
    status = train_claimed(t, trials[k], rung, err);
    am_lock_release(lock);
  }
  return status;
}

static void wait_a_moment(void) { nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL); }

/* Until all of the rung are done: a process that is killed leaves its trial to the others. */
static am_status train_rung(am_tune *t, const size_t *trials, size_t n, size_t rung, am_error *err) {
  bool said = false, did;
  for (size_t left = 1; left;) {
    am_status status = train_free_ones(t, trials, n, rung, &left, &did, err);
    if (status || !left) return status;
    if (!did && !said)
      am_log(t->ctx, AM_LOG_INFO, "waiting for %zu %s of this rung, which other processes have", left,
             am_count(left, "trial", "trials"));
    said = said || !did;
    if (!did) wait_a_moment();
    status = am_context_stopping(t->ctx) ? am_tune_stopped(t, err) : catch_up(t, err);
    if (status) return status;
  }
  return AM_OK;
}

am_status am_tune_climb_together(am_tune *t, size_t *alive, am_error *err) {
  am_status status = AM_OK;
  for (size_t r = 0; r < t->n_rungs && !status; r++) {
    size_t n;
    status = am_tune_rung(t, r, alive, &n, err);
    if (!status) status = train_rung(t, alive, n, r, err);
  }
  return status;
}

/* One of the processes finishes the winner, the others wait for it; all have its figures then. */
am_status am_tune_finish_together(am_tune *t, am_error *err) {
  am_lock *lock = NULL;
  bool said = false;
  am_status status = AM_OK;
  for (;;) {
    if (am_context_stopping(t->ctx)) return am_tune_stopped(t, err);
    status = claim(t, t->winner, &lock, err);
    if (status || lock) break;
    if (!said)
      am_log(t->ctx, AM_LOG_INFO, "trial %zu has won; another process evaluates it on the test part", t->winner + 1);
    said = true;
    wait_a_moment();
  }
  if (!status) status = am_tune_finish_winner(t, err);
  if (!status) status = publish(t, err);
  am_lock_release(lock);
  return status;
}
