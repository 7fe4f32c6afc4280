/* SPDX-License-Identifier: MIT */
/* data/twins.h - recordings that are in a corpus twice. */
#ifndef AM_TWINS_H
#define AM_TWINS_H

#include "data/loader.h"
#include "data/split.h"

/* AM_E_DATA where two clips are the same stretch of one file, under whatever names: two corpora of one folder, links. */
am_status am_dataset_check_files(const am_dataset *d, am_error *err);

/* Sounds that are in more than one part of a split.  Equal are clips whose samples are, as decoded (am_store_digest),
 * whatever their files are; and files of one length that differ by less than rounding and dither do (am_check_same). */
typedef struct am_twins {
  size_t sounds;
  bool trained;     /* one of them is in the training part */
  uint32_t clip[2]; /* of the first of them, one in each of two parts */
  am_part part[2];
} am_twins;
am_status am_split_find_twins(am_context *ctx, const am_dataset *d, const am_store *store, const am_split *split,
                              double max_seconds, am_twins *out, am_error *err);

#endif
