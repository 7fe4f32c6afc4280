/* SPDX-License-Identifier: MIT */
/* run/folder.c - the files of a run beside its checkpoints. */
#include "run/folder.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/system.h"
#include "io/json.h"

enum { LOG_LIMIT = 64 << 20 };

/* ---- log ---- */

void am_time_text(char out[32]) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void keep_line(am_run_folder *f, am_log_level level, const char *text) {
  static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
  char when[32];
  am_time_text(when);
  am_buffer_printf(f->ctx, &f->log, "%s %s%s\n", when, names[level], text);
}

static void note(am_run_folder *f, bool said, am_log_level level, const char *format, va_list args) {
  char text[4096];
  vsnprintf(text, sizeof text, format, args);
  am_text_one_line(text);
  if (said && (!f->quiet || level <= AM_LOG_WARNING)) am_log(f->ctx, level, "%s", text);
  keep_line(f, level, text);
}

void am_run_log(am_run_folder *f, am_log_level level, const char *format, ...) {
  va_list args;
  va_start(args, format);
  note(f, true, level, format, args);
  va_end(args);
}

void am_run_note(am_run_folder *f, am_log_level level, const char *format, ...) {
  va_list args;
  va_start(args, format);
  note(f, false, level, format, args);
  va_end(args);
}

/* ---- the folder ---- */

/* What a file marks its folder as: another run must not write over it.  run.json alone marks none: a run that was killed between
 * it and config.yaml can begin again. */
enum { NOTHING, RUN, CROSSVAL, TUNE };

static const struct {
  const char *name;
  int marks;
} files[AM_RUN_FILES] = {
    [AM_FILE_CONFIG] = {"config.yaml", RUN},
    [AM_FILE_LAST] = {"last.h5", RUN},
    [AM_FILE_PREVIOUS] = {"last-1.h5", RUN},
    [AM_FILE_BEST] = {"best.h5", RUN},
    [AM_FILE_METRICS] = {"metrics.json", RUN},
    [AM_FILE_FACTS] = {"run.json", NOTHING},
    [AM_FILE_TARGETS] = {"targets.csv", NOTHING},
    [AM_FILE_CLIPS] = {"clips.csv", NOTHING},
    [AM_FILE_DIGESTS] = {"digests.csv", NOTHING},
    [AM_FILE_HISTORY] = {"history.csv", NOTHING},
    [AM_FILE_EVENTS] = {"events.out.tfevents.audiomood", NOTHING}, /* whose readers look for "tfevents" */
    [AM_FILE_LOG] = {"log.txt", NOTHING},
    [AM_FILE_PREDICTIONS] = {"predictions.csv", NOTHING},
    [AM_FILE_VALIDATION] = {"predictions-validation.csv", NOTHING},
    [AM_FILE_REPORT] = {"report.html", NOTHING},
    [AM_FILE_PLOTS] = {"plots", NOTHING},
    [AM_FILE_LOCK] = {"lock", NOTHING},
    [AM_FILE_JOB] = {"job", NOTHING},
    [AM_FILE_CROSSVAL] = {"crossval.yaml", CROSSVAL},
    [AM_FILE_CROSSVAL_RESULTS] = {"crossval.json", CROSSVAL},
    [AM_FILE_TUNE] = {"tune.yaml", TUNE},
    [AM_FILE_TUNE_RESULTS] = {"tune.json", TUNE},
    [AM_FILE_TUNE_TABLE] = {"tune.csv", TUNE},
    [AM_FILE_TUNE_BEST] = {"best.yaml", NOTHING},
};

const char *am_run_file_name(am_run_file file) { return files[file].name; }

char *am_run_file_path(am_context *ctx, const char *folder, am_run_file file) {
  return am_path_join(ctx, folder, files[file].name);
}

bool am_run_file_there(am_context *ctx, const char *folder, am_run_file file) {
  return am_folder_has(ctx, folder, files[file].name);
}

static const char *holds(am_context *ctx, const char *folder, int mark) {
  for (int i = 0; i < AM_RUN_FILES; i++)
    if (files[i].marks == mark && am_run_file_there(ctx, folder, (am_run_file)i)) return files[i].name;
  return NULL;
}

const char *am_run_folder_holds(am_context *ctx, const char *folder) { return holds(ctx, folder, RUN); }
const char *am_crossval_folder_holds(am_context *ctx, const char *folder) { return holds(ctx, folder, CROSSVAL); }

const char *am_tune_folder_holds(am_context *ctx, const char *folder) { return holds(ctx, folder, TUNE); }

am_status am_run_folder_check(am_run_folder *f, am_error *err) {
  const char *out = f->path;
  if (!out || !*out) return am_fail(err, AM_E_USAGE, "a run needs a folder to write into");
  if (f->follows) return AM_OK;
  if (f->resume) {
    if (am_run_file_there(f->ctx, out, AM_FILE_CONFIG)) return AM_OK;
    return am_fail(err, AM_E_USAGE, "%s: there is no run to resume: wanted a folder with config.yaml and last.h5", out);
  }
  const char *run = am_run_folder_holds(f->ctx, out), *crossval = am_crossval_folder_holds(f->ctx, out);
  if (run)
    return am_fail(err, AM_E_USAGE,
                   "%s holds a run already (%s); choose another folder, or go on with that run: "
                   "audiomood train --resume %s",
                   out, run, out);
  if (crossval)
    return am_fail(err, AM_E_USAGE,
                   "%s holds a cross-validation (%s), whose results this run would overwrite; choose "
                   "another folder",
                   out, crossval);
  return AM_OK;
}

/* What processes that were killed here left half-written, the page's pictures too. */
static void clean(am_run_folder *f) {
  const char *const paths[] = {f->last, f->best};
  char *plots = am_run_file_path(f->ctx, f->path, AM_FILE_PLOTS);
  am_folder_clean(f->ctx, f->path, 0);
  if (plots && am_folder_check_own(f->ctx, f->path, am_run_file_name(AM_FILE_PLOTS), NULL) == AM_OK)
    am_folder_clean(f->ctx, plots, 0);
  am_free(f->ctx, plots);
  for (int i = 0; i < 2; i++) {
    char *fresh = am_format(f->ctx, "%s.new", paths[i]);
    if (fresh && am_file_exists(fresh)) am_context_system(f->ctx)->unlink(fresh);
    am_free(f->ctx, fresh);
  }
}

static am_status read_log(am_run_folder *f, am_error *err) {
  char *old = NULL, *path = am_run_file_path(f->ctx, f->path, AM_FILE_LOG);
  am_status status = path ? AM_OK : am_no_memory(err);
  size_t bytes;
  am_error why = AM_ERROR_INIT;
  /* What a link leads to may be anything, and would be copied into the run. */
  if (!status && am_file_exists(path)) status = am_file_read_own(f->ctx, path, LOG_LIMIT, &old, &bytes, &why);
  if (status == AM_E_FORMAT) {
    am_run_log(f, AM_LOG_WARNING, "%s; a new log is begun", why.message);
    status = AM_OK;
  } else if (status && path) {
    status = am_fail(err, status, "%s", why.message);
  }
  if (!status && old) {
    am_buffer both = {0};
    am_buffer_append(f->ctx, &both, old, bytes);
    am_buffer_append(f->ctx, &both, f->log.data, f->log.used);
    am_buffer_free(f->ctx, &f->log);
    f->log = both;
  }
  am_free(f->ctx, path);
  am_free(f->ctx, old);
  return status;
}

/* run.json of the process before; nothing depends on it but what is said about the run. */
static am_status read_before(am_run_folder *f, am_error *err) {
  char *path = am_run_file_path(f->ctx, f->path, AM_FILE_FACTS);
  if (!path) return am_no_memory(err);
  am_error why = AM_ERROR_INIT;
  am_status status = am_file_exists(path) ? am_json_read_file(f->ctx, path, &f->before, &why) : AM_OK;
  if (status && status != AM_E_NOMEM) am_run_log(f, AM_LOG_WARNING, "%s; it is written again", why.message);
  am_free(f->ctx, path);
  return status == AM_E_NOMEM ? am_no_memory(err) : AM_OK;
}

const char *am_run_folder_init(const am_run_folder *f) {
  const am_value *init = f->before ? am_value_get(am_tree_root(f->before), "init") : NULL;
  return f->init ? f->init : init && init->kind == AM_SCALAR ? init->text : NULL;
}

am_status am_run_folder_open(am_run_folder *f, am_error *err) {
  am_context *ctx = f->ctx;
  const char *out = f->path;
  f->last = am_run_file_path(ctx, out, AM_FILE_LAST);
  f->previous = am_run_file_path(ctx, out, AM_FILE_PREVIOUS);
  f->best = am_run_file_path(ctx, out, AM_FILE_BEST);
  char *lock = am_run_file_path(ctx, out, AM_FILE_LOCK);
  am_status status = f->last && f->previous && f->best && lock ? AM_OK : am_no_memory(err);
  if (status || f->follows) {
    am_free(ctx, lock);
    return status;
  }
  status = am_folder_create(ctx, out, err);
  if (!status) status = am_lock_wait(ctx, lock, f->resume ? f->patience : 0, &f->lock, err);
  if (!status && am_lock_doubt(f->lock))
    am_run_log(f, AM_LOG_WARNING, "%s: %s: nothing keeps two processes from writing to this run at once", lock,
               am_lock_doubt(f->lock));
  if (!status) status = am_run_folder_check(f, err); /* again: another process may have been here meanwhile */
  if (!status) clean(f);
  if (!status) status = read_log(f, err);
  if (!status) status = read_before(f, err);
  f->ready = !status;
  am_free(ctx, lock);
  return status;
}

bool am_run_folder_unguarded(const am_run_folder *f) {
  char *lock = f->follows ? am_run_file_path(f->ctx, f->path, AM_FILE_LOCK) : NULL;
  const bool unguarded = lock && am_lock_is_free(f->ctx, lock);
  am_free(f->ctx, lock);
  return unguarded;
}

am_status am_run_folder_write(am_run_folder *f, am_run_file file, const am_buffer *text, am_error *err) {
  if (!f->ready) return AM_OK;
  char *path = am_run_file_path(f->ctx, f->path, file);
  am_status status = path && !text->failed ? AM_OK : am_no_memory(err);
  if (!status) status = am_lock_check(f->lock, err);
  if (!status) status = am_file_write_own(f->ctx, path, NULL, text->data, text->used, err);
  am_free(f->ctx, path);
  return status;
}

am_status am_run_folder_held(const am_run_folder *f, am_error *err) {
  return f->ready ? am_lock_check(f->lock, err) : AM_OK;
}

void am_run_folder_end(am_run_folder *f) {
  am_tree_free(f->before);
  am_lock_release(f->lock);
  am_buffer_free(f->ctx, &f->log);
  am_free(f->ctx, f->last);
  am_free(f->ctx, f->previous);
  am_free(f->ctx, f->best);
}
