/* SPDX-License-Identifier: MIT */
/* report/page_calibration.c - how sure the model is: how often it is right then, and what is left when only the surest answers are
 * taken. */
#include <math.h>
#include <stdio.h>

#include "model/coverage.h"
#include "report/page.h"

enum { BINS = 15, MARKS = 3 };

typedef struct bins {
  am_reliability_bin at[BINS];
} bins;

static am_status draw_reliability(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                                  am_buffer *out, am_error *err) {
  return am_plot_reliability(ctx, style, title, ((const bins *)what)->at, BINS, out, err);
}

static void reliability(am_page *p, const am_part_results *part) {
  bins b = {0};
  for (size_t i = 0; i < part->metrics->n; i++) {
    const am_prediction *at = &part->predictions.at[i];
    int bin = (int)ceil(at->confidence * BINS) - 1; /* the bins of the calibration error (model/metrics.c) */
    am_reliability_bin *to = &b.at[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin];
    to->confidence += at->confidence;
    to->right += at->truth == at->predicted;
    to->clips++;
  }
  char description[160];
  snprintf(description, sizeof description,
           "Reliability diagram over %d bins; expected calibration error %.1f per cent", BINS,
           100 * part->metrics->ece);
  am_figure figure = {.name = "calibration",
                      .title = "Reliability",
                      .width = 360,
                      .height = 330,
                      .draw = draw_reliability,
                      .what = &b,
                      .caption =
                          "Bars: share of right predictions among those of a certain probability. Dots: the "
                          "same at the mean probability, larger for more clips. On the diagonal both agree."};
  am_page_figure(p, &figure, description);
}

static void tell_calibration(am_page *p, const am_part_results *part) {
  double sure = 0;
  for (size_t i = 0; i < part->metrics->n; i++) sure += part->predictions.at[i].confidence;
  double mean = part->metrics->n ? sure / (double)part->metrics->n : 0;
  am_html_printf(p->h,
                 "<p>Mean probability of the prediction %.1f&#8239;%%, right in %.1f&#8239;%%: the model is "
                 "%s. Expected calibration error %.1f&#8239;%% over %d bins.</p>",
                 100 * mean, 100 * part->metrics->accuracy,
                 mean > part->metrics->accuracy + 0.02   ? "surer than it should be"
                 : mean < part->metrics->accuracy - 0.02 ? "less sure than it could be"
                                                         : "about as sure as it is right",
                 100 * part->metrics->ece, BINS);
}

/* ---- risk over coverage ---- */

typedef struct surest {
  size_t n;
  double *risk; /* (n) */
  am_risk_mark marks[MARKS];
  char texts[MARKS][64];
  size_t n_marks;
} surest;

static am_status draw_risk(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                           am_buffer *out, am_error *err) {
  const surest *s = what;
  return am_plot_risk(ctx, style, title, s->risk, s->n, s->marks, s->n_marks, out, err);
}

static double number_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  double number;
  return v && am_value_to_real(v, &number) ? number : NAN;
}

static void mark(surest *s, double coverage, double precision, const char *name, bool below) {
  char *text = s->texts[s->n_marks];
  snprintf(text, sizeof s->texts[0], "%s: %.0f %%", name, 100 * coverage);
  s->marks[s->n_marks++] = (am_risk_mark){coverage, 1 - precision, text, below};
}

/* At the thresholds of the model, where it has some: what the file says. */
static void answered(am_page *p, const am_part_results *part, surest *s) {
  const am_value *given = am_value_get(part->value, "answered");
  const double share = number_of(given, "coverage"), precision = number_of(given, "precision"),
               wanted = number_of(given, "wanted_precision");
  if (!isfinite(share)) return;
  am_html_printf(p->h, "<p>With its thresholds the model answers %.1f&#8239;%% of the clips", 100 * share);
  if (isfinite(precision)) am_html_printf(p->h, ", and %.1f&#8239;%% of the answers are right", 100 * precision);
  if (isfinite(wanted)) am_html_printf(p->h, " (wanted: %.0f&#8239;%%)", 100 * wanted);
  am_html_put(p->h, "; the others are <i>uncertain</i>.</p>");
  if (isfinite(precision)) mark(s, share, precision, "thresholds", true);
}

static void tell_surest(am_page *p, const am_answer *at, surest *s) {
  static const double precisions[] = {0.9, 0.8};
  double threshold;
  am_html_printf(p->h, "<p>Area of risk by coverage %.4f.", am_answers_area(at, s->n));
  for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
    const double share = am_answers_coverage(at, s->n, precisions[i], &threshold);
    char name[32];
    am_html_printf(p->h, " Of the surest %.1f&#8239;%% of the clips %.0f&#8239;%% are right.", 100 * share,
                   100 * precisions[i]);
    snprintf(name, sizeof name, "%.0f %% right", 100 * precisions[i]);
    if (share > 0 && share < 1) mark(s, share, 1 - s->risk[(size_t)lround(share * (double)s->n) - 1], name, false);
  }
  am_html_put(p->h, "</p>");
}

static void risk_figure(am_page *p, const surest *s) {
  char description[160];
  snprintf(description, sizeof description,
           "Risk by coverage: wrong of the surest tenth of the clips %.1f per cent, of half of them %.1f, of all %.1f",
           100 * s->risk[(s->n - 1) / 10], 100 * s->risk[(s->n - 1) / 2], 100 * s->risk[s->n - 1]);
  am_figure figure = {.name = "risk-coverage",
                      .title = "Risk by coverage",
                      .width = 360,
                      .height = 330,
                      .draw = draw_risk,
                      .what = s,
                      .caption =
                          "Clips sorted by the probability of the prediction, and the share that is wrong among the "
                          "surest of them. The best order has all that is right first. Dots: the largest shares of "
                          "the clips of which 90 and 80 % are right"};
  am_page_figure(p, &figure, description);
}

void am_page_calibration(am_page *p) {
  const am_part_results *part = p->r->n_parts ? &p->r->parts[0] : NULL;
  if (!part) return;
  surest s = {.n = part->metrics->n};
  am_answer *at = am_alloc(p->ctx, s.n + 1, sizeof *at);
  s.risk = am_alloc(p->ctx, s.n + 1, sizeof *s.risk);
  if (!at || !s.risk) p->h.out->failed = true;
  for (size_t i = 0; i < s.n && at; i++) {
    const am_prediction *one = &part->predictions.at[i];
    at[i] = (am_answer){one->confidence, one->predicted, one->truth == one->predicted};
  }
  am_html_put(p->h,
              p->r->crossval ? "<section><h2>Calibration, all folds pooled</h2>" : "<section><h2>Calibration</h2>");
  if (at && s.risk && s.n) {
    am_answers_sort(at, s.n);
    am_answers_risk(at, s.n, s.risk);
    tell_calibration(p, part);
    tell_surest(p, at, &s);
    answered(p, part, &s);
    am_html_put(p->h, "<div class=\"figures\">");
    reliability(p, part);
    risk_figure(p, &s);
    am_html_put(p->h, "</div>");
  }
  am_html_put(p->h, "</section>\n");
  am_free(p->ctx, at);
  am_free(p->ctx, s.risk);
}
