/* SPDX-License-Identifier: MIT */
/* model/evaluate.c - probabilities of clips. */
#include "model/evaluate.h"

#include <string.h>

#include "model/calibration.h"
#include "ranks/ranks.h"

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
    status = am_session_forward(session, &batch, false, err);
    if (status) break;
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

static am_status run_clips(am_context *ctx, const am_model *model, am_session *session, int batch,
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

/* Of several processes each has some clips that follow one another, and all get the logits of all.  They stop together. */
static am_status share_clips(am_context *ctx, const am_model *model, am_session *session, int batch,
                             const am_source *source, const uint32_t *clips, size_t n, const char *task, float *logits,
                             am_error *err) {
  am_ranks *ranks = am_context_ranks(ctx);
  const size_t rank = (size_t)am_ranks_rank(ranks), size = (size_t)am_ranks_size(ranks);
  const size_t first = n * rank / size, count = n * (rank + 1) / size - first,
               classes = (size_t)am_model_output(model).c;
  am_status status =
      run_clips(ctx, model, session, batch, source, clips + first, count, task, logits + first * classes, err);
  bool stopping = status == AM_E_STOPPED;
  if (status && !stopping) return status;
  status = am_ranks_any(ranks, &stopping, err);
  if (!status && stopping) status = am_fail(err, AM_E_STOPPED, "stopped while evaluating");
  if (status) return status;
  void *all = NULL;
  size_t *ends = am_alloc(ctx, size, sizeof *ends);
  if (!ends) return am_no_memory(err);
  status = am_ranks_gather(ranks, ctx, logits + first * classes, count * classes * sizeof *logits, &all, ends, err);
  if (!status) memcpy(logits, all, ends[size - 1]);
  am_free(ctx, all);
  am_free(ctx, ends);
  return status;
}

am_status am_evaluate_logits(am_context *ctx, const am_model *model, am_session *session, int batch,
                             const am_source *source, const uint32_t *clips, size_t n, const char *task, float *logits,
                             am_error *err) {
  am_status (*const run)(am_context *, const am_model *, am_session *, int, const am_source *, const uint32_t *, size_t,
                         const char *, float *, am_error *) = am_context_ranks(ctx) ? share_clips : run_clips;
  return run(ctx, model, session, batch, source, clips, n, task, logits, err);
}

/* A checkpoint may meet features that its model was not made for when the caller built the store otherwise. */
static am_status check_bins(const am_checkpoint *c, const am_store *store, am_error *err) {
  int bins = c->input.f * c->input.c;
  if (am_store_bins(store) == bins) return AM_OK;
  return am_fail(err, AM_E_SHAPE,
                 "the features have %d bins, the model wants %d; compute them with the checkpoint's own "
                 "settings",
                 am_store_bins(store), bins);
}

/* `fitted` NULL: the model's own normaliser. */
static am_status evaluate(am_context *ctx, am_checkpoint *c, const am_dataset *d, const am_store *store,
                          const am_normaliser *fitted, const uint32_t *clips, size_t n, float *probabilities,
                          am_error *err) {
  am_status status = check_bins(c, store, err);
  if (status) return status;
  int batch = (int)c->config->train.batch;
  am_features *fx = NULL;
  am_session *session = NULL;
  status = am_features_create(ctx, &c->config->features, &fx, err);
  if (!status) status = am_session_create(c->model, batch, false, &session, err);
  if (!status) {
    size_t cut = am_evaluate_cut(c->model, store, clips, n);
    if (cut)
      am_log(ctx, AM_LOG_WARNING, "%zu of %zu clips %s longer than the model's %d frames; only %s start is heard", cut,
             n, am_count(cut, "is", "are"), c->input.t, am_count(cut, "its", "their"));
    am_source source = {d, store, fx, fitted ? fitted : &c->normaliser};
    status = am_evaluate_logits(ctx, c->model, session, batch, &source, clips, n, "evaluate", probabilities, err);
  }
  if (!status) am_checkpoint_answer(c, probabilities, (int)n, probabilities);
  if (session) am_session_free(session);
  if (fx) am_features_free(fx);
  return status;
}

am_status am_evaluate(am_context *ctx, am_checkpoint *c, const am_dataset *d, const am_store *store,
                      const uint32_t *clips, size_t n, float *probabilities, am_error *err) {
  am_normaliser fitted = {0}; /* of speakers or corpora: from the very clips at hand; why results say transductive */
  if (!am_normalise_transductive(c->normaliser.kind))
    return evaluate(ctx, c, d, store, NULL, clips, n, probabilities, err);
  am_status status = check_bins(c, store, err);
  if (!status) status = am_normaliser_fit(ctx, store, d, &c->config->features, NULL, 0, &fitted, err);
  if (!status) status = evaluate(ctx, c, d, store, &fitted, clips, n, probabilities, err);
  am_normaliser_free(ctx, &fitted);
  return status;
}

am_status am_evaluate_enrolled(am_context *ctx, am_checkpoint *c, const am_dataset *d, const am_store *store,
                               const uint32_t *heard, size_t n_heard, const uint32_t *clips, size_t n,
                               float *probabilities, am_error *err) {
  am_normaliser fitted = {0};
  am_status status = check_bins(c, store, err);
  if (!status)
    status =
        am_normaliser_enrol(ctx, store, d, &c->config->features, &c->normaliser.training, heard, n_heard, &fitted, err);
  if (!status) status = evaluate(ctx, c, d, store, &fitted, clips, n, probabilities, err);
  am_normaliser_free(ctx, &fitted);
  return status;
}
