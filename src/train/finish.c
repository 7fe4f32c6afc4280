/* SPDX-License-Identifier: MIT */
/* train/finish.c - a run's results: its best weights on what was held out. */
#include <math.h>
#include <string.h>

#include "base/system.h"
#include "model/calibration.h"
#include "run/metrics.h"
#include "run/predictions.h"
#include "train/trainer.h"

/* ---- one part ---- */

static am_status part_metrics(am_trainer *t, const uint32_t *clips, size_t n, const float *probabilities,
                              const float *truth, am_metrics **out, am_error *err) {
  int *labels = am_alloc(t->ctx, n, sizeof *labels), *speakers = am_alloc(t->ctx, n, sizeof *speakers);
  am_status status = labels && speakers ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) {
    labels[i] = t->dataset->clips[clips[i]].label;
    speakers[i] = t->dataset->clips[clips[i]].speaker;
  }
  const am_scored_clips of = {.clips = clips,
                              .probabilities = probabilities,
                              .truth = truth,
                              .scale = t->values ? t->dataset->scale : NULL,
                              .labels = labels,
                              .speakers = speakers,
                              .n = n,
                              .names = am_dataset_output_names(t->dataset),
                              .classes = t->classes};
  if (!status) status = am_metrics_of_clips(t->dataset, &of, true, t->config->seed, out, err);
  if (!status && t->thresholds.precision > 0) am_metrics_set_answered(*out, probabilities, labels, &t->thresholds);
  am_free(t->ctx, labels);
  am_free(t->ctx, speakers);
  return status;
}

/* (n,K) true values. */
static void fill_truth(const am_trainer *t, const uint32_t *clips, size_t n, float *truth) {
  const size_t K = (size_t)t->classes;
  for (size_t i = 0; i < n; i++) {
    const float *values = t->dataset->clips[clips[i]].values;
    for (size_t k = 0; k < K; k++) truth[i * K + k] = values ? values[k] : NAN;
  }
}

static am_status run_part(am_trainer *t, am_part part, const char *file, am_metrics **out, am_error *err) {
  size_t n = t->split->n[part], K = (size_t)t->classes;
  const uint32_t *clips = t->split->at[part];
  if (!n) return AM_OK;
  float *p = am_alloc_aligned(t->ctx, am_mul(n * K, sizeof *p));
  float *truth = t->values ? am_alloc(t->ctx, am_mul(n, K), sizeof *truth) : NULL;
  char *path = am_path_join(t->ctx, t->options->out, file);
  am_source source = {t->dataset, t->store, t->fx, &t->normaliser};
  am_status status = p && path && (truth || !t->values) ? AM_OK : am_no_memory(err);
  if (!status)
    status = am_evaluate_logits(t->ctx, t->model, t->inference, (int)t->config->train.batch, &source, clips, n,
                                am_part_name(part), p, err);
  if (!status) {
    if (truth) am_values_from_outputs(p, n, K, t->dataset->scale, p);
    else am_calibration_softmax(p, (int)n, t->classes, t->temperature, p);
    if (truth) fill_truth(t, clips, n, truth);
    status = part_metrics(t, clips, n, p, truth, out, err);
  }
  if (!status) status = am_run_folder_held(&t->folder, err); /* the evaluation may have taken minutes */
  if (!status && t->folder.ready)
    status = am_predictions_write(t->ctx, AM_OURS, path,
                                  &(am_predicted_rows){.d = t->dataset,
                                                       .clips = clips,
                                                       .n = n,
                                                       .names = (char *const *)am_dataset_output_names(t->dataset),
                                                       .classes = t->classes,
                                                       .told = p,
                                                       .truth = truth},
                                  err);
  am_free(t->ctx, path);
  am_free(t->ctx, truth);
  am_free_aligned(t->ctx, p);
  return status;
}

/* predictions.csv is the test part's, or validation's where there is no test part. */
static am_status run_parts(am_trainer *t, am_run_result *r, am_error *err) {
  const char *file = am_run_file_name(t->split->n[AM_PART_TEST] ? AM_FILE_VALIDATION : AM_FILE_PREDICTIONS);
  am_status status = run_part(t, AM_PART_VALIDATION, file, &r->validation, err);
  return status ? status : run_part(t, AM_PART_TEST, am_run_file_name(AM_FILE_PREDICTIONS), &r->test, err);
}

static am_status write_metrics(am_trainer *t, const am_run_result *r, am_error *err) {
  const am_run_metrics m = {.name = t->config->name,
                            .dataset = t->dataset,
                            .split = t->split,
                            .epochs = t->state.epoch,
                            .steps = t->state.step,
                            .best_epoch = t->state.schedule.best_epoch,
                            .stopped_early = r->stopped_early,
                            .transductive = am_normalise_transductive(t->normaliser.kind),
                            .seconds = r->seconds,
                            .unheard = t->unheard,
                            .left_out = t->left_out,
                            .of = {[AM_PART_VALIDATION] = r->validation, [AM_PART_TEST] = r->test},
                            .temperature = t->config->train.calibrate ? t->temperature : 0};
  return am_run_metrics_write(&t->folder, &m, err);
}

static void say_values(am_trainer *t, const char *part, const am_metrics *m) {
  am_buffer line = {0};
  for (int k = 0; k < m->dimensions; k++)
    am_buffer_printf(t->ctx, &line, "%s%s ccc %.3f rmse %.3f", k ? ", " : "", m->dimension[k].name,
                     m->dimension[k].is.ccc, m->dimension[k].is.rmse);
  am_run_log(&t->folder, AM_LOG_INFO, "%s, %zu clips: concordance (ccc) %.3f (%.3f to %.3f, %s): %s%s", part, m->n,
             m->ccc, m->ccc_low, m->ccc_high, m->interval, line.data && !line.failed ? line.data : "",
             t->dataset->synthetic ? " (synthetic speech)" : "");
  am_buffer_free(t->ctx, &line);
  for (size_t i = 0; i < m->n_diagnoses; i++)
    am_run_note(&t->folder, AM_LOG_WARNING, "%s: %s", part, m->diagnoses[i].text);
  if (m->per_utterance)
    am_run_log(&t->folder, AM_LOG_INFO, "%s, %zu utterances by the mean of their chunks: concordance (ccc) %.3f", part,
               m->per_utterance->n, m->per_utterance->ccc);
}

static void say(am_trainer *t, const char *part, const am_metrics *m) {
  if (!m) return;
  if (m->dimensions) {
    say_values(t, part, m);
    return;
  }
  am_run_log(&t->folder, AM_LOG_INFO,
             "%s, %zu clips: accuracy %.1f %% (%.1f to %.1f, %s), unweighted average recall %.1f %%, "
             "macro F1 %.1f %%, both over %d of %d classes (chance %.1f %%)%s",
             part, m->n, 100 * m->accuracy, 100 * m->low, 100 * m->high, m->interval, 100 * m->uar, 100 * m->macro_f1,
             m->scored, m->classes, 100 * am_metrics_chance(m), t->dataset->synthetic ? " (synthetic speech)" : "");
  for (size_t i = 0; i < m->n_diagnoses; i++)
    am_run_note(&t->folder, AM_LOG_WARNING, "%s: %s", part, m->diagnoses[i].text);
  const am_metrics *u = m->per_utterance;
  if (u)
    am_run_log(&t->folder, AM_LOG_INFO,
               "%s, %zu utterances by the mean of their chunks: accuracy %.1f %%, unweighted "
               "average recall %.1f %% over %d of %d classes",
               part, u->n, 100 * u->accuracy, 100 * u->uar, u->scored, u->classes);
}

/* ---- all ---- */

/* Weights and statistics of the last epoch, while the best ones are in the model. */
typedef struct kept {
  am_real *weights, *statistics;
  size_t n_weights, n_statistics;
} kept;

static am_status keep(am_trainer *t, kept *k, am_error *err) {
  const am_real *w = am_model_weights(t->model, &k->n_weights), *s = am_model_statistics(t->model, &k->n_statistics);
  k->weights = am_alloc_aligned(t->ctx, (k->n_weights + 1) * sizeof *w);
  k->statistics = am_alloc_aligned(t->ctx, (k->n_statistics + 1) * sizeof *s);
  if (!k->weights || !k->statistics) return am_no_memory(err);
  memcpy(k->weights, w, k->n_weights * sizeof *w);
  if (k->n_statistics) memcpy(k->statistics, s, k->n_statistics * sizeof *s);
  return AM_OK;
}

static void put_back(am_trainer *t, const kept *k) {
  size_t n;
  memcpy(am_model_weights(t->model, &n), k->weights, k->n_weights * sizeof *k->weights);
  if (k->n_statistics)
    memcpy(am_model_statistics(t->model, &n), k->statistics, k->n_statistics * sizeof *k->statistics);
}

/* The last weights, or their average, become best.h5. */
static am_status save_last_as_best(am_trainer *t, am_error *err) {
  size_t n;
  am_status status = am_optimiser_swap_average(t->optimiser, am_model_weights(t->model, &n), err);
  if (!status) status = am_trainer_calibrate(t, err);
  if (!status) status = am_trainer_save(t, t->folder.best, NULL, false, err);
  return am_trainer_swap_back(t, status, err);
}

/* When who writes it has. */
static am_status read_best(am_trainer *t, uint64_t *epoch, am_error *err) {
  am_status status = am_ranks_barrier(t->share.ranks, err);
  if (status) return status;
  return am_checkpoint_weights(t->ctx, t->folder.best, t->model, epoch, NULL, &t->temperature, &t->thresholds, err);
}

/* best.h5 may be of an epoch after the last save that is not reached again, when a resumed run has fewer epochs. */
static am_status load_best(am_trainer *t, const kept *k, am_error *err) {
  uint64_t epoch, wanted = t->state.schedule.best_epoch;
  am_status status = read_best(t, &epoch, err);
  if (status || epoch == wanted) return status;
  am_run_log(&t->folder, AM_LOG_WARNING,
             "best.h5 is of epoch %llu, the best of this run was %llu; the last weights take its "
             "place",
             (unsigned long long)epoch, (unsigned long long)wanted);
  put_back(t, k);
  t->state.schedule.best_epoch = t->state.epoch;
  status = save_last_as_best(t, err);
  return status ? status : read_best(t, NULL, err);
}

static am_status evaluate_best(am_trainer *t, am_run_result *r, am_error *err) {
  kept k = {0};
  am_status status = keep(t, &k, err);
  if (!status) {
    double begun = am_now(), read;
    status = load_best(t, &k, err);
    t->profile.checkpoint += (read = am_now()) - begun;
    if (!status) status = run_parts(t, r, err);
    t->profile.validation += am_now() - read;
    put_back(t, &k);
  }
  am_free_aligned(t->ctx, k.weights);
  am_free_aligned(t->ctx, k.statistics);
  return status;
}

/* Its mark in last.h5 ends the run: no slots are saved any more, and the average takes the place of the weights. */
static am_status save_finished(am_trainer *t, am_error *err) {
  size_t n;
  t->state.finished = true;
  const am_status status = am_optimiser_swap_average(t->optimiser, am_model_weights(t->model, &n), err);
  return status ? status : am_trainer_save(t, t->folder.last, NULL, true, err);
}

/* A run that was killed between that mark and run.json comes here again, to do the rest. */
am_status am_trainer_finish(am_trainer *t, am_run_result *r, am_error *err) {
  am_status status = am_run_folder_held(&t->folder, err);
  if (!status && !t->state.schedule.best_epoch) { /* best.h5 was lost after the last epoch */
    t->state.schedule.best_epoch = t->state.epoch;
    status = save_last_as_best(t, err);
  }
  if (!status) status = evaluate_best(t, r, err);
  if (status) return status;
  r->seconds = t->seconds_before + am_now() - t->began;
  r->synthetic = t->dataset->synthetic;
  r->speaker_independent = t->split->speaker_independent;
  am_trainer_say_start(t);
  am_trainer_say_calibration(t);
  say(t, "validation", r->validation);
  say(t, "test", r->test);
  status = write_metrics(t, r, err);
  if (status) return status;
  if (!t->state.finished) status = save_finished(t, err);
  if (!status) status = am_trainer_history(t, err);
  if (!status && t->folder.ready)
    status = am_file_remove(t->ctx, t->folder.previous, err); /* before run.json says that nothing is left to do */
  return status ? status : am_trainer_facts(t, "finished", err);
}

void am_run_result_free(am_run_result *result) {
  if (!result) return;
  am_metrics_free(result->validation);
  am_metrics_free(result->test);
  result->validation = result->test = NULL;
}
