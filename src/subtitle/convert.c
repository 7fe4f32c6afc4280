/* SPDX-License-Identifier: MIT */
/* subtitle/convert.c - see convert.h.  A text goes by way of that of SRT, whose few tags all formats can say. */
#include "subtitle/convert.h"

#include <string.h>

void am_cues_put_utf8(const am_cues *c, am_slice text, am_buffer *out) {
  if (!c->latin1) am_buffer_append(c->ctx, out, text.at, text.n);
  for (size_t i = 0; i < text.n && c->latin1; i++) {
    const unsigned char b = (unsigned char)text.at[i];
    const char two[2] = {(char)(0xC0 | b >> 6), (char)(0x80 | (b & 0x3F))};
    am_buffer_append(c->ctx, out, b < 0x80 ? text.at + i : two, b < 0x80 ? 1 : 2);
  }
}

/* Bytes of a tag of WebVTT that SRT lacks. */
static size_t foreign_tag(am_slice text) {
  const char *end = text.at[0] == '<' ? memchr(text.at, '>', text.n) : NULL;
  const size_t n = end ? (size_t)(end - text.at) + 1 : 0, at = n > 1 && text.at[1] == '/' ? 2 : 1;
  const bool kept = n == at + 2 && strchr("ibu", text.at[at]);
  return kept ? 0 : n;
}

static void line_of_vtt(const am_cues *c, am_slice line, am_buffer *out) {
  static const char *const entities[][2] = {{"&amp;", "&"},  {"&lt;", "<"}, {"&gt;", ">"},
                                            {"&nbsp;", " "}, {"&lrm;", ""}, {"&rlm;", ""}};
  while (line.n) {
    size_t n = foreign_tag(line);
    for (size_t i = 0; i < sizeof entities / sizeof *entities && !n; i++)
      if (am_slice_begins(line, entities[i][0])) {
        n = strlen(entities[i][0]);
        am_buffer_append(c->ctx, out, entities[i][1], strlen(entities[i][1]));
      }
    if (!n) am_cues_put_utf8(c, am_slice_from(line.at, 1), out); /* byte by byte: UTF-8 stays itself */
    line = am_slice_from(line.at + (n ? n : 1), line.n - (n ? n : 1));
  }
}

void am_cues_put_plain(const am_cues *c, am_slice text, am_buffer *out) {
  am_buffer whole = {0};
  if (c->syntax->plain) c->syntax->plain(c, text, &whole);
  am_slice rest = c->syntax->plain ? am_slice_from(whole.data, whole.used) : text, line;
  const size_t start = out->used;
  while (am_slice_line(&rest, &line)) {
    const size_t before = out->used;
    if (before > start) am_buffer_append(c->ctx, out, "\n", 1);
    const size_t begin = out->used;
    if (c->syntax->plain) am_buffer_append(c->ctx, out, line.at, line.n);
    else if (c->syntax == &am_vtt) line_of_vtt(c, line, out);
    else am_cues_put_utf8(c, line, out);
    if (am_slice_blank(am_slice_from(out->data ? out->data + begin : "", out->used - begin))) out->used = before;
  }
  out->failed |= whole.failed;
  am_buffer_free(c->ctx, &whole);
}

static am_status put_all(const am_cues *from, const am_cue_syntax *to, am_buffer *out, am_error *err) {
  am_buffer text = {0};
  am_cue_writer w;
  am_status st = am_cue_writer_begin(&w, from->ctx, to, from, out, err);
  for (size_t i = 0; i < from->n && !st; i++) {
    const am_cue *cue = &from->at[i];
    text.used = 0;
    am_cues_put_plain(from, am_cue_text(from, cue), &text);
    am_cue_writer_put(&w, cue->start, cue->stop, cue->speaker, am_slice_from(text.data, text.used));
  }
  am_cue_writer_end(&w);
  if (!st && (out->failed || text.failed)) st = am_no_memory(err);
  am_buffer_free(from->ctx, &text);
  return st;
}

/* Those that the format has no place for stay known. */
static am_status keep_speakers(const am_cues *from, am_cues *out, am_error *err) {
  am_status st = AM_OK;
  for (size_t i = 0; i < from->n && !st; i++)
    if (from->at[i].speaker && !out->at[i].speaker)
      st = am_cue_name(out, &out->at[i], am_slice_from(from->at[i].speaker, strlen(from->at[i].speaker)), err);
  return st;
}

am_status am_cues_convert(const am_cues *from, const am_cue_syntax *to, const char *source, am_cues *out,
                          am_error *err) {
  am_buffer text = {0};
  am_error why = AM_ERROR_INIT;
  *out = (am_cues){.ctx = from->ctx};
  am_status st = put_all(from, to, &text, &why);
  if (!st) st = am_cues_parse(from->ctx, text.data ? text.data : "", text.used, source, to, out, &why);
  am_buffer_free(from->ctx, &text);
  if (!st && out->n == from->n) {
    st = keep_speakers(from, out, err);
    if (st) am_cues_free(out);
    return st;
  }
  am_cues_free(out);
  if (st && (st != AM_E_FORMAT || !from->n)) return am_fail(err, st, "%s", why.message);
  return am_fail(err, AM_E_DATA, "%s: a text looks like a line of times, so it cannot be converted", source);
}
