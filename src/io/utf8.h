/* io/utf8.h - what is UTF-8 and what is not. */
#ifndef AM_UTF8_H
#define AM_UTF8_H

#include <stddef.h>

/* Bytes of the character at `text` (1 to 4), 0 when it is not valid UTF-8.
 * `text` is terminated, so a cut character is simply not valid. */
size_t am_utf8_length(const char *text);

/* The first byte that is not UTF-8; NULL: all of the text is. */
const char *am_utf8_wrong(const char *text);

#endif
