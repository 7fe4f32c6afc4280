/* SPDX-License-Identifier: MIT */
/* serve/settings.h - how a client wants its sound heard: the same options for an upload's fields and for a stream's first message. */
#ifndef AM_SERVE_SETTINGS_H
#define AM_SERVE_SETTINGS_H

#include "audiomood/segment.h"
#include "base/option.h"

/* What finds speech: the detector where the server has one, else level; the detector; level; nothing, all of it is speech. */
typedef enum am_hear_vad { AM_VAD_USUAL, AM_VAD_MODEL, AM_VAD_ENERGY, AM_VAD_NONE } am_hear_vad;

typedef struct am_hear_settings {
  double rate;                     /* Hz, of a stream's samples; a file says its own */
  double window, hop, min_silence; /* s */
  double switch_penalty;
  double threshold; /* below which an answer is uncertain; negative: the model's own */
  bool learn_voice, measurements;
  int vad; /* an am_hear_vad */
} am_hear_settings;
extern const am_option am_hear_table[];

/* A stream's first message, JSON.  AM_E_CONFIG, AM_E_FORMAT: what is wrong with it. */
am_status am_hear_settings_read(am_context *ctx, const char *text, size_t bytes, am_hear_settings *out, am_error *err);
/* A field of a form: names are those of the table. */
typedef struct am_hear_field {
  const char *name, *value; /* terminated */
} am_hear_field;
am_status am_hear_settings_of(am_context *ctx, const am_hear_field *fields, size_t n, am_hear_settings *out,
                              am_error *err);
/* What the engine is told: the same as predict --segments is, by the same names. */
void am_hear_settings_apply(const am_hear_settings *s, am_stream_options *stream, am_segment_options *segments);

#endif
