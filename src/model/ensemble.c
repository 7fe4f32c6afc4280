/* SPDX-License-Identifier: MIT */
/* model/ensemble.c - several models as one: a sound as a whole, and in windows. */
#include "model/ensemble.h"
#include "model/predict.h"
#include "model/stream.h"

#include <math.h>
#include <string.h>

typedef struct member {
  am_checkpoint *model; /* borrowed */
  char *name;
} member;

struct am_ensemble {
  am_context *ctx;
  member *at;
  size_t n;
  float *p;                /* (2,K): the sum, and those of one model */
  am_checkpoint *detector; /* borrowed, or NULL */
};

am_status am_ensemble_create(am_context *ctx, am_ensemble **out, am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  if ((status = AM_NEED(err, ctx))) return status;
  if (!(*out = am_alloc(ctx, 1, sizeof **out))) return am_no_memory(err);
  (*out)->ctx = ctx;
  return AM_OK;
}

void am_ensemble_free(am_ensemble *e) {
  if (!e) return;
  for (size_t i = 0; i < e->n; i++) am_free(e->ctx, e->at[i].name);
  am_free(e->ctx, e->at);
  am_free(e->ctx, e->p);
  am_free(e->ctx, e);
}

static am_status check_classes(const am_checkpoint *first, const am_checkpoint *m, const char *name, am_error *err) {
  if (m->values != first->values)
    return am_fail(err, AM_E_USAGE, "%s: it tells %s, and the first model %s", name,
                   m->values ? "dimensions" : "emotions", first->values ? "dimensions" : "emotions");
  bool same = m->classes == first->classes;
  for (int k = 0; k < m->classes && same; k++) same = strcmp(m->labels[k], first->labels[k]) == 0;
  for (int k = 0; k < m->classes && same && m->values; k++)
    if (!am_scale_equal(m->scale[k], first->scale[k]))
      return am_fail(err, AM_E_USAGE, "%s: its scale of %s is %g to %g, that of the first model %g to %g", name,
                     m->labels[k], m->scale[k].low, m->scale[k].high, first->scale[k].low, first->scale[k].high);
  if (same) return AM_OK;
  return am_fail(err, AM_E_USAGE, "%s: it has other %s (%s, ... of %d) than the first model (%s, ... of %d)", name,
                 m->values ? "dimensions" : "classes", m->labels[0], m->classes, first->labels[0], first->classes);
}

am_status am_ensemble_add(am_ensemble *e, am_checkpoint *model, const char *name, am_error *err) {
  am_status status = AM_NEED(err, e);
  if (!status) status = AM_NEED(err, model);
  if (status) return status;
  if (!name) name = "a model";
  if (e->n && (status = check_classes(e->at[0].model, model, name, err))) return status;
  member *more = am_resize(e->ctx, e->at, e->n + 1, sizeof *more);
  if (!more) return am_no_memory(err);
  e->at = more;
  if (!e->p && !(e->p = am_alloc(e->ctx, am_mul(2, (size_t)model->classes), sizeof *e->p))) return am_no_memory(err);
  char *copy = am_strdup(e->ctx, name);
  if (!copy) return am_no_memory(err);
  e->at[e->n++] = (member){model, copy};
  return AM_OK;
}

am_context *am_ensemble_context(const am_ensemble *e) { return e->ctx; }
am_checkpoint *am_ensemble_model(const am_ensemble *e, size_t i) { return e->at[i].model; }
void am_ensemble_set_detector(am_ensemble *e, am_checkpoint *detector) { e->detector = detector; }
am_checkpoint *am_ensemble_detector(const am_ensemble *e) { return e->detector; }
const char *am_ensemble_name(const am_ensemble *e, size_t i) { return e->at[i].name; }
size_t am_ensemble_models(const am_ensemble *e) { return e ? e->n : 0; }

am_status am_ensemble_check_rate(const am_ensemble *e, size_t i, am_error *err) {
  const double rate = am_checkpoint_rate(e->at[i].model), wanted = am_checkpoint_rate(e->at[0].model);
  if (rate == wanted) return AM_OK;
  return am_fail(err, AM_E_USAGE, "%s: it takes sounds at %g Hz, the first model at %g Hz", e->at[i].name, rate,
                 wanted);
}

am_status am_ensemble_check(const am_ensemble *e, am_error *err) {
  am_status status = AM_NEED(err, e);
  if (!status && !e->n) status = am_fail(err, AM_E_USAGE, "an ensemble without a model; add one");
  for (size_t i = 1; !status && i < e->n; i++) status = am_ensemble_check_rate(e, i, err);
  return status;
}

static am_status check(const am_ensemble *e, const float *samples, size_t n, am_error *err) {
  am_status status = am_ensemble_check(e, err);
  return !status && n ? AM_NEED(err, samples) : status;
}

am_status am_ensemble_mean(const am_ensemble *e, size_t numbers, am_ask_fn ask, void *user, float *mean, float *one,
                           am_error *err) {
  am_status status = am_fusion_ask(e->at[0].model, 0, numbers, ask, user, mean, err);
  for (size_t i = 1; i < e->n && !status; i++) {
    status = am_fusion_ask(e->at[i].model, i, numbers, ask, user, one, err);
    for (size_t k = 0; k < numbers && !status; k++) mean[k] += one[k];
  }
  for (size_t k = 0; k < numbers && e->n > 1; k++) mean[k] = status ? NAN : mean[k] / (float)e->n;
  return status;
}

/* The single models that have a say, up to `room` of them; their number. */
static size_t asked(const am_ensemble *e, am_checkpoint **out, size_t room) {
  size_t n = 0;
  for (size_t i = 0; i < e->n; i++)
    for (size_t j = 0; j < am_checkpoint_members(e->at[i].model); j++)
      if (am_checkpoint_weight(e->at[i].model, j) > 0 && n++ < room)
        out[n - 1] = am_checkpoint_member(e->at[i].model, j);
  return n;
}

/* Into e->p. */
static am_status predict(am_ensemble *e, const float *samples, size_t n, am_heard *heard, am_error *err) {
  const size_t classes = (size_t)e->at[0].model->classes;
  am_hearing h = {
      .samples = samples, .n = n, .rate = am_checkpoint_rate(e->at[0].model), .heard = {.size = sizeof h.heard}};
  am_checkpoint *models[64]; /* any more listen when they are asked */
  const size_t room = sizeof models / sizeof *models, all = asked(e, models, room);
  am_status status = am_hearing_listen(e->ctx, &h, models, all < room ? all : room, err);
  if (!status) status = am_ensemble_mean(e, classes, am_predict_ask, &h, e->p, e->p + classes, err);
  am_hearing_end(e->ctx, &h);
  *heard = h.heard;
  return status;
}

am_status am_ensemble_predict(am_ensemble *e, const float *samples, size_t n, float *probabilities, am_heard *heard,
                              am_error *err) {
  am_heard mine;
  am_status status = check(e, samples, n, err);
  if (!status) status = AM_NEED(err, probabilities);
  if (!status && heard) status = am_size_check(heard, SIZE_MAX, sizeof mine, "am_heard", err);
  if (status) return status;
  status = predict(e, samples, n, &mine, err);
  memcpy(probabilities, e->p, (size_t)e->at[0].model->classes * sizeof *probabilities);
  if (heard) am_size_give(heard, &mine, sizeof mine);
  return status;
}

static am_status check_steps(double window, double hop, double rate, am_error *err) {
  if (!(window >= 0 && window < 1e9))
    return am_fail(err, AM_E_USAGE, "windows of %g s; wanted more than 0, or 0: the whole sound", window);
  if (window > 0 && !(hop * rate >= 1 && hop < 1e9))
    return am_fail(err, AM_E_USAGE, "windows that begin %g s apart; wanted at least a sample (%g s)", hop, 1 / rate);
  return AM_OK;
}

/* Windows are what the streaming engine measures when all of a sound is one utterance. */
static am_status tell_window(void *user, const am_stream_event *e, am_error *err) {
  const am_window_teller *t = user;
  if (e->kind != AM_STREAM_MEASURED) return AM_OK;
  const am_window w = {.size = sizeof w,
                       .index = e->index,
                       .start = e->start,
                       .end = e->end,
                       .seconds = e->end - e->start,
                       .last = e->last,
                       .probabilities = e->probabilities,
                       .heard = e->heard};
  return t->each(t->user, &w, err);
}

am_status am_ensemble_windows_open(am_ensemble *e, double window, double hop, const am_window_teller *teller,
                                   am_stream **out, am_error *err) {
  *out = NULL;
  am_status status = am_ensemble_check(e, err);
  if (!status) status = check_steps(window, hop, am_checkpoint_rate(e->at[0].model), err);
  if (status) return status;
  const am_stream_options o = {
      .size = sizeof o, .window = window, .hop = hop, .first = window, .whole = window, .speech = AM_SPEECH_ALL};
  am_window_teller *told = (am_window_teller *)teller; /* only read */
  return am_stream_open(e, &o, tell_window, told, out, err);
}

static am_status one_window(am_ensemble *e, const float *samples, size_t n, double rate, am_window_fn each, void *user,
                            am_error *err) {
  am_window w = {
      .size = sizeof w, .end = (double)n / rate, .seconds = (double)n / rate, .last = true, .probabilities = e->p};
  am_status status = predict(e, samples, n, &w.heard, err);
  return status ? status : each(user, &w, err);
}

am_status am_ensemble_windows(am_ensemble *e, const float *samples, size_t n, double window, double hop,
                              am_window_fn each, void *user, am_error *err) {
  am_status status = check(e, samples, n, err);
  if (!status && !each) status = am_fail(err, AM_E_USAGE, "am_ensemble_windows: each may not be NULL");
  if (status) return status;
  const double rate = am_checkpoint_rate(e->at[0].model);
  if ((status = check_steps(window, hop, rate, err))) return status;
  if (!llround(window * rate) || !n) return one_window(e, samples, n, rate, each, user, err);
  const am_window_teller teller = {each, user};
  am_stream *s;
  status = am_ensemble_windows_open(e, window, hop, &teller, &s, err);
  if (!status) status = am_stream_push(s, samples, n, rate, err);
  if (!status) status = am_stream_end(s, err);
  am_stream_free(s);
  return status;
}
