/* SPDX-License-Identifier: MIT */
/* tests/fuzz/config.c - a config with all its sections: read, printed, read again, and its model built. */
#include "model/config.h"
#include "fuzz/fuzz.h"

static void build(const am_config *config) {
  am_error err = AM_ERROR_INIT;
  am_model *model = NULL;
  am_status status = am_config_model(config, 40, 24, true, 4, &model, &err);
  fuzz_require(!status == (model != NULL));
  if (model) am_model_free(model);
}

/* What a config says of itself must be a config, and say the same. */
static void again(am_context *ctx, am_config *config) {
  am_error err = AM_ERROR_INIT;
  am_buffer first = {0}, second = {0};
  am_config *copy = NULL;
  if (am_config_text(config, &first, &err) == AM_OK &&
      am_config_from_text(ctx, first.data, "again", NULL, 0, &copy, &err) == AM_OK &&
      am_config_text(copy, &second, &err) == AM_OK)
    fuzz_require(!strcmp(first.data, second.data));
  if (err.status && err.status != AM_E_NOMEM) {
    fprintf(stderr, "the effective config is refused: %s\n%s\n", err.message, first.data ? first.data : "");
    abort();
  }
  am_config_free(copy);
  am_buffer_free(ctx, &first);
  am_buffer_free(ctx, &second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, false);
  am_error err = AM_ERROR_INIT;
  am_config *config = NULL;
  char *text = fuzz_text(data, bytes);
  am_status status = am_config_from_text(ctx, text, "fuzz", NULL, 0, &config, &err);
  fuzz_check(status, &err);
  if (!status) {
    again(ctx, config);
    build(config);
  }
  am_config_free(config);
  free(text);
  fuzz_end();
  return 0;
}
