/* SPDX-License-Identifier: MIT */
/* exchange/safetensors_import.c - a safetensors file and a config become a checkpoint. */
#include <string.h>

#include "exchange/keras.h"
#include "exchange/safetensors.h"
#include "exchange/state_dict.h"
#include "io/yaml.h"

typedef struct job {
  am_import is;
  const am_exchange_options *options;
  am_safetensors *file;
  am_tree *map;
  int names, layout, sequence;
} job;

/* ---- what the file says of itself ---- */

static am_status take_word(const job *j, const char *key, const char *choices, int usual, int *out, am_error *err) {
  const char *word = am_safetensors_text(j->file, key);
  *out = word ? am_choice_index(choices, word) : usual;
  if (*out >= 0) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: %s is \"%s\", which is not known here", j->is.file, key, word);
}

static am_status take_credit(job *j, am_error *err) {
  const char *licence = am_safetensors_text(j->file, AM_TEXT_LICENCE),
             *attribution = am_safetensors_text(j->file, AM_TEXT_ATTRIBUTION);
  j->is.synthetic = am_safetensors_text(j->file, AM_TEXT_SYNTHETIC) != NULL;
  if (licence && !(j->is.credit.licence = am_strdup(j->is.ctx, licence))) return am_no_memory(err);
  if (attribution && !(j->is.credit.attribution = am_strdup(j->is.ctx, attribution))) return am_no_memory(err);
  return AM_OK;
}

static am_status take_temperature(job *j, am_error *err) {
  const char *text = am_safetensors_text(j->file, AM_TEXT_TEMPERATURE);
  if (!text) return AM_OK;
  if (!am_text_to_real(text, &j->is.temperature))
    return am_fail(err, AM_E_FORMAT, "%s: " AM_TEXT_TEMPERATURE " is \"%s\", wanted a number", j->is.file, text);
  return am_checkpoint_check_temperature(j->is.file, j->is.temperature, err);
}

static am_status open_all(job *j, am_error *err) {
  am_status status = am_safetensors_open(j->is.ctx, j->is.file, &j->file, err);
  if (!status) status = take_word(j, AM_TEXT_NAMES, AM_WORDS(AM_TENSOR_NAMES), AM_NAMES_PYTORCH, &j->names, err);
  if (!status) status = take_word(j, AM_TEXT_LAYOUT, AM_WORDS(AM_KERAS_LAYOUTS), j->options->layout, &j->layout, err);
  if (!status)
    status = take_word(j, AM_TEXT_SEQUENCE, AM_WORDS(AM_TORCH_SEQUENCES), j->options->sequence, &j->sequence, err);
  if (!status) status = take_credit(j, err);
  if (!status) status = take_temperature(j, err);
  if (status) return status;
  j->is.config_text = am_safetensors_text(j->file, AM_TEXT_CONFIG);
  if (!j->options->map || !*j->options->map) return AM_OK;
  if (j->names == AM_NAMES_AUDIOMOOD)
    return am_fail(err, AM_E_USAGE, "%s has the names of AudioMood's own layers; leave option map out", j->is.file);
  return am_yaml_read_file(j->is.ctx, j->options->map, &j->map, err);
}

/* ---- labels ---- */

/* Those of the file, where it has some and the caller gives none. */
static am_status take_labels(job *j, am_error *err) {
  const char *text = am_safetensors_text(j->file, AM_TEXT_LABELS);
  am_value *list;
  if (!text || j->is.source->labels) return am_import_labels(&j->is, 0, err);
  am_error why = AM_ERROR_INIT;
  am_status status = am_json_read_text(j->is.config->tree, text, strlen(text), AM_TEXT_LABELS, &list, &why);
  if (status) return am_fail(err, status == AM_E_NOMEM ? status : AM_E_FORMAT, "%s: %s", j->is.file, why.message);
  bool texts = list->kind == AM_LIST && list->count;
  for (const am_value *v = list->first; v && texts; v = v->next) texts = v->kind == AM_SCALAR && v->quoted;
  if (!texts) return am_fail(err, AM_E_FORMAT, "%s: " AM_TEXT_LABELS " is not a list of texts", j->is.file);
  const char **names = am_tree_take(j->is.config->tree, list->count, sizeof *names);
  if (!names) return am_no_memory(err);
  size_t n = 0;
  for (const am_value *v = list->first; v; v = v->next) names[n++] = v->text;
  return am_import_take_labels(&j->is, AM_TEXT_LABELS, names, n, err);
}

/* ---- the model ---- */

/* Numbers in the file: an honest model of it has no more, but for a few that may be left out. */
static size_t numbers_in(const am_safetensors *f) {
  size_t n = 0;
  for (size_t i = 0; i < am_safetensors_count(f); i++) n = am_add(n, am_safetensors_at(f, i)->count);
  return n;
}

/* Of clips of any length the config need not say the longest where the file does. */
static am_status choose_frames(job *j, int fixed, am_error *err) {
  const char *text = am_safetensors_text(j->file, AM_TEXT_FRAMES);
  int64_t frames;
  if (!text || fixed || j->is.config->features.max_frames > 0) return am_import_frames(&j->is, -1, fixed, err);
  if (!am_text_to_int(text, &frames) || frames < 1 || frames > AM_CHECKPOINT_FRAMES)
    return am_fail(err, AM_E_FORMAT, "%s: " AM_TEXT_FRAMES " is \"%s\", wanted a number from 1 to %d", j->is.file, text,
                   AM_CHECKPOINT_FRAMES);
  j->is.input.t = (int)frames;
  j->is.input.variable = true;
  return AM_OK;
}

/* A map (T,F,1), or the sequence (T,F) if the first layer refuses a map, as of every config. */
static am_status make_model(job *j, am_error *err) {
  int fixed, bins;
  am_import *is = &j->is;
  am_error as_map = AM_ERROR_INIT, as_sequence = AM_ERROR_INIT;
  const size_t most = am_add(am_mul(2, numbers_in(j->file)), 65536);
  am_status status = am_import_features(is, &fixed, &bins, err);
  is->input = (am_shape){.rank = 3, .f = bins, .c = 1};
  if (!status) status = choose_frames(j, fixed, err);
  if (status) return status;
  status = am_model_create_within(is->ctx, is->config->layers, is->input, (int)is->classes, most, &is->model, &as_map);
  if (status != AM_E_SHAPE && status != AM_E_CONFIG) return status ? am_fail(err, status, "%s", as_map.message) : AM_OK;
  is->input = (am_shape){.rank = 2, .t = is->input.t, .f = 1, .c = bins, .variable = is->input.variable};
  if (!am_model_create_within(is->ctx, is->config->layers, is->input, (int)is->classes, most, &is->model, &as_sequence))
    return AM_OK;
  if (!strcmp(as_map.message, as_sequence.message)) return am_fail(err, status, "%s: %s", is->file, as_map.message);
  return am_fail(err, status, "%s: %s; and with clips as sequences (T,F): %s", is->file, as_map.message,
                 as_sequence.message);
}

/* ---- numbers ---- */

static am_status take_own(job *j, const char *name, int rank, const int *dims, float *to, am_error *err) {
  const am_tensor *t = am_safetensors_find(j->file, name);
  char found[AM_TENSOR_TEXT], wanted[AM_TENSOR_TEXT];
  size_t at[4] = {1, 1, 1, 1};
  for (int i = 0; i < rank; i++) at[i] = (size_t)dims[i];
  if (!t)
    return am_fail(err, AM_E_FORMAT, "%s: there is no tensor %s, which the layers of the config want as %s", j->is.file,
                   name, am_tensor_shape(rank, at, wanted));
  if (t->rank != rank || memcmp(t->dims, at, (size_t)rank * sizeof *at) != 0)
    return am_fail(err, AM_E_SHAPE, "%s: tensor %s is %s, and the layers of the config want %s", j->is.file, name,
                   am_tensor_shape(t->rank, t->dims, found), am_tensor_shape(rank, at, wanted));
  return am_safetensors_read(j->file, t, to, err);
}

/* Our own names: each tensor has its place, and there are no others. */
static am_status take_arrays(job *j, am_error *err) {
  am_model *m = j->is.model;
  size_t wanted = 0;
  am_status status = AM_OK;
  for (int s = 0; s < 2 && !status; s++) {
    const size_t n = s ? am_model_statistic_count(m) : am_model_weight_count(m);
    float *all = s ? am_model_statistics(m, NULL) : am_model_weights(m, NULL);
    for (size_t i = 0; i < n && !status; i++, wanted++) {
      const am_array_info *info = s ? am_model_statistic_info(m, i) : am_model_weight_info(m, i);
      status = take_own(j, info->name, info->rank, info->dims, all + info->offset, err);
    }
  }
  for (int i = 0; i < 2 && !status; i++) {
    const char *const name = i ? AM_TENSOR_INVERSE : AM_TENSOR_MEAN;
    float **to = i ? &j->is.inverse : &j->is.mean;
    const int bins = j->is.input.f * j->is.input.c;
    if (!am_safetensors_find(j->file, name)) continue;
    wanted++;
    if (!(*to = am_alloc(j->is.ctx, (size_t)bins, sizeof **to))) return am_no_memory(err);
    status = take_own(j, name, 1, &bins, *to, err);
  }
  if (!status && j->is.mean && j->is.inverse)
    status = am_checkpoint_check_means(
        j->is.file, &(am_normaliser){.f = j->is.input.f * j->is.input.c, .mean = j->is.mean, .inverse = j->is.inverse},
        err);
  if (!status && wanted != am_safetensors_count(j->file))
    status = am_fail(err, AM_E_SHAPE, "%s: it has %zu tensors, and the layers of the config %zu", j->is.file,
                     am_safetensors_count(j->file), wanted);
  return status;
}

static am_status take_state_dict(job *j, am_error *err) {
  am_torch torch = {.ctx = j->is.ctx,
                    .model = j->is.model,
                    .file = j->is.file,
                    .turned = j->layout == AM_KERAS_MEL_TIME,
                    .channels_first = j->sequence == AM_TORCH_CHANNELS_MEL};
  am_status status = am_torch_begin(&torch, err);
  if (!status) status = am_state_dict_take(&torch, j->file, j->map ? am_tree_root(j->map) : NULL, err);
  am_torch_end(&torch);
  return status;
}

/* Tensors of ours give outputs as training has them; who wrote others was asked for values. */
static am_status take_scale(job *j, am_error *err) {
  const char *said = am_safetensors_text(j->file, AM_TEXT_SCALES);
  if (!said) said = am_safetensors_text(j->file, AM_TEXT_SCALE);
  am_status status = said || j->names == AM_NAMES_AUDIOMOOD ? am_import_check_target(&j->is, said != NULL, err) : AM_OK;
  if (status || !am_import_tells_values(&j->is)) return status;
  return said ? am_import_scale(&j->is, said, err) : am_import_from_scale(&j->is, err);
}

am_status am_safetensors_import(am_context *ctx, const char *file, const am_import_source *source,
                                const am_exchange_options *options, const char *out, am_error *err) {
  job j = {.is = {.ctx = ctx, .file = file, .program = "PyTorch", .source = source}, .options = options};
  am_status status = open_all(&j, err);
  if (!status) status = am_import_config(&j.is, NULL, err);
  if (!status) status = take_labels(&j, err);
  if (!status) status = make_model(&j, err);
  if (!status) {
    am_import_begin_weights(&j.is);
    if (j.names == AM_NAMES_AUDIOMOOD) j.is.program = "safetensors";
    status = j.names == AM_NAMES_AUDIOMOOD ? take_arrays(&j, err) : take_state_dict(&j, err);
  }
  if (!status) status = take_scale(&j, err);
  if (!status) status = am_import_save(&j.is, out, err);
  am_import_free(&j.is);
  am_tree_free(j.map);
  am_safetensors_close(j.file);
  return status;
}
