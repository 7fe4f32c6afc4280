/* tests/subtitle/test_cues_convert.c - from SRT to WebVTT and back. */
#include "testing.h"

#include "subtitle/convert.h"

static am_status convert(am_context *ctx, const char *text, const am_cue_syntax *to, am_cues *out, am_error *err) {
  am_cues from;
  *err = (am_error)AM_ERROR_INIT;
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

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (long n = 1;; n++) {
    am_test_memory memory;
    am_context *ctx = am_test_memory_context(&memory, 1);
    am_error err;
    am_cues c;
    am_test_memory_arm(&memory, n);
    am_status st = convert(ctx, "0:01 --> 0:02\na\n\n0:03 --> 0:04\ncaf\xE9\n", &am_vtt, &c, &err);
    const bool fired = am_test_memory_fired(&memory);
    assert_int_equal(st, fired ? AM_E_NOMEM : AM_OK);
    if (!st) am_cues_free(&c);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&memory.alive), 0);
    if (!fired) break;
  }
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
      cmocka_unit_test(srt_becomes_vtt),
      cmocka_unit_test(vtt_becomes_srt),
      cmocka_unit_test(a_text_that_would_be_times_is_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
