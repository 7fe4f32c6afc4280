/* SPDX-License-Identifier: MIT */
/* model/epoch.c - see epoch.h. */
#include "model/epoch.h"

#include <math.h>

static const char *const classes[AM_EPOCH_COLUMNS] = {
    "epoch",          "train_loss",    "train_accuracy", "validation_loss", "validation_accuracy",
    "validation_uar", "learning_rate", "seconds",        "clips_per_second"};
static const char *const values_columns[AM_EPOCH_VALUES_COLUMNS] = {
    "epoch", "train_loss", "validation_loss", "validation_ccc", "learning_rate", "seconds", "clips_per_second"};

/* The first is a whole number. */
#define AT(member) offsetof(am_epoch, member)
static const size_t of_classes[AM_EPOCH_COLUMNS] = {0,
                                                    AT(train_loss),
                                                    AT(train_accuracy),
                                                    AT(validation_loss),
                                                    AT(validation_accuracy),
                                                    AT(validation_uar),
                                                    AT(learning_rate),
                                                    AT(seconds),
                                                    AT(clips_per_second)};
static const size_t of_values[AM_EPOCH_VALUES_COLUMNS] = {
    0, AT(train_loss), AT(validation_loss), AT(validation_ccc), AT(learning_rate), AT(seconds), AT(clips_per_second)};
#undef AT

am_epoch_columns am_epoch_columns_of(bool values) {
  return values ? (am_epoch_columns){AM_EPOCH_VALUES_COLUMNS, values_columns}
                : (am_epoch_columns){AM_EPOCH_COLUMNS, classes};
}

void am_epoch_to_row(const am_epoch *e, bool values, double *row) {
  const size_t *members = values ? of_values : of_classes;
  row[0] = (double)e->epoch;
  for (int i = 1; i < am_epoch_columns_of(values).n; i++)
    row[i] = *(const double *)(const void *)((const char *)e + members[i]);
}

am_epoch am_epoch_from_row(const double *row, bool values) {
  const size_t *members = values ? of_values : of_classes;
  am_epoch e = {.epoch = (uint64_t)row[0],
                .train_accuracy = NAN,
                .validation_accuracy = NAN,
                .validation_uar = NAN,
                .validation_ccc = NAN};
  for (int i = 1; i < am_epoch_columns_of(values).n; i++) *(double *)(void *)((char *)&e + members[i]) = row[i];
  return e;
}
