/* SPDX-License-Identifier: MIT */
/* train/targets.c - see targets.h. */
#include "train/targets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/names.h"
#include "run/predictions.h"

enum { MOST_BYTES = 1 << 30 };

am_status am_targets_digest(am_context *ctx, const char *path, char out[AM_TARGETS_DIGEST], am_error *err) {
  char *data;
  size_t bytes;
  am_status status = am_file_read(ctx, path, MOST_BYTES, &data, &bytes, err);
  if (status) return status;
  snprintf(out, AM_TARGETS_DIGEST, "%016llx", (unsigned long long)am_hash64(0, data, bytes));
  am_free(ctx, data);
  return AM_OK;
}

/* Rows of one name, one after the other. */
typedef struct rows {
  am_name_set names;
  size_t *next;  /* (rows) the row after it with the same name; n: none */
  size_t *first; /* (names) the first row that no clip has taken */
} rows;

static am_status list_rows(const am_predictions *p, rows *r, am_error *err) {
  r->next = am_alloc(p->ctx, p->n + 1, sizeof *r->next);
  r->first = am_alloc(p->ctx, p->n + 1, sizeof *r->first);
  if (!r->next || !r->first) return am_no_memory(err);
  for (size_t i = p->n; i-- > 0;) {
    const size_t before = r->names.n;
    const int at = am_name_set_add(&r->names, p->at[i].clip);
    if (at < 0) return am_no_memory(err);
    r->next[i] = r->names.n > before ? p->n : r->first[at];
    r->first[at] = i;
  }
  return AM_OK;
}

static void mix(const am_train_options *o, const am_clip *clip, const float *p, int classes, float *soft) {
  double all = 0;
  for (int k = 0; k < classes; k++) all += pow((double)p[k], 1 / o->targets_temperature);
  for (int k = 0; k < classes; k++) {
    const double label = clip->soft ? (double)clip->soft[k] : k == clip->label;
    soft[k] = (float)(o->targets_share * pow((double)p[k], 1 / o->targets_temperature) / all +
                      (1 - o->targets_share) * label);
  }
}

/* What is not known of a clip the file tells alone. */
static am_status give_values(const am_config *c, am_dataset *d, am_clip *clip, const float *said, am_error *err) {
  const double share = c->train.targets_share;
  float *values = am_tree_take(d->strings, (size_t)d->n_dimensions, sizeof *values);
  if (!values) return am_no_memory(err);
  for (int k = 0; k < d->n_dimensions; k++) {
    const bool known = clip->values && !isnan(clip->values[k]);
    values[k] = known ? (float)(share * (double)said[k] + (1 - share) * (double)clip->values[k]) : said[k];
  }
  clip->values = values;
  return AM_OK;
}

static am_status give(const am_config *c, am_dataset *d, am_clip *clip, const am_predictions *p, size_t row,
                      am_error *err) {
  const float *said = p->probabilities + row * (size_t)p->classes;
  double sum = 0;
  if (p->values) return give_values(c, d, clip, said, err);
  for (int k = 0; k < p->classes; k++) sum += (double)said[k];
  if (p->at[row].truth != clip->label)
    return am_csv_fail(p->table, row, err, "clip %s is %s here, and %s in the corpus", clip->name,
                       p->labels[p->at[row].truth], d->labels[clip->label]);
  if (!(fabs(sum - 1) < 0.01))
    return am_csv_fail(p->table, row, err, "the probabilities of clip %s sum to %g, wanted 1", clip->name, sum);
  float *soft = am_tree_take(d->strings, (size_t)d->n_labels, sizeof *soft);
  if (!soft) return am_no_memory(err);
  mix(&c->train, clip, said, d->n_labels, soft);
  clip->soft = soft;
  return AM_OK;
}

/* `wanted` (d->n) clips of the training part; those that get their targets are no longer. */
static am_status give_all(const am_config *c, am_dataset *d, const am_predictions *p, rows *r, bool *wanted,
                          am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < d->n && !status; i++) {
    const int at = am_name_set_find(&r->names, d->clips[i].name);
    const size_t row = at < 0 ? p->n : r->first[at];
    if (row == p->n) continue;
    r->first[at] = r->next[row];
    if (wanted[i]) status = give(c, d, &d->clips[i], p, row, err);
    wanted[i] = false;
  }
  return status;
}

static am_status check_file(const am_config *c, am_error *err) {
  const char *path = c->train.targets, *wanted = c->train.targets_digest;
  char digest[AM_TARGETS_DIGEST];
  am_status status = am_targets_digest(c->ctx, path, digest, err);
  if (status || !strcmp(digest, wanted)) return status;
  return am_fail(err, AM_E_CONFIG,
                 "train.targets: %s has the digest %s, and train.targets_digest is \"%s\"; a run keeps the one that it "
                 "began with",
                 path, digest, wanted);
}

am_status am_targets_load(const am_config *c, am_dataset *d, const uint32_t *clips, size_t n, am_error *err) {
  am_context *ctx = c->ctx;
  am_predictions p = {0};
  rows r = {.names = {.ctx = ctx}};
  if (!*c->train.targets) return AM_OK;
  bool *wanted = am_alloc(ctx, d->n + 1, sizeof *wanted);
  am_status status = wanted ? check_file(c, err) : am_no_memory(err);
  if (!status && d->target == AM_TARGET_DIMENSIONS) status = am_predictions_read_any(ctx, c->train.targets, &p, err);
  else if (!status) status = am_predictions_read(ctx, c->train.targets, &p, err);
  if (!status && d->target == AM_TARGET_DIMENSIONS && !p.values)
    status = am_fail(err, AM_E_FORMAT, "%s: predictions of emotions; wanted values of dimensions", c->train.targets);
  if (!status) status = am_predictions_order(&p, am_dataset_output_names(d), am_dataset_outputs(d), "the corpus", err);
  if (!status) status = list_rows(&p, &r, err);
  for (size_t i = 0; i < n && !status; i++) wanted[clips[i]] = true;
  if (!status) status = give_all(c, d, &p, &r, wanted, err);
  for (size_t i = 0; i < n && !status; i++)
    if (wanted[clips[i]])
      status = am_fail(err, AM_E_DATA, "train.targets: %s says nothing of clip %s of the training part",
                       c->train.targets, d->clips[clips[i]].name);
  am_name_set_free(&r.names);
  am_free(ctx, r.next);
  am_free(ctx, r.first);
  am_predictions_free(&p);
  am_free(ctx, wanted);
  return status;
}
