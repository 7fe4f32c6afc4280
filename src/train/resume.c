/* SPDX-License-Identifier: MIT */
/* train/resume.c - resuming a run: only the same run, and from its last undamaged checkpoint. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/origin.h"
#include "run/recordings.h"
#include "train/trainer.h"

static am_status compare_config(am_trainer *t, const char *path, const char *text, am_error *err) {
  am_config *saved = NULL;
  am_status status = am_config_from_stored(t->ctx, text, path, NULL, 0, &saved, err);
  if (!status) status = am_config_check_same_run(saved, t->config, err);
  am_config_free(saved);
  return status;
}

am_status am_trainer_check_origin(am_trainer *t, am_h5 *file, am_error *err) {
  const char *path = am_h5_path(file);
  am_origin origin;
  am_status status = am_checkpoint_origin(t->ctx, file, &origin, err);
  if (status) return status;
  status = compare_config(t, path, origin.config, err);
  if (!status && origin.digest != am_data_digest(t->dataset, t->split))
    status = am_fail(err, AM_E_DATA, "the clips in %s, or their split, are not those that this run began with",
                     t->dataset->root ? t->dataset->root : "the corpus");
  if (!status) {
    am_names_free(t->ctx, &t->trained_before);
    t->trained_before = origin.before;
    origin.before = (am_names){0};
    am_credit_free(t->ctx, &t->credit_before);
    t->credit_before = origin.credit;
    origin.credit = (am_credit){0};
    status = am_trainer_doubt(t, path, err);
  }
  am_origin_free(t->ctx, &origin);
  return status;
}

/* All epochs of a run have as many steps. */
static am_status check_steps(am_trainer *t, const char *path, am_error *err) {
  am_training_state *s = &t->state;
  if (s->position <= t->per_epoch && s->step == am_add(am_mul((size_t)s->epoch, t->per_epoch), (size_t)s->position))
    return AM_OK;
  am_status status = am_fail(
      err, AM_E_FORMAT, "%s: it says step %llu after %llu epochs and %llu batches; an epoch has %zu batches", path,
      (unsigned long long)s->step, (unsigned long long)s->epoch, (unsigned long long)s->position, t->per_epoch);
  am_free(t->ctx, s->history);
  *s = (am_training_state){.schedule = am_schedule_begin()};
  return status;
}

/* From one file; AM_E_FORMAT and AM_E_IO mean that another may do. */
static am_status resume_from(am_trainer *t, const char *path, am_error *err) {
  am_h5 *file;
  am_status status = am_checkpoint_open(t->ctx, path, &file, err);
  if (status) return status;
  status = am_trainer_check_origin(t, file, err);
  if (!status)
    status = am_checkpoint_resume(t->ctx, file, t->model, t->optimiser, t->heads.state, t->heads.n, &t->state, err);
  am_h5_close(file);
  return status ? status : check_steps(t, path, err);
}

static am_status resume_or_fall_back(am_trainer *t, am_error *err) {
  am_error first = AM_ERROR_INIT, second = AM_ERROR_INIT;
  am_status status = am_file_exists(t->folder.last) ? resume_from(t, t->folder.last, &first)
                                                    : am_fail(&first, AM_E_IO, "%s is not there", t->folder.last);
  if (!status) return AM_OK;
  bool damaged = status == AM_E_FORMAT || status == AM_E_IO;
  if (!damaged || !am_file_exists(t->folder.previous)) return am_fail(err, status, "%s", first.message);
  am_run_log(&t->folder, AM_LOG_WARNING, "%s; going on from the checkpoint before it, %s", first.message,
             t->folder.previous);
  status = resume_from(t, t->folder.previous, &second);
  t->fell_back = !status;
  return status ? am_fail(err, status, "%s; and the checkpoint before it: %s", first.message, second.message) : AM_OK;
}

/* What best.h5 holds, found before the model gets the weights of last.h5. */
typedef struct best_file {
  am_status status;
  am_error err;
  uint64_t epoch;
  uint32_t digest;
} best_file;

static best_file look_at_best(am_trainer *t) {
  best_file b = {.err = AM_ERROR_INIT};
  double temperature; /* only whether these can be read */
  am_thresholds thresholds;
  b.status =
      am_checkpoint_weights(t->ctx, t->folder.best, t->model, &b.epoch, &b.digest, &temperature, &thresholds, &b.err);
  return b;
}

/* best.h5 was written before the last.h5 that names it, so it is that one or that of a later epoch, which will come
 * again; damaged, gone or exchanged, the choice begins again. */
static void check_best(am_trainer *t, const best_file *b) {
  am_schedule_state *s = &t->state.schedule;
  if (!s->best_epoch) return;
  if (!b->status && b->epoch > s->best_epoch) return;
  if (!b->status && b->epoch == s->best_epoch && b->digest == t->state.best_digest) return;
  am_run_log(&t->folder, AM_LOG_WARNING, "%s; the best epoch will be chosen among those to come",
             b->status ? b->err.message : "best.h5 is not the one that last.h5 was written with");
  s->best = NAN;
  s->best_epoch = 0;
}

static bool said_finished(const am_trainer *t) {
  const am_value *state = t->folder.before ? am_value_get(am_tree_root(t->folder.before), "state") : NULL;
  return state && state->kind == AM_SCALAR && !strcmp(state->text, "finished");
}

/* A recording that was exchanged under its name would make another run of this one, and nothing else would say so. */
static am_status check_recordings(am_trainer *t, am_error *err) {
  am_recordings r;
  am_error why = AM_ERROR_INIT;
  am_status status = am_recordings_compare(t->ctx, t->options->out, t->dataset, t->store, NULL, 0, &r, &why);
  if (status == AM_E_NOMEM) return am_no_memory(err);
  if (status) {
    am_run_log(&t->folder, AM_LOG_WARNING, "%s; whether the recordings are those of the run is not known", why.message);
    return AM_OK;
  }
  if (!r.known)
    am_run_log(
        &t->folder, AM_LOG_INFO,
        "the run kept no digests of its recordings (clips.csv); from now on it keeps those of the present recordings");
  if (r.n_changed)
    status =
        am_fail(err, AM_E_DATA,
                "%s: not the recording%s that this run was trained on: %s; put the recordings back, or "
                "start a new run from the weights in %s (option init; to go on with the present recordings, remove "
                "%s/clips.csv)",
                t->dataset->root ? t->dataset->root : "the corpus", r.n_changed > 1 ? "s" : "", r.names.data,
                t->folder.last, t->options->out);
  am_buffer_free(t->ctx, &r.names);
  return status;
}

/* Those up to the step resumed from; a damaged or missing file is reported and begun again. */
static am_status resume_digests(am_trainer *t, am_error *err) {
  am_error why = AM_ERROR_INIT;
  am_status status = am_digests_read(t->ctx, t->options->out, &t->digests, &why);
  if (status == AM_E_NOMEM) return am_no_memory(err);
  if (status) am_run_log(&t->folder, AM_LOG_WARNING, "%s; digests of the weights are kept from here on", why.message);
  while (t->digests.n && t->digests.at[t->digests.n - 1].step > t->state.step) t->digests.n--;
  return AM_OK;
}

am_status am_trainer_resume(am_trainer *t, am_error *err) {
  if (!am_file_exists(t->folder.last) && !am_file_exists(t->folder.previous)) {
    if (am_run_folder_init(&t->folder)) /* which is not part of the config */
      return am_fail(err, AM_E_USAGE,
                     "%s had been stopped before its first save and began with the weights of %s; remove the "
                     "folder and start again",
                     t->options->out, am_run_folder_init(&t->folder));
    am_run_log(&t->folder, AM_LOG_WARNING, "%s had been stopped before its first save: starting from the beginning",
               t->options->out);
    return AM_OK;
  }
  best_file best = look_at_best(t);
  am_status status = resume_or_fall_back(t, err);
  if (!status) status = check_recordings(t, err);
  if (status) return status;
  t->seconds_before = t->state.run_seconds;
  t->saved_step = t->begun_step = t->state.step;
  status = resume_digests(t, err);
  if (status) return status;
  if (t->state.finished && said_finished(t))
    return am_fail(err, AM_E_USAGE,
                   "%s is finished after %llu epochs; to train on, start a new run from the weights in %s "
                   "(option init)",
                   t->options->out, (unsigned long long)t->state.epoch, t->folder.last);
  check_best(t, &best);
  if (t->state.finished) {
    am_run_log(&t->folder, AM_LOG_INFO, "all %llu epochs are done; finishing what had been stopped after them",
               (unsigned long long)t->state.epoch);
    return AM_OK;
  }
  am_run_log(&t->folder, AM_LOG_INFO, "resuming after step %llu, in epoch %llu", (unsigned long long)t->state.step,
             (unsigned long long)(t->state.epoch + 1));
  return AM_OK;
}
