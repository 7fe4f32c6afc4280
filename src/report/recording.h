/* SPDX-License-Identifier: MIT */
/* report/recording.h - the page of one recording: what was heard when, to look at and to listen to.
 *
 * One file without outside resources: a strip with waveform, speech, probabilities (or a curve of each dimension), segments and
 * cues over time, and the same as tables whose rows play.  It works without a pointer, in light and dark, and without JavaScript shows all but plays nothing. */
#ifndef AM_RECORDING_H
#define AM_RECORDING_H

#include "data/scale.h"

typedef struct am_recording_speech {
  double start, end; /* s */
} am_recording_speech;

typedef struct am_recording_measure {
  double start, end;
  size_t utterance;
  const float *p; /* (K) probabilities, or values of dimensions; NaN: nothing was heard */
} am_recording_measure;

typedef struct am_recording_segment {
  double start, end;
  int label;                  /* of the classes; -1: uncertain, or nothing was heard */
  const char *shown;          /* "angry", "uncertain", "silent" */
  double probability, margin; /* of the most probable class; NaN: none */
  int top;                    /* -1: none */
  const float *p;             /* (K) values of dimensions; NaN, or NULL: nothing was heard */
} am_recording_segment;

typedef struct am_recording_cue {
  am_recording_segment heard;
  const char *speaker, *text; /* UTF-8; speaker NULL: not named */
  bool told;                  /* it says how */
} am_recording_cue;

/* What moved the answer of one model (model/why.h). */
typedef struct am_recording_why {
  const char *title, *note;
  const am_buffer *picture; /* am_plot_why, inline; NULL: there is none, and the note says why */
} am_recording_why;

typedef struct am_recording {
  const char *file, *model, *subtitles; /* as shown; subtitles NULL: none */
  const char *media;                    /* where the page finds the sound; NULL: in `sound` */
  const am_buffer *sound;               /* FLAC; NULL: it is `media` */
  double seconds;
  const char *const *labels; /* (K) */
  int classes;
  const am_scale *scale; /* (K) of values of dimensions; NULL: there are probabilities of classes */
  const float *peaks;    /* (n_peaks) 0 to 1, evenly over the recording */
  size_t n_peaks;
  const am_recording_speech *speech;
  const am_recording_measure *measures;
  const am_recording_segment *segments;
  const am_recording_cue *cues;
  size_t n_speech, n_measures, n_segments, n_cues;
  const am_recording_why *why; /* of the recording as one sound, or of parts of it */
  size_t n_why;
} am_recording;

am_status am_recording_page(am_context *ctx, const am_recording *r, am_buffer *out, am_error *err);

#endif
