/* data/twins.h - recordings that stand in a corpus twice. */
#ifndef AM_TWINS_H
#define AM_TWINS_H

#include "data/loader.h"

/* AM_E_DATA where two clips are the same stretch of one file, under whatever names: two corpora of one folder, links. */
am_status am_dataset_check_files(const am_dataset *d, am_error *err);

/* Sounds that stand in more than one part of a split: the samples of their clips, as decoded, are equal (am_store_digest),
 * whatever their files are.  Copies that were compressed or converted once more are other samples: am_check_run finds them. */
typedef struct am_twins {
  size_t sounds;
  uint32_t clip[2]; /* of the first of them, one in each of two parts */
  am_part part[2];
} am_twins;
am_status am_split_find_twins(am_context *ctx, const am_store *store, const am_split *split, am_twins *out, am_error *err);

#endif
