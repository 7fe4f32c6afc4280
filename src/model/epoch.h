/* SPDX-License-Identifier: MIT */
/* model/epoch.h - a finished epoch, and the columns that it has in a checkpoint and in history.csv. */
#ifndef AM_EPOCH_H
#define AM_EPOCH_H

#include "base/base.h"

/* NaN where a figure was not taken: accuracies and UAR of dimensions, concordance (ccc) of classes. */
typedef struct am_epoch {
  uint64_t epoch; /* from 1 */
  double train_loss, train_accuracy, validation_loss, validation_accuracy, validation_uar, learning_rate, seconds,
      clips_per_second;
  double validation_ccc; /* the mean of the dimensions' */
} am_epoch;

/* Those of classes, and those of dimensions (`values`). */
enum { AM_EPOCH_COLUMNS = 9, AM_EPOCH_VALUES_COLUMNS = 7 };
typedef struct am_epoch_columns {
  int n;
  const char *const *names;
} am_epoch_columns;
am_epoch_columns am_epoch_columns_of(bool values);
/* row (am_epoch_columns.n, at most AM_EPOCH_COLUMNS) */
void am_epoch_to_row(const am_epoch *e, bool values, double *row);
/* row[0] is a whole number. */
am_epoch am_epoch_from_row(const double *row, bool values);

#endif
