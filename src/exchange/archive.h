/* SPDX-License-Identifier: MIT */
/* exchange/archive.h - a zip, as other programs keep a model in: read, and written.
 *
 * A zip is untrusted.  Its parts are never unpacked to a folder, so their names can lead nowhere.  A part is read only when its
 * name stands there once, when it is stored or deflated and not encrypted, when it unpacks to no more than the caller takes and
 * to no more than 8 MB and 4 times what it has in the file, and when its checksum is right.
 *
 * libzip is loaded when the first one is opened.  Without it (option `keras_archive` of the build) opening and writing is
 * AM_E_UNSUPPORTED (archive_absent.c).  An archive is for one thread at a time. */
#ifndef AM_ARCHIVE_H
#define AM_ARCHIVE_H

#include "base/base.h"

typedef struct am_archive am_archive;

am_status am_archive_open(am_context *ctx, const char *path, am_archive **out, am_error *err);
bool am_archive_has(const am_archive *archive, const char *name);
/* A whole part in new memory (am_free), with a 0 behind it. */
am_status am_archive_read(am_archive *archive, const char *name, uint64_t most, char **data, size_t *bytes,
                          am_error *err);
void am_archive_close(am_archive *archive); /* NULL is allowed */

typedef struct am_archive_part {
  const char *name;
  const void *data;
  size_t bytes;
} am_archive_part;
/* A new archive of these parts, stored as they are, without times: the same parts give the same bytes.  It appears at `path`
 * whole (am_file_write). */
am_status am_archive_write(am_context *ctx, const char *path, const am_archive_part *parts, size_t n, am_error *err);

#endif
