/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_rttm.c - turns as diarisers write them, and files that are none. */
#include "testing.h"

#include "subtitle/rttm.h"

static am_status parse(am_context *ctx, const char *text, am_rttm *out, am_error *err) {
  *err = (am_error)AM_ERROR_INIT;
  return am_rttm_parse(ctx, text, strlen(text), "x.rttm", out, err);
}

/* The example of NIST's plan (2009), and what pyannote writes. */
static void turns_are_read_and_joined(void **state) {
  am_context *ctx = *state;
  am_error err;
  am_rttm r;
  am_test_ok(parse(ctx,
                   "SPKR-INFO talk 1 <NA> <NA> <NA> unknown B <NA> <NA>\n"
                   "SPEAKER talk 1 4.5 1.25 <NA> <NA> B <NA> <NA>\r\n"
                   "\n"
                   "SPEAKER\ttalk 1 0.000 2.5 <NA> <NA> A <NA> <NA>\n"
                   "SPEAKER talk 1 2.000 1.5 <NA> <NA> A <NA>\n"
                   "SPEAKER talk 1 5.000 0.0 <NA> <NA> A <NA> <NA>\n"
                   "SPEAKER talk 1 7 1 <NA> <NA> A <NA> <NA>",
                   &r, &err),
             &err);
  const struct {
    const char *speaker;
    double start, end;
  } wanted[] = {{"A", 0, 3.5}, {"A", 7, 8}, {"B", 4.5, 5.75}};
  assert_int_equal(r.n, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_string_equal(r.turns[i].speaker, wanted[i].speaker);
    assert_true(r.turns[i].start == wanted[i].start && r.turns[i].end == wanted[i].end);
  }
  am_rttm_free(&r);
}

static void what_is_no_rttm_is_named_by_its_line(void **state) {
  am_context *ctx = *state;
  am_error err;
  am_rttm r;
  am_test_fails(parse(ctx, "", &r, &err), AM_E_FORMAT, &err, "x.rttm: has no line of type SPEAKER");
  am_test_fails(parse(ctx, "start,end,label\n0,1,angry\n", &r, &err), AM_E_FORMAT, &err, "has no line of type SPEAKER");
  am_test_fails(parse(ctx, "SPEAKER a 1 0 1 <NA> <NA> A\nSPEAKER a 1 0 1 <NA>\n", &r, &err), AM_E_FORMAT, &err,
                "x.rttm:2: a SPEAKER line of 6 fields; wanted 8");
  am_test_fails(parse(ctx, "\n\nSPEAKER a 1 one 1 <NA> <NA> A\n", &r, &err), AM_E_FORMAT, &err,
                "x.rttm:3: the start is 'one'; wanted seconds");
  am_test_fails(parse(ctx, "SPEAKER a 1 1 -2 <NA> <NA> A\n", &r, &err), AM_E_FORMAT, &err, "the duration is '-2'");
  am_test_fails(parse(ctx, "SPEAKER a 1 nan 2 <NA> <NA> A\n", &r, &err), AM_E_FORMAT, &err, "the start is 'nan'");
  am_test_fails(parse(ctx, "SPEAKER a 1 1 1e99 <NA> <NA> A\n", &r, &err), AM_E_FORMAT, &err, "the duration is '1e99'");
  am_test_fails(am_rttm_parse(ctx, "SPEAKER\0a", 9, "x.rttm", &r, &err), AM_E_FORMAT, &err, "zero byte");
  assert_int_equal(r.n, 0);
  am_test_fails(am_rttm_read(ctx, "/nonexistent.rttm", &r, &err), AM_E_IO, &err, "/nonexistent.rttm");
}

static void those_of_one_recording_are_chosen(void **state) {
  am_context *ctx = *state;
  am_error err;
  am_rttm r;
  const char *two = "SPEAKER a.b 1 0 1 <NA> <NA> A\nSPEAKER other 1 2 1 <NA> <NA> A\n";
  am_test_ok(parse(ctx, two, &r, &err), &err);
  am_test_ok(am_rttm_choose(&r, "x.rttm", "in/a.b.wav", &err), &err);
  assert_int_equal(r.n, 1);
  assert_string_equal(r.turns[0].file, "a.b");
  am_test_ok(am_rttm_choose(&r, "x.rttm", "whatever.wav", &err), &err); /* of one file alone */
  assert_int_equal(r.n, 1);
  am_rttm_free(&r);
  am_test_ok(parse(ctx, two, &r, &err), &err);
  am_test_fails(am_rttm_choose(&r, "x.rttm", "a.wav", &err), AM_E_DATA, &err, "of none that is named as a.wav");
  am_rttm_free(&r);
}

static am_status work(am_context *ctx, am_error *err) {
  am_rttm r;
  const am_status status =
      parse(ctx, "SPEAKER a 1 0 1 <NA> <NA> A\nSPEAKER a 1 0.5 1 <NA> <NA> A\nSPEAKER b 1 2 1 <NA> <NA> A\n", &r, err);
  am_rttm_free(&r);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  am_test_each_allocation(work);
}

static int make(void **state) {
  *state = am_test_context(1, "plain");
  return 0;
}
static int end(void **state) {
  am_context_free(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(turns_are_read_and_joined),
      cmocka_unit_test(what_is_no_rttm_is_named_by_its_line),
      cmocka_unit_test(those_of_one_recording_are_chosen),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
