/* SPDX-License-Identifier: MIT */
/* report/page.c - what the sections of a page share. */
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/file.h"

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
