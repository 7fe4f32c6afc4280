/* SPDX-License-Identifier: MIT */
/* model/config_target.c - what settings mean nothing for a model of classes, or for one of dimensions (data.target). */
#include "model/config.h"

/* At the place of a setting in the file, "train.loss.kind"; where it is not there, at none. */
static am_status refuse(const am_config *c, const char *path, const char *why, am_error *err) {
  return am_fail_at(err, am_value_find(am_tree_root(c->tree), path), "%s: %s", path, why);
}

static am_status check_emotion(const am_config *c, am_error *err) {
  if (c->train.monitor == AM_MONITOR_VALIDATION_CCC)
    return refuse(c, "train.monitor", "validation_ccc is of dimensions, and data.target is emotion", err);
  return AM_OK;
}

/* What is of classes alone. */
static am_status check_dimensions(const am_config *c, am_error *err) {
  const am_train_options *t = &c->train;
  const struct {
    bool set;
    const char *path, *why;
  } refused[] = {
      {c->loss.kind != AM_LOSS_CCC && c->loss.kind != AM_LOSS_MSE, "train.loss.kind",
       "data.target is dimensions, whose losses are ccc (1 - concordance) and mse; choose one of them"},
      {c->loss.label_smoothing > 0, "train.loss.label_smoothing", "it is of classes, and data.target is dimensions"},
      {c->loss.contrastive > 0, "train.loss.contrastive", "it compares classes, and data.target is dimensions"},
      {t->monitor == AM_MONITOR_VALIDATION_ACCURACY || t->monitor == AM_MONITOR_VALIDATION_UAR, "train.monitor",
       "data.target is dimensions; wanted validation_ccc, validation_loss, train_loss or last"},
      {t->class_weights != AM_CLASS_WEIGHTS_NONE, "train.class_weights",
       "they are of classes, and data.target is dimensions"},
      {t->calibrate != AM_CALIBRATE_NONE, "train.calibrate",
       "values of dimensions have no probabilities that could be calibrated"},
      {t->wanted_precision > 0, "train.wanted_precision",
       "values of dimensions have no probabilities, and so no thresholds"},
      {t->targets_temperature != 1, "train.targets_temperature",
       "it softens probabilities of classes, and data.target is dimensions"},
      {c->data.soft_labels, "data.soft_labels", "votes are for classes, and data.target is dimensions"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    if (refused[i].set) return refuse(c, refused[i].path, refused[i].why, err);
  return AM_OK;
}

am_status am_config_check_target(const am_config *c, am_error *err) {
  return c->data.target == AM_TARGET_DIMENSIONS ? check_dimensions(c, err) : check_emotion(c, err);
}
