/* SPDX-License-Identifier: MIT */
/* data/split_speaker.h - parts by speaker; for data/ only. */
#ifndef AM_SPLIT_SPEAKER_H
#define AM_SPLIT_SPEAKER_H

#include "data/split.h"

/* Kinds that cut by speaker: sets `role` (n_speakers), and `fold_of` (n_speakers) to the fold in which a speaker is
 * tested, or -1.  `s` receives n_folds, fold and the first words of its note. */
am_status am_split_speakers(am_context *ctx, const am_dataset *d, const am_split_options *o, am_part *role,
                            int *fold_of, am_split *s, am_error *err);

#endif
