/* SPDX-License-Identifier: MIT */
/* train/share.h - the part of a batch that is this process's, where several train as one (ranks/ranks.h).
 *
 * A batch is cut into groups of clips (nn/groups.h), and each process has some that follow one another.  It makes their rows,
 * and runs them forward and backward.  The outputs of all clips are gathered, so every process has the loss of the whole batch
 * and its gradient; gradients of weights are summed over the processes as those of groups are, each layer's while the layers
 * before it are still at work.  All then take the same step.  Alone a process has the whole batch, and nothing is exchanged. */
#ifndef AM_SHARE_H
#define AM_SHARE_H

#include "model/config.h"
#include "ranks/ranks.h"

typedef struct am_share {
  am_context *ctx;
  am_ranks *ranks;
  int batch, group;   /* clips of a full batch, of a group */
  int classes, width; /* of the outputs; of the embedding, 0: it is not wanted */
  int first, count;   /* clips of the batch at hand */
  am_real *outputs;   /* (batch, classes + width): logits of all, then embeddings of all */
  am_status status;   /* of what was exchanged within a pass */
  am_error err;
} am_share;

/* AM_E_USAGE: there are more processes than groups. */
am_status am_share_begin(am_context *ctx, int batch, int groups, int classes, int width, am_share *out, am_error *err);
void am_share_end(am_share *share);       /* before the session */
int am_share_most(const am_share *share); /* clips of this process in a full batch */
/* A session of training for them. */
am_status am_share_session(am_share *share, am_model *model, am_session **out, am_error *err);

/* Refuses processes of another program, processor path, library or config. */
am_status am_share_same(am_config *config, am_error *err);
/* Or of other data. */
am_status am_share_same_digest(am_context *ctx, const char *what, uint64_t digest, am_error *err);

/* Begins a batch of n clips. */
am_status am_share_batch(am_share *share, int n, am_error *err);
/* For loaders: the rows of a batch of n (am_loader_options.share). */
void am_share_rows(const void *share, int n, int *first, int *count);
/* The outputs of all clips after forward: logits (n,classes), and the embedding (n,width) where it is wanted, else NULL. */
am_status am_share_outputs(am_share *share, const am_session *session, bool embedding, const am_real **logits,
                           const am_real **embeddings, am_error *err);
/* After backward: the session's gradients are those of the whole batch. */
am_status am_share_gradients(am_share *share, am_error *err);

#endif
