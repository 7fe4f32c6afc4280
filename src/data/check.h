/* SPDX-License-Identifier: MIT */
/* data/check.h - what the sounds of a corpus are: rates, channels, lengths, and which are the same. */
#ifndef AM_CHECK_H
#define AM_CHECK_H

#include "audiomood/audio.h"
#include "data/dataset.h"

enum { AM_CHECK_BANDS = 32 };

/* Of one clip's file, decoded as a whole. */
typedef struct am_check_clip {
  char *problem; /* why it cannot be read; NULL: it can, and the rest is known */
  double rate, seconds;
  int channels;
  size_t samples;
  am_unheard unheard; /* of the clip, which may be a part of its file */
  am_unheard file_unheard;
  float level[AM_CHECK_BANDS]; /* root mean square of each of as many equal stretches */
} am_check_clip;

typedef struct am_check_pair {
  uint32_t first, second;
} am_check_pair; /* indices of clips */

typedef struct am_check {
  am_context *ctx;
  size_t n; /* as the dataset's clips */
  am_check_clip *clips;
  size_t n_pairs, pairs_room;
  am_check_pair *pairs; /* each later clip beside the first that it repeats */
} am_check;

/* Decodes every file by all threads.  Two clips hold the same sound when rate and length are equal and
 * the difference is at least 40 dB below the sound: copies that were converted once more differ by
 * rounding and dither.  Silent clips are no pairs. */
am_status am_check_run(am_context *ctx, const am_dataset *d, double max_seconds, am_check *out, am_error *err);
/* Whether two files hold the same sound, as above. */
am_status am_check_same(am_context *ctx, const char *a, const char *b, double max_seconds, bool *same, am_error *err);
void am_check_free(am_check *check);

#endif
