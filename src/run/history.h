/* SPDX-License-Identifier: MIT */
/* run/history.h - history.csv: a row an epoch. */
#ifndef AM_HISTORY_H
#define AM_HISTORY_H

#include "model/epoch.h"
#include "run/folder.h"

typedef struct am_history {
  size_t n;
  am_epoch *at;
} am_history;

/* scored: classes that the validation part has, which validation_uar is a mean over; 0: it has no clip; or dimensions were told. */
enum { AM_HISTORY_OF_VALUES = -1 };
am_status am_history_write(am_run_folder *f, const am_epoch *epochs, size_t n, int scored, am_error *err);
/* Puts the epochs of the file `path` after those there are; am_free h->at.  An empty field is a figure that was not taken. */
am_status am_history_read(am_context *ctx, const char *path, am_history *h, am_error *err);

#endif
