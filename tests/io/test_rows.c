/* SPDX-License-Identifier: MIT */
/* Rows that were appended, told apart. */
#include "testing.h"

#include "io/rows.h"

static size_t whole(am_rows_kind kind, const char *text) { return am_row_whole(kind, text, strlen(text)); }

static void whole_rows_end_with_their_line(void **state) {
  (void)state;
  assert_int_equal(whole(AM_ROWS_CSV, "a.wav,happy\nb"), 12);
  assert_int_equal(whole(AM_ROWS_CSV, "a.wav,happy"), 0);
  assert_int_equal(whole(AM_ROWS_CSV, "\"a\n.wav\",happy\nb"), 15);
  assert_int_equal(whole(AM_ROWS_CSV, "\"a\n.wav"), 0);
  assert_int_equal(whole(AM_ROWS_CSV, ""), 0);
  assert_int_equal(am_row_whole(AM_ROWS_CSV, "a\0b\n", 4), 0);
  assert_int_equal(whole(AM_ROWS_JSON, "{\"file\": \"a\\\"b\"}\n{"), 17);
  assert_int_equal(whole(AM_ROWS_JSON, "{\"file\": \"a"), 0);
}

static void check_key(am_rows_kind kind, const char *row, const char *wanted) {
  const size_t n = am_row_key(kind, row, strlen(row));
  assert_int_equal(n, strlen(wanted));
  assert_memory_equal(row, wanted, n);
}

static void names_are_found(void **state) {
  (void)state;
  check_key(AM_ROWS_CSV, "a.wav,happy\n", "a.wav");
  check_key(AM_ROWS_CSV, "\"a,\"\"b\"\".wav\",happy\n", "\"a,\"\"b\"\".wav\"");
  check_key(AM_ROWS_CSV, "a.wav", "");
  check_key(AM_ROWS_CSV, "\"a.wav", "");
  check_key(AM_ROWS_CSV, "", "");
  check_key(AM_ROWS_JSON, "{\"file\": \"a\\\"b.wav\", \"label\": 1}\n", "{\"file\": \"a\\\"b.wav\"");
  check_key(AM_ROWS_JSON, "{\"file\":\"a.wav\"}\n", "{\"file\":\"a.wav\"");
  check_key(AM_ROWS_JSON, "{\"file\": 1}\n", "");
  check_key(AM_ROWS_JSON, "[\"file\", \"a\"]\n", "");
  check_key(AM_ROWS_JSON, "{\"file\\", "");
}

static bool agree(const char *a, const char *b) { return am_rows_agree(a, strlen(a), b, strlen(b), 1e-3); }

static void last_bits_may_differ(void **state) {
  (void)state;
  assert_true(agree("a1.wav,happy,0.25,0.75\n", "a1.wav,happy,0.25,0.75\n"));
  assert_true(agree("a1.wav,happy,0.25,0.75\n", "a1.wav,happy,0.2500001,0.74999\n"));
  assert_true(agree("{\"happy\": 1e-5, \"p\": [0.5]}", "{\"happy\": 0.00001, \"p\": [0.5001]}"));
  assert_false(agree("a1.wav,happy,0.25,0.75\n", "a1.wav,happy,0.26,0.74\n"));
  assert_false(agree("a1.wav,happy,0.25\n", "a1.wav,sad,0.25\n"));
  assert_false(agree("a1.wav,happy\n", "a1.0001.wav,happy\n"));
  assert_false(agree("a1.wav,0.25\n", "a1.wav,0.25"));
  assert_false(agree("a1.wav,,\n", "a1.wav,0.25,\n"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(whole_rows_end_with_their_line),
                                     cmocka_unit_test(names_are_found), cmocka_unit_test(last_bits_may_differ)};
  return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
