/* SPDX-License-Identifier: MIT */
/* tests/fuzz/cache.c - a folder of the feature cache with one shard; the seeds have entries of the keys 1 to 8. */
#include "data/cache.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT;
  am_cache *cache = NULL;
  char folder[300];
  fuzz_file("cache/features-0.h5", data, bytes);
  snprintf(folder, sizeof folder, "%s/cache", fuzz_folder());
  fuzz_check(am_cache_open(ctx, folder, &cache, &err), &err);
  for (uint64_t key = 1; cache && key <= 8; key++) {
    int64_t rows, columns;
    am_cache_facts facts;
    am_cache_place place;
    if (!am_cache_find(cache, key, &rows, &columns, &facts)) continue;
    fuzz_require(rows > 0 && columns > 0);
    float *values = am_alloc(ctx, am_mul((size_t)rows, (size_t)columns), sizeof *values);
    fuzz_require(values);
    am_error why = AM_ERROR_INIT;
    fuzz_check(am_cache_read(cache, key, values, &place, &why), &why);
    am_free(ctx, values);
  }
  am_cache_close(cache);
  fuzz_end();
  return 0;
}
