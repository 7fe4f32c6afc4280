/* SPDX-License-Identifier: MIT */
/* tests/subtitle/test_timeline.c - the emotion diarisation error rate, by figures that can be added up by hand. */
#include "testing.h"

#include "subtitle/timeline.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

static void each_kind_of_error_is_counted(void **state) {
  (void)state;
  const am_stretch truth[] = {{1, 3, "angry"}, {3, 5, "neutral"}, {6, 9, "sad"}};
  const am_stretch said[] = {{1, 2, "angry"}, {2, 3, "uncertain"}, {3.5, 4, "happy"},
                             {5.5, 7, "sad"}, {7, 8, "happy"},     {8, 9, "neutral"}};
  am_timeline t = {0};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_timeline_add(&t, truth, LEN(truth), said, LEN(said), 10, &err), &err);
  assert_float_equal(t.emotion, 5, 1e-12);
  assert_float_equal(t.missed, 2, 1e-12);      /* 2 to 3, 8 to 9 */
  assert_float_equal(t.false_alarm, 1, 1e-12); /* 3.5 to 4, 5.5 to 6 */
  assert_float_equal(t.confused, 1, 1e-12);    /* 7 to 8 */
  assert_float_equal(am_timeline_rate(&t), 0.8, 1e-12);
  assert_int_equal(t.tags, 4);
  assert_int_equal(t.n_labels, 3);
  for (size_t i = 0; i < 3; i++) {
    const am_timeline_label *l = &t.labels[i];
    const double wanted[3] = {!strcmp(l->name, "angry") ? 2
                              : !strcmp(l->name, "sad") ? 3
                                                        : 0,
                              !strcmp(l->name, "angry") ? 1 : 1.5, !strcmp(l->name, "happy") ? 0 : 1};
    assert_float_equal(l->truth, wanted[0], 1e-12);
    assert_float_equal(l->said, wanted[1], 1e-12);
    assert_float_equal(l->both, wanted[2], 1e-12);
  }
  am_test_ok(am_timeline_add(&t, truth, LEN(truth), truth, LEN(truth), 10, &err),
             &err); /* another recording, all right */
  assert_float_equal(am_timeline_rate(&t), 0.4, 1e-12);
  assert_float_equal(t.seconds, 20, 1e-12);
}

static void nothing_is_no_error(void **state) {
  (void)state;
  am_timeline t = {0};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_timeline_add(&t, NULL, 0, NULL, 0, 3, &err), &err);
  assert_true(isnan(am_timeline_rate(&t)));
  assert_true(t.seconds == 3 && t.tags == 0);
  assert_false(am_timeline_is_emotion("calm"));
  assert_true(am_timeline_is_emotion("angry"));
}

static void too_many_emotions_are_refused(void **state) {
  (void)state;
  static char names[AM_TIMELINE_LABELS + 1][8];
  am_stretch truth[AM_TIMELINE_LABELS + 1];
  am_timeline t = {0};
  am_error err = AM_ERROR_INIT;
  for (int i = 0; i <= AM_TIMELINE_LABELS; i++) {
    snprintf(names[i], sizeof names[i], "e%d", i);
    truth[i] = (am_stretch){i, i + 1, names[i]};
  }
  am_test_fails(am_timeline_add(&t, truth, LEN(truth), NULL, 0, 100, &err), AM_E_DATA, &err, "more than 64 emotions");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_of_error_is_counted),
      cmocka_unit_test(nothing_is_no_error),
      cmocka_unit_test(too_many_emotions_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
