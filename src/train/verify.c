/* SPDX-License-Identifier: MIT */
/* train/verify.c - see verify.h. */
#include "train/verify.h"

#include <string.h>

#include "run/environment.h"
#include "run/recordings.h"
#include "train/trainer.h"

typedef struct job {
  am_context *ctx;
  const char *run;
  am_config *config;
  am_tree *facts; /* run.json */
  am_digests recorded;
  uint64_t steps; /* to train */
} job;

/* Both the run's config and the one with `overrides`, which may change nothing that the weights depend on. */
static am_status read_config(job *j, const char *file, const char *const *overrides, size_t n, am_error *err) {
  am_config *saved = NULL;
  am_status status = am_config_load_stored(j->ctx, file, NULL, 0, &saved, err);
  if (!status) status = am_config_load_stored(j->ctx, file, overrides, n, &j->config, err);
  if (!status) status = am_config_check_places(saved, j->config, err);
  am_config_free(saved);
  return status;
}

static am_status read_run(job *j, const char *const *overrides, size_t n, am_error *err) {
  char *config = am_run_file_path(j->ctx, j->run, AM_FILE_CONFIG),
       *facts = am_run_file_path(j->ctx, j->run, AM_FILE_FACTS);
  am_status status = config && facts ? AM_OK : am_no_memory(err);
  if (!status && !am_file_exists(config))
    status = am_fail(err, AM_E_USAGE,
                     "%s: there is no run to verify: wanted a folder with config.yaml, run.json, "
                     "digests.csv and last.h5",
                     j->run);
  if (!status) status = read_config(j, config, overrides, n, err);
  if (!status) status = am_json_read_file(j->ctx, facts, &j->facts, err);
  if (!status) status = am_digests_read(j->ctx, j->run, &j->recorded, err);
  am_free(j->ctx, config);
  am_free(j->ctx, facts);
  return status;
}

/* The last digest up to step 10, of a shorter run the last one; or the end of the epoch that was asked for. */
static am_status choose_steps(job *j, uint64_t epochs, am_error *err) {
  const am_digests *d = &j->recorded;
  for (size_t i = 0; i < d->n; i++)
    if (epochs ? d->at[i].epoch <= epochs : d->at[i].step <= AM_DIGEST_STEP || !j->steps) j->steps = d->at[i].step;
  if (!j->steps) return am_fail(err, AM_E_DATA, "%s: no digest of its weights was kept after a step", j->run);
  if (epochs && (!d->n || d->at[d->n - 1].epoch < epochs))
    return am_fail(err, AM_E_USAGE, "%s: there are digests of %llu epochs, not of %llu", j->run,
                   (unsigned long long)(d->n ? d->at[d->n - 1].epoch : 0), (unsigned long long)epochs);
  return AM_OK;
}

static const am_value *epochs_then(const job *j) { return am_value_get(am_tree_root(j->facts), "train_epochs"); }

/* Each step with the train.epochs that it had then: schedules depend on it. */
static am_status train_again(const job *j, am_trainer *t, am_error *err) {
  const am_value *list = epochs_then(j);
  am_status status = AM_OK;
  for (uint64_t step = 0, until; step < j->steps && !status; step = until) {
    const int64_t epochs = am_epochs_at(list, step);
    for (until = step + 1; until < j->steps && am_epochs_at(list, until) == epochs;) until++;
    if (epochs) t->config->train.epochs = epochs;
    status = am_trainer_rehearse(t, until, err);
  }
  return status;
}

static am_status rehearse(job *j, am_trainer *t, am_error *err) {
  char *last = am_run_file_path(j->ctx, j->run, AM_FILE_LAST);
  am_h5 *file = NULL;
  am_status status = last ? am_trainer_setup(t, err) : am_no_memory(err);
  if (!status) status = am_checkpoint_open(j->ctx, last, &file, err);
  if (!status) status = am_trainer_check_origin(t, file, err);
  am_h5_close(file);
  if (!status) status = train_again(j, t, err);
  am_free(j->ctx, last);
  return status;
}

static am_status compare(job *j, const am_digests *found, am_verify_report *out, am_error *err) {
  if (!(out->rows = am_alloc(j->ctx, j->recorded.n + 1, sizeof *out->rows))) return am_no_memory(err);
  for (size_t i = 0, k = 0; i < j->recorded.n; i++) {
    const am_digest *then = &j->recorded.at[i];
    while (k < found->n && found->at[k].step < then->step) k++;
    if (k == found->n || found->at[k].step != then->step) continue;
    out->rows[out->n++] = (am_verify_row){then->step, then->epoch, then->crc, found->at[k].crc};
    out->n_equal += then->crc == found->at[k].crc;
  }
  am_environment_compare(j->ctx, am_tree_root(j->facts), j->steps, &out->changes);
  return out->changes.failed ? am_no_memory(err) : AM_OK;
}

/* A line of what is not as it was. */
static am_status compare_recordings(const job *j, const am_trainer *t, am_verify_report *out, am_error *err) {
  am_recordings r;
  am_status status = am_recordings_compare(j->ctx, j->run, t->dataset, t->store, NULL, 0, &r, err);
  if (status) return status;
  out->recordings_known = r.known;
  if (r.n_changed)
    am_buffer_printf(j->ctx, &out->changes, "%s%s not the recording%s of then\n", r.names.data,
                     r.n_changed > 1 ? " are" : " is", r.n_changed > 1 ? "s" : "");
  am_buffer_free(j->ctx, &r.names);
  return out->changes.failed ? am_no_memory(err) : AM_OK;
}

/* Other schedules are the same however long the run is to be. */
static bool depends_on_epochs(const am_config *c) {
  return c->schedule.kind == AM_SCHEDULE_COSINE || c->schedule.kind == AM_SCHEDULE_ONE_CYCLE;
}

static const char *init_of(const job *j) {
  const am_value *init = am_value_get(am_tree_root(j->facts), "init");
  return init && init->kind == AM_SCALAR ? init->text : NULL;
}

am_status am_run_verify(am_context *ctx, const char *run, const char *const *overrides, size_t n, uint64_t epochs,
                        am_verify_report *out, am_error *err) {
  *out = (am_verify_report){0};
  job j = {.ctx = ctx, .run = run};
  am_status status = read_run(&j, overrides, n, err);
  if (!status) status = choose_steps(&j, epochs, err);
  if (!status) {
    am_run_options options = {.size = sizeof options, .init = init_of(&j)};
    am_trainer t = {.ctx = ctx, .config = j.config, .options = &options, .folder = {.ctx = ctx}};
    out->epochs_unknown = depends_on_epochs(j.config) && !am_epochs_at(epochs_then(&j), 0);
    t.state.schedule = am_schedule_begin();
    status = rehearse(&j, &t, err);
    if (!status) status = compare(&j, &t.digests, out, err);
    if (!status) status = compare_recordings(&j, &t, out, err);
    am_trainer_free(&t);
  }
  am_free(ctx, j.recorded.at);
  am_tree_free(j.facts);
  am_config_free(j.config);
  if (status) am_verify_report_free(ctx, out);
  return status;
}

void am_verify_report_free(am_context *ctx, am_verify_report *report) {
  am_free(ctx, report->rows);
  am_buffer_free(ctx, &report->changes);
  *report = (am_verify_report){0};
}
