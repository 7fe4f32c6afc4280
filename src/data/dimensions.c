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

const char *am_dimension_read(const am_data_options *o, const char *text, double *out) {
  *out = NAN;
  if (!*text) return NULL;
  if (!am_text_to_real(text, out) || !isfinite(*out)) return "wanted a number, or nothing";
  if (o->scale.n == 2 && !(*out >= o->scale.at[0] && *out <= o->scale.at[1])) return "wanted a number on data.scale";
  return NULL;
}

am_status am_dimension_check_scale(const am_data_options *o, am_error *err) {
  if (!o->scale.n || (o->scale.n == 2 && o->scale.at[0] < o->scale.at[1])) return AM_OK;
  return am_fail(err, AM_E_CONFIG, "data.scale: wanted [lowest, highest], such as [1, 5]");
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

am_status am_corpus_choose_dimensions(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_dataset *d = corpus->d;
  d->target = o->target;
  if (!o->dimensions.n && o->target != AM_TARGET_DIMENSIONS) return AM_OK;
  d->dimensions = am_tree_take(d->strings, AM_MOST_DIMENSIONS, sizeof *d->dimensions);
  am_status status = d->dimensions ? choose(corpus, o, err) : am_no_memory(err);
  if (!status && !d->n_dimensions) return fail_absent(corpus, NULL, err);
  for (int i = 0; i < 2 && o->scale.n; i++) d->scale[i] = o->scale.at[i];
  for (int i = 0; i < 2 && !o->scale.n; i++) d->scale[i] = corpus->scale[i];
  if (!status && !(d->scale[0] < d->scale[1]))
    status = am_fail(err, AM_E_CONFIG,
                     "data.scale is not set: wanted the lowest and the highest value of %s%s, such as [1, 5]",
                     d->dimensions[0], d->n_dimensions > 1 ? " and the others" : "");
  return status;
}

bool am_corpus_values(const am_corpus *corpus, const am_entry *entry, float *out) {
  const am_dataset *d = corpus->d;
  const double *from = corpus->scale, *to = d->scale;
  const bool same = !(from[0] < from[1]) || (from[0] == to[0] && from[1] == to[1]);
  bool any = false;
  for (int i = 0; i < d->n_dimensions; i++) {
    double v = entry->values ? entry->values[corpus->chosen[i]] : NAN;
    if (!same) v = to[0] + (v - from[0]) * (to[1] - to[0]) / (from[1] - from[0]);
    out[i] = (float)v;
    any |= !isnan(v);
  }
  return any;
}
