/* SPDX-License-Identifier: MIT */
/* study/tune_space.c - which settings there are to try, and which each trial gets. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/option.h"
#include "base/rng.h"
#include "io/json.h"
#include "study/tune.h"

#define AT(member) offsetof(am_tune_options, member)
const am_option am_tune_table[] = {
    {"trials", AM_OPT_INT, AT(trials), "16", 2, 10000, NULL, "settings that are tried"},
    {"reduction", AM_OPT_INT, AT(reduction), "3", 2, 100, NULL,
     "of so many trials one goes on to the next rung, which has so many times the epochs"},
    {"min_epochs", AM_OPT_INT, AT(min_epochs), "1", 1, 1e9, NULL,
     "epochs of the first rung; the last has train.epochs"},
    {"search", AM_OPT_MAP, AT(search), NULL, 0, 0, NULL,
     "key of the config -> list of values, or {from: A, to: B}, with scale: log for what spans decades; whole numbers "
     "stay whole"},
    AM_OPTION_END};
#undef AT

enum { MOST_KEYS = 64, MOST_TRIES = 1000 };

/* ---- what may be searched ---- */

static bool begins(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

static am_status check_key(const am_config *c, const am_value *v, am_error *err) {
  static const char *const sections[] = {"features.", "augment.", "model.", "train."};
  static const char *const fixed[] = {"train.epochs",       "train.monitor", "train.max_steps",  "train.save_minutes",
                                      "train.save_seconds", "train.targets", "train.tensorboard"};
  bool known = false;
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) known |= begins(v->key, sections[i]);
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) known &= !begins(v->key, fixed[i]);
  if (!known)
    return am_fail_at_key(err, v,
                          "tune.search: \"%s\" is not searched: wanted a key of features, augment, model or train that "
                          "changes what is learned (clips, split, epochs and monitor are those of all trials)",
                          v->key);
  if (begins(v->key, "train.loss") && c->train.monitor == AM_MONITOR_VALIDATION_LOSS)
    return am_fail_at_key(err, v,
                          "tune.search: \"%s\": validation_loss is of this loss, so trials could not be compared; set "
                          "train.monitor to validation_uar or validation_accuracy",
                          v->key);
  return AM_OK;
}

/* From and to of a range. */
static am_status read_range(const am_value *v, double *from, double *to, bool *logarithmic, bool *whole,
                            am_error *err) {
  const am_value *a = am_value_get(v, "from"), *b = am_value_get(v, "to"), *scale = am_value_get(v, "scale");
  int64_t i, j;
  for (const am_value *x = v->first; x; x = x->next)
    if (x != a && x != b && x != scale)
      return am_fail_at_key(err, x, "tune.search: unknown key \"%s\" in the range of \"%s\"; wanted from, to, scale",
                            x->key, v->key);
  if (!a || !b || !am_value_to_real(a, from) || !am_value_to_real(b, to) || !(*from < *to) || !isfinite(*to - *from))
    return am_fail_at(err, v, "tune.search: range of \"%s\": wanted two numbers, from below to", v->key);
  *logarithmic = scale && scale->kind == AM_SCALAR && !strcmp(scale->text, "log");
  if (scale && !*logarithmic && !(scale->kind == AM_SCALAR && !strcmp(scale->text, "linear")))
    return am_fail_at(err, scale, "tune.search: scale of \"%s\": wanted linear or log", v->key);
  if (*logarithmic && !(*from > 0))
    return am_fail_at(err, a, "tune.search: range of \"%s\": a log scale begins above 0", v->key);
  *whole = am_value_to_int(a, &i) && am_value_to_int(b, &j) && fabs(*from) < 1e15 && fabs(*to) < 1e15;
  return AM_OK;
}

am_status am_tune_check_space(const am_config *c, const am_tune_options *o, am_error *err) {
  double from, to;
  bool logarithmic, whole;
  if (!o->search->count) return am_fail_at(err, o->search, "tune.search: there is nothing to search");
  if (o->search->count > MOST_KEYS) return am_fail_at(err, o->search, "tune.search: more than %d keys", (int)MOST_KEYS);
  for (const am_value *v = o->search->first; v; v = v->next) {
    am_status status = check_key(c, v, err);
    if (!status && v->kind == AM_LIST && v->count < 2)
      status = am_fail_at(err, v, "tune.search: \"%s\": wanted two values or more", v->key);
    else if (!status && v->kind == AM_MAP) status = read_range(v, &from, &to, &logarithmic, &whole, err);
    else if (!status && v->kind != AM_LIST)
      status = am_fail_at(err, v, "tune.search: \"%s\": wanted a list of values, or {from: A, to: B}", v->key);
    if (status) return status;
  }
  if (o->min_epochs > c->train.epochs)
    return am_fail(err, AM_E_CONFIG, "tune.min_epochs: %lld is more than the %lld of train.epochs",
                   (long long)o->min_epochs, (long long)c->train.epochs);
  return AM_OK;
}

/* ---- drawing ---- */

static am_status text_of(am_tree *texts, const am_value *v, const char **out, am_error *err) {
  am_buffer text = {0};
  am_json j = am_json_begin(am_tree_context(texts), &text, 0);
  am_json_value(&j, NULL, v); /* JSON is YAML */
  *out = text.failed ? NULL : am_tree_string(texts, text.data);
  am_buffer_free(am_tree_context(texts), &text);
  return *out ? AM_OK : am_no_memory(err);
}

/* Four digits are enough to tell settings by, as long as they stay within the range. */
static void number_text(double x, double from, double to, bool whole, char out[40]) {
  double back;
  if (whole) snprintf(out, 40, "%lld", (long long)x);
  else snprintf(out, 40, "%.4g", x);
  if (!whole && (!am_text_to_real(out, &back) || back < from || back > to)) am_real_to_text(x, out);
}

static am_status draw_number(am_tree *texts, const am_value *v, am_rng *rng, const char **out, am_error *err) {
  double from, to;
  bool logarithmic, whole;
  char text[40];
  am_status status = read_range(v, &from, &to, &logarithmic, &whole, err);
  if (status) return status;
  /* Of whole numbers each has the width of 1, the ends too. */
  const double low = whole ? from - 0.5 : from, high = whole ? to + 0.5 : to;
  double x = logarithmic ? exp(am_rng_range(rng, log(low), log(high))) : am_rng_range(rng, low, high);
  if (whole) x = round(x);
  number_text(fmin(fmax(x, from), to), from, to, whole, text);
  *out = am_tree_string(texts, text);
  return *out ? AM_OK : am_no_memory(err);
}

/* What a trial gets depends on its number and on nothing of the others, but that no two are alike. */
static am_status draw(const am_tune *t, const am_value *search, size_t trial, size_t attempt, const char **out,
                      am_error *err) {
  size_t k = 0;
  am_status status = AM_OK;
  for (const am_value *v = search->first; v && !status; v = v->next, k++) {
    am_rng rng = am_rng_stream(t->seed, AM_FOR_TUNE, trial, k, attempt);
    if (v->kind == AM_MAP) {
      status = draw_number(t->texts, v, &rng, &out[k], err);
      continue;
    }
    const am_value *item = v->first;
    for (uint64_t i = am_rng_below(&rng, v->count); i; i--) item = item->next;
    status = text_of(t->texts, item, &out[k], err);
  }
  return status;
}

static bool drawn_before(const am_tune *t, size_t trial) {
  for (size_t i = 0; i < trial; i++) {
    size_t k = 0;
    while (k < t->n_keys && !strcmp(t->trials[i].settings[k], t->trials[trial].settings[k])) k++;
    if (k == t->n_keys) return true;
  }
  return false;
}

am_status am_tune_draw(am_tune *t, const am_tune_options *o, am_error *err) {
  t->n_keys = o->search->count;
  t->keys = am_tree_take(t->texts, t->n_keys, sizeof *t->keys);
  t->trials = am_tree_take(t->texts, (size_t)o->trials, sizeof *t->trials);
  if (!t->keys || !t->trials) return am_no_memory(err);
  size_t k = 0;
  for (const am_value *v = o->search->first; v; v = v->next)
    if (!(t->keys[k++] = am_tree_string(t->texts, v->key))) return am_no_memory(err);
  for (size_t i = 0, attempt = 0; i < (size_t)o->trials; attempt++) {
    if (attempt == MOST_TRIES) {
      am_log(t->ctx, AM_LOG_WARNING, "the search has %zu different trials that were found, of %lld wanted", t->n_trials,
             (long long)o->trials);
      break;
    }
    if (!t->trials[i].settings) t->trials[i].settings = am_tree_take(t->texts, t->n_keys, sizeof(char *));
    if (!t->trials[i].settings) return am_no_memory(err);
    am_status status = draw(t, o->search, i, attempt, t->trials[i].settings, err);
    if (status) return status;
    if (drawn_before(t, i)) continue;
    t->n_trials = ++i;
    attempt = (size_t)-1; /* which begins again at 0 */
  }
  return AM_OK;
}
