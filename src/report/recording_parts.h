/* SPDX-License-Identifier: MIT */
/* report/recording_parts.h - the strip and the tables of recording.h's page; for recording.c alone. */
#ifndef AM_RECORDING_PARTS_H
#define AM_RECORDING_PARTS_H

#include "report/html.h"
#include "report/recording.h"

enum { AM_STRIP_COLOURS = 8 };
/* "0:01.2", "1:02:03.4"; and the colour of a class as a CSS variable. */
void am_recording_time(double seconds, char out[32]);
const char *am_recording_colour(int label);
void am_recording_strip(am_html h, const am_recording *r, am_status *status, am_error *err);
void am_recording_values(am_html h, const am_recording *r); /* of dimensions, in short */
void am_recording_segments(am_html h, const am_recording *r);
void am_recording_cues(am_html h, const am_recording *r);

void am_recording_whys(am_html h, const am_recording *r); /* what moved the answer */

#endif
