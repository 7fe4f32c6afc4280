/* SPDX-License-Identifier: MIT */
/* report/inline.c - drawing as elements of SVG. */
#include "report/inline.h"

#include <math.h>

static void attribute(am_html h, const char *name, double value) {
  am_html_put(h, " ");
  am_html_put(h, name);
  am_html_put(h, "=\"");
  am_html_number(h, value);
  am_html_put(h, "\"");
}

static void paint(am_html h, const char *name, am_color color) {
  if (color.name) am_html_printf(h, " %s=\"var(--%s)\"", name, color.name);
  else
    am_html_printf(h, " %s=\"rgb(%d,%d,%d)\"", name, (int)lround(255 * color.r), (int)lround(255 * color.g),
                   (int)lround(255 * color.b));
}

static void box(am_html h, double x, double y, double width, double height) {
  attribute(h, "x", x);
  attribute(h, "y", y);
  attribute(h, "width", width);
  attribute(h, "height", height);
}

void am_inline_begin(am_html h, double width, double height, bool file) {
  am_html_put(h, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ");
  am_html_number(h, width);
  am_html_put(h, " ");
  am_html_number(h, height);
  if (file) am_html_printf(h, "\" width=\"%gpt\" height=\"%gpt\" font-family=\"sans-serif\">", width, height);
  else am_html_put(h, "\" aria-hidden=\"true\">");
}

void am_inline_rectangle(am_html h, double x, double y, double width, double height, am_color color) {
  am_html_put(h, "<rect");
  box(h, x, y, width, height);
  paint(h, "fill", color);
  am_html_put(h, "/>");
}

void am_inline_line(am_html h, const double *xy, size_t n, double width, am_color color) {
  bool down = false;
  am_html_put(h, "<path d=\"");
  for (size_t i = 0; i < n; i++) {
    bool known = isfinite(xy[2 * i]) && isfinite(xy[2 * i + 1]);
    if (known) {
      am_html_put(h, down ? "L" : "M");
      am_html_number(h, xy[2 * i]);
      am_html_put(h, " ");
      am_html_number(h, xy[2 * i + 1]);
    }
    down = known;
  }
  am_html_put(h, "\" fill=\"none\" stroke-linejoin=\"round\"");
  attribute(h, "stroke-width", width);
  paint(h, "stroke", color);
  am_html_put(h, "/>");
}

void am_inline_dot(am_html h, double x, double y, double radius, am_color color) {
  am_html_put(h, "<circle");
  attribute(h, "cx", x);
  attribute(h, "cy", y);
  attribute(h, "r", radius);
  paint(h, "fill", color);
  am_html_put(h, "/>");
}

void am_inline_text(am_html h, double x, double y, double size, am_align align, bool turned, am_color color,
                    const char *text) {
  am_html_put(h, "<text");
  if (turned) {
    am_html_put(h, " transform=\"translate(");
    am_html_number(h, x);
    am_html_put(h, " ");
    am_html_number(h, y);
    am_html_put(h, ") rotate(-90)\"");
  } else {
    attribute(h, "x", x);
    attribute(h, "y", y);
  }
  attribute(h, "font-size", size);
  if (align != AM_ALIGN_LEFT) am_html_printf(h, " text-anchor=\"%s\"", align == AM_ALIGN_MIDDLE ? "middle" : "end");
  paint(h, "fill", color);
  am_html_put(h, ">");
  am_html_text(h, text);
  am_html_put(h, "</text>");
}

void am_inline_image(am_html h, double x, double y, double width, double height, const am_buffer *png) {
  am_html_put(h, "<image");
  box(h, x, y, width, height);
  am_html_put(h, " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64,");
  am_html_base64(h, png->data, png->used);
  am_html_put(h, "\"/>");
}

void am_inline_end(am_html h) { am_html_put(h, "</svg>"); }
