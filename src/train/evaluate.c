/* train/evaluate.c - probabilities of clips, of single sounds, and their metrics as JSON. */
#include "train/evaluate.h"

#include <math.h>
#include <string.h>

/* ---- clips ---- */

size_t am_evaluate_cut(const am_model *model, const am_store *store, const uint32_t *clips, size_t n) {
  size_t cut = 0;
  for (size_t i = 0; i < n; i++) cut += am_store_frames(store, clips[i]) > am_model_input(model).t;
  return cut;
}

static am_status run_batches(am_context *ctx, const am_model *model, am_session *session, am_loader *loader, size_t n,
                             const char *task, float *logits, am_error *err) {
  size_t done = 0, classes = (size_t)am_model_output(model).c;
  am_progress progress = {.size = sizeof progress, .task = task, .unit = "clips", .total = n};
  double begun = am_now(), told = begun;
  am_status status = am_loader_start(loader, 0, 0, err);
  while (!status && done < n) {
    const am_loader_batch *b;
    status = am_loader_next(loader, &b, err);
    if (status || !b) break;
    am_batch batch = {.size = sizeof batch, .n = b->n, .x = b->x};
    if (am_model_input(model).variable) batch.lengths = b->lengths;
    am_session_forward(session, &batch, false);
    memcpy(logits + done * classes, am_session_output(session), (size_t)b->n * classes * sizeof *logits);
    done += (size_t)b->n;
    progress.done = done;
    progress.seconds = am_now() - begun;
    if (am_now() - told > 0.1) am_progress_emit(ctx, &progress), told = am_now();
    if (am_context_stopping(ctx) && done < n) status = am_fail(err, AM_E_STOPPED, "stopped while evaluating");
  }
  progress.finished = true;
  am_progress_emit(ctx, &progress);
  return status;
}

am_status am_evaluate_logits(am_context *ctx, const am_model *model, am_session *session, int batch,
                             const am_source *source, const uint32_t *clips, size_t n, const char *task, float *logits,
                             am_error *err) {
  if (!n) return AM_OK;
  static const am_augment_options no_augment;
  am_loader_options options = {.batch = batch, .max_frames = am_model_input(model).t};
  am_loader *loader;
  am_status status = am_loader_create(ctx, source->store, source->dataset, source->normaliser, source->fx, &no_augment,
                                      clips, n, &options, &loader, err);
  if (status) return status;
  status = run_batches(ctx, model, session, loader, n, task, logits, err);
  am_loader_free(loader);
  return status;
}

/* A checkpoint may meet features that its model was not made for when the caller built the store otherwise. */
static am_status check_bins(const am_checkpoint *c, const am_store *store, am_error *err) {
  int bins = c->input.f * c->input.c;
  if (am_store_bins(store) == bins) return AM_OK;
  return am_fail(err, AM_E_SHAPE, "the features have %d bins, the model wants %d; compute them with the checkpoint's own "
                 "settings", am_store_bins(store), bins);
}

am_status am_evaluate(am_context *ctx, am_checkpoint *c, const am_dataset *d, const am_store *store,
                      const uint32_t *clips, size_t n, float *probabilities, am_error *err) {
  am_status status = check_bins(c, store, err);
  if (status) return status;
  int batch = (int)c->config->train.batch;
  am_features *fx = NULL;
  am_session *session = NULL;
  am_normaliser fitted = {0}; /* per speaker: from the very clips at hand, which is why results say transductive */
  bool per_speaker = c->normaliser.kind == AM_NORMALISE_SPEAKER;
  status = am_features_create(ctx, &c->config->features, &fx, err);
  if (!status && per_speaker) status = am_normaliser_fit(ctx, store, d, &c->config->features, clips, n, &fitted, err);
  if (!status) status = am_session_create(c->model, batch, false, &session, err);
  if (!status) {
    size_t cut = am_evaluate_cut(c->model, store, clips, n);
    if (cut)
      am_log(ctx, AM_LOG_WARNING, "%zu of %zu clips %s longer than the model's %d frames; only %s start is heard", cut, n,
             am_count(cut, "is", "are"), c->input.t, am_count(cut, "its", "their"));
    am_source source = {d, store, fx, per_speaker ? &fitted : &c->normaliser};
    status = am_evaluate_logits(ctx, c->model, session, batch, &source, clips, n, "evaluate", probabilities, err);
  }
  if (!status) am_softmax_rows(probabilities, (int)n, c->classes, probabilities);
  if (session) am_session_free(session);
  if (fx) am_features_free(fx);
  am_normaliser_free(ctx, &fitted);
  return status;
}

/* ---- one sound ---- */

struct am_predictor {
  am_features *fx;
  am_session *session;
  float *x; /* (T,F) of the model's input */
  bool told; /* that longer sounds are cut */
};

void am_predictor_free(am_context *ctx, am_predictor *p) {
  if (!p) return;
  if (p->session) am_session_free(p->session);
  if (p->fx) am_features_free(p->fx);
  am_free_aligned(ctx, p->x);
  am_free(ctx, p);
}

static am_status predictor_create(am_context *ctx, am_checkpoint *c, am_error *err) {
  am_predictor *p = am_alloc(ctx, 1, sizeof *p);
  if (!p) return am_no_memory(err);
  am_status status = am_features_create(ctx, &c->config->features, &p->fx, err);
  if (!status) status = am_session_create(c->model, 1, false, &p->session, err);
  if (!status && !(p->x = am_alloc_aligned(ctx, am_mul(am_shape_count(c->input), sizeof *p->x)))) status = am_no_memory(err);
  if (status) am_predictor_free(ctx, p);
  else c->predictor = p;
  return status;
}

/* Features of the sound into the model's input, cut or followed by zeros. */
static am_status fill_input(am_context *ctx, am_checkpoint *c, const float *samples, size_t n, int *length,
                            am_error *err) {
  am_predictor *p = c->predictor;
  int room, bins, t, most = c->input.t;
  am_features_shape(p->fx, n, &room, &bins);
  if (bins != c->input.f * c->input.c)
    return am_fail(err, AM_E_SHAPE, "the checkpoint's features have %d bins, its model wants %d", bins,
                   c->input.f * c->input.c);
  float *features = am_alloc_aligned(ctx, am_mul((size_t)room * (size_t)bins, sizeof *features));
  if (!features) return am_no_memory(err);
  am_status status = am_features_compute(p->fx, samples, n, 1, features, &t, err);
  if (!status) {
    am_normaliser_apply(&c->normaliser, 0, features, t);
    *length = t < most ? t : most;
    size_t used = (size_t)*length * (size_t)bins;
    memcpy(p->x, features, used * sizeof *features);
    memset(p->x + used, 0, ((size_t)most * (size_t)bins - used) * sizeof *features);
  }
  am_free_aligned(ctx, features);
  return status;
}

am_status am_predict_heard(am_context *ctx, am_checkpoint *c, const float *samples, size_t n, float *probabilities,
                           am_heard *heard, am_error *err) {
  const double rate = (double)c->config->features.sample_rate;
  *heard = (am_heard){0};
  for (int k = 0; k < c->classes; k++) probabilities[k] = NAN;
  if (!n) return am_fail(err, AM_E_USAGE, "there is no sound to predict from: 0 samples");
  if (c->normaliser.kind == AM_NORMALISE_SPEAKER && !c->normaliser.speaker_mean)
    return am_fail(err, AM_E_USAGE, "this model normalises by speaker: give other sounds of the same speaker by --speaker");
  heard->unheard = am_sound_unheard(samples, n, rate);
  if (heard->unheard) return AM_OK;
  am_status status = c->predictor ? AM_OK : predictor_create(ctx, c, err);
  int length;
  if (!status) status = fill_input(ctx, c, samples, n, &length, err);
  if (status) return status;
  heard->seconds = (double)am_features_heard(c->predictor->fx, samples, n, c->input.t, &heard->cut) / rate;
  am_batch batch = {.size = sizeof batch, .n = 1, .x = c->predictor->x, .lengths = c->input.variable ? &length : NULL};
  am_session_forward(c->predictor->session, &batch, false);
  am_softmax_rows(am_session_output(c->predictor->session), 1, c->classes, probabilities);
  for (int k = 0; k < c->classes; k++)
    if (!isfinite(probabilities[k]))
      return am_fail(err, AM_E_NUMERIC, "the model's output for this sound is not a number");
  return AM_OK;
}

am_status am_predict_sound(am_context *ctx, am_checkpoint *c, const float *samples, size_t n, float *probabilities,
                           am_error *err) {
  am_heard heard;
  am_status status = am_predict_heard(ctx, c, samples, n, probabilities, &heard, err);
  if (status) return status;
  const double seconds = (double)n / (double)c->config->features.sample_rate;
  if (heard.unheard)
    return am_fail(err, AM_E_DATA, "there is nothing to hear in this sound of %.3f s: it is %s", seconds,
                   am_unheard_name(heard.unheard));
  if (heard.cut && !c->predictor->told) {
    am_log(ctx, AM_LOG_WARNING, "a sound of %.1f s is longer than what this model hears; only its start is heard", seconds);
    c->predictor->told = true;
  }
  return AM_OK;
}

/* ---- JSON ---- */

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

static void write_groups(am_json *j, const am_metrics *m) {
  am_json_open(j, "groups", '{');
  for (size_t i = 0; i < m->n_groups; i++) {
    const am_group *g = &m->groups[i];
    if (!i || strcmp(g->trait, g[-1].trait)) am_json_open(j, g->trait, '{');
    am_json_open(j, g->value, '{');
    am_json_int(j, "n", (int64_t)g->n);
    am_json_real(j, "accuracy", g->accuracy);
    am_json_real(j, "uar", g->uar);
    am_json_int(j, "classes_scored", g->scored);
    am_json_real(j, "chance", 1.0 / g->scored);
    am_json_close(j);
    if (i + 1 == m->n_groups || strcmp(g->trait, g[1].trait)) am_json_close(j);
  }
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

void am_metrics_write(am_json *j, const char *key, const am_metrics *m, char *const *labels,
                      const am_protocol *protocol) {
  am_json_open(j, key, '{');
  am_json_int(j, "n", (int64_t)m->n);
  am_json_open(j, "labels", '[');
  for (int k = 0; k < m->classes; k++) am_json_text(j, NULL, labels[k]);
  am_json_close(j);
  am_json_real(j, "accuracy", m->accuracy);
  am_json_real(j, "uar", m->uar);
  am_json_real(j, "macro_f1", m->macro_f1);
  am_json_int(j, "classes_scored", m->scored);
  am_json_real(j, "chance", am_metrics_chance(m));
  am_json_real(j, "loss", m->loss);
  am_json_real(j, "ece", m->ece);
  am_json_open(j, "interval", '{');
  am_json_text(j, "kind", m->interval);
  am_json_real(j, "level", 0.95);
  write_pair(j, "accuracy", m->low, m->high);
  write_pair(j, "uar", m->uar_low, m->uar_high);
  am_json_close(j);
  am_json_open(j, "per_class", '{');
  for (int k = 0; k < m->classes; k++) {
    am_json_open(j, labels[k], '{');
    am_json_real(j, "precision", m->precision[k]);
    am_json_real(j, "recall", m->recall[k]);
    am_json_real(j, "f1", m->f1[k]);
    am_json_int(j, "support", (int64_t)m->support[k]);
    am_json_close(j);
  }
  am_json_close(j);
  write_confusion(j, m);
  am_json_text(j, "split", protocol->split);
  am_json_text(j, "corpus", protocol->corpus);
  write_left_out(j, protocol->left_out);
  write_diagnoses(j, m);
  write_groups(j, m);
  if (protocol->models > 1) am_json_int(j, "models", protocol->models);
  am_json_bool(j, "speaker_independent", protocol->speaker_independent);
  am_json_bool(j, "synthetic", protocol->synthetic);
  am_json_bool(j, "transductive", protocol->transductive);
  if (m->per_utterance)
    am_metrics_write(j, "per_utterance", m->per_utterance, labels, protocol);
  am_json_close(j);
}

am_status am_metrics_json(am_context *ctx, const am_metrics *m, char *const *labels, const am_protocol *protocol,
                          am_buffer *out, am_error *err) {
  am_json j = am_json_begin(ctx, out, 2);
  am_metrics_write(&j, NULL, m, labels, protocol);
  return out->failed ? am_no_memory(err) : AM_OK;
}
