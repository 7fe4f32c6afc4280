/* SPDX-License-Identifier: MIT */
/* subtitle/ttml.c - Timed Text Markup Language (W3C: TTML1, TTML2, IMSC; EBU-TT-D): a cue is a <p>.
 *
 * Times are those of the media, by clock or as offsets in hours to ticks, within those of the elements around; elements of
 * timeContainer="seq" follow each other.  A <p> without times has those of the spans in it.  Regions, styles and all else stay as
 * they are.  What is said of a cue goes before the first character that is seen, within its spans. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "subtitle/convert.h"
#include "subtitle/ttml.h"
#include "subtitle/xml.h"

/* ---- times ---- */

bool am_ttml_time(const am_ttml_clock *clock, const char *text, double *out) {
  double part[4] = {0}, scale = 1;
  int n = 0;
  bool fraction = false;
  const char *at = text;
  for (*out = NAN; n < 4; n++) {
    const char *from = at;
    for (; *at >= '0' && *at <= '9' && at - from < 12; at++) part[n] = part[n] * 10 + (*at - '0');
    if (at == from) return false;
    if (*at != ':') break;
    at++;
  }
  if (*at == '.' && (n == 2 || n == 0)) {
    for (at++; *at >= '0' && *at <= '9'; at++) part[n] += (*at - '0') * (scale /= 10), fraction = true;
    if (!fraction) return false;
  }
  if (n == 3 && *at == '.') /* subframes */
    for (at++; *at >= '0' && *at <= '9'; at++) {}
  if (n == 2 || n == 3) {
    if (*at || part[1] >= 60 || part[2] >= 61 || (n == 3 && part[3] >= ceil(clock->frames))) return false;
    *out = 3600 * part[0] + 60 * part[1] + part[2] + (n == 3 ? part[3] / clock->rate : 0);
    return *out < 1e8;
  }
  static const char *const names[] = {"h", "m", "s", "ms", "f", "t"};
  const double seconds[] = {3600, 60, 1, 1e-3, 1 / clock->rate, 1 / clock->ticks};
  for (size_t i = 0; i < sizeof names / sizeof *names && n == 0; i++)
    if (!strcmp(at, names[i])) *out = part[0] * seconds[i];
  return *out < 1e8;
}

/* ---- elements ---- */

/* An element that is open, with its times in those of the document. */
typedef struct element {
  double begin, end, next; /* next: where a child of a sequence begins */
  bool sequence, timed;
} element;

typedef struct reader {
  am_cues *to;
  size_t room;
  am_ttml_clock clock;
  element open[AM_XML_DEPTH + 2];
  size_t p;            /* depth of the <p> that is open; 0: none */
  double first, last;  /* of the spans in it that have times */
  bool empty;          /* it has no text, as <p/> */
  char **ids, **names; /* (n_agents) of who speaks */
  size_t n_agents, id_room, name_room;
  bool naming;
} reader;

static bool number(const char *text, double *out) {
  return text && am_text_to_real(text, out) && *out > 0 && *out < 1e9;
}

static void take_clock(am_xml *x, const char **a) {
  reader *r = x->user;
  double frames = 30, up = 1, down = 1, sub = 1, ticks = 0;
  const char *rate = am_xml_attribute(a, "frameRate"), *multiplier = am_xml_attribute(a, "frameRateMultiplier");
  const char *base = am_xml_attribute(a, "timeBase");
  char first[16] = "", second[16] = "";
  if (base && strcmp(base, "media") && strcmp(base, "smpte"))
    am_xml_fail(x, AM_E_FORMAT, "ttp:timeBase is '%.20s'; wanted media or smpte", base);
  if (rate && !number(rate, &frames)) am_xml_fail(x, AM_E_FORMAT, "ttp:frameRate is '%.20s'", rate);
  if (multiplier && (sscanf(multiplier, "%15[0-9]%*[ :]%15[0-9]", first, second) != 2 || !number(first, &up) ||
                     !number(second, &down)))
    am_xml_fail(x, AM_E_FORMAT, "ttp:frameRateMultiplier is '%.20s'; wanted two numbers", multiplier);
  (void)number(am_xml_attribute(a, "subFrameRate"), &sub);
  r->clock = (am_ttml_clock){.frames = frames, .rate = frames * up / down};
  if (am_xml_attribute(a, "tickRate") && !number(am_xml_attribute(a, "tickRate"), &ticks))
    am_xml_fail(x, AM_E_FORMAT, "ttp:tickRate is '%.20s'", am_xml_attribute(a, "tickRate"));
  r->clock.ticks = ticks > 0 ? ticks : rate ? r->clock.rate * sub : 1;
}

static bool take_time(am_xml *x, const char **a, const char *name, double *out) {
  const reader *r = x->user;
  const char *text = am_xml_attribute(a, name);
  if (text && !am_ttml_time(&r->clock, text, out))
    am_xml_fail(x, AM_E_FORMAT, "%s is '%.40s'; wanted such as 00:01:02.345, 00:01:02:12, 62.3s or 620t", name, text);
  return text != NULL;
}

/* The times of an element, by those of the one around it. */
static element times_of(am_xml *x, const char **a) {
  reader *r = x->user;
  element *around = &r->open[x->depth - 1];
  double begin = 0, end = 0, length = 0;
  const bool has_begin = take_time(x, a, "begin", &begin), has_end = take_time(x, a, "end", &end);
  const bool has_length = take_time(x, a, "dur", &length);
  const char *container = am_xml_attribute(a, "timeContainer");
  const double from = around->sequence ? around->next : around->begin;
  element e = {.begin = from + begin, .end = around->end, .timed = has_begin || has_end || has_length};
  if (has_end) e.end = fmin(e.end, from + end);
  if (has_length) e.end = fmin(e.end, e.begin + length);
  e.sequence = container && !strcmp(container, "seq");
  e.next = e.begin;
  return e;
}

static const char *agent_of(const reader *r, const char *id) {
  for (size_t i = 0; id && i < r->n_agents; i++)
    if (!strcmp(r->ids[i], id)) return r->names[i] && r->names[i][0] ? r->names[i] : r->ids[i];
  return id;
}

static void add_agent(am_xml *x, const char *id) {
  reader *r = x->user;
  am_context *ctx = x->ctx;
  if (!id || r->n_agents == 1000) return;
  if (am_grow(ctx, &r->ids, &r->id_room, r->n_agents + 1, sizeof *r->ids, x->err) ||
      am_grow(ctx, &r->names, &r->name_room, r->n_agents + 1, sizeof *r->names, x->err)) {
    am_xml_no_memory(x);
    return;
  }
  r->ids[r->n_agents] = am_strdup(ctx, id);
  r->names[r->n_agents] = am_strdup(ctx, "");
  r->n_agents++;
  if (!r->ids[r->n_agents - 1] || !r->names[r->n_agents - 1]) am_xml_no_memory(x);
}

/* "<tt:br/>" as the first <p> has its prefix. */
static am_status name_break(am_cues *c, am_slice tag, am_error *err) {
  const size_t n = strcspn(tag.at + 1, ": \t\r\n/>");
  const bool prefix = tag.at[1 + n] == ':';
  c->line_break = am_format(c->ctx, "<%.*sbr/>", (int)(prefix ? n + 1 : 0), tag.at + 1);
  return c->line_break ? AM_OK : am_no_memory(err);
}

static void open_p(am_xml *x, const char **a) {
  reader *r = x->user;
  am_cues *c = r->to;
  const element *e = &r->open[x->depth];
  const size_t body = x->at + x->n;
  const char *agent = agent_of(r, am_xml_attribute(a, "agent"));
  if (c->data[x->at] != '<' || body > c->bytes) {
    am_xml_fail(x, AM_E_FORMAT, "is in an encoding that is not read; wanted UTF-8 or ISO-8859-1");
    return;
  }
  am_cue cue = {.head = x->at, .time = x->at, .body = body, .end = body, .start = e->begin, .line = x->line};
  cue.stop = e->end;
  am_status st = c->line_break ? AM_OK : name_break(c, am_slice_from(c->data + x->at, x->n), x->err);
  if (!st) st = am_cues_add(c, &cue, &r->room, x->source, x->err);
  if (!st && agent) st = am_cue_name(c, &c->at[c->n - 1], am_slice_from(agent, strlen(agent)), x->err);
  x->status = st;
  r->p = x->depth;
  r->first = INFINITY;
  r->last = 0;
  r->empty = c->data[body - 2] == '/';
}

static void open_element(am_xml *x, const char *name, const char **a) {
  reader *r = x->user;
  if (x->depth == 1) {
    r->open[0] = (element){.end = INFINITY};
    if (strcmp(name, "tt")) am_xml_fail(x, AM_E_FORMAT, "the document is of <%.40s>; wanted <tt>, as TTML has", name);
    else take_clock(x, a);
    r->open[1] = r->open[0];
    return;
  }
  r->open[x->depth] = times_of(x, a);
  const element *e = &r->open[x->depth];
  if (!strcmp(name, "agent")) add_agent(x, am_xml_attribute(a, "id"));
  r->naming = !strcmp(name, "name") && r->n_agents;
  if (!strcmp(name, "p") && !r->p) open_p(x, a);
  else if (r->p && e->timed) {
    r->first = fmin(r->first, e->begin);
    r->last = fmax(r->last, e->end);
  }
}

static void close_element(am_xml *x, const char *name) {
  reader *r = x->user;
  am_cues *c = r->to;
  (void)name;
  r->naming = false;
  element *e = &r->open[x->depth];
  if (r->p == x->depth && c->n) {
    am_cue *cue = &c->at[c->n - 1];
    if (!r->empty) cue->end = x->at;
    if (!e->timed && isfinite(r->first)) cue->start = r->first, cue->stop = fmin(cue->stop, r->last);
    r->p = 0;
  }
  if (x->depth > 1 && r->open[x->depth - 1].sequence)
    r->open[x->depth - 1].next = isfinite(e->end) ? e->end : fmax(e->next, r->open[x->depth - 1].next);
}

static void take_name(am_xml *x, const char *text, size_t n) {
  reader *r = x->user;
  if (!r->naming || n > 200) return;
  char **name = &r->names[r->n_agents - 1], *all = am_format(x->ctx, "%s%.*s", *name, (int)n, text);
  if (!all) am_xml_no_memory(x);
  if (!all || strlen(all) > 1000) {
    am_free(x->ctx, all);
    return;
  }
  am_free(x->ctx, *name);
  *name = all;
}

/* One that has no end is there until another begins. */
static void end_all(am_cues *c) {
  for (size_t i = 0; i < c->n; i++)
    if (!isfinite(c->at[i].stop)) {
      const double next = i + 1 < c->n ? c->at[i + 1].start : INFINITY;
      c->at[i].stop = fmin(c->at[i].start + 10, fmax(next, c->at[i].start));
    }
}

static am_status read(am_cues *c, const char *source, am_error *err) {
  reader *r = am_alloc(c->ctx, 1, sizeof *r);
  if (!r) return am_no_memory(err);
  r->to = c;
  am_xml x = {.ctx = c->ctx, .source = source, .open = open_element, .close = close_element, .text = take_name};
  x.user = r;
  am_status st = am_xml_parse(&x, c->data, c->bytes, err);
  for (size_t i = 0; i < r->n_agents; i++) {
    am_free(c->ctx, r->ids[i]);
    am_free(c->ctx, r->names[i]);
  }
  am_free(c->ctx, r->ids);
  am_free(c->ctx, r->names);
  am_free(c->ctx, r);
  c->latin1 = x.latin1;
  if (!st) end_all(c);
  return st;
}

/* ---- texts ---- */

static bool space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

typedef struct tag {
  am_slice name; /* without its prefix */
  size_t bytes;  /* 0: there is none */
  bool ends, alone;
} tag;

/* What ends a tag, which may have '>' in an attribute; NULL: it is none. */
static const char *tag_end(am_slice t) {
  char quote = 0;
  if (t.n < 3 || *t.at != '<') return NULL;
  if (t.at[1] == '?') {
    for (size_t i = 2; i + 1 < t.n; i++)
      if (t.at[i] == '?' && t.at[i + 1] == '>') return t.at + i + 1;
    return NULL;
  }
  for (size_t i = 1; i < t.n; i++) {
    if (quote ? t.at[i] == quote : t.at[i] == '"' || t.at[i] == '\'') quote = quote ? 0 : t.at[i];
    else if (!quote && t.at[i] == '>') return t.at + i;
  }
  return NULL;
}

static tag tag_at(am_slice t) {
  const char *end = tag_end(t);
  if (!end) return (tag){0};
  tag x = {.bytes = (size_t)(end - t.at) + 1};
  x.ends = t.at[1] == '/';
  x.alone = t.at[x.bytes - 2] == '/' && !x.ends;
  const char *from = t.at + 1 + x.ends, *at = from;
  for (; at < end && !space(*at) && *at != '/'; at++)
    if (*at == ':') from = at + 1;
  x.name = am_slice_from(from, (size_t)(at - from));
  return x;
}

static bool is(const tag *x, const char *name) {
  return x->bytes && x->name.n == strlen(name) && !memcmp(x->name.at, name, x->name.n);
}

static size_t break_at(am_slice t) {
  const tag x = tag_at(t);
  if (!is(&x, "br") || x.ends) return 0;
  const tag end = tag_at(am_slice_from(t.at + x.bytes, t.n - x.bytes));
  return x.bytes + (!x.alone && is(&end, "br") && end.ends ? end.bytes : 0);
}

/* Bytes of what is no text: a tag, a comment, an element of metadata with all in it. */
static size_t markup_at(am_slice t) {
  size_t n;
  const char *end = NULL;
  if (am_slice_begins(t, "<!--")) {
    for (n = 4; n + 2 < t.n && memcmp(t.at + n, "-->", 3) != 0;) n++;
    return n + 3 < t.n ? n + 3 : t.n;
  }
  if (am_slice_begins(t, "<![CDATA[")) return 0;
  const tag x = tag_at(t);
  n = x.bytes;
  if (!is(&x, "metadata") || x.alone || x.ends) return n;
  for (size_t i = n; i + 10 < t.n && !end; i++)
    if (!memcmp(t.at + i, "metadata>", 9)) end = t.at + i;
  return end ? (size_t)(end - t.at) + 9 : t.n;
}

static size_t lead(am_slice t) {
  size_t at = 0, n;
  while (at < t.n) {
    const am_slice rest = am_slice_from(t.at + at, t.n - at);
    if (break_at(rest)) return at;
    n = space(*rest.at) ? 1 : markup_at(rest);
    if (!n) break;
    at += n;
  }
  return at;
}

static void put_character(const am_cues *c, unsigned code, am_buffer *out) {
  const size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned heads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  char utf8[4];
  for (size_t i = n; i-- > 1; code >>= 6) utf8[i] = (char)(0x80 | (code & 0x3F));
  utf8[0] = (char)(heads[n] | code);
  am_buffer_append(c->ctx, out, utf8, n);
}

/* "&#233;" or "&#xe9;"; how many bytes it takes. */
static size_t plain_reference(const am_cues *c, am_slice t, am_buffer *out) {
  static const char digits[] = "0123456789abcdef";
  const bool hex = am_slice_begins(t, "&#x");
  unsigned code = 0;
  size_t n = hex ? 3 : 2;
  for (; n < t.n && n < 12 && t.at[n] != ';'; n++) {
    const char *digit = strchr(digits, t.at[n] >= 'A' && t.at[n] <= 'F' ? t.at[n] + 32 : t.at[n]);
    code = code * (hex ? 16 : 10) + (digit ? (unsigned)(digit - digits) : 0);
  }
  if (code && code < 0x110000) put_character(c, code, out);
  return n + (n < t.n);
}

/* A reference to a character, or the character itself; how many bytes it takes. */
static size_t plain_character(const am_cues *c, am_slice t, am_buffer *out) {
  static const char *const names[][2] = {
      {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
  for (size_t i = 0; i < 5; i++)
    if (am_slice_begins(t, names[i][0])) {
      am_buffer_append(c->ctx, out, names[i][1], 1);
      return strlen(names[i][0]);
    }
  if (am_slice_begins(t, "&#")) return plain_reference(c, t, out);
  am_cues_put_utf8(c, am_slice_from(t.at, 1), out);
  return 1;
}

/* <i>, <b> and <u> of a span that says so itself; its end closes them.  Styles that it names are not followed. */
static void plain_span(const am_cues *c, am_slice t, char *open, size_t *n, am_buffer *out) {
  static const struct {
    const char *value;
    char name;
  } looks[] = {{"italic", 'i'}, {"oblique", 'i'}, {"bold", 'b'}, {"underline", 'u'}};
  const tag x = tag_at(t);
  if (!is(&x, "span") || x.alone) return;
  if (x.ends && *n) {
    const char look = open[--*n];
    if (look) am_buffer_printf(c->ctx, out, "</%c>", look);
  }
  if (x.ends || *n == AM_XML_DEPTH) return;
  open[*n] = 0;
  for (size_t i = 0; i < sizeof looks / sizeof *looks && !open[*n]; i++) {
    const size_t m = strlen(looks[i].value);
    for (size_t k = 0; k + m + 2 <= t.n && !open[*n]; k++)
      if ((t.at[k] == '"' || t.at[k] == '\'') && !memcmp(t.at + k + 1, looks[i].value, m) && t.at[k + 1 + m] == t.at[k])
        open[*n] = looks[i].name;
  }
  if (open[*n]) am_buffer_printf(c->ctx, out, "<%c>", open[*n]);
  ++*n;
}

static void plain(const am_cues *c, am_slice t, am_buffer *out) {
  char open[AM_XML_DEPTH];
  size_t n_open = 0, n;
  bool after_space = true, raw = false;
  for (; t.n; t = am_slice_from(t.at + n, t.n - n)) {
    if (!raw && am_slice_begins(t, "<![CDATA[")) {
      raw = true;
      n = 9;
    } else if (raw && am_slice_begins(t, "]]>")) {
      raw = false;
      n = 3;
    } else if (!raw && (n = break_at(t))) {
      am_buffer_append(c->ctx, out, "\n", 1);
      after_space = true;
    } else if (!raw && (n = markup_at(t))) {
      plain_span(c, am_slice_from(t.at, n), open, &n_open, out);
    } else if (space(*t.at)) {
      if (!after_space) am_buffer_append(c->ctx, out, " ", 1);
      after_space = true;
      n = 1;
    } else {
      after_space = false;
      n = plain_character(c, raw ? am_slice_from(t.at, 1) : t, out);
    }
  }
  while (out->used && !out->failed && out->data[out->used - 1] == ' ') out->used--;
}

const am_cue_syntax am_ttml = {
    .name = "ttml", .title = "TTML", .read = read, .break_at = break_at, .lead = lead, .plain = plain};
