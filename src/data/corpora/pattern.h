/* SPDX-License-Identifier: MIT */
/* data/corpora/pattern.h - regular expressions with named groups (PCRE2); for data/ only.
 *
 * Patterns come from files of users, so matching works under limits: one that
 * backtracks without end is an error and never hangs. */
#ifndef AM_PATTERN_H
#define AM_PATTERN_H

#include "base/base.h"

typedef struct am_pattern am_pattern;

enum { AM_PATTERN_BYTES = 4096, AM_PATTERN_STEPS = 200000 /* of one match */ };

/* Fails with AM_E_CONFIG, the character and what is wrong there. UTF-8; \w knows all letters. */
am_status am_pattern_create(am_context *ctx, const char *text, am_pattern **out, am_error *err);
void am_pattern_free(am_pattern *pattern);
/* Names of the groups, by name; one may be listed twice. NULL past the last. */
const char *am_pattern_group(const am_pattern *pattern, size_t i);
/* Does the last part of `path`, from its beginning or from after a '/', match as a whole?  `*start` is
 * where it begins; the longest such part counts.  A path that is not UTF-8 does not match, not even in
 * part.  AM_E_CONFIG when the match takes too many steps. */
am_status am_pattern_match(am_pattern *pattern, const char *path, bool *matched, size_t *start, am_error *err);
/* After a match: what the group of am_pattern_group(i) caught; false when it took no part. */
bool am_pattern_caught(const am_pattern *pattern, size_t i, size_t *start, size_t *length);

void am_pattern_library(char out[64]); /* version of PCRE2 in use */

#endif
