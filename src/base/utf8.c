/* SPDX-License-Identifier: MIT */
/* base/utf8.c - RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "base/utf8.h"

#include "base/base.h"

#include <stdint.h>

size_t am_utf8_length(const char *text) {
  const unsigned char *c = (const unsigned char *)text;
  if (c[0] < 0x80) return 1;
  size_t n = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
  if (c[0] < 0xc2 || c[0] > 0xf4) return 0;
  uint32_t code = c[0] & (0x7fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((c[i] & 0xc0) != 0x80) return 0;
    code = code << 6 | (c[i] & 0x3fu);
  }
  if (n == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return 0;
  if (n == 4 && (code < 0x10000 || code > 0x10ffff)) return 0;
  return n;
}

char am_text_stand_in(const char *text, size_t *bytes) {
  const unsigned char *c = (const unsigned char *)text;
  size_t n = am_utf8_length(text);
  *bytes = n ? n : 1;
  if (!n) return '?';
  if (n == 1) return c[0] < 0x20 || c[0] == 0x7f ? ' ' : '\0';
  if (n == 2 && c[0] == 0xc2 && c[1] < 0xa0) return c[1] == 0x85 ? ' ' : '?'; /* U+0080 to U+009F; 85 is a line's end */
  if (n != 3 || c[0] != 0xe2) return '\0';
  if (c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) return ' ';   /* U+2028, U+2029 */
  if (c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) return '?';     /* U+202A to U+202E */
  return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9 ? '?' : '\0'; /* U+2066 to U+2069 */
}

void am_text_one_line(char *text) {
  char *to = text;
  for (size_t n; *text; text += n) {
    char instead = am_text_stand_in(text, &n);
    if (instead) *to++ = instead;
    else
      for (size_t i = 0; i < n; i++) *to++ = text[i];
  }
  *to = '\0';
}

const char *am_utf8_wrong(const char *text) {
  for (size_t n; *text; text += n)
    if (!(n = am_utf8_length(text))) return text;
  return NULL;
}
