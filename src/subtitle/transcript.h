/* SPDX-License-Identifier: MIT */
/* subtitle/transcript.h - what speech recognisers write, as cues.
 *
 * JSON of whisper, whisper.cpp (-oj, -ojf), WhisperX, of faster-whisper's segments (a list of them, or {"segments": ...}) and of Vosk
 * (a result, or a list of them).  Where words have times, a long segment becomes several cues, and so does one of several speakers. */
#ifndef AM_TRANSCRIPT_H
#define AM_TRANSCRIPT_H

#include "subtitle/cue.h"

/* WebVTT in UTF-8, with <v NAME> where speakers are named.  AM_E_FORMAT names the line, or the number of the segment. */
am_status am_transcript_read(am_context *ctx, const char *path, am_cues *out, am_error *err);
am_status am_transcript_parse(am_context *ctx, const char *text, size_t bytes, const char *source, am_cues *out,
                              am_error *err);

#endif
