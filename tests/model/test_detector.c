/* SPDX-License-Identifier: MIT */
/* tests/model/test_detector.c - speech by a trained model: each step is what the model says of its window alone, at any rate and in
 * any chunks; what is no detector is refused; memory may run out, and does not grow. */
#include "made_up_voice.h"

#include "audio/resample.h"
#include "model/span.h"

#define GOLDEN AM_SOURCE_ROOT "/tests/model/golden/checkpoint-1.0.h5"
enum { MOST = 4000 };

typedef struct things {
  am_context *ctx;
  am_checkpoint *detector;
  char *folder, *path;
} things;

typedef struct told {
  uint64_t end[MOST];
  float score[MOST];
  size_t n;
} told;

static int make(void **state) {
  things *t = calloc(1, sizeof *t);
  am_error err = AM_ERROR_INIT;
  t->ctx = am_test_context(1, "plain");
  t->folder = am_test_folder();
  t->path = strdup(voice_detector(t->ctx, t->folder));
  am_test_ok(am_checkpoint_load(t->ctx, t->path, &t->detector, &err), &err);
  *state = t;
  return 0;
}

static int end(void **state) {
  things *t = *state;
  am_checkpoint_free(t->detector);
  am_context_free(t->ctx);
  am_test_folder_remove(t->folder);
  free(t->folder);
  free(t->path);
  free(t);
  return 0;
}

static am_status take_due(am_detector *d, told *out, am_error *err) {
  uint64_t to;
  am_status status = AM_OK;
  while (!status && am_detector_due(d, &to)) {
    assert_true(out->n < MOST);
    out->end[out->n] = to;
    status = am_detector_next(d, &out->score[out->n++], err);
  }
  return status;
}

static am_status hear(am_context *ctx, am_checkpoint *model, const float *x, size_t n, double rate, size_t chunk,
                      told *out, am_error *err) {
  am_detector *d;
  memset(out, 0, sizeof *out);
  am_status status = am_detector_create(ctx, model, rate, &d, err);
  if (status) return status;
  for (size_t at = 0, some; at < n && !status; at += some) {
    some = chunk < n - at ? chunk : n - at;
    status = am_detector_push(d, x + at, some, err);
    if (!status) status = take_due(d, out, err);
  }
  if (!status) status = am_detector_end(d, err);
  if (!status) status = take_due(d, out, err);
  am_detector_free(d);
  return status;
}

/* Where windows have to be is written down here by itself: silence before and after the sound. */
static void a_step_is_what_the_model_says_of_its_window(void **state) {
  const things *t = *state;
  static told one, cut;
  static const double rates[] = {16000, 44100, 8000};
  am_error err = AM_ERROR_INIT;
  enum { WINDOW = 3200, LOOK = 1920 };
  for (size_t r = 0; r < 3; r++) {
    size_t n, own;
    float *x = voice_speech(rates[r], 9.1, &n), *made = NULL, p[2];
    am_test_ok(hear(t->ctx, t->detector, x, n, rates[r], n, &one, &err), &err);
    for (size_t chunk = 1; chunk < 5000; chunk = chunk * 9 + 1) {
      am_test_ok(hear(t->ctx, t->detector, x, n, rates[r], chunk, &cut, &err), &err);
      assert_int_equal(cut.n, one.n);
      assert_memory_equal(cut.score, one.score, one.n * sizeof *one.score);
      assert_memory_equal(cut.end, one.end, one.n * sizeof *one.end);
    }
    own = n;
    if (rates[r] != 16000) am_test_ok(am_resample(t->ctx, x, n, rates[r], 16000, &made, &own, &err), &err);
    float *padded = calloc(own + WINDOW + 2 * LOOK, sizeof *padded);
    memcpy(padded + WINDOW, made ? made : x, own * sizeof *padded);
    assert_int_equal(one.n, (size_t)(9.1 / 0.03));
    const int speech = am_checkpoint_class(t->detector, "speech");
    for (size_t k = 0; k < one.n; k++) {
      am_heard heard = {.size = sizeof heard};
      assert_int_equal(one.end[k], (uint64_t)llround((double)(k + 1) * 0.03 * rates[r]));
      const size_t to = (size_t)llround((double)(k + 1) * 0.03 * 16000) + LOOK;
      am_test_ok(am_predict_heard(t->detector, padded + to, WINDOW, p, &heard, &err), &err);
      assert_true(one.score[k] == p[speech]);
    }
    free(padded);
    am_free(t->ctx, made);
    free(x);
  }
}

static void bursts_are_found(void **state) {
  const things *t = *state;
  static told h;
  am_error err = AM_ERROR_INIT;
  size_t n, right = 0;
  float *x = voice_speech(16000, 40, &n);
  am_test_ok(hear(t->ctx, t->detector, x, n, 16000, 1000, &h, &err), &err);
  for (size_t k = 0; k < h.n; k++) right += (h.score[k] >= 0.5f) == voice_at((double)h.end[k] / 16000 - 0.015);
  if (right < h.n * 9 / 10) fail_msg("%zu of %zu steps", right, h.n);
  memset(x, 0, n * sizeof *x);
  am_test_ok(hear(t->ctx, t->detector, x, n, 16000, 1000, &h, &err), &err);
  for (size_t k = 0; k < h.n; k++) assert_true(h.score[k] == 0);
  am_test_ok(hear(t->ctx, t->detector, x, 0, 16000, 1000, &h, &err), &err);
  assert_int_equal(h.n, 0);
  free(x);
}

static void what_is_no_detector_is_refused(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c;
  am_detector *d;
  am_ensemble *e;
  am_stream *s;
  am_test_ok(am_checkpoint_load(t->ctx, GOLDEN, &c, &err), &err);
  am_test_fails(am_detector_create(t->ctx, c, 16000, &d, &err), AM_E_USAGE, &err,
                "this is no speech detector: it has 3 classes");
  assert_null(d);
  am_test_fails(am_detector_create(t->ctx, t->detector, 1, &d, &err), AM_E_USAGE, &err, "1 Hz");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_ensemble_create(t->ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, c, NULL, &err), &err);
  am_stream_options o = {.size = sizeof o, .speech = AM_SPEECH_BY_MODEL, .detector = c};
  am_stream_fn never = (am_stream_fn)1;
  am_test_fails(am_stream_create(e, &o, never, NULL, &s, &err), AM_E_USAGE, &err, "no speech detector");
  o.detector = NULL;
  am_test_fails(am_stream_create(e, &o, never, NULL, &s, &err), AM_E_USAGE, &err,
                "detector is NULL, and speech is found by a model");
  o = (am_stream_options){.size = sizeof o, .detector = t->detector};
  am_test_fails(am_stream_create(e, &o, never, NULL, &s, &err), AM_E_USAGE, &err,
                "detector is given, and speech is not found by a model");
  am_ensemble_free(e);
  am_checkpoint_free(c);
}

static void a_detector_comes_with_it(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c;
  setenv("AUDIOMOOD_DETECTOR", t->path, 1);
  am_test_ok(am_checkpoint_shipped_detector(t->ctx, &c, &err), &err);
  assert_int_equal(am_checkpoint_class(c, "speech") >= 0, 1);
  am_checkpoint_free(c);
  static const char *const bad[] = {"", "/none.h5", AM_SOURCE_ROOT};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    setenv("AUDIOMOOD_DETECTOR", bad[i], 1);
    assert_int_equal(am_checkpoint_shipped_detector(t->ctx, &c, &err), AM_E_IO);
    assert_null(c);
    assert_non_null(strstr(err.message, "AUDIOMOOD_DETECTOR"));
  }
  unsetenv("AUDIOMOOD_DETECTOR");
}

static void every_allocation_may_fail(void **state) {
  const things *t = *state;
  static told h;
  size_t n;
  float *x = voice_speech(44100, 1, &n);
  for (long i = 1;; i++) {
    am_test_memory m;
    am_error err = AM_ERROR_INIT;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_checkpoint *c;
    am_test_ok(am_checkpoint_load(ctx, t->path, &c, &err), &err);
    am_test_memory_arm(&m, i);
    const am_status status = hear(ctx, c, x, n, 44100, 3000, &h, &err);
    const bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_checkpoint_free(c);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_is_what_the_model_says_of_its_window),
      cmocka_unit_test(bursts_are_found),
      cmocka_unit_test(what_is_no_detector_is_refused),
      cmocka_unit_test(a_detector_comes_with_it),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
