/* SPDX-License-Identifier: MIT */
/* report/plot.h - the pictures of a run, each as SVG or PNG in a buffer. */
#ifndef AM_PLOT_H
#define AM_PLOT_H

#include "report/canvas.h"

typedef struct am_plot_style {
  am_image image;
  double width, height; /* points; 0: the picture's own size */
} am_plot_style;

/* An empty title leaves its line out. */

/* One line of a diagram: y over x, n points; NaN is a gap. */
typedef struct am_curve {
  const char *name;
  size_t n;
  const double *x, *y;
} am_curve;

/* Lines over common axes with round ticks and a legend. At most 6 curves.  An upright line stands at x =
 * `mark` (NaN: none). */
am_status am_plot_curves(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                         const char *y_name, const am_curve *curves, size_t n, double mark, am_buffer *out,
                         am_error *err);
/* A dot for each of n pairs, where both are numbers: true values over the x axis, predicted ones over y, `stride` numbers apart.
 * Both axes go from low to high (the same: as the true values do), and further where a value does; on the diagonal both agree. */
am_status am_plot_scatter(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                          const char *y_name, const float *x, const float *y, size_t n, size_t stride, double low,
                          double high, am_buffer *out, am_error *err);
/* n bars side by side over [low, high] of x. */
am_status am_plot_histogram(am_context *ctx, const am_plot_style *style, const char *title, const char *x_name,
                            const char *y_name, double low, double high, const double *counts, size_t n, am_buffer *out,
                            am_error *err);
/* Reliability diagram: n bins of equal width over confidence 0 to 1.  Bars are the share that was right in a
 * bin, dots stand at its mean confidence, their area by its clips; on the diagonal both agree. */
typedef struct am_reliability_bin {
  double confidence, right; /* sums over the bin's clips */
  uint64_t clips;
} am_reliability_bin;
am_status am_plot_reliability(am_context *ctx, const am_plot_style *style, const char *title,
                              const am_reliability_bin *bins, size_t n, am_buffer *out, am_error *err);
/* Of the surest answers the share that is wrong, over how many they are: risk (n) of the first 1, 2, ... n of them (am_answers_risk).
 * Beside it what the best order of these answers would give, and what any order does.  At marks stands a dot, with its text. */
typedef struct am_risk_mark {
  double coverage, risk;
  const char *text;
  bool below; /* the text is on the lower right of the dot, else on its upper left */
} am_risk_mark;
am_status am_plot_risk(am_context *ctx, const am_plot_style *style, const char *title, const double *risk, size_t n,
                       const am_risk_mark *marks, size_t n_marks, am_buffer *out, am_error *err);
/* plot_search.c: trials of a search (study/tune.h).  What came of a trial, the more important the later. */
typedef enum am_trial_fate { AM_TRIAL_LEFT, AM_TRIAL_LAST_RUNG, AM_TRIAL_WINNER } am_trial_fate;
/* A trial's figure after each of its n epochs; NaN is a gap. */
typedef struct am_search_line {
  am_trial_fate fate;
  size_t n;
  const double *y;
} am_search_line;
/* A line a trial, the more important ones on top, with a dot where each ended; an upright line at each rung (n_rungs, epochs). */
am_status am_plot_search(am_context *ctx, const am_plot_style *style, const char *title, const char *y_name,
                         const am_search_line *lines, size_t n, const uint64_t *rungs, size_t n_rungs, am_buffer *out,
                         am_error *err);
/* A trial where a setting had the value x: its figure at the first rung, and at the last one that it has done. */
typedef struct am_search_point {
  am_trial_fate fate;
  bool went_on; /* there are two */
  double x, first, last;
} am_search_point;
/* What is on the axis of x: numbers, evenly or by their logarithm, or n_words words at 0, 1, 2, ... */
typedef struct am_search_axis {
  const char *name;
  bool logarithmic;
  const char *const *words;
  size_t n_words;
} am_search_axis;
am_status am_plot_setting(am_context *ctx, const am_plot_style *style, const char *title, const am_search_axis *axis,
                          const char *y_name, const am_search_point *points, size_t n, am_buffer *out, am_error *err);
/* Counts (K,K), rows true, shaded by the share of their row, with the row percentage below each count. */
am_status am_plot_confusion(am_context *ctx, const am_plot_style *style, const char *title, const char *const *labels,
                            int classes, const uint64_t *counts, am_buffer *out, am_error *err);
/* x (T,F) over time: T frames in `seconds`; hertz (F), rising, are the bins' frequencies, or NULL:
 * bin numbers. */
am_status am_plot_spectrogram(am_context *ctx, const am_plot_style *style, const char *title, const float *x, int t,
                              int f, double seconds, const double *hertz, am_buffer *out, am_error *err);
/* n spectrograms below each other, on one time axis and one scale of colours, so that they can be compared.
 * The axes name frames where seconds are 0. style->height is of each. */
typedef struct am_spectrogram_view {
  const char *title;
  const float *x; /* (T,F) */
  int t, f;
  double seconds;
} am_spectrogram_view;
am_status am_plot_spectrograms(am_context *ctx, const am_plot_style *style, const am_spectrogram_view *views, size_t n,
                               am_buffer *out, am_error *err);
/* What a net heard, x (T,F), and below it how much each place of it moved its answer, effect (T,F): from blue (against it) over white
 * to red (for it), both on the time axis of a sound of `whole` seconds, in which the frames begin at `start` and last `seconds`. */
typedef struct am_why_view {
  const char *title, *below;
  const float *x, *effect;
  int t, f;
  const double *hertz; /* or NULL */
  double start, seconds, whole;
} am_why_view;
am_status am_plot_why(am_context *ctx, const am_plot_style *style, const am_why_view *view, am_buffer *out,
                      am_error *err);
am_status am_plot_waveform(am_context *ctx, const am_plot_style *style, const char *title, const float *samples,
                           size_t n, double rate, am_buffer *out, am_error *err);
/* Writes a picture to `path`, a name of our own; its ending (.svg, .png) must fit style->image. */
am_status am_plot_save(am_context *ctx, const char *path, const am_buffer *picture, am_error *err);

#endif
