/* SPDX-License-Identifier: MIT */
/* exchange/archive.c - the only file that knows libzip, which is loaded when it is wanted. */
#include "exchange/archive.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "base/file.h"
#include "base/library.h"
#include "base/soname_zip.h"

/* ---- the library ---- */

#define ZIP_CALLS(X) \
  X(zip_close) \
  X(zip_discard) \
  X(zip_error_fini) \
  X(zip_error_init) \
  X(zip_error_init_with_code) \
  X(zip_error_strerror) \
  X(zip_fclose) \
  X(zip_file_add) \
  X(zip_file_set_dostime) \
  X(zip_file_strerror) \
  X(zip_fopen_index) \
  X(zip_fread) \
  X(zip_get_name) \
  X(zip_get_num_entries) \
  X(zip_open) \
  X(zip_open_from_source) \
  X(zip_set_file_compression) \
  X(zip_source_buffer) \
  X(zip_source_buffer_create) \
  X(zip_source_close) \
  X(zip_source_free) \
  X(zip_source_keep) \
  X(zip_source_open) \
  X(zip_source_read) \
  X(zip_source_stat) \
  X(zip_stat_index) \
  X(zip_strerror)

typedef struct calls {
  ZIP_CALLS(AM_LIBRARY_MEMBER)
} calls;

static am_status load(calls *to, am_error *err) {
  static const char *const names[] = {ZIP_CALLS(AM_LIBRARY_NAME) NULL};
  static const am_library zip = {AM_SONAME_ZIP, names};
  const am_status status = am_library_load(&zip, 1, to, sizeof *to, err);
  return status ? am_error_prefix(err, "archives (.keras) are read and written by libzip") : AM_OK;
}

/* ---- reading ---- */

struct am_archive {
  am_context *ctx;
  char *path;
  calls lib;
  zip_t *zip;
};

am_status am_archive_open(am_context *ctx, const char *path, am_archive **out, am_error *err) {
  *out = NULL;
  if (am_folder_exists(path)) return am_fail(err, AM_E_IO, "%s is a folder; wanted an archive", path);
  if (am_file_is_special(path)) return am_fail(err, AM_E_IO, "%s is a device or a pipe; wanted an archive", path);
  if (access(path, R_OK)) return am_fail_errno(err, errno, "cannot open %s", path);
  am_archive *a = am_alloc(ctx, 1, sizeof *a);
  if (!a) return am_no_memory(err);
  *a = (am_archive){.ctx = ctx, .path = am_strdup(ctx, path)};
  am_status status = a->path ? load(&a->lib, err) : am_no_memory(err);
  int code = 0;
  if (!status && !(a->zip = a->lib.zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code))) {
    zip_error_t why;
    a->lib.zip_error_init_with_code(&why, code);
    status = code == ZIP_ER_MEMORY
                 ? am_no_memory(err)
                 : am_fail(err, AM_E_FORMAT, "%s: not a zip, or damaged: %s", path,
                           code == ZIP_ER_EXISTS ? "two of its parts have one name" : a->lib.zip_error_strerror(&why));
    a->lib.zip_error_fini(&why);
  }
  if (status) am_archive_close(a);
  else *out = a;
  return status;
}

/* How often a name is there, and where first. */
static int count(const am_archive *a, const char *name, zip_uint64_t *at) {
  const zip_int64_t all = a->lib.zip_get_num_entries(a->zip, 0);
  int n = 0;
  for (zip_int64_t i = 0; i < all; i++) {
    const char *found = a->lib.zip_get_name(a->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
    if (!found || strcmp(found, name) != 0) continue;
    if (!n++) *at = (zip_uint64_t)i;
  }
  return n;
}

bool am_archive_has(const am_archive *a, const char *name) {
  zip_uint64_t at;
  return count(a, name, &at) > 0;
}

/* Whether a part may be unpacked at all, before there is memory for it. */
static am_status check_part(const am_archive *a, const char *name, const zip_stat_t *s, uint64_t most, am_error *err) {
  const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  const uint64_t always = 8 << 20, times = 4;
  if ((s->valid & wanted) != wanted) return am_fail(err, AM_E_FORMAT, "%s: %s has no size", a->path, name);
  if (s->encryption_method != ZIP_EM_NONE)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: %s is encrypted, which cannot be read", a->path, name);
  if (s->comp_method != ZIP_CM_STORE && s->comp_method != ZIP_CM_DEFLATE)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: %s is packed by method %d; only stored and deflated parts can be read",
                   a->path, name, (int)s->comp_method);
  if (s->size > most)
    return am_fail(err, AM_E_FORMAT, "%s: %s has %llu bytes; at most %llu are read", a->path, name,
                   (unsigned long long)s->size, (unsigned long long)most);
  if (s->size > always && (s->size - always) / times > s->comp_size)
    return am_fail(err, AM_E_FORMAT,
                   "%s: made to take up memory: %s unpacks to %llu bytes, more than 8 MB and 4 times what it has in "
                   "the file (%llu bytes)",
                   a->path, name, (unsigned long long)s->size, (unsigned long long)s->comp_size);
  return AM_OK;
}

/* All of a part, and not a byte more; the checksum is compared where it ends. */
static am_status unpack(const am_archive *a, const char *name, zip_uint64_t at, char *to, size_t bytes, am_error *err) {
  zip_file_t *file = a->lib.zip_fopen_index(a->zip, at, 0);
  if (!file) return am_fail(err, AM_E_FORMAT, "%s: %s cannot be read: %s", a->path, name, a->lib.zip_strerror(a->zip));
  am_status status = AM_OK;
  size_t have = 0;
  zip_int64_t got;
  char more;
  do {
    got = a->lib.zip_fread(file, have < bytes ? to + have : &more, have < bytes ? bytes - have : 1);
    if (got > 0) have += (size_t)got;
  } while (got > 0 && have <= bytes);
  if (got < 0 || have != bytes)
    status = am_fail(err, AM_E_FORMAT, "%s: %s is damaged: %s", a->path, name,
                     got < 0        ? a->lib.zip_file_strerror(file)
                     : have < bytes ? "it ends too early"
                                    : "it is longer than the zip says");
  a->lib.zip_fclose(file);
  return status;
}

am_status am_archive_read(am_archive *a, const char *name, uint64_t most, char **data, size_t *bytes, am_error *err) {
  zip_uint64_t at = 0;
  zip_stat_t s;
  *data = NULL;
  const int n = count(a, name, &at);
  if (!n) return am_fail(err, AM_E_FORMAT, "%s: it has no %s", a->path, name);
  if (n > 1) return am_fail(err, AM_E_FORMAT, "%s: it has %d parts called %s; wanted one", a->path, n, name);
  if (a->lib.zip_stat_index(a->zip, at, 0, &s))
    return am_fail(err, AM_E_FORMAT, "%s: %s cannot be read: %s", a->path, name, a->lib.zip_strerror(a->zip));
  am_status status = check_part(a, name, &s, most, err);
  if (status) return status;
  *bytes = (size_t)s.size;
  if (!(*data = am_alloc(a->ctx, am_add(*bytes, 1), 1))) return am_no_memory(err);
  status = unpack(a, name, at, *data, *bytes, err);
  (*data)[*bytes] = 0;
  if (!status) return AM_OK;
  am_free(a->ctx, *data);
  *data = NULL;
  return status;
}

void am_archive_close(am_archive *a) {
  if (!a) return;
  if (a->zip) a->lib.zip_discard(a->zip);
  am_free(a->ctx, a->path);
  am_free(a->ctx, a);
}

/* ---- writing ---- */

static am_status fail_write(const char *path, const char *why, am_error *err) {
  return am_fail(err, AM_E_NOMEM, "%s: cannot put the archive together in memory: %s", path, why);
}

/* Weights do not get smaller by packing, and what is stored needs no copy to be read. */
static am_status add(const calls *lib, zip_t *zip, const char *path, const am_archive_part *part, am_error *err) {
  const zip_uint16_t first = 1 << 5 | 1; /* 1 January 1980, where the dates of a zip begin */
  zip_source_t *source = lib->zip_source_buffer(zip, part->data, part->bytes, 0);
  zip_int64_t at = source ? lib->zip_file_add(zip, part->name, source, ZIP_FL_ENC_UTF_8) : -1;
  if (at < 0 && source) lib->zip_source_free(source);
  if (at < 0 || lib->zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_STORE, 0) ||
      lib->zip_file_set_dostime(zip, (zip_uint64_t)at, 0, first, 0))
    return fail_write(path, lib->zip_strerror(zip), err);
  return AM_OK;
}

/* The bytes that a source has become. */
static am_status save(const calls *lib, am_context *ctx, zip_source_t *source, const char *path, am_error *err) {
  zip_stat_t s;
  if (lib->zip_source_stat(source, &s) || !(s.valid & ZIP_STAT_SIZE) || lib->zip_source_open(source))
    return fail_write(path, "it cannot be read again", err);
  char *bytes = am_alloc(ctx, (size_t)s.size, 1);
  am_status status = bytes ? AM_OK : am_no_memory(err);
  if (!status && lib->zip_source_read(source, bytes, s.size) != (zip_int64_t)s.size)
    status = fail_write(path, "it cannot be read again", err);
  lib->zip_source_close(source);
  if (!status) status = am_file_write(ctx, path, bytes, (size_t)s.size, err);
  am_free(ctx, bytes);
  return status;
}

am_status am_archive_write(am_context *ctx, const char *path, const am_archive_part *parts, size_t n, am_error *err) {
  calls lib;
  am_status status = load(&lib, err);
  if (status) return status;
  zip_error_t why;
  lib.zip_error_init(&why);
  zip_source_t *source = lib.zip_source_buffer_create(NULL, 0, 0, &why);
  zip_t *zip = source ? lib.zip_open_from_source(source, ZIP_TRUNCATE, &why) : NULL;
  if (!zip) status = fail_write(path, lib.zip_error_strerror(&why), err);
  if (zip) lib.zip_source_keep(source); /* closing the archive would free it */
  for (size_t i = 0; i < n && !status; i++) status = add(&lib, zip, path, &parts[i], err);
  if (zip && !status && lib.zip_close(zip)) status = fail_write(path, lib.zip_strerror(zip), err);
  else if (zip && !status) zip = NULL;
  if (zip) lib.zip_discard(zip);
  if (!status) status = save(&lib, ctx, source, path, err);
  if (source) lib.zip_source_free(source);
  lib.zip_error_fini(&why);
  return status;
}
