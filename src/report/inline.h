/* SPDX-License-Identifier: MIT */
/* report/inline.h - a picture as SVG: a small <svg> element to stand inside a page, or a file of its own.
 *
 * Colours that have a name are CSS variables of the page (ink: var(--ink)), so the picture follows it into
 * the dark; texts are texts, in the page's font.  Failure shows in the buffer. */
#ifndef AM_INLINE_H
#define AM_INLINE_H

#include "report/canvas.h"
#include "report/html.h"

/* `file`: a picture of its own, so many points large; else as large as the page makes it, and explained there. */
void am_inline_begin(am_html h, double width, double height, bool file);
void am_inline_rectangle(am_html h, double x, double y, double width, double height, am_color color);
void am_inline_line(am_html h, const double *xy, size_t n, double width, am_color color);
void am_inline_dot(am_html h, double x, double y, double radius, am_color color);
void am_inline_text(am_html h, double x, double y, double size, am_align align, bool turned, am_color color,
                    const char *text);
/* A PNG stretched over the rectangle without smoothing. */
void am_inline_image(am_html h, double x, double y, double width, double height, const am_buffer *png);
void am_inline_end(am_html h);

#endif
