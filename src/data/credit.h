/* SPDX-License-Identifier: MIT */
/* data/credit.h - whom a corpus, and all that is trained on it, has to name, and under which licence it is. */
#ifndef AM_CREDIT_H
#define AM_CREDIT_H

#include "base/base.h"

/* Between the licences of several corpora, and between their lines of attribution. */
#define AM_LICENCE_GAP "; "
#define AM_ATTRIBUTION_GAP "\n"

/* What the weights of a model owe; owned texts, NULL: nothing. */
typedef struct am_credit {
  char *licence, *attribution;
} am_credit;
void am_credit_free(am_context *ctx, am_credit *credit);
/* Adds what another owes. */
am_status am_credit_join(am_context *ctx, am_credit *credit, const char *licence, const char *attribution,
                         am_error *err);

/* Whether a licence's name says so: "CC BY-NC-SA 4.0". */
bool am_credit_noncommercial(const char *licence);

/* Adds those pieces of `more` that `list` does not have yet; both have `gap` between their pieces.  NULL adds nothing. */
am_status am_credit_add(am_context *ctx, am_buffer *list, const char *more, const char *gap, am_error *err);

/* "nEMO: Dataset of ... (CC BY-NC-SA 4.0): Christop I (2024), ...", a line; am_free. */
am_status am_credit_line(am_context *ctx, const char *title, const char *licence, const char *citation, char **out,
                         am_error *err);

#endif
