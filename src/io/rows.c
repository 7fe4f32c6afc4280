/* SPDX-License-Identifier: MIT */
/* io/rows.c - see rows.h. */
#include "io/rows.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/value.h"

size_t am_row_whole(am_rows_kind kind, const char *text, size_t bytes) {
  bool quoted = false;
  for (size_t i = 0; i < bytes; i++) {
    if (!text[i]) return 0;
    if (kind == AM_ROWS_CSV && text[i] == '"') quoted = !quoted;
    else if (text[i] == '\n' && !quoted) return i + 1;
  }
  return 0;
}

static size_t key_of_csv(const char *row, size_t bytes) {
  if (!bytes || *row != '"') {
    size_t n = 0;
    while (n < bytes && row[n] != ',' && row[n] != '\n' && row[n] != '\r') n++;
    return n < bytes ? n : 0;
  }
  for (size_t i = 1; i < bytes; i++) {
    if (row[i] != '"') continue;
    if (i + 1 < bytes && row[i + 1] == '"') i++;
    else return i + 1;
  }
  return 0;
}

/* The end of a text whose opening quote is at `at`; 0: there is none. */
static size_t end_of_text(const char *row, size_t bytes, size_t at) {
  if (at >= bytes || row[at] != '"') return 0;
  for (size_t i = at + 1; i < bytes; i++) {
    if (row[i] == '"') return i + 1;
    if (row[i] == '\\') i++;
  }
  return 0;
}

static size_t key_of_json(const char *row, size_t bytes) {
  size_t at = bytes && *row == '{' ? end_of_text(row, bytes, 1) : 0;
  if (!at || at >= bytes || row[at++] != ':') return 0;
  while (at < bytes && row[at] == ' ') at++;
  return end_of_text(row, bytes, at);
}

size_t am_row_key(am_rows_kind kind, const char *row, size_t bytes) {
  return kind == AM_ROWS_CSV ? key_of_csv(row, bytes) : key_of_json(row, bytes);
}

static bool in_number(char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e'; }

/* Bytes of the number that `text` begins with; 0: with none. */
static size_t number_at(const char *text, size_t bytes, double *out) {
  char copy[40];
  size_t n = 0;
  while (n < bytes && n + 1 < sizeof copy && in_number(text[n])) copy[n] = text[n], n++;
  copy[n] = '\0';
  return n && am_text_to_real(copy, out) ? n : 0;
}

bool am_rows_agree(const char *a, size_t a_bytes, const char *b, size_t b_bytes, double tolerance) {
  size_t i = 0, j = 0;
  bool inside = false; /* of a word, whose digits are no number: a name of a file */
  while (i < a_bytes && j < b_bytes) {
    double x, y;
    const size_t n = inside ? 0 : number_at(a + i, a_bytes - i, &x), m = n ? number_at(b + j, b_bytes - j, &y) : 0;
    if (n && m) {
      if (!(fabs(x - y) <= tolerance) && (n != m || memcmp(a + i, b + j, n))) return false;
      i += n, j += m;
      inside = true; /* until a comma: 1.5x is a word, too */
      continue;
    }
    if (a[i] != b[j]) return false;
    inside = !strchr(", :\n{[", a[i]) || !a[i];
    i++, j++;
  }
  return i == a_bytes && j == b_bytes;
}
