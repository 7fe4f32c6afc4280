/* SPDX-License-Identifier: MIT */
/* serve/listener.c - see listener.h. */
#include "serve/listener.h"

#include "model/checkpoint.h"
#include "model/ensemble.h"

struct am_listener {
  am_context *ctx;
  am_ensemble *share;
  am_stream *stream;
  am_segmenter *segmenter;
  am_thresholds thresholds;
  am_event_teller teller;
  am_listener_tell tell;
};

static am_status on_segment(void *user, const am_segment *s, am_error *err) {
  am_listener *l = user;
  (void)err;
  const am_segment_row row = am_event_row(&l->teller, s);
  if (l->tell.segment) l->tell.segment(l->tell.user, &row);
  return AM_OK;
}

static am_status on_event(void *user, const am_stream_event *e, am_error *err) {
  am_listener *l = user;
  /* What an utterance came to is told before its end. */
  am_status st = am_segmenter_take(l->segmenter, e, err);
  if (!st && l->tell.event) l->tell.event(l->tell.user, &l->teller, e);
  return st;
}

/* The model's own thresholds are of that model alone, not of a mean of several. */
static void judge_by(am_listener *l, const am_hear_settings *s) {
  const am_checkpoint *m = am_ensemble_model(l->share, 0);
  const bool alone = am_ensemble_models(l->share) == 1;
  l->teller.model = m;
  if (s->threshold >= 0) {
    for (int k = 0; k < m->classes; k++) l->thresholds.at[k] = s->threshold;
    if (s->threshold > 0) l->teller.thresholds = &l->thresholds;
    return;
  }
  l->thresholds = am_checkpoint_set_for(m, false)->thresholds;
  if (!alone || !(l->thresholds.precision > 0)) return;
  l->teller.thresholds = &l->thresholds;
  l->teller.own = s->learn_voice;
}

static am_status find_speech_by(const am_listener *l, int vad, am_stream_options *stream, am_error *err) {
  am_checkpoint *detector = am_ensemble_detector(l->share);
  if (vad == AM_VAD_MODEL && !detector)
    return am_fail(err, AM_E_CONFIG, "settings: vad is model, and this server has no detector of speech");
  if (!detector || vad == AM_VAD_ENERGY || vad == AM_VAD_NONE) return AM_OK;
  stream->speech = AM_SPEECH_BY_MODEL;
  stream->detector = detector;
  return AM_OK;
}

am_status am_listener_create(const am_ensemble *model, const am_hear_settings *s, const am_listener_tell *tell,
                             am_listener **out, am_error *err) {
  am_context *ctx = am_ensemble_context(model);
  am_stream_options stream;
  am_segment_options segments;
  am_listener *l = *out = am_alloc(ctx, 1, sizeof *l);
  if (!l) return am_no_memory(err);
  l->ctx = ctx;
  l->tell = *tell;
  am_hear_settings_apply(s, &stream, &segments);
  segments.values = am_ensemble_model(model, 0)->values;
  am_status st = AM_OK;
  if (segments.values && s->threshold >= 0)
    st = am_fail(err, AM_E_CONFIG,
                 "settings: threshold is of emotions, and this server's model tells values of dimensions");
  if (!st) st = am_ensemble_share(model, &l->share, err);
  if (!st) st = find_speech_by(l, s->vad, &stream, err);
  if (!st) judge_by(l, s);
  if (!st) st = am_segmenter_create(ctx, l->teller.model->classes, &segments, on_segment, l, &l->segmenter, err);
  if (!st) st = am_stream_create(l->share, &stream, on_event, l, &l->stream, err);
  if (!st) return AM_OK;
  am_listener_free(l);
  *out = NULL;
  return st;
}

void am_listener_free(am_listener *l) {
  if (!l) return;
  am_stream_free(l->stream);
  am_segmenter_free(l->segmenter);
  am_ensemble_unshare(l->share);
  am_free(l->ctx, l);
}

am_status am_listener_push(am_listener *l, am_ears *ears, const float *samples, size_t n, double rate, am_error *err) {
  am_ears_lend(ears, l->share);
  am_status st = am_stream_push(l->stream, samples, n, rate, err);
  am_ears_take(ears, l->share);
  return st;
}

am_status am_listener_end(am_listener *l, am_ears *ears, am_error *err) {
  am_ears_lend(ears, l->share);
  am_status st = am_stream_end(l->stream, err);
  am_ears_take(ears, l->share);
  return st;
}

double am_listener_seconds(const am_listener *l) { return am_stream_seconds(l->stream); }
