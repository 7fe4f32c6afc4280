/* SPDX-License-Identifier: MIT */
/* report/plot.c - curves, matrices. */
#include "report/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/axes.h"

/* Whether the legend finds room to the right of the title. */
static bool legend_fits(const frame *a, const char *title, const am_curve *curves, size_t n) {
  double taken = *title ? am_canvas_text_width(a->c, 14, title) : a->width;
  for (size_t i = 0; i < n; i++) taken += am_canvas_text_width(a->c, 11, curves[i].name) + 28;
  return taken <= a->width;
}

static void draw_legend(const frame *a, const am_curve *curves, size_t n) {
  double x = a->left + a->width, y = a->top - 13;
  for (size_t i = n; i-- > 0;) {
    x -= am_canvas_text_width(a->c, 11, curves[i].name);
    am_canvas_text(a->c, x, y, 11, AM_ALIGN_LEFT, false, a->p->ink, curves[i].name);
    am_canvas_rectangle(a->c, x - 16, y - 5, 12, 3, a->p->series[i % 6]);
    x -= 28;
  }
}

static am_status draw_curve(am_context *ctx, const frame *a, const am_curve *curve, am_color color, am_error *err) {
  double *xy = am_alloc(ctx, am_mul(curve->n, 2), sizeof *xy);
  if (!xy) return am_no_memory(err);
  for (size_t i = 0; i < curve->n; i++) {
    xy[2 * i] = at_x(a, curve->x[i]);
    xy[2 * i + 1] = at_y(a, curve->y[i]);
  }
  am_canvas_line(a->c, xy, curve->n, 1.8, color);
  if (curve->n <= 40)
    for (size_t i = 0; i < curve->n; i++)
      if (isfinite(xy[2 * i + 1])) am_canvas_dot(a->c, xy[2 * i], xy[2 * i + 1], 2.4, color);
  am_free(ctx, xy);
  return AM_OK;
}

/* The ranges of all curves, with some air above and below. */
static void fit(frame *a, const am_curve *curves, size_t n) {
  a->x0 = a->y0 = INFINITY;
  a->x1 = a->y1 = -INFINITY;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < curves[i].n; j++) {
      widen(curves[i].x[j], &a->x0, &a->x1);
      widen(curves[i].y[j], &a->y0, &a->y1);
    }
  a->least_step = 1; /* there is no half epoch */
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < curves[i].n; j++)
      if (curves[i].x[j] != floor(curves[i].x[j])) a->least_step = 0;
  if (!(a->x0 <= a->x1)) a->x0 = 0, a->x1 = 1;
  if (!(a->y0 <= a->y1)) a->y0 = 0, a->y1 = 1;
  if (a->x0 == a->x1) a->x0 -= 0.5, a->x1 += 0.5;
  double margin = a->y1 > a->y0 ? 0.05 * (a->y1 - a->y0) : a->y1 != 0 ? 0.5 * fabs(a->y1) : 0.5;
  if (a->y0 < 0 || a->y0 - margin > 0) a->y0 -= margin;
  else a->y0 = 0; /* a curve that comes near zero is shown from zero */
  a->y1 += margin;
}

am_status am_plot_curves(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                         const char *y_name, const am_curve *curves, size_t n, double mark, am_buffer *out,
                         am_error *err) {
  frame a;
  am_status st = start(ctx, style, 560, 320, title, &a, err);
  if (st) return st;
  if (n > 1 && !legend_fits(&a, title, curves, n)) a.top += 16, a.height -= 16; /* a line of its own */
  fit(&a, curves, n);
  make_room(&a);
  draw_x_axis(&a, x_name, true);
  draw_y_axis(&a, y_name, true);
  if (mark >= a.x0 && mark <= a.x1) {
    double line[4] = {at_x(&a, mark), a.top, at_x(&a, mark), a.top + a.height};
    am_canvas_line(a.c, line, 2, 1, a.p->faint);
  }
  for (size_t i = 0; i < n && !st; i++) st = draw_curve(ctx, &a, &curves[i], a.p->series[i % 6], err);
  if (n > 1) draw_legend(&a, curves, n);
  am_status finished = am_canvas_finish(a.c, out, err);
  return st ? st : finished;
}

static void draw_bar(const frame *a, double x0, double x1, double y, am_color color) {
  double left = at_x(a, x0) + 0.75, top = at_y(a, y);
  if (y > 0) am_canvas_rectangle(a->c, left, top, at_x(a, x1) - 0.75 - left, at_y(a, 0) - top, color);
}

am_status am_plot_histogram(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                            const char *y_name, double low, double high, const double *counts, size_t n, am_buffer *out,
                            am_error *err) {
  frame a;
  am_status st = start(ctx, style, 560, 260, title, &a, err);
  if (st) return st;
  a.x0 = low;
  a.x1 = high > low ? high : low + 1;
  a.y1 = 1;
  for (size_t i = 0; i < n; i++) a.y1 = fmax(a.y1, counts[i] * 1.05);
  make_room(&a);
  draw_x_axis(&a, x_name, false);
  draw_y_axis(&a, y_name, true);
  for (size_t i = 0; i < n; i++)
    draw_bar(&a, a.x0 + (a.x1 - a.x0) * (double)i / (double)n, a.x0 + (a.x1 - a.x0) * (double)(i + 1) / (double)n,
             counts[i], a.p->series[0]);
  return am_canvas_finish(a.c, out, err);
}

am_status am_plot_reliability(am_context *ctx, const am_plot_style *style, const char *title,
                              const am_reliability_bin *bins, size_t n, am_buffer *out, am_error *err) {
  frame a;
  am_status st = start(ctx, style, 420, 400, title, &a, err);
  if (st) return st;
  uint64_t most = 1;
  a.x1 = a.y1 = 1;
  draw_x_axis(&a, "probability of the predicted emotion", true);
  draw_y_axis(&a, "share that was right", true);
  for (size_t i = 0; i < n; i++) {
    if (bins[i].clips > most) most = bins[i].clips;
    if (bins[i].clips)
      draw_bar(&a, (double)i / (double)n, (double)(i + 1) / (double)n, bins[i].right / (double)bins[i].clips,
               a.p->series[0]);
  }
  double line[4] = {at_x(&a, 0), at_y(&a, 0), at_x(&a, 1), at_y(&a, 1)};
  am_canvas_line(a.c, line, 2, 1.2, a.p->faint);
  for (size_t i = 0; i < n; i++) {
    double clips = (double)bins[i].clips;
    if (bins[i].clips)
      am_canvas_dot(a.c, at_x(&a, bins[i].confidence / clips), at_y(&a, bins[i].right / clips),
                    1.8 + 4.2 * sqrt(clips / (double)most), a.p->series[1]);
  }
  return am_canvas_finish(a.c, out, err);
}

/* ---- true against predicted ---- */

am_status am_plot_scatter(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                          const char *y_name, const float *x, const float *y, size_t n, size_t stride, double low,
                          double high, am_buffer *out, am_error *err) {
  frame a;
  am_status st = start(ctx, style, 400, 400, title, &a, err);
  if (st) return st;
  if (!(low < high)) low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i * stride]) || !isfinite(y[i * stride])) continue;
    widen((double)x[i * stride], &low, &high);
    widen((double)y[i * stride], &low, &high);
  }
  if (!(low < high)) low = isfinite(low) ? low - 1 : 0, high = low + 2; /* no pair, or all of one value */
  const double edge = (high - low) / 50;
  a.x0 = a.y0 = low - edge;
  a.x1 = a.y1 = high + edge;
  draw_x_axis(&a, x_name, true);
  draw_y_axis(&a, y_name, true);
  const double line[4] = {at_x(&a, low), at_y(&a, low), at_x(&a, high), at_y(&a, high)};
  am_canvas_line(a.c, line, 2, 1.2, a.p->faint);
  const double radius = n > 2000 ? 1.2 : n > 300 ? 1.8 : 2.6;
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i * stride]) && isfinite(y[i * stride]))
      am_canvas_dot(a.c, at_x(&a, (double)x[i * stride]), at_y(&a, (double)y[i * stride]), radius, a.p->series[0]);
  return am_canvas_finish(a.c, out, err);
}

/* ---- risk over coverage ---- */

enum { RISK_POINTS = 400, RISK_FEW = 20 };

/* A line in per cent through at most so many of the n risks, from the first that fits on. */
static void draw_risks(const frame *a, const double *risk, size_t n, am_color color) {
  double xy[2 * RISK_POINTS + 2];
  const size_t points = n < RISK_POINTS ? n : RISK_POINTS;
  size_t used = 0;
  for (size_t j = 0; j < points; j++) {
    const size_t i = (j + 1) * n / points - 1;
    if (!used && 100 * risk[i] > a->y1) continue;
    xy[2 * used] = at_x(a, 100 * (double)(i + 1) / (double)n);
    xy[2 * used++ + 1] = at_y(a, fmin(100 * risk[i], a->y1));
  }
  am_canvas_line(a->c, xy, used, 1.8, color);
}

/* Nothing is wrong until what is right is used up. */
static void draw_best(const frame *a, double wrong, am_color color) {
  enum { POINTS = 61 };
  double xy[2 * POINTS + 2] = {at_x(a, 0), at_y(a, 0)};
  for (int i = 0; i < POINTS; i++) {
    const double x = 1 - wrong + wrong * i / (POINTS - 1);
    xy[2 * i + 2] = at_x(a, 100 * x);
    xy[2 * i + 3] = at_y(a, x > 0 ? 100 * (x - (1 - wrong)) / x : 0);
  }
  am_canvas_line(a->c, xy, POINTS + 1, 1.2, color);
}

/* The curve rises, so that there is room above it on its left, and below it on its right. */
static void draw_mark(const frame *a, const am_risk_mark *m) {
  const double x = at_x(a, 100 * m->coverage), y = at_y(a, 100 * m->risk),
               width = am_canvas_text_width(a->c, 10.5, m->text) + 10;
  const bool right = x + width < a->left + a->width && (m->below || x - width < a->left);
  am_canvas_dot(a->c, x, y, 3.6, a->p->ink);
  am_canvas_text(a->c, right ? x + 8 : x - 8, right ? y + 13 : y - 6, 10.5, right ? AM_ALIGN_LEFT : AM_ALIGN_RIGHT,
                 false, a->p->ink, m->text);
}

am_status am_plot_risk(am_context *ctx, const am_plot_style *style, const char *title, const double *risk, size_t n,
                       const am_risk_mark *marks, size_t n_marks, am_buffer *out, am_error *err) {
  static const am_curve names[3] = {{.name = "surest first"}, {.name = "best order"}, {.name = "any order"}};
  frame a;
  am_status st = start(ctx, style, 420, 360, title, &a, err);
  if (st) return st;
  const double wrong = n ? risk[n - 1] : 0;
  if (!legend_fits(&a, title, names, 3)) a.top += 16, a.height -= 16;
  a.x1 = 100;
  a.y1 = fmax(5, 125 * wrong);
  for (size_t i = n / RISK_FEW; i < n; i++) a.y1 = fmax(a.y1, 105 * risk[i]); /* of the first few it may be anything */
  draw_x_axis(&a, "answered, surest first (% of the clips)", true);
  draw_y_axis(&a, "wrong (% of the answered)", true);
  const double any[4] = {at_x(&a, 0), at_y(&a, 100 * wrong), at_x(&a, 100), at_y(&a, 100 * wrong)};
  am_canvas_line(a.c, any, 2, 1.2, a.p->series[2]);
  draw_best(&a, wrong, a.p->series[1]);
  draw_risks(&a, risk, n, a.p->series[0]);
  for (size_t i = 0; i < n_marks; i++) draw_mark(&a, &marks[i]);
  draw_legend(&a, names, 3);
  return am_canvas_finish(a.c, out, err);
}

static void draw_cell(const frame *a, double x, double y, double side, uint64_t count, uint64_t row) {
  double share = row ? (double)count / (double)row : 0;
  char text[32];
  am_canvas_rectangle(a->c, x, y, side - 1.5, side - 1.5, am_color_mix(a->p->ramp_low, a->p->ramp_high, share));
  if (!count) return;
  am_color ink = share > 0.55 ? a->p->paper : a->p->ink;
  snprintf(text, sizeof text, "%llu", (unsigned long long)count);
  am_canvas_text(a->c, x + side / 2, y + side / 2, 12, AM_ALIGN_MIDDLE, false, ink, text);
  snprintf(text, sizeof text, "%.0f %%", 100 * share);
  am_canvas_text(a->c, x + side / 2, y + side / 2 + 12, 9, AM_ALIGN_MIDDLE, false, ink, text);
}

am_status am_plot_confusion(am_context *ctx, const am_plot_style *style, const char *title, const char *const *labels,
                            int classes, const uint64_t *counts, am_buffer *out, am_error *err) {
  const double side = 46, margin = 104;
  frame a;
  am_status st = start(ctx, style, margin + classes * side + 20, 48 + classes * side + 62, title, &a, err);
  if (st) return st;
  double top = 48;
  char text[64];
  double recall = 0;
  int scored = 0; /* classes with clips, which the average recall is over */
  for (int i = 0; i < classes; i++) {
    uint64_t row = 0;
    for (int k = 0; k < classes; k++) row += counts[i * classes + k];
    if (row) recall += (double)counts[i * classes + i] / (double)row, scored++;
    double y = top + i * side;
    am_canvas_text(a.c, margin - 8, y + side / 2 + 4, 11, AM_ALIGN_RIGHT, false, a.p->ink,
                   shorten(labels[i], 14, text));
    for (int k = 0; k < classes; k++) draw_cell(&a, margin + k * side, y, side, counts[i * classes + k], row);
  }
  for (int k = 0; k < classes; k++) {
    am_canvas_text(a.c, margin + k * side + side / 2, top + classes * side + 14, 9.5, AM_ALIGN_MIDDLE, false, a.p->ink,
                   shorten(labels[k], 9, text)); /* what fits below a cell */
  }
  am_canvas_text(a.c, margin + classes * side / 2, top + classes * side + 36, 11, AM_ALIGN_MIDDLE, false, a.p->faint,
                 "predicted");
  snprintf(text, sizeof text, "UAR %.1f %% over %d of %d, chance %.1f %%", scored ? 100 * recall / scored : 0, scored,
           classes, scored ? 100.0 / scored : 0);
  if (scored)
    am_canvas_text(a.c, (margin + classes * side + 20) / 2, top + classes * side + 54, 9.5, AM_ALIGN_MIDDLE, false,
                   a.p->faint, text);
  am_canvas_text(a.c, 16, top + classes * side / 2, 11, AM_ALIGN_MIDDLE, true, a.p->faint, "true");
  return am_canvas_finish(a.c, out, err);
}

/* Magma-like ramp through five anchors: dark violet to pale yellow, lightness rising throughout. */
static void heat(double share, uint8_t rgb[3]) {
  static const double at[5][3] = {{0, 0, 4}, {81, 18, 124}, {183, 55, 121}, {252, 137, 97}, {252, 253, 191}};
  double scaled = share > 0 ? fmin(share, 1) * 4 : 0; /* NaN is drawn as the least */
  int i = scaled >= 4 ? 3 : (int)scaled;
  for (int k = 0; k < 3; k++) rgb[k] = (uint8_t)lround(at[i][k] + (at[i + 1][k] - at[i][k]) * (scaled - i));
}

/* Blue to red, over white in the middle. */
static void for_and_against(double share, uint8_t rgb[3]) {
  static const double at[5][3] = {{33, 80, 155}, {140, 185, 225}, {250, 250, 250}, {245, 165, 135}, {170, 25, 40}};
  double scaled = share > 0 ? fmin(share, 1) * 4 : 0;
  int i = scaled >= 4 ? 3 : (int)scaled;
  for (int k = 0; k < 3; k++) rgb[k] = (uint8_t)lround(at[i][k] + (at[i + 1][k] - at[i][k]) * (scaled - i));
}

/* x (T,F) in colours from low to high, over a stretch of the frame's width. */
typedef struct stretch {
  double left, width, low, high;
  void (*color)(double share, uint8_t rgb[3]);
} stretch;

static am_status draw_map(am_context *ctx, const frame *a, const float *x, int t, int f, const stretch *s,
                          am_error *err) {
  size_t n = (size_t)t * (size_t)f;
  const double span = s->high > s->low ? s->high - s->low : 1;
  uint8_t *rgb = am_alloc(ctx, am_mul(n, 3), 1);
  if (!rgb) return am_no_memory(err);
  for (int j = 0; j < f; j++)
    for (int i = 0; i < t; i++)
      s->color(((double)x[(size_t)i * (size_t)f + (size_t)(f - 1 - j)] - s->low) / span,
               rgb + 3 * ((size_t)j * (size_t)t + (size_t)i));
  am_canvas_pixels(a->c, s->left, a->top, s->width, a->height, rgb, f, t);
  am_free(ctx, rgb);
  return AM_OK;
}

static void draw_bin(const frame *a, double bin, int f, const char *text) {
  double y = a->top + a->height * (1 - (bin + 0.5) / f), tick[4] = {a->left - 3, y, a->left, y};
  am_canvas_line(a->c, tick, 2, 1, a->p->faint);
  am_canvas_text(a->c, a->left - 6, y + 3.5, 10.5, AM_ALIGN_RIGHT, false, a->p->faint, text);
}

/* Round frequencies where they lie between the bins' own; without frequencies every sixth of the bins. */
static void draw_bins(const frame *a, int f, const double *hertz) {
  static const int round[] = {50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000};
  char text[32];
  double last = -INFINITY, apart = 16.0 * f / a->height; /* bins that a line of text takes */
  for (int j = 0; !hertz && j<f; j += f> 6 ? f / 6 : 1) {
    snprintf(text, sizeof text, "%d", j);
    draw_bin(a, j, f, text);
  }
  for (size_t i = 0; hertz && i < sizeof round / sizeof *round; i++) {
    int j = 0;
    while (j + 1 < f && hertz[j + 1] < round[i]) j++;
    if (j + 1 >= f || hertz[j] > round[i]) continue;
    double bin = j + (round[i] - hertz[j]) / (hertz[j + 1] - hertz[j]);
    if (bin - last < apart) continue;
    last = bin;
    if (round[i] < 1000) snprintf(text, sizeof text, "%d", round[i]);
    else snprintf(text, sizeof text, "%dk", round[i] / 1000);
    draw_bin(a, bin, f, text);
  }
  am_canvas_text(a->c, 12, a->top + a->height / 2, 11, AM_ALIGN_MIDDLE, true, a->p->faint,
                 hertz ? "frequency (Hz)" : "bin");
}

static double duration(const am_spectrogram_view *v) { return v->seconds > 0 ? v->seconds : v->t; }

/* In the frame, whose x1 is at least the view's duration. */
static am_status draw_view(am_context *ctx, const frame *a, const am_spectrogram_view *v, const double *hertz,
                           double low, double high, am_error *err) {
  const stretch s = {a->left, a->width * duration(v) / a->x1, low, high, heat};
  am_status st = draw_map(ctx, a, v->x, v->t, v->f, &s, err);
  draw_x_axis(a, v->seconds > 0 ? "time (s)" : "frame", false);
  draw_bins(a, v->f, hertz);
  return st;
}

static am_status plot_views(am_context *ctx, const am_plot_style *style, const am_spectrogram_view *v, size_t n,
                            const double *hertz, am_buffer *out, am_error *err) {
  frame a;
  double low = INFINITY, high = -INFINITY, longest = 0;
  for (size_t i = 0; i < n; i++) {
    if (v[i].t < 1 || v[i].f < 1)
      return am_fail(err, AM_E_SHAPE, "a spectrogram of %d frames and %d bins cannot be drawn", v[i].t, v[i].f);
    for (size_t k = 0; k < (size_t)v[i].t * (size_t)v[i].f; k++) widen((double)v[i].x[k], &low, &high);
    longest = fmax(longest, duration(&v[i]));
  }
  am_status st = start_many(ctx, style, 560, 280, n, v[0].title, &a, err);
  if (st) return st;
  double width = a.width + 66, height = style->height > 0 ? style->height : 280;
  a.x1 = longest;
  for (size_t i = 0; i < n && !st; i++) {
    if (i) place(&a, (double)i * height, width, height, v[i].title);
    a.y1 = v[i].f;
    st = draw_view(ctx, &a, &v[i], hertz, low, high, err);
  }
  am_status finished = am_canvas_finish(a.c, out, err);
  return st ? st : finished;
}

am_status am_plot_spectrogram(am_context *ctx, const am_plot_style *style, const char *title, const float *x, int t,
                              int f, double seconds, const double *hertz, am_buffer *out, am_error *err) {
  am_spectrogram_view view = {title, x, t, f, seconds};
  return plot_views(ctx, style, &view, 1, hertz, out, err);
}

am_status am_plot_spectrograms(am_context *ctx, const am_plot_style *style, const am_spectrogram_view *views, size_t n,
                               am_buffer *out, am_error *err) {
  return plot_views(ctx, style, views, n, NULL, out, err);
}

/* The scales of both: of what was heard from least to most, of effects even around 0. */
static void scales(const am_why_view *v, double low[2], double high[2]) {
  low[0] = INFINITY;
  high[0] = -INFINITY;
  high[1] = 0;
  for (size_t k = 0; k < (size_t)v->t * (size_t)v->f; k++) {
    widen((double)v->x[k], &low[0], &high[0]);
    high[1] = fmax(high[1], fabs((double)v->effect[k]));
  }
  if (!(high[1] > 0)) high[1] = 1;
  low[1] = -high[1];
}

am_status am_plot_why(am_context *ctx, const am_plot_style *style, const am_why_view *v, am_buffer *out,
                      am_error *err) {
  frame a;
  double low[2], high[2];
  if (v->t < 1 || v->f < 1 || !(v->whole > 0))
    return am_fail(err, AM_E_SHAPE, "a sound of %d frames and %d bins cannot be drawn", v->t, v->f);
  scales(v, low, high);
  am_status st = start_many(ctx, style, 720, 240, 2, v->title, &a, err);
  if (st) return st;
  const double width = a.width + 66, height = style->height > 0 ? style->height : 240;
  a.x1 = v->whole;
  for (int i = 0; i < 2 && !st; i++) {
    if (i) place(&a, height, width, height, v->below);
    a.y1 = v->f;
    const stretch s = {a.left + a.width * v->start / v->whole, a.width * v->seconds / v->whole, low[i], high[i],
                       i ? for_and_against : heat};
    st = draw_map(ctx, &a, i ? v->effect : v->x, v->t, v->f, &s, err);
    draw_x_axis(&a, "time (s)", false);
    draw_bins(&a, v->f, v->hertz);
  }
  am_status finished = am_canvas_finish(a.c, out, err);
  return st ? st : finished;
}

am_status am_plot_waveform(am_context *ctx, const am_plot_style *style, const char *title, const float *samples,
                           size_t n, double rate, am_buffer *out, am_error *err) {
  frame a;
  am_status st = start(ctx, style, 560, 200, title, &a, err);
  if (st) return st;
  a.x1 = n ? (double)n / rate : 1;
  a.y1 = 1e-6;
  for (size_t i = 0; i < n; i++)
    if (fabs((double)samples[i]) > a.y1) a.y1 = fabs((double)samples[i]);
  a.y1 *= 1.05;
  a.y0 = -a.y1;
  draw_x_axis(&a, "time (s)", true);
  draw_y_axis(&a, "amplitude", true);
  /* One line up and down: the extremes of the samples that half a point of width stands for. */
  enum { COLUMNS = 2048 };
  double xy[4 * COLUMNS];
  size_t columns = n ? (size_t)fmin(a.width * 1.5, COLUMNS) : 0;
  for (size_t j = 0; j < columns; j++) {
    size_t from = j * n / columns, to = (j + 1) * n / columns;
    double low = (double)samples[from], high = low;
    for (size_t i = from; i < to; i++) widen((double)samples[i], &low, &high);
    xy[4 * j] = xy[4 * j + 2] = a.left + ((double)j + 0.5) * a.width / (double)columns;
    xy[4 * j + 1] = at_y(&a, j % 2 ? low : high);
    xy[4 * j + 3] = at_y(&a, j % 2 ? high : low);
  }
  am_canvas_line(a.c, xy, 2 * columns, 0.8, a.p->series[0]);
  return am_canvas_finish(a.c, out, err);
}

am_status am_plot_save(am_context *ctx, const char *path, const am_buffer *picture, am_error *err) {
  return am_file_write_own(ctx, path, NULL, picture->data, picture->used, err);
}
