/* SPDX-License-Identifier: MIT */
/* report/recording_parts.c - see recording_parts.h. */
#include "report/recording_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/inline.h"

/* Points from the top: rows of the strip. */
enum {
  WAVE = 8,
  WAVE_HEIGHT = 64,
  SPEECH = 76,
  CHANCES = 90,
  CHANCES_HEIGHT = 84,
  SEGMENTS = 184,
  CUES = 212,
  AXIS = 240,
  BELOW = 22 /* for the axis */
};
/* Of values each dimension has a lane of its own, below its name; there are neither segments nor cues. */
enum { LANES = 102, LANE = 64, BETWEEN = 24, MARGIN = 44 /* left of the strip, for the scale */ };
static const double points_a_second = 24, narrowest = 940, widest = 60000, cell = 0.25; /* s */

void am_recording_time(double seconds, char out[32]) {
  const long long tenths = llround(10 * (seconds > 0 && seconds < 1e9 ? seconds : 0)), s = tenths / 10;
  if (s >= 3600) snprintf(out, 32, "%lld:%02lld:%02lld.%lld", s / 3600, s / 60 % 60, s % 60, tenths % 10);
  else snprintf(out, 32, "%lld:%02lld.%lld", s / 60, s % 60, tenths % 10);
}

const char *am_recording_colour(int label) {
  static const char *const names[AM_STRIP_COLOURS] = {"series0", "series1", "series2", "series3",
                                                      "series4", "series5", "ink",     "faint"};
  return label < 0 ? "grid" : names[label % AM_STRIP_COLOURS];
}

static am_color colour(const char *name) { return (am_color){.name = name}; }

/* ---- the strip ---- */

static double scale_of(const am_recording *r) {
  return fmin(widest / r->seconds, fmax(points_a_second, narrowest / r->seconds));
}

/* The loudest of what falls on a point, as one closed shape. */
static void waveform(am_html h, const am_recording *r, double width) {
  const double middle = WAVE + WAVE_HEIGHT / 2.0;
  const size_t points = (size_t)width;
  if (!r->n_peaks || !points) return;
  am_html_put(h, "<path fill=\"var(--faint)\" d=\"");
  for (size_t x = 0; x < points; x++) {
    size_t from = x * r->n_peaks / points, to = (x + 1) * r->n_peaks / points;
    float peak = 0;
    for (to = to > from ? to : from + 1; from < to && from < r->n_peaks; from++) peak = fmaxf(peak, r->peaks[from]);
    const double half =
        fmax(0.5, sqrt((double)peak) * WAVE_HEIGHT / 2); /* so that speech is seen, which is seldom loud */
    am_html_printf(h, "M%zu ", x);
    am_html_number(h, middle - half);
    am_html_put(h, "v");
    am_html_number(h, 2 * half);
    am_html_put(h, "h1v");
    am_html_number(h, -2 * half);
    am_html_put(h, "z");
  }
  am_html_put(h, "\"/>");
}

/* The mean at a time over the measurements (n) that cover it, as segments are made of; NaN: none does. */
static double chance_at(const am_recording_measure *m, size_t n, double time, int k) {
  double sum = 0;
  size_t heard = 0;
  for (size_t i = 0; i < n; i++)
    if (m[i].start <= time && time <= m[i].end && isfinite(m[i].p[k])) sum += (double)m[i].p[k], heard++;
  return heard ? sum / (double)heard : NAN;
}

static int lane_top(const am_recording *r, int k) { return r->scale ? LANES + k * (LANE + BETWEEN) : CHANCES; }
static int lane_height(const am_recording *r) { return r->scale ? LANE : CHANCES_HEIGHT; }
static int axis_top(const am_recording *r) { return r->scale ? lane_top(r, r->classes) - BETWEEN + 8 : AXIS; }

/* A value may leave its scale by a little, and the lane is not left. */
static double height_of(const am_recording *r, int k, double value) {
  if (r->scale) value = (value - r->scale[k].low) / (r->scale[k].high - r->scale[k].low);
  if (value > 1) value = 1;
  if (value < 0) value = 0;
  return lane_top(r, k) + lane_height(r) * (1 - value);
}

/* Each class or dimension over an utterance, in steps. */
static am_status chances_of(am_html h, const am_recording *r, const am_recording_measure *m, size_t n, double scale,
                            am_error *err) {
  double from = m->start, to = m->end;
  for (size_t i = 0; i < n; i++) from = fmin(from, m[i].start), to = fmax(to, m[i].end);
  const size_t cells = am_size_of(ceil((to - from) / cell));
  double *xy = am_alloc(h.ctx, am_mul(cells + 1, 4), sizeof *xy);
  if (!xy) return am_no_memory(err);
  for (int k = 0; k < r->classes; k++) {
    for (size_t i = 0; i < cells; i++) {
      const double start = from + cell * (double)i, end = fmin(to, start + cell);
      xy[4 * i] = start * scale;
      xy[4 * i + 2] = end * scale;
      xy[4 * i + 1] = xy[4 * i + 3] = height_of(r, k, chance_at(m, n, (start + end) / 2, k));
    }
    am_inline_line(h, xy, 2 * cells, r->scale ? 2 : 1.5, colour(am_recording_colour(k)));
  }
  am_free(h.ctx, xy);
  return AM_OK;
}

static void lanes(am_html h, const am_recording *r, double scale) {
  for (int k = 0; k < (r->scale ? r->classes : 1); k++)
    for (int i = 0; i <= 2; i++)
      am_inline_rectangle(h, 0, lane_top(r, k) + lane_height(r) * i / 2.0, r->seconds * scale, 0.5, colour("grid"));
  for (int k = 0; k < r->classes && r->scale; k++)
    am_inline_text(h, 3, lane_top(r, k) - 6, 12, AM_ALIGN_LEFT, false, colour(am_recording_colour(k)), r->labels[k]);
}

/* Stays where it is when the strip is moved. */
static void scale_of_lanes(am_html h, const am_recording *r) {
  const int height = axis_top(r) + BELOW;
  am_html_printf(h,
                 "<svg class=\"scale\" xmlns=\"http://www.w3.org/2000/svg\" aria-hidden=\"true\" width=\"%d\" "
                 "height=\"%d\" viewBox=\"0 0 %d %d\">",
                 MARGIN, height, MARGIN, height);
  for (int k = 0; k < r->classes; k++)
    for (int i = 0; i <= 2; i++) {
      char text[32];
      snprintf(text, sizeof text, "%g", r->scale[k].high - (r->scale[k].high - r->scale[k].low) * i / 2.0);
      am_inline_text(h, MARGIN - 6, lane_top(r, k) + LANE * i / 2.0 + 4, 11, AM_ALIGN_RIGHT, false, colour("faint"),
                     text);
    }
  am_html_put(h, "</svg>");
}

static am_status chances(am_html h, const am_recording *r, double scale, am_error *err) {
  am_status st = AM_OK;
  lanes(h, r, scale);
  for (size_t first = 0, end; first < r->n_measures && !st; first = end) {
    const am_recording_measure *m = &r->measures[first];
    for (end = first + 1; end < r->n_measures && r->measures[end].utterance == m->utterance;) end++;
    st = chances_of(h, r, m, end - first, scale, err);
  }
  return st;
}

/* A box that plays, with what fits of a text in it. */
static void box(am_html h, double scale, double y, double height, const am_recording_segment *s, const char *fill,
                const char *text) {
  const double width = fmax(1, (s->end - s->start) * scale - 1);
  am_html_put(h, "<svg class=\"play\" x=\"");
  am_html_number(h, s->start * scale);
  am_html_put(h, "\" y=\"");
  am_html_number(h, y);
  am_html_put(h, "\" width=\"");
  am_html_number(h, width);
  am_html_printf(h,
                 "\" height=\"%g\" data-t=\"%.3f\" data-e=\"%.3f\"><rect width=\"100%%\" height=\"100%%\" rx=\"3\" "
                 "fill=\"var(--%s)\"/>",
                 height, s->start, s->end, fill);
  if (width > 30) {
    const bool plain = !strcmp(fill, "grid") || !strcmp(fill, "low");
    am_html_printf(h, "<text x=\"4\" y=\"%g\" font-size=\"11\" fill=\"var(--%s)\">", height / 2 + 4,
                   plain ? "ink" : "paper");
    am_html_text(h, text);
    am_html_put(h, "</text>");
  }
  am_html_put(h, "<title>");
  am_html_text(h, text);
  am_html_put(h, "</title></svg>");
}

static void axis(am_html h, const am_recording *r, double scale) {
  static const int steps[] = {5, 10, 30, 60, 300, 600, 1800, 3600};
  size_t i = 0;
  char time[32];
  while (i + 1 < sizeof steps / sizeof *steps && steps[i] * scale < 60) i++;
  for (int t = 0; t <= r->seconds; t += steps[i]) {
    am_recording_time(t, time);
    time[strlen(time) - 2] = 0; /* whole seconds */
    am_inline_rectangle(h, t * scale, axis_top(r), 0.5, 6, colour("faint"));
    if ((r->seconds - t) * scale < 44) break; /* no room */
    am_inline_text(h, t * scale + 3, axis_top(r) + 12, 11, AM_ALIGN_LEFT, false, colour("faint"), time);
  }
}

void am_recording_strip(am_html h, const am_recording *r, am_status *status, am_error *err) {
  const double scale = scale_of(r), width = fmax(1, ceil(r->seconds * scale));
  const int height = axis_top(r) + BELOW;
  if (r->scale) {
    am_html_put(h, "<div class=\"lanes\">");
    scale_of_lanes(h, r);
  }
  am_html_put(h,
              "<div class=\"scroll strip\" role=\"region\" tabindex=\"0\" aria-label=\"Time line; the tables below say "
              "the same\">");
  am_html_printf(h,
                 "<svg id=\"strip\" xmlns=\"http://www.w3.org/2000/svg\" aria-hidden=\"true\" data-seconds=\"%.3f\" "
                 "width=\"%.0f\" height=\"%d\" viewBox=\"0 0 %.0f %d\">",
                 fmax(r->seconds, 0.001), width, height, width, height);
  waveform(h, r, width);
  for (size_t i = 0; i < r->n_speech; i++)
    am_inline_rectangle(h, r->speech[i].start * scale, SPEECH, fmax(1, (r->speech[i].end - r->speech[i].start) * scale),
                        5, colour("series0"));
  *status = chances(h, r, scale, err);
  for (size_t i = 0; i < r->n_segments && !r->scale; i++)
    box(h, scale, SEGMENTS, 22, &r->segments[i], am_recording_colour(r->segments[i].label), r->segments[i].shown);
  for (size_t i = 0; i < r->n_cues; i++)
    box(h, scale, CUES, 22, &r->cues[i].heard, r->cues[i].told ? am_recording_colour(r->cues[i].heard.label) : "low",
        r->cues[i].text);
  axis(h, r, scale);
  am_html_printf(h,
                 "<rect id=\"head\" x=\"0\" y=\"0\" width=\"1.5\" height=\"%d\" fill=\"var(--ink)\"/></svg></div>%s\n",
                 axis_top(r), r->scale ? "</div>" : "");
}

/* ---- tables ---- */

static void play_cell(am_html h, const am_recording_segment *s) {
  char from[32], to[32];
  am_recording_time(s->start, from);
  am_recording_time(s->end, to);
  am_html_printf(h,
                 "<tr data-f=\"%.3f\" data-u=\"%.3f\"><td><button type=\"button\" data-t=\"%.3f\" data-e=\"%.3f\" "
                 "aria-label=\"Play %s to %s\">"
                 "<span aria-hidden=\"true\">&#9654;</span> %s</button></td>",
                 s->start, s->end, s->start, s->end, from, to, from);
}

static void label_cells(am_html h, const am_recording *r, const am_recording_segment *s) {
  am_html_printf(h, "<td class=\"mood\"><i class=\"dot\" style=\"background:var(--%s)\"></i>",
                 am_recording_colour(s->label));
  am_html_text(h, s->shown);
  if (s->label < 0 && s->top >= 0) {
    am_html_put(h, " <small>");
    am_html_text(h, r->labels[s->top]);
    am_html_put(h, "?</small>");
  }
  am_html_put(h, "</td>");
  if (isfinite(s->probability))
    am_html_printf(h, "<td class=\"n\">%.0f %%</td><td class=\"n\">%.0f %%</td>", 100 * s->probability,
                   100 * s->margin);
  else am_html_put(h, "<td class=\"n\">-</td><td class=\"n\">-</td>");
}

static void value_cells(am_html h, const am_recording *r, const float *p) {
  for (int k = 0; k < r->classes; k++)
    if (p && isfinite(p[k])) am_html_printf(h, "<td class=\"n\">%.2f</td>", (double)p[k]);
    else am_html_put(h, "<td class=\"n\">-</td>");
}

static void values_table(am_html h, const am_recording *r) {
  am_html_put(h,
              "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Steps\"><table><thead><tr><th "
              "scope=\"col\">From</th><th scope=\"col\" class=\"n\">Seconds</th>");
  for (int k = 0; k < r->classes; k++) am_html_element(h, "th scope=\"col\" class=\"n\"", r->labels[k]);
  am_html_put(h, "</tr></thead><tbody>");
  for (size_t i = 0; i < r->n_segments; i++) {
    play_cell(h, &r->segments[i]);
    am_html_printf(h, "<td class=\"n\">%.1f</td>", r->segments[i].end - r->segments[i].start);
    value_cells(h, r, r->segments[i].p);
    am_html_put(h, "</tr>\n");
  }
  am_html_put(h, "</tbody></table></div>");
}

static void values_section(am_html h, const am_recording *r) {
  am_html_put(h, "<section class=\"long\"><h2>Over time</h2>");
  if (r->n_segments) values_table(h, r);
  else am_html_put(h, "<p>Nobody was found to speak.</p>");
  am_html_put(h, "</section>\n");
}

/* Of each dimension the mean over what was heard, and between what it moves. */
void am_recording_values(am_html h, const am_recording *r) {
  am_html_put(h, "<div class=\"cards\">");
  for (int k = 0; k < r->classes; k++) {
    double sum = 0, seconds = 0, least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < r->n_segments; i++) {
      const am_recording_segment *s = &r->segments[i];
      if (!s->p || !isfinite(s->p[k])) continue;
      sum += (s->end - s->start) * (double)s->p[k];
      seconds += s->end - s->start;
      least = fmin(least, (double)s->p[k]);
      most = fmax(most, (double)s->p[k]);
    }
    am_html_printf(h, "<div class=\"card\"><span><i class=\"dot\" style=\"background:var(--%s)\"></i>",
                   am_recording_colour(k));
    am_html_text(h, r->labels[k]);
    if (seconds > 0)
      am_html_printf(h, "</span><b>%.2f</b><span>mean of %.1f s; %.2f to %.2f, on a scale from %g to %g</span></div>",
                     sum / seconds, seconds, least, most, r->scale[k].low, r->scale[k].high);
    else am_html_put(h, "</span><b>-</b><span>nothing was heard</span></div>");
  }
  am_html_put(h, "</div>\n");
}

void am_recording_segments(am_html h, const am_recording *r) {
  if (r->scale) {
    values_section(h, r);
    return;
  }
  am_html_put(h, "<section class=\"long\"><h2>Segments</h2>");
  if (!r->n_segments) am_html_put(h, "<p>Nobody was found to speak.</p></section>\n");
  if (!r->n_segments) return;
  am_html_put(h,
              "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Segments\"><table><thead><tr><th "
              "scope=\"col\">From</th>"
              "<th scope=\"col\" class=\"n\">Seconds</th><th scope=\"col\">Emotion</th><th scope=\"col\" "
              "class=\"n\">Probability</th>"
              "<th scope=\"col\" class=\"n\">Margin</th></tr></thead><tbody>");
  for (size_t i = 0; i < r->n_segments; i++) {
    const am_recording_segment *s = &r->segments[i];
    play_cell(h, s);
    am_html_printf(h, "<td class=\"n\">%.1f</td>", s->end - s->start);
    label_cells(h, r, s);
    am_html_put(h, "</tr>\n");
  }
  am_html_put(h, "</tbody></table></div></section>\n");
}

void am_recording_cues(am_html h, const am_recording *r) {
  if (!r->subtitles) return;
  am_html_put(h,
              "<section class=\"long\"><h2>Cues</h2><p class=\"faint\">Those that say how are marked; each is heard by "
              "itself.</p>");
  am_html_put(h,
              "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Cues\"><table><thead><tr><th "
              "scope=\"col\">From</th>"
              "<th scope=\"col\">Text</th><th scope=\"col\">Emotion</th><th scope=\"col\" class=\"n\">Probability</th>"
              "<th scope=\"col\" class=\"n\">Margin</th><th scope=\"col\">Shown</th></tr></thead><tbody>");
  for (size_t i = 0; i < r->n_cues; i++) {
    const am_recording_cue *c = &r->cues[i];
    play_cell(h, &c->heard);
    am_html_put(h, "<td class=\"text\">");
    if (c->speaker && c->speaker[0]) am_html_element(h, "small", c->speaker);
    am_html_text(h, c->text);
    am_html_put(h, "</td>");
    label_cells(h, r, &c->heard);
    am_html_put(h, c->told ? "<td>yes</td></tr>\n" : "<td></td></tr>\n");
  }
  am_html_put(h, "</tbody></table></div></section>\n");
}

/* ---- why ---- */

void am_recording_whys(am_html h, const am_recording *r) {
  if (!r->n_why) return;
  am_html_put(h,
              "<section class=\"long\"><h2>What moved the answer</h2><p class=\"faint\">Patches of what the net hears "
              "are replaced by the mean of each bin over the sound. ");
  am_html_put(h, r->scale ? "Red: without the patch the value is lower. Blue: it is higher. "
                          : "Red: the log-odds of the answer fall without the patch, so it spoke for it. Blue: they "
                            "rise. ");
  am_html_put(
      h,
      "White: nothing changes. The picture is of this model and this sound. It does not say what emotion sounds "
      "like, nor that the answer is right, and what two places say together it cannot show apart.</p>\n");
  for (size_t i = 0; i < r->n_why; i++) {
    am_html_element(h, "h3", r->why[i].title);
    if (r->why[i].picture) {
      am_html_put(h, "<figure class=\"long\" role=\"img\" aria-label=\"");
      am_html_text(h, r->why[i].note);
      am_html_put(h, "\">");
      am_buffer_append(h.ctx, h.out, r->why[i].picture->data, r->why[i].picture->used);
      am_html_put(h, "</figure>");
    }
    am_html_element(h, "p", r->why[i].note);
    am_html_put(h, "\n");
  }
  am_html_put(h, "</section>\n");
}
