/* train/keras_layers.c - from the JSON of a Keras model to our list of layers.
 *
 * Every key of every layer is looked at: it is carried over, or must have the one value that our layer stands
 * for, or does not touch what the layer computes; anything else is refused by name. */
#include <string.h>

#include "train/keras.h"

typedef am_keras_reader reader;

typedef struct source {
  const char *type, *name; /* of Keras */
  const char *ours;        /* name that our config allows */
  const am_value *config;
} source;

typedef struct keras_class {
  const char *type;
  const char *options; /* keys that `read` carries over */
  am_status (*read)(reader *r, const source *s, am_error *err);
} keras_class;

/* Keys that do not touch what a layer computes once it is trained. */
static const char without_effect[] =
    "name|trainable|dtype|batch_input_shape|batch_shape|seed|implementation|unroll|unit_forget_bias|"
    "kernel_initializer|bias_initializer|recurrent_initializer|beta_initializer|gamma_initializer|"
    "moving_mean_initializer|moving_variance_initializer|kernel_constraint|bias_constraint|"
    "recurrent_constraint|beta_constraint|gamma_constraint|input_dim|input_length|use_cudnn|"
    "zero_output_for_mask|synchronized";
/* Keys that act in training only. */
static const char in_training[] =
    "kernel_regularizer|bias_regularizer|recurrent_regularizer|beta_regularizer|gamma_regularizer|"
    "activity_regularizer|dropout|recurrent_dropout";
/* Keys that have but one value here; NULL stands for null. */
static const struct {
  const char *key, *value;
} fixed[] = {{"data_format", "channels_last"},
             {"groups", "1"},
             {"go_backwards", "false"},
             {"stateful", "false"},
             {"time_major", "false"},
             {"return_state", "false"},
             {"keepdims", "false"},
             {"noise_shape", NULL},
             {"max_value", NULL},
             {"threshold", "0"},
             {"merge_mode", "concat"},
             {"backward_layer", NULL},
             {"ragged", "false"},
             {"sparse", "false"},
             {"rms_scaling", "false"},
    {"renorm", "false"},
             {"virtual_batch_size", NULL}};

/* ---- reading values ---- */

static const char *text_of(const am_value *v) { return v && v->kind == AM_SCALAR ? v->text : NULL; }

static const char *shown(const am_value *v) {
  if (!v || v->kind == AM_NULL) return "null";
  return v->kind == AM_SCALAR ? v->text : v->kind == AM_LIST ? "a list" : "an object";
}

static am_status refuse(const reader *r, const source *s, const char *key, const char *wanted,
                        am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s): option %s is %s; only %s can be imported",
                 r->file, s->name, s->type, key, shown(am_value_get(s->config, key)), wanted);
}

static bool is_set(const am_value *v) {
  double number;
  if (!v || v->kind == AM_NULL) return false;
  return !(am_value_to_real(v, &number) && number == 0);
}

static bool is_value(const am_value *v, const char *wanted) {
  double a, b;
  if (!wanted || !v || v->kind != AM_SCALAR) return !wanted && v && v->kind == AM_NULL;
  return !strcmp(v->text, wanted) || (am_value_to_real(v, &a) && am_text_to_real(wanted, &b) && a == b);
}

static am_status check_key(const reader *r, const source *s, const keras_class *class, const am_value *v,
                           am_error *err) {
  if (am_choice_index(class->options, v->key) >= 0 || am_choice_index(without_effect, v->key) >= 0)
    return AM_OK;
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (!strcmp(fixed[i].key, v->key))
      return is_value(v, fixed[i].value)
                 ? AM_OK
                 : refuse(r, s, v->key, fixed[i].value ? fixed[i].value : "null", err);
  if (am_choice_index(in_training, v->key) >= 0) {
    if (is_set(v))
      am_log(r->ctx, AM_LOG_WARNING, "%s: layer %s: %s acts in training only and is left out", r->file,
             s->name, v->key);
    return AM_OK;
  }
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s) has an option that is not known here: %s", r->file,
                 s->name, s->type, v->key);
}

static am_status get_int(const reader *r, const source *s, const char *key, int64_t *out, am_error *err) {
  const am_value *v = am_value_get(s->config, key);
  if (v && am_value_to_int(v, out) && *out >= 1 && *out <= INT32_MAX) return AM_OK;
  return refuse(r, s, key, "a number from 1", err);
}

static am_status get_real(const reader *r, const source *s, const char *key, double fallback, double *out,
                          am_error *err) {
  const am_value *v = am_value_get(s->config, key);
  *out = fallback;
  return !v || am_value_to_real(v, out) ? AM_OK : refuse(r, s, key, "a number", err);
}

static am_status get_bool(const reader *r, const source *s, const char *key, bool fallback, bool *out,
                          am_error *err) {
  const am_value *v = am_value_get(s->config, key);
  *out = fallback;
  return !v || am_value_to_bool(v, out) ? AM_OK : refuse(r, s, key, "true or false", err);
}

/* ---- writing ours ---- */

static void begin(reader *r, const source *s, const char *type) {
  am_json_open(&r->json, NULL, '{');
  am_json_open(&r->json, type, '{');
  am_json_text(&r->json, "name", s->ours);
  r->activation = "";
}

static void end(reader *r) {
  am_json_close(&r->json);
  am_json_close(&r->json);
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
static am_status windows(reader *r, const source *s, const char *key, const char *ours, int rank,
                         am_error *err) {
  const am_value *v = am_value_get(s->config, key), *item = v && v->kind == AM_LIST ? v->first : v;
  const size_t n = (size_t)rank - 1;
  int64_t number[2] = {1, 1};
  bool good = item && (v->kind != AM_LIST || v->count == n);
  for (size_t i = 0; good && i < n; i++) {
    good = am_value_to_int(item, &number[i]) && number[i] >= 1;
    if (v->kind == AM_LIST) item = item->next;
  }
  if (!good) return refuse(r, s, key, n == 1 ? "one number from 1" : "two numbers from 1", err);
  const int64_t exchanged[2] = {number[1], number[0]};
  am_json_ints(&r->json, ours, n == 2 && r->turned ? exchanged : number, n);
  return AM_OK;
}

static am_status padding(reader *r, const source *s, am_error *err) {
  const char *word = text_of(am_value_get(s->config, "padding"));
  if (!word || (strcmp(word, "valid") && strcmp(word, "same")))
    return refuse(r, s, "padding", "valid or same", err);
  am_json_text(&r->json, "padding", word);
  return AM_OK;
}

/* Our name of a Keras activation; "" for linear. */
static am_status activation_of(const reader *r, const source *s, const char **out, am_error *err) {
  static const char *const known[][2] = {{"linear", ""},       {"relu", "relu"},       {"tanh", "tanh"},
                                         {"sigmoid", "sigmoid"}, {"softmax", "softmax"}, {"gelu", "gelu"},
                                         {"swish", "silu"},    {"silu", "silu"}};
  const am_value *v = am_value_get(s->config, "activation");
  const char *word = !v || v->kind == AM_NULL ? "linear" : text_of(v);
  for (size_t i = 0; word && i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i][0], word)) {
      *out = known[i][1];
      return AM_OK;
    }
  return refuse(r, s, "activation", "linear, relu, tanh, sigmoid, softmax, gelu or swish", err);
}

static am_status activate(reader *r, const source *s, am_error *err) {
  am_status status = activation_of(r, s, &r->activation, err);
  if (!status && *r->activation) am_json_text(&r->json, "activation", r->activation);
  return status;
}

static am_status need_rank(const reader *r, const source *s, int rank, am_error *err) {
  if (r->rank == rank) return AM_OK;
  return am_fail(err, AM_E_SHAPE, "%s: layer %s (%s) wants %d dimensions without the batch, and is given %d",
                 r->file, s->name, s->type, rank, r->rank);
}

static int rank_of(const source *s) { return strstr(s->type, "2D") ? 3 : 2; }

/* ---- layers ---- */

static am_status read_conv(reader *r, const source *s, am_error *err) {
  int rank = rank_of(s);
  int64_t filters = 0;
  bool bias;
  am_keras_layer *l = NULL;
  am_status status = need_rank(r, s, rank, err);
  if (!status) status = get_int(r, s, "filters", &filters, err);
  if (!status) status = get_bool(r, s, "use_bias", true, &bias, err);
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
  return status;
}

static am_status read_global(reader *r, const source *s, am_error *err) {
  am_status status = need_rank(r, s, rank_of(s), err);
  if (status) return status;
  begin(r, s, strstr(s->type, "Max") ? "global_max_pool" : "global_average_pool");
  end(r);
  r->rank = 1;
  return AM_OK;
}

static am_status read_flatten(reader *r, const source *s, am_error *err) {
  (void)err;
  begin(r, s, "flatten");
  end(r);
  if (r->rank == 3 && r->turned) r->flat = s->ours;
  r->rank = 1;
  return AM_OK;
}

static am_status read_dense(reader *r, const source *s, am_error *err) {
  int64_t units = 0;
  bool bias;
  am_keras_layer *l = NULL;
  am_status status = get_int(r, s, "units", &units, err);
  if (!status) status = get_bool(r, s, "use_bias", true, &bias, err);
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
  const char *activation = r->activation;
  am_status status = get_real(r, s, "rate", 0.5, &rate, err);
  if (status) return status;
  begin(r, s, "dropout");
  am_json_real(&r->json, "rate", rate);
  end(r);
  r->activation = activation;
  return AM_OK;
}

static am_status read_activation(reader *r, const source *s, am_error *err) {
  const char *type;
  am_status status = activation_of(r, s, &type, err);
  if (status || !*type) return status;
  begin(r, s, type);
  end(r);
  r->activation = type;
  return AM_OK;
}

static am_status read_relu(reader *r, const source *s, am_error *err) {
  bool leaky = !strcmp(s->type, "LeakyReLU");
  double slope;
  const char *key = leaky && am_value_get(s->config, "alpha") ? "alpha" : "negative_slope";
  am_status status = get_real(r, s, key, leaky ? 0.3 : 0, &slope, err);
  if (status) return status;
  begin(r, s, slope != 0 ? "leaky_relu" : "relu");
  if (slope != 0) am_json_real(&r->json, "alpha", slope);
  end(r);
  return AM_OK;
}

/* The axis that a layer works along must be the channels. */
static am_status last_axis(const reader *r, const source *s, am_error *err) {
  const am_value *v = am_value_get(s->config, "axis");
  int64_t axis;
  if (v && v->kind == AM_LIST && v->count == 1) v = v->first;
  if (!v || (am_value_to_int(v, &axis) && (axis == -1 || axis == r->rank))) return AM_OK;
  return refuse(r, s, "axis", "-1, the channels,", err);
}

static am_status read_softmax(reader *r, const source *s, am_error *err) {
  am_status status = last_axis(r, s, err);
  if (status) return status;
  begin(r, s, "softmax");
  end(r);
  r->activation = "softmax";
  return AM_OK;
}

static am_status read_norm(reader *r, const source *s, am_error *err) {
  bool batch = !strcmp(s->type, "BatchNormalization"), scale, center;
  double epsilon, momentum;
  am_keras_layer *l = NULL;
  am_status status = last_axis(r, s, err);
  if (!status) status = get_bool(r, s, "scale", true, &scale, err);
  if (!status) status = get_bool(r, s, "center", true, &center, err);
  if (!status) status = get_real(r, s, "epsilon", 1e-3, &epsilon, err);
  if (!status) status = get_real(r, s, "momentum", 0.99, &momentum, err);
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
  const char *activation = "tanh", *gate = text_of(am_value_get(cell->config, "recurrent_activation"));
  am_keras_layer *l = NULL;
  am_status status = need_rank(r, s, 2, err);
  if (!status) status = get_int(r, cell, "units", &units, err);
  if (!status) status = get_bool(r, cell, "return_sequences", false, &sequence, err);
  if (!status) status = get_bool(r, cell, "use_bias", true, &bias, err);
  if (!status && gru) status = get_bool(r, cell, "reset_after", true, &after, err);
  if (!status && am_value_get(cell->config, "activation")) status = activation_of(r, cell, &activation, err);
  if (!status && strcmp(activation, "tanh")) status = refuse(r, cell, "activation", "tanh", err);
  if (!status && gate && strcmp(gate, "sigmoid"))
    status = refuse(r, cell, "recurrent_activation", "sigmoid", err);
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
  r->rank = sequence ? 2 : 1;
  return AM_OK;
}

static am_status read_recurrent(reader *r, const source *s, am_error *err) {
  return read_recurrent_as(r, s, s, false, err);
}

static am_status check_keys(const reader *r, const source *s, const keras_class *class, am_error *err) {
  am_status status = AM_OK;
  for (const am_value *v = s->config ? s->config->first : NULL; v && !status; v = v->next)
    status = check_key(r, s, class, v, err);
  return status;
}

static const keras_class *find_class(const char *type);

static am_status read_bidirectional(reader *r, const source *s, am_error *err) {
  const am_value *layer = am_value_get(s->config, "layer");
  source cell = {.type = text_of(am_value_get(layer, "class_name")), .name = s->name, .ours = s->ours,
                 .config = am_value_get(layer, "config")};
  if (!cell.type || (strcmp(cell.type, "LSTM") && strcmp(cell.type, "GRU")))
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Bidirectional) holds %s; only LSTM and GRU can be imported", r->file,
                   s->name, cell.type ? cell.type : "no layer");
  am_status status = check_keys(r, &cell, find_class(cell.type), err);
  return status ? status : read_recurrent_as(r, s, &cell, true, err);
}

/* A map with its two outer axes exchanged is the same map of ours. */
static am_status read_permute(reader *r, const source *s, am_error *err) {
  const am_value *dims = am_value_get(s->config, "dims");
  am_status status = need_rank(r, s, 3, err);
  if (status) return status;
  if (!dims || dims->kind != AM_LIST || dims->count != 3 || !is_value(dims->first, "2") ||
      !is_value(dims->first->next, "1") || !is_value(dims->last, "3"))
    return refuse(r, s, "dims", "(2, 1, 3)", err);
  r->turned = !r->turned;
  return AM_OK;
}

/* (T,F,C) to (T,F*C). */
static am_status read_reshape(reader *r, const source *s, am_error *err) {
  const am_value *to = am_value_get(s->config, "target_shape");
  int64_t dims[2];
  if (!to || to->kind != AM_LIST || to->count != 2 || !am_value_to_int(to->first, &dims[0]) ||
      !am_value_to_int(to->last, &dims[1]))
    return refuse(r, s, "target_shape", "(frames, bins * channels)", err);
  am_status status = need_rank(r, s, 3, err);
  if (status) return status;
  if (r->turned)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Reshape): its rows would hold bins, not frames; put Permute((2, 1,"
                   " 3)) before it, or say --layout time_mel if its input is (frames, mel, channels)",
                   r->file, s->name);
  am_keras_layer *l = NULL;
  status = record(r, s, &l, err);
  if (status) return status;
  l->reshape[0] = dims[0] ? dims[0] : INT64_MAX; /* 0 fits nothing */
  l->reshape[1] = dims[1] ? dims[1] : INT64_MAX;
  begin(r, s, "to_sequence");
  end(r);
  r->rank = 2;
  return AM_OK;
}

static am_status read_input(reader *r, const source *s, am_error *err) {
  (void)r, (void)s, (void)err; /* find_input has read it */
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
    {"Dropout", "rate", read_dropout},
    {"Activation", "activation", read_activation},
    {"ReLU", "negative_slope", read_relu},
    {"LeakyReLU", "alpha|negative_slope", read_relu},
    {"Softmax", "axis", read_softmax},
    {"BatchNormalization", "axis|momentum|epsilon|center|scale", read_norm},
    {"LayerNormalization", "axis|epsilon|center|scale", read_norm},
    {"LSTM", "units|activation|recurrent_activation|use_bias|return_sequences", read_recurrent},
    {"GRU", "units|activation|recurrent_activation|use_bias|return_sequences|reset_after", read_recurrent},
    {"Bidirectional", "layer", read_bidirectional}};

static const keras_class *find_class(const char *type) {
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    if (!strcmp(classes[i].type, type)) return &classes[i];
  return NULL;
}

/* ---- one layer ---- */

/* Letters, digits, '_' and '-' stay. */
static const char *our_name(am_tree *tree, const char *name) {
  char *copy = am_tree_take(tree, strlen(name) + 1, 1);
  for (size_t i = 0; copy && name[i]; i++) {
    bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z');
    copy[i] = letter || (name[i] >= '0' && name[i] <= '9') || name[i] == '-' ? name[i] : '_';
  }
  return copy;
}

am_status am_keras_read_layer(reader *r, const am_value *layer, am_error *err) {
  source s = {.type = text_of(am_value_get(layer, "class_name")), .config = am_value_get(layer, "config")};
  s.name = text_of(am_value_get(s.config, "name"));
  if (!s.type || !s.name || !*s.name)
    return am_fail(err, AM_E_FORMAT, "%s: model_config: a layer without class_name or name", r->file);
  if (!(s.ours = our_name(r->model->tree, s.name))) return am_no_memory(err);
  const keras_class *class = find_class(s.type);
  if (!class)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s is a %s, which cannot be imported; docs/keras.md lists what can", r->file,
                   s.name, s.type);
  am_status status = check_keys(r, &s, class, err);
  return status ? status : class->read(r, &s, err);
}

void am_keras_add_flatten(reader *r, const char *name) {
  begin(r, &(source){.ours = name}, "flatten");
  end(r);
}
