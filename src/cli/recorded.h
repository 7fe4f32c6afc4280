/* SPDX-License-Identifier: MIT */
/* cli/recorded.h - a recording as its page shows it: waveform, speech, measurements and segments, heard in one pass. */
#ifndef AM_CLI_RECORDED_H
#define AM_CLI_RECORDED_H

#include "cli/cli.h"
#include "report/recording.h"

typedef struct cli_recorded {
  cli *c;
  const cli_models *team;
  const char *media;
  const am_thresholds *thresholds; /* below which a segment is uncertain; NULL: an answer is always given */
  const float *priors;             /* (K) --neutral-prior; NULL: none */
  /* What was heard. */
  double rate;
  size_t n_samples;
  float *peaks;
  float *samples; /* (n_kept) all of them, until they are too many to be in the page */
  am_recording_speech *speech;
  am_recording_measure *measures;
  float *p; /* (n_measures, K) */
  am_recording_segment *segments;
  float *q; /* (n_segments, K) */
  size_t n_peaks, n_kept, n_speech, n_measures, n_segments;
  /* Inside. */
  am_stream *stream;
  am_segmenter *segmenter;
  size_t in_peak, room_peaks, room_kept, room_speech, room_measures, room_p, room_segments, room_q;
  float peak;
} cli_recorded;

/* The first members are given, the others zero.  Ends with cli_recorded_free, also after a failure. */
am_status cli_recorded_hear(cli_recorded *x, const am_stream_options *how, const am_segment_options *segments,
                            am_error *err);
/* The page, with what else is said in `page` already: subtitles, cues, why. */
am_status cli_recorded_save(const cli_recorded *x, am_recording *page, const char *path, am_error *err);
void cli_recorded_free(cli_recorded *x);

#endif
