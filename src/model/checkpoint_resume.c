/* SPDX-License-Identifier: MIT */
/* model/checkpoint_resume.c - reading checkpoints to go on with: for resuming, for --init. */
#include <stdio.h>
#include <string.h>

#include "model/checkpoint_inside.h"
#include "nn/layers/norm.h"

/* ---- for resuming ---- */

/* A row a finished epoch; a run that has finished none has no such array. */
static am_status read_history(am_context *ctx, am_h5 *file, am_training_state *t, am_error *err) {
  am_h5_info info = {0};
  void *data = NULL;
  am_status status = AM_OK;
  if (am_h5_find(file, "training/history") == AM_H5_ARRAY)
    status = am_h5_read_new(file, "training/history", AM_H5_F64, &info, &data, err);
  const bool values = am_h5_has(file, "/", "target");
  const size_t columns = (size_t)am_epoch_columns_of(values).n;
  if (!status && (data || t->epoch) && (info.rank != 2 || info.dims[1] != columns || info.dims[0] != t->epoch))
    status =
        am_fail(err, AM_E_FORMAT, "%s: training/history does not have %zu columns and a row for each of %llu epochs",
                am_h5_path(file), columns, (unsigned long long)t->epoch);
  if (!status && data && !(t->history = am_alloc(ctx, info.dims[0] + 1, sizeof *t->history)))
    status = am_no_memory(err);
  for (size_t i = 0; !status && data && i < info.dims[0]; i++) {
    const double *r = (const double *)data + columns * i;
    if (r[0] != (double)(i + 1))
      status =
          am_fail(err, AM_E_FORMAT, "%s: row %zu of training/history says epoch %g", am_h5_path(file), i + 1, r[0]);
    else t->history[t->n_history++] = am_epoch_from_row(r, values);
  }
  am_free_aligned(ctx, data);
  return status;
}

static am_status read_state(am_context *ctx, am_h5 *file, am_training_state *t, am_error *err) {
  uint64_t digest = 0;
  const struct {
    const char *name;
    uint64_t *value;
  } counts[] = {{"step", &t->step},
                {"epoch", &t->epoch},
                {"position", &t->position},
                {"correct", &t->correct},
                {"clips", &t->clips},
                {"plateau_wait", &t->schedule.plateau_wait},
                {"best_epoch", &t->schedule.best_epoch},
                {"wait", &t->schedule.wait},
                {"best_digest", &digest}};
  const struct {
    const char *name;
    double *value;
  } reals[] = {{"loss_sum", &t->loss_sum},
               {"divisor_sum", &t->divisor_sum},
               {"epoch_seconds", &t->epoch_seconds},
               {"run_seconds", &t->run_seconds},
               {"plateau_factor", &t->schedule.plateau_factor},
               {"plateau_best", &t->schedule.plateau_best},
               {"best", &t->schedule.best}};
  am_status status = AM_OK;
  if (am_h5_find(file, "training") != AM_H5_GROUP)
    status = am_fail(err, AM_E_FORMAT, "%s: it holds weights only; resume from the run's last.h5", am_h5_path(file));
  for (size_t i = 0; i < sizeof counts / sizeof *counts && !status; i++)
    status = am_checkpoint_get_count(file, "training", counts[i].name, counts[i].value, err);
  for (size_t i = 0; i < sizeof reals / sizeof *reals && !status; i++)
    status = am_h5_get_real(file, "training", reals[i].name, reals[i].value, err);
  if (!status) status = am_checkpoint_get_bool(file, "training", "finished", &t->finished, err);
  if (!status && am_h5_has(file, "training", "contrastive_sum"))
    status = am_h5_get_real(file, "training", "contrastive_sum", &t->contrastive_sum, err);
  if (!status && digest > UINT32_MAX)
    status = am_fail(err, AM_E_FORMAT, "%s: attribute best_digest of training is %llu, wanted a crc32c",
                     am_h5_path(file), (unsigned long long)digest);
  t->best_digest = (uint32_t)digest;
  if (!status) status = am_training_state_check(am_h5_path(file), t, err);
  return status ? status : read_history(ctx, file, t, err);
}

/* From the groups `at`/slots/<name>. */
static am_status read_slots(am_context *ctx, am_h5 *file, const char *at, am_model *model, am_optimiser *o,
                            am_error *err) {
  char group[96];
  const size_t reals = am_optimiser_room(o);
  am_real *room = reals ? am_alloc_aligned(ctx, am_mul(reals, sizeof *room)) : NULL;
  am_status status = reals && !room ? am_no_memory(err) : AM_OK;
  for (int slot = 0; am_optimiser_slot_name(o, slot) && !status; slot++) {
    snprintf(group, sizeof group, "%s/slots/%s", at, am_optimiser_slot_name(o, slot));
    status = am_checkpoint_read_slot(ctx, file, group, model, o, slot, room, err);
  }
  am_free_aligned(ctx, room);
  return status;
}

/* Whether it is the head of the same trait, with the same classes. */
static am_status same_head(am_context *ctx, am_h5 *file, const char *at, const am_head_state *h, am_error *err) {
  int64_t digest = 0;
  char *trait = NULL;
  if (am_h5_find(file, at) != AM_H5_GROUP)
    return am_fail(err, AM_E_FORMAT, "%s: the group %s, of the head %s, is missing", am_h5_path(file), at, h->trait);
  am_status status = am_h5_get_text(file, at, "trait", &trait, err);
  if (!status && strcmp(trait, h->trait))
    status =
        am_fail(err, AM_E_FORMAT, "%s: %s is the head of \"%s\", wanted \"%s\"", am_h5_path(file), at, trait, h->trait);
  if (!status) status = am_h5_get_int(file, at, "digest", &digest, err);
  if (!status && (uint64_t)digest != h->digest)
    status = am_fail(err, AM_E_DATA, "%s: the values of %s in the training part are not those that this run began with",
                     am_h5_path(file), h->trait);
  am_free(ctx, trait);
  return status;
}

static am_status read_head(am_context *ctx, am_h5 *file, size_t i, am_head_state *h, uint64_t step, am_error *err) {
  char at[64], weights[80];
  snprintf(at, sizeof at, "training/heads/%zu", i);
  snprintf(weights, sizeof weights, "%s/weights", at);
  am_status status = same_head(ctx, file, at, h, err);
  if (!status) status = am_h5_get_real(file, at, "loss_sum", &h->loss_sum, err);
  if (!status) status = am_checkpoint_get_count(file, at, "correct", &h->correct, err);
  if (!status) status = am_checkpoint_get_count(file, at, "clips", &h->clips, err);
  if (!status) status = am_head_state_check(am_h5_path(file), h, err);
  if (!status)
    status = am_checkpoint_read_group(ctx, file, weights, h->model, false, am_model_weights(h->model, NULL), err);
  if (!status) status = read_slots(ctx, file, at, h->model, h->optimiser, err);
  h->optimiser->step = step;
  return status;
}

am_status am_checkpoint_resume(am_context *ctx, am_h5 *file, am_model *model, am_optimiser *optimiser,
                               am_head_state *heads, size_t n_heads, am_training_state *state, am_error *err) {
  *state = (am_training_state){0};
  am_status status = read_state(ctx, file, state, err);
  if (!status) status = am_checkpoint_read_arrays(ctx, file, model, err);
  if (!status && !state->finished && optimiser) {
    status = read_slots(ctx, file, "training", model, optimiser, err);
    optimiser->step = state->step;
    for (size_t i = 0; i < n_heads && !status; i++) status = read_head(ctx, file, i, &heads[i], state->step, err);
  }
  if (status) {
    am_free(ctx, state->history);
    *state = (am_training_state){0};
  }
  return status;
}

/* ---- for --init ---- */

static void list(am_context *ctx, am_buffer *b, size_t *n, const char *name, const char *more) {
  am_buffer_printf(ctx, b, "%s%s%s", *n ? ", " : "", name, more);
  ++*n;
}

static am_status init_array(am_context *ctx, am_h5 *file, const char *group, const am_array_info *info, am_real *flat,
                            am_init_report *r, am_error *err) {
  am_h5_info found;
  char has[96], wants[96], *name = am_format(ctx, "%s/%s", group, info->name);
  if (!name) return am_no_memory(err);
  am_status status = AM_OK;
  if (am_h5_find(file, name) != AM_H5_ARRAY && am_batch_norm_counts(info->name)) {
    r->n_anew++;
  } else if (am_h5_find(file, name) != AM_H5_ARRAY) {
    list(ctx, &r->missing, &r->n_missing, info->name, "");
  } else if (!(status = am_h5_get_info(file, name, &found, err))) {
    if (am_checkpoint_same_shape(&found, info, has, wants)) {
      status = am_h5_read(file, name, AM_H5_F32, flat + info->offset, info->count, err);
      list(ctx, &r->matched, &r->n_matched, info->name, "");
    } else {
      char more[256];
      snprintf(more, sizeof more, " %s here %s", has, wants);
      list(ctx, &r->reshaped, &r->n_reshaped, info->name, more);
    }
  }
  am_free(ctx, name);
  return status;
}

static bool model_has(am_model *model, const char *name) {
  for (size_t i = 0; i < am_model_weight_count(model); i++)
    if (!strcmp(am_model_weight_info(model, i)->name, name)) return true;
  return false;
}

static am_status init_all(am_context *ctx, am_h5 *file, am_model *model, am_init_report *r, am_error *err) {
  size_t n, weights = am_model_weight_count(model), all = weights + am_model_statistic_count(model);
  am_real *flat[2] = {am_model_weights(model, &n), am_model_statistics(model, &n)};
  am_status status = AM_OK;
  for (size_t i = 0; i < all && !status; i++) {
    bool statistic = i >= weights;
    am_array_info info = statistic ? *am_model_statistic_info(model, i - weights) : *am_model_weight_info(model, i);
    status = init_array(ctx, file, statistic ? "statistics" : "weights", &info, flat[statistic], r, err);
  }
  am_names names = {0};
  if (!status) status = am_h5_arrays(file, "weights", &names, err);
  for (size_t i = 0; i < names.n; i++)
    if (!model_has(model, names.at[i])) list(ctx, &r->unused, &r->n_unused, names.at[i], "");
  am_names_free(ctx, &names);
  if (!status && !r->n_matched)
    status = am_fail(err, AM_E_DATA,
                     "%s: no array has the name and shape of one of this model; %zu of the model are "
                     "missing there, %zu have another shape",
                     am_h5_path(file), r->n_missing, r->n_reshaped);
  bool failed = r->matched.failed || r->missing.failed || r->reshaped.failed || r->unused.failed;
  return status || !failed ? status : am_no_memory(err);
}

am_status am_checkpoint_init(am_context *ctx, am_h5 *file, am_model *model, am_init_report *report, am_error *err) {
  *report = (am_init_report){0};
  am_status status = init_all(ctx, file, model, report, err);
  if (!status) status = am_checkpoint_check_finite(ctx, am_h5_path(file), model, err);
  if (status) am_init_report_free(ctx, report);
  return status;
}

void am_init_report_free(am_context *ctx, am_init_report *report) {
  am_buffer_free(ctx, &report->matched);
  am_buffer_free(ctx, &report->missing);
  am_buffer_free(ctx, &report->reshaped);
  am_buffer_free(ctx, &report->unused);
}
