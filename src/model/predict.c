/* SPDX-License-Identifier: MIT */
/* model/predict.c - probabilities of single sounds. */
#include "model/predict.h"

#include <math.h>

#include "audio/resample.h"
#include "data/batch.h"
#include "model/calibration.h"

struct am_predictor {
  am_features *fx;
  float *x;            /* (T,F) of the model's input */
  am_session *session; /* made when it is asked first, by all threads */
};

void am_predictor_free(am_context *ctx, am_predictor *p) {
  if (!p) return;
  if (p->session) am_session_free(p->session);
  if (p->fx) am_features_free(p->fx);
  am_free_aligned(ctx, p->x);
  am_free(ctx, p);
}

static am_status predictor_create(am_context *ctx, am_checkpoint *c, am_error *err) {
  am_predictor *p = am_alloc(ctx, 1, sizeof *p);
  if (!p) return am_no_memory(err);
  am_status status = am_features_create(ctx, &c->config->features, &p->fx, err);
  if (!status && !(p->x = am_alloc_aligned(ctx, am_mul(am_shape_count(c->input), sizeof *p->x))))
    status = am_no_memory(err);
  if (status) am_predictor_free(ctx, p);
  else c->predictor = p;
  return status;
}

static am_status fill_input(am_context *ctx, am_checkpoint *c, const float *samples, size_t n, float *x, int *length,
                            am_error *err) {
  am_predictor *p = c->predictor;
  int room, bins;
  am_features_shape(p->fx, n, &room, &bins);
  if (bins != c->input.f * c->input.c)
    return am_fail(err, AM_E_SHAPE, "the checkpoint's features have %d bins, its model wants %d", bins,
                   c->input.f * c->input.c);
  const am_batch_source source = {.ctx = ctx, .nz = &c->normaliser, .fx = p->fx, .t = c->input.t, .f = bins};
  const am_batch_clip clip = {.sound = samples, .n = n};
  return am_batch_put(&source, &clip, 0, x, length, err);
}

static am_status check_voice(const am_checkpoint *c, am_error *err) {
  if (c->normaliser.kind != AM_NORMALISE_SPEAKER || c->normaliser.speaker_mean) return AM_OK;
  return am_fail(err, AM_E_USAGE,
                 "this model normalises by speaker: add sounds of the same speaker first (am_checkpoint_add_speaker)");
}

am_status am_predict_input(am_checkpoint *c, const float *samples, size_t n, float *x, int *length, am_error *err) {
  am_status status = check_voice(c, err);
  if (!status && !c->predictor) status = predictor_create(c->ctx, c, err);
  return status ? status : fill_input(c->ctx, c, samples, n, x, length, err);
}

/* What a model has of a sound before it is asked: its features, in the predictor. */
typedef struct am_listening {
  am_checkpoint *model;
  int length; /* frames */
  am_heard heard;
  am_status status;
  am_error why;
} am_listening;

static am_status listen(am_checkpoint *c, const float *samples, size_t n, am_listening *l, am_error *err) {
  am_context *ctx = c->ctx;
  const double rate = (double)c->config->features.sample_rate;
  if (!n) return am_fail(err, AM_E_USAGE, "there is no sound to predict from: 0 samples");
  am_status status = check_voice(c, err);
  if (status) return status;
  l->heard.unheard = am_sound_unheard(samples, n, rate);
  if (l->heard.unheard) return AM_OK;
  if (!c->predictor) status = predictor_create(ctx, c, err);
  if (!status) status = fill_input(ctx, c, samples, n, c->predictor->x, &l->length, err);
  if (status) return status;
  l->heard.seconds = (double)am_features_heard(c->predictor->fx, samples, n, c->input.t, &l->heard.cut) / rate;
  return AM_OK;
}

static am_status answer(am_checkpoint *c, am_listening *l, float *probabilities, am_error *err) {
  am_predictor *p = c->predictor;
  am_status status = p->session ? AM_OK : am_session_create(c->model, 1, false, &p->session, err);
  am_batch batch = {.size = sizeof batch, .n = 1, .x = p->x, .lengths = c->input.variable ? &l->length : NULL};
  if (!status) status = am_session_forward(p->session, &batch, false, err);
  if (status) return status;
  am_checkpoint_answer(c, am_session_output(p->session), 1, probabilities);
  for (int k = 0; k < c->classes; k++)
    if (!isfinite(probabilities[k]))
      return am_fail(err, AM_E_NUMERIC, "the model's output for this sound is not a number");
  return AM_OK;
}

/* ---- a sound for one model or several ---- */

am_status am_sound_for(am_context *ctx, const float *samples, double from, double to, float **made, const float **out,
                       size_t *n, am_error *err) {
  *made = NULL;
  *out = samples;
  if (from == to || !*n) return AM_OK;
  am_status status = am_resample(ctx, samples, *n, from, to, made, n, err);
  *out = *made;
  return status;
}

static void listen_to(const am_hearing *h, am_checkpoint *m, am_listening *l) {
  float *made;
  const float *samples;
  size_t n = h->n;
  *l = (am_listening){.model = m, .heard = {.size = sizeof l->heard}, .why = AM_ERROR_INIT};
  l->status = am_sound_for(m->ctx, h->samples, h->rate, m->config->features.sample_rate, &made, &samples, &n, &l->why);
  if (!l->status) l->status = listen(m, samples, n, l, &l->why);
  am_free(m->ctx, made);
}

static void listen_piece(void *arg, size_t i, int worker) {
  am_hearing *h = arg;
  (void)worker;
  listen_to(h, h->listening[i].model, &h->listening[i]);
}

static am_listening *listening_of(const am_hearing *h, const am_checkpoint *m) {
  for (size_t i = 0; i < h->models; i++)
    if (h->listening[i].model == m) return &h->listening[i];
  return NULL;
}

am_status am_hearing_listen(am_context *ctx, am_hearing *h, am_checkpoint *const *models, size_t n, am_error *err) {
  if (n < 2) return AM_OK;
  h->listening = am_alloc(ctx, n, sizeof *h->listening);
  if (!h->listening) return am_no_memory(err);
  for (size_t i = 0; i < n; i++)
    if (!listening_of(h, models[i])) h->listening[h->models++].model = models[i];
  am_parallel_for(ctx, h->models, listen_piece, h);
  return AM_OK;
}

void am_hearing_end(am_context *ctx, am_hearing *h) {
  am_free(ctx, h->listening);
  h->listening = NULL;
  h->models = 0;
}

am_status am_predict_ask(void *user, size_t i, am_checkpoint *m, float *probabilities, am_error *err) {
  am_hearing *h = user;
  am_listening mine, *l = listening_of(h, m);
  (void)i;
  if (!l) listen_to(h, m, l = &mine);
  for (int k = 0; k < m->classes; k++) probabilities[k] = NAN;
  am_status status = l->status ? am_fail(err, l->status, "%s", l->why.message) : AM_OK;
  if (!status && !l->heard.unheard) status = answer(m, l, probabilities, err);
  if (!h->begun) {
    h->heard = l->heard;
  } else {
    if (!h->heard.unheard) h->heard.unheard = l->heard.unheard;
    h->heard.cut |= l->heard.cut;
    h->heard.seconds = fmin(h->heard.seconds, l->heard.seconds);
  }
  h->begun = true;
  return status;
}

static am_status predict(am_checkpoint *c, const float *samples, size_t n, float *probabilities, am_heard *heard,
                         am_error *err) {
  am_hearing h = {.samples = samples, .n = n, .rate = am_checkpoint_rate(c), .heard = {.size = sizeof h.heard}};
  am_status status = am_fusion_ask(c, 0, (size_t)c->classes, am_predict_ask, &h, probabilities, err);
  *heard = h.heard;
  return status;
}

static am_status check(const am_checkpoint *c, const float *samples, size_t n, const float *probabilities,
                       am_error *err) {
  am_status status = AM_NEED(err, c);
  if (!status) status = AM_NEED(err, probabilities);
  if (!status && n) status = AM_NEED(err, samples);
  return status;
}

am_status am_predict_heard(am_checkpoint *c, const float *samples, size_t n, float *probabilities, am_heard *heard,
                           am_error *err) {
  am_heard mine;
  am_status status = check(c, samples, n, probabilities, err);
  if (!status) status = am_size_check(heard, SIZE_MAX, sizeof mine, "am_heard", err);
  if (status) return status;
  status = predict(c, samples, n, probabilities, &mine, err);
  am_size_give(heard, &mine, sizeof mine);
  return status;
}

am_status am_predict_sound(am_checkpoint *c, const float *samples, size_t n, float *probabilities, am_error *err) {
  am_heard heard;
  am_status status = check(c, samples, n, probabilities, err);
  if (!status) status = predict(c, samples, n, probabilities, &heard, err);
  if (status) return status;
  const double seconds = (double)n / am_checkpoint_rate(c);
  if (heard.unheard)
    return am_fail(err, AM_E_DATA, "there is nothing to hear in this sound of %.3f s: it is %s", seconds,
                   am_unheard_name(heard.unheard));
  if (heard.cut && !c->told) {
    am_log(c->ctx, AM_LOG_WARNING, "a sound of %.1f s is longer than what this model hears; only its start is heard",
           seconds);
    c->told = true;
  }
  return AM_OK;
}
