/* SPDX-License-Identifier: MIT */
/* tests/report/markup.h - is a page well-formed? Elements balanced, attributes quoted, no bare & or <. */
#ifndef AM_TEST_MARKUP_H
#define AM_TEST_MARKUP_H

#include "testing.h"

#include <ctype.h>

static inline const char *markup_attribute(const char *at, const char *page) {
  while (*at && *at != '=' && *at != '>' && !isspace((unsigned char)*at)) at++;
  if (at[0] != '=' || at[1] != '"') fail_msg("an attribute without quotes at byte %ld: %.40s", (long)(at - page), at);
  for (at += 2; *at && *at != '"'; at++)
    if (*at == '<') fail_msg("< in an attribute at byte %ld: %.40s", (long)(at - page), at);
  return *at ? at + 1 : at;
}

static inline void markup_entity(const char *at, const char *page) {
  static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
  for (size_t i = 0; i < 4; i++)
    if (strncmp(at, known[i], strlen(known[i])) == 0) return;
  if (at[1] == '#' && at[2 + strspn(at + 2, "0123456789")] == ';') return;
  fail_msg("a bare & at byte %ld: %.40s", (long)(at - page), at);
}

/* Returns the number of elements. */
static inline size_t markup_check(const char *page) {
  char stack[64][32];
  size_t depth = 0, elements = 0;
  const char *at = page;
  assert_int_equal(strncmp(at, "<!DOCTYPE html>", 15), 0);
  at += 15;
  while (*at) {
    if (*at == '&') markup_entity(at, page);
    if (*at != '<') {
      at++;
      continue;
    }
    bool closes = at[1] == '/';
    const char *name = at + 1 + closes;
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz123456");
    if (!n || n >= sizeof stack[0]) fail_msg("no element at byte %ld: %.40s", (long)(at - page), at);
    at = name + n;
    if (closes) {
      if (!depth || strlen(stack[depth - 1]) != n || strncmp(stack[depth - 1], name, n) != 0)
        fail_msg("</%.*s> closes <%s> at byte %ld", (int)n, name, depth ? stack[depth - 1] : "", (long)(at - page));
      depth--;
      assert_int_equal(*at++, '>');
      continue;
    }
    while (isspace((unsigned char)*at)) at = markup_attribute(at + 1, page);
    elements++;
    if (at[0] == '/' && at[1] == '>') {
      at += 2;
      continue;
    }
    assert_int_equal(*at++, '>');
    assert_true(depth < 64);
    snprintf(stack[depth++], sizeof stack[0], "%.*s", (int)n, name);
  }
  if (depth) fail_msg("<%s> is not closed", stack[depth - 1]);
  return elements;
}

#endif
