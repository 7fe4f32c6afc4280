/* SPDX-License-Identifier: MIT */
/* run/digests.c - see digests.h. */
#include "run/digests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "io/csv.h"

am_status am_digests_note(am_context *ctx, am_digests *d, am_digest digest, am_error *err) {
  if (d->n && d->at[d->n - 1].step == digest.step) {
    d->at[d->n - 1].epoch = digest.epoch;
    return AM_OK;
  }
  am_digest *moved = am_resize(ctx, d->at, d->n + 1, sizeof *moved);
  if (!moved) return am_no_memory(err);
  d->at = moved;
  d->at[d->n++] = digest;
  return AM_OK;
}

am_status am_digests_write(am_run_folder *folder, const am_digests *d, am_error *err) {
  am_buffer text = {0};
  am_buffer_printf(folder->ctx, &text, "step,epoch,crc32c\n");
  for (size_t i = 0; i < d->n; i++)
    am_buffer_printf(folder->ctx, &text, "%" PRIu64 ",%" PRIu64 ",%08" PRIx32 "\n", d->at[i].step, d->at[i].epoch,
                     d->at[i].crc);
  am_status status = am_run_folder_write(folder, AM_FILE_DIGESTS, &text, err);
  am_buffer_free(folder->ctx, &text);
  return status;
}

/* ---- reading ---- */

static bool to_crc(const char *text, uint32_t *out) {
  if (strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8) return false;
  *out = (uint32_t)strtoul(text, NULL, 16);
  return true;
}

static am_status read_row(const am_csv *csv, size_t row, const int columns[3], am_digests *out, am_error *err) {
  int64_t step, epoch;
  am_digest d = {0};
  const char *crc = am_csv_get(csv, row, (size_t)columns[2]);
  if (!am_text_to_int(am_csv_get(csv, row, (size_t)columns[0]), &step) || step < 0 ||
      !am_text_to_int(am_csv_get(csv, row, (size_t)columns[1]), &epoch) || epoch < 0 || !to_crc(crc, &d.crc))
    return am_csv_fail(csv, row, err, "wanted a step, an epoch and a crc32c of 8 hexadecimal digits");
  d.step = (uint64_t)step;
  d.epoch = (uint64_t)epoch;
  if (out->n && out->at[out->n - 1].step >= d.step)
    return am_csv_fail(csv, row, err, "step %lld after step %llu", (long long)step,
                       (unsigned long long)out->at[out->n - 1].step);
  out->at[out->n++] = d;
  return AM_OK;
}

static am_status read_rows(am_context *ctx, const am_csv *csv, am_digests *out, am_error *err) {
  static const char *const names[] = {"step", "epoch", "crc32c"};
  int columns[3];
  am_status status = AM_OK;
  for (int i = 0; i < 3 && !status; i++) status = am_csv_need(csv, names[i], &columns[i], err);
  size_t rows = am_csv_rows(csv);
  if (!status && !(out->at = am_alloc(ctx, rows + 1, sizeof *out->at))) status = am_no_memory(err);
  for (size_t i = 0; i < rows && !status; i++) status = read_row(csv, i, columns, out, err);
  return status;
}

am_status am_digests_read(am_context *ctx, const char *run, am_digests *out, am_error *err) {
  *out = (am_digests){0};
  am_csv *csv;
  char *path = am_run_file_path(ctx, run, AM_FILE_DIGESTS);
  if (!path) return am_no_memory(err);
  am_status status = am_csv_read_file(ctx, path, ',', &csv, err);
  am_free(ctx, path);
  if (status) return status;
  status = read_rows(ctx, csv, out, err);
  am_csv_free(csv);
  if (status) {
    am_free(ctx, out->at);
    *out = (am_digests){0};
  }
  return status;
}
