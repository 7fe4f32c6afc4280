/* report/plot.h - the pictures of a run, each as SVG or PNG in a buffer. */
#ifndef AM_PLOT_H
#define AM_PLOT_H

#include "report/canvas.h"

typedef struct am_plot_style {
  am_image image;
  bool dark;
  double width, height; /* points; 0: the picture's own size */
} am_plot_style;

/* One line of a diagram: y over x, n points; NaN is a gap. */
typedef struct am_curve {
  const char *name;
  size_t n;
  const double *x, *y;
} am_curve;

/* Lines over common axes with round ticks and a legend. At most 6 curves. */
am_status am_plot_curves(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                         const char *y_name, const am_curve *curves, size_t n, am_buffer *out, am_error *err);
/* Counts (K,K), rows true, shaded by the share of their row, with the row percentage below each count. */
am_status am_plot_confusion(am_context *ctx, const am_plot_style *style, const char *title, const char *const *labels,
                            int classes, const uint64_t *counts, am_buffer *out, am_error *err);
/* x (T,F) over time: T frames in `seconds`; hertz (F) labels the bins, or NULL: bin numbers. */
am_status am_plot_spectrogram(am_context *ctx, const am_plot_style *style, const char *title, const float *x, int t,
                              int f, double seconds, const double *hertz, am_buffer *out, am_error *err);
am_status am_plot_waveform(am_context *ctx, const am_plot_style *style, const char *title, const float *samples,
                           size_t n, double rate, am_buffer *out, am_error *err);
/* Writes a picture to `path`; its ending (.svg, .png) must fit style->image. */
am_status am_plot_save(am_context *ctx, const char *path, const am_buffer *picture, am_error *err);

#endif
