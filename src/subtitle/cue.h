/* SPDX-License-Identifier: MIT */
/* subtitle/cue.h - cues of SubRip (SRT), WebVTT, Advanced SubStation Alpha (ASS) and TTML files, kept byte for byte.
 *
 * A document keeps the bytes of its file; a cue says where its parts begin.  What is not changed is written as it was: numbers,
 * positions, comments, styles, blank lines, line endings, a byte order mark, bytes that are no UTF-8. */
#ifndef AM_CUE_H
#define AM_CUE_H

#include "base/base.h"

enum { AM_CUES_BYTES = 64 << 20, AM_CUES_MOST = 1000000 };

/* A part of a text, not terminated. */
typedef struct am_slice {
  const char *at;
  size_t n;
} am_slice;

/* Offsets into the document's bytes: head <= time <= body <= end. */
typedef struct am_cue {
  size_t head;        /* its number or identifier; `time` where it has none */
  size_t time;        /* the line of its times, with what follows them */
  size_t body;        /* its text: lines, of which the last may lack its ending */
  size_t end;         /* behind its text; blank lines are of what follows */
  double start, stop; /* s; stop may be before start */
  int line;           /* of `time`, from 1 */
  char *speaker; /* UTF-8; who speaks, where the format has a place for it (<v Ann>, Name); NULL: not named there */
  char *changed; /* (n_changed) what is written in place of its text; NULL: the text as it is */
  size_t n_changed;
} am_cue;

typedef struct am_cues am_cues;

/* What a format is.  SRT and WebVTT are lines (cue.c); `read` finds the cues of others. */
typedef struct am_cue_syntax {
  const char *name, *title; /* "srt", "SRT" */
  bool blank_ends;          /* a blank line ends a text */
  /* Whether a line before that of the times is the cue's number or identifier. */
  bool (*is_head)(am_slice line, bool after_blank, bool first);
  am_status (*read)(am_cues *cues, const char *source, am_error *err);
  size_t (*break_at)(am_slice text); /* bytes of the line break that a text begins with */
  size_t (*lead)(am_slice text);     /* bytes before the first character that is seen; all: none is */
  /* The text as SRT has it, in UTF-8, and without the tags that SRT lacks. */
  void (*plain)(const am_cues *cues, am_slice text, am_buffer *out);
} am_cue_syntax;
extern const am_cue_syntax am_srt, am_vtt, am_ass, am_ttml;

struct am_cues {
  am_context *ctx;
  const am_cue_syntax *syntax;
  char *data; /* (bytes), terminated */
  size_t bytes;
  am_cue *at; /* (n) in the order of the file */
  size_t n;
  bool latin1;             /* some of it is no UTF-8, and is taken for ISO 8859-1 */
  char *style;             /* written before the first cue; NULL: nothing */
  size_t cut_from, cut_to; /* bytes that are not written */
  char *line_break;        /* within a text, where it is no line ending: "\\N", "<br/>" */
};

/* A format that is wanted; NULL: what the first line says.  AM_E_FORMAT names the line.  More than 64 MB or a million cues are
 * refused. */
am_status am_cues_read(am_context *ctx, const char *path, const am_cue_syntax *wanted, am_cues *out, am_error *err);
am_status am_cues_parse(am_context *ctx, const char *text, size_t bytes, const char *source,
                        const am_cue_syntax *wanted, am_cues *out, am_error *err);
void am_cues_free(am_cues *cues);
/* All bytes with what was changed; see out->failed. */
void am_cues_write(const am_cues *cues, am_buffer *out);

/* The text as it is written. */
am_slice am_cue_text(const am_cues *cues, const am_cue *cue);
/* Another text in its place (copied); one that is the same is no change.  AM_E_NOMEM. */
am_status am_cue_change(am_cues *cues, am_cue *cue, am_slice before, am_slice text, am_slice behind, am_error *err);
/* What breaks a line in the text of a cue: "\n", "\r\n" or "\r", or what the format has; NULL: nothing that could be written. */
const char *am_cue_newline(const am_cues *cues, const am_cue *cue);
/* am_slice_line by the line breaks of the format. */
bool am_cue_line(const am_cues *cues, am_slice *text, am_slice *line);
/* [hours:]minutes:seconds[,thousandths], whichever of comma and point, and what is behind it. */
bool am_cue_time(am_slice *text, double *seconds);
/* "Ann" of "<v.loud Ann>Hello", as WebVTT has it; empty: the text does not begin so. */
am_slice am_cue_voice(am_slice text);
/* Who speaks, in UTF-8, of a cue of a format that has a place for it (copied); an empty name is none. */
am_status am_cue_name(am_cues *cues, am_cue *cue, am_slice name, am_error *err);
/* Another cue at the end of a document that is read; *room as am_grow.  AM_E_FORMAT: too many. */
am_status am_cues_add(am_cues *cues, const am_cue *cue, size_t *room, const char *source, am_error *err);

/* The first line of a text, without its ending; *text is left with what follows it.  false: there was none. */
bool am_slice_line(am_slice *text, am_slice *line);
bool am_slice_blank(am_slice line);     /* spaces and tabs alone */
size_t am_slice_newline(am_slice text); /* bytes of the line ending that a text begins with: 0, 1 or 2 */
bool am_slice_begins(am_slice text, const char *with);
static inline am_slice am_slice_from(const char *at, size_t n) { return (am_slice){at, n}; }

#endif
