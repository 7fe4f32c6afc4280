/* SPDX-License-Identifier: MIT */
/* report/plot_search.c - the trials of a search: how they went, and what a setting did. */
#include <stdlib.h>

#include "base/number.h"
#include "report/axes.h"

static am_color color_of(const frame *a, am_trial_fate fate) {
  return fate == AM_TRIAL_WINNER ? a->p->series[1] : fate == AM_TRIAL_LAST_RUNG ? a->p->series[0] : a->p->faint;
}

/* Above the frame, on the right. */
static void draw_fates(const frame *a, bool last, bool left) {
  static const char *const names[] = {"left behind", "to the last rung", "winner"};
  double x = a->left + a->width;
  const double y = a->top - 10;
  for (int i = AM_TRIAL_WINNER; i >= 0; i--) {
    if ((i == AM_TRIAL_LEFT && !left) || (i == AM_TRIAL_LAST_RUNG && !last)) continue;
    x -= am_canvas_text_width(a->c, 10.5, names[i]);
    am_canvas_text(a->c, x, y, 10.5, AM_ALIGN_LEFT, false, a->p->ink, names[i]);
    am_canvas_dot(a->c, x - 8, y - 3.5, 3, color_of(a, (am_trial_fate)i));
    x -= 24;
  }
}

/* The figures of a picture. */
typedef struct figures {
  double *at;
  size_t n;
} figures;

static void add(figures *f, double y) {
  if (isfinite(y)) f->at[f->n++] = y;
}

/* From the lowest to the highest, but one in ten that is far off the others (a loss that rose beyond measure) does not press the
 * others together: it is drawn at the edge. With some air above and below. */
static void fit(frame *a, const figures *f) {
  a->y0 = 0, a->y1 = 1;
  if (f->n) {
    qsort(f->at, f->n, sizeof *f->at, am_rising);
    const size_t tenth = f->n / 10;
    const double low = f->at[tenth], high = f->at[f->n - 1 - tenth], span = high - low;
    a->y0 = f->at[0] < low - 2 * span ? low - span / 4 : f->at[0];
    a->y1 = f->at[f->n - 1] > high + 2 * span ? high + span / 4 : f->at[f->n - 1];
  }
  const double margin = a->y1 > a->y0 ? 0.06 * (a->y1 - a->y0) : a->y1 != 0 ? 0.5 * fabs(a->y1) : 0.5;
  a->y0 = a->y0 >= 0 && a->y0 < margin ? 0 : a->y0 - margin;
  a->y1 += margin;
}

static double inside_y(const frame *a, double y) {
  return at_y(a, y < a->y0 ? a->y0 : y > a->y1 ? a->y1 : y); /* NaN stays so */
}

/* ---- how the trials went ---- */

static am_status draw_trial(am_context *ctx, const frame *a, const am_search_line *l, am_error *err) {
  static const double widths[] = {0.8, 1.4, 2.4}, dots[] = {1.6, 2.2, 3.2};
  double *xy = am_alloc(ctx, am_mul(l->n, 2), sizeof *xy);
  if (!xy) return am_no_memory(err);
  size_t last = SIZE_MAX;
  for (size_t i = 0; i < l->n; i++) {
    xy[2 * i] = at_x(a, (double)(i + 1));
    xy[2 * i + 1] = inside_y(a, l->y[i]);
    if (isfinite(l->y[i])) last = i;
  }
  am_canvas_line(a->c, xy, l->n, widths[l->fate], color_of(a, l->fate));
  if (last != SIZE_MAX) am_canvas_dot(a->c, xy[2 * last], xy[2 * last + 1], dots[l->fate], color_of(a, l->fate));
  am_free(ctx, xy);
  return AM_OK;
}

static void draw_rungs(const frame *a, const uint64_t *rungs, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const double x = (double)rungs[i], line[4] = {at_x(a, x), a->top, at_x(a, x), a->top + a->height};
    if (x <= a->x1) am_canvas_line(a->c, line, 2, 1, a->p->faint);
  }
}

am_status am_plot_search(am_context *ctx, const am_plot_style *style, const char *title, const char *y_name,
                         const am_search_line *lines, size_t n, const uint64_t *rungs, size_t n_rungs, am_buffer *out,
                         am_error *err) {
  frame a;
  bool has[3] = {false};
  figures all = {0};
  size_t room = 0;
  for (size_t i = 0; i < n; i++) room += lines[i].n;
  if (!(all.at = am_alloc(ctx, room + 1, sizeof *all.at))) return am_no_memory(err);
  am_status st = start(ctx, style, 640, 360, title, &a, err);
  if (st) {
    am_free(ctx, all.at);
    return st;
  }
  a.top += 16, a.height -= 16; /* for what the colours mean */
  a.x0 = 1;
  a.x1 = 2;
  a.least_step = 1;
  for (size_t i = 0; i < n; i++) {
    has[lines[i].fate] = true;
    a.x1 = fmax(a.x1, (double)lines[i].n);
    for (size_t k = 0; k < lines[i].n; k++) add(&all, lines[i].y[k]);
  }
  fit(&a, &all);
  am_free(ctx, all.at);
  make_room(&a);
  draw_x_axis(&a, "epoch", false);
  draw_y_axis(&a, y_name, true);
  draw_rungs(&a, rungs, n_rungs);
  for (int fate = AM_TRIAL_LEFT; fate <= AM_TRIAL_WINNER; fate++)
    for (size_t i = 0; i < n && !st; i++)
      if ((int)lines[i].fate == fate && lines[i].n) st = draw_trial(ctx, &a, &lines[i], err);
  draw_fates(&a, has[AM_TRIAL_LAST_RUNG], has[AM_TRIAL_LEFT]);
  const am_status finished = am_canvas_finish(a.c, out, err);
  return st ? st : finished;
}

/* ---- what a setting did ---- */

/* A round number near the axis of x, where there is room since the one before. */
static void draw_tick(const frame *a, double at, const char *text, double *until) {
  const double x = at_x(a, at), half = am_canvas_text_width(a->c, 10.5, text) / 2,
               line[4] = {x, a->top, x, a->top + a->height};
  if (x - half < *until || x + half > a->left + a->width + 14) return;
  am_canvas_line(a->c, line, 2, 0.6, a->p->grid);
  am_canvas_text(a->c, x, a->top + a->height + 15, 10.5, AM_ALIGN_MIDDLE, false, a->p->faint, text);
  *until = x + half + 8;
}

/* 1, 2 and 5 times powers of ten, or of less than three decades also those between; the frame has logarithms. */
static void draw_logarithms(const frame *a) {
  static const double leads[] = {1, 2, 5, 3, 4, 6, 7, 8, 9};
  const bool few = a->x1 - a->x0 < 0.7;
  double until = -INFINITY;
  for (int decade = (int)floor(a->x0); decade <= (int)ceil(a->x1); decade++)
    for (int i = 0; i < (few ? 9 : 3); i++) {
      const double lead = few ? 1 + i : leads[i], at = decade + log10(lead);
      char text[32];
      if (at < a->x0 || at > a->x1) continue;
      snprintf(text, sizeof text, "%.4g", lead * pow(10, decade));
      draw_tick(a, at, text, &until);
    }
}

/* As much of it as there is room for. */
static void draw_word(const frame *a, double at, double room, const char *word) {
  char text[64], bare[128];
  size_t most = 40;
  const bool quoted = *word == '"'; /* as a config has it */
  snprintf(bare, sizeof bare, "%s", word + quoted);
  if (quoted && *bare) bare[strcspn(bare, "\"")] = '\0';
  while (am_canvas_text_width(a->c, 10.5, shorten(bare, most, text)) > room && most > 2) most--;
  am_canvas_text(a->c, at_x(a, at), a->top + a->height + 15, 10.5, AM_ALIGN_MIDDLE, false, a->p->faint, text);
}

static void draw_setting_axis(frame *a, const am_search_axis *axis) {
  const double middle = a->left + a->width / 2, below = a->top + a->height + 34;
  if (!axis->n_words && !axis->logarithmic) {
    draw_x_axis(a, axis->name, true);
    return;
  }
  if (axis->n_words)
    for (size_t i = 0; i < axis->n_words; i++)
      draw_word(a, (double)i, a->width / (double)axis->n_words - 6, axis->words[i]);
  else draw_logarithms(a);
  am_canvas_text(a->c, middle, below, 11, AM_ALIGN_MIDDLE, false, a->p->faint, axis->name);
}

/* Trials of one word stand beside each other, by their order. */
static double place_of(const am_search_axis *axis, const am_search_point *p, size_t i) {
  if (axis->n_words) return p->x + 0.09 * ((double)((i * 5 + 3) % 7) - 3);
  return axis->logarithmic ? log10(p->x) : p->x;
}

static void draw_point(const frame *a, const am_search_point *p, double x) {
  static const double radius[] = {2.4, 3, 4.2};
  const am_color color = color_of(a, p->fate);
  if (p->went_on && isfinite(p->first) && isfinite(p->last)) {
    const double line[4] = {at_x(a, x), inside_y(a, p->first), at_x(a, x), inside_y(a, p->last)};
    am_canvas_line(a->c, line, 2, 1, color);
    am_canvas_dot(a->c, line[0], line[1], 1.6, color);
  }
  if (isfinite(p->last)) am_canvas_dot(a->c, at_x(a, x), inside_y(a, p->last), radius[p->fate], color);
}

am_status am_plot_setting(am_context *ctx, const am_plot_style *style, const char *title, const am_search_axis *axis,
                          const char *y_name, const am_search_point *points, size_t n, am_buffer *out, am_error *err) {
  frame a;
  figures all = {.at = am_alloc(ctx, am_mul(2, n) + 1, sizeof *all.at)};
  if (!all.at) return am_no_memory(err);
  const am_status st = start(ctx, style, 480, 320, title, &a, err);
  if (st) {
    am_free(ctx, all.at);
    return st;
  }
  a.x0 = INFINITY;
  a.x1 = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    widen(place_of(axis, &points[i], i), &a.x0, &a.x1);
    add(&all, points[i].last);
    if (points[i].went_on) add(&all, points[i].first);
  }
  fit(&a, &all);
  am_free(ctx, all.at);
  if (axis->n_words) a.x0 = -0.5, a.x1 = (double)axis->n_words - 0.5;
  if (!(a.x0 < a.x1)) a.x0 = isfinite(a.x0) ? a.x0 - 0.5 : 0, a.x1 = a.x0 + 1;
  if (!axis->n_words) {
    const double edge = (a.x1 - a.x0) / 25;
    a.x0 -= edge, a.x1 += edge;
  }
  make_room(&a);
  draw_setting_axis(&a, axis);
  draw_y_axis(&a, y_name, true);
  for (int fate = AM_TRIAL_LEFT; fate <= AM_TRIAL_WINNER; fate++)
    for (size_t i = 0; i < n; i++)
      if ((int)points[i].fate == fate) draw_point(&a, &points[i], place_of(axis, &points[i], i));
  return am_canvas_finish(a.c, out, err);
}
