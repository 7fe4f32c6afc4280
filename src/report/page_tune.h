/* SPDX-License-Identifier: MIT */
/* report/page_tune.h - the page of a search over settings (study/tune.h); for report/ only. */
#ifndef AM_PAGE_TUNE_H
#define AM_PAGE_TUNE_H

#include "report/page.h"
#include "study/tune.h"

/* What its sections share. */
typedef struct am_search_view {
  const am_tune *t;
  size_t *order;        /* (n_trials) who got further first, and then who was better there */
  size_t *alive;        /* (n_alive) the trials of the rung that it is at */
  size_t n_alive, rung; /* rung n_rungs: all are done */
  bool finished;        /* the winner has been evaluated */
  const char *measure;  /* "Unweighted average recall in validation" */
  const char *y_name;   /* of an axis: "per cent" */
  double factor;        /* from the monitor's figure to that */
} am_search_view;

am_trial_fate am_search_fate(const am_search_view *v, size_t trial);
/* The monitor's figure as a cell on the right. */
void am_page_search_figure(am_page *p, const am_search_view *v, double figure);

/* page_tune.c: all that stands between the head of the document and its foot */
void am_page_search(am_page *p, const am_search_view *v);
/* page_tune_trials.c */
void am_page_search_curves(am_page *p, const am_search_view *v);
void am_page_search_settings(am_page *p, const am_search_view *v);
void am_page_search_trials(am_page *p, const am_search_view *v);

#endif
