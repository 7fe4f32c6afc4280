/* SPDX-License-Identifier: MIT */
/* run/recordings.c - see recordings.h. */
#include "run/recordings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/csv.h"
#include "run/folder.h"

enum { DIGITS = 16, NAMED = 5 };

am_status am_recordings_text(am_context *ctx, const am_dataset *d, const am_store *store, am_buffer *out,
                             am_error *err) {
  am_csv_writer w = {.ctx = ctx, .out = out};
  char digest[DIGITS + 1];
  am_csv_put(&w, "clip");
  am_csv_put(&w, "sound");
  am_csv_end_row(&w);
  for (size_t i = 0; i < d->n; i++) {
    if (!am_store_readable(store, (uint32_t)i)) continue;
    snprintf(digest, sizeof digest, "%016" PRIx64, am_store_digest(store, (uint32_t)i));
    am_csv_put(&w, d->clips[i].name);
    am_csv_put(&w, digest);
    am_csv_end_row(&w);
  }
  return out->failed ? am_no_memory(err) : AM_OK;
}

/* ---- reading ---- */

typedef struct kept {
  const char *name;
  uint64_t digest;
} kept;

static int by_name(const void *a, const void *b) { return strcmp(((const kept *)a)->name, ((const kept *)b)->name); }

/* Clips that are pieces of one file have its name. */
static int by_name_and_digest(const void *a, const void *b) {
  const uint64_t x = ((const kept *)a)->digest, y = ((const kept *)b)->digest;
  const int order = by_name(a, b);
  return order ? order : (x > y) - (x < y);
}

static am_status read_row(const am_csv *csv, size_t row, const int columns[2], kept *out, am_error *err) {
  const char *digest = am_csv_get(csv, row, (size_t)columns[1]);
  out->name = am_csv_get(csv, row, (size_t)columns[0]);
  if (strlen(digest) != DIGITS || strspn(digest, "0123456789abcdef") != DIGITS)
    return am_csv_fail(csv, row, err, "wanted a clip and the digest of its sound, 16 hexadecimal digits");
  out->digest = strtoull(digest, NULL, 16);
  return AM_OK;
}

/* Sorted by name and digest; the names are the table's. */
static am_status read_rows(am_context *ctx, const am_csv *csv, kept **out, am_error *err) {
  int columns[2];
  am_status status = am_csv_need(csv, "clip", &columns[0], err);
  if (!status) status = am_csv_need(csv, "sound", &columns[1], err);
  size_t n = am_csv_rows(csv);
  if (!status && !(*out = am_alloc(ctx, n + 1, sizeof **out))) status = am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) status = read_row(csv, i, columns, &(*out)[i], err);
  if (!status && n) qsort(*out, n, sizeof **out, by_name_and_digest);
  return status;
}

static void note(am_context *ctx, am_recordings *out, const char *name) {
  if (out->n_changed < NAMED) am_buffer_printf(ctx, &out->names, "%s%s", out->n_changed ? ", " : "", name);
  out->n_changed++;
}

static am_status compare(am_context *ctx, const am_csv *csv, const am_dataset *d, const am_store *store,
                         const uint32_t *clips, size_t n, am_recordings *out, am_error *err) {
  kept *rows = NULL;
  am_status status = read_rows(ctx, csv, &rows, err);
  out->known = !status;
  for (size_t i = 0; i < (clips ? n : d->n) && !status; i++) {
    const uint32_t clip = clips ? clips[i] : (uint32_t)i;
    if (!am_store_readable(store, clip) || !am_csv_rows(csv)) continue;
    const kept wanted = {d->clips[clip].name, am_store_digest(store, clip)};
    if (!bsearch(&wanted, rows, am_csv_rows(csv), sizeof *rows, by_name_and_digest) &&
        bsearch(&wanted, rows, am_csv_rows(csv), sizeof *rows, by_name))
      note(ctx, out, wanted.name);
  }
  if (out->n_changed > NAMED) am_buffer_printf(ctx, &out->names, " and %zu more", out->n_changed - NAMED);
  am_free(ctx, rows);
  if (out->names.data) {
    am_text_one_line(out->names.data);
    out->names.used = strlen(out->names.data);
  }
  return status ? status : out->names.failed ? am_no_memory(err) : AM_OK;
}

am_status am_recordings_compare(am_context *ctx, const char *run, const am_dataset *d, const am_store *store,
                                const uint32_t *clips, size_t n, am_recordings *out, am_error *err) {
  *out = (am_recordings){0};
  char *path = am_run_file_path(ctx, run, AM_FILE_CLIPS);
  if (!path) return am_no_memory(err);
  am_csv *csv = NULL;
  am_status status = am_file_exists(path) ? am_csv_read_file(ctx, path, ',', &csv, err) : AM_OK;
  if (csv) {
    status = compare(ctx, csv, d, store, clips, n, out, err);
    am_csv_free(csv);
  }
  if (status) am_buffer_free(ctx, &out->names);
  am_free(ctx, path);
  return status;
}
