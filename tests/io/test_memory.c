/* SPDX-License-Identifier: MIT */
/* Memory in proportion: what a reader takes is at most 64 MB and 20 times the size of the file (docs/reliability.md).
 * Each file is read in a process of its own with just that limit on its data, and with all that may be found in it it
 * ends in good order: read, or refused because of the file, never for want of memory. */
#include "h5_fixture.h"

#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/file.h"
#include "io/csv.h"
#include "io/json.h"
#include "io/yaml.h"

/* A sanitizer takes memory of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { READ, REFUSED, NO_MEMORY };
typedef am_status reader(am_context *ctx, const char *path, am_error *err);

/* A process's data, in bytes: the sixth number of statm, in pages. */
static size_t data_bytes(void) {
  unsigned long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  if (statm && fscanf(statm, "%*u %*u %*u %*u %*u %lu", &pages) != 1) pages = 0;
  if (statm) fclose(statm);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int in_child(am_context *ctx, const char *path, size_t size, reader *read_file) {
  size_t most = data_bytes() + ((size_t)64 << 20) + 20 * size;
  struct rlimit limit = {most, most};
  if (!SANITIZED && setrlimit(RLIMIT_DATA, &limit)) return 99;
  am_error err = AM_ERROR_INIT;
  am_status status = read_file(ctx, path, &err);
  if (status == AM_E_NOMEM) printf("# %s\n", err.message);
  return !status ? READ : status == AM_E_NOMEM ? NO_MEMORY : REFUSED;
}

static void holds(fixture *f, const char *what, const char *path, reader *read_file, int wanted) {
  struct stat s;
  int state;
  assert_int_equal(stat(path, &s), 0);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (!child) _exit(in_child(f->ctx, path, (size_t)s.st_size, read_file));
  assert_int_equal(waitpid(child, &state, 0), child);
  if (!WIFEXITED(state)) fail_msg("%s (%zu bytes): ended by signal %d", what, (size_t)s.st_size, WTERMSIG(state));
  int code = WEXITSTATUS(state);
  if (code != READ && code != REFUSED) fail_msg("%s (%zu bytes): exit code %d", what, (size_t)s.st_size, code);
  if (wanted >= 0 && code != wanted) fail_msg("%s (%zu bytes): %s", what, (size_t)s.st_size, code ? "refused" : "read");
}

/* ---- texts ---- */

static am_status read_yaml(am_context *ctx, const char *path, am_error *err) {
  am_tree *tree;
  am_status status = am_yaml_read_file(ctx, path, &tree, err);
  if (!status) am_tree_free(tree);
  return status;
}

static am_status read_json(am_context *ctx, const char *path, am_error *err) {
  am_tree *tree;
  am_status status = am_json_read_file(ctx, path, &tree, err);
  if (!status) am_tree_free(tree);
  return status;
}

static am_status read_csv(am_context *ctx, const char *path, am_error *err) {
  am_csv *csv;
  am_status status = am_csv_read_file(ctx, path, 0, &csv, err);
  if (!status) am_csv_free(csv);
  return status;
}

/* `head`, `n` times `middle`, `tail`; of a sanitizer build, which has no limit and is slow, an eighth, however it is taken. */
static void text(fixture *f, const char *name, reader *read_file, const char *head, const char *middle, size_t n,
                 const char *tail, int wanted) {
  am_buffer b = {0};
  size_t length = strlen(middle);
  if (SANITIZED) n /= 8, wanted = -1;
  char path[1100];
  snprintf(path, sizeof path, "%s/%s", f->folder, name);
  am_buffer_append(f->ctx, &b, head, strlen(head));
  for (size_t i = 0; i < n; i++) am_buffer_append(f->ctx, &b, middle, length);
  am_buffer_append(f->ctx, &b, tail, strlen(tail));
  assert_false(b.failed);
  am_test_file(path, b.data, b.used);
  am_buffer_free(f->ctx, &b);
  holds(f, middle, path, read_file, wanted);
}

static void texts(void **state) {
  fixture *f = *state;
  enum { N = 1000000 };
  text(f, "x.yaml", read_yaml, "[", "1,", N, "1]\n", REFUSED);
  text(f, "x.yaml", read_yaml, "", "- {a: 1}\n", N / 3, "", REFUSED);
  text(f, "x.yaml", read_yaml, "- &a [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]\n", "- *a\n", N / 10, "", REFUSED);
  text(f, "x.yaml", read_yaml, "a: &a [1,2]\nb: [", "&a *a,", N / 10, "]\n", REFUSED);
  text(f, "x.yaml", read_yaml, "[", "&a 1,", N / 20, "1]\n", READ);
  text(f, "x.yaml", read_yaml, "", "- the neighbour's name, which is not short at all\n", N / 25, "", READ);
  text(f, "x.yaml", read_yaml, "%", "TAG ! !\n%", N / 10, "\n", REFUSED);
  text(f, "x.json", read_json, "[", "1,", N, "1]", REFUSED);
  text(f, "x.json", read_json, "[", "[],", N, "1]", REFUSED);
  text(f, "x.json", read_json, "[", "{\"a\":1},", N / 2, "1]", REFUSED);
  text(f, "x.json", read_json, "[\"", "\\\\,[", N, "\"]", READ);
  text(f, "x.json", read_json, "[", "\"a somewhat longer text\",", N / 10, "1]", READ);
  text(f, "x.csv", read_csv, "a\n", "1\n", N, "", READ);
  text(f, "x.csv", read_csv, "a,b\n", ",\n", N, "", READ);
  text(f, "x.csv", read_csv, "", ",", N, "\n", REFUSED);
  text(f, "x.csv", read_csv, "", "\"\",", N / 100, "\n", REFUSED);
}

/* A long text that aliases repeat: a gigabyte of text from a megabyte. */
static void long_alias(void **state) {
  fixture *f = *state;
  am_buffer head = {0};
  am_buffer_printf(f->ctx, &head, "- &a ");
  for (int i = 0; i < 10000; i++) am_buffer_append(f->ctx, &head, "x", 1);
  am_buffer_append(f->ctx, &head, "\n", 1);
  text(f, "x.yaml", read_yaml, head.data, "- *a\n", 100000, "", READ);
  am_buffer_free(f->ctx, &head);
}

/* ---- HDF5 ---- */

/* Everything that can be found; the first failure that is no mere difference of type ends it. */
static am_status read_h5(am_context *ctx, const char *path, am_error *err) {
  am_h5 *file;
  am_names names = {0};
  am_status status = am_h5_open(ctx, path, AM_H5_UNTRUSTED | AM_H5_FOREIGN, &file, err);
  if (status) return status;
  void *kept[4096];
  size_t n = 0;
  status = am_h5_attributes(file, "/", &names, err);
  for (size_t i = 0; i < names.n && !status; i++) {
    am_names texts;
    status = am_h5_get_texts(file, "/", names.at[i], &texts, err);
    if (!status) am_names_free(ctx, &texts);
  }
  am_names_free(ctx, &names);
  if (!status) status = am_h5_children(file, "/", &names, err);
  for (size_t i = 0; i < names.n && n < 4096 && !status; i++) {
    am_h5_info info;
    void *data;
    status = am_h5_read_new(file, names.at[i], AM_H5_F32, &info, &data, err);
    if (!status) kept[n++] = data;
  }
  while (n) am_free_aligned(ctx, kept[--n]);
  am_names_free(ctx, &names);
  am_h5_close(file);
  return status;
}

static hid_t new_file(const fixture *f) {
  hid_t file = H5Fcreate(f->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(file >= 0);
  return file;
}

/* `n` texts of variable length, all but the last short; then the places of all are made that of the last, which has
 * `length` bytes.  A place: its length in 4 bytes, the address of its heap in 8, its number there in 4. */
static void shared_texts(fixture *f, size_t n, size_t length) {
  hsize_t count = n;
  hid_t file = new_file(f), type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL);
  H5Tset_size(type, H5T_VARIABLE);
  char **texts = calloc(n, sizeof *texts), *last = malloc(length + 1);
  for (size_t i = 0; i + 1 < n; i++) texts[i] = "shortish";
  memset(last, 'Z', length);
  last[length] = '\0';
  texts[n - 1] = last;
  hid_t attribute = H5Acreate2(file, "labels", type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, type, texts) >= 0);
  H5Aclose(attribute), H5Sclose(space), H5Tclose(type), H5Fclose(file);
  free(last), free(texts);
  char *bytes;
  size_t size, place = 0;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(f->ctx, f->path, (size_t)1 << 30, &bytes, &size, &err), &err);
  const unsigned char eight[4] = {8, 0, 0, 0};
  uint32_t long_one = (uint32_t)length;
  for (size_t i = 0; i + 16 * n <= size && !place; i++)
    if (!memcmp(bytes + i, eight, 4) && !memcmp(bytes + i + 16 * (n - 2), eight, 4) &&
        !memcmp(bytes + i + 16 * (n - 1), &long_one, 4))
      place = i;
  assert_true(place > 0);
  for (size_t i = 0; i + 1 < n; i++) memcpy(bytes + place + 16 * i, bytes + place + 16 * (n - 1), 16);
  am_test_file(f->path, bytes, size);
  am_free(f->ctx, bytes);
}

static void texts_that_share_an_object(void **state) {
  fixture *f = *state;
  static const struct {
    size_t n, length;
    int wanted;
  } cases[] = {
      {3000, 1000000, REFUSED}, {3500, 30000, REFUSED}, {300, 3000000, REFUSED}, {2000, 500, READ}, {200, 20000, READ}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    shared_texts(f, cases[i].n, cases[i].length);
    holds(f, "texts that share an object", f->path, read_h5, cases[i].wanted);
  }
}

/* An array of `n` floats in chunks of `chunk`; of those `stored` hold the same few bytes, as they are compressed. */
static void chunked(fixture *f, hsize_t n, hsize_t chunk, hsize_t stored, int times, const void *bytes, size_t size) {
  hid_t file = new_file(f), space = H5Screate_simple(1, &n, (hsize_t[]){H5S_UNLIMITED}),
        list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(list, 1, &chunk);
  for (int i = 0; i < times; i++) H5Pset_deflate(list, 9);
  hid_t array = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  assert_true(array >= 0);
  for (hsize_t i = 0; i < stored; i++) {
    hsize_t at = i * chunk;
    assert_true(H5Dwrite_chunk(array, H5P_DEFAULT, 0, &at, size, bytes) >= 0);
  }
  H5Dclose(array), H5Pclose(list), H5Sclose(space), H5Fclose(file);
}

/* `count` floats that are zero, as HDF5 compresses them, in the caller's memory; their number of bytes. */
static size_t zeros(fixture *f, hsize_t count, unsigned char *out, size_t room) {
  float *data = calloc(count, sizeof *data);
  hid_t file = new_file(f), space = H5Screate_simple(1, &count, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(list, 1, &count);
  H5Pset_deflate(list, 9);
  hid_t array = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  assert_true(H5Dwrite(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  hsize_t size = 0, at = 0;
  uint32_t filters;
  assert_true(H5Dget_chunk_storage_size(array, &at, &size) >= 0 && size <= room);
  assert_true(H5Dread_chunk(array, H5P_DEFAULT, &at, &filters, out) >= 0);
  H5Dclose(array), H5Pclose(list), H5Sclose(space), H5Fclose(file);
  free(data);
  return size;
}

static void chunks(void **state) {
  fixture *f = *state;
  static unsigned char bytes[1 << 16];
  enum { SMALL = 1 << 18 /* 1 MB */, LARGE = 1 << 24 /* 64 MB */ };
  chunked(f, 6, 1 << 28, 0, 2, NULL, 0);
  holds(f, "a chunk of a gigabyte", f->path, read_h5, REFUSED);
  size_t n = zeros(f, SMALL, bytes, sizeof bytes);
  chunked(f, 4 * SMALL, SMALL, 4, 1, bytes, n);
  holds(f, "4 MB of zeros", f->path, read_h5, READ);
  chunked(f, 1024 * SMALL, SMALL, 1024, 1, bytes, n);
  holds(f, "a gigabyte of zeros", f->path, read_h5, REFUSED);
  n = zeros(f, LARGE, bytes, sizeof bytes);
  chunked(f, SMALL, SMALL, 1, 1, bytes, n);
  holds(f, "a chunk that becomes 64 MB where 1 is wanted", f->path, read_h5, REFUSED);
  chunked(f, 4, 4, 1, 1, bytes, n);
  holds(f, "a chunk that becomes 64 MB where 16 bytes are wanted", f->path, read_h5, REFUSED);
  chunked(f, 1 << 20, 1, 1, 1, bytes, 4);
  holds(f, "a chunk for each number", f->path, read_h5, -1);
}

/* One array under many names. */
static void names_for_one_array(void **state) {
  fixture *f = *state;
  static unsigned char bytes[1 << 16];
  enum { SMALL = 1 << 18 };
  size_t n = zeros(f, SMALL, bytes, sizeof bytes);
  chunked(f, 4 * SMALL, SMALL, 4, 1, bytes, n);
  hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
  for (int i = 0; i < 100; i++) {
    char name[32];
    snprintf(name, sizeof name, "y%d", i);
    assert_true(H5Lcreate_hard(file, "x", file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
  }
  H5Fclose(file);
  holds(f, "a hundred names for one array", f->path, read_h5, REFUSED);
}

static hsize_t draw(hsize_t most) {
  static uint32_t x = 12345;
  x = x * 1664525u + 1013904223u;
  return (x >> 8) % most;
}

/* Numbers of the shapes above, drawn: whatever they are, the promise holds. */
static void drawn(void **state) {
  fixture *f = *state;
  static unsigned char bytes[1 << 16];
  for (int i = 0; i < 12; i++) {
    if (i % 3 == 0) {
      size_t n = 2 + draw(4000);
      shared_texts(f, n, 20 + ((size_t)1 << draw(21)));
    } else {
      size_t n = zeros(f, 1 + ((hsize_t)1 << draw(23)), bytes, sizeof bytes);
      hsize_t chunk = 1 + ((hsize_t)1 << draw(23));
      hsize_t count = chunk * (1 + draw(64));
      chunked(f, count, chunk, 1 + draw(count / chunk), 1 + i % 2, bytes, n);
    }
    holds(f, "drawn", f->path, read_h5, -1);
  }
}

int main(void) {
#define t(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      t(texts), t(long_alias), t(texts_that_share_an_object), t(chunks), t(names_for_one_array), t(drawn),
  };
  return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
