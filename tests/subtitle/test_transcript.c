/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_transcript.c - what recognisers write, as cues. */
#include "testing.h"

#include "subtitle/transcript.h"

static am_status parse(am_context *ctx, const char *text, am_cues *out, am_error *err) {
  *err = (am_error)AM_ERROR_INIT;
  return am_transcript_parse(ctx, text, strlen(text), "x.json", out, err);
}

static void becomes(am_context *ctx, const char *text, const char *wanted) {
  am_error err;
  am_cues c;
  am_buffer out = {0};
  am_test_ok(parse(ctx, text, &c, &err), &err);
  am_cues_write(&c, &out);
  assert_string_equal(out.data, wanted);
  am_buffer_free(ctx, &out);
  am_cues_free(&c);
}

static void each_recogniser(void **state) {
  static const char hello[] = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\nHello there.\n\n";
  /* whisper, faster-whisper as a list, whisper.cpp, Vosk and its alternatives, words alone */
  becomes(*state,
          "{\"text\": \" Hello there.\", \"segments\": [{\"id\": 0, \"start\": 1.0, \"end\": 2.5, \"text\": \" Hello "
          "there.\", "
          "\"tokens\": [50364, 2425]}], \"language\": \"en\"}",
          hello);
  becomes(
      *state,
      "[{\"start\": 1, \"end\": 2.5, \"text\": \" Hello  there.\\n\"}, {\"start\": 3, \"end\": 4, \"text\": \" \"}]",
      hello);
  becomes(
      *state,
      "{\"transcription\": [{\"timestamps\": {\"from\": \"00:00:01,000\", \"to\": \"00:00:02,500\"}, \"offsets\": "
      "{\"from\": 1000, \"to\": 2500}, \"text\": \" Hello there.\", \"tokens\": [{\"text\": \"[_BEG_]\", \"offsets\": "
      "{\"from\": 0, \"to\": 0}}, {\"text\": \" Hel\", \"offsets\": {\"from\": 1000, \"to\": 1200}}, {\"text\": "
      "\"lo\", \"offsets\": "
      "{\"from\": 1200, \"to\": 1500}}, {\"text\": \" there.\", \"offsets\": {\"from\": 1500, \"to\": 2500}}]}]}",
      hello);
  becomes(*state,
          "{\"result\": [{\"conf\": 1, \"start\": 1, \"end\": 1.5, \"word\": \"Hello\"}, {\"start\": 1.6, \"end\": "
          "2.5, \"word\": "
          "\"there.\"}], \"text\": \"Hello there.\"}",
          hello);
  becomes(*state,
          "{\"alternatives\": [{\"result\": [{\"start\": 1, \"end\": 2.5, \"word\": \"Hello\"}, {\"start\": 1, "
          "\"end\": 2.5, \"word\": \"there.\"}], \"text\": \"Hello there.\"}]}",
          hello);
  becomes(*state,
          "{\"words\": [{\"start\": 1, \"end\": 2, \"word\": \"Hello\"}, {\"start\": 2, \"end\": 2.5, \"word\": "
          "\"there.\"}]}",
          hello);
  becomes(*state, "{\"segments\": []}", "WEBVTT\n\n");
}

static void speakers_and_words_make_cues(void **state) {
  /* WhisperX: a speaker for each word, and a number without times */
  becomes(
      *state,
      "{\"segments\": [{\"start\": 1, \"end\": 6, \"text\": \" Are you 20? No.\", \"speaker\": \"A\", \"words\": ["
      "{\"word\": \"Are\", \"start\": 1, \"end\": 1.2, \"speaker\": \"A\"}, {\"word\": \"you\", \"start\": 1.3, "
      "\"end\": 1.5, \"speaker\": \"A\"}, "
      "{\"word\": \"20?\"}, {\"word\": \"No.\", \"start\": 2, \"end\": 2.4, \"speaker\": \"B\"}]}]}",
      "WEBVTT\n\n1\n00:00:01.000 --> 00:00:01.500\n<v A>Are you 20?\n\n2\n00:00:02.000 --> 00:00:02.400\n<v B>No.\n\n");
  becomes(
      *state,
      "{\"segments\": [{\"start\": 1, \"end\": 6, \"text\": \" Are you? No.\", \"speaker\": \"A\", \"words\": ["
      "{\"word\": \"Are\", \"start\": 1, \"end\": 1.2, \"speaker\": \"A\"}, {\"word\": \"you?\", \"start\": 1.3, "
      "\"end\": 1.5, \"speaker\": \"A\"}, "
      "{\"word\": \"No.\", \"start\": 2, \"end\": 2.4, \"speaker\": \"B\"}]}]}",
      "WEBVTT\n\n1\n00:00:01.000 --> 00:00:01.500\n<v A>Are you?\n\n2\n00:00:02.000 --> 00:00:02.400\n<v B>No.\n\n");
  /* a pause */
  becomes(*state,
          "{\"result\": [{\"start\": 1, \"end\": 2, \"word\": \"one\"}, {\"start\": 3.5, \"end\": 4, \"word\": "
          "\"two\"}], \"text\": \"one two\"}",
          "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\none\n\n2\n00:00:03.500 --> 00:00:04.000\ntwo\n\n");
}

/* 30 words of 7 characters and a space, half a second each. */
static void long_texts_are_cut_and_wrapped(void **state) {
  char text[4096], plain[400] = "";
  am_error err;
  am_cues c;
  strcpy(text, "{\"result\": [");
  for (int i = 0; i < 30; i++) {
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s{\"start\": %g, \"end\": %g, \"word\": \"abcde%02d\"}",
             i ? "," : "", i * 0.5, i * 0.5 + 0.5, i);
    snprintf(plain + strlen(plain), sizeof plain - strlen(plain), "%sabcde%02d", i ? " " : "", i);
  }
  snprintf(text + strlen(text), sizeof text - strlen(text), "], \"text\": \"%s\"}", plain);
  am_test_ok(parse(*state, text, &c, &err), &err);
  assert_int_equal(c.n, 3); /* of 10 words, 79 characters */
  assert_float_equal(c.at[1].start, 5, 1e-9);
  for (size_t i = 0; i < c.n; i++) {
    am_slice rest = am_cue_text(&c, &c.at[i]), line;
    int lines = 0;
    for (; am_slice_line(&rest, &line); lines++) assert_int_equal(line.n, 39);
    assert_int_equal(lines, 2);
  }
  am_cues_free(&c);
  /* without times of words it is one cue, of more lines */
  snprintf(text, sizeof text, "[{\"start\": 0, \"end\": 9, \"text\": \"%s\"}]", plain);
  am_test_ok(parse(*state, text, &c, &err), &err);
  assert_int_equal(c.n, 1);
  am_slice rest = am_cue_text(&c, &c.at[0]), line;
  while (am_slice_line(&rest, &line)) assert_true(line.n <= 42);
  am_cues_free(&c);
}

static void what_is_none_is_refused(void **state) {
  static const char *const rows[][2] = {
      {"{\"segments\": [\n", "x.json:2:"},
      {"{}", "x.json: has no segments, transcription, words or result; wanted the JSON of whisper"},
      {"7", "x.json"},
      {"[1]", "x.json: segment 1 is no object"},
      {"[{\"text\": \"a\"}]", "x.json: segment 1 has no start in seconds"},
      {"[{\"start\": 1, \"end\": 2, \"text\": \"a\"}, {\"start\": 1, \"end\": \"late\", \"text\": \"a\"}]",
       "x.json: segment 2 has no end in seconds"},
      {"[{\"start\": -1, \"end\": 2, \"text\": \"a\"}]", "x.json: segment 1 has no start in seconds"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    am_error err;
    am_cues c;
    am_test_fails(parse(*state, rows[i][0], &c, &err), AM_E_FORMAT, &err, rows[i][1]);
  }
}

static am_status work(am_context *ctx, am_error *err) {
  am_cues c;
  const am_status st = parse(ctx,
                             "{\"segments\": [{\"text\": \"a b\", \"words\": [{\"start\": 1, \"end\": 2, \"word\": "
                             "\"a\", \"speaker\": \"A\"}, {\"start\": 4, \"end\": 5, \"word\": \"b\"}]}]}",
                             &c, err);
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
      cmocka_unit_test(each_recogniser),
      cmocka_unit_test(speakers_and_words_make_cues),
      cmocka_unit_test(long_texts_are_cut_and_wrapped),
      cmocka_unit_test(what_is_none_is_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
