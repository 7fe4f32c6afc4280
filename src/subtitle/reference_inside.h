/* SPDX-License-Identifier: MIT */
/* subtitle/reference_inside.h - what the files of reference.h share. */
#ifndef AM_REFERENCE_INSIDE_H
#define AM_REFERENCE_INSIDE_H

#include "subtitle/reference.h"

/* Whether a tier is named for emotion. */
bool am_reference_tier(const char *name);
am_status am_reference_elan(am_rttm *to, const char *text, size_t bytes, const char *source, am_error *err);

#endif
