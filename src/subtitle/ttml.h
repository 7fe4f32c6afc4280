/* SPDX-License-Identifier: MIT */
/* subtitle/ttml.h - times as TTML writes them. */
#ifndef AM_TTML_H
#define AM_TTML_H

#include "base/base.h"

typedef struct am_ttml_clock {
  double frames; /* a second, as they are counted */
  double rate;   /* a second, as they pass: 30 * 1000 / 1001 */
  double ticks;  /* a second */
} am_ttml_clock;

/* "00:01:02.345", "00:01:02:12" (frames), "1.5h", "2m", "62.3s", "62300ms", "1869f", "620t"; false: it is none. */
bool am_ttml_time(const am_ttml_clock *clock, const char *text, double *seconds);

#endif
