/* SPDX-License-Identifier: MIT */
/* exchange/import.c - see import.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/features.h"
#include "base/file.h"
#include "data/corpora/registry.h"
#include "data/dimensions.h"
#include "exchange/import.h"
#include "exchange/values.h"
#include "io/json.h"

void am_import_free(am_import *j) {
  if (j->model) am_model_free(j->model);
  am_config_free(j->config);
  am_credit_free(j->ctx, &j->credit);
  am_free(j->ctx, j->mean);
  am_free(j->ctx, j->inverse);
}

/* ---- config and labels ---- */

/* "data.labels=[...]" of "calm,happy". */
static am_status labels_override(am_import *j, const char *key, am_buffer *out, am_error *err) {
  am_buffer word = {0};
  out->used = 0;
  am_buffer_printf(j->ctx, out, "%s=", key);
  am_json json = am_json_begin(j->ctx, out, 0);
  am_json_open(&json, NULL, '[');
  for (const char *at = j->source->labels;; at++) {
    size_t n = strcspn(at, ",");
    word.used = 0;
    am_buffer_printf(j->ctx, &word, "%.*s", (int)n, at);
    if (!word.failed) am_json_text(&json, NULL, word.data);
    at += n;
    if (!*at) break;
  }
  am_json_close(&json);
  bool failed = word.failed || out->failed;
  am_buffer_free(j->ctx, &word);
  return failed ? am_no_memory(err) : AM_OK;
}

/* What messages call it. */
static const char *config_name(const am_import *j) { return j->source->config ? j->source->config : j->file; }

static am_status load_config(am_import *j, const char *const *overrides, size_t n, am_error *err) {
  if (!j->source->config && !j->config_text)
    return am_fail(err, AM_E_USAGE, "%s does not hold its features and labels, so a config with them is wanted",
                   j->file);
  am_config_free(j->config);
  j->config = NULL;
  return j->source->config ? am_config_load(j->ctx, j->source->config, overrides, n, &j->config, err)
                           : am_config_from_stored(j->ctx, j->config_text, j->file, overrides, n, &j->config, err);
}

bool am_import_tells_values(const am_import *j) { return j->config->data.target == AM_TARGET_DIMENSIONS; }

am_status am_import_check_target(const am_import *j, bool values, am_error *err) {
  if (am_import_tells_values(j) == values) return AM_OK;
  return am_fail(err, AM_E_CONFIG, "%s: it tells %s, and data.target of %s is %s", j->file,
                 values ? "values of dimensions" : "emotions", config_name(j), values ? "emotion" : "dimensions");
}

am_status am_import_config(am_import *j, const char *layers_text, am_error *err) {
  const am_import_source *o = j->source;
  am_buffer layers = {0}, labels = {0};
  const char **all = am_alloc(j->ctx, o->n_overrides + 2, sizeof *all);
  size_t n = 0;
  if (layers_text) am_buffer_printf(j->ctx, &layers, "model.layers=%s", layers_text);
  am_status status = !all || layers.failed ? am_no_memory(err) : AM_OK;
  if (!status) {
    for (size_t i = 0; i < o->n_overrides; i++) all[n++] = o->overrides[i];
    if (layers_text) all[n++] = layers.data; /* the last word, but for labels */
    status = load_config(j, all, n, err);
  }
  /* What labels are depends on the target. */
  if (!status && o->labels) {
    status = labels_override(j, am_import_tells_values(j) ? "data.dimensions" : "data.labels", &labels, err);
    all[n++] = labels.data;
    if (!status) status = load_config(j, all, n, err);
  }
  am_buffer_free(j->ctx, &layers);
  am_buffer_free(j->ctx, &labels);
  am_free(j->ctx, all);
  return status;
}

static const char *shown_label(const am_data_options *d, const char *label) {
  const am_value *shown = am_value_get(d->rename, label);
  return shown && shown->kind == AM_SCALAR ? shown->text : label;
}

static const am_texts *given_names(const am_import *j) {
  return am_import_tells_values(j) ? &j->config->data.dimensions : &j->config->data.labels;
}

/* An output without a name of its own could not be told from others. */
static am_status check_labels(const am_import *j, am_error *err) {
  const char *const *given = given_names(j)->at, *from = j->source->labels           ? "option labels"
                                                         : am_import_tells_values(j) ? "data.dimensions"
                                                                                     : "data.labels";
  for (size_t i = 0; i < j->classes; i++) {
    if (!*given[i]) return am_fail(err, AM_E_CONFIG, "%s: label %zu is empty", from, i + 1);
    if (!*j->labels[i]) return am_fail(err, AM_E_CONFIG, "data.rename: \"%s\" is renamed to nothing", given[i]);
    for (size_t k = 0; k < i; k++) {
      if (!strcmp(given[i], given[k])) return am_fail(err, AM_E_CONFIG, "%s: \"%s\" is listed twice", from, given[i]);
      if (!strcmp(j->labels[i], j->labels[k]))
        return am_fail(err, AM_E_CONFIG, "data.rename: \"%s\" and \"%s\" are both renamed to \"%s\"", given[k],
                       given[i], j->labels[i]);
    }
  }
  return AM_OK;
}

am_status am_import_labels(am_import *j, int64_t units, am_error *err) {
  const am_data_options *d = &j->config->data;
  const am_texts *given = given_names(j);
  const bool values = am_import_tells_values(j);
  size_t n = given->n;
  if (!n)
    return am_fail(err, AM_E_CONFIG,
                   "%s: data.%s is empty, and a model of %s does not name its outputs; give them in "
                   "order (option labels)",
                   config_name(j), values ? "dimensions" : "labels", j->program);
  if (units && (size_t)units != n)
    return am_fail(err, AM_E_SHAPE, "%s: the model has %lld outputs, and there are %zu %s (%s, ...)", j->file,
                   (long long)units, n, values ? "dimensions" : "labels", given->at[0]);
  j->labels = am_tree_take(j->config->tree, n, sizeof *j->labels);
  if (!j->labels) return am_no_memory(err);
  j->classes = n;
  for (size_t i = 0; i < n; i++) j->labels[i] = values ? given->at[i] : shown_label(d, given->at[i]);
  return check_labels(j, err);
}

static am_status take_scales(am_import *j, am_error *err) {
  j->scale = am_tree_take(j->config->tree, j->classes + 1, sizeof *j->scale);
  return j->scale ? AM_OK : am_no_memory(err);
}

/* What the config says. */
static am_status given_scales(am_import *j, am_error *err) {
  const am_data_options *d = &j->config->data;
  am_status status = am_dimension_check_scale(d, err);
  for (size_t k = 0; k < j->classes && !status; k++) {
    j->scale[k] = am_dimension_scale(d, j->labels[k]);
    if (!am_scale_good(j->scale[k]))
      status = am_fail(
          err, AM_E_CONFIG,
          "%s: data.scale is not set, and %s does not say what its lowest and highest values are; wanted such as "
          "[1, 5]",
          config_name(j), j->file);
  }
  return status;
}

/* The file knows what its values are; a config that says otherwise is of another corpus, or wrong. */
static void say_other_scales(const am_import *j) {
  for (size_t k = 0; k < j->classes; k++) {
    const am_scale given = am_dimension_scale(&j->config->data, j->labels[k]), is = j->scale[k];
    if (am_scale_good(given) && !am_scale_equal(given, is))
      am_log(j->ctx, AM_LOG_WARNING, "%s says that its %s is from %g to %g; %g to %g of %s does not count", j->file,
             j->labels[k], is.low, is.high, given.low, given.high, config_name(j));
  }
}

am_status am_import_one_scale(am_import *j, am_scale scale, am_error *err) {
  am_status status = take_scales(j, err);
  for (size_t k = 0; k < j->classes && !status; k++) j->scale[k] = scale;
  if (!status && am_scale_good(scale)) say_other_scales(j);
  if (status || am_scale_good(scale)) return status;
  return am_fail(err, AM_E_FORMAT, "%s: its scale is %g to %g, wanted a lower and a higher number", j->file, scale.low,
                 scale.high);
}

am_status am_import_scale(am_import *j, const char *said, am_error *err) {
  am_value *list;
  am_error why = AM_ERROR_INIT;
  am_status status = take_scales(j, err);
  if (status || !said) return status ? status : given_scales(j, err);
  status = am_json_read_text(j->config->tree, said, strlen(said), "scale", &list, &why);
  const bool each = !status && list->kind == AM_MAP;
  bool good = !status && (!each || list->count == j->classes);
  const am_value *v = good && each ? list->first : NULL;
  for (size_t k = 0; k < j->classes && good; k++, v = v ? v->next : NULL)
    good = am_scale_read(each ? v : list, &j->scale[k]);
  if (good) say_other_scales(j);
  if (good) return AM_OK;
  return am_fail(
      err, status == AM_E_NOMEM ? status : AM_E_FORMAT,
      "%s: its scale is \"%.80s\", wanted a lower and a higher number, such as [1, 5], or those of each of its "
      "%zu dimensions",
      j->file, said, j->classes);
}

am_status am_import_from_scale(am_import *j, am_error *err) {
  am_status status = j->scale ? AM_OK : am_import_scale(j, NULL, err);
  return status ? status : am_values_from_scale(j->model, j->file, j->scale, err);
}

am_status am_import_take_labels(am_import *j, const char *from, const char *const *names, size_t n, am_error *err) {
  j->labels = am_tree_take(j->config->tree, n, sizeof *j->labels);
  if (!j->labels) return am_no_memory(err);
  j->classes = n;
  for (size_t i = 0; i < n; i++) {
    j->labels[i] = names[i];
    if (!*names[i]) return am_fail(err, AM_E_FORMAT, "%s: %s: label %zu is empty", j->file, from, i + 1);
    for (size_t k = 0; k < i; k++)
      if (!strcmp(names[i], names[k]))
        return am_fail(err, AM_E_FORMAT, "%s: %s: \"%s\" is listed twice", j->file, from, names[i]);
  }
  return AM_OK;
}

/* ---- clips ---- */

am_status am_import_features(am_import *j, int *fixed, int *bins, am_error *err) {
  am_features *fx = NULL;
  int frames;
  am_status status = am_features_create(j->ctx, &j->config->features, &fx, err);
  if (status) return status;
  am_features_shape(fx, (size_t)j->config->features.sample_rate, &frames, bins);
  *fixed = am_features_fixed_frames(fx);
  am_features_free(fx);
  return AM_OK;
}

am_status am_import_frames(am_import *j, int64_t wanted, int fixed, am_error *err) {
  const char *config = config_name(j);
  int64_t most = j->config->features.max_frames;
  if (wanted > 0 && fixed > 0 && wanted != fixed)
    return am_fail(err, AM_E_SHAPE,
                   "%s wants clips of %lld frames, the features of %s have %d; set features.samples, or "
                   "layout time_mel if the model's input is (frames, mel, channels)",
                   j->file, (long long)wanted, config, fixed);
  if (wanted > 0 && !fixed)
    am_log(j->ctx, AM_LOG_WARNING,
           "the model wants %lld frames: features are cut there, or followed by zeros; set "
           "features.samples to what it was trained with",
           (long long)wanted);
  if (wanted < 0 && !fixed && most <= 0)
    return am_fail(err, AM_E_CONFIG,
                   "%s takes clips of any length; set features.max_frames in %s to the longest wanted, or "
                   "features.samples",
                   j->file, config);
  j->input.variable = wanted < 0 && !fixed;
  j->input.t = (int)(wanted > 0 ? wanted : fixed ? fixed : most);
  return AM_OK;
}

/* ---- weights ---- */

const am_layer *am_import_layer(const am_import *j, const char *name) {
  for (size_t i = 0; i < am_model_steps(j->model); i++)
    if (!strcmp(am_model_step(j->model, i)->layer.name, name)) return &am_model_step(j->model, i)->layer;
  return NULL;
}

bool am_import_array(am_import *j, const char *layer, const char *name, bool statistic, am_array_info *info,
                     am_real **at) {
  am_model *model = j->model;
  size_t n = strlen(layer), count = statistic ? am_model_statistic_count(model) : am_model_weight_count(model);
  for (size_t i = 0; i < count; i++) {
    *info = statistic ? *am_model_statistic_info(model, i) : *am_model_weight_info(model, i);
    if (strncmp(info->name, layer, n) || info->name[n] != '/' || strcmp(info->name + n + 1, name)) continue;
    *at = (statistic ? am_model_statistics(model, NULL) : am_model_weights(model, NULL)) + info->offset;
    return true;
  }
  return false;
}

void am_import_begin_weights(am_import *j) {
  for (size_t i = 0; i < am_model_weight_count(j->model); i++) {
    am_array_info info = *am_model_weight_info(j->model, i);
    bool gamma = !strcmp(am_path_base(info.name), "gamma");
    for (size_t k = 0; k < info.count; k++) am_model_weights(j->model, NULL)[info.offset + k] = gamma ? 1 : 0;
  }
}

/* ---- the checkpoint ---- */

am_status am_import_save(am_import *j, const char *out, am_error *err) {
  am_config *c = j->config;
  char title[64];
  const bool trained = c->features.normalise == AM_NORMALISE_TRAIN || c->features.normalise == AM_NORMALISE_CORPUS;
  if (trained && (!j->mean || !j->inverse))
    return am_fail(err, AM_E_CONFIG,
                   "%s: features.normalise is %s, and a model of %s holds no statistics of its training "
                   "part; set none or clip, or put a batch_norm in",
                   config_name(j), c->features.normalise == AM_NORMALISE_TRAIN ? "train" : "corpus", j->program);
  snprintf(title, sizeof title, "imported from %s", j->program);
  am_dataset dataset = {.corpus = am_data_corpus(&c->data), .title = title, .synthetic = j->synthetic};
  am_split split = {0};
  snprintf(split.note, sizeof split.note, "%s", title);
  am_normaliser normaliser = {.kind = c->features.normalise,
                              .by_all = c->features.normalise_by == AM_NORMALISE_BY_ALL,
                              .f = j->input.f * j->input.c,
                              .mean = trained ? j->mean : NULL,
                              .inverse = trained ? j->inverse : NULL};
  am_save all = {.config = j->config,
                 .model = j->model,
                 .labels = (char *const *)j->labels,
                 .classes = (int)j->classes,
                 .scale = am_import_tells_values(j) ? j->scale : NULL,
                 .normaliser = &normaliser,
                 .dataset = &dataset,
                 .split = &split,
                 .credit_before = &j->credit,
                 .temperature = j->temperature};
  /* Weights of the file are finite; constants that were taken into them may have made them too large. */
  am_status status = am_checkpoint_check_finite(j->ctx, j->file, j->model, err);
  if (!status) status = am_checkpoint_save_given(j->ctx, out, &all, err);
  return !status && j->source->config_text ? am_config_text(c, j->source->config_text, err) : status;
}
