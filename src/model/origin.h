/* SPDX-License-Identifier: MIT */
/* model/origin.h - what the weights of a checkpoint were trained on: whether they know the speakers they are scored on.
 *
 * A checkpoint names the speakers that its weights were trained on and those whose clips chose the epoch, for those were
 * looked at, too; likewise those known to the model that it began from (--init); and it keeps a digest of its clips, labels
 * and parts.  A speaker is what am_clip_person calls him.  Lists of them are sorted by byte, each there once. */
#ifndef AM_ORIGIN_H
#define AM_ORIGIN_H

#include "base/file.h"
#include "data/credit.h"
#include "data/dataset.h"

typedef struct am_origin {
  char *config;    /* text of the effective config */
  uint64_t digest; /* of the data (am_data_digest); 0: not known */
  am_names seen;   /* speakers that this run knows; AM_PERSON_UNKNOWN among them: perhaps any */
  am_names
      before; /* speakers that the model it began from knew; of early files the names of corpora, which may be any */
  am_credit credit; /* what the weights owe */
  bool speaker_independent;
} am_origin;

void am_origin_free(am_context *ctx, am_origin *origin);

/* What a run that begins from the checkpoint `from` and whose data have this digest counts as known before. */
am_status am_origin_before(am_context *ctx, const am_origin *from, uint64_t digest, am_names *before, am_error *err);

/* Adds the speakers of clips. */
am_status am_speakers_add(am_context *ctx, am_names *speakers, const am_dataset *d, const uint32_t *clips, size_t n,
                          am_error *err);
/* Adds those that a text names, a line each. */
am_status am_speakers_read(am_context *ctx, am_names *speakers, const char *text, am_error *err);
/* Adds those of another list. */
am_status am_speakers_join(am_context *ctx, am_names *speakers, const am_names *more, am_error *err);
/* Brings names from elsewhere into order. */
void am_speakers_sort(am_context *ctx, am_names *speakers);

typedef struct am_shared {
  size_t n, of;   /* speakers of `a` that are among `b`, and all that `a` names */
  bool unknown;   /* one who is not named in one of them may be in the other */
  char first[96]; /* of the n, "CORPUS/SPEAKER" */
} am_shared;
am_shared am_speakers_shared(const am_names *a, const am_names *b);

#endif
