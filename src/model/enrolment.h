/* SPDX-License-Identifier: MIT */
/* model/enrolment.h - which clips of a speaker a model is told of his voice by, and which of the others it is asked. */
#ifndef AM_ENROLMENT_H
#define AM_ENROLMENT_H

#include "data/loader.h"

typedef struct am_enrolment {
  double wanted; /* s of each speaker; HUGE_VAL: all there are */
  uint64_t seed;
  /* What am_enrolment_draw fills in; am_enrolment_free. */
  uint32_t *heard;
  size_t n_heard;
  int speakers;
  double least, mean, most; /* s heard of a speaker */
} am_enrolment;

/* Half of each speaker's clips (the smaller one) are set aside in an order drawn by seed and speaker, and the first of them that
 * have `wanted` seconds together are heard.  The other half, which stays in `clips`, is scored: the same clips for any `wanted`. */
am_status am_enrolment_draw(am_context *ctx, const am_dataset *d, const am_store *store, uint32_t *clips, size_t *n,
                            am_enrolment *e, am_error *err);
void am_enrolment_free(am_context *ctx, am_enrolment *e);

#endif
