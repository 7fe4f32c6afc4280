/* SPDX-License-Identifier: MIT */
/* model/fusion.h - several models in one checkpoint: late fusion by the logarithms of their probabilities.
 *
 * With p_i what member i says (at its own temperature), weights w_i of sum 1 and the temperature T of the whole
 *     p is proportional to the product of p_i ^ (w_i / T).
 * Members may hear different features at different rates; they name the same classes in the same order.  Those that tell the same
 * dimensions, on the same scales, are their weighted mean.
 *
 * Where some members normalise by speaker and others do not, a file may have two sets of weights, temperature and thresholds
 * (am_fusion_set): one for a voice that is not known, in which those members have no part, and one for a voice that is.  Which is
 * in force is the state of the checkpoint (speaker.c), and am_fusion_ask is the one place that asks by it. */
#ifndef AM_FUSION_H
#define AM_FUSION_H

#include "model/checkpoint.h"

enum { AM_MOST_MEMBERS = 64 };

/* Fills in what one model says: probabilities, (n,K) or as many as the caller's `numbers` are.  `i` is which of the models that
 * the caller asks; m is that one, or a member of it. */
typedef am_status (*am_ask_fn)(void *user, size_t i, am_checkpoint *m, float *out, am_error *err);
/* What checkpoint c says: its own model, or its members that have a weight in the set in force, each asked once and in order, as
 * one.  After a failure all are NaN. */
am_status am_fusion_ask(am_checkpoint *c, size_t i, size_t numbers, am_ask_fn ask, void *user, float *out,
                        am_error *err);

/* log p; that of 0 is finite, and what is not a number stays so. */
double am_fusion_log(double p);
/* Probabilities (rows,K) of sums of weighted logarithms. */
void am_fusion_softmax(const double *sum, size_t rows, int classes, double temperature, float *probabilities);

/* Weights (members) and temperature with the least mean negative log-likelihood of `truth` (n) by logs (members,n,K).  In
 * w / T this is convex; a pull of 1e-6 towards equal weights at temperature 1 decides between members that say the same.  False
 * where nothing that any of them says is of use, or a logarithm is not finite. */
bool am_fusion_fit(am_context *ctx, const double *logs, const int *truth, size_t members, size_t n, int classes,
                   double *weights, double *temperature);
/* That mean. */
double am_fusion_loss(const double *logs, const int *truth, size_t members, size_t n, int classes,
                      const double *weights, double temperature);

/* ---- fusion_file.c ---- */

typedef struct am_fusion {
  const char *const *files; /* (n) checkpoints of one model each; last.h5 loses what resuming needs */
  size_t n;
  am_fusion_set
      any; /* weights (n); a member of weight 0 in all sets is left out.  With `known` those that normalise by speaker
                        have 0 */
  const am_fusion_set *known; /* for a voice that is known; NULL: one set for all */
  char *const *labels;        /* (K) */
  int classes;
  const am_scale *scale; /* (K) of dimensions; NULL: of classes */
  const char *title;
  const char *by;           /* how the weights were found: "validation", "out of fold", "given" */
  const am_names *speakers; /* of the clips that they were fitted to; NULL: none were */
} am_fusion;

/* Writes a fused checkpoint to a path given by the user, and reads it back. */
am_status am_fusion_save(am_context *ctx, const char *path, const am_fusion *fusion, am_error *err);
/* Of a file with members into c, which is empty; for checkpoint_load.c. */
am_status am_fusion_read(am_context *ctx, am_h5 *file, am_checkpoint *c, am_error *err);

#endif
