/* SPDX-License-Identifier: MIT */
/* exchange/safetensors.c - the row of safetensors among the formats, and a checkpoint that becomes such a file. */
#include "exchange/safetensors.h"

#include <stdio.h>
#include <string.h>

#include "exchange/keras.h"

/* ---- export ---- */

typedef struct job {
  am_context *ctx;
  const char *path; /* of the checkpoint */
  const am_exchange_options *options;
  am_checkpoint *checkpoint;
  am_safetensors_writer file;
  am_torch torch;
} job;

static void put_word(job *j, const char *key, const char *choices, int word) {
  char text[32];
  am_safetensors_put_text(&j->file, key, am_choice_name(choices, word, text, sizeof text));
}

static void put_filled(job *j, const char *key, const char *text) {
  if (text && *text) am_safetensors_put_text(&j->file, key, text);
}

/* All that the checkpoint says of itself; readers of PyTorch's world look for "format". */
static am_status put_texts(job *j, am_error *err) {
  const am_checkpoint *c = j->checkpoint;
  const bool torch = j->options->names == AM_NAMES_PYTORCH;
  am_buffer config = {0}, labels = {0}, scale = {0};
  char number[32];
  am_status status = am_config_text(c->config, &config, err);
  am_json json = am_json_begin(j->ctx, &labels, 0);
  am_json_open(&json, NULL, '[');
  for (int k = 0; k < c->classes; k++) am_json_text(&json, NULL, c->labels[k]);
  am_json_close(&json);
  json = am_json_begin(j->ctx, &scale, 0);
  if (c->values) am_scales_put_value(&json, (const char *const *)c->labels, c->scale, c->classes);
  if (!status && (labels.failed || scale.failed)) status = am_no_memory(err);
  if (!status) {
    am_safetensors_put_text(&j->file, "format", torch ? "pt" : "audiomood");
    am_safetensors_put_text(&j->file, "creator", "audiomood " AM_VERSION);
    put_word(j, AM_TEXT_NAMES, AM_WORDS(AM_TENSOR_NAMES), j->options->names);
    if (torch) put_word(j, AM_TEXT_LAYOUT, AM_WORDS(AM_KERAS_LAYOUTS), j->options->layout);
    if (torch) put_word(j, AM_TEXT_SEQUENCE, AM_WORDS(AM_TORCH_SEQUENCES), j->options->sequence);
    am_safetensors_put_text(&j->file, AM_TEXT_LABELS, labels.data);
    const bool one = c->values && am_scales_one(c->scale, c->classes);
    if (c->values) am_safetensors_put_text(&j->file, one ? AM_TEXT_SCALE : AM_TEXT_SCALES, scale.data);
    am_safetensors_put_text(&j->file, AM_TEXT_CONFIG, config.data);
    snprintf(number, sizeof number, "%d", c->input.t);
    am_safetensors_put_text(&j->file, AM_TEXT_FRAMES, number);
    am_real_to_text(c->any.temperature, number);
    if (c->any.temperature != 1) am_safetensors_put_text(&j->file, AM_TEXT_TEMPERATURE, number);
    put_filled(j, "title", c->title);
    put_filled(j, "corpus", c->corpus);
    put_filled(j, AM_TEXT_LICENCE, c->licence);
    put_filled(j, AM_TEXT_ATTRIBUTION, c->attribution);
    snprintf(number, sizeof number, "%llu", (unsigned long long)c->epoch);
    am_safetensors_put_text(&j->file, "epoch", number);
    if (c->synthetic) am_safetensors_put_text(&j->file, AM_TEXT_SYNTHETIC, "true");
  }
  am_buffer_free(j->ctx, &config);
  am_buffer_free(j->ctx, &labels);
  am_buffer_free(j->ctx, &scale);
  return status;
}

static am_status put_array(job *j, const char *name, int rank, const int *dims, const float *numbers, size_t count,
                           am_error *err) {
  size_t at[4] = {1, 1, 1, 1};
  for (int i = 0; i < rank; i++) at[i] = (size_t)dims[i];
  float *to = am_safetensors_put(&j->file, name, rank, at);
  if (!to) return am_no_memory(err);
  memcpy(to, numbers, count * sizeof *to);
  return AM_OK;
}

/* Our own arrays under our own names. */
static am_status put_own(job *j, am_error *err) {
  am_model *m = j->checkpoint->model;
  const am_normaliser *nz = &j->checkpoint->normaliser;
  am_status status = AM_OK;
  for (int s = 0; s < 2 && !status; s++) {
    const size_t n = s ? am_model_statistic_count(m) : am_model_weight_count(m);
    const float *all = s ? am_model_statistics(m, NULL) : am_model_weights(m, NULL);
    for (size_t i = 0; i < n && !status; i++) {
      const am_array_info *info = s ? am_model_statistic_info(m, i) : am_model_weight_info(m, i);
      status = put_array(j, info->name, info->rank, info->dims, all + info->offset, info->count, err);
    }
  }
  if (status || !nz->mean) return status;
  status = put_array(j, AM_TENSOR_MEAN, 1, &nz->f, nz->mean, (size_t)nz->f, err);
  return status ? status : put_array(j, AM_TENSOR_INVERSE, 1, &nz->f, nz->inverse, (size_t)nz->f, err);
}

static am_status put_module(job *j, const am_torch_module *m, am_error *err) {
  char *module = am_torch_name(j->ctx, m);
  am_status status = module ? AM_OK : am_no_memory(err);
  for (int i = 0; i < m->n && !status; i++) {
    char *name = am_format(j->ctx, "%s.%s", module, m->at[i].name);
    float *to = name ? am_safetensors_put(&j->file, name, m->at[i].rank, m->at[i].dims) : NULL;
    if (to) am_torch_give(&j->torch, &m->at[i], to);
    else status = am_no_memory(err);
    am_free(j->ctx, name);
  }
  am_free(j->ctx, module);
  return status;
}

/* A state dict for modules of our layers' names. */
static am_status put_torch(job *j, am_error *err) {
  am_model *model = j->checkpoint->model;
  j->torch = (am_torch){.ctx = j->ctx,
                        .model = model,
                        .file = j->path,
                        .turned = j->options->layout == AM_KERAS_MEL_TIME,
                        .channels_first = j->options->sequence == AM_TORCH_CHANNELS_MEL};
  am_status status = am_torch_begin(&j->torch, err);
  for (size_t i = 0; i < am_model_steps(model) && !status; i++) {
    am_torch_module parts[2];
    int n = 0;
    status = am_torch_modules(&j->torch, am_model_step(model, i), parts, &n, err);
    for (int k = 0; k < n && !status; k++) status = put_module(j, &parts[k], err);
  }
  am_torch_end(&j->torch);
  return status;
}

static void say_left(const job *j) {
  const am_checkpoint *c = j->checkpoint;
  const bool own = j->options->names == AM_NAMES_AUDIOMOOD;
  if (!own && c->normaliser.kind != AM_NORMALISE_NONE)
    am_log(j->ctx, AM_LOG_WARNING, "%s: the model sees normalised features; a state dict does not hold how", j->path);
  if (own && c->normaliser.kind == AM_NORMALISE_SPEAKER && c->normaliser.training.f)
    am_log(
        j->ctx, AM_LOG_WARNING,
        "%s: what a voice of which little is heard is measured against is not in the file; such a voice counts as it "
        "was heard",
        j->path);
  if (!own && c->any.temperature != 1)
    am_log(j->ctx, AM_LOG_WARNING, "%s: divide the outputs by its temperature, %.6g, before the softmax", j->path,
           c->any.temperature);
  const bool one = c->values && am_scales_one(c->scale, c->classes);
  for (int k = 0; !own && c->values && k < (one ? 1 : c->classes); k++) {
    const am_scale s = c->scale[k];
    am_log(j->ctx, AM_LOG_WARNING, "%s: values%s%s are %.6g + %.6g times the outputs (%s)", j->path, one ? "" : " of ",
           one ? "" : c->labels[k], (s.low + s.high) / 2, (s.high - s.low) / 2, one ? AM_TEXT_SCALE : AM_TEXT_SCALES);
  }
  if (c->any.thresholds.precision > 0)
    am_log(j->ctx, AM_LOG_WARNING, "%s: its thresholds are not in the file; the model always answers", j->path);
}

am_status am_safetensors_export(am_context *ctx, const char *checkpoint, const am_exchange_options *options,
                                const char *out, am_error *err) {
  job j = {.ctx = ctx, .path = checkpoint, .options = options};
  am_safetensors_begin(ctx, &j.file);
  am_status status = am_checkpoint_load(ctx, checkpoint, &j.checkpoint, err);
  if (!status && j.checkpoint->n_members)
    status = am_fail(err, AM_E_UNSUPPORTED,
                     "%s: several models, fused, which one file of tensors is not; export the runs "
                     "it was made of",
                     checkpoint);
  if (!status) status = put_texts(&j, err);
  if (!status) status = options->names == AM_NAMES_PYTORCH ? put_torch(&j, err) : put_own(&j, err);
  if (!status) status = am_safetensors_write(&j.file, out, err);
  if (!status) say_left(&j);
  am_safetensors_end(&j.file);
  am_checkpoint_free(j.checkpoint);
  return status;
}

/* ---- the row ---- */

#define LAYOUT \
  { \
    "layout", AM_OPT_CHOICE, offsetof(am_exchange_options, layout), "mel_time", 0, 0, AM_WORDS(AM_KERAS_LAYOUTS), \
        "of PyTorch's pictures: mel_time (channels, mel, frames) or time_mel (channels, frames, mel); default " \
        "mel_time" \
  }
#define SEQUENCE \
  { \
    "sequence", AM_OPT_CHOICE, offsetof(am_exchange_options, sequence), "channels_mel", 0, 0, \
        AM_WORDS(AM_TORCH_SEQUENCES), \
        "of frames that PyTorch makes of a picture: channels_mel (mel within channels, as flatten gives) or " \
        "mel_channels; " \
        "default channels_mel" \
  }

static const am_option import_table[] = {
    LAYOUT,
    SEQUENCE,
    {"map", AM_OPT_TEXT, offsetof(am_exchange_options, map), "", 0, 0, NULL,
     "a file (YAML) that says which module of PyTorch each layer is: \"conv2d_1: features.0\""},
    AM_OPTION_END};
static const am_option export_table[] = {
    {"names", AM_OPT_CHOICE, offsetof(am_exchange_options, names), "audiomood", 0, 0, AM_WORDS(AM_TENSOR_NAMES),
     "audiomood: our arrays, to be imported again; pytorch: a state dict; default audiomood"},
    LAYOUT,
    SEQUENCE,
    AM_OPTION_END};

static am_status export_one(am_context *ctx, const char *const *checkpoints, size_t n,
                            const am_exchange_options *options, const char *out, am_error *err) {
  if (n != 1) return am_fail(err, AM_E_USAGE, "%zu models; a file of tensors is made of one", n);
  return am_safetensors_export(ctx, checkpoints[0], options, out, err);
}

const am_exchange am_exchange_safetensors = {
    .is = {"safetensors", "a state dict of PyTorch, or our own arrays", export_table},
    .import_own = import_table,
    .ending = ".safetensors",
    .config_inside = true,
    .export_to = export_one,
    .import_from = am_safetensors_import,
    .describe = am_safetensors_describe,
};
