/* SPDX-License-Identifier: MIT */
/* tests/model/test_stream.c - the streaming engine: the same events however the sound is cut, the same bits as a sound by itself,
 * memory that does not grow, and sound that something is wrong with. */
#include "made_up_voice.h"

#include <malloc.h>

#define GOLDEN AM_SOURCE_ROOT "/tests/model/golden/checkpoint-1.0.h5"
#define FUSED AM_SOURCE_ROOT "/tests/model/golden/fused-1.5.h5" /* with a set of weights for a voice that is known */
enum { MOST = 400, CLASSES = 16, USED = 2 };

typedef struct heard {
  am_stream_event at[MOST];
  float p[MOST][CLASSES];
  char text[MOST][100];
  size_t n, notices, classes;
  am_status answer; /* what the next event is answered with */
  am_context *stop; /* what is stopped at the first measurement, or NULL */
} heard;

typedef struct things {
  am_context *ctx;
  am_checkpoint *c, *detector;
  am_ensemble *e;
  char *folder, *path; /* of the detector */
} things;

static int make(void **state) {
  things *t = calloc(1, sizeof *t);
  am_error err = AM_ERROR_INIT;
  t->ctx = am_test_context(1, "plain");
  am_test_ok(am_checkpoint_load(t->ctx, GOLDEN, &t->c, &err), &err);
  am_test_ok(am_ensemble_create(t->ctx, &t->e, &err), &err);
  am_test_ok(am_ensemble_add(t->e, t->c, NULL, &err), &err);
  assert_true(am_checkpoint_classes(t->c) <= CLASSES);
  t->folder = am_test_folder();
  t->path = strdup(voice_detector(t->ctx, t->folder));
  am_test_ok(am_checkpoint_load(t->ctx, t->path, &t->detector, &err), &err);
  *state = t;
  return 0;
}

static int end(void **state) {
  things *t = *state;
  am_ensemble_free(t->e);
  am_checkpoint_free(t->c);
  am_checkpoint_free(t->detector);
  am_context_free(t->ctx);
  am_test_folder_remove(t->folder);
  free(t->folder);
  free(t->path);
  free(t);
  return 0;
}

/* Notices are kept behind the others: they may come before events of earlier sound. */
static am_status note(void *user, const am_stream_event *e, am_error *err) {
  heard *h = user;
  assert_int_equal(e->size, sizeof *e);
  if (e->kind == AM_STREAM_NOTICE) {
    h->notices++;
    const size_t i = MOST - h->notices;
    h->at[i] = *e;
    snprintf(h->text[i], sizeof h->text[i], "%s", e->text);
  } else {
    assert_true(h->n + h->notices < MOST);
    assert_null(e->text);
    h->at[h->n] = *e;
    for (size_t k = 0; k < h->classes && e->probabilities; k++) h->p[h->n][k] = e->probabilities[k];
    h->n++;
  }
  if (h->stop && e->kind == AM_STREAM_MEASURED) {
    am_context_stop(h->stop);
    h->stop = NULL;
  }
  if (h->answer) snprintf(err->message, sizeof err->message, "no more");
  if (h->answer) err->status = h->answer;
  return h->answer;
}

/* chunk 0: lengths that change. */
static void run(am_ensemble *e, const am_stream_options *o, const float *x, size_t n, double rate, size_t chunk,
                heard *h) {
  am_error err = AM_ERROR_INIT;
  am_stream *s;
  memset(h, 0, sizeof *h);
  h->classes = USED;
  am_test_ok(am_stream_create(e, o, note, h, &s, &err), &err);
  uint32_t seed = 11;
  for (size_t at = 0, some; at < n; at += some) {
    some = chunk ? chunk : 1 + (size_t)(fabsf(voice_noise(&seed)) * 9000);
    if (some > n - at) some = n - at;
    float *alone = malloc(some * sizeof *alone); /* a sanitizer sees what is read beyond */
    memcpy(alone, x + at, some * sizeof *alone);
    am_test_ok(am_stream_push(s, alone, some, rate, &err), &err);
    free(alone);
  }
  am_test_ok(am_stream_end(s, &err), &err);
  am_stream_free(s);
}

static void same(const heard *a, const heard *b) {
  assert_int_equal(a->n, b->n);
  for (size_t i = 0; i < a->n; i++) {
    const am_stream_event *x = &a->at[i], *y = &b->at[i];
    assert_int_equal(x->kind, y->kind);
    assert_int_equal(x->utterance, y->utterance);
    assert_int_equal(x->index, y->index);
    assert_int_equal(x->last, y->last);
    assert_int_equal(x->whole, y->whole);
    assert_true(x->start == y->start && x->end == y->end);
    assert_memory_equal(a->p[i], b->p[i], sizeof a->p[i]);
  }
}

static void events_do_not_depend_on_chunks(void **state) {
  things *t = *state;
  static heard whole, cut;
  static const double rates[] = {16000, 44100, 8000};
  static const size_t chunks[] = {0, 160, 4097, 333};
  const am_stream_options ways[] = {
      {.size = sizeof *ways, .window = 1.5, .hop = 0.4, .first = 0.6, .whole = 4},
      {.size = sizeof *ways, .window = 1, .hop = 0.37, .speech = AM_SPEECH_ALL},
      {.size = sizeof *ways, .longest = 2, .min_silence = 0.1},
      {.size = sizeof *ways, .longest = 5, .speech = AM_SPEECH_BY_MODEL, .detector = t->detector}};
  enum { WAYS = sizeof ways / sizeof *ways };
  for (size_t r = 0; r < 3; r++) {
    size_t n;
    float *x = voice_speech(rates[r], 23, &n);
    for (size_t w = 0; w < WAYS; w++) {
      run(t->e, &ways[w], x, n, rates[r], n, &whole);
      assert_true(whole.n > 20);
      for (size_t k = 0; k < 4; k++) {
        run(t->e, &ways[w], x, n, rates[r], chunks[k], &cut);
        same(&whole, &cut);
      }
    }
    free(x);
  }
  size_t n; /* one sample at a time */
  float *x = voice_speech(8000, 4, &n);
  for (size_t w = 0; w < WAYS; w += WAYS - 1) {
    run(t->e, &ways[w], x, n, 8000, n, &whole);
    run(t->e, &ways[w], x, n, 8000, 1, &cut);
    same(&whole, &cut);
  }
  free(x);
}

static void a_measurement_is_that_of_the_stretch_by_itself(void **state) {
  things *t = *state;
  static heard h;
  am_error err = AM_ERROR_INIT;
  const double rate = am_checkpoint_rate(t->c);
  size_t n, measured = 0;
  float *x = voice_speech(rate, 23, &n), p[CLASSES];
  run(t->e, &(am_stream_options){.size = sizeof(am_stream_options), .window = 2, .hop = 0.5, .first = 0.5, .whole = 6},
      x, n, rate, 500, &h);
  for (size_t i = 0; i < h.n; i++) {
    if (h.at[i].kind != AM_STREAM_MEASURED) continue;
    const size_t from = (size_t)llround(h.at[i].start * rate), to = (size_t)llround(h.at[i].end * rate);
    am_test_ok(am_predict_sound(t->c, x + from, to - from, p, &err), &err);
    assert_memory_equal(h.p[i], p, h.classes * sizeof *p);
    measured++;
  }
  assert_true(measured > 20);
  free(x);
}

static am_status count_windows(void *user, const am_window *w, am_error *err) {
  heard *h = user;
  (void)err;
  h->at[h->n] = (am_stream_event){.start = w->start, .end = w->end, .last = w->last, .index = w->index};
  for (size_t k = 0; k < h->classes; k++) h->p[h->n][k] = w->probabilities[k];
  h->n++;
  return AM_OK;
}

/* Where windows have to be is written down here by itself. */
static void windows_are_the_same_engine(void **state) {
  things *t = *state;
  static heard windows;
  am_error err = AM_ERROR_INIT;
  const double rate = am_checkpoint_rate(t->c), lengths[] = {9.3, 2.0, 4.0, 1.1, 2.00007};
  for (size_t l = 0; l < 5; l++) {
    size_t n, start = 0;
    float *x = voice_speech(rate, lengths[l], &n), p[CLASSES];
    memset(&windows, 0, sizeof windows);
    windows.classes = USED;
    am_test_ok(am_ensemble_windows(t->e, x, n, 2, 0.7, count_windows, &windows, &err), &err);
    const size_t length = n < (size_t)llround(2 * rate) ? n : (size_t)llround(2 * rate);
    for (size_t i = 0; i < windows.n; i++) {
      assert_int_equal(windows.at[i].index, i);
      assert_true(windows.at[i].start == (double)start / rate);
      assert_true(windows.at[i].end == (double)(start + length) / rate);
      assert_int_equal(windows.at[i].last, start + length == n);
      assert_int_equal(windows.at[i].last, i + 1 == windows.n);
      am_test_ok(am_predict_sound(t->c, x + start, length, p, &err), &err);
      assert_memory_equal(windows.p[i], p, windows.classes * sizeof *p);
      start = (size_t)fmin((double)llround((double)(i + 1) * 0.7 * rate), (double)(n - length));
    }
    free(x);
  }
}

/* Utterances are where the bursts are, each with its events in order. */
static void utterances_are_told_in_order(void **state) {
  things *t = *state;
  static heard h;
  size_t n, i = 0, utterances = 0;
  float *x = voice_speech(
      16000, 12, &n); /* speech from 0.7 to 2.6, 3.6 to 3.75 (too short), 4.65 to 9.25, 9.55 to 9.95, 10.75 on */
  const double starts[] = {0.7, 4.65, 10.75}, ends[] = {2.6, 9.95, 12};
  run(t->e, &(am_stream_options){.size = sizeof(am_stream_options), .window = 2, .hop = 1}, x, n, 16000, 1000, &h);
  while (i < h.n) {
    assert_int_equal(h.at[i].kind, AM_STREAM_SPEECH_BEGINS);
    assert_int_equal(h.at[i].utterance, utterances);
    assert_true(fabs(h.at[i].start - starts[utterances]) < 0.08);
    const double start = h.at[i].start;
    size_t measured = 0;
    for (i++; h.at[i].kind == AM_STREAM_MEASURED; i++, measured++) {
      assert_int_equal(h.at[i].utterance, utterances);
      assert_true(h.at[i].start >= start && h.at[i].end - h.at[i].start <= 2);
      assert_int_equal(h.at[i].last, h.at[i + 1].kind == AM_STREAM_SPEECH_ENDS);
    }
    assert_true(measured >= 1);
    assert_int_equal(h.at[i].kind, AM_STREAM_SPEECH_ENDS);
    if (fabs(h.at[i].end - ends[utterances]) >= 0.12) fail_msg("%zu ends at %.3f s", utterances, h.at[i].end);
    assert_true(h.at[i].end == h.at[i - 1].end);
    utterances++;
    i++;
  }
  assert_int_equal(utterances, 3);
  free(x);
}

/* A diariser's turns are utterances as they stand; a long one is cut into equal parts. */
static void turns_are_taken_as_given(void **state) {
  things *t = *state;
  static heard h, cut;
  am_error err = AM_ERROR_INIT;
  size_t n, i = 0;
  const am_stream_turn turns[] = {{0.25, 1}, {1, 3.5}, {5, 9.5}, {11.5, 40}, {50, 60}};
  const double wanted[][2] = {{0.25, 1}, {1, 3.5}, {5, 7.25}, {7.25, 9.5}, {11.5, 12}}; /* the sound ends */
  float *x = voice_speech(16000, 12, &n), p[CLASSES];
  const am_stream_options o = {
      .size = sizeof o, .window = 2, .hop = 1, .longest = 3, .speech = AM_SPEECH_GIVEN, .turns = turns, .n_turns = 5};
  am_stream_options few = o;
  run(t->e, &o, x, n, 16000, 1111, &h);
  run(t->e, &o, x, n, 16000, n, &cut);
  same(&h, &cut);
  for (size_t u = 0; u < 4; u++) {
    assert_int_equal(h.at[i].kind, AM_STREAM_SPEECH_BEGINS);
    assert_true(h.at[i].start == wanted[u][0] && h.at[i].utterance == u);
    for (i++; h.at[i].kind == AM_STREAM_MEASURED; i++) {
      const size_t from = (size_t)llround(h.at[i].start * 16000), to = (size_t)llround(h.at[i].end * 16000);
      am_test_ok(am_predict_sound(t->c, x + from, to - from, p, &err), &err);
      assert_memory_equal(h.p[i], p, h.classes * sizeof *p);
    }
    assert_true(h.at[i - 1].last && h.at[i - 1].end == wanted[u][1]);
    assert_int_equal(h.at[i].kind, AM_STREAM_SPEECH_ENDS);
    assert_true(h.at[i].start == wanted[u][0] && h.at[i].end == wanted[u][1]);
    i++;
  }
  assert_true(h.at[i].start == wanted[4][0]);
  free(x);
  am_stream *s;
  few.n_turns = 0;
  am_test_fails(am_stream_create(t->e, &few, note, &h, &s, &err), AM_E_USAGE, &err,
                "0 turns, and speech is given by them");
  const am_stream_turn bad[][2] = {{{1, 1}, {2, 3}}, {{1, 3}, {2, 4}}, {{-1, 3}, {4, 5}}, {{1, NAN}, {4, 5}}};
  for (size_t b = 0; b < 4; b++) {
    few = (am_stream_options){.size = sizeof few, .speech = AM_SPEECH_GIVEN, .turns = bad[b], .n_turns = 2};
    am_test_fails(am_stream_create(t->e, &few, note, &h, &s, &err), AM_E_USAGE, &err, "wanted turns in order");
  }
}

/* Once enough of the voice was heard, stretches are what a model says that was told of the utterances before. */
static void a_voice_is_learned(void **state) {
  things *t = *state;
  static heard h, cut;
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c, *other;
  am_ensemble *e;
  am_profile *voice;
  size_t n, known = 0, unknown = 0;
  float p[CLASSES];
  am_test_ok(am_checkpoint_load(t->ctx, FUSED, &c, &err), &err);
  am_test_ok(am_checkpoint_load(t->ctx, FUSED, &other, &err), &err);
  assert_true(am_checkpoint_uses_speaker(c));
  am_test_ok(am_ensemble_create(t->ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, c, NULL, &err), &err);
  const double rate = am_checkpoint_rate(c);
  float *x = voice_speech(rate, 40, &n);
  const am_stream_options o = {
      .size = sizeof o, .window = 1, .hop = 1, .longest = 5, .learn_voice = true, .voice_seconds = 4};
  run(e, &o, x, n, rate, 1111, &h);
  run(e, &o, x, n, rate, n, &cut);
  same(&h, &cut);
  am_test_ok(am_profile_of_model(other, &voice, &err), &err);
  for (size_t i = 0; i < h.n; i++) {
    const size_t from = (size_t)llround(h.at[i].start * rate), to = (size_t)llround(h.at[i].end * rate);
    if (h.at[i].kind == AM_STREAM_SPEECH_ENDS) am_test_ok(am_profile_add(voice, x + from, to - from, &err), &err);
    if (h.at[i].kind != AM_STREAM_MEASURED) continue;
    am_checkpoint_forget_speaker(other);
    if (am_profile_seconds(voice) >= 4) am_test_ok(am_checkpoint_enrol(other, voice, &err), &err);
    am_test_ok(am_predict_sound(other, x + from, to - from, p, &err), &err);
    assert_memory_equal(h.p[i], p, h.classes * sizeof *p);
    *(am_checkpoint_knows_speaker(other) ? &known : &unknown) += 1;
  }
  assert_true(known > 5 && unknown > 2);
  am_profile_free(voice);
  am_stream *s;
  const am_stream_options all = {.size = sizeof all, .speech = AM_SPEECH_ALL, .learn_voice = true};
  am_test_fails(am_stream_create(e, &all, note, &h, &s, &err), AM_E_USAGE, &err, "learn_voice");
  am_ensemble_free(e);
  am_checkpoint_free(c);
  am_checkpoint_free(other);
  free(x);
}

static void silence_has_no_events(void **state) {
  things *t = *state;
  static heard h;
  float *x = calloc(160000, sizeof *x);
  run(t->e, NULL, x, 160000, 16000, 700, &h);
  assert_int_equal(h.n + h.notices, 0);
  run(t->e, NULL, x, 0, 16000, 700, &h);
  assert_int_equal(h.n, 0);
  run(t->e, &(am_stream_options){.size = sizeof(am_stream_options), .speech = AM_SPEECH_ALL}, x, 160000, 16000, 700,
      &h);
  assert_int_equal(h.n, 10); /* begins, eight measurements, ends */
  assert_int_equal(h.at[1].heard.unheard, AM_UNHEARD_SILENT);
  assert_true(isnan(h.p[1][0]));
  free(x);
}

static void trouble_is_told_and_passed_over(void **state) {
  things *t = *state;
  static heard h, clean;
  am_error err = AM_ERROR_INIT;
  size_t n;
  float *x = voice_speech(16000, 9, &n);
  for (size_t i = 3000; i < 3100; i++) x[i] = 0; /* silence at 0.19 s, as what is no number is heard */
  for (size_t i = 5000; i < 5010; i++) x[i] = 0;
  run(t->e, NULL, x, n, 16000, 900, &clean);
  for (size_t i = 3000; i < 3100; i++) x[i] = i % 3 ? NAN : INFINITY;
  for (size_t i = 5000; i < 5010; i++) x[i] = -INFINITY;
  run(t->e, NULL, x, n, 16000, 77, &h);
  same(&h, &clean);
  assert_int_equal(h.notices, 2);
  assert_true(h.at[MOST - 1].start == 3000.0 / 16000);
  assert_non_null(strstr(h.text[MOST - 1], "not finite"));
  assert_true(h.at[MOST - 2].start == 5000.0 / 16000);
  free(x);

  x = voice_speech(16000, 3, &n); /* cut off */
  for (size_t i = 0; i < n; i++) x[i] = fminf(1, fmaxf(-1, 20 * x[i]));
  run(t->e, NULL, x, n, 16000, 900, &h);
  assert_int_equal(h.notices, 1);
  assert_non_null(strstr(h.text[MOST - 1], "full scale"));
  free(x);

  am_stream *s; /* what is lost keeps its time; the rate may change */
  memset(&h, 0, sizeof h);
  h.classes = USED;
  am_test_ok(am_stream_create(t->e, NULL, note, &h, &s, &err), &err);
  x = voice_speech(16000, 2, &n);
  am_test_ok(am_stream_push(s, x, n, 16000, &err), &err);
  am_test_ok(am_stream_lost(s, 1.5, &err), &err);
  free(x);
  x = voice_speech(48000, 2, &n);
  am_test_ok(am_stream_push(s, x, n, 48000, &err), &err);
  am_test_ok(am_stream_end(s, &err), &err);
  assert_true(fabs(am_stream_seconds(s) - 5.5) < 1e-3);
  assert_int_equal(h.notices, 2);
  assert_true(h.at[MOST - 1].start == 2 && h.at[MOST - 2].start == 3.5);
  assert_non_null(strstr(h.text[MOST - 1], "1.500 s of sound were lost"));
  assert_non_null(strstr(h.text[MOST - 2], "48000 Hz"));
  assert_int_equal(h.at[0].kind, AM_STREAM_SPEECH_BEGINS);
  assert_true(fabs(h.at[0].start - 0.7) < 0.05);
  bool again = false;
  for (size_t i = 1; i < h.n; i++) again |= h.at[i].kind == AM_STREAM_SPEECH_BEGINS && fabs(h.at[i].start - 4.2) < 0.05;
  assert_true(again);
  am_stream_free(s);
  free(x);
}

static void what_cannot_be_is_refused(void **state) {
  things *t = *state;
  static heard h;
  am_error err = AM_ERROR_INIT;
  am_stream *s;
  float x[100] = {0};
  am_ensemble *empty;
  memset(&h, 0, sizeof h);
  const struct {
    am_stream_options o;
    const char *words;
  } bad[] = {{{.size = sizeof bad[0].o, .window = -1}, "window is -1"},
             {{.size = sizeof bad[0].o, .window = 601}, "window is 601"},
             {{.size = sizeof bad[0].o, .hop = NAN}, "hop"},
             {{.size = sizeof bad[0].o, .window = 2, .first = 3}, "first is 3; wanted 0.1 to 2"},
             {{.size = sizeof bad[0].o, .whole = 1}, "whole is 1; wanted 3 to 600"},
             {{.size = sizeof bad[0].o, .threshold = 1}, "threshold"},
             {{.size = sizeof bad[0].o, .longest = 1e9}, "longest"},
             {{.size = sizeof bad[0].o, .speech = (am_stream_speech)9}, "speech is 9"},
             {{.size = 3}, "size"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    am_test_fails(am_stream_create(t->e, &bad[i].o, note, &h, &s, &err), AM_E_USAGE, &err, bad[i].words);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_ensemble_create(t->ctx, &empty, &err), &err);
  am_test_fails(am_stream_create(empty, NULL, note, &h, &s, &err), AM_E_USAGE, &err, "without a model");
  am_ensemble_free(empty);
  am_test_fails(am_stream_create(t->e, NULL, NULL, &h, &s, &err), AM_E_USAGE, &err, "each may not be NULL");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_stream_create(t->e, NULL, note, &h, &s, &err), &err);
  am_test_fails(am_stream_push(s, x, 100, 0, &err), AM_E_USAGE, &err, "0 Hz");
  am_test_fails(am_stream_push(s, NULL, 100, 16000, &err), AM_E_USAGE, &err, "samples");
  am_test_fails(am_stream_lost(s, -1, &err), AM_E_USAGE, &err, "-1 s");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_stream_push(s, x, 100, 16000, &err), &err);
  am_test_ok(am_stream_end(s, &err), &err);
  am_test_fails(am_stream_push(s, x, 100, 16000, &err), AM_E_USAGE, &err, "has ended");
  am_stream_free(s);
  am_stream_free(NULL);
}

static void who_listens_can_end_it(void **state) {
  things *t = *state;
  static heard h;
  am_error err = AM_ERROR_INIT;
  am_stream *s;
  size_t n;
  float *x = voice_speech(16000, 5, &n);
  memset(&h, 0, sizeof h);
  h.answer = AM_E_DATA;
  am_test_ok(am_stream_create(t->e, NULL, note, &h, &s, &err), &err);
  am_test_fails(am_stream_push(s, x, n, 16000, &err), AM_E_DATA, &err, "no more");
  assert_int_equal(h.n, 1);
  am_test_fails(am_stream_end(s, &err), AM_E_USAGE, &err, "failed before");
  am_stream_free(s);
  err = (am_error)AM_ERROR_INIT;
  h.answer = AM_OK;
  am_test_ok(am_stream_create(t->e, NULL, note, &h, &s, &err), &err);
  am_context_stop(t->ctx);
  am_test_fails(am_stream_push(s, x, n, 16000, &err), AM_E_STOPPED, &err, "stopped after");
  am_context_resume(t->ctx);
  am_stream_free(s);
  free(x);
}

/* Ctrl-C while a chunk is heard: what is open is told, measured to the end of what was heard. */
static void a_stop_in_a_chunk_leaves_nothing_untold(void **state) {
  things *t = *state;
  static heard h;
  am_error err = AM_ERROR_INIT;
  am_stream *s;
  size_t n;
  float *x = voice_speech(16000, 5, &n);
  memset(&h, 0, sizeof h);
  h.stop = t->ctx;
  const am_stream_options o = {.size = sizeof o, .window = 1, .hop = 0.25, .first = 0.25};
  am_test_ok(am_stream_create(t->e, &o, note, &h, &s, &err), &err);
  am_test_fails(am_stream_push(s, x, n, 16000, &err), AM_E_STOPPED, &err, "stopped after");
  const size_t before = h.n;
  const double seconds = am_stream_seconds(s);
  assert_true(seconds < (double)n / 16000);
  assert_int_equal(h.at[before - 1].kind, AM_STREAM_MEASURED);
  am_context_resume(t->ctx);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_stream_end(s, &err), &err);
  assert_true(h.n > before + 1);
  const am_stream_event *whole = &h.at[h.n - 2], *end = &h.at[h.n - 1];
  assert_int_equal(end->kind, AM_STREAM_SPEECH_ENDS);
  assert_int_equal(whole->kind, AM_STREAM_MEASURED);
  assert_true(whole->last);
  assert_true(end->start == whole->start && end->end == whole->end && end->end <= seconds);
  am_stream_free(s);
  free(x);
}

/* ---- memory ---- */

typedef struct counted {
  size_t now, most;
} counted;

static void *count_bytes(void *user, void *pointer, size_t bytes) {
  counted *c = user;
  const size_t before = pointer ? malloc_usable_size(pointer) : 0;
  void *moved = NULL;
  if (bytes) moved = realloc(pointer, bytes);
  else free(pointer);
  c->now += (moved ? malloc_usable_size(moved) : 0) - before;
  if (c->now > c->most) c->most = c->now;
  return moved;
}

static size_t most_memory(double seconds, am_stream_speech way, const char *detector) {
  counted c = {0};
  am_settings settings = {
      .size = sizeof settings, .threads = 1, .cpu = "plain", .resize = count_bytes, .memory_user = &c};
  am_error err = AM_ERROR_INIT;
  am_context *ctx;
  am_checkpoint *m, *d = NULL;
  am_ensemble *e;
  am_stream *s;
  static heard h;
  am_test_ok(am_context_create(&settings, &ctx, &err), &err);
  am_test_ok(am_checkpoint_load(ctx, GOLDEN, &m, &err), &err);
  am_test_ok(am_ensemble_create(ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, m, NULL, &err), &err);
  if (way == AM_SPEECH_BY_MODEL) am_test_ok(am_checkpoint_load(ctx, detector, &d, &err), &err);
  const am_stream_options o = {.size = sizeof o, .window = 1, .hop = 1, .longest = 5, .speech = way, .detector = d};
  am_test_ok(am_stream_create(e, &o, note, &h, &s, &err), &err);
  size_t n;
  float *x = voice_speech(44100, 20, &n);
  for (double at = 0; at < seconds; at += 20) {
    memset(&h, 0, sizeof h);
    h.classes = USED;
    am_test_ok(am_stream_push(s, x, n, 44100, &err), &err);
  }
  memset(&h, 0, sizeof h);
  am_test_ok(am_stream_end(s, &err), &err);
  free(x);
  am_stream_free(s);
  am_ensemble_free(e);
  am_checkpoint_free(m);
  am_checkpoint_free(d);
  am_context_free(ctx);
  assert_int_equal(c.now, 0);
  return c.most;
}

static void memory_does_not_grow_with_the_sound(void **state) {
  const things *t = *state;
  const double slack = 4096; /* what an allocator rounds up */
  static const am_stream_speech ways[] = {AM_SPEECH_BY_LEVEL, AM_SPEECH_ALL, AM_SPEECH_BY_MODEL};
  for (int w = 0; w < 3; w++)
    assert_true(fabs((double)most_memory(60, ways[w], t->path) - (double)most_memory(600, ways[w], t->path)) < slack);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  size_t n;
  float *x = voice_speech(44100, 5, &n);
  for (long i = 1;; i++) {
    am_test_memory m;
    am_error err = AM_ERROR_INIT;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_checkpoint *c;
    am_ensemble *e;
    am_stream *s = NULL;
    static heard h;
    memset(&h, 0, sizeof h);
    h.classes = USED;
    am_test_ok(am_checkpoint_load(ctx, GOLDEN, &c, &err), &err);
    am_test_ok(am_ensemble_create(ctx, &e, &err), &err);
    am_test_ok(am_ensemble_add(e, c, NULL, &err), &err);
    am_test_memory_arm(&m, i);
    am_status status = am_stream_create(e, NULL, note, &h, &s, &err);
    if (!status) status = am_stream_push(s, x, n, 44100, &err);
    if (!status) status = am_stream_end(s, &err);
    const bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_stream_free(s);
    am_ensemble_free(e);
    am_checkpoint_free(c);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(events_do_not_depend_on_chunks),
      cmocka_unit_test(a_measurement_is_that_of_the_stretch_by_itself),
      cmocka_unit_test(windows_are_the_same_engine),
      cmocka_unit_test(utterances_are_told_in_order),
      cmocka_unit_test(turns_are_taken_as_given),
      cmocka_unit_test(a_voice_is_learned),
      cmocka_unit_test(silence_has_no_events),
      cmocka_unit_test(trouble_is_told_and_passed_over),
      cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(who_listens_can_end_it),
      cmocka_unit_test(a_stop_in_a_chunk_leaves_nothing_untold),
      cmocka_unit_test(memory_does_not_grow_with_the_sound),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make, end);
}
