/* SPDX-License-Identifier: MIT */
/* run/digests.h - digests of the weights along a run, with which `verify` compares a second training: digests.csv. */
#ifndef AM_DIGESTS_H
#define AM_DIGESTS_H

#include "run/folder.h"

/* The weights and statistics after a step, as a crc32c (am_checkpoint_digest). */
typedef struct am_digest {
  uint64_t step, epoch; /* done */
  uint32_t crc;
} am_digest;
typedef struct am_digests {
  am_digest *at;
  size_t n;
} am_digests;

enum {
  AM_DIGEST_STEP = 10
}; /* digests are taken before the first step, after this one, and at the end of each epoch */

/* After the last one, or in its place when it is of the same step (step 10 may end an epoch). */
am_status am_digests_note(am_context *ctx, am_digests *d, am_digest digest, am_error *err);
am_status am_digests_write(am_run_folder *folder, const am_digests *d, am_error *err);
/* AM_E_IO when there is no such file. am_free out->at */
am_status am_digests_read(am_context *ctx, const char *run, am_digests *out, am_error *err);

#endif
