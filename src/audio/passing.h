/* SPDX-License-Identifier: MIT */
/* audio/passing.h - whoever holds the bytes of a large file is told which of them were looked at. */
#ifndef AM_PASSING_H
#define AM_PASSING_H

#include "base/base.h"

typedef struct am_passing am_passing;
struct am_passing {
  /* Those before `upto` were looked at.  They may be again. */
  void (*passed)(am_passing *p, const unsigned char *upto);
};

/* NULL: nobody wants to know. */
static inline void am_pass(am_passing *p, const unsigned char *upto) {
  if (p) p->passed(p, upto);
}

#endif
