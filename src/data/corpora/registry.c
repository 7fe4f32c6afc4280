/* SPDX-License-Identifier: MIT */
/* data/corpora/registry.c - every corpus there is.  A new corpus adds one line here. */
#include "data/corpora/registry.h"

#define CORPORA(X) \
  X(am_corpus_ravdess) \
  X(am_corpus_manifest) \
  X(am_corpus_iemocap) \
  X(am_corpus_described) \
  X(am_corpus_several)

#define DECLARE(corpus) extern const am_corpus_class corpus;
#define HEAD(corpus) &(corpus).is,
CORPORA(DECLARE)

const am_variant *const am_corpora[] = {CORPORA(HEAD) NULL};

const am_corpus_class *am_corpus_class_of(const am_data_options *o) {
  return (const am_corpus_class *)am_corpora[o->corpus]; /* a head is the first member of its row */
}

const char *am_data_corpus(const am_data_options *o) { return am_corpora[o->corpus]->name; }
