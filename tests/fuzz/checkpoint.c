/* tests/fuzz/checkpoint.c - a checkpoint, or edits of one (h5edit.h): loaded for prediction, and its origin read. */
#include "fuzz/h5edit.h"
#include "train/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  size_t size;
  const char *path = h5edit_file(data, bytes, "checkpoint.h5", &size);
  am_context *ctx = fuzz_begin(size, true);
  am_error err = AM_ERROR_INIT, other = AM_ERROR_INIT;
  am_checkpoint *c = NULL;
  am_origin origin;
  am_status status = am_checkpoint_load(ctx, path, &c, &err);
  fuzz_check(status, &err);
  fuzz_require(!status == (c != NULL));
  am_checkpoint_free(ctx, c);
  fuzz_check(am_checkpoint_origin(ctx, path, &origin, &other), &other);
  am_origin_free(ctx, &origin);
  fuzz_end();
  return 0;
}
