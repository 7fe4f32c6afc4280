/* tests/fuzz/manifest.c - a CSV manifest beside three files, and the table as such. */
#include "fuzz/data.h"
#include "io/csv.h"

static void read_table(am_context *ctx, const uint8_t *data, size_t bytes, char delimiter) {
  am_error err = AM_ERROR_INIT;
  am_csv *csv = NULL;
  fuzz_check(am_csv_read_text(ctx, (const char *)data, bytes, "fuzz", delimiter, &csv, &err), &err);
  size_t total = 0;
  for (size_t row = 0; csv && row < am_csv_rows(csv); row++)
    for (size_t column = 0; column < am_csv_columns(csv); column++) total += strlen(am_csv_get(csv, row, column)) + 1;
  fuzz_require(total <= bytes + 1);
  am_csv_free(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  static const char *const beside[] = {"a.wav", "b.wav", "c/d.wav"};
  am_context *ctx = fuzz_begin(bytes, true);
  read_table(ctx, data, bytes, ',');
  read_table(ctx, data, bytes, '\t');
  for (int i = 0; i < 3; i++) fuzz_file(beside[i], "x", 1);
  fuzz_load(ctx, "manifest", fuzz_folder(), fuzz_file("manifest.csv", data, bytes), "");
  fuzz_end();
  return 0;
}
