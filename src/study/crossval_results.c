/* SPDX-License-Identifier: MIT */
/* study/crossval_results.c - what the runs of a cross-validation say together. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/evaluate.h"
#include "run/folder.h"
#include "run/metrics.h"
#include "run/predictions.h"
#include "study/crossval.h"

/* ---- a run's rows ---- */

static bool tells_values(const am_crossval *x) { return x->dataset->target == AM_TARGET_DIMENSIONS; }

/* Classes, or dimensions. */
static size_t outputs_of(const am_crossval *x) { return (size_t)am_dataset_outputs(x->dataset); }

static am_status make_room(am_crossval *x, size_t more, am_error *err) {
  size_t room = am_add(x->n_rows, more), K = outputs_of(x);
  if (room <= x->room) return AM_OK;
  void **arrays[] = {(void **)&x->clips, (void **)&x->labels,        (void **)&x->speakers,
                     (void **)&x->seeds, (void **)&x->probabilities, (void **)&x->truth};
  const size_t bytes[] = {
      sizeof *x->clips,    sizeof *x->labels, sizeof *x->speakers, sizeof *x->seeds, K * sizeof *x->probabilities,
      K * sizeof *x->truth};
  for (int i = 0; i < (tells_values(x) ? 6 : 5); i++) {
    void *moved = am_resize(x->ctx, *arrays[i], room, bytes[i]);
    if (!moved) return am_no_memory(err);
    *arrays[i] = moved;
  }
  x->room = room;
  return AM_OK;
}

static void free_rows(am_context *ctx, am_crossval *rows) {
  am_free(ctx, rows->clips);
  am_free(ctx, rows->labels);
  am_free(ctx, rows->speakers);
  am_free(ctx, rows->seeds);
  am_free(ctx, rows->probabilities);
  am_free(ctx, rows->truth);
}

/* Whether the row says of the clip what the corpus does. */
static bool same_truth(const am_dataset *d, const am_clip *clip, const am_predictions *p, size_t row) {
  if (!p->values) return clip->label == p->at[row].truth;
  for (int k = 0; k < d->n_dimensions; k++) {
    const float now = clip->values ? clip->values[k] : NAN, then = p->values[row * (size_t)p->classes + (size_t)k];
    if (!(now == then || (isnan(now) && isnan(then)))) return false;
  }
  return true;
}

/* A test part is in the order of the corpus, so row i is the next clip of its fold; some may be absent, as the run says:
 * with nothing to hear in them, or, with data.skip_unreadable, unreadable. *at moves past it. */
static am_status find_clip(const am_crossval *x, const am_crossval_run *run, const am_predictions *p, size_t row,
                           size_t *at, am_error *err) {
  const am_dataset *d = x->dataset;
  const am_prediction *of = &p->at[row];
  for (; *at < d->n; ++*at) {
    if (d->clips[*at].fold != run->fold) continue;
    if (!strcmp(d->clips[*at].name, of->clip)) break;
    if (!x->config->data.skip_unreadable && !run->unheard) *at = d->n - 1;
  }
  if (*at < d->n && same_truth(d, &d->clips[*at], p, row)) {
    ++*at;
    return AM_OK;
  }
  return am_csv_fail(p->table, row, err,
                     "clip %s%s%s, is not where fold %d of the corpus now has it; the clips are not "
                     "those that this fold was trained with (to train it again, remove %s)",
                     of->clip, p->values ? "" : ", ", p->values ? " with these values" : p->labels[of->truth],
                     run->fold, run->folder);
}

static am_status keep_rows(am_crossval *x, const am_crossval_run *run, const am_predictions *p, am_error *err) {
  size_t K = outputs_of(x), at = 0;
  am_status status = make_room(x, p->n, err);
  for (size_t i = 0; i < p->n && !status; i++) {
    status = find_clip(x, run, p, i, &at, err);
    if (status) return status;
    const am_clip *clip = &x->dataset->clips[at - 1];
    size_t to = x->n_rows++;
    x->clips[to] = (uint32_t)(at - 1);
    x->labels[to] = clip->label;
    x->speakers[to] = clip->speaker;
    x->seeds[to] = (int64_t)run->seed;
    memcpy(x->probabilities + to * K, p->probabilities + i * K, K * sizeof *x->probabilities);
    if (p->values) memcpy(x->truth + to * K, p->values + i * K, K * sizeof *x->truth);
  }
  return status;
}

static am_status read_predictions(am_crossval *x, am_crossval_run *run, am_error *err) {
  char *path = am_run_file_path(x->ctx, run->folder, AM_FILE_PREDICTIONS);
  const am_dataset *d = x->dataset;
  am_predictions p = {0};
  size_t wanted = 0;
  for (size_t i = 0; i < d->n; i++) wanted += d->clips[i].fold == run->fold;
  am_status status = path ? am_predictions_read_any(x->ctx, path, &p, err) : am_no_memory(err);
  if (!status && (p.values != NULL) != tells_values(x))
    status = am_fail(err, AM_E_FORMAT, "%s: wanted predictions of %s, as data.target says", path,
                     tells_values(x) ? "dimensions" : "emotions");
  size_t all = am_add(p.n, run->unheard);
  if (!status && (all > wanted || (all < wanted && !x->config->data.skip_unreadable)))
    status = am_fail(err, AM_E_DATA,
                     "%s: %zu clips, and fold %d of the corpus now has %zu; to train this fold again, "
                     "remove %s",
                     path, p.n, run->fold, wanted, run->folder);
  if (!status)
    status =
        am_predictions_order(&p, am_dataset_output_names(d), am_dataset_outputs(d), "the corpus as it is now", err);
  run->first = x->n_rows;
  if (!status) status = keep_rows(x, run, &p, err);
  run->n = x->n_rows - run->first;
  am_predictions_free(&p);
  am_free(x->ctx, path);
  return status;
}

/* ---- figures ---- */

static am_status compute(const am_crossval *x, size_t first, size_t n, bool by_utterance, am_metrics **out,
                         am_error *err) {
  size_t K = outputs_of(x);
  am_metrics_free(*out);
  const am_scored_clips of = {.clips = x->clips + first,
                              .probabilities = x->probabilities + first * K,
                              .truth = x->truth ? x->truth + first * K : NULL,
                              .scale = x->truth ? x->dataset->scale : NULL,
                              .labels = x->labels + first,
                              .speakers = x->speakers + first,
                              .n = n,
                              .names = am_dataset_output_names(x->dataset),
                              .classes = (int)K};
  return am_metrics_of_clips(x->dataset, &of, by_utterance, x->config->seed, out, err);
}

static am_status read_facts(am_crossval *x, am_crossval_run *run, am_error *err) {
  am_run_summary s;
  am_status status = am_run_summary_read(x->ctx, run->folder, &s, err);
  if (status) return status;
  run->seconds = s.seconds;
  run->unheard = s.unheard_test;
  run->answered = s.answered;
  run->best_epoch = s.best_epoch;
  run->epochs = s.epochs;
  return AM_OK;
}

am_status am_crossval_read_run(am_crossval *x, am_crossval_run *run, am_error *err) {
  am_status status = read_facts(x, run, err);
  if (!status) status = read_predictions(x, run, err);
  if (!status) status = compute(x, run->first, run->n, true, &run->metrics, err);
  run->finished = !status;
  return status;
}

/* The rows in the order of the plan: what is written does not depend on what was finished when. */
static am_status sort_rows(am_crossval *x, am_error *err) {
  am_crossval sorted = {.ctx = x->ctx, .dataset = x->dataset};
  size_t K = outputs_of(x), used = 0;
  am_status status = make_room(&sorted, x->n_rows, err);
  for (size_t i = 0; i < x->n_seeds * x->n_folds && !status; i++) {
    am_crossval_run *r = &x->runs[i];
    if (!r->finished || !r->n) continue;
    assert(used + r->n <= x->n_rows && sorted.clips && sorted.labels && sorted.speakers && sorted.seeds);
    memcpy(sorted.clips + used, x->clips + r->first, r->n * sizeof *x->clips);
    memcpy(sorted.labels + used, x->labels + r->first, r->n * sizeof *x->labels);
    memcpy(sorted.speakers + used, x->speakers + r->first, r->n * sizeof *x->speakers);
    memcpy(sorted.seeds + used, x->seeds + r->first, r->n * sizeof *x->seeds);
    memcpy(sorted.probabilities + used * K, x->probabilities + r->first * K, r->n * K * sizeof *x->probabilities);
    if (x->truth) memcpy(sorted.truth + used * K, x->truth + r->first * K, r->n * K * sizeof *x->truth);
    r->first = used;
    used += r->n;
  }
  am_crossval old = *x;
  if (!status) {
    x->clips = sorted.clips, x->labels = sorted.labels, x->speakers = sorted.speakers, x->seeds = sorted.seeds;
    x->probabilities = sorted.probabilities, x->truth = sorted.truth, x->room = sorted.room;
  } else {
    old = sorted;
  }
  free_rows(x->ctx, &old);
  return status;
}

/* Whether all seeds have tested the same clips of fold f (the f-th one), as they do unless files became unreadable. */
static bool every_seed_has(const am_crossval *x, size_t f) {
  const am_crossval_run *first = &x->runs[f];
  for (size_t s = 0; s < x->n_seeds; s++) {
    const am_crossval_run *r = &x->runs[s * x->n_folds + f];
    if (!r->finished || r->n != first->n ||
        memcmp(x->clips + r->first, x->clips + first->first, r->n * sizeof *x->clips))
      return false;
  }
  return true;
}

/* The rows of fold f with the mean of the seeds' probabilities, appended to `to`. */
static void append_together(const am_crossval *x, size_t f, am_crossval *to) {
  const am_crossval_run *first = &x->runs[f];
  size_t K = outputs_of(x), at = to->n_rows;
  memcpy(to->clips + at, x->clips + first->first, first->n * sizeof *x->clips);
  memcpy(to->labels + at, x->labels + first->first, first->n * sizeof *x->labels);
  memcpy(to->speakers + at, x->speakers + first->first, first->n * sizeof *x->speakers);
  if (x->truth) memcpy(to->truth + at * K, x->truth + first->first * K, first->n * K * sizeof *x->truth);
  for (size_t i = 0; i < first->n * K; i++) {
    double sum = 0;
    for (size_t s = 0; s < x->n_seeds; s++) sum += (double)x->probabilities[x->runs[s * x->n_folds + f].first * K + i];
    to->probabilities[at * K + i] = (float)(sum / (double)x->n_seeds);
  }
  to->n_rows += first->n;
}

/* The seeds as one model that takes the mean of their probabilities. */
static am_status compute_together(am_crossval *x, am_error *err) {
  am_crossval t = {.ctx = x->ctx, .config = x->config, .dataset = x->dataset};
  am_status status = AM_OK;
  for (size_t f = 0; f < x->n_folds && !status; f++) {
    if (!every_seed_has(x, f)) continue;
    size_t first = t.n_rows;
    status = make_room(&t, x->runs[f].n, err);
    if (!status) append_together(x, f, &t);
    if (!status) status = compute(&t, first, t.n_rows - first, true, &x->together_by_fold[f], err);
  }
  if (!status && t.n_rows) status = compute(&t, 0, t.n_rows, true, &x->together, err);
  free_rows(x->ctx, &t);
  return status;
}

/* Each run by the thresholds of its own model; nothing where one has none, or another precision was wanted. */
static void add_answered(const am_crossval *x, size_t first, size_t n, am_metrics *m) {
  am_answered sum = {0};
  for (size_t i = first; i < first + n; i++) {
    const am_answered *a = &x->runs[i].answered;
    if (!x->runs[i].finished) continue;
    if (!a->known || (sum.known && a->wanted != sum.wanted)) return;
    sum = (am_answered){true, a->wanted, sum.given + a->given, sum.right + a->right};
  }
  m->answered = sum;
}

am_status am_crossval_summarise(am_crossval *x, am_error *err) {
  if (!x->n_rows) return AM_OK;
  am_status status = sort_rows(x, err);
  /* over several seeds an utterance would mix the chunks of all of them: it is asked for a seed at a time */
  if (!status) status = compute(x, 0, x->n_rows, x->n_seeds == 1, &x->pooled, err);
  if (!status) add_answered(x, 0, x->n_seeds * x->n_folds, x->pooled);
  for (size_t s = 0; s < x->n_seeds && !status; s++) {
    size_t first = 0, n = 0;
    for (size_t f = 0; f < x->n_folds; f++) {
      const am_crossval_run *r = &x->runs[s * x->n_folds + f];
      if (r->finished && !n) first = r->first;
      if (r->finished) n += r->n;
    }
    if (n) status = compute(x, first, n, true, &x->by_seed[s], err);
  }
  return status || x->n_seeds < 2 ? status : compute_together(x, err);
}

static double figure_of(const am_metrics *m, int figure) {
  if (!m) return NAN;
  switch (figure) {
    case AM_FIGURE_ACCURACY: return m->accuracy;
    case AM_FIGURE_UAR: return m->uar;
    case AM_FIGURE_MACRO_F1: return m->macro_f1;
    case AM_FIGURE_CHANCE: return am_metrics_chance(m);
    case AM_FIGURE_SCORED: return m->scored;
    case AM_FIGURE_CCC: return m->dimensions ? m->ccc : NAN;
    case AM_FIGURE_UTTERANCE_CCC: return m->per_utterance && m->dimensions ? m->per_utterance->ccc : NAN;
    case AM_FIGURE_UTTERANCE_ACCURACY: return m->per_utterance ? m->per_utterance->accuracy : NAN;
    case AM_FIGURE_UTTERANCE_UAR: return m->per_utterance ? m->per_utterance->uar : NAN;
    default: return m->dimensions ? m->dimension[figure].is.ccc : m->recall[figure];
  }
}

bool am_crossval_has_chunks(const am_crossval *x) {
  for (size_t i = 0; i < x->n_seeds * x->n_folds; i++)
    if (x->runs[i].metrics && x->runs[i].metrics->per_utterance) return true;
  return false;
}

/* Value i of those that a spread is over. A seed with some folds only is not comparable with the others. */
static double value_of(const am_crossval *x, am_over over, int figure, size_t i) {
  if (over == AM_OVER_FOLDS) return figure_of(x->runs[i].metrics, figure);
  if (over == AM_OVER_FOLDS_TOGETHER) return figure_of(x->together_by_fold[i], figure);
  for (size_t f = 0; f < x->n_folds; f++)
    if (!x->runs[i * x->n_folds + f].finished) return NAN;
  return figure_of(x->by_seed[i], figure);
}

am_spread am_crossval_spread(const am_crossval *x, am_over over, int figure) {
  const size_t n = over == AM_OVER_SEEDS ? x->n_seeds : over == AM_OVER_FOLDS ? x->n_seeds * x->n_folds : x->n_folds;
  am_spread s = {.mean = 0, .sd = 0, .least = NAN, .most = NAN};
  for (size_t i = 0; i < n; i++) {
    double value = value_of(x, over, figure, i);
    if (!isfinite(value)) continue;
    s.mean += value;
    s.least = fmin(s.least, value); /* of NaN and a number the number */
    s.most = fmax(s.most, value);
    s.n++;
  }
  s.mean = s.n ? s.mean / (double)s.n : NAN;
  for (size_t i = 0; i < n; i++) {
    double value = value_of(x, over, figure, i);
    if (isfinite(value)) s.sd += (value - s.mean) * (value - s.mean);
  }
  s.sd = s.n > 1 ? sqrt(s.sd / (double)(s.n - 1)) : NAN;
  return s;
}

/* ---- crossval.json ---- */

static void write_values(am_json *j, const am_metrics *m) {
  am_json_real(j, "ccc", m->ccc);
  am_json_open(j, "dimensions", '{');
  for (int k = 0; k < m->dimensions; k++) {
    const am_dimension *d = &m->dimension[k];
    am_json_open(j, d->name, '{');
    am_json_int(j, "n", (int64_t)d->is.n);
    am_json_real(j, "ccc", d->is.ccc);
    am_json_real(j, "pearson", d->is.pearson);
    am_json_real(j, "rmse", d->is.rmse);
    am_json_real(j, "mae", d->is.mae);
    am_json_close(j);
  }
  am_json_close(j);
  if (!m->per_utterance) return;
  am_json_open(j, "per_utterance", '{');
  am_json_int(j, "n", (int64_t)m->per_utterance->n);
  am_json_real(j, "ccc", m->per_utterance->ccc);
  am_json_close(j);
}

static void write_figures(const am_crossval *x, am_json *j, const am_metrics *m) {
  const am_metrics *u = m->per_utterance;
  am_json_int(j, "n", (int64_t)m->n);
  if (m->dimensions) {
    write_values(j, m);
    return;
  }
  am_json_real(j, "accuracy", m->accuracy);
  am_json_real(j, "uar", m->uar);
  am_json_real(j, "macro_f1", m->macro_f1);
  am_json_int(j, "classes_scored", m->scored);
  am_json_real(j, "chance", am_metrics_chance(m));
  am_json_open(j, "recall", '{');
  for (int k = 0; k < m->classes; k++) am_json_real(j, x->dataset->labels[k], m->recall[k]);
  am_json_close(j);
  if (!u) return;
  am_json_open(j, "per_utterance", '{');
  am_json_int(j, "n", (int64_t)u->n);
  am_json_real(j, "accuracy", u->accuracy);
  am_json_real(j, "uar", u->uar);
  am_json_close(j);
}

static void write_run(const am_crossval *x, am_json *j, const am_crossval_run *r) {
  am_json_open(j, NULL, '{');
  am_json_int(j, "seed", (int64_t)r->seed);
  am_json_int(j, "fold", r->fold);
  am_json_text(j, "folder", r->folder + strlen(x->folder) + 1);
  am_json_bool(j, "finished", r->finished);
  if (r->finished) {
    am_json_int(j, "best_epoch", (int64_t)r->best_epoch);
    am_json_int(j, "epochs", (int64_t)r->epochs);
    am_json_real(j, "seconds", r->seconds);
    write_figures(x, j, r->metrics);
  }
  am_json_close(j);
}

static void write_spread(const am_crossval *x, am_json *j, const char *key, am_over over, int figure) {
  const am_spread s = am_crossval_spread(x, over, figure);
  am_json_open(j, key, '{');
  am_json_int(j, "n", (int64_t)s.n);
  am_json_real(j, "mean", s.mean);
  am_json_real(j, "sd", s.sd);
  if (figure == AM_FIGURE_SCORED) {
    am_json_real(j, "least", s.least);
    am_json_real(j, "most", s.most);
  }
  am_json_close(j);
}

static void write_spreads(const am_crossval *x, am_json *j, const char *key, am_over over) {
  am_json_open(j, key, '{');
  if (tells_values(x)) {
    write_spread(x, j, "ccc", over, AM_FIGURE_CCC);
    am_json_open(j, "dimensions", '{');
    for (int k = 0; k < x->dataset->n_dimensions; k++) write_spread(x, j, x->dataset->dimensions[k], over, k);
    am_json_close(j);
    if (am_crossval_has_chunks(x)) write_spread(x, j, "utterance_ccc", over, AM_FIGURE_UTTERANCE_CCC);
    am_json_close(j);
    return;
  }
  write_spread(x, j, "accuracy", over, AM_FIGURE_ACCURACY);
  write_spread(x, j, "uar", over, AM_FIGURE_UAR);
  write_spread(x, j, "macro_f1", over, AM_FIGURE_MACRO_F1);
  write_spread(x, j, "classes_scored", over, AM_FIGURE_SCORED);
  write_spread(x, j, "chance", over, AM_FIGURE_CHANCE);
  am_json_open(j, "recall", '{');
  for (int k = 0; k < x->dataset->n_labels; k++) write_spread(x, j, x->dataset->labels[k], over, k);
  am_json_close(j);
  if (am_crossval_has_chunks(x)) {
    write_spread(x, j, "utterance_accuracy", over, AM_FIGURE_UTTERANCE_ACCURACY);
    write_spread(x, j, "utterance_uar", over, AM_FIGURE_UTTERANCE_UAR);
  }
  am_json_close(j);
}

/* The folds of each seed pooled. */
static void write_seeds(const am_crossval *x, am_json *j) {
  am_json_open(j, "by_seed", '[');
  for (size_t s = 0; s < x->n_seeds; s++) {
    if (!x->by_seed[s]) continue;
    am_json_open(j, NULL, '{');
    am_json_int(j, "seed", (int64_t)x->runs[s * x->n_folds].seed);
    write_figures(x, j, x->by_seed[s]);
    am_json_close(j);
  }
  am_json_close(j);
}

/* The seeds' mean probabilities: pooled, and over the folds. */
static void write_together(const am_crossval *x, am_json *j) {
  if (!x->together) return;
  am_json_open(j, "mean_of_seeds", '{');
  write_figures(x, j, x->together);
  write_spreads(x, j, "over_folds", AM_OVER_FOLDS_TOGETHER);
  am_json_close(j);
}

static void write_head(const am_crossval *x, am_json *j) {
  char kind[32];
  size_t all = x->n_seeds * x->n_folds;
  am_json_text(j, "name", x->config->name);
  am_json_text(j, "state", x->n_finished == all ? "finished" : "running");
  am_json_text(j, "split", am_choice_name(AM_WORDS(AM_SPLIT_KINDS), x->config->split.kind, kind, sizeof kind));
  am_json_int(j, "split_folds", x->split->n_folds);
  am_json_open(j, "seeds", '[');
  for (size_t s = 0; s < x->n_seeds; s++) am_json_int(j, NULL, (int64_t)(x->config->seed + s));
  am_json_close(j);
  am_json_open(j, "folds", '[');
  for (size_t f = 0; f < x->n_folds; f++) am_json_int(j, NULL, x->folds[f]);
  am_json_close(j);
  am_json_text(j, "corpus", x->dataset->corpus);
  am_json_text(j, "licence", x->dataset->licence);
  am_json_text(j, "citation", x->dataset->citation);
  am_json_text(j, "missing_note", x->dataset->missing_note);
  am_json_bool(j, "speaker_independent", x->split->speaker_independent);
  am_json_bool(j, "synthetic", x->dataset->synthetic);
  am_json_int(j, "runs_finished", (int64_t)x->n_finished);
}

am_status am_crossval_json(const am_crossval *x, am_buffer *out, am_error *err) {
  am_json j = am_json_begin(x->ctx, out, 2);
  am_json_open(&j, NULL, '{');
  write_head(x, &j);
  am_json_open(&j, "runs", '[');
  for (size_t i = 0; i < x->n_seeds * x->n_folds; i++) write_run(x, &j, &x->runs[i]);
  am_json_close(&j);
  if (x->pooled) {
    write_spreads(x, &j, "over_folds", AM_OVER_FOLDS);
    if (x->n_seeds > 1) write_spreads(x, &j, "over_seeds", AM_OVER_SEEDS);
    if (x->n_seeds > 1) write_seeds(x, &j);
    write_together(x, &j);
    am_protocol protocol = {.split = "test",
                            .corpus = x->dataset->corpus,
                            .speaker_independent = x->split->speaker_independent,
                            .synthetic = x->dataset->synthetic,
                            .transductive = am_normalise_transductive(x->config->features.normalise)};
    am_metrics_write(&j, "pooled", x->pooled, &protocol);
  } else {
    am_json_null(&j, "pooled");
  }
  am_json_close(&j);
  return out->failed ? am_no_memory(err) : AM_OK;
}

/* ---- files ---- */

static am_status write_predictions(am_crossval *x, const char *folder, size_t first, size_t n, bool seeds,
                                   am_error *err) {
  char *path = am_run_file_path(x->ctx, folder, AM_FILE_PREDICTIONS);
  const size_t K = outputs_of(x);
  const am_predicted_rows rows = {.d = x->dataset,
                                  .clips = x->clips + first,
                                  .seeds = seeds ? x->seeds + first : NULL,
                                  .n = n,
                                  .names = (char *const *)am_dataset_output_names(x->dataset),
                                  .classes = (int)K,
                                  .told = x->probabilities + first * K,
                                  .truth = x->truth ? x->truth + first * K : NULL};
  am_status status = path ? am_predictions_write(x->ctx, AM_OURS, path, &rows, err) : am_no_memory(err);
  am_free(x->ctx, path);
  return status;
}

static am_status write_seed(am_crossval *x, size_t s, am_error *err) {
  const am_crossval_run *runs = &x->runs[s * x->n_folds];
  size_t first = SIZE_MAX, n = 0;
  for (size_t f = 0; f < x->n_folds; f++) {
    if (!runs[f].finished) continue;
    if (first == SIZE_MAX) first = runs[f].first;
    n += runs[f].n;
  }
  if (!n) return AM_OK;
  char *folder = am_format(x->ctx, "%s/seed-%llu", x->folder, (unsigned long long)runs->seed);
  am_status status = folder ? AM_OK : am_no_memory(err);
  if (!status) status = am_folder_check_own(x->ctx, x->folder, am_path_base(folder), err);
  if (!status) status = write_predictions(x, folder, first, n, false, err);
  am_free(x->ctx, folder);
  return status;
}

am_status am_crossval_write(am_crossval *x, am_error *err) {
  am_buffer text = {0};
  char *path = am_run_file_path(x->ctx, x->folder, AM_FILE_CROSSVAL_RESULTS);
  am_status status = path ? am_crossval_json(x, &text, err) : am_no_memory(err);
  if (!status && x->n_rows) status = write_predictions(x, x->folder, 0, x->n_rows, x->n_seeds > 1, err);
  for (size_t s = 0; s < x->n_seeds && x->n_seeds > 1 && !status; s++) status = write_seed(x, s, err);
  if (!status) status = am_file_write_own(x->ctx, path, NULL, text.data, text.used, err);
  am_buffer_free(x->ctx, &text);
  am_free(x->ctx, path);
  return status;
}
