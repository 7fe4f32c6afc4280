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

static void begin(reader *r, const source *s, const char *type) {
  am_json_open(&r->json, NULL, '{');
  am_json_open(&r->json, type, '{');
  am_json_text(&r->json, "name", s->ours);
}

static void end(reader *r) {
  am_json_close(&r->json);
  am_json_close(&r->json);
}

/* Where probabilities are made: `activation` of the layer just read, "" for none. */
static void made(reader *r, const source *s, const char *activation) {
  r->activation = activation;
  r->made = s->name;
  r->behind = r->spoiled = NULL;
}

/* A layer that changes nothing of what the activation before it stands for; `keeps`: outputs that sum to 1 still do. */
static void passes(reader *r, const source *s, bool keeps) {
  if (!*r->activation) return;
  r->behind = s->name;
  if (!keeps && !r->spoiled) r->spoiled = s->name;
}

/* Remembers a layer with weights. */
static am_status record(reader *r, const source *s, am_keras_layer **out, am_error *err) {
  am_keras_model *m = r->model;
  am_keras_layer *grown = am_resize(r->ctx, m->at, m->n + 1, sizeof *grown);
  if (!grown) return am_no_memory(err);
  m->at = grown;
  *out = &m->at[m->n++];
  **out = (am_keras_layer){.name = s->ours, .keras = s->name, .flat = r->flat};
  return AM_OK;
}

static void add(am_keras_layer *l, const char *keras, const char *ours, bool statistic) {
  l->arrays[l->n_arrays++] = (am_keras_array){keras, ours, statistic};
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

static am_status padding(reader *r, const source *s, am_error *err) {
  const char *word = am_keras_text(am_value_get(s->config, "padding"));
  if (!word || (strcmp(word, "valid") && strcmp(word, "same")))
    return am_keras_refuse(r, s, "padding", "valid or same", err);
  am_json_text(&r->json, "padding", word);
  return AM_OK;
}

/* Our name of a Keras activation; "" for linear. */
static am_status activation_of(const reader *r, const source *s, const char **out, am_error *err) {
  static const char *const known[][2] = {{"linear", ""},         {"relu", "relu"},       {"tanh", "tanh"},
                                         {"sigmoid", "sigmoid"}, {"softmax", "softmax"}, {"gelu", "gelu"},
                                         {"swish", "silu"},      {"silu", "silu"}};
  const am_value *v = am_value_get(s->config, "activation");
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
  am_status status = activation_of(r, s, &activation, err);
  if (!status && *activation) am_json_text(&r->json, "activation", activation);
  made(r, s, activation);
  return status;
}

static am_status need_rank(const reader *r, const source *s, int rank, am_error *err) {
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
  am_status status = need_rank(r, s, rank, err);
  if (!status) status = am_keras_int(r, s, "filters", &filters, err);
  if (!status) status = am_keras_bool(r, s, "use_bias", true, &bias, err);
  if (!status) status = record(r, s, &l, err);
  if (status) return status;
  l->turned = rank == 3 && r->turned;
  add(l, "kernel", "kernel", false);
  if (bias) add(l, "bias", "bias", false);
  begin(r, s, rank == 3 ? "conv2d" : "conv1d");
  am_json_int(&r->json, "filters", filters);
  am_json_bool(&r->json, "bias", bias);
  status = windows(r, s, "kernel_size", "kernel", rank, err);
  if (!status) status = windows(r, s, "strides", "stride", rank, err);
  if (!status) status = windows(r, s, "dilation_rate", "dilation", rank, err);
  if (!status) status = padding(r, s, err);
  if (!status) status = activate(r, s, err);
  end(r);
  return status;
}

static am_status read_pool(reader *r, const source *s, am_error *err) {
  int rank = rank_of(s);
  bool max = !strncmp(s->type, "Max", 3);
  am_status status = need_rank(r, s, rank, err);
  if (status) return status;
  begin(r, s, rank == 3 ? max ? "max_pool2d" : "average_pool2d" : max ? "max_pool1d" : "average_pool1d");
  const am_value *strides = am_value_get(s->config, "strides");
  status = windows(r, s, "pool_size", "size", rank, err);
  if (!status && strides && strides->kind != AM_NULL) status = windows(r, s, "strides", "stride", rank, err);
  if (!status) status = padding(r, s, err);
  end(r);
  passes(r, s, !max);
  return status;
}

static am_status read_global(reader *r, const source *s, am_error *err) {
  am_status status = need_rank(r, s, rank_of(s), err);
  if (status) return status;
  bool max = strstr(s->type, "Max") != NULL;
  begin(r, s, max ? "global_max_pool" : "global_average_pool");
  end(r);
  passes(r, s, !max);
  r->rank = 1;
  return AM_OK;
}

static am_status read_flatten(reader *r, const source *s, am_error *err) {
  (void)err;
  begin(r, s, "flatten");
  end(r);
  passes(r, s, true); /* of one place; the model's shapes tell */
  if (r->rank == 3 && r->turned) r->flat = s->ours;
  r->rank = 1;
  return AM_OK;
}

static am_status read_dense(reader *r, const source *s, am_error *err) {
  int64_t units = 0;
  bool bias;
  am_keras_layer *l = NULL;
  am_status status = am_keras_int(r, s, "units", &units, err);
  if (!status) status = am_keras_bool(r, s, "use_bias", true, &bias, err);
  if (!status) status = record(r, s, &l, err);
  if (status) return status;
  add(l, "kernel", "kernel", false);
  if (bias) add(l, "bias", "bias", false);
  begin(r, s, "dense");
  am_json_int(&r->json, "units", units);
  am_json_bool(&r->json, "bias", bias);
  status = activate(r, s, err);
  end(r);
  r->flat = NULL;
  r->model->units = r->rank == 1 ? units : 0;
  return status;
}

static am_status read_dropout(reader *r, const source *s, am_error *err) {
  double rate;
  am_status status = am_keras_real(r, s, "rate", 0.5, &rate, err);
  if (status) return status;
  begin(r, s, "dropout");
  am_json_real(&r->json, "rate", rate);
  end(r);
  passes(r, s, true);
  return AM_OK;
}

static am_status read_activation(reader *r, const source *s, am_error *err) {
  const char *type;
  am_status status = activation_of(r, s, &type, err);
  if (status || !*type) return status;
  begin(r, s, type);
  end(r);
  made(r, s, type);
  return AM_OK;
}

static am_status read_relu(reader *r, const source *s, am_error *err) {
  bool leaky = !strcmp(s->type, "LeakyReLU");
  double slope;
  const char *key = leaky && am_value_get(s->config, "alpha") ? "alpha" : "negative_slope";
  am_status status = am_keras_real(r, s, key, leaky ? 0.3 : 0, &slope, err);
  if (status) return status;
  begin(r, s, slope != 0 ? "leaky_relu" : "relu");
  if (slope != 0) am_json_real(&r->json, "alpha", slope);
  end(r);
  made(r, s, slope != 0 ? "" : "relu");
  return AM_OK;
}

/* The axis that a layer works along must be the channels. */
static am_status last_axis(const reader *r, const source *s, am_error *err) {
  const am_value *v = am_value_get(s->config, "axis");
  int64_t axis;
  if (v && v->kind == AM_LIST && v->count == 1) v = v->first;
  if (!v || (am_value_to_int(v, &axis) && (axis == -1 || axis == r->rank))) return AM_OK;
  return am_keras_refuse(r, s, "axis", "-1, the channels,", err);
}

static am_status read_softmax(reader *r, const source *s, am_error *err) {
  am_status status = last_axis(r, s, err);
  if (status) return status;
  begin(r, s, "softmax");
  end(r);
  made(r, s, "softmax");
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
  if (!status) status = record(r, s, &l, err);
  if (status) return status;
  if (scale) add(l, "gamma", "gamma", false);
  if (center) add(l, "beta", "beta", false);
  if (batch) add(l, "moving_mean", "mean", true);
  if (batch) add(l, "moving_variance", "variance", true);
  begin(r, s, batch ? "batch_norm" : "layer_norm");
  am_json_real(&r->json, "epsilon", epsilon);
  if (batch) am_json_real(&r->json, "momentum", momentum);
  if (batch && r->rank == 3) am_json_bool(&r->json, "unbiased", true); /* Keras's fused kernel, for maps */
  if (batch) am_json_text(&r->json, "statistics", "plain");
  end(r);
  return AM_OK;
}

static am_status read_recurrent_as(reader *r, const source *s, const source *cell, bool both, am_error *err) {
  bool gru = !strcmp(cell->type, "GRU"), sequence, bias, after = true;
  int64_t units = 0;
  const char *activation = "tanh", *gate = am_keras_text(am_value_get(cell->config, "recurrent_activation"));
  am_keras_layer *l = NULL;
  am_status status = need_rank(r, s, 2, err);
  if (!status) status = am_keras_int(r, cell, "units", &units, err);
  if (!status) status = am_keras_bool(r, cell, "return_sequences", false, &sequence, err);
  if (!status) status = am_keras_bool(r, cell, "use_bias", true, &bias, err);
  if (!status && gru) status = am_keras_bool(r, cell, "reset_after", true, &after, err);
  if (!status && am_value_get(cell->config, "activation")) status = activation_of(r, cell, &activation, err);
  if (!status && strcmp(activation, "tanh")) status = am_keras_refuse(r, cell, "activation", "tanh", err);
  if (!status && gate && strcmp(gate, "sigmoid"))
    status = am_keras_refuse(r, cell, "recurrent_activation", "sigmoid", err);
  if (!status) status = record(r, s, &l, err);
  if (status) return status;
  add(l, "kernel", "kernel", false);
  add(l, "recurrent_kernel", "recurrent_kernel", false);
  if (bias) add(l, "bias", "bias", false);
  if (both) add(l, "kernel", "backward_kernel", false);
  if (both) add(l, "recurrent_kernel", "backward_recurrent_kernel", false);
  if (both && bias) add(l, "bias", "backward_bias", false);
  begin(r, s, gru ? "gru" : "lstm");
  am_json_int(&r->json, "units", units);
  am_json_bool(&r->json, "bidirectional", both);
  am_json_text(&r->json, "return", sequence ? "sequence" : "last");
  if (gru) am_json_bool(&r->json, "reset_after", after);
  end(r);
  made(r, s, "");
  r->rank = sequence ? 2 : 1;
  return AM_OK;
}

static am_status read_recurrent(reader *r, const source *s, am_error *err) {
  return read_recurrent_as(r, s, s, false, err);
}

static const keras_class *find_class(const char *type);

/* The layer inside a Bidirectional. */
static am_status find_cell(reader *r, const source *s, const char *key, source *cell, am_error *err) {
  const am_value *layer = am_value_get(s->config, key);
  *cell = (source){.type = am_keras_text(am_value_get(layer, "class_name")),
                   .name = s->name,
                   .ours = s->ours,
                   .config = am_value_get(layer, "config")};
  if (cell->type && (!strcmp(cell->type, "LSTM") || !strcmp(cell->type, "GRU"))) return AM_OK;
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (Bidirectional) holds %s; only LSTM and GRU can be imported",
                 r->file, s->name, cell->type ? cell->type : "no layer");
}

/* Keras 3 writes the layer that runs backward, too: the same but for its direction, or another one that its user chose. */
static am_status check_backward(reader *r, const source *s, const source *cell, am_error *err) {
  static const char *const same[] = {"units",    "activation",       "recurrent_activation",
                                     "use_bias", "return_sequences", "reset_after"};
  source backward;
  am_status status = find_cell(r, s, "backward_layer", &backward, err);
  if (status) return status;
  const char *differs = strcmp(backward.type, cell->type) != 0 ? "class_name" : NULL;
  if (!am_keras_is(am_value_get(backward.config, "go_backwards"), "true")) differs = "go_backwards";
  for (size_t i = 0; i < sizeof same / sizeof *same && !differs; i++) {
    const am_value *a = am_value_get(cell->config, same[i]), *b = am_value_get(backward.config, same[i]);
    if (a && b ? !am_value_equal(a, b) : a != b) differs = same[i];
  }
  if (differs)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Bidirectional): option backward_layer is not its layer run backward (%s differs)",
                   r->file, s->name, differs);
  char options[256];
  snprintf(options, sizeof options, "%s|go_backwards", find_class(backward.type)->options);
  return am_keras_check_keys(r, &backward, options, err);
}

static am_status read_bidirectional(reader *r, const source *s, am_error *err) {
  source cell;
  const am_value *backward = am_value_get(s->config, "backward_layer");
  am_status status = find_cell(r, s, "layer", &cell, err);
  if (!status) status = am_keras_check_keys(r, &cell, find_class(cell.type)->options, err);
  if (!status && backward && backward->kind != AM_NULL) status = check_backward(r, s, &cell, err);
  return status ? status : read_recurrent_as(r, s, &cell, true, err);
}

/* A map with its two outer axes exchanged is the same map of ours. */
static am_status read_permute(reader *r, const source *s, am_error *err) {
  const am_value *dims = am_value_get(s->config, "dims");
  am_status status = need_rank(r, s, 3, err);
  if (status) return status;
  if (!dims || dims->kind != AM_LIST || dims->count != 3 || !am_keras_is(dims->first, "2") ||
      !am_keras_is(dims->first->next, "1") || !am_keras_is(dims->last, "3"))
    return am_keras_refuse(r, s, "dims", "(2, 1, 3)", err);
  r->turned = !r->turned;
  passes(r, s, true);
  return AM_OK;
}

/* (T,F,C) to (T,F*C). */
static am_status read_reshape(reader *r, const source *s, am_error *err) {
  const am_value *to = am_value_get(s->config, "target_shape");
  int64_t dims[2];
  if (!to || to->kind != AM_LIST || to->count != 2 || !am_value_to_int(to->first, &dims[0]) ||
      !am_value_to_int(to->last, &dims[1]))
    return am_keras_refuse(r, s, "target_shape", "(frames, bins * channels)", err);
  am_status status = need_rank(r, s, 3, err);
  if (status) return status;
  if (r->turned)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Reshape): its rows would hold bins, not frames; put Permute((2, 1,"
                   " 3)) before it, or choose layout time_mel if its input is (frames, mel, channels)",
                   r->file, s->name);
  am_keras_layer *l = NULL;
  status = record(r, s, &l, err);
  if (status) return status;
  l->reshape[0] = dims[0] ? dims[0] : INT64_MAX; /* 0 fits nothing */
  l->reshape[1] = dims[1] ? dims[1] : INT64_MAX;
  begin(r, s, "to_sequence");
  end(r);
  passes(r, s, true);
  r->rank = 2;
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
    {"Activation", "activation", read_activation},
    {"ReLU", "negative_slope", read_relu},
    {"LeakyReLU", "alpha|negative_slope", read_relu},
    {"Softmax", "axis", read_softmax},
    {"BatchNormalization", "axis|momentum|epsilon|center|scale", read_norm},
    {"LayerNormalization", "axis|epsilon|center|scale", read_norm},
    {"LSTM", "units|activation|recurrent_activation|use_bias|return_sequences", read_recurrent},
    {"GRU", "units|activation|recurrent_activation|use_bias|return_sequences|reset_after", read_recurrent},
    {"Bidirectional", "layer|backward_layer", read_bidirectional}};

static const keras_class *find_class(const char *type) {
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    if (!strcmp(classes[i].type, type)) return &classes[i];
  return NULL;
}

/* ---- one layer ---- */

am_status am_keras_read_layer(reader *r, const source *s, am_error *err) {
  const keras_class *class = find_class(s->type);
  if (!class)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s is a %s, which cannot be imported; docs/keras.md lists what can", r->file, s->name,
                   s->type);
  am_status status = am_keras_check_keys(r, s, class->options, err);
  return status ? status : class->read(r, s, err);
}

/* Over the frames of both. */
static am_status check_axes(const reader *r, const source *dot, am_error *err) {
  const am_value *axes = am_value_get(dot->config, "axes");
  bool pair = axes && axes->kind == AM_LIST && axes->count == 2;
  if (pair ? am_keras_is(axes->first, "1") && am_keras_is(axes->last, "1") : am_keras_is(axes, "1")) return AM_OK;
  return am_keras_refuse(r, dot, "axes", "1, the frames of both,", err);
}

/* What attention consists of must be plain: Dense with this activation, and with a bias or without. */
static am_status check_scorer(reader *r, const source *s, const char *wanted, bool bias, int64_t *units,
                              am_error *err) {
  const char *activation = "";
  bool has;
  am_status status = am_keras_check_keys(r, s, find_class("Dense")->options, err);
  if (!status) status = am_keras_int(r, s, "units", units, err);
  if (!status) status = activation_of(r, s, &activation, err);
  if (!status && strcmp(activation, wanted) != 0)
    status = am_keras_refuse(r, s, "activation",
                             *wanted ? "tanh, before the scores of attention over frames,"
                                     : "linear, for the scores of attention over frames,",
                             err);
  if (!status) status = am_keras_bool(r, s, "use_bias", true, &has, err);
  if (!status && has != bias)
    status = am_keras_refuse(
        r, s, "use_bias",
        bias ? "true, before the scores of attention over frames," : "false, for the scores of attention over frames,",
        err);
  return status;
}

am_status am_keras_read_attention(reader *r, const source *hidden, const source *score, const source *softmax,
                                  const source *dot, am_error *err) {
  int64_t units = 0, heads = 0;
  am_keras_layer *l = NULL;
  am_status status = need_rank(r, dot, 2, err);
  if (!status) status = am_keras_check_keys(r, softmax, "axis", err);
  if (!status && !am_keras_is(am_value_get(softmax->config, "axis"), "1"))
    status = am_keras_refuse(r, softmax, "axis", "1, the frames,", err);
  if (!status) status = am_keras_check_keys(r, dot, "axes", err);
  if (!status) status = check_axes(r, dot, err);
  if (!status && hidden->config) status = check_scorer(r, hidden, "tanh", true, &units, err);
  if (!status) status = check_scorer(r, score, "", false, &heads, err);
  if (!status && hidden->config) {
    status = record(r, hidden, &l, err);
    if (status) return status;
    l->name = dot->ours;
    add(l, "kernel", "kernel", false);
    add(l, "bias", "bias", false);
  }
  if (!status) status = record(r, score, &l, err);
  if (status) return status;
  l->name = dot->ours;
  add(l, "kernel", "score", false);
  begin(r, dot, "attention_pool");
  am_json_int(&r->json, "units", units);
  am_json_int(&r->json, "heads", heads);
  end(r);
  passes(r, dot, true); /* a weighted mean of the frames */
  r->rank = 1;
  return AM_OK;
}

void am_keras_add(reader *r, const char *type, const char *name) {
  begin(r, &(source){.ours = name}, type);
  end(r);
}
