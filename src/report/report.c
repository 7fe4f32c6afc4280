/* SPDX-License-Identifier: MIT */
/* report/report.c - puts the page of a run, of a cross-validation, or of a search over settings together. */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/page_tune.h"
#include "run/folder.h"

/* ---- what the sections share ---- */

/* Of a run or a cross-validation. */
static void sections(am_page *p) {
  am_page_head(p);
  const bool values = am_page_tells_values(p);
  am_page_result(p);
  if (values) am_page_values_folds(p);
  else am_page_folds(p);
  if (values) am_page_values_figures(p);
  else am_page_emotions(p);
  if (p->r->crossval) am_page_fold_curves(p);
  else am_page_curves(p);
  if (values) {
    am_page_values_worst(p);
  } else {
    am_page_calibration(p);
    am_page_wrong(p);
  }
  am_page_data(p);
  if (p->e) am_page_example(p);
  am_page_time(p);
  am_page_settings(p);
}

static void write_page(am_page *p, const am_search_view *search) {
  am_html h = p->h;
  am_html_put(h,
              "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/>"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
              "<meta name=\"color-scheme\" content=\"light dark\"/><meta name=\"generator\" "
              "content=\"AudioMood\"/><title>");
  am_html_text(h, p->r->config->name);
  am_html_put(h, search           ? " - AudioMood search</title>\n"
                 : p->r->crossval ? " - AudioMood cross-validation</title>\n"
                                  : " - AudioMood run</title>\n");
  am_page_style(h);
  am_html_put(h, "</head>\n<body><main>\n");
  if (search) am_page_search(p, search);
  else sections(p);
  am_html_put(h,
              "<footer class=\"faint\"><p>Each picture is also a file in the results' folder, plots/. "
              "Recognised emotions are guesses about how speech sounds, not about what a person "
              "feels.</p></footer>\n</main></body>\n</html>\n");
}

/* In the folder of results, or of the search over settings that they are of. */
static am_status build(am_page *page, const am_search_view *search, const char *out, am_error *err) {
  am_context *ctx = page->ctx;
  am_buffer text = {0};
  const char *folder = search ? search->t->folder : page->r->folder;
  char *plots = am_run_file_path(ctx, folder, AM_FILE_PLOTS);
  page->h = (am_html){ctx, &text};
  page->plots = plots;
  page->err = err;
  page->links = !out;
  am_status st = plots ? am_folder_own(ctx, folder, am_run_file_name(AM_FILE_PLOTS), err) : am_no_memory(err);
  if (!st) {
    /* What a killed process left half-written; no lock is held, and who writes here now may be on another machine. */
    am_folder_clean(ctx, plots, AM_OLD_ASIDE);
    am_folder_clean(ctx, folder, AM_OLD_ASIDE);
    write_page(page, search);
    st = page->status ? page->status : text.failed ? am_no_memory(err) : AM_OK;
  }
  char *path = out ? am_strdup(ctx, out) : am_run_file_path(ctx, folder, AM_FILE_REPORT);
  if (!st)
    st = path ? am_file_write_as(ctx, out ? AM_GIVEN : AM_OURS, path, text.data, text.used, err) : am_no_memory(err);
  page->h = (am_html){0}; /* the caller's page outlives the text */
  page->plots = NULL;
  am_free(ctx, path);
  am_free(ctx, plots);
  am_buffer_free(ctx, &text);
  return st;
}

/* ---- a search ---- */

static void name_measure(am_search_view *v) {
  v->y_name = "per cent";
  v->factor = 100;
  switch (v->t->config->train.monitor) {
    case AM_MONITOR_VALIDATION_UAR: v->measure = "Unweighted average recall in validation"; return;
    case AM_MONITOR_VALIDATION_ACCURACY: v->measure = "Accuracy in validation"; return;
    case AM_MONITOR_VALIDATION_CCC: v->measure = "Mean concordance in validation"; break;
    default: v->measure = "Loss in validation"; break;
  }
  v->y_name = v->t->config->train.monitor == AM_MONITOR_VALIDATION_CCC ? "CCC" : "loss";
  v->factor = 1;
}

/* Of one that has not ended there are no results: its config alone. */
static am_status page_of_search(const am_tune *t, const char *out, am_error *err) {
  am_context *ctx = t->ctx;
  am_buffer text = {0};
  am_tally y;
  am_search_view v = {.t = t, .finished = t->results.ctx != NULL};
  am_results none = {.ctx = ctx, .folder = t->folder, .config = t->config};
  const am_results *r = v.finished ? &t->results : &none;
  name_measure(&v);
  v.order = am_alloc(ctx, t->n_trials, sizeof *v.order);
  v.alive = am_alloc(ctx, t->n_trials, sizeof *v.alive);
  am_status st = v.order && v.alive ? am_config_text(t->config, &text, err) : am_no_memory(err);
  none.config_text = text.data;
  if (!st) st = am_tally_make(r, &y, err);
  if (!st) {
    am_page page = {.ctx = ctx, .r = r, .t = &y};
    am_tune_order(t, v.order);
    v.rung = am_tune_at(t, v.alive, &v.n_alive);
    st = build(&page, &v, out, err);
    am_tally_free(ctx, &y);
  }
  am_buffer_free(ctx, &text);
  am_free(ctx, v.alive);
  am_free(ctx, v.order);
  return st;
}

static am_status write_search(am_context *ctx, const char *folder, const char *out, am_error *err) {
  am_tune *t;
  am_status st = am_tune_load(ctx, folder, &t, err);
  if (st) return st;
  st = page_of_search(t, out, err);
  am_tune_free(t);
  return st;
}

/* ---- a run or a cross-validation ---- */

am_status am_report_write(am_context *ctx, const char *run, const char *out, am_error *err) {
  am_results r;
  am_tally t;
  am_example e;
  if (am_tune_folder_holds(ctx, run)) return write_search(ctx, run, out, err);
  am_status st = am_results_read(ctx, run, &r, err);
  if (st) return st;
  st = am_tally_make(&r, &t, err);
  if (!st) {
    if (!r.crossval) st = am_example_make(&r, &t, &e, err);
    am_page page = {.ctx = ctx, .r = &r, .t = &t, .e = r.crossval ? NULL : &e};
    if (!st) st = build(&page, NULL, out, err);
    if (!r.crossval) am_example_free(ctx, &e);
    am_tally_free(ctx, &t);
  }
  am_results_free(&r);
  return st;
}
