/* SPDX-License-Identifier: MIT */
/* run/results.c - reading the folder of a run or of a cross-validation back. */
#include "run/results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/json.h"

enum { CONFIG_BYTES = 16 << 20 };

static const am_value *find(const am_tree *tree, const char *path) {
  return tree ? am_value_find(am_tree_root((am_tree *)tree), path) : NULL;
}

const char *am_results_text(const am_tree *tree, const char *path) {
  const am_value *v = find(tree, path);
  return v && v->kind == AM_SCALAR ? v->text : NULL;
}

double am_results_number(const am_tree *tree, const char *path) {
  const am_value *v = find(tree, path);
  double number;
  return v && am_value_to_real(v, &number) ? number : NAN;
}

bool am_results_true(const am_tree *tree, const char *path) {
  const am_value *v = find(tree, path);
  bool truth;
  return v && am_value_to_bool(v, &truth) && truth;
}

/* ---- files ---- */

static am_status path_of(const am_results *r, const char *name, char **path, am_error *err) {
  *path = am_path_join(r->ctx, r->folder, name);
  if (!*path) return am_no_memory(err);
  if (am_file_exists(*path)) return AM_OK;
  am_fail(err, AM_E_IO,
          "%s: not there; wanted the folder of a %s (an interrupted one goes on with audiomood %s --resume "
          "%s)",
          *path, r->crossval ? "cross-validation" : "run that has finished", r->crossval ? "crossval" : "train",
          r->folder);
  am_free(r->ctx, *path);
  *path = NULL;
  return AM_E_IO;
}

static am_status read_json(am_results *r, const char *name, am_tree **tree, am_error *err) {
  char *path;
  am_status st = path_of(r, name, &path, err);
  if (st) return st;
  st = am_json_read_file(r->ctx, path, tree, err);
  if (!st && (!am_tree_root(*tree) || am_tree_root(*tree)->kind != AM_MAP))
    st = am_fail(err, AM_E_FORMAT, "%s: wanted a JSON object", path);
  am_free(r->ctx, path);
  return st;
}

static am_status read_config(am_results *r, const char *name, am_error *err) {
  char *path;
  size_t bytes;
  am_status st = path_of(r, name, &path, err);
  if (!st) st = am_file_read(r->ctx, path, CONFIG_BYTES, &r->config_text, &bytes, err);
  if (!st) st = am_config_load_stored(r->ctx, path, NULL, 0, &r->config, err);
  am_free(r->ctx, path);
  return st;
}

/* Puts the file's epochs after those there are. */
static am_status read_history(am_results *r, const char *name, am_error *err) {
  char *path;
  am_status st = path_of(r, name, &path, err);
  if (!st) st = am_history_read(r->ctx, path, &r->history, err);
  am_free(r->ctx, path);
  return st;
}

/* ---- metrics.json ---- */

/* A number, or null where a figure is not defined. */
static am_status need(const am_value *map, const char *key, double *out, am_error *err) {
  const am_value *v = am_value_find(map, key);
  *out = NAN;
  if (!v) return am_fail_at(err, map, "'%s' has no '%s'", map->key ? map->key : "metrics", key);
  if (v->kind == AM_NULL || am_value_to_real(v, out)) return AM_OK;
  return am_fail_at(err, v, "'%s' of '%s' is not a number", key, map->key ? map->key : "metrics");
}

static am_status need_count(const am_value *v, uint64_t *out, am_error *err) {
  int64_t number;
  if (!v || !am_value_to_int(v, &number) || number < 0)
    return am_fail_at(err, v, "'%s' where a count of clips was wanted", v && v->text ? v->text : "");
  *out = (uint64_t)number;
  return AM_OK;
}

static am_status read_interval(const am_value *part, am_metrics *m, am_error *err) {
  const am_value *kind = am_value_find(part, "interval.kind");
  snprintf(m->interval_text, sizeof m->interval_text, "%s", kind && kind->text ? kind->text : "");
  m->interval = m->interval_text;
  am_status st = need(part, "interval.accuracy.0", &m->low, err);
  if (!st) st = need(part, "interval.accuracy.1", &m->high, err);
  if (!st) st = need(part, "interval.uar.0", &m->uar_low, err);
  if (!st) st = need(part, "interval.uar.1", &m->uar_high, err);
  return st;
}

static am_status read_classes(const am_value *part, am_metrics *m, am_error *err) {
  const am_value *per_class = am_value_get(part, "per_class");
  for (int k = 0; k < m->classes; k++) {
    const am_value *row = am_value_get(per_class, m->labels[k]);
    if (!row) return am_fail_at(err, part, "'per_class' of '%s' has no '%s'", part->key, m->labels[k]);
    am_status st = need(row, "precision", &m->precision[k], err);
    if (!st) st = need(row, "recall", &m->recall[k], err);
    if (!st) st = need(row, "f1", &m->f1[k], err);
    if (!st) st = need_count(am_value_get(row, "support"), &m->support[k], err);
    if (st) return st;
    m->scored += m->support[k] > 0; /* counted: results of before do not say it */
  }
  return AM_OK;
}

static am_status read_confusion(const am_value *part, am_metrics *m, am_error *err) {
  const am_value *rows = am_value_get(part, "confusion");
  uint64_t sum = 0, *to = m->confusion;
  bool square = rows && rows->kind == AM_LIST && rows->count == (size_t)m->classes;
  for (const am_value *row = square ? rows->first : NULL; row && square; row = row->next) {
    square = row->kind == AM_LIST && row->count == (size_t)m->classes;
    for (const am_value *cell = row->first; cell && square; cell = cell->next, to++) {
      am_status st = need_count(cell, to, err);
      if (st) return st;
      sum += *to;
    }
  }
  if (!square)
    return am_fail_at(err, part, "'confusion' of '%s': wanted %d rows of %d counts", part->key, m->classes, m->classes);
  if (sum != m->n)
    return am_fail_at(err, part, "'confusion' of '%s' counts %llu clips, but its 'n' is %zu", part->key,
                      (unsigned long long)sum, m->n);
  return AM_OK;
}

static am_status make_metrics(am_context *ctx, const am_value *part, am_metrics **out, am_error *err) {
  const am_value *labels = am_value_get(part, "labels");
  const char *names[AM_MAX_CLASSES];
  int n = 0;
  if (!labels || labels->kind != AM_LIST || !labels->count || labels->count > AM_MAX_CLASSES)
    return am_fail_at(err, part, "'%s' has no list of 'labels'", part->key);
  for (const am_value *label = labels->first; label; label = label->next) {
    if (label->kind != AM_SCALAR) return am_fail_at(err, label, "'labels' of '%s': wanted names", part->key);
    names[n++] = label->text;
  }
  return am_metrics_create(ctx, names, n, out, err);
}

static am_status read_figures(const am_value *part, am_metrics *m, am_error *err) {
  uint64_t n = 0;
  if (!am_value_get(part, "n")) return am_fail_at(err, part, "'%s' has no 'n'", part->key);
  am_status st = need_count(am_value_get(part, "n"), &n, err);
  if (!st) st = need(part, "accuracy", &m->accuracy, err);
  if (!st) st = need(part, "uar", &m->uar, err);
  if (!st) st = need(part, "macro_f1", &m->macro_f1, err);
  if (!st) st = need(part, "loss", &m->loss, err);
  m->n = (size_t)n;
  return st;
}

/* Of the surest answers; NaN where the file is older than they are. */
static void read_coverage(const am_value *part, am_metrics *m) {
  static const double precisions[AM_COVERAGES] = {0.8, 0.9};
  if (need(part, "aurc", &m->aurc, NULL)) m->aurc = NAN;
  for (int i = 0; i < AM_COVERAGES; i++) {
    am_coverage *c = &m->coverage[i];
    char share[32], threshold[32];
    snprintf(share, sizeof share, "coverage_%.0f", 100 * precisions[i]);
    snprintf(threshold, sizeof threshold, "threshold_%.0f", 100 * precisions[i]);
    c->precision = precisions[i];
    if (need(part, share, &c->share, NULL)) c->share = NAN;
    if (need(part, threshold, &c->threshold, NULL)) c->threshold = NAN;
  }
}

/* ---- of dimensions ---- */

static am_status read_agreement(const am_value *map, am_agreement *out, am_error *err) {
  uint64_t n = 0;
  am_status st = need_count(am_value_get(map, "n"), &n, err);
  if (!st) st = need(map, "ccc", &out->ccc, err);
  if (!st) st = need(map, "pearson", &out->pearson, err);
  if (!st) st = need(map, "rmse", &out->rmse, err);
  if (!st) st = need(map, "mae", &out->mae, err);
  out->n = (size_t)n;
  return st;
}

static am_status read_dimension(const am_value *map, am_dimension *d, am_error *err) {
  static const char *const names[4] = {"interval.ccc.%d", "interval.pearson.%d", "interval.rmse.%d", "interval.mae.%d"};
  am_status st = read_agreement(map, &d->is, err);
  for (int end = 0; end < 2 && !st; end++) {
    am_agreement *to = end ? &d->high : &d->low;
    double *const at[4] = {&to->ccc, &to->pearson, &to->rmse, &to->mae};
    for (int i = 0; i < 4 && !st; i++) {
      char path[32];
      snprintf(path, sizeof path, names[i], end);
      st = need(map, path, at[i], err);
    }
  }
  if (!st) st = need(map, "true_mean", &d->true_mean, err);
  if (!st) st = need(map, "true_deviation", &d->true_deviation, err);
  if (!st) st = need(map, "predicted_mean", &d->mean, err);
  return st ? st : need(map, "predicted_deviation", &d->deviation, err);
}

static am_status create_values(am_context *ctx, const am_value *list, am_metrics **out, am_error *err) {
  const char *names[AM_MAX_CLASSES];
  int n = 0;
  if (list->kind != AM_MAP || !list->count || list->count > AM_MAX_CLASSES)
    return am_fail_at(err, list, "wanted the figures of dimensions, by their names");
  for (const am_value *v = list->first; v; v = v->next) names[n++] = v->key;
  return am_metrics_create_dimensions(ctx, names, n, out, err);
}

/* One of all dimensions, or one of each; not known where they are not said. */
static void read_scales(const am_value *part, am_metrics *m) {
  const am_value *one = am_value_get(part, "scale"), *each = am_value_get(part, "scales");
  for (int k = 0; k < m->dimensions; k++)
    if (!am_scale_read(one ? one : am_value_get(each, m->dimension[k].name), &m->dimension[k].scale))
      m->dimension[k].scale = (am_scale){0};
}

static am_status read_values(am_context *ctx, const am_value *part, am_metrics **out, am_error *err) {
  const am_value *list = am_value_get(part, "dimensions"), *kind = am_value_find(part, "interval.kind");
  uint64_t n = 0;
  am_status st = create_values(ctx, list, out, err);
  am_metrics *m = *out;
  if (!st) st = need_count(am_value_get(part, "n"), &n, err);
  if (!st) st = need(part, "ccc", &m->ccc, err);
  if (!st) st = need(part, "interval.ccc.0", &m->ccc_low, err);
  if (!st) st = need(part, "interval.ccc.1", &m->ccc_high, err);
  const am_value *v = list->first;
  for (int k = 0; !st && k < m->dimensions; k++, v = v->next) st = read_dimension(v, &m->dimension[k], err);
  if (!st) read_scales(part, m);
  if (!st) {
    m->n = (size_t)n;
    snprintf(m->interval_text, sizeof m->interval_text, "%s", kind && kind->text ? kind->text : "");
  }
  if (st) am_metrics_free(m), *out = NULL;
  return st;
}

am_status am_results_figures(am_context *ctx, const am_value *part, am_metrics **out, am_error *err) {
  *out = NULL;
  if (am_value_get(part, "dimensions")) return read_values(ctx, part, out, err);
  am_status st = make_metrics(ctx, part, out, err);
  am_metrics *m = *out;
  if (!st) st = read_figures(part, m, err);
  if (!st) st = need(part, "ece", &m->ece, err);
  if (!st) st = read_interval(part, m, err);
  if (!st) st = read_classes(part, m, err);
  if (!st) st = read_confusion(part, m, err);
  if (!st) read_coverage(part, m);
  if (st) am_metrics_free(m), *out = NULL;
  return st;
}

static am_status read_part(am_results *r, const am_value *part, am_part_results *p, am_error *err) {
  const am_value *utterances = am_value_get(part, "per_utterance");
  p->name = part->key;
  p->value = part;
  am_status st = am_results_figures(r->ctx, part, &p->metrics, err);
  if (!st && utterances && utterances->kind == AM_MAP && p->metrics->dimensions)
    st = am_results_figures(r->ctx, utterances, &p->metrics->per_utterance, err);
  else if (!st && utterances && utterances->kind == AM_MAP) st = read_figures(utterances, &p->utterances, err);
  return st;
}

/* ---- predictions.csv ---- */

static am_status order(am_part_results *p, const char *whose, am_error *err) {
  const am_metrics *m = p->metrics;
  const char *names[AM_MAX_CLASSES];
  for (int k = 0; k < m->dimensions; k++) names[k] = m->dimension[k].name;
  return m->dimensions ? am_predictions_order(&p->predictions, names, m->dimensions, whose, err)
                       : am_predictions_order(&p->predictions, (const char *const *)m->labels, m->classes, whose, err);
}

static am_status read_predictions(am_results *r, am_part_results *p, const char *name, am_error *err) {
  char *path, whose[64];
  am_status st = path_of(r, name, &path, err);
  if (!st) st = am_predictions_read_any(r->ctx, path, &p->predictions, err);
  if (!st && p->predictions.n != p->metrics->n)
    st = am_fail(err, AM_E_FORMAT,
                 "%s: %zu rows, but %s counts %zu clips in the %s part; one of the two is not of this run", path,
                 p->predictions.n, am_run_file_name(r->crossval ? AM_FILE_CROSSVAL_RESULTS : AM_FILE_METRICS),
                 p->metrics->n, p->name);
  snprintf(whose, sizeof whose, "this run's %s part", p->name);
  const bool values = p->metrics && p->metrics->dimensions;
  if (!st && (values != (p->predictions.values != NULL) || values != (r->parts[0].metrics->dimensions > 0)))
    st = am_fail(err, AM_E_FORMAT, "%s: it and the figures of the %s part are not both of emotions or of dimensions",
                 path, p->name);
  if (!st) st = order(p, whose, err);
  if (!st) st = am_predictions_add_speakers(&p->predictions, p->metrics, err); /* older files do not say them */
  am_free(r->ctx, path);
  return st;
}

/* The trainer writes predictions.csv for the test part, else for validation (train/finish.c). */
static am_status read_parts(am_results *r, am_error *err) {
  static const char *const names[2] = {"test", "validation"};
  am_status st = AM_OK;
  for (int i = 0; i < 2 && !st; i++) {
    const am_value *part = am_value_get(am_tree_root(r->metrics), names[i]);
    if (!part || part->kind == AM_NULL) continue;
    am_part_results *p = &r->parts[r->n_parts++];
    st = read_part(r, part, p, err);
    if (!st)
      st = read_predictions(r, p, am_run_file_name(r->n_parts == 1 ? AM_FILE_PREDICTIONS : AM_FILE_VALIDATION), err);
  }
  return st;
}

static am_status read_run(am_results *r, am_error *err) {
  am_status st = read_config(r, am_run_file_name(AM_FILE_CONFIG), err);
  if (!st) st = read_json(r, am_run_file_name(AM_FILE_FACTS), &r->facts, err);
  if (!st) st = read_history(r, am_run_file_name(AM_FILE_HISTORY), err);
  if (!st) st = read_json(r, am_run_file_name(AM_FILE_METRICS), &r->metrics, err);
  return st ? st : read_parts(r, err);
}

/* ---- a cross-validation ---- */

/* Classes of the fold: those that have a recall. */
static void count_scored(const am_value *run, am_fold *f) {
  const am_value *recall = am_value_get(run, "recall");
  for (const am_value *v = recall ? recall->first : NULL; v; v = v->next) {
    f->classes++;
    f->scored += v->kind != AM_NULL;
  }
}

static am_status read_fold_values(const am_value *run, const am_value *dimensions, am_fold *f, am_error *err) {
  size_t k = 0;
  am_status st = need(run, "ccc", &f->ccc, err);
  for (const am_value *v = dimensions->first; v && k < AM_MOST_DIMENSIONS && !st; v = v->next)
    st = need(v, "ccc", &f->of[k++], err);
  return st;
}

static am_status read_fold_shares(const am_value *run, am_fold *f, am_error *err) {
  am_status st = need(run, "accuracy", &f->accuracy, err);
  if (!st) st = need(run, "uar", &f->uar, err);
  if (!st) st = need(run, "macro_f1", &f->macro_f1, err);
  if (!st) count_scored(run, f);
  return st;
}

static am_status read_fold_figures(const am_value *run, am_fold *f, am_error *err) {
  const am_value *dimensions = am_value_get(run, "dimensions");
  am_status st = need_count(am_value_get(run, "n"), &f->clips, err);
  if (!st && dimensions) st = read_fold_values(run, dimensions, f, err);
  if (!st && !dimensions) st = read_fold_shares(run, f, err);
  if (!st) st = need(run, "best_epoch", &f->best_epoch, err);
  if (!st) st = need(run, "epochs", &f->epochs, err);
  return st ? st : need(run, "seconds", &f->seconds, err);
}

/* The folder is part of a link of the page, so it must lie below: no root, no way up. */
static bool lies_below(const char *folder) {
  return *folder && *folder != '/' && !strchr(folder, ':') && !strstr(folder, "..");
}

static am_status keep_latest(am_results *r, const char *name, am_error *err) {
  am_tree *facts = NULL;
  am_status st = read_json(r, name, &facts, err);
  const char *then = am_results_text(r->facts, "written"), *now = st ? NULL : am_results_text(facts, "written");
  bool later = !st && (!r->facts || (then && now && strcmp(then, now) < 0)); /* ISO 8601 sorts as text */
  am_tree_free(later ? r->facts : facts);
  if (later) r->facts = facts;
  return st;
}

static am_status read_fold(am_results *r, const am_value *run, am_fold *f, am_error *err) {
  const am_value *folder = am_value_get(run, "folder"), *done = am_value_get(run, "finished");
  if (!am_value_to_int(am_value_get(run, "seed"), &f->seed) || !am_value_to_int(am_value_get(run, "fold"), &f->fold) ||
      !folder || folder->kind != AM_SCALAR || !lies_below(folder->text) || !done ||
      !am_value_to_bool(done, &f->finished))
    return am_fail_at(err, run, "wanted seed, fold, folder and finished of each of the 'runs'");
  f->folder = folder->text;
  f->ccc = NAN;
  for (int k = 0; k < AM_MOST_DIMENSIONS; k++) f->of[k] = NAN;
  if (!f->finished) return AM_OK;
  am_status st = read_fold_figures(run, f, err);
  char *history = am_run_file_path(r->ctx, f->folder, AM_FILE_HISTORY),
       *facts = am_run_file_path(r->ctx, f->folder, AM_FILE_FACTS);
  if (!st && (!history || !facts)) st = am_no_memory(err);
  f->first = r->history.n;
  if (!st) st = read_history(r, history, err);
  f->n = r->history.n - f->first;
  if (!st) st = keep_latest(r, facts, err);
  if (!st) r->n_finished++;
  am_free(r->ctx, history);
  am_free(r->ctx, facts);
  return st;
}

static am_status read_folds(am_results *r, am_error *err) {
  const am_value *root = am_tree_root(r->metrics), *runs = am_value_get(root, "runs"),
                 *pooled = am_value_get(root, "pooled");
  if (!runs || runs->kind != AM_LIST) return am_fail_at(err, root, "wanted the list of 'runs'");
  r->folds = am_alloc(r->ctx, runs->count + 1, sizeof *r->folds);
  if (!r->folds) return am_no_memory(err);
  am_status st = AM_OK;
  for (const am_value *run = runs->first; run && !st; run = run->next)
    st = read_fold(r, run, &r->folds[r->n_folds++], err);
  if (st || !r->n_finished) return st;
  if (!pooled || pooled->kind != AM_MAP) return am_fail_at(err, root, "finished runs, but no 'pooled' figures");
  st = read_part(r, pooled, &r->parts[r->n_parts++], err);
  return st ? st : read_predictions(r, &r->parts[0], am_run_file_name(AM_FILE_PREDICTIONS), err);
}

static am_status read_crossval(am_results *r, am_error *err) {
  am_status st = read_config(r, am_run_file_name(AM_FILE_CROSSVAL), err);
  if (!st) st = read_json(r, am_run_file_name(AM_FILE_CROSSVAL_RESULTS), &r->metrics, err);
  return st ? st : read_folds(r, err);
}

am_status am_results_read(am_context *ctx, const char *folder, am_results *out, am_error *err) {
  *out = (am_results){.ctx = ctx, .folder = folder, .crossval = am_crossval_folder_holds(ctx, folder) != NULL};
  am_status st = AM_OK;
  if (!am_folder_exists(folder))
    st = am_fail(err, AM_E_IO,
                 "%s: no such folder; wanted the folder of a cross-validation or of a run that has finished", folder);
  else st = out->crossval ? read_crossval(out, err) : read_run(out, err);
  if (st) am_results_free(out);
  if (st != AM_E_CONFIG) return st;
  if (err) err->status = AM_E_FORMAT; /* a run's own file is damaged: no mistake in what the user wrote */
  return AM_E_FORMAT;
}

void am_results_free(am_results *r) {
  for (int i = 0; i < r->n_parts; i++) {
    am_metrics_free(r->parts[i].metrics);
    am_predictions_free(&r->parts[i].predictions);
  }
  am_free(r->ctx, r->folds);
  am_free(r->ctx, r->history.at);
  am_tree_free(r->facts);
  am_tree_free(r->metrics);
  am_config_free(r->config);
  am_free(r->ctx, r->config_text);
  *r = (am_results){0};
}
