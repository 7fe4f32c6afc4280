/* SPDX-License-Identifier: MIT */
/* model/evaluation.c - which clips models are scored on, what they say of them, and how good that is. */
#include "model/evaluation.h"

#include <math.h>
#include <string.h>

#include "audio/features.h"
#include "data/spelling.h"
#include "data/vocabulary.h"
#include "model/enrolment.h"
#include "model/ensemble.h"
#include "model/evaluate.h"
#include "nn/doubt.h"

/* ---- the clips ---- */

/* Which part of the split: what was asked, else test, else validation. */
static am_status find_part(am_evaluation *e, const char *asked, am_error *err) {
  am_part part = AM_PART_TEST;
  if (asked) {
    for (part = AM_PART_TRAIN; part <= AM_PART_TEST && strcmp(asked, am_part_name(part)) != 0; part++) {}
    if (part > AM_PART_TEST) return am_fail(err, AM_E_USAGE, "part %s: wanted train, validation, test or all", asked);
    if (!e->split->n[part]) return am_fail(err, AM_E_DATA, "the split has no %s part", asked);
  } else if (!e->split->n[AM_PART_TEST]) {
    part = e->split->n[AM_PART_VALIDATION] ? AM_PART_VALIDATION : AM_PART_TRAIN;
    am_log(e->ctx, AM_LOG_WARNING, "the split has no test part; evaluating its %s part", am_part_name(part));
  }
  e->part = part;
  return AM_OK;
}

static am_status choose_part(am_evaluation *e, const char *asked, am_error *err) {
  /* Another corpus was never trained on: all of it counts, and it need not have the parts of its config's split. */
  const bool all = asked ? strcmp(asked, "all") == 0 : e->other;
  am_status st = AM_OK;
  if (!all || !e->other) st = am_split_make(e->ctx, e->d, &e->config->split, &e->split, err);
  e->part = AM_PART_NONE;
  if (!st && !all) st = find_part(e, asked, err);
  if (st) return st;
  e->part_name = all ? "all" : am_part_name(e->part);
  e->clips = am_alloc(e->ctx, e->d->n, sizeof *e->clips);
  if (!e->clips) return am_no_memory(err);
  e->n = all ? e->d->n : e->split->n[e->part];
  for (size_t i = 0; i < e->n; i++) e->clips[i] = all ? (uint32_t)i : e->split->at[e->part][i];
  return AM_OK;
}

/* "happiness 71, fear 69": the labels of the part that are no class of the model, with their clips. */
static void list_unmapped(const am_evaluation *e, am_buffer *out) {
  am_context *ctx = e->ctx;
  for (int k = 0; k < e->d->n_labels; k++) {
    size_t count = 0;
    for (size_t i = 0; i < e->n; i++) count += e->d->clips[e->clips[i]].label == k;
    if (count && e->label_of[k] < 0)
      am_buffer_printf(ctx, out, "%s%s %zu", out->used ? ", " : "", e->d->labels[k], count);
  }
}

/* Whether data.vocabulary: common gives labels that the model may have: it has no other word for an emotion. */
static bool says_common_words(const am_evaluation *e) {
  for (int m = 0; m < e->checkpoint->classes; m++) {
    const char *label = e->checkpoint->labels[m], *fold = am_spelling_fold(e->d->strings, label);
    const char *common = fold ? am_vocabulary_common(fold) : NULL;
    if (!fold || (common && strcmp(common, label) != 0)) return false;
  }
  return true;
}

/* ": {anger: angry} (or data.vocabulary: common)": what the labels that are no class of the model mean there; may be empty. */
static am_status suggest_merge(const am_evaluation *e, am_buffer *out, am_error *err) {
  am_context *ctx = e->ctx;
  am_name_set known = {.ctx = ctx};
  am_status st = AM_OK;
  for (int m = 0; m < e->checkpoint->classes && !st; m++)
    if (am_name_set_add(&known, e->checkpoint->labels[m]) < 0) st = am_no_memory(err);
  for (int k = 0; k < e->d->n_labels && !st; k++) {
    const char *label = e->d->labels[k];
    const char *near = e->label_of[k] < 0 ? am_vocabulary_synonym(e->d->strings, label, &known) : NULL;
    if (near) am_buffer_printf(ctx, out, "%s%s: %s", out->used ? ", " : ": {", label, near);
  }
  if (out->used) am_buffer_printf(ctx, out, "}%s", says_common_words(e) ? " (or data.vocabulary: common)" : "");
  am_name_set_free(&known);
  return out->failed ? am_no_memory(err) : st;
}

/* Scores of the few clips whose labels agree by chance say nothing of the corpus: who wants them has to say so. */
static am_status keep_mapped(am_evaluation *e, bool partial, const char *merge, am_error *err) {
  am_buffer labels = {0};
  size_t kept = 0, all = e->n;
  am_status st = AM_OK;
  list_unmapped(e, &labels);
  for (size_t i = 0; i < all; i++) {
    const am_clip *clip = &e->d->clips[e->clips[i]];
    if (e->label_of[clip->label] >= 0) e->clips[kept++] = e->clips[i];
    else am_left_outs_add(&e->left_out, AM_LEFT_OUT_LABEL, 1, clip->name);
  }
  e->n = kept;
  const char *names = labels.data ? labels.data : "";
  if (2 * kept < all && !partial)
    st = am_fail(err, AM_E_CONFIG,
                 "%zu of %zu clips would be left out, as %s label is no class of the model (%s); map labels "
                 "with data.merge%s in the config of this corpus, or have the rest scored (partial)",
                 all - kept, all, am_count(all - kept, "its", "their"), names, merge);
  else if (!kept) st = am_fail(err, AM_E_DATA, "no clip is left to evaluate");
  else if (kept < all)
    am_log(e->ctx, AM_LOG_WARNING, "%zu of %zu clips left out: %s label is no class of the model (%s)%s%s", all - kept,
           all, am_count(all - kept, "its", "their"), names, *merge ? "; data.merge" : "", merge);
  am_buffer_free(e->ctx, &labels);
  return st;
}

/* Labels go by name; clips whose label the model does not know are left out and counted. */
static am_status map_labels(am_evaluation *e, bool partial, am_error *err) {
  int unmapped = 0;
  e->label_of = am_alloc(e->ctx, (size_t)e->d->n_labels, sizeof *e->label_of);
  if (!e->label_of) return am_no_memory(err);
  for (int k = 0; k < e->d->n_labels; k++) {
    e->label_of[k] = am_checkpoint_class(e->checkpoint, e->d->labels[k]);
    unmapped += e->label_of[k] < 0;
    if (e->other)
      am_log(e->ctx, AM_LOG_INFO, "label map: %s -> %s", e->d->labels[k],
             e->label_of[k] < 0 ? "(left out: the model has no such class)" : e->checkpoint->labels[e->label_of[k]]);
  }
  am_buffer merge = {0};
  am_status st = suggest_merge(e, &merge, err);
  const char *map = merge.data ? merge.data : "";
  if (!st && unmapped == e->d->n_labels)
    st = am_fail(err, AM_E_CONFIG,
                 "no label of this corpus (%s, ...) is a class of the model (%s, ...); map them with "
                 "data.merge%s in the config of this corpus",
                 e->d->labels[0], e->checkpoint->labels[0], map);
  else if (!st) st = keep_mapped(e, partial, map, err);
  am_buffer_free(e->ctx, &merge);
  return st;
}

/* Of corpus and model: one line where all are moved alike. */
static void say_scales(const am_evaluation *e) {
  const am_dataset *d = e->d;
  const am_checkpoint *c = e->checkpoint;
  const bool one = am_scales_one(d->scale, d->n_dimensions) && am_scales_one(c->scale, c->classes);
  for (int k = 0; k < (one ? 1 : d->n_dimensions); k++) {
    if (!one && e->label_of[k] < 0) continue;
    const am_scale from = d->scale[k], to = c->scale[one ? 0 : e->label_of[k]];
    if (!am_scale_equal(from, to))
      am_log(e->ctx, AM_LOG_INFO, "scale: %s from %g to %g count as %g to %g, those of the model",
             one ? "values" : d->dimensions[k], from.low, from.high, to.low, to.high);
  }
}

/* Dimensions go by name.  A clip of which the corpus tells none that the model knows is left out. */
static am_status map_dimensions(am_evaluation *e, am_error *err) {
  const am_dataset *d = e->d;
  const am_checkpoint *c = e->checkpoint;
  size_t kept = 0;
  int mapped = 0;
  if (d->target != AM_TARGET_DIMENSIONS)
    return am_fail(err, AM_E_CONFIG,
                   "this model tells dimensions (%s, ...), and data.target of this corpus is emotion; set it to "
                   "dimensions",
                   c->labels[0]);
  e->label_of = am_alloc(e->ctx, AM_MOST_DIMENSIONS, sizeof *e->label_of);
  if (!e->label_of) return am_no_memory(err);
  for (int i = 0; i < d->n_dimensions; i++) {
    e->label_of[i] = am_checkpoint_class(c, d->dimensions[i]);
    mapped += e->label_of[i] >= 0;
  }
  if (!mapped)
    return am_fail(err, AM_E_CONFIG, "no dimension of this corpus (%s, ...) is one of the model (%s, ...)",
                   d->dimensions[0], c->labels[0]);
  if (e->other) say_scales(e);
  for (size_t i = 0; i < e->n; i++) {
    const am_clip *clip = &d->clips[e->clips[i]];
    bool any = false;
    for (int k = 0; k < d->n_dimensions && clip->values; k++) any |= e->label_of[k] >= 0 && !isnan(clip->values[k]);
    if (any) e->clips[kept++] = e->clips[i];
    else am_left_outs_add(&e->left_out, AM_LEFT_OUT_LABEL, 1, clip->name);
  }
  e->n = kept;
  return kept ? AM_OK : am_fail(err, AM_E_DATA, "no clip is left to evaluate");
}

am_status am_evaluation_create(am_ensemble *ensemble, const am_config *config, am_dataset *d, bool other,
                               const am_evaluate_options *options, am_evaluation **out, am_error *err) {
  am_context *ctx = am_ensemble_context(ensemble);
  am_evaluation *e = *out = am_alloc(ctx, 1, sizeof *e);
  if (!e) return am_no_memory(err);
  *e = (am_evaluation){.ctx = ctx,
                       .ensemble = ensemble,
                       .checkpoint = am_ensemble_model(ensemble, 0),
                       .config = config,
                       .d = d,
                       .other = other};
  am_status st = options->under ? am_condition_find(options->under, &e->under, err) : AM_OK;
  if (!st) st = choose_part(e, options->part, err);
  if (!st && e->checkpoint->values) st = map_dimensions(e, err);
  else if (!st && d->target == AM_TARGET_DIMENSIONS)
    st = am_fail(err, AM_E_CONFIG, "this model tells emotions, and data.target of this corpus is dimensions");
  else if (!st) st = map_labels(e, options->partial, err);
  if (!st) return AM_OK;
  am_evaluation_free(e);
  *out = NULL;
  return st;
}

void am_evaluation_free(am_evaluation *e) {
  if (!e) return;
  am_split_free(e->ctx, e->split);
  am_free(e->ctx, e->clips);
  am_free(e->ctx, e->label_of);
  am_free(e->ctx, e->probabilities);
  am_free(e->ctx, e->labels);
  am_free(e->ctx, e->truth);
  am_free(e->ctx, e->speakers);
  am_free(e->ctx, e);
}

/* ---- the models ---- */

/* Clips that cannot be read (data.skip_unreadable) are left out, as in training, and so are those with nothing to hear
 * (data.unheard), which the digest of the training's clips counts all the same.  `out` counts them, or is NULL. */
static size_t keep_those(const am_evaluation *e, const am_store *store, uint32_t *clips, size_t n,
                         bool (*stay)(const am_store *store, uint32_t clip), am_left_outs *out) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    if (stay(store, clips[i])) clips[kept++] = clips[i];
    else if (out) am_left_outs_add(out, am_store_reason(store, clips[i]), 1, e->d->clips[clips[i]].name);
  }
  return kept;
}

typedef struct asking {
  am_evaluation *e;
  am_evaluation_fn each;
  void *user;
  size_t asked; /* models that were asked before */
  size_t heard; /* clips that they could be asked of */
} asking;

static am_status ask_enrolled(const am_evaluation *e, am_checkpoint *m, const am_store *store, float *probabilities,
                              am_error *err) {
  const am_enrolment *of = e->enrolment;
  if (!(of->least > 0) && !(m->normaliser.training.f && m->config->features.shrink > 0))
    return am_fail(
        err, AM_E_DATA,
        "a speaker of whom no clip is heard before cannot be enrolled: this model does not hold the statistics of its "
        "training part, or features.shrink is 0; enrol more than 0 seconds");
  return am_evaluate_enrolled(e->ctx, m, e->d, store, of->heard, of->n_heard, e->clips, e->n, probabilities, err);
}

/* One model's probabilities (n,K), by the features it was trained on, whatever the other config says. */
static am_status ask(void *arg, size_t model, am_checkpoint *m, float *probabilities, am_error *err) {
  asking *a = arg;
  am_evaluation *e = a->e;
  am_features *fx = NULL;
  am_store *store = NULL;
  am_status st = am_features_create(e->ctx, &m->config->features, &fx, err);
  if (!st && e->under)
    st = am_store_create_under(e->ctx, e->d, fx, &e->config->data, e->under, e->clips, e->n, &store, err);
  else if (!st) st = am_store_create(e->ctx, e->d, fx, &e->config->data, e->config->cache, false, &store, err);
  if (!st) {
    e->n = keep_those(e, store, e->clips, e->n, am_store_ok, &e->left_out);
    for (int part = 0; part < 3 && e->split && !e->under; part++) /* of the other parts nothing was read */
      e->split->n[part] = keep_those(e, store, e->split->at[part], e->split->n[part], am_store_readable, NULL);
    if (!e->n) st = am_fail(err, AM_E_DATA, "no clip that would be scored has anything to hear");
    else if (a->asked && e->n != a->heard)
      st = am_fail(err, AM_E_DATA, "clips became unreadable between one model and the next");
    else if (!a->asked && e->enrolment) st = am_enrolment_draw(e->ctx, e->d, store, e->clips, &e->n, e->enrolment, err);
    a->heard = e->n;
    a->asked++;
  }
  if (!st && a->each) st = a->each(a->user, e, model, m, store, err);
  if (!st && e->enrolment && am_checkpoint_wants_speaker(m)) st = ask_enrolled(e, m, store, probabilities, err);
  else if (!st) st = am_evaluate(e->ctx, m, e->d, store, e->clips, e->n, probabilities, err);
  am_store_free(store);
  am_features_free(fx);
  return st;
}

/* The sets of weights that are in force meanwhile; what the models know of a voice otherwise has no part in it. */
static void take_sets(am_evaluation *e, bool *before, bool back) {
  for (size_t i = 0; i < am_ensemble_models(e->ensemble); i++) {
    am_checkpoint *m = am_ensemble_model(e->ensemble, i);
    const bool now = m->heard;
    m->heard = back ? before[i] : e->known;
    if (!back) before[i] = now;
  }
}

static am_status ask_models(am_evaluation *e, size_t numbers, asking *a, float *one, am_error *err) {
  bool *before = am_alloc(e->ctx, am_ensemble_models(e->ensemble), sizeof *before);
  if (!before) return am_no_memory(err);
  take_sets(e, before, false);
  am_status st = am_ensemble_mean(e->ensemble, numbers, ask, a, e->probabilities, one, err);
  take_sets(e, before, true);
  am_free(e->ctx, before);
  return st;
}

/* What the corpus says of clip i, on the model's scale. */
static void take_values(am_evaluation *e, size_t i) {
  const am_dataset *d = e->d;
  const size_t K = (size_t)e->checkpoint->classes;
  const am_clip *clip = &d->clips[e->clips[i]];
  const am_scale *scale = e->checkpoint->scale;
  float *row = e->truth + i * K;
  for (size_t k = 0; k < K; k++) row[k] = NAN;
  for (int k = 0; k < d->n_dimensions; k++) {
    const int to = e->label_of[k];
    if (to < 0) continue;
    const bool same = am_scale_equal(d->scale[k], scale[to]);
    row[to] = same ? clip->values[k] : (float)am_scale_value(scale[to], (double)am_dataset_unit(d, clip, k));
  }
}

am_status am_evaluation_ask(am_evaluation *e, am_evaluation_fn each, void *user, am_error *err) {
  const size_t n = e->n, numbers = am_mul(n, (size_t)e->checkpoint->classes); /* before any is left out */
  const bool several = am_ensemble_models(e->ensemble) > 1;
  asking a = {.e = e, .each = each, .user = user};
  float *one = several ? am_alloc(e->ctx, numbers, sizeof *one) : NULL;
  e->probabilities = am_alloc(e->ctx, numbers, sizeof *e->probabilities);
  const bool values = e->checkpoint->values;
  if (values) e->truth = am_alloc(e->ctx, numbers, sizeof *e->truth);
  else e->labels = am_alloc(e->ctx, n, sizeof *e->labels);
  e->speakers = am_alloc(e->ctx, n, sizeof *e->speakers);
  am_status st = e->probabilities && (values ? e->truth != NULL : e->labels != NULL) && e->speakers && (one || !several)
                     ? AM_OK
                     : am_no_memory(err);
  if (!st) st = ask_models(e, numbers, &a, one, err);
  for (size_t i = 0; !st && i < e->n; i++) {
    if (values) take_values(e, i);
    else e->labels[i] = e->label_of[e->d->clips[e->clips[i]].label];
    e->speakers[i] = e->d->clips[e->clips[i]].speaker;
  }
  am_free(e->ctx, one);
  return st;
}

am_status am_evaluation_metrics(const am_evaluation *e, am_metrics **out, am_error *err) {
  const am_checkpoint *c = e->checkpoint;
  am_metrics *m = NULL;
  const am_scored_clips of = {.clips = e->clips,
                              .probabilities = e->probabilities,
                              .truth = e->truth,
                              .scale = c->scale,
                              .labels = e->labels,
                              .speakers = e->speakers,
                              .n = e->n,
                              .names = (const char *const *)c->labels,
                              .classes = c->classes};
  am_status st = am_metrics_of_clips(e->d, &of, true, c->config->seed, &m, err);
  const am_thresholds *t = e->thresholds;
  const am_thresholds *own = &am_checkpoint_set_for(c, e->known)->thresholds;
  if (!t && am_ensemble_models(e->ensemble) == 1 && own->precision > 0) t = own;
  if (!st && t) am_metrics_set_answered(m, e->probabilities, e->labels, t);
  *out = m;
  return st;
}

/* ---- all of it ---- */

static am_status warn_of_start(void *user, const am_evaluation *e, size_t model, const am_checkpoint *m,
                               const am_store *store, am_error *err) {
  char start[512];
  (void)user, (void)store, (void)err;
  if (am_model_start_doubt(m->model, m->step, start, sizeof start))
    am_log(e->ctx, AM_LOG_WARNING, "%s: %s", am_ensemble_name(e->ensemble, model), start);
  return AM_OK;
}

static am_status read_enrolment(const am_ensemble *ensemble, const am_evaluate_options *o, am_enrolment *out,
                                am_error *err) {
  bool wanted = false;
  *out = (am_enrolment){.wanted = o->enrol_seconds, .seed = o->enrol_seed ? o->enrol_seed : 1};
  if (!(o->enrol_seconds >= 0))
    return am_fail(err, AM_E_USAGE, "am_evaluate_options.enrol_seconds is %g; wanted at least 0", o->enrol_seconds);
  for (size_t i = 0; i < am_ensemble_models(ensemble); i++)
    wanted |= am_checkpoint_uses_speaker(am_ensemble_model(ensemble, i));
  if (o->enrol_seconds > 0 && o->known_voices)
    return am_fail(
        err, AM_E_USAGE,
        "am_evaluate_options: known_voices or enrol_seconds, not both: voices are known by all of their clips, or "
        "by some that are not scored");
  if (wanted || (o->enrol_seconds == 0 && !o->known_voices)) return AM_OK;
  return am_fail(err, AM_E_USAGE,
                 "am_evaluate_options.%s: no model here normalises per speaker, so a voice changes nothing",
                 o->known_voices ? "known_voices" : "enrol_seconds");
}

am_status am_ensemble_evaluate(am_ensemble *ensemble, const am_evaluate_options *given, am_metrics **out,
                               am_error *err) {
  am_evaluate_options o = {.size = sizeof o};
  am_status st = AM_NEED(err, out);
  if (st) return st;
  *out = NULL;
  st = AM_NEED(err, ensemble);
  if (!st && given)
    st = am_size_take(&o, sizeof o, given, offsetof(am_evaluate_options, enrol_seconds), "am_evaluate_options", err);
  if (!st && !am_ensemble_models(ensemble)) st = am_fail(err, AM_E_USAGE, "an ensemble without a model; add one");
  am_enrolment enrolment;
  if (!st) st = read_enrolment(ensemble, &o, &enrolment, err);
  if (st) return st;
  am_context *ctx = am_ensemble_context(ensemble);
  const am_config *config = o.config ? o.config : am_ensemble_model(ensemble, 0)->config;
  am_dataset *d = NULL;
  am_evaluation *e = NULL;
  st = am_dataset_load(ctx, &config->data, &d, err);
  if (!st) st = am_evaluation_create(ensemble, config, d, false, &o, &e, err);
  if (!st && o.enrol_seconds > 0) e->enrolment = &enrolment;
  if (!st) e->known = o.known_voices || e->enrolment;
  if (!st) st = am_evaluation_ask(e, warn_of_start, NULL, err);
  if (!st) st = am_evaluation_metrics(e, out, err);
  am_evaluation_free(e);
  am_enrolment_free(ctx, &enrolment);
  am_dataset_free(d);
  return st;
}
