/* report/report.c - puts the page of a run, or of a cross-validation, together. */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/page.h"
#include "run/folder.h"

/* ---- what the sections share ---- */

static void write_page(am_page *p) {
  am_html h = p->h;
  am_html_put(h,
              "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/>"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
              "<meta name=\"color-scheme\" content=\"light dark\"/><meta name=\"generator\" "
              "content=\"AudioMood\"/><title>");
  am_html_text(h, p->r->config->name);
  am_html_put(h, p->r->crossval ? " - AudioMood cross-validation</title>\n" : " - AudioMood run</title>\n");
  am_page_style(h);
  am_html_put(h, "</head>\n<body><main>\n");
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
  am_html_put(h,
              "<footer class=\"faint\"><p>Each picture is also a file in the results' folder, plots/. "
              "Recognised emotions are guesses about how speech sounds, not about what a person "
              "feels.</p></footer>\n</main></body>\n</html>\n");
}

static am_status build(am_context *ctx, const am_results *r, const am_tally *t, const am_example *e, const char *out,
                       am_error *err) {
  am_buffer text = {0};
  char *plots = am_run_file_path(ctx, r->folder, AM_FILE_PLOTS);
  am_page page = {.ctx = ctx, .h = {ctx, &text}, .r = r, .t = t, .e = e, .plots = plots, .err = err};
  page.links = !out;
  am_status st = plots ? am_folder_own(ctx, r->folder, am_run_file_name(AM_FILE_PLOTS), err) : am_no_memory(err);
  if (!st) {
    /* What a killed process left half-written; no lock is held, and who writes here now may be on another machine. */
    am_folder_clean(ctx, plots, AM_OLD_ASIDE);
    am_folder_clean(ctx, r->folder, AM_OLD_ASIDE);
    write_page(&page);
    st = page.status ? page.status : text.failed ? am_no_memory(err) : AM_OK;
  }
  char *path = out ? am_strdup(ctx, out) : am_run_file_path(ctx, r->folder, AM_FILE_REPORT);
  if (!st)
    st = path ? am_file_write_as(ctx, out ? AM_GIVEN : AM_OURS, path, text.data, text.used, err) : am_no_memory(err);
  am_free(ctx, path);
  am_free(ctx, plots);
  am_buffer_free(ctx, &text);
  return st;
}

am_status am_report_write(am_context *ctx, const char *run, const char *out, am_error *err) {
  am_results r;
  am_tally t;
  am_example e;
  am_status st = am_results_read(ctx, run, &r, err);
  if (st) return st;
  st = am_tally_make(&r, &t, err);
  if (!st) {
    if (!r.crossval) st = am_example_make(&r, &t, &e, err);
    if (!st) st = build(ctx, &r, &t, r.crossval ? NULL : &e, out, err);
    if (!r.crossval) am_example_free(ctx, &e);
    am_tally_free(ctx, &t);
  }
  am_results_free(&r);
  return st;
}
