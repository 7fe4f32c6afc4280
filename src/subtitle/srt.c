/* SPDX-License-Identifier: MIT */
/* subtitle/srt.c - SubRip, as programs write it: a text goes on behind a blank line until the next line of times, since
 * recognisers write blank lines into texts. */
#include "subtitle/cue.h"

static bool is_number(am_slice line, bool after_blank, bool first) {
  (void)after_blank, (void)first;
  size_t digits = 0, others = 0;
  for (size_t i = 0; i < line.n; i++) {
    const char c = line.at[i];
    if (c >= '0' && c <= '9') digits++;
    else if (c != ' ' && c != '\t') others++;
  }
  return digits && digits <= 10 && !others;
}

static size_t no_lead(am_slice text) {
  (void)text;
  return 0;
}

const am_cue_syntax am_srt = {
    .name = "srt", .title = "SRT", .is_head = is_number, .break_at = am_slice_newline, .lead = no_lead};
