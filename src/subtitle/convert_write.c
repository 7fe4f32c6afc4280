/* SPDX-License-Identifier: MIT */
/* subtitle/convert_write.c - new documents. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "subtitle/convert.h"
#include "subtitle/xml.h"

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static am_status name_speakers(am_cue_writer *w, const am_cues *from, am_error *err) {
  size_t n = 0;
  if (!(w->speakers = am_alloc(w->ctx, from->n + 1, sizeof *w->speakers))) return am_no_memory(err);
  for (size_t i = 0; i < from->n; i++)
    if (from->at[i].speaker) w->speakers[n++] = from->at[i].speaker;
  if (n) qsort(w->speakers, n, sizeof *w->speakers, by_name);
  for (size_t i = 0; i < n; i++)
    if (!w->n_speakers || strcmp(w->speakers[w->n_speakers - 1], w->speakers[i]))
      w->speakers[w->n_speakers++] = w->speakers[i];
  return AM_OK;
}

static const char ass_head[] =
    "[Script Info]\nScriptType: v4.00+\nWrapStyle: 0\nScaledBorderAndShadow: yes\nPlayResX: 384\nPlayResY: 288\n\n"
    "[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, "
    "StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, "
    "Encoding\n"
    "Style: Default,Arial,16,&H00FFFFFF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,1,1,2,10,10,10,1\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n";

static void ttml_head(am_cue_writer *w) {
  am_buffer_printf(w->ctx, w->out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<tt xmlns=\"http://www.w3.org/ns/ttml\" xmlns:tts=\"http://www.w3.org/ns/ttml#styling\" "
                   "xmlns:ttm=\"http://www.w3.org/ns/ttml#metadata\" xml:lang=\"\">\n<head>\n");
  if (w->n_speakers) am_buffer_printf(w->ctx, w->out, "<metadata>\n");
  for (size_t i = 0; i < w->n_speakers; i++) {
    am_buffer_printf(w->ctx, w->out, "<ttm:agent xml:id=\"speaker%zu\" type=\"character\"><ttm:name type=\"full\">",
                     i + 1);
    am_xml_put(w->ctx, w->out, w->speakers[i], strlen(w->speakers[i]));
    am_buffer_printf(w->ctx, w->out, "</ttm:name></ttm:agent>\n");
  }
  if (w->n_speakers) am_buffer_printf(w->ctx, w->out, "</metadata>\n");
  am_buffer_printf(w->ctx, w->out,
                   "<styling><style xml:id=\"text\" tts:color=\"white\" tts:textAlign=\"center\"/></styling>\n"
                   "<layout><region xml:id=\"bottom\" tts:origin=\"10%% 10%%\" tts:extent=\"80%% 80%%\" "
                   "tts:displayAlign=\"after\"/></layout>\n</head>\n"
                   "<body region=\"bottom\" style=\"text\">\n<div>\n");
}

am_status am_cue_writer_begin(am_cue_writer *w, am_context *ctx, const am_cue_syntax *syntax, const am_cues *from,
                              am_buffer *out, am_error *err) {
  *w = (am_cue_writer){.ctx = ctx, .out = out, .syntax = syntax};
  am_status st = from && syntax == &am_ttml ? name_speakers(w, from, err) : AM_OK;
  if (st) return st;
  if (syntax == &am_vtt) am_buffer_printf(ctx, out, "WEBVTT\n\n");
  if (syntax == &am_ass) am_buffer_append(ctx, out, ass_head, sizeof ass_head - 1);
  if (syntax == &am_ttml) ttml_head(w);
  return AM_OK;
}

/* "00:01:02.345"; of ASS, which has no more digits, "0:01:02.34". */
static void put_time(const am_cue_writer *w, double seconds) {
  const long long ms = llround(1000 * seconds);
  const int h = w->syntax == &am_ass ? 1 : 2;
  am_buffer_printf(w->ctx, w->out, "%0*lld:%02lld:%02lld%c", h, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
                   w->syntax == &am_srt ? ',' : '.');
  if (w->syntax == &am_ass) am_buffer_printf(w->ctx, w->out, "%02lld", ms % 1000 / 10);
  else am_buffer_printf(w->ctx, w->out, "%03lld", ms % 1000);
}

/* ---- texts ---- */

/* The letter of a tag <i>, <b> or <u>, or of its end; 0: there is none. */
static char tag_at(am_slice t, bool *ends) {
  *ends = am_slice_begins(t, "</");
  const size_t at = *ends ? 2 : 1;
  return *t.at == '<' && t.n > at + 1 && strchr("ibu", t.at[at]) && t.at[at + 1] == '>' ? t.at[at] : 0;
}

/* Bytes of another tag, such as <font color="red">, which only SRT has. */
static size_t foreign_at(am_slice t) {
  const bool tag = *t.at == '<' && t.n > 2 && (t.at[1] == '/' || strchr("abcdefghijklmnopqrstuvwxyz", t.at[1] | 32));
  const char *end = tag ? memchr(t.at, '>', t.n) : NULL;
  return end ? (size_t)(end - t.at) + 1 : 0;
}

static void put_ass(am_cue_writer *w, am_slice t) {
  bool ends;
  while (t.n) {
    const char tag = tag_at(t, &ends);
    const size_t foreign = tag ? 0 : foreign_at(t), n = tag ? 3 + (size_t)ends : foreign ? foreign : 1;
    if (tag) am_buffer_printf(w->ctx, w->out, "{\\%c%d}", tag, !ends);
    else if (*t.at == '\n') am_buffer_append(w->ctx, w->out, "\\N", 2);
    else if (!foreign && *t.at == '{' && !(t.n > 1 && t.at[1] == '\\')) am_buffer_append(w->ctx, w->out, "\\{", 2);
    else if (!foreign) am_buffer_append(w->ctx, w->out, t.at, 1);
    t = am_slice_from(t.at + n, t.n - n);
  }
}

/* Spans end in the order in which they began. */
static void put_ttml(am_cue_writer *w, am_slice t) {
  static const char *const looks[] = {"tts:fontStyle=\"italic\"", "tts:fontWeight=\"bold\"",
                                      "tts:textDecoration=\"underline\""};
  char open[8] = {0};
  size_t n_open = 0;
  bool ends;
  while (t.n) {
    const char tag = tag_at(t, &ends), *close = memchr(open, tag, n_open);
    const char *over = *t.at == '{' && t.n > 1 && t.at[1] == '\\' ? memchr(t.at, '}', t.n) : NULL;
    const size_t other = over ? (size_t)(over - t.at) + 1 : tag ? 0 : foreign_at(t);
    size_t n = other ? other : tag ? 3 + (size_t)ends : 1;
    if (other) {
      /* an override of ASS, which SRT may have, or another tag */
    } else if (tag && !ends && n_open < sizeof open) {
      open[n_open++] = tag;
      am_buffer_printf(w->ctx, w->out, "<span %s>", looks[tag == 'i' ? 0 : tag == 'b' ? 1 : 2]);
    } else if (tag) {
      for (const char *last = close; last && last < open + n_open; n_open--)
        am_buffer_printf(w->ctx, w->out, "</span>");
    } else if (*t.at == '\n') {
      am_buffer_printf(w->ctx, w->out, "<br/>");
    } else {
      while (n < t.n && !strchr("\n<{", t.at[n])) n++;
      am_xml_put(w->ctx, w->out, t.at, n);
    }
    t = am_slice_from(t.at + n, t.n - n);
  }
  while (n_open--) am_buffer_printf(w->ctx, w->out, "</span>");
}

static void put_vtt(am_cue_writer *w, am_slice t) {
  while (t.n) {
    const bool arrow = am_slice_begins(t, "-->"), less = *t.at == '<' && t.n > 1 && t.at[1] != '/' && !foreign_at(t);
    am_buffer_append(w->ctx, w->out, arrow ? "--&gt;" : less ? "&lt;" : t.at, arrow ? 6 : less ? 4 : 1);
    t = am_slice_from(t.at + (arrow ? 3 : 1), t.n - (arrow ? 3 : 1));
  }
}

/* A name without what would end it. */
static void put_name(am_cue_writer *w, const char *name, const char *without) {
  for (; *name; name++) {
    const bool bad = (unsigned char)*name < ' ' || strchr(without, *name);
    am_buffer_append(w->ctx, w->out, bad ? " " : name, 1);
  }
}

/* ---- cues ---- */

static void put_row(am_cue_writer *w, double start, double stop, const char *speaker, am_slice text) {
  am_buffer_printf(w->ctx, w->out, "%zu\n", w->n);
  put_time(w, start);
  am_buffer_printf(w->ctx, w->out, " --> ");
  put_time(w, stop);
  am_buffer_append(w->ctx, w->out, "\n", 1);
  if (w->syntax == &am_vtt && speaker && text.n) {
    am_buffer_printf(w->ctx, w->out, "<v ");
    put_name(w, speaker, "<>&");
    am_buffer_printf(w->ctx, w->out, ">");
  }
  if (w->syntax == &am_vtt) put_vtt(w, text);
  else am_buffer_append(w->ctx, w->out, text.at, text.n);
  am_buffer_append(w->ctx, w->out, "\n\n", text.n ? 2 : 1);
}

static void put_dialogue(am_cue_writer *w, double start, double stop, const char *speaker, am_slice text) {
  am_buffer_printf(w->ctx, w->out, "Dialogue: 0,");
  put_time(w, start);
  am_buffer_append(w->ctx, w->out, ",", 1);
  put_time(w, stop);
  am_buffer_printf(w->ctx, w->out, ",Default,");
  if (speaker) put_name(w, speaker, ",");
  am_buffer_printf(w->ctx, w->out, ",0,0,0,,");
  put_ass(w, text);
  am_buffer_append(w->ctx, w->out, "\n", 1);
}

static void put_p(am_cue_writer *w, double start, double stop, const char *speaker, am_slice text) {
  am_buffer_printf(w->ctx, w->out, "<p xml:id=\"c%zu\" begin=\"", w->n);
  put_time(w, start);
  am_buffer_printf(w->ctx, w->out, "\" end=\"");
  put_time(w, stop);
  am_buffer_append(w->ctx, w->out, "\"", 1);
  const char **found =
      speaker && w->n_speakers ? bsearch(&speaker, w->speakers, w->n_speakers, sizeof *w->speakers, by_name) : NULL;
  if (found) am_buffer_printf(w->ctx, w->out, " ttm:agent=\"speaker%zu\"", (size_t)(found - w->speakers) + 1);
  am_buffer_append(w->ctx, w->out, ">", 1);
  put_ttml(w, text);
  am_buffer_printf(w->ctx, w->out, "</p>\n");
}

void am_cue_writer_put(am_cue_writer *w, double start, double stop, const char *speaker, am_slice text) {
  w->n++;
  if (w->syntax == &am_ass) put_dialogue(w, start, stop, speaker, text);
  else if (w->syntax == &am_ttml) put_p(w, start, stop, speaker, text);
  else put_row(w, start, stop, speaker, text);
}

void am_cue_writer_end(am_cue_writer *w) {
  if (w->syntax == &am_ttml) am_buffer_printf(w->ctx, w->out, "</div>\n</body>\n</tt>\n");
  am_free(w->ctx, (void *)w->speakers);
  w->speakers = NULL;
}
