/* SPDX-License-Identifier: MIT */
/* tests/fuzz/manifest.c - lists of clips beside three files: AudioMood's own CSV, or the files of another program.
 *
 * An input is one CSV, unless lines "=== NAME" cut it into files with names that the formats know. */
#include "fuzz/data.h"
#include "io/csv.h"
#include "io/json_table.h"

static const char *const known[] = {"manifest.csv",
                                    "db.yaml",
                                    "db.a.csv",
                                    "db.b.csv",
                                    "db.speaker.csv",
                                    "wav.scp",
                                    "segments",
                                    "utt2emo",
                                    "utt2spk",
                                    "spk2gender",
                                    "metadata.csv",
                                    "metadata.jsonl",
                                    "train/metadata.csv",
                                    "test/wav.scp",
                                    "test/utt2emo",
                                    "x_train_fold_1.jsonl",
                                    "x_test_fold_1.jsonl",
                                    "list.json",
                                    "x_train.csv",
                                    "x_test.csv",
                                    "train.json",
                                    "test.json"};
enum { KNOWN = sizeof known / sizeof *known };

static void look_at(am_csv *csv, size_t most) {
  size_t total = 0;
  for (size_t row = 0; csv && row < am_csv_rows(csv); row++)
    for (size_t column = 0; column < am_csv_columns(csv); column++) total += strlen(am_csv_get(csv, row, column)) + 1;
  fuzz_require(total <= most);
  am_csv_free(csv);
}

static void read_table(am_context *ctx, const uint8_t *data, size_t bytes, char delimiter) {
  am_error err = AM_ERROR_INIT;
  am_csv *csv = NULL;
  fuzz_check(am_csv_read_text(ctx, (const char *)data, bytes, "fuzz", delimiter, &csv, &err), &err);
  look_at(csv, bytes + 1);
}

static void read_json(am_context *ctx, const uint8_t *data, size_t bytes) {
  am_error err = AM_ERROR_INIT;
  am_csv *csv = NULL;
  char *text = fuzz_text(data, bytes);
  fuzz_check(am_json_table_read_text(ctx, text, strlen(text), "fuzz", &csv, &err), &err);
  look_at(csv, (1 << 20) + 64 * bytes); /* numbers may have more digits than were written, empty cells have one byte */
  free(text);
}

/* Writes what stands between the lines that name files; what stands before the first is manifest.csv. */
static unsigned write_files(const uint8_t *data, size_t bytes) {
  static const char mark[] = "=== ";
  const size_t n_mark = sizeof mark - 1;
  unsigned written = 0;
  for (size_t at = 0, next; at < bytes || !written; at = next) {
    size_t name = 0;
    if (bytes - at >= n_mark && !memcmp(data + at, mark, n_mark)) {
      const size_t from = at + n_mark;
      const uint8_t *stop = memchr(data + from, '\n', bytes - from);
      const size_t end = stop ? (size_t)(stop - data) : bytes;
      while (name < KNOWN - 1 && (strlen(known[name]) != end - from || memcmp(known[name], data + from, end - from)))
        name++;
      at = end < bytes ? end + 1 : bytes;
    }
    for (next = at; next < bytes; next++)
      if (bytes - next >= n_mark && (!next || data[next - 1] == '\n') && !memcmp(data + next, mark, n_mark)) break;
    fuzz_file(known[name], data + at, next - at);
    written |= 1u << name;
  }
  return written;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  static const char *const beside[] = {"a.wav", "b.wav", "c/d.wav"};
  am_context *ctx = fuzz_begin(bytes, true);
  read_table(ctx, data, bytes, ',');
  read_table(ctx, data, bytes, '\t');
  read_json(ctx, data, bytes);
  for (int i = 0; i < 3; i++) fuzz_file(beside[i], "x", 1);
  const unsigned written = write_files(data, bytes);
  for (size_t i = 0; i < KNOWN; i++) {
    char path[300];
    if (!(written >> i & 1)) continue;
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), known[i]);
    fuzz_load(ctx, "manifest", fuzz_folder(), path, "");
  }
  fuzz_load(ctx, "manifest", fuzz_folder(), "", ""); /* whichever it takes the folder for */
  for (size_t i = 0; i < KNOWN; i++)
    if (written >> i & 1) fuzz_remove(known[i]);
  fuzz_end();
  return 0;
}
