/* SPDX-License-Identifier: MIT */
/* report/canvas.c - the only file that knows Cairo, which is loaded when something is drawn. */
#include "report/canvas.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>

#include "base/library.h"
#include "base/soname_cairo.h"
#include "report/html.h"
#include "report/inline.h"
#include "report/report.h"

/* ---- the library ---- */

#define CAIRO_CALLS(X) \
  X(cairo_arc) \
  X(cairo_create) \
  X(cairo_destroy) \
  X(cairo_fill) \
  X(cairo_get_source) \
  X(cairo_image_surface_create) \
  X(cairo_image_surface_get_data) \
  X(cairo_image_surface_get_stride) \
  X(cairo_line_to) \
  X(cairo_move_to) \
  X(cairo_pattern_set_filter) \
  X(cairo_rectangle) \
  X(cairo_restore) \
  X(cairo_rotate) \
  X(cairo_save) \
  X(cairo_scale) \
  X(cairo_select_font_face) \
  X(cairo_set_font_size) \
  X(cairo_set_line_join) \
  X(cairo_set_line_width) \
  X(cairo_set_source_rgb) \
  X(cairo_set_source_surface) \
  X(cairo_show_text) \
  X(cairo_status) \
  X(cairo_status_to_string) \
  X(cairo_stroke) \
  X(cairo_surface_destroy) \
  X(cairo_surface_flush) \
  X(cairo_surface_mark_dirty) \
  X(cairo_surface_write_to_png_stream) \
  X(cairo_text_extents) \
  X(cairo_translate) \
  X(cairo_version_string)

typedef struct calls {
  CAIRO_CALLS(AM_LIBRARY_MEMBER)
} calls;

static am_status load(calls *to, am_error *err) {
  static const char *const names[] = {CAIRO_CALLS(AM_LIBRARY_NAME) NULL};
  static const am_library cairo = {AM_SONAME_CAIRO, names};
  const am_status status = am_library_load(&cairo, 1, to, sizeof *to, err);
  return status ? am_error_prefix(err, "pages and pictures are drawn by Cairo") : AM_OK;
}

am_status am_report_library(char *out, size_t room, am_error *err) {
  calls f;
  const am_status status = load(&f, err);
  if (!status) snprintf(out, room, "%s", f.cairo_version_string());
  return status;
}

/* ---- the canvas ---- */

struct am_canvas {
  am_context *ctx;
  calls f;
  am_image image;
  cairo_surface_t *surface;
  cairo_t *cr;
  am_buffer bytes;
};

static const double png_scale = 2;

const am_palette *am_palette_of(bool dark) {
  /* Series: the colour-blind safe set of Okabe and Ito (2008), lightened on dark paper. */
  static const am_palette light = {.paper = {1, 1, 1, "paper"},
                                   .ink = {0.13, 0.14, 0.16, "ink"},
                                   .faint = {0.42, 0.44, 0.48, "faint"},
                                   .grid = {0.88, 0.89, 0.91, "grid"},
                                   .series = {{0, 0.45, 0.70, "series0"},
                                              {0.84, 0.37, 0, "series1"},
                                              {0, 0.62, 0.45, "series2"},
                                              {0.80, 0.47, 0.65, "series3"},
                                              {0.34, 0.34, 0.34, "series4"},
                                              {0.60, 0.50, 0, "series5"}},
                                   .ramp_low = {0.97, 0.98, 1, "low"},
                                   .ramp_high = {0.03, 0.25, 0.50, "high"}};
  static const am_palette dark_one = {.paper = {0.09, 0.10, 0.12, "paper"},
                                      .ink = {0.90, 0.91, 0.93, "ink"},
                                      .faint = {0.62, 0.64, 0.68, "faint"},
                                      .grid = {0.22, 0.24, 0.27, "grid"},
                                      .series = {{0.34, 0.71, 0.91, "series0"},
                                                 {0.95, 0.56, 0.22, "series1"},
                                                 {0.25, 0.80, 0.62, "series2"},
                                                 {0.90, 0.62, 0.78, "series3"},
                                                 {0.70, 0.70, 0.70, "series4"},
                                                 {0.94, 0.89, 0.26, "series5"}},
                                      .ramp_low = {0.13, 0.15, 0.18, "low"},
                                      .ramp_high = {0.45, 0.78, 1, "high"}};
  return dark ? &dark_one : &light;
}

am_color am_color_mix(am_color a, am_color b, double share) {
  return (am_color){a.r + (b.r - a.r) * share, a.g + (b.g - a.g) * share, a.b + (b.b - a.b) * share, NULL};
}

static cairo_status_t take_bytes(void *html, const unsigned char *data, unsigned int length) {
  const am_html *h = html;
  am_buffer_append(h->ctx, h->out, data, length);
  return h->out->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static cairo_status_t write_png(const am_canvas *c, cairo_surface_t *surface, am_buffer *out) {
  am_html to = {c->ctx, out};
  return c->f.cairo_surface_write_to_png_stream(surface, take_bytes, &to);
}

/* Where the elements of a picture of text go. */
static am_html text_of(am_canvas *c) { return (am_html){c->ctx, &c->bytes}; }

/* A page chooses its own colours by their names; a file has none to choose from. */
static am_color paint(const am_canvas *c, am_color color) {
  if (c->image == AM_IMAGE_SVG) color.name = NULL;
  return color;
}

static void set_color(am_canvas *c, am_color color) { c->f.cairo_set_source_rgb(c->cr, color.r, color.g, color.b); }

am_status am_canvas_create(am_context *ctx, am_image image, double width, double height, am_color paper,
                           am_canvas **out, am_error *err) {
  am_canvas *c = am_alloc(ctx, 1, sizeof *c);
  *out = NULL;
  if (!c) return am_no_memory(err);
  am_status status = load(&c->f, err);
  if (status) return am_free(ctx, c), status;
  c->ctx = ctx;
  c->image = image;
  double scale = image == AM_IMAGE_PNG ? png_scale : 0; /* else Cairo only measures texts: the surface is empty */
  c->surface = c->f.cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * scale), (int)(height * scale));
  c->cr = c->f.cairo_create(c->surface);
  if (image == AM_IMAGE_PNG) c->f.cairo_scale(c->cr, png_scale, png_scale);
  c->f.cairo_select_font_face(c->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  if (image != AM_IMAGE_PNG) am_inline_begin(text_of(c), width, height, image == AM_IMAGE_SVG);
  if (image != AM_IMAGE_INLINE) am_canvas_rectangle(c, 0, 0, width, height, paper);
  *out = c;
  return AM_OK;
}

void am_canvas_rectangle(am_canvas *c, double x, double y, double width, double height, am_color color) {
  if (c->image != AM_IMAGE_PNG) {
    am_inline_rectangle(text_of(c), x, y, width, height, paint(c, color));
    return;
  }
  set_color(c, color);
  c->f.cairo_rectangle(c->cr, x, y, width, height);
  c->f.cairo_fill(c->cr);
}

void am_canvas_line(am_canvas *c, const double *xy, size_t n, double width, am_color color) {
  if (c->image != AM_IMAGE_PNG) {
    am_inline_line(text_of(c), xy, n, width, paint(c, color));
    return;
  }
  bool down = false;
  for (size_t i = 0; i < n; i++) {
    bool known = isfinite(xy[2 * i]) && isfinite(xy[2 * i + 1]);
    if (known && down) c->f.cairo_line_to(c->cr, xy[2 * i], xy[2 * i + 1]);
    else if (known) c->f.cairo_move_to(c->cr, xy[2 * i], xy[2 * i + 1]);
    down = known;
  }
  set_color(c, color);
  c->f.cairo_set_line_width(c->cr, width);
  c->f.cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
  c->f.cairo_stroke(c->cr);
}

void am_canvas_dot(am_canvas *c, double x, double y, double radius, am_color color) {
  if (c->image != AM_IMAGE_PNG) {
    am_inline_dot(text_of(c), x, y, radius, paint(c, color));
    return;
  }
  set_color(c, color);
  c->f.cairo_arc(c->cr, x, y, radius, 0, 6.283185307179586);
  c->f.cairo_fill(c->cr);
}

static double width_of(am_canvas *c, double size, const char *clean) {
  cairo_text_extents_t extents;
  c->f.cairo_set_font_size(c->cr, size);
  c->f.cairo_text_extents(c->cr, clean, &extents);
  return extents.x_advance;
}

double am_canvas_text_width(am_canvas *c, double size, const char *text) {
  char *clean = am_text_clean(c->ctx, text); /* Cairo draws nothing any more after a text that is not UTF-8 */
  double width = clean ? width_of(c, size, clean) : 0;
  if (!clean) c->bytes.failed = true;
  am_free(c->ctx, clean);
  return width;
}

static void show_text(am_canvas *c, double x, double y, double size, am_align align, bool turned, const char *clean) {
  double width = width_of(c, size, clean);
  double back = align == AM_ALIGN_LEFT ? 0 : align == AM_ALIGN_MIDDLE ? width / 2 : width;
  c->f.cairo_save(c->cr);
  c->f.cairo_translate(c->cr, x, y);
  if (turned) c->f.cairo_rotate(c->cr, -1.5707963267948966);
  c->f.cairo_move_to(c->cr, -back, 0);
  c->f.cairo_show_text(c->cr, clean);
  c->f.cairo_restore(c->cr);
}

void am_canvas_text(am_canvas *c, double x, double y, double size, am_align align, bool turned, am_color color,
                    const char *text) {
  if (c->image != AM_IMAGE_PNG) {
    am_inline_text(text_of(c), x, y, size, align, turned, paint(c, color), text);
    return;
  }
  char *clean = am_text_clean(c->ctx, text);
  set_color(c, color);
  if (clean) show_text(c, x, y, size, align, turned, clean);
  else c->bytes.failed = true;
  am_free(c->ctx, clean);
}

/* An image surface of rgb (rows,columns,3); its data is NULL when memory ran out. */
static cairo_surface_t *raster(const am_canvas *c, const uint8_t *rgb, int rows, int columns) {
  cairo_surface_t *image = c->f.cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows);
  unsigned char *data = c->f.cairo_image_surface_get_data(image);
  if (!data) return image;
  int stride = c->f.cairo_image_surface_get_stride(image);
  c->f.cairo_surface_flush(image);
  for (int i = 0; i < rows; i++) {
    uint32_t *row = (uint32_t *)(void *)(data + (size_t)i * (size_t)stride);
    const uint8_t *from = rgb + (size_t)i * (size_t)columns * 3;
    for (int j = 0; j < columns; j++)
      row[j] = (uint32_t)from[3 * j] << 16 | (uint32_t)from[3 * j + 1] << 8 | from[3 * j + 2];
  }
  c->f.cairo_surface_mark_dirty(image);
  return image;
}

void am_canvas_pixels(am_canvas *c, double x, double y, double width, double height, const uint8_t *rgb, int rows,
                      int columns) {
  cairo_surface_t *image = raster(c, rgb, rows, columns);
  if (c->image != AM_IMAGE_PNG) {
    am_buffer png = {0};
    if (write_png(c, image, &png) == CAIRO_STATUS_SUCCESS) am_inline_image(text_of(c), x, y, width, height, &png);
    else c->bytes.failed = true;
    am_buffer_free(c->ctx, &png);
  } else {
    c->f.cairo_save(c->cr);
    c->f.cairo_translate(c->cr, x, y);
    c->f.cairo_scale(c->cr, width / columns, height / rows);
    c->f.cairo_set_source_surface(c->cr, image, 0, 0);
    c->f.cairo_pattern_set_filter(c->f.cairo_get_source(c->cr), CAIRO_FILTER_NEAREST);
    c->f.cairo_rectangle(c->cr, 0, 0, columns, rows);
    c->f.cairo_fill(c->cr);
    c->f.cairo_restore(c->cr);
  }
  c->f.cairo_surface_destroy(image);
}

am_status am_canvas_finish(am_canvas *c, am_buffer *out, am_error *err) {
  am_context *ctx = c->ctx;
  cairo_status_t status = c->f.cairo_status(c->cr);
  if (c->image != AM_IMAGE_PNG) am_inline_end(text_of(c));
  else if (status == CAIRO_STATUS_SUCCESS) status = write_png(c, c->surface, &c->bytes);
  c->f.cairo_destroy(c->cr);
  c->f.cairo_surface_destroy(c->surface);
  am_status st = AM_OK;
  if (c->bytes.failed || status == CAIRO_STATUS_NO_MEMORY) st = am_no_memory(err);
  else if (status != CAIRO_STATUS_SUCCESS)
    st = am_fail(err, AM_E_IO, "drawing: %s", c->f.cairo_status_to_string(status));
  else am_buffer_append(ctx, out, c->bytes.data, c->bytes.used);
  am_buffer_free(ctx, &c->bytes);
  am_free(ctx, c);
  return st ? st : out->failed ? am_no_memory(err) : AM_OK;
}
