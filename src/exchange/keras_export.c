/* exchange/keras_export.c - a checkpoint becomes what Keras's model.save("x.h5") writes. */
#include <string.h>

#include "base/file.h"
#include "exchange/keras_write.h"
#include "nn/doubt.h"

typedef am_keras_writer writer;

/* ["name", 0, 0] in a list, of the model's input or output. */
static void write_end(writer *w, const char *key, const char *name) {
  am_json_open(&w->json, key, '[');
  am_json_open(&w->json, NULL, '[');
  am_json_text(&w->json, NULL, name);
  am_json_int(&w->json, NULL, 0);
  am_json_int(&w->json, NULL, 0);
  am_json_close(&w->json);
  am_json_close(&w->json);
}

static am_status write_layers(writer *w, am_error *err) {
  bool inside;
  inside = am_model_limited(w->model, &inside) && inside && am_model_ends_in_log(w->model);
  size_t n = am_model_steps(w->model) - inside;
  for (size_t i = 0; i < n; i++) w->functional |= am_model_step(w->model, i)->layer.cls == &am_attention_pool;
  w->json = am_json_begin(w->ctx, &w->text, 0);
  am_json_open(&w->json, NULL, '{');
  am_json_text(&w->json, "class_name", w->functional ? "Functional" : "Sequential");
  am_json_open(&w->json, "config", '{');
  am_json_text(&w->json, "name", "audiomood");
  am_json_open(&w->json, "layers", '[');
  am_keras_write_input(w);
  am_status status = AM_OK;
  for (size_t i = 0; i < n && !status; i++) status = am_keras_write_step(w, &i, err);
  if (status) return status;
  if (w->flat.t && w->flat.t > 1 && w->flat.f > 1)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: there is no dense layer after its flatten", w->file);
  status = am_keras_write_softmax(w, inside, err);
  am_json_close(&w->json);
  if (w->functional) {
    write_end(w, "input_layers", "audiomood_input");
    write_end(w, "output_layers", w->before);
  }
  am_json_close(&w->json);
  am_json_close(&w->json);
  return !status && w->text.failed ? am_no_memory(err) : status;
}

/* The weights owe what they owe, in whatever file they are. */
static am_status write_credit(writer *w, am_error *err) {
  const am_checkpoint *c = w->checkpoint;
  am_status status = AM_OK;
  if (c->licence && *c->licence) status = am_h5_set_text(w->h5, "/", AM_KERAS_LICENCE, c->licence, err);
  if (!status && c->attribution && *c->attribution)
    status = am_h5_set_text(w->h5, "/", AM_KERAS_ATTRIBUTION, c->attribution, err);
  return status;
}

static am_status write_attributes(writer *w, am_error *err) {
  static const char *const objects[] = {"/", "model_weights"};
  am_status status = AM_OK;
  for (int i = 0; i < 2 && !status; i++) {
    status = am_h5_set_text(w->h5, objects[i], "keras_version", "2.15.0", err);
    if (!status) status = am_h5_set_text(w->h5, objects[i], "backend", "tensorflow", err);
  }
  if (!status) status = am_h5_set_text(w->h5, "/", "model_config", w->text.data, err);
  if (!status) status = am_h5_set_texts(w->h5, "model_weights", "layer_names", w->names, w->n_names, err);
  if (!status)
    status = am_h5_set_texts(w->h5, "/", "audiomood_labels", (const char *const *)w->checkpoint->labels,
                             (size_t)w->checkpoint->classes, err);
  if (!status) status = write_credit(w, err);
  if (!status && w->checkpoint->any.temperature != 1)
    status = am_h5_set_real(w->h5, "/", "audiomood_temperature", w->checkpoint->any.temperature, err);
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
  if (!status) fold_temperature(&w);
  if (!status) status = am_tree_create(ctx, &w.tree, err);
  /* a step gives at most five layers, and softmax comes after them */
  if (!status && !(w.names = am_alloc(ctx, 5 * am_model_steps(w.model) + 1, sizeof *w.names)))
    status = am_no_memory(err);
  if (!status) status = am_h5_create_aside(ctx, out, &w.h5, err);
  if (!status) am_h5_is_given(w.h5);
  if (!status) status = write_layers(&w, err);
  if (!status) status = write_attributes(&w, err);
  if (!status) {
    status = am_h5_commit(w.h5, err);
    w.h5 = NULL;
  }
  if (!status && w.checkpoint->normaliser.kind != AM_NORMALISE_NONE)
    am_log(ctx, AM_LOG_WARNING, "%s: the model sees normalised features; a Keras file does not hold how", checkpoint);
  if (!status && w.checkpoint->any.temperature != 1)
    am_log(
        ctx, AM_LOG_WARNING,
        "%s: its temperature is not among the layers, so Keras gives probabilities that are not calibrated; those of "
        "predict are softmax(log(p) / %.6g) (attribute audiomood_temperature)",
        checkpoint, w.checkpoint->any.temperature);
  am_h5_close(w.h5);
  am_free(ctx, w.names);
  am_tree_free(w.tree);
  am_buffer_free(ctx, &w.text);
  am_checkpoint_free(w.checkpoint);
  return status;
}
