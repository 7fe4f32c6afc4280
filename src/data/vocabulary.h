/* SPDX-License-Identifier: MIT */
/* data/vocabulary.h - one word for one emotion: the English names that corpora give them. */
#ifndef AM_VOCABULARY_H
#define AM_VOCABULARY_H

#include "base/value.h"
#include "data/names.h"

/* The common word (RAVDESS's and IEMOCAP's: "angry") of a name in lower case ("anger", "angry"); NULL: it is not among those
 * known.  A literal. */
const char *am_vocabulary_common(const char *folded);
/* A known label that means the same emotion as `label`, which is none of them, whatever its case; NULL: none does. */
const char *am_vocabulary_synonym(am_tree *tree, const char *label, const am_name_set *known);

#endif
