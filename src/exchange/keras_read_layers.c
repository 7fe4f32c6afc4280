/* SPDX-License-Identifier: MIT */
/* exchange/keras_read_layers.c - one layer of a Keras model, as an entry of our list of layers. */
#include <stdio.h>
#include <string.h>

#include "exchange/keras_read.h"

typedef am_keras_reader reader;
typedef am_keras_source source;

typedef struct keras_class {
  const char *type;
  const char *options; /* keys that `read` carries over */
  am_status (*read)(reader *r, const source *s, am_error *err);
} keras_class;

/* ---- writing ours ---- */

void am_keras_begin(reader *r, const source *s, const char *type) {
  am_json_open(&r->json, NULL, '{');
  am_json_open(&r->json, type, '{');
  am_json_text(&r->json, "name", s->ours);
}

void am_keras_end(reader *r) {
  am_json_close(&r->json);
  am_json_close(&r->json);
}

/* Where probabilities are made: `activation` of the layer just read, "" for none. */
void am_keras_made(reader *r, const source *s, const char *activation) {
  r->activation = activation;
  r->made = s->name;
  r->behind = r->spoiled = NULL;
}

/* A layer that changes nothing of what the activation before it stands for; `keeps`: outputs that sum to 1 still do. */
void am_keras_passes(reader *r, const source *s, bool keeps) {
  if (!*r->activation) return;
  r->behind = s->name;
  if (!keeps && !r->spoiled) r->spoiled = s->name;
}

/* "add/" and what the layer is called in there; `more` behind it. */
static const char *full_name(const reader *r, const source *s, const char *more) {
  return am_keras_join(r->model->tree, r->prefix, s->ours, more ? more : "");
}

am_status am_keras_record(reader *r, const source *s, const char *more, am_keras_layer **out, am_error *err) {
  am_keras_model *m = r->model;
  am_keras_layer *grown = am_resize(r->ctx, m->at, m->n + 1, sizeof *grown);
  if (!grown) return am_no_memory(err);
  m->at = grown;
  *out = &m->at[m->n++];
  **out = (am_keras_layer){.name = full_name(r, s, more),
                           .keras = s->name,
                           .holder = s->holder,
                           .store = s->store,
                           .place = s->place,
                           .frozen = s->frozen,
                           .flat = r->flat};
  return (*out)->name ? AM_OK : am_no_memory(err);
}

void am_keras_array_add(am_keras_layer *l, const char *part, const char *keras, const char *ours, bool statistic) {
  int number = 0;
  for (int i = 0; i < l->n_arrays; i++) number += !strcmp(l->arrays[i].part, part);
  l->arrays[l->n_arrays++] = (am_keras_array){keras, ours, statistic, part, number};
}

/* A number, or one each dimension; of a turned map they are exchanged. */
static am_status windows(reader *r, const source *s, const char *key, const char *ours, int rank, am_error *err) {
  const am_value *v = am_value_get(s->config, key), *item = v && v->kind == AM_LIST ? v->first : v;
  const size_t n = (size_t)rank - 1;
  int64_t number[2] = {1, 1};
  bool good = item && (v->kind != AM_LIST || v->count == n);
  for (size_t i = 0; good && i < n; i++) {
    good = am_value_to_int(item, &number[i]) && number[i] >= 1;
    if (v->kind == AM_LIST) item = item->next;
  }
  if (!good) return am_keras_refuse(r, s, key, n == 1 ? "one number from 1" : "two numbers from 1", err);
  const int64_t exchanged[2] = {number[1], number[0]};
  am_json_ints(&r->json, ours, n == 2 && r->turned ? exchanged : number, n);
  return AM_OK;
}

am_status am_keras_activation(const reader *r, const source *s, const char **out, am_error *err) {
  static const char *const known[][2] = {{"linear", ""},         {"relu", "relu"},       {"tanh", "tanh"},
                                         {"sigmoid", "sigmoid"}, {"softmax", "softmax"}, {"gelu", "gelu"},
                                         {"swish", "silu"},      {"silu", "silu"}};
  const am_value *v = am_value_get(s->config, "activation");
  /* newer ones write a function of their own as an object with its name */
  if (v && v->kind == AM_MAP && am_keras_is(am_value_get(v, "class_name"), "function")) v = am_value_get(v, "config");
  const char *word = !v || v->kind == AM_NULL ? "linear" : am_keras_text(v);
  for (size_t i = 0; word && i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i][0], word)) {
      *out = known[i][1];
      return AM_OK;
    }
  return am_keras_refuse(r, s, "activation", "linear, relu, tanh, sigmoid, softmax, gelu or swish", err);
}

static am_status activate(reader *r, const source *s, am_error *err) {
  const char *activation = "";
  am_status status = am_keras_activation(r, s, &activation, err);
  if (!status && *activation) am_json_text(&r->json, "activation", activation);
  am_keras_made(r, s, activation);
  return status;
}

am_status am_keras_need_rank(const reader *r, const source *s, int rank, am_error *err) {
  if (r->rank == rank) return AM_OK;
  return am_fail(err, AM_E_SHAPE, "%s: layer %s (%s) wants %d dimensions without the batch, and is given %d", r->file,
                 s->name, s->type, rank, r->rank);
}

static int rank_of(const source *s) { return strstr(s->type, "2D") ? 3 : 2; }

/* ---- layers ---- */

static am_status read_conv(reader *r, const source *s, am_error *err) {
  int rank = rank_of(s);
  int64_t filters = 0;
  bool bias;
  am_keras_layer *l = NULL;
  am_status status = am_keras_need_rank(r, s, rank, err);
  if (!status) status = am_keras_int(r, s, "filters", &filters, err);
  if (!status) status = am_keras_bool(r, s, "use_bias", true, &bias, err);
  if (!status) status = am_keras_record(r, s, NULL, &l, err);
  if (status) return status;
  l->turned = rank == 3 && r->turned;
  am_keras_array_add(l, "", "kernel", "kernel", false);
  if (bias) am_keras_array_add(l, "", "bias", "bias", false);
  am_keras_begin(r, s, rank == 3 ? "conv2d" : "conv1d");
  am_json_int(&r->json, "filters", filters);
  am_json_bool(&r->json, "bias", bias);
  status = windows(r, s, "kernel_size", "kernel", rank, err);
  if (!status) status = windows(r, s, "strides", "stride", rank, err);
  if (!status) status = windows(r, s, "dilation_rate", "dilation", rank, err);
  if (!status) status = am_keras_padding(r, s, err);
  if (!status) status = activate(r, s, err);
  am_keras_end(r);
  return status;
}

static am_status read_pool(reader *r, const source *s, am_error *err) {
  int rank = rank_of(s);
  bool max = !strncmp(s->type, "Max", 3);
  am_status status = am_keras_need_rank(r, s, rank, err);
  if (status) return status;
  am_keras_begin(r, s, rank == 3 ? max ? "max_pool2d" : "average_pool2d" : max ? "max_pool1d" : "average_pool1d");
  const am_value *strides = am_value_get(s->config, "strides");
  status = windows(r, s, "pool_size", "size", rank, err);
  if (!status && strides && strides->kind != AM_NULL) status = windows(r, s, "strides", "stride", rank, err);
  if (!status) status = am_keras_padding(r, s, err);
  am_keras_end(r);
  am_keras_passes(r, s, !max);
  return status;
}

static am_status read_global(reader *r, const source *s, am_error *err) {
  am_status status = am_keras_need_rank(r, s, rank_of(s), err);
  if (status) return status;
  bool max = strstr(s->type, "Max") != NULL;
  am_keras_begin(r, s, max ? "global_max_pool" : "global_average_pool");
  am_keras_end(r);
  am_keras_passes(r, s, !max);
  r->rank = 1;
  return AM_OK;
}

/* A map as a sequence of frames. */
static am_status frames_of(reader *r, const source *s, am_error *err) {
  am_status status = am_keras_need_rank(r, s, 3, err);
  if (status) return status;
  if (r->turned)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (%s): its rows would hold bins, not frames; put Permute((2, 1,"
                   " 3)) before it, or choose layout time_mel if its input is (frames, mel, channels)",
                   r->file, s->name, s->type);
  am_keras_begin(r, s, "to_sequence");
  am_keras_end(r);
  am_keras_passes(r, s, true);
  r->rank = 2;
  return AM_OK;
}

static am_status read_flatten(reader *r, const source *s, am_error *err) {
  if (s->timed) return frames_of(r, s, err);
  am_keras_begin(r, s, "flatten");
  am_keras_end(r);
  am_keras_passes(r, s, true); /* of one place; the model's shapes tell */
  if (r->rank == 3 && r->turned && !(r->flat = full_name(r, s, NULL))) return am_no_memory(err);
  r->rank = 1;
  return AM_OK;
}

static am_status read_dense(reader *r, const source *s, am_error *err) {
  int64_t units = 0;
  bool bias;
  am_keras_layer *l = NULL;
  am_status status = am_keras_int(r, s, "units", &units, err);
  if (!status) status = am_keras_bool(r, s, "use_bias", true, &bias, err);
  if (!status) status = am_keras_record(r, s, NULL, &l, err);
  if (status) return status;
  am_keras_array_add(l, "", "kernel", "kernel", false);
  if (bias) am_keras_array_add(l, "", "bias", "bias", false);
  am_keras_begin(r, s, "dense");
  am_json_int(&r->json, "units", units);
  am_json_bool(&r->json, "bias", bias);
  status = activate(r, s, err);
  am_keras_end(r);
  r->flat = NULL;
  r->model->units = r->rank == 1 ? units : 0;
  return status;
}

static am_status read_dropout(reader *r, const source *s, am_error *err) {
  double rate;
  am_status status = am_keras_real(r, s, "rate", 0.5, &rate, err);
  if (status) return status;
  am_keras_begin(r, s, "dropout");
  am_json_real(&r->json, "rate", rate);
  am_keras_end(r);
  am_keras_passes(r, s, true);
  return AM_OK;
}

/* Noise, and dropout of kinds that are not here: to a prediction these are nothing. */
static am_status read_training_only(reader *r, const source *s, am_error *err) {
  (void)err;
  am_log(r->ctx, AM_LOG_WARNING, "%s: layer %s (%s) acts in training only and is left out", r->file, s->name, s->type);
  am_keras_passes(r, s, true);
  return AM_OK;
}

static am_status read_activation(reader *r, const source *s, am_error *err) {
  const char *type = "";
  am_status status = am_keras_activation(r, s, &type, err);
  if (status || !*type) return status;
  am_keras_begin(r, s, type);
  am_keras_end(r);
  am_keras_made(r, s, type);
  return AM_OK;
}

static am_status read_relu(reader *r, const source *s, am_error *err) {
  bool leaky = !strcmp(s->type, "LeakyReLU");
  double slope;
  const char *key = leaky && am_value_get(s->config, "alpha") ? "alpha" : "negative_slope";
  am_status status = am_keras_real(r, s, key, leaky ? 0.3 : 0, &slope, err);
  if (status) return status;
  am_keras_begin(r, s, slope != 0 ? "leaky_relu" : "relu");
  if (slope != 0) am_json_real(&r->json, "alpha", slope);
  am_keras_end(r);
  am_keras_made(r, s, slope != 0 ? "" : "relu");
  return AM_OK;
}

/* The axis that a layer works along must be the channels. */
static am_status last_axis(const reader *r, const source *s, am_error *err) {
  const am_value *v = am_value_get(s->config, "axis");
  int64_t axis;
  if (v && v->kind == AM_LIST && v->count == 1) v = v->first;
  const int last = r->rank - (s->timed ? 1 : 0);
  if (!v || (am_value_to_int(v, &axis) && (axis == -1 || axis == last))) return AM_OK;
  return am_keras_refuse(r, s, "axis", "-1, the channels,", err);
}

static am_status read_softmax(reader *r, const source *s, am_error *err) {
  am_status status = last_axis(r, s, err);
  if (status) return status;
  am_keras_begin(r, s, "softmax");
  am_keras_end(r);
  am_keras_made(r, s, "softmax");
  return AM_OK;
}

static am_status read_norm(reader *r, const source *s, am_error *err) {
  bool batch = !strcmp(s->type, "BatchNormalization"), scale, center;
  double epsilon, momentum;
  am_keras_layer *l = NULL;
  am_status status = last_axis(r, s, err);
  if (!status) status = am_keras_bool(r, s, "scale", true, &scale, err);
  if (!status) status = am_keras_bool(r, s, "center", true, &center, err);
  if (!status) status = am_keras_real(r, s, "epsilon", 1e-3, &epsilon, err);
  if (!status) status = am_keras_real(r, s, "momentum", 0.99, &momentum, err);
  if (!status) status = am_keras_record(r, s, NULL, &l, err);
  if (status) return status;
  if (scale) am_keras_array_add(l, "", "gamma", "gamma", false);
  if (center) am_keras_array_add(l, "", "beta", "beta", false);
  if (batch) am_keras_array_add(l, "", "moving_mean", "mean", true);
  if (batch) am_keras_array_add(l, "", "moving_variance", "variance", true);
  am_keras_begin(r, s, batch ? "batch_norm" : "layer_norm");
  am_json_real(&r->json, "epsilon", epsilon);
  if (batch) am_json_real(&r->json, "momentum", momentum);
  if (batch && r->rank == 3) am_json_bool(&r->json, "unbiased", true); /* Keras's fused kernel, for maps */
  if (batch) am_json_text(&r->json, "statistics", "plain");
  am_keras_end(r);
  am_keras_made(r, s, "");
  return AM_OK;
}

/* A map with its two outer axes exchanged is the same map of ours. */
static am_status read_permute(reader *r, const source *s, am_error *err) {
  const am_value *dims = am_value_get(s->config, "dims");
  am_status status = am_keras_need_rank(r, s, 3, err);
  if (status) return status;
  if (!dims || dims->kind != AM_LIST || dims->count != 3 || !am_keras_is(dims->first, "2") ||
      !am_keras_is(dims->first->next, "1") || !am_keras_is(dims->last, "3"))
    return am_keras_refuse(r, s, "dims", "(2, 1, 3)", err);
  r->turned = !r->turned;
  am_keras_passes(r, s, true);
  return AM_OK;
}

/* (T,F,C) to (T,F*C). */
static am_status read_reshape(reader *r, const source *s, am_error *err) {
  const am_value *to = am_value_get(s->config, "target_shape");
  int64_t dims[2];
  if (!to || to->kind != AM_LIST || to->count != 2 || !am_value_to_int(to->first, &dims[0]) ||
      !am_value_to_int(to->last, &dims[1]))
    return am_keras_refuse(r, s, "target_shape", "(frames, bins * channels)", err);
  am_keras_layer *l = NULL;
  am_status status = frames_of(r, s, err);
  if (!status) status = am_keras_record(r, s, NULL, &l, err);
  if (status) return status;
  l->reshape[0] = dims[0] ? dims[0] : INT64_MAX; /* 0 fits nothing */
  l->reshape[1] = dims[1] ? dims[1] : INT64_MAX;
  return AM_OK;
}

static am_status read_input(reader *r, const source *s, am_error *err) {
  (void)r, (void)s, (void)err; /* find_input has read it */
  return AM_OK;
}

/* What Keras 3.6 puts after the input of a Functional model in another precision. */
static am_status read_cast(reader *r, const source *s, am_error *err) {
  const char *type = am_keras_text(am_value_get(s->config, "dtype"));
  return type && strstr(type, "float") ? AM_OK : am_keras_refuse(r, s, "dtype", "a kind of float", err);
}

static am_status read_timed(reader *r, const source *s, am_error *err);

/* Frames that hold one value are no frames to Keras, up to the layer that makes one vector of them.  Clips of ours say how
 * long they are, so padding is left out as well (keras_import.c wants clips that differ in length). */
static am_status read_masking(reader *r, const source *s, am_error *err) {
  am_status status = am_keras_need_rank(r, s, 2, err);
  if (status) return status;
  if (r->model->layers.used > 1)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Masking) comes after other layers; only one at the input can be imported", r->file,
                   s->name);
  r->model->masked = s->name;
  r->masked = true;
  return AM_OK;
}

static const keras_class classes[] = {
    {"InputLayer", "", read_input},
    {"Conv1D", "filters|kernel_size|strides|padding|dilation_rate|activation|use_bias", read_conv},
    {"Conv2D", "filters|kernel_size|strides|padding|dilation_rate|activation|use_bias", read_conv},
    {"MaxPooling1D", "pool_size|strides|padding", read_pool},
    {"MaxPooling2D", "pool_size|strides|padding", read_pool},
    {"AveragePooling1D", "pool_size|strides|padding", read_pool},
    {"AveragePooling2D", "pool_size|strides|padding", read_pool},
    {"GlobalAveragePooling1D", "", read_global},
    {"GlobalAveragePooling2D", "", read_global},
    {"GlobalMaxPooling1D", "", read_global},
    {"GlobalMaxPooling2D", "", read_global},
    {"Flatten", "", read_flatten},
    {"Permute", "dims", read_permute},
    {"Reshape", "target_shape", read_reshape},
    {"Dense", "units|activation|use_bias", read_dense},
    {"Cast", "dtype", read_cast},
    {"Dropout", "rate", read_dropout},
    {"SpatialDropout1D", "rate|noise_shape", read_training_only},
    {"SpatialDropout2D", "rate|noise_shape", read_training_only},
    {"GaussianDropout", "rate|noise_shape", read_training_only},
    {"AlphaDropout", "rate|noise_shape", read_training_only},
    {"GaussianNoise", "stddev", read_training_only},
    {"ActivityRegularization", "l1|l2", read_training_only},
    {"Activation", "activation", read_activation},
    {"ReLU", "negative_slope", read_relu},
    {"LeakyReLU", "alpha|negative_slope", read_relu},
    {"Softmax", "axis", read_softmax},
    {"BatchNormalization", "axis|momentum|epsilon|center|scale", read_norm},
    {"LayerNormalization", "axis|epsilon|center|scale", read_norm},
    {"LSTM", "units|activation|recurrent_activation|use_bias|return_sequences", am_keras_read_recurrent},
    {"GRU", "units|activation|recurrent_activation|use_bias|return_sequences|reset_after", am_keras_read_recurrent},
    {"CuDNNLSTM", "units|return_sequences", am_keras_read_recurrent},
    {"CuDNNGRU", "units|return_sequences", am_keras_read_recurrent},
    {"Bidirectional", "layer|backward_layer|merge_mode", am_keras_read_bidirectional},
    {"TimeDistributed", "layer", read_timed},
    {"ZeroPadding1D", "padding", am_keras_read_zeros},
    {"ZeroPadding2D", "padding", am_keras_read_zeros},
    {"Masking", "mask_value", read_masking}};

static const keras_class *find_class(const char *type) {
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    if (!strcmp(classes[i].type, type)) return &classes[i];
  return NULL;
}

/* ---- one layer ---- */

const char *am_keras_options(const char *type) {
  const keras_class *class = find_class(type);
  return class ? class->options : NULL;
}

/* Layers that know what to do with frames that are none, or that do not mix frames. */
static bool bears_masks(const char *type) {
  static const char types[] =
      "InputLayer|Masking|Dense|Cast|Dropout|Activation|ReLU|LeakyReLU|Softmax|"
      "SpatialDropout1D|GaussianDropout|AlphaDropout|GaussianNoise|ActivityRegularization|"
      "BatchNormalization|LayerNormalization|LSTM|GRU|Bidirectional|TimeDistributed|"
      "GlobalAveragePooling1D";
  return am_choice_index(types, type) >= 0;
}

am_status am_keras_read_layer(reader *r, const source *s, am_error *err) {
  const keras_class *class = find_class(s->type);
  if (!class)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s is a %s, which cannot be imported; docs/keras.md lists what can", r->file, s->name,
                   s->type);
  if (r->masked && !bears_masks(s->type))
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (%s) comes after %s (Masking), whose frames it does not leave out in Keras", r->file,
                   s->name, s->type, r->model->masked);
  am_status status = am_keras_check_padded(r, s->type, s->name, err);
  if (!status) status = am_keras_check_keys(r, s, class->options, err);
  if (!status) status = class->read(r, s, err);
  if (r->rank == 1) r->masked = false;
  return status;
}

/* A layer for each frame by itself: those that do the same to a whole sequence or map are that, and Flatten makes frames. */
static am_status read_timed(reader *r, const source *s, am_error *err) {
  static const char types[] =
      "Dense|Dropout|Activation|ReLU|LeakyReLU|Softmax|BatchNormalization|LayerNormalization|Flatten";
  const am_value *layer = am_value_get(s->config, "layer");
  source inside = *s;
  inside.type = am_keras_text(am_value_get(layer, "class_name"));
  inside.config = am_value_get(layer, "config");
  inside.timed = true;
  if (!inside.type || am_choice_index(types, inside.type) < 0)
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: layer %s (TimeDistributed) holds %s; only Dense, Dropout, activations, normalisations and Flatten "
        "can be imported",
        r->file, s->name, inside.type ? inside.type : "no layer");
  if (r->rank < 2) return am_keras_need_rank(r, s, 2, err);
  if (!(inside.store = am_keras_join(r->model->tree, s->store, "/layer", ""))) return am_no_memory(err);
  return am_keras_read_layer(r, &inside, err);
}

void am_keras_add(reader *r, const char *type, const char *name) {
  am_keras_begin(r, &(source){.ours = name}, type);
  am_keras_end(r);
}
