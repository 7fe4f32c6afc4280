/* SPDX-License-Identifier: MIT */
/* model/profile_file.c - the file of a profile: numbers about a voice, and how they were made.
 *
 *   /          format, version, creator, seconds; name, when it was given
 *   features   text: the settings (YAML), with attribute `key` (am_feature_key)
 *   more/0     the same of other features, from version 1.1 on: seconds, features, statistics
 *   statistics frames, bins; arrays mean and squares (F), float64 with their crc32c: sums of squared deviations from the mean */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "io/h5.h"
#include "io/yaml.h"
#include "model/profile.h"

/* Of other features in the groups more/0, more/1, ... (from version 1.1 on). */
static const char *part_name(size_t i, char out[32]) {
  snprintf(out, 32, "more/%zu", i);
  return out;
}

/* What is written and what is read alike: frames were heard, and of each bin there is a mean and a spread. */
static am_status check_numbers(const am_profile *p, am_status status, const char *path, am_error *err) {
  const am_norm_stats *s = &p->stats;
  if (!(s->count >= 1 && s->count <= 1e15) || !(p->seconds > 0 && p->seconds <= 1e12))
    return am_fail(err, status, "%s: %g frames in %g s of a voice cannot be", path, s->count, p->seconds);
  for (int j = 0; j < s->f; j++)
    if (!isfinite(s->mean[j]) || !isfinite(s->m2[j]) || s->m2[j] < 0)
      return am_fail(
          err, status,
          "%s: bin %d has the mean %g and the sum of squares %g; wanted finite numbers, the second at least 0", path, j,
          s->mean[j], s->m2[j]);
  return AM_OK;
}

/* ---- writing ---- */

static am_status features_text(am_context *ctx, const am_feature_options *o, am_buffer *out, am_error *err) {
  am_tree *tree;
  am_value *map = NULL;
  am_status status = am_tree_create(ctx, &tree, err);
  if (status) return status;
  status = am_options_emit(tree, am_feature_table, o, &map, err);
  if (!status) am_yaml_write(ctx, map, out);
  if (!status && out->failed) status = am_no_memory(err);
  am_tree_free(tree);
  return status;
}

static am_status write_features(am_context *ctx, am_h5 *file, const am_feature_options *o, am_error *err) {
  am_buffer text = {0};
  am_status status = features_text(ctx, o, &text, err);
  if (!status) status = am_h5_write_text(file, "features", text.data, err);
  if (!status) status = am_h5_set_int(file, "features", "key", (int64_t)am_feature_key(o), err);
  am_buffer_free(ctx, &text);
  return status;
}

static am_status write_statistics(am_h5 *file, const am_norm_stats *s, am_error *err) {
  const size_t f = (size_t)s->f;
  am_status status = am_h5_group(file, "statistics", err);
  if (!status) status = am_h5_set_int(file, "statistics", "frames", (int64_t)s->count, err);
  if (!status) status = am_h5_set_int(file, "statistics", "bins", s->f, err);
  if (!status) status = am_h5_write(file, "statistics/mean", AM_H5_F64, 1, &f, s->mean, err);
  return status ? status : am_h5_write(file, "statistics/squares", AM_H5_F64, 1, &f, s->m2, err);
}

static am_status write_part(am_h5 *file, const am_profile *p, am_error *err) {
  am_status status = am_h5_set_real(file, "/", "seconds", p->seconds, err);
  if (!status) status = write_features(p->ctx, file, &p->options, err);
  return status ? status : write_statistics(file, &p->stats, err);
}

static am_status write_more(am_h5 *file, const am_profile *p, am_error *err) {
  char group[32];
  am_status status = AM_OK;
  for (size_t i = 0; p && !status; i++, p = p->more) {
    status = am_h5_group(file, part_name(i, group), err);
    if (!status) status = am_h5_within(file, group, err);
    if (!status) status = write_part(file, p, err);
    am_status back = am_h5_within(file, "/", status ? NULL : err);
    if (!status) status = back;
  }
  return status;
}

static am_status write_all(am_h5 *file, const am_profile *p, am_error *err) {
  char version[32], creator[64];
  snprintf(version, sizeof version, "%d.%d", AM_PROFILE_MAJOR, AM_PROFILE_MINOR);
  snprintf(creator, sizeof creator, "audiomood %s", am_version());
  am_status status = am_h5_set_text(file, "/", "format", AM_PROFILE_FORMAT, err);
  if (!status) status = am_h5_set_text(file, "/", "version", version, err);
  if (!status) status = am_h5_set_text(file, "/", "creator", creator, err);
  if (!status && p->name) status = am_h5_set_text(file, "/", "name", p->name, err);
  if (!status) status = write_part(file, p, err);
  return status ? status : write_more(file, p->more, err);
}

am_status am_profile_save(const am_profile *p, const char *path, am_error *err) {
  am_h5 *file;
  am_status status = AM_NEED(err, p);
  if (!status) status = AM_NEED(err, path);
  if (!status && !(p->stats.count > 0)) status = am_fail(err, AM_E_DATA, "nothing has been heard of this voice");
  for (const am_profile *part = p; part && !status; part = part->more)
    status = check_numbers(part, AM_E_NUMERIC, path, err);
  if (!status) status = am_h5_create_aside(p->ctx, path, &file, err);
  if (status) return status;
  am_h5_is_private(file);
  status = write_all(file, p, err);
  if (!status) return am_h5_commit(file, err);
  am_h5_close(file);
  return status;
}

/* ---- reading ---- */

bool am_profile_is(am_context *ctx, const char *path) {
  am_h5 *file;
  char *format = NULL;
  if (am_h5_open(ctx, path, AM_H5_UNTRUSTED, &file, NULL)) return false;
  const bool is = am_h5_has(file, "/", "format") && !am_h5_get_text(file, "/", "format", &format, NULL) &&
                  !strcmp(format, AM_PROFILE_FORMAT);
  am_free(ctx, format);
  am_h5_close(file);
  return is;
}

static am_status check_format(am_context *ctx, am_h5 *file, const char *path, am_error *err) {
  char *format = NULL;
  if (!am_h5_has(file, "/", "format") || !am_h5_has(file, "/", "version"))
    return am_fail(err, AM_E_FORMAT, "%s: an HDF5 file, but no profile of a voice (no format and version)", path);
  am_status status = am_h5_get_text(file, "/", "format", &format, err);
  if (!status && strcmp(format, AM_PROFILE_FORMAT))
    status = am_fail(err, AM_E_FORMAT, "%s: its format is \"%s\", wanted \"%s\", a file made by audiomood enrol", path,
                     format, AM_PROFILE_FORMAT);
  am_free(ctx, format);
  return status;
}

static am_status check_version(am_context *ctx, am_h5 *file, const char *path, am_error *err) {
  char *version = NULL, *end;
  am_status status = am_h5_get_text(file, "/", "version", &version, err);
  if (status) return status;
  const long major = strtol(version, &end, 10);
  if (end == version || *end != '.')
    status = am_fail(err, AM_E_FORMAT, "%s: its version \"%s\" is not of the form 1.0", path, version);
  else if (major != AM_PROFILE_MAJOR)
    status = am_fail(err, AM_E_FORMAT,
                     "%s: a profile of version %s; audiomood %s reads version %d: read it with an audiomood as new as "
                     "the one that wrote it",
                     path, version, am_version(), AM_PROFILE_MAJOR);
  am_free(ctx, version);
  return status;
}

static am_status read_options(am_context *ctx, am_h5 *file, am_feature_options *out, am_error *err) {
  am_tree *tree = NULL;
  am_value *map = NULL;
  char *text = NULL;
  am_status status = am_h5_read_text(file, "features", &text, err);
  if (!status) status = am_tree_create(ctx, &tree, err);
  if (!status) am_tree_set_stored(tree);
  if (!status) status = am_yaml_read_text(tree, text, strlen(text), am_h5_path(file), &map, err);
  if (!status) status = am_options_read(tree, am_feature_table, map, "features", out, err);
  if (status == AM_E_CONFIG && err) err->status = status = AM_E_FORMAT;
  am_tree_free(tree);
  am_free(ctx, text);
  return status;
}

/* A key that its own settings do not have is that of an older or newer audiomood, whose features have other numbers. */
static am_status check_key(am_context *ctx, am_h5 *file, const am_feature_options *o, am_error *err) {
  int64_t key;
  char *creator = NULL;
  am_status status = am_h5_get_int(file, "features", "key", &key, err);
  if (status || (uint64_t)key == am_feature_key(o)) return status;
  status = am_h5_get_text(file, "/", "creator", &creator, err);
  if (!status)
    status = am_fail(err, AM_E_FORMAT,
                     "%s: made by %s, whose features are not those of audiomood %s; make the profile anew from the "
                     "recordings",
                     am_h5_path(file), creator, am_version());
  am_free(ctx, creator);
  return status;
}

static am_status read_array(am_h5 *file, const char *name, int f, double *out, am_error *err) {
  am_h5_info info;
  if (am_h5_find(file, name) != AM_H5_ARRAY)
    return am_fail(err, AM_E_FORMAT, "%s: the array %s is missing", am_h5_path(file), name);
  am_status status = am_h5_get_info(file, name, &info, err);
  if (!status && (info.type != AM_H5_F64 || info.rank != 1 || info.dims[0] != (size_t)f))
    status = am_fail(err, AM_E_FORMAT, "%s: %s is not one row of %d float64", am_h5_path(file), name, f);
  return status ? status : am_h5_read(file, name, AM_H5_F64, out, (size_t)f, err);
}

static am_status read_statistics(am_h5 *file, am_profile *p, am_error *err) {
  int64_t frames = 0, bins = 0;
  am_norm_stats *s = &p->stats;
  am_status status = am_h5_get_int(file, "statistics", "frames", &frames, err);
  if (!status) status = am_h5_get_int(file, "statistics", "bins", &bins, err);
  if (!status && bins != s->f)
    status = am_fail(err, AM_E_FORMAT, "%s: it has %lld bins, and its features have %d", am_h5_path(file),
                     (long long)bins, s->f);
  if (!status) status = am_h5_get_real(file, "/", "seconds", &p->seconds, err);
  if (!status) status = read_array(file, "statistics/mean", s->f, s->mean, err);
  if (!status) status = read_array(file, "statistics/squares", s->f, s->m2, err);
  s->count = (double)frames;
  return status ? status : check_numbers(p, AM_E_FORMAT, am_h5_path(file), err);
}

static am_status read_name(am_h5 *file, am_profile *p, am_error *err) {
  char *name = NULL;
  if (!am_h5_has(file, "/", "name")) return AM_OK;
  am_status status = am_h5_get_text(file, "/", "name", &name, err);
  if (!status && (strlen(name) > AM_PROFILE_NAME || am_utf8_wrong(name)))
    status =
        am_fail(err, AM_E_FORMAT, "%s: its name is not UTF-8 of at most %d bytes", am_h5_path(file), AM_PROFILE_NAME);
  if (!status) status = am_profile_rename(p, name, err);
  am_free(p->ctx, name);
  return status;
}

static am_status read_part(am_context *ctx, am_h5 *file, am_profile **out, am_error *err) {
  am_feature_options options;
  am_status status = read_options(ctx, file, &options, err);
  if (!status) status = check_key(ctx, file, &options, err);
  if (!status) status = am_profile_create(ctx, &options, out, err);
  return status ? status : read_statistics(file, *out, err);
}

static am_status read_more(am_context *ctx, am_h5 *file, am_profile *p, am_error *err) {
  char group[32];
  am_names names;
  if (am_h5_find(file, "more") != AM_H5_GROUP) return AM_OK;
  am_status status = am_h5_children(file, "more", &names, err);
  if (status) return status;
  const size_t n = names.n;
  am_names_free(ctx, &names);
  if (n > AM_PROFILE_PARTS)
    return am_fail(err, AM_E_FORMAT, "%s: it is of %zu kinds of features, wanted at most %d", am_h5_path(file), n + 1,
                   AM_PROFILE_PARTS + 1);
  for (size_t i = 0; i < n && !status; i++, p = p->more) {
    status = am_h5_within(file, part_name(i, group), err);
    if (!status) status = read_part(ctx, file, &p->more, err);
    am_status back = am_h5_within(file, "/", status ? NULL : err);
    if (!status) status = back;
  }
  return status;
}

static am_status read_all(am_context *ctx, am_h5 *file, am_profile **out, am_error *err) {
  am_status status = check_format(ctx, file, am_h5_path(file), err);
  if (!status) status = check_version(ctx, file, am_h5_path(file), err);
  if (!status) status = read_part(ctx, file, out, err);
  if (!status) status = read_more(ctx, file, *out, err);
  if (!status) status = read_name(file, *out, err);
  if (!status && !((*out)->path = am_strdup(ctx, am_h5_path(file)))) status = am_no_memory(err);
  return status;
}

am_status am_profile_load(am_context *ctx, const char *path, am_profile **out, am_error *err) {
  am_h5 *file;
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, path);
  if (!status) status = am_h5_open(ctx, path, AM_H5_UNTRUSTED, &file, err);
  if (status) return status;
  status = read_all(ctx, file, out, err);
  am_h5_close(file);
  if (!status) return AM_OK;
  am_profile_free(*out);
  *out = NULL;
  return status;
}
