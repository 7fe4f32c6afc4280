/* report/report.c - puts the page of a run, or of a cross-validation, together. */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/page.h"

/* ---- what the sections share ---- */

static am_status save_figure(am_page *p, const am_figure *f) {
  am_plot_style style = {.image = AM_IMAGE_SVG};
  am_buffer picture = {0};
  char *path = am_format(p->ctx, "%s/%s.svg", p->plots, f->name);
  am_status st = path ? f->draw(p->ctx, &style, f->title, f->what, &picture, p->err) : am_no_memory(p->err);
  if (!st) st = am_plot_save(p->ctx, path, &picture, p->err);
  am_buffer_free(p->ctx, &picture);
  am_free(p->ctx, path);
  return st;
}

void am_page_figure(am_page *p, const am_figure *f, const char *description) {
  if (!p->status) p->status = save_figure(p, f);
  if (p->status || !description) return;
  am_plot_style style = {.image = AM_IMAGE_INLINE, .width = f->width, .height = f->height};
  am_html_put(p->h, "<figure>");
  am_html_element(p->h, "h3", f->title);
  am_html_put(p->h, "<div role=\"img\" aria-label=\"");
  am_html_text(p->h, description);
  am_html_put(p->h, "\">");
  p->status = f->draw(p->ctx, &style, "", f->what, p->h.out, p->err);
  am_html_put(p->h, "</div>");
  if (f->caption) am_html_element(p->h, "figcaption", f->caption);
  am_html_put(p->h, "</figure>\n");
}

void am_page_table_open(am_page *p, const char *name, const char *class_name) {
  am_html_printf(p->h,
                 "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table "
                 "class=\"%s\">",
                 name, class_name);
}

void am_page_heads(am_page *p, const char *names) {
  am_html_put(p->h, "<thead><tr>");
  for (bool more = true; more;) {
    size_t n = strcspn(names, "|"), right = *names == '>';
    if (!n) am_html_put(p->h, "<td class=\"bar\"></td>");
    else
      am_html_printf(p->h, "<th scope=\"col\"%s>%.*s</th>", right ? " class=\"n\"" : "", (int)(n - right),
                     names + right);
    more = names[n] == '|';
    names += n + 1;
  }
  am_html_put(p->h, "</tr></thead><tbody>");
}

void am_page_item(am_page *p, const char *name, const char *text) {
  if (!text || !*text) return;
  am_html_element(p->h, "dt", name);
  am_html_element(p->h, "dd", text);
}

void am_page_table_close(am_page *p) { am_html_put(p->h, "</table></div>\n"); }

void am_page_percent(am_page *p, double share) {
  if (isfinite(share)) am_html_printf(p->h, "<td class=\"n\">%.1f</td>", 100 * share);
  else am_html_put(p->h, "<td class=\"n\">-</td>");
}

void am_page_count(am_page *p, uint64_t count) {
  am_html_printf(p->h, "<td class=\"n\">%llu</td>", (unsigned long long)count);
}

void am_seconds_text(double seconds, char out[32]) {
  long long whole = seconds >= 0 && seconds < 1e15 ? llround(seconds) : 0;
  if (seconds < 60) snprintf(out, 32, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  else if (whole < 3600) snprintf(out, 32, "%lld min %02lld s", whole / 60, whole % 60);
  else snprintf(out, 32, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
}

/* ---- the page ---- */

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
  am_page_result(p);
  am_page_folds(p);
  am_page_emotions(p);
  if (p->r->crossval) am_page_fold_curves(p);
  else am_page_curves(p);
  am_page_calibration(p);
  am_page_wrong(p);
  am_page_data(p);
  if (p->e) am_page_example(p);
  am_page_time(p);
  am_page_settings(p);
  am_html_put(h,
              "<footer class=\"faint\"><p>Each picture is also a file in the results' folder, plots/. "
              "Recognised emotions are guesses about how speech sounds, not about what a person "
              "feels.</p></footer>\n</main></body>\n</html>\n");
}

static am_status build(am_context *ctx, const am_results *r, const am_tally *t, const am_example *e,
                       const char *out, am_error *err) {
  am_buffer text = {0};
  char *plots = am_path_join(ctx, r->folder, "plots");
  am_page page = {.ctx = ctx, .h = {ctx, &text}, .r = r, .t = t, .e = e, .plots = plots, .err = err};
  page.links = !out;
  am_status st = plots ? am_folder_own(ctx, r->folder, "plots", err) : am_no_memory(err);
  if (!st) {
    /* What a killed process left half-written; no lock is held, and who writes here now may be on another machine. */
    am_folder_clean(ctx, plots, AM_OLD_ASIDE);
    am_folder_clean(ctx, r->folder, AM_OLD_ASIDE);
    write_page(&page);
    st = page.status ? page.status : text.failed ? am_no_memory(err) : AM_OK;
  }
  char *path = out ? am_strdup(ctx, out) : am_path_join(ctx, r->folder, "report.html");
  if (!st) st = path ? am_file_write_as(ctx, out ? AM_GIVEN : AM_OURS, path, text.data, text.used, err) : am_no_memory(err);
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
