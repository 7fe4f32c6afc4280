/* SPDX-License-Identifier: MIT */
/* exchange/archive_absent.c - in place of archive.c in a build without libzip (option `keras_archive`). */
#include "exchange/archive.h"

static am_status left_out(const char *path, am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: archives (.keras) were left out when this program was built; with libzip's headers installed "
                 "(Debian: libzip-dev), build it again with the option keras_archive enabled",
                 path);
}

am_status am_archive_open(am_context *ctx, const char *path, am_archive **out, am_error *err) {
  (void)ctx;
  *out = NULL;
  return left_out(path, err);
}

bool am_archive_has(const am_archive *archive, const char *name) {
  (void)archive, (void)name;
  return false;
}

am_status am_archive_read(am_archive *archive, const char *name, uint64_t most, char **data, size_t *bytes,
                          am_error *err) {
  (void)archive, (void)most, (void)data, (void)bytes;
  return left_out(name, err);
}

void am_archive_close(am_archive *archive) { (void)archive; }

am_status am_archive_write(am_context *ctx, const char *path, const am_archive_part *parts, size_t n, am_error *err) {
  (void)ctx, (void)parts, (void)n;
  return left_out(path, err);
}
