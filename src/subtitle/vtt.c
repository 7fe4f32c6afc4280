/* SPDX-License-Identifier: MIT */
/* subtitle/vtt.c - WebVTT (W3C 2019): any line between a blank one and that of the times is the cue's identifier; a blank line
 * ends a text.  NOTE, STYLE and REGION blocks are what is between cues, and are kept as such. */
#include "subtitle/cue.h"

static bool is_identifier(am_slice line, bool after_blank, bool first) {
  return after_blank && !first && !am_slice_blank(line);
}

static size_t no_lead(am_slice text) {
  (void)text;
  return 0;
}

const am_cue_syntax am_vtt = {.name = "vtt",
                              .title = "WebVTT",
                              .blank_ends = true,
                              .is_head = is_identifier,
                              .break_at = am_slice_newline,
                              .lead = no_lead};
