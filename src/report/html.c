/* SPDX-License-Identifier: MIT */
/* report/html.c - escaping. */
#include "report/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void am_html_put(am_html h, const char *markup) { am_buffer_append(h.ctx, h.out, markup, strlen(markup)); }

void am_html_printf(am_html h, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  am_html_put(h, text);
}

/* Bytes to go on by, whether or not they are shown. */
static size_t step(const char *text) {
  size_t n = am_utf8_length(text);
  return n ? n : 1;
}

/* Bytes of the next character, or 0 where it must be replaced: broken UTF-8, and characters
 * that XML does not allow, that cannot be seen or that turn the direction of all that follows (am_text_stand_in; U+FFFE,
 * U+FFFF). */
static size_t good_length(const char *text) {
  const unsigned char *u = (const unsigned char *)text;
  size_t n;
  if (am_text_stand_in(text, &n) && *u != '\n' && *u != '\t') return 0;
  if (n == 3 && u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe) return 0;
  return n;
}

static const char *entity(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
  }
}

void am_html_text(am_html h, const char *text) {
  while (text && *text) {
    size_t n = good_length(text);
    const char *stand_in = n ? entity(*text) : "\xef\xbf\xbd";
    if (stand_in) am_html_put(h, stand_in);
    else am_buffer_append(h.ctx, h.out, text, n);
    text += step(text);
  }
}

char *am_text_clean(am_context *ctx, const char *text) {
  char *clean = am_alloc(ctx, am_add(am_mul(strlen(text), 3), 1), 1), *to = clean;
  while (clean && *text) {
    size_t n = good_length(text);
    memcpy(to, n ? text : "\xef\xbf\xbd", n ? n : 3);
    to += n ? n : 3;
    text += step(text);
  }
  return clean;
}

void am_html_element(am_html h, const char *open, const char *text) {
  size_t name = strcspn(open, " ");
  am_html_put(h, "<");
  am_html_put(h, open);
  am_html_put(h, ">");
  am_html_text(h, text);
  am_html_put(h, "</");
  am_buffer_append(h.ctx, h.out, open, name);
  am_html_put(h, ">");
}

void am_html_number(am_html h, double number) {
  if (!isfinite(number) || fabs(number) > 1e12) number = 0;
  int64_t hundredths = llround(number * 100), whole = hundredths / 100, rest = hundredths % 100;
  if (rest < 0) rest = -rest;
  am_html_printf(h, "%s%" PRId64, hundredths < 0 && !whole ? "-" : "", whole);
  if (rest) am_html_printf(h, rest % 10 ? ".%02" PRId64 : ".%" PRId64, rest % 10 ? rest : rest / 10);
}

void am_html_base64(am_html h, const void *data, size_t bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *from = data;
  for (size_t i = 0; i < bytes; i += 3) {
    size_t n = bytes - i < 3 ? bytes - i : 3;
    uint32_t word = (uint32_t)from[i] << 16 | (n > 1 ? (uint32_t)from[i + 1] << 8 : 0) | (n > 2 ? from[i + 2] : 0);
    char out[4] = {digits[word >> 18], digits[word >> 12 & 63], n > 1 ? digits[word >> 6 & 63] : '=',
                   n > 2 ? digits[word & 63] : '='};
    am_buffer_append(h.ctx, h.out, out, 4);
  }
}
