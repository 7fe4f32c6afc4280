/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_segments.c - segments in each format, by what the formats' own definitions say. */
#include "testing.h"

#include "subtitle/segments.h"

static const char *const labels[] = {"calm", "very \"angry\"", "a<b"};
static const float p[] = {0.25f, 0.5f, 0.25f}, q[] = {0.125f, 0.125f, 0.75f};

/* Two segments and a silent one of "in/my file.wav", 7.5 s long. */
static char *written(const char *format) {
  am_context *ctx = am_test_context(1, "plain");
  am_error err = AM_ERROR_INIT;
  am_segment_writer w;
  const am_segment_row rows[] = {{0.5, 2.25, labels[1], labels[1], p, 0.25, 1, 0},
                                 {2.25, 3, "uncertain", labels[2], q, 0.625, 0.5, 0},
                                 {6, 7, "silent", NULL, NULL, 0, 0, 1}};
  am_test_ok(am_segment_writer_begin(&w, ctx, am_segment_format_find(format), labels, 3, NULL, &err), &err);
  w.file = "in/my file.wav";
  for (size_t i = 0; i < 3; i++) am_test_ok(am_segment_writer_put(&w, &rows[i], &err), &err);
  am_test_ok(am_segment_writer_end(&w, 7.5, &err), &err);
  char *text = strdup(w.out.data);
  am_segment_writer_free(&w);
  am_context_free(ctx);
  return text;
}

static void is(const char *format, const char *wanted) {
  char *text = written(format);
  assert_string_equal(text, wanted);
  free(text);
}

static void rows_of_text(void **state) {
  (void)state;
  is("text",
     "     0.50      2.25  very \"angry\"  50.0 %  margin  25.0 %  share 100 %\n"
     "     2.25      3.00  uncertain     75.0 %  margin  62.5 %  share  50 %  (a<b)\n"
     "     6.00      7.00  silent      \n");
}

static void rows_of_json(void **state) {
  (void)state;
  is("json",
     "{\"file\": \"in/my file.wav\", \"start\": 0.5, \"end\": 2.25, \"label\": \"very \\\"angry\\\"\", \"top\": \"very "
     "\\\"angry\\\"\", \"probability\": 0.5, \"margin\": 0.25, \"share\": 1, \"utterance\": 0, \"probabilities\": "
     "{\"calm\": "
     "0.25, \"very \\\"angry\\\"\": 0.5, \"a<b\": 0.25}}\n"
     "{\"file\": \"in/my file.wav\", \"start\": 2.25, \"end\": 3, \"label\": \"uncertain\", \"top\": \"a<b\", "
     "\"probability\": "
     "0.75, \"margin\": 0.625, \"share\": 0.5, \"utterance\": 0, \"probabilities\": {\"calm\": 0.125, \"very "
     "\\\"angry\\\"\": "
     "0.125, \"a<b\": 0.75}}\n"
     "{\"file\": \"in/my file.wav\", \"start\": 6, \"end\": 7, \"label\": \"silent\", \"top\": null, \"probability\": "
     "null, "
     "\"margin\": null, \"share\": null, \"utterance\": 1, \"probabilities\": {}}\n");
}

static void rows_of_csv(void **state) {
  (void)state;
  is("csv",
     "file,channel,start,end,label,top,margin,share,p_calm,\"p_very \"\"angry\"\"\",p_a<b\n"
     "in/my file.wav,,0.5,2.25,\"very \"\"angry\"\"\",\"very \"\"angry\"\"\",0.25,1,0.25,0.5,0.25\n"
     "in/my file.wav,,2.25,3,uncertain,a<b,0.625,0.5,0.125,0.125,0.75\n"
     "in/my file.wav,,6,7,silent,,,,,,\n");
}

/* NIST (2009): ten fields with blanks between. */
static void rttm(void **state) {
  (void)state;
  is("rttm",
     "SPEAKER my_file.wav 1 0.500 1.750 <NA> <NA> very_\"angry\" <NA> <NA>\n"
     "SPEAKER my_file.wav 1 2.250 0.750 <NA> <NA> uncertain <NA> <NA>\n");
}

static void audacity(void **state) {
  (void)state;
  is("audacity", "0.500000\t2.250000\tvery \"angry\"\n2.250000\t3.000000\tuncertain\n6.000000\t7.000000\tsilent\n");
}

/* Praat's manual, "TextGrid file formats": intervals follow each other without a gap, and a quote is doubled. */
static void textgrid(void **state) {
  (void)state;
  char *text = written("textgrid");
  const char *const wanted[] = {
      "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n",
      "xmax = 7.500000\ntiers? <exists>",
      "intervals: size = 6\n",
      "xmin = 0.000000\n            xmax = 0.500000\n            text = \"\"\n",
      "xmin = 0.500000\n            xmax = 2.250000\n            text = \"very \"\"angry\"\"\"\n",
      "intervals [4]:\n            xmin = 3.000000\n            xmax = 6.000000\n",
      "intervals [6]:\n            xmin = 7.000000\n            xmax = 7.500000\n            text = \"\"\n"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!strstr(text, wanted[i])) fail_msg("no\n%s\nin\n%s", wanted[i], text);
  free(text);
}

static void elan(void **state) {
  (void)state;
  char *text = written("elan");
  const char *const wanted[] = {
      "MEDIA_URL=\"in/my file.wav\"", "TIME_SLOT_ID=\"ts2\" TIME_VALUE=\"2250\"/>",
      "<ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a3\" TIME_SLOT_REF1=\"ts5\" TIME_SLOT_REF2=\"ts6\">",
      "<ANNOTATION_VALUE>very &quot;angry&quot;</ANNOTATION_VALUE>", "</ANNOTATION_DOCUMENT>\n"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!strstr(text, wanted[i])) fail_msg("no\n%s\nin\n%s", wanted[i], text);
  free(text);
}

/* A tier for each speaker, a field of each row. */
static void speakers_are_told_apart(void **state) {
  (void)state;
  const struct {
    const char *format, *wanted;
  } all[] = {{"text", "Ann             1.00      2.00  calm"},
             {"json", "\"channel\": \"Bo & co\""},
             {"csv", "f.wav,Ann,1,2,calm"},
             {"rttm", "SPEAKER f.wav 2 3.000 1.000 <NA> <NA> calm"},
             {"audacity", "3.000000\t4.000000\tBo & co: calm\n"},
             {"textgrid", "size = 2\nitem []:"},
             {"textgrid",
              "item [2]:\n        class = \"IntervalTier\"\n        name = \"Bo & co\"\n        xmin = 0\n        xmax "
              "= 5.000000\n        intervals: size = 3\n"},
             {"elan", "TIER_ID=\"Ann\">"},
             {"elan", "TIER_ID=\"Bo &amp; co\">"}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    am_context *ctx = am_test_context(1, "plain");
    am_error err = AM_ERROR_INIT;
    am_segment_writer w;
    const am_segment_row first = {1, 2, labels[0], labels[0], p, 0.25, 1, 0},
                         second = {3, 4, labels[0], labels[0], p, 0.25, 1, 0};
    am_test_ok(am_segment_writer_begin(&w, ctx, am_segment_format_find(all[i].format), labels, 3, NULL, &err), &err);
    w.file = "f.wav";
    w.channel = "Ann";
    w.number = 1;
    am_test_ok(am_segment_writer_put(&w, &first, &err), &err);
    w.channel = "Bo & co";
    w.number = 2;
    am_test_ok(am_segment_writer_put(&w, &second, &err), &err);
    am_test_ok(am_segment_writer_end(&w, 5, &err), &err);
    if (!strstr(w.out.data, all[i].wanted)) fail_msg("no\n%s\nin\n%s", all[i].wanted, w.out.data);
    am_segment_writer_free(&w);
    am_context_free(ctx);
  }
}

/* Values of dimensions: two steps of a speaker and one of another, who is silent first. */
static char *values_written(const char *format) {
  static const char *const names[] = {"valence", "arousal"};
  static const am_scale scale[] = {{1, 5}, {1, 5}};
  const float low[] = {1.25f, 4.5f}, high[] = {2.125f, -0.5f};
  const am_segment_row rows[] = {
      {0, 1, "", NULL, low, 0, 0, 0}, {1, 2.5, "", NULL, high, 0, 0, 0}, {3, 4, "silent", NULL, NULL, 0, 0, 1}};
  am_context *ctx = am_test_context(1, "plain");
  am_error err = AM_ERROR_INIT;
  am_segment_writer w;
  am_test_ok(am_segment_writer_begin(&w, ctx, am_segment_format_find(format), names, 2, scale, &err), &err);
  w.file = "f.wav";
  for (size_t i = 0; i < 3; i++) {
    w.channel = i < 2 ? "Ann" : "Bo";
    am_test_ok(am_segment_writer_put(&w, &rows[i], &err), &err);
  }
  am_test_ok(am_segment_writer_end(&w, 5, &err), &err);
  char *text = strdup(w.out.data);
  am_segment_writer_free(&w);
  am_context_free(ctx);
  return text;
}

static void values_of_dimensions(void **state) {
  (void)state;
  const struct {
    const char *format, *wanted;
  } all[] = {
      {"text", "Ann             0.00      1.00  valence 1.25  arousal 4.50\n"},
      {"text", "Bo              3.00      4.00  silent\n"},
      {"json",
       "{\"file\": \"f.wav\", \"channel\": \"Ann\", \"start\": 1, \"end\": 2.5, \"dimensions\": {\"valence\": 2.125, "
       "\"arousal\": -0.5}, \"scale\": [1, 5], \"reason\": null, \"utterance\": 0}\n"},
      {"json",
       "\"dimensions\": {\"valence\": null, \"arousal\": null}, \"scale\": [1, 5], \"reason\": \"silent\", "
       "\"utterance\": 1}\n"},
      {"csv",
       "file,channel,start,end,valence,arousal,reason\nf.wav,Ann,0,1,1.25,4.5,\nf.wav,Ann,1,2.5,2.125,-0.5,\n"
       "f.wav,Bo,3,4,,,silent\n"},
      {"rttm", "SPEAKER f.wav 1 0.000 1.000 <NA> <NA> valence_1.25,_arousal_4.50 <NA> <NA>\n"},
      {"audacity", "0.000000\t1.000000\tAnn: valence 1.25, arousal 4.50\n"},
      {"audacity", "3.000000\t4.000000\tBo: silent\n"},
      {"textgrid", "size = 4\nitem []:"},
      {"textgrid",
       "name = \"Ann: arousal\"\n        xmin = 0\n        xmax = 5.000000\n        intervals: size = 3\n        "
       "intervals [1]:\n            xmin = 0.000000\n            xmax = 1.000000\n            text = \"4.50\"\n"},
      {"textgrid", "item [4]:\n        class = \"IntervalTier\"\n        name = \"Bo: arousal\""},
      {"elan", "TIER_ID=\"Ann: valence\">"},
      {"elan", "TIER_ID=\"Bo: arousal\">"},
      {"elan", "<ANNOTATION_VALUE>-0.50</ANNOTATION_VALUE>"}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    char *text = values_written(all[i].format);
    if (!strstr(text, all[i].wanted)) fail_msg("no\n%s\nin\n%s", all[i].wanted, text);
    free(text);
  }
}

static void values_on_scales_of_their_own(void **state) {
  (void)state;
  static const char *const names[] = {"valence", "arousal"};
  static const am_scale scale[] = {{-3, 3}, {1, 5}};
  const float values[] = {0.5f, 4.5f};
  am_context *ctx = am_test_context(1, "plain");
  am_buffer text = {0};
  am_json j = am_json_begin(ctx, &text, 0);
  am_json_open(&j, NULL, '{');
  am_segment_json(&j, names, 2, scale, &(am_segment_row){0, 1, "", NULL, values, 0, 0, 0});
  am_json_close(&j);
  assert_string_equal(text.data,
                      "{\"start\": 0, \"end\": 1, \"dimensions\": {\"valence\": 0.5, \"arousal\": 4.5}, \"scales\": "
                      "{\"valence\": [-3, 3], \"arousal\": [1, 5]}, \"reason\": null, \"utterance\": 0}");
  am_buffer_free(ctx, &text);
  am_context_free(ctx);
}

/* What --out has of many sounds: why a sound has no segment, of values in the column that they have anyway. */
static void rows_that_say_why(void **state) {
  (void)state;
  static const am_scale scale[] = {{1, 5}, {1, 5}};
  const struct {
    const char *format;
    const am_scale *scale;
    const char *wanted;
  } all[] = {{"csv", NULL,
              "file,channel,start,end,label,top,margin,share,p_angry,p_calm,reason,error\n"
              "f.wav,,0,1,angry,angry,0.5,1,0.75,0.25,,\nf.wav,,,,,,,,,,no speech,\nf.wav,,,,,,,,,,unreadable,torn\n"},
             {"csv", scale,
              "file,channel,start,end,angry,calm,reason,error\nf.wav,,0,1,0.75,0.25,,\nf.wav,,,,,,no speech,\n"
              "f.wav,,,,,,unreadable,torn\n"},
             {"json", NULL,
              "\"probabilities\": {\"angry\": 0.75, \"calm\": 0.25}, \"reason\": null, \"error\": null}\n"
              "{\"file\": \"f.wav\", \"start\": null, \"end\": null, \"label\": null, \"reason\": \"no speech\", "
              "\"error\": null}\n"},
             {"json", scale,
              "\"scale\": [1, 5], \"reason\": null, \"utterance\": 0, \"error\": null}\n"
              "{\"file\": \"f.wav\", \"start\": null, \"end\": null, \"dimensions\": {\"angry\": null, \"calm\": "
              "null}, \"scale\": "
              "[1, 5], \"reason\": \"no speech\", \"error\": null}\n"}};
  static const char *const names[] = {"angry", "calm"};
  const float said[] = {0.75f, 0.25f};
  const am_segment_row row = {0, 1, "angry", "angry", said, 0.5, 1, 0};
  am_context *ctx = am_test_context(1, "plain");
  assert_null(am_segment_format_noted(am_segment_format_find("rttm")));
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    am_error err = AM_ERROR_INIT;
    am_segment_writer w;
    const am_segment_format *format = am_segment_format_noted(am_segment_format_find(all[i].format));
    am_test_ok(am_segment_writer_begin(&w, ctx, format, names, 2, all[i].scale, &err), &err);
    w.file = "f.wav";
    am_test_ok(am_segment_writer_put(&w, &row, &err), &err);
    am_test_ok(am_segment_writer_note(&w, "no speech", NULL, &err), &err);
    am_test_ok(am_segment_writer_note(&w, "unreadable", "torn", &err), &err);
    if (!strstr(w.out.data, all[i].wanted)) fail_msg("no\n%s\nin\n%s", all[i].wanted, w.out.data);
    am_segment_writer_free(&w);
  }
  am_context_free(ctx);
}

static void formats_are_found_by_name(void **state) {
  (void)state;
  size_t n = 0;
  assert_null(am_segment_format_find("xml"));
  for (; am_segment_format_at(n); n++)
    assert_ptr_equal(am_segment_format_find(am_segment_format_at(n)->name), am_segment_format_at(n));
  assert_int_equal(n, 7);
}

static void no_memory_is_told_of(const am_scale *scale) {
  for (size_t f = 0; am_segment_format_at(f); f++)
    for (long n = 1;; n++) {
      am_test_memory m;
      am_context *ctx = am_test_memory_context(&m, 1);
      am_error err = AM_ERROR_INIT;
      am_segment_writer w;
      const am_segment_row row = {0, 1, "calm", "calm", p, 0.1, 1, 0};
      am_test_memory_arm(&m, n);
      am_status status = am_segment_writer_begin(&w, ctx, am_segment_format_at(f), labels, 3, scale, &err);
      if (!status) status = am_segment_writer_put(&w, &row, &err);
      if (!status) status = am_segment_writer_end(&w, 2, &err);
      const bool fired = am_test_memory_fired(&m);
      assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
      am_segment_writer_free(&w);
      am_context_free(ctx);
      assert_int_equal(atomic_load(&m.alive), 0);
      if (!fired) break;
    }
}

static void no_memory_is_told(void **state) {
  (void)state;
  no_memory_is_told_of(NULL);
  no_memory_is_told_of((const am_scale[]){{0, 1}, {0, 1}, {0, 1}});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_of_text),
      cmocka_unit_test(rows_of_json),
      cmocka_unit_test(rows_of_csv),
      cmocka_unit_test(rttm),
      cmocka_unit_test(audacity),
      cmocka_unit_test(textgrid),
      cmocka_unit_test(elan),
      cmocka_unit_test(speakers_are_told_apart),
      cmocka_unit_test(values_of_dimensions),
      cmocka_unit_test(values_on_scales_of_their_own),
      cmocka_unit_test(rows_that_say_why),
      cmocka_unit_test(formats_are_found_by_name),
      cmocka_unit_test(no_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
