/* SPDX-License-Identifier: MIT */
/* tests/fuzz/h5edit.c - inputs that change an HDF5 file by its structure: doing what they say. */
#include "fuzz/h5edit.h"
#include "fuzz/h5edit_inside.h"

#include <hdf5.h>
#include <unistd.h>

enum { RANK = 5, MOST_ELEMENTS = 1 << 16, TEXT_WIDTH = 5, MOST_TEXT = 60000 };

/* ---- the text ---- */

static const char first_word[] = "seed ";

bool h5edit_is(const uint8_t *data, size_t bytes) {
  return bytes >= sizeof first_word - 1 && !memcmp(data, first_word, sizeof first_word - 1);
}

/* "checkpoint-1.0.h5" of "seed checkpoint-1.0.h5", or "keras/conv2d.h5"; only names below the folders of golden files. */
static bool seed_path(const char *name, char path[512]) {
  if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_/.") != strlen(name) || strstr(name, ".."))
    return false;
  if (strlen(name) > 100 || name[0] == '/') return false;
  const bool keras = !strncmp(name, "keras/", 6);
  snprintf(path, 512, "%s/tests/%s/golden/%s", AM_SOURCE_ROOT, keras ? "exchange" : "model", name + (keras ? 6 : 0));
  return access(path, R_OK) == 0;
}

/* The next field of a line, up to a blank; "" at its end. */
static char *field(char **at) {
  char *start = *at, *end = start + strcspn(start, " ");
  *at = *end ? end + 1 : end;
  *end = '\0';
  return start;
}

/* In place: \n becomes a line feed. */
static void unescape(char *text) {
  char *to = text;
  for (; *text; text++) {
    bool feed = text[0] == '\\' && text[1] == 'n';
    *to++ = feed ? '\n' : *text;
    text += feed;
  }
  *to = '\0';
}

/* ---- places ---- */

/* Splits "object@attribute" ("/@attribute" of the root); false: an object. */
static bool is_attribute(char *place, const char **name) {
  char *at = strchr(place, '@');
  if (!at) return false;
  *at = '\0';
  *name = at + 1;
  return true;
}

static void delete (hid_t file, char *place) {
  const char *name;
  if (!is_attribute(place, &name)) H5Ldelete(file, place, H5P_DEFAULT);
  else H5Adelete_by_name(file, place, name, H5P_DEFAULT);
}

static hid_t creating_parents(void) {
  hid_t list = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(list, 1);
  return list;
}

/* ---- types and numbers ---- */

static hid_t type_named(const char *name) {
  static const char *const names[] = {"f32", "f64", "be32", "i8", "i32", "i64", "u8", "u32"};
  const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_STD_I8LE,
                         H5T_STD_I32LE,  H5T_STD_I64LE,  H5T_STD_U8LE,   H5T_STD_U32LE};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(name, names[i])) return H5Tcopy(types[i]);
  hid_t type = -1;
  if (!strcmp(name, "f16")) {
    type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
  } else if (!strcmp(name, "text") || !strcmp(name, "vlen")) {
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, *name == 't' ? TEXT_WIDTH : H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
  } else if (!strcmp(name, "pair")) {
    type = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(type, "real", 0, H5T_IEEE_F32LE);
    H5Tinsert(type, "whole", 4, H5T_STD_I32LE);
  }
  return type;
}

/* "3x4"; -1: not a shape. */
static int dims_of(const char *text, hsize_t dims[RANK], size_t *count) {
  int rank = 0;
  *count = 1;
  for (char *end; *text && strcmp(text, "-"); text = *end ? end + 1 : end) {
    if (*text < '0' || *text > '9' || rank == RANK) return -1;
    dims[rank] = strtoull(text, &end, 10);
    if (*end && *end != 'x') return -1;
    *count = am_mul(*count, (size_t)dims[rank++]);
  }
  return rank;
}

/* What H5Dwrite is to convert: doubles, or texts. free() */
static void *filling(hid_t type, const char *fill, size_t count, hid_t *memory) {
  static char text[TEXT_WIDTH] = "word";
  char *pointer = text;
  H5T_class_t class = H5Tget_class(type);
  *memory = class == H5T_STRING || class == H5T_COMPOUND ? type : H5T_NATIVE_DOUBLE;
  size_t width = *memory == type ? H5Tget_size(type) : sizeof(double);
  if (count > MOST_ELEMENTS) return NULL;
  char *data = calloc(count + 1, width);
  fuzz_require(data);
  double value = strtod(fill, NULL);
  for (size_t i = 0; i < count && class != H5T_COMPOUND; i++) {
    if (*memory != type) {
      double x = !strcmp(fill, "ramp") ? (double)i : value;
      memcpy(data + i * width, &x, sizeof x);
    } else {
      memcpy(data + i * width, H5Tis_variable_str(type) > 0 ? (void *)&pointer : (void *)text,
             H5Tis_variable_str(type) > 0 ? sizeof pointer : sizeof text);
    }
  }
  return data;
}

/* ---- checksums ---- */

/* crc32c of an array as it stands in the file; `always`: also of one that has none. */
static void fit_checksum(hid_t file, const char *name, bool always) {
  hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return;
  if (H5Aexists(array, "crc32c") > 0) H5Adelete(array, "crc32c");
  else if (!always) return (void)H5Dclose(array);
  hid_t type = H5Dget_type(array), space = H5Dget_space(array), one = H5Screate(H5S_SCALAR);
  size_t width = H5Tget_size(type), count = (size_t)H5Sget_simple_extent_npoints(space);
  uint32_t crc = 0;
  if (count <= MOST_ELEMENTS && H5Tis_variable_str(type) <= 0 && width <= MOST_TEXT) {
    char *data = calloc(count + 1, width);
    fuzz_require(data);
    bool text = H5Tget_class(type) == H5T_STRING;
    if (H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
      crc = am_crc32c(0, data, text && count == 1 ? strnlen(data, width) : count * width);
    free(data);
  }
  hid_t attribute = H5Acreate2(array, "crc32c", H5T_STD_U32LE, one, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) {
    H5Awrite(attribute, H5T_NATIVE_UINT32, &crc);
    H5Aclose(attribute);
  }
  H5Sclose(one);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(array);
}

/* ---- the edits ---- */

/* A new array or attribute in place of what is there; `chunk` 0: in one piece. */
static void put(hid_t file, char *place, hid_t type, hid_t space, unsigned chunk, const void *data, hid_t memory) {
  const char *name;
  if (is_attribute(place, &name)) {
    /* An attribute is written whole, whatever it is filled with; HDF5 dies later of one that it had no memory for. */
    if (H5Sget_simple_extent_npoints(space) > MOST_ELEMENTS) return;
    hid_t object = H5Oopen(file, place, H5P_DEFAULT);
    if (H5Aexists(object, name) > 0) H5Adelete(object, name);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (data) H5Awrite(attribute, memory, data);
    H5Aclose(attribute);
    H5Oclose(object);
    return;
  }
  hid_t links = creating_parents(), list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(list, false);
  hsize_t sizes[RANK];
  int rank = H5Sget_simple_extent_ndims(space);
  if (chunk && rank > 0) {
    for (int i = 0; i < rank; i++) sizes[i] = chunk;
    H5Pset_chunk(list, rank, sizes);
    H5Pset_deflate(list, 1);
  }
  H5Ldelete(file, place, H5P_DEFAULT);
  hid_t array = H5Dcreate2(file, place, type, space, links, list, H5P_DEFAULT);
  if (data) H5Dwrite(array, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  H5Dclose(array);
  H5Pclose(list);
  H5Pclose(links);
  fit_checksum(file, place, true);
}

static void put_array(hid_t file, char *place, char *rest, bool chunked) {
  hsize_t dims[RANK];
  size_t count;
  hid_t type = type_named(field(&rest)), memory;
  int rank = dims_of(field(&rest), dims, &count);
  const char *fill = field(&rest);
  unsigned chunk = chunked ? (unsigned)strtoul(field(&rest), NULL, 10) : 0;
  if (type >= 0 && rank >= 0 && chunk <= 4096) {
    hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    void *data = filling(type, fill, count, &memory);
    put(file, place, type, space, chunk, data, memory);
    free(data);
    H5Sclose(space);
  }
  if (type >= 0) H5Tclose(type);
}

static void put_number(hid_t file, char *place, const char *text, bool real) {
  hid_t space = H5Screate(H5S_SCALAR);
  double x = strtod(text, NULL);
  int64_t n = strtoll(text, NULL, 10);
  put(file, place, real ? H5T_IEEE_F64LE : H5T_STD_I64LE, space, 0, real ? (void *)&x : (void *)&n,
      real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64);
  H5Sclose(space);
}

static void put_text(hid_t file, char *place, const char *text) {
  size_t n = strlen(text);
  if (n > MOST_TEXT) return;
  hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, n ? n : 1);
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  put(file, place, type, space, 0, text, type);
  H5Tclose(type);
  H5Sclose(space);
}

static void set_element(hid_t file, const char *place, char *rest) {
  size_t at = strtoull(field(&rest), NULL, 10);
  double value = strtod(field(&rest), NULL);
  hid_t array = H5Dopen2(file, place, H5P_DEFAULT);
  if (array < 0) return;
  hid_t space = H5Dget_space(array), type = H5Dget_type(array);
  size_t count = (size_t)H5Sget_simple_extent_npoints(space);
  H5T_class_t class = H5Tget_class(type);
  if (count && count <= MOST_ELEMENTS && (class == H5T_FLOAT || class == H5T_INTEGER)) {
    double *data = calloc(count, sizeof *data);
    fuzz_require(data);
    if (H5Dread(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0) {
      data[at % count] = value;
      H5Dwrite(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    }
    free(data);
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(array);
  fit_checksum(file, place, false);
}

char *h5edit_text_at(hid_t file, const char *where) {
  char place[256], *out = NULL;
  const char *name = NULL;
  snprintf(place, sizeof place, "%s", where);
  bool attribute = is_attribute(place, &name);
  hid_t id =
      attribute ? H5Aopen_by_name(file, place, name, H5P_DEFAULT, H5P_DEFAULT) : H5Dopen2(file, place, H5P_DEFAULT);
  if (id < 0) return NULL;
  hid_t type = attribute ? H5Aget_type(id) : H5Dget_type(id), space = attribute ? H5Aget_space(id) : H5Dget_space(id);
  size_t width = H5Tget_size(type);
  bool variable = H5Tis_variable_str(type) > 0;
  if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1 && width <= MOST_TEXT) {
    char *data = calloc(1, width + sizeof(char *)), *pointer = NULL;
    fuzz_require(data);
    herr_t done = attribute ? H5Aread(id, type, data) : H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    memcpy(&pointer, data, sizeof pointer);
    if (done >= 0) out = variable ? pointer ? strdup(pointer) : NULL : strdup(data);
    if (variable && done >= 0) H5Dvlen_reclaim(type, space, H5P_DEFAULT, data);
    free(data);
  }
  H5Sclose(space);
  H5Tclose(type);
  if (attribute) H5Aclose(id);
  else H5Dclose(id);
  return out;
}

size_t h5edit_words(const char *text, size_t wanted, size_t *at, size_t *length) {
  static const char of_words[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
  size_t n = 0;
  for (size_t i = strcspn(text, of_words); text[i]; n++) {
    size_t word = strspn(text + i, of_words);
    if (n == wanted) *at = i, *length = word;
    i += word;
    i += strcspn(text + i, of_words);
  }
  return n;
}

static void substitute(hid_t file, char *place, char *rest) {
  size_t number = strtoull(field(&rest), NULL, 10), at = 0, length = 0;
  char *text = h5edit_text_at(file, place);
  size_t n = text ? h5edit_words(text, SIZE_MAX, &at, &length) : 0;
  if (n) {
    h5edit_words(text, number % n, &at, &length);
    size_t room = strlen(text) + strlen(rest) + 1;
    char *changed = malloc(room);
    fuzz_require(changed);
    snprintf(changed, room, "%.*s%s%s", (int)at, text, rest, text + at + length);
    put_text(file, place, changed);
    free(changed);
  }
  free(text);
}

static void link_to(hid_t file, const char *edit, const char *place, char *rest) {
  hid_t links = creating_parents();
  const char *target = field(&rest);
  if (!strcmp(edit, "soft")) H5Lcreate_soft(target, file, place, links, H5P_DEFAULT);
  else if (!strcmp(edit, "hard")) H5Lcreate_hard(file, target, file, place, links, H5P_DEFAULT);
  else if (!strcmp(edit, "ext")) H5Lcreate_external(target, field(&rest), file, place, links, H5P_DEFAULT);
  else if (!strcmp(edit, "copy")) H5Ocopy(file, target, file, place, H5P_DEFAULT, links);
  else H5Lmove(file, target, file, place, links, H5P_DEFAULT);
  H5Pclose(links);
}

static void make_group(hid_t file, const char *place) {
  hid_t links = creating_parents(), group = H5Gcreate2(file, place, links, H5P_DEFAULT, H5P_DEFAULT);
  if (group >= 0) H5Gclose(group);
  H5Pclose(links);
}

static void edit_line(hid_t file, char *line) {
  char *edit = field(&line), *word = field(&line);
  if (!*word) return;
  if (!strcmp(edit, "del")) delete (file, word);
  else if (!strcmp(edit, "int") || !strcmp(edit, "real")) put_number(file, word, line, *edit == 'r');
  else if (!strcmp(edit, "array") || !strcmp(edit, "chunk")) put_array(file, word, line, *edit == 'c');
  else if (!strcmp(edit, "set")) set_element(file, word, line);
  else if (!strcmp(edit, "group")) make_group(file, word);
  else if (!strcmp(edit, "text") || !strcmp(edit, "sub")) {
    unescape(line);
    if (*edit == 't') put_text(file, word, line);
    else substitute(file, word, line);
  } else if (!strcmp(edit, "soft") || !strcmp(edit, "hard") || !strcmp(edit, "ext") || !strcmp(edit, "copy") ||
             !strcmp(edit, "move")) {
    link_to(file, edit, word, line);
  }
}

/* ---- the whole ---- */

static char *read_seed(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  fuzz_require(file && !fseek(file, 0, SEEK_END));
  *bytes = (size_t)ftell(file);
  rewind(file);
  char *data = malloc(*bytes + 1);
  fuzz_require(data && fread(data, 1, *bytes, file) == *bytes);
  fclose(file);
  return data;
}

hid_t h5edit_open(const char *path, bool write) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18);
  hid_t file = H5Fopen(path, write ? H5F_ACC_RDWR : H5F_ACC_RDONLY, list);
  H5Pclose(list);
  return file;
}

hid_t h5edit_seed(const char *text) {
  char name[128], path[512];
  size_t n = strcspn(text, "\n");
  if (n <= sizeof first_word - 1 || n >= sizeof name) return -1;
  snprintf(name, sizeof name, "%.*s", (int)(n - (sizeof first_word - 1)), text + sizeof first_word - 1);
  return seed_path(name, path) ? h5edit_open(path, false) : -1;
}

const char *h5edit_apply(const uint8_t *data, size_t bytes, const char *name, size_t *size) {
  char path[512], *text = fuzz_text(data, bytes), *at = text;
  char *line = strsep(&at, "\n");
  const char *out = NULL;
  if (seed_path(line + sizeof first_word - 1, path)) {
    char *seed = read_seed(path, size);
    out = fuzz_file(name, seed, *size);
    free(seed);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = h5edit_open(out, true);
    fuzz_require(file >= 0);
    while ((line = strsep(&at, "\n"))) edit_line(file, line);
    fuzz_require(H5Fclose(file) >= 0);
    free(read_seed(out, size));
  }
  free(text);
  return out;
}

const char *h5edit_file(const uint8_t *data, size_t bytes, const char *name, size_t *size) {
  const char *path = h5edit_is(data, bytes) ? h5edit_apply(data, bytes, name, size) : NULL;
  if (path && fuzz_made) *fuzz_made = *size;
  if (path) return path;
  *size = bytes;
  return fuzz_file(name, data, bytes);
}
