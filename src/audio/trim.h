/* SPDX-License-Identifier: MIT */
#ifndef AM_TRIM_H
#define AM_TRIM_H

#include <stddef.h>

/* What librosa.effects.trim(frame_length=2048, hop_length=512) keeps of x (n): [*from, *to). */
void am_trim_range(const float *x, size_t n, double top_db, size_t *from, size_t *to);

#endif
