/* model/origin.h - what the weights of a checkpoint were trained on: whether they may know the speakers they are scored on.
 *
 * A checkpoint names its corpora, and those that the model it began from (--init) had been trained on, and keeps a digest of
 * its clips, labels and parts.  It does not name speakers. */
#ifndef AM_ORIGIN_H
#define AM_ORIGIN_H

#include "base/file.h"
#include "data/dataset.h"

/* In a list of corpora: one whose name the file does not say.  It may be any. */
#define AM_CORPUS_UNKNOWN "not known"

typedef struct am_origin {
  char *config;     /* text of the effective config */
  uint64_t digest;  /* of the data (am_data_digest); 0: not known */
  am_names corpora; /* trained on by this run */
  am_names before;  /* trained on before, by --init */
  bool speaker_independent;
} am_origin;

void am_origin_free(am_context *ctx, am_origin *origin);

/* Adds the names of the corpora of a data section; `corpus` is the name it has as a whole. */
am_status am_corpora_add(am_context *ctx, am_names *names, const am_data_options *data, const char *corpus,
                         bool synthetic, am_error *err);
/* The first of `a` that may be one of `b`: of the same name ("ravdess" is also "ravdess_speech" and "ravdess_speech.yaml"), or
 * not known.  NULL: none. */
const char *am_corpora_shared(const am_names *a, const am_names *b);
/* What a run that begins from the checkpoint `from` and whose data have this digest counts as trained on before. */
am_status am_origin_before(am_context *ctx, const am_origin *from, uint64_t digest, am_names *before, am_error *err);

#endif
