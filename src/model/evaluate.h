/* SPDX-License-Identifier: MIT */
/* model/evaluate.h - running a model over clips; shared by the training loop and the commands. */
#ifndef AM_EVALUATE_H
#define AM_EVALUATE_H

#include "model/checkpoint.h"

/* What clips become a model's input with. All borrowed. */
typedef struct am_source {
  const am_dataset *dataset;
  const am_store *store;
  const am_features *fx;
  const am_normaliser *normaliser;
} am_source;

/* Logits (n,K) of the clips, in their order, by an inference session for at most `batch` clips.  Progress is
 * reported as `task`. AM_E_STOPPED when asked to stop. */
am_status am_evaluate_logits(am_context *ctx, const am_model *model, am_session *session, int batch,
                             const am_source *source, const uint32_t *clips, size_t n, const char *task, float *logits,
                             am_error *err);
/* Clips of the list whose features are longer than the model's input: they are cut. */
size_t am_evaluate_cut(const am_model *model, const am_store *store, const uint32_t *clips, size_t n);
/* Probabilities (n,K) of the given clips. */
am_status am_evaluate(am_context *ctx, am_checkpoint *c, const am_dataset *d, const am_store *store,
                      const uint32_t *clips, size_t n, float *probabilities, am_error *err);
/* The same for a model that normalises by speaker, whose speakers are known by the clips `heard` alone (am_normaliser_enrol). */
am_status am_evaluate_enrolled(am_context *ctx, am_checkpoint *c, const am_dataset *d, const am_store *store,
                               const uint32_t *heard, size_t n_heard, const uint32_t *clips, size_t n,
                               float *probabilities, am_error *err);

#endif
