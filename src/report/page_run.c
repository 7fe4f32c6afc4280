/* SPDX-License-Identifier: MIT */
/* report/page_run.c - how the run or the runs went: learning curves, time, settings. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"

/* ---- learning curves ---- */

static am_status draw_curves(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                             am_buffer *out, am_error *err) {
  const am_curves *c = what;
  return am_plot_curves(ctx, style, title, "epoch", c->y_name, c->at, c->n, c->mark, out, err);
}

/* "training from 2.20 to 2.10, validation from ..." */
static void describe(am_page *p, const char *title, const am_curves *c, am_buffer *out) {
  am_buffer_printf(p->ctx, out, "%s per epoch", title);
  for (size_t i = 0; i < c->n; i++) {
    double first = NAN, last = NAN;
    for (size_t j = 0; j < c->at[i].n; j++)
      if (isfinite(c->at[i].y[j])) {
        if (isnan(first)) first = c->at[i].y[j];
        last = c->at[i].y[j];
      }
    if (isfinite(first))
      am_buffer_printf(p->ctx, out, "%s %s from %.4g to %.4g", i ? "," : ":", c->at[i].name, first, last);
  }
}

void am_page_curves_figure(am_page *p, const char *name, const char *title, const am_curves *c, const char *caption) {
  am_buffer text = {0};
  if (!c->n) return;
  describe(p, title, c, &text);
  am_figure figure = {
      .name = name, .title = title, .caption = caption, .width = 360, .height = 250, .draw = draw_curves, .what = c};
  if (text.failed) p->h.out->failed = true;
  else am_page_figure(p, &figure, text.data);
  am_buffer_free(p->ctx, &text);
}

static bool any(const double *y, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (isfinite(y[i])) return true;
  return false;
}

void am_curves_put(am_curves *c, const char *name, size_t n, const double *x, const double *y) {
  if (any(y, n) && c->n < sizeof c->at / sizeof *c->at) c->at[c->n++] = (am_curve){name, n, x, y};
}

static bool varies(const double *y, size_t n) {
  for (size_t i = 1; i < n; i++)
    if (y[i] != y[0]) return true;
  return false;
}

/* What the recall of validation is a mean over; NULL without such a part. */
static const char *recall_caption(const am_page *p, char out[96]) {
  for (int i = 0; i < p->r->n_parts; i++) {
    const am_part_results *part = &p->r->parts[i];
    if (strcmp(part->name, "validation")) continue;
    snprintf(out, 96, "Average recall over %d of %d classes of the validation part; chance is %.1f %%.",
             part->metrics->scored, part->metrics->classes, 100 * am_metrics_chance(part->metrics));
    return out;
  }
  return NULL;
}

const char *am_page_loss_name(const am_page *p) {
  switch (p->r->config->loss.kind) {
    case AM_LOSS_CCC: return "1 - concordance";
    case AM_LOSS_MSE: return "squared error";
    default: return "cross-entropy";
  }
}

void am_page_curves(am_page *p) {
  size_t n = p->r->history.n;
  enum { COLUMNS = 8 };
  double *column[COLUMNS] = {NULL}; /* epoch, losses, shares, rate, concordance */
  bool room = true;
  for (int i = 0; i < COLUMNS; i++) room = (column[i] = am_alloc(p->ctx, n + 1, sizeof **column)) != NULL && room;
  if (!room) p->h.out->failed = true;
  for (size_t i = 0; i < n && room; i++) {
    const am_epoch *e = &p->r->history.at[i];
    const double row[COLUMNS] = {(double)e->epoch,
                                 e->train_loss,
                                 e->validation_loss,
                                 100 * e->train_accuracy,
                                 100 * e->validation_accuracy,
                                 100 * e->validation_uar,
                                 e->learning_rate,
                                 e->validation_ccc};
    for (int k = 0; k < COLUMNS; k++) column[k][i] = row[k];
  }
  double best = am_results_number(p->r->metrics, "best_epoch");
  if (room) {
    am_curves loss = {.y_name = am_page_loss_name(p), .mark = best}, agreement = {.y_name = "CCC", .mark = best},
              share = {.y_name = "per cent", .mark = best}, rate = {.y_name = "learning rate", .mark = NAN};
    am_curves_put(&loss, "training", n, column[0], column[1]);
    am_curves_put(&loss, "validation", n, column[0], column[2]);
    am_curves_put(&share, "training", n, column[0], column[3]);
    am_curves_put(&share, "validation", n, column[0], column[4]);
    am_curves_put(&share, "val. recall", n, column[0], column[5]);
    am_curves_put(&agreement, "validation", n, column[0], column[7]);
    if (varies(column[6], n)) am_curves_put(&rate, "learning rate", n, column[0], column[6]);
    am_html_put(p->h, "<section><h2>Learning curves</h2>");
    if (!n) am_html_put(p->h, "<p>No epoch was finished.</p>");
    else if (isfinite(best) && best >= 1)
      am_html_printf(p->h, "<p class=\"faint\">The upright line is epoch %.0f, whose weights were kept.</p>", best);
    am_html_put(p->h, "<div class=\"figures\">");
    am_page_curves_figure(p, "loss", "Loss", &loss, NULL);
    char over[96];
    am_page_curves_figure(p, "accuracy", "Accuracy and unweighted average recall", &share, recall_caption(p, over));
    am_page_curves_figure(p, "concordance", "Mean concordance", &agreement, NULL);
    am_page_curves_figure(p, "learning-rate", "Learning rate", &rate, NULL);
    am_html_put(p->h, "</div></section>\n");
  }
  for (int i = 0; i < COLUMNS; i++) am_free(p->ctx, column[i]);
}

/* ---- time ---- */

static void number_item(am_page *p, const char *name, double number) {
  char text[32];
  snprintf(text, sizeof text, "%.0f", number);
  if (isfinite(number)) am_page_item(p, name, text);
}

void am_page_time(am_page *p) {
  const am_tree *facts = p->r->facts;
  double seconds = 0, clips = 0, total = p->r->crossval ? 0 : am_results_number(p->r->metrics, "seconds");
  for (size_t i = 0; i < p->r->n_folds; i++) total += p->r->folds[i].finished ? p->r->folds[i].seconds : 0;
  for (size_t i = 0; i < p->r->history.n; i++) {
    const am_epoch *e = &p->r->history.at[i];
    if (!isfinite(e->seconds)) continue;
    seconds += e->seconds;
    if (isfinite(e->clips_per_second)) clips += e->seconds * e->clips_per_second;
  }
  char text[160], whole[32], one[32];
  am_html_put(p->h, "<section><h2>Time and speed</h2><dl class=\"short\">");
  am_seconds_text(total, whole);
  if (isfinite(total)) am_page_item(p, p->r->crossval ? "All runs" : "Whole run", whole);
  if (p->r->history.n) {
    am_seconds_text(seconds / (double)p->r->history.n, one);
    snprintf(text, sizeof text, "%s (mean of %zu)", one, p->r->history.n);
    am_page_item(p, "An epoch", text);
  }
  if (seconds > 0 && clips > 0) {
    snprintf(text, sizeof text, "%.0f clips a second in training", clips / seconds);
    am_page_item(p, "Speed", text);
  }
  if (!p->r->crossval) number_item(p, "Steps", am_results_number(facts, "steps"));
  number_item(p, "Weights", am_results_number(facts, "parameters"));
  const char *cpu = am_results_text(facts, "cpu");
  double threads = am_results_number(facts, "threads");
  if (cpu && isfinite(threads)) {
    snprintf(text, sizeof text, "%.32s kernels, %.0f thread%s", cpu, threads, threads == 1 ? "" : "s");
    am_page_item(p, "Processor", text);
  }
  const char *names[3] = {"system", "release", "machine"}, *system[3];
  for (int i = 0; i < 3; i++) system[i] = am_results_text(facts, names[i]);
  snprintf(text, sizeof text, "%.40s %.60s %.40s", system[0] ? system[0] : "", system[1] ? system[1] : "",
           system[2] ? system[2] : "");
  am_page_item(p, "System", text);
  am_page_item(p, "AudioMood", am_results_text(facts, "version"));
  if (!p->r->crossval) am_page_item(p, "Started", am_results_text(facts, "started"));
  am_html_put(p->h, "</dl></section>\n");
}

/* ---- settings ---- */

void am_page_settings(am_page *p) {
  am_html_put(p->h,
              "<section><h2>Settings</h2><details><summary>The whole config, defaults filled in</summary>"
              "<pre tabindex=\"0\">");
  am_html_text(p->h, p->r->config_text);
  am_html_put(p->h, "</pre></details></section>\n");
}
