/* SPDX-License-Identifier: MIT */
/* train/step.c - one optimiser step, and what to say when it goes wrong. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "nn/contrastive.h"
#include "train/trainer.h"

/* ---- the step ---- */

static double divisor_of(const am_trainer *t, const am_loader_batch *b) {
  if (t->config->loss.divide_by == AM_LOSS_BY_BATCH || !b->weights) return b->n;
  double sum = 0;
  for (int i = 0; i < b->n; i++) sum += b->weights[i];
  return sum > 0 ? sum : 1;
}

/* The contrastive loss, as it is; its gradient by the embedding, times its weight, is added to that of the heads. */
static double contrastive_loss(am_trainer *t, const am_loader_batch *b, const am_real *embedding) {
  const am_loss_options *o = &t->config->loss;
  for (int i = 0; i < b->n; i++) t->labels[i] = t->dataset->clips[b->clips[i]].label;
  const double sum = am_contrastive_loss(embedding, t->labels, b->n, t->embedding, o->contrastive_temperature,
                                         o->contrastive, t->contrastive_memory, t->dembedding);
  t->state.contrastive_sum += sum;
  return sum;
}

/* What the steps so far leave of the weights of reversed heads. */
static double reversed_share(const am_trainer *t) {
  const double steps = (double)t->config->train.epochs * (double)t->per_epoch;
  if (t->config->train.auxiliary_ramp == AM_AUXILIARY_RAMP_NONE) return 1;
  return am_heads_ramp(steps > 0 ? (double)t->state.step / steps : 1);
}

double am_trainer_loss(am_trainer *t, const am_loader_batch *b, const am_real *logits, const am_real *embedding,
                       double *beside) {
  *beside = 0;
  if (t->dembedding) {
    memset(t->dembedding, 0, t->embedding_bytes);
    *beside = am_heads_loss(&t->heads, b, embedding, reversed_share(t), t->dembedding);
    if (t->contrastive_memory) *beside += contrastive_loss(t, b, embedding);
  }
  if (t->prior_shift) {
    am_loss_adjusted(logits, t->prior_shift, b->n, t->classes, t->adjusted);
    logits = t->adjusted;
  }
  return am_loss(&t->config->loss, logits, b->targets, b->weights, b->n, t->classes, t->dlogits, NULL);
}

am_status am_trainer_backward(am_trainer *t, am_session *session, int first, am_error *err) {
  const size_t at = (size_t)first;
  const am_real *dembedding = t->dembedding ? t->dembedding + at * (size_t)t->embedding : NULL;
  return am_session_backward_with(session, t->dlogits + at * (size_t)t->classes, dembedding, err);
}

am_status am_trainer_step(am_trainer *t, const am_loader_batch *b, am_error *err) {
  am_training_state *s = &t->state;
  am_share *share = &t->share;
  int K = t->classes;
  am_status status = am_share_batch(share, b->n, err);
  if (status) return status;
  const size_t first = (size_t)share->first;
  am_batch batch = {.size = sizeof batch,
                    .n = share->count,
                    .x = b->x + first * am_shape_count(am_model_input(t->model)),
                    .seed = t->config->seed,
                    .epoch = s->epoch + 1,
                    .draws = b->draws + first};
  if (am_model_input(t->model).variable) batch.lengths = b->lengths + first;
  status = am_session_forward(t->session, &batch, true, err);
  const am_real *logits, *embedding;
  if (!status) status = am_share_outputs(share, t->session, t->dembedding != NULL, &logits, &embedding, err);
  if (status) return status;
  double beside, sum = am_trainer_loss(t, b, logits, embedding, &beside);
  if (!isfinite(sum + beside)) return am_trainer_bad_loss(t, &batch, sum + beside, err);
  status = am_trainer_backward(t, t->session, share->first, err);
  if (!status) status = am_share_gradients(share, err);
  if (status) return status;
  size_t n;
  am_real *weights = am_model_weights(t->model, &n), *gradients = am_session_gradients(t->session);
  if (!am_all_finite(gradients, n)) return am_trainer_bad_gradient(t, &batch, b, err);

  double divisor = divisor_of(t, b);
  t->rate = t->config->optimiser.learning_rate * am_schedule_factor(&t->config->schedule, &s->schedule, s->step,
                                                                    t->per_epoch, (uint64_t)t->config->train.epochs);
  double begun = am_now();
  am_optimiser_step(t->optimiser, weights, gradients, divisor, t->rate);
  const char *bad_head = am_heads_step(&t->heads, divisor, t->rate);
  status = am_optimiser_exchange(t->optimiser, weights, err);
  t->profile.optimiser += am_now() - begun;
  if (status) return status;
  if (t->optimiser->bad_array >= 0) return am_trainer_bad_weight(t, err);
  if (bad_head) return am_trainer_bad_head(t, bad_head, err);
  am_trainer_profile_step(t, b);
  s->loss_sum += sum;
  s->divisor_sum += divisor;
  s->clips += (uint64_t)b->n;
  for (int i = 0; i < b->n && !t->values; i++)
    s->correct += am_largest(logits + (size_t)i * (size_t)K, K) == am_largest(b->targets + (size_t)i * (size_t)K, K);
  s->step++;
  s->position++;
  return AM_OK;
}
