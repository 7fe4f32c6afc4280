/* SPDX-License-Identifier: MIT */
/* report/canvas.h - a drawing surface that becomes a PNG (Cairo), or an SVG, as a file or as an element of a page
 * (inline.h).
 *
 * Coordinates are in points from the top left. Drawing never fails: memory
 * running out shows when the canvas is finished. */
#ifndef AM_CANVAS_H
#define AM_CANVAS_H

#include "base/base.h"

typedef struct am_canvas am_canvas;

typedef enum am_image { AM_IMAGE_SVG, AM_IMAGE_PNG, AM_IMAGE_INLINE } am_image;

/* `name` is what a page calls the colour, so that it can choose its own; NULL: this very colour. */
typedef struct am_color {
  double r, g, b;
  const char *name;
} am_color;

/* Colours by what they are for, so a picture has a light and a dark version. */
typedef struct am_palette {
  am_color paper, ink, faint, grid;
  am_color series[6];           /* told apart by lightness too */
  am_color ramp_low, ramp_high; /* of a matrix: none to all */
} am_palette;
const am_palette *am_palette_of(bool dark);
am_color am_color_mix(am_color a, am_color b, double share); /* share 0: a */

typedef enum am_align { AM_ALIGN_LEFT, AM_ALIGN_MIDDLE, AM_ALIGN_RIGHT } am_align;

/* A canvas filled with `paper` (inline: the page shows through). PNGs have two pixels a point. */
am_status am_canvas_create(am_context *ctx, am_image image, double width, double height, am_color paper,
                           am_canvas **out, am_error *err);
void am_canvas_rectangle(am_canvas *c, double x, double y, double width, double height, am_color color);
/* A line through n points xy[2n]; points that are NaN break it. */
void am_canvas_line(am_canvas *c, const double *xy, size_t n, double width, am_color color);
void am_canvas_dot(am_canvas *c, double x, double y, double radius, am_color color);
/* Text whose baseline starts, is centred or ends at (x,y); turned: reads upwards. */
void am_canvas_text(am_canvas *c, double x, double y, double size, am_align align, bool turned, am_color color,
                    const char *text);
double am_canvas_text_width(am_canvas *c, double size, const char *text);
/* rgb (rows,columns,3), row 0 at the top, stretched over the rectangle without smoothing. */
void am_canvas_pixels(am_canvas *c, double x, double y, double width, double height, const uint8_t *rgb, int rows,
                      int columns);
/* Appends the finished picture to `out` and frees the canvas in any case. */
am_status am_canvas_finish(am_canvas *c, am_buffer *out, am_error *err);

#endif
