/* SPDX-License-Identifier: MIT */
/* Safetensors files written and read; headers that say what is not so. */
#include "testing.h"

#include "base/file.h"
#include "io/safetensors.h"

static am_context *ctx;
static char *folder;
static am_error err;

static int begin(void **state) {
  (void)state;
  ctx = am_test_context(1, NULL);
  folder = am_test_folder();
  return 0;
}

static int end(void **state) {
  (void)state;
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
  return 0;
}

static char *in_folder(const char *name) { return (char *)am_test_path(folder, name); }

/* A file with this header and so many bytes behind it, each its place. */
static const char *made(const char *header, size_t bytes) {
  static char text[1 << 16];
  const size_t n = strlen(header);
  const char *path = in_folder("made.safetensors");
  for (int i = 0; i < 8; i++) text[i] = (char)(n >> 8 * i);
  memcpy(text + 8, header, n);
  for (size_t i = 0; i < bytes; i++) text[8 + n + i] = (char)i;
  am_test_file(path, text, 8 + n + bytes);
  return path;
}

static am_status opened(const char *path, am_safetensors **file) {
  err = (am_error)AM_ERROR_INIT;
  return am_safetensors_open(ctx, path, file, &err);
}

static void what_is_written_is_read(void **state) {
  (void)state;
  am_safetensors_writer w;
  am_safetensors *file;
  const char *path = in_folder("x.safetensors");
  am_safetensors_begin(ctx, &w);
  am_safetensors_put_text(&w, "a \"key\"", "a text\nof lines");
  am_safetensors_put_text(&w, "more", "");
  float *a = am_safetensors_put(&w, "a", 2, (const size_t[]){2, 3});
  for (int i = 0; i < 6; i++) a[i] = (float)i / 4;
  assert_non_null(am_safetensors_put(&w, "none", 2, (const size_t[]){0, 3}));
  *am_safetensors_put(&w, "one", 0, NULL) = -7;
  am_test_ok(am_safetensors_write(&w, path, &err), &err);
  am_safetensors_end(&w);

  char *text;
  size_t bytes, header = 0;
  am_test_ok(am_file_read(ctx, path, 1 << 16, &text, &bytes, &err), &err);
  for (int i = 0; i < 8; i++) header |= (size_t)(unsigned char)text[i] << 8 * i;
  assert_int_equal(header % 8, 0);
  assert_int_equal(bytes, 8 + header + 7 * sizeof(float));
  am_free(ctx, text);

  float numbers[6];
  am_test_ok(opened(path, &file), &err);
  assert_int_equal(am_safetensors_count(file), 3);
  assert_string_equal(am_safetensors_at(file, 1)->name, "none");
  assert_string_equal(am_safetensors_text(file, "a \"key\""), "a text\nof lines");
  assert_null(am_safetensors_text(file, "a"));
  assert_null(am_safetensors_find(file, "__metadata__"));
  const am_tensor *t = am_safetensors_find(file, "a");
  assert_true(t->rank == 2 && t->dims[0] == 2 && t->dims[1] == 3 && t->count == 6 && t->type == AM_TENSOR_F32);
  am_test_ok(am_safetensors_read(file, t, numbers, &err), &err);
  assert_true(numbers[1] == 0.25f && numbers[5] == 1.25f);
  t = am_safetensors_find(file, "one");
  am_test_ok(am_safetensors_read(file, t, numbers, &err), &err);
  assert_true(t->rank == 0 && t->count == 1 && numbers[0] == -7);
  am_test_ok(am_safetensors_read(file, am_safetensors_find(file, "none"), numbers, &err), &err);
  am_safetensors_close(file);

  am_safetensors_begin(ctx, &w); /* nothing at all is a file, too */
  am_test_ok(am_safetensors_write(&w, path, &err), &err);
  am_safetensors_end(&w);
  am_test_ok(opened(path, &file), &err);
  assert_int_equal(am_safetensors_count(file), 0);
  am_safetensors_close(file);
}

/* 0.5, -2, the smallest half, and what each type has beside. */
static void all_widths_are_read(void **state) {
  (void)state;
  static const unsigned char halves[] = {0x00, 0x38, 0x00, 0xc0, 0x01, 0x00},
                             brains[] = {0x00, 0x3f, 0x00, 0xc0, 0x01, 0x00},
                             doubles[] = {0, 0, 0,    0,    0, 0, 0xe0, 0x3f, 0, 0, 0,    0,
                                          0, 0, 0x00, 0xc0, 0, 0, 0,    0,    0, 0, 0x70, 0x3e};
  static const struct {
    const char *dtype;
    const unsigned char *data;
    size_t bytes;
    float last;
  } cases[] = {{"F16", halves, 6, 0x1p-24f}, {"BF16", brains, 6, 0x1p-133f}, {"F64", doubles, 24, 0x1p-24f}};
  for (size_t i = 0; i < 3; i++) {
    char header[200], file_text[300];
    snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":[0,%zu]}}", cases[i].dtype,
             cases[i].bytes);
    const size_t n = strlen(header);
    memset(file_text, 0, 8);
    file_text[0] = (char)n;
    memcpy(file_text + 8, header, n);
    memcpy(file_text + 8 + n, cases[i].data, cases[i].bytes);
    const char *path = in_folder("wide.safetensors");
    am_test_file(path, file_text, 8 + n + cases[i].bytes);
    am_safetensors *file;
    float numbers[3];
    am_test_ok(opened(path, &file), &err);
    am_test_ok(am_safetensors_read(file, am_safetensors_at(file, 0), numbers, &err), &err);
    assert_true(numbers[0] == 0.5f && numbers[1] == -2 && numbers[2] == cases[i].last);
    am_safetensors_close(file);
  }
}

static void numbers_must_be_numbers(void **state) {
  (void)state;
  am_safetensors *file;
  float numbers[2];
  static const struct {
    const char *dtype;
    unsigned char last[8]; /* of two numbers, the second */
    size_t size;
    const char *words;
  } cases[] = {{"F32", {0, 0, 0xc0, 0x7f}, 4, "number 2 of 2 is not a number"},
               {"F16", {0x00, 0x7c}, 2, "number 2 of 2 is infinite"},
               {"BF16", {0x80, 0xff}, 2, "infinite"},
               {"F64", {0, 0, 0, 0, 0, 0, 0xf0, 0x48}, 8, "too large for float32"}};
  for (size_t i = 0; i < 4; i++) {
    char header[200];
    snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":[2],\"data_offsets\":[0,%zu]}}", cases[i].dtype,
             2 * cases[i].size);
    const char *path = made(header, 2 * cases[i].size);
    FILE *f = fopen(path, "r+b");
    assert_true(f && fseek(f, (long)(8 + strlen(header) + cases[i].size), SEEK_SET) == 0 &&
                fwrite(cases[i].last, 1, cases[i].size, f) == cases[i].size && fclose(f) == 0);
    am_test_ok(opened(path, &file), &err);
    am_test_fails(am_safetensors_read(file, am_safetensors_at(file, 0), numbers, &err), AM_E_NUMERIC, &err,
                  cases[i].words);
    am_safetensors_close(file);
  }
  am_test_ok(opened(made("{\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8), &file), &err);
  am_test_fails(am_safetensors_read(file, am_safetensors_at(file, 0), numbers, &err), AM_E_UNSUPPORTED, &err,
                "tensor a holds I64");
  /* cut after it was opened */
  am_safetensors_close(file);
  am_test_ok(opened(made("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8), &file), &err);
  assert_int_equal(truncate(am_safetensors_path(file), 60), 0);
  am_test_fails(am_safetensors_read(file, am_safetensors_at(file, 0), numbers, &err), AM_E_FORMAT, &err,
                "the file ends while it is read");
  am_safetensors_close(file);
}

#define A(shape, from, to) "\"a\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"
#define B(shape, from, to) "\"b\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void headers_must_be_so(void **state) {
  (void)state;
  static const struct {
    const char *header;
    size_t bytes;
    am_status status;
    const char *words;
  } cases[] = {
      {"", 0, AM_E_FORMAT, "does not begin with '{'"},
      {" {}", 0, AM_E_FORMAT, "does not begin with '{'"},
      {"[]", 0, AM_E_FORMAT, "does not begin with '{'"},
      {"{", 0, AM_E_FORMAT, "its header:1:"},
      {"{} {}", 0, AM_E_FORMAT, "its header:1:"},
      {"{" A("[1]", "0", "4") "," A("[1]", "0", "4") "}", 4, AM_E_FORMAT, "duplicate"},
      {"{\"a\":1}", 0, AM_E_FORMAT, "tensor a: it has no dtype"},
      {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, AM_E_FORMAT, "tensor a: it has no dtype"},
      {"{\"a\":{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, AM_E_FORMAT, "it has no dtype"},
      {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, AM_E_UNSUPPORTED, "of type F33"},
      {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4],\"x\":1}}", 4, AM_E_FORMAT, "it has no shape"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, AM_E_FORMAT, "alone"},
      {"{" A("[-1]", "0", "4") "}", 4, AM_E_FORMAT, "its shape is not a list of whole numbers"},
      {"{" A("[1.5]", "0", "4") "}", 4, AM_E_FORMAT, "its shape is not a list of whole numbers"},
      {"{" A("[\"1\"]", "0", "4") "}", 4, AM_E_FORMAT, "its shape is not a list of whole numbers"},
      {"{" A("[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, AM_E_UNSUPPORTED, "9 dimensions; at most 8"},
      {"{" A("[2]", "0", "4") "}", 4, AM_E_FORMAT, "F32 of shape (2) does not take the 4 bytes"},
      {"{" A("[9223372036854775807,4]", "0", "4") "}", 4, AM_E_FORMAT, "does not take the 4 bytes"},
      {"{" A("[4294967296,4294967296]", "0", "0") "}", 0, AM_E_FORMAT, "does not take the 0 bytes"},
      {"{" A("[1]", "4", "0") "}", 4, AM_E_FORMAT, "4 to 0, are not within the 4 bytes"},
      {"{" A("[1]", "0", "5") "}", 4, AM_E_FORMAT, "0 to 5, are not within the 4 bytes"},
      {"{" A("[1]", "9223372036854775804", "9223372036854775807") "}", 4, AM_E_FORMAT, "are not within"},
      {"{" A("[1]", "-4", "0") "}", 4, AM_E_FORMAT, "not two whole numbers"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, AM_E_FORMAT, "not two whole numbers"},
      {"{" A("[2]", "0", "8") "," B("[2]", "4", "12") "}", 12, AM_E_FORMAT, "tensors a and b share bytes"},
      {"{" A("[2]", "0", "8") "," B("[2]", "0", "8") "}", 8, AM_E_FORMAT, "share bytes"},
      {"{" A("[1]", "0", "4") "," B("[1]", "8", "12") "}", 12, AM_E_FORMAT, "tensor b: there are bytes before it"},
      {"{" A("[1]", "4", "8") "}", 8, AM_E_FORMAT, "tensor a: there are bytes before it"},
      {"{" A("[1]", "0", "4") "}", 8, AM_E_FORMAT, "its last 4 bytes belong to no tensor"},
      {"{\"__metadata__\":1}", 0, AM_E_FORMAT, "is not a map of texts"},
      {"{\"__metadata__\":{\"a\":1}}", 0, AM_E_FORMAT, "is not a map of texts"},
      {"{\"__metadata__\":{\"a\":{}}}", 0, AM_E_FORMAT, "is not a map of texts"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_safetensors *file;
    am_test_fails(opened(made(cases[i].header, cases[i].bytes), &file), cases[i].status, &err, cases[i].words);
    assert_null(file);
  }
  /* empty tensors lie anywhere between others, and spaces may follow the header */
  am_safetensors *file;
  am_test_ok(opened(made("{" B("[2]", "0", "8") ",\"c\":{\"dtype\":\"U8\",\"shape\":[0,9],\"data_offsets\":[8,8]}," A(
                             "[1]", "8", "12") "}   ",
                         12),
                    &file),
             &err);
  am_safetensors_close(file);
}

static void other_files_are_refused(void **state) {
  (void)state;
  am_safetensors *file;
  const char *path = in_folder("short");
  am_test_file(path, "1234567", 7);
  am_test_fails(opened(path, &file), AM_E_FORMAT, &err, "it has 7 bytes; wanted a safetensors file");
  am_test_file(path, "\x89HDF\r\n\x1a\n and more", 17);
  am_test_fails(opened(path, &file), AM_E_FORMAT, &err, "its header would be longer than the file");
  am_test_file(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
  am_test_fails(opened(path, &file), AM_E_FORMAT, &err, "longer than the file");
  am_test_fails(opened(in_folder("none"), &file), AM_E_IO, &err, "cannot open");
  am_test_fails(opened(folder, &file), AM_E_FORMAT, &err, "is no file");
  path = in_folder("pipe");
  assert_int_equal(mkfifo(path, 0600), 0);
  am_test_fails(opened(path, &file), AM_E_FORMAT, &err, "is a device or a pipe");
}

static am_status write_and_read(am_context *small, am_error *why) {
  am_safetensors_writer w;
  am_safetensors *file = NULL;
  char path[600];
  snprintf(path, sizeof path, "%s/memory", folder);
  am_safetensors_begin(small, &w);
  am_safetensors_put_text(&w, "a", "b");
  for (int i = 0; i < 3; i++) {
    char name[8];
    snprintf(name, sizeof name, "t%d", i);
    am_safetensors_put(&w, name, 1, (const size_t[]){64});
  }
  am_status status = am_safetensors_write(&w, path, why);
  am_safetensors_end(&w);
  if (!status) status = am_safetensors_open(small, path, &file, why);
  am_safetensors_close(file);
  return status;
}

static void survives_failed_allocations(void **state) {
  (void)state;
  am_test_each_allocation(write_and_read);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(all_widths_are_read),
      cmocka_unit_test(numbers_must_be_numbers), cmocka_unit_test(headers_must_be_so),
      cmocka_unit_test(other_files_are_refused), cmocka_unit_test(survives_failed_allocations),
  };
  return cmocka_run_group_tests_name("safetensors", tests, begin, end);
}
