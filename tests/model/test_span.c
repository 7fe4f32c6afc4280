/* SPDX-License-Identifier: MIT */
/* tests/model/test_span.c - stretches of speech from scores, and the level detector that scores sound. */
#include "testing.h"

#include "audio/activity.h"
#include "model/span.h"

enum { STEP = 10, MOST = 64 };

typedef struct found {
  am_span_news news;
  uint64_t start, end, at;
} found;

/* One letter a step: '#' speech, '+' between the thresholds, '.' none. */
static size_t hear(am_spans *s, const char *steps, found *out) {
  size_t n = 0;
  uint64_t at = 0;
  for (; *steps; steps++, at += STEP) {
    const am_span_news news = am_spans_hear(s, at, at + STEP, *steps == '#' ? 0.9f : *steps == '+' ? 0.4f : 0.1f);
    if (news) out[n++] = (found){news, news == AM_SPAN_BEGINS ? s->start : s->next, s->end, at + STEP};
  }
  if (am_spans_end(s, at)) out[n++] = (found){AM_SPAN_ENDS, 0, s->end, at};
  return n;
}

static const am_span_options usual = {0.5f, 30, 40, 5, 1000};

static void speech_is_told_when_it_has_lasted(void **state) {
  (void)state;
  am_spans s;
  found f[MOST];
  am_spans_init(&s, &usual);
  assert_int_equal(hear(&s, "..####.......", f), 2);
  assert_int_equal(f[0].news, AM_SPAN_BEGINS);
  assert_int_equal(f[0].start, 15); /* 20, and the padding */
  assert_int_equal(f[0].at, 50);    /* three steps of it */
  assert_int_equal(f[1].news, AM_SPAN_ENDS);
  assert_int_equal(f[1].end, 65);
  assert_int_equal(f[1].at, 100); /* after four steps of silence */
}

static void what_is_short_does_not_count(void **state) {
  (void)state;
  am_spans s;
  found f[MOST];
  am_spans_init(&s, &usual);
  assert_int_equal(hear(&s, ".##......##.....#....", f), 0);
  am_spans_init(&s, &usual);
  assert_int_equal(hear(&s, "##", f), 0);
}

static void pauses_shorter_than_the_silence_are_part_of_it(void **state) {
  (void)state;
  am_spans s;
  found f[MOST];
  am_spans_init(&s, &usual);
  assert_int_equal(hear(&s, "####...####....####", f), 4);
  assert_int_equal(f[1].end, 115);
  assert_int_equal(f[2].start, 145);
  assert_int_equal(f[3].end, 190); /* where the sound ends */
}

static void between_the_thresholds_speech_goes_on_but_does_not_begin(void **state) {
  (void)state;
  am_spans s;
  found f[MOST];
  am_spans_init(&s, &usual);
  assert_int_equal(hear(&s, "++++++++", f), 0);
  am_spans_init(&s, &usual);
  assert_int_equal(hear(&s, "#+++++++....", f), 2);
  assert_int_equal(f[1].end, 85);
  am_spans_init(&s, &usual);
  assert_int_equal(hear(&s, "###.++++++++", f), 2); /* and does not begin again after a pause */
  assert_int_equal(f[1].end, 35);
}

static void padding_does_not_reach_into_what_was_before(void **state) {
  (void)state;
  am_spans s;
  found f[MOST];
  const am_span_options wide = {0.5f, 30, 20, 50, 1000};
  am_spans_init(&s, &wide);
  assert_int_equal(hear(&s, "###..###..", f), 4);
  assert_int_equal(f[0].start, 0);
  assert_int_equal(f[1].end, 50); /* what has been heard */
  assert_int_equal(f[2].start, 50);
}

static void a_long_stretch_is_cut_at_its_longest_pause(void **state) {
  (void)state;
  am_spans s;
  found f[MOST];
  const am_span_options shorter = {0.5f, 30, 40, 5, 200};
  am_spans_init(&s, &shorter); /* pauses at 30 (too early), 120 (of 2) and 160 (of 1) */
  assert_int_equal(hear(&s, "###...######..##.####....", f), 3);
  assert_int_equal(f[1].news, AM_SPAN_CUT);
  assert_int_equal(f[1].at, 200);
  assert_int_equal(f[1].end, 125);
  assert_int_equal(f[1].start, 135); /* the next one's */
  assert_int_equal(f[2].news, AM_SPAN_ENDS);
  assert_int_equal(f[2].end, 215);
  am_spans_init(&s, &shorter); /* no pause: where it stands */
  assert_int_equal(hear(&s, "#########################", f), 3);
  assert_int_equal(f[1].end, 200);
  assert_int_equal(f[1].start, 200);
  am_spans_init(&s, &shorter); /* in a pause: there it ends */
  assert_int_equal(hear(&s, "##################...###", f), 4);
  assert_int_equal(f[1].news, AM_SPAN_ENDS);
  assert_int_equal(f[1].end, 185);
  assert_int_equal(f[2].start, 205);
}

static void what_may_still_begin_is_kept(void **state) {
  (void)state;
  am_spans s;
  am_spans_init(&s, &usual);
  assert_int_equal(am_spans_needed(&s, 100), 95);
  am_spans_hear(&s, 100, 110, 0.9f);
  am_spans_hear(&s, 110, 120, 0.9f);
  assert_int_equal(am_spans_needed(&s, 120), 95);
}

/* ---- the detector ---- */

enum { RATE = 16000, SECONDS = 12 };

static float noise(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return (float)(*seed >> 8) / 8388608.0f - 1;
}

/* Bursts of a voice-like sum of harmonics, one second of every two, over noise; share of hops that are right, apart from 50 ms
 * around the changes.  level and floor in dB. */
static double share_right(double rate, double level, double floor_db, double hum_db) {
  am_context *ctx = am_test_context(1, "plain");
  am_error err = AM_ERROR_INIT;
  am_activity *a;
  am_test_ok(am_activity_create(ctx, rate, &a, &err), &err);
  const size_t hop = am_activity_hop(a), hops = (size_t)(SECONDS * rate) / hop;
  float *x = calloc(hop, sizeof *x);
  uint32_t seed = 7;
  size_t right = 0, all = 0;
  for (size_t h = 0; h < hops; h++) {
    for (size_t i = 0; i < hop; i++) {
      const double t = (double)(h * hop + i) / rate;
      double voice = 0;
      for (int k = 1; k <= 10; k++) voice += sin(6.283185307179586 * 140 * k * t) / k;
      const bool on = fmod(t, 2) >= 1;
      x[i] = (float)(on ? voice * pow(10, level / 20) : 0) + noise(&seed) * (float)pow(10, floor_db / 20);
      x[i] += (float)(sin(6.283185307179586 * 50 * t) * pow(10, hum_db / 20));
    }
    const double t = ((double)h + 0.5) * (double)hop / rate, within = fmod(t, 1);
    const bool said = am_activity_hear(a, x) >= 0.5f;
    if (t < 3 || within < 0.05 || within > 0.95) continue; /* noise that is loud from the start is known after 2.5 s */
    all++;
    right += said == (fmod(t, 2) >= 1);
  }
  free(x);
  am_activity_free(a);
  am_context_free(ctx);
  return (double)right / (double)all;
}

static void bursts_are_found_at_any_level_and_rate(void **state) {
  (void)state;
  assert_true(share_right(16000, -20, -90, -120) > 0.99);
  assert_true(share_right(8000, -45, -80, -120) > 0.99);
  assert_true(share_right(48000, -6, -40, -120) > 0.99);
  assert_true(share_right(22050, -20, -30, -120) > 0.99); /* some 15 dB */
}

static void hum_is_no_speech(void **state) {
  (void)state;
  assert_true(share_right(16000, -20, -90, -30) > 0.99);
}

static void noise_alone_is_no_speech(void **state) {
  (void)state;
  static const double levels[] = {-100, -60, -30, -6};
  for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
    am_context *ctx = am_test_context(1, "plain");
    am_error err = AM_ERROR_INIT;
    am_activity *a;
    am_test_ok(am_activity_create(ctx, RATE, &a, &err), &err);
    float x[RATE / 100];
    uint32_t seed = 5;
    int said = 0;
    for (int h = 0; h < 6000; h++) {
      for (size_t i = 0; i < RATE / 100; i++) x[i] = noise(&seed) * (float)pow(10, levels[l] / 20);
      const bool is = am_activity_hear(a, x) >= 0.5f;
      said += h >= 250 && is; /* noise that is there from the start is known after 2.5 s */
    }
    assert_int_equal(said, 0);
    am_activity_free(a);
    am_context_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(speech_is_told_when_it_has_lasted),
      cmocka_unit_test(what_is_short_does_not_count),
      cmocka_unit_test(pauses_shorter_than_the_silence_are_part_of_it),
      cmocka_unit_test(between_the_thresholds_speech_goes_on_but_does_not_begin),
      cmocka_unit_test(padding_does_not_reach_into_what_was_before),
      cmocka_unit_test(a_long_stretch_is_cut_at_its_longest_pause),
      cmocka_unit_test(what_may_still_begin_is_kept),
      cmocka_unit_test(bursts_are_found_at_any_level_and_rate),
      cmocka_unit_test(hum_is_no_speech),
      cmocka_unit_test(noise_alone_is_no_speech),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
