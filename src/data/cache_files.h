/* SPDX-License-Identifier: MIT */
/* data/cache_files.h - the shards of a cache, kept open: what stands in them is read where it is, by any number of threads. */
#ifndef AM_CACHE_FILES_H
#define AM_CACHE_FILES_H

#include "base/base.h"

typedef struct am_cache_files am_cache_files;

/* Where an entry's numbers are. */
typedef struct am_cache_place {
  uint64_t at; /* byte of the file */
  uint32_t crc;
  int32_t file;
} am_cache_place;

am_status am_cache_files_create(am_context *ctx, am_cache_files **out, am_error *err);
void am_cache_files_free(am_cache_files *files);
/* Adds the file at `path`, whose values begin at byte `offset`: number *file.  A file that stays open is read also when it is removed
 * meanwhile; those past the first few hundred are opened for each reading. */
am_status am_cache_files_add(am_cache_files *files, const char *path, uint64_t offset, int *file, am_error *err);
int am_cache_files_count(const am_cache_files *files);
const char *am_cache_files_path(const am_cache_files *files, int file);
/* The place of value `first`, a float. */
am_cache_place am_cache_files_place(const am_cache_files *files, int file, size_t first, uint32_t crc);
/* Reads `count` floats.  AM_E_FORMAT: they are damaged, or cut off; AM_E_IO: the file is gone.  Any thread, after the last file was
 * added. */
am_status am_cache_files_read(const am_cache_files *files, const am_cache_place *place, float *out, size_t count,
                              am_error *err);
/* Tells the kernel that they will be wanted soon. */
void am_cache_files_expect(const am_cache_files *files, const am_cache_place *place, size_t count);

#endif
