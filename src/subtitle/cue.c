/* SPDX-License-Identifier: MIT */
/* subtitle/cue.c - see cue.h.  One pass over the lines: a line of times begins a cue, and the line before may be its number. */
#include "subtitle/cue.h"

#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "subtitle/convert.h"

static const char mark[] = "\xEF\xBB\xBF"; /* byte order mark */

void am_cues_free(am_cues *c) {
  for (size_t i = 0; i < c->n; i++) {
    am_free(c->ctx, c->at[i].changed);
    am_free(c->ctx, c->at[i].speaker);
  }
  am_free(c->ctx, c->at);
  am_free(c->ctx, c->line_break);
  am_free(c->ctx, c->style);
  am_free(c->ctx, c->data);
  *c = (am_cues){.ctx = c->ctx};
}

/* ---- lines ---- */

size_t am_slice_newline(am_slice t) {
  if (!t.n || (t.at[0] != '\n' && t.at[0] != '\r')) return 0;
  return t.n > 1 && t.at[0] == '\r' && t.at[1] == '\n' ? 2 : 1;
}

bool am_slice_line(am_slice *text, am_slice *line) {
  if (!text->n) return false;
  size_t n = 0;
  while (n < text->n && text->at[n] != '\n' && text->at[n] != '\r') n++;
  *line = am_slice_from(text->at, n);
  n += am_slice_newline(am_slice_from(text->at + n, text->n - n));
  *text = am_slice_from(text->at + n, text->n - n);
  return true;
}

bool am_cue_line(const am_cues *c, am_slice *text, am_slice *line) {
  if (!text->n) return false;
  size_t n = 0, skip = 0;
  while (n < text->n && !(skip = c->syntax->break_at(am_slice_from(text->at + n, text->n - n)))) n++;
  *line = am_slice_from(text->at, n);
  *text = am_slice_from(text->at + n + skip, text->n - n - skip);
  return true;
}

bool am_slice_begins(am_slice text, const char *with) {
  const size_t n = strlen(with);
  return text.n >= n && !memcmp(text.at, with, n);
}

bool am_slice_blank(am_slice line) {
  for (size_t i = 0; i < line.n; i++)
    if (line.at[i] != ' ' && line.at[i] != '\t') return false;
  return true;
}

/* ---- times ---- */

static void skip_space(am_slice *t) {
  while (t->n && (*t->at == ' ' || *t->at == '\t')) t->at++, t->n--;
}

/* Up to nine digits; how many. */
static int number(am_slice *t, double *out) {
  int n = 0;
  for (*out = 0; t->n && *t->at >= '0' && *t->at <= '9' && n < 9; t->at++, t->n--, n++)
    *out = *out * 10 + (*t->at - '0');
  return n;
}

static bool take(am_slice *t, const char *text) {
  const size_t n = strlen(text);
  if (!am_slice_begins(*t, text)) return false;
  t->at += n;
  t->n -= n;
  return true;
}

bool am_cue_time(am_slice *t, double *out) {
  double part[3], more, scale = 1;
  int n = 0;
  skip_space(t);
  do
    if (!number(t, &part[n++])) return false;
  while (n < 3 && take(t, ":"));
  if (n < 2 || part[n - 1] >= 60 || part[n - 2] >= (n == 3 ? 60 : 6000)) return false;
  *out = n == 3 ? 3600 * part[0] + 60 * part[1] + part[2] : 60 * part[0] + part[1];
  if (!take(t, ",") && !take(t, ".")) return *out < 1e8;
  const int digits = number(t, &more);
  for (int i = 0; i < digits; i++) scale *= 10;
  *out += more / scale;
  return digits && *out < 1e8;
}

/* A line that has an arrow and begins as a time does.  A text may have an arrow, too. */
static bool looks_like_times(am_slice line) {
  double any;
  am_slice t = line;
  skip_space(&t);
  (void)take(&t, "-");
  if (!number(&t, &any) || !take(&t, ":")) return false;
  for (; t.n >= 3; t.at++, t.n--)
    if (!memcmp(t.at, "-->", 3)) return true;
  return false;
}

static bool take_times(am_slice t, am_cue *cue) {
  if (!am_cue_time(&t, &cue->start)) return false;
  skip_space(&t);
  if (!take(&t, "-->") || !am_cue_time(&t, &cue->stop)) return false;
  return !t.n || *t.at == ' ' || *t.at == '\t';
}

/* ---- cues ---- */

am_status am_cues_add(am_cues *c, const am_cue *cue, size_t *room, const char *source, am_error *err) {
  if (c->n == AM_CUES_MOST)
    return am_fail(err, AM_E_FORMAT, "%s:%d: more than %d cues", source, cue->line, AM_CUES_MOST);
  am_status st = am_grow(c->ctx, &c->at, room, c->n + 1, sizeof *c->at, err);
  if (!st) c->at[c->n++] = *cue;
  return st;
}

am_status am_cue_name(am_cues *c, am_cue *cue, am_slice name, am_error *err) {
  am_buffer b = {0};
  while (name.n && (*name.at == ' ' || *name.at == '\t')) name.at++, name.n--;
  while (name.n && (name.at[name.n - 1] == ' ' || name.at[name.n - 1] == '\t')) name.n--;
  if (!name.n) return AM_OK;
  am_buffer_append(c->ctx, &b, name.at, name.n);
  if (b.failed) {
    am_buffer_free(c->ctx, &b);
    return am_no_memory(err);
  }
  am_free(c->ctx, cue->speaker);
  cue->speaker = b.data;
  return AM_OK;
}

typedef struct reader {
  am_cues *to;
  const char *source;
  size_t room;
  bool open;     /* lines are of the last cue's text */
  int line;      /* the number of the line at hand */
  am_slice last; /* the line before it */
  bool has_last, last_times;
  bool after_blank, first; /* what is before `last` is a blank line, or nothing */
  size_t end_before_last;  /* `end` of the last cue without `last` */
} reader;

static am_status begin_cue(reader *r, am_slice line, size_t behind, am_error *err) {
  am_cues *c = r->to;
  const size_t at = (size_t)(line.at - c->data);
  am_cue cue = {.head = at, .time = at, .body = behind, .end = behind, .line = r->line};
  if (!take_times(line, &cue))
    return am_fail(err, AM_E_FORMAT, "%s:%d: the times are '%.*s'; wanted such as 00:01:02%s345 --> 00:01:04%s000",
                   r->source, r->line, (int)(line.n < 80 ? line.n : 80), line.at, c->syntax == &am_srt ? "," : ".",
                   c->syntax == &am_srt ? "," : ".");
  if (r->has_last && !r->last_times && c->syntax->is_head(r->last, r->after_blank, r->first)) {
    cue.head = (size_t)(r->last.at - c->data);
    if (r->open) c->at[c->n - 1].end = r->end_before_last;
  }
  r->open = true;
  return am_cues_add(c, &cue, &r->room, r->source, err);
}

static am_status take_line(reader *r, am_slice line, size_t behind, am_error *err) {
  const bool times = looks_like_times(line), blank = am_slice_blank(line);
  am_status st = times ? begin_cue(r, line, behind, err) : AM_OK;
  if (st) return st;
  if (r->open) r->end_before_last = r->to->at[r->to->n - 1].end;
  if (!times && r->open && blank) r->open = !r->to->syntax->blank_ends;
  else if (!times && r->open) r->to->at[r->to->n - 1].end = behind;
  r->first = !r->has_last;
  r->after_blank = r->has_last && am_slice_blank(r->last);
  r->last = line;
  r->has_last = true;
  r->last_times = times;
  return AM_OK;
}

static const am_cue_syntax *find_syntax(am_slice text) {
  am_slice line = {0};
  if (take(&text, "WEBVTT")) return !text.n || strchr(" \t\r\n", *text.at) ? &am_vtt : &am_srt;
  while (am_slice_line(&text, &line) && am_slice_blank(line)) {}
  skip_space(&line);
  if (am_slice_begins(line, "[Script Info]") || am_slice_begins(line, "[V4") || am_slice_begins(line, "[Events]"))
    return &am_ass;
  const bool xml = am_slice_begins(line, "<?xml") || am_slice_begins(line, "<tt>") || am_slice_begins(line, "<tt ") ||
                   am_slice_begins(line, "<tt:");
  return xml ? &am_ttml : &am_srt;
}

static am_status check(const am_cues *c, const char *source, const am_cue_syntax *wanted, am_error *err) {
  if (memchr(c->data, 0, c->bytes))
    return am_fail(err, AM_E_FORMAT, "%s: holds a zero byte; wanted SRT, WebVTT, ASS or TTML in UTF-8 or Latin-1",
                   source);
  if (!wanted || c->syntax == wanted || (c->syntax == &am_srt && wanted != &am_vtt)) return AM_OK;
  if (wanted == &am_vtt && c->syntax == &am_srt)
    return am_fail(err, AM_E_FORMAT, "%s: does not begin with WEBVTT, as WebVTT does", source);
  return am_fail(err, AM_E_FORMAT, "%s: is %s, by its first line, and not %s", source, c->syntax->title, wanted->title);
}

static am_status read_lines(am_cues *c, am_slice rest, const char *source, am_error *err) {
  reader r = {.to = c, .source = source};
  am_slice line;
  am_status st = AM_OK;
  while (!st && am_slice_line(&rest, &line)) {
    r.line++;
    st = take_line(&r, line, (size_t)(rest.at - c->data), err);
  }
  if (!st && !c->n && c->syntax == &am_srt)
    st = am_fail(err, AM_E_FORMAT, "%s: has no line of times (00:01:02,345 --> 00:01:04,000); wanted SRT or WebVTT",
                 source);
  return st;
}

am_slice am_cue_voice(am_slice text) {
  const char *end = memchr(text.at, '>', text.n);
  size_t at = 2;
  if (text.n < 4 || memcmp(text.at, "<v", 2) || !strchr(" \t.", text.at[2]) || !end) return (am_slice){0};
  const size_t n = (size_t)(end - text.at);
  while (at < n && text.at[at] != ' ' && text.at[at] != '\t') at++; /* classes */
  while (at < n && (text.at[at] == ' ' || text.at[at] == '\t')) at++;
  return am_slice_from(text.at + at, n - at);
}

static am_status name_voices(am_cues *c, am_error *err) {
  am_status st = AM_OK;
  for (size_t i = 0; i < c->n && !st; i++) {
    am_buffer utf8 = {0};
    am_cues_put_utf8(c, am_cue_voice(am_cue_text(c, &c->at[i])), &utf8);
    st = utf8.failed ? am_no_memory(err) : am_cue_name(c, &c->at[i], am_slice_from(utf8.data, utf8.used), err);
    am_buffer_free(c->ctx, &utf8);
  }
  return st;
}

am_status am_cues_parse(am_context *ctx, const char *text, size_t bytes, const char *source,
                        const am_cue_syntax *wanted, am_cues *out, am_error *err) {
  *out = (am_cues){.ctx = ctx, .bytes = bytes};
  if (!(out->data = am_alloc(ctx, bytes + 1, 1))) return am_no_memory(err);
  if (bytes) memcpy(out->data, text, bytes);
  am_slice rest = am_slice_from(out->data, bytes);
  (void)take(&rest, mark);
  out->syntax = find_syntax(rest);
  am_status st = check(out, source, wanted, err);
  if (wanted) out->syntax = wanted;
  out->latin1 = am_utf8_wrong(out->data) != NULL;
  if (!st) st = out->syntax->read ? out->syntax->read(out, source, err) : read_lines(out, rest, source, err);
  if (!st && out->syntax == &am_vtt) st = name_voices(out, err);
  if (st) am_cues_free(out);
  return st;
}

am_status am_cues_read(am_context *ctx, const char *path, const am_cue_syntax *wanted, am_cues *out, am_error *err) {
  char *text;
  size_t bytes;
  *out = (am_cues){.ctx = ctx};
  am_status st = am_file_read(ctx, path, AM_CUES_BYTES, &text, &bytes, err);
  if (st) return st;
  st = am_cues_parse(ctx, text, bytes, path, wanted, out, err);
  am_free(ctx, text);
  return st;
}

/* ---- changes ---- */

am_slice am_cue_text(const am_cues *c, const am_cue *cue) {
  return cue->changed ? am_slice_from(cue->changed, cue->n_changed)
                      : am_slice_from(c->data + cue->body, cue->end - cue->body);
}

am_status am_cue_change(am_cues *c, am_cue *cue, am_slice before, am_slice text, am_slice behind, am_error *err) {
  am_buffer b = {0};
  am_buffer_append(c->ctx, &b, before.at, before.n);
  am_buffer_append(c->ctx, &b, text.at, text.n);
  am_buffer_append(c->ctx, &b, behind.at, behind.n);
  if (b.failed) {
    am_buffer_free(c->ctx, &b);
    return am_no_memory(err);
  }
  am_free(c->ctx, cue->changed); /* which `text` may be a part of, until now */
  cue->changed = b.data;
  cue->n_changed = b.used;
  return AM_OK;
}

const char *am_cue_newline(const am_cues *c, const am_cue *cue) {
  if (c->syntax == &am_ttml) { /* a <p> of another prefix may be of a document of several vocabularies */
    const size_t n = strlen(c->line_break) - strlen("br/>");
    const char *tag = c->data + cue->time;
    return !strncmp(tag, c->line_break, n) && tag[n] == 'p' && tag[n + 1] != ':' ? c->line_break : NULL;
  }
  if (c->syntax->read) return c->line_break;
  am_slice rest = am_slice_from(c->data + cue->time, c->bytes - cue->time), line;
  if (!am_slice_line(&rest, &line)) return "\n";
  const size_t n = (size_t)(rest.at - line.at) - line.n;
  return n == 2 ? "\r\n" : n == 1 && line.at[line.n] == '\r' ? "\r" : "\n";
}

/* Bytes of the file from `from` to `to`, without those that are cut. */
static void put(const am_cues *c, size_t from, size_t to, am_buffer *out) {
  const size_t low = c->cut_from < from ? from : c->cut_from, high = c->cut_to < to ? c->cut_to : to;
  if (low >= high) {
    am_buffer_append(c->ctx, out, c->data + from, to - from);
    return;
  }
  am_buffer_append(c->ctx, out, c->data + from, low - from);
  am_buffer_append(c->ctx, out, c->data + high, to - high);
}

void am_cues_write(const am_cues *c, am_buffer *out) {
  size_t done = 0;
  for (size_t i = 0; i < c->n; i++) {
    const am_cue *cue = &c->at[i];
    put(c, done, cue->head, out);
    if (!i && c->style) am_buffer_append(c->ctx, out, c->style, strlen(c->style));
    put(c, cue->head, cue->body, out);
    const am_slice text = am_cue_text(c, cue);
    am_buffer_append(c->ctx, out, text.at, text.n);
    done = cue->end;
  }
  put(c, done, c->bytes, out);
}
