/* SPDX-License-Identifier: MIT */
/* cli/predicting.h - how predict hears its sounds, once it is known which and by what. */
#ifndef AM_PREDICTING_H
#define AM_PREDICTING_H

#include "cli/cli.h"

typedef struct cli_hearing {
  cli_shape shape;    /* of the rows */
  const char *out;    /* --out; NULL: standard output */
  double window, hop; /* s; window 0: each sound as a whole */
  bool skip;          /* --skip-unreadable */
  bool review;        /* --uncertain-first: the table of all sounds for a person, in place of rows */
  bool segmented;     /* --segments, by: */
  cli_segmenting segments;
} cli_hearing;

/* Rows of all sounds, in their order.  Sounds as a whole are heard by all threads, one each, which need not be of a voice that is
 * known to the models. */
am_status cli_predict_all(cli *c, const cli_models *team, const cli_sounds *sounds, const cli_hearing *how,
                          am_error *err);

#endif
