/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_cues_convert.c - from one format of cues to another. */
#include "testing.h"

#include "without_xml.h"

#include "subtitle/convert.h"

static am_status convert(am_context *ctx, const char *text, const am_cue_syntax *to, am_cues *out, am_error *err) {
  am_cues from;
  *err = (am_error)AM_ERROR_INIT;
  *out = (am_cues){.ctx = ctx};
  am_status st = am_cues_parse(ctx, text, strlen(text), "x", NULL, &from, err);
  if (st) return st;
  st = am_cues_convert(&from, to, "x", out, err);
  am_cues_free(&from);
  return st;
}

static void becomes(am_context *ctx, const char *text, const am_cue_syntax *to, const char *wanted) {
  am_error err;
  am_cues c;
  am_buffer out = {0};
  am_test_ok(convert(ctx, text, to, &c, &err), &err);
  am_cues_write(&c, &out);
  assert_string_equal(out.data, wanted);
  assert_ptr_equal(c.syntax, to);
  am_buffer_free(ctx, &out);
  am_cues_free(&c);
}

static void srt_becomes_vtt(void **state) {
  becomes(*state,
          "\xEF\xBB\xBF"
          "7\r\n00:00:01,000 --> 100:00:02,5 X1:5\r\nHello\r\n\r\n--> you\r\n\r\n0:59,9996 --> 1:01\r\n\r\n",
          &am_vtt,
          "WEBVTT\n\n1\n00:00:01.000 --> 100:00:02.500\nHello\n--&gt; you\n\n2\n00:01:00.000 --> 00:01:01.000\n\n");
  becomes(*state, "0:01 --> 0:02\ncaf\xE9\n", &am_vtt, "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\ncaf\xC3\xA9\n\n");
}

static void vtt_becomes_srt(void **state) {
  becomes(
      *state,
      "WEBVTT\n\nSTYLE\n::cue {}\n\nid\n00:01.000 --> 00:02.000 line:0\n<v Ann><i.x>a</i> <b>b</b> &lt;c&gt; &amp;d\n"
      "<c.angry>\xC3\xA9</c>\n<u>< e\n\n00:03.000 --> 00:04.000\n<v Bo>\n",
      &am_srt,
      "1\n00:00:01,000 --> 00:00:02,000\na</i> <b>b</b> <c> &d\n\xC3\xA9\n<u>< e\n\n"
      "2\n00:00:03,000 --> 00:00:04,000\n\n");
}

#define ASS_EVENTS "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"

/* What follows the head, which is long. */
static void ends_as(am_context *ctx, const char *text, const am_cue_syntax *to, const char *wanted) {
  am_error err;
  am_cues c;
  am_buffer out = {0};
  am_test_ok(convert(ctx, text, to, &c, &err), &err);
  am_cues_write(&c, &out);
  const size_t n = strlen(wanted);
  if (out.used < n || strcmp(out.data + out.used - n, wanted)) fail_msg("ends otherwise: %s", out.data);
  am_buffer_free(ctx, &out);
  am_cues_free(&c);
}

static void to_ass_and_from_it(void **state) {
  ends_as(*state,
          "0:01 --> 0:02,5\n<i>Hello</i> {\\an8}<font color=\"red\">you</font>\nthere {x} 3 < 4\n\n3:00:00,129 --> "
          "3:00:02,0\n\n",
          &am_ass,
          ASS_EVENTS
          "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}Hello{\\i0} {\\an8}you\\Nthere \\{x} 3 < 4\n"
          "Dialogue: 0,3:00:00.12,3:00:02.00,Default,,0,0,0,,\n");
  ends_as(*state, "WEBVTT\n\n0:01.000 --> 0:02.000\n<v Ann, Lee>Hi &amp; bye</v>\n", &am_ass,
          "Default,Ann  Lee,0,0,0,,Hi & bye\n");
  becomes(*state,
          ASS_EVENTS
          "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,no\n"
          "Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,{\\an8\\i1}Hello{\\i0}\\Nyou,\\hthere\\{\n"
          "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}\n",
          &am_vtt,
          "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\n<v Ann><i>Hello</i>\nyou, there{\n\n2\n00:00:03.000 --> "
          "00:00:04.000\n\n");
}

static void to_ttml_and_from_it(void **state) {
  if (without_xml(*state)) skip();
  const char *vtt =
      "WEBVTT\n\n0:01.000 --> 0:02.000\n<v Bo>Hi <i>&amp; <b>bye</i>\nthere</v>\n\n0:03.000 --> 0:04.000\n<v "
      "Ann>\"a\"\n";
  ends_as(*state, vtt, &am_ttml,
          "<div>\n<p xml:id=\"c1\" begin=\"00:00:01.000\" end=\"00:00:02.000\" ttm:agent=\"speaker2\">Hi <span "
          "tts:fontStyle=\"italic\">"
          "&amp; <span tts:fontWeight=\"bold\">bye</span></span><br/>there</p>\n"
          "<p xml:id=\"c2\" begin=\"00:00:03.000\" end=\"00:00:04.000\" "
          "ttm:agent=\"speaker1\">&quot;a&quot;</p>\n</div>\n</body>\n</tt>\n");
  becomes(*state,
          "<tt xmlns:tts=\"s\"><body><div><p begin=\"1s\" end=\"2s\">  a\n <span tts:fontStyle=\"italic\" "
          "x=\"1>2\">b</span><br/>&lt;&#xe9;&#233;"
          "<!-- c --><![CDATA[<d>]]> </p></div></body></tt>",
          &am_srt, "1\n00:00:01,000 --> 00:00:02,000\na <i>b</i>\n<\xC3\xA9\xC3\xA9<d>\n\n");
}

static void speakers_stay_known(void **state) {
  am_error err;
  am_cues c;
  am_test_ok(convert(*state, "WEBVTT\n\n0:01 --> 0:02\n<v Ann>a\n\n0:03 --> 0:04\nb\n", &am_srt, &c, &err), &err);
  assert_string_equal(c.at[0].speaker, "Ann");
  assert_null(c.at[1].speaker);
  am_cues_free(&c);
}

static void a_text_that_would_be_times_is_refused(void **state) {
  am_error err;
  am_cues c;
  static const char *const texts[] = {"0:05 --&gt; 0:06", "0:05 --&gt; never"};
  char text[80];
  for (size_t i = 0; i < 2; i++) {
    snprintf(text, sizeof text, "WEBVTT\n\n0:01 --> 0:02\n%s\n", texts[i]);
    am_test_fails(convert(*state, text, &am_srt, &c, &err), AM_E_DATA, &err,
                  "x: a text looks like a line of times, so it cannot be converted");
    assert_int_equal(c.n, 0);
  }
}

static am_status work(am_context *ctx, am_error *err) {
  static const am_cue_syntax *const all[] = {&am_vtt, &am_ass, &am_ttml};
  am_status st = AM_OK;
  for (int i = 0; i < 3 && !st; i++) {
    am_cues c;
    st = convert(ctx, i ? "WEBVTT\n\n0:01 --> 0:02\n<v Ann>a\n\n0:03 --> 0:04\n<v Bo>b\n" : "0:01 --> 0:02\ncaf\xE9\n",
                 all[i], &c, err);
    am_cues_free(&c);
  }
  return st;
}

static void every_allocation_may_fail(void **state) {
  if (without_xml(*state)) skip();
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
      cmocka_unit_test(srt_becomes_vtt),           cmocka_unit_test(vtt_becomes_srt),
      cmocka_unit_test(to_ass_and_from_it),        cmocka_unit_test(to_ttml_and_from_it),
      cmocka_unit_test(speakers_stay_known),       cmocka_unit_test(a_text_that_would_be_times_is_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
