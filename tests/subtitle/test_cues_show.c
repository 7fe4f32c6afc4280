/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_cues_show.c - which cues say their emotion, and who speaks in them. */
#include "testing.h"

#include "subtitle/show.h"

typedef struct row {
  double start;
  const char *speaker;
  int label;
  double margin;
  bool yes;
} row;
enum { NEUTRAL, ANGRY, SAD, UNSURE = -1 };

static void told(am_context *ctx, const am_show_options *o, const row *rows, size_t n) {
  am_error err = AM_ERROR_INIT;
  am_show show;
  am_show_begin(&show, ctx, o);
  for (size_t i = 0; i < n; i++) {
    bool yes;
    const am_shown cue = {.start = rows[i].start,
                          .speaker = am_slice_from(rows[i].speaker, strlen(rows[i].speaker)),
                          .label = rows[i].label,
                          .quiet = rows[i].label == NEUTRAL,
                          .margin = rows[i].margin,
                          .fits = rows[i].speaker[0] != '!'};
    am_test_ok(am_show_cue(&show, &cue, &yes, &err), &err);
    if (yes != rows[i].yes) fail_msg("row %zu is %s", i, yes ? "told" : "not told");
  }
  am_show_end(&show);
}
#define TOLD(options, ...) \
  do { \
    const row rows[] = {__VA_ARGS__}; \
    told(*state, options, rows, sizeof rows / sizeof *rows); \
  } while (0)

static void only_what_is_sure_and_new(void **state) {
  TOLD(&am_show_defaults, {0, "", UNSURE, 0.9, false}, {10, "", ANGRY, 0.19, false}, {20, "", ANGRY, 0.2, true},
       {40, "", ANGRY, 0.9, false}, {60, "", UNSURE, 0, false}, {80, "", ANGRY, 0.9, false},
       /* back to neutral, which is not said, and angry again, which is */
       {100, "", NEUTRAL, 0.9, false}, {120, "", ANGRY, 0.9, true}, {140, "", SAD, 0.9, true});
  TOLD(&am_show_defaults, {0, "", ANGRY, (double)NAN, false});
}

static void of_each_speaker_by_itself(void **state) {
  TOLD(&am_show_defaults, {0, "Ann", ANGRY, 0.5, true}, {20, "Bo", ANGRY, 0.5, true}, {40, "Ann", ANGRY, 0.5, false},
       {60, "", ANGRY, 0.5, true}, {80, "", ANGRY, 0.5, false});
}

/* What the gap, the rate or the room kept back is told when it lasts. */
static void not_too_often(void **state) {
  TOLD(&am_show_defaults, {0, "", ANGRY, 0.5, true}, {9.9, "", SAD, 0.5, false}, {10, "", SAD, 0.5, true},
       {20, "", ANGRY, 0.5, true}, {30, "", SAD, 0.5, false}, {59, "", SAD, 0.5, false}, {60, "", SAD, 0.5, true});
  TOLD(&am_show_defaults, {0, "!", ANGRY, 0.5, false}, {1, "", ANGRY, 0.5, true});
  const am_show_options none = {.a_minute = 0}, all = {.a_minute = AM_SHOW_MOST};
  TOLD(&none, {0, "", ANGRY, 0.5, false});
  TOLD(&all, {0, "", ANGRY, 0, true}, {0, "", SAD, 0, true});
}

static void many_speakers(void **state) {
  am_error err = AM_ERROR_INIT;
  am_show show;
  bool yes;
  char name[16];
  const am_show_options o = {.a_minute = AM_SHOW_MOST};
  am_show_begin(&show, *state, &o);
  for (int i = 0; i < AM_SHOW_SPEAKERS + 2; i++) {
    snprintf(name, sizeof name, "S%d", i);
    const am_shown cue = {100.0 * i, am_slice_from(name, strlen(name)), ANGRY, false, 1, true};
    am_test_ok(am_show_cue(&show, &cue, &yes, &err), &err);
    assert_true(yes == (i < AM_SHOW_SPEAKERS));
  }
  assert_int_equal(show.n_speakers, AM_SHOW_SPEAKERS);
  am_show_end(&show);
}

static void a_text_names_its_speaker(void **state) {
  (void)state;
  const struct {
    const char *text, *speaker;
    bool several;
  } rows[] = {
      {"", "", false},
      {"Hello", "", false},
      {"<v Ann>Hello", "Ann", false},
      {"<v.loud.far Ann Lee>Hello</v>", "Ann Lee", false},
      {"<v", "", false},
      {"<vx>Hello", "", false},
      {"<i>Hello</i>", "", false},
      {"ANN: Hello", "ANN", false},
      {"- ANN LEE:\nHello", "ANN LEE", false},
      {"DR. \xC3\x96Z: Hello", "DR. \xC3\x96Z", false},
      {"Ann: Hello", "", false},
      {"10:30 it is", "", false},
      {"AT 10:30", "", false},
      {"- Hello\n- Hi", "", true},
      {"- Hello\nto you", "", false},
      {"--\n--", "", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool several;
    const am_slice s = am_show_speaker_of(am_slice_from(rows[i].text, strlen(rows[i].text)), &several);
    if (s.n != strlen(rows[i].speaker) || (s.n && memcmp(s.at, rows[i].speaker, s.n) != 0))
      fail_msg("'%s': '%.*s'", rows[i].text, (int)s.n, s.at);
    assert_true(several == rows[i].several);
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
      cmocka_unit_test(only_what_is_sure_and_new),
      cmocka_unit_test(of_each_speaker_by_itself),
      cmocka_unit_test(not_too_often),
      cmocka_unit_test(many_speakers),
      cmocka_unit_test(a_text_names_its_speaker),
  };
  return cmocka_run_group_tests(tests, make, end);
}
