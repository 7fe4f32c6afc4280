/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_cues_tag.c - emotions in texts: each style and language, and off again to the last byte. */
#include "testing.h"

#include "without_xml.h"

#include "subtitle/tag.h"

typedef struct world {
  am_context *ctx;
  am_emotion_words words;
} world;

/* The document with what `emotion` is in `language` in every cue with room for it; NULL: without any.  free with am_free. */
static char *tagged(world *w, const char *text, am_tag_style style, const char *language, const char *emotion) {
  am_error err = AM_ERROR_INIT;
  am_cues c;
  am_tagger t;
  am_buffer out = {0};
  size_t n = 0;
  bool any = false;
  am_test_ok(am_cues_parse(w->ctx, text, strlen(text), "x", NULL, &c, &err), &err);
  am_test_ok(am_tagger_begin(&t, &c, &w->words, &err), &err);
  if (!emotion) am_test_ok(am_tag_strip(&t, &n, &err), &err);
  for (size_t i = 0; i < c.n && emotion; i++) {
    bool fits;
    const am_emotion_word *word = am_emotion_words_find(&w->words, language, emotion);
    assert_non_null(word);
    am_test_ok(am_tag_put(&t, &c.at[i], style, word, false, &fits, &err), &err);
    any |= fits;
  }
  if (any && style == AM_TAG_CLASS) am_test_ok(am_tag_style_block(&t, &err), &err);
  am_cues_write(&c, &out);
  assert_false(out.failed);
  am_tagger_end(&t);
  am_cues_free(&c);
  return out.data;
}

static void becomes(world *w, const char *text, am_tag_style style, const char *wanted) {
  char *got = tagged(w, text, style, "en", "angry");
  assert_string_equal(got, wanted);
  am_free(w->ctx, got);
}

#define T "0:01 --> 0:02\n"

static void each_style(void **state) {
  world *w = *state;
  becomes(w, T "Go!\n", AM_TAG_SDH, T "[angrily] Go!\n");
  becomes(w, T "Go!", AM_TAG_BBC, T "ANGRILY: Go!");
  becomes(w, T "Go!\nNow!\n", AM_TAG_TAG, T "(angry) Go!\nNow!\n");
  becomes(w, T "Go!\n", AM_TAG_EMOJI, T "\U0001F620 Go!\n");
  becomes(w, "WEBVTT\n\n" T "Go!\nNow!\n", AM_TAG_CLASS,
          "WEBVTT\n\nSTYLE\n/* audiomood */\n::cue(.happy) { color: #ffe066 }\n::cue(.sad) { color: #8ab4ff }\n"
          "::cue(.angry) { color: #ff8a80 }\n::cue(.fearful) { color: #d7a6ff }\n::cue(.disgust) { color: #b5e08c }\n"
          "::cue(.surprised) { color: #ffb870 }\n\n" T "<c.angry>Go!\nNow!</c>\n");
}

static void lines_are_kept_short(void **state) {
  world *w = *state;
  /* 32 characters and "[angrily] " are 42 */
  becomes(w, T "12345678901234567890123456789012\n", AM_TAG_SDH, T "[angrily] 12345678901234567890123456789012\n");
  becomes(w, T "123456789012345678901234567890123\n", AM_TAG_SDH, T "[angrily]\n123456789012345678901234567890123\n");
  becomes(w, T "123456789012345678901234567890123\nb\n", AM_TAG_SDH, T "123456789012345678901234567890123\nb\n");
  becomes(w, T "a\nb\nc\n", AM_TAG_SDH, T "a\nb\nc\n");
  becomes(w, T "", AM_TAG_SDH, T "");
  becomes(w, T " \nb\n", AM_TAG_SDH, T " \nb\n");
  /* markup and bytes are not characters */
  becomes(w, T "<i>\xC3\xA9\xC3\xA9 34567890123456789012345678901</i>\n", AM_TAG_SDH,
          T "[angrily] <i>\xC3\xA9\xC3\xA9 34567890123456789012345678901</i>\n");
  becomes(w, "0:01 --> 0:02\r\n123456789012345678901234567890123", AM_TAG_SDH,
          "0:01 --> 0:02\r\n[angrily]\r\n123456789012345678901234567890123");
}

static void none_is_put_twice(void **state) {
  world *w = *state;
  static const char *const marked[] = {T "[traurig] Go!\n", T "TRISTEMENT: Go!\n", T "(angry)\nGo!\n",
                                       T "\U0001F622 Go!\n"};
  for (size_t i = 0; i < sizeof marked / sizeof *marked; i++) {
    char *got = tagged(w, marked[i], AM_TAG_SDH, "en", "angry");
    assert_string_equal(got, marked[i]);
    am_free(w->ctx, got);
  }
  /* others' are not ours */
  becomes(w, T "[sighs] Go!\n", AM_TAG_SDH, T "[angrily] [sighs] Go!\n");
  becomes(w, T "[angrily]Go!\n", AM_TAG_SDH, T "[angrily] [angrily]Go!\n");
  becomes(w, T "<c.angry>Go!</c>\n", AM_TAG_SDH, T "[angrily] <c.angry>Go!</c>\n");
}

static const char *const documents[] = {
    "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:00:03,000 --> 00:00:04,000\nTwo\nlines\n\n",
    "\357\273\2771\r\n00:01.5 --> 00:02.25  X1:40\r\n{\\an8}Hello\r\n\r\n\r\n00:03 --> 00:04\r\nb",
    "0:0:5-->0:0:9\nA line that is far too long for two of them, or not\n\n0:1 --> 0:6\na\n\nb\n\n",
    "WEBVTT\n\nNOTE x\n\nid\n00:01.000 --> 00:02.000 align:start\n<v Ann>Hello</v>\n\n00:03.000 --> 00:04.000\n\n",
    "WEBVTT\n00:01.000 --> 00:02.000\nright after\n",
    "WEBVTT\r\n\r\nSTYLE\r\n::cue(b) {}\r\n\r\n00:01.000 --> 00:02.000\r\n<c.angry>mine</c>\r\n",
    "WEBVTT\r\r00:01.000 --> 00:02.000\ra\rb",
    "WEBVTT\n\nNOTE nothing else",
};

/* All styles, languages and emotions. */
static void what_was_put_comes_off(void **state) {
  world *w = *state;
  for (size_t d = 0; d < sizeof documents / sizeof *documents; d++)
    for (am_tag_style s = 0; s < AM_TAG_STYLES; s++)
      for (size_t i = 0; i < w->words.n; i++) {
        const am_emotion_word *word = &w->words.at[i];
        char *with = tagged(w, documents[d], s, word->language, word->emotion);
        char *twice = tagged(w, with, s, word->language, word->emotion), *off = tagged(w, with, s, NULL, NULL);
        assert_string_equal(twice, with);
        assert_string_equal(off, documents[d]);
        if (d < 2 && s != AM_TAG_CLASS) assert_string_not_equal(with, documents[d]);
        am_free(w->ctx, with);
        am_free(w->ctx, twice);
        am_free(w->ctx, off);
      }
}

static void latin1_stays_latin1(void **state) {
  world *w = *state;
  const char *text = T "caf\xE9\n";
  char *got = tagged(w, text, AM_TAG_BBC, "de", "angry"), *off = tagged(w, got, AM_TAG_BBC, NULL, NULL);
  assert_string_equal(got, T "W\xDCTEND: caf\xE9\n");
  assert_string_equal(off, text);
  am_free(w->ctx, got);
  am_free(w->ctx, off);
  am_error err = AM_ERROR_INIT;
  am_cues c;
  am_tagger t;
  bool fits;
  am_test_ok(am_cues_parse(w->ctx, text, strlen(text), "x", NULL, &c, &err), &err);
  am_test_ok(am_tagger_begin(&t, &c, &w->words, &err), &err);
  am_test_fails(
      am_tag_put(&t, &c.at[0], AM_TAG_SDH, am_emotion_words_find(&w->words, "pl", "happy"), false, &fits, &err),
      AM_E_DATA, &err, "the subtitles are in Latin-1, which cannot write the tag of 'rado\u015bnie'");
  am_tagger_end(&t);
  am_cues_free(&c);
}

static void capitals_of_the_languages(void **state) {
  world *w = *state;
  const struct {
    const char *language, *emotion, *wanted;
  } rows[] = {{"de", "fearful", "ÄNGSTLICH:"},      {"pl", "disgust", "ZE WSTRĘTEM:"},
              {"pl", "happy", "RADOŚNIE:"},         {"fr", "angry", "AVEC COLÈRE:"},
              {"zh", "angry", "愤怒地:"},           {"es-MX", "happy", "CON ALEGRÍA:"},
              {"fr", "neutral", "D'UN TON NEUTRE:"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    am_buffer b = {0};
    const am_emotion_word *word = am_emotion_words_find(&w->words, rows[i].language, rows[i].emotion);
    assert_non_null(word);
    assert_true(am_tag_mark(w->ctx, AM_TAG_BBC, word, &b));
    assert_string_equal(b.data, rows[i].wanted);
    am_buffer_free(w->ctx, &b);
  }
  assert_null(am_emotion_words_find(&w->words, "xx", "angry"));
  assert_false(am_emotion_words_speak(&w->words, "xx"));
  assert_true(am_emotion_words_speak(&w->words, "de_AT"));
}

static am_status load(world *w, const char *folder, const char *yaml, am_emotion_words *out, am_error *err) {
  *err = (am_error)AM_ERROR_INIT;
  const char *path = am_test_path(folder, "words.yaml");
  am_test_file(path, yaml, strlen(yaml));
  return am_emotion_words_load(w->ctx, path, out, err);
}

static void a_file_adds_a_language(void **state) {
  world *w = *state;
  am_error err;
  am_emotion_words own;
  char *folder = am_test_folder();
  am_test_ok(
      load(w, folder, "sv: {angry: [argt, arg]}\nen: {angry: [crossly, cross], bored: [wearily, bored]}\n", &own, &err),
      &err);
  assert_string_equal(am_emotion_words_find(&own, "sv", "angry")->how, "argt");
  assert_string_equal(am_emotion_words_find(&own, "en", "angry")->how, "crossly");
  assert_string_equal(am_emotion_words_find(&own, "en", "bored")->what, "bored");
  assert_string_equal(am_emotion_words_find(&own, "en", "sad")->how, "sadly");
  am_emotion_words_free(&own);
  static const char *const wrong[][2] = {{"[a]", "wanted languages"},
                                         {"en: angrily", "en: wanted emotions"},
                                         {"en: {angry: angrily}", "wanted two words"},
                                         {"en: {angry: [angrily]}", "wanted two words"},
                                         {"en: {angry: ['[x]', y]}", "wanted two words"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    am_test_fails(load(w, folder, wrong[i][0], &own, &err), AM_E_CONFIG, &err, wrong[i][1]);
  am_test_folder_remove(folder);
  free(folder);
}

/* The text of the only cue of a document with a tag in it; and it comes off again. */
static void tagged_as(world *w, const char *head, const char *text, const char *tail, am_tag_style style,
                      const char *wanted) {
  am_error err = AM_ERROR_INIT;
  am_cues c;
  am_tagger t;
  bool fits = false;
  size_t n;
  char *all = am_format(w->ctx, "%s%s%s", head, text, tail);
  am_test_ok(am_cues_parse(w->ctx, all, strlen(all), "x", NULL, &c, &err), &err);
  assert_int_equal(c.n, 1);
  am_test_ok(am_tagger_begin(&t, &c, &w->words, &err), &err);
  am_test_ok(am_tag_put(&t, &c.at[0], style, am_emotion_words_find(&w->words, "fr", "angry"), false, &fits, &err),
             &err);
  const am_slice with = am_cue_text(&c, &c.at[0]);
  assert_true(fits == (wanted != NULL));
  if (!wanted) wanted = text;
  if (with.n != strlen(wanted) || memcmp(with.at, wanted, with.n)) fail_msg("'%.*s'", (int)with.n, with.at);
  am_test_ok(am_tag_strip(&t, &n, &err), &err);
  am_buffer out = {0};
  am_cues_write(&c, &out);
  assert_string_equal(out.data, all);
  am_buffer_free(w->ctx, &out);
  am_tagger_end(&t);
  am_cues_free(&c);
  am_free(w->ctx, all);
}

static void in_ass_behind_the_overrides(void **state) {
  static const char head[] = "[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,";
  tagged_as(*state, head, "{\\an8}{\\i1}Non{\\i0}", "\n", AM_TAG_SDH, "{\\an8}{\\i1}[avec col\xC3\xA8re] Non{\\i0}");
  tagged_as(*state, head, "Non, mais\\Nnon", "", AM_TAG_TAG, "(col\xC3\xA8re) Non, mais\\Nnon");
  tagged_as(*state, head, "Un texte qui est trop long pour un mot", "\n", AM_TAG_SDH,
            "[avec col\xC3\xA8re]\\NUn texte qui est trop long pour un mot");
  tagged_as(*state, head, "Un texte qui est trop long\\Npour un mot\\Nde plus", "\n", AM_TAG_SDH, NULL);
  tagged_as(*state, head, "{\\p1}m 0 0 l 1 1", "\n", AM_TAG_SDH, NULL);
  tagged_as(*state, head, "", "\n", AM_TAG_SDH, NULL);
}

static void in_ttml_within_the_spans(void **state) {
  if (without_xml(((world *)*state)->ctx)) skip();
  static const char head[] = "<tt:tt xmlns:tt=\"t\"><tt:p begin=\"1s\" end=\"2s\">", tail[] = "</tt:p></tt:tt>";
  tagged_as(*state, head, "\n <!-- > --><tt:span x=\">\">Non &amp; non</tt:span>", tail, AM_TAG_BBC,
            "\n <!-- > --><tt:span x=\">\">AVEC COL\xC3\x88RE: Non &amp; non</tt:span>");
  tagged_as(*state, head, "<tt:metadata>no</tt:metadata><![CDATA[Non]]>", tail, AM_TAG_SDH,
            "<tt:metadata>no</tt:metadata>[avec col\xC3\xA8re] <![CDATA[Non]]>");
  tagged_as(*state, head, "Un texte qui est trop long pour un mot", tail, AM_TAG_SDH,
            "[avec col\xC3\xA8re]<tt:br/>Un texte qui est trop long pour un mot");
  tagged_as(*state, head, " <tt:br/>Non", tail, AM_TAG_SDH, NULL);
  tagged_as(*state, head, " ", tail, AM_TAG_SDH, NULL);
}

static am_status work(am_context *ctx, am_error *err) {
  am_cues c = {.ctx = ctx};
  am_tagger t = {.cues = &c};
  am_emotion_words words = {.ctx = ctx};
  const char *text = "WEBVTT\n\n0:01 --> 0:02\na\n\n0:03 --> 0:04\nb\n";
  bool fits = false;
  size_t off;
  am_status st = am_emotion_words_load(ctx, NULL, &words, err);
  if (!st) st = am_cues_parse(ctx, text, strlen(text), "x", NULL, &c, err);
  if (!st) st = am_tagger_begin(&t, &c, &words, err);
  for (size_t i = 0; i < c.n && !st; i++)
    st = am_tag_put(&t, &c.at[i], i ? AM_TAG_SDH : AM_TAG_CLASS, &words.at[4], false, &fits, err);
  if (!st) st = am_tag_style_block(&t, err);
  if (!st) st = am_tag_strip(&t, &off, err);
  am_tagger_end(&t);
  am_cues_free(&c);
  am_emotion_words_free(&words);
  return st;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  am_test_each_allocation(work);
}

static int make(void **state) {
  static world w;
  am_error err = AM_ERROR_INIT;
  w.ctx = am_test_context(1, "plain");
  *state = &w;
  return am_emotion_words_load(w.ctx, NULL, &w.words, &err);
}
static int end(void **state) {
  world *w = *state;
  am_emotion_words_free(&w->words);
  am_context_free(w->ctx);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_style),
      cmocka_unit_test(lines_are_kept_short),
      cmocka_unit_test(none_is_put_twice),
      cmocka_unit_test(what_was_put_comes_off),
      cmocka_unit_test(latin1_stays_latin1),
      cmocka_unit_test(capitals_of_the_languages),
      cmocka_unit_test(a_file_adds_a_language),
      cmocka_unit_test(in_ass_behind_the_overrides),
      cmocka_unit_test(in_ttml_within_the_spans),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
