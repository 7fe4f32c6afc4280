/* SPDX-License-Identifier: MIT */
/* data/corpora/list.h - lists of clips as other programs write them, read into one table; for data/ only.
 *
 * Every reader gives a table with the columns of AudioMood's own manifest (path, label, speaker, split, group, start,
 * seconds, utterance) and further ones, so manifest.c checks the rows of all formats alike.  A new format is one reader,
 * one word of AM_LIST_FORMATS (dataset.h) and one line in list.c. */
#ifndef AM_LIST_H
#define AM_LIST_H

#include "base/base.h"
#include "data/dataset.h"
#include "io/csv.h"

typedef struct am_list {
  am_context *ctx;
  am_tree *texts;            /* owns what follows, and what the reader keeps */
  const am_value *columns;   /* data.columns: our name -> the list's; NULL none */
  am_texts tables;           /* data.tables */
  am_csv *table;             /* what was read */
  am_csv *known;             /* the file of `path` itself, where recognising it took reading it; else NULL */
  const char *path, *folder; /* file or folder of the list; where its relative paths start from */
  bool inside;               /* its paths may not lead out of that folder */
  bool foreign;              /* rows without a label are left out, and columns with a value a clip are no traits */
  const char *title, *licence, *citation, *language; /* NULL: the list does not say */
} am_list;

/* The columns that every table begins with, in this order. */
#define AM_LIST_COLUMNS(X) \
  X(PATH, "path") \
  X(LABEL, "label") \
  X(SPEAKER, "speaker") \
  X(SPLIT, "split") \
  X(GROUP, "group") \
  X(START, "start") \
  X(SECONDS, "seconds") \
  X(UTTERANCE, "utterance")
#define AM_LIST_NAME(name, word) AM_LIST_##name,
typedef enum am_list_column { AM_LIST_COLUMNS(AM_LIST_NAME) AM_LIST_KNOWN } am_list_column;

/* Finds the list that the options name, recognises its format where they do not say it, and reads it; am_list_close. */
am_status am_list_open(am_context *ctx, const am_data_options *options, am_list *out, am_error *err);
void am_list_close(am_list *list);
/* Whether somebody who names this file or folder means a list of clips: a table, or what one of the formats is called. */
am_status am_list_is(am_context *ctx, const char *path, bool *yes, am_error *err);
const char *am_list_word(am_list_column column); /* what manifests call it */
/* Whether a path of the list stays below its folder: it is relative, and no part of it is "..". */
bool am_list_stays_inside(const char *path);

/* For readers: what a column is called, by data.columns or else the first of `usual` (ended by NULL) that the table has; -1:
 * it has none.  One that the options name and the table lacks is an error. */
am_status am_list_column_of(const am_list *list, const am_csv *table, am_list_column column, const char *const *usual,
                            int *out, am_error *err);
/* A file of a folder: its path (am_free), or NULL where there is none. */
am_status am_list_file(am_context *ctx, const char *folder, const char *name, char **path, am_error *err);
/* The table of a CSV, JSON or JSON Lines file of the list, by its ending. */
am_status am_list_records(am_list *list, const char *path, am_csv **out, am_error *err);
/* Begins list->table with the known columns and n more. */
am_status am_list_begin(am_list *list, const char *const *more, size_t n, am_error *err);
/* Parts of a corpus in folders of their own: the words that they are called by.  NULL past the last. */
extern const char *const am_list_parts[];
/* The part that a file of this ending is of by its name, train.csv or NAME_train.csv; NULL: of none. */
const char *am_list_part_of(const char *name, const char *ending);
/* The text of a number of seconds, in the list's memory; NULL when memory is out. */
const char *am_list_seconds(am_list *list, double seconds);
/* Sets start and seconds by columns with times such as "1 days 00:00:01.25", "00:00:01.25" or "1.25"; -1: no column. */
am_status am_list_put_times(am_list *list, const am_csv *table, size_t row, int start, int end, const char **fields,
                            am_error *err);

typedef am_status am_list_reader(am_list *list, am_error *err);
am_list_reader am_list_read_audformat, am_list_read_kaldi, am_list_read_audiofolder, am_list_read_emobox,
    am_list_read_nkululeko, am_list_read_speechbrain;

#endif
