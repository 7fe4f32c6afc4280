/* SPDX-License-Identifier: MIT */
/* io/rows.h - rows of CSV or lines of JSON that were appended one after another, told apart without reading all of them at once.
 *
 * Each row begins with a name: the first field, or the first text of the object.  Pure functions over bytes that anybody may have
 * written; nothing is allocated. */
#ifndef AM_ROWS_H
#define AM_ROWS_H

#include "base/base.h"

typedef enum am_rows_kind { AM_ROWS_CSV, AM_ROWS_JSON } am_rows_kind;

/* Bytes of the row that `text` begins with, with its end of line; 0: there is no whole one.  A NUL byte is in none: it is what a
 * power cut leaves of what was not written yet. */
size_t am_row_whole(am_rows_kind kind, const char *text, size_t bytes);
/* Bytes of the row up to the end of its name, as it is written there, quotes and all; 0: it does not begin with one. */
size_t am_row_key(am_rows_kind kind, const char *row, size_t bytes);
/* The same bytes, but that numbers may differ by `tolerance`: of another machine, whose last bits are others. */
bool am_rows_agree(const char *a, size_t a_bytes, const char *b, size_t b_bytes, double tolerance);

#endif
