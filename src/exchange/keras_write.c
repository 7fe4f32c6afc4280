/* SPDX-License-Identifier: MIT */
/* exchange/keras_write.c - the layers of a model of ours as Keras writes them. */
#include "exchange/keras_write.h"

#include <assert.h>
#include <string.h>

#include "base/file.h"

typedef am_keras_writer writer;

/* A step being written. */
typedef struct item {
  size_t i;
  const am_layer *layer;
  const am_value *options;
  const char *name, *activation; /* Keras's; activation that follows and is taken in, or "linear" */
} item;

static am_status refuse(const writer *w, const am_layer *layer, const char *what, am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s): %s", w->file, layer->name, layer->cls->type, what);
}

/* ---- names ---- */

static bool taken(const writer *w, const char *name) {
  for (size_t i = 0; i < w->n_out; i++)
    if (!strcmp(w->out[i].name, name)) return true;
  for (size_t i = 0; i < am_model_steps(w->model); i++)
    if (!strcmp(am_model_step(w->model, i)->layer.name, name)) return true;
  return false;
}

/* The step's own name, without '/', which Keras keeps for weights; or a new one. */
static const char *keras_name(const writer *w, const char *ours, const char *more) {
  size_t n = strlen(ours) + strlen(more);
  char *name = am_tree_take(w->tree, n + 32, 1);
  if (!name) return NULL;
  strcat(strcpy(name, ours), more);
  for (char *at = name; *at; at++)
    if (*at == '/') *at = '_';
  if (strcmp(name, ours))
    while (taken(w, name) && strlen(name) < n + 31) strcat(name, "_");
  return name;
}

/* A join has the name of its block: "residual_1/add" is residual_1. */
static const char *block_name(const writer *w, const char *ours) {
  const char *last = am_path_base(ours);
  char *name = am_tree_take(w->tree, strlen(ours) + 1, 1);
  if (name && last > ours) memcpy(name, ours, (size_t)(last - ours) - 1);
  return name ? keras_name(w, *name ? name : ours, "") : NULL;
}

/* ---- pieces of JSON ---- */

/* A layer, called with the one before; up to end(). */
static am_keras_out *begin(writer *w, const char *class, const char *name) {
  assert(w->n_out < w->most);
  am_keras_out *out = &w->out[w->n_out];
  *out = (am_keras_out){.class = class, .name = name, .inputs = {w->now}, .n_in = w->n_out ? 1 : 0};
  w->json = am_json_begin(w->ctx, &out->config, 0);
  am_json_open(&w->json, NULL, '{');
  am_json_text(&w->json, "name", name);
  if (w->n_out) am_json_bool(&w->json, "trainable", true); /* an InputLayer of Keras 2 does not know the word */
  am_json_text(&w->json, "dtype", "float32");
  return out;
}

/* A layer inside of it, up to close_layer(). */
static void open_layer(writer *w, const char *key, const char *class, const char *name) {
  am_json_open(&w->json, key, '{');
  am_json_text(&w->json, "module", "keras.layers");
  am_json_text(&w->json, "class_name", class);
  am_json_null(&w->json, "registered_name");
  am_json_open(&w->json, "config", '{');
  am_json_text(&w->json, "name", name);
}

static void close_layer(writer *w) {
  am_json_close(&w->json);
  am_json_close(&w->json);
}

static am_status end(writer *w, am_error *err) {
  am_json_close(&w->json);
  const bool failed = w->out[w->n_out].config.failed;
  w->now = w->n_out++;
  return failed ? am_no_memory(err) : AM_OK;
}

static const char *option(const item *it, const char *key) {
  const am_value *v = am_value_get(it->options, key);
  return v && v->kind == AM_SCALAR ? v->text : "";
}

static bool yes(const item *it, const char *key) { return !strcmp(option(it, key), "true"); }

static int64_t whole(const item *it, const char *key) {
  int64_t number = 0;
  const am_value *v = am_value_get(it->options, key);
  if (v) am_value_to_int(v, &number);
  return number;
}

static double real(const item *it, const char *key) {
  double number = 0;
  const am_value *v = am_value_get(it->options, key);
  if (v) am_value_to_real(v, &number);
  return number;
}

/* One number or [time, frequency]; an empty list is `fallback`'s. */
static void pair(const item *it, const char *key, const char *fallback, int64_t out[2]) {
  const am_value *v = am_value_get(it->options, key);
  if (v && v->kind == AM_LIST && !v->count && fallback) v = am_value_get(it->options, fallback);
  const am_value *a = v && v->kind == AM_LIST ? v->first : v, *b = v && v->kind == AM_LIST ? v->last : v;
  out[0] = out[1] = 0;
  if (a) am_value_to_int(a, &out[0]);
  if (b) am_value_to_int(b, &out[1]);
}

/* The same into Keras's order. */
static void windows(writer *w, const item *it, const char *key, const char *fallback, const char *keras) {
  int64_t number[2];
  pair(it, key, fallback, number);
  const int64_t exchanged[2] = {number[1], number[0]};
  bool map = it->layer->in[0].rank == 3;
  am_json_ints(&w->json, keras, map && w->turned ? exchanged : number, map ? 2 : 1);
}

static bool pads_zeros(const item *it) {
  int64_t pad[2];
  pair(it, "pad", NULL, pad);
  return !strcmp(option(it, "padding"), "explicit") && (pad[0] || (pad[1] && it->layer->in[0].rank == 3));
}

/* Keras's layers have no zeros of their own at both ends: a layer before them puts them there. */
static am_status zeros_before(writer *w, const item *it, am_error *err) {
  if (!pads_zeros(it)) return AM_OK;
  const bool map = it->layer->in[0].rank == 3;
  int64_t pad[2];
  pair(it, "pad", NULL, pad);
  const char *name = keras_name(w, it->name, "_zeros");
  if (!name) return am_no_memory(err);
  begin(w, map ? "ZeroPadding2D" : "ZeroPadding1D", name);
  const int64_t first = map && w->turned ? pad[1] : pad[0], second = w->turned ? pad[0] : pad[1];
  if (map) am_json_open(&w->json, "padding", '[');
  am_json_ints(&w->json, map ? NULL : "padding", (int64_t[]){first, first}, 2);
  if (map) am_json_ints(&w->json, NULL, (int64_t[]){second, second}, 2);
  if (map) am_json_close(&w->json);
  am_json_text(&w->json, "data_format", "channels_last");
  return end(w, err);
}

static void padding(writer *w, const item *it) {
  const char *word = option(it, "padding");
  am_json_text(&w->json, "padding", !strcmp(word, "explicit") ? "valid" : word);
  am_json_text(&w->json, "data_format", "channels_last");
}

/* ---- weights ---- */

/* The arrays of the layer that was begun last. */
static void has(writer *w, const am_layer *layer, const am_keras_array *arrays, int n, const char *const *cells) {
  am_keras_out *out = &w->out[w->n_out];
  out->layer = layer;
  out->cells = cells;
  out->flat = w->flat;
  out->n_arrays = n;
  memcpy(out->arrays, arrays, (size_t)n * sizeof *arrays);
}

static const am_keras_array kernel_and_bias[] = {{"kernel", "kernel", .part = ""},
                                                 {"bias", "bias", .part = "", .number = 1}};

/* ---- layers ---- */

static am_status write_conv(writer *w, const item *it, am_error *err) {
  bool map = it->layer->in[0].rank == 3, bias = yes(it, "bias");
  int64_t stride[2], dilation[2];
  pair(it, "stride", NULL, stride);
  pair(it, "dilation", NULL, dilation);
  if ((stride[0] > 1 || stride[1] > 1) && (dilation[0] > 1 || dilation[1] > 1))
    return refuse(w, it->layer, "Keras does not have stride and dilation above 1 together", err);
  am_status status = zeros_before(w, it, err);
  if (status) return status;
  begin(w, map ? "Conv2D" : "Conv1D", it->name);
  am_json_int(&w->json, "filters", whole(it, "filters"));
  windows(w, it, "kernel", NULL, "kernel_size");
  windows(w, it, "stride", NULL, "strides");
  windows(w, it, "dilation", NULL, "dilation_rate");
  padding(w, it);
  am_json_text(&w->json, "activation", it->activation);
  am_json_bool(&w->json, "use_bias", bias);
  has(w, it->layer, kernel_and_bias, bias ? 2 : 1, NULL);
  return end(w, err);
}

static am_status write_dense_as(writer *w, const am_layer *layer, const char *name, const char *activation, bool bias,
                                am_error *err) {
  begin(w, "Dense", name);
  am_json_int(&w->json, "units", layer->out.c);
  am_json_text(&w->json, "activation", activation);
  am_json_bool(&w->json, "use_bias", bias);
  has(w, layer, kernel_and_bias, bias ? 2 : 1, NULL);
  w->flat.t = 0;
  return end(w, err);
}

static am_status write_dense(writer *w, const item *it, am_error *err) {
  return write_dense_as(w, it->layer, it->name, it->activation, yes(it, "bias"), err);
}

/* No number is below 0 there, so zeros around them change no maximum. */
static bool behind_relu(const writer *w, const item *it) {
  const int from = am_model_step(w->model, it->i)->inputs[0];
  for (size_t i = 0; i < it->i; i++)
    if (am_model_step(w->model, i)->output == from) return am_model_step(w->model, i)->layer.cls == &am_relu;
  return false;
}

static am_status write_pool(writer *w, const item *it, am_error *err) {
  bool map = it->layer->in[0].rank == 3, max = it->layer->cls == &am_max_pool1d || it->layer->cls == &am_max_pool2d;
  if (yes(it, "count_include_pad") && !strcmp(option(it, "padding"), "same"))
    return refuse(w, it->layer, "Keras does not count padding in averages (count_include_pad)", err);
  if (pads_zeros(it) && (max ? !behind_relu(w, it) : !yes(it, "count_include_pad")))
    return refuse(w, it->layer,
                  "Keras has no padding: explicit; of pooling only maxima behind a relu and averages that count it "
                  "can be exported",
                  err);
  am_status status = zeros_before(w, it, err);
  if (status) return status;
  begin(w, max ? map ? "MaxPooling2D" : "MaxPooling1D" : map ? "AveragePooling2D" : "AveragePooling1D", it->name);
  windows(w, it, "size", NULL, "pool_size");
  windows(w, it, "stride", "size", "strides");
  padding(w, it);
  return end(w, err);
}

/* One without options but the order of axes. */
static am_status write_plain(writer *w, const char *class, const char *name, am_error *err) {
  if (!name) return am_no_memory(err);
  begin(w, class, name);
  am_json_text(&w->json, "data_format", "channels_last");
  return end(w, err);
}

static am_status write_reshape(writer *w, const char *name, const int64_t *shape, size_t n, am_error *err) {
  if (!name) return am_no_memory(err);
  begin(w, "Reshape", name);
  am_json_ints(&w->json, "target_shape", shape, n);
  return end(w, err);
}

static am_status write_flatten(writer *w, const item *it, am_error *err) {
  if (it->layer->in[0].rank == 3 && w->turned) w->flat = it->layer->in[0];
  return write_plain(w, "Flatten", it->name, err);
}

/* A map as a sequence of frames of `width` numbers. */
static am_status write_frames(writer *w, const item *it, const char *reshape, int width, am_error *err) {
  static const int64_t exchange[3] = {2, 1, 3};
  const int64_t shape[2] = {-1, width};
  if (w->turned) {
    const char *permute = keras_name(w, it->layer->name, "_permute");
    if (!permute) return am_no_memory(err);
    begin(w, "Permute", permute);
    am_json_ints(&w->json, "dims", exchange, 3);
    am_status status = end(w, err);
    if (status) return status;
  }
  return write_reshape(w, reshape, shape, 2, err);
}

static am_status write_to_sequence(writer *w, const item *it, am_error *err) {
  return write_frames(w, it, it->name, it->layer->out.c, err);
}

/* Keras pools a map over both of its axes; over time alone it is a sequence that is pooled. */
static am_status write_global(writer *w, const item *it, am_error *err) {
  bool map = it->layer->in[0].rank == 3, max = it->layer->cls == &am_global_max_pool;
  if (map && !strcmp(option(it, "over"), "time")) {
    am_status status = write_frames(w, it, keras_name(w, it->layer->name, "_reshape"), it->layer->out.c, err);
    if (status) return status;
    map = false;
  }
  return write_plain(w,
                     max   ? map ? "GlobalMaxPooling2D" : "GlobalMaxPooling1D"
                     : map ? "GlobalAveragePooling2D"
                           : "GlobalAveragePooling1D",
                     it->name, err);
}

/* One of the Dense layers that score the frames of attention. */
static am_status write_scorer(writer *w, const item *it, const char *more, int64_t units, const am_keras_array *arrays,
                              int n, am_error *err) {
  const char *name = keras_name(w, it->layer->name, more);
  if (!name) return am_no_memory(err);
  begin(w, "Dense", name);
  am_json_int(&w->json, "units", units);
  am_json_text(&w->json, "activation", n == 2 ? "tanh" : "linear");
  am_json_bool(&w->json, "use_bias", n == 2);
  has(w, it->layer, arrays, n, NULL);
  return end(w, err);
}

/* Keras has no attention pooling, but what it consists of (keras_read_order.c reads it back). */
static am_status write_attention(writer *w, const item *it, am_error *err) {
  static const am_keras_array score[] = {{"kernel", "score", .part = ""}};
  const size_t frames = w->now;
  if (strcmp(option(it, "statistics"), "mean") != 0)
    return refuse(w, it->layer, "Keras has no layer for the root that statistics: mean_std takes", err);
  const char *softmax = keras_name(w, it->layer->name, "_softmax"),
             *flatten = keras_name(w, it->layer->name, "_flatten");
  am_status status = softmax && flatten ? AM_OK : am_no_memory(err);
  if (!status && whole(it, "units"))
    status = write_scorer(w, it, "_hidden", whole(it, "units"), kernel_and_bias, 2, err);
  if (!status) status = write_scorer(w, it, "_score", whole(it, "heads"), score, 1, err);
  if (status) return status;
  begin(w, "Softmax", softmax);
  am_json_int(&w->json, "axis", 1);
  status = end(w, err);
  if (status) return status;
  am_keras_out *dot = begin(w, "Dot", it->name);
  dot->inputs[dot->n_in++] = frames;
  am_json_int(&w->json, "axes", 1);
  am_json_bool(&w->json, "normalize", false);
  status = end(w, err);
  return status ? status : write_plain(w, "Flatten", flatten, err);
}

static am_status write_norm(writer *w, const item *it, am_error *err) {
  static const am_keras_array arrays[] = {{"gamma", "gamma", false, "", 0},
                                          {"beta", "beta", false, "", 1},
                                          {"moving_mean", "mean", true, "", 2},
                                          {"moving_variance", "variance", true, "", 3}};
  bool batch = it->layer->cls == &am_batch_norm;
  begin(w, batch ? "BatchNormalization" : "LayerNormalization", it->name);
  am_json_int(&w->json, "axis", -1);
  if (batch) am_json_real(&w->json, "momentum", real(it, "momentum"));
  am_json_real(&w->json, "epsilon", real(it, "epsilon"));
  am_json_bool(&w->json, "center", true);
  am_json_bool(&w->json, "scale", true);
  has(w, it->layer, arrays, batch ? 4 : 2, NULL);
  return end(w, err);
}

enum { LEVELS = 5 };
#define LEVEL(n) \
  { \
    {"kernel", "kernel" n, false, "cell/", 0}, {"recurrent_kernel", "recurrent_kernel" n, false, "cell/", 1}, \
        {"bias", "bias" n, false, "cell/", 2}, {"kernel", "backward_kernel" n, false, "backward_layer/cell/", 0}, \
        {"recurrent_kernel", "backward_recurrent_kernel" n, false, "backward_layer/cell/", 1}, { \
      "bias", "backward_bias" n, false, "backward_layer/cell/", 2 \
    } \
  }

/* A product of the two directions of step i is the step after it, and alone reads them. */
static bool multiplied(const writer *w, size_t i) {
  const am_step *step = am_model_step(w->model, i);
  int readers = 0;
  for (size_t k = i + 1; k < am_model_steps(w->model); k++)
    for (int n = 0; n < am_model_step(w->model, k)->layer.n_in; n++)
      readers += am_model_step(w->model, k)->inputs[n] == step->output;
  if (readers != 1 || (step->layer.cls != &am_lstm && step->layer.cls != &am_gru)) return false;
  const am_step *next = am_model_step(w->model, i + 1);
  return next->inputs[0] == step->output && next->layer.cls == &am_glu && !am_glu_has_gate(&next->layer);
}

/* It is written with them. */
static am_status write_glu(writer *w, const item *it, am_error *err) {
  if (it->i && !strcmp(w->out[w->now].class, "Bidirectional") && multiplied(w, it->i - 1)) return AM_OK;
  return refuse(w, it->layer,
                "Keras has no gated linear unit; only gate: none right behind a bidirectional lstm or gru, which is "
                "merge_mode mul, can be exported",
                err);
}

/* One level of a layer that may have several, which are layers of their own in Keras. */
static am_status write_level(writer *w, const item *it, int level, const char *name, bool last, am_error *err) {
  static const am_keras_array levels[LEVELS][AM_KERAS_ARRAYS] = {LEVEL(""), LEVEL("_2"), LEVEL("_3"), LEVEL("_4"),
                                                                 LEVEL("_5")};
  static const char *const cells[2][2][2] = {
      {{"lstm_cell/", "lstm_cell/"}, {"forward_lstm/lstm_cell/", "backward_lstm/lstm_cell/"}},
      {{"gru_cell/", "gru_cell/"}, {"forward_gru/gru_cell/", "backward_gru/gru_cell/"}}};
  bool gru = it->layer->cls == &am_gru, both = yes(it, "bidirectional");
  am_keras_array arrays[AM_KERAS_ARRAYS];
  memcpy(arrays, levels[level], sizeof arrays);
  for (int i = 0; both && i < 3; i++) arrays[i].part = "forward_layer/cell/";
  if (both) {
    begin(w, "Bidirectional", name);
    am_json_text(&w->json, "merge_mode", last && multiplied(w, it->i) ? "mul" : "concat");
    open_layer(w, "layer", gru ? "GRU" : "LSTM", gru ? "gru" : "lstm");
  } else {
    begin(w, gru ? "GRU" : "LSTM", name);
  }
  am_json_bool(&w->json, "return_sequences", !last || !strcmp(option(it, "return"), "sequence"));
  am_json_int(&w->json, "units", whole(it, "units"));
  am_json_text(&w->json, "activation", "tanh");
  am_json_text(&w->json, "recurrent_activation", "sigmoid");
  am_json_bool(&w->json, "use_bias", true);
  if (gru) am_json_bool(&w->json, "reset_after", yes(it, "reset_after"));
  if (both) close_layer(w);
  has(w, it->layer, arrays, both ? 6 : 3, cells[gru][both]);
  return end(w, err);
}

static am_status write_recurrent(writer *w, const item *it, am_error *err) {
  const int levels = (int)whole(it, "layers");
  am_status status = AM_OK;
  for (int level = 0; level < levels && level < LEVELS && !status; level++) {
    const bool last = level + 1 == levels;
    const char more[3] = {'_', (char)('1' + level), 0}, *name = last ? it->name : keras_name(w, it->layer->name, more);
    if (!name) return am_no_memory(err);
    status = write_level(w, it, level, name, last, err);
  }
  return status;
}

static am_status write_dropout(writer *w, const item *it, am_error *err) {
  begin(w, "Dropout", it->name);
  am_json_real(&w->json, "rate", real(it, "rate"));
  return end(w, err);
}

static am_status write_leaky(writer *w, const item *it, am_error *err) {
  begin(w, "LeakyReLU", it->name);
  am_json_real(&w->json, "alpha", real(it, "alpha"));
  return end(w, err);
}

/* Keras's name of an activation without options, NULL for any other layer. */
static const char *activation_name(const am_layer *layer) {
  static const char *const names[][2] = {{"relu", "relu"},       {"tanh", "tanh"}, {"sigmoid", "sigmoid"},
                                         {"softmax", "softmax"}, {"gelu", "gelu"}, {"silu", "swish"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(names[i][0], layer->cls->type)) return names[i][1];
  return NULL;
}

static am_status write_activation(writer *w, const item *it, am_error *err) {
  begin(w, "Activation", it->name);
  am_json_text(&w->json, "activation", it->activation);
  return end(w, err);
}

/* ---- joins ---- */

/* The layer begun is called with what all inputs of a step are made by. */
static void call_with(const writer *w, am_keras_out *out, const am_step *step) {
  out->n_in = step->layer.n_in;
  for (int i = 0; i < out->n_in; i++) out->inputs[i] = w->at[step->inputs[i]];
}

static am_status write_join(writer *w, const item *it, am_error *err) {
  const am_step *step = am_model_step(w->model, it->i);
  const bool concat = it->layer->cls == &am_join_concat;
  for (int i = 0; i < it->layer->n_in; i++) {
    const am_shape flat = w->flats[step->inputs[i]];
    if (concat ? flat.t > 1 && flat.f > 1 : flat.t != w->flat.t || flat.f != w->flat.f)
      return refuse(w, it->layer, "flattened maps are joined, whose numbers have another order in Keras", err);
  }
  if (it->layer->n_in == 1) return AM_OK; /* of one branch */
  const char *name = block_name(w, it->layer->name);
  if (!name) return am_no_memory(err);
  call_with(w, begin(w, concat ? "Concatenate" : "Add", name), step);
  if (concat) am_json_int(&w->json, "axis", -1);
  return end(w, err);
}

/* A number for each channel is multiplied with all places when it has axes of one before the channels. */
static am_status write_scale(writer *w, const item *it, am_error *err) {
  const am_step *step = am_model_step(w->model, it->i);
  const int rank = it->layer->in[0].rank, c = it->layer->in[0].c;
  const int64_t shape[3] = {1, rank == 3 ? 1 : c, c};
  const char *name = block_name(w, it->layer->name);
  w->now = w->at[step->inputs[1]];
  am_status status =
      name ? write_reshape(w, keras_name(w, it->layer->name, "_reshape"), shape, (size_t)rank, err) : am_no_memory(err);
  if (status) return status;
  am_keras_out *out = begin(w, "Multiply", name);
  out->inputs[0] = w->at[step->inputs[0]];
  out->inputs[1] = w->now;
  out->n_in = 2;
  return end(w, err);
}

/* ---- steps ---- */

static const struct {
  const am_layer_class *class;
  am_status (*write)(writer *w, const item *it, am_error *err);
  bool takes;
} writers[] = {{&am_conv1d, write_conv, true},
               {&am_conv2d, write_conv, true},
               {&am_dense, write_dense, true},
               {&am_max_pool1d, write_pool, false},
               {&am_max_pool2d, write_pool, false},
               {&am_average_pool1d, write_pool, false},
               {&am_average_pool2d, write_pool, false},
               {&am_global_average_pool, write_global, false},
               {&am_global_max_pool, write_global, false},
               {&am_flatten, write_flatten, false},
               {&am_to_sequence, write_to_sequence, false},
               {&am_batch_norm, write_norm, false},
               {&am_layer_norm, write_norm, false},
               {&am_lstm, write_recurrent, false},
               {&am_gru, write_recurrent, false},
               {&am_glu, write_glu, false},
               {&am_attention_pool, write_attention, false},
               {&am_dropout, write_dropout, false},
               {&am_leaky_relu, write_leaky, false},
               {&am_join_add, write_join, false},
               {&am_join_concat, write_join, false},
               {&am_join_scale, write_scale, false}};

/* The activation that the config wrote into this layer, if Keras can too. */
static const char *taken_in(const writer *w, size_t i) {
  if (i + 1 >= am_model_steps(w->model)) return NULL;
  const am_layer *layer = &am_model_step(w->model, i)->layer, *next = &am_model_step(w->model, i + 1)->layer;
  size_t n = strlen(layer->name);
  return !strncmp(next->name, layer->name, n) && next->name[n] == '/' ? activation_name(next) : NULL;
}

am_status am_keras_write_step(writer *w, size_t *i, am_error *err) {
  const am_step *step = am_model_step(w->model, *i);
  const am_layer *layer = &step->layer;
  item it = {.i = *i, .layer = layer, .activation = activation_name(layer)};
  am_status (*write)(writer *, const item *, am_error *) = it.activation ? write_activation : NULL;
  w->now = w->at[step->inputs[0]];
  w->flat = w->flats[step->inputs[0]];
  for (size_t k = 0; k < sizeof writers / sizeof *writers; k++) {
    if (writers[k].class != layer->cls) continue;
    write = writers[k].write;
    it.activation = writers[k].takes ? taken_in(w, *i) : NULL;
    if (it.activation) ++*i;
    else it.activation = "linear";
  }
  if (!write) return refuse(w, layer, "Keras has no such layer", err);
  am_value *options = NULL;
  am_status status =
      layer->cls->table ? am_options_emit(w->tree, layer->cls->table, layer->options, &options, err) : AM_OK;
  if (status) return status;
  it.options = options;
  if (!(it.name = keras_name(w, layer->name, ""))) return am_no_memory(err);
  status = write(w, &it, err);
  const int made = am_model_step(w->model, *i)->output;
  w->at[made] = w->now;
  w->flats[made] = w->flat;
  return status;
}

am_status am_keras_write_input(writer *w, am_error *err) {
  const am_shape in = am_model_input(w->model);
  const int t = w->frames;
  const int dims[3] = {in.rank == 1                ? in.c
                       : in.rank == 3 && w->turned ? in.f
                                                   : t,
                       in.rank == 2 ? in.c
                       : w->turned  ? t
                                    : in.f,
                       in.c};
  begin(w, "InputLayer", "audiomood_input");
  am_json_open(&w->json, "batch_input_shape", '[');
  am_json_null(&w->json, NULL);
  for (int i = 0; i < in.rank && i < 3; i++)
    if (dims[i]) am_json_int(&w->json, NULL, dims[i]);
    else am_json_null(&w->json, NULL);
  am_json_close(&w->json);
  return end(w, err);
}

am_status am_keras_write_softmax(writer *w, am_error *err) {
  const item softmax = {.name = keras_name(w, taken(w, "softmax") ? "audiomood/softmax" : "softmax", ""),
                        .activation = "softmax"};
  return softmax.name ? write_activation(w, &softmax, err) : am_no_memory(err);
}
