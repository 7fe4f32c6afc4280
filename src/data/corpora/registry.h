/* SPDX-License-Identifier: MIT */
/* data/corpora/registry.h - all corpora there are. */
#ifndef AM_CORPUS_REGISTRY_H
#define AM_CORPUS_REGISTRY_H

#include "data/corpora/corpus.h"

/* The heads of their rows, in the order of am_data_options.corpus; NULL ends. */
extern const am_variant *const am_corpora[];
const am_corpus_class *am_corpus_class_of(const am_data_options *options);
const char *am_data_corpus(const am_data_options *options); /* the word of `corpus` */

#endif
