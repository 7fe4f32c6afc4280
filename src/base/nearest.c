/* SPDX-License-Identifier: MIT */
/* base/nearest.c - "did you mean". */
#include "base/base.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64 };

static int lower(char c) { return tolower((unsigned char)c); }

/* Levenshtein's distance, letter case aside, a swap of neighbours counting once. */
static size_t distance(const char *a, size_t n, const char *b, size_t m) {
  size_t rows[3][LONGEST + 1];
  size_t *before = rows[0], *above = rows[1], *row = rows[2];
  for (size_t j = 0; j <= m; j++) above[j] = j;
  for (size_t i = 1; i <= n; i++) {
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t best = above[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
      if (above[j] + 1 < best) best = above[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
          before[j - 2] + 1 < best)
        best = before[j - 2] + 1;
      row[j] = best;
    }
    size_t *spare = before;
    before = above;
    above = row;
    row = spare;
  }
  return above[m];
}

const char *am_nearest(const char *word, const char *const *names, size_t n, size_t stride) {
  size_t length = strlen(word);
  if (!length || length > LONGEST) return NULL;
  /* Near: at most 2 edits or a third of the word, and never a wholly different short one. */
  size_t limit = length / 3 > 2 ? length / 3 : 2;
  if (limit >= length) limit = length - 1;
  const char *best = NULL;
  for (size_t i = 0; i < n; i++) {
    const char *name = *(const char *const *)(const void *)((const char *)names + i * stride);
    size_t m = strlen(name);
    if (!m || m > LONGEST) continue;
    size_t d = distance(word, length, name, m);
    if (d > limit || d >= m) continue;
    best = name;
    if (!d) break;
    limit = d - 1; /* the first of equals wins */
  }
  return best;
}
