/* SPDX-License-Identifier: MIT */
/* tests/nn/flow.h - a model or its options from one line of YAML's flow syntax
 * ("{units: 5, kernel: [3, 2]}", "[{dense: {}}, flatten]"), so that the tests of nn need no other room.
 * Plain words only: no quotes, no comments. */
#ifndef AM_TESTS_FLOW_H
#define AM_TESTS_FLOW_H

#include "testing.h"

#include <ctype.h>

#include "base/value.h"

static inline void flow_space(const char **s) {
  while (isspace((unsigned char)**s)) (*s)++;
}

static inline void flow_word(const char **s, char *out, size_t size) {
  size_t n = 0;
  flow_space(s);
  while (**s && !strchr(",:[]{} ", **s) && n + 1 < size) out[n++] = *(*s)++;
  out[n] = 0;
  flow_space(s);
}

static inline void flow_expect(const char **s, char c) {
  flow_space(s);
  if (**s != c) fail_msg("flow text: wanted '%c' at \"%.40s\"", c, *s);
  (*s)++;
  flow_space(s);
}

static inline am_value *flow_value(am_tree *tree, const char **s) {
  am_error err = AM_ERROR_INIT;
  char word[128];
  flow_space(s);
  const char open = **s, close = open == '{' ? '}' : ']';
  if (open != '{' && open != '[') {
    flow_word(s, word, sizeof word);
    return am_value_text(tree, word, false);
  }
  am_value *parent = am_value_new(tree, open == '{' ? AM_MAP : AM_LIST);
  flow_expect(s, open);
  while (**s != close) {
    if (open == '{') {
      flow_word(s, word, sizeof word);
      flow_expect(s, ':');
    }
    am_test_ok(am_value_add(tree, parent, open == '{' ? word : NULL, flow_value(tree, s), &err), &err);
    flow_space(s);
    if (**s != close) flow_expect(s, ',');
  }
  flow_expect(s, close);
  return parent;
}

static inline am_value *flow_parse(am_tree *tree, const char *text) {
  am_value *value = flow_value(tree, &text);
  if (!value || *text) fail_msg("flow text: rest \"%.40s\"", text);
  return value;
}

#endif
