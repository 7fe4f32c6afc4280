/* SPDX-License-Identifier: MIT */
/* model/stream.c - the streaming engine: samples in, events out.
 *
 *   push        what comes in is made finite and brought to the models' rate
 *   hear        the detector goes over it in steps of its own, wherever chunks end
 *   measure     stretches of what is kept are asked for as if they were sounds by themselves
 * Positions are samples at the models' rate since the stream began; what is kept of them is from `base` on. */
#include "model/stream.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/resample.h"
#include "model/detector.h"
#include "model/ensemble.h"
#include "model/span.h"

enum { BLOCK = 4096 }; /* samples taken at a time, so that what is kept does not grow with a chunk */

/* The options, in samples. */
typedef struct steps {
  uint64_t window, first, whole;
  double hop; /* not rounded: window k begins at the sample nearest to k hops */
} steps;

typedef struct stretch {
  uint64_t start, end;
} stretch;

struct am_stream {
  am_context *ctx;
  am_ensemble *ensemble; /* borrowed */
  am_stream_fn each;
  void *user;
  double rate; /* Hz, of the models */
  steps steps;
  am_detector *detector; /* NULL: all is speech, or turns are given */
  am_spans spans;
  stretch *turns; /* (n_turns) those that were given; NULL: none were */
  size_t n_turns, next_turn;
  am_stream_voice *voice; /* NULL: none is learned */

  double from;             /* Hz of what comes in; 0: nothing did */
  double before;           /* s that came in before that rate */
  uint64_t taken;          /* samples since */
  am_resampler *resampler; /* NULL: none is wanted */
  bool was_finite;

  float *kept;
  size_t n_kept, room;
  uint64_t base, heard; /* position of kept[0]; up to where it is told what is speech */

  bool open;      /* an utterance is under way */
  uint64_t start; /* of it */
  uint64_t k;     /* its next measurement */
  bool clipped;   /* it was told of */
  size_t utterance, index;
  float *p; /* (K) */
  am_status failed;
  bool ended;
};

/* ---- events ---- */

static double seconds_at(const am_stream *s, uint64_t position) { return (double)position / s->rate; }
static uint64_t position(const am_stream *s) { return s->base + s->n_kept; }

static am_status tell(am_stream *s, am_stream_event *e, uint64_t start, uint64_t end, am_error *err) {
  e->size = sizeof *e;
  e->utterance = s->utterance;
  e->start = seconds_at(s, start);
  e->end = seconds_at(s, end);
  e->heard.size = sizeof e->heard;
  return s->each(s->user, e, err);
}

static am_status notice(am_stream *s, const char *text, double at, am_error *err) {
  am_stream_event e = {
      .size = sizeof e, .kind = AM_STREAM_NOTICE, .utterance = s->utterance, .index = s->index, .text = text};
  e.start = e.end = at;
  e.heard.size = sizeof e.heard;
  return s->each(s->user, &e, err);
}

/* Once an utterance: more than a hundredth of a stretch is at full scale. */
static am_status notice_clipping(am_stream *s, const float *x, size_t n, double at, am_error *err) {
  size_t full = 0;
  for (size_t i = 0; i < n && !s->clipped; i++) full += fabsf(x[i]) >= 0.99f;
  if (s->clipped || full <= n / 100) return AM_OK;
  s->clipped = true;
  char text[80];
  snprintf(text, sizeof text, "%.0f %% of the samples are at full scale: the sound is cut off",
           100 * (double)full / (double)n);
  return notice(s, text, at, err);
}

static am_status measure(am_stream *s, uint64_t from, uint64_t to, bool last, am_error *err) {
  am_stream_event e = {.kind = AM_STREAM_MEASURED,
                       .index = s->index,
                       .last = last,
                       .whole = last && from == s->start,
                       .probabilities = s->p};
  e.heard.size = sizeof e.heard;
  const float *x = s->kept + (from - s->base);
  const size_t n = (size_t)(to - from);
  am_status status = notice_clipping(s, x, n, seconds_at(s, from), err);
  if (!status && s->voice) status = am_stream_voice_use(s->voice, x, n, err);
  if (!status) status = am_ensemble_predict(s->ensemble, x, n, s->p, &e.heard, err);
  if (!status) status = tell(s, &e, from, to, err);
  s->index++;
  return status;
}

/* ---- measurements ---- */

/* Where measurement k of the utterance begins, if it has begun before: it is `first` long, and longer up to `window`. */
static uint64_t due_start(const am_stream *s, uint64_t k) {
  const uint64_t moved = (uint64_t)llround((double)k * s->steps.hop), slack = s->steps.window - s->steps.first;
  return s->start + (moved > slack ? moved - slack : 0);
}
static uint64_t due_end(const am_stream *s, uint64_t k) {
  return s->start + (uint64_t)llround((double)k * s->steps.hop) + s->steps.first;
}

/* All that are due when speech goes on at sample `at`. */
static am_status measure_due(am_stream *s, uint64_t at, am_error *err) {
  am_status status = AM_OK;
  for (uint64_t end; !status && (end = due_end(s, s->k)) < at; s->k++) {
    status = measure(s, due_start(s, s->k), end, false, err);
    if (!status && am_context_stopping(s->ctx))
      status = am_fail(err, AM_E_STOPPED, "stopped after %.2f s of a sound", seconds_at(s, end));
  }
  return status;
}

static am_status begin(am_stream *s, uint64_t start, am_error *err) {
  am_stream_event e = {.kind = AM_STREAM_SPEECH_BEGINS, .index = s->index};
  s->open = true;
  s->start = start;
  s->k = 0;
  s->clipped = false;
  return tell(s, &e, start, start, err);
}

static am_status finish(am_stream *s, uint64_t end, am_error *err) {
  am_stream_event e = {.kind = AM_STREAM_SPEECH_ENDS};
  const uint64_t length = end - s->start, longest = length <= s->steps.whole ? s->steps.whole : s->steps.window;
  am_status status = length ? measure(s, length > longest ? end - longest : s->start, end, true, err) : AM_OK;
  e.index = s->index;
  if (!status && s->voice && length)
    status = am_stream_voice_add(s->voice, s->kept + (s->start - s->base), (size_t)length, err);
  if (!status) status = tell(s, &e, s->start, end, err);
  s->open = false;
  s->utterance++;
  return status;
}

/* ---- hearing ---- */

static am_status hear_step(am_stream *s, uint64_t to, float score, am_error *err) {
  const am_span_news news = am_spans_hear(&s->spans, s->heard, to, score);
  am_status status = AM_OK;
  s->heard = to;
  if (news == AM_SPAN_BEGINS) status = begin(s, s->spans.start, err);
  if (news == AM_SPAN_ENDS || news == AM_SPAN_CUT) status = finish(s, s->spans.end, err);
  if (!status && news == AM_SPAN_CUT) status = begin(s, s->spans.next, err);
  if (!status && s->open && !s->spans.quiet) status = measure_due(s, to, err);
  return status;
}

/* All steps that the detector has heard enough for. */
static am_status hear_steps(am_stream *s, am_error *err) {
  uint64_t to;
  am_status status = AM_OK;
  while (!status && am_detector_due(s->detector, &to)) {
    float score;
    status = am_detector_next(s->detector, &score, err);
    if (!status) status = hear_step(s, to, score, err);
  }
  return status;
}

/* Turns that have begun, up to sample `at`. */
static am_status hear_turns(am_stream *s, uint64_t at, am_error *err) {
  am_status status = AM_OK;
  while (!status && s->next_turn < s->n_turns) {
    const stretch *t = &s->turns[s->next_turn];
    if (!s->open && t->start >= at) break;
    if (!s->open) status = begin(s, t->start, err);
    if (!status) status = measure_due(s, at < t->end ? at : t->end, err);
    if (status || at < t->end) break;
    s->next_turn++;
    status = finish(s, t->end, err);
  }
  return status;
}

/* What may still be asked for. */
static uint64_t needed(const am_stream *s) {
  const uint64_t at = position(s);
  if (s->turns) return s->open ? s->start : at; /* turns that have begun are open */
  if (s->detector) return s->open ? s->start : am_spans_needed(&s->spans, s->heard);
  const uint64_t tail = at > s->steps.window ? at - s->steps.window : 0, next = due_start(s, s->k);
  if (at - s->start <= s->steps.whole) return s->start;
  return tail < next ? tail : next;
}

static void forget(am_stream *s) {
  const uint64_t from = needed(s);
  if (from <= s->base) return;
  const size_t gone = (size_t)(from - s->base);
  if (gone < s->n_kept / 2 && s->n_kept + BLOCK <= s->room) return; /* moved seldom */
  s->n_kept -= gone;
  memmove(s->kept, s->kept + gone, s->n_kept * sizeof *s->kept);
  s->base = from;
}

static am_status hear(am_stream *s, am_error *err) {
  am_status status = AM_OK;
  const uint64_t at = position(s);
  if (s->turns) {
    status = hear_turns(s, at, err);
  } else if (s->detector) {
    status = hear_steps(s, err);
  } else {
    if (!s->open && at > 0) status = begin(s, 0, err);
    if (!status && s->open) status = measure_due(s, at, err);
  }
  if (!status && am_context_stopping(s->ctx))
    status = am_fail(err, AM_E_STOPPED, "stopped after %.2f s of a sound", seconds_at(s, at));
  forget(s);
  return status;
}

static am_status make_room(am_stream *s, am_error *err) {
  return am_grow(s->ctx, &s->kept, &s->room, s->n_kept + BLOCK, sizeof *s->kept, err);
}

/* n at most BLOCK samples at the models' rate. */
static am_status keep(am_stream *s, const float *x, size_t n, am_error *err) {
  am_status status = make_room(s, err);
  if (status) return status;
  memcpy(s->kept + s->n_kept, x, n * sizeof *x);
  s->n_kept += n;
  status = s->detector ? am_detector_push(s->detector, x, n, err) : AM_OK;
  return status ? status : hear(s, err);
}

/* ---- what comes in ---- */

/* x NULL: the end of what the resampler takes. */
static am_status resample(am_stream *s, const float *x, size_t n, am_error *err) {
  float made[BLOCK];
  size_t used, some;
  am_status status;
  do {
    status = am_resampler_run(s->resampler, x, n, &used, made, BLOCK, &some, err);
    if (!status && some) status = keep(s, made, some, err);
    if (x) x += used, n -= used;
  } while (!status && (x ? n > 0 : some > 0));
  return status;
}

static am_status end_rate(am_stream *s, am_error *err) {
  am_status status = s->resampler ? resample(s, NULL, 0, err) : AM_OK;
  am_resampler_free(s->resampler);
  s->resampler = NULL;
  return status;
}

static am_status change_rate(am_stream *s, double rate, am_error *err) {
  const bool told = s->from > 0;
  am_status status = end_rate(s, err);
  if (told) s->before += (double)s->taken / s->from;
  s->taken = 0;
  s->from = rate;
  if (!status && rate != s->rate) status = am_resampler_create(s->ctx, rate, s->rate, &s->resampler, err);
  char text[80];
  snprintf(text, sizeof text, "the sound goes on at %g Hz", rate);
  return status || !told ? status : notice(s, text, s->before, err);
}

/* When the sample comes in that is `ahead` samples from now. */
static double coming(const am_stream *s, size_t ahead) { return s->before + (double)(s->taken + ahead) / s->from; }

/* Zeros for what is not finite, and a notice for each run of these. */
static am_status make_finite(am_stream *s, const float *x, size_t n, float *clean, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < n && !status; i++) {
    const bool finite = isfinite(x[i]);
    clean[i] = finite ? x[i] : 0;
    if (s->was_finite && !finite)
      status = notice(s, "samples that are not finite are heard as silence", coming(s, i), err);
    s->was_finite = finite;
  }
  return status;
}

/* n at most BLOCK samples. */
static am_status take(am_stream *s, const float *x, size_t n, am_error *err) {
  float clean[BLOCK];
  am_status status = make_finite(s, x, n, clean, err);
  if (!status) s->taken += n;
  if (status) return status;
  return s->resampler ? resample(s, clean, n, err) : keep(s, clean, n, err);
}

static am_status usable(const am_stream *s, am_error *err) {
  am_status status = AM_NEED(err, s);
  if (status) return status;
  if (s->failed)
    return am_fail(err, AM_E_USAGE, "this stream has failed before (%s); free it", am_status_name(s->failed));
  return s->ended ? am_fail(err, AM_E_USAGE, "this stream has ended; make another one") : AM_OK;
}

/* Being stopped is no failure: it happens between two measurements. */
static am_status note_failure(am_stream *s, am_status status) {
  s->failed = status == AM_E_STOPPED ? AM_OK : status;
  return status;
}

am_status am_stream_push(am_stream *s, const float *samples, size_t n, double rate, am_error *err) {
  am_status status = usable(s, err);
  if (!status && n) status = AM_NEED(err, samples);
  if (!status && !(rate >= 1 && rate <= 1e7))
    status = am_fail(err, AM_E_USAGE, "sound at %g Hz; wanted 1 Hz to 10 MHz", rate);
  if (status) return status;
  if (rate != s->from) status = change_rate(s, rate, err);
  for (size_t some; n && !status; n -= some, samples += some) {
    some = n < BLOCK ? n : BLOCK;
    status = take(s, samples, some, err);
  }
  return note_failure(s, status);
}

am_status am_stream_lost(am_stream *s, double seconds, am_error *err) {
  static const float silence[BLOCK];
  am_status status = usable(s, err);
  if (!status && !(seconds >= 0 && seconds <= 86400))
    status = am_fail(err, AM_E_USAGE, "%g s of sound lost; wanted 0 to 86400", seconds);
  if (status) return status;
  char text[80];
  snprintf(text, sizeof text, "%.3f s of sound were lost; silence takes their place", seconds);
  if (!(s->from > 0)) s->from = s->rate;
  status = notice(s, text, coming(s, 0), err);
  for (size_t n = (size_t)llround(seconds * s->from), some; n && !status; n -= some) {
    some = n < BLOCK ? n : BLOCK;
    status = take(s, silence, some, err);
  }
  return note_failure(s, status);
}

am_status am_stream_end(am_stream *s, am_error *err) {
  am_status status = usable(s, err);
  if (status) return status;
  status = end_rate(s, err);
  const uint64_t at = position(s);
  if (!status && s->detector) status = am_detector_end(s->detector, err);
  if (!status && s->detector) status = hear_steps(s, err);
  if (!status && s->open) {
    if (s->detector) am_spans_end(&s->spans, at);
    status = finish(s, s->detector ? s->spans.end : at, err);
  }
  s->ended = true;
  s->failed = status;
  return status;
}

double am_stream_seconds(const am_stream *s) { return s ? seconds_at(s, position(s)) : 0; }

/* ---- making one ---- */

static double or_default(double x, double otherwise) { return x == 0 ? otherwise : x; }

static am_status in_range(const char *name, double x, double low, double high, am_error *err) {
  if (x >= low && x <= high) return AM_OK;
  return am_fail(err, AM_E_USAGE, "am_stream_options.%s is %g; wanted %g to %g", name, x, low, high);
}

static am_status check_turns(const am_stream_options *o, am_error *err) {
  const bool given = o->speech == AM_SPEECH_GIVEN;
  if (given != (o->n_turns > 0) || (o->n_turns && !o->turns))
    return am_fail(err, AM_E_USAGE, "am_stream_options: %zu turns, and speech is %s", o->n_turns,
                   given ? "given by them" : "not given by turns");
  for (size_t i = 0; i < o->n_turns; i++) {
    const am_stream_turn *t = &o->turns[i];
    if (!(t->start >= 0 && t->end > t->start && t->end < 1e9 && (!i || t->start >= t[-1].end)))
      return am_fail(err, AM_E_USAGE, "am_stream_options.turns: number %zu is from %g to %g s; wanted turns in order",
                     i, t->start, t->end);
  }
  return AM_OK;
}

static am_status fill_in(am_stream_options *o, am_error *err) {
  o->window = or_default(o->window, 3);
  o->hop = or_default(o->hop, 1);
  o->first = or_default(o->first, o->window);
  o->whole = or_default(o->whole, o->window);
  o->threshold = or_default(o->threshold, 0.5);
  o->min_speech = or_default(o->min_speech, 0.25);
  o->min_silence = or_default(o->min_silence, 0.4);
  o->padding = or_default(o->padding, 0.03);
  o->longest = or_default(o->longest, 30);
  o->voice_seconds = or_default(o->voice_seconds, 2);
  const struct {
    const char *name;
    double x, low, high;
  } all[] = {{"window", o->window, 0.1, 600},           {"hop", o->hop, 0.01, 600},
             {"first", o->first, 0.1, o->window},       {"whole", o->whole, o->window, 600},
             {"threshold", o->threshold, 0.01, 0.99},   {"min_speech", o->min_speech, 0.01, 10},
             {"min_silence", o->min_silence, 0.01, 10}, {"padding", o->padding, 0, 1},
             {"longest", o->longest, 1, 600},           {"voice_seconds", o->voice_seconds, 0.1, 1e6}};
  am_status status = AM_OK;
  for (size_t i = 0; i < sizeof all / sizeof *all && !status; i++)
    status = in_range(all[i].name, all[i].x, all[i].low, all[i].high, err);
  if (!status && (unsigned)o->speech > AM_SPEECH_BY_MODEL)
    status = am_fail(err, AM_E_USAGE, "am_stream_options.speech is %d; no such way", (int)o->speech);
  if (!status && o->learn_voice && o->speech == AM_SPEECH_ALL)
    status = am_fail(err, AM_E_USAGE,
                     "am_stream_options.learn_voice: a voice is learned by utterances, and nothing ends them");
  if (!status && (o->speech == AM_SPEECH_BY_MODEL) != (o->detector != NULL))
    status = am_fail(err, AM_E_USAGE, "am_stream_options.detector is %s, and speech is %sfound by a model",
                     o->detector ? "given" : "NULL", o->detector ? "not " : "");
  return status ? status : check_turns(o, err);
}

static uint64_t samples_of(const am_stream *s, double seconds) { return (uint64_t)llround(seconds * s->rate); }

/* In samples, the long ones in parts. */
static am_status take_turns(am_stream *s, const am_stream_options *o, am_error *err) {
  const uint64_t longest = samples_of(s, o->longest);
  size_t n = 0;
  for (int assign = 0; assign < 2; assign++) {
    n = 0;
    for (size_t i = 0; i < o->n_turns; i++) {
      const uint64_t start = samples_of(s, o->turns[i].start), length = samples_of(s, o->turns[i].end) - start;
      const uint64_t parts = length / longest + (length % longest > 0);
      for (uint64_t k = 0; k < parts; k++, n++)
        if (assign) s->turns[n] = (stretch){start + length * k / parts, start + length * (k + 1) / parts};
    }
    if (!assign && !(s->turns = am_alloc(s->ctx, n + 1, sizeof *s->turns))) return am_no_memory(err);
  }
  s->n_turns = n;
  return AM_OK;
}

static am_status listen(am_stream *s, const am_stream_options *o, am_error *err) {
  s->steps = (steps){.window = samples_of(s, o->window),
                     .first = samples_of(s, o->first),
                     .whole = samples_of(s, o->whole),
                     .hop = o->hop * s->rate};
  am_spans_init(&s->spans, &(am_span_options){.threshold = (float)o->threshold,
                                              .min_speech = samples_of(s, o->min_speech),
                                              .min_silence = samples_of(s, o->min_silence),
                                              .padding = samples_of(s, o->padding),
                                              .longest = samples_of(s, o->longest)});
  am_status status = o->learn_voice ? am_stream_voice_create(s->ensemble, o->voice_seconds, &s->voice, err) : AM_OK;
  if (status || o->speech == AM_SPEECH_ALL) return status;
  if (o->speech == AM_SPEECH_GIVEN) return take_turns(s, o, err);
  return am_detector_create(s->ctx, o->detector, s->rate, &s->detector, err);
}

am_status am_stream_open(am_ensemble *ensemble, const am_stream_options *o, am_stream_fn each, void *user,
                         am_stream **out, am_error *err) {
  am_context *ctx = am_ensemble_context(ensemble);
  const am_checkpoint *first = am_ensemble_model(ensemble, 0);
  am_stream *s = am_alloc(ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  *s = (am_stream){.ctx = ctx, .ensemble = ensemble, .each = each, .user = user, .was_finite = true};
  s->rate = am_checkpoint_rate(first);
  s->p = am_alloc(ctx, (size_t)am_checkpoint_classes(first), sizeof *s->p);
  am_status status = s->p ? listen(s, o, err) : am_no_memory(err);
  if (status) am_stream_free(s);
  else *out = s;
  return status;
}

am_status am_stream_create(am_ensemble *ensemble, const am_stream_options *options, am_stream_fn each, void *user,
                           am_stream **out, am_error *err) {
  am_stream_options o = {.size = sizeof o};
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ensemble);
  if (!status) status = AM_NEED(err, each);
  if (!status && options) status = am_size_take(&o, sizeof o, options, sizeof o, "am_stream_options", err);
  if (!status) status = am_ensemble_check(ensemble, err);
  if (!status) status = fill_in(&o, err);
  return status ? status : am_stream_open(ensemble, &o, each, user, out, err);
}

void am_stream_free(am_stream *s) {
  if (!s) return;
  am_detector_free(s->detector);
  am_stream_voice_free(s->voice);
  am_free(s->ctx, s->turns);
  am_resampler_free(s->resampler);
  am_free(s->ctx, s->kept);
  am_free(s->ctx, s->p);
  am_free(s->ctx, s);
}
