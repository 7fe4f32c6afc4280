/* SPDX-License-Identifier: MIT */
/* report/page_results.c - how good the run is, or all folds together: figures, emotions, mistakes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

enum { SHOWN_WRONG = 15 };

static const am_part_results *main_part(const am_page *p) { return p->r->n_parts ? &p->r->parts[0] : NULL; }

/* ---- head ---- */

void am_page_head(am_page *p) {
  am_html h = p->h;
  const char *state = am_results_text(p->r->crossval ? p->r->metrics : p->r->facts, "state"),
             *written = am_results_text(p->r->facts, "written");
  am_html_put(h, p->r->crossval ? "<header><p class=\"kicker\">AudioMood, a cross-validation</p>"
                                : "<header><p class=\"kicker\">AudioMood, a run</p>");
  am_html_element(h, "h1", p->r->config->name);
  if (p->r->config->description && *p->r->config->description) am_html_element(h, "p", p->r->config->description);
  am_html_put(h, "<p class=\"faint\">");
  am_html_text(h, am_results_text(p->r->facts, "data.title"));
  if (written && strlen(written) >= 16)
    am_html_printf(h, " &#183; %s <time>%.4s-%.2s-%.2s %.2s:%.2s UTC</time>",
                   state && strcmp(state, "finished") == 0 ? "finished" : "written", written, written + 5, written + 8,
                   written + 11, written + 14);
  am_html_put(h, "</p></header>\n");
  if (am_results_true(p->r->metrics, "synthetic"))
    am_html_put(h,
                "<p class=\"note warn\"><strong>Synthetic speech.</strong> These sounds were made by a "
                "program: the figures on this page say nothing about real speech.</p>\n");
}

/* ---- the result in short ---- */

/* Open, for more lines; `sd` NaN: none. */
static void card_open(am_page *p, const char *name, double share, double sd) {
  am_html_put(p->h, "<div class=\"card\">");
  am_html_element(p->h, "span", name);
  if (isnan(share)) am_html_put(p->h, "<b>-</b>");
  else if (isnan(sd)) am_html_printf(p->h, "<b>%.1f&#8239;%%</b>", 100 * share);
  else am_html_printf(p->h, "<b>%.1f <small>&#177; %.1f</small>&#8239;%%</b>", 100 * share, 100 * sd);
}

static void interval_line(am_page *p, double low, double high) {
  if (isfinite(low) && isfinite(high))
    am_html_printf(p->h, "<span>95&#8239;%% interval %.1f to %.1f</span>", 100 * low, 100 * high);
}

static void card(am_page *p, const char *name, double share, double low, double high) {
  card_open(p, name, share, NAN);
  interval_line(p, low, high);
  am_html_put(p->h, "</div>");
}

/* Of a cross-validation: the mean over its runs, the figure of all clips pooled, the spread over seeds. */
static void spread_card(am_page *p, const char *name, const char *key, double pooled, double low, double high) {
  static const char *const keys[5] = {"over_folds.%s.mean", "over_folds.%s.sd", "over_seeds.%s.mean",
                                      "over_seeds.%s.sd", "over_seeds.%s.n"};
  double number[5];
  for (int i = 0; i < 5; i++) {
    char *path = am_format(p->ctx, keys[i], key);
    number[i] = path ? am_results_number(p->r->metrics, path) : NAN;
    if (!path) p->h.out->failed = true;
    am_free(p->ctx, path);
  }
  card_open(p, name, number[0], number[1]);
  if (isfinite(pooled)) am_html_printf(p->h, "<span>pooled %.1f&#8239;%%</span>", 100 * pooled);
  interval_line(p, low, high);
  if (isfinite(number[2]) && isfinite(number[3]))
    am_html_printf(p->h, "<span>%.1f &#177; %.1f over %.0f seeds</span>", 100 * number[2], 100 * number[3], number[4]);
  am_html_put(p->h, "</div>");
}

static const char *protocol_name(const am_config *c) {
  switch (c->split.kind) {
    case AM_SPLIT_KFOLD: return "folds of whole speakers";
    case AM_SPLIT_LOSO: return "one speaker left out at a time";
    case AM_SPLIT_LOGO: return "one group (session) left out at a time";
    case AM_SPLIT_LOCO: return "one corpus left out at a time";
    default: return "fixed folds";
  }
}

/* "5 folds of whole speakers", "folds of whole speakers, 2 of its 5 folds" */
static void split_words(am_page *p) {
  const char *note = am_results_text(p->r->metrics, "split_note");
  double all = am_results_number(p->r->metrics, "split_folds");
  size_t seeds = am_page_seeds(p), folds = seeds ? p->r->n_folds / seeds : 0;
  if (p->r->crossval) {
    am_html_printf(p->h, " Split: %s", protocol_name(p->r->config));
    if (isfinite(all) && (double)folds < all) am_html_printf(p->h, ", %zu of its %.0f folds.", folds, all);
    else am_html_printf(p->h, ", %zu fold%s.", folds, folds == 1 ? "" : "s");
  } else if (note && *note) {
    am_html_put(p->h, " Split: ");
    am_html_text(p->h, note);
    am_html_put(p->h, ".");
  }
}

/* Texts of a list in the run's files, or of its maps, under a title; nothing where there are none. */
static void list_notes(am_page *p, const char *title, const am_value *list) {
  if (!list || list->kind != AM_LIST || !list->first) return;
  am_html_put(p->h, "<div class=\"note warn\"><strong>");
  am_html_text(p->h, title);
  am_html_put(p->h, "</strong><ul>");
  for (const am_value *v = list->first; v; v = v->next) {
    const am_value *text = v->kind == AM_MAP ? am_value_get(v, "text") : v;
    if (text && text->kind == AM_SCALAR) am_html_element(p->h, "li", text->text);
  }
  am_html_put(p->h, "</ul></div>\n");
}

static void diagnosis(am_page *p) { list_notes(p, "What stands out", am_value_get(main_part(p)->value, "diagnosis")); }

static void split_statement(am_page *p) {
  const char *missing = p->r->crossval ? am_results_text(p->r->metrics, "missing_note")
                                       : am_results_text(p->r->facts, "data.missing_note");
  bool apart = am_results_true(p->r->metrics, "speaker_independent");
  am_html_put(p->h, apart ? "<p class=\"note\"><strong>Speaker-independent.</strong> No speaker of these "
                            "clips was heard in training."
                          : "<p class=\"note warn\"><strong>Not speaker-independent.</strong> Speakers of "
                            "these clips were also heard in training, or may have been. New voices will be "
                            "recognised less well.");
  split_words(p);
  am_html_put(p->h, "</p>\n");
  if (!p->r->crossval) /* a fold's are on its own page */
    list_notes(p, "What is odd about the split", am_value_find(am_tree_root(p->r->facts), "data.doubts"));
  if (am_results_true(p->r->metrics, p->r->crossval ? "pooled.transductive" : "transductive"))
    am_html_put(p->h,
                "<p class=\"note warn\">Features are normalised with statistics of all clips of a speaker or corpus, "
                "the tested ones too: a single clip of a new one will not do as well.</p>\n");
  if (!missing || !*missing) return;
  am_html_put(p->h, "<p class=\"note warn\"><strong>Clips are missing.</strong> ");
  am_html_text(p->h, missing);
  am_html_put(p->h, "</p>\n");
}

void am_page_statements(am_page *p) {
  diagnosis(p);
  split_statement(p);
}

static void part_row(am_page *p, const char *name, const char *what, const am_metrics *m, const am_metrics *clips) {
  am_html_printf(p->h, "<tr><th scope=\"row\">%s%s</th>", name, what);
  am_page_count(p, m->n);
  am_page_percent(p, m->uar);
  am_page_percent(p, m->accuracy);
  am_page_percent(p, m->macro_f1);
  am_html_printf(p->h, "<td class=\"n\">%d of %d</td>", clips->scored, clips->classes);
  if (isnan(m->loss)) am_html_put(p->h, "<td class=\"n\">-</td></tr>");
  else am_html_printf(p->h, "<td class=\"n\">%.3f</td></tr>", m->loss);
}

static void both_parts(am_page *p) {
  am_page_table_open(p, "Results by part", "");
  am_page_heads(p, "Part|>Clips|>UAR|>Accuracy|>F1|>Classes|>Loss");
  for (int i = 0; i < p->r->n_parts; i++) {
    const am_part_results *part = &p->r->parts[i];
    part_row(p, part->name, "", part->metrics, part->metrics);
    if (part->utterances.n) part_row(p, part->name, ", whole utterances", &part->utterances, part->metrics);
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
}

/* "the best by validation loss", "the last one" */
void am_page_monitor(am_page *p) {
  const char *by = am_results_text(p->r->config->effective, "train.monitor");
  bool validated = false; /* without validation the training loss chooses, whatever was asked for */
  for (size_t i = 0; i < p->r->history.n && !validated; i++) validated = isfinite(p->r->history.at[i].validation_loss);
  if (by && !strcmp(by, "last")) {
    am_html_put(p->h, "the last one");
    return;
  }
  char *monitor = am_strdup(p->ctx, validated && by ? by : "train_loss");
  if (!monitor) p->h.out->failed = true;
  for (char *c = monitor; c && *c; c++)
    if (*c == '_') *c = ' ';
  am_html_put(p->h, "the best by ");
  am_html_text(p->h, monitor && !strcmp(monitor, "validation uar")   ? "validation UAR"
                     : monitor && !strcmp(monitor, "validation ccc") ? "validation CCC"
                                                                     : monitor);
  am_free(p->ctx, monitor);
}

/* How far the cross-validation has come, where it is not at its end. */
void am_page_progress(am_page *p) {
  if (p->r->n_finished < p->r->n_folds)
    am_html_printf(p->h,
                   "<p class=\"note warn\"><strong>Not finished.</strong> %zu of %zu runs are; the figures "
                   "are of these.</p>\n",
                   p->r->n_finished, p->r->n_folds);
}

static void pooled_result(am_page *p, const am_part_results *part) {
  const am_metrics *m = part->metrics;
  size_t seeds = am_page_seeds(p);
  am_html_put(p->h, "<section><h2>Result over the folds</h2>");
  am_page_progress(p);
  am_html_put(p->h, "<div class=\"cards\">");
  spread_card(p, "Unweighted average recall", "uar", m->uar, m->uar_low, m->uar_high);
  spread_card(p, "Accuracy", "accuracy", m->accuracy, m->low, m->high);
  spread_card(p, "Macro F1", "macro_f1", m->macro_f1, NAN, NAN);
  if (isfinite(am_results_number(p->r->metrics, "over_folds.utterance_uar.mean"))) {
    bool known = part->utterances.n;
    spread_card(p, "Average recall of utterances", "utterance_uar", known ? part->utterances.uar : NAN, NAN, NAN);
    spread_card(p, "Accuracy of utterances", "utterance_accuracy", known ? part->utterances.accuracy : NAN, NAN, NAN);
  }
  am_html_printf(p->h,
                 "</div><p class=\"faint\">Large: mean &#177; standard deviation over %zu finished run%s%s. "
                 "Pooled: the %zu test clips of all %s together; average recall and F1 are over %d of %d emotions, "
                 "and chance is %.1f&#8239;%% average recall. Intervals: ",
                 p->r->n_finished, p->r->n_finished == 1 ? "" : "s", seeds > 1 ? " (folds of all seeds)" : "", m->n,
                 seeds > 1 ? "runs" : "folds", m->scored, m->classes, 100 * am_metrics_chance(m));
  am_html_text(p->h, m->interval);
  if (seeds > 1) am_html_put(p->h, ". Over seeds: each one's folds pooled first");
  am_html_put(p->h, ". In each run the weights are those of one epoch, ");
  am_page_monitor(p);
  am_html_put(p->h, ".</p>\n");
  diagnosis(p);
  split_statement(p);
  am_html_put(p->h, "</section>\n");
}

static void no_result(am_page *p) {
  am_html_put(p->h, "<section><h2>Result</h2>");
  if (p->r->crossval) am_page_progress(p);
  else
    am_html_put(p->h,
                "<p>Nothing was held out, so how well this run does on clips that it was not trained on is not "
                "known.</p>");
  am_html_put(p->h, "</section>\n");
}

void am_page_result(am_page *p) {
  const am_part_results *part = main_part(p);
  if (!part) {
    no_result(p);
    return;
  }
  if (am_page_tells_values(p)) {
    am_page_values_result(p);
    return;
  }
  if (p->r->crossval) {
    pooled_result(p, part);
    return;
  }
  const am_metrics *m = part->metrics;
  am_html_printf(p->h, "<section><h2>Result on the %s part</h2><div class=\"cards\">", part->name);
  card(p, "Unweighted average recall", m->uar, m->uar_low, m->uar_high);
  card(p, "Accuracy", m->accuracy, m->low, m->high);
  card(p, "Macro F1", m->macro_f1, NAN, NAN);
  am_html_printf(p->h,
                 "</div><p class=\"faint\">%zu clips; average recall and F1 are over %d of %d emotions, and chance "
                 "is %.1f&#8239;%% average recall. Intervals: ",
                 m->n, m->scored, m->classes, 100 * am_metrics_chance(m));
  am_html_text(p->h, m->interval);
  am_html_printf(p->h, ". Weights of epoch %.0f, ", am_results_number(p->r->metrics, "best_epoch"));
  am_page_monitor(p);
  am_html_put(p->h, ".</p>\n");
  diagnosis(p);
  split_statement(p);
  if (p->r->n_parts > 1 || part->utterances.n) both_parts(p);
  am_html_put(p->h, "</section>\n");
}

/* ---- per emotion ---- */

/* Mean or standard deviation over the folds; a label may hold points, so it is no part of a path. */
static double recall_over_folds(const am_page *p, const char *label, const char *what) {
  const am_value *recall = am_value_find(am_tree_root(p->r->metrics), "over_folds.recall"),
                 *v = am_value_get(am_value_get(recall, label), what);
  double number;
  return v && am_value_to_real(v, &number) ? number : NAN;
}

static void emotion_table(am_page *p, const am_part_results *part) {
  const am_metrics *m = part->metrics;
  am_page_table_open(p, "Figures per emotion", p->r->crossval ? "wide spread" : "wide");
  am_page_heads(p, p->r->crossval ? "Emotion|>Recall|>sd||>Pooled|>Precision|>F1|>Clips"
                                  : "Emotion|>Recall||>Precision|>F1|>Clips");
  for (int k = 0; k < m->classes; k++) {
    double recall = p->r->crossval ? recall_over_folds(p, part->metrics->labels[k], "mean") : m->recall[k];
    am_html_put(p->h, "<tr>");
    am_html_element(p->h, "th scope=\"row\"", part->metrics->labels[k]);
    am_page_percent(p, recall);
    if (p->r->crossval) am_page_percent(p, recall_over_folds(p, part->metrics->labels[k], "sd"));
    am_html_put(p->h, "<td class=\"bar\"><i style=\"--v:");
    am_html_number(p->h, recall);
    am_html_put(p->h, "\"></i></td>");
    if (p->r->crossval) am_page_percent(p, m->recall[k]);
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
  am_html_element(p->h, "th scope=\"row\"", part->metrics->labels[i]);
  for (int k = 0; k < m->classes; k++) {
    uint64_t count = m->confusion[i * m->classes + k], row = m->support[i] ? m->support[i] : 1;
    double share = (double)count / (double)row;
    am_html_printf(p->h, "<td%s", i == k && count ? " class=\"hit\"" : "");
    if (count) {
      am_html_put(p->h, " style=\"--s:");
      am_html_number(p->h, share);
      am_html_printf(p->h, "\">%llu<small>%.0f&#8239;%%</small></td>", (unsigned long long)count, 100 * share);
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
    am_html_element(p->h, "span", part->metrics->labels[k]);
    am_html_put(p->h, "</th>");
  }
  am_html_put(p->h, "</tr></thead><tbody>");
  for (int i = 0; i < part->metrics->classes; i++) confusion_row(p, part, i);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
}

static am_status draw_confusion(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                                am_buffer *out, am_error *err) {
  const am_part_results *part = what;
  return am_plot_confusion(ctx, style, title, (const char *const *)part->metrics->labels, part->metrics->classes,
                           part->metrics->confusion, out, err);
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
              "right.");
  if (p->r->crossval)
    am_html_put(p->h,
                " Recall is the mean over the runs, with its standard deviation (sd); the other figures are of "
                "all their clips pooled.");
  am_html_put(p->h, "</p>");
  emotion_table(p, main_part(p));
  am_html_put(p->h, p->r->crossval ? "</section>\n<section><h2>Confusion matrix, all folds pooled</h2>"
                                   : "</section>\n<section><h2>Confusion matrix</h2>");
  am_html_put(p->h,
              "<p class=\"faint\">Rows are the true emotion, columns the predicted one: clips, and their "
              "share of the row.</p>");
  confusion_table(p, main_part(p));
  confusion_file(p, main_part(p));
  am_html_put(p->h, "</section>\n");
  am_page_groups(p);
  if (p->r->n_parts < 2) return;
  am_html_put(p->h,
              "<details><summary>The same for the validation part</summary><p class=\"faint\">The best epoch "
              "was chosen on these clips, so their figures are on the hopeful side.</p>");
  emotion_table(p, &p->r->parts[1]);
  confusion_table(p, &p->r->parts[1]);
  confusion_file(p, &p->r->parts[1]);
  am_html_put(p->h, "</details>\n");
}

/* ---- confidently wrong ---- */

static int surest_first(const void *a, const void *b) {
  const am_prediction *x = a, *y = b;
  if (x->confidence != y->confidence) return x->confidence < y->confidence ? 1 : -1;
  return strcmp(x->clip, y->clip);
}

/* "speaker 03, fold 1, wrong with 2 of 3 seeds" */
static void wrong_origin(am_page *p, const am_part_results *part, const am_prediction *at, size_t times) {
  bool fold = p->r->crossval && *at->fold;
  if (!*at->speaker && !fold) return;
  am_html_put(p->h, "<small>");
  if (*at->speaker) am_html_put(p->h, "speaker ");
  am_html_text(p->h, at->speaker);
  if (fold) {
    am_html_put(p->h, *at->speaker ? ", fold " : "fold ");
    am_html_text(p->h, at->fold);
  }
  if (part->predictions.seeded) am_html_printf(p->h, ", wrong with %zu of %zu seeds", times, am_page_seeds(p));
  am_html_put(p->h, "</small>");
}

static void wrong_row(am_page *p, const am_part_results *part, const am_prediction *at, size_t times) {
  am_html_put(p->h, "<tr><td class=\"path\">");
  am_html_text(p->h, at->clip);
  wrong_origin(p, part, at, times);
  am_html_put(p->h, "</td>");
  am_html_put(p->h, "<td>");
  am_html_text(p->h, part->metrics->labels[at->truth]);
  am_html_printf(p->h, "<small>%.1f</small></td>", 100 * at->of_truth);
  am_html_element(p->h, "td", part->metrics->labels[at->predicted]);
  am_page_percent(p, at->confidence);
  am_html_put(p->h, "</tr>");
}

/* The first ones of n, surest first; a clip that several seeds had wrong stands once, where it was surest. */
static void wrong_rows(am_page *p, const am_part_results *part, const am_prediction *wrong, size_t n) {
  const char *shown[SHOWN_WRONG];
  int rows = 0;
  for (size_t i = 0; i < n && rows < SHOWN_WRONG; i++) {
    bool again = false;
    size_t times = 1;
    for (int k = 0; k < rows && part->predictions.seeded && !again; k++) again = !strcmp(shown[k], wrong[i].clip);
    if (again) continue;
    for (size_t k = i + 1; k < n && part->predictions.seeded; k++) times += !strcmp(wrong[k].clip, wrong[i].clip);
    shown[rows++] = wrong[i].clip;
    wrong_row(p, part, &wrong[i], times);
  }
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
    if (part->predictions.at[i].truth != part->predictions.at[i].predicted) wrong[n++] = part->predictions.at[i];
  qsort(wrong, n, sizeof *wrong, surest_first);
  am_html_put(p->h, "<section><h2>Most confidently wrong</h2>");
  if (!n) {
    am_html_put(p->h, "<p>No clip of this part was mistaken.</p>");
  } else {
    am_html_printf(p->h,
                   "<p class=\"faint\">%zu of %zu clips were mistaken%s; these with the highest probability. "
                   "Below the true emotion stands what it was given (per cent).</p>",
                   n, part->metrics->n, part->predictions.seeded ? ", counted once a seed" : "");
    am_page_table_open(p, "Clips most confidently wrong", "wide");
    am_page_heads(p, "Clip|True|Predicted|>Probability");
    wrong_rows(p, part, wrong, n);
    am_html_put(p->h, "</tbody>");
    am_page_table_close(p);
  }
  am_html_put(p->h, "</section>\n");
  am_free(p->ctx, wrong);
}
