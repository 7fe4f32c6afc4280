/* SPDX-License-Identifier: MIT */
/* subtitle/convert.h - cues from one format to another, and new ones. */
#ifndef AM_CONVERT_H
#define AM_CONVERT_H

#include "subtitle/cue.h"

/* A new document, cue by cue. */
typedef struct am_cue_writer {
  am_context *ctx;
  am_buffer *out;
  const am_cue_syntax *syntax;
  const char **speakers; /* (n_speakers) in order, each once; TTML names them before the cues */
  size_t n_speakers, n;
} am_cue_writer;

/* Up to the first cue; of `from`, which may be NULL, the speakers are named.  AM_E_NOMEM.  am_cue_writer_end, also after a failure. */
am_status am_cue_writer_begin(am_cue_writer *w, am_context *ctx, const am_cue_syntax *syntax, const am_cues *from,
                              am_buffer *out, am_error *err);
/* A text as SRT has it, in UTF-8, which ends without a line ending; speaker NULL: not named. */
void am_cue_writer_put(am_cue_writer *w, double start, double stop, const char *speaker, am_slice text);
void am_cue_writer_end(am_cue_writer *w);
/* The same cues in another format and in UTF-8, with their speakers.  Positions and styles are left out, and of tags all but <i>, <b>
 * and <u>; blank lines inside a text go.  AM_E_DATA: it cannot be done. */
am_status am_cues_convert(const am_cues *from, const am_cue_syntax *to, const char *source, am_cues *out,
                          am_error *err);
/* A text in UTF-8, appended. */
void am_cues_put_utf8(const am_cues *cues, am_slice text, am_buffer *out);
/* The text as SRT has it, in UTF-8, its lines with '\n' between them and none blank, appended. */
void am_cues_put_plain(const am_cues *cues, am_slice text, am_buffer *out);

#endif
