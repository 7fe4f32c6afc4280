/* SPDX-License-Identifier: MIT */
/* nn/head.h - a linear head on a model's embedding, that predicts something else than the model does: classes, or a value.
 *
 * A head is a model of its own, of one dense layer.  The gradient of its loss by the embedding may go back into the model
 * whose embedding it reads, by a factor: above 0 the model learns what the head is to tell, below 0 (the gradient reversed:
 * Ganin & Lempitsky 2015) it unlearns it, at 0 the head only looks.  The head itself always learns by its own loss. */
#ifndef AM_HEAD_H
#define AM_HEAD_H

#include "nn/model.h"

typedef struct am_head {
  am_context *ctx;
  int width, classes;
  int loss; /* am_loss_kind (nn/loss.h): cross-entropy; of values mse or ccc, whose targets may be NaN: not known */
  am_model *model;     /* (width) to (classes) */
  am_session *session; /* its gradients are those of the head's weights */
  /* (batch, classes), to be filled in before am_head_loss: shares of each class in each clip, or values.  A row of zeros, of a
   * clip whose class is not known, contributes nothing. */
  am_real *targets;
  am_real *dlogits; /* likewise */
} am_head;

/* Of classes, or of `classes` values where loss is set to another kind.  Initialised by `seed` and `name`. */
am_status am_head_create(am_context *ctx, const char *name, int width, int classes, int max_batch, uint64_t seed,
                         am_head *out, am_error *err);
void am_head_free(am_head *head);
/* The loss of the embeddings x (n, width), summed over the clips.  Adds its gradients by the head's weights to those of the
 * session, and `factor` times that by x to dx (n, width). */
double am_head_loss(am_head *head, const am_real *x, int n, double factor, am_real *dx);

#endif
