/* SPDX-License-Identifier: MIT */
/* train/trainer.c - the training loop. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "run/events.h"
#include "run/history.h"
#include "run/recordings.h"
#include "train/trainer.h"

/* ---- files ---- */

am_status am_trainer_facts(am_trainer *t, const char *state, am_error *err) {
  am_run_facts facts = {.config = t->config,
                        .dataset = t->dataset,
                        .split = t->split,
                        .model = t->model,
                        .state = &t->state,
                        .begun_step = t->begun_step,
                        .seconds = t->seconds_before + (t->began > 0 ? am_now() - t->began : 0)};
  return am_run_facts_write(&t->folder, &facts, state, err);
}

am_status am_trainer_history(am_trainer *t, am_error *err) {
  const int scored = /* classes that validation_uar is a mean over */
      t->values ? AM_HISTORY_OF_VALUES : am_split_classes(t->dataset, t->split, AM_PART_VALIDATION);
  am_status status = am_history_write(&t->folder, t->state.history, t->state.n_history, scored, err);
  if (!status && t->config->train.tensorboard)
    status = am_events_write(&t->folder, t->state.history, t->state.n_history, err);
  return status ? status : am_run_folder_write(&t->folder, AM_FILE_LOG, &t->folder.log, err);
}

am_status am_trainer_digest(am_trainer *t, am_error *err) {
  const am_digest now = {t->state.step, t->state.epoch, am_checkpoint_digest(t->model)};
  return am_digests_note(t->ctx, &t->digests, now, err);
}

/* With config.yaml there is a run to resume, so what resuming has to know is in run.json before. */
static am_status begin(am_trainer *t, am_error *err) {
  am_buffer config = {0}, clips = {0};
  am_time_text(t->folder.started);
  am_status status = am_config_text(t->config, &config, err);
  if (!status) status = am_recordings_text(t->ctx, t->dataset, t->store, &clips, err);
  if (!status) status = am_run_folder_write(&t->folder, AM_FILE_CLIPS, &clips, err);
  am_buffer_free(t->ctx, &clips);
  if (!status) status = am_trainer_facts(t, "running", err);
  if (!status) status = am_run_folder_write(&t->folder, AM_FILE_CONFIG, &config, err);
  am_buffer_free(t->ctx, &config);
  return status;
}

/* ---- saving ---- */

am_status am_trainer_save(am_trainer *t, const char *path, const char *keep, bool with_state, am_error *err) {
  if (t->folder.follows)
    return with_state && !t->state.finished ? am_optimiser_give(t->optimiser, t->model, err) : AM_OK;
  if (!t->folder.ready) return AM_OK;
  am_training_state state = t->state;
  state.run_seconds = t->seconds_before + am_now() - t->began;
  am_save save = {.config = t->config,
                  .model = t->model,
                  .labels = (char *const *)am_dataset_output_names(t->dataset),
                  .classes = t->classes,
                  .scale = t->values ? t->dataset->scale : NULL,
                  .normaliser = &t->normaliser,
                  .dataset = t->dataset,
                  .split = t->split,
                  .before = &t->trained_before,
                  .credit_before = &t->credit_before,
                  .epoch = t->state.epoch,
                  .step = t->state.step,
                  .optimiser = with_state && !state.finished ? t->optimiser : NULL,
                  .state = with_state ? &state : NULL,
                  .heads = t->heads.state,
                  .n_heads = t->heads.n,
                  .temperature = with_state ? 0 : t->temperature, /* which is that of the best weights */
                  .thresholds = with_state ? NULL : &t->thresholds};
  double begun = am_now();
  am_status status = am_lock_check(t->folder.lock, err);
  if (!status) status = am_checkpoint_save(t->ctx, path, keep, &save, err);
  t->profile.checkpoint += am_now() - begun;
  return status;
}

static am_status save_last(am_trainer *t, am_error *err) {
  am_status status = am_digests_write(&t->folder, &t->digests,
                                      err); /* first: resuming finds those up to last.h5, and drops the others */
  /* A last.h5 that was found damaged is overwritten: kept, it would push out the good one before it. */
  if (!status) status = am_trainer_save(t, t->folder.last, t->fell_back ? NULL : t->folder.previous, true, err);
  if (!status) t->fell_back = false;
  if (!status) t->saved_step = t->state.step;
  if (!status) status = am_trainer_history(t, err);
  t->saved = am_now();
  return status;
}

/* ---- the end of an epoch ---- */

static double validation_loss(const am_trainer *t, const am_real *targets) {
  size_t n = t->split->n[AM_PART_VALIDATION];
  return am_loss(&t->config->loss, t->logits, targets, NULL, (int)n, t->classes, NULL, NULL) / (double)n;
}

/* From the logits, targets (n,K) being empty; no interval is wanted here. */
static am_status score_classes(am_trainer *t, am_real *targets, am_epoch *e, am_error *err) {
  const size_t n = t->split->n[AM_PART_VALIDATION], K = (size_t)t->classes;
  int *truth = am_alloc(t->ctx, n, sizeof *truth);
  if (!truth) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) truth[i] = t->dataset->clips[t->split->at[AM_PART_VALIDATION][i]].label;
  for (size_t i = 0; i < n; i++) targets[i * K + (size_t)truth[i]] = 1;
  e->validation_loss = validation_loss(t, targets);
  am_metrics *m = NULL;
  am_status status = am_metrics_score(t->ctx, t->logits, truth, n, t->dataset->labels, t->classes, &m, err);
  if (!status) {
    e->validation_accuracy = m->accuracy;
    e->validation_uar = m->uar;
  }
  am_metrics_free(m);
  am_free(t->ctx, truth);
  return status;
}

/* Concordance does not depend on the scale, so that of outputs is that of values. */
static void score_values(am_trainer *t, am_real *targets, am_epoch *e) {
  const size_t n = t->split->n[AM_PART_VALIDATION], K = (size_t)t->classes;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < K; k++)
      targets[i * K + k] = am_dataset_unit(t->dataset, &t->dataset->clips[t->split->at[AM_PART_VALIDATION][i]], (int)k);
  e->validation_loss = validation_loss(t, targets);
  e->validation_ccc = am_metrics_concordance(t->logits, targets, n, t->classes, 0);
}

static am_status validation_scores(am_trainer *t, am_epoch *e, am_error *err) {
  am_real *targets = am_alloc(t->ctx, am_mul(t->split->n[AM_PART_VALIDATION], (size_t)t->classes), sizeof *targets);
  am_status status = targets ? AM_OK : am_no_memory(err);
  if (!status && t->values) score_values(t, targets, e);
  else if (!status) status = score_classes(t, targets, e, err);
  am_free(t->ctx, targets);
  return status;
}

static am_status validate(am_trainer *t, am_epoch *e, am_error *err) {
  size_t n = t->split->n[AM_PART_VALIDATION];
  e->validation_loss = e->validation_accuracy = e->validation_uar = e->validation_ccc = NAN;
  if (!n) return AM_OK;
  am_source source = {t->dataset, t->store, t->fx, &t->normaliser};
  double begun = am_now();
  am_status status = am_evaluate_logits(t->ctx, t->model, t->inference, (int)t->config->train.batch, &source,
                                        t->split->at[AM_PART_VALIDATION], n, "validation", t->logits, err);
  if (!status) status = validation_scores(t, e, err);
  t->profile.validation += am_now() - begun;
  return status || isfinite(e->validation_loss) ? status : am_trainer_bad_validation(t, e->validation_loss, err);
}

static double monitored(const am_trainer *t, const am_epoch *e) {
  switch (t->monitor) {
    case AM_MONITOR_VALIDATION_LOSS: return e->validation_loss;
    case AM_MONITOR_VALIDATION_ACCURACY: return e->validation_accuracy;
    case AM_MONITOR_VALIDATION_UAR: return e->validation_uar;
    case AM_MONITOR_VALIDATION_CCC: /* that no value of the part is known is an epoch that is not better */
      return isnan(e->validation_ccc) ? -1 : e->validation_ccc;
    case AM_MONITOR_TRAIN_LOSS:
    case AM_MONITOR_LAST: break;
  }
  return e->train_loss;
}

static am_status add_history(am_trainer *t, const am_epoch *e, am_error *err) {
  am_training_state *s = &t->state;
  am_epoch *moved = am_resize(t->ctx, s->history, s->n_history + 1, sizeof *moved);
  if (!moved) return am_no_memory(err);
  s->history = moved;
  s->history[s->n_history++] = *e;
  return AM_OK;
}

static void say_epoch(am_trainer *t, const am_epoch *e, bool best) {
  char held_out[160] = "", train[64] = "";
  if (!t->values) snprintf(train, sizeof train, " acc %.3f", e->train_accuracy);
  if (t->split->n[AM_PART_VALIDATION] && t->values) {
    snprintf(held_out, sizeof held_out, ", validation loss %.4f ccc %.3f", e->validation_loss, e->validation_ccc);
  } else if (t->split->n[AM_PART_VALIDATION]) {
    int scored = am_split_classes(t->dataset, t->split, AM_PART_VALIDATION);
    int used = snprintf(held_out, sizeof held_out, ", validation loss %.4f acc %.3f uar %.3f", e->validation_loss,
                        e->validation_accuracy, e->validation_uar);
    if (scored < t->classes)
      snprintf(held_out + used, sizeof held_out - (size_t)used, " over %d of %d classes", scored, t->classes);
  }
  am_run_log(&t->folder, AM_LOG_INFO, "epoch %llu/%lld: loss %.4f%s%s, lr %.3g, %.1f s, %.1f clips/s%s",
             (unsigned long long)e->epoch, (long long)t->config->train.epochs, e->train_loss, train, held_out,
             e->learning_rate, e->seconds, e->clips_per_second,
             best && t->monitor != AM_MONITOR_LAST ? ", best so far" : "");
}

/* What was learned of the embedding besides; `clips` of the epoch. */
static am_status say_beside(am_trainer *t, double clips, am_error *err) {
  am_buffer line = {0};
  if (t->contrastive_memory)
    am_run_log(&t->folder, AM_LOG_INFO, "contrastive: loss %.4f", t->state.contrastive_sum / clips);
  t->state.contrastive_sum = 0;
  am_heads_say(&t->heads, &line);
  if (line.data && !line.failed) am_run_log(&t->folder, AM_LOG_INFO, "heads: %s", line.data);
  am_status status = line.failed ? am_no_memory(err) : AM_OK;
  am_buffer_free(t->ctx, &line);
  return status;
}

/* After what was done with averaged weights.  Where it failed alone others do not come here; a stop is of all. */
am_status am_trainer_swap_back(am_trainer *t, am_status status, am_error *err) {
  size_t n;
  if (status && status != AM_E_STOPPED) return status;
  const am_status back = am_optimiser_swap_average(t->optimiser, am_model_weights(t->model, &n), status ? NULL : err);
  return status ? status : back;
}

/* Averaged weights are in the model during validation and in best.h5. */
static am_status judge_epoch(am_trainer *t, am_epoch *e, bool *best, am_error *err) {
  size_t n;
  am_real *weights = am_model_weights(t->model, &n);
  am_status status = am_optimiser_swap_average(t->optimiser, weights, err);
  if (!status) status = validate(t, e, err);
  if (!status) {
    am_training_state before = t->state;
    t->state.epoch++; /* what is saved now is the state after this epoch */
    *best = am_schedule_epoch(&t->config->schedule, &t->state.schedule, t->monitor, e->epoch, monitored(t, e));
    if (*best) status = am_trainer_fit_calibration(t, err);
    if (*best && !status) {
      status = am_trainer_save(t, t->folder.best, NULL, false, err);
      t->state.best_digest = am_checkpoint_digest(t->model);
    }
    if (status) t->state = before;
  }
  return am_trainer_swap_back(t, status, err);
}

/* Saves when the last save is so old by the clock of any process: all have a part in it. */
static am_status save_after(am_trainer *t, double seconds, am_error *err) {
  bool due = am_now() - t->saved >= seconds;
  const am_status status = am_ranks_any(t->share.ranks, &due, err);
  return status || !due ? status : save_last(t, err);
}

/* The sums of an epoch become its row of history, and what hangs on the row is done. */
static am_status end_epoch(am_trainer *t, am_error *err) {
  am_training_state *s = &t->state;
  am_epoch e = {.epoch = s->epoch + 1,
                .train_loss = s->loss_sum / s->divisor_sum,
                .train_accuracy = t->values ? NAN : (double)s->correct / (double)s->clips,
                .learning_rate = t->config->optimiser.learning_rate *
                                 am_schedule_factor(&t->config->schedule, &s->schedule, s->step - 1, t->per_epoch,
                                                    (uint64_t)t->config->train.epochs),
                .seconds = s->epoch_seconds,
                .clips_per_second = s->epoch_seconds > 0 ? (double)s->clips / s->epoch_seconds : NAN};
  bool best = false;
  am_status status = judge_epoch(t, &e, &best, err);
  if (!status) status = add_history(t, &e, err);
  if (!status) status = am_trainer_digest(t, err);
  if (status) return status;
  const double clips = (double)s->clips;
  s->position = s->correct = s->clips = 0;
  s->loss_sum = s->divisor_sum = s->epoch_seconds = 0;
  say_epoch(t, &e, best);
  status = say_beside(t, clips, err);
  if (status) return status;
  bool last = s->epoch >= (uint64_t)t->config->train.epochs ||
              am_schedule_should_stop(&s->schedule, t->config->train.early_stopping);
  return last ? save_last(t, err) : save_after(t, t->config->train.save_seconds, err);
}

/* ---- an epoch ---- */

/* Saves and says how to go on. `why` is a phrase. */
static am_status pause(am_trainer *t, const char *why, am_error *err) {
  if (!t->folder.ready && !t->folder.follows) return am_fail(err, AM_E_STOPPED, "%s", why); /* in memory */
  am_run_log(&t->folder, AM_LOG_INFO, "%s after step %llu, in epoch %llu", why, (unsigned long long)t->state.step,
             (unsigned long long)(t->state.epoch + 1));
  am_status status = save_last(t, err);
  if (!status) status = am_ranks_barrier(t->share.ranks, err); /* nobody leaves while another saves */
  if (!status) status = am_trainer_facts(t, "interrupted", err);
  if (status) return status;
  bool limited = t->config->train.max_steps > 0; /* would pause again at once */
  return am_fail(err, AM_E_STOPPED,
                 "%s after step %llu, in epoch %llu; all is saved in %s; go on with: audiomood train "
                 "--resume %s%s",
                 why, (unsigned long long)t->state.step, (unsigned long long)(t->state.epoch + 1), t->folder.last,
                 t->options->out, limited ? " --set train.max_steps=0" : "");
}

static void show(am_trainer *t, bool finished) {
  const am_training_state *s = &t->state;
  char task[64], note[64] = "";
  snprintf(task, sizeof task, "epoch %llu/%lld", (unsigned long long)(s->epoch + 1),
           (long long)t->config->train.epochs);
  const double loss = s->loss_sum / s->divisor_sum;
  if (s->clips && t->values) snprintf(note, sizeof note, "loss %.4f", loss);
  else if (s->clips) snprintf(note, sizeof note, "loss %.4f acc %.2f", loss, (double)s->correct / (double)s->clips);
  am_progress progress = {.size = sizeof progress,
                          .task = task,
                          .unit = "clips",
                          .done = s->clips,
                          .total = t->split->n[AM_PART_TRAIN],
                          .seconds = s->epoch_seconds,
                          .note = note,
                          .finished = finished};
  am_progress_emit(t->ctx, &progress);
}

/* After a step: whether to pause or save now. */
static am_status after_step(am_trainer *t, am_error *err) {
  const am_train_options *o = &t->config->train;
  am_status status = AM_OK;
  if (t->state.step == AM_DIGEST_STEP && (status = am_trainer_digest(t, err))) return status;
  bool stopping = am_context_stopping(t->ctx);
  status = am_ranks_any(t->share.ranks, &stopping, err);
  if (status) return status;
  if (stopping) return pause(t, "stopped", err);
  if (o->max_steps > 0 && t->state.step >= (uint64_t)o->max_steps) return pause(t, "paused (train.max_steps)", err);
  return o->save_minutes > 0 ? save_after(t, 60 * o->save_minutes, err) : AM_OK;
}

/* The next batch, or NULL; the time until it is there counts as waiting. */
static am_status next_batch(am_trainer *t, const am_loader_batch **b, am_error *err) {
  double begun = am_now();
  am_status status = am_loader_next(t->loader, b, err);
  t->profile.data += am_now() - begun;
  return status;
}

static am_status run_epoch(am_trainer *t, am_error *err) {
  am_status status = am_loader_start(t->loader, t->state.epoch + 1, (size_t)t->state.position, err);
  double last = am_now(), shown = 0;
  while (!status) {
    const am_loader_batch *b;
    status = next_batch(t, &b, err);
    if (status || !b) break;
    status = am_trainer_step(t, b, err);
    double now = am_now();
    t->state.epoch_seconds += now - last;
    am_trainer_profile_took(t, now - last);
    last = now;
    if (now - shown > 0.1) show(t, false), shown = now;
    if (!status) status = after_step(t, err);
  }
  show(t, true);
  if (status) return status;
  status = end_epoch(t, err);
  if (status == AM_E_STOPPED) { /* asked to stop during validation: it is done again after resuming */
    if (err) {
      err->status = AM_OK;
      err->message[0] = '\0';
    }
    status = pause(t, "stopped", err);
  }
  return status;
}

/* ---- a run ---- */

static am_status dry_run(am_trainer *t, am_error *err) {
  const am_loader_batch *b;
  t->began = am_now();
  am_status status = am_loader_start(t->loader, 1, 0, err);
  if (!status) status = next_batch(t, &b, err);
  double begun = am_now();
  if (!status) status = am_trainer_step(t, b, err);
  if (status) return status;
  double seconds = am_now() - begun;
  am_run_log(&t->folder, AM_LOG_INFO,
             "dry run: the first step of %d clips took %.3f s (%.1f clips/s), its loss is %.4f; an epoch "
             "has %zu such steps; no run was written",
             b->n, seconds, b->n / seconds, t->state.loss_sum / t->state.divisor_sum, t->per_epoch);
  return AM_OK;
}

/* Others read from it when it has been opened, and see whether the lock reaches to them. */
static am_status open_folder(am_run_folder *f, am_error *err) {
  am_ranks *ranks = am_context_ranks(f->ctx);
  am_status status = am_run_folder_open(f, err);
  if (!status) status = am_ranks_barrier(ranks, err);
  bool unguarded = !status && am_run_folder_unguarded(f);
  if (!status) status = am_ranks_any(ranks, &unguarded, err);
  if (!status && unguarded && !am_lock_doubt(f->lock))
    am_run_log(f, AM_LOG_WARNING,
               "%s: another process of this job could lock it, too: locks do not reach from host to host there, and "
               "nothing keeps a job on another host from writing to this run at once",
               f->path);
  return status;
}

static am_status open_run(am_trainer *t, am_error *err) {
  am_status status = t->options->resume ? AM_OK : open_folder(&t->folder, err);
  t->began = t->saved = am_now();
  if (!status && t->options->resume) status = am_trainer_resume(t, err);
  if (!status && !t->state.step) status = am_trainer_digest(t, err);
  if (!status) status = begin(t, err);
  /* --init is not part of the config, so a run that began with it must not begin again without. */
  if (!status && t->options->init && !t->options->resume) status = save_last(t, err);
  return status;
}

am_status am_trainer_rehearse(am_trainer *t, uint64_t steps, am_error *err) {
  t->began = t->saved = am_now();
  t->config->train.max_steps = (int64_t)steps;
  am_error why = AM_ERROR_INIT;
  am_status status = am_trainer_digest(t, &why);
  while (!status && t->state.step < steps && t->state.epoch < (uint64_t)t->config->train.epochs)
    status = run_epoch(t, &why);
  if (status == AM_E_STOPPED && !am_context_stopping(t->ctx)) status = am_trainer_digest(t, &why);
  return status ? am_fail(err, status, "%s", why.message) : AM_OK;
}

static am_status finish(am_trainer *t, am_run_result *result, am_error *err) {
  am_error why = AM_ERROR_INIT;
  am_status status = am_trainer_finish(t, result, &why);
  if (status != AM_E_STOPPED) return status ? am_fail(err, status, "%s", why.message) : AM_OK;
  am_run_log(&t->folder, AM_LOG_INFO, "stopped while the best weights were evaluated");
  status = am_trainer_history(t, err);
  if (!status) status = am_trainer_facts(t, "interrupted", err);
  if (status) return status;
  return am_fail(err, AM_E_STOPPED,
                 "stopped after the last step, while the best weights were evaluated; all is saved in "
                 "%s; go on with: audiomood train --resume %s",
                 t->folder.last, t->options->out);
}

static am_status train(am_trainer *t, am_run_result *result, am_error *err) {
  const am_train_options *o = &t->config->train;
  am_status status = open_run(t, err);
  if (!status && o->max_steps > 0 && t->state.step >= (uint64_t)o->max_steps)
    status = pause(t, "paused (train.max_steps)", err);
  const uint64_t pause_at = t->options->pause_after;
  while (!status && t->state.epoch < (uint64_t)o->epochs) {
    if (pause_at && (t->state.epoch >= pause_at || am_schedule_should_stop(&t->state.schedule, o->early_stopping)))
      break;
    if (am_schedule_should_stop(&t->state.schedule, o->early_stopping)) {
      result->stopped_early = true;
      am_run_log(&t->folder, AM_LOG_INFO, "stopped early: %lld epochs without a better one than epoch %llu",
                 (long long)o->early_stopping, (unsigned long long)t->state.schedule.best_epoch);
      break;
    }
    if (t->state.finished) break;
    status = run_epoch(t, err);
  }
  if (!status && pause_at) status = pause(t, "paused", err);
  if (!status) status = finish(t, result, err);
  if (t->options->profile) am_trainer_profile(t, !status || status == AM_E_STOPPED);
  return status;
}

static void note_failure(am_trainer *t, am_status status, const am_error *err) {
  if (!t->folder.ready || status == AM_E_STOPPED || !t->folder.started[0]) return;
  am_run_log(&t->folder, AM_LOG_DEBUG, "failed: %s", err ? err->message : am_status_name(status));
  if (am_trainer_history(t, NULL) == AM_OK) am_trainer_facts(t, "failed", NULL);
}

static am_status run_checked(am_config *config, const am_run_options *options, am_run_result *result, am_error *err) {
  am_trainer t = {.ctx = config->ctx,
                  .config = config,
                  .options = options,
                  .folder = {.ctx = config->ctx,
                             .path = options->out,
                             .init = options->init,
                             .resume = options->resume,
                             .patience = options->patience,
                             .quiet = options->quiet,
                             .follows = !am_ranks_first(am_context_ranks(config->ctx))}};
  t.state.schedule = am_schedule_begin();
  am_status status = options->dry_run ? AM_OK : am_run_folder_check(&t.folder, err);
  if (!status && options->resume && !options->dry_run) status = open_folder(&t.folder, err);
  if (!status) status = am_share_same(config, err);
  if (!status) status = am_trainer_setup(&t, err);
  if (!status && options->dry_run) {
    status = dry_run(&t, err);
    if (options->profile && !status) am_trainer_profile(&t, true);
  } else if (!status) {
    status = train(&t, result, err);
    if (status) note_failure(&t, status, err);
  }
  result->epochs_run = t.state.epoch;
  result->best_epoch = t.state.schedule.best_epoch;
  result->steps = t.state.step;
  result->interrupted = status == AM_E_STOPPED;
  if (t.began > 0) result->seconds = t.seconds_before + am_now() - t.began;
  am_trainer_free(&t);
  if (status) am_run_result_free(result);
  return status;
}

am_status am_train_run(am_config *config, const am_run_options *given, am_run_result *result, am_error *err) {
  am_run_options options;
  am_run_result mine = {.size = sizeof mine};
  am_status status = am_size_check(result, SIZE_MAX, offsetof(am_run_result, synthetic), "am_run_result", err);
  if (status) return status;
  am_size_give(result, &mine, sizeof mine);
  status = AM_NEED(err, config);
  if (!status)
    status =
        am_size_take(&options, sizeof options, given, offsetof(am_run_options, pause_after), "am_run_options", err);
  if (!status && !options.dry_run && !options.out)
    status = am_fail(err, AM_E_USAGE, "am_run_options.out may only be NULL in a dry run");
  if (!status && !(options.patience >= 0))
    status = am_fail(err, AM_E_USAGE, "am_run_options.patience is %g; wanted seconds from 0", options.patience);
  if (!status) status = run_checked(config, &options, &mine, err);
  am_size_give(result, &mine, sizeof mine);
  return status;
}
