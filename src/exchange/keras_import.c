/* exchange/keras_import.c - a Keras model and a features config become a checkpoint. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "exchange/import.h"
#include "exchange/keras_read.h"
#include "io/h5.h"
#include "model/checkpoint.h"
#include "nn/doubt.h"

typedef struct job {
  am_import is;
  int layout;
  am_h5 *h5;
  am_keras_model keras;
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
  FILE *f = fopen(j->is.file, "rb");
  size_t n = f ? fread(head, 1, sizeof head, f) : 0;
  if (f) fclose(f);
  if (n < 4 || memcmp(head, "PK\3\4", 4) != 0) return AM_OK;
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: a zip, as Keras 3 writes with model.save(\"x.keras\"); this archive cannot be read here: load it in "
      "Keras and save it by model.save(\"x.h5\")",
      j->is.file);
}

static am_status open_model(job *j, am_error *err) {
  char *json = NULL;
  am_status status = check_archive(j, err);
  if (!status) status = am_h5_open(j->is.ctx, j->is.file, AM_H5_FOREIGN | AM_H5_UNTRUSTED, &j->h5, err);
  if (status) return status;
  if (!am_h5_has(j->h5, "/", "model_config"))
    return am_fail(err, AM_E_FORMAT,
                   "%s: it has no model_config, so it is no Keras model, or weights only; wanted what "
                   "model.save(\"x.h5\") writes",
                   j->is.file);
  if (am_h5_find(j->h5, "model_weights") != AM_H5_GROUP)
    return am_fail(err, AM_E_FORMAT, "%s: it has no group model_weights; wanted what model.save(\"x.h5\") writes",
                   j->is.file);
  status = am_h5_get_text(j->h5, "/", "model_config", &json, err);
  if (!status) status = read_model(j->is.ctx, j->is.file, json, j->layout, &j->keras, err);
  am_free(j->is.ctx, json);
  return status;
}

/* ---- the input ---- */

static am_status shape_input(job *j, int fixed, int bins, am_error *err) {
  const am_keras_model *k = &j->keras;
  const char *config = j->is.source->config;
  bool picture = k->rank == 3, turned = picture && j->layout == AM_KERAS_MEL_TIME;
  if (k->rank == 1) {
    if (!fixed || (int64_t)fixed * bins != k->dims[0])
      return am_fail(err, AM_E_SHAPE, "%s wants %lld numbers a clip, the features of %s have %d frames of %d",
                     j->is.file, (long long)k->dims[0], config, fixed, bins);
    j->is.input = (am_shape){.rank = 2, .t = fixed, .f = 1, .c = bins};
    return AM_OK;
  }
  int64_t wanted = picture ? k->dims[turned ? 0 : 1] : k->dims[1];
  if (wanted != bins)
    return am_fail(err, AM_E_SHAPE, "%s wants %lld bins a frame, the features of %s have %d%s", j->is.file,
                   (long long)wanted, config, bins, picture ? "; is the option layout right?" : "");
  if (picture && k->dims[2] != 1)
    return am_fail(err, AM_E_UNSUPPORTED, "%s wants pictures of %lld channels; features have 1", j->is.file,
                   (long long)k->dims[2]);
  j->is.input = picture ? (am_shape){.rank = 3, .f = bins, .c = 1} : (am_shape){.rank = 2, .f = 1, .c = bins};
  return am_import_frames(&j->is, picture && turned ? k->dims[1] : k->dims[0], fixed, err);
}

static am_status find_input(job *j, am_error *err) {
  int fixed, bins;
  am_status status = am_import_features(&j->is, &fixed, &bins, err);
  return status ? status : shape_input(j, fixed, bins, err);
}

/* ---- weights ---- */

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
                     j->is.file, path, i + 1, count,
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
        j->is.file, path);
  bool same = found.rank == info->rank;
  for (int i = 0; i < info->rank; i++) {
    /* of a turned kernel the two outer dimensions themselves are exchanged */
    int from = kernel && i < 2 ? 1 - i : i;
    same = same && found.dims[i] == (size_t)info->dims[from];
  }
  if (!same)
    return am_fail(err, AM_E_SHAPE,
                   "%s: %s does not have the shape that model_config says (%zu numbers wanted, %zu found)", j->is.file,
                   path, info->count, found.count);
  float *values = am_alloc_aligned(j->is.ctx, am_mul(info->count, sizeof *values));
  if (!values) return am_no_memory(err);
  status = read_numbers(j, path, found.type, values, info->count, err);
  if (!status) status = check_finite(j, path, values, info->count, err);
  if (!status) am_keras_turn(values, a, b, info->count / ((size_t)a * (size_t)b), to);
  am_free_aligned(j->is.ctx, values);
  return status;
}

static am_status take_array(job *j, const am_keras_layer *l, int i, const char *saved, am_error *err) {
  const am_keras_array *array = &l->arrays[i];
  am_array_info info;
  am_real *to;
  if (!am_import_array(&j->is, l->name, array->ours, array->statistic, &info, &to))
    return am_fail(err, AM_E_SHAPE, "%s: layer %s has no %s here", j->is.file, l->name, array->ours);
  if (!ends_in(saved, array->keras))
    return am_fail(err, AM_E_FORMAT, "%s: weight %d of layer %s is %s, wanted %s", j->is.file, i + 1, l->keras, saved,
                   array->keras);
  int a = 1, b = 1;
  bool kernel = l->turned && info.rank == 4, rows = l->flat && strcmp(array->keras, "bias");
  if (kernel) a = info.dims[1], b = info.dims[0];
  if (rows) {
    const am_shape map = am_import_layer(&j->is, l->flat)->in[0];
    a = map.f, b = map.t;
  }
  char *path = am_format(j->is.ctx, "model_weights/%s/%s", l->keras, saved);
  if (!path) return am_no_memory(err);
  am_status status = am_h5_find(j->h5, path) == AM_H5_ARRAY
                         ? read_array(j, path, &info, a, b, kernel, to, err)
                         : am_fail(err, AM_E_FORMAT, "%s: the array %s is missing", j->is.file, path);
  am_free(j->is.ctx, path);
  return status;
}

static am_status check_reshape(const job *j, const am_keras_layer *l, am_error *err) {
  const am_shape out = am_import_layer(&j->is, l->name)->out;
  if ((l->reshape[0] == -1 || l->reshape[0] == out.t) && (l->reshape[1] == -1 || l->reshape[1] == out.c)) return AM_OK;
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: layer %s (Reshape): target_shape is (%lld, %lld); only frames and what each "
                 "holds, (%d, %d), can be imported",
                 j->is.file, l->keras, (long long)l->reshape[0], (long long)l->reshape[1], out.t, out.c);
}

static am_status take_layer(job *j, const am_keras_layer *l, am_error *err) {
  if (!l->n_arrays) return l->reshape[0] ? check_reshape(j, l, err) : AM_OK;
  am_names saved = {0};
  char *group = am_format(j->is.ctx, "model_weights/%s", l->keras);
  if (!group) return am_no_memory(err);
  am_status status = am_h5_get_texts(j->h5, group, "weight_names", &saved, err);
  if (!status && saved.n != (size_t)l->n_arrays)
    status = am_fail(err, AM_E_FORMAT, "%s: layer %s has %zu weights, wanted %d", j->is.file, l->keras, saved.n,
                     l->n_arrays);
  for (int i = 0; i < l->n_arrays && !status; i++) status = take_array(j, l, i, saved.at[i], err);
  am_names_free(j->is.ctx, &saved);
  am_free(j->is.ctx, group);
  return status;
}

/* A softmax further in, and places that are then laid side by side: each place sums to 1, not all of them together. */
static am_status check_output(const job *j, am_error *err) {
  bool distribution;
  if (!j->keras.inside || (am_model_limited(j->is.model, &distribution) && distribution)) return AM_OK;
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: layer %s makes probabilities (softmax) of several places, which Flatten lays side by side; what comes "
      "out does not sum to 1 over the labels",
      j->is.file, j->keras.inside);
}

/* Arrays that Keras left out (no bias in an LSTM, no scale in a norm) keep what stands for none. */
static am_status make_model(job *j, am_error *err) {
  am_error why = AM_ERROR_INIT;
  size_t numbers = 0;
  am_status status = am_h5_count(j->h5, "model_weights", &numbers, err);
  if (status) return status;
  /* What Keras leaves out (biases, scales) is less than what it writes. */
  status = am_model_create_within(j->is.ctx, j->is.config->layers, j->is.input, (int)j->is.classes,
                                  am_add(am_mul(2, numbers), 65536), &j->is.model, &why);
  if (status) return am_fail(err, status, "%s: %s", j->is.file, why.message);
  am_import_begin_weights(&j->is);
  status = check_output(j, err);
  for (size_t i = 0; i < j->keras.n && !status; i++) status = take_layer(j, &j->keras.at[i], err);
  return status;
}

/* ---- the checkpoint ---- */

/* Keras does not keep the attribute, so a file that has it has the weights that it was fitted to. */
static am_status read_temperature(job *j, am_error *err) {
  static const char name[] = "audiomood_temperature";
  if (!am_h5_has(j->h5, "/", name)) return AM_OK;
  am_status status = am_h5_get_real(j->h5, "/", name, &j->is.temperature, err);
  return status ? status : am_checkpoint_check_temperature(j->is.file, j->is.temperature, err);
}

static am_status read_text(job *j, const char *name, char **out, am_error *err) {
  return am_h5_has(j->h5, "/", name) ? am_h5_get_text(j->h5, "/", name, out, err) : AM_OK;
}

/* Likewise. */
static am_status read_credit(job *j, am_error *err) {
  am_status status = read_text(j, AM_KERAS_LICENCE, &j->is.credit.licence, err);
  return status ? status : read_text(j, AM_KERAS_ATTRIBUTION, &j->is.credit.attribution, err);
}

am_status am_keras_import(am_context *ctx, const char *file, const am_import_source *source,
                          const am_exchange_options *options, const char *out, am_error *err) {
  job j = {.is = {.ctx = ctx, .file = file, .program = "Keras", .source = source}, .layout = options->layout};
  am_status status = open_model(&j, err);
  if (!status) status = am_import_config(&j.is, j.keras.layers.data, err);
  if (!status) status = am_import_labels(&j.is, j.keras.units, err);
  if (!status) status = find_input(&j, err);
  if (!status) status = make_model(&j, err);
  if (!status) status = read_temperature(&j, err);
  if (!status) status = read_credit(&j, err);
  if (!status) status = am_import_save(&j.is, out, err);
  am_import_free(&j.is);
  free_model(ctx, &j.keras);
  am_h5_close(j.h5);
  return status;
}
