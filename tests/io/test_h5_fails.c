/* SPDX-License-Identifier: MIT */
/* Failures of HDF5 that no file brings about: three of its functions stand here in front of the library's own, and say
 * no when asked to. */
#define _GNU_SOURCE
#include "h5_fixture.h"

#include <dlfcn.h>
#include <hdf5.h>

static struct { bool read, close, size; } fails;

herr_t H5Dread(hid_t array, hid_t type, hid_t memory, hid_t file, hid_t list, void *data) {
  herr_t (*real)(hid_t, hid_t, hid_t, hid_t, hid_t, void *);
  *(void **)&real = dlsym(RTLD_NEXT, "H5Dread");
  return fails.read ? -1 : real(array, type, memory, file, list, data);
}

herr_t H5Fclose(hid_t file) {
  herr_t (*real)(hid_t);
  *(void **)&real = dlsym(RTLD_NEXT, "H5Fclose");
  herr_t closed = real(file);
  return fails.close ? -1 : closed;
}

size_t H5Tget_size(hid_t type) {
  size_t (*real)(hid_t);
  *(void **)&real = dlsym(RTLD_NEXT, "H5Tget_size");
  return fails.size ? SIZE_MAX / 2 : real(type);
}

static int finish(void **state) {
  memset(&fails, 0, sizeof fails);
  return end(state);
}

/* A file in f->path with an array and a number. */
static void write_file(fixture *f) {
  am_error err = AM_ERROR_INIT;
  am_h5 *file = create(f);
  const size_t dims[] = {6};
  am_test_ok(am_h5_write(file, "w", AM_H5_F32, 1, dims, weights, &err), &err);
  am_test_ok(am_h5_set_int(file, "w", "epoch", 7, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
}

static void a_read_that_fails_is_an_error(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  write_file(f);
  am_h5 *file = reopen(f, NULL, AM_H5_READ);
  float w[6];
  fails.read = true;
  am_test_fails(am_h5_read(file, "w", AM_H5_F32, w, 6, &err), AM_E_FORMAT, &err, "x.h5: cannot read w");
  fails.read = false;
  am_test_ok(am_h5_read(file, "w", AM_H5_F32, w, 6, &err), &err);
  assert_memory_equal(w, weights, sizeof w);
  am_h5_close(file);
}

static void a_close_that_fails_is_an_error(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  write_file(f);
  am_h5 *file = reopen(f, NULL, AM_H5_UPDATE);
  am_test_ok(am_h5_set_int(file, "w", "epoch", 8, &err), &err);
  fails.close = true;
  am_test_fails(am_h5_commit(file, &err), AM_E_IO, &err, "x.h5: cannot close (is the disk full?)");
}

static void an_attribute_larger_than_its_file_is_an_error(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  write_file(f);
  am_h5 *file = reopen(f, NULL, AM_H5_READ);
  int64_t epoch = 0;
  fails.size = true;
  am_test_fails(am_h5_get_int(file, "w", "epoch", &epoch, &err), AM_E_FORMAT, &err,
                "x.h5: attribute epoch of \"w\" claims to be larger than the file");
  fails.size = false;
  am_test_ok(am_h5_get_int(file, "w", "epoch", &epoch, &err), &err);
  assert_int_equal(epoch, 7);
  am_h5_close(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_read_that_fails_is_an_error, begin, finish),
      cmocka_unit_test_setup_teardown(a_close_that_fails_is_an_error, begin, finish),
      cmocka_unit_test_setup_teardown(an_attribute_larger_than_its_file_is_an_error, begin, finish),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
