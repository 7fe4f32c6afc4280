/* SPDX-License-Identifier: MIT */
/* tests/fuzz/description.c - a corpus description (datasets/NAME.yaml), used on a folder of a few files. */
#include "data/corpora/described.h"
#include "fuzz/data.h"

static const char *const files[] = {"corpus/03-01-01-01-01-01-01.wav", "corpus/anna/happy_2.wav",
                                    "corpus/anna/03a01Fa.wav", "corpus/OAF_back_angry.wav"};
static const char table[] = "path,label,speaker\nanna/happy_2.wav,h,anna\nOAF_back_angry.wav,a,OAF\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT;
  am_description *description = NULL;
  char root[300];
  snprintf(root, sizeof root, "%s/corpus", fuzz_folder());
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) fuzz_file(files[i], "x", 1);
  fuzz_file("corpus/table.csv", table, sizeof table - 1);
  const char *path = fuzz_file("fuzz.yaml", data, bytes);
  am_status status = am_description_load(ctx, path, &description, &err);
  fuzz_check(status, &err);
  am_description_free(description);
  if (!status) fuzz_load(ctx, "described", root, "", path);
  fuzz_end();
  return 0;
}
