/* SPDX-License-Identifier: MIT */
/* report/page_dimensions.c - the results of a model of dimensions: figures, true against predicted values, errors by speaker. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

enum { SHOWN_WORST = 15 };

bool am_page_tells_values(const am_page *p) { return p->r->n_parts && p->r->parts[0].metrics->dimensions; }

static const am_part_results *main_part(const am_page *p) { return &p->r->parts[0]; }

/* ---- the result in short ---- */

static void number_cell(am_page *p, double value) {
  if (isfinite(value)) am_html_printf(p->h, "<td class=\"n\">%.3f</td>", value);
  else am_html_put(p->h, "<td class=\"n\">-</td>");
}

/* `spread` NaN: none. */
static void card(am_page *p, const char *name, double value, double spread, double low, double high) {
  am_html_put(p->h, "<div class=\"card\">");
  am_html_element(p->h, "span", name);
  if (isnan(value)) am_html_put(p->h, "<b>-</b>");
  else if (isnan(spread)) am_html_printf(p->h, "<b>%.3f</b>", value);
  else am_html_printf(p->h, "<b>%.3f <small>&#177; %.3f</small></b>", value, spread);
  if (isfinite(low) && isfinite(high))
    am_html_printf(p->h, "<span>%s95&#8239;%% interval %.3f to %.3f</span>", isnan(spread) ? "" : "pooled, ", low,
                   high);
  am_html_put(p->h, "</div>");
}

/* Over the runs of a cross-validation: `what` is mean or sd, `name` NULL the mean of the dimensions.  A name may hold points, so
 * it is no part of a path. */
static double over_folds(const am_page *p, const char *name, const char *what) {
  const am_value *all = am_value_find(am_tree_root(p->r->metrics), "over_folds"),
                 *of = name ? am_value_get(am_value_get(all, "dimensions"), name) : am_value_get(all, "ccc"),
                 *v = am_value_get(of, what);
  double number;
  return v && am_value_to_real(v, &number) ? number : NAN;
}

static void cards(am_page *p, const am_metrics *m) {
  const bool folds = p->r->crossval;
  am_html_put(p->h, "<div class=\"cards\">");
  card(p, "Mean concordance (CCC)", folds ? over_folds(p, NULL, "mean") : m->ccc,
       folds ? over_folds(p, NULL, "sd") : NAN, m->ccc_low, m->ccc_high);
  for (int k = 0; k < m->dimensions; k++) {
    const am_dimension *d = &m->dimension[k];
    card(p, d->name, folds ? over_folds(p, d->name, "mean") : d->is.ccc, folds ? over_folds(p, d->name, "sd") : NAN,
         d->low.ccc, d->high.ccc);
  }
  am_html_put(p->h, "</div>");
}

void am_page_values_result(am_page *p) {
  const am_part_results *part = main_part(p);
  const am_metrics *m = part->metrics;
  if (p->r->crossval) {
    am_html_put(p->h, "<section><h2>Result over the folds</h2>");
    am_page_progress(p);
  } else {
    am_html_printf(p->h, "<section><h2>Result on the %s part</h2>", part->name);
  }
  cards(p, m);
  am_html_put(p->h,
              "<p class=\"faint\">Concordance is 1 where predicted values are the true ones, and 0 where they tell "
              "nothing. ");
  if (p->r->crossval)
    am_html_printf(p->h,
                   "Large: mean &#177; standard deviation over %zu finished run%s; intervals are of all %zu clips "
                   "together: ",
                   p->r->n_finished, p->r->n_finished == 1 ? "" : "s", m->n);
  else am_html_printf(p->h, "%zu clips. Intervals: ", m->n);
  am_html_text(p->h, m->interval);
  if (p->r->crossval) am_html_put(p->h, ". In each run the weights are those of one epoch, ");
  else am_html_printf(p->h, ". Weights of epoch %.0f, ", am_results_number(p->r->metrics, "best_epoch"));
  am_page_monitor(p);
  am_html_put(p->h, ".</p>\n");
  am_page_statements(p);
  am_html_put(p->h, "</section>\n");
}

/* ---- fold by fold ---- */

static void fold_row(am_page *p, const am_fold *f, int dimensions) {
  char seconds[32];
  am_html_put(p->h, "<tr>");
  am_page_fold_name(p, f);
  if (!f->finished) {
    am_html_printf(p->h, "<td colspan=\"%d\" class=\"faint\">not finished</td></tr>", dimensions + 4);
    return;
  }
  am_page_count(p, f->clips);
  number_cell(p, f->ccc);
  for (int k = 0; k < dimensions; k++) number_cell(p, f->of[k]);
  if (isfinite(f->best_epoch) && isfinite(f->epochs))
    am_html_printf(p->h, "<td class=\"n\">%.0f of %.0f</td>", f->best_epoch, f->epochs);
  else am_html_put(p->h, "<td class=\"n\">-</td>");
  am_seconds_text(f->seconds, seconds);
  am_html_printf(p->h, "<td class=\"n\">%s</td></tr>", isfinite(f->seconds) ? seconds : "-");
}

static void head(am_page *p, const char *name, bool right) {
  am_html_put(p->h, right ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
  am_html_text(p->h, name);
  am_html_put(p->h, "</th>");
}

/* Columns of the dimensions between others. */
static void heads(am_page *p, const char *const *before, const am_metrics *m, const char *const *after) {
  am_html_put(p->h, "<thead><tr>");
  for (int i = 0; before[i]; i++) head(p, before[i], i > 0 && strcmp(before[i], "Value"));
  for (int k = 0; k < m->dimensions; k++) head(p, m->dimension[k].name, true);
  for (int i = 0; after[i]; i++) head(p, after[i], true);
  am_html_put(p->h, "</tr></thead><tbody>");
}

void am_page_values_folds(am_page *p) {
  const am_metrics *m = main_part(p)->metrics;
  const int shown = m->dimensions < AM_MOST_DIMENSIONS ? m->dimensions : AM_MOST_DIMENSIONS;
  static const char *const before[] = {"Fold", "Clips", "Mean CCC", NULL}, *const after[] = {"Epoch", "Time", NULL};
  if (!p->r->n_folds) return;
  am_html_put(p->h,
              "<section><h2>Fold by fold</h2><p class=\"faint\">Concordance of each dimension, and their mean. "
              "The epoch is the one whose weights were kept.</p>");
  am_page_table_open(p, "Figures per fold", "wide");
  heads(p, before, m, after);
  for (size_t i = 0; i < p->r->n_folds; i++) fold_row(p, &p->r->folds[i], shown);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  const double together = am_results_number(p->r->metrics, "mean_of_seeds.ccc");
  if (isfinite(together))
    am_html_printf(p->h,
                   "<p>The seeds as one model, by the mean of their values, all folds pooled: mean concordance "
                   "<b>%.3f</b>.</p>",
                   together);
  am_html_put(p->h, "</section>\n");
}

/* ---- per dimension ---- */

static void interval_cell(am_page *p, double low, double high) {
  if (isfinite(low) && isfinite(high)) am_html_printf(p->h, "<td class=\"n\">%.3f to %.3f</td>", low, high);
  else am_html_put(p->h, "<td class=\"n\">-</td>");
}

static void dimension_table(am_page *p, const am_metrics *m) {
  am_page_table_open(p, "Figures per dimension", "wide");
  am_page_heads(p, "Dimension|>CCC|>95&#8239;%|>Pearson|>RMSE|>95&#8239;%|>MAE|>True mean (sd)|>Predicted|>Clips");
  for (int k = 0; k < m->dimensions; k++) {
    const am_dimension *d = &m->dimension[k];
    am_html_put(p->h, "<tr>");
    am_html_element(p->h, "th scope=\"row\"", d->name);
    number_cell(p, d->is.ccc);
    interval_cell(p, d->low.ccc, d->high.ccc);
    number_cell(p, d->is.pearson);
    number_cell(p, d->is.rmse);
    interval_cell(p, d->low.rmse, d->high.rmse);
    number_cell(p, d->is.mae);
    if (d->is.n)
      am_html_printf(p->h, "<td class=\"n\">%.2f (%.2f)</td><td class=\"n\">%.2f (%.2f)</td>", d->true_mean,
                     d->true_deviation, d->mean, d->deviation);
    else am_html_put(p->h, "<td class=\"n\">-</td><td class=\"n\">-</td>");
    am_page_count(p, d->is.n);
    am_html_put(p->h, "</tr>");
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
}

/* What a scatter is drawn of: column k of the predictions. */
typedef struct cloud {
  const am_part_results *part;
  int k;
} cloud;

static am_status draw_cloud(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                            am_buffer *out, am_error *err) {
  const cloud *c = what;
  const am_predictions *of = &c->part->predictions;
  const am_scale scale = c->part->metrics->dimension[c->k].scale;
  return am_plot_scatter(ctx, style, title, "true", "predicted", of->values + c->k, of->probabilities + c->k, of->n,
                         (size_t)of->classes, scale.low, scale.high, out, err);
}

static void clouds(am_page *p, const am_part_results *part) {
  const am_metrics *m = part->metrics;
  am_html_put(p->h, "<div class=\"figures\">");
  for (int k = 0; k < m->dimensions && k < AM_MOST_DIMENSIONS; k++) {
    const cloud of = {part, k};
    am_buffer said = {0}, name = {0};
    am_buffer_printf(p->ctx, &said, "predicted against true %s of %zu clips: concordance %.3f, correlation %.3f",
                     m->dimension[k].name, m->dimension[k].is.n, m->dimension[k].is.ccc, m->dimension[k].is.pearson);
    am_buffer_printf(p->ctx, &name, "dimension-%d-%s", k + 1, part->name);
    const am_figure figure = {
        .name = name.data, .title = m->dimension[k].name, .width = 320, .height = 320, .draw = draw_cloud, .what = &of};
    if (said.failed || name.failed) p->h.out->failed = true;
    else am_page_figure(p, &figure, said.data);
    am_buffer_free(p->ctx, &said);
    am_buffer_free(p->ctx, &name);
  }
  am_html_put(p->h, "</div>");
}

/* ---- groups and speakers ---- */

static double of_dimension(const am_value *apart, const char *name, const char *what) {
  const am_value *v = am_value_get(am_value_get(am_value_get(apart, "dimensions"), name), what);
  double number;
  return v && am_value_to_real(v, &number) ? number : NAN;
}

static double mean_rmse(const am_metrics *m, const am_value *apart) {
  double sum = 0;
  int n = 0;
  for (int k = 0; k < m->dimensions; k++) {
    const double e = of_dimension(apart, m->dimension[k].name, "rmse");
    if (isfinite(e)) sum += e, n++;
  }
  return n ? sum / n : NAN;
}

static double number_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  double number;
  return v && am_value_to_real(v, &number) ? number : NAN;
}

static void group_table(am_page *p, const am_metrics *m) {
  static const char *const before[] = {"Group", "Value", "Clips", NULL}, *const after[] = {"Mean RMSE", NULL};
  const am_value *groups = am_value_get(main_part(p)->value, "groups");
  if (!groups || groups->kind != AM_MAP || !groups->first) return;
  am_html_put(p->h,
              "<section><h2>Per group</h2><p class=\"faint\">Concordance of each dimension over the clips of a "
              "group, and the mean error. Where true values hardly differ within a group, concordance is low "
              "whatever the error.</p>");
  am_page_table_open(p, "Figures per group", "wide");
  heads(p, before, m, after);
  for (const am_value *trait = groups->first; trait; trait = trait->next)
    for (const am_value *v = trait->kind == AM_MAP ? trait->first : NULL; v; v = v->next) {
      am_html_put(p->h, "<tr>");
      am_html_element(p->h, "th scope=\"row\"", trait->key);
      am_html_element(p->h, "td", v->key);
      am_html_printf(p->h, "<td class=\"n\">%.0f</td>", number_of(v, "n"));
      for (int k = 0; k < m->dimensions; k++) number_cell(p, of_dimension(v, m->dimension[k].name, "ccc"));
      number_cell(p, mean_rmse(m, v));
      am_html_put(p->h, "</tr>");
    }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "</section>\n");
}

static void speaker_table(am_page *p, const am_metrics *m) {
  static const char *const before[] = {"Speaker", "Clips", "Mean RMSE", NULL}, *const after[] = {NULL};
  if (m->n_speakers < 2 || !m->speakers[0].of) return;
  am_html_put(p->h,
              "<section><h2>Error by speaker</h2><p class=\"faint\">Root mean square error of each dimension, and "
              "their mean; the worst first.</p><div class=\"long\">");
  am_page_table_open(p, "Error by speaker", "wide");
  heads(p, before, m, after);
  for (size_t i = 0; i < m->n_speakers; i++) {
    const am_speaker *s = &m->speakers[i];
    am_html_put(p->h, "<tr>");
    am_html_element(p->h, "th scope=\"row\"", s->name);
    am_page_count(p, s->n);
    number_cell(p, am_metrics_mean_rmse(s->of, m->dimensions));
    for (int k = 0; k < m->dimensions; k++) number_cell(p, s->of[k].rmse);
    am_html_put(p->h, "</tr>");
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "</div></section>\n");
}

static void put_scales(am_page *p, const am_metrics *m) {
  const char *names[AM_MAX_CLASSES];
  am_scale scales[AM_MAX_CLASSES];
  am_buffer text = {0};
  if (am_metrics_scales(m, names, scales)) am_scales_print(p->ctx, &text, names, scales, m->dimensions);
  if (text.data && !text.failed) {
    am_html_put(p->h, ", ");
    am_html_text(p->h, text.data);
  }
  am_buffer_free(p->ctx, &text);
}

void am_page_values_figures(am_page *p) {
  const am_part_results *part = main_part(p);
  const am_metrics *m = part->metrics, *u = m->per_utterance;
  am_html_printf(p->h, "<section><h2>Per dimension</h2><p class=\"faint\">Errors are on the scale of the corpus");
  put_scales(p, m);
  am_html_put(p->h,
              ". Of the predicted values mean and standard deviation stand beside those of the true ones: a model "
              "that is unsure keeps to the middle.</p>");
  dimension_table(p, m);
  if (u) {
    am_html_printf(p->h, "<p>%zu utterances, by the mean of their chunks:</p>", u->n);
    dimension_table(p, u);
  }
  am_html_put(p->h,
              "<p class=\"faint\">A dot a clip; on the diagonal both values agree. Clips with the same values lie "
              "on one another.</p>");
  clouds(p, part);
  am_html_put(p->h, "</section>\n");
  group_table(p, m);
  speaker_table(p, m);
  if (p->r->n_parts < 2) return;
  am_html_put(p->h,
              "<details><summary>The same for the validation part</summary><p class=\"faint\">The best epoch "
              "was chosen on these clips, so their figures are on the hopeful side.</p>");
  dimension_table(p, p->r->parts[1].metrics);
  clouds(p, &p->r->parts[1]);
  am_html_put(p->h, "</details>\n");
}

/* ---- farthest off ---- */

typedef struct miss {
  size_t row;
  double error; /* the mean over the dimensions that are known */
} miss;

static int farthest_first(const void *a, const void *b) {
  const miss *x = a, *y = b;
  if (x->error != y->error) return x->error < y->error ? 1 : -1;
  return (x->row > y->row) - (x->row < y->row);
}

static double error_of(const am_predictions *of, size_t row) {
  const size_t K = (size_t)of->classes;
  double sum = 0;
  int n = 0;
  for (size_t k = 0; k < K; k++) {
    const double t = (double)of->values[row * K + k];
    if (isfinite(t)) sum += fabs((double)of->probabilities[row * K + k] - t), n++;
  }
  return n ? sum / n : -1;
}

static void miss_row(am_page *p, const am_predictions *of, const miss *one) {
  const am_prediction *at = &of->at[one->row];
  const size_t first = one->row * (size_t)of->classes;
  am_html_put(p->h, "<tr><td class=\"path\">");
  am_html_text(p->h, at->clip);
  if (*at->speaker) {
    am_html_put(p->h, "<small>speaker ");
    am_html_text(p->h, at->speaker);
    am_html_put(p->h, "</small>");
  }
  am_html_put(p->h, "</td>");
  number_cell(p, one->error);
  for (size_t k = 0; k < (size_t)of->classes; k++) {
    const double t = (double)of->values[first + k];
    am_html_printf(p->h, "<td class=\"n\">%.2f", (double)of->probabilities[first + k]);
    if (isfinite(t)) am_html_printf(p->h, "<small>true %.2f</small>", t);
    am_html_put(p->h, "</td>");
  }
  am_html_put(p->h, "</tr>");
}

void am_page_values_worst(am_page *p) {
  static const char *const before[] = {"Clip", "Mean error", NULL}, *const after[] = {NULL};
  const am_part_results *part = main_part(p);
  const am_predictions *of = &part->predictions;
  miss *all = am_alloc(p->ctx, of->n + 1, sizeof *all);
  if (!all) {
    p->h.out->failed = true;
    return;
  }
  for (size_t i = 0; i < of->n; i++) all[i] = (miss){i, error_of(of, i)};
  qsort(all, of->n, sizeof *all, farthest_first);
  am_html_put(p->h,
              "<section><h2>Farthest off</h2><p class=\"faint\">The clips with the largest mean absolute error: "
              "predicted, and below it true values.</p>");
  am_page_table_open(p, "Clips farthest off", "wide");
  heads(p, before, part->metrics, after);
  for (size_t i = 0; i < of->n && i < SHOWN_WORST; i++) miss_row(p, of, &all[i]);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "</section>\n");
  am_free(p->ctx, all);
}
