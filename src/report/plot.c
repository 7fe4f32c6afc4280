/* report/plot.c - axes, curves, matrices. */
#include "report/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* The area that data is drawn in, and the ranges that its edges stand for. */
typedef struct frame {
  am_canvas *c;
  const am_palette *p;
  double left, top, width, height;
  double x0, x1, y0, y1;
} frame;

static double at_x(const frame *a, double x) { return a->left + (x - a->x0) / (a->x1 - a->x0) * a->width; }
static double at_y(const frame *a, double y) { return a->top + (a->y1 - y) / (a->y1 - a->y0) * a->height; }

static am_status start(am_context *ctx, const am_plot_style *style, double width, double height, const char *title,
                       frame *a, am_error *err) {
  if (style->width > 0) width = style->width;
  if (style->height > 0) height = style->height;
  *a = (frame){.p = am_palette_of(style->dark), .left = 62, .top = 34, .width = width - 80, .height = height - 82};
  am_status st = am_canvas_create(ctx, style->image, width, height, a->p->paper, &a->c, err);
  if (!st) am_canvas_text(a->c, a->left, 21, 14, AM_ALIGN_LEFT, false, a->p->ink, title);
  return st;
}

/* 1, 2 or 5 times a power of ten, so that about `wanted` ticks fit. */
static double tick_step(double range, int wanted) {
  double raw = range / wanted, power = pow(10, floor(log10(raw)));
  double lead = raw / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static void tick_text(double value, double step, char *out, size_t size) {
  int digits = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
  snprintf(out, size, "%.*f", digits, fabs(value) < step / 1e6 ? 0.0 : value);
}

static void draw_x_axis(const frame *a, const char *name, bool grid) {
  double step = tick_step(a->x1 - a->x0, 8);
  char text[32];
  for (double x = ceil(a->x0 / step - 1e-9) * step; x <= a->x1 + step * 1e-9; x += step) {
    double line[4] = {at_x(a, x), a->top, at_x(a, x), a->top + a->height};
    if (grid) am_canvas_line(a->c, line, 2, 0.6, a->p->grid);
    tick_text(x, step, text, sizeof text);
    am_canvas_text(a->c, line[0], a->top + a->height + 15, 10, AM_ALIGN_MIDDLE, false, a->p->faint, text);
  }
  am_canvas_text(a->c, a->left + a->width / 2, a->top + a->height + 34, 11, AM_ALIGN_MIDDLE, false, a->p->faint, name);
}

static void draw_y_axis(const frame *a, const char *name, bool grid) {
  double step = tick_step(a->y1 - a->y0, 6);
  char text[32];
  for (double y = ceil(a->y0 / step - 1e-9) * step; y <= a->y1 + step * 1e-9; y += step) {
    double line[4] = {a->left, at_y(a, y), a->left + a->width, at_y(a, y)};
    if (grid) am_canvas_line(a->c, line, 2, 0.6, a->p->grid);
    tick_text(y, step, text, sizeof text);
    am_canvas_text(a->c, a->left - 6, line[1] + 3.5, 10, AM_ALIGN_RIGHT, false, a->p->faint, text);
  }
  am_canvas_text(a->c, 16, a->top + a->height / 2, 11, AM_ALIGN_MIDDLE, true, a->p->faint, name);
}

static void widen(double value, double *low, double *high) {
  if (!isfinite(value)) return;
  if (value < *low) *low = value;
  if (value > *high) *high = value;
}

static void draw_legend(const frame *a, const am_curve *curves, size_t n) {
  double x = a->left + a->width;
  for (size_t i = n; i-- > 0;) {
    x -= am_canvas_text_width(a->c, 11, curves[i].name);
    am_canvas_text(a->c, x, 21, 11, AM_ALIGN_LEFT, false, a->p->ink, curves[i].name);
    am_canvas_rectangle(a->c, x - 16, 16, 12, 3, a->p->series[i % 6]);
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

am_status am_plot_curves(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                         const char *y_name, const am_curve *curves, size_t n, am_buffer *out, am_error *err) {
  frame a;
  am_status st = start(ctx, style, 560, 320, title, &a, err);
  if (st) return st;
  a.x0 = a.y0 = INFINITY;
  a.x1 = a.y1 = -INFINITY;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < curves[i].n; j++) {
      widen(curves[i].x[j], &a.x0, &a.x1);
      widen(curves[i].y[j], &a.y0, &a.y1);
    }
  if (!(a.x0 <= a.x1)) a.x0 = 0, a.x1 = 1;
  if (!(a.y0 <= a.y1)) a.y0 = 0, a.y1 = 1;
  if (a.x0 == a.x1) a.x0 -= 0.5, a.x1 += 0.5;
  double margin = a.y1 > a.y0 ? 0.05 * (a.y1 - a.y0) : 0.5;
  if (a.y0 < 0 || a.y0 - margin > 0) a.y0 -= margin;
  else a.y0 = 0; /* a curve that comes near zero is shown from zero */
  a.y1 += margin;
  draw_x_axis(&a, x_name, true);
  draw_y_axis(&a, y_name, true);
  for (size_t i = 0; i < n && !st; i++) st = draw_curve(ctx, &a, &curves[i], a.p->series[i % 6], err);
  draw_legend(&a, curves, n);
  am_status finished = am_canvas_finish(a.c, out, err);
  return st ? st : finished;
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
  for (int i = 0; i < classes; i++) {
    uint64_t row = 0;
    for (int k = 0; k < classes; k++) row += counts[i * classes + k];
    double y = top + i * side;
    am_canvas_text(a.c, margin - 8, y + side / 2 + 4, 11, AM_ALIGN_RIGHT, false, a.p->ink, labels[i]);
    for (int k = 0; k < classes; k++) draw_cell(&a, margin + k * side, y, side, counts[i * classes + k], row);
  }
  for (int k = 0; k < classes; k++) {
    char text[16];
    bool longer = strlen(labels[k]) > 9; /* as much as fits below a cell at this size */
    snprintf(text, sizeof text, "%.*s%s", longer ? 8 : 9, labels[k], longer ? "." : "");
    am_canvas_text(a.c, margin + k * side + side / 2, top + classes * side + 14, 9.5, AM_ALIGN_MIDDLE, false, a.p->ink, text);
  }
  am_canvas_text(a.c, margin + classes * side / 2, top + classes * side + 36, 11, AM_ALIGN_MIDDLE, false, a.p->faint,
                 "predicted");
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

static am_status draw_heat(am_context *ctx, const frame *a, const float *x, int t, int f, am_error *err) {
  double low = INFINITY, high = -INFINITY;
  size_t n = (size_t)t * (size_t)f;
  for (size_t i = 0; i < n; i++) widen((double)x[i], &low, &high);
  if (!(high > low)) high = low + 1;
  uint8_t *rgb = am_alloc(ctx, am_mul(n, 3), 1);
  if (!rgb) return am_no_memory(err);
  for (int j = 0; j < f; j++)
    for (int i = 0; i < t; i++)
      heat(((double)x[(size_t)i * (size_t)f + (size_t)(f - 1 - j)] - low) / (high - low),
           rgb + 3 * ((size_t)j * (size_t)t + (size_t)i));
  am_canvas_pixels(a->c, a->left, a->top, a->width, a->height, rgb, f, t);
  am_free(ctx, rgb);
  return AM_OK;
}

/* Bins are labelled by their frequency at about six places. */
static void draw_bins(const frame *a, int f, const double *hertz) {
  char text[32];
  int step = f > 6 ? f / 6 : 1;
  for (int j = 0; j < f; j += step) {
    double y = a->top + a->height * (1 - (j + 0.5) / f);
    if (hertz) snprintf(text, sizeof text, "%.0f", hertz[j]);
    else snprintf(text, sizeof text, "%d", j);
    am_canvas_text(a->c, a->left - 6, y + 3.5, 10, AM_ALIGN_RIGHT, false, a->p->faint, text);
  }
  am_canvas_text(a->c, 16, a->top + a->height / 2, 11, AM_ALIGN_MIDDLE, true, a->p->faint,
                 hertz ? "frequency (Hz)" : "bin");
}

am_status am_plot_spectrogram(am_context *ctx, const am_plot_style *style, const char *title, const float *x, int t,
                              int f, double seconds, const double *hertz, am_buffer *out, am_error *err) {
  frame a;
  if (t < 1 || f < 1) return am_fail(err, AM_E_SHAPE, "a spectrogram of %d frames and %d bins cannot be drawn", t, f);
  am_status st = start(ctx, style, 560, 280, title, &a, err);
  if (st) return st;
  a.x1 = seconds > 0 ? seconds : t;
  a.y1 = f;
  st = draw_heat(ctx, &a, x, t, f, err);
  draw_x_axis(&a, seconds > 0 ? "time (s)" : "frame", false);
  draw_bins(&a, f, hertz);
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
  /* One upright stroke a point of width: the extremes of the samples it stands for. */
  size_t columns = (size_t)a.width;
  for (size_t j = 0; j < columns && n; j++) {
    size_t from = j * n / columns, to = (j + 1) * n / columns;
    double low = (double)samples[from], high = low;
    for (size_t i = from; i < to && i < n; i++) widen((double)samples[i], &low, &high);
    double x = a.left + (double)j + 0.5, line[4] = {x, at_y(&a, high) - 0.4, x, at_y(&a, low) + 0.4};
    am_canvas_line(a.c, line, 2, 1, a.p->series[0]);
  }
  return am_canvas_finish(a.c, out, err);
}

am_status am_plot_save(am_context *ctx, const char *path, const am_buffer *picture, am_error *err) {
  return am_file_write(ctx, path, picture->data, picture->used, err);
}
