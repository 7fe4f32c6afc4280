/* SPDX-License-Identifier: MIT */
/* io/json_table.h - records in JSON as a table: JSON Lines (an object a line), a list of objects, or a map of names and objects.
 *
 * The columns are the keys of all records in the order they come.  Texts, numbers, true and false are fields; null, a missing
 * key, and lists and maps inside a record are empty ones.  What the map calls a record goes into the column AM_JSON_NAME. */
#ifndef AM_JSON_TABLE_H
#define AM_JSON_TABLE_H

#include "io/csv.h"

#define AM_JSON_NAME "(name)"

/* At most AM_JSON_BYTES.  Messages about a row name the line of a JSON Lines file, else the record by its number. */
am_status am_json_table_read_file(am_context *ctx, const char *path, am_csv **out, am_error *err);
am_status am_json_table_read_text(am_context *ctx, const char *text, size_t bytes, const char *source, am_csv **out,
                                  am_error *err);

#endif
