/* SPDX-License-Identifier: MIT */
/* study/distil.c - see distil.h. */
#include "study/distil.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/names.h"
#include "model/origin.h"
#include "run/folder.h"
#include "run/predictions.h"
#include "study/held_out.h"
#include "train/targets.h"

typedef struct job {
  am_context *ctx;
  am_config *config;
  am_dataset *d;
  am_split *split;
  am_names trained; /* speakers of the training part */
  bool values;      /* they tell dimensions */
  double *sum;      /* (d->n,K) of what the teachers say */
  size_t *said;     /* (d->n) how many of them */
} job;

static am_status begin(job *j, am_error *err) {
  am_status status = am_dataset_load(j->ctx, &j->config->data, &j->d, err);
  if (!status) status = am_split_make(j->ctx, j->d, &j->config->split, &j->split, err);
  if (!status)
    status = am_speakers_add(j->ctx, &j->trained, j->d, j->split->at[AM_PART_TRAIN], j->split->n[AM_PART_TRAIN], err);
  if (status) return status;
  j->values = j->d->target == AM_TARGET_DIMENSIONS;
  j->sum = am_alloc(j->ctx, am_mul(j->d->n + 1, (size_t)am_dataset_outputs(j->d)), sizeof *j->sum);
  j->said = am_alloc(j->ctx, j->d->n + 1, sizeof *j->said);
  return j->sum && j->said ? AM_OK : am_no_memory(err);
}

/* A value of a teacher whose scale is another, as far as its folder says. */
static double on_scale(const job *j, const am_held_out *h, int k, double value) {
  const am_metrics *m = h->results.n_parts ? h->results.parts[0].metrics : NULL;
  for (int i = 0; j->values && m && i < m->dimensions; i++)
    if (!strcmp(m->dimension[i].name, j->d->dimensions[k]) && am_scale_good(m->dimension[i].scale))
      return am_scale_move(value, m->dimension[i].scale, j->d->scale[k]);
  return value;
}

/* Clips of one name follow each other in the corpus's order, as in a teacher. */
static am_status add_rows(job *j, const am_held_out *h, am_error *err) {
  const size_t K = (size_t)am_dataset_outputs(j->d);
  am_name_set names = {.ctx = j->ctx};
  size_t *next = am_alloc(j->ctx, h->n + 1, sizeof *next);
  am_status status = next ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < h->n && !status; i++) {
    const int at = h->at[i].copy ? 0 : am_name_set_add(&names, h->at[i].clip);
    if (at < 0) status = am_no_memory(err);
    else if (!h->at[i].copy) next[at] = i;
  }
  for (size_t i = 0; i < j->d->n && !status; i++) {
    const am_clip *clip = &j->d->clips[i];
    const int at = am_name_set_find(&names, clip->name);
    const size_t row = at < 0 ? h->n : next[at];
    if (row == h->n || strcmp(h->at[row].clip, clip->name) != 0) continue;
    next[at]++;
    if (!j->values && h->at[row].truth != clip->label)
      status = am_fail(err, AM_E_DATA, "%s: clip %s is %s there, and %s in the corpus", h->folder, clip->name,
                       j->d->labels[h->at[row].truth], j->d->labels[clip->label]);
    for (size_t k = 0; k < K; k++) j->sum[i * K + k] += on_scale(j, h, (int)k, h->mean[row * K + k]);
    j->said[i]++;
  }
  am_name_set_free(&names);
  am_free(j->ctx, next);
  return status;
}

static am_status add_teacher(job *j, const char *folder, am_error *err) {
  am_held_out h;
  am_status status = am_held_out_read(j->ctx, folder, true, j->values, am_dataset_output_names(j->d),
                                      am_dataset_outputs(j->d), &h, err);
  if (status) return status;
  if (!h.d)
    status =
        am_fail(err, AM_E_DATA, "%s: its corpus is not there, so nobody knows whose voices its models know", folder);
  if (!status) status = am_held_out_check_known(&h, &j->trained, "the student's training part", err);
  if (!status) status = add_rows(j, &h, err);
  am_held_out_free(&h);
  return status;
}

/* Of the clips that every teacher says something of. */
static am_status write_table(const job *j, size_t teachers, const char *path, am_error *err) {
  const size_t K = (size_t)am_dataset_outputs(j->d);
  size_t n = 0;
  uint32_t *clips = am_alloc(j->ctx, j->d->n + 1, sizeof *clips);
  float *p = am_alloc(j->ctx, am_mul(j->d->n + 1, K), sizeof *p);
  float *truth = j->values ? am_alloc(j->ctx, am_mul(j->d->n + 1, K), sizeof *truth) : NULL;
  am_status status = clips && p && (truth || !j->values) ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < j->d->n && !status; i++) {
    const float *known = j->d->clips[i].values;
    if (j->said[i] != teachers) continue;
    for (size_t k = 0; k < K && truth; k++) truth[n * K + k] = known ? known[k] : NAN;
    for (size_t k = 0; k < K; k++) p[n * K + k] = (float)(j->sum[i * K + k] / (double)teachers);
    clips[n++] = (uint32_t)i;
  }
  if (!status)
    status = am_predictions_write(j->ctx, AM_OURS, path,
                                  &(am_predicted_rows){.d = j->d,
                                                       .clips = clips,
                                                       .n = n,
                                                       .names = (char *const *)am_dataset_output_names(j->d),
                                                       .classes = (int)K,
                                                       .told = p,
                                                       .truth = truth},
                                  err);
  am_free(j->ctx, truth);
  am_free(j->ctx, clips);
  am_free(j->ctx, p);
  return status;
}

static am_status with_targets(const job *j, const char *path, am_config **out, am_error *err) {
  char digest[AM_TARGETS_DIGEST];
  am_buffer text = {0};
  am_status status = am_targets_digest(j->ctx, path, digest, err);
  char *file = am_format(j->ctx, "train.targets=%s", path),
       *key = am_format(j->ctx, "train.targets_digest=\"%s\"", status ? "" : digest);
  if (!status && (!file || !key)) status = am_no_memory(err);
  const char *const overrides[] = {file, key};
  if (!status) status = am_config_text(j->config, &text, err);
  if (!status) status = am_config_from_stored(j->ctx, text.data, j->config->file, overrides, 2, out, err);
  am_buffer_free(j->ctx, &text);
  am_free(j->ctx, file);
  am_free(j->ctx, key);
  return status;
}

static am_status train(const job *j, size_t teachers, const char *out, am_run_result *result, am_error *err) {
  am_run_options options = {.size = sizeof options, .out = out};
  am_config *config = NULL;
  char *path = am_run_file_path(j->ctx, out, AM_FILE_TARGETS);
  am_status status = path ? am_folder_create(j->ctx, out, err) : am_no_memory(err);
  if (!status) status = write_table(j, teachers, path, err);
  if (!status) status = with_targets(j, path, &config, err);
  if (!status) status = am_train_run(config, &options, result, err);
  am_config_free(config);
  am_free(j->ctx, path);
  return status;
}

am_status am_distil(am_config *config, const char *const *teachers, size_t n, const char *out, am_run_result *result,
                    am_error *err) {
  job j = {.ctx = config->ctx, .config = config};
  const char *run = am_run_folder_holds(config->ctx, out), *crossval = am_crossval_folder_holds(config->ctx, out);
  if (run || crossval)
    return am_fail(err, AM_E_USAGE, "%s holds a %s already (%s); choose another folder", out,
                   run ? "run" : "cross-validation", run ? run : crossval);
  if (*config->train.targets)
    return am_fail(err, AM_E_CONFIG, "train.targets is %s; leave it out, as the teachers give the targets",
                   config->train.targets);
  am_status status = begin(&j, err);
  for (size_t i = 0; i < n && !status; i++) status = add_teacher(&j, teachers[i], err);
  if (!status) status = train(&j, n, out, result, err);
  am_names_free(j.ctx, &j.trained);
  am_free(j.ctx, j.sum);
  am_free(j.ctx, j.said);
  am_split_free(j.ctx, j.split);
  am_dataset_free(j.d);
  return status;
}
