/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_cues.c - SRT, WebVTT, ASS and TTML as programs write them: what is found in them, and that they are kept. */
#include "testing.h"

#include "without_xml.h"

#include "subtitle/cue.h"
#include "subtitle/ttml.h"

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

static void ass_as_programs_write_it(void **state) {
  CUES_ARE(
      "\xEF\xBB\xBF[Script Info]\r\n; a comment\r\nTitle: x\r\n\r\n[V4+ Styles]\r\nFormat: Name\r\nStyle: "
      "Default,Arial\r\n\r\n"
      "[Events]\r\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
      "Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,{\\an8}Hello, you\\Nthere\r\nComment: 0,x\r\n"
      "Dialogue: 0,1:00:03.00,1:00:04.00,Default,,0,0,0,,\r\n[Fonts]\r\nDialogue: no",
      &am_ass, {"", "{\\an8}Hello, you\\Nthere", 1, 2.5}, {"", "", 3603, 3604});
  /* version 4, other fields, no title, a file without a Format line */
  CUES_ARE("[V4 Styles]\n[events]\nformat:Marked,Start,End,Text\nDialogue: Marked=0, 0:00:01.5 ,0:00:02.0,a,b\n",
           &am_ass, {"", "a,b", 1.5, 2});
  CUES_ARE("[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,Bo,0,0,0,,x\n", &am_ass, {"", "x", 1, 2});
}

static void ttml_as_programs_write_it(void **state) {
  if (without_xml(*state)) skip();
  CUES_ARE(
      "<?xml version=\"1.0\"?>\n<tt:tt xmlns:tt=\"http://www.w3.org/ns/ttml\" "
      "xmlns:ttp=\"http://www.w3.org/ns/ttml#parameter\" "
      "ttp:frameRate=\"30\" ttp:frameRateMultiplier=\"1000 1001\" ttp:tickRate=\"100\">\n<tt:body "
      "begin=\"10s\"><tt:div>\n"
      "<tt:p begin=\"00:00:01.5\" end=\"00:00:02:15\">a<tt:br/>b</tt:p>\n<tt:p begin=\"300t\" dur=\"1500ms\"/>\n"
      "<tt:p><tt:span begin=\"4s\" end=\"5s\">c</tt:span> <tt:span begin=\"0.1m\" end=\"0.002h\">d</tt:span></tt:p>\n"
      "<tt:p begin=\"60f\">e</tt:p></tt:div></tt:body></tt:tt>\n",
      &am_ttml, {"", "a<tt:br/>b", 11.5, 12 + 15 * 1001 / 30000.0}, {"", "", 13, 14.5},
      {"", "<tt:span begin=\"4s\" end=\"5s\">c</tt:span> <tt:span begin=\"0.1m\" end=\"0.002h\">d</tt:span>", 14, 17.2},
      {"", "e", 10 + 60 * 1001 / 30000.0, 20 + 60 * 1001 / 30000.0});
  /* elements that follow each other, an end around, and one that lasts until the next */
  CUES_ARE(
      "<tt><body><div timeContainer=\"seq\" begin=\"1s\" end=\"5s\"><p dur=\"2s\">a</p><p begin=\"1s\" "
      "dur=\"9s\">b</p></div>"
      "<div><p begin=\"6s\">c</p><p begin=\"7s\" end=\"8s\">d</p></div></body></tt>",
      &am_ttml, {"", "a", 1, 3}, {"", "b", 4, 5}, {"", "c", 6, 7}, {"", "d", 7, 8});
}

static void speakers_are_named(void **state) {
  if (without_xml(*state)) skip();
  static const char *const texts[] = {
      "WEBVTT\n\n0:01 --> 0:02\n<v.loud Ann>a\n",
      "[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D, Ann ,0,0,0,,x\n",
      "<tt xmlns:ttm=\"m\"><head><metadata><ttm:agent "
      "xml:id=\"s\"><ttm:name>A&#110;n</ttm:name></ttm:agent></metadata></head>"
      "<body><div><p begin=\"1s\" end=\"2s\" ttm:agent=\"s\">a</p></div></body></tt>",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    am_error err;
    am_cues c;
    am_test_ok(parse(*state, texts[i], &c, &err), &err);
    assert_int_equal(c.n, 1);
    assert_string_equal(c.at[0].speaker, "Ann");
    am_cues_free(&c);
  }
}

static void what_is_wrong_in_ass_and_ttml_is_named_by_its_line(void **state) {
  if (without_xml(*state)) skip();
  static const char *const rows[][2] = {
      {"[Script Info]\nTitle: x\n", "x.srt: has no section [Events]"},
      {"[Script Info]\n[Events]\nFormat: Start, Text, End\n",
       "x.srt:3: a Format line of [Events] without Start, End and"},
      {"[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,x\n", "x.srt:3: a Dialogue line of 3 fields; wanted 10"},
      {"[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,never,D,,0,0,0,,x\n",
       "x.srt:3: the times are '0:00:01.00' and 'never'"},
      {"<?xml version=\"1.0\"?>\n<a/>", "x.srt:2: the document is of <a>; wanted <tt>"},
      {"<tt >\n<p begin=\"1s\" end=\"soon\"/></tt>", "x.srt:2: end is 'soon'; wanted such as 00:01:02.345"},
      {"<tt >\n<p begin=\"1s\"></tt>", "x.srt:2:17: mismatched tag; wanted XML"},
      {"<tt >\n", "x.srt:2:1: no element found; wanted XML"},
      {"<?xml version=\"1.0\"?>\n<!DOCTYPE tt>\n<tt/>", "x.srt:2: has a document type (DOCTYPE)"},
      {"<?xml version=\"1.0\" encoding=\"US-ASCII\"?><tt/>", "x.srt:1: is in US-ASCII; wanted UTF-8 or ISO-8859-1"},
      {"<tt ttp:frameRate=\"none\" xmlns:ttp=\"p\"/>", "x.srt:1: ttp:frameRate is 'none'"},
      {"<tt ttp:timeBase=\"clock\" xmlns:ttp=\"p\"/>", "x.srt:1: ttp:timeBase is 'clock'; wanted media or smpte"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    am_error err;
    am_cues c;
    am_test_fails(parse(*state, rows[i][0], &c, &err), AM_E_FORMAT, &err, rows[i][1]);
    assert_int_equal(c.n, 0);
  }
}

static void times_of_ttml(void **state) {
  (void)state;
  const am_ttml_clock clock = {.frames = 25, .rate = 25, .ticks = 10};
  static const struct {
    const char *text;
    double seconds; /* negative: it is none */
  } rows[] = {{"00:00:01", 1},
              {"100:00:00.25", 360000.25},
              {"00:00:01:05", 1.2},
              {"00:00:01:05.1", 1.2},
              {"1.5h", 5400},
              {"2m", 120},
              {"0.5s", 0.5},
              {"250ms", 0.25},
              {"50f", 2},
              {"25t", 2.5},
              {"", -1},
              {"1", -1},
              {"1x", -1},
              {"00:01", -1},
              {"00:00:01:25", -1},
              {"00:60:00", -1},
              {"00:00:01.", -1},
              {"-1s", -1},
              {"1s ", -1},
              {"00:00:01:02:03", -1},
              {"999999999h", -1},
              {"wallclock(1)", -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double x;
    const bool is = am_ttml_time(&clock, rows[i].text, &x);
    if (is != (rows[i].seconds >= 0)) fail_msg("'%s'", rows[i].text);
    if (is) assert_float_equal(x, rows[i].seconds, 1e-9);
  }
}

static am_status work(am_context *ctx, am_error *err) {
  am_cues c;
  am_status st = parse(ctx, "WEBVTT\n\n1\n0:01 --> 0:02\n<v Ann>a\n\n2\n0:03 --> 0:04\nb\n", &c, err);
  if (!st) st = am_cue_change(&c, &c.at[1], (am_slice){0}, am_slice_from("x", 1), (am_slice){0}, err);
  am_cues_free(&c);
  return st;
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
      cmocka_unit_test(srt_as_programs_write_it),
      cmocka_unit_test(texts_that_look_like_something_else),
      cmocka_unit_test(vtt_with_all_that_it_may_have),
      cmocka_unit_test(ass_as_programs_write_it),
      cmocka_unit_test(ttml_as_programs_write_it),
      cmocka_unit_test(speakers_are_named),
      cmocka_unit_test(what_is_wrong_in_ass_and_ttml_is_named_by_its_line),
      cmocka_unit_test(times_of_ttml),
      cmocka_unit_test(what_is_no_subtitle_is_refused),
      cmocka_unit_test(latin1_is_told_apart),
      cmocka_unit_test(more_than_a_million_cues_are_refused),
      cmocka_unit_test(a_text_is_changed_and_the_rest_is_kept),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
