/* SPDX-License-Identifier: MIT */
/* subtitle/event.h - the events of a stream as JSON, as live and the server tell them. */
#ifndef AM_EVENT_H
#define AM_EVENT_H

#include "audiomood/segment.h"
#include "model/calibration.h"
#include "subtitle/segments.h"

/* By what answers are judged. */
typedef struct am_event_teller {
  const am_checkpoint *model;      /* whose labels are told */
  const am_thresholds *thresholds; /* below which an answer is uncertain; NULL: one is always given */
  bool own;                        /* those of the model's set in force, which changes when a voice becomes known */
} am_event_teller;

/* The class, or AM_UNCERTAIN. */
int am_event_answer(const am_event_teller *t, const float *probabilities);
/* As JSON and CSV call it. */
const char *am_event_name(am_stream_kind kind);
/* One object, without a newline. */
void am_event_json(am_context *ctx, const am_event_teller *t, const am_stream_event *event, am_buffer *out);
/* What is shown of a segment; its texts are borrowed. */
am_segment_row am_event_row(const am_event_teller *t, const am_segment *segment);

#endif
