/* SPDX-License-Identifier: MIT */
/* data/dimensions.c - see dimensions.h. */
#include "data/dimensions.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

static const char *const usual[] = {"valence", "arousal", "dominance"};

static const char *common(const char *name) { return strcmp(name, "activation") ? name : "arousal"; }

static bool alike(const char *a, const char *b) { return !strcmp(common(a), common(b)); }

bool am_dimension_wanted(const am_data_options *o, const char *name) {
  for (size_t i = 0; i < o->dimensions.n; i++)
    if (alike(o->dimensions.at[i], name)) return true;
  for (size_t i = 0; i < 3 && !o->dimensions.n && o->target == AM_TARGET_DIMENSIONS; i++)
    if (alike(usual[i], name)) return true;
  return false;
}

static const am_value *own_scale(const am_data_options *o, const char *name) {
  for (const am_value *v = o->scales ? o->scales->first : NULL; v; v = v->next)
    if (alike(v->key, name)) return v;
  return NULL;
}

am_scale am_dimension_scale(const am_data_options *o, const char *name) {
  am_scale s = {0};
  const am_value *own = own_scale(o, name);
  if (own && am_scale_read(own, &s)) return s;
  return o->scale.n == 2 ? (am_scale){o->scale.at[0], o->scale.at[1]} : (am_scale){0};
}

const char *am_dimension_read(const am_data_options *o, const char *name, const char *text, double *out) {
  const am_scale s = am_dimension_scale(o, name);
  *out = NAN;
  if (!*text) return NULL;
  if (!am_text_to_real(text, out) || !isfinite(*out)) return "wanted a number, or nothing";
  if (am_scale_good(s) && !(*out >= s.low && *out <= s.high))
    return own_scale(o, name) ? "wanted a number on its scale in data.scales" : "wanted a number on data.scale";
  return NULL;
}

am_status am_dimension_check_scale(const am_data_options *o, am_error *err) {
  am_scale s;
  if (o->scale.n && !(o->scale.n == 2 && o->scale.at[0] < o->scale.at[1]))
    return am_fail(err, AM_E_CONFIG, "data.scale: wanted [lowest, highest], such as [1, 5]");
  for (const am_value *v = o->scales ? o->scales->first : NULL; v; v = v->next) {
    if (!am_scale_read(v, &s))
      return am_fail_at(err, v, "data.scales.%s: wanted [lowest, highest], such as [-3, 3]", v->key);
    if (own_scale(o, v->key) != v) return am_fail_at_key(err, v, "data.scales: %s is listed twice", v->key);
  }
  return AM_OK;
}

int am_corpus_dimension(am_corpus *corpus, const char *name) {
  for (size_t i = 0; i < corpus->n_dimensions; i++)
    if (alike(corpus->dimensions[i], name)) return (int)i;
  if (corpus->n_dimensions == AM_MOST_DIMENSIONS) return -1;
  corpus->dimensions[corpus->n_dimensions] = name;
  return (int)corpus->n_dimensions++;
}

static am_status fail_absent(const am_corpus *corpus, const char *name, am_error *err) {
  am_buffer has = {0};
  for (size_t i = 0; i < corpus->n_dimensions; i++)
    am_buffer_printf(corpus->ctx, &has, "%s%s", i ? ", " : "", corpus->dimensions[i]);
  const am_status status =
      has.failed ? am_no_memory(err)
                 : am_fail(err, AM_E_CONFIG, "data.%s: the corpus does not say %s of its clips; it has %s",
                           name ? "dimensions" : "target", name ? name : "valence, arousal or dominance",
                           has.data ? has.data : "no dimensions");
  am_buffer_free(corpus->ctx, &has);
  return status;
}

/* `name` NULL: the corpus's own. */
static am_status add(am_corpus *corpus, const char *name, int which, am_error *err) {
  am_dataset *d = corpus->d;
  if (!name) name = corpus->dimensions[which];
  for (int i = 0; i < d->n_dimensions; i++)
    if (alike(d->dimensions[i], name)) return am_fail(err, AM_E_CONFIG, "data.dimensions: %s is listed twice", name);
  corpus->chosen[d->n_dimensions] = which;
  d->dimensions[d->n_dimensions] = am_tree_string(d->strings, name);
  return d->dimensions[d->n_dimensions++] ? AM_OK : am_no_memory(err);
}

static int find(const am_corpus *corpus, const char *name) {
  for (size_t i = 0; i < corpus->n_dimensions; i++)
    if (alike(corpus->dimensions[i], name)) return (int)i;
  return -1;
}

static am_status choose(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_status status = AM_OK;
  if (o->dimensions.n > AM_MOST_DIMENSIONS)
    return am_fail(err, AM_E_CONFIG, "data.dimensions: %zu of them; wanted at most %d", o->dimensions.n,
                   (int)AM_MOST_DIMENSIONS);
  for (size_t i = 0; i < o->dimensions.n && !status; i++) {
    const int which = find(corpus, o->dimensions.at[i]);
    status = which < 0 ? fail_absent(corpus, o->dimensions.at[i], err) : add(corpus, o->dimensions.at[i], which, err);
  }
  for (size_t i = 0; i < 3 && !o->dimensions.n && o->target == AM_TARGET_DIMENSIONS && !status; i++) {
    const int which = find(corpus, usual[i]);
    if (which >= 0) status = add(corpus, NULL, which, err);
  }
  return status;
}

/* A scale of what is no dimension is one whose name was misspelt. */
static am_status check_scaled(const am_corpus *corpus, const am_data_options *o, am_error *err) {
  for (const am_value *v = o->scales ? o->scales->first : NULL; v; v = v->next) {
    bool known = find(corpus, v->key) >= 0;
    for (size_t i = 0; i < 3 && !known; i++) known = alike(usual[i], v->key);
    if (!known)
      return am_fail_at_key(err, v, "data.scales: %s is none of the dimensions (%s, ...)", v->key,
                            corpus->d->dimensions[0]);
  }
  return AM_OK;
}

static am_status choose_scales(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_dataset *d = corpus->d;
  for (int i = 0; i < d->n_dimensions; i++) {
    d->scale[i] = am_dimension_scale(o, d->dimensions[i]);
    if (!am_scale_good(d->scale[i])) d->scale[i] = corpus->scale[corpus->chosen[i]];
    if (!am_scale_good(d->scale[i]))
      return am_fail(err, AM_E_CONFIG,
                     "data.scale is not set: wanted the lowest and the highest value of %s%s, such as [1, 5]",
                     d->dimensions[i], !o->scales && d->n_dimensions > 1 ? " and the others" : "");
  }
  return AM_OK;
}

am_status am_corpus_choose_dimensions(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_dataset *d = corpus->d;
  d->target = o->target;
  if (!o->dimensions.n && o->target != AM_TARGET_DIMENSIONS) return AM_OK;
  d->dimensions = am_tree_take(d->strings, AM_MOST_DIMENSIONS, sizeof *d->dimensions);
  am_status status = d->dimensions ? choose(corpus, o, err) : am_no_memory(err);
  if (!status && !d->n_dimensions) return fail_absent(corpus, NULL, err);
  if (!status) status = check_scaled(corpus, o, err);
  return status ? status : choose_scales(corpus, o, err);
}

bool am_corpus_values(const am_corpus *corpus, const am_entry *entry, float *out) {
  const am_dataset *d = corpus->d;
  bool any = false;
  for (int i = 0; i < d->n_dimensions; i++) {
    const am_scale from = corpus->scale[corpus->chosen[i]];
    double v = entry->values ? entry->values[corpus->chosen[i]] : NAN;
    if (am_scale_good(from)) v = am_scale_move(v, from, d->scale[i]);
    out[i] = (float)v;
    any |= !isnan(v);
  }
  return any;
}
