/* SPDX-License-Identifier: MIT */
/* nn/head.c - see head.h. */
#include "nn/head.h"

#include <string.h>

#include "base/hash.h"
#include "nn/loss.h"

static am_status make_model(am_head *h, am_error *err) {
  const am_shape in = {.rank = 1, .t = 1, .f = 1, .c = h->width};
  am_tree *tree;
  am_status status = am_tree_create(h->ctx, &tree, err);
  if (status) return status;
  const am_value *layers = am_value_flow(tree, "[dense]");
  status = layers ? am_model_create(h->ctx, layers, in, h->classes, &h->model, err) : am_no_memory(err);
  am_tree_free(tree);
  return status;
}

am_status am_head_create(am_context *ctx, const char *name, int width, int classes, int max_batch, uint64_t seed,
                         am_head *out, am_error *err) {
  const size_t numbers = am_mul((size_t)max_batch, (size_t)classes);
  *out = (am_head){.ctx = ctx, .width = width, .classes = classes};
  am_status status = make_model(out, err);
  if (!status) status = am_session_create(out->model, max_batch, true, &out->session, err);
  if (!status) {
    out->targets = am_alloc_aligned(ctx, am_mul(numbers, sizeof *out->targets));
    out->dlogits = am_alloc_aligned(ctx, am_mul(numbers, sizeof *out->dlogits));
    if (!out->targets || !out->dlogits) status = am_no_memory(err);
  }
  if (status) {
    am_head_free(out);
    return status;
  }
  /* All heads have the same layer: the seed tells their weights apart. */
  am_model_initialise(out->model, am_hash64(seed, name, strlen(name)));
  am_session_want_input_gradient(out->session, true);
  am_session_zero_gradients(out->session);
  return AM_OK;
}

void am_head_free(am_head *h) {
  am_session_free(h->session);
  am_model_free(h->model);
  am_free_aligned(h->ctx, h->targets);
  am_free_aligned(h->ctx, h->dlogits);
  *h = (am_head){0};
}

double am_head_loss(am_head *h, const am_real *x, int n, double factor, am_real *dx) {
  const am_loss_options options = {.kind = h->loss};
  const am_batch batch = {.size = sizeof batch, .n = n, .x = x};
  /* Neither can fail: the arguments are right. */
  (void)am_session_forward(h->session, &batch, true, NULL);
  const double sum =
      am_loss(&options, am_session_output(h->session), h->targets, NULL, n, h->classes, h->dlogits, NULL);
  (void)am_session_backward(h->session, h->dlogits, NULL);
  const am_real *back = am_session_input_gradient(h->session);
  for (size_t i = 0; i < (size_t)n * (size_t)h->width; i++) dx[i] += (am_real)(factor * (double)back[i]);
  return sum;
}
