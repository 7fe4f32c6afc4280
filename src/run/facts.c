/* SPDX-License-Identifier: MIT */
/* run/facts.c - see facts.h. */
#include "run/facts.h"

#include <sys/utsname.h>

#include "run/environment.h"

/* The shares that came out of the split. */
static void write_parts(const am_run_facts *r, am_json *j) {
  const am_dataset *d = r->dataset;
  am_json_open(j, "parts", '{');
  for (int part = 0; part < 3; part++) {
    am_json_open(j, am_part_name((am_part)part), '{');
    am_json_int(j, "clips", (int64_t)r->split->n[part]);
    am_json_real(j, "share", am_split_share(r->split, (am_part)part));
    am_json_int(j, "speakers", am_split_part_speakers(d, r->split, (am_part)part));
    am_json_open(j, "classes", '{');
    size_t *count = am_split_clips(d, r->split, (am_part)part);
    if (!count) j->out->failed = true;
    for (int k = 0; k < d->n_labels && count; k++) am_json_int(j, d->labels[k], (int64_t)count[k]);
    am_free(d->ctx, count);
    am_json_close(j);
    am_json_close(j);
  }
  am_json_close(j);
}

static void write_doubt(void *user, const char *line) { am_json_text(user, NULL, line); }

static am_status write_data(const am_run_facts *r, am_json *j, am_error *err) {
  const am_dataset *d = r->dataset;
  am_json_open(j, "data", '{');
  am_json_text(j, "corpus", d->corpus);
  am_json_text(j, "title", d->title);
  am_json_text(j, "licence", d->licence);
  am_json_text(j, "citation", d->citation);
  am_json_bool(j, "synthetic", d->synthetic);
  am_json_int(j, "clips", (int64_t)d->n);
  am_json_int(j, "missing", (int64_t)d->n_missing);
  am_json_text(j, "missing_note", d->missing_note);
  am_json_text(j, "split", r->split->note);
  am_json_bool(j, "speaker_independent", r->split->speaker_independent);
  for (int part = 0; part < 3; part++) am_json_int(j, am_part_name((am_part)part), (int64_t)r->split->n[part]);
  write_parts(r, j);
  am_json_open(j, "doubts", '[');
  am_status status = am_split_doubts(d, &r->config->split, r->split, write_doubt, j, err);
  am_json_close(j);
  am_json_close(j);
  return status;
}

am_status am_run_facts_write(am_run_folder *f, const am_run_facts *r, const char *state, am_error *err) {
  am_buffer text = {0};
  am_json j = am_json_begin(f->ctx, &text, 2);
  struct utsname system;
  bool known = uname(&system) == 0;
  char now[32];
  size_t weights = 0;
  for (size_t i = 0; i < am_model_weight_count(r->model); i++) weights += am_model_weight_info(r->model, i)->count;
  am_time_text(now);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "name", r->config->name);
  am_json_text(&j, "state", state);
  am_json_text(&j, "started", f->started);
  am_json_text(&j, "written", now);
  am_json_text(&j, "version", am_version());
  am_json_text(&j, "compiler", __VERSION__);
  am_json_text(&j, "cpu", am_context_cpu(f->ctx));
  am_json_int(&j, "threads", am_context_threads(f->ctx));
  am_json_text(&j, "system", known ? system.sysname : NULL);
  am_json_text(&j, "release", known ? system.release : NULL);
  am_json_text(&j, "machine", known ? system.machine : NULL);
  am_json_text(&j, "init", am_run_folder_init(f));
  am_json_int(&j, "seed", (int64_t)r->config->seed);
  am_json_int(&j, "features_version", AM_FEATURES_VERSION);
  am_json_int(&j, "parameters", (int64_t)weights);
  am_json_int(&j, "steps", (int64_t)r->state->step);
  am_json_int(&j, "epochs", (int64_t)r->state->epoch);
  am_json_int(&j, "best_epoch", (int64_t)r->state->schedule.best_epoch);
  am_json_real(&j, "seconds", r->seconds);
  am_status status = write_data(r, &j, err);
  am_environment_write(f->ctx, f->before, r->begun_step, &j);
  am_epochs_write(f->before, r->begun_step, r->config->train.epochs, &j);
  am_json_close(&j);
  if (!status) status = am_run_folder_write(f, AM_FILE_FACTS, &text, err);
  am_buffer_free(f->ctx, &text);
  return status;
}
