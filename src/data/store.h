/* SPDX-License-Identifier: MIT */
/* data/store.h - what every clip of a dataset needs, ready to be read: features (T,F), or sound when augmentation changes the waveform
 * in each epoch; and the features of changed copies.
 *
 * It is filled from the cache, and what the cache lacks is decoded on all cores and added to it.  Of the features and sounds as
 * many are in memory as data.memory allows, and the others in the files of the cache; the numbers are the same.  Beside them a
 * clip takes 48 bytes, with sound 72, and each number of copies 48 more. */
#ifndef AM_STORE_H
#define AM_STORE_H

#include "audio/augment.h"
#include "audio/condition.h"
#include "audio/features.h"
#include "data/dataset.h"

typedef struct am_store am_store;

/* Of processes that train as one each computes a share, all make the same calls, and all get the bits that one would have
 * (store_share.c).  `d`, `fx`, and what `data` was read from outlive the store.  cache_dir NULL or "": no cache on disk, and all is in memory.  keep_sound: hold waveforms too. Clips that cannot be
 * read fail the call, or with skip_unreadable are marked: am_store_ok. Progress is reported as "features". */
am_status am_store_create(am_context *ctx, const am_dataset *d, const am_features *fx, const am_data_options *data,
                          const char *cache_dir, bool keep_sound, am_store **out, am_error *err);
/* Of n `clips` alone, and of what they become under a condition, drawn by their digests; with no cache, and without sound.
 * Which are unheard, and am_store_seconds, are as without it.  The others are not am_store_ok. */
am_status am_store_create_under(am_context *ctx, const am_dataset *d, const am_features *fx,
                                const am_data_options *data, const am_condition *under, const uint32_t *clips, size_t n,
                                am_store **out, am_error *err);
/* Adds o->copies copies of each of n `clips`, all of them am_store_ok (am_augment_copy).  They have entries of their own in the
 * cache, which runs that differ in seeds or parts of the split share.  What `o` was read from outlives the store.  On failure there
 * are none. */
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
double am_store_file_rate(const am_store *store, uint32_t clip); /* Hz of its file; 0 when it could not be read */
int am_store_frames(const am_store *store, uint32_t clip);       /* T of the clip's features */
int am_store_bins(const am_store *store);                        /* F */
int am_store_max_frames(const am_store *store);                  /* of clips and copies */
/* Features (T,F), not normalised; or the n samples of a store with sound.  What is on disk and cannot be read there any more is
 * computed again, with a warning; AM_E_DATA when the recording is another one by then.  Any thread. */
am_status am_store_read(const am_store *store, uint32_t clip, float *out, am_error *err);
am_status am_store_read_sound(const am_store *store, uint32_t clip, float *out, am_error *err);
bool am_store_has_sound(const am_store *store);
size_t am_store_samples(const am_store *store, uint32_t clip); /* 0 without sound */
/* Says that features, or sound, of a clip will be read soon: the disk may begin. */
void am_store_expect(const am_store *store, uint32_t clip, bool sound);
/* The same where they are in memory; NULL where they are not. */
const float *am_store_features(const am_store *store, uint32_t clip);
const float *am_store_sound(const am_store *store, uint32_t clip, size_t *n);
size_t am_store_held(const am_store *store); /* bytes of features and sounds in memory, with those of copies */
double am_store_seconds(const am_store *store, uint32_t clip); /* decoded duration */
/* `unheard` are among those from the cache or computed; `here` are those that this process tried to compute. */
typedef struct am_store_counts {
  size_t from_cache, computed, skipped, unheard, here;
  double seconds;
} am_store_counts;
am_store_counts am_store_counted(const am_store *store);
am_store_counts am_store_counted_copies(const am_store *store);

#endif
