/* SPDX-License-Identifier: MIT */
/* report/page_groups.c - how good the run is for each group of clips and each speaker. */
#include <math.h>

#include "report/page.h"

static double number_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  double number;
  return v && am_value_to_real(v, &number) ? number : NAN;
}

/* As the file has them; results of before have none. */
static void group_table(am_page *p) {
  const am_value *groups = am_value_get(p->r->parts[0].value, "groups");
  if (!groups || groups->kind != AM_MAP || !groups->first) return;
  am_html_put(
      p->h,
      "<section><h2>Per group</h2><p class=\"faint\">Per cent. UAR is over the classes that the clips of a group "
      "have.</p>");
  am_page_table_open(p, "Figures per group", "wide");
  am_page_heads(p, "Group|Value|>Clips|>UAR|>Accuracy|>Classes");
  for (const am_value *trait = groups->first; trait; trait = trait->next)
    for (const am_value *v = trait->kind == AM_MAP ? trait->first : NULL; v; v = v->next) {
      am_html_put(p->h, "<tr>");
      am_html_element(p->h, "th scope=\"row\"", trait->key);
      am_html_element(p->h, "td", v->key);
      am_html_printf(p->h, "<td class=\"n\">%.0f</td>", number_of(v, "n"));
      am_page_percent(p, number_of(v, "uar"));
      am_page_percent(p, number_of(v, "accuracy"));
      am_html_printf(p->h, "<td class=\"n\">%.0f</td></tr>", number_of(v, "classes_scored"));
    }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "</section>\n");
}

/* Long lists scroll. */
static void speaker_table(am_page *p) {
  const am_metrics *m = p->r->parts[0].metrics;
  if (m->n_speakers < 2) return;
  am_html_printf(p->h,
                 "<section><h2>Per speaker</h2><p class=\"faint\">Per cent, the worst first; the median of the %zu "
                 "speakers' UAR is %.1f. UAR is over the classes that the clips of a speaker have.</p>",
                 m->n_speakers, 100 * am_metrics_median_speaker(m));
  am_html_put(p->h, "<div class=\"long\">");
  am_page_table_open(p, "Figures per speaker", "wide spread");
  am_page_heads(p, "Speaker|>UAR||>Accuracy|>Clips|>Classes");
  for (size_t i = 0; i < m->n_speakers; i++) {
    const am_speaker *s = &m->speakers[i];
    am_html_put(p->h, "<tr>");
    am_html_element(p->h, "th scope=\"row\"", s->name);
    am_page_percent(p, s->uar);
    am_html_put(p->h, "<td class=\"bar\"><i style=\"--v:");
    am_html_number(p->h, s->uar);
    am_html_put(p->h, "\"></i></td>");
    am_page_percent(p, s->accuracy);
    am_page_count(p, s->n);
    am_html_printf(p->h, "<td class=\"n\">%d</td></tr>", s->scored);
  }
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "</div></section>\n");
}

void am_page_groups(am_page *p) {
  group_table(p);
  speaker_table(p);
}
