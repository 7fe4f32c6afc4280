/* tests/subtitle/test_cues.c - SRT and WebVTT as programs write them: what is found in them, and that they are kept. */
#include "testing.h"

#include "subtitle/cue.h"

typedef struct wanted {
  const char *head, *text;
  double start, stop;
} wanted;

static am_status parse(am_context *ctx, const char *text, am_cues *out, am_error *err) {
  *err = (am_error)AM_ERROR_INIT;
  return am_cues_parse(ctx, text, strlen(text), "x.srt", NULL, out, err);
}

/* The cues are as wanted, and an unchanged document gives its bytes. */
static void cues_are(am_context *ctx, const char *text, const am_cue_syntax *syntax, const wanted *w, size_t n) {
  am_error err;
  am_cues c;
  am_buffer out = {0};
  am_test_ok(parse(ctx, text, &c, &err), &err);
  assert_ptr_equal(c.syntax, syntax);
  assert_int_equal(c.n, n);
  for (size_t i = 0; i < n; i++) {
    const am_cue *cue = &c.at[i];
    const am_slice body = am_cue_text(&c, cue);
    assert_float_equal(cue->start, w[i].start, 1e-9);
    assert_float_equal(cue->stop, w[i].stop, 1e-9);
    assert_int_equal(body.n, strlen(w[i].text));
    assert_memory_equal(body.at, w[i].text, body.n);
    assert_int_equal(cue->time - cue->head, strlen(w[i].head));
    assert_memory_equal(c.data + cue->head, w[i].head, cue->time - cue->head);
  }
  am_cues_write(&c, &out);
  assert_int_equal(out.used, strlen(text));
  assert_memory_equal(out.data, text, out.used);
  am_buffer_free(ctx, &out);
  am_cues_free(&c);
}
#define CUES_ARE(text, syntax, ...) \
  do { \
    const wanted list[] = {__VA_ARGS__}; \
    cues_are(*state, text, syntax, list, sizeof list / sizeof *list); \
  } while (0)

static void srt_as_programs_write_it(void **state) {
  CUES_ARE("1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n01:00:03,000 --> 01:00:04,000\nTwo\nlines\n\n", &am_srt,
           {"1\n", "Hello\n", 1, 2.5}, {"2\n", "Two\nlines\n", 3603, 3604});
  /* a byte order mark, CRLF, a point, no hours, positions, no ending of the last line */
  CUES_ARE(
      "\xEF\xBB\xBF"
      "1\r\n00:01.5 --> 00:02.25  X1:40 X2:600\r\nHello",
      &am_srt, {"1\r\n", "Hello", 1.5, 2.25});
  /* not numbered, no spaces, overlapping, out of order, without thousandths */
  CUES_ARE("0:0:5,1-->0:0:9\nb\n\n00:00:01,000 --> 00:00:06,000\na\n", &am_srt, {"", "b\n", 5.1, 9}, {"", "a\n", 1, 6});
  /* endings of all kinds */
  CUES_ARE("1\r00:00:01,000 --> 00:00:02,000\ra\r\r2\n00:00:03,000 --> 00:00:04,000\nb\r\n\r\n", &am_srt,
           {"1\r", "a\r", 1, 2}, {"2\n", "b\r\n", 3, 4});
}

static void texts_that_look_like_something_else(void **state) {
  /* empty, with blank lines inside, no blank line between cues, an arrow, a number as text */
  CUES_ARE(
      "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\na\n\n\nb\n3\n"
      "00:00:05,000 --> 00:00:06,000\n5 --> 6\n\n4\n00:00:07,000 --> 00:00:08,000\n1984\n\n \n",
      &am_srt, {"1\n", "", 1, 2}, {"2\n", "a\n\n\nb\n", 3, 4}, {"3\n", "5 --> 6\n", 5, 6}, {"4\n", "1984\n", 7, 8});
  /* what comes before the first cue is kept */
  CUES_ARE("Made by a program\n\n1\n00:00:01,000 --> 00:00:02,000\na\n", &am_srt, {"1\n", "a\n", 1, 2});
  /* ends before it begins */
  CUES_ARE("00:00:09,000 --> 00:00:02,000\na\n", &am_srt, {"", "a\n", 9, 2});
}

static void vtt_with_all_that_it_may_have(void **state) {
  CUES_ARE(
      "WEBVTT - a title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred\n\nNOTE\n1\n2\n\n"
      "intro\n00:01.000 --> 00:02.000 align:start line:0\n<v Ann>Hello</v>\n\n"
      "01:00:03.000 --> 01:00:04.000\n- a\n- b\n\nNOTE between\n\n00:05.000 --> 00:06.000\nc\n\nNOTE end",
      &am_vtt, {"intro\n", "<v Ann>Hello</v>\n", 1, 2}, {"", "- a\n- b\n", 3603, 3604}, {"", "c\n", 5, 6});
  CUES_ARE("WEBVTT\n00:01.000 --> 00:02.000\nfirst\n", &am_vtt, {"", "first\n", 1, 2});
  CUES_ARE("WEBVTT\n\n7\n00:01.000 --> 00:02.000\n00:03.000 --> 00:04.000\na\n", &am_vtt, {"7\n", "", 1, 2},
           {"", "a\n", 3, 4});
  cues_are(*state, "\xEF\xBB\xBFWEBVTT", &am_vtt, NULL, 0);
}

static void what_is_no_subtitle_is_refused(void **state) {
  am_context *ctx = *state;
  am_error err;
  am_cues c;
  am_test_fails(parse(ctx, "", &c, &err), AM_E_FORMAT, &err, "x.srt: has no line of times");
  am_test_fails(parse(ctx, "<html>\n", &c, &err), AM_E_FORMAT, &err, "x.srt: has no line of times");
  am_test_fails(parse(ctx, "1\n00:00:01,000 --> 00:00:99,000\na", &c, &err), AM_E_FORMAT, &err,
                "x.srt:2: the times are '00:00:01,000 --> 00:00:99,000'; wanted such as 00:01:02,345");
  am_test_fails(parse(ctx, "WEBVTT\n\n00:01.000 --> never\n", &c, &err), AM_E_FORMAT, &err, "x.srt:3: the times are");
  am_test_fails(parse(ctx, "-0:01 --> 0:02\n", &c, &err), AM_E_FORMAT, &err, "x.srt:1: the times are '-0:01");
  am_test_fails(parse(ctx, "0:01 --> 0:02:\n", &c, &err), AM_E_FORMAT, &err, "x.srt:1: the times are");
  am_test_fails(am_cues_parse(ctx, "1\0", 2, "x.srt", NULL, &c, &err), AM_E_FORMAT, &err, "zero byte");
  err = (am_error)AM_ERROR_INIT;
  am_test_fails(am_cues_parse(ctx, "WEBVTT\n", 7, "x", &am_srt, &c, &err), AM_E_FORMAT, &err,
                "x: is WebVTT, by its first line, and not SRT");
  err = (am_error)AM_ERROR_INIT;
  am_test_fails(am_cues_parse(ctx, "WEBVTTX", 7, "x", &am_vtt, &c, &err), AM_E_FORMAT, &err,
                "x: does not begin with WEBVTT");
  err = (am_error)AM_ERROR_INIT;
  am_test_fails(am_cues_read(ctx, "/nonexistent.srt", NULL, &c, &err), AM_E_IO, &err, "/nonexistent.srt");
  assert_int_equal(c.n, 0);
}

static void latin1_is_told_apart(void **state) {
  am_error err;
  am_cues c;
  am_test_ok(parse(*state, "0:01 --> 0:02\ncaf\xC3\xA9\n", &c, &err), &err);
  assert_false(c.latin1);
  am_cues_free(&c);
  am_test_ok(parse(*state, "0:01 --> 0:02\ncaf\xE9\n", &c, &err), &err);
  assert_true(c.latin1);
  am_cues_free(&c);
}

/* "00:00:00,000 --> 00:00:00,000\n" a million times and once more. */
static void more_than_a_million_cues_are_refused(void **state) {
  static const char one[] = "0:0-->0:0\n";
  const size_t n = sizeof one - 1, all = n * (AM_CUES_MOST + 1);
  am_error err = AM_ERROR_INIT;
  am_cues c;
  char *text = malloc(all);
  assert_non_null(text);
  for (size_t i = 0; i < all; i += n) memcpy(text + i, one, n);
  am_test_ok(am_cues_parse(*state, text, all - n, "x", NULL, &c, &err), &err);
  assert_int_equal(c.n, AM_CUES_MOST);
  am_cues_free(&c);
  am_test_fails(am_cues_parse(*state, text, all, "x", NULL, &c, &err), AM_E_FORMAT, &err,
                "x:1000001: more than 1000000 cues");
  free(text);
}

static void a_text_is_changed_and_the_rest_is_kept(void **state) {
  am_error err;
  am_cues c;
  am_buffer out = {0};
  am_test_ok(parse(*state, "1\r\n0:01 --> 0:02 X1:5\r\na\r\n\r\n\r\n2\n0:03 --> 0:04\n", &c, &err), &err);
  assert_string_equal(am_cue_newline(&c, &c.at[0]), "\r\n");
  assert_string_equal(am_cue_newline(&c, &c.at[1]), "\n");
  for (int i = 0; i < 2; i++) /* a part of what it was before */
    am_test_ok(
        am_cue_change(&c, &c.at[0], am_slice_from("<", 1), am_cue_text(&c, &c.at[0]), am_slice_from(">", 1), &err),
        &err);
  c.cut_from = 1;
  c.cut_to = 3;
  am_cues_write(&c, &out);
  assert_string_equal(out.data, "10:01 --> 0:02 X1:5\r\n<<a\r\n>>\r\n\r\n2\n0:03 --> 0:04\n");
  am_buffer_free(*state, &out);
  am_cues_free(&c);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (long n = 1; n < 20; n++) {
    am_test_memory memory;
    am_context *ctx = am_test_memory_context(&memory, 1);
    am_error err;
    am_cues c;
    am_test_memory_arm(&memory, n);
    am_status st = parse(ctx, "1\n0:01 --> 0:02\na\n\n2\n0:03 --> 0:04\nb\n", &c, &err);
    const bool parsed = !st;
    if (!st) st = am_cue_change(&c, &c.at[1], (am_slice){0}, am_slice_from("x", 1), (am_slice){0}, &err);
    const bool fired = am_test_memory_fired(&memory);
    assert_int_equal(st, fired ? AM_E_NOMEM : AM_OK);
    if (parsed) am_cues_free(&c);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&memory.alive), 0);
    if (!fired) return;
  }
  fail_msg("never done");
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
      cmocka_unit_test(srt_as_programs_write_it),
      cmocka_unit_test(texts_that_look_like_something_else),
      cmocka_unit_test(vtt_with_all_that_it_may_have),
      cmocka_unit_test(what_is_no_subtitle_is_refused),
      cmocka_unit_test(latin1_is_told_apart),
      cmocka_unit_test(more_than_a_million_cues_are_refused),
      cmocka_unit_test(a_text_is_changed_and_the_rest_is_kept),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
