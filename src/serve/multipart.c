/* SPDX-License-Identifier: MIT */
/* serve/multipart.c - see multipart.h. */
#include "serve/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- texts that are not terminated ---- */

static const char *find(const char *at, size_t n, const char *what, size_t m) {
  while (n >= m) {
    const char *first = memchr(at, *what, n - m + 1);
    if (!first || !memcmp(first, what, m)) return first;
    n -= (size_t)(first + 1 - at);
    at = first + 1;
  }
  return NULL;
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* Characters of a token in a header (RFC 9110). */
static bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* A parameter's value, a token or a quoted text, into `out`; what does not fit is cut.  Returns where it ends; NULL: it has none. */
static const char *take_value(const char *at, const char *end, char *out, size_t room) {
  const bool quoted = at < end && *at == '"';
  size_t n = 0;
  if (quoted) at++;
  for (; at < end && (quoted ? *at != '"' : is_token(*at)); at++) {
    /* Browsers write %22 for a quote; a backslash before one is what others do. */
    if (quoted && *at == '\\' && at + 1 < end && (at[1] == '"' || at[1] == '\\')) at++;
    if (n + 1 < room) out[n++] = *at;
  }
  out[n] = '\0';
  if (!quoted) return at;
  return at < end ? at + 1 : NULL;
}

/* The value of `; name=value` in a header's text; false: it is not there, or broken. */
static bool parameter(const char *at, const char *end, const char *name, char *out, size_t room) {
  char key[32];
  while (at < end) {
    at = memchr(at, ';', (size_t)(end - at));
    if (!at) return false;
    for (at++; at < end && blank(*at);) at++;
    size_t n = 0;
    for (; at < end && is_token(*at); at++)
      if (n + 1 < sizeof key) key[n++] = *at;
    key[n] = '\0';
    if (at == end || *at != '=') continue;
    at++;
    char skipped[4];
    const bool wanted = !strcasecmp(key, name);
    at = take_value(at, end, wanted ? out : skipped, wanted ? room : sizeof skipped);
    if (wanted || !at) return at != NULL;
  }
  return false;
}

bool am_multipart_boundary(const char *type, char boundary[AM_BOUNDARY]) {
  static const char form[] = "multipart/form-data";
  const size_t n = strlen(type);
  char found[AM_BOUNDARY + 1];
  if (strncasecmp(type, form, sizeof form - 1) || is_token(type[sizeof form - 1])) return false;
  if (!parameter(type + sizeof form - 1, type + n, "boundary", found, sizeof found)) return false;
  const size_t length = strlen(found);
  if (length < 1 || length > AM_BOUNDARY - 1) return false; /* RFC 2046: up to 70 */
  memcpy(boundary, found, length + 1);
  return true;
}

/* ---- parts ---- */

/* A name from another system: what is before its last slash is its owner's business. */
static void keep_base(char *name) {
  const char *base = name;
  for (const char *at = name; *at; at++)
    if (*at == '/' || *at == '\\') base = at + 1;
  memmove(name, base, strlen(base) + 1);
}

static am_status read_header(const char *at, const char *end, am_form_part *part, am_error *err) {
  static const char wanted[] = "content-disposition:";
  const size_t n = sizeof wanted - 1;
  while (at < end) {
    const char *line_end = find(at, (size_t)(end - at), "\r\n", 2);
    if (!line_end) line_end = end;
    if ((size_t)(line_end - at) > n && !strncasecmp(at, wanted, n)) {
      if (!parameter(at + n, line_end, "name", part->name, sizeof part->name))
        return am_fail(err, AM_E_FORMAT, "multipart body: a part's Content-Disposition has no name");
      (void)parameter(at + n, line_end, "filename", part->filename, sizeof part->filename);
      keep_base(part->filename);
      return AM_OK;
    }
    at = line_end < end ? line_end + 2 : end;
  }
  return am_fail(err, AM_E_FORMAT, "multipart body: a part without Content-Disposition");
}

typedef struct cursor {
  const char *at, *end;
  char mark[AM_BOUNDARY + 4]; /* CR LF -- boundary */
  size_t n;
} cursor;

/* What follows a boundary: CR LF, or -- at the end of all. */
static am_status after_boundary(cursor *c, bool *last, am_error *err) {
  while (c->at < c->end && blank(*c->at)) c->at++;
  *last = c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] == '-';
  if (!*last && (c->end - c->at < 2 || memcmp(c->at, "\r\n", 2) != 0))
    return am_fail(err, AM_E_FORMAT, "multipart body: a boundary without a line's end behind it");
  c->at += 2;
  return AM_OK;
}

static am_status read_part(cursor *c, am_form_part *part, am_error *err) {
  enum { LONGEST_HEADER = 8192 };
  *part = (am_form_part){.bytes = 0};
  const char *blank_line = find(c->at, (size_t)(c->end - c->at), "\r\n\r\n", 4);
  if (!blank_line || blank_line - c->at > LONGEST_HEADER)
    return am_fail(err, AM_E_FORMAT, "multipart body: a part whose header does not end");
  am_status st = read_header(c->at, blank_line, part, err);
  if (st) return st;
  part->data = blank_line + 4;
  /* An empty part: the boundary's CR LF is that of the blank line. */
  const char *from = blank_line + 2;
  const char *next = find(from, (size_t)(c->end - from), c->mark, c->n);
  if (!next) return am_fail(err, AM_E_FORMAT, "multipart body: it ends within the part \"%s\"", part->name);
  part->bytes = next > part->data ? (size_t)(next - part->data) : 0;
  c->at = next + c->n;
  return AM_OK;
}

am_status am_multipart_parse(const char *body, size_t bytes, const char *boundary, am_form *out, am_error *err) {
  cursor c = {.at = body, .end = body + bytes};
  c.n = (size_t)snprintf(c.mark, sizeof c.mark, "\r\n--%s", boundary);
  out->n = 0;
  /* The first boundary may be at the very start. */
  const bool begins = bytes >= c.n - 2 && !memcmp(body, c.mark + 2, c.n - 2);
  const char *first = begins ? body : find(body, bytes, c.mark, c.n);
  if (!first) return am_fail(err, AM_E_FORMAT, "multipart body: the boundary of the Content-Type is not in it");
  c.at = first + (begins ? c.n - 2 : c.n);
  bool last = false;
  am_status st = after_boundary(&c, &last, err);
  while (!st && !last) {
    if (out->n == AM_MULTIPART_PARTS)
      return am_fail(err, AM_E_FORMAT, "multipart body: more than %d parts", AM_MULTIPART_PARTS);
    st = read_part(&c, &out->part[out->n], err);
    if (!st) out->n++;
    if (!st) st = after_boundary(&c, &last, err);
  }
  return st;
}

const am_form_part *am_form_find(const am_form *form, const char *name) {
  for (size_t i = 0; i < form->n; i++)
    if (!strcmp(form->part[i].name, name)) return &form->part[i];
  return NULL;
}
