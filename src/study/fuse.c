/* SPDX-License-Identifier: MIT */
/* study/fuse.c - see fuse.h. */
#include "study/fuse.h"

#include <math.h>
#include <string.h>

#include "model/origin.h"
#include "study/held_out.h"

/* All groups on the same clips. */
typedef struct evidence {
  size_t n;
  int classes;
  int *truth;                                 /* (n) */
  double *logs;                               /* (groups,n,K) */
  am_held_out first;                          /* whose clips they are */
  am_names speakers;                          /* of them */
  am_thresholds thresholds, known_thresholds; /* of the fused model */
} evidence;

static am_status add_folder(am_context *ctx, evidence *e, const char *folder, bool crossval, char *const *labels,
                            double *logs, size_t of, am_error *err) {
  am_held_out h;
  const bool is_first = !e->first.ctx;
  am_status status = am_held_out_read(ctx, folder, crossval, false, (const char *const *)labels, e->classes, &h, err);
  if (status) return status;
  if (!is_first) status = am_held_out_same(&e->first, &h, err);
  if (!status) status = am_held_out_check(&h, &e->speakers, err);
  for (size_t i = 0; logs && i < h.n * (size_t)e->classes && !status; i++) logs[i] += h.logs[i] / (double)of;
  if (is_first && !status) e->first = h;
  else am_held_out_free(&h);
  return status;
}

/* The mean logarithms of a group. */
static am_status add_group(am_context *ctx, evidence *e, const am_fuse_group *g, char *const *labels, double *logs,
                           am_error *err) {
  am_status status = AM_OK;
  if (g->crossval) return add_folder(ctx, e, g->crossval, true, labels, logs, 1, err);
  for (size_t i = 0; i < g->n && !status; i++) {
    if (!g->runs[i])
      return am_fail(err, AM_E_USAGE,
                     "%s: a file does not say what it made of its validation part; give its run's folder, the weights, "
                     "or cross-validations",
                     g->files[i]);
    status = add_folder(ctx, e, g->runs[i], false, labels, logs, g->n, err);
  }
  return status;
}

/* The first folder is read once more to know how many clips there are. */
static am_status make_room(am_context *ctx, evidence *e, const am_fuse_job *j, char *const *labels, am_error *err) {
  const am_fuse_group *g = &j->groups[0];
  am_fuse_group one = *g;
  one.n = 1;
  am_status status = add_group(ctx, e, &one, labels, NULL, err);
  if (status) return status;
  e->n = e->first.n;
  if (!e->n) return am_fail(err, AM_E_DATA, "%s: no clip is held out", e->first.folder);
  e->truth = am_alloc(ctx, e->n, sizeof *e->truth);
  e->logs = am_alloc(ctx, am_mul(am_mul(j->n, e->n), (size_t)e->classes), sizeof *e->logs);
  if (!e->truth || !e->logs) return am_no_memory(err);
  for (size_t i = 0; i < e->n; i++) e->truth[i] = e->first.at[i].truth;
  return AM_OK;
}

static am_status score(am_context *ctx, const evidence *e, const double *logs, size_t members, const double *weights,
                       double temperature, char *const *labels, double *loss, double *uar, double precision,
                       am_thresholds *thresholds, am_error *err) {
  const size_t numbers = e->n * (size_t)e->classes;
  double *sum = am_alloc(ctx, numbers, sizeof *sum);
  float *p = am_alloc(ctx, numbers, sizeof *p);
  am_metrics *m = NULL;
  am_status status = sum && p ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < members && !status; i++)
    for (size_t k = 0; k < numbers; k++) sum[k] += weights[i] * logs[i * numbers + k];
  if (!status) {
    am_fusion_softmax(sum, e->n, e->classes, temperature, p);
    status = am_metrics_score(ctx, p, e->truth, e->n, (const char *const *)labels, e->classes, &m, err);
    if (!status && thresholds && precision > 0)
      status = am_thresholds_fit(ctx, p, e->truth, e->n, e->classes, precision, thresholds, err);
  }
  if (!status) {
    *loss = am_fusion_loss(logs, e->truth, members, e->n, e->classes, weights, temperature);
    *uar = m->uar;
  }
  am_metrics_free(m);
  am_free(ctx, sum);
  am_free(ctx, p);
  return status;
}

/* The weights of a set, of the groups that have a part in it. */
typedef struct fitted {
  size_t n, at[AM_MOST_MEMBERS];
  double weights[AM_MOST_MEMBERS], temperature, loss, uar;
} fitted;

static am_status fit_set(am_context *ctx, const evidence *e, fitted *f, char *const *labels, double precision,
                         am_thresholds *thresholds, am_error *err) {
  const size_t numbers = e->n * (size_t)e->classes;
  double *logs = am_alloc(ctx, am_mul(f->n, numbers), sizeof *logs);
  if (!logs) return am_no_memory(err);
  am_status status = AM_OK;
  for (size_t i = 0; i < f->n; i++) memcpy(logs + i * numbers, e->logs + f->at[i] * numbers, numbers * sizeof *logs);
  if (!am_fusion_fit(ctx, logs, e->truth, f->n, e->n, e->classes, f->weights, &f->temperature))
    status = am_fail(err, AM_E_DATA, "nothing that these models say of the %zu clips held out is better than guessing",
                     e->n);
  if (!status)
    status =
        score(ctx, e, logs, f->n, f->weights, f->temperature, labels, &f->loss, &f->uar, precision, thresholds, err);
  am_free(ctx, logs);
  return status;
}

/* Of groups that do not normalise by speaker, for voices that are not known. */
static am_status fit_unknown(am_context *ctx, am_fuse_job *j, evidence *e, char *const *labels, am_error *err) {
  fitted f = {0};
  for (size_t i = 0; i < j->n; i++)
    if (!j->groups[i].by_speaker) f.at[f.n++] = i;
  j->known_loss = j->loss, j->known_uar = j->uar, j->known_temperature = j->temperature;
  e->known_thresholds = e->thresholds;
  am_status status = fit_set(ctx, e, &f, labels, j->precision, &e->thresholds, err);
  for (size_t i = 0; i < j->n; i++) {
    j->groups[i].known_weight = j->groups[i].weight;
    j->groups[i].weight = 0;
  }
  for (size_t i = 0; i < f.n; i++) j->groups[f.at[i]].weight = f.weights[i];
  j->loss = f.loss, j->uar = f.uar, j->temperature = f.temperature;
  j->two_sets = true;
  return status;
}

static am_status fit(am_context *ctx, am_fuse_job *j, evidence *e, char *const *labels, am_error *err) {
  const size_t numbers = e->n * (size_t)e->classes;
  static const double whole = 1;
  fitted f = {.n = j->n};
  bool useful = false, others = false;
  for (size_t i = 0; i < j->n; i++) f.at[i] = i;
  am_status status = fit_set(ctx, e, &f, labels, j->precision, &e->thresholds, err);
  j->temperature = f.temperature, j->loss = f.loss, j->uar = f.uar, j->clips = e->n;
  for (size_t i = 0; i < j->n && !status; i++) {
    am_fuse_group *g = &j->groups[i];
    g->weight = f.weights[i];
    useful |= g->by_speaker && g->weight > 0;
    others |= !g->by_speaker;
    status = score(ctx, e, e->logs + i * numbers, 1, &whole, 1, labels, &g->loss, &g->uar, 0, NULL, err);
  }
  return !status && useful && others ? fit_unknown(ctx, j, e, labels, err) : status;
}

static am_status weigh(am_context *ctx, am_fuse_job *j, evidence *e, char *const *labels, am_error *err) {
  am_status status = make_room(ctx, e, j, labels, err);
  for (size_t i = 0; i < j->n && !status; i++)
    status = add_group(ctx, e, &j->groups[i], labels, e->logs + i * e->n * (size_t)e->classes, err);
  return status ? status : fit(ctx, j, e, labels, err);
}

static am_status check_sum(const am_fuse_job *j, bool known, am_error *err) {
  double sum = 0;
  for (size_t i = 0; i < j->n; i++) {
    const double w = known ? j->groups[i].known_weight : j->groups[i].weight;
    if (!(w >= 0 && w <= 1))
      return am_fail(err, AM_E_USAGE, "%s: a weight of %g; wanted 0 to 1", j->groups[i].given, w);
    sum += w;
  }
  if (fabs(sum - 1) < 1e-3) return AM_OK;
  return am_fail(err, AM_E_USAGE, "the weights%s sum to %g; wanted 1", known ? " for a voice that is known" : "", sum);
}

static am_status check_weights(const am_fuse_job *j, am_error *err) {
  bool useful = false;
  am_status status = check_sum(j, false, err);
  if (status || !j->two_sets) return status;
  for (size_t i = 0; i < j->n; i++) {
    const am_fuse_group *g = &j->groups[i];
    useful |= g->by_speaker && g->known_weight > 0;
    if (g->by_speaker && g->weight > 0)
      return am_fail(err, AM_E_USAGE,
                     "%s: normalises by speaker; its weight for a voice that is not known is %g, wanted 0", g->given,
                     g->weight);
  }
  if (!useful)
    return am_fail(
        err, AM_E_USAGE,
        "weights for a voice that is known are given, and no model with such a weight normalises by speaker");
  return check_sum(j, true, err);
}

static am_status check_members(const am_fuse_job *j, am_error *err) {
  size_t members = 0;
  for (size_t i = 0; i < j->n; i++) members += j->groups[i].n;
  if (!members || members > AM_MOST_MEMBERS)
    return am_fail(err, AM_E_USAGE, "%zu models; wanted 1 to %d", members, (int)AM_MOST_MEMBERS);
  return AM_OK;
}

/* Whatever their weights, they are to be one model.  Notes which groups normalise by speaker. */
static am_status check_models(am_context *ctx, am_fuse_job *j, const am_checkpoint *first, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < j->n && !status; i++)
    for (size_t k = 0; k < j->groups[i].n && !status; k++) {
      const char *path = j->groups[i].files[k];
      am_checkpoint *c;
      status = am_checkpoint_load(ctx, path, &c, err);
      if (status) break;
      bool same = c->classes == first->classes && c->values == first->values;
      for (int l = 0; l < c->classes && same; l++) same = !strcmp(c->labels[l], first->labels[l]);
      if (c->n_members)
        status = am_fail(err, AM_E_USAGE, "%s: is fused already; give the runs that it was made of", path);
      else if (!same)
        status = am_fail(err, AM_E_USAGE, "%s: it has other classes (%s, ... of %d) than %s (%s, ... of %d)", path,
                         c->labels[0], c->classes, j->groups[0].files[0], first->labels[0], first->classes);
      else if (c->values && !am_scales_equal(c->scale, first->scale, c->classes))
        status = am_fail(err, AM_E_USAGE, "%s: it is on another scale than %s", path, j->groups[0].files[0]);
      j->groups[i].by_speaker |= am_checkpoint_wants_speaker(c);
      am_checkpoint_free(c);
    }
  return status;
}

/* A weight of each member: those of a group share its own. */
static void share(const am_fuse_job *j, bool known, double *weights) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < j->n; i++) sum += known ? j->groups[i].known_weight : j->groups[i].weight;
  for (size_t i = 0; i < j->n; i++)
    for (size_t k = 0; k < j->groups[i].n; k++)
      weights[n++] = (known ? j->groups[i].known_weight : j->groups[i].weight) / sum / (double)j->groups[i].n;
}

static am_status save(am_context *ctx, const am_fuse_job *j, const evidence *e, const am_checkpoint *first,
                      am_error *err) {
  const char *files[AM_MOST_MEMBERS];
  double weights[AM_MOST_MEMBERS], known_weights[AM_MOST_MEMBERS];
  const am_fusion_set known = {
      .weights = known_weights, .temperature = j->known_temperature, .thresholds = e->known_thresholds};
  am_fusion f = {.files = files,
                 .any = {.weights = weights, .temperature = j->temperature, .thresholds = e->thresholds},
                 .known = j->two_sets ? &known : NULL,
                 .labels = first->labels,
                 .classes = first->classes,
                 .scale = first->values ? first->scale : NULL,
                 .title = first->title,
                 .by = j->given                ? "given"
                       : j->groups[0].crossval ? "out of fold"
                                               : "validation",
                 .speakers = j->given ? NULL : &e->speakers};
  share(j, false, weights);
  if (j->two_sets) share(j, true, known_weights);
  for (size_t i = 0; i < j->n; i++)
    for (size_t k = 0; k < j->groups[i].n; k++) files[f.n++] = j->groups[i].files[k];
  return am_fusion_save(ctx, j->out, &f, err);
}

/* What is fitted, or divided, is of probabilities. */
static am_status weigh_values(am_fuse_job *j, const am_checkpoint *first, am_error *err) {
  const bool divided = j->given && (j->temperature != 1 || (j->two_sets && j->known_temperature != 1));
  const char *what = j->precision > 0        ? "a wanted precision"
                     : j->groups[0].crossval ? "weights that are fitted"
                     : divided               ? "a temperature"
                                             : NULL;
  if (what)
    return am_fail(err, AM_E_USAGE,
                   "%s: it tells values of dimensions (%s, ...), and %s is of emotions; values are the mean of the "
                   "models', by weights that are given or equal",
                   j->groups[0].given, first->labels[0], what);
  for (size_t i = 0; i < j->n && !j->given; i++) j->groups[i].weight = 1 / (double)j->n;
  j->given = j->values = true;
  j->temperature = 1;
  return AM_OK;
}

am_status am_fuse(am_context *ctx, am_fuse_job *j, am_error *err) {
  evidence e = {0};
  am_checkpoint *first = NULL;
  am_status status = check_members(j, err);
  if (!status) status = am_checkpoint_load(ctx, j->groups[0].files[0], &first, err);
  if (!status && first->values) status = weigh_values(j, first, err);
  if (!status) status = check_models(ctx, j, first, err);
  if (!status && j->given) status = check_weights(j, err);
  if (!status) e.classes = first->classes;
  if (!status && !j->given) status = weigh(ctx, j, &e, first->labels, err);
  if (!status) status = save(ctx, j, &e, first, err);
  am_held_out_free(&e.first);
  am_names_free(ctx, &e.speakers);
  am_free(ctx, e.truth);
  am_free(ctx, e.logs);
  am_checkpoint_free(first);
  return status;
}
