/* SPDX-License-Identifier: MIT */
/* exchange/onnx_import_own.c - a graph that AudioMood exported, back by what its metadata and the names of its constants say: layers,
 * features, labels, temperature, and each array as "layer/kernel".  So nothing has to be recognised, and nothing is lost. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exchange/onnx_import.h"
#include "exchange/onnx_import_own.h"
#include "io/json.h"

bool am_onnx_is_own(const am_onnx_model *m) {
  return !strcmp(m->producer, "audiomood") && am_onnx_prop_find(m, AM_ONNX_LAYERS) != NULL;
}

/* ---- metadata ---- */

static am_status read_json(am_import *j, const am_onnx_model *m, const char *key, am_value **out, am_error *err) {
  const char *text = am_onnx_prop_find(m, key);
  am_error why = AM_ERROR_INIT;
  if (!text) return am_fail(err, AM_E_FORMAT, "%s: its metadata has no %s", j->file, key);
  am_status status = am_json_read_text(m->tree, text, strlen(text), key, out, &why);
  return status ? am_fail(err, status == AM_E_NOMEM ? status : AM_E_FORMAT, "%s: %s", j->file, why.message) : AM_OK;
}

/* What the file calls the list of its outputs' names. */
static const char *names_key(const am_onnx_model *m) {
  return am_onnx_prop_find(m, AM_ONNX_DIMENSIONS) ? AM_ONNX_DIMENSIONS : "labels";
}

/* "features={...}" before what the user sets, and, where nobody else names them, "data.labels=[...]". */
static am_status load_config(am_import *j, const am_onnx_model *m, const am_value *features, bool labels,
                             am_error *err) {
  am_import_source with = *j->source;
  const am_import_source *source = j->source;
  const char *const *given = with.overrides;
  am_buffer text = {0}, names = {0};
  const char **all = am_alloc(j->ctx, with.n_overrides + 2, sizeof *all), *key = names_key(m);
  am_buffer_printf(j->ctx, &text, "features=");
  am_json json = am_json_begin(j->ctx, &text, 0);
  am_json_value(&json, NULL, features);
  am_buffer_printf(j->ctx, &names, "data.%s=%s", key, am_onnx_prop_find(m, key));
  am_status status = !all || text.failed || names.failed ? am_no_memory(err) : AM_OK;
  size_t n = 0;
  if (!status) {
    all[n++] = text.data;
    for (size_t i = 0; i < with.n_overrides; i++) all[n++] = given[i];
    if (labels) all[n++] = names.data;
    with.overrides = all;
    with.n_overrides = n;
    j->source = &with;
    status = am_import_config(j, am_onnx_prop_find(m, AM_ONNX_LAYERS), err);
    j->source = source;
  }
  am_buffer_free(j->ctx, &text);
  am_buffer_free(j->ctx, &names);
  am_free(j->ctx, all);
  return status;
}

/* The file knows what its outputs are: other names are those of whoever gives them, but never by a config that is of other
 * labels. */
static am_status check_labels(am_import *j, const am_value *names, am_error *err) {
  size_t i = 0;
  if (j->source->labels) return AM_OK;
  for (const am_value *v = names->first; v; v = v->next, i++)
    if (v->kind != AM_SCALAR || strcmp(v->text, j->labels[i]) != 0)
      return am_fail(err, AM_E_CONFIG,
                     "%s: its output %zu is \"%.60s\", and label %zu of %s is \"%.60s\"; leave data.%s out, or "
                     "name the outputs "
                     "(option labels)",
                     j->file, i + 1, v->kind == AM_SCALAR ? v->text : "", i + 1, j->source->config, j->labels[i],
                     am_import_tells_values(j) ? "dimensions" : "labels");
  return AM_OK;
}

static am_status read_config(am_import *j, const am_onnx_model *m, int64_t *most, am_error *err) {
  am_value *inputs, *labels;
  am_status status = read_json(j, m, "inputs", &inputs, err);
  if (!status) status = read_json(j, m, names_key(m), &labels, err);
  if (status) return status;
  const am_value *features =
      inputs->kind == AM_LIST && inputs->count == 1 ? am_value_get(inputs->first, "features") : NULL;
  if (!features || features->kind != AM_MAP || labels->kind != AM_LIST)
    return am_fail(err, AM_E_FORMAT, "%s: its metadata does not say what one input is made by, and the labels",
                   j->file);
  const am_value *frames = am_value_get(inputs->first, "most_frames");
  if (frames && (!am_value_to_int(frames, most) || *most < 1 || *most > INT32_MAX))
    return am_fail(err, AM_E_FORMAT, "%s: its metadata says no number of most_frames", j->file);
  status = load_config(j, m, features, false, err);
  if (!status) status = am_import_check_target(j, !strcmp(names_key(m), AM_ONNX_DIMENSIONS), err);
  const am_data_options *d = status ? NULL : &j->config->data;
  if (d && !(am_import_tells_values(j) ? d->dimensions.n : d->labels.n) && !j->source->labels)
    status = load_config(j, m, features, true, err);
  if (!status) status = am_import_labels(j, (int64_t)labels->count, err);
  return status ? status : check_labels(j, labels, err);
}

/* ---- the input ---- */

/* `most` frames of a clip of any length, where the features do not say. */
static am_status read_input(am_import *j, const am_onnx_model *m, int64_t most, am_error *err) {
  const am_onnx_value *in = m->graph.n_inputs ? &m->graph.inputs[0] : NULL;
  int fixed, bins;
  am_status status = am_import_features(j, &fixed, &bins, err);
  if (status) return status;
  const int64_t f = in && in->rank == 4 ? in->dims[2] : 1, c = in && in->rank > 1 ? in->dims[in->rank - 1] : 0;
  if (!in || in->rank < 2 || in->rank > 4 || f < 1 || c < 1 || f > bins || f * c != bins)
    return am_fail(err, AM_E_SHAPE, "%s: its input does not fit its features, which have %d bins", j->file, bins);
  if (in->rank == 2) j->input.t = 1;
  else if (most && in->dims[1] < 0 && !fixed && j->config->features.max_frames <= 0) {
    j->input.t = (int)most;
    j->input.variable = true;
  } else status = am_import_frames(j, in->dims[1], fixed, err);
  j->input.rank = in->rank - 1;
  j->input.f = (int)f;
  j->input.c = (int)c;
  return status;
}

/* ---- weights ---- */

typedef struct taker {
  am_import *import;
  const am_onnx_model *model;
  am_error *err;
} taker;

static am_status missing(const taker *t, const char *name) {
  return am_fail(t->err, AM_E_FORMAT,
                 "%s: the constant \"%.120s\" is missing, or has another shape than the layers say", t->import->file,
                 name);
}

/* Constant "layer/name" of float32 with these dims; NULL: there is none. */
static const float *find(const taker *t, const char *layer, size_t length, const char *name, int rank,
                         const int64_t *dims) {
  char path[400];
  snprintf(path, sizeof path, "%.*s%s", (int)length, layer, name);
  const am_onnx_tensor *a = am_onnx_initialiser_find(&t->model->graph, path);
  bool same = a && a->data && a->type == AM_ONNX_FLOAT && a->rank == rank;
  for (int d = 0; d < rank && same; d++) same = a->dims[d] == dims[d];
  return same ? a->data : NULL;
}

/* (O, I, kt, kf) to (kt, kf, I, O), and the same of one axis. */
static am_status take_kernel(const taker *t, const am_array_info *info, size_t layer, am_real *to) {
  const int64_t outputs = info->dims[info->rank - 1], inputs = info->dims[info->rank - 2];
  int64_t dims[4] = {outputs, inputs, info->dims[0], info->dims[1]};
  const float *from = find(t, info->name, layer, "kernel", info->rank, dims);
  if (!from) return missing(t, info->name);
  const int64_t taps = (int64_t)info->count / (outputs * inputs);
  for (int64_t k = 0; k < taps; k++)
    for (int64_t i = 0; i < inputs; i++)
      for (int64_t o = 0; o < outputs; o++) *to++ = (am_real)from[(o * inputs + i) * taps + k];
  return AM_OK;
}

/* Of both directions and all gates in ONNX's order (i, o, f, c; z, r, h), to an array of one direction. */
static am_status take_recurrent(const taker *t, const am_array_info *info, size_t layer, const am_layer *of,
                                am_real *to) {
  static const int lstm[4] = {0, 3, 1, 2}, gru[3] = {0, 1, 2};
  const bool is_lstm = of->cls == &am_lstm, backward = !strncmp(info->name + layer, "backward_", 9);
  const char *name = info->name + layer + (backward ? 9 : 0);
  const int gates = is_lstm ? 4 : 3, *ours = is_lstm ? lstm : gru;
  const int64_t wide = info->dims[info->rank - 1], h = wide / gates, in = info->dims[0];
  const bool bias = !strncmp(name, "bias", 4);
  for (int64_t directions = 1; directions <= 2; directions++) {
    const float *from = bias ? find(t, info->name, layer, name, 2, (int64_t[]){directions, 2 * wide})
                             : find(t, info->name, layer, name, 3, (int64_t[]){directions, wide, in});
    if (!from || backward >= directions) continue;
    from += backward * (bias ? 2 * wide : wide * in);
    for (int64_t part = 0; bias && part < info->rank; part++)
      for (int64_t k = 0; k < wide; k++) to[part * wide + ours[k / h] * h + k % h] = (am_real)from[part * wide + k];
    for (int64_t k = 0; !bias && k < wide; k++)
      for (int64_t i = 0; i < in; i++) to[i * wide + ours[k / h] * h + k % h] = (am_real)from[k * in + i];
    return AM_OK;
  }
  return missing(t, info->name);
}

static am_status take_array(const taker *t, const am_array_info *info, bool statistic, am_real *to) {
  const char *slash = strrchr(info->name, '/');
  const size_t layer = slash ? (size_t)(slash - info->name) + 1 : 0;
  const am_layer *of = NULL;
  int64_t dims[AM_MAX_DIMS];
  for (size_t i = 0; i < am_model_steps(t->import->model) && !of; i++) {
    const am_layer *here = &am_model_step(t->import->model, i)->layer;
    if (strlen(here->name) + 1 == layer && !strncmp(here->name, info->name, layer - 1)) of = here;
  }
  if (!of) return missing(t, info->name);
  if (statistic && !strcmp(info->name + layer, "updates")) return AM_OK; /* only training counts them */
  if (of->cls == &am_lstm || of->cls == &am_gru) return take_recurrent(t, info, layer, of, to);
  if (info->rank > 2) return take_kernel(t, info, layer, to);
  for (int d = 0; d < info->rank; d++) dims[d] = info->dims[d];
  const float *from = find(t, info->name, layer, info->name + layer, info->rank, dims);
  if (!from) return missing(t, info->name);
  for (size_t i = 0; i < info->count; i++) to[i] = (am_real)from[i];
  return AM_OK;
}

static am_status take_arrays(const taker *t, bool statistics) {
  am_model *model = t->import->model;
  const size_t n = statistics ? am_model_statistic_count(model) : am_model_weight_count(model);
  am_real *all = statistics ? am_model_statistics(model, NULL) : am_model_weights(model, NULL);
  am_status status = AM_OK;
  for (size_t i = 0; i < n && !status; i++) {
    const am_array_info *info = statistics ? am_model_statistic_info(model, i) : am_model_weight_info(model, i);
    am_real *to = all + info->offset;
    status = take_array(t, info, statistics, to);
    for (size_t k = 0; k < info->count && !status; k++)
      if (!isfinite(to[k]))
        status = am_fail(t->err, AM_E_NUMERIC, "%s: %s: number %zu is %s; a model with such weights answers nothing",
                         t->import->file, info->name, k + 1, isnan(to[k]) ? "not a number" : "infinite");
  }
  return status;
}

/* Statistics of the training part, or of its corpora, which the graph subtracts. */
static am_status take_normaliser(am_import *j, const taker *t) {
  const int64_t f = j->input.f * j->input.c;
  const int kind = j->config->features.normalise;
  if (kind != AM_NORMALISE_TRAIN && kind != AM_NORMALISE_CORPUS) return AM_OK;
  const float *mean = find(t, "normalise/", 10, "mean", 1, &f), *inverse = find(t, "normalise/", 10, "inverse", 1, &f);
  if (!mean || !inverse) return AM_OK; /* normalised outside: saving says so */
  j->mean = am_alloc(j->ctx, (size_t)f, sizeof *mean);
  j->inverse = am_alloc(j->ctx, (size_t)f, sizeof *mean);
  if (!j->mean || !j->inverse) return am_no_memory(t->err);
  memcpy(j->mean, mean, (size_t)f * sizeof *mean);
  memcpy(j->inverse, inverse, (size_t)f * sizeof *inverse);
  for (int64_t i = 0; i < f; i++)
    if (!isfinite(mean[i]) || !isfinite(inverse[i]))
      return am_fail(t->err, AM_E_NUMERIC, "%s: the statistics of its features are not finite", j->file);
  return AM_OK;
}

static am_status make_model(am_import *j, const am_onnx_model *m, am_error *err) {
  am_error why = AM_ERROR_INIT;
  size_t numbers = 65536;
  for (size_t i = 0; i < m->graph.n_initialisers; i++)
    if (m->graph.initialisers[i].data) numbers = am_add(numbers, m->graph.initialisers[i].count);
  am_status status =
      am_model_create_within(j->ctx, j->config->layers, j->input, (int)j->classes, numbers, &j->model, &why);
  if (status) return am_fail(err, status, "%s: %s", j->file, why.message);
  const taker t = {j, m, err};
  am_import_begin_weights(j);
  status = take_arrays(&t, false);
  if (!status) status = take_arrays(&t, true);
  return status ? status : take_normaliser(j, &t);
}

am_status am_onnx_import_own(am_import *j, const am_onnx_model *m, am_error *err) {
  const char *temperature = am_onnx_prop_find(m, AM_ONNX_TEMPERATURE);
  int64_t most = 0;
  am_status status = read_config(j, m, &most, err);
  if (!status) status = read_input(j, m, most, err);
  if (!status) status = make_model(j, m, err);
  const char *scales = am_onnx_prop_find(m, AM_ONNX_SCALES);
  if (!status && am_import_tells_values(j))
    status = am_import_scale(j, scales ? scales : am_onnx_prop_find(m, AM_ONNX_SCALE), err);
  if (status || !temperature) return status;
  if (!am_text_to_real(temperature, &j->temperature)) j->temperature = 0;
  return am_checkpoint_check_temperature(j->file, j->temperature, err);
}
