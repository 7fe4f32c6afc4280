/* SPDX-License-Identifier: MIT */
/* data/corpora/described_table.h - the tables that a description names, as one; for described.c. */
#ifndef AM_DESCRIBED_TABLE_H
#define AM_DESCRIBED_TABLE_H

#include "data/corpora/described.h"
#include "io/csv.h"

/* Columns that every such table begins with, whatever the files call theirs; the files' own columns follow. */
#define AM_TABLE_COLUMNS(X) \
  X(PATH, "(path)") \
  X(LABEL, "(label)") \
  X(SPEAKER, "(speaker)") \
  X(GROUP, "(group)") \
  X(PART, "(part)") \
  X(START, "(start)") \
  X(SECONDS, "(seconds)")
#define AM_TABLE_NAME(name, word) AM_TABLE_##name,
typedef enum am_table_column { AM_TABLE_COLUMNS(AM_TABLE_NAME) AM_TABLE_KNOWN } am_table_column;

/* Codes that a row has whose scores decide for no column. */
#define AM_SCORES_NONE "none" /* all are 0 */
#define AM_SCORES_TIE "tie"   /* several are the highest */

/* A CSV, TSV, JSON or JSON Lines file below the root; `what` it is, such as "table of labels". */
am_status am_table_read(am_context *ctx, const char *root, const char *file, const char *what, am_csv **out,
                        am_error *err);
/* All tables of the description, row after row. */
am_status am_description_tables(am_context *ctx, const am_description *d, const char *root, am_csv **out,
                                am_error *err);
/* Whether a table gives the label of its rows, by a column or by scores. */
bool am_table_has_label(const am_description_table *table);

#endif
