/* SPDX-License-Identifier: MIT */
/* report/page_tune_trials.c - the trials of a search: their curves, what each setting did, the table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "report/page_tune.h"
#include "run/history.h"

enum { MOST_LINES = 200, MOST_ROWS = 300, FEW_WORDS = 6 };

am_trial_fate am_search_fate(const am_search_view *v, size_t trial) {
  const am_trial *x = &v->t->trials[trial];
  if (v->finished && trial == v->t->winner) return AM_TRIAL_WINNER;
  return x->rungs == v->t->n_rungs && !x->failed ? AM_TRIAL_LAST_RUNG : AM_TRIAL_LEFT;
}

static size_t shown(const am_search_view *v) { return v->t->n_trials < MOST_LINES ? v->t->n_trials : MOST_LINES; }

/* ---- curves ---- */

typedef struct lines {
  const am_search_view *v;
  size_t n;
  am_search_line at[MOST_LINES];
  double *own[MOST_LINES]; /* what they point at */
} lines;

static am_status draw_lines(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                            am_buffer *out, am_error *err) {
  const lines *l = what;
  return am_plot_search(ctx, style, title, l->v->y_name, l->at, l->n, l->v->t->rungs, l->v->t->n_rungs, out, err);
}

/* The figures of a trial's epochs, 1, 2, ...; false: its folder is not there any more. */
static bool read_line(am_page *p, const am_search_view *v, size_t trial, lines *l) {
  am_history h = {0};
  char *path = am_run_file_path(p->ctx, v->t->trials[trial].folder, AM_FILE_HISTORY);
  double *y = NULL;
  if (!path) p->h.out->failed = true;
  const bool read = path && am_file_exists(path) && am_history_read(p->ctx, path, &h, NULL) == AM_OK && h.n;
  if (read && !(y = am_alloc(p->ctx, h.n, sizeof *y))) p->h.out->failed = true;
  for (size_t i = 0; i < h.n && y; i++) y[i] = v->factor * am_tune_figure(v->t, &h.at[i]);
  if (y) {
    l->at[l->n] = (am_search_line){am_search_fate(v, trial), h.n, y};
    l->own[l->n++] = y;
  }
  am_free(p->ctx, h.at);
  am_free(p->ctx, path);
  return y != NULL;
}

static void rung_row(am_page *p, const am_search_view *v, size_t rung, size_t *alive) {
  const am_tune *t = v->t;
  size_t n = am_tune_alive(t, rung, alive), failed = 0;
  for (size_t i = 0; i < n; i++) failed += t->trials[alive[i]].failed && t->trials[alive[i]].rungs == rung + 1;
  am_html_printf(p->h, "<tr><th scope=\"row\">%zu</th>", rung + 1);
  am_page_count(p, t->rungs[rung]);
  am_page_count(p, n);
  if (rung >= v->rung) { /* not all have done it */
    am_html_put(p->h, "<td colspan=\"4\" class=\"faint\">not at its end</td></tr>");
    return;
  }
  const size_t on = am_tune_alive(t, rung + 1, alive);
  const bool last = rung + 1 == t->n_rungs;
  am_page_count(p, failed);
  am_page_count(p, on);
  am_page_search_figure(p, v, t->trials[alive[0]].values[rung]);
  am_page_search_figure(p, v, last ? NAN : t->trials[alive[on - 1]].values[rung]);
  am_html_put(p->h, "</tr>");
}

static void rungs(am_page *p, const am_search_view *v) {
  size_t *alive = am_alloc(p->ctx, v->t->n_trials, sizeof *alive);
  if (!alive) p->h.out->failed = true;
  am_page_table_open(p, "The rungs", "wide");
  am_page_heads(p, "Rung|>Up to epoch|>Trials|>Failed|>Went on|>Best|>Least that went on");
  for (size_t r = 0; r < v->t->n_rungs && alive; r++) rung_row(p, v, r, alive);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_free(p->ctx, alive);
}

static void curves_note(am_page *p, const am_search_view *v, size_t gone) {
  am_html_put(p->h, "<p class=\"faint\">A line a trial, by ");
  am_html_text(p->h, am_tune_monitor(v->t));
  am_html_put(
      p->h,
      " after each epoch; an upright line is the end of a rung, where those that were best so far went on and the "
      "others stopped. A trial goes by its best epoch, so its line may fall after it. What is far off the others is "
      "drawn at the edge.");
  if (shown(v) < v->t->n_trials) am_html_printf(p->h, " Of the best %zu of %zu trials.", shown(v), v->t->n_trials);
  if (gone)
    am_html_printf(p->h, " %zu %s left out, whose folders are not there (any more).", gone,
                   am_count(gone, "trial is", "trials are"));
  am_html_put(p->h, "</p>");
}

void am_page_search_curves(am_page *p, const am_search_view *v) {
  lines *l = am_alloc(p->ctx, 1, sizeof *l);
  char description[200];
  size_t gone = 0;
  am_html_put(p->h, "<section><h2>Who went on</h2>");
  if (!l) p->h.out->failed = true;
  for (size_t k = 0; k < shown(v) && l; k++) {
    const am_trial *x = &v->t->trials[v->order[k]];
    if (!read_line(p, v, v->order[k], l)) gone += x->rungs > 0;
  }
  curves_note(p, v, gone);
  if (l && l->n) {
    l->v = v;
    snprintf(description, sizeof description, "%s after each epoch, of %zu trials in %zu rungs", v->measure, l->n,
             v->t->n_rungs);
    const am_figure figure = {
        .name = "halving", .title = v->measure, .width = 440, .height = 290, .draw = draw_lines, .what = l};
    am_html_put(p->h, "<div class=\"figures large\">");
    am_page_figure(p, &figure, description);
    am_html_put(p->h, "</div>");
  }
  rungs(p, v);
  am_html_put(p->h, "</section>\n");
  for (size_t i = 0; l && i < l->n; i++) am_free(p->ctx, l->own[i]);
  am_free(p->ctx, l);
}

/* ---- what each setting did ---- */

typedef struct setting {
  const am_search_view *v;
  am_search_axis axis;
  am_search_point *points; /* (n) */
  size_t n;
  const char **words; /* (n_words) different values, rising where they are numbers */
} setting;

static double number_of(const char *text) {
  double number;
  return am_text_to_real(text, &number) ? number : NAN;
}

static int by_value(const void *a, const void *b) {
  const double x = number_of(*(const char *const *)a), y = number_of(*(const char *const *)b);
  return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Whether values (n, rising) were drawn on a logarithmic scale, as far as they show it: their middle is then nearer to the geometric
 * mean of the ends than to the arithmetic one. */
static bool is_logarithmic(const char *const *words, size_t n) {
  const double low = number_of(words[0]), high = number_of(words[n - 1]), middle = number_of(words[n / 2]);
  return low > 0 && high / low >= 20 && fabs(log(middle / sqrt(low * high))) < fabs(log(middle / ((low + high) / 2)));
}

/* Few values stand beside each other, as do those that are no numbers. */
static am_status make_axis(am_page *p, setting *s, size_t key) {
  const am_tune *t = s->v->t;
  size_t n = 0;
  bool numbers = true;
  if (!(s->words = am_alloc(p->ctx, s->n, sizeof *s->words))) return AM_E_NOMEM;
  for (size_t i = 0; i < s->n; i++) {
    const char *text = t->trials[s->v->order[i]].settings[key];
    size_t k = 0;
    while (k < n && strcmp(s->words[k], text)) k++;
    if (k == n) s->words[n++] = text;
    numbers = numbers && isfinite(number_of(text));
  }
  qsort(s->words, n, sizeof *s->words, numbers ? by_value : by_text);
  s->axis = (am_search_axis){.name = t->keys[key], .logarithmic = numbers && is_logarithmic(s->words, n)};
  if (numbers && n > FEW_WORDS) return AM_OK;
  s->axis.words = s->words;
  s->axis.n_words = n;
  return AM_OK;
}

static double place(const setting *s, const char *text) {
  if (!s->axis.n_words) return number_of(text);
  size_t k = 0;
  while (k + 1 < s->axis.n_words && strcmp(s->words[k], text)) k++;
  return (double)k;
}

static am_status draw_setting(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                              am_buffer *out, am_error *err) {
  const setting *s = what;
  return am_plot_setting(ctx, style, title, &s->axis, s->v->y_name, s->points, s->n, out, err);
}

static void setting_figure(am_page *p, const am_search_view *v, size_t key) {
  const am_tune *t = v->t;
  setting s = {.v = v, .n = shown(v)};
  char *name = am_format(p->ctx, "setting-%zu", key + 1),
       *description = am_format(p->ctx, "%s of %zu trials over %s", v->measure, s.n, t->keys[key]);
  s.points = am_alloc(p->ctx, s.n, sizeof *s.points);
  if (!name || !description || !s.points || make_axis(p, &s, key)) p->h.out->failed = true;
  for (size_t i = 0; i < s.n && !p->h.out->failed; i++) {
    const am_trial *x = &t->trials[v->order[i]];
    s.points[i] = (am_search_point){.fate = am_search_fate(v, v->order[i]),
                                    .went_on = x->rungs > 1 && !x->failed,
                                    .x = place(&s, x->settings[key]),
                                    .first = v->factor * x->values[0],
                                    .last = x->failed ? NAN : v->factor * am_tune_last(x)};
  }
  const am_figure figure = {
      .name = name, .title = t->keys[key], .width = 360, .height = 260, .draw = draw_setting, .what = &s};
  if (!p->h.out->failed) am_page_figure(p, &figure, description);
  am_free(p->ctx, s.words);
  am_free(p->ctx, s.points);
  am_free(p->ctx, description);
  am_free(p->ctx, name);
}

void am_page_search_settings(am_page *p, const am_search_view *v) {
  am_html_put(p->h, "<section><h2>What each setting did</h2><p class=\"faint\">");
  am_html_text(p->h, v->measure);
  am_html_put(
      p->h,
      ", a large dot a trial at the last rung that it did. Where it went on, a line comes from the small dot of "
      "its first rung: small dots, and large ones without a line, had as many epochs, and can be compared with "
      "each other. All settings of a trial change at once, so a picture shows what goes together and not what "
      "caused it. Trials that failed have no dot.</p><div class=\"figures\">");
  for (size_t k = 0; k < v->t->n_keys && !p->status; k++) setting_figure(p, v, k);
  am_html_put(p->h, "</div></section>\n");
}

/* ---- the table ---- */

static void trial_name(am_page *p, const am_search_view *v, size_t trial) {
  const am_tune *t = v->t;
  char *page = am_run_file_path(p->ctx, t->trials[trial].folder, AM_FILE_REPORT);
  const bool link = page && p->links && am_file_exists(page);
  if (!page) p->h.out->failed = true;
  am_html_put(p->h, "<th scope=\"row\">");
  if (link) am_html_printf(p->h, "<a href=\"%s/report.html\">", t->trials[trial].folder + strlen(t->folder) + 1);
  am_html_printf(p->h, "%zu%s</th>", trial + 1, link ? "</a>" : "");
  am_free(p->ctx, page);
}

static void trial_row(am_page *p, const am_search_view *v, size_t trial) {
  const am_tune *t = v->t;
  const am_trial *x = &t->trials[trial];
  const char *state = am_tune_state(t, trial, v->alive, v->n_alive);
  char seconds[32];
  am_html_put(p->h, "<tr>");
  trial_name(p, v, trial);
  am_html_printf(p->h, "<td class=\"state\">%s</td>", !strcmp(state, "winner") ? "<strong>winner</strong>" : state);
  am_page_count(p, x->epochs);
  am_page_count(p, x->best_epoch);
  am_page_search_figure(p, v, x->failed ? NAN : am_tune_last(x));
  for (size_t k = 0; k < t->n_keys; k++) am_html_element(p->h, "td class=\"n\"", x->settings[k]);
  am_seconds_text(x->seconds, seconds);
  am_html_printf(p->h, "<td class=\"n\">%s</td></tr>", seconds);
}

/* Why they could not go on. */
static void failures(am_page *p, const am_search_view *v) {
  enum { SHOWN = 20 };
  size_t n = 0;
  for (size_t i = 0; i < v->t->n_trials; i++) {
    const am_trial *x = &v->t->trials[i];
    if (!x->failed || n++ >= SHOWN) continue;
    am_html_printf(
        p->h, "%s<li>Trial %zu: ", n == 1 ? "<div class=\"note warn\"><strong>Left behind.</strong><ul>" : "", i + 1);
    am_html_text(p->h, x->failed);
    am_html_put(p->h, "</li>");
  }
  if (n > SHOWN) am_html_printf(p->h, "<li>and %zu more</li>", n - SHOWN);
  if (n) am_html_put(p->h, "</ul></div>");
}

void am_page_search_trials(am_page *p, const am_search_view *v) {
  const am_tune *t = v->t;
  const size_t n = t->n_trials < MOST_ROWS ? t->n_trials : MOST_ROWS;
  am_html_put(p->h, "<section><h2>All trials</h2>");
  failures(p, v);
  if (n < t->n_trials)
    am_html_printf(p->h, "<p class=\"faint\">The best %zu of %zu; all are in %s.</p>", n, t->n_trials,
                   am_run_file_name(AM_FILE_TUNE_TABLE));
  am_page_table_open(p, "All trials", "");
  am_html_put(p->h,
              "<thead><tr><th scope=\"col\">Trial</th><th scope=\"col\">State</th><th scope=\"col\" "
              "class=\"n\">Epochs</th><th scope=\"col\" class=\"n\">Best</th>");
  am_html_element(p->h, "th scope=\"col\" class=\"n\"", am_tune_monitor(t));
  for (size_t k = 0; k < t->n_keys; k++) am_html_element(p->h, "th scope=\"col\" class=\"n\"", t->keys[k]);
  am_html_put(p->h, "<th scope=\"col\" class=\"n\">Time</th></tr></thead><tbody>");
  for (size_t i = 0; i < n; i++) trial_row(p, v, v->order[i]);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "</section>\n");
}
