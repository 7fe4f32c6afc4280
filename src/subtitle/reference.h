/* SPDX-License-Identifier: MIT */
/* subtitle/reference.h - who feels what when, as people and programs write it down.
 *
 * RTTM (the label is where a diariser puts the speaker), Praat's TextGrid in its long and short form, ELAN's EAF, CSV with the columns
 * start, end, label and, if it has it, speaker, and label tracks of Audacity.  What a file is, is told by what is in it.  Of several
 * tiers those named "emotion" (or "emotion" and more: "emotion Ann") are taken, else all. */
#ifndef AM_REFERENCE_H
#define AM_REFERENCE_H

#include "subtitle/rttm.h"

/* Turns whose `speaker` is the label.  `file` is "" but for RTTM.  AM_E_FORMAT names the line. */
am_status am_reference_read(am_context *ctx, const char *path, am_rttm *out, am_error *err);
am_status am_reference_parse(am_context *ctx, const char *text, size_t bytes, const char *source, am_rttm *out,
                             am_error *err);
/* The endings that they have, in the order in which they are looked for beside a sound; NULL after the last. */
extern const char *const am_reference_endings[];

#endif
