/* nn/loss.h - losses on logits (or values), as pure functions.
 *
 * Each returns the SUM over the batch of weight[b] * loss[b] in double, and
 * writes dy = d(sum)/d(y); the caller divides both once, by the batch or by
 * the sum of weights.  Sums run in batch order. */
#ifndef AM_LOSS_H
#define AM_LOSS_H

#include "audiomood/nn.h"
#include "base/option.h"

typedef enum am_loss_kind { AM_LOSS_CROSS_ENTROPY, AM_LOSS_FOCAL, AM_LOSS_MSE, AM_LOSS_CCC } am_loss_kind;

typedef struct am_loss_options {
  int kind;              /* "cross_entropy|focal|mse|ccc" */
  double label_smoothing; /* 0..1: target (1-s) q + s/K */
  double gamma;          /* focal: (1-p_t)^gamma; 2 */
  int divide_by;         /* "batch|weights": Keras divides by B, PyTorch by the sum of weights */
} am_loss_options;
extern const am_option am_loss_table[];

/* logits (B,K); targets (B,K) rows that sum to 1 (one-hot, mixed or soft); weights (B) or NULL;
 * dlogits (B,K) or NULL.  per_clip (B) or NULL gets each unweighted loss.
 * Concordance treats each of the K columns as one dimension over the batch: loss = sum_k (1 - ccc_k) * B / K. */
double am_loss(const am_loss_options *options, const am_real *logits, const am_real *targets, const am_real *weights,
               int batch, int classes, am_real *dlogits, am_real *per_clip);
/* Row-wise softmax, stable; NaN stays NaN. */
void am_softmax_rows(const am_real *logits, int rows, int classes, am_real *probabilities);

#endif
