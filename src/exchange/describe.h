/* SPDX-License-Identifier: MIT */
/* exchange/describe.h - what a model file of another program holds, without a config that it could be imported by: texts to be
 * shown.  A format fills it in (am_exchange.describe), `inspect` prints it. */
#ifndef AM_DESCRIBE_H
#define AM_DESCRIBE_H

#include "base/value.h"

enum { AM_DESCRIBED_COLUMNS = 3, AM_DESCRIBED_TEXT = 300 /* of a fact: longer ones are cut, and say so */ };

typedef struct am_described_row {
  const char *cells[AM_DESCRIBED_COLUMNS]; /* NULL: the table has fewer columns */
  double count;                            /* the last column; negative: none */
  struct am_described_row *next;
} am_described_row;

typedef struct am_described_table {
  const char *heads[AM_DESCRIBED_COLUMNS], *counted; /* counted NULL: no such column */
  am_described_row *first, *last;
  struct am_described_table *next;
} am_described_table;

typedef struct am_described_fact {
  const char *name, *text;
  struct am_described_fact *next;
} am_described_fact;

/* What importing a file takes beside it. */
typedef enum am_described_import {
  AM_IMPORT_ALONE,    /* nothing */
  AM_IMPORT_FEATURES, /* a config with the features and labels */
  AM_IMPORT_LAYERS,   /* the same with the model's layers */
  AM_IMPORT_REFUSED   /* cannot be: `refused` says why */
} am_described_import;

/* All of it belongs to the tree. Texts come from the file, and may hold anything. */
typedef struct am_described {
  am_context *ctx;
  am_tree *tree;
  am_described_fact *facts, *last_fact;
  am_described_table *tables, *last_table;
  am_described_import import;
  const char *refused; /* static */
  bool failed;         /* memory was out */
} am_described;

/* am_described_free also after failure. */
am_status am_describe_begin(am_context *ctx, am_described *d, am_error *err);
void am_described_free(am_described *d);
/* Ends of lines become "; ".  A text of NULL or "" is left out. */
void am_describe_text(am_described *d, const char *name, const char *text);
void am_describe_fact(am_described *d, const char *name, const char *format, ...) AM_PRINTF(3, 4);
/* A table, and rows of the last one. */
void am_describe_table(am_described *d, const char *first, const char *second, const char *third, const char *counted);
void am_describe_row(am_described *d, const char *first, const char *second, const char *third, double count);
/* What is to be returned: AM_E_NOMEM where memory was out, else `status`. */
am_status am_describe_end(const am_described *d, am_status status, am_error *err);

#endif
