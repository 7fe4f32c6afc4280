/* SPDX-License-Identifier: MIT */
/* exchange/keras_import.c - a Keras model and a features config become a checkpoint. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "exchange/keras_import.h"
#include "exchange/keras_write.h"
#include "model/checkpoint.h"
#include "nn/doubt.h"

typedef struct job {
  am_import is;
  int layout;
  am_keras_file from;
  am_keras_model keras;
} job;

static am_status read_model(am_context *ctx, const char *file, const char *json, int layout, am_keras_model *out,
                            am_error *err) {
  *out = (am_keras_model){0};
  am_keras_reader r = {
      .ctx = ctx, .file = file, .model = out, .turned = layout == AM_KERAS_MEL_TIME, .activation = "", .prefix = ""};
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

/* ---- the file ---- */

/* Of weights only: the config whose layers have them. The model that these layers make is described as export does, and then
 * read as if the file had held that. */
static am_status describe(am_import *own, const job *j, char **out, am_error *err) {
  int fixed, bins;
  am_buffer text = {0};
  am_status status = am_import_config(own, NULL, err);
  if (status == AM_E_CONFIG)
    return am_error_prefix(err, "%s: weights only, as save_weights() writes, so its layers are wanted as model.layers",
                           own->file);
  if (!status) status = am_import_labels(own, 0, err);
  if (!status) status = am_import_features(own, &fixed, &bins, err);
  if (!status) status = am_import_frames(own, -1, fixed, err);
  if (!status)
    status = am_config_model(own->config, own->input.t, bins, own->input.variable, (int)own->classes, &own->model, err);
  am_keras_writer w = {.ctx = own->ctx,
                       .file = own->source->config,
                       .model = own->model,
                       .turned = j->layout == AM_KERAS_MEL_TIME,
                       .values = am_import_tells_values(own),
                       .frames = own->input.variable ? 0 : own->input.t};
  if (!status) status = am_keras_write_model(&w, err);
  if (!status) status = am_keras_write_config(&w, false, &text, err);
  if (!status && !(*out = am_strdup(own->ctx, text.data))) status = am_no_memory(err);
  am_keras_write_free(&w);
  am_buffer_free(own->ctx, &text);
  return status;
}

static am_status open_model(job *j, am_error *err) {
  am_status status = am_keras_open(j->is.ctx, j->is.file, &j->from, err);
  if (!status && j->from.bare) {
    am_import own = {.ctx = j->is.ctx, .file = j->is.file, .program = j->is.program, .source = j->is.source};
    status = describe(&own, j, &j->from.config, err);
    am_import_free(&own);
  }
  return status ? status : read_model(j->is.ctx, j->is.file, j->from.config, j->layout, &j->keras, err);
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
  am_status status = am_import_frames(&j->is, picture && turned ? k->dims[1] : k->dims[0], fixed, err);
  if (status || !k->masked || j->is.input.variable) return status;
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: layer %s (Masking) leaves frames out, which clips of one length do not have here; give the model "
                 "an input of any length in Keras, and the features of %s no length (features.samples)",
                 j->is.file, k->masked, config);
}

static am_status find_input(job *j, am_error *err) {
  int fixed, bins;
  am_status status = am_import_features(&j->is, &fixed, &bins, err);
  return status ? status : shape_input(j, fixed, bins, err);
}

/* ---- the model ---- */

/* A softmax further in, and places that are then laid side by side: each place sums to 1, not all of them together. */
static am_status check_output(const job *j, am_error *err) {
  bool distribution;
  if (am_import_tells_values(&j->is) && j->keras.softmax)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s makes probabilities (softmax), and values of dimensions (data.target) are none",
                   j->is.file, j->keras.softmax);
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
  am_status status = am_h5_count(j->from.h5, *j->from.root ? "model_weights" : "/", &numbers, err);
  if (status) return status;
  /* What Keras leaves out (biases, scales) is less than what it writes. */
  status = am_model_create_within(j->is.ctx, j->is.config->layers, j->is.input, (int)j->is.classes,
                                  am_add(am_mul(2, numbers), 65536), &j->is.model, &why);
  if (status) return am_fail(err, status, "%s: %s", j->is.file, why.message);
  am_import_begin_weights(&j->is);
  status = check_output(j, err);
  if (!status) status = am_keras_take_weights(&j->is, &j->from, &j->keras, err);
  return status || !am_import_tells_values(&j->is) ? status : am_import_from_scale(&j->is, err);
}

/* ---- the checkpoint ---- */

/* Keras does not keep the attribute, so a file that has it has the weights that it was fitted to. */
static am_status read_temperature(job *j, am_error *err) {
  static const char name[] = "audiomood_temperature";
  if (!am_h5_has(j->from.h5, "/", name)) return AM_OK;
  am_status status = am_h5_get_real(j->from.h5, "/", name, &j->is.temperature, err);
  return status ? status : am_checkpoint_check_temperature(j->is.file, j->is.temperature, err);
}

/* Likewise: what export said of the model, whose values are on this scale. */
static am_status read_target(job *j, am_error *err) {
  am_h5 *h5 = j->from.h5;
  const bool several = am_h5_has(h5, "/", AM_KERAS_SCALES);
  if (!several && (!am_h5_has(h5, "/", AM_KERAS_SCALE_LOW) || !am_h5_has(h5, "/", AM_KERAS_SCALE_HIGH)))
    return am_h5_has(h5, "/", "audiomood_labels") ? am_import_check_target(&j->is, false, err) : AM_OK;
  am_scale one = {0};
  char *each = NULL;
  am_status status = am_import_check_target(&j->is, true, err);
  if (!status && several) {
    status = am_h5_get_text(h5, "/", AM_KERAS_SCALES, &each, err);
    if (!status) status = am_import_scale(&j->is, each, err);
    am_free(j->is.ctx, each);
    return status;
  }
  if (!status) status = am_h5_get_real(h5, "/", AM_KERAS_SCALE_LOW, &one.low, err);
  if (!status) status = am_h5_get_real(h5, "/", AM_KERAS_SCALE_HIGH, &one.high, err);
  return status ? status : am_import_one_scale(&j->is, one, err);
}

static am_status read_text(job *j, const char *name, char **out, am_error *err) {
  return am_h5_has(j->from.h5, "/", name) ? am_h5_get_text(j->from.h5, "/", name, out, err) : AM_OK;
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
  if (!status) status = read_target(&j, err);
  if (!status) status = make_model(&j, err);
  if (!status) status = read_temperature(&j, err);
  if (!status) status = read_credit(&j, err);
  if (!status) status = am_import_save(&j.is, out, err);
  am_import_free(&j.is);
  free_model(ctx, &j.keras);
  am_keras_close(&j.from);
  return status;
}
