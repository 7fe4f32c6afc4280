/* SPDX-License-Identifier: MIT */
/* tests/fuzz/reference.c - references in any format: turns in order, with names, that end after they begin. */
#include "subtitle/reference.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT;
  am_rttm r;
  const am_status st = am_reference_parse(ctx, (const char *)data, bytes, "fuzz", &r, &err);
  fuzz_check(st, &err);
  fuzz_require(st ? !r.n : r.n > 0);
  for (size_t i = 0; i < r.n; i++) {
    const am_rttm_turn *t = &r.turns[i], *before = i ? t - 1 : NULL;
    fuzz_require(t->end > t->start && t->speaker[0] && t->line > 0);
    fuzz_require(!before || strcmp(before->file, t->file) || strcmp(before->speaker, t->speaker) ||
                 before->end < t->start);
  }
  am_rttm_free(&r);
  fuzz_end();
  return 0;
}
