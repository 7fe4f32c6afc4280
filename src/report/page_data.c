/* SPDX-License-Identifier: MIT */
/* report/page_data.c - what the run was made from: clips per emotion and speaker, their lengths, one to look
 * at. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"

enum { OPEN_SPEAKERS = 12, MOST_SPEAKERS = 300, HISTOGRAM = 20 };

static void facts(am_page *p) {
  const am_tally *t = p->t;
  char text[200], whole[32];
  double clips = am_results_number(p->r->facts, "data.clips"), sum = 0;
  am_html_put(p->h, "<dl>");
  am_page_item(p, "Corpus", am_results_text(p->r->facts, "data.title"));
  if (p->r->crossval) {
    snprintf(text, sizeof text, "%zu tested, %s", t->n_counted,
             am_page_seeds(p) > 1 ? "each of them once a seed" : "each of them once");
    am_page_item(p, "Clips", text);
  } else if (isfinite(clips)) {
    snprintf(text, sizeof text, "%.0f: %.0f train, %.0f validation, %.0f test", clips,
             am_results_number(p->r->facts, "data.train"), am_results_number(p->r->facts, "data.validation"),
             am_results_number(p->r->facts, "data.test"));
    am_page_item(p, "Clips", text);
  }
  for (size_t i = 0; i < t->n_seconds; i++) sum += t->seconds[i];
  if (t->n_seconds) {
    am_seconds_text(sum, whole);
    snprintf(text, sizeof text, "%s in all; a clip %.2f to %.2f s, median %.2f s", whole, t->seconds[0],
             t->seconds[t->n_seconds - 1], t->seconds[t->n_seconds / 2]);
    am_page_item(p, "Lengths", text);
  }
  am_page_item(p, "Licence", am_results_text(p->r->facts, "data.licence"));
  am_page_item(p, "Citation", am_results_text(p->r->facts, "data.citation"));
  am_html_put(p->h, "</dl>");
}

static void emotion_row(am_page *p, int k, bool seconds) {
  const am_tally *t = p->t;
  const uint64_t *part = t->parts + 4 * (size_t)k;
  uint64_t clips = part[0] + part[1] + part[2] + part[3];
  am_html_put(p->h, "<tr>");
  am_html_element(p->h, "th scope=\"row\"", t->labels[k]);
  am_page_count(p, clips);
  for (int i = t->dataset ? 0 : 1; i < 3; i++) am_page_count(p, part[i]);
  if (seconds && clips)
    am_html_printf(p->h, "<td class=\"n\">%.1f</td><td class=\"n\">%.2f</td>", t->label_seconds[k] / 60,
                   t->label_seconds[k] / (double)clips);
  am_html_put(p->h, seconds && !clips ? "<td></td><td></td></tr>" : "</tr>");
}

static void emotions(am_page *p) {
  const am_tally *t = p->t;
  bool seconds = t->n_seconds == t->n && t->n;
  am_page_table_open(p, "Clips per emotion", "wide");
  am_page_heads(p, t->dataset && seconds ? "Emotion|>Clips|>Train|>Valid.|>Test|>Minutes|>Mean s"
                   : t->dataset          ? "Emotion|>Clips|>Train|>Valid.|>Test"
                                         : "Emotion|>Clips|>Valid.|>Test");
  for (int k = 0; k < t->n_labels; k++) emotion_row(p, k, seconds);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
}

static void speaker_row(am_page *p, int s) {
  static const char *const parts[] = {"train", "validation", "test", "unused"};
  const am_tally *t = p->t;
  uint64_t sum = 0;
  am_html_put(p->h, "<tr>");
  am_html_put(p->h, "<th scope=\"row\">");
  am_html_text(p->h, t->speakers[s]);
  const char *before = "<small>";
  for (int i = 0; i < 4 && !p->r->crossval; i++) /* there, every speaker is tested and trained on in turn */
    if (t->speaker_parts[4 * s + i]) {
      am_html_printf(p->h, "%s%s", before, parts[i]);
      before = ", ";
    }
  am_html_put(p->h, *before == ',' ? "</small></th>" : "</th>");
  for (int k = 0; k < t->n_labels; k++) {
    uint64_t count = t->cells[(size_t)s * (size_t)t->n_labels + (size_t)k];
    sum += count;
    am_html_printf(p->h, count ? "<td>%llu</td>" : "<td class=\"faint\">%llu</td>", (unsigned long long)count);
  }
  am_html_printf(p->h, "<td>%llu</td></tr>", (unsigned long long)sum);
}

static void speakers(am_page *p) {
  const am_tally *t = p->t;
  if (!t->n_speakers) return;
  if (t->n_speakers > MOST_SPEAKERS) {
    am_html_printf(p->h, "<p>%d speakers: too many to list here.</p>", t->n_speakers);
    return;
  }
  am_html_printf(p->h, "<details%s><summary>Clips per speaker and emotion (%d speakers)</summary>",
                 t->n_speakers <= OPEN_SPEAKERS ? " open=\"open\"" : "", t->n_speakers);
  am_page_table_open(p, "Clips per speaker and emotion", "grid counts");
  am_html_put(p->h, "<thead><tr><th scope=\"col\">Speaker</th>");
  for (int k = 0; k < t->n_labels; k++) {
    am_html_put(p->h, "<th scope=\"col\" class=\"up\">");
    am_html_element(p->h, "span", t->labels[k]);
    am_html_put(p->h, "</th>");
  }
  am_html_put(p->h, "<th scope=\"col\">all</th></tr></thead><tbody>");
  for (int s = 0; s < t->n_speakers; s++) speaker_row(p, s);
  am_html_put(p->h, "</tbody>");
  am_page_table_close(p);
  am_html_put(p->h, "</details>");
}

static am_status draw_lengths(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                              am_buffer *out, am_error *err) {
  const am_tally *t = what;
  double counts[HISTOGRAM] = {0}, low = t->seconds[0], high = t->seconds[t->n_seconds - 1];
  for (size_t i = 0; i < t->n_seconds; i++) {
    double at = high > low ? (t->seconds[i] - low) / (high - low) * HISTOGRAM : 0;
    counts[at >= HISTOGRAM ? HISTOGRAM - 1 : (int)at]++;
  }
  return am_plot_histogram(ctx, style, title, "seconds", "clips", low, high, counts, HISTOGRAM, out, err);
}

void am_page_data(am_page *p) {
  const am_tally *t = p->t;
  am_html_put(p->h, "<section><h2>Data</h2>");
  facts(p);
  if (*t->note) {
    am_html_put(p->h, t->dataset ? "<p class=\"note warn\">Mind: "
                                 : "<p class=\"note warn\">The corpus could not be read, so the clips below "
                                   "are the held-out ones only, without lengths: ");
    am_html_text(p->h, t->note);
    am_html_put(p->h, "</p>");
  }
  if (!p->r->crossval) emotions(p); /* else all clips are tested ones, and counted beside the figures */
  speakers(p);
  if (t->n_seconds) {
    char description[120];
    snprintf(description, sizeof description, "Histogram of clip lengths from %.2f to %.2f seconds", t->seconds[0],
             t->seconds[t->n_seconds - 1]);
    am_figure figure = {.name = "lengths",
                        .title = "Lengths of the clips",
                        .width = 360,
                        .height = 200,
                        .draw = draw_lengths,
                        .what = t};
    am_html_put(p->h, "<div class=\"figures\">");
    am_page_figure(p, &figure, description);
    am_html_put(p->h, "</div>");
  }
  am_html_put(p->h, "</section>\n");
}

/* ---- example ---- */

static am_status draw_waveform(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                               am_buffer *out, am_error *err) {
  const am_example *e = what;
  return am_plot_waveform(ctx, style, title, e->sound.samples, e->sound.n, e->sound.rate, out, err);
}

static am_status draw_spectrogram(am_context *ctx, const am_plot_style *style, const char *title, const void *what,
                                  am_buffer *out, am_error *err) {
  const am_example *e = what;
  return am_plot_spectrogram(ctx, style, title, e->x, e->t, e->f, e->seconds, e->hertz, out, err);
}

void am_page_example(am_page *p) {
  const am_example *e = p->e;
  am_html_put(p->h, "<section><h2>An example</h2>");
  if (!e->name) {
    am_html_put(p->h,
                "<p>The waveform and spectrogram of a clip are left out, because the corpus could not be "
                "read: ");
    am_html_text(p->h, e->note);
    am_html_put(p->h, "</p></section>\n");
    return;
  }
  am_html_put(p->h, "<p class=\"path\">");
  am_html_text(p->h, e->name);
  am_html_put(p->h, ", <strong>");
  am_html_text(p->h, e->truth);
  am_html_put(p->h, "</strong>");
  if (e->prediction)
    am_html_printf(p->h, ", recognised with %.1f&#8239;%%: the surest of the right ones",
                   100 * e->prediction->confidence);
  am_html_put(p->h, ".</p><div class=\"figures\">");
  char description[160];
  double seconds = (double)e->sound.n / e->sound.rate;
  am_figure wave = {
      .name = "waveform", .title = "Waveform", .width = 360, .height = 220, .draw = draw_waveform, .what = e};
  snprintf(description, sizeof description, "Waveform of %.1f seconds", seconds);
  am_page_figure(p, &wave, description);
  am_figure mel = {.name = "spectrogram",
                   .title = "Log-mel spectrogram",
                   .width = 360,
                   .height = 220,
                   .draw = draw_spectrogram,
                   .what = e,
                   .caption = "Brighter is louder, over 80 dB, with the run's own window, hop and mel filters."};
  snprintf(description, sizeof description,
           "Log-mel spectrogram of %.1f seconds and %d mel filters, %.0f to %.0f hertz", seconds, e->f, e->hertz[0],
           e->hertz[e->f - 1]);
  am_page_figure(p, &mel, description);
  am_html_put(p->h, "</div></section>\n");
}
