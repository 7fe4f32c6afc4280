/* SPDX-License-Identifier: MIT */
/* tests/fuzz/rows.c - a table that was appended to, and what is found in it. */
#include "io/rows.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  const char *text = (const char *)data;
  for (int kind = AM_ROWS_CSV; kind <= AM_ROWS_JSON; kind++) {
    size_t at = 0, n;
    while ((n = am_row_whole((am_rows_kind)kind, text + at, bytes - at))) {
      fuzz_require(n <= bytes - at && text[at + n - 1] == '\n');
      fuzz_require(am_row_key((am_rows_kind)kind, text + at, n) <= n);
      fuzz_require(am_rows_agree(text + at, n, text + at, n, 0));
      at += n;
    }
  }
  const size_t half = bytes / 2;
  (void)am_rows_agree(text, half, text + half, bytes - half, 1e-3);
  return 0;
}
