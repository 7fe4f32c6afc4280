/* SPDX-License-Identifier: MIT */
/* run/history.c - see history.h. */
#include "run/history.h"

#include <math.h>

#include "io/csv.h"

am_status am_history_write(am_run_folder *f, const am_epoch *epochs, size_t n, int scored, am_error *err) {
  const bool values = scored == AM_HISTORY_OF_VALUES;
  const am_epoch_columns columns = am_epoch_columns_of(values);
  am_buffer text = {0};
  am_csv_writer w = {.ctx = f->ctx, .out = &text};
  for (int i = 0; i < columns.n; i++) am_csv_put(&w, columns.names[i]);
  if (!values) am_csv_put(&w, "validation_classes");
  am_csv_end_row(&w);
  for (size_t i = 0; i < n; i++) {
    double row[AM_EPOCH_COLUMNS];
    am_epoch_to_row(&epochs[i], values, row);
    am_csv_put_int(&w, (int64_t)epochs[i].epoch);
    for (int k = 1; k < columns.n; k++) am_csv_put_real(&w, row[k]);
    if (!values && scored) am_csv_put_int(&w, scored);
    else if (!values) am_csv_put(&w, "");
    am_csv_end_row(&w);
  }
  am_status status = am_run_folder_write(f, AM_FILE_HISTORY, &text, err);
  am_buffer_free(f->ctx, &text);
  return status;
}

static am_status read_epoch(const am_csv *csv, size_t row, bool values, const int column[AM_EPOCH_COLUMNS], am_epoch *e,
                            am_error *err) {
  double number[AM_EPOCH_COLUMNS] = {0};
  for (int i = 0; i < am_epoch_columns_of(values).n; i++) {
    am_status status = am_csv_real(csv, row, column[i], &number[i], err);
    if (status) return status;
  }
  if (!(number[0] >= 1 && number[0] < 1e9))
    return am_csv_fail(csv, row, err, "epoch is '%s', wanted a number from 1", am_csv_get(csv, row, (size_t)column[0]));
  *e = am_epoch_from_row(number, values);
  return AM_OK;
}

am_status am_history_read(am_context *ctx, const char *path, am_history *h, am_error *err) {
  int column[AM_EPOCH_COLUMNS] = {0};
  am_csv *csv = NULL;
  am_status status = am_csv_read_file(ctx, path, 0, &csv, err);
  const bool values = !status && am_csv_column(csv, "validation_ccc") >= 0;
  const am_epoch_columns columns = am_epoch_columns_of(values);
  for (int i = 0; i < columns.n && !status; i++) status = am_csv_need(csv, columns.names[i], &column[i], err);
  size_t rows = status ? 0 : am_csv_rows(csv);
  am_epoch *moved = status ? NULL : am_resize(ctx, h->at, am_add(h->n, rows + 1), sizeof *moved);
  if (moved) h->at = moved;
  else if (!status) status = am_no_memory(err);
  for (size_t i = 0; i < rows && !status; i++) status = read_epoch(csv, i, values, column, &h->at[h->n++], err);
  am_csv_free(csv);
  return status;
}
