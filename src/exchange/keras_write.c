/* exchange/keras_write.c - the layers of a model of ours as Keras writes them. */
#include "exchange/keras_write.h"

#include <string.h>

#include "exchange/keras_read.h"

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
  for (size_t i = 0; i < w->n_names; i++)
    if (!strcmp(w->names[i], name)) return true;
  for (size_t i = 0; i < am_model_steps(w->model); i++)
    if (!strcmp(am_model_step(w->model, i)->layer.name, name)) return true;
  return false;
}

/* The step's own name, without '/', which Keras keeps for weights; or a new one. */
static const char *keras_name(writer *w, const char *ours, const char *more) {
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

/* ---- pieces of JSON ---- */

/* {"class_name":, "config": {"name":, as Keras 2.15; Keras 3 wants the module of layers inside layers. */
static void open_layer(writer *w, const char *key, const char *class, const char *name) {
  am_json_open(&w->json, key, '{');
  am_json_text(&w->json, "module", "keras.layers");
  am_json_text(&w->json, "class_name", class);
  am_json_null(&w->json, "registered_name");
  am_json_open(&w->json, "config", '{');
  am_json_text(&w->json, "name", name);
}

/* A layer of the model's list, up to end(). */
static void begin(writer *w, const char *class, const char *name) {
  open_layer(w, NULL, class, name);
  am_json_bool(&w->json, "trainable", true);
  am_json_text(&w->json, "dtype", "float32");
  w->names[w->n_names++] = w->now = name;
}

static void close_layer(writer *w) {
  am_json_close(&w->json);
  am_json_close(&w->json);
}

/* [name, 0, 0, {}]: the output of a layer, as Keras 2 writes it and Keras 3 still reads it. */
static void add_call(writer *w, const char *name) {
  am_json_open(&w->json, NULL, '[');
  am_json_text(&w->json, NULL, name);
  am_json_int(&w->json, NULL, 0);
  am_json_int(&w->json, NULL, 0);
  am_json_open(&w->json, NULL, '{');
  am_json_close(&w->json);
  am_json_close(&w->json);
}

static void end(writer *w) {
  am_json_close(&w->json);
  if (w->functional) {
    am_json_text(&w->json, "name", w->now);
    am_json_open(&w->json, "inbound_nodes", '[');
    if (w->before) {
      am_json_open(&w->json, NULL, '[');
      add_call(w, w->before);
      if (w->second) add_call(w, w->second);
      am_json_close(&w->json);
    }
    am_json_close(&w->json);
  }
  am_json_close(&w->json);
  w->before = w->now;
  w->second = NULL;
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

static am_status padding(writer *w, const item *it, am_error *err) {
  const char *word = option(it, "padding");
  int64_t pad[2];
  pair(it, "pad", NULL, pad);
  bool zeros = !strcmp(word, "explicit") && (pad[0] || (pad[1] && it->layer->in[0].rank == 3));
  if (zeros) return refuse(w, it->layer, "Keras has no padding: explicit; only valid and same can be exported", err);
  am_json_text(&w->json, "padding", !strcmp(word, "same") ? "same" : "valid");
  am_json_text(&w->json, "data_format", "channels_last");
  return AM_OK;
}

/* ---- weights ---- */

static bool find_array(const writer *w, const am_layer *layer, const am_keras_array *a, am_array_info *info,
                       const am_real **at) {
  size_t n = strlen(layer->name);
  size_t count = a->statistic ? am_model_statistic_count(w->model) : am_model_weight_count(w->model);
  for (size_t i = 0; i < count; i++) {
    *info = a->statistic ? *am_model_statistic_info(w->model, i) : *am_model_weight_info(w->model, i);
    if (strncmp(info->name, layer->name, n) || info->name[n] != '/' || strcmp(info->name + n + 1, a->ours)) continue;
    *at = (a->statistic ? am_model_statistics(w->model, NULL) : am_model_weights(w->model, NULL)) + info->offset;
    return true;
  }
  return false;
}

static am_status write_array(writer *w, const item *it, const am_keras_array *a, const char *saved, am_error *err) {
  am_array_info info;
  const am_real *from;
  if (!find_array(w, it->layer, a, &info, &from)) return refuse(w, it->layer, "an array of its is missing", err);
  size_t dims[4] = {0};
  for (int i = 0; i < info.rank; i++) dims[i] = (size_t)info.dims[i];
  int t = 1, f = 1;
  if (info.rank == 4 && w->turned) {
    t = info.dims[0], f = info.dims[1];
    dims[0] = (size_t)f, dims[1] = (size_t)t;
  } else if (w->flat.t && strcmp(a->keras, "bias")) {
    t = w->flat.t, f = w->flat.f;
  }
  float *turned = am_alloc_aligned(w->ctx, am_mul(info.count, sizeof *turned));
  char *path = am_format(w->ctx, "model_weights/%s/%s", it->name, saved);
  am_status status = turned && path ? AM_OK : am_no_memory(err);
  if (!status) {
    am_keras_turn(from, t, f, info.count / ((size_t)t * (size_t)f), turned);
    status = am_h5_write(w->h5, path, AM_H5_F32, info.rank, dims, turned, err);
  }
  am_free(w->ctx, path);
  am_free_aligned(w->ctx, turned);
  return status;
}

/* The arrays of a layer and their names, all "<layer>/<cell><array>:0". `cells`: of each direction. */
static am_status write_arrays(writer *w, const item *it, const am_keras_array *arrays, int n, const char *const *cells,
                              am_error *err) {
  char *saved[AM_KERAS_ARRAYS] = {NULL}, *group = am_format(w->ctx, "model_weights/%s", it->name);
  am_status status = group ? am_h5_group(w->h5, group, err) : am_no_memory(err);
  for (int i = 0; i < n && !status; i++) {
    saved[i] = am_format(w->ctx, "%s/%s%s:0", it->name, cells ? cells[2 * i / n] : "", arrays[i].keras);
    status = saved[i] ? write_array(w, it, &arrays[i], saved[i], err) : am_no_memory(err);
  }
  if (!status) status = am_h5_set_texts(w->h5, group, "weight_names", (const char *const *)saved, (size_t)n, err);
  for (int i = 0; i < n; i++) am_free(w->ctx, saved[i]);
  am_free(w->ctx, group);
  return status;
}

static am_status no_arrays(writer *w, const item *it, am_error *err) { return write_arrays(w, it, NULL, 0, NULL, err); }

static const am_keras_array kernel_and_bias[] = {{"kernel", "kernel", false}, {"bias", "bias", false}};

/* ---- layers ---- */

static am_status write_conv(writer *w, const item *it, am_error *err) {
  bool map = it->layer->in[0].rank == 3, bias = yes(it, "bias");
  int64_t stride[2], dilation[2];
  pair(it, "stride", NULL, stride);
  pair(it, "dilation", NULL, dilation);
  if ((stride[0] > 1 || stride[1] > 1) && (dilation[0] > 1 || dilation[1] > 1))
    return refuse(w, it->layer, "Keras does not have stride and dilation above 1 together", err);
  begin(w, map ? "Conv2D" : "Conv1D", it->name);
  am_json_int(&w->json, "filters", whole(it, "filters"));
  windows(w, it, "kernel", NULL, "kernel_size");
  windows(w, it, "stride", NULL, "strides");
  windows(w, it, "dilation", NULL, "dilation_rate");
  am_status status = padding(w, it, err);
  am_json_text(&w->json, "activation", it->activation);
  am_json_bool(&w->json, "use_bias", bias);
  end(w);
  return status ? status : write_arrays(w, it, kernel_and_bias, bias ? 2 : 1, NULL, err);
}

static am_status write_dense(writer *w, const item *it, am_error *err) {
  bool bias = yes(it, "bias");
  begin(w, "Dense", it->name);
  am_json_int(&w->json, "units", it->layer->out.c);
  am_json_text(&w->json, "activation", it->activation);
  am_json_bool(&w->json, "use_bias", bias);
  end(w);
  am_status status = write_arrays(w, it, kernel_and_bias, bias ? 2 : 1, NULL, err);
  w->flat.t = 0;
  return status;
}

static am_status write_pool(writer *w, const item *it, am_error *err) {
  bool map = it->layer->in[0].rank == 3, max = it->layer->cls == &am_max_pool1d || it->layer->cls == &am_max_pool2d;
  if (yes(it, "count_include_pad") && !strcmp(option(it, "padding"), "same"))
    return refuse(w, it->layer, "Keras does not count padding in averages (count_include_pad)", err);
  begin(w, max ? map ? "MaxPooling2D" : "MaxPooling1D" : map ? "AveragePooling2D" : "AveragePooling1D", it->name);
  windows(w, it, "size", NULL, "pool_size");
  windows(w, it, "stride", "size", "strides");
  am_status status = padding(w, it, err);
  end(w);
  return status ? status : no_arrays(w, it, err);
}

static am_status write_flatten(writer *w, const item *it, am_error *err) {
  begin(w, "Flatten", it->name);
  am_json_text(&w->json, "data_format", "channels_last");
  end(w);
  if (it->layer->in[0].rank == 3 && w->turned) w->flat = it->layer->in[0];
  return no_arrays(w, it, err);
}

/* A map as a sequence of frames of `width` numbers. */
static am_status write_frames(writer *w, const item *it, const char *reshape, int width, am_error *err) {
  static const int64_t exchange[3] = {2, 1, 3};
  if (w->turned) {
    item permute = {.name = keras_name(w, it->layer->name, "_permute")};
    if (!permute.name) return am_no_memory(err);
    begin(w, "Permute", permute.name);
    am_json_ints(&w->json, "dims", exchange, 3);
    end(w);
    am_status status = no_arrays(w, &permute, err);
    if (status) return status;
  }
  const int64_t shape[2] = {-1, width};
  begin(w, "Reshape", reshape);
  am_json_ints(&w->json, "target_shape", shape, 2);
  end(w);
  return no_arrays(w, &(item){.name = reshape}, err);
}

static am_status write_to_sequence(writer *w, const item *it, am_error *err) {
  return write_frames(w, it, it->name, it->layer->out.c, err);
}

/* Keras pools a map over both of its axes; over time alone it is a sequence that is pooled. */
static am_status write_global(writer *w, const item *it, am_error *err) {
  bool map = it->layer->in[0].rank == 3, max = it->layer->cls == &am_global_max_pool;
  if (map && !strcmp(option(it, "over"), "time")) {
    const char *reshape = keras_name(w, it->layer->name, "_reshape");
    am_status status = reshape ? write_frames(w, it, reshape, it->layer->out.c, err) : am_no_memory(err);
    if (status) return status;
    map = false;
  }
  begin(w,
        max   ? map ? "GlobalMaxPooling2D" : "GlobalMaxPooling1D"
        : map ? "GlobalAveragePooling2D"
              : "GlobalAveragePooling1D",
        it->name);
  am_json_text(&w->json, "data_format", "channels_last");
  end(w);
  return no_arrays(w, it, err);
}

/* One of the Dense layers that score the frames of attention. */
static am_status write_scorer(writer *w, const item *it, const char *more, int64_t units, const am_keras_array *arrays,
                              int n, am_error *err) {
  item dense = {.layer = it->layer, .name = keras_name(w, it->layer->name, more)};
  if (!dense.name) return am_no_memory(err);
  begin(w, "Dense", dense.name);
  am_json_int(&w->json, "units", units);
  am_json_text(&w->json, "activation", n == 2 ? "tanh" : "linear");
  am_json_bool(&w->json, "use_bias", n == 2);
  end(w);
  return write_arrays(w, &dense, arrays, n, NULL, err);
}

/* Keras has no attention pooling, but what it consists of (keras_read_graph.c reads it back). */
static am_status write_attention(writer *w, const item *it, am_error *err) {
  static const am_keras_array score[] = {{"kernel", "score", false}};
  const char *frames = w->before;
  if (strcmp(option(it, "statistics"), "mean") != 0)
    return refuse(w, it->layer, "Keras has no layer for the root that statistics: mean_std takes", err);
  item softmax = {.name = keras_name(w, it->layer->name, "_softmax")},
       flatten = {.name = keras_name(w, it->layer->name, "_flatten")};
  am_status status = softmax.name && flatten.name ? AM_OK : am_no_memory(err);
  if (!status && whole(it, "units"))
    status = write_scorer(w, it, "_hidden", whole(it, "units"), kernel_and_bias, 2, err);
  if (!status) status = write_scorer(w, it, "_score", whole(it, "heads"), score, 1, err);
  if (status) return status;
  begin(w, "Softmax", softmax.name);
  am_json_int(&w->json, "axis", 1);
  end(w);
  status = no_arrays(w, &softmax, err);
  if (status) return status;
  w->second = frames;
  begin(w, "Dot", it->name);
  am_json_int(&w->json, "axes", 1);
  am_json_bool(&w->json, "normalize", false);
  end(w);
  status = no_arrays(w, it, err);
  if (status) return status;
  begin(w, "Flatten", flatten.name);
  am_json_text(&w->json, "data_format", "channels_last");
  end(w);
  return no_arrays(w, &flatten, err);
}

static am_status write_norm(writer *w, const item *it, am_error *err) {
  static const am_keras_array arrays[] = {{"gamma", "gamma", false},
                                          {"beta", "beta", false},
                                          {"moving_mean", "mean", true},
                                          {"moving_variance", "variance", true}};
  bool batch = it->layer->cls == &am_batch_norm;
  begin(w, batch ? "BatchNormalization" : "LayerNormalization", it->name);
  am_json_int(&w->json, "axis", -1);
  if (batch) am_json_real(&w->json, "momentum", real(it, "momentum"));
  am_json_real(&w->json, "epsilon", real(it, "epsilon"));
  am_json_bool(&w->json, "center", true);
  am_json_bool(&w->json, "scale", true);
  end(w);
  return write_arrays(w, it, arrays, batch ? 4 : 2, NULL, err);
}

static am_status write_recurrent(writer *w, const item *it, am_error *err) {
  static const am_keras_array arrays[] = {{"kernel", "kernel", false},
                                          {"recurrent_kernel", "recurrent_kernel", false},
                                          {"bias", "bias", false},
                                          {"kernel", "backward_kernel", false},
                                          {"recurrent_kernel", "backward_recurrent_kernel", false},
                                          {"bias", "backward_bias", false}};
  static const char *const cells[2][2][2] = {
      {{"lstm_cell/", "lstm_cell/"}, {"forward_lstm/lstm_cell/", "backward_lstm/lstm_cell/"}},
      {{"gru_cell/", "gru_cell/"}, {"forward_gru/gru_cell/", "backward_gru/gru_cell/"}}};
  bool gru = it->layer->cls == &am_gru, both = yes(it, "bidirectional");
  if (whole(it, "layers") != 1)
    return refuse(w, it->layer, "layers above 1 cannot be exported; write them as layers of their own", err);
  if (both) {
    begin(w, "Bidirectional", it->name);
    am_json_text(&w->json, "merge_mode", "concat");
    open_layer(w, "layer", gru ? "GRU" : "LSTM", gru ? "gru" : "lstm");
  } else {
    begin(w, gru ? "GRU" : "LSTM", it->name);
  }
  am_json_bool(&w->json, "return_sequences", !strcmp(option(it, "return"), "sequence"));
  am_json_int(&w->json, "units", whole(it, "units"));
  am_json_text(&w->json, "activation", "tanh");
  am_json_text(&w->json, "recurrent_activation", "sigmoid");
  am_json_bool(&w->json, "use_bias", true);
  if (gru) am_json_bool(&w->json, "reset_after", yes(it, "reset_after"));
  if (both) close_layer(w);
  end(w);
  return write_arrays(w, it, arrays, both ? 6 : 3, cells[gru][both], err);
}

static am_status write_dropout(writer *w, const item *it, am_error *err) {
  begin(w, "Dropout", it->name);
  am_json_real(&w->json, "rate", real(it, "rate"));
  end(w);
  return no_arrays(w, it, err);
}

static am_status write_leaky(writer *w, const item *it, am_error *err) {
  begin(w, "LeakyReLU", it->name);
  am_json_real(&w->json, "alpha", real(it, "alpha"));
  end(w);
  return no_arrays(w, it, err);
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
  end(w);
  return no_arrays(w, it, err);
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
               {&am_attention_pool, write_attention, false},
               {&am_dropout, write_dropout, false},
               {&am_leaky_relu, write_leaky, false}};

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
  if (layer->n_in != 1 || step->inputs[0] != (int)*i)
    return refuse(w, layer, "a Sequential model of Keras has no branches (residual, squeeze_excite, parallel)", err);
  item it = {.i = *i, .layer = layer, .activation = activation_name(layer)};
  am_status (*write)(writer *, const item *, am_error *) = it.activation ? write_activation : NULL;
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
  return write(w, &it, err);
}

void am_keras_write_input(writer *w) {
  const am_shape in = am_model_input(w->model);
  const int t = w->frames;
  const int dims[3] = {in.rank == 1                ? in.c
                       : in.rank == 3 && w->turned ? in.f
                                                   : t,
                       in.rank == 2 ? in.c
                       : w->turned  ? t
                                    : in.f,
                       in.c};
  open_layer(w, NULL, "InputLayer", w->now = "audiomood_input");
  am_json_open(&w->json, "batch_input_shape", '[');
  am_json_null(&w->json, NULL);
  for (int i = 0; i < in.rank && i < 3; i++) am_json_int(&w->json, NULL, dims[i]);
  am_json_close(&w->json);
  am_json_text(&w->json, "dtype", "float32");
  end(w);
}

am_status am_keras_write_softmax(writer *w, bool inside, am_error *err) {
  if (inside) return AM_OK;
  item softmax = {.name = keras_name(w, taken(w, "softmax") ? "audiomood/softmax" : "softmax", ""),
                  .activation = "softmax"};
  return softmax.name ? write_activation(w, &softmax, err) : am_no_memory(err);
}
