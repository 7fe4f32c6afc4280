/* SPDX-License-Identifier: MIT */
/* base/utf8.h - what is UTF-8 and what is not, and which of it may be shown. */
#ifndef AM_UTF8_H
#define AM_UTF8_H

#include <stddef.h>

/* Bytes of the character at `text` (1 to 4), 0 when it is not valid UTF-8.
 * `text` is terminated, so a cut character is simply not valid. */
size_t am_utf8_length(const char *text);

/* What a label, the name of a file or a licence holds goes to people's terminals and logs, where some characters are commands.
 * What is shown instead of the one at `text`, of so many bytes: a space for what ends lines and the other controls of ASCII
 * (C0, DEL, U+0085, U+2028, U+2029), '?' for the second set of controls (U+0080 to U+009F), those that turn the direction
 * of writing (U+202A to U+202E, U+2066 to U+2069) and bytes that are not UTF-8; '\0': the character itself. */
char am_text_stand_in(const char *text, size_t *bytes);

/* The first byte that is not UTF-8; NULL: all of the text is. */
const char *am_utf8_wrong(const char *text);

#endif
