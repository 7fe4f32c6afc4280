/* train/run_folder.c - the files of a run beside its checkpoints. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/system.h"
#include "io/csv.h"
#include "train/recordings.h"
#include "train/trainer.h"

enum { LOG_LIMIT = 64 << 20 };

/* ---- log ---- */

static void time_text(char out[32]) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void keep_line(am_trainer *t, am_log_level level, const char *text) {
  static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
  char when[32];
  time_text(when);
  am_buffer_printf(t->ctx, &t->log, "%s %s%s\n", when, names[level], text);
}

void am_trainer_log(am_trainer *t, am_log_level level, const char *format, ...) {
  char text[4096];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  am_text_one_line(text);
  am_log(t->ctx, level, "%s", text);
  keep_line(t, level, text);
}

void am_trainer_note(am_trainer *t, am_log_level level, const char *format, ...) {
  char text[4096];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  am_text_one_line(text);
  keep_line(t, level, text);
}

/* ---- the folder ---- */

static bool holds(am_context *ctx, const char *folder, const char *name) {
  char *path = am_path_join(ctx, folder, name);
  bool found = path && am_file_exists(path);
  am_free(ctx, path);
  return found;
}

/* run.json alone is none: it is written before config.yaml, and a run that was killed between the two can begin again. */
const char *am_run_folder_holds(am_context *ctx, const char *folder) {
  static const char *const files[] = {"config.yaml", "last.h5", "last-1.h5", "best.h5", "metrics.json"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (holds(ctx, folder, files[i])) return files[i];
  return NULL;
}

const char *am_crossval_folder_holds(am_context *ctx, const char *folder) {
  static const char *const files[] = {"crossval.yaml", "crossval.json"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (holds(ctx, folder, files[i])) return files[i];
  return NULL;
}

am_status am_run_folder_check(am_trainer *t, am_error *err) {
  const char *out = t->options->out;
  if (!out || !*out) return am_fail(err, AM_E_USAGE, "a run needs a folder to write into");
  if (t->options->resume) {
    if (holds(t->ctx, out, "config.yaml")) return AM_OK;
    return am_fail(err, AM_E_USAGE, "%s: there is no run to resume: wanted a folder with config.yaml and last.h5", out);
  }
  const char *run = am_run_folder_holds(t->ctx, out), *crossval = am_crossval_folder_holds(t->ctx, out);
  if (run)
    return am_fail(err, AM_E_USAGE, "%s holds a run already (%s); choose another folder, or go on with that run: "
                   "audiomood train --resume %s", out, run, out);
  if (crossval)
    return am_fail(err, AM_E_USAGE, "%s holds a cross-validation (%s), whose results this run would overwrite; choose "
                   "another folder", out, crossval);
  return AM_OK;
}

/* What processes that were killed here left half-written, the page's pictures too. */
static void clean(am_trainer *t) {
  const char *const paths[] = {t->last, t->best};
  char *plots = am_path_join(t->ctx, t->options->out, "plots");
  am_folder_clean(t->ctx, t->options->out, 0);
  if (plots && am_folder_check_own(t->ctx, t->options->out, "plots", NULL) == AM_OK) am_folder_clean(t->ctx, plots, 0);
  am_free(t->ctx, plots);
  for (int i = 0; i < 2; i++) {
    char *fresh = am_format(t->ctx, "%s.new", paths[i]);
    if (fresh && am_file_exists(fresh)) am_context_system(t->ctx)->unlink(fresh);
    am_free(t->ctx, fresh);
  }
}

static am_status read_log(am_trainer *t, am_error *err) {
  char *old = NULL, *path = am_path_join(t->ctx, t->options->out, "log.txt");
  am_status status = path ? AM_OK : am_no_memory(err);
  size_t bytes;
  am_error why = AM_ERROR_INIT;
  /* What a link leads to may be anything, and would be copied into the run. */
  if (!status && am_file_exists(path)) status = am_file_read_own(t->ctx, path, LOG_LIMIT, &old, &bytes, &why);
  if (status == AM_E_FORMAT) {
    am_trainer_log(t, AM_LOG_WARNING, "%s; a new log is begun", why.message);
    status = AM_OK;
  } else if (status && path) {
    status = am_fail(err, status, "%s", why.message);
  }
  if (!status && old) {
    am_buffer both = {0};
    am_buffer_append(t->ctx, &both, old, bytes);
    am_buffer_append(t->ctx, &both, t->log.data, t->log.used);
    am_buffer_free(t->ctx, &t->log);
    t->log = both;
  }
  am_free(t->ctx, path);
  am_free(t->ctx, old);
  return status;
}

/* run.json of the process before; nothing depends on it but what is said about the run. */
static am_status read_before(am_trainer *t, am_error *err) {
  char *path = am_path_join(t->ctx, t->options->out, "run.json");
  if (!path) return am_no_memory(err);
  am_error why = AM_ERROR_INIT;
  am_status status = am_file_exists(path) ? am_json_read_file(t->ctx, path, &t->before, &why) : AM_OK;
  if (status && status != AM_E_NOMEM) am_trainer_log(t, AM_LOG_WARNING, "%s; it is written anew", why.message);
  am_free(t->ctx, path);
  return status == AM_E_NOMEM ? am_no_memory(err) : AM_OK;
}

const char *am_run_folder_init(const am_trainer *t) {
  const am_value *init = t->before ? am_value_get(am_tree_root(t->before), "init") : NULL;
  return t->options->init ? t->options->init : init && init->kind == AM_SCALAR ? init->text : NULL;
}

am_status am_run_folder_open(am_trainer *t, am_error *err) {
  am_context *ctx = t->ctx;
  const char *out = t->options->out;
  t->last = am_path_join(ctx, out, "last.h5");
  t->previous = am_path_join(ctx, out, "last-1.h5");
  t->best = am_path_join(ctx, out, "best.h5");
  char *lock = am_path_join(ctx, out, "lock");
  am_status status = t->last && t->previous && t->best && lock ? AM_OK : am_no_memory(err);
  if (!status) status = am_folder_create(ctx, out, err);
  if (!status) status = am_lock_take(ctx, lock, &t->lock, err);
  if (!status) status = am_run_folder_check(t, err); /* again: another process may have been here meanwhile */
  if (!status) clean(t);
  if (!status) status = read_log(t, err);
  if (!status) status = read_before(t, err);
  t->folder_ready = !status;
  am_free(ctx, lock);
  return status;
}

am_status am_run_folder_write(am_trainer *t, const char *name, const am_buffer *text, am_error *err) {
  if (t->rehearsal) return AM_OK;
  char *path = am_path_join(t->ctx, t->options->out, name);
  am_status status = path && !text->failed ? AM_OK : am_no_memory(err);
  if (!status) status = am_lock_check(t->lock, err);
  if (!status) status = am_file_write_own(t->ctx, path, NULL, text->data, text->used, err);
  am_free(t->ctx, path);
  return status;
}

/* With config.yaml there is a run to resume, so what resuming has to know stands in run.json before. */
am_status am_run_folder_begin(am_trainer *t, am_error *err) {
  am_buffer config = {0};
  time_text(t->started);
  am_buffer clips = {0};
  am_status status = am_config_text(t->config, &config, err);
  if (!status) status = am_recordings_text(t->ctx, t->dataset, t->store, &clips, err);
  if (!status) status = am_run_folder_write(t, "clips.csv", &clips, err);
  am_buffer_free(t->ctx, &clips);
  if (!status) status = am_run_folder_facts(t, "running", err);
  if (!status) status = am_run_folder_write(t, "config.yaml", &config, err);
  am_buffer_free(t->ctx, &config);
  return status;
}

/* ---- history.csv ---- */

am_status am_run_folder_history(am_trainer *t, am_error *err) {
  static const char *const columns[] = {"epoch", "train_loss", "train_accuracy", "validation_loss",
                                        "validation_accuracy", "validation_uar", "learning_rate", "seconds",
                                        "clips_per_second", "validation_classes"};
  am_buffer text = {0};
  am_csv_writer w = {.ctx = t->ctx, .out = &text};
  int scored = am_split_classes(t->dataset, t->split, AM_PART_VALIDATION); /* that validation_uar is a mean over */
  for (int i = 0; i < 10; i++) am_csv_put(&w, columns[i]);
  am_csv_end_row(&w);
  for (size_t i = 0; i < t->state.n_history; i++) {
    const am_epoch *e = &t->state.history[i];
    const double row[] = {e->train_loss, e->train_accuracy, e->validation_loss, e->validation_accuracy,
                          e->validation_uar, e->learning_rate, e->seconds, e->clips_per_second};
    am_csv_put_int(&w, (int64_t)e->epoch);
    for (int k = 0; k < 8; k++) am_csv_put_real(&w, row[k]);
    if (scored) am_csv_put_int(&w, scored);
    else am_csv_put(&w, "");
    am_csv_end_row(&w);
  }
  am_status status = am_run_folder_write(t, "history.csv", &text, err);
  am_buffer_free(t->ctx, &text);
  return status ? status : am_run_folder_write(t, "log.txt", &t->log, err);
}

/* ---- run.json ---- */

/* The shares that came out of the split. */
static void write_parts(am_trainer *t, am_json *j) {
  const am_dataset *d = t->dataset;
  am_json_open(j, "parts", '{');
  for (int part = 0; part < 3; part++) {
    am_json_open(j, am_part_name((am_part)part), '{');
    am_json_int(j, "clips", (int64_t)t->split->n[part]);
    am_json_real(j, "share", am_split_share(t->split, (am_part)part));
    am_json_int(j, "speakers", am_split_part_speakers(d, t->split, (am_part)part));
    am_json_open(j, "classes", '{');
    for (int k = 0; k < d->n_labels; k++)
      am_json_int(j, d->labels[k], (int64_t)am_split_clips(d, t->split, (am_part)part, k));
    am_json_close(j);
    am_json_close(j);
  }
  am_json_close(j);
}

static void write_doubt(void *user, const char *line) { am_json_text(user, NULL, line); }

static am_status write_data(am_trainer *t, am_json *j, am_error *err) {
  const am_dataset *d = t->dataset;
  am_json_open(j, "data", '{');
  am_json_text(j, "corpus", d->corpus);
  am_json_text(j, "title", d->title);
  am_json_text(j, "licence", d->licence);
  am_json_text(j, "citation", d->citation);
  am_json_bool(j, "synthetic", d->synthetic);
  am_json_int(j, "clips", (int64_t)d->n);
  am_json_int(j, "missing", (int64_t)d->n_missing);
  am_json_text(j, "missing_note", d->missing_note);
  am_json_text(j, "split", t->split->note);
  am_json_bool(j, "speaker_independent", t->split->speaker_independent);
  for (int part = 0; part < 3; part++) am_json_int(j, am_part_name((am_part)part), (int64_t)t->split->n[part]);
  write_parts(t, j);
  am_json_open(j, "doubts", '[');
  am_status status = am_split_doubts(d, &t->config->split, t->split, write_doubt, j, err);
  am_json_close(j);
  am_json_close(j);
  return status;
}

am_status am_run_folder_facts(am_trainer *t, const char *state, am_error *err) {
  am_buffer text = {0};
  am_json j = am_json_begin(t->ctx, &text, 2);
  struct utsname system;
  bool known = uname(&system) == 0;
  char now[32];
  size_t weights = 0;
  for (size_t i = 0; i < am_model_weight_count(t->model); i++) weights += am_model_weight_info(t->model, i).count;
  time_text(now);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "name", t->config->name);
  am_json_text(&j, "state", state);
  am_json_text(&j, "started", t->started);
  am_json_text(&j, "written", now);
  am_json_text(&j, "version", am_version());
  am_json_text(&j, "compiler", __VERSION__);
  am_json_text(&j, "cpu", am_context_cpu(t->ctx));
  am_json_int(&j, "threads", am_context_threads(t->ctx));
  am_json_text(&j, "system", known ? system.sysname : NULL);
  am_json_text(&j, "release", known ? system.release : NULL);
  am_json_text(&j, "machine", known ? system.machine : NULL);
  am_json_text(&j, "init", am_run_folder_init(t));
  am_json_int(&j, "seed", (int64_t)t->config->seed);
  am_json_int(&j, "features_version", AM_FEATURES_VERSION);
  am_json_int(&j, "parameters", (int64_t)weights);
  am_json_int(&j, "steps", (int64_t)t->state.step);
  am_json_int(&j, "epochs", (int64_t)t->state.epoch);
  am_json_int(&j, "best_epoch", (int64_t)t->state.schedule.best_epoch);
  am_json_real(&j, "seconds", t->seconds_before + (t->began > 0 ? am_now() - t->began : 0));
  am_status status = write_data(t, &j, err);
  am_environment_write(t, &j);
  am_epochs_write(t, &j);
  am_json_close(&j);
  if (!status) status = am_run_folder_write(t, "run.json", &text, err);
  am_buffer_free(t->ctx, &text);
  return status;
}
