/* SPDX-License-Identifier: MIT */
/* model/checkpoint_load.c - reading checkpoints for prediction. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "model/checkpoint_inside.h"
#include "model/fusion.h"
#include "model/origin.h"
#include "model/predict.h"

/* ---- the head ---- */

am_status am_checkpoint_check_head(am_context *ctx, am_h5 *file, am_error *err) {
  const char *path = am_h5_path(file);
  char *format = NULL, *version = NULL;
  if (!am_h5_has(file, "/", "format") || !am_h5_has(file, "/", "version"))
    return am_fail(err, AM_E_FORMAT, "%s: an HDF5 file, but no audiomood checkpoint (no format and version)", path);
  am_status status = am_h5_get_text(file, "/", "format", &format, err);
  if (!status) status = am_h5_get_text(file, "/", "version", &version, err);
  if (!status && strcmp(format, AM_CHECKPOINT_FORMAT))
    status = am_fail(err, AM_E_FORMAT, "%s: its format is \"%s\", wanted \"%s\"", path, format, AM_CHECKPOINT_FORMAT);
  if (!status) {
    char *end;
    long major = strtol(version, &end, 10);
    if (end == version || *end != '.')
      status = am_fail(err, AM_E_FORMAT, "%s: its version \"%s\" is not of the form 1.0", path, version);
    else if (major < AM_CHECKPOINT_MAJOR || major > AM_CHECKPOINT_SCALES_MAJOR)
      status = am_fail(err, AM_E_FORMAT,
                       "%s: a checkpoint of version %s; audiomood %s reads versions %d to %d: read it with an "
                       "audiomood as new as the one that wrote it",
                       path, version, am_version(), AM_CHECKPOINT_MAJOR, AM_CHECKPOINT_SCALES_MAJOR);
  }
  am_free(ctx, format);
  am_free(ctx, version);
  return status;
}

static am_status open_any(am_context *ctx, const char *path, unsigned flags, am_h5 **file, am_error *err) {
  am_status status = am_h5_open(ctx, path, flags, file, err);
  if (status) return status;
  status = am_checkpoint_check_head(ctx, *file, err);
  if (!status) return AM_OK;
  am_h5_close(*file);
  *file = NULL;
  return status;
}

static bool is_fused(am_h5 *file) { return am_h5_find(file, "members") == AM_H5_GROUP; }

am_status am_checkpoint_open(am_context *ctx, const char *path, am_h5 **file, am_error *err) {
  am_status status = open_any(ctx, path, AM_H5_UNTRUSTED, file, err);
  if (status || !is_fused(*file)) return status;
  am_h5_close(*file);
  *file = NULL;
  return am_fail(err, AM_E_USAGE, "%s: several models, fused; wanted a checkpoint of one", path);
}

am_status am_checkpoint_get_count(am_h5 *file, const char *object, const char *name, uint64_t *out, am_error *err) {
  int64_t number;
  am_status status = am_h5_get_int(file, object, name, &number, err);
  if (!status && number < 0)
    status = am_fail(err, AM_E_FORMAT, "%s: attribute %s of %s is %lld, wanted at least 0", am_h5_path(file), name,
                     object, (long long)number);
  if (!status) *out = (uint64_t)number;
  return status;
}

static am_status get_int(am_h5 *file, const char *object, const char *name, int *out, am_error *err) {
  uint64_t number;
  am_status status = am_checkpoint_get_count(file, object, name, &number, err);
  if (!status && number > INT32_MAX)
    status = am_fail(err, AM_E_FORMAT, "%s: attribute %s of %s is %llu, far too large", am_h5_path(file), name, object,
                     (unsigned long long)number);
  if (!status) *out = (int)number;
  return status;
}

am_status am_checkpoint_get_bool(am_h5 *file, const char *object, const char *name, bool *out, am_error *err) {
  uint64_t number;
  am_status status = am_checkpoint_get_count(file, object, name, &number, err);
  if (!status) *out = number != 0;
  return status;
}

/* ---- arrays ---- */

static const char *dims_text(int rank, const size_t *dims, char out[96]) {
  size_t used = (size_t)snprintf(out, 96, "(");
  for (int i = 0; i < rank && used < 96; i++)
    used += (size_t)snprintf(out + used, 96 - used, "%s%zu", i ? ", " : "", dims[i]);
  if (used < 96) snprintf(out + used, 96 - used, ")");
  return out;
}

bool am_checkpoint_same_shape(const am_h5_info *found, const am_array_info *wanted, char found_text[96],
                              char wanted_text[96]) {
  size_t dims[4] = {0};
  bool same = found->type == AM_H5_F32 && found->rank == wanted->rank;
  for (int i = 0; i < wanted->rank; i++) {
    dims[i] = (size_t)wanted->dims[i];
    same = same && found->dims[i] == dims[i];
  }
  dims_text(found->rank, found->dims, found_text);
  dims_text(wanted->rank, dims, wanted_text);
  return same;
}

/* One array, whose shape must fit. `name` is its path in the file. */
static am_status read_fitting(am_h5 *file, const char *name, const am_array_info *info, am_real *to, am_error *err) {
  am_h5_info found;
  char has[96], wants[96];
  if (am_h5_find(file, name) != AM_H5_ARRAY)
    return am_fail(err, AM_E_FORMAT, "%s: the array %s is missing", am_h5_path(file), name);
  am_status status = am_h5_get_info(file, name, &found, err);
  if (status) return status;
  if (!am_checkpoint_same_shape(&found, info, has, wants))
    return am_fail(err, AM_E_SHAPE, "%s: array %s is %s%s, the model wants %s", am_h5_path(file), name,
                   found.type == AM_H5_F32 ? "" : "not float32, ", has, wants);
  return am_h5_read(file, name, AM_H5_F32, to, info->count, err);
}

/* Arrays of the file that no layer has would mean another model: an error, not something to pass over. */
static am_status check_count(am_context *ctx, am_h5 *file, const char *group, size_t wanted, am_error *err) {
  am_names names = {0};
  am_status status = am_h5_arrays(file, group, &names, err);
  if (!status && names.n != wanted)
    status = am_fail(err, AM_E_SHAPE, "%s: %zu arrays in %s, the model wants %zu; the file's config and weights differ",
                     am_h5_path(file), names.n, group, wanted);
  am_names_free(ctx, &names);
  return status;
}

am_status am_checkpoint_read_group(am_context *ctx, am_h5 *file, const char *group, am_model *model, bool statistics,
                                   am_real *flat, am_error *err) {
  size_t n = statistics ? am_model_statistic_count(model) : am_model_weight_count(model);
  am_status status = AM_OK;
  for (size_t i = 0; i < n && !status; i++) {
    am_array_info info = statistics ? *am_model_statistic_info(model, i) : *am_model_weight_info(model, i);
    char *name = am_format(ctx, "%s/%s", group, info.name);
    status = name ? read_fitting(file, name, &info, flat + info.offset, err) : am_no_memory(err);
    am_free(ctx, name);
  }
  return status ? status : check_count(ctx, file, group, n, err);
}

am_status am_checkpoint_read_slot(am_context *ctx, am_h5 *file, const char *group, am_model *model, am_optimiser *o,
                                  int slot, am_real *room, am_error *err) {
  const size_t n = am_model_weight_count(model);
  am_status status = AM_OK;
  for (size_t i = 0; i < n && !status; i++) {
    const am_array_info info = *am_model_weight_info(model, i);
    char *name = am_format(ctx, "%s/%s", group, info.name);
    status =
        name ? read_fitting(file, name, &info, am_optimiser_slot_place(o, slot, &info, room), err) : am_no_memory(err);
    if (!status) am_optimiser_slot_take(o, slot, &info, room);
    am_free(ctx, name);
  }
  return status ? status : check_count(ctx, file, group, n, err);
}

am_status am_checkpoint_read_arrays(am_context *ctx, am_h5 *file, am_model *model, am_error *err) {
  size_t n;
  am_status status = am_checkpoint_read_group(ctx, file, "weights", model, false, am_model_weights(model, &n), err);
  return status ? status
                : am_checkpoint_read_group(ctx, file, "statistics", model, true, am_model_statistics(model, &n), err);
}

/* Files before version 1.3 have none, and models that were not calibrated. */
static am_status read_temperature(am_h5 *file, double *temperature, am_error *err) {
  *temperature = 1;
  if (!am_h5_has(file, "/", "temperature")) return AM_OK;
  am_status status = am_h5_get_real(file, "/", "temperature", temperature, err);
  return status ? status : am_checkpoint_check_temperature(am_h5_path(file), *temperature, err);
}

/* Files before version 1.4 have none, and models that always answer. */
am_status am_checkpoint_read_thresholds(am_h5 *file, const char *name, int classes, am_thresholds *t, am_error *err) {
  am_h5_info info;
  *t = (am_thresholds){0};
  if (am_h5_find(file, name) != AM_H5_ARRAY) return AM_OK;
  am_status status = am_h5_get_info(file, name, &info, err);
  if (!status && (info.rank != 1 || info.dims[0] != (size_t)classes))
    status = am_fail(err, AM_E_SHAPE, "%s: %s has %d dimensions and %zu elements, wanted 1 and %d", am_h5_path(file),
                     name, info.rank, info.count, classes);
  if (!status) status = am_h5_read(file, name, AM_H5_F64, t->at, (size_t)classes, err);
  if (!status) status = am_h5_get_real(file, name, "precision", &t->precision, err);
  return status ? status : am_checkpoint_check_thresholds(am_h5_path(file), t, classes, err);
}

am_status am_checkpoint_weights(am_context *ctx, const char *path, am_model *model, uint64_t *epoch, uint32_t *digest,
                                double *temperature, am_thresholds *thresholds, am_error *err) {
  am_h5 *file;
  am_status status = am_checkpoint_open(ctx, path, &file, err);
  if (status) return status;
  status = am_checkpoint_read_arrays(ctx, file, model, err);
  if (!status && epoch) status = am_checkpoint_get_count(file, "/", "epoch", epoch, err);
  if (!status && temperature) status = read_temperature(file, temperature, err);
  if (!status && thresholds)
    status = am_checkpoint_read_thresholds(file, "thresholds", am_model_output(model).c, thresholds, err);
  am_h5_close(file);
  if (!status && digest) *digest = am_checkpoint_digest(model);
  return status;
}

/* ---- for prediction ---- */

static am_status read_config(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  char *text = NULL;
  am_status status = am_h5_read_text(file, "config", &text, err);
  if (status) return status;
  status = am_config_from_stored(ctx, text, am_h5_path(file), NULL, 0, &c->config, err);
  am_free(ctx, text);
  return status;
}

static am_status read_digest(am_h5 *file, uint64_t *digest, am_error *err) {
  int64_t number = 0;
  am_status status = am_h5_get_int(file, "data", "digest", &number, err);
  *digest = (uint64_t)number;
  return status;
}

static am_status read_speakers(am_context *ctx, am_h5 *file, const char *name, am_names *out, am_error *err) {
  char *text = NULL;
  am_status status = am_h5_read_text(file, name, &text, err);
  if (!status) status = am_speakers_read(ctx, out, text, err);
  am_free(ctx, text);
  return status;
}

/* Before version 1.2 a file named no speakers, and of the model it began from the corpora alone. */
static am_status read_seen(am_context *ctx, am_h5 *file, am_names *seen, am_names *before, am_error *err) {
  am_status status = AM_OK;
  if (am_h5_find(file, "data/speakers") == AM_H5_ARRAY) status = read_speakers(ctx, file, "data/speakers", seen, err);
  if (!status && !seen->n) status = am_speakers_read(ctx, seen, AM_PERSON_UNKNOWN, err);
  if (!status && am_h5_find(file, "data/before") == AM_H5_ARRAY)
    return read_speakers(ctx, file, "data/before", before, err);
  if (!status && am_h5_has(file, "data", "before")) status = am_h5_get_texts(file, "data", "before", before, err);
  am_speakers_sort(ctx, before);
  return status;
}

static am_status read_text(am_context *ctx, am_h5 *file, const char *object, const char *name, char **out,
                           am_error *err) {
  if (am_h5_has(file, object, name)) return am_h5_get_text(file, object, name, out, err);
  *out = am_strdup(ctx, "");
  return *out ? AM_OK : am_no_memory(err);
}

/* Files before version 1.4 say it of their last corpora alone. */
static am_status read_credit(am_context *ctx, am_h5 *file, am_credit *out, am_error *err) {
  char *title = NULL, *citation = NULL;
  const bool whole = am_h5_has(file, "/", "attribution");
  am_status status = read_text(ctx, file, whole ? "/" : "data", "licence", &out->licence, err);
  if (!status && whole) return am_h5_get_text(file, "/", "attribution", &out->attribution, err);
  if (!status) status = read_text(ctx, file, "data", "title", &title, err);
  if (!status) status = read_text(ctx, file, "data", "citation", &citation, err);
  if (!status) status = am_credit_line(ctx, title, out->licence, citation, &out->attribution, err);
  am_free(ctx, title);
  am_free(ctx, citation);
  return status;
}

am_status am_checkpoint_origin(am_context *ctx, am_h5 *file, am_origin *out, am_error *err) {
  *out = (am_origin){0};
  am_status status = read_digest(file, &out->digest, err);
  if (!status) status = am_checkpoint_get_bool(file, "data", "speaker_independent", &out->speaker_independent, err);
  if (!status) status = read_seen(ctx, file, &out->seen, &out->before, err);
  if (!status) status = read_credit(ctx, file, &out->credit, err);
  if (!status) status = am_h5_read_text(file, "config", &out->config, err);
  if (status) am_origin_free(ctx, out);
  return status;
}

am_status am_checkpoint_read_labels(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  am_names names = {0};
  am_status status = am_h5_get_texts(file, "/", "labels", &names, err);
  if (!status) status = am_checkpoint_check_labels(am_h5_path(file), &names, err);
  if (status) {
    am_names_free(ctx, &names);
    return status;
  }
  c->labels = names.at; /* taken over, with its texts */
  c->classes = (int)names.n;
  return AM_OK;
}

/* One for all dimensions, or one for each. */
static am_status read_scales(am_h5 *file, am_checkpoint *c, am_error *err) {
  am_scale one;
  const size_t K = (size_t)c->classes;
  c->scale = am_tree_take(c->config->tree, K, sizeof *c->scale);
  if (!c->scale) return am_no_memory(err);
  if (am_h5_find(file, "scales") == AM_H5_ARRAY) return am_h5_read(file, "scales", AM_H5_F64, c->scale, 2 * K, err);
  am_status status = am_h5_get_real(file, "/", "scale_low", &one.low, err);
  if (!status) status = am_h5_get_real(file, "/", "scale_high", &one.high, err);
  for (size_t k = 0; k < K && !status; k++) c->scale[k] = one;
  return status;
}

/* Files of classes do not say what they are of. */
static am_status read_target(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  char *target = NULL;
  if (!am_h5_has(file, "/", "target")) return AM_OK;
  am_status status = am_h5_get_text(file, "/", "target", &target, err);
  if (!status && strcmp(target, "dimensions"))
    status = am_fail(err, AM_E_FORMAT, "%s: its target is \"%s\", wanted \"dimensions\"", am_h5_path(file), target);
  am_free(ctx, target);
  if (!status) status = read_scales(file, c, err);
  c->values = !status;
  for (int k = 0; k < c->classes && !status; k++)
    if (!am_scale_good(c->scale[k]))
      return am_fail(err, AM_E_FORMAT, "%s: its scale is %g to %g, wanted a lower and a higher number from -1e6 to 1e6",
                     am_h5_path(file), c->scale[k].low, c->scale[k].high);
  return status;
}

static am_status read_input(am_h5 *file, const am_config *config, am_shape *in, am_error *err) {
  am_status status = get_int(file, "input", "rank", &in->rank, err);
  if (!status) status = get_int(file, "input", "frames", &in->t, err);
  if (!status) status = get_int(file, "input", "bins", &in->f, err);
  if (!status) status = get_int(file, "input", "channels", &in->c, err);
  if (!status) status = am_checkpoint_get_bool(file, "input", "variable", &in->variable, err);
  return status ? status : am_checkpoint_check_input(am_h5_path(file), &config->features, *in, err);
}

/* That one of the arrays of a normaliser has f bins. */
static am_status check_bins(am_h5 *file, const char *name, int f, am_error *err) {
  am_h5_info info;
  if (am_h5_find(file, name) != AM_H5_ARRAY)
    return am_fail(err, AM_E_FORMAT, "%s: the array %s is missing", am_h5_path(file), name);
  am_status status = am_h5_get_info(file, name, &info, err);
  if (!status && (info.rank != 1 || info.dims[0] != (size_t)f))
    status = am_fail(err, AM_E_SHAPE, "%s: %s has %d dimensions and %zu elements, wanted 1 and %d", am_h5_path(file),
                     name, info.rank, info.count, f);
  return status;
}

/* It in new memory. */
static am_status read_bins(am_context *ctx, am_h5 *file, const char *name, int f, float **out, am_error *err) {
  am_status status = check_bins(file, name, f, err);
  if (status) return status;
  *out = am_alloc(ctx, (size_t)f, sizeof **out);
  return *out ? am_h5_read(file, name, AM_H5_F32, *out, (size_t)f, err) : am_no_memory(err);
}

/* Files before version 1.2 lack it. */
static am_status read_training(am_context *ctx, am_h5 *file, am_normaliser *nz, am_error *err) {
  static const char *const names[] = {"normaliser/training_mean", "normaliser/training_deviation"};
  if (am_h5_find(file, names[0]) != AM_H5_ARRAY) return AM_OK;
  am_norm_stats *s = &nz->training;
  am_status status = am_norm_init(ctx, s, nz->f, err);
  double *const at[] = {s->mean, s->m2};
  for (int i = 0; i < 2 && !status; i++) {
    status = check_bins(file, names[i], nz->f, err);
    if (!status) status = am_h5_read(file, names[i], AM_H5_F64, at[i], (size_t)nz->f, err);
  }
  for (int j = 0; j < nz->f && !status; j++) s->m2[j] *= s->m2[j];
  s->count = 1; /* what they are of is not told: am_norm_shrink wants means and deviations alone */
  return status ? status : am_checkpoint_check_training(am_h5_path(file), s, err);
}

static am_status read_normaliser(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  am_normaliser *nz = &c->normaliser;
  const am_feature_options *features = &c->config->features;
  char *kind = NULL;
  am_status status = am_h5_get_text(file, "normaliser", "kind", &kind, err);
  if (!status) {
    nz->kind = am_choice_index(AM_WORDS(AM_NORMALISES), kind);
    if (nz->kind < 0)
      status = am_fail(err, AM_E_FORMAT, "%s: unknown kind of normalisation \"%s\"", am_h5_path(file), kind);
  }
  am_free(ctx, kind);
  if (!status) status = am_checkpoint_get_bool(file, "normaliser", "by_all", &nz->by_all, err);
  if (!status) status = get_int(file, "normaliser", "bins", &nz->f, err);
  if (!status) status = am_checkpoint_check_normaliser(am_h5_path(file), features, c->input, nz, err);
  if (!status && nz->kind == AM_NORMALISE_SPEAKER) return read_training(ctx, file, nz, err);
  if (status || (nz->kind != AM_NORMALISE_TRAIN && nz->kind != AM_NORMALISE_CORPUS)) return status;
  status = read_bins(ctx, file, "normaliser/mean", nz->f, &nz->mean, err);
  if (!status) status = read_bins(ctx, file, "normaliser/inverse", nz->f, &nz->inverse, err);
  return status ? status : am_checkpoint_check_means(am_h5_path(file), nz, err);
}

static am_status read_fact(am_context *ctx, am_h5 *file, am_config *config, const char *name, const char **out,
                           am_error *err) {
  char *text = NULL;
  am_status status = am_h5_get_text(file, "data", name, &text, err);
  if (!status && !(*out = am_tree_string(config->tree, text))) status = am_no_memory(err);
  am_free(ctx, text);
  return status;
}

static am_status keep(am_config *config, const char *text, const char **out, am_error *err) {
  *out = am_tree_string(config->tree, text);
  return *out ? AM_OK : am_no_memory(err);
}

static am_status read_facts(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  am_config *config = c->config;
  am_credit credit = {0};
  char *title = NULL;
  am_status status = read_text(ctx, file, "/", "title", &title, err);
  if (!status) status = read_credit(ctx, file, &credit, err);
  if (!status) status = keep(config, *title ? title : config->name, &c->title, err);
  if (!status) status = keep(config, credit.licence, &c->licence, err);
  if (!status) status = keep(config, credit.attribution, &c->attribution, err);
  am_credit_free(ctx, &credit);
  am_free(ctx, title);
  return status ? status : read_fact(ctx, file, config, "corpus", &c->corpus, err);
}

/* The file's config may ask for any model; its arrays say how large an honest one is (with room for a model that
 * differs a little, which gets a message of its own). */
static am_status make_model(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  static const char *const groups[] = {"weights", "statistics"};
  size_t numbers = 0;
  am_status status = AM_OK;
  for (int i = 0; i < 2 && !status; i++) {
    size_t count = 0;
    if (am_h5_find(file, groups[i]) == AM_H5_GROUP) status = am_h5_count(file, groups[i], &count, err);
    numbers = am_add(numbers, count);
  }
  if (status) return status;
  status = am_model_create_within(ctx, c->config->layers, c->input, c->classes, am_add(am_mul(2, numbers), 65536),
                                  &c->model, err);
  if (status == AM_E_SHAPE && err && !strstr(err->message, am_h5_path(file)))
    (void)am_error_prefix(err, "%s", am_h5_path(file));
  return status;
}

am_status am_checkpoint_read(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  am_status status = read_config(ctx, file, c, err);
  if (!status) status = am_checkpoint_read_labels(ctx, file, c, err);
  if (!status) status = read_target(ctx, file, c, err);
  if (!status) status = read_input(file, c->config, &c->input, err);
  if (!status) status = read_normaliser(ctx, file, c, err);
  if (!status) status = read_facts(ctx, file, c, err);
  if (!status) status = am_checkpoint_get_bool(file, "data", "synthetic", &c->synthetic, err);
  if (!status) status = am_checkpoint_get_bool(file, "data", "speaker_independent", &c->speaker_independent, err);
  if (!status) status = read_digest(file, &c->digest, err);
  if (!status) status = read_seen(ctx, file, &c->seen, &c->before, err);
  if (!status) status = am_checkpoint_get_count(file, "/", "epoch", &c->epoch, err);
  if (!status) status = am_checkpoint_get_count(file, "/", "step", &c->step, err);
  if (!status) status = read_temperature(file, &c->any.temperature, err);
  if (!status) status = am_checkpoint_read_thresholds(file, "thresholds", c->classes, &c->any.thresholds, err);
  if (!status) status = make_model(ctx, file, c, err);
  (void)am_h5_found_lost(file);
  if (!status) status = am_checkpoint_read_arrays(ctx, file, c->model, err);
  if (!status && am_h5_found_lost(file)) status = am_checkpoint_check_finite(ctx, am_h5_path(file), c->model, err);
  if (!status) am_model_freeze(c->model);
  c->resumable = am_h5_find(file, "training/slots") == AM_H5_GROUP;
  return status;
}

/* Closes the file. */
static am_status load(am_context *ctx, am_h5 *file, am_checkpoint **out, am_error *err) {
  am_checkpoint *c = am_alloc(ctx, 1, sizeof *c);
  if (c) c->ctx = ctx;
  am_status status = !c               ? am_no_memory(err)
                     : is_fused(file) ? am_fusion_read(ctx, file, c, err)
                                      : am_checkpoint_read(ctx, file, c, err);
  am_h5_close(file);
  if (status) am_checkpoint_free(c);
  else *out = c;
  return status;
}

am_status am_checkpoint_load_ours(am_context *ctx, const char *path, am_checkpoint **out, am_error *err) {
  am_h5 *file;
  *out = NULL;
  am_status status = open_any(ctx, path, AM_H5_READ, &file, err);
  return status ? status : load(ctx, file, out, err);
}

am_status am_checkpoint_load(am_context *ctx, const char *path, am_checkpoint **out, am_error *err) {
  am_h5 *file;
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, path);
  if (!status) status = open_any(ctx, path, AM_H5_UNTRUSTED, &file, err);
  return status ? status : load(ctx, file, out, err);
}

am_status am_checkpoint_from_memory(am_context *ctx, const void *data, size_t bytes, const char *name,
                                    am_checkpoint **out, am_error *err) {
  am_h5 *file;
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, data);
  if (!status)
    status = am_h5_open_image(ctx, data, bytes, name ? name : "(a checkpoint in memory)", AM_H5_UNTRUSTED, &file, err);
  if (status) return status;
  status = am_checkpoint_check_head(ctx, file, err);
  if (!status) return load(ctx, file, out, err);
  am_h5_close(file);
  return status;
}

void am_checkpoint_free(am_checkpoint *c) {
  if (!c) return;
  am_context *ctx = c->ctx;
  am_predictor_free(ctx, c->predictor);
  if (c->model) am_model_free(c->model);
  if (!c->members) am_config_free(c->config);
  for (size_t i = 0; c->members && i < c->n_members; i++) am_checkpoint_free(c->members[i]);
  am_free(ctx, c->members);
  am_free(ctx, c->any.weights);
  if (c->known) am_free(ctx, c->known->weights);
  am_free(ctx, c->known);
  am_names labels = {c->labels, (size_t)c->classes};
  am_names_free(ctx, &labels);
  am_names_free(ctx, &c->seen);
  am_names_free(ctx, &c->before);
  am_norm_free(ctx, &c->speaker);
  am_normaliser_free(ctx, &c->normaliser);
  am_free(ctx, c);
}

/* ---- for callers outside ---- */

int am_checkpoint_classes(const am_checkpoint *c) { return c ? c->classes : 0; }
const char *am_checkpoint_label(const am_checkpoint *c, int k) {
  return c && k >= 0 && k < c->classes ? c->labels[k] : NULL;
}
int am_checkpoint_class(const am_checkpoint *c, const char *label) {
  for (int k = 0; c && label && k < c->classes; k++)
    if (strcmp(c->labels[k], label) == 0) return k;
  return -1;
}
const char *am_checkpoint_title(const am_checkpoint *c) { return c ? c->title : NULL; }
const char *am_checkpoint_licence(const am_checkpoint *c) { return c ? c->licence : NULL; }
const char *am_checkpoint_attribution(const am_checkpoint *c) { return c ? c->attribution : NULL; }
bool am_checkpoint_noncommercial(const am_checkpoint *c) { return c && am_credit_noncommercial(c->licence); }
double am_checkpoint_rate(const am_checkpoint *c) {
  double rate = c ? c->config->features.sample_rate : 0;
  for (size_t i = 0; c && i < c->n_members; i++) rate = fmax(rate, am_checkpoint_rate(c->members[i]));
  return rate;
}
const am_fusion_set *am_checkpoint_set_for(const am_checkpoint *c, bool known) {
  return known && c->known ? c->known : &c->any;
}
const am_fusion_set *am_checkpoint_set(const am_checkpoint *c) { return am_checkpoint_set_for(c, c->heard); }
double am_checkpoint_temperature(const am_checkpoint *c) { return c ? am_checkpoint_set(c)->temperature : 1; }
double am_checkpoint_threshold(const am_checkpoint *c, int k) {
  return c && k >= 0 && k < c->classes ? am_checkpoint_set(c)->thresholds.at[k] : 0;
}
int am_checkpoint_decide(const am_checkpoint *c, const float *probabilities) {
  if (!c || !probabilities || c->values) return AM_UNCERTAIN;
  return am_thresholds_decide(&am_checkpoint_set(c)->thresholds, probabilities, c->classes);
}
bool am_checkpoint_synthetic(const am_checkpoint *c) { return c && c->synthetic; }
size_t am_checkpoint_members(const am_checkpoint *c) { return !c ? 0 : c->members ? c->n_members : 1; }
am_checkpoint *am_checkpoint_member(am_checkpoint *c, size_t i) {
  if (i >= am_checkpoint_members(c)) return NULL;
  return c->members ? c->members[i] : c;
}
double am_checkpoint_weight(const am_checkpoint *c, size_t i) {
  if (i >= am_checkpoint_members(c)) return 0;
  return c->members ? am_checkpoint_set(c)->weights[i] : 1;
}
am_status am_checkpoint_set_storage(am_checkpoint *c, am_storage storage, am_error *err) {
  am_status status = AM_NEED(err, c);
  if (!status && c->predictor) status = am_fail(err, AM_E_USAGE, "the storage is set before the first prediction");
  for (size_t i = 0; !status && i < am_checkpoint_members(c); i++) {
    am_model *model = am_checkpoint_member(c, i)->model;
    status = am_model_set_half(model, storage == AM_STORE_FLOAT16, err);
    am_model_freeze(model);
  }
  return status;
}
am_model *am_checkpoint_model(am_checkpoint *c) { return c ? c->model : NULL; }
