/* SPDX-License-Identifier: MIT */
/* io/csv.h - tables as text (RFC 4180): quotes, embedded delimiters and line
 * breaks, CRLF, a byte order mark; the first row names the columns.  Blank
 * lines are skipped.  Rows of another width than the header, stray or open
 * quotes, NUL bytes and what is not UTF-8 are refused with file and line. */
#ifndef AM_CSV_H
#define AM_CSV_H

#include "base/base.h"

typedef struct am_csv am_csv;

enum { AM_CSV_BYTES = 1 << 30 /* of a file */ };

/* `delimiter` 0: tab when the name ends in .tsv or .tab, else comma; where the first row has none of these but semicolons,
 * commas or tabs alone, that; and a first line "sep=;", as Excel writes it, says which and is no row. */
am_status am_csv_read_file(am_context *ctx, const char *path, char delimiter, am_csv **out, am_error *err);
am_status am_csv_read_text(am_context *ctx, const char *text, size_t bytes, const char *source, char delimiter,
                           am_csv **out, am_error *err);
/* A table that is put together of what another format says: n distinct names, then rows of n fields (copied; NULL: empty), each
 * with the file and line (0: no line) that messages name. */
am_status am_csv_create(am_context *ctx, const char *source, const char *const *names, size_t n, am_csv **out,
                        am_error *err);
am_status am_csv_add(am_csv *csv, const char *const *fields, const char *source, int line, am_error *err);
void am_csv_free(am_csv *csv);

size_t am_csv_rows(const am_csv *csv); /* without the header */
size_t am_csv_columns(const am_csv *csv);
const char *am_csv_name(const am_csv *csv, size_t column);
/* Column by header name, -1 when absent. */
int am_csv_column(const am_csv *csv, const char *name);
/* The same; absent is an AM_E_FORMAT error that names the columns there are. */
am_status am_csv_need(const am_csv *csv, const char *name, int *column, am_error *err);
const char *am_csv_get(const am_csv *csv, size_t row, size_t column); /* borrowed, terminated */
int am_csv_line(const am_csv *csv, size_t row);                       /* where the row begins, from 1 */
const char *am_csv_source(const am_csv *csv, size_t row);             /* the file that the row is of */
/* Fails with "file:line: message". */
am_status am_csv_fail(const am_csv *csv, size_t row, am_error *err, const char *format, ...) AM_PRINTF(4, 5);

/* A number; NaN where the field is empty. */
am_status am_csv_real(const am_csv *csv, size_t row, int column, double *out, am_error *err);

/* Writing: fields of a row one after another, then the end of the row (LF). Quoted where needed. */
typedef struct am_csv_writer {
  am_context *ctx;
  am_buffer *out; /* out->failed shows that memory ran out */
  char delimiter; /* 0: comma */
  bool filled;    /* the row has a field already */
} am_csv_writer;
void am_csv_put(am_csv_writer *w, const char *text);
void am_csv_put_int(am_csv_writer *w, int64_t number);
void am_csv_put_real(am_csv_writer *w, double number); /* shortest that reads back; NaN is empty */
void am_csv_end_row(am_csv_writer *w);

#endif
