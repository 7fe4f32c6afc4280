/* SPDX-License-Identifier: MIT */
/* train/heads.h - heads that predict further traits of the clips while a net is trained (train.auxiliary, nn/head.h). */
#ifndef AM_HEADS_H
#define AM_HEADS_H

#include "model/checkpoint.h"
#include "nn/head.h"

typedef struct am_heads {
  am_context *ctx;
  size_t n;
  am_head_state *state; /* (n) the model and optimiser of each, and sums of the epoch; its trait is the config's text */
  struct am_head_task {
    am_head head;
    double weight;
    int *classes; /* (clips) of the dataset: -1 where the trait is not known, and outside of the training part */
    const am_dataset *d;
    int dimension; /* of the dataset, whose value it tells by concordance (ccc); -1: it tells classes */
  } * task;        /* (n) */
} am_heads;

/* AM_E_CONFIG: the corpus has no such trait; before its sounds are read. */
am_status am_heads_check(const am_config *config, const am_dataset *d, am_error *err);
/* One for each of config's train.auxiliary, on the embedding of `model`.  AM_E_CONFIG: the clips of the training part have
 * fewer than two values of it, or the model has no embedding. */
am_status am_heads_create(am_context *ctx, const am_config *config, const am_dataset *d, const am_split *split,
                          am_model *model, am_heads *out, am_error *err);
void am_heads_free(am_heads *heads);
/* The share of a reversed weight at this part of the training, 0 to 1: 2 / (1 + exp(-10 part)) - 1 (Ganin et al. 2016). */
double am_heads_ramp(double part);
/* Losses of a batch with embeddings x, summed over clips and heads, each as it is.  Their gradients by x, times the weights of
 * the heads (those below 0 times `reversed`), are added to dx. */
double am_heads_loss(am_heads *heads, const am_loader_batch *b, const am_real *x, double reversed, am_real *dx);
/* What the optimiser of the net does, by their own gradients.  The first head with a weight that is not finite then, or NULL. */
const char *am_heads_step(am_heads *heads, double divisor, double rate);
/* "gender loss 0.3120 acc 0.871, speaker (reversed) loss ..." of the epoch, whose sums then begin again. */
void am_heads_say(am_heads *heads, am_buffer *out);

#endif
