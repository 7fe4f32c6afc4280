/* model/profile.c - the statistics of one voice, gathered before they are wanted. */
#include "model/profile.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

am_status am_profile_create(am_context *ctx, const am_feature_options *options, am_profile **out, am_error *err) {
  am_profile *p = am_alloc(ctx, 1, sizeof *p);
  if (!p) return am_no_memory(err);
  *p = (am_profile){.ctx = ctx, .options = *options};
  am_status status = am_norm_init(ctx, &p->stats, am_feature_bins(options), err);
  if (status) am_profile_free(p);
  else *out = p;
  return status;
}

am_status am_profile_of_model(const am_checkpoint *model, am_profile **out, am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, model);
  return status ? status : am_profile_create(model->ctx, &model->config->features, out, err);
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
  if (!p) return;
  am_features_free(p->fx);
  am_norm_free(p->ctx, &p->stats);
  am_free(p->ctx, p->name);
  am_free(p->ctx, p->path);
  am_free(p->ctx, p);
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

am_status am_profile_add(am_profile *p, const float *samples, size_t n, am_error *err) {
  am_status status = AM_NEED(err, p);
  if (!status) status = AM_NEED(err, samples);
  if (!status && !n) status = am_fail(err, AM_E_USAGE, "there is no sound to know a voice by: 0 samples");
  if (status) return status;
  const am_unheard unheard = am_sound_unheard(samples, n, p->options.sample_rate);
  if (unheard)
    return am_fail(err, AM_E_DATA, "there is no voice to hear in this sound of %.3f s: it is %s",
                   (double)n / p->options.sample_rate, am_unheard_name(unheard));
  if (!p->fx) status = am_features_create(p->ctx, &p->options, &p->fx, err);
  return status ? status : add(p, samples, n, err);
}

/* "64", or "slaney". */
static const char *value_text(const am_option *o, const am_feature_options *options, char *out, size_t size) {
  const double x = am_option_number(o, options);
  if (o->type == AM_OPT_CHOICE) return am_choice_name(o->choices, (int)x, out, size);
  snprintf(out, size, "%.9g", x);
  return out;
}

am_status am_profile_check(const am_profile *p, const am_feature_options *options, const char *whose, am_error *err) {
  char its[64], wanted[64];
  const bool same = am_feature_key(&p->options) == am_feature_key(options) && p->stats.f == am_feature_bins(options);
  if (same) return AM_OK;
  const char *path = p->path ? p->path : "the voice's profile";
  const am_option *o = am_feature_difference(&p->options, options);
  if (!o) return am_fail(err, AM_E_SHAPE, "%s: made with other features than those of %s", path, whose);
  return am_fail(
      err, AM_E_SHAPE, "%s: made with features.%s %s, and %s has %s; a profile is for the features it was made with",
      path, o->name, value_text(o, &p->options, its, sizeof its), whose, value_text(o, options, wanted, sizeof wanted));
}

am_status am_profile_merge(am_profile *into, const am_profile *from, am_error *err) {
  am_status status = AM_NEED(err, into);
  if (!status) status = AM_NEED(err, from);
  if (!status) status = am_profile_check(from, &into->options, "the other one", err);
  if (status) return status;
  am_norm_merge(&into->stats, &from->stats);
  into->seconds += from->seconds;
  return AM_OK;
}

double am_profile_rate(const am_profile *p) { return p ? p->options.sample_rate : 0; }
double am_profile_seconds(const am_profile *p) { return p ? p->seconds : 0; }
const char *am_profile_name(const am_profile *p) { return p && p->name ? p->name : ""; }
