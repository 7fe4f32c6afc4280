/* SPDX-License-Identifier: MIT */
/* io/h5.h - named arrays, texts and attributes in HDF5 files.
 *
 * Names are paths: "weights/conv2d_1/kernel"; groups on the way are made when
 * writing.  "" and "/" are the root group.  Arrays have 0 (scalar) to 4
 * dimensions, C order, little-endian, contiguous, and carry a uint32 attribute
 * "crc32c" of their bytes, checked by every read of a whole array.  Files are
 * the same bytes for the same calls (no time stamps).
 *
 * A file is untrusted: shapes are checked against overflow and the size of
 * the file before anything is allocated; links, external storage and virtual
 * arrays are refused.  Our files use the format of HDF5 1.8, whose every
 * description carries a checksum; foreign files are as safe as HDF5 itself,
 * but for AM_H5_UNTRUSTED.  docs/reliability.md says what is promised.
 *
 * Thread-safety: any thread, also several files at once; HDF5 itself is not
 * thread-safe, so calls wait for each other on one mutex inside h5.c.  A
 * reader with many threads takes am_h5_info.offset and reads by pread or mmap. */
#ifndef AM_H5_H
#define AM_H5_H

#include "base/base.h"
#include "base/file.h"

typedef struct am_h5 am_h5;

typedef enum am_h5_type {
  AM_H5_OTHER,
  AM_H5_F32,
  AM_H5_F64,
  AM_H5_I32,
  AM_H5_I64,
  AM_H5_U8,
  AM_H5_TEXT,
  AM_H5_F16,  /* in foreign files; read as F32 */
  AM_H5_PAIRS /* in foreign files: two bytes each that HDF5 knows no type of, as h5py writes bfloat16; read as such */
} am_h5_type;
typedef enum am_h5_kind { AM_H5_NOTHING, AM_H5_GROUP, AM_H5_ARRAY } am_h5_kind;
enum { AM_H5_RANK = 4 };

typedef struct am_h5_info {
  am_h5_type type;
  int rank;
  size_t dims[AM_H5_RANK];
  size_t count; /* product of dims, 1 for a scalar; bytes of an AM_H5_TEXT */
  bool has_crc;
  uint32_t crc;
  uint64_t offset; /* of the data in the file; UINT64_MAX when not one plain piece */
} am_h5_info;

size_t am_h5_type_size(am_h5_type type); /* 0 for AM_H5_OTHER, 1 for text */

/* Opening */

enum {
  AM_H5_READ = 0,
  AM_H5_FOREIGN = 1, /* read a file that we did not write: arrays without crc32c, chunked or compressed ones,
                        other widths of float and integer (converted) are accepted */
  AM_H5_UNTRUSTED =
      4, /* may come from anywhere: where the context says so (am_settings.read_in_child), a child process reads
                          it first, and a file that crashes HDF5 is refused (not with AM_H5_UPDATE) */
  AM_H5_UPDATE = 2 /* change the file in place, without the safety of a new one: for tests and tools */
};
/* AM_E_FORMAT: not HDF5, cut, or damaged in what describes it; a damaged array is found when it is read. */
am_status am_h5_open(am_context *ctx, const char *path, unsigned flags, am_h5 **out, am_error *err);
/* The same of a whole file in memory, borrowed until it is closed; `name` is for messages.  Not with AM_H5_UPDATE. */
am_status am_h5_open_image(am_context *ctx, const void *data, size_t bytes, const char *name, unsigned flags,
                           am_h5 **out, am_error *err);
/* A new file, built in memory; it appears at `path`, whole, by am_h5_commit: as one of our own (am_file_write_own). */
am_status am_h5_create_aside(am_context *ctx, const char *path, am_h5 **out, am_error *err);
/* Before its commit: the path is the user's word (am_file_write); it takes the mode of the file `path`. */
void am_h5_is_given(am_h5 *file);
void am_h5_is_private(am_h5 *file); /* given, and AM_PRIVATE */
am_status am_h5_like(am_h5 *file, const char *path, am_error *err);
/* The file is freed in any case, and on failure `path` is as it was. */
am_status am_h5_commit(am_h5 *file, am_error *err);
/* The bytes of such a file as they would be written now; borrowed until it is changed or closed. */
am_status am_h5_image(am_h5 *file, const void **data, size_t *bytes, am_error *err);
am_status am_h5_flush(am_h5 *file, am_error *err);
/* Closes and frees; a new file not committed is gone.  NULL is allowed. */
void am_h5_close(am_h5 *file);
const char *am_h5_path(const am_h5 *file);

/* Version of the HDF5 library in use, "1.10.8". */
void am_h5_library(char out[32]);

/* Arrays */

/* Writes a whole array, replacing one of that name. `dims` may be NULL for rank 0. */
am_status am_h5_write(am_h5 *file, const char *name, am_h5_type type, int rank, const size_t *dims, const void *data,
                      am_error *err);
am_status am_h5_get_info(am_h5 *file, const char *name, am_h5_info *out, am_error *err);
/* Reads a whole array of exactly `count` elements into the caller's memory. */
am_status am_h5_read(am_h5 *file, const char *name, am_h5_type type, void *data, size_t count, am_error *err);
/* Whether some number that am_h5_read read as AM_H5_F32, since the file was opened or this was asked last, is not finite.  They
 * are looked at while they are in a cache. */
bool am_h5_found_lost(am_h5 *file);
/* The same into new memory (am_free_aligned). */
am_status am_h5_read_new(am_h5 *file, const char *name, am_h5_type type, am_h5_info *info, void **data, am_error *err);
/* Rows [first, first + rows) of the first dimension.  Part of an array is not checked against
 * its crc32c: keep one a part (am_crc32c) where that matters. */
am_status am_h5_read_rows(am_h5 *file, const char *name, am_h5_type type, size_t first, size_t rows, void *data,
                          am_error *err);

/* A long array written row by row in order; its shape is known at the start. */
typedef struct am_h5_rows am_h5_rows;
am_status am_h5_rows_begin(am_h5 *file, const char *name, am_h5_type type, int rank, const size_t *dims,
                           am_h5_rows **out, am_error *err);
am_status am_h5_rows_append(am_h5_rows *rows, const void *data, size_t count, am_error *err);
/* Writes the crc32c; freed in any case; fewer or more rows than promised is an AM_E_SHAPE error. */
am_status am_h5_rows_end(am_h5_rows *rows, am_error *err);

/* Texts (UTF-8, of any length, without NUL) */
am_status am_h5_write_text(am_h5 *file, const char *name, const char *text, am_error *err);
am_status am_h5_read_text(am_h5 *file, const char *name, char **out, am_error *err); /* am_free */

/* What is there */
am_status am_h5_group(am_h5 *file, const char *name, am_error *err); /* makes it, with parents; existing is fine */
am_h5_kind am_h5_find(am_h5 *file, const char *name);
/* Names in a group by byte order; and all arrays and texts below it, as paths from the group. */
am_status am_h5_children(am_h5 *file, const char *group, am_names *out, am_error *err);
am_status am_h5_arrays(am_h5 *file, const char *group, am_names *out, am_error *err);
/* Elements of all arrays below a group, none counted twice; what each claims is checked against the file's size. */
am_status am_h5_count(am_h5 *file, const char *group, size_t *count, am_error *err);
am_status am_h5_delete(am_h5 *file, const char *name, am_error *err); /* a group with all that is in it */
/* From now on names, "/" among them, are those of a group of the file; "/": of the file again.  On failure, too. */
am_status am_h5_within(am_h5 *file, const char *group, am_error *err);
/* All of a file, or of the group it is within, as a new group of another file. */
am_status am_h5_copy(const am_h5 *from, am_h5 *to, const char *group, am_error *err);

/* Attributes of the group or array `object`.  Setting replaces.  Texts up to 60000 bytes, use a
 * text above; read as fixed or variable length strings. */
am_status am_h5_set_text(am_h5 *file, const char *object, const char *name, const char *text, am_error *err);
am_status am_h5_set_int(am_h5 *file, const char *object, const char *name, int64_t number, am_error *err);
am_status am_h5_set_real(am_h5 *file, const char *object, const char *name, double number, am_error *err);
am_status am_h5_set_texts(am_h5 *file, const char *object, const char *name, const char *const *texts, size_t n,
                          am_error *err);
bool am_h5_has(am_h5 *file, const char *object, const char *name);
am_status am_h5_get_text(am_h5 *file, const char *object, const char *name, char **out, am_error *err); /* am_free */
am_status am_h5_get_int(am_h5 *file, const char *object, const char *name, int64_t *out, am_error *err);
am_status am_h5_get_real(am_h5 *file, const char *object, const char *name, double *out, am_error *err);
/* A scalar or one-dimensional array of texts; am_names_free. */
am_status am_h5_get_texts(am_h5 *file, const char *object, const char *name, am_names *out, am_error *err);
/* Names of the attributes of an object, without crc32c; am_names_free. */
am_status am_h5_attributes(am_h5 *file, const char *object, am_names *out, am_error *err);

#endif
