/* SPDX-License-Identifier: MIT */
/* report/html.h - text of a web page: markup as it is, everything else escaped.
 *
 * The page is also well-formed XML (all elements closed, all attributes quoted), so tools can check it. */
#ifndef AM_HTML_H
#define AM_HTML_H

#include "base/base.h"

/* Failure (out of memory) shows in out->failed. */
typedef struct am_html {
  am_context *ctx;
  am_buffer *out;
} am_html;

void am_html_put(am_html h, const char *markup);
/* For markup with numbers; texts from files go through am_html_text. */
void am_html_printf(am_html h, const char *format, ...) AM_PRINTF(2, 3);
/* Escaped for elements and quoted attributes; what is not UTF-8, and control characters, become U+FFFD.
 * NULL is nothing. */
void am_html_text(am_html h, const char *text);
/* <tag>text</tag>; `open` may hold attributes: "td class=\"n\"". */
void am_html_element(am_html h, const char *open, const char *text);
/* A number for attributes and CSS, with a point in every locale; at most two digits after it. */
void am_html_number(am_html h, double number);
void am_html_base64(am_html h, const void *data, size_t bytes);
/* UTF-8 with everything else replaced, for who needs a checked text: am_free; NULL: no memory. */
char *am_text_clean(am_context *ctx, const char *text);

#endif
