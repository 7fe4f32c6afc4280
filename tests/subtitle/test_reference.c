/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_reference.c - references of who feels what when, in the formats of other programs. */
#include "testing.h"

#include "without_xml.h"

#include "subtitle/reference.h"

static am_status parse(am_context *ctx, const char *text, size_t n, am_rttm *out, am_error *err) {
  *err = (am_error)AM_ERROR_INIT;
  return am_reference_parse(ctx, text, n, "x", out, err);
}

/* "angry 1 2.5, sad 3 4", sorted by label. */
static void reads_n(am_context *ctx, const char *text, size_t n, const char *wanted) {
  am_error err;
  am_rttm r;
  am_buffer out = {0};
  am_test_ok(parse(ctx, text, n, &r, &err), &err);
  for (size_t i = 0; i < r.n; i++)
    am_buffer_printf(ctx, &out, "%s%s %g %g", i ? ", " : "", r.turns[i].speaker, r.turns[i].start, r.turns[i].end);
  assert_string_equal(out.data, wanted);
  am_buffer_free(ctx, &out);
  am_rttm_free(&r);
}
static void reads(am_context *ctx, const char *text, const char *wanted) { reads_n(ctx, text, strlen(text), wanted); }

static const char long_form[] =
    "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = 5\ntiers? <exists>\nsize = 2\nitem "
    "[]:\n"
    "    item [1]:\n        class = \"IntervalTier\"\n        name = \"words\"\n        xmin = 0\n        xmax = 5\n"
    "        intervals: size = 1\n        intervals [1]:\n            xmin = 0\n            xmax = 5\n            text "
    "= \"no 5 \"\"!\"\n"
    "    item [2]:\n        class = \"IntervalTier\"\n        name = \"Emotion\"\n        xmin = 0\n        xmax = 5\n"
    "        intervals: size = 3\n        intervals [1]:\n            xmin = 0\n            xmax = 1\n            text "
    "= \"\" ! none\n"
    "        intervals [2]:\n            xmin = 1\n            xmax = 2.5\n            text = \"angry \"\n"
    "        intervals [3]:\n            xmin = 2.5\n            xmax = 4e0\n            text = \"tr\xC3\xA4urig\"\n";

static void textgrids(void **state) {
  reads(*state, long_form, "angry 1 2.5, tr\xC3\xA4urig 2.5 4");
  reads(*state,
        "File type = "
        "\"ooTextFile\"\n\"TextGrid\"\n\n0\n5\n<exists>"
        "\n2\n\"TextTier\"\n\"points\"\n0\n5\n1\n2\n\"x\"\n\"IntervalTier\"\n\"a\"\n0\n5\n1\n1\n2\n\"sad\"\n",
        "sad 1 2");
  /* UTF-16, both ways round */
  char wide[2 * sizeof long_form + 2];
  for (int big = 0; big < 2; big++) {
    size_t n = 0;
    wide[n++] = (char)(big ? 0xFE : 0xFF);
    wide[n++] = (char)(big ? 0xFF : 0xFE);
    for (size_t i = 0; long_form[i]; i++) {
      const bool two = (long_form[i] & 0xC0) == 0xC0;
      const char low = two ? (char)((long_form[i] & 3) << 6 | (long_form[i + 1] & 0x3F)) : long_form[i];
      wide[n++] = big ? 0 : low;
      wide[n++] = big ? low : 0;
      i += two;
    }
    reads_n(*state, wide, n, "angry 1 2.5, tr\xC3\xA4urig 2.5 4");
  }
}

static void elan_csv_and_audacity(void **state) {
  if (without_xml(*state)) skip();
  reads(*state,
        "<?xml version=\"1.0\"?><ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID=\"ts2\" TIME_VALUE=\"2500\"/>"
        "<TIME_SLOT TIME_SLOT_ID=\"ts1\" TIME_VALUE=\"1000\"/><TIME_SLOT TIME_SLOT_ID=\"ts3\"/></TIME_ORDER>"
        "<TIER TIER_ID=\"words\"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"ts1\" TIME_SLOT_REF2=\"ts2\">"
        "<ANNOTATION_VALUE>hello</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>"
        "<TIER TIER_ID=\"emotion Ann\"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"ts1\" TIME_SLOT_REF2=\"ts2\">"
        "<ANNOTATION_VALUE>an&#103;ry</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION><ANNOTATION>"
        "<ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"ts2\" TIME_SLOT_REF2=\"ts3\"><ANNOTATION_VALUE>sad</ANNOTATION_VALUE>"
        "</ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>",
        "angry 1 2.5");
  reads(*state, "file,channel,start,end,label,top\nt,,1,2.5,angry,angry\nt,,2.5,3,,\nt,,3,4,sad,sad\n",
        "angry 1 2.5, sad 3 4");
  reads(*state, "\xEF\xBB\xBFstart;end;label;speaker\r\n1;2.5;angry;Ann\r\n", "angry 1 2.5");
  reads(*state, "1.0\t2.5\tangry\r\n\\\t100\t200\r\n3\t4\tsad\r\n", "angry 1 2.5, sad 3 4");
  reads(*state, "SPEAKER a 1 1 1.5 <NA> <NA> angry <NA> <NA>\n", "angry 1 2.5");
}

static void what_is_wrong_is_named_by_its_line(void **state) {
  if (without_xml(*state)) skip();
  static const char *const rows[][2] = {
      {"", "x: has no line of type SPEAKER"},
      {"File type = \"ooTextFile\"\nObject class = \"Pitch\"\n", "x:2: wanted the class TextGrid of a TextGrid"},
      {"File type = \"ooTextFile\"\n\"TextGrid\"\n0 1 <exists> 1\n\"IntervalTier\" \"a\" 0 1 1\n0 x",
       "x:5: wanted the end of an interval"},
      {"File type = \"ooTextFile\"\n\"TextGrid\"\n0 1 <exists> 1\n\"Tier\"", "x:4: wanted IntervalTier or TextTier"},
      {"File type = \"ooTextFile", "x:1: wanted the end of a text"},
      {"File type = \"ooTextFile\" \"TextGrid\" 0 1 <exists> 1 \"IntervalTier\" \"a\" 0 1 0", "x: labels nothing"},
      {"<a>\n<b></a>", "x:1: the document is of <a>; wanted <ANNOTATION_DOCUMENT>"},
      {"<ANNOTATION_DOCUMENT>\n<TIER><ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"t\"/></TIER></ANNOTATION_DOCUMENT>",
       "x:2: TIME_SLOT_REF1 is 't', which is no TIME_SLOT before it"},
      {"<ANNOTATION_DOCUMENT><TIME_SLOT TIME_SLOT_ID=\"a\" TIME_VALUE=\"b\"/></ANNOTATION_DOCUMENT>",
       "x:1: a TIME_SLOT without"},
      {"start,end,label\n1,two,angry\n", "x:2"},
      {"start,end,label\n-1,2,angry\n", "x:2: wanted a start and an end in seconds"},
      {"1\t2\tsad\n1\tb\tsad\n", "x:2: wanted start, end and label, with tabs between them"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    am_error err;
    am_rttm r;
    am_test_fails(parse(*state, rows[i][0], strlen(rows[i][0]), &r, &err), AM_E_FORMAT, &err, rows[i][1]);
    assert_int_equal(r.n, 0);
  }
  am_error err;
  am_rttm r;
  am_test_fails(parse(*state, "\xFF\xFE\x00\xDC\x41\x00", 6, &r, &err), AM_E_FORMAT, &err,
                "x: is no UTF-16, at byte 2");
  am_test_fails(parse(*state, "1\t2\ta\0b", 7, &r, &err), AM_E_FORMAT, &err, "x: holds a zero byte");
}

static am_status work(am_context *ctx, am_error *err) {
  static const char *const texts[] = {
      "File type = \"ooTextFile\" \"TextGrid\" 0 5 <exists> 1 \"IntervalTier\" \"a\" 0 5 2 1 2 \"sad\" 3 4 \"angry\"",
      "<ANNOTATION_DOCUMENT><TIME_SLOT TIME_SLOT_ID=\"a\" TIME_VALUE=\"1\"/><TIME_SLOT TIME_SLOT_ID=\"b\" "
      "TIME_VALUE=\"2\"/><TIER TIER_ID=\"x\">"
      "<ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"a\" "
      "TIME_SLOT_REF2=\"b\"><ANNOTATION_VALUE>sad</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></TIER></"
      "ANNOTATION_DOCUMENT>",
      "start,end,label\n1,2,sad\n", "1\t2\tsad\n"};
  am_status st = AM_OK;
  for (size_t i = 0; i < sizeof texts / sizeof *texts && !st; i++) {
    am_rttm r;
    st = am_reference_parse(ctx, texts[i], strlen(texts[i]), "x", &r, err);
    am_rttm_free(&r);
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
      cmocka_unit_test(textgrids),
      cmocka_unit_test(elan_csv_and_audacity),
      cmocka_unit_test(what_is_wrong_is_named_by_its_line),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
