/* SPDX-License-Identifier: MIT */
/* io/h5_attr.c - attributes of groups and arrays, and texts, in HDF5 files. */
#include <stdlib.h>
#include <string.h>

#include "io/h5_inside.h"

hid_t am_h5_text_type(size_t size) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_cset(type, H5T_CSET_UTF8);
  if (size != H5T_VARIABLE) H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

/* Setting */

enum { MAX_TEXT = 60000 }; /* HDF5 keeps attributes of up to 64 KiB in the object's header */

/* The group that names are taken from is "." to HDF5; "/" would be the file's own root. */
static const char *object_name(const char *object) { return am_h5_is_root(object) ? "." : object; }
static const char *object_shown(const char *object) { return am_h5_is_root(object) ? "/" : object; }

/* Replaces the attribute and writes it. */
static am_status set(am_h5 *file, const char *object, const char *name, hid_t stored, hid_t memory, hid_t space,
                     const void *data, am_error *err) {
  const char *on = object_name(object);
  if (am_h5_lookup(file, object) == AM_H5_NOTHING)
    return am_fail(err, AM_E_USAGE, "%s: there is no group or array \"%s\" to describe by \"%s\"", file->path,
                   object_shown(object), name);
  if (H5Aexists_by_name(file->at, on, name, H5P_DEFAULT) > 0) H5Adelete_by_name(file->at, on, name, H5P_DEFAULT);
  hid_t id = H5Acreate_by_name(file->at, on, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = id >= 0 && (!data || H5Awrite(id, memory, data) >= 0);
  am_status status = good ? AM_OK : am_h5_fail(file, err, AM_E_IO, "cannot write attribute", name);
  if (id >= 0) H5Aclose(id);
  return status;
}

am_status am_h5_set_int(am_h5 *file, const char *object, const char *name, int64_t number, am_error *err) {
  am_h5_quiet q = am_h5_enter();
  hid_t space = H5Screate(H5S_SCALAR);
  am_status status = set(file, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, space, &number, err);
  H5Sclose(space);
  am_h5_leave(q);
  return status;
}

am_status am_h5_set_real(am_h5 *file, const char *object, const char *name, double number, am_error *err) {
  am_h5_quiet q = am_h5_enter();
  hid_t space = H5Screate(H5S_SCALAR);
  am_status status = set(file, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space, &number, err);
  H5Sclose(space);
  am_h5_leave(q);
  return status;
}

static am_status fail_long(const am_h5 *file, const char *name, am_error *err) {
  return am_fail(err, AM_E_USAGE, "%s: attribute %s is longer than %d bytes; write a text instead", file->path, name,
                 (int)MAX_TEXT);
}

am_status am_h5_set_text(am_h5 *file, const char *object, const char *name, const char *text, am_error *err) {
  size_t n = strlen(text);
  if (n > MAX_TEXT) return fail_long(file, name, err);
  am_h5_quiet q = am_h5_enter();
  hid_t space = H5Screate(H5S_SCALAR), type = am_h5_text_type(n ? n : 1);
  am_status status = set(file, object, name, type, type, space, text, err);
  H5Tclose(type);
  H5Sclose(space);
  am_h5_leave(q);
  return status;
}

am_status am_h5_set_texts(am_h5 *file, const char *object, const char *name, const char *const *texts, size_t n,
                          am_error *err) {
  size_t width = 1;
  for (size_t i = 0; i < n; i++)
    if (strlen(texts[i]) > width) width = strlen(texts[i]);
  if (am_mul(width, n) > MAX_TEXT) return fail_long(file, name, err);
  char *table = am_alloc(file->ctx, n + 1, width);
  if (!table) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) memcpy(table + i * width, texts[i], strlen(texts[i]));
  am_h5_quiet q = am_h5_enter();
  hsize_t size = n;
  hid_t space = H5Screate_simple(1, &size, NULL), type = am_h5_text_type(width);
  am_status status = set(file, object, name, type, type, space, n ? table : NULL, err);
  H5Tclose(type);
  H5Sclose(space);
  am_h5_leave(q);
  am_free(file->ctx, table);
  return status;
}

/* Getting */

bool am_h5_has(am_h5 *file, const char *object, const char *name) {
  am_h5_quiet q = am_h5_enter();
  const char *on = object_name(object);
  bool there = am_h5_lookup(file, object) != AM_H5_NOTHING && H5Aexists_by_name(file->at, on, name, H5P_DEFAULT) > 0;
  am_h5_leave(q);
  return there;
}

typedef struct attribute {
  hid_t id, type;
  size_t count;
} attribute;

static void close_attribute(attribute *a) {
  if (a->type >= 0) H5Tclose(a->type);
  if (a->id >= 0) H5Aclose(a->id);
}

/* Opens an attribute that is a scalar or has one dimension, no larger than the file. */
static am_status open_attribute(const am_h5 *file, const char *object, const char *name, attribute *a, am_error *err) {
  const char *on = object_name(object);
  *a = (attribute){-1, -1, 0};
  if (am_h5_lookup(file, object) == AM_H5_NOTHING || H5Aexists_by_name(file->at, on, name, H5P_DEFAULT) <= 0)
    return am_fail(err, AM_E_FORMAT, "%s: \"%s\" has no attribute \"%s\"", file->path, object_shown(object), name);
  a->id = H5Aopen_by_name(file->at, on, name, H5P_DEFAULT, H5P_DEFAULT);
  if (a->id < 0) return am_h5_fail(file, err, AM_E_FORMAT, "cannot open attribute", name);
  a->type = H5Aget_type(a->id);
  hid_t space = H5Aget_space(a->id);
  int rank = H5Sget_simple_extent_ndims(space);
  hssize_t count = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  if (a->type < 0 || rank < 0 || rank > 1 || count < 0)
    return am_fail(err, AM_E_FORMAT, "%s: attribute %s of \"%s\" has %d dimensions; wanted 0 or 1", file->path, name,
                   object_shown(object), rank);
  a->count = (size_t)count;
  if (am_mul(a->count, H5Tget_size(a->type)) <= am_h5_size(file)) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: attribute %s of \"%s\" claims to be larger than the file", file->path, name,
                 object_shown(object));
}

static am_status fail_attribute(const am_h5 *file, const char *object, const char *name, const char *wanted,
                                am_error *err) {
  return am_fail(err, AM_E_FORMAT, "%s: attribute %s of \"%s\" is not %s", file->path, name, object_shown(object),
                 wanted);
}

/* One number; an integer may be read as a real. */
static am_status get_number(am_h5 *file, const char *object, const char *name, bool real, void *out, am_error *err) {
  attribute a;
  am_h5_quiet q = am_h5_enter();
  am_status status = open_attribute(file, object, name, &a, err);
  H5T_class_t class = a.type >= 0 ? H5Tget_class(a.type) : H5T_NO_CLASS;
  if (!status && (a.count != 1 || !(class == H5T_INTEGER || (real && class == H5T_FLOAT))))
    status = fail_attribute(file, object, name, real ? "one number" : "one whole number", err);
  if (!status && H5Aread(a.id, real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, out) < 0)
    status = am_h5_fail(file, err, AM_E_FORMAT, "cannot read attribute", name);
  close_attribute(&a);
  am_h5_leave(q);
  return status;
}

am_status am_h5_get_int(am_h5 *file, const char *object, const char *name, int64_t *out, am_error *err) {
  return get_number(file, object, name, false, out, err);
}

am_status am_h5_get_real(am_h5 *file, const char *object, const char *name, double *out, am_error *err) {
  return get_number(file, object, name, true, out, err);
}

/* A string of a fixed field, without its padding. */
static char *field_text(am_context *ctx, const char *field, size_t width, bool spaces) {
  size_t n = strnlen(field, width);
  while (spaces && n && field[n - 1] == ' ') n--;
  return am_format(ctx, "%.*s", (int)n, field);
}

/* Reads `count` strings of an attribute or, with `array`, of an array. */
static am_status read_texts(am_h5 *file, hid_t id, bool array, hid_t type, const char *name, am_names *out,
                            size_t count, am_error *err) {
  am_context *ctx = file->ctx;
  bool variable = H5Tis_variable_str(type) > 0, spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  size_t width = H5Tget_size(type);
  if (width > INT32_MAX) return am_fail(err, AM_E_FORMAT, "%s: %s holds a text of %zu bytes", file->path, name, width);
  am_status status = am_h5_charge(file, name, am_mul(count, width), err);
  if (status) return status;
  char *data = am_alloc(ctx, am_add(count, 1), width);
  out->at = am_alloc(ctx, am_add(count, 1), sizeof *out->at);
  if (!data || !out->at) {
    am_free(ctx, data);
    return am_no_memory(err);
  }
  herr_t done = !count ? 0 : array ? H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) : H5Aread(id, type, data);
  if (done < 0) status = am_h5_fail(file, err, AM_E_FORMAT, "cannot read the text", name);
  for (size_t i = 0; i < count && !status; i++) {
    char *pointer = NULL;
    if (variable) memcpy(&pointer, data + i * width, sizeof pointer);
    out->at[i] = variable ? am_strdup(ctx, pointer ? pointer : "") : field_text(ctx, data + i * width, width, spaces);
    if (!out->at[i]) status = am_no_memory(err);
    else if (variable) status = am_h5_charge(file, name, strlen(out->at[i]), err);
    if (out->at[i]) out->n++;
  }
  if (variable && done >= 0 && count) {
    hid_t space = array ? H5Dget_space(id) : H5Aget_space(id);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, data);
    H5Sclose(space);
  }
  am_free(ctx, data);
  return status;
}

am_status am_h5_get_texts(am_h5 *file, const char *object, const char *name, am_names *out, am_error *err) {
  attribute a;
  *out = (am_names){0};
  am_h5_quiet q = am_h5_enter();
  am_status status = open_attribute(file, object, name, &a, err);
  if (!status && H5Tget_class(a.type) != H5T_STRING) status = fail_attribute(file, object, name, "text", err);
  if (!status) status = read_texts(file, a.id, false, a.type, name, out, a.count, err);
  close_attribute(&a);
  am_h5_leave(q);
  if (status) am_names_free(file->ctx, out);
  return status;
}

am_status am_h5_get_text(am_h5 *file, const char *object, const char *name, char **out, am_error *err) {
  am_names texts;
  *out = NULL;
  am_status status = am_h5_get_texts(file, object, name, &texts, err);
  if (status) return status;
  if (texts.n == 1) {
    *out = texts.at[0];
    texts.n = 0;
  } else {
    status = fail_attribute(file, object, name, "one text", err);
  }
  am_names_free(file->ctx, &texts);
  return status;
}

am_status am_h5_read_text(am_h5 *file, const char *name, char **out, am_error *err) {
  am_h5_info info;
  am_names texts = {0};
  *out = NULL;
  am_status status = am_h5_get_info(file, name, &info, err);
  if (status) return status;
  if (info.type != AM_H5_TEXT || info.rank)
    return am_fail(err, AM_E_FORMAT, "%s: %s is an array, wanted one text", file->path, name);
  am_h5_quiet q = am_h5_enter();
  hid_t id = H5Dopen2(file->at, name, H5P_DEFAULT), type = id < 0 ? -1 : H5Dget_type(id);
  if (type < 0) status = am_h5_fail(file, err, AM_E_FORMAT, "cannot open", name);
  else status = read_texts(file, id, true, type, name, &texts, 1, err);
  if (type >= 0) H5Tclose(type);
  if (id >= 0) H5Dclose(id);
  am_h5_leave(q);
  if (!status && info.has_crc && am_crc32c(0, texts.at[0], strlen(texts.at[0])) != info.crc)
    status = am_fail(err, AM_E_FORMAT, "%s: %s is damaged: its checksum does not fit", file->path, name);
  if (!status) {
    *out = texts.at[0];
    texts.n = 0;
  }
  am_names_free(file->ctx, &texts);
  return status;
}
