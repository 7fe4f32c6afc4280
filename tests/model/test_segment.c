/* SPDX-License-Identifier: MIT */
/* tests/model/test_segment.c - segments from measurements that overlap: averages, the cost of a change, short ones, silence. */
#include "testing.h"

#include "audiomood/segment.h"

enum { K = 3, MOST = 32 };

typedef struct found {
  am_segment at[MOST];
  float p[MOST][K];
  size_t n, before; /* segments of the utterance before */
} found;

static am_status note(void *user, const am_segment *s, am_error *err) {
  found *f = user;
  (void)err;
  assert_int_equal(s->size, sizeof *s);
  assert_int_equal(s->index, f->before + f->n);
  f->at[f->n] = *s;
  memcpy(f->p[f->n], s->probabilities, sizeof f->p[0]);
  f->n++;
  return AM_OK;
}

typedef struct said {
  double start, end;
  float p[K];
} said;

static void run(const am_segment_options *o, const said *x, size_t n, double end, found *f) {
  am_context *ctx = am_test_context(1, "plain");
  am_error err = AM_ERROR_INIT;
  am_segmenter *s;
  memset(f, 0, sizeof *f);
  am_test_ok(am_segmenter_create(ctx, K, o, note, f, &s, &err), &err);
  for (int turn = 0; turn < 2; turn++) { /* the second utterance has nothing of the first */
    f->before += f->n;
    f->n = 0;
    am_stream_event e = {.size = sizeof e, .kind = AM_STREAM_SPEECH_BEGINS, .utterance = 4};
    am_test_ok(am_segmenter_take(s, &e, &err), &err);
    for (size_t i = 0; i < n; i++) {
      e = (am_stream_event){
          .size = sizeof e, .kind = AM_STREAM_MEASURED, .start = x[i].start, .end = x[i].end, .probabilities = x[i].p};
      am_test_ok(am_segmenter_take(s, &e, &err), &err);
    }
    e = (am_stream_event){
        .size = sizeof e, .kind = AM_STREAM_SPEECH_ENDS, .utterance = 4, .start = x[0].start, .end = end};
    am_test_ok(am_segmenter_take(s, &e, &err), &err);
  }
  am_segmenter_free(s);
  am_context_free(ctx);
}

#define LEN(x) (sizeof(x) / sizeof *(x))

static void windows_that_overlap_are_averaged(void **state) {
  (void)state;
  const said x[] = {{1, 3, {0.8f, 0.1f, 0.1f}}, {2, 4, {0.4f, 0.5f, 0.1f}}};
  found f;
  run(&(am_segment_options){.size = sizeof(am_segment_options), .switch_penalty = -1, .shortest = -1}, x, LEN(x), 4,
      &f);
  assert_int_equal(f.n, 2); /* to 3 s the mean is 0.6 for the first */
  assert_true(f.at[0].start == 1 && f.at[0].end == 3 && f.at[0].label == 0 && f.at[0].utterance == 4);
  assert_float_equal(f.p[0][0], 0.7, 1e-6); /* a second of 0.8, one of 0.6 */
  assert_float_equal(f.p[0][1], 0.2, 1e-6);
  assert_float_equal(f.at[0].margin, 0.5, 1e-6);
  assert_float_equal(f.at[0].share, 1, 1e-9);
  assert_true(f.at[1].start == 3 && f.at[1].end == 4 && f.at[1].label == 1);
  assert_float_equal(f.at[1].margin, 0.1, 1e-6);
}

/* One second says another label e times as probable: it gains 1, and costs two changes. */
static void a_change_costs_the_penalty(void **state) {
  (void)state;
  const float e = 0.2f * expf(1);
  const said x[] = {{0, 2, {0.7f, 0.2f, 0.1f}}, {2, 3, {0.2f, e, 0.8f - e}}, {3, 5, {0.7f, 0.2f, 0.1f}}};
  found f;
  run(&(am_segment_options){.size = sizeof(am_segment_options), .switch_penalty = 0.49}, x, LEN(x), 5, &f);
  assert_int_equal(f.n, 3);
  assert_int_equal(f.at[1].label, 1);
  run(&(am_segment_options){.size = sizeof(am_segment_options), .switch_penalty = 0.51}, x, LEN(x), 5, &f);
  assert_int_equal(f.n, 1);
  assert_int_equal(f.at[0].label, 0);
  assert_float_equal(f.at[0].share, 0.8, 1e-6);
  assert_float_equal(f.p[0][0], (4 * 0.7 + 0.2) / 5, 1e-6);
}

static void short_ones_go_to_the_neighbour_that_suits_better(void **state) {
  (void)state;
  const said x[] = {{0, 1, {0.98f, 0.01f, 0.01f}}, {1, 1.3, {0.01f, 0.3f, 0.69f}}, {1.3, 3, {0.01f, 0.98f, 0.01f}}};
  found f;
  run(&(am_segment_options){.size = sizeof(am_segment_options), .switch_penalty = -1, .shortest = 0.4}, x, LEN(x), 3,
      &f);
  assert_int_equal(f.n, 2);
  assert_true(f.at[0].end == 1 && f.at[1].start == 1 && f.at[1].label == 1);
  run(&(am_segment_options){.size = sizeof(am_segment_options), .switch_penalty = -1, .shortest = -1}, x, LEN(x), 3,
      &f);
  assert_int_equal(f.n, 3);
  run(&(am_segment_options){.size = sizeof(am_segment_options), .shortest = 10}, x, 1, 1,
      &f); /* the utterance is shorter */
  assert_int_equal(f.n, 1);
}

static void what_was_not_heard_goes_along(void **state) {
  (void)state;
  const said x[] = {{0, 1, {0.1f, 0.8f, 0.1f}}, {1, 2, {NAN, NAN, NAN}}, {2, 3, {0.1f, 0.8f, 0.1f}}};
  found f;
  run(NULL, x, LEN(x), 3.5, &f);
  assert_int_equal(f.n, 1);
  assert_true(f.at[0].start == 0 && f.at[0].end == 3.5 && f.at[0].label == 1);
  assert_float_equal(f.p[0][1], 0.8, 1e-6);
  run(NULL, x + 1, 1, 2, &f);
  assert_int_equal(f.n, 1);
  assert_int_equal(f.at[0].label, -1);
  assert_true(isnan(f.p[0][0]));
}

/* Steps of windows that overlap, of 1.4 s, as a stream measures with a window of 1 s and a hop of half of it: the last 0.4 s are no
 * step of their own.  Values below 0 and of any sum are as good as others, and nothing is said of a label. */
static void values_become_steps(void **state) {
  (void)state;
  const said x[] = {{0, 0.5, {1, -2, 30}}, {0, 1, {2, -4, 50}}, {0.4, 1.4, {4, -8, 10}}};
  found f;
  run(&(am_segment_options){.size = sizeof(am_segment_options), .values = true}, x, LEN(x), 1.4, &f);
  assert_int_equal(f.n, 2);
  assert_true(f.at[0].start == 0 && f.at[0].end == 0.5 && f.at[1].start == 0.5 && f.at[1].end == 1.4);
  assert_true(f.at[0].label == 0 && f.at[0].margin == 0 && f.at[0].share == 0);
  /* 0.4 s of the first two, 0.1 s of all three; then 0.5 s of the last two, 0.4 s of the last. */
  assert_float_equal(f.p[0][0], (0.4 * 1.5 + 0.1 * 7 / 3) / 0.5, 1e-6);
  assert_float_equal(f.p[0][1], -2 * (double)f.p[0][0], 1e-6);
  assert_float_equal(f.p[1][0], (0.5 * 3 + 0.4 * 4) / 0.9, 1e-6);
  assert_float_equal(f.p[1][2], (0.5 * 30 + 0.4 * 10) / 0.9, 1e-5);
  const said silent[] = {{0, 2, {NAN, NAN, NAN}}, {2, 3, {1, 1, 1}}};
  run(&(am_segment_options){.size = sizeof(am_segment_options), .values = true}, silent, LEN(silent), 3, &f);
  assert_int_equal(f.n, 2);
  assert_true(f.at[0].label == -1 && isnan(f.p[0][0]) && f.at[1].label == 0);
  run(&(am_segment_options){.size = sizeof(am_segment_options), .values = true, .shortest = 10}, x, LEN(x), 1.4, &f);
  assert_int_equal(f.n, 1);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, "plain");
  am_error err = AM_ERROR_INIT;
  am_segmenter *s;
  found f = {.n = 0};
  am_segment_options o = {.size = sizeof o, .shortest = NAN};
  am_test_fails(am_segmenter_create(ctx, K, &o, note, &f, &s, &err), AM_E_USAGE, &err, "shortest");
  o = (am_segment_options){.size = sizeof o, .switch_penalty = 1e7};
  am_test_fails(am_segmenter_create(ctx, K, &o, note, &f, &s, &err), AM_E_USAGE, &err, "switch_penalty");
  am_test_fails(am_segmenter_create(ctx, 0, NULL, note, &f, &s, &err), AM_E_USAGE, &err, "0 classes");
  am_test_fails(am_segmenter_create(ctx, K, NULL, NULL, &f, &s, &err), AM_E_USAGE, &err, "each");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_segmenter_create(ctx, K, NULL, note, &f, &s, &err), &err);
  am_test_fails(am_segmenter_take(s, NULL, &err), AM_E_USAGE, &err, "event");
  am_stream_event e = {.size = sizeof e, .kind = (am_stream_kind)77};
  am_test_fails(am_segmenter_take(s, &e, &err), AM_E_USAGE, &err, "kind 77");
  am_segmenter_free(s);
  am_segmenter_free(NULL);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(windows_that_overlap_are_averaged),
      cmocka_unit_test(a_change_costs_the_penalty),
      cmocka_unit_test(short_ones_go_to_the_neighbour_that_suits_better),
      cmocka_unit_test(what_was_not_heard_goes_along),
      cmocka_unit_test(values_become_steps),
      cmocka_unit_test(what_cannot_be_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
