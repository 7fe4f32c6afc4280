/* SPDX-License-Identifier: MIT */
/* report/page.h - the sections of the page of a run or of a cross-validation; for report/ only. */
#ifndef AM_PAGE_H
#define AM_PAGE_H

#include "report/corpus.h"
#include "report/html.h"
#include "report/plot.h"

typedef struct am_page {
  am_context *ctx;
  am_html h;
  const am_results *r;
  const am_tally *t;
  const am_example *e;
  const char *plots; /* folder of the picture files */
  bool links;        /* the page is in the cross-validation's folder: it can point at its runs' pages */
  am_error *err;
  am_status status; /* of the first picture that failed; later ones are not drawn */
} am_page;

/* Draws the same picture as a file of its own, <plots>/<name>.svg, and into the page. */
typedef am_status (*am_draw)(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                             am_buffer *out, am_error *err);
typedef struct am_figure {
  const char *name, *title;
  const char *caption;  /* or NULL */
  double width, height; /* in the page: about the points that a phone has */
  am_draw draw;
  const void *what;
} am_figure;
/* `description` is what someone hears who does not see the picture. */
void am_page_figure(am_page *p, const am_figure *figure, const char *description);

/* Tables: a region that scrolls by itself when the page is too narrow, named for screen readers. */
void am_page_table_open(am_page *p, const char *name, const char *class_name);
/* The row of names, "Emotion|>Clips": on the right with >, empty above a bar; begins the body. */
void am_page_heads(am_page *p, const char *names);
void am_page_table_close(am_page *p);
/* A cell on the right: a share as a percentage with one digit ("-" for NaN), or a count. */
void am_page_percent(am_page *p, double share);
void am_page_count(am_page *p, uint64_t count);
/* "8.4 s", "12 min 05 s", "3 h 20 min". */
void am_seconds_text(double seconds, char out[32]);
/* A name and a text of a <dl>; nothing where the text is empty. */
void am_page_item(am_page *p, const char *name, const char *text);

/* Curves over the epochs. */
typedef struct am_curves {
  const char *y_name;
  size_t n;
  double mark;
  am_curve at[6];
} am_curves;
/* Adds a curve where there is something to draw and room for it. */
void am_curves_put(am_curves *c, const char *name, size_t n, const double *x, const double *y);
/* Nothing where there are no curves. */
void am_page_curves_figure(am_page *p, const char *name, const char *title, const am_curves *c, const char *caption);

/* page_results.c */
void am_page_head(am_page *p);
void am_page_result(am_page *p);
void am_page_emotions(am_page *p);
void am_page_wrong(am_page *p);
/* Of what the results' section says: how far it has come, which epoch's weights they are, what stands out and how it was split. */
void am_page_progress(am_page *p);
void am_page_monitor(am_page *p);
void am_page_statements(am_page *p);
/* page_dimensions.c: of a model of dimensions, in place of emotions, where there are results */
bool am_page_tells_values(const am_page *p);
void am_page_values_result(am_page *p);
void am_page_values_folds(am_page *p);
void am_page_values_figures(am_page *p);
void am_page_values_worst(am_page *p);
/* page_groups.c: of results that there are */
void am_page_groups(am_page *p);
/* page_calibration.c */
void am_page_calibration(am_page *p);
/* page_folds.c: of a cross-validation */
void am_page_folds(am_page *p);
void am_page_fold_curves(am_page *p);
size_t am_page_seeds(const am_page *p);               /* runs of every fold */
void am_page_fold_name(am_page *p, const am_fold *f); /* a cell, with a link to its page */
/* page_run.c */
const char *am_page_loss_name(const am_page *p); /* of the axis: what the loss is, beside what regularises it */
void am_page_curves(am_page *p);
void am_page_time(am_page *p);
void am_page_settings(am_page *p);
/* page_data.c */
void am_page_data(am_page *p);
void am_page_example(am_page *p);
/* page_style.c */
void am_page_style(am_html h);

#endif
