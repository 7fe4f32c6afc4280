/* SPDX-License-Identifier: MIT */
/* HDF5: damaged, hostile and foreign files, writes that fail, memory that runs out. */
#include "h5_fixture.h"

#include <fcntl.h>
#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

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

/* What is damaged must not pass for what was never there. */
static void a_damaged_object_is_not_an_absent_one(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const size_t n6[] = {6};
  int headers = 0;
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "a/x", AM_H5_F32, 1, n6, weights, &err), &err);
  am_test_ok(am_h5_write(file, "a/y", AM_H5_F32, 1, n6, weights, &err), &err);
  am_test_ok(am_h5_write(file, "b/z", AM_H5_F32, 1, n6, weights, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  char *bytes;
  size_t size;
  am_test_ok(am_file_read(f->ctx, f->path, 1 << 20, &bytes, &size, &err), &err);
  for (size_t i = 0; i + 24 < size; i++) {
    if (memcmp(bytes + i, "OHDR", 4)) continue;
    headers++;
    bytes[i + 20] ^= 1;
    am_test_file(f->path, bytes, size);
    bytes[i + 20] ^= 1;
    am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_FORMAT, &err, "damaged");
  }
  am_free(f->ctx, bytes);
  assert_int_equal(headers, 6); /* the root, two groups, three arrays */
}

static void bad_files_are_refused(void **state) {
  fixture *f = *state;
  am_error err;
  am_h5 *file;
  am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_IO, &err, "x.h5: No such file");
  am_test_fails(am_h5_open(f->ctx, f->folder, AM_H5_READ, &file, &err), AM_E_IO, &err, "is a folder");
  am_test_file(f->path, "", 0);
  am_test_fails(am_h5_open(f->ctx, f->path, AM_H5_READ, &file, &err), AM_E_FORMAT, &err,
                "not an HDF5 file, or damaged");
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
  } wrong[] = {{"signature", 3},   {"superblock", 8},  {"superblock", 9},
               {"superblock", 10}, {"superblock", 19}, {"truncated file", 35}};
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

/* Children that wait for ever for a lock that another thread held when they were made, as an allocator's. */
static int *children_to_stop;

static void stop_some_children(void) {
  if (children_to_stop && *children_to_stop > 0) {
    *children_to_stop -= 1;
    for (;;) pause();
  }
}

static void a_child_that_stands_still_is_made_again(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const size_t n6[] = {6};
  am_h5 *file = create(f);
  am_test_ok(am_h5_write(file, "x", AM_H5_F32, 1, n6, weights, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  children_to_stop = mmap(NULL, sizeof *children_to_stop, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(children_to_stop, MAP_FAILED);
  assert_int_equal(pthread_atfork(NULL, NULL, stop_some_children), 0);
  *children_to_stop = 2;
  am_test_ok(am_h5_open(f->ctx, f->path, AM_H5_UNTRUSTED, &file, &err), &err);
  assert_int_equal(*children_to_stop, 0);
  am_h5_close(file);
  munmap(children_to_stop, sizeof *children_to_stop);
  children_to_stop = NULL;
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
  hid_t plane = H5Screate_simple(2, square, NULL), scalar = H5Screate(H5S_SCALAR),
        line = H5Screate_simple(1, &four, NULL);
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

/* An attribute whose count was changed. HDF5 1.10.8 will not open it; for versions that do, we look at its size. */
static void attributes_larger_than_the_file_are_refused(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  enum { MANY = 77 };
  static const hsize_t many = MANY;
  static const uint64_t count = MANY;
  int numbers[MANY] = {0};
  double x;
  hid_t file = H5Fcreate(f->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), line = H5Screate_simple(1, &many, NULL);
  hid_t attribute = H5Acreate2(file, "long", H5T_STD_I32LE, line, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, H5T_NATIVE_INT, numbers) >= 0);
  H5Aclose(attribute);
  H5Sclose(line);
  assert_true(H5Fclose(file) >= 0);
  damage(f->path, &count, sizeof count, 2); /* 77 + 2^20 */
  am_h5 *opened = reopen(f, NULL, AM_H5_FOREIGN);
  am_test_fails(am_h5_get_real(opened, "/", "long", &x, &err), AM_E_FORMAT, &err, "attribute");
  am_h5_close(opened);
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
  am_test_fails(am_h5_read_rows(file, "x", AM_H5_I32, 2, 2, rows, &err), AM_E_FORMAT, &err, "cannot read x: HDF5 says");
  am_test_fails(am_h5_get_int(file, "/", "plane", &n, &err), AM_E_FORMAT, &err,
                "attribute plane of \"/\" has 2 dimensions; wanted 0 or 1");
  am_test_fails(am_h5_get_real(file, "/", "wide", &x, &err), AM_E_FORMAT, &err,
                "cannot read attribute wide: HDF5 says");
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
      cmocka_unit_test_setup_teardown(damage_is_noticed, begin, end),
      cmocka_unit_test_setup_teardown(a_damaged_object_is_not_an_absent_one, begin, end),
      cmocka_unit_test_setup_teardown(bad_files_are_refused, begin, end),
      cmocka_unit_test_setup_teardown(superblocks_are_checked, begin, end),
      cmocka_unit_test_setup_teardown(files_that_kill_hdf5_are_survived, begin, end),
      cmocka_unit_test_setup_teardown(a_child_that_stands_still_is_made_again, begin, end),
      cmocka_unit_test_setup_teardown(any_damaged_byte_is_survived, begin, end),
      cmocka_unit_test_setup_teardown(foreign_files_are_read_by_flag, begin, end),
      cmocka_unit_test_setup_teardown(what_cannot_be_written_is_refused, begin, end),
      cmocka_unit_test_setup_teardown(a_full_disk_is_said_by_every_write, begin, end),
      cmocka_unit_test_setup_teardown(attributes_larger_than_the_file_are_refused, begin, end),
      cmocka_unit_test_setup_teardown(what_hdf5_itself_cannot_read_is_refused, begin, end),
      cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
