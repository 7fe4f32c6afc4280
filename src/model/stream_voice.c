/* SPDX-License-Identifier: MIT */
/* model/stream_voice.c - a voice that becomes known while it is heard. */
#include "model/ensemble.h"
#include "model/predict.h"
#include "model/stream.h"

struct am_stream_voice {
  am_context *ctx;
  am_ensemble *ensemble;
  am_profile **of; /* one a model; NULL: it uses none */
  size_t n;
  double rate, seconds; /* of the samples; from when on the voice is known */
};

am_status am_stream_voice_create(am_ensemble *ensemble, double seconds, am_stream_voice **out, am_error *err) {
  am_context *ctx = am_ensemble_context(ensemble);
  const size_t n = am_ensemble_models(ensemble);
  am_status status = AM_OK;
  bool any = false;
  *out = NULL;
  for (size_t i = 0; i < n; i++) any |= am_checkpoint_uses_speaker(am_ensemble_model(ensemble, i));
  if (!any) return AM_OK;
  am_stream_voice *v = am_alloc(ctx, 1, sizeof *v);
  if (!v) return am_no_memory(err);
  *v = (am_stream_voice){.ctx = ctx, .ensemble = ensemble, .n = n, .seconds = seconds};
  v->rate = am_checkpoint_rate(am_ensemble_model(ensemble, 0));
  if (!(v->of = am_alloc(ctx, n, sizeof(am_profile *)))) status = am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++)
    if (am_checkpoint_uses_speaker(am_ensemble_model(ensemble, i)))
      status = am_profile_of_model(am_ensemble_model(ensemble, i), &v->of[i], err);
  if (status) am_stream_voice_free(v);
  else *out = v;
  return status;
}

void am_stream_voice_free(am_stream_voice *v) {
  if (!v) return;
  for (size_t i = 0; i < v->n && v->of; i++) am_profile_free(v->of[i]);
  am_free(v->ctx, v->of);
  am_free(v->ctx, v);
}

/* What has nothing to hear in it teaches nothing. */
static am_status add(const am_stream_voice *v, am_profile *p, const float *samples, size_t n, am_error *err) {
  float *made;
  const float *x;
  am_error why = AM_ERROR_INIT;
  am_status status = am_sound_for(v->ctx, samples, v->rate, am_profile_rate(p), &made, &x, &n, &why);
  if (!status) status = am_profile_add(p, x, n, &why);
  am_free(v->ctx, made);
  return status && status != AM_E_DATA ? am_fail(err, status, "%s", why.message) : AM_OK;
}

am_status am_stream_voice_add(am_stream_voice *v, const float *samples, size_t n, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < v->n && !status; i++)
    if (v->of[i]) status = add(v, v->of[i], samples, n, err);
  return status;
}

/* A model that has to know a voice, of which nothing was heard before: by the stretch itself. */
static am_status use_itself(const am_stream_voice *v, am_checkpoint *m, const float *samples, size_t n, am_error *err) {
  am_profile *own;
  am_status status = am_profile_of_model(m, &own, err);
  if (!status) status = add(v, own, samples, n, err);
  if (!status && am_profile_seconds(own) > 0) status = am_checkpoint_enrol(m, own, err);
  am_profile_free(own);
  return status;
}

am_status am_stream_voice_use(am_stream_voice *v, const float *samples, size_t n, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < v->n && !status; i++) {
    am_checkpoint *m = am_ensemble_model(v->ensemble, i);
    if (!v->of[i]) continue;
    const double heard = am_profile_seconds(v->of[i]);
    am_checkpoint_forget_speaker(m);
    if (heard >= v->seconds || (heard > 0 && am_checkpoint_wants_speaker(m)))
      status = am_checkpoint_enrol(m, v->of[i], err);
    else if (am_checkpoint_wants_speaker(m)) status = use_itself(v, m, samples, n, err);
  }
  return status;
}
