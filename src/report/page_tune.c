/* SPDX-License-Identifier: MIT */
/* report/page_tune.c - the page of a search over settings: who won, by which voices, and what the figures mean. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page_tune.h"
#include "run/folder.h"

void am_page_search_figure(am_page *p, const am_search_view *v, double figure) {
  if (isnan(figure)) am_html_put(p->h, "<td class=\"n\">-</td>");
  else
    am_html_printf(p->h, v->factor > 1 ? "<td class=\"n\">%.1f</td>" : "<td class=\"n\">%.4f</td>", v->factor * figure);
}

static void head(am_page *p, const am_search_view *v) {
  const am_tune *t = v->t;
  am_html_put(p->h, "<header><p class=\"kicker\">AudioMood, a search over settings</p>");
  am_html_element(p->h, "h1", t->config->name);
  if (t->config->description && *t->config->description) am_html_element(p->h, "p", t->config->description);
  am_html_printf(
      p->h,
      "<p class=\"faint\">%zu trials of %zu %s in %zu %s, up to %llu epochs: successive halving, 1 of %lld went on",
      t->n_trials, t->n_keys, am_count(t->n_keys, "setting", "settings"), t->n_rungs,
      am_count(t->n_rungs, "rung", "rungs"), (unsigned long long)t->rungs[t->n_rungs - 1], (long long)t->reduction);
  am_html_printf(p->h, "; seed %llu</p></header>\n", (unsigned long long)t->seed);
  if (v->finished && am_results_true(t->results.metrics, "synthetic"))
    am_html_put(p->h,
                "<p class=\"note warn\"><strong>Synthetic speech.</strong> These sounds were made by a program: the "
                "figures on this page say nothing about real speech.</p>\n");
}

/* ---- the winner ---- */

/* In single quotes for a shell, of which a text may have some itself. */
static void quoted(am_page *p, const char *key, const char *value) {
  am_html_text(p->h, "'");
  am_html_text(p->h, key);
  am_html_put(p->h, "=");
  for (const char *at = value; *at;) {
    const size_t n = strcspn(at, "'");
    char *part = am_format(p->ctx, "%.*s", (int)n, at);
    if (!part) p->h.out->failed = true;
    am_html_text(p->h, part);
    am_free(p->ctx, part);
    at += n;
    if (*at == '\'') am_html_text(p->h, "'\\''"), at++;
  }
  am_html_text(p->h, "'");
}

static void command(am_page *p, const am_tune *t) {
  am_html_put(p->h, "<pre tabindex=\"0\">audiomood train ");
  am_html_text(p->h, t->folder);
  am_html_printf(p->h, "/%s", am_run_file_name(AM_FILE_TUNE));
  for (size_t k = 0; k < t->n_keys; k++) {
    am_html_put(p->h, " \\\n  --set ");
    quoted(p, t->keys[k], t->trials[t->winner].settings[k]);
  }
  am_html_put(p->h, "</pre>");
}

/* Whoever went on with a trial by hand has looked at the test part with it. */
static size_t others_evaluated(const am_tune *t) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_trials; i++)
    n += i != t->winner && am_run_file_there(t->ctx, t->trials[i].folder, AM_FILE_METRICS);
  return n;
}

static void what_figures_mean(am_page *p, const am_search_view *v) {
  const am_tune *t = v->t;
  const size_t others = others_evaluated(t);
  if (!am_tune_part(t, "test")) {
    am_html_printf(
        p->h,
        "<p class=\"note warn\"><strong>There is no test part.</strong> The figure of the validation part is "
        "the best of %zu trials, so luck has a part in it and it is too good.</p>\n",
        t->n_trials);
    return;
  }
  am_html_printf(
      p->h,
      "<p class=\"note\"><strong>The test part was untouched until the end.</strong> No trial was evaluated on "
      "it while the search went on; it was evaluated once, for the winner, which the validation part had "
      "chosen. The figure of the validation part is the best of %zu trials, so luck has a part in it and it is "
      "too good: report the one of the test part. Whoever searches on because of it has no test any more.</p>\n",
      t->n_trials);
  if (others)
    am_html_printf(
        p->h,
        "<p class=\"note warn\">%zu other %s been evaluated on the test part since. That was not part of the "
        "search.</p>\n",
        others, am_count(others, "trial has", "trials have"));
}

static void winner(am_page *p, const am_search_view *v) {
  const am_tune *t = v->t;
  const am_trial *x = &t->trials[t->winner];
  am_html_printf(p->h, "<section><h2>Trial %zu has won</h2>", t->winner + 1);
  what_figures_mean(p, v);
  am_page_table_open(p, "Settings of the winner", "");
  am_page_heads(p, "Setting|>Value");
  for (size_t k = 0; k < t->n_keys; k++) {
    am_html_put(p->h, "<tr>");
    am_html_element(p->h, "th scope=\"row\"", t->keys[k]);
    am_html_element(p->h, "td class=\"n\"", x->settings[k]);
    am_html_put(p->h, "</tr>");
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "<p class=\"faint\">To train it again, with the same bits on the same machine:</p>");
  command(p, t);
  am_html_put(p->h, "<p class=\"faint\">The same is in ");
  am_html_text(p->h, am_run_file_name(AM_FILE_TUNE_BEST));
  am_html_put(p->h, ". Its weights are in ");
  am_html_text(p->h, x->folder + strlen(t->folder) + 1);
  am_html_put(p->h, "/best.h5.</p></section>\n");
}

static void unfinished(am_page *p, const am_search_view *v) {
  const am_tune *t = v->t;
  size_t done = 0;
  for (size_t k = 0; k < v->n_alive; k++)
    done += t->trials[v->alive[k]].rungs > v->rung || t->trials[v->alive[k]].failed;
  am_html_put(p->h, "<section><h2>Not finished</h2><p class=\"note warn\">");
  if (v->rung < t->n_rungs)
    am_html_printf(p->h, "Rung %zu of %zu: %zu of its %zu trials have done it.", v->rung + 1, t->n_rungs, done,
                   v->n_alive);
  else am_html_put(p->h, "All rungs are done, and the winner is to be evaluated.");
  am_html_put(p->h, " No trial has been evaluated on the test part. It goes on with: audiomood tune --resume ");
  am_html_text(p->h, t->folder);
  am_html_put(p->h, "</p></section>\n");
}

/* ---- voices ---- */

/* "03, 04", and how many clips they have together. */
static void voices(am_page *p, const char *name, am_part part) {
  const am_tally *y = p->t;
  uint64_t clips = 0;
  size_t n = 0;
  for (int k = 0; k < y->n_labels; k++) clips += y->parts[4 * k + (int)part];
  am_html_element(p->h, "dt", name);
  am_html_put(p->h, "<dd>");
  for (int s = 0; s < y->n_speakers; s++) {
    if (!y->speaker_parts[4 * s + (int)part]) continue;
    am_html_put(p->h, n++ ? ", " : "");
    am_html_text(p->h, y->speakers[s]);
  }
  if (!n) am_html_put(p->h, clips ? "not known" : "nobody");
  am_html_printf(p->h, " (%llu %s)</dd>", (unsigned long long)clips, am_count((size_t)clips, "clip", "clips"));
}

static bool in_both(const am_tally *y, am_part a, am_part b) {
  for (int s = 0; s < y->n_speakers; s++)
    if (y->speaker_parts[4 * s + (int)a] && y->speaker_parts[4 * s + (int)b]) return true;
  return false;
}

static void voices_section(am_page *p) {
  const am_tally *y = p->t;
  am_html_put(p->h, "<section><h2>Whose voices</h2><dl>");
  if (y->dataset) voices(p, "Trained on", AM_PART_TRAIN);
  voices(p, "Chosen on (validation part)", AM_PART_VALIDATION);
  voices(p, "Judged on (test part)", AM_PART_TEST);
  am_html_put(p->h, "</dl>");
  if (in_both(y, AM_PART_TRAIN, AM_PART_VALIDATION))
    am_html_put(p->h,
                "<p class=\"note warn\">Speakers of the validation part are also trained on: trials were compared by "
                "how well they know voices.</p>");
  if (in_both(y, AM_PART_VALIDATION, AM_PART_TEST))
    am_html_put(p->h,
                "<p class=\"note warn\">Speakers of the test part are also in the validation part, which chose: the "
                "figure of the test part is not of new voices.</p>");
  if (!y->dataset) {
    am_html_put(p->h,
                "<p class=\"note warn\">The corpus could not be read, so those who were trained on are not listed: ");
    am_html_text(p->h, y->note);
    am_html_put(p->h, "</p>");
  }
  am_html_put(p->h, "</section>\n");
}

/* ---- time ---- */

static void time_section(am_page *p, const am_tune *t) {
  char text[64];
  double seconds = 0;
  uint64_t epochs = 0;
  for (size_t i = 0; i < t->n_trials; i++) {
    seconds += t->trials[i].seconds;
    epochs += t->trials[i].epochs;
  }
  am_html_put(p->h, "<section><h2>Time</h2><dl class=\"short\">");
  am_seconds_text(seconds, text);
  am_page_item(p, "All trials", text);
  snprintf(text, sizeof text, "%llu; %llu if all had gone to the end", (unsigned long long)epochs,
           (unsigned long long)(t->rungs[t->n_rungs - 1] * t->n_trials));
  am_page_item(p, "Epochs", text);
  am_html_put(p->h, "</dl></section>\n");
}

void am_page_search(am_page *p, const am_search_view *v) {
  head(p, v);
  if (v->finished) {
    winner(p, v);
    am_page_result(p);
  } else {
    unfinished(p, v);
  }
  voices_section(p);
  am_page_search_curves(p, v);
  am_page_search_settings(p, v);
  am_page_search_trials(p, v);
  time_section(p, v->t);
  am_page_settings(p);
}
