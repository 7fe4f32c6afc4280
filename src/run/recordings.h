/* SPDX-License-Identifier: MIT */
/* run/recordings.h - whether the clips are the recordings that a run was trained on.
 *
 * clips.csv of a run's folder has a digest of each clip's sound: of what was decoded, so that a copied corpus, another mount
 * and the same samples in another format agree. */
#ifndef AM_RECORDINGS_H
#define AM_RECORDINGS_H

#include "data/loader.h"

typedef struct am_recordings {
  bool known; /* the run kept digests: versions before did not */
  size_t n_changed;
  am_buffer names; /* of the first that changed, and how many more: "a.wav, b.wav and 3 more"; am_buffer_free */
} am_recordings;

/* clips.csv of the clips that could be read. */
am_status am_recordings_text(am_context *ctx, const am_dataset *d, const am_store *store, am_buffer *out,
                             am_error *err);
/* The clips (of all when NULL) against clips.csv in the folder `run`; clips that it does not name are no change.
 * AM_E_FORMAT when it is damaged. */
am_status am_recordings_compare(am_context *ctx, const char *run, const am_dataset *d, const am_store *store,
                                const uint32_t *clips, size_t n, am_recordings *out, am_error *err);

#endif
