/* SPDX-License-Identifier: MIT */
/* report/axes.h - the frame of a diagram and its axes; for the files of report/ that draw diagrams. */
#ifndef AM_REPORT_AXES_H
#define AM_REPORT_AXES_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/plot.h"

/* The area that data is drawn in, and the ranges that its edges stand for. */
typedef struct frame {
  am_canvas *c;
  const am_palette *p;
  double left, top, width, height;
  double x0, x1, y0, y1;
  double least_step; /* between ticks of x */
} frame;

static inline double at_x(const frame *a, double x) { return a->left + (x - a->x0) / (a->x1 - a->x0) * a->width; }
static inline double at_y(const frame *a, double y) { return a->top + (a->y1 - y) / (a->y1 - a->y0) * a->height; }

/* The frame of a diagram between y and y + height of the canvas, below its title. */
static inline void place(frame *a, double y, double width, double height, const char *title) {
  a->left = 54;
  a->width = width - 66;
  a->top = y + (*title ? 34 : 10);
  a->height = y + height - a->top - 48;
  am_canvas_text(a->c, a->left, y + 21, 14, AM_ALIGN_LEFT, false, a->p->ink, title);
}

/* A canvas for n diagrams below each other; the frame is the first one's. */
static inline am_status start_many(am_context *ctx, const am_plot_style *style, double width, double height, size_t n,
                                   const char *title, frame *a, am_error *err) {
  if (style->width > 0) width = style->width;
  if (style->height > 0) height = style->height;
  *a = (frame){.p = am_palette_of(false)};
  am_status st = am_canvas_create(ctx, style->image, width, height * (double)n, a->p->paper, &a->c, err);
  if (!st) place(a, 0, width, height, title);
  return st;
}

static inline am_status start(am_context *ctx, const am_plot_style *style, double width, double height,
                              const char *title, frame *a, am_error *err) {
  return start_many(ctx, style, width, height, 1, title, a, err);
}

/* 1, 2 or 5 times a power of ten, so that about `wanted` ticks fit. */
static inline double tick_step(double range, int wanted) {
  double raw = range / wanted, power = pow(10, floor(log10(raw)));
  double lead = raw / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

/* How many steps of ticks: few, unless what is drawn has no numbers to speak of (a loss of 1e300, or all the same). */
static inline int ticks(double first, double last) {
  enum { MOST_TICKS = 100 };
  return last >= first ? (int)fmin(last - first, MOST_TICKS) : -1;
}

static inline void tick_text(double value, double step, char *out, size_t size) {
  int digits = step >= 1 ? 0 : (int)am_size_of(fmin(ceil(-log10(step) - 1e-9), 17));
  snprintf(out, size, "%.*f", digits, fabs(value) < step / 1e6 ? 0.0 : value);
}

static inline void draw_x_axis(const frame *a, const char *name, bool grid) {
  double step = fmax(tick_step(a->x1 - a->x0, a->width < 400 ? 6 : 8), a->least_step);
  char text[32];
  double first = ceil(a->x0 / step - 1e-9), last = floor(a->x1 / step + 1e-9);
  for (int i = 0; i <= ticks(first, last); i++) {
    double x = (first + i) * step;
    double line[4] = {at_x(a, x), a->top, at_x(a, x), a->top + a->height};
    if (grid) am_canvas_line(a->c, line, 2, 0.6, a->p->grid);
    tick_text(x, step, text, sizeof text);
    am_canvas_text(a->c, line[0], a->top + a->height + 15, 10.5, AM_ALIGN_MIDDLE, false, a->p->faint, text);
  }
  am_canvas_text(a->c, a->left + a->width / 2, a->top + a->height + 34, 11, AM_ALIGN_MIDDLE, false, a->p->faint, name);
}

/* Long numbers beside the axis of y push the frame to the right, off the axis's name. */
static inline void make_room(frame *a) {
  double step = tick_step(a->y1 - a->y0, 6), widest = 0;
  const double ends[2] = {ceil(a->y0 / step - 1e-9) * step, floor(a->y1 / step + 1e-9) * step};
  char text[32];
  for (int i = 0; i < 2; i++) {
    tick_text(ends[i], step, text, sizeof text);
    widest = fmax(widest, am_canvas_text_width(a->c, 10.5, text));
  }
  double more = fmin(fmax(widest + 24 - a->left, 0), a->width / 2);
  a->left += more;
  a->width -= more;
}

static inline void draw_y_axis(const frame *a, const char *name, bool grid) {
  double step = tick_step(a->y1 - a->y0, 6);
  char text[32];
  double first = ceil(a->y0 / step - 1e-9), last = floor(a->y1 / step + 1e-9);
  for (int i = 0; i <= ticks(first, last); i++) {
    double y = (first + i) * step;
    double line[4] = {a->left, at_y(a, y), a->left + a->width, at_y(a, y)};
    if (grid) am_canvas_line(a->c, line, 2, 0.6, a->p->grid);
    tick_text(y, step, text, sizeof text);
    am_canvas_text(a->c, a->left - 6, line[1] + 3.5, 10.5, AM_ALIGN_RIGHT, false, a->p->faint, text);
  }
  am_canvas_text(a->c, 12, a->top + a->height / 2, 11, AM_ALIGN_MIDDLE, true, a->p->faint, name);
}

static inline void widen(double value, double *low, double *high) {
  if (!isfinite(value)) return;
  if (value < *low) *low = value;
  if (value > *high) *high = value;
}

/* At most `most` characters, the last a point where some are left out. */
static inline const char *shorten(const char *text, size_t most, char out[64]) {
  size_t used = 0, characters = 0;
  for (; used < 56 && text[used]; used++) {
    if (((unsigned char)text[used] & 0xc0) == 0x80) continue; /* inside a character */
    if (characters == most - 1 && strlen(text + used) > 1) {
      const char *rest = text + used + 1;
      while (((unsigned char)*rest & 0xc0) == 0x80) rest++;
      if (*rest) break;
    }
    characters++;
  }
  snprintf(out, 64, "%.*s%s", (int)used, text, text[used] ? "." : "");
  return out;
}

#endif
