/* SPDX-License-Identifier: MIT */
/* model/share.c - see share.h. */
#include "model/share.h"

#include "model/ensemble.h"
#include "model/predict.h"

/* The model without what is written to: of a voice, and of predictions. */
static void look_at(const am_checkpoint *c, am_checkpoint *out) {
  *out = *c;
  out->normaliser.speaker_mean = out->normaliser.speaker_inverse = NULL;
  if (out->normaliser.kind == AM_NORMALISE_SPEAKER) out->normaliser.n_speakers = 0;
  out->speaker = (am_norm_stats){0};
  out->enrolled = out->heard = out->told = false;
  out->predictor = NULL;
}

static void share_free(am_context *ctx, am_checkpoint *c) {
  if (!c) return;
  am_checkpoint_forget_speaker(c);
  for (size_t i = 0; i < c->n_members && c->members; i++) am_free(ctx, c->members[i]);
  if (c->n_members) am_free(ctx, c->members);
  am_free(ctx, c);
}

static am_status share_create(const am_checkpoint *c, am_checkpoint **out, am_error *err) {
  am_context *ctx = c->ctx;
  am_checkpoint *s = *out = am_alloc(ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  look_at(c, s);
  s->n_members = 0;
  s->members = c->n_members ? am_alloc(ctx, c->n_members, sizeof *s->members) : NULL;
  if (c->n_members && !s->members) return am_no_memory(err);
  for (size_t i = 0; i < c->n_members; i++, s->n_members++) {
    if (!(s->members[i] = am_alloc(ctx, 1, sizeof *s))) {
      if (!i) am_free(ctx, s->members);
      return am_no_memory(err);
    }
    look_at(c->members[i], s->members[i]);
  }
  return AM_OK;
}

void am_ensemble_unshare(am_ensemble *share) {
  if (!share) return;
  for (size_t i = 0; i < am_ensemble_models(share); i++)
    share_free(am_ensemble_context(share), am_ensemble_model(share, i));
  share_free(am_ensemble_context(share), am_ensemble_detector(share));
  am_ensemble_free(share);
}

am_status am_ensemble_share(const am_ensemble *of, am_ensemble **out, am_error *err) {
  am_context *ctx = am_ensemble_context(of);
  am_status status = am_ensemble_create(ctx, out, err);
  for (size_t i = 0; i < am_ensemble_models(of) && !status; i++) {
    am_checkpoint *c = NULL;
    status = share_create(am_ensemble_model(of, i), &c, err);
    if (!status) status = am_ensemble_add(*out, c, am_ensemble_name(of, i), err);
    if (status) share_free(ctx, c);
  }
  if (!status && am_ensemble_detector(of)) {
    am_checkpoint *c = NULL;
    status = share_create(am_ensemble_detector(of), &c, err);
    am_ensemble_set_detector(*out, c);
  }
  if (!status) return AM_OK;
  am_ensemble_unshare(*out);
  *out = NULL;
  return status;
}

/* ---- ears ---- */

struct am_ears {
  am_context *ctx;
  size_t n;
  am_predictor *at[]; /* (n) one a single model; NULL until its first prediction */
};

static size_t count(const am_ensemble *e) {
  size_t n = am_checkpoint_members(am_ensemble_detector(e));
  for (size_t i = 0; i < am_ensemble_models(e); i++) n += am_checkpoint_members(am_ensemble_model(e, i));
  return n;
}

am_status am_ears_create(const am_ensemble *of, am_ears **out, am_error *err) {
  const size_t n = count(of);
  am_ears *ears = *out = am_alloc(am_ensemble_context(of), 1, sizeof *ears + n * sizeof(am_predictor *));
  if (!ears) return am_no_memory(err);
  ears->ctx = am_ensemble_context(of);
  ears->n = n;
  return AM_OK;
}

void am_ears_free(am_ears *ears) {
  if (!ears) return;
  for (size_t i = 0; i < ears->n; i++) am_predictor_free(ears->ctx, ears->at[i]);
  am_free(ears->ctx, ears);
}

/* Those of one model, from *at on. */
static void swap_one(am_predictor **at, size_t *k, am_checkpoint *c) {
  for (size_t j = 0; j < am_checkpoint_members(c); j++, (*k)++) {
    am_checkpoint *m = am_checkpoint_member(c, j);
    am_predictor *held = at[*k];
    at[*k] = m->predictor;
    m->predictor = held;
  }
}

static void swap(am_ears *ears, am_ensemble *share) {
  size_t k = 0;
  for (size_t i = 0; i < am_ensemble_models(share); i++) swap_one(ears->at, &k, am_ensemble_model(share, i));
  swap_one(ears->at, &k, am_ensemble_detector(share));
}

void am_ears_lend(am_ears *ears, am_ensemble *share) { swap(ears, share); }
void am_ears_take(am_ears *ears, am_ensemble *share) { swap(ears, share); }
