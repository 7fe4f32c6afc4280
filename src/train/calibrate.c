/* train/calibrate.c - the temperature of the best weights (model/calibration.h). */
#include "model/calibration.h"

#include "train/trainer.h"

am_status am_trainer_check_calibration(const am_trainer *t, am_error *err) {
  if (t->config->train.calibrate == AM_CALIBRATE_NONE || t->split->n[AM_PART_VALIDATION]) return AM_OK;
  return am_fail(
      err, AM_E_CONFIG,
      "train.calibrate: a temperature is fitted to validation clips, and there are none (%s); hold speakers out "
      "for them (split.validation, validation_speakers or validation_speakers_count), or set train.calibrate to none",
      t->split->note);
}

am_status am_trainer_fit_temperature(am_trainer *t, am_error *err) {
  const size_t n = t->split->n[AM_PART_VALIDATION];
  t->temperature = 0;
  if (t->config->train.calibrate == AM_CALIBRATE_NONE) return AM_OK;
  int *labels = am_alloc(t->ctx, n, sizeof *labels);
  if (!labels) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) labels[i] = t->dataset->clips[t->split->at[AM_PART_VALIDATION][i]].label;
  am_calibration_fit(t->logits, labels, n, t->classes, &t->temperature);
  am_free(t->ctx, labels);
  return AM_OK;
}

am_status am_trainer_calibrate(am_trainer *t, am_error *err) {
  const am_source source = {t->dataset, t->store, t->fx, &t->normaliser};
  t->temperature = 0;
  if (t->config->train.calibrate == AM_CALIBRATE_NONE) return AM_OK;
  am_status status = am_evaluate_logits(t->ctx, t->model, t->inference, (int)t->config->train.batch, &source,
                                        t->split->at[AM_PART_VALIDATION], t->split->n[AM_PART_VALIDATION], "validation",
                                        t->logits, err);
  return status ? status : am_trainer_fit_temperature(t, err);
}

void am_trainer_say_temperature(am_trainer *t) {
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
