/* data/store.h - what every clip of a dataset needs, ready in memory: features (T,F), or sound when augmentation changes the waveform
 * in each epoch; and the features of changed copies.
 *
 * It is filled from the cache, and what the cache lacks is decoded on all cores and added to it. */
#ifndef AM_STORE_H
#define AM_STORE_H

#include "audio/augment.h"
#include "audio/condition.h"
#include "audio/features.h"
#include "data/dataset.h"

typedef struct am_store am_store;

/* cache_dir NULL or "": no cache on disk.  keep_sound: hold waveforms too. Clips that cannot be
 * read fail the call, or with skip_unreadable are marked: am_store_ok. Progress is reported as "features". */
am_status am_store_create(am_context *ctx, const am_dataset *d, const am_features *fx, const am_data_options *data,
                          const char *cache_dir, bool keep_sound, am_store **out, am_error *err);
/* Of n `clips` alone, and of what they become under a condition, drawn by their digests; with no cache, and without sound.
 * Which are unheard, and am_store_seconds, are as without it.  The others are not am_store_ok. */
am_status am_store_create_under(am_context *ctx, const am_dataset *d, const am_features *fx,
                                const am_data_options *data, const am_condition *under, const uint32_t *clips, size_t n,
                                am_store **out, am_error *err);
/* Adds o->copies copies of each of n `clips`, all of them am_store_ok (am_augment_copy).  They have entries of their own in the
 * cache, which runs that differ in seeds or parts of the split share. On failure there are none. */
am_status am_store_add_copies(am_store *store, const am_dataset *d, const am_features *fx, const am_data_options *data,
                              const char *cache_dir, const am_augment_options *o, const uint32_t *clips, size_t n,
                              am_error *err);
int am_store_copies(const am_store *store); /* of a clip that has any; 0: none were added */
/* The store of the copies of this number, from 1, where clips without copies are not am_store_ok; of 0, `store` itself. */
const am_store *am_store_copy(const am_store *store, int number);
void am_store_free(am_store *store);
bool am_store_ok(const am_store *store, uint32_t clip);
bool am_store_readable(const am_store *store, uint32_t clip); /* am_store_ok, or put aside by data.unheard */
/* Whether there is nothing to hear in the clip (AM_HEARD also of what could not be read).  With data.unheard leave_out it is
 * not am_store_ok, either. */
am_unheard am_store_unheard(const am_store *store, uint32_t clip);
/* Why a clip that is not am_store_ok was left out: "silent", "too short" or AM_LEFT_OUT_UNREADABLE. */
const char *am_store_reason(const am_store *store, uint32_t clip);
/* Of the clip's samples as they were decoded (mean of the channels, at the file's rate; of a part: of its file and where it
 * is): the same on every mount, of every copy and every lossless form, whatever the features are.  0: it could not be read. */
uint64_t am_store_digest(const am_store *store, uint32_t clip);
double am_store_file_rate(const am_store *store, uint32_t clip);      /* Hz of its file; 0 when it could not be read */
int am_store_frames(const am_store *store, uint32_t clip);            /* T of the clip's features */
int am_store_bins(const am_store *store);                             /* F */
int am_store_max_frames(const am_store *store);                       /* of clips and copies */
const float *am_store_features(const am_store *store, uint32_t clip); /* (T,F), not normalised */
const float *am_store_sound(const am_store *store, uint32_t clip, size_t *n);
double am_store_seconds(const am_store *store, uint32_t clip); /* decoded duration */
/* `unheard` are among those from the cache or computed. */
typedef struct am_store_counts {
  size_t from_cache, computed, skipped, unheard;
  double seconds;
} am_store_counts;
am_store_counts am_store_counted(const am_store *store);
am_store_counts am_store_counted_copies(const am_store *store);

#endif
