/* SPDX-License-Identifier: MIT */
/* data/alike.h - one name for one label, speaker or group, before anything is filtered; for data/ only. */
#ifndef AM_ALIKE_H
#define AM_ALIKE_H

#include "data/corpora/corpus.h"
#include "data/names.h"

/* Rewrites the names of labels, speakers and groups of the entries by data.merge_alike, and labels by data.vocabulary; and
 * labels, merge and rename of the options likewise, so that a config may say them either way.  Warns of what is joined, and
 * of what looks or means the same and is not. */
am_status am_corpus_join_alike(am_corpus *corpus, am_data_options *options, am_error *err);

#endif
