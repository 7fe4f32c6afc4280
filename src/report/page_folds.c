/* SPDX-License-Identifier: MIT */
/* report/page_folds.c - the runs of a cross-validation side by side: figures, learning curves. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "report/page.h"

enum { MOST_CURVES = 6 };

/* Runs are listed seed by seed, so the first seed's are all folds. */
static size_t distinct_folds(const am_page *p) {
  size_t n = 0;
  while (n < p->r->n_folds && p->r->folds[n].seed == p->r->folds[0].seed) n++;
  return n;
}

size_t am_page_seeds(const am_page *p) {
  size_t n = 0;
  for (size_t i = 0; i < p->r->n_folds; i++) n += !i || p->r->folds[i].seed != p->r->folds[i - 1].seed;
  return n;
}

/* ---- figures ---- */

void am_page_fold_name(am_page *p, const am_fold *f) {
  char *page = am_format(p->ctx, "%s/%s/%s", p->r->folder, f->folder, am_run_file_name(AM_FILE_REPORT));
  bool link = page && p->links && f->finished && am_file_exists(page);
  if (!page) p->h.out->failed = true;
  am_free(p->ctx, page);
  am_html_put(p->h, "<th scope=\"row\">");
  if (link) {
    am_html_put(p->h, "<a href=\"");
    am_html_text(p->h, f->folder);
    am_html_put(p->h, "/report.html\">");
  }
  am_html_printf(p->h, "fold %" PRId64, f->fold);
  if (link) am_html_put(p->h, "</a>");
  if (am_page_seeds(p) > 1) am_html_printf(p->h, "<small>seed %" PRId64 "</small>", f->seed);
  am_html_put(p->h, "</th>");
}

static void fold_row(am_page *p, const am_fold *f) {
  char seconds[32];
  am_html_put(p->h, "<tr>");
  am_page_fold_name(p, f);
  if (!f->finished) {
    am_html_put(p->h, "<td colspan=\"7\" class=\"faint\">not finished</td></tr>");
    return;
  }
  am_page_count(p, f->clips);
  am_page_percent(p, f->uar);
  am_page_percent(p, f->accuracy);
  am_page_percent(p, f->macro_f1);
  if (f->scored) am_html_printf(p->h, "<td class=\"n\">%d of %d</td>", f->scored, f->classes);
  else am_html_put(p->h, "<td class=\"n\">-</td>");
  if (isfinite(f->best_epoch) && isfinite(f->epochs))
    am_html_printf(p->h, "<td class=\"n\">%.0f of %.0f</td>", f->best_epoch, f->epochs);
  else am_html_put(p->h, "<td class=\"n\">-</td>");
  am_seconds_text(f->seconds, seconds);
  am_html_printf(p->h, "<td class=\"n\">%s</td></tr>", isfinite(f->seconds) ? seconds : "-");
}

/* `what`: mean, sd */
static void spread_row(am_page *p, const char *name, const char *what) {
  static const char *const figures[3] = {"uar", "accuracy", "macro_f1"};
  am_html_printf(p->h, "<tr class=\"sum\"><th scope=\"row\">%s</th><td></td>", name);
  for (int i = 0; i < 3; i++) {
    char path[64];
    snprintf(path, sizeof path, "over_folds.%s.%s", figures[i], what);
    am_page_percent(p, am_results_number(p->r->metrics, path));
  }
  am_html_put(p->h, "<td></td><td></td><td></td></tr>");
}

void am_page_folds(am_page *p) {
  if (!p->r->n_folds) return;
  am_html_put(p->h,
              "<section><h2>Fold by fold</h2><p class=\"faint\">Per cent. The epoch is the one whose weights "
              "were kept; sd is the standard deviation over the runs. UAR and F1 are means over the classes that a "
              "fold has clips of.</p>");
  am_page_table_open(p, "Figures per fold", "wide");
  am_page_heads(p, "Fold|>Clips|>UAR|>Accuracy|>F1|>Classes|>Epoch|>Time");
  for (size_t i = 0; i < p->r->n_folds; i++) fold_row(p, &p->r->folds[i]);
  if (p->r->n_finished > 1) {
    spread_row(p, "mean", "mean");
    spread_row(p, "sd", "sd");
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  double uar = am_results_number(p->r->metrics, "mean_of_seeds.uar"),
         scored = am_results_number(p->r->metrics, "mean_of_seeds.classes_scored");
  if (isfinite(uar))
    am_html_printf(p->h,
                   "<p>The seeds as one model, by the mean of their probabilities, all folds pooled: UAR "
                   "<b>%.1f %%</b>, accuracy <b>%.1f %%</b>",
                   100 * uar, 100 * am_results_number(p->r->metrics, "mean_of_seeds.accuracy"));
  if (isfinite(uar) && isfinite(scored))
    am_html_printf(p->h, "; UAR over %.0f classes, chance %.1f&#8239;%%", scored, 100 / scored);
  if (isfinite(uar)) am_html_put(p->h, ".</p>");
  am_html_put(p->h, "</section>\n");
}

/* ---- learning curves ---- */

typedef struct diagram {
  const char *file, *title, *y_name;
  size_t figure; /* its place in am_epoch */
  double factor;
} diagram;

static double figure_of(const am_epoch *e, const diagram *d) {
  const double *at = (const double *)(const void *)((const char *)e + d->figure);
  return d->factor * *at;
}

/* y (F,E): what each fold had after each epoch, the mean over its seeds; NaN where none had. */
static void fold_means(const am_page *p, const diagram *d, size_t folds, size_t epochs, double *y) {
  const am_results *r = p->r;
  for (size_t f = 0; f < folds; f++)
    for (size_t e = 0; e < epochs; e++) {
      double sum = 0, n = 0;
      for (size_t i = 0; i < r->n_folds; i++) {
        const am_fold *run = &r->folds[i];
        if (run->fold != r->folds[f].fold || e >= run->n) continue;
        double value = figure_of(&r->history.at[run->first + e], d);
        if (isfinite(value)) sum += value, n++;
      }
      y[f * epochs + e] = n > 0 ? sum / n : NAN;
    }
}

/* y (F,E) becomes (3,E): over the folds the lowest, the mean, the highest. */
static void extremes(size_t folds, size_t epochs, double *y) {
  for (size_t e = 0; e < epochs; e++) {
    double low = INFINITY, high = -INFINITY, sum = 0, n = 0;
    for (size_t f = 0; f < folds; f++) {
      double value = y[f * epochs + e];
      if (!isfinite(value)) continue;
      low = fmin(low, value), high = fmax(high, value), sum += value, n++;
    }
    y[e] = n > 0 ? low : NAN;
    y[epochs + e] = n > 0 ? sum / n : NAN;
    y[2 * epochs + e] = n > 0 ? high : NAN;
  }
}

static void draw(am_page *p, const diagram *d, size_t folds, size_t epochs, const double *x, double *y) {
  static const char *const over[3] = {"lowest", "mean", "highest"};
  am_curves c = {.y_name = d->y_name, .mark = NAN};
  char names[MOST_CURVES][32];
  fold_means(p, d, folds, epochs, y);
  if (folds > MOST_CURVES) extremes(folds, epochs, y);
  for (size_t i = 0; i < (folds > MOST_CURVES ? 3 : folds); i++) {
    snprintf(names[i], sizeof names[i], "%s%" PRId64, c.n ? "" : "fold ", p->r->folds[i].fold);
    am_curves_put(&c, folds > MOST_CURVES ? over[i] : names[i], epochs, x, y + i * epochs);
  }
  am_page_curves_figure(p, d->file, d->title, &c, NULL);
}

void am_page_fold_curves(am_page *p) {
  const char *loss = am_page_loss_name(p);
  const diagram diagrams[] = {
      {"training-loss", "Loss in training", loss, offsetof(am_epoch, train_loss), 1},
      {"validation-loss", "Loss in validation", loss, offsetof(am_epoch, validation_loss), 1},
      {"training-accuracy", "Accuracy in training", "per cent", offsetof(am_epoch, train_accuracy), 100},
      {"validation-recall", "Unweighted average recall in validation", "per cent", offsetof(am_epoch, validation_uar),
       100},
      {"validation-ccc", "Mean concordance in validation", "CCC", offsetof(am_epoch, validation_ccc), 1}};
  size_t folds = distinct_folds(p), epochs = 0;
  for (size_t i = 0; i < p->r->n_folds; i++)
    if (p->r->folds[i].n > epochs) epochs = p->r->folds[i].n;
  if (!epochs) return;
  double *x = am_alloc(p->ctx, epochs, sizeof *x), *y = am_alloc(p->ctx, am_mul(folds, epochs), sizeof *y);
  if (!x || !y) p->h.out->failed = true;
  for (size_t e = 0; x && e < epochs; e++) x[e] = (double)(e + 1);
  am_html_put(p->h, "<section><h2>Learning curves</h2><p class=\"faint\">");
  am_html_put(
      p->h, folds > MOST_CURVES ? "Of all folds after each epoch: the lowest, the mean, the highest" : "A line a fold");
  am_html_put(p->h, am_page_seeds(p) > 1 ? "; of a fold the mean over its seeds" : "");
  am_html_put(p->h, am_page_tells_values(p)
                        ? ".</p>"
                        : ". Average recall is over the classes that a fold's validation part has.</p>");
  am_html_put(p->h, "<div class=\"figures\">");
  for (size_t i = 0; x && y && i < sizeof diagrams / sizeof *diagrams; i++) draw(p, &diagrams[i], folds, epochs, x, y);
  am_html_put(p->h, "</div></section>\n");
  am_free(p->ctx, x);
  am_free(p->ctx, y);
}
