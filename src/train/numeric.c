/* SPDX-License-Identifier: MIT */
/* train/numeric.c - where NaN and infinity came from. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/trainer.h"

/* ---- outputs ---- */

static bool finite_tensor(const am_real *x, am_shape shape, int batch) {
  return !x || am_all_finite(x, (size_t)batch * am_shape_count(shape));
}

/* The first layer whose output is not finite; NULL when all that are kept are. */
static const char *first_bad_output(const am_trainer *t, const am_session *session, int batch) {
  for (size_t i = 0; i < am_model_steps(t->model); i++) {
    const am_step *step = am_model_step(t->model, i);
    if (!finite_tensor(am_session_tensor(session, step->output), step->layer.out, batch)) return step->layer.name;
  }
  return NULL;
}

/* The plan lets tensors share memory and fuses layers, so a batch runs once more in a session that keeps all; NULL
 * without memory for it.  The model has to know until let_go. */
static am_session *keeping_session(am_trainer *t, int batch, bool training) {
  am_session *session = NULL;
  am_model_set_keep(t->model, true);
  if (am_session_create(t->model, batch, training, &session, NULL)) am_model_set_keep(t->model, false);
  return session;
}

static void let_go(am_trainer *t, am_session *session) {
  am_session_free(session);
  am_model_set_keep(t->model, false);
}

static const char *bad_output(am_trainer *t, const am_batch *batch) {
  am_session *session = keeping_session(t, batch->n, true);
  if (!session) return "a layer that there is no memory left to find";
  am_session_forward(session, batch, true, NULL);
  const char *name = first_bad_output(t, session, batch->n);
  let_go(t, session);
  return name ? name : "the loss itself";
}

/* ---- gradients ---- */

static bool belongs_to(const char *array, const char *layer) {
  size_t n = strlen(layer);
  return !strncmp(array, layer, n) && array[n] == '/';
}

/* Whether what the backward pass of one step made, of its inputs and of its weights, is finite. */
static bool finite_step(const am_trainer *t, am_session *session, const am_step *step, int batch) {
  for (int k = 0; k < step->layer.n_in; k++)
    if (step->inputs[k] &&
        !finite_tensor(am_session_tensor_gradient(session, step->inputs[k]), step->layer.in[k], batch))
      return false;
  const am_real *gradients = am_session_gradients(session);
  for (size_t i = 0; i < am_model_weight_count(t->model); i++) {
    am_array_info info = *am_model_weight_info(t->model, i);
    if (belongs_to(info.name, step->layer.name) && !am_all_finite(gradients + info.offset, info.count)) return false;
  }
  return true;
}

/* The first layer, from the loss backwards, whose gradients are not finite. */
static const char *bad_gradient(am_trainer *t, const am_batch *batch, const am_loader_batch *b) {
  am_session *session = keeping_session(t, batch->n, true);
  const char *name = "a layer that there is no memory left to find";
  if (!session) return name;
  name = "the loss itself";
  am_session_zero_gradients(session);
  am_session_forward(session, batch, true, NULL);
  double beside;
  const am_real *logits, *embedding;
  if (am_share_outputs(&t->share, session, t->dembedding != NULL, &logits, &embedding, NULL)) logits = t->dlogits;
  am_trainer_loss(t, b, logits, embedding, &beside);
  if (t->dembedding && !am_all_finite(t->dembedding, t->embedding_bytes / sizeof *t->dembedding)) {
    name = "what train.auxiliary or train.loss.contrastive makes of the last layer's input";
  } else if (am_all_finite(t->dlogits, (size_t)b->n * (size_t)t->classes)) {
    am_trainer_backward(t, session, t->share.first, NULL);
    name = "their sum";
    for (size_t i = am_model_steps(t->model); i-- > 0;) {
      const am_step *step = am_model_step(t->model, i);
      if (finite_step(t, session, step, batch->n)) continue;
      name = step->layer.name;
      break;
    }
  }
  let_go(t, session);
  return name;
}

/* ---- messages ---- */

static am_status fail_numeric(am_trainer *t, uint64_t step, const char *what, const char *where, am_error *err) {
  char kept[512] = "no checkpoint had been written yet";
  if (t->folder.ready && am_file_exists(t->folder.last))
    snprintf(kept, sizeof kept, "the state after step %llu is kept in %s", (unsigned long long)t->saved_step,
             t->folder.last);
  return am_fail(err, AM_E_NUMERIC,
                 "step %llu (epoch %llu): %s, first in %s; lower train.optimiser.learning_rate or set "
                 "clip_norm; %s",
                 (unsigned long long)step, (unsigned long long)(t->state.epoch + 1), what, where, kept);
}

am_status am_trainer_bad_loss(am_trainer *t, const am_batch *batch, double loss, am_error *err) {
  return fail_numeric(t, t->state.step + 1, isnan(loss) ? "the loss is not a number" : "the loss is infinite",
                      bad_output(t, batch), err);
}

am_status am_trainer_bad_gradient(am_trainer *t, const am_batch *batch, const am_loader_batch *b, am_error *err) {
  return fail_numeric(t, t->state.step + 1, "a gradient is not finite", bad_gradient(t, batch, b), err);
}

am_status am_trainer_bad_weight(am_trainer *t, am_error *err) {
  return fail_numeric(t, t->state.step + 1, "a weight is not finite after the step",
                      am_model_weight_info(t->model, (size_t)t->optimiser->bad_array)->name, err);
}

am_status am_trainer_bad_head(am_trainer *t, const char *trait, am_error *err) {
  char where[128];
  snprintf(where, sizeof where, "the head %.100s (train.auxiliary)", trait);
  return fail_numeric(t, t->state.step + 1, "a weight is not finite after the step", where, err);
}

/* A clip whose logits are not finite, alone through the model once more. */
static const char *bad_clip_output(am_trainer *t, uint32_t clip) {
  am_session *session = keeping_session(t, 1, false);
  if (!session) return "a layer that there is no memory left to find";
  am_source source = {t->dataset, t->store, t->fx, &t->normaliser};
  const char *name = NULL;
  if (am_evaluate_logits(t->ctx, t->model, session, 1, &source, &clip, 1, "validation", t->logits, NULL) == AM_OK)
    name = first_bad_output(t, session, 1);
  let_go(t, session);
  return name ? name : "the loss itself";
}

am_status am_trainer_bad_validation(am_trainer *t, double loss, am_error *err) {
  size_t n = t->split->n[AM_PART_VALIDATION], K = (size_t)t->classes, bad = 0;
  while (bad < n && am_all_finite(t->logits + bad * K, K)) bad++;
  uint32_t clip = t->split->at[AM_PART_VALIDATION][bad < n ? bad : 0];
  char what[512];
  snprintf(what, sizeof what, "the validation loss is %s%s%.300s", isnan(loss) ? "not a number" : "infinite",
           bad < n ? " at clip " : "", bad < n ? t->dataset->clips[clip].name : "");
  return fail_numeric(t, t->state.step, what, bad < n ? bad_clip_output(t, clip) : "the loss itself", err);
}
