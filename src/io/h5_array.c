/* SPDX-License-Identifier: MIT */
/* io/h5_array.c - arrays and texts in HDF5 files. */
#include <stdlib.h>
#include <string.h>

#include "io/h5_inside.h"
#include "tensor/tensor.h"

struct am_h5_rows {
  am_h5 *file;
  char *name;
  am_h5_type type;
  int rank;
  size_t dims[AM_H5_RANK], done;
  uint32_t crc;
};

/* Types */

size_t am_h5_type_size(am_h5_type type) {
  switch (type) {
    case AM_H5_F64:
    case AM_H5_I64: return 8;
    case AM_H5_F32:
    case AM_H5_I32: return 4;
    case AM_H5_F16:
    case AM_H5_PAIRS: return 2;
    case AM_H5_U8:
    case AM_H5_TEXT: return 1;
    case AM_H5_OTHER: break;
  }
  return 0;
}

static const char *type_name(am_h5_type type) {
  static const char *const names[] = {"another type", "float32", "float64", "int32",         "int64",
                                      "uint8",        "text",    "float16", "pairs of bytes"};
  return names[type];
}

static hid_t file_type(am_h5_type type) {
  switch (type) {
    case AM_H5_F32: return H5T_IEEE_F32LE;
    case AM_H5_F64: return H5T_IEEE_F64LE;
    case AM_H5_I32: return H5T_STD_I32LE;
    case AM_H5_I64: return H5T_STD_I64LE;
    case AM_H5_U8: return H5T_STD_U8LE;
    case AM_H5_TEXT:
    case AM_H5_F16:
    case AM_H5_PAIRS:
    case AM_H5_OTHER: break;
  }
  return -1;
}

static am_h5_type classify(hid_t type) {
  H5T_class_t class = H5Tget_class(type);
  size_t size = H5Tget_size(type);
  if (class == H5T_STRING) return AM_H5_TEXT;
  if (class == H5T_FLOAT) return size == 2 ? AM_H5_F16 : size == 4 ? AM_H5_F32 : size == 8 ? AM_H5_F64 : AM_H5_OTHER;
  if (class == H5T_OPAQUE) return size == 2 ? AM_H5_PAIRS : AM_H5_OTHER;
  if (class != H5T_INTEGER) return AM_H5_OTHER;
  if (size == 1) return H5Tget_sign(type) == H5T_SGN_NONE ? AM_H5_U8 : AM_H5_OTHER;
  if (H5Tget_sign(type) == H5T_SGN_NONE) return AM_H5_OTHER;
  return size == 4 ? AM_H5_I32 : size == 8 ? AM_H5_I64 : AM_H5_OTHER;
}

static am_status open_array(const am_h5 *file, const char *name, hid_t *out, am_error *err) {
  *out = -1;
  am_h5_kind kind = am_h5_lookup(file, name);
  if (kind != AM_H5_ARRAY)
    return am_fail(err, AM_E_FORMAT, "%s: %s \"%s\", wanted an array", file->path,
                   kind == AM_H5_GROUP ? "found a group at" : "there is nothing called", name);
  *out = H5Dopen2(file->at, name, H5P_DEFAULT);
  return *out < 0 ? am_h5_fail(file, err, AM_E_FORMAT, "cannot open", name) : AM_OK;
}

/* Writing arrays */

static am_status set_crc(const am_h5 *file, hid_t array, const char *name, uint32_t crc, am_error *err) {
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(array, "crc32c", H5T_STD_U32LE, space, H5P_DEFAULT, H5P_DEFAULT);
  bool good = attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_UINT32, &crc) >= 0;
  am_status status = good ? AM_OK : am_h5_fail(file, err, AM_E_IO, "cannot write the checksum of", name);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return status;
}

/* A new contiguous array without time stamps, in place of any that was there. */
static am_status create_array(const am_h5 *file, const char *name, hid_t type, int rank, const size_t *dims, hid_t *out,
                              am_error *err) {
  hsize_t sizes[AM_H5_RANK] = {0};
  *out = -1;
  if (rank < 0 || rank > AM_H5_RANK)
    return am_fail(err, AM_E_USAGE, "%s: %s has %d dimensions; wanted 0 to %d", file->path, name, rank, AM_H5_RANK);
  am_h5_kind kind = am_h5_lookup(file, name);
  if (am_h5_is_root(name) || kind == AM_H5_GROUP)
    return am_fail(err, AM_E_USAGE, "%s: \"%s\" is a group, not an array", file->path, name);
  if (kind == AM_H5_ARRAY && H5Ldelete(file->at, name, H5P_DEFAULT) < 0)
    return am_h5_fail(file, err, AM_E_IO, "cannot replace", name);
  const char *slash = strrchr(name, '/');
  am_status status = slash ? am_h5_make_groups(file, name, (size_t)(slash - name), err) : AM_OK;
  if (status) return status;
  for (int i = 0; i < rank; i++) sizes[i] = dims[i];
  hid_t space = rank ? H5Screate_simple(rank, sizes, NULL) : H5Screate(H5S_SCALAR);
  hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(layout, false);
  *out = H5Dcreate2(file->at, name, type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
  if (*out < 0) status = am_h5_fail(file, err, AM_E_IO, "cannot make array", name);
  H5Pclose(layout);
  H5Sclose(space);
  return status;
}

am_status am_h5_write(am_h5 *file, const char *name, am_h5_type type, int rank, const size_t *dims, const void *data,
                      am_error *err) {
  if (file_type(type) < 0)
    return am_fail(err, AM_E_USAGE, "%s: %s cannot be written as %s", file->path, name, type_name(type));
  hid_t array;
  am_h5_quiet q = am_h5_enter();
  am_status status = create_array(file, name, file_type(type), rank, dims, &array, err);
  size_t bytes = status ? 0 : am_mul(am_product(rank, dims), am_h5_type_size(type));
  if (!status && bytes && H5Dwrite(array, file_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    status = am_h5_fail(file, err, AM_E_IO, "cannot write", name);
  if (!status) status = set_crc(file, array, name, am_crc32c(0, data, bytes), err);
  if (array >= 0 && H5Dclose(array) < 0 && !status) status = am_h5_fail(file, err, AM_E_IO, "cannot write", name);
  am_h5_leave(q);
  return status;
}

am_status am_h5_write_text(am_h5 *file, const char *name, const char *text, am_error *err) {
  size_t n = strlen(text);
  hid_t array;
  am_h5_quiet q = am_h5_enter();
  hid_t type = am_h5_text_type(n ? n : 1);
  am_status status = create_array(file, name, type, 0, NULL, &array, err);
  if (!status && H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
    status = am_h5_fail(file, err, AM_E_IO, "cannot write", name);
  if (!status) status = set_crc(file, array, name, am_crc32c(0, text, n), err);
  if (array >= 0) H5Dclose(array);
  H5Tclose(type);
  am_h5_leave(q);
  return status;
}

am_status am_h5_rows_begin(am_h5 *file, const char *name, am_h5_type type, int rank, const size_t *dims,
                           am_h5_rows **out, am_error *err) {
  *out = NULL;
  if (file_type(type) < 0 || rank < 1)
    return am_fail(err, AM_E_USAGE, "%s: %s cannot be written by rows as %s of %d dimensions", file->path, name,
                   type_name(type), rank);
  am_h5_rows *rows = am_alloc(file->ctx, 1, sizeof *rows);
  char *copy = am_strdup(file->ctx, name);
  am_status status = rows && copy ? AM_OK : am_no_memory(err);
  if (!status) {
    hid_t array;
    am_h5_quiet q = am_h5_enter();
    status = create_array(file, name, file_type(type), rank, dims, &array, err);
    if (array >= 0) H5Dclose(array);
    am_h5_leave(q);
  }
  if (status) {
    am_free(file->ctx, copy);
    am_free(file->ctx, rows);
    return status;
  }
  *rows = (am_h5_rows){.file = file, .name = copy, .type = type, .rank = rank};
  memcpy(rows->dims, dims, (size_t)rank * sizeof *dims);
  *out = rows;
  return AM_OK;
}

/* Reads or writes rows [first, first + count) of an open array. */
static am_status move_rows(const am_h5 *file, const char *name, hid_t array, hid_t type, int rank, const size_t *dims,
                           size_t first, size_t count, void *into, const void *from, am_error *err) {
  hsize_t start[AM_H5_RANK] = {first}, size[AM_H5_RANK] = {count};
  for (int i = 1; i < rank; i++) size[i] = dims[i];
  hid_t all = H5Dget_space(array), piece = H5Screate_simple(rank, size, NULL);
  herr_t done = H5Sselect_hyperslab(all, H5S_SELECT_SET, start, NULL, size, NULL);
  if (done >= 0)
    done = into ? H5Dread(array, type, piece, all, H5P_DEFAULT, into)
                : H5Dwrite(array, type, piece, all, H5P_DEFAULT, from);
  am_status status = AM_OK;
  if (done < 0) {
    if (into) status = am_h5_fail(file, err, AM_E_FORMAT, "cannot read", name);
    else status = am_h5_fail(file, err, AM_E_IO, "cannot write", name);
  }
  H5Sclose(piece);
  H5Sclose(all);
  return status;
}

am_status am_h5_rows_append(am_h5_rows *rows, const void *data, size_t count, am_error *err) {
  am_h5 *file = rows->file;
  if (count > rows->dims[0] - rows->done)
    return am_fail(err, AM_E_SHAPE, "%s: %s was promised %zu rows, and got %zu", file->path, rows->name, rows->dims[0],
                   am_add(rows->done, count));
  size_t bytes = am_mul(am_mul(count, am_product(rows->rank - 1, rows->dims + 1)), am_h5_type_size(rows->type));
  if (!bytes) {
    rows->done += count;
    return AM_OK;
  }
  hid_t array;
  am_h5_quiet q = am_h5_enter();
  am_status status = open_array(file, rows->name, &array, err);
  if (!status)
    status = move_rows(file, rows->name, array, file_type(rows->type), rows->rank, rows->dims, rows->done, count, NULL,
                       data, err);
  if (array >= 0) H5Dclose(array);
  am_h5_leave(q);
  if (status) return status;
  rows->crc = am_crc32c(rows->crc, data, bytes);
  rows->done += count;
  return AM_OK;
}

am_status am_h5_rows_end(am_h5_rows *rows, am_error *err) {
  if (!rows) return AM_OK;
  am_h5 *file = rows->file;
  am_status status = AM_OK;
  if (rows->done != rows->dims[0])
    status = am_fail(err, AM_E_SHAPE, "%s: %s was promised %zu rows, and got %zu", file->path, rows->name,
                     rows->dims[0], rows->done);
  if (!status) {
    hid_t array;
    am_h5_quiet q = am_h5_enter();
    status = open_array(file, rows->name, &array, err);
    if (!status) status = set_crc(file, array, rows->name, rows->crc, err);
    if (array >= 0) H5Dclose(array);
    am_h5_leave(q);
  }
  am_free(file->ctx, rows->name);
  am_free(file->ctx, rows);
  return status;
}

/* Reading arrays */

static am_status get_crc(const am_h5 *file, hid_t array, const char *name, am_h5_info *info, am_error *err) {
  if (H5Aexists(array, "crc32c") <= 0) {
    if (file->flags & AM_H5_FOREIGN) return AM_OK;
    return am_fail(err, AM_E_FORMAT, "%s: %s has no checksum (crc32c), so it is not ours or was damaged", file->path,
                   name);
  }
  hid_t attribute = H5Aopen(array, "crc32c", H5P_DEFAULT);
  hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
  info->has_crc =
      space >= 0 && H5Sget_simple_extent_npoints(space) == 1 && H5Aread(attribute, H5T_NATIVE_UINT32, &info->crc) >= 0;
  if (space >= 0) H5Sclose(space);
  if (attribute >= 0) H5Aclose(attribute);
  return info->has_crc ? AM_OK : am_h5_fail(file, err, AM_E_FORMAT, "cannot read the checksum of", name);
}

/* HDF5 takes memory for a whole chunk, however little of it the array fills. */
static bool chunk_fits(hid_t list, H5D_layout_t layout, size_t width, size_t bytes) {
  enum { FREE = 1 << 20 /* HDF5's own cache of chunks */, TIMES = 8 };
  hsize_t dims[H5S_MAX_RANK];
  if (layout != H5D_CHUNKED) return true;
  int rank = H5Pget_chunk(list, H5S_MAX_RANK, dims);
  size_t chunk = rank < 0 ? SIZE_MAX : width;
  for (int i = 0; i < rank; i++) chunk = am_mul(chunk, dims[i] > SIZE_MAX ? SIZE_MAX : (size_t)dims[i]);
  return chunk <= FREE || chunk / TIMES <= bytes;
}

static am_status check_storage(const am_h5 *file, hid_t array, const char *name, size_t width, am_h5_info *info,
                               am_error *err) {
  size_t bytes = am_mul(info->count, width);
  hid_t list = H5Dget_create_plist(array);
  H5D_layout_t layout = H5Pget_layout(list);
  bool outside = H5Pget_external_count(list) > 0 || layout == H5D_VIRTUAL;
  bool fits = chunk_fits(list, layout, width, bytes);
  H5Pclose(list);
  if (outside || layout < 0)
    return am_fail(err, AM_E_FORMAT, "%s: %s keeps its data in other files, which are not read", file->path, name);
  bool foreign = file->flags & AM_H5_FOREIGN;
  if (layout != H5D_CONTIGUOUS && !foreign)
    return am_fail(err, AM_E_FORMAT, "%s: %s is not stored in one piece, so it is not ours", file->path, name);
  uint64_t stored = H5Dget_storage_size(array), total = am_h5_size(file), most = total;
  if (!fits)
    return am_fail(err, AM_E_FORMAT, "%s: %s is stored in chunks that are far larger than its %zu bytes", file->path,
                   name, bytes);
  if (layout == H5D_CHUNKED) most = am_h5_most(total);
  if (bytes > most || (layout == H5D_CONTIGUOUS && bytes > stored))
    return am_fail(err, AM_E_FORMAT, "%s: %s claims %zu bytes, but the file (%llu bytes) does not hold them",
                   file->path, name, bytes, (unsigned long long)total);
  haddr_t offset = layout == H5D_CONTIGUOUS ? H5Dget_offset(array) : HADDR_UNDEF;
  info->offset = offset == HADDR_UNDEF ? UINT64_MAX : (uint64_t)offset;
  return AM_OK;
}

/* Everything about an open array, checked; `type` is its type in the file. */
static am_status get_info(const am_h5 *file, hid_t array, const char *name, hid_t type, am_h5_info *info,
                          am_error *err) {
  *info = (am_h5_info){.type = classify(type), .offset = UINT64_MAX};
  hsize_t sizes[H5S_MAX_RANK];
  hid_t space = H5Dget_space(array);
  int rank = H5Sget_simple_extent_ndims(space);
  bool null_space = H5Sget_simple_extent_type(space) == H5S_NULL;
  if (rank >= 0 && rank <= AM_H5_RANK) H5Sget_simple_extent_dims(space, sizes, NULL);
  H5Sclose(space);
  if (rank < 0 || rank > AM_H5_RANK || null_space)
    return am_fail(err, AM_E_FORMAT, "%s: %s has %d dimensions; wanted 0 to %d", file->path, name, rank, AM_H5_RANK);
  info->rank = rank;
  for (int i = 0; i < rank; i++) info->dims[i] = sizes[i] > SIZE_MAX ? SIZE_MAX : (size_t)sizes[i];
  info->count = am_product(rank, info->dims);
  size_t width = H5Tget_size(type);
  am_status status = check_storage(file, array, name, width, info, err);
  if (info->type == AM_H5_TEXT && !H5Tis_variable_str(type) && !rank) info->count = width;
  return status ? status : get_crc(file, array, name, info, err);
}

static am_status open_info(const am_h5 *file, const char *name, hid_t *array, hid_t *type, am_h5_info *info,
                           am_error *err) {
  *type = -1;
  am_status status = open_array(file, name, array, err);
  if (status) return status;
  *type = H5Dget_type(*array);
  return get_info(file, *array, name, *type, info, err);
}

static void close_info(hid_t array, hid_t type) {
  if (type >= 0) H5Tclose(type);
  if (array >= 0) H5Dclose(array);
}

am_status am_h5_get_info(am_h5 *file, const char *name, am_h5_info *out, am_error *err) {
  hid_t array, type;
  am_h5_quiet q = am_h5_enter();
  am_status status = open_info(file, name, &array, &type, out, err);
  close_info(array, type);
  am_h5_leave(q);
  return status;
}

am_status am_h5_count(am_h5 *file, const char *group, size_t *count, am_error *err) {
  am_names names;
  *count = 0;
  am_status status = am_h5_arrays(file, group, &names, err);
  for (size_t i = 0; i < names.n && !status; i++) {
    am_h5_info info;
    char *name = am_format(file->ctx, "%s%s%s", group, am_h5_is_root(group) ? "" : "/", names.at[i]);
    status = name ? am_h5_get_info(file, name, &info, err) : am_no_memory(err);
    if (!status) *count = am_add(*count, info.count);
    am_free(file->ctx, name);
  }
  am_names_free(file->ctx, &names);
  return status;
}

/* May the array's type be read as `wanted`? Foreign files may need a conversion of width. */
static am_status check_type(const am_h5 *file, const char *name, hid_t type, am_h5_type found, am_h5_type wanted,
                            am_error *err) {
  bool same = found == wanted && (file_type(wanted) >= 0 || wanted == AM_H5_PAIRS);
  if (!same && file->flags & AM_H5_FOREIGN && file_type(wanted) >= 0)
    same = H5Tget_class(type) == H5Tget_class(file_type(wanted));
  if (same) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: %s holds %s, wanted %s", file->path, name, type_name(found), type_name(wanted));
}

static am_status compare_crc(const am_h5 *file, const char *name, const am_h5_info *info, uint32_t crc, am_error *err) {
  if (crc == info->crc) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: %s is damaged: its checksum is %08x, wanted %08x", file->path, name,
                 (unsigned)crc, (unsigned)info->crc);
}

/* The checksum is of the bytes as they are in the file, so only an unconverted read can be checked. */
static am_status check_crc(const am_h5 *file, const char *name, hid_t type, am_h5_type as, const am_h5_info *info,
                           const void *data, am_error *err) {
  if (!info->has_crc || H5Tequal(type, file_type(as)) <= 0) return AM_OK;
  return compare_crc(file, name, info, am_crc32c(0, data, info->count * am_h5_type_size(as)), err);
}

static am_status read_open(const am_h5 *file, const char *name, hid_t array, hid_t type, am_h5_type as,
                           const am_h5_info *info, void *data, am_error *err) {
  am_status status = check_type(file, name, type, info->type, as, err);
  if (status) return status;
  hid_t memory = as == AM_H5_PAIRS ? type : file_type(as);
  if (info->count && H5Dread(array, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    return am_h5_fail(file, err, AM_E_FORMAT, "cannot read", name);
  return check_crc(file, name, type, as, info, data, err);
}

bool am_h5_read_is_plain(am_h5 *file, const char *name) {
  hid_t array, stored;
  am_h5_info info = {0};
  int descriptor;
  am_h5_quiet q = am_h5_enter();
  bool plain = open_info(file, name, &array, &stored, &info, NULL) == AM_OK && file_type(info.type) >= 0 &&
               H5Tequal(stored, file_type(info.type)) > 0 &&
               am_h5_is_plain(file, &info, am_mul(info.count, am_h5_type_size(info.type)), &descriptor);
  close_info(array, stored);
  am_h5_leave(q);
  return plain;
}

am_status am_h5_read(am_h5 *file, const char *name, am_h5_type type, void *data, size_t count, am_error *err) {
  hid_t array, stored;
  am_h5_info info = {0};
  am_h5_quiet q = am_h5_enter();
  am_status status = open_info(file, name, &array, &stored, &info, err);
  if (!status && info.type != AM_H5_TEXT && info.count != count)
    status = am_fail(err, AM_E_SHAPE, "%s: %s has %zu elements, wanted %zu", file->path, name, info.count, count);
  if (!status) status = check_type(file, name, stored, info.type, type, err);
  size_t bytes = am_mul(info.count, am_h5_type_size(type));
  if (!status) status = am_h5_charge(file, name, bytes, err);
  int descriptor;
  bool plain = !status && H5Tequal(stored, file_type(type)) > 0 && am_h5_is_plain(file, &info, bytes, &descriptor);
  if (!status && !plain) status = read_open(file, name, array, stored, type, &info, data, err);
  close_info(array, stored);
  am_h5_leave(q);
  if (!status && !plain && type == AM_H5_F32 && !am_all_finite(data, count)) file->lost = true;
  if (!plain) return status;
  uint32_t crc;
  status = am_h5_read_plain(file, descriptor, info.offset, name, type, data, bytes, &crc, err);
  return status || !info.has_crc ? status : compare_crc(file, name, &info, crc, err);
}

bool am_h5_found_lost(am_h5 *file) {
  const bool was = file->lost;
  file->lost = false;
  return was;
}

am_status am_h5_read_new(am_h5 *file, const char *name, am_h5_type type, am_h5_info *info, void **data, am_error *err) {
  hid_t array, stored;
  *data = NULL;
  am_h5_quiet q = am_h5_enter();
  am_status status = open_info(file, name, &array, &stored, info, err);
  if (!status) status = check_type(file, name, stored, info->type, type, err);
  if (!status) status = am_h5_charge(file, name, am_mul(info->count, am_h5_type_size(type)), err);
  if (!status && !(*data = am_alloc_aligned(file->ctx, am_mul(info->count, am_h5_type_size(type)))))
    status = am_no_memory(err);
  if (!status) status = read_open(file, name, array, stored, type, info, *data, err);
  close_info(array, stored);
  am_h5_leave(q);
  if (status) {
    am_free_aligned(file->ctx, *data);
    *data = NULL;
  }
  return status;
}

am_status am_h5_read_rows(am_h5 *file, const char *name, am_h5_type type, size_t first, size_t rows, void *data,
                          am_error *err) {
  hid_t array, stored;
  am_h5_info info;
  am_h5_quiet q = am_h5_enter();
  am_status status = open_info(file, name, &array, &stored, &info, err);
  if (!status) status = check_type(file, name, stored, info.type, type, err);
  if (!status && (!info.rank || first > info.dims[0] || rows > info.dims[0] - first))
    status = am_fail(err, AM_E_SHAPE, "%s: %s has %zu rows, wanted %zu from %zu on", file->path, name,
                     info.rank ? info.dims[0] : 0, rows, first);
  if (!status && rows)
    status = am_h5_charge(
        file, name, am_mul(info.count / (info.dims[0] ? info.dims[0] : 1), am_mul(rows, am_h5_type_size(type))), err);
  if (!status && rows && info.count)
    status = move_rows(file, name, array, file_type(type), info.rank, info.dims, first, rows, data, NULL, err);
  if (!status && rows == info.dims[0]) status = check_crc(file, name, stored, type, &info, data, err);
  close_info(array, stored);
  am_h5_leave(q);
  return status;
}
