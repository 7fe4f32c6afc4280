/* SPDX-License-Identifier: MIT */
/* subtitle/ass.c - Advanced SubStation Alpha, v4+ and v4: a cue is a Dialogue line of [Events], whose fields a Format line names.
 *
 * A text goes to the end of its line; "\N" breaks it, and blocks in braces are overrides, which are kept.  What is said of a cue
 * goes behind those that it begins with, so that it has their position and look. */
#include <string.h>

#include "subtitle/convert.h"

enum { MOST_FIELDS = 30 };
typedef enum field { FIELD_START, FIELD_END, FIELD_NAME, FIELD_TEXT, FIELDS } field;

typedef struct reader {
  am_cues *to;
  const char *source;
  size_t room;
  int line;
  bool events, formatted;
  int n, at[FIELDS]; /* fields of a line, and where these are among them; -1: nowhere */
} reader;

static am_slice trimmed(am_slice t) {
  while (t.n && (*t.at == ' ' || *t.at == '\t')) t.at++, t.n--;
  while (t.n && (t.at[t.n - 1] == ' ' || t.at[t.n - 1] == '\t')) t.n--;
  return t;
}

static bool is(am_slice t, const char *name) { return t.n == strlen(name) && !strncasecmp(t.at, name, t.n); }

/* What comes before the next comma. */
static am_slice take_field(am_slice *rest) {
  const char *comma = memchr(rest->at, ',', rest->n);
  const size_t n = comma ? (size_t)(comma - rest->at) : rest->n;
  const am_slice one = am_slice_from(rest->at, n);
  *rest = am_slice_from(rest->at + n + (comma != NULL), rest->n - n - (comma != NULL));
  return one;
}

static am_status take_format(reader *r, am_slice rest, am_error *err) {
  static const char *const names[FIELDS] = {"Start", "End", "Name", "Text"};
  int n = 0;
  for (int f = 0; f < FIELDS; f++) r->at[f] = -1;
  for (bool more = true; more && n <= MOST_FIELDS; n++) {
    more = memchr(rest.at, ',', rest.n) != NULL;
    const am_slice name = trimmed(take_field(&rest));
    for (int f = 0; f < FIELDS; f++)
      if (is(name, names[f]) || (f == FIELD_NAME && is(name, "Actor"))) r->at[f] = n;
  }
  r->n = n;
  r->formatted = true;
  if (n <= MOST_FIELDS && r->at[FIELD_START] >= 0 && r->at[FIELD_END] >= 0 && r->at[FIELD_TEXT] == n - 1) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s:%d: a Format line of [Events] without Start, End and, as the last, Text",
                 r->source, r->line);
}

static am_status take_dialogue(reader *r, am_slice line, am_slice rest, am_error *err) {
  am_slice of[FIELDS] = {{0}}, name;
  am_cues *c = r->to;
  int n = 0;
  for (; n < r->n - 1; n++) {
    if (!memchr(rest.at, ',', rest.n))
      return am_fail(err, AM_E_FORMAT, "%s:%d: a Dialogue line of %d fields; wanted %d", r->source, r->line, n + 1,
                     r->n);
    const am_slice one = trimmed(take_field(&rest));
    for (int f = 0; f < FIELDS; f++)
      if (r->at[f] == n) of[f] = one;
  }
  const size_t at = (size_t)(line.at - c->data), body = (size_t)(rest.at - c->data);
  am_cue cue = {.head = at, .time = at, .body = body, .end = body + rest.n, .line = r->line};
  am_slice start = of[FIELD_START], end = of[FIELD_END];
  if (!am_cue_time(&start, &cue.start) || start.n || !am_cue_time(&end, &cue.stop) || end.n)
    return am_fail(err, AM_E_FORMAT, "%s:%d: the times are '%.*s' and '%.*s'; wanted such as 0:01:02.34", r->source,
                   r->line, (int)(of[FIELD_START].n < 40 ? of[FIELD_START].n : 40), of[FIELD_START].at,
                   (int)(of[FIELD_END].n < 40 ? of[FIELD_END].n : 40), of[FIELD_END].at);
  am_buffer utf8 = {0};
  am_cues_put_utf8(c, of[FIELD_NAME], &utf8);
  name = am_slice_from(utf8.data, utf8.used);
  am_status st = utf8.failed ? am_no_memory(err) : am_cues_add(c, &cue, &r->room, r->source, err);
  if (!st) st = am_cue_name(c, &c->at[c->n - 1], name, err);
  am_buffer_free(c->ctx, &utf8);
  return st;
}

static am_status take_line(reader *r, am_slice line, am_error *err) {
  const char *colon = memchr(line.at, ':', line.n);
  const am_slice all = trimmed(line);
  if (all.n > 2 && all.at[0] == '[' && all.at[all.n - 1] == ']') {
    r->events = is(all, "[Events]");
    return AM_OK;
  }
  if (!r->events || !colon) return AM_OK;
  const am_slice key = trimmed(am_slice_from(line.at, (size_t)(colon - line.at)));
  const am_slice rest = am_slice_from(colon + 1, line.n - (size_t)(colon + 1 - line.at));
  if (is(key, "Format")) return take_format(r, rest, err);
  return is(key, "Dialogue") ? take_dialogue(r, line, rest, err) : AM_OK;
}

static am_status read(am_cues *c, const char *source, am_error *err) {
  reader r = {.to = c, .source = source, .n = 10, .at = {1, 2, 4, 9}}; /* of a file without a Format line */
  am_slice rest = am_slice_from(c->data, c->bytes), line;
  am_status st = AM_OK;
  bool any = false;
  if (am_slice_begins(rest, "\xEF\xBB\xBF")) rest = am_slice_from(rest.at + 3, rest.n - 3);
  if (!(c->line_break = am_strdup(c->ctx, "\\N"))) return am_no_memory(err);
  while (!st && am_slice_line(&rest, &line)) {
    r.line++;
    st = take_line(&r, line, err);
    any |= r.events;
  }
  if (!st && !any) st = am_fail(err, AM_E_FORMAT, "%s: has no section [Events]; wanted ASS or SSA", source);
  return st;
}

/* ---- texts ---- */

static size_t break_at(am_slice t) { return t.n > 1 && t.at[0] == '\\' && t.at[1] == 'N' ? 2 : 0; }

/* Bytes of a block in braces. */
static size_t block_at(am_slice t) {
  const char *end = t.n && *t.at == '{' ? memchr(t.at, '}', t.n) : NULL;
  return end ? (size_t)(end - t.at) + 1 : 0;
}

/* Whether a block turns drawing on: its text is no speech then. */
static bool draws(am_slice block) {
  for (; block.n > 2; block.at++, block.n--)
    if (block.at[0] == '\\' && block.at[1] == 'p' && block.at[2] >= '1' && block.at[2] <= '9') return true;
  return false;
}

static size_t lead(am_slice text) {
  size_t at = 0, n;
  while ((n = block_at(am_slice_from(text.at + at, text.n - at)))) {
    if (draws(am_slice_from(text.at + at, n))) return text.n;
    at += n;
  }
  return at;
}

/* <i> of {\i1}, and </i> of {\i0}. */
static void plain_block(const am_cues *c, am_slice block, am_buffer *out) {
  for (; block.n > 3; block.at++, block.n--) {
    const bool tag = block.at[0] == '\\' && strchr("ibu", block.at[1]) && strchr("01", block.at[2]);
    if (tag && strchr("\\}", block.at[3]))
      am_buffer_printf(c->ctx, out, "<%s%c>", block.at[2] == '0' ? "/" : "", block.at[1]);
  }
}

static void plain(const am_cues *c, am_slice t, am_buffer *out) {
  if (t.n && lead(t) == t.n) return;
  while (t.n) {
    const bool slash = *t.at == '\\' && t.n > 1;
    size_t n = block_at(t);
    if (n) {
      plain_block(c, am_slice_from(t.at, n), out);
    } else if (slash && strchr("Nnh{}", t.at[1])) {
      am_buffer_append(c->ctx, out, t.at[1] == 'N' ? "\n" : strchr("{}", t.at[1]) ? t.at + 1 : " ", 1);
      n = 2;
    } else {
      n = 1;
      am_cues_put_utf8(c, am_slice_from(t.at, n), out);
    }
    t = am_slice_from(t.at + n, t.n - n);
  }
}

const am_cue_syntax am_ass = {
    .name = "ass", .title = "ASS", .read = read, .break_at = break_at, .lead = lead, .plain = plain};
