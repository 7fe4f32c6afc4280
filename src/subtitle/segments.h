/* SPDX-License-Identifier: MIT */
/* subtitle/segments.h - segments of a recording in the formats of other programs.
 *
 * Rows (text, JSON lines, CSV, RTTM, Audacity's labels) are made as segments come; documents (Praat's TextGrid, ELAN's EAF) when the
 * recording is over.  A new format is a row of the table in segments.c. */
#ifndef AM_SEGMENTS_H
#define AM_SEGMENTS_H

#include "data/scale.h"

typedef struct am_segment_row {
  double start, end; /* s */
  const char *label; /* what is shown: a class, or "uncertain", "silent"; of values "", or "silent" */
  const char *top;   /* the class; NULL: there was nothing to hear, or there are none */
  const float *p;    /* (K) probabilities, or values; NULL: there was nothing to hear */
  double margin, share;
  size_t utterance;
} am_segment_row;

typedef struct am_segment_writer am_segment_writer;
typedef struct am_segment_format {
  const char *name, *help;
  bool document; /* of one recording, complete at its end */
  void (*head)(am_segment_writer *w);
  void (*row)(am_segment_writer *w, const am_segment_row *row);
  void (*end)(am_segment_writer *w, double seconds); /* of a document */
} am_segment_format;
/* The same with columns for why there is no segment, `reason` and `error`, for the file of many sounds: of json and csv; else NULL. */
const am_segment_format *am_segment_format_noted(const am_segment_format *format);
/* By its name; NULL: there is none.  i: the i-th, NULL after the last. */
const am_segment_format *am_segment_format_find(const char *name);
const am_segment_format *am_segment_format_at(size_t i);

/* A segment that a document keeps. */
typedef struct am_segment_kept {
  double start, end;
  char *label;
  char *channel; /* and of values the dimension; NULL: there is one */
  size_t tier;   /* in the order in which channels, and dimensions, are told */
} am_segment_kept;

struct am_segment_writer {
  am_context *ctx;
  const am_segment_format *format;
  const char *const *labels; /* (K), borrowed */
  int classes;
  const am_scale *scale; /* (K) of values of dimensions, borrowed; NULL: there are probabilities of classes */
  const char *file;      /* borrowed, as shown */
  const char *channel;   /* a speaker's name, or "channel 2"; NULL: there is one */
  int number;            /* of the channel, for RTTM; 0 is 1 */
  am_buffer out;         /* what the caller prints, and empties (used = 0) */
  am_segment_kept *kept;
  size_t n_kept, room;
  size_t n_channels;     /* of what is kept */
  const char *last_kept; /* the channel of the last one, borrowed */
};

/* Ends with am_segment_writer_free, also after a failure.  AM_E_NOMEM. */
am_status am_segment_writer_begin(am_segment_writer *w, am_context *ctx, const am_segment_format *format,
                                  const char *const *labels, int classes, const am_scale *scale, am_error *err);
am_status am_segment_writer_put(am_segment_writer *w, const am_segment_row *row, am_error *err);
/* Of a noted format: a row that has no segment, but says why; error NULL: there is none. */
am_status am_segment_writer_note(am_segment_writer *w, const char *reason, const char *error, am_error *err);
/* The recording is over; its length. */
am_status am_segment_writer_end(am_segment_writer *w, double seconds, am_error *err);
void am_segment_writer_free(am_segment_writer *w);

/* "valence 0.42 arousal 0.71", the text of a cue, in place of what `out` has; see out->failed. */
void am_segment_cue_text(am_context *ctx, const char *const *labels, int classes, const float *values, am_buffer *out);
/* The members of a row's JSON, into an object that is open: what predict, the server and whoever reads along are told. */
void am_segment_json(am_json *j, const char *const *labels, int classes, const am_scale *scale,
                     const am_segment_row *row);

/* Documents (segments_document.c).  Of values a tier for each dimension. */
void am_segment_keep(am_segment_writer *w, const am_segment_row *row);
void am_segment_textgrid(am_segment_writer *w, double seconds);
void am_segment_elan(am_segment_writer *w, double seconds);

#endif
