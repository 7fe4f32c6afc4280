/* model/epoch.h - a finished epoch, and the columns that it has in a checkpoint and in history.csv. */
#ifndef AM_EPOCH_H
#define AM_EPOCH_H

#include "base/base.h"

/* NaN where a figure was not taken. */
typedef struct am_epoch {
  uint64_t epoch; /* from 1 */
  double train_loss, train_accuracy, validation_loss, validation_accuracy, validation_uar, learning_rate, seconds,
      clips_per_second;
} am_epoch;

enum { AM_EPOCH_COLUMNS = 9 };
extern const char *const am_epoch_columns[AM_EPOCH_COLUMNS];
void am_epoch_to_row(const am_epoch *e, double row[AM_EPOCH_COLUMNS]);
/* row[0] is a whole number. */
am_epoch am_epoch_from_row(const double row[AM_EPOCH_COLUMNS]);

#endif
