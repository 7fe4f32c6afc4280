/* SPDX-License-Identifier: MIT */
/* model/fusion_file.c - the file of a fused model: whole checkpoints side by side, and how they become one.
 *
 *   /           format, version, creator, title, licence, attribution, labels, temperature, as of any checkpoint
 *   members/0   a whole checkpoint each, without `training`
 *   fusion      attribute `by`; weights (members), float64; speakers, text, when they were fitted to clips; for a voice that is
 *               known the attribute known_temperature, known_weights (members) and known_thresholds (K), when there is such a set */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/checkpoint_inside.h"
#include "model/fusion.h"
#include "model/origin.h"

/* ---- writing ---- */

static bool counts(const am_fusion *f, size_t i) {
  return f->any.weights[i] > 0 || (f->known && f->known->weights[i] > 0);
}

/* Adds whom the member has to name. */
static am_status write_member(am_context *ctx, am_h5 *to, const char *path, size_t i, am_credit *all, am_error *err) {
  char group[64], training[80];
  am_origin origin = {0};
  am_h5 *from;
  snprintf(group, sizeof group, "members/%zu", i);
  snprintf(training, sizeof training, "%s/training", group);
  am_status status = am_checkpoint_open(ctx, path, &from, err);
  if (status) return status;
  status = am_h5_copy(from, to, group, err);
  if (!status && am_h5_find(to, training) != AM_H5_NOTHING) status = am_h5_delete(to, training, err);
  if (!status) status = am_checkpoint_origin(ctx, from, &origin, err);
  if (!status) status = am_credit_join(ctx, all, origin.credit.licence, origin.credit.attribution, err);
  am_origin_free(ctx, &origin);
  am_h5_close(from);
  return status;
}

static am_status write_speakers(am_context *ctx, am_h5 *file, const am_names *speakers, am_error *err) {
  am_buffer text = {0};
  for (size_t i = 0; i < speakers->n; i++) am_buffer_printf(ctx, &text, "%s%s", i ? "\n" : "", speakers->at[i]);
  am_status status =
      text.failed ? am_no_memory(err) : am_h5_write_text(file, "fusion/speakers", text.data ? text.data : "", err);
  am_buffer_free(ctx, &text);
  return status;
}

/* Weights of the members that are kept. */
static am_status write_weights(am_h5 *file, const am_fusion *f, const char *name, const double *weights,
                               am_error *err) {
  double kept[AM_MOST_MEMBERS];
  size_t n = 0;
  for (size_t i = 0; i < f->n; i++)
    if (counts(f, i)) kept[n++] = weights[i];
  return am_h5_write(file, name, AM_H5_F64, 1, &n, kept, err);
}

static am_status write_sets(am_h5 *file, const am_fusion *f, am_error *err) {
  const size_t classes = (size_t)f->classes;
  am_status status = am_h5_set_real(file, "/", "temperature", f->any.temperature, err);
  if (!status) status = write_weights(file, f, "fusion/weights", f->any.weights, err);
  if (!status) status = am_checkpoint_write_thresholds(file, "thresholds", &f->any.thresholds, classes, err);
  if (status || !f->known) return status;
  status = write_weights(file, f, "fusion/known_weights", f->known->weights, err);
  if (!status) status = am_h5_set_real(file, "fusion", "known_temperature", f->known->temperature, err);
  if (status) return status;
  return am_checkpoint_write_thresholds(file, "fusion/known_thresholds", &f->known->thresholds, classes, err);
}

static am_status write_fusion(am_context *ctx, am_h5 *file, const am_fusion *f, am_error *err) {
  char creator[64];
  am_credit all = {0};
  size_t n = 0;
  snprintf(creator, sizeof creator, "audiomood %s", am_version());
  am_status status = am_h5_set_text(file, "/", "format", AM_CHECKPOINT_FORMAT, err);
  if (!status) status = am_checkpoint_write_target(file, f->scale, f->classes, err);
  if (!status) status = am_h5_set_text(file, "/", "creator", creator, err);
  if (!status) status = am_h5_set_texts(file, "/", "labels", (const char *const *)f->labels, (size_t)f->classes, err);
  for (size_t i = 0; i < f->n && !status; i++)
    if (counts(f, i)) status = write_member(ctx, file, f->files[i], n++, &all, err);
  if (!status) status = am_h5_set_text(file, "/", "title", f->title, err);
  if (!status) status = am_h5_set_text(file, "/", "licence", all.licence ? all.licence : "", err);
  if (!status) status = am_h5_set_text(file, "/", "attribution", all.attribution ? all.attribution : "", err);
  am_credit_free(ctx, &all);
  if (!status) status = write_sets(file, f, err);
  if (!status) status = am_h5_set_text(file, "fusion", "by", f->by, err);
  return status || !f->speakers ? status : write_speakers(ctx, file, f->speakers, err);
}

am_status am_fusion_save(am_context *ctx, const char *path, const am_fusion *f, am_error *err) {
  am_h5 *file;
  am_checkpoint *read = NULL;
  if (f->n > AM_MOST_MEMBERS)
    return am_fail(err, AM_E_USAGE, "%zu models; a fused one has at most %d", f->n, (int)AM_MOST_MEMBERS);
  am_status status = am_h5_create_aside(ctx, path, &file, err);
  if (status) return status;
  am_h5_is_given(file);
  status = write_fusion(ctx, file, f, err);
  if (status) {
    am_h5_close(file);
    return status;
  }
  status = am_h5_commit(file, err);
  if (!status) status = am_checkpoint_verify(ctx, path, err);
  if (!status) status = am_checkpoint_load(ctx, path, &read, err);
  am_checkpoint_free(read);
  return status;
}

/* ---- reading ---- */

static am_status read_into(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  am_checkpoint *m = am_alloc(ctx, 1, sizeof *m);
  if (!m) return am_no_memory(err);
  m->ctx = ctx;
  c->members[c->n_members++] = m;
  if (am_h5_find(file, "members") == AM_H5_GROUP)
    return am_fail(err, AM_E_FORMAT, "%s: it has members of its own", am_h5_path(file));
  am_status status = am_checkpoint_check_head(ctx, file, err);
  return status ? status : am_checkpoint_read(ctx, file, m, err);
}

static am_status read_member(am_context *ctx, am_h5 *file, size_t i, am_checkpoint *c, am_error *err) {
  char group[64];
  snprintf(group, sizeof group, "members/%zu", i);
  am_status status = am_h5_within(file, group, err);
  if (!status) status = read_into(ctx, file, c, err);
  am_status back = am_h5_within(file, "/", NULL);
  if (status) (void)am_error_prefix(err, "member %zu", i + 1);
  return status ? status : back;
}

static am_status read_members(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  am_names names;
  am_status status = am_h5_children(file, "members", &names, err);
  if (status) return status;
  const size_t n = names.n;
  am_names_free(ctx, &names);
  if (!n || n > AM_MOST_MEMBERS)
    return am_fail(err, AM_E_FORMAT, "%s: %zu members, wanted 1 to %d", am_h5_path(file), n, (int)AM_MOST_MEMBERS);
  c->members = am_alloc(ctx, n, sizeof *c->members);
  if (!c->members) return am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) status = read_member(ctx, file, i, c, err);
  return status;
}

static am_status read_weights(am_h5 *file, const char *name, const am_checkpoint *c, am_fusion_set *out,
                              am_error *err) {
  am_h5_info info;
  double sum = 0;
  const char *path = am_h5_path(file);
  if (!(out->weights = am_alloc(c->ctx, c->n_members, sizeof *out->weights))) return am_no_memory(err);
  am_status status = am_h5_get_info(file, name, &info, err);
  if (!status && (info.rank != 1 || info.dims[0] != c->n_members))
    status = am_fail(err, AM_E_FORMAT, "%s: %s is not one row of %zu, a weight a member", path, name, c->n_members);
  if (!status) status = am_h5_read(file, name, AM_H5_F64, out->weights, c->n_members, err);
  for (size_t i = 0; i < c->n_members && !status; i++) {
    sum += out->weights[i];
    if (!(out->weights[i] >= 0 && out->weights[i] <= 1))
      status =
          am_fail(err, AM_E_FORMAT, "%s: member %zu has the weight %g, wanted 0 to 1", path, i + 1, out->weights[i]);
  }
  if (!status && !(fabs(sum - 1) < 1e-6))
    status = am_fail(err, AM_E_FORMAT, "%s: its weights sum to %g, wanted 1", path, sum);
  return status;
}

static am_status read_first(am_h5 *file, am_checkpoint *c, am_error *err) {
  am_status status = read_weights(file, "fusion/weights", c, &c->any, err);
  if (!status) status = am_h5_get_real(file, "/", "temperature", &c->any.temperature, err);
  if (!status) status = am_checkpoint_check_temperature(am_h5_path(file), c->any.temperature, err);
  if (status) return status;
  return am_checkpoint_read_thresholds(file, "thresholds", c->classes, &c->any.thresholds, err);
}

/* Files before version 1.5 have none. */
static am_status read_known(am_h5 *file, am_checkpoint *c, am_error *err) {
  if (am_h5_find(file, "fusion/known_weights") != AM_H5_ARRAY) return AM_OK;
  if (!(c->known = am_alloc(c->ctx, 1, sizeof *c->known))) return am_no_memory(err);
  am_status status = read_weights(file, "fusion/known_weights", c, c->known, err);
  if (!status) status = am_h5_get_real(file, "fusion", "known_temperature", &c->known->temperature, err);
  if (!status) status = am_checkpoint_check_temperature(am_h5_path(file), c->known->temperature, err);
  if (status) return status;
  return am_checkpoint_read_thresholds(file, "fusion/known_thresholds", c->classes, &c->known->thresholds, err);
}

/* Each member has a part in some set; with two, those that normalise by speaker have none in the first, and one in the second. */
static am_status check_sets(const char *path, const am_checkpoint *c, am_error *err) {
  bool any = false;
  for (size_t i = 0; i < c->n_members; i++) {
    const double w = c->any.weights[i], known = c->known ? c->known->weights[i] : 0;
    const bool by_speaker = c->members[i]->normaliser.kind == AM_NORMALISE_SPEAKER;
    if (!(w > 0 || known > 0))
      return am_fail(err, AM_E_FORMAT, "%s: member %zu has the weight 0, wanted more than 0, and at most 1", path,
                     i + 1);
    if (c->known && by_speaker && w > 0)
      return am_fail(
          err, AM_E_FORMAT,
          "%s: member %zu normalises by speaker, and has the weight %g where the voice is not known; wanted 0", path,
          i + 1, w);
    any |= by_speaker && known > 0;
  }
  if (any || !c->known) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: it has weights for a voice that is known, and no member normalises by speaker",
                 path);
}

/* All members name the classes, or dimensions, that the file names. */
static am_status check_labels(const char *path, am_checkpoint *c, am_error *err) {
  c->values = c->members[0]->values;
  c->scale = c->members[0]->scale; /* which lives as long */
  for (size_t i = 0; i < c->n_members; i++) {
    const am_checkpoint *m = c->members[i];
    bool same = m->classes == c->classes && m->values == c->values;
    for (int k = 0; k < c->classes && same; k++) same = !strcmp(m->labels[k], c->labels[k]);
    if (!same)
      return am_fail(err, AM_E_FORMAT, "%s: member %zu has other classes (%s, ... of %d) than the file (%s, ... of %d)",
                     path, i + 1, m->labels[0], m->classes, c->labels[0], c->classes);
    if (c->values && !am_scales_equal(m->scale, c->scale, c->classes))
      return am_fail(err, AM_E_FORMAT, "%s: member %zu is on another scale than the first", path, i + 1);
  }
  return AM_OK;
}

static am_status keep(am_checkpoint *c, const char *text, const char **out, am_error *err) {
  *out = am_tree_string(c->config->tree, text ? text : "");
  return *out ? AM_OK : am_no_memory(err);
}

/* The corpora of all: "ravdess; nemo". */
static am_status join_corpora(am_checkpoint *c, am_error *err) {
  am_context *ctx = c->ctx;
  am_buffer text = {0};
  am_status status = AM_OK;
  for (size_t i = 0; i < c->n_members && !status; i++)
    status = am_credit_add(ctx, &text, c->members[i]->corpus, AM_LICENCE_GAP, err);
  if (!status) status = keep(c, text.data, &c->corpus, err);
  am_buffer_free(ctx, &text);
  return status;
}

static am_status join_credits(am_h5 *file, am_checkpoint *c, am_error *err) {
  am_context *ctx = c->ctx;
  am_credit all = {0};
  char *title = NULL;
  am_status status = AM_OK;
  for (size_t i = 0; i < c->n_members && !status; i++)
    status = am_credit_join(ctx, &all, c->members[i]->licence, c->members[i]->attribution, err);
  if (!status && am_h5_has(file, "/", "title")) status = am_h5_get_text(file, "/", "title", &title, err);
  if (!status) status = keep(c, title ? title : c->members[0]->title, &c->title, err);
  if (!status) status = keep(c, all.licence, &c->licence, err);
  if (!status) status = keep(c, all.attribution, &c->attribution, err);
  am_credit_free(ctx, &all);
  am_free(ctx, title);
  return status;
}

static am_status take_origins(am_h5 *file, am_checkpoint *c, am_error *err) {
  am_context *ctx = c->ctx;
  am_status status = AM_OK;
  c->config = c->members[0]->config;
  c->digest = c->members[0]->digest;
  c->speaker_independent = true;
  for (size_t i = 0; i < c->n_members && !status; i++) {
    const am_checkpoint *m = c->members[i];
    if (m->digest != c->digest) c->digest = 0;
    c->speaker_independent &= m->speaker_independent;
    c->synthetic |= m->synthetic;
    status = am_speakers_join(ctx, &c->seen, &m->seen, err);
    if (!status) status = am_speakers_join(ctx, &c->before, &m->before, err);
  }
  if (!status && am_h5_find(file, "fusion/speakers") == AM_H5_ARRAY) {
    char *text = NULL;
    status = am_h5_read_text(file, "fusion/speakers", &text, err);
    if (!status) status = am_speakers_read(ctx, &c->seen, text, err);
    am_free(ctx, text);
  }
  if (!status) status = join_corpora(c, err);
  return status ? status : join_credits(file, c, err);
}

am_status am_fusion_read(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err) {
  am_status status = read_members(ctx, file, c, err);
  if (!status) status = am_checkpoint_read_labels(ctx, file, c, err);
  if (!status) status = check_labels(am_h5_path(file), c, err);
  if (!status) status = read_first(file, c, err);
  if (!status) status = read_known(file, c, err);
  if (!status) status = check_sets(am_h5_path(file), c, err);
  return status ? status : take_origins(file, c, err);
}
