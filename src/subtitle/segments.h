/* subtitle/segments.h - segments of a recording in the formats of other programs.
 *
 * Rows (text, JSON lines, CSV, RTTM, Audacity's labels) are made as segments come; documents (Praat's TextGrid, ELAN's EAF) when the
 * recording is over.  A new format is a row of the table in segments.c. */
#ifndef AM_SEGMENTS_H
#define AM_SEGMENTS_H

#include "io/json.h"

typedef struct am_segment_row {
  double start, end; /* s */
  const char *label; /* what is shown: a class, or "uncertain", "silent" */
  const char *top;   /* the class; NULL: there was nothing to hear */
  const float *p;    /* (K); NULL: none */
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
/* By its name; NULL: there is none.  i: the i-th, NULL after the last. */
const am_segment_format *am_segment_format_find(const char *name);
const am_segment_format *am_segment_format_at(size_t i);

/* A segment that a document keeps. */
typedef struct am_segment_kept {
  double start, end;
  char *label;
  char *channel; /* NULL: there is one */
} am_segment_kept;

struct am_segment_writer {
  am_context *ctx;
  const am_segment_format *format;
  const char *const *labels; /* (K), borrowed */
  int classes;
  const char *file;    /* borrowed, as shown */
  const char *channel; /* a speaker's name, or "channel 2"; NULL: there is one */
  int number;          /* of the channel, for RTTM; 0 is 1 */
  am_buffer out;       /* what the caller prints, and empties (used = 0) */
  am_segment_kept *kept;
  size_t n_kept, room;
};

/* Ends with am_segment_writer_free, also after a failure.  AM_E_NOMEM. */
am_status am_segment_writer_begin(am_segment_writer *w, am_context *ctx, const am_segment_format *format,
                                  const char *const *labels, int classes, am_error *err);
am_status am_segment_writer_put(am_segment_writer *w, const am_segment_row *row, am_error *err);
/* The recording is over; its length. */
am_status am_segment_writer_end(am_segment_writer *w, double seconds, am_error *err);
void am_segment_writer_free(am_segment_writer *w);

/* The members of a row's JSON, into an object that is open: what predict, the server and whoever reads along are told. */
void am_segment_json(am_json *j, const char *const *labels, int classes, const am_segment_row *row);

/* Documents (segments_document.c). */
void am_segment_keep(am_segment_writer *w, const am_segment_row *row);
void am_segment_textgrid(am_segment_writer *w, double seconds);
void am_segment_elan(am_segment_writer *w, double seconds);

#endif
