/* SPDX-License-Identifier: MIT */
/* subtitle/tag.c - see tag.h. */
#include "subtitle/tag.h"

#include <string.h>

#include "base/utf8.h"
#include "subtitle/xml.h"

const char *const am_tag_names[AM_TAG_STYLES] = {"sdh", "bbc", "tag", "class", "emoji"};

/* ---- characters ---- */

/* A character of two bytes in upper case: of Latin-1 and Latin Extended-A, which the built-in languages need. */
static unsigned upper(unsigned c) {
  if (c >= 0xE0 && c <= 0xFE && c != 0xF7) return c - 0x20;
  if (c < 0x100 || c > 0x17E || c == 0x131 || c == 0x138 || c == 0x149) return c;
  const bool odd_is_upper = (c >= 0x139 && c <= 0x148) || c >= 0x179;
  return odd_is_upper == (c % 2 == 0) ? c - 1 : c;
}

static void put_capitals(am_context *ctx, am_buffer *out, const char *text) {
  for (; *text; text++) {
    const unsigned char c = (unsigned char)*text;
    char two[2] = {(char)(c >= 'a' && c <= 'z' ? c - 0x20 : c)};
    size_t n = 1;
    if (c >= 0xC3 && c <= 0xC5 && (text[1] & 0xC0) == 0x80) {
      const unsigned u = upper((c & 0x1FU) << 6 | ((unsigned char)text[1] & 0x3FU));
      two[0] = (char)(0xC0 | u >> 6);
      two[1] = (char)(0x80 | (u & 0x3F));
      n = 2;
      text++;
    }
    am_buffer_append(ctx, out, two, n);
  }
}

/* UTF-8 to Latin-1, in place; false: it has a character that Latin-1 lacks. */
static bool to_latin1(char *text) {
  char *to = text;
  for (const char *at = text; *at; at++) {
    const unsigned char c = (unsigned char)*at;
    if (c < 0x80) *to++ = *at;
    else if ((c == 0xC2 || c == 0xC3) && at[1]) *to++ = (char)((c & 3) << 6 | ((unsigned char)*++at & 0x3F));
    else return false;
  }
  *to = 0;
  return true;
}

static bool space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Bytes of markup: <i>, {\an8} and the like. */
static size_t markup_at(const am_cues *c, am_slice t) {
  const bool braces = *t.at == '{' && (c->syntax == &am_ass || (t.n > 1 && t.at[1] == '\\'));
  const char *end = braces || (*t.at == '<' && c->syntax != &am_ass) ? memchr(t.at, braces ? '}' : '>', t.n) : NULL;
  return end ? (size_t)(end - t.at) + 1 : 0;
}

/* Characters of a line as they are seen. */
static size_t width(const am_cues *c, am_slice line) {
  const bool xml = c->syntax == &am_ttml; /* where any white space is one space, and &amp; a character */
  bool after_space = xml;
  size_t n = 0;
  while (line.n) {
    size_t step = markup_at(c, line);
    if (!step) {
      const bool blank = xml && space(*line.at);
      const char *end = xml && *line.at == '&' ? memchr(line.at, ';', line.n) : NULL;
      step = end ? (size_t)(end - line.at) + 1 : 1;
      n += blank ? !after_space : c->latin1 || (*line.at & 0xC0) != 0x80;
      after_space = blank;
    }
    line = am_slice_from(line.at + step, line.n - step);
  }
  return n;
}

/* ---- marks ---- */

bool am_tag_mark(am_context *ctx, am_tag_style style, const am_emotion_word *w, am_buffer *out) {
  const char *face = am_emotion_face(w->emotion);
  if (style == AM_TAG_SDH) {
    am_buffer_printf(ctx, out, "[%s]", w->how);
  } else if (style == AM_TAG_BBC) {
    put_capitals(ctx, out, w->how);
    am_buffer_append(ctx, out, ":", 1);
  } else if (style == AM_TAG_TAG) {
    am_buffer_printf(ctx, out, "(%s)", w->what);
  } else if (style == AM_TAG_CLASS) {
    if (!w->emotion[0] || strspn(w->emotion, "abcdefghijklmnopqrstuvwxyz-_") != strlen(w->emotion)) return false;
    am_buffer_printf(ctx, out, "<c.%s>", w->emotion);
  } else {
    if (!face) return false;
    am_buffer_append(ctx, out, face, strlen(face));
  }
  return true;
}

static const char *const style_marks[2] = {"/* audiomood */", "/* audiomood, with the line before */"};

/* A mark in UTF-8 becomes what is written; false: the encoding of the cues has no such characters. */
static bool encode(const am_cues *c, am_buffer *mark) {
  if (mark->failed) return true;
  if (c->syntax == &am_ttml && strpbrk(mark->data, "&'")) {
    am_buffer plain = *mark;
    *mark = (am_buffer){0};
    am_xml_put(c->ctx, mark, plain.data, plain.used);
    am_buffer_free(c->ctx, &plain);
    if (mark->failed) return true;
  }
  if (c->latin1 && !to_latin1(mark->data)) return false;
  mark->used = strlen(mark->data); /* Latin-1 is shorter */
  return true;
}

/* The STYLE block.  `apart`: with a blank line before it, where the file has none. */
static void put_style(am_context *ctx, am_buffer *out, const char *nl, bool apart) {
  static const char *const rules[] = {
      "::cue(.happy) { color: #ffe066 }",   "::cue(.sad) { color: #8ab4ff }",
      "::cue(.angry) { color: #ff8a80 }",   "::cue(.fearful) { color: #d7a6ff }",
      "::cue(.disgust) { color: #b5e08c }", "::cue(.surprised) { color: #ffb870 }",
  };
  am_buffer_printf(ctx, out, "%sSTYLE%s%s%s", apart ? nl : "", nl, style_marks[apart], nl);
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) am_buffer_printf(ctx, out, "%s%s", rules[i], nl);
  am_buffer_printf(ctx, out, "%s", nl);
}

/* Where our STYLE block is, with the line before it that was written with it. */
static am_status find_style(am_tagger *t, am_error *err) {
  static const char *const endings[] = {"\r\n", "\n", "\r"};
  const am_cues *c = t->cues;
  const size_t before = c->n ? c->at[0].head : c->bytes;
  for (int apart = 1; apart >= 0 && !t->styled && c->syntax == &am_vtt; apart--)
    for (size_t i = 0; i < 3 && !t->styled; i++) {
      am_buffer b = {0};
      put_style(c->ctx, &b, endings[i], apart);
      const char *found = b.failed ? NULL : strstr(c->data, b.data);
      const size_t n = b.used, at = found ? (size_t)(found - c->data) : 0;
      const bool failed = b.failed;
      am_buffer_free(c->ctx, &b);
      if (failed) return am_no_memory(err);
      if (!found || !at || at + n > before || (c->data[at - 1] != '\n' && c->data[at - 1] != '\r')) continue;
      t->styled = true;
      t->styled_at = at;
      t->styled_n = n;
    }
  return AM_OK;
}

am_status am_tagger_begin(am_tagger *t, am_cues *cues, const am_emotion_words *words, am_error *err) {
  *t = (am_tagger){.cues = cues, .words = words};
  am_context *ctx = cues->ctx;
  if (!(t->marks = am_alloc(ctx, words->n * AM_TAG_STYLES, sizeof *t->marks))) return am_no_memory(err);
  for (size_t i = 0; i < words->n; i++)
    for (am_tag_style s = 0; s < AM_TAG_STYLES; s++) {
      am_buffer b = {0};
      const bool is = s != AM_TAG_CLASS && am_tag_mark(ctx, s, &words->at[i], &b), can = is && encode(cues, &b);
      if (b.failed) {
        am_buffer_free(ctx, &b);
        return am_no_memory(err);
      }
      if (can) t->marks[t->n_marks++] = b.data;
      else am_buffer_free(ctx, &b);
    }
  return find_style(t, err);
}

void am_tagger_end(am_tagger *t) {
  for (size_t i = 0; i < t->n_marks; i++) am_free(t->cues->ctx, t->marks[i]);
  am_free(t->cues->ctx, t->marks);
  t->marks = NULL;
  t->n_marks = 0;
}

/* Bytes of a mark that a text begins with, and of the space or line ending behind it; 0: there is none. */
static size_t mark_at(const am_tagger *t, am_slice text) {
  for (size_t i = 0; i < t->n_marks; i++) {
    const char *m = t->marks[i];
    if (!text.n || *m != *text.at) continue;
    const size_t n = strlen(m);
    if (text.n <= n || memcmp(m, text.at, n) != 0) continue;
    const am_slice rest = am_slice_from(text.at + n, text.n - n);
    const size_t gap = *rest.at == ' ' ? 1 : t->cues->syntax->break_at(rest);
    if (gap) return n + gap;
  }
  return 0;
}

/* A text without the ending of its last line. */
static am_slice unended(am_slice text) {
  if (text.n && text.at[text.n - 1] == '\n') text.n--;
  if (text.n && text.at[text.n - 1] == '\r') text.n--;
  return text;
}

/* Bytes of "<c.angry>" at the start of a text that ends with "</c>". */
static size_t class_at(const am_tagger *t, am_slice text) {
  static const char end[] = "</c>";
  const size_t n_end = sizeof end - 1;
  const am_slice in = unended(text);
  for (size_t i = 0; i < t->words->n && in.n > n_end; i++) {
    const char *emotion = t->words->at[i].emotion;
    const size_t n = strlen(emotion), all = n + 4;
    if (in.n >= all + n_end && !memcmp(in.at, "<c.", 3) && !memcmp(in.at + 3, emotion, n) && in.at[3 + n] == '>' &&
        !memcmp(in.at + in.n - n_end, end, n_end))
      return all;
  }
  return 0;
}

am_tagged am_tag_inside(const am_tagger *t, const am_cue *cue) {
  const am_slice text = am_cue_text(t->cues, cue), none = am_slice_from(text.at, 0);
  const size_t class = t->styled ? class_at(t, text) : 0;
  if (class) return (am_tagged){none, am_slice_from(text.at + class, unended(text).n - class - 4), true};
  const size_t lead = t->cues->syntax->lead(text), n = mark_at(t, am_slice_from(text.at + lead, text.n - lead));
  return (am_tagged){am_slice_from(text.at, lead), am_slice_from(text.at + lead + n, text.n - lead - n), n > 0};
}

/* ---- putting ---- */

/* How a mark goes before a text: a space, a line ending, or NULL where there is no room. */
static const char *gap_for(const am_tagger *t, const am_cue *cue, am_slice text, am_slice mark) {
  am_slice rest = text, line, more;
  const am_cues *c = t->cues;
  if (!am_cue_line(c, &rest, &line) || am_slice_blank(line)) return NULL;
  size_t lines = 1;
  while (am_cue_line(c, &rest, &more)) lines++;
  if (lines <= 2 && width(c, mark) + 1 + width(c, line) <= AM_TAG_WIDTH) return " ";
  return lines == 1 && width(c, mark) <= AM_TAG_WIDTH ? am_cue_newline(c, cue) : NULL;
}

static am_status put_class(am_tagger *t, am_cue *cue, am_slice mark, am_slice text, bool only_ask, bool *fits,
                           am_error *err) {
  am_slice rest = text, line;
  const am_slice in = unended(text);
  *fits = am_slice_line(&rest, &line) && !am_slice_blank(line);
  if (!*fits || only_ask) return AM_OK;
  am_buffer b = {0};
  am_buffer_append(t->cues->ctx, &b, in.at, in.n);
  am_buffer_append(t->cues->ctx, &b, "</c>", 4);
  am_status st = b.failed ? am_no_memory(err)
                          : am_cue_change(t->cues, cue, mark, am_slice_from(b.data, b.used),
                                          am_slice_from(text.at + in.n, text.n - in.n), err);
  am_buffer_free(t->cues->ctx, &b);
  return st;
}

/* The mark in the encoding of the cues, into `out`; *is: the style has one. */
static am_status make_mark(const am_cues *c, am_tag_style style, const am_emotion_word *word, am_buffer *out, bool *is,
                           am_error *err) {
  *is = (style != AM_TAG_CLASS || c->syntax == &am_vtt) && am_tag_mark(c->ctx, style, word, out);
  if (out->failed) return am_no_memory(err);
  const bool can = !*is || encode(c, out);
  if (out->failed) return am_no_memory(err);
  if (!can)
    return am_fail(
        err, AM_E_DATA,
        "the subtitles are in Latin-1, which cannot write the tag of '%s' (style %s); convert them to UTF-8 first",
        word->how, am_tag_names[style]);
  return AM_OK;
}

am_status am_tag_check(const am_cues *cues, am_tag_style style, const am_emotion_word *word, am_error *err) {
  am_buffer b = {0};
  bool is;
  am_status st = make_mark(cues, style, word, &b, &is, err);
  am_buffer_free(cues->ctx, &b);
  return st;
}

am_status am_tag_put(am_tagger *t, am_cue *cue, am_tag_style style, const am_emotion_word *word, bool only_ask,
                     bool *fits, am_error *err) {
  am_cues *c = t->cues;
  am_buffer b = {0};
  bool is;
  const am_tagged inside = am_tag_inside(t, cue);
  const am_slice text = inside.text;
  *fits = inside.own;
  if (*fits) return AM_OK;
  am_status st = make_mark(c, style, word, &b, &is, err);
  if (!st && is) {
    const am_slice mark = am_slice_from(b.data, b.used);
    const char *gap = style == AM_TAG_CLASS ? NULL : gap_for(t, cue, text, mark);
    if (style == AM_TAG_CLASS) st = put_class(t, cue, mark, text, only_ask, fits, err);
    else if ((*fits = gap != NULL) && !only_ask) {
      am_buffer_append(c->ctx, &b, gap, strlen(gap));
      st = b.failed ? am_no_memory(err) : am_cue_change(c, cue, inside.lead, am_slice_from(b.data, b.used), text, err);
    }
  }
  am_buffer_free(c->ctx, &b);
  return st;
}

am_status am_tag_style_block(am_tagger *t, am_error *err) {
  am_cues *c = t->cues;
  if (t->styled || c->style || !c->n) return AM_OK;
  const size_t head = c->at[0].head;
  am_slice rest = am_slice_from(c->data, head), line = {0}, last = {0};
  while (am_slice_line(&rest, &line)) last = line;
  am_buffer b = {0};
  put_style(c->ctx, &b, am_cue_newline(c, &c->at[0]), !am_slice_blank(last));
  if (b.failed) {
    am_buffer_free(c->ctx, &b);
    return am_no_memory(err);
  }
  c->style = b.data;
  return AM_OK;
}

am_status am_tag_strip(am_tagger *t, size_t *n, am_error *err) {
  am_cues *c = t->cues;
  am_status st = AM_OK;
  *n = 0;
  for (size_t i = 0; i < c->n && !st; i++) {
    const am_tagged inside = am_tag_inside(t, &c->at[i]);
    const am_slice text = am_cue_text(c, &c->at[i]), in = inside.text, whole = unended(text);
    if (!inside.own) continue;
    const bool class = in.at + in.n != text.at + text.n && !memcmp(in.at + in.n, "</c>", 4);
    st = am_cue_change(c, &c->at[i], inside.lead, in,
                       class ? am_slice_from(text.at + whole.n, text.n - whole.n) : (am_slice){0}, err);
    ++*n;
  }
  if (t->styled) {
    c->cut_from = t->styled_at;
    c->cut_to = t->styled_at + t->styled_n;
  }
  return st;
}
