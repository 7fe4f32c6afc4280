/* SPDX-License-Identifier: MIT */
/* exchange/keras_describe.c - what a Keras model holds, for `inspect`: as its config says it, layers that have no counterpart here
 * included. */
#include <stdio.h>
#include <string.h>

#include "exchange/archive.h"
#include "exchange/keras.h"
#include "exchange/keras_file.h"
#include "io/json.h"

enum { MODEL_DEPTH = 16 };

bool am_keras_is_of(am_context *ctx, const char *path) {
  static const unsigned char hdf5[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  unsigned char head[sizeof hdf5] = {0};
  if (am_keras_is_archive(path)) return true;
  FILE *f = am_file_is_special(path) ? NULL : fopen(path, "rb");
  const bool full = f && fread(head, 1, sizeof head, f) == sizeof head;
  if (f) fclose(f);
  am_h5 *h5 = NULL;
  if (!full || memcmp(head, hdf5, sizeof hdf5) != 0) return false;
  if (am_h5_open(ctx, path, AM_H5_FOREIGN | AM_H5_UNTRUSTED, &h5, NULL)) return false;
  const bool ours = am_h5_has(h5, "/", "format");
  const bool keras = am_h5_has(h5, "/", "model_config") || am_h5_has(h5, "/", "layer_names") ||
                     am_h5_find(h5, "layers") == AM_H5_GROUP;
  am_h5_close(h5);
  return keras && !ours;
}

/* ---- layers ---- */

static const char *word(const am_value *v) { return v && v->kind == AM_SCALAR ? v->text : ""; }

/* Strides, dilations and groups that are 1 everywhere. */
static bool is_one(const char *key, const am_value *v) {
  if (strcmp(key, "strides") != 0 && strcmp(key, "dilation_rate") != 0 && strcmp(key, "groups") != 0) return false;
  if (v->kind == AM_SCALAR) return !strcmp(v->text, "1");
  bool one = v->kind == AM_LIST;
  for (const am_value *i = v->first; i && one; i = i->next) one = i->kind == AM_SCALAR && !strcmp(i->text, "1");
  return one;
}

/* "units=64 activation=relu", of what is not null or usual. */
static void put_options(am_context *ctx, const am_value *config, am_buffer *out) {
  static const char *const shown[] = {"units",      "filters",       "kernel_size",      "pool_size",      "strides",
                                      "padding",    "dilation_rate", "groups",           "activation",     "rate",
                                      "merge_mode", "reset_after",   "return_sequences", "target_shape",   "dims",
                                      "axis",       "axes",          "function",         "negative_slope", "alpha"};
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
    const am_value *v = am_value_get(config, shown[i]);
    if (!v || v->kind == AM_NULL || (v->kind == AM_SCALAR && !strcmp(v->text, "linear")) || is_one(shown[i], v))
      continue;
    am_buffer_printf(ctx, out, "%s%s=", out->used ? " " : "", shown[i]);
    if (v->kind == AM_SCALAR) {
      am_buffer_printf(ctx, out, "%s", v->text);
    } else {
      am_json json = am_json_begin(ctx, out, 0);
      am_json_value(&json, NULL, v);
    }
  }
}

static void put_shape(am_described *d, const char *name, const am_value *shape) {
  am_buffer text = {0};
  if (!shape || shape->kind != AM_LIST) return;
  for (const am_value *v = shape->first; v; v = v->next)
    am_buffer_printf(d->ctx, &text, "%s%s", text.used ? ", " : "", v->kind == AM_SCALAR ? v->text : "any");
  if (text.failed) d->failed = true;
  else if (text.used) am_describe_fact(d, "input", "%s: (%s)", name, text.data);
  am_buffer_free(d->ctx, &text);
}

static const am_value *layers_of(const am_value *model) {
  const am_value *config = am_value_get(model, "config"), *layers = am_value_get(config, "layers");
  return config && config->kind == AM_LIST ? config : layers && layers->kind == AM_LIST ? layers : NULL;
}

/* `before`: names of the models around it. */
static void put_layers(am_described *d, const am_value *model, const char *before, int depth) {
  const am_value *layers = layers_of(model);
  for (const am_value *l = layers ? layers->first : NULL; l && !d->failed; l = l->next) {
    const am_value *config = am_value_get(l, "config"), *inner = am_value_get(config, "layer");
    const char *own = word(am_value_get(config, "name")), *type = word(am_value_get(l, "class_name"));
    char *name = am_format(d->ctx, "%s%s", before, *own ? own : word(am_value_get(l, "name")));
    am_buffer kind = {0}, options = {0};
    am_buffer_printf(d->ctx, &kind, "%s", type);
    if (inner) am_buffer_printf(d->ctx, &kind, " of %s", word(am_value_get(inner, "class_name")));
    put_options(d->ctx, config, &options);
    put_options(d->ctx, am_value_get(inner, "config"), &options);
    const am_value *shape = am_value_get(config, "batch_input_shape");
    if (!name || kind.failed || options.failed) d->failed = true;
    if (!d->failed) {
      if (!depth) put_shape(d, name, shape ? shape : am_value_get(config, "batch_shape"));
      am_describe_row(d, name, kind.data, options.used ? options.data : "", -1);
      char *within = layers_of(l) && depth < MODEL_DEPTH ? am_format(d->ctx, "%s/", name) : NULL;
      if (within) put_layers(d, l, within, depth + 1);
      am_free(d->ctx, within);
    }
    am_buffer_free(d->ctx, &kind);
    am_buffer_free(d->ctx, &options);
    am_free(d->ctx, name);
  }
}

static am_status put_model(am_described *d, const am_keras_file *f, am_error *err) {
  am_value *root = NULL;
  am_error why = AM_ERROR_INIT;
  if (!f->config) return AM_OK;
  am_status status = am_json_read_text(d->tree, f->config, strlen(f->config), "model_config", &root, &why);
  if (status) return am_fail(err, status == AM_E_NOMEM ? status : AM_E_FORMAT, "%s: %s", f->path, why.message);
  const char *name = word(am_value_find(root, "config.name"));
  am_describe_fact(d, "model", "%s%s%s", word(am_value_get(root, "class_name")), *name ? " " : "", name);
  am_describe_table(d, "layer", "type", "options", NULL);
  put_layers(d, root, "", 0);
  return AM_OK;
}

/* ---- arrays ---- */

static const char *type_name(am_h5_type type) {
  switch (type) {
    case AM_H5_F16: return "float16";
    case AM_H5_F32: return "float32";
    case AM_H5_F64: return "float64";
    case AM_H5_PAIRS: return "bfloat16";
    case AM_H5_I32: return "int32";
    case AM_H5_I64: return "int64";
    case AM_H5_U8: return "uint8";
    case AM_H5_TEXT: return "text";
    case AM_H5_OTHER: break;
  }
  return "another type";
}

static am_status put_arrays(am_described *d, const am_keras_file *f, am_error *err) {
  am_names all = {0};
  const char *root = *f->root ? "model_weights" : "/";
  am_status status = am_h5_arrays(f->h5, root, &all, err);
  am_describe_table(d, "array", "type", "dimensions", "numbers");
  for (size_t i = 0; i < all.n && !status; i++) {
    am_h5_info info;
    char dims[128] = "(";
    size_t used = 1;
    char *path = am_format(d->ctx, "%s%s", f->root, all.at[i]);
    status = path ? am_h5_get_info(f->h5, path, &info, err) : am_no_memory(err);
    am_free(d->ctx, path);
    if (status) break;
    for (int k = 0; k < info.rank; k++)
      used += (size_t)snprintf(dims + used, sizeof dims - used, "%s%zu", k ? ", " : "", info.dims[k]);
    snprintf(dims + used, sizeof dims - used, ")");
    am_describe_row(d, all.at[i], type_name(info.type), dims, (double)info.count);
  }
  am_names_free(d->ctx, &all);
  return status;
}

/* ---- what the file says of itself ---- */

static void put_attribute(am_described *d, const am_keras_file *f, const char *name, const char *shown) {
  am_names texts = {0};
  am_buffer all = {0};
  double number;
  if (!am_h5_has(f->h5, "/", name)) return;
  if (am_h5_get_texts(f->h5, "/", name, &texts, NULL) == AM_OK) {
    for (size_t i = 0; i < texts.n; i++) am_buffer_printf(d->ctx, &all, "%s%s", i ? " " : "", texts.at[i]);
    if (all.failed) d->failed = true;
    else am_describe_text(d, shown, all.data);
  } else if (am_h5_get_real(f->h5, "/", name, &number, NULL) == AM_OK) {
    am_describe_fact(d, shown, "%.6g", number);
  }
  am_buffer_free(d->ctx, &all);
  am_names_free(d->ctx, &texts);
}

/* "1 to 5", or what is said of each dimension. */
static void put_scale(am_described *d, const am_keras_file *f) {
  double low, high;
  put_attribute(d, f, AM_KERAS_SCALES, "scales");
  if (am_h5_has(f->h5, "/", AM_KERAS_SCALE_LOW) && am_h5_has(f->h5, "/", AM_KERAS_SCALE_HIGH) &&
      !am_h5_get_real(f->h5, "/", AM_KERAS_SCALE_LOW, &low, NULL) &&
      !am_h5_get_real(f->h5, "/", AM_KERAS_SCALE_HIGH, &high, NULL))
    am_describe_fact(d, "scale", "%g to %g", low, high);
}

/* Of an archive: which Keras wrote it, and when.  Nothing depends on it, so it may be missing. */
static void put_metadata(am_described *d, const char *path) {
  am_archive *zip = NULL;
  char *text = NULL;
  size_t bytes;
  am_value *root = NULL;
  if (am_archive_open(d->ctx, path, &zip, NULL) == AM_OK && am_archive_has(zip, AM_KERAS_METADATA) &&
      am_archive_read(zip, AM_KERAS_METADATA, 65536, &text, &bytes, NULL) == AM_OK &&
      am_json_read_text(d->tree, text, bytes, AM_KERAS_METADATA, &root, NULL) == AM_OK)
    for (const am_value *v = root->kind == AM_MAP ? root->first : NULL; v; v = v->next)
      am_describe_text(d, v->key, word(v));
  am_free(d->ctx, text);
  am_archive_close(zip);
}

am_status am_keras_describe(am_context *ctx, const char *path, am_described *d, am_error *err) {
  am_keras_file f;
  am_status status = am_keras_open(ctx, path, &f, err);
  if (!status) {
    am_describe_text(d, "format",
                     f.bare    ? "Keras, weights only (HDF5), as save_weights() writes"
                     : f.image ? "Keras, an archive (.keras)"
                               : "Keras, HDF5 (.h5)");
    if (f.image) put_metadata(d, path);
    put_attribute(d, &f, "keras_version", "keras_version");
    put_attribute(d, &f, "backend", "backend");
    put_attribute(d, &f, "audiomood_labels", "labels");
    put_attribute(d, &f, AM_KERAS_DIMENSIONS, "dimensions");
    put_scale(d, &f);
    put_attribute(d, &f, "audiomood_temperature", "temperature");
    put_attribute(d, &f, AM_KERAS_LICENCE, "licence");
    put_attribute(d, &f, AM_KERAS_ATTRIBUTION, "attribution");
    d->import = f.bare ? AM_IMPORT_LAYERS : AM_IMPORT_FEATURES;
    status = put_model(d, &f, err);
  }
  if (!status) status = put_arrays(d, &f, err);
  am_keras_close(&f);
  return status;
}
