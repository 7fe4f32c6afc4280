/* model/epoch.c - see epoch.h. */
#include "model/epoch.h"

const char *const am_epoch_columns[AM_EPOCH_COLUMNS] = {
    "epoch",          "train_loss",    "train_accuracy", "validation_loss", "validation_accuracy",
    "validation_uar", "learning_rate", "seconds",        "clips_per_second"};
static const size_t members[AM_EPOCH_COLUMNS] = {0, /* a whole number */
                                                 offsetof(am_epoch, train_loss),
                                                 offsetof(am_epoch, train_accuracy),
                                                 offsetof(am_epoch, validation_loss),
                                                 offsetof(am_epoch, validation_accuracy),
                                                 offsetof(am_epoch, validation_uar),
                                                 offsetof(am_epoch, learning_rate),
                                                 offsetof(am_epoch, seconds),
                                                 offsetof(am_epoch, clips_per_second)};

void am_epoch_to_row(const am_epoch *e, double row[AM_EPOCH_COLUMNS]) {
  row[0] = (double)e->epoch;
  for (int i = 1; i < AM_EPOCH_COLUMNS; i++) row[i] = *(const double *)(const void *)((const char *)e + members[i]);
}

am_epoch am_epoch_from_row(const double row[AM_EPOCH_COLUMNS]) {
  am_epoch e = {.epoch = (uint64_t)row[0]};
  for (int i = 1; i < AM_EPOCH_COLUMNS; i++) *(double *)(void *)((char *)&e + members[i]) = row[i];
  return e;
}
