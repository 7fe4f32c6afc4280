/* SPDX-License-Identifier: MIT */
/* model/share.h - one model for many streams at once.
 *
 * Weights, statistics and labels of a loaded model are never written.  What is: what it knows of a voice, and the session, features
 * and room that a prediction uses.  A share is an ensemble of its own over the same weights, with a voice of its own; it takes some
 * hundred bytes.  The room for predictions belongs to a thread (am_ears), which lends it to the share that it is about to ask. */
#ifndef AM_SHARE_H
#define AM_SHARE_H

#include "audiomood/stream.h"

/* Of an ensemble that outlives it, is asked nothing itself, and knows no voice; from any thread.  So is its detector of speech.  am_ensemble_unshare. */
am_status am_ensemble_share(const am_ensemble *of, am_ensemble **out, am_error *err);
void am_ensemble_unshare(am_ensemble *share); /* NULL is allowed */

/* What one thread predicts by. */
typedef struct am_ears am_ears;
am_status am_ears_create(const am_ensemble *of, am_ears **out, am_error *err);
void am_ears_free(am_ears *ears); /* NULL is allowed */
/* Between these a share of that ensemble may be asked, by this thread.  What the first prediction makes stays with the ears. */
void am_ears_lend(am_ears *ears, am_ensemble *share);
void am_ears_take(am_ears *ears, am_ensemble *share);

#endif
