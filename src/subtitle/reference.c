/* SPDX-License-Identifier: MIT */
/* subtitle/reference.c - see reference.h; EAF is in reference_elan.c. */
#include "subtitle/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/number.h"
#include "base/utf8.h"
#include "io/csv.h"
#include "subtitle/reference_inside.h"

enum { LARGEST = 64 << 20 };
const char *const am_reference_endings[] = {"rttm", "TextGrid", "textgrid", "eaf", "csv", "txt", NULL};

bool am_reference_tier(const char *name) { return !strncasecmp(name, "emotion", 7); }

/* ---- UTF-16 ---- */

static void put_character(am_context *ctx, am_buffer *out, unsigned code) {
  const size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned heads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  char utf8[4];
  for (size_t i = n; i-- > 1; code >>= 6) utf8[i] = (char)(0x80 | (code & 0x3F));
  utf8[0] = (char)(heads[n] | code);
  am_buffer_append(ctx, out, utf8, n);
}

/* A text with a byte order mark of UTF-16 becomes UTF-8; *is: it was one. */
static am_status from_utf16(am_context *ctx, const char *text, size_t bytes, const char *source, am_buffer *out,
                            bool *is, am_error *err) {
  const unsigned char *u = (const unsigned char *)text;
  *is = bytes >= 2 && ((u[0] == 0xFF && u[1] == 0xFE) || (u[0] == 0xFE && u[1] == 0xFF));
  if (!*is) return AM_OK;
  const size_t high = u[0] == 0xFE ? 0 : 1;
  for (size_t i = 2; i + 1 < bytes; i += 2) {
    unsigned code = (unsigned)u[i + high] << 8 | u[i + 1 - high];
    if (code >= 0xD800 && code < 0xE000) {
      const unsigned low = i + 3 < bytes ? (unsigned)u[i + 2 + high] << 8 | u[i + 3 - high] : 0;
      if (code >= 0xDC00 || low < 0xDC00 || low >= 0xE000)
        return am_fail(err, AM_E_FORMAT, "%s: is no UTF-16, at byte %zu", source, i);
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      i += 2;
    }
    put_character(ctx, out, code);
  }
  return out->failed ? am_no_memory(err) : AM_OK;
}

/* ---- TextGrid ---- */

/* What stands free in the file: numbers, texts in quotes, flags in angles.  All else is for people. */
typedef struct praat {
  am_rttm *to;
  const char *at, *source;
  int line;
  size_t room;
  am_buffer text;
} praat;

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static void skip_word(praat *p) {
  while (*p->at && !blank(*p->at)) p->at++;
}

/* To the next of a kind: '"' a text, '0' a number; false: there is none. */
static bool seek(praat *p, char kind) {
  for (;;) {
    while (blank(*p->at)) p->line += *p->at++ == '\n';
    if (!*p->at) return false;
    if (*p->at == '!') p->at += strcspn(p->at, "\n");
    else if (*p->at == '"') return kind == '"';
    else if ((*p->at >= '0' && *p->at <= '9') || *p->at == '-' || *p->at == '.' || *p->at == '+') return kind == '0';
    else skip_word(p);
  }
}

static am_status bad(const praat *p, const char *what, am_error *err) {
  return am_fail(err, AM_E_FORMAT, "%s:%d: wanted %s of a TextGrid", p->source, p->line, what);
}

static am_status take_number(praat *p, const char *what, double *out, am_error *err) {
  char word[64];
  if (!seek(p, '0')) return bad(p, what, err);
  const size_t n = strcspn(p->at, " \t\r\n");
  if (n >= sizeof word) return bad(p, what, err);
  memcpy(word, p->at, n);
  word[n] = 0;
  p->at += n;
  return am_text_to_real(word, out) && isfinite(*out) ? AM_OK : bad(p, what, err);
}

static am_status take_text(praat *p, const char *what, am_error *err) {
  if (!seek(p, '"')) return bad(p, what, err);
  p->text.used = 0;
  for (p->at++; *p->at; p->at++) {
    if (*p->at == '"' && p->at[1] != '"') break;
    p->at += *p->at == '"';
    p->line += *p->at == '\n';
    am_buffer_append(p->to->ctx, &p->text, p->at, 1);
  }
  am_buffer_append(p->to->ctx, &p->text, "", 0);
  if (p->text.failed) return am_no_memory(err);
  if (!*p->at) return bad(p, "the end of a text", err);
  p->at++;
  return AM_OK;
}

static bool known(const praat *p, const char *text) {
  return p->text.used == strlen(text) && (!p->text.used || !memcmp(p->text.data, text, p->text.used));
}

static am_status take_tier(praat *p, bool wanted, am_error *err) {
  double start = 0, end = 0, n = 0;
  am_status st = take_text(p, "the class of a tier", err);
  const bool intervals = !st && known(p, "IntervalTier");
  if (!st && !intervals && !known(p, "TextTier")) return bad(p, "IntervalTier or TextTier", err);
  if (!st) st = take_text(p, "the name of a tier", err);
  const bool takes = !st && intervals && (!wanted || am_reference_tier(p->text.used ? p->text.data : ""));
  if (!st) st = take_number(p, "the start of a tier", &start, err);
  if (!st) st = take_number(p, "the end of a tier", &end, err);
  if (!st) st = take_number(p, "how many intervals a tier has", &n, err);
  for (double i = 0; i < n && !st; i++) {
    st = take_number(p, "the start of an interval", &start, err);
    if (!st && intervals) st = take_number(p, "the end of an interval", &end, err);
    if (!st) st = take_text(p, "the text of an interval", err);
    if (!st && takes) st = am_rttm_add(p->to, &p->room, "", p->text.used ? p->text.data : "", start, end, p->line, err);
  }
  return st;
}

static am_status take_tiers(praat *p, bool wanted, am_error *err) {
  double x, tiers = 0;
  am_status st = take_text(p, "File type", err);
  if (!st) st = take_text(p, "Object class", err);
  if (!st && !known(p, "TextGrid")) return bad(p, "the class TextGrid", err);
  for (int i = 0; i < 2 && !st; i++) st = take_number(p, "the times", &x, err);
  if (!st) st = take_number(p, "how many tiers there are", &tiers, err);
  for (double i = 0; i < tiers && !st; i++) st = take_tier(p, wanted, err);
  return st;
}

/* The tiers named for emotion; where there is none, all. */
static am_status read_textgrid(am_rttm *to, const char *text, const char *source, am_error *err) {
  am_status st = AM_OK;
  for (int wanted = 1; wanted >= 0 && !st && !to->n; wanted--) {
    praat p = {.to = to, .at = text, .source = source, .line = 1};
    st = take_tiers(&p, wanted, err);
    am_buffer_free(to->ctx, &p.text);
  }
  return st;
}

/* ---- CSV and Audacity ---- */

static am_status read_csv(am_rttm *to, const char *text, size_t bytes, const char *source, am_error *err) {
  am_csv *csv;
  int start, end, label;
  size_t room = 0;
  am_status st = am_csv_read_text(to->ctx, text, bytes, source, 0, &csv, err);
  if (st) return st;
  st = am_csv_need(csv, "start", &start, err);
  if (!st) st = am_csv_need(csv, "end", &end, err);
  if (!st) st = am_csv_need(csv, "label", &label, err);
  for (size_t i = 0; i < am_csv_rows(csv) && !st; i++) {
    double from = 0, to_time = 0;
    st = am_csv_real(csv, i, start, &from, err);
    if (!st) st = am_csv_real(csv, i, end, &to_time, err);
    if (!st && !(from >= 0 && to_time < 1e9)) st = am_csv_fail(csv, i, err, "wanted a start and an end in seconds");
    if (!st)
      st = am_rttm_add(to, &room, "", am_csv_get(csv, i, (size_t)label), from, to_time, am_csv_line(csv, i), err);
  }
  am_csv_free(csv);
  return st;
}

/* start, tab, end, tab, label; lines that begin with a backslash are of the frequencies. */
static am_status read_audacity(am_rttm *to, const char *text, const char *source, am_error *err) {
  size_t room = 0;
  am_status st = AM_OK;
  char *copy = am_strdup(to->ctx, text), *next = copy;
  if (!copy) return am_no_memory(err);
  for (int line = 1; next && !st; line++) {
    char *at = next, *from, *until;
    if ((next = strchr(at, '\n'))) *next++ = 0;
    at[strcspn(at, "\r")] = 0;
    if (!*at || *at == '\\') continue;
    const double start = strtod(at, &from), end = strtod(from, &until);
    if (from == at || *from != '\t' || until == from || *until != '\t' || !(start >= 0 && end < 1e9))
      st = am_fail(err, AM_E_FORMAT, "%s:%d: wanted start, end and label, with tabs between them", source, line);
    else st = am_rttm_add(to, &room, "", until + 1, start, end, line, err);
  }
  am_free(to->ctx, copy);
  return st;
}

/* ---- which ---- */

static bool is_audacity(const char *text) {
  char *end;
  (void)strtod(text, &end);
  if (end == text || *end != '\t') return false;
  const char *second = end;
  (void)strtod(second, &end);
  return end != second && (*end == '\t' || *end == '\r' || *end == '\n' || !*end);
}

static bool is_csv(const char *text) {
  const size_t n = strcspn(text, "\r\n");
  char head[200] = "";
  memcpy(head, text, n < sizeof head - 1 ? n : sizeof head - 1);
  return strstr(head, "start") && strstr(head, "end") && strstr(head, "label");
}

static am_status read_text(am_rttm *to, const char *text, size_t bytes, const char *source, am_error *err) {
  if (bytes >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) text += 3, bytes -= 3;
  const char *first = text + strspn(text, " \t\r\n");
  if (*first == '<') return am_reference_elan(to, text, bytes, source, err);
  if (!strncmp(first, "File type", 9) || !strncmp(first, "\"ooTextFile\"", 12))
    return read_textgrid(to, text, source, err);
  if (is_audacity(first)) return read_audacity(to, text, source, err);
  return read_csv(to, text, bytes, source, err);
}

am_status am_reference_parse(am_context *ctx, const char *text, size_t bytes, const char *source, am_rttm *out,
                             am_error *err) {
  am_buffer utf8 = {0};
  bool wide;
  *out = (am_rttm){.ctx = ctx};
  am_status st = from_utf16(ctx, text, bytes, source, &utf8, &wide, err);
  char *own = st ? NULL : am_alloc(ctx, am_add(wide ? utf8.used : bytes, 1), 1);
  if (!st && !own) st = am_no_memory(err);
  if (own && (wide ? utf8.used : bytes)) memcpy(own, wide ? utf8.data : text, wide ? utf8.used : bytes);
  const size_t n = wide ? utf8.used : bytes;
  const char first = own ? own[strspn(own, " \t\r\n")] : 0;
  const bool other = first && (is_csv(own) || is_audacity(own) || strchr("<\"F\xEF", first));
  if (!st && memchr(own, 0, n)) st = am_fail(err, AM_E_FORMAT, "%s: holds a zero byte; wanted a text", source);
  if (!st && !other) st = am_rttm_parse(ctx, own, n, source, out, err);
  else if (!st) st = read_text(out, own, n, source, err);
  if (!st && other && !out->n) st = am_fail(err, AM_E_FORMAT, "%s: labels nothing", source);
  if (!st && other) am_rttm_sort(out);
  if (st) am_rttm_free(out);
  am_free(ctx, own);
  am_buffer_free(ctx, &utf8);
  return st;
}

am_status am_reference_read(am_context *ctx, const char *path, am_rttm *out, am_error *err) {
  char *text;
  size_t bytes;
  *out = (am_rttm){.ctx = ctx};
  am_status st = am_file_read(ctx, path, LARGEST, &text, &bytes, err);
  if (st) return st;
  st = am_reference_parse(ctx, text, bytes, path, out, err);
  am_free(ctx, text);
  return st;
}
