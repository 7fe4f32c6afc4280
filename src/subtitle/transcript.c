/* SPDX-License-Identifier: MIT */
/* subtitle/transcript.c - see transcript.h. */
#include "subtitle/transcript.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "io/json.h"
#include "subtitle/convert.h"

enum { LINE = 42, LONGEST = 2 * LINE };
static const double pause = 1; /* s; between words it ends a cue */

/* A word, or a piece of one, and where it is in the text of its segment. */
typedef struct word {
  double start, end; /* NaN: not told */
  const char *speaker;
  size_t at, n;
} word;

typedef struct maker {
  am_context *ctx;
  const char *source;
  am_cue_writer to;
  am_buffer text, line;
  word *words; /* (n) of the segment at hand */
  size_t n, room, segments;
} maker;

/* ---- what is in the file ---- */

static const char *text_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  return v && v->kind == AM_SCALAR ? v->text : NULL;
}

/* s; of whisper.cpp in offsets, as thousandths. */
static double time_of(const am_value *map, const char *key, const char *offset) {
  const am_value *offsets = am_value_get(map, "offsets"),
                 *v = am_value_get(offsets ? offsets : map, offsets ? offset : key);
  double x;
  if (!v || !am_value_to_real(v, &x) || !(x >= 0) || !(x < 1e8)) return NAN;
  return offsets ? x / 1000 : x;
}

static const am_value *list_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  return v && v->kind == AM_LIST ? v : NULL;
}

/* The words of a segment, by the names that recognisers have for them. */
static const am_value *words_of(const am_value *segment) {
  static const char *const keys[] = {"words", "result", "tokens"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    const am_value *v = list_of(segment, keys[i]);
    if (v && v->first && v->first->kind == AM_MAP) return v;
  }
  return NULL;
}

static const char *word_text(const am_value *w) {
  const char *text = text_of(w, "word");
  return text ? text : text_of(w, "text");
}

/* ---- cues ---- */

static size_t characters(const char *text, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += (text[i] & 0xC0) != 0x80;
  return count;
}

static bool space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Of a text of up to two lines the space nearest to its middle becomes a line ending; of a longer one the last of each line. */
static void wrap(am_buffer *b) {
  const size_t all = characters(b->data, b->used);
  size_t best = 0, line = 0, last = 0;
  if (all <= LINE) return;
  for (size_t i = 0; i < b->used; i++) {
    if (b->data[i] != ' ') continue;
    const size_t left = characters(b->data, i), right = all - left - 1;
    const size_t longer = left > right ? left : right, before = characters(b->data, best);
    if (longer <= LINE && (!best || longer < (before > all - before - 1 ? before : all - before - 1))) best = i;
  }
  if (best) b->data[best] = '\n';
  for (size_t i = 0; i < b->used && !best; i++)
    if (b->data[i] == ' ' || i + 1 == b->used) {
      if (last > line && characters(b->data + line, i - line) > LINE) {
        b->data[last] = '\n';
        line = last + 1;
      }
      last = i;
    }
}

static void put(maker *m, double start, double end, const char *speaker, const char *text, size_t n) {
  m->line.used = 0;
  for (size_t i = 0; i < n; i++) {
    const bool blank = space(text[i]), after = !m->line.used || m->line.data[m->line.used - 1] == ' ';
    if (!blank || !after) am_buffer_append(m->ctx, &m->line, blank ? " " : text + i, 1);
  }
  if (m->line.failed) {
    m->to.out->failed = true;
    return;
  }
  while (m->line.used && m->line.data[m->line.used - 1] == ' ') m->line.used--;
  if (!m->line.used) return;
  wrap(&m->line);
  am_cue_writer_put(&m->to, start, end, speaker, am_slice_from(m->line.data, m->line.used));
}

/* Whether a cue ends before word i, which begins with a space or follows one. */
static bool ends_before(const maker *m, size_t first, size_t i, double last_end, const char *who) {
  const word *w = &m->words[i], *before = w - 1, *begin = &m->words[first];
  const char *text = m->text.data;
  const size_t end_before = before->at + before->n;
  const bool apart = space(text[w->at]) || (w->at && space(text[w->at - 1])) || (text[w->at] & 0x80);
  if (!apart) return false;
  if (w->speaker && who && strcmp(w->speaker, who)) return true;
  if (w->start - last_end > pause) return true;
  const size_t so_far = characters(text + begin->at, end_before - begin->at);
  const bool sentence = end_before && strchr(".?!", text[end_before - 1]);
  return (sentence && so_far > LINE) || characters(text + begin->at, w->at + w->n - begin->at) > LONGEST;
}

static void put_words(maker *m, double start, double end, const char *speaker) {
  size_t first = 0;
  double from = NAN, to = NAN;
  const char *who = NULL;
  for (size_t i = 0; i <= m->n; i++) {
    if (i && (i == m->n || ends_before(m, first, i, to, who))) {
      const size_t at = first ? m->words[first].at : 0, stop = i < m->n ? m->words[i].at : m->text.used;
      put(m, isnan(from) ? start : from, isnan(to) ? end : to, who ? who : speaker, m->text.data + at, stop - at);
      start = isnan(to) ? start : to;
      first = i;
      from = to = NAN;
      who = NULL;
    }
    if (i == m->n) break;
    if (!who) who = m->words[i].speaker;
    if (isnan(from)) from = m->words[i].start;
    if (!isnan(m->words[i].end)) to = m->words[i].end;
  }
}

/* ---- segments ---- */

/* Finds the words in the text; false: they are none of it. */
static am_status take_words(maker *m, const am_value *list, bool *found, am_error *err) {
  size_t at = 0;
  m->n = 0;
  *found = list != NULL;
  for (const am_value *v = list ? list->first : NULL; v && *found; v = v->next) {
    const char *text = word_text(v);
    while (text && space(*text)) text++;
    if (!text || !*text || !strncmp(text, "[_", 2)) continue; /* marks of whisper.cpp */
    const char *in = strstr(m->text.data + at, text);
    *found = in != NULL;
    if (!in) continue;
    am_status st = am_grow(m->ctx, &m->words, &m->room, m->n + 1, sizeof *m->words, err);
    if (st) return st;
    m->words[m->n++] = (word){time_of(v, "start", "from"), time_of(v, "end", "to"), text_of(v, "speaker"),
                              (size_t)(in - m->text.data), strlen(text)};
    at = (size_t)(in - m->text.data) + strlen(text);
  }
  *found = *found && m->n;
  return AM_OK;
}

/* The text of a segment; where it has none, its words. */
static void take_text(maker *m, const am_value *segment, const am_value *words) {
  const char *text = text_of(segment, "text");
  m->text.used = 0;
  am_buffer_append(m->ctx, &m->text, text ? text : "", text ? strlen(text) : 0);
  for (const am_value *v = words && !text ? words->first : NULL; v; v = v->next) {
    const char *w = word_text(v);
    if (w) am_buffer_printf(m->ctx, &m->text, "%s%s", m->text.used && !space(*w) ? " " : "", w);
  }
}

static am_status take_segment(maker *m, const am_value *segment, am_error *err) {
  const am_value *words = words_of(segment), *other = list_of(segment, "alternatives");
  m->segments++;
  if (segment->kind != AM_MAP) return am_fail(err, AM_E_FORMAT, "%s: segment %zu is no object", m->source, m->segments);
  if (other && other->first && other->first->kind == AM_MAP) { /* Vosk; the first is the best */
    segment = other->first;
    words = words_of(segment);
  }
  double start = time_of(segment, "start", "from"), end = time_of(segment, "end", "to");
  bool found;
  take_text(m, segment, words);
  if (m->text.failed) return am_no_memory(err);
  am_status st = take_words(m, words, &found, err);
  if (st) return st;
  for (size_t i = 0; i < m->n && found; i++) {
    if (isnan(start)) start = m->words[i].start;
    if (!isnan(m->words[m->n - 1 - i].end) && isnan(end)) end = m->words[m->n - 1 - i].end;
  }
  const char *text = m->text.data;
  if (!text[strspn(text, " \t\r\n")]) return AM_OK; /* nothing was said */
  if (isnan(start) || isnan(end))
    return am_fail(err, AM_E_FORMAT, "%s: segment %zu has no %s in seconds", m->source, m->segments,
                   isnan(start) ? "start" : "end");
  if (found) put_words(m, start, end, text_of(segment, "speaker"));
  else put(m, start, end, text_of(segment, "speaker"), text, m->text.used);
  return AM_OK;
}

static am_status take_document(maker *m, const am_value *root, am_error *err) {
  const am_value *list = root->kind == AM_LIST ? root : list_of(root, "segments");
  if (!list) list = list_of(root, "transcription");
  if (list) {
    am_status st = AM_OK;
    for (const am_value *v = list->first; v && !st; v = v->next) st = take_segment(m, v, err);
    return st;
  }
  if (words_of(root) || list_of(root, "alternatives")) return take_segment(m, root, err);
  return am_fail(err, AM_E_FORMAT,
                 "%s: has no segments, transcription, words or result; wanted the JSON of whisper, whisper.cpp, "
                 "faster-whisper, WhisperX or Vosk",
                 m->source);
}

am_status am_transcript_parse(am_context *ctx, const char *text, size_t bytes, const char *source, am_cues *out,
                              am_error *err) {
  am_tree *tree = NULL;
  am_value *root = NULL;
  am_buffer vtt = {0};
  maker m = {.ctx = ctx, .source = source};
  *out = (am_cues){.ctx = ctx};
  am_status st = am_tree_create(ctx, &tree, err);
  am_error why = AM_ERROR_INIT;
  if (!st && (st = am_json_read_text(tree, text, bytes, source, &root, &why)))
    st = am_fail(err, st == AM_E_NOMEM ? st : AM_E_FORMAT, "%s", why.message);
  if (!st) st = am_cue_writer_begin(&m.to, ctx, &am_vtt, NULL, &vtt, err);
  if (!st) st = take_document(&m, root, err);
  if (!st && vtt.failed) st = am_no_memory(err);
  if (!st) st = am_cues_parse(ctx, vtt.data, vtt.used, source, &am_vtt, out, err);
  am_tree_free(tree);
  am_free(ctx, m.words);
  am_buffer_free(ctx, &m.text);
  am_buffer_free(ctx, &m.line);
  am_buffer_free(ctx, &vtt);
  return st;
}

am_status am_transcript_read(am_context *ctx, const char *path, am_cues *out, am_error *err) {
  char *text;
  size_t bytes;
  *out = (am_cues){.ctx = ctx};
  am_status st = am_file_read(ctx, path, AM_JSON_BYTES, &text, &bytes, err);
  if (st) return st;
  st = am_transcript_parse(ctx, text, bytes, path, out, err);
  am_free(ctx, text);
  return st;
}
