/* io/utf8.c - RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "io/utf8.h"

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

const char *am_utf8_wrong(const char *text) {
  for (size_t n; *text; text += n)
    if (!(n = am_utf8_length(text))) return text;
  return NULL;
}
