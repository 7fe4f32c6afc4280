/* SPDX-License-Identifier: MIT */
/* exchange/keras_export.c - a checkpoint becomes what Keras's model.save() writes, by the name of the file: x.h5 or x.keras. */
#include <string.h>

#include "base/file.h"
#include "exchange/archive.h"
#include "exchange/keras_write.h"
#include "exchange/values.h"

typedef am_keras_writer writer;

/* The version that the files say they are of; Keras does not look at it, and newer ones read what it wrote. */
#define AS_VERSION "2.15.0"

/* The weights owe what they owe, in whatever file they are. */
static am_status write_credit(const writer *w, am_h5 *h5, am_error *err) {
  const am_checkpoint *c = w->checkpoint;
  am_status status = AM_OK;
  if (c->licence && *c->licence) status = am_h5_set_text(h5, "/", AM_KERAS_LICENCE, c->licence, err);
  if (!status && c->attribution && *c->attribution)
    status = am_h5_set_text(h5, "/", AM_KERAS_ATTRIBUTION, c->attribution, err);
  return status;
}

static am_status write_scales(const writer *w, am_h5 *h5, am_error *err) {
  const am_checkpoint *c = w->checkpoint;
  if (am_scales_one(c->scale, c->classes)) {
    am_status status = am_h5_set_real(h5, "/", AM_KERAS_SCALE_LOW, c->scale[0].low, err);
    return status ? status : am_h5_set_real(h5, "/", AM_KERAS_SCALE_HIGH, c->scale[0].high, err);
  }
  am_buffer text = {0};
  am_json j = am_json_begin(w->ctx, &text, 0);
  am_scales_put_value(&j, (const char *const *)c->labels, c->scale, c->classes);
  am_status status = text.failed ? am_no_memory(err) : am_h5_set_text(h5, "/", AM_KERAS_SCALES, text.data, err);
  am_buffer_free(w->ctx, &text);
  return status;
}

/* What we have to say of the model that no Keras has a place for. */
static am_status write_own(const writer *w, am_h5 *h5, am_error *err) {
  const am_checkpoint *c = w->checkpoint;
  am_status status = am_h5_set_texts(h5, "/", c->values ? AM_KERAS_DIMENSIONS : "audiomood_labels",
                                     (const char *const *)c->labels, (size_t)c->classes, err);
  if (!status && c->values) status = write_scales(w, h5, err);
  if (!status) status = write_credit(w, h5, err);
  if (!status && w->checkpoint->any.temperature != 1)
    status = am_h5_set_real(h5, "/", "audiomood_temperature", w->checkpoint->any.temperature, err);
  return status;
}

static am_status write_attributes(writer *w, am_h5 *h5, am_error *err) {
  static const char *const objects[] = {"/", "model_weights"};
  am_buffer config = {0};
  am_status status = am_keras_write_config(w, false, &config, err);
  if (!status) status = am_h5_set_text(h5, "/", "model_config", config.data, err);
  am_buffer_free(w->ctx, &config);
  for (int i = 0; i < 2 && !status; i++) {
    status = am_h5_set_text(h5, objects[i], "keras_version", AS_VERSION, err);
    if (!status) status = am_h5_set_text(h5, objects[i], "backend", "tensorflow", err);
  }
  return status;
}

/* model.save("x.h5") */
static am_status write_h5(writer *w, const char *out, am_error *err) {
  am_h5 *h5 = NULL;
  am_status status = am_h5_create_aside(w->ctx, out, &h5, err);
  if (status) return status;
  am_h5_is_given(h5);
  status = am_keras_write_weights(w, h5, false, err);
  if (!status) status = write_attributes(w, h5, err);
  if (!status) status = write_own(w, h5, err);
  if (!status) return am_h5_commit(h5, err);
  am_h5_close(h5);
  return status;
}

/* model.save("x.keras"), without the date, so that the same model is the same bytes */
static am_status write_archive(writer *w, const char *out, am_error *err) {
  static const char metadata[] = "{\"keras_version\": \"" AS_VERSION "\"}";
  am_h5 *h5 = NULL;
  am_buffer config = {0};
  const void *weights = NULL;
  size_t bytes = 0;
  am_status status = am_h5_create_aside(w->ctx, out, &h5, err);
  if (status) return status;
  status = am_keras_write_weights(w, h5, true, err);
  if (!status) status = write_own(w, h5, err);
  if (!status) status = am_keras_write_config(w, true, &config, err);
  if (!status) status = am_h5_image(h5, &weights, &bytes, err);
  if (!status) {
    const am_archive_part parts[] = {{AM_KERAS_METADATA, metadata, sizeof metadata - 1},
                                     {AM_KERAS_CONFIG, config.data, config.used},
                                     {AM_KERAS_WEIGHTS, weights, bytes}};
    status = am_archive_write(w->ctx, out, parts, sizeof parts / sizeof *parts, err);
  }
  am_h5_close(h5);
  am_buffer_free(w->ctx, &config);
  return status;
}

/* A softmax of z / T is one of z where the layer before has its weights and its bias divided by T: so Keras has a temperature
 * without a layer for it.  Of the checkpoint in memory, whose output is then calibrated as it is. */
static void fold_temperature(writer *w) {
  const am_layer *last = &am_model_step(w->model, am_model_steps(w->model) - 1)->layer;
  const double temperature = w->checkpoint->any.temperature;
  const size_t n = strlen(last->name);
  if (temperature == 1 || last->cls != &am_dense) return;
  for (size_t i = 0; i < am_model_weight_count(w->model); i++) {
    const am_array_info *info = am_model_weight_info(w->model, i);
    am_real *at = am_model_weights(w->model, NULL) + info->offset;
    if (strncmp(info->name, last->name, n) || info->name[n] != '/') continue;
    for (size_t j = 0; j < info->count; j++) at[j] = (am_real)((double)at[j] / temperature);
  }
  w->checkpoint->any.temperature = 1;
  am_log(w->ctx, AM_LOG_INFO,
         "%s: its temperature, %.6g, is in the weights of %s, so Keras's probabilities are calibrated", w->file,
         temperature, last->name);
}

static am_status check_frames(writer *w, int frames, am_error *err) {
  const am_shape in = am_model_input(w->model);
  w->frames = in.t;
  if (!in.variable) {
    if (!frames || frames == in.t) return AM_OK;
    return am_fail(err, AM_E_USAGE, "%s: its clips have %d frames; it cannot be exported for %d", w->file, in.t,
                   frames);
  }
  if (frames > 0) {
    w->frames = frames;
    return AM_OK;
  }
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: the model takes clips of any length up to %d frames and leaves their padding "
                 "out of everything, which Keras does not; export it for clips of one length (option frames)",
                 w->file, in.t);
}

am_status am_keras_export(am_context *ctx, const char *checkpoint, const am_exchange_options *options, const char *out,
                          am_error *err) {
  writer w = {.ctx = ctx, .file = checkpoint, .turned = options->layout == AM_KERAS_MEL_TIME};
  am_status status = am_checkpoint_load(ctx, checkpoint, &w.checkpoint, err);
  if (!status && w.checkpoint->n_members)
    status =
        am_fail(err, AM_E_UNSUPPORTED,
                "%s: several models, fused, which a Keras model is not; export the runs it was made of", checkpoint);
  if (status) {
    am_checkpoint_free(w.checkpoint);
    return status;
  }
  w.model = w.checkpoint->model;
  status = check_frames(&w, (int)options->frames, err);
  w.values = w.checkpoint->values;
  if (!status && w.values) status = am_values_to_scale(w.model, checkpoint, w.checkpoint->scale, err);
  else if (!status) fold_temperature(&w);
  if (!status) status = am_keras_write_model(&w, err);
  if (!status) status = am_keras_is_archive(out) ? write_archive(&w, out, err) : write_h5(&w, out, err);
  if (!status && w.checkpoint->normaliser.kind != AM_NORMALISE_NONE)
    am_log(ctx, AM_LOG_WARNING, "%s: the model sees normalised features; a Keras file does not hold how", checkpoint);
  if (!status && w.checkpoint->any.temperature != 1)
    am_log(
        ctx, AM_LOG_WARNING,
        "%s: its temperature is not among the layers, so Keras gives probabilities that are not calibrated; those of "
        "predict are softmax(log(p) / %.6g) (attribute audiomood_temperature)",
        checkpoint, w.checkpoint->any.temperature);
  am_keras_write_free(&w);
  am_checkpoint_free(w.checkpoint);
  return status;
}
