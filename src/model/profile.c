/* SPDX-License-Identifier: MIT */
/* model/profile.c - the statistics of one voice, gathered before they are wanted. */
#include "model/profile.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "model/predict.h"

am_status am_profile_create(am_context *ctx, const am_feature_options *options, am_profile **out, am_error *err) {
  am_profile *p = am_alloc(ctx, 1, sizeof *p);
  if (!p) return am_no_memory(err);
  *p = (am_profile){.ctx = ctx, .options = *options};
  am_status status = am_norm_init(ctx, &p->stats, am_feature_bins(options), err);
  if (status) am_profile_free(p);
  else *out = p;
  return status;
}

/* Of the features of every member that normalises by speaker; where none does, of the first one's. */
static am_status of_members(const am_checkpoint *model, am_profile **out, am_error *err) {
  const bool any = am_checkpoint_uses_speaker(model);
  am_profile **end = out;
  am_status status = AM_OK;
  for (size_t i = 0; i < am_checkpoint_members(model) && !status; i++) {
    const am_checkpoint *m = model->n_members ? model->members[i] : model;
    if (any ? !am_checkpoint_uses_speaker(m) || (*out && am_profile_find(*out, &m->config->features)) : i > 0) continue;
    status = am_profile_create(model->ctx, &m->config->features, end, err);
    if (!status) end = &(*end)->more;
  }
  if (!status) return AM_OK;
  am_profile_free(*out);
  *out = NULL;
  return status;
}

am_status am_profile_of_model(const am_checkpoint *model, am_profile **out, am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, model);
  return status ? status : of_members(model, out, err);
}

am_status am_profile_of_config(const am_config *config, am_profile **out, am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, config);
  if (!status) status = am_profile_create(config->ctx, &config->features, out, err);
  if (!status) status = am_features_create(config->ctx, &config->features, &(*out)->fx, err);
  if (!status || !*out) return status;
  am_profile_free(*out);
  *out = NULL;
  return status;
}

void am_profile_free(am_profile *p) {
  for (am_profile *more; p; p = more) {
    more = p->more;
    am_features_free(p->fx);
    am_norm_free(p->ctx, &p->stats);
    am_free(p->ctx, p->name);
    am_free(p->ctx, p->path);
    am_free(p->ctx, p);
  }
}

am_status am_profile_rename(am_profile *p, const char *name, am_error *err) {
  am_status status = AM_NEED(err, p);
  if (status) return status;
  const size_t bytes = name ? strlen(name) : 0;
  if (bytes > AM_PROFILE_NAME)
    return am_fail(err, AM_E_USAGE, "the name of a voice has %zu bytes; wanted at most %d", bytes, AM_PROFILE_NAME);
  if (bytes && am_utf8_wrong(name)) return am_fail(err, AM_E_USAGE, "the name of a voice is not UTF-8");
  char *copy = bytes ? am_strdup(p->ctx, name) : NULL;
  if (bytes && !copy) return am_no_memory(err);
  am_free(p->ctx, p->name);
  p->name = copy;
  return AM_OK;
}

static am_status add(am_profile *p, const float *samples, size_t n, am_error *err) {
  int t, f;
  bool cut;
  am_features_shape(p->fx, n, &t, &f);
  float *x = am_alloc(p->ctx, am_mul((size_t)t, (size_t)f), sizeof *x);
  if (!x) return am_no_memory(err);
  am_status status = am_features_compute(p->fx, samples, n, 1, x, &t, err);
  if (!status) {
    am_norm_add(&p->stats, x, t);
    p->seconds += (double)am_features_heard(p->fx, samples, n, INT_MAX, &cut) / p->options.sample_rate;
  }
  am_free(p->ctx, x);
  return status;
}

am_status am_profile_add(am_profile *profile, const float *samples, size_t n, am_error *err) {
  am_status status = AM_NEED(err, profile);
  if (!status) status = AM_NEED(err, samples);
  if (!status && !n) status = am_fail(err, AM_E_USAGE, "there is no sound to know a voice by: 0 samples");
  if (status) return status;
  const double rate = am_profile_rate(profile);
  const am_unheard unheard = am_sound_unheard(samples, n, rate);
  if (unheard)
    return am_fail(err, AM_E_DATA, "there is no voice to hear in this sound of %.3f s: it is %s", (double)n / rate,
                   am_unheard_name(unheard));
  for (am_profile *p = profile; p && !status; p = p->more) {
    const float *sound;
    float *made;
    size_t length = n;
    if (!p->fx) status = am_features_create(p->ctx, &p->options, &p->fx, err);
    if (status) break;
    status = am_sound_for(p->ctx, samples, rate, p->options.sample_rate, &made, &sound, &length, err);
    if (!status) status = add(p, sound, length, err);
    am_free(p->ctx, made);
  }
  return status;
}

/* "64", or "slaney". */
static const char *value_text(const am_option *o, const am_feature_options *options, char *out, size_t size) {
  const double x = am_option_number(o, options);
  if (o->type == AM_OPT_CHOICE) return am_choice_name(o->choices, (int)x, out, size);
  snprintf(out, size, "%.9g", x);
  return out;
}

const am_profile *am_profile_find(const am_profile *p, const am_feature_options *options) {
  while (p && (am_feature_key(&p->options) != am_feature_key(options) || p->stats.f != am_feature_bins(options)))
    p = p->more;
  return p;
}

am_status am_profile_check(const am_profile *p, const am_feature_options *options, const char *whose, am_error *err) {
  char its[64], wanted[64];
  if (am_profile_find(p, options)) return AM_OK;
  const char *path = p->path ? p->path : "the voice's profile";
  const am_option *o = am_feature_difference(&p->options, options);
  if (!o) return am_fail(err, AM_E_SHAPE, "%s: made with other features than those of %s", path, whose);
  return am_fail(
      err, AM_E_SHAPE, "%s: made with features.%s %s, and %s has %s; a profile is for the features it was made with",
      path, o->name, value_text(o, &p->options, its, sizeof its), whose, value_text(o, options, wanted, sizeof wanted));
}

am_status am_profile_check_all(const am_profile *p, const am_profile *wanted, const char *whose, am_error *err) {
  am_status status = AM_OK;
  for (; wanted && !status; wanted = wanted->more) status = am_profile_check(p, &wanted->options, whose, err);
  return status;
}

am_status am_profile_merge(am_profile *into, const am_profile *from, am_error *err) {
  am_status status = AM_NEED(err, into);
  if (!status) status = AM_NEED(err, from);
  if (!status) status = am_profile_check_all(from, into, "the other one", err);
  for (am_profile *p = into; p && !status; p = p->more) {
    const am_profile *part = am_profile_find(from, &p->options);
    am_norm_merge(&p->stats, &part->stats);
    p->seconds += part->seconds;
  }
  return status;
}

double am_profile_rate(const am_profile *p) {
  double rate = 0;
  for (; p; p = p->more) rate = fmax(rate, p->options.sample_rate);
  return rate;
}
double am_profile_seconds(const am_profile *p) { return p ? p->seconds : 0; }
const char *am_profile_name(const am_profile *p) { return p && p->name ? p->name : ""; }
