/* SPDX-License-Identifier: MIT */
/* study/held_out.c - see held_out.h. */
#include "study/held_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "model/fusion.h"
#include "model/origin.h"
#include "run/folder.h"

/* A row of a table, to be sorted. */
typedef struct row {
  const am_prediction *of;
  const float *p;
  size_t index;
  int copy;
} row;

static int by_clip(const row *a, const row *b) { return strcmp(a->of->clip, b->of->clip); }
static int by_number(size_t a, size_t b) { return (a > b) - (a < b); }

/* Clips of one name in the order of the file, a seed after the other. */
static int by_clip_seed(const void *a, const void *b) {
  const row *x = a, *y = b;
  const int names = by_clip(x, y);
  if (names) return names;
  if (x->of->seed != y->of->seed) return x->of->seed < y->of->seed ? -1 : 1;
  return by_number(x->index, y->index);
}

static int by_clip_copy(const void *a, const void *b) {
  const row *x = a, *y = b;
  const int names = by_clip(x, y);
  if (names) return names;
  return x->copy != y->copy ? x->copy - y->copy : by_number(x->index, y->index);
}

static am_status fail_seeds(const am_held_out *h, const row *r, size_t n, am_error *err) {
  return am_fail(err, AM_E_DATA, "%s: clip %s is predicted with %zu of %zu seeds", h->folder, r->of->clip, n, h->seeds);
}

/* rows (n) by clip and copy. */
static am_status join_seeds(am_held_out *h, const row *rows, size_t n, am_error *err) {
  const size_t K = (size_t)h->classes;
  for (size_t i = 0, m; i < n; i += m) {
    const row *r = &rows[i];
    for (m = 1; i + m < n && !by_clip(r, &r[m]) && r->copy == r[m].copy; m++)
      if (r[m].of->truth != r->of->truth)
        return am_fail(err, AM_E_DATA, "%s: clip %s has two labels", h->folder, r->of->clip);
    if (m != h->seeds) return fail_seeds(h, r, m, err);
    h->at[h->n] = (am_held_clip){.clip = r->of->clip,
                                 .speaker = r->of->speaker,
                                 .fold = r->of->fold,
                                 .copy = r->copy,
                                 .truth = r->of->truth,
                                 .index = -1};
    double *to = h->logs + h->n * K, *mean = h->mean + h->n * K;
    h->n++;
    for (size_t k = 0; k < K; k++) {
      for (size_t s = 0; s < m; s++) {
        if (!h->of->values) to[k] += am_fusion_log((double)r[s].p[k]) / (double)m;
        mean[k] += (double)r[s].p[k] / (double)m;
      }
    }
  }
  return AM_OK;
}

static am_status sort_clips(am_held_out *h, am_error *err) {
  const am_predictions *p = h->of;
  const size_t K = (size_t)h->classes;
  row *rows = am_alloc(h->ctx, p->n + 1, sizeof *rows);
  h->at = am_alloc(h->ctx, p->n + 1, sizeof *h->at);
  h->logs = am_alloc(h->ctx, am_mul(p->n + 1, K), sizeof *h->logs);
  h->mean = am_alloc(h->ctx, am_mul(p->n + 1, K), sizeof *h->mean);
  am_status status = rows && h->at && h->logs && h->mean ? AM_OK : am_no_memory(err);
  if (!status) {
    for (size_t i = 0; i < p->n; i++) rows[i] = (row){.of = &p->at[i], .p = p->probabilities + i * K, .index = i};
    qsort(rows, p->n, sizeof *rows, by_clip_seed);
    for (size_t i = 1; i < p->n; i++)
      if (!by_clip(&rows[i - 1], &rows[i]) && rows[i - 1].of->seed == rows[i].of->seed)
        rows[i].copy = rows[i - 1].copy + 1;
    qsort(rows, p->n, sizeof *rows, by_clip_copy);
    status = join_seeds(h, rows, p->n, err);
  }
  am_free(h->ctx, rows);
  return status;
}

/* Where the corpus has them; without a corpus nobody knows who speaks. */
static am_status find_clips(am_held_out *h, am_error *err) {
  am_name_set names = {.ctx = h->ctx};
  am_error why = AM_ERROR_INIT;
  am_status status = am_dataset_load(h->ctx, &h->results.config->data, &h->d, &why);
  if (status == AM_E_NOMEM || status == AM_E_STOPPED) return am_fail(err, status, "%s", why.message);
  if (status) {
    am_log(h->ctx, AM_LOG_WARNING, "%s: %s; whose voices its clips are is not known", h->folder, why.message);
    return AM_OK;
  }
  int *first = am_alloc(h->ctx, h->d->n + 1, sizeof *first);
  status = first ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < h->d->n && !status; i++) {
    const size_t before = names.n;
    const int at = am_name_set_add(&names, h->d->clips[i].name);
    if (at < 0) status = am_no_memory(err);
    else if (names.n > before) first[at] = (int)i;
  }
  for (size_t i = 0; i < h->n && !status; i++) {
    const int at = am_name_set_find(&names, h->at[i].clip);
    h->at[i].index = at < 0 ? -1 : first[at];
    if (at < 0)
      status = am_fail(err, AM_E_DATA, "%s: clip %s is not in the corpus as it is now (%s)", h->folder, h->at[i].clip,
                       h->d->root ? h->d->root : "");
  }
  am_name_set_free(&names);
  am_free(h->ctx, first);
  return status;
}

static am_status find_part(am_held_out *h, bool crossval, am_error *err) {
  am_results *r = &h->results;
  if (crossval != r->crossval)
    return am_fail(err, AM_E_USAGE, "%s: wanted the folder of a %s", h->folder, crossval ? "cross-validation" : "run");
  if (crossval && (r->n_finished < r->n_folds || !r->n_parts))
    return am_fail(err, AM_E_DATA, "%s: %zu of %zu runs of this cross-validation are finished; go on with it first",
                   h->folder, r->n_finished, r->n_folds);
  for (int i = 0; i < r->n_parts; i++)
    if (crossval || !strcmp(r->parts[i].name, "validation")) h->of = &r->parts[i].predictions;
  if (!h->of)
    return am_fail(err, AM_E_DATA,
                   "%s: this run has no validation part, whose clips the weights would be fitted to; give the weights, "
                   "or cross-validations",
                   h->folder);
  h->seeds = 1;
  for (size_t i = 1; crossval && i < r->n_folds; i++) h->seeds += r->folds[i].seed != r->folds[i - 1].seed;
  return AM_OK;
}

am_status am_held_out_read(am_context *ctx, const char *folder, bool crossval, bool values, const char *const *labels,
                           int classes, am_held_out *out, am_error *err) {
  *out = (am_held_out){.ctx = ctx, .folder = folder, .classes = classes};
  am_status status = am_results_read(ctx, folder, &out->results, err);
  if (status) {
    *out = (am_held_out){0};
    return status;
  }
  status = find_part(out, crossval, err);
  if (!status && (out->of->values != NULL) != values)
    status = am_fail(err, AM_E_DATA, "%s: it tells %s; wanted models of %s", folder,
                     values ? "emotions" : "values of dimensions", values ? "dimensions" : "emotions");
  if (!status && out->of->classes != classes)
    status = am_fail(
        err, AM_E_DATA,
        values ? "%s: it tells %d dimensions, and the model %d" : "%s: it tells %d classes apart, and the model %d",
        folder, out->of->classes, classes);
  if (!status) status = am_predictions_order(out->of, labels, classes, "the model", err);
  if (!status) status = sort_clips(out, err);
  if (!status) status = find_clips(out, err);
  if (status) am_held_out_free(out);
  return status;
}

static am_status fail_lone(const am_held_out *a, const am_held_out *b, const am_held_clip *clip, const am_held_out *in,
                           am_error *err) {
  return am_fail(err, AM_E_DATA,
                 "%s and %s are not of the same held-out clips: %s is only in %s; weights are fitted to clips that "
                 "no member was trained on",
                 a->folder, b->folder, clip->clip, in->folder);
}

am_status am_held_out_same(const am_held_out *a, const am_held_out *b, am_error *err) {
  for (size_t i = 0; i < a->n && i < b->n; i++) {
    const am_held_clip *x = &a->at[i], *y = &b->at[i];
    const int order = strcmp(x->clip, y->clip) ? strcmp(x->clip, y->clip) : x->copy - y->copy;
    if (order) return fail_lone(a, b, order < 0 ? x : y, order < 0 ? a : b, err);
    if (x->truth != y->truth)
      return am_fail(err, AM_E_DATA, "%s and %s do not agree on the label of clip %s", a->folder, b->folder, x->clip);
  }
  if (a->n == b->n) return AM_OK;
  return a->n > b->n ? fail_lone(a, b, &a->at[b->n], a, err) : fail_lone(a, b, &b->at[a->n], b, err);
}

/* The speakers of the clips of a fold; NULL: of all. */
static am_status add_persons(const am_held_out *h, const char *fold, am_names *speakers, am_error *err) {
  size_t n = 0;
  uint32_t *clips = am_alloc(h->ctx, h->n + 1, sizeof *clips);
  if (!clips) return am_no_memory(err);
  for (size_t i = 0; i < h->n; i++)
    if (!fold || !strcmp(fold, h->at[i].fold)) clips[n++] = (uint32_t)h->at[i].index;
  am_status status = am_speakers_add(h->ctx, speakers, h->d, clips, n, err);
  am_free(h->ctx, clips);
  return status;
}

/* `below` "": of the folder itself.  A run whose best.h5 was removed to save room says nothing. */
static am_status check_run(const am_held_out *h, const char *below, const char *fold, am_error *err) {
  am_context *ctx = h->ctx;
  am_names own = {0};
  am_origin origin = {0};
  am_h5 *file = NULL;
  char *folder = *below ? am_path_join(ctx, h->folder, below) : am_strdup(ctx, h->folder);
  char *path = folder ? am_run_file_path(ctx, folder, AM_FILE_BEST) : NULL;
  am_status status = path ? add_persons(h, fold, &own, err) : am_no_memory(err);
  if (!status && am_file_exists(path)) {
    status = am_checkpoint_open(ctx, path, &file, err);
    if (!status) status = am_checkpoint_origin(ctx, file, &origin, err);
    am_h5_close(file);
  }
  /* A run knows the speakers of its own validation part by the epoch they chose. */
  const am_shared before = am_speakers_shared(&own, &origin.before), seen = am_speakers_shared(&own, &origin.seen);
  const bool itself = fold && origin.speaker_independent && seen.n;
  if (!status && (before.n || itself))
    status = am_fail(err, AM_E_DATA, "%s: %s %zu of the %zu speakers that it was asked of, e.g. %s", path,
                     itself ? "it knows" : "it began from a model that knows", itself ? seen.n : before.n, seen.of,
                     itself ? seen.first : before.first);
  am_origin_free(ctx, &origin);
  am_names_free(ctx, &own);
  am_free(ctx, path);
  am_free(ctx, folder);
  return status;
}

am_status am_held_out_check(const am_held_out *h, am_names *speakers, am_error *err) {
  const am_results *r = &h->results;
  if (!h->d) return am_speakers_read(h->ctx, speakers, AM_PERSON_UNKNOWN, err);
  am_status status = add_persons(h, NULL, speakers, err);
  if (!status && !r->crossval) status = check_run(h, "", NULL, err);
  for (size_t i = 0; r->crossval && i < r->n_folds && !status; i++) {
    char fold[32];
    snprintf(fold, sizeof fold, "%lld", (long long)r->folds[i].fold);
    status = check_run(h, r->folds[i].folder, fold, err);
  }
  return status;
}

/* "CORPUS/SPEAKER", or what the file says instead. */
static am_status fail_stranger(const char *path, const char *name, const char *whose, am_error *err) {
  const char *tab = strchr(name, '\t');
  return am_fail(err, AM_E_DATA, "%s: it knows %.*s%s%s, who is not in %s; what it says would tell the student of them",
                 path, (int)strcspn(name, "\t"), name, tab && tab[1] ? "/" : "", tab ? tab + 1 : "", whose);
}

static am_status check_known(const am_held_out *h, const char *below, const am_names *allowed, const char *whose,
                             am_error *err) {
  am_context *ctx = h->ctx;
  am_origin origin = {0};
  am_h5 *file = NULL;
  char *folder = am_path_join(ctx, h->folder, below),
       *path = folder ? am_run_file_path(ctx, folder, AM_FILE_BEST) : NULL;
  am_status status = path ? am_checkpoint_open(ctx, path, &file, err) : am_no_memory(err);
  if (!status) status = am_checkpoint_origin(ctx, file, &origin, err);
  am_h5_close(file);
  const am_names *lists[] = {&origin.seen, &origin.before};
  for (int l = 0; l < 2; l++)
    for (size_t i = 0; i < lists[l]->n && !status; i++) {
      const am_names one = {&lists[l]->at[i], 1};
      if (am_speakers_shared(&one, allowed).n != 1) status = fail_stranger(path, lists[l]->at[i], whose, err);
    }
  am_origin_free(ctx, &origin);
  am_free(ctx, path);
  am_free(ctx, folder);
  return status;
}

am_status am_held_out_check_known(const am_held_out *h, const am_names *allowed, const char *whose, am_error *err) {
  am_names speakers = {0};
  am_status status = am_held_out_check(h, &speakers, err);
  for (size_t i = 0; i < h->results.n_folds && !status; i++)
    status = check_known(h, h->results.folds[i].folder, allowed, whose, err);
  am_names_free(h->ctx, &speakers);
  return status;
}

void am_held_out_free(am_held_out *h) {
  if (!h->ctx) return;
  am_dataset_free(h->d);
  am_free(h->ctx, h->at);
  am_free(h->ctx, h->logs);
  am_free(h->ctx, h->mean);
  am_results_free(&h->results);
  *h = (am_held_out){0};
}
