/* SPDX-License-Identifier: MIT */
/* model/metrics_json.c - metrics as JSON. */
#include <stdio.h>
#include <string.h>

#include "model/enrolment.h"
#include "model/metrics.h"

static void write_pair(am_json *j, const char *key, double low, double high) {
  double pair[2] = {low, high};
  am_json_reals(j, key, pair, 2);
}

static void write_confusion(am_json *j, const am_metrics *m) {
  am_json_open(j, "confusion", '[');
  for (int row = 0; row < m->classes; row++) {
    am_json_open(j, NULL, '[');
    for (int k = 0; k < m->classes; k++) am_json_int(j, NULL, (int64_t)m->confusion[row * m->classes + k]);
    am_json_close(j);
  }
  am_json_close(j);
}

/* "coverage_80": the share, "threshold_80": from which probability on. */
static void write_coverage(am_json *j, const am_metrics *m) {
  am_json_real(j, "aurc", m->aurc);
  for (int i = 0; i < AM_COVERAGES; i++) {
    char key[32];
    snprintf(key, sizeof key, "coverage_%.0f", 100 * m->coverage[i].precision);
    am_json_real(j, key, m->coverage[i].share);
    snprintf(key, sizeof key, "threshold_%.0f", 100 * m->coverage[i].precision);
    am_json_real(j, key, m->coverage[i].threshold);
  }
  const am_answered *a = &m->answered;
  double share, precision;
  if (!a->known) return;
  am_metrics_answered(m, &share, &precision);
  am_json_open(j, "answered", '{');
  if (a->wanted > 0) am_json_real(j, "wanted_precision", a->wanted);
  am_json_int(j, "n", (int64_t)a->given);
  am_json_int(j, "right", (int64_t)a->right);
  am_json_real(j, "coverage", share);
  am_json_real(j, "precision", precision);
  am_json_close(j);
}

static void write_diagnoses(am_json *j, const am_metrics *m) {
  am_json_open(j, "diagnosis", '[');
  for (size_t i = 0; i < m->n_diagnoses; i++) {
    am_json_open(j, NULL, '{');
    am_json_text(j, "kind", m->diagnoses[i].kind);
    am_json_text(j, "text", m->diagnoses[i].text);
    am_json_real(j, "figure", m->diagnoses[i].figure);
    am_json_close(j);
  }
  am_json_close(j);
}

/* Of some clips apart. */
static void write_agreements(am_json *j, const am_metrics *m, const am_agreement *of) {
  am_json_real(j, "ccc", am_agreement_mean(&of->ccc, (size_t)m->dimensions, sizeof *of));
  am_json_open(j, "dimensions", '{');
  for (int k = 0; k < m->dimensions; k++) {
    am_json_open(j, m->dimension[k].name, '{');
    am_json_int(j, "n", (int64_t)of[k].n);
    am_json_real(j, "ccc", of[k].ccc);
    am_json_real(j, "pearson", of[k].pearson);
    am_json_real(j, "rmse", of[k].rmse);
    am_json_real(j, "mae", of[k].mae);
    am_json_close(j);
  }
  am_json_close(j);
}

static void write_shares(am_json *j, double accuracy, double uar, int scored) {
  am_json_real(j, "accuracy", accuracy);
  am_json_real(j, "uar", uar);
  am_json_int(j, "classes_scored", scored);
  am_json_real(j, "chance", 1.0 / scored);
}

static void write_groups(am_json *j, const am_metrics *m) {
  am_json_open(j, "groups", '{');
  for (size_t i = 0; i < m->n_groups; i++) {
    const am_group *g = &m->groups[i];
    if (!i || strcmp(g->trait, g[-1].trait)) am_json_open(j, g->trait, '{');
    am_json_open(j, g->value, '{');
    am_json_int(j, "n", (int64_t)g->n);
    if (g->of) write_agreements(j, m, g->of);
    else write_shares(j, g->accuracy, g->uar, g->scored);
    am_json_close(j);
    if (i + 1 == m->n_groups || strcmp(g->trait, g[1].trait)) am_json_close(j);
  }
  am_json_close(j);
}

static void write_speakers(am_json *j, const am_metrics *m) {
  am_json_open(j, "speakers", '[');
  for (size_t i = 0; i < m->n_speakers; i++) {
    const am_speaker *s = &m->speakers[i];
    am_json_open(j, NULL, '{');
    am_json_text(j, "speaker", s->name);
    am_json_int(j, "n", (int64_t)s->n);
    if (s->of) write_agreements(j, m, s->of);
    else write_shares(j, s->accuracy, s->uar, s->scored);
    am_json_close(j);
  }
  am_json_close(j);
}

static void write_enrolment(am_json *j, const am_enrolment *e) {
  am_json_open(j, "enrolment", '{');
  am_json_int(j, "seed", (int64_t)e->seed);
  am_json_int(j, "clips", (int64_t)e->n_heard);
  am_json_int(j, "speakers", e->speakers);
  am_json_real(j, "seconds", e->mean);
  write_pair(j, "seconds_range", e->least, e->most);
  am_json_close(j);
}

static void write_left_out(am_json *j, const am_left_outs *list) {
  am_json_open(j, "left_out", '[');
  for (size_t i = 0; list && i < list->n; i++) {
    am_json_open(j, NULL, '{');
    am_json_text(j, "reason", list->at[i].reason);
    am_json_int(j, "count", (int64_t)list->at[i].count);
    am_json_text(j, "example", list->at[i].example);
    am_json_close(j);
  }
  am_json_close(j);
}

static void write_classes(am_json *j, const am_metrics *m) {
  am_json_open(j, "labels", '[');
  for (int k = 0; k < m->classes; k++) am_json_text(j, NULL, m->labels[k]);
  am_json_close(j);
  am_json_real(j, "accuracy", m->accuracy);
  am_json_real(j, "uar", m->uar);
  am_json_real(j, "macro_f1", m->macro_f1);
  am_json_int(j, "classes_scored", m->scored);
  am_json_real(j, "chance", am_metrics_chance(m));
  am_json_real(j, "loss", m->loss);
  am_json_real(j, "ece", m->ece);
  write_coverage(j, m);
  am_json_open(j, "interval", '{');
  am_json_text(j, "kind", m->interval);
  am_json_real(j, "level", 0.95);
  write_pair(j, "accuracy", m->low, m->high);
  write_pair(j, "uar", m->uar_low, m->uar_high);
  am_json_close(j);
  am_json_open(j, "per_class", '{');
  for (int k = 0; k < m->classes; k++) {
    am_json_open(j, m->labels[k], '{');
    am_json_real(j, "precision", m->precision[k]);
    am_json_real(j, "recall", m->recall[k]);
    am_json_real(j, "f1", m->f1[k]);
    am_json_int(j, "support", (int64_t)m->support[k]);
    am_json_close(j);
  }
  am_json_close(j);
  write_confusion(j, m);
}

static void write_dimension(am_json *j, const am_dimension *d) {
  am_json_open(j, d->name, '{');
  am_json_int(j, "n", (int64_t)d->is.n);
  am_json_real(j, "ccc", d->is.ccc);
  am_json_real(j, "pearson", d->is.pearson);
  am_json_real(j, "rmse", d->is.rmse);
  am_json_real(j, "mae", d->is.mae);
  am_json_open(j, "interval", '{');
  write_pair(j, "ccc", d->low.ccc, d->high.ccc);
  write_pair(j, "pearson", d->low.pearson, d->high.pearson);
  write_pair(j, "rmse", d->low.rmse, d->high.rmse);
  write_pair(j, "mae", d->low.mae, d->high.mae);
  am_json_close(j);
  am_json_real(j, "true_mean", d->true_mean);
  am_json_real(j, "true_deviation", d->true_deviation);
  am_json_real(j, "predicted_mean", d->mean);
  am_json_real(j, "predicted_deviation", d->deviation);
  am_json_close(j);
}

static void write_dimensions(am_json *j, const am_metrics *m) {
  const char *names[AM_MAX_CLASSES];
  am_scale scales[AM_MAX_CLASSES];
  am_json_real(j, "ccc", m->ccc);
  am_json_open(j, "interval", '{');
  am_json_text(j, "kind", m->interval);
  am_json_real(j, "level", 0.95);
  write_pair(j, "ccc", m->ccc_low, m->ccc_high);
  am_json_close(j);
  if (am_metrics_scales(m, names, scales)) am_scales_put(j, names, scales, m->dimensions);
  am_json_open(j, "dimensions", '{');
  for (int k = 0; k < m->dimensions; k++) write_dimension(j, &m->dimension[k]);
  am_json_close(j);
}

void am_metrics_write(am_json *j, const char *key, const am_metrics *m, const am_protocol *protocol) {
  am_json_open(j, key, '{');
  am_json_int(j, "n", (int64_t)m->n);
  if (m->dimensions) write_dimensions(j, m);
  else write_classes(j, m);
  am_json_text(j, "split", protocol->split);
  am_json_text(j, "corpus", protocol->corpus);
  write_left_out(j, protocol->left_out);
  write_diagnoses(j, m);
  write_groups(j, m);
  write_speakers(j, m);
  if (protocol->models > 1) am_json_int(j, "models", protocol->models);
  am_json_bool(j, "speaker_independent", protocol->speaker_independent);
  am_json_bool(j, "synthetic", protocol->synthetic);
  am_json_bool(j, "transductive", protocol->transductive);
  if (protocol->voices) am_json_text(j, "voices", protocol->voices);
  if (protocol->under) am_json_text(j, "under", protocol->under);
  if (protocol->enrolment) write_enrolment(j, protocol->enrolment);
  if (m->per_utterance) am_metrics_write(j, "per_utterance", m->per_utterance, protocol);
  am_json_close(j);
}

am_status am_metrics_json(am_context *ctx, const am_metrics *m, const am_protocol *protocol, am_buffer *out,
                          am_error *err) {
  am_json j = am_json_begin(ctx, out, 2);
  am_metrics_write(&j, NULL, m, protocol);
  return out->failed ? am_no_memory(err) : AM_OK;
}
