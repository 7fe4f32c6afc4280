/* SPDX-License-Identifier: MIT */
/* train/share.c - see share.h. */
#include "train/share.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nn/groups.h"
#include "nn/session.h"
#include "run/environment.h"

static int groups_in(const am_share *s, int n) { return (n + s->group - 1) / s->group; }

static int smaller(int a, int b) { return a < b ? a : b; }

am_status am_share_begin(am_context *ctx, int batch, int groups, int classes, int width, am_share *out, am_error *err) {
  *out = (am_share){.ctx = ctx,
                    .ranks = am_context_ranks(ctx),
                    .batch = batch,
                    .group = am_group_size(batch, groups),
                    .classes = classes,
                    .width = width};
  if (!out->ranks) return AM_OK;
  size_t first, count;
  am_status status = am_ranks_leaves(out->ranks, (size_t)groups_in(out, batch), &first, &count, err);
  if (status) return status;
  out->outputs = am_alloc_aligned(ctx, am_mul(am_mul((size_t)batch, (size_t)(classes + width)), sizeof(am_real)));
  return out->outputs ? AM_OK : am_no_memory(err);
}

void am_share_end(am_share *s) {
  if (s->ranks) am_ranks_drop(s->ranks);
  if (s->ctx) am_free_aligned(s->ctx, s->outputs);
  *s = (am_share){0};
}

void am_share_rows(const void *share, int n, int *first, int *count) {
  const am_share *s = share;
  size_t from = 0, leaves = (size_t)groups_in(s, n);
  if (s->ranks) am_ranks_leaves(s->ranks, (size_t)groups_in(s, s->batch), &from, &leaves, NULL);
  *first = smaller((int)from * s->group, n);
  *count = smaller((int)(from + leaves) * s->group, n) - *first;
}

int am_share_most(const am_share *s) {
  int first, count;
  am_share_rows(s, s->batch, &first, &count);
  return count;
}

/* ---- within a pass: what fails is told after it ---- */

static void join(void *arg, double *values, size_t n) {
  am_share *s = arg;
  if (!s->status) s->status = am_ranks_sum_doubles(s->ranks, values, n, &s->err);
}

static void ready(void *arg, am_real *gradients, size_t n) {
  am_share *s = arg;
  if (!s->status) s->status = am_ranks_sum(s->ranks, gradients, n, &s->err);
}

static am_status told(const am_share *s, am_error *err) {
  return s->status ? am_fail(err, s->status, "%s", s->err.message) : AM_OK;
}

am_status am_share_session(am_share *s, am_model *model, am_session **out, am_error *err) {
  am_status status = am_session_create_grouped(model, am_share_most(s), s->group, true, out, err);
  if (!status && s->ranks) am_session_share(*out, join, ready, s);
  return status;
}

/* What the bits depend on, as runs note it (run/environment.h). */
am_status am_share_same(am_config *config, am_error *err) {
  am_context *ctx = config->ctx;
  am_ranks *ranks = am_context_ranks(ctx);
  if (!ranks) return AM_OK;
  am_environment e;
  am_environment_get(ctx, &e);
  am_status status = AM_OK;
  for (size_t i = 0; i < AM_FACTS && !status; i++) status = am_ranks_same(ranks, e.facts[i].key, e.facts[i].text, err);
  am_buffer text = {0};
  if (!status) status = am_config_text(config, &text, err);
  if (!status) status = am_ranks_same(ranks, "config", text.data, err);
  am_buffer_free(ctx, &text);
  return status;
}

am_status am_share_same_digest(am_context *ctx, const char *what, uint64_t digest, am_error *err) {
  char text[32];
  snprintf(text, sizeof text, "%016" PRIx64, digest);
  return am_ranks_same(am_context_ranks(ctx), what, text, err);
}

/* ---- a step ---- */

am_status am_share_batch(am_share *s, int n, am_error *err) {
  s->status = AM_OK;
  s->err = (am_error)AM_ERROR_INIT;
  am_share_rows(s, n, &s->first, &s->count);
  if (!s->ranks) return AM_OK;
  return am_ranks_batch(s->ranks, (size_t)groups_in(s, s->batch), (size_t)groups_in(s, n), NULL, NULL, err);
}

/* Rows (count,wide) of this process become those of all, in order. */
static am_status gather(am_share *s, const am_real *mine, size_t wide, am_real *to, am_error *err) {
  void *all = NULL;
  size_t *ends = am_alloc(s->ctx, (size_t)am_ranks_size(s->ranks), sizeof *ends);
  am_status status = ends ? AM_OK : am_no_memory(err);
  if (!status)
    status = am_ranks_gather(s->ranks, s->ctx, mine, (size_t)s->count * wide * sizeof *mine, &all, ends, err);
  if (!status) memcpy(to, all, ends[am_ranks_size(s->ranks) - 1]);
  am_free(s->ctx, all);
  am_free(s->ctx, ends);
  return status;
}

am_status am_share_outputs(am_share *s, const am_session *session, bool embedding, const am_real **logits,
                           const am_real **embeddings, am_error *err) {
  *logits = am_session_output(session);
  *embeddings = embedding ? am_session_embedding(session) : NULL;
  if (!s->ranks) return AM_OK;
  am_status status = told(s, err);
  am_real *to = s->outputs;
  if (!status) status = gather(s, *logits, (size_t)s->classes, to, err);
  *logits = to;
  to += (size_t)s->batch * (size_t)s->classes;
  if (!status && embedding) status = gather(s, *embeddings, (size_t)s->width, to, err);
  if (embedding) *embeddings = to;
  return status;
}

am_status am_share_gradients(am_share *s, am_error *err) {
  if (!s->ranks) return AM_OK;
  am_status status = told(s, err);
  return status ? status : am_ranks_finish(s->ranks, err);
}
