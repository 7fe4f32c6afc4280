/* SPDX-License-Identifier: MIT */
/* tests/fuzz/names.c - a folder whose files are called what the input's lines say, read as RAVDESS and by description. */
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/data.h"

enum { FILES = 24, LENGTH = 100 };

static const char description[] =
    "name: fuzz\nlicence: none\n"
    "files: ['03-(?<part>0[12])-(?<label>\\d+)-(?<intensity>\\d\\d)-(?<text>\\d+)-(?<take>\\d\\d)-(?<speaker>.+)',"
    " '(?<speaker>\\w+)_(?<label>[A-Z]+)']\nlabels: {A: angry, B: ~, '01': calm, '02': happy}\nintensities: {'01': "
    "1}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, true);
  char root[300], *made[FILES];
  int n = 0;
  const char *described = fuzz_file("names.yaml", description, sizeof description - 1);
  snprintf(root, sizeof root, "%s/names", fuzz_folder());
  mkdir(root, 0700);
  for (size_t at = 0; at < bytes && n < FILES;) {
    size_t length = 0;
    while (at + length < bytes && data[at + length] && data[at + length] != '\n' && data[at + length] != '/') length++;
    if (length && length <= LENGTH) {
      char name[LENGTH + 8];
      snprintf(name, sizeof name, "names/%.*s", (int)length, (const char *)data + at);
      if (strcmp(name, "names/.") && strcmp(name, "names/..")) made[n++] = strdup(fuzz_file(name, "x", 1));
    }
    at += length + 1;
  }
  fuzz_load(ctx, "ravdess", root, "", "");
  fuzz_load(ctx, "described", root, "", described);
  for (int i = 0; i < n; i++) {
    fuzz_require(made[i]);
    unlink(made[i]);
    free(made[i]);
  }
  fuzz_end();
  return 0;
}
