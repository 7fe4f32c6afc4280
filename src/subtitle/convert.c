/* subtitle/convert.c - see convert.h. */
#include "subtitle/convert.h"

#include <math.h>
#include <string.h>

void am_cues_put_head(am_context *ctx, am_buffer *out, const am_cue_syntax *syntax) {
  if (syntax == &am_vtt) am_buffer_printf(ctx, out, "WEBVTT\n\n");
}

static void put_time(am_context *ctx, am_buffer *out, double seconds, char point) {
  const long long ms = llround(1000 * seconds);
  am_buffer_printf(ctx, out, "%02lld:%02lld:%02lld%c%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, point,
                   ms % 1000);
}

void am_cues_put(am_context *ctx, am_buffer *out, const am_cue_syntax *syntax, size_t number, double start, double stop,
                 am_slice text) {
  const char point = syntax == &am_vtt ? '.' : ',';
  am_buffer_printf(ctx, out, "%zu\n", number);
  put_time(ctx, out, start, point);
  am_buffer_printf(ctx, out, " --> ");
  put_time(ctx, out, stop, point);
  am_buffer_append(ctx, out, "\n", 1);
  am_buffer_append(ctx, out, text.at, text.n);
  am_buffer_append(ctx, out, "\n\n", text.n ? 2 : 1);
}

void am_cues_put_utf8(const am_cues *c, am_slice text, am_buffer *out) {
  if (!c->latin1) am_buffer_append(c->ctx, out, text.at, text.n);
  for (size_t i = 0; i < text.n && c->latin1; i++) {
    const unsigned char b = (unsigned char)text.at[i];
    const char two[2] = {(char)(0xC0 | b >> 6), (char)(0x80 | (b & 0x3F))};
    am_buffer_append(c->ctx, out, b < 0x80 ? text.at + i : two, b < 0x80 ? 1 : 2);
  }
}

static bool begins(am_slice text, const char *with) {
  const size_t n = strlen(with);
  return text.n >= n && !memcmp(text.at, with, n);
}

/* Bytes of a tag of WebVTT that SRT lacks. */
static size_t foreign_tag(am_slice text) {
  const char *end = text.at[0] == '<' ? memchr(text.at, '>', text.n) : NULL;
  const size_t n = end ? (size_t)(end - text.at) + 1 : 0, at = n > 1 && text.at[1] == '/' ? 2 : 1;
  const bool kept = n == at + 2 && strchr("ibu", text.at[at]);
  return kept ? 0 : n;
}

static void line_to_srt(const am_cues *c, am_slice line, am_buffer *out) {
  static const char *const entities[][2] = {{"&amp;", "&"},  {"&lt;", "<"}, {"&gt;", ">"},
                                            {"&nbsp;", " "}, {"&lrm;", ""}, {"&rlm;", ""}};
  while (line.n) {
    size_t n = foreign_tag(line);
    for (size_t i = 0; i < sizeof entities / sizeof *entities && !n; i++)
      if (begins(line, entities[i][0])) {
        n = strlen(entities[i][0]);
        am_buffer_append(c->ctx, out, entities[i][1], strlen(entities[i][1]));
      }
    if (!n) am_cues_put_utf8(c, am_slice_from(line.at, 1), out); /* byte by byte: UTF-8 stays itself */
    line = am_slice_from(line.at + (n ? n : 1), line.n - (n ? n : 1));
  }
}

static void line_to_vtt(const am_cues *c, am_slice line, am_buffer *out) {
  while (line.n) {
    const bool arrow = begins(line, "-->");
    if (arrow) am_buffer_append(c->ctx, out, "--&gt;", 6);
    else am_cues_put_utf8(c, am_slice_from(line.at, 1), out);
    line = am_slice_from(line.at + (arrow ? 3 : 1), line.n - (arrow ? 3 : 1));
  }
}

static am_status put_all(const am_cues *from, const am_cue_syntax *to, am_buffer *out, am_error *err) {
  am_buffer text = {0};
  am_cues_put_head(from->ctx, out, to);
  for (size_t i = 0; i < from->n; i++) {
    am_slice rest = am_cue_text(from, &from->at[i]), line;
    text.used = 0;
    while (am_slice_line(&rest, &line)) {
      const size_t before = text.used;
      if (before) am_buffer_append(from->ctx, &text, "\n", 1);
      const size_t start = text.used;
      if (to == &am_vtt) line_to_vtt(from, line, &text);
      else line_to_srt(from, line, &text);
      if (am_slice_blank(am_slice_from(text.data ? text.data + start : "", text.used - start))) text.used = before;
    }
    am_cues_put(from->ctx, out, to, i + 1, from->at[i].start, from->at[i].stop, am_slice_from(text.data, text.used));
  }
  const bool failed = text.failed || out->failed;
  am_buffer_free(from->ctx, &text);
  return failed ? am_no_memory(err) : AM_OK;
}

am_status am_cues_convert(const am_cues *from, const am_cue_syntax *to, const char *source, am_cues *out,
                          am_error *err) {
  am_buffer text = {0};
  am_error why = AM_ERROR_INIT;
  *out = (am_cues){.ctx = from->ctx};
  am_status st = put_all(from, to, &text, &why);
  if (!st) st = am_cues_parse(from->ctx, text.data ? text.data : "", text.used, source, to, out, &why);
  am_buffer_free(from->ctx, &text);
  if (!st && out->n == from->n) return AM_OK;
  am_cues_free(out);
  if (st && (st != AM_E_FORMAT || !from->n)) return am_fail(err, st, "%s", why.message);
  return am_fail(err, AM_E_DATA, "%s: a text looks like a line of times, so it cannot be converted", source);
}
