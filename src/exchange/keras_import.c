/* exchange/keras_import.c - a Keras model and a features config become a checkpoint. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/features.h"
#include "base/file.h"
#include "data/corpora/registry.h"
#include "exchange/keras_read.h"
#include "io/h5.h"
#include "model/checkpoint.h"
#include "nn/doubt.h"

typedef struct job {
  am_context *ctx;
  const char *file;
  const am_import_source *source;
  am_credit credit; /* what the weights owe, as the file says */
  int layout;
  am_h5 *h5;
  am_keras_model keras;
  am_config *config;
  const char **labels; /* (K), owned by config->tree */
  size_t classes;
  am_shape input;
  am_model *model;
  double temperature; /* of a model that was exported from here; 0: none */
} job;

void am_keras_turn(const float *from, int a, int b, size_t block, float *to) {
  for (int i = 0; i < a; i++)
    for (int k = 0; k < b; k++)
      memcpy(to + ((size_t)k * (size_t)a + (size_t)i) * block, from + ((size_t)i * (size_t)b + (size_t)k) * block,
             block * sizeof *to);
}

static am_status read_model(am_context *ctx, const char *file, const char *json, int layout, am_keras_model *out,
                            am_error *err) {
  *out = (am_keras_model){0};
  am_keras_reader r = {.ctx = ctx, .file = file, .model = out, .turned = layout == AM_KERAS_MEL_TIME, .activation = ""};
  am_value *root = NULL;
  am_error why = AM_ERROR_INIT;
  am_status status = am_tree_create(ctx, &out->tree, err);
  if (status) return status;
  status = am_json_read_text(out->tree, json, strlen(json), "model_config", &root, &why);
  if (status) return am_fail(err, status == AM_E_NOMEM ? status : AM_E_FORMAT, "%s: %s", file, why.message);
  return am_keras_read_model(&r, root, err);
}

static void free_model(am_context *ctx, am_keras_model *model) {
  am_tree_free(model->tree);
  am_buffer_free(ctx, &model->layers);
  am_free(ctx, model->at);
  *model = (am_keras_model){0};
}

/* ---- the config ---- */

/* What Keras writes by other names than x.h5. */
static am_status check_archive(const job *j, am_error *err) {
  unsigned char head[4] = {0};
  FILE *f = fopen(j->file, "rb");
  size_t n = f ? fread(head, 1, sizeof head, f) : 0;
  if (f) fclose(f);
  if (n < 4 || memcmp(head, "PK\3\4", 4) != 0) return AM_OK;
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: a zip, as Keras 3 writes with model.save(\"x.keras\"); this archive cannot be read here: load it in "
      "Keras and save it by model.save(\"x.h5\")",
      j->file);
}

static am_status open_model(job *j, am_error *err) {
  char *json = NULL;
  am_status status = check_archive(j, err);
  if (!status) status = am_h5_open(j->ctx, j->file, AM_H5_FOREIGN | AM_H5_UNTRUSTED, &j->h5, err);
  if (status) return status;
  if (!am_h5_has(j->h5, "/", "model_config"))
    return am_fail(err, AM_E_FORMAT,
                   "%s: it has no model_config, so it is no Keras model, or weights only; wanted what "
                   "model.save(\"x.h5\") writes",
                   j->file);
  if (am_h5_find(j->h5, "model_weights") != AM_H5_GROUP)
    return am_fail(err, AM_E_FORMAT, "%s: it has no group model_weights; wanted what model.save(\"x.h5\") writes",
                   j->file);
  status = am_h5_get_text(j->h5, "/", "model_config", &json, err);
  if (!status) status = read_model(j->ctx, j->file, json, j->layout, &j->keras, err);
  am_free(j->ctx, json);
  return status;
}

/* "data.labels=[...]" of "calm,happy". */
static am_status labels_override(job *j, am_buffer *out, am_error *err) {
  am_buffer word = {0};
  am_buffer_printf(j->ctx, out, "data.labels=");
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

static am_status load_config(job *j, am_error *err) {
  const am_import_source *o = j->source;
  am_buffer layers = {0}, labels = {0};
  const char **all = am_alloc(j->ctx, o->n_overrides + 2, sizeof *all);
  size_t n = 0;
  am_buffer_printf(j->ctx, &layers, "model.layers=%s", j->keras.layers.data);
  am_status status = !all || layers.failed ? am_no_memory(err) : AM_OK;
  if (!status && o->labels) status = labels_override(j, &labels, err);
  if (!status) {
    for (size_t i = 0; i < o->n_overrides; i++) all[n++] = o->overrides[i];
    if (o->labels) all[n++] = labels.data;
    all[n++] = layers.data; /* the last word */
    status = am_config_load(j->ctx, o->config, all, n, &j->config, err);
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

/* An output without a name of its own could not be told from others. */
static am_status check_labels(const job *j, am_error *err) {
  const char *const *given = j->config->data.labels.at, *from = j->source->labels ? "option labels" : "data.labels";
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

static am_status find_labels(job *j, am_error *err) {
  const am_data_options *d = &j->config->data;
  size_t n = d->labels.n;
  if (!n)
    return am_fail(err, AM_E_CONFIG,
                   "%s: data.labels is empty, and a Keras model does not name its outputs; give them in "
                   "order (option labels)",
                   j->source->config);
  if (j->keras.units && (size_t)j->keras.units != n)
    return am_fail(err, AM_E_SHAPE, "%s: the model has %lld outputs, and there are %zu labels (%s, ...)", j->file,
                   (long long)j->keras.units, n, d->labels.at[0]);
  j->labels = am_tree_take(j->config->tree, n, sizeof *j->labels);
  if (!j->labels) return am_no_memory(err);
  j->classes = n;
  for (size_t i = 0; i < n; i++) j->labels[i] = shown_label(d, d->labels.at[i]);
  return check_labels(j, err);
}

/* ---- the input ---- */

/* Frames of the model's input from Keras's (-1: any) and the features' (`fixed`, 0: as long as the clip). */
static am_status choose_frames(job *j, int64_t keras, int fixed, am_error *err) {
  const char *config = j->source->config;
  int64_t most = j->config->features.max_frames;
  if (keras > 0 && fixed > 0 && keras != fixed)
    return am_fail(err, AM_E_SHAPE,
                   "%s wants clips of %lld frames, the features of %s have %d; set features.samples, or "
                   "layout time_mel if the model's input is (frames, mel, channels)",
                   j->file, (long long)keras, config, fixed);
  if (keras > 0 && !fixed)
    am_log(j->ctx, AM_LOG_WARNING,
           "the model wants %lld frames: features are cut there, or followed by zeros; set "
           "features.samples to what it was trained with",
           (long long)keras);
  if (keras < 0 && !fixed && most <= 0)
    return am_fail(err, AM_E_CONFIG,
                   "%s takes clips of any length; set features.max_frames in %s to the longest wanted, or "
                   "features.samples",
                   j->file, config);
  j->input.variable = keras < 0 && !fixed;
  j->input.t = (int)(keras > 0 ? keras : fixed ? fixed : most);
  return AM_OK;
}

static am_status shape_input(job *j, int fixed, int bins, am_error *err) {
  const am_keras_model *k = &j->keras;
  const char *config = j->source->config;
  bool picture = k->rank == 3, turned = picture && j->layout == AM_KERAS_MEL_TIME;
  if (k->rank == 1) {
    if (!fixed || (int64_t)fixed * bins != k->dims[0])
      return am_fail(err, AM_E_SHAPE, "%s wants %lld numbers a clip, the features of %s have %d frames of %d", j->file,
                     (long long)k->dims[0], config, fixed, bins);
    j->input = (am_shape){.rank = 2, .t = fixed, .f = 1, .c = bins};
    return AM_OK;
  }
  int64_t wanted = picture ? k->dims[turned ? 0 : 1] : k->dims[1];
  if (wanted != bins)
    return am_fail(err, AM_E_SHAPE, "%s wants %lld bins a frame, the features of %s have %d%s", j->file,
                   (long long)wanted, config, bins, picture ? "; is the option layout right?" : "");
  if (picture && k->dims[2] != 1)
    return am_fail(err, AM_E_UNSUPPORTED, "%s wants pictures of %lld channels; features have 1", j->file,
                   (long long)k->dims[2]);
  j->input = picture ? (am_shape){.rank = 3, .f = bins, .c = 1} : (am_shape){.rank = 2, .f = 1, .c = bins};
  return choose_frames(j, picture && turned ? k->dims[1] : k->dims[0], fixed, err);
}

static am_status find_input(job *j, am_error *err) {
  am_features *fx = NULL;
  int frames, bins;
  am_status status = am_features_create(j->ctx, &j->config->features, &fx, err);
  if (status) return status;
  am_features_shape(fx, (size_t)j->config->features.sample_rate, &frames, &bins);
  status = shape_input(j, am_features_fixed_frames(fx), bins, err);
  am_features_free(fx);
  return status;
}

/* ---- weights ---- */

static const am_layer *find_layer(const job *j, const char *name) {
  for (size_t i = 0; i < am_model_steps(j->model); i++)
    if (!strcmp(am_model_step(j->model, i)->layer.name, name)) return &am_model_step(j->model, i)->layer;
  return NULL;
}

static bool find_array(am_model *model, const char *layer, const am_keras_array *a, am_array_info *info, am_real **at) {
  size_t n = strlen(layer), count = a->statistic ? am_model_statistic_count(model) : am_model_weight_count(model);
  for (size_t i = 0; i < count; i++) {
    *info = a->statistic ? *am_model_statistic_info(model, i) : *am_model_weight_info(model, i);
    if (strncmp(info->name, layer, n) || info->name[n] != '/' || strcmp(info->name + n + 1, a->ours)) continue;
    *at = (a->statistic ? am_model_statistics(model, NULL) : am_model_weights(model, NULL)) + info->offset;
    return true;
  }
  return false;
}

/* "lstm/lstm_cell/kernel:0" ends in "kernel". */
static bool ends_in(const char *path, const char *wanted) {
  const char *base = am_path_base(path);
  size_t n = strcspn(base, ":");
  return strlen(wanted) == n && !memcmp(base, wanted, n);
}

/* Numbers of any width, as float. */
static am_status read_numbers(job *j, const char *path, am_h5_type type, float *values, size_t count, am_error *err) {
  if (type != AM_H5_PAIRS) return am_h5_read(j->h5, path, AM_H5_F32, values, count, err);
  /* bfloat16, which HDF5 has no type for: the upper half of a float32. In place, from the end. */
  unsigned char *pairs = (unsigned char *)values;
  am_status status = am_h5_read(j->h5, path, AM_H5_PAIRS, pairs, count, err);
  for (size_t i = count; i-- > 0 && !status;) {
    uint32_t bits = (uint32_t)(pairs[2 * i] | pairs[2 * i + 1] << 8) << 16;
    memcpy(&values[i], &bits, sizeof bits);
  }
  return status;
}

static am_status check_finite(const job *j, const char *path, const float *values, size_t count, am_error *err) {
  for (size_t i = 0; i < count; i++)
    if (!isfinite(values[i]))
      return am_fail(err, AM_E_NUMERIC, "%s: %s: number %zu of %zu is %s; a model with such weights answers nothing",
                     j->file, path, i + 1, count,
                     isnan(values[i]) ? "not a number" : "infinite, or too large for float32");
  return AM_OK;
}

/* Reads one array whose shape must be ours, with outer dimensions a and b exchanged when both are given. */
static am_status read_array(job *j, const char *path, const am_array_info *info, int a, int b, bool kernel, am_real *to,
                            am_error *err) {
  am_h5_info found;
  am_status status = am_h5_get_info(j->h5, path, &found, err);
  if (status) return status;
  if (found.type != AM_H5_F16 && found.type != AM_H5_F32 && found.type != AM_H5_F64 && found.type != AM_H5_PAIRS)
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: %s does not hold floating-point numbers (float16, bfloat16, float32, float64); quantized models "
        "cannot be imported",
        j->file, path);
  bool same = found.rank == info->rank;
  for (int i = 0; i < info->rank; i++) {
    /* of a turned kernel the two outer dimensions themselves are exchanged */
    int from = kernel && i < 2 ? 1 - i : i;
    same = same && found.dims[i] == (size_t)info->dims[from];
  }
  if (!same)
    return am_fail(err, AM_E_SHAPE,
                   "%s: %s does not have the shape that model_config says (%zu numbers wanted, %zu found)", j->file,
                   path, info->count, found.count);
  float *values = am_alloc_aligned(j->ctx, am_mul(info->count, sizeof *values));
  if (!values) return am_no_memory(err);
  status = read_numbers(j, path, found.type, values, info->count, err);
  if (!status) status = check_finite(j, path, values, info->count, err);
  if (!status) am_keras_turn(values, a, b, info->count / ((size_t)a * (size_t)b), to);
  am_free_aligned(j->ctx, values);
  return status;
}

static am_status take_array(job *j, const am_keras_layer *l, int i, const char *saved, am_error *err) {
  const am_keras_array *array = &l->arrays[i];
  am_array_info info;
  am_real *to;
  if (!find_array(j->model, l->name, array, &info, &to))
    return am_fail(err, AM_E_SHAPE, "%s: layer %s has no %s here", j->file, l->name, array->ours);
  if (!ends_in(saved, array->keras))
    return am_fail(err, AM_E_FORMAT, "%s: weight %d of layer %s is %s, wanted %s", j->file, i + 1, l->keras, saved,
                   array->keras);
  int a = 1, b = 1;
  bool kernel = l->turned && info.rank == 4, rows = l->flat && strcmp(array->keras, "bias");
  if (kernel) a = info.dims[1], b = info.dims[0];
  if (rows) {
    const am_shape map = find_layer(j, l->flat)->in[0];
    a = map.f, b = map.t;
  }
  char *path = am_format(j->ctx, "model_weights/%s/%s", l->keras, saved);
  if (!path) return am_no_memory(err);
  am_status status = am_h5_find(j->h5, path) == AM_H5_ARRAY
                         ? read_array(j, path, &info, a, b, kernel, to, err)
                         : am_fail(err, AM_E_FORMAT, "%s: the array %s is missing", j->file, path);
  am_free(j->ctx, path);
  return status;
}

static am_status check_reshape(const job *j, const am_keras_layer *l, am_error *err) {
  const am_shape out = find_layer(j, l->name)->out;
  if ((l->reshape[0] == -1 || l->reshape[0] == out.t) && (l->reshape[1] == -1 || l->reshape[1] == out.c)) return AM_OK;
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: layer %s (Reshape): target_shape is (%lld, %lld); only frames and what each "
                 "holds, (%d, %d), can be imported",
                 j->file, l->keras, (long long)l->reshape[0], (long long)l->reshape[1], out.t, out.c);
}

static am_status take_layer(job *j, const am_keras_layer *l, am_error *err) {
  if (!l->n_arrays) return l->reshape[0] ? check_reshape(j, l, err) : AM_OK;
  am_names saved = {0};
  char *group = am_format(j->ctx, "model_weights/%s", l->keras);
  if (!group) return am_no_memory(err);
  am_status status = am_h5_get_texts(j->h5, group, "weight_names", &saved, err);
  if (!status && saved.n != (size_t)l->n_arrays)
    status =
        am_fail(err, AM_E_FORMAT, "%s: layer %s has %zu weights, wanted %d", j->file, l->keras, saved.n, l->n_arrays);
  for (int i = 0; i < l->n_arrays && !status; i++) status = take_array(j, l, i, saved.at[i], err);
  am_names_free(j->ctx, &saved);
  am_free(j->ctx, group);
  return status;
}

/* A softmax further in, and places that are then laid side by side: each place sums to 1, not all of them together. */
static am_status check_output(const job *j, am_error *err) {
  bool distribution;
  if (!j->keras.inside || (am_model_limited(j->model, &distribution) && distribution)) return AM_OK;
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: layer %s makes probabilities (softmax) of several places, which Flatten lays side by side; what comes "
      "out does not sum to 1 over the labels",
      j->file, j->keras.inside);
}

/* Arrays that Keras left out (no bias in an LSTM, no scale in a norm) keep what stands for none. */
static am_status make_model(job *j, am_error *err) {
  am_error why = AM_ERROR_INIT;
  size_t numbers = 0;
  am_status status = am_h5_count(j->h5, "model_weights", &numbers, err);
  if (status) return status;
  /* What Keras leaves out (biases, scales) is less than what it writes. */
  status = am_model_create_within(j->ctx, j->config->layers, j->input, (int)j->classes,
                                  am_add(am_mul(2, numbers), 65536), &j->model, &why);
  if (status) return am_fail(err, status, "%s: %s", j->file, why.message);
  for (size_t i = 0; i < am_model_weight_count(j->model); i++) {
    am_array_info info = *am_model_weight_info(j->model, i);
    bool gamma = !strcmp(am_path_base(info.name), "gamma");
    for (size_t k = 0; k < info.count; k++) am_model_weights(j->model, NULL)[info.offset + k] = gamma ? 1 : 0;
  }
  status = check_output(j, err);
  for (size_t i = 0; i < j->keras.n && !status; i++) status = take_layer(j, &j->keras.at[i], err);
  return status;
}

/* ---- the checkpoint ---- */

/* Keras does not keep the attribute, so a file that has it has the weights that it was fitted to. */
static am_status read_temperature(job *j, am_error *err) {
  static const char name[] = "audiomood_temperature";
  if (!am_h5_has(j->h5, "/", name)) return AM_OK;
  am_status status = am_h5_get_real(j->h5, "/", name, &j->temperature, err);
  return status ? status : am_checkpoint_check_temperature(j->file, j->temperature, err);
}

static am_status read_text(job *j, const char *name, char **out, am_error *err) {
  return am_h5_has(j->h5, "/", name) ? am_h5_get_text(j->h5, "/", name, out, err) : AM_OK;
}

/* Likewise. */
static am_status read_credit(job *j, am_error *err) {
  am_status status = read_text(j, AM_KERAS_LICENCE, &j->credit.licence, err);
  return status ? status : read_text(j, AM_KERAS_ATTRIBUTION, &j->credit.attribution, err);
}

static am_status save(job *j, const char *out, am_error *err) {
  const am_config *c = j->config;
  if (c->features.normalise == AM_NORMALISE_TRAIN)
    return am_fail(err, AM_E_CONFIG,
                   "%s: features.normalise is train, and a Keras model holds no statistics of its training "
                   "part; set none or clip, or put a batch_norm in",
                   j->source->config);
  am_dataset dataset = {.corpus = am_data_corpus(&c->data), .title = "imported from Keras"};
  am_split split = {.note = "imported from Keras"};
  am_normaliser normaliser = {.kind = c->features.normalise,
                              .by_all = c->features.normalise_by == AM_NORMALISE_BY_ALL,
                              .f = j->input.f * j->input.c};
  am_save all = {.config = j->config,
                 .model = j->model,
                 .labels = (char *const *)j->labels,
                 .classes = (int)j->classes,
                 .normaliser = &normaliser,
                 .dataset = &dataset,
                 .split = &split,
                 .credit_before = &j->credit,
                 .temperature = j->temperature};
  return am_checkpoint_save_given(j->ctx, out, &all, err);
}

am_status am_keras_import(am_context *ctx, const char *file, const am_import_source *source,
                          const am_exchange_options *options, const char *out, am_error *err) {
  job j = {.ctx = ctx, .file = file, .source = source, .layout = options->layout};
  am_status status = open_model(&j, err);
  if (!status) status = load_config(&j, err);
  if (!status) status = find_labels(&j, err);
  if (!status) status = find_input(&j, err);
  if (!status) status = make_model(&j, err);
  if (!status) status = read_temperature(&j, err);
  if (!status) status = read_credit(&j, err);
  if (!status) status = save(&j, out, err);
  if (!status && source->config_text) status = am_config_text(j.config, source->config_text, err);
  if (j.model) am_model_free(j.model);
  am_config_free(j.config);
  free_model(ctx, &j.keras);
  am_credit_free(ctx, &j.credit);
  am_h5_close(j.h5);
  return status;
}
