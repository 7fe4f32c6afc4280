/* SPDX-License-Identifier: MIT */
/* data/spelling.h - names that look alike: blanks at their ends, Unicode's several forms of a letter, case. */
#ifndef AM_SPELLING_H
#define AM_SPELLING_H

#include "data/dataset.h"
#include "data/names.h"

/* Without what cannot be seen: no blanks at the ends, letters composed (NFC).  A text of the tree, or `text` itself where it
 * is so already; NULL when memory is out. */
const char *am_spelling_clean(am_tree *tree, const char *text);
/* For comparing: clean, without case, width and characters that take no room, runs of blanks one blank; NULL as above. */
const char *am_spelling_fold(am_tree *tree, const char *text);

/* Distinct names of one kind, and where each was found. */
typedef struct am_spelled {
  am_context *ctx;
  am_tree *tree;    /* for texts */
  const char *what; /* "label" */
  size_t n;
  const char *const *at;
  const size_t *count;          /* how many clips have it */
  const char *const *place;     /* of the first of them: "list.csv:3" or its name */
  const am_name_set *preferred; /* the config's own spellings, which others are joined to; NULL: none */
} am_spelled;
/* as[i]: what name i counts as, by `alike`.  Warns of those that are joined, and of those that are kept apart by their case
 * alone, with where they are and what to write. */
am_status am_spelling_join(const am_spelled *s, am_alike alike, const char **as, am_error *err);

const char *am_spelling_library(void); /* version of utf8proc in use */

#endif
