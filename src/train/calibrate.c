/* SPDX-License-Identifier: MIT */
/* train/calibrate.c - temperature and thresholds of the best weights (model/calibration.h). */
#include "model/calibration.h"

#include "train/trainer.h"

am_status am_trainer_check_calibration(const am_trainer *t, am_error *err) {
  const am_train_options *o = &t->config->train;
  if (!am_config_calibrates(t->config) || t->split->n[AM_PART_VALIDATION]) return AM_OK;
  const bool temperature = o->calibrate != AM_CALIBRATE_NONE;
  return am_fail(
      err, AM_E_CONFIG,
      "train.%s fitted to validation clips, and there are none (%s); hold speakers out for them (split.validation, "
      "validation_speakers or validation_speakers_count), or set train.%s",
      temperature ? "calibrate: a temperature is" : "wanted_precision: thresholds are", t->split->note,
      temperature ? "calibrate to none" : "wanted_precision to 0");
}

/* By the probabilities that the temperature gives. */
static am_status fit_thresholds(am_trainer *t, const int *labels, size_t n, am_error *err) {
  float *p = am_alloc(t->ctx, am_mul(n, (size_t)t->classes), sizeof *p);
  if (!p) return am_no_memory(err);
  am_calibration_softmax(t->logits, (int)n, t->classes, t->temperature > 0 ? t->temperature : 1, p);
  am_status status =
      am_thresholds_fit(t->ctx, p, labels, n, t->classes, t->config->train.wanted_precision, &t->thresholds, err);
  am_free(t->ctx, p);
  return status;
}

am_status am_trainer_fit_calibration(am_trainer *t, am_error *err) {
  const am_train_options *o = &t->config->train;
  const size_t n = t->split->n[AM_PART_VALIDATION];
  t->temperature = 0;
  t->thresholds = (am_thresholds){0};
  if (!am_config_calibrates(t->config)) return AM_OK;
  int *labels = am_alloc(t->ctx, n, sizeof *labels);
  if (!labels) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) labels[i] = t->dataset->clips[t->split->at[AM_PART_VALIDATION][i]].label;
  if (o->calibrate != AM_CALIBRATE_NONE) am_calibration_fit(t->logits, labels, n, t->classes, &t->temperature);
  am_status status = o->wanted_precision > 0 ? fit_thresholds(t, labels, n, err) : AM_OK;
  am_free(t->ctx, labels);
  return status;
}

am_status am_trainer_calibrate(am_trainer *t, am_error *err) {
  const am_source source = {t->dataset, t->store, t->fx, &t->normaliser};
  am_status status = AM_OK;
  if (am_config_calibrates(t->config))
    status = am_evaluate_logits(t->ctx, t->model, t->inference, (int)t->config->train.batch, &source,
                                t->split->at[AM_PART_VALIDATION], t->split->n[AM_PART_VALIDATION], "validation",
                                t->logits, err);
  return status ? status : am_trainer_fit_calibration(t, err);
}

static void say_temperature(am_trainer *t) {
  const size_t n = t->split->n[AM_PART_VALIDATION];
  if (t->config->train.calibrate == AM_CALIBRATE_NONE) return;
  if (t->temperature == AM_HIGHEST_TEMPERATURE)
    am_run_log(&t->folder, AM_LOG_WARNING,
               "temperature %g, the highest: on the %zu validation clips the probabilities of the model are no better "
               "than equal ones",
               t->temperature, n);
  else if (t->temperature != 1)
    am_run_log(
        &t->folder, AM_LOG_INFO, "temperature %.4g, fitted to %zu validation clips: %s", t->temperature, n,
        t->temperature > 1 ? "the model was surer than it was right" : "the model was less sure than it was right");
  else
    am_run_log(&t->folder, AM_LOG_WARNING,
               "no temperature could be fitted to the %zu validation clips: the model is right on all of them; its "
               "probabilities stay as they are",
               n);
}

static void say_thresholds(am_trainer *t) {
  const am_thresholds *th = &t->thresholds;
  const size_t n = t->split->n[AM_PART_VALIDATION];
  am_buffer never = {0};
  double least = AM_NEVER;
  int some = 0;
  if (!(th->precision > 0)) return;
  for (int k = 0; k < t->classes; k++) {
    if (th->at[k] < least) least = th->at[k];
    if (th->at[k] == AM_NEVER) am_buffer_printf(t->ctx, &never, "%s%s", some++ ? ", " : "", t->dataset->labels[k]);
  }
  if (some == t->classes)
    am_run_log(&t->folder, AM_LOG_WARNING,
               "no threshold gives the answers to the %zu validation clips a precision of %g (train.wanted_precision), "
               "so every answer of this model is uncertain",
               n, th->precision);
  else
    am_run_log(&t->folder, AM_LOG_INFO,
               "thresholds for a precision of %g, fitted to %zu validation clips: answers are uncertain below a "
               "probability of %.3f or more%s%s",
               th->precision, n, least, some ? "; never the answer: " : "", some && never.data ? never.data : "");
  am_buffer_free(t->ctx, &never);
}

void am_trainer_say_calibration(am_trainer *t) {
  say_temperature(t);
  say_thresholds(t);
}
