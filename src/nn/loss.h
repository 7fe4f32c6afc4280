/* SPDX-License-Identifier: MIT */
/* nn/loss.h - losses on logits (or values), as pure functions.
 *
 * Each returns the SUM over the batch of weight[b] * loss[b] in double, and
 * writes dy = d(sum)/d(y); the caller divides both once, by the batch or by
 * the sum of weights.  Sums run in batch order. */
#ifndef AM_LOSS_H
#define AM_LOSS_H

#include "audiomood/nn.h"
#include "base/option.h"

#define AM_LOSSES(X) \
  X(AM_LOSS_CROSS_ENTROPY, "cross_entropy") \
  X(AM_LOSS_FOCAL, "focal") \
  X(AM_LOSS_MSE, "mse") \
  X(AM_LOSS_CCC, "ccc")
typedef enum am_loss_kind { AM_LOSSES(AM_WORD_NAME) } am_loss_kind;
#define AM_LOSS_DIVISORS(X) X(AM_LOSS_BY_BATCH, "batch") X(AM_LOSS_BY_WEIGHTS, "weights")
typedef enum am_loss_divisor { AM_LOSS_DIVISORS(AM_WORD_NAME) } am_loss_divisor;

typedef struct am_loss_options {
  int kind;               /* am_loss_kind */
  double label_smoothing; /* 0..1: target (1-s) q + s/K */
  double gamma;           /* focal: (1-p_t)^gamma; 2 */
  int divide_by;          /* am_loss_divisor: Keras divides by B, PyTorch by the sum of weights */
  double prior_adjust;    /* tau: training compares logits + tau log(prior) (am_loss_prior, am_loss_adjusted) */
  double contrastive, contrastive_temperature; /* weight of am_contrastive_loss (contrastive.h), which training adds */
} am_loss_options;
extern const am_option am_loss_table[];

/* logits (B,K); targets (B,K) rows that sum to 1 (one-hot, mixed or soft); weights (B) or NULL;
 * dlogits (B,K) or NULL.  per_clip (B) or NULL gets each unweighted loss.
 * Concordance treats each of the K columns as one dimension over the batch: loss = sum_k (1 - ccc_k) * B / K.
 * Of mse and ccc a target may be NaN: it is not known.  It adds nothing to mse; ccc is of the clips of a column that are known,
 * and K then counts the columns that have any. */
double am_loss(const am_loss_options *options, const am_real *logits, const am_real *targets, const am_real *weights,
               int batch, int classes, am_real *dlogits, am_real *per_clip);
/* Logit adjustment (Menon et al. 2021): tau log(count of a class's clips / total).  A class without clips counts as if it had
 * one, so that the shift is finite. */
am_real am_loss_prior(double tau, size_t count, size_t total);
/* adjusted (B,K) = logits + shift, row by row.  The gradient by the logits is the one by the sum. */
void am_loss_adjusted(const am_real *logits, const am_real *shift, int batch, int classes, am_real *adjusted);
/* Row-wise softmax, stable; NaN stays NaN. */
void am_softmax_rows(const am_real *logits, int rows, int classes, am_real *probabilities);

#endif
