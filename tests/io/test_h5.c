/* SPDX-License-Identifier: MIT */
/* HDF5: arrays, texts, attributes, files that appear whole or not at all. */
#include "h5_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

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
  am_test_fails(am_h5_read(file, "scalar", AM_H5_F32, w, 1, &err), AM_E_FORMAT, &err,
                "scalar holds int32, wanted float32");
  am_test_fails(am_h5_read(file, "weights/conv2d_1/kernel", AM_H5_F32, w, 5, &err), AM_E_SHAPE, &err,
                "has 6 elements, wanted 5");
  am_test_fails(am_h5_read(file, "weights/none", AM_H5_F32, w, 5, &err), AM_E_FORMAT, &err,
                "nothing called \"weights/none\"");
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
  am_test_fails(am_h5_read_rows(file, "long", AM_H5_F32, 7, 4, part, &err), AM_E_SHAPE, &err,
                "has 10 rows, wanted 4 from 7");
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

/* Large arrays are read in pieces by several threads (h5_plain.c), past HDF5. */
static void large_arrays_come_back_and_are_checked(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  enum { N = (9 << 20) / 4 + 3 }; /* the last piece is a short one */
  float *x = malloc(N * sizeof *x), *back = calloc(N, sizeof *back);
  for (size_t i = 0; i < N; i++) x[i] = (float)i * 0.5f;
  const size_t n = N;
  am_context *four = am_test_context(4, NULL);
  am_h5 *file;
  static const unsigned flags[] = {AM_H5_READ, AM_H5_UNTRUSTED}; /* by both past HDF5, whose message would be another */
  for (int i = 0; i < 2; i++) {
    file = create(f);
    am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, &n, x, &err), &err);
    am_test_ok(am_h5_commit(file, &err), &err);
    am_test_ok(am_h5_open(four, f->path, flags[i], &file, &err), &err);
    am_test_ok(am_h5_read(file, "x", AM_H5_F32, back, N, &err), &err);
    assert_memory_equal(back, x, N * sizeof *x);
    am_test_fails(am_h5_read(file, "x", AM_H5_F32, back, N - 1, &err), AM_E_SHAPE, &err, "wanted 2359298");
    assert_int_equal(truncate(f->path, 5 << 20), 0); /* while it is open */
    am_test_fails(am_h5_read(file, "x", AM_H5_F32, back, N, &err), AM_E_FORMAT, &err, "the file ends inside it");
    am_h5_close(file);
    err = (am_error)AM_ERROR_INIT;
  }
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

/* In an array of any size, read by any number of threads, at any place. */
static void numbers_that_are_not_finite_are_noted(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  enum { N = (9 << 20) / 4 + 3, SMALL = 5 };
  static const size_t places[] = {0, 65535, 65536, 524287, 524288, N - 1};
  float *x = calloc(N, sizeof *x), *back = calloc(N, sizeof *back), few[SMALL] = {0};
  const double whole[SMALL] = {INFINITY};
  const size_t n = N, small = SMALL;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    am_context *ctx = am_test_context(1 + (int)i % 3, NULL);
    am_h5 *file = create(f);
    x[places[i]] = i % 2 ? NAN : -INFINITY;
    few[i % SMALL] = NAN;
    am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, &n, x, &err), &err);
    am_test_ok(am_h5_write(file, "few", AM_H5_F32, 1, &small, few, &err), &err);
    am_test_ok(am_h5_write(file, "double", AM_H5_F64, 1, &small, whole, &err), &err);
    x[places[i]] = few[i % SMALL] = 1;
    am_test_ok(am_h5_write(file, "finite", AM_H5_F32, 1, &n, x, &err), &err);
    am_test_ok(am_h5_commit(file, &err), &err);
    am_test_ok(am_h5_open(ctx, f->path, AM_H5_READ, &file, &err), &err);
    static const char *const lost[] = {"x", "few"};
    for (int k = 0; k < 2; k++) {
      am_test_ok(am_h5_read(file, lost[k], AM_H5_F32, back, k ? SMALL : N, &err), &err);
      am_test_ok(am_h5_read(file, "finite", AM_H5_F32, back, N, &err), &err);
      assert_true(am_h5_found_lost(file));
      assert_false(am_h5_found_lost(file));
    }
    am_test_ok(am_h5_read(file, "finite", AM_H5_F32, back, N, &err), &err);
    am_test_ok(am_h5_read(file, "double", AM_H5_F64, back, SMALL, &err), &err);
    assert_false(am_h5_found_lost(file));
    am_h5_close(file);
    am_context_free(ctx);
  }
  free(x);
  free(back);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(arrays_of_all_types_and_shapes_come_back, begin, end),
      cmocka_unit_test_setup_teardown(names_are_listed_found_and_deleted, begin, end),
      cmocka_unit_test_setup_teardown(arrays_are_replaced, begin, end),
      cmocka_unit_test_setup_teardown(rows_are_written_and_read_in_parts, begin, end),
      cmocka_unit_test_setup_teardown(texts_and_attributes_come_back, begin, end),
      cmocka_unit_test_setup_teardown(large_arrays_come_back_and_are_checked, begin, end),
      cmocka_unit_test_setup_teardown(numbers_that_are_not_finite_are_noted, begin, end),
      cmocka_unit_test_setup_teardown(files_appear_whole_or_not_at_all, begin, end),
      cmocka_unit_test_setup_teardown(same_calls_same_bytes, begin, end),
      cmocka_unit_test_setup_teardown(many_threads_use_many_files, begin, end),
      cmocka_unit_test_setup_teardown(attributes_are_read_before_the_file_is_written, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
