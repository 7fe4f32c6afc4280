/* SPDX-License-Identifier: MIT */
/* model/enrolment.c - clips to know a voice by, drawn at random. */
#include "model/enrolment.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"

/* Of one speaker: those heard go into e, and all that were set aside are marked. */
static void draw_speaker(const am_dataset *d, const am_store *store, uint32_t *own, size_t n, am_enrolment *e,
                         bool *aside) {
  const char *name = d->speakers[d->clips[own[0]].speaker];
  am_rng rng = am_rng_stream(e->seed, AM_FOR_SPLIT, am_hash64(0, name, strlen(name)), 0, 0);
  double seconds = 0;
  am_rng_shuffle(&rng, own, n);
  for (size_t i = 0; i < n / 2; i++) {
    aside[own[i]] = true;
    if (seconds >= e->wanted) continue;
    e->heard[e->n_heard++] = own[i];
    seconds += am_store_seconds(store, own[i]);
  }
  e->least = e->speakers ? fmin(e->least, seconds) : seconds;
  e->most = fmax(e->most, seconds);
  e->mean += seconds;
  e->speakers++;
}

am_status am_enrolment_draw(am_context *ctx, const am_dataset *d, const am_store *store, uint32_t *clips, size_t *n,
                            am_enrolment *e, am_error *err) {
  uint32_t *own = am_alloc(ctx, *n + 1, sizeof *own);
  bool *aside = am_alloc(ctx, d->n + 1, sizeof *aside);
  e->heard = am_alloc(ctx, *n + 1, sizeof *e->heard);
  am_status status = own && aside && e->heard ? AM_OK : am_no_memory(err);
  for (int speaker = 0; speaker < d->n_speakers && !status; speaker++) {
    size_t mine = 0, kept = 0;
    for (size_t i = 0; i < *n; i++)
      if (d->clips[clips[i]].speaker == speaker) own[mine++] = clips[i];
    if (mine) draw_speaker(d, store, own, mine, e, aside);
    for (size_t i = 0; mine && i < *n; i++)
      if (!aside[clips[i]]) clips[kept++] = clips[i];
    if (mine) *n = kept;
  }
  if (e->speakers) e->mean /= e->speakers;
  am_free(ctx, own);
  am_free(ctx, aside);
  return status;
}

void am_enrolment_free(am_context *ctx, am_enrolment *e) {
  am_free(ctx, e->heard);
  *e = (am_enrolment){0};
}
