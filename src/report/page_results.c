/* report/page_results.c - how good the run is: figures, emotions, calibration, mistakes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

enum { BINS = 15, SHOWN_WRONG = 15 };

static const am_part_results *main_part(const am_page *p) { return p->r->n_parts ? &p->r->parts[0] : NULL; }

/* ---- head ---- */

void am_page_head(am_page *p) {
  am_html h = p->h;
  const char *state = am_results_text(p->r->facts, "state"),
             *written = am_results_text(p->r->facts, "written");
  am_html_put(h, "<header><p class=\"kicker\">AudioMood, a run</p>");
  am_html_element(h, "h1", p->r->config->name);
  if (p->r->config->description && *p->r->config->description)
    am_html_element(h, "p", p->r->config->description);
  am_html_put(h, "<p class=\"faint\">");
  am_html_text(h, am_results_text(p->r->facts, "data.title"));
  if (written && strlen(written) >= 16)
    am_html_printf(h, " &#183; %s <time>%.4s-%.2s-%.2s %.2s:%.2s UTC</time>",
                   state && strcmp(state, "finished") == 0 ? "finished" : "written", written, written + 5,
                   written + 8, written + 11, written + 14);
  am_html_put(h, "</p></header>\n");
  if (am_results_true(p->r->metrics, "synthetic"))
    am_html_put(h,
                "<p class=\"note warn\"><strong>Synthetic speech.</strong> These sounds were made by a "
                "program: the figures on this page say nothing about real speech.</p>\n");
}

/* ---- the result in short ---- */

static void card(am_page *p, const char *name, double share, double low, double high) {
  am_html_put(p->h, "<div class=\"card\">");
  am_html_element(p->h, "span", name);
  if (isnan(share)) am_html_put(p->h, "<b>-</b>");
  else am_html_printf(p->h, "<b>%.1f&#8239;%%</b>", 100 * share);
  if (isfinite(low) && isfinite(high))
    am_html_printf(p->h, "<span>95&#8239;%% interval %.1f to %.1f</span>", 100 * low, 100 * high);
  am_html_put(p->h, "</div>");
}

static void split_statement(am_page *p) {
  const char *note = am_results_text(p->r->metrics, "split_note");
  bool apart = am_results_true(p->r->metrics, "speaker_independent");
  am_html_put(p->h, apart ? "<p class=\"note\"><strong>Speaker-independent.</strong> No speaker of these "
                            "clips was heard in training."
                          : "<p class=\"note warn\"><strong>Not speaker-independent.</strong> Speakers of "
                            "these clips are also in the training part, or are not known. New voices will be "
                            "recognised less well.");
  if (note && *note) {
    am_html_put(p->h, " Split: ");
    am_html_text(p->h, note);
    am_html_put(p->h, ".");
  }
  am_html_put(p->h, "</p>\n");
  if (am_results_true(p->r->metrics, "transductive"))
    am_html_put(p->h,
                "<p class=\"note warn\">Features are normalised with statistics of all clips of a speaker, "
                "the tested ones too: a single clip of a new speaker will not do as well.</p>\n");
}

static void part_row(am_page *p, const char *name, const char *what, const am_metrics *m) {
  am_html_printf(p->h, "<tr><th scope=\"row\">%s%s</th>", name, what);
  am_page_count(p, m->n);
  am_page_percent(p, m->uar);
  am_page_percent(p, m->accuracy);
  am_page_percent(p, m->macro_f1);
  if (isnan(m->loss)) am_html_put(p->h, "<td class=\"n\">-</td></tr>");
  else am_html_printf(p->h, "<td class=\"n\">%.3f</td></tr>", m->loss);
}

static void both_parts(am_page *p) {
  am_page_table_open(p, "Results by part", "");
  am_page_heads(p, "Part|>Clips|>UAR|>Accuracy|>F1|>Loss");
  for (int i = 0; i < p->r->n_parts; i++) {
    const am_part_results *part = &p->r->parts[i];
    part_row(p, part->name, "", part->metrics);
    if (part->utterances.n) part_row(p, part->name, ", whole utterances", &part->utterances);
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
}

void am_page_result(am_page *p) {
  const am_part_results *part = main_part(p);
  if (!part) {
    am_html_put(p->h,
                "<section><h2>Result</h2><p>Nothing was held out: this run trained on every clip, so how "
                "well it does on others is not known.</p></section>\n");
    return;
  }
  const am_metrics *m = part->metrics;
  am_html_printf(p->h, "<section><h2>Result on the %s part</h2><div class=\"cards\">", part->name);
  card(p, "Unweighted average recall", m->uar, m->uar_low, m->uar_high);
  card(p, "Accuracy", m->accuracy, m->low, m->high);
  card(p, "Macro F1", m->macro_f1, NAN, NAN);
  am_html_printf(p->h,
                 "</div><p class=\"faint\">%zu clips, %d emotions; chance is %.1f&#8239;%% average recall. "
                 "Intervals: ",
                 m->n, m->classes, 100.0 / m->classes);
  am_html_text(p->h, m->interval);
  am_html_printf(p->h, ". Weights of epoch %.0f, the best by ",
                 am_results_number(p->r->metrics, "best_epoch"));
  const char *by = am_results_text(p->r->config->effective, "train.monitor");
  char *monitor = am_strdup(p->ctx, by ? by : "");
  for (char *c = monitor; c && *c; c++)
    if (*c == '_') *c = ' ';
  am_html_text(p->h, monitor);
  am_free(p->ctx, monitor);
  am_html_put(p->h, ".</p>\n");
  split_statement(p);
  if (p->r->n_parts > 1 || part->utterances.n) both_parts(p);
  am_html_put(p->h, "</section>\n");
}

/* ---- per emotion ---- */

static void emotion_table(am_page *p, const am_part_results *part) {
  const am_metrics *m = part->metrics;
  am_page_table_open(p, "Figures per emotion", "wide");
  am_page_heads(p, "Emotion|>Recall||>Precision|>F1|>Clips");
  for (int k = 0; k < m->classes; k++) {
    am_html_put(p->h, "<tr>");
    am_html_element(p->h, "th scope=\"row\"", part->labels[k]);
    am_page_percent(p, m->recall[k]);
    am_html_put(p->h, "<td class=\"bar\"><i style=\"--v:");
    am_html_number(p->h, m->recall[k]);
    am_html_put(p->h, "\"></i></td>");
    am_page_percent(p, m->precision[k]);
    am_page_percent(p, m->f1[k]);
    am_page_count(p, m->support[k]);
    am_html_put(p->h, "</tr>");
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
}

static void confusion_row(am_page *p, const am_part_results *part, int i) {
  const am_metrics *m = part->metrics;
  am_html_put(p->h, "<tr>");
  am_html_element(p->h, "th scope=\"row\"", part->labels[i]);
  for (int k = 0; k < m->classes; k++) {
    uint64_t count = m->confusion[i * m->classes + k], row = m->support[i] ? m->support[i] : 1;
    double share = (double)count / (double)row;
    am_html_printf(p->h, "<td%s", i == k && count ? " class=\"hit\"" : "");
    if (count) {
      am_html_put(p->h, " style=\"--s:");
      am_html_number(p->h, share);
      am_html_printf(p->h, "\">%llu<small>%.0f&#8239;%%</small></td>", (unsigned long long)count,
                     100 * share);
    } else {
      am_html_put(p->h, " style=\"--s:0\"><span class=\"faint\">0</span></td>");
    }
  }
  am_html_put(p->h, "</tr>");
}

static void confusion_table(am_page *p, const am_part_results *part) {
  am_page_table_open(p, "Confusion matrix", "grid confusion");
  am_html_put(p->h, "<thead><tr><th scope=\"col\">true \\ predicted</th>");
  for (int k = 0; k < part->metrics->classes; k++) {
    am_html_put(p->h, "<th scope=\"col\" class=\"up\">");
    am_html_element(p->h, "span", part->labels[k]);
    am_html_put(p->h, "</th>");
  }
  am_html_put(p->h, "</tr></thead><tbody>");
  for (int i = 0; i < part->metrics->classes; i++) confusion_row(p, part, i);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
}

static am_status draw_confusion(am_context *ctx, const am_plot_style *style, const char *title,
                                const void *what, am_buffer *out, am_error *err) {
  const am_part_results *part = what;
  return am_plot_confusion(ctx, style, title, part->labels, part->metrics->classes, part->metrics->confusion,
                           out, err);
}

/* The page has the matrix as a table, which can be read aloud and copied; the picture is a file only. */
static void confusion_file(am_page *p, const am_part_results *part) {
  char *name = am_format(p->ctx, "confusion%s", part == main_part(p) ? "" : "-validation");
  am_figure figure = {.name = name, .title = "Confusion matrix", .draw = draw_confusion, .what = part};
  if (name) am_page_figure(p, &figure, NULL);
  else p->h.out->failed = true;
  am_free(p->ctx, name);
}

void am_page_emotions(am_page *p) {
  if (!main_part(p)) return;
  am_html_put(p->h,
              "<section><h2>Per emotion</h2><p class=\"faint\">Per cent. Recall: of the clips of an emotion, "
              "the share that was recognised. Precision: of the clips given this emotion, the share that was "
              "right.</p>");
  emotion_table(p, main_part(p));
  am_html_put(p->h,
              "</section>\n<section><h2>Confusion matrix</h2><p class=\"faint\">Rows are the true emotion, "
              "columns the predicted one: clips, and their share of the row.</p>");
  confusion_table(p, main_part(p));
  confusion_file(p, main_part(p));
  am_html_put(p->h, "</section>\n");
  if (p->r->n_parts < 2) return;
  am_html_put(p->h,
              "<details><summary>The same for the validation part</summary><p class=\"faint\">The best epoch "
              "was chosen on these clips, so their figures are on the hopeful side.</p>");
  emotion_table(p, &p->r->parts[1]);
  confusion_table(p, &p->r->parts[1]);
  confusion_file(p, &p->r->parts[1]);
  am_html_put(p->h, "</details>\n");
}

/* ---- calibration ---- */

typedef struct bins {
  am_reliability_bin at[BINS];
} bins;

static am_status draw_reliability(am_context *ctx, const am_plot_style *style, const char *title,
                                  const void *what, am_buffer *out, am_error *err) {
  return am_plot_reliability(ctx, style, title, ((const bins *)what)->at, BINS, out, err);
}

void am_page_calibration(am_page *p) {
  const am_part_results *part = main_part(p);
  if (!part) return;
  bins b = {0};
  double sure = 0;
  for (size_t i = 0; i < part->metrics->n; i++) {
    const am_prediction *at = &part->predictions[i];
    int bin = (int)ceil(at->confidence * BINS) - 1; /* the bins of the calibration error (train/metrics.c) */
    am_reliability_bin *to = &b.at[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin];
    to->confidence += at->confidence;
    to->right += at->truth == at->predicted;
    to->clips++;
    sure += at->confidence;
  }
  double mean = part->metrics->n ? sure / (double)part->metrics->n : 0;
  am_html_put(p->h, "<section><h2>Calibration</h2>");
  am_html_printf(p->h,
                 "<p>Mean probability of the prediction %.1f&#8239;%%, right in %.1f&#8239;%%: the model is "
                 "%s. Expected calibration error %.1f&#8239;%% over %d bins.</p>",
                 100 * mean, 100 * part->metrics->accuracy,
                 mean > part->metrics->accuracy + 0.02   ? "surer than it should be"
                 : mean < part->metrics->accuracy - 0.02 ? "less sure than it could be"
                                                         : "about as sure as it is right",
                 100 * part->metrics->ece, BINS);
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
  am_html_put(p->h, "</section>\n");
}

/* ---- confidently wrong ---- */

static int surest_first(const void *a, const void *b) {
  const am_prediction *x = a, *y = b;
  if (x->confidence != y->confidence) return x->confidence < y->confidence ? 1 : -1;
  return strcmp(x->clip, y->clip);
}

static void wrong_row(am_page *p, const am_part_results *part, const am_prediction *at) {
  am_html_put(p->h, "<tr><td class=\"path\">");
  am_html_text(p->h, at->clip);
  if (*at->speaker) {
    am_html_put(p->h, "<small>speaker ");
    am_html_text(p->h, at->speaker);
    am_html_put(p->h, "</small>");
  }
  am_html_put(p->h, "</td>");
  am_html_put(p->h, "<td>");
  am_html_text(p->h, part->labels[at->truth]);
  am_html_printf(p->h, "<small>%.1f</small></td>", 100 * at->of_truth);
  am_html_element(p->h, "td", part->labels[at->predicted]);
  am_page_percent(p, at->confidence);
  am_html_put(p->h, "</tr>");
}

void am_page_wrong(am_page *p) {
  const am_part_results *part = main_part(p);
  if (!part) return;
  am_prediction *wrong = am_alloc(p->ctx, part->metrics->n + 1, sizeof *wrong);
  size_t n = 0;
  if (!wrong) {
    p->h.out->failed = true;
    return;
  }
  for (size_t i = 0; i < part->metrics->n; i++)
    if (part->predictions[i].truth != part->predictions[i].predicted) wrong[n++] = part->predictions[i];
  qsort(wrong, n, sizeof *wrong, surest_first);
  am_html_put(p->h, "<section><h2>Most confidently wrong</h2>");
  if (!n) {
    am_html_put(p->h, "<p>No clip of this part was mistaken.</p>");
  } else {
    am_html_printf(p->h,
                   "<p class=\"faint\">%zu of %zu clips were mistaken; these with the highest probability. "
                   "Below the true emotion stands what it was given (per cent).</p>",
                   n, part->metrics->n);
    am_page_table_open(p, "Clips most confidently wrong", "wide");
    am_page_heads(p, "Clip|True|Predicted|>Probability");
    for (size_t i = 0; i < n && i < SHOWN_WRONG; i++) wrong_row(p, part, &wrong[i]);
    am_html_put(p->h, "</tbody>");
    am_page_table_close(p);
  }
  am_html_put(p->h, "</section>\n");
  am_free(p->ctx, wrong);
}
