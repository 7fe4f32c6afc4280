/* SPDX-License-Identifier: MIT */
/* model/checkpoint_save.c - writing checkpoints so that none is lost. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/system.h"
#include "io/h5.h"
#include "model/checkpoint.h"

enum { CHUNK = 1 << 20 /* elements read back at once */ };

/* ---- weights ---- */

static am_status write_array(am_context *ctx, am_h5 *file, const char *group, const am_array_info *info,
                             const am_real *values, am_error *err) {
  size_t dims[4];
  for (int i = 0; i < info->rank; i++) dims[i] = (size_t)info->dims[i];
  char *name = am_format(ctx, "%s/%s", group, info->name);
  if (!name) return am_no_memory(err);
  am_status status = am_h5_write(file, name, AM_H5_F32, info->rank, dims, values, err);
  am_free(ctx, name);
  return status;
}

/* All weights of a flat buffer laid out as the model's. */
static am_status write_weights(am_context *ctx, am_h5 *file, const char *group, am_model *model, const am_real *flat,
                               am_error *err) {
  am_status status = am_h5_group(file, group, err);
  for (size_t i = 0; i < am_model_weight_count(model) && !status; i++) {
    am_array_info info = *am_model_weight_info(model, i);
    status = write_array(ctx, file, group, &info, flat + info.offset, err);
  }
  return status;
}

static am_status write_arrays(am_context *ctx, am_h5 *file, am_model *model, am_error *err) {
  size_t n;
  const am_real *statistics = am_model_statistics(model, &n);
  am_status status = write_weights(ctx, file, "weights", model, am_model_weights(model, &n), err);
  if (!status) status = am_h5_group(file, "statistics", err);
  for (size_t i = 0; i < am_model_statistic_count(model) && !status; i++) {
    am_array_info info = *am_model_statistic_info(model, i);
    status = write_array(ctx, file, "statistics", &info, statistics + info.offset, err);
  }
  return status;
}

uint32_t am_checkpoint_digest(am_model *model) {
  size_t n;
  const am_real *weights = am_model_weights(model, &n), *statistics = am_model_statistics(model, &n);
  uint32_t crc = 0;
  for (size_t i = 0; i < am_model_weight_count(model); i++) {
    am_array_info info = *am_model_weight_info(model, i);
    crc = am_crc32c(crc, weights + info.offset, info.count * sizeof *weights);
  }
  for (size_t i = 0; i < am_model_statistic_count(model); i++) {
    am_array_info info = *am_model_statistic_info(model, i);
    crc = am_crc32c(crc, statistics + info.offset, info.count * sizeof *statistics);
  }
  return crc;
}

/* ---- what a prediction needs besides ---- */

/* What whoever has nothing but the file should know: what it is, under which licences, and whom to name. */
static am_status write_credit(am_context *ctx, am_h5 *file, const am_save *s, am_error *err) {
  const am_credit *before = s->credit_before;
  const char *description = s->config->description;
  am_credit all = {0};
  am_status status = am_credit_join(ctx, &all, s->dataset->licences, s->dataset->attribution, err);
  if (!status && before) status = am_credit_join(ctx, &all, before->licence, before->attribution, err);
  if (!status) status = am_h5_set_text(file, "/", "title", *description ? description : s->config->name, err);
  if (!status) status = am_h5_set_text(file, "/", "licence", all.licence, err);
  if (!status) status = am_h5_set_text(file, "/", "attribution", all.attribution, err);
  am_credit_free(ctx, &all);
  return status;
}

am_status am_checkpoint_write_target(am_h5 *file, const am_scale *scale, int classes, am_error *err) {
  char version[32];
  const bool one = scale && am_scales_one(scale, classes);
  snprintf(version, sizeof version, "%d.%d",
           !scale ? AM_CHECKPOINT_MAJOR
           : one  ? AM_CHECKPOINT_VALUES_MAJOR
                  : AM_CHECKPOINT_SCALES_MAJOR,
           scale ? AM_CHECKPOINT_VALUES_MINOR : AM_CHECKPOINT_MINOR);
  am_status status = am_h5_set_text(file, "/", "version", version, err);
  if (!status && scale) status = am_h5_set_text(file, "/", "target", "dimensions", err);
  if (!status && one) status = am_h5_set_real(file, "/", "scale_low", scale[0].low, err);
  if (!status && one) status = am_h5_set_real(file, "/", "scale_high", scale[0].high, err);
  if (status || !scale || one) return status;
  return am_h5_write(file, "scales", AM_H5_F64, 2, (const size_t[]){(size_t)classes, 2}, scale, err);
}

static am_status write_head(am_context *ctx, am_h5 *file, const am_save *s, am_error *err) {
  char *creator = am_format(ctx, "audiomood %s", am_version());
  if (!creator) return am_no_memory(err);
  am_shape in = am_model_input(s->model);
  am_status status = am_h5_set_text(file, "/", "format", AM_CHECKPOINT_FORMAT, err);
  if (!status) status = am_h5_set_text(file, "/", "creator", creator, err);
  if (!status) status = am_h5_set_int(file, "/", "epoch", (int64_t)s->epoch, err);
  if (!status) status = am_h5_set_int(file, "/", "step", (int64_t)s->step, err);
  if (!status) status = am_h5_set_texts(file, "/", "labels", (const char *const *)s->labels, (size_t)s->classes, err);
  if (!status) status = am_checkpoint_write_target(file, s->scale, s->classes, err);
  if (!status && s->temperature > 0) status = am_h5_set_real(file, "/", "temperature", s->temperature, err);
  if (!status) status = am_h5_group(file, "input", err);
  if (!status) status = am_h5_set_int(file, "input", "rank", in.rank, err);
  if (!status) status = am_h5_set_int(file, "input", "frames", in.t, err);
  if (!status) status = am_h5_set_int(file, "input", "bins", in.f, err);
  if (!status) status = am_h5_set_int(file, "input", "channels", in.c, err);
  if (!status) status = am_h5_set_int(file, "input", "variable", in.variable, err);
  am_free(ctx, creator);
  return status;
}

static am_status write_config(am_context *ctx, am_h5 *file, am_config *config, am_error *err) {
  am_buffer text = {0};
  am_status status = am_config_text(config, &text, err);
  if (!status) status = am_h5_write_text(file, "config", text.data, err);
  am_buffer_free(ctx, &text);
  return status;
}

/* Where there are some. */
am_status am_checkpoint_write_thresholds(am_h5 *file, const char *name, const am_thresholds *t, size_t classes,
                                         am_error *err) {
  if (!t || !(t->precision > 0)) return AM_OK;
  am_status status = am_h5_write(file, name, AM_H5_F64, 1, &classes, t->at, err);
  return status ? status : am_h5_set_real(file, name, "precision", t->precision, err);
}

/* Of kind speaker: what a voice of which little was heard is shrunk towards. */
static am_status write_training(am_context *ctx, am_h5 *file, const am_norm_stats *s, am_error *err) {
  const size_t f = (size_t)s->f;
  double *deviation = am_alloc(ctx, f, sizeof *deviation);
  if (!deviation) return am_no_memory(err);
  for (size_t j = 0; j < f; j++) deviation[j] = s->count > 0 ? sqrt(s->m2[j] / s->count) : 0;
  am_status status = am_h5_write(file, "normaliser/training_mean", AM_H5_F64, 1, &f, s->mean, err);
  if (!status) status = am_h5_write(file, "normaliser/training_deviation", AM_H5_F64, 1, &f, deviation, err);
  am_free(ctx, deviation);
  return status;
}

static am_status write_normaliser(am_context *ctx, am_h5 *file, const am_normaliser *nz, am_error *err) {
  char kind[16];
  am_status status = am_h5_group(file, "normaliser", err);
  am_choice_name(AM_WORDS(AM_NORMALISES), nz->kind, kind, sizeof kind);
  if (!status) status = am_h5_set_text(file, "normaliser", "kind", kind, err);
  if (!status) status = am_h5_set_int(file, "normaliser", "by_all", nz->by_all, err);
  if (!status) status = am_h5_set_int(file, "normaliser", "bins", nz->f, err);
  size_t f = (size_t)nz->f;
  if (!status && nz->training.f) status = write_training(ctx, file, &nz->training, err);
  if (status || !nz->mean) return status;
  status = am_h5_write(file, "normaliser/mean", AM_H5_F32, 1, &f, nz->mean, err);
  return status ? status : am_h5_write(file, "normaliser/inverse", AM_H5_F32, 1, &f, nz->inverse, err);
}

static const char *or_empty(const char *text) { return text ? text : ""; }

uint64_t am_data_digest(const am_dataset *d, const am_split *split) {
  uint64_t hash = 0;
  if (split->digest) return split->digest;
  for (int part = 0; part < 3; part++)
    for (size_t i = 0; i < split->n[part]; i++) {
      const am_clip *clip = &d->clips[split->at[part][i]];
      uint64_t key[3] = {hash, (uint64_t)part, (uint64_t)clip->label};
      hash = am_hash64(am_hash64(0, key, sizeof key), clip->name, strlen(clip->name));
      if (d->target == AM_TARGET_DIMENSIONS && clip->values)
        hash = am_hash64(hash, clip->values, (size_t)d->n_dimensions * sizeof *clip->values);
    }
  return hash;
}

static am_status write_speakers(am_context *ctx, am_h5 *file, const char *name, const am_names *speakers,
                                am_error *err) {
  am_buffer text = {0};
  for (size_t i = 0; i < speakers->n; i++) am_buffer_printf(ctx, &text, "%s%s", i ? "\n" : "", speakers->at[i]);
  am_status status = text.failed ? am_no_memory(err) : am_h5_write_text(file, name, text.data, err);
  am_buffer_free(ctx, &text);
  return status;
}

/* Whom a model knows: its weights were trained on the ones, and chosen by the others, or how sure it is was. */
static am_status write_seen(am_context *ctx, am_h5 *file, const am_save *s, am_error *err) {
  static char *nobody[] = {AM_PERSON_UNKNOWN};
  const am_split *split = s->split;
  const int64_t monitor = s->config->train.monitor;
  const bool chosen =
      (monitor != AM_MONITOR_TRAIN_LOSS && monitor != AM_MONITOR_LAST) || am_config_calibrates(s->config);
  am_names seen = {0};
  am_status status = AM_OK;
  for (int part = AM_PART_TRAIN; part <= (chosen ? AM_PART_VALIDATION : AM_PART_TRAIN) && !status; part++)
    status = am_speakers_add(ctx, &seen, s->dataset, split->at[part], split->n[part], err);
  if (!status) status = write_speakers(ctx, file, "data/speakers", seen.n ? &seen : &(am_names){nobody, 1}, err);
  am_names_free(ctx, &seen);
  if (status || !s->before || !s->before->n) return status;
  return write_speakers(ctx, file, "data/before", s->before, err);
}

static am_status write_data(am_context *ctx, am_h5 *file, const am_save *s, am_error *err) {
  const am_dataset *d = s->dataset;
  const am_split *split = s->split;
  am_status status = am_h5_group(file, "data", err);
  if (!status) status = am_h5_set_text(file, "data", "corpus", or_empty(d->corpus), err);
  if (!status) status = am_h5_set_text(file, "data", "title", or_empty(d->title), err);
  if (!status) status = am_h5_set_text(file, "data", "licence", or_empty(d->licence), err);
  if (!status) status = am_h5_set_text(file, "data", "citation", or_empty(d->citation), err);
  if (!status) status = am_h5_set_text(file, "data", "language", or_empty(d->language), err);
  if (!status) status = am_h5_set_text(file, "data", "missing", or_empty(d->missing_note), err);
  if (!status) status = am_h5_set_text(file, "data", "split", split->note, err);
  if (!status) status = am_h5_set_int(file, "data", "synthetic", d->synthetic, err);
  if (!status) status = am_h5_set_int(file, "data", "speaker_independent", split->speaker_independent, err);
  if (!status) status = am_h5_set_int(file, "data", "digest", (int64_t)am_data_digest(d, split), err);
  for (int part = 0; part < 3 && !status; part++)
    status = am_h5_set_int(file, "data", am_part_name((am_part)part), (int64_t)split->n[part], err);
  return status ? status : write_seen(ctx, file, s, err);
}

/* ---- where the run is ---- */

static am_status write_history(am_h5 *file, const am_training_state *t, bool values, am_error *err) {
  const am_epoch_columns columns = am_epoch_columns_of(values);
  size_t dims[2] = {t->n_history, (size_t)columns.n};
  if (!t->n_history) return AM_OK;
  am_h5_rows *rows;
  am_status status = am_h5_rows_begin(file, "training/history", AM_H5_F64, 2, dims, &rows, err);
  if (status) return status;
  for (size_t i = 0; i < t->n_history && !status; i++) {
    double row[AM_EPOCH_COLUMNS];
    am_epoch_to_row(&t->history[i], values, row);
    status = am_h5_rows_append(rows, row, 1, err);
  }
  am_status ended = am_h5_rows_end(rows, status ? NULL : err);
  if (!status) status = ended;
  return status ? status : am_h5_set_texts(file, "training/history", "columns", columns.names, (size_t)columns.n, err);
}

static am_status write_state(am_h5 *file, const am_training_state *t, bool values, am_error *err) {
  const struct {
    const char *name;
    uint64_t value;
  } counts[] = {{"step", t->step},
                {"epoch", t->epoch},
                {"position", t->position},
                {"correct", t->correct},
                {"clips", t->clips},
                {"plateau_wait", t->schedule.plateau_wait},
                {"best_epoch", t->schedule.best_epoch},
                {"wait", t->schedule.wait},
                {"best_digest", t->best_digest},
                {"finished", t->finished}};
  const struct {
    const char *name;
    double value;
  } reals[] = {{"loss_sum", t->loss_sum},
               {"divisor_sum", t->divisor_sum},
               {"epoch_seconds", t->epoch_seconds},
               {"run_seconds", t->run_seconds},
               {"plateau_factor", t->schedule.plateau_factor},
               {"plateau_best", t->schedule.plateau_best},
               {"best", t->schedule.best}};
  am_status status = am_h5_group(file, "training", err);
  for (size_t i = 0; i < sizeof counts / sizeof *counts && !status; i++)
    status = am_h5_set_int(file, "training", counts[i].name, (int64_t)counts[i].value, err);
  for (size_t i = 0; i < sizeof reals / sizeof *reals && !status; i++)
    status = am_h5_set_real(file, "training", reals[i].name, reals[i].value, err);
  if (!status && t->contrastive_sum != 0)
    status = am_h5_set_real(file, "training", "contrastive_sum", t->contrastive_sum, err);
  return status ? status : write_history(file, t, values, err);
}

/* One that others have some of, block by block. */
static am_status write_rows(const am_optimiser *o, int slot, const am_array_info *info, am_h5_rows *to, am_real *room,
                            am_error *err) {
  const size_t rows = (size_t)info->dims[0], width = info->count / rows, block = am_optimiser_rows(o, info);
  am_status status = AM_OK;
  for (size_t row = 0; row < rows && !status; row += block) {
    const size_t n = rows - row < block ? rows - row : block;
    const am_real *values;
    status = am_optimiser_slot(o, slot, info->offset + row * width, n * width, room, &values, err);
    if (!status) status = am_h5_rows_append(to, values, n, err);
  }
  return status;
}

static am_status write_slot_array(am_context *ctx, am_h5 *file, const char *group, const am_optimiser *o, int slot,
                                  const am_array_info *info, am_real *room, am_error *err) {
  size_t dims[4];
  const am_real *values;
  if (!info->rank || am_optimiser_rows(o, info) >= (size_t)info->dims[0]) {
    const am_status status = am_optimiser_slot(o, slot, info->offset, info->count, room, &values, err);
    return status ? status : write_array(ctx, file, group, info, values, err);
  }
  for (int i = 0; i < info->rank; i++) dims[i] = (size_t)info->dims[i];
  char *name = am_format(ctx, "%s/%s", group, info->name);
  am_h5_rows *to = NULL;
  am_status status = name ? am_h5_rows_begin(file, name, AM_H5_F32, info->rank, dims, &to, err) : am_no_memory(err);
  if (!status) status = write_rows(o, slot, info, to, room, err);
  const am_status ended = am_h5_rows_end(to, status ? NULL : err);
  am_free(ctx, name);
  return status ? status : ended;
}

static am_status write_slot(am_context *ctx, am_h5 *file, const char *group, am_model *model, const am_optimiser *o,
                            int slot, am_real *room, am_error *err) {
  am_status status = am_h5_group(file, group, err);
  for (size_t i = 0; i < am_model_weight_count(model) && !status; i++) {
    const am_array_info info = *am_model_weight_info(model, i);
    status = write_slot_array(ctx, file, group, o, slot, &info, room, err);
  }
  return status;
}

/* Into the groups `at`/slots/<name>. */
static am_status write_slots(am_context *ctx, am_h5 *file, const char *at, am_model *model, const am_optimiser *o,
                             am_error *err) {
  char group[96];
  const size_t reals = am_optimiser_block(o, model);
  am_real *room = reals ? am_alloc_aligned(ctx, am_mul(reals, sizeof *room)) : NULL;
  if (reals && !room) return am_no_memory(err);
  snprintf(group, sizeof group, "%s/slots", at);
  am_status status = am_h5_group(file, group, err);
  for (int slot = 0; am_optimiser_slot_name(o, slot) && !status; slot++) {
    snprintf(group, sizeof group, "%s/slots/%s", at, am_optimiser_slot_name(o, slot));
    status = write_slot(ctx, file, group, model, o, slot, room, err);
  }
  am_free_aligned(ctx, room);
  return status;
}

static am_status write_head_state(am_context *ctx, am_h5 *file, size_t i, const am_head_state *h, am_error *err) {
  char at[64], weights[80];
  snprintf(at, sizeof at, "training/heads/%zu", i);
  snprintf(weights, sizeof weights, "%s/weights", at);
  am_status status = am_h5_group(file, at, err);
  if (!status) status = am_h5_set_text(file, at, "trait", h->trait, err);
  if (!status) status = am_h5_set_int(file, at, "digest", (int64_t)h->digest, err);
  if (!status) status = am_h5_set_real(file, at, "loss_sum", h->loss_sum, err);
  if (!status) status = am_h5_set_int(file, at, "correct", (int64_t)h->correct, err);
  if (!status) status = am_h5_set_int(file, at, "clips", (int64_t)h->clips, err);
  if (!status) status = write_weights(ctx, file, weights, h->model, am_model_weights(h->model, NULL), err);
  return status ? status : write_slots(ctx, file, at, h->model, h->optimiser, err);
}

static am_status write_heads(am_context *ctx, am_h5 *file, const am_save *s, am_error *err) {
  am_status status = s->n_heads ? am_h5_group(file, "training/heads", err) : AM_OK;
  for (size_t i = 0; i < s->n_heads && !status; i++) status = write_head_state(ctx, file, i, &s->heads[i], err);
  return status;
}

static am_status write_all(am_context *ctx, am_h5 *file, const am_save *s, am_error *err) {
  am_status status = write_head(ctx, file, s, err);
  if (!status) status = write_credit(ctx, file, s, err);
  if (!status) status = write_config(ctx, file, s->config, err);
  if (!status) status = am_checkpoint_write_thresholds(file, "thresholds", s->thresholds, (size_t)s->classes, err);
  if (!status) status = write_normaliser(ctx, file, s->normaliser, err);
  if (!status) status = write_data(ctx, file, s, err);
  if (!status) status = write_arrays(ctx, file, s->model, err);
  if (!status && s->state) status = write_state(file, s->state, s->scale != NULL, err);
  if (!status && s->optimiser) status = write_slots(ctx, file, "training", s->model, s->optimiser, err);
  if (!status && s->optimiser) status = write_heads(ctx, file, s, err);
  return status;
}

/* ---- reading back ---- */

static am_status verify_array(am_context *ctx, am_h5 *file, const char *name, am_error *err) {
  am_h5_info info;
  am_status status = am_h5_get_info(file, name, &info, err);
  size_t element = status ? 0 : am_h5_type_size(info.type);
  if (status || info.type == AM_H5_TEXT || !info.count) return status;
  size_t rows = info.rank ? info.dims[0] : 1, width = info.count / rows;
  size_t step = width < CHUNK ? CHUNK / width : 1;
  char *chunk = am_alloc_aligned(ctx, am_mul(step < rows ? step : rows, width * element));
  if (!chunk) return am_no_memory(err);
  uint32_t crc = 0;
  for (size_t at = 0; at < rows && !status; at += step) {
    size_t n = rows - at < step ? rows - at : step;
    status = info.rank ? am_h5_read_rows(file, name, info.type, at, n, chunk, err)
                       : am_h5_read(file, name, info.type, chunk, 1, err);
    if (!status) crc = am_crc32c(crc, chunk, n * width * element);
  }
  if (!status && crc != info.crc)
    status = am_fail(err, AM_E_FORMAT, "%s: %s is damaged (crc32c %08x, wanted %08x)", am_h5_path(file), name,
                     (unsigned)crc, (unsigned)info.crc);
  am_free_aligned(ctx, chunk);
  return status;
}

am_status am_checkpoint_verify(am_context *ctx, const char *path, am_error *err) {
  am_h5 *file;
  am_status status = am_h5_open(ctx, path, AM_H5_READ, &file, err);
  if (status) return status;
  am_names names = {0};
  status = am_h5_arrays(file, "", &names, err);
  for (size_t i = 0; i < names.n && !status; i++) status = verify_array(ctx, file, names.at[i], err);
  am_names_free(ctx, &names);
  am_h5_close(file);
  return status;
}

/* ---- saving ---- */

/* `like`: the file that it will take the place of. */
static am_status write_new(am_context *ctx, const char *path, const char *like, const am_save *save, am_error *err) {
  am_h5 *file;
  am_status status = am_h5_create_aside(ctx, path, &file, err);
  if (status) return status;
  status = am_h5_like(file, like, err);
  if (!status) status = write_all(ctx, file, save, err);
  if (status) {
    am_h5_close(file);
    return status;
  }
  status = am_h5_commit(file, err);
  return status ? status : am_checkpoint_verify(ctx, path, err);
}

am_status am_checkpoint_save(am_context *ctx, const char *path, const char *keep, const am_save *save, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  char *fresh = am_format(ctx, "%s.new", path);
  if (!fresh) return am_no_memory(err);
  bool kept = false;
  am_status status = write_new(ctx, fresh, path, save, err);
  if (!status && keep && am_file_exists(path)) {
    kept = sys->rename(path, keep) == 0;
    if (!kept) status = am_fail_errno(err, errno, "cannot rename %s to %s", path, keep);
  }
  if (!status) {
    status = am_file_commit(ctx, fresh, path, err);
    if (status && kept && !am_file_exists(path)) sys->rename(keep, path); /* as it was */
  } else {
    sys->unlink(fresh);
  }
  am_free(ctx, fresh);
  return status;
}

am_status am_checkpoint_save_given(am_context *ctx, const char *path, const am_save *save, am_error *err) {
  if (am_file_is_special(path))
    return am_fail(err, AM_E_IO,
                   "%s is a device or a pipe; a checkpoint is written under another name first, and needs a file",
                   path);
  char *target = am_file_target(ctx, path);
  am_status status = target ? am_checkpoint_save(ctx, target, NULL, save, err) : am_no_memory(err);
  am_free(ctx, target);
  return status;
}
