/* SPDX-License-Identifier: MIT */
/* subtitle/rttm.h - who speaks when, as diarisers write it: Rich Transcription Time Marked (NIST 2009). */
#ifndef AM_RTTM_H
#define AM_RTTM_H

#include "base/base.h"

typedef struct am_rttm_turn {
  char *file, *speaker;
  double start, end; /* s */
  int line;
} am_rttm_turn;

typedef struct am_rttm {
  am_context *ctx;
  am_rttm_turn *turns; /* (n) by file, speaker and time; none of a speaker overlap */
  size_t n;
} am_rttm;

/* The SPEAKER lines of a file; those of other types, and empty ones, are passed over.  Turns of one speaker that overlap or touch
 * become one.  AM_E_FORMAT names the line. */
am_status am_rttm_read(am_context *ctx, const char *path, am_rttm *out, am_error *err);
am_status am_rttm_parse(am_context *ctx, const char *text, size_t bytes, const char *source, am_rttm *out,
                        am_error *err);
void am_rttm_free(am_rttm *r);
/* Leaves those of one recording: where the lines name several, those that are named as `sound` is, with or without its ending.
 * AM_E_DATA: none is. */
am_status am_rttm_choose(am_rttm *r, const char *source, const char *sound, am_error *err);

/* For other files that say the same: adds a turn, without blanks around the name; one without a name, or that does not end after it
 * begins, is none.  *room as am_grow.  am_rttm_sort then puts them in order, and joins those that overlap or touch. */
am_status am_rttm_add(am_rttm *r, size_t *room, const char *file, const char *speaker, double start, double end,
                      int line, am_error *err);
void am_rttm_sort(am_rttm *r);

#endif
