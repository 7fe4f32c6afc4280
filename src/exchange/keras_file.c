/* SPDX-License-Identifier: MIT */
/* exchange/keras_file.c - see keras_file.h. */
#include "exchange/keras_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "exchange/archive.h"
#include "io/json.h"

bool am_keras_is_archive(const char *path) { return am_text_ends(path, ".keras"); }

/* GlobalAveragePooling1D becomes global_average_pooling1d, LeakyReLU leaky_re_lu: an underscore goes before a capital that a
 * small letter follows, but at the start, and before one that follows a small letter. */
char *am_keras_store_name(am_tree *tree, const char *before, const char *class, size_t number) {
  const size_t room = strlen(before) + 2 * strlen(class) + 64;
  char *out = am_tree_take(tree, room, 1);
  if (!out) return NULL;
  snprintf(out, room, "%slayers/", before);
  char *at = out + strlen(out);
  for (size_t i = 0; class[i]; i++) {
    const char c = class[i], last = i ? class[i - 1] : 0, next = class[i + 1];
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && i && ((last >= 'a' && last <= 'z') || (next >= 'a' && next <= 'z' && last != '_'))) *at++ = '_';
    *at++ = (char)(capital ? c - 'A' + 'a' : c);
  }
  if (number) snprintf(at, room - (size_t)(at - out), "_%zu", number);
  return out;
}

/* By its first bytes, whatever its name. */
static bool is_zip(const char *path) {
  unsigned char head[4] = {0};
  FILE *f = am_file_is_special(path) ? NULL : fopen(path, "rb");
  size_t n = f ? fread(head, 1, sizeof head, f) : 0;
  if (f) fclose(f);
  return n == 4 && (!memcmp(head, "PK\3\4", 4) || !memcmp(head, "PK\5\6", 4));
}

/* Weights that Keras can also write, and that are read by nobody here. */
static am_status check_weights(const am_keras_file *f, const am_archive *zip, am_error *err) {
  static const char *const others[] = {"model.weights.npz", "model.weights.json"};
  if (am_archive_has(zip, AM_KERAS_WEIGHTS)) return AM_OK;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (am_archive_has(zip, others[i]))
      return am_fail(err, AM_E_UNSUPPORTED,
                     "%s: its weights are in %s; only those in one " AM_KERAS_WEIGHTS " can be imported", f->path,
                     others[i]);
  return am_fail(err, AM_E_FORMAT, "%s: a zip without " AM_KERAS_WEIGHTS "; wanted what model.save(\"x.keras\") writes",
                 f->path);
}

static am_status open_archive(am_keras_file *f, am_error *err) {
  am_archive *zip = NULL;
  size_t bytes = 0;
  am_status status = am_archive_open(f->ctx, f->path, &zip, err);
  if (!status) status = check_weights(f, zip, err);
  if (!status) status = am_archive_read(zip, AM_KERAS_CONFIG, AM_JSON_BYTES, &f->config, &bytes, err);
  if (!status && strlen(f->config) != bytes)
    status = am_fail(err, AM_E_FORMAT, "%s: " AM_KERAS_CONFIG " holds a zero byte", f->path);
  if (!status) status = am_archive_read(zip, AM_KERAS_WEIGHTS, SIZE_MAX / 2, &f->image, &bytes, err);
  am_archive_close(zip);
  f->store = true;
  f->root = "";
  if (status) return status;
  /* HDF5 wants a name that no file has, and behind a file there is none */
  if (!(f->name = am_format(f->ctx, "%s/" AM_KERAS_WEIGHTS, f->path))) return am_no_memory(err);
  return am_h5_open_image(f->ctx, f->image, bytes, f->name, AM_H5_FOREIGN | AM_H5_UNTRUSTED, &f->h5, err);
}

am_status am_keras_open(am_context *ctx, const char *path, am_keras_file *f, am_error *err) {
  *f = (am_keras_file){.ctx = ctx, .path = path, .root = "model_weights/"};
  if (is_zip(path)) return open_archive(f, err);
  am_status status = am_h5_open(ctx, path, AM_H5_FOREIGN | AM_H5_UNTRUSTED, &f->h5, err);
  if (status) return status;
  if (am_h5_has(f->h5, "/", "model_config")) {
    if (am_h5_find(f->h5, "model_weights") != AM_H5_GROUP)
      return am_fail(err, AM_E_FORMAT, "%s: it has no group model_weights; wanted what model.save(\"x.h5\") writes",
                     path);
    return am_h5_get_text(f->h5, "/", "model_config", &f->config, err);
  }
  f->root = "";
  f->bare = true;
  f->store = am_h5_find(f->h5, "layers") == AM_H5_GROUP;
  if (f->store || am_h5_has(f->h5, "/", "layer_names")) return AM_OK;
  return am_fail(err, AM_E_FORMAT,
                 "%s: it has no model_config, so it is no Keras model; wanted what model.save(\"x.h5\") writes", path);
}

void am_keras_close(am_keras_file *f) {
  am_h5_close(f->h5);
  am_free(f->ctx, f->image);
  am_free(f->ctx, f->name);
  am_free(f->ctx, f->config);
  *f = (am_keras_file){.ctx = f->ctx, .path = f->path};
}
