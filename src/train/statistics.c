/* SPDX-License-Identifier: MIT */
/* train/statistics.c - when the statistics of batch norms say little about the clips. */
#include "nn/doubt.h"
#include "train/trainer.h"

void am_trainer_say_start(am_trainer *t) {
  char text[512];
  if (am_model_start_doubt(t->model, t->state.schedule.best_epoch * t->per_epoch, text, sizeof text))
    am_run_log(&t->folder, AM_LOG_WARNING, "%s", text);
}

/* Frames of the shortest clip that is trained on. */
static int fewest_frames(const am_trainer *t) {
  const int cropped = (int)t->config->augment.crop_frames;
  int fewest = am_model_input(t->model).t;
  if (cropped > 0 && cropped < fewest) fewest = cropped;
  for (int k = 0; k <= am_store_copies(t->store); k++)
    for (size_t i = 0; i < t->split->n[AM_PART_TRAIN]; i++) {
      const int frames = am_store_frames(am_store_copy(t->store, k), t->split->at[AM_PART_TRAIN][i]);
      if (frames < fewest) fewest = frames;
    }
  return fewest;
}

void am_trainer_say_lone(am_trainer *t) {
  const size_t n = t->split->n[AM_PART_TRAIN], batch = (size_t)t->config->train.batch;
  const size_t last = n % batch; /* clips of a short batch, which is somewhere in every epoch; 0: none is */
  if (batch > 1 && n > 1 && last != 1) return;
  const char *layer = am_model_lone_norm(t->model, 1, fewest_frames(t));
  if (!layer) return;
  static const char *const advice = "put it where there is time or frequency to average over, or take a layer_norm";
  if (batch == 1 || n == 1)
    am_run_log(&t->folder, AM_LOG_WARNING,
               "%s takes the mean and variance of one value a channel in every batch, since a batch is "
               "one clip: its output does not depend on what it hears, and nothing before it learns; set train.batch "
               "to 2 or more, %s",
               layer, advice);
  else
    am_run_log(&t->folder, AM_LOG_WARNING,
               "%s takes the mean and variance of one value a channel in one batch of each epoch, which "
               "is one clip (%zu clips in batches of %zu): that step learns nothing before it, and moves its variance "
               "towards 0; set another train.batch, or %s",
               layer, n, batch, advice);
}
