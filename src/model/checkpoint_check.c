/* SPDX-License-Identifier: MIT */
/* model/checkpoint_check.c - whether what a checkpoint says fits together; everything later relies on it. */
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "model/checkpoint.h"
#include "tensor/tensor.h"

am_status am_checkpoint_check_labels(const char *path, const am_names *labels, am_error *err) {
  if (!labels->n) return am_fail(err, AM_E_FORMAT, "%s: it has no labels", path);
  if (labels->n > AM_MAX_CLASSES)
    return am_fail(err, AM_E_FORMAT, "%s: it has %zu labels, wanted at most %d", path, labels->n, AM_MAX_CLASSES);
  for (size_t i = 0; i < labels->n; i++)
    for (size_t k = 0; k < i; k++)
      if (!strcmp(labels->at[i], labels->at[k]))
        return am_fail(err, AM_E_FORMAT, "%s: two of its classes are called \"%s\"", path, labels->at[i]);
  return AM_OK;
}

am_status am_checkpoint_check_input(const char *path, const am_feature_options *features, am_shape in, am_error *err) {
  bool dims = in.rank >= 1 && in.rank <= 3 && in.t >= 1 && in.f >= 1 && in.c >= 1 && in.t <= AM_CHECKPOINT_FRAMES;
  if (!dims || am_shape_count(in) > INT_MAX)
    return am_fail(err, AM_E_FORMAT,
                   "%s: no model has the input shape (%d, %d, %d); wanted numbers from 1 up, at most %d frames "
                   "and %d numbers in all",
                   path, in.t, in.f, in.c, AM_CHECKPOINT_FRAMES, INT_MAX);
  int bins = am_feature_bins(features), fixed = am_feature_fixed_frames(features);
  if (in.f * in.c != bins)
    return am_fail(err, AM_E_SHAPE, "%s: its model hears %d bins a frame, and its config's features have %d", path,
                   in.f * in.c, bins);
  if (fixed && (in.t != fixed || in.variable))
    return am_fail(err, AM_E_SHAPE, "%s: its model hears %s%d frames, and its config's features have exactly %d", path,
                   in.variable ? "up to " : "", in.t, fixed);
  return AM_OK;
}

am_status am_checkpoint_check_normaliser(const char *path, const am_feature_options *features, am_shape in,
                                         const am_normaliser *nz, am_error *err) {
  char found[16], wanted[16];
  am_choice_name(AM_WORDS(AM_NORMALISES), nz->kind, found, sizeof found);
  am_choice_name(AM_WORDS(AM_NORMALISES), features->normalise, wanted, sizeof wanted);
  if (nz->kind != features->normalise)
    return am_fail(err, AM_E_FORMAT, "%s: its normaliser is of kind %s, and features.normalise of its config is %s",
                   path, found, wanted);
  if (nz->by_all != (features->normalise_by == AM_NORMALISE_BY_ALL))
    return am_fail(err, AM_E_FORMAT, "%s: its normaliser takes %s, and features.normalise_by of its config is %s", path,
                   nz->by_all ? "all bins together" : "each bin by itself", nz->by_all ? "bin" : "all");
  if (nz->f != in.f * in.c)
    return am_fail(err, AM_E_SHAPE, "%s: its normaliser has %d bins, and the features of its model have %d", path,
                   nz->f, in.f * in.c);
  return AM_OK;
}

am_status am_checkpoint_check_means(const char *path, const am_normaliser *nz, am_error *err) {
  for (int i = 0; i < nz->f; i++)
    if (!isfinite(nz->mean[i]) || !isfinite(nz->inverse[i]))
      return am_fail(err, AM_E_FORMAT,
                     "%s: bin %d of its normaliser has the mean %g and the factor %g; wanted finite numbers", path, i,
                     (double)nz->mean[i], (double)nz->inverse[i]);
  return AM_OK;
}

am_status am_checkpoint_check_training(const char *path, const am_norm_stats *s, am_error *err) {
  for (int i = 0; i < s->f; i++)
    if (!isfinite(s->mean[i]) || !isfinite(s->m2[i]))
      return am_fail(err, AM_E_FORMAT,
                     "%s: bin %d of its training part has the mean %g and the deviation %g; wanted finite numbers",
                     path, i, s->mean[i], sqrt(s->m2[i]));
  return AM_OK;
}

/* In pieces: there may be 144 MB of weights. */
typedef struct search {
  const am_real *x;
  size_t n;
  atomic_bool lost;
} search;
enum { FINITE_PIECE = 1 << 18 };

static void look_at_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  search *j = arg;
  const size_t at = piece * FINITE_PIECE, left = j->n - at;
  if (!am_all_finite(j->x + at, left < FINITE_PIECE ? left : FINITE_PIECE)) atomic_store(&j->lost, true);
}

static bool all_finite(am_context *ctx, const am_real *x, size_t n) {
  search j = {.x = x, .n = n};
  am_parallel_for(ctx, (n + FINITE_PIECE - 1) / FINITE_PIECE, look_at_piece, &j);
  return !atomic_load(&j.lost);
}

static am_status check_array(am_context *ctx, const char *path, const char *group, const am_array_info *info,
                             const am_real *x, am_error *err) {
  if (all_finite(ctx, x, info->count)) return AM_OK;
  size_t i = 0;
  while (isfinite(x[i])) i++;
  return am_fail(err, AM_E_NUMERIC, "%s: %s/%s: number %zu of %zu is %s; a model with such weights answers nothing",
                 path, group, info->name, i + 1, info->count, isnan(x[i]) ? "not a number" : "infinite");
}

am_status am_checkpoint_check_finite(am_context *ctx, const char *path, am_model *model, am_error *err) {
  const am_real *w = am_model_weights(model, NULL), *s = am_model_statistics(model, NULL);
  am_status status = AM_OK;
  for (size_t i = 0; i < am_model_weight_count(model) && !status; i++) {
    am_array_info info = *am_model_weight_info(model, i);
    status = check_array(ctx, path, "weights", &info, w + info.offset, err);
  }
  for (size_t i = 0; i < am_model_statistic_count(model) && !status; i++) {
    am_array_info info = *am_model_statistic_info(model, i);
    status = check_array(ctx, path, "statistics", &info, s + info.offset, err);
  }
  return status;
}

am_status am_checkpoint_check_temperature(const char *path, double temperature, am_error *err) {
  if (am_calibration_allows(temperature)) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: its temperature is %g, wanted %g to %g", path, temperature,
                 AM_LOWEST_TEMPERATURE, AM_HIGHEST_TEMPERATURE);
}

am_status am_checkpoint_check_thresholds(const char *path, const am_thresholds *t, int classes, am_error *err) {
  if (am_thresholds_allow(t, classes)) return AM_OK;
  return am_fail(err, AM_E_FORMAT,
                 "%s: its thresholds are not from 0 to 1, or %g for a class that is never the answer; or their "
                 "precision, %g, is not between 0 and 1",
                 path, AM_NEVER, t->precision);
}

am_status am_head_state_check(const char *path, const am_head_state *h, am_error *err) {
  if (h->loss_sum >= 0 && isfinite(h->loss_sum) && h->correct <= h->clips) return AM_OK;
  return am_fail(err, AM_E_FORMAT,
                 "%s: what it says of the head %s in the epoch that had begun (%llu of %llu clips right, a loss of %g) "
                 "cannot be",
                 path, h->trait, (unsigned long long)h->correct, (unsigned long long)h->clips, h->loss_sum);
}

am_status am_training_state_check(const char *path, const am_training_state *t, am_error *err) {
  const am_schedule_state *s = &t->schedule;
  bool times = t->epoch_seconds >= 0 && isfinite(t->epoch_seconds) && t->run_seconds >= 0 && isfinite(t->run_seconds);
  bool sums = isfinite(t->loss_sum) && isfinite(t->divisor_sum) && t->divisor_sum >= 0 && t->correct <= t->clips &&
              t->contrastive_sum >= 0 && isfinite(t->contrastive_sum);
  bool begun = t->position > 0 || (!t->clips && t->loss_sum == 0 && t->divisor_sum == 0);
  if (!times || !sums || !begun || t->position > t->step)
    return am_fail(err, AM_E_FORMAT,
                   "%s: what it says of the epoch that had begun (%llu batches, %llu of %llu clips right, a loss "
                   "of %g over %g, %g s) cannot be",
                   path, (unsigned long long)t->position, (unsigned long long)t->correct, (unsigned long long)t->clips,
                   t->loss_sum, t->divisor_sum, t->epoch_seconds);
  if (!(s->plateau_factor >= 0) || !isfinite(s->plateau_factor) || s->best_epoch > t->epoch || s->wait > t->epoch ||
      s->plateau_wait > t->epoch)
    return am_fail(err, AM_E_FORMAT,
                   "%s: what it says of its schedule after %llu epochs (a factor of %g, epoch %llu the best, %llu "
                   "since, %llu on the plateau) cannot be",
                   path, (unsigned long long)t->epoch, s->plateau_factor, (unsigned long long)s->best_epoch,
                   (unsigned long long)s->wait, (unsigned long long)s->plateau_wait);
  return AM_OK;
}
