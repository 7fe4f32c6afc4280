/* SPDX-License-Identifier: MIT */
/* run/events.h - the figures of each epoch as TensorBoard reads them: train.tensorboard.
 *
 * The file is a row of records (TFRecord): length, checksum of the length, an Event message, checksum of that.  The first one
 * names the version, and each of the others is an epoch with its figures as scalars.  Messages are protocol buffers of
 * tensorflow/core/util/event.proto and framework/summary.proto; the few fields that are needed are written by hand. */
#ifndef AM_EVENTS_H
#define AM_EVENTS_H

#include "model/epoch.h"
#include "run/folder.h"

/* Brings the file of the folder up to `n` epochs.  Records of these epochs that are there stay as they are, and what else is
 * behind them goes: epochs that a killed process did not save will come again.  New records are written to the end of the same
 * file, since a TensorBoard that is open reads on in that one.  So a crash can leave an incomplete last record, which
 * readers pass over and the next call replaces. */
am_status am_events_write(am_run_folder *f, const am_epoch *epochs, size_t n, am_error *err);
/* The records alone: the first one with `epoch` NULL. `when`: seconds since 1970. */
void am_events_record(am_context *ctx, am_buffer *out, const am_epoch *epoch, double when);

#endif
