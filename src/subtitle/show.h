/* SPDX-License-Identifier: MIT */
/* subtitle/show.h - which cues say their emotion: few, and those that are sure.
 *
 * A viewer is told when the emotion of a speaker changes, with a gap between tags and at most so many a minute.  Neutral, calm and
 * what the model is not sure of are not told. */
#ifndef AM_SHOW_H
#define AM_SHOW_H

#include "subtitle/cue.h"

enum { AM_SHOW_MOST = 60, AM_SHOW_SPEAKERS = 1000 };

typedef struct am_show_options {
  double margin; /* the least probability by which the label leads the next; 0.2 */
  double gap;    /* s from the start of a told cue to that of the next one; 10 */
  int a_minute;  /* cues told in any 60 s, up to AM_SHOW_MOST; 3 */
} am_show_options;
extern const am_show_options am_show_defaults;

/* What is known of a cue. */
typedef struct am_shown {
  double start;     /* s; cues are asked in this order */
  am_slice speaker; /* empty: not named */
  int label;        /* -1: nothing to hear, or not sure */
  bool quiet;       /* a label that is never told: neutral, calm */
  double margin;
  bool fits; /* there is room for it */
} am_shown;

typedef struct am_show {
  am_context *ctx;
  am_show_options options;
  double told[AM_SHOW_MOST]; /* the times of the last ones, a ring */
  size_t n_told;
  struct am_show_speaker *speakers;
  size_t n_speakers, room;
} am_show;

void am_show_begin(am_show *show, am_context *ctx, const am_show_options *options);
/* *yes: the cue says its label.  Speakers beyond the first thousand names count as one.  AM_E_NOMEM. */
am_status am_show_cue(am_show *show, const am_shown *cue, bool *yes, am_error *err);
void am_show_end(am_show *show);

/* Who speaks: the name of a voice tag (<v Ann>), or of a text that begins "ANN: "; else an empty one.  *several: two lines begin
 * with a dash, so that the sound is of more than one. */
am_slice am_show_speaker_of(am_slice text, bool *several);
/* The same of a cue, whose format may name the speaker outside the text.  In UTF-8, but where the document is in Latin-1 and the name
 * stands in the text.  Lives as long as `room`, which the caller frees, and the cue.  AM_E_NOMEM. */
am_status am_show_cue_speaker(const am_cues *cues, const am_cue *cue, am_slice text, am_buffer *room, am_slice *speaker,
                              bool *several, am_error *err);

#endif
