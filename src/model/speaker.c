/* SPDX-License-Identifier: MIT */
/* model/speaker.c - the statistics of a speaker's own sounds, for models that normalise by them; and a model's features. */
#include <string.h>

#include "model/predict.h"
#include "model/profile.h"

static bool wants(const am_checkpoint *m) { return !m->n_members && m->normaliser.kind == AM_NORMALISE_SPEAKER; }

bool am_checkpoint_uses_speaker(const am_checkpoint *c) {
  bool any = c && wants(c);
  for (size_t i = 0; c && i < c->n_members; i++) any |= wants(c->members[i]);
  return any;
}

/* With two sets of weights nobody has to be known: the first is for that. */
bool am_checkpoint_wants_speaker(const am_checkpoint *c) { return am_checkpoint_uses_speaker(c) && !c->known; }

bool am_checkpoint_knows_speaker(const am_checkpoint *c) {
  bool any = false, all = true;
  for (size_t i = 0; i < am_checkpoint_members(c); i++) {
    const am_checkpoint *m = c->members ? c->members[i] : c;
    if (!wants(m)) continue;
    any = true;
    all &= m->speaker.count > 0;
  }
  return any && all;
}

static void forget(am_checkpoint *c) {
  am_norm_free(c->ctx, &c->speaker);
  c->speaker = (am_norm_stats){0};
  c->enrolled = false;
  am_free(c->ctx, c->normaliser.speaker_mean);
  am_free(c->ctx, c->normaliser.speaker_inverse);
  c->normaliser.speaker_mean = c->normaliser.speaker_inverse = NULL;
  c->normaliser.n_speakers = 0;
}

void am_checkpoint_forget_speaker(am_checkpoint *c) {
  for (size_t i = 0; i < am_checkpoint_members(c); i++)
    if (wants(am_checkpoint_member(c, i))) forget(am_checkpoint_member(c, i));
  if (c) c->heard = false;
}

static am_status begin(am_checkpoint *c, int f, am_error *err) {
  am_normaliser *nz = &c->normaliser;
  am_status status = am_norm_init(c->ctx, &c->speaker, f, err);
  if (status) return status;
  nz->f = f;
  nz->speaker_mean = am_alloc(c->ctx, (size_t)f, sizeof *nz->speaker_mean);
  nz->speaker_inverse = am_alloc(c->ctx, (size_t)f, sizeof *nz->speaker_inverse);
  if (nz->speaker_mean && nz->speaker_inverse) nz->n_speakers = 1;
  else status = am_no_memory(err);
  if (status) forget(c);
  return status;
}

static am_status add(am_checkpoint *c, const am_features *fx, const float *samples, size_t n, am_error *err) {
  int t, f;
  am_features_shape(fx, n, &t, &f);
  float *x = am_alloc(c->ctx, am_mul((size_t)t, (size_t)f), sizeof *x);
  if (!x) return am_no_memory(err);
  am_status status = am_features_compute(fx, samples, n, 1, x, &t, err);
  if (!status) am_norm_add(&c->speaker, x, t);
  am_free(c->ctx, x);
  return status;
}

/* Sounds that are heard against themselves are taken as they are, as evaluation takes a speaker's clips. */
static void finish(am_checkpoint *c) {
  am_normaliser *nz = &c->normaliser;
  const am_norm_stats *prior = c->enrolled && nz->training.f ? &nz->training : NULL;
  const am_feature_options *o = &c->config->features;
  am_norm_shrink(&c->speaker, prior, am_feature_rows(o, o->shrink), nz->by_all, nz->speaker_mean, nz->speaker_inverse);
}

static am_status add_sound(am_checkpoint *c, const float *samples, size_t n, am_error *err) {
  am_features *fx = NULL;
  int t, f;
  am_status status = am_features_create(c->ctx, &c->config->features, &fx, err);
  if (status) return status;
  am_features_shape(fx, 1, &t, &f);
  if (!c->normaliser.speaker_mean) status = begin(c, f, err);
  if (!status && !am_sound_unheard(samples, n, am_checkpoint_rate(c))) status = add(c, fx, samples, n, err);
  if (!status) finish(c);
  am_features_free(fx);
  return status;
}

am_status am_checkpoint_add_speaker(am_checkpoint *c, const float *samples, size_t n, am_error *err) {
  am_status status = AM_NEED(err, c);
  if (!status && n) status = AM_NEED(err, samples);
  for (size_t i = 0; !status && i < am_checkpoint_members(c); i++) {
    am_checkpoint *m = am_checkpoint_member(c, i);
    const float *sound;
    float *made;
    size_t length = n;
    if (!wants(m)) continue;
    status = am_sound_for(c->ctx, samples, am_checkpoint_rate(c), am_checkpoint_rate(m), &made, &sound, &length, err);
    if (!status) status = add_sound(m, sound, length, err);
    am_free(c->ctx, made);
  }
  if (!status) c->heard = am_checkpoint_knows_speaker(c);
  return status;
}

static am_status enrol(am_checkpoint *c, const am_profile *p, am_error *err) {
  forget(c);
  am_status status = begin(c, p->stats.f, err);
  if (status) return status;
  am_norm_merge(&c->speaker, &p->stats);
  c->enrolled = true;
  if (!c->normaliser.training.f && c->config->features.shrink > 0)
    am_log(c->ctx, AM_LOG_INFO,
           "this checkpoint does not hold the statistics of its training part (before version 1.2); those of the voice "
           "are taken as they are");
  finish(c);
  return AM_OK;
}

am_status am_checkpoint_enrol(am_checkpoint *c, const am_profile *p, am_error *err) {
  am_status status = AM_NEED(err, c);
  if (!status) status = AM_NEED(err, p);
  /* All are looked at before any model hears another voice. */
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; !status && i < am_checkpoint_members(c); i++) {
      am_checkpoint *m = am_checkpoint_member(c, i);
      if (!wants(m)) continue;
      if (pass) {
        status = enrol(m, am_profile_find(p, &m->config->features), err);
        continue;
      }
      status = am_profile_check(p, &m->config->features, "the model", err);
      if (!status && !(p->stats.count > 0)) status = am_fail(err, AM_E_DATA, "nothing has been heard of this voice");
    }
  if (!status) c->heard = am_checkpoint_knows_speaker(c);
  return status;
}

/* ---- features ---- */

static am_status compute(am_context *ctx, const am_feature_options *o, const float *samples, size_t n, float *out,
                         size_t room, int *t, int *f, am_error *err) {
  am_features *fx = NULL;
  am_status status = am_features_create(ctx, o, &fx, err);
  if (status) return status;
  am_features_shape(fx, n, t, f);
  const size_t wanted = am_mul((size_t)*t, (size_t)*f);
  if (out && room < wanted)
    status = am_fail(err, AM_E_USAGE, "room for %zu numbers; the features (%d, %d) of this sound want %zu", room, *t,
                     *f, wanted);
  else if (out) status = am_features_compute(fx, samples, n, 1, out, t, err);
  am_features_free(fx);
  return status;
}

static am_status check(const float *samples, size_t n, const int *t, const int *f, am_error *err) {
  am_status status = AM_NEED(err, t);
  if (!status) status = AM_NEED(err, f);
  if (!status) status = AM_NEED(err, samples);
  if (!status && !n) status = am_fail(err, AM_E_USAGE, "there is no sound to make features of: 0 samples");
  return status;
}

am_status am_config_features(const am_config *config, const float *samples, size_t n, float *out, size_t room, int *t,
                             int *f, am_error *err) {
  am_status status = AM_NEED(err, config);
  if (!status) status = check(samples, n, t, f, err);
  return status ? status : compute(config->ctx, &config->features, samples, n, out, room, t, f, err);
}

am_status am_config_feature_name(const am_config *config, int bin, char *name, size_t room, am_error *err) {
  am_status status = AM_NEED(err, config);
  if (!status) status = AM_NEED(err, name);
  if (status) return status;
  const am_feature_options *o = &config->features;
  int bins = o->mean_over_time ? am_feature_fixed_frames(o) : am_feature_bins(o);
  if (bin < 0 || bin >= bins)
    return am_fail(err, AM_E_USAGE, "there is no bin %d: these features have 0 to %d", bin, bins - 1);
  char whole[AM_FEATURE_NAME];
  am_feature_name(o, bin, whole);
  size_t bytes = strlen(whole) + 1;
  if (bytes > room) return am_fail(err, AM_E_USAGE, "room for %zu bytes; %s wants %zu", room, whole, bytes);
  memcpy(name, whole, bytes);
  return AM_OK;
}

am_status am_checkpoint_features(const am_checkpoint *c, const float *samples, size_t n, float *out, size_t room,
                                 int *t, int *f, am_error *err) {
  am_status status = AM_NEED(err, c);
  if (!status) status = check(samples, n, t, f, err);
  if (!status && c->n_members)
    status = am_fail(err, AM_E_USAGE, "this model is fused, and each member hears features of its own: ask a member");
  if (!status && am_checkpoint_wants_speaker(c) && !c->normaliser.speaker_mean)
    status = am_fail(err, AM_E_USAGE, "this model normalises by speaker: add sounds of the same speaker first");
  if (!status) status = compute(c->ctx, &c->config->features, samples, n, out, room, t, f, err);
  if (!status && out) am_normaliser_apply(&c->normaliser, 0, out, *t);
  return status;
}
