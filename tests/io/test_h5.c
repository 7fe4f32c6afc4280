/* HDF5: arrays, texts, attributes, damage, foreign files, files that appear whole or not at all. */
#include "testing.h"

#include <fcntl.h>
#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "io/h5.h"

typedef struct fixture {
  am_context *ctx;
  char *folder;
  char path[1024];
} fixture;

static int begin(void **state) {
  fixture *f = calloc(1, sizeof *f);
  f->ctx = am_test_context(1, NULL);
  f->folder = am_test_folder();
  snprintf(f->path, sizeof f->path, "%s/x.h5", f->folder);
  *state = f;
  return 0;
}

static int end(void **state) {
  fixture *f = *state;
  am_test_folder_remove(f->folder);
  am_context_free(f->ctx);
  free(f->folder);
  free(f);
  return 0;
}

static am_h5 *create(fixture *f) {
  am_h5 *file;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_create_aside(f->ctx, f->path, &file, &err), &err);
  return file;
}

static am_h5 *reopen(fixture *f, am_h5 *file, unsigned flags) {
  am_error err = AM_ERROR_INIT;
  if (file) am_test_ok(am_h5_commit(file, &err), &err);
  am_test_ok(am_h5_open(f->ctx, f->path, flags, &file, &err), &err);
  return file;
}

static const float weights[6] = {0.5f, -1, 3e-8f, 4, NAN, INFINITY};

static void arrays_of_all_types_and_shapes_come_back(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_h5 *file = create(f);
  const double d[2] = {1.0 / 3, -2};
  const int32_t i = -7;
  const int64_t l[1] = {INT64_MIN};
  const uint8_t u[16] = {255, 1};
  const size_t d23[] = {2, 3}, d1[] = {1}, d2[] = {2}, d4[] = {2, 2, 2, 2}, none[] = {3, 0};
  am_test_ok(am_h5_write(file, "weights/conv2d_1/kernel", AM_H5_F32, 2, d23, weights, &err), &err);
  am_test_ok(am_h5_write(file, "weights/conv2d_1/stats", AM_H5_F64, 1, d2, d, &err), &err);
  am_test_ok(am_h5_write(file, "scalar", AM_H5_I32, 0, NULL, &i, &err), &err);
  am_test_ok(am_h5_write(file, "long", AM_H5_I64, 1, d1, l, &err), &err);
  am_test_ok(am_h5_write(file, "bytes", AM_H5_U8, 4, d4, u, &err), &err);
  am_test_ok(am_h5_write(file, "empty", AM_H5_F32, 2, none, NULL, &err), &err);
  assert_string_equal(am_h5_path(file), f->path);
  file = reopen(f, file, AM_H5_READ);
  float w[6];
  double dd[2];
  int32_t ii;
  int64_t ll;
  uint8_t uu[16];
  am_test_ok(am_h5_read(file, "weights/conv2d_1/kernel", AM_H5_F32, w, 6, &err), &err);
  assert_memory_equal(w, weights, sizeof w);
  am_test_ok(am_h5_read(file, "/weights/conv2d_1/stats", AM_H5_F64, dd, 2, &err), &err);
  assert_memory_equal(dd, d, sizeof d);
  am_test_ok(am_h5_read(file, "scalar", AM_H5_I32, &ii, 1, &err), &err);
  am_test_ok(am_h5_read(file, "long", AM_H5_I64, &ll, 1, &err), &err);
  am_test_ok(am_h5_read(file, "bytes", AM_H5_U8, uu, 16, &err), &err);
  am_test_ok(am_h5_read(file, "empty", AM_H5_F32, w, 0, &err), &err);
  assert_int_equal(ii, i);
  assert_true(ll == l[0]);
  assert_memory_equal(uu, u, sizeof u);
  am_h5_info info;
  void *data;
  am_test_ok(am_h5_read_new(file, "weights/conv2d_1/kernel", AM_H5_F32, &info, &data, &err), &err);
  assert_int_equal(info.type, AM_H5_F32);
  assert_int_equal(info.rank, 2);
  assert_int_equal(info.dims[1], 3);
  assert_int_equal(info.count, 6);
  assert_true(info.has_crc && info.crc == am_crc32c(0, weights, sizeof weights));
  assert_memory_equal(data, weights, sizeof weights);
  int fd = open(f->path, O_RDONLY); /* the offset leads to the same bytes */
  assert_int_equal(pread(fd, w, sizeof w, (off_t)info.offset), sizeof w);
  close(fd);
  assert_memory_equal(w, weights, sizeof w);
  am_free_aligned(f->ctx, data);
  am_test_fails(am_h5_read(file, "scalar", AM_H5_F32, w, 1, &err), AM_E_FORMAT, &err, "scalar holds int32, wanted float32");
  am_test_fails(am_h5_read(file, "weights/conv2d_1/kernel", AM_H5_F32, w, 5, &err), AM_E_SHAPE, &err,
                "has 6 elements, wanted 5");
  am_test_fails(am_h5_read(file, "weights/none", AM_H5_F32, w, 5, &err), AM_E_FORMAT, &err, "nothing called \"weights/none\"");
  am_test_fails(am_h5_read(file, "weights", AM_H5_F32, w, 5, &err), AM_E_FORMAT, &err, "found a group at \"weights\"");
  am_h5_close(file);
}

static void names_are_listed_found_and_deleted(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_h5 *file = create(f);
  const float x = 1;
  am_test_ok(am_h5_write(file, "b/z", AM_H5_F32, 0, NULL, &x, &err), &err);
  am_test_ok(am_h5_write(file, "b/a/deep", AM_H5_F32, 0, NULL, &x, &err), &err);
  am_test_ok(am_h5_write_text(file, "a", "text", &err), &err);
  am_test_ok(am_h5_group(file, "c/d", &err), &err);
  am_test_ok(am_h5_group(file, "c/d", &err), &err);
  am_test_ok(am_h5_flush(file, &err), &err);
  am_names names;
  am_test_ok(am_h5_children(file, "", &names, &err), &err);
  assert_int_equal(names.n, 3);
  assert_string_equal(names.at[0], "a");
  assert_string_equal(names.at[2], "c");
  am_names_free(f->ctx, &names);
  am_test_ok(am_h5_arrays(file, "b", &names, &err), &err);
  assert_int_equal(names.n, 2);
  assert_string_equal(names.at[0], "a/deep");
  am_names_free(f->ctx, &names);
  am_test_ok(am_h5_arrays(file, "c", &names, &err), &err);
  assert_int_equal(names.n, 0);
  am_names_free(f->ctx, &names);
  assert_int_equal(am_h5_find(file, "b"), AM_H5_GROUP);
  assert_int_equal(am_h5_find(file, "/"), AM_H5_GROUP);
  assert_int_equal(am_h5_find(file, "b/a/deep"), AM_H5_ARRAY);
  assert_int_equal(am_h5_find(file, "b/a/deeper"), AM_H5_NOTHING);
  assert_int_equal(am_h5_find(file, "b/a/deep/x"), AM_H5_NOTHING);
  am_test_ok(am_h5_delete(file, "b/a", &err), &err);
  assert_int_equal(am_h5_find(file, "b/a/deep"), AM_H5_NOTHING);
  am_test_fails(am_h5_delete(file, "b/a", &err), AM_E_USAGE, &err, "nothing called \"b/a\" to delete");
  am_test_fails(am_h5_children(file, "nope", &names, &err), AM_E_FORMAT, &err, "no group called \"nope\"");
  am_test_fails(am_h5_group(file, "a", &err), AM_E_USAGE, &err, "is an array");
  am_test_fails(am_h5_write(file, "b", AM_H5_F32, 0, NULL, &x, &err), AM_E_USAGE, &err, "is a group");
  am_test_fails(am_h5_write(file, "a/b", AM_H5_F32, 0, NULL, &x, &err), AM_E_USAGE, &err, "\"a\" is an array");
  const size_t five[5] = {1, 1, 1, 1, 1};
  am_test_fails(am_h5_write(file, "q", AM_H5_F32, 5, five, &x, &err), AM_E_USAGE, &err, "5 dimensions");
  am_h5_close(file);
}

static void arrays_are_replaced(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const size_t n6[] = {6}, n2[] = {2};
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, n2, weights, &err), &err);
  file = reopen(f, file, AM_H5_UPDATE);
  float big[20000] = {1, 2}, back[20000];
  const size_t many[] = {20000};
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, many, big, &err), &err);
  am_test_ok(am_h5_read(file, "x", AM_H5_F32, back, 20000, &err), &err); /* larger than the file was when opened */
  assert_memory_equal(big, back, sizeof big);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, n6, weights, &err), &err);
  file = reopen(f, file, AM_H5_READ);
  am_test_ok(am_h5_read(file, "x", AM_H5_F32, back, 6, &err), &err);
  am_test_fails(am_h5_write(file, "x", AM_H5_F32, 1, n6, weights, &err), AM_E_IO, &err, "HDF5 says");
  am_h5_close(file);
}

static void rows_are_written_and_read_in_parts(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  float all[10][2][3], part[4][2][3];
  for (int i = 0; i < 60; i++) (&all[0][0][0])[i] = (float)i;
  const size_t dims[] = {10, 2, 3};
  am_h5 *file = create(f);
  am_h5_rows *rows;
  am_test_ok(am_h5_rows_begin(file, "long", AM_H5_F32, 3, dims, &rows, &err), &err);
  am_test_ok(am_h5_rows_append(rows, all, 3, &err), &err);
  am_test_ok(am_h5_rows_append(rows, all[3], 0, &err), &err);
  am_test_ok(am_h5_rows_append(rows, all[3], 7, &err), &err);
  am_test_fails(am_h5_rows_append(rows, all, 1, &err), AM_E_SHAPE, &err, "promised 10 rows, and got 11");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_h5_rows_end(rows, &err), &err);
  am_test_ok(am_h5_rows_begin(file, "short", AM_H5_F32, 3, dims, &rows, &err), &err);
  am_test_ok(am_h5_rows_append(rows, all, 3, &err), &err);
  am_test_fails(am_h5_rows_end(rows, &err), AM_E_SHAPE, &err, "promised 10 rows, and got 3");
  err = (am_error)AM_ERROR_INIT;
  file = reopen(f, file, AM_H5_READ);
  float back[60];
  am_test_ok(am_h5_read(file, "long", AM_H5_F32, back, 60, &err), &err);
  assert_memory_equal(back, all, sizeof all);
  am_test_ok(am_h5_read_rows(file, "long", AM_H5_F32, 5, 4, part, &err), &err);
  assert_memory_equal(part, all[5], sizeof part);
  am_test_ok(am_h5_read_rows(file, "long", AM_H5_F32, 10, 0, part, &err), &err);
  am_test_ok(am_h5_read_rows(file, "long", AM_H5_F32, 0, 10, back, &err), &err);
  am_test_fails(am_h5_read_rows(file, "long", AM_H5_F32, 7, 4, part, &err), AM_E_SHAPE, &err, "has 10 rows, wanted 4 from 7");
  am_test_fails(am_h5_read_rows(file, "long", AM_H5_F32, 1, SIZE_MAX, part, &err), AM_E_SHAPE, &err, "has 10 rows");
  am_test_fails(am_h5_read(file, "short", AM_H5_F32, back, 60, &err), AM_E_FORMAT, &err, "no checksum");
  am_h5_close(file);
}

static void texts_and_attributes_come_back(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_h5 *file = create(f);
  char *longer = malloc(200001);
  memset(longer, 'x', 200000);
  longer[200000] = '\0';
  am_test_ok(am_h5_write_text(file, "config", "a: 1\nb: \xc3\xa4\n", &err), &err);
  am_test_ok(am_h5_write_text(file, "group/none", "", &err), &err);
  am_test_ok(am_h5_write_text(file, "long", longer, &err), &err);
  am_test_ok(am_h5_set_text(file, "", "format", "audiomood", &err), &err);
  am_test_ok(am_h5_set_text(file, "/", "format", "audiomood run", &err), &err); /* replaces */
  am_test_ok(am_h5_set_text(file, "/", "empty", "", &err), &err);
  am_test_ok(am_h5_set_int(file, "group", "epoch", -5, &err), &err);
  am_test_ok(am_h5_set_real(file, "config", "loss", 0.1, &err), &err);
  am_test_ok(am_h5_set_texts(file, "/", "labels", (const char *[]){"happy", "", "sad"}, 3, &err), &err);
  am_test_ok(am_h5_set_texts(file, "/", "nobody", NULL, 0, &err), &err);
  am_test_fails(am_h5_set_text(file, "/", "config", longer, &err), AM_E_USAGE, &err, "write a text instead");
  am_test_fails(am_h5_set_int(file, "absent", "x", 1, &err), AM_E_USAGE, &err, "no group or array \"absent\"");
  err = (am_error)AM_ERROR_INIT;
  file = reopen(f, file, AM_H5_READ);
  char *text;
  static const struct {
    const char *name, *wanted;
  } texts[] = {{"config", "a: 1\nb: \xc3\xa4\n"}, {"group/none", ""}, {"long", NULL}};
  for (int i = 0; i < 3; i++) {
    am_test_ok(am_h5_read_text(file, texts[i].name, &text, &err), &err);
    assert_string_equal(text, texts[i].wanted ? texts[i].wanted : longer);
    am_free(f->ctx, text);
  }
  am_test_ok(am_h5_get_text(file, "/", "format", &text, &err), &err);
  assert_string_equal(text, "audiomood run");
  am_free(f->ctx, text);
  am_test_ok(am_h5_get_text(file, "/", "empty", &text, &err), &err);
  assert_string_equal(text, "");
  am_free(f->ctx, text);
  int64_t n;
  double x;
  am_test_ok(am_h5_get_int(file, "group", "epoch", &n, &err), &err);
  assert_int_equal(n, -5);
  am_test_ok(am_h5_get_real(file, "group", "epoch", &x, &err), &err);
  assert_true(x == -5);
  am_test_ok(am_h5_get_real(file, "config", "loss", &x, &err), &err);
  assert_true(x == 0.1);
  am_names names;
  am_test_ok(am_h5_get_texts(file, "/", "labels", &names, &err), &err);
  assert_int_equal(names.n, 3);
  assert_string_equal(names.at[0], "happy");
  assert_string_equal(names.at[1], "");
  am_names_free(f->ctx, &names);
  am_test_ok(am_h5_get_texts(file, "/", "nobody", &names, &err), &err);
  assert_int_equal(names.n, 0);
  am_names_free(f->ctx, &names);
  am_test_ok(am_h5_attributes(file, "config", &names, &err), &err);
  assert_int_equal(names.n, 1); /* not crc32c */
  assert_string_equal(names.at[0], "loss");
  am_names_free(f->ctx, &names);
  assert_true(am_h5_has(file, "/", "labels"));
  assert_false(am_h5_has(file, "/", "label"));
  assert_false(am_h5_has(file, "absent", "label"));
  am_test_fails(am_h5_get_int(file, "config", "loss", &n, &err), AM_E_FORMAT, &err, "not one whole number");
  am_test_fails(am_h5_get_int(file, "/", "labels", &n, &err), AM_E_FORMAT, &err, "not one whole number");
  am_test_fails(am_h5_get_text(file, "/", "labels", &text, &err), AM_E_FORMAT, &err, "not one text");
  am_test_fails(am_h5_get_text(file, "group", "epoch", &text, &err), AM_E_FORMAT, &err, "is not text");
  am_test_fails(am_h5_get_text(file, "/", "gone", &text, &err), AM_E_FORMAT, &err, "no attribute \"gone\"");
  am_test_fails(am_h5_read_text(file, "group", &text, &err), AM_E_FORMAT, &err, "found a group");
  am_h5_close(file);
  free(longer);
}

/* Reads the whole file, changes a byte of the first place `needle` stands in, writes it back. */
static void damage(const char *path, const void *needle, size_t n, size_t at) {
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  static char bytes[16 << 20];
  size_t size = fread(bytes, 1, sizeof bytes, file);
  size_t i = 0;
  while (i + n <= size && memcmp(bytes + i, needle, n)) i++;
  assert_true(i + n <= size);
  fseek(file, (long)(i + at), SEEK_SET);
  fputc(bytes[i + at] ^ 0x10, file);
  fclose(file);
}

static void damage_is_noticed(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const size_t n6[] = {6};
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, n6, weights, &err), &err);
  am_test_ok(am_h5_write_text(file, "config", "epochs: 15", &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  damage(f->path, weights, sizeof weights, 9);
  damage(f->path, "epochs: 15", 10, 8);
  float w[6];
  char *text;
  void *data;
  am_h5_info info;
  file = reopen(f, NULL, AM_H5_READ);
  am_test_fails(am_h5_read(file, "x", AM_H5_F32, w, 6, &err), AM_E_FORMAT, &err, "x is damaged: its checksum is");
  am_test_fails(am_h5_read_new(file, "x", AM_H5_F32, &info, &data, &err), AM_E_FORMAT, &err, "x is damaged");
  am_test_fails(am_h5_read_rows(file, "x", AM_H5_F32, 0, 6, w, &err), AM_E_FORMAT, &err, "x is damaged");
  am_test_fails(am_h5_read_text(file, "config", &text, &err), AM_E_FORMAT, &err, "config is damaged");
  assert_null(data);
  assert_null(text);
  am_h5_close(file);
  file = reopen(f, NULL, AM_H5_FOREIGN); /* a checksum that is there counts in foreign files too */
  am_test_fails(am_h5_read(file, "x", AM_H5_F32, w, 6, &err), AM_E_FORMAT, &err, "x is damaged");
  am_h5_close(file);
}

/* Large arrays are read in pieces by several threads (h5_plain.c), past HDF5. */
static void large_arrays_come_back_and_are_checked(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  enum { N = (9 << 20) / 4 + 3 }; /* the last piece is a short one */
  float *x = malloc(N * sizeof *x), *back = calloc(N, sizeof *back);
  for (size_t i = 0; i < N; i++) x[i] = (float)i * 0.5f;
  const size_t n = N;
  am_context *four = am_test_context(4, NULL);
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, &n, x, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  am_test_ok(am_h5_open(four, f->path, AM_H5_READ, &file, &err), &err);
  am_test_ok(am_h5_read(file, "x", AM_H5_F32, back, N, &err), &err);
  assert_memory_equal(back, x, N * sizeof *x);
  am_test_fails(am_h5_read(file, "x", AM_H5_F32, back, N - 1, &err), AM_E_SHAPE, &err, "wanted 2359298");
  assert_int_equal(truncate(f->path, 5 << 20), 0); /* while it is open */
  am_test_fails(am_h5_read(file, "x", AM_H5_F32, back, N, &err), AM_E_FORMAT, &err, "the file ends inside it");
  am_h5_close(file);
  file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, &n, x, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  damage(f->path, &x[2000000], sizeof *x, 1);
  am_test_ok(am_h5_open(four, f->path, AM_H5_READ, &file, &err), &err);
  am_test_fails(am_h5_read(file, "x", AM_H5_F32, back, N, &err), AM_E_FORMAT, &err, "x is damaged: its checksum is");
  am_h5_close(file);
  am_context_free(four);
  free(x);
  free(back);
}

static void bad_files_are_refused(void **state) {
  fixture *f = *state;
  am_error err;
  am_h5 *file;
  am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_IO, &err, "x.h5: No such file");
  am_test_fails(am_h5_open(f->ctx, f->folder, AM_H5_READ, &file, &err), AM_E_IO, &err, "is a folder");
  am_test_file(f->path, "", 0);
  am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_FORMAT, &err, "not an HDF5 file, or damaged");
  am_test_file(f->path, "version https://git-lfs.github.com/spec/v1\n", 43);
  am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_FORMAT, &err,
                "does not begin with HDF5's signature");
  assert_null(file);
  err = (am_error)AM_ERROR_INIT;
  file = create(f);
  static float big[50000];
  const size_t many[] = {50000};
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, many, big, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  assert_int_equal(truncate(f->path, 100000), 0);
  am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_FORMAT, &err, "truncated file");
}

/* The superblock is held against the file before HDF5 sees it; a sound file passes, read by a child first. */
static void superblocks_are_checked(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const size_t n6[] = {6};
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, n6, weights, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  am_test_ok(am_h5_open(f->ctx, f->path, AM_H5_UNTRUSTED, &file, &err), &err);
  am_h5_close(file);
  char *bytes;
  size_t size;
  am_test_ok(am_file_read(f->ctx, f->path, 1 << 20, &bytes, &size, &err), &err);
  static const struct {
    const char *words;
    size_t at;
  } wrong[] = {{"signature", 3}, {"superblock", 8}, {"superblock", 9}, {"superblock", 10}, {"superblock", 19},
               {"truncated file", 35}};
  assert_int_equal(bytes[8], 2); /* the positions above are those of version 2 */
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    bytes[wrong[i].at] ^= 0x40;
    am_test_file(f->path, bytes, size);
    bytes[wrong[i].at] ^= 0x40;
    am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_FORMAT, &err, wrong[i].words);
  }
  for (size_t n = 0; n < 48; n++) {
    am_test_file(f->path, bytes, n);
    am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_UNTRUSTED, &file, &err), AM_E_FORMAT, &err, f->path);
  }
  am_free(f->ctx, bytes);
}

/* Found by trying: foreign files (whose format has no checksums) that kill HDF5 1.10.8 or keep it busy for ever. With
 * another version they may be read, or refused by HDF5 itself; this program is alive afterwards in any case. */
static void files_that_kill_hdf5_are_survived(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  static const struct {
    size_t at;
    const char bytes[4];
    size_t n;
  } wrong[] = {{2269, "\x70\x08", 2}, {9723, "\xff\x00\x80", 3}, {14530, "\x9a\xfe", 2}};
  char *bytes;
  size_t size;
  int killed = 0;
  am_test_ok(am_file_read(f->ctx, am_test_source("tests/io/foreign.h5"), 1 << 20, &bytes, &size, &err), &err);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char right[4];
    am_error why = AM_ERROR_INIT;
    am_h5 *file;
    memcpy(right, bytes + wrong[i].at, wrong[i].n);
    memcpy(bytes + wrong[i].at, wrong[i].bytes, wrong[i].n);
    am_test_file(f->path, bytes, size);
    memcpy(bytes + wrong[i].at, right, wrong[i].n);
    am_status status = am_h5_open(f->ctx, f->path, AM_H5_FOREIGN | AM_H5_UNTRUSTED, &file, &why);
    if (status) assert_int_equal(status, AM_E_FORMAT);
    if (strstr(why.message, "crashed or hung")) killed++;
    am_h5_close(file);
  }
  am_free(f->ctx, bytes);
  print_message("# of 3 files %d killed the process that read them first\n", killed);
}

/* Every byte of a small file wrong in turn: refused or read, never a crash, never a wild allocation. */
static void any_damaged_byte_is_survived(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const size_t n6[] = {6};
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "g/x", AM_H5_F32, 1, n6, weights, &err), &err);
  am_test_ok(am_h5_set_texts(file, "g", "names", (const char *[]){"a", "bc"}, 2, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  char *bytes;
  size_t size;
  am_test_ok(am_file_read(f->ctx, f->path, 1 << 20, &bytes, &size, &err), &err);
  static const unsigned char masks[] = {0xff, 0x01, 0x80};
  size_t same = 0;
  for (size_t i = 0; i < size; i++) {
    if (!bytes[i] && i % 7) continue; /* most of the file is unused space */
    unsigned char mask = masks[i % 3];
    bytes[i] = (char)(bytes[i] ^ mask);
    am_test_file(f->path, bytes, size);
    bytes[i] = (char)(bytes[i] ^ mask);
    if (am_h5_open(f->ctx, f->path, i % 2 ? AM_H5_READ : AM_H5_FOREIGN, &file, NULL)) continue;
    am_names names;
    am_h5_info info;
    void *data;
    if (!am_h5_arrays(file, "", &names, NULL)) am_names_free(f->ctx, &names);
    if (!am_h5_get_texts(file, "g", "names", &names, NULL)) am_names_free(f->ctx, &names);
    if (!am_h5_read_new(file, "g/x", AM_H5_F32, &info, &data, NULL)) {
      assert_true(info.count < 100000);
      same += info.count == 6 && !memcmp(data, weights, sizeof weights);
      am_free_aligned(f->ctx, data);
    }
    am_h5_close(file);
  }
  assert_true(same > 0);
  am_free(f->ctx, bytes);
}

static void files_appear_whole_or_not_at_all(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const float x = 1;
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 0, NULL, &x, &err), &err);
  assert_false(am_file_exists(f->path));
  am_h5_close(file); /* given up */
  am_names names;
  am_test_ok(am_folder_list(f->ctx, f->folder, &names, &err), &err);
  assert_int_equal(names.n, 0);
  am_names_free(f->ctx, &names);
  am_test_file(f->path, "old", 3);
  file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 0, NULL, &x, &err), &err);
  static float big[300000];
  const size_t many[] = {300000};
  struct rlimit old, small = {.rlim_cur = 200000};
  getrlimit(RLIMIT_FSIZE, &old);
  small.rlim_max = old.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small); /* stands for a full disk */
  am_status status = am_h5_write(file, "big", AM_H5_F32, 1, many, big, &err);
  if (status) am_h5_close(file);
  else status = am_h5_commit(file, &err);
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(status, AM_E_IO);
  char *data;
  size_t bytes;
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_read(f->ctx, f->path, 10, &data, &bytes, &err), &err);
  assert_string_equal(data, "old");
  am_free(f->ctx, data);
  am_test_ok(am_folder_list(f->ctx, f->folder, &names, &err), &err);
  assert_int_equal(names.n, 1);
  am_names_free(f->ctx, &names);
  snprintf(f->path, sizeof f->path, "%s/no/x.h5", f->folder);
  am_test_fails(am_h5_create_aside(f->ctx, f->path, &file, &err), AM_E_IO, &err, "x.h5: No such file");
}

static void same_calls_same_bytes(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  char *bytes[2];
  size_t size[2];
  for (int i = 0; i < 2; i++) {
    const size_t n6[] = {6};
    am_h5 *file = create(f);
    am_test_ok(am_h5_write(file, "g/x", AM_H5_F32, 1, n6, weights, &err), &err);
    am_test_ok(am_h5_write_text(file, "t", "text", &err), &err);
    am_test_ok(am_h5_set_int(file, "g", "n", 5, &err), &err);
    am_test_ok(am_h5_commit(file, &err), &err);
    am_test_ok(am_file_read(f->ctx, f->path, 1 << 20, &bytes[i], &size[i], &err), &err);
    if (!i) sleep(1); /* HDF5's time stamps count seconds */
  }
  assert_int_equal(size[0], size[1]);
  assert_memory_equal(bytes[0], bytes[1], size[0]);
  am_free(f->ctx, bytes[0]);
  am_free(f->ctx, bytes[1]);
}

typedef struct worker {
  fixture *f;
  int number, failures;
} worker;

static void *read_and_write(void *arg) {
  worker *w = arg;
  char path[1100];
  snprintf(path, sizeof path, "%s/%d.h5", w->f->folder, w->number);
  for (int round = 0; round < 20; round++) {
    am_h5 *file;
    float back[6];
    const size_t n6[] = {6};
    am_status status = am_h5_create_aside(w->f->ctx, path, &file, NULL);
    if (!status) status = am_h5_write(file, "a/b", AM_H5_F32, 1, n6, weights, NULL);
    if (!status) status = am_h5_commit(file, NULL);
    if (!status) status = am_h5_open(w->f->ctx, path, AM_H5_READ, &file, NULL);
    if (!status) status = am_h5_read(file, "a/b", AM_H5_F32, back, 6, NULL);
    if (!status && am_h5_read(file, "none", AM_H5_F32, back, 6, NULL) != AM_E_FORMAT) status = AM_E_DATA;
    if (!status) am_h5_close(file);
    w->failures += status != AM_OK || memcmp(back, weights, sizeof back);
  }
  return NULL;
}

static void many_threads_use_many_files(void **state) {
  fixture *f = *state;
  worker workers[4];
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    workers[i] = (worker){f, i, 0};
    pthread_create(&threads[i], NULL, read_and_write, &workers[i]);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(workers[i].failures, 0);
  }
}

/* tests/io/foreign.h5 is written by tools/make_foreign_h5.py with h5py, as Keras writes. */
static void foreign_files_are_read_by_flag(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_h5 *file;
  const char *path = am_test_source("tests/io/foreign.h5");
  float kernel[6];
  am_test_ok(am_h5_open(f->ctx, path, AM_H5_READ, &file, &err), &err);
  am_test_fails(am_h5_read(file, "w/dense/kernel:0", AM_H5_F32, kernel, 6, &err), AM_E_FORMAT, &err, "no checksum");
  am_test_fails(am_h5_read(file, "w/chunked", AM_H5_F32, kernel, 6, &err), AM_E_FORMAT, &err,
                "w/chunked is not stored in one piece");
  am_h5_close(file);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_h5_open(f->ctx, path, AM_H5_FOREIGN, &file, &err), &err);
  static const char *const readable[] = {"w/dense/kernel:0", "w/double", "w/half", "w/chunked", "w/big_endian"};
  for (int i = 0; i < 5; i++) {
    memset(kernel, 0, sizeof kernel);
    am_test_ok(am_h5_read(file, readable[i], AM_H5_F32, kernel, 6, &err), &err);
    for (int k = 0; k < 6; k++) assert_true(kernel[k] == (float)k - 2.5f);
  }
  int32_t ints[3];
  am_test_ok(am_h5_read(file, "w/short", AM_H5_I32, ints, 3, &err), &err);
  assert_int_equal(ints[2], -3);
  am_test_fails(am_h5_read(file, "w/short", AM_H5_F32, kernel, 3, &err), AM_E_FORMAT, &err, "wanted float32");
  static const char *const lists[] = {"fixed", "variable"};
  for (int i = 0; i < 2; i++) {
    am_names names;
    am_test_ok(am_h5_get_texts(file, "w", lists[i], &names, &err), &err);
    assert_int_equal(names.n, 2);
    assert_string_equal(names.at[0], "dense");
    assert_string_equal(names.at[1], "conv2d_1");
    am_names_free(f->ctx, &names);
  }
  char *text;
  static const char *const ones[] = {"one_fixed", "one_variable"};
  for (int i = 0; i < 2; i++) {
    am_test_ok(am_h5_get_text(file, "/", ones[i], &text, &err), &err);
    assert_string_equal(text, "{\"class_name\": \"S\xc3\xa4quential\"}");
    am_free(f->ctx, text);
  }
  am_test_ok(am_h5_read_text(file, "text", &text, &err), &err);
  assert_string_equal(text, "variable text");
  am_free(f->ctx, text);
  am_test_fails(am_h5_read(file, "huge", AM_H5_F32, kernel, 6, &err), AM_E_FORMAT, &err, "does not hold them");
  am_test_fails(am_h5_read(file, "soft", AM_H5_F32, kernel, 6, &err), AM_E_FORMAT, &err, "nothing called \"soft\"");
  am_test_fails(am_h5_read(file, "external", AM_H5_F32, kernel, 6, &err), AM_E_FORMAT, &err, "nothing called");
  am_test_fails(am_h5_read(file, "outside", AM_H5_F32, kernel, 6, &err), AM_E_FORMAT, &err, "in other files");
  am_test_fails(am_h5_read(file, "six", AM_H5_F32, kernel, 1, &err), AM_E_FORMAT, &err, "6 dimensions");
  am_test_fails(am_h5_read(file, "null", AM_H5_F32, kernel, 1, &err), AM_E_FORMAT, &err, "null");
  am_h5_close(file);
}

static void what_cannot_be_written_is_refused(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const size_t n6[] = {6};
  int64_t n;
  char *text;
  am_h5_rows *rows;
  am_h5 *file = create(f);
  am_test_fails(am_h5_write(file, "x", AM_H5_TEXT, 1, n6, "abcdef", &err), AM_E_USAGE, &err,
                "x cannot be written as text");
  am_test_fails(am_h5_rows_begin(file, "x", AM_H5_OTHER, 1, n6, &rows, &err), AM_E_USAGE, &err,
                "by rows as another type of 1 dimensions");
  am_test_fails(am_h5_rows_begin(file, "x", AM_H5_F32, 0, NULL, &rows, &err), AM_E_USAGE, &err,
                "by rows as float32 of 0 dimensions");
  assert_null(rows);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_h5_rows_begin(file, "x", AM_H5_F32, 1, n6, &rows, &err), &err);
  am_test_ok(am_h5_rows_append(rows, weights, 6, &err), &err);
  am_test_ok(am_h5_set_int(file, "x", "crc32c", 0, &err), &err); /* the name that the checksum needs */
  am_test_fails(am_h5_rows_end(rows, &err), AM_E_IO, &err, "cannot write the checksum of x: HDF5 says");
  err = (am_error)AM_ERROR_INIT;
  file = reopen(f, file, AM_H5_READ);
  am_test_fails(am_h5_set_int(file, "x", "epoch", 1, &err), AM_E_IO, &err, "cannot write attribute epoch: HDF5 says");
  am_test_fails(am_h5_get_int(file, "x", "epoch", &n, &err), AM_E_FORMAT, &err, "no attribute \"epoch\"");
  am_test_fails(am_h5_read_text(file, "x", &text, &err), AM_E_FORMAT, &err, "x is an array, wanted one text");
  am_h5_close(file);
}

/* A limit on the file's size stands for the disk.  It is lifted before closing: HDF5 keeps a file that it cannot close. */
static void a_full_disk_is_said_by_every_write(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT, why[4];
  am_status status[4];
  enum { MANY = 200000 };
  const size_t many[] = {MANY}, n6[] = {6};
  char *big = calloc(MANY + 1, sizeof(float));
  memset(big, 'x', MANY);
  am_h5_rows *rows;
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "small", AM_H5_F32, 1, n6, weights, &err), &err);
  file = reopen(f, file, AM_H5_UPDATE);
  am_test_ok(am_h5_rows_begin(file, "rows", AM_H5_F32, 1, many, &rows, &err), &err);
  struct rlimit old, small = {.rlim_cur = 100000};
  getrlimit(RLIMIT_FSIZE, &old);
  small.rlim_max = old.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  for (int i = 0; i < 4; i++) why[i] = (am_error)AM_ERROR_INIT;
  status[0] = am_h5_write(file, "array", AM_H5_F32, 1, many, big, &why[0]);
  status[1] = am_h5_write_text(file, "text", big, &why[1]);
  status[2] = am_h5_rows_append(rows, big, MANY, &why[2]);
  status[3] = am_h5_flush(file, &why[3]);
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, SIG_DFL);
  static const char *const words[] = {"cannot write array: HDF5 says", "cannot write text: HDF5 says",
                                      "cannot write rows: HDF5 says", "cannot write (is the disk full?)"};
  for (int i = 0; i < 4; i++) am_test_fails((err = why[i], status[i]), AM_E_IO, &err, words[i]);
  am_test_fails(am_h5_rows_end(rows, &err), AM_E_SHAPE, &err, "promised 200000 rows, and got 0");
  am_h5_close(file);
  free(big);
}

/* What our own writer never makes, written by HDF5 itself. */
static void write_odd_file(const char *path) {
  static const int numbers[4] = {11, 22, 33, 44};
  static const unsigned char bytes[16] = {1};
  const hsize_t square[2] = {2, 2}, four = 4, two = 2;
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t plane = H5Screate_simple(2, square, NULL), scalar = H5Screate(H5S_SCALAR), line = H5Screate_simple(1, &four, NULL);
  hid_t attribute = H5Acreate2(file, "plane", H5T_STD_I32LE, plane, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(attribute >= 0);
  H5Aclose(attribute);
  hid_t wide = H5Tcopy(H5T_IEEE_F64LE); /* 97 bits of exponent: a number that HDF5 keeps and cannot convert */
  H5Tset_size(wide, sizeof bytes);
  H5Tset_precision(wide, 8 * sizeof bytes);
  assert_true(H5Tset_fields(wide, 127, 30, 97, 0, 30) >= 0);
  attribute = H5Acreate2(file, "wide", wide, scalar, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, wide, bytes) >= 0);
  H5Aclose(attribute);
  hid_t list = H5Pcreate(H5P_DATASET_CREATE); /* pieces with checksums of HDF5's own */
  H5Pset_chunk(list, 1, &two);
  H5Pset_fletcher32(list);
  hid_t array = H5Dcreate2(file, "x", H5T_STD_I32LE, line, H5P_DEFAULT, list, H5P_DEFAULT);
  assert_true(H5Dwrite(array, H5T_STD_I32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
  H5Dclose(array);
  H5Pclose(list);
  H5Tclose(wide);
  H5Sclose(line);
  H5Sclose(scalar);
  H5Sclose(plane);
  assert_true(H5Fclose(file) >= 0);
}

static void what_hdf5_itself_cannot_read_is_refused(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  static const int32_t tail[2] = {33, 44};
  int32_t rows[2];
  int64_t n;
  double x;
  write_odd_file(f->path);
  damage(f->path, tail, sizeof tail, 0);
  am_h5 *file = reopen(f, NULL, AM_H5_FOREIGN);
  am_test_ok(am_h5_read_rows(file, "x", AM_H5_I32, 0, 2, rows, &err), &err);
  assert_int_equal(rows[1], 22);
  am_test_fails(am_h5_read_rows(file, "x", AM_H5_I32, 2, 2, rows, &err), AM_E_FORMAT, &err,
                "cannot read x: HDF5 says");
  am_test_fails(am_h5_get_int(file, "/", "plane", &n, &err), AM_E_FORMAT, &err,
                "attribute plane of \"/\" has 2 dimensions; wanted 0 or 1");
  am_test_fails(am_h5_get_real(file, "/", "wide", &x, &err), AM_E_FORMAT, &err,
                "cannot read attribute wide: HDF5 says");
  am_h5_close(file);
}

/* No attribute is larger than its file; but one just written may be larger than the file was when it was opened. */
static void attributes_are_read_before_the_file_is_written(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  char longer[50001] = "", *text;
  memset(longer, 'x', 50000);
  am_h5 *file = create(f);
  for (int again = 0; again < 2; again++) {
    am_test_ok(am_h5_set_text(file, "/", "long", longer, &err), &err);
    am_test_ok(am_h5_get_text(file, "/", "long", &text, &err), &err);
    assert_string_equal(text, longer);
    am_free(f->ctx, text);
    if (again) break;
    am_h5_close(file); /* and now a small file that grows */
    file = reopen(f, create(f), AM_H5_UPDATE);
  }
  am_h5_close(file);
}

static void every_failed_allocation_is_survived(void **state) {
  fixture *f = *state;
  const size_t n6[] = {6};
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_error err = AM_ERROR_INIT;
    am_h5 *file = NULL;
    am_h5_rows *rows = NULL;
    am_names names = {0};
    am_h5_info info;
    char *text = NULL;
    void *data = NULL;
    am_status status = am_h5_create_aside(ctx, f->path, &file, &err);
    if (!status) status = am_h5_set_texts(file, "/", "t", (const char *[]){"a", "b"}, 2, &err);
    if (!status) status = am_h5_write_text(file, "text", "hello", &err);
    if (!status) status = am_h5_rows_begin(file, "x", AM_H5_F32, 1, n6, &rows, &err);
    if (!status) {
      status = am_h5_rows_append(rows, weights, 6, &err);
      am_status ended = am_h5_rows_end(rows, &err);
      if (!status) status = ended;
    }
    if (!status) {
      status = am_h5_commit(file, &err);
      file = NULL;
    }
    if (!status) status = am_h5_open(ctx, f->path, AM_H5_READ, &file, &err);
    if (!status) status = am_h5_read_new(file, "x", AM_H5_F32, &info, &data, &err);
    if (!status) status = am_h5_read_text(file, "text", &text, &err);
    if (!status) status = am_h5_get_texts(file, "/", "t", &names, &err);
    am_names_free(ctx, &names);
    if (!status) status = am_h5_arrays(file, "/", &names, &err);
    bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_names_free(ctx, &names);
    am_free(ctx, text);
    am_free_aligned(ctx, data);
    am_h5_close(file);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(arrays_of_all_types_and_shapes_come_back, begin, end),
      cmocka_unit_test_setup_teardown(names_are_listed_found_and_deleted, begin, end),
      cmocka_unit_test_setup_teardown(arrays_are_replaced, begin, end),
      cmocka_unit_test_setup_teardown(rows_are_written_and_read_in_parts, begin, end),
      cmocka_unit_test_setup_teardown(texts_and_attributes_come_back, begin, end),
      cmocka_unit_test_setup_teardown(damage_is_noticed, begin, end),
      cmocka_unit_test_setup_teardown(bad_files_are_refused, begin, end),
      cmocka_unit_test_setup_teardown(superblocks_are_checked, begin, end),
      cmocka_unit_test_setup_teardown(large_arrays_come_back_and_are_checked, begin, end),
      cmocka_unit_test_setup_teardown(files_that_kill_hdf5_are_survived, begin, end),
      cmocka_unit_test_setup_teardown(any_damaged_byte_is_survived, begin, end),
      cmocka_unit_test_setup_teardown(files_appear_whole_or_not_at_all, begin, end),
      cmocka_unit_test_setup_teardown(same_calls_same_bytes, begin, end),
      cmocka_unit_test_setup_teardown(many_threads_use_many_files, begin, end),
      cmocka_unit_test_setup_teardown(foreign_files_are_read_by_flag, begin, end),
      cmocka_unit_test_setup_teardown(what_cannot_be_written_is_refused, begin, end),
      cmocka_unit_test_setup_teardown(a_full_disk_is_said_by_every_write, begin, end),
      cmocka_unit_test_setup_teardown(what_hdf5_itself_cannot_read_is_refused, begin, end),
      cmocka_unit_test_setup_teardown(attributes_are_read_before_the_file_is_written, begin, end),
      cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
