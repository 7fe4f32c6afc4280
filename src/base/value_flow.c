/* SPDX-License-Identifier: MIT */
/* base/value_flow.c - the defaults in option tables: "0.1", "same", "[1, 2]". */
#include "base/value.h"

#include <string.h>

static const char *skip_blanks(const char *c) { return c + strspn(c, " "); }

/* One scalar up to a comma or bracket; quotes keep all but themselves. */
static am_value *read_scalar(am_tree *tree, const char **at, bool in_list) {
  const char *c = *at;
  bool quoted = *c == '"' || *c == '\'';
  size_t n;
  if (quoted) {
    const char *end = strchr(c + 1, *c);
    if (!end) return NULL;
    n = (size_t)(end - ++c);
    *at = end + 1;
  } else {
    n = in_list ? strcspn(c, ",[]") : strlen(c);
    *at = c + n;
    while (n && c[n - 1] == ' ') n--;
    if (!n) return NULL;
  }
  char *text = am_tree_take(tree, n + 1, 1);
  am_value *v = am_value_new(tree, AM_SCALAR);
  if (!text || !v) return NULL;
  memcpy(text, c, n);
  v->text = text;
  v->quoted = quoted;
  return v;
}

static am_value *read_list(am_tree *tree, const char **at) {
  am_value *list = am_value_new(tree, AM_LIST);
  if (!list) return NULL;
  *at = skip_blanks(*at + 1);
  if (**at == ']') {
    ++*at;
    return list;
  }
  for (;;) {
    *at = skip_blanks(*at);
    am_value *item = read_scalar(tree, at, true);
    if (!item || am_value_add(tree, list, NULL, item, NULL)) return NULL;
    *at = skip_blanks(*at);
    char c = **at;
    if (c != ',' && c != ']') return NULL;
    ++*at;
    if (c == ']') return list;
  }
}

am_value *am_value_flow(am_tree *tree, const char *text) {
  const char *at = skip_blanks(text);
  if (!*at) return am_value_new(tree, AM_NULL);
  am_value *v = *at == '[' ? read_list(tree, &at) : read_scalar(tree, &at, false);
  return v && !*skip_blanks(at) ? v : NULL;
}
