/* SPDX-License-Identifier: MIT */
/* data/filter.h - from what a loader found to the dataset; for data/ only. */
#ifndef AM_FILTER_H
#define AM_FILTER_H

#include "data/corpora/corpus.h"

/* Merges labels, applies the filters, orders classes and speakers, and fills the dataset. */
am_status am_corpus_finish(am_corpus *corpus, const am_data_options *options, am_error *err);

#endif
