/* SPDX-License-Identifier: MIT */
/* study/compare_runs.c - finished runs and cross-validations read back, matched clip by clip. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/names.h"
#include "io/json.h"
#include "run/folder.h"
#include "run/metrics.h"
#include "run/results.h"
#include "study/compare.h"

/* ---- the folder ---- */

static am_status path_in(const am_compared *c, const char *name, char **path, am_error *err) {
  *path = am_path_join(c->ctx, c->folder, name);
  if (!*path) return am_no_memory(err);
  if (am_file_exists(*path)) return AM_OK;
  am_status status =
      am_fail(err, AM_E_IO, "%s: not there; wanted the folder of a finished run, or of a cross-validation", *path);
  am_free(c->ctx, *path);
  *path = NULL;
  return status;
}

static am_status read_config(am_compared *c, am_error *err) {
  char *path = am_run_file_path(c->ctx, c->folder, AM_FILE_CROSSVAL);
  if (!path) return am_no_memory(err);
  c->crossval = am_file_exists(path);
  am_free(c->ctx, path);
  am_status status = path_in(c, am_run_file_name(c->crossval ? AM_FILE_CROSSVAL : AM_FILE_CONFIG), &path, err);
  if (!status) status = am_config_load_stored(c->ctx, path, NULL, 0, &c->config, err);
  am_free(c->ctx, path);
  return status;
}

/* ---- predictions ---- */

/* Texts to numbers from 0, in the order of their first appearance; "" is -1. */
static am_status number_of(am_name_set *seen, const char *text, int *out, am_error *err) {
  *out = *text ? am_name_set_add(seen, text) : -1;
  return *text && *out < 0 ? am_no_memory(err) : AM_OK;
}

typedef struct row {
  const char *clip;
  int64_t seed;
  size_t index;
} row;

static int by_clip(const void *a, const void *b) {
  const row *x = a, *y = b;
  int order = strcmp(x->clip, y->clip);
  if (order) return order;
  if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

/* The rows of one clip, seed by seed: its copies are in the same order in each. */
static void judge(am_compared *c, const row *rows, size_t n) {
  am_verdict *first = &c->verdicts[c->n];
  size_t copy = 0, copies = 0, seeds = 1;
  for (size_t i = 0; i < n; i++, copy++) {
    if (i && rows[i].seed != rows[i - 1].seed) copy = 0, seeds++;
    const am_prediction *at = &c->predictions.at[rows[i].index];
    bool right = at->truth == at->predicted;
    if (copy >= copies) {
      first[copy] = (am_verdict){.clip = at->clip,
                                 .speaker = at->speaker,
                                 .truth = c->predictions.labels[at->truth],
                                 .copy = (int)copy,
                                 .first = right};
      copies = copy + 1;
    }
    first[copy].right += right;
  }
  for (size_t i = 0; i < copies; i++) first[i].right /= (double)seeds;
  c->n += copies;
  if (seeds > c->n_seeds) c->n_seeds = seeds;
}

/* The same of dimensions: the mean of the seeds' values of each copy. */
static void judge_values(am_compared *c, const row *rows, size_t n) {
  const size_t K = (size_t)c->predictions.classes, first = c->n;
  size_t copy = 0, copies = 0, seeds = 1;
  for (size_t i = 0; i < n; i++, copy++) {
    if (i && rows[i].seed != rows[i - 1].seed) copy = 0, seeds++;
    const am_prediction *at = &c->predictions.at[rows[i].index];
    const size_t to = first + copy, from = rows[i].index;
    if (copy >= copies) {
      c->verdicts[to] =
          (am_verdict){.clip = at->clip, .speaker = at->speaker, .truth = "", .copy = (int)copy, .row = to};
      memcpy(c->truths + to * K, c->predictions.values + from * K, K * sizeof *c->truths);
      copies = copy + 1;
    }
    for (size_t k = 0; k < K; k++) c->values[to * K + k] += c->predictions.probabilities[from * K + k];
  }
  for (size_t i = first * K; i < (first + copies) * K; i++) c->values[i] /= (float)seeds;
  c->n += copies;
  if (seeds > c->n_seeds) c->n_seeds = seeds;
}

static am_status make_verdicts(am_compared *c, am_error *err) {
  size_t n = c->predictions.n, begin = 0;
  row *rows = am_alloc(c->ctx, n + 1, sizeof *rows);
  c->verdicts = am_alloc(c->ctx, n + 1, sizeof *c->verdicts);
  const bool values = c->predictions.values != NULL;
  const size_t numbers = am_mul(n + 1, (size_t)c->predictions.classes);
  am_status status = rows && c->verdicts ? AM_OK : am_no_memory(err);
  if (values && !(c->values = am_alloc(c->ctx, numbers, sizeof *c->values))) status = am_no_memory(err);
  if (values && !(c->truths = am_alloc(c->ctx, numbers, sizeof *c->truths))) status = am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) rows[i] = (row){c->predictions.at[i].clip, c->predictions.at[i].seed, i};
  if (!status) qsort(rows, n, sizeof *rows, by_clip);
  for (size_t i = 1; i <= n && !status; i++) {
    if (i < n && !strcmp(rows[i].clip, rows[begin].clip)) continue;
    if (values) judge_values(c, rows + begin, i - begin);
    else judge(c, rows + begin, i - begin);
    begin = i;
  }
  am_free(c->ctx, rows);
  return status;
}

static am_status read_predictions(am_compared *c, const char *path, am_error *err) {
  const uint64_t seed = c->config ? c->config->seed : 1; /* of the intervals of one run, which are not compared */
  am_status status = am_predictions_read_any(c->ctx, path, &c->predictions, err);
  if (!status && !c->predictions.n) status = am_fail(err, AM_E_DATA, "%s: no clip to compare", path);
  if (!status) status = am_predictions_metrics(&c->predictions, seed, &c->metrics, err);
  return status ? status : make_verdicts(c, err);
}

static am_status read_table(am_compared *c, am_error *err) {
  char *path;
  am_status status = path_in(c, am_run_file_name(AM_FILE_PREDICTIONS), &path, err);
  if (!status) status = read_predictions(c, path, err);
  am_free(c->ctx, path);
  return status;
}

/* ---- what its files say ---- */

static bool is_true(const am_value *v) {
  bool truth;
  return v && am_value_to_bool(v, &truth) && truth;
}

/* What predictions.csv does not hold of the pooled clips: which of them are chunks of one utterance, and whether the models'
 * thresholds left them an answer. */
static am_status read_pooled(am_compared *c, const am_value *pooled, am_error *err) {
  const am_value *utterances = am_value_get(pooled, "per_utterance"), *corpus = am_value_get(pooled, "corpus");
  am_status status = AM_OK;
  if (!c->crossval || !pooled || pooled->kind != AM_MAP) return AM_OK;
  c->metrics->answered = am_run_answered(pooled);
  c->transductive = is_true(am_value_get(pooled, "transductive"));
  if (utterances && utterances->kind == AM_MAP)
    status = am_results_figures(c->ctx, utterances, &c->metrics->per_utterance, err);
  if (status || !corpus || corpus->kind != AM_SCALAR) return status;
  c->corpus = am_strdup(c->ctx, corpus->text);
  return c->corpus ? AM_OK : am_no_memory(err);
}

/* crossval.json or metrics.json: what the figures are about. */
static am_status read_facts(am_compared *c, am_error *err) {
  char *path;
  am_tree *tree = NULL;
  am_status status = path_in(c, am_run_file_name(c->crossval ? AM_FILE_CROSSVAL_RESULTS : AM_FILE_METRICS), &path, err);
  if (!status) status = am_json_read_file(c->ctx, path, &tree, err);
  if (!status) status = read_table(c, err);
  if (!status) status = read_pooled(c, am_value_get(am_tree_root(tree), "pooled"), err);
  const am_value *root = status ? NULL : am_tree_root(tree);
  const am_value *test = am_value_get(root, "test"), *state = am_value_get(root, "state");
  c->synthetic = is_true(am_value_get(root, "synthetic"));
  c->speaker_independent = is_true(am_value_get(root, "speaker_independent"));
  c->part = c->crossval ? "all folds" : test && test->kind == AM_MAP ? "test" : "validation";
  c->complete = !c->crossval || (state && state->text && !strcmp(state->text, "finished"));
  am_tree_free(tree);
  am_free(c->ctx, path);
  return status;
}

static am_status read_folder(am_compared *c, am_error *err) {
  am_status status = read_config(c, err);
  if (!status) c->name = c->config->name;
  return status ? status : read_facts(c, err);
}

am_status am_compared_read(am_context *ctx, const char *folder, am_compared *out, am_error *err) {
  *out = (am_compared){.ctx = ctx, .folder = folder, .n_seeds = 1};
  am_status status;
  if (am_folder_exists(folder)) {
    status = read_folder(out, err);
  } else if (am_file_exists(folder)) {
    out->name = am_path_base(folder);
    out->part = "table";
    out->complete = true;
    status = read_predictions(out, folder, err);
  } else {
    status = am_fail(err, AM_E_IO,
                     "%s: no such folder or file; wanted the folder of a finished run or of a cross-validation, or "
                     "predictions (FILE.csv)",
                     folder);
  }
  if (status) am_compared_free(out);
  if (status == AM_E_CONFIG) { /* a run's own file is damaged: no mistake in what the user wrote */
    status = AM_E_FORMAT;
    if (err) err->status = status;
  }
  return status;
}

void am_compared_free(am_compared *c) {
  if (!c->ctx) return;
  am_free(c->ctx, c->verdicts);
  am_free(c->ctx, c->values);
  am_free(c->ctx, c->truths);
  am_metrics_free(c->metrics);
  am_free(c->ctx, c->corpus);
  am_predictions_free(&c->predictions);
  am_config_free(c->config);
  *c = (am_compared){0};
}

/* ---- two runs ---- */

typedef struct pairs {
  int *labels, *speakers;
  double *a, *b;
  float *truth, *of_a, *of_b; /* (n,K) of dimensions, K those that both tell */
  const am_compared *from_a, *from_b;
  const int *in_a, *in_b; /* (K) which of each these are */
  size_t K;
  am_name_set seen; /* speakers */
  size_t n;
  bool failed; /* out of memory */
} pairs;

/* Whether both say the same of what is true, where both know it. */
static bool pair_values(pairs *p, const am_verdict *a, const am_verdict *b) {
  const size_t wide_a = (size_t)p->from_a->predictions.classes, wide_b = (size_t)p->from_b->predictions.classes;
  for (size_t k = 0; k < p->K; k++) {
    const size_t at = a->row * wide_a + (size_t)p->in_a[k], bt = b->row * wide_b + (size_t)p->in_b[k],
                 to = p->n * p->K + k;
    const float t = p->from_a->truths[at], u = p->from_b->truths[bt];
    if (t == t && u == u && t != u) return false;
    p->truth[to] = u == u ? t : u; /* what one does not know is not compared */
    p->of_a[to] = p->from_a->values[at];
    p->of_b[to] = p->from_b->values[bt];
  }
  return true;
}

static void pair(pairs *p, const am_compared *labels, const am_verdict *a, const am_verdict *b, am_comparison *out) {
  if (p->K ? !pair_values(p, a, b) : strcmp(a->truth, b->truth)) {
    out->relabelled++;
    return;
  }
  if (p->K) {
    if (number_of(&p->seen, a->speaker, &p->speakers[p->n++], NULL)) p->failed = true;
    return;
  }
  p->labels[p->n] = am_predictions_class(&labels->predictions, a->truth);
  if (number_of(&p->seen, a->speaker, &p->speakers[p->n], NULL)) p->failed = true;
  p->a[p->n] = a->right;
  p->b[p->n] = b->right;
  out->mcnemar.only_a += a->first && !b->first;
  out->mcnemar.only_b += b->first && !a->first;
  p->n++;
}

/* Both lists are sorted by clip and copy. */
static void match(pairs *p, const am_compared *a, const am_compared *b, am_comparison *out) {
  size_t i = 0, k = 0;
  while (i < a->n || k < b->n) {
    const am_verdict *x = &a->verdicts[i], *y = &b->verdicts[k];
    int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(x->clip, y->clip);
    if (!order) order = (x->copy > y->copy) - (x->copy < y->copy);
    if (!order) pair(p, a, x, y, out);
    out->only_a += order < 0;
    out->only_b += order > 0;
    i += order <= 0;
    k += order >= 0;
  }
  out->common = p->n;
}

static am_status compare_values(const am_compared *a, const am_compared *b, uint64_t seed, am_comparison *out,
                                am_error *err) {
  am_context *ctx = a->ctx;
  int in_b[AM_MOST_DIMENSIONS];
  size_t K = 0;
  for (int k = 0; k < a->predictions.classes && K < AM_MOST_DIMENSIONS; k++) {
    in_b[K] = am_predictions_class(&b->predictions, a->predictions.labels[k]);
    if (in_b[K] >= 0) out->of[K++] = k;
  }
  if (!K)
    return am_fail(err, AM_E_DATA, "%s and %s: they have no dimension in common (%s, ... and %s, ...)", a->folder,
                   b->folder, a->predictions.labels[0], b->predictions.labels[0]);
  const size_t numbers = am_mul(a->n, K);
  pairs p = {.speakers = am_alloc(ctx, a->n, sizeof *p.speakers),
             .truth = am_alloc(ctx, numbers, sizeof *p.truth),
             .of_a = am_alloc(ctx, numbers, sizeof *p.of_a),
             .of_b = am_alloc(ctx, numbers, sizeof *p.of_b),
             .from_a = a,
             .from_b = b,
             .in_a = out->of,
             .in_b = in_b,
             .K = K,
             .seen = {.ctx = ctx}};
  am_status status = p.speakers && p.truth && p.of_a && p.of_b ? AM_OK : am_no_memory(err);
  if (!status) match(&p, a, b, out);
  if (!status && p.failed) status = am_no_memory(err);
  if (!status)
    status = am_paired_concordance(ctx, p.truth, p.of_a, p.of_b, p.speakers, p.n, (int)K, seed, &out->values, err);
  am_name_set_free(&p.seen);
  am_free(ctx, p.of_b);
  am_free(ctx, p.of_a);
  am_free(ctx, p.truth);
  am_free(ctx, p.speakers);
  return status;
}

am_status am_compare(const am_compared *a, const am_compared *b, uint64_t seed, am_comparison *out, am_error *err) {
  am_context *ctx = a->ctx;
  *out = (am_comparison){0};
  if ((a->values != NULL) != (b->values != NULL))
    return am_fail(err, AM_E_DATA, "%s tells %s, and %s %s; they cannot be compared", a->folder,
                   a->values ? "dimensions" : "emotions", b->folder, b->values ? "dimensions" : "emotions");
  if (a->values) return compare_values(a, b, seed, out, err);
  pairs p = {.labels = am_alloc(ctx, a->n, sizeof *p.labels),
             .speakers = am_alloc(ctx, a->n, sizeof *p.speakers),
             .a = am_alloc(ctx, a->n, sizeof *p.a),
             .b = am_alloc(ctx, a->n, sizeof *p.b),
             .seen = {.ctx = ctx}};
  am_status status = p.labels && p.speakers && p.a && p.b ? AM_OK : am_no_memory(err);
  if (!status) {
    match(&p, a, b, out);
    if (p.failed) status = am_no_memory(err);
  }
  if (!status) {
    out->mcnemar = am_mcnemar_test(out->mcnemar.only_a, out->mcnemar.only_b);
    status =
        am_paired_bootstrap(ctx, p.labels, p.speakers, p.a, p.b, p.n, a->predictions.classes, seed, &out->paired, err);
  }
  am_name_set_free(&p.seen);
  am_free(ctx, p.b);
  am_free(ctx, p.a);
  am_free(ctx, p.speakers);
  am_free(ctx, p.labels);
  return status;
}
