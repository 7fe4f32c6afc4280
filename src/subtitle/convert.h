/* subtitle/convert.h - cues from one format to another, and new ones. */
#ifndef AM_CONVERT_H
#define AM_CONVERT_H

#include "subtitle/cue.h"

/* "WEBVTT" and a blank line, where the format begins so. */
void am_cues_put_head(am_context *ctx, am_buffer *out, const am_cue_syntax *syntax);
/* A cue of a text that ends without a line ending. */
void am_cues_put(am_context *ctx, am_buffer *out, const am_cue_syntax *syntax, size_t number, double start, double stop,
                 am_slice text);
/* The same cues in another format and in UTF-8.  Positions and styles are left out, and of WebVTT's tags all but <i>, <b> and <u>;
 * blank lines inside a text go.  AM_E_DATA: it cannot be done. */
am_status am_cues_convert(const am_cues *from, const am_cue_syntax *to, const char *source, am_cues *out,
                          am_error *err);
/* A text in UTF-8, appended. */
void am_cues_put_utf8(const am_cues *cues, am_slice text, am_buffer *out);

#endif
