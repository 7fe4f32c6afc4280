/* SPDX-License-Identifier: MIT */
/* subtitle/xml_write.c - text into XML. */
#include "subtitle/xml.h"

#include <string.h>

void am_xml_put(am_context *ctx, am_buffer *out, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const unsigned char c = (unsigned char)text[i];
    const char *as = c == '&'    ? "&amp;"
                     : c == '<'  ? "&lt;"
                     : c == '>'  ? "&gt;"
                     : c == '"'  ? "&quot;"
                     : c == '\'' ? "&#39;"
                                 : NULL;
    if (c == 0xEF && i + 2 < n && !memcmp(text + i + 1, "\xBF", 1) && (unsigned char)text[i + 2] >= 0xBE) i += 2;
    else if (as) am_buffer_printf(ctx, out, "%s", as);
    else if (c >= ' ' || c == '\n' || c == '\t') am_buffer_append(ctx, out, text + i, 1);
  }
}
